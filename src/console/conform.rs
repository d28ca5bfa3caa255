//! Recorded sessions of the real tools, played: each command line's output, errors and exit status are compared.
//!
//! The form of the files is described beside them (tests/vectors/kafka/tools/README.md). Log lines, which begin with a
//! time, and stack frames are left out on both sides.

mod normal;
mod operations;

use super::desk::{Setting, Stream};
use super::job::Job;
use super::{shell, tools};
use crate::lab::conform::Verdict;
use crate::lab::tools::{Running, Typed};
use crate::lab::world::World;
use crate::ordered::OrderedMap;
use crate::sim::{ProcId, Span, Time};
use normal::Normal;
use serde_json::{Map, Value};

/// How long a tool may run: the recorder's limit.
const MOST: Span = Span::secs(150);

/// The JVM starts.
const START: Span = Span::ms(900);

/// So long nothing may have been written before Ctrl-C is typed.
const QUIET: Span = Span::secs(6);

/// A recorded session.
#[derive(Clone, Debug)]
pub struct Session {
    pub name: String,
    pub covers: Vec<String>,
    root: Map<String, Value>,
}

impl Session {
    /// Reads the text of a file; `None`: it is no session.
    pub fn parse(text: &str) -> Option<Session> {
        let Ok(Value::Object(root)) = serde_json::from_str(text) else {
            return None;
        };
        let steps = root.get("steps")?.as_array()?;
        let runs = steps.iter().any(|step| step.get("run").is_some());
        (runs && root.contains_key("setup")).then(|| Session {
            name: root.get("name").and_then(Value::as_str).unwrap_or("").to_string(),
            covers: strings(root.get("covers")),
            root,
        })
    }

    /// Plays it.
    pub fn judge(&self) -> Verdict {
        if let Some(why) = self.not_modelled() {
            return Verdict::NotModelled(why);
        }
        match Player::play(self) {
            Ok(None) => Verdict::Agrees,
            Ok(Some(line)) | Err(line) => Verdict::Differs(format!("{}: {line}", self.name)),
        }
    }

    fn list(&self, key: &str) -> &[Value] {
        self.root.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// What it needs that is not here.
    fn not_modelled(&self) -> Option<String> {
        for step in self.list("steps") {
            if let Some(line) = step.get("run").and_then(Value::as_str) {
                let words = shell::split(line).ok()?;
                let name = words.first()?;
                if tools::find(name).is_none() {
                    return Some(tools::unknown(name));
                }
                if let Some(why) = tools::not_modelled(&words) {
                    return Some(why);
                }
            }
        }
        let done = self.list("steps").iter().filter_map(|step| step.get("do"));
        done.chain(self.list("setup")).find_map(operations::not_modelled)
    }
}

pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).map(str::to_string).collect()
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// A session on its way.
pub(super) struct Player<'a> {
    session: &'a Session,
    world: World,
    normal: Normal,
    jobs: OrderedMap<String, Job>,
    number: u64,
    /// The operator's admin client of the operations, and members by name.
    admin: Option<ProcId>,
    members: OrderedMap<String, operations::Member>,
    /// Producers with an open transaction, by their transactional ids.
    transactional: OrderedMap<String, ProcId>,
}

impl<'a> Player<'a> {
    fn play(session: &'a Session) -> Result<Option<String>, String> {
        let mut player = Player {
            session,
            world: operations::cluster(session)?,
            normal: Normal::default(),
            jobs: OrderedMap::new(),
            number: 0,
            admin: None,
            members: OrderedMap::new(),
            transactional: OrderedMap::new(),
        };
        player.set_up()?;
        for (index, step) in session.list("steps").iter().enumerate() {
            let difference = match (step.get("do"), step.get("run").and_then(Value::as_str)) {
                (Some(what), _) if text(what, "op") == "interrupt" => {
                    let name = text(what, "job");
                    let mut job = player.jobs.remove(name).ok_or("no such job")?;
                    player.interrupt(&mut job);
                    player.compare(step, &job)
                }
                (Some(what), _) => {
                    player.operate(what)?;
                    None
                }
                (None, Some(line)) => player.run(line, step)?,
                _ => return Err(format!("step {index} does nothing")),
            };
            if let Some(difference) = difference {
                let line = step.get("run").and_then(Value::as_str).unwrap_or("interrupt");
                return Ok(Some(format!("step {index} ({line}): {difference}")));
            }
        }
        Ok(None)
    }

    fn run(&mut self, line: &str, step: &Value) -> Result<Option<String>, String> {
        self.run_for(START);
        self.number += 1;
        let files = self.session.root.get("files").and_then(Value::as_object);
        let setting = Setting {
            files: files
                .into_iter()
                .flatten()
                .map(|(name, text)| (name.as_str().into(), text.as_str().unwrap_or("").into()))
                .collect(),
            stdin: text(step, "stdin").to_string(),
            tty: step.get("tty").and_then(Value::as_bool).unwrap_or(false),
            typed: false,
        };
        let mut words = shell::split(line)?.into_iter();
        let name = words.next().unwrap_or_default();
        let tool = tools::find(&name).ok_or_else(|| tools::unknown(&name))?;
        let typed = Typed {
            host: "b1",
            line,
            number: self.number,
        };
        let mut job = Job::start(tool, words.collect(), &typed, setting, &mut self.world);
        if let Some(name) = step.get("job").and_then(Value::as_str) {
            self.jobs.insert(name.to_string(), job);
            self.run_for(Span::ms(6500));
            return Ok(None);
        }
        if step.get("interrupt").is_some() {
            self.run_until_quiet(&mut job);
            self.interrupt(&mut job);
        } else {
            let limit = self.world.sim.now() + MOST;
            self.run_job(&mut job, limit);
        }
        Ok(self.compare(step, &job))
    }

    fn interrupt(&mut self, job: &mut Job) {
        job.interrupt(&mut self.world);
        let limit = self.world.sim.now() + Span::secs(40);
        self.run_job(job, limit);
    }

    fn run_job(&mut self, job: &mut Job, limit: Time) {
        while job.exit.is_none() && self.step(limit) {
            job.look(&mut self.world);
        }
    }

    fn run_until_quiet(&mut self, job: &mut Job) {
        let mut last = self.world.sim.now();
        let mut written = 0;
        while job.exit.is_none() {
            let limit = last + QUIET;
            if !self.step(limit) {
                break;
            }
            job.look(&mut self.world);
            let now = job.written();
            if now != written {
                (written, last) = (now, self.world.sim.now());
            }
        }
    }

    /// One event; whether there was one before the limit. Jobs in the background look.
    fn step(&mut self, limit: Time) -> bool {
        let stepped = self.world.step_until(limit).is_some();
        if !stepped {
            self.world.sim.pass_to(limit);
        }
        for job in self.jobs.values_mut() {
            job.look(&mut self.world);
        }
        self.watch_members();
        stepped
    }

    fn run_for(&mut self, span: Span) {
        let limit = self.world.sim.now() + span;
        while self.step(limit) {}
    }

    fn run_while_not(&mut self, mut done: impl FnMut(&Player) -> bool) -> bool {
        let limit = self.world.sim.now() + Span::secs(90);
        loop {
            if done(self) {
                return true;
            }
            if !self.step(limit) {
                return done(self);
            }
        }
    }

    /// What differs, in one line.
    fn compare(&mut self, step: &Value, job: &Job) -> Option<String> {
        let varies = strings(step.get("varies"));
        let exit = step.get("exit").and_then(Value::as_i64);
        let found = job.exit.map(i64::from);
        let mut sides = Vec::new();
        let output = job.output();
        for (name, stream) in [("stdout", Stream::Out), ("stderr", Stream::Err)] {
            let found = self.normal.of(&self.world, &output.of(stream));
            if varies.iter().any(|one| one == name) {
                continue;
            }
            let any_order = step.get(format!("{name}_any_order")).is_some();
            let repeats = step.get("stderr_repeats").is_some() && name == "stderr";
            let read = |text: &str| normal::comparable(text, any_order, repeats);
            sides.push((name, read(text(step, name)), read(&normal::hide(step, &found))));
        }
        for (name, expected, found) in sides {
            if let Some((expected, found)) = normal::first_difference(&expected, &found) {
                return Some(format!("{name}: expected `{expected}`, found `{found}`"));
            }
        }
        (exit != found).then(|| format!("exit: expected {exit:?}, found {found:?}"))
    }
}
