//! `ports`: the short form `[HOST_IP:][PUBLISHED:]TARGET[/PROTOCOL]` with its ranges.

use super::value::Value;
use crate::ordered::SortSmall;
use std::net::IpAddr;

/// A range may not be longer than this many ports, so that a short line makes no huge model.
const LONGEST: u32 = 65_536;

/// Expands one entry.
///
/// # Errors
/// The words of the Docker command line.
pub fn expand(entry: &str) -> Result<Vec<Value>, String> {
    let (host, published, target) = parts(entry);
    let (target, protocol) = match target.split_once('/') {
        Some((target, protocol)) if !protocol.is_empty() => (target, protocol),
        Some((target, _)) => (target, "tcp"),
        None => (target, "tcp"),
    };
    let host = host_ip(&host)?;
    if target.is_empty() {
        return Err(format!("No port specified: {entry}<empty>"));
    }
    let (first, last) = range(target).ok_or_else(|| format!("Invalid containerPort: {target}"))?;
    let hosts = if published.is_empty() {
        None
    } else {
        Some(range(published).ok_or_else(|| format!("Invalid hostPort: {published}"))?)
    };
    if let Some((from, to)) = hosts
        && to - from != last - first
        && last != first
    {
        return Err(format!(
            "Invalid ranges specified for container and host Ports: {target} and {published}"
        ));
    }
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("Invalid proto: {protocol}"));
    }
    let mut all: Vec<(String, Value)> = (0..=(last - first).min(LONGEST))
        .map(|step| {
            let published = match hosts {
                None => Value::Null,
                Some((from, to)) if first == last && from != to => Value::str(format!("{from}-{to}")),
                Some((from, _)) => Value::str((from + step).to_string()),
            };
            let port = Value::map([
                ("mode", Value::str("ingress")),
                ("host_ip", Value::str(host.clone())),
                ("target", Value::Int(i64::from(first + step))),
                ("published", published),
                ("protocol", Value::str(protocol.clone())),
            ]);
            ((first + step).to_string(), port)
        })
        .collect();
    // The loader orders them by the port's text.
    all.sort_small_by(|a, b| a.0.cmp(&b.0));
    Ok(all.into_iter().map(|(_, port)| port).collect())
}

/// Address, published and target: an address may hold colons.
fn parts(entry: &str) -> (String, &str, &str) {
    match entry.rsplit_once(':') {
        None => (String::new(), "", entry),
        Some((rest, target)) => match rest.rsplit_once(':') {
            None => (String::new(), rest, target),
            Some((host, published)) => (host.to_string(), published, target),
        },
    }
}

fn host_ip(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bare.is_none() && text.contains(':') {
        return Err(format!(
            "Invalid ip address {text}: address {text}:: too many colons in address"
        ));
    }
    let ip = bare.unwrap_or(text);
    if ip.is_empty() || ip.parse::<IpAddr>().is_ok() {
        Ok(ip.to_string())
    } else {
        Err(format!("Invalid ip address: {ip}"))
    }
}

fn range(text: &str) -> Option<(u32, u32)> {
    let port = |text: &str| -> Option<u32> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten().map(u32::from)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some((first, last))
}
