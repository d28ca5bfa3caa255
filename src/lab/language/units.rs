//! Durations, sizes, rates and shares as the language writes them; integers only.

use super::ast::Rate;
use super::limits;

/// Microseconds of each unit of time, longest first.
const TIMES: [(&str, u64); 5] = [
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Bytes of each unit of size, largest first.
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// `number` (digits, perhaps a point and more digits) times `unit`, if that is a whole number.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str, most: usize| !s.is_empty() && s.len() <= most && s.bytes().all(|b| b.is_ascii_digit());
    // As many digits as the largest u64 has; with the largest unit all products stay far inside u128.
    if !digits(whole, 20) || !digits(part, 18) {
        return None;
    }
    let part = part.trim_end_matches('0');
    let tens = 10u128.pow(part.len() as u32);
    let part: u128 = if part.is_empty() { 0 } else { part.parse().ok()? };
    let fraction = part * u128::from(unit);
    if !fraction.is_multiple_of(tens) {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    u64::try_from(whole * u128::from(unit) + fraction / tens).ok()
}

/// Reads `3`, `-1` or `0.25` as thousandths.
pub fn thousandths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = i64::try_from(scaled(digits, 1_000)?).ok()?;
    Some(sign * value)
}

/// Writes thousandths: `3`, `-1`, `0.25`.
pub fn write_thousandths(milli: i64) -> String {
    let (sign, milli) = (if milli < 0 { "-" } else { "" }, milli.unsigned_abs());
    let (whole, part) = (milli / 1_000, milli % 1_000);
    match part {
        0 => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{}", format!("{part:03}").trim_end_matches('0')),
    }
}

/// Splits `1.5s` into the number and the unit.
fn split_unit(text: &str) -> (&str, &str) {
    let at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(at)
}

/// Reads `30us`, `250ms`, `1.5s`, `10m`, `1h` as microseconds. `None`: not a duration, finer than a microsecond, or
/// longer than [`limits::TIME_US`]. A bare `0` is one too.
pub fn parse_duration(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let (number, unit) = split_unit(text);
    let (_, scale) = TIMES.iter().find(|(name, _)| *name == unit)?;
    scaled(number, *scale).filter(|us| *us <= limits::TIME_US)
}

/// Writes microseconds: below a millisecond in `us`, below a second in `ms`, whole hours in `h`, whole minutes from two
/// on in `m`, all else in `s`.
pub fn duration(us: u64) -> String {
    let unit = match us {
        0 => "s",
        1..=999 => "us",
        1_000..=999_999 => "ms",
        _ if us.is_multiple_of(3_600_000_000) => "h",
        _ if us.is_multiple_of(60_000_000) && us >= 120_000_000 => "m",
        _ => "s",
    };
    let scale = TIMES
        .iter()
        .find(|(name, _)| *name == unit)
        .map_or(1, |(_, scale)| *scale);
    format!("{}{unit}", decimal(us, scale))
}

/// `value / scale` with as few digits as say it; `scale` is 1 or, where a rest can occur, a power of ten.
fn decimal(value: u64, scale: u64) -> String {
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

/// Reads `200B`, `16KiB`, `1MiB` or a plain number of bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let scale = if unit.is_empty() {
        1
    } else {
        SIZES.iter().find(|(name, _)| *name == unit)?.1
    };
    scaled(number, scale)
}

/// Writes bytes in the largest unit that divides them.
pub fn size(bytes: u64) -> String {
    let unit = SIZES
        .iter()
        .find(|(_, scale)| bytes != 0 && bytes.is_multiple_of(*scale));
    let (name, scale) = unit.copied().unwrap_or(("B", 1));
    format!("{}{name}", bytes / scale)
}

/// Reads `10/s`, `1/m`, `3/250ms`.
pub fn parse_rate(text: &str) -> Option<Rate> {
    let (count, per) = text.split_once('/')?;
    let count = count
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| count.parse().ok())??;
    let bare = TIMES.iter().find(|(name, _)| *name == per).map(|(_, scale)| *scale);
    let per_us = bare.or_else(|| parse_duration(per))?;
    (count > 0 && per_us > 0).then_some(Rate { count, per_us })
}

/// Writes a rate; one whole unit is written without its `1`.
pub fn rate(rate: Rate) -> String {
    match TIMES.iter().find(|(_, scale)| *scale == rate.per_us) {
        Some((name, _)) => format!("{}/{name}", rate.count),
        None => format!("{}/{}", rate.count, duration(rate.per_us)),
    }
}

/// Reads `10%` or `0.5%` as parts per million.
pub fn parse_percent(text: &str) -> Option<u32> {
    let ppm = scaled(text.strip_suffix('%')?, 10_000)?;
    u32::try_from(ppm).ok().filter(|ppm| *ppm <= 1_000_000)
}

/// Writes parts per million as a percentage.
pub fn percent(ppm: u32) -> String {
    format!("{}%", decimal(u64::from(ppm), 10_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, us, canonical) in [
            ("30us", 30, "30us"),
            ("250ms", 250_000, "250ms"),
            ("1.5s", 1_500_000, "1.5s"),
            ("1500ms", 1_500_000, "1.5s"),
            ("0.25s", 250_000, "250ms"),
            ("60s", 60_000_000, "60s"),
            ("10m", 600_000_000, "10m"),
            ("90s", 90_000_000, "90s"),
            ("60m", 3_600_000_000, "1h"),
            ("2.1s", 2_100_000, "2.1s"),
            ("0", 0, "0s"),
            ("001.50s", 1_500_000, "1.5s"),
        ] {
            assert_eq!(parse_duration(text), Some(us), "{text}");
            assert_eq!(duration(us), canonical);
        }
        for text in [
            "",
            "s",
            "1",
            "1.s",
            ".5s",
            "1.5us",
            "-1s",
            "1 s",
            "1sec",
            "99999999999999999999s",
            "721h",
            "1e3s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_rates_and_shares() {
        assert_eq!(parse_size("16KiB"), Some(16_384));
        assert_eq!(
            (size(16_384), size(200), size(1 << 20), size(0)),
            ("16KiB".into(), "200B".into(), "1MiB".into(), "0B".into())
        );
        assert_eq!(parse_size("200"), Some(200));
        assert_eq!(parse_size("1kB"), None);
        assert_eq!(
            parse_rate("10/s"),
            Some(Rate {
                count: 10,
                per_us: 1_000_000
            })
        );
        assert_eq!(
            rate(Rate {
                count: 3,
                per_us: 250_000
            }),
            "3/250ms"
        );
        assert_eq!(parse_rate("0/s"), None);
        assert_eq!(parse_rate("+1/s"), None);
        assert_eq!(parse_percent("10%"), Some(100_000));
        assert_eq!(parse_percent("0.5%"), Some(5_000));
        assert_eq!(parse_percent("101%"), None);
        assert_eq!(percent(5_000), "0.5%");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(us in 0..=limits::TIME_US, bytes: u64, count in 1u32.., ppm in 0u32..=1_000_000) {
            prop_assert_eq!(parse_duration(&duration(us)), Some(us));
            prop_assert_eq!(parse_size(&size(bytes)), Some(bytes));
            let r = Rate { count, per_us: us.max(1) };
            prop_assert_eq!(parse_rate(&rate(r)), Some(r));
            prop_assert_eq!(parse_percent(&percent(ppm)), Some(ppm));
        }
    }
}
