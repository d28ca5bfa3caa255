//! Runs as a whole: the same text does the same however it is reached.

use super::Run;
use crate::lab::checks::Verdict;
use crate::lab::view::{CellState, Health, LogEntry, MarkKind, Weight};
use proptest::prelude::*;

const LOSS: &str = r#"lab 1
title "acks=1: acknowledged, then gone"
seed 7

controller c1
broker b1
broker b2
broker b3
topic loan_request partitions=1 replicas=b1,b2,b3
producer web acks=1

at 1s     produce web loan_request key=kim "300"
at 2s     cut b1 -> b2 b3
at 2.1s   produce web loan_request key=lee "500"
at 2.2s   crash b1
at 15s    expect leader loan_request/0 = b2
          expect fate "500" = acknowledged, lost
          expect count lost = 0
at 16s    heal
          restart b1
eventually isr loan_request/0 = b1 b2 b3 within 30s
always    one-leader-per-epoch
"#;

const LOAD: &str = r#"lab 1
seed 3
controller c1
broker b1..b3
topic orders partitions=2 replicas=3
producer web acks=all
consumer w1 group=risk topics=orders work=5ms
start web orders rate=20/s keys=5
at 3s     crash b2
at 6s     restart b2
"#;

fn at(run: &mut Run, us: u64) {
    assert!(run.play_until_us(us, 1_000_000));
}

/// Everything of a run that a person can see at its present.
fn seen(run: &Run) -> (u64, u64, u64, Vec<LogEntry>, String) {
    let log = run.log(0..run.event() + 1, Weight::Matters, "");
    (
        run.hash(),
        run.event(),
        run.now_us(),
        log,
        format!("{:?}{:?}", run.view(), run.checks()),
    )
}

#[test]
fn the_first_scenario_of_the_language_does_what_it_says() {
    let mut run = Run::open(LOSS);
    assert_eq!(run.errors(), &[]);
    at(&mut run, 40_000_000);
    assert_eq!(run.refused(), &[]);
    let verdicts: Vec<Verdict> = run.checks().into_iter().map(|check| check.verdict).collect();
    use Verdict::*;
    assert_eq!(verdicts, vec![Passed, Passed, Failed, Passed, HoldsSoFar]);
    let kinds: Vec<MarkKind> = run.marks().into_iter().map(|mark| mark.kind).collect();
    for kind in [
        MarkKind::Fault,
        MarkKind::Election,
        MarkKind::Loss,
        MarkKind::Check { passed: false },
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[test]
fn a_failed_check_says_since_when() {
    let mut run = Run::open(LOSS);
    at(&mut run, 20_000_000);
    let failed = run
        .checks()
        .into_iter()
        .find(|check| check.verdict == Verdict::Failed)
        .unwrap();
    assert_eq!(
        (failed.expected.as_str(), failed.found.as_deref()),
        ("count lost = 0", Some("1"))
    );
    let since = run.since(&failed).unwrap();
    let lost = run
        .marks()
        .into_iter()
        .find(|mark| mark.kind == MarkKind::Loss)
        .unwrap();
    assert_eq!(since, lost.event);
}

#[test]
fn why_leads_from_the_loss_to_the_crash() {
    let mut run = Run::open(LOSS);
    at(&mut run, 20_000_000);
    let lost = run.log(0..u64::MAX, Weight::Alarm, "500 lost").pop().unwrap();
    let chain = run.why(lost.event, lost.index);
    let sentences: Vec<String> = chain
        .iter()
        .map(|link| format!("{}: {}", link.who, link.sentence))
        .collect();
    assert_eq!(chain[0].rule, Some("ledger/lost"), "{sentences:#?}");
    assert_eq!(
        sentences.last().map(String::as_str),
        Some("you: crash b1"),
        "{sentences:#?}"
    );
    assert!(
        sentences.iter().any(|s| s.starts_with("c1: b1 fenced")),
        "{sentences:#?}"
    );
    let settings: Vec<_> = chain.iter().flat_map(|link| &link.config).collect();
    assert!(
        settings.contains(&&("broker.session.timeout.ms", "9000".to_string())),
        "{settings:?}"
    );
    let (a, b) = (
        chain.len(),
        chain.windows(2).filter(|pair| pair[0].event >= pair[1].event).count(),
    );
    assert_eq!(a - 1, b, "effects come first");
}

#[test]
fn the_picture_shows_the_loss_and_its_ghost() {
    let mut run = Run::open(LOSS);
    at(&mut run, 14_000_000);
    let view = run.view();
    let b1 = &view.brokers[0];
    assert_eq!(
        (b1.name.as_str(), b1.health, b1.since_us),
        ("b1", Health::Crashed, 2_200_000)
    );
    let cell = b1.replicas[0].cells.last().unwrap();
    assert_eq!((cell.offset, cell.state, cell.acknowledged), (1, CellState::Lost, true));
    assert_eq!(cell.value.as_deref(), Some("500"));
    assert_eq!(view.topics[0].partitions[0].leader.as_deref(), Some("b2"));
    assert_eq!(
        (view.ledger.sent, view.ledger.acknowledged, view.ledger.lost),
        (2, 2, 1)
    );
    assert!(
        b1.faults.iter().any(|fault| fault == "cannot reach b2"),
        "{:?}",
        b1.faults
    );
    assert!(
        view.invariants
            .iter()
            .any(|i| i.name == "no-acknowledged-record-lost" && i.broken.is_some())
    );
    at(&mut run, 20_000_000);
    let b1 = &run.view().brokers[0];
    assert_eq!((b1.health, b1.replicas[0].end), (Health::Up, 1));
    let states: Vec<_> = b1.replicas[0]
        .cells
        .iter()
        .map(|cell| (cell.offset, cell.state))
        .collect();
    assert_eq!(states, vec![(0, CellState::Committed), (1, CellState::Lost)]);
}

#[test]
fn a_group_is_shown_by_its_coordinator() {
    let (quiet, _) = LOAD.split_once("at 3s").unwrap();
    let mut run = Run::open(quiet);
    at(&mut run, 9_000_000);
    let view = run.view();
    let group = &view.groups[0];
    assert_eq!(
        (group.name.as_str(), group.state.as_str(), group.members.len()),
        ("risk", "Stable", 1)
    );
    assert_eq!(group.members[0].assignment.len(), 2);
    assert!(
        view.brokers
            .iter()
            .any(|b| Some(&b.name) == group.coordinator.as_ref() && b.coordinates == ["risk"])
    );
    assert!(view.ledger.acknowledged > 20, "{:?}", view.ledger);
}

#[test]
fn a_command_in_the_present_goes_on_and_in_the_past_begins_a_branch() {
    let mut run = Run::open(LOAD);
    at(&mut run, 2_000_000);
    assert!(run.command("crash b1").unwrap().ends_with("crash b1"));
    assert_eq!(run.branches().len(), 1);
    at(&mut run, 5_000_000);
    let end = seen(&run);
    run.seek_us(1_000_000);
    run.command("freeze b3").unwrap();
    assert_eq!(run.branches().len(), 2);
    at(&mut run, 5_000_000);
    assert_ne!(run.hash(), end.0);
    assert_eq!(run.branches()[1].parent, Some(0));
    assert!(run.switch_branch(0));
    run.seek_us(5_000_000);
    assert_eq!(seen(&run), end);
}

#[test]
fn what_cannot_be_done_stays_out_of_the_text() {
    let mut run = Run::open(LOAD);
    at(&mut run, 1_000_000);
    let (text, before) = (run.text().to_string(), seen(&run));
    let told = run.command("restart b1").unwrap_err().to_string();
    assert!(told.contains("`b1` runs"), "{told}");
    assert!(run.command("crsh b1").is_err());
    assert!(run.command("").is_err());
    assert_eq!((run.text(), seen(&run)), (&*text, before));
}

#[test]
fn undo_takes_a_command_back() {
    let mut run = Run::open(LOAD);
    at(&mut run, 4_000_000);
    let before = seen(&run);
    run.command("crash b1").unwrap();
    assert!(run.can_undo() && run.undo() && !run.undo());
    run.seek_us(4_000_000);
    assert_eq!((run.text(), seen(&run)), (LOAD, before));
}

#[test]
fn an_edited_text_does_what_a_new_one_does() {
    for (from, to) in [
        ("at 6s     restart b2", "at 7s     restart b2"),
        ("at 3s     crash b2", "at 2s     crash b3 # sooner"),
        ("seed 3", "seed 4"),
        (
            "at 6s     restart b2\n",
            "at 6s     restart b2\nalways count lost = 0\n",
        ),
    ] {
        let text = LOAD.replace(from, to);
        assert_ne!(text, LOAD);
        let mut edited = Run::open(LOAD);
        at(&mut edited, 6_500_000);
        edited.set_text(&text);
        let mut fresh = Run::open(&text);
        at(&mut fresh, 6_500_000);
        assert_eq!(seen(&edited), seen(&fresh), "{to}");
    }
}

#[test]
fn interesting_steps_stop_where_the_log_has_a_line() {
    let mut run = Run::open(LOSS);
    at(&mut run, 2_300_000);
    assert!(run.step_interesting());
    assert_eq!(run.now_us(), 11_500_000);
    assert!(run.view().caption.contains("b1"));
}

#[test]
fn details_come_back_by_replay() {
    let mut run = Run::open(LOSS);
    at(&mut run, 3_000_000);
    let live = run.log(0..run.event() + 1, Weight::Detail, "appended");
    run.seek_us(10_000_000);
    run.seek_us(3_000_000);
    assert_eq!(run.log(0..run.event() + 1, Weight::Detail, "appended"), live);
    assert_eq!(live.len(), 2);
}

/// A quiet cluster and more lines.
fn with(lines: &str) -> Run {
    let (quiet, _) = LOAD.split_once("at 3s").unwrap();
    let run = Run::open(&format!("{quiet}{lines}"));
    assert_eq!(run.errors(), &[]);
    run
}

#[test]
fn eventually_is_over_when_its_time_is() {
    let mut run =
        with("at 1s crash b3\neventually state b3 = fenced within 2s\neventually state b3 = crashed within 2s\n");
    at(&mut run, 2_999_999);
    let verdicts = |run: &Run| {
        run.checks()
            .into_iter()
            .map(|c| (c.verdict, c.found))
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&run)[0], (Verdict::Open, None));
    at(&mut run, 4_000_000);
    assert_eq!(verdicts(&run)[0], (Verdict::Failed, Some("crashed".into())));
    assert_eq!(verdicts(&run)[1], (Verdict::Passed, Some("crashed".into())));
    let mark = run
        .marks()
        .into_iter()
        .find(|mark| mark.kind == MarkKind::Check { passed: false })
        .unwrap();
    assert_eq!(mark.at_us, 3_000_001);
}

#[test]
fn always_and_never_fail_with_the_event_that_broke_them() {
    let text = LOSS.replace(
        "always    one",
        "always count lost = 0\nnever leader loan_request/0 = b2\nalways one",
    );
    let mut run = Run::open(&text);
    at(&mut run, 20_000_000);
    let lost = run
        .marks()
        .into_iter()
        .find(|mark| mark.kind == MarkKind::Loss)
        .unwrap();
    let failed: Vec<_> = run
        .checks()
        .into_iter()
        .filter(|c| c.verdict == Verdict::Failed)
        .collect();
    let always = failed.iter().find(|c| c.expected.starts_with("always")).unwrap();
    assert_eq!((always.event, always.found.as_deref()), (Some(lost.event), Some("1")));
    let never = failed.iter().find(|c| c.expected.starts_with("never")).unwrap();
    assert_eq!(
        never.event.map(|event| event + 1),
        Some(lost.event),
        "the controller elects, then b2 hears of it"
    );
    run.seek_us(5_000_000);
    let open: Vec<Verdict> = run.checks().into_iter().map(|check| check.verdict).collect();
    assert!(!open.contains(&Verdict::Failed) && !run.branch().journal.marks().is_empty());
}

#[test]
fn a_line_that_cannot_be_done_is_told_with_its_number() {
    let mut run = with("at 1s restart b3\n");
    at(&mut run, 900_000);
    assert_eq!(run.refused(), &[]);
    at(&mut run, 1_000_000);
    let refused = run.refused();
    assert_eq!(refused.len(), 1);
    let line = run
        .text()
        .lines()
        .nth(refused[0].line as usize - 1)
        .unwrap()
        .to_string();
    assert_eq!(
        (line.as_str(), refused[0].why.contains("runs")),
        ("at 1s restart b3", true)
    );
    assert_eq!(run.log(0..u64::MAX, Weight::Alarm, "refused").len(), 1);
}

#[test]
fn every_event_is_counted_and_messages_fly() {
    let mut run = with("");
    let mut flown = false;
    while run.now_us() < 2_000_000 && run.step() {
        let data = |f: &crate::lab::view::FlightView| f.class == crate::lab::view::FlightClass::Data;
        flown |= run
            .flights()
            .iter()
            .any(|f| data(f) && f.kind == "ProduceRequest" && &*f.from == "web");
    }
    let bins = run.density(0, run.now_us() + 1, 10);
    let sum: u32 = bins
        .iter()
        .map(|bin| bin.data + bin.control + bin.clients + bin.idle)
        .sum();
    assert_eq!((u64::from(sum), flown), (run.event(), true));
}

/// The hash after each event of the load's first seconds.
fn hashes(until_us: u64) -> Vec<u64> {
    let mut run = Run::open(LOAD);
    let mut hashes = vec![run.hash()];
    while run.now_us() < until_us && run.step() {
        hashes.push(run.hash());
    }
    hashes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_way_to_a_moment_leads_to_the_same(moves in prop::collection::vec((0u8..5, 0u64..8_000_000), 1..12)) {
        let known = hashes(8_000_000);
        let mut run = Run::open(LOAD);
        for (kind, to) in moves {
            match kind {
                0 => run.seek_us(to),
                1 => run.seek_event(to % known.len() as u64),
                2 => run.step_back(),
                3 => { run.step(); }
                _ => { run.play_until_us(to, 500); }
            }
            if let Some(hash) = known.get(run.event() as usize) {
                prop_assert_eq!(run.hash(), *hash);
            }
        }
    }

    #[test]
    fn live_commands_and_their_text_do_the_same(
        acts in prop::collection::vec((0usize..11, 1u64..1_500_000, 0u64..40), 1..6),
    ) {
        const LINES: [&str; 11] = [
            "crash b1", "restart b1", "cut b2 -> b3", "heal", "produce web orders \"x\"", "freeze w1", "thaw w1",
            "begin bank", "produce bank orders \"y\"", "end bank", "end bank abort offsets=w1",
        ];
        let text = LOAD.replace("producer web acks=all\n", "producer web acks=all\nproducer bank transactional.id=bank-1\n");
        let mut live = Run::open(&text);
        for (which, pause, steps) in acts {
            let now = live.now_us();
            live.play_until_us(now + pause, 100_000);
            for _ in 0..steps {
                live.step();
            }
            // A refused line changes nothing.
            let _ = live.command(LINES[which]);
        }
        let now = live.now_us();
        live.play_until_us(now + 2_000_000, 1_000_000);
        let mut told = Run::open(live.text());
        told.play_until_us(now + 2_000_000, 1_000_000);
        prop_assert_eq!(seen(&live), seen(&told));
    }
}

const REFUSED: &str = r#"lab 1
seed 7
controller c1
broker b1
topic orders partitions=1 replicas=1
producer web
consumer w1 group=risk topics=orders

at 1s     produce web orders "300"
at 9s     crash b1
at 12s    expect log web contains "could not be established"
          expect log w1 contains "[Consumer clientId=w1, groupId=risk] Successfully joined group with generation"
          expect log web != "Bootstrap broker b1"
          expect log w1 contains "no such line"
"#;

#[test]
fn what_clients_log_is_kept_and_can_be_expected() {
    let mut run = Run::open(REFUSED);
    run.seek_us(13_000_000);
    let verdicts: Vec<Verdict> = run.checks().into_iter().map(|check| check.verdict).collect();
    use Verdict::{Failed, Passed};
    assert_eq!(verdicts, [Passed, Passed, Passed, Failed], "{:?}", run.checks());
    let lines = run.client_log(0..u64::MAX, "web Node 1");
    let texts: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
    assert!(
        texts.contains(&"INFO [Producer clientId=web] Node 1 disconnected. (org.apache.kafka.clients.NetworkClient)")
    );
    assert!(texts.contains(
        &"WARN [Producer clientId=web] Connection to node 1 (b1:9092) could not be established. Node may not be \
          available. (org.apache.kafka.clients.NetworkClient)"
    ));
    // They are details of the whole log, each once, and nothing to stop at.
    let details = run.log(0..u64::MAX, Weight::Detail, "web Node 1");
    assert_eq!(details.iter().filter(|line| line.client_log).count(), lines.len());
    let matters = run.log(0..u64::MAX, Weight::Matters, "");
    assert!(matters.iter().all(|line| line.weight >= Weight::Matters));
}
