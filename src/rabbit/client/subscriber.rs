//! A subscriber: takes messages from one queue, works on one after the other, and acknowledges them, at the right moment
//! or at a wrong one.

use super::link::Link;
use super::{Application, ClientTimer};
use crate::rabbit::note::{ClientNote, Fact};
use crate::rabbit::protocol::{Consume, Delivery, Frame, Method};
use crate::rabbit::value::{Field, Name, Table};
use crate::rabbit::wire::{Ctx, Order, Timer};
use crate::sim::Span;
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
    /// When somebody says so: what was delivered stays in hand.
    Manual,
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
    /// Nobody else may consume.
    pub exclusive: bool,
    /// A body that it cannot work on, and whether it puts it back.
    pub poison: Option<(Name, bool)>,
}

/// What a subscriber with [`AckMode::Manual`] is told to do with what it has in hand.
#[derive(Clone, Copy, Debug)]
pub struct SettleOrder {
    pub how: Settle,
    /// All that it has, in one frame; else the oldest.
    pub multiple: bool,
}

/// The three answers to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    Ack,
    Nack { requeue: bool },
    Reject { requeue: bool },
}

/// The subscriber.
#[derive(Clone, Debug)]
pub struct Subscriber {
    settings: SubscriberSettings,
    /// What it got and did not work on yet; the first is in hand.
    inbox: VecDeque<Delivery>,
    working: bool,
}

impl Subscriber {
    pub fn new(settings: SubscriberSettings) -> Subscriber {
        Subscriber {
            settings,
            inbox: VecDeque::new(),
            working: false,
        }
    }

    pub fn settings(&self) -> &SubscriberSettings {
        &self.settings
    }

    /// What it has in hand or waiting.
    pub fn inbox(&self) -> impl Iterator<Item = &Delivery> {
        self.inbox.iter()
    }

    fn take(&mut self, delivery: Delivery, link: &Link, ctx: &mut Ctx<'_>) {
        if self.settings.ack == AckMode::Before {
            ack(delivery.tag, link, ctx);
        }
        self.inbox.push_back(delivery);
        self.work(ctx);
    }

    fn work(&mut self, ctx: &mut Ctx<'_>) {
        if !self.working && !self.inbox.is_empty() && self.settings.ack != AckMode::Manual {
            self.working = true;
            ctx.timer(self.settings.work, Timer::Client(ClientTimer::Worked));
        }
    }

    fn done(&self, delivery: &Delivery, ctx: &mut Ctx<'_>) {
        if let Some(origin) = delivery.message.origin {
            let queue = self.settings.queue.clone();
            ctx.note(Fact::Worked { origin, queue }.into());
        }
    }

    /// Settles what it has in hand.
    fn settle(&mut self, order: SettleOrder, link: &Link, ctx: &mut Ctx<'_>) {
        let count = if order.multiple { self.inbox.len() } else { 1 };
        let settled: Vec<Delivery> = self.inbox.drain(..count.min(self.inbox.len())).collect();
        let Some(last) = settled.last() else { return };
        let (tag, multiple) = (last.tag, order.multiple);
        let method = match order.how {
            Settle::Ack => Method::Ack { tag, multiple },
            Settle::Nack { requeue } => Method::Nack { tag, multiple, requeue },
            Settle::Reject { requeue } => Method::Reject { tag, requeue },
        };
        if order.how == Settle::Ack {
            settled.iter().for_each(|delivery| self.done(delivery, ctx));
        }
        link.say(method, ctx);
    }
}

fn ack(tag: u64, link: &Link, ctx: &mut Ctx<'_>) {
    link.say(Method::Ack { tag, multiple: false }, ctx);
}

impl Application for Subscriber {
    fn up(&mut self, link: &mut Link, ctx: &mut Ctx<'_>) {
        let qos = Method::Qos {
            size: 0,
            count: self.settings.prefetch,
            global: false,
        };
        link.say(qos, ctx);
        let priority = self.settings.priority.map(|n| ("x-priority".into(), Field::Int(n)));
        let consume = Consume {
            queue: self.settings.queue.clone(),
            tag: self.settings.tag.clone(),
            no_ack: self.settings.ack == AckMode::Auto,
            exclusive: self.settings.exclusive,
            arguments: Table::new(priority.into_iter().collect()),
        };
        link.say(Method::Consume(consume), ctx);
    }

    /// Tags of the old channel mean nothing on a new one; what is in hand comes again. What is acknowledged already, or
    /// needs no acknowledgement, is worked on all the same.
    fn down(&mut self, _: &mut Link, _: &mut Ctx<'_>) {
        if matches!(self.settings.ack, AckMode::After | AckMode::Manual) {
            self.inbox.truncate(usize::from(self.working));
        }
    }

    fn frame(&mut self, frame: Frame, link: &mut Link, ctx: &mut Ctx<'_>) {
        match frame {
            Frame::Deliver(_, delivery) => self.take(delivery, link, ctx),
            // The queue is gone: it waits for one of that name, as an application that is started again does.
            Frame::Cancel(_) => {
                let queue = self.settings.queue.clone();
                ctx.note(ClientNote::Cancelled { queue }.into());
            }
            _ => {}
        }
    }

    fn order(&mut self, order: Order, link: &mut Link, ctx: &mut Ctx<'_>) {
        if let Order::Settle(order) = order {
            self.settle(order, link, ctx);
        }
    }

    /// The message in hand is done, or refused.
    fn worked(&mut self, link: &mut Link, ctx: &mut Ctx<'_>) {
        self.working = false;
        if let Some(delivery) = self.inbox.pop_front() {
            let poison = self.settings.poison.clone();
            let after = self.settings.ack == AckMode::After;
            match poison.filter(|(body, _)| **body == *delivery.message.body) {
                Some((_, requeue)) if after => {
                    let tag = delivery.tag;
                    link.say(Method::Reject { tag, requeue }, ctx);
                }
                // It cannot be given back any more, and is not done.
                Some(_) => {}
                None => {
                    self.done(&delivery, ctx);
                    if after {
                        ack(delivery.tag, link, ctx);
                    }
                }
            }
        }
        self.work(ctx);
    }

    fn forget(&mut self) {
        self.inbox.clear();
        self.working = false;
    }
}
