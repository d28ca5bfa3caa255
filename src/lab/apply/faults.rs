//! Links, disks and single messages.

use super::{Refusal, named};
use crate::lab::language::ast::{
    Between, Command, DiskState, MessageAction, MessageFault, Name, Pattern, TopicPartition,
};
use crate::lab::node::Node;
use crate::lab::world::{Role, World};
use crate::sim::Span;
use crate::sim::disk::DiskMode;
use crate::sim::world::{Hand, Pattern as FlightPattern};

impl World {
    pub(in crate::lab) fn each_link(
        &mut self,
        between: &Between,
        mut change: impl FnMut(&mut crate::sim::network::Link),
    ) -> Result<(), Refusal> {
        let pairs = between
            .pairs()
            .iter()
            .map(|(a, b)| Ok((self.host_named(a)?, self.host_named(b)?)))
            .collect::<Result<Vec<_>, Refusal>>()?;
        for (a, b) in pairs {
            change(self.sim.network_mut().link_mut(a, b));
        }
        Ok(())
    }

    pub(in crate::lab) fn apply_network(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Cut(between) => self.each_link(between, |link| link.cut = true),
            Command::Delay { between, by_us } => self.each_link(between, |link| link.delay = Span::us(*by_us)),
            Command::Loss { between, ppm } => self.each_link(between, |link| link.loss_ppm = *ppm),
            Command::Heal(Some(between)) => self.each_link(between, |link| {
                *link = crate::sim::network::Link {
                    latency: link.latency,
                    ..Default::default()
                }
            }),
            _ => {
                self.sim.network_mut().heal_all();
                Ok(())
            }
        }
    }

    pub(in crate::lab) fn apply_disk(&mut self, name: &Name, state: &DiskState) -> Result<(), Refusal> {
        if let DiskState::Wipe(partition) = state {
            return self.wipe(name, partition.as_ref());
        }
        let host = self.host_named(name)?;
        self.sim.network_mut().host_mut(host).disk = match state {
            DiskState::Slow(us) => DiskMode::Slow(Span::us(*us)),
            DiskState::Full => DiskMode::Full,
            DiskState::Ok | DiskState::Wipe(_) => DiskMode::Ok,
        };
        Ok(())
    }

    pub(in crate::lab) fn wipe(&mut self, name: &Name, partition: Option<&TopicPartition>) -> Result<(), Refusal> {
        let id = self.named(name)?;
        if !matches!(self.role(id), Role::Broker(_) | Role::Rabbit) {
            return Err(format!("`{name}` is not a broker"));
        }
        if self.runs(id) {
            return Err(format!(
                "`{name}` runs: `shutdown {name}` or `crash {name}` before its disk is wiped"
            ));
        }
        let partition = match partition {
            None => None,
            Some(partition) => Some(
                self.places
                    .place(&named(partition))
                    .map(crate::lab::places::partition_of)
                    .ok_or_else(|| format!("there is no partition {}/{}", partition.topic, partition.partition))?,
            ),
        };
        match self.sim.process_mut(id) {
            Node::Broker(broker) => broker.wipe(partition),
            // Its database and its messages stand on one disk.
            Node::Rabbit(broker) => **broker = Default::default(),
            _ => {}
        }
        Ok(())
    }

    pub(in crate::lab) fn flight_pattern(&self, pattern: &Pattern) -> Result<FlightPattern, Refusal> {
        Ok(FlightPattern {
            kind: pattern.kind.clone(),
            from: self.named(&pattern.from)?,
            to: self.named(&pattern.to)?,
        })
    }

    pub(in crate::lab) fn apply_hand(&mut self, fault: &MessageFault) -> Result<(), Refusal> {
        let hand = match fault.action {
            MessageAction::Drop => Hand::Drop,
            MessageAction::Hold => Hand::Hold,
            MessageAction::Delay(us) => Hand::Delay(Span::us(us)),
            MessageAction::Duplicate => Hand::Duplicate,
            MessageAction::Reorder => Hand::Reorder,
            MessageAction::Release => {
                let pattern = fault.pattern.as_ref().map(|p| self.flight_pattern(p)).transpose()?;
                return match self.sim.release(pattern.as_ref()) {
                    0 => Err("no message is held that fits".into()),
                    _ => Ok(()),
                };
            }
        };
        let Some(pattern) = &fault.pattern else {
            return Err("which message?".into());
        };
        let pattern = self.flight_pattern(pattern)?;
        if fault.next {
            self.sim.hand_on_next(pattern, hand);
            return Ok(());
        }
        if self.sim.hand_on(&pattern, hand, fault.nth) {
            Ok(())
        } else {
            Err(format!("no such message is in flight now: {}", pattern.kind))
        }
    }
}
