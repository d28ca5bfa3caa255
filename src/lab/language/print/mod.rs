//! Writes a scenario as its canonical text: two spaces between the columns of a timed line, options in the order of the
//! reference, defaults left out, numbers shortest. `print(parse(text))` printed again is the same text, and reading it
//! gives the same scenario.

mod checks;
mod command;
mod rabbit;
mod web;

pub use checks::{claim as print_claim, subject as print_subject};
pub use command::print_command;

use super::ast::{CheckWhen, Command, Content, Line, Scenario, When};
use super::units::duration;

/// The canonical text of a scenario; every line ends with a newline.
pub fn print(scenario: &Scenario) -> String {
    let mut text = String::new();
    // Width of the time column that lines without a time stand behind.
    let mut column = 0;
    for line in &scenario.lines {
        if let Some(time) = time(line.when) {
            column = time.chars().count() + 2;
        }
        text.push_str(&print_line(line, column));
        text.push('\n');
    }
    text
}

fn time(when: When) -> Option<String> {
    match when {
        When::Same => None,
        When::At(us) => Some(format!("at {}", duration(us))),
        When::After(us) => Some(format!("after {}", duration(us))),
    }
}

/// One line without its end; `column` is where the commands of lines without a time begin.
pub fn print_line(line: &Line, column: usize) -> String {
    let mut parts: Vec<String> = time(line.when).into_iter().collect();
    let mut block = None;
    match &line.content {
        Content::Unread(text) => return text.to_string(),
        Content::Blank => {}
        Content::Version(version) => parts.push(format!("lab {version}")),
        Content::Command(command) => {
            let (head, lines) = print_command(command);
            parts.push(head);
            block = lines;
        }
    }
    if let Some(comment) = &line.comment {
        parts.push(format!("#{comment}"));
    }
    let mut text = parts.join("  ");
    if line.when == When::Same && stands_behind_time(line) {
        text.insert_str(0, &" ".repeat(column));
    }
    if let Some(block) = block {
        text.push('\n');
        text.push_str(&block);
    }
    text
}

/// Whether a line without a time stands in the command column: checks of a whole stretch of the run stand at the margin.
fn stands_behind_time(line: &Line) -> bool {
    match &line.content {
        Content::Command(Command::Check(check)) => check.when == CheckWhen::Now,
        Content::Command(_) => true,
        Content::Blank => line.indented && line.comment.is_some(),
        Content::Version(_) | Content::Unread(_) => false,
    }
}
