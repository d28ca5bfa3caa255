//! What the active controller remembers of its brokers without writing it down: when each was last heard of, how far
//! its metadata are, where its controlled shutdown ends. Gone with the leadership.
//! [BrokerHeartbeatManager, BrokerHeartbeatTracker]

use crate::kafka::metadata::image::MetadataImage;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::types::NodeId;
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};

/// Soft state of a registered broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub fenced: bool,
    /// The last metadata offset that the broker has applied, as it said; -1 until it says so after a change of its
    /// registration.
    pub metadata_offset: i64,
    /// In controlled shutdown: over when all active brokers have applied this offset.
    pub shutdown_offset: Option<i64>,
}

/// Soft state of all brokers.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    brokers: OrderedMap<NodeId, Heartbeat>,
    /// By id and broker epoch: a heartbeat of a former incarnation keeps its own session alive.
    contacts: OrderedMap<(NodeId, i64), Time>,
}

impl Sessions {
    /// A new leadership: every unfenced broker gets a fresh session (rule R-64). [ClusterControlManager.activate]
    pub fn activate(image: &MetadataImage, now: Time) -> Sessions {
        let mut sessions = Sessions::default();
        for (id, broker) in &image.brokers {
            sessions.register(*id, broker.fenced);
            if !broker.fenced {
                sessions.contacts.insert((*id, broker.epoch), now);
            }
        }
        sessions
    }

    pub fn of(&self, broker: NodeId) -> Option<&Heartbeat> {
        self.brokers.get(&broker)
    }

    /// When this incarnation was last heard of.
    pub fn last_contact(&self, broker: NodeId, epoch: i64) -> Option<Time> {
        self.contacts.get(&(broker, epoch)).copied()
    }

    /// A heartbeat came in.
    pub fn heard(&mut self, broker: NodeId, epoch: i64, now: Time) {
        self.contacts.insert((broker, epoch), now);
    }

    /// Is the session of this incarnation alive? It ends when it is more than `timeout` old (rule R-63).
    pub fn is_alive(&self, broker: NodeId, epoch: i64, timeout: Span, now: Time) -> bool {
        self.last_contact(broker, epoch)
            .is_some_and(|contact| now.since(contact) <= timeout)
    }

    /// Takes one expired session out. The real controller takes any, in hash order; here the lowest id goes first.
    pub fn take_expired(&mut self, timeout: Span, now: Time) -> Option<(NodeId, i64, Time)> {
        let expired = |contact: &Time| now.since(*contact) > timeout;
        let ((id, epoch), contact) = self.contacts.iter().find(|(_, contact)| expired(contact))?;
        let found = (*id, *epoch, *contact);
        self.contacts.remove(&(found.0, found.1));
        Some(found)
    }

    /// What the broker says of itself. [BrokerHeartbeatManager.touch]
    pub fn touch(&mut self, broker: NodeId, fenced: bool, metadata_offset: i64) {
        if let Some(state) = self.brokers.get_mut(&broker) {
            state.fenced = fenced;
            state.metadata_offset = metadata_offset;
            if fenced {
                // A fenced broker is out of the protocol; it is told to stop with its next heartbeat.
                state.shutdown_offset = None;
            }
        }
    }

    /// The controlled shutdown is over when the metadata are applied up to `offset`; the first one counts.
    pub fn shut_down_at(&mut self, broker: NodeId, offset: i64) {
        if let Some(state) = self.brokers.get_mut(&broker) {
            state.shutdown_offset.get_or_insert(offset);
        }
    }

    /// How far the slowest active broker is; as far as can be, if none is active.
    pub fn lowest_active_offset(&self) -> i64 {
        let active = self
            .brokers
            .values()
            .filter(|b| !b.fenced && b.shutdown_offset.is_none());
        active.map(|b| b.metadata_offset).min().unwrap_or(i64::MAX)
    }

    /// A record about to be applied to `image`. [ClusterControlManager.replay]
    pub fn replay(&mut self, record: &MetadataRecord, image: &MetadataImage) {
        match record {
            MetadataRecord::RegisterBroker { node, fenced, .. } => {
                self.brokers.remove(&node.id);
                self.register(node.id, *fenced);
            }
            MetadataRecord::UnregisterBroker { broker, .. } => {
                self.brokers.remove(broker);
            }
            MetadataRecord::BrokerRegistrationChange {
                broker,
                fenced,
                in_controlled_shutdown,
                ..
            } => {
                let Some(before) = image.brokers.get(broker) else {
                    return;
                };
                let now_fenced = fenced.unwrap_or(before.fenced);
                let begins_shutdown = *in_controlled_shutdown && !before.in_controlled_shutdown;
                if now_fenced != before.fenced || begins_shutdown {
                    self.register(*broker, now_fenced);
                }
            }
            _ => {}
        }
    }

    fn register(&mut self, broker: NodeId, fenced: bool) {
        let fresh = Heartbeat {
            fenced,
            metadata_offset: -1,
            shutdown_offset: None,
        };
        let state = self.brokers.entry(broker).or_insert(fresh);
        let offset = if state.fenced == fenced {
            -1
        } else {
            state.metadata_offset
        };
        self.touch(broker, fenced, offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r63_a_session_ends_only_when_it_is_more_than_the_timeout_old() {
        let mut sessions = Sessions::default();
        let timeout = Span::ms(9_000);
        sessions.heard(1, 5, Time(1_000));
        let at_limit = Time(1_000) + timeout;
        assert!(sessions.is_alive(1, 5, timeout, at_limit));
        assert_eq!(sessions.take_expired(timeout, at_limit), None);
        let later = at_limit + Span::us(1);
        assert!(!sessions.is_alive(1, 5, timeout, later));
        assert_eq!(sessions.take_expired(timeout, later), Some((1, 5, Time(1_000))));
        assert_eq!(sessions.take_expired(timeout, later), None);
    }

    #[test]
    fn r66_the_slowest_active_broker_decides() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.lowest_active_offset(), i64::MAX);
        for (id, offset) in [(1, 10), (2, 7), (3, 3)] {
            sessions.register(id, false);
            sessions.touch(id, false, offset);
        }
        sessions.shut_down_at(3, 9);
        assert_eq!(sessions.lowest_active_offset(), 7);
        sessions.touch(2, true, 7);
        assert_eq!(sessions.lowest_active_offset(), 10);
        assert_eq!(sessions.of(3).unwrap().shutdown_offset, Some(9));
        sessions.touch(3, true, 9);
        assert_eq!(sessions.of(3).unwrap().shutdown_offset, None);
    }
}
