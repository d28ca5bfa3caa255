//! A broker: the replicas, the requests, the fetchers, its life with the controller.
//!
//! [`Broker`] is the process: what its disk holds while it is down, and a [`server::Server`] while it runs. A request's
//! way: `requests` (one at a time on each connection) -> `produce`, `fetch`, `list_offsets`, ... -> the replica's rules
//! (`partition`) and its log. What must wait lies in the `purgatory`; what only the controller may decide goes through
//! a `channel`; what the controller decided comes in by the `metadata_observer`.

mod alter_partition;
mod channel;
mod cleaner;
mod configs;
mod coordinator;
mod delete_records;
mod describe;
mod fetch;
mod fetch_response;
mod fetch_sessions;
mod fetcher;
pub mod follower;
mod forwarding;
pub mod high_watermark;
pub mod isr;
mod lifecycle;
mod link;
mod list_offsets;
mod loading;
mod log_dirs;
mod log_manager;
mod metadata_observer;
mod metrics;
pub mod note;
pub mod partition;
#[cfg(test)]
mod partition_tests;
mod produce;
mod producer_ids;
mod publisher;
mod purgatory;
mod replica_manager;
mod replica_view;
mod requests;
mod server;
#[cfg(test)]
mod server_tests;
pub mod share;
mod slow_disk;
#[cfg(test)]
mod test_world;
pub mod transactions;

use super::config::{BrokerConfig, ConfigError, Properties};
use super::fixes::{Fix, Fixes};
use super::groups::{GroupCoordinator, GroupTimer};
use super::listeners::Listeners;
use super::metadata::image::MetadataImage;
use super::protocol::data::BrokerNode;
use super::types::{NodeId, TopicPartition};
use super::wire::{Ctx, Input, Order};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Halt, Random};
pub use channel::ChannelKind;
pub use lifecycle::BrokerState;
pub use replica_view::{ReplicaRole, ReplicaView};
use server::{Disk, Server};
use share::view::SharePartitionView;
use std::rc::Rc;
use transactions::{PeerKind, TransactionView};

/// What a broker waits for.
#[derive(Clone, Debug)]
pub enum BrokerTimer {
    /// A connection attempt takes too long.
    ConnectTimeout(ConnId),
    /// The metadata log may be asked for again.
    QuorumRetry,
    /// The quorum does not answer.
    QuorumTimeout,
    /// A request to the controller got no answer in time.
    ChannelTimeout(ChannelKind),
    /// A channel to the controller may try again.
    ChannelRetry(ChannelKind),
    /// Register or send a heartbeat.
    Communicate,
    /// `initial.broker.registration.timeout.ms` is over.
    RegistrationTimeout,
    /// Controlled shutdown takes too long.
    ShutdownTimeout,
    /// A fetcher may go on: its earliest delayed partition is due, or it may connect again.
    FetcherRetry(NodeId),
    /// A leader does not answer within `replica.socket.timeout.ms`.
    FetcherTimeout(NodeId),
    /// A request in the purgatory has waited long enough.
    Expire(u64),
    /// The ISRs are looked at, every half `replica.lag.time.max.ms`.
    CheckIsr,
    /// ISR changes are sent again after an error.
    AlterPartitionRetry,
    CheckpointHighWatermarks,
    CheckpointLogStarts,
    CheckpointRecoveryPoints,
    CheckRetention,
    /// The log cleaner looks for dirty logs.
    CleanLogs,
    FlushLogs,
    ExpireProducers,
    /// The group coordinator wants to be woken.
    Group(GroupTimer),
    /// A coordinator has read its partition, in this leader epoch.
    LoadCoordinator(TopicPartition, i32),
    /// A block of producer ids is asked for again.
    ProducerIdsRetry,
    /// Transactions that ran out of time are looked for.
    AbortTimedOutTransactions,
    /// Transactional ids that nobody uses are looked for.
    ExpireTransactionalIds,
    /// A complete transaction is appended again.
    AppendTransactionAgain(u64),
    /// The coordinator is asked again about a write.
    VerifyAgain(u64),
    /// Another broker does not answer.
    PeerTimeout(PeerKind, NodeId),
    /// A connection to another broker may be tried again.
    PeerRetry(PeerKind, NodeId),
    /// A write of share state was not committed in time.
    ShareStateTimeout(u64),
    /// The share coordinator may be asked again.
    ShareStateRetry(u64),
    /// Acquisition locks of a share partition end.
    ShareLock(u64),
    /// A slow disk has written what it was given first.
    DiskDone,
}

/// What a broker was made with; nothing here changes.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `node.id`, advertised address and rack.
    pub node: BrokerNode,
    /// Static settings, as given.
    pub properties: Properties,
    /// The same, typed.
    pub config: BrokerConfig,
    /// Controllers and their hosts, with the port if it is not the usual one.
    pub controllers: OrderedMap<NodeId, Rc<str>>,
    pub listeners: Listeners,
    /// From `meta.properties`, written when the storage was formatted.
    pub cluster_id: Rc<str>,
    /// Famous fixes that its version has.
    pub fixes: Fixes,
}

impl Setup {
    /// What a follower that goes on fetching says of its last epoch. Before KIP-320 the logs were compared once, when the
    /// leader epoch began; before KIP-101 never.
    fn epochs_to_tell(&self, epoch: Option<i32>) -> Option<i32> {
        epoch.filter(|_| self.fixes.has(Fix::Kip101) && self.fixes.has(Fix::Kip320))
    }
}

/// A broker process, running or not.
#[derive(Clone, Debug)]
pub struct Broker {
    setup: Rc<Setup>,
    /// What is on disk; taken over by the server while it runs.
    disk: Disk,
    random: Random,
    server: Option<Box<Server>>,
}

impl Broker {
    /// A broker on a formatted disk that was never started.
    ///
    /// # Errors
    /// What it says when it refuses its settings.
    pub fn new(
        node: BrokerNode,
        properties: Properties,
        seed: u64,
        controllers: OrderedMap<NodeId, Rc<str>>,
        cluster_id: Rc<str>,
    ) -> Result<Broker, ConfigError> {
        let config = BrokerConfig::from_map(&properties)?;
        let random = Random::named(seed, &format!("broker/{}", node.id));
        Ok(Broker {
            setup: Rc::new(Setup {
                node,
                properties,
                config,
                controllers,
                listeners: Listeners::default(),
                cluster_id,
                fixes: Fixes::default(),
            }),
            disk: Disk::default(),
            random,
            server: None,
        })
    }

    /// The same broker with other listeners than the one of the default settings; before its first start.
    pub fn listening_on(mut self, listeners: Listeners) -> Broker {
        Rc::make_mut(&mut self.setup).listeners = listeners;
        self
    }

    /// The same broker with these fixes only.
    pub fn with_fixes(mut self, fixes: Fixes) -> Broker {
        Rc::make_mut(&mut self.setup).fixes = fixes;
        self
    }

    /// `node.id`
    pub fn id(&self) -> NodeId {
        self.setup.node.id
    }

    /// What it was made with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Changes `server.properties`, read at the next start; `rack` stands for `broker.rack`, if given.
    ///
    /// # Errors
    /// What the broker would say when it starts.
    pub fn configure(&mut self, changes: &Properties, rack: Option<Rc<str>>) -> Result<(), ConfigError> {
        let mut properties = self.setup.properties.clone();
        properties.extend(changes.iter().map(|(key, value)| (key.clone(), value.clone())));
        let mut node = self.setup.node.clone();
        node.rack = rack.or(node.rack);
        self.setup = Rc::new(Setup {
            node,
            config: BrokerConfig::from_map(&properties)?,
            properties,
            controllers: self.setup.controllers.clone(),
            listeners: self.setup.listeners.clone(),
            cluster_id: self.setup.cluster_id.clone(),
            fixes: self.setup.fixes,
        });
        Ok(())
    }

    /// One thing that happens to it.
    pub fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        if let Input::Start = input {
            let disk = std::mem::take(&mut self.disk);
            let server = Server::start(self.setup.clone(), disk, &mut self.random, ctx);
            self.server = Some(Box::new(server));
            return;
        }
        let Some(server) = &mut self.server else { return };
        match input {
            Input::Start => {}
            Input::Timer(super::wire::Timer::Broker(timer)) => server.timer(timer, ctx),
            Input::Timer(_) => {}
            Input::Opened(conn) => server.opened(conn, ctx),
            Input::Refused(conn) | Input::Closed(conn) => server.closed(conn, ctx),
            Input::Accepted(conn, _) => server.accepted(conn),
            Input::Message(conn, msg) => server.message(conn, msg, ctx),
            Input::Order(Order::Shutdown) => server.shut_down(ctx),
            Input::Order(_) => {}
        }
        server.after(ctx);
    }

    /// The process is gone: what is left is what its disk holds. A crash keeps the page cache, a power failure cuts
    /// every segment to what was flushed, an orderly exit closes the logs and leaves the marker of a clean shutdown.
    pub fn halt(&mut self, how: Halt) {
        let wall = match self.server.take() {
            Some(server) => {
                let wall = server.wall();
                self.disk = server.into_disk(how);
                wall
            }
            None => 0,
        };
        if how == Halt::PowerLoss {
            self.disk.lose_unflushed(wall);
        }
    }

    /// Deletes the folder of one partition, or everything but `meta.properties`; does nothing while it runs.
    pub fn wipe(&mut self, partition: Option<TopicPartition>) {
        if self.server.is_none() {
            self.disk.wipe(partition);
        }
    }

    /// Where it is in its life.
    pub fn state(&self) -> BrokerState {
        self.server
            .as_ref()
            .map_or(BrokerState::NotRunning, |server| server.state())
    }

    /// The epoch that the controller gave its registration; -1 before it, and while it is down.
    pub fn broker_epoch(&self) -> i64 {
        self.server.as_ref().map_or(-1, |server| server.broker_epoch())
    }

    /// The cluster as this broker knows it; while it is down: as its copy of the metadata log tells it.
    pub fn image(&self) -> &MetadataImage {
        match &self.server {
            Some(server) => server.image(),
            None => &self.disk.metadata.image,
        }
    }

    /// Its replicas in the order of their ids. While it is down: the logs on its disk, with what is in their files.
    pub fn replicas(&self) -> Vec<ReplicaView<'_>> {
        match &self.server {
            Some(server) => server.replicas(),
            None => self.disk.replicas(),
        }
    }

    /// One replica.
    pub fn replica(&self, partition: TopicPartition) -> Option<ReplicaView<'_>> {
        match &self.server {
            Some(server) => server.replica(partition),
            None => self.disk.replica(partition),
        }
    }

    /// Its group coordinator, while it runs.
    pub fn groups(&self) -> Option<&GroupCoordinator> {
        self.server.as_ref().and_then(|server| server.groups.coordinator())
    }

    /// The transactional ids that it coordinates; none while it is down.
    pub fn transactions(&self) -> impl Iterator<Item = TransactionView<'_>> {
        self.server.iter().flat_map(|server| server.transactions())
    }

    /// The share partitions that it hands out records of; none while it is down.
    pub fn share_partitions(&self) -> impl Iterator<Item = SharePartitionView<'_>> {
        let cache = self.server.iter().flat_map(|server| server.share.cache.iter());
        cache.map(|(key, shared)| SharePartitionView::of(key, shared))
    }

    /// Records that a power failure would take from its disk.
    pub fn unflushed(&self) -> i64 {
        self.replicas().iter().map(|replica| replica.unflushed()).sum()
    }
}
