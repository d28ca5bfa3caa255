//! The coordinators of groups, as far as the broker has to do with them: where one is.
//! [KafkaApis.handleFindCoordinatorRequest]

use super::requests::Asker;
use super::server::Server;
use crate::kafka::hash::coordinator_partition;
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::groups::{CoordinatorKind, FindCoordinatorRequest, FindCoordinatorResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;

/// The topics that coordinators keep their state in.
pub(super) const OFFSETS_TOPIC: &str = "__consumer_offsets";
const TRANSACTIONS_TOPIC: &str = "__transaction_state";

impl Server {
    /// The coordinator is the leader of the partition that the key belongs to. The topic is created if it is missing.
    pub(super) fn serve_find_coordinator(&mut self, asker: Asker, request: &FindCoordinatorRequest, ctx: &mut Ctx) {
        let topic = match request.kind {
            CoordinatorKind::Group => OFFSETS_TOPIC,
            CoordinatorKind::Transaction => TRANSACTIONS_TOPIC,
        };
        let node = self.coordinator_of(topic, &request.key);
        if self.image().topic_by_name(topic).is_none() {
            let topic = self.internal_topic(request.kind);
            self.create_topic(topic, ctx);
        }
        let response = FindCoordinatorResponse {
            error: match node {
                Some(_) => ErrorCode::None,
                None => ErrorCode::CoordinatorNotAvailable,
            },
            node,
        };
        self.reply(asker, Body::from(response), ctx);
    }

    fn coordinator_of(&self, topic: &str, key: &str) -> Option<BrokerNode> {
        let image = self.image();
        let topic = image.topic_by_name(topic)?;
        let partition = TopicPartition::new(topic.id, coordinator_partition(key, topic.partitions));
        let leader = image.partitions.get(&partition)?.leader;
        Some(image.brokers.get(&leader)?.node.clone())
    }

    /// [DefaultAutoTopicCreationManager.creatableTopic, GroupCoordinatorService.groupMetadataTopicConfigs,
    /// TransactionCoordinator.transactionStateTopicConfigs]
    fn internal_topic(&self, kind: CoordinatorKind) -> CreatableTopic {
        let config = &self.setup.config;
        let (name, partitions, replicas, settings) = match kind {
            CoordinatorKind::Group => (
                OFFSETS_TOPIC,
                config.offsets_topic_num_partitions,
                config.offsets_topic_replication_factor,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "producer".to_owned()),
                    ("segment.bytes", config.offsets_topic_segment_bytes.to_string()),
                ],
            ),
            CoordinatorKind::Transaction => (
                TRANSACTIONS_TOPIC,
                config.transaction_state_log_num_partitions,
                config.transaction_state_log_replication_factor,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "uncompressed".to_owned()),
                    ("min.insync.replicas", config.transaction_state_log_min_isr.to_string()),
                    ("unclean.leader.election.enable", "false".to_owned()),
                ],
            ),
        };
        CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: i16::try_from(replicas).unwrap_or(i16::MAX),
            assignments: Vec::new(),
            configs: settings
                .into_iter()
                .map(|(name, value)| (name.into(), Some(value.into())))
                .collect(),
        }
    }
}
