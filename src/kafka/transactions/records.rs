//! Records of `__transaction_state`. Which there are and when one is written is Kafka's; the bytes are our own, as those
//! of `__consumer_offsets`. [TransactionLog]

use super::metadata::{TxnState, TxnValue};
use crate::kafka::groups::records::{Reader, Writer};
use crate::kafka::types::Bytes;
use std::rc::Rc;

/// The key of an id.
pub fn encode_key(id: &str) -> Bytes {
    id.as_bytes().into()
}

/// The id of a key.
pub fn decode_key(key: &[u8]) -> Option<Rc<str>> {
    std::str::from_utf8(key).ok().map(Rc::from)
}

/// What stands in the log of an id.
pub fn encode(value: &TxnValue) -> Bytes {
    let mut w = Writer::default();
    w.number(value.producer_id);
    w.number(value.previous_id);
    w.number(value.next_id);
    w.number(i64::from(value.epoch));
    w.number(i64::from(value.last_epoch));
    w.number(i64::from(value.timeout_ms));
    w.number(value.state as i64);
    w.number(value.start);
    w.number(value.updated);
    w.number(i64::from(value.version));
    let partitions: Vec<_> = value.partitions.iter().cloned().collect();
    w.partitions(&partitions);
    w.done()
}

/// Reads it back; `None` if it is no such record.
pub fn decode(bytes: &[u8]) -> Option<TxnValue> {
    let mut r = Reader(bytes);
    Some(TxnValue {
        producer_id: r.number()?,
        previous_id: r.number()?,
        next_id: r.number()?,
        epoch: i16::try_from(r.number()?).ok()?,
        last_epoch: i16::try_from(r.number()?).ok()?,
        timeout_ms: r.int()?,
        state: TxnState::of_number(r.number()?)?,
        start: r.number()?,
        updated: r.number()?,
        version: i16::try_from(r.number()?).ok()?,
        partitions: Rc::new(r.partitions()?.into_iter().collect()),
    })
}
