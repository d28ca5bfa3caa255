//! What a leader checks in a batch, and how it stamps it: sizes, control records, keys of compacted topics,
//! timestamps. [LogValidator, UnifiedLog.analyzeAndValidateRecords]

use crate::kafka::log::batch::{Batch, NO_TIMESTAMP, TimestampType};
use crate::kafka::log::config::LogConfig;
use crate::kafka::log::error::{AppendError, RecordError};
use crate::kafka::log::producer_entry::Origin;
use crate::kafka::protocol::errors::ErrorCode;

/// Checks of the batch as it was sent; `partition` is the partition's name for the texts.
pub fn check_sent(batch: &Batch, config: &LogConfig, origin: Origin, partition: &str) -> Result<(), AppendError> {
    if origin == Origin::Client && batch.base_offset != 0 {
        return Err(invalid_record(format!(
            "The baseOffset of the record batch in the append to {partition} should be 0, but it is {}",
            batch.base_offset
        )));
    }
    check_size(batch, config, partition)
}

/// The limit is on the batch, compressed, and a batch of exactly that size passes.
pub fn check_size(batch: &Batch, config: &LogConfig, partition: &str) -> Result<(), AppendError> {
    if i64::from(batch.size) <= config.max_message_bytes {
        return Ok(());
    }
    // the lone bracket is Kafka's
    let text = format!(
        "The record batch size in the append to {partition} is {} bytes which exceeds the maximum configured value of {}).",
        batch.size, config.max_message_bytes
    );
    Err(AppendError::new(ErrorCode::MessageTooLarge, text))
}

/// Whether what is appended at once fits in a segment.
pub fn check_segment_size(bytes: u64, config: &LogConfig, partition: &str) -> Result<(), AppendError> {
    if i64::try_from(bytes).is_ok_and(|b| b <= config.segment_bytes) {
        return Ok(());
    }
    let text = format!(
        "Message batch size is {bytes} bytes in append to partition {partition}, which exceeds the maximum configured segment size of {}.",
        config.segment_bytes
    );
    Err(AppendError::new(ErrorCode::RecordListTooLarge, text))
}

/// Validates a batch and stamps it: base offset, leader epoch, the topic's codec and timestamp type.
pub fn validate_and_stamp(
    batch: Batch,
    offset: i64,
    leader_epoch: i32,
    config: &LogConfig,
    origin: Origin,
    now: i64,
    partition: &str,
) -> Result<Batch, AppendError> {
    if origin == Origin::Client {
        check_batch(&batch)?;
    }
    check_records(&batch, config, now, partition)?;
    let mut batch = batch.at_offset(offset).in_epoch(leader_epoch);
    if let Some(codec) = config.compression.filter(|c| *c != batch.codec) {
        batch = batch.compressed(codec, codec.modelled_permille());
        check_size(&batch, config, partition)?;
    }
    if config.timestamp_type == TimestampType::LogAppendTime {
        batch = batch.with_log_append_time(now);
    }
    Ok(batch)
}

/// [LogValidator.validateBatch]
fn check_batch(batch: &Batch) -> Result<(), AppendError> {
    let (first, last) = (batch.base_offset, batch.last_offset);
    let count = batch.records.len() as i64;
    if last < first {
        return Err(invalid_record(format!(
            "Batch has an invalid offset range: [{first}, {last}]"
        )));
    }
    if count == 0 {
        return Err(invalid_record(format!(
            "Invalid reported count for record batch: {count}"
        )));
    }
    if last - first + 1 != count {
        return Err(invalid_record(format!(
            "Inconsistent batch offset range [{first}, {last}] and count of records {count}"
        )));
    }
    if batch.control.is_some() {
        return Err(invalid_record(
            "Clients are not allowed to write control records".to_owned(),
        ));
    }
    match batch.producer {
        Some(p) if p.sequence < 0 => Err(invalid_record(format!(
            "Invalid sequence number {} in record batch with producerId {}",
            p.sequence, p.id
        ))),
        _ => Ok(()),
    }
}

fn check_records(batch: &Batch, config: &LogConfig, now: i64, partition: &str) -> Result<(), AppendError> {
    let mut errors = Vec::new();
    let mut bad_time = false;
    for (index, (offset, record)) in batch.iter().enumerate() {
        let keyless = config.cleanup.compact && record.key.is_none();
        let text = if keyless {
            Some(format!(
                "Compacted topic cannot accept message without key in topic partition {partition}"
            ))
        } else {
            let text = timestamp_error(batch, record.timestamp, offset, config, now);
            bad_time |= text.is_some();
            text
        };
        errors.extend(text.map(|message| RecordError {
            batch_index: index as i32,
            message,
        }));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(rejected(errors, bad_time))
}

/// [LogValidator.processRecordErrors]
fn rejected(records: Vec<RecordError>, bad_time: bool) -> AppendError {
    if bad_time {
        let message = "One or more records have been rejected due to invalid timestamp".to_owned();
        return AppendError {
            code: ErrorCode::InvalidTimestamp,
            message,
            records,
        };
    }
    let shown: Vec<String> = records
        .iter()
        .take(3)
        .map(|e| format!("RecordError(batchIndex={}, message='{}')", e.batch_index, e.message))
        .collect();
    let message = format!(
        "One or more records have been rejected due to {} record errors in total, and only showing the first three errors at most: [{}]",
        records.len(),
        shown.join(", ")
    );
    AppendError {
        code: ErrorCode::InvalidRecord,
        message,
        records,
    }
}

/// [LogValidator.validateTimestamp]
fn timestamp_error(batch: &Batch, timestamp: i64, offset: i64, config: &LogConfig, now: i64) -> Option<String> {
    if batch.timestamp_type == TimestampType::LogAppendTime {
        return Some(format!(
            "Invalid timestamp type in message with offset {offset}. Producer should not set timestamp type to LogAppendTime."
        ));
    }
    if config.timestamp_type != TimestampType::CreateTime || timestamp == NO_TIMESTAMP {
        return None;
    }
    let (before, after) = (config.timestamp_before_max_ms, config.timestamp_after_max_ms);
    let too_old = now.saturating_sub(timestamp) > before;
    let too_new = timestamp.saturating_sub(now) > after;
    (too_old || too_new).then(|| {
        format!(
            "Timestamp {timestamp} of message with offset {offset} is out of range. The timestamp should be within [{}, {}]",
            now.wrapping_sub(before),
            now.wrapping_add(after)
        )
    })
}

fn invalid_record(message: String) -> AppendError {
    AppendError::new(ErrorCode::InvalidRecord, message)
}
