//! Where a packet for an address and port goes: the own machine, a neighbour on a shared network, a published port, the
//! world outside, or nowhere. [reference: Docker Engine 28, bridge networks and port publishing]

use super::names::host_of_made_up;
use super::{LanId, Network, Outside, Published};
use crate::sim::process::HostId;
use std::net::Ipv4Addr;

/// The socket that a connection is meant for in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub host: HostId,
    pub port: u16,
    /// It arrives on the loopback interface.
    pub local: bool,
    /// A program in between takes the connection first.
    pub relay: bool,
    /// The named network that it goes over.
    pub over: Option<LanId>,
    /// The port was published: (machine, port) that was asked.
    pub published: Option<(HostId, u16)>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    To(Target),
    /// The machine itself refuses: a port of its own that is not published there.
    Refused,
    /// Nobody on the network has the address: three questions, three seconds, no route to host.
    NoHost,
    /// A router says that the host cannot be reached.
    Unreachable,
    /// Dropped on the way: nothing comes back.
    Silent,
}

impl Network {
    /// Where a packet from a host to an address and port goes.
    pub fn route(&self, from: HostId, ip: Ipv4Addr, port: u16) -> Route {
        if self.named.is_none() {
            return self.plain_route(from, ip, port);
        }
        if ip.is_loopback() {
            return self.loopback(from, port);
        }
        if self.interfaces(from).is_empty() && !self.is_container(from) {
            self.route_of_machine(from, ip, port)
        } else {
            self.route_of_container(from, ip, port)
        }
    }

    fn plain_route(&self, from: HostId, ip: Ipv4Addr, port: u16) -> Route {
        let host = match ip.is_loopback() {
            true => Some(from),
            false => host_of_made_up(ip).filter(|host| (host.0 as usize) < self.hosts.len()),
        };
        host.map_or(Route::Silent, |host| direct(from, host, port, None))
    }

    /// To oneself: the machine's own port, or what the engine's proxy has published there.
    fn loopback(&self, from: HostId, port: u16) -> Route {
        let own = self.host(from).ports.contains_key(&port);
        match self.published_at(from, port, true) {
            Some(published) if !own => self.through(published, true, None),
            _ => direct(from, from, port, None),
        }
    }

    fn route_of_machine(&self, from: HostId, ip: Ipv4Addr, port: u16) -> Route {
        if let Some(host) = self.machine_at(ip) {
            return self.to_machine(from, host, port);
        }
        let lan = self.lans().find(|(_, lan)| lan.subnet.contains(ip));
        match lan {
            Some((id, lan)) if lan.engine == from => self.neighbour(from, id, ip, port),
            Some((_, lan)) if ip == lan.gateway() => self.to_machine(from, lan.engine, port),
            Some(_) => match self.named.as_ref().map(|named| named.outside).unwrap_or_default() {
                Outside::Dropped => Route::Silent,
                Outside::Unreachable => Route::Unreachable,
                Outside::Reset => Route::Refused,
            },
            None => Route::Silent,
        }
    }

    fn route_of_container(&self, from: HostId, ip: Ipv4Addr, port: u16) -> Route {
        let own = self.interfaces(from);
        if own.iter().any(|one| one.ip == ip) {
            return direct(from, from, port, None);
        }
        let shared = own
            .iter()
            .find(|one| self.lan(one.lan).is_some_and(|lan| lan.subnet.contains(ip)));
        if let Some(interface) = shared {
            return self.neighbour(from, interface.lan, ip, port);
        }
        let open = |one: &&super::Interface| self.lan(one.lan).is_some_and(|lan| !lan.internal);
        if !own.iter().any(|one| open(&one)) {
            return Route::Unreachable;
        }
        let gateway = self
            .lans()
            .find(|(_, lan)| lan.gateway() == ip)
            .map(|(_, lan)| lan.engine);
        match self.machine_at(ip).or(gateway) {
            Some(host) => self.to_machine(from, host, port),
            // Bridges are isolated from each other; so is whatever else nobody here knows.
            None => Route::Silent,
        }
    }

    /// On a shared network: its gateway is the engine's machine, any other address a container or nobody.
    fn neighbour(&self, from: HostId, lan: LanId, ip: Ipv4Addr, port: u16) -> Route {
        if let Some(network) = self.lan(lan)
            && network.gateway() == ip
        {
            return self.to_machine(from, network.engine, port);
        }
        let Some(named) = &self.named else {
            return Route::NoHost;
        };
        let holds = |interfaces: &Vec<super::Interface>| interfaces.iter().any(|one| one.lan == lan && one.ip == ip);
        let holder = named
            .attached
            .iter()
            .find(|(host, all)| holds(all) && self.is_there(**host));
        holder.map_or(Route::NoHost, |(host, _)| direct(from, *host, port, Some(lan)))
    }

    /// To a machine of the plain network: what is published there, or its own ports.
    fn to_machine(&self, from: HostId, host: HostId, port: u16) -> Route {
        let Some(published) = self.published_at(host, port, from == host) else {
            return direct(from, host, port, None);
        };
        let shared = self
            .interfaces(from)
            .iter()
            .find(|one| self.interfaces(published.to).iter().any(|other| other.lan == one.lan));
        match shared {
            // The answer comes from the container's own address, which the client did not ask.
            Some(_) if !published.hairpin => Route::Silent,
            shared => self.through(published, false, shared.map(|one| one.lan)),
        }
    }

    fn through(&self, published: &Published, local: bool, over: Option<LanId>) -> Route {
        if !self.is_there(published.to) {
            return Route::Refused;
        }
        Route::To(Target {
            host: published.to,
            port: published.to_port,
            local: false,
            relay: published.relay || local,
            over: over.or(self.interfaces(published.to).first().map(|one| one.lan)),
            published: Some((published.engine, published.port)),
        })
    }

    fn published_at(&self, host: HostId, port: u16, own: bool) -> Option<&Published> {
        let mut all = self.published().iter();
        all.find(|one| one.engine == host && one.port == port && (own || !one.local))
    }

    /// The machine of the plain network with that address.
    fn machine_at(&self, ip: Ipv4Addr) -> Option<HostId> {
        let named = self.named.as_ref()?;
        let given = named
            .given
            .iter()
            .find(|(_, given)| **given == ip)
            .map(|(host, _)| *host);
        let made_up = || host_of_made_up(ip).filter(|host| (host.0 as usize) < self.hosts.len());
        given.or_else(made_up).filter(|host| !self.is_container(*host))
    }
}

fn direct(from: HostId, host: HostId, port: u16, over: Option<LanId>) -> Route {
    Route::To(Target {
        host,
        port,
        local: from == host,
        relay: false,
        over,
        published: None,
    })
}
