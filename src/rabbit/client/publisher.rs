//! A publisher: hands messages to the broker, and with confirms keeps each until the broker has taken it.

use super::link::{Link, LinkEvent};
use crate::ordered::OrderedMap;
use crate::rabbit::message::Properties;
use crate::rabbit::note::Fact;
use crate::rabbit::protocol::{Frame, Method, PublishMessage};
use crate::rabbit::value::Name;
use crate::rabbit::wire::{Ctx, Input, Order, Rabbit};
use crate::sim::{Halt, HostId, Process};
use std::collections::VecDeque;
use std::rc::Rc;

/// How a publisher works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PublisherSettings {
    /// `confirm.select`: what was not confirmed is published again, on a nack at once, after a loss when the
    /// connection stands again.
    pub confirm: bool,
    /// Messages that match no queue come back.
    pub mandatory: bool,
}

/// What a publisher is told to publish.
#[derive(Clone, Debug)]
pub struct PublisherOrder {
    /// Its number.
    pub origin: u32,
    pub exchange: Name,
    pub key: Name,
    pub properties: Rc<Properties>,
    pub body: Rc<str>,
}

/// The publisher.
#[derive(Clone, Debug)]
pub struct Publisher {
    settings: PublisherSettings,
    link: Link,
    /// Not sent yet.
    waiting: VecDeque<PublisherOrder>,
    /// Sent and not confirmed, by the number of the publish on the channel.
    unconfirmed: OrderedMap<u64, PublisherOrder>,
    next: u64,
    /// The channel is ready for publishes.
    ready: bool,
}

impl Publisher {
    pub fn new(broker: HostId, settings: PublisherSettings) -> Publisher {
        Publisher {
            settings,
            link: Link::new(broker),
            waiting: VecDeque::new(),
            unconfirmed: OrderedMap::new(),
            next: 1,
            ready: false,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.link.is_open()
    }

    /// How many were not sent yet, and how many not confirmed.
    pub fn backlog(&self) -> (usize, usize) {
        (self.waiting.len(), self.unconfirmed.len())
    }

    fn on_link(&mut self, event: LinkEvent, ctx: &mut Ctx<'_>) {
        match event {
            LinkEvent::Up if self.settings.confirm => self.link.say(Method::SelectConfirm, ctx),
            LinkEvent::Up => self.begin(ctx),
            LinkEvent::Down => self.lost(),
            LinkEvent::Frame(Frame::Ok("confirm.select-ok")) => self.begin(ctx),
            LinkEvent::Frame(Frame::Ack { number, multiple }) => {
                for order in self.settled(number, multiple) {
                    ctx.note(Fact::Confirmed { origin: order.origin }.into());
                }
            }
            LinkEvent::Frame(Frame::Nack { number, multiple }) => {
                for order in self.settled(number, multiple) {
                    ctx.note(Fact::Nacked { origin: order.origin }.into());
                    self.waiting.push_back(order);
                }
                self.send_waiting(ctx);
            }
            LinkEvent::Frame(_) => {}
        }
    }

    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        self.ready = true;
        self.next = 1;
        self.send_waiting(ctx);
    }

    /// What was not confirmed may be lost: it goes again, before what came later.
    fn lost(&mut self) {
        self.ready = false;
        for order in std::mem::take(&mut self.unconfirmed).into_values().rev() {
            self.waiting.push_front(order);
        }
    }

    fn settled(&mut self, number: u64, multiple: bool) -> Vec<PublisherOrder> {
        if !multiple {
            return self.unconfirmed.remove(&number).into_iter().collect();
        }
        let later = self.unconfirmed.split_off(&(number + 1));
        std::mem::replace(&mut self.unconfirmed, later).into_values().collect()
    }

    fn send_waiting(&mut self, ctx: &mut Ctx<'_>) {
        while self.ready
            && let Some(order) = self.waiting.pop_front()
        {
            let publish = PublishMessage {
                exchange: order.exchange.clone(),
                key: order.key.clone(),
                mandatory: self.settings.mandatory,
                immediate: false,
                properties: order.properties.clone(),
                body: order.body.clone(),
                origin: Some(order.origin),
            };
            self.link.say(Method::Publish(publish), ctx);
            ctx.note(Fact::Published { origin: order.origin }.into());
            if self.settings.confirm {
                self.unconfirmed.insert(self.next, order);
            }
            self.next += 1;
        }
    }
}

impl Process for Publisher {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Order(Order::Publisher(order)) => {
                self.waiting.push_back(order);
                self.send_waiting(ctx);
            }
            Input::Order(Order::Shutdown) => {
                self.link.close(ctx);
                ctx.exit();
            }
            other => {
                if let Some(event) = self.link.input(&other, ctx) {
                    self.on_link(event, ctx);
                }
            }
        }
    }

    fn halt(&mut self, _: Halt) {
        // All of it was memory.
        self.link.forget();
        self.waiting.clear();
        self.unconfirmed.clear();
        self.ready = false;
    }
}
