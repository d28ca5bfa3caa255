//! A producer's open calls: what each record came to, and when the call may return. [ProduceRequestResult, KafkaProducer.flush]

use super::order::NewRecord;
use crate::kafka::client::buffer_pool::Ticket;
use crate::kafka::client::call::{Answer, CallId, ClientError, Sent};
use crate::kafka::client::producer_batch::BatchId;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
use std::collections::VecDeque;
use std::rc::Rc;

/// What `send()` of a call's next record waits for.
#[derive(Clone, Copy, Debug)]
pub enum Block {
    /// Metadata newer than this version.
    Metadata { since: Time, version: u32 },
    /// Memory for a batch of this size, from one moment to another at most.
    Memory {
        ticket: Ticket,
        size: u32,
        since: Time,
        until: Time,
    },
}

/// One call to send records.
#[derive(Clone, Debug)]
pub struct SendCall {
    /// Not handed to `send()` yet, or blocked in it.
    pub left: VecDeque<(usize, NewRecord)>,
    pub block: Option<Block>,
    results: Vec<Option<Sent>>,
    open: usize,
    flush: bool,
    /// Batches that its `flush()` waits for, once it was called.
    flushing: Option<OrderedSet<BatchId>>,
}

/// All open calls.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    sends: OrderedMap<CallId, SendCall>,
    /// The call and place of each record on its way.
    records: OrderedMap<u32, (CallId, usize)>,
    /// Calls that may be able to return.
    touched: OrderedSet<CallId>,
}

impl Calls {
    /// A call begins.
    pub fn begin(&mut self, call: CallId, records: Vec<NewRecord>, flush: bool) {
        let count = records.len();
        let send = SendCall {
            left: records.into_iter().enumerate().collect(),
            block: None,
            results: vec![None; count],
            open: count,
            flush,
            flushing: None,
        };
        self.sends.insert(call, send);
        self.touched.insert(call);
    }

    /// Calls in the order in which they were made.
    pub fn ids(&self) -> Vec<CallId> {
        self.sends.keys().copied().collect()
    }

    /// One call.
    pub fn get_mut(&mut self, call: CallId) -> Option<&mut SendCall> {
        self.sends.get_mut(&call)
    }

    /// Calls that wait in `send()`, and for what.
    pub fn blocks(&self) -> impl Iterator<Item = (CallId, Block)> {
        self.sends.iter().filter_map(|(id, send)| Some((*id, send.block?)))
    }

    /// Records on their way, and those not handed over yet.
    pub fn open_records(&self) -> usize {
        self.sends.values().map(|send| send.open).sum()
    }

    /// A record went into a batch.
    pub fn accepted(&mut self, call: CallId, place: usize, origin: u32) {
        self.records.insert(origin, (call, place));
    }

    /// A record in a batch has its answer.
    pub fn answered(&mut self, origin: u32, result: Sent) {
        if let Some((call, place)) = self.records.remove(&origin) {
            self.settle(call, place, result);
        }
    }

    /// A record has its answer.
    pub fn settle(&mut self, call: CallId, place: usize, result: Sent) {
        if let Some(send) = self.sends.get_mut(&call)
            && let Some(slot) = send.results.get_mut(place)
            && slot.is_none()
        {
            *slot = Some(result);
            send.open -= 1;
            self.touched.insert(call);
        }
    }

    /// All records of a call were handed over: its `flush()` waits for these batches. False if it makes none, or did.
    pub fn begin_flush(&mut self, call: CallId, incomplete: &OrderedSet<BatchId>) -> bool {
        let Some(send) = self.sends.get_mut(&call) else {
            return false;
        };
        let begins = send.flush && send.left.is_empty() && send.flushing.is_none();
        if begins {
            send.flushing = Some(incomplete.clone());
            self.touched.insert(call);
        }
        begins
    }

    /// A batch is done.
    pub fn batch_done(&mut self, batch: BatchId) {
        for (id, send) in &mut self.sends {
            if send.flushing.as_mut().is_some_and(|batches| batches.remove(&batch)) {
                self.touched.insert(*id);
            }
        }
    }

    /// A batch goes on in parts.
    pub fn batch_split(&mut self, batch: BatchId, parts: &[BatchId]) {
        for send in self.sends.values_mut() {
            if let Some(batches) = &mut send.flushing
                && batches.remove(&batch)
            {
                batches.extend(parts);
            }
        }
    }

    /// Takes the calls that have everything: their answers, and how many of them flushed.
    pub fn take_done(&mut self) -> (Vec<(CallId, Rc<Answer>)>, u32) {
        let mut done = Vec::new();
        let mut flushes = 0;
        for id in std::mem::take(&mut self.touched) {
            let ends = |send: &SendCall| {
                let flushed = !send.flush || send.flushing.as_ref().is_some_and(OrderedSet::is_empty);
                send.open == 0 && send.left.is_empty() && flushed
            };
            if !self.sends.get(&id).is_some_and(ends) {
                continue;
            }
            if let Some(send) = self.sends.remove(&id) {
                flushes += u32::from(send.flushing.is_some());
                let sent = send.results.into_iter().flatten().collect();
                done.push((id, Rc::new(Answer::Sent(sent))));
            }
        }
        (done, flushes)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Calls::default();
    }
}

/// A record's answer when its batch was written; without a base offset it is not known where.
pub fn written(partition: &NamedPartition, base_offset: i64, index: usize) -> Sent {
    let offset = (base_offset >= 0).then(|| base_offset + index as i64);
    Sent::At(partition.clone(), offset)
}

/// An exception that `send()` throws, or with which the future fails.
#[derive(Clone, Debug)]
pub enum Refused {
    Threw(ClientError),
    Failed(ClientError),
}
