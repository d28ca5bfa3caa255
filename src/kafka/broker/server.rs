//! The running broker, whole: its parts, and which of them an input is for. [BrokerServer]

use super::alter_partition::AlterPartitionManager;
use super::channel::{Channel, ChannelKind};
use super::coordinator::Groups;
use super::fetch_sessions::Sessions;
use super::fetcher::Fetcher;
use super::lifecycle::{BrokerState, Lifecycle};
use super::link::Owner;
use super::metadata_observer::{Observer, StoredMetadata};
use super::metrics::BrokerMetrics;
use super::partition::BrokerStatus;
use super::producer_ids::ProducerIds;
use super::purgatory::Purgatory;
use super::replica_manager::{Clock, Replica};
use super::requests::Clients;
use super::share::Shares;
use super::slow_disk::Writes;
use super::transactions::Transactions;
use super::{BrokerTimer, Setup};
use crate::kafka::groups::GroupCoordinator;
use crate::kafka::log::files::LogFiles;
use crate::kafka::metadata::image::MetadataImage;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::kafka::wire::{Ctx, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Halt, Random, Span, TimerId};
use std::rc::Rc;

/// A log directory's entry of one partition.
#[derive(Clone, Debug)]
pub(super) struct StoredLog {
    /// The topic's name, as the folder has it.
    pub topic: Rc<str>,
    pub files: LogFiles,
}

/// What a broker's disk holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    /// Its copy of the metadata log, as far as it is committed. It is fsynced at once: nothing takes it but a wipe.
    pub metadata: StoredMetadata,
    /// Logs that are not open.
    pub logs: OrderedMap<TopicPartition, StoredLog>,
    /// `.kafka_cleanshutdown`: the broker epoch of the incarnation that shut down cleanly.
    pub clean_shutdown: Option<i64>,
}

impl Disk {
    /// A power failure; `now` in ms.
    pub fn lose_unflushed(&mut self, now: i64) {
        for log in self.logs.values_mut() {
            log.files.lose_unflushed(now);
        }
    }

    /// Deletes one partition's folder, or everything but `meta.properties`.
    pub fn wipe(&mut self, partition: Option<TopicPartition>) {
        match partition {
            Some(partition) => {
                self.logs.remove(&partition);
            }
            None => *self = Disk::default(),
        }
    }
}

/// The running broker.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub setup: Rc<Setup>,
    /// The clocks of this event.
    pub clock: Clock,
    pub random: Random,
    /// Logs that are not open: all of them until the first metadata are published, none later.
    pub stored: OrderedMap<TopicPartition, StoredLog>,
    /// The marker of a clean shutdown was there at the start.
    pub clean_start: Option<i64>,
    pub life: Lifecycle,
    pub observer: Observer,
    pub channels: [Channel; 3],
    pub owners: OrderedMap<ConnId, Owner>,
    pub clients: Clients,
    pub replicas: OrderedMap<TopicPartition, Replica>,
    pub fetchers: OrderedMap<NodeId, Fetcher>,
    pub sessions: Sessions,
    pub purgatory: Purgatory,
    pub isr_changes: AlterPartitionManager,
    pub producer_ids: ProducerIds,
    pub groups: Groups,
    pub transactions: Transactions,
    pub share: Box<Shares>,
    /// The disk refused a write: the process ends without closing anything.
    pub storage_failed: bool,
    /// What waits for a slow disk.
    pub writes: Writes,
    pub metrics: BrokerMetrics,
    /// The empty text, shared.
    pub nobody: Rc<str>,
    next_correlation: u32,
}

/// What the image says of a broker, as the replicas' rules ask for it.
pub(super) fn status_of(image: &MetadataImage, id: NodeId) -> Option<BrokerStatus> {
    image.brokers.get(&id).map(|broker| BrokerStatus {
        epoch: broker.epoch,
        fenced: broker.fenced,
        shutting_down: broker.in_controlled_shutdown,
    })
}

impl Server {
    /// The process starts: it registers, and reads the metadata log.
    pub fn start(setup: Rc<Setup>, disk: Disk, random: &mut Random, ctx: &mut Ctx) -> Server {
        let config = &setup.config;
        let heartbeat = Span::from_ms(config.broker_heartbeat_interval_ms);
        let socket = Span::from_ms(config.controller_socket_timeout_ms);
        let mut server = Server {
            clock: Clock::at(ctx, &setup),
            life: Lifecycle::new(random.bits(), disk.clean_shutdown.unwrap_or(-1)),
            observer: Observer::new(disk.metadata, &setup.controllers),
            channels: [
                Channel::new(ChannelKind::Heartbeat, Some(heartbeat), socket.min(heartbeat)),
                Channel::new(ChannelKind::AlterPartition, None, socket),
                Channel::new(ChannelKind::Forwarding, Some(Span::secs(60)), socket),
            ],
            // A branch of its own, so that a broker's later draws do not depend on how often others start.
            random: Random::named(random.bits(), "broker"),
            stored: disk.logs,
            clean_start: disk.clean_shutdown,
            owners: OrderedMap::new(),
            clients: Clients::default(),
            metrics: BrokerMetrics::default(),
            replicas: OrderedMap::new(),
            fetchers: OrderedMap::new(),
            sessions: Sessions::default(),
            purgatory: Purgatory::default(),
            isr_changes: AlterPartitionManager::default(),
            producer_ids: ProducerIds::default(),
            groups: Groups::new(GroupCoordinator::new(config, setup.node.id, random.bits())),
            transactions: Transactions::default(),
            share: Box::default(),
            storage_failed: false,
            writes: Writes::default(),
            nobody: "".into(),
            next_correlation: 0,
            setup,
        };
        server.begin_life(ctx);
        server.ask_quorum(ctx);
        server.after(ctx);
        server
    }

    /// Wall clock of the last event, ms.
    pub fn wall(&self) -> i64 {
        self.clock.wall
    }

    pub fn state(&self) -> BrokerState {
        self.life.state
    }

    pub fn broker_epoch(&self) -> i64 {
        self.life.broker_epoch
    }

    pub fn image(&self) -> &MetadataImage {
        self.observer.image()
    }

    pub fn me(&self) -> NodeId {
        self.setup.node.id
    }

    pub fn correlation(&mut self) -> u32 {
        self.next_correlation = self.next_correlation.wrapping_add(1);
        self.next_correlation
    }

    /// A timer fires.
    pub fn timer(&mut self, timer: BrokerTimer, ctx: &mut Ctx) {
        self.tick(ctx);
        match timer {
            BrokerTimer::ConnectTimeout(conn) => self.connect_timed_out(conn, ctx),
            BrokerTimer::QuorumRetry => self.quorum_retry(ctx),
            BrokerTimer::QuorumTimeout => self.quorum_timed_out(ctx),
            BrokerTimer::ChannelTimeout(kind) => self.channel_timed_out(kind, ctx),
            BrokerTimer::ChannelRetry(kind) => self.channel_retry(kind, ctx),
            BrokerTimer::Communicate => self.communicate(ctx),
            BrokerTimer::RegistrationTimeout => self.registration_timed_out(ctx),
            BrokerTimer::ShutdownTimeout => self.finish_shutdown(ctx),
            BrokerTimer::FetcherRetry(leader) => self.fetcher_retry(leader, ctx),
            BrokerTimer::FetcherTimeout(leader) => self.fetcher_timed_out(leader, ctx),
            BrokerTimer::Expire(id) => self.expire(id, ctx),
            BrokerTimer::CheckIsr => self.check_isrs(ctx),
            BrokerTimer::AlterPartitionRetry => self.propagate_isr_changes(ctx),
            BrokerTimer::CheckpointHighWatermarks => self.checkpoint_high_watermarks(ctx),
            BrokerTimer::CheckpointLogStarts => self.checkpoint_log_starts(ctx),
            BrokerTimer::CheckpointRecoveryPoints => self.checkpoint_recovery_points(ctx),
            BrokerTimer::CheckRetention => self.check_retention(ctx),
            BrokerTimer::CleanLogs => self.clean_logs(ctx),
            BrokerTimer::FlushLogs => self.flush_logs(ctx),
            BrokerTimer::ExpireProducers => self.expire_producers(ctx),
            BrokerTimer::Group(timer) => self.group_timer(timer, ctx),
            BrokerTimer::LoadCoordinator(partition, epoch) => self.load_coordinator(partition, epoch, ctx),
            BrokerTimer::ProducerIdsRetry => self.ask_for_producer_ids(ctx),
            BrokerTimer::AbortTimedOutTransactions => self.abort_timed_out_transactions(ctx),
            BrokerTimer::ExpireTransactionalIds => self.expire_transactional_ids(ctx),
            BrokerTimer::AppendTransactionAgain(token) => self.append_again(token, ctx),
            BrokerTimer::VerifyAgain(token) => self.verify_again(token, ctx),
            BrokerTimer::PeerTimeout(kind, node) => self.peer_timed_out(kind, node, ctx),
            BrokerTimer::PeerRetry(kind, node) => self.peer_retry(kind, node),
            BrokerTimer::DiskDone => self.disk_done(ctx),
            BrokerTimer::ShareStateTimeout(token) => self.share_state_timed_out(token, ctx),
            BrokerTimer::ShareStateRetry(token) => self.share_ask_again(token, ctx),
            BrokerTimer::ShareLock(serial) => self.share_locks_over(serial, ctx),
        }
    }

    /// A connection that this broker asked for stands.
    pub fn opened(&mut self, conn: ConnId, ctx: &mut Ctx) {
        self.tick(ctx);
        match self.owners.get(&conn) {
            Some(Owner::Quorum) => self.quorum_opened(conn, ctx),
            Some(Owner::Channel(kind)) => self.channel_opened(*kind, conn, ctx),
            Some(Owner::Fetcher(leader)) => self.fetcher_opened(*leader, conn, ctx),
            Some(Owner::Peer(kind, node)) => self.peer_opened(*kind, *node, conn, ctx),
            None => ctx.close(conn),
        }
    }

    /// A connection is refused or gone.
    pub fn closed(&mut self, conn: ConnId, ctx: &mut Ctx) {
        self.tick(ctx);
        match self.owners.remove(&conn) {
            Some(Owner::Quorum) => self.quorum_lost(ctx),
            Some(Owner::Channel(kind)) => self.channel_lost(kind, ctx),
            Some(Owner::Fetcher(leader)) => self.fetcher_lost(leader, ctx),
            Some(Owner::Peer(kind, node)) => self.peer_lost(kind, node, ctx),
            None => {
                self.clients.remove(conn);
                self.share_connection_gone(conn, ctx);
            }
        }
    }

    /// Somebody connected.
    pub fn accepted(&mut self, conn: ConnId) {
        self.clients.accept(conn);
    }

    /// A request of a client or another broker, or an answer to this broker.
    pub fn message(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        self.tick(ctx);
        match self.owners.get(&conn) {
            Some(Owner::Quorum) => self.quorum_answered(msg, ctx),
            Some(Owner::Channel(kind)) => self.channel_answered(*kind, msg, ctx),
            Some(Owner::Fetcher(leader)) => self.fetcher_answered(*leader, msg, ctx),
            Some(Owner::Peer(kind, node)) => self.peer_answered(*kind, *node, msg, ctx),
            None => match &msg.body {
                Body::Foreign(foreign) => self.refuse_foreign(conn, foreign, ctx),
                _ => self.request_arrived(conn, msg, ctx),
            },
        }
    }

    fn tick(&mut self, ctx: &Ctx) {
        self.clock.read(ctx);
    }

    /// What an input has made possible beyond its own answer: the next requests of connections that are free again,
    /// requests to the controller, fetches.
    pub fn after(&mut self, ctx: &mut Ctx) {
        self.serve_ready(ctx);
        self.after_transactions(ctx);
        self.serve_ready(ctx);
        self.drive_channels(ctx);
    }

    /// What stays on disk when the process ends.
    pub fn into_disk(mut self, how: Halt) -> Disk {
        let clean = how == Halt::Exit && !self.storage_failed;
        let wall = self.clock.wall;
        let mut logs = std::mem::take(&mut self.stored);
        for (partition, replica) in std::mem::take(&mut self.replicas) {
            let files = if clean {
                replica.log.close(wall)
            } else {
                replica.log.into_files()
            };
            let topic = replica.topic;
            logs.insert(partition, StoredLog { topic, files });
        }
        // Logs that were never opened are as a clean shutdown left them, but the marker went when this server opened
        // the directory; a server that never got that far leaves it.
        let unopened = self.clean_start.filter(|_| !self.observer.is_published());
        let clean_shutdown = match clean && self.observer.is_published() {
            true => Some(self.life.broker_epoch),
            false => unopened,
        };
        Disk {
            metadata: self.observer.into_stored(),
            logs,
            clean_shutdown,
        }
    }
}

/// Sets a timer of the broker.
pub(super) fn set_timer(ctx: &mut Ctx, after: Span, timer: BrokerTimer) -> TimerId {
    ctx.timer(after, Timer::Broker(timer))
}
