//! Requests, responses and errors.

pub mod errors;
