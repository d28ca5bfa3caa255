//! ShareAcknowledge, and the acknowledgements that a ShareFetch brings along.
//! [KafkaApis.handleShareAcknowledgeRequest, validateAcknowledgementBatches, SharePartitionManager.acknowledge]

use super::Fated;
use super::exchange::Exchange;
use super::manager::fences;
use super::note::ShareNote;
use super::partition::Acquired;
use super::state::ShareKey;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::Server;
use crate::kafka::note::{Note, ShareFate};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::*;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

/// Longest member id. [KafkaApis.isMemberIdValid]
const LONGEST_MEMBER_ID: usize = 36;

pub(super) fn is_member_id(id: &str) -> bool {
    (1..=LONGEST_MEMBER_ID).contains(&id.encode_utf16().count())
}

/// Are the batches in order, each with a type for all of its records or one for each?
fn is_valid(batches: &[AcknowledgeBatch], renews: bool) -> bool {
    let mut previous = -1;
    batches.iter().all(|batch| {
        let count = batch.last - batch.first + 1;
        let renewal = batch.types.contains(&Acknowledge::Renew);
        let fits = batch.types.len() == 1 || i64::try_from(batch.types.len()).is_ok_and(|types| types == count);
        let valid = count > 0 && batch.first >= previous && fits && (renews || !renewal);
        previous = batch.last;
        valid
    })
}

impl Server {
    pub(in crate::kafka::broker) fn serve_share_acknowledge(
        &mut self,
        asker: Asker,
        request: &ShareAcknowledgeRequest,
        ctx: &mut Ctx,
    ) {
        let checked = match is_member_id(&request.member_id) {
            false => Err((ErrorCode::InvalidRequest, "Invalid member id in the request.")),
            true => {
                let entered = self.check_share_session(&request.group, &request.member_id, request.session_epoch);
                entered.map_err(|error| (error, error.message()))
            }
        };
        if let Err((error, message)) = checked {
            let body = ShareAcknowledgeResponse {
                error,
                message: Some(message.into()),
                lock_timeout_ms: 0,
                partitions: Vec::new(),
                node_endpoints: Vec::new(),
            };
            return self.reply(asker, body.into(), ctx);
        }
        let session = (request.group.clone(), request.member_id.clone());
        let exchange = self.share.number();
        let open = Exchange::new(asker, session, request.session_epoch, false);
        self.share.exchanges.insert(exchange, open);
        self.acknowledge_shares(exchange, &request.partitions, request.renew, ctx);
        self.finish_exchange(exchange, ctx);
    }

    /// Acknowledgements of a member, partition by partition.
    pub(super) fn acknowledge_shares(
        &mut self,
        exchange: u64,
        partitions: &[ShareFetchPartition],
        renews: bool,
        ctx: &mut Ctx,
    ) {
        let Some((group, member)) = self.share.exchanges.get(&exchange).map(|open| open.session.clone()) else {
            return;
        };
        for asked in partitions.iter().filter(|asked| !asked.acknowledgements.is_empty()) {
            let (partition, batches) = (asked.partition, &asked.acknowledgements);
            let key = (group.clone(), partition);
            let known = self.image().partitions.contains_key(&partition);
            let result = match (is_valid(batches, renews), known) {
                (false, _) => Err((ErrorCode::InvalidRequest, None)),
                (true, false) => Err((ErrorCode::UnknownTopicOrPartition, None)),
                (true, true) => self.acknowledge_share(exchange, &key, &member, batches, ctx),
            };
            let Some(open) = self.share.exchanges.get_mut(&exchange) else {
                return;
            };
            match result {
                Ok(true) => open.wait_for_write(),
                Ok(false) => open.acknowledge(partition, ErrorCode::None, None),
                Err((error, message)) => {
                    open.acknowledge(partition, error, message);
                    ctx.note(Note::Share(ShareNote::Refused {
                        group: group.clone(),
                        member: member.clone(),
                        partition,
                        error,
                    }));
                }
            }
        }
    }

    /// True: what it changes has to be written first.
    fn acknowledge_share(
        &mut self,
        exchange: u64,
        key: &ShareKey,
        member: &Rc<str>,
        batches: &[AcknowledgeBatch],
        ctx: &mut Ctx,
    ) -> Result<bool, (ErrorCode, Message)> {
        let settings = self.share_settings(&key.0);
        let unknown = ErrorCode::UnknownTopicOrPartition;
        let acknowledged = self.with_share(key, |records| {
            records.limits = settings.limits;
            records.acknowledge(member, batches)
        });
        let (write, renewed) = match acknowledged {
            None => return Err((unknown, Some(unknown.message().into()))),
            Some(Err(refusal)) => {
                if fences(refusal.error) {
                    self.forget_share(key, ctx);
                }
                return Err((refusal.error, Some(refusal.message.into())));
            }
            Some(Ok(done)) => done,
        };
        self.note_renewed(key, member, &renewed, ctx);
        self.lock_records(key, &renewed, settings.lock_ms, ctx);
        let waits = write.is_some();
        if let Some(write) = write {
            let fates = fates(batches, &write.batches);
            self.note_states(key, member, &write.batches, &fates, settings.limits.deliveries, ctx);
            self.write_share(key, write, Some((exchange, key.1)), fates, ctx);
        }
        self.check_delayed(key.1, ctx);
        Ok(waits)
    }

    fn note_renewed(&self, key: &ShareKey, member: &Rc<str>, renewed: &[Acquired], ctx: &mut Ctx) {
        for range in renewed {
            ctx.note(Note::Share(ShareNote::Renewed {
                group: key.0.clone(),
                member: member.clone(),
                partition: key.1,
                first: range.first,
                last: range.last,
            }));
        }
    }

    fn note_states(
        &self,
        key: &ShareKey,
        member: &Rc<str>,
        states: &[StateBatch],
        fates: &[Fated],
        limit: u16,
        ctx: &mut Ctx,
    ) {
        for batch in states.iter().filter(|batch| batch.state == RecordState::Available) {
            ctx.note(Note::Share(ShareNote::Released {
                group: key.0.clone(),
                member: member.clone(),
                partition: key.1,
                first: batch.first,
                last: batch.last,
            }));
        }
        for (first, last, fate) in fates {
            ctx.note(Note::Share(ShareNote::Finished {
                group: key.0.clone(),
                partition: key.1,
                first: *first,
                last: *last,
                fate: *fate,
                limit,
            }));
        }
    }
}

/// What a member said of one record.
fn said(batches: &[AcknowledgeBatch], offset: i64) -> Acknowledge {
    let batch = batches
        .iter()
        .find(|batch| (batch.first..=batch.last).contains(&offset));
    let kind = batch.and_then(|batch| match batch.types.len() {
        1 => batch.types.first().copied(),
        _ => batch
            .types
            .get(usize::try_from(offset - batch.first).unwrap_or(0))
            .copied(),
    });
    kind.unwrap_or(Acknowledge::Accept)
}

/// Which records are finished by it, and how.
fn fates(batches: &[AcknowledgeBatch], states: &[StateBatch]) -> Vec<Fated> {
    let mut all: Vec<Fated> = Vec::new();
    for state in states.iter().filter(|state| state.state.is_terminal()) {
        for offset in state.first..=state.last {
            let fate = match (state.state, said(batches, offset)) {
                (RecordState::Acknowledged, _) => ShareFate::Accepted,
                (_, Acknowledge::Release) => ShareFate::DeliveryLimit,
                (_, Acknowledge::Gap) => ShareFate::Gap,
                _ => ShareFate::Rejected,
            };
            match all.last_mut() {
                Some((_, last, known)) if *last + 1 == offset && *known == fate => *last = offset,
                _ => all.push((offset, offset, fate)),
            }
        }
    }
    all
}
