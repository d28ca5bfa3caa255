//! Scalars: plain, quoted, literal and folded.

use super::scan::Scan;
use super::{Broken, Mark};

const TAB: &str = "found a tab character that violates indentation";

/// A plain scalar that may go on over lines indented by more than `indent`.
pub(super) fn plain(scan: &mut Scan, indent: i64, flow: bool) -> Result<String, Broken> {
    let start = scan.mark();
    let mut text = String::new();
    loop {
        let mut blanks = String::new();
        while let Some(c) = scan.peek() {
            let ends = match c {
                '\n' => true,
                ':' => scan.blank_at(1) || (flow && matches!(scan.ahead(1), Some(',' | '[' | ']' | '{' | '}'))),
                '#' => !blanks.is_empty(),
                ',' | '[' | ']' | '{' | '}' => flow,
                _ => false,
            };
            if ends {
                break;
            }
            scan.next();
            if matches!(c, ' ' | '\t') {
                blanks.push(c);
            } else {
                text.push_str(&blanks);
                blanks.clear();
                text.push(c);
            }
        }
        if scan.peek() != Some('\n') {
            return Ok(text);
        }
        let end = scan.place();
        let breaks = skip_breaks(scan);
        if !flow && scan.peek() == Some('\t') && i64::from(scan.col) <= indent {
            return Err(scan.broken("while scanning a plain scalar", start, Some(scan.mark()), TAB));
        }
        scan.skip_spaces();
        let goes_on = scan.peek().is_some_and(|c| c != '#' && c != '\n')
            && (flow || i64::from(scan.col) > indent)
            && !scan.document_mark()
            && !(flow && matches!(scan.peek(), Some(',' | '[' | ']' | '{' | '}')))
            && !scan.indicator(':');
        if !goes_on {
            scan.back_to(end);
            return Ok(text);
        }
        push_breaks(&mut text, breaks);
    }
}

/// Line breaks and the spaces that indent what follows; the number of breaks.
fn skip_breaks(scan: &mut Scan) -> u32 {
    let mut breaks = 0;
    loop {
        match scan.peek() {
            Some('\n') => {
                breaks += 1;
                scan.next();
            }
            Some(' ') => {
                scan.next();
            }
            _ => return breaks,
        }
    }
}

/// One break folds to a space, more stay as one less.
fn push_breaks(text: &mut String, breaks: u32) {
    if breaks == 1 {
        text.push(' ');
    }
    for _ in 1..breaks {
        text.push('\n');
    }
}

/// A quoted scalar; the cursor stands on the quote.
pub(super) fn quoted(scan: &mut Scan) -> Result<String, Broken> {
    const CONTEXT: &str = "while scanning a quoted scalar";
    let start = scan.mark();
    let quote = scan.next();
    let mut text = String::new();
    let mut blanks = String::new();
    loop {
        let at = scan.mark();
        if scan.document_mark() {
            return Err(scan.broken(CONTEXT, start, Some(at), "found unexpected document indicator"));
        }
        let Some(c) = scan.next() else {
            return Err(scan.broken(CONTEXT, start, Some(at), "found unexpected end of stream"));
        };
        match c {
            ' ' | '\t' => blanks.push(c),
            '\n' => {
                blanks.clear();
                let breaks = 1 + skip_breaks(scan);
                scan.skip_spaces();
                push_breaks(&mut text, breaks);
            }
            _ => {
                text.push_str(&blanks);
                blanks.clear();
                if c == '\'' && quote == Some('\'') {
                    if scan.peek() != Some('\'') {
                        return Ok(text);
                    }
                    scan.next();
                    text.push('\'');
                } else if c == '"' && quote == Some('"') {
                    return Ok(text);
                } else if c == '\\' && quote == Some('"') {
                    escape(scan, &mut text, start, at)?;
                } else {
                    text.push(c);
                }
            }
        }
    }
}

/// What follows a backslash.
fn escape(scan: &mut Scan, text: &mut String, start: Mark, at: Mark) -> Result<(), Broken> {
    let problem = |scan: &Scan, what: &str| scan.broken("while scanning a quoted scalar", start, Some(at), what);
    let Some(c) = scan.next() else {
        return Err(problem(scan, "found unknown escape character"));
    };
    let length = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' => {
            skip_breaks(scan);
            scan.skip_spaces();
            return Ok(());
        }
        _ => {
            let plain = match c {
                '0' => '\0',
                'a' => '\u{7}',
                'b' => '\u{8}',
                't' | '\t' => '\t',
                'n' => '\n',
                'v' => '\u{b}',
                'f' => '\u{c}',
                'r' => '\r',
                'e' => '\u{1b}',
                ' ' | '"' | '/' | '\\' | '\'' => c,
                'N' => '\u{85}',
                '_' => '\u{a0}',
                'L' => '\u{2028}',
                'P' => '\u{2029}',
                _ => return Err(problem(scan, "found unknown escape character")),
            };
            text.push(plain);
            return Ok(());
        }
    };
    let mut code = 0_u32;
    for _ in 0..length {
        let digit = scan.next().and_then(|digit| digit.to_digit(16));
        let Some(digit) = digit else {
            return Err(problem(scan, "did not find expected hexdecimal number"));
        };
        code = code.wrapping_mul(16).wrapping_add(digit);
    }
    let Some(decoded) = char::from_u32(code) else {
        return Err(problem(scan, "found invalid Unicode character escape code"));
    };
    text.push(decoded);
    Ok(())
}

/// A literal (`|`) or folded (`>`) scalar inside something indented by `indent`.
pub(super) fn block(scan: &mut Scan, indent: i64) -> Result<String, Broken> {
    const CONTEXT: &str = "while scanning a block scalar";
    let start = scan.mark();
    let folded = scan.next() == Some('>');
    let (mut keep, mut given) = (None, None);
    while let Some(c) = scan.peek() {
        match c {
            '+' | '-' if keep.is_none() => keep = Some(c),
            '0' => {
                let what = "found an indentation indicator equal to 0";
                return Err(scan.broken(CONTEXT, start, Some(scan.mark()), what));
            }
            '1'..='9' if given.is_none() => given = c.to_digit(10),
            _ => break,
        }
        scan.next();
    }
    if !scan.line_is_over() {
        let what = "did not find expected comment or line break";
        scan.skip_spaces();
        return Err(scan.broken(CONTEXT, start, Some(scan.mark()), what));
    }
    scan.skip_line();
    scan.next();
    let mut width = given.map(|given| (indent.max(0) + i64::from(given)) as u32);
    let mut lines: Vec<String> = Vec::new();
    loop {
        let line_start = scan.place();
        while scan.peek() == Some(' ') && width.is_none_or(|width| scan.col < width) {
            scan.next();
        }
        match scan.peek() {
            None => break,
            Some('\n') => {
                scan.next();
                lines.push(String::new());
                continue;
            }
            Some('\t') if width.is_none() => return Err(scan.broken(CONTEXT, start, Some(scan.mark()), TAB_BLOCK)),
            Some(_) => {}
        }
        let wanted = *width.get_or_insert(scan.col.max((indent + 1).max(1) as u32));
        if scan.col < wanted || scan.document_mark() {
            scan.back_to(line_start);
            break;
        }
        let mut line = String::new();
        while let Some(c) = scan.peek().filter(|c| *c != '\n') {
            line.push(c);
            scan.next();
        }
        lines.push(line);
        if scan.next().is_none() {
            break;
        }
    }
    Ok(join(&lines, folded, keep))
}

const TAB_BLOCK: &str = "found a tab character where an indentation space is expected";

fn join(lines: &[String], folded: bool, keep: Option<char>) -> String {
    let full = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    let mut text = String::new();
    for (index, line) in lines[..full].iter().enumerate() {
        text.push_str(line);
        let next = lines[..full].get(index + 1);
        let indented = |line: &String| line.starts_with([' ', '\t']);
        match next {
            None => {}
            Some(next) if folded && !line.is_empty() && !indented(line) && !indented(next) => {
                // A single break between lines is a space; blank lines after it carry the breaks.
                if !next.is_empty() {
                    text.push(' ');
                } else if lines[index + 1..full]
                    .iter()
                    .find(|line| !line.is_empty())
                    .is_some_and(indented)
                {
                    text.push('\n');
                }
            }
            Some(_) => text.push('\n'),
        }
    }
    if keep != Some('-') && full > 0 {
        text.push('\n');
    }
    if keep == Some('+') {
        for _ in full..lines.len() {
            text.push('\n');
        }
    }
    text
}
