//! A slow disk: what writes waits for it, one write after the other, in the order in which it came. A produce request
//! keeps its connection busy meanwhile, a fetched answer its fetcher.

use super::BrokerTimer;
use super::note::BrokerNote;
use super::server::Server;
use crate::kafka::note::Note;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Timer};
use crate::sim::ConnId;
use std::collections::VecDeque;

/// Something that will write to a log.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// A client's or coordinator's produce request.
    Produce(ConnId, Msg),
    /// A leader's answer to a follower's fetch.
    Fetched(NodeId, Msg),
}

/// What waits for the disk; the first is being written.
pub(super) type Writes = VecDeque<Write>;

impl Server {
    /// Lets a write wait if the disk is slow, or if others wait already. Gives it back if it may go at once.
    pub(super) fn wait_for_disk(&mut self, write: Write, ctx: &mut Ctx) -> Option<Write> {
        let delay = ctx.disk().delay();
        if self.writes.is_empty() && delay == crate::sim::Span::ZERO {
            return Some(write);
        }
        if let Write::Fetched(leader, _) = &write {
            self.stop_waiting_for(*leader, ctx);
        }
        self.writes.push_back(write);
        if self.writes.len() == 1 {
            self.begin_write(ctx);
        }
        None
    }

    fn begin_write(&mut self, ctx: &mut Ctx) {
        let delay = ctx.disk().delay();
        ctx.note(Note::Broker(BrokerNote::DiskWaits {
            ms: delay.as_ms(),
            behind: self.writes.len() - 1,
        }));
        ctx.timer(delay, Timer::Broker(BrokerTimer::DiskDone));
    }

    /// The first of the waiting writes is done.
    pub(super) fn disk_done(&mut self, ctx: &mut Ctx) {
        match self.writes.pop_front() {
            Some(Write::Produce(conn, msg)) => self.serve_now(conn, msg, ctx),
            Some(Write::Fetched(leader, msg)) => self.fetched_now(leader, msg, ctx),
            None => {}
        }
        if !self.writes.is_empty() {
            self.begin_write(ctx);
        }
    }
}

/// Whether an answer brings records to write.
pub(super) fn brings_records(msg: &Msg) -> bool {
    match &msg.body {
        Body::FetchResponse(answer) => answer.partitions.iter().any(|fetched| !fetched.batches.is_empty()),
        _ => false,
    }
}
