//! The tools' own command lines: what a person types at work, read, run and answered as the real tools do.
//!
//! [`shell`] splits a line into words, [`options`] reads them as jopt-simple does, [`tools`] has one file for each tool:
//! a plan of calls, written straight down, and the text it prints. [`desk`] is what a plan sees, [`failure`] what ends it, [`job`] runs it as client
//! processes on a host of the world, [`java`] has the texts and orders that come from Java, [`start`] is what a run is
//! opened with so that its `$` lines run, [`complete`] completes a line that is being typed, [`conform`] plays recorded
//! sessions.

pub mod argparse;
pub mod complete;
pub mod conform;
pub mod desk;
pub mod failure;
pub mod java;
pub mod job;
pub mod options;
pub mod shell;
pub mod start;
#[cfg(test)]
mod tests;
pub mod tools;
