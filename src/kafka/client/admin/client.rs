//! The admin client's process: calls wait for a node, go out one per connection, and are tried again until their time is
//! over. [KafkaAdminClient.AdminClientRunnable]

mod jobs;

use super::call::{Call, State, Step, To, disconnected};
use super::keyed::Keyed;
use super::order::{AdminCall, AdminOrder, AdminTimer};
use super::plan;
use super::reply::{self, Verdict};
use crate::kafka::client::backoff::Backoff;
use crate::kafka::client::bootstrap::Address;
use crate::kafka::client::call::{Answer, CallId, CallResult, ClientError};
use crate::kafka::client::log::{LogLine, admin_prefix, loggers};
use crate::kafka::client::metadata::{Metadata, Wanted};
use crate::kafka::client::network::{NetEvent, NetSettings, NetworkClient, RequestId};
use crate::kafka::client::rules;
use crate::kafka::config::{AdminConfig, Properties};
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::Body;
use crate::kafka::protocol::groups::GroupListing;
use crate::kafka::protocol::transactions::ListedTransaction;
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::kafka::wire::{Ctx, Input, Order, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{Halt, Random, Span, Time, TimerId};
use std::rc::Rc;

/// What somebody asked for, until it has its answer.
#[derive(Clone, Debug)]
struct Job {
    what: AdminCall,
    deadline: Time,
    /// Partitions that need their leaders.
    keyed: Option<Keyed>,
    coordinator: Option<NodeId>,
    /// Pauses grow with these.
    lookups: u32,
    requests: u32,
    /// Brokers that have not answered yet, and what the others did.
    asked: usize,
    groups: Vec<GroupListing>,
    transactions: Vec<ListedTransaction>,
}

/// An admin client.
#[derive(Clone, Debug)]
pub struct Admin {
    config: AdminConfig,
    fresh: NetworkClient,
    net: NetworkClient,
    random: Random,
    jobs: OrderedMap<CallId, Job>,
    calls: Vec<Call>,
    /// Until when a node has to be ready for those that wait for it.
    node_deadlines: OrderedMap<NodeId, Time>,
    timer: Option<(Time, TimerId)>,
}

impl Admin {
    /// An admin client with these settings that begins at these addresses.
    ///
    /// # Errors
    /// What its constructor throws.
    pub fn new(client_id: &str, bootstrap: &[Address], given: &Properties, seed: u64) -> Result<Admin, ClientError> {
        let config = AdminConfig::from_map(given)?;
        let backoff = Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        let max_age = Span::from_ms(config.metadata_max_age_ms);
        let metadata = Metadata::new(Wanted::Nodes, bootstrap.into(), backoff, max_age);
        let random = Random::named(seed, &format!("admin/{client_id}/network"));
        let net = NetworkClient::new(
            (client_id.into(), admin_prefix(client_id)),
            NetSettings::from(&config),
            metadata,
            random,
            |timer| Timer::Admin(AdminTimer::Net(timer)),
        );
        Ok(Admin {
            config,
            fresh: net.clone(),
            net,
            random: Random::named(seed, &format!("admin/{client_id}/calls")),
            jobs: OrderedMap::new(),
            calls: Vec::new(),
            node_deadlines: OrderedMap::new(),
            timer: None,
        })
    }

    /// Its settings as they count.
    pub fn config(&self) -> &AdminConfig {
        &self.config
    }

    /// Its connections and what it knows of the cluster.
    pub fn network(&self) -> &NetworkClient {
        &self.net
    }

    /// Calls without an answer.
    pub fn open_calls(&self) -> usize {
        self.jobs.len()
    }

    /// Handles one input.
    pub fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match input {
            Input::Timer(Timer::Admin(AdminTimer::Net(_))) => self.net.on_timer(ctx),
            Input::Timer(Timer::Admin(AdminTimer::Wake)) => self.timer = None,
            Input::Order(Order::Admin(order)) => self.begin(order, ctx),
            Input::Order(Order::Shutdown) => return self.close(ctx),
            other => drop(self.net.on_input(&other, ctx)),
        }
        loop {
            for _ in 0..self.net.event_count() {
                let Some(event) = self.net.take_event() else { break };
                self.on_event(event, ctx);
            }
            self.run(ctx);
            // It connects only for calls, as its metadata are fetched when one needs a node.
            if self.jobs.is_empty() || !self.net.drive(ctx) {
                break;
            }
        }
    }

    /// The process is gone, with everything it knew.
    pub fn halt(&mut self, _how: Halt) {
        self.net = self.fresh.clone();
        self.jobs.clear();
        self.calls.clear();
        self.node_deadlines.clear();
        self.timer = None;
    }

    fn close(&mut self, ctx: &mut Ctx) {
        for call in std::mem::take(&mut self.calls) {
            let text = format!("The AdminClient thread has exited. Call: {}", call.full_name());
            self.finish(call.job, Err(ClientError::new("TimeoutException", &text)), ctx);
        }
        self.net.close(ctx);
        ctx.exit();
    }

    fn begin(&mut self, order: AdminOrder, ctx: &mut Ctx) {
        let AdminOrder { call, what } = order;
        if let Err(error) = plan::refuse(&what) {
            ctx.note(Note::from(Fact::Returned {
                call,
                result: Err(error),
            }));
            return;
        }
        let deadline = ctx.now() + Span::from_ms(self.config.default_api_timeout_ms);
        self.calls.extend(plan::first(call, &what, deadline));
        let job = Job {
            keyed: Keyed::of(&what),
            what,
            deadline,
            coordinator: None,
            lookups: 0,
            requests: 0,
            asked: 0,
            groups: Vec::new(),
            transactions: Vec::new(),
        };
        self.jobs.insert(call, job);
        self.advance_keyed(call, ctx);
    }

    fn finish(&mut self, call: CallId, result: CallResult, ctx: &mut Ctx) {
        if self.jobs.remove(&call).is_some() {
            self.calls.retain(|open| open.job != call);
            ctx.note(Note::from(Fact::Returned { call, result }));
        }
    }

    // ---- what comes in ----

    fn on_event(&mut self, event: NetEvent, ctx: &mut Ctx) {
        match event {
            NetEvent::Response { request, body, .. } => {
                if let Some(call) = self.take(request) {
                    self.on_answer(call, &body, ctx);
                }
            }
            NetEvent::Failed { request, node, .. } => {
                if let Some(call) = self.take(request) {
                    let cause = disconnected(&call, request, node);
                    self.fail(call, cause, ctx);
                }
            }
            NetEvent::MetadataUpdated => {
                // What was not sent yet chooses its node anew. [KafkaAdminClient.unassignUnsentCalls]
                let waiting = self
                    .calls
                    .iter_mut()
                    .filter(|call| matches!(call.state, State::Assigned(_)));
                waiting.for_each(|call| call.state = State::Pending);
            }
            NetEvent::Connected(_) | NetEvent::Disconnected(_) => {}
        }
    }

    fn take(&mut self, request: RequestId) -> Option<Call> {
        let sent = |call: &Call| matches!(call.state, State::InFlight(_, sent) if sent == request);
        let index = self.calls.iter().position(sent)?;
        Some(self.calls.remove(index))
    }

    fn on_answer(&mut self, call: Call, body: &Body, ctx: &mut Ctx) {
        match &call.step {
            Step::Main => {
                let Some(job) = self.jobs.get(&call.job) else {
                    return;
                };
                match reply::read(&job.what, body) {
                    Verdict::Return(result) => self.finish(call.job, result, ctx),
                    Verdict::Retry(cause) => {
                        self.net.metadata.request_update();
                        self.fail(call, cause, ctx);
                    }
                }
            }
            Step::Leaders | Step::AtLeader(_) => self.on_keyed(call, body, ctx),
            Step::Coordinator => self.on_coordinator(call, body, ctx),
            Step::AtCoordinator | Step::Members => self.on_group(call, body, ctx),
            Step::Brokers => self.on_brokers(call, body, ctx),
            Step::AtBroker => self.on_broker(call, body, ctx),
        }
    }

    // ---- failures ----

    fn backoff(&self) -> Backoff {
        Backoff::new(self.config.retry_backoff_ms, self.config.retry_backoff_max_ms)
    }

    fn pause(&mut self, tries: u32) -> Span {
        self.backoff().span(tries, &mut self.random)
    }

    fn retry(&mut self, mut call: Call, ctx: &mut Ctx) {
        call.next_try = ctx.now() + self.pause(call.tries);
        call.tries += 1;
        call.state = State::Pending;
        self.calls.push(call);
    }

    /// A request failed: it is tried again unless its time is over or nothing can come of it. [Call.fail]
    fn fail(&mut self, mut call: Call, cause: ClientError, ctx: &mut Ctx) {
        let now = ctx.now();
        call.next_try = now + self.pause(call.tries);
        call.tries += 1;
        if call.deadline <= now || i64::from(call.tries) > self.config.retries {
            let wall = ctx.wall_ms();
            let at = |time: Time| wall + (time.as_ms() - now.as_ms());
            let error = call.timed_out(now, at, cause);
            return self.give_up(&call, error, ctx);
        }
        match &call.step {
            Step::AtLeader(asked) => {
                if let Some(keyed) = self.jobs.get_mut(&call.job).and_then(|job| job.keyed.as_mut()) {
                    keyed.lost(asked);
                }
                self.advance_keyed(call.job, ctx);
            }
            Step::AtCoordinator | Step::Members => {
                if let Some(job) = self.jobs.get_mut(&call.job) {
                    job.requests += 1;
                }
                self.look_up_again(&call, ctx);
            }
            _ => {
                call.state = State::Pending;
                self.calls.push(call);
            }
        }
    }

    fn give_up(&mut self, call: &Call, error: ClientError, ctx: &mut Ctx) {
        let keyed = self.jobs.get_mut(&call.job).and_then(|job| job.keyed.as_mut());
        match (keyed, &call.step) {
            (Some(keyed), Step::AtLeader(asked)) => keyed.fail(Some(asked), &error),
            (Some(keyed), _) => keyed.fail(None, &error),
            (None, _) => return self.finish_with(call.job, error, ctx),
        }
        self.advance_keyed(call.job, ctx);
    }

    /// A call failed as a whole; deleted offsets fail one by one. [DeleteConsumerGroupOffsetsResult.partitionResult]
    fn finish_with(&mut self, id: CallId, error: ClientError, ctx: &mut Ctx) {
        let result = match self.jobs.get(&id).map(|job| &job.what) {
            Some(AdminCall::DeleteGroupOffsets { partitions, .. }) => {
                let name = |partition: &NamedPartition| Rc::from(partition.to_string());
                let each = partitions.iter().map(|partition| (name(partition), Err(error.clone())));
                Ok(Rc::new(Answer::Each(each.collect())))
            }
            _ => Err(error),
        };
        self.finish(id, result, ctx);
    }

    // ---- sending ----

    /// Its metadata cannot be had where it asks: every call ends. [AdminMetadataManager.updateFailed]
    fn fail_all(&mut self, fatal: &ClientError, ctx: &mut Ctx) {
        let thrown = fatal.full_text();
        for text in [
            "Fatal error during metadata update",
            "The remote node is not a BROKER that supports the METADATA api.",
        ] {
            self.log(loggers::ADMIN_METADATA.warn(text).throwing(thrown.clone()), ctx);
        }
        let calls: Vec<CallId> = self.jobs.keys().copied().collect();
        for call in calls {
            self.finish(call, Err(fatal.clone()), ctx);
        }
    }

    fn run(&mut self, ctx: &mut Ctx) {
        if let Some(fatal) = self.net.take_fatal() {
            self.fail_all(&fatal, ctx);
        }
        self.expire(ctx);
        self.assign(ctx);
        self.send(ctx);
        self.arm(ctx);
    }

    /// [TimeoutProcessor]
    fn expire(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        while let Some(index) = self.calls.iter().position(|call| call.deadline < now) {
            if let State::InFlight(node, _) = self.calls[index].state {
                let name = self.calls[index].full_name();
                let text = format!("Disconnecting from {node} due to timeout while awaiting {name}");
                self.log(loggers::ADMIN.info(text), ctx);
                self.net.disconnect(node, ctx);
                // Its own failure comes as an event.
                self.calls[index].deadline = now;
            } else {
                let call = self.calls.remove(index);
                let error = call.never_sent();
                self.give_up(&call, error, ctx);
            }
        }
    }

    fn assign(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        for index in 0..self.calls.len() {
            let call = &self.calls[index];
            if call.state == State::Pending && call.next_try <= now {
                let to = call.to;
                if let Some(node) = self.choose(to, now) {
                    self.calls[index].state = State::Assigned(node);
                }
            }
        }
    }

    /// Without metadata beyond the bootstrap addresses nobody is chosen. [AdminMetadataManager.isReady]
    fn choose(&mut self, to: To, now: Time) -> Option<NodeId> {
        let snapshot = self.net.metadata.snapshot().clone();
        let chosen = match to {
            _ if snapshot.bootstrap => None,
            To::Node(id) => snapshot.node(id).map(|node| node.id),
            To::Controller if snapshot.node(snapshot.controller).is_some() => Some(snapshot.controller),
            To::Any | To::Controller => return self.net.least_loaded(now).map(|node| node.id),
        };
        if chosen.is_none() {
            self.net.metadata.request_update();
        }
        chosen
    }

    /// One request per node at a time. [AdminClientRunnable.sendEligibleCalls]
    fn send(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let mut busy: Vec<NodeId> = Vec::new();
        for call in &self.calls {
            if let State::InFlight(node, _) = call.state {
                busy.push(node);
                self.node_deadlines.remove(&node);
            }
        }
        for index in 0..self.calls.len() {
            let State::Assigned(id) = self.calls[index].state else {
                continue;
            };
            if busy.contains(&id) {
                continue;
            }
            busy.push(id);
            let Some(node) = self.net.metadata.node(id).cloned() else {
                self.calls[index].state = State::Pending;
                continue;
            };
            if !self.net.ready(&node, ctx) {
                self.await_node(id, ctx);
                continue;
            }
            let by_node = self.node_deadlines.remove(&id);
            let request_ms = self.config.request_timeout_ms;
            let left = by_node.map_or(request_ms, |until| until.since(now).as_ms());
            let call = &self.calls[index];
            // Rounded up, so that the deadline is over when the request is given up.
            let to_deadline = (call.deadline.since(now) + Span::us(999)).as_ms();
            let timeout = left.min(to_deadline);
            let body = call.body.clone();
            if let Some(request) = self.net.send_within(id, body, timeout, ctx) {
                self.calls[index].state = State::InFlight(id, request);
            }
        }
    }

    /// A node that takes longer than request.timeout.ms to become ready loses the calls that wait for it.
    fn await_node(&mut self, node: NodeId, ctx: &mut Ctx) {
        let now = ctx.now();
        let until = now + Span::from_ms(self.config.request_timeout_ms);
        if *self.node_deadlines.entry(node).or_insert(until) > now {
            return;
        }
        self.node_deadlines.remove(&node);
        let waiting = self.calls.iter_mut().filter(|call| call.state == State::Assigned(node));
        let mut revoked = 0;
        for call in waiting {
            call.state = State::Pending;
            revoked += 1;
        }
        let text = format!(
            "Disconnecting from {node} and revoking {revoked} node assignment(s) because the node is taking too long to become ready."
        );
        self.log(loggers::ADMIN.info(text), ctx);
        self.net.disconnect(node, ctx);
    }

    fn arm(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let mut next = Time::NEVER;
        for call in &self.calls {
            // "After the deadline", in whole milliseconds.
            next = next.min(call.deadline + Span::ms(1));
            if call.state == State::Pending && call.next_try > now {
                next = next.min(call.next_try);
            }
        }
        let waiting = self.node_deadlines.values().copied().filter(|until| *until > now);
        next = next.min(waiting.min().unwrap_or(Time::NEVER));
        match self.timer {
            Some((armed, _)) if armed <= next => return,
            Some((_, timer)) => ctx.cancel(timer),
            None => {}
        }
        self.timer = None;
        if next < Time::NEVER {
            let timer = ctx.timer(next.since(now), Timer::Admin(AdminTimer::Wake));
            self.timer = Some((next, timer));
        }
    }

    fn log(&self, line: LogLine, ctx: &mut Ctx) {
        self.net.log(line, Weight::Detail, &rules::REQUEST_TIMEOUT, ctx);
    }
}
