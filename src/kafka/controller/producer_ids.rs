//! Blocks of producer ids for brokers. [ProducerIdControlManager]

use super::answers::producer_ids_error;
use super::note::{ControllerNote, Why};
use super::process::Controller;
use crate::kafka::metadata::records::MetadataRecord;
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::wire::Ctx;

/// Ids in a block. [ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE]
pub const BLOCK: i32 = 1_000;

impl Controller {
    pub(super) fn allocate_producer_ids(
        &mut self,
        request: &AllocateProducerIdsRequest,
        ctx: &mut Ctx,
    ) -> AllocateProducerIdsResponse {
        let broker = request.broker;
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch, ctx) {
            return producer_ids_error(error);
        }
        let start = self.image.next_producer_id;
        let Some(next) = start.checked_add(i64::from(BLOCK)) else {
            return producer_ids_error(ErrorCode::UnknownServerError);
        };
        self.commit(vec![MetadataRecord::ProducerIds { next }], Why::ProducerIds, ctx);
        ctx.note(Note::Controller(ControllerNote::ProducerIds { broker, start }));
        AllocateProducerIdsResponse {
            error: ErrorCode::None,
            start,
            len: BLOCK,
        }
    }
}
