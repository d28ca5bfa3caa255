//! The page as people get it: the built site, served from a sub-path, in a real browser.
//!
//! `make test` builds the page and names it in BROKERLAB_DIST; without that variable every test here is ignored, loudly.
//! [`harness`] starts what they need; each other module is one subject, and lists its own tests.

mod figures;
mod flows;
mod frames;
mod harness;
mod looks;
mod page;

use libtest_mimic::{Arguments, Trial};
use std::sync::Arc;

/// A test: its name, and what it does.
type Test = (&'static str, fn(&harness::Lab) -> harness::Outcome);

fn main() {
    let tests: Vec<Test> = [page::TESTS, flows::TESTS, figures::TESTS, looks::TESTS, frames::TESTS].concat();
    let arguments = Arguments::from_args();
    let dist = std::env::var_os("BROKERLAB_DIST");
    if dist.is_none() {
        eprintln!(
            "\nEND-TO-END TESTS IGNORED: BROKERLAB_DIST names no built page. `make test` builds one and runs them."
        );
    }
    let lab = match &dist {
        Some(dist) if !arguments.list => match harness::Lab::start(dist.as_ref()) {
            Ok(lab) => Some(Arc::new(lab)),
            Err(error) => {
                eprintln!("The end-to-end tests cannot start: {error}");
                std::process::exit(101);
            }
        },
        _ => None,
    };
    let trials = tests
        .into_iter()
        .map(|(name, test)| {
            let lab = lab.clone();
            Trial::test(name, move || match lab {
                Some(lab) => Ok(test(&lab)?),
                None => Err("needs BROKERLAB_DIST".into()),
            })
            .with_ignored_flag(dist.is_none())
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The driver ends with the last handle on the lab; `exit` would not wait for that.
    drop(lab);
    conclusion.exit();
}
