//! The ledger: what became of every record, from the moment a client handed it over.
//!
//! It knows no system: it is told by facts (`lab::observe` translates them) in terms of records, partitions and copies.
//! For each partition it keeps the *line of succession*: the log as the leader of the highest epoch has it. A record
//! that was acknowledged and is not on that line is lost; one that is on it twice is duplicated. What a reader was given
//! twice is another matter: it may well stand there once. Messages of queues leave them when they are consumed: `message`.

mod entry;
mod line;
mod message;
mod sums;
#[cfg(test)]
mod tests;

use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
pub use entry::{Entry, Handed, Outcome, System};
use line::Line;
pub use line::Part;
pub use message::{Death, Message};
use std::rc::Rc;
pub use sums::Sums;

/// A record's number: 1 for the first that a client was told to send.
pub type RecordId = u32;

/// A partition (or a queue), by a number that its system chose.
pub type Place = (u32, i32);

/// How many records one chunk of the ledger holds; chunks are shared between snapshots.
const CHUNK: usize = 256;

/// What stands at one offset of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub offset: i64,
    /// 0: not a client's.
    pub record: RecordId,
    pub part: Part,
}

/// Something worth an alarm that the ledger noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An acknowledged record is on no line any more.
    Lost {
        record: RecordId,
        offset: Option<i64>,
    },
    /// A record that was committed is gone.
    CommittedLost {
        place: Place,
        offset: i64,
    },
    Reordered {
        record: RecordId,
    },
    /// It stands in the log more than once.
    Duplicated {
        record: RecordId,
    },
    /// A reader was given it once more.
    DeliveredTwice {
        record: RecordId,
        reader: Rc<str>,
    },
}

/// The ledger of one run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    chunks: Vec<Rc<Vec<Entry>>>,
    count: u32,
    lines: OrderedMap<Place, Line>,
    readers: Vec<Rc<str>>,
    sums: Sums,
    /// The same for each client.
    clients: OrderedMap<Rc<str>, Sums>,
    /// Acknowledged without confirmation and not seen in any log yet; messages that are in no queue and came to no end.
    airborne: OrderedSet<RecordId>,
    findings: Vec<Finding>,
    worked: message::Newest,
}

impl Ledger {
    /// A client was told to send a record; its number.
    pub fn hand_over(&mut self, handed: Handed) -> RecordId {
        let mine = self.clients.entry(handed.client.clone()).or_default();
        mine.sent += 1;
        mine.waiting += 1;
        if (self.count as usize).is_multiple_of(CHUNK) {
            self.chunks.push(Rc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(last) = self.chunks.last_mut() {
            Rc::make_mut(last).push(Entry::new(Rc::new(handed)));
        }
        self.count += 1;
        self.sums.sent += 1;
        self.sums.waiting += 1;
        self.count
    }

    pub fn get(&self, record: RecordId) -> Option<&Entry> {
        let index = (record as usize).checked_sub(1)?;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    fn edit(&mut self, record: RecordId, change: impl FnOnce(&mut Entry)) {
        let Some(index) = (record as usize).checked_sub(1) else {
            return;
        };
        let Some(chunk) = self.chunks.get_mut(index / CHUNK) else {
            return;
        };
        if chunk.get(index % CHUNK).is_none() {
            return;
        }
        let entry = &mut Rc::make_mut(chunk)[index % CHUNK];
        let before = Sums::of(entry);
        change(entry);
        let after = Sums::of(entry);
        if before == after {
            return;
        }
        self.sums.replace(before, after);
        if let Some(mine) = self.clients.get_mut(&entry.handed.client) {
            mine.replace(before, after);
        }
    }

    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (RecordId, &Entry)> {
        self.chunks.iter().enumerate().flat_map(|(c, chunk)| {
            chunk
                .iter()
                .enumerate()
                .map(move |(i, e)| ((c * CHUNK + i + 1) as u32, e))
        })
    }

    pub fn len(&self) -> u32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn sums(&self) -> Sums {
        self.sums
    }

    /// Sums over the records of one client.
    pub fn sums_of(&self, client: &str) -> Sums {
        self.clients.get(client).copied().unwrap_or_default()
    }

    pub fn reader_name(&self, reader: u16) -> Option<&Rc<str>> {
        self.readers.get(usize::from(reader))
    }

    /// What was noticed since the last call.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Records that a client believes sent, though nobody has confirmed them and no log has them.
    pub fn airborne(&self) -> impl Iterator<Item = RecordId> {
        self.airborne.iter().copied()
    }

    /// End of the line of a partition: the log end of its latest leader.
    pub fn end_of(&self, place: Place) -> Option<i64> {
        self.lines.get(&place).map(Line::end)
    }

    /// The record at an offset of the line.
    pub fn record_at(&self, place: Place, offset: i64) -> Option<RecordId> {
        self.lines.get(&place)?.at(offset).filter(|record| *record > 0)
    }

    /// A share group has finished with a record.
    pub fn finished_by_share_group(&mut self, place: Place, offset: i64, change: impl FnOnce(&mut Entry)) {
        if let Some(record) = self.record_at(place, offset) {
            self.edit(record, change);
        }
    }

    /// High watermark on the line.
    pub fn high_watermark(&self, place: Place) -> Option<i64> {
        self.lines.get(&place).map(|line| line.high_watermark)
    }

    /// Last stable offset on the line: the high watermark, or the first record of an open transaction below it.
    pub fn last_stable(&self, place: Place) -> Option<i64> {
        let line = self.lines.get(&place)?;
        Some(line.high_watermark.min(line.first_open()))
    }

    /// The client put a record into its buffer for that partition.
    pub fn accepted(&mut self, record: RecordId, place: Place) {
        self.edit(record, |entry| entry.place = Some(place));
    }

    /// The leader of `epoch` appended this.
    pub fn appended(&mut self, place: Place, epoch: i32, what: Standing) {
        let Standing { offset, record, part } = what;
        let line = self.lines.entry(place).or_default();
        if epoch < line.epoch {
            // A deposed leader that does not know it: the record stands on no line.
            self.edit(record, |entry| {
                entry.appended = true;
                entry.place = Some(place);
            });
            return;
        }
        line.epoch = epoch;
        let held_until = line.first_open();
        line.put(offset, record);
        let decided = line.take_part(offset, part);
        let held_back = line.first_open() <= offset;
        if record > 0 {
            self.stands(place, offset, record);
            self.edit(record, |entry| {
                entry.held_back = held_back;
                entry.outcome = match part {
                    Part::Member(_) => Outcome::Open,
                    _ => Outcome::Plain,
                };
            });
        }
        self.decide(decided);
        self.release(place, held_until);
    }

    /// A record has its place on its line.
    fn stands(&mut self, place: Place, offset: i64, record: RecordId) {
        self.airborne.remove(&record);
        let client = self.get(record).map(|entry| entry.handed.client.clone());
        let overtaken = client.is_some_and(|client| self.notice_order(place, client, record));
        self.edit(record, |entry| {
            entry.place = Some(place);
            entry.offset = Some(offset);
            entry.appended = true;
            entry.lost = false;
            entry.copies = entry.copies.saturating_add(1);
            entry.reordered |= overtaken && entry.copies == 1;
        });
        if overtaken {
            self.findings.push(Finding::Reordered { record });
        }
        if self.get(record).is_some_and(|entry| entry.copies == 2) {
            self.findings.push(Finding::Duplicated { record });
        }
    }

    /// Transactions have ended.
    fn decide(&mut self, decided: Vec<(RecordId, bool)>) {
        for (record, committed) in decided {
            self.edit(record, |entry| {
                entry.outcome = match committed {
                    true => Outcome::Committed,
                    false => Outcome::Aborted,
                };
            });
        }
    }

    /// The last stable offset may have moved up from `from`: what stood behind it is held back no more.
    fn release(&mut self, place: Place, from: i64) {
        let Some(line) = self.lines.get(&place) else { return };
        let to = line.first_open();
        if from >= to {
            return;
        }
        for record in line.records(from..to) {
            self.edit(record, |entry| entry.held_back = false);
        }
    }

    /// Whether a later record of the same client is on the line already.
    fn notice_order(&mut self, place: Place, client: Rc<str>, record: RecordId) -> bool {
        let Some(line) = self.lines.get_mut(&place) else {
            return false;
        };
        let newest = line.newest.entry(client).or_default();
        let first_time = self.chunks.get((record as usize - 1) / CHUNK);
        let again = first_time
            .and_then(|chunk| chunk.get((record as usize - 1) % CHUNK))
            .is_some_and(|e| e.appended);
        let overtaken = *newest > record && !again;
        *newest = (*newest).max(record);
        overtaken
    }

    /// A leader begins epoch `epoch` with this log, which begins at `start`.
    pub fn leads(&mut self, place: Place, epoch: i32, start: i64, log: impl Iterator<Item = Standing>) {
        let old = self.lines.get(&place).cloned().unwrap_or_default();
        if epoch < old.epoch {
            return;
        }
        let (mut line, decided) = Line::of_log(start, log);
        line.epoch = epoch;
        line.newest = old.newest.clone();
        line.high_watermark = old.high_watermark.min(line.end());
        let gone = Self::gone(&old, &line);
        self.lines.insert(place, line);
        let mut worst: Option<i64> = None;
        for (offset, record) in gone {
            if offset < old.high_watermark {
                worst = Some(worst.map_or(offset, |w| w.min(offset)));
            }
            self.leave_line(record, offset);
        }
        if let Some(offset) = worst {
            self.findings.push(Finding::CommittedLost { place, offset });
        }
        self.restore(place);
        self.settle_transactions(place, decided);
    }

    /// What transactions a new leader's log tells of its records.
    fn settle_transactions(&mut self, place: Place, decided: Vec<(RecordId, bool)>) {
        let Some(line) = self.lines.get(&place) else { return };
        let (open, first) = (line.open_records(), line.first_open());
        let behind = line.records(first..i64::MAX);
        let before = line.records(0..first);
        self.decide(decided);
        for record in open {
            self.edit(record, |entry| entry.outcome = Outcome::Open);
        }
        for record in before {
            self.edit(record, |entry| entry.held_back = false);
        }
        for record in behind {
            self.edit(record, |entry| entry.held_back = true);
        }
    }

    /// What stood on the old line and does not on the new one at the same offset. What the log start passed is not gone by
    /// the change, nor what compaction has taken out of the new leader's log.
    fn gone(old: &Line, new: &Line) -> Vec<(i64, RecordId)> {
        (old.start.max(new.start)..old.end())
            .filter_map(|offset| {
                let record = old.at(offset)?;
                (record > 0 && new.at(offset) != Some(record) && !new.is_gap(offset)).then_some((offset, record))
            })
            .collect()
    }

    fn leave_line(&mut self, record: RecordId, offset: i64) {
        let mut lost = false;
        self.edit(record, |entry| {
            entry.copies = entry.copies.saturating_sub(1);
            if entry.copies == 0 {
                entry.held_back = false;
                entry.outcome = Outcome::Plain;
                lost = entry.acknowledged && !entry.lost;
                entry.lost = entry.acknowledged;
                entry.committed = false;
            }
        });
        if lost {
            self.findings.push(Finding::Lost {
                record,
                offset: Some(offset),
            });
        }
    }

    /// Records that the new leader has and that were off the line before (a longer log came back).
    fn restore(&mut self, place: Place) {
        let Some(line) = self.lines.get(&place) else { return };
        let back: Vec<(i64, RecordId)> = (line.start..line.end())
            .filter_map(|offset| Some((offset, line.at(offset)?)))
            .filter(|(_, record)| *record > 0 && self.get(*record).is_some_and(|entry| entry.copies == 0))
            .collect();
        for (offset, record) in back {
            self.airborne.remove(&record);
            self.edit(record, |entry| {
                entry.copies = 1;
                entry.appended = true;
                entry.lost = false;
                entry.offset = Some(offset);
            });
        }
    }

    /// The leader of `epoch` moved its high watermark.
    pub fn high_watermark_moved(&mut self, place: Place, epoch: i32, to: i64) {
        let Some(line) = self.lines.get_mut(&place) else { return };
        if epoch != line.epoch {
            return;
        }
        let from = line.high_watermark.max(line.start);
        line.high_watermark = line.high_watermark.max(to);
        for record in line.records(from..to) {
            self.edit(record, |entry| entry.committed = true);
        }
    }

    /// The client was told that the record is written, at `offset` (`None`: it was only sent off).
    pub fn acknowledged(&mut self, record: RecordId, place: Place, offset: Option<i64>) {
        let on_line = self.get(record).is_some_and(|entry| entry.copies > 0);
        let confirmed = offset.is_some();
        let mut lost = false;
        self.edit(record, |entry| {
            entry.acknowledged = true;
            entry.unconfirmed = !confirmed;
            entry.place = Some(place);
            entry.failed = None;
            lost = confirmed && !on_line;
            entry.lost |= lost;
        });
        if !confirmed && !on_line {
            self.airborne.insert(record);
        }
        if lost {
            self.findings.push(Finding::Lost { record, offset });
        }
    }

    /// A record that its client believes sent is nowhere: not on its way, in no log.
    pub fn vanished(&mut self, record: RecordId) {
        if self.airborne.remove(&record) {
            self.edit(record, |entry| entry.lost = true);
            self.findings.push(Finding::Lost { record, offset: None });
        }
    }

    pub fn failed(&mut self, record: RecordId, error: Rc<str>) {
        self.edit(record, |entry| {
            if !entry.acknowledged {
                entry.failed = Some(error);
            }
        });
    }

    /// A reader's application was given the record.
    pub fn delivered(&mut self, record: RecordId, reader: &Rc<str>, at: Time) {
        let number = match self.readers.iter().position(|name| name == reader) {
            Some(number) => number,
            None => {
                self.readers.push(reader.clone());
                self.readers.len() - 1
            }
        };
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        let mut twice = false;
        self.edit(record, |entry| {
            entry.first_given.get_or_insert(at);
            match entry.delivered.iter_mut().find(|(reader, _)| *reader == number) {
                Some((_, times)) => {
                    twice = *times == 1;
                    *times = times.saturating_add(1);
                }
                None => entry.delivered.push((number, 1)),
            }
        });
        if twice {
            let reader = reader.clone();
            self.findings.push(Finding::DeliveredTwice { record, reader });
        }
    }
}
