//! What the consumer counts, under Kafka's names. [FetchMetricsRegistry, AbstractCoordinator.GroupCoordinatorMetrics]

use super::process::Consumer;
use crate::sim::{Span, Time};

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub fetches: u64,
    pub records: u64,
    pub bytes: u64,
    pub commits: u64,
    pub heartbeats: u64,
    pub rebalances: u64,
    pub failed_rebalances: u64,
    /// Milliseconds in successful rebalances.
    pub rebalance_ms: u64,
    pub last_rebalance: Option<Time>,
    pub last_heartbeat: Option<Time>,
    pub last_poll: Option<Time>,
}

impl Counters {
    /// A rebalance was completed.
    pub fn rebalanced(&mut self, now: Time, took: Span) {
        self.rebalances += 1;
        self.rebalance_ms += took.as_ms() as u64;
        self.last_rebalance = Some(now);
    }
}

impl Consumer {
    /// Metrics under Kafka's names; -1 where there is nothing to tell yet.
    pub fn metrics(&self, now: Time) -> Vec<(&'static str, i64)> {
        let counters = &self.counters;
        let seconds_ago = |at: Option<Time>| at.map_or(-1, |at| now.since(at).as_ms() / 1_000);
        let committed = self.config.read_committed;
        let states = || self.subscription.states().map(|(_, state)| state);
        vec![
            ("records-consumed-total", counters.records as i64),
            ("bytes-consumed-total", counters.bytes as i64),
            ("fetch-total", counters.fetches as i64),
            (
                "records-lag-max",
                states().filter_map(|state| state.lag(committed)).max().unwrap_or(-1),
            ),
            (
                "records-lead-min",
                states().filter_map(|state| state.lead()).min().unwrap_or(-1),
            ),
            ("assigned-partitions", self.subscription.count() as i64),
            ("commit-total", counters.commits as i64),
            ("heartbeat-total", counters.heartbeats as i64),
            ("rebalance-total", counters.rebalances as i64),
            ("failed-rebalance-total", counters.failed_rebalances as i64),
            ("rebalance-latency-total", counters.rebalance_ms as i64),
            ("last-rebalance-seconds-ago", seconds_ago(counters.last_rebalance)),
            ("last-heartbeat-seconds-ago", seconds_ago(counters.last_heartbeat)),
            ("last-poll-seconds-ago", seconds_ago(counters.last_poll)),
        ]
    }
}
