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

/// The queues of the partitions that may be chosen: the fewer batches wait, the likelier the choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Load {
    /// Partition and how many batches wait for it.
    queues: Vec<(i32, u32)>,
    /// Number of queues before unavailable ones were left out.
    all: usize,
}

impl Load {
    /// The partition that a draw leads to. Lengths that are all equal, or too few queues, mean an even choice: `None`.
    fn choose(&self, random: u32) -> Option<i32> {
        let lengths = || self.queues.iter().map(|(_, length)| *length);
        let longest = lengths().max().filter(|_| self.all >= 2)?;
        if self.queues.len() == self.all && lengths().all(|length| length == longest) {
            return None;
        }
        let weight = |length: u32| longest + 1 - length;
        let mut left = random % lengths().map(weight).sum::<u32>();
        let found = self.queues.iter().find(|(_, length)| {
            let here = left < weight(*length);
            left = left.wrapping_sub(weight(*length));
            here
        });
        found.map(|(partition, _)| *partition)
    }
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
    load: Load,
}

impl BuiltInPartitioner {
    /// For a producer with this `batch.size`, in bytes.
    pub fn new(batch_size: u32) -> Self {
        Self {
            sticky_batch_size: u64::from(batch_size.max(1)),
            sticky: None,
            load: Load::default(),
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
        if let Some(partition) = self.load.choose(random) {
            return partition;
        }
        match topic.available.len() as u32 {
            0 => (random % topic.partitions.max(1) as u32) as i32,
            n => topic.available[(random % n) as usize],
        }
    }

    /// Where the queue lengths of the partitions that may be chosen go, which count from now on; `all` is the number of
    /// queues before unavailable ones were left out, 0 for an even choice. They are looked at only when a partition is
    /// chosen, which is far more seldom than they change.
    pub fn new_load(&mut self, all: usize) -> &mut Vec<(i32, u32)> {
        self.load.all = all;
        self.load.queues.clear();
        &mut self.load.queues
    }
}
