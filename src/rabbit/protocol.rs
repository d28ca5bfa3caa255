//! What clients and the broker say to each other: AMQP 0-9-1 methods, one message each.

use super::error::AmqpError;
use super::message::{Message, Properties};
use super::value::{Name, Table};
use crate::sim::Payload;
use std::rc::Rc;

/// A message on a connection.
#[derive(Clone, Debug)]
pub enum Msg {
    /// From a client, on one of its channels.
    Method(u16, Method),
    /// From the broker, on a channel.
    Frame(u16, Frame),
    /// An orderly end of the connection, from the client.
    CloseConnection,
    /// The broker ends the connection.
    ConnectionClosed(Closed),
    Heartbeat,
}

/// A channel's or a connection's end by the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub error: AmqpError,
    /// The method that failed; none if none did.
    pub method: Option<&'static str>,
}

/// `exchange.declare`.
#[derive(Clone, Debug)]
pub struct DeclareExchange {
    pub exchange: Name,
    pub kind: Name,
    pub passive: bool,
    pub durable: bool,
    pub auto_delete: bool,
    pub internal: bool,
    pub arguments: Table,
}

/// `queue.declare`.
#[derive(Clone, Debug)]
pub struct DeclareQueue {
    pub queue: Name,
    pub passive: bool,
    pub durable: bool,
    pub exclusive: bool,
    pub auto_delete: bool,
    pub arguments: Table,
}

/// `queue.bind`, `exchange.bind`, and their opposites.
#[derive(Clone, Debug)]
pub struct Bind {
    pub source: Name,
    pub destination: Name,
    pub key: Name,
    pub arguments: Table,
}

/// `basic.publish` with its content.
#[derive(Clone, Debug)]
pub struct PublishMessage {
    pub exchange: Name,
    pub key: Name,
    pub mandatory: bool,
    pub immediate: bool,
    pub properties: Rc<Properties>,
    pub body: Rc<str>,
    /// The number of what the client was told to publish.
    pub origin: Option<u32>,
}

/// `basic.consume`.
#[derive(Clone, Debug)]
pub struct Consume {
    pub queue: Name,
    pub tag: Name,
    pub no_ack: bool,
    pub exclusive: bool,
    pub arguments: Table,
}

/// A method of a client.
#[derive(Clone, Debug)]
pub enum Method {
    OpenChannel,
    CloseChannel,
    /// The answer to a channel's end by the broker.
    CloseChannelOk,
    Flow(bool),
    DeclareExchange(DeclareExchange),
    DeleteExchange {
        exchange: Name,
        if_unused: bool,
    },
    BindExchange(Bind),
    UnbindExchange(Bind),
    DeclareQueue(DeclareQueue),
    DeleteQueue {
        queue: Name,
        if_unused: bool,
        if_empty: bool,
    },
    Purge(Name),
    BindQueue(Bind),
    UnbindQueue(Bind),
    Qos {
        size: u32,
        count: u32,
        global: bool,
    },
    Consume(Consume),
    Cancel(Name),
    Publish(PublishMessage),
    Get {
        queue: Name,
        no_ack: bool,
    },
    Ack {
        tag: u64,
        multiple: bool,
    },
    Nack {
        tag: u64,
        multiple: bool,
        requeue: bool,
    },
    Reject {
        tag: u64,
        requeue: bool,
    },
    Recover {
        requeue: bool,
    },
    SelectConfirm,
    SelectTx,
    CommitTx,
    RollbackTx,
}

impl Method {
    /// Its name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            Method::OpenChannel => "channel.open",
            Method::CloseChannel => "channel.close",
            Method::CloseChannelOk => "channel.close-ok",
            Method::Flow(_) => "channel.flow",
            Method::DeclareExchange(_) => "exchange.declare",
            Method::DeleteExchange { .. } => "exchange.delete",
            Method::BindExchange(_) => "exchange.bind",
            Method::UnbindExchange(_) => "exchange.unbind",
            Method::DeclareQueue(_) => "queue.declare",
            Method::DeleteQueue { .. } => "queue.delete",
            Method::Purge(_) => "queue.purge",
            Method::BindQueue(_) => "queue.bind",
            Method::UnbindQueue(_) => "queue.unbind",
            Method::Qos { .. } => "basic.qos",
            Method::Consume(_) => "basic.consume",
            Method::Cancel(_) => "basic.cancel",
            Method::Publish(_) => "basic.publish",
            Method::Get { .. } => "basic.get",
            Method::Ack { .. } => "basic.ack",
            Method::Nack { .. } => "basic.nack",
            Method::Reject { .. } => "basic.reject",
            Method::Recover { .. } => "basic.recover",
            Method::SelectConfirm => "confirm.select",
            Method::SelectTx => "tx.select",
            Method::CommitTx => "tx.commit",
            Method::RollbackTx => "tx.rollback",
        }
    }
}

/// A message that comes to a client.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub tag: u64,
    pub redelivered: bool,
    pub message: Rc<Message>,
    /// The header `x-delivery-count`, where a quorum queue adds it.
    pub delivery_count: Option<u32>,
}

impl Delivery {
    /// The properties as the client sees them.
    pub fn properties(&self) -> Properties {
        let mut properties = (*self.message.properties).clone();
        if let Some(count) = self.delivery_count {
            let headers = properties.headers.unwrap_or_default();
            let count = super::value::Field::whole(i64::from(count));
            properties.headers = Some(headers.with("x-delivery-count", count));
        }
        properties
    }
}

/// What the broker says on a channel.
#[derive(Clone, Debug)]
pub enum Frame {
    /// The plain ok of that method.
    Ok(&'static str),
    DeclaredQueue {
        queue: Name,
        messages: u32,
        consumers: u32,
    },
    /// `queue.delete-ok` and `queue.purge-ok`.
    Removed(u32),
    ConsumeOk(Name),
    CancelOk(Name),
    GetOk(Delivery, u32),
    GetEmpty,
    Deliver(Name, Delivery),
    /// The server cancelled a consumer.
    Cancel(Name),
    /// A mandatory message that went nowhere; always 312 NO_ROUTE.
    Return(Rc<Message>),
    Ack {
        number: u64,
        multiple: bool,
    },
    Nack {
        number: u64,
        multiple: bool,
    },
    Close(Closed),
}

impl Frame {
    /// Its name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            Frame::Ok(name) => name,
            Frame::DeclaredQueue { .. } => "queue.declare-ok",
            Frame::Removed(_) => "queue.delete-ok",
            Frame::ConsumeOk(_) => "basic.consume-ok",
            Frame::CancelOk(_) => "basic.cancel-ok",
            Frame::GetOk(..) => "basic.get-ok",
            Frame::GetEmpty => "basic.get-empty",
            Frame::Deliver(..) => "basic.deliver",
            Frame::Cancel(_) => "basic.cancel",
            Frame::Return(_) => "basic.return",
            Frame::Ack { .. } => "basic.ack",
            Frame::Nack { .. } => "basic.nack",
            Frame::Close(_) => "channel.close",
        }
    }
}

/// About what a method, its content header and the frames around them take.
const OVERHEAD: u32 = 40;

impl Payload for Msg {
    fn kind(&self) -> &'static str {
        match self {
            Msg::Method(_, method) => method.name(),
            Msg::Frame(_, frame) => frame.name(),
            Msg::CloseConnection | Msg::ConnectionClosed(_) => "connection.close",
            Msg::Heartbeat => "heartbeat",
        }
    }

    fn tag(&self) -> u8 {
        let kind = self.kind();
        // Found: the table has every name that `kind` gives.
        KINDS.iter().position(|known| *known == kind).unwrap_or(0) as u8
    }

    fn bytes(&self) -> u32 {
        let body = match self {
            Msg::Method(_, Method::Publish(publish)) => publish.body.len(),
            Msg::Frame(_, Frame::Deliver(_, delivery) | Frame::GetOk(delivery, _)) => delivery.message.body.len(),
            Msg::Frame(_, Frame::Return(message)) => message.body.len(),
            _ => 0,
        };
        OVERHEAD + body as u32
    }
}

/// Every kind of message, by its tag.
pub const KINDS: [&str; 57] = [
    "heartbeat",
    "connection.close",
    "channel.open",
    "channel.open-ok",
    "channel.close",
    "channel.close-ok",
    "channel.flow",
    "channel.flow-ok",
    "exchange.declare",
    "exchange.declare-ok",
    "exchange.delete",
    "exchange.delete-ok",
    "exchange.bind",
    "exchange.bind-ok",
    "exchange.unbind",
    "exchange.unbind-ok",
    "queue.declare",
    "queue.declare-ok",
    "queue.delete",
    "queue.delete-ok",
    "queue.purge",
    "queue.bind",
    "queue.bind-ok",
    "queue.unbind",
    "queue.unbind-ok",
    "basic.qos",
    "basic.qos-ok",
    "basic.consume",
    "basic.consume-ok",
    "basic.cancel",
    "basic.cancel-ok",
    "basic.publish",
    "basic.return",
    "basic.deliver",
    "basic.get",
    "basic.get-ok",
    "basic.get-empty",
    "basic.ack",
    "basic.nack",
    "basic.reject",
    "basic.recover",
    "basic.recover-ok",
    "confirm.select",
    "confirm.select-ok",
    "tx.select",
    "tx.select-ok",
    "tx.commit",
    "tx.commit-ok",
    "tx.rollback",
    "tx.rollback-ok",
    "connection.open",
    "connection.open-ok",
    "connection.close-ok",
    "connection.blocked",
    "connection.unblocked",
    "queue.purge-ok",
    "basic.recover-async",
];
