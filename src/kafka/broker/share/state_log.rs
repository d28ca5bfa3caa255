//! The share coordinator in its broker: its requests, its appends to `__share_group_state`, and who waits for the high
//! watermark. [ShareCoordinatorService, CoordinatorRuntime]

use super::note::ShareNote;
use super::state::{Refused, ShareKey, StateRecord, StateShard, coordinator_key, decode, encode};
use crate::kafka::broker::BrokerTimer;
use crate::kafka::broker::coordinator::SHARE_STATE_TOPIC;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::{Server, set_timer};
use crate::kafka::hash::coordinator_partition;
use crate::kafka::log::append::LeaderAppend;
use crate::kafka::log::batch::{BatchBuilder, no_headers};
use crate::kafka::log::files::LogFiles;
use crate::kafka::metadata::image::TopicImage;
use crate::kafka::note::Note;
use crate::kafka::protocol::share::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{Span, TimerId};
use std::collections::VecDeque;
use std::rc::Rc;

/// One partition of `__share_group_state` that this broker leads.
#[derive(Clone, Debug)]
struct Led {
    epoch: i32,
    shard: Rc<StateShard>,
    /// Behind the last record that it wrote or read.
    written: i64,
    committed: i64,
    /// Who waits for the high watermark to be here: request, and place in its results.
    parked: VecDeque<(i64, u64, usize)>,
}

/// A request whose results are not all there.
#[derive(Clone, Debug)]
struct Waiting {
    asker: Asker,
    kind: StateKind,
    results: Vec<ShareStateResult>,
    left: usize,
    timer: TimerId,
}

/// Which of the coordinator's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kafka::broker) enum StateKind {
    Initialize,
    Read,
    Write,
    Delete,
    Summary,
}

/// A broker's share coordinator.
#[derive(Clone, Debug, Default)]
pub(in crate::kafka::broker) struct StateLog {
    led: OrderedMap<i32, Led>,
    waiting: OrderedMap<u64, Waiting>,
    next: u64,
}

type Asked = (StateKind, Rc<str>, Vec<(TopicPartition, ShareState)>);

fn asked(body: &Body) -> Option<Asked> {
    Some(match body {
        Body::InitializeShareGroupStateRequest(r) => (StateKind::Initialize, r.group.clone(), r.partitions.clone()),
        Body::ReadShareGroupStateRequest(r) => (StateKind::Read, r.group.clone(), r.partitions.clone()),
        Body::WriteShareGroupStateRequest(r) => (StateKind::Write, r.group.clone(), r.partitions.clone()),
        Body::DeleteShareGroupStateRequest(r) => (StateKind::Delete, r.group.clone(), r.partitions.clone()),
        Body::ReadShareGroupStateSummaryRequest(r) => (StateKind::Summary, r.group.clone(), r.partitions.clone()),
        _ => return None,
    })
}

fn answer(kind: StateKind, partitions: Vec<ShareStateResult>) -> Body {
    match kind {
        StateKind::Initialize => InitializeShareGroupStateResponse { partitions }.into(),
        StateKind::Read => ReadShareGroupStateResponse { partitions }.into(),
        StateKind::Write => WriteShareGroupStateResponse { partitions }.into(),
        StateKind::Delete => DeleteShareGroupStateResponse { partitions }.into(),
        StateKind::Summary => ReadShareGroupStateSummaryResponse { partitions }.into(),
    }
}

/// The error of an append or of a wait, as whoever asks is told it. [CoordinatorOperationExceptionHelper]
fn of_write(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::NotEnoughReplicas | ErrorCode::RequestTimedOut => {
            ErrorCode::CoordinatorNotAvailable
        }
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => ErrorCode::UnknownServerError,
        other => other,
    }
}

impl Server {
    /// This broker leads a partition of `__share_group_state` in a new epoch: the state is read from its log.
    pub(in crate::kafka::broker) fn load_share_state(
        &mut self,
        partition: i32,
        epoch: i32,
        (files, start): (&LogFiles, i64),
        (end, high_watermark): (i64, i64),
        ctx: &mut Ctx,
    ) {
        if self
            .share
            .states
            .led
            .get(&partition)
            .is_some_and(|led| led.epoch >= epoch)
        {
            return;
        }
        self.unload_share_state(partition, ctx);
        let mut shard = StateShard::default();
        let batches = files
            .batches()
            .filter(|batch| batch.last_offset >= start && batch.control.is_none());
        for (_, record) in batches.flat_map(|batch| batch.iter()) {
            let key = record.key.as_deref();
            if let Some((key, entry)) = key.and_then(|key| decode(key, record.value.as_deref())) {
                shard.replay(&key, &entry);
            }
        }
        ctx.note(Note::Share(ShareNote::StateLoaded {
            partition,
            epoch,
            share_partitions: shard.len(),
        }));
        let led = Led {
            epoch,
            shard: Rc::new(shard),
            written: end,
            committed: high_watermark.min(end),
            parked: VecDeque::new(),
        };
        self.share.states.led.insert(partition, led);
    }

    /// This broker does not lead the partition any more: whoever waits is told so.
    pub(in crate::kafka::broker) fn unload_share_state(&mut self, partition: i32, ctx: &mut Ctx) {
        let Some(led) = self.share.states.led.remove(&partition) else {
            return;
        };
        for (_, token, at) in led.parked {
            self.state_done(token, at, Some(ErrorCode::NotCoordinator), ctx);
        }
    }

    /// The high watermark of a partition of `__share_group_state` is here.
    pub(in crate::kafka::broker) fn share_state_committed(&mut self, partition: i32, to: i64, ctx: &mut Ctx) {
        let Some(led) = self.share.states.led.get_mut(&partition) else {
            return;
        };
        led.committed = led.committed.max(to.min(led.written));
        let mut ready = Vec::new();
        while led.parked.front().is_some_and(|(offset, ..)| *offset <= to)
            && let Some((_, token, at)) = led.parked.pop_front()
        {
            ready.push((token, at));
        }
        for (token, at) in ready {
            self.state_done(token, at, None, ctx);
        }
    }

    /// Topics were deleted: their share partitions are forgotten.
    pub(in crate::kafka::broker) fn share_state_topics_deleted(&mut self, topics: &[TopicImage], ctx: &mut Ctx) {
        let gone = topics.iter().map(|topic| topic.id).collect();
        let led: Vec<(i32, Vec<ShareKey>)> = self
            .share
            .states
            .led
            .iter()
            .map(|(partition, led)| (*partition, led.shard.of_topics(&gone)))
            .collect();
        for (partition, keys) in led {
            for key in keys {
                // What can't be written now is written with the next deletion of a topic.
                let _ = self.append_share_state(partition, &key, &StateRecord::Tombstone, ctx);
            }
        }
    }

    /// A request to the share coordinator; each of its partitions may live in another partition of the topic.
    pub(in crate::kafka::broker) fn serve_share_state(&mut self, asker: Asker, body: &Body, ctx: &mut Ctx) {
        let Some((kind, group, partitions)) = asked(body) else {
            return;
        };
        if partitions.is_empty() || group.is_empty() {
            return self.reply(asker, answer(kind, Vec::new()), ctx);
        }
        let states = &mut self.share.states;
        states.next += 1;
        let token = states.next;
        let limit = Span::from_ms(self.setup.config.share_coordinator_write_timeout_ms);
        let timer = set_timer(ctx, limit, BrokerTimer::ShareStateTimeout(token));
        let result = |partition: &TopicPartition| ShareStateResult {
            partition: *partition,
            error: ErrorCode::None,
            message: None,
            state: None,
        };
        let waiting = Waiting {
            asker,
            kind,
            results: partitions.iter().map(|(partition, _)| result(partition)).collect(),
            left: partitions.len(),
            timer,
        };
        states.waiting.insert(token, waiting);
        let place = |server: &Server, partition| {
            let topic = server.image().topic_by_name(SHARE_STATE_TOPIC);
            let count = topic.map_or(
                server.setup.config.share_coordinator_state_topic_num_partitions,
                |topic| topic.partitions,
            );
            coordinator_partition(&coordinator_key(&group, partition), count)
        };
        for (at, (partition, state)) in partitions.iter().enumerate() {
            let home = place(self, *partition);
            let key = (group.clone(), *partition);
            if let Err((error, message)) = self.state_operation(home, kind, &key, state, (token, at), ctx) {
                if let Some(waiting) = self.share.states.waiting.get_mut(&token) {
                    waiting.results[at].message = Some(message);
                }
                self.state_done(token, at, Some(error), ctx);
            }
        }
    }

    /// One partition of a request: what it writes is appended, and its result waits for the high watermark.
    fn state_operation(
        &mut self,
        home: i32,
        kind: StateKind,
        key: &ShareKey,
        asked: &ShareState,
        (token, at): (u64, usize),
        ctx: &mut Ctx,
    ) -> Result<(), Refused> {
        let simple = |error: ErrorCode| (error, Rc::from(error.message()));
        let Some(led) = self.share.states.led.get(&home) else {
            return Err(simple(ErrorCode::NotCoordinator));
        };
        let shard = led.shard.clone();
        let exists = self.image().partitions.contains_key(&key.1);
        let after = self.setup.config.share_coordinator_snapshot_update_records_per_snapshot;
        let unknown = || simple(ErrorCode::UnknownTopicOrPartition);
        let (state, record) = match kind {
            StateKind::Write => (None, Some(shard.write(key, asked, after)?)),
            StateKind::Initialize => (None, Some(shard.initialize(key, asked)?)),
            StateKind::Delete => (None, shard.delete(key)),
            StateKind::Summary => (Some(shard.summary(key)), None),
            StateKind::Read => {
                let (state, news) = shard.read(key, asked.leader_epoch, after)?;
                (Some(state), news)
            }
        };
        if !exists {
            return Err(unknown());
        }
        if let Some(record) = record {
            let appended = self.append_share_state(home, key, &record, ctx);
            appended.map_err(|error| simple(of_write(error)))?;
        }
        if let Some(waiting) = self.share.states.waiting.get_mut(&token) {
            waiting.results[at].state = state;
        }
        let Some(led) = self.share.states.led.get_mut(&home) else {
            return Err(simple(ErrorCode::NotCoordinator));
        };
        match led.committed >= led.written {
            true => self.state_done(token, at, None, ctx),
            false => led.parked.push_back((led.written, token, at)),
        }
        Ok(())
    }

    fn append_share_state(
        &mut self,
        partition: i32,
        key: &ShareKey,
        record: &StateRecord,
        ctx: &mut Ctx,
    ) -> Result<(), ErrorCode> {
        let topic = self.image().ids.get(SHARE_STATE_TOPIC).copied();
        let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let place = TopicPartition::new(topic, partition);
        let mut builder = BatchBuilder::new(0);
        let wall = self.clock.wall;
        let (k, v) = encode(key, record);
        let added = builder.append_next(wall.max(0), Some(k), v, no_headers(), 0);
        added.map_err(|_| ErrorCode::UnknownServerError)?;
        let batch = builder.build(None).map_err(|_| ErrorCode::UnknownServerError)?;
        let epoch = self.share.states.led.get(&partition).map_or(-1, |led| led.epoch);
        let how = LeaderAppend::coordinator(epoch, wall);
        let appended = self
            .append_local(place, batch, how, 1, ctx)
            .map_err(|error| error.code)?;
        let high_watermark = self
            .replicas
            .get(&place)
            .map_or(0, |replica| replica.log.high_watermark());
        if let Some(led) = self.share.states.led.get_mut(&partition) {
            led.written = appended.last_offset + 1;
            led.committed = led.committed.max(high_watermark.min(led.written));
            Rc::make_mut(&mut led.shard).replay(key, record);
        }
        Ok(())
    }

    /// One result of a request is there; with the last one it is answered.
    fn state_done(&mut self, token: u64, at: usize, error: Option<ErrorCode>, ctx: &mut Ctx) {
        let Some(waiting) = self.share.states.waiting.get_mut(&token) else {
            return;
        };
        if let Some(error) = error {
            let result = &mut waiting.results[at];
            result.error = error;
            result.state = None;
            result.message = result.message.take().or_else(|| Some(error.message().into()));
        }
        waiting.left -= 1;
        if waiting.left > 0 {
            return;
        }
        if let Some(waiting) = self.share.states.waiting.remove(&token) {
            ctx.cancel(waiting.timer);
            self.reply(waiting.asker, answer(waiting.kind, waiting.results), ctx);
        }
    }

    /// The high watermark took too long; what was written stays.
    pub(in crate::kafka::broker) fn share_state_timed_out(&mut self, token: u64, ctx: &mut Ctx) {
        let late: Vec<usize> = self
            .share
            .states
            .led
            .values_mut()
            .flat_map(|led| {
                let late: Vec<usize> = led.parked.iter().filter(|p| p.1 == token).map(|p| p.2).collect();
                led.parked.retain(|parked| parked.1 != token);
                late
            })
            .collect();
        for at in late {
            self.state_done(token, at, Some(ErrorCode::CoordinatorNotAvailable), ctx);
        }
    }
}
