//! A client's one connection, with one channel: opened, kept alive by heartbeats, opened anew when it is lost.

use super::ClientTimer;
use crate::rabbit::broker::{HEARTBEAT, HEARTBEAT_EVERY};
use crate::rabbit::note::ClientNote;
use crate::rabbit::protocol::{Closed, Frame, Method, Msg};
use crate::rabbit::wire::{AMQP_PORT, Ctx, Input, Timer};
use crate::sim::conn::Addr;
use crate::sim::{ConnId, HostId, Span, Time, TimerId};

/// The pause before a lost connection is opened again (the Java client's `networkRecoveryInterval`).
pub const RECOVERY_INTERVAL: Span = Span::secs(5);

/// The client's only channel.
const CHANNEL: u16 = 1;

/// The connection.
#[derive(Clone, Debug)]
pub struct Link {
    broker: HostId,
    conn: Option<ConnId>,
    is_open: bool,
    heard: Time,
    beat: Option<TimerId>,
    /// Why the broker closed the channel or the connection last.
    refusal: Option<Closed>,
}

/// What an input means to the application above.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// The connection stands and the channel is open.
    Up,
    /// Connection and channel are gone; it will be opened again.
    Down,
    Frame(Frame),
}

impl Link {
    pub fn new(broker: HostId) -> Link {
        Link {
            broker,
            conn: None,
            is_open: false,
            heard: Time::ZERO,
            beat: None,
            refusal: None,
        }
    }

    /// Why the broker has ended the channel or the connection, if it was that.
    pub fn take_refusal(&mut self) -> Option<Closed> {
        self.refusal.take()
    }

    pub fn is_open(&self) -> bool {
        self.is_open
    }

    pub fn connect(&mut self, ctx: &mut Ctx<'_>) {
        if self.conn.is_none() {
            let to = Addr {
                host: self.broker,
                port: AMQP_PORT,
            };
            self.conn = Some(ctx.connect(to));
        }
    }

    pub fn say(&self, method: Method, ctx: &mut Ctx<'_>) {
        if let Some(conn) = self.conn {
            ctx.send(conn, Msg::Method(CHANNEL, method));
        }
    }

    /// An orderly end.
    pub fn close(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(conn) = self.conn.take() {
            ctx.send(conn, Msg::CloseConnection);
            ctx.close(conn);
        }
        self.is_open = false;
    }

    /// The process is gone.
    pub fn forget(&mut self) {
        *self = Link::new(self.broker);
    }

    /// What an input means; `None` if nothing to the client.
    pub fn input(&mut self, input: &Input, ctx: &mut Ctx<'_>) -> Option<LinkEvent> {
        match input {
            Input::Start | Input::Timer(Timer::Client(ClientTimer::Reconnect)) => {
                self.connect(ctx);
                None
            }
            Input::Timer(Timer::Client(ClientTimer::Heartbeat)) => self.beat(ctx),
            Input::Opened(conn) if Some(*conn) == self.conn => {
                self.heard = ctx.now();
                ctx.send(*conn, Msg::Heartbeat);
                ctx.send(*conn, Msg::Method(CHANNEL, Method::OpenChannel));
                self.set_beat(ctx);
                None
            }
            Input::Refused(conn) | Input::Closed(conn) if Some(*conn) == self.conn => self.lost(ctx),
            Input::Message(conn, msg) if Some(*conn) == self.conn => {
                self.heard = ctx.now();
                self.message(msg, ctx)
            }
            _ => None,
        }
    }

    fn message(&mut self, msg: &Msg, ctx: &mut Ctx<'_>) -> Option<LinkEvent> {
        match msg {
            Msg::Frame(_, Frame::Ok("channel.open-ok")) => {
                self.is_open = true;
                Some(LinkEvent::Up)
            }
            Msg::Frame(channel, Frame::Close(closed)) => {
                self.refused(closed, ctx);
                // A client that made a mistake begins anew, as an application that restarts its channel does.
                if let Some(conn) = self.conn {
                    ctx.send(conn, Msg::Method(*channel, Method::CloseChannelOk));
                    ctx.close(conn);
                }
                self.lost(ctx)
            }
            Msg::Frame(_, frame) => Some(LinkEvent::Frame(frame.clone())),
            Msg::ConnectionClosed(closed) => {
                self.refused(closed, ctx);
                if let Some(conn) = self.conn {
                    ctx.close(conn);
                }
                self.lost(ctx)
            }
            Msg::Method(..) | Msg::CloseConnection | Msg::Heartbeat => None,
        }
    }

    fn refused(&mut self, closed: &Closed, ctx: &mut Ctx<'_>) {
        let text = closed.error.text.as_str().into();
        ctx.note(ClientNote::Refused { text }.into());
        self.refusal = Some(closed.clone());
    }

    fn lost(&mut self, ctx: &mut Ctx<'_>) -> Option<LinkEvent> {
        self.conn = None;
        ctx.timer(RECOVERY_INTERVAL, Timer::Client(ClientTimer::Reconnect));
        if let Some(beat) = self.beat.take() {
            ctx.cancel(beat);
        }
        std::mem::take(&mut self.is_open).then_some(LinkEvent::Down)
    }

    fn set_beat(&mut self, ctx: &mut Ctx<'_>) {
        self.beat = Some(ctx.timer(HEARTBEAT_EVERY, Timer::Client(ClientTimer::Heartbeat)));
    }

    /// A broker that was silent for two heartbeats is gone.
    fn beat(&mut self, ctx: &mut Ctx<'_>) -> Option<LinkEvent> {
        let conn = self.conn?;
        if ctx.now().since(self.heard) >= HEARTBEAT.times(2) {
            self.beat = None;
            ctx.close(conn);
            return self.lost(ctx);
        }
        ctx.send(conn, Msg::Heartbeat);
        self.set_beat(ctx);
        None
    }
}
