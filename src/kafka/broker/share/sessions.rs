//! Share sessions: which partitions a member wants to read, by requests that only tell what changes; they end with their
//! connection. [ShareSession, ShareSessionCache, SharePartitionManager.newContext, acknowledgeSessionUpdate]

use super::manager::archived;
use super::note::ShareNote;
use crate::kafka::broker::server::Server;
use crate::kafka::note::Note;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::{CLOSE_SESSION, OPEN_SESSION, RecordState, ShareFetchRequest};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::sim::ConnId;
use std::rc::Rc;

/// Group and member.
pub type SessionKey = (Rc<str>, Rc<str>);

/// What a member wants to read.
#[derive(Clone, Debug)]
pub struct ShareSession {
    /// The epoch of its next request.
    pub(super) epoch: i32,
    /// Who brought nothing for longer comes first.
    pub(super) partitions: Vec<TopicPartition>,
    conn: ConnId,
}

/// After the last epoch comes the first again. [ShareRequestMetadata.nextEpoch]
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

impl Server {
    /// The partitions that a ShareFetch is about; none if it closes the session. [newContext]
    pub(super) fn enter_share_session(
        &mut self,
        request: &ShareFetchRequest,
        conn: ConnId,
    ) -> Result<Vec<TopicPartition>, ErrorCode> {
        let key = (request.group.clone(), request.member_id.clone());
        let named = request.partitions.iter().map(|asked| asked.partition);
        match request.session_epoch {
            CLOSE_SESSION if self.share.sessions.contains_key(&key) => Ok(Vec::new()),
            CLOSE_SESSION => Err(ErrorCode::ShareSessionNotFound),
            OPEN_SESSION => {
                if request
                    .partitions
                    .iter()
                    .any(|asked| !asked.acknowledgements.is_empty())
                {
                    return Err(ErrorCode::InvalidRequest);
                }
                self.share.sessions.remove(&key);
                let most = usize::try_from(self.setup.config.group_share_max_share_sessions).unwrap_or(0);
                if self.share.sessions.len() >= most {
                    return Err(ErrorCode::ShareSessionLimitReached);
                }
                let partitions: Vec<TopicPartition> = named.collect();
                let session = ShareSession {
                    epoch: next_epoch(OPEN_SESSION),
                    partitions: partitions.clone(),
                    conn,
                };
                self.share.opened.insert(conn, key.clone());
                self.share.sessions.insert(key, session);
                Ok(partitions)
            }
            epoch => {
                let session = self.share.sessions.get_mut(&key);
                let session = session.ok_or(ErrorCode::ShareSessionNotFound)?;
                if session.epoch != epoch {
                    return Err(ErrorCode::InvalidShareSessionEpoch);
                }
                for partition in named {
                    if !session.partitions.contains(&partition) {
                        session.partitions.push(partition);
                    }
                }
                session
                    .partitions
                    .retain(|partition| !request.forgotten.contains(partition));
                session.epoch = next_epoch(epoch);
                Ok(session.partitions.clone())
            }
        }
    }

    /// May this ShareAcknowledge come now? [acknowledgeSessionUpdate]
    pub(super) fn check_share_session(
        &mut self,
        group: &Rc<str>,
        member: &Rc<str>,
        epoch: i32,
    ) -> Result<(), ErrorCode> {
        if epoch == OPEN_SESSION {
            return Err(ErrorCode::InvalidShareSessionEpoch);
        }
        let session = self.share.sessions.get_mut(&(group.clone(), member.clone()));
        let session = session.ok_or(ErrorCode::ShareSessionNotFound)?;
        if epoch == CLOSE_SESSION {
            return Ok(());
        }
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidShareSessionEpoch);
        }
        session.epoch = next_epoch(epoch);
        Ok(())
    }

    /// A partition brought records: others come before it next time. [ShareSessionContext.PartitionIterator]
    pub(super) fn share_partition_served(&mut self, group: &Rc<str>, member: &Rc<str>, partition: TopicPartition) {
        let session = self.share.sessions.get_mut(&(group.clone(), member.clone()));
        if let Some(session) = session
            && let Some(at) = session.partitions.iter().position(|other| *other == partition)
        {
            let partition = session.partitions.remove(at);
            session.partitions.push(partition);
        }
    }

    /// A session is over: what its member holds is released. [releaseSession]
    pub(super) fn end_share_session(&mut self, key: &SessionKey, broken: bool, ctx: &mut Ctx) {
        let Some(session) = self.share.sessions.remove(key) else {
            return;
        };
        let (group, member) = key;
        ctx.note(Note::Share(ShareNote::SessionEnded {
            group: group.clone(),
            member: member.clone(),
            broken,
        }));
        for partition in session.partitions {
            let share = (group.clone(), partition);
            let Some(write) = self.with_share(&share, |records| records.release(member)).flatten() else {
                continue;
            };
            for batch in write
                .batches
                .iter()
                .filter(|batch| batch.state == RecordState::Available)
            {
                ctx.note(Note::Share(ShareNote::Released {
                    group: group.clone(),
                    member: member.clone(),
                    partition,
                    first: batch.first,
                    last: batch.last,
                }));
            }
            let fates = archived(&write);
            self.write_share(&share, write, None, fates, ctx);
            self.check_delayed(partition, ctx);
        }
    }

    /// A client's connection is gone: its sessions end, and a group that nobody reads for is forgotten.
    /// [ShareSessionCache.ClientConnectionDisconnectListener]
    pub(in crate::kafka::broker) fn share_connection_gone(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let Some(key) = self.share.opened.remove(&conn) else {
            return;
        };
        if self
            .share
            .sessions
            .get(&key)
            .is_some_and(|session| session.conn == conn)
        {
            self.end_share_session(&key, true, ctx);
        }
        self.forget_empty_share_group(&key.0, ctx);
    }

    /// [onGroupEmpty]
    fn forget_empty_share_group(&mut self, group: &Rc<str>, ctx: &mut Ctx) {
        if self.share.sessions.keys().any(|(other, _)| other == group) {
            return;
        }
        let keys = self.share.cache.keys().filter(|(other, _)| other == group);
        let keys: Vec<super::state::ShareKey> = keys.cloned().collect();
        for key in keys {
            self.forget_share(&key, ctx);
        }
    }
}
