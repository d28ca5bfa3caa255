//! Disks that are slow or full, as a scenario's writer sees them.

use brokerlab::lab::run::Run;

fn play(text: &str, until_us: u64) -> Run {
    let mut run = Run::open(text);
    assert!(run.errors().is_empty(), "{:?}", run.errors());
    assert!(run.play_until_us(until_us, 1_000_000));
    assert!(run.refused().is_empty(), "{:?}", run.refused());
    run
}

const CLUSTER: &str = "lab 1\nseed 1\ncontroller c1\nbroker b1..b3\ntopic t partitions=1 replicas=b1,b2,b3\n";

/// A slow leader answers late; a slow follower holds acks=all back.
#[test]
fn a_slow_disk_delays_what_is_written() {
    for (slow, acks, late) in [("b1", "1", true), ("b3", "1", false), ("b3", "all", true)] {
        let text = format!(
            "{CLUSTER}producer web acks={acks} linger.ms=0\nat 1s  disk {slow} slow=400ms\n\
             at 2s  produce web t \"1\"\nat 2.3s  expect count acknowledged = {}\nat 4s  expect count acknowledged = 1\n",
            if late { 0 } else { 1 }
        );
        let run = play(&text, 5_000_000);
        assert!(run.passes(), "{slow} slow, acks={acks}: {:?}", run.checks());
    }
}

/// Writes go one after the other, in order, and a mended disk is quick again.
#[test]
fn writes_wait_in_order() {
    let text = format!(
        "{CLUSTER}producer web acks=1 linger.ms=0\nat 500ms  produce web t \"0\"\nat 1s  disk b1 slow=100ms\nat 2s  produce web t \"1\"\n\
         after 1ms  produce web t \"2\"\nafter 1ms  produce web t \"3\"\nat 2.15s  expect count acknowledged = 2\n\
         at 4s  expect log t/0@b1 = \"0\" \"1\" \"2\" \"3\"\n        disk b1 ok\nat 5s  produce web t \"4\"\n\
         at 5.01s  expect count acknowledged = 5\n"
    );
    let run = play(&text, 6_000_000);
    assert!(run.passes(), "{:?}", run.checks());
}

/// A disk without room ends its broker; the others go on.
#[test]
fn a_full_disk_stops_its_broker() {
    let text = format!(
        "{CLUSTER}producer web acks=all linger.ms=0\nat 1s  disk b1 full\nat 2s  produce web t \"1\"\n\
         at 30s  expect leader t/0 = b2\n        expect state b1 = stopped\n        expect count acknowledged = 1\n"
    );
    let run = play(&text, 31_000_000);
    assert!(run.passes(), "{:?}", run.checks());
}
