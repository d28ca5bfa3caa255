//! The README's reference of the language is what the code says. `BROKERLAB_WRITE=1 cargo test --test readme` writes it.

use brokerlab::lab::language::reference::describe;
use std::path::PathBuf;

const BEGIN: &str = "<!-- reference: begin (written by tests/readme.rs) -->\n";
const END: &str = "<!-- reference: end -->\n";

#[test]
fn the_reference_of_the_language_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("the README is part of the project");
    let (head, rest) = text
        .split_once(BEGIN)
        .expect("the README marks where the reference begins");
    let (found, tail) = rest.split_once(END).expect("the README marks where the reference ends");
    let current = format!("\n{}\n", describe());
    if std::env::var_os("BROKERLAB_WRITE").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{current}{END}{tail}")).expect("the README can be written");
        return;
    }
    assert!(
        found == current,
        "the reference in README.md is out of date: BROKERLAB_WRITE=1 cargo test --test readme"
    );
}
