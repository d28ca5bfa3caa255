//! Transactions, and the clients and coordinators around them, as scenarios show them.

use brokerlab::lab::checks::Verdict;
use brokerlab::lab::run::Run;
use brokerlab::lab::view::Weight;

const CLUSTER: &str = "lab 1\nseed 7\ncontroller c1\nbroker b1..b3 auto.create.topics.enable=false\n";

/// Plays a schedule to second `until`; its expectations must hold.
fn play(schedule: &str, until: u64) -> Run {
    let text = format!("{CLUSTER}{schedule}");
    let mut run = Run::open(&text);
    assert!(run.errors().is_empty(), "{:?}", run.errors());
    assert!(run.play_until_us(until * 1_000_000, 2_000_000));
    assert!(run.refused().is_empty(), "{:?}", run.refused());
    for check in run.checks() {
        let found = check.found.as_deref().unwrap_or("nothing");
        assert_eq!(check.verdict, Verdict::Passed, "{}: found {found}", check.expected);
    }
    run
}

fn texts(run: &Run) -> Vec<String> {
    let all = run.log(0..run.end_event(), Weight::Idle, "");
    all.into_iter().map(|entry| entry.text).collect()
}

#[test]
fn an_end_waits_for_a_record_that_waits_for_its_topic() {
    let run = play(
        "producer bank transactional.id=bank-1 linger.ms=0
at 5s   begin bank
        produce bank loans \"early\"
        end bank
at 8s   expect state transaction bank-1 = Empty
        topic loans partitions=1 replicas=b1,b2,b3
at 12s  expect fate \"early\" = acknowledged
        expect state transaction bank-1 = CompleteCommit
        expect error bank = none
        expect lso loans/0 = 2
",
        12,
    );
    assert!(run.passes());
}

#[test]
fn a_record_behind_an_end_belongs_to_the_next_transaction() {
    play(
        "topic loans partitions=1 replicas=b1,b2,b3
producer bank transactional.id=bank-1 linger.ms=0
at 5s   begin bank
        produce bank loans \"first\"
        end bank
        begin bank
        produce bank loans \"second\"
at 8s   end bank abort
at 10s  expect error bank = none
        expect fate \"first\" = acknowledged
        expect fate \"second\" contains aborted
        expect log loans/0 = \"first\" \"second\"
",
        10,
    );
}

#[test]
fn a_link_to_a_client_can_be_said_at_set_up() {
    let run = play(
        "topic loans partitions=1 replicas=b1,b2,b3
producer web linger.ms=0
link web -> b1 latency=400ms
at 5s   produce web loans \"slow\"
at 5.3s expect leo loans/0 = 0
at 9s   expect leo loans/0 = 1
",
        9,
    );
    let link = run
        .view()
        .links
        .iter()
        .any(|link| link.from == "web" && link.latency_us == 400_000);
    assert!(link, "the page shows it");
}

#[test]
fn a_new_coordinator_reads_its_partition_first() {
    let run = play(
        "topic loans partitions=1 replicas=b1,b2,b3
producer web linger.ms=0
consumer w1 group=risk topics=loans auto.offset.reset=earliest auto.commit.interval.ms=500
at 8s   produce web loans \"one\"
at 12s  expect committed risk loans/0 = 1
        disk b1 slow=3s
        disk b2 slow=3s
        disk b3 slow=3s
        shutdown b1
at 13s  shutdown b2
at 40s  expect coordinator risk = b3
        expect committed risk loans/0 = 1
",
        40,
    );
    let texts = texts(&run);
    assert!(
        texts.iter().any(|text| text.contains("coordinator reads")),
        "it is told"
    );
    let refused = texts
        .iter()
        .any(|text| text.contains("COORDINATOR_LOAD_IN_PROGRESS") || text.contains("loading"));
    assert!(refused, "requests meanwhile are told to wait");
}
