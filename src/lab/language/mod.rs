//! The command language (see design.md): words, parser, printer, errors. Knows no simulator.
//!
//! `text -> parse -> Scenario` (and errors) `-> print -> text`. [`ast`] is what the lab's world matches on.

pub mod ast;
