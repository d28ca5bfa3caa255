//! From what RabbitMQ's processes report to what the ledger knows.

use super::ledger::{Death, RecordId};
use super::node::Node;
use super::world::{Role, World};
use crate::ordered::OrderedSet;
use crate::rabbit::dead_letter::Reason;
use crate::rabbit::note::{ClientNote, Fact, Note};
use crate::rabbit::protocol::{Frame, Method, Msg};
use crate::sim::ProcId;
use std::rc::Rc;

impl World {
    pub(super) fn observe_rabbit(&mut self, who: ProcId, note: &Note) {
        match note {
            Note::Fact(fact) => self.observe_message(fact),
            Note::Client(ClientNote::Refused { text }) => {
                // What an operator is told is the broker's word to everybody.
                let about = match self.role(who) {
                    Role::Operator => self.rabbits().next().map_or(who, |(id, _)| id),
                    _ => who,
                };
                Rc::make_mut(&mut self.errors).insert(about, text.clone());
            }
            Note::Broker(_) | Note::Client(ClientNote::Cancelled { .. }) => {}
        }
    }

    fn observe_message(&mut self, fact: &Fact) {
        let now = self.sim.now();
        let ledger = &mut self.ledger;
        match fact {
            Fact::Published { origin } => ledger.published(*origin),
            Fact::Confirmed { origin } => ledger.confirmed(*origin),
            Fact::Routed { origin, queues } => ledger.routed(*origin, *queues),
            Fact::Returned { origin } => ledger.returned(*origin),
            Fact::Arrived { origin, .. } => ledger.entered(*origin),
            Fact::Delivered {
                origin,
                queue,
                redelivered,
                ..
            } => ledger.handed_out(*origin, queue, *redelivered, now),
            Fact::Settled { origin, .. } => ledger.consumed(*origin),
            Fact::Worked { origin, queue } => ledger.worked(*origin, queue),
            Fact::Requeued { origin, .. } => ledger.requeued(*origin),
            Fact::Refused { origin, .. } => ledger.refused(*origin),
            Fact::Gone { origin, .. } => ledger.removed(*origin),
            Fact::Died {
                origin,
                reason,
                onwards,
                ..
            } => {
                let how = match reason {
                    Reason::Expired => Death::Expired,
                    Reason::Rejected | Reason::MaxLen | Reason::DeliveryLimit => Death::Dropped,
                };
                ledger.died(*origin, how, *onwards);
            }
            // The broker's refusal is known already; a publisher with confirms tries again.
            Fact::Nacked { .. } => {}
        }
    }

    /// Messages that are on their way, or in a client's hands.
    pub(super) fn messages_in_hand(&self) -> OrderedSet<RecordId> {
        let mut out = OrderedSet::new();
        for flight in self.sim.in_flight() {
            out.extend(flight.msg.rabbit().and_then(origin));
        }
        for id in self.sim.ids() {
            match self.sim.process(id) {
                Node::Publisher(publisher) => out.extend(publisher.application.held()),
                Node::Subscriber(subscriber) => {
                    out.extend(
                        subscriber
                            .application
                            .inbox()
                            .filter_map(|delivery| delivery.message.origin),
                    );
                }
                _ => {}
            }
        }
        out
    }
}

/// The number of the message that goes along.
fn origin(msg: &Msg) -> Option<RecordId> {
    match msg {
        Msg::Method(_, Method::Publish(publish)) => publish.origin,
        Msg::Frame(_, Frame::Deliver(_, delivery) | Frame::GetOk(delivery, _)) => delivery.message.origin,
        _ => None,
    }
}
