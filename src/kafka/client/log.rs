//! The clients' own log: who writes a line, how grave it is, and the line itself, in the Java client's exact words.
//!
//! A line prints as log4j does with the pattern that Kafka ships (`%p %m (%c)`), without the date, which is the event's.

use std::rc::Rc;

/// A logger by the class it is named after, with its package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Logger(pub &'static str);

/// The loggers of the Java clients that write something here.
pub mod loggers {
    use super::Logger;

    pub const NETWORK_CLIENT: Logger = Logger("org.apache.kafka.clients.NetworkClient");
    pub const CONNECTION_STATES: Logger = Logger("org.apache.kafka.clients.ClusterConnectionStates");
    pub const METADATA: Logger = Logger("org.apache.kafka.clients.Metadata");
    pub const CLIENT_UTILS: Logger = Logger("org.apache.kafka.clients.ClientUtils");
    pub const PRODUCER: Logger = Logger("org.apache.kafka.clients.producer.KafkaProducer");
    pub const SENDER: Logger = Logger("org.apache.kafka.clients.producer.internals.Sender");
    pub const PRODUCER_BATCH: Logger = Logger("org.apache.kafka.clients.producer.internals.ProducerBatch");
    pub const TRANSACTION_MANAGER: Logger = Logger("org.apache.kafka.clients.producer.internals.TransactionManager");
    pub const CLASSIC_CONSUMER: Logger = Logger("org.apache.kafka.clients.consumer.internals.ClassicKafkaConsumer");
    pub const ASYNC_CONSUMER: Logger = Logger("org.apache.kafka.clients.consumer.internals.AsyncKafkaConsumer");
    /// The classic member's, its base class included: the logger is named after the object's own class.
    pub const CONSUMER_COORDINATOR: Logger = Logger("org.apache.kafka.clients.consumer.internals.ConsumerCoordinator");
    pub const LISTENER_INVOKER: Logger =
        Logger("org.apache.kafka.clients.consumer.internals.ConsumerRebalanceListenerInvoker");
    pub const CONSUMER_UTILS: Logger = Logger("org.apache.kafka.clients.consumer.internals.ConsumerUtils");
    pub const SUBSCRIPTION: Logger = Logger("org.apache.kafka.clients.consumer.internals.SubscriptionState");
    pub const FETCH_COLLECTOR: Logger = Logger("org.apache.kafka.clients.consumer.internals.FetchCollector");
    pub const COORDINATOR_REQUESTS: Logger =
        Logger("org.apache.kafka.clients.consumer.internals.CoordinatorRequestManager");
    pub const COMMIT_REQUESTS: Logger = Logger("org.apache.kafka.clients.consumer.internals.CommitRequestManager");
    pub const MEMBERSHIP: Logger = Logger("org.apache.kafka.clients.consumer.internals.ConsumerMembershipManager");
    pub const HEARTBEATS: Logger =
        Logger("org.apache.kafka.clients.consumer.internals.ConsumerHeartbeatRequestManager");
    pub const ADMIN: Logger = Logger("org.apache.kafka.clients.admin.KafkaAdminClient");
    pub const ADMIN_METADATA: Logger = Logger("org.apache.kafka.clients.admin.internals.AdminMetadataManager");
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    /// `INFO`, as log4j prints it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

/// A line of a client's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogLine {
    pub level: Level,
    pub logger: Logger,
    /// The message; once written, with the client's own prefix: `[Producer clientId=web] `.
    pub text: Rc<str>,
    /// The exception that is printed behind it, first line only: `java.net.UnknownHostException: b1`.
    pub thrown: Option<Rc<str>>,
}

impl Logger {
    pub fn info(self, text: impl Into<Rc<str>>) -> LogLine {
        self.line(Level::Info, text)
    }

    pub fn warn(self, text: impl Into<Rc<str>>) -> LogLine {
        self.line(Level::Warn, text)
    }

    pub fn error(self, text: impl Into<Rc<str>>) -> LogLine {
        self.line(Level::Error, text)
    }

    pub fn line(self, level: Level, text: impl Into<Rc<str>>) -> LogLine {
        LogLine {
            level,
            logger: self,
            text: text.into(),
            thrown: None,
        }
    }

    /// `NetworkClient`
    pub fn simple_name(self) -> &'static str {
        self.0.rsplit('.').next().unwrap_or(self.0)
    }
}

impl LogLine {
    /// The same with an exception behind it.
    pub fn throwing(mut self, thrown: impl Into<Rc<str>>) -> LogLine {
        self.thrown = Some(thrown.into());
        self
    }

    /// The same with a client's prefix before the message. [LogContext]
    pub fn of(mut self, prefix: &str) -> LogLine {
        if !prefix.is_empty() {
            self.text = [prefix, &*self.text].concat().into();
        }
        self
    }

    /// As log4j prints it, without the date.
    pub fn printed(&self) -> String {
        let (level, logger) = (self.level.name(), self.logger.0);
        match &self.thrown {
            Some(thrown) => format!("{level} {} ({logger}) {thrown}", self.text),
            None => format!("{level} {} ({logger})", self.text),
        }
    }
}

/// `[Producer clientId=web] `. [KafkaProducer]
pub fn producer_prefix(client_id: &str, transactional_id: Option<&str>) -> Rc<str> {
    match transactional_id {
        Some(id) => format!("[Producer clientId={client_id}, transactionalId={id}] ").into(),
        None => format!("[Producer clientId={client_id}] ").into(),
    }
}

/// `[Consumer clientId=c1, groupId=billing] `. [ConsumerUtils.createLogContext]
pub fn consumer_prefix(client_id: &str, group: Option<&str>, instance: Option<&str>) -> Rc<str> {
    let group = group.unwrap_or("null");
    match instance {
        Some(instance) => format!("[Consumer instanceId={instance}, clientId={client_id}, groupId={group}] ").into(),
        None => format!("[Consumer clientId={client_id}, groupId={group}] ").into(),
    }
}

/// `[AdminClient clientId=laptop] `. [KafkaAdminClient.createLogContext]
pub fn admin_prefix(client_id: &str) -> Rc<str> {
    format!("[AdminClient clientId={client_id}] ").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_prints_as_log4j_prints_it() {
        let line =
            loggers::NETWORK_CLIENT.warn("Bootstrap broker b1:9092 (id: -1 rack: null isFenced: false) disconnected");
        assert_eq!(
            line.of(&producer_prefix("web", None)).printed(),
            "WARN [Producer clientId=web] Bootstrap broker b1:9092 (id: -1 rack: null isFenced: false) disconnected \
             (org.apache.kafka.clients.NetworkClient)"
        );
        let line = loggers::CLIENT_UTILS.error("x").throwing("java.lang.Error: y").of("");
        assert_eq!(
            line.printed(),
            "ERROR x (org.apache.kafka.clients.ClientUtils) java.lang.Error: y"
        );
        assert_eq!(line.logger.simple_name(), "ClientUtils");
    }

    #[test]
    fn prefixes_name_client_group_and_instance() {
        assert_eq!(
            &*consumer_prefix("c1", None, None),
            "[Consumer clientId=c1, groupId=null] "
        );
        let fixed = consumer_prefix("c1", Some("g"), Some("i"));
        assert_eq!(&*fixed, "[Consumer instanceId=i, clientId=c1, groupId=g] ");
        let transactional = producer_prefix("p", Some("tx"));
        assert_eq!(&*transactional, "[Producer clientId=p, transactionalId=tx] ");
    }
}
