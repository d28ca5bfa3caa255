//! From records to what people follow: broker, topic and settings changes from the records themselves, partition
//! changes from what a partition was before.

use super::note::{ControllerNote, How, Why};
use super::partition::PartitionRegistration;
use super::process::Controller;
use crate::kafka::metadata::image::MetadataDelta;
use crate::kafka::metadata::records::{MetadataBatch, MetadataRecord};
use crate::kafka::note::Note;
use crate::kafka::protocol::admin::ElectionType;
use crate::kafka::types::{NO_LEADER, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Controller {
    /// Notes of records that are about to be applied.
    pub(super) fn observe_records(&self, batch: &MetadataBatch, why: Why, ctx: &mut Ctx) {
        for record in &batch.records {
            if let Some(note) = self.note_of(record, why) {
                ctx.note(Note::Controller(note));
            }
        }
    }

    fn note_of(&self, record: &MetadataRecord, why: Why) -> Option<ControllerNote> {
        Some(match record {
            MetadataRecord::RegisterBroker { node, broker_epoch, .. } => ControllerNote::BrokerRegistered {
                broker: node.id,
                epoch: *broker_epoch,
                clean: matches!(why, Why::Registered { clean: true, .. }),
            },
            MetadataRecord::UnregisterBroker { broker, .. } => ControllerNote::Unregistered { broker: *broker },
            MetadataRecord::BrokerRegistrationChange {
                broker,
                fenced,
                in_controlled_shutdown,
                ..
            } => {
                let before = self.image.brokers.get(broker)?;
                match fenced {
                    Some(true) if !before.fenced => ControllerNote::Fenced { broker: *broker, why },
                    Some(false) if before.fenced => ControllerNote::Unfenced { broker: *broker },
                    _ if *in_controlled_shutdown => ControllerNote::ControlledShutdown {
                        broker: *broker,
                        leads: self.leaderships(*broker),
                    },
                    _ => return None,
                }
            }
            MetadataRecord::Topic { name, id } => ControllerNote::TopicCreated {
                name: Rc::clone(name),
                id: *id,
            },
            MetadataRecord::RemoveTopic { id } => ControllerNote::TopicDeleted {
                name: Rc::clone(self.image.name_of(*id)?),
                id: *id,
            },
            MetadataRecord::Config { resource, name, value } => {
                let from = self.image.settings(resource).and_then(|s| s.get(name)).cloned();
                ControllerNote::ConfigChanged {
                    resource: resource.clone(),
                    name: Rc::clone(name),
                    from,
                    to: value.clone(),
                }
            }
            _ => return None,
        })
    }

    fn leaderships(&self, broker: NodeId) -> u32 {
        let led = self.image.partitions.values().filter(|p| p.leader == broker);
        led.count() as u32
    }

    /// Notes of partitions that have changed.
    pub(super) fn observe_partitions(&self, delta: &MetadataDelta, why: Why, ctx: &mut Ctx) {
        for (partition, before) in &delta.partitions {
            let Some(now) = self.image.partitions.get(partition) else {
                continue;
            };
            match before {
                Some(before) => self.observe_change(*partition, before, now, why, ctx),
                None => ctx.note(Note::Controller(ControllerNote::PartitionCreated {
                    partition: *partition,
                    replicas: now.replicas.clone(),
                    isr: now.isr.clone(),
                })),
            }
        }
    }

    fn observe_change(
        &self,
        partition: TopicPartition,
        before: &PartitionRegistration,
        now: &PartitionRegistration,
        why: Why,
        ctx: &mut Ctx,
    ) {
        let mut note = |note| ctx.note(Note::Controller(note));
        if let Some(reassignment) = reassignment_note(partition, before, now, why) {
            note(reassignment);
        }
        let rules = self.topic_rules(partition.topic);
        if now.leader_epoch != before.leader_epoch {
            note(if now.leader == NO_LEADER {
                ControllerNote::PartitionOffline {
                    partition,
                    from: before.leader,
                    epoch: now.leader_epoch,
                    unclean_enabled: rules.unclean,
                    why,
                }
            } else {
                ControllerNote::LeaderElected {
                    partition,
                    from: before.leader,
                    to: now.leader,
                    epoch: now.leader_epoch,
                    how: how_elected(before, now, why),
                    unclean_enabled: rules.unclean,
                    why,
                }
            });
        }
        if now.isr != before.isr {
            note(ControllerNote::IsrChanged {
                partition,
                from: before.isr.clone(),
                to: now.isr.clone(),
                why,
            });
        }
        if now.elr != before.elr {
            note(ControllerNote::ElrChanged {
                partition,
                from: before.elr.clone(),
                to: now.elr.clone(),
                min_isr: rules.change.min_isr as u32,
                why,
            });
        }
    }
}

fn how_elected(before: &PartitionRegistration, now: &PartitionRegistration, why: Why) -> How {
    let id = now.leader;
    let asked_for_preferred = matches!(why, Why::Balancer { .. } | Why::ElectLeaders(ElectionType::Preferred));
    if id == before.leader {
        How::SameLeader
    } else if before.isr.contains(&id) {
        if asked_for_preferred && id == now.preferred() {
            How::Preferred
        } else {
            How::Clean
        }
    } else if before.elr.contains(&id) {
        How::Eligible
    } else if now.isr.len() > 1 {
        // A leader's own ISR change that ends a reassignment may elect a replica that has just joined.
        How::Clean
    } else if before.isr.is_empty() && before.elr.is_empty() && before.last_known_elr == [id] {
        How::LastKnown
    } else {
        How::Unclean
    }
}

fn reassignment_note(
    partition: TopicPartition,
    before: &PartitionRegistration,
    now: &PartitionRegistration,
    why: Why,
) -> Option<ControllerNote> {
    let asked = why == Why::Reassignment;
    if now.is_reassigning() && (now.adding != before.adding || now.removing != before.removing) {
        return Some(ControllerNote::ReassignmentStarted {
            partition,
            adding: now.adding.clone(),
            removing: now.removing.clone(),
        });
    }
    let ended = before.is_reassigning() && !now.is_reassigning();
    if !ended && now.replicas == before.replicas {
        return None;
    }
    // The target's replicas come first while it runs; going back to those from before is a cancellation.
    let removed = |id: &NodeId| before.removing.contains(id) && now.replicas.contains(id);
    let added = |id: &NodeId| before.adding.contains(id) && !now.replicas.contains(id);
    let cancelled = asked && ended && before.replicas.iter().any(|id| removed(id) || added(id));
    let replicas = now.replicas.clone();
    Some(if cancelled {
        ControllerNote::ReassignmentCancelled { partition, replicas }
    } else {
        ControllerNote::ReassignmentCompleted { partition, replicas }
    })
}
