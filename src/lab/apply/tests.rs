//! Commands that change what stands.

use crate::lab::checks::Verdict;
use crate::lab::run::Run;

fn play(text: &str, until_us: u64) -> Run {
    let mut run = Run::open(text);
    assert!(run.errors().is_empty(), "{:?}", run.errors());
    assert!(run.play_until_us(until_us, 1_000_000));
    assert!(run.refused().is_empty(), "{:?}", run.refused());
    for check in run.checks() {
        assert_eq!(check.verdict, Verdict::Passed, "{}: {:?}", check.expected, check.found);
    }
    run
}

#[test]
fn a_servers_settings_hold_from_its_next_start() {
    let text = "lab 1\nseed 1\ncontroller c1\nbroker b1..b3\ntopic t partitions=1 replicas=b1,b2,b3\n\
                at 1s set c1 broker.session.timeout.ms=3000\n\
                at 2s crash b1\n\
                at 8s expect leader t/0 = b1\n\
                at 15s expect leader t/0 = b2\n\
                at 16s restart b1\n\
                at 30s shutdown c1\n\
                at 31s restart c1\n\
                at 40s crash b2\n\
                at 46s expect leader t/0 = b1\n";
    play(text, 50_000_000);
}

#[test]
fn each_broker_has_the_rack_of_its_host_or_its_own() {
    let text = "lab 1\nseed 1\nhost h1 h2\nrack east h1\ncontroller c1\n\
                broker b1 on=h1\nbroker b2..b3\nbroker b4 on=h2 rack=own\nrack west b2 b3\n\
                at 1s rack south b1\n\
                at 2s shutdown b1\n\
                at 15s restart b1\n";
    let run = play(text, 60_000_000);
    let image = run.world().image().expect("a controller");
    let racks: Vec<Option<&str>> = image.brokers.values().map(|b| b.node.rack.as_deref()).collect();
    assert_eq!(racks, [Some("south"), Some("west"), Some("west"), Some("own")]);
}

#[test]
fn what_the_broker_refuses_is_told_in_its_own_words() {
    let text = "lab 1\nrabbit r1\nqueue q durable\nqueue q\npublisher api\n\
                at 1s queue q x-message-ttl=5\n\
                at 2s expect error r1 = PRECONDITION_FAILED\n\
                at 3s exchange x\n\
                at 4s delete exchange x\n\
                at 5s publish api x \"1\"\n\
                at 6s expect error api = NOT_FOUND\n\
                at 7s expect consumers q = 0\n";
    let mut run = Run::open(text);
    assert!(run.play_until_us(10_000_000, 1_000_000));
    let refused: Vec<(u32, String)> = run.refused().into_iter().map(|r| (r.line, r.why)).collect();
    let durable = "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but \
                   current is 'true'";
    assert_eq!(refused, [(4, durable.to_string())]);
    for check in run.checks() {
        assert_eq!(check.verdict, Verdict::Passed, "{}: {:?}", check.expected, check.found);
    }
}

#[test]
fn a_subscriber_settles_by_hand() {
    let text = "lab 1\nrabbit r1\nqueue q\npublisher api confirm\nsubscriber s1 queue=q prefetch=2 ack=manual\n\
                at 1s publish api amq.default key=q count=3 \"m\"\n\
                at 2s expect unacked q = 2\n\
                expect ready q = 1\n\
                ack s1\n\
                at 3s expect fate \"m-1\" contains consumed\n\
                nack s1 multiple requeue=false\n\
                at 4s expect fate \"m-2\" contains dropped\n\
                expect count waiting rabbit = 0\n\
                expect count dropped rabbit = 2\n";
    play(text, 6_000_000);
}
