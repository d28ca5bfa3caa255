//! Where the tests of rules find the data files that the real system answered.

use std::path::PathBuf;

/// The text of a data file: in the folder named by `KAFKA_VECTORS`, else in `tests/vectors/kafka`.
///
/// # Panics
/// If it is not there: a test without its data proves nothing.
pub(crate) fn read(file: &str) -> String {
    let folder = std::env::var_os("KAFKA_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kafka"),
        PathBuf::from,
    );
    let path = folder.join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The lines of a `.jsonl` file, parsed.
pub(crate) fn json_lines(file: &str) -> Vec<serde_json::Value> {
    let text = read(file);
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}
