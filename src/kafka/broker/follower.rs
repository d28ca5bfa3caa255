//! What a leader knows of one follower, which is what the follower's fetches told it. [Replica, ReplicaState]

/// A leader's knowledge of a follower. Times are milliseconds of the leader's clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FollowerState {
    /// -1 before the first fetch.
    pub log_start_offset: i64,
    /// Where its last fetch began, so what it has appended of the fetch before; -1 before the first fetch.
    pub log_end_offset: i64,
    /// The leader's log end offset at its last fetch.
    pub last_fetch_leader_end_offset: i64,
    /// `None`: not in this leadership. (Real brokers write 0 for it, which on their clocks is as good as never.)
    pub last_fetch_time: Option<i64>,
    /// The last time that it is known to have had all that the leader had then; `None`: never.
    pub last_caught_up_time: Option<i64>,
    /// Which incarnation of the broker fetched last; -1 if it did not say.
    pub broker_epoch: Option<i64>,
}

impl Default for FollowerState {
    fn default() -> Self {
        Self {
            log_start_offset: -1,
            log_end_offset: -1,
            last_fetch_leader_end_offset: 0,
            last_fetch_time: None,
            last_caught_up_time: None,
            broker_epoch: None,
        }
    }
}

/// A fetch of a follower, once it has been served without an error or a diverging epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerFetch {
    /// Base offset of the batch that holds the fetch offset; the fetch offset itself at the log's end.
    pub position: i64,
    /// The follower's own log start offset.
    pub log_start_offset: i64,
    /// Its broker's epoch, -1 if it did not send one.
    pub broker_epoch: i64,
}

impl FollowerState {
    /// Takes a fetch over; `leader_end` is the leader's log end offset at the time of the read (rules ).
    /// [Replica.updateFetchStateOrThrow]
    pub fn record(&mut self, fetch: FollowerFetch, leader_end: i64, now: i64) {
        if fetch.position >= leader_end {
            self.last_caught_up_time = self.last_caught_up_time.max(Some(now));
        } else if fetch.position >= self.last_fetch_leader_end_offset {
            self.last_caught_up_time = self.last_caught_up_time.max(self.last_fetch_time);
        }
        self.log_start_offset = fetch.log_start_offset;
        self.log_end_offset = fetch.position;
        self.last_fetch_leader_end_offset = self.last_fetch_leader_end_offset.max(leader_end);
        self.last_fetch_time = Some(now);
        self.broker_epoch = Some(fetch.broker_epoch);
    }

    /// A new leader epoch begins: members of the ISR count as caught up now, others never (rule R-25). A leader that
    /// was none before knows nothing of anyone; one that was keeps the offsets. [Replica.resetReplicaState]
    pub fn reset(&mut self, now: i64, leader_end: i64, was_leader: bool, in_sync: bool) {
        let caught_up = in_sync.then_some(now);
        if was_leader {
            self.last_fetch_leader_end_offset = leader_end;
            self.last_fetch_time = caught_up;
        } else {
            *self = Self {
                last_fetch_leader_end_offset: -1,
                ..Self::default()
            };
        }
        self.last_caught_up_time = caught_up;
    }

    /// Does it count as in sync: nothing is missing, or it had everything at most `lag_max` ms ago (rule R-15)?
    /// [ReplicaState.isCaughtUp]
    pub fn is_caught_up(&self, leader_end: i64, now: i64, lag_max: i64) -> bool {
        let in_time = |at| now - at <= lag_max;
        self.log_end_offset == leader_end || self.last_caught_up_time.is_some_and(in_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(position: i64) -> FollowerFetch {
        FollowerFetch {
            position,
            log_start_offset: 0,
            broker_epoch: 102,
        }
    }

    #[test]
    fn r15_who_has_everything_is_never_too_late() {
        let mut follower = FollowerState::default();
        follower.record(fetch(5), 5, 1_000);
        assert!(follower.is_caught_up(5, 1_000_000, 30_000));
        assert!(follower.is_caught_up(6, 31_000, 30_000), "30 s exactly");
        assert!(!follower.is_caught_up(6, 31_001, 30_000));
    }

    #[test]
    fn r16_reaching_the_end_of_the_previous_fetch_counts_as_caught_up_then() {
        let mut follower = FollowerState::default();
        follower.record(fetch(0), 10, 20_000);
        assert_eq!(follower.last_caught_up_time, None);
        follower.record(fetch(10), 20, 40_000);
        assert_eq!(follower.last_caught_up_time, Some(20_000));
        follower.record(fetch(19), 30, 60_000);
        assert_eq!(follower.last_caught_up_time, Some(20_000), "20 was the end");
    }

    #[test]
    fn r25_an_election_resets_the_catch_up_clocks() {
        let mut follower = FollowerState::default();
        follower.record(fetch(5), 5, 1_000);
        let mut outsider = follower.clone();
        follower.reset(9_000, 5, true, true);
        outsider.reset(9_000, 5, true, false);
        assert_eq!(
            (follower.last_caught_up_time, follower.log_end_offset),
            (Some(9_000), 5)
        );
        assert_eq!((outsider.last_caught_up_time, outsider.log_end_offset), (None, 5));
        follower.reset(9_000, 5, false, true);
        assert_eq!(
            (follower.last_caught_up_time, follower.log_end_offset),
            (Some(9_000), -1)
        );
        assert_eq!(follower.broker_epoch, None);
    }
}
