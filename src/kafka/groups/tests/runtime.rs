//! Loading, writing, waiting for the high watermark, failing over.

use super::*;
use crate::kafka::hash::coordinator_partition;

#[test]
fn groups_are_spread_by_their_hash() {
    let mut groups = GroupCoordinator::new(&settings(&[("offsets.topic.num.partitions", "1")]), 1, 7);
    groups.startup(Some(50));
    assert_eq!(groups.partition_for("g"), coordinator_partition("g", 50));
    assert_eq!(groups.partition_for("polygenelubricants"), 0);
    groups.startup(Some(10));
    assert_eq!(groups.partition_for("g"), coordinator_partition("g", 50));
}

#[test]
fn what_is_not_loaded_is_refused() {
    let mut bench = Bench::new(&[]);
    bench.groups = GroupCoordinator::new(&settings(&[]), 1, 7);
    let not_started = bench.send(join("", None));
    bench.groups.startup(None);
    let not_led = bench.send(join("", None));
    assert!(bench.groups.begin_load(0, 4));
    let loading = bench.send(join("", None));
    let list = bench.send(ListGroupsRequest);
    let beat = bench.send(heartbeat("m", None, 1));
    let errors = [not_started, not_led, loading, list, beat].map(|number| bench.error(number));
    let load = ErrorCode::CoordinatorLoadInProgress;
    let none = ErrorCode::None;
    assert_eq!(
        errors,
        [
            ErrorCode::CoordinatorNotAvailable,
            ErrorCode::NotCoordinator,
            load,
            load,
            none
        ]
    );
    bench.load(4);
    assert!(!bench.groups.begin_load(0, 5));
    bench.act(|groups, env| groups.unload(0, Some(5), env));
    let active = bench.send(join("", None));
    assert_eq!(bench.error(active), ErrorCode::MemberIdRequired);
    bench.act(|groups, env| groups.unload(0, Some(6), env));
    let resigned = bench.send(join("", None));
    assert_eq!(bench.error(resigned), ErrorCode::NotCoordinator);
    assert!(bench.timers.is_empty());
}

#[test]
fn resigning_answers_everybody_who_waits() {
    let mut bench = Bench::new(&[]);
    let a = bench.stable_with_one();
    let (_, parked) = bench.join();
    bench.replicated = false;
    let commit = bench.commit(&a, 1);
    assert!(!bench.answered(parked) && !bench.answered(commit));
    bench.act(|groups, env| groups.unload(0, None, env));
    assert_eq!(bench.error(parked), ErrorCode::NotCoordinator);
    assert_eq!(bench.error(commit), ErrorCode::NotCoordinator);
}

#[test]
fn answers_wait_for_the_high_watermark_and_for_those_before() {
    let mut bench = Bench::new(&[]);
    let a = bench.stable_with_one();
    bench.replicated = false;
    let facts = bench.facts.len();
    let committed = bench.commit(&a, 5);
    let beat = bench.send(heartbeat(&a, None, 1));
    let refused = bench.send(heartbeat("nobody", None, 1));
    let (stable, now) = (bench.fetch("t", 0, true), bench.fetch("t", 0, false));
    assert!(!bench.answered(committed) && !bench.answered(beat) && !bench.answered(stable));
    assert_eq!(bench.error(refused), ErrorCode::UnknownMemberId);
    assert_eq!(bench.fetched(now), -1);
    assert_eq!(bench.facts.len(), facts);
    bench.replicate();
    assert_eq!(
        (bench.error(committed), bench.error(beat)),
        (ErrorCode::None, ErrorCode::None)
    );
    assert_eq!(bench.fetched(stable), 5);
    assert!(matches!(&bench.facts[facts..], [Fact::Committed { offset: 5, .. }]));
}

#[test]
fn a_write_that_waits_too_long_fails_and_stays() {
    let mut bench = Bench::new(&[]);
    let a = bench.stable_with_one();
    bench.replicated = false;
    let committed = bench.commit(&a, 5);
    bench.wait(2_000);
    let later = bench.commit(&a, 6);
    bench.wait(2_999);
    assert!(!bench.answered(committed));
    bench.wait(1);
    assert_eq!(bench.error(committed), ErrorCode::CoordinatorNotAvailable);
    assert!(!bench.answered(later));
    bench.wait(2_000);
    assert_eq!(bench.error(later), ErrorCode::CoordinatorNotAvailable);
    let facts = bench.facts.len();
    bench.replicate();
    assert_eq!(bench.facts.len(), facts + 2);
    let number = bench.fetch("t", 0, false);
    assert_eq!(bench.fetched(number), 6);
}

#[test]
fn a_failed_append_changes_nothing() {
    let mut bench = Bench::new(&[]);
    bench.send(commit("", -1, &[("t", 0, 1)]));
    bench.log.fails = Some(ErrorCode::NotLeaderOrFollower);
    let second = bench.send(commit("", -1, &[("t", 0, 2)]));
    assert_eq!(bench.error(second), ErrorCode::NotCoordinator);
    let other = OffsetCommitRequest {
        group: "other".into(),
        ..commit("", -1, &[("t", 0, 2)])
    };
    let other = bench.send(other);
    assert_eq!(bench.error(other), ErrorCode::NotCoordinator);
    assert!(bench.groups.group("other").is_none());
    bench.log.fails = None;
    let number = bench.fetch("t", 0, true);
    assert_eq!(bench.fetched(number), 1);
}

#[test]
fn a_join_whose_new_group_cannot_be_written_fails() {
    let mut bench = Bench::new(&[]);
    bench.log.fails = Some(ErrorCode::NotEnoughReplicas);
    let number = bench.send(join("", Some("i")));
    assert_eq!(bench.error(number), ErrorCode::CoordinatorNotAvailable);
    assert!(bench.groups.group(G).is_none());
}

#[test]
fn an_assignment_that_cannot_be_stored_makes_all_rejoin() {
    let mut bench = Bench::new(&[]);
    let (a, _) = bench.join();
    let (b, _) = bench.join();
    bench.wait(6_000);
    let follower = bench.sync(&b, &[]);
    bench.log.fails = Some(ErrorCode::NotEnoughReplicas);
    let leader = bench.sync(&a, &[(&a, 0), (&b, 1)]);
    assert_eq!(bench.error(follower), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(bench.error(leader), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
}

#[test]
fn an_assignment_is_given_out_only_when_it_is_replicated() {
    let mut bench = Bench::new(&[]);
    let (a, _) = bench.join();
    bench.wait(3_000);
    bench.replicated = false;
    let sync = bench.sync(&a, &[(&a, 0)]);
    assert!(!bench.answered(sync));
    assert_eq!(bench.state(), ClassicState::CompletingRebalance);
    bench.replicate();
    assert_eq!(*bench.synced(sync).assignment, [partition("t", 0)]);
    assert_eq!(bench.state(), ClassicState::Stable);
}

#[test]
fn a_static_member_that_cannot_be_written_gets_its_old_id_back() {
    let mut bench = Bench::new(&[]);
    let first = bench.send(join("", Some("i")));
    bench.wait(3_000);
    let old = bench.joined(first).member_id.clone();
    bench.sync_of(&old, Some("i"), 1, &[(&old, 3)]);
    bench.log.fails = Some(ErrorCode::NotEnoughReplicas);
    let second = bench.send(join("", Some("i")));
    assert_eq!(bench.error(second), ErrorCode::CoordinatorNotAvailable);
    let alive = bench.send(heartbeat(&old, Some("i"), 1));
    assert_eq!(bench.error(alive), ErrorCode::None);
}

#[test]
fn a_failover_while_the_leader_assigns_returns_to_the_last_stored_generation() {
    let mut bench = Bench::new(&[]);
    let (a, b) = bench.stable_with_two();
    let (c, joins) = bench.join();
    bench.send(join(&a, None));
    bench.send(join(&b, None));
    assert_eq!(bench.joined(joins).generation, 2);
    bench.fail_over(&[], 2);
    let view = bench.group();
    assert_eq!(
        (view.state, view.generation, view.members.len()),
        (GroupState::Classic(ClassicState::Stable), 1, 2)
    );
    assert_eq!(view.members[0].assignment.len(), 1);
    let known = bench.send(heartbeat(&a, None, 2));
    let unknown = bench.send(heartbeat(&c, None, 2));
    assert_eq!(bench.error(known), ErrorCode::IllegalGeneration);
    assert_eq!(bench.error(unknown), ErrorCode::UnknownMemberId);
    // Sessions begin anew with the new coordinator.
    bench.wait(9_999);
    assert_eq!(bench.state(), ClassicState::Stable);
    bench.wait(1);
    assert_eq!(bench.state(), ClassicState::Empty);
}

#[test]
fn what_is_above_the_high_watermark_is_loaded_and_not_shown() {
    let mut bench = Bench::new(&[]);
    bench.replicated = false;
    bench.send(commit("", -1, &[("t", 0, 7)]));
    bench.fail_over(&[], 2);
    assert_eq!(bench.group().offsets.len(), 1);
    assert_eq!(bench.describe().error, ErrorCode::GroupIdNotFound);
    let hidden = bench.fetch("t", 0, false);
    assert_eq!(bench.fetched(hidden), -1);
    assert!(bench.facts.is_empty());
    bench.replicate();
    let shown = bench.fetch("t", 0, false);
    assert_eq!((bench.fetched(shown), bench.facts.len()), (7, 1));
}

#[test]
fn a_loaded_group_over_its_size_rebalances() {
    let mut bench = Bench::new(&[]);
    bench.stable_with_two();
    bench.fail_over(&[("group.max.size", "1")], 2);
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
}

/// The high watermark never covers the record that made the group; by the time-out its member has had its answer, has
/// left, and the group is deleted.
#[test]
fn a_join_that_was_answered_is_not_answered_again_when_its_write_times_out() {
    let mut bench = Bench::new(&[]);
    bench.replicated = false;
    let joined = bench.send(join("", Some("i0")));
    bench.wait(3_334);
    let member = bench.joined(joined).member_id.clone();
    bench.send(leave(&[(&member, None)]));
    bench.send(DeleteGroupsRequest { groups: vec![G.into()] });
    bench.wait(1_666);
    assert_eq!(bench.error(joined), ErrorCode::None);
    assert!(bench.groups.group(G).is_none());
}
