//! Calls about partitions that only the leader can answer: its node is looked up first, and again when it moved.
//! [PartitionLeaderStrategy, ListOffsetsHandler, DeleteRecordsHandler, DescribeProducersHandler]

use super::call::{Call, Step, To};
use super::order::AdminCall;
use crate::kafka::client::call::{Answer, CallId, ClientError, SeenProducer};
use crate::kafka::protocol::data::*;
use crate::kafka::protocol::transactions::{TxnMarker, WriteTxnMarkersRequest};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NamedPartition, NodeId, TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;

/// What a leader answered about one partition.
#[derive(Clone, Debug)]
enum Found {
    /// Offset, timestamp, leader epoch.
    Offset(i64, i64, i32),
    LowWatermark(i64),
    Producers(Vec<ActiveProducer>),
    Aborted,
}

#[derive(Clone, Debug, Default)]
struct Key {
    /// The time or offset asked for.
    argument: i64,
    topic: Option<TopicId>,
    leader: Option<NodeId>,
    /// A request about it is under way.
    busy: bool,
    result: Option<Result<Found, ClientError>>,
}

/// The partitions of one call.
#[derive(Clone, Debug)]
pub struct Keyed {
    keys: OrderedMap<NamedPartition, Key>,
    /// Lookups and requests so far: pauses grow with them.
    lookups: u32,
    requests: u32,
}

impl Keyed {
    /// The partitions that a call is about; `None` if it needs no leader.
    pub fn of(what: &AdminCall) -> Option<Keyed> {
        let key = |argument| Key {
            argument,
            ..Key::default()
        };
        let keys: OrderedMap<NamedPartition, Key> = match what {
            AdminCall::DeleteRecords { before: list } | AdminCall::ListOffsets { partitions: list, .. } => list
                .iter()
                .map(|(partition, argument)| (partition.clone(), key(*argument)))
                .collect(),
            AdminCall::DescribeProducers { partition } | AdminCall::AbortTransaction { partition, .. } => {
                [(partition.clone(), key(0))].into()
            }
            _ => return None,
        };
        Some(Keyed {
            keys,
            lookups: 0,
            requests: 0,
        })
    }

    /// The requests that can go out now. `pause` gives the pause before the n-th repetition.
    pub fn next(
        &mut self,
        job: CallId,
        what: &AdminCall,
        deadline: Time,
        pause: &mut dyn FnMut(u32) -> Time,
    ) -> Vec<Call> {
        let mut calls = Vec::new();
        let open = |key: &Key| key.result.is_none() && !key.busy;
        let mut topics = OrderedSet::new();
        let mut by_leader: OrderedMap<NodeId, Vec<NamedPartition>> = OrderedMap::new();
        for (partition, key) in self.keys.iter_mut().filter(|(_, key)| open(key)) {
            key.busy = true;
            match key.leader {
                Some(leader) => by_leader.entry(leader).or_default().push(partition.clone()),
                None => drop(topics.insert(partition.topic.clone())),
            }
        }
        let name = name_of(what);
        if !topics.is_empty() {
            let body = MetadataRequest {
                topics: Some(topics.into_iter().collect()),
                allow_auto_topic_creation: false,
            };
            let mut call = Call::new(job, name, Step::Leaders, To::Any, body.into(), deadline);
            call.next_try = pause(self.lookups);
            self.lookups += 1;
            calls.push(call);
        }
        for (leader, partitions) in by_leader {
            let body = self.request(what, &partitions);
            let mut call = Call::new(job, name, Step::AtLeader(partitions), To::Node(leader), body, deadline);
            call.next_try = pause(self.requests);
            call.tries = self.requests;
            calls.push(call);
        }
        calls
    }

    fn request(&self, what: &AdminCall, partitions: &[NamedPartition]) -> Body {
        let keyed = partitions.iter().filter_map(|partition| {
            let key = self.keys.get(partition)?;
            Some((TopicPartition::new(key.topic?, partition.partition), key.argument))
        });
        match what {
            AdminCall::DeleteRecords { .. } => DeleteRecordsRequest {
                partitions: keyed.collect(),
                timeout_ms: i32::MAX,
            }
            .into(),
            AdminCall::ListOffsets { isolation, .. } => ListOffsetsRequest {
                replica: CONSUMER_REPLICA,
                isolation: *isolation,
                partitions: keyed
                    .map(|(partition, timestamp)| ListOffsetsPartition {
                        partition,
                        current_leader_epoch: -1,
                        timestamp,
                    })
                    .collect(),
            }
            .into(),
            AdminCall::AbortTransaction {
                partition,
                producer_id,
                producer_epoch,
                coordinator_epoch,
            } => WriteTxnMarkersRequest {
                markers: vec![TxnMarker {
                    producer_id: *producer_id,
                    producer_epoch: *producer_epoch,
                    coordinator_epoch: *coordinator_epoch,
                    committed: false,
                    transaction_version: 0,
                    partitions: vec![partition.clone()],
                }],
            }
            .into(),
            _ => {
                let mut keyed = keyed;
                let partition = keyed
                    .next()
                    .map_or(TopicPartition::default(), |(partition, _)| partition);
                DescribeProducersRequest { partition }.into()
            }
        }
    }

    /// Takes an answer about leaders.
    pub fn leaders(&mut self, answer: &MetadataResponse) {
        self.free(|key| key.leader.is_none());
        for topic in &answer.topics {
            let keys = self.keys.iter_mut().filter(|(name, _)| name.topic == topic.name);
            for (name, key) in keys.filter(|(_, key)| key.result.is_none() && key.leader.is_none()) {
                key.topic = topic.id;
                if let Err(error) = topic_error(topic.error, name) {
                    key.result = Some(Err(error));
                    continue;
                }
                let Some(partition) = topic.partitions.iter().find(|p| p.partition == name.partition) else {
                    continue;
                };
                match partition.error {
                    ErrorCode::None => key.leader = Some(partition.leader).filter(|leader| *leader >= 0),
                    error if lookup_again(error) => {}
                    error => {
                        let text = format!("Unexpected error during metadata lookup for {name}");
                        key.result = Some(Err(ClientError::of(error, Some(&text))));
                    }
                }
            }
        }
    }

    /// Takes a leader's answer.
    pub fn at_leader(&mut self, what: &AdminCall, asked: &[NamedPartition], body: &Body) {
        self.requests += 1;
        self.release(asked);
        for name in asked {
            let Some(key) = self.keys.get_mut(name).filter(|key| key.result.is_none()) else {
                continue;
            };
            let Some((error, found)) = result(body, key.topic, name.partition) else {
                let text = format!("The response did not contain a result for topic partition {name}");
                key.result = Some(Err(ClientError::new("ApiException", &text)));
                continue;
            };
            match error {
                ErrorCode::None => key.result = Some(Ok(found)),
                error if moved(body, error) => key.leader = None,
                error if again(body, error) => {}
                error => key.result = Some(Err(fatal(what, body, name, error))),
            }
        }
    }

    /// The connection to a leader went: it is looked up again. [AdminApiDriver.maybeRetryLookup]
    pub fn lost(&mut self, asked: &[NamedPartition]) {
        self.requests += 1;
        self.release(asked);
        for partition in asked {
            if let Some(key) = self.keys.get_mut(partition) {
                key.leader = None;
            }
        }
    }

    /// A request about these failed for good; a lookup stands for all without a leader.
    pub fn fail(&mut self, asked: Option<&[NamedPartition]>, error: &ClientError) {
        for (name, key) in &mut self.keys {
            let hit = match asked {
                Some(asked) => asked.contains(name),
                None => key.leader.is_none(),
            };
            if hit && key.result.is_none() {
                key.result = Some(Err(error.clone()));
            }
        }
    }

    fn release(&mut self, asked: &[NamedPartition]) {
        for partition in asked {
            if let Some(key) = self.keys.get_mut(partition) {
                key.busy = false;
            }
        }
    }

    fn free(&mut self, wanted: impl Fn(&Key) -> bool) {
        for key in self.keys.values_mut().filter(|key| wanted(key)) {
            key.busy = false;
        }
    }

    /// The call's answer, once every partition has one.
    pub fn answer(&self, what: &AdminCall) -> Option<Result<Answer, ClientError>> {
        let mut results = Vec::new();
        for (name, key) in &self.keys {
            results.push((name.clone(), key.result.clone()?));
        }
        Some(match what {
            AdminCall::DeleteRecords { .. } => Ok(Answer::LowWatermarks(gather(results, |found| match found {
                Found::LowWatermark(low) => low,
                _ => -1,
            }))),
            AdminCall::ListOffsets { .. } => Ok(Answer::Offsets(gather(results, |found| match found {
                Found::Offset(offset, timestamp, epoch) => Some((offset, timestamp, epoch)),
                _ => None,
            }))),
            _ => match results.pop() {
                Some((_, Ok(Found::Aborted))) => Ok(Answer::Done),
                Some((_, Ok(Found::Producers(list)))) => {
                    Ok(Answer::Producers(list.into_iter().map(SeenProducer).collect()))
                }
                Some((_, Err(error))) => Err(error),
                _ => Ok(Answer::Producers(Vec::new())),
            },
        })
    }
}

fn gather<T>(
    results: Vec<(NamedPartition, Result<Found, ClientError>)>,
    value: impl Fn(Found) -> T,
) -> OrderedMap<NamedPartition, Result<T, ClientError>> {
    results
        .into_iter()
        .map(|(name, result)| (name, result.map(&value)))
        .collect()
}

fn name_of(what: &AdminCall) -> &'static str {
    match what {
        AdminCall::DeleteRecords { .. } => "deleteRecords",
        AdminCall::ListOffsets { .. } => "listOffsets",
        AdminCall::AbortTransaction { .. } => "abortTransaction",
        _ => "describeProducers",
    }
}

/// Unknown topics are waited for until the call's time is over. [PartitionLeaderStrategy.handleTopicError]
fn topic_error(error: ErrorCode, name: &NamedPartition) -> Result<(), ClientError> {
    let topic = &name.topic;
    let why = match error {
        ErrorCode::None
        | ErrorCode::UnknownTopicOrPartition
        | ErrorCode::LeaderNotAvailable
        | ErrorCode::BrokerNotAvailable => return Ok(()),
        ErrorCode::InvalidTopicException => format!("due to invalid topic `{topic}`"),
        ErrorCode::TopicAuthorizationFailed => "due to topic authorization failure".to_string(),
        _ => format!("due to unexpected error for topic `{topic}`"),
    };
    let text = format!("Failed to fetch metadata for partition {name} {why}");
    Err(ClientError::of(error, Some(&text)))
}

/// [PartitionLeaderStrategy.handlePartitionError]
fn lookup_again(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::BrokerNotAvailable
            | ErrorCode::KafkaStorageError
            | ErrorCode::UnknownTopicOrPartition
    )
}

/// Has the leader moved, so that it must be looked up again?
fn moved(body: &Body, error: ErrorCode) -> bool {
    match body {
        Body::DeleteRecordsResponse(_) => error.invalid_metadata(),
        Body::ListOffsetsResponse(_) => {
            matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::LeaderNotAvailable)
        }
        Body::WriteTxnMarkersResponse(_) => matches!(
            error,
            ErrorCode::NotLeaderOrFollower
                | ErrorCode::ReplicaNotAvailable
                | ErrorCode::BrokerNotAvailable
                | ErrorCode::UnknownTopicOrPartition
        ),
        _ => error == ErrorCode::NotLeaderOrFollower,
    }
}

/// May the same leader answer later?
fn again(body: &Body, error: ErrorCode) -> bool {
    match body {
        Body::DescribeProducersResponse(_) => error == ErrorCode::UnknownTopicOrPartition,
        Body::WriteTxnMarkersResponse(_) => false,
        _ => error.retriable(),
    }
}

fn fatal(what: &AdminCall, body: &Body, name: &NamedPartition, error: ErrorCode) -> ClientError {
    if let AdminCall::AbortTransaction {
        producer_id,
        producer_epoch,
        coordinator_epoch,
        ..
    } = what
    {
        let spec = format!(
            "AbortTransactionSpec(topicPartition={name}, producerId={producer_id}, producerEpoch={producer_epoch}, coordinatorEpoch={coordinator_epoch})"
        );
        let why = match error {
            ErrorCode::InvalidProducerEpoch => "failed due an invalid producer epoch".to_string(),
            ErrorCode::TransactionCoordinatorFenced => format!(
                "failed since the provided coordinator epoch {coordinator_epoch} has been fenced by the active coordinator"
            ),
            error => format!("failed due to unexpected error: {}", error.message()),
        };
        return ClientError::of(error, Some(&format!("WriteTxnMarkers request with {spec} {why}")));
    }
    let text = format!("Failed to describe active producers for partition {name} due to unexpected error");
    let text = matches!(body, Body::DescribeProducersResponse(_)).then_some(text);
    ClientError::of(error, text.as_deref())
}

/// What a leader answered about one partition; DescribeProducers is about one alone.
fn result(body: &Body, topic: Option<TopicId>, partition: i32) -> Option<(ErrorCode, Found)> {
    let wanted = TopicPartition::new(topic?, partition);
    match body {
        Body::ListOffsetsResponse(answer) => {
            let found = answer.partitions.iter().find(|p| p.partition == wanted)?;
            Some((
                found.error,
                Found::Offset(found.offset, found.timestamp, found.leader_epoch),
            ))
        }
        Body::DeleteRecordsResponse(answer) => {
            let (_, error, low) = answer.partitions.iter().find(|(p, ..)| *p == wanted)?;
            Some((*error, Found::LowWatermark(*low)))
        }
        Body::DescribeProducersResponse(answer) => Some((answer.error, Found::Producers(answer.producers.clone()))),
        Body::WriteTxnMarkersResponse(answer) => {
            let (_, results) = answer.markers.first()?;
            results.first().map(|(_, error)| (*error, Found::Aborted))
        }
        _ => None,
    }
}
