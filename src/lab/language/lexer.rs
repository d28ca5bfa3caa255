//! Cuts one line into words, quoted texts and `key=value` pairs, with their columns.

/// A word, a quoted text or a pair of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Of a pair: what stands before `=`.
    pub key: Option<String>,
    /// The word, the text without its quotes and escapes, or the pair's value.
    pub text: String,
    /// Whether the text (or the pair's value) stood in quotes.
    pub quoted: bool,
    pub span: Span,
    /// Of a pair: where its value stands; else the same as `span`.
    pub value_span: Span,
    /// Byte of the line at which it begins.
    pub byte: usize,
    /// A comma stood behind it (behind the quotes of a quoted text).
    pub comma: bool,
}

/// Characters of a line, from 0, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// The words of a line and its comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lexed {
    pub tokens: Vec<Token>,
    /// Byte of the line at which the comment's `#` stands, or the line's length.
    pub comment_byte: usize,
    pub comment: Option<String>,
}

/// Why a line can't be cut into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexError {
    pub span: Span,
    pub message: String,
    pub hint: &'static str,
}

struct Cursor<'a> {
    line: &'a str,
    byte: usize,
    column: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.line[self.byte..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.byte += c.len_utf8();
        self.column += 1;
        Some(c)
    }

    fn at_end_of_word(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }
}

/// Whether a word can be the key of a pair: not empty, and no operator such as `<=`.
fn is_key(word: &str) -> bool {
    !word.is_empty() && !word.ends_with(['<', '>', '!', '|', '='])
}

/// Cuts `line` into words. A `#` at the start of a word begins a comment; quotes may stand around a word or a value.
pub fn lex(line: &str) -> Result<Lexed, LexError> {
    let mut cursor = Cursor {
        line,
        byte: 0,
        column: 0,
    };
    let mut tokens = Vec::new();
    loop {
        match cursor.peek() {
            None => {
                return Ok(Lexed {
                    tokens,
                    comment_byte: line.len(),
                    comment: None,
                });
            }
            Some('#') => {
                let comment = Some(line[cursor.byte + 1..].trim_end().to_owned());
                return Ok(Lexed {
                    tokens,
                    comment_byte: cursor.byte,
                    comment,
                });
            }
            Some(c) if c.is_whitespace() => {
                cursor.next();
            }
            Some(_) => tokens.push(token(&mut cursor)?),
        }
    }
}

fn token(cursor: &mut Cursor<'_>) -> Result<Token, LexError> {
    let (start, byte) = (cursor.column, cursor.byte);
    let mut key = None;
    let mut text = String::new();
    let mut value_start = start;
    let mut quoted = false;
    let mut comma = false;
    if cursor.peek() == Some('"') {
        text = quote(cursor)?;
        (quoted, comma) = (true, behind_quote(cursor, start)?);
    }
    while !quoted && !cursor.at_end_of_word() {
        let Some(c) = cursor.next() else { break };
        if c == '=' && key.is_none() && is_key(&text) {
            key = Some(std::mem::take(&mut text));
            value_start = cursor.column;
            if cursor.peek() == Some('"') {
                text = quote(cursor)?;
                (quoted, comma) = (true, behind_quote(cursor, start)?);
            }
        } else {
            text.push(c);
        }
    }
    let end = cursor.column - usize::from(comma);
    let span = Span { start, end };
    Ok(Token {
        key,
        text,
        quoted,
        span,
        value_span: Span {
            start: value_start,
            end,
        },
        byte,
        comma,
    })
}

/// What follows a closing quote: nothing, or a comma of a list.
fn behind_quote(cursor: &mut Cursor<'_>, start: usize) -> Result<bool, LexError> {
    if cursor.at_end_of_word() {
        return Ok(false);
    }
    let comma = cursor.next() == Some(',');
    // `"300","500"`: the next quote begins the next word.
    if comma && (cursor.at_end_of_word() || cursor.peek() == Some('"')) {
        return Ok(true);
    }
    let span = Span {
        start,
        end: cursor.column,
    };
    Err(LexError {
        span,
        message: "a text ends at its closing quote".into(),
        hint: "a blank behind it; a quote inside is written \\\"",
    })
}

/// Reads a quoted text with its quotes.
fn quote(cursor: &mut Cursor<'_>) -> Result<String, LexError> {
    let start = cursor.column;
    cursor.next();
    let mut text = String::new();
    loop {
        let from = cursor.column;
        match cursor.next() {
            Some('"') => return Ok(text),
            Some('\\') => text.push(escape(cursor, from)?),
            Some(c) => text.push(c),
            None => {
                let span = Span {
                    start,
                    end: cursor.column,
                };
                return Err(LexError {
                    span,
                    message: "the closing quote is missing".into(),
                    hint: "\"",
                });
            }
        }
    }
}

/// Reads what stands behind a `\`.
fn escape(cursor: &mut Cursor<'_>, from: usize) -> Result<char, LexError> {
    let c = match cursor.next() {
        Some(c @ ('"' | '\\')) => Some(c),
        Some('n') => Some('\n'),
        Some('r') => Some('\r'),
        Some('t') => Some('\t'),
        Some('u') => code_point(cursor),
        _ => None,
    };
    let wrong = || LexError {
        span: Span {
            start: from,
            end: cursor.column,
        },
        message: "not an escape".into(),
        hint: "one of: \\\" \\\\ \\n \\r \\t \\u{1F600}",
    };
    c.ok_or_else(wrong)
}

/// Reads `{1F600}`.
fn code_point(cursor: &mut Cursor<'_>) -> Option<char> {
    let mut digits = String::new();
    if cursor.next() != Some('{') {
        return None;
    }
    loop {
        match cursor.next()? {
            '}' => return char::from_u32(u32::from_str_radix(&digits, 16).ok()?),
            c if c.is_ascii_hexdigit() && digits.len() < 6 => digits.push(c),
            _ => return None,
        }
    }
}

/// The text in quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text as a word if it can stand as one everywhere, else in quotes.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/:@*+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(line: &str) -> Vec<String> {
        lex(line)
            .unwrap()
            .tokens
            .into_iter()
            .map(|t| t.key.map_or(t.text.clone(), |k| format!("{k}={}", t.text)))
            .collect()
    }

    #[test]
    fn words_pairs_quotes_and_comments() {
        assert_eq!(
            texts("produce web t key=kim \"3 0\\\"0\" # why"),
            ["produce", "web", "t", "key=kim", "3 0\"0"]
        );
        assert_eq!(texts("expect hw t/0 <= 5"), ["expect", "hw", "t/0", "<=", "5"]);
        assert_eq!(texts("x = y"), ["x", "=", "y"]);
        assert_eq!(texts("log = \"a\", \"b\",\"c\""), ["log", "=", "a", "b", "c"]);
        assert_eq!(texts("bind a -> b key=#"), ["bind", "a", "->", "b", "key=#"]);
        assert_eq!(texts("header.a=b=c k=\"\""), ["header.a=b=c", "k="]);
        assert_eq!(lex("a #  hi  ").unwrap().comment.as_deref(), Some("  hi"));
    }

    #[test]
    fn columns_are_characters() {
        let lexed = lex("note \"죽음\" x=é").unwrap();
        assert_eq!(lexed.tokens[1].span, Span { start: 5, end: 9 });
        assert_eq!(lexed.tokens[2].span, Span { start: 10, end: 13 });
        assert_eq!(lexed.tokens[2].value_span, Span { start: 12, end: 13 });
    }

    #[test]
    fn bad_quotes_are_told() {
        assert!(lex("note \"open").is_err());
        assert!(lex("note \"a\"b").is_err());
        assert!(lex("note \"\\q\"").is_err());
        assert!(lex("note \"\\u{110000}\"").is_err());
        assert!(lex("note \"\\u{1f600}\"").is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_survives_its_quotes(text: String) {
            let line = format!("{} k={} {}", quoted(&text), word(&text), word(&text));
            let tokens = lex(&line).unwrap().tokens;
            prop_assert_eq!(tokens.len(), 3);
            prop_assert!(tokens.iter().all(|t| t.text == text));
            prop_assert!(!line.contains('\n'));
        }
    }
}
