//! AMQP 0-9-1 field values: what headers and arguments are made of.

use crate::ordered::SortSmall;
use std::fmt;
use std::rc::Rc;

/// A name or key: UTF-8, shared.
pub type Name = Rc<str>;

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Void,
    Bool(bool),
    /// 32 bits, signed.
    Int(i32),
    /// 64 bits, signed.
    Long(i64),
    Double(Decimal),
    Text(Name),
    Array(Rc<[Field]>),
    Table(Table),
}

impl Field {
    /// The type's name in the server's error texts.
    pub fn kind(&self) -> &'static str {
        match self {
            Field::Void => "void",
            Field::Bool(_) => "bool",
            Field::Int(_) => "signedint",
            Field::Long(_) => "long",
            Field::Double(_) => "double",
            Field::Text(_) => "longstr",
            Field::Array(_) => "array",
            Field::Table(_) => "table",
        }
    }

    pub fn integer(&self) -> Option<i64> {
        match self {
            Field::Int(n) => Some(i64::from(*n)),
            Field::Long(n) => Some(*n),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&Name> {
        match self {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An integer, as narrow as it fits.
    pub fn whole(n: i64) -> Field {
        i32::try_from(n).map_or(Field::Long(n), Field::Int)
    }

    /// Equal as the headers exchange of 3.10 compares: numbers by value whatever their type, texts as texts.
    pub fn same_value(&self, other: &Field) -> bool {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self == other,
            _ => false,
        }
    }

    fn number(&self) -> Option<Decimal> {
        match self {
            Field::Double(decimal) => Some(*decimal),
            other => other.integer().map(Decimal::whole),
        }
    }
}

/// As the server prints a value in `received 'X' but current is 'Y'`.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Void => f.write_str("undefined"),
            Field::Bool(value) => write!(f, "{value}"),
            Field::Int(n) => write!(f, "{n}"),
            Field::Long(n) => write!(f, "{n}"),
            Field::Double(decimal) => write!(f, "{decimal}"),
            Field::Text(text) => f.write_str(text),
            Field::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{{{},{item}}}", if index > 0 { "," } else { "" }, item.kind())?;
                }
                f.write_str("]")
            }
            Field::Table(table) => {
                f.write_str("[")?;
                for (index, (name, item)) in table.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{{<<\"{name}\">>,{},{item}}}", item.kind())?;
                }
                f.write_str("]")
            }
        }
    }
}

/// A table: names with values, in the order in which they were given, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table(Rc<[(Name, Field)]>);

impl Table {
    /// Of two values with one name the later one stays, where the first stood.
    pub fn new(entries: Vec<(Name, Field)>) -> Table {
        let mut kept: Vec<(Name, Field)> = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            match kept.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = value,
                None => kept.push((name, value)),
            }
        }
        Table(kept.into())
    }

    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Name, Field)> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table with that value under that name.
    pub fn with(&self, name: &str, value: Field) -> Table {
        let mut entries: Vec<_> = self.0.to_vec();
        entries.push((name.into(), value));
        Table::new(entries)
    }

    pub fn without(&self, name: &str) -> Table {
        Table(self.0.iter().filter(|(key, _)| &**key != name).cloned().collect())
    }

    /// The same in the order of the names: what the arguments of a binding are compared by.
    pub fn sorted(&self) -> Table {
        let mut entries = self.0.to_vec();
        entries.sort_small_by(|a, b| a.0.cmp(&b.0));
        Table(entries.into())
    }
}

/// A number with a decimal point, exact: `digits * 10^exponent`. Doubles decide nothing here but their equality and how
/// they are printed, and both follow from the shortest decimal that stands for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    digits: i64,
    exponent: i16,
}

impl Decimal {
    pub fn whole(n: i64) -> Decimal {
        Decimal { digits: n, exponent: 0 }.normal()
    }

    /// From a text such as `-1.50` or `2e3`; `None` if it is no number or has more digits than a double tells apart.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse::<i64>().ok()?;
        let exponent = exponent.checked_sub(i16::try_from(fraction.len()).ok()?)?;
        Some(Decimal { digits, exponent }.normal())
    }

    fn normal(mut self) -> Decimal {
        if self.digits == 0 {
            return Decimal { digits: 0, exponent: 0 };
        }
        while self.digits % 10 == 0 {
            self.digits /= 10;
            self.exponent = self.exponent.saturating_add(1);
        }
        self
    }
}

impl fmt::Display for Decimal {
    /// `5.0`, `-0.25`, `1.0e22`: as Erlang prints a float.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        let point = digits.len() as i32 + i32::from(self.exponent);
        if (1..=21).contains(&point) {
            let point = point as usize;
            if digits.len() <= point {
                return write!(f, "{sign}{digits:0<point$}.0");
            }
            return write!(f, "{sign}{}.{}", &digits[..point], &digits[point..]);
        }
        if (-4..=0).contains(&point) {
            let zeros = "0".repeat(point.unsigned_abs() as usize);
            return write!(f, "{sign}0.{zeros}{digits}");
        }
        let (head, tail) = digits.split_at(1);
        let tail = if tail.is_empty() { "0" } else { tail };
        write!(f, "{sign}{head}.{tail}e{}", point - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value_and_texts_are_not_numbers() {
        let double = Field::Double(Decimal::parse("1.0").expect("a number"));
        assert!(Field::Int(1).same_value(&double));
        assert!(Field::Int(1).same_value(&Field::Long(1)));
        assert!(!Field::Text("1".into()).same_value(&Field::Int(1)));
        assert!(!Field::Bool(true).same_value(&Field::Int(1)));
        assert!(Field::Void.same_value(&Field::Void));
    }

    #[test]
    fn decimals_print_as_erlang_floats() {
        for (text, shown) in [
            ("5.0", "5.0"),
            ("1.50", "1.5"),
            ("-0.25", "-0.25"),
            ("0.0", "0.0"),
            ("100", "100.0"),
            ("1e22", "1.0e22"),
            ("12.5e-10", "1.25e-9"),
        ] {
            assert_eq!(Decimal::parse(text).expect("a number").to_string(), shown);
        }
        assert_eq!(Decimal::parse("x"), None);
    }

    #[test]
    fn of_two_values_with_one_name_the_later_stays() {
        let table = Table::new(vec![("a".into(), Field::Int(1)), ("a".into(), Field::Int(2))]);
        assert_eq!(table.get("a"), Some(&Field::Int(2)));
        assert_eq!(table.iter().count(), 1);
        assert!(table.without("a").is_empty());
    }
}
