//! Named networks, published ports, addresses, compose files.

use super::Refusal;
use crate::lab::language::ast::{Command, Name};
use crate::lab::wire::Note;
use crate::lab::world::{LAPTOP, World};
use crate::sim::HostId;
use crate::sim::network::{LanId, Published};
use std::rc::Rc;

impl World {
    pub(in crate::lab) fn apply_networks(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Network { name, members } => self.apply_network_of(name, members),
            Command::Attach { host, network, joins } => {
                let (host, lan) = (self.place_named(host)?, self.lan_named(network)?);
                match joins {
                    true => self.join(host, lan),
                    false => self.sim.detach(host, lan).map_err(|e| e.0),
                }
            }
            Command::Port {
                host,
                local,
                published,
                target,
            } => {
                let published = Published {
                    engine: self.host(LAPTOP),
                    local: *local,
                    port: *published,
                    to: self.place_named(host)?,
                    to_port: *target,
                    relay: false,
                    hairpin: true,
                };
                self.sim.network_mut().publish(published).map_err(|e| e.0)
            }
            Command::Address { host, ip } => {
                let host = self.host(host);
                self.sim.network_mut().give_address(host, *ip);
                Ok(())
            }
            Command::Compose(text) => self.apply_compose(text),
            _ => Ok(()),
        }
    }

    /// Makes a network, if there is none of that name, and puts its members on it.
    fn apply_network_of(&mut self, name: &Name, members: &[Name]) -> Result<(), Refusal> {
        let engine = self.host(LAPTOP);
        let lan = match self.sim.network().lan_named(name) {
            Some(lan) => lan,
            None => self.sim.network_mut().add_lan(name, engine, None).map_err(|e| e.0)?,
        };
        for member in members {
            let host = self.place_named(member)?;
            self.join(host, lan)?;
        }
        Ok(())
    }

    fn join(&mut self, host: HostId, lan: LanId) -> Result<(), Refusal> {
        let network = self.sim.network_mut();
        network.attach(host, lan, None, &[]).map(drop).map_err(|e| e.0)
    }

    fn lan_named(&self, name: &str) -> Result<LanId, Refusal> {
        let found = self.sim.network().lan_named(name);
        found.ok_or_else(|| format!("network {name} not found"))
    }

    /// The host of a name: of a process that stands or will stand on it, or the host itself.
    fn place_named(&mut self, name: &Name) -> Result<HostId, Refusal> {
        if let Some(host) = self.stands.get(name).cloned() {
            return Ok(self.host(&host));
        }
        self.host_named(name)
    }

    /// A file of the set-up stands already: what of it is not acted on is told. Any other is started now.
    fn apply_compose(&mut self, text: &Name) -> Result<(), Refusal> {
        let remarks = match Rc::make_mut(&mut self.composed).remove(text) {
            Some(remarks) => remarks,
            None => self.compose(text)?.remarks,
        };
        for remark in &remarks {
            self.tell(remark);
        }
        Ok(())
    }

    /// Says something about containers: in the name of the one that it begins with, if it runs anything.
    fn tell(&mut self, remark: &str) {
        let about = remark.split([':', ' ']).next().and_then(|name| self.find(name));
        let whom = about.or_else(|| self.sim.ids().next());
        if let Some(whom) = whom {
            self.sim.note(whom, Note::Engine(remark.into()));
        }
    }
}
