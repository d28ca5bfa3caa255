//! Durations, sizes and paths as the model writes them.

/// Go's spelling of a duration (`1m30s`, `1.5h`) in nanoseconds.
///
/// # Errors
/// Go's own words.
pub fn nanoseconds(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && part.is_empty()) || part.contains('.') {
            return Err(invalid());
        }
        let length = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(length);
        let scale: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "w" => 604_800_000_000_000,
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            _ => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
        };
        let add = scaled(whole, part, scale).and_then(|add| total.checked_add(add));
        total = add.ok_or_else(invalid)?;
        rest = next;
    }
    Ok(if negative { -total } else { total })
}

/// `WHOLE.PART` times a unit, rounded down.
fn scaled(whole: &str, part: &str, unit: i64) -> Option<i64> {
    let number = |digits: &str| {
        if digits.is_empty() {
            Some(0)
        } else {
            digits.parse::<i64>().ok()
        }
    };
    let mut total = number(whole)?.checked_mul(unit)?;
    let mut worth = i128::from(unit) * 1_000_000_000_000;
    let mut fraction: i128 = 0;
    for digit in part.bytes().take(12) {
        worth /= 10;
        fraction += worth * i128::from(digit.checked_sub(b'0')?);
    }
    total = total.checked_add(i64::try_from(fraction / 1_000_000_000_000).ok()?)?;
    Some(total)
}

/// A duration as Go prints it: `1m30s`, `1.5s`, `500ms`, `0s`.
pub fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let ns = nanoseconds.unsigned_abs();
    let fraction = |ns: u64, unit: u64| {
        let part = format!("{:0width$}", ns % unit, width = unit.ilog10() as usize);
        let part = part.trim_end_matches('0');
        if part.is_empty() {
            String::new()
        } else {
            format!(".{part}")
        }
    };
    let small = match ns {
        0 => return "0s".into(),
        1..1_000 => format!("{ns}ns"),
        1_000..1_000_000 => format!("{}{}µs", ns / 1_000, fraction(ns, 1_000)),
        1_000_000..1_000_000_000 => format!("{}{}ms", ns / 1_000_000, fraction(ns, 1_000_000)),
        _ => {
            let seconds = ns / 1_000_000_000;
            let rest = format!("{}{}s", seconds % 60, fraction(ns, 1_000_000_000));
            match (seconds / 3_600, seconds / 60 % 60) {
                (0, 0) => rest,
                (0, minutes) => format!("{minutes}m{rest}"),
                (hours, minutes) => format!("{hours}h{minutes}m{rest}"),
            }
        }
    };
    format!("{sign}{small}")
}

/// A size with a unit (`512m`, `1.5g`, `64MiB`) in bytes.
///
/// # Errors
/// The loader's own words.
pub fn bytes(text: &str) -> Result<i64, String> {
    let invalid = || format!("invalid size: '{text}'");
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let unit = unit.trim_start().to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(invalid()),
    };
    if whole.is_empty() && part.is_empty() {
        return Err(invalid());
    }
    scaled(whole, part, 1024_i64.pow(power)).ok_or_else(invalid)
}

/// A path without `.`, `..` and doubled slashes.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

/// Words of a command line, as a shell would split them.
///
/// # Errors
/// A quote that is not closed.
pub fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' | '"' => {
                let into = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        None => return Err("invalid command line string".into()),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => into.extend(chars.next()),
                        Some(inside) => into.push(inside),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        for (text, printed) in [
            ("5s", "5s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5s", "1.5s"),
            ("100ms", "100ms"),
            ("0", "0s"),
            ("250us", "250µs"),
        ] {
            assert_eq!(nanoseconds(text).map(duration), Ok(printed.into()), "{text}");
        }
        assert_eq!(nanoseconds("x"), Err("time: invalid duration \"x\"".into()));
        assert_eq!(nanoseconds("5"), Err("time: missing unit in duration \"5\"".into()));
        assert!(nanoseconds("99999999999999h").is_err());
    }

    #[test]
    fn sizes_and_paths_and_words() {
        assert_eq!(bytes("512m"), Ok(536_870_912));
        assert_eq!(bytes("1.5g"), Ok(1_610_612_736));
        assert_eq!(bytes("64MiB"), Ok(67_108_864));
        assert!(bytes("much").is_err());
        assert_eq!(clean("/a/./b//../c/"), "/a/c");
        assert_eq!(clean("./a/../.."), "..");
        let words = split_words("run 'a b' c\\ d \"\"").expect("it is closed");
        assert_eq!(words, ["run", "a b", "c d", ""]);
        assert!(split_words("a 'b").is_err());
    }
}
