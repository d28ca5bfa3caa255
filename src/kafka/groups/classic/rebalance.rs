//! The join phase: how it begins, how long it lasts, and what its end makes of the group.
//! [GroupMetadataManager.prepareRebalance, completeClassicGroupJoin]

use super::work::{Work, sync_error};
use super::{ClassicState, JoinPhase};
use crate::kafka::groups::note::{Departure, GroupNote, Reason};
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{JoinGroupResponse, SyncGroupResponse};
use std::rc::Rc;

impl Work<'_, '_> {
    /// Begins a rebalance, or ends the join phase that is running if everybody is there.
    pub(super) fn rebalance_or_complete(&mut self, reason: Reason) {
        if self.group.state == ClassicState::PreparingRebalance {
            self.maybe_complete_join();
        } else {
            self.prepare_rebalance(reason);
        }
    }

    /// Begins a join phase. From Empty it lasts `group.initial.rebalance.delay.ms`; otherwise until all are back, at most
    /// the longest rebalance time-out.
    pub(in crate::kafka::groups) fn prepare_rebalance(&mut self, reason: Reason) {
        if self.group.state == ClassicState::CompletingRebalance {
            self.reset_assignments(ErrorCode::RebalanceInProgress);
        }
        self.group.pending_syncs.clear();
        self.cancel(&self.sync_key());
        let initial = self.group.state == ClassicState::Empty;
        let delay_ms = self.moment.settings.initial_rebalance_delay_ms;
        if initial {
            let longest = i64::from(self.group.rebalance_timeout_ms());
            self.group.join_phase = JoinPhase::Initial {
                delay_ms,
                remaining_ms: (longest - delay_ms).max(0),
            };
            self.schedule(self.join_key(), delay_ms);
        }
        self.moment.note(GroupNote::RebalanceStarted {
            group: self.group.id.clone(),
            generation: self.group.generation,
            reason,
            initial_delay_ms: initial.then_some(delay_ms),
        });
        self.transition(ClassicState::PreparingRebalance);
        if !initial {
            self.complete_or_wait();
        }
    }

    fn complete_or_wait(&mut self) {
        if self.group.all_joined() {
            self.complete_join_phase();
        } else {
            self.wait_for_members();
        }
    }

    fn wait_for_members(&mut self) {
        self.group.join_phase = JoinPhase::Rejoin;
        let longest = i64::from(self.group.rebalance_timeout_ms());
        self.schedule(self.join_key(), longest);
    }

    /// Ends the join phase if all are there, but never that of a group that was empty: that one ends by its timer.
    pub(super) fn maybe_complete_join(&mut self) {
        let preparing = self.group.state == ClassicState::PreparingRebalance;
        if preparing && self.group.previous != ClassicState::Empty && self.group.all_joined() {
            self.complete_join_phase();
        }
    }

    /// Somebody who held the phase up is gone: unlike a join or a leave that ends the first phase of a group too.
    pub(super) fn complete_join_without(&mut self) {
        if self.group.state == ClassicState::PreparingRebalance && self.group.all_joined() {
            self.complete_join_phase();
        }
    }

    /// The timer of the join phase fires.
    pub(in crate::kafka::groups) fn join_timer(&mut self) {
        if self.group.state != ClassicState::PreparingRebalance {
            return;
        }
        match self.group.join_phase {
            JoinPhase::Initial { delay_ms, remaining_ms } if self.group.member_added && remaining_ms != 0 => {
                self.group.member_added = false;
                let next = self.moment.settings.initial_rebalance_delay_ms.min(remaining_ms);
                self.group.join_phase = JoinPhase::Initial {
                    delay_ms: next,
                    remaining_ms: (remaining_ms - delay_ms).max(0),
                };
                self.schedule(self.join_key(), next);
            }
            _ => self.complete_join_phase(),
        }
    }

    /// Those who came make up the next generation. Static members keep their seats without coming.
    fn complete_join_phase(&mut self) {
        self.cancel(&self.join_key());
        self.drop_missing();
        if !self.group.elect_joined_leader() && !self.group.members.is_empty() {
            self.wait_for_members();
            return;
        }
        self.next_generation();
        if self.group.members.is_empty() {
            let value = self.group.to_record(|_| Rc::from([]));
            let group = self.group.id.clone();
            self.records.push(GroupRecord::Group {
                group,
                value: Some(value),
            });
        } else {
            self.answer_joins();
        }
    }

    fn drop_missing(&mut self) {
        let missing = self
            .group
            .members
            .values()
            .filter(|m| !m.join.is_parked() && m.instance.is_none());
        let missing: Vec<Rc<str>> = missing.map(|member| member.id.clone()).collect();
        let timeout_ms = self.group.rebalance_timeout_ms();
        for member in missing {
            self.group.remove(&member);
            self.cancel(&self.session_key(&member));
            self.moment.note(GroupNote::MemberRemoved {
                group: self.group.id.clone(),
                member,
                why: Departure::DidNotRejoin { timeout_ms },
            });
        }
    }

    /// [ClassicGroup.initNextGeneration]
    fn next_generation(&mut self) {
        self.group.generation = self.group.generation.wrapping_add(1);
        let state = match self.group.members.is_empty() {
            true => ClassicState::Empty,
            false => ClassicState::CompletingRebalance,
        };
        self.group.protocol = self.group.select_protocol();
        self.group.subscribed = self.group.compute_subscribed();
        self.group.pending_syncs.clear();
        self.moment.note(GroupNote::GenerationBegan {
            group: self.group.id.clone(),
            generation: self.group.generation,
            protocol: self.group.protocol.clone(),
            leader: self.group.leader.clone(),
            members: self.group.members.len(),
        });
        self.transition(state);
    }

    fn answer_joins(&mut self) {
        let members: Vec<Rc<str>> = self.group.members.keys().cloned().collect();
        for member in members {
            let response = self.current_generation(&member);
            self.complete_join(&member, response);
            self.restart_session(&member);
            if let Some(member) = self.group.members.get_mut(&member) {
                member.is_new = false;
            }
            self.group.pending_syncs.insert(member);
        }
        let longest = i64::from(self.group.rebalance_timeout_ms());
        self.schedule(self.sync_key(), longest);
    }

    /// What a member is told of the generation; the leader is told who the members are.
    pub(super) fn current_generation(&self, member: &Rc<str>) -> JoinGroupResponse {
        let group = &self.group;
        JoinGroupResponse {
            error: ErrorCode::None,
            generation: group.generation,
            protocol: group.protocol.clone(),
            leader: group.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            member_id: member.clone(),
            members: match group.is_leader(member) {
                true => group.joined_members(),
                false => Vec::new(),
            },
        }
    }

    /// Members that did not send SyncGroup in time go, static ones too. [GroupMetadataManager.expirePendingSync]
    pub(in crate::kafka::groups) fn sync_timer(&mut self) {
        let waits = matches!(
            self.group.state,
            ClassicState::CompletingRebalance | ClassicState::Stable
        );
        let late = std::mem::take(&mut self.group.pending_syncs);
        if !waits || late.is_empty() {
            return;
        }
        let timeout_ms = self.group.rebalance_timeout_ms();
        let first = late.first().cloned().unwrap_or_default();
        for member in late {
            self.group.remove(&member);
            self.cancel(&self.session_key(&member));
            self.moment.note(GroupNote::MemberRemoved {
                group: self.group.id.clone(),
                member,
                why: Departure::DidNotSync { timeout_ms },
            });
        }
        self.prepare_rebalance(Reason::SyncMissed(first));
    }

    /// Assignments are void; whoever waits for one gets the error. [resetAndPropagateAssignmentWithError]
    pub(super) fn reset_assignments(&mut self, error: ErrorCode) {
        for member in self.group.members.values_mut() {
            member.assignment = Rc::from([]);
        }
        self.propagate(|_| sync_error(error));
    }

    /// Answers all parked SyncGroups and starts the sessions of those members anew: an expiry while they waited was
    /// ignored. [propagateAssignment]
    pub(super) fn propagate(&mut self, response: impl Fn(&super::ClassicMember) -> SyncGroupResponse) {
        let parked = self.group.members.values().filter(|member| member.sync.is_parked());
        let parked: Vec<(Rc<str>, SyncGroupResponse)> = parked.map(|m| (m.id.clone(), response(m))).collect();
        for (member, response) in parked {
            self.complete_sync(&member, response);
            self.restart_session(&member);
        }
    }
}
