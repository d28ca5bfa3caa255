//! The language as a whole: round trips, errors, edits, and bad input.

mod errors;
mod fuzz;
mod generate;
mod generate_rabbit;
mod generate_web;
mod round_trip;
mod samples;
mod sentences;
