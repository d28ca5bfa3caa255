//! What a voter knows and is, and the rules that need no more than that. [QuorumState, LeaderState, FollowerState]

use super::peers::Peers;
use crate::kafka::types::NodeId;
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use crate::sim::{ConnId, Random, Time, TimerId};

/// The state of the raft client in a controller.
#[derive(Clone, Debug)]
pub(in crate::kafka::controller) struct Raft {
    /// `quorum-state`, durable: the epoch, its leader if known, and whom this voter gave its vote in it.
    pub epoch: i32,
    pub leader: Option<NodeId>,
    pub voted: Option<NodeId>,
    pub role: Role,
    /// What is known to be committed; unknown after a start, and to a new leader until a record of its own epoch is.
    pub high_watermark: Option<i64>,
    /// When the present role has lasted too long; the timer is for then or earlier.
    pub deadline: Time,
    pub timer: Option<TimerId>,
    pub begin: Option<TimerId>,
    pub peers: Peers,
    pub search: Option<TimerId>,
    /// SIGTERM came: it stays until a successor is known, or this fires.
    pub stopping: Option<TimerId>,
    /// Election time-outs, and whom to ask.
    pub random: Random,
    /// Of requests to other voters.
    pub next_correlation: u32,
}

/// What a voter is.
#[derive(Clone, Debug)]
pub(in crate::kafka::controller) enum Role {
    /// Knows an epoch, perhaps not its leader.
    Unattached,
    /// Asks whether it would be elected (KIP-996); its epoch stays.
    Prospective(Votes),
    /// Asks for votes in a new epoch.
    Candidate(Votes),
    Leader(Box<Leading>),
    Follower {
        /// It has had an answer from this leader.
        fetched: bool,
    },
    /// Gave the lead up and tells the others.
    Resigned {
        unacknowledged: OrderedSet<NodeId>,
        successors: Vec<NodeId>,
    },
}

/// The role's name in Kafka's metric `current-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoleName {
    Unattached,
    Prospective,
    Candidate,
    Leader,
    Follower,
    Resigned,
}

impl RoleName {
    pub fn name(self) -> &'static str {
        match self {
            RoleName::Unattached => "unattached",
            RoleName::Prospective => "prospective",
            RoleName::Candidate => "candidate",
            RoleName::Leader => "leader",
            RoleName::Follower => "follower",
            RoleName::Resigned => "resigned",
        }
    }
}

/// Answers to a request for votes.
#[derive(Clone, Debug, Default)]
pub(in crate::kafka::controller) struct Votes {
    pub granted: OrderedSet<NodeId>,
    pub rejected: OrderedSet<NodeId>,
}

/// What only the quorum's leader has.
#[derive(Clone, Debug)]
pub(in crate::kafka::controller) struct Leading {
    /// Where its epoch begins in the log.
    pub epoch_start: i64,
    /// Replicas that have fetched from it: other voters, and brokers.
    pub replicas: OrderedMap<NodeId, Progress>,
    /// Voters that fetched since a majority last had. [LeaderState.fetchedVoters]
    pub fetched: OrderedSet<NodeId>,
    /// Voters to be told of the new epoch.
    pub to_begin: OrderedSet<NodeId>,
    pub parked: OrderedMap<u32, Parked>,
    pub next_token: u32,
}

/// How far a replica is, by its last fetch.
#[derive(Clone, Copy, Debug)]
pub(in crate::kafka::controller) struct Progress {
    pub end: i64,
    pub fetched_at: Time,
    /// The leader's end at its last fetch.
    pub leader_end: i64,
    pub caught_up_at: Option<Time>,
}

/// A fetch that waits for records.
#[derive(Clone, Copy, Debug)]
pub(in crate::kafka::controller) struct Parked {
    pub conn: ConnId,
    pub correlation: u32,
    pub offset: i64,
    pub timer: TimerId,
}

/// The quorum as one voter sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumView {
    pub role: RoleName,
    pub epoch: i32,
    pub leader: Option<NodeId>,
    /// Of this epoch.
    pub voted: Option<NodeId>,
    pub high_watermark: Option<i64>,
    /// End of its log.
    pub end: i64,
    /// At the leader: replica and how far it is, other voters and brokers; `None` not heard of.
    pub replicas: Vec<(NodeId, Option<i64>)>,
}

impl Raft {
    pub fn new(random: Random) -> Raft {
        Raft {
            epoch: 0,
            leader: None,
            voted: None,
            role: Role::Unattached,
            high_watermark: None,
            deadline: Time::ZERO,
            timer: None,
            begin: None,
            peers: Peers::default(),
            search: None,
            stopping: None,
            random,
            next_correlation: 0,
        }
    }

    /// What is left on disk when the process is gone.
    pub fn halt(&mut self) {
        self.role = Role::Unattached;
        self.high_watermark = None;
        self.timer = None;
        self.begin = None;
        self.search = None;
        self.stopping = None;
        self.peers = Peers::default();
    }

    pub fn leading(&self) -> Option<&Leading> {
        match &self.role {
            Role::Leader(leading) => Some(leading),
            _ => None,
        }
    }

    pub fn leading_mut(&mut self) -> Option<&mut Leading> {
        match &mut self.role {
            Role::Leader(leading) => Some(leading),
            _ => None,
        }
    }

    pub fn role_name(&self) -> RoleName {
        match &self.role {
            Role::Unattached => RoleName::Unattached,
            Role::Prospective(_) => RoleName::Prospective,
            Role::Candidate(_) => RoleName::Candidate,
            Role::Leader(_) => RoleName::Leader,
            Role::Follower { .. } => RoleName::Follower,
            Role::Resigned { .. } => RoleName::Resigned,
        }
    }

    /// Would this voter vote for `candidate`? Its log is as long as ours or longer, or not (`up_to_date`).
    /// [QuorumState.unattachedOrProspectiveCanGrantVote, FollowerState.canGrantVote, ...]
    pub fn grants(&self, candidate: NodeId, up_to_date: bool, pre_vote: bool) -> bool {
        match &self.role {
            Role::Unattached | Role::Prospective(_) if pre_vote => up_to_date,
            Role::Unattached | Role::Prospective(_) => match self.voted {
                Some(voted) => voted == candidate,
                None => self.leader.is_none() && up_to_date,
            },
            Role::Candidate(_) | Role::Resigned { .. } => pre_vote && up_to_date,
            Role::Follower { fetched } => pre_vote && !fetched && up_to_date,
            Role::Leader(_) => false,
        }
    }
}

impl Votes {
    /// Enough to win among so many voters.
    pub fn won(&self, voters: usize) -> bool {
        self.granted.len() > voters / 2
    }

    /// Even with all that have not answered it is not enough.
    pub fn lost(&self, voters: usize) -> bool {
        voters - self.rejected.len() <= voters / 2
    }
}

impl Leading {
    pub fn new(epoch_start: i64) -> Leading {
        Leading {
            epoch_start,
            replicas: OrderedMap::new(),
            fetched: OrderedSet::new(),
            to_begin: OrderedSet::new(),
            parked: OrderedMap::new(),
            next_token: 0,
        }
    }

    /// What a majority of voters has: it is committed if it covers a record of the leader's own epoch (rule R-76).
    /// `end`: of the leader's own log. [LeaderState.maybeUpdateHighWatermark]
    pub fn majority_end(&self, me: NodeId, end: i64, voters: impl Iterator<Item = NodeId>) -> Option<i64> {
        let mut ends: Vec<i64> = voters
            .map(|id| {
                if id == me {
                    end
                } else {
                    self.replicas.get(&id).map_or(-1, |progress| progress.end)
                }
            })
            .collect();
        ends.sort_small_by(|a, b| b.cmp(a));
        let reached = *ends.get(ends.len() / 2)?;
        (reached > self.epoch_start).then_some(reached)
    }

    /// A replica has fetched. [LeaderState.ReplicaState.updateFollowerState]
    pub fn fetched(&mut self, replica: NodeId, offset: i64, leader_end: i64, now: Time) {
        let before = self.replicas.get(&replica).copied();
        let caught_up_at = match before {
            _ if offset >= leader_end => Some(now),
            Some(before) if before.leader_end > 0 && offset >= before.leader_end => {
                before.caught_up_at.max(Some(before.fetched_at))
            }
            before => before.and_then(|before| before.caught_up_at),
        };
        let progress = Progress {
            end: offset,
            fetched_at: now,
            leader_end,
            caught_up_at,
        };
        self.replicas.insert(replica, progress);
    }

    /// Who should lead next: other voters, the longest log first.
    pub fn successors(&self, others: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let mut all: Vec<NodeId> = others.collect();
        all.sort_small_by_key(|id| (std::cmp::Reverse(self.replicas.get(id).map(|p| p.end)), *id));
        all
    }
}

/// How long the successor at `place` of `count` waits before it asks for votes; `place` is `count` for one that is not
/// named. [KafkaRaftClient.strictExponentialElectionBackoffMs]
pub(super) fn successor_wait_ms(place: usize, count: usize, longest: i64) -> i64 {
    if place == 0 {
        return 0;
    }
    if place >= count {
        return longest;
    }
    let shift = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).min(62);
    let first = longest >> shift(count - 1);
    longest.min(first << shift(place - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r76_the_high_watermark_needs_a_majority_and_a_record_of_the_own_epoch() {
        let mut leading = Leading::new(10);
        let voters = [1, 2, 3];
        assert_eq!(
            leading.majority_end(1, 11, voters.into_iter()),
            None,
            "nobody has fetched"
        );
        leading.fetched(2, 10, 11, Time::ZERO);
        assert_eq!(leading.majority_end(1, 11, voters.into_iter()), None, "old epochs only");
        leading.fetched(2, 11, 11, Time::ZERO);
        assert_eq!(leading.majority_end(1, 11, voters.into_iter()), Some(11));
        leading.fetched(3, 14, 15, Time::ZERO);
        assert_eq!(leading.majority_end(1, 15, voters.into_iter()), Some(14));
        assert_eq!(leading.majority_end(1, 15, [1].into_iter()), Some(15), "a single voter");
        assert_eq!(leading.successors([2, 3].into_iter()), [3, 2]);
        assert_eq!(leading.successors([2, 3, 4].into_iter()), [3, 2, 4]);
    }

    #[test]
    fn the_leader_and_a_fetching_follower_refuse_pre_votes() {
        let mut raft = Raft::new(Random::named(1, "test"));
        assert!(raft.grants(2, true, true) && raft.grants(2, true, false));
        assert!(!raft.grants(2, false, true) && !raft.grants(2, false, false));
        raft.voted = Some(3);
        assert!(!raft.grants(2, true, false) && raft.grants(3, true, false) && raft.grants(2, true, true));
        raft.voted = None;
        raft.leader = Some(3);
        assert!(!raft.grants(2, true, false), "there is a leader in this epoch");
        raft.role = Role::Follower { fetched: false };
        assert!(raft.grants(2, true, true) && !raft.grants(2, true, false));
        raft.role = Role::Follower { fetched: true };
        assert!(!raft.grants(2, true, true));
        raft.role = Role::Leader(Box::new(Leading::new(0)));
        assert!(!raft.grants(2, true, true));
        raft.role = Role::Candidate(Votes::default());
        assert!(raft.grants(2, true, true) && !raft.grants(2, true, false));
    }

    #[test]
    fn votes_are_won_and_lost_by_majorities() {
        let mut votes = Votes::default();
        votes.granted.insert(1);
        assert!(!votes.won(3) && !votes.lost(3) && votes.won(1));
        votes.rejected.insert(2);
        assert!(!votes.lost(3));
        votes.rejected.insert(3);
        assert!(votes.lost(3));
        votes.granted.insert(4);
        assert!(votes.won(3) && !votes.won(4));
    }

    #[test]
    fn later_successors_wait_longer() {
        let waits = |count| {
            (0..=count)
                .map(|i| successor_wait_ms(i, count, 1_000))
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(2), [0, 500, 1_000]);
        assert_eq!(waits(4), [0, 125, 250, 500, 1_000]);
        assert_eq!(waits(0), [0]);
    }
}
