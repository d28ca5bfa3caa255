//! Typed settings of an admin client. [AdminClientConfig]

use super::client::check_bootstrap;
use super::definition::Scope;
use super::error::ConfigError;
use super::values::{Properties, Values, settings};

settings! {
    /// What an admin client was made with.
    pub struct AdminConfig, v;
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
    /// `client.id`: name in logs; empty: made up.
    client_id: String = v.text("client.id")?,
    /// `security.protocol` asks for TLS.
    security_protocol_tls: bool = v.text("security.protocol")?.to_ascii_uppercase().ends_with("SSL"),
    /// `metadata.recovery.strategy` is `rebootstrap`: a client without a usable node goes back to its bootstrap addresses.
    metadata_recovery_rebootstrap: bool = v.text("metadata.recovery.strategy")?.eq_ignore_ascii_case("rebootstrap"),
    /// `default.api.timeout.ms`: a whole call, ms.
    default_api_timeout_ms: i64 = v.number("default.api.timeout.ms")?,
    /// `retries`: attempts after the first.
    retries: i64 = v.number("retries")?,
}

impl AdminConfig {
    /// The settings from what is given and the defaults.
    ///
    /// # Errors
    /// What the constructor throws: the first text that is refused, then addresses of no use.
    pub fn from_map(given: &Properties) -> Result<AdminConfig, ConfigError> {
        let values = Values::check(Scope::Admin, given)?;
        let mut config = AdminConfig::read(&values)?;
        if values.is_given("reconnect.backoff.ms") && !values.is_given("reconnect.backoff.max.ms") {
            config.reconnect_backoff_max_ms = config.reconnect_backoff_ms;
        }
        check_bootstrap(&values).map_err(|cause| ConfigError {
            cause: Some(Box::new(cause)),
            ..ConfigError::of("KafkaException", "Failed to create new KafkaAdminClient")
        })?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_refusals() {
        let config = AdminConfig::from_map(&Properties::new()).expect("the defaults hold");
        assert_eq!(
            (config.default_api_timeout_ms, config.request_timeout_ms),
            (60_000, 30_000)
        );
        assert_eq!(config.retries, i64::from(i32::MAX));
        assert!(config.metadata_recovery_rebootstrap);
        let given = [("bootstrap.servers".to_string(), "localhost".to_string())].into();
        let error = AdminConfig::from_map(&given).expect_err("refused");
        assert_eq!(
            error.cause.expect("a cause").message,
            "Invalid url in bootstrap.servers: localhost"
        );
    }
}
