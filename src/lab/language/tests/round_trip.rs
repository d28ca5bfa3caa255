//! Printing and reading are each other's inverse; edits leave all else alone.

use proptest::prelude::*;

use super::{generate, samples};
use crate::lab::language::ast::{Content, Line, When};
use crate::lab::language::edit::{insert_command_at, remove_line, replace_line};
use crate::lab::language::errors::Kind;
use crate::lab::language::{parse, print};

#[test]
fn the_page_s_own_scenario_is_read_and_printed() {
    let parsed = parse(samples::LOST);
    assert_eq!(parsed.errors, []);
    let canonical = r#"lab 1
title "acks=1: acknowledged, then gone"
about "The leader answers before anyone else has the record. If it dies in that moment, the record dies with it."
seed 7

controller c1
broker b1
broker b2
broker b3
topic loan_request partitions=1 replicas=b1,b2,b3
producer web acks=1

at 1s  produce web loan_request key=kim "300"
at 2s  cut b1 -> b2 b3  # the followers hear nothing new from the leader
at 2.1s  produce web loan_request key=lee "500"
at 2.2s  crash b1
at 15s  note "The controller has fenced b1 and elected b2."
        expect leader loan_request/0 = b2
        expect fate "500" = acknowledged, lost
at 16s  heal
        restart b1
eventually isr loan_request/0 = b1 b2 b3 within 30s
always one-leader-per-epoch
"#;
    assert_eq!(print(&parsed.scenario), canonical);
    assert_eq!(parse(canonical), parsed);
}

#[test]
fn every_sentence_is_read_and_printed_the_same_way() {
    let parsed = parse(samples::ALL);
    assert!(parsed.errors.is_empty(), "{}", parsed.errors[0]);
    let canonical = print(&parsed.scenario);
    let again = parse(&canonical);
    assert!(again.errors.is_empty(), "{}", again.errors[0]);
    assert_eq!(again.scenario, parsed.scenario);
    assert_eq!(print(&again.scenario), canonical);
    for verb in crate::lab::language::words::VERBS {
        let used = samples::ALL
            .lines()
            .any(|line| line.split_whitespace().any(|word| word == verb.name));
        assert!(
            used || verb.name == "compose"
                || verb.part == crate::lab::language::words::Part::Later
                || verb.name == "add",
            "{} is not tried",
            verb.name
        );
    }
}

#[test]
fn what_is_not_here_yet_is_kept_and_told() {
    for (text, told) in [(samples::BOTH, 0), (samples::COMPOSE, 0)] {
        let parsed = parse(text);
        assert_eq!(parsed.errors.len(), told, "{:?}", parsed.errors);
        assert!(
            parsed
                .errors
                .iter()
                .all(|e| e.kind == Kind::NotYet && e.message.ends_with("is not here yet"))
        );
        assert!(
            parsed
                .scenario
                .lines
                .iter()
                .all(|line| !matches!(line.content, Content::Unread(_)))
        );
        let canonical = print(&parsed.scenario);
        assert_eq!(parse(&canonical).scenario, parsed.scenario);
        assert_eq!(print(&parse(&canonical).scenario), canonical);
    }
    assert!(print(&parse(samples::COMPOSE).scenario).contains("\n      KAFKA_CREATE_TOPICS: \"loan_request:1:1\"\n"));
}

/// What lines say, and when; remarks and blank lines happen at no time.
fn said(lines: &[Line]) -> Vec<(u64, &Content)> {
    lines
        .iter()
        .filter(|line| line.content != Content::Blank)
        .map(|line| (line.at_us, &line.content))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_printed_gives_the_same_scenario(scenario in generate::scenario()) {
        let text = print(&scenario);
        let parsed = parse(&text);
        let wrong: Vec<_> = parsed.errors.iter().filter(|e| e.kind != Kind::NotYet).map(|e| e.to_string()).collect();
        prop_assert!(wrong.is_empty(), "{}\n{}", wrong[0], text);
        prop_assert_eq!(&parsed.scenario, &scenario, "{}", text);
        prop_assert_eq!(print(&parsed.scenario), text);
    }

    #[test]
    fn an_edit_changes_one_line(scenario in generate::scenario(), pick: prop::sample::Index, at_us in 0u64..200_000_000, spaces in 0usize..3) {
        // Not the canonical text: odd blanks are to survive.
        let text = print(&scenario).replace("  ", &" ".repeat(spaces + 2));
        let before = parse(&text).scenario;

        let inserted = insert_command_at(&text, at_us, "crash b1");
        let after = parse(&inserted.text).scenario;
        let mut there = after.lines.clone();
        let at = there.iter().position(|line| line.number == inserted.line).unwrap();
        let new = there.remove(at);
        prop_assert_eq!(new.at_us, at_us);
        prop_assert_eq!(said(&before.lines), said(&there));
        let mut lines: Vec<&str> = inserted.text.split('\n').collect();
        lines.remove(inserted.line as usize - 1);
        let changed: Vec<_> = text.split('\n').zip(&lines).filter(|(a, b)| a != *b).collect();
        prop_assert!(lines.len() == text.split('\n').count() && changed.len() <= 1);
        prop_assert!(changed.iter().all(|(a, b)| a.trim_start().starts_with("after") && b.trim_start().starts_with("after")));

        let line = &before.lines[pick.index(before.lines.len())];
        let used = line.extra_lines() + 1;
        let replaced = replace_line(&text, line.number, "  heal # x").unwrap().text;
        let (old, new): (Vec<&str>, Vec<&str>) = (text.split('\n').collect(), replaced.split('\n').collect());
        let first = line.number as usize - 1;
        prop_assert_eq!(&old[..first], &new[..first]);
        prop_assert_eq!("  heal # x", new[first]);
        prop_assert_eq!(&old[first + used..], &new[first + 1..]);

        // Without the set-up's own lines others would speak of names that are not there.
        if line.number as usize > generate::SETUP.lines().count() {
            let removed = remove_line(&text, line.number).unwrap().text;
            let rest = parse(&removed).scenario.lines;
            let others: Vec<Line> = before.lines.iter().filter(|l| l.number != line.number).cloned().collect();
            prop_assert_eq!(said(&others), said(&rest));
        }
    }
}

#[test]
fn an_inserted_command_stands_where_a_person_would_put_it() {
    let text = "lab 1\r\nbroker b1\r\n\r\n# now it happens\r\nat 2s crash b1\r\n   # why\r\nat   5s restart b1";
    let at = |us| insert_command_at(text, us, "freeze b1");
    assert_eq!(
        (at(0).line, at(1_000_000).line, at(2_000_000).line, at(9_000_000).line),
        (3, 3, 6, 8)
    );
    assert!(at(0).text.starts_with("lab 1\r\nbroker b1\r\nfreeze b1\r\n\r\n"));
    assert!(at(2_000_000).text.contains("crash b1\r\n       freeze b1\r\n   # why"));
    assert!(at(9_000_000).text.ends_with("at   5s restart b1\r\nat 9s  freeze b1"));
    let counted = insert_command_at(
        "lab 1\nbroker b1\nat 1s crash b1\nafter 5s  restart b1 # five\n",
        3_000_000,
        "heal",
    );
    assert_eq!(
        counted.text,
        "lab 1\nbroker b1\nat 1s crash b1\nat 3s  heal\nafter 3s  restart b1 # five\n"
    );
    assert_eq!(insert_command_at("", 0, "heal").text, "heal\n");
}

#[test]
fn a_removed_line_leaves_its_time_if_others_count_from_it() {
    let text = "lab 1\nbroker b1\nat 1s crash b1\n  heal\nat 2s restart b1\nat 3s freeze b1\n";
    assert_eq!(
        remove_line(text, 3).unwrap().text,
        "lab 1\nbroker b1\nat 1s\n  heal\nat 2s restart b1\nat 3s freeze b1\n"
    );
    assert_eq!(
        remove_line(text, 5).unwrap().text,
        "lab 1\nbroker b1\nat 1s crash b1\n  heal\nat 3s freeze b1\n"
    );
    assert_eq!(remove_line(text, 7), None);
    assert!(matches!(
        parse(&remove_line(text, 3).unwrap().text).scenario.lines[2].when,
        When::At(1_000_000)
    ));
}
