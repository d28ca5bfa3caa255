//! CreateTopics and DeleteTopics. [ReplicationControlManager.createTopics, ControllerApis]

use super::answers::{OK, create_topics_error, refused_topic};
use super::assignment::check_manual_assignment;
use super::note::Why;
use super::partition::PartitionRegistration;
use super::placement::{UsableBroker, place};
use super::process::Controller;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::protocol::admin::{
    AlterOp, ApiError, ConfigResource, CreatableTopic, CreateTopicsRequest, CreateTopicsResponse, CreatedTopic,
    DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::topic_name;
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// Most partitions that one request may create. [MAX_PARTITIONS_PER_BATCH]
const MAX_PARTITIONS: usize = 10_000;

/// The metadata log's own name.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// A refusal with a text.
pub(super) fn refuse<T>(error: ErrorCode, text: impl Into<Rc<str>>) -> Result<T, ApiError> {
    Err((error, Some(text.into())))
}

impl Controller {
    pub(super) fn create_topics(&mut self, request: &CreateTopicsRequest, ctx: &mut Ctx) -> CreateTopicsResponse {
        let repeated = repeated(request.topics.iter().map(|topic| &*topic.name));
        let counted = |topic: &&CreatableTopic| !repeated.contains_key(&*topic.name) && &*topic.name != METADATA_TOPIC;
        if self.partitions_asked(request.topics.iter().filter(counted)) > MAX_PARTITIONS {
            let text = "Excessively large number of partitions per request.";
            return create_topics_error(request, &(ErrorCode::PolicyViolation, Some(text.into())));
        }
        let mut records = Vec::new();
        let mut topics: Vec<CreatedTopic> = Vec::new();
        let mut next = self.image.next_topic;
        for topic in request.topics.iter().filter(counted) {
            let created = self.create_topic(topic, next, &mut records);
            match created {
                Ok((num_partitions, replication_factor)) => {
                    topics.push(CreatedTopic {
                        name: Rc::clone(&topic.name),
                        id: (!request.validate_only).then_some(next),
                        error: ErrorCode::None,
                        message: None,
                        num_partitions,
                        replication_factor,
                    });
                    next = TopicId(next.0 + 1);
                }
                Err(error) => topics.push(refused_topic(&topic.name, error)),
            }
        }
        for name in repeated.into_keys() {
            let text = "Duplicate topic name.";
            topics.push(refused_topic(
                &name.into(),
                (ErrorCode::InvalidRequest, Some(text.into())),
            ));
        }
        if request.topics.iter().filter(|t| &*t.name == METADATA_TOPIC).count() == 1 {
            let text = format!("Creation of internal topic {METADATA_TOPIC} is prohibited.");
            let error = (ErrorCode::InvalidRequest, Some(text.into()));
            topics.push(refused_topic(&METADATA_TOPIC.into(), error));
        }
        if !request.validate_only {
            self.commit(records, Why::Topics, ctx);
        }
        CreateTopicsResponse { topics }
    }

    fn partitions_asked<'a>(&self, topics: impl Iterator<Item = &'a CreatableTopic>) -> usize {
        let partitions = |topic: &CreatableTopic| match (&topic.assignments[..], topic.num_partitions) {
            ([], -1) => self.setup.config.num_partitions.max(0) as usize,
            ([], number) => number.max(0) as usize,
            (assignments, _) => assignments.len(),
        };
        topics.map(partitions).sum()
    }

    /// Adds the records of one topic: the topic, its settings, its partitions. Gives the number of partitions and of
    /// replicas.
    fn create_topic(
        &mut self,
        topic: &CreatableTopic,
        id: TopicId,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<(i32, i16), ApiError> {
        let name = &topic.name;
        if self.image.ids.contains_key(name) {
            return refuse(ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."));
        }
        let existing = self.image.ids.keys().map(|name| &**name);
        if let Err(text) = topic_name::check_new(name, existing) {
            return refuse(ErrorCode::InvalidTopicException, text);
        }
        let settings = self.settings_of_new(topic, id)?;
        let partitions = match &topic.assignments[..] {
            [] => self.place_new(topic)?,
            _ => self.assigned_new(topic)?,
        };
        let replicas = partitions.first().map_or(0, |p| p.replicas.len());
        records.push(MetadataRecord::Topic {
            name: Rc::clone(name),
            id,
        });
        records.extend(settings);
        let count = partitions.len() as i32;
        records.extend(partition_records(id, 0, partitions));
        Ok((count, replicas as i16))
    }

    fn settings_of_new(&self, topic: &CreatableTopic, id: TopicId) -> Result<Vec<MetadataRecord>, ApiError> {
        let nulls = topic.configs.iter().filter(|(_, value)| value.is_none());
        let nulls: Vec<&str> = nulls.map(|(name, _)| &**name).collect();
        if !nulls.is_empty() {
            let text = format!("Null value not supported for topic configs: {}", nulls.join(","));
            return refuse(ErrorCode::InvalidConfig, text);
        }
        let set = |(name, value): &(Rc<str>, Option<Rc<str>>)| Some((Rc::clone(name), AlterOp::Set(value.clone()?)));
        let ops: OrderedMap<Rc<str>, AlterOp> = topic.configs.iter().filter_map(set).collect();
        if ops.is_empty() {
            return Ok(Vec::new());
        }
        let resource = ConfigResource::Topic(Rc::clone(&topic.name));
        let mut records = self.alter_resource(&resource, &ops, true)?;
        let clear = self.clear_elr_records(&records, |_| Some(id));
        records.extend(clear);
        Ok(records)
    }

    /// Replicas named in the request.
    fn assigned_new(&self, topic: &CreatableTopic) -> Result<Vec<PartitionRegistration>, ApiError> {
        let by_hand = "A manual partition assignment was specified, but";
        if topic.replication_factor != -1 {
            let text = format!("{by_hand} replication factor was not set to -1.");
            return refuse(ErrorCode::InvalidRequest, text);
        }
        if topic.num_partitions != -1 {
            let text = format!("{by_hand} numPartitions was not set to -1.");
            return refuse(ErrorCode::InvalidRequest, text);
        }
        let mut partitions = OrderedMap::new();
        let mut factor = None;
        for (number, replicas) in &topic.assignments {
            if partitions.contains_key(number) {
                let text = format!("Found multiple manual partition assignments for partition {number}");
                return refuse(ErrorCode::InvalidReplicaAssignment, text);
            }
            let partition = self.assigned_partition(*number, replicas, factor)?;
            partitions.insert(*number, partition);
            factor = Some(replicas.len());
        }
        if !partitions.keys().copied().eq(0..partitions.len() as i32) {
            let text = "partitions should be a consecutive 0-based integer sequence";
            return refuse(ErrorCode::InvalidReplicaAssignment, text);
        }
        Ok(partitions.into_values().collect())
    }

    /// A partition on replicas named by hand.
    pub(super) fn assigned_partition(
        &self,
        number: i32,
        replicas: &[NodeId],
        replication_factor: Option<usize>,
    ) -> Result<PartitionRegistration, ApiError> {
        check_manual_assignment(replicas, replication_factor, &|id| self.is_registered(id))?;
        let partition = self.new_partition(replicas.to_vec());
        if partition.isr.is_empty() {
            let text = format!(
                "All brokers specified in the manual partition assignment for partition {number} are fenced or in \
                 controlled shutdown."
            );
            return refuse(ErrorCode::InvalidReplicaAssignment, text);
        }
        Ok(partition)
    }

    /// In sync from the start are the active replicas (rule R-67).
    fn new_partition(&self, replicas: Vec<NodeId>) -> PartitionRegistration {
        let active = replicas.iter().copied().filter(|id| self.is_active_broker(*id));
        let isr = active.collect();
        PartitionRegistration::new(replicas, isr)
    }

    /// Replicas chosen by the controller.
    fn place_new(&mut self, topic: &CreatableTopic) -> Result<Vec<PartitionRegistration>, ApiError> {
        let config = &self.setup.config;
        let (count, factor) = (topic.num_partitions, i32::from(topic.replication_factor));
        if factor == 0 || factor < -1 {
            let text = "Replication factor must be larger than 0, or -1 to use the default value.";
            return refuse(ErrorCode::InvalidReplicationFactor, text);
        }
        if count == 0 || count < -1 {
            let text = "Number of partitions was set to an invalid non-positive value.";
            return refuse(ErrorCode::InvalidPartitions, text);
        }
        let count = if count == -1 { config.num_partitions } else { count };
        let factor = if factor == -1 {
            config.default_replication_factor
        } else {
            factor
        };
        self.placed(count.max(0) as usize, factor).map_err(|text| {
            let text = format!("Unable to replicate the partition {factor} time(s): {text}");
            (ErrorCode::InvalidReplicationFactor, Some(text.into()))
        })
    }

    /// So many new partitions where the placer puts them.
    ///
    /// # Errors
    /// Why they cannot be placed.
    pub(super) fn placed(&mut self, count: usize, factor: i32) -> Result<Vec<PartitionRegistration>, String> {
        let brokers = self.usable_brokers();
        let random = &mut self.random;
        let draw = |bound: u32| random.below(u64::from(bound)) as u32;
        let placed = place(&brokers, count, factor, draw)?;
        let partitions = placed.into_iter().map(|replicas| self.new_partition(replicas));
        let partitions: Vec<PartitionRegistration> = partitions.collect();
        if partitions.iter().any(|p| p.isr.is_empty()) {
            return Err("All brokers are currently fenced or in controlled shutdown.".into());
        }
        Ok(partitions)
    }

    /// Registered, and not in a controlled shutdown that goes on. [BrokerHeartbeatManager.usableBrokers]
    fn usable_brokers(&self) -> Vec<UsableBroker> {
        let sessions = self.active.as_ref().map(|active| &active.sessions);
        let stops = |id: NodeId| {
            sessions
                .and_then(|s| s.of(id))
                .is_some_and(|b| b.shutdown_offset.is_some())
        };
        let registered = self.image.brokers.values().filter(|b| !stops(b.node.id));
        let usable = registered.map(|b| UsableBroker {
            id: b.node.id,
            rack: b.node.rack.as_ref().map(|rack| rack.to_string()),
            fenced: b.fenced,
        });
        usable.collect()
    }

    pub(super) fn delete_topics(&mut self, request: &DeleteTopicsRequest, ctx: &mut Ctx) -> DeleteTopicsResponse {
        if !self.setup.config.delete_topic_enable {
            let disabled = |name: &Rc<str>| (Rc::clone(name), (ErrorCode::TopicDeletionDisabled, None));
            return DeleteTopicsResponse {
                topics: request.topics.iter().map(disabled).collect(),
            };
        }
        let repeated = repeated(request.topics.iter().map(|name| &**name));
        let mut records = Vec::new();
        let mut topics: Vec<(Rc<str>, ApiError)> = Vec::new();
        for name in request.topics.iter().filter(|name| !repeated.contains_key(&***name)) {
            let error = match self.image.ids.get(name) {
                Some(id) => {
                    records.push(MetadataRecord::RemoveTopic { id: *id });
                    OK
                }
                None => (ErrorCode::UnknownTopicOrPartition, None),
            };
            topics.push((Rc::clone(name), error));
        }
        for name in repeated.into_keys() {
            let text = "Duplicate topic name.";
            topics.push((name.into(), (ErrorCode::InvalidRequest, Some(text.into()))));
        }
        self.commit(records, Why::Topics, ctx);
        DeleteTopicsResponse { topics }
    }
}

/// Partition records of a topic, numbered from `first` on.
pub(super) fn partition_records(
    topic: TopicId,
    first: i32,
    partitions: Vec<PartitionRegistration>,
) -> impl Iterator<Item = MetadataRecord> {
    (first..)
        .zip(partitions)
        .map(move |(number, registration)| MetadataRecord::Partition {
            partition: TopicPartition::new(topic, number),
            registration,
        })
}

/// Names that occur more than once.
pub(super) fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> OrderedMap<String, usize> {
    let mut counts: OrderedMap<String, usize> = OrderedMap::new();
    for name in names {
        *counts.entry(name.to_string()).or_default() += 1;
    }
    counts.retain(|_, count| *count > 1);
    counts
}
