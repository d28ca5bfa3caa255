//! The command language (see design.md): words, parser, printer, errors. Knows no simulator.
//!
//! `text -> parse -> Scenario` (and errors) `-> print -> text`. [`ast`] is what the lab's world matches on.

pub mod ast;
pub mod complete;
pub mod edit;
pub mod errors;
pub mod keys;
pub mod lexer;
pub mod limits;
pub mod parse;
pub mod print;
pub mod reference;
pub mod scope;
pub mod units;
pub mod words;

pub use ast::{Command, Scenario};
pub use errors::Error;
pub use parse::{Parsed, parse, parse_line};
pub use print::{print, print_command};

#[cfg(test)]
mod tests;
