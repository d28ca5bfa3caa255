//! Fetch sessions as the broker keeps them (KIP-227): who fetches the same partitions again and again names only what
//! changed, and is answered only what is new. [FetchSession, FetchSessionCacheShard, FetchContext]
//!
//! A real broker looks at every partition of a session for each of its requests. Here a partition of which there can be
//! nothing new is *quiet*, and is left out until something happens to it ([`Server::stir`]). What each request would
//! have told the leader of a follower's quiet partition, that it is still there and has everything, is noted when the
//! partition stirs.

use super::fetch::{divergence, fencing_epoch, readable_end};
use super::replica_manager::Replica;
use super::server::Server;
use crate::kafka::fixes::Fixes;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::{
    CONSUMER_REPLICA, FetchPartition, FetchRequest, FetchedPartition, Isolation, SessionPoint,
};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::ordered::OrderedMap;

/// A session that was not used for so long, ms, makes room for any other. [MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS]
const EVICTION_MS: i64 = 120_000;

/// How many sessions the ids of one registration of the broker leave room for.
const IDS: i32 = 1 << 16;

/// A partition of a session.
#[derive(Clone, Copy, Debug)]
struct Cached {
    /// Lower ones are read first; whoever had records comes last.
    turn: u64,
    asked: FetchPartition,
    /// What the last answer said.
    high_watermark: i64,
    log_start: i64,
    /// Nothing can be new before it stirs.
    quiet: bool,
}

/// One session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    replica: NodeId,
    isolation: Isolation,
    /// The epoch of its next request.
    epoch: i32,
    created: i64,
    used: i64,
    next_turn: u64,
    partitions: OrderedMap<TopicPartition, Cached>,
    /// Partitions that are not quiet, by their turns.
    loud: Vec<(u64, TopicPartition)>,
    /// The request that waits, by its number in the purgatory.
    pub waiting: Option<u64>,
}

impl Session {
    fn is_privileged(&self) -> bool {
        self.replica != CONSUMER_REPLICA
    }

    /// What gives way first. [EvictableKey]
    fn worth(&self, id: i32) -> (bool, usize, i32) {
        (self.is_privileged(), self.partitions.len(), id)
    }

    /// What is to be read, in its order.
    pub fn loud(&self) -> impl Iterator<Item = &FetchPartition> {
        let found = self.loud.iter().filter_map(|(_, id)| self.partitions.get(id));
        found.map(|cached| &cached.asked)
    }

    fn set(&mut self, asked: FetchPartition) {
        match self.partitions.get_mut(&asked.partition) {
            Some(cached) => {
                cached.asked = asked;
                self.stir(asked.partition);
            }
            None => self.add(asked, -1, -1),
        }
    }

    fn add(&mut self, asked: FetchPartition, high_watermark: i64, log_start: i64) {
        let turn = self.take_turn();
        self.loud.push((turn, asked.partition));
        let cached = Cached {
            turn,
            asked,
            high_watermark,
            log_start,
            quiet: false,
        };
        self.partitions.insert(asked.partition, cached);
    }

    fn take_turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }

    /// Whether it was quiet.
    fn stir(&mut self, partition: TopicPartition) -> bool {
        let Some(cached) = self.partitions.get_mut(&partition).filter(|cached| cached.quiet) else {
            return false;
        };
        cached.quiet = false;
        let key = (cached.turn, partition);
        let at = self.loud.partition_point(|other| *other < key);
        self.loud.insert(at, key);
        true
    }

    fn remove(&mut self, partition: TopicPartition) {
        self.partitions.remove(&partition);
        self.loud.retain(|(_, other)| *other != partition);
    }

    /// Whether an answer has to say this of its partition; if so, it is remembered that it did.
    /// [CachedPartition.maybeUpdateResponseData]
    fn has_news(&mut self, fetched: &FetchedPartition) -> bool {
        let Some(cached) = self.partitions.get_mut(&fetched.partition) else {
            return false;
        };
        let failed = fetched.error != ErrorCode::None;
        let news = failed
            || !fetched.batches.is_empty()
            || fetched.diverging_epoch.is_some()
            || fetched.preferred_read_replica.is_some()
            || cached.high_watermark != fetched.high_watermark
            || cached.log_start != fetched.log_start_offset;
        // When an error goes away, the partition is told again.
        cached.high_watermark = if failed { -1 } else { fetched.high_watermark };
        cached.log_start = fetched.log_start_offset;
        news
    }

    /// Those that had records come last from now on.
    fn rotate(&mut self, fetched: &[FetchedPartition]) {
        for partition in fetched.iter().filter(|p| !p.batches.is_empty()).map(|p| p.partition) {
            let turn = self.take_turn();
            let Some(cached) = self.partitions.get_mut(&partition) else {
                continue;
            };
            let old = (cached.turn, partition);
            cached.turn = turn;
            if let Ok(at) = self.loud.binary_search(&old) {
                self.loud.remove(at);
                self.loud.push((turn, partition));
            }
        }
    }
}

/// All sessions of a broker.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    begun: i32,
    all: OrderedMap<i32, Session>,
    /// Sessions by the partitions that are in them.
    holders: OrderedMap<TopicPartition, Vec<i32>>,
}

impl Sessions {
    pub fn get(&self, id: i32) -> Option<&Session> {
        self.all.get(&id)
    }

    pub fn get_mut(&mut self, id: i32) -> Option<&mut Session> {
        self.all.get_mut(&id)
    }

    fn forget(&mut self, id: i32, partition: TopicPartition) {
        if let Some(holders) = self.holders.get_mut(&partition) {
            holders.retain(|other| *other != id);
        }
    }

    fn remove(&mut self, id: i32) {
        if let Some(session) = self.all.remove(&id) {
            for partition in session.partitions.keys() {
                self.forget(id, *partition);
            }
        }
    }

    /// Requests of sessions that wait for this partition, among others.
    pub fn waiting_for(&self, partition: TopicPartition) -> impl Iterator<Item = u64> {
        let holders = self.holders.get(&partition);
        let holders = holders.into_iter().flatten().filter_map(|id| self.all.get(id));
        holders.filter_map(|session| session.waiting)
    }

    /// Whether there is room for another session, if need be after one of less worth is gone.
    /// [FetchSessionCacheShard.tryEvict]
    fn make_room(&mut self, slots: usize, replica: NodeId, size: usize, now: i64) -> bool {
        if self.all.len() < slots {
            return true;
        }
        let oldest = self.all.iter().min_by_key(|(id, session)| (session.used, **id));
        if let Some((id, _)) = oldest.filter(|(_, session)| now - session.used > EVICTION_MS) {
            let id = *id;
            self.remove(id);
            return true;
        }
        let privileged = replica != CONSUMER_REPLICA;
        let gives_way = |session: &Session| {
            let old = now - session.created > EVICTION_MS;
            old || (privileged && !session.is_privileged())
        };
        let evictable = self.all.iter().filter(|(_, session)| gives_way(session));
        let worth = evictable.map(|(id, session)| session.worth(*id)).min();
        match worth.filter(|worth| (privileged, size, 0) >= *worth) {
            Some((_, _, id)) => {
                self.remove(id);
                true
            }
            None => false,
        }
    }
}

impl Server {
    /// Which session a request belongs to, with what the request changes in it; `None`: none.
    ///
    /// # Errors
    /// FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH. [FetchManager.newContext]
    pub(super) fn enter_session(&mut self, request: &FetchRequest) -> Result<Option<i32>, ErrorCode> {
        let SessionPoint { id, epoch } = request.session;
        if request.session.is_full() {
            self.sessions.remove(id);
            return Ok(None);
        }
        let now = self.clock.now;
        let known = self.sessions.all.get(&id);
        let known = known.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if known.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        for asked in &request.partitions {
            // What earlier requests have told of it counts before what this one says.
            self.stir_in(id, asked.partition);
        }
        let Some(session) = self.sessions.all.get_mut(&id) else {
            return Ok(None);
        };
        for asked in &request.partitions {
            if !session.partitions.contains_key(&asked.partition) {
                self.sessions.holders.entry(asked.partition).or_default().push(id);
            }
            session.set(*asked);
        }
        for partition in &request.forgotten {
            session.remove(*partition);
        }
        session.used = now;
        session.epoch = request.session.next().epoch;
        let empty = session.partitions.is_empty();
        for partition in &request.forgotten {
            self.sessions.forget(id, *partition);
        }
        if empty {
            self.sessions.remove(id);
            return Ok(None);
        }
        Ok(Some(id))
    }

    /// Begins a session with what a full request was answered, if it asks for one and there is room; its id, else 0.
    pub(super) fn begin_session(&mut self, request: &FetchRequest, fetched: &[FetchedPartition]) -> i32 {
        let (now, slots) = (self.clock.now, self.setup.config.fetch_session_cache_slots);
        let wanted = request.session.epoch == 0;
        let size = request.partitions.len();
        if !wanted
            || !self
                .sessions
                .make_room(slots.max(0) as usize, request.replica, size, now)
        {
            return 0;
        }
        let mut session = Session {
            replica: request.replica,
            isolation: request.isolation,
            epoch: 1,
            created: now,
            used: now,
            next_turn: 0,
            partitions: OrderedMap::new(),
            loud: Vec::new(),
            waiting: None,
        };
        // Real ids are random; these are never those of an earlier life of this broker either.
        self.sessions.begun = self.sessions.begun % (IDS - 1) + 1;
        let id = (self.life.broker_epoch as i32 & 0x7fff) * IDS + self.sessions.begun;
        self.sessions.remove(id);
        for (asked, answer) in request.partitions.iter().zip(fetched) {
            session.add(*asked, answer.high_watermark, answer.log_start_offset);
            self.sessions.holders.entry(asked.partition).or_default().push(id);
        }
        self.sessions.all.insert(id, session);
        id
    }

    /// Leaves in an answer only what is new to the session, and remembers it.
    pub(super) fn leave_news(&mut self, id: i32, fetched: &mut Vec<FetchedPartition>) {
        if let Some(session) = self.sessions.all.get_mut(&id) {
            fetched.retain(|answer| session.has_news(answer));
            session.rotate(fetched);
        }
        self.hush(id);
    }

    /// Partitions of which there can be nothing new are quiet from now on.
    pub(super) fn hush(&mut self, id: i32) {
        let Some(session) = self.sessions.all.get_mut(&id) else {
            return;
        };
        let (replica, isolation, partitions) = (session.replica, session.isolation, &mut session.partitions);
        let (replicas, fixes) = (&self.replicas, self.setup.fixes);
        session.loud.retain(|(_, partition)| {
            let Some(cached) = partitions.get_mut(partition) else {
                return false;
            };
            let open = replicas.get(partition);
            cached.quiet = open.is_some_and(|open| is_quiet(open, cached, (replica, isolation), fixes));
            !cached.quiet
        });
    }

    /// Something happens, or is about to happen, to a partition: sessions look at it again.
    pub(super) fn stir(&mut self, partition: TopicPartition) {
        let Some(holders) = self.sessions.holders.get(&partition) else {
            return;
        };
        for index in 0..holders.len() {
            let holder = self
                .sessions
                .holders
                .get(&partition)
                .and_then(|holders| holders.get(index));
            if let Some(id) = holder.copied() {
                self.stir_in(id, partition);
            }
        }
    }

    /// Something happens that may concern every partition.
    pub(super) fn stir_all(&mut self) {
        let all: Vec<TopicPartition> = self.sessions.holders.keys().copied().collect();
        all.into_iter().for_each(|partition| self.stir(partition));
    }

    fn stir_in(&mut self, id: i32, partition: TopicPartition) {
        let Some(session) = self.sessions.all.get_mut(&id) else {
            return;
        };
        let (replica, used) = (session.replica, session.used);
        if session.stir(partition)
            && replica != CONSUMER_REPLICA
            && let Some(open) = self.replicas.get_mut(&partition)
        {
            open.partition.was_caught_up(replica, used);
        }
    }
}

/// Whether a read would bring nothing, an answer would say nothing, and a follower's request would tell nothing but that
/// it is still there.
fn is_quiet(open: &Replica, cached: &Cached, (replica, isolation): (NodeId, Isolation), fixes: Fixes) -> bool {
    let asked = &cached.asked;
    let follower = replica != CONSUMER_REPLICA;
    let (log, end) = (&open.log, open.log.end_offset());
    let at_end = if follower {
        asked.fetch_offset == end && log.high_watermark() == end && open.partition.is_settled(replica, end)
    } else {
        (readable_end(open, replica, isolation)..=end).contains(&asked.fetch_offset)
    };
    at_end
        && cached.high_watermark == log.high_watermark()
        && cached.log_start == log.log_start()
        && open
            .partition
            .check_leader_epoch(fencing_epoch(asked.current_leader_epoch, fixes), follower)
            .is_ok()
        && matches!(divergence(open, asked, fixes), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::types::TopicId;

    fn id(partition: i32) -> TopicPartition {
        TopicPartition::new(TopicId(1), partition)
    }

    fn session(replica: NodeId, partitions: i32, created: i64) -> Session {
        let mut session = Session {
            replica,
            isolation: Isolation::ReadUncommitted,
            epoch: 1,
            created,
            used: created,
            next_turn: 0,
            partitions: OrderedMap::new(),
            loud: Vec::new(),
            waiting: None,
        };
        for partition in 0..partitions {
            let asked = FetchPartition {
                partition: id(partition),
                current_leader_epoch: 0,
                fetch_offset: 0,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                max_bytes: 1,
            };
            session.add(asked, 4, 0);
        }
        session
    }

    fn answer(partition: i32, high_watermark: i64, error: ErrorCode) -> FetchedPartition {
        FetchedPartition {
            partition: id(partition),
            error,
            high_watermark,
            last_stable_offset: 4,
            log_start_offset: 0,
            diverging_epoch: None,
            current_leader: None,
            preferred_read_replica: None,
            aborted: Vec::new(),
            batches: Vec::new(),
        }
    }

    #[test]
    fn only_news_is_told_and_an_error_that_goes_away_is_news() {
        let mut session = session(CONSUMER_REPLICA, 1, 0);
        assert!(!session.has_news(&answer(0, 4, ErrorCode::None)));
        assert!(session.has_news(&answer(0, 5, ErrorCode::None)));
        assert!(!session.has_news(&answer(0, 5, ErrorCode::None)));
        assert!(session.has_news(&answer(0, 5, ErrorCode::OffsetOutOfRange)));
        assert!(session.has_news(&answer(0, 5, ErrorCode::None)));
        assert!(
            !session.has_news(&answer(7, 9, ErrorCode::None)),
            "it is not about that one"
        );
    }

    #[test]
    fn what_stirs_is_read_in_its_turn() {
        let mut session = session(2, 3, 0);
        session.loud.clear();
        session.partitions.values_mut().for_each(|cached| cached.quiet = true);
        assert!(session.stir(id(2)) && session.stir(id(0)) && !session.stir(id(2)));
        let order = |session: &Session| {
            session
                .loud()
                .map(|asked| asked.partition.partition)
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&session), [0, 2]);
        let full = FetchedPartition {
            batches: vec![
                crate::kafka::log::batch::BatchBuilder::new(0)
                    .build(None)
                    .expect("an empty batch"),
            ],
            ..answer(0, 4, ErrorCode::None)
        };
        session.rotate(&[full]);
        assert_eq!(order(&session), [2, 0], "it had records");
        session.stir(id(1));
        assert_eq!(order(&session), [1, 2, 0]);
    }

    #[test]
    fn a_follower_takes_the_place_of_a_consumer_and_nobody_that_of_a_young_follower() {
        let mut sessions = Sessions::default();
        sessions.all.insert(1, session(2, 3, 0));
        sessions.all.insert(2, session(CONSUMER_REPLICA, 3, 10));
        assert!(!sessions.make_room(2, CONSUMER_REPLICA, 9, 1_000), "too young");
        assert!(sessions.make_room(2, 3, 1, 1_000));
        assert_eq!(sessions.all.keys().copied().collect::<Vec<_>>(), [1]);
        assert!(!sessions.make_room(1, 3, 9, 1_000));
        assert!(
            sessions.make_room(1, CONSUMER_REPLICA, 1, EVICTION_MS + 1),
            "unused too long"
        );
        assert!(sessions.all.is_empty());
    }
}
