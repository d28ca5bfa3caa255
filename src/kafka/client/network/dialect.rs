//! How clients of older versions say the same, and what they do not say at all.
//! [NetworkClient, AbstractCoordinator and Metadata of 1.1.1 and 2.8.2]

use crate::kafka::client::log::{LogLine, Logger, loggers};

/// The release whose words a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    V1_1,
    V2_8,
    #[default]
    V4,
}

/// Who logged it then.
const OLD_CONSUMER: Logger = Logger("org.apache.kafka.clients.consumer.KafkaConsumer");
const OLD_COORDINATOR: Logger = Logger("org.apache.kafka.clients.consumer.internals.AbstractCoordinator");

/// What 2.8.2 words differently.
const WORDS_2_8: [(&str, &str); 3] = [
    ("Node may not be available", "Broker may not be available"),
    (" isFenced: false", ""),
    (". isDisconnected: ", ".isDisconnected: "),
];

/// What 2.8.2 logs on DEBUG or does not know.
const SILENT_2_8: [&str; 2] = [
    "Requesting disconnect from last known coordinator",
    "Rebootstrapping with",
];

impl Dialect {
    /// By its release.
    pub fn of(version: &str) -> Dialect {
        let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok()).unwrap_or(u32::MAX);
        let mut parts = version.split('.');
        match (number(parts.next()), number(parts.next())) {
            (0 | 1, _) => Dialect::V1_1,
            (2, _) => Dialect::V2_8,
            _ => Dialect::V4,
        }
    }

    /// It goes back to its bootstrap addresses when no node is left (KIP-899, 3.8).
    pub fn rebootstraps(self) -> bool {
        self == Dialect::V4
    }

    /// A topic id that it learns for the first time is news to it (2.8), so that it resets the epoch.
    pub fn resets_first_epoch(self) -> bool {
        self == Dialect::V2_8
    }

    /// A line as this version logs it; `None`: it does not.
    pub fn say(self, line: LogLine) -> Option<LogLine> {
        match self {
            Dialect::V4 => Some(line),
            Dialect::V2_8 => say_2_8(line),
            Dialect::V1_1 => say_1_1(line),
        }
    }
}

fn say_2_8(mut line: LogLine) -> Option<LogLine> {
    let is_bare_disconnect = line.text.starts_with("Node ") && line.text.ends_with(" disconnected.");
    if is_bare_disconnect || SILENT_2_8.iter().any(|start| line.text.starts_with(start)) {
        return None;
    }
    if let Some(rest) = line
        .text
        .strip_prefix("Request joining group due to: rebalance failed due to '")
    {
        let class = rest
            .rsplit_once('(')
            .map_or("", |(_, class)| class.trim_end_matches(')'));
        let thrown = format!("org.apache.kafka.common.errors.{class}");
        return Some(OLD_COORDINATOR.info("Rebalance failed.").throwing(thrown));
    }
    for (now, then) in WORDS_2_8 {
        if line.text.contains(now) {
            line.text = line.text.replace(now, then).into();
        }
    }
    line.logger = match line.logger {
        loggers::CLASSIC_CONSUMER => OLD_CONSUMER,
        loggers::CONSUMER_COORDINATOR => OLD_COORDINATOR,
        other => other,
    };
    Some(line)
}

/// Without addresses; a new consumer says nothing of its subscription, and nothing of a bootstrap broker that is gone.
fn say_1_1(line: LogLine) -> Option<LogLine> {
    let mut line = say_2_8(line)?;
    let silent = ["Subscribed to ", "Bootstrap broker "];
    if silent.iter().any(|start| line.text.starts_with(start)) {
        return None;
    }
    if let Some((before, rest)) = line.text.split_once(" (")
        && before.starts_with("Connection to node ")
        && let Some((_, after)) = rest.split_once(')')
    {
        line.text = format!("{before}{after}").into();
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_the_words_of_the_time() {
        let text =
            "Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Node may not be available.";
        let say = |dialect: Dialect| {
            dialect
                .say(loggers::NETWORK_CLIENT.warn(text))
                .map(|line| line.text.to_string())
        };
        assert_eq!(say(Dialect::V4).as_deref(), Some(text));
        let then =
            "Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Broker may not be available.";
        assert_eq!(say(Dialect::V2_8).as_deref(), Some(then));
        let before = "Connection to node -1 could not be established. Broker may not be available.";
        assert_eq!(say(Dialect::V1_1).as_deref(), Some(before));
        assert_eq!(
            Dialect::V2_8.say(loggers::NETWORK_CLIENT.info("Node 1 disconnected.")),
            None
        );
        assert_eq!(
            [Dialect::of("1.1.1"), Dialect::of("2.8.2"), Dialect::of("4.3.1")],
            [Dialect::V1_1, Dialect::V2_8, Dialect::V4]
        );
    }
}
