//! Each famous fix, off and on: the same schedule shows the bug and its cure, and one word is all that differs.

use brokerlab::lab::checks::Verdict;
use brokerlab::lab::library;
use brokerlab::lab::run::Run;

const CLUSTER: &str = "lab 1\nseed 7\ncontroller c1\nbroker b1..b3\n";

fn play(text: &str, until_us: u64) -> Run {
    let mut run = Run::open(text);
    assert!(run.errors().is_empty(), "{:?}\n{text}", run.errors());
    assert!(run.play_until_us(until_us, 2_000_000), "it does not come to its end");
    let refused = run.refused();
    assert!(refused.is_empty(), "{refused:?}");
    run
}

/// Plays a schedule with a rule off and on, and looks at second `at` for what holds then.
fn both(rule: &str, schedule: &str, at: u64, off: &[&str], on: &[&str]) {
    for (word, expected) in [("off", off), ("on", on)] {
        let checks: String = expected
            .iter()
            .map(|check| format!("at {at}s expect {check}\n"))
            .collect();
        let text = format!("{CLUSTER}rule {rule} {word}\n{schedule}{checks}");
        let run = play(&text, at * 1_000_000 + 1);
        for check in run.checks() {
            let found = check.found.as_deref().unwrap_or("nothing");
            let passed = check.verdict == Verdict::Passed;
            assert!(passed, "{rule} {word}: {}: found {found}", check.expected);
        }
    }
}

/// A shipped scenario with its rule on instead of off, and what it looks like then at its end.
fn cured(name: &str, rule: &str, at: u64, expected: &[&str]) {
    let shipped = library::find(name).expect("it is shipped");
    let schedule: Vec<&str> = shipped.text.lines().filter(|line| !line.contains("expect ")).collect();
    let (off, on) = (format!("rule {rule} off"), format!("rule {rule} on"));
    let text = schedule.join("\n");
    assert!(text.contains(&off), "{name} does not turn {rule} off");
    let checks: String = expected
        .iter()
        .map(|check| format!("\nat {at}s expect {check}"))
        .collect();
    let run = play(&(text.replace(&off, &on) + &checks), at * 1_000_000 + 1);
    for check in run.checks() {
        let found = check.found.as_deref().unwrap_or("nothing");
        assert_eq!(
            check.verdict,
            Verdict::Passed,
            "{name}: {}: found {found}",
            check.expected
        );
    }
}

#[test]
fn kip_101_keeps_what_was_committed() {
    let expected = [
        "fate \"300\" = acknowledged",
        "log loans/0@b3 = \"300\"",
        "leader loans/0 = b3",
    ];
    cured("kip-101", "kip-101", 25, &expected);
}

#[test]
fn kip_101_makes_logs_agree_after_a_power_failure() {
    let schedule = "rule kip-966 off
topic loans partitions=1 replicas=b1,b2
producer web linger.ms=0
at 2s   produce web loans \"one\"
at 10s  crash b1
at 10.5s power-off b2
at 24s  restart b2
at 34s  produce web loans \"another\"
at 40s  restart b1
";
    let common = "log loans/0@b2 = \"another\"";
    both(
        "kip-101",
        schedule,
        70,
        &[common, "log loans/0@b1 = \"one\"", "isr loans/0 = b1 b2"],
        &[common, "log loans/0@b1 = \"another\"", "isr loans/0 = b1 b2"],
    );
}

#[test]
fn kip_320_shows_a_consumer_that_its_log_was_cut() {
    let schedule = "topic loans partitions=1 replicas=b1,b2 unclean.leader.election.enable=true
producer web acks=1 linger.ms=0 enable.idempotence=false
consumer w1 group=risk topics=loans auto.offset.reset=earliest
at 4s   produce web loans \"old 0\"
        produce web loans \"old 1\"
at 6s   cut b1 <-> b2
at 7s   produce web loans \"old 2\"
        produce web loans \"old 3\"
at 45s  freeze w1
        crash b1
at 60s  produce web loans \"new 2\"
        produce web loans \"new 3\"
        produce web loans \"new 4\"
at 65s  thaw w1
";
    let common = "log loans/0@b2 = \"old 0\" \"old 1\" \"new 2\" \"new 3\" \"new 4\"";
    both(
        "kip-320",
        schedule,
        75,
        &[
            common,
            "fate \"new 4\" contains delivered",
            "fate \"new 2\" = acknowledged",
        ],
        &[
            common,
            "fate \"new 4\" contains delivered",
            "fate \"new 2\" contains delivered",
        ],
    );
}

#[test]
fn kip_841_keeps_a_fenced_follower_out() {
    let schedule = "topic loans partitions=1 replicas=b1,b2,b3
at 2s   cut b2 <-> c1
";
    both(
        "kip-841",
        schedule,
        20,
        &["isr loans/0 = b1 b2 b3", "state b2 = fenced"],
        &["isr loans/0 = b1 b3", "state b2 = fenced"],
    );
}

#[test]
fn kip_966_remembers_who_has_everything() {
    let schedule = "topic loans partitions=1 replicas=b1,b2,b3 min.insync.replicas=2
producer web linger.ms=0
at 2s   produce web loans \"300\"
at 3s   shutdown b1
at 8s   shutdown b3
at 13s  power-off b2
at 30s  restart b2
at 45s  restart b1
        restart b3
";
    both(
        "kip-966",
        schedule,
        70,
        &["fate \"300\" = acknowledged, lost", "leader loans/0 = b2"],
        &["fate \"300\" = acknowledged"],
    );
}

#[test]
fn kip_890_refuses_a_late_record() {
    let expected = [
        "log loans/0@b1 = \"whole\"",
        "fate \"late\" = failed",
        "fate \"whole\" contains delivered",
        "hw loans/0@b1 = 1",
        "lso loans/0@b1 = 1",
    ];
    cured("hanging-transaction-v1", "kip-890", 301, &expected);
}

#[test]
fn kip_890_refuses_a_late_end() {
    let schedule = "topic loans partitions=2 replicas=b1,b2,b3
producer bank transactional.id=bank-1 linger.ms=0 request.timeout.ms=4000
consumer w1 group=risk topics=loans auto.offset.reset=earliest isolation.level=read_committed
at 5s   begin bank
        produce bank loans/0 \"first\"
at 6s   delay next EndTxnRequest bank -> b1 8s
        end bank
at 12s  begin bank
        produce bank loans/0 \"a\"
at 16s  produce bank loans/1 \"b\"
at 17s  end bank abort
";
    both(
        "kip-890",
        schedule,
        20,
        &["fate \"a\" contains delivered", "fate \"b\" = acknowledged, aborted"],
        &[
            "fate \"a\" = acknowledged, aborted",
            "fate \"b\" = acknowledged, aborted",
            "fate \"first\" contains delivered",
        ],
    );
}

/// The highest epoch of the quorum after a voter was alone for a while and came back.
fn epoch_after_rejoin(word: &str) -> i32 {
    let text = format!(
        "lab 1\nseed 7\nrule kip-996 {word}\ncontroller c1..c3\nbroker b1\nat 5s cut c1 | c2 c3\nat 25s heal\n"
    );
    // The leader may be any of the three; whoever it is, one that does not lead is cut off.
    let leads = play(&text, 4_000_000)
        .view()
        .controllers
        .iter()
        .find(|c| c.active)
        .map(|c| c.name.clone());
    let alone = if leads.as_deref() == Some("c1") { "c2" } else { "c1" };
    let others: Vec<&str> = ["c1", "c2", "c3"].into_iter().filter(|c| *c != alone).collect();
    let text = text.replace("cut c1 | c2 c3", &format!("cut {alone} | {}", others.join(" ")));
    let run = play(&text, 40_000_000);
    run.view().controllers.iter().map(|c| c.epoch).max().unwrap_or(0)
}

#[test]
fn kip_996_leaves_a_healthy_leader_alone() {
    assert_eq!(epoch_after_rejoin("on"), 1);
    assert!(epoch_after_rejoin("off") > 3);
}

#[test]
fn a_version_has_its_fixes_from_the_start() {
    let mut run = Run::open("lab 1\ncontroller c1\nbroker b1\nat 5s rule kip-101 off\n");
    run.play_until_us(6_000_000, 1_000_000);
    let why = run.refused().first().map(|refused| refused.why.clone());
    assert!(why.is_some_and(|why| why.contains("at 0s")));
}
