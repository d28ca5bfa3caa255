//! Command lines with sub-commands, as argparse4j reads them: `kafka-transactions.sh`, `kafka-metadata-quorum.sh`.

use crate::ordered::OrderedMap;

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Text,
    Int,
    Long,
}

/// `--topic`: its name, what it takes, whether it must be there.
pub type Argument = (&'static str, Takes, bool);

/// A sub-command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    pub name: &'static str,
    pub arguments: &'static [Argument],
}

/// A tool with sub-commands.
#[derive(Clone, Copy, Debug)]
pub struct Grammar {
    /// As it calls itself.
    pub name: &'static str,
    /// What stands behind the name in its usage: `[-h] [-v] ...`.
    pub usage: &'static [&'static str],
    /// What stands before a sub-command in that one's usage.
    pub before_command: &'static [&'static str],
    /// Its own arguments.
    pub arguments: &'static [Argument],
    pub commands: &'static [Command],
}

/// A command line that was read.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    pub command: &'static str,
    values: OrderedMap<&'static str, String>,
}

impl Namespace {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

/// Columns of help and complaints.
const WIDTH: usize = 75;

impl Grammar {
    /// Reads a command line's words.
    ///
    /// # Errors
    /// The usage and the complaint, as the tool writes them.
    pub fn read(&self, words: &[String]) -> Result<Namespace, String> {
        let mut namespace = Namespace::default();
        let mut command: Option<&Command> = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (body, attached) = match word.split_once('=') {
                Some((body, value)) if word.starts_with("--") => (body, Some(value.to_string())),
                _ => (word.as_str(), None),
            };
            let Some(name) = body.strip_prefix("--") else {
                if command.is_some() || word.starts_with('-') {
                    return Err(self.complaint(command, &format!("unrecognized arguments: '{word}'")));
                }
                let Some(found) = self.commands.iter().find(|known| known.name == word) else {
                    return Err(self.complaint(None, &self.invalid_choice(word)));
                };
                command = Some(found);
                continue;
            };
            let known = command.map_or(self.arguments, |command| command.arguments);
            let Some((name, takes, _)) = known.iter().find(|(known, ..)| *known == name) else {
                return Err(self.complaint(command, &format!("unrecognized arguments: '{body}'")));
            };
            let value = match (takes, attached) {
                (Takes::Nothing, _) => String::new(),
                (_, Some(value)) => value,
                (_, None) => match words.next() {
                    Some(value) => value.clone(),
                    None => return Err(self.complaint(command, &format!("argument --{name}: expected one argument"))),
                },
            };
            if let Some(why) = unfit(*takes, &value) {
                return Err(self.complaint(command, &format!("argument --{name}: {why}")));
            }
            namespace.values.insert(name, value);
        }
        self.complete(command, namespace)
    }

    /// What must be there.
    fn complete(&self, command: Option<&Command>, mut namespace: Namespace) -> Result<Namespace, String> {
        let Some(command) = command else {
            return Err(self.complaint(None, "too few arguments"));
        };
        let missing = |arguments: &[Argument]| {
            let needed = arguments
                .iter()
                .find(|(name, _, needed)| *needed && !namespace.has(name));
            needed.map(|(name, ..)| format!("argument --{name} is required"))
        };
        if let Some(why) = missing(command.arguments) {
            return Err(self.complaint(Some(command), &why));
        }
        if let Some(why) = missing(self.arguments) {
            return Err(self.complaint(None, &why));
        }
        namespace.command = command.name;
        Ok(namespace)
    }

    fn invalid_choice(&self, word: &str) -> String {
        let names: Vec<String> = self
            .commands
            .iter()
            .map(|command| format!("'{}'", command.name))
            .collect();
        format!("invalid choice: '{word}' (choose from {})", names.join(", "))
    }

    /// The usage and what is wrong.
    fn complaint(&self, command: Option<&Command>, why: &str) -> String {
        let error = format!("{}: error: {why}", self.name);
        format!("{}\n{}\n", self.usage_of(command), justified(&error))
    }

    /// `usage: NAME ...`, as many words on a line as fit.
    pub fn usage_of(&self, command: Option<&Command>) -> String {
        let mut words: Vec<String> = Vec::new();
        match command {
            None => words.extend(self.usage.iter().map(ToString::to_string)),
            Some(command) => {
                words.extend(self.before_command.iter().map(ToString::to_string));
                words.push(command.name.into());
                words.push("[-h]".into());
                words.extend(command.arguments.iter().map(shown));
            }
        }
        let mut text = format!("usage: {}", self.name);
        let indent = text.len();
        let mut column = indent;
        for word in words {
            if column + 1 + word.len() > WIDTH {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
                column = indent;
            }
            text.push_str(&format!(" {word}"));
            column += 1 + word.len();
        }
        text
    }
}

/// `[--start-offset START_OFFSET]`
fn shown((name, takes, needed): &Argument) -> String {
    let value = match takes {
        Takes::Nothing => String::new(),
        _ => format!(" {}", name.replace('-', "_").to_uppercase()),
    };
    match needed {
        true => format!("--{name}{value}"),
        false => format!("[--{name}{value}]"),
    }
}

/// What is wrong with a value.
fn unfit(takes: Takes, value: &str) -> Option<String> {
    let (fits, kind) = match takes {
        Takes::Int => (value.parse::<i32>().is_ok(), "Integer"),
        Takes::Long => (value.parse::<i64>().is_ok(), "Long"),
        _ => (true, ""),
    };
    (!fits).then(|| format!("could not convert '{value}' to {kind} (For input string: \"{value}\")"))
}

/// A text in lines of that width; all but the last are filled with blanks between their words. [TextHelper.wrap]
fn justified(text: &str) -> String {
    let mut lines: Vec<Vec<&str>> = vec![Vec::new()];
    let mut width = 0;
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        let length = word.chars().count();
        // The blank behind a word counts when it is decided whether the word fits.
        let behind = usize::from(words.peek().is_some());
        if width + usize::from(width > 0) + length + behind > WIDTH {
            lines.push(Vec::new());
            width = 0;
        }
        width += usize::from(width > 0) + length;
        if let Some(line) = lines.last_mut() {
            line.push(word);
        }
    }
    let last = lines.len() - 1;
    let line = |(index, words): (usize, Vec<&str>)| if index < last { filled(&words) } else { words.join(" ") };
    lines.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// Gaps grow from the middle, as far as they cannot all be equal.
fn filled(words: &[&str]) -> String {
    let gaps = words.len().saturating_sub(1);
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    let blanks = WIDTH.saturating_sub(letters);
    let until = |gap: usize| match gap * 2 <= gaps {
        true => blanks * gap / gaps.max(1),
        false => (blanks * gap).div_ceil(gaps.max(1)),
    };
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(&" ".repeat(until(index) - until(index - 1)));
        }
        text.push_str(word);
    }
    text
}

/// Each cell as wide as the widest of its column, and a tab behind it. [ToolsUtils.prettyPrintTable]
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        longest.max(headers[column].chars().count())
    };
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        for (cell, width) in cells.zip(&widths) {
            text.push_str(&super::java::pad(cell, *width));
            text.push('\t');
        }
        text.push('\n');
    };
    line(&mut headers.iter().copied());
    rows.iter().for_each(|row| line(&mut row.iter().map(String::as_str)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_complaints_are_filled() {
        let text = "kafka-transactions.sh: error: invalid choice: 'nosuch' (choose from 'list', 'describe', \
                    'describe-producers', 'abort', 'find-hanging', 'forceTerminateTransaction')";
        let lines = [
            "kafka-transactions.sh:  error:  invalid   choice:   'nosuch'  (choose  from",
            "'list',   'describe',   'describe-producers',    'abort',   'find-hanging',",
            "'forceTerminateTransaction')",
        ];
        assert_eq!(justified(text), lines.join("\n"));
    }
}
