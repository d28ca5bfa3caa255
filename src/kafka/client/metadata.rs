//! What a client knows of the cluster: nodes, topics with their ids, leaders with their epochs, and when to ask again.
//! [Metadata, MetadataSnapshot, ProducerMetadata, ConsumerMetadata]

use super::backoff::Backoff;
use super::log::{LogLine, loggers};
pub use super::snapshot::{KnownTopic, Snapshot};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::{BrokerNode, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopic};
use crate::kafka::types::{NO_LEADER, NodeId, TopicId};
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{Random, Span, Time};
use std::rc::Rc;

/// Which topics a client asks for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// None: only the nodes (admin clients).
    Nodes,
    /// These (consumers).
    Listed {
        topics: OrderedSet<Rc<str>>,
        auto_create: bool,
    },
    /// All there are (consumers with a pattern).
    All { auto_create: bool },
    /// Those a producer used lately; `new` ones were not in an answer yet.
    Used {
        /// Topic and when it is forgotten.
        topics: OrderedMap<Rc<str>, Time>,
        new: OrderedSet<Rc<str>>,
        /// `metadata.max.idle.ms`.
        idle: Span,
    },
}

/// A request that was sent for the client itself.
#[derive(Clone, Debug)]
pub struct Asked {
    pub request: MetadataRequest,
    /// Only new topics are asked for.
    pub partial: bool,
    version: u32,
}

/// A client's metadata.
#[derive(Clone, Debug)]
pub struct Metadata {
    backoff: Backoff,
    /// `metadata.max.age.ms`
    max_age: Span,
    wanted: Wanted,
    bootstrap: Rc<[(Rc<str>, u16)]>,
    snapshot: Rc<Snapshot>,
    /// Topic and partition to the newest leader epoch heard of anywhere.
    last_seen: Rc<OrderedMap<Rc<str>, OrderedMap<i32, i32>>>,
    /// Errors of single topics in the last answer.
    errors: OrderedMap<Rc<str>, ErrorCode>,
    full_requested: bool,
    partial_requested: bool,
    request_version: u32,
    update_version: u32,
    /// Grows with every change of what is known.
    changes: u32,
    /// A topic id that is learnt for the first time resets the epoch, as 2.8 had it.
    pub(super) resets_first_epoch: bool,
    last_success: Option<Time>,
    attempts: u32,
    /// Answers in a row that brought nothing newer.
    equivalent: u32,
    /// No request before this, because of failures and answers so far.
    attempt_after: Time,
    /// No forced request before this, because they brought nothing newer.
    progress_after: Time,
}

impl Metadata {
    /// Metadata that know only the bootstrap addresses.
    pub fn new(wanted: Wanted, bootstrap: Rc<[(Rc<str>, u16)]>, backoff: Backoff, max_age: Span) -> Metadata {
        let mut metadata = Metadata {
            backoff,
            max_age,
            wanted,
            bootstrap,
            snapshot: Rc::default(),
            last_seen: Rc::default(),
            errors: OrderedMap::new(),
            full_requested: true,
            partial_requested: false,
            request_version: 0,
            update_version: 0,
            changes: 0,
            resets_first_epoch: false,
            last_success: None,
            attempts: 0,
            equivalent: 0,
            attempt_after: Time::ZERO,
            progress_after: Time::ZERO,
        };
        metadata.rebootstrap();
        metadata
    }

    /// Forgets everything but the bootstrap addresses; the epochs seen stay. [Metadata.rebootstrap]
    pub fn rebootstrap(&mut self) {
        self.snapshot = Rc::new(Snapshot {
            controller: NO_LEADER,
            nodes: self.bootstrap_nodes().collect(),
            bootstrap: true,
            ..Snapshot::default()
        });
        self.full_requested = true;
        self.update_version += 1;
        self.changes += 1;
    }

    /// The nodes that stand for the addresses it began with.
    pub fn bootstrap_nodes(&self) -> impl Iterator<Item = BrokerNode> {
        self.bootstrap.iter().zip(1..).map(|((host, port), n)| BrokerNode {
            id: -n,
            host: host.clone(),
            port: *port,
            rack: None,
        })
    }

    /// Are these an admin client's, which keeps nothing but the nodes?
    pub fn is_for_admin(&self) -> bool {
        matches!(self.wanted, Wanted::Nodes)
    }

    /// The addresses it began with.
    pub fn bootstrap_addresses(&self) -> &[(Rc<str>, u16)] {
        &self.bootstrap
    }

    /// What is known now.
    pub fn snapshot(&self) -> &Rc<Snapshot> {
        &self.snapshot
    }

    /// Known nodes.
    pub fn nodes(&self) -> &[BrokerNode] {
        &self.snapshot.nodes
    }

    /// A known node.
    pub fn node(&self, id: NodeId) -> Option<&BrokerNode> {
        self.snapshot.node(id)
    }

    /// A known topic.
    pub fn topic(&self, name: &str) -> Option<&KnownTopic> {
        self.snapshot.topics.get(name)
    }

    /// The name of a topic by its id.
    pub fn name_of(&self, id: TopicId) -> Option<&Rc<str>> {
        self.snapshot.names.get(&id)
    }

    /// A topic's id.
    pub fn id_of(&self, name: &str) -> Option<TopicId> {
        self.topic(name)?.id
    }

    /// How many partitions are known of a topic.
    pub fn partition_count(&self, name: &str) -> Option<i32> {
        self.topic(name).map(|topic| topic.partitions.len() as i32)
    }

    /// The leader of a partition if its node is known, whatever epoch was seen elsewhere. [Cluster.leaderFor]
    pub fn leader_of(&self, topic: &str, partition: i32) -> Option<&BrokerNode> {
        self.node(self.topic(topic)?.partition(partition)?.leader)
    }

    /// Leader and epoch of a partition, the leader only if no newer epoch was seen elsewhere. [Metadata.currentLeader]
    pub fn current_leader(&self, topic: &str, partition: i32) -> (Option<&BrokerNode>, Option<i32>) {
        let seen = self.last_seen_epoch(topic, partition);
        let known = self.topic(topic).and_then(|t| t.partition(partition));
        match known {
            Some(known) if seen.is_none_or(|epoch| epoch == known.leader_epoch) => {
                let epoch = (known.leader_epoch >= 0).then_some(known.leader_epoch);
                (self.node(known.leader), epoch)
            }
            _ => (None, seen),
        }
    }

    /// The newest leader epoch heard of.
    pub fn last_seen_epoch(&self, topic: &str, partition: i32) -> Option<i32> {
        self.last_seen.get(topic)?.get(&partition).copied()
    }

    /// The error of a topic in the last answer. [ProducerMetadata.getError]
    pub fn error_of(&self, topic: &str) -> Option<ErrorCode> {
        self.errors.get(topic).copied()
    }

    /// Grows with every answer and new beginning.
    pub fn update_version(&self) -> u32 {
        self.update_version
    }

    /// Grows whenever anything known changes, by single leaders too.
    pub fn changes(&self) -> u32 {
        self.changes
    }

    /// When the last full answer came.
    pub fn last_success(&self) -> Option<Time> {
        self.last_success
    }

    /// Which topics are asked for.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Asks for other topics from now on; with `at_once` a request goes out for it. [ConsumerMetadata]
    pub fn want(&mut self, wanted: Wanted, at_once: bool) {
        self.wanted = wanted;
        if at_once {
            self.request_for_new_topics();
        }
    }

    /// A producer uses a topic: it is asked for at once if it is new. [ProducerMetadata.add]
    pub fn used(&mut self, topic: &Rc<str>, now: Time) {
        let Wanted::Used { topics, new, idle } = &mut self.wanted else {
            return;
        };
        if let Some(until) = topics.get_mut(topic) {
            *until = now + *idle;
            return;
        }
        topics.insert(topic.clone(), now + *idle);
        new.insert(topic.clone());
        self.request_for_new_topics();
    }

    /// A producer misses a topic or partition. [ProducerMetadata.requestUpdateForTopic]
    pub fn request_for(&mut self, topic: &str) {
        match &self.wanted {
            Wanted::Used { new, .. } if new.contains(topic) => self.request_for_new_topics(),
            _ => self.request_update(),
        }
    }

    /// Forces a refresh. [Metadata.requestUpdate(false)]
    pub fn request_update(&mut self) {
        self.full_requested = true;
    }

    /// Forces a refresh without waiting because earlier ones brought nothing. [Metadata.requestUpdate(true)]
    pub fn request_update_afresh(&mut self) {
        self.full_requested = true;
        self.made_progress();
    }

    /// Asks at once, whatever the back-off. [Metadata.requestUpdateForNewTopics]
    fn request_for_new_topics(&mut self) {
        self.attempt_after = Time::ZERO;
        self.partial_requested = true;
        self.made_progress();
        self.request_version += 1;
    }

    fn made_progress(&mut self) {
        self.equivalent = 0;
        self.progress_after = Time::ZERO;
    }

    /// Is a refresh forced?
    pub fn update_requested(&self) -> bool {
        self.full_requested || self.partial_requested
    }

    /// When the next request is due: past or now means at once. [Metadata.timeToNextUpdate]
    pub fn next_update(&self) -> Time {
        let expiry = self.last_success.map_or(Time::ZERO, |at| at + self.max_age);
        let wanted = if self.update_requested() { Time::ZERO } else { expiry };
        // A periodic refresh is not held back because earlier ones brought nothing new.
        let progress = self.progress_after.min(expiry);
        wanted.max(self.attempt_after).max(progress)
    }

    /// What to ask for now. [Metadata.newMetadataRequestAndVersion]
    pub fn ask(&self, now: Time) -> Asked {
        let fresh = self.last_success.is_some_and(|at| at + self.max_age > now);
        let asked = |topics, allow_auto_topic_creation, partial| Asked {
            request: MetadataRequest {
                topics,
                allow_auto_topic_creation,
            },
            partial,
            version: self.request_version,
        };
        match &self.wanted {
            Wanted::Nodes => asked(Some(Vec::new()), false, false),
            Wanted::Listed { topics, auto_create } => {
                asked(Some(topics.iter().cloned().collect()), *auto_create, false)
            }
            Wanted::All { auto_create } => asked(None, *auto_create, false),
            Wanted::Used { new, .. } if !self.full_requested && fresh => {
                asked(Some(new.iter().cloned().collect()), true, true)
            }
            Wanted::Used { topics, .. } => asked(Some(topics.keys().cloned().collect()), true, false),
        }
    }

    /// A request failed. [Metadata.failedUpdate]
    pub fn failed(&mut self, now: Time, random: &mut Random) {
        self.made_progress();
        self.attempt_after = now + self.backoff.span(self.attempts, random);
        self.attempts += 1;
    }

    /// Takes an answer over. Returns what the client logs about it. [Metadata.update]
    pub fn update(&mut self, asked: &Asked, answer: &MetadataResponse, now: Time, random: &mut Random) -> Vec<LogLine> {
        let mut lines = Vec::new();
        self.partial_requested = asked.version < self.request_version;
        self.attempts = 0;
        self.attempt_after = now + self.backoff.span(0, random);
        self.update_version += 1;
        self.changes += 1;
        if !asked.partial {
            self.full_requested = false;
            self.last_success = Some(now);
        }
        self.equivalent += 1;
        self.progress_after = now + self.backoff.span(self.equivalent - 1, random);
        self.errors = errors_of(answer);
        let before = self.snapshot.cluster_id.clone();
        self.merge(asked.partial, answer, now, &mut lines);
        if let Wanted::Used { new, .. } = &mut self.wanted {
            answer.topics.iter().for_each(|topic| {
                new.remove(&topic.name);
            });
        }
        if before.as_ref() != Some(&answer.cluster_id) && !self.is_for_admin() {
            lines.push(loggers::METADATA.info(format!("Cluster ID: {}", answer.cluster_id)));
        }
        lines
    }

    /// [Metadata.handleMetadataResponse]
    fn merge(&mut self, partial: bool, answer: &MetadataResponse, now: Time, lines: &mut Vec<LogLine>) {
        let old = self.snapshot.clone();
        let mut next = Snapshot {
            cluster_id: Some(answer.cluster_id.clone()),
            controller: answer.controller_id,
            nodes: answer.brokers.clone(),
            ..Snapshot::default()
        };
        if partial {
            let kept = |name: &Rc<str>| !answer.topics.iter().any(|topic| topic.name == *name);
            for (name, topic) in old.topics.iter().filter(|(name, _)| kept(name)) {
                if self.retain(name, now) {
                    next.topics.insert(name.clone(), topic.clone());
                }
            }
        }
        let mut invalid = Vec::new();
        for topic in &answer.topics {
            if !self.retain(&topic.name, now) {
                continue;
            }
            match topic.error {
                ErrorCode::None => {
                    let known = self.take_topic(topic, old.topics.get(&topic.name), lines);
                    next.topics.insert(topic.name.clone(), known);
                }
                error => {
                    self.full_requested |= error.invalid_metadata();
                    if error == ErrorCode::InvalidTopicException {
                        invalid.push(topic.name.to_string());
                    }
                }
            }
        }
        if !invalid.is_empty() {
            let text = format!("Metadata response reported invalid topics [{}]", invalid.join(", "));
            lines.push(loggers::METADATA.error(text));
        }
        let ids = next
            .topics
            .iter()
            .filter_map(|(name, topic)| Some((topic.id?, name.clone())));
        next.names = ids.collect();
        self.snapshot = Rc::new(next);
        self.forget_epochs(now);
    }

    fn take_topic(&mut self, topic: &MetadataTopic, old: Option<&KnownTopic>, lines: &mut Vec<LogLine>) -> KnownTopic {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            if let Some(taken) = self.take_partition(topic, partition, old, lines) {
                partitions.push(taken);
            }
            self.full_requested |= partition.error.invalid_metadata();
        }
        partitions.sort_small_by_key(|p| p.partition);
        KnownTopic {
            id: topic.id,
            internal: topic.internal,
            partitions,
        }
    }

    /// Older leader epochs than seen leave what was known. [Metadata.updateLatestMetadata]
    fn take_partition(
        &mut self,
        topic: &MetadataTopic,
        partition: &MetadataPartition,
        old: Option<&KnownTopic>,
        lines: &mut Vec<LogLine>,
    ) -> Option<MetadataPartition> {
        let seen = self.last_seen_epoch(&topic.name, partition.partition);
        let old_id = old.and_then(|known| known.id);
        let epoch = partition.leader_epoch;
        if epoch < 0 {
            if let Some(partitions) = Rc::make_mut(&mut self.last_seen).get_mut(&topic.name) {
                partitions.remove(&partition.partition);
            }
            self.made_progress();
            return Some(partition.clone());
        }
        match seen {
            None => {
                if self.resets_first_epoch {
                    lines.push(loggers::METADATA.info(reset_text(topic, partition, old_id)));
                }
                self.made_progress();
            }
            Some(_) if topic.id.is_some() && topic.id != old_id => {
                lines.push(loggers::METADATA.info(reset_text(topic, partition, old_id)));
                self.made_progress();
            }
            Some(seen) if epoch > seen => self.made_progress(),
            Some(seen) if epoch == seen => return Some(partition.clone()),
            Some(_) => return old?.partition(partition.partition).cloned(),
        }
        self.see_epoch(&topic.name, partition.partition, epoch);
        Some(partition.clone())
    }

    fn see_epoch(&mut self, topic: &Rc<str>, partition: i32, epoch: i32) {
        let seen = Rc::make_mut(&mut self.last_seen);
        seen.entry(topic.clone()).or_default().insert(partition, epoch);
    }

    fn forget_epochs(&mut self, now: Time) {
        if self.last_seen.keys().all(|topic| self.retains(topic, now)) {
            return;
        }
        let mut seen = std::mem::take(&mut self.last_seen);
        Rc::make_mut(&mut seen).retain(|topic, _| self.retains(topic, now));
        self.last_seen = seen;
    }

    fn retains(&self, topic: &str, now: Time) -> bool {
        match &self.wanted {
            Wanted::Nodes => false,
            Wanted::Listed { topics, .. } => topics.contains(topic),
            Wanted::All { .. } => true,
            Wanted::Used { topics, new, .. } => topics
                .get(topic)
                .is_some_and(|until| new.contains(topic) || *until > now),
        }
    }

    /// Does it still need this topic? A producer forgets those that it did not use for long. [ProducerMetadata.retainTopic]
    fn retain(&mut self, topic: &str, now: Time) -> bool {
        let retains = self.retains(topic, now);
        if let (false, Wanted::Used { topics, .. }) = (retains, &mut self.wanted) {
            topics.remove(topic);
        }
        retains
    }

    /// A newer leader epoch was heard of elsewhere: a refresh is due. [Metadata.updateLastSeenEpochIfNewer]
    pub fn heard_epoch(&mut self, topic: &Rc<str>, partition: i32, epoch: i32) -> bool {
        match self.last_seen_epoch(topic, partition) {
            Some(seen) if epoch > seen => {
                self.see_epoch(topic, partition, epoch);
                self.full_requested = true;
                true
            }
            _ => false,
        }
    }

    /// Takes a leader that an answer with an error named (KIP-951). True if it was news.
    /// [Metadata.updatePartitionLeadership]
    pub fn take_leader(
        &mut self,
        topic: &Rc<str>,
        partition: i32,
        leader: (NodeId, i32),
        nodes: &[BrokerNode],
    ) -> bool {
        let (id, epoch) = leader;
        if id < 0 || epoch < 0 {
            return false;
        }
        let (_, current) = self.current_leader(topic, partition);
        if current.is_some_and(|current| epoch <= current) {
            return false;
        }
        let known = self.topic(topic).and_then(|t| t.partition(partition)).is_some();
        let with_node = nodes.iter().any(|node| node.id == id) || self.node(id).is_some();
        if !known || !with_node {
            return false;
        }
        self.see_epoch(topic, partition, epoch);
        self.changes += 1;
        let snapshot = Rc::make_mut(&mut self.snapshot);
        for node in nodes {
            match snapshot.nodes.iter_mut().find(|known| known.id == node.id) {
                Some(known) => known.clone_from(node),
                None => snapshot.nodes.push(node.clone()),
            }
        }
        snapshot.nodes.sort_small_by_key(|node| node.id);
        if let Some(known) = snapshot.topics.get_mut(topic)
            && let Some(known) = known.partitions.iter_mut().find(|p| p.partition == partition)
        {
            known.leader = id;
            known.leader_epoch = epoch;
        }
        true
    }
}

fn reset_text(topic: &MetadataTopic, partition: &MetadataPartition, old: Option<TopicId>) -> String {
    let text = |id: Option<TopicId>| id.map_or("null".to_string(), |id| id.0.to_string());
    format!(
        "Resetting the last seen epoch of partition {}-{} to {} since the associated topicId changed from {} to {}",
        topic.name,
        partition.partition,
        partition.leader_epoch,
        text(old),
        text(topic.id)
    )
}

/// The topics that an answer has an error for. [MetadataResponse.errors]
pub fn errors_of(answer: &MetadataResponse) -> OrderedMap<Rc<str>, ErrorCode> {
    let failed = answer.topics.iter().filter(|topic| topic.error.is_error());
    failed.map(|topic| (topic.name.clone(), topic.error)).collect()
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
