//! What a run is opened with: it reads a `$` line and starts what the line names.

use super::desk::Setting;
use super::job::Job;
use super::shell::{self, Stage};
use super::tools;
use crate::lab::apply::Refusal;
use crate::lab::language::ast::{Command, Key};
use crate::lab::language::print_command;
use crate::lab::run::Run;
use crate::lab::tools::{Files, Heard, Running, Typed};
use crate::lab::world::World;

/// A run whose `$` lines run.
pub fn open(text: &str) -> Run {
    Run::with_shell(text, start)
}

/// A line as the language has it: a tool that is typed directly gets its `$`, and what stands behind `>` is typed into
/// the tool that runs.
pub fn as_line(typed: &str) -> String {
    let line = typed.trim();
    if let Some(text) = line.strip_prefix('>') {
        let text = text.strip_prefix(' ').unwrap_or(text).into();
        return print_command(&Command::Type { host: None, text }).0;
    }
    let first = line.split_whitespace().next().unwrap_or_default();
    match tools::is_known(first) || BUILTINS.contains(&first) {
        true => format!("$ {line}"),
        false => line.to_string(),
    }
}

/// The lines of a text that was pasted; a backslash at the end of a line goes on in the next.
pub fn pasted(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begun = String::new();
    for line in text.lines().map(str::trim) {
        match line.strip_suffix('\\') {
            Some(part) => begun.push_str(&format!("{} ", part.trim_end())),
            None => lines.push(std::mem::take(&mut begun) + line),
        }
    }
    lines.push(begun);
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// The shell's own commands.
const BUILTINS: [&str; 3] = ["echo", "printf", "cat"];

/// Starts a command line: `echo`, `printf` and `cat` write a file or into a tool, and the last command may be a tool.
///
/// # Errors
/// The line cannot be read, or names nothing that is here.
pub fn start(typed: Typed<'_>, world: &mut World) -> Result<Box<dyn Running>, Refusal> {
    let mut stages = shell::read(typed.line)?;
    let last = stages.pop().ok_or("there is no command in this line")?;
    let mut input = None;
    for stage in &stages {
        let text = builtin(stage, input.take(), &world.tools.files(typed.host))?;
        input =
            Some(text.ok_or_else(|| format!("only echo, printf and cat write into a pipe, not {}", stage.words[0]))?);
    }
    let files = world.tools.files(typed.host);
    if let Some(text) = builtin(&last, input.clone(), &files)? {
        let shown = keep(&last, text, &typed, world);
        return Ok(Box::new(Ended { text: shown }));
    }
    let mut words = last.words.into_iter();
    let name = words.next().unwrap_or_default();
    let tool = tools::find(&name).ok_or_else(|| tools::unknown(&name))?;
    if last.output.is_some() {
        return Err(format!(
            "{name} writes into the log; only echo, printf and cat write files here"
        ));
    }
    let input = match last.input {
        Some(file) => Some(contents(&files, &file)?),
        None => input,
    };
    let setting = Setting {
        files,
        tty: input.is_none(),
        typed: input.is_none(),
        stdin: input.unwrap_or_default(),
    };
    Ok(Box::new(Job::start(tool, words.collect(), &typed, setting, world)))
}

/// Writes what a command wrote into the file that its line names; what is left for the log.
fn keep(stage: &Stage, text: String, typed: &Typed<'_>, world: &mut World) -> String {
    let Some((file, append)) = &stage.output else {
        return text;
    };
    let before = world.tools.files(typed.host).get(&**file).cloned();
    let before = before.filter(|_| *append);
    let whole = format!("{}{text}", before.as_deref().unwrap_or_default());
    world.tools.write_file(typed.host, file, &whole);
    String::new()
}

fn contents(files: &Files, name: &str) -> Result<String, Refusal> {
    match files.get(name) {
        Some(text) => Ok(text.to_string()),
        None => Err(format!("{name}: No such file or directory")),
    }
}

/// What one of the shell's own commands writes; `None`: it is none.
fn builtin(stage: &Stage, input: Option<String>, files: &Files) -> Result<Option<String>, Refusal> {
    let (name, words) = match stage.words.split_first() {
        Some((name, words)) => (name.as_str(), words),
        None => return Err("there is no command in this line".into()),
    };
    let text = match name {
        "echo" => match words.split_first() {
            Some((flag, rest)) if flag == "-n" => rest.join(" "),
            Some((flag, rest)) if flag == "-e" => format!("{}\n", escapes(&rest.join(" "))),
            _ => format!("{}\n", words.join(" ")),
        },
        "printf" => match words {
            [format] => escapes(format),
            _ => return Err("printf takes one text here, as in: printf 'a\\nb\\n'".into()),
        },
        "cat" if words.is_empty() => match &stage.input {
            Some(file) => contents(files, file)?,
            None => input.unwrap_or_default(),
        },
        "cat" => {
            let each: Result<Vec<String>, Refusal> = words.iter().map(|name| contents(files, name)).collect();
            each?.concat()
        }
        _ => return Ok(None),
    };
    Ok(Some(text))
}

/// `\n` and `\t` as a line's end and a tab.
fn escapes(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t")
}

/// A command that was over at once.
#[derive(Clone)]
struct Ended {
    text: String,
}

impl Running for Ended {
    fn look(&mut self, _: &mut World) {}

    fn hear(&mut self, _: &Heard) {}

    fn press(&mut self, _: Key, _: &mut World) {}

    fn type_line(&mut self, _: &str, _: &mut World) {}

    fn take_written(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn exit(&self) -> Option<i32> {
        Some(0)
    }

    fn copy(&self) -> Box<dyn Running> {
        Box::new(self.clone())
    }
}
