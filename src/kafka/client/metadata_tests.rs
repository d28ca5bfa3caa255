use super::*;
use crate::kafka::client::testing::{node, topic};

fn client() -> (Metadata, Random) {
    let wanted = Wanted::Used {
        topics: OrderedMap::new(),
        new: OrderedSet::new(),
        idle: Span::secs(300),
    };
    let bootstrap: Rc<[(Rc<str>, u16)]> = Rc::from([("b1".into(), 9092), ("b2".into(), 9092)]);
    let metadata = Metadata::new(wanted, bootstrap, Backoff::new(100, 1_000), Span::secs(300));
    (metadata, Random::named(1, "metadata"))
}

fn answer(topics: Vec<MetadataTopic>) -> MetadataResponse {
    MetadataResponse {
        cluster_id: "c".into(),
        brokers: vec![node(1), node(2)],
        controller_id: 1,
        topics,
    }
}

fn led_by(leader: NodeId, epoch: i32) -> MetadataTopic {
    let mut topic = topic("t", 5, &[leader]);
    topic.partitions[0].leader_epoch = epoch;
    topic
}

#[test]
fn begins_with_the_bootstrap_addresses_under_negative_ids() {
    let (metadata, _) = client();
    let ids: Vec<NodeId> = metadata.nodes().iter().map(|node| node.id).collect();
    assert_eq!(ids, [-1, -2]);
    assert_eq!(metadata.next_update(), Time::ZERO);
}

#[test]
fn a_new_topic_is_asked_for_at_once_and_alone() {
    let (mut metadata, mut random) = client();
    let now = Time::ZERO + Span::secs(1);
    let asked = metadata.ask(now);
    metadata.update(&asked, &answer(Vec::new()), now, &mut random);
    assert!(metadata.next_update() > now + Span::secs(200));
    metadata.used(&"t".into(), now);
    assert!(metadata.next_update() <= now);
    let asked = metadata.ask(now);
    assert!(asked.partial);
    assert_eq!(asked.request.topics, Some(vec!["t".into()]));
}

#[test]
fn older_epochs_leave_the_leader_that_was_known() {
    let (mut metadata, mut random) = client();
    let now = Time::ZERO + Span::secs(1);
    metadata.used(&"t".into(), now);
    for (topic, leader) in [(led_by(1, 3), 1), (led_by(2, 2), 1), (led_by(2, 4), 2)] {
        let asked = metadata.ask(now);
        metadata.update(&asked, &answer(vec![topic]), now, &mut random);
        assert_eq!(metadata.current_leader("t", 0).0.map(|node| node.id), Some(leader));
    }
    // A newer epoch heard elsewhere hides the leader until metadata catch up.
    assert!(metadata.heard_epoch(&"t".into(), 0, 6));
    assert_eq!(metadata.current_leader("t", 0), (None, Some(6)));
    assert!(metadata.update_requested());
}

#[test]
fn a_named_leader_is_taken_if_it_is_news() {
    let (mut metadata, mut random) = client();
    let now = Time::ZERO + Span::secs(1);
    let name: Rc<str> = "t".into();
    metadata.used(&name, now);
    let asked = metadata.ask(now);
    metadata.update(&asked, &answer(vec![led_by(1, 3)]), now, &mut random);
    assert!(!metadata.take_leader(&name, 0, (2, 3), &[]));
    assert!(!metadata.take_leader(&name, 0, (9, 4), &[]), "nobody knows where 9 is");
    assert!(metadata.take_leader(&name, 0, (9, 4), &[node(9)]));
    let (leader, epoch) = metadata.current_leader("t", 0);
    assert_eq!((leader.map(|node| node.id), epoch), (Some(9), Some(4)));
}

#[test]
fn a_topic_created_anew_resets_its_epochs() {
    let (mut metadata, mut random) = client();
    let now = Time::ZERO + Span::secs(1);
    metadata.used(&"t".into(), now);
    let asked = metadata.ask(now);
    metadata.update(&asked, &answer(vec![led_by(1, 3)]), now, &mut random);
    let mut fresh = led_by(2, 0);
    fresh.id = Some(TopicId(6));
    let lines = metadata.update(&asked, &answer(vec![fresh]), now, &mut random);
    assert_eq!(
        &*lines[0].text,
        "Resetting the last seen epoch of partition t-0 to 0 since the associated topicId changed from 5 to 6"
    );
    assert_eq!(metadata.current_leader("t", 0).1, Some(0));
}

#[test]
fn answers_without_news_make_forced_refreshes_rarer() {
    let (mut metadata, mut random) = client();
    let mut now = Time::ZERO + Span::secs(1);
    metadata.used(&"t".into(), now);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let asked = metadata.ask(now);
        metadata.update(&asked, &answer(vec![led_by(1, 3)]), now, &mut random);
        metadata.request_update();
        pauses.push(metadata.next_update().since(now).as_ms());
        now = metadata.next_update();
    }
    assert!(pauses[1] <= 120 && pauses[4] >= 640, "{pauses:?}");
    assert!(pauses.windows(2).skip(1).all(|pair| pair[1] >= pair[0]), "{pauses:?}");
}
