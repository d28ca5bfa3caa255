//! `bootstrap.servers`: where a client begins.

use super::call::ClientError;
use crate::kafka::config::ConfigError;
use std::rc::Rc;

/// Host name and port as written.
pub type Address = (Rc<str>, u16);

/// Every address is resolved when a client is made; one that can be is enough. Returns those that can be, and what the
/// client logs about the others. [ClientUtils.parseAndValidateAddresses]
///
/// # Errors
/// None can be resolved: the constructor of a `client` ("producer", "consumer") fails.
pub fn resolve(
    addresses: &[Address],
    known: impl Fn(&str) -> bool,
    client: &str,
) -> Result<(Vec<Address>, Vec<String>), ClientError> {
    let (found, unknown): (Vec<_>, Vec<_>) = addresses.iter().cloned().partition(|(host, _)| known(host));
    if found.is_empty() {
        let cause = ConfigError::new("No resolvable bootstrap urls given in bootstrap.servers");
        return Err(match client {
            "admin" => {
                ClientError::new("KafkaException", "Failed to create new KafkaAdminClient").caused_by(cause.into())
            }
            client => cause.while_constructing(client).into(),
        });
    }
    Ok((found, unknown.iter().map(unresolved).collect()))
}

/// What the client logs about an address that cannot be resolved.
pub fn unresolved((host, port): &Address) -> String {
    format!("Couldn't resolve server {host}:{port} from bootstrap.servers as DNS resolution failed for {host}")
}

impl From<ConfigError> for ClientError {
    fn from(error: ConfigError) -> ClientError {
        ClientError {
            class: error.class.into(),
            message: Some(error.message.into()),
            cause: error.cause.map(|cause| Box::new((*cause).into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_known_name_is_enough() {
        let list: [Address; 2] = [("b1".into(), 9092), ("nowhere".into(), 9092)];
        let (found, lines) = resolve(&list, |host| host == "b1", "producer").expect("one is known");
        assert_eq!(found, [("b1".into(), 9092)]);
        assert_eq!(lines.len(), 1);
        let error = resolve(&list, |_| false, "producer").expect_err("none is known");
        assert_eq!(error.message.as_deref(), Some("Failed to construct kafka producer"));
        let cause = error.cause.expect("it has a cause");
        assert_eq!(&*cause.class, "ConfigException");
    }
}
