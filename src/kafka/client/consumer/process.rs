//! The consumer as a process: its threads (application, heartbeat) and its network, driven by one input at a time.
//!
//! The Java client is driven by the calls of its user. Here `poll()` is one long call: it is looked at again whenever
//! something came in or is due, instead of returning empty and being called again.

use super::application::{Application, Stage};
use super::calls::Pending;
use super::commits::Commits;
use super::coordinator::Coordinator;
use super::fetcher::Fetcher;
use super::metrics::ConsumerMetrics;
use super::modern::Modern;
use super::outbox::Outbox;
use super::position::ResetTo;
use super::positions::Positions;
use super::share::Share;
use super::subscription::Subscription;
use super::{ConsumerOrder, ConsumerTimer};
use crate::kafka::client::backoff::Backoff;
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::client::log::consumer_prefix;
use crate::kafka::client::metadata::Metadata;
use crate::kafka::client::network::{NetEvent, NetSettings, NetworkClient};
use crate::kafka::config::consumer::GroupProtocol;
use crate::kafka::config::{ConfigError, ConsumerConfig, Properties};
use crate::kafka::fixes::{Fix, Fixes};
use crate::kafka::note::Fact;
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Input, Order, Timer};
use crate::ordered::OrderedSet;
use crate::sim::{Halt, Random, Span, Time, TimerId};
use std::collections::VecDeque;
use std::rc::Rc;

/// A classic consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub(super) config: Rc<ConsumerConfig>,
    pub(super) client_id: Rc<str>,
    pub(super) net: NetworkClient,
    pub(super) outbox: Outbox,
    pub(super) subscription: Subscription,
    pub(super) fetcher: Fetcher,
    pub(super) positions: Positions,
    /// Only with a group.
    pub(super) coordinator: Option<Coordinator>,
    /// Only with a group and `group.protocol=consumer`.
    pub(super) modern: Option<Box<Modern>>,
    /// Only of a share consumer.
    pub(super) share: Option<Box<Share>>,
    pub(super) commits: Commits,
    pub(super) retry: Backoff,
    pub(super) random: Random,
    pub(super) orders: VecDeque<ConsumerOrder>,
    /// The call that the user's thread is in, the poll loop's polls apart.
    pub(super) pending: Option<Pending>,
    pub(super) application: Application,
    pub(super) commit_on_revoke: bool,
    /// Topics that a call needs just now.
    pub(super) transient: OrderedSet<Rc<str>>,
    pub(super) metrics: ConsumerMetrics,
    pub(super) last_error: Option<ClientError>,
    pub(super) closed: bool,
    /// It was told to end: when closed it exits.
    pub(super) exiting: bool,
    wake: Option<(Time, TimerId)>,
    /// It remembers the leader epoch of what it read (KIP-320).
    pub(super) keeps_epochs: bool,
}

impl Consumer {
    /// The same consumer with these fixes only.
    pub fn with_fixes(mut self, fixes: Fixes) -> Consumer {
        self.keeps_epochs = fixes.has(Fix::Kip320);
        self
    }

    /// A consumer named `client_id`. `bootstrap`: hosts and ports; `group`: `group.id` besides what `config` says.
    ///
    /// # Errors
    /// The exception of the Java constructor.
    pub fn new(
        client_id: &str,
        bootstrap: &[(Rc<str>, u16)],
        group: Option<Rc<str>>,
        config: Properties,
        seed: u64,
    ) -> Result<Consumer, ClientError> {
        let config = ConsumerConfig::from_map(&with_group(config, group)).map_err(thrown)?;
        Ok(Consumer::build(client_id, bootstrap, config, false, seed))
    }

    /// A share consumer (KIP-932), likewise.
    ///
    /// # Errors
    /// The exception of the Java constructor.
    pub fn new_share(
        client_id: &str,
        bootstrap: &[(Rc<str>, u16)],
        group: Option<Rc<str>>,
        config: Properties,
        seed: u64,
    ) -> Result<Consumer, ClientError> {
        let config = ConsumerConfig::of_share(&with_group(config, group)).map_err(thrown)?;
        Ok(Consumer::build(client_id, bootstrap, config, true, seed))
    }

    fn build(
        client_id: &str,
        bootstrap: &[(Rc<str>, u16)],
        config: ConsumerConfig,
        shares: bool,
        seed: u64,
    ) -> Consumer {
        let retry = Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        let subscription = Subscription::new(ResetTo::of(config.auto_offset_reset));
        let wanted = subscription.wanted(config.allow_auto_create_topics, &OrderedSet::new());
        let max_age = Span::from_ms(config.metadata_max_age_ms);
        let metadata = Metadata::new(wanted, bootstrap.into(), retry, max_age);
        let client_id: Rc<str> = client_id.into();
        let prefix = consumer_prefix(
            &client_id,
            config.group_id.as_deref(),
            config.group_instance_id.as_deref(),
        );
        let net = NetworkClient::new(
            (client_id.clone(), prefix),
            NetSettings::from(&config),
            metadata,
            Random::named(seed, &format!("consumer/{client_id}/network")),
            |timer| Timer::Consumer(ConsumerTimer::Net(timer)),
        );
        let metrics = ConsumerMetrics::new(config.sampling);
        let group: Option<Rc<str>> = config.group_id.as_deref().map(Rc::from);
        let consumer_protocol = group.is_some() && (shares || config.group_protocol == GroupProtocol::Consumer);
        let fetcher = Fetcher::new(&config.client_rack);
        Consumer {
            share: shares.then(|| Box::new(Share::new(&config))),
            coordinator: group.map(Coordinator::new),
            modern: consumer_protocol.then(|| Box::new(Modern::new(client_id.clone()))),
            config: Rc::new(config),
            net,
            outbox: Outbox::default(),
            subscription,
            fetcher,
            positions: Positions::default(),
            commits: Commits::default(),
            retry,
            random: Random::named(seed, &format!("consumer/{client_id}")),
            client_id,
            orders: VecDeque::new(),
            pending: None,
            application: Application::default(),
            commit_on_revoke: false,
            transient: OrderedSet::new(),
            metrics,
            last_error: None,
            keeps_epochs: true,
            closed: false,
            exiting: false,
            wake: None,
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        if self.net.on_input(&input, ctx) {
            return self.run(ctx);
        }
        match input {
            Input::Start => self.start(ctx),
            Input::Timer(Timer::Consumer(ConsumerTimer::Net(_))) => self.net.on_timer(ctx),
            Input::Timer(Timer::Consumer(ConsumerTimer::Wake)) => self.wake = None,
            Input::Order(Order::Consumer(order)) => self.orders.push_back(order),
            Input::Order(Order::Shutdown) => {
                self.exiting = true;
                let call = CallId::default();
                self.orders.push_back(ConsumerOrder::Close { call, leave: None });
            }
            _ => {}
        }
        self.run(ctx);
    }

    /// The process is gone; nothing of a client outlives it.
    pub fn halt(&mut self, _how: Halt) {
        self.orders.clear();
        self.pending = None;
        self.application.on = false;
        self.closed = true;
        self.wake = None;
    }

    fn start(&mut self, ctx: &mut Ctx) {
        let interval = Span::from_ms(self.config.auto_commit_interval_ms);
        self.commits.next_auto = ctx.now() + interval;
    }

    /// Does everything that can be done now.
    fn run(&mut self, ctx: &mut Ctx) {
        loop {
            let mut moved = false;
            if self.is_awake() {
                moved |= self.take_network(ctx);
            }
            moved |= self.run_heartbeat(ctx);
            moved |= self.run_modern(ctx);
            moved |= self.drive_share(ctx);
            moved |= self.run_user(ctx);
            moved |= self.send_outbox(ctx);
            if self.is_awake() {
                moved |= self.net.drive(ctx);
            }
            if !moved {
                break;
            }
        }
        self.arm(ctx);
    }

    /// Does a thread look at the network? Without one answers wait in the socket.
    fn is_awake(&self) -> bool {
        let commits = matches!(self.application.stage, Stage::Committing(..));
        let user = self.pending.is_some() || self.in_poll() || commits || !self.orders.is_empty();
        let heartbeat = self.modern.is_some() || self.coordinator.as_ref().is_some_and(|c| c.heartbeat.enabled);
        !self.closed && (user || heartbeat || self.outbox.has_unsent())
    }

    fn take_network(&mut self, ctx: &mut Ctx) -> bool {
        let count = self.net.event_count();
        for _ in 0..count {
            let Some(event) = self.net.take_event() else { break };
            match event {
                NetEvent::Response {
                    request,
                    node,
                    body,
                    took,
                } => {
                    if let Some(purpose) = self.outbox.answered(request) {
                        self.metrics.answered(&purpose, took, ctx.now());
                        self.on_answer(purpose, node, &body, ctx);
                    }
                }
                NetEvent::Failed { request, node, .. } => {
                    if let Some(purpose) = self.outbox.answered(request) {
                        self.on_lost(purpose, node, &super::outbox::Failure::disconnect(), ctx);
                    }
                }
                NetEvent::Disconnected(node) => self.lose_unsent(node, ctx),
                NetEvent::Connected(_) | NetEvent::MetadataUpdated => {}
            }
        }
        count > 0
    }

    /// What waits for a node's connection fails with it, before anybody looks whether the node is there.
    /// [ConsumerNetworkClient.checkDisconnects]
    fn lose_unsent(&mut self, node: NodeId, ctx: &mut Ctx) {
        if !self.net.connection_failed(node) {
            return;
        }
        for lost in self.outbox.lose(node) {
            self.on_lost(lost.purpose, lost.node, &lost.failure, ctx);
        }
    }

    fn send_outbox(&mut self, ctx: &mut Ctx) -> bool {
        if !self.outbox.has_unsent() {
            return false;
        }
        let (went, lost) = self.outbox.send(&mut self.net, ctx);
        let moved = went > 0 || !lost.is_empty();
        for lost in lost {
            self.on_lost(lost.purpose, lost.node, &lost.failure, ctx);
        }
        moved
    }

    // ---- time ----

    /// Sets the timer for whatever is due next.
    fn arm(&mut self, ctx: &mut Ctx) {
        if self.closed {
            return;
        }
        let at = self.next_due(ctx.now());
        if at == Time::NEVER {
            return;
        }
        if let Some((armed, timer)) = self.wake {
            if armed <= at {
                return;
            }
            ctx.cancel(timer);
        }
        let timer = ctx.timer(at.since(ctx.now()), Timer::Consumer(ConsumerTimer::Wake));
        self.wake = Some((at, timer));
    }

    /// What is overdue was looked at just now and waits for something else: only what lies ahead counts.
    fn next_due(&mut self, now: Time) -> Time {
        let mut due = later(self.outbox.next_expiry(), now).min(self.next_user_due(now));
        if self.in_poll() || self.pending.is_some() {
            due = due.min(self.subscription.next_retry(now));
        }
        if let Some(share) = &self.share {
            due = due.min(share.next_due(now));
            // A leader may be in back-off.
            if share.asks_nobody() && self.subscription.assigned().next().is_some() {
                due = due.min(now + self.fixed_backoff());
            }
        }
        if let Some(coordinator) = &self.coordinator {
            due = due.min(coordinator.next_due(now, self.in_poll(), self.pending.is_some() || self.modern.is_some()));
            if let Some(modern) = &self.modern {
                due = due.min(modern.next_due(now, self.in_poll()));
            }
            if self.in_poll() && self.config.enable_auto_commit {
                due = due.min(later(self.commits.next_auto, now));
            }
        }
        due
    }

    // ---- telling ----

    pub(super) fn returns(&mut self, call: CallId, result: Result<Answer, ClientError>, ctx: &mut Ctx) {
        if let Err(error) = &result {
            self.last_error = Some(error.clone());
        }
        let result = result.map(Rc::new);
        ctx.note(Fact::Returned { call, result }.into());
    }

    /// Which topics are asked for may have changed; `at_once`: there are new ones.
    pub(super) fn want_topics(&mut self, at_once: bool) {
        let auto_create = self.config.allow_auto_create_topics;
        let wanted = self.subscription.wanted(auto_create, &self.transient);
        self.net.metadata.want(wanted, at_once);
    }

    /// The pause before the next try of something that is tried again at a fixed pace.
    pub(super) fn fixed_backoff(&self) -> Span {
        Span::from_ms(self.config.retry_backoff_ms)
    }

    /// The group of facts about this consumer.
    pub(super) fn group(&self) -> Option<Rc<str>> {
        self.coordinator.as_ref().map(|coordinator| coordinator.group.clone())
    }
}

/// A moment that lies ahead, or never.
pub fn later(at: Time, now: Time) -> Time {
    if at > now { at } else { Time::NEVER }
}

fn with_group(mut given: Properties, group: Option<Rc<str>>) -> Properties {
    if let Some(group) = group {
        given.insert("group.id".to_string(), group.to_string());
    }
    given
}

fn thrown(error: ConfigError) -> ClientError {
    let thrown = ClientError::new(error.class, &error.message);
    match error.cause {
        Some(cause) => thrown.caused_by(self::thrown(*cause)),
        None => thrown,
    }
}
