//! Fates of records, fact by fact.

use super::{Entry, Finding, Handed, Ledger, Part, Place, RecordId, Standing, System};
use crate::sim::Time;

const P: Place = (1, 0);

fn plain(offset: i64, record: RecordId) -> Standing {
    let part = Part::Plain;
    Standing { offset, record, part }
}

fn of(producer: i64, offset: i64, record: RecordId) -> Standing {
    let part = Part::Member(producer);
    Standing { offset, record, part }
}

fn end(producer: i64, offset: i64, committed: bool) -> Standing {
    let part = Part::Marker { producer, committed };
    Standing {
        offset,
        record: 0,
        part,
    }
}

fn fates(l: &Ledger, record: RecordId) -> Vec<&'static str> {
    l.get(record).map(Entry::fates).unwrap_or_default()
}

fn ledger(n: u32) -> Ledger {
    let mut ledger = Ledger::default();
    for i in 0..n {
        ledger.hand_over(Handed {
            system: System::Kafka,
            client: "web".into(),
            topic: "t".into(),
            key: None,
            value: Some(format!("v{i}").into()),
            at: Time(u64::from(i)),
        });
    }
    ledger
}

#[test]
fn acknowledged_and_off_the_line_is_lost() {
    let mut l = ledger(2);
    l.appended(P, 0, plain(0, 1));
    l.appended(P, 0, plain(1, 2));
    l.high_watermark_moved(P, 0, 1);
    l.acknowledged(1, P, Some(0));
    l.acknowledged(2, P, Some(1));
    l.leads(P, 1, 0, [plain(0, 1)].into_iter());
    assert_eq!(
        l.take_findings(),
        vec![Finding::Lost {
            record: 2,
            offset: Some(1)
        }]
    );
    assert_eq!((l.sums().lost, l.sums().committed, l.sums().acknowledged), (1, 1, 2));
    assert_eq!(
        l.get(2).map(Entry::fates),
        Some(vec!["appended", "acknowledged", "lost"])
    );
}

#[test]
fn a_committed_record_that_goes_is_told_apart() {
    let mut l = ledger(1);
    l.appended(P, 0, plain(0, 1));
    l.high_watermark_moved(P, 0, 1);
    l.leads(P, 1, 0, std::iter::empty());
    assert_eq!(l.take_findings(), vec![Finding::CommittedLost { place: P, offset: 0 }]);
}

#[test]
fn what_compaction_took_is_not_lost() {
    let mut l = ledger(3);
    (1..=3).for_each(|record| l.appended(P, 0, plain(i64::from(record) - 1, record)));
    l.high_watermark_moved(P, 0, 3);
    (1..=3).for_each(|record| l.acknowledged(record, P, Some(i64::from(record) - 1)));
    l.leads(P, 1, 0, [plain(0, 1), plain(2, 3)].into_iter());
    assert_eq!((l.take_findings(), l.sums().lost), (vec![], 0));
    assert_eq!(l.record_at(P, 1), None);
}

#[test]
fn a_retry_after_the_loss_brings_it_back() {
    let mut l = ledger(1);
    l.appended(P, 0, plain(0, 1));
    l.leads(P, 1, 0, std::iter::empty());
    l.appended(P, 1, plain(0, 1));
    l.acknowledged(1, P, Some(0));
    assert_eq!((l.sums().lost, l.sums().duplicated), (0, 0));
}

#[test]
fn twice_in_the_log_is_one_thing_and_twice_at_a_reader_another() {
    let mut l = ledger(3);
    l.appended(P, 0, plain(0, 2));
    l.appended(P, 0, plain(1, 1));
    l.appended(P, 0, plain(2, 1));
    l.delivered(2, &"g".into(), Time::ZERO);
    l.delivered(2, &"h".into(), Time::ZERO);
    assert_eq!((l.sums().duplicated, l.sums().delivered_twice), (1, 0));
    l.take_findings();
    l.delivered(2, &"g".into(), Time::ZERO);
    assert_eq!(
        l.take_findings(),
        vec![Finding::DeliveredTwice {
            record: 2,
            reader: "g".into()
        }]
    );
    let sums = l.sums();
    assert_eq!((sums.duplicated, sums.delivered_twice), (1, 1));
    assert_eq!((sums.reordered, sums.delivered), (1, 1));
}

#[test]
fn an_open_transaction_holds_back_what_stands_behind_it() {
    let mut l = ledger(4);
    l.appended(P, 0, plain(0, 1));
    l.appended(P, 0, of(7, 1, 2));
    l.appended(P, 0, of(8, 2, 3));
    l.appended(P, 0, plain(3, 4));
    l.high_watermark_moved(P, 0, 4);
    (1..=4).for_each(|record| l.acknowledged(record, P, Some(i64::from(record) - 1)));
    assert_eq!(l.sums().waiting, 3);
    l.appended(P, 0, end(8, 4, true));
    assert_eq!(l.sums().waiting, 3, "the other transaction is older");
    l.appended(P, 0, end(7, 5, false));
    assert_eq!((l.sums().waiting, l.sums().aborted), (0, 1));
    assert_eq!(fates(&l, 2), vec!["appended", "committed", "acknowledged", "aborted"]);
    assert_eq!(fates(&l, 3), vec!["appended", "committed", "acknowledged"]);
}

#[test]
fn who_reads_uncommitted_is_not_held_back() {
    let mut l = ledger(1);
    l.appended(P, 0, of(7, 0, 1));
    l.acknowledged(1, P, Some(0));
    l.delivered(1, &"g".into(), Time::ZERO);
    assert_eq!(l.sums().waiting, 0);
}

#[test]
fn a_marker_that_a_new_leader_lacks_decides_nothing() {
    let mut l = ledger(2);
    l.appended(P, 0, of(7, 0, 1));
    l.appended(P, 0, end(7, 1, false));
    l.acknowledged(1, P, Some(0));
    assert_eq!(l.sums().aborted, 1);
    l.leads(P, 1, 0, [of(7, 0, 1)].into_iter());
    assert_eq!((l.sums().aborted, l.sums().waiting), (0, 2));
    l.appended(P, 1, end(7, 1, true));
    assert_eq!((l.sums().aborted, l.sums().waiting), (0, 1));
    l.leads(P, 2, 0, [of(7, 0, 1), end(7, 1, false)].into_iter());
    assert_eq!(l.sums().aborted, 1);
}

#[test]
fn what_a_deposed_leader_acknowledges_is_lost_at_once() {
    let mut l = ledger(1);
    l.leads(P, 1, 0, std::iter::empty());
    l.appended(P, 0, plain(0, 1));
    l.acknowledged(1, P, Some(0));
    assert_eq!(
        l.take_findings(),
        vec![Finding::Lost {
            record: 1,
            offset: Some(0)
        }]
    );
}

#[test]
fn sent_off_without_an_answer_waits_in_the_air_until_seen_or_gone() {
    let mut l = ledger(2);
    l.acknowledged(1, P, None);
    l.acknowledged(2, P, None);
    assert_eq!(l.airborne().collect::<Vec<_>>(), vec![1, 2]);
    l.appended(P, 0, plain(0, 1));
    l.vanished(2);
    assert_eq!((l.airborne().count(), l.sums().lost), (0, 1));
}
