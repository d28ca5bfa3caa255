//! Transactions: partitions and offsets that join one, its end, markers, and what operators ask. Field names follow the
//! protocol's message files.

use super::errors::ErrorCode;
use super::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

/// Partitions of one transaction.
#[derive(Clone, Debug)]
pub struct AddPartitionsTxn {
    pub transactional_id: Rc<str>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Only ask whether they are in it.
    pub verify_only: bool,
    pub partitions: Vec<NamedPartition>,
}

#[derive(Clone, Debug)]
pub struct AddPartitionsToTxnRequest {
    /// From a broker (version 4 and above): each partition has an answer of its own. A client's request, of
    /// transactions version 1, is about one transaction: all or nothing.
    pub from_broker: bool,
    pub transactions: Vec<AddPartitionsTxn>,
}

/// The error of each partition of a transaction.
pub type AddedPartitions = (Rc<str>, Vec<(NamedPartition, ErrorCode)>);

#[derive(Clone, Debug)]
pub struct AddPartitionsToTxnResponse {
    pub transactions: Vec<AddedPartitions>,
}

#[derive(Clone, Debug)]
pub struct AddOffsetsToTxnRequest {
    pub transactional_id: Rc<str>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub group: Rc<str>,
}

#[derive(Clone, Debug)]
pub struct AddOffsetsToTxnResponse {
    pub error: ErrorCode,
}

#[derive(Clone, Debug)]
pub struct EndTxnRequest {
    pub transactional_id: Rc<str>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub committed: bool,
    /// Version 5 and above: transactions version 2.
    pub v2: bool,
}

#[derive(Clone, Debug)]
pub struct EndTxnResponse {
    pub error: ErrorCode,
    /// For the next transaction; -1 with an error and with transactions version 1.
    pub producer_id: i64,
    pub producer_epoch: i16,
}

/// The end of one producer's transaction, for partitions of one leader.
#[derive(Clone, Debug)]
pub struct TxnMarker {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub coordinator_epoch: i32,
    pub committed: bool,
    /// 0 from an operator: the lenient check.
    pub transaction_version: i16,
    pub partitions: Vec<NamedPartition>,
}

#[derive(Clone, Debug)]
pub struct WriteTxnMarkersRequest {
    pub markers: Vec<TxnMarker>,
}

#[derive(Clone, Debug)]
pub struct WriteTxnMarkersResponse {
    /// Per marker: producer id, and the error of each partition.
    pub markers: Vec<(i64, Vec<(NamedPartition, ErrorCode)>)>,
}

#[derive(Clone, Debug)]
pub struct TxnOffsetCommitRequest {
    pub transactional_id: Rc<str>,
    pub group: Rc<str>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// -1: no member.
    pub generation: i32,
    pub member_id: Rc<str>,
    pub instance: Option<Rc<str>>,
    pub offsets: Vec<(NamedPartition, CommittedOffset)>,
    /// Version 5 and above: transactions version 2.
    pub v2: bool,
}

#[derive(Clone, Debug)]
pub struct TxnOffsetCommitResponse {
    pub partitions: Vec<(NamedPartition, ErrorCode)>,
}

#[derive(Clone, Debug, Default)]
pub struct ListTransactionsRequest;

/// Transactional id, producer id, state.
pub type ListedTransaction = (Rc<str>, i64, Rc<str>);

#[derive(Clone, Debug)]
pub struct ListTransactionsResponse {
    pub error: ErrorCode,
    pub transactions: Vec<ListedTransaction>,
}

#[derive(Clone, Debug)]
pub struct DescribeTransactionsRequest {
    pub transactional_ids: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct DescribeTransactionsResponse {
    pub transactions: Vec<DescribedTransaction>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedTransaction {
    pub error: ErrorCode,
    pub transactional_id: Rc<str>,
    /// `Ongoing`; empty with an error.
    pub state: Rc<str>,
    pub timeout_ms: i32,
    /// When the first partition was added, ms since 1970; -1: no transaction.
    pub start_time: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub partitions: Vec<NamedPartition>,
}
