//! `brokerlab conform PATH... [--covers TAG]`.

use super::UNREADABLE;
use brokerlab::console::conform::Session;
use brokerlab::lab::conform::{Recording, Report, find};
use std::path::PathBuf;
use std::process::ExitCode;

/// Plays all traces under the paths; one line for each that differs, and the sums.
pub fn run(words: &[String]) -> ExitCode {
    let (paths, covers) = match read(words) {
        Ok(read) => read,
        Err(why) => return unreadable(&why),
    };
    let files = match find(&paths) {
        Ok(files) => files,
        Err(why) => return unreadable(&why),
    };
    let mut report = Report::default();
    for file in files {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(why) => return unreadable(&format!("{}: {why}", file.display())),
        };
        if let Some(session) = Session::parse(&text) {
            if covers.as_ref().is_none_or(|tag| session.covers.contains(tag)) {
                let said = report.lines.len();
                report.add(&session.name, session.judge());
                report.lines[said..].iter().for_each(|line| println!("{line}"));
            }
            continue;
        }
        let found = match Recording::read_all(&file) {
            Ok(found) => found,
            Err(why) => return unreadable(&why),
        };
        for recording in found {
            if covers.as_ref().is_some_and(|tag| !recording.covers().contains(tag)) {
                continue;
            }
            let said = report.lines.len();
            report.add(recording.name(), recording.judge());
            for line in &report.lines[said..] {
                println!("{line}");
            }
        }
    }
    println!("{}", report.summary());
    if report.differ() > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn read(words: &[String]) -> Result<(Vec<PathBuf>, Option<String>), String> {
    let mut paths = Vec::new();
    let mut covers = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--covers" => {
                covers = Some(
                    words
                        .next()
                        .ok_or("`--covers` needs a tag, as in `--covers isr`")?
                        .clone(),
                )
            }
            option if option.starts_with('-') => {
                return Err(format!("conform has no option `{option}`; it has --covers TAG"));
            }
            path => paths.push(PathBuf::from(path)),
        }
    }
    if paths.is_empty() {
        return Err("conform needs a file or folder of traces".into());
    }
    Ok((paths, covers))
}

fn unreadable(why: &str) -> ExitCode {
    eprintln!("brokerlab: {why}");
    ExitCode::from(UNREADABLE)
}
