//! Which partition a record without key goes to: one sticky partition per topic, and the choice of the next one.
//! [BuiltInPartitioner]
//!
//! Records with a key go by [`crate::kafka::hash::partition_for_key`].

/// A topic as the producer's metadata shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicView {
    /// Number of partitions; more than zero.
    pub partitions: i32,
    /// Partitions that have a leader, in order.
    pub available: Vec<i32>,
}

/// Load of the partitions with a leader: the fewer batches wait, the likelier the choice.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LoadStats {
    /// Running sum of (largest queue + 1 - queue).
    cumulative: Vec<u32>,
    partitions: Vec<i32>,
}

/// The partition that keyless records go to at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sticky {
    partition: i32,
    produced_bytes: u64,
}

/// The sticky partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltInPartitioner {
    /// `batch.size`, at least 1
    sticky_batch_size: u64,
    sticky: Option<Sticky>,
    load: Option<LoadStats>,
}

impl BuiltInPartitioner {
    /// For a producer with this `batch.size`, in bytes.
    pub fn new(batch_size: u32) -> Self {
        Self {
            sticky_batch_size: u64::from(batch_size.max(1)),
            sticky: None,
            load: None,
        }
    }

    /// The partition for the next record; the first time one is drawn. `draw` gives 31 random bits.
    pub fn current(&mut self, topic: &TopicView, draw: &mut dyn FnMut() -> u32) -> i32 {
        if let Some(sticky) = self.sticky {
            return sticky.partition;
        }
        self.switch(topic, draw)
    }

    /// Counts appended bytes, and switches once enough went to one partition: `batch.size` if the queue's last batch
    /// is complete, else twice as much. Whether it switched.
    pub fn note_appended(
        &mut self,
        bytes: u32,
        last_batch_complete: bool,
        topic: &TopicView,
        draw: &mut dyn FnMut() -> u32,
    ) -> bool {
        let limit = self.sticky_batch_size;
        let Some(sticky) = &mut self.sticky else {
            return false;
        };
        sticky.produced_bytes += u64::from(bytes);
        let enough = sticky.produced_bytes >= limit && last_batch_complete;
        let too_much = sticky.produced_bytes >= 2 * limit;
        if enough || too_much {
            self.switch(topic, draw);
        }
        enough || too_much
    }

    fn switch(&mut self, topic: &TopicView, draw: &mut dyn FnMut() -> u32) -> i32 {
        let partition = self.next_partition(topic, draw() & 0x7fff_ffff);
        self.sticky = Some(Sticky {
            partition,
            produced_bytes: 0,
        });
        partition
    }

    /// The partition that a draw leads to: by load if known, else evenly over those with a leader, else over all.
    pub fn next_partition(&self, topic: &TopicView, random: u32) -> i32 {
        if let Some(load) = &self.load
            && let Some(&total) = load.cumulative.last()
        {
            let weighted = random % total;
            let index = load.cumulative.partition_point(|c| *c <= weighted);
            return load.partitions[index];
        }
        match topic.available.len() as u32 {
            0 => (random % topic.partitions.max(1) as u32) as i32,
            n => topic.available[(random % n) as usize],
        }
    }

    /// Takes the queue lengths of partitions that may be chosen; `all` is the number of queues before unavailable
    /// ones were left out. Lengths that are all equal, or too few queues, mean an even choice.
    pub fn set_load(&mut self, queues: &[(i32, u32)], all: usize) {
        self.load = None;
        let longest = queues.iter().map(|(_, q)| *q).max();
        let Some(longest) = longest.filter(|_| all >= 2) else {
            return;
        };
        if queues.iter().all(|(_, q)| *q == longest) && queues.len() == all {
            return;
        }
        let mut sum = 0;
        let cumulative = queues.iter().map(|(_, q)| {
            sum += longest + 1 - q;
            sum
        });
        self.load = Some(LoadStats {
            cumulative: cumulative.collect(),
            partitions: queues.iter().map(|(p, _)| *p).collect(),
        });
    }

    /// Forgets the load: the choice is even again.
    pub fn clear_load(&mut self) {
        self.load = None;
    }
}
