//! Web servers and their clients: made, configured, and told what to do.

use super::Refusal;
use crate::lab::language::ast::{Config, GroupName, Name, Web, WebRequest, words};
use crate::lab::node::Node;
use crate::lab::requests::HandOn;
use crate::lab::world::{Role, World};
use crate::serving::client::{Ask, ClientOrder, Clients};
use crate::serving::directives::{self, ServerKind, Wrong};
use crate::serving::server::{ServerOrder, WebServer};
use crate::serving::site::{Action, Location, Site};
use crate::serving::wire::Order;
use crate::sim::ProcId;
use std::rc::Rc;

/// Everything that has no location of its own.
const EVERYWHERE: &str = "/";

impl World {
    pub(in crate::lab) fn apply_web(&mut self, web: &Web) -> Result<(), Refusal> {
        match web {
            Web::Server {
                kind,
                names,
                on,
                hand_on,
                config,
            } => names
                .iter()
                .try_for_each(|name| self.apply_server(*kind, name, on.as_ref(), hand_on.as_ref(), config)),
            Web::Upstream { group, config } => self.apply_upstream(group, config),
            Web::Member { group, host, config } => self.apply_member(group, host, config),
            Web::Location { server, prefix, config } => self.apply_location(server, prefix, config),
            Web::Browser { names, on, config } => names
                .iter()
                .try_for_each(|name| self.apply_browser(name, on.as_ref(), config)),
            Web::Request(request) => self.apply_request(request),
            Web::Reload { servers } => self.tell_servers(servers, || ServerOrder::Reload),
            Web::KillWorker { servers } => self.tell_servers(servers, || ServerOrder::KillWorker),
        }
    }

    fn apply_server(
        &mut self,
        kind: ServerKind,
        name: &Name,
        on: Option<&Name>,
        hand_on: Option<&(Name, Name)>,
        config: &Config,
    ) -> Result<(), Refusal> {
        self.check_new(name)?;
        let setup = directives::server(kind, words(config)).map_err(refused)?;
        let everywhere = match hand_on {
            Some(_) => Some(Action::Outside),
            None => setup.everywhere,
        };
        let site = Site {
            locations: everywhere.into_iter().map(|action| at(EVERYWHERE, action)).collect(),
            groups: Vec::new(),
        };
        let server = WebServer::new(name, setup.port, setup.kind, Rc::new(site), setup.cores);
        let host = self.host(on.unwrap_or(name));
        let id = self.enter(name, host, Role::WebServer, Node::Web(Box::new(server)));
        if let Some((topic, producer)) = hand_on.cloned() {
            self.requests.hand_on(id, HandOn { topic, producer });
        }
        self.sim.start(id);
        Ok(())
    }

    fn server_named(&self, name: &str) -> Result<ProcId, Refusal> {
        let id = self.named(name)?;
        match self.role(id) {
            Role::WebServer => Ok(id),
            _ => Err(format!("`{name}` is not a web server")),
        }
    }

    /// Writes a server's configuration anew; it is read at its start or `reload`.
    fn edit_site(&mut self, name: &str, edit: impl FnOnce(&mut Site) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let id = self.server_named(name)?;
        let Node::Web(server) = self.sim.process_mut(id) else {
            return Err(format!("`{name}` is not a web server"));
        };
        let mut site = (**server.file()).clone();
        edit(&mut site)?;
        server.configure(Rc::new(site));
        Ok(())
    }

    fn apply_upstream(&mut self, group: &GroupName, config: &Config) -> Result<(), Refusal> {
        let new = directives::group(&group.group, words(config)).map_err(refused)?;
        self.edit_site(&group.server, |site| {
            match site.groups.iter_mut().find(|known| known.name == new.name) {
                Some(known) => {
                    known.method = new.method;
                    known.keepalive = new.keepalive;
                }
                None => site.groups.push(new),
            }
            Ok(())
        })
    }

    fn apply_member(&mut self, group: &GroupName, host: &Name, config: &Config) -> Result<(), Refusal> {
        let server = directives::member(host, words(config)).map_err(refused)?;
        self.edit_site(&group.server, |site| {
            let known = site.groups.iter_mut().find(|known| known.name == group.group);
            let known = known.ok_or_else(|| format!("there is no upstream {}/{}", group.server, group.group))?;
            match known.servers.iter_mut().find(|old| old.address == server.address) {
                Some(old) => *old = server,
                None => known.servers.push(server),
            }
            // What nginx refuses, it refuses here.
            crate::serving::upstream::Upstream::new(known.method.clone(), known.servers.clone()).map(|_| ())
        })
    }

    fn apply_location(&mut self, server: &Name, prefix: &Name, config: &Config) -> Result<(), Refusal> {
        self.edit_site(server, |site| {
            let groups = &site.groups;
            let named = |name: &str| groups.iter().position(|group| &*group.name == name);
            let action = directives::location(words(config), named).map_err(refused)?;
            site.locations.retain(|known| known.prefix != *prefix);
            site.locations.push(at(prefix, action));
            Ok(())
        })
    }

    fn apply_browser(&mut self, name: &Name, on: Option<&Name>, config: &Config) -> Result<(), Refusal> {
        self.check_new(name)?;
        let settings = directives::clients(words(config)).map_err(refused)?;
        let host = self.host(on.unwrap_or(name));
        let clients = Node::Browser(Box::new(Clients::new(settings)));
        let id = self.enter(name, host, Role::Browser, clients);
        self.sim.start(id);
        Ok(())
    }

    fn apply_request(&mut self, request: &WebRequest) -> Result<(), Refusal> {
        let id = self.named(&request.client)?;
        if self.role(id) != Role::Browser {
            return Err(format!("`{}` is not a browser", request.client));
        }
        if !self.runs(id) {
            return Err(format!("`{}` does not run", request.client));
        }
        for number in 1..=request.count {
            let text: Name = match &request.text {
                Some(text) if request.count == 1 => text.clone(),
                Some(text) => format!("{text}-{number}").into(),
                None => format!("{}-{}", request.client, self.requests.len() + 1).into(),
            };
            let ask = Ask {
                method: request.method.clone(),
                uri: request.path.clone(),
                body: request.body,
            };
            let number = self.requests.make(text, id);
            let order = ClientOrder::Ask { request: number, ask };
            self.sim.order(id, Order::Client(order));
        }
        Ok(())
    }

    fn tell_servers(&mut self, servers: &[Name], order: impl Fn() -> ServerOrder) -> Result<(), Refusal> {
        servers.iter().try_for_each(|name| {
            let id = self.server_named(name)?;
            if !self.runs(id) {
                return Err(format!("`{name}` does not run"));
            }
            self.sim.order(id, Order::Server(order()));
            Ok(())
        })
    }

    /// An application behaves differently from now on.
    pub(in crate::lab) fn set_app(&mut self, id: ProcId, config: &Config) -> Result<(), Refusal> {
        let setup = directives::server(ServerKind::App, words(config)).map_err(refused)?;
        let name = self.name(id).clone();
        let Some(action) = setup.everywhere else { return Ok(()) };
        self.edit_site(&name, |site| {
            site.locations.retain(|known| &*known.prefix != EVERYWHERE);
            site.locations.push(at(EVERYWHERE, action));
            Ok(())
        })?;
        if self.runs(id) {
            self.sim.order(id, Order::Server(ServerOrder::Reload));
        }
        Ok(())
    }
}

fn at(prefix: &str, action: Action) -> Location {
    Location {
        prefix: prefix.into(),
        action,
    }
}

fn refused(wrong: Wrong) -> Refusal {
    format!("{}: {}", wrong.key, wrong.message)
}
