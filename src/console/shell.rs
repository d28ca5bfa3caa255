//! A command line split into words, with the quotes of a POSIX shell.

/// Splits a line into words: blanks part them, `'...'` and `"..."` hold them together, a backslash takes the next
/// character as it is (inside double quotes only `"`, `\`, `$` and `` ` ``). Nothing is expanded.
///
/// # Errors
/// A quote that is not closed or a backslash at the end, with its column from 1.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().enumerate();
    while let Some((at, c)) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some((_, '\'')) => break,
                        Some((_, c)) => word.push(c),
                        None => return Err(unclosed('\'', at)),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some((_, '"')) => break,
                        Some((_, '\\')) => match chars.next() {
                            Some((_, c)) => {
                                if !matches!(c, '"' | '\\' | '$' | '`') {
                                    word.push('\\');
                                }
                                word.push(c);
                            }
                            None => return Err(unclosed('"', at)),
                        },
                        Some((_, c)) => word.push(c),
                        None => return Err(unclosed('"', at)),
                    }
                }
            }
            '\\' => match chars.next() {
                Some((_, c)) => word.get_or_insert_default().push(c),
                None => return Err(format!("column {}: nothing follows the backslash", at + 1)),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn unclosed(quote: char, at: usize) -> String {
    format!("column {}: the quote {quote} is not closed", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        let words = |line| split(line).expect("it splits");
        assert_eq!(words("a  b\tc"), ["a", "b", "c"]);
        assert_eq!(words("a' -> 'b \"x y\" ''"), ["a -> b", "x y", ""]);
        assert_eq!(words(r#""a\"b\n" c\ d"#), [r#"a"b\n"#, "c d"]);
        assert_eq!(split("a 'b").expect_err("open"), "column 3: the quote ' is not closed");
        assert!(split("a \\").is_err());
    }
}
