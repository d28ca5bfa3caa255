//! ISR changes, elections by hand, reassignments, the metadata log's readers.

use super::*;
use crate::kafka::types::NO_LEADER;

#[test]
fn r70_r71_isr_changes_are_checked_against_what_is_registered_now() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2, 3]], &[]);
    let shrunk = world.alter_isr("t", &[1, 2]);
    assert_eq!(
        (shrunk.error, shrunk.partition_epoch, shrunk.leader_epoch),
        (ErrorCode::None, 1, 0)
    );
    assert_eq!(shrunk.isr, [1, 2]);
    let same = world.alter_isr("t", &[1, 2]);
    assert_eq!((same.error, same.partition_epoch), (ErrorCode::None, 1));
    world.lose(2);
    assert_eq!(world.alter_isr("t", &[1, 2]).error, ErrorCode::IneligibleReplica);
    world.live.insert(3, 1);
    assert_eq!(
        world.alter_isr("t", &[1, 3]).error,
        ErrorCode::IneligibleReplica,
        "another epoch"
    );
    assert_eq!(world.alter_isr("t", &[3]).error, ErrorCode::InvalidRequest);
}

#[test]
fn a_stale_leader_and_unknown_partitions_are_refused() {
    let mut world = World::with_brokers(1, &[]);
    world.create("t", &[&[1]], &[]);
    let mut data = AlterPartitionData {
        partition: world.partition_id("t", 7),
        leader_epoch: 0,
        partition_epoch: 0,
        new_isr: vec![(1, -1)],
        recovery: Default::default(),
    };
    let ask = |world: &mut World, broker_epoch, data: &AlterPartitionData| {
        let request = AlterPartitionRequest {
            broker: 1,
            broker_epoch,
            partitions: vec![data.clone()],
        };
        match world.ask(request) {
            Body::AlterPartitionResponse(a) => (a.error, a.partitions.first().map(|p| p.error)),
            other => panic!("{}", other.kind()),
        }
    };
    let epoch = world.live[&1];
    assert_eq!(ask(&mut world, epoch + 1, &data), (ErrorCode::StaleBrokerEpoch, None));
    let none = ErrorCode::None;
    let unknown = Some(ErrorCode::UnknownTopicOrPartition);
    assert_eq!(ask(&mut world, epoch, &data), (none, unknown));
    data.partition.topic.0 += 9;
    assert_eq!(ask(&mut world, epoch, &data), (none, Some(ErrorCode::UnknownTopicId)));
}

#[test]
fn r75_elections_by_hand() {
    let mut world = World::with_features(&[], EXCEPT_ELR);
    (1..=2).for_each(|id| world.join(id, 1));
    world.create("t", &[&[1, 2]], &[]);
    let not_needed = (ErrorCode::ElectionNotNeeded, None);
    assert_eq!(world.elect(ElectionType::Preferred, "t"), not_needed);
    assert_eq!(world.elect(ElectionType::Unclean, "t"), not_needed);
    let unknown = world.elect(ElectionType::Unclean, "x");
    assert_eq!(
        text(&unknown),
        (ErrorCode::UnknownTopicOrPartition, "No such topic as x")
    );
    world.lose(1);
    let unavailable = ErrorCode::PreferredLeaderNotAvailable;
    assert_eq!(world.elect(ElectionType::Preferred, "t").0, unavailable);
    world.lose(2);
    let unavailable = ErrorCode::EligibleLeadersNotAvailable;
    assert_eq!(world.elect(ElectionType::Unclean, "t").0, unavailable);
    world.join(1, 2);
    assert_eq!(world.see("t").0, NO_LEADER);
    assert_eq!(
        world.elect(ElectionType::Unclean, "t").0,
        ErrorCode::None,
        "whatever the topic says"
    );
    assert_eq!(world.see("t"), (1, 3, &[1][..], &[][..]));
    let all = ElectLeadersRequest {
        kind: ElectionType::Preferred,
        partitions: None,
    };
    match world.ask(all) {
        Body::ElectLeadersResponse(answer) => assert!(answer.partitions.is_empty(), "84 is left out"),
        other => panic!("{}", other.kind()),
    }
}

fn reassign(world: &mut World, target: Option<&[NodeId]>) -> ApiError {
    let named = NamedPartition {
        topic: "t".into(),
        partition: 0,
    };
    let request = AlterPartitionReassignmentsRequest {
        partitions: vec![(named, target.map(<[NodeId]>::to_vec))],
        allow_replication_factor_change: true,
    };
    match world.ask(request) {
        Body::AlterPartitionReassignmentsResponse(answer) => answer.partitions[0].1.clone(),
        other => panic!("{}", other.kind()),
    }
}

fn ongoing(world: &mut World) -> Vec<OngoingReassignment> {
    match world.ask(ListPartitionReassignmentsRequest { partitions: None }) {
        Body::ListPartitionReassignmentsResponse(answer) => answer.partitions.clone(),
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn r72_r73_a_reassignment_that_drops_the_leader_tells_it_and_is_written() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2]], &[]);
    assert_eq!(reassign(&mut world, Some(&[2, 3])).0, ErrorCode::None);
    assert_eq!(world.partition("t").replicas, [2, 3, 1]);
    assert_eq!(
        (world.see("t").0, world.see("t").1),
        (1, 0),
        "no leader epoch for a start"
    );
    let listed = ongoing(&mut world);
    assert_eq!((&listed[0].adding[..], &listed[0].removing[..]), (&[3][..], &[1][..]));
    let told = world.alter_isr("t", &[1, 2, 3]);
    assert_eq!(told.error, ErrorCode::NewLeaderElected);
    assert_eq!(world.see("t"), (2, 1, &[2, 3][..], &[][..]));
    assert_eq!(world.partition("t").replicas, [2, 3]);
    assert!(ongoing(&mut world).is_empty());
    let done = ControllerNote::ReassignmentCompleted {
        partition: world.partition_id("t", 0),
        replicas: vec![2, 3],
    };
    assert!(world.notes.contains(&done));
}

#[test]
fn a_reassignment_is_cancelled_or_refused() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2]], &[]);
    assert_eq!(reassign(&mut world, None), (ErrorCode::NoReassignmentInProgress, None));
    let unknown = reassign(&mut world, Some(&[1, 9]));
    assert_eq!(unknown.0, ErrorCode::InvalidReplicaAssignment);
    reassign(&mut world, Some(&[1, 3]));
    assert_eq!(reassign(&mut world, None).0, ErrorCode::None);
    assert_eq!(world.partition("t").replicas, [1, 2]);
    let cancelled = |n: &ControllerNote| matches!(n, ControllerNote::ReassignmentCancelled { .. });
    assert_eq!(world.notes.iter().filter(|n| cancelled(n)).count(), 1);
}

fn fetch(epoch: i32, offset: i64) -> QuorumFetchRequest {
    QuorumFetchRequest {
        replica: 1,
        leader_epoch: epoch,
        fetch_offset: offset,
        last_fetched_epoch: epoch,
        high_watermark: offset,
        max_wait_ms: 500,
    }
}

fn fetched(body: Body) -> Rc<QuorumFetchResponse> {
    match body {
        Body::QuorumFetchResponse(answer) => answer,
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn fetches_of_the_metadata_log_wait_for_records() {
    let mut world = World::with_brokers(1, &[]);
    let end = world.controller().log.end_offset();
    let lost = fetched(world.ask(fetch(0, 0)));
    assert_eq!(
        (lost.error, lost.leader, lost.leader_epoch),
        (ErrorCode::FencedLeaderEpoch, 100, 1)
    );
    let all = fetched(world.ask(fetch(1, 0)));
    assert_eq!((all.error, all.high_watermark), (ErrorCode::None, end));
    assert_eq!(all.batches[0].base_offset, 0);
    assert_eq!(all.batches.last().unwrap().end_offset(), end);
    let idle = world.send(fetch(1, end));
    world.quiet(499);
    assert!(world.answer(idle).is_none());
    world.quiet(3);
    assert!(fetched(world.answer(idle).unwrap()).batches.is_empty());
    let waiting = world.send(fetch(1, end));
    world.quiet(100);
    world.create("t", &[&[1]], &[]);
    let news = fetched(world.answer(waiting).expect("answered at once"));
    assert_eq!(news.batches.len(), 1);
    assert_eq!(news.high_watermark, world.controller().log.end_offset());
    let behind = QuorumFetchRequest {
        high_watermark: end,
        ..fetch(1, news.high_watermark)
    };
    let number = world.send(behind);
    world.quiet(2);
    assert!(world.answer(number).is_some(), "the high watermark is news, too");
    match world.ask(DescribeQuorumRequest) {
        Body::DescribeQuorumResponse(quorum) => {
            assert_eq!((quorum.leader, quorum.voters.len()), (100, 1));
            let observers: Vec<_> = quorum.observers.iter().map(|r| (r.id, r.log_end_offset)).collect();
            assert_eq!(observers, [(1, news.high_watermark)]);
        }
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn producer_ids_come_in_blocks_that_survive_a_restart() {
    let mut world = World::with_brokers(1, &[]);
    let request = AllocateProducerIdsRequest {
        broker: 1,
        broker_epoch: world.live[&1],
    };
    let ask = |world: &mut World| match world.ask(request.clone()) {
        Body::AllocateProducerIdsResponse(answer) => (answer.error, answer.start, answer.len),
        other => panic!("{}", other.kind()),
    };
    assert_eq!(ask(&mut world), (ErrorCode::None, 0, 1_000));
    assert_eq!(ask(&mut world), (ErrorCode::None, 1_000, 1_000));
    world.restart_controller(Halt::Crash);
    // The peer's connection is gone: the next order makes a new one.
    assert_eq!(ask(&mut world), (ErrorCode::None, 2_000, 1_000));
}
