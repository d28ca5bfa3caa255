//! How much a long run keeps in memory: the record of events, the journal and the snapshots together stay below 200 bytes
//! an event. `RUN_EVENTS` says how long the run is (a million is the figure of the guide).

use brokerlab::lab::run::Run;

const TEXT: &str = "lab 1
seed 3
controller c1
broker b1..b3
topic orders partitions=3 replicas=3
producer web acks=all
consumer w1 group=risk topics=orders
start web orders rate=2/s keys=5
";

/// Resident memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn an_event_costs_less_than_two_hundred_bytes() {
    let events: u64 = std::env::var("RUN_EVENTS").map_or(100_000, |n| n.parse().unwrap());
    let mut run = Run::open(TEXT);
    let before = resident();
    while run.event() < events && run.step() {}
    let each = (resident() - before) / events;
    println!(
        "{events} events, {each} bytes each, {} s of the scenario",
        run.now_us() / 1_000_000
    );
    assert!(each < 200, "{each} bytes an event");
}
