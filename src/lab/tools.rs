//! Tools' command lines in a run: which were typed where, what they have written, and whether they still run.
//!
//! What a tool does stands one floor up, in `src/console`; who opens a run hands its [`Shell`] in. To the lab a running
//! tool is [`Running`]: it goes on whenever one of its clients' calls has returned, writes text, hears keys, and ends with
//! a status. A clone of the world holds clones of its jobs, so that a snapshot has them too.

use super::apply::Refusal;
use super::language::ast::{Key, Name};
use super::world::{Role, World};
use crate::kafka::client::log::{Level, LogLine};
use crate::ordered::OrderedMap;
use crate::sim::ProcId;
use crate::sim::world::WALL_START_MS;
use std::rc::Rc;

/// The machine outside, where a line that names no host runs.
pub const LAPTOP: &str = "laptop";

/// What is kept of one tool's output, in bytes.
const OUTPUT_BYTES: usize = 256 * 1024;

/// Command lines that one run keeps.
const LINES: usize = 2_000;

/// A command line as it was typed.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// The host that it runs on.
    pub host: &'a str,
    pub line: &'a str,
    /// Parts the names and draws of command lines.
    pub number: u64,
}

/// Begins a command line: what runs then.
///
/// # Errors
/// The line cannot be read, or names nothing that can be run.
pub type Shell = fn(Typed<'_>, &mut World) -> Result<Box<dyn Running>, Refusal>;

/// A tool that runs. It is a trait because its one implementor stands on a higher floor, which this one cannot name.
pub trait Running {
    /// Goes on as far as the answers lead that have come since.
    fn look(&mut self, world: &mut World);

    /// A log line of a client, which may be one of its own.
    fn hear(&mut self, heard: &Heard);

    /// A key that ends something.
    fn press(&mut self, key: Key, world: &mut World);

    /// A line typed into its standard input.
    fn type_line(&mut self, text: &str, world: &mut World);

    /// Takes what it has written since this was called last, as a terminal shows it.
    fn take_written(&mut self) -> String;

    /// Its exit status, once it has ended.
    fn exit(&self) -> Option<i32>;

    /// A copy for a snapshot.
    fn copy(&self) -> Box<dyn Running>;
}

impl Clone for Box<dyn Running> {
    fn clone(&self) -> Self {
        self.copy()
    }
}

/// One command line of the run.
#[derive(Clone)]
pub struct Line {
    /// The host that it was typed in; `None`: the laptop.
    pub host: Option<Name>,
    pub text: Name,
    /// When it was typed, by the scenario's clock, in microseconds.
    pub at_us: u64,
    /// While it runs.
    job: Option<Box<dyn Running>>,
    output: Rc<String>,
    /// Behind the last whole line that was told.
    told: usize,
    pub exit: Option<i32>,
}

impl Line {
    /// All that it has written, as a terminal shows it.
    pub fn output(&self) -> &str {
        &self.output
    }

    pub fn is_running(&self) -> bool {
        self.job.is_some()
    }

    fn runs_in(&self, host: Option<&Name>) -> bool {
        self.job.is_some() && host.is_none_or(|host| self.host.as_ref() == Some(host))
    }
}

/// A line of output, or how a tool ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    pub who: Name,
    pub text: Rc<str>,
}

/// Files of one host, by name.
pub type Files = OrderedMap<Name, Rc<str>>;

/// All command lines of a world, and what they have in common.
#[derive(Clone, Default)]
pub struct Tools {
    /// `None`: nobody handed one in.
    pub shell: Option<Shell>,
    lines: Rc<Vec<Line>>,
    files: Rc<OrderedMap<Name, Files>>,
    running: usize,
    /// Something came that a running tool may wait for.
    due: bool,
    /// Log lines of clients that no tool has been told of yet.
    heard: Vec<Heard>,
    /// What was printed during the last event.
    pub printed: Vec<Printed>,
}

/// A log line of a client outside.
#[derive(Clone)]
pub struct Heard {
    pub who: ProcId,
    pub line: LogLine,
    /// The wall clock, milliseconds since 1970.
    pub wall_ms: i64,
}

impl Tools {
    /// The command lines in the order in which they were typed.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The newest command line.
    pub fn last(&self) -> Option<&Line> {
        self.lines.last()
    }

    /// Whether a tool runs; in this host, if one is named.
    pub fn is_running(&self, host: Option<&Name>) -> bool {
        self.lines.iter().any(|line| line.runs_in(host))
    }

    /// The files in a host's working folder.
    pub fn files(&self, host: &str) -> Files {
        self.files.get(host).cloned().unwrap_or_default()
    }

    /// Writes a file in a host's working folder.
    pub fn write_file(&mut self, host: &str, name: &str, text: &str) {
        let files = Rc::make_mut(&mut self.files).entry(host.into()).or_default();
        files.insert(name.into(), text.into());
    }

    /// A call that somebody waits for has returned.
    pub(super) fn wake(&mut self) {
        self.due = self.running > 0;
    }
}

impl World {
    /// Begins a command line; in a host, if one is named.
    pub(in crate::lab) fn apply_tool(&mut self, host: Option<&Name>, text: &Name) -> Result<(), Refusal> {
        let shell = self.tools.shell.ok_or("this run has no console")?;
        if self.tools.lines.len() >= LINES {
            return Err(format!("more than {LINES} command lines in one run"));
        }
        let place = match host {
            Some(name) => self.inside(name)?,
            None => LAPTOP.into(),
        };
        let typed = Typed {
            host: &place,
            line: text,
            number: self.tools.lines.len() as u64 + 1,
        };
        self.tools.running += 1;
        let job = shell(typed, self).inspect_err(|_| self.tools.running -= 1)?;
        let at_us = self.now_us();
        Rc::make_mut(&mut self.tools.lines).push(Line {
            host: host.cloned(),
            text: text.clone(),
            at_us,
            job: Some(job),
            output: Rc::default(),
            told: 0,
            exit: None,
        });
        self.tools.due = true;
        self.look_at_tools();
        Ok(())
    }

    /// The host that a process stands on, if it runs, or the host of that name.
    fn inside(&self, name: &Name) -> Result<Name, Refusal> {
        if let Some(process) = self.find(name).filter(|id| !self.runs(*id)) {
            return Err(format!("`{}` does not run: nothing runs inside it", self.name(process)));
        }
        let host = self.host_named(name)?;
        Ok(self.sim.network().host(host).name.clone())
    }

    /// Hands something to the newest tool that runs; in this host, if one is named.
    fn hand_to_tool(
        &mut self,
        host: Option<&Name>,
        act: impl FnOnce(&mut dyn Running, &mut World),
    ) -> Result<(), Refusal> {
        let found = self.tools.lines.iter().rposition(|line| line.runs_in(host));
        let place = host.map_or_else(String::new, |host| format!(" inside `{host}`"));
        let index = found.ok_or_else(|| format!("no tool runs{place}"))?;
        let lines = Rc::make_mut(&mut self.tools.lines);
        let Some(mut job) = lines[index].job.take() else {
            return Ok(());
        };
        act(&mut *job, self);
        Rc::make_mut(&mut self.tools.lines)[index].job = Some(job);
        self.tools.due = true;
        self.look_at_tools();
        Ok(())
    }

    pub(in crate::lab) fn apply_type(&mut self, host: Option<&Name>, text: &str) -> Result<(), Refusal> {
        self.hand_to_tool(host, |job, world| job.type_line(text, world))
    }

    pub(in crate::lab) fn apply_press(&mut self, host: Option<&Name>, key: Key) -> Result<(), Refusal> {
        self.hand_to_tool(host, |job, world| job.press(key, world))
    }

    /// Lets every running tool go on, and tells what they have written.
    pub(super) fn look_at_tools(&mut self) {
        while std::mem::take(&mut self.tools.due) {
            let heard = std::mem::take(&mut self.tools.heard);
            for index in 0..self.tools.lines.len() {
                if self.tools.lines[index].job.is_some() {
                    self.look_at_tool(index, &heard);
                }
            }
        }
    }

    fn look_at_tool(&mut self, index: usize, heard: &[Heard]) {
        let Some(mut job) = Rc::make_mut(&mut self.tools.lines)[index].job.take() else {
            return;
        };
        heard.iter().for_each(|line| job.hear(line));
        job.look(self);
        let (text, exit) = (job.take_written(), job.exit());
        let who: Name = match &self.tools.lines[index].host {
            Some(host) => host.clone(),
            None => LAPTOP.into(),
        };
        let line = &mut Rc::make_mut(&mut self.tools.lines)[index];
        let mut printed = line.take_in(&text, exit);
        if exit.is_none() {
            line.job = Some(job);
        } else {
            self.tools.running -= 1;
        }
        printed.retain(|text| !text.is_empty());
        let printed = printed.into_iter().map(|text| Printed { who: who.clone(), text });
        self.tools.printed.extend(printed);
    }

    /// A log line of a client outside, which its tool shows.
    pub(super) fn tool_hears(&mut self, who: ProcId, line: &LogLine) {
        if self.tools.running == 0 || self.role(who) != Role::Operator || line.level < Level::Warn {
            return;
        }
        self.tools.heard.push(Heard {
            who,
            line: line.clone(),
            wall_ms: WALL_START_MS + self.sim.now().as_ms(),
        });
        self.tools.due = true;
    }
}

impl Line {
    /// Takes in what was written; the lines that are whole now, and at the end how it ended if that was not well.
    fn take_in(&mut self, text: &str, exit: Option<i32>) -> Vec<Rc<str>> {
        let room = OUTPUT_BYTES.saturating_sub(self.output.len());
        let fits = (0..=text.len().min(room)).rev().find(|at| text.is_char_boundary(*at));
        let text = &text[..fits.unwrap_or(0)];
        if !text.is_empty() {
            Rc::make_mut(&mut self.output).push_str(text);
        }
        let new = &self.output[self.told..];
        let whole = match (exit, new.rfind('\n')) {
            (Some(_), _) => new.len(),
            (None, Some(at)) => at + 1,
            (None, None) => 0,
        };
        let mut lines: Vec<Rc<str>> = new[..whole].lines().map(Rc::from).collect();
        self.told += whole;
        self.exit = exit;
        let tool = self.text.split_whitespace().next().unwrap_or_default();
        if let Some(status @ 1..) = exit {
            lines.push(format!("{tool}: exit status {status}").into());
        }
        lines
    }
}
