//! A publisher: hands messages to the broker, and with confirms keeps each until the broker has taken it.

use super::Application;
use super::link::Link;
use crate::ordered::OrderedMap;
use crate::rabbit::message::Properties;
use crate::rabbit::note::Fact;
use crate::rabbit::protocol::{Frame, Method, PublishMessage};
use crate::rabbit::value::Name;
use crate::rabbit::wire::{Ctx, Order};
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
    /// `delivery_mode=2` on every message that does not say another.
    pub persistent: bool,
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
    /// Not sent yet.
    waiting: VecDeque<PublisherOrder>,
    /// Sent and not confirmed, by the number of the publish on the channel.
    unconfirmed: OrderedMap<u64, PublisherOrder>,
    next: u64,
    /// The channel is ready for publishes.
    ready: bool,
}

impl Publisher {
    pub fn new(settings: PublisherSettings) -> Publisher {
        Publisher {
            settings,
            waiting: VecDeque::new(),
            unconfirmed: OrderedMap::new(),
            next: 1,
            ready: false,
        }
    }

    pub fn settings(&self) -> &PublisherSettings {
        &self.settings
    }

    /// How many were not sent yet, and how many not confirmed.
    pub fn backlog(&self) -> (usize, usize) {
        (self.waiting.len(), self.unconfirmed.len())
    }

    /// The numbers of what it holds: not sent, or sent and not confirmed.
    pub fn held(&self) -> impl Iterator<Item = u32> {
        self.waiting
            .iter()
            .chain(self.unconfirmed.values())
            .map(|order| order.origin)
    }

    fn begin(&mut self, link: &Link, ctx: &mut Ctx<'_>) {
        self.ready = true;
        self.next = 1;
        self.send_waiting(link, ctx);
    }

    fn settled(&mut self, number: u64, multiple: bool) -> Vec<PublisherOrder> {
        if !multiple {
            return self.unconfirmed.remove(&number).into_iter().collect();
        }
        let later = self.unconfirmed.split_off(&(number + 1));
        std::mem::replace(&mut self.unconfirmed, later).into_values().collect()
    }

    fn send_waiting(&mut self, link: &Link, ctx: &mut Ctx<'_>) {
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
            link.say(Method::Publish(publish), ctx);
            ctx.note(Fact::Published { origin: order.origin }.into());
            if self.settings.confirm {
                self.unconfirmed.insert(self.next, order);
            }
            self.next += 1;
        }
    }
}

impl Application for Publisher {
    fn up(&mut self, link: &mut Link, ctx: &mut Ctx<'_>) {
        match self.settings.confirm {
            true => link.say(Method::SelectConfirm, ctx),
            false => self.begin(link, ctx),
        }
    }

    /// What was not confirmed may be lost: it goes again, before what came later.
    fn down(&mut self, _: &mut Link, _: &mut Ctx<'_>) {
        self.ready = false;
        for order in std::mem::take(&mut self.unconfirmed).into_values().rev() {
            self.waiting.push_front(order);
        }
    }

    fn frame(&mut self, frame: Frame, link: &mut Link, ctx: &mut Ctx<'_>) {
        match frame {
            Frame::Ok("confirm.select-ok") => self.begin(link, ctx),
            Frame::Ack { number, multiple } => {
                for order in self.settled(number, multiple) {
                    ctx.note(Fact::Confirmed { origin: order.origin }.into());
                }
            }
            Frame::Nack { number, multiple } => {
                for order in self.settled(number, multiple) {
                    ctx.note(Fact::Nacked { origin: order.origin }.into());
                    self.waiting.push_back(order);
                }
                self.send_waiting(link, ctx);
            }
            _ => {}
        }
    }

    fn order(&mut self, order: Order, link: &mut Link, ctx: &mut Ctx<'_>) {
        if let Order::Publisher(mut order) = order {
            if self.settings.persistent && order.properties.delivery_mode.is_none() {
                Rc::make_mut(&mut order.properties).delivery_mode = Some(2);
            }
            self.waiting.push_back(order);
            self.send_waiting(link, ctx);
        }
    }

    fn worked(&mut self, _: &mut Link, _: &mut Ctx<'_>) {}

    fn forget(&mut self) {
        *self = Publisher::new(self.settings);
    }
}
