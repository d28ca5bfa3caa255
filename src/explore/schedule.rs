//! Random fault schedules, as scenarios.

use crate::lab::language::units::duration;
use crate::ordered::SortSmall;
use crate::sim::Random;

/// When the faults end and everything is healed and started again, in microseconds.
pub const FAULTS_UNTIL_US: u64 = 20_000_000;

/// When a schedule is over: everybody has had time to catch up and to give up.
pub const END_US: u64 = 70_000_000;

/// Settings that make a cluster decide in seconds.
const QUICK: &str = "broker.session.timeout.ms=3000 broker.heartbeat.interval.ms=500 replica.lag.time.max.ms=2000 \
replica.fetch.wait.max.ms=300 replica.socket.timeout.ms=1500 replica.fetch.backoff.ms=200 \
controller.socket.timeout.ms=1500";

/// The set-up of all schedules: acks=all, min.insync.replicas=2, three replicas, no power failure.
fn set_up(seed: u64) -> String {
    format!(
        "lab 1\ntitle \"schedule {seed}\"\nseed {seed}\n\ncontroller c1\nbroker b1..b3 {QUICK}\n\
         topic t partitions=2 replicas=3 min.insync.replicas=2\n\
         producer web acks=all linger.ms=0 request.timeout.ms=1500 delivery.timeout.ms=20000\n\n\
         start web t rate=4/s keys=6 until=20s\n"
    )
}

/// The schedule with that number: the same text for ever.
pub fn random(number: u64) -> String {
    let mut random = Random::named(number, "explore/schedule");
    let faults = faults(&mut random, fault);
    set_up(number) + &written(faults)
}

/// A schedule of transactions with that number: each second one of a few records, ended in one way or the other, among
/// faults that also meet the producer and the coordinators. Records are named `3.0`, `3.1` ... after their transaction.
pub fn transactional(number: u64) -> String {
    let mut random = Random::named(number, "explore/transactions");
    let mut lines = faults(&mut random, |random| match random.below(5) {
        0 => "restart bank".to_string(),
        1 => format!(
            "{} next EndTxn b{} -> bank",
            any(random, &["drop", "hold"]),
            random.between(1, 3)
        ),
        _ => fault(random).replace("web", "bank"),
    });
    for transaction in 1..FAULTS_UNTIL_US / 1_000_000 {
        let at = transaction * 1_000_000;
        lines.push((at, "begin bank".to_string()));
        for record in 0..random.between(1, 4) {
            lines.push((
                at,
                format!("produce bank t/{} \"{transaction}.{record}\"", random.below(2)),
            ));
        }
        let abort = if random.below(4) == 0 { " abort" } else { "" };
        lines.push((at + random.below(600) * 1_000, format!("end bank{abort}")));
        // What an application does whose commit failed; after one that worked it is refused and changes nothing.
        lines.push((at + 900_000, "end bank abort".to_string()));
    }
    lines.sort_small_by_key(|(at, _)| *at);
    set_up_of_transactions(number) + &written(lines) + "        restart bank\n"
}

/// The set-up of all schedules of transactions.
fn set_up_of_transactions(seed: u64) -> String {
    format!(
        "lab 1\ntitle \"transactions {seed}\"\nseed {seed}\n\ncontroller c1\nbroker b1..b3 {QUICK} \
         transaction.abort.timed.out.transaction.cleanup.interval.ms=2000\n\
         topic t partitions=2 replicas=3 min.insync.replicas=2\n\
         producer bank transactional.id=bank-1 linger.ms=0 request.timeout.ms=1500 delivery.timeout.ms=4000 \
         transaction.timeout.ms=6000\n\
         consumer w1 group=risk topics=t auto.offset.reset=earliest isolation.level=read_committed\n\n"
    )
}

/// Some faults, and when.
fn faults(random: &mut Random, one: impl Fn(&mut Random) -> String) -> Vec<(u64, String)> {
    let count = random.between(3, 14);
    let mut times: Vec<u64> = (0..count)
        .map(|_| random.between(500, FAULTS_UNTIL_US / 1_000 - 500) * 1_000)
        .collect();
    times.sort_small();
    times.into_iter().map(|at| (at, one(random))).collect()
}

/// The lines, and the end of all faults.
fn written(lines: Vec<(u64, String)>) -> String {
    let mut text = String::new();
    for (at, line) in lines {
        text.push_str(&format!("at {}  {line}\n", duration(at)));
    }
    text.push_str(&format!("at {}  heal\n        release\n", duration(FAULTS_UNTIL_US)));
    for name in ["c1", "b1", "b2", "b3"] {
        text.push_str(&format!("        thaw {name}\n        restart {name}\n"));
    }
    text
}

const SERVERS: [&str; 4] = ["b1", "b2", "b3", "c1"];

fn any<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    of[random.below(of.len() as u64) as usize]
}

fn other<'a>(random: &mut Random, than: &str) -> &'a str {
    loop {
        let found = any(random, &SERVERS);
        if found != than {
            return found;
        }
    }
}

fn fault(random: &mut Random) -> String {
    let broker = any(random, &SERVERS[..3]);
    let server = any(random, &SERVERS);
    let peer = other(random, server);
    match random.below(16) {
        0..=2 => format!("crash {broker}"),
        3 => format!("shutdown {broker}"),
        4..=5 => format!("restart {server}"),
        6 => format!("freeze {server}"),
        7 => format!("thaw {server}"),
        8 => format!("cut {server} -> {peer}"),
        9..=10 => format!("cut {server} <-> {peer}"),
        11 => "heal".to_string(),
        12 => "crash c1".to_string(),
        13 => format!("cut {broker} <-> web"),
        14 => match random.below(4) {
            0 => format!("drop next ProduceResponse {broker} -> web"),
            1 => format!(
                "hold next Fetch {broker} -> {}",
                any(random, &SERVERS[..3]).replace(broker, "c1")
            ),
            2 => format!("duplicate next ProduceRequest web -> {broker}"),
            _ => format!("drop next AlterPartition {broker} -> c1"),
        },
        _ => "elect preferred".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::language;

    #[test]
    fn schedules_are_scenarios() {
        for (number, make) in (0..200).flat_map(|n| [(n, random as fn(u64) -> String), (n, transactional)]) {
            let text = make(number);
            let parsed = language::parse(&text);
            assert!(parsed.errors.is_empty(), "{text}\n{:?}", parsed.errors);
            assert_eq!(text, make(number));
        }
    }
}
