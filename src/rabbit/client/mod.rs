//! Clients of the broker, as processes: publishers, subscribers, operators, and one that only relays.
//!
//! All but the relay are a [`Client`]: a connection that is kept up, and an application on it.

pub mod link;
pub mod operator;
pub mod publisher;
pub mod relay;
pub mod subscriber;
#[cfg(test)]
mod tests;

use super::protocol::Frame;
use super::wire::{Ctx, Input, Order, Rabbit, Timer};
use crate::sim::{Halt, HostId, Process};
use link::{Link, LinkEvent};

/// What a timer of a client says.
#[derive(Clone, Copy, Debug)]
pub enum ClientTimer {
    /// It tries to connect again.
    Reconnect,
    /// It tells the broker that it lives, and listens whether the broker does.
    Heartbeat,
    /// The message in hand is done.
    Worked,
}

/// What a client does with its connection.
pub trait Application: Clone {
    /// The channel is open.
    fn up(&mut self, link: &mut Link, ctx: &mut Ctx<'_>);
    /// Connection and channel are gone; they will be opened again.
    fn down(&mut self, link: &mut Link, ctx: &mut Ctx<'_>);
    fn frame(&mut self, frame: Frame, link: &mut Link, ctx: &mut Ctx<'_>);
    fn order(&mut self, order: Order, link: &mut Link, ctx: &mut Ctx<'_>);
    /// The message in hand is done.
    fn worked(&mut self, link: &mut Link, ctx: &mut Ctx<'_>);
    /// The process is gone, and with it all that was memory.
    fn forget(&mut self);
}

/// A client: an application on a connection that is opened anew whenever it is lost.
#[derive(Clone, Debug)]
pub struct Client<A> {
    link: Link,
    pub application: A,
}

impl<A: Application> Client<A> {
    pub fn new(broker: HostId, application: A) -> Client<A> {
        Client {
            link: Link::new(broker),
            application,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.link.is_open()
    }
}

impl<A: Application> Process for Client<A> {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        let (app, link) = (&mut self.application, &mut self.link);
        match input {
            Input::Order(Order::Shutdown) => {
                link.close(ctx);
                ctx.exit();
            }
            Input::Order(order) => app.order(order, link, ctx),
            Input::Timer(Timer::Client(ClientTimer::Worked)) => app.worked(link, ctx),
            other => match link.input(&other, ctx) {
                Some(LinkEvent::Up) => app.up(link, ctx),
                Some(LinkEvent::Down) => app.down(link, ctx),
                Some(LinkEvent::Frame(frame)) => app.frame(frame, link, ctx),
                None => {}
            },
        }
    }

    fn halt(&mut self, _: Halt) {
        self.link.forget();
        self.application.forget();
    }
}
