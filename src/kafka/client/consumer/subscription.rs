//! What a consumer reads: subscribed topics or assigned partitions, and the state of each partition it has.
//! [SubscriptionState]

use super::pattern::Pattern;
use super::position::{FetchPosition, KnownLeader, PartitionState, ResetTo};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::metadata::Wanted;
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
use std::rc::Rc;

/// How partitions come to a consumer.
#[derive(Clone, Debug)]
pub enum Kind {
    Nothing,
    /// By the group: these topics.
    Topics,
    /// By the group: the topics that match.
    Pattern(Pattern),
    /// By the group: the topics that match by the coordinator's word.
    Regex(Rc<str>),
    /// By the user.
    Assigned,
}

/// Topics and partitions.
#[derive(Clone, Debug)]
pub struct Subscription {
    kind: Kind,
    topics: OrderedSet<Rc<str>>,
    /// What all members together subscribe to, while it leads its group.
    group_topics: OrderedSet<Rc<str>>,
    partitions: OrderedMap<NamedPartition, PartitionState>,
    default_reset: Option<ResetTo>,
    next_turn: u64,
}

impl Subscription {
    pub fn new(default_reset: Option<ResetTo>) -> Subscription {
        Subscription {
            kind: Kind::Nothing,
            topics: OrderedSet::new(),
            group_topics: OrderedSet::new(),
            partitions: OrderedMap::new(),
            default_reset,
            next_turn: 0,
        }
    }

    // ---- what is subscribed to ----

    pub fn is_nothing(&self) -> bool {
        matches!(self.kind, Kind::Nothing)
    }

    /// Does the group hand out the partitions?
    pub fn by_group(&self) -> bool {
        matches!(self.kind, Kind::Topics | Kind::Pattern(_) | Kind::Regex(_))
    }

    pub fn pattern(&self) -> Option<&Pattern> {
        match &self.kind {
            Kind::Pattern(pattern) => Some(pattern),
            _ => None,
        }
    }

    /// The pattern that the coordinator matches.
    pub fn regex(&self) -> Option<&Rc<str>> {
        match &self.kind {
            Kind::Regex(regex) => Some(regex),
            _ => None,
        }
    }

    /// `subscribe(SubscriptionPattern)`.
    ///
    /// # Errors
    /// IllegalStateException if it has partitions in another way.
    pub fn subscribe_regex(&mut self, regex: Rc<str>) -> Result<(), ClientError> {
        self.set_kind(Kind::Regex(regex))
    }

    /// Topics as they are told to the coordinator.
    pub fn names(&self) -> &OrderedSet<Rc<str>> {
        &self.topics
    }

    /// Subscribed topics.
    pub fn topics(&self) -> &OrderedSet<Rc<str>> {
        &self.topics
    }

    /// Topics whose metadata matter.
    pub fn metadata_topics(&self) -> OrderedSet<Rc<str>> {
        self.topics.union(&self.group_topics).cloned().collect()
    }

    /// What to ask brokers for; `more`: topics that a call needs just now.
    pub fn wanted(&self, auto_create: bool, more: &OrderedSet<Rc<str>>) -> Wanted {
        match self.kind {
            Kind::Pattern(_) | Kind::Regex(_) => Wanted::All { auto_create },
            _ => Wanted::Listed {
                topics: self.metadata_topics().union(more).cloned().collect(),
                auto_create,
            },
        }
    }

    fn set_kind(&mut self, kind: Kind) -> Result<(), ClientError> {
        let same = std::mem::discriminant(&self.kind) == std::mem::discriminant(&kind);
        if !self.is_nothing() && !same {
            let text = "Subscription to topics, partitions and pattern are mutually exclusive";
            return Err(ClientError::new("IllegalStateException", text));
        }
        self.kind = kind;
        Ok(())
    }

    /// `subscribe(topics)`. True if the topics are others than before.
    ///
    /// # Errors
    /// IllegalStateException if it has partitions in another way.
    pub fn subscribe(&mut self, topics: OrderedSet<Rc<str>>) -> Result<bool, ClientError> {
        self.set_kind(Kind::Topics)?;
        Ok(self.change(topics))
    }

    /// `subscribe(pattern)`.
    ///
    /// # Errors
    /// IllegalStateException if it has partitions in another way.
    pub fn subscribe_pattern(&mut self, pattern: Pattern) -> Result<(), ClientError> {
        self.set_kind(Kind::Pattern(pattern))
    }

    /// The topics that match the pattern now, or were assigned though they are not known yet. True if they changed.
    pub fn change(&mut self, topics: OrderedSet<Rc<str>>) -> bool {
        let changed = self.topics != topics;
        self.topics = topics;
        changed
    }

    /// `assign(partitions)`. True if they are others than before; those that stay keep their state.
    ///
    /// # Errors
    /// IllegalStateException if it has partitions in another way.
    pub fn assign_from_user(&mut self, partitions: OrderedSet<NamedPartition>) -> Result<bool, ClientError> {
        self.set_kind(Kind::Assigned)?;
        if self.partitions.len() == partitions.len() && partitions.iter().all(|p| self.partitions.contains_key(p)) {
            return Ok(false);
        }
        let topics = partitions.iter().map(|partition| partition.topic.clone()).collect();
        self.set_partitions(partitions);
        Ok(self.change(topics))
    }

    /// The group handed out these; those that stay keep their state.
    pub fn assign_from_group(&mut self, partitions: OrderedSet<NamedPartition>) {
        self.set_partitions(partitions);
    }

    fn set_partitions(&mut self, partitions: OrderedSet<NamedPartition>) {
        let mut old = std::mem::take(&mut self.partitions);
        for partition in partitions {
            let state = old.remove(&partition).unwrap_or_else(|| {
                self.next_turn += 1;
                PartitionState::new(self.next_turn)
            });
            self.partitions.insert(partition, state);
        }
    }

    /// The topics of the whole group. True if there are some that this member does not read itself.
    pub fn set_group_topics(&mut self, topics: OrderedSet<Rc<str>>) -> bool {
        let more = !topics.is_subset(&self.topics);
        self.group_topics = topics;
        more
    }

    pub fn forget_group_topics(&mut self) {
        self.group_topics.clear();
    }

    pub fn unsubscribe(&mut self) {
        self.kind = Kind::Nothing;
        self.topics.clear();
        self.group_topics.clear();
        self.partitions.clear();
    }

    /// Did the member subscribe to all that it was assigned?
    pub fn matches(&self, partitions: &[NamedPartition]) -> bool {
        partitions.iter().all(|partition| match self.pattern() {
            Some(pattern) => pattern.matches(&partition.topic),
            None => self.topics.contains(&partition.topic),
        })
    }

    /// `Subscribe(a,b)`.
    pub fn pretty(&self) -> String {
        match &self.kind {
            Kind::Nothing => "None".to_string(),
            Kind::Topics => {
                let names: Vec<&str> = self.topics.iter().map(|topic| &**topic).collect();
                format!("Subscribe({})", names.join(","))
            }
            Kind::Pattern(pattern) => format!("Subscribe({})", pattern.text()),
            Kind::Regex(regex) => format!("Subscribe({regex})"),
            Kind::Assigned => format!("Assign({})", super::text::list(self.partitions.keys())),
        }
    }

    // ---- partitions ----

    /// Assigned partitions, by topic and number.
    pub fn assigned(&self) -> impl Iterator<Item = &NamedPartition> {
        self.partitions.keys()
    }

    pub fn count(&self) -> usize {
        self.partitions.len()
    }

    /// Assigned partitions with their state, by topic and number.
    pub fn states(&self) -> impl Iterator<Item = (&NamedPartition, &PartitionState)> {
        self.partitions.iter()
    }

    pub fn states_mut(&mut self) -> impl Iterator<Item = (&NamedPartition, &mut PartitionState)> {
        self.partitions.iter_mut()
    }

    pub fn get(&self, partition: &NamedPartition) -> Option<&PartitionState> {
        self.partitions.get(partition)
    }

    pub fn get_mut(&mut self, partition: &NamedPartition) -> Option<&mut PartitionState> {
        self.partitions.get_mut(partition)
    }

    /// The state of a partition that has to be assigned.
    ///
    /// # Errors
    /// IllegalStateException if it is not.
    pub fn assigned_state(&mut self, partition: &NamedPartition) -> Result<&mut PartitionState, ClientError> {
        let text = format!("No current assignment for partition {partition}");
        let state = self.partitions.get_mut(partition);
        state.ok_or_else(|| ClientError::new("IllegalStateException", &text))
    }

    /// May it be fetched? A topic that is not subscribed to any more is not.
    pub fn is_fetchable(&self, partition: &NamedPartition) -> bool {
        self.get(partition)
            .is_some_and(|state| self.fetchable(partition, state))
    }

    /// The same of a partition whose state is at hand.
    pub fn fetchable(&self, partition: &NamedPartition, state: &PartitionState) -> bool {
        let left = matches!(self.kind, Kind::Topics) && !self.topics.contains(&partition.topic);
        !left && state.is_fetchable()
    }

    /// It was served: others come first next time.
    pub fn move_to_end(&mut self, partition: &NamedPartition) {
        if let Some(state) = self.partitions.get_mut(partition) {
            self.next_turn += 1;
            state.turn = self.next_turn;
        }
    }

    pub fn has_all_positions(&self) -> bool {
        self.partitions.values().all(PartitionState::has_valid_position)
    }

    /// Partitions whose committed offset is to be asked for.
    pub fn initializing(&self) -> OrderedSet<NamedPartition> {
        let all = self.partitions.iter();
        all.filter(|(_, state)| state.should_initialize())
            .map(|(partition, _)| partition.clone())
            .collect()
    }

    pub fn mark_pending_revocation(&mut self) {
        self.partitions
            .values_mut()
            .for_each(|state| state.pending_revocation = true);
    }

    pub fn default_reset(&self) -> Option<ResetTo> {
        self.default_reset
    }

    /// Partitions without a committed offset are reset.
    ///
    /// # Errors
    /// NoOffsetForPartitionException with `auto.offset.reset=none`.
    pub fn reset_initializing(&mut self) -> Result<(), ClientError> {
        let Some(to) = self.default_reset else {
            let all = self.initializing();
            if all.is_empty() {
                return Ok(());
            }
            let names = super::text::list(super::text::in_hash_order(all.iter()));
            let text = format!("Undefined offset with no reset policy for partitions: {names}");
            return Err(ClientError::new("NoOffsetForPartitionException", &text));
        };
        let waiting = self.partitions.values_mut().filter(|state| state.should_initialize());
        waiting.for_each(|state| state.reset(to));
        Ok(())
    }

    /// A reset's answer: taken if the partition still waits for that reset. True if it was.
    pub fn maybe_reset_to(&mut self, partition: &NamedPartition, position: FetchPosition, to: ResetTo) -> bool {
        match self.partitions.get_mut(partition) {
            Some(state) if state.reset_to() == Some(to) => {
                state.seek_unvalidated(position);
                true
            }
            _ => false,
        }
    }

    /// Positions of all partitions that have one: what a commit without offsets commits.
    pub fn all_consumed(&self) -> OrderedMap<NamedPartition, CommittedOffset> {
        let valid = self.partitions.iter().filter(|(_, state)| state.has_valid_position());
        let positions = valid.filter_map(|(partition, state)| Some((partition.clone(), state.position.as_ref()?)));
        positions
            .map(|(partition, position)| {
                let offset = CommittedOffset {
                    offset: position.offset,
                    leader_epoch: position.offset_epoch.unwrap_or(-1),
                    metadata: empty(),
                };
                (partition, offset)
            })
            .collect()
    }

    /// When the next reset or validation may be tried; those that wait for an answer count with their time-out.
    pub fn next_retry(&self, now: Time) -> Time {
        let waiting = self.partitions.values().filter(|state| !state.has_valid_position());
        let retries = waiting.map(|state| state.retry_at).filter(|at| *at > now);
        let held = self.partitions.values().filter_map(|state| state.held);
        let held = held.map(|(at, _)| at).filter(|at| *at > now);
        retries.chain(held).min().unwrap_or(Time::NEVER)
    }

    /// Metadata name the leader of a partition.
    pub fn leader_known(&mut self, partition: &NamedPartition, leader: KnownLeader) {
        if let Some(state) = self.partitions.get_mut(partition) {
            state.maybe_validate(leader);
        }
    }
}

/// The metadata of a commit without any.
pub fn empty() -> Rc<str> {
    Rc::from("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(topic: &str, partition: i32) -> NamedPartition {
        NamedPartition {
            topic: topic.into(),
            partition,
        }
    }

    #[test]
    fn ways_of_subscribing_exclude_each_other() {
        let mut subscription = Subscription::new(None);
        assert!(subscription.subscribe(["t".into()].into()).expect("first"));
        let error = subscription.assign_from_user([at("t", 0)].into()).expect_err("mixed");
        assert_eq!(
            error.message.as_deref(),
            Some("Subscription to topics, partitions and pattern are mutually exclusive")
        );
        subscription.unsubscribe();
        assert!(subscription.assign_from_user([at("t", 0)].into()).expect("alone"));
        let error = subscription.assigned_state(&at("t", 1)).expect_err("not assigned");
        assert_eq!(
            error.message.as_deref(),
            Some("No current assignment for partition t-1")
        );
    }

    #[test]
    fn without_a_policy_a_missing_offset_is_an_error() {
        let mut subscription = Subscription::new(None);
        subscription.assign_from_user([at("t", 0)].into()).expect("alone");
        let error = subscription.reset_initializing().expect_err("none");
        assert_eq!(
            error.message.as_deref(),
            Some("Undefined offset with no reset policy for partitions: [t-0]")
        );
        let mut subscription = Subscription::new(Some(ResetTo::Latest));
        subscription.assign_from_user([at("t", 0)].into()).expect("alone");
        subscription.reset_initializing().expect("policy");
        assert!(subscription.initializing().is_empty());
    }

    #[test]
    fn served_partitions_wait_for_the_others() {
        let mut subscription = Subscription::new(None);
        subscription
            .assign_from_user([at("t", 0), at("t", 1)].into())
            .expect("alone");
        for (_, state) in subscription.states_mut() {
            state.seek_validated(FetchPosition {
                offset: 0,
                offset_epoch: None,
                leader: KnownLeader::default(),
            });
        }
        subscription.move_to_end(&at("t", 0));
        let turn = |number| subscription.get(&at("t", number)).map(|state| state.turn);
        assert!(turn(1) < turn(0));
    }
}
