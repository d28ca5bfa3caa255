//! The bytes of a record batch (format v2): sizes, varints, CRC-32C, and the whole batch.

use crate::kafka::log::batch::{
    BATCH_OVERHEAD, Batch, Codec, Control, Headers, NO_SEQUENCE, Outcome, Record, TimestampType,
};
use crate::kafka::types::Bytes;

/// Upper bound of a record's own overhead; used before offset and timestamp are known. [DefaultRecord.MAX_RECORD_OVERHEAD]
const MAX_RECORD_OVERHEAD: u32 = 21;
const MAGIC: u8 = 2;

/// Bytes of a zigzag varint. [ByteUtils.sizeOfVarlong]
pub fn varint_size(value: i64) -> u32 {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    let bits = 64 - zigzag.leading_zeros();
    bits.div_ceil(7).max(1)
}

/// Bytes of a length and its content; null takes one byte.
fn sized(bytes: Option<&[u8]>) -> u32 {
    bytes.map_or(1, |b| varint_size(b.len() as i64) + b.len() as u32)
}

fn body_tail_size(key: &Option<Bytes>, value: &Option<Bytes>, headers: &Headers) -> u32 {
    let pairs: u32 = headers
        .iter()
        .map(|(k, v)| sized(Some(k.as_bytes())) + sized(v.as_deref()))
        .sum();
    sized(key.as_deref()) + sized(value.as_deref()) + varint_size(headers.len() as i64) + pairs
}

/// Bytes of a record with its length. [DefaultRecord.sizeInBytes]
pub fn record_size(
    timestamp_delta: i64,
    offset_delta: i32,
    key: &Option<Bytes>,
    value: &Option<Bytes>,
    headers: &Headers,
) -> u32 {
    let body =
        1 + varint_size(timestamp_delta) + varint_size(i64::from(offset_delta)) + body_tail_size(key, value, headers);
    varint_size(i64::from(body)) + body
}

/// Bytes of a record in a batch with this base timestamp.
pub fn record_size_at(base_timestamp: i64, record: &Record) -> u32 {
    record_size(
        record.timestamp.wrapping_sub(base_timestamp),
        record.offset_delta,
        &record.key,
        &record.value,
        &record.headers,
    )
}

/// What the producer takes as the size of a batch with only this record: compared with `max.request.size` and
/// `batch.size`. [AbstractRecords.estimateSizeInBytesUpperBound]
pub fn upper_bound(key: &Option<Bytes>, value: &Option<Bytes>, headers: &Headers) -> u32 {
    BATCH_OVERHEAD + MAX_RECORD_OVERHEAD + body_tail_size(key, value, headers)
}

/// A sum of sizes as a batch can hold it. A batch above 4 GiB can't be built from records that fit in memory here.
pub fn clamp_size(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX - BATCH_OVERHEAD)
}

/// A marker's key: version, then 0 for abort or 1 for commit. [ControlRecordType]
pub fn marker_key(outcome: Outcome) -> Bytes {
    let kind = match outcome {
        Outcome::Abort => 0,
        Outcome::Commit => 1,
    };
    Bytes::from([0, 0, 0, kind])
}

/// A marker's value: version and coordinator epoch. [EndTransactionMarker]
pub fn marker_value(coordinator_epoch: i32) -> Bytes {
    let mut value = vec![0, 0];
    value.extend(coordinator_epoch.to_be_bytes());
    Bytes::from(value)
}

/// Bytes of a marker's record.
pub fn marker_size(control: Control) -> u32 {
    let key = Some(marker_key(control.outcome));
    let value = Some(marker_value(control.coordinator_epoch));
    record_size(0, 0, &key, &value, &crate::kafka::log::batch::no_headers())
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push((rest as u8 & 0x7f) | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_sized(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(out, -1),
        Some(b) => {
            put_varint(out, b.len() as i64);
            out.extend_from_slice(b);
        }
    }
}

fn put_record(out: &mut Vec<u8>, base_timestamp: i64, record: &Record) {
    let mut body = vec![0];
    put_varint(&mut body, record.timestamp.wrapping_sub(base_timestamp));
    put_varint(&mut body, i64::from(record.offset_delta));
    put_sized(&mut body, record.key.as_deref());
    put_sized(&mut body, record.value.as_deref());
    put_varint(&mut body, record.headers.len() as i64);
    for (name, value) in record.headers.iter() {
        put_sized(&mut body, Some(name.as_bytes()));
        put_sized(&mut body, value.as_deref());
    }
    put_varint(out, body.len() as i64);
    out.extend(body);
}

fn attributes(batch: &Batch) -> i16 {
    let codec = match batch.codec {
        Codec::None => 0,
        Codec::Gzip => 1,
        Codec::Snappy => 2,
        Codec::Lz4 => 3,
        Codec::Zstd => 4,
    };
    codec
        | i16::from(batch.timestamp_type == TimestampType::LogAppendTime) << 3
        | i16::from(batch.transactional) << 4
        | i16::from(batch.control.is_some()) << 5
        | i16::from(batch.delete_horizon.is_some()) << 6
}

/// From the attributes to the end: what the CRC covers. Records are written plain, whatever the codec.
fn checked_part(batch: &Batch) -> Vec<u8> {
    let mut out = Vec::with_capacity(batch.size as usize);
    out.extend(attributes(batch).to_be_bytes());
    out.extend(((batch.last_offset - batch.base_offset) as i32).to_be_bytes());
    out.extend(batch.base_timestamp.to_be_bytes());
    out.extend(batch.max_timestamp.to_be_bytes());
    let (id, epoch, sequence) = batch
        .producer
        .map_or((-1, -1, NO_SEQUENCE), |p| (p.id, p.epoch, p.sequence));
    out.extend(id.to_be_bytes());
    out.extend(epoch.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend((batch.records.len() as i32).to_be_bytes());
    for record in batch.records.iter() {
        put_record(&mut out, batch.base_timestamp, record);
    }
    out
}

/// The batch's CRC-32C; does not depend on its base offset and leader epoch.
pub fn crc(batch: &Batch) -> u32 {
    crc32c(&checked_part(batch))
}

/// The whole batch as bytes. For a compressed batch: as it would be without compression, but for its codec's bits.
pub fn encode(batch: &Batch) -> Vec<u8> {
    let part = checked_part(batch);
    // leader epoch 4, magic 1, crc 4 stand between the length and the checked part
    let length = part.len() as i32 + 9;
    let mut out = Vec::with_capacity(part.len() + 21);
    out.extend(batch.base_offset.to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend(batch.leader_epoch.to_be_bytes());
    out.push(MAGIC);
    out.extend(crc32c(&part).to_be_bytes());
    out.extend(part);
    out
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    // Castagnoli's polynomial, bits reversed
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut c = i as u32;
        let mut bit = 0;
        while bit < 8 {
            c = if c & 1 == 1 { (c >> 1) ^ 0x82f6_3b78 } else { c >> 1 };
            bit += 1;
        }
        table[i] = c;
        i += 1;
    }
    table
}

/// CRC-32C (Castagnoli).
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, b| {
        (crc >> 8) ^ CRC_TABLE[((crc ^ u32::from(*b)) & 0xff) as usize]
    })
}
