//! RabbitMQ's vocabulary for the kernel: what its processes send, wait for, are told and report.

use super::broker::BrokerTimer;
use super::client::ClientTimer;
use super::client::operator::OperatorOrder;
use super::client::publisher::PublisherOrder;
use super::client::relay::RelayOrder;
use super::client::subscriber::SettleOrder;
use super::note::Note;
use super::protocol::Msg;
use crate::sim::Wire;

/// The vocabulary itself.
#[derive(Clone, Debug)]
pub enum Rabbit {}

impl Wire for Rabbit {
    type Msg = Msg;
    type Timer = Timer;
    type Order = Order;
    type Note = Note;
}

/// The kernel's context for a process of RabbitMQ.
pub type Ctx<'a> = crate::sim::Ctx<'a, Rabbit>;

/// The kernel's input for a process of RabbitMQ.
pub type Input = crate::sim::Input<Rabbit>;

/// What a timer says, by the kind of process that set it.
#[derive(Clone, Debug)]
pub enum Timer {
    Broker(BrokerTimer),
    Client(ClientTimer),
}

/// What somebody outside tells a process to do.
#[derive(Clone, Debug)]
pub enum Order {
    /// SIGTERM: the broker closes its connections and stops; a client closes.
    Shutdown,
    Relay(RelayOrder),
    Publisher(PublisherOrder),
    Settle(SettleOrder),
    Operator(OperatorOrder),
}

/// The port that the broker listens on.
pub const AMQP_PORT: u16 = 5672;
