//! Typed settings of a producer, and what its constructor refuses. [ProducerConfig, KafkaProducer]

use super::client::{check_bootstrap, check_interceptors};
use super::definition::Scope;
use super::error::ConfigError;
use super::values::{Properties, Values, settings};
use crate::kafka::metrics::window::Sampling;

/// Who has to have a record before it counts as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Nobody: `0`.
    None,
    /// `1`.
    Leader,
    /// Every replica in sync: `all` or `-1`.
    All,
}

impl Acks {
    fn of(text: &str) -> Acks {
        match text {
            "0" => Acks::None,
            "1" => Acks::Leader,
            _ => Acks::All,
        }
    }

    /// The number in a Produce request.
    pub fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

settings! {
    /// What a producer was made with.
    pub struct ProducerConfig, v;
    /// `reconnect.backoff.ms`: first pause before connecting to a node again, ms.
    reconnect_backoff_ms: i64 = v.number("reconnect.backoff.ms")?,
    /// `reconnect.backoff.max.ms`: longest pause before connecting to a node again, ms.
    reconnect_backoff_max_ms: i64 = v.number("reconnect.backoff.max.ms")?,
    /// `retry.backoff.ms`: first pause before a request is sent again, ms.
    retry_backoff_ms: i64 = v.number("retry.backoff.ms")?,
    /// `retry.backoff.max.ms`: longest pause before a request is sent again, ms.
    retry_backoff_max_ms: i64 = v.number("retry.backoff.max.ms")?,
    /// `socket.connection.setup.timeout.ms`: first time-out of a connection attempt, ms.
    socket_connection_setup_timeout_ms: i64 = v.number("socket.connection.setup.timeout.ms")?,
    /// `socket.connection.setup.timeout.max.ms`: longest time-out of a connection attempt, ms.
    socket_connection_setup_timeout_max_ms: i64 = v.number("socket.connection.setup.timeout.max.ms")?,
    /// `request.timeout.ms`: one request, ms.
    request_timeout_ms: i64 = v.number("request.timeout.ms")?,
    /// `connections.max.idle.ms`: an idle connection is closed after so long, ms.
    connections_max_idle_ms: i64 = v.number("connections.max.idle.ms")?,
    /// `metadata.max.age.ms`: metadata older than this are asked for again, ms.
    metadata_max_age_ms: i64 = v.number("metadata.max.age.ms")?,
    /// `metadata.recovery.rebootstrap.trigger.ms`: without metadata for so long a client begins anew, ms.
    metadata_recovery_rebootstrap_trigger_ms: i64 = v.number("metadata.recovery.rebootstrap.trigger.ms")?,
    /// `metrics.sample.window.ms`, `metrics.num.samples`: how far back averages and rates reach.
    sampling: Sampling = Sampling { window_ms: v.number("metrics.sample.window.ms")?, samples: v.number("metrics.num.samples")? },
    /// `client.id`: name in logs; empty: made up.
    client_id: String = v.text("client.id")?,
    /// `security.protocol` asks for TLS.
    security_protocol_tls: bool = v.text("security.protocol")?.to_ascii_uppercase().ends_with("SSL"),
    /// `metadata.recovery.strategy` is `rebootstrap`: a client without a usable node goes back to its bootstrap addresses.
    metadata_recovery_rebootstrap: bool = v.text("metadata.recovery.strategy")?.eq_ignore_ascii_case("rebootstrap"),
    /// `batch.size`: size of a batch, bytes; also decides when the sticky partition changes. 0 acts as 1.
    batch_size: i64 = v.number("batch.size")?,
    /// `linger.ms`: a batch waits so long for more records, ms.
    linger_ms: i64 = v.number("linger.ms")?,
    /// `buffer.memory`: all batches together, bytes.
    buffer_memory: i64 = v.number("buffer.memory")?,
    /// `max.block.ms`: send() and transactional calls block at most so long, ms.
    max_block_ms: i64 = v.number("max.block.ms")?,
    /// `max.request.size`: largest record and largest request, bytes.
    max_request_size: i64 = v.number("max.request.size")?,
    /// `delivery.timeout.ms`: a record fails so long after its batch was begun, ms.
    delivery_timeout_ms: i64 = v.number("delivery.timeout.ms")?,
    /// `retries`: attempts after the first.
    retries: i64 = v.number("retries")?,
    /// `max.in.flight.requests.per.connection`: unanswered requests on a connection.
    max_in_flight_requests_per_connection: i32 = v.int("max.in.flight.requests.per.connection")?,
    /// `metadata.max.idle.ms`: a topic not used for so long is forgotten, ms.
    metadata_max_idle_ms: i64 = v.number("metadata.max.idle.ms")?,
    /// `partitioner.ignore.keys`: are records with a key treated as if they had none?
    partitioner_ignore_keys: bool = v.boolean("partitioner.ignore.keys")?,
    /// `partitioner.adaptive.partitioning.enable`: do slow partitions get fewer records?
    partitioner_adaptive_partitioning_enable: bool = v.boolean("partitioner.adaptive.partitioning.enable")?,
    /// `partitioner.availability.timeout.ms`: a broker not ready for so long gets no records without key, ms; 0: off.
    partitioner_availability_timeout_ms: i64 = v.number("partitioner.availability.timeout.ms")?,
    /// `transaction.timeout.ms`: the coordinator aborts a transaction after so long, ms.
    transaction_timeout_ms: i64 = v.number("transaction.timeout.ms")?,
    /// `transactional.id`: makes the producer transactional.
    transactional_id: Option<String> = v.opt_text("transactional.id")?,
    /// `compression.type`: how batches are compressed: `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    compression_type: String = v.text("compression.type")?,
    /// `acks`
    acks: Acks = Acks::of(&v.text("acks")?),
    /// `enable.idempotence`, after the automatic switch-off.
    enable_idempotence: bool = v.boolean("enable.idempotence")?,
}

impl ProducerConfig {
    /// The settings from what is given and the defaults.
    ///
    /// # Errors
    /// What the constructor throws: the first text that is refused, then rules between settings.
    pub fn from_map(given: &Properties) -> Result<ProducerConfig, ConfigError> {
        let values = Values::check(Scope::Producer, given)?;
        let mut config = ProducerConfig::read(&values)?;
        if values.is_given("reconnect.backoff.ms") && !values.is_given("reconnect.backoff.max.ms") {
            config.reconnect_backoff_max_ms = config.reconnect_backoff_ms;
        }
        config.settle_idempotence(&values)?;
        let two_phase = values.boolean("transaction.two.phase.commit.enable")?;
        if two_phase && values.is_given("transaction.timeout.ms") {
            return Err(ConfigError::new(
                "Cannot set transaction.timeout.ms when transaction.two.phase.commit.enable is set to true. Transactions will not expire with two-phase commit enabled.",
            ));
        }
        config.batch_size = config.batch_size.max(1);
        check_interceptors(&values)
            .and_then(|()| config.settle_delivery_timeout(&values))
            .and_then(|()| check_bootstrap(&values))
            .map_err(|cause| cause.while_constructing("producer"))?;
        Ok(config)
    }

    /// Idempotence is on unless acks or retries speak against it; asked for by name, they are refused instead.
    /// [ProducerConfig.postProcessAndValidateIdempotenceConfigs]
    fn settle_idempotence(&mut self, values: &Values) -> Result<(), ConfigError> {
        let asked_for = values.is_given("enable.idempotence");
        if self.enable_idempotence {
            if self.retries == 0 && asked_for {
                return Err(ConfigError::new(
                    "Must set retries to non-zero when using the idempotent producer.",
                ));
            }
            if self.acks != Acks::All && asked_for {
                return Err(ConfigError::new(
                    "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.",
                ));
            }
            let in_flight = self.max_in_flight_requests_per_connection;
            if in_flight > 5 {
                return Err(ConfigError::new(format!(
                    "To use the idempotent producer, max.in.flight.requests.per.connection must be set to at most 5. Current value is {in_flight}."
                )));
            }
            self.enable_idempotence = self.retries != 0 && self.acks == Acks::All;
        }
        if !self.enable_idempotence && self.transactional_id.is_some() {
            return Err(ConfigError::new(
                "Cannot set a transactional.id without also enabling idempotence.",
            ));
        }
        Ok(())
    }

    /// The delivery time-out covers linger and a request: refused if set too short, raised if it is the default.
    /// [KafkaProducer.configureDeliveryTimeout]
    fn settle_delivery_timeout(&mut self, values: &Values) -> Result<(), ConfigError> {
        let least = (self.linger_ms + self.request_timeout_ms).min(i32::MAX.into());
        if self.delivery_timeout_ms >= least {
            return Ok(());
        }
        if values.is_given("delivery.timeout.ms") {
            return Err(ConfigError::new(
                "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms",
            ));
        }
        self.delivery_timeout_ms = least;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::config::conflicts;

    #[test]
    fn conflicts_agree_with_vectors() {
        // A text cannot be null, which is what is refused there.
        let null = ["key.serializer"];
        let given = [("bootstrap.servers".to_string(), "localhost:9092".to_string())].into();
        let rows = conflicts::check("producer", &null, &given, |given| {
            ProducerConfig::from_map(given).map(drop)
        });
        assert!(rows > 35);
    }

    #[test]
    fn what_is_settled() {
        let make = |pairs: &[(&str, &str)]| {
            let given = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            ProducerConfig::from_map(&given).expect("valid")
        };
        let config = make(&[]);
        assert!(config.enable_idempotence && config.acks == Acks::All);
        assert_eq!(
            (config.linger_ms, config.batch_size, config.delivery_timeout_ms),
            (5, 16384, 120_000)
        );
        assert!(!make(&[("acks", "1")]).enable_idempotence);
        assert!(!make(&[("retries", "0")]).enable_idempotence);
        assert_eq!(make(&[("linger.ms", "130000")]).delivery_timeout_ms, 160_000);
        assert_eq!(make(&[("batch.size", "0")]).batch_size, 1);
        assert_eq!(make(&[("reconnect.backoff.ms", "7")]).reconnect_backoff_max_ms, 7);
    }
}
