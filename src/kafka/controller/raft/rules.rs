//! The quorum's named behaviours, for "why?".

use crate::kafka::rule::Rule;

macro_rules! rules {
    ($($name:ident = $path:literal, $about:literal, $source:literal;)*) => {
        $(#[doc = $about]
        pub const $name: Rule = Rule { name: $path, about: $about, source: $source };)*
    };
}

rules! {
    PRE_VOTE = "quorum/pre-vote", "A voter that hears nothing of its leader first asks whether it would be elected; who fetches from a leader says no, so a voter that was cut off does not depose a healthy leader.", "KIP-996, FollowerState.canGrantVote";
    VOTE = "quorum/vote", "One vote in each epoch, only for a candidate whose log is at least as long, and only while no leader of the epoch is known.", "KafkaRaftClient.handleVoteRequest";
    ELECTED = "quorum/election", "A majority of votes makes the leader of an epoch; voters hear of it by BeginQuorumEpoch, brokers by asking any controller.", "KafkaRaftClient.onBecomeLeader";
    CHECK_QUORUM = "quorum/check-quorum", "A leader from which no majority of voters has fetched for one and a half controller.quorum.fetch.timeout.ms gives up.", "LeaderState.timeUntilCheckQuorumExpires";
    RESIGN = "quorum/resign", "A leader that gives up names its successors, the longest log first; they need not wait for the fetch time-out.", "KafkaRaftClient.handleEndQuorumEpochRequest";
    HIGH_WATERMARK = "quorum/high-watermark", "A metadata record is committed when a majority of voters has it, and a record of the leader's own epoch with it.", "LeaderState.maybeUpdateHighWatermark";
    UNCOMMITTED = "quorum/uncommitted", "A leader answers a request when its records are committed; if it loses the lead before, the request fails with NOT_CONTROLLER and the next leader's log decides about the records.", "QuorumController.renounce";
}
