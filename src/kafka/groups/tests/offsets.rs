//! Offsets: commits, fetches, deletions, expiry.

use super::*;
use crate::ordered::OrderedSet;

#[test]
fn commits_are_taken_while_members_rejoin_and_not_while_the_leader_assigns() {
    let mut bench = Bench::new(&[]);
    let (a, b) = bench.stable_with_two();
    let stable = bench.commit(&a, 1);
    bench.member_id();
    bench.send(join(&a, None));
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
    let preparing = bench.commit(&b, 2);
    bench.send(join(&b, None));
    bench.wait(10_000);
    assert_eq!(bench.state(), ClassicState::CompletingRebalance);
    let completing = bench.commit(&a, 3);
    let errors = [stable, preparing, completing].map(|number| bench.error(number));
    assert_eq!(
        errors,
        [ErrorCode::None, ErrorCode::None, ErrorCode::RebalanceInProgress]
    );
    let fetched = bench.fetch("t", 0, true);
    assert_eq!(bench.fetched(fetched), 2);
    let old = bench.send(commit(&a, 1, &[("t", 0, 9)]));
    assert_eq!(bench.error(old), ErrorCode::IllegalGeneration);
}

#[test]
fn commits_from_outside_need_an_empty_group() {
    let mut bench = Bench::new(&[]);
    let simple = bench.send(commit("", -1, &[("t", 0, 4), ("t", 9, 1), ("nosuch", 0, 1)]));
    let Some(Body::OffsetCommitResponse(answer)) = bench.replies.get(&simple) else {
        panic!("no answer")
    };
    let errors: Vec<ErrorCode> = answer.partitions.iter().map(|(_, error)| *error).collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(errors, [ErrorCode::None, unknown, unknown]);
    assert_eq!(bench.group().protocol_type, None);
    let stray = bench.send(OffsetCommitRequest {
        group: "other".into(),
        ..commit("m", 3, &[("t", 0, 1)])
    });
    assert_eq!(bench.error(stray), ErrorCode::GroupIdNotFound);
    bench.stable_with_one();
    let refused = bench.send(commit("", -1, &[("t", 0, 5)]));
    assert_eq!(bench.error(refused), ErrorCode::UnknownMemberId);
    let fetched = bench.fetch("t", 0, false);
    assert_eq!(bench.fetched(fetched), 4);
}

#[test]
fn metadata_that_is_too_long_fails_its_partition_only() {
    let mut bench = Bench::new(&[("offset.metadata.max.bytes", "3")]);
    let mut request = commit("", -1, &[("t", 0, 1), ("t", 1, 2)]);
    request.offsets[0].1.metadata = "four".into();
    let number = bench.send(request);
    assert_eq!(bench.error(number), ErrorCode::OffsetMetadataTooLarge);
    let (long, short) = (bench.fetch("t", 0, true), bench.fetch("t", 1, true));
    assert_eq!((bench.fetched(long), bench.fetched(short)), (-1, 2));
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut bench = Bench::new(&[]);
    bench.send(commit("", -1, &[("t", 0, 1), ("u", 0, 2)]));
    let gone = OrderedSet::from([TopicId(1)]);
    bench.act(|groups, env| groups.topics_deleted(&gone, env));
    bench.replicate();
    let (t, u) = (bench.fetch("t", 0, true), bench.fetch("u", 0, true));
    assert_eq!((bench.fetched(t), bench.fetched(u)), (-1, 2));
    bench.fail_over(&[], 2);
    assert_eq!(bench.group().offsets.len(), 1);
}

#[test]
fn an_offset_of_an_earlier_topic_of_the_name_is_none() {
    let mut bench = Bench::new(&[]);
    bench.send(commit("", -1, &[("t", 0, 1)]));
    bench.log.topics.insert("t".into(), (TopicId(9), 4));
    let number = bench.fetch("t", 0, true);
    assert_eq!(bench.fetched(number), -1);
}

#[test]
fn operators_delete_what_nobody_uses() {
    let mut bench = Bench::new(&[]);
    let a = bench.stable_with_one();
    bench.commit(&a, 3);
    let delete = |p: NamedPartition| OffsetDeleteRequest {
        group: G.into(),
        partitions: vec![p],
    };
    let groups = DeleteGroupsRequest { groups: vec![G.into()] };
    let (used, other) = (
        bench.send(delete(partition("t", 0))),
        bench.send(delete(partition("u", 0))),
    );
    let active = bench.send(groups.clone());
    assert_eq!(bench.error(used), ErrorCode::GroupSubscribedToTopic);
    assert_eq!(
        (bench.error(other), bench.error(active)),
        (ErrorCode::None, ErrorCode::NonEmptyGroup)
    );
    bench.send(leave(&[(&a, None)]));
    let unused = bench.send(delete(partition("t", 0)));
    assert_eq!((bench.error(unused), bench.group().offsets.len()), (ErrorCode::None, 0));
    let (empty, missing) = (bench.send(groups.clone()), bench.send(groups));
    assert_eq!(
        (bench.error(empty), bench.error(missing)),
        (ErrorCode::None, ErrorCode::GroupIdNotFound)
    );
    let described = bench.describe();
    assert_eq!(
        (&*described.state, described.error),
        ("Dead", ErrorCode::GroupIdNotFound)
    );
    assert_eq!(described.message.as_deref(), Some("Group g not found."));
    let nothing = bench.send(delete(partition("t", 0)));
    assert_eq!(bench.error(nothing), ErrorCode::GroupIdNotFound);
}

/// Retention of one minute, looked at every second.
const SHORT: &[(&str, &str)] = &[
    ("offsets.retention.minutes", "1"),
    ("offsets.retention.check.interval.ms", "1000"),
];

#[test]
fn the_offsets_of_an_empty_group_expire_from_when_it_became_empty() {
    let mut bench = Bench::new(SHORT);
    let a = bench.stable_with_one();
    bench.commit(&a, 3);
    for _ in 0..10 {
        bench.wait(9_000);
        bench.heartbeat(&a);
    }
    assert_eq!(bench.group().offsets.len(), 1);
    bench.send(leave(&[(&a, None)]));
    bench.wait(59_000);
    assert_eq!(bench.group().offsets.len(), 1);
    bench.wait(2_000);
    assert!(bench.groups.group(G).is_none());
}

#[test]
fn nothing_expires_while_members_rejoin() {
    let mut bench = Bench::new(SHORT);
    let mut request = join("", Some("i"));
    request.rebalance_timeout_ms = 200_000;
    request.session_timeout_ms = 300_000;
    let first = bench.send(request);
    bench.wait(3_000);
    let seat = bench.joined(first).member_id.clone();
    bench.sync_of(&seat, Some("i"), 1, &[]);
    // No member subscribes to u: in a Stable group its offset would expire.
    bench.send(OffsetCommitRequest {
        instance_id: Some("i".into()),
        ..commit(&seat, 1, &[("u", 0, 5)])
    });
    bench.member_id();
    let (_, waiting) = bench.join();
    bench.wait(100_000);
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
    assert!(!bench.answered(waiting));
    assert_eq!(bench.group().offsets.len(), 1);
}

#[test]
fn a_simple_group_expires_by_its_commits() {
    let mut bench = Bench::new(SHORT);
    bench.send(commit("", -1, &[("t", 0, 1)]));
    bench.wait(30_000);
    bench.send(commit("", -1, &[("t", 1, 1)]));
    bench.wait(31_000);
    let left: Vec<NamedPartition> = bench.group().offsets.iter().map(|(p, _)| (*p).clone()).collect();
    assert_eq!(left, [partition("t", 1)]);
    bench.wait(30_000);
    assert!(bench.groups.group(G).is_none());
}
