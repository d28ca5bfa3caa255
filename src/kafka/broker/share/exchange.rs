//! A member's request until its answer is whole: what was fetched, and what became of the acknowledgements.
//! [KafkaApis.handleShareFetchRequest, combineShareFetchAndShareAcknowledgeResponses]

use super::sessions::SessionKey;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::Server;
use crate::kafka::protocol::share::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// A request that is being served.
#[derive(Clone, Debug)]
pub(in crate::kafka::broker) struct Exchange {
    asker: Asker,
    pub(super) session: SessionKey,
    session_epoch: i32,
    /// ShareFetch; otherwise ShareAcknowledge.
    fetches: bool,
    fetched: Option<Vec<ShareFetchedPartition>>,
    /// Partitions that can't be fetched.
    errors: OrderedMap<TopicPartition, (ErrorCode, Message)>,
    acknowledged: OrderedMap<TopicPartition, (ErrorCode, Message)>,
    /// Acknowledgements that are being written.
    writing: usize,
}

impl Exchange {
    /// A request of a member whose session is at this epoch.
    pub(super) fn new(asker: Asker, session: SessionKey, session_epoch: i32, fetches: bool) -> Exchange {
        Exchange {
            asker,
            session,
            session_epoch,
            fetches,
            fetched: (!fetches).then(Vec::new),
            errors: OrderedMap::new(),
            acknowledged: OrderedMap::new(),
            writing: 0,
        }
    }

    /// A partition can't be fetched.
    pub(super) fn fail(&mut self, partition: TopicPartition, error: ErrorCode, message: Message) {
        self.errors.insert(partition, (error, message));
    }

    pub(super) fn has_failed(&self, partition: TopicPartition) -> bool {
        self.errors.contains_key(&partition)
    }

    pub(super) fn failed(&self) -> usize {
        self.errors.len()
    }

    /// What became of the acknowledgements of a partition.
    pub(super) fn acknowledge(&mut self, partition: TopicPartition, error: ErrorCode, message: Message) {
        self.acknowledged.insert(partition, (error, message));
    }

    /// The acknowledgements of a partition have to be written first.
    pub(super) fn wait_for_write(&mut self) {
        self.writing += 1;
    }
}

impl Server {
    /// What is to be fetched is there, or nothing is.
    pub(super) fn share_fetched(&mut self, exchange: u64, fetched: Vec<ShareFetchedPartition>, ctx: &mut Ctx) {
        if let Some(exchange) = self.share.exchanges.get_mut(&exchange) {
            exchange.fetched = Some(fetched);
        }
        self.finish_exchange(exchange, ctx);
    }

    /// Acknowledgements that waited for their write are through, or not.
    pub(super) fn share_acknowledged(
        &mut self,
        exchange: u64,
        partition: TopicPartition,
        error: ErrorCode,
        message: Message,
        ctx: &mut Ctx,
    ) {
        if let Some(exchange) = self.share.exchanges.get_mut(&exchange) {
            exchange.writing -= 1;
            exchange.acknowledge(partition, error, message);
        }
        self.finish_exchange(exchange, ctx);
    }

    /// Answers if everything is there; a last request ends its session.
    pub(super) fn finish_exchange(&mut self, number: u64, ctx: &mut Ctx) {
        let whole = |exchange: &Exchange| exchange.fetched.is_some() && exchange.writing == 0;
        if !self.share.exchanges.get(&number).is_some_and(whole) {
            return;
        }
        let Some(exchange) = self.share.exchanges.remove(&number) else {
            return;
        };
        let lock_timeout_ms = self.share_settings(&exchange.session.0).lock_ms;
        let asker = exchange.asker;
        if exchange.session_epoch == CLOSE_SESSION {
            self.end_share_session(&exchange.session, false, ctx);
        }
        let body = match exchange.fetches {
            true => self.fetch_answer(exchange, lock_timeout_ms, ctx),
            false => self.acknowledge_answer(exchange, lock_timeout_ms, ctx),
        };
        self.reply(asker, body, ctx);
    }

    fn fetch_answer(&self, exchange: Exchange, lock_timeout_ms: i64, ctx: &Ctx) -> Body {
        let mut partitions = exchange.fetched.unwrap_or_default();
        for (partition, (error, _)) in exchange.errors {
            let mut failed = ShareFetchedPartition::empty(partition, error, None);
            if matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch) {
                failed.current_leader = self.current_leader(partition);
            }
            partitions.push(failed);
        }
        for (partition, (error, message)) in exchange.acknowledged {
            let at = partitions.iter().position(|fetched| fetched.partition == partition);
            let at = at.unwrap_or_else(|| {
                partitions.push(ShareFetchedPartition::empty(partition, ErrorCode::None, None));
                partitions.len() - 1
            });
            partitions[at].acknowledge_error = error;
            partitions[at].acknowledge_message = message;
        }
        let listener = self.listener_of(exchange.asker, ctx);
        let node_endpoints = self.endpoints(partitions.iter().map(|p| p.current_leader), listener);
        ShareFetchResponse {
            error: ErrorCode::None,
            message: None,
            lock_timeout_ms,
            partitions,
            node_endpoints,
        }
        .into()
    }

    fn acknowledge_answer(&self, exchange: Exchange, lock_timeout_ms: i64, ctx: &Ctx) -> Body {
        let one = |(partition, (error, message)): (TopicPartition, (ErrorCode, Message))| {
            let moved = matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch);
            ShareAcknowledgedPartition {
                partition,
                error,
                message,
                current_leader: if moved { self.current_leader(partition) } else { None },
            }
        };
        let partitions: Vec<_> = exchange.acknowledged.into_iter().map(one).collect();
        let listener = self.listener_of(exchange.asker, ctx);
        let node_endpoints = self.endpoints(partitions.iter().map(|p| p.current_leader), listener);
        ShareAcknowledgeResponse {
            error: ErrorCode::None,
            message: None,
            lock_timeout_ms,
            partitions,
            node_endpoints,
        }
        .into()
    }
}

/// A ShareFetch that is refused as a whole.
pub(super) fn fetch_refused(error: ErrorCode, message: Option<&str>) -> Body {
    ShareFetchResponse {
        error,
        message: Some(Rc::from(message.unwrap_or(error.message()))),
        lock_timeout_ms: 0,
        partitions: Vec::new(),
        node_endpoints: Vec::new(),
    }
    .into()
}
