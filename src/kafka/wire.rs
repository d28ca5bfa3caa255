//! Kafka's vocabulary for the kernel: what its processes send, wait for, are told and report.

use super::broker::BrokerTimer;
use super::client::admin::{AdminOrder, AdminTimer};
use super::client::consumer::{ConsumerOrder, ConsumerTimer};
use super::client::producer::{ProducerOrder, ProducerTimer};
use super::controller::ControllerTimer;
use super::note::Note;
use super::protocol::Msg;
use crate::sim::Wire;

/// The vocabulary itself.
#[derive(Clone, Debug)]
pub enum Kafka {}

impl Wire for Kafka {
    type Msg = Msg;
    type Timer = Timer;
    type Order = Order;
    type Note = Note;
}

/// The kernel's context for a process of Kafka.
pub type Ctx<'a> = crate::sim::Ctx<'a, Kafka>;

/// The kernel's input for a process of Kafka.
pub type Input = crate::sim::Input<Kafka>;

/// What a timer says, by the kind of process that set it.
#[derive(Clone, Debug)]
pub enum Timer {
    Broker(BrokerTimer),
    Controller(ControllerTimer),
    Producer(ProducerTimer),
    Consumer(ConsumerTimer),
    Admin(AdminTimer),
}

/// What somebody outside tells a process to do.
#[derive(Clone, Debug)]
pub enum Order {
    /// SIGTERM: a broker's controlled shutdown, a client's `close()`.
    Shutdown,
    Producer(ProducerOrder),
    Consumer(ConsumerOrder),
    Admin(AdminOrder),
}

/// The port that every broker and controller listens on.
pub const KAFKA_PORT: u16 = 9092;
