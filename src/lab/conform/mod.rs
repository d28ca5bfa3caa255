//! Recorded traces of the real systems, played on the simulator.
//!
//! `conform PATH...` reads traces (files or folders), says which need what is not modelled yet, plays the rest and
//! compares after every step.

pub mod around;
pub mod compare;
pub mod look;
mod look_groups;
pub mod ops;
pub mod play;
pub mod rabbit;
pub mod results;
pub mod trace;

use crate::ordered::{OrderedSet, SortSmall};
use std::path::{Path, PathBuf};
use trace::Trace;

/// How a trace ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    Agrees,
    /// The first difference, in one line.
    Differs(String),
    /// What the trace needs that is not here, found out before playing it.
    NotModelled(String),
}

/// A recorded scenario of one of the systems.
#[derive(Clone, Debug)]
pub enum Recording {
    Kafka(Box<Trace>),
    Rabbit(rabbit::Trace),
    Around(around::Case),
}

impl Recording {
    /// Reads a file and tells by its content whose it is.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(path: &Path) -> Result<Recording, String> {
        let problem = |why: String| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|e| problem(e.to_string()))?;
        Recording::parse(&text).map_err(problem)
    }

    /// Everything in a file: those about what stands around the brokers may hold many cases.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read_all(path: &Path) -> Result<Vec<Recording>, String> {
        let problem = |why: String| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|e| problem(e.to_string()))?;
        let root: serde_json::Value = serde_json::from_str(&text).map_err(|e| problem(e.to_string()))?;
        if let Some(cases) = root.as_object().and_then(around::Case::find) {
            return Ok(cases.into_iter().map(Recording::Around).collect());
        }
        Ok(vec![Recording::parse(&text).map_err(problem)?])
    }

    /// From the text of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Recording, String> {
        let root: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let object = root.as_object().ok_or("not a JSON object")?;
        if rabbit::is_rabbit(object) {
            return Ok(Recording::Rabbit(rabbit::Trace::parse(object)?));
        }
        Ok(Recording::Kafka(Box::new(Trace::parse(text)?)))
    }

    pub fn name(&self) -> &str {
        match self {
            Recording::Kafka(trace) => &trace.name,
            Recording::Rabbit(trace) => &trace.name,
            Recording::Around(case) => &case.name,
        }
    }

    pub fn covers(&self) -> &[String] {
        match self {
            Recording::Kafka(trace) => &trace.covers,
            Recording::Rabbit(trace) => &trace.covers,
            Recording::Around(case) => &case.covers,
        }
    }

    /// Plays it.
    pub fn judge(&self) -> Verdict {
        match self {
            Recording::Kafka(trace) => judge(trace),
            Recording::Rabbit(trace) => rabbit::judge(trace),
            Recording::Around(case) => case.judge(),
        }
    }
}

/// Plays one trace of Kafka.
pub fn judge(trace: &Trace) -> Verdict {
    judge_seen(trace).0
}

/// Plays one trace; also the names of the rules that were at work in it.
pub fn judge_seen(trace: &Trace) -> (Verdict, OrderedSet<&'static str>) {
    let mut rules = OrderedSet::new();
    let verdict = verdict(trace, play::play(trace, &mut rules));
    (verdict, rules)
}

fn verdict(trace: &Trace, played: Result<Option<play::Mismatch>, String>) -> Verdict {
    match played {
        Ok(None) => Verdict::Agrees,
        Ok(Some(mismatch)) => Verdict::Differs(format!(
            "{}: step {} ({}): {}: expected {}, found {}",
            trace.name,
            mismatch.step,
            mismatch.op,
            mismatch.difference.at,
            mismatch.difference.expected,
            mismatch.difference.found
        )),
        Err(why) => Verdict::Differs(format!("{}: {why}", trace.name)),
    }
}

/// All traces under the paths, by name of file.
///
/// # Errors
/// A path that cannot be read.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut out = Vec::new();
    for path in paths {
        collect(path, &mut out)?;
    }
    out.sort_small();
    Ok(out)
}

fn collect(path: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let problem = |e: std::io::Error| format!("{}: {e}", path.display());
    if std::fs::metadata(path).map_err(problem)?.is_dir() {
        for entry in std::fs::read_dir(path).map_err(problem)? {
            let entry = entry.map_err(problem)?.path();
            if entry.is_dir() || entry.extension().is_some_and(|e| e == "json") {
                collect(&entry, out)?;
            }
        }
    } else {
        out.push(path.to_path_buf());
    }
    Ok(())
}

/// The sums of a run over many traces.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub agree: usize,
    pub not_modelled: usize,
    pub lines: Vec<String>,
}

impl Report {
    pub fn add(&mut self, name: &str, verdict: Verdict) {
        match verdict {
            Verdict::Agrees => self.agree += 1,
            Verdict::Differs(line) => self.lines.push(line),
            Verdict::NotModelled(why) => {
                self.not_modelled += 1;
                self.lines.push(format!("{name}: not modelled: {why}"));
            }
        }
    }

    /// How many differ.
    pub fn differ(&self) -> usize {
        self.lines.len() - self.not_modelled
    }

    /// `A of B traces agree`, and what is not modelled.
    pub fn summary(&self) -> String {
        let played = self.agree + self.differ();
        let mut text = format!("{} of {played} traces agree", self.agree);
        if self.not_modelled > 0 {
            text.push_str(&format!(", {} not modelled", self.not_modelled));
        }
        text
    }
}
