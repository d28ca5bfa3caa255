//! Web servers and proxies, as state machines that do no IO and read no clock.
//!
//! - [`server`]: nginx, Apache httpd, application servers, reverse and forward proxies: one process each.
//! - [`client`]: people with browsers, programs with curl.
//! - [`upstream`]: which server of a group nginx picks, when it tries another one, and what the client gets.
//! - [`site`], [`settings`]: what they are configured to do; [`directives`] reads it by the real directives' names.
//! - [`http`], [`wire`], [`note`], [`rules`]: what travels, and what is reported.
//! - [`cores`], [`histogram`]: a machine's processor cores; latencies.

pub mod client;
pub mod cores;
pub mod directives;
pub mod histogram;
pub mod http;
pub mod note;
pub mod rules;
pub mod server;
pub mod settings;
pub mod site;
pub mod upstream;
pub mod wire;
