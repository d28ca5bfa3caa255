//! A coordinator reads its partition before it answers: until then COORDINATOR_LOAD_IN_PROGRESS.
//! [CoordinatorRuntime.scheduleLoadOperation, TransactionStateManager.loadTransactionsForTxnTopicPartition]
//!
//! How long that takes is a model: the real one depends on the machine.

use super::BrokerTimer;
use super::coordinator::{OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTIONS_TOPIC};
use super::note::BrokerNote;
use super::server::{Server, set_timer};
use crate::kafka::note::Note;
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

/// Records are read and taken in at this speed, bytes in a microsecond.
const SPEED: u64 = 50;

/// What a load costs at least.
const AT_LEAST: Span = Span::us(500);

/// How long it takes to load a log, `buffer` bytes at a time, each read from a disk with that delay.
fn load_time(bytes: u64, buffer: i64, delay: Span) -> Span {
    let reads = bytes.div_ceil(u64::try_from(buffer).unwrap_or(1).max(1));
    AT_LEAST + Span::us(bytes / SPEED) + delay.times(reads)
}

impl Server {
    /// This broker leads a partition in a new epoch: a coordinator's is read from the log, one without records at once.
    pub(super) fn coordinator_elected(&mut self, partition: TopicPartition, epoch: i32, ctx: &mut Ctx) {
        let Some(replica) = self.replicas.get(&partition) else {
            return;
        };
        let config = &self.setup.config;
        let buffer = match &*replica.topic {
            OFFSETS_TOPIC => config.offsets_load_buffer_size,
            TRANSACTIONS_TOPIC => config.transaction_state_log_load_buffer_size,
            SHARE_STATE_TOPIC => return self.load_coordinator(partition, epoch, ctx),
            _ => return,
        };
        let (bytes, topic) = (replica.log.size(), replica.topic.clone());
        if !self.begin_load(&topic, partition.partition, epoch, ctx) {
            return;
        }
        if bytes == 0 {
            return self.load_coordinator(partition, epoch, ctx);
        }
        let takes = load_time(bytes, buffer, ctx.disk().delay());
        let note = BrokerNote::CoordinatorLoads {
            partition,
            bytes,
            takes,
        };
        ctx.note(Note::Broker(note));
        set_timer(ctx, takes, BrokerTimer::LoadCoordinator(partition, epoch));
    }

    /// From now on requests are told to wait. Whether there is anything to load: not for an epoch that is at work.
    fn begin_load(&mut self, topic: &str, partition: i32, epoch: i32, ctx: &mut Ctx) -> bool {
        match topic {
            OFFSETS_TOPIC => self.begin_group_load(partition, epoch, ctx),
            _ => {
                self.begin_transaction_load(partition, epoch);
                true
            }
        }
    }

    /// The log was read, if this broker still leads it in that epoch.
    pub(super) fn load_coordinator(&mut self, partition: TopicPartition, epoch: i32, ctx: &mut Ctx) {
        let leads = |replica: &&super::replica_manager::Replica| {
            replica.partition.is_leader() && replica.partition.leader_epoch() == epoch
        };
        let Some(replica) = self.replicas.get(&partition).filter(leads) else {
            return;
        };
        let (start, end) = (replica.log.log_start(), replica.log.end_offset());
        let high_watermark = replica.log.high_watermark();
        let files = replica.log.files().clone();
        match &*replica.topic {
            OFFSETS_TOPIC => self.load_groups(partition.partition, epoch, (&files, start, end, high_watermark), ctx),
            SHARE_STATE_TOPIC => {
                self.load_share_state(partition.partition, epoch, (&files, start), (end, high_watermark), ctx);
            }
            _ => self.load_transactions(partition.partition, epoch, (&files, start), ctx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_log_and_a_slower_disk_take_longer() {
        let buffer = 5 * 1024 * 1024;
        let short = load_time(1_000, buffer, Span::ZERO);
        assert_eq!(short, AT_LEAST + Span::us(20));
        let long = load_time(100 * 1024 * 1024, buffer, Span::ZERO);
        assert!(long > Span::secs(2) && long < Span::secs(3));
        let slow = load_time(100 * 1024 * 1024, buffer, Span::ms(50));
        assert_eq!(slow, long + Span::ms(50).times(20));
    }
}
