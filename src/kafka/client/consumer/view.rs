//! The consumer as people see it: state, membership, partitions.

use super::application::Stage;
use super::calls::Pending;
use super::coordinator::MemberState;
use super::modern::ModernState;
use super::position::{FetchState, PartitionState};
use super::process::Consumer;
use crate::kafka::client::call::{ClientError, Consumed};
use crate::kafka::client::network::{NetworkClient, coordinator_id};
use crate::kafka::config::ConsumerConfig;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::ordered::OrderedMap;
use crate::sim::Time;
use std::rc::Rc;

impl MemberState {
    /// As the Java client writes it.
    pub fn name(self) -> &'static str {
        match self {
            MemberState::Unjoined => "UNJOINED",
            MemberState::Preparing => "PREPARING_REBALANCE",
            MemberState::Completing => "COMPLETING_REBALANCE",
            MemberState::Stable => "STABLE",
        }
    }
}

impl Consumer {
    pub fn client_id(&self) -> &Rc<str> {
        &self.client_id
    }

    pub fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// `group.id`.
    pub fn group_id(&self) -> Option<&Rc<str>> {
        self.coordinator.as_ref().map(|coordinator| &coordinator.group)
    }

    /// What it is doing, in a few words.
    pub fn state(&self) -> &'static str {
        if self.closed {
            return "closed";
        }
        match &self.pending {
            Some(Pending::Leaving(leaving)) if leaving.closing => return "closing",
            Some(Pending::CommitSync(..)) => return "committing",
            _ => {}
        }
        match &self.application.stage {
            Stage::Working(_) => return "working",
            Stage::Committing(..) => return "committing",
            Stage::Polling => {}
        }
        if let Some(modern) = self
            .modern
            .as_ref()
            .filter(|_| self.in_poll() && self.subscription.by_group())
        {
            return match modern.state {
                ModernState::Joining => "joining",
                ModernState::Reconciling | ModernState::Acknowledging => "reconciling",
                ModernState::Fatal => "out of the group for good",
                ModernState::Fenced | ModernState::Stale => "out of the group",
                _ => "polling",
            };
        }
        let member = self.coordinator.as_ref().filter(|_| self.subscription.by_group());
        match member.map(|member| member.state) {
            _ if self.subscription.is_nothing() => "not subscribed",
            _ if !self.in_poll() => "not polling",
            Some(MemberState::Unjoined) if member.is_some_and(|member| member.node.is_none()) => {
                "looking for the coordinator"
            }
            Some(MemberState::Unjoined | MemberState::Preparing) => "joining",
            Some(MemberState::Completing) => "syncing",
            Some(MemberState::Stable) | None => "polling",
        }
    }

    /// Does it speak the consumer protocol (KIP-848) in a group?
    pub fn has_consumer_protocol(&self) -> bool {
        self.modern.is_some()
    }

    /// Its membership by the consumer protocol.
    pub fn modern(&self) -> Option<&super::modern::Modern> {
        self.modern.as_deref()
    }

    /// Where it stands in its group.
    pub fn member_state(&self) -> Option<MemberState> {
        self.coordinator.as_ref().map(|coordinator| coordinator.state)
    }

    /// -1: none.
    pub fn generation(&self) -> i32 {
        if let Some(modern) = &self.modern {
            return modern.commit_epoch.unwrap_or(-1);
        }
        self.coordinator
            .as_ref()
            .map_or(-1, |coordinator| coordinator.generation.id)
    }

    /// Empty: none.
    pub fn member_id(&self) -> Rc<str> {
        if let Some(modern) = &self.modern {
            return modern.commit_member();
        }
        match &self.coordinator {
            Some(coordinator) => coordinator.generation.member.clone(),
            None => Rc::from(""),
        }
    }

    /// Generation and member id as `groupMetadata()` has them: those of the last completed join.
    pub fn group_metadata(&self) -> Option<(i32, Rc<str>)> {
        if let Some(modern) = &self.modern {
            return Some((modern.app_epoch, modern.member_id.clone()));
        }
        self.coordinator
            .as_ref()
            .map(|coordinator| coordinator.group_metadata.clone())
    }

    /// What it is assigned.
    pub fn assigned_partitions(&self) -> impl Iterator<Item = &NamedPartition> {
        self.subscription.assigned()
    }

    /// Did it make the group's last assignment?
    pub fn is_leader(&self) -> bool {
        self.coordinator
            .as_ref()
            .is_some_and(|coordinator| coordinator.is_leader)
    }

    /// The broker that coordinates its group, if it knows.
    pub fn coordinator_id(&self) -> Option<NodeId> {
        let node = self.coordinator.as_ref()?.node.as_ref()?;
        // The connection's id mirrors the broker's.
        Some(coordinator_id(node.id))
    }

    /// Subscribed topics.
    pub fn topics(&self) -> impl Iterator<Item = &Rc<str>> {
        self.subscription.topics().iter()
    }

    /// Its partitions with their state, by topic and number.
    pub fn partitions(&self) -> impl Iterator<Item = (&NamedPartition, &PartitionState)> {
        self.subscription.states()
    }

    /// The position of a partition, if it is good.
    pub fn position_of(&self, partition: &NamedPartition) -> Option<i64> {
        let state = self.subscription.get(partition)?;
        let valid = matches!(state.state, FetchState::Fetching | FetchState::AwaitValidation);
        state
            .position
            .as_ref()
            .filter(|_| valid)
            .map(|position| position.offset)
    }

    /// records-lag of a partition: from the position to the end, as the last fetch had it.
    pub fn lag_of(&self, partition: &NamedPartition) -> Option<i64> {
        self.subscription.get(partition)?.lag(self.config.read_committed)
    }

    /// Committed offsets as this consumer last wrote or read them.
    pub fn committed_offsets(&self) -> &OrderedMap<NamedPartition, i64> {
        &self.commits.known
    }

    /// What the last failed call threw.
    pub fn last_error(&self) -> Option<&ClientError> {
        self.last_error.as_ref()
    }

    /// The record that its application works on.
    pub fn working_on(&self, now: Time) -> Option<&Consumed> {
        match &self.application.stage {
            Stage::Working(work) => work.current(now),
            _ => None,
        }
    }

    /// Does its poll loop run?
    pub fn polls(&self) -> bool {
        self.application.on
    }

    /// Partitions with fetched records that were not handed out yet.
    pub fn buffered(&self) -> impl Iterator<Item = &NamedPartition> {
        self.fetcher.buffered_partitions()
    }

    /// Speaks and acts as an older release from now on.
    pub fn speak(&mut self, dialect: crate::kafka::client::network::Dialect) {
        self.net.speak(dialect);
    }

    /// Its connections.
    pub fn network(&self) -> &NetworkClient {
        &self.net
    }
}
