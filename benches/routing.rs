//! Topic routing: with ten thousand bindings the index finds a message's queues at least twenty times as fast as testing
//! each pattern. Both are timed in one run; the ratio counts.

use brokerlab::rabbit::routing::topic::{TopicIndex, matches};
use std::time::{Duration, Instant};

const BINDINGS: u32 = 10_000;

/// What the issue promises.
const AT_LEAST: u32 = 20;

fn main() {
    let patterns: Vec<String> = (0..BINDINGS).map(pattern).collect();
    let mut index = TopicIndex::default();
    for (number, pattern) in (0..).zip(&patterns) {
        index.insert(pattern, number);
    }
    let keys: Vec<String> = (0..200).map(key).collect();
    let indexed = best(|| keys.iter().map(|key| by_index(&index, key)).sum());
    let tested = best(|| keys.iter().map(|key| by_test(&patterns, key)).sum());
    assert_eq!(indexed.1, tested.1, "both must find the same");
    let ratio = tested.0.as_nanos() / indexed.0.as_nanos().max(1);
    println!(
        "topic routing, {BINDINGS} bindings: index {:?}, each pattern {:?} for {} messages: {ratio} times as fast",
        indexed.0,
        tested.0,
        keys.len()
    );
    assert!(ratio >= u128::from(AT_LEAST), "less than {AT_LEAST} times as fast");
}

/// `loan.SITE.LEVEL`, some with wildcards.
fn pattern(number: u32) -> String {
    let (site, level) = (number / 10, number % 10);
    match number % 50 {
        7 => format!("loan.#.l{level}.s{site}"),
        13 => format!("*.s{site}.l{level}"),
        29 => format!("loan.s{site}.#"),
        _ => format!("loan.s{site}.l{level}"),
    }
}

fn key(number: u32) -> String {
    format!("loan.s{}.l{}", number * 7 % 1_000, number % 10)
}

fn by_index(index: &TopicIndex<u32>, key: &str) -> u64 {
    let mut found = 0;
    index.matching(key, |target| found += u64::from(*target));
    found
}

fn by_test(patterns: &[String], key: &str) -> u64 {
    let hits = (0u32..).zip(patterns).filter(|(_, pattern)| matches(pattern, key));
    hits.map(|(number, _)| u64::from(number)).sum()
}

/// The best of three rounds, and what it found.
fn best(mut round: impl FnMut() -> u64) -> (Duration, u64) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..3 {
        let start = Instant::now();
        found = round();
        times.push(start.elapsed());
    }
    (times.into_iter().min().unwrap_or_default(), found)
}
