//! The vocabulary: every verb with its form and options, every subject of a check, every name that has a meaning of its
//! own. The parser's hints, the page's completion and the README's reference are all made from these tables.

mod names;
mod verbs;

pub use super::parse::ACK;
pub use names::*;
pub use verbs::{VERBS, VIEW_OPTIONS};

use super::keys::Scope;

/// The version of the language that this code writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// One verb.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    pub name: &'static str,
    /// The sentence's form, as the reference shows it.
    pub form: &'static str,
    pub about: &'static str,
    pub options: &'static [Opt],
    /// Whose keys it takes as options besides its own.
    pub keys: Option<Scope>,
    pub part: Part,
}

/// One option of a verb, in the order of printing.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    pub key: &'static str,
    /// What its value looks like.
    pub form: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

/// The part of the reference a verb stands in; `Later` ones are read, kept and refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Page,
    Places,
    Kafka,
    Rabbit,
    Web,
    Data,
    Admin,
    Processes,
    Network,
    Disk,
    OneMessage,
    Checks,
    Later,
}

impl Part {
    pub const ALL: [Part; 13] = [
        Part::Page,
        Part::Places,
        Part::Kafka,
        Part::Rabbit,
        Part::Web,
        Part::Data,
        Part::Admin,
        Part::Processes,
        Part::Network,
        Part::Disk,
        Part::OneMessage,
        Part::Checks,
        Part::Later,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Part::Page => "the page",
            Part::Places => "places",
            Part::Kafka => "Kafka",
            Part::Rabbit => "RabbitMQ",
            Part::Web => "web servers",
            Part::Data => "data",
            Part::Admin => "admin",
            Part::Processes => "processes",
            Part::Network => "network",
            Part::Disk => "disk",
            Part::OneMessage => "one message",
            Part::Checks => "checks",
            Part::Later => "not here yet",
        }
    }
}

/// The verb of this name.
pub fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// The subject of this name.
pub fn find_subject(name: &str) -> Option<&'static SubjectWord> {
    SUBJECTS.iter().find(|subject| subject.name == name)
}
