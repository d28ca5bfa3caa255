//! ISO 8601 durations, as `java.time.Duration` reads them: `PnDTnHnMn.nS`.

/// Milliseconds of a duration, fractions cut off; `None` if it is none, or too long to count.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    let upper = text.to_ascii_uppercase();
    let (negate, rest) = match upper.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, upper.strip_prefix('+').unwrap_or(&upper)),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut sum = section(date, &[('D', 86_400_000)])?;
    sum = sum.checked_add(section(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1000)])?)?;
    if negate { sum.checked_neg() } else { Some(sum) }
}

/// The sum of the numbers before the letters, each at most once and in this order.
fn section(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum = 0i64;
    for (letter, factor) in units {
        let Some((number, rest)) = text.split_once(*letter) else {
            continue;
        };
        let amount = match number.split_once(['.', ',']) {
            Some((whole, fraction)) if *letter == 'S' => seconds(whole, fraction)?,
            _ => signed(number)?.checked_mul(*factor)?,
        };
        sum = sum.checked_add(amount)?;
        text = rest;
    }
    text.is_empty().then_some(sum)
}

fn signed(number: &str) -> Option<i64> {
    number.parse().ok()
}

/// Milliseconds of seconds with a fraction of at most nine digits.
fn seconds(whole: &str, fraction: &str) -> Option<i64> {
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = fraction.bytes().chain([b'0'; 3]).take(3);
    let part = thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let part = if whole.starts_with('-') { -part } else { part };
    signed(whole)?.checked_mul(1000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("PT1H", Some(3_600_000)),
            ("P1DT2H3M4.5S", Some(93_784_500)),
            ("pt0.001s", Some(1)),
            ("-PT1S", Some(-1000)),
            ("PT-1.5S", Some(-1500)),
            ("P2D", Some(172_800_000)),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("1H", None),
            ("PT1S1H", None),
            ("PT1.5H", None),
            ("x", None),
            ("P999999999999999D", None),
        ];
        for (text, expected) in cases {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
