//! Connections of clients and other brokers: one request at a time on each, the next one when it is answered.
//! [SocketServer, KafkaApis.handle]

use super::metrics::RequestKind;
use super::note::BrokerNote;
use super::server::Server;
use super::slow_disk::Write;
use crate::kafka::note::Note;
use crate::kafka::protocol::data::{ApiVersionsResponse, CONSUMER_REPLICA, Foreign};
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// Feature that tells clients which protocol of transactions holds.
const TRANSACTION_VERSION: &str = "transaction.version";

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asker {
    pub conn: ConnId,
    pub correlation: u32,
}

/// A request at work: its number, its kind, and since when.
#[derive(Clone, Copy, Debug)]
struct Busy {
    correlation: u32,
    kind: RequestKind,
    since: Time,
}

impl Busy {
    fn with(msg: &Msg, ctx: &Ctx) -> Busy {
        let kind = match &msg.body {
            Body::FetchRequest(request) if request.replica != CONSUMER_REPLICA => RequestKind::FetchFollower,
            body => RequestKind::Tag(body.tag()),
        };
        Busy {
            correlation: msg.correlation,
            kind,
            since: ctx.now(),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Client {
    /// The request that is worked on.
    busy: Option<Busy>,
    /// What came in behind it.
    waiting: VecDeque<Msg>,
}

/// All accepted connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    connections: OrderedMap<ConnId, Client>,
    /// Free again, with requests waiting.
    ready: VecDeque<ConnId>,
}

impl Clients {
    pub fn accept(&mut self, conn: ConnId) {
        self.connections.insert(conn, Client::default());
    }

    /// Connections that stand.
    pub fn count(&self) -> usize {
        self.connections.len()
    }

    pub fn remove(&mut self, conn: ConnId) {
        self.connections.remove(&conn);
    }
}

impl Server {
    pub(super) fn request_arrived(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        let Some(client) = self.clients.connections.get_mut(&conn) else {
            return;
        };
        if client.busy.is_some() {
            client.waiting.push_back(msg);
            return;
        }
        client.busy = Some(Busy::with(&msg, ctx));
        self.serve(conn, msg, ctx);
    }

    /// Takes up the next requests of connections that are free again.
    pub(super) fn serve_ready(&mut self, ctx: &mut Ctx) {
        while let Some(conn) = self.clients.ready.pop_front() {
            let Some(client) = self.clients.connections.get_mut(&conn) else {
                continue;
            };
            if client.busy.is_some() {
                continue;
            }
            if let Some(msg) = client.waiting.pop_front() {
                client.busy = Some(Busy::with(&msg, ctx));
                self.serve(conn, msg, ctx);
            }
        }
    }

    /// Answers a request; nothing happens if its connection is gone.
    pub(super) fn reply(&mut self, asker: Asker, body: Body, ctx: &mut Ctx) {
        if self.release(asker, ctx) {
            ctx.send(
                asker.conn,
                Msg {
                    correlation: asker.correlation,
                    client: self.nobody.clone(),
                    body,
                },
            );
        }
    }

    /// The request is done with, answered or not. Whether its connection still stands.
    pub(super) fn release(&mut self, asker: Asker, ctx: &Ctx) -> bool {
        let Some(client) = self.clients.connections.get_mut(&asker.conn) else {
            return false;
        };
        let Some(busy) = client.busy.filter(|busy| busy.correlation == asker.correlation) else {
            return false;
        };
        client.busy = None;
        let took = ctx.now().since(busy.since);
        self.metrics.counters().request_done(busy.kind, took, ctx.now());
        if !client.waiting.is_empty() {
            self.clients.ready.push_back(asker.conn);
        }
        true
    }

    /// The listener that somebody came in by; `None` if there is only one.
    pub(super) fn listener_of(&self, asker: Asker, ctx: &Ctx) -> Option<&Rc<str>> {
        let listeners = &self.setup.listeners;
        if listeners.advertised.is_empty() {
            return None;
        }
        listeners.at(ctx.port(asker.conn)?)
    }

    /// Somebody speaks another protocol: the first bytes say a size beyond `socket.request.max.bytes`. [NetworkReceive]
    pub(super) fn refuse_foreign(&mut self, conn: ConnId, foreign: &Foreign, ctx: &mut Ctx) {
        let max = self.setup.config.socket_request_max_bytes;
        if i64::from(foreign.size) > max {
            ctx.note(Note::Broker(BrokerNote::InvalidReceive {
                size: foreign.size,
                max,
            }));
        }
        self.drop_client(conn, ctx);
    }

    /// Closes a client's connection from this side.
    pub(super) fn drop_client(&mut self, conn: ConnId, ctx: &mut Ctx) {
        self.clients.remove(conn);
        ctx.close(conn);
    }

    fn serve(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        if !matches!(msg.body, Body::ProduceRequest(_)) {
            return self.serve_now(conn, msg, ctx);
        }
        if let Some(Write::Produce(conn, msg)) = self.wait_for_disk(Write::Produce(conn, msg), ctx) {
            self.serve_now(conn, msg, ctx);
        }
    }

    /// Serves a request whose turn it is.
    pub(super) fn serve_now(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        let asker = Asker {
            conn,
            correlation: msg.correlation,
        };
        match &msg.body {
            Body::ProduceRequest(r) if r.data.iter().any(|(_, batch)| batch.transactional) => {
                self.verify_produce(asker, &msg.client, r, ctx);
            }
            Body::ProduceRequest(r) => self.serve_produce(asker, &msg.client, r, ctx),
            Body::FetchRequest(r) => self.serve_fetch(asker, Rc::clone(r), ctx),
            Body::ApiVersionsRequest(_) => {
                let features = &self.image().features;
                let response = ApiVersionsResponse {
                    transaction_version: features.get(TRANSACTION_VERSION).copied().unwrap_or(0),
                    finalized_features: features.iter().map(|(name, level)| ((*name).into(), *level)).collect(),
                    of_controller: false,
                };
                self.reply(asker, Body::from(response), ctx);
            }
            Body::MetadataRequest(r) => self.serve_metadata(asker, r, ctx),
            Body::InitProducerIdRequest(r) => self.serve_init_producer_id(asker, r, ctx),
            Body::ListOffsetsRequest(r) => self.serve_list_offsets(asker, r, ctx),
            Body::OffsetsForLeaderEpochRequest(r) => self.serve_epoch_ends(asker, r, ctx),
            Body::DeleteRecordsRequest(r) => self.serve_delete_records(asker, r, ctx),
            Body::DescribeConfigsRequest(r) => self.serve_describe_configs(asker, r, ctx),
            Body::DescribeClusterRequest(r) => self.serve_describe_cluster(asker, r, ctx),
            Body::DescribeTopicPartitionsRequest(r) => self.serve_describe_topics(asker, r, ctx),
            Body::DescribeProducersRequest(r) => self.serve_describe_producers(asker, r, ctx),
            Body::DescribeLogDirsRequest(_) => self.serve_describe_log_dirs(asker, ctx),
            Body::FindCoordinatorRequest(r) => self.serve_find_coordinator(asker, r, ctx),
            Body::AddPartitionsToTxnRequest(r) => self.serve_add_partitions(asker, r, ctx),
            Body::AddOffsetsToTxnRequest(r) => self.serve_add_offsets(asker, r, ctx),
            Body::EndTxnRequest(r) => self.serve_end_txn(asker, r, ctx),
            Body::WriteTxnMarkersRequest(r) => self.serve_write_markers(asker, r, ctx),
            Body::TxnOffsetCommitRequest(r) => self.serve_txn_offsets(asker, r, &msg, ctx),
            Body::ListTransactionsRequest(_) => self.serve_list_transactions(asker, ctx),
            Body::DescribeTransactionsRequest(r) => self.serve_describe_transactions(asker, r, ctx),
            Body::ShareFetchRequest(r) => self.serve_share_fetch(asker, r, ctx),
            Body::ShareAcknowledgeRequest(r) => self.serve_share_acknowledge(asker, r, ctx),
            Body::InitializeShareGroupStateRequest(_)
            | Body::ReadShareGroupStateRequest(_)
            | Body::WriteShareGroupStateRequest(_)
            | Body::DeleteShareGroupStateRequest(_)
            | Body::ReadShareGroupStateSummaryRequest(_) => self.serve_share_state(asker, &msg.body, ctx),
            Body::DescribeShareGroupOffsetsRequest(r) => self.describe_share_offsets(asker, r, ctx),
            Body::CreateTopicsRequest(_)
            | Body::DeleteTopicsRequest(_)
            | Body::CreatePartitionsRequest(_)
            | Body::IncrementalAlterConfigsRequest(_)
            | Body::ElectLeadersRequest(_)
            | Body::AlterPartitionReassignmentsRequest(_)
            | Body::ListPartitionReassignmentsRequest(_)
            | Body::UnregisterBrokerRequest(_)
            | Body::DescribeQuorumRequest(_) => self.forward(asker, &msg.client, msg.body.clone(), ctx),
            _ if self.serve_group_request(asker, &msg, ctx) => {}
            // A broker closes the connection of whoever asks for what it does not know.
            _ => self.drop_client(conn, ctx),
        }
    }
}
