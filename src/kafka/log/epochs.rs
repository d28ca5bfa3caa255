//! The leader-epoch checkpoint of a log: at which offset each leader epoch began. Truncation is decided by it.
//! [LeaderEpochFileCache]
//!
//! Real brokers fsync the file at each new epoch, so it survives a power failure that the records don't.

use std::fmt;

/// A leader epoch and the offset of the first record appended in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochEntry {
    pub epoch: i32,
    pub start: i64,
}

/// The answer to "where does this epoch end?": `None` where Kafka says (-1, -1).
///
/// `epoch` is the largest known one that is not above the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    pub epoch: i32,
    pub end: i64,
}

/// A leader epoch or start offset that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEpochEntry {
    pub epoch: i32,
    pub start: i64,
}

impl fmt::Display for InvalidEpochEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, start } = self;
        write!(
            f,
            "Received invalid partition leader epoch entry EpochEntry[epoch={epoch}, startOffset={start}]"
        )
    }
}

impl std::error::Error for InvalidEpochEntry {}

/// Entries in rising order of epoch and of start offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderEpochs {
    entries: Vec<EpochEntry>,
}

impl LeaderEpochs {
    /// The entries, oldest first.
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The latest epoch's entry.
    pub fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// The latest epoch.
    pub fn latest_epoch(&self) -> Option<i32> {
        self.latest().map(|e| e.epoch)
    }

    /// Whether no epoch is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes that `epoch` starts at offset `start`; whether that changed anything.
    ///
    /// The latest epoch keeps its start. Otherwise entries that the new one contradicts go: those with an epoch or
    /// a start that is not below it.
    ///
    /// # Errors
    /// A negative epoch or start is refused; nothing changes.
    pub fn assign(&mut self, epoch: i32, start: i64) -> Result<bool, InvalidEpochEntry> {
        if epoch < 0 || start < 0 {
            return Err(InvalidEpochEntry { epoch, start });
        }
        if self
            .latest()
            .is_some_and(|last| last.epoch == epoch && start >= last.start)
        {
            return Ok(false);
        }
        self.pop_while(|e| e.epoch >= epoch || e.start >= start);
        self.entries.push(EpochEntry { epoch, start });
        Ok(true)
    }

    /// Drops entries that start at or above `end`; whether there were any. A negative `end` drops nothing.
    pub fn truncate_from_end(&mut self, end: i64) -> bool {
        end >= 0 && self.pop_while(|e| e.start >= end)
    }

    /// Drops what lies below `start`: the epoch that holds it starts there from now on. Whether that changed anything.
    pub fn truncate_from_start(&mut self, start: i64) -> bool {
        let passed = self.entries.iter().take_while(|e| e.start <= start).count();
        let Some(holder) = passed.checked_sub(1) else {
            return false;
        };
        if holder == 0 && self.entries[0].start == start {
            return false;
        }
        self.entries.drain(..holder);
        self.entries[0].start = start;
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Where `epoch` ends in a log that ends at `log_end`.
    ///
    /// Unknown for epochs above the latest and in an empty cache; an epoch below the first is taken to end where the
    /// first one starts.
    pub fn end_offset_for(&self, epoch: i32, log_end: i64) -> Option<EpochEnd> {
        if epoch < 0 {
            return None;
        }
        if self.latest_epoch() == Some(epoch) {
            return Some(EpochEnd { epoch, end: log_end });
        }
        let above = self.entries.partition_point(|e| e.epoch <= epoch);
        let end = self.entries.get(above)?.start;
        let known = above.checked_sub(1).map_or(epoch, |i| self.entries[i].epoch);
        Some(EpochEnd { epoch: known, end })
    }

    /// The epoch in which the record at this offset was appended.
    pub fn epoch_for_offset(&self, offset: i64) -> Option<i32> {
        let above = self.entries.partition_point(|e| e.start <= offset);
        above.checked_sub(1).map(|i| self.entries[i].epoch)
    }

    /// The entry before this epoch.
    pub fn previous_entry(&self, epoch: i32) -> Option<EpochEntry> {
        let at = self.entries.partition_point(|e| e.epoch < epoch);
        at.checked_sub(1).map(|i| self.entries[i])
    }

    /// The first known epoch above this one.
    pub fn next_epoch(&self, epoch: i32) -> Option<i32> {
        let above = self.entries.partition_point(|e| e.epoch <= epoch);
        self.entries.get(above).map(|e| e.epoch)
    }

    /// Removes entries from the end as long as they match; whether there were any.
    fn pop_while(&mut self, matches: impl Fn(&EpochEntry) -> bool) -> bool {
        let before = self.entries.len();
        while self.entries.last().is_some_and(&matches) {
            self.entries.pop();
        }
        self.entries.len() < before
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kafka::vectors;

    fn pair(entry: Option<EpochEntry>) -> Value {
        entry.map_or(Value::Null, |e| json!([e.epoch, e.start]))
    }

    fn play(cache: &mut LeaderEpochs, step: &Value) -> Value {
        let epoch = step["epoch"].as_i64().unwrap_or_default() as i32;
        let offset = step["offset"].as_i64().unwrap_or_default();
        match step["op"].as_str().expect("op") {
            "assign" => {
                let error = cache.assign(epoch, offset).err().map(|e| e.to_string());
                assert_eq!(error.as_deref(), step["error"]["message"].as_str());
            }
            "truncate_from_end" => {
                cache.truncate_from_end(offset);
            }
            "truncate_from_start" => {
                cache.truncate_from_start(offset);
            }
            "end_offset_for" => {
                let end = cache.end_offset_for(epoch, step["log_end"].as_i64().expect("log_end"));
                return end.map_or(json!([-1, -1]), |e| json!([e.epoch, e.end]));
            }
            "epoch_for_offset" => return json!(cache.epoch_for_offset(offset)),
            "previous_entry" => return pair(cache.previous_entry(epoch)),
            "next_epoch" => return json!(cache.next_epoch(epoch)),
            other => panic!("unknown op {other}"),
        }
        Value::Array(cache.entries().iter().map(|e| pair(Some(*e))).collect())
    }

    #[test]
    fn vectors_epochs() {
        let cases = vectors::json_lines("epochs.jsonl");
        assert!(!cases.is_empty());
        for case in cases {
            let mut cache = LeaderEpochs::default();
            for (n, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
                let expected = step.get("entries").unwrap_or(&step["returns"]);
                assert_eq!(
                    &play(&mut cache, step),
                    expected,
                    "case {} step {n}: {step}",
                    case["id"]
                );
            }
        }
    }
}
