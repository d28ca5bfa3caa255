//! A consumer's figures, under the names of its metrics. [FetchMetricsRegistry, AbstractCoordinator.GroupCoordinatorMetrics,
//! ConsumerCoordinator.ConsumerCoordinatorMetrics, KafkaConsumerMetrics]

use super::outbox::Purpose;
use super::process::Consumer;
use crate::kafka::metrics::window::{Counted, CountedHourly, Sampling, Window};
use crate::kafka::metrics::{Figure, Figures};
use crate::sim::{Span, Time};
use std::rc::Rc;

/// What a consumer counts while it runs; copies share it until one of them goes on.
#[derive(Clone, Debug)]
pub struct ConsumerMetrics {
    sampling: Sampling,
    counts: Rc<Counts>,
}

/// How often a kind of request was answered, and how long that took, ms.
#[derive(Clone, Debug, Default)]
struct Timed {
    count: Counted,
    latency: Window,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    records: Counted,
    bytes: Counted,
    fetches: Timed,
    commits: Timed,
    heartbeats: Timed,
    joins: Timed,
    syncs: Timed,
    /// Of any partition: the lag, and the negative lead, so that the smallest is the greatest.
    lag: Window,
    negative_lead: Window,
    rebalances: CountedHourly,
    failed_rebalances: CountedHourly,
    /// Milliseconds in rebalances that succeeded.
    rebalance_latency: Window,
    rebalance_ms: i64,
    last_rebalance: Option<Time>,
    last_heartbeat: Option<Time>,
    last_poll: Option<Time>,
    /// When the poll that is going on began, and the one before.
    poll_began: Option<Time>,
    poll_before: Option<Time>,
    between_polls: Window,
    /// Thousandths.
    poll_idle: Window,
}

impl ConsumerMetrics {
    pub fn new(sampling: Sampling) -> ConsumerMetrics {
        ConsumerMetrics {
            sampling,
            counts: Rc::default(),
        }
    }

    fn counts(&mut self) -> (&mut Counts, Sampling) {
        (Rc::make_mut(&mut self.counts), self.sampling)
    }

    /// A request was answered after so long.
    pub fn answered(&mut self, purpose: &Purpose, took: Span, now: Time) {
        let (counts, sampling) = self.counts();
        let timed = match purpose {
            Purpose::Fetch(_) | Purpose::ShareFetch(_) => &mut counts.fetches,
            Purpose::Commit(..) => &mut counts.commits,
            Purpose::Heartbeat(_) | Purpose::GroupHeartbeat(_) => &mut counts.heartbeats,
            Purpose::Join(_) => &mut counts.joins,
            Purpose::Sync(_) => &mut counts.syncs,
            _ => return,
        };
        timed.count.add(1, now, sampling);
        timed.latency.record(took.as_ms(), now, sampling);
    }

    /// Records were taken from a fetch, which leaves that lag and lead; `bytes`: it was read to its end.
    pub fn taken(&mut self, records: usize, bytes: Option<u64>, (lag, lead): (Option<i64>, Option<i64>), now: Time) {
        let (counts, sampling) = self.counts();
        if records > 0 {
            counts.records.add(records as i64, now, sampling);
        }
        if let Some(bytes) = bytes.filter(|bytes| *bytes > 0) {
            counts.bytes.add(bytes as i64, now, sampling);
        }
        if let Some(lag) = lag {
            counts.lag.record(lag, now, sampling);
        }
        if let Some(lead) = lead {
            counts.negative_lead.record(-lead, now, sampling);
        }
    }

    /// A heartbeat is sent.
    pub fn heartbeat_sent(&mut self, now: Time) {
        self.counts().0.last_heartbeat = Some(now);
    }

    /// A rebalance was completed; `took`: since it began, if that is known.
    pub fn rebalanced(&mut self, now: Time, took: Option<Span>) {
        let (counts, sampling) = self.counts();
        counts.rebalances.add(now, sampling);
        counts.last_rebalance = Some(now);
        if let Some(took) = took {
            counts.rebalance_latency.record(took.as_ms(), now, sampling);
            counts.rebalance_ms += took.as_ms();
        }
    }

    pub fn rebalance_failed(&mut self, now: Time) {
        let (counts, sampling) = self.counts();
        counts.failed_rebalances.add(now, sampling);
    }

    /// `poll()` looks for records; the first look of a call is its beginning. [KafkaConsumerMetrics.recordPollStart]
    pub fn polling(&mut self, now: Time) {
        let (counts, sampling) = self.counts();
        counts.last_poll = Some(now);
        if counts.poll_began.is_none() {
            counts.poll_began = Some(now);
            if let Some(before) = counts.poll_before {
                counts.between_polls.record(now.since(before).as_ms(), now, sampling);
            }
        }
    }

    /// `poll()` returned. [KafkaConsumerMetrics.recordPollEnd]
    pub fn polled(&mut self, now: Time) {
        let (counts, sampling) = self.counts();
        let Some(began) = counts.poll_began.take() else { return };
        let since_last = counts.poll_before.map_or(0, |before| began.since(before).as_ms());
        let polling = now.since(began).as_ms();
        if polling + since_last > 0 {
            let idle = polling * 1_000 / (polling + since_last);
            counts.poll_idle.record(idle, now, sampling);
        }
        counts.poll_before = Some(began);
    }

    /// `records-consumed-total`
    pub fn records_consumed(&self) -> i64 {
        self.counts.records.total
    }
}

impl Consumer {
    /// What it counts.
    pub fn metrics(&self) -> &ConsumerMetrics {
        &self.metrics
    }

    /// All its metrics under Kafka's names.
    pub fn figures(&self, now: Time) -> Vec<Figure> {
        let mut figures = Figures::new(now, self.metrics.sampling);
        self.poll_figures(&mut figures);
        self.net.figures("consumer-metrics", &mut figures);
        self.fetch_figures(&mut figures);
        if self.coordinator.is_some() {
            self.group_figures(&mut figures);
        }
        figures.list
    }

    fn poll_figures(&self, figures: &mut Figures) {
        let counts = &*self.metrics.counts;
        let idle = counts.poll_idle.average(figures.now(), figures.sampling());
        figures
            .group("consumer-metrics", None)
            .seconds_ago("last-poll-seconds-ago", counts.last_poll)
            .spread(
                ["time-between-poll-avg", "time-between-poll-max"],
                &counts.between_polls,
            )
            .milli("poll-idle-ratio-avg", idle.map(|milli| milli / 1_000));
    }

    fn fetch_figures(&self, figures: &mut Figures) {
        const GROUP: &str = "consumer-fetch-manager-metrics";
        let counts = &*self.metrics.counts;
        let (now, sampling) = (figures.now(), figures.sampling());
        let lead = counts.negative_lead.max(now, sampling).map(|negative| -negative);
        figures
            .group(GROUP, None)
            .meter(["records-consumed-rate", "records-consumed-total"], &counts.records)
            .meter(["bytes-consumed-rate", "bytes-consumed-total"], &counts.bytes)
            .spread(["fetch-latency-avg", "fetch-latency-max"], &counts.fetches.latency)
            .meter(["fetch-rate", "fetch-total"], &counts.fetches.count)
            .milli("records-lag-max", counts.lag.max(now, sampling))
            .milli("records-lead-min", lead);
        for (partition, state) in self.subscription.states() {
            let whole = |value: Option<i64>| value.map(|value| value.saturating_mul(1_000));
            figures
                .group(
                    GROUP,
                    Some(format!("{}/{}", partition.topic, partition.partition).into()),
                )
                .milli("records-lag", whole(state.lag(self.config.read_committed)))
                .milli("records-lead", whole(state.lead()))
                .whole(
                    "preferred-read-replica",
                    i64::from(state.preferred.map_or(-1, |(node, _)| node)),
                );
        }
    }

    fn group_figures(&self, figures: &mut Figures) {
        let counts = &*self.metrics.counts;
        let (now, sampling) = (figures.now(), figures.sampling());
        figures
            .group("consumer-coordinator-metrics", None)
            .whole("assigned-partitions", self.subscription.count() as i64)
            .meter(["commit-rate", "commit-total"], &counts.commits.count)
            .spread(["commit-latency-avg", "commit-latency-max"], &counts.commits.latency)
            .meter(["heartbeat-rate", "heartbeat-total"], &counts.heartbeats.count)
            .milli(
                "heartbeat-response-time-max",
                counts.heartbeats.latency.max(now, sampling),
            )
            .seconds_ago("last-heartbeat-seconds-ago", counts.last_heartbeat);
        if self.modern.is_none() {
            figures
                .meter(["join-rate", "join-total"], &counts.joins.count)
                .spread(["join-time-avg", "join-time-max"], &counts.joins.latency)
                .meter(["sync-rate", "sync-total"], &counts.syncs.count)
                .spread(["sync-time-avg", "sync-time-max"], &counts.syncs.latency);
        }
        let per_hour = |counted: &CountedHourly| Some(counted.per_hour(now, sampling));
        figures
            .whole("rebalance-total", counts.rebalances.total())
            .milli("rebalance-rate-per-hour", per_hour(&counts.rebalances))
            .spread(
                ["rebalance-latency-avg", "rebalance-latency-max"],
                &counts.rebalance_latency,
            )
            .whole("rebalance-latency-total", counts.rebalance_ms)
            .whole("failed-rebalance-total", counts.failed_rebalances.total())
            .milli("failed-rebalance-rate-per-hour", per_hour(&counts.failed_rebalances))
            .seconds_ago("last-rebalance-seconds-ago", counts.last_rebalance);
    }
}
