//! What a producer is told to do, and what it waits for.

use super::txn::{GroupMetadata, TxnOffsets};
use crate::kafka::client::call::CallId;
use crate::kafka::client::network::NetTimer;
use crate::kafka::types::Bytes;
use std::rc::Rc;

/// A record as handed to `send()`.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The ledger's number, from 1.
    pub origin: u32,
    pub topic: Rc<str>,
    /// `None`: the partitioner decides.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; `None`: the time of `send()`.
    pub timestamp: Option<i64>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: NewHeaders,
}

/// Headers of a record: name and value, in order; a name may come twice.
pub type NewHeaders = Vec<(Rc<str>, Option<Bytes>)>;

/// What somebody outside tells a producer.
#[derive(Clone, Debug)]
pub enum ProducerOrder {
    /// `send()` for each record, back to back; then `flush()` if said. The call returns when all have their answer.
    Send {
        call: CallId,
        records: Vec<NewRecord>,
        flush: bool,
    },
    /// A call about transactions.
    Transaction { call: CallId, what: TransactionCall },
    /// The same, when the calls before it have returned: an application that waits. `initTransactions()` only once.
    InTurn { call: CallId, what: TransactionCall },
    /// `close()`.
    Close { call: CallId },
}

/// Calls about transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionCall {
    Init,
    Begin,
    Commit,
    Abort,
    /// `sendOffsetsToTransaction()`
    SendOffsets {
        offsets: TxnOffsets,
        group: GroupMetadata,
    },
}

/// What a producer waits for.
#[derive(Clone, Debug)]
pub enum ProducerTimer {
    /// Its network looks again.
    Net(NetTimer),
    /// Its sender looks again: linger, back-off, delivery time-out, max.block.ms.
    Wake,
}
