//! The tools' own command lines: what a person types at work, read, run and answered as the real tools do.
//!
//! [`shell`] splits a line into words, [`options`] reads them as jopt-simple does, [`tools`] has one file for each tool:
//! a plan of calls, written straight down, and the text it prints. [`desk`] is what a plan sees, [`job`] runs it as client
//! processes on a host of the world, [`java`] has the texts and orders that come from Java, [`conform`] plays recorded
//! sessions.

pub mod conform;
pub mod desk;
pub mod java;
pub mod job;
pub mod options;
pub mod shell;
pub mod tools;
