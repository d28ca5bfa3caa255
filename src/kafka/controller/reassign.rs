//! AlterPartitionReassignments and ListPartitionReassignments. What a reassignment does to a partition is in
//! `reassignment` and `partition_change`. [ReplicationControlManager.alterPartitionReassignments]

use super::answers::OK;
use super::note::Why;
use super::partition::PartitionChange;
use super::partition_change::{Election, build};
use super::process::Controller;
use super::reassignment;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::protocol::admin::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ApiError,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, OngoingReassignment,
};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Controller {
    pub(super) fn alter_reassignments(
        &mut self,
        request: &AlterPartitionReassignmentsRequest,
        ctx: &mut Ctx,
    ) -> AlterPartitionReassignmentsResponse {
        let mut records = Vec::new();
        let mut partitions = Vec::new();
        for (named, target) in &request.partitions {
            let allow_change = request.allow_replication_factor_change;
            let error = match self.reassign_one(named, target.as_deref(), allow_change) {
                Ok((partition, change)) => {
                    records.extend(change.map(|change| MetadataRecord::PartitionChange { partition, change }));
                    OK
                }
                Err(error) => error,
            };
            partitions.push((named.clone(), error));
        }
        self.commit(records, Why::Reassignment, ctx);
        AlterPartitionReassignmentsResponse { error: OK, partitions }
    }

    fn reassign_one(
        &self,
        named: &NamedPartition,
        target: Option<&[NodeId]>,
        allow_replication_factor_change: bool,
    ) -> Result<(TopicPartition, Option<PartitionChange>), ApiError> {
        let (name, number) = (&named.topic, named.partition);
        let unknown = |text: String| (ErrorCode::UnknownTopicOrPartition, Some(text.into()));
        let id = self.image.ids.get(name);
        let id = id.ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
        let partition = TopicPartition::new(*id, number);
        let before = self.image.partitions.get(&partition);
        let before = before.ok_or_else(|| unknown(format!("Unable to find partition {name}:{number}.")))?;
        let rules = self.topic_rules(*id);
        let (wish, election) = match target {
            Some(target) => {
                let is_registered = |id: NodeId| self.is_registered(id);
                let wish = reassignment::start(before, target, allow_replication_factor_change, &is_registered)?;
                (wish, Election::Online)
            }
            None => {
                let wish = reassignment::cancel(before, (name, number), rules.unclean)?;
                (wish, Election::of_topic(rules.unclean))
            }
        };
        let may_lead = |id: NodeId| self.is_active_broker(id);
        Ok((partition, build(before, &wish, election, &rules.change, &may_lead)))
    }

    pub(super) fn list_reassignments(
        &self,
        request: &ListPartitionReassignmentsRequest,
    ) -> ListPartitionReassignmentsResponse {
        let partitions = match &request.partitions {
            None => self.all_reassignments(),
            Some(asked) => {
                let ongoing = |named: &NamedPartition| {
                    let id = self.image.ids.get(&named.topic)?;
                    self.ongoing(&named.topic, TopicPartition::new(*id, named.partition))
                };
                asked.iter().filter_map(ongoing).collect()
            }
        };
        ListPartitionReassignmentsResponse {
            error: ErrorCode::None,
            partitions,
        }
    }

    fn all_reassignments(&self) -> Vec<OngoingReassignment> {
        let ongoing = |partition: &TopicPartition| self.ongoing(self.image.name_of(partition.topic)?, *partition);
        self.image.partitions.keys().filter_map(ongoing).collect()
    }

    fn ongoing(&self, name: &Rc<str>, partition: TopicPartition) -> Option<OngoingReassignment> {
        let registration = self.image.partitions.get(&partition)?;
        registration.is_reassigning().then(|| OngoingReassignment {
            partition: NamedPartition {
                topic: Rc::clone(name),
                partition: partition.partition,
            },
            replicas: registration.replicas.clone(),
            adding: registration.adding.clone(),
            removing: registration.removing.clone(),
        })
    }
}
