//! ISR changes on their way to the controller: one request at a time, which carries all that waits.
//! [DefaultAlterPartitionManager, Partition.submitAlterPartition]

use super::BrokerTimer;
use super::channel::{ChannelKind, Purpose};
use super::isr::{IsrChange, IsrProposal};
use super::note::BrokerNote;
use super::partition::{AlterPartitionAnswer, AlterPartitionOutcome};
use super::server::{Server, set_timer, status_of};
use crate::kafka::controller::partition::LeaderRecoveryState;
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{
    AlterPartitionData, AlterPartitionRequest, AlterPartitionResponse, AlteredPartition,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::Span;

/// Pause before a request that was refused as a whole is sent again. [DefaultAlterPartitionManager]
const RETRY_PAUSE: Span = Span::ms(50);

/// What waits, and what is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct AlterPartitionManager {
    unsent: OrderedMap<TopicPartition, IsrProposal>,
    /// The partitions of the request that is under way; they stay in `unsent` until it is answered.
    in_flight: Option<Vec<TopicPartition>>,
}

impl AlterPartitionManager {
    /// The replica is gone or its state was replaced: an answer would come too late.
    pub fn forget(&mut self, partition: TopicPartition) {
        let sent = self.in_flight.as_ref().is_some_and(|all| all.contains(&partition));
        if !sent {
            self.unsent.remove(&partition);
        }
    }
}

impl Server {
    /// Sends an ISR change to the controller, as soon as no other request is under way.
    pub(super) fn propose_isr(&mut self, partition: TopicPartition, proposal: IsrProposal, ctx: &mut Ctx) {
        ctx.note(Note::Broker(match &proposal.change {
            IsrChange::Expand(replica) => BrokerNote::ExpandsIsr {
                partition,
                replica: *replica,
            },
            IsrChange::Shrink(replicas) => BrokerNote::ShrinksIsr {
                partition,
                replicas: replicas.as_slice().into(),
            },
        }));
        if self.isr_changes.unsent.contains_key(&partition) {
            // The answer to an older change is still awaited.
            self.isr_change_answered(partition, &proposal, Err(ErrorCode::OperationNotAttempted), ctx);
            return;
        }
        self.isr_changes.unsent.insert(partition, proposal);
        self.propagate_isr_changes(ctx);
    }

    pub(super) fn propagate_isr_changes(&mut self, ctx: &mut Ctx) {
        if self.isr_changes.in_flight.is_some() || self.isr_changes.unsent.is_empty() {
            return;
        }
        let unsent = &self.isr_changes.unsent;
        let partitions = unsent.iter().map(|(partition, proposal)| AlterPartitionData {
            partition: *partition,
            leader_epoch: proposal.leader_epoch,
            partition_epoch: proposal.partition_epoch,
            new_isr: proposal.isr.clone(),
            recovery: LeaderRecoveryState::Recovered,
        });
        let body = Body::from(AlterPartitionRequest {
            broker: self.me(),
            broker_epoch: self.life.broker_epoch,
            partitions: partitions.collect(),
        });
        self.isr_changes.in_flight = Some(unsent.keys().copied().collect());
        self.ask_controller(ChannelKind::AlterPartition, Purpose::AlterPartition, body, ctx);
    }

    pub(super) fn alter_partition_failed(&mut self, ctx: &mut Ctx) {
        self.isr_changes.in_flight = None;
        set_timer(ctx, RETRY_PAUSE, BrokerTimer::AlterPartitionRetry);
    }

    pub(super) fn alter_partition_answered(&mut self, answer: &AlterPartitionResponse, ctx: &mut Ctx) {
        if answer.error != ErrorCode::None {
            self.alter_partition_failed(ctx);
            return;
        }
        let sent = self.isr_changes.in_flight.take().unwrap_or_default();
        for partition in sent {
            let Some(altered) = answer.partitions.iter().find(|p| p.partition == partition) else {
                continue;
            };
            let Some(proposal) = self.isr_changes.unsent.remove(&partition) else {
                continue;
            };
            self.isr_change_answered(partition, &proposal, result_of(altered), ctx);
        }
        self.propagate_isr_changes(ctx);
    }

    fn isr_change_answered(
        &mut self,
        partition: TopicPartition,
        proposal: &IsrProposal,
        answer: Result<AlterPartitionAnswer, ErrorCode>,
        ctx: &mut Ctx,
    ) {
        self.stir(partition);
        let brokers = |id| status_of(self.observer.image(), id);
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        let refused = answer.as_ref().err().copied();
        let view = replica.view(self.clock, &brokers);
        let outcome = replica.partition.alter_partition_answered(proposal, answer, &view);
        let accepted = refused.is_none() && !matches!(outcome, AlterPartitionOutcome::Outdated);
        self.metrics
            .counters()
            .isr_answered(&proposal.change, accepted, ctx.now());
        match outcome {
            AlterPartitionOutcome::Committed { high_watermark } => {
                ctx.note(Note::Broker(BrokerNote::IsrCommitted {
                    partition,
                    isr: replica.partition.isr().committed().into(),
                }));
                self.high_watermark_evaluated(partition, high_watermark, ctx);
                self.check_delayed(partition, ctx);
            }
            AlterPartitionOutcome::Resend(proposal) => {
                self.isr_changes.unsent.insert(partition, proposal);
            }
            AlterPartitionOutcome::RolledBack | AlterPartitionOutcome::Stuck => {
                if let Some(error) = refused {
                    ctx.note(Note::Broker(BrokerNote::IsrChangeRefused { partition, error }));
                }
            }
            AlterPartitionOutcome::Late | AlterPartitionOutcome::Outdated => {}
        }
    }
}

fn result_of(altered: &AlteredPartition) -> Result<AlterPartitionAnswer, ErrorCode> {
    if altered.error != ErrorCode::None {
        return Err(altered.error);
    }
    Ok(AlterPartitionAnswer {
        leader_epoch: altered.leader_epoch,
        partition_epoch: altered.partition_epoch,
        isr: altered.isr.clone(),
        recovery: altered.recovery,
    })
}
