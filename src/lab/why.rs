//! "Why?": from a line of the log back to the command that began it.
use super::run::Run;
use super::view::WhyLink;
pub fn chain(_run: &Run, _event: u64, _index: u16) -> Vec<WhyLink> {
    Vec::new()
}
