//! Errors as people read them.

use crate::lab::language::ast::Content;
use crate::lab::language::{parse, parse_line, scope::Scope};

const SETUP: &str = "lab 1\ncontroller c1\nbroker b1..b3\nproducer web\nconsumer w1 group=loans topics=loan_request\n";

/// The one error of a line behind the set-up.
fn error(line: &str) -> String {
    let parsed = parse(&format!("{SETUP}{line}\n"));
    assert_eq!(parsed.errors.len(), 1, "{line}: {:?}", parsed.errors);
    assert!(parsed.scenario.lines.len() >= 5);
    parsed.errors[0].to_string()
}

#[test]
fn the_error_of_the_language_s_page() {
    let text = "lab 1\n\n\n\n\n\n\n\nproducer web acks=2\nproduce web t\n";
    let parsed = parse(text);
    assert_eq!(parsed.errors.len(), 1);
    let told = "line 9, column 14: acks=2 is not a value of acks\n  9 | producer web acks=2\n    |              ^^^^^^ one of: 0, 1, all";
    assert_eq!(parsed.errors[0].to_string(), told);
    assert!(
        matches!(parsed.scenario.lines[9].content, Content::Command(_)),
        "the other lines load"
    );
}

#[test]
fn each_error_names_what_would_be_right() {
    for (line, marked, told) in [
        ("prodcue web t", "prodcue", "the nearest: produce"),
        ("crash b4", "b4", "the nearest: b1"),
        ("crash wbe", "wbe", "there is no wbe"),
        ("produce w1 t \"x\"", "w1", "w1 is a consumer"),
        ("produce web t kye=kim", "kye", "the nearest: key"),
        ("produce web t \"a\" \"b\"", "\"b\"", "is more than produce takes"),
        ("produce web t a b", "a b", "stands in quotes"),
        ("produce web t/x", "t/x", "as in: t/0"),
        ("produce web", " ", "the topic is missing"),
        (
            "topic t min.insync.replica=2",
            "min.insync.replica",
            "the nearest: min.insync.replicas",
        ),
        (
            "topic t min.insync.replicas=0",
            "min.insync.replicas=0",
            "a whole number from 1",
        ),
        ("topic t replicas=b1,b9", "b1,b9", "there is no broker b9"),
        (
            "topic t partitions=3 replicas=b1;b2",
            "b1;b2",
            "2 lists of replicas for 3 partitions",
        ),
        ("topic t replicas=b1,b1", "b1,b1", "b1 stands twice"),
        ("consumer w2 topic=t", "topic", "the nearest: topics"),
        ("consumer w1", "w1", "there is a consumer w1 already"),
        ("broker b2", "b2", "there is a broker b2 already"),
        ("broker x1..x400", "x1..x400", "at most 256"),
        ("broker x1..x40", "x1..x40", "at most 32"),
        ("broker x3..x1", "x3..x1", "as in: b1..b3"),
        ("at noon crash b1", "noon", "is not a time"),
        ("at 721h crash b1", "721h", "at most 30 days"),
        ("at", " ", "the time is missing"),
        ("after 1 crash b1", "1", "is not a time"),
        ("expect leader t = b1", "t", "as in: t/0"),
        ("expect laeder t/0 = b1", "laeder", "the nearest: leader"),
        ("expect leader t/0 == b1", "==", "one of: = != < <= > >= contains"),
        ("expect hw t/0 = x", "x", "a whole number"),
        ("expect hw t/0@b7 = 1", "t/0@b7", "there is no broker b7"),
        ("expect count lots = 0", "lots", "the nearest: lost"),
        ("eventually leader t/0 = b1", " ", "within and how long is missing"),
        ("eventually leader t/0 = b1 within soon", "soon", "is not a duration"),
        ("cut b1 b2", " ", "is missing"),
        ("cut b1 -> b1", "->", "nothing lies between"),
        ("delay b1 -> b2 fast", "fast", "is not a duration"),
        ("loss b1 -> b2 110%", "110%", "is not a share"),
        ("disk b1 sloow", "sloow", "is not a state of a disk"),
        (
            "drop ProduceRespnse b1 -> web",
            "ProduceRespnse",
            "the nearest: ProduceResponse",
        ),
        ("rule kip-1 off", "kip-1", "one of: kip-101"),
        ("set b1 acks=1", "acks", "is not a key of a broker"),
        ("alter group g x=1", "group", "is not here yet"),
        ("alter topic t", " ", "what to change is missing"),
        ("seek w1 t/0 -1", "-1", "an offset, beginning or end"),
        ("start web t rate=99999/s", "99999/s", "at most 10000"),
        ("note \"open", "\"open", "the closing quote is missing"),
        ("topic t <<END\nx\nEND", "<<END", "topic takes no block"),
        ("compose <<END\nx", "<<END", "the block has no end"),
        ("lab 1", "lab 1", "on the first line, once"),
        ("wrker $ ls", "wrker", "there is no wrker"),
        ("$", "$", "the command line is missing"),
        ("title a\ntitle b", "title", "title is said twice"),
        ("at 1s heal\nseed 5", "seed", "the seed belongs to the set-up"),
    ] {
        let text = error(line);
        let rows: Vec<&str> = text.lines().collect();
        assert!(text.contains(told), "{text}");
        let from = rows[2].find('^').unwrap();
        let width = rows[2].chars().filter(|c| *c == '^').count();
        let under: String = rows[1].chars().skip(from).take(width).collect();
        assert_eq!(under.trim(), marked.trim(), "{text}");
    }
}

#[test]
fn times_never_go_backwards_and_the_rest_loads() {
    let text = format!("{SETUP}at 3s crash b1\nat 2s restart b1\n   heal\nafter 1s thaw b1\n");
    let parsed = parse(&text);
    assert_eq!(parsed.errors.len(), 1);
    assert!(
        parsed.errors[0]
            .to_string()
            .contains("from 3s on: times never go backwards")
    );
    let times: Vec<u64> = parsed.scenario.lines[5..].iter().map(|line| line.at_us).collect();
    assert_eq!(times, [3_000_000, 3_000_000, 3_000_000, 4_000_000]);
}

#[test]
fn the_version_is_asked_for_once_and_newer_ones_are_refused() {
    let none = parse("broker b1\nbroker b2\n");
    assert_eq!(none.errors.len(), 1);
    assert!(none.errors[0].to_string().ends_with("lab 1"));
    assert_eq!(none.scenario.lines.len(), 2);
    let newer = parse("lab 2\nbroker b1\n");
    assert_eq!(newer.errors.len(), 1);
    assert!(newer.errors[0].to_string().contains("written by a newer Brokerlab"));
    assert_eq!(parse("").errors.len(), 1);
}

#[test]
fn the_console_reads_one_line_among_what_exists() {
    let scope = Scope::of(&parse(SETUP).scenario);
    let line = parse_line("after 200ms crash b1", &scope, 1_000_000).unwrap();
    assert_eq!(line.at_us, 1_200_000);
    assert!(matches!(line.content, Content::Command(_)));
    assert!(parse_line("crash b4", &scope, 0).is_err());
    assert!(parse_line("crash b1\ncrash b2", &scope, 0).is_err());
    assert!(parse_line("crash b1\n", &scope, 0).is_ok());
    assert_eq!(parse_line("", &scope, 7).unwrap().at_us, 7);
}
