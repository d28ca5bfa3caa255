//! A client that says what it is told, on as many connections as it is told, and keeps what it hears.

use crate::ordered::OrderedMap;
use crate::rabbit::protocol::{Frame, Method, Msg};
use crate::rabbit::wire::{AMQP_PORT, Ctx, Input, Order, Rabbit};
use crate::sim::conn::Addr;
use crate::sim::{ConnId, Halt, HostId, Process};

/// What a relay is told.
#[derive(Clone, Debug)]
pub enum RelayOrder {
    /// Opens the connection of that number, unless it is open.
    Connect(u32),
    Say(u32, u16, Method),
    /// An orderly end.
    Close(u32),
    /// The connection breaks without a word.
    Drop(u32),
}

/// What a relay heard on a connection.
#[derive(Clone, Debug)]
pub enum Heard {
    Message(Msg),
    /// The connection has ended; nothing said so before.
    Lost,
}

/// The client.
#[derive(Clone, Debug)]
pub struct Relay {
    broker: HostId,
    open: OrderedMap<u32, ConnId>,
    /// All it heard, oldest first.
    pub heard: Vec<(u32, Heard)>,
}

impl Relay {
    pub fn new(broker: HostId) -> Relay {
        Relay {
            broker,
            open: OrderedMap::new(),
            heard: Vec::new(),
        }
    }

    fn number(&self, conn: ConnId) -> Option<u32> {
        self.open
            .iter()
            .find(|(_, open)| **open == conn)
            .map(|(number, _)| *number)
    }

    fn order(&mut self, order: RelayOrder, ctx: &mut Ctx<'_>) {
        match order {
            RelayOrder::Connect(number) => {
                let broker = self.broker;
                self.open.entry(number).or_insert_with(|| {
                    ctx.connect(Addr {
                        host: broker,
                        port: AMQP_PORT,
                    })
                });
            }
            RelayOrder::Say(number, channel, method) => {
                if let Some(conn) = self.open.get(&number) {
                    ctx.send(*conn, Msg::Method(channel, method));
                }
            }
            RelayOrder::Close(number) => {
                if let Some(conn) = self.open.remove(&number) {
                    ctx.send(conn, Msg::CloseConnection);
                    ctx.close(conn);
                }
            }
            RelayOrder::Drop(number) => {
                if let Some(conn) = self.open.remove(&number) {
                    ctx.close(conn);
                    self.heard.push((number, Heard::Lost));
                }
            }
        }
    }

    fn message(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx<'_>) {
        let Some(number) = self.number(conn) else { return };
        match &msg {
            Msg::Frame(channel, Frame::Close(_)) => ctx.send(conn, Msg::Method(*channel, Method::CloseChannelOk)),
            Msg::ConnectionClosed(_) => {
                self.open.remove(&number);
                ctx.close(conn);
            }
            _ => {}
        }
        self.heard.push((number, Heard::Message(msg)));
    }
}

impl Process for Relay {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Order(Order::Relay(order)) => self.order(order, ctx),
            Input::Message(conn, msg) => self.message(conn, msg, ctx),
            Input::Closed(conn) | Input::Refused(conn) => {
                if let Some(number) = self.number(conn) {
                    self.open.remove(&number);
                    self.heard.push((number, Heard::Lost));
                }
            }
            Input::Order(Order::Shutdown) => ctx.exit(),
            Input::Start | Input::Timer(_) | Input::Opened(_) | Input::Accepted(..) | Input::Order(_) => {}
        }
    }

    fn halt(&mut self, _: Halt) {
        self.open.clear();
    }
}
