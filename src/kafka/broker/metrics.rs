//! What a broker counts, under the names of its metrics. [BrokerTopicMetrics, ReplicaManager, RequestChannel.Metrics]

use super::Broker;
use super::isr::IsrChange;
use super::lifecycle::BrokerState;
use super::server::{Server, status_of};
use crate::kafka::metrics::meter::Meter;
use crate::kafka::metrics::window::Sampling;
use crate::kafka::metrics::{Figure, Figures};
use crate::kafka::protocol::kind_of_tag;
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// A request's kind: its tag; a follower's Fetch is told from a consumer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequestKind {
    Tag(u8),
    FetchFollower,
}

impl RequestKind {
    /// `Produce`, `FetchConsumer`, as the tag `request` has it. [RequestMetrics]
    fn name(self) -> &'static str {
        match self {
            RequestKind::FetchFollower => "FetchFollower",
            RequestKind::Tag(tag) => match kind_of_tag(tag) {
                "FetchRequest" => "FetchConsumer",
                kind => kind.strip_suffix("Request").unwrap_or(kind),
            },
        }
    }
}

/// Traffic, of one topic or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TopicMeters {
    messages_in: Meter,
    bytes_in: Meter,
    bytes_out: Meter,
    replicated_out: Meter,
    produce: Meter,
    fetch: Meter,
    failed_produce: Meter,
    failed_fetch: Meter,
}

/// How many requests of a kind were answered, and how long they took together, at most.
#[derive(Clone, Copy, Debug, Default)]
struct RequestTimes {
    count: Meter,
    total: Span,
    max: Span,
}

/// What a broker has counted since it started.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    all: TopicMeters,
    topics: OrderedMap<Rc<str>, TopicMeters>,
    requests: OrderedMap<RequestKind, RequestTimes>,
    isr_shrinks: Meter,
    isr_expands: Meter,
    failed_isr_updates: Meter,
    pub flushes: i64,
}

/// The counters, shared by copies of the broker until one of them goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct BrokerMetrics(Rc<Counters>);

impl BrokerMetrics {
    pub fn counters(&mut self) -> &mut Counters {
        Rc::make_mut(&mut self.0)
    }
}

impl Counters {
    /// Of a topic and of all.
    fn both(&mut self, topic: &Rc<str>, mark: impl Fn(&mut TopicMeters)) {
        mark(&mut self.all);
        match self.topics.get_mut(topic) {
            Some(meters) => mark(meters),
            None => mark(self.topics.entry(topic.clone()).or_default()),
        }
    }

    /// A batch was appended as leader.
    pub fn appended(&mut self, topic: &Rc<str>, records: i64, bytes: i64, now: Time) {
        self.both(topic, |meters| {
            meters.messages_in.mark(records, now);
            meters.bytes_in.mark(bytes, now);
        });
    }

    /// A partition of a Produce request was looked at.
    pub fn produced(&mut self, topic: &Rc<str>, failed: bool, now: Time) {
        self.both(topic, |meters| {
            meters.produce.mark(1, now);
            meters.failed_produce.mark(i64::from(failed), now);
        });
    }

    /// A partition of a Fetch was answered with so many bytes.
    pub fn fetched(&mut self, topic: &Rc<str>, bytes: i64, (follower, failed): (bool, bool), now: Time) {
        self.both(topic, |meters| {
            meters.fetch.mark(1, now);
            meters.failed_fetch.mark(i64::from(failed), now);
            match follower {
                true => meters.replicated_out.mark(bytes, now),
                false => meters.bytes_out.mark(bytes, now),
            }
        });
    }

    /// The controller answered a proposed ISR. An acceptance counts even if the metadata told of it first.
    /// [Partition.handleAlterPartitionUpdate]
    pub fn isr_answered(&mut self, change: &IsrChange, accepted: bool, now: Time) {
        let meter = match (accepted, change) {
            (false, _) => &mut self.failed_isr_updates,
            (true, IsrChange::Expand(_)) => &mut self.isr_expands,
            (true, IsrChange::Shrink(_)) => &mut self.isr_shrinks,
        };
        meter.mark(1, now);
    }

    /// A request is done with.
    pub fn request_done(&mut self, kind: RequestKind, took: Span, now: Time) {
        let times = match self.requests.get_mut(&kind) {
            Some(times) => times,
            None => self.requests.entry(kind).or_default(),
        };
        times.count.mark(1, now);
        times.total = Span::us(times.total.as_us() + took.as_us());
        times.max = times.max.max(took);
    }
}

fn meter(figures: &mut Figures, [count, lately]: [&'static str; 2], meter: &Meter) {
    let now = figures.now();
    figures
        .whole(count, meter.count())
        .milli(lately, Some(meter.one_minute_rate(now)));
}

/// Count and rate of each meter of a topic, by name.
macro_rules! topic_meters {
    ($figures:expr, $meters:expr, $($name:literal = $field:ident,)*) => {
        $(meter($figures, [concat!($name, ".Count"), concat!($name, ".OneMinuteRate")], &$meters.$field);)*
    };
}

fn topic_figures(figures: &mut Figures, meters: &TopicMeters) {
    topic_meters! { figures, meters,
        "MessagesInPerSec" = messages_in,
        "BytesInPerSec" = bytes_in,
        "BytesOutPerSec" = bytes_out,
        "ReplicationBytesOutPerSec" = replicated_out,
        "TotalProduceRequestsPerSec" = produce,
        "TotalFetchRequestsPerSec" = fetch,
        "FailedProduceRequestsPerSec" = failed_produce,
        "FailedFetchRequestsPerSec" = failed_fetch,
    }
}

impl Broker {
    /// All its metrics under Kafka's names; while it is down only its state.
    pub fn figures(&self, now: Time) -> Vec<Figure> {
        let mut figures = Figures::new(now, Sampling::default());
        figures
            .group("KafkaServer", None)
            .whole("BrokerState", self.state().value());
        if let Some(server) = &self.server {
            server.replica_figures(&mut figures);
            server.other_figures(&mut figures);
            server.traffic_figures(&mut figures);
        }
        figures.list
    }
}

impl Server {
    fn replica_figures(&self, figures: &mut Figures) {
        let brokers = |id| status_of(self.image(), id);
        let led = || self.replicas.values().filter(|replica| replica.partition.is_leader());
        let count = |n: usize| n as i64;
        let isr = |replica: &&super::replica_manager::Replica| replica.partition.isr().committed().len();
        let least =
            |replica: &&super::replica_manager::Replica| replica.partition.min_isr(&replica.view(self.clock, &brokers));
        let moving = self.replicas.iter().filter(|(id, replica)| {
            let registration = self.image().partitions.get(id);
            replica.partition.is_leader()
                && registration.is_some_and(|r| !r.adding.is_empty() || !r.removing.is_empty())
        });
        let producers = self
            .replicas
            .values()
            .map(|replica| replica.log.producers().entries().len());
        figures
            .group("ReplicaManager", None)
            .whole("PartitionCount", count(self.replicas.len()))
            .whole("LeaderCount", count(led().count()))
            .whole(
                "UnderReplicatedPartitions",
                count(led().filter(|r| isr(r) < r.partition.replicas().len()).count()),
            )
            .whole(
                "UnderMinIsrPartitionCount",
                count(led().filter(|r| isr(r) < least(r)).count()),
            )
            .whole(
                "AtMinIsrPartitionCount",
                count(led().filter(|r| isr(r) == least(r)).count()),
            )
            .whole("ReassigningPartitions", count(moving.count()))
            .whole("ProducerIdCount", count(producers.sum()));
        let counters = &self.metrics.0;
        meter(
            figures,
            ["IsrShrinksPerSec.Count", "IsrShrinksPerSec.OneMinuteRate"],
            &counters.isr_shrinks,
        );
        meter(
            figures,
            ["IsrExpandsPerSec.Count", "IsrExpandsPerSec.OneMinuteRate"],
            &counters.isr_expands,
        );
        let refused = ["FailedIsrUpdatesPerSec.Count", "FailedIsrUpdatesPerSec.OneMinuteRate"];
        meter(figures, refused, &counters.failed_isr_updates);
    }

    fn other_figures(&self, figures: &mut Figures) {
        figures
            .group("LogFlushStats", None)
            .whole("LogFlushRateAndTimeMs.Count", self.metrics.0.flushes)
            .group("broker-metadata-metrics", None)
            .whole("last-applied-record-offset", self.image().end_offset - 1)
            .group("DelayedOperationPurgatory", None)
            .whole("PurgatorySize", self.purgatory.len() as i64)
            .group("socket-server-metrics", None)
            .whole("connection-count", self.clients.count() as i64);
        let Some(groups) = self.groups.coordinator() else {
            return;
        };
        let (mut all, mut offsets) = (0, 0);
        for group in groups.shards().flat_map(|(partition, _)| groups.groups_of(partition)) {
            all += 1;
            offsets += group.offsets.len() as i64;
        }
        figures
            .group("group-coordinator-metrics", None)
            .whole("group-count", all)
            .whole("num-partitions", groups.shards().count() as i64)
            .group("GroupMetadataManager", None)
            .whole("NumOffsets", offsets);
    }

    fn traffic_figures(&self, figures: &mut Figures) {
        let counters = &*self.metrics.0;
        topic_figures(figures.group("BrokerTopicMetrics", None), &counters.all);
        for (topic, meters) in &counters.topics {
            topic_figures(figures.group("BrokerTopicMetrics", Some(topic.clone())), meters);
        }
        for (kind, times) in &counters.requests {
            figures.group("RequestMetrics", Some(kind.name().into()));
            meter(
                figures,
                ["RequestsPerSec.Count", "RequestsPerSec.OneMinuteRate"],
                &times.count,
            );
            // Microseconds are thousandths of milliseconds.
            let mean = times.total.as_us() as i64 / times.count.count().max(1);
            figures
                .milli("TotalTimeMs.Mean", Some(mean))
                .milli("TotalTimeMs.Max", Some(times.max.as_us() as i64));
        }
    }
}

impl BrokerState {
    /// Its number in the metric `BrokerState`.
    fn value(self) -> i64 {
        match self {
            BrokerState::NotRunning => 0,
            BrokerState::Starting => 1,
            BrokerState::Recovery => 2,
            BrokerState::Running => 3,
            BrokerState::PendingControlledShutdown => 6,
            BrokerState::ShuttingDown => 7,
        }
    }
}
