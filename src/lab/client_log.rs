//! What each client has written into its log: every line once, for checks. The journal has them all, with their times.

use crate::kafka::client::log::LogLine;
use crate::ordered::OrderedMap;
use crate::sim::ProcId;
use std::rc::Rc;

/// Different lines of one client that are kept; the oldest go first.
const LINES: usize = 1_000;

/// The logs, by client; a copy shares them.
#[derive(Clone, Debug, Default)]
pub struct ClientLogs {
    by_client: Rc<OrderedMap<ProcId, Rc<Vec<LogLine>>>>,
}

impl ClientLogs {
    /// Takes a line in.
    pub fn push(&mut self, client: ProcId, line: &LogLine) {
        let known = self.by_client.get(&client);
        if known.is_some_and(|lines| lines.contains(line)) {
            return;
        }
        let lines = Rc::make_mut(&mut self.by_client).entry(client).or_default();
        let lines = Rc::make_mut(lines);
        if lines.len() >= LINES {
            lines.remove(0);
        }
        lines.push(line.clone());
    }

    /// Each different line of a client, in the order of their first appearance.
    pub fn of(&self, client: ProcId) -> &[LogLine] {
        self.by_client.get(&client).map_or(&[], |lines| lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::client::log::loggers::NETWORK_CLIENT;

    #[test]
    fn every_line_is_kept_once_and_the_newest_thousand() {
        let mut logs = ClientLogs::default();
        let client = ProcId(3);
        for _ in 0..5 {
            logs.push(client, &NETWORK_CLIENT.info("Node 1 disconnected."));
        }
        assert_eq!((logs.of(client).len(), logs.of(ProcId(4)).len()), (1, 0));
        let before = logs.clone();
        for number in 0..LINES {
            logs.push(client, &NETWORK_CLIENT.info(number.to_string()));
        }
        assert_eq!(logs.of(client).len(), LINES);
        assert_eq!(&*logs.of(client)[0].text, "0");
        assert_eq!(before.of(client).len(), 1);
    }
}
