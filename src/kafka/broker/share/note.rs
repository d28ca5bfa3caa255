//! What leaders and share coordinators report of share groups: each note with the rule that it follows.

use super::rules;
use crate::kafka::note::ShareFate;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::TopicPartition;
use std::rc::Rc;

/// An observation.
#[derive(Clone, Debug, Hash)]
pub enum ShareNote {
    /// A share coordinator took a partition of its topic over.
    StateLoaded {
        partition: i32,
        epoch: i32,
        share_partitions: usize,
    },
    /// A leader begins to hand out records. `reset`: the group has not read here before.
    Loaded {
        group: Rc<str>,
        partition: TopicPartition,
        start: i64,
        in_flight: usize,
        reset: Option<&'static str>,
    },
    Acquired {
        group: Rc<str>,
        member: Rc<str>,
        partition: TopicPartition,
        first: i64,
        last: i64,
        deliveries: u16,
        limit: u16,
        lock_ms: i64,
    },
    Finished {
        group: Rc<str>,
        partition: TopicPartition,
        first: i64,
        last: i64,
        fate: ShareFate,
        limit: u16,
    },
    Released {
        group: Rc<str>,
        member: Rc<str>,
        partition: TopicPartition,
        first: i64,
        last: i64,
    },
    Renewed {
        group: Rc<str>,
        member: Rc<str>,
        partition: TopicPartition,
        first: i64,
        last: i64,
    },
    Refused {
        group: Rc<str>,
        member: Rc<str>,
        partition: TopicPartition,
        error: ErrorCode,
    },
    LockEnded {
        group: Rc<str>,
        partition: TopicPartition,
        first: i64,
        last: i64,
        deliveries: u16,
        lock_ms: i64,
    },
    SessionEnded {
        group: Rc<str>,
        member: Rc<str>,
        /// Its connection broke.
        broken: bool,
    },
    StartMoved {
        group: Rc<str>,
        partition: TopicPartition,
        from: i64,
        to: i64,
    },
    Fenced {
        group: Rc<str>,
        partition: TopicPartition,
    },
    WriteFailed {
        group: Rc<str>,
        partition: TopicPartition,
        error: ErrorCode,
    },
}

/// `offset 3`, or `offsets 3 to 5`.
fn span(first: i64, last: i64) -> String {
    match first == last {
        true => format!("offset {first}"),
        false => format!("offsets {first} to {last}"),
    }
}

impl ShareNote {
    /// The rule behind it.
    pub fn rule(&self) -> &'static Rule {
        match self {
            ShareNote::StateLoaded { .. } => &rules::COORDINATOR,
            ShareNote::Loaded { reset: Some(_), .. } => &rules::START,
            ShareNote::Loaded { .. } => &rules::LOAD,
            ShareNote::Acquired { deliveries, limit, .. } if *deliveries > limit.div_ceil(2).max(2) => &rules::ISOLATE,
            ShareNote::Acquired { .. } => &rules::ACQUIRE,
            ShareNote::Finished {
                fate: ShareFate::DeliveryLimit,
                ..
            } => &rules::LIMIT,
            ShareNote::Finished { .. } | ShareNote::Released { .. } | ShareNote::Renewed { .. } => &rules::ACKNOWLEDGE,
            ShareNote::Refused { .. } => &rules::REFUSED,
            ShareNote::LockEnded { .. } => &rules::LOCK,
            ShareNote::SessionEnded { .. } => &rules::SESSION,
            ShareNote::StartMoved { .. } => &rules::START_MOVES,
            ShareNote::Fenced { .. } => &rules::FENCED,
            ShareNote::WriteFailed { .. } => &rules::WRITE_FAILED,
        }
    }

    /// The partition that it is about.
    pub fn partition(&self) -> Option<TopicPartition> {
        match self {
            ShareNote::StateLoaded { .. } | ShareNote::SessionEnded { .. } => None,
            ShareNote::Loaded { partition, .. }
            | ShareNote::Acquired { partition, .. }
            | ShareNote::Finished { partition, .. }
            | ShareNote::Released { partition, .. }
            | ShareNote::Renewed { partition, .. }
            | ShareNote::Refused { partition, .. }
            | ShareNote::LockEnded { partition, .. }
            | ShareNote::StartMoved { partition, .. }
            | ShareNote::Fenced { partition, .. }
            | ShareNote::WriteFailed { partition, .. } => Some(*partition),
        }
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            ShareNote::StateLoaded { .. } | ShareNote::StartMoved { .. } | ShareNote::Renewed { .. } => Weight::Detail,
            ShareNote::Finished {
                fate: ShareFate::Accepted,
                ..
            } => Weight::Detail,
            ShareNote::Acquired { deliveries: 1, .. } => Weight::Detail,
            ShareNote::Finished {
                fate: ShareFate::DeliveryLimit,
                ..
            }
            | ShareNote::WriteFailed { .. } => Weight::Alarm,
            _ => Weight::Matters,
        }
    }

    /// One sentence for people.
    pub fn text(&self, names: &dyn Names) -> String {
        match self {
            ShareNote::StateLoaded {
                partition,
                epoch,
                share_partitions,
            } => format!(
                "Share coordinator of __share_group_state-{partition} in epoch {epoch}: {share_partitions} share partitions loaded"
            ),
            ShareNote::Loaded {
                group,
                partition,
                start,
                in_flight,
                reset,
            } => {
                let from = reset.map_or(String::new(), |reset| format!(" ({reset})"));
                let (name, s) = (names.partition(*partition), if *in_flight == 1 { "" } else { "s" });
                format!("Share group {group} reads {name} from offset {start}{from}, {in_flight} record{s} in flight")
            }
            ShareNote::Acquired {
                group,
                member,
                partition,
                first,
                last,
                deliveries,
                limit,
                ..
            } => format!(
                "{}: {} acquired by {member} of {group}, delivery {deliveries} of {limit}",
                names.partition(*partition),
                span(*first, *last)
            ),
            ShareNote::Finished {
                group,
                partition,
                first,
                last,
                fate,
                limit,
            } => {
                let what = match fate {
                    ShareFate::Accepted => "accepted".to_string(),
                    ShareFate::Rejected => "rejected and archived".to_string(),
                    ShareFate::DeliveryLimit => format!("archived after {limit} deliveries"),
                    ShareFate::Gap => "archived: no records there".to_string(),
                };
                format!(
                    "{}: {} {what} in {group}",
                    names.partition(*partition),
                    span(*first, *last)
                )
            }
            ShareNote::Released {
                group,
                member,
                partition,
                first,
                last,
            } => format!(
                "{}: {} released by {member}, available to {group} again",
                names.partition(*partition),
                span(*first, *last)
            ),
            ShareNote::Renewed {
                member,
                partition,
                first,
                last,
                ..
            } => format!(
                "{}: {member} renewed its lock on {}",
                names.partition(*partition),
                span(*first, *last)
            ),
            ShareNote::Refused {
                group,
                member,
                partition,
                error,
            } => format!(
                "{}: acknowledgement by {member} of {group} refused: {error}",
                names.partition(*partition)
            ),
            ShareNote::LockEnded {
                group,
                partition,
                first,
                last,
                deliveries,
                lock_ms,
            } => format!(
                "{}: the lock on {} ended after {lock_ms} ms, delivery {deliveries}: available to {group} again",
                names.partition(*partition),
                span(*first, *last)
            ),
            ShareNote::SessionEnded { group, member, broken } => match broken {
                true => format!("The connection of {member} is gone: its share session of {group} ends"),
                false => format!("{member} closes its share session of {group}"),
            },
            ShareNote::StartMoved {
                group,
                partition,
                from,
                to,
            } => format!(
                "{}: share-partition start offset of {group} {from} -> {to}",
                names.partition(*partition)
            ),
            ShareNote::Fenced { group, partition } => {
                format!(
                    "{}: hands out no records to {group} any more",
                    names.partition(*partition)
                )
            }
            ShareNote::WriteFailed {
                group,
                partition,
                error,
            } => format!(
                "{}: share state of {group} not written: {error}",
                names.partition(*partition)
            ),
        }
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        match self {
            ShareNote::Loaded { reset: Some(reset), .. } => vec![("share.auto.offset.reset", (*reset).to_string())],
            ShareNote::Acquired { limit, lock_ms, .. } => vec![
                ("group.share.delivery.count.limit", limit.to_string()),
                ("group.share.record.lock.duration.ms", lock_ms.to_string()),
            ],
            ShareNote::Finished {
                fate: ShareFate::DeliveryLimit,
                limit,
                ..
            } => vec![("group.share.delivery.count.limit", limit.to_string())],
            ShareNote::LockEnded { lock_ms, .. } => {
                vec![("group.share.record.lock.duration.ms", lock_ms.to_string())]
            }
            _ => Vec::new(),
        }
    }
}
