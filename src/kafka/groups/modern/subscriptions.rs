//! What the members of a group subscribe to, all together. [ModernGroup.subscribedTopicNames, SubscriptionCount]

use super::member::ModernMember;
use super::records::Resolved;
use crate::kafka::groups::effects::Host;
use crate::kafka::types::TopicId;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::hash::StableHasher;
use std::hash::Hasher;
use std::rc::Rc;

/// Topics and patterns, with how many subscribe to each.
#[derive(Clone, Debug, Default)]
pub(in crate::kafka::groups) struct Subscriptions {
    /// By how many names, and by how many patterns.
    topics: OrderedMap<Rc<str>, (usize, usize)>,
    regexes: OrderedMap<Rc<str>, usize>,
    members: usize,
}

impl Subscriptions {
    pub fn of<'a>(
        members: impl Iterator<Item = &'a ModernMember>,
        resolved: &OrderedMap<Rc<str>, Rc<Resolved>>,
    ) -> Subscriptions {
        let mut all = Subscriptions::default();
        for member in members {
            all.members += 1;
            for topic in member.details.topics.iter() {
                all.topics.entry(topic.clone()).or_default().0 += 1;
            }
            if let Some(regex) = &member.details.regex {
                *all.regexes.entry(regex.clone()).or_default() += 1;
            }
        }
        for (regex, resolved) in resolved {
            if all.regexes.contains_key(regex) {
                for topic in resolved.topics.iter() {
                    all.topics.entry(topic.clone()).or_default().1 += 1;
                }
            }
        }
        all
    }

    /// How many members subscribe by this pattern.
    pub fn with_regex(&self, regex: &str) -> usize {
        self.regexes.get(regex).copied().unwrap_or(0)
    }

    pub fn regexes(&self) -> impl ExactSizeIterator<Item = &Rc<str>> {
        self.regexes.keys()
    }

    /// All topics, by their names.
    pub fn topics(&self) -> impl Iterator<Item = &Rc<str>> {
        self.topics.keys()
    }

    /// Do all members subscribe to the same? [ConsumerGroup.subscriptionType]
    pub fn homogeneous(&self) -> bool {
        match self.regexes.values().next() {
            None => self.topics.values().all(|(by_name, _)| *by_name == self.members),
            Some(count) => {
                *count == self.members
                    && self
                        .topics
                        .values()
                        .all(|(by_name, by_regex)| (*by_name, *by_regex) == (0, 1))
            }
        }
    }

    /// Another number as soon as one of the topics that exist changes; 0 if none does. [ModernGroup.computeMetadataHash]
    pub fn metadata_hash(&self, host: &dyn Host) -> u64 {
        let mut hasher = StableHasher::default();
        let mut any = false;
        for hash in self.topics.keys().filter_map(|topic| host.topic_hash(topic)) {
            any = true;
            hasher.write_u64(hash);
        }
        if any { hasher.finish() } else { 0 }
    }
}

/// The topics that one member subscribes to and that exist. [TopicIds, CurrentAssignmentBuilder.subscribedTopicIds]
pub(in crate::kafka::groups) fn topic_ids(
    member: &ModernMember,
    resolved: &OrderedMap<Rc<str>, Rc<Resolved>>,
    host: &dyn Host,
) -> OrderedSet<TopicId> {
    let by_regex = member.details.regex.as_ref().and_then(|regex| resolved.get(regex));
    let by_regex = by_regex.iter().flat_map(|resolved| resolved.topics.iter());
    let names = member.details.topics.iter().chain(by_regex);
    names.filter_map(|topic| Some(host.topic(topic)?.0)).collect()
}
