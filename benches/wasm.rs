//! The busy cluster in wasm against the same natively: the events per second of both, and their ratio.
//!
//! `make bench` builds this file twice. The native one runs the cluster, then Node with the wasm one (its module is
//! named in BROKERLAB_WASM_BENCH), in turn a few times, since a shared machine's speed drifts. Without Node or the
//! module it says what is missing.

mod cluster;

use brokerlab::explore::play::play;

/// Steps the cluster from its start; returns the low half of the run's hash, which both worlds must agree on.
fn run(events: u32) -> u32 {
    match play(&cluster::scenario(), u64::MAX / 2, u64::from(events)) {
        Ok(played) => played.world.sim.hash() as u32,
        Err(_) => 0,
    }
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn busy(events: u32) -> u32 {
    run(events)
}

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    native::main();
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::run;
    use std::process::Command;
    use std::time::Instant;

    const EVENTS: u32 = 300_000;
    const ROUNDS: usize = 5;
    const WASM_AGAINST_NATIVE: f64 = 0.5;

    /// Runs the module that is its first argument, and prints the hash and the nanoseconds per event. The first run is
    /// not counted: it compiles.
    const SCRIPT: &str = "
        const { busy } = require(process.argv[1]);
        const events = Number(process.argv[2]);
        busy(events);
        const start = performance.now();
        const hash = busy(events);
        console.log(hash >>> 0, (performance.now() - start) * 1e6 / events);
    ";

    pub fn main() {
        let Ok(module) = std::env::var("BROKERLAB_WASM_BENCH") else {
            println!("wasm against native: not measured; `make bench` builds the module for it");
            return;
        };
        let (mut native, mut wasm) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let hash = run(EVENTS);
            native = native.min(start.elapsed().as_nanos() as f64 / f64::from(EVENTS));
            match in_node(&module) {
                Ok((there, each)) => {
                    assert_eq!(hash, there, "wasm goes another way than the native build");
                    wasm = wasm.min(each);
                }
                Err(why) => {
                    println!("wasm against native: not measured; {why}");
                    return;
                }
            }
        }
        let ratio = native / wasm;
        let met = if ratio >= WASM_AGAINST_NATIVE { "met" } else { "missed" };
        println!("{:<28} {:>9.0} events/s", "native, no history", 1e9 / native);
        println!(
            "{:<28} {:>9.0} events/s, {ratio:.2} of native (target {WASM_AGAINST_NATIVE}: {met})",
            "wasm in Node, no history",
            1e9 / wasm
        );
    }

    /// Hash and nanoseconds per event.
    fn in_node(module: &str) -> Result<(u32, f64), String> {
        let events = EVENTS.to_string();
        let output = Command::new("node")
            .args(["-e", SCRIPT, module, &events])
            .output()
            .map_err(|error| format!("node does not start: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut words = text.split_whitespace();
        let mut next = || {
            words
                .next()
                .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (hash, each) = (next()?, next()?);
        let number = |error| format!("node said {text:?}: {error}");
        let hash = hash
            .parse()
            .map_err(|error: std::num::ParseIntError| number(error.to_string()))?;
        let each = each
            .parse()
            .map_err(|error: std::num::ParseFloatError| number(error.to_string()))?;
        Ok((hash, each))
    }
}
