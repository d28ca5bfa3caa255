//! How figures are written: times, lengths of time, large numbers, short keys.

/// A moment as two strings: seconds to the millisecond, and the microseconds below it (`2.418`, `120`).
pub fn clock(us: u64) -> (String, String) {
    (
        format!("{}.{:03}", us / 1_000_000, us / 1_000 % 1_000),
        format!("{:03}", us % 1_000),
    )
}

/// A moment in one string: `2.418 120`.
pub fn moment(us: u64) -> String {
    let (coarse, fine) = clock(us);
    format!("{coarse} {fine}")
}

/// A length of time with a unit that fits: `200 µs`, `1.5 ms`, `8.8 s`, `3 min`.
pub fn span(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => tenth(us, 1_000, "ms"),
        1_000_000..120_000_000 => tenth(us, 1_000_000, "s"),
        _ => tenth(us, 60_000_000, "min"),
    }
}

/// `us` in `unit`s with at most one decimal.
fn tenth(us: u64, unit: u64, name: &str) -> String {
    let tenths = us * 10 / unit;
    if tenths.is_multiple_of(10) {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// The label of a tick on the time axis: seconds with as many decimals as the step needs.
pub fn tick(us: u64, step_us: u64) -> String {
    let seconds = us / 1_000_000;
    let decimals = match step_us {
        0..1_000 => 6,
        1_000..10_000 => 3,
        10_000..100_000 => 2,
        100_000..1_000_000 => 1,
        _ => 0,
    };
    if decimals == 0 {
        return format!("{seconds} s");
    }
    let fraction = format!("{:06}", us % 1_000_000);
    format!("{seconds}.{} s", &fraction[..decimals])
}

/// Thousandths as a number: `1,204`, `0.25`, `-1`.
pub fn thousandths(milli: i64) -> String {
    let (sign, milli) = (if milli < 0 { "-" } else { "" }, milli.unsigned_abs());
    let whole = count(milli / 1_000);
    match milli % 1_000 {
        0 => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{}", format!("{part:03}").trim_end_matches('0')),
    }
}

/// A change in thousandths, with its sign: `+3`, `−0.5`.
pub fn change(milli: i64) -> String {
    let sign = if milli < 0 { '−' } else { '+' };
    format!("{sign}{}", thousandths(milli.saturating_abs()))
}

/// A number with commas between thousands.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A signed figure with commas between thousands.
pub fn figure(n: i64) -> String {
    let sign = if n < 0 { "−" } else { "" };
    format!("{sign}{}", count(n.unsigned_abs()))
}

/// A key that fits into a narrow cell: `user-17` becomes `u17`, a long word loses its end.
pub fn short(key: &str) -> String {
    if key.chars().count() <= 4 {
        return key.to_owned();
    }
    let digits: String = key
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    match (key.chars().next(), digits.len()) {
        (Some(first), 1..=3) if !first.is_ascii_digit() => format!("{first}{digits}"),
        _ => key.chars().take(3).chain(['…']).collect(),
    }
}

/// Broker names as they stand in a short list: the letters that all of them begin with are left out (`1,2,3`).
pub fn names(all: &[String]) -> String {
    let bare: Vec<&str> = all
        .iter()
        .map(|n| n.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
        .collect();
    let plain = bare.iter().all(|n| !n.is_empty());
    if plain { bare.join(",") } else { all.join(",") }
}
