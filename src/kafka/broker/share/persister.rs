//! What leaders and group coordinators ask of share coordinators: questions by node, tried again when a coordinator moved
//! or is not there yet. [DefaultStatePersister, PersisterStateManager]

use super::state::coordinator_key;
use super::state_log::StateKind;
use crate::kafka::broker::BrokerTimer;
use crate::kafka::broker::coordinator::SHARE_STATE_TOPIC;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::{Server, set_timer};
use crate::kafka::groups::ShareWork;
use crate::kafka::protocol::data::{
    CONSUMER_REPLICA, Isolation, LATEST_TIMESTAMP, ListOffsetsPartition, ListOffsetsRequest,
};
use crate::kafka::protocol::share::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{Span, TimerId};
use std::collections::VecDeque;
use std::rc::Rc;

/// So often a question is asked. [PersisterStateManager.MAX_FIND_COORD_ATTEMPTS]
const MOST_TRIES: u32 = 5;
/// First and longest pause between them, ms. [PersisterStateManager.REQUEST_BACKOFF_MS, REQUEST_BACKOFF_MAX_MS]
const BACKOFF_MS: i64 = 1_000;
const BACKOFF_MAX_MS: i64 = 30_000;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    State(StateKind),
    /// The end of the log, of its leader.
    Latest,
}

/// One question about one share partition.
#[derive(Clone, Debug)]
pub(in crate::kafka::broker) struct Ask {
    job: u64,
    group: Rc<str>,
    partition: TopicPartition,
    what: What,
    state: ShareState,
    tries: u32,
}

/// Who wants to know.
#[derive(Clone, Debug)]
pub(in crate::kafka::broker) enum Purpose {
    /// The group coordinator.
    Work(ShareWork),
    /// A share partition is loaded; the request that was first to want it hears of failures.
    Load { serial: u64, exchange: u64 },
    /// A change of records was written.
    Written {
        serial: u64,
        number: u64,
        /// The acknowledgement that waits for it: exchange and place there.
        acknowledges: Option<(u64, TopicPartition)>,
        fates: Vec<super::Fated>,
    },
    /// An operator asks for offsets.
    Summary(Asker, Rc<DescribeShareGroupOffsetsRequest>),
    /// The same, when the starts are known.
    Lag(Asker, Rc<DescribeShareGroupOffsetsRequest>, Vec<ShareStateResult>),
}

#[derive(Clone, Debug)]
struct Job {
    purpose: Purpose,
    left: usize,
    results: Vec<ShareStateResult>,
}

/// Questions on their way.
#[derive(Clone, Debug, Default)]
pub(in crate::kafka::broker) struct Persister {
    jobs: OrderedMap<u64, Job>,
    queues: OrderedMap<NodeId, VecDeque<Ask>>,
    /// Asked again when their timer fires.
    resting: OrderedMap<u64, (Ask, TimerId)>,
    next: u64,
}

impl Persister {
    /// Nodes that there is a question for.
    pub fn waiting_for(&self) -> Vec<NodeId> {
        self.queues.keys().copied().collect()
    }

    /// The next request to a node: all questions of one kind about one group that wait together.
    pub fn take_for(&mut self, node: NodeId) -> Option<(Body, Vec<Ask>)> {
        let queue = self.queues.get_mut(&node)?;
        let first = queue.front()?;
        let (what, group) = (first.what, first.group.clone());
        let mut asks = Vec::new();
        while queue.front().is_some_and(|ask| ask.what == what && ask.group == group)
            && let Some(ask) = queue.pop_front()
        {
            asks.push(ask);
        }
        if queue.is_empty() {
            self.queues.remove(&node);
        }
        Some((request(what, group, &asks), asks))
    }

    pub fn take_all_for(&mut self, node: NodeId) -> Vec<Ask> {
        self.queues.remove(&node).into_iter().flatten().collect()
    }
}

fn request(what: What, group: Rc<str>, asks: &[Ask]) -> Body {
    let partitions = asks.iter().map(|ask| (ask.partition, ask.state.clone())).collect();
    match what {
        What::State(StateKind::Initialize) => InitializeShareGroupStateRequest { group, partitions }.into(),
        What::State(StateKind::Read) => ReadShareGroupStateRequest { group, partitions }.into(),
        What::State(StateKind::Write) => WriteShareGroupStateRequest { group, partitions }.into(),
        What::State(StateKind::Delete) => DeleteShareGroupStateRequest { group, partitions }.into(),
        What::State(StateKind::Summary) => ReadShareGroupStateSummaryRequest { group, partitions }.into(),
        What::Latest => ListOffsetsRequest {
            replica: CONSUMER_REPLICA,
            isolation: Isolation::ReadUncommitted,
            partitions: asks
                .iter()
                .map(|ask| ListOffsetsPartition {
                    partition: ask.partition,
                    current_leader_epoch: -1,
                    timestamp: LATEST_TIMESTAMP,
                })
                .collect(),
        }
        .into(),
    }
}

/// The results in an answer; an offset is told as a start.
fn results(body: &Body) -> Vec<ShareStateResult> {
    match body {
        Body::InitializeShareGroupStateResponse(r) => r.partitions.clone(),
        Body::ReadShareGroupStateResponse(r) => r.partitions.clone(),
        Body::WriteShareGroupStateResponse(r) => r.partitions.clone(),
        Body::DeleteShareGroupStateResponse(r) => r.partitions.clone(),
        Body::ReadShareGroupStateSummaryResponse(r) => r.partitions.clone(),
        Body::ListOffsetsResponse(r) => r
            .partitions
            .iter()
            .map(|listed| ShareStateResult {
                partition: listed.partition,
                error: listed.error,
                message: None,
                state: Some(ShareState {
                    start: listed.offset,
                    ..ShareState::unknown()
                }),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn may_pass(what: What, error: ErrorCode) -> bool {
    match what {
        What::State(_) => matches!(
            error,
            ErrorCode::CoordinatorNotAvailable
                | ErrorCode::CoordinatorLoadInProgress
                | ErrorCode::NotCoordinator
                | ErrorCode::UnknownTopicOrPartition
                | ErrorCode::NetworkException
        ),
        What::Latest => error.retriable(),
    }
}

impl Server {
    /// Asks about some share partitions; what comes of it goes where the purpose says.
    pub(in crate::kafka::broker) fn ask_share_state(
        &mut self,
        group: &Rc<str>,
        kind: StateKind,
        partitions: Vec<(TopicPartition, ShareState)>,
        purpose: Purpose,
        ctx: &mut Ctx,
    ) {
        self.begin_asking(group, What::State(kind), partitions, purpose, ctx);
    }

    /// Asks leaders for the ends of their logs.
    pub(in crate::kafka::broker) fn ask_latest_offsets(
        &mut self,
        group: &Rc<str>,
        partitions: &[TopicPartition],
        purpose: Purpose,
        ctx: &mut Ctx,
    ) {
        let partitions = partitions.iter().map(|partition| (*partition, ShareState::unknown()));
        self.begin_asking(group, What::Latest, partitions.collect(), purpose, ctx);
    }

    fn begin_asking(
        &mut self,
        group: &Rc<str>,
        what: What,
        partitions: Vec<(TopicPartition, ShareState)>,
        purpose: Purpose,
        ctx: &mut Ctx,
    ) {
        let persister = &mut self.share.persister;
        persister.next += 1;
        let job = persister.next;
        let left = partitions.len();
        let results = Vec::with_capacity(left);
        persister.jobs.insert(job, Job { purpose, left, results });
        for (partition, state) in partitions {
            let group = group.clone();
            let ask = Ask {
                job,
                group,
                partition,
                what,
                state,
                tries: 0,
            };
            self.route(ask, ctx);
        }
        if left == 0 {
            self.end_job(job, ctx);
        }
    }

    /// Puts a question into the queue of whoever can answer it.
    fn route(&mut self, ask: Ask, ctx: &mut Ctx) {
        let node = match ask.what {
            What::State(_) => {
                let key = coordinator_key(&ask.group, ask.partition);
                if self.image().topic_by_name(SHARE_STATE_TOPIC).is_none() {
                    self.create_internal_topic(SHARE_STATE_TOPIC, ctx);
                }
                self.coordinator_of(SHARE_STATE_TOPIC, &key, None).map(|node| node.id)
            }
            What::Latest => {
                let registration = self.image().partitions.get(&ask.partition);
                registration.map(|known| known.leader).filter(|leader| *leader >= 0)
            }
        };
        match node {
            Some(node) => {
                self.share.persister.queues.entry(node).or_default().push_back(ask);
                self.transactions.want_peers();
            }
            None => self.rest(ask, ErrorCode::CoordinatorNotAvailable, None, ctx),
        }
    }

    /// A question has no good answer: it is asked again, or that was it.
    fn rest(&mut self, mut ask: Ask, error: ErrorCode, message: Option<Rc<str>>, ctx: &mut Ctx) {
        ask.tries += 1;
        if ask.tries >= MOST_TRIES || !may_pass(ask.what, error) {
            let result = ShareWork::failed(ask.partition, error, message);
            return self.take_result(ask.job, result, ctx);
        }
        let pause = (BACKOFF_MS << ask.tries).min(BACKOFF_MAX_MS);
        let pause = Span::us(self.random.jitter20(Span::from_ms(pause).as_us()));
        let persister = &mut self.share.persister;
        persister.next += 1;
        let token = persister.next;
        let timer = set_timer(ctx, pause, BrokerTimer::ShareStateRetry(token));
        persister.resting.insert(token, (ask, timer));
    }

    pub(in crate::kafka::broker) fn share_ask_again(&mut self, token: u64, ctx: &mut Ctx) {
        if let Some((ask, _)) = self.share.persister.resting.remove(&token) {
            self.route(ask, ctx);
        }
    }

    /// A connection broke before there was an answer.
    pub(in crate::kafka::broker) fn share_asks_lost(&mut self, asks: Vec<Ask>, ctx: &mut Ctx) {
        for ask in asks {
            self.rest(ask, ErrorCode::NetworkException, None, ctx);
        }
    }

    /// An answer came.
    pub(in crate::kafka::broker) fn share_asks_answered(&mut self, asks: Vec<Ask>, body: &Body, ctx: &mut Ctx) {
        let answers = results(body);
        for ask in asks {
            let found = answers.iter().find(|result| result.partition == ask.partition);
            match found {
                Some(result) if !result.error.is_error() => self.take_result(ask.job, result.clone(), ctx),
                Some(result) => self.rest(ask, result.error, result.message.clone(), ctx),
                None => self.rest(ask, ErrorCode::UnknownServerError, None, ctx),
            }
        }
    }

    fn take_result(&mut self, job: u64, result: ShareStateResult, ctx: &mut Ctx) {
        let Some(open) = self.share.persister.jobs.get_mut(&job) else {
            return;
        };
        open.results.push(result);
        open.left -= 1;
        if open.left == 0 {
            self.end_job(job, ctx);
        }
    }

    fn end_job(&mut self, job: u64, ctx: &mut Ctx) {
        let Some(Job { purpose, results, .. }) = self.share.persister.jobs.remove(&job) else {
            return;
        };
        match purpose {
            Purpose::Work(work) => self.share_work_done(work, &results, ctx),
            Purpose::Load { serial, exchange } => {
                if let Some(result) = results.into_iter().next() {
                    self.share_loaded(serial, exchange, result, ctx);
                }
            }
            Purpose::Written {
                serial,
                number,
                acknowledges,
                fates,
            } => {
                if let Some(result) = results.into_iter().next() {
                    self.share_written(serial, number, acknowledges, &fates, &result, ctx);
                }
            }
            Purpose::Summary(asker, request) => self.share_starts_known(asker, request, results, ctx),
            Purpose::Lag(asker, request, starts) => self.share_ends_known(asker, &request, &starts, &results, ctx),
        }
    }

    /// A task of the group coordinator begins.
    pub(in crate::kafka::broker) fn begin_share_work(&mut self, work: ShareWork, ctx: &mut Ctx) {
        let bare = |partitions: &[TopicPartition]| {
            let each = partitions.iter().map(|partition| (*partition, ShareState::unknown()));
            each.collect()
        };
        let (kind, partitions) = match &work {
            ShareWork::Initialize { partitions, .. } | ShareWork::Alter { partitions, .. } => {
                (StateKind::Initialize, partitions.clone())
            }
            ShareWork::DeleteGroup { partitions, .. } | ShareWork::DeleteOffsets { partitions, .. } => {
                (StateKind::Delete, bare(partitions))
            }
        };
        let group = work.group().clone();
        self.ask_share_state(&group, kind, partitions, Purpose::Work(work), ctx);
    }
}
