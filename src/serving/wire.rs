//! The vocabulary of web servers, proxies and their clients for the kernel.

use super::client::{ClientOrder, ClientTimer};
use super::http::Msg;
use super::note::Note;
use super::server::{ServerOrder, ServerTimer};
use crate::sim::Wire;

/// The vocabulary itself.
#[derive(Clone, Debug)]
pub enum Serving {}

impl Wire for Serving {
    type Msg = Msg;
    type Timer = Timer;
    type Order = Order;
    type Note = Note;
}

/// The kernel's context for a web server, a proxy or a client of one.
pub type Ctx<'a> = crate::sim::Ctx<'a, Serving>;

/// The kernel's input for them.
pub type Input = crate::sim::Input<Serving>;

/// What a timer says, by the kind of process that set it.
#[derive(Clone, Debug)]
pub enum Timer {
    Server(ServerTimer),
    Client(ClientTimer),
}

/// What somebody outside tells a process to do.
#[derive(Clone, Debug)]
pub enum Order {
    Server(ServerOrder),
    Client(ClientOrder),
}

/// The port that web servers listen on unless they are told another.
pub const HTTP_PORT: u16 = 80;
