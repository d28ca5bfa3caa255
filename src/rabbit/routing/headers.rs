//! The headers exchange: whether a binding's arguments match a message's headers, and why not.

use crate::rabbit::value::{Field, Table};

/// `x-match` of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    All,
    Any,
    AllWithX,
    AnyWithX,
}

impl Mode {
    /// The mode that a binding asks for.
    ///
    /// # Errors
    /// What the server says of an `x-match` that it does not know.
    pub fn of(arguments: &Table) -> Result<Mode, String> {
        match arguments.get("x-match") {
            None => Ok(Mode::All),
            Some(Field::Text(text)) => match &**text {
                "all" => Ok(Mode::All),
                "any" => Ok(Mode::Any),
                "all-with-x" => Ok(Mode::AllWithX),
                "any-with-x" => Ok(Mode::AnyWithX),
                other => Err(format!(
                    "Invalid x-match field value <<\"{other}\">>; expected all, any, all-with-x, or any-with-x"
                )),
            },
            Some(other) => Err(format!(
                "Invalid x-match field type {} (value {other}); expected longstr",
                other.kind()
            )),
        }
    }

    fn is_any(self) -> bool {
        matches!(self, Mode::Any | Mode::AnyWithX)
    }

    /// Whether an argument of that name is one of the pairs.
    pub fn counts(self, name: &str) -> bool {
        let with_x = matches!(self, Mode::AllWithX | Mode::AnyWithX);
        name != "x-match" && (with_x || !name.starts_with("x-"))
    }
}

/// Whether one pair of a binding finds its header: same value, or a void that asks only for existence.
pub fn pair_matches(wanted: &Field, header: Option<&Field>) -> bool {
    match (wanted, header) {
        (_, None) => false,
        (Field::Void, Some(_)) => true,
        (wanted, Some(header)) => wanted.same_value(header),
    }
}

/// Whether a binding with these arguments matches these headers.
pub fn matches(arguments: &Table, headers: &Table) -> bool {
    // A mode that is not known was refused when it was bound.
    let mode = Mode::of(arguments).unwrap_or(Mode::All);
    let mut pairs = arguments.iter().filter(|(name, _)| mode.counts(name));
    if mode.is_any() {
        pairs.any(|(name, wanted)| pair_matches(wanted, headers.get(name)))
    } else {
        pairs.all(|(name, wanted)| pair_matches(wanted, headers.get(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, Field)]) -> Table {
        Table::new(entries.iter().map(|(n, v)| ((*n).into(), v.clone())).collect())
    }

    fn mode(mode: &str) -> (&str, Field) {
        ("x-match", Field::Text(mode.into()))
    }

    #[test]
    fn all_without_pairs_matches_and_any_does_not() {
        assert!(matches(&table(&[]), &table(&[])));
        assert!(!matches(&table(&[mode("any")]), &table(&[("a", Field::Int(1))])));
    }

    #[test]
    fn names_with_x_count_only_when_asked_for() {
        let headers = table(&[("x-k", Field::Int(2))]);
        assert!(matches(&table(&[("x-k", Field::Int(1))]), &headers));
        assert!(!matches(
            &table(&[mode("all-with-x"), ("x-k", Field::Int(1))]),
            &headers
        ));
        assert!(matches(&table(&[mode("any-with-x"), ("x-k", Field::Int(2))]), &headers));
    }

    #[test]
    fn a_void_asks_for_existence() {
        let binding = table(&[("a", Field::Void)]);
        assert!(matches(&binding, &table(&[("a", Field::Int(7))])));
        assert!(matches(&binding, &table(&[("a", Field::Void)])));
        assert!(!matches(&binding, &table(&[("b", Field::Int(7))])));
    }

    #[test]
    fn a_mode_that_is_not_known_is_refused() {
        assert_eq!(
            Mode::of(&table(&[mode("some")])),
            Err("Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x".into())
        );
        assert_eq!(
            Mode::of(&table(&[("x-match", Field::Int(1))])),
            Err("Invalid x-match field type signedint (value 1); expected longstr".into())
        );
    }
}
