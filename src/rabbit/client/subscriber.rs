//! A subscriber: takes messages from one queue, works on one after the other, and acknowledges them, at the right moment
//! or at a wrong one.

use super::ClientTimer;
use super::link::{Link, LinkEvent};
use crate::rabbit::note::Fact;
use crate::rabbit::protocol::{Consume, Delivery, Frame, Method};
use crate::rabbit::value::{Field, Name, Table};
use crate::rabbit::wire::{Ctx, Input, Order, Rabbit, Timer};
use crate::sim::{Halt, HostId, Process, Span};
use std::collections::VecDeque;

/// When a subscriber acknowledges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AckMode {
    /// After the work: a crash in the middle means it comes again.
    #[default]
    After,
    /// On arrival: a crash in the middle means it is lost.
    Before,
    /// Not at all: the broker counts it as consumed when it sends it (`no_ack`).
    Auto,
}

/// How a subscriber works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubscriberSettings {
    pub queue: Name,
    /// Its consumer tag.
    pub tag: Name,
    /// 0: no limit.
    pub prefetch: u32,
    pub work: Span,
    pub ack: AckMode,
    /// `x-priority`.
    pub priority: Option<i32>,
    /// A body that it cannot work on, and whether it puts it back.
    pub poison: Option<(Name, bool)>,
}

/// The subscriber.
#[derive(Clone, Debug)]
pub struct Subscriber {
    settings: SubscriberSettings,
    link: Link,
    /// What it got and did not work on yet; the first is in hand.
    inbox: VecDeque<Delivery>,
    working: bool,
}

impl Subscriber {
    pub fn new(broker: HostId, settings: SubscriberSettings) -> Subscriber {
        Subscriber {
            settings,
            link: Link::new(broker),
            inbox: VecDeque::new(),
            working: false,
        }
    }

    pub fn settings(&self) -> &SubscriberSettings {
        &self.settings
    }

    pub fn is_connected(&self) -> bool {
        self.link.is_open()
    }

    /// What it has in hand or waiting.
    pub fn inbox(&self) -> impl Iterator<Item = &Delivery> {
        self.inbox.iter()
    }

    fn on_link(&mut self, event: LinkEvent, ctx: &mut Ctx<'_>) {
        match event {
            LinkEvent::Up => self.subscribe(ctx),
            // Tags of the old channel mean nothing on a new one; what is in hand comes again. `no_ack` has no tags.
            LinkEvent::Down if self.settings.ack == AckMode::After => self.inbox.truncate(usize::from(self.working)),
            LinkEvent::Down => {}
            LinkEvent::Frame(Frame::Deliver(_, delivery)) => self.take(delivery, ctx),
            // The queue is gone: it waits for one of that name, as an application that is started again does.
            LinkEvent::Frame(_) => {}
        }
    }

    fn subscribe(&mut self, ctx: &mut Ctx<'_>) {
        let qos = Method::Qos {
            size: 0,
            count: self.settings.prefetch,
            global: false,
        };
        self.link.say(qos, ctx);
        let priority = self.settings.priority.map(|n| ("x-priority".into(), Field::Int(n)));
        let consume = Consume {
            queue: self.settings.queue.clone(),
            tag: self.settings.tag.clone(),
            no_ack: self.settings.ack == AckMode::Auto,
            exclusive: false,
            arguments: Table::new(priority.into_iter().collect()),
        };
        self.link.say(Method::Consume(consume), ctx);
    }

    fn take(&mut self, delivery: Delivery, ctx: &mut Ctx<'_>) {
        if self.settings.ack == AckMode::Before {
            self.ack(delivery.tag, ctx);
        }
        self.inbox.push_back(delivery);
        self.work(ctx);
    }

    fn ack(&self, tag: u64, ctx: &mut Ctx<'_>) {
        self.link.say(Method::Ack { tag, multiple: false }, ctx);
    }

    fn work(&mut self, ctx: &mut Ctx<'_>) {
        if !self.working && !self.inbox.is_empty() {
            self.working = true;
            ctx.timer(self.settings.work, Timer::Client(ClientTimer::Worked));
        }
    }

    /// The message in hand is done, or refused.
    fn worked(&mut self, ctx: &mut Ctx<'_>) {
        self.working = false;
        if let Some(delivery) = self.inbox.pop_front() {
            let poison = self.settings.poison.clone();
            match poison.filter(|(body, _)| **body == *delivery.message.body) {
                Some((_, requeue)) if self.settings.ack == AckMode::After => {
                    let tag = delivery.tag;
                    self.link.say(Method::Reject { tag, requeue }, ctx);
                }
                // It cannot be given back any more, and is not done.
                Some(_) => {}
                None => self.done(&delivery, ctx),
            }
        }
        self.work(ctx);
    }

    fn done(&mut self, delivery: &Delivery, ctx: &mut Ctx<'_>) {
        if let Some(origin) = delivery.message.origin {
            let queue = self.settings.queue.clone();
            ctx.note(Fact::Worked { origin, queue }.into());
        }
        if self.settings.ack == AckMode::After {
            self.ack(delivery.tag, ctx);
        }
    }
}

impl Process for Subscriber {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Timer(Timer::Client(ClientTimer::Worked)) => self.worked(ctx),
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
        self.link.forget();
        self.inbox.clear();
        self.working = false;
    }
}
