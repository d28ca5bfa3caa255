//! One partition of `__consumer_offsets`: what a write comes to, and who waits for the high watermark.
//! [CoordinatorRuntime.CoordinatorContext]
//!
//! A write is appended as a batch of its own and applied; its answer waits until the high watermark covers it and all
//! before it. An append that fails changes nothing. A write that waits too long is answered with an error, and stays.

use super::classic::statics::Replaced;
use super::classic::sync::Assigned;
use super::classic::work::{Moment, Work};
use super::effects::{Effect, Host, ReplyTo};
use super::errors;
use super::group::Group;
use super::modern::classic::ClassicAnswer;
use super::modern::regex::Resolving;
use super::note::{GroupNote, Reason};
use super::records::GroupRecord;
use super::share::ShareWork;
use super::store::Store;
use super::timers::{TimerKey, Timers};
use crate::kafka::log::batch::{Batch, BatchBuilder, ProducerTag, no_headers};
use crate::kafka::note::Fact;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// What happens when a write is covered by the high watermark, or fails.
#[derive(Clone, Debug, Default)]
pub(super) enum Then {
    #[default]
    Nothing,
    Answer {
        to: ReplyTo,
        body: Body,
    },
    /// A JoinGroup that is answered by the group; only a failure is told here.
    Join {
        group: Rc<str>,
        to: ReplyTo,
    },
    /// A SyncGroup likewise.
    Sync {
        group: Rc<str>,
        to: ReplyTo,
    },
    Assigned(Box<Assigned>),
    StaticReplaced(Box<Replaced>),
    /// A classic member of a modern group is answered, and its time-outs are set.
    ClassicInModern(Box<ClassicAnswer>),
    /// Somebody is answered, and the share coordinator has something to do.
    Share {
        answer: Option<(ReplyTo, Body)>,
        work: Option<Box<ShareWork>>,
    },
}

/// What an operation came to.
#[derive(Default)]
pub(super) struct Write {
    pub records: Vec<GroupRecord>,
    /// The state is changed by applying the records; otherwise the operation has changed it already.
    pub replay: bool,
    /// The records belong to this transaction: they count when it is committed.
    pub transaction: Option<(i64, i16)>,
    pub then: Then,
    /// Told if it is appended.
    pub notes: Vec<GroupNote>,
}

#[derive(Clone, Debug)]
struct ParkedWrite {
    /// Answered when the high watermark is here.
    offset: i64,
    deadline: Time,
    then: Then,
}

/// A shard of the coordinator.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    pub partition: i32,
    /// Leader epoch in which it was loaded, or is being loaded.
    pub epoch: i32,
    pub loading: bool,
    pub store: Store,
    pub timers: Timers,
    /// Behind the last record that it wrote or read.
    pub written: i64,
    /// The high watermark.
    committed: i64,
    parked: VecDeque<ParkedWrite>,
    /// Commits that the high watermark does not cover, with their offsets in the log.
    pub(super) uncovered: VecDeque<(i64, Fact)>,
    /// What patterns of groups were found to match, on its way into the log.
    pub resolving: OrderedMap<Rc<str>, Resolving>,
}

impl Shard {
    /// A shard that is not loaded; its timers are numbered from `next_timer` on.
    pub fn new(partition: i32, epoch: i32, next_timer: u32) -> Shard {
        Shard {
            partition,
            epoch,
            loading: true,
            store: Store::default(),
            timers: Timers::new(partition, next_timer),
            written: 0,
            committed: 0,
            parked: VecDeque::new(),
            uncovered: VecDeque::new(),
            resolving: OrderedMap::new(),
        }
    }

    /// Reads the log up to its end, which may be above the high watermark; what is above is not shown to readers yet.
    pub fn load<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch>,
        end: i64,
        high_watermark: i64,
        host: &dyn Host,
        moment: &mut Moment,
    ) {
        for batch in batches {
            let producer = batch.producer_id().filter(|_| batch.transactional);
            if let (Some(control), Some(producer)) = (batch.control, producer) {
                self.end_transaction(producer, control.outcome, batch.base_offset);
            }
            for (offset, record) in batch.iter().filter(|_| batch.control.is_none()) {
                let Some(key) = &record.key else { continue };
                if let Some(entry) = GroupRecord::decode(key, record.value.as_deref()) {
                    match producer {
                        Some(producer) => self.apply_pending(producer, &entry, offset),
                        None => self.apply(&entry, offset, batch.base_offset),
                    }
                }
            }
            let covered = high_watermark.min(batch.next_offset());
            self.store.committed(covered);
        }
        self.uncovered.retain(|(offset, _)| *offset >= high_watermark);
        self.written = end;
        self.committed = high_watermark.min(end);
        self.loading = false;
        self.loaded(host, moment);
    }

    /// Sessions begin anew; a group over `group.max.size` rebalances. [GroupMetadataManager.onLoaded]
    fn loaded(&mut self, host: &dyn Host, moment: &mut Moment) {
        let expiry = Span::from_ms(moment.settings.retention_check_ms);
        self.timers
            .schedule(TimerKey::Expiry, moment.now, expiry, moment.effects);
        let ids: Vec<Rc<str>> = self.store.groups.keys().cloned().collect();
        for id in &ids {
            self.work(id, moment, |work| {
                let members: Vec<Rc<str>> = work.group.members.keys().cloned().collect();
                members.iter().for_each(|member| work.restart_session(member));
                if members.len() > work.moment.settings.max_size {
                    let members = members.len();
                    work.prepare_rebalance(Reason::OverCapacity { members });
                }
            });
            self.modern_loaded(id, host, moment);
        }
        moment.note(GroupNote::Loaded {
            partition: self.partition,
            epoch: self.epoch,
            groups: ids.len(),
            offsets: self.store.offset_count(),
        });
    }

    /// This broker does not lead the partition any more: whoever waits is told so. [CoordinatorRuntime.unload]
    pub fn unload(&mut self, moment: &mut Moment) {
        self.timers.cancel_all(moment.effects);
        for parked in std::mem::take(&mut self.parked) {
            match parked.then {
                Then::Answer { to, body } => moment.reply(to, errors::failed(&body, ErrorCode::NotCoordinator)),
                Then::ClassicInModern(answer) => {
                    moment.reply(answer.to, errors::failed(&answer.body, ErrorCode::NotCoordinator));
                }
                Then::Share { answer, work } => refuse_share(answer, work, ErrorCode::NotCoordinator, moment),
                Then::Nothing | Then::Join { .. } | Then::Sync { .. } | Then::Assigned(_) | Then::StaticReplaced(_) => {
                }
            }
        }
        let ids: Vec<Rc<str>> = self.store.groups.keys().cloned().collect();
        for id in &ids {
            self.work(id, moment, |work| work.abandon(ErrorCode::NotCoordinator));
        }
        if !self.loading {
            moment.note(GroupNote::Unloaded {
                partition: self.partition,
                groups: ids.len(),
            });
        }
    }

    /// One operation on one classic group; `None` if it is not there. Gives the records that it wants to write too.
    pub fn work<R>(
        &mut self,
        group: &str,
        moment: &mut Moment,
        operation: impl FnOnce(&mut Work) -> R,
    ) -> Option<(R, Vec<GroupRecord>)> {
        let Group::Classic(group) = self.store.groups.get_mut(group)? else {
            return None;
        };
        let group = Rc::make_mut(group);
        let mut work = Work::new(group, &mut self.timers, moment);
        let result = operation(&mut work);
        Some((result, work.records))
    }

    /// Carries a write out.
    pub fn write(&mut self, write: Write, host: &mut dyn Host, moment: &mut Moment) {
        if write.records.is_empty() {
            return self.park(write.then, moment);
        }
        match append(self.partition, &write, host, moment.wall_ms) {
            Ok(last) => {
                let first = last + 1 - write.records.len() as i64;
                for (record, offset) in write.records.iter().zip(first..) {
                    match write.transaction {
                        Some((producer, _)) => self.apply_pending(producer, record, offset),
                        None if write.replay => self.apply(record, offset, first),
                        None => {}
                    }
                }
                self.written = last + 1;
                write.notes.into_iter().for_each(|note| moment.note(note));
                self.park(write.then, moment);
            }
            Err(error) => {
                moment.note(GroupNote::AppendFailed {
                    partition: self.partition,
                    error,
                });
                // Whoever waits is told while its group is still there: one made for this write goes with it.
                self.fail(write.then, error, moment);
                self.store.revert(self.written);
            }
        }
    }

    fn apply(&mut self, record: &GroupRecord, offset: i64, base: i64) {
        self.store.replay(record, offset, base);
        if let GroupRecord::Offset {
            group,
            partition,
            value: Some(value),
        } = record
        {
            let fact = Fact::Committed {
                group: group.clone(),
                partition: partition.clone(),
                offset: value.committed.offset,
            };
            self.uncovered.push_back((offset, fact));
        }
    }

    /// Lets it wait for everything written so far, if that is not covered already.
    fn park(&mut self, then: Then, moment: &mut Moment) {
        if matches!(then, Then::Nothing) {
            return;
        }
        if self.committed >= self.written {
            return self.succeed(then, moment);
        }
        let limit = Span::from_ms(moment.settings.write_timeout_ms);
        if self.timers.deadline(&TimerKey::WriteTimeout).is_none() {
            self.timers
                .schedule(TimerKey::WriteTimeout, moment.now, limit, moment.effects);
        }
        self.parked.push_back(ParkedWrite {
            offset: self.written,
            deadline: moment.now + limit,
            then,
        });
    }

    /// The high watermark of the partition is here now.
    pub fn high_watermark(&mut self, high_watermark: i64, moment: &mut Moment) {
        let committed = high_watermark.min(self.written);
        if self.loading || committed <= self.committed {
            return;
        }
        self.committed = committed;
        self.store.committed(committed);
        while self.uncovered.front().is_some_and(|(offset, _)| *offset < committed) {
            if let Some((_, fact)) = self.uncovered.pop_front() {
                moment.effects.push(Effect::Fact(fact));
            }
        }
        while self.parked.front().is_some_and(|parked| parked.offset <= committed) {
            if let Some(parked) = self.parked.pop_front() {
                self.succeed(parked.then, moment);
            }
        }
        if self.parked.is_empty() {
            self.timers.cancel(&TimerKey::WriteTimeout, moment.effects);
        }
    }

    /// Writes that wait for too long are answered with an error; what they wrote stays.
    pub fn write_timer(&mut self, moment: &mut Moment) {
        while self.parked.front().is_some_and(|parked| parked.deadline <= moment.now) {
            if let Some(parked) = self.parked.pop_front() {
                moment.note(GroupNote::WriteTimedOut {
                    partition: self.partition,
                    timeout_ms: moment.settings.write_timeout_ms,
                });
                self.fail(parked.then, ErrorCode::RequestTimedOut, moment);
            }
        }
        if let Some(parked) = self.parked.front() {
            let after = parked.deadline.since(moment.now);
            self.timers
                .schedule(TimerKey::WriteTimeout, moment.now, after, moment.effects);
        }
    }

    fn succeed(&mut self, then: Then, moment: &mut Moment) {
        match then {
            Then::Nothing | Then::Join { .. } | Then::Sync { .. } => {}
            Then::Answer { to, body } => moment.reply(to, body),
            Then::ClassicInModern(answer) => self.classic_answered(*answer, moment),
            Then::Share { answer, work } => {
                if let Some((to, body)) = answer {
                    moment.reply(to, body);
                }
                moment.effects.extend(work.map(Effect::Share));
            }
            Then::Assigned(assigned) => {
                self.work(&assigned.group, moment, |work| work.assignment_stored(&assigned));
            }
            Then::StaticReplaced(replaced) => {
                self.work(&replaced.group, moment, |work| work.static_replaced(&replaced));
            }
        }
    }

    fn fail(&mut self, then: Then, error: ErrorCode, moment: &mut Moment) {
        let mapped = errors::of_write(error);
        match then {
            Then::Nothing => {}
            Then::Answer { to, body } => moment.reply(to, errors::failed(&body, error)),
            Then::ClassicInModern(answer) => moment.reply(answer.to, errors::failed(&answer.body, error)),
            Then::Share { answer, work } => refuse_share(answer, work, error, moment),
            Then::Join { group, to } => {
                self.work(&group, moment, |work| work.fail_join(to, mapped));
            }
            Then::Sync { group, to } => {
                self.work(&group, moment, |work| work.fail_sync(to, mapped));
            }
            Then::Assigned(assigned) => {
                self.work(&assigned.group, moment, |work| work.assignment_lost(&assigned, mapped));
            }
            Then::StaticReplaced(undo) => {
                self.work(&undo.group, moment, |work| work.static_not_replaced(&undo, mapped));
            }
        }
    }
}

/// A write failed: whoever waits for it is told so.
fn refuse_share(answer: Option<(ReplyTo, Body)>, work: Option<Box<ShareWork>>, error: ErrorCode, moment: &mut Moment) {
    if let Some((to, body)) = answer {
        moment.reply(to, errors::failed(&body, error));
    }
    if let Some((to, body)) = work.and_then(|work| work.refused(errors::of_write(error))) {
        moment.reply(to, body);
    }
}

/// Appends records as one batch; the offset of the last one.
fn append(partition: i32, write: &Write, host: &mut dyn Host, wall_ms: i64) -> Result<i64, ErrorCode> {
    let mut builder = BatchBuilder::new(0);
    if let Some((id, epoch)) = write.transaction {
        let sequence = 0;
        builder.head.producer = Some(ProducerTag { id, epoch, sequence });
        builder.head.transactional = true;
    }
    for record in &write.records {
        let (key, value) = record.encode();
        let appended = builder.append_next(wall_ms.max(0), Some(key), value, no_headers(), 0);
        appended.map_err(|_| ErrorCode::UnknownServerError)?;
    }
    let batch = builder.build(None).map_err(|_| ErrorCode::UnknownServerError)?;
    host.append(partition, batch)
}
