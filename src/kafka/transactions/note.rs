//! What coordinators and leaders report about transactions: each note with the rule that it follows.

use super::metadata::TxnState;
use super::rules;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use std::rc::Rc;

/// An observation about a transaction.
#[derive(Clone, Debug, Hash)]
pub enum TxnNote {
    Loaded {
        partition: i32,
        epoch: i32,
        ids: usize,
    },
    Unloaded {
        partition: i32,
        ids: usize,
    },
    /// The log has it: the id is in this state.
    Became {
        id: Rc<str>,
        from: TxnState,
        to: TxnState,
        producer_id: i64,
        epoch: i16,
        partitions: usize,
        timeout_ms: i32,
    },
    Fenced {
        id: Rc<str>,
        epoch: i16,
    },
    TimedOut {
        id: Rc<str>,
        timeout_ms: i32,
    },
    Expired {
        id: Rc<str>,
        after_ms: i64,
    },
    Refused {
        id: Rc<str>,
        request: &'static str,
        error: ErrorCode,
    },
    AppendFailed {
        id: Rc<str>,
        error: ErrorCode,
    },
    MarkersSent {
        to: NodeId,
        partitions: usize,
    },
    MarkerRefused {
        id: Rc<str>,
        partition: NamedPartition,
        error: ErrorCode,
    },
    /// A leader: its coordinator is asked before the first write.
    Verifying {
        id: Rc<str>,
        partition: TopicPartition,
        coordinator: NodeId,
    },
    NotVerified {
        id: Rc<str>,
        partition: TopicPartition,
        error: ErrorCode,
    },
    MarkerWritten {
        partition: TopicPartition,
        producer_id: i64,
        epoch: i16,
        commit: bool,
        offset: i64,
    },
}

impl TxnNote {
    /// The rule that made it.
    pub fn rule(&self) -> Option<&'static Rule> {
        Some(match self {
            TxnNote::Loaded { .. } | TxnNote::Unloaded { .. } => &rules::LOAD,
            TxnNote::Became { to, .. } => match to {
                TxnState::Empty => &rules::INIT,
                TxnState::Ongoing => &rules::ADD,
                TxnState::PrepareCommit | TxnState::PrepareAbort => &rules::DECIDE,
                _ => &rules::MARKERS,
            },
            TxnNote::Fenced { .. } => &rules::FENCE,
            TxnNote::TimedOut { .. } => &rules::TIMEOUT,
            TxnNote::Expired { .. } => &rules::EXPIRE,
            TxnNote::Refused { .. } => &rules::STATE_REFUSED,
            TxnNote::AppendFailed { .. } => &rules::DECIDE,
            TxnNote::MarkersSent { .. } | TxnNote::MarkerRefused { .. } => &rules::MARKERS,
            TxnNote::Verifying { .. } | TxnNote::NotVerified { .. } => &rules::VERIFY,
            TxnNote::MarkerWritten { .. } => &rules::MARKER_WRITTEN,
        })
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            TxnNote::Loaded { ids: 0, .. } | TxnNote::Unloaded { ids: 0, .. } => Weight::Idle,
            TxnNote::TimedOut { .. } | TxnNote::Fenced { .. } => Weight::Alarm,
            TxnNote::Became { .. } | TxnNote::NotVerified { .. } | TxnNote::MarkerWritten { .. } => Weight::Matters,
            TxnNote::Refused { error, .. } if *error == ErrorCode::ConcurrentTransactions => Weight::Detail,
            TxnNote::Refused { .. } => Weight::Matters,
            _ => Weight::Detail,
        }
    }

    /// One sentence.
    pub fn text(&self, names: &dyn Names) -> String {
        match self {
            TxnNote::Loaded { partition, epoch, ids } => {
                format!("coordinates __transaction_state-{partition} in epoch {epoch}: {ids} transactional ids")
            }
            TxnNote::Unloaded { partition, .. } => format!("no longer coordinates __transaction_state-{partition}"),
            TxnNote::Became {
                id,
                from,
                to,
                producer_id,
                epoch,
                partitions,
                ..
            } => format!(
                "{id}: {} -> {}, producer {producer_id} epoch {epoch}, {partitions} partitions",
                from.name(),
                to.name()
            ),
            TxnNote::Fenced { id, epoch } => format!("{id}: its open transaction is aborted with epoch {epoch}"),
            TxnNote::TimedOut { id, timeout_ms } => format!("{id}: its transaction is open for over {timeout_ms} ms"),
            TxnNote::Expired { id, .. } => format!("{id} is forgotten"),
            TxnNote::Refused { id, request, error } => format!("{request} of {id}: {}", error.name()),
            TxnNote::AppendFailed { id, error } => format!("{id}: not written: {}", error.name()),
            TxnNote::MarkersSent { to, partitions } => {
                format!("markers for {partitions} partitions sent to {}", names.node(*to))
            }
            TxnNote::MarkerRefused { id, partition, error } => {
                format!("marker of {id} not written to {partition}: {}", error.name())
            }
            TxnNote::Verifying {
                id,
                partition,
                coordinator,
            } => format!(
                "asks {} about {id} before its first write to {}",
                names.node(*coordinator),
                names.partition(*partition)
            ),
            TxnNote::NotVerified { id, partition, error } => {
                let partition = names.partition(*partition);
                format!("no go-ahead for {id} on {partition}: {}", error.name())
            }
            TxnNote::MarkerWritten {
                partition,
                producer_id,
                epoch,
                commit,
                offset,
            } => {
                let what = if *commit { "commit" } else { "abort" };
                let partition = names.partition(*partition);
                format!("{what} marker of producer {producer_id} epoch {epoch} at {partition} offset {offset}")
            }
        }
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        match self {
            TxnNote::TimedOut { timeout_ms, .. } => vec![("transaction.timeout.ms", timeout_ms.to_string())],
            TxnNote::Expired { after_ms, .. } => vec![("transactional.id.expiration.ms", after_ms.to_string())],
            _ => Vec::new(),
        }
    }

    /// The partition that it is about.
    pub fn partition(&self) -> Option<TopicPartition> {
        match self {
            TxnNote::Verifying { partition, .. }
            | TxnNote::NotVerified { partition, .. }
            | TxnNote::MarkerWritten { partition, .. } => Some(*partition),
            _ => None,
        }
    }
}
