//! `host:port` as Kafka's settings have it.

use super::error::ConfigError;

/// Why an address is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// There is no host, or no port, to be read.
    Url,
    /// The port is beyond 65535.
    Port,
}

/// Host and port of `host:port`, `[v6]:port` or `scheme://host:port`. [Utils.getHost, .getPort, ClientUtils]
pub(crate) fn host_and_port(text: &str) -> Result<(&str, u16), Malformed> {
    let word = |c: char| c.is_ascii_alphanumeric() || "-%._".contains(c);
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.chars().all(word) => rest,
        _ => text,
    };
    let (host, port) = rest.rsplit_once(':').ok_or(Malformed::Url)?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if !digits || !host.chars().all(|c| word(c) || c == ':') {
        return Err(Malformed::Url);
    }
    Ok((host, port.parse().map_err(|_| Malformed::Port)?))
}

/// Checks `controller.quorum.bootstrap.servers`. [QuorumConfig.parseBootstrapServers]
pub(crate) fn check_bootstrap_servers(name: &str, entries: &[String]) -> Result<(), ConfigError> {
    for entry in entries {
        if host_and_port(entry) == Err(Malformed::Url) {
            return Err(ConfigError::new(format!(
                "Failed to parse host name from {entry} for the configuration {name}. Each entry should be in the form \"{{host}}:{{port}}\""
            )));
        }
    }
    Ok(())
}

/// Checks `controller.quorum.voters`. [QuorumConfig.parseVoterConnections]
pub(crate) fn check_voters(name: &str, entries: &[String]) -> Result<(), ConfigError> {
    const FORM: &str = "Each entry should be in the form `{id}@{host}:{port}`.";
    for entry in entries {
        let parts: Vec<&str> = entry.split('@').collect();
        let [id, address] = parts[..] else {
            let text = format!("Invalid configuration value for {name}. {FORM}");
            return Err(ConfigError::new(text));
        };
        if id.parse::<i32>().is_err() {
            return Err(ConfigError::new(format!(
                "Failed to parse voter ID as an integer from {id}"
            )));
        }
        if host_and_port(address) == Err(Malformed::Url) {
            return Err(ConfigError::new(format!(
                "Failed to parse host name from entry {entry} for the configuration {name}. {FORM}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(host_and_port("kafka:9092"), Ok(("kafka", 9092)));
        assert_eq!(host_and_port("[::1]:9092"), Ok(("::1", 9092)));
        assert_eq!(host_and_port("PLAINTEXT://a-b.c:1"), Ok(("a-b.c", 1)));
        assert_eq!(host_and_port("kafka"), Err(Malformed::Url));
        assert_eq!(host_and_port("ka fka:9092"), Err(Malformed::Url));
        assert_eq!(host_and_port("kafka:"), Err(Malformed::Url));
        assert_eq!(host_and_port("kafka:65536"), Err(Malformed::Port));
    }
}
