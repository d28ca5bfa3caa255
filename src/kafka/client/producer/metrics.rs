//! A producer's figures, under the names of its metrics. [SenderMetricsRegistry, Sender.SenderMetrics, BufferPool]

use super::client::Producer;
use crate::kafka::client::producer_batch::ProducerBatch;
use crate::kafka::metrics::window::{Counted, Sampling, Window};
use crate::kafka::metrics::{Figure, Figures};
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// What a producer counts while it runs; copies share it until one of them goes on.
#[derive(Clone, Debug)]
pub struct ProducerMetrics {
    sampling: Sampling,
    counts: Rc<Counts>,
}

/// What is counted for all topics together.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// Records put into requests, again for each attempt; one record of the window is one request.
    sent: Counted,
    failed: Counted,
    retried: Counted,
    split: Counted,
    batch_bytes: Window,
    /// Milliseconds between a batch's creation and its way into a request.
    queued: Window,
    /// Milliseconds of Produce requests.
    latency: Window,
    /// Calls of `send()` that waited for memory, together.
    buffer_wait: Span,
    exhausted: i64,
    topics: OrderedMap<Rc<str>, TopicCounts>,
}

/// The same of one topic.
#[derive(Clone, Debug, Default)]
struct TopicCounts {
    sent: Counted,
    bytes: Counted,
    failed: Counted,
    retried: Counted,
}

impl ProducerMetrics {
    pub fn new(sampling: Sampling) -> ProducerMetrics {
        ProducerMetrics {
            sampling,
            counts: Rc::default(),
        }
    }

    fn count(
        &mut self,
        topic: &Rc<str>,
        change: impl FnOnce(&mut Counts, Sampling),
        of_topic: impl FnOnce(&mut TopicCounts, Sampling),
    ) {
        let counts = Rc::make_mut(&mut self.counts);
        change(counts, self.sampling);
        match counts.topics.get_mut(topic) {
            Some(counts) => of_topic(counts, self.sampling),
            None => of_topic(counts.topics.entry(topic.clone()).or_default(), self.sampling),
        }
    }

    /// A batch goes into a request. [SenderMetrics.updateProduceRequestMetrics]
    pub fn batch_sent(&mut self, batch: &ProducerBatch, now: Time) {
        let (records, bytes) = (batch.record_count() as i64, i64::from(batch.estimated_size()));
        let queued = now.as_ms() - batch.created;
        self.count(
            &batch.partition.topic,
            |counts, sampling| {
                counts.batch_bytes.record(bytes, now, sampling);
                counts.queued.record(queued, now, sampling);
            },
            |counts, sampling| {
                counts.sent.add(records, now, sampling);
                counts.bytes.add(bytes, now, sampling);
            },
        );
    }

    /// A request goes out with so many records.
    pub fn request_sent(&mut self, records: i64, now: Time) {
        Rc::make_mut(&mut self.counts).sent.add(records, now, self.sampling);
    }

    /// A Produce request was answered.
    pub fn answered(&mut self, took: Span, now: Time) {
        let counts = Rc::make_mut(&mut self.counts);
        counts.latency.record(took.as_ms(), now, self.sampling);
    }

    /// Records of a topic were given up.
    pub fn failed(&mut self, topic: &Rc<str>, records: usize, now: Time) {
        let records = records as i64;
        self.count(
            topic,
            |counts, sampling| counts.failed.add(records, now, sampling),
            |counts, sampling| counts.failed.add(records, now, sampling),
        );
    }

    /// Records of a topic are to be sent again.
    pub fn retried(&mut self, topic: &Rc<str>, records: usize, now: Time) {
        let records = records as i64;
        self.count(
            topic,
            |counts, sampling| counts.retried.add(records, now, sampling),
            |counts, sampling| counts.retried.add(records, now, sampling),
        );
    }

    /// A batch was too large and is cut in two.
    pub fn split(&mut self, now: Time) {
        Rc::make_mut(&mut self.counts).split.add(1, now, self.sampling);
    }

    /// A `send()` has waited for memory, in vain if `exhausted`.
    pub fn waited_for_memory(&mut self, waited: Span, exhausted: bool) {
        let counts = Rc::make_mut(&mut self.counts);
        counts.buffer_wait = Span::us(counts.buffer_wait.as_us() + waited.as_us());
        counts.exhausted += i64::from(exhausted);
    }

    /// `record-retry-total`
    pub fn records_retried(&self) -> i64 {
        self.counts.retried.total
    }
}

impl Producer {
    /// All its metrics under Kafka's names.
    pub fn figures(&self, now: Time) -> Vec<Figure> {
        let mut figures = Figures::new(now, self.metrics.sampling);
        let counts = &*self.metrics.counts;
        figures
            .group("producer-metrics", None)
            .meter(["record-send-rate", "record-send-total"], &counts.sent)
            .meter(["record-error-rate", "record-error-total"], &counts.failed)
            .meter(["record-retry-rate", "record-retry-total"], &counts.retried)
            .spread(["request-latency-avg", "request-latency-max"], &counts.latency)
            .spread(["batch-size-avg", "batch-size-max"], &counts.batch_bytes)
            .meter(["batch-split-rate", "batch-split-total"], &counts.split)
            .milli(
                "records-per-request-avg",
                counts.sent.average(now, self.metrics.sampling),
            )
            .spread(["record-queue-time-avg", "record-queue-time-max"], &counts.queued)
            .whole("requests-in-flight", self.net.in_flight() as i64);
        let age = self.net.metadata.last_success();
        figures.milli("metadata-age", age.map(|at| now.since(at).as_ms()));
        self.memory_figures(&mut figures);
        self.net.figures("producer-metrics", &mut figures);
        for (topic, counts) in &counts.topics {
            figures
                .group("producer-topic-metrics", Some(topic.clone()))
                .meter(["record-send-rate", "record-send-total"], &counts.sent)
                .meter(["byte-rate", "byte-total"], &counts.bytes)
                .meter(["record-error-rate", "record-error-total"], &counts.failed)
                .meter(["record-retry-rate", "record-retry-total"], &counts.retried);
        }
        figures.list
    }

    fn memory_figures(&self, figures: &mut Figures) {
        let (memory, counts) = (&self.accumulator.memory, &self.metrics.counts);
        let waited_ns = (counts.buffer_wait.as_us() as i64).saturating_mul(1_000);
        figures
            .whole("buffer-total-bytes", memory.total() as i64)
            .whole("buffer-available-bytes", memory.available() as i64)
            .whole("waiting-threads", memory.queued() as i64)
            .whole("bufferpool-wait-time-ns-total", waited_ns)
            .whole("buffer-exhausted-total", counts.exhausted);
    }
}
