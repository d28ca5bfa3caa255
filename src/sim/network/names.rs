//! Who knows which name: `/etc/hosts`, the embedded DNS of each named network, the machines of the plain network.

use super::Network;
use crate::sim::process::HostId;
use std::net::Ipv4Addr;

/// The address that a host of the plain network has as long as nobody said one: in 0.0.0.0/8, which no real host has.
pub(super) fn made_up(host: HostId) -> Ipv4Addr {
    Ipv4Addr::from_bits(host.0 + 1)
}

/// Nobody said that address: people are shown the name alone.
pub fn is_made_up(ip: Ipv4Addr) -> bool {
    ip.octets()[0] == 0
}

/// The host of a made-up address.
pub(super) fn host_of_made_up(ip: Ipv4Addr) -> Option<HostId> {
    ip.to_bits().checked_sub(1).filter(|_| is_made_up(ip)).map(HostId)
}

impl Network {
    /// What a name means to a host, or an address in words; `None`: unknown host.
    pub fn look_up(&self, from: HostId, name: &str) -> Option<Ipv4Addr> {
        if self.named.is_none() {
            return match self.resolve(name) {
                Some(host) => Some(made_up(host)),
                None => local_or_literal(name),
            };
        }
        self.look_up_named(from, name)
    }

    fn look_up_named(&self, from: HostId, name: &str) -> Option<Ipv4Addr> {
        if let Some(ip) = local_or_literal(name) {
            return Some(ip);
        }
        let named = self.named.as_ref()?;
        let lines = named.extra.get(&from).into_iter().flatten();
        if let Some((_, host)) = lines.into_iter().find(|(known, _)| &**known == name) {
            return Some(self.address_for(from, *host));
        }
        let interfaces = self.interfaces(from);
        if interfaces.is_empty() {
            return self.look_up_plain(name);
        }
        if &*self.host(from).name == name {
            return interfaces.first().map(|one| one.ip);
        }
        let known = interfaces.iter().find_map(|own| self.embedded_dns(own.lan, name));
        let shut_in = || {
            interfaces
                .iter()
                .all(|own| self.lan(own.lan).is_some_and(|lan| lan.internal))
        };
        // The engine passes what it does not know on to its machine's resolvers.
        known.or_else(|| (!shut_in()).then(|| self.look_up_plain(name)).flatten())
    }

    /// The engine answers with whoever on that network has the name and runs; `NAME.NETWORK` too.
    fn embedded_dns(&self, lan: super::LanId, name: &str) -> Option<Ipv4Addr> {
        let (named, network) = (self.named.as_ref()?, self.lan(lan)?);
        if !network.has_names {
            return None;
        }
        let short = name
            .strip_suffix(&*network.name)
            .and_then(|name| name.strip_suffix('.'));
        let name = short.unwrap_or(name);
        named.attached.iter().find_map(|(host, interfaces)| {
            let own = interfaces.iter().find(|one| one.lan == lan)?;
            let called = &*self.host(*host).name == name || own.aliases.iter().any(|alias| &**alias == name);
            (called && self.is_there(*host)).then_some(own.ip)
        })
    }

    /// A machine of the plain network.
    fn look_up_plain(&self, name: &str) -> Option<Ipv4Addr> {
        let plain = |(id, host): &(HostId, &super::Host)| &*host.name == name && !self.is_container(*id);
        self.hosts().find(plain).map(|(id, _)| self.plain_address(id))
    }

    /// The address of a machine on the plain network.
    pub fn plain_address(&self, host: HostId) -> Ipv4Addr {
        let given = self.named.as_ref().and_then(|named| named.given.get(&host));
        given.copied().unwrap_or_else(|| made_up(host))
    }

    /// The address of one host as another one sees it: on a network that they share, if there is one.
    pub fn address_for(&self, from: HostId, host: HostId) -> Ipv4Addr {
        let own = self.interfaces(host);
        let mut shared = own
            .iter()
            .filter(|one| self.interfaces(from).iter().any(|other| other.lan == one.lan));
        match shared.next().or(own.first()) {
            Some(interface) => interface.ip,
            None => self.gateway_for(from, host).unwrap_or_else(|| self.plain_address(host)),
        }
    }

    /// The engine's machine as its containers see it, if nobody said its address.
    fn gateway_for(&self, from: HostId, host: HostId) -> Option<Ipv4Addr> {
        let mut lans = self.interfaces(from).iter().filter_map(|one| self.lan(one.lan));
        lans.find(|lan| lan.engine == host).map(super::Lan::gateway)
    }

    /// It has power, and if it is a container its program runs.
    pub(super) fn is_there(&self, host: HostId) -> bool {
        let it = self.host(host);
        it.up && !it.idle
    }
}

fn local_or_literal(name: &str) -> Option<Ipv4Addr> {
    match name {
        "localhost" => Some(Ipv4Addr::LOCALHOST),
        other => other.parse().ok(),
    }
}
