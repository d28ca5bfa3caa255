//! What the quorum reports to people.

use super::rules;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::NodeId;
use crate::sim::Span;

/// Why a leader resigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResignCause {
    /// No majority of voters fetched from it in time.
    CheckQuorum,
    Shutdown,
}

/// A voter's observation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RaftNote {
    /// It asks for pre-votes; `silent`: the leader that did not answer for `timeout`.
    Prospective {
        epoch: i32,
        silent: Option<NodeId>,
        timeout: Span,
    },
    PreVotesLost {
        epoch: i32,
    },
    /// It asks for votes in a new epoch.
    Candidate {
        epoch: i32,
    },
    /// It was asked for a vote.
    Vote {
        candidate: NodeId,
        epoch: i32,
        pre_vote: bool,
        granted: bool,
        up_to_date: bool,
    },
    Elected {
        epoch: i32,
        votes: Vec<NodeId>,
        voters: u32,
    },
    Follows {
        leader: NodeId,
        epoch: i32,
    },
    /// It heard of a higher epoch without a leader.
    NewEpoch {
        epoch: i32,
    },
    Resigned {
        epoch: i32,
        cause: ResignCause,
        timeout: Span,
    },
    /// Its leader resigned; this voter asks for votes after so long.
    Succession {
        leader: NodeId,
        epoch: i32,
        wait_ms: i64,
    },
    /// A majority has everything below.
    Committed {
        to: i64,
    },
    /// Records that the new leader does not have were cut.
    Truncated {
        from: i64,
        to: i64,
    },
    /// No longer active: so many requests fail with NOT_CONTROLLER, and records from `committed` to `end` may never be
    /// committed.
    Renounced {
        requests: u32,
        committed: i64,
        end: i64,
    },
}

impl RaftNote {
    pub fn rule(&self) -> &'static Rule {
        match self {
            Self::Prospective { .. } | Self::PreVotesLost { .. } | Self::Vote { pre_vote: true, .. } => {
                &rules::PRE_VOTE
            }
            Self::Candidate { .. } | Self::Vote { .. } | Self::NewEpoch { .. } => &rules::VOTE,
            Self::Elected { .. } | Self::Follows { .. } => &rules::ELECTED,
            Self::Resigned {
                cause: ResignCause::CheckQuorum,
                ..
            } => &rules::CHECK_QUORUM,
            Self::Resigned { .. } | Self::Succession { .. } => &rules::RESIGN,
            Self::Committed { .. } => &rules::HIGH_WATERMARK,
            Self::Truncated { .. } | Self::Renounced { .. } => &rules::UNCOMMITTED,
        }
    }

    pub fn weight(&self) -> Weight {
        match self {
            Self::Committed { .. }
            | Self::PreVotesLost { .. }
            | Self::NewEpoch { .. }
            | Self::Prospective { silent: None, .. }
            | Self::Vote { pre_vote: true, .. } => Weight::Detail,
            Self::Resigned {
                cause: ResignCause::CheckQuorum,
                ..
            } => Weight::Alarm,
            Self::Renounced {
                requests,
                committed,
                end,
            } if *requests == 0 && committed == end => Weight::Detail,
            _ => Weight::Matters,
        }
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Prospective {
                silent: Some(_),
                timeout,
                ..
            } => vec![("controller.quorum.fetch.timeout.ms", timeout.as_ms().to_string())],
            Self::Resigned {
                cause: ResignCause::CheckQuorum,
                timeout,
                ..
            } => {
                let fetch_ms = timeout.as_ms() / 3 * 2;
                vec![("controller.quorum.fetch.timeout.ms", fetch_ms.to_string())]
            }
            _ => Vec::new(),
        }
    }

    /// One sentence for people.
    pub fn text(&self, names: &dyn Names) -> String {
        match self {
            Self::Prospective {
                epoch,
                silent: Some(leader),
                timeout,
            } => format!(
                "no answer from leader {} for {} ms: asks for pre-votes in epoch {epoch}",
                names.node(*leader),
                timeout.as_ms()
            ),
            Self::Prospective { epoch, .. } => format!("no leader found: asks for pre-votes in epoch {epoch}"),
            Self::PreVotesLost { epoch } => format!("no majority would vote for it: stays in epoch {epoch}"),
            Self::Candidate { epoch } => format!("candidate: asks for votes in epoch {epoch}"),
            Self::Vote { .. } => self.vote_text(names),
            Self::Elected { epoch, votes, voters } => {
                let votes: Vec<String> = votes.iter().map(|id| names.node(*id)).collect();
                let count = votes.len();
                format!(
                    "leads the quorum in epoch {epoch}: {count} of {voters} votes ({})",
                    votes.join(", ")
                )
            }
            Self::Follows { leader, epoch } => format!("follows {} in quorum epoch {epoch}", names.node(*leader)),
            Self::NewEpoch { epoch } => format!("quorum epoch {epoch}, leader not known yet"),
            Self::Resigned {
                epoch,
                cause: ResignCause::CheckQuorum,
                timeout,
            } => format!(
                "resigns in epoch {epoch}: no majority of voters fetched for {} ms",
                timeout.as_ms()
            ),
            Self::Resigned { epoch, .. } => format!("resigns in epoch {epoch} to shut down"),
            Self::Succession { leader, epoch, wait_ms } => format!(
                "{} gave up epoch {epoch}: asks for pre-votes in {wait_ms} ms",
                names.node(*leader)
            ),
            Self::Committed { to } => format!("metadata committed up to {to}"),
            Self::Truncated { from, to } => {
                format!("metadata log cut from {from} to {to}: its leader has other records")
            }
            Self::Renounced {
                requests,
                committed,
                end,
            } => format!(
                "no longer the active controller: {requests} requests fail, {} records are not committed",
                end - committed
            ),
        }
    }

    fn vote_text(&self, names: &dyn Names) -> String {
        let Self::Vote {
            candidate,
            epoch,
            pre_vote,
            granted,
            up_to_date,
        } = self
        else {
            return String::new();
        };
        let what = if *pre_vote { "pre-vote" } else { "vote" };
        let who = names.node(*candidate);
        match (granted, up_to_date) {
            (true, _) => format!("{what} for {who} in epoch {epoch}"),
            (false, false) => format!("no {what} for {who} in epoch {epoch}: its log is shorter"),
            (false, true) => format!("no {what} for {who} in epoch {epoch}"),
        }
    }
}
