//! Texts and orders that come from Java: exceptions, traces, hash tables, tables.

use crate::kafka::client::call::ClientError;
use crate::kafka::hash::java_string_hash;
use crate::kafka::types::NamedPartition;

/// An exception's class with its package.
pub fn qualified(class: &str) -> String {
    let package = match class {
        "ConfigException" => "org.apache.kafka.common.config.",
        "KafkaException" => "org.apache.kafka.common.",
        "ExecutionException" => "java.util.concurrent.",
        "IllegalArgumentException"
        | "RuntimeException"
        | "IllegalStateException"
        | "NumberFormatException"
        | "IndexOutOfBoundsException"
        | "ClassNotFoundException" => "java.lang.",
        "IOException" => "java.io.",
        "NoSuchFileException" => "java.nio.file.",
        "ParseException" => "java.text.",
        "DateTimeParseException" => "java.time.format.",
        "PatternSyntaxException" => "java.util.regex.",
        "JsonParseException" => "com.fasterxml.jackson.core.",
        "AdminCommandFailedException" | "AdminOperationException" | "TerseException" => "org.apache.kafka.tools.",
        "CommitFailedException"
        | "NoOffsetForPartitionException"
        | "OffsetOutOfRangeException"
        | "RetriableCommitFailedException"
            if class != "OffsetOutOfRangeException" =>
        {
            "org.apache.kafka.clients.consumer."
        }
        _ => "org.apache.kafka.common.errors.",
    };
    format!("{package}{class}")
}

/// `Throwable.toString`.
pub fn text(error: &ClientError) -> String {
    match &error.message {
        Some(message) => format!("{}: {message}", qualified(&error.class)),
        None => qualified(&error.class),
    }
}

/// `getMessage`, as string concatenation shows it.
pub fn message(error: &ClientError) -> &str {
    error.message.as_deref().unwrap_or("null")
}

/// A stack trace without its frames.
pub fn trace(error: &ClientError) -> String {
    let mut out = format!("{}\n", text(error));
    let mut cause = error.cause.as_deref();
    while let Some(error) = cause {
        out.push_str(&format!("Caused by: {}\n", text(error)));
        cause = error.cause.as_deref();
    }
    out
}

/// What `get()` of a future throws.
pub fn execution(cause: ClientError) -> ClientError {
    ClientError::new("ExecutionException", &text(&cause)).caused_by(cause)
}

/// A `RuntimeException` around another.
pub fn runtime(cause: ClientError) -> ClientError {
    ClientError::new("RuntimeException", &text(&cause)).caused_by(cause)
}

/// `TopicPartition.hashCode`.
pub fn partition_hash(partition: &NamedPartition) -> i32 {
    31i32
        .wrapping_mul(31i32.wrapping_add(partition.partition))
        .wrapping_add(java_string_hash(&partition.topic))
}

/// The order in which a `HashMap` made with room for `capacity` buckets lists what was put into it in this order.
pub fn hash_order<T>(items: Vec<T>, capacity: usize, hash: impl Fn(&T) -> i32) -> Vec<T> {
    let mut buckets = capacity.max(1).next_power_of_two();
    while items.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    let mut slots: Vec<Vec<T>> = (0..buckets).map(|_| Vec::new()).collect();
    for item in items {
        // The cast keeps the bits: Java's ints and their unsigned shift.
        let h = hash(&item) as u32;
        slots[(h ^ (h >> 16)) as usize & (buckets - 1)].push(item);
    }
    slots.into_iter().flatten().collect()
}

/// Names in the order of a table of that capacity.
pub fn names_in_hash_order<S: AsRef<str>>(names: Vec<S>, capacity: usize) -> Vec<S> {
    hash_order(names, capacity, |name| java_string_hash(name.as_ref()))
}

/// Left-aligned in a width.
pub fn pad(text: &str, width: usize) -> String {
    let mut out = text.to_string();
    let have = text.chars().count();
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(have)));
    out
}

/// The widest of these, or a least width.
pub fn widest<'a>(least: usize, cells: impl Iterator<Item = &'a str>) -> usize {
    cells.map(|cell| cell.chars().count()).fold(least, usize::max)
}

/// Numbers parted by commas.
pub fn numbers(ids: &[i32]) -> String {
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    texts.join(",")
}

/// `Utils.toLogDateTimeFormat`-like: `2026-11-24 00:00:05,123`, UTC.
pub fn stamp(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let (h, m, s) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02},{:03}", rest % 1000)
}

/// Year, month and day of a day counted from 1970-01-01.
pub fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

/// The day, counted from 1970-01-01, of a date.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_list_as_java_does() {
        let names = names_in_hash_order(vec!["audit", "orders", "payments"], 16);
        assert_eq!(names, ["audit", "payments", "orders"]);
        let jobs = |n| NamedPartition {
            topic: "jobs".into(),
            partition: n,
        };
        let order = hash_order(vec![jobs(0), jobs(1), jobs(2)], 16, partition_hash);
        assert_eq!(order, [jobs(2), jobs(0), jobs(1)]);
    }

    #[test]
    fn days_and_dates_agree() {
        for day in -1000..40_000 {
            let (y, m, d) = date(day);
            assert_eq!(days(y, m, d), day);
        }
        assert_eq!(stamp(1_700_000_000_123), "2023-11-14 22:13:20,123");
    }
}
