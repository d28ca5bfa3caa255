//! A producer's numbers, under the names of its metrics. [SenderMetricsRegistry]

/// Sums since the producer was made. Averages are over its whole life, not over the last windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProducerMetrics {
    /// `record-send-total`: records put into requests, again for each attempt.
    pub records_sent: u64,
    /// `record-error-total`
    pub records_failed: u64,
    /// `record-retry-total`
    pub records_retried: u64,
    /// `batch-split-total`
    pub batches_split: u64,
    /// Produce requests, batches in them and their bytes.
    pub requests: u64,
    pub batches: u64,
    pub batch_bytes: u64,
    pub batch_bytes_max: u32,
    /// Answers to Produce requests and how long they took, in microseconds.
    pub answers: u64,
    pub latency_us: u64,
    pub latency_max_us: u64,
    /// Records that were acknowledged.
    pub records_acked: u64,
}

impl ProducerMetrics {
    /// A batch goes out.
    pub fn sent(&mut self, records: usize, bytes: u32) {
        self.records_sent += records as u64;
        self.batches += 1;
        self.batch_bytes += u64::from(bytes);
        self.batch_bytes_max = self.batch_bytes_max.max(bytes);
    }

    /// A Produce request was answered.
    pub fn answered(&mut self, latency_us: u64) {
        self.answers += 1;
        self.latency_us += latency_us;
        self.latency_max_us = self.latency_max_us.max(latency_us);
    }

    /// Name and value, as a person reads them.
    pub fn list(&self) -> Vec<(&'static str, String)> {
        let mean = |sum: u64, count: u64| match count {
            0 => "NaN".to_string(),
            count => (sum / count).to_string(),
        };
        vec![
            ("record-send-total", self.records_sent.to_string()),
            ("record-error-total", self.records_failed.to_string()),
            ("record-retry-total", self.records_retried.to_string()),
            ("batch-split-total", self.batches_split.to_string()),
            ("batch-size-avg", mean(self.batch_bytes, self.batches)),
            ("batch-size-max", self.batch_bytes_max.to_string()),
            ("records-per-request-avg", mean(self.records_sent, self.requests)),
            ("request-latency-avg", mean(self.latency_us / 1_000, self.answers)),
            ("request-latency-max", (self.latency_max_us / 1_000).to_string()),
        ]
    }
}
