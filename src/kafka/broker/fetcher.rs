//! Replica fetchers: one for each leader that this broker follows, with one request under way at a time.
//! [ReplicaFetcherManager, AbstractFetcherThread, BrokerBlockingSender]

use super::BrokerTimer;
use super::link::{Link, Owner};
use super::note::BrokerNote;
use super::server::{Server, set_timer};
use crate::kafka::fetch_session::{FetchSession, Told};
use crate::kafka::fixes::Fix;
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::data::{
    EARLIEST_TIMESTAMP, FetchPartition, FetchRequest, Isolation, LATEST_TIMESTAMP, ListOffsetsPartition,
    ListOffsetsRequest, SessionPoint,
};
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::{NO_LEADER, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::ordered::SortSmall;
use crate::sim::{ConnId, Span, Time, TimerId};
use std::rc::Rc;

/// Where a fetcher is in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FetchState {
    pub offset: i64,
    /// The leader epoch in which it fetches.
    pub leader_epoch: i32,
    /// Epoch of the last record in the log.
    pub last_fetched_epoch: Option<i32>,
    /// Not fetched before this time.
    pub delayed_until: Option<Time>,
    /// OFFSET_OUT_OF_RANGE: the leader's offsets are asked for next.
    pub out_of_range: bool,
}

/// What a fetcher has asked for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// What its session says.
    Fetch,
    Latest(TopicPartition, i32),
    Earliest(TopicPartition, i32),
}

/// A fetcher. [ReplicaFetcherThread]
#[derive(Clone, Debug, Default)]
pub(super) struct Fetcher {
    pub link: Link,
    pub partitions: OrderedMap<TopicPartition, FetchState>,
    pub session: FetchSession,
    /// What may have changed since the session was told last.
    changed: Vec<TopicPartition>,
    /// How many partitions are delayed or out of range.
    held: usize,
    pub sent: Option<(u32, TimerId, Asked)>,
    retry: Option<(Time, TimerId)>,
    /// When it began to connect, and the time limit of that.
    connecting: Option<TimerId>,
}

impl FetchState {
    fn is_held(&self) -> bool {
        self.delayed_until.is_some() || self.out_of_range
    }
}

impl Fetcher {
    /// Takes over where it is in a partition.
    pub fn set(&mut self, partition: TopicPartition, state: FetchState) {
        self.held += usize::from(state.is_held());
        if let Some(old) = self.partitions.insert(partition, state) {
            self.held -= usize::from(old.is_held());
        }
        self.changed.push(partition);
    }

    /// A partition is not fetched any more.
    pub fn remove(&mut self, partition: TopicPartition) {
        if let Some(old) = self.partitions.remove(&partition) {
            self.held -= usize::from(old.is_held());
            self.changed.push(partition);
        }
    }

    /// What the leader is to be told of a partition may have changed.
    pub fn touch(&mut self, partition: TopicPartition) {
        if self.partitions.contains_key(&partition) {
            self.changed.push(partition);
        }
    }

    /// The partition whose leader's offsets must be asked for, if any.
    fn out_of_range(&self) -> Option<(TopicPartition, i32)> {
        if self.held == 0 {
            return None;
        }
        let mut states = self.partitions.iter();
        let found = states.find(|(_, state)| state.out_of_range && state.delayed_until.is_none());
        found.map(|(partition, state)| (*partition, state.leader_epoch))
    }

    /// Is any partition not delayed?
    fn is_ready(&self) -> bool {
        self.held < self.partitions.len() || self.partitions.values().any(|state| state.delayed_until.is_none())
    }

    /// Delays end that are over.
    fn wake(&mut self, now: Time) {
        if self.held == 0 {
            return;
        }
        let over = |state: &FetchState| state.delayed_until.is_some_and(|until| until <= now);
        let woken = self.partitions.iter().filter(|(_, state)| over(state));
        let woken: Vec<(TopicPartition, FetchState)> = woken.map(|(id, state)| (*id, *state)).collect();
        for (partition, state) in woken {
            let state = FetchState {
                delayed_until: None,
                ..state
            };
            self.set(partition, state);
        }
    }

    /// All partitions wait at least so long.
    fn delay_all(&mut self, until: Time) {
        for (partition, state) in &mut self.partitions {
            state.delayed_until = state.delayed_until.max(Some(until));
            self.changed.push(*partition);
        }
        self.held = self.partitions.len();
    }
}

impl Server {
    /// Follows a new leader epoch: the fetch begins at the log's end, or without any known epoch (and before KIP-101
    /// always) at the high watermark, to which the log is cut. [ReplicaManager.initialFetchOffset]
    pub(super) fn start_fetching(&mut self, partition: TopicPartition, leader: NodeId, epoch: i32, ctx: &mut Ctx) {
        if leader == NO_LEADER || !self.image().brokers.contains_key(&leader) {
            return;
        }
        let wall = self.clock.wall;
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        let log = &mut replica.log;
        let by_epochs = self.setup.fixes.has(Fix::Kip101) && log.latest_epoch().is_some();
        if !by_epochs && log.high_watermark() < log.end_offset() {
            let cut = log.truncate_to(log.high_watermark(), wall);
            let (from, to) = (cut.from, cut.to);
            ctx.note(Note::Fact(Fact::Truncated { partition, from, to }));
            ctx.note(Note::Broker(BrokerNote::CutToHighWatermark { partition, from, to }));
        }
        let state = FetchState {
            offset: log.end_offset(),
            leader_epoch: epoch,
            last_fetched_epoch: log.latest_epoch().filter(|_| by_epochs),
            delayed_until: None,
            out_of_range: false,
        };
        let fetcher = self.fetchers.entry(leader).or_default();
        fetcher.set(partition, state);
    }

    /// No fetcher has the partition any more; an answer under way is ignored for it.
    pub(super) fn stop_fetching(&mut self, partition: TopicPartition) {
        for fetcher in self.fetchers.values_mut() {
            fetcher.remove(partition);
        }
    }

    /// Ends fetchers without partitions. [shutdownIdleFetcherThreads]
    pub(super) fn retire_fetchers(&mut self, ctx: &mut Ctx) {
        let owners = &mut self.owners;
        self.fetchers.retain(|_, fetcher| {
            let idle = fetcher.partitions.is_empty();
            if idle {
                if let Some(conn) = fetcher.link.close(ctx) {
                    owners.remove(&conn);
                }
                fetcher.stop_waiting(ctx);
            }
            !idle
        });
    }

    pub(super) fn drive_fetchers(&mut self, ctx: &mut Ctx) {
        let idle: Vec<NodeId> = self
            .fetchers
            .iter()
            .filter(|(_, fetcher)| fetcher.sent.is_none())
            .map(|(leader, _)| *leader)
            .collect();
        for leader in idle {
            self.drive_fetcher(leader, ctx);
        }
    }

    /// Sends the next request of a fetcher, if there is anything to ask for.
    pub(super) fn drive_fetcher(&mut self, leader: NodeId, ctx: &mut Ctx) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        if fetcher.sent.is_some() || fetcher.connecting.is_some() {
            return;
        }
        let now = ctx.now();
        fetcher.wake(now);
        if !fetcher.is_ready() {
            self.wait_for_delayed(leader, ctx);
            return;
        }
        match fetcher.link.open() {
            Some(conn) => self.send_fetch(leader, conn, ctx),
            None => self.connect_fetcher(leader, ctx),
        }
    }

    /// Wakes up when the first delayed partition is due.
    fn wait_for_delayed(&mut self, leader: NodeId, ctx: &mut Ctx) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        let Some(due) = fetcher.partitions.values().filter_map(|s| s.delayed_until).min() else {
            return;
        };
        match fetcher.retry {
            Some((at, _)) if at <= due => return,
            Some((_, timer)) => ctx.cancel(timer),
            None => {}
        }
        let timer = set_timer(ctx, due.since(ctx.now()), BrokerTimer::FetcherRetry(leader));
        fetcher.retry = Some((due, timer));
    }

    pub(super) fn fetcher_retry(&mut self, leader: NodeId, ctx: &mut Ctx) {
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.retry = None;
        }
        self.drive_fetcher(leader, ctx);
    }

    fn connect_fetcher(&mut self, leader: NodeId, ctx: &mut Ctx) {
        let setup = Rc::clone(&self.setup);
        let address = self.observer.image().brokers.get(&leader);
        let Some((host, port)) = address.map(|broker| (broker.node.host.clone(), broker.node.port)) else {
            self.delay_all(leader, ctx);
            return;
        };
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        match fetcher.link.connect(&host, port, &setup, &mut self.random, ctx) {
            Some(conn) => {
                let limit = Span::from_ms(setup.config.replica_socket_timeout_ms);
                fetcher.connecting = Some(set_timer(ctx, limit, BrokerTimer::FetcherTimeout(leader)));
                self.owners.insert(conn, Owner::Fetcher(leader));
            }
            None => self.delay_all(leader, ctx),
        }
    }

    fn send_fetch(&mut self, leader: NodeId, conn: ConnId, ctx: &mut Ctx) {
        let Some(fetcher) = self.fetchers.get(&leader) else {
            return;
        };
        let (asked, body) = match fetcher.out_of_range() {
            Some((partition, epoch)) => {
                let body = self.offset_request(partition, epoch, LATEST_TIMESTAMP);
                (Asked::Latest(partition, epoch), body)
            }
            None => (Asked::Fetch, self.fetch_request(leader)),
        };
        self.send_to_leader(leader, conn, asked, body, ctx);
    }

    pub(super) fn send_to_leader(&mut self, leader: NodeId, conn: ConnId, asked: Asked, body: Body, ctx: &mut Ctx) {
        let correlation = self.correlation();
        let limit = Span::from_ms(self.setup.config.replica_socket_timeout_ms);
        let timer = set_timer(ctx, limit, BrokerTimer::FetcherTimeout(leader));
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        fetcher.sent = Some((correlation, timer, asked));
        ctx.send(
            conn,
            Msg {
                correlation,
                client: self.nobody.clone(),
                body,
            },
        );
    }

    fn fetch_request(&mut self, leader: NodeId) -> Body {
        let config = &self.setup.config;
        let clamp = |bytes: i64| i32::try_from(bytes).unwrap_or(i32::MAX);
        let replicas = &self.replicas;
        let wanted = |partition: &TopicPartition, state: &FetchState| {
            let replica = replicas.get(partition).filter(|_| !state.is_held())?;
            Some(FetchPartition {
                partition: *partition,
                current_leader_epoch: state.leader_epoch,
                fetch_offset: state.offset,
                last_fetched_epoch: state.last_fetched_epoch.unwrap_or(-1),
                log_start_offset: replica.log.log_start(),
                max_bytes: clamp(config.replica_fetch_max_bytes),
            })
        };
        let mut told = Told::default();
        let mut session = SessionPoint::NONE;
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            session = fetcher.session.point();
            let mut changed = std::mem::take(&mut fetcher.changed);
            if session.is_full() {
                let all = fetcher.partitions.iter();
                told = fetcher
                    .session
                    .begin(all.filter_map(|(id, state)| wanted(id, state)).collect());
            } else {
                changed.sort_small();
                changed.dedup();
                for partition in &changed {
                    let state = fetcher.partitions.get(partition);
                    let now = state.and_then(|state| wanted(partition, state));
                    fetcher.session.tell(*partition, now, &mut told);
                }
            }
            changed.clear();
            fetcher.changed = changed;
        }
        Body::from(FetchRequest {
            replica: self.me(),
            broker_epoch: self.life.broker_epoch,
            max_wait_ms: clamp(config.replica_fetch_wait_max_ms),
            min_bytes: clamp(config.replica_fetch_min_bytes),
            max_bytes: clamp(config.replica_fetch_response_max_bytes),
            isolation: Isolation::ReadUncommitted,
            rack: self.nobody.clone(),
            session,
            partitions: told.partitions,
            forgotten: told.forgotten,
        })
    }

    fn offset_request(&self, partition: TopicPartition, epoch: i32, timestamp: i64) -> Body {
        Body::from(ListOffsetsRequest {
            replica: self.me(),
            isolation: Isolation::ReadUncommitted,
            partitions: vec![ListOffsetsPartition {
                partition,
                current_leader_epoch: epoch,
                timestamp,
            }],
        })
    }

    /// Asks for the leader's log start, after its end.
    pub(super) fn ask_earliest(&mut self, leader: NodeId, partition: TopicPartition, epoch: i32, ctx: &mut Ctx) {
        let conn = self.fetchers.get(&leader).and_then(|fetcher| fetcher.link.open());
        if let Some(conn) = conn {
            let body = self.offset_request(partition, epoch, EARLIEST_TIMESTAMP);
            self.send_to_leader(leader, conn, Asked::Earliest(partition, epoch), body, ctx);
        }
    }

    pub(super) fn fetcher_opened(&mut self, leader: NodeId, conn: ConnId, ctx: &mut Ctx) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        fetcher.link.opened(conn, ctx);
        if let Some(timer) = fetcher.connecting.take() {
            ctx.cancel(timer);
        }
        self.drive_fetcher(leader, ctx);
    }

    /// The leader cannot be reached: all partitions of the fetcher wait `replica.fetch.backoff.ms`.
    pub(super) fn fetcher_lost(&mut self, leader: NodeId, ctx: &mut Ctx) {
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.link.lost(ctx);
            fetcher.stop_waiting(ctx);
        }
        ctx.note(Note::Broker(BrokerNote::LeaderUnreachable { leader }));
        self.delay_all(leader, ctx);
    }

    /// No connection, or no answer, within `replica.socket.timeout.ms`.
    pub(super) fn fetcher_timed_out(&mut self, leader: NodeId, ctx: &mut Ctx) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        if let Some(conn) = fetcher.link.close(ctx) {
            self.owners.remove(&conn);
        }
        self.fetcher_lost(leader, ctx);
    }

    fn delay_all(&mut self, leader: NodeId, ctx: &mut Ctx) {
        let until = ctx.now() + Span::from_ms(self.setup.config.replica_fetch_backoff_ms);
        if let Some(fetcher) = self.fetchers.get_mut(&leader) {
            fetcher.session.lost();
            fetcher.delay_all(until);
        }
        self.wait_for_delayed(leader, ctx);
    }
}

impl Fetcher {
    fn stop_waiting(&mut self, ctx: &mut Ctx) {
        if let Some((_, timer, _)) = self.sent.take() {
            ctx.cancel(timer);
        }
        if let Some((_, timer)) = self.retry.take() {
            ctx.cancel(timer);
        }
        if let Some(timer) = self.connecting.take() {
            ctx.cancel(timer);
        }
    }
}
