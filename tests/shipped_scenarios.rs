//! Every shipped scenario does what it says: no line is refused, and every check holds when the run has come to its end.

use brokerlab::lab::checks::Verdict;
use brokerlab::lab::library::SHIPPED;
use brokerlab::lab::run::Run;

/// Later than the last line of any of them.
const END_US: u64 = 300_000_000;

#[test]
fn shipped_scenarios_do_what_they_say() {
    let mut wrong = Vec::new();
    for shipped in SHIPPED {
        let mut run = Run::open(shipped.text);
        assert!(
            run.play_until_us(END_US, 1_000_000),
            "{} has too many events",
            shipped.name
        );
        let refused = run.refused().into_iter();
        wrong.extend(refused.map(|line| format!("{} line {}: {}", shipped.name, line.line, line.why)));
        for check in run.checks() {
            let good = matches!(check.verdict, Verdict::Passed | Verdict::HoldsSoFar);
            if !good {
                let found = check.found.as_deref().unwrap_or("nothing yet").to_string();
                wrong.push(format!(
                    "{} line {}: expected {}, found {found}",
                    shipped.name, check.line, check.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
