//! What becomes of a message that is handed to queues: copies that are consumed one by one, and then are gone.

use super::{Entry, Finding, Ledger, RecordId};
use crate::ordered::OrderedMap;
use crate::sim::Time;
use std::rc::Rc;

/// What is known of one message besides what it shares with records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// It left its publisher.
    pub published: bool,
    /// How many queues it matched when it came in; `None`: it did not.
    pub routed: Option<u32>,
    pub returned: bool,
    /// Copies that wait in queues or are out and not settled.
    pub standing: u32,
    /// Copies that the broker counts as consumed.
    pub consumed: u32,
    /// How often an application has finished work on it.
    pub worked: u32,
    pub redelivered: bool,
    pub requeued: bool,
    pub dead_lettered: bool,
    /// A copy's time was over and it went nowhere.
    pub expired: bool,
    /// A copy was given up by its queue and went nowhere: rejected, returned too often, or over the queue's length.
    pub dropped: bool,
    /// A full queue refused it.
    pub refused: bool,
}

/// How a copy dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Expired,
    Dropped,
}

impl Message {
    pub fn is_unroutable(&self) -> bool {
        self.routed == Some(0)
    }

    /// It has come to an end that a setting or the work itself asked for.
    fn has_ended(&self) -> bool {
        self.worked > 0 || self.expired || self.dropped || self.is_unroutable()
    }

    /// It is in no queue and has come to no end: on its way, in somebody's hands, or nowhere.
    fn is_adrift(&self) -> bool {
        self.published && self.standing == 0 && !self.has_ended()
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.standing > 0 || !self.has_ended()
    }

    /// Its fates besides those it shares with records.
    pub fn fates(&self) -> impl Iterator<Item = &'static str> + use<> {
        let all = [
            (self.published, "published"),
            (self.routed.is_some_and(|queues| queues > 0), "routed"),
            (self.is_unroutable(), "unroutable"),
            (self.returned, "returned"),
            (self.refused, "refused"),
            (self.redelivered, "redelivered"),
            (self.requeued, "requeued"),
            (self.dead_lettered, "dead-lettered"),
            (self.dropped, "dropped"),
            (self.expired, "expired"),
            (self.consumed > 0, "consumed"),
        ];
        all.into_iter().filter(|(is, _)| *is).map(|(_, name)| name)
    }
}

/// The newest message of each key that was worked on, by queue: what order is judged by.
pub(super) type Newest = OrderedMap<(Rc<str>, Rc<str>), RecordId>;

impl Ledger {
    /// Changes what is known of a message, and whether it is adrift then.
    fn message(&mut self, id: RecordId, change: impl FnOnce(&mut Entry, &mut Message)) {
        let mut adrift = false;
        self.edit(id, |entry| {
            let mut message = entry.message.take().unwrap_or_default();
            change(entry, Rc::make_mut(&mut message));
            adrift = message.is_adrift();
            entry.lost &= adrift;
            entry.message = Some(message);
        });
        if adrift {
            self.airborne.insert(id);
        } else {
            self.airborne.remove(&id);
        }
    }

    /// Its publisher sent it off.
    pub fn published(&mut self, id: RecordId) {
        self.message(id, |_, message| message.published = true);
    }

    /// It came to the broker and matched so many queues.
    pub fn routed(&mut self, id: RecordId, queues: u32) {
        self.message(id, |entry, message| {
            message.routed = Some(queues);
            entry.copies = entry.copies.saturating_add(1);
        });
        if self.get(id).is_some_and(|entry| entry.copies == 2) {
            self.findings.push(Finding::Duplicated { record: id });
        }
    }

    pub fn returned(&mut self, id: RecordId) {
        self.message(id, |_, message| message.returned = true);
    }

    /// The broker has told its publisher that it has taken it.
    pub fn confirmed(&mut self, id: RecordId) {
        self.message(id, |entry, _| entry.acknowledged = true);
    }

    /// A copy came to a queue.
    pub fn entered(&mut self, id: RecordId) {
        self.message(id, |entry, message| {
            entry.appended = true;
            message.standing += 1;
        });
    }

    /// A full queue would not have it.
    pub fn refused(&mut self, id: RecordId) {
        self.message(id, |_, message| {
            message.refused = true;
            message.standing = message.standing.saturating_sub(1);
        });
    }

    /// A consumer of a queue was given it.
    pub fn handed_out(&mut self, id: RecordId, queue: &Rc<str>, again: bool, at: Time) {
        self.message(id, |_, message| message.redelivered |= again);
        self.delivered(id, queue, at);
    }

    /// The broker counts a copy as consumed.
    pub fn consumed(&mut self, id: RecordId) {
        self.message(id, |_, message| {
            message.consumed += 1;
            message.standing = message.standing.saturating_sub(1);
        });
    }

    pub fn requeued(&mut self, id: RecordId) {
        self.message(id, |_, message| message.requeued = true);
    }

    /// A copy died and went on to so many queues.
    pub fn died(&mut self, id: RecordId, how: Death, onwards: u32) {
        self.message(id, |_, message| {
            message.standing = message.standing.saturating_sub(1);
            match (onwards, how) {
                (1.., _) => message.dead_lettered = true,
                (0, Death::Expired) => message.expired = true,
                (0, Death::Dropped) => message.dropped = true,
            }
        });
    }

    /// A copy is gone with its queue or the broker's memory, consumed by nobody.
    pub fn removed(&mut self, id: RecordId) {
        self.message(id, |_, message| message.standing = message.standing.saturating_sub(1));
    }

    /// An application has finished its work on it.
    pub fn worked(&mut self, id: RecordId, queue: &Rc<str>) {
        let first = self
            .get(id)
            .and_then(|entry| entry.message.as_ref())
            .is_none_or(|message| message.worked == 0);
        let key = self.get(id).and_then(|entry| entry.handed.key.clone());
        let overtaken = first && key.is_some_and(|key| self.notice_work(queue, key, id));
        self.message(id, |entry, message| {
            message.worked += 1;
            entry.reordered |= overtaken;
        });
        if overtaken {
            self.findings.push(Finding::Reordered { record: id });
        }
    }

    /// Whether a later message of the same key was worked on before.
    fn notice_work(&mut self, queue: &Rc<str>, key: Rc<str>, id: RecordId) -> bool {
        let newest = self.worked.entry((queue.clone(), key)).or_default();
        let overtaken = *newest > id;
        *newest = (*newest).max(id);
        overtaken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::ledger::{Handed, System};
    use crate::sim::Time;

    fn handed(ledger: &mut Ledger, key: &str) -> RecordId {
        ledger.hand_over(Handed {
            system: System::Rabbit,
            client: "api".into(),
            topic: "orders".into(),
            key: Some(key.into()),
            value: None,
            at: Time::ZERO,
        })
    }

    fn fates(ledger: &Ledger, id: RecordId) -> Vec<&'static str> {
        ledger.get(id).map(Entry::fates).unwrap_or_default()
    }

    #[test]
    fn a_message_that_is_worked_on_is_consumed_and_waits_no_more() {
        let (mut ledger, queue) = (Ledger::default(), Rc::from("risk"));
        let id = handed(&mut ledger, "kim");
        assert_eq!(fates(&ledger, id), ["waiting"]);
        ledger.published(id);
        assert_eq!(ledger.airborne().collect::<Vec<_>>(), [id]);
        ledger.routed(id, 1);
        ledger.entered(id);
        ledger.confirmed(id);
        assert_eq!(ledger.airborne().count(), 0);
        ledger.handed_out(id, &queue, false, crate::sim::Time::ZERO);
        ledger.worked(id, &queue);
        ledger.consumed(id);
        let all = [
            "appended",
            "acknowledged",
            "delivered",
            "published",
            "routed",
            "consumed",
        ];
        assert_eq!(fates(&ledger, id), all);
    }

    #[test]
    fn what_leaves_its_queue_unworked_is_adrift_until_it_is_found_or_lost() {
        let mut ledger = Ledger::default();
        let (gone, early, unroutable) = (
            handed(&mut ledger, "a"),
            handed(&mut ledger, "b"),
            handed(&mut ledger, "c"),
        );
        for (id, queues) in [(gone, 1), (early, 1), (unroutable, 0)] {
            ledger.published(id);
            ledger.routed(id, queues);
        }
        ledger.entered(gone);
        ledger.entered(early);
        ledger.removed(gone);
        ledger.consumed(early);
        assert_eq!(ledger.airborne().collect::<Vec<_>>(), [gone, early]);
        ledger.vanished(gone);
        ledger.worked(early, &"risk".into());
        let lost = |id| ledger.get(id).is_some_and(|entry| entry.lost);
        assert_eq!([gone, early, unroutable].map(lost), [true, false, false]);
        // Its publisher had it still and published it again.
        ledger.routed(gone, 1);
        ledger.entered(gone);
        assert_eq!(ledger.sums().lost, 0);
    }

    #[test]
    fn order_is_judged_by_key_and_by_the_first_time() {
        let (mut ledger, queue) = (Ledger::default(), Rc::from("risk"));
        let (first, other, second) = (
            handed(&mut ledger, "k"),
            handed(&mut ledger, "l"),
            handed(&mut ledger, "k"),
        );
        for id in [second, other, first, second] {
            ledger.worked(id, &queue);
        }
        let reordered = |id| ledger.get(id).is_some_and(|entry| entry.reordered);
        assert_eq!([first, other, second].map(reordered), [true, false, false]);
    }
}
