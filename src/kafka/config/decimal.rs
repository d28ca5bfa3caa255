//! Decimal numbers as text, compared and written without floating point: settings of type DOUBLE decide what is
//! refused, and no rounding of a machine shall have a say in that.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number `0.d1 d2 d3 ... * 10^exponent` with its sign. Written as Java writes a double.
///
/// Java also takes `NaN`, `Infinity`, hexadecimal and a trailing `f` or `d`: those are no numbers here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// Reads digits with an optional sign, fraction and exponent (`-0.5`, `1e3`).
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if all().next().is_none() || !all().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let leading = all().take_while(|b| *b == b'0').count();
        let mut digits: Vec<u8> = all().skip(leading).map(|b| b - b'0').collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let point = i32::try_from(whole.len())
            .ok()?
            .checked_sub(i32::try_from(leading).ok()?)?;
        let exponent = if digits.is_empty() {
            0
        } else {
            point.checked_add(i32::from(power))?
        };
        Some(Decimal {
            negative,
            digits,
            exponent,
        })
    }

    /// In millionths, cut off; `None` beyond the range of a 64-bit number.
    pub fn millionths(&self) -> Option<i64> {
        let places = usize::try_from((self.exponent + 6).max(0)).ok()?;
        if places > 18 {
            return None;
        }
        let digit = |i| i64::from(self.digits.get(i).copied().unwrap_or(0));
        let amount = (0..places).fold(0i64, |sum, i| sum * 10 + digit(i));
        Some(if self.negative { -amount } else { amount })
    }

    /// Is it below another one?
    pub fn is_below(&self, other: &Decimal) -> bool {
        self.compare(other) == Ordering::Less
    }

    fn compare(&self, other: &Decimal) -> Ordering {
        let sign = |d: &Decimal| match (d.digits.is_empty(), d.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = |d: &Decimal| (d.exponent, d.digits.clone());
        match (sign(self), sign(other)) {
            (-1, -1) => size(other).cmp(&size(self)),
            (1, 1) => size(self).cmp(&size(other)),
            (mine, its) => mine.cmp(&its),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        if self.digits.is_empty() {
            return write!(f, "{sign}0.0");
        }
        let digits: String = self.digits.iter().map(|d| char::from(b'0' + d)).collect();
        // Java writes 10^-3 <= x < 10^7 plainly, everything else as d.dddE.
        let plain = (-2..=7).contains(&self.exponent);
        let point = usize::try_from(if plain { self.exponent.max(0) } else { 1 }).unwrap_or(0);
        let whole: String = digits.chars().chain(std::iter::repeat('0')).take(point).collect();
        let gap = if plain {
            usize::try_from(-self.exponent).unwrap_or(0)
        } else {
            0
        };
        let fraction = format!("{}{}", "0".repeat(gap), digits.get(point..).unwrap_or(""));
        let or_zero = |part: String| {
            if part.is_empty() { "0".to_string() } else { part }
        };
        write!(f, "{sign}{}.{}", or_zero(whole), or_zero(fraction))?;
        if plain {
            Ok(())
        } else {
            write!(f, "E{}", self.exponent - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn writes_as_java_does() {
        let cases = [
            ("0", "0.0"),
            ("-0.5", "-0.5"),
            ("1.50", "1.5"),
            ("+7", "7.0"),
            ("1e3", "1000.0"),
            ("0.001", "0.001"),
            ("0.0001", "1.0E-4"),
            ("9999999", "9999999.0"),
            ("10000000", "1.0E7"),
            ("12345678.9", "1.23456789E7"),
            (".5", "0.5"),
            ("1.7976931348623157E308", "1.7976931348623157E308"),
        ];
        for (text, java) in cases {
            assert_eq!(decimal(text).to_string(), java);
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", ".", "-", "abc", "1.2.3", "1e", "1 2", "--1", "1e99999"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn compares_by_value() {
        let ascending = ["-10", "-9.5", "-0.1", "0", "0.09", "0.1", "0.5", "0.51", "1.0", "10"];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]).is_below(&decimal(pair[1])), "{pair:?}");
            assert!(!decimal(pair[1]).is_below(&decimal(pair[0])), "{pair:?}");
        }
        assert!(!decimal("1.0").is_below(&decimal("1")));
    }

    #[test]
    fn millionths_cut_off() {
        assert_eq!(decimal("0.5").millionths(), Some(500_000));
        assert_eq!(decimal("0.0000019").millionths(), Some(1));
        assert_eq!(decimal("-1").millionths(), Some(-1_000_000));
        assert_eq!(decimal("1e-300").millionths(), Some(0));
        assert_eq!(decimal("1e300").millionths(), None);
    }
}
