//! Runs as a whole: the same text does the same however it is reached.

use super::Run;
use crate::lab::checks::Verdict;
use crate::lab::view::Weight;

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
at 16s    heal
          restart b1
eventually isr loan_request/0 = b1 b2 b3 within 30s
always    one-leader-per-epoch
"#;

#[test]
fn the_first_scenario_of_the_language_does_what_it_says() {
    let mut run = Run::open(LOSS);
    assert_eq!(run.errors(), &[]);
    assert!(run.play_until_us(60_000_000, 1_000_000));
    for line in run.log(0..u64::MAX, Weight::Matters, "") {
        println!(
            "{:>6} {:>12} {:<8} {:?} {}",
            line.event, line.at_us, line.who, line.weight, line.text
        );
    }
    for check in run.checks() {
        println!("{check:?}");
    }
    assert_eq!(run.refused(), &[]);
    assert!(
        run.checks()
            .iter()
            .all(|check| matches!(check.verdict, Verdict::Passed | Verdict::HoldsSoFar))
    );
}
