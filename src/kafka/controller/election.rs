//! Who leads when brokers come and go, and when somebody asks for an election: the partition records of each occasion.
//!
//! All is a pure function of the registrations, the active brokers and the settings. The records about the broker
//! itself (fence, unfence, controlled shutdown, unregister) are the caller's; each function says on which side of them
//! its records stand. Rules: `kafka-controller.md`, sections 5 and 9. [ReplicationControlManager]

use super::partition::{PartitionChange, PartitionRegistration};
use super::partition_change::{ChangeRules, Election, Wish, build};
use crate::kafka::protocol::admin::{ApiError, ElectionType};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// The record of one partition.
pub type Changes = Vec<(TopicPartition, PartitionChange)>;

/// What of a topic's settings matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicRules {
    pub change: ChangeRules,
    /// `unclean.leader.election.enable`
    pub unclean: bool,
}

/// What elections look at.
#[derive(Clone, Copy)]
pub struct Cluster<'a> {
    pub partitions: &'a OrderedMap<TopicPartition, Rc<PartitionRegistration>>,
    /// Registered, not fenced, not in controlled shutdown.
    pub is_active: &'a dyn Fn(NodeId) -> bool,
    pub rules: &'a dyn Fn(TopicId) -> TopicRules,
}

/// Which broker a batch of changes is about, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// Leaves ISRs and must not lead.
    Remove(NodeId),
    /// May lead though it counts as fenced still.
    Add(NodeId),
    /// Lost its disk cache, perhaps: leaves ISRs and ELRs and must not lead.
    Unclean(NodeId),
}

/// At most this many leaders change in one run of the preferred balancer. [maybeBalancePartitionLeaders]
pub const MAX_ELECTIONS_PER_IMBALANCE: usize = 1_000;

impl Cluster<'_> {
    /// A broker is fenced: it leaves all ISRs. Before the fence record.
    /// [handleBrokerFenced]
    pub fn fence(&self, broker: NodeId) -> Changes {
        self.changes(About::Remove(broker), |p| p.isr.contains(&broker))
    }

    /// A broker begins its controlled shutdown: leaderships move away and it leaves all ISRs. After the record that
    /// flags it. [handleBrokerInControlledShutdown]
    pub fn begin_controlled_shutdown(&self, broker: NodeId) -> Changes {
        self.fence(broker)
    }

    /// A broker is unfenced: elections for every partition without a leader; no ISR changes (rule R-54). After the
    /// unfence record. [handleBrokerUnfenced]
    pub fn unfence(&self, broker: NodeId) -> Changes {
        self.changes(About::Add(broker), |p| !p.has_leader())
    }

    /// A broker registers again: what becomes of its former incarnation. `clean` if it brought the epoch of its last
    /// registration, then it counts as fenced; else it leaves ELRs too. Before the registration record (rule R-58). [handleBrokerShutdown]
    pub fn register_again(&self, broker: NodeId, clean: bool) -> Changes {
        let change = |(id, before): (&TopicPartition, &Rc<PartitionRegistration>)| {
            let (in_isr, in_elr) = (before.isr.contains(&broker), before.elr.contains(&broker));
            if !in_isr && !in_elr {
                return None;
            }
            // Without eligible leader replicas nobody asks how the broker went down.
            let unclean = !clean && (self.rules)(id.topic).change.elr_enabled;
            match (unclean, in_isr) {
                (true, _) => self.change(*id, before, About::Unclean(broker)),
                (false, true) => self.change(*id, before, About::Remove(broker)),
                (false, false) => None,
            }
        };
        self.partitions.iter().filter_map(change).collect()
    }

    /// A broker is unregistered: it leaves all ISRs and ELRs. Before the unregister record. [handleBrokerUnregistered]
    pub fn unregister(&self, broker: NodeId) -> Changes {
        let mut changes = self.fence(broker);
        changes.extend(self.changes(About::Unclean(broker), |p| {
            p.elr.contains(&broker) && !p.isr.contains(&broker)
        }));
        changes
    }

    /// The periodic balancer: a preferred election for every partition that its first replica does not lead (rule
    /// `true`: there may be more. [maybeBalancePartitionLeaders]
    pub fn balance(&self) -> (Changes, bool) {
        let imbalanced = self.partitions.iter().filter(|(_, p)| p.leader != p.preferred());
        let mut elected = imbalanced.filter_map(|(id, before)| {
            let change = self.elect(id.topic, before, Election::Preferred)?;
            Some((*id, change))
        });
        let changes: Changes = elected.by_ref().take(MAX_ELECTIONS_PER_IMBALANCE).collect();
        let more = elected.next().is_some();
        (changes, more)
    }

    /// The periodic unclean election: every partition without a leader whose topic allows it. [maybeElectUncleanLeaders]
    pub fn elect_unclean(&self) -> Changes {
        let leaderless = self.partitions.iter().filter(|(_, p)| !p.has_leader());
        leaderless
            .filter(|(id, _)| (self.rules)(id.topic).unclean)
            .filter_map(|(id, before)| Some((*id, self.elect(id.topic, before, Election::Unclean)?)))
            .collect()
    }

    /// One partition of an ElectLeaders request. An unclean election asked for by hand ignores the topic's setting
    /// (rule R-75).
    ///
    /// # Errors
    /// ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE. (An unknown name is told
    /// by [`unknown_topic`] and [`unknown_partition`].) [electLeader]
    pub fn elect_leader(
        &self,
        topic: TopicId,
        before: &PartitionRegistration,
        kind: ElectionType,
    ) -> Result<PartitionChange, ApiError> {
        let (done, election, unavailable) = match kind {
            ElectionType::Preferred => (
                before.leader == before.preferred(),
                Election::Preferred,
                ErrorCode::PreferredLeaderNotAvailable,
            ),
            ElectionType::Unclean => (
                before.has_leader(),
                Election::Unclean,
                ErrorCode::EligibleLeadersNotAvailable,
            ),
        };
        if done {
            return Err((ErrorCode::ElectionNotNeeded, None));
        }
        self.elect(topic, before, election).ok_or((unavailable, None))
    }

    fn elect(&self, topic: TopicId, before: &PartitionRegistration, election: Election) -> Option<PartitionChange> {
        let rules = (self.rules)(topic);
        build(before, &Wish::default(), election, &rules.change, self.is_active)
    }

    fn changes(&self, about: About, touched: impl Fn(&PartitionRegistration) -> bool) -> Changes {
        let partitions = self.partitions.iter().filter(|(_, p)| touched(p));
        partitions
            .filter_map(|(partition, before)| self.change(*partition, before, about))
            .collect()
    }

    /// [generateLeaderAndIsrUpdates]
    fn change(
        &self,
        partition: TopicPartition,
        before: &PartitionRegistration,
        about: About,
    ) -> Option<(TopicPartition, PartitionChange)> {
        let may_lead = |id: NodeId| match about {
            About::Remove(broker) | About::Unclean(broker) if id == broker => false,
            About::Add(broker) if id == broker => true,
            _ => (self.is_active)(id),
        };
        let stays = |id: &NodeId| !matches!(about, About::Remove(broker) | About::Unclean(broker) if *id == broker);
        let mut wish = Wish::isr(before.isr.iter().copied().filter(stays).collect());
        if let About::Unclean(broker) = about {
            wish.unclean_shutdown.push(broker);
        }
        let rules = (self.rules)(partition.topic);
        let election = Election::of_topic(rules.unclean);
        let change = build(before, &wish, election, &rules.change, &may_lead)?;
        Some((partition, change))
    }
}

/// How an ElectLeaders request is refused for a topic that does not exist.
pub fn unknown_topic(name: &str) -> ApiError {
    let message = format!("No such topic as {name}");
    (ErrorCode::UnknownTopicOrPartition, Some(message.into()))
}

/// How an ElectLeaders request is refused for a partition that the topic does not have.
pub fn unknown_partition(name: &str, partition: i32) -> ApiError {
    let message = format!("No such partition as {name}-{partition}");
    (ErrorCode::UnknownTopicOrPartition, Some(message.into()))
}

#[cfg(test)]
mod tests {
    use super::super::partition::LeaderRecoveryState;
    use super::*;
    use crate::kafka::types::NO_LEADER;
    use std::cell::RefCell;

    /// Brokers 0, 1, 2 and one topic with min ISR 2, as the controller would drive it.
    struct World {
        partitions: OrderedMap<TopicPartition, Rc<PartitionRegistration>>,
        active: RefCell<Vec<NodeId>>,
        elr: bool,
        unclean: bool,
    }

    const TOPIC: TopicId = TopicId(0);

    impl World {
        fn new(replicas: &[&[NodeId]]) -> Self {
            let partition = |(i, replicas): (i32, &&[NodeId])| {
                let registration = PartitionRegistration::new(replicas.to_vec(), replicas.to_vec());
                (TopicPartition::new(TOPIC, i), Rc::new(registration))
            };
            Self {
                partitions: (0..).zip(replicas).map(partition).collect(),
                active: RefCell::new(vec![0, 1, 2]),
                elr: true,
                unclean: false,
            }
        }

        fn ask<T>(&self, question: impl FnOnce(Cluster) -> T) -> T {
            let min_isr = self.partitions.values().next().map_or(1, |p| p.replicas.len().min(2));
            let rules = TopicRules {
                change: ChangeRules {
                    elr_enabled: self.elr,
                    ..ChangeRules::new(min_isr)
                },
                unclean: self.unclean,
            };
            question(Cluster {
                partitions: &self.partitions,
                is_active: &|id| self.active.borrow().contains(&id),
                rules: &|_| rules,
            })
        }

        fn apply(&mut self, changes: Changes) -> usize {
            for (id, change) in &changes {
                let merged = self.partitions[id].merge(change);
                self.partitions.insert(*id, Rc::new(merged));
            }
            changes.len()
        }

        fn fence(&mut self, id: NodeId) -> usize {
            let changes = self.ask(|c| c.fence(id));
            self.active.borrow_mut().retain(|a| *a != id);
            self.apply(changes)
        }

        fn unfence(&mut self, id: NodeId) -> usize {
            let changes = self.ask(|c| c.unfence(id));
            self.active.borrow_mut().push(id);
            self.apply(changes)
        }

        fn register_again(&mut self, id: NodeId, clean: bool) -> usize {
            let changes = self.ask(|c| c.register_again(id, clean));
            self.apply(changes)
        }

        fn only(&self) -> &PartitionRegistration {
            &self.partitions[&TopicPartition::new(TOPIC, 0)]
        }
    }

    #[test]
    fn r54_unfencing_touches_only_leaderless_partitions() {
        let mut world = World::new(&[&[0, 1, 2], &[2]]);
        world.fence(2);
        assert_eq!(world.only().isr, [0, 1]);
        let lonely = TopicPartition::new(TOPIC, 1);
        assert_eq!(world.partitions[&lonely].leader, NO_LEADER);
        assert_eq!(world.unfence(2), 1);
        assert_eq!(world.only().isr, [0, 1], "the follower gets back in by fetching");
        assert_eq!(world.partitions[&lonely].leader, 2);
    }

    #[test]
    fn r58_a_clean_return_stays_in_the_elr_an_unclean_one_leaves_it() {
        let mut world = World::new(&[&[0, 1, 2]]);
        for id in [0, 1, 2] {
            world.fence(id);
        }
        assert_eq!(world.only().elr, [1, 2]);
        assert_eq!(world.register_again(1, true), 0);
        assert_eq!(world.register_again(2, false), 1);
        assert_eq!(world.only().elr, [1]);
        world.register_again(1, false);
        assert!(world.only().elr.is_empty());
        assert_eq!(world.unfence(0), 0);
        assert_eq!(world.unfence(2), 1, "by last known leader (R-59)");
        assert_eq!(world.only().recovery, LeaderRecoveryState::Recovering);
    }

    #[test]
    fn r58_without_elr_an_unclean_return_is_a_fencing() {
        let mut world = World::new(&[&[0, 1, 2]]);
        world.elr = false;
        world.register_again(0, false);
        assert_eq!((world.only().leader, &world.only().isr[..]), (1, &[1, 2][..]));
    }

    #[test]
    fn unregistering_removes_from_isrs_and_elrs() {
        let mut world = World::new(&[&[0, 1, 2]]);
        world.fence(0);
        world.fence(1);
        assert_eq!((&world.only().isr[..], &world.only().elr[..]), (&[2][..], &[1][..]));
        let changes = world.ask(|c| c.unregister(1));
        assert_eq!(world.apply(changes), 1);
        assert!(world.only().elr.is_empty());
        assert_eq!(world.only().leader, 2);
    }

    #[test]
    fn controlled_shutdown_moves_leaders_and_leaves_single_replicas_leaderless() {
        let mut world = World::new(&[&[0, 1], &[0]]);
        world.active.borrow_mut().retain(|id| *id != 0);
        let changes = world.ask(|c| c.begin_controlled_shutdown(0));
        assert_eq!(world.apply(changes), 2);
        assert_eq!((world.only().leader, &world.only().isr[..]), (1, &[1][..]));
        assert_eq!(world.partitions[&TopicPartition::new(TOPIC, 1)].leader, NO_LEADER);
    }

    #[test]
    fn r74_the_balancer_elects_every_preferred_leader_that_can_lead() {
        let mut world = World::new(&[&[0, 1, 2], &[0, 2], &[1, 2]]);
        world.fence(0);
        assert_eq!(world.ask(|c| c.balance()), (vec![], false));
        world.unfence(0);
        let back = Wish::isr(vec![1, 2, 0]);
        let change = build(world.only(), &back, Election::Online, &ChangeRules::new(2), &|_| true);
        world.apply(vec![(TopicPartition::new(TOPIC, 0), change.unwrap())]);
        let (changes, more) = world.ask(|c| c.balance());
        assert!(!more);
        assert_eq!(world.apply(changes), 1);
        assert_eq!(world.only().leader, 0);
    }

    #[test]
    fn r75_unclean_elections_by_hand_need_a_leaderless_partition_and_no_setting() {
        let mut world = World::new(&[&[0, 1]]);
        world.elr = false;
        let elect = |world: &World, kind| world.ask(|c| c.elect_leader(TOPIC, world.only(), kind));
        let not_needed = Err((ErrorCode::ElectionNotNeeded, None));
        assert_eq!(elect(&world, ElectionType::Unclean), not_needed);
        assert_eq!(elect(&world, ElectionType::Preferred), not_needed);
        world.fence(0);
        let unavailable = Err((ErrorCode::PreferredLeaderNotAvailable, None));
        assert_eq!(elect(&world, ElectionType::Preferred), unavailable);
        world.fence(1);
        world.active.borrow_mut().clear();
        let unavailable = Err((ErrorCode::EligibleLeadersNotAvailable, None));
        assert_eq!(elect(&world, ElectionType::Unclean), unavailable);
        world.active.borrow_mut().push(0);
        assert_eq!(world.ask(|c| c.elect_unclean()), vec![], "the topic does not allow it");
        assert_eq!(elect(&world, ElectionType::Unclean).unwrap().leader, Some(0));
        world.unclean = true;
        let changes = world.ask(|c| c.elect_unclean());
        assert_eq!(world.apply(changes), 1);
        assert_eq!((world.only().leader, &world.only().isr[..]), (0, &[0][..]));
    }
}
