//! A broker's heartbeat: fenced, unfenced, in controlled shutdown, or allowed to stop.
//!
//! Rules: `kafka-controller.md`, section 5, the table. [BrokerHeartbeatManager.calculateNextBrokerState,
//! ReplicationControlManager.processBrokerHeartbeat]

use super::answers::heartbeat_error;
use super::note::{ControllerNote, Why};
use super::process::{Controller, records_of};
use super::sessions::Heartbeat;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;

/// How a broker stands. [BrokerControlState]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fenced,
    Unfenced,
    ControlledShutdown,
    ShutdownNow,
}

impl State {
    fn of(heartbeat: &Heartbeat) -> State {
        match (heartbeat.shutdown_offset, heartbeat.fenced) {
            (Some(_), _) => State::ControlledShutdown,
            (None, true) => State::Fenced,
            (None, false) => State::Unfenced,
        }
    }

    fn is_fenced(self) -> bool {
        matches!(self, State::Fenced | State::ShutdownNow)
    }
}

impl Controller {
    pub(super) fn broker_heartbeat(
        &mut self,
        request: &BrokerHeartbeatRequest,
        ctx: &mut Ctx,
    ) -> BrokerHeartbeatResponse {
        let (broker, epoch, offset) = (request.broker, request.broker_epoch, request.current_metadata_offset);
        if let Some(active) = &mut self.active {
            active.sessions.heard(broker, epoch, ctx.now());
        }
        if let Err(error) = self.check_broker_epoch(broker, epoch, ctx) {
            return heartbeat_error(error);
        }
        let (Some(heartbeat), Some(registration)) = (self.heartbeat_of(broker), self.image.brokers.get(&broker)) else {
            return heartbeat_error(ErrorCode::StaleBrokerEpoch);
        };
        let is_caught_up = offset >= registration.registered_at;
        let current = State::of(&heartbeat);
        let next = self.next_state(&heartbeat, request, is_caught_up);
        self.note_shutdown(broker, current, next, &heartbeat, ctx);
        let transition = (current != next).then(|| self.transition(broker, epoch, current, next));
        if let Some(active) = &mut self.active {
            active.sessions.touch(broker, next.is_fenced(), offset);
        }
        if let Some((records, why)) = transition {
            self.commit(records, why, ctx);
        }
        if let (State::ControlledShutdown, Some(active)) = (next, &mut self.active) {
            active.sessions.shut_down_at(broker, self.log.end_offset() - 1);
        }
        BrokerHeartbeatResponse {
            error: ErrorCode::None,
            is_caught_up,
            is_fenced: next.is_fenced(),
            should_shut_down: next == State::ShutdownNow,
        }
    }

    fn heartbeat_of(&self, broker: NodeId) -> Option<Heartbeat> {
        self.active.as_ref()?.sessions.of(broker).copied()
    }

    fn next_state(&self, heartbeat: &Heartbeat, request: &BrokerHeartbeatRequest, caught_up: bool) -> State {
        match State::of(heartbeat) {
            State::Fenced if request.want_shut_down => State::ShutdownNow,
            State::Fenced if !request.want_fence && caught_up => State::Unfenced,
            State::Unfenced if request.want_fence && request.want_shut_down => State::ShutdownNow,
            State::Unfenced if request.want_fence => State::Fenced,
            State::Unfenced if request.want_shut_down && self.leads(request.broker) => State::ControlledShutdown,
            State::Unfenced if request.want_shut_down => State::ShutdownNow,
            State::ControlledShutdown if !self.leads(request.broker) && self.moves_applied(heartbeat) => {
                State::ShutdownNow
            }
            unchanged => unchanged,
        }
    }

    fn leads(&self, broker: NodeId) -> bool {
        self.image.partitions.values().any(|p| p.leader == broker)
    }

    /// Have all active brokers applied the moves of a controlled shutdown (rule R-66)?
    fn moves_applied(&self, heartbeat: &Heartbeat) -> bool {
        let lowest = self
            .active
            .as_ref()
            .map_or(i64::MAX, |a| a.sessions.lowest_active_offset());
        heartbeat.shutdown_offset.is_some_and(|needed| needed <= lowest)
    }

    /// The records of a change of state.
    fn transition(&self, broker: NodeId, broker_epoch: i64, from: State, to: State) -> (Vec<MetadataRecord>, Why) {
        match to {
            State::Unfenced => {
                let mut records = vec![MetadataRecord::BrokerRegistrationChange {
                    broker,
                    broker_epoch,
                    fenced: Some(false),
                    in_controlled_shutdown: false,
                }];
                records.extend(records_of(self.on_cluster(|c| c.unfence(broker))));
                (records, Why::Unfenced { broker })
            }
            State::ControlledShutdown => (
                self.begin_controlled_shutdown(broker, broker_epoch),
                Why::ControlledShutdown { broker },
            ),
            State::Fenced if from == State::Unfenced => (self.fence(broker), Why::FenceWanted { broker }),
            State::Fenced | State::ShutdownNow => (self.fence(broker), Why::Stopped { broker }),
        }
    }

    /// The flag first, then leaderships and ISRs. [handleBrokerInControlledShutdown]
    fn begin_controlled_shutdown(&self, broker: NodeId, broker_epoch: i64) -> Vec<MetadataRecord> {
        let flagged = self
            .image
            .brokers
            .get(&broker)
            .is_some_and(|b| b.in_controlled_shutdown);
        let mut records = Vec::new();
        if !flagged {
            records.push(MetadataRecord::BrokerRegistrationChange {
                broker,
                broker_epoch,
                fenced: None,
                in_controlled_shutdown: true,
            });
        }
        records.extend(records_of(self.on_cluster(|c| c.begin_controlled_shutdown(broker))));
        records
    }

    /// ISRs and leaderships first, then the fence. [ReplicationControlManager.handleBrokerFenced]
    pub(super) fn fence(&self, broker: NodeId) -> Vec<MetadataRecord> {
        let mut records = records_of(self.on_cluster(|c| c.fence(broker)));
        if let Some(registration) = self.image.brokers.get(&broker) {
            records.push(MetadataRecord::BrokerRegistrationChange {
                broker,
                broker_epoch: registration.epoch,
                fenced: Some(true),
                in_controlled_shutdown: false,
            });
        }
        records
    }

    fn note_shutdown(&self, broker: NodeId, current: State, next: State, heartbeat: &Heartbeat, ctx: &mut Ctx) {
        let sessions = self.active.as_ref().map(|a| &a.sessions);
        match (current, next, heartbeat.shutdown_offset) {
            (_, State::ShutdownNow, _) => ctx.note(Note::Controller(ControllerNote::ShutdownGranted { broker })),
            (State::ControlledShutdown, _, Some(needed)) => {
                let lowest = sessions.map_or(i64::MAX, |s| s.lowest_active_offset());
                ctx.note(Note::Controller(ControllerNote::ShutdownWaits {
                    broker,
                    lowest,
                    needed,
                }));
            }
            _ => {}
        }
    }
}
