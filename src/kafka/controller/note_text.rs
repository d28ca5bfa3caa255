//! What the controller reports, in words.

use super::note::{ControllerNote, Why};
use crate::kafka::protocol::admin::{ConfigResource, ElectionType};
use crate::kafka::rule::Names;
use crate::kafka::types::NodeId;
use std::rc::Rc;

impl Why {
    /// What happened, as the reason of something else.
    fn text(self, names: &dyn Names) -> String {
        match self {
            Why::Activation => "at activation".into(),
            Why::SessionExpired { broker, .. } => format!("the session of {} ended", names.node(broker)),
            Why::FenceWanted { broker } => format!("{} asked to be fenced", names.node(broker)),
            Why::Stopped { broker } => format!("{} stops", names.node(broker)),
            Why::ControlledShutdown { broker } => format!("controlled shutdown of {}", names.node(broker)),
            Why::Unfenced { broker } => format!("{} was unfenced", names.node(broker)),
            Why::Registered { broker, clean: true } => {
                format!("{} registered after a clean shutdown", names.node(broker))
            }
            Why::Registered { broker, clean: false } => {
                format!("{} registered after an unclean shutdown", names.node(broker))
            }
            Why::Unregistered { broker } => format!("{} was unregistered", names.node(broker)),
            Why::AlterPartition { leader } => format!("{} asked for it", names.node(leader)),
            Why::Reassignment => "reassignment".into(),
            Why::ElectLeaders(ElectionType::Preferred) => "preferred election by hand".into(),
            Why::ElectLeaders(ElectionType::Unclean) => "unclean election by hand".into(),
            Why::Balancer { .. } => "the balancer's round".into(),
            Why::UncleanTimer { .. } => "the unclean election's round".into(),
            Why::Topics => "topic request".into(),
            Why::Configs => "settings changed".into(),
            Why::ProducerIds => "producer ids".into(),
        }
    }
}

impl ControllerNote {
    /// One sentence for people.
    pub fn text(&self, names: &dyn Names) -> String {
        match self {
            Self::Leads { epoch } => format!("active controller, quorum epoch {epoch}"),
            Self::Raft(note) => note.text(names),
            Self::BrokerRegistered { .. }
            | Self::RegistrationRefused { .. }
            | Self::Unfenced { .. }
            | Self::Fenced { .. }
            | Self::ControlledShutdown { .. }
            | Self::ShutdownWaits { .. }
            | Self::ShutdownGranted { .. }
            | Self::Unregistered { .. }
            | Self::StaleBrokerEpoch { .. } => self.broker_text(names),
            Self::TopicCreated { name, .. } => format!("topic {name} created"),
            Self::TopicDeleted { name, .. } => format!("topic {name} deleted"),
            Self::ConfigChanged {
                resource,
                name,
                from,
                to,
            } => {
                let value = |value: &Option<Rc<str>>| value.as_ref().map_or("(unset)".to_string(), |v| v.to_string());
                format!("{}: {name} {} -> {}", resource_text(resource), value(from), value(to))
            }
            Self::ProducerIds { broker, start } => {
                format!("producer ids from {start} on for {}", names.node(*broker))
            }
            _ => self.partition_text(names),
        }
    }

    fn broker_text(&self, names: &dyn Names) -> String {
        match self {
            Self::BrokerRegistered { broker, epoch, clean } => {
                let how = if *clean { "clean" } else { "unclean" };
                format!(
                    "{} registered, broker epoch {epoch}, {how} shutdown before",
                    names.node(*broker)
                )
            }
            Self::RegistrationRefused { broker, left, .. } => format!(
                "registration of {} refused: the session of its last incarnation lasts {} ms more",
                names.node(*broker),
                left.as_ms()
            ),
            Self::Unfenced { broker } => format!("{} unfenced", names.node(*broker)),
            Self::Fenced { broker, why } => match why {
                Why::SessionExpired { silent, timeout, .. } => format!(
                    "{} fenced: silent for {} ms, session timeout {} ms",
                    names.node(*broker),
                    silent.as_ms(),
                    timeout.as_ms()
                ),
                why => format!("{} fenced: {}", names.node(*broker), why.text(names)),
            },
            Self::ControlledShutdown { broker, leads } => {
                format!(
                    "controlled shutdown of {}: {leads} leaderships to move",
                    names.node(*broker)
                )
            }
            Self::ShutdownWaits { broker, lowest, needed } => format!(
                "shutdown of {} waits: metadata offset {needed} needed, the slowest broker is at {lowest}",
                names.node(*broker)
            ),
            Self::ShutdownGranted { broker } => format!("{} may stop", names.node(*broker)),
            Self::Unregistered { broker } => format!("{} unregistered", names.node(*broker)),
            Self::StaleBrokerEpoch { broker, epoch } => {
                format!(
                    "broker epoch {epoch} of {} is not the registered one",
                    names.node(*broker)
                )
            }
            _ => String::new(),
        }
    }

    fn partition_text(&self, names: &dyn Names) -> String {
        match self {
            Self::LeaderElected {
                partition,
                from,
                to,
                epoch,
                how,
                why,
                ..
            } => format!(
                "{}: leader {} -> {} in epoch {epoch} ({}; {})",
                names.partition(*partition),
                node_text(*from, names),
                node_text(*to, names),
                how.name(),
                why.text(names)
            ),
            Self::PartitionOffline {
                partition,
                from,
                epoch,
                why,
                ..
            } => format!(
                "{}: no leader after {} in epoch {epoch} ({})",
                names.partition(*partition),
                node_text(*from, names),
                why.text(names)
            ),
            Self::IsrChanged {
                partition,
                from,
                to,
                why,
            } => format!(
                "{}: ISR {} -> {} ({})",
                names.partition(*partition),
                nodes_text(from, names),
                nodes_text(to, names),
                why.text(names)
            ),
            Self::ElrChanged {
                partition,
                from,
                to,
                why,
                ..
            } => format!(
                "{}: ELR {} -> {} ({})",
                names.partition(*partition),
                nodes_text(from, names),
                nodes_text(to, names),
                why.text(names)
            ),
            Self::AlterPartitionRefused {
                partition,
                leader,
                error,
            } => format!(
                "{}: ISR change by {} refused, {}",
                names.partition(*partition),
                names.node(*leader),
                error.name()
            ),
            Self::PartitionCreated {
                partition, replicas, ..
            } => {
                format!(
                    "{} placed on {}",
                    names.partition(*partition),
                    nodes_text(replicas, names)
                )
            }
            Self::ReassignmentStarted {
                partition,
                adding,
                removing,
            } => format!(
                "{}: reassignment adds {}, removes {}",
                names.partition(*partition),
                nodes_text(adding, names),
                nodes_text(removing, names)
            ),
            Self::ReassignmentCompleted { partition, replicas } => format!(
                "{}: reassignment done, replicas {}",
                names.partition(*partition),
                nodes_text(replicas, names)
            ),
            Self::ReassignmentCancelled { partition, replicas } => format!(
                "{}: reassignment cancelled, replicas {}",
                names.partition(*partition),
                nodes_text(replicas, names)
            ),
            _ => String::new(),
        }
    }
}

fn node_text(id: NodeId, names: &dyn Names) -> String {
    if id < 0 { "none".into() } else { names.node(id) }
}

fn nodes_text(ids: &[NodeId], names: &dyn Names) -> String {
    let all: Vec<String> = ids.iter().map(|id| names.node(*id)).collect();
    format!("[{}]", all.join(", "))
}

fn resource_text(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(name) => format!("topic {name}"),
        ConfigResource::Broker(id) if id.is_empty() => "all brokers".into(),
        ConfigResource::Broker(id) => format!("broker {id}"),
        ConfigResource::Group(id) => format!("group {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::controller::note::How;
    use crate::kafka::types::{TopicId, TopicPartition};
    use crate::sim::Span;

    struct Plain;

    impl Names for Plain {
        fn partition(&self, partition: TopicPartition) -> String {
            format!("t-{}", partition.partition)
        }

        fn node(&self, id: NodeId) -> String {
            format!("b{id}")
        }
    }

    #[test]
    fn sentences_say_who_what_and_why() {
        let why = Why::SessionExpired {
            broker: 1,
            silent: Span::ms(9_100),
            timeout: Span::ms(9_000),
        };
        let fenced = ControllerNote::Fenced { broker: 1, why };
        assert_eq!(
            fenced.text(&Plain),
            "b1 fenced: silent for 9100 ms, session timeout 9000 ms"
        );
        let elected = ControllerNote::LeaderElected {
            partition: TopicPartition::new(TopicId(0), 2),
            from: -1,
            to: 2,
            epoch: 4,
            how: How::Eligible,
            unclean_enabled: false,
            why,
        };
        let text = "t-2: leader none -> b2 in epoch 4 (elr; the session of b1 ended)";
        assert_eq!(elected.text(&Plain), text);
        let config = ControllerNote::ConfigChanged {
            resource: ConfigResource::Broker("".into()),
            name: "min.insync.replicas".into(),
            from: None,
            to: Some("2".into()),
        };
        assert_eq!(config.text(&Plain), "all brokers: min.insync.replicas (unset) -> 2");
    }
}
