//! Facts as lines for people: text, weight and rule of what processes report for the ledger.

use crate::kafka::note::Fact;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::TopicPartition;
use crate::lab::apply::exception;
use crate::lab::world::World;

/// The rules behind facts.
pub mod rules {
    use super::Rule;

    pub const APPEND: Rule = Rule {
        name: "log/append",
        about: "A leader gives the records of a batch their offsets and stamps the batch with its epoch; a follower \
                appends what its leader has, as it is.",
        source: "UnifiedLog.appendAsLeader, UnifiedLog.appendAsFollower",
    };
    pub const COMMITTED: Rule = Rule {
        name: "replica/committed",
        about: "The leader's high watermark is the lowest log end of the in-sync replicas; what is below it is committed.",
        source: "Partition.maybeIncrementLeaderHW",
    };
    pub const FOLLOWER_HIGH_WATERMARK: Rule = Rule {
        name: "replica/follower-high-watermark",
        about: "A follower learns the high watermark with its next fetch, so it is behind by one round.",
        source: "ReplicaFetcherThread.processPartitionData",
    };
    pub const ACKNOWLEDGED: Rule = Rule {
        name: "producer/acknowledged",
        about: "acks=1 answers when the leader has appended, acks=all when the high watermark has passed the records, \
                acks=0 never.",
        source: "ReplicaManager.appendRecords, Sender.handleProduceResponse",
    };
    pub const FAILED: Rule = Rule {
        name: "producer/failed",
        about: "A batch fails after delivery.timeout.ms or an error that no retry can help; its records may be in a log all \
                the same.",
        source: "Sender.failBatch",
    };
    pub const DELIVERED: Rule = Rule {
        name: "consumer/delivered",
        about: "poll() hands out records below the high watermark (read_committed: below the last stable offset) from \
                the position on.",
        source: "FetchCollector.collectFetch",
    };
    pub const OFFSET_COMMITTED: Rule = Rule {
        name: "group/offset-committed",
        about: "An offset is committed when the record in __consumer_offsets is.",
        source: "OffsetMetadataManager.commitOffset",
    };
    pub const LOST: Rule = Rule {
        name: "ledger/lost",
        about: "A record that its producer was told is written, and that the log of the newest leader does not have, is lost.",
        source: "Brokerlab's ledger",
    };
    pub const MESSAGE_LOST: Rule = Rule {
        name: "ledger/message-lost",
        about: "A message that left its publisher, is in no queue and in nobody's hands, and whose work nobody has done, is \
                lost.",
        source: "Brokerlab's ledger",
    };
    pub const COMMITTED_LOST: Rule = Rule {
        name: "ledger/committed-lost",
        about: "A new leader's log is short of a record that an earlier leader had below its high watermark.",
        source: "Brokerlab's ledger",
    };
    pub const DUPLICATED: Rule = Rule {
        name: "ledger/duplicated",
        about: "A record that stands twice in a log is duplicated: its producer sent it again, and nobody noticed.",
        source: "Brokerlab's ledger",
    };
    pub const DELIVERED_TWICE: Rule = Rule {
        name: "ledger/delivered-twice",
        about: "A group whose committed offset lies below what it was given is given that again; the record itself may \
                stand in the log once.",
        source: "Brokerlab's ledger",
    };
    pub const REORDERED: Rule = Rule {
        name: "ledger/reordered",
        about: "A record that is appended behind one that its producer sent later is reordered.",
        source: "Brokerlab's ledger",
    };
}

/// How loud a fact is; `None`: a note of its room tells it better.
pub fn weight(fact: &Fact) -> Option<Weight> {
    match fact {
        Fact::Truncated { .. } | Fact::Loaded { .. } | Fact::Leads { .. } | Fact::Returned { result: Ok(_), .. } => {
            None
        }
        Fact::ShareFinished { .. } => None,
        Fact::Accepted { .. } => Some(Weight::Idle),
        Fact::Failed { .. } | Fact::Returned { result: Err(_), .. } => Some(Weight::Matters),
        Fact::Appended { .. }
        | Fact::Removed { .. }
        | Fact::HighWatermark { .. }
        | Fact::Resigned { .. }
        | Fact::StartMoved { .. }
        | Fact::Acknowledged { .. }
        | Fact::Delivered { .. }
        | Fact::Committed { .. } => Some(Weight::Detail),
    }
}

/// The rule behind a fact.
pub fn rule(fact: &Fact) -> Option<&'static Rule> {
    match fact {
        Fact::Appended { .. } => Some(&rules::APPEND),
        Fact::HighWatermark { leader: true, .. } => Some(&rules::COMMITTED),
        Fact::HighWatermark { .. } => Some(&rules::FOLLOWER_HIGH_WATERMARK),
        Fact::Acknowledged { .. } => Some(&rules::ACKNOWLEDGED),
        Fact::Failed { .. } => Some(&rules::FAILED),
        Fact::Delivered { .. } => Some(&rules::DELIVERED),
        Fact::Committed { .. } => Some(&rules::OFFSET_COMMITTED),
        _ => None,
    }
}

/// The partition that a fact of a broker is about.
pub fn partition(fact: &Fact) -> Option<TopicPartition> {
    match fact {
        Fact::Appended { partition, .. }
        | Fact::Truncated { partition, .. }
        | Fact::Loaded { partition, .. }
        | Fact::Removed { partition }
        | Fact::HighWatermark { partition, .. }
        | Fact::Leads { partition, .. }
        | Fact::Resigned { partition, .. }
        | Fact::ShareFinished { partition, .. }
        | Fact::StartMoved { partition, .. } => Some(*partition),
        _ => None,
    }
}

/// A record as people say it: its value if it is short, else its number.
pub fn record_text(world: &World, origin: u32) -> String {
    const SHORT: usize = 40;
    let value = world.ledger.get(origin).and_then(|entry| entry.handed.value.clone());
    match value {
        Some(value) if value.chars().count() <= SHORT => format!("\"{value}\""),
        _ => format!("record {origin}"),
    }
}

/// One line.
pub fn text(world: &World, fact: &Fact) -> String {
    match fact {
        Fact::Appended {
            partition,
            leader,
            batch,
        } => {
            let (first, last) = (batch.0.base_offset, batch.0.last_offset);
            let offsets = match first == last {
                true => format!("offset {first}"),
                false => format!("offsets {first} to {last}"),
            };
            let verb = if *leader { "appended" } else { "copied" };
            format!("{}: {verb} {offsets}", world.partition(*partition))
        }
        Fact::Removed { partition } => format!("{}: log removed", world.partition(*partition)),
        Fact::HighWatermark {
            partition, from, to, ..
        } => format!("{}: high watermark {from} -> {to}", world.partition(*partition)),
        Fact::Resigned { partition, epoch } => {
            format!("{}: leads no longer (epoch {epoch})", world.partition(*partition))
        }
        Fact::StartMoved { partition, to } => format!("{}: log start is {to}", world.partition(*partition)),
        Fact::Accepted { origin, partition } => {
            format!("{} waits in the buffer for {partition}", record_text(world, *origin))
        }
        Fact::Acknowledged {
            origin,
            partition,
            offset: ..=-1,
        } => format!(
            "{} sent to {partition}, no answer asked for",
            record_text(world, *origin)
        ),
        Fact::Acknowledged {
            origin,
            partition,
            offset,
        } => format!(
            "{} acknowledged at {partition} offset {offset}",
            record_text(world, *origin)
        ),
        Fact::Failed { origin, error } => format!("{} failed: {error}", record_text(world, *origin)),
        Fact::Delivered {
            origin,
            partition,
            offset,
            ..
        } => match origin {
            0 => format!("given {partition} offset {offset}"),
            origin => format!("given {} from {partition} offset {offset}", record_text(world, *origin)),
        },
        Fact::Committed {
            group,
            partition,
            offset,
        } => format!("group {group}: committed {partition} at {offset}"),
        Fact::Returned { result: Err(error), .. } => exception(error.clone()),
        Fact::ShareFinished { .. }
        | Fact::Truncated { .. }
        | Fact::Loaded { .. }
        | Fact::Leads { .. }
        | Fact::Returned { .. } => String::new(),
    }
}
