//! `acknowledge()`, `commitSync()`, `commitAsync()`, and closing. [ShareConsumerImpl]

use super::requests::AckKind;
use crate::kafka::client::call::{Answer, ClientError, Consumed};
use crate::kafka::client::consumer::process::Consumer;
use crate::kafka::protocol::share::Acknowledge;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};

impl Consumer {
    /// Is it a share consumer?
    pub fn is_share(&self) -> bool {
        self.share.is_some()
    }

    /// `acknowledge()` of some records, one call after the other; the first that throws ends it.
    ///
    /// # Errors
    /// What the call throws.
    pub(in crate::kafka::client::consumer) fn acknowledge_records(
        &mut self,
        acks: &[(NamedPartition, i64, Acknowledge)],
    ) -> Result<Answer, ClientError> {
        let Some(share) = &mut self.share else {
            let text = "Only a share consumer acknowledges records.";
            return Err(ClientError::new("UnsupportedOperationException", text));
        };
        for (partition, offset, kind) in acks {
            if !share.explicit {
                let text = "Implicit acknowledgement of delivery is being used.";
                return Err(ClientError::new("IllegalStateException", text));
            }
            share.current.acknowledge(partition, *offset, *kind)?;
        }
        Ok(Answer::Done)
    }

    /// Everything that the application has and has said nothing of, with what it says now.
    pub(in crate::kafka::client::consumer) fn open_records(
        &self,
        kind: Acknowledge,
    ) -> Vec<(NamedPartition, i64, Acknowledge)> {
        let share = self.share.iter();
        let open = share.flat_map(|share| share.current.open());
        open.map(|(partition, offset)| (partition.clone(), offset, kind))
            .collect()
    }

    /// The application has worked on these: record by record it says what it came to, if that is its way.
    pub(in crate::kafka::client::consumer) fn say_verdicts(&mut self, records: &[Consumed]) {
        let Some(share) = self.share.as_mut().filter(|share| share.explicit) else {
            return;
        };
        for record in records {
            let is = |value: &str| record.value.as_deref() == Some(value.as_bytes());
            let verdict = self.application.verdicts.iter().find(|(value, _)| is(value));
            let kind = verdict.map_or(Acknowledge::Accept, |(_, kind)| *kind);
            // What a commit between has taken away is no longer the application's.
            let _ = share.current.acknowledge(&record.partition, record.offset, kind);
        }
    }

    /// The number of a `commitSync()` that is under way; `None`: there is nothing to commit.
    pub(in crate::kafka::client::consumer) fn begin_share_sync(&mut self, ctx: &mut Ctx) -> Option<u64> {
        let until = ctx.now() + Span::from_ms(self.config.default_api_timeout_ms);
        let share = self.share.as_mut()?;
        share.accept_if_implicit();
        let acks = share.current.take_acknowledged();
        if acks.is_empty() {
            return None;
        }
        share.next_call += 1;
        let call = share.next_call;
        self.begin_acknowledging(acks, AckKind::Sync(call), until, ctx);
        Some(call)
    }

    /// What a `commitSync()` came to, when it has.
    pub(in crate::kafka::client::consumer) fn step_share_sync(&mut self, call: u64, ctx: &mut Ctx) -> Option<Answer> {
        self.drive_share(ctx);
        let share = self.share.as_mut()?;
        if share.calls.get(&call).is_some_and(|call| call.left > 0) {
            return None;
        }
        let done = share.calls.remove(&call);
        let results = done.map_or_else(Default::default, |call| call.results);
        let each = results.into_iter().map(|(partition, error)| {
            let result = error.map_or(Ok(()), Err);
            (partition.to_string().into(), result)
        });
        Some(Answer::Each(each.collect()))
    }

    pub(in crate::kafka::client::consumer) fn commit_share_async(&mut self, ctx: &mut Ctx) {
        let until = ctx.now() + Span::from_ms(self.config.default_api_timeout_ms);
        let Some(share) = &mut self.share else { return };
        share.accept_if_implicit();
        let acks = share.current.take_acknowledged();
        self.begin_share_async(acks, until, ctx);
    }

    /// The last acknowledgements go, and the sessions end.
    pub(in crate::kafka::client::consumer) fn begin_share_close(&mut self, until: Time, ctx: &mut Ctx) {
        let Some(share) = &mut self.share else { return };
        share.closing = true;
        share.fetch_more = false;
        let mut acks = share.current.take_acknowledged();
        for (partition, more) in std::mem::take(&mut share.with_fetch).into_values().flatten() {
            match acks.get_mut(&partition) {
                Some(known) => known.acks.merge(more.acks),
                None => drop(acks.insert(partition, more)),
            }
        }
        self.begin_acknowledging(acks, AckKind::Close, until, ctx);
    }

    /// Has every broker heard of it?
    pub(in crate::kafka::client::consumer) fn share_is_closed(&mut self, ctx: &mut Ctx) -> bool {
        self.drive_share(ctx);
        self.share.as_ref().is_none_or(|share| share.requests.is_empty())
    }
}
