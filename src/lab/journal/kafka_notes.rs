//! Kafka's notes in the log's words.

use super::facts;
use crate::kafka::broker::note::BrokerNote;
use crate::kafka::broker::share::note::ShareNote;
use crate::kafka::controller::note::{ControllerNote, How};
use crate::kafka::groups::note::GroupNote;
use crate::kafka::note::Note;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::TopicPartition;
use crate::lab::view::{MarkKind, Weight as Loudness};
use crate::lab::world::World;

/// How loud a note is; `None`: it is no line of the log.
pub fn weight(note: &Note) -> Option<Weight> {
    Some(match note {
        Note::Fact(fact) => facts::weight(fact)?,
        Note::Broker(note) => note.weight(),
        Note::Controller(note) => note.weight(),
        Note::Group(note) => note.weight(),
        Note::Txn(note) => note.weight(),
        Note::Share(note) => note.weight(),
        Note::Client(note) => note.weight(),
    })
}

/// Kafka's own topic has fifty partitions that all move at once: who leads and copies them is ordinary traffic, unless
/// one of them holds a group.
pub fn calmed(world: &World, note: &Note, weight: Loudness) -> Loudness {
    let own = match note {
        Note::Broker(note) => note.partition().is_some_and(|p| is_own(world, p)),
        Note::Controller(
            ControllerNote::LeaderElected { partition, .. }
            | ControllerNote::PartitionOffline { partition, .. }
            | ControllerNote::PartitionCreated { partition, .. }
            | ControllerNote::IsrChanged { partition, .. }
            | ControllerNote::ElrChanged { partition, .. },
        ) => is_own(world, *partition),
        Note::Group(GroupNote::Loaded { groups, .. } | GroupNote::Unloaded { groups, .. }) => *groups == 0,
        Note::Share(ShareNote::StateLoaded { share_partitions, .. }) => *share_partitions == 0,
        _ => false,
    };
    if own && weight == Loudness::Matters {
        Loudness::Detail
    } else {
        weight
    }
}

/// Whether a partition is of a topic that Kafka keeps for itself.
fn is_own(world: &World, partition: TopicPartition) -> bool {
    world.partition(partition).starts_with("__")
}

/// The rule that a note follows.
pub fn rule(note: &Note) -> Option<&'static Rule> {
    match note {
        Note::Fact(fact) => facts::rule(fact),
        Note::Broker(note) => note.rule(),
        Note::Controller(note) => note.rule(),
        Note::Group(note) => note.rule(),
        Note::Txn(note) => note.rule(),
        Note::Share(note) => Some(note.rule()),
        Note::Client(note) => note.rule(),
    }
}

/// One sentence.
pub fn text(world: &World, note: &Note) -> String {
    match note {
        Note::Fact(fact) => facts::text(world, fact),
        Note::Broker(note) => note.text(world),
        Note::Controller(note) => note.text(world),
        Note::Group(note) => note.text(world),
        Note::Txn(note) => note.text(world),
        Note::Share(note) => note.text(world),
        Note::Client(note) => note.text(world),
    }
}

/// The settings that decided it.
pub fn config(note: &Note) -> Vec<(&'static str, String)> {
    match note {
        Note::Fact(_) => Vec::new(),
        Note::Broker(note) => note.config(),
        Note::Controller(note) => note.config(),
        Note::Group(note) => note.config(),
        Note::Txn(note) => note.config(),
        Note::Share(note) => note.config(),
        Note::Client(note) => note.config(),
    }
}

/// What a note is to the timeline.
pub fn mark(note: &Note) -> Option<MarkKind> {
    match note {
        Note::Controller(ControllerNote::LeaderElected { how, .. }) if *how != How::SameLeader => {
            Some(MarkKind::Election)
        }
        Note::Controller(ControllerNote::PartitionOffline { .. }) => Some(MarkKind::Election),
        Note::Group(GroupNote::GenerationBegan { .. }) => Some(MarkKind::Group),
        Note::Broker(BrokerNote::StorageFailed) => Some(MarkKind::Fault),
        _ => None,
    }
}
