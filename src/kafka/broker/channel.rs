//! Requests to the active controller, one at a time on a channel: they wait until the controller is known, are sent
//! again to whoever it is after a disconnect or NOT_CONTROLLER, and may run out of time.
//! [NodeToControllerChannelManagerImpl, NodeToControllerRequestThread]

use super::BrokerTimer;
use super::link::{Link, Owner};
use super::requests::Asker;
use super::server::{Server, set_timer};
use crate::kafka::listeners::voter_address;
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::{ConnId, Span, Time, TimerId};
use std::collections::VecDeque;
use std::rc::Rc;

/// Pause before a broken connection to a controller is made again. [NodeToControllerChannelManagerImpl]
const RECONNECT_BACKOFF: Span = Span::ms(50);

/// The channels of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelKind {
    /// Registration and heartbeats.
    Heartbeat,
    AlterPartition,
    /// What clients ask for, and this broker's other requests.
    Forwarding,
}

/// Why a request was sent: who takes its answer.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    Registration,
    Heartbeat,
    AlterPartition,
    /// A client's request in an envelope.
    Forward(Asker),
    ProducerIds,
    CreateTopic(Rc<str>),
}

#[derive(Clone, Debug)]
struct Item {
    created: Time,
    purpose: Purpose,
    body: Body,
}

/// One channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    kind: ChannelKind,
    /// A request older than this is given up when its turn comes (again); `None`: never.
    retry_timeout: Option<Span>,
    /// How long one attempt may take, connecting included.
    attempt_timeout: Span,
    pub link: Link,
    to: NodeId,
    queue: VecDeque<Item>,
    /// The front of the queue was sent with this number.
    sent: Option<u32>,
    attempt: Option<TimerId>,
    retry: Option<TimerId>,
    /// Not before the retry timer fires.
    backing_off: bool,
}

impl Channel {
    pub fn new(kind: ChannelKind, retry_timeout: Option<Span>, attempt_timeout: Span) -> Channel {
        Channel {
            kind,
            retry_timeout,
            attempt_timeout,
            link: Link::default(),
            to: -1,
            queue: VecDeque::new(),
            sent: None,
            attempt: None,
            retry: None,
            backing_off: false,
        }
    }

    fn expired(&self, now: Time) -> bool {
        let Some(limit) = self.retry_timeout else { return false };
        self.queue.front().is_some_and(|item| now.since(item.created) >= limit)
    }

    fn stop_attempt(&mut self, ctx: &mut Ctx) {
        self.sent = None;
        if let Some(timer) = self.attempt.take() {
            ctx.cancel(timer);
        }
    }

    fn wait(&mut self, span: Span, ctx: &mut Ctx) {
        if let Some(timer) = self.retry.take() {
            ctx.cancel(timer);
        }
        self.retry = Some(set_timer(ctx, span, BrokerTimer::ChannelRetry(self.kind)));
    }
}

impl Server {
    /// Queues a request; it is sent as soon as the channel is free.
    pub(super) fn ask_controller(&mut self, kind: ChannelKind, purpose: Purpose, body: Body, ctx: &Ctx) {
        let item = Item {
            created: ctx.now(),
            purpose,
            body,
        };
        self.channels[kind as usize].queue.push_back(item);
    }

    /// Whether a request of this kind waits or is under way on the forwarding channel.
    pub(super) fn is_creating_topic(&self, name: &str) -> bool {
        let channel = &self.channels[ChannelKind::Forwarding as usize];
        channel
            .queue
            .iter()
            .any(|item| matches!(&item.purpose, Purpose::CreateTopic(topic) if &**topic == name))
    }

    /// Sends what can be sent.
    pub(super) fn drive_channels(&mut self, ctx: &mut Ctx) {
        for kind in [
            ChannelKind::Heartbeat,
            ChannelKind::AlterPartition,
            ChannelKind::Forwarding,
        ] {
            let channel = &self.channels[kind as usize];
            if !channel.queue.is_empty() && channel.sent.is_none() {
                self.drive_channel(kind, ctx);
            }
        }
    }

    fn drive_channel(&mut self, kind: ChannelKind, ctx: &mut Ctx) {
        let now = ctx.now();
        while self.channels[kind as usize].expired(now) && self.channels[kind as usize].attempt.is_none() {
            if let Some(item) = self.channels[kind as usize].queue.pop_front() {
                self.controller_timed_out(item.purpose, ctx);
            }
        }
        let leader = self.observer.leader();
        let channel = &mut self.channels[kind as usize];
        let Some(front) = channel.queue.front() else { return };
        if channel.sent.is_some() || channel.backing_off {
            return;
        }
        let Some(controller) = leader else {
            // Looked up again when the quorum's leader becomes known; until then only the time limit counts.
            if let (Some(limit), None) = (channel.retry_timeout, channel.retry) {
                let left = (front.created + limit).since(now);
                channel.wait(left, ctx);
            }
            return;
        };
        if channel.to != controller
            && channel.attempt.is_none()
            && let Some(conn) = channel.link.close(ctx)
        {
            self.owners.remove(&conn);
        }
        self.send_front(kind, controller, ctx);
    }

    fn send_front(&mut self, kind: ChannelKind, controller: NodeId, ctx: &mut Ctx) {
        let setup = Rc::clone(&self.setup);
        let channel = &mut self.channels[kind as usize];
        if channel.attempt.is_none() {
            channel.attempt = Some(set_timer(
                ctx,
                channel.attempt_timeout,
                BrokerTimer::ChannelTimeout(kind),
            ));
        }
        if channel.link.is_closed() {
            channel.to = controller;
            let host = setup.controllers.get(&controller);
            let host = host.map_or("", |host| &**host);
            let (host, port) = voter_address(host);
            match channel.link.connect(host, port, &setup, &mut self.random, ctx) {
                Some(conn) => {
                    self.owners.insert(conn, Owner::Channel(kind));
                }
                None => {
                    channel.backing_off = true;
                    channel.wait(RECONNECT_BACKOFF, ctx);
                }
            }
            return;
        }
        let Some(conn) = channel.link.open() else { return };
        let Some(front) = channel.queue.front() else { return };
        let body = front.body.clone();
        let correlation = self.correlation();
        self.channels[kind as usize].sent = Some(correlation);
        ctx.send(
            conn,
            Msg {
                correlation,
                client: self.nobody.clone(),
                body,
            },
        );
    }

    pub(super) fn channel_opened(&mut self, kind: ChannelKind, conn: ConnId, ctx: &mut Ctx) {
        self.channels[kind as usize].link.opened(conn, ctx);
        self.drive_channel(kind, ctx);
    }

    /// The connection is gone: what was sent on it waits to be sent again.
    pub(super) fn channel_lost(&mut self, kind: ChannelKind, ctx: &mut Ctx) {
        let channel = &mut self.channels[kind as usize];
        channel.link.lost(ctx);
        channel.stop_attempt(ctx);
        if !channel.queue.is_empty() {
            channel.backing_off = true;
            channel.wait(RECONNECT_BACKOFF, ctx);
        }
    }

    pub(super) fn channel_timed_out(&mut self, kind: ChannelKind, ctx: &mut Ctx) {
        let channel = &mut self.channels[kind as usize];
        channel.attempt = None;
        if let Some(conn) = channel.link.close(ctx) {
            self.owners.remove(&conn);
        }
        channel.stop_attempt(ctx);
        if channel.expired(ctx.now()) {
            self.drive_channel(kind, ctx);
        } else {
            channel.backing_off = true;
            channel.wait(RECONNECT_BACKOFF, ctx);
        }
    }

    pub(super) fn channel_retry(&mut self, kind: ChannelKind, ctx: &mut Ctx) {
        let channel = &mut self.channels[kind as usize];
        channel.retry = None;
        channel.backing_off = false;
        self.drive_channel(kind, ctx);
    }

    pub(super) fn channel_answered(&mut self, kind: ChannelKind, msg: Msg, ctx: &mut Ctx) {
        let channel = &mut self.channels[kind as usize];
        if channel.sent != Some(msg.correlation) {
            return;
        }
        channel.stop_attempt(ctx);
        if is_not_controller(&msg.body) {
            if let Some(conn) = channel.link.close(ctx) {
                self.owners.remove(&conn);
            }
            channel.backing_off = true;
            channel.wait(RECONNECT_BACKOFF, ctx);
            return;
        }
        if let Some(item) = channel.queue.pop_front() {
            self.controller_answered(item.purpose, msg.body, ctx);
        }
    }

    fn controller_answered(&mut self, purpose: Purpose, body: Body, ctx: &mut Ctx) {
        match (purpose, body) {
            (Purpose::Registration, Body::BrokerRegistrationResponse(r)) => self.registration_answered(&r, ctx),
            (Purpose::Heartbeat, Body::BrokerHeartbeatResponse(r)) => self.heartbeat_answered(&r, ctx),
            (Purpose::AlterPartition, Body::AlterPartitionResponse(r)) => self.alter_partition_answered(&r, ctx),
            (Purpose::Forward(asker), Body::EnvelopeResponse(r)) => self.forward_answered(asker, &r, ctx),
            (Purpose::ProducerIds, Body::AllocateProducerIdsResponse(r)) => self.producer_ids_answered(&r, ctx),
            // A topic that this broker asked for shows up in its metadata.
            (Purpose::CreateTopic(_), _) => {}
            (purpose, _) => self.controller_timed_out(purpose, ctx),
        }
    }

    /// A request could not be brought to an answer in time.
    fn controller_timed_out(&mut self, purpose: Purpose, ctx: &mut Ctx) {
        match purpose {
            Purpose::Registration | Purpose::Heartbeat => self.communication_failed(ctx),
            Purpose::AlterPartition => self.alter_partition_failed(ctx),
            Purpose::Forward(asker) => self.forward_timed_out(asker, ctx),
            Purpose::ProducerIds => self.producer_ids_failed(ctx),
            Purpose::CreateTopic(_) => {}
        }
    }
}

/// Does the answer say that somebody else is the controller?
fn is_not_controller(body: &Body) -> bool {
    let error = match body {
        Body::BrokerRegistrationResponse(r) => r.error,
        Body::BrokerHeartbeatResponse(r) => r.error,
        Body::AlterPartitionResponse(r) => r.error,
        Body::EnvelopeResponse(r) => r.error,
        Body::AllocateProducerIdsResponse(r) => r.error,
        _ => ErrorCode::None,
    };
    error == ErrorCode::NotController
}
