//! The `expiration` property: milliseconds as a decimal text.

/// The longest time that is accepted, in milliseconds: ten years (`rabbit_misc:check_expiry/1`).
pub const MAX_MS: i64 = 315_360_000_000;

/// Reads an expiration.
///
/// # Errors
/// The reason as the server's error text has it (`rabbit_basic:parse_expiration/1`).
pub fn parse(text: &str) -> Result<u64, String> {
    let digits_from = usize::from(text.starts_with(['-', '+']));
    let digits = text[digits_from..].bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err("no_integer".into());
    }
    let (number, rest) = text.split_at(digits_from + digits);
    if !rest.is_empty() {
        return Err(format!("{{leftover_string,\"{rest}\"}}"));
    }
    let shown = number.trim_start_matches('+');
    match shown.parse::<i64>() {
        Ok(n) if n < 0 => Err(format!("{{value_negative,{n}}}")),
        Ok(n) if n <= MAX_MS => Ok(n as u64),
        _ if shown.starts_with('-') => Err(format!("{{value_negative,{shown}}}")),
        _ => Err(format!("{{value_too_large,{shown}}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_whole_milliseconds_pass() {
        assert_eq!(parse("0"), Ok(0));
        assert_eq!(parse("315360000000"), Ok(315_360_000_000));
        for (text, why) in [
            ("", "no_integer"),
            (" 5", "no_integer"),
            ("abc", "no_integer"),
            ("-1", "{value_negative,-1}"),
            ("1.5", "{leftover_string,\".5\"}"),
            ("315360000001", "{value_too_large,315360000001}"),
            ("99999999999999", "{value_too_large,99999999999999}"),
        ] {
            assert_eq!(parse(text), Err(why.into()));
        }
    }
}
