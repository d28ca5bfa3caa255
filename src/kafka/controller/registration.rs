//! Brokers come and go: registration, its check, and striking one from the cluster.
//!
//! All brokers of a scenario have the controller's cluster id, one directory of their own and the features of 4.3.1, so
//! the checks of those have nothing to find. Rules: `kafka-controller.md`, section 5. [ClusterControlManager]

use super::note::{ControllerNote, Why};
use super::process::{Controller, records_of};
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::note::Note;
use crate::kafka::protocol::admin::{ApiError, UnregisterBrokerRequest, UnregisterBrokerResponse};
use crate::kafka::protocol::controller::{BrokerRegistrationRequest, BrokerRegistrationResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

const DUPLICATE: &str = "Another broker is registered with that broker id. If the broker was recently restarted this \
                         should self-resolve once the heartbeat manager expires the broker's session.";

impl Controller {
    pub(super) fn session_timeout(&self) -> Span {
        Span::from_ms(self.setup.config.broker_session_timeout_ms)
    }

    /// [ClusterControlManager.registerBroker]
    pub(super) fn register_broker(
        &mut self,
        request: &BrokerRegistrationRequest,
        ctx: &mut Ctx,
    ) -> BrokerRegistrationResponse {
        let broker = request.node.id;
        let existing = self.image.brokers.get(&broker);
        let same = existing.filter(|b| b.incarnation == request.incarnation);
        let stored_epoch = existing.map(|b| b.epoch);
        if let (Some(epoch), None) = (stored_epoch, same)
            && let Some(left) = self.session_left(broker, epoch, ctx)
        {
            ctx.note(Note::Controller(ControllerNote::RegistrationRefused {
                broker,
                left,
                timeout: self.session_timeout(),
            }));
            return BrokerRegistrationResponse {
                error: ErrorCode::DuplicateBrokerRegistration,
                message: Some(DUPLICATE.into()),
                broker_epoch: -1,
            };
        }
        let clean = stored_epoch == Some(request.previous_broker_epoch);
        // The same incarnation asks again when the answer was lost: it keeps its epoch and its state.
        let (broker_epoch, fenced, in_controlled_shutdown) = match same {
            Some(same) => (same.epoch, same.fenced, same.in_controlled_shutdown),
            None => (self.log.end_offset(), true, false),
        };
        let mut records = match same {
            Some(_) => Vec::new(),
            None => records_of(self.on_cluster(|c| c.register_again(broker, clean))),
        };
        records.push(MetadataRecord::RegisterBroker {
            node: request.node.clone(),
            endpoints: request.endpoints.clone(),
            incarnation: request.incarnation,
            broker_epoch,
            fenced,
            in_controlled_shutdown,
        });
        self.commit(records, Why::Registered { broker, clean }, ctx);
        BrokerRegistrationResponse {
            error: ErrorCode::None,
            message: None,
            broker_epoch,
        }
    }

    /// How long the session of an incarnation goes on; `None` if it has ended.
    fn session_left(&self, broker: NodeId, epoch: i64, ctx: &Ctx) -> Option<Span> {
        let sessions = &self.active.as_ref()?.sessions;
        let (timeout, now) = (self.session_timeout(), ctx.now());
        if !sessions.is_alive(broker, epoch, timeout, now) {
            return None;
        }
        let end = sessions.last_contact(broker, epoch)? + timeout;
        Some(end.since(now))
    }

    /// Does a request come from the registered incarnation?
    ///
    /// # Errors
    /// STALE_BROKER_EPOCH. [ClusterControlManager.checkBrokerEpoch]
    pub(super) fn check_broker_epoch(&self, broker: NodeId, epoch: i64, ctx: &mut Ctx) -> Result<(), ErrorCode> {
        if self.image.brokers.get(&broker).is_some_and(|b| b.epoch == epoch) {
            return Ok(());
        }
        ctx.note(Note::Controller(ControllerNote::StaleBrokerEpoch { broker, epoch }));
        Err(ErrorCode::StaleBrokerEpoch)
    }

    /// [ReplicationControlManager.unregisterBroker]
    pub(super) fn unregister_broker(
        &mut self,
        request: &UnregisterBrokerRequest,
        ctx: &mut Ctx,
    ) -> UnregisterBrokerResponse {
        let broker = request.broker;
        let Some(epoch) = self.image.brokers.get(&broker).map(|b| b.epoch) else {
            let text = format!("Broker ID {broker} is not currently registered");
            let error: ApiError = (ErrorCode::BrokerIdNotRegistered, Some(text.into()));
            return UnregisterBrokerResponse { error };
        };
        let mut records = records_of(self.on_cluster(|c| c.unregister(broker)));
        records.push(MetadataRecord::UnregisterBroker {
            broker,
            broker_epoch: epoch,
        });
        self.commit(records, Why::Unregistered { broker }, ctx);
        UnregisterBrokerResponse {
            error: super::answers::OK,
        }
    }
}
