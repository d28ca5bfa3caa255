//! `brokerlab check FILE...`, `link FILE`, `unlink FRAGMENT`: texts, without playing them.

use super::UNREADABLE;
use brokerlab::lab::language;
use brokerlab::share;
use std::io::{Read, Write};
use std::process::ExitCode;

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// What is wrong, in one line.
pub fn read(path: &str) -> Result<String, String> {
    if path == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|e| format!("standard input: {e}"))?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))
}

/// Parses files and prints their errors.
pub fn check(paths: &[String]) -> ExitCode {
    if paths.is_empty() {
        eprintln!("brokerlab: check needs a scenario, as in `brokerlab check scenarios/acks-1.lab`");
        return ExitCode::from(UNREADABLE);
    }
    let mut wrong = 0;
    for path in paths {
        match read(path) {
            Err(why) => {
                eprintln!("brokerlab: {why}");
                wrong += 1;
            }
            Ok(text) => {
                let errors = language::parse(&text).errors;
                for error in &errors {
                    println!("{path}: {error}");
                }
                wrong += usize::from(!errors.is_empty());
            }
        }
    }
    println!("{} of {} scenarios can be read", paths.len() - wrong, paths.len());
    if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNREADABLE)
    }
}

/// Prints the fragment that holds a scenario.
pub fn link(words: &[String]) -> ExitCode {
    let [path] = words else {
        eprintln!("brokerlab: link needs one file, as in `brokerlab link scenarios/acks-1.lab`");
        return ExitCode::from(UNREADABLE);
    };
    match read(path) {
        Ok(text) => {
            println!("{}", share::encode(&text));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("brokerlab: {why}");
            ExitCode::from(UNREADABLE)
        }
    }
}

/// Prints the text that a fragment holds, byte for byte.
pub fn unlink(words: &[String]) -> ExitCode {
    let [fragment] = words else {
        eprintln!("brokerlab: unlink needs one fragment, the part of a link behind `#`");
        return ExitCode::from(UNREADABLE);
    };
    let fragment = fragment.rsplit('#').next().unwrap_or(fragment);
    match share::decode(fragment, share::Limits::default()) {
        Ok(text) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("brokerlab: standard output: {why}");
                ExitCode::from(UNREADABLE)
            }
        },
        Err(why) => {
            eprintln!("brokerlab: {why}");
            ExitCode::from(UNREADABLE)
        }
    }
}
