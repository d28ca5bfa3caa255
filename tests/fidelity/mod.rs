//! FIDELITY.md cannot lie: its tables are written from the rules in the sources, the traces in which they were at work,
//! and the data files that tests read. `BROKERLAB_WRITE=1 cargo test --test conform` writes them.

mod data;
mod rules;

use brokerlab::lab::conform::Report;
use brokerlab::ordered::{OrderedMap, OrderedSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The traces in which each rule was at work, by its name.
pub type AtWork = OrderedMap<&'static str, OrderedSet<String>>;

/// Compares the tables with the file, or writes them.
pub fn check(at_work: &AtWork, report: &Report) {
    let path = root().join("FIDELITY.md");
    let text = fs::read_to_string(&path).expect("FIDELITY.md is part of the project");
    let current = [
        ("data", data::table()),
        ("rules", rules::table(at_work)),
        ("traces", traces(report)),
    ]
    .into_iter()
    .fold(text.clone(), |text, (name, table)| replaced(&text, name, &table));
    if std::env::var_os("BROKERLAB_WRITE").is_some() {
        fs::write(&path, current).expect("FIDELITY.md can be written");
        return;
    }
    assert!(
        text == current,
        "the tables in FIDELITY.md are out of date: BROKERLAB_WRITE=1 cargo test --test conform"
    );
}

fn traces(report: &Report) -> String {
    let missing = report.lines.iter().filter(|line| line.contains("not modelled: "));
    let lines: String = missing.map(|line| format!("- {line}\n")).collect();
    let lines = if lines.is_empty() { "None.\n" } else { &lines };
    format!(
        "{} of the recorded traces of a Kafka cluster agree. Not modelled:\n\n{lines}",
        report.agree
    )
}

/// The text with what stands between the marks of that name replaced.
fn replaced(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- {name}: begin (written by tests/fidelity) -->\n");
    let end = format!("<!-- {name}: end -->\n");
    let (head, rest) = text
        .split_once(&begin)
        .expect("FIDELITY.md marks where the table begins");
    let (_, tail) = rest.split_once(&end).expect("FIDELITY.md marks where the table ends");
    format!("{head}{begin}\n{table}\n{end}{tail}")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file: its path from the project's root, with slashes, and its text; in the order of their paths.
fn sources() -> OrderedMap<String, String> {
    let mut folders = vec![root().join("src"), root().join("tests")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project can be read") {
            let path = entry.expect("an entry of such a folder too").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let name = |path: &Path| {
        let inside = path.strip_prefix(root()).expect("it was found under the root");
        inside.to_string_lossy().replace('\\', "/")
    };
    let read = |path: &PathBuf| (name(path), fs::read_to_string(path).expect("sources are UTF-8"));
    files.iter().map(read).collect()
}
