//! Numbers of web servers and their clients.

use crate::lab::language::ast::WebNumber;
use crate::lab::world::World;
use crate::serving::client::Clients;
use crate::serving::server::WebServer;

/// A number; `None`: there is no such server or browser. `Some(None)`: it has none yet.
pub fn number(world: &World, number: WebNumber, name: &str) -> Option<Option<i64>> {
    let id = world.find(name)?;
    match (world.web_server(id), world.browser(id)) {
        (Some(server), _) => Some(of_server(server, number)),
        (_, Some(clients)) => Some(of_clients(clients, number)),
        _ => None,
    }
}

fn of_server(server: &WebServer, number: WebNumber) -> Option<i64> {
    Some(match number {
        WebNumber::Processes => i64::from(server.processes()),
        WebNumber::Threads => i64::from(server.threads()),
        WebNumber::Memory => i64::from(server.memory_kib()),
        WebNumber::Queued => i64::from(server.queued()),
        WebNumber::Accepted => server.counters().accepted as i64,
        _ => return None,
    })
}

fn of_clients(clients: &Clients, number: WebNumber) -> Option<i64> {
    let percentile = |percent| {
        clients
            .latencies
            .percentile(percent)
            .map(|us| us.div_ceil(1_000) as i64)
    };
    match number {
        WebNumber::Asked => Some(clients.sent as i64),
        WebNumber::Answered => Some(clients.answered as i64),
        WebNumber::Unanswered => Some(clients.failed as i64),
        WebNumber::P50 => percentile(50),
        WebNumber::P95 => percentile(95),
        WebNumber::P99 => percentile(99),
        _ => None,
    }
}
