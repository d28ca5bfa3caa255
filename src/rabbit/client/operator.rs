//! An operator's client (`rabbitmqadmin`): declares, binds, deletes and purges, one method after the other.

use super::Application;
use super::link::Link;
use crate::rabbit::error::AmqpError;
use crate::rabbit::protocol::{Closed, Frame, Method};
use crate::rabbit::value::Name;
use crate::rabbit::wire::{Ctx, Order};
use std::collections::VecDeque;

/// What an operator is told to do.
#[derive(Clone, Debug)]
pub struct OperatorOrder {
    /// Its number.
    pub number: u32,
    pub method: Method,
}

/// The operator.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    /// Not answered yet; the first was said if the channel is open.
    todo: VecDeque<OperatorOrder>,
    ready: bool,
    /// The number of what was answered last, and why it was refused, if it was.
    pub last: Option<(u32, Option<Name>)>,
}

impl Operator {
    fn say_next(&self, link: &Link, ctx: &mut Ctx<'_>) {
        if let Some(next) = self.todo.front().filter(|_| self.ready) {
            link.say(next.method.clone(), ctx);
        }
    }

    fn answered(&mut self, refused: Option<&AmqpError>) {
        if let Some(done) = self.todo.pop_front() {
            self.last = Some((done.number, refused.map(|error| error.text.as_str().into())));
        }
    }
}

impl Application for Operator {
    fn up(&mut self, link: &mut Link, ctx: &mut Ctx<'_>) {
        self.ready = true;
        self.say_next(link, ctx);
    }

    /// What was refused took the channel with it; a connection that was only lost is asked again.
    fn down(&mut self, link: &mut Link, ctx: &mut Ctx<'_>) {
        self.ready = false;
        if let Some(Closed { error, .. }) = link.take_refusal() {
            self.answered(Some(&error));
            link.connect(ctx);
        }
    }

    fn frame(&mut self, frame: Frame, link: &mut Link, ctx: &mut Ctx<'_>) {
        if matches!(frame, Frame::Ok(_) | Frame::DeclaredQueue { .. } | Frame::Removed(_)) {
            self.answered(None);
            self.say_next(link, ctx);
        }
    }

    fn order(&mut self, order: Order, link: &mut Link, ctx: &mut Ctx<'_>) {
        if let Order::Operator(order) = order {
            self.todo.push_back(order);
            if self.todo.len() == 1 {
                self.say_next(link, ctx);
            }
        }
    }

    fn worked(&mut self, _: &mut Link, _: &mut Ctx<'_>) {}

    fn forget(&mut self) {
        *self = Operator::default();
    }
}
