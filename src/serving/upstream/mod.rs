//! nginx's upstream groups (one worker process, no shared `zone`).
//!
//! - [`config`]: the `server` lines, the balancing method, the `proxy_next_upstream` directives.
//! - [`group`]: the servers' state and the pick itself.
//! - [`hash`]: what `ip_hash` and `hash` compute.
//! - [`request`]: one proxied request from its first try to its status.
//!
//! Rules: nginx 1.22.1, `ngx_http_upstream_round_robin.c`, `ngx_http_upstream_*_module.c`, `ngx_http_upstream.c`.

pub mod config;
pub mod group;
pub mod hash;
pub mod request;
#[cfg(test)]
mod tests;

pub use config::{Causes, Method, Proxy, Server};
pub use group::Upstream;
pub use request::{Client, Outcome, Proxied, Step};
