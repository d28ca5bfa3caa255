//! The producer's process: orders and inputs come in, the application's thread and the sender take turns.

use super::calls::{Block, Calls};
use super::idempotence::{Idempotence, Identity};
use super::metrics::ProducerMetrics;
use super::order::{ProducerOrder, ProducerTimer};
use super::sender::{InitId, Request};
use super::txn::Txn;
use super::txn_send::{Turn, TxnSender};
use crate::kafka::client::accumulator::{Accumulator, AccumulatorConfig};
use crate::kafka::client::backoff::Backoff;
use crate::kafka::client::bootstrap::Address;
use crate::kafka::client::buffer_pool::Ticket;
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::client::drain::Leaders;
use crate::kafka::client::log::{LogLine, producer_prefix};
use crate::kafka::client::metadata::{Metadata, Wanted};
use crate::kafka::client::network::{NetEvent, NetSettings, NetworkClient, RequestId};
use crate::kafka::client::partitioner::TopicView;
use crate::kafka::client::producer_batch::BatchId;
use crate::kafka::config::{ProducerConfig, Properties};
use crate::kafka::log::batch::Codec;
use crate::kafka::note::{Fact, Note};
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::types::{LeaderAndEpoch, NamedPartition, NodeId};
use crate::kafka::wire::{Ctx, Input, Order, Timer};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{Halt, Random, Span, Time, TimerId};
use std::rc::Rc;

/// How far `close()` is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// What is queued still goes out. The call that asked, and whether the process leaves then.
    Closing(Option<CallId>, bool),
    Closed,
}

/// What is worked out from the metadata, until they change.
#[derive(Clone, Debug, Default)]
pub(super) struct Views {
    changes: u32,
    pub topics: OrderedMap<Rc<str>, Rc<TopicView>>,
    /// Leaders that can be asked, by topic.
    pub leaders: OrderedMap<Rc<str>, Leaders>,
    /// The partitions that each node leads, by topic and number.
    pub led: Rc<OrderedMap<NodeId, Vec<NamedPartition>>>,
}

/// A producer.
#[derive(Clone, Debug)]
pub struct Producer {
    pub(super) config: ProducerConfig,
    client_id: Rc<str>,
    bootstrap: Rc<[Address]>,
    seed: u64,
    pub(super) net: NetworkClient,
    pub(super) random: Random,
    pub(super) accumulator: Accumulator,
    /// `None` without idempotence.
    pub(super) idempotence: Option<Idempotence>,
    /// With a `transactional.id`.
    pub(super) txn: Option<Txn>,
    pub(super) txn_sender: TxnSender,
    pub(super) calls: Calls,
    /// Batches that are not done.
    pub(super) incomplete: OrderedSet<BatchId>,
    /// Waiters for memory that got theirs.
    pub(super) granted: OrderedSet<Ticket>,
    pub(super) requests: OrderedMap<RequestId, Request>,
    pub(super) init: InitId,
    pub(super) views: Views,
    /// Per node: when it last had something to send, and could (`partitioner.availability.timeout.ms`), ms.
    pub(super) availability: OrderedMap<NodeId, (i64, i64)>,
    pub(super) metrics: ProducerMetrics,
    /// When the sender wants to look again.
    pub(super) next_look: Time,
    life: Life,
    timer: Option<(Time, TimerId)>,
}

impl Producer {
    /// A producer with these settings that begins at these addresses. An empty `client.id` setting is overridden by
    /// `client_id`.
    ///
    /// # Errors
    /// What its constructor throws.
    pub fn new(client_id: &str, bootstrap: &[Address], given: &Properties, seed: u64) -> Result<Producer, ClientError> {
        let config = ProducerConfig::from_map(given)?;
        Ok(Producer::of(config, client_id.into(), bootstrap.into(), seed))
    }

    fn of(config: ProducerConfig, client_id: Rc<str>, bootstrap: Rc<[Address]>, seed: u64) -> Producer {
        let wanted = Wanted::Used {
            topics: OrderedMap::new(),
            new: OrderedSet::new(),
            idle: Span::from_ms(config.metadata_max_idle_ms),
        };
        let backoff = Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        let max_age = Span::from_ms(config.metadata_max_age_ms);
        let metadata = Metadata::new(wanted, bootstrap.clone(), backoff, max_age);
        let random = Random::named(seed, &format!("producer/{client_id}/network"));
        let settings = NetSettings::from(&config);
        let prefix = producer_prefix(&client_id, config.transactional_id.as_deref());
        let net = NetworkClient::new((client_id.clone(), prefix), settings, metadata, random, |timer| {
            Timer::Producer(ProducerTimer::Net(timer))
        });
        let metrics = ProducerMetrics::new(config.sampling);
        Producer {
            accumulator: Accumulator::new(accumulator_config(&config)),
            idempotence: config
                .enable_idempotence
                .then(|| Idempotence::new(config.transactional_id.is_some())),
            txn: config.transactional_id.as_deref().map(|id| Txn::new(id.into())),
            txn_sender: TxnSender::default(),
            random: Random::named(seed, &format!("producer/{client_id}/records")),
            config,
            client_id,
            bootstrap,
            seed,
            net,
            calls: Calls::default(),
            incomplete: OrderedSet::new(),
            granted: OrderedSet::new(),
            requests: OrderedMap::new(),
            init: InitId::default(),
            views: Views::default(),
            availability: OrderedMap::new(),
            metrics,
            next_look: Time::NEVER,
            life: Life::Open,
            timer: None,
        }
    }

    // ---- what the lab looks at ----

    /// Its settings as they count.
    pub fn config(&self) -> &ProducerConfig {
        &self.config
    }

    /// Its connections and what it knows of the cluster.
    pub fn network(&self) -> &NetworkClient {
        &self.net
    }

    /// Producer id and epoch, if it has them.
    pub fn identity(&self) -> Option<Identity> {
        self.idempotence.as_ref()?.identity()
    }

    /// Where it stands with its transactions, if it makes any.
    pub fn transaction(&self) -> Option<&Txn> {
        self.txn.as_ref()
    }

    /// Records in batches that wait to be sent (again).
    pub fn buffered_records(&self) -> usize {
        self.accumulator.waiting().map(|batch| batch.record_count()).sum()
    }

    /// Records in requests without an answer.
    pub fn in_flight_records(&self) -> usize {
        let flights = self.requests.values().flat_map(|request| &request.flights);
        flights.map(|flight| flight.batch.record_count()).sum()
    }

    /// Records that somebody handed over and that have no answer, those blocked in `send()` too.
    pub fn open_records(&self) -> usize {
        self.calls.open_records()
    }

    /// Batches that wait.
    pub fn accumulator(&self) -> &Accumulator {
        &self.accumulator
    }

    /// What is in flight: the node and its batches.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values()
    }

    /// Its numbers.
    pub fn metrics(&self) -> &ProducerMetrics {
        &self.metrics
    }

    /// Was `close()` called?
    pub fn is_closed(&self) -> bool {
        self.life != Life::Open
    }

    // ---- the process ----

    /// Handles one input.
    pub fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match input {
            Input::Timer(Timer::Producer(ProducerTimer::Net(_))) => self.net.on_timer(ctx),
            Input::Timer(Timer::Producer(ProducerTimer::Wake)) => self.timer = None,
            Input::Order(Order::Producer(order)) => self.on_order(order, ctx),
            Input::Order(Order::Shutdown) => self.begin_close(None, true),
            other => drop(self.net.on_input(&other, ctx)),
        }
        if self.life != Life::Closed {
            self.turn(ctx);
        } else {
            self.hand_over(ctx);
        }
        self.return_calls(ctx);
        if self.life != Life::Closed {
            self.arm(ctx);
        }
    }

    /// The process is gone, with everything it knew.
    pub fn halt(&mut self, _how: Halt) {
        let (id, bootstrap) = (self.client_id.clone(), self.bootstrap.clone());
        *self = Producer::of(self.config.clone(), id, bootstrap, self.seed);
    }

    fn on_order(&mut self, order: ProducerOrder, ctx: &mut Ctx) {
        match order {
            ProducerOrder::Transaction { call, what } => self.begin_transactional(call, what, ctx),
            ProducerOrder::InTurn { call, what } => {
                self.wait_for_turn(Turn::Transaction(call, what), ctx);
            }
            ProducerOrder::Send { call, records, flush } if self.sends_in_turn() => {
                self.wait_for_turn(Turn::Send(call, records, flush), ctx);
            }
            ProducerOrder::Send { call, records, flush } => self.calls.begin(call, records, flush),
            ProducerOrder::Close { call } => self.begin_close(Some(call), false),
        }
    }

    /// What a producer without a transactional id answers. [TransactionManager.ensureTransactional,
    /// KafkaProducer.throwIfNoTransactionManager]
    pub(super) fn refuse_transaction(&self) -> ClientError {
        let text = match self.idempotence {
            Some(_) => "Transactional method invoked on a non-transactional producer.",
            None => {
                "Cannot use transactional methods without enabling transactions by setting the transactional.id configuration property"
            }
        };
        ClientError::new("IllegalStateException", text)
    }

    fn begin_close(&mut self, call: Option<CallId>, leave: bool) {
        let leave = leave || matches!(self.life, Life::Closing(_, true));
        self.life = Life::Closing(call, leave);
        self.accumulator.closed = true;
    }

    /// The application's thread and the sender, until neither has anything to do.
    fn turn(&mut self, ctx: &mut Ctx) {
        loop {
            for _ in 0..self.net.event_count() {
                let Some(event) = self.net.take_event() else { break };
                self.on_event(event, ctx);
            }
            self.hand_over(ctx);
            let took = self.take_turns(ctx);
            self.run_sender(ctx);
            let began = self.return_transactional(ctx) || took;
            // A sender that sleeps polls no network.
            let asleep = self.sleeps(ctx.now());
            let again = (!asleep && self.net.drive(ctx)) || self.someone_may_go_on() || began;
            if !again {
                break;
            }
        }
        let done = !self.accumulator.has_undrained() && self.net.in_flight() == 0 && self.requests.is_empty();
        if done && let Life::Closing(call, leave) = self.life {
            if self.close_transaction() {
                self.run_sender(ctx);
                self.net.drive(ctx);
            } else {
                self.end(call, leave, ctx);
            }
        }
    }

    /// Did the sender free memory that a blocked `send()` got?
    fn someone_may_go_on(&self) -> bool {
        let waits = |block| matches!(block, Block::Memory { ticket, .. } if self.granted.contains(&ticket));
        !self.granted.is_empty() && self.calls.blocks().any(|(_, block)| waits(block))
    }

    fn end(&mut self, call: Option<CallId>, leave: bool, ctx: &mut Ctx) {
        self.net.close(ctx);
        self.life = Life::Closed;
        if let Some((_, timer)) = self.timer.take() {
            ctx.cancel(timer);
        }
        // Whoever is still blocked in send() hears of it.
        self.hand_over(ctx);
        if let Some(call) = call {
            let result = Ok(Rc::new(Answer::Done));
            ctx.note(Note::from(Fact::Returned { call, result }));
        }
        if leave {
            ctx.exit();
        }
    }

    fn on_event(&mut self, event: NetEvent, ctx: &mut Ctx) {
        match event {
            NetEvent::Response {
                request, node, body, ..
            } => self.on_response(request, node, &body, ctx),
            NetEvent::Failed {
                request,
                node,
                timed_out,
            } => self.on_lost(request, node, timed_out, ctx),
            NetEvent::Disconnected(node) => self.init_lost(node, ctx),
            NetEvent::Connected(_) | NetEvent::MetadataUpdated => {}
        }
    }

    fn return_calls(&mut self, ctx: &mut Ctx) {
        let (done, flushes) = self.calls.take_done();
        self.accumulator.flushes -= flushes.min(self.accumulator.flushes);
        for (call, answer) in done {
            let result = Ok(answer);
            ctx.note(Note::from(Fact::Returned { call, result }));
        }
    }

    /// Works the views out again if the metadata changed.
    pub(super) fn refresh_views(&mut self) {
        let changes = self.net.metadata.changes();
        if self.views.changes == changes {
            return;
        }
        let mut led: OrderedMap<NodeId, Vec<NamedPartition>> = OrderedMap::new();
        let metadata = &self.net.metadata;
        let mut leaders = OrderedMap::new();
        for (name, topic) in &metadata.snapshot().topics {
            let of_topic = (0..topic.partitions.len() as i32).map(|number| {
                let known = topic.partition(number)?;
                metadata.node(known.leader)?;
                Some(LeaderAndEpoch {
                    leader: known.leader,
                    epoch: known.leader_epoch,
                })
            });
            leaders.insert(name.clone(), of_topic.collect());
            for partition in topic.partitions.iter().filter(|p| p.leader >= 0) {
                let named = NamedPartition {
                    topic: name.clone(),
                    partition: partition.partition,
                };
                led.entry(partition.leader).or_default().push(named);
            }
        }
        self.views = Views {
            changes,
            topics: OrderedMap::new(),
            leaders,
            led: Rc::new(led),
        };
    }

    /// Sets the timer for the next thing that only needs time.
    fn arm(&mut self, ctx: &mut Ctx) {
        let max_block = Span::from_ms(self.config.max_block_ms);
        let until = |block| match block {
            Block::Metadata { since, .. } => since + max_block,
            Block::Memory { until, .. } => until,
        };
        let blocked = self.calls.blocks().map(|(_, block)| until(block)).min();
        let wakes = self.wakes_at(ctx.now()).unwrap_or(Time::NEVER);
        let next = self.next_look.min(blocked.unwrap_or(Time::NEVER)).min(wakes);
        let next = next.min(self.transactional_deadline());
        match self.timer {
            // Too early does no harm: it looks and waits on.
            Some((armed, _)) if armed <= next => return,
            Some((_, timer)) => ctx.cancel(timer),
            None => {}
        }
        self.timer = None;
        if next < Time::NEVER {
            let timer = ctx.timer(next.since(ctx.now()), Timer::Producer(ProducerTimer::Wake));
            self.timer = Some((next, timer));
        }
    }

    /// Writes a line into the client's log.
    pub(super) fn log(&self, line: LogLine, weight: Weight, rule: &'static Rule, ctx: &mut Ctx) {
        self.net.log(line, weight, rule, ctx);
    }
}

fn accumulator_config(config: &ProducerConfig) -> AccumulatorConfig {
    AccumulatorConfig {
        batch_size: u32::try_from(config.batch_size).unwrap_or(u32::MAX),
        linger_ms: config.linger_ms,
        buffer_memory: u64::try_from(config.buffer_memory).unwrap_or(0),
        compression: match config.compression_type.as_str() {
            "gzip" => Codec::Gzip,
            "snappy" => Codec::Snappy,
            "lz4" => Codec::Lz4,
            "zstd" => Codec::Zstd,
            _ => Codec::None,
        },
        delivery_timeout_ms: config.delivery_timeout_ms,
        adaptive_partitioning: config.partitioner_adaptive_partitioning_enable,
        idempotent: config.enable_idempotence,
    }
}
