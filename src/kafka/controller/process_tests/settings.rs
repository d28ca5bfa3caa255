//! Dynamic settings: refusals, lists, whose value is in effect, what they do to eligible leader replicas.

use super::*;
use crate::kafka::types::NO_LEADER;

fn set(value: &str) -> AlterOp {
    AlterOp::Set(value.into())
}

fn topic(name: &str) -> ConfigResource {
    ConfigResource::Topic(name.into())
}

fn all_brokers() -> ConfigResource {
    ConfigResource::Broker("".into())
}

#[test]
fn refusals_have_the_real_texts() {
    let mut world = World::with_brokers(1, &[]);
    world.create("t", &[&[1]], &[]);
    let invalid = ErrorCode::InvalidConfig;
    let cases = [
        (
            topic("t"),
            "bogus",
            set("1"),
            invalid,
            "Unknown topic config name: bogus",
        ),
        (
            topic("t"),
            "retention.ms",
            set("abc"),
            invalid,
            "Invalid value abc for configuration retention.ms: Not a number of type LONG",
        ),
        (
            topic("t"),
            "cleanup.policy",
            set("foo"),
            invalid,
            "Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        (
            topic("t"),
            "retention.ms",
            AlterOp::Append("1".into()),
            invalid,
            "Can't APPEND to key retention.ms because its type is not LIST.",
        ),
        (
            topic("x"),
            "retention.ms",
            set("1000"),
            ErrorCode::UnknownTopicOrPartition,
            "The topic 'x' does not exist.",
        ),
        (
            ConfigResource::Broker("1".into()),
            "min.insync.replicas",
            set("2"),
            invalid,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ),
        (
            all_brokers(),
            "min.insync.replicas",
            AlterOp::Delete,
            invalid,
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        ),
        (
            ConfigResource::Group("g".into()),
            "consumer.session.timeout.ms",
            set("1000"),
            invalid,
            "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
        ),
        (
            ConfigResource::Broker("9".into()),
            "log.cleaner.threads",
            set("2"),
            ErrorCode::BrokerIdNotRegistered,
            "No node with id 9 found.",
        ),
    ];
    for (resource, name, op, error, message) in cases {
        let answer = world.alter(resource, &[(name, op)]);
        assert_eq!(text(&answer), (error, message));
    }
}

#[test]
fn lists_grow_and_shrink() {
    let mut world = World::with_brokers(1, &[]);
    world.create("t", &[&[1]], &[]);
    let value = |world: &World| {
        let settings = world.controller().image().settings(&topic("t"));
        settings.and_then(|s| s.get("cleanup.policy")).map(|v| v.to_string())
    };
    world.alter(topic("t"), &[("cleanup.policy", AlterOp::Append("compact".into()))]);
    assert_eq!(
        value(&world).as_deref(),
        Some("delete,compact"),
        "appended to the default"
    );
    world.alter(topic("t"), &[("cleanup.policy", AlterOp::Subtract("delete".into()))]);
    assert_eq!(value(&world).as_deref(), Some("compact"));
    world.alter(topic("t"), &[("cleanup.policy", AlterOp::Delete)]);
    assert_eq!(value(&world), None);
}

#[test]
fn r60_a_new_min_insync_replicas_clears_the_elr() {
    let mut world = World::with_brokers(2, &[]);
    world.create("t", &[&[1, 2]], &[("min.insync.replicas", "2")]);
    world.create("u", &[&[1, 2]], &[("min.insync.replicas", "2")]);
    world.lose(2);
    assert_eq!((world.see("t").3, world.see("u").3), (&[2][..], &[2][..]));
    let epoch = world.partition("t").partition_epoch;
    world.alter(topic("t"), &[("min.insync.replicas", set("1"))]);
    assert_eq!((world.see("t").3, world.see("u").3), (&[][..], &[2][..]));
    assert_eq!(world.partition("t").partition_epoch, epoch + 1);
    world.alter(all_brokers(), &[("min.insync.replicas", set("1"))]);
    assert!(world.see("u").3.is_empty(), "the cluster's value clears all");
}

#[test]
fn the_topics_value_counts_then_the_clusters_then_the_static_one() {
    let mut world = World::with_features(&[("unclean.leader.election.enable", "true")], EXCEPT_ELR);
    (1..=2).for_each(|id| world.join(id, 1));
    world.create("t", &[&[1, 2]], &[]);
    let unclean = |world: &World| {
        world
            .controller()
            .topic_rules(world.controller().image().ids["t"])
            .unclean
    };
    assert!(unclean(&world), "static");
    world.alter(all_brokers(), &[("unclean.leader.election.enable", set("false"))]);
    assert!(!unclean(&world), "dynamic, of all brokers");
    world.alter(topic("t"), &[("unclean.leader.election.enable", set("true"))]);
    assert!(unclean(&world), "the topic's own");
    world.lose(2);
    world.lose(1);
    assert_eq!(world.see("t").0, NO_LEADER);
    world.join(2, 2);
    assert_eq!(world.see("t"), (2, 2, &[2][..], &[][..]), "elected uncleanly at once");
}

#[test]
fn the_same_resource_twice_is_refused_and_validate_only_changes_nothing() {
    let mut world = World::with_brokers(1, &[]);
    world.create("t", &[&[1]], &[]);
    let ops: Vec<(Rc<str>, AlterOp)> = vec![("retention.ms".into(), set("7"))];
    let mut request = IncrementalAlterConfigsRequest {
        resources: vec![(topic("t"), ops.clone()), (topic("t"), ops)],
        validate_only: false,
    };
    let ask = |world: &mut World, request: &IncrementalAlterConfigsRequest| match world.ask(request.clone()) {
        Body::IncrementalAlterConfigsResponse(answer) => answer.resources.clone(),
        other => panic!("{}", other.kind()),
    };
    let twice = ask(&mut world, &request);
    assert_eq!(twice.len(), 1);
    assert_eq!(text(&twice[0].1), (ErrorCode::InvalidRequest, "Duplicate resource."));
    request.resources.pop();
    request.validate_only = true;
    assert_eq!(ask(&mut world, &request)[0].1.0, ErrorCode::None);
    assert!(world.controller().image().settings(&topic("t")).is_none());
}
