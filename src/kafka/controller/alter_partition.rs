//! AlterPartition: a leader asks for other ISRs. The decision about one partition is in `isr_changes`.
//! [ReplicationControlManager.alterPartition]

use super::answers::alter_partition_error;
use super::isr_changes::{RegisteredBroker, alter_partition};
use super::note::{ControllerNote, Why};
use super::partition::{LeaderRecoveryState, PartitionRegistration};
use super::process::Controller;
use crate::kafka::fixes::Fix;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{
    AlterPartitionData, AlterPartitionRequest, AlterPartitionResponse, AlteredPartition,
};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NO_LEADER, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;

impl Controller {
    pub(super) fn alter_partitions(
        &mut self,
        request: &AlterPartitionRequest,
        ctx: &mut Ctx,
    ) -> AlterPartitionResponse {
        let leader = request.broker;
        if let Err(error) = self.check_broker_epoch(leader, request.broker_epoch, ctx) {
            return alter_partition_error(error);
        }
        let mut records = Vec::new();
        let mut partitions = Vec::with_capacity(request.partitions.len());
        for asked in &request.partitions {
            let answer = self.alter_one(leader, asked, &mut records);
            if answer.error != ErrorCode::None && answer.error != ErrorCode::NewLeaderElected {
                ctx.note(Note::Controller(ControllerNote::AlterPartitionRefused {
                    partition: asked.partition,
                    leader,
                    error: answer.error,
                }));
            }
            partitions.push(answer);
        }
        self.commit(records, Why::AlterPartition { leader }, ctx);
        AlterPartitionResponse {
            error: ErrorCode::None,
            partitions,
        }
    }

    fn alter_one(
        &self,
        leader: NodeId,
        asked: &AlterPartitionData,
        records: &mut Vec<MetadataRecord>,
    ) -> AlteredPartition {
        let partition = asked.partition;
        if !self.image.topics.contains_key(&partition.topic) {
            return refused(partition, ErrorCode::UnknownTopicId);
        }
        let Some(before) = self.image.partitions.get(&partition) else {
            return refused(partition, ErrorCode::UnknownTopicOrPartition);
        };
        let rules = self.topic_rules(partition.topic);
        let broker = |id: NodeId| self.registered_broker(id);
        match alter_partition(before, leader, asked, &rules, &broker) {
            Err(error) => refused(partition, error),
            Ok(altered) => {
                let change = altered.change;
                records.extend(change.map(|change| MetadataRecord::PartitionChange { partition, change }));
                match altered.error {
                    ErrorCode::None => accepted(partition, altered.after),
                    error => refused(partition, error),
                }
            }
        }
    }

    fn registered_broker(&self, id: NodeId) -> Option<RegisteredBroker> {
        let broker = self.image.brokers.get(&id)?;
        Some(RegisteredBroker {
            epoch: broker.epoch,
            active: broker.is_active(),
            may_join: broker.is_active() || !self.setup.fixes.has(Fix::Kip841),
        })
    }
}

fn accepted(partition: TopicPartition, now: PartitionRegistration) -> AlteredPartition {
    AlteredPartition {
        partition,
        error: ErrorCode::None,
        leader: now.leader,
        leader_epoch: now.leader_epoch,
        isr: now.isr,
        recovery: now.recovery,
        partition_epoch: now.partition_epoch,
    }
}

/// Only the error counts.
fn refused(partition: TopicPartition, error: ErrorCode) -> AlteredPartition {
    AlteredPartition {
        partition,
        error,
        leader: NO_LEADER,
        leader_epoch: -1,
        isr: Vec::new(),
        recovery: LeaderRecoveryState::Recovered,
        partition_epoch: -1,
    }
}
