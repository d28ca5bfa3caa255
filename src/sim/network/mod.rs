//! Hosts, names and directed links, with everything that can be wrong with them.
//!
//! Without a word about networks all hosts stand on one plain network: every name is known everywhere, every port can be
//! reached. [`named`] adds the networks of a container engine, [`names`] who knows which name, [`route`] where a packet
//! for an address goes.

mod named;
mod names;
mod route;
#[cfg(test)]
mod tests;

use super::clock::Span;
use super::disk::DiskMode;
use super::process::{HostId, ProcId};
use crate::ordered::OrderedMap;
use named::Named;
pub use named::{Interface, Lan, LanId, NetworkError, Outside, Published, Subnet};
pub use names::is_made_up;
pub use route::{Route, Target};
use std::rc::Rc;

/// One way between hosts when nothing else is said: a rack away.
pub const DEFAULT_LATENCY: Span = Span::us(300);

/// Between processes of one host.
pub const LOOPBACK_LATENCY: Span = Span::us(20);

/// A machine.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: Rc<str>,
    /// Powered: a host without power answers nothing, not even with a reset.
    pub up: bool,
    pub disk: DiskMode,
    /// None of its processes runs: a container whose program has ended is no more on its networks.
    pub(super) idle: bool,
    pub(super) ports: OrderedMap<u16, Socket>,
}

/// A listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub proc: ProcId,
    /// Bound to 127.0.0.1: for processes of the same host.
    pub local: bool,
    /// Its accept queue is full.
    pub full: bool,
}

impl Socket {
    pub fn new(proc: ProcId, local: bool) -> Socket {
        Socket {
            proc,
            local,
            full: false,
        }
    }
}

/// One direction between two hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// `None`: the default.
    pub latency: Option<Span>,
    /// Every packet is lost.
    pub cut: bool,
    /// Added to the latency.
    pub delay: Span,
    /// Of a million packets, so many are lost (TCP sends them again).
    pub loss_ppm: u32,
}

/// All hosts and links.
#[derive(Clone, Debug, Default)]
pub struct Network {
    hosts: Vec<Host>,
    links: OrderedMap<(HostId, HostId), Link>,
    /// `None`: all hosts stand on one plain network.
    named: Option<Rc<Named>>,
}

impl Network {
    pub fn add_host(&mut self, name: &str) -> HostId {
        self.hosts.push(Host {
            name: name.into(),
            up: true,
            disk: DiskMode::Ok,
            idle: false,
            ports: OrderedMap::new(),
        });
        HostId((self.hosts.len() - 1) as u32)
    }

    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &Host)> {
        self.hosts.iter().enumerate().map(|(i, host)| (HostId(i as u32), host))
    }

    /// The host with that name, whoever may know it.
    pub fn resolve(&self, name: &str) -> Option<HostId> {
        self.hosts().find(|(_, host)| &*host.name == name).map(|(id, _)| id)
    }

    pub fn host(&self, id: HostId) -> &Host {
        // Host ids are made by `add_host` alone and hosts never go.
        &self.hosts[id.0 as usize]
    }

    pub fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0 as usize]
    }

    pub fn link(&self, from: HostId, to: HostId) -> Link {
        if self.links.is_empty() {
            return Link::default();
        }
        self.links.get(&(from, to)).copied().unwrap_or_default()
    }

    pub fn link_mut(&mut self, from: HostId, to: HostId) -> &mut Link {
        self.links.entry((from, to)).or_default()
    }

    /// Links that were ever touched.
    pub fn links(&self) -> impl Iterator<Item = ((HostId, HostId), Link)> {
        self.links.iter().map(|(ends, link)| (*ends, *link))
    }

    /// How long a packet takes.
    pub fn latency(&self, from: HostId, to: HostId) -> Span {
        let link = self.link(from, to);
        let default = if from == to { LOOPBACK_LATENCY } else { DEFAULT_LATENCY };
        link.latency.unwrap_or(default) + link.delay
    }

    /// No packet comes through from `from` to `to`.
    pub fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.link(from, to).cut || !self.host(from).up || !self.host(to).up
    }

    /// Ends every cut, delay and loss; latencies stay.
    pub fn heal_all(&mut self) {
        for link in self.links.values_mut() {
            *link = Link {
                latency: link.latency,
                ..Link::default()
            };
        }
    }

    /// Who has that port.
    /// The accept queue of that port has no room.
    pub(super) fn is_full(&self, host: HostId, port: u16) -> bool {
        self.host(host).ports.get(&port).is_some_and(|socket| socket.full)
    }

    pub(super) fn listener(&self, host: HostId, port: u16) -> Option<ProcId> {
        self.host(host).ports.get(&port).map(|socket| socket.proc)
    }

    /// Who takes a connection on that port; `local`: one from the same host.
    pub(super) fn taker(&self, host: HostId, port: u16, local: bool) -> Option<ProcId> {
        let socket = self.host(host).ports.get(&port)?;
        (local || !socket.local).then_some(socket.proc)
    }

    /// Whether anything would take a connection to that port of a host.
    pub fn is_open(&self, host: HostId, port: u16, local: bool) -> bool {
        self.taker(host, port, local).is_some()
    }
}
