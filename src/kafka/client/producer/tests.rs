//! The producer against brokers that play scripts.

use super::*;
use crate::kafka::client::call::{Answer, CallId, ClientError, Sent};
use crate::kafka::client::testing::*;
use crate::kafka::log::batch::ProducerTag;
use crate::kafka::note::Fact;
use crate::kafka::protocol::data::{MetadataResponse, ProduceRequest, ProduceResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;
use std::rc::Rc;

fn producer(settings: &[(&str, &str)]) -> Actor {
    let made = Producer::new("p", &[("b1".into(), 9092)], &given(settings), 5);
    Actor::Producer(Box::new(made.expect("sound settings")))
}

/// A world with these brokers, topic `t` led by `leaders`, and a started producer.
fn world(scripts: &[Script], leaders: &[i32], settings: &[(&str, &str)]) -> Lab {
    let mut lab = Lab::new(scripts, vec![topic("t", 5, leaders)], producer(settings));
    let client = lab.client;
    lab.start(client);
    lab
}

fn record(origin: u32, partition: i32, size: usize) -> NewRecord {
    NewRecord {
        origin,
        topic: "t".into(),
        partition: Some(partition),
        timestamp: None,
        key: None,
        value: Some(vec![b'x'; size].into()),
        headers: Vec::new(),
    }
}

fn send(lab: &mut Lab, call: u32, records: Vec<NewRecord>) {
    lab.order(Order::Producer(ProducerOrder::Send {
        call: CallId(call),
        records,
        flush: true,
    }));
}

fn sent(lab: &Lab, call: u32) -> Vec<Sent> {
    match lab.result(call) {
        Some(Ok(answer)) => match &**answer {
            Answer::Sent(list) => list.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn at(partition: i32, offset: i64) -> Sent {
    let topic = "t".into();
    Sent::At(NamedPartition { topic, partition }, Some(offset))
}

fn error(sent: &Sent) -> &ClientError {
    match sent {
        Sent::Failed(error) | Sent::Threw(error) => error,
        Sent::At(..) => panic!("{sent:?}"),
    }
}

fn of(lab: &Lab) -> &Producer {
    match lab.sim.process(lab.client) {
        Actor::Producer(producer) => producer,
        other => panic!("{other:?}"),
    }
}

/// Tags and origins of the batches that a broker got, request by request.
fn produced_to(lab: &Lab, broker: i32) -> Vec<Vec<(Option<ProducerTag>, Vec<u32>)>> {
    let batches = |request: &Rc<ProduceRequest>| {
        let batch = |(_, batch): &(_, crate::kafka::log::batch::Batch)| {
            (
                batch.producer,
                batch.records.iter().map(|record| record.origin).collect(),
            )
        };
        request.data.iter().map(batch).collect()
    };
    let requests = lab.broker(broker).of_kind("ProduceRequest");
    requests
        .map(|body| match body {
            Body::ProduceRequest(request) => batches(request),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn sequences(lab: &Lab) -> Vec<(i16, i32)> {
    let tags = produced_to(lab, 1).into_iter().flatten();
    tags.filter_map(|(tag, _)| tag.map(|tag| (tag.epoch, tag.sequence)))
        .collect()
}

/// Refuses every batch of a request.
fn refuse(request: &ProduceRequest, code: ErrorCode) -> Say {
    let partitions = request.data.iter().map(|(partition, _)| produced(*partition, code, -1));
    Say::Answer(
        ProduceResponse {
            partitions: partitions.collect(),
            node_endpoints: Vec::new(),
        }
        .into(),
    )
}

#[test]
fn records_of_one_flush_go_as_one_batch_a_partition() {
    let mut lab = world(&[sound], &[1, 1], &[("linger.ms", "1000")]);
    lab.run(100);
    send(&mut lab, 1, vec![record(1, 0, 9), record(2, 1, 9), record(3, 0, 9)]);
    lab.run(50);
    let requests = produced_to(&lab, 1);
    assert_eq!(requests.len(), 1);
    let origins: Vec<_> = requests[0].iter().map(|(_, origins)| origins.clone()).collect();
    assert_eq!(origins, [vec![1, 3], vec![2]]);
    assert_eq!(sent(&lab, 1), [at(0, 0), at(1, 2), at(0, 1)]);
    assert!(lab.logged("INFO ProducerId set to 1000 with epoch 0"));
    assert_eq!(of(&lab).identity().map(|i| i.id), Some(1000));
    assert_eq!(
        (
            of(&lab).open_records(),
            of(&lab).buffered_records(),
            of(&lab).in_flight_records()
        ),
        (0, 0, 0)
    );
    let acked = lab
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Acknowledged { .. }))
        .count();
    assert_eq!(acked, 3);
}

/// C-10: a lone record waits for linger.ms.
#[test]
fn a_lone_record_lingers() {
    let mut lab = world(&[sound], &[1], &[("linger.ms", "40")]);
    lab.run(100);
    lab.order(Order::Producer(ProducerOrder::Send {
        call: CallId(1),
        records: vec![record(1, 0, 9)],
        flush: false,
    }));
    lab.run(38);
    assert!(produced_to(&lab, 1).is_empty());
    lab.run(10);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
}

/// C-06.
#[test]
fn an_unknown_topic_blocks_and_then_fails() {
    let mut lab = world(&[sound], &[1], &[("max.block.ms", "2000")]);
    let mut lost = record(1, 0, 9);
    lost.topic = "ghost".into();
    send(&mut lab, 1, vec![lost]);
    lab.run(1_990);
    assert!(lab.result(1).is_none());
    lab.run(20);
    let list = sent(&lab, 1);
    let error = error(&list[0]);
    assert_eq!(&*error.class, "TimeoutException");
    assert_eq!(
        error.message.as_deref(),
        Some("Topic ghost not present in metadata after 2000 ms.")
    );
    let cause = error.cause.as_ref().expect("it has a cause");
    assert_eq!(&*cause.class, "UnknownTopicOrPartitionException");
    let asked = lab.broker(1).of_kind("MetadataRequest").count();
    assert!((4..=12).contains(&asked), "{asked} in 2 s");
}

#[test]
fn a_partition_beyond_the_last_fails_likewise() {
    let mut lab = world(&[sound], &[1], &[("max.block.ms", "500")]);
    send(&mut lab, 1, vec![record(1, 7, 9)]);
    lab.run(600);
    let list = sent(&lab, 1);
    assert_eq!(
        error(&list[0]).message.as_deref(),
        Some("Partition 7 of topic t with partition count 1 is not present in metadata after 500 ms.")
    );
}

#[test]
fn what_send_refuses() {
    let mut lab = world(&[sound], &[1], &[("max.request.size", "2000")]);
    let mut negative = record(2, 0, 9);
    negative.timestamp = Some(-5);
    send(&mut lab, 1, vec![record(1, 0, 1_950), negative, record(3, 0, 9)]);
    lab.run(100);
    let list = sent(&lab, 1);
    assert_eq!(
        error(&list[0]).message.as_deref(),
        Some(
            "The message is 2036 bytes when serialized which is larger than 2000, which is the value of the max.request.size configuration."
        )
    );
    assert!(matches!(&list[1], Sent::Threw(error) if &*error.class == "IllegalArgumentException"));
    assert_eq!(list[2], at(0, 0));
}

/// A retry keeps id, epoch and sequence.
#[test]
fn a_retriable_error_is_tried_again_with_the_same_sequence() {
    fn twice(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(request) if nth <= 2 => refuse(request, ErrorCode::NotEnoughReplicas),
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[twice], &[1], &[]);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(1_000);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
    assert_eq!(sequences(&lab), [(0, 0), (0, 0), (0, 0)]);
    assert!(lab.logged("WARN Got error produce response with correlation id 4 on topic-partition t-0, retrying (2147483646 attempts left). Error: NOT_ENOUGH_REPLICAS"), "{:?}", lab.log);
    assert_eq!(of(&lab).metrics().records_retried(), 2);
}

#[test]
fn without_retries_the_error_is_the_records() {
    fn never(_: &mut Scripted, body: &Body, _: usize) -> Say {
        match body {
            Body::ProduceRequest(request) => refuse(request, ErrorCode::NotEnoughReplicas),
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[never], &[1], &[("retries", "0")]);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(1_000);
    let list = sent(&lab, 1);
    assert_eq!(&*error(&list[0]).class, "NotEnoughReplicasException");
    assert!(of(&lab).identity().is_none(), "retries=0 turns idempotence off");
}

/// C-12: two batches in flight, the first fails once. With idempotence the order stays, without it turns.
#[test]
fn a_retry_may_reorder_only_without_idempotence() {
    fn first(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(request) if nth == 1 => refuse(request, ErrorCode::NotEnoughReplicas),
            _ => Say::Usual,
        }
    }
    // The idempotent script also plays the broker's check: the second batch is out of order until the first is there.
    fn checked(broker: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(request) if nth == 1 => refuse(request, ErrorCode::NotEnoughReplicas),
            Body::ProduceRequest(request) => {
                let sequence = request.data[0].1.producer.map_or(-1, |tag| tag.sequence);
                if i64::from(sequence) == broker.end {
                    return Say::Usual;
                }
                refuse(request, ErrorCode::OutOfOrderSequenceNumber)
            }
            _ => Say::Usual,
        }
    }
    let two = vec![record(1, 0, 90), record(2, 0, 90)];
    let settings = [("batch.size", "100"), ("enable.idempotence", "false")];
    let mut lab = world(&[first], &[1], &settings);
    send(&mut lab, 1, two.clone());
    lab.run(2_000);
    assert_eq!(sent(&lab, 1), [at(0, 1), at(0, 0)]);

    let mut lab = world(&[checked], &[1], &settings[..1]);
    send(&mut lab, 1, two);
    lab.run(4_000);
    assert_eq!(sent(&lab, 1), [at(0, 0), at(0, 1)]);
    assert!(
        sequences(&lab).iter().all(|(epoch, _)| *epoch == 0),
        "{:?}",
        sequences(&lab)
    );
}

/// C-05, and the answer that comes too late changes nothing.
#[test]
fn delivery_expires_while_the_answer_is_lost() {
    fn slow(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(_) if nth <= 3 => Say::Nothing,
            _ => Say::Usual,
        }
    }
    let settings = [
        ("request.timeout.ms", "1000"),
        ("delivery.timeout.ms", "2500"),
        ("linger.ms", "0"),
    ];
    let mut lab = world(&[slow], &[1], &settings);
    lab.run(50);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(2_600);
    let list = sent(&lab, 1);
    assert_eq!(&*error(&list[0]).class, "TimeoutException");
    assert_eq!(
        error(&list[0]).message.as_deref(),
        Some(
            "Expiring 1 record(s) for t-0:2500 ms has passed since batch creation. The request has not been sent, or no server response has been received yet."
        )
    );
    assert!(lab.logged("INFO Disconnecting from node 1 due to request timeout."));
    assert!(
        lab.log.iter().any(|line| line
            .text
            .ends_with("Error: REQUEST_TIMED_OUT. Error Message: Disconnected from node 1 due to timeout")),
        "{:?}",
        lab.log
    );
    // The sequence is unresolved until the last request is lost; then the epoch is raised.
    send(&mut lab, 2, vec![record(2, 0, 9)]);
    lab.run(2_000);
    assert_eq!(sent(&lab, 2), [at(0, 0)]);
    assert_eq!(sequences(&lab).last(), Some(&(1, 0)));
    assert!(lab.logged("INFO No inflight batches remaining for t-0, last ack'd sequence for partition is -1, next sequence is 1. Going to bump epoch and reset sequence numbers."), "{:?}", lab.log);
    assert_eq!(of(&lab).accumulator().memory.available(), 33_554_432);
}

/// C-18 in small: a batch that is too large goes in parts.
#[test]
fn a_batch_that_is_too_large_is_split() {
    fn small(_: &mut Scripted, body: &Body, _: usize) -> Say {
        match body {
            Body::ProduceRequest(request) if request.data[0].1.size > 1_000 => {
                refuse(request, ErrorCode::MessageTooLarge)
            }
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[small], &[1], &[("linger.ms", "1000")]);
    send(&mut lab, 1, (1..=5).map(|origin| record(origin, 0, 300)).collect());
    lab.run(3_000);
    let offsets: Vec<Sent> = (0..5).map(|offset| at(0, offset)).collect();
    assert_eq!(sent(&lab, 1), offsets);
    assert!(lab.logged("WARN Got error produce response in correlation id 4 on topic-partition t-0, splitting and retrying (2147483647 attempts left). Error: MESSAGE_TOO_LARGE"), "{:?}", lab.log);
    send(&mut lab, 2, vec![record(9, 0, 1_000)]);
    lab.run(100);
    assert_eq!(&*error(&sent(&lab, 2)[0]).class, "RecordTooLargeException");
    assert_eq!(of(&lab).accumulator().memory.available(), 33_554_432);
}

#[test]
fn acks_0_is_done_when_it_left() {
    let mut lab = world(&[sound], &[1], &[("acks", "0")]);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(100);
    let topic: Rc<str> = "t".into();
    assert_eq!(sent(&lab, 1), [Sent::At(NamedPartition { topic, partition: 0 }, None)]);
    assert_eq!(produced_to(&lab, 1).len(), 1);
}

/// C-09: memory is full, send() waits for it, and fails after max.block.ms.
#[test]
fn send_waits_for_memory() {
    fn late(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(_) if nth == 1 => Say::Nothing,
            _ => Say::Usual,
        }
    }
    let settings = [
        ("buffer.memory", "16384"),
        ("max.block.ms", "600"),
        ("request.timeout.ms", "1000"),
        ("delivery.timeout.ms", "9000"),
    ];
    let mut lab = world(&[late], &[1, 1], &settings);
    lab.run(50);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(10);
    lab.order(Order::Producer(ProducerOrder::Send {
        call: CallId(2),
        records: vec![record(2, 1, 9)],
        flush: false,
    }));
    lab.run(700);
    let list = sent(&lab, 2);
    assert_eq!(&*error(&list[0]).class, "BufferExhaustedException");
    assert_eq!(
        error(&list[0]).message.as_deref(),
        Some(
            "Failed to allocate 16384 bytes within the configured max blocking time 600 ms. Total memory: 16384 bytes. Available memory: 0 bytes. Poolable size: 16384 bytes"
        )
    );
    lab.run(150);
    send(&mut lab, 3, vec![record(3, 1, 9)]);
    lab.run(1_000);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
    assert_eq!(sent(&lab, 3), [at(1, 1)]);
}

#[test]
fn close_sends_what_is_queued_and_refuses_more() {
    let mut lab = world(&[sound], &[1], &[("linger.ms", "5000")]);
    lab.run(50);
    lab.order(Order::Producer(ProducerOrder::Send {
        call: CallId(1),
        records: vec![record(1, 0, 9)],
        flush: false,
    }));
    lab.run(50);
    lab.order(Order::Producer(ProducerOrder::Close { call: CallId(2) }));
    lab.run(50);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
    assert!(matches!(lab.result(2), Some(Ok(_))));
    send(&mut lab, 3, vec![record(2, 0, 9)]);
    lab.run(50);
    let list = sent(&lab, 3);
    assert!(matches!(&list[0], Sent::Threw(error) if &*error.class == "IllegalStateException"));
}

/// The broker says that the next expected batch is out of order: the epoch is raised and it begins at 0.
#[test]
fn an_unexpected_sequence_raises_the_epoch() {
    fn confused(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(request) if nth == 2 => refuse(request, ErrorCode::OutOfOrderSequenceNumber),
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[confused], &[1], &[]);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(100);
    send(&mut lab, 2, vec![record(2, 0, 9)]);
    lab.run(1_000);
    assert_eq!(sent(&lab, 2), [at(0, 1)]);
    assert_eq!(sequences(&lab), [(0, 0), (0, 1), (1, 0)]);
    assert!(lab.logged("INFO Resetting sequence number of batch with current sequence 1 for partition t-0 to 0"));
}

/// C-13, hazard P3: a fatal error of one batch renumbers the others in flight.
#[test]
fn a_fatal_error_renumbers_what_is_in_flight() {
    fn bad_second(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(request) if nth == 1 => refuse(request, ErrorCode::NotEnoughReplicasAfterAppend),
            Body::ProduceRequest(request) if nth == 2 => refuse(request, ErrorCode::InvalidRecord),
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[bad_second], &[1], &[("batch.size", "100")]);
    send(&mut lab, 1, vec![record(1, 0, 90), record(2, 0, 90)]);
    lab.run(2_000);
    let list = sent(&lab, 1);
    assert_eq!(list[0], at(0, 0));
    assert_eq!(&*error(&list[1]).class, "InvalidRecordException");
    assert_eq!(sequences(&lab), [(0, 0), (0, 1), (1, 0)]);
}

/// KIP-951: the answer names the new leader, which is used without waiting for metadata or the back-off.
#[test]
fn a_named_leader_is_used_at_once() {
    fn moved(_: &mut Scripted, body: &Body, _: usize) -> Say {
        let Body::ProduceRequest(request) = body else {
            return Say::Usual;
        };
        let mut partition = produced(request.data[0].0, ErrorCode::NotLeaderOrFollower, -1);
        partition.current_leader = Some((2, 1));
        Say::Answer(
            ProduceResponse {
                partitions: vec![partition],
                node_endpoints: vec![node(2)],
            }
            .into(),
        )
    }
    let mut lab = world(&[moved, sound], &[1], &[]);
    lab.run(300);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(60);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
    assert_eq!((produced_to(&lab, 1).len(), produced_to(&lab, 2).len()), (1, 1));
}

#[test]
fn a_leader_that_moves_is_found_by_metadata() {
    fn resigned(broker: &mut Scripted, body: &Body, _: usize) -> Say {
        match body {
            Body::ProduceRequest(request) => {
                broker.topics[0].partitions[0].leader = 2;
                broker.topics[0].partitions[0].leader_epoch = 1;
                refuse(request, ErrorCode::NotLeaderOrFollower)
            }
            _ => Say::Usual,
        }
    }
    fn knows(broker: &mut Scripted, body: &Body, nth: usize) -> Say {
        if let Body::MetadataRequest(_) = body {
            return match nth {
                1 => Say::Answer(Body::from(MetadataResponse::default())),
                _ => {
                    broker.topics[0].partitions[0].leader = 2;
                    broker.topics[0].partitions[0].leader_epoch = 1;
                    Say::Usual
                }
            };
        }
        Say::Usual
    }
    let mut lab = world(&[resigned, knows], &[1], &[]);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(1_500);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
    assert!(lab.logged("WARN Received invalid metadata error in produce request on partition t-0 due to org.apache.kafka.common.errors.NotLeaderOrFollowerException: For requests intended only for the leader"));
}

/// A cut while the answer is on its way: the connection dies by the time-out, the retry has the same sequence.
#[test]
fn a_cut_answer_is_recovered_by_the_retry() {
    let settings = [("request.timeout.ms", "1000"), ("delivery.timeout.ms", "25000")];
    let mut lab = world(&[sound], &[1], &settings);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(500);
    lab.sim.command(lab.sim.now());
    let (broker, client) = (lab.hosts[0], lab.client_host);
    lab.sim.network_mut().link_mut(broker, client).cut = true;
    send(&mut lab, 2, vec![record(2, 0, 9)]);
    lab.run(3_000);
    assert!(lab.result(2).is_none());
    lab.cut(1, false);
    lab.run(5_000);
    assert!(!sent(&lab, 2).is_empty());
    let seen = sequences(&lab);
    assert!(
        seen.len() >= 3 && seen[1..].iter().all(|stamp| *stamp == (0, 1)),
        "{seen:?}"
    );
}

#[test]
fn a_lost_connection_is_a_network_exception() {
    fn hangs_up(_: &mut Scripted, body: &Body, nth: usize) -> Say {
        match body {
            Body::ProduceRequest(_) if nth == 1 => Say::HangUp,
            _ => Say::Usual,
        }
    }
    let mut lab = world(&[hangs_up], &[1], &[]);
    send(&mut lab, 1, vec![record(1, 0, 9)]);
    lab.run(1_000);
    assert_eq!(sent(&lab, 1), [at(0, 0)]);
    assert!(lab.logged("INFO Node 1 disconnected."));
    assert!(lab.log.iter().any(|line| {
        line.text
            .ends_with("Error: NETWORK_EXCEPTION. Error Message: Disconnected from node 1")
    }));
}

#[test]
fn constructors_refuse_in_kafkas_words() {
    let refused = |pairs: &[(&str, &str)]| Producer::new("p", &[], &given(pairs), 1).expect_err("refused");
    let error = refused(&[("enable.idempotence", "true"), ("acks", "1")]);
    assert_eq!(
        error.message.as_deref(),
        Some(
            "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence."
        )
    );
    let error = refused(&[("delivery.timeout.ms", "1000"), ("request.timeout.ms", "2000")]);
    assert_eq!(error.message.as_deref(), Some("Failed to construct kafka producer"));
    assert_eq!(&*error.cause.expect("it has a cause").class, "ConfigException");
}

#[test]
fn without_an_id_there_are_no_transactions() {
    for (settings, text) in [
        (&[][..], "Transactional method invoked on a non-transactional producer."),
        (
            &[("enable.idempotence", "false")],
            "Cannot use transactional methods without enabling transactions by setting the transactional.id configuration property",
        ),
    ] {
        let mut lab = world(&[sound], &[1], settings);
        lab.order(Order::Producer(ProducerOrder::Transaction {
            call: CallId(1),
            what: TransactionCall::Begin,
        }));
        let Some(Err(error)) = lab.result(1) else {
            panic!("{:?}", lab.result(1))
        };
        assert_eq!(
            (&*error.class, error.message.as_deref()),
            ("IllegalStateException", Some(text))
        );
    }
}

/// C-07.
#[test]
fn keys_go_where_murmur2_says() {
    let mut lab = world(&[sound], &[1, 1, 1, 1, 1, 1], &[]);
    let keyed = |origin, key: &str| NewRecord {
        partition: None,
        key: Some(key.as_bytes().into()),
        ..record(origin, 0, 3)
    };
    send(&mut lab, 1, vec![keyed(1, "21"), keyed(2, "foobar"), keyed(3, "abc")]);
    lab.run(200);
    let partitions: Vec<i32> = sent(&lab, 1)
        .iter()
        .map(|sent| match sent {
            Sent::At(partition, _) => partition.partition,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(partitions, [0, 0, 3]);
}
