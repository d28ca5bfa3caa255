//! The consumer's own log: which logger says what, and the lines about errors of the group.

use super::membership::Generation;
use super::note::ConsumerNote;
use super::process::Consumer;
use super::{rules, text};
use crate::kafka::client::log::{Level, LogLine, Logger, loggers};
use crate::kafka::client::network::node_text;
use crate::kafka::client::note::ClientNote;
use crate::kafka::config::consumer::GroupProtocol;
use crate::kafka::note::Note;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::wire::Ctx;

impl Consumer {
    /// Writes a line into the client's log.
    pub(super) fn log(&self, line: LogLine, weight: Weight, rule: &'static Rule, ctx: &mut Ctx) {
        self.net.log(line, weight, rule, ctx);
    }

    /// Reports what the application sees. Calls of the listener are logged by whoever makes them.
    /// [ConsumerRebalanceListenerInvoker]
    pub(super) fn note(&self, note: ConsumerNote, ctx: &mut Ctx) {
        let called = match &note {
            ConsumerNote::Assigned { partitions } => Some(("Adding newly assigned partitions: ", partitions)),
            ConsumerNote::Revoked { partitions } => Some(("Revoke previously assigned partitions ", partitions)),
            ConsumerNote::Lost { partitions } => Some(("Lost previously assigned partitions ", partitions)),
            _ => None,
        };
        if let Some((words, partitions)) = called {
            let line = format!("{words}{}", text::list(partitions.iter()));
            self.log(
                loggers::LISTENER_INVOKER.info(line),
                Weight::Detail,
                &rules::LISTENER,
                ctx,
            );
        }
        ctx.note(Note::Client(ClientNote::Consumer(note)));
    }

    fn is_async(&self) -> bool {
        self.config.group_protocol == GroupProtocol::Consumer
    }

    /// The logger of the consumer's own class.
    pub(super) fn own_logger(&self) -> Logger {
        match self.is_async() {
            true => loggers::ASYNC_CONSUMER,
            false => loggers::CLASSIC_CONSUMER,
        }
    }

    /// The logger of what looks the coordinator up.
    pub(super) fn finder_logger(&self) -> Logger {
        match self.is_async() {
            true => loggers::COORDINATOR_REQUESTS,
            false => loggers::CONSUMER_COORDINATOR,
        }
    }

    /// The logger of what commits and asks for committed offsets.
    pub(super) fn commit_logger(&self) -> Logger {
        match self.is_async() {
            true => loggers::COMMIT_REQUESTS,
            false => loggers::CONSUMER_COORDINATOR,
        }
    }

    fn coordinator_text(&self) -> String {
        let node = self.coordinator.as_ref().and_then(|c| c.node.as_ref());
        node.map_or("null".into(), node_text)
    }

    /// `Optional[i1]`, as Java prints it.
    fn instance_text(&self) -> String {
        match &self.config.group_instance_id {
            Some(id) => format!("Optional[{id}]"),
            None => "Optional.empty".into(),
        }
    }

    fn log_group_error(&self, level: Level, text: String, ctx: &mut Ctx) {
        let line = loggers::CONSUMER_COORDINATOR.line(level, text);
        self.log(line, Weight::Detail, &rules::MEMBERSHIP, ctx);
    }

    /// What a refused JoinGroup is logged as. [AbstractCoordinator.JoinGroupResponseHandler]
    pub(super) fn log_join_refused(&self, error: ErrorCode, sent: &Generation, ctx: &mut Ctx) {
        let message = error.message();
        let (level, text) = match error {
            ErrorCode::CoordinatorLoadInProgress => {
                let coordinator = self.coordinator_text();
                (Level::Info, format!("Coordinator {coordinator} is loading the group."))
            }
            ErrorCode::UnknownMemberId => {
                let text = format!("{message} Need to re-join the group. Sent generation was {sent}");
                (Level::Info, text)
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                let text = format!("{message} Marking coordinator unknown. Sent generation was {sent}");
                (Level::Info, text)
            }
            ErrorCode::FencedInstanceId => (Level::Error, self.fenced_text(sent)),
            _ => return self.log_join_failed(error, ctx),
        };
        self.log_group_error(level, format!("JoinGroup failed: {text}"), ctx);
    }

    fn log_join_failed(&self, error: ErrorCode, ctx: &mut Ctx) {
        let message = error.message();
        let (level, why) = match error {
            ErrorCode::RebalanceInProgress => (
                Level::Info,
                "non-fatal error: REBALANCE_IN_PROGRESS, which could indicate a replication timeout on the broker. Will retry.".into(),
            ),
            ErrorCode::UnsupportedVersion => (
                Level::Error,
                "unsupported version error. Please unset field group.instance.id and retry to see if the problem resolves".into(),
            ),
            ErrorCode::InconsistentGroupProtocol
            | ErrorCode::InvalidSessionTimeout
            | ErrorCode::InvalidGroupId
            | ErrorCode::GroupAuthorizationFailed
            | ErrorCode::GroupMaxSizeReached => (Level::Error, format!("fatal error: {message}")),
            _ => (Level::Error, format!("unexpected error: {message}")),
        };
        self.log_group_error(level, format!("JoinGroup failed due to {why}"), ctx);
    }

    fn fenced_text(&self, sent: &Generation) -> String {
        let instance = self.instance_text();
        format!("The group instance id {instance} has been fenced by another instance. Sent generation was {sent}")
    }

    /// What a refused SyncGroup is logged as. [AbstractCoordinator.SyncGroupResponseHandler]
    pub(super) fn log_sync_refused(&self, error: ErrorCode, sent: &Generation, ctx: &mut Ctx) {
        let message = error.message();
        let (level, text) = match error {
            ErrorCode::RebalanceInProgress => (
                Level::Info,
                format!("The group began another rebalance. Need to re-join the group. Sent generation was {sent}"),
            ),
            ErrorCode::FencedInstanceId => (Level::Error, self.fenced_text(sent)),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => {
                let text = format!("{message} Need to re-join the group. Sent generation was {sent}");
                (Level::Info, text)
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                let text = format!("{message} Marking coordinator unknown. Sent generation was {sent}");
                (Level::Info, text)
            }
            _ => return,
        };
        self.log_group_error(level, format!("SyncGroup failed: {text}"), ctx);
    }

    /// What a refused heartbeat is logged as; `unchanged`: the member is still in that generation.
    /// [AbstractCoordinator.HeartbeatResponseHandler]
    pub(super) fn log_heartbeat_refused(&self, error: ErrorCode, sent: &Generation, unchanged: bool, ctx: &mut Ctx) {
        let (instance, name) = (self.instance_text(), error.name());
        let text = match error {
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                let coordinator = self.coordinator_text();
                format!("failed since coordinator {coordinator} is either not started or not valid")
            }
            _ if unchanged => {
                format!("with {sent} and group instance id {instance} failed due to {name}, resetting generation")
            }
            _ => {
                format!("with stale {sent} and group instance id {instance} failed due to {name}, ignoring the error")
            }
        };
        self.log_group_error(Level::Info, format!("Attempt to heartbeat {text}"), ctx);
    }

    /// What a commit in a generation that is over is logged as, besides the line of its partition.
    /// [ConsumerCoordinator.OffsetCommitResponseHandler]
    pub(super) fn log_commit_stale(&self, error: ErrorCode, sent: &Generation, ctx: &mut Ctx) {
        let text = match error {
            ErrorCode::FencedInstanceId => {
                let instance = self.instance_text();
                format!("OffsetCommit failed with {sent} due to group instance id {instance} fenced")
            }
            _ => format!("OffsetCommit failed with {sent}: {}", error.message()),
        };
        self.log(
            loggers::CONSUMER_COORDINATOR.info(text),
            Weight::Detail,
            &rules::COMMIT,
            ctx,
        );
    }

    /// The same under the newer protocol. [CommitRequestManager.OffsetCommitRequestState.onResponse]
    pub(super) fn log_commit_refused(&self, error: ErrorCode, ctx: &mut Ctx) {
        let text = match (error, &self.modern) {
            (ErrorCode::StaleMemberEpoch, Some(modern)) => format!(
                "OffsetCommit failed for member {} with stale member epoch error. Last epoch sent: {}",
                modern.member_id,
                modern
                    .commit_epoch
                    .map_or("undefined".into(), |epoch| epoch.to_string())
            ),
            _ => format!("OffsetCommit failed with {}", error.name()),
        };
        self.log(
            loggers::COMMIT_REQUESTS.error(text),
            Weight::Detail,
            &rules::COMMIT,
            ctx,
        );
    }
}
