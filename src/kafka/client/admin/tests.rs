//! Calls that look for a leader or a coordinator first, against brokers that play scripts.

use super::*;
use crate::kafka::client::call::{Answer, CallId};
use crate::kafka::client::testing::*;
use crate::kafka::protocol::data::*;
use crate::kafka::protocol::groups::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;

fn world(scripts: &[Script], leaders: &[i32]) -> Lab {
    let settings = given(&[("default.api.timeout.ms", "4000"), ("request.timeout.ms", "1500")]);
    let admin = Admin::new("admin", &[("b1".into(), 9092)], &settings, 3).expect("sound settings");
    let mut lab = Lab::new(scripts, vec![topic("t", 5, leaders)], Actor::Admin(Box::new(admin)));
    let client = lab.client;
    lab.start(client);
    lab
}

fn ask(lab: &mut Lab, what: AdminCall) {
    lab.order(Order::Admin(AdminOrder { call: CallId(1), what }));
}

fn list(partition: i32) -> AdminCall {
    let topic = "t".into();
    AdminCall::ListOffsets {
        partitions: vec![(NamedPartition { topic, partition }, LATEST_TIMESTAMP)],
        isolation: Isolation::ReadUncommitted,
    }
}

fn listed(request: &ListOffsetsRequest, error: ErrorCode) -> Say {
    let one = |p: &ListOffsetsPartition| ListedOffset {
        partition: p.partition,
        error,
        timestamp: -1,
        offset: 7,
        leader_epoch: 0,
    };
    Say::Answer(
        ListOffsetsResponse {
            partitions: request.partitions.iter().map(one).collect(),
        }
        .into(),
    )
}

/// The first broker leads no more when it is asked; its metadata tell so from then on.
#[test]
fn a_leader_that_moved_is_looked_up_again() {
    fn resigned(broker: &mut Scripted, body: &Body, _: usize) -> Say {
        match body {
            Body::ListOffsetsRequest(request) => {
                broker.topics[0].partitions[0].leader = 2;
                listed(request, ErrorCode::NotLeaderOrFollower)
            }
            _ => Say::Usual,
        }
    }
    fn leads(broker: &mut Scripted, body: &Body, _: usize) -> Say {
        broker.topics[0].partitions[0].leader = 2;
        match body {
            Body::ListOffsetsRequest(request) => listed(request, ErrorCode::None),
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[resigned, leads], &[1]);
    ask(&mut lab, list(0));
    lab.run(3_000);
    let Some(Ok(answer)) = lab.result(1) else {
        panic!("{:?}", lab.result(1))
    };
    let Answer::Offsets(offsets) = &**answer else {
        panic!("{answer:?}")
    };
    assert_eq!(offsets.values().next(), Some(&Ok(Some((7, -1, 0)))));
}

/// An unknown partition is waited for until the call's time is over, without a storm of requests.
#[test]
fn an_unknown_partition_is_looked_up_until_the_deadline() {
    let mut lab = world(&[sound], &[1]);
    ask(&mut lab, list(9));
    lab.run(5_000);
    let Some(Ok(answer)) = lab.result(1) else {
        panic!("{:?}", lab.result(1))
    };
    let Answer::Offsets(offsets) = &**answer else {
        panic!("{answer:?}")
    };
    let error = offsets
        .values()
        .next()
        .expect("one partition")
        .as_ref()
        .expect_err("unknown");
    assert_eq!(
        error.message.as_deref(),
        Some("Timed out waiting for a node assignment. Call: listOffsets(api=METADATA)")
    );
    let asked = lab.broker(1).of_kind("MetadataRequest").count();
    assert!((5..=14).contains(&asked), "{asked} in 4 s");
}

#[test]
fn a_coordinator_that_loads_or_moved_is_asked_again() {
    fn moves(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::FindCoordinatorRequest(_) => Say::Answer(
                FindCoordinatorResponse {
                    error: if nth == 1 {
                        ErrorCode::CoordinatorNotAvailable
                    } else {
                        ErrorCode::None
                    },
                    node: Some(node(1)),
                }
                .into(),
            ),
            Body::DeleteGroupsRequest(request) => {
                let error = match nth {
                    1 => ErrorCode::NotCoordinator,
                    2 => ErrorCode::CoordinatorLoadInProgress,
                    _ => ErrorCode::NonEmptyGroup,
                };
                let groups = request.groups.iter().map(|group| (group.clone(), error)).collect();
                Say::Answer(DeleteGroupsResponse { groups }.into())
            }
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[moves], &[1]);
    ask(&mut lab, AdminCall::DeleteGroup { group: "g".into() });
    lab.run(3_000);
    let Some(Err(error)) = lab.result(1) else {
        panic!("{:?}", lab.result(1))
    };
    assert_eq!(&*error.class, "GroupNotEmptyException");
    assert_eq!(lab.broker(1).of_kind("FindCoordinatorRequest").count(), 3);
    assert_eq!(lab.broker(1).of_kind("DeleteGroupsRequest").count(), 3);
}

#[test]
fn what_is_refused_without_asking() {
    let mut lab = world(&[sound], &[1]);
    ask(
        &mut lab,
        AdminCall::DescribeTopics {
            topics: vec!["".into()],
        },
    );
    let Some(Err(error)) = lab.result(1) else {
        panic!("{:?}", lab.result(1))
    };
    assert_eq!(
        error.message.as_deref(),
        Some("The given topic name '' cannot be represented in a request.")
    );
    assert!(lab.broker(1).seen.is_empty());
}
