//! One replica of a partition on its broker, without the log: who leads in which epochs, and for a leader its
//! followers and its ISR. [Partition]
//!
//! The log's offsets come in with a [`View`]; what has to be done to the log, what has to be sent to the controller,
//! and why, goes back to the caller.

use super::follower::{FollowerFetch, FollowerState};
use super::high_watermark::{self, HighWatermark, effective_min_isr};
use super::isr::{IsrChange, IsrProposal, IsrState};
use crate::kafka::controller::partition::{LeaderRecoveryState, PartitionRegistration};
use crate::kafka::fixes::{Fix, Fixes};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NO_LEADER, NamedPartition, NodeId};
use crate::ordered::OrderedMap;

/// Offsets of a replica's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogOffsets {
    pub start: i64,
    pub high_watermark: i64,
    /// Log end offset.
    pub end: i64,
}

/// What a broker's own metadata says of a registered broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerStatus {
    pub epoch: i64,
    pub fenced: bool,
    /// In controlled shutdown.
    pub shutting_down: bool,
}

/// What a replica's rules look at besides its own state.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The broker's clock, ms.
    pub now: i64,
    /// `replica.lag.time.max.ms`
    pub lag_max: i64,
    /// `min.insync.replicas` of the topic.
    pub min_insync_replicas: usize,
    pub log: LogOffsets,
    /// The epoch of this broker.
    pub broker_epoch: i64,
    /// This broker's metadata; `None` for a broker that is not registered.
    pub brokers: &'a dyn Fn(NodeId) -> Option<BrokerStatus>,
    pub fixes: Fixes,
}

impl View<'_> {
    /// The epoch of a broker that is registered and not fenced. [KRaftMetadataCache.getAliveBrokerEpoch]
    fn alive_epoch(&self, id: NodeId) -> Option<i64> {
        let status = (self.brokers)(id).filter(|b| !b.fenced)?;
        Some(status.epoch)
    }

    /// May a follower be in the ISR, as far as this broker knows: not fenced, not shutting down, and the incarnation
    /// that fetched is the registered one (rule R-17)? [Partition.isReplicaIsrEligible]
    pub fn is_eligible(&self, id: NodeId, state: &FollowerState) -> bool {
        match ((self.brokers)(id), state.broker_epoch) {
            (Some(broker), Some(fetched_by)) => {
                let same = fetched_by == -1 || fetched_by == broker.epoch;
                let active = !broker.fenced && !broker.shutting_down;
                (active || !self.fixes.has(Fix::Kip841)) && same
            }
            _ => false,
        }
    }
}

/// A refusal: the code that is answered and the text that the broker logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub message: String,
}

impl Refusal {
    fn new(code: ErrorCode, message: String) -> Self {
        Self { code, message }
    }
}

/// A replica's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    name: NamedPartition,
    local: NodeId,
    leader: Option<NodeId>,
    leader_epoch: i32,
    partition_epoch: i32,
    /// The log end offset when this leader epoch began; only a leader has it.
    epoch_start: Option<i64>,
    replicas: Vec<NodeId>,
    isr: IsrState,
    followers: OrderedMap<NodeId, FollowerState>,
}

/// What becoming, or staying, the leader came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderChange {
    /// The registration is older than what this replica knows.
    Ignored,
    Leads {
        /// Did it lead before, in this or an older epoch?
        was_leader: bool,
        /// Where a new epoch starts: to be noted in the log's leader epoch cache. `None`: the epoch is the same.
        epoch_start: Option<i64>,
        high_watermark: HighWatermark,
    },
}

/// What becoming, or staying, a follower came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowerChange {
    /// The registration is older than what this replica knows.
    Ignored,
    Follows {
        /// Did it lead until now?
        was_leader: bool,
        /// A new epoch restarts the fetcher, even if the leader is the same.
        new_epoch: bool,
        /// [`NO_LEADER`]: nobody to fetch from.
        leader: NodeId,
    },
}

/// What a follower's fetch led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRecorded {
    /// To be sent to the controller: the follower may join the ISR.
    pub expand: Option<IsrProposal>,
    /// `None` if the follower's position is what it was.
    pub high_watermark: Option<HighWatermark>,
}

/// A follower that is too late for the ISR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfSync {
    pub replica: NodeId,
    pub end_offset: i64,
    /// `None`: never in this leadership.
    pub last_caught_up_time: Option<i64>,
}

/// A shrink that the periodic check begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrink {
    /// To be sent to the controller.
    pub proposal: IsrProposal,
    pub out_of_sync: Vec<OutOfSync>,
}

/// What the controller answered to a proposal that it accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterPartitionAnswer {
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    pub isr: Vec<NodeId>,
    pub recovery: LeaderRecoveryState,
}

/// What an answer of the controller came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlterPartitionOutcome {
    /// The state has moved on since the proposal was sent.
    Late,
    /// Accepted, but in another leader epoch or older than what is known: the change stays open.
    Outdated,
    Committed {
        high_watermark: HighWatermark,
    },
    /// Nothing was changed; another change may begin.
    RolledBack,
    /// The change stays open, and no other may begin, until new metadata arrives (rule R-18).
    Stuck,
    /// Send the same again.
    Resend(IsrProposal),
}

impl Partition {
    /// A replica of which nothing has been heard yet.
    pub fn new(name: NamedPartition, local: NodeId) -> Self {
        Self {
            name,
            local,
            leader: None,
            leader_epoch: -1,
            partition_epoch: 0,
            epoch_start: None,
            replicas: Vec::new(),
            isr: IsrState::default(),
            followers: OrderedMap::new(),
        }
    }

    pub fn name(&self) -> &NamedPartition {
        &self.name
    }

    pub fn is_leader(&self) -> bool {
        self.leader == Some(self.local)
    }

    /// [`NO_LEADER`] if there is none or none is known yet.
    pub fn leader(&self) -> NodeId {
        self.leader.unwrap_or(NO_LEADER)
    }

    /// -1 before the first registration.
    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    pub fn partition_epoch(&self) -> i32 {
        self.partition_epoch
    }

    /// A leader's log end offset when its epoch began.
    pub fn epoch_start(&self) -> Option<i64> {
        self.epoch_start
    }

    pub fn replicas(&self) -> &[NodeId] {
        &self.replicas
    }

    /// Empty unless it leads.
    pub fn isr(&self) -> &IsrState {
        &self.isr
    }

    /// Empty unless it leads.
    pub fn followers(&self) -> &OrderedMap<NodeId, FollowerState> {
        &self.followers
    }

    /// `min.insync.replicas`, at most the number of replicas (rule R-10).
    pub fn min_isr(&self, view: &View) -> usize {
        effective_min_isr(view.min_insync_replicas, self.followers.len())
    }

    /// Does a leader have fewer committed in-sync replicas than it needs?
    pub fn is_under_min_isr(&self, view: &View) -> bool {
        self.is_leader() && self.isr.committed().len() < self.min_isr(view)
    }

    /// Takes over a registration that names this replica as the leader. [Partition.makeLeader]
    pub fn make_leader(&mut self, to: &PartitionRegistration, view: &View) -> LeaderChange {
        if to.partition_epoch < self.partition_epoch {
            return LeaderChange::Ignored;
        }
        let was_leader = self.is_leader();
        let new_epoch = to.leader_epoch > self.leader_epoch;
        self.replicas.clone_from(&to.replicas);
        self.isr = IsrState::committed_as(&to.isr, to.recovery);
        let local = self.local;
        let is_follower = |id: &NodeId| *id != local && to.replicas.contains(id);
        self.followers.retain(|id, _| is_follower(id));
        for id in to.replicas.iter().filter(|id| is_follower(id)) {
            self.followers.entry(*id).or_default();
        }
        if new_epoch {
            for (id, state) in &mut self.followers {
                state.reset(view.now, view.log.end, was_leader, to.isr.contains(id));
            }
            self.leader_epoch = to.leader_epoch;
            self.epoch_start = Some(view.log.end);
        }
        self.partition_epoch = to.partition_epoch;
        self.leader = Some(self.local);
        LeaderChange::Leads {
            was_leader,
            epoch_start: self.epoch_start.filter(|_| new_epoch),
            high_watermark: self.evaluate_high_watermark(view),
        }
    }

    /// Takes over a registration in which somebody else leads, or nobody. [Partition.makeFollower]
    pub fn make_follower(&mut self, to: &PartitionRegistration) -> FollowerChange {
        if to.partition_epoch < self.partition_epoch {
            return FollowerChange::Ignored;
        }
        let was_leader = self.is_leader();
        let new_epoch = to.leader_epoch > self.leader_epoch;
        self.replicas.clone_from(&to.replicas);
        self.isr = IsrState::default();
        self.followers.clear();
        self.leader = Some(to.leader);
        self.leader_epoch = to.leader_epoch;
        self.partition_epoch = to.partition_epoch;
        self.epoch_start = None;
        FollowerChange::Follows {
            was_leader,
            new_epoch,
            leader: to.leader,
        }
    }

    /// Evaluates a leader's high watermark: after an append, and wherever the methods here have not done so already.
    pub fn evaluate_high_watermark(&self, view: &View) -> HighWatermark {
        high_watermark::evaluate(view, &self.isr, &self.followers)
    }

    /// Checks the leader epoch that a request names, and that this replica leads if only a leader may answer.
    ///
    /// # Errors
    /// FENCED_LEADER_EPOCH (the request is older), UNKNOWN_LEADER_EPOCH (this broker is), NOT_LEADER_OR_FOLLOWER.
    /// [Partition.checkCurrentLeaderEpoch]
    pub fn check_leader_epoch(&self, asked: Option<i32>, leader_only: bool) -> Result<(), Refusal> {
        let code = match asked {
            Some(epoch) if epoch < self.leader_epoch => ErrorCode::FencedLeaderEpoch,
            Some(epoch) if epoch > self.leader_epoch => ErrorCode::UnknownLeaderEpoch,
            _ if leader_only && !self.is_leader() => ErrorCode::NotLeaderOrFollower,
            _ => return Ok(()),
        };
        let asked = asked.map_or("Optional.empty".to_owned(), |e| format!("Optional[{e}]"));
        let leader = self.leader.map_or("None".to_owned(), |id| format!("Some({id})"));
        let which = if leader_only { "leader" } else { "" };
        let message = format!(
            "Failed to find {which} log for partition {} with leader epoch {asked}. The current leader is {leader} and \
             the current epoch {}",
            self.name, self.leader_epoch
        );
        Err(Refusal::new(code, message))
    }

    /// Checks that a fetching replica belongs to the partition, as this leader knows it.
    ///
    /// # Errors
    /// UNKNOWN_LEADER_EPOCH: one side has old metadata. [Partition.followerReplicaOrThrow]
    pub fn check_follower(&self, id: NodeId) -> Result<(), Refusal> {
        if self.followers.contains_key(&id) {
            return Ok(());
        }
        let message = format!(
            "Replica {id} is not recognized as a valid replica of {} in leader epoch {} with partition epoch {}",
            self.name, self.leader_epoch, self.partition_epoch
        );
        Err(Refusal::new(ErrorCode::UnknownLeaderEpoch, message))
    }

    /// Notes a follower's fetch, after its read; then the follower may join the ISR, then the high watermark may move.
    ///
    /// # Errors
    /// As [`Partition::check_follower`]; NOT_LEADER_OR_FOLLOWER if an older incarnation of the broker sent the fetch.
    /// [Partition.updateFollowerFetchState]
    pub fn record_fetch(&mut self, from: NodeId, fetch: FollowerFetch, view: &View) -> Result<FetchRecorded, Refusal> {
        self.check_follower(from)?;
        let state = self.followers.entry(from).or_default();
        let newer = view.alive_epoch(from).filter(|e| *e > fetch.broker_epoch);
        if fetch.broker_epoch != -1 && newer.is_some() {
            let expected = state
                .broker_epoch
                .map_or("Optional.empty".to_owned(), |e| format!("Optional[{e}]"));
            let message = format!(
                "Received stale fetch state update. broker epoch={} vs expected={expected}",
                fetch.broker_epoch
            );
            return Err(Refusal::new(ErrorCode::NotLeaderOrFollower, message));
        }
        let before = state.log_end_offset;
        state.record(fetch, view.log.end, view.now);
        let moved = state.log_end_offset != before;
        let may_join = self.may_join(from, view);
        let expand = may_join.then(|| self.propose(IsrChange::Expand(from), view));
        let high_watermark = moved.then(|| self.evaluate_high_watermark(view));
        Ok(FetchRecorded { expand, high_watermark })
    }

    /// A follower has fetched at the end of the log all the time, last at `at` ms.
    pub fn was_caught_up(&mut self, id: NodeId, at: i64) {
        if let Some(state) = self.followers.get_mut(&id) {
            state.last_fetch_time = state.last_fetch_time.max(Some(at));
            state.last_caught_up_time = state.last_caught_up_time.max(Some(at));
        }
    }

    /// Would another fetch of a follower at the log's end change nothing: it is known to be there, and in the ISR?
    pub fn is_settled(&self, id: NodeId, end: i64) -> bool {
        let there = |state: &FollowerState| state.log_end_offset == end && state.last_fetch_leader_end_offset == end;
        self.followers.get(&id).is_some_and(there) && self.isr.committed().contains(&id)
    }

    /// May a follower join the ISR: no change is open, it is outside and eligible, and it has reached the high
    /// watermark and the start of this leader's epoch (rule R-17)? [Partition.needsExpandIsr]
    fn may_join(&self, id: NodeId, view: &View) -> bool {
        let Some(state) = self.followers.get(&id) else {
            return false;
        };
        let end = state.log_end_offset;
        let reached = end >= view.log.high_watermark && self.epoch_start.is_some_and(|s| end >= s);
        let outside = !self.isr.is_in_flight() && !self.isr.committed().contains(&id);
        outside && view.is_eligible(id, state) && reached
    }

    /// The periodic check, every half `replica.lag.time.max.ms`: removes whoever is too late (rule R-15).
    /// [Partition.maybeShrinkIsr]
    pub fn check_isr(&mut self, view: &View) -> Option<Shrink> {
        if !self.is_leader() || self.isr.is_in_flight() {
            return None;
        }
        let members = self.isr.committed().iter().copied();
        let late = members.filter(|id| *id != self.local).filter_map(|replica| {
            let state = self.followers.get(&replica).cloned().unwrap_or_default();
            let caught_up = state.is_caught_up(view.log.end, view.now, view.lag_max);
            (!caught_up).then_some(OutOfSync {
                replica,
                end_offset: state.log_end_offset,
                last_caught_up_time: state.last_caught_up_time,
            })
        });
        let out_of_sync: Vec<OutOfSync> = late.collect();
        if out_of_sync.is_empty() {
            return None;
        }
        let out = out_of_sync.iter().map(|o| o.replica).collect();
        Some(Shrink {
            proposal: self.propose(IsrChange::Shrink(out), view),
            out_of_sync,
        })
    }

    fn propose(&mut self, change: IsrChange, view: &View) -> IsrProposal {
        let epoch_of = |id: NodeId| match self.followers.get(&id) {
            _ if id == self.local => view.broker_epoch,
            Some(state) => state.broker_epoch.unwrap_or(-1),
            None => -1,
        };
        let isr = self.isr.changed(&change);
        let proposal = IsrProposal {
            isr: isr.into_iter().map(|id| (id, epoch_of(id))).collect(),
            change,
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
        };
        self.isr.propose(proposal.clone());
        proposal
    }

    /// The controller's answer to one partition of an AlterPartition request. (An error of the whole request is
    /// answered by sending all of it again, which changes nothing here.)
    /// [Partition.submitAlterPartition, handleAlterPartitionUpdate, handleAlterPartitionError]
    pub fn alter_partition_answered(
        &mut self,
        proposal: &IsrProposal,
        answer: Result<AlterPartitionAnswer, ErrorCode>,
        view: &View,
    ) -> AlterPartitionOutcome {
        if self.isr.pending() != Some(proposal) {
            return AlterPartitionOutcome::Late;
        }
        match answer {
            Ok(new) if new.leader_epoch != self.leader_epoch => AlterPartitionOutcome::Outdated,
            Ok(new) if new.partition_epoch < self.partition_epoch => AlterPartitionOutcome::Outdated,
            Ok(new) => {
                self.isr = IsrState::committed_as(&new.isr, new.recovery);
                self.partition_epoch = new.partition_epoch;
                AlterPartitionOutcome::Committed {
                    high_watermark: self.evaluate_high_watermark(view),
                }
            }
            Err(ErrorCode::IneligibleReplica | ErrorCode::OperationNotAttempted) => {
                self.isr.roll_back();
                AlterPartitionOutcome::RolledBack
            }
            Err(
                ErrorCode::UnknownTopicOrPartition
                | ErrorCode::UnknownTopicId
                | ErrorCode::FencedLeaderEpoch
                | ErrorCode::InvalidUpdateVersion
                | ErrorCode::InvalidRequest
                | ErrorCode::NewLeaderElected,
            ) => AlterPartitionOutcome::Stuck,
            Err(_) => AlterPartitionOutcome::Resend(proposal.clone()),
        }
    }

    /// Checks, before an append for a client, that this replica leads, and for acks=all that enough are in sync.
    ///
    /// # Errors
    /// NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS (rule R-09). [Partition.appendRecordsToLeader]
    pub fn check_append(&self, acks: i16, view: &View) -> Result<(), Refusal> {
        if !self.is_leader() {
            let message = format!("Leader not local for partition {} on broker {}", self.name, self.local);
            return Err(Refusal::new(ErrorCode::NotLeaderOrFollower, message));
        }
        let isr = self.isr.committed();
        let min_isr = self.min_isr(view);
        if acks != -1 || isr.len() >= min_isr {
            return Ok(());
        }
        let members: Vec<String> = isr.iter().map(NodeId::to_string).collect();
        let message = format!(
            "The size of the current ISR : {} is insufficient to satisfy the min.isr requirement of {min_isr} for \
             partition {}, live replica(s) broker.id are : Set({})",
            isr.len(),
            self.name,
            members.join(", ")
        );
        Err(Refusal::new(ErrorCode::NotEnoughReplicas, message))
    }

    /// May an acks=all produce be answered that needs the high watermark at `offset`? `None`: not yet; else the answer:
    /// NONE, NOT_ENOUGH_REPLICAS_AFTER_APPEND or NOT_LEADER_OR_FOLLOWER.
    /// [Partition.checkEnoughReplicasReachOffset]
    pub fn acks_all_answer(&self, offset: i64, view: &View) -> Option<ErrorCode> {
        if !self.is_leader() {
            Some(ErrorCode::NotLeaderOrFollower)
        } else if view.log.high_watermark < offset {
            None
        } else if self.isr.maximal_len() >= self.min_isr(view) {
            Some(ErrorCode::None)
        } else {
            Some(ErrorCode::NotEnoughReplicasAfterAppend)
        }
    }

    /// The lowest log start offset of the leader and of its followers on brokers that are alive: DeleteRecords waits
    /// for it. [Partition.lowWatermarkIfLeader]
    pub fn low_watermark(&self, view: &View) -> i64 {
        let alive = self.followers.iter().filter(|(id, _)| view.alive_epoch(**id).is_some());
        let starts = alive.map(|(_, state)| state.log_start_offset);
        starts.fold(view.log.start, i64::min)
    }
}
