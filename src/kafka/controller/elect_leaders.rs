//! ElectLeaders: elections that an admin asks for. [ReplicationControlManager.electLeaders]

use super::answers::OK;
use super::election::{unknown_partition, unknown_topic};
use super::note::Why;
use super::partition::PartitionChange;
use super::process::Controller;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::protocol::admin::{ApiError, ElectLeadersRequest, ElectLeadersResponse, ElectionType};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Controller {
    pub(super) fn elect_leaders(&mut self, request: &ElectLeadersRequest, ctx: &mut Ctx) -> ElectLeadersResponse {
        let all = request.partitions.is_none();
        let asked = request.partitions.clone().unwrap_or_else(|| self.all_partitions());
        let mut records = Vec::new();
        let mut partitions = Vec::new();
        for named in asked {
            match self.elect_one(&named, request.kind) {
                Ok((partition, change)) => {
                    records.push(MetadataRecord::PartitionChange { partition, change });
                    partitions.push((named, OK));
                }
                // Whoever asks about all partitions is not told which of them need nothing.
                Err((ErrorCode::ElectionNotNeeded, _)) if all => {}
                Err(error) => partitions.push((named, error)),
            }
        }
        self.commit(records, Why::ElectLeaders(request.kind), ctx);
        ElectLeadersResponse {
            error: ErrorCode::None,
            partitions,
        }
    }

    fn elect_one(
        &self,
        named: &NamedPartition,
        kind: ElectionType,
    ) -> Result<(TopicPartition, PartitionChange), ApiError> {
        let (name, number) = (&named.topic, named.partition);
        let id = self.image.ids.get(name).ok_or_else(|| unknown_topic(name))?;
        let partition = TopicPartition::new(*id, number);
        let before = self.image.partitions.get(&partition);
        let before = before.ok_or_else(|| unknown_partition(name, number))?;
        let change = self.on_cluster(|c| c.elect_leader(*id, before, kind))?;
        Ok((partition, change))
    }

    /// Every partition, in order of topic names.
    fn all_partitions(&self) -> Vec<NamedPartition> {
        let topics = self.image.ids.iter();
        let named = |(name, id): (&Rc<str>, &crate::kafka::types::TopicId)| {
            let partitions = self.image.partitions_of(*id);
            let named = partitions.map(|(partition, _)| NamedPartition {
                topic: Rc::clone(name),
                partition: partition.partition,
            });
            named.collect::<Vec<_>>()
        };
        topics.flat_map(named).collect()
    }
}
