//! A command line split into words, with the quotes of a POSIX shell, and what stands between the words: pipes and files.

/// Splits a line into words: blanks part them, `'...'` and `"..."` hold them together, a backslash takes the next
/// character as it is (inside double quotes only `"`, `\`, `$` and `` ` ``). Nothing is expanded.
///
/// # Errors
/// A quote that is not closed or a backslash at the end, with its column from 1.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    Ok(lex(line)?.into_iter().map(|word| word.text).collect())
}

/// A word, and whether nothing of it was quoted.
struct Word {
    text: String,
    bare: bool,
}

/// One command of a line: what runs, and where its input comes from and its output goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub words: Vec<String>,
    /// `< FILE`
    pub input: Option<String>,
    /// `> FILE`; with `true`, `>> FILE`.
    pub output: Option<(String, bool)>,
}

/// What a line between pipes says.
///
/// # Errors
/// Quotes that are not closed, a file or command that is missing, and what this shell has not.
pub fn read(line: &str) -> Result<Vec<Stage>, String> {
    let mut stages = vec![Stage::default()];
    let mut words = lex(line)?.into_iter();
    while let Some(word) = words.next() {
        let last = stages.len() - 1;
        let stage = &mut stages[last];
        let sign = if word.bare { word.text.as_str() } else { "" };
        let (sign, file) = redirection(sign);
        let mut file = || match file.is_empty() {
            true => words
                .next()
                .map(|word| word.text)
                .ok_or(format!("no file stands behind {sign}")),
            false => Ok(file.to_string()),
        };
        match sign {
            "|" if stage.words.is_empty() => return Err("nothing stands before the |".into()),
            "|" => stages.push(Stage::default()),
            "<" => stage.input = Some(file()?),
            ">" | ">>" => stage.output = Some((file()?, sign == ">>")),
            "&&" | "||" | ";" | "2>" | "2>&1" | "<<" => {
                return Err(format!("{sign} is not here: one command a line, its output in the log"));
            }
            // A tool runs beside the others anyway.
            "&" if words.len() == 0 => {}
            _ => stage.words.push(word.text),
        }
    }
    match stages.last() {
        Some(stage) if stage.words.is_empty() => Err("there is no command in this line".into()),
        _ => Ok(stages),
    }
}

/// A sign that leads to a file, and the file if it is stuck to it.
fn redirection(word: &str) -> (&str, &str) {
    let signs = [">>", ">", "<"];
    let found = signs
        .into_iter()
        .find(|sign| word.starts_with(sign) && !word.starts_with("<<"));
    found.map_or((word, ""), |sign| word.split_at(sign.len()))
}

/// Words with whether they were quoted.
fn lex(line: &str) -> Result<Vec<Word>, String> {
    let mut words: Vec<Word> = Vec::new();
    let mut bare = true;
    let mut word: Option<String> = None;
    let mut chars = line.chars().enumerate();
    while let Some((at, c)) = chars.next() {
        bare &= !matches!(c, '\'' | '"' | '\\');
        match c {
            ' ' | '\t' | '\n' | '\r' => {
                words.extend(word.take().map(|text| Word { text, bare }));
                bare = true;
            }
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
    words.extend(word.map(|text| Word { text, bare }));
    Ok(words)
}

fn unclosed(quote: char, at: usize) -> String {
    format!("column {}: the quote {quote} is not closed", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_and_files_stand_between_words() {
        let stages = read("echo '{\"a\": 1}' '>' b > r.json").expect("it reads");
        assert_eq!(stages[0].words, ["echo", "{\"a\": 1}", ">", "b"]);
        assert_eq!(stages[0].output, Some(("r.json".into(), false)));
        let stages = read("cat <in >>out | tool --x null.literal=<null> &").expect("it reads");
        assert_eq!(stages[0].input.as_deref(), Some("in"));
        assert_eq!(stages[0].output, Some(("out".into(), true)));
        assert_eq!(stages[1].words, ["tool", "--x", "null.literal=<null>"]);
        for wrong in ["", "  ", "| a", "a |", "a >", "a && b", "a 2>&1", "a ; b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

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
