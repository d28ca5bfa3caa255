//! Random fault schedules keep every record that was acknowledged under acks=all with min.insync.replicas=2 and no
//! power failure. `BROKERLAB_SOAK=n` plays n schedules instead of those of the suite (`make soak`).

use brokerlab::explore::play::play;
use brokerlab::explore::schedule::{END_US, random};
use brokerlab::explore::shrink::shrink;
use std::sync::atomic::{AtomicU64, Ordering};

/// Schedules in the suite.
const SUITE: u64 = 2_000;

/// Events that one schedule may take.
const EVENTS: u64 = 500_000;

/// Acknowledged records, and whether one of them is lost.
fn outcome(text: &str) -> (u64, bool) {
    let played = play(text, END_US, EVENTS).expect("schedules are scenarios without errors");
    let sums = played.world.ledger.sums();
    (sums.acknowledged, sums.lost > 0)
}

#[test]
fn soak_acknowledged_records_survive_random_faults() {
    let count = std::env::var("BROKERLAB_SOAK")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(SUITE);
    let next = AtomicU64::new(0);
    let acknowledged = AtomicU64::new(0);
    let broken = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return None;
                        }
                        let text = random(number);
                        let (acks, lost) = outcome(&text);
                        acknowledged.fetch_add(acks, Ordering::Relaxed);
                        if lost {
                            return Some(shrink(&text, 200, |text| outcome(text).1));
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .find_map(|worker| worker.join().expect("a worker does not panic"))
    });
    assert!(
        broken.is_none(),
        "an acknowledged record is lost by this scenario:\n{}",
        broken.unwrap_or_default()
    );
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    assert!(
        acknowledged > count * 10,
        "only {acknowledged} records were acknowledged in {count} schedules"
    );
}

/// The control: with acks=1 the same faults do lose acknowledged records, and the search finds and shortens one.
#[test]
fn soak_the_same_faults_lose_records_with_acks_1() {
    let careless = |number| random(number).replace("acks=all", "acks=1");
    let found = (0..500).map(careless).find(|text| outcome(text).1);
    let text = found.expect("no schedule of 500 loses a record that only the leader had");
    let short = shrink(&text, 60, |text| outcome(text).1);
    assert!(outcome(&short).1 && short.len() <= text.len(), "{short}");
}
