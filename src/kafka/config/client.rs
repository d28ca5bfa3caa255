//! Checks that the constructors of all clients make.

use super::addresses::{Malformed, host_and_port};
use super::error::ConfigError;
use super::value::known_class;
use super::values::Values;

/// Every entry of `bootstrap.servers` has a host and a port; whether they lead anywhere shows later.
/// [ClientUtils.parseAndValidateAddresses]
pub(super) fn check_bootstrap(values: &Values) -> Result<(), ConfigError> {
    for entry in values.list("bootstrap.servers")? {
        let what = match host_and_port(&entry) {
            Ok(_) => continue,
            Err(Malformed::Url) => "url",
            Err(Malformed::Port) => "port",
        };
        return Err(ConfigError::new(format!(
            "Invalid {what} in bootstrap.servers: {entry}"
        )));
    }
    Ok(())
}

/// The classes of `interceptor.classes` are there. [AbstractConfig.getConfiguredInstances]
pub(super) fn check_interceptors(values: &Values) -> Result<(), ConfigError> {
    for class in values.list("interceptor.classes")? {
        if !known_class(&class) {
            return Err(ConfigError::of(
                "KafkaException",
                format!("Class {class} cannot be found"),
            ));
        }
    }
    Ok(())
}
