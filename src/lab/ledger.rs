//! The ledger: what became of every record, from the moment a client handed it over.
//!
//! It knows no system: it is told by facts (`lab::observe` translates them) in terms of records, partitions and copies.
//! For each partition it keeps the *line of succession*: the log as the leader of the highest epoch has it. A record
//! that was acknowledged and is not on that line is lost; one that is on it twice is duplicated.

use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
use std::rc::Rc;

/// A record's number: 1 for the first that a client was told to send.
pub type RecordId = u32;

/// A partition (or a queue), by a number that its system chose.
pub type Place = (u32, i32);

/// A record as it was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    pub client: Rc<str>,
    pub topic: Rc<str>,
    pub key: Option<Rc<str>>,
    pub value: Option<Rc<str>>,
    pub at: Time,
}

/// What is known of one record.
#[derive(Clone, Debug)]
pub struct Entry {
    pub handed: Rc<Handed>,
    /// Where the client sent it.
    pub place: Option<Place>,
    /// Where it stands (or last stood) on its line.
    pub offset: Option<i64>,
    pub appended: bool,
    pub committed: bool,
    pub acknowledged: bool,
    /// Acknowledged without being told where (acks=0): nobody at the broker has said anything.
    pub unconfirmed: bool,
    pub lost: bool,
    /// How often it stands on its line.
    pub copies: u8,
    pub reordered: bool,
    pub failed: Option<Rc<str>>,
    /// Reader (group or consumer) and how often it was given the record.
    pub delivered: Vec<(u16, u8)>,
}

impl Entry {
    fn new(handed: Rc<Handed>) -> Self {
        Entry {
            handed,
            place: None,
            offset: None,
            appended: false,
            committed: false,
            acknowledged: false,
            unconfirmed: false,
            lost: false,
            copies: 0,
            reordered: false,
            failed: None,
            delivered: Vec::new(),
        }
    }

    /// Some reader got it more than once, or it stands on its line more than once.
    pub fn is_duplicated(&self) -> bool {
        self.copies > 1 || self.delivered.iter().any(|(_, times)| *times > 1)
    }

    /// Nothing is known of its fate yet.
    pub fn is_waiting(&self) -> bool {
        !self.acknowledged && self.failed.is_none()
    }

    /// Its fates, in the order in which they usually come.
    pub fn fates(&self) -> Vec<&'static str> {
        let all = [
            (self.appended, "appended"),
            (self.committed, "committed"),
            (self.acknowledged, "acknowledged"),
            (!self.delivered.is_empty(), "delivered"),
            (self.is_duplicated(), "duplicated"),
            (self.delivered.iter().any(|(_, n)| *n > 1), "delivered-twice"),
            (self.reordered, "reordered"),
            (self.failed.is_some(), "failed"),
            (self.lost, "lost"),
            (self.is_waiting(), "waiting"),
        ];
        all.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect()
    }
}

/// How many records one chunk of the ledger holds; chunks are shared between snapshots.
const CHUNK: usize = 256;

/// The log as the leader of the highest epoch has it: record numbers by offset; 0 stands for what no client sent.
#[derive(Clone, Debug, Default)]
struct Line {
    epoch: i32,
    /// Offset of the first entry held here.
    start: i64,
    chunks: Vec<Rc<Vec<RecordId>>>,
    len: usize,
    high_watermark: i64,
    /// The largest number of a record of each client, to notice reordering.
    newest: OrderedMap<Rc<str>, RecordId>,
}

impl Line {
    fn end(&self) -> i64 {
        self.start + self.len as i64
    }

    fn at(&self, offset: i64) -> Option<RecordId> {
        let index = usize::try_from(offset - self.start).ok()?;
        if index >= self.len {
            return None;
        }
        self.chunks.get(index / CHUNK)?.get(index % CHUNK).copied()
    }

    fn push(&mut self, record: RecordId) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Rc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(last) = self.chunks.last_mut() {
            Rc::make_mut(last).push(record);
            self.len += 1;
        }
    }

    fn cut(&mut self, end: i64) {
        let keep = usize::try_from(end - self.start).unwrap_or(0).min(self.len);
        self.chunks.truncate(keep.div_ceil(CHUNK));
        let rest = keep % CHUNK;
        if rest > 0
            && let Some(last) = self.chunks.last_mut()
        {
            Rc::make_mut(last).truncate(rest);
        }
        self.len = keep;
    }
}

/// Sums over all records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub sent: u64,
    pub appended: u64,
    pub committed: u64,
    pub acknowledged: u64,
    pub delivered: u64,
    pub waiting: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub failed: u64,
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
    Duplicated {
        record: RecordId,
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
    /// Acknowledged without confirmation and not seen in any log yet.
    airborne: OrderedSet<RecordId>,
    findings: Vec<Finding>,
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

    /// High watermark on the line.
    pub fn high_watermark(&self, place: Place) -> Option<i64> {
        self.lines.get(&place).map(|line| line.high_watermark)
    }

    /// The client put a record into its buffer for that partition.
    pub fn accepted(&mut self, record: RecordId, place: Place) {
        self.edit(record, |entry| entry.place = Some(place));
    }

    /// The leader of `epoch` appended `record` (0: not a client's) at `offset`.
    pub fn appended(&mut self, place: Place, epoch: i32, offset: i64, record: RecordId) {
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
        if line.len == 0 {
            line.start = offset;
        }
        if offset < line.end() {
            line.cut(offset);
        }
        while line.end() < offset {
            line.push(0);
        }
        line.push(record);
        if record == 0 {
            return;
        }
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

    /// A leader begins epoch `epoch` with this log (record numbers by offset, from `start`).
    pub fn leads(&mut self, place: Place, epoch: i32, start: i64, log: impl Iterator<Item = (i64, RecordId)>) {
        let Some(old) = self.lines.get(&place).cloned() else {
            let mut line = Line {
                epoch,
                start,
                ..Line::default()
            };
            Self::fill(&mut line, log);
            self.lines.insert(place, line);
            return;
        };
        if epoch < old.epoch {
            return;
        }
        let mut line = Line {
            epoch,
            start,
            newest: old.newest.clone(),
            ..Line::default()
        };
        Self::fill(&mut line, log);
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
    }

    fn fill(line: &mut Line, log: impl Iterator<Item = (i64, RecordId)>) {
        for (offset, record) in log {
            if line.len == 0 && offset > line.start {
                line.start = offset;
            }
            while line.end() < offset {
                line.push(0);
            }
            line.push(record);
        }
    }

    /// What stood on the old line and does not on the new one at the same offset (what the log start passed is not
    /// gone by the change).
    fn gone(old: &Line, new: &Line) -> Vec<(i64, RecordId)> {
        (old.start.max(new.start)..old.end())
            .filter_map(|offset| {
                let record = old.at(offset)?;
                (record > 0 && new.at(offset) != Some(record)).then_some((offset, record))
            })
            .collect()
    }

    fn leave_line(&mut self, record: RecordId, offset: i64) {
        let mut lost = false;
        self.edit(record, |entry| {
            entry.copies = entry.copies.saturating_sub(1);
            if entry.copies == 0 {
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
        let newly: Vec<RecordId> = (from..to)
            .filter_map(|offset| line.at(offset))
            .filter(|r| *r > 0)
            .collect();
        for record in newly {
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
    pub fn delivered(&mut self, record: RecordId, reader: &Rc<str>) {
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
            match entry.delivered.iter_mut().find(|(reader, _)| *reader == number) {
                Some((_, times)) => {
                    twice = *times == 1;
                    *times = times.saturating_add(1);
                }
                None => entry.delivered.push((number, 1)),
            }
        });
        if twice {
            self.findings.push(Finding::Duplicated { record });
        }
    }
}

impl Sums {
    /// Which sums count a record, one bit each.
    fn of(entry: &Entry) -> u16 {
        let each = [
            entry.appended,
            entry.committed,
            entry.acknowledged,
            !entry.delivered.is_empty(),
            entry.is_waiting(),
            entry.lost,
            entry.is_duplicated(),
            entry.reordered,
            entry.failed.is_some(),
        ];
        each.iter().rev().fold(0, |bits, is| bits << 1 | u16::from(*is))
    }

    fn replace(&mut self, before: u16, after: u16) {
        let fields = [
            &mut self.appended,
            &mut self.committed,
            &mut self.acknowledged,
            &mut self.delivered,
            &mut self.waiting,
            &mut self.lost,
            &mut self.duplicated,
            &mut self.reordered,
            &mut self.failed,
        ];
        for (bit, field) in fields.into_iter().enumerate() {
            match (before >> bit & 1, after >> bit & 1) {
                (0, 1) => *field += 1,
                (1, 0) => *field = field.saturating_sub(1),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: Place = (1, 0);

    fn ledger(n: u32) -> Ledger {
        let mut ledger = Ledger::default();
        for i in 0..n {
            ledger.hand_over(Handed {
                client: "web".into(),
                topic: "t".into(),
                key: None,
                value: Some(format!("v{i}").into()),
                at: Time(u64::from(i)),
            });
        }
        ledger
    }

    #[test]
    fn acknowledged_and_off_the_line_is_lost() {
        let mut l = ledger(2);
        l.appended(P, 0, 0, 1);
        l.appended(P, 0, 1, 2);
        l.high_watermark_moved(P, 0, 1);
        l.acknowledged(1, P, Some(0));
        l.acknowledged(2, P, Some(1));
        l.leads(P, 1, 0, [(0, 1)].into_iter());
        assert_eq!(
            l.take_findings(),
            vec![Finding::Lost {
                record: 2,
                offset: Some(1)
            }]
        );
        assert_eq!((l.sums().lost, l.sums().committed, l.sums().acknowledged), (1, 1, 2));
        assert_eq!(
            l.get(2).map(Entry::fates),
            Some(vec!["appended", "acknowledged", "lost"])
        );
    }

    #[test]
    fn a_committed_record_that_goes_is_told_apart() {
        let mut l = ledger(1);
        l.appended(P, 0, 0, 1);
        l.high_watermark_moved(P, 0, 1);
        l.leads(P, 1, 0, std::iter::empty());
        assert_eq!(l.take_findings(), vec![Finding::CommittedLost { place: P, offset: 0 }]);
    }

    #[test]
    fn a_retry_after_the_loss_brings_it_back() {
        let mut l = ledger(1);
        l.appended(P, 0, 0, 1);
        l.leads(P, 1, 0, std::iter::empty());
        l.appended(P, 1, 0, 1);
        l.acknowledged(1, P, Some(0));
        assert_eq!((l.sums().lost, l.sums().duplicated), (0, 0));
    }

    #[test]
    fn twice_in_the_log_or_at_a_reader_is_duplicated_and_late_is_reordered() {
        let mut l = ledger(3);
        l.appended(P, 0, 0, 2);
        l.appended(P, 0, 1, 1);
        l.appended(P, 0, 2, 1);
        l.delivered(2, &"g".into());
        l.delivered(2, &"g".into());
        l.delivered(2, &"h".into());
        assert_eq!((l.sums().duplicated, l.sums().reordered, l.sums().delivered), (2, 1, 1));
    }

    #[test]
    fn what_a_deposed_leader_acknowledges_is_lost_at_once() {
        let mut l = ledger(1);
        l.leads(P, 1, 0, std::iter::empty());
        l.appended(P, 0, 0, 1);
        l.acknowledged(1, P, Some(0));
        assert_eq!(
            l.take_findings(),
            vec![Finding::Lost {
                record: 1,
                offset: Some(0)
            }]
        );
    }

    #[test]
    fn sent_off_without_an_answer_waits_in_the_air_until_seen_or_gone() {
        let mut l = ledger(2);
        l.acknowledged(1, P, None);
        l.acknowledged(2, P, None);
        assert_eq!(l.airborne().collect::<Vec<_>>(), vec![1, 2]);
        l.appended(P, 0, 0, 1);
        l.vanished(2);
        assert_eq!((l.airborne().count(), l.sums().lost), (0, 1));
    }
}
