//! Worlds whose every step is hashed, natively and in wasm: the same text must give the same steps everywhere.
//!
//! `tests/determinism.rs` plays each twice and writes what it saw; `tests/wasm.rs` plays each in a browser and compares.

mod kernel;
mod scenarios;

/// A world: its name, and what plays it and returns the hash after each step. A hash takes in all steps before it.
pub type World = (&'static str, fn() -> Vec<u64>);

pub const WORLDS: &[World] = &[
    ("kernel", kernel::play),
    ("sandbox", scenarios::sandbox),
    ("acks-1", scenarios::acks_1),
    ("coordinator-fails", scenarios::coordinator_fails),
    ("exactly-once", scenarios::exactly_once),
];

/// How many of a world's hashes are written down; the last one holds them all, the others tell where it went apart.
const SAMPLES: usize = 100;

/// One line for a world: its name, the number of its steps, and hashes from evenly spread steps up to the last.
pub fn fingerprint((name, play): World) -> String {
    let hashes = play();
    let every = hashes.len().div_ceil(SAMPLES).max(1);
    let samples: Vec<String> = hashes.rchunks(every).rev().map(|chunk| hex(chunk.last())).collect();
    format!("{name} {} {}", hashes.len(), samples.join(" "))
}

fn hex(hash: Option<&u64>) -> String {
    hash.map_or("none".into(), |hash| format!("{hash:016x}"))
}
