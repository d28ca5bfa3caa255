//! Listeners: the sockets of a node, and what those who come in by each of them are told.
//! [KafkaConfig.effectiveAdvertisedBrokerListeners, MetadataCache.getBrokerNodes]

use super::protocol::data::BrokerNode;
use super::wire::{Ctx, KAFKA_PORT};
use std::rc::Rc;

/// What a registration says of one listener: its name and where it is advertised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub listener: Rc<str>,
    pub host: Rc<str>,
    pub port: u16,
}

/// All advertised endpoints of a broker; none: its only listener is advertised at the node's own address.
pub type Endpoints = Rc<[Endpoint]>;

/// A socket to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// `PLAINTEXT`, `INTERNAL`, ...
    pub name: Rc<str>,
    pub port: u16,
    /// Bound to 127.0.0.1.
    pub local: bool,
}

impl Listener {
    /// Accepts connections.
    pub fn open(&self, ctx: &mut Ctx) {
        if self.local {
            ctx.listen_locally(self.port);
        } else {
            ctx.listen(self.port);
        }
    }
}

/// A node's listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    pub sockets: Vec<Listener>,
    pub advertised: Endpoints,
}

impl Default for Listeners {
    /// `listeners=PLAINTEXT://:9092`, advertised as the node is called.
    fn default() -> Listeners {
        Listeners {
            sockets: vec![Listener {
                name: "PLAINTEXT".into(),
                port: KAFKA_PORT,
                local: false,
            }],
            advertised: Rc::new([]),
        }
    }
}

impl Listeners {
    /// The listener with that port.
    pub fn at(&self, port: u16) -> Option<&Rc<str>> {
        self.sockets.iter().find(|one| one.port == port).map(|one| &one.name)
    }
}

/// A broker as somebody is told of it who came in by a listener; `None`: it has no such listener.
pub fn node_for(node: &BrokerNode, endpoints: &[Endpoint], listener: Option<&Rc<str>>) -> Option<BrokerNode> {
    let (Some(listener), false) = (listener, endpoints.is_empty()) else {
        return Some(node.clone());
    };
    let endpoint = endpoints.iter().find(|one| one.listener == *listener)?;
    Some(BrokerNode {
        host: endpoint.host.clone(),
        port: endpoint.port,
        ..node.clone()
    })
}

/// Host and port of a voter: `host:port` as in `controller.quorum.voters`, or a host alone with the usual port.
pub fn voter_address(voter: &str) -> (&str, u16) {
    let split = voter
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)));
    split.unwrap_or((voter, KAFKA_PORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_told_the_addresses_of_the_listener_they_came_by() {
        let node = BrokerNode {
            id: 1,
            host: "kafka".into(),
            port: 9092,
            rack: None,
        };
        let endpoint = |listener: &str, host: &str, port| Endpoint {
            listener: listener.into(),
            host: host.into(),
            port,
        };
        let all = [
            endpoint("INTERNAL", "kafka", 9092),
            endpoint("EXTERNAL", "localhost", 29092),
        ];
        let told = |listener: &str| node_for(&node, &all, Some(&listener.into())).map(|node| (node.host, node.port));
        assert_eq!(told("EXTERNAL"), Some(("localhost".into(), 29092)));
        assert_eq!(told("INTERNAL"), Some(("kafka".into(), 9092)));
        assert_eq!(told("OTHER"), None);
        assert_eq!(node_for(&node, &[], None), Some(node));
    }

    #[test]
    fn voters_have_a_port_if_they_say_one() {
        assert_eq!(voter_address("kafka:9093"), ("kafka", 9093));
        assert_eq!(voter_address("c1"), ("c1", KAFKA_PORT));
    }
}
