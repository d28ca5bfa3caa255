//! Brokers in a small world: start, replication, fail-over, truncation, crashes.

use super::test_world::{T0, World, create, elect, produce, topic};
use super::{BrokerState, ReplicaRole};
use crate::kafka::note::Fact;
use crate::kafka::protocol::data::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::wire::Order;
use crate::sim::{Halt, ProcId};

#[test]
fn three_brokers_start_and_replicate_an_acks_all_produce() {
    let script = vec![
        (4_000, "b1", produce(-1, "a")),
        (4_200, "b2", produce(-1, "x")),
        (4_300, "b1", produce(1, "b")),
    ];
    let mut world = World::new(vec![(2_000, topic(&[]))], script);
    world.run_to(3_500);
    for id in 1..=3 {
        assert_eq!(world.broker(id).state(), BrokerState::Running, "broker {id}");
    }
    assert_eq!(world.broker(1).replica(T0).map(|r| r.role()), Some(ReplicaRole::Leader));
    world.run_to(6_000);
    assert_eq!(world.produced(0), (ErrorCode::None, 0));
    assert_eq!(world.produced(1), (ErrorCode::NotLeaderOrFollower, -1));
    assert_eq!(world.produced(2), (ErrorCode::None, 1));
    for id in 1..=3 {
        assert_eq!(world.log(id), (2, 2, vec![(0, 0)], "ab".into()), "broker {id}");
        let checkpoint = world
            .broker(id)
            .replica(T0)
            .and_then(|r| r.checkpointed_high_watermark());
        assert_eq!(checkpoint, Some(2));
    }
    assert_eq!(world.controller().alter_partitions, 0);
}

#[test]
fn a_new_leader_takes_over_and_the_old_one_truncates_what_only_it_had() {
    let control = vec![(2_000, topic(&[])), (5_000, elect(2, &[2, 3]))];
    let script = vec![
        (3_000, "b1", produce(-1, "a")),
        (4_000, "b1", produce(1, "lost")),
        (6_000, "b2", produce(-1, "c")),
    ];
    let mut world = World::new(control, script);
    world.at(3_900, |sim, brokers| {
        for other in [1, 2] {
            let (a, b) = (sim.host_of(brokers[0]), sim.host_of(brokers[other]));
            sim.network_mut().link_mut(b, a).cut = true;
            sim.network_mut().link_mut(a, b).cut = true;
        }
    });
    world.at(4_500, |sim, brokers| sim.halt(brokers[0], Halt::Crash));
    world.run_to(7_000);
    assert_eq!(world.produced(1), (ErrorCode::None, 1));
    assert_eq!(world.produced(2), (ErrorCode::None, 1));
    assert_eq!(world.log(1).3, "alost", "still on its disk");
    world.at(7_000, |sim, brokers| {
        sim.network_mut().heal_all();
        sim.start(brokers[0]);
    });
    world.run_to(12_000);
    for id in 1..=3 {
        assert_eq!(world.log(id), (2, 2, vec![(0, 0), (1, 1)], "ac".into()), "broker {id}");
    }
    let cut = |(who, fact): &(ProcId, Fact)| {
        *who == world.brokers[0] && matches!(fact, Fact::Truncated { from: 2, to: 1, .. })
    };
    assert!(world.facts.iter().any(cut));
    assert_eq!(world.controller().image.partitions[&T0].isr, [1, 2, 3]);
}

#[test]
fn r15_a_follower_cut_off_leaves_the_isr_and_acks_all_waits_for_that() {
    let control = vec![(2_000, topic(&[("min.insync.replicas", "3")]))];
    let script = vec![
        (3_000, "b1", produce(-1, "a")),
        (4_000, "b1", produce(-1, "b")),
        (9_000, "b1", produce(-1, "c")),
    ];
    let mut world = World::new(control, script);
    world.at(3_900, |sim, brokers| {
        let (a, b) = (sim.host_of(brokers[0]), sim.host_of(brokers[2]));
        sim.network_mut().link_mut(b, a).cut = true;
    });
    world.run_to(10_000);
    assert_eq!(world.produced(1).0, ErrorCode::RequestTimedOut);
    assert_eq!(world.produced(2).0, ErrorCode::NotEnoughReplicas);
    assert_eq!(world.controller().image.partitions[&T0].isr, [1, 2]);
    assert_eq!(
        world.log(1).1,
        1,
        "the high watermark stands still below min.insync.replicas"
    );
    world.at(10_000, |sim, _| sim.network_mut().heal_all());
    world.run_to(16_000);
    assert_eq!(world.log(3), (2, 2, vec![(0, 0)], "ab".into()));
}

#[test]
fn a_power_failure_takes_what_was_not_flushed_a_clean_shutdown_leaves_all() {
    let script = vec![(3_000, "b1", produce(-1, "a"))];
    let mut world = World::new(vec![(2_000, topic(&[]))], script);
    world.run_to(4_000);
    assert_eq!(world.broker(3).unflushed(), 1);
    world.at(4_000, |sim, brokers| {
        sim.halt(brokers[2], Halt::PowerLoss);
        sim.order(brokers[1], Order::Shutdown);
    });
    world.run_to(4_500);
    assert_eq!(world.log(3).0, 0);
    assert_eq!(world.broker(2).state(), BrokerState::NotRunning);
    let stored = world.broker(2).replica(T0).expect("a log");
    assert_eq!(
        (stored.end_offset(), stored.unflushed(), stored.role()),
        (1, 0, ReplicaRole::Stored)
    );
    world.at(5_000, |sim, brokers| {
        sim.start(brokers[1]);
        sim.start(brokers[2]);
    });
    world.run_to(9_000);
    for id in 1..=3 {
        assert_eq!(world.log(id), (1, 1, vec![(0, 0)], "a".into()), "broker {id}");
    }
}

#[test]
fn fetches_wait_for_data_and_end_at_their_time() {
    let fetch = |offset| {
        Body::from(FetchRequest {
            replica: CONSUMER_REPLICA,
            broker_epoch: -1,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 1_000_000,
            isolation: Isolation::ReadUncommitted,
            rack: "".into(),
            session: SessionPoint::NONE,
            partitions: vec![FetchPartition {
                partition: T0,
                current_leader_epoch: 0,
                fetch_offset: offset,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                max_bytes: 1_000_000,
            }],
            forgotten: Vec::new(),
        })
    };
    let script = vec![
        (2_900, "b1", fetch(0)),
        (3_000, "b1", produce(1, "a")),
        (4_000, "b1", fetch(1)),
        (5_000, "b1", fetch(2)),
        (6_000, "b2", fetch(0)),
    ];
    let mut world = World::new(vec![(2_000, topic(&[]))], script);
    world.run_to(7_000);
    let fetched = |index| match world.answer(index) {
        Some((at, Body::FetchResponse(r))) => (*at, r.partitions[0].error, r.partitions[0].batches.len()),
        other => panic!("no fetch answer but {other:?}"),
    };
    let (at, error, batches) = fetched(0);
    assert!(at < 3_100, "answered at {at}");
    assert_eq!((error, batches), (ErrorCode::None, 1));
    assert_eq!((fetched(2).0 >= 4_500, fetched(2).2), (true, 0));
    assert_eq!(fetched(3).1, ErrorCode::OffsetOutOfRange);
    assert_eq!(
        (fetched(4).1, fetched(4).2),
        (ErrorCode::None, 1),
        "a follower serves consumers"
    );
}

#[test]
fn producer_ids_come_from_the_controllers_block() {
    let init = || {
        Body::from(InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: -1,
            producer_id: -1,
            producer_epoch: -1,
        })
    };
    let script = vec![(3_000, "b1", init()), (3_100, "b1", init()), (3_200, "b1", init())];
    let mut world = World::new(Vec::new(), script);
    world.run_to(4_000);
    let got = |index| match world.answer(index) {
        Some((_, Body::InitProducerIdResponse(r))) => (r.error, r.producer_id),
        other => panic!("no answer but {other:?}"),
    };
    assert_eq!(got(0), (ErrorCode::CoordinatorLoadInProgress, -1));
    assert_eq!((got(1), got(2)), ((ErrorCode::None, 7000), (ErrorCode::None, 7001)));
}

#[test]
fn with_the_real_controller_a_leader_crashes_and_comes_back() {
    let script = vec![
        (4_000, "b2", create()),
        (5_000, "b1", produce(-1, "a")),
        (20_000, "b2", produce(-1, "b")),
    ];
    let mut world = World::real(script);
    world.run_to(6_000);
    assert!(
        matches!(world.answer(0), Some((_, Body::CreateTopicsResponse(r))) if r.topics[0].error == ErrorCode::None)
    );
    assert_eq!(world.produced(1), (ErrorCode::None, 0));
    world.at(6_000, |sim, brokers| sim.halt(brokers[0], Halt::Crash));
    world.run_to(22_000);
    assert_eq!(world.produced(2), (ErrorCode::None, 1));
    world.at(22_000, |sim, brokers| sim.start(brokers[0]));
    world.run_to(30_000);
    assert_eq!(world.broker(1).state(), BrokerState::Running);
    for id in 1..=3 {
        assert_eq!(world.log(id), (2, 2, vec![(0, 0), (1, 1)], "ab".into()), "broker {id}");
        assert_eq!(world.broker(id).image().partitions[&T0].isr, [1, 2, 3], "broker {id}");
    }
}

#[test]
fn with_the_real_controller_a_controlled_shutdown_moves_the_leader_first() {
    let script = vec![
        (4_000, "b2", create()),
        (5_000, "b1", produce(-1, "a")),
        (9_000, "b2", produce(-1, "b")),
    ];
    let mut world = World::real(script);
    world.at(6_000, |sim, brokers| sim.order(brokers[0], Order::Shutdown));
    world.run_to(8_500);
    assert_eq!(world.broker(1).state(), BrokerState::NotRunning);
    world.run_to(10_000);
    assert_eq!(world.produced(2), (ErrorCode::None, 1));
    assert_eq!(world.broker(2).image().partitions[&T0].isr, [2, 3]);
    world.at(10_000, |sim, brokers| sim.start(brokers[0]));
    world.run_to(25_000);
    for id in 1..=3 {
        assert_eq!(world.log(id), (2, 2, vec![(0, 0), (1, 1)], "ab".into()), "broker {id}");
    }
}
