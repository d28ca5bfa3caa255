//! What happens to a process.

use super::Refusal;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::consumer::ConsumerOrder;
use crate::kafka::client::producer::ProducerOrder;
use crate::kafka::wire::Order;
use crate::lab::language::ast::{Name, ProcessVerb};
use crate::lab::world::{Role, World};
use crate::rabbit::wire::Order as RabbitOrder;
use crate::serving::server::ServerOrder;
use crate::serving::wire::Order as WebOrder;
use crate::sim::world::Status;
use crate::sim::{Halt, ProcId};

impl World {
    pub(in crate::lab) fn apply_verb(&mut self, verb: ProcessVerb, name: &Name) -> Result<(), Refusal> {
        if verb == ProcessVerb::PowerOff {
            let host = self.host_named(name)?;
            self.sim.power_off(host);
            return Ok(());
        }
        let id = self.named(name)?;
        match verb {
            ProcessVerb::Crash => self.down_unless(id, name, |world| world.sim.halt(id, Halt::Crash)),
            ProcessVerb::Freeze => self.down_unless(id, name, |world| world.sim.freeze(id)),
            ProcessVerb::Thaw => {
                self.sim.thaw(id);
                Ok(())
            }
            ProcessVerb::Shutdown => self.down_unless(id, name, |world| world.shut_down(id)),
            ProcessVerb::Restart => self.restart(id, name),
            ProcessVerb::Remove => {
                self.sim.halt(id, Halt::Crash);
                if let Role::Broker(broker) = self.role(id) {
                    self.operate(AdminCall::UnregisterBroker { broker });
                }
                Ok(())
            }
            ProcessVerb::PowerOff => Ok(()),
        }
    }

    pub(in crate::lab) fn down_unless(
        &mut self,
        id: ProcId,
        name: &str,
        act: impl FnOnce(&mut World),
    ) -> Result<(), Refusal> {
        if !self.runs(id) {
            return Err(format!("`{name}` does not run"));
        }
        act(self);
        Ok(())
    }

    /// SIGTERM for a server, `close()` for a client.
    pub fn shut_down(&mut self, id: ProcId) {
        match self.role(id) {
            Role::Producer => {
                let call = self.next_call();
                self.sim.order(id, Order::Producer(ProducerOrder::Close { call }));
            }
            Role::Consumer => {
                let call = self.next_call();
                self.sim
                    .order(id, Order::Consumer(ConsumerOrder::Close { call, leave: None }));
            }
            Role::Broker(_) | Role::Controller(_) | Role::Operator => self.sim.order(id, Order::Shutdown),
            Role::Rabbit | Role::Publisher | Role::Subscriber => self.sim.order(id, RabbitOrder::Shutdown),
            Role::WebServer => self.sim.order(id, WebOrder::Server(ServerOrder::Quit)),
            Role::Browser => self.sim.halt(id, Halt::Exit),
        }
    }

    pub(in crate::lab) fn restart(&mut self, id: ProcId, name: &Name) -> Result<(), Refusal> {
        let client = matches!(
            self.role(id),
            Role::Producer | Role::Consumer | Role::Publisher | Role::Subscriber
        );
        if !client {
            if !matches!(self.sim.status(id), Status::Down(_)) {
                return Err(format!("`{name}` runs; `shutdown {name}` or `crash {name}` first"));
            }
            self.sim.start(id);
            return Ok(());
        }
        let producer = self.role(id) == Role::Producer;
        self.begin_again(id, name)?;
        match producer {
            true => self.begin_producer(name),
            false => Ok(()),
        }
    }
}
