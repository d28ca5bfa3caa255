//! Web servers and proxies, as state machines that do no IO and read no clock.
//!
//! [`upstream`]: which server of a group nginx picks, when it tries another one, and what the client gets.

pub mod upstream;
