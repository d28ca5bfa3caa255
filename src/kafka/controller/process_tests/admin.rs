//! Topics: creation, refusals, more partitions, deletion; requests that brokers pass on.

use super::*;

fn refused(topic: &CreatedTopic) -> (ErrorCode, &str) {
    (topic.error, topic.message.as_deref().unwrap_or_default())
}

fn counts(name: &str, partitions: i32, factor: i16) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: factor,
        ..CreatableTopic::default()
    }
}

#[test]
fn r67_a_fenced_replica_starts_outside_of_the_isr() {
    let mut world = World::with_brokers(3, &[]);
    world.lose(1);
    let created = world.create("t", &[&[1, 3, 2]], &[]);
    assert_eq!(
        (created.error, created.num_partitions, created.replication_factor),
        (ErrorCode::None, 1, 3)
    );
    assert_eq!(world.see("t"), (3, 0, &[3, 2][..], &[][..]));
    let only_fenced = world.create("u", &[&[1]], &[]);
    let text = "All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled \
                shutdown.";
    assert_eq!(refused(&only_fenced), (ErrorCode::InvalidReplicaAssignment, text));
}

#[test]
fn defaults_come_from_the_controllers_settings() {
    let mut world = World::with_brokers(3, &[("num.partitions", "4"), ("default.replication.factor", "2")]);
    let created = world.create_topic(counts("t", -1, -1));
    assert_eq!((created.num_partitions, created.replication_factor), (4, 2));
    let image = world.controller().image();
    assert_eq!(image.partitions_of(image.ids["t"]).count(), 4);
    for (_, partition) in image.partitions_of(image.ids["t"]) {
        assert_eq!((partition.replicas.len(), partition.isr.len()), (2, 2));
    }
}

#[test]
fn r69_what_is_wrong_with_a_new_topic_is_told_in_the_real_words() {
    let mut world = World::with_brokers(3, &[]);
    let placement = ErrorCode::InvalidReplicationFactor;
    let cases = [
        (
            counts("t", 1, 4),
            placement,
            "Unable to replicate the partition 4 time(s): The target replication factor of 4 cannot be reached because \
             only 3 broker(s) are registered or some brokers have all their log directories cordoned.",
        ),
        (
            counts("t", 1, 0),
            placement,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ),
        (
            counts("t", 0, 1),
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        ),
        (
            counts("t", 10_001, 1),
            ErrorCode::PolicyViolation,
            "Excessively large number of partitions per request.",
        ),
        (
            counts("..", 1, 1),
            ErrorCode::InvalidTopicException,
            "Topic name is invalid: '..' is not allowed",
        ),
        (
            counts("__cluster_metadata", 1, 1),
            ErrorCode::InvalidRequest,
            "Creation of internal topic __cluster_metadata is prohibited.",
        ),
        (
            CreatableTopic {
                assignments: vec![(0, vec![1])],
                ..counts("t", -1, 1)
            },
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        ),
        (
            CreatableTopic {
                assignments: vec![(0, vec![1]), (2, vec![1])],
                ..counts("t", -1, -1)
            },
            ErrorCode::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        ),
        (
            CreatableTopic {
                assignments: vec![(0, vec![1]), (0, vec![2])],
                ..counts("t", -1, -1)
            },
            ErrorCode::InvalidReplicaAssignment,
            "Found multiple manual partition assignments for partition 0",
        ),
        (
            CreatableTopic {
                configs: vec![("retention.ms".into(), None), ("flush.ms".into(), None)],
                ..counts("t", 1, 1)
            },
            ErrorCode::InvalidConfig,
            "Null value not supported for topic configs: retention.ms,flush.ms",
        ),
    ];
    for (topic, error, text) in cases {
        let answer = world.create_topic(topic);
        assert_eq!(refused(&answer), (error, text));
    }
    assert!(world.controller().image().topics.is_empty());
    [1, 2, 3].into_iter().for_each(|id| world.lose(id));
    let fenced = world.create_topic(counts("t", 1, 1));
    let text = "Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log \
                directories cordoned.";
    assert_eq!(refused(&fenced), (placement, text));
}

#[test]
fn names_collide_and_exist() {
    let mut world = World::with_brokers(1, &[]);
    world.create("a.b", &[&[1]], &[]);
    let again = world.create_topic(counts("a.b", 0, 9));
    assert_eq!(
        refused(&again),
        (ErrorCode::TopicAlreadyExists, "Topic 'a.b' already exists.")
    );
    let other = world.create_topic(counts("a_b", 1, 1));
    let text = "Topic 'a_b' collides with existing topic: a.b";
    assert_eq!(refused(&other), (ErrorCode::InvalidTopicException, text));
}

#[test]
fn one_bad_topic_does_not_stop_the_others_and_validate_only_creates_none() {
    let mut world = World::with_brokers(1, &[]);
    let mut request = CreateTopicsRequest {
        topics: vec![
            counts("a", 1, 1),
            counts("b", 0, 1),
            counts("d", 1, 1),
            counts("d", 1, 1),
            counts("c", 1, 1),
        ],
        validate_only: true,
    };
    let ask = |world: &mut World, request: &CreateTopicsRequest| -> Vec<(String, ErrorCode)> {
        match world.ask(request.clone()) {
            Body::CreateTopicsResponse(answer) => answer.topics.iter().map(|t| (t.name.to_string(), t.error)).collect(),
            other => panic!("{}", other.kind()),
        }
    };
    let expected: Vec<(String, ErrorCode)> = [
        ("a", ErrorCode::None),
        ("b", ErrorCode::InvalidPartitions),
        ("c", ErrorCode::None),
        ("d", ErrorCode::InvalidRequest),
    ]
    .map(|(name, error)| (name.to_string(), error))
    .to_vec();
    assert_eq!(ask(&mut world, &request), expected);
    assert!(world.controller().image().topics.is_empty());
    request.validate_only = false;
    assert_eq!(ask(&mut world, &request), expected);
    assert_eq!(world.controller().image().topics.len(), 2);
}

#[test]
fn more_partitions() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2]], &[]);
    let ask = |world: &mut World, name: &str, count, assignments: Option<Vec<Vec<NodeId>>>| {
        let request = CreatePartitionsRequest {
            topics: vec![(name.into(), count, assignments)],
            validate_only: false,
        };
        match world.ask(request) {
            Body::CreatePartitionsResponse(answer) => answer.topics[0].1.clone(),
            other => panic!("{}", other.kind()),
        }
    };
    let same = ask(&mut world, "t", 1, None);
    assert_eq!(
        text(&same),
        (ErrorCode::InvalidPartitions, "Topic already has 1 partition(s).")
    );
    let fewer = ask(&mut world, "t", 0, None);
    let message = "The topic t currently has 1 partition(s); 0 would not be an increase.";
    assert_eq!(text(&fewer), (ErrorCode::InvalidPartitions, message));
    let short = ask(&mut world, "t", 3, Some(vec![vec![2, 3]]));
    let message = "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.";
    assert_eq!(text(&short), (ErrorCode::InvalidReplicaAssignment, message));
    assert_eq!(
        ask(&mut world, "x", 3, None),
        (ErrorCode::UnknownTopicOrPartition, None)
    );
    assert_eq!(
        ask(&mut world, "t", 3, Some(vec![vec![2, 3], vec![3, 1]])).0,
        ErrorCode::None
    );
    let image = world.controller().image();
    assert_eq!(image.partitions[&world.partition_id("t", 2)].replicas, [3, 1]);
    assert_eq!(ask(&mut world, "t", 5, None).0, ErrorCode::None);
    let image = world.controller().image();
    assert_eq!(image.topics[&image.ids["t"]].partitions, 5);
    assert_eq!(image.partitions[&world.partition_id("t", 4)].replicas.len(), 2);
}

#[test]
fn a_deleted_topic_takes_its_settings_along_and_comes_back_as_another() {
    let mut world = World::with_brokers(1, &[]);
    let first = world.create("t", &[&[1]], &[("min.insync.replicas", "1"), ("retention.ms", "5")]);
    let delete = DeleteTopicsRequest {
        topics: vec!["t".into(), "x".into()],
    };
    match world.ask(delete) {
        Body::DeleteTopicsResponse(answer) => {
            assert_eq!(answer.topics[0].1.0, ErrorCode::None);
            assert_eq!(answer.topics[1].1.0, ErrorCode::UnknownTopicOrPartition);
        }
        other => panic!("{}", other.kind()),
    }
    world.restart_controller(Halt::Crash);
    let second = world.create("t", &[&[1]], &[]);
    assert_ne!(first.id, second.id);
    assert!(
        world
            .controller()
            .image()
            .settings(&ConfigResource::Topic("t".into()))
            .is_none()
    );
}

#[test]
fn deletion_can_be_switched_off() {
    let mut world = World::with_brokers(1, &[("delete.topic.enable", "false")]);
    world.create("t", &[&[1]], &[]);
    match world.ask(DeleteTopicsRequest {
        topics: vec!["t".into()],
    }) {
        Body::DeleteTopicsResponse(answer) => assert_eq!(answer.topics[0].1.0, ErrorCode::TopicDeletionDisabled),
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn brokers_pass_requests_on_in_envelopes() {
    let mut world = World::with_brokers(1, &[]);
    let inner = CreateTopicsRequest {
        topics: vec![counts("t", 1, 1)],
        validate_only: false,
    };
    let envelope = EnvelopeRequest {
        client: "admin".into(),
        body: inner.into(),
    };
    match world.ask(envelope) {
        Body::EnvelopeResponse(answer) => {
            assert_eq!(answer.error, ErrorCode::None);
            let Some(Body::CreateTopicsResponse(inner)) = &answer.body else {
                panic!("no inner answer");
            };
            assert_eq!(inner.topics[0].error, ErrorCode::None);
        }
        other => panic!("{}", other.kind()),
    }
}
