//! Bad input: never a panic, bounded time and memory, and what is kept prints and reads the same again.

use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::samples;
use crate::lab::language::complete::{MOST, complete};
use crate::lab::language::scope::Scope;
use crate::lab::language::{limits, parse, parse_line, print};

/// How many inputs the suite tries.
const INPUTS: usize = 100_000;

/// A text like those that people write, with damage.
fn mutated(random: &mut ChaCha8Rng, texts: &[&str]) -> String {
    let text = texts[random.random_range(0..texts.len() as u32) as usize];
    let lines: Vec<&str> = text.lines().collect();
    let from = random.random_range(0..lines.len() as u32) as usize;
    let to = (from + random.random_range(1..8u32) as usize).min(lines.len());
    let mut bytes = lines[from..to].join("\n").into_bytes();
    for _ in 0..random.random_range(0..6u32) {
        let at = random.random_range(0..bytes.len().max(1) as u32) as usize;
        let other = random.random_range(0..bytes.len().max(1) as u32) as usize;
        match random.random_range(0..6u32) {
            0 if at < bytes.len() => bytes[at] = random.random_range(0..256u32) as u8,
            1 if at < bytes.len() => {
                bytes.remove(at);
            }
            2 => bytes.insert(
                at.min(bytes.len()),
                b"\"\\#=,/@.<>|$ \n0\xf0"[random.random_range(0..16u32) as usize],
            ),
            3 => bytes.truncate(at),
            4 if at < other && other <= bytes.len() => {
                let copy = bytes[at..other].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.extend_from_slice(lines[from].as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn noise(random: &mut ChaCha8Rng) -> String {
    let mut bytes = vec![0; random.random_range(0..200u32) as usize];
    random.fill_bytes(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_hundred_thousand_bad_texts() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let texts = [samples::LOST, samples::BOTH, samples::COMPOSE, samples::ALL];
    let scope = Scope::of(&parse(samples::ALL).scenario);
    for n in 0..INPUTS {
        let text = if n % 8 == 0 {
            noise(&mut random)
        } else {
            mutated(&mut random, &texts)
        };
        let parsed = parse(&text);
        let canonical = print(&parsed.scenario);
        let again = parse(&canonical);
        assert_eq!(again.scenario, parsed.scenario, "{text:?}\n{canonical:?}");
        assert_eq!(print(&again.scenario), canonical, "{text:?}");
        assert_eq!(again.errors.len(), parsed.errors.len(), "{text:?}\n{canonical:?}");
        assert!(parsed.errors.iter().all(|e| e.to_string().len() < 10_000));
        let line = text.lines().next().unwrap_or_default();
        if let Err(error) = parse_line(line, &scope, 5_000_000) {
            assert_eq!(error.line, 1);
        }
        let cursor = random.random_range(0..line.len() as u32 + 2) as usize;
        assert!(complete(line, cursor, &scope).len() <= MOST);
    }
}

#[test]
fn huge_texts_are_refused_or_cut_loudly() {
    let huge = "x".repeat(limits::TEXT_BYTES + 1);
    let parsed = parse(&huge);
    assert_eq!((parsed.errors.len(), parsed.scenario.lines.len()), (1, 0));
    assert!(parsed.errors[0].to_string().contains("at most 262144"));

    let lines = format!("lab 1\n{}", "heal\n".repeat(limits::LINES));
    let parsed = parse(&lines);
    assert_eq!(parsed.errors.len(), 1);
    assert!(
        parsed.errors[0]
            .to_string()
            .starts_with("line 5001, column 1: more than 5000 lines")
    );
    assert_eq!(print(&parsed.scenario), lines);

    let wrong = format!("lab 1\n{}", "nonsense\n".repeat(4_000));
    let parsed = parse(&wrong);
    assert_eq!(parsed.errors.len(), limits::ERRORS + 1);
    assert_eq!(print(&parsed.scenario), wrong);

    let long = format!("lab 1\nnote \"{}\"\nheal\n", "é".repeat(limits::LINE_CHARS));
    let parsed = parse(&long);
    assert_eq!(parsed.errors.len(), 1);
    assert_eq!(print(&parsed.scenario), long);
}
