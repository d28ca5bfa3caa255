//! The consumer against a scripted broker.

use super::scripted::{World, at, batch, properties};
use super::{CommitHabit, Consumer, ConsumerOrder, SeekTo};
use crate::kafka::client::call::{Answer, CallId};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::CommittedOffset;
use std::rc::Rc;

fn assigned(config: &[(&str, &str)]) -> World {
    let mut world = World::new(None, config);
    world.script(|script| {
        script
            .logs
            .insert("t", vec![vec![batch(0, &["a", "b", "c", "d"])], Vec::new()]);
    });
    world.call(0, |call| ConsumerOrder::Assign {
        call,
        partitions: vec![at("t", 0)],
    });
    world
}

const GROUP: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    ("enable.auto.commit", "false"),
    ("session.timeout.ms", "3000"),
    ("heartbeat.interval.ms", "300"),
    ("max.poll.interval.ms", "5000"),
];

fn member(more: &[(&str, &str)]) -> World {
    let mut config = GROUP.to_vec();
    config.extend(more);
    let mut world = World::new(Some("g"), &config);
    world.script(|script| {
        script.logs.insert("t", vec![vec![batch(0, &["a", "b"])], Vec::new()]);
    });
    world.call(0, |call| ConsumerOrder::Subscribe {
        call,
        topics: vec!["t".into()],
    });
    world
}

fn poll(world: &mut World, ms: i64, records: usize) -> u32 {
    world.call(ms as u64 + 50, |call| ConsumerOrder::Poll {
        call,
        timeout_ms: ms,
        records,
    })
}

fn polling(world: &mut World, on: bool, ms: u64) {
    world.call(ms, |call| ConsumerOrder::PollLoop { call, on });
}

fn seek(world: &mut World, to: SeekTo) -> u32 {
    world.call(0, |call| ConsumerOrder::Seek {
        call,
        partition: at("t", 0),
        to,
    })
}

#[test]
fn polls_seeks_and_pauses() {
    let mut world = assigned(&[("auto.offset.reset", "earliest"), ("max.poll.records", "2")]);
    let call = poll(&mut world, 2_000, 1);
    assert_eq!(world.offsets(call), [0, 1]);
    let call = poll(&mut world, 2_000, 1);
    assert_eq!(world.offsets(call), [2, 3]);
    seek(&mut world, SeekTo::Offset(1));
    let call = poll(&mut world, 2_000, 1);
    assert_eq!(world.offsets(call), [1, 2]);
    seek(&mut world, SeekTo::End);
    let call = poll(&mut world, 500, 0);
    assert!(world.offsets(call).is_empty());
    assert_eq!(world.consumer().position_of(&at("t", 0)), Some(4));
    seek(&mut world, SeekTo::Beginning);
    let partitions = vec![at("t", 0)];
    world.call(0, |call| ConsumerOrder::Pause { call, partitions });
    let call = poll(&mut world, 600, 0);
    assert!(world.offsets(call).is_empty());
    let partitions = vec![at("t", 0)];
    world.call(0, |call| ConsumerOrder::Resume { call, partitions });
    let call = poll(&mut world, 2_000, 4);
    assert_eq!(world.offsets(call), [0, 1, 2, 3]);
}

#[test]
fn an_idle_poll_costs_only_its_long_polls() {
    let mut world = assigned(&[("auto.offset.reset", "earliest")]);
    polling(&mut world, true, 1_000);
    assert_eq!(world.take_polled(), [0, 1, 2, 3]);
    let before = world.sim.events();
    world.run(20_000);
    // 40 long polls: request, the broker's timer, answer.
    assert!(world.sim.events() - before <= 125, "{}", world.sim.events() - before);
    world.append("t", 0, &["e"]);
    world.run(100);
    assert_eq!(world.take_polled(), [4]);
}

#[test]
fn out_of_range_without_a_policy_is_thrown_and_the_position_stays() {
    let mut world = assigned(&[("auto.offset.reset", "none")]);
    seek(&mut world, SeekTo::Offset(9));
    let call = poll(&mut world, 1_000, 0);
    let (class, text) = world.error(call);
    assert_eq!(class, "OffsetOutOfRangeException");
    assert_eq!(
        text,
        "Fetch position FetchPosition{offset=9, offsetEpoch=Optional.empty, currentLeader=LeaderAndEpoch{leader=Optional[b1:9092 (id: 1 rack: null isFenced: false)], epoch=0}} is out of range for partition t-0"
    );
    let call = world.call(10, |call| ConsumerOrder::Position {
        call,
        partition: at("t", 0),
    });
    assert_eq!(**world.answer(call).as_ref().expect("a position"), Answer::Position(9));
}

#[test]
fn out_of_range_with_a_policy_is_reset() {
    let mut world = assigned(&[("auto.offset.reset", "earliest")]);
    seek(&mut world, SeekTo::Offset(9));
    let call = poll(&mut world, 1_000, 4);
    assert_eq!(world.offsets(call), [0, 1, 2, 3]);
}

/// C-29: position 4 at epoch 0, then the log of epoch 0 ends at 2.
#[test]
fn a_cut_log_takes_the_position_back() {
    let mut world = assigned(&[("auto.offset.reset", "earliest"), ("metadata.max.age.ms", "500")]);
    polling(&mut world, true, 300);
    assert_eq!(world.take_polled(), [0, 1, 2, 3]);
    world.script(|script| {
        script.leader_epoch = 1;
        script.epoch_end = Some((0, 2));
        script.logs.insert(
            "t",
            vec![vec![batch(0, &["a", "b"]), batch(2, &["x", "y"])], Vec::new()],
        );
    });
    world.run(1_000);
    world.append("t", 0, &["z"]);
    world.run(1_000);
    assert_eq!(world.take_polled(), [2, 3, 4]);
}

#[test]
fn usage_errors() {
    let mut world = World::new(None, &[]);
    let call = poll(&mut world, 100, 0);
    assert_eq!(
        world.error(call).1,
        "Consumer is not subscribed to any topics or assigned any partitions"
    );
    let call = world.call(0, |call| ConsumerOrder::CommitSync { call, offsets: None });
    assert_eq!(world.error(call).0, "InvalidGroupIdException");
    let call = seek(&mut world, SeekTo::Offset(0));
    assert_eq!(world.error(call).1, "No current assignment for partition t-0");
    let call = seek(&mut world, SeekTo::Offset(-1));
    assert_eq!(world.error(call).1, "seek offset must not be a negative number");
    let call = world.call(10, |call| ConsumerOrder::Close { call, leave: None });
    assert!(world.answer(call).is_ok());
    let call = poll(&mut world, 100, 0);
    assert_eq!(world.error(call).1, "This consumer has already been closed.");
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let make = |config: &[(&str, &str)]| {
        Consumer::new("c", &[("b1".into(), 9092)], Some("g".into()), properties(config), 1)
            .expect_err("refused")
            .class
    };
    assert_eq!(&*make(&[("heartbeat.interval.ms", "45000")]), "KafkaException");
}

#[test]
fn joins_in_two_rounds_reads_and_heartbeats() {
    let mut world = member(&[]);
    world.run(500);
    assert_eq!(world.seen("JoinGroupRequest"), 0);
    polling(&mut world, true, 1_000);
    assert_eq!(world.take_events(), ["assigned [t-0, t-1]"]);
    assert_eq!(world.take_polled(), [0, 1]);
    assert_eq!(world.seen("JoinGroupRequest"), 2);
    assert_eq!((world.consumer().generation(), world.consumer().is_leader()), (1, true));
    world.run(3_000);
    assert!(
        (9..=14).contains(&world.seen("HeartbeatRequest")),
        "{}",
        world.seen("HeartbeatRequest")
    );
}

#[test]
fn rebalances_eagerly() {
    let mut world = member(&[]);
    polling(&mut world, true, 1_000);
    world.take_events();
    world.script(|script| script.heartbeat = ErrorCode::RebalanceInProgress);
    world.run(1_000);
    assert_eq!(world.take_events(), ["revoked [t-0, t-1]", "assigned [t-0, t-1]"]);
    // Nothing was committed: it reads again.
    assert_eq!(world.take_polled(), [0, 1, 0, 1]);
    world.script(|script| script.heartbeat = ErrorCode::UnknownMemberId);
    world.run(1_000);
    assert_eq!(world.take_events(), ["lost [t-0, t-1]", "assigned [t-0, t-1]"]);
}

/// What the other one is to have is given up after the first rebalance, with the listener's commit, and moves in the second;
/// the rest is read on without a break.
#[test]
fn rebalances_cooperatively() {
    let strategy = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let mut world = member(&[("partition.assignment.strategy", strategy)]);
    world.call(0, |call| ConsumerOrder::Listener {
        call,
        commit_on_revoke: true,
    });
    polling(&mut world, true, 1_000);
    assert_eq!(world.take_events(), ["assigned [t-0, t-1]"]);
    world.script(|script| {
        script.company = true;
        script.heartbeat = ErrorCode::RebalanceInProgress;
    });
    world.run(2_000);
    assert_eq!(
        world.take_events(),
        [
            "revoked [t-1]",
            "committed t-0 at 2, t-1 at 0",
            "assigned []",
            "assigned []"
        ]
    );
    assert_eq!(world.take_polled(), [0, 1]);
    assert_eq!(world.consumer().generation(), 3);
    world.script(|script| script.heartbeat = ErrorCode::UnknownMemberId);
    world.run(1_000);
    assert_eq!(world.take_events()[0], "lost [t-0]");
}

/// `sticky` tells the next leader what it had, though it gave everything up.
#[test]
fn the_sticky_assignor_remembers() {
    let strategy = "org.apache.kafka.clients.consumer.StickyAssignor";
    let mut world = member(&[("partition.assignment.strategy", strategy)]);
    polling(&mut world, true, 1_000);
    world.script(|script| script.heartbeat = ErrorCode::RebalanceInProgress);
    world.run(1_000);
    world.script(|script| {
        let joined = script.last_join.clone().expect("it joined");
        let told = &joined.protocols[0].1;
        assert_eq!((told.owned.len(), told.generation), (2, 1));
    });
    assert_eq!(
        world.take_events(),
        ["assigned [t-0, t-1]", "revoked [t-0, t-1]", "assigned [t-0, t-1]"]
    );
}

#[test]
fn commits_and_goes_on_from_there() {
    let mut world = member(&[]);
    polling(&mut world, true, 1_000);
    let call = world.call(100, |call| ConsumerOrder::CommitSync { call, offsets: None });
    assert!(world.answer(call).is_ok());
    assert_eq!(world.broker().committed[&at("t", 0)].offset, 2);
    world.take_polled();
    world.call(100, |call| ConsumerOrder::EnforceRebalance { call });
    world.append("t", 0, &["c"]);
    world.run(500);
    assert_eq!(world.take_polled(), [2]);
    let offset = CommittedOffset {
        offset: 1,
        leader_epoch: -1,
        metadata: "".into(),
    };
    let offsets = Some([(at("t", 0), offset)].into());
    world.take_events();
    world.call(200, |call| ConsumerOrder::CommitAsync { call, offsets });
    assert_eq!(world.take_events(), ["committed t-0 at 1"]);
}

#[test]
fn commits_that_run_out_of_time_say_so() {
    let mut world = member(&[("default.api.timeout.ms", "4000")]);
    polling(&mut world, true, 1_000);
    world.script(|script| script.commit = ErrorCode::UnknownTopicOrPartition);
    let offset = CommittedOffset {
        offset: 1,
        leader_epoch: -1,
        metadata: "".into(),
    };
    let offsets = Some([(at("x", 0), offset)].into());
    let call = world.call(4_500, |call| ConsumerOrder::CommitSync { call, offsets });
    assert_eq!(
        world.error(call).1,
        "Timeout of 4000ms expired before successfully committing offsets {x-0=OffsetAndMetadata{offset=1, leaderEpoch=null, metadata=''}}"
    );
    assert!((4..=12).contains(&world.seen("OffsetCommitRequest")));
}

#[test]
fn an_overslept_member_leaves_and_may_not_commit() {
    let mut world = member(&[]);
    polling(&mut world, true, 1_000);
    polling(&mut world, false, 5_200);
    assert_eq!(world.seen("LeaveGroupRequest"), 1);
    let call = world.call(100, |call| ConsumerOrder::CommitSync { call, offsets: None });
    assert_eq!(world.error(call).0, "CommitFailedException");
    world.take_events();
    polling(&mut world, true, 1_000);
    assert_eq!(world.take_events(), ["lost [t-0, t-1]", "assigned [t-0, t-1]"]);
}

#[test]
fn auto_commit_covers_earlier_polls_and_close_commits_the_rest() {
    let mut world = member(&[("enable.auto.commit", "true"), ("auto.commit.interval.ms", "1000")]);
    polling(&mut world, true, 2_500);
    assert_eq!(world.broker().committed[&at("t", 0)].offset, 2);
    world.append("t", 0, &["c"]);
    world.run(10);
    assert_eq!(world.broker().committed[&at("t", 0)].offset, 2);
    let fetches = world.seen("FetchRequest");
    let call = world.call(1_000, |call| ConsumerOrder::Close { call, leave: None });
    assert!(world.answer(call).is_ok());
    assert_eq!(world.broker().committed[&at("t", 0)].offset, 3);
    assert_eq!(world.seen("FetchRequest"), fetches + 1, "the last one ends the session");
    assert_eq!(world.seen("LeaveGroupRequest"), 1);
    assert_eq!(world.take_events(), ["assigned [t-0, t-1]", "revoked [t-0, t-1]"]);
    assert_eq!(world.consumer().state(), "closed");
}

#[test]
fn unsubscribing_commits_nothing_and_leaves() {
    let mut world = member(&[("enable.auto.commit", "true"), ("auto.commit.interval.ms", "60000")]);
    polling(&mut world, true, 1_000);
    world.call(100, |call| ConsumerOrder::Unsubscribe { call });
    assert!(world.broker().committed.is_empty());
    assert_eq!(world.seen("LeaveGroupRequest"), 1);
    let events = world.take_events();
    assert_eq!(&events[..2], ["assigned [t-0, t-1]", "revoked [t-0, t-1]"]);
}

#[test]
fn the_application_works_on_each_record_and_commits_after() {
    let mut world = member(&[("max.poll.records", "1")]);
    world.call(0, |call| ConsumerOrder::Application {
        call,
        work_us: 200_000,
        commit: CommitHabit::After,
    });
    polling(&mut world, true, 100);
    assert_eq!(world.consumer().state(), "working");
    assert_eq!(
        world.consumer().working_on(world.sim.now()).map(|record| record.offset),
        Some(0)
    );
    assert!(world.broker().committed.is_empty());
    world.run(180);
    assert_eq!(world.broker().committed[&at("t", 0)].offset, 1);
    world.run(400);
    assert_eq!(world.broker().committed[&at("t", 0)].offset, 2);
    assert_eq!(world.consumer().lag_of(&at("t", 0)), Some(0));
}

#[test]
fn a_slow_application_is_thrown_out() {
    let mut world = member(&[("max.poll.records", "2")]);
    world.call(0, |call| ConsumerOrder::Application {
        call,
        work_us: 4_000_000,
        commit: CommitHabit::After,
    });
    polling(&mut world, true, 8_500);
    assert_eq!(world.seen("LeaveGroupRequest"), 1);
    let events = world.take_events();
    assert_eq!(events[0], "assigned [t-0, t-1]");
    assert!(
        events[1].starts_with("commit failed: CommitFailedException"),
        "{events:?}"
    );
    assert_eq!(&events[2..], ["lost [t-0, t-1]", "assigned [t-0, t-1]"]);
}

#[test]
fn a_pattern_finds_topics_that_come_later() {
    let mut world = World::new(Some("g"), &[GROUP, &[("metadata.max.age.ms", "1000")]].concat());
    world.script(|script| {
        script.logs.insert("pat-a", vec![Vec::new()]);
        script.logs.insert("patx", vec![Vec::new()]);
    });
    let pattern = Rc::from("pat-.*");
    world.call(0, |call| ConsumerOrder::SubscribePattern { call, pattern });
    polling(&mut world, true, 1_500);
    assert_eq!(world.take_events(), ["assigned [pat-a-0]"]);
    world.script(|script| {
        script.logs.insert("pat-b", vec![Vec::new(), Vec::new()]);
    });
    world.run(3_000);
    assert_eq!(
        world.take_events(),
        ["revoked [pat-a-0]", "assigned [pat-a-0, pat-b-0, pat-b-1]"]
    );
}

#[test]
fn a_refused_session_timeout_ends_the_loop() {
    let mut world = member(&[]);
    world.script(|script| script.join = ErrorCode::InvalidSessionTimeout);
    polling(&mut world, true, 500);
    let events = world.take_events();
    assert!(events[0].starts_with("poll() threw InvalidSessionTimeoutException: The session timeout"));
    assert!(!world.consumer().polls());
}

#[test]
fn the_listener_commits_when_partitions_are_revoked() {
    let mut world = member(&[]);
    world.call(0, |call| ConsumerOrder::Listener {
        call,
        commit_on_revoke: true,
    });
    polling(&mut world, true, 1_000);
    world.call(500, |call| ConsumerOrder::EnforceRebalance { call });
    assert_eq!(
        world.take_events(),
        [
            "assigned [t-0, t-1]",
            "revoked [t-0, t-1]",
            "committed t-0 at 2, t-1 at 0",
            "assigned [t-0, t-1]"
        ]
    );
}

#[test]
fn times_without_a_record_have_no_offset() {
    let mut world = assigned(&[]);
    let times = vec![(at("t", 0), 99_999)];
    let call = world.call(500, |call: CallId| ConsumerOrder::OffsetsForTimes { call, times });
    let expected = Answer::Offsets([(at("t", 0), Ok(None))].into());
    assert_eq!(**world.answer(call).as_ref().expect("an answer"), expected);
}
