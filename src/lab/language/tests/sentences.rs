//! What sentences mean, where the form leaves a choice; completion; the reference.

use crate::lab::language::ast::*;
use crate::lab::language::complete::complete;
use crate::lab::language::reference::describe;
use crate::lab::language::scope::Scope;
use crate::lab::language::{parse, print, words};

const SETUP: &str = "lab 1\ncontroller c1\nbroker b1..b3\nproducer web\nconsumer w1 group=loans topics=loan_request\ntopic loan_request\n\
                 rabbit r8\nexchange loans\nqueue risk\npublisher pub1\nsubscriber s1 queue=risk\n";

fn command(line: &str) -> Command {
    let parsed = parse(&format!("{SETUP}{line}\n"));
    assert!(parsed.errors.is_empty(), "{}", parsed.errors[0]);
    match parsed.scenario.lines.last().map(|line| line.content.clone()) {
        Some(Content::Command(command)) => command,
        other => panic!("{other:?}"),
    }
}

fn canonical(line: &str) -> String {
    let text = print(&parse(&format!("{SETUP}{line}\n")).scenario);
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn many_ways_to_say_it_have_one_canonical_form() {
    for (said, printed) in [
        ("add broker b4", "broker b4"),
        ("broker b4 b5 b6", "broker b4..b6"),
        ("broker b4 b5", "broker b4 b5"),
        ("broker b4 broker.rack=r", "broker b4 rack=r"),
        ("consumer w2 group.id=g work=0s poll=loop", "consumer w2 group=g"),
        ("producer p acks=-1 linger.ms=0.5s", "producer p acks=all linger.ms=500"),
        ("produce web t count=1 300", "produce web t \"300\""),
        ("produce web t \"null\"", "produce web t \"null\""),
        ("produce web t null", "produce web t null"),
        (
            "alter loan_request retention.ms=1s",
            "alter topic loan_request retention.ms=1000",
        ),
        ("delete loan_request", "delete topic loan_request"),
        ("poll w1 timeout=100ms", "poll w1"),
        ("start web t rate=1/s keys=0", "start web t"),
        ("view stage tab=log", "view tab=log"),
        ("expect isr t/0=b1,b2", "expect isr t/0 = b1 b2"),
        ("expect state loans = Empty", "expect state group loans = Empty"),
        ("at 0.5s", "at 500ms"),
        ("crash b1,b2", "crash b1 b2"),
        ("cut b1..b2 -> b3", "cut b1 b2 -> b3"),
        ("rule kip-101 off   #why", "rule kip-101 off  #why"),
    ] {
        assert_eq!(canonical(said), printed);
        assert_eq!(canonical(printed), printed);
    }
}

#[test]
fn delay_is_of_a_link_or_of_a_message() {
    assert!(matches!(
        command("delay b1 -> b2 200ms"),
        Command::Delay { by_us: 200_000, .. }
    ));
    let Command::Message(fault) = command("delay next FetchResponse b1 -> b2 1s") else {
        panic!()
    };
    assert_eq!(
        (fault.action, fault.next, fault.nth),
        (MessageAction::Delay(1_000_000), true, 1)
    );
    let pattern = fault.pattern.unwrap();
    assert!(pattern.fits("FetchResponse", "b1", "b2") && !pattern.fits("FetchRequest", "b1", "b2"));
    let Command::Message(fault) = command("drop Fetch b2 -> b1") else {
        panic!()
    };
    let pattern = fault.pattern.unwrap();
    assert!(pattern.fits("FetchRequest", "b2", "b1") && !pattern.fits("FetchSnapshotRequest", "b2", "b1"));
    assert!(!pattern.fits("FetchRequest", "b1", "b2"));
}

#[test]
fn sides_cut_both_ways_and_nobody_from_itself() {
    let Command::Cut(between) = command("cut b1 b2 | b2 c1") else {
        panic!()
    };
    let pairs: Vec<String> = between.pairs().iter().map(|(a, b)| format!("{a}{b}")).collect();
    assert_eq!(pairs, ["b1b2", "b2b1", "b1c1", "c1b1", "b2c1", "c1b2"]);
}

#[test]
fn node_ids_come_from_the_end_of_a_name() {
    assert_eq!(
        (
            trailing_number("b12"),
            trailing_number("kafka-3"),
            trailing_number("b"),
            trailing_number("7")
        ),
        (Some(12), Some(3), None, Some(7))
    );
    assert_eq!(trailing_number("b99999999999"), None);
}

#[test]
fn completion_offers_what_fits() {
    let scope = Scope::of(&parse(SETUP).scenario);
    let texts = |line: &str| {
        complete(line, line.len(), &scope)
            .into_iter()
            .map(|s| s.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("at 2s cra"), ["crash"]);
    assert_eq!(texts("crash b"), ["b1", "b2", "b3"]);
    assert_eq!(texts("produce "), ["web", "key=", "count="]);
    assert_eq!(texts("produce web l"), ["loan_request"]);
    assert_eq!(texts("producer p acks="), ["acks=0", "acks=1", "acks=all"]);
    assert_eq!(texts("topic t min.ins"), ["min.insync.replicas="]);
    assert_eq!(texts("consumer x group="), ["group=loans"]);
    assert_eq!(texts("expect lea"), ["leader"]);
    assert_eq!(texts("drop ProduceRe"), ["ProduceRequest", "ProduceResponse"]);
    assert_eq!(texts("elect "), ["preferred", "unclean"]);
    assert_eq!(complete("crash b", 2, &scope)[0].text, "crash");
    assert!(texts("").contains(&"produce".to_owned()));
}

#[test]
fn every_form_in_the_reference_is_a_sentence() {
    let text = describe();
    let setup = "lab 1\nhost h1 h2\nbroker b1..b4\nproducer web api\nconsumer w1 group=loans topics=loan_request\nconsumer k2\ntopic loan_request\n\
                 rabbit r8\nexchange loans\nqueue risk\npublisher pub1\nsubscriber s1 queue=risk\n\
                 nginx edge\nbrowser people target=edge\n";
    for verb in words::VERBS.iter().filter(|verb| verb.part != words::Part::Later) {
        assert!(text.contains(&verb.form.replace('|', "\\|")));
        let form = match verb.name {
            "host" => "host h9",
            "broker" => "broker b7..b9",
            "producer" => "producer web2 acks=all",
            "consumer" => "consumer w9 group=loans topics=loan_request work=50ms",
            "add" => "add broker b8",
            "publisher" => "publisher pub9 confirm mandatory persistent",
            "subscriber" => "subscriber s9 queue=risk prefetch=10 work=50ms",
            "nginx" => "nginx edge2 worker_processes=2",
            "browser" => "browser others target=edge clients=50 think=1s path=/loan",
            "publish" => "publish pub1 loans key=loan.kim.high \"300\"",
            "compose" => "compose <<END\nservices: {}\nEND",
            _ => verb.form,
        };
        let parsed = parse(&format!("{setup}{form}\n"));
        assert!(parsed.errors.is_empty(), "{}", parsed.errors[0]);
    }
    for subject in words::SUBJECTS.iter().filter(|subject| !subject.later) {
        let form = subject.form.replace("c2", "c1");
        let parsed = parse(&format!("{setup}expect {form}\n"));
        assert!(parsed.errors.is_empty(), "{}", parsed.errors[0]);
    }
}
