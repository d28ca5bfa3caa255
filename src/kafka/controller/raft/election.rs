//! From one role to the next. [QuorumState, KafkaRaftClient.transitionTo..., poll...]

use super::RaftTimer;
use super::note::{RaftNote, ResignCause};
use super::peers::raft_timer;
use super::state::{Leading, Role, Votes};
use crate::kafka::controller::note::{ControllerNote, Why};
use crate::kafka::controller::process::Controller;
use crate::kafka::fixes::Fix;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::note::Note;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::{Span, Time};

/// How long an orderly shutdown waits for a successor. [SharedServer, raft shutdown]
const SHUTDOWN_LIMIT: Span = Span::secs(5);

impl Controller {
    /// The process starts with what `quorum-state` and the log on its disk say. [QuorumState.initialize]
    pub(in crate::kafka::controller) fn start_quorum(&mut self, ctx: &mut Ctx) {
        let me = self.setup.id;
        if self.raft.epoch < self.log.last_epoch() {
            self.raft.epoch = self.log.last_epoch();
            self.raft.leader = None;
            self.raft.voted = None;
        }
        // The only voter needs nobody's vote.
        if self.others().next().is_none() {
            self.become_prospective(None, ctx);
            return;
        }
        if self.raft.leader == Some(me) {
            // It must not lead in that epoch again: what it wrote last may not be on its disk (rule R-79).
            let unacknowledged = self.others().collect();
            let role = Role::Resigned {
                unacknowledged,
                successors: Vec::new(),
            };
            self.enter(role, ctx);
            self.election_timeout(ctx);
        } else if self.raft.voted == Some(me) && self.raft.leader.is_none() {
            let role = Role::Candidate(self.own_vote());
            self.enter(role, ctx);
            self.election_timeout(ctx);
        } else if self.raft.leader.is_some() {
            self.enter(Role::Follower { fetched: false }, ctx);
            self.set_deadline(self.fetch_timeout(), ctx);
        } else {
            self.enter(Role::Unattached, ctx);
            self.election_timeout(ctx);
        }
    }

    /// The other voters.
    pub(super) fn others(&self) -> impl Iterator<Item = NodeId> + '_ {
        let me = self.setup.id;
        self.setup.voters.keys().copied().filter(move |id| *id != me)
    }

    /// `controller.quorum.fetch.timeout.ms`
    pub(super) fn fetch_timeout(&self) -> Span {
        Span::from_ms(self.setup.config.controller_quorum_fetch_timeout_ms)
    }

    fn own_vote(&self) -> Votes {
        Votes {
            granted: OrderedSet::from([self.setup.id]),
            rejected: OrderedSet::new(),
        }
    }

    pub(super) fn raft_note(note: RaftNote, ctx: &mut Ctx) {
        ctx.note(Note::Controller(ControllerNote::Raft(note)));
    }

    /// The role changes: what was asked in the old one is not waited for, and a leadership ends with all that waited for
    /// it.
    fn enter(&mut self, role: Role, ctx: &mut Ctx) {
        let before = std::mem::replace(&mut self.raft.role, role);
        self.raft.peers.reset(ctx);
        let timers = [self.raft.search.take(), self.raft.begin.take()];
        timers.into_iter().flatten().for_each(|timer| ctx.cancel(timer));
        if let Role::Leader(leading) = before {
            self.renounce(ctx);
            self.fail_fetches(leading.parked, ctx);
        }
    }

    /// From now on so long. The timer for an earlier moment stays and is set again when it fires.
    pub(super) fn set_deadline(&mut self, after: Span, ctx: &mut Ctx) {
        let deadline = ctx.now() + after;
        if self.raft.timer.is_some() && deadline >= self.raft.deadline {
            self.raft.deadline = deadline;
            return;
        }
        if let Some(timer) = self.raft.timer.take() {
            ctx.cancel(timer);
        }
        self.raft.deadline = deadline;
        self.raft.timer = Some(raft_timer(ctx, after, RaftTimer::Deadline));
    }

    /// `controller.quorum.election.timeout.ms`, and up to as much again by chance.
    pub(super) fn election_timeout(&mut self, ctx: &mut Ctx) {
        let ms = u64::try_from(self.setup.config.controller_quorum_election_timeout_ms).unwrap_or(0);
        let chance = if ms > 0 { self.raft.random.below(ms) } else { 0 };
        self.set_deadline(Span::ms(ms + chance), ctx);
    }

    /// The present role has lasted too long.
    pub(super) fn deadline_passed(&mut self, ctx: &mut Ctx) {
        self.raft.timer = None;
        let now = ctx.now();
        if now < self.raft.deadline {
            let left = self.raft.deadline.since(now);
            self.raft.timer = Some(raft_timer(ctx, left, RaftTimer::Deadline));
            return;
        }
        if self.raft.stopping.is_some() && !matches!(self.raft.role, Role::Leader(_)) {
            return;
        }
        match &self.raft.role {
            Role::Unattached | Role::Candidate(_) => self.become_prospective(None, ctx),
            Role::Follower { .. } => {
                let leader = self.raft.leader;
                self.become_prospective(leader, ctx);
            }
            Role::Prospective(_) => self.pre_votes_lost(ctx),
            Role::Leader(_) => self.resign(ResignCause::CheckQuorum, ctx),
            // A new epoch, so that nobody takes this voter for its leader.
            Role::Resigned { .. } => self.become_unattached(self.raft.epoch + 1, None, ctx),
        }
    }

    /// What is left of an election's time stays with the voter. [QuorumState.transitionToUnattached]
    pub(super) fn become_unattached(&mut self, epoch: i32, leader: Option<NodeId>, ctx: &mut Ctx) {
        let voters = self.setup.voters.len();
        let keeps_time = match &self.raft.role {
            Role::Candidate(_) | Role::Unattached | Role::Resigned { .. } => true,
            Role::Prospective(votes) => !votes.lost(voters),
            Role::Leader(_) | Role::Follower { .. } => false,
        };
        let left = self.time_left(ctx.now());
        if epoch != self.raft.epoch {
            self.raft.voted = None;
            Self::raft_note(RaftNote::NewEpoch { epoch }, ctx);
        }
        self.raft.epoch = epoch;
        self.raft.leader = leader;
        self.enter(Role::Unattached, ctx);
        if keeps_time {
            self.set_deadline(left, ctx);
        } else {
            self.election_timeout(ctx);
        }
    }

    fn time_left(&self, now: Time) -> Span {
        if self.raft.deadline > now {
            self.raft.deadline.since(now)
        } else {
            Span::ZERO
        }
    }

    pub(super) fn become_follower(&mut self, epoch: i32, leader: NodeId, ctx: &mut Ctx) {
        if epoch != self.raft.epoch {
            self.raft.voted = None;
        }
        if self.raft.leader != Some(leader) || epoch != self.raft.epoch {
            Self::raft_note(RaftNote::Follows { leader, epoch }, ctx);
        }
        self.raft.epoch = epoch;
        self.raft.leader = Some(leader);
        self.enter(Role::Follower { fetched: false }, ctx);
        self.set_deadline(self.fetch_timeout(), ctx);
        self.maybe_finish_shutdown(ctx);
    }

    /// Asks the others whether they would vote for it; `silent`: the leader that has not been heard of.
    fn become_prospective(&mut self, silent: Option<NodeId>, ctx: &mut Ctx) {
        let votes = self.own_vote();
        let elected = votes.won(self.setup.voters.len());
        self.enter(Role::Prospective(votes), ctx);
        if elected || !self.setup.fixes.has(Fix::Kip996) {
            self.become_candidate(ctx);
            return;
        }
        Self::raft_note(
            RaftNote::Prospective {
                epoch: self.raft.epoch,
                silent,
                timeout: self.fetch_timeout(),
            },
            ctx,
        );
        self.election_timeout(ctx);
    }

    /// Not enough would vote for it, or too few answered: back to where it came from, in the same epoch.
    pub(super) fn pre_votes_lost(&mut self, ctx: &mut Ctx) {
        Self::raft_note(RaftNote::PreVotesLost { epoch: self.raft.epoch }, ctx);
        match self.raft.leader {
            Some(leader) if leader != self.setup.id => self.become_follower(self.raft.epoch, leader, ctx),
            leader => self.become_unattached(self.raft.epoch, leader, ctx),
        }
    }

    pub(super) fn become_candidate(&mut self, ctx: &mut Ctx) {
        let votes = self.own_vote();
        let elected = votes.won(self.setup.voters.len());
        self.raft.epoch += 1;
        self.raft.leader = None;
        self.raft.voted = Some(self.setup.id);
        self.enter(Role::Candidate(votes), ctx);
        if elected {
            self.become_leader(ctx);
            return;
        }
        Self::raft_note(RaftNote::Candidate { epoch: self.raft.epoch }, ctx);
        self.election_timeout(ctx);
    }

    /// Elected: the first record of the new epoch makes all before it committed as soon as a majority has it.
    pub(super) fn become_leader(&mut self, ctx: &mut Ctx) {
        let voters = self.setup.voters.len();
        if let (Role::Candidate(votes), true) = (&self.raft.role, voters > 1) {
            let note = RaftNote::Elected {
                epoch: self.raft.epoch,
                votes: votes.granted.iter().copied().collect(),
                voters: voters as u32,
            };
            Self::raft_note(note, ctx);
        }
        self.raft.leader = Some(self.setup.id);
        self.raft.high_watermark = None;
        self.enter(Role::Leader(Box::new(Leading::new(self.log.end_offset()))), ctx);
        if voters > 1 {
            self.restart_check_quorum(ctx);
            self.look_for_silent_voters(ctx);
        }
        let leader = self.setup.id;
        self.write(vec![MetadataRecord::LeaderChange { leader }], Why::Activation, ctx);
    }

    /// A majority must fetch within one and a half fetch time-outs (rule R-78). [LeaderState.CHECK_QUORUM_TIMEOUT_FACTOR]
    pub(super) fn restart_check_quorum(&mut self, ctx: &mut Ctx) {
        let limit = Span::us(self.fetch_timeout().as_us() / 2 * 3);
        self.set_deadline(limit, ctx);
    }

    /// Gives the lead up and says so to the others.
    pub(super) fn resign(&mut self, cause: ResignCause, ctx: &mut Ctx) {
        let Role::Leader(leading) = &self.raft.role else {
            return;
        };
        let successors = leading.successors(self.others());
        Self::raft_note(
            RaftNote::Resigned {
                epoch: self.raft.epoch,
                cause,
                timeout: Span::us(self.fetch_timeout().as_us() / 2 * 3),
            },
            ctx,
        );
        let unacknowledged = self.others().collect();
        let role = Role::Resigned {
            unacknowledged,
            successors,
        };
        self.enter(role, ctx);
        self.election_timeout(ctx);
    }

    /// SIGTERM: a leader resigns and stays until it knows its successor. [KafkaRaftClient.GracefulShutdown]
    pub(in crate::kafka::controller) fn shut_down(&mut self, ctx: &mut Ctx) {
        if self.raft.stopping.is_some() {
            return;
        }
        self.raft.stopping = Some(raft_timer(ctx, SHUTDOWN_LIMIT, RaftTimer::Shutdown));
        if self.others().next().is_some() {
            self.resign(ResignCause::Shutdown, ctx);
        }
        self.maybe_finish_shutdown(ctx);
    }

    fn maybe_finish_shutdown(&mut self, ctx: &mut Ctx) {
        let me = self.setup.id;
        let alone = self.others().next().is_none();
        let succeeded = self.raft.leader.is_some_and(|leader| leader != me);
        if self.raft.stopping.is_some() && (alone || succeeded) {
            ctx.exit();
        }
    }
}
