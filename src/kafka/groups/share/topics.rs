//! Whose share state is initialized, about to be, or about to be deleted. [ShareGroupStatePartitionMetadataValue]

use crate::kafka::groups::records::{Reader, Writer};
use crate::kafka::types::{TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet};

/// Partitions of topics.
pub type TopicPartitions = OrderedMap<TopicId, OrderedSet<i32>>;

/// What a share group knows of the state of its partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareTopics {
    /// Asked for, with the time of the last request (ms since 1970).
    pub initializing: OrderedMap<TopicId, (OrderedSet<i32>, i64)>,
    pub initialized: TopicPartitions,
    pub deleting: OrderedSet<TopicId>,
}

impl ShareTopics {
    /// These are about to be initialized; whatever was to be deleted of their topics is not. [addInitializingTopicsRecords]
    pub fn begin(&self, asked: &TopicPartitions, at_ms: i64) -> ShareTopics {
        let mut next = self.clone();
        for (topic, partitions) in asked {
            let (known, at) = next.initializing.entry(*topic).or_default();
            known.extend(partitions.iter().copied());
            *at = at_ms;
        }
        let initializing = &next.initializing;
        next.deleting.retain(|topic| !initializing.contains_key(topic));
        next
    }

    /// These are initialized. [initializeShareGroupState]
    pub fn done(&self, partitions: &TopicPartitions) -> ShareTopics {
        let mut next = self.undone(partitions);
        for (topic, partitions) in partitions {
            let known = next.initialized.entry(*topic).or_default();
            known.extend(partitions.iter().copied());
        }
        next
    }

    /// These could not be initialized. [uninitializeShareGroupState]
    pub fn undone(&self, partitions: &TopicPartitions) -> ShareTopics {
        let mut next = self.clone();
        for (topic, partitions) in partitions {
            if let Some((left, _)) = next.initializing.get_mut(topic) {
                left.retain(|partition| !partitions.contains(partition));
            }
        }
        next.initializing.retain(|_, (left, _)| !left.is_empty());
        next
    }

    /// Without topics that are gone. [maybeCleanupShareGroupState]
    pub fn without(&self, gone: &OrderedSet<TopicId>) -> ShareTopics {
        let mut next = self.clone();
        next.initializing.retain(|topic, _| !gone.contains(topic));
        next.initialized.retain(|topic, _| !gone.contains(topic));
        next.deleting.retain(|topic| !gone.contains(topic));
        next
    }

    /// Everything that the share coordinator may have something of.
    pub fn all(&self) -> TopicPartitions {
        let mut all = self.initialized.clone();
        for (topic, (partitions, _)) in &self.initializing {
            all.entry(*topic).or_default().extend(partitions.iter().copied());
        }
        all
    }

    pub fn encode(&self, w: &mut Writer) {
        w.number(self.initializing.len() as i64);
        for (topic, (partitions, at)) in &self.initializing {
            encode_topic(w, *topic, partitions);
            w.number(*at);
        }
        w.number(self.initialized.len() as i64);
        for (topic, partitions) in &self.initialized {
            encode_topic(w, *topic, partitions);
        }
        w.number(self.deleting.len() as i64);
        self.deleting.iter().for_each(|topic| w.number(i64::from(topic.0)));
    }

    /// Reads it back; `None`: the bytes are none.
    pub fn decode(r: &mut Reader) -> Option<ShareTopics> {
        let begun = |r: &mut Reader| {
            let (topic, partitions) = decode_topic(r)?;
            Some((topic, (partitions, r.number()?)))
        };
        Some(ShareTopics {
            initializing: (0..r.number()?).map(|_| begun(r)).collect::<Option<_>>()?,
            initialized: (0..r.number()?).map(|_| decode_topic(r)).collect::<Option<_>>()?,
            deleting: (0..r.number()?).map(|_| decode_id(r)).collect::<Option<_>>()?,
        })
    }
}

fn encode_topic(w: &mut Writer, topic: TopicId, partitions: &OrderedSet<i32>) {
    w.number(i64::from(topic.0));
    w.number(partitions.len() as i64);
    partitions.iter().for_each(|partition| w.number(i64::from(*partition)));
}

fn decode_id(r: &mut Reader) -> Option<TopicId> {
    Some(TopicId(u32::try_from(r.number()?).ok()?))
}

fn decode_topic(r: &mut Reader) -> Option<(TopicId, OrderedSet<i32>)> {
    let topic = decode_id(r)?;
    let partitions = (0..r.number()?).map(|_| r.int()).collect::<Option<_>>()?;
    Some((topic, partitions))
}

/// One by one.
pub fn partitions_of(topics: &TopicPartitions) -> Vec<TopicPartition> {
    let of_topic = |(topic, partitions): (&TopicId, &OrderedSet<i32>)| {
        let topic = *topic;
        let each = partitions
            .iter()
            .map(move |partition| TopicPartition::new(topic, *partition));
        each.collect::<Vec<_>>()
    };
    topics.iter().flat_map(of_topic).collect()
}

/// By topic.
pub fn by_topic(partitions: impl Iterator<Item = TopicPartition>) -> TopicPartitions {
    let mut topics = TopicPartitions::new();
    for partition in partitions {
        topics.entry(partition.topic).or_default().insert(partition.partition);
    }
    topics
}
