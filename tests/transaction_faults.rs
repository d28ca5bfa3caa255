//! Transactions among random faults: whole or not at all, and the last stable offset never goes back within an epoch.
//! `BROKERLAB_SOAK=n` plays n schedules instead of those of the suite (`make soak`).

use brokerlab::explore::play::play_watched;
use brokerlab::explore::schedule::{END_US, transactional};
use brokerlab::explore::shrink::shrink;
use brokerlab::kafka::broker::ReplicaRole;
use brokerlab::lab::ledger::{Entry, Outcome};
use brokerlab::lab::world::World;
use brokerlab::ordered::OrderedMap;

/// Schedules in the suite.
const SUITE: u64 = 40;

/// Events that one schedule may take.
const EVENTS: u64 = 500_000;

/// The last stable offset of each leadership: broker, topic, partition and leader epoch.
#[derive(Default)]
struct Watch {
    stable: OrderedMap<(i32, u32, i32, i32), i64>,
    events: u64,
    wrong: Option<String>,
}

impl Watch {
    fn look(&mut self, world: &World) {
        self.events += 1;
        if !self.events.is_multiple_of(8) {
            return;
        }
        for (id, node, broker) in world.brokers().filter(|(id, ..)| world.runs(*id)) {
            for replica in broker
                .replicas()
                .iter()
                .filter(|r| r.topic == "t" && r.role() == ReplicaRole::Leader)
            {
                let now = replica.last_stable_offset();
                let key = (node, replica.id.topic.0, replica.id.partition, replica.leader_epoch());
                let before = self.stable.insert(key, now);
                if before.is_some_and(|before| before > now) && self.wrong.is_none() {
                    let who = world.name(id);
                    self.wrong = Some(format!("the last stable offset on {who} fell from {before:?} to {now}"));
                }
            }
        }
    }
}

/// What is wrong at the end, if anything is; and how many transactions were committed and how many aborted.
fn verdict(world: &World) -> (Option<String>, [usize; 2]) {
    let mut all: OrderedMap<String, Vec<Entry>> = OrderedMap::new();
    for (_, entry) in world.ledger.entries() {
        let value = entry.handed.value.as_deref().unwrap_or_default();
        let transaction = value.split('.').next().unwrap_or_default();
        all.entry(transaction.to_string()).or_default().push(entry.clone());
    }
    let mut counts = [0, 0];
    for (name, records) in &all {
        let any = |is: fn(&Entry) -> bool| records.iter().any(is);
        let committed = any(|r| r.outcome == Outcome::Committed);
        counts[0] += usize::from(committed);
        counts[1] += usize::from(any(Entry::is_aborted));
        let whole = records
            .iter()
            .all(|r| r.outcome == Outcome::Committed && !r.delivered.is_empty() && r.acknowledged);
        let wrong = if any(|r| r.copies > 0 && matches!(r.outcome, Outcome::Open | Outcome::Plain)) {
            "is still open"
        } else if any(|r| r.outcome != Outcome::Committed && !r.delivered.is_empty()) {
            "was seen, though it was not committed"
        } else if committed && !whole {
            "was committed in part, or not seen entirely"
        } else if any(|r| r.copies > 1) {
            "stands in the log twice"
        } else {
            continue;
        };
        return (Some(format!("transaction {name} {wrong}: {records:?}")), counts);
    }
    (None, counts)
}

fn outcome(text: &str) -> (Option<String>, [usize; 2]) {
    let mut watch = Watch::default();
    let played = play_watched(text, END_US, EVENTS, &mut |world| watch.look(world));
    let played = played.expect("schedules are scenarios without errors");
    let (wrong, counts) = verdict(&played.world);
    (watch.wrong.or(wrong), counts)
}

#[test]
fn soak_transactions_are_whole_or_not_at_all() {
    let asked = std::env::var("BROKERLAB_SOAK").ok().and_then(|n| n.parse().ok());
    let (mut committed, mut aborted) = (0, 0);
    for number in 0..asked.unwrap_or(SUITE) {
        let text = transactional(number);
        let (wrong, counts) = outcome(&text);
        if let Some(wrong) = wrong {
            let short = shrink(&text, 60, |text| outcome(text).0.is_some());
            panic!("{wrong}\nschedule {number}:\n{short}");
        }
        committed += counts[0];
        aborted += counts[1];
    }
    assert!(
        committed > 130 && aborted > 30,
        "only {committed} committed, {aborted} aborted"
    );
}

/// The control: without KIP-890 a late record or a late end tears a transaction in some schedule.
#[test]
fn soak_version_1_tears_transactions() {
    let late = |number: u64| {
        let text = transactional(number).replace("\ncontroller", "\nrule kip-890 off\ncontroller");
        assert!(text.contains("kip-890"));
        text
    };
    assert!(
        (0..400).any(|number| outcome(&late(number)).0.is_some()),
        "no schedule tears any"
    );
}
