//! A controller's metrics under Kafka's names. [QuorumControllerMetrics, ControllerMetadataMetrics, KafkaRaftMetrics]

use super::Controller;
use crate::kafka::metrics::window::Sampling;
use crate::kafka::metrics::{Figure, Figures};
use crate::kafka::types::NO_LEADER;
use crate::sim::Time;

impl Controller {
    /// All of them.
    pub fn figures(&self, now: Time) -> Vec<Figure> {
        let mut figures = Figures::new(now, Sampling::default());
        self.cluster_figures(&mut figures);
        self.quorum_figures(&mut figures);
        figures.list
    }

    fn cluster_figures(&self, figures: &mut Figures) {
        let image = self.image();
        let brokers = |state: fn(bool, bool) -> bool| {
            let all = image.brokers.values();
            all.filter(|broker| state(broker.fenced, broker.in_controlled_shutdown))
                .count() as i64
        };
        let partitions = || image.partitions.values();
        let offline = partitions().filter(|p| p.leader == NO_LEADER).count();
        let imbalance = partitions().filter(|p| p.leader != p.preferred()).count();
        figures
            .group("KafkaController", None)
            .whole("ActiveControllerCount", i64::from(self.is_active()))
            .whole("ActiveBrokerCount", brokers(|fenced, _| !fenced))
            .whole("FencedBrokerCount", brokers(|fenced, _| fenced))
            .whole("ControlledShutdownBrokerCount", brokers(|_, leaving| leaving))
            .whole("GlobalTopicCount", image.topics.len() as i64)
            .whole("GlobalPartitionCount", image.partitions.len() as i64)
            .whole("OfflinePartitionsCount", offline as i64)
            .whole("PreferredReplicaImbalanceCount", imbalance as i64)
            .whole("LastAppliedRecordOffset", image.end_offset - 1)
            .whole(
                "LastCommittedRecordOffset",
                self.quorum().high_watermark.unwrap_or(0) - 1,
            );
    }

    fn quorum_figures(&self, figures: &mut Figures) {
        let quorum = self.quorum();
        figures
            .group("raft-metrics", None)
            .whole("current-epoch", i64::from(quorum.epoch))
            .whole("current-leader", i64::from(quorum.leader.unwrap_or(NO_LEADER)))
            .whole("current-vote", i64::from(quorum.voted.unwrap_or(NO_LEADER)))
            .whole("log-end-offset", quorum.end)
            .whole("high-watermark", quorum.high_watermark.unwrap_or(-1));
    }
}
