use super::*;

fn partition() -> NamedPartition {
    NamedPartition {
        topic: "t".into(),
        partition: 0,
    }
}

fn record(offset: i64) -> Consumed {
    Consumed {
        partition: partition(),
        offset,
        leader_epoch: 0,
        timestamp: 0,
        append_time: false,
        key: None,
        value: None,
        headers: Vec::new(),
        origin: 0,
        delivery: Some(1),
    }
}

fn holding(offsets: std::ops::Range<i64>) -> InFlight {
    let mut batch = InFlightBatch::new(1, TopicPartition::default());
    offsets.for_each(|offset| batch.add_record(record(offset)));
    let mut all = InFlight::default();
    all.add(&partition(), batch);
    all
}

fn acks(kinds: &[(i64, Acknowledge)]) -> Acks {
    let mut acks = Acks::default();
    kinds.iter().for_each(|(offset, kind)| acks.add(*offset, *kind));
    acks
}

#[test]
fn runs_of_offsets_share_a_batch_and_one_type_stands_for_all() {
    use Acknowledge::{Accept, Release};
    let said = acks(&[(1, Accept), (2, Accept), (3, Release), (7, Release), (8, Release)]);
    let expected = [
        AcknowledgeBatch {
            first: 1,
            last: 3,
            types: vec![Accept, Accept, Release],
        },
        AcknowledgeBatch {
            first: 7,
            last: 8,
            types: vec![Release],
        },
    ];
    assert_eq!(said.batches(), expected);
}

#[test]
fn a_long_run_of_one_type_is_a_batch_of_its_own() {
    use Acknowledge::{Accept, Reject};
    let mut said = acks(&[(0, Reject)]);
    (1..=12).for_each(|offset| said.add(offset, Accept));
    said.add(13, Reject);
    let spans: Vec<(i64, i64, usize)> = said
        .batches()
        .iter()
        .map(|b| (b.first, b.last, b.types.len()))
        .collect();
    assert_eq!(spans, [(0, 0, 1), (1, 12, 1), (13, 13, 1)]);
}

#[test]
fn only_records_that_the_application_has_are_acknowledged() {
    let mut all = holding(0..2);
    assert!(!all.all_acknowledged());
    assert!(all.acknowledge(&partition(), 5, Acknowledge::Accept).is_err());
    all.acknowledge_all(Acknowledge::Accept);
    assert!(all.all_acknowledged());
    let taken = all.take_acknowledged();
    assert_eq!(
        taken[&partition()].acks,
        acks(&[(0, Acknowledge::Accept), (1, Acknowledge::Accept)])
    );
    assert!(all.is_empty());
    assert!(all.acknowledge(&partition(), 0, Acknowledge::Accept).is_err());
}

#[test]
fn renewed_records_come_back_when_the_broker_has_agreed() {
    let mut all = holding(0..2);
    all.acknowledge(&partition(), 0, Acknowledge::Renew).expect("it has it");
    all.acknowledge(&partition(), 1, Acknowledge::Accept)
        .expect("it has it");
    let taken = all.take_acknowledged();
    assert!(all.is_empty() && all.has_renewals());
    all.renew(&partition(), &taken[&partition()].acks, false);
    all.take_renewed();
    assert_eq!(all.records().len(), 1);
    assert!(!all.has_renewals());
}

#[test]
fn a_renewal_that_is_refused_loses_the_record() {
    let mut all = holding(0..1);
    all.acknowledge(&partition(), 0, Acknowledge::Renew).expect("it has it");
    let taken = all.take_acknowledged();
    all.renew(&partition(), &taken[&partition()].acks, true);
    assert!(all.is_empty() && !all.has_renewals());
}
