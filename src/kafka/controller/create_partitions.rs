//! CreatePartitions: more partitions for a topic. [ReplicationControlManager.createPartitions]

use super::answers::OK;
use super::note::Why;
use super::process::Controller;
use super::topics::{partition_records, refuse, repeated};
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::protocol::admin::{ApiError, CreatePartitionsRequest, CreatePartitionsResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Controller {
    pub(super) fn create_partitions(
        &mut self,
        request: &CreatePartitionsRequest,
        ctx: &mut Ctx,
    ) -> CreatePartitionsResponse {
        let repeated = repeated(request.topics.iter().map(|(name, ..)| &**name));
        let mut records = Vec::new();
        let mut topics: Vec<(Rc<str>, ApiError)> = Vec::new();
        for (name, count, assignments) in &request.topics {
            if repeated.contains_key(&**name) {
                continue;
            }
            let error = match self.added_partitions(name, *count, assignments.as_deref()) {
                Ok(added) => {
                    records.extend(added);
                    OK
                }
                Err(error) => error,
            };
            topics.push((Rc::clone(name), error));
        }
        for name in repeated.into_keys() {
            let text = "Duplicate topic name.";
            topics.push((name.into(), (ErrorCode::InvalidRequest, Some(text.into()))));
        }
        if !request.validate_only {
            self.commit(records, Why::Topics, ctx);
        }
        CreatePartitionsResponse { topics }
    }

    fn added_partitions(
        &mut self,
        name: &str,
        count: i32,
        assignments: Option<&[Vec<NodeId>]>,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let Some((id, now)) = self.image.topic_by_name(name).map(|topic| (topic.id, topic.partitions)) else {
            return Err((ErrorCode::UnknownTopicOrPartition, None));
        };
        if count == now {
            let text = format!("Topic already has {now} partition(s).");
            return refuse(ErrorCode::InvalidPartitions, text);
        }
        if count < now {
            let text = format!("The topic {name} currently has {now} partition(s); {count} would not be an increase.");
            return refuse(ErrorCode::InvalidPartitions, text);
        }
        let additional = (count - now) as usize;
        if let Some(assignments) = assignments.filter(|a| a.len() != additional) {
            let text = format!(
                "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
                assignments.len()
            );
            return refuse(ErrorCode::InvalidReplicaAssignment, text);
        }
        let factor = self.image.partitions_of(id).next().map_or(1, |(_, p)| p.replicas.len());
        let partitions = match assignments {
            Some(assignments) => {
                let assigned = (now..).zip(assignments);
                let assigned =
                    assigned.map(|(number, replicas)| self.assigned_partition(number, replicas, Some(factor)));
                assigned.collect::<Result<Vec<_>, _>>()?
            }
            None => {
                let placed = self.placed(additional, factor as i32);
                placed.map_err(|text| (ErrorCode::InvalidReplicationFactor, Some(text.into())))?
            }
        };
        Ok(partition_records(id, now, partitions).collect())
    }
}
