//! Shipped scenarios: whole clusters with clients, groups and faults.

use brokerlab::console::start;
use brokerlab::lab::library;

/// So many events of a scenario are hashed.
const EVENTS: usize = 6_000;

fn play(name: &str) -> Vec<u64> {
    let shipped = library::find(name).expect("the scenario is shipped");
    let mut run = start::open(shipped.text);
    let mut hashes = Vec::new();
    while hashes.len() < EVENTS && run.now_us() < 120_000_000 && run.step() {
        hashes.push(run.hash());
    }
    hashes
}

pub fn sandbox() -> Vec<u64> {
    play("sandbox")
}

pub fn acks_1() -> Vec<u64> {
    play("acks-1")
}

pub fn coordinator_fails() -> Vec<u64> {
    play("coordinator-fails")
}

pub fn exactly_once() -> Vec<u64> {
    play("exactly-once")
}
