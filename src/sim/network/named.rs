//! Named networks as a container engine makes them: bridges on a machine, containers with an interface on each of theirs,
//! published ports. [Docker Engine 28, bridge driver]

use super::Network;
use crate::ordered::OrderedMap;
use crate::sim::process::HostId;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// A named network, by the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanId(pub u32);

/// An address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    pub base: Ipv4Addr,
    /// Leading bits that all its addresses share.
    pub bits: u8,
}

impl Subnet {
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.bits.min(32))).unwrap_or(0);
        ip.to_bits() & mask == self.base.to_bits() & mask
    }

    /// `172.18.0.0/16`.
    pub fn parse(text: &str) -> Option<Subnet> {
        let (base, bits) = text.split_once('/')?;
        let bits: u8 = bits.parse().ok()?;
        (bits <= 30).then_some(Subnet {
            base: base.parse().ok()?,
            bits,
        })
    }

    /// The `n`-th address behind its base.
    fn nth(self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base.to_bits().wrapping_add(n))
    }

    fn size(self) -> u32 {
        1u32.checked_shl(32 - u32::from(self.bits)).unwrap_or(u32::MAX)
    }
}

/// A bridge on a machine.
#[derive(Clone, Debug)]
pub struct Lan {
    pub name: Rc<str>,
    /// The machine whose engine made it; its first address there is the gateway.
    pub engine: HostId,
    pub subnet: Subnet,
    /// The engine answers names there (a user-defined bridge; the default bridge has none).
    pub has_names: bool,
    /// No way out, no published ports.
    pub internal: bool,
}

impl Lan {
    pub fn gateway(&self) -> Ipv4Addr {
        self.subnet.nth(1)
    }
}

/// A container's place on one network.
#[derive(Clone, Debug)]
pub struct Interface {
    pub lan: LanId,
    pub ip: Ipv4Addr,
    /// Names besides the container's own, on this network.
    pub aliases: Vec<Rc<str>>,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The machine on whose port it is.
    pub engine: HostId,
    /// `127.0.0.1`: for programs of the machine itself; else all of its addresses.
    pub local: bool,
    pub port: u16,
    pub to: HostId,
    pub to_port: u16,
    /// A program in between takes every connection before it knows whether it can pass it on (a TCP proxy).
    pub relay: bool,
    /// A container of the same bridge comes through too: by masquerading or the engine's proxy.
    pub hairpin: bool,
}

/// What becomes of packets from another machine to a container's own address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outside {
    /// The filter drops them: silence.
    #[default]
    Dropped,
    /// It answers that the host is unreachable.
    Unreachable,
    /// It answers with a reset.
    Reset,
}

/// Why the engine does not do what it was told, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError(pub String);

/// Everything about named networks.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub lans: Vec<Lan>,
    pub attached: OrderedMap<HostId, Vec<Interface>>,
    pub published: Vec<Published>,
    /// Addresses of machines on the plain network that were said.
    pub given: OrderedMap<HostId, Ipv4Addr>,
    /// Lines of a container's `/etc/hosts`, and its hostname.
    pub extra: OrderedMap<HostId, Vec<(Rc<str>, HostId)>>,
    pub outside: Outside,
}

impl Network {
    fn named_mut(&mut self) -> &mut Named {
        Rc::make_mut(self.named.get_or_insert_with(Rc::default))
    }

    /// Makes a network on a machine; without a subnet it takes the next of the engine's pools.
    ///
    /// # Errors
    /// The engine's: a network of that name is there, or the subnet overlaps with another.
    pub fn add_lan(&mut self, name: &str, engine: HostId, subnet: Option<Subnet>) -> Result<LanId, NetworkError> {
        if self.lan_named(name).is_some() {
            return Err(NetworkError(format!("network with name {name} already exists")));
        }
        let named = self.named_mut();
        let taken = |subnet: Subnet| {
            let overlaps = |lan: &Lan| lan.subnet.contains(subnet.base) || subnet.contains(lan.subnet.base);
            named.lans.iter().any(overlaps)
        };
        // The engine's first pools: 172.18.0.0/16 up to 172.31.0.0/16, then 192.168.0.0/20 and so on.
        let pools = (18..32).map(|n| (Ipv4Addr::new(172, n, 0, 0), 16));
        let pools = pools.chain((0..16).map(|n| (Ipv4Addr::new(192, 168, n * 16, 0), 20)));
        let mut pools = pools.map(|(base, bits)| Subnet { base, bits });
        let subnet = match subnet {
            Some(subnet) if taken(subnet) => {
                let text = "invalid pool request: Pool overlaps with other one on this address space";
                return Err(NetworkError(text.into()));
            }
            Some(subnet) => subnet,
            None => pools
                .find(|pool| !taken(*pool))
                .ok_or_else(|| NetworkError("all predefined address pools have been fully subnetted".into()))?,
        };
        let id = LanId(named.lans.len() as u32);
        named.lans.push(Lan {
            name: name.into(),
            engine,
            subnet,
            has_names: true,
            internal: false,
        });
        Ok(id)
    }

    /// The default bridge of a machine: no names, nobody leaves it while it runs.
    pub fn add_default_bridge(&mut self, engine: HostId) -> LanId {
        if let Some(id) = self.lan_named("bridge") {
            return id;
        }
        let named = self.named_mut();
        named.lans.push(Lan {
            name: "bridge".into(),
            engine,
            subnet: Subnet {
                base: Ipv4Addr::new(172, 17, 0, 0),
                bits: 16,
            },
            has_names: false,
            internal: false,
        });
        LanId((named.lans.len() - 1) as u32)
    }

    /// Cuts a network off from everything outside it.
    pub fn make_internal(&mut self, lan: LanId) {
        if let Some(lan) = self.named_mut().lans.get_mut(lan.0 as usize) {
            lan.internal = true;
        }
    }

    pub fn lan_named(&self, name: &str) -> Option<LanId> {
        self.lans().find(|(_, lan)| &*lan.name == name).map(|(id, _)| id)
    }

    pub fn lan(&self, id: LanId) -> Option<&Lan> {
        self.named.as_ref()?.lans.get(id.0 as usize)
    }

    /// All named networks.
    pub fn lans(&self) -> impl Iterator<Item = (LanId, &Lan)> {
        let lans = self.named.iter().flat_map(|named| named.lans.iter());
        lans.enumerate().map(|(i, lan)| (LanId(i as u32), lan))
    }

    /// A host's places on named networks; none: it stands on the plain network.
    pub fn interfaces(&self, host: HostId) -> &[Interface] {
        let named = self.named.as_ref();
        named
            .and_then(|named| named.attached.get(&host))
            .map_or(&[], Vec::as_slice)
    }

    /// Published ports in the order in which they were.
    pub fn published(&self) -> &[Published] {
        self.named.as_ref().map_or(&[], |named| &named.published)
    }

    /// Whether a host is a container: it stands on named networks alone.
    pub fn is_container(&self, host: HostId) -> bool {
        self.named
            .as_ref()
            .is_some_and(|named| named.attached.contains_key(&host))
    }

    /// `docker network connect`: an interface, an address and the names, at once. Without `ip` the lowest free address.
    ///
    /// # Errors
    /// The engine's: it is there already, or the address is not to be had.
    pub fn attach(
        &mut self,
        host: HostId,
        lan: LanId,
        ip: Option<Ipv4Addr>,
        aliases: &[Rc<str>],
    ) -> Result<Ipv4Addr, NetworkError> {
        let name = self.host(host).name.clone();
        let Some(network) = self.lan(lan) else {
            return Err(NetworkError(format!("network {} not found", lan.0)));
        };
        let (subnet, network_name, has_names) = (network.subnet, network.name.clone(), network.has_names);
        if !has_names && !aliases.is_empty() {
            let text = "network-scoped alias is supported only for containers in user defined networks";
            return Err(NetworkError(text.into()));
        }
        if self.interfaces(host).iter().any(|one| one.lan == lan) {
            return Err(NetworkError(format!(
                "endpoint with name {name} already exists in network {network_name}"
            )));
        }
        let named = self.named_mut();
        let taken = |ip: Ipv4Addr| {
            let all = named.attached.values().flatten();
            all.into_iter().any(|one| one.ip == ip)
        };
        let ip = match ip {
            Some(ip) if !subnet.contains(ip) || taken(ip) => return Err(NetworkError("Address already in use".into())),
            Some(ip) => ip,
            None => (2..subnet.size().saturating_sub(1))
                .map(|n| subnet.nth(n))
                .find(|ip| !taken(*ip))
                .ok_or_else(|| NetworkError("no available IPv4 addresses on this network's address pools".into()))?,
        };
        let interface = Interface {
            lan,
            ip,
            aliases: aliases.to_vec(),
        };
        named.attached.entry(host).or_default().push(interface);
        Ok(ip)
    }

    /// `docker network disconnect`: the interface is gone, with its address and names. The host is a container still.
    ///
    /// # Errors
    /// It has no interface there.
    pub fn detach(&mut self, host: HostId, lan: LanId) -> Result<(), NetworkError> {
        let (name, network) = (self.host(host).name.clone(), self.lan(lan).map(|lan| lan.name.clone()));
        let interfaces = self.named_mut().attached.get_mut(&host);
        let before = interfaces.as_ref().map_or(0, |all| all.len());
        if let Some(all) = interfaces {
            all.retain(|one| one.lan != lan);
        }
        if self.interfaces(host).len() == before {
            let network = network.as_deref().unwrap_or("?").to_string();
            return Err(NetworkError(format!(
                "container {name} is not connected to network {network}"
            )));
        }
        Ok(())
    }

    /// Publishes a container's port on its engine's machine.
    ///
    /// # Errors
    /// The port is taken.
    pub fn publish(&mut self, port: Published) -> Result<(), NetworkError> {
        let taken = |one: &Published| {
            one.engine == port.engine && one.port == port.port && (one.local == port.local || !one.local || !port.local)
        };
        if self.published().iter().any(taken) {
            let at = if port.local { "127.0.0.1" } else { "0.0.0.0" };
            return Err(NetworkError(format!(
                "Bind for {at}:{} failed: port is already allocated",
                port.port
            )));
        }
        self.named_mut().published.push(port);
        Ok(())
    }

    /// Takes the published ports of a container back.
    pub fn unpublish(&mut self, of: HostId) {
        if self.named.is_some() {
            self.named_mut().published.retain(|one| one.to != of);
        }
    }

    /// Says the address of a machine on the plain network.
    pub fn give_address(&mut self, host: HostId, ip: Ipv4Addr) {
        self.named_mut().given.insert(host, ip);
    }

    /// A line in a container's `/etc/hosts`, or its own hostname.
    pub fn add_name(&mut self, to: HostId, name: &str, means: HostId) {
        self.named_mut().extra.entry(to).or_default().push((name.into(), means));
    }

    /// What becomes of packets from other machines to containers' own addresses.
    pub fn set_outside(&mut self, outside: Outside) {
        self.named_mut().outside = outside;
    }
}
