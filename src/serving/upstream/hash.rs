//! The hashes that bind a client or a key to a server.

use super::config::Server;
use crate::ordered::SortSmall;
use std::net::IpAddr;

/// Where `ip_hash` begins.
pub const IP_HASH_START: u32 = 89;

/// One round of `ip_hash` over the address: the first three octets of IPv4, all sixteen of IPv6.
pub fn ip_hash(hash: u32, address: IpAddr) -> u32 {
    let step = |hash: u32, octet: &u8| (hash * 113 + u32::from(*octet)) % 6271;
    match address {
        IpAddr::V4(v4) => v4.octets()[..3].iter().fold(hash, step),
        IpAddr::V6(v6) => v6.octets().iter().fold(hash, step),
    }
}

/// What `hash KEY` adds in one round; the round's number is put before the key, except in round 0.
pub fn key_hash(round: u32, key: &str) -> u32 {
    let mut crc = Crc::default();
    if round > 0 {
        crc.add(round.to_string().as_bytes());
    }
    crc.add(key.as_bytes());
    (crc.finish() >> 16) & 0x7fff
}

/// The ring of `hash KEY consistent`: points in order, each with the text of the `server` line that owns it. Of
/// servers that meet in one point the first keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    points: Vec<(u32, u32)>,
    owners: Vec<String>,
}

/// Points on the ring for each unit of weight.
const POINTS: u32 = 160;

impl Ring {
    pub fn new(servers: &[Server]) -> Ring {
        let mut points = Vec::new();
        for (owner, server) in servers.iter().enumerate() {
            let (host, port) = host_and_port(&server.address);
            let mut base = Crc::default();
            base.add(host.as_bytes());
            base.add(&[0]);
            base.add(port.as_bytes());
            let mut previous = 0_u32;
            for _ in 0..POINTS.saturating_mul(server.weight) {
                let mut crc = base;
                crc.add(&previous.to_le_bytes());
                previous = crc.finish();
                points.push((previous, owner as u32));
            }
        }
        points.sort_small();
        points.dedup_by_key(|(hash, _)| *hash);
        Ring {
            points,
            owners: servers.iter().map(|server| server.address.clone()).collect(),
        }
    }

    /// The position of the first point that is not before the key's.
    pub fn position(&self, key: &str) -> usize {
        let mut crc = Crc::default();
        crc.add(key.as_bytes());
        let hash = crc.finish();
        self.points.partition_point(|(point, _)| *point < hash)
    }

    /// Whose point stands at a position; positions wrap around.
    pub fn owner(&self, position: usize) -> Option<&str> {
        let (_, owner) = self.points.get(position % self.points.len().max(1))?;
        self.owners.get(*owner as usize).map(String::as_str)
    }
}

/// A trailing `:PORT` of digits is the port; `unix:` sockets have none.
fn host_and_port(address: &str) -> (&str, &str) {
    if let Some(prefix) = address.get(..5)
        && prefix.eq_ignore_ascii_case("unix:")
    {
        return (&address[5..], "");
    }
    match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (address, ""),
    }
}

/// CRC-32 (IEEE 802.3), fed piece by piece.
#[derive(Clone, Copy, Debug)]
struct Crc(u32);

impl Default for Crc {
    fn default() -> Crc {
        Crc(u32::MAX)
    }
}

impl Crc {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                self.0 = (self.0 >> 1) ^ (0xEDB8_8320 & (self.0 & 1).wrapping_neg());
            }
        }
    }

    fn finish(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standard_one() {
        let mut crc = Crc::default();
        crc.add(b"1234");
        crc.add(b"56789");
        assert_eq!(crc.finish(), 0xCBF4_3926);
    }

    #[test]
    fn a_port_is_what_follows_the_last_colon_if_it_is_a_number() {
        assert_eq!(host_and_port("127.0.0.1:18101"), ("127.0.0.1", "18101"));
        assert_eq!(host_and_port("backend"), ("backend", ""));
        assert_eq!(host_and_port("unix:/run/app.sock"), ("/run/app.sock", ""));
        assert_eq!(host_and_port("a:b"), ("a:b", ""));
    }

    #[test]
    fn neighbours_in_a_slash_24_share_a_server() {
        let hash = |text: &str| ip_hash(IP_HASH_START, text.parse().expect("an address"));
        assert_eq!(hash("10.0.0.1"), hash("10.0.0.254"));
        assert_ne!(hash("10.0.0.1"), hash("10.0.1.1"));
        assert_ne!(hash("2001:db8::1"), hash("2001:db8::2"));
    }

    #[test]
    fn a_ring_has_160_points_for_each_unit_of_weight_and_wraps() {
        let mut servers = vec![Server::new("a", "127.0.0.1:18101"), Server::new("b", "127.0.0.1:18102")];
        servers[1].weight = 2;
        let ring = Ring::new(&servers);
        assert_eq!(ring.points.len(), 480);
        assert!(ring.points.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(ring.owner(0), ring.owner(480));
        assert_eq!(Ring::default().owner(3), None);
    }
}
