//! Appends to a log: as leader, with all checks and stamps; as follower, taking what the leader sent.
//! [UnifiedLog.append]

use std::rc::Rc;

use crate::kafka::log::batch::{Batch, TimestampType};
use crate::kafka::log::error::AppendError;
use crate::kafka::log::producer_entry::{CompletedTxn, Guard, Origin};
use crate::kafka::log::producers::{AppendRules, PreparedAppend};
use crate::kafka::log::segment::{AbortedTxn, Segment};
use crate::kafka::log::unified_log::Log;
use crate::kafka::log::validate;
use crate::kafka::protocol::errors::ErrorCode;

/// How a leader is asked to append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderAppend {
    pub origin: Origin,
    pub leader_epoch: i32,
    /// The leader's clock, in ms.
    pub now: i64,
    /// Of a verified transaction.
    pub guard: Option<Guard>,
    /// For markers; -1 otherwise.
    pub transaction_version: i16,
}

impl LeaderAppend {
    /// A produce request without a transaction.
    pub fn client(leader_epoch: i32, now: i64) -> Self {
        Self {
            origin: Origin::Client,
            leader_epoch,
            now,
            guard: None,
            transaction_version: -1,
        }
    }

    /// A coordinator's own records.
    pub fn coordinator(leader_epoch: i32, now: i64) -> Self {
        Self {
            origin: Origin::Coordinator,
            ..Self::client(leader_epoch, now)
        }
    }
}

/// What an append did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    pub first_offset: i64,
    pub last_offset: i64,
    /// A retry of a batch that is in the log: the offsets are that one's, nothing was written.
    pub duplicate: bool,
    /// With LogAppendTime: the time on the records, in ms.
    pub log_append_time: Option<i64>,
    /// Base offset of the segment that was rolled for it.
    pub rolled: Option<i64>,
    /// The leader-epoch cache changed.
    pub new_epoch: bool,
    /// Batches written.
    pub batches: usize,
    /// The append reached `flush.messages`.
    pub flushed: bool,
}

impl Log {
    /// Appends one batch as leader. A refused batch writes nothing, but the epoch cache may know the epoch and a
    /// segment may have been rolled by then, as in Kafka.
    pub fn append_as_leader(&mut self, batch: Batch, how: LeaderAppend) -> Result<Appended, AppendError> {
        let (config, name) = (Rc::clone(&self.config), Rc::clone(&self.name));
        validate::check_sent(&batch, &config, how.origin, &name)?;
        let LeaderAppend {
            origin,
            leader_epoch,
            now,
            ..
        } = how;
        let batch = validate::validate_and_stamp(batch, self.end, leader_epoch, &config, origin, now, &name)?;
        let rules = AppendRules {
            origin,
            guard: how.guard,
            verification_enabled: config.transaction_verification,
            transaction_version: how.transaction_version,
            partition: &name,
        };
        let stamped = batch.timestamp_type == TimestampType::LogAppendTime;
        let mut done = self.append(&[batch], rules, now)?;
        if stamped && !done.duplicate {
            done.log_append_time = Some(now);
        }
        Ok(done)
    }

    /// Appends what a leader sent for a fetch that was made in `leader_epoch`: batches of a later epoch, and all after
    /// them, are left out. An empty log restarts at the first batch if that lies below its end.
    pub fn append_as_follower(
        &mut self,
        batches: &[Batch],
        leader_epoch: i32,
        now: i64,
    ) -> Result<Appended, AppendError> {
        let usable = batches.iter().take_while(|b| b.leader_epoch <= leader_epoch).count();
        let batches = &batches[..usable];
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return Ok(Appended {
                first_offset: -1,
                last_offset: -1,
                ..Appended::default()
            });
        };
        let name = Rc::clone(&self.name);
        check_order(batches, &name)?;
        if first.base_offset < self.end {
            let empty = self.log_start == self.end;
            if !empty || last.last_offset < self.log_start {
                return Err(unexpected_offset(first, last, self.end, &name));
            }
            self.truncate_fully_and_start_at(first.base_offset, now);
        }
        self.append(batches, AppendRules::replication(&name), now)
    }

    fn append(&mut self, batches: &[Batch], rules: AppendRules<'_>, now: i64) -> Result<Appended, AppendError> {
        let mut done = Appended {
            first_offset: batches[0].base_offset,
            last_offset: batches[batches.len() - 1].last_offset,
            ..Appended::default()
        };
        for batch in batches {
            done.new_epoch |= self.note_epoch(batch.leader_epoch, batch.base_offset);
        }
        let bytes = batches.iter().map(|b| u64::from(b.size)).sum();
        validate::check_segment_size(bytes, &self.config, &self.name)?;
        done.rolled = self.roll_if_due(batches, bytes, now);
        let mut prepared = PreparedAppend::default();
        for batch in batches {
            let repeated = if rules.origin == Origin::Client {
                self.producers.find_duplicate(batch)
            } else {
                None
            };
            if let Some(old) = repeated {
                done.first_offset = old.first_offset();
                done.last_offset = old.last_offset;
                done.duplicate = true;
                return Ok(done);
            }
            self.producers.prepare(&mut prepared, batch, rules)?;
        }
        self.write(batches, prepared, now);
        done.batches = batches.len();
        if self.end - self.recovery_point >= self.config.flush_messages {
            done.flushed = self.flush(now).is_some();
        }
        Ok(done)
    }

    fn write(&mut self, batches: &[Batch], prepared: PreparedAppend, now: i64) {
        let active = self.files.active_mut();
        for batch in batches {
            active.append(batch.clone(), now);
            self.end = batch.next_offset();
        }
        self.index_aborted(prepared);
        self.producers.set_map_end(self.end);
        self.refresh_unstable();
    }

    /// Takes the prepared producer state over; aborted transactions go into the segment's index.
    fn index_aborted(&mut self, prepared: PreparedAppend) {
        for (txn, last_stable_offset) in self.producers.commit(prepared) {
            let CompletedTxn {
                producer_id,
                first_offset,
                last_offset,
                aborted,
            } = txn;
            if aborted {
                self.files.active_mut().add_aborted(AbortedTxn {
                    producer_id,
                    first_offset,
                    last_offset,
                    last_stable_offset,
                });
            }
        }
    }

    /// [LogSegment.shouldRoll]
    fn roll_if_due(&mut self, batches: &[Batch], bytes: u64, now: i64) -> Option<i64> {
        let active = self.files.active();
        let incoming = batches.iter().map(|b| b.max_timestamp).max().unwrap_or(-1);
        let last = batches[batches.len() - 1].last_offset;
        // a batch that is larger than a segment was refused before
        let full = active.size() as i64 > self.config.segment_bytes - bytes as i64;
        let waited = active.waited_for_roll(now, incoming) > self.config.roll_ms();
        let too_far = last - active.base_offset() > i64::from(i32::MAX);
        if full || (active.size() > 0 && waited) || too_far {
            return Some(self.roll(batches[0].base_offset, now));
        }
        None
    }

    /// Starts a new active segment at `offset` or the LEO, whichever is higher: producer snapshot, and fsync of the
    /// old segment. Returns its base offset. [UnifiedLog.roll]
    pub fn roll(&mut self, offset: i64, now: i64) -> i64 {
        let base = offset.max(self.end);
        let segments = &mut self.files.segments;
        if segments.last().is_some_and(|s| s.is_empty() && s.base_offset() == base) {
            segments.pop();
        }
        segments.push(Rc::new(Segment::new(base, now)));
        self.producers.set_map_end(base);
        self.producers.take_snapshot(&mut self.files.snapshots);
        self.flush_below(base, now);
        base
    }
}

fn check_order(batches: &[Batch], name: &str) -> Result<(), AppendError> {
    let rising = batches.windows(2).all(|w| w[0].last_offset < w[1].last_offset);
    if rising {
        return Ok(());
    }
    let offsets: Vec<String> = batches.iter().map(|b| b.base_offset.to_string()).collect();
    let text = format!("Out of order offsets found in append to {name}: {}", offsets.join(", "));
    Err(AppendError::new(ErrorCode::UnknownServerError, text))
}

fn unexpected_offset(first: &Batch, last: &Batch, end: i64, name: &str) -> AppendError {
    let text = format!(
        "Unexpected offset in append to {name}. First offset {} is less than the next offset {end}. Last offset in the append is {}.",
        first.base_offset, last.last_offset
    );
    AppendError::new(ErrorCode::UnknownServerError, text)
}
