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
    let mut text = set_up(number);
    let faults = random.between(3, 14);
    let mut times: Vec<u64> = (0..faults)
        .map(|_| random.between(500, FAULTS_UNTIL_US / 1_000 - 500) * 1_000)
        .collect();
    times.sort_small();
    for at in times {
        text.push_str(&format!("at {}  {}\n", duration(at), fault(&mut random)));
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
        for number in 0..200 {
            let text = random(number);
            let parsed = language::parse(&text);
            assert!(parsed.errors.is_empty(), "{text}\n{:?}", parsed.errors);
            assert_eq!(text, random(number));
        }
    }
}
