//! `poll()` of a share consumer. [ShareConsumerImpl.poll, pollForFetches, collect, ShareFetchCollector]

use super::completed::ShareCompleted;
use super::in_flight::{AcksByPartition, InFlight};
use crate::kafka::client::call::{ClientError, Consumed};
use crate::kafka::client::consumer::process::Consumer;
use crate::kafka::note::Fact;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::Acknowledge;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

/// Control records are acknowledged within the default time-out.
type Collected = Result<InFlight, ClientError>;

impl Consumer {
    /// One round of `poll()`: records, or `None` if it goes on waiting.
    ///
    /// # Errors
    /// What it throws.
    pub(in crate::kafka::client::consumer) fn poll_share(
        &mut self,
        ctx: &mut Ctx,
    ) -> Result<Option<Vec<Consumed>>, ClientError> {
        let result = self.poll_share_round(ctx);
        if !matches!(result, Ok(None)) {
            self.share_poll_ended();
        }
        result
    }

    /// The `poll()` is over.
    pub(in crate::kafka::client::consumer) fn share_poll_ended(&mut self) {
        if let Some(share) = &mut self.share {
            share.polling = false;
        }
    }

    fn poll_share_round(&mut self, ctx: &mut Ctx) -> Result<Option<Vec<Consumed>>, ClientError> {
        self.begin_share_poll()?;
        self.metrics.polling(ctx.now());
        self.poll_modern(ctx)?;
        let Some(share) = &mut self.share else { return Ok(None) };
        let acks = share.current.take_acknowledged();
        let nothing = self.collect_share(acks, ctx)?;
        self.drive_share(ctx);
        if nothing {
            return Ok(None);
        }
        let records = self.share.as_ref().map_or(Vec::new(), |share| share.current.records());
        self.metrics.polled(ctx.now());
        self.metrics.taken(records.len(), None, (None, None), ctx.now());
        self.tell_deliveries(&records, ctx);
        Ok(Some(records))
    }

    /// What comes first in every `poll()`.
    fn begin_share_poll(&mut self) -> Result<(), ClientError> {
        let nothing = self.subscription.is_nothing();
        let Some(share) = &mut self.share else { return Ok(()) };
        if share.polling {
            return Ok(());
        }
        share.accept_if_implicit();
        if share.explicit && !share.current.all_acknowledged() {
            let text = "All records must be acknowledged in explicit acknowledgement mode.";
            return Err(ClientError::new("IllegalStateException", text));
        }
        if nothing {
            let text = "Consumer is not subscribed to any topics.";
            return Err(ClientError::new("IllegalStateException", text));
        }
        share.polling = true;
        share.may_fetch = true;
        Ok(())
    }

    fn tell_deliveries(&self, records: &[Consumed], ctx: &mut Ctx) {
        for record in records {
            ctx.note(
                Fact::Delivered {
                    origin: record.origin,
                    partition: record.partition.clone(),
                    offset: record.offset,
                    group: self.group(),
                }
                .into(),
            );
        }
    }

    /// Takes over what is buffered, if the application has nothing; true: it still has nothing.
    fn collect_share(&mut self, mut acks: AcksByPartition, ctx: &mut Ctx) -> Result<bool, ClientError> {
        let Some(share) = &mut self.share else { return Ok(true) };
        let none = share.current.is_empty();
        if none && !share.current.has_renewals() {
            let mut fetched = self.collect_buffered()?;
            if fetched.is_empty() {
                let gaps = fetched.take_acknowledged();
                self.acknowledge_later(gaps, ctx);
                self.ask_for_records(&mut acks);
            }
            self.acknowledge_later(acks, ctx);
            let nothing = fetched.held() == 0;
            if !nothing && let Some(share) = &mut self.share {
                share.current = fetched;
            }
            return Ok(nothing);
        }
        if share.current.has_renewals() {
            share.current.take_renewed();
            if share.current.has_renewals() {
                self.ask_for_records(&mut acks);
            }
        }
        self.acknowledge_later(acks, ctx);
        Ok(self.share.as_ref().is_none_or(|share| share.current.held() == 0))
    }

    /// Once in a `poll()` records are asked for; acknowledgements go along.
    fn ask_for_records(&mut self, acks: &mut AcksByPartition) {
        let Some(share) = &mut self.share else { return };
        if !std::mem::take(&mut share.may_fetch) {
            return;
        }
        share.fetch_more = true;
        for (partition, more) in std::mem::take(acks) {
            let of_node = share.with_fetch.entry(more.node).or_default();
            match of_node.get_mut(&partition) {
                Some(known) => known.acks.merge(more.acks),
                None => drop(of_node.insert(partition, more)),
            }
        }
    }

    fn acknowledge_later(&mut self, acks: AcksByPartition, ctx: &mut Ctx) {
        if !acks.is_empty() {
            let until = ctx.now() + Span::from_ms(self.config.default_api_timeout_ms);
            self.begin_share_async(acks, until, ctx);
        }
    }

    /// About `max.poll.records` of what is buffered. [ShareFetchCollector.collect]
    fn collect_buffered(&mut self) -> Collected {
        let most = usize::try_from(self.config.max_poll_records).unwrap_or(0);
        let mut fetched = InFlight::default();
        loop {
            let have = fetched.held();
            let Some(share) = self.share.as_mut().filter(|_| have < most) else {
                return Ok(fetched);
            };
            match share.next_in_line.as_mut().filter(|completed| !completed.consumed) {
                Some(completed) => {
                    let batch = completed.take(most - have);
                    completed.consumed |= batch.is_empty();
                    let partition = completed.partition.clone();
                    fetched.add(&partition, batch);
                }
                None => {
                    let Some(next) = share.buffer.pop_front() else {
                        return Ok(fetched);
                    };
                    match self.initialize_share(next) {
                        Ok(next) => self
                            .share
                            .as_mut()
                            .into_iter()
                            .for_each(|share| share.next_in_line = next.clone()),
                        // What was collected before is returned first; the error is met again.
                        Err(unusable) => {
                            let (next, error) = *unusable;
                            if fetched.held() == 0 {
                                return Err(error);
                            }
                            self.share
                                .as_mut()
                                .into_iter()
                                .for_each(|share| share.buffer.push_front(next.clone()));
                            return Ok(fetched);
                        }
                    }
                }
            }
        }
    }

    /// Looks at an answer for the first time. [handleInitializeErrors]
    fn initialize_share(
        &mut self,
        mut completed: ShareCompleted,
    ) -> Result<Option<ShareCompleted>, Box<(ShareCompleted, ClientError)>> {
        let name = completed.partition.clone();
        let error = match completed.answer().error {
            ErrorCode::None => {
                completed.initialized = true;
                return Ok(Some(completed));
            }
            ErrorCode::NotLeaderOrFollower
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::KafkaStorageError
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::OffsetNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::InconsistentTopicId => {
                self.net.metadata.request_update();
                return Ok(None);
            }
            ErrorCode::UnknownLeaderEpoch | ErrorCode::UnknownServerError => return Ok(None),
            ErrorCode::CorruptMessage => {
                let text = format!("Encountered corrupt message when fetching topic-partition {name}");
                ClientError::new("KafkaException", &text)
            }
            other => {
                let code = other.code();
                let text = format!("Unexpected error code {code} while fetching from topic-partition {name}");
                ClientError::new("IllegalStateException", &text)
            }
        };
        Err(Box::new((completed, error)))
    }
}

impl super::Share {
    /// Whoever says nothing has accepted.
    pub(super) fn accept_if_implicit(&mut self) {
        if !self.explicit {
            self.current.acknowledge_all(Acknowledge::Accept);
        }
    }
}
