//! The command on a terminal: what each of its verbs does with words, files and exit codes. No behaviour of the
//! simulator lives here.

mod conform;
mod play;
mod texts;

use std::process::ExitCode;

/// Something in the command line or in a file that it names cannot be read.
pub const UNREADABLE: u8 = 2;

const HELP: &str = "\
brokerlab: a deterministic step simulator of message brokers

  brokerlab run FILE [--json] [--until TIME] [--trace] [--cure]
                              plays a scenario: what happened, the ledger, every check with its result;
                              --cure: the smallest change of the scenario that keeps it from going wrong
                              brokerlab run scenarios/acks-1.lab --until 30s
  brokerlab check FILE...     reads scenarios and says what is wrong with them
                              brokerlab check scenarios/*.lab
  brokerlab link FILE         prints the fragment of a link that holds the scenario
                              brokerlab link scenarios/acks-1.lab
  brokerlab unlink FRAGMENT   prints the scenario that a fragment holds, byte for byte
                              brokerlab unlink FRAGMENT > again.lab
  brokerlab conform PATH... [--covers TAG]
                              plays recorded traces and compares after every step
                              brokerlab conform tests/vectors/kafka/traces --covers isr

Files may be `-` for standard input. Exit codes: 0 all is well; 1 an expectation fails or a trace differs; 2 something
cannot be read.
";

/// Runs the command; the exit code says how it went.
pub fn run(words: &[String]) -> ExitCode {
    let Some((verb, rest)) = words.split_first() else {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    };
    match verb.as_str() {
        "run" => play::run(rest),
        "check" => texts::check(rest),
        "link" => texts::link(rest),
        "unlink" => texts::unlink(rest),
        "conform" => conform::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("brokerlab: there is no `{other}`; `brokerlab --help` lists what there is");
            ExitCode::from(UNREADABLE)
        }
    }
}
