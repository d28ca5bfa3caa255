//! The leader's side of KIP-890: before the first write of a transaction its coordinator is asked to add the partition
//! (version 2), or whether it is in (version 1). [AddPartitionsToTxnManager, ReplicaManager.handleProduceAppend]

use super::peers::PeerKind;
use crate::kafka::broker::BrokerTimer;
use crate::kafka::broker::coordinator::TRANSACTIONS_TOPIC;
use crate::kafka::broker::produce::Verdicts;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::{Server, set_timer};
use crate::kafka::log::producer_entry::Guard;
use crate::kafka::note::Note;
use crate::kafka::protocol::data::ProduceRequest;
use crate::kafka::protocol::transactions::*;
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::transactions::note::TxnNote;
use crate::kafka::types::{NO_LEADER, NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// Who waits for the coordinator's word.
#[derive(Clone, Debug)]
pub(super) enum Waits {
    Produce(Asker, Rc<str>, Rc<ProduceRequest>),
    /// A TxnOffsetCommit.
    Offsets(Asker, Msg),
}

/// A write that waits.
#[derive(Clone, Debug)]
pub(super) struct Verifying {
    who: Waits,
    since: Time,
    guards: OrderedMap<TopicPartition, Guard>,
    /// Partitions that were refused before anybody was asked.
    refused: Verdicts,
}

/// A question to a coordinator.
#[derive(Clone, Debug)]
pub(super) struct Question {
    token: u64,
    txn: AddPartitionsTxn,
    ids: Vec<(NamedPartition, TopicPartition)>,
}

/// A coordinator's answer to a leader that waits for the log.
#[derive(Clone, Debug)]
struct Gathered {
    asker: Asker,
    results: Vec<AddedPartitions>,
    left: usize,
}

/// Questions on their way, and answers in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    /// By coordinator and transactional id.
    queues: OrderedMap<NodeId, OrderedMap<Rc<str>, Question>>,
    batches: OrderedMap<u64, Gathered>,
}

impl Questions {
    /// Coordinators that are to be asked.
    pub fn waiting_for(&self) -> Vec<NodeId> {
        self.queues.keys().copied().collect()
    }

    /// The request for one coordinator.
    pub fn take_for(&mut self, node: NodeId) -> Option<(Body, Vec<Question>)> {
        let questions: Vec<Question> = self.queues.remove(&node)?.into_values().collect();
        let transactions = questions.iter().map(|question| question.txn.clone()).collect();
        let body = AddPartitionsToTxnRequest {
            from_broker: true,
            transactions,
        };
        Some((body.into(), questions))
    }

    /// A leader's request is worked on: `left` of its transactions wait for the log.
    pub fn open_batch(&mut self, batch: u64, asker: Asker, results: Vec<AddedPartitions>, left: usize) {
        let gathered = Gathered { asker, results, left };
        self.batches.insert(batch, gathered);
    }

    /// One of them has its answer.
    pub fn settle(&mut self, batch: u64, index: usize, error: ErrorCode) {
        if let Some(gathered) = self.batches.get_mut(&batch) {
            gathered.left = gathered.left.saturating_sub(1);
            if let Some((_, results)) = gathered.results.get_mut(index) {
                results.iter_mut().for_each(|(_, result)| *result = error);
            }
        }
    }

    /// All have.
    pub fn take_batch(&mut self, batch: u64) -> Option<(Asker, Vec<AddedPartitions>)> {
        if self.batches.get(&batch).is_none_or(|gathered| gathered.left > 0) {
            return None;
        }
        let gathered = self.batches.remove(&batch)?;
        Some((gathered.asker, gathered.results))
    }
}

/// A coordinator's error as the producer is told it. [ReplicaManager.handleProduceAppend]
fn for_producer(error: ErrorCode, adds: bool) -> (ErrorCode, Option<String>) {
    let unable = |error: ErrorCode| {
        let text = format!(
            "Unable to verify the partition has been added to the transaction. Underlying error: {}",
            error.name()
        );
        (ErrorCode::NotEnoughReplicas, Some(text))
    };
    match error {
        ErrorCode::InvalidTxnState => (error, Some("Partition was not added to the transaction".to_owned())),
        ErrorCode::ConcurrentTransactions if !adds => unable(error),
        ErrorCode::NetworkException
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator => unable(error),
        other => (other, None),
    }
}

impl Server {
    /// A produce request with transactional batches: asks the coordinator if it must. Whether it waits for that now.
    pub(in crate::kafka::broker) fn verify_produce(
        &mut self,
        asker: Asker,
        client: &Rc<str>,
        request: &Rc<ProduceRequest>,
        ctx: &mut Ctx,
    ) {
        let who = Waits::Produce(asker, client.clone(), request.clone());
        self.begin_verification(who, ctx.now(), ctx);
    }

    fn begin_verification(&mut self, who: Waits, since: Time, ctx: &mut Ctx) {
        let (id, v2, parts) = match &who {
            Waits::Produce(_, _, request) => {
                let parts = request.data.iter().filter(|(_, batch)| batch.transactional);
                let parts = parts.filter_map(|(p, batch)| Some((*p, batch.producer?)));
                (
                    request.transactional_id.clone(),
                    request.transaction_v2,
                    parts.collect(),
                )
            }
            Waits::Offsets(_, msg) => match self.offsets_part(msg) {
                Some(parts) => parts,
                None => return,
            },
        };
        let id = id.unwrap_or_else(|| "".into());
        let disabled = !self.setup.config.transaction_partition_verification_enable && !v2;
        let mut verifying = Verifying {
            who,
            since,
            guards: OrderedMap::new(),
            refused: Verdicts::new(),
        };
        let mut producer = (-1, -1);
        let wall = self.clock.wall;
        for (place, tag) in parts {
            producer = (tag.id, tag.epoch);
            let missing = self.missing_error(place);
            match self
                .replicas
                .get_mut(&place)
                .filter(|replica| replica.partition.is_leader())
            {
                None => drop(verifying.refused.insert(place, Err((missing, None)))),
                Some(_) if disabled => {}
                Some(replica) => match replica.log.begin_verification(tag, v2, wall) {
                    Err(error) => drop(verifying.refused.insert(place, Err((error, None)))),
                    Ok(Some(guard)) => drop(verifying.guards.insert(place, guard)),
                    Ok(None) => {}
                },
            }
        }
        if verifying.guards.is_empty() {
            return self.verified(verifying, &OrderedMap::new(), !v2, ctx);
        }
        self.ask_coordinator(id, producer, v2, verifying, ctx);
    }

    /// The partition of `__consumer_offsets` that a TxnOffsetCommit writes to.
    #[expect(clippy::type_complexity, reason = "the same three parts as for a produce request")]
    fn offsets_part(
        &self,
        msg: &Msg,
    ) -> Option<(
        Option<Rc<str>>,
        bool,
        Vec<(TopicPartition, crate::kafka::log::batch::ProducerTag)>,
    )> {
        let Body::TxnOffsetCommitRequest(request) = &msg.body else {
            return None;
        };
        let partition = self.offsets_partition(&request.group);
        let topic = self.image().ids.get(&partition.topic).copied().unwrap_or_default();
        let tag = crate::kafka::log::batch::ProducerTag {
            id: request.producer_id,
            epoch: request.producer_epoch,
            sequence: -1,
        };
        let place = TopicPartition::new(topic, partition.partition);
        Some((Some(request.transactional_id.clone()), request.v2, vec![(place, tag)]))
    }

    /// A commit of offsets in a transaction.
    pub(in crate::kafka::broker) fn verify_offsets(&mut self, asker: Asker, msg: &Msg, ctx: &mut Ctx) {
        self.begin_verification(Waits::Offsets(asker, msg.clone()), ctx.now(), ctx);
    }

    fn ask_coordinator(
        &mut self,
        id: Rc<str>,
        (producer_id, producer_epoch): (i64, i16),
        v2: bool,
        verifying: Verifying,
        ctx: &mut Ctx,
    ) {
        let token = self.transactions.token();
        let image = self.image();
        let named = verifying.guards.keys().filter_map(|place| {
            let topic = image.name_of(place.topic)?.clone();
            let partition = place.partition;
            Some((NamedPartition { topic, partition }, *place))
        });
        let ids: Vec<(NamedPartition, TopicPartition)> = named.collect();
        let home = NamedPartition {
            topic: TRANSACTIONS_TOPIC.into(),
            partition: self.txn_partition(&id),
        };
        let coordinator = self.leader_by_name(&home).filter(|leader| *leader != NO_LEADER);
        self.transactions.verifying.insert(token, verifying);
        let txn = AddPartitionsTxn {
            transactional_id: id.clone(),
            producer_id,
            producer_epoch,
            verify_only: !v2,
            partitions: ids.iter().map(|(partition, _)| partition.clone()).collect(),
        };
        let question = Question { token, txn, ids };
        let Some(coordinator) = coordinator else {
            return self.question_refused(question, ErrorCode::CoordinatorNotAvailable, ctx);
        };
        for (_, place) in &question.ids {
            ctx.note(Note::Txn(TxnNote::Verifying {
                id: id.clone(),
                partition: *place,
                coordinator,
            }));
        }
        if self.transactions.peers.is_failed(PeerKind::Questions, coordinator) {
            return self.question_refused(question, ErrorCode::NetworkException, ctx);
        }
        self.queue_question(coordinator, question, ctx);
    }

    /// One question per id and coordinator waits: a newer one with the same epoch takes the older one's place.
    /// [AddPartitionsToTxnManager.addTxnData]
    fn queue_question(&mut self, coordinator: NodeId, question: Question, ctx: &mut Ctx) {
        let id = question.txn.transactional_id.clone();
        let epoch = question.txn.producer_epoch;
        let queue = self.transactions.questions.queues.entry(coordinator).or_default();
        let older = queue.get(&id).map(|waiting| waiting.txn.producer_epoch);
        self.transactions.peers.wanted = true;
        match older {
            Some(waiting) if waiting > epoch => {
                self.question_refused(question, ErrorCode::InvalidProducerEpoch, ctx);
            }
            _ => {
                if let Some(old) = queue.insert(id, question) {
                    let error = match old.txn.producer_epoch == epoch {
                        true => ErrorCode::NetworkException,
                        false => ErrorCode::InvalidProducerEpoch,
                    };
                    self.question_refused(old, error, ctx);
                }
            }
        }
    }

    fn question_refused(&mut self, question: Question, error: ErrorCode, ctx: &mut Ctx) {
        let errors = question.ids.iter().map(|(_, place)| (*place, error)).collect();
        self.question_done(question, &errors, ctx);
    }

    /// The connection to a coordinator broke.
    pub(super) fn questions_failed(&mut self, questions: Vec<Question>, ctx: &mut Ctx) {
        for question in questions {
            self.question_refused(question, ErrorCode::NetworkException, ctx);
        }
    }

    pub(super) fn fail_questions_of(&mut self, node: NodeId, ctx: &mut Ctx) {
        if let Some(queue) = self.transactions.questions.queues.remove(&node) {
            self.questions_failed(queue.into_values().collect(), ctx);
        }
    }

    pub(super) fn questions_answered(
        &mut self,
        questions: Vec<Question>,
        answer: &AddPartitionsToTxnResponse,
        ctx: &mut Ctx,
    ) {
        for question in questions {
            let id = &question.txn.transactional_id;
            let results = answer.transactions.iter().find(|(of, _)| of == id);
            let error = |partition: &NamedPartition| {
                let found = results.and_then(|(_, list)| list.iter().find(|(p, _)| p == partition));
                match found.map(|(_, error)| *error) {
                    Some(ErrorCode::ProducerFenced) => ErrorCode::InvalidProducerEpoch,
                    Some(error) => error,
                    None => ErrorCode::UnknownServerError,
                }
            };
            let errors = question.ids.iter().map(|(p, place)| (*place, error(p)));
            let errors = errors.filter(|(_, error)| *error != ErrorCode::None).collect();
            self.question_done(question, &errors, ctx);
        }
    }

    fn question_done(&mut self, question: Question, errors: &OrderedMap<TopicPartition, ErrorCode>, ctx: &mut Ctx) {
        let Some(verifying) = self.transactions.verifying.remove(&question.token) else {
            return;
        };
        let adds = !question.txn.verify_only;
        let config = &self.setup.config;
        let longest = Span::from_ms(config.add_partitions_to_txn_retry_backoff_max_ms);
        let pause = Span::from_ms(config.add_partitions_to_txn_retry_backoff_ms);
        let busy = errors.values().any(|error| *error == ErrorCode::ConcurrentTransactions);
        let produce = matches!(verifying.who, Waits::Produce(..));
        if adds && busy && produce && ctx.now() < verifying.since + longest {
            let token = question.token;
            self.transactions.verifying.insert(token, verifying);
            set_timer(ctx, pause, BrokerTimer::VerifyAgain(token));
            return;
        }
        for (place, error) in errors {
            ctx.note(Note::Txn(TxnNote::NotVerified {
                id: question.txn.transactional_id.clone(),
                partition: *place,
                error: *error,
            }));
        }
        self.verified(verifying, errors, !adds, ctx);
    }

    /// The previous transaction's markers are still on their way: the coordinator is asked again.
    pub(in crate::kafka::broker) fn verify_again(&mut self, token: u64, ctx: &mut Ctx) {
        if let Some(verifying) = self.transactions.verifying.remove(&token) {
            self.begin_verification(verifying.who, verifying.since, ctx);
        }
    }

    fn verified(
        &mut self,
        verifying: Verifying,
        errors: &OrderedMap<TopicPartition, ErrorCode>,
        verify_only: bool,
        ctx: &mut Ctx,
    ) {
        let Verifying {
            who,
            guards,
            mut refused,
            ..
        } = verifying;
        match who {
            Waits::Produce(asker, client, request) => {
                for (place, guard) in guards {
                    let verdict = match errors.get(&place) {
                        Some(error) => Err(for_producer(*error, !verify_only)),
                        None => Ok(guard),
                    };
                    refused.insert(place, verdict);
                }
                self.produce_verified(asker, &client, &request, &refused, ctx);
            }
            Waits::Offsets(asker, msg) => {
                let before = refused.into_values().find_map(Result::err).map(|(error, _)| error);
                let error = before.or_else(|| errors.values().next().copied());
                let guard = guards.into_values().next();
                self.commit_verified(asker, &msg, error, guard, ctx);
            }
        }
    }
}
