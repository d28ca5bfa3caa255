//! What a plain scalar means: null, boolean, number or text.

use crate::docker::compose::value::Value;

/// The value of an unquoted scalar (YAML 1.2 with the numbers of 1.1, as the reference loader reads it).
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let first = text.trim_start_matches(['-', '+']).bytes().next();
    if !first.is_some_and(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Value::Str(text.into());
    }
    let number = text.replace('_', "");
    if let Some(int) = integer(&number) {
        return Value::Int(int);
    }
    if number.parse::<u64>().is_ok() {
        return Value::Float(number);
    }
    if date(text) {
        return Value::Str(format!("{text} 00:00:00 +0000 UTC"));
    }
    match decimal(&number) {
        Some(float) => Value::Float(float),
        None => Value::Str(text.into()),
    }
}

/// `2020-01-31`, which is a moment.
fn date(text: &str) -> bool {
    let shape = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    shape && text.len() == 10
}

fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1_i64, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x', ..] => (&digits[2..], 16),
        [b'0', b'o', ..] => (&digits[2..], 8),
        [b'0', b'b', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(|int| int * sign)
}

/// A decimal number in its shortest form: `1.50` is `1.5`, `1e3` is `1000`; from seven digits before the point on, or
/// five zeros after it, with an exponent.
fn decimal(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let figures = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !figures(whole) || !figures(part) || (whole.is_empty() && part.is_empty()) || exponent.abs() > 300 {
        return None;
    }
    let all = format!("{whole}{part}");
    let digits = all.trim_start_matches('0');
    // The place of the point, counted from the first digit that is not zero.
    let point = whole.len() as i64 - (all.len() - digits.len()) as i64 + exponent;
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return Some(format!("{sign}0"));
    }
    let power = point - 1;
    let count = digits.len() as i64;
    Some(if !(-4..6).contains(&power) {
        let tail = if count > 1 {
            format!(".{}", &digits[1..])
        } else {
            String::new()
        };
        let way = if power < 0 { '-' } else { '+' };
        format!("{sign}{}{tail}e{way}{:02}", &digits[..1], power.abs())
    } else if point <= 0 {
        format!("{sign}0.{}{digits}", "0".repeat(-point as usize))
    } else if count <= point {
        format!("{sign}{digits}{}", "0".repeat((point - count) as usize))
    } else {
        let (left, right) = digits.split_at(point as usize);
        format!("{sign}{left}.{right}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_the_rest_is_text() {
        for (text, value) in [
            ("0123", Value::Int(83)),
            ("0x10", Value::Int(16)),
            ("0o17", Value::Int(15)),
            ("1_000", Value::Int(1000)),
            ("-1", Value::Int(-1)),
            ("1e3", Value::Float("1000".into())),
            ("1.50", Value::Float("1.5".into())),
            (".5", Value::Float("0.5".into())),
            ("1e7", Value::Float("1e+07".into())),
            ("1234567.5", Value::Float("1.2345675e+06".into())),
            ("0.00001", Value::Float("1e-05".into())),
            ("~", Value::Null),
            ("yes", Value::Str("yes".into())),
            ("22:22", Value::Str("22:22".into())),
            ("1.2.3", Value::Str("1.2.3".into())),
            ("-", Value::Str("-".into())),
            ("5s", Value::Str("5s".into())),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}
