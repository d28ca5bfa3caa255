//! The broker: one node, one virtual host. Connections and channels come in, methods change exchanges, bindings and
//! queues; what follows goes out in order.

pub mod channel;
mod close;
mod consume;
mod declare;
mod publish;
mod restart;
mod serve;
mod settle;

use super::dead_letter::Reason;
use super::error::{AmqpError, Code};
use super::message::Message;
use super::note::{BrokerNote, Note};
use super::protocol::{Closed, Frame, Method, Msg};
use super::queue::limiter::ChannelLimits;
use super::queue::{ChannelId, ConnectionId, Queue, QueueId};
use super::routing::Topology;
use super::value::Name;
use super::wire::{AMQP_PORT, Ctx, Input, Order, Rabbit, Timer};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{ConnId, Halt, Process, Span, Time, TimerId};
use channel::Channel;
use serve::Letter;
use std::collections::VecDeque;
use std::rc::Rc;

/// What a timer of the broker says.
#[derive(Clone, Copy, Debug)]
pub enum BrokerTimer {
    /// Something expires in some queue.
    Deadline,
    /// What waits for the disk is written.
    Flush,
    /// Silent connections are closed, others hear that the broker lives.
    Heartbeat,
}

/// How long a write that somebody waits for takes, besides what the disk adds.
pub const SYNC: Span = Span::ms(2);

/// How long other writes stay in memory (`?SYNC_INTERVAL`).
pub const WRITE_DELAY: Span = Span::ms(200);

/// Time-out of the heartbeats that both sides agree on; a side that hears nothing for twice as long gives up.
pub const HEARTBEAT: Span = Span::secs(60);

/// How often a side is heard: half of that.
pub const HEARTBEAT_EVERY: Span = Span::secs(30);

/// The user of all connections.
const USER: &str = "guest";

/// A client's connection.
#[derive(Clone, Debug)]
pub struct Connection {
    conn: ConnId,
    channels: OrderedMap<u16, ChannelId>,
    /// Channels that the broker has closed and the client does not know yet.
    closing: OrderedSet<u16>,
    /// When something was heard; `None` as long as the client sends no heartbeats.
    heard: Option<Time>,
}

/// What goes out of an input.
#[derive(Clone, Debug)]
enum Out {
    Send(ConnId, Msg),
    /// A last word on a connection that is forgotten already.
    Last(ConnId, Msg),
    Hang(ConnId),
    Note(Note),
}

/// The broker.
#[derive(Clone, Debug)]
pub struct Broker {
    topology: Topology,
    queues: OrderedMap<Name, Queue>,
    queue_names: OrderedMap<QueueId, Name>,
    connections: OrderedMap<ConnectionId, Connection>,
    channels: OrderedMap<ChannelId, Channel>,
    limits: ChannelLimits,
    /// Numbers for queues, connections, channels and generated names.
    next: u32,
    letters: VecDeque<Letter>,
    /// Dead letters of quorum queues, until their logs are flushed.
    late_letters: Vec<Letter>,
    /// Messages that died because the broker stopped: they are dead-lettered when it starts again.
    died_in_stop: Vec<(Name, Rc<Message>, Reason)>,
    /// What the last stop took, told when the broker starts again.
    lost: Vec<(Name, u32)>,
    out: Vec<Out>,
    now: Time,
    /// Seconds since 1970.
    seconds: i64,
    deadline: Option<(Time, TimerId)>,
    flush: Option<TimerId>,
    beats: bool,
}

impl Default for Broker {
    fn default() -> Self {
        Broker {
            topology: Topology::default(),
            queues: OrderedMap::new(),
            queue_names: OrderedMap::new(),
            connections: OrderedMap::new(),
            channels: OrderedMap::new(),
            limits: ChannelLimits::new(),
            next: 0,
            letters: VecDeque::new(),
            late_letters: Vec::new(),
            died_in_stop: Vec::new(),
            lost: Vec::new(),
            out: Vec::new(),
            now: Time::ZERO,
            seconds: 0,
            deadline: None,
            flush: None,
            beats: false,
        }
    }
}

impl Broker {
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// All queues, by name.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values()
    }

    pub fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)
    }

    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// The kernel's connection under a channel.
    pub fn conn_of(&self, id: ChannelId) -> Option<ConnId> {
        let channel = self.channels.get(&id)?;
        Some(self.connections.get(&channel.connection)?.conn)
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn send(&mut self, channel: ChannelId, frame: Frame) {
        if let Some(channel) = self.channels.get(&channel) {
            let msg = Msg::Frame(channel.number, frame);
            let connection = channel.connection;
            self.say(connection, msg);
        }
    }

    fn say(&mut self, connection: ConnectionId, msg: Msg) {
        if let Some(connection) = self.connections.get(&connection) {
            self.out.push(Out::Send(connection.conn, msg));
        }
    }

    fn note(&mut self, note: impl Into<Note>) {
        self.out.push(Out::Note(note.into()));
    }

    fn connection_of(&self, conn: ConnId) -> Option<ConnectionId> {
        let mut all = self.connections.iter();
        all.find(|(_, connection)| connection.conn == conn).map(|(id, _)| *id)
    }

    fn accept(&mut self, conn: ConnId) {
        let id = ConnectionId(self.number());
        let connection = Connection {
            conn,
            channels: OrderedMap::new(),
            closing: OrderedSet::new(),
            heard: None,
        };
        self.connections.insert(id, connection);
    }

    fn message(&mut self, connection: ConnectionId, msg: Msg) {
        if let Some(heard) = self.connections.get_mut(&connection).and_then(|c| c.heard.as_mut()) {
            *heard = self.now;
        }
        match msg {
            Msg::Method(number, method) => self.method(connection, number, method),
            Msg::CloseConnection => {
                if let Some(gone) = self.connection_down(connection) {
                    self.out.push(Out::Hang(gone));
                }
            }
            Msg::Heartbeat => {
                let now = self.now;
                if let Some(connection) = self.connections.get_mut(&connection) {
                    connection.heard = Some(now);
                }
            }
            // Only the broker says these.
            Msg::Frame(..) | Msg::ConnectionClosed(_) => {}
        }
    }

    fn method(&mut self, connection: ConnectionId, number: u16, method: Method) {
        let name = method.name();
        let Some(known) = self.connections.get_mut(&connection) else {
            return;
        };
        if known.closing.contains(&number) {
            // It was said before the client knew.
            if matches!(method, Method::CloseChannelOk | Method::CloseChannel) {
                known.closing.remove(&number);
            }
            return;
        }
        let done = match (known.channels.get(&number).copied(), method) {
            (_, Method::CloseChannelOk) => Ok(()),
            (None, Method::OpenChannel) => {
                self.open_channel(connection, number);
                Ok(())
            }
            (Some(_), Method::OpenChannel) => Err(AmqpError::new(Code::ChannelError, "second 'channel.open' seen")),
            (None, _) => Err(AmqpError::new(Code::ChannelError, "expected 'channel.open'")),
            (Some(channel), method) => self.on_channel(channel, method),
        };
        if let Err(error) = done {
            let method = (error.code != Code::InternalError).then_some(name);
            self.fail(connection, number, Closed { error, method });
        }
        self.settle_down();
    }

    fn open_channel(&mut self, connection: ConnectionId, number: u16) {
        let id = ChannelId(self.number());
        if let Some(known) = self.connections.get_mut(&connection) {
            known.channels.insert(number, id);
            self.channels.insert(id, Channel::new(connection, number));
            self.limits.insert(id, Default::default());
            self.send(id, Frame::Ok("channel.open-ok"));
        }
    }

    /// A method on an open channel. Answers are sent; an error closes the channel or the connection.
    fn on_channel(&mut self, channel: ChannelId, method: Method) -> Result<(), AmqpError> {
        match method {
            // Both are answered before they come here.
            Method::OpenChannel | Method::CloseChannelOk => Ok(()),
            Method::CloseChannel => {
                self.close_channel(channel);
                Ok(())
            }
            Method::Flow(true) => self.ok(channel, "channel.flow-ok"),
            Method::Flow(false) => Err(AmqpError::new(Code::NotImplemented, "active=false")),
            Method::DeclareExchange(declare) => self.declare_exchange(channel, declare),
            Method::DeleteExchange { exchange, if_unused } => self.delete_exchange(channel, &exchange, if_unused),
            Method::BindExchange(bind) => self.bind(channel, bind, false),
            Method::UnbindExchange(bind) => self.unbind(channel, bind, false),
            Method::DeclareQueue(declare) => self.declare_queue(channel, declare),
            Method::DeleteQueue {
                queue,
                if_unused,
                if_empty,
            } => self.delete_queue(channel, &queue, if_unused, if_empty),
            Method::Purge(queue) => self.purge(channel, &queue),
            Method::BindQueue(bind) => self.bind(channel, bind, true),
            Method::UnbindQueue(bind) => self.unbind(channel, bind, true),
            Method::Qos { size, count, global } => self.qos(channel, size, count, global),
            Method::Consume(consume) => self.consume(channel, consume),
            Method::Cancel(tag) => self.cancel(channel, tag),
            Method::Publish(publish) => self.publish(channel, publish),
            Method::Get { queue, no_ack } => self.get(channel, &queue, no_ack),
            Method::Ack { tag, multiple } => self.settle(channel, tag, multiple, channel::Settle::Ack),
            Method::Nack { tag, multiple, requeue } => self.settle(channel, tag, multiple, refusal(requeue)),
            Method::Reject { tag, requeue } => self.settle(channel, tag, false, refusal(requeue)),
            Method::Recover { requeue } => self.recover(channel, requeue),
            Method::SelectConfirm => self.select_confirm(channel),
            Method::SelectTx => self.select_tx(channel),
            Method::CommitTx => self.commit_tx(channel),
            Method::RollbackTx => self.rollback_tx(channel),
        }
    }

    fn ok(&mut self, channel: ChannelId, name: &'static str) -> Result<(), AmqpError> {
        self.send(channel, Frame::Ok(name));
        Ok(())
    }

    /// What follows an operation by itself: dead letters, then confirms.
    fn settle_down(&mut self) {
        self.run_letters();
        let due: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, channel)| !channel.acks.is_empty() || !channel.nacks.is_empty())
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let frames = self
                .channels
                .get_mut(&id)
                .map(Channel::confirm_frames)
                .unwrap_or_default();
            frames.into_iter().for_each(|frame| self.send(id, frame));
        }
        self.finish_transactions();
    }

    /// Sends what was collected and sets the timers anew.
    fn flush_out(&mut self, ctx: &mut Ctx<'_>) {
        for out in std::mem::take(&mut self.out) {
            match out {
                Out::Send(conn, msg) => ctx.send(conn, msg),
                Out::Last(conn, msg) => {
                    ctx.send(conn, msg);
                    ctx.close(conn);
                }
                Out::Hang(conn) => ctx.close(conn),
                Out::Note(note) => ctx.note(note),
            }
        }
        self.set_timers(ctx);
    }

    fn set_timers(&mut self, ctx: &mut Ctx<'_>) {
        let next = self.queues.values().filter_map(Queue::deadline).min();
        if next != self.deadline.map(|(at, _)| at) {
            if let Some((_, timer)) = self.deadline.take() {
                ctx.cancel(timer);
            }
            self.deadline = next.map(|at| {
                let timer = ctx.timer(at.since(ctx.now()), Timer::Broker(BrokerTimer::Deadline));
                (at, timer)
            });
        }
        if self.flush.is_none() && !ctx.disk().is_full() {
            let letters = (!self.late_letters.is_empty()).then_some(SYNC);
            let wait = self.queues.values().filter_map(serve::flush_delay).chain(letters).min();
            self.flush = wait.map(|wait| {
                let after = wait + ctx.disk().delay();
                ctx.timer(after, Timer::Broker(BrokerTimer::Flush))
            });
        }
        let beats = self.connections.values().any(|connection| connection.heard.is_some());
        if beats && !self.beats {
            ctx.timer(HEARTBEAT_EVERY, Timer::Broker(BrokerTimer::Heartbeat));
        }
        self.beats = beats;
    }

    fn timer(&mut self, timer: BrokerTimer) {
        match timer {
            BrokerTimer::Deadline => {
                self.deadline = None;
                self.expire();
            }
            BrokerTimer::Flush => {
                self.flush = None;
                self.flush_queues();
            }
            BrokerTimer::Heartbeat => {
                self.beats = false;
                self.beat();
            }
        }
        self.settle_down();
    }

    /// Closes the connections of clients that went silent, and tells the others that the broker lives.
    fn beat(&mut self) {
        let limit = HEARTBEAT.times(2);
        let beating: Vec<(ConnectionId, Time)> = self
            .connections
            .iter()
            .filter_map(|(id, connection)| Some((*id, connection.heard?)))
            .collect();
        for (id, heard) in beating {
            if self.now.since(heard) < limit {
                self.say(id, Msg::Heartbeat);
            } else if let Some(conn) = self.connection_down(id) {
                self.note(BrokerNote::ConnectionLost);
                self.out.push(Out::Hang(conn));
            }
        }
    }
}

fn refusal(requeue: bool) -> channel::Settle {
    match requeue {
        true => channel::Settle::Requeue,
        false => channel::Settle::Discard,
    }
}

impl Process for Broker {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        self.now = ctx.now();
        self.seconds = ctx.wall_ms() / 1000;
        match input {
            Input::Start => {
                ctx.listen(AMQP_PORT);
                self.start();
            }
            Input::Accepted(conn, _) => self.accept(conn),
            Input::Message(conn, msg) => {
                if let Some(connection) = self.connection_of(conn) {
                    self.message(connection, msg);
                }
            }
            Input::Closed(conn) => {
                if let Some(connection) = self.connection_of(conn) {
                    self.connection_down(connection);
                    self.note(BrokerNote::ConnectionLost);
                    self.settle_down();
                }
            }
            Input::Timer(Timer::Broker(timer)) => self.timer(timer),
            Input::Order(Order::Shutdown) => {
                self.shut_down();
                self.flush_out(ctx);
                ctx.exit();
                return;
            }
            // It opens no connections and is told nothing else.
            Input::Opened(_) | Input::Refused(_) | Input::Order(_) | Input::Timer(_) => {}
        }
        self.flush_out(ctx);
    }

    fn halt(&mut self, how: Halt) {
        self.stop(how);
    }
}
