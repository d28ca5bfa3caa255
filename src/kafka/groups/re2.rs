//! Patterns of server-side subscriptions: RE2/J. What it refuses, with its words; what it takes matches as a Java pattern
//! of the same text does. [com.google.re2j.Pattern]

use crate::kafka::client::consumer::pattern::Pattern;

/// Repetition counts above this are refused. [Parser.RUNE_MAX_REPEAT]
const MOST_REPEATS: usize = 1_000;

const MISSING_PAREN: &str = "missing closing )";
const MISSING_BRACKET: &str = "missing closing ]";
const MISSING_ARGUMENT: &str = "missing argument to repetition operator";
const NESTED: &str = "invalid nested repetition operator";
const REPEAT_SIZE: &str = "invalid repeat count";
const PERL: &str = "invalid or unsupported Perl syntax";
const ESCAPE: &str = "invalid escape sequence";
const BACKSLASH: &str = "trailing backslash at end of expression";
const RANGE: &str = "invalid character class range";
const UNDERFLOW: &str = "regexp/syntax: internal error";

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Regex(Pattern);

impl Regex {
    /// # Errors
    /// RE2/J's description of what is wrong; or what of its patterns is not modelled.
    pub fn new(text: &str) -> Result<Regex, String> {
        let chars: Vec<char> = text.chars().collect();
        check(&chars).map_err(str::to_string)?;
        Pattern::new(&literal_braces(&chars)).map(Regex)
    }

    /// Does the whole text match?
    pub fn matches(&self, text: &str) -> bool {
        self.0.matches(text)
    }
}

/// Where a class that begins at `[` ends; its `]`.
fn class_end(chars: &[char], from: usize) -> Result<usize, &'static str> {
    let mut at = from + 1;
    if chars.get(at) == Some(&'^') {
        at += 1;
    }
    let mut first = true;
    let mut last: Option<char> = None;
    while let Some(c) = chars.get(at) {
        match c {
            ']' if !first => return Ok(at),
            '\\' => {
                at += 1;
                last = Some(*chars.get(at).ok_or(BACKSLASH)?);
            }
            '-' if !first && last.is_some() && !matches!(chars.get(at + 1), None | Some(']')) => {
                let end = chars.get(at + 1).copied().unwrap_or_default();
                if end != '\\' && last.is_some_and(|start| start > end) {
                    return Err(RANGE);
                }
                at += 1;
                last = None;
            }
            c => last = Some(*c),
        }
        first = false;
        at += 1;
    }
    Err(MISSING_BRACKET)
}

/// `{2}`, `{2,}` or `{2,3}` from `{` on: where it ends, and its counts. Anything else is literal text.
fn counts(chars: &[char], from: usize) -> Option<(usize, usize, Option<usize>)> {
    let end = from + chars[from..].iter().position(|c| *c == '}')?;
    let inside: String = chars[from + 1..end].iter().collect();
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let (low, high) = match inside.split_once(',') {
        None => {
            let count = number(&inside)?;
            (count, Some(count))
        }
        Some((low, "")) => (number(low)?, None),
        Some((low, high)) => (number(low)?, Some(number(high)?)),
    };
    Some((end, low, high))
}

fn check(chars: &[char]) -> Result<(), &'static str> {
    let (mut at, mut depth) = (0, 0);
    // What a repetition would be of, and whether it is a repetition itself.
    let (mut operand, mut repeated) = (false, false);
    while let Some(c) = chars.get(at) {
        let repeats = match c {
            '{' => counts(chars, at),
            _ => None,
        };
        match (c, repeats) {
            ('(', _) => {
                if chars.get(at + 1) == Some(&'?') {
                    at = group_flags(chars, at + 2)?;
                }
                depth += 1;
                (operand, repeated) = (false, false);
            }
            (')', _) => {
                if depth == 0 {
                    return Err(UNDERFLOW);
                }
                depth -= 1;
                (operand, repeated) = (true, false);
            }
            ('|', _) => (operand, repeated) = (false, false),
            ('*' | '+' | '?', _) | ('{', Some(_)) => {
                if !operand {
                    return Err(MISSING_ARGUMENT);
                }
                if let Some((end, low, high)) = repeats {
                    if low > MOST_REPEATS || high.is_some_and(|high| high > MOST_REPEATS || high < low) {
                        return Err(REPEAT_SIZE);
                    }
                    at = end;
                }
                if repeated {
                    return Err(NESTED);
                }
                if chars.get(at + 1) == Some(&'?') {
                    at += 1;
                }
                repeated = true;
            }
            ('[', _) => {
                at = class_end(chars, at)?;
                (operand, repeated) = (true, false);
            }
            ('\\', _) => {
                at += 1;
                let escaped = *chars.get(at).ok_or(BACKSLASH)?;
                let known = !escaped.is_alphanumeric() || "AbBCdDsSwWzQEaftnrvxpP01234567".contains(escaped);
                if !known {
                    return Err(ESCAPE);
                }
                (operand, repeated) = (true, false);
            }
            _ => (operand, repeated) = (true, false),
        }
        at += 1;
    }
    if depth > 0 { Err(MISSING_PAREN) } else { Ok(()) }
}

/// Behind `(?`: the place of the last character of what opens the group.
fn group_flags(chars: &[char], from: usize) -> Result<usize, &'static str> {
    match chars.get(from) {
        None => Err(PERL),
        Some(':') => Ok(from),
        Some('P') => Ok(from),
        Some(c) if "imsU-".contains(*c) => Ok(from),
        Some(_) => Err(PERL),
    }
}

/// The text for a Java pattern: braces that are no repetition are literal there too.
fn literal_braces(chars: &[char]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => {
                out.push('\\');
                at += 1;
                out.extend(chars.get(at));
            }
            '{' if counts(chars, at).is_none() => out.push_str("\\{"),
            '}' => {
                let of_counts = chars[..at].iter().rposition(|c| *c == '{');
                let closes = of_counts.is_some_and(|from| counts(chars, from).is_some_and(|(end, ..)| end == at));
                out.push_str(if closes { "}" } else { "\\}" });
            }
            c => out.push(*c),
        }
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_its_words() {
        let rows = [
            ("k-rx-(", MISSING_PAREN),
            ("((", MISSING_PAREN),
            ("[a", MISSING_BRACKET),
            ("*a", MISSING_ARGUMENT),
            ("a**", NESTED),
            ("a{1001}", REPEAT_SIZE),
            ("a{3,2}", REPEAT_SIZE),
            ("a\\", BACKSLASH),
            ("(?=a)", PERL),
            ("[z-a]", RANGE),
            ("\\y", ESCAPE),
        ];
        for (text, what) in rows {
            assert_eq!(Regex::new(text).err().as_deref(), Some(what), "{text}");
        }
    }

    #[test]
    fn whole_names_match() {
        let regex = Regex::new("k-rx-.*").expect("valid");
        assert!(regex.matches("k-rx-a"));
        assert!(!regex.matches("k-rxb"));
        assert!(Regex::new("a{b").expect("valid").matches("a{b"));
        assert!(Regex::new("a{2}").expect("valid").matches("aa"));
    }
}
