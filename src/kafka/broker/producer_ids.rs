//! Producer ids: given out from a block that the controller has allotted to this broker. [RPCProducerIdManager]

use super::BrokerTimer;
use super::channel::{ChannelKind, Purpose};
use super::requests::Asker;
use super::server::{Server, set_timer};
use crate::kafka::protocol::controller::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use crate::kafka::protocol::data::{InitProducerIdRequest, InitProducerIdResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::wire::Ctx;
use crate::sim::Span;

/// Pause before a block is asked for again. [RPCProducerIdManager.RETRY_BACKOFF_MS]
const RETRY_PAUSE: Span = Span::ms(50);

/// A block of ids.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    next: i64,
    end: i64,
    /// When so few are left, the next block is asked for.
    prefetch_below: i64,
}

/// The ids at hand.
#[derive(Clone, Debug, Default)]
pub(super) struct ProducerIds {
    current: Block,
    following: Option<Block>,
    asked: bool,
    /// A block is to be asked for.
    wanted: bool,
}

impl ProducerIds {
    /// The next id; none while a block is on its way.
    pub fn next(&mut self) -> Option<i64> {
        if self.current.next >= self.current.end {
            match self.following.take() {
                Some(block) => self.current = block,
                None => {
                    self.wanted = true;
                    return None;
                }
            }
        }
        let id = self.current.next;
        self.current.next += 1;
        if self.current.end - self.current.next <= self.current.prefetch_below && self.following.is_none() {
            self.wanted = true;
        }
        Some(id)
    }
}

impl Server {
    pub(super) fn serve_init_producer_id(&mut self, asker: Asker, request: &InitProducerIdRequest, ctx: &mut Ctx) {
        if let Some(id) = &request.transactional_id {
            return self.init_transactional(asker, id, request, ctx);
        }
        let (error, producer_id, producer_epoch) = match self.producer_ids.next() {
            Some(id) => (ErrorCode::None, id, 0),
            None => (ErrorCode::CoordinatorLoadInProgress, -1, -1),
        };
        self.ask_for_wanted_producer_ids(ctx);
        let response = InitProducerIdResponse {
            error,
            producer_id,
            producer_epoch,
        };
        self.reply(asker, Body::from(response), ctx);
    }

    /// Asks for the next block if few are left.
    pub(super) fn ask_for_wanted_producer_ids(&mut self, ctx: &mut Ctx) {
        if self.producer_ids.wanted {
            self.ask_for_producer_ids(ctx);
        }
    }

    pub(super) fn ask_for_producer_ids(&mut self, ctx: &mut Ctx) {
        self.producer_ids.wanted = false;
        if self.producer_ids.asked {
            return;
        }
        self.producer_ids.asked = true;
        let body = Body::from(AllocateProducerIdsRequest {
            broker: self.me(),
            broker_epoch: self.life.broker_epoch,
        });
        self.ask_controller(ChannelKind::Forwarding, Purpose::ProducerIds, body, ctx);
    }

    pub(super) fn producer_ids_answered(&mut self, answer: &AllocateProducerIdsResponse, ctx: &mut Ctx) {
        if answer.error != ErrorCode::None {
            self.producer_ids_failed(ctx);
            return;
        }
        self.producer_ids.asked = false;
        let len = i64::from(answer.len);
        self.producer_ids.following = Some(Block {
            next: answer.start,
            end: answer.start + len,
            prefetch_below: len / 10,
        });
    }

    pub(super) fn producer_ids_failed(&mut self, ctx: &mut Ctx) {
        self.producer_ids.asked = false;
        set_timer(ctx, RETRY_PAUSE, BrokerTimer::ProducerIdsRetry);
    }
}
