//! A leader's partition, held to the sequences that the real one answered, and to the rules of the reference.

use super::follower::FollowerFetch;
use super::high_watermark::{Counted, HighWatermark};
use super::isr::IsrProposal;
use super::partition::*;
use crate::kafka::controller::partition::{LeaderRecoveryState, PartitionRegistration};
use crate::kafka::fixes::Fixes;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::kafka::vectors;
use crate::ordered::OrderedMap;
use crate::ordered::SortSmall;
use serde_json::Value;
use std::collections::VecDeque;

/// As much of a log as a leader's partition needs: batches, the high watermark, the epochs' starts.
#[derive(Default)]
struct Log {
    /// Base offsets of the batches.
    bases: Vec<i64>,
    end: i64,
    high_watermark: i64,
    epochs: Vec<(i32, i64)>,
}

impl Log {
    fn append(&mut self, count: i64) {
        self.bases.push(self.end);
        self.end += count;
    }

    fn assign_epoch(&mut self, epoch: i32, start: i64) {
        self.epochs.retain(|(e, s)| *e < epoch && *s < start);
        self.epochs.push((epoch, start));
    }

    /// The base of the batch that holds an offset, the offset itself at the end.
    fn position(&self, offset: i64) -> i64 {
        let before = self.bases.partition_point(|base| *base <= offset);
        if offset >= self.end {
            offset
        } else {
            self.bases[before - 1]
        }
    }

    /// Where the largest epoch up to `epoch` ends.
    fn end_offset_for(&self, epoch: i32) -> Option<(i32, i64)> {
        let after = self.epochs.partition_point(|(e, _)| *e <= epoch);
        if after == self.epochs.len() {
            let latest = self.epochs.last().filter(|(e, _)| *e == epoch)?;
            return Some((latest.0, self.end));
        }
        let end = self.epochs[after].1;
        let known = self.epochs[..after].last().map_or(epoch, |(e, _)| *e);
        Some((known, end))
    }
}

/// Broker 1, leading `t-0`.
struct Leader {
    partition: Partition,
    log: Log,
    now: i64,
    min_isr: usize,
    brokers: OrderedMap<NodeId, BrokerStatus>,
    /// Sent and not answered yet, the oldest first.
    open: VecDeque<IsrProposal>,
}

/// Runs a method of the partition with a view of the rest.
macro_rules! on {
    ($leader:expr, |$partition:ident, $view:ident| $body:expr) => {{
        let leader: &mut Leader = $leader;
        let brokers = &leader.brokers;
        let $view = &View {
            now: leader.now,
            lag_max: 30_000,
            min_insync_replicas: leader.min_isr,
            log: LogOffsets {
                start: 0,
                high_watermark: leader.log.high_watermark,
                end: leader.log.end,
            },
            broker_epoch: 101,
            brokers: &|id| brokers.get(&id).copied(),
            fixes: Fixes::default(),
        };
        let $partition = &mut leader.partition;
        $body
    }};
}

impl Leader {
    fn new(min_isr: usize) -> Self {
        let status = |id: NodeId| BrokerStatus {
            epoch: 100 + i64::from(id),
            fenced: false,
            shutting_down: false,
        };
        let name = NamedPartition {
            topic: "t".into(),
            partition: 0,
        };
        Self {
            partition: Partition::new(name, 1),
            log: Log::default(),
            now: 0,
            min_isr,
            brokers: (1..=5).map(|id| (id, status(id))).collect(),
            open: VecDeque::new(),
        }
    }

    fn advance(&mut self, high_watermark: HighWatermark) {
        if let HighWatermark::Advances { from, to } = high_watermark {
            assert!(from == self.log.high_watermark && from < to && to <= self.log.end);
            self.log.high_watermark = to;
        }
    }

    fn lead(&mut self, replicas: &[NodeId], isr: &[NodeId], epochs: (i32, i32)) {
        let to = PartitionRegistration {
            leader: 1,
            leader_epoch: epochs.0,
            partition_epoch: epochs.1,
            ..PartitionRegistration::new(replicas.to_vec(), isr.to_vec())
        };
        let change = on!(self, |partition, view| partition.make_leader(&to, view));
        if let LeaderChange::Leads {
            epoch_start,
            high_watermark,
            ..
        } = change
        {
            if let Some(start) = epoch_start {
                self.log.assign_epoch(epochs.0, start);
            }
            self.advance(high_watermark);
        }
    }

    fn append(&mut self, count: i64, acks: i16) -> Result<(i64, i64), Refusal> {
        on!(self, |partition, view| partition.check_append(acks, view))?;
        let first = self.log.end;
        self.log.append(count);
        let moved = on!(self, |partition, view| partition.evaluate_high_watermark(view));
        self.advance(moved);
        Ok((first, self.log.end - 1))
    }

    /// Returns the diverging epoch, if any.
    fn fetch(&mut self, fetch: &Fetch) -> Result<Option<(i32, i64)>, Refusal> {
        self.partition.check_leader_epoch(Some(fetch.leader_epoch), true)?;
        self.partition.check_follower(fetch.from)?;
        let (offset, end) = (fetch.offset, self.log.end);
        let diverging = fetch
            .last_fetched_epoch
            .and_then(|last| Some((last, self.log.end_offset_for(last)?)));
        if let Some((last, (epoch, end))) = diverging
            && (epoch < last || end < offset)
        {
            return Ok(Some((epoch, end)));
        }
        if offset > end {
            return Err(Refusal {
                code: ErrorCode::OffsetOutOfRange,
                message: format!(
                    "Received request for offset {offset} for partition t-0, but we only have log segments upto {end}."
                ),
            });
        }
        let noted = FollowerFetch {
            position: self.log.position(offset),
            log_start_offset: 0,
            broker_epoch: fetch.broker_epoch,
        };
        let from = fetch.from;
        let recorded = on!(self, |partition, view| partition.record_fetch(from, noted, view))?;
        self.open.extend(recorded.expand);
        if let Some(moved) = recorded.high_watermark {
            self.advance(moved);
        }
        Ok(None)
    }

    fn check_isr(&mut self) -> Option<Vec<OutOfSync>> {
        let shrink = on!(self, |partition, view| partition.check_isr(view))?;
        self.open.push_back(shrink.proposal);
        Some(shrink.out_of_sync)
    }

    fn answer(&mut self, answer: Result<AlterPartitionAnswer, ErrorCode>) -> AlterPartitionOutcome {
        let proposal = self.open.pop_front().expect("an open request");
        let outcome = on!(self, |partition, view| partition
            .alter_partition_answered(&proposal, answer, view));
        match &outcome {
            AlterPartitionOutcome::Committed { high_watermark } => self.advance(*high_watermark),
            AlterPartitionOutcome::Resend(again) => self.open.push_back(again.clone()),
            _ => {}
        }
        outcome
    }

    fn accept(&mut self) -> AlterPartitionOutcome {
        let proposal = self.open.front().expect("an open request");
        let answer = AlterPartitionAnswer {
            leader_epoch: proposal.leader_epoch,
            partition_epoch: proposal.partition_epoch + 1,
            isr: proposal.members().collect(),
            recovery: LeaderRecoveryState::Recovered,
        };
        self.answer(Ok(answer))
    }

    fn acks_all(&mut self, offset: i64) -> Option<ErrorCode> {
        on!(self, |partition, view| partition.acks_all_answer(offset, view))
    }

    /// A plain fetch of a follower's present incarnation, in the present epoch.
    fn reads(&mut self, from: NodeId, offset: i64) {
        let fetch = Fetch {
            from,
            offset,
            broker_epoch: self.brokers[&from].epoch,
            leader_epoch: self.partition.leader_epoch(),
            last_fetched_epoch: None,
        };
        assert_eq!(self.fetch(&fetch), Ok(None));
    }

    fn isr(&self) -> (Vec<NodeId>, Vec<NodeId>) {
        let isr = self.partition.isr();
        (isr.committed().to_vec(), isr.maximal())
    }
}

struct Fetch {
    from: NodeId,
    offset: i64,
    broker_epoch: i64,
    leader_epoch: i32,
    last_fetched_epoch: Option<i32>,
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}

fn small(value: &Value) -> i32 {
    number(value) as i32
}

fn ids(value: &Value) -> Vec<NodeId> {
    value.as_array().expect("ids").iter().map(small).collect()
}

/// Does one step and says what is seen of it besides the state.
fn play(leader: &mut Leader, step: &Value) -> Value {
    let mut see = serde_json::json!({});
    let refused = |see: &mut Value, refusal: Refusal| {
        see["error"] = serde_json::json!({
            "class": refusal.code.exception(), "message": refusal.message
        });
    };
    match step["op"].as_str().expect("an op") {
        "become_leader" => {
            let epochs = (small(&step["leader_epoch"]), small(&step["partition_epoch"]));
            leader.lead(&ids(&step["replicas"]), &ids(&step["isr"]), epochs);
        }
        "append" => match leader.append(number(&step["count"]), small(&step["acks"]) as i16) {
            Ok((first, last)) => {
                see["first"] = first.into();
                see["last"] = last.into();
            }
            Err(refusal) => refused(&mut see, refusal),
        },
        "fetch" => {
            let fetch = Fetch {
                from: small(&step["from"]),
                offset: number(&step["offset"]),
                broker_epoch: number(&step["broker_epoch"]),
                leader_epoch: small(&step["leader_epoch"]),
                last_fetched_epoch: step["last_fetched_epoch"].as_i64().map(|e| e as i32),
            };
            let high_watermark = leader.log.high_watermark;
            match leader.fetch(&fetch) {
                Ok(diverging) => {
                    see["returned_hw"] = high_watermark.into();
                    if let Some((epoch, end)) = diverging {
                        see["diverging"] = serde_json::json!([epoch, end]);
                    }
                }
                Err(refusal) => refused(&mut see, refusal),
            }
        }
        "time" => leader.now += number(&step["ms"]),
        "check_isr" => {
            leader.check_isr();
        }
        "alter_partition_ok" => {
            let open = leader.open.front().expect("an open request");
            let answer = AlterPartitionAnswer {
                leader_epoch: open.leader_epoch,
                partition_epoch: small(&step["partition_epoch"]),
                isr: ids(&step["isr"]),
                recovery: LeaderRecoveryState::Recovered,
            };
            leader.answer(Ok(answer));
        }
        "alter_partition_error" => {
            let name = step["error"].as_str().expect("an error");
            leader.answer(Err(ErrorCode::from_name(name).expect("a known error")));
        }
        "broker" => {
            let status = leader.brokers.get_mut(&small(&step["id"])).expect("known");
            if let Some(epoch) = step["epoch"].as_i64() {
                status.epoch = epoch;
            }
            if let Some(fenced) = step["fenced"].as_bool() {
                status.fenced = fenced;
            }
            if let Some(shutting_down) = step["shutting_down"].as_bool() {
                status.shutting_down = shutting_down;
            }
        }
        "acks_reached" => {
            let answer = leader.acks_all(number(&step["offset"]));
            see["reached"] = answer.is_some().into();
            see["result"] = answer.unwrap_or(ErrorCode::None).name().into();
        }
        other => panic!("op {other}?"),
    }
    see
}

fn seen(leader: &mut Leader, mut see: Value, sent: &[IsrProposal]) -> Value {
    if !sent.is_empty() {
        let requests = sent.iter().map(|request| {
            let isr: OrderedMap<String, i64> = request.isr.iter().map(|(id, epoch)| (id.to_string(), *epoch)).collect();
            serde_json::json!({
                "isr_with_broker_epochs": isr,
                "leader_epoch": request.leader_epoch,
                "partition_epoch": request.partition_epoch,
            })
        });
        see["alter_partition"] = requests.collect();
    }
    let (mut committed, mut maximal) = leader.isr();
    committed.sort_small();
    maximal.sort_small();
    see["isr"] = committed.into();
    see["maximal_isr"] = maximal.into();
    if leader.partition.isr().is_in_flight() {
        see["in_flight"] = true.into();
    }
    see["hw"] = leader.log.high_watermark.into();
    see["end"] = leader.log.end.into();
    if on!(leader, |partition, view| partition.is_under_min_isr(view)) {
        see["under_min_isr"] = true.into();
    }
    see["partition_epoch"] = leader.partition.partition_epoch().into();
    see
}

#[test]
fn isr_vectors() {
    let cases = vectors::json_lines("isr.jsonl");
    assert!(!cases.is_empty());
    for case in cases {
        let mut leader = Leader::new(number(&case["min_insync_replicas"]) as usize);
        for (i, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
            let answers = step["do"]["op"]
                .as_str()
                .is_some_and(|op| op.starts_with("alter_partition"));
            let known = leader.open.len() - usize::from(answers);
            let see = play(&mut leader, &step["do"]);
            assert_eq!(leader.now, number(&step["at"]));
            let sent: Vec<IsrProposal> = leader.open.iter().skip(known).cloned().collect();
            let see = seen(&mut leader, see, &sent);
            assert_eq!(see, step["see"], "case {} step {i}: {step}", case["id"]);
        }
    }
}

#[test]
fn r09_below_min_isr_acks_all_is_refused_or_waits_if_the_isr_shrinks_after_the_append() {
    let mut leader = Leader::new(2);
    leader.lead(&[1, 2], &[1, 2], (1, 1));
    leader.append(1, -1).unwrap();
    leader.now = 40_000;
    assert!(leader.check_isr().is_some());
    leader.accept();
    assert_eq!(leader.acks_all(1), None, "until the request times out");
    let refusal = leader.append(1, -1).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotEnoughReplicas);
    assert_eq!(leader.log.end, 1);
    assert!(leader.append(1, 1).is_ok());
}

#[test]
fn r09_not_enough_replicas_after_append_needs_the_high_watermark_first() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2], &[1], (1, 1));
    leader.append(1, -1).unwrap();
    assert_eq!(leader.acks_all(1), Some(ErrorCode::None));
    leader.min_isr = 2;
    assert_eq!(leader.acks_all(1), Some(ErrorCode::NotEnoughReplicasAfterAppend));
}

#[test]
fn r10_min_insync_replicas_above_the_replica_count_acts_as_the_replica_count() {
    let mut leader = Leader::new(3);
    leader.lead(&[1], &[1], (1, 1));
    assert_eq!(leader.append(2, -1), Ok((0, 1)));
    assert_eq!(leader.log.high_watermark, 2);
}

#[test]
fn r11_the_high_watermark_stands_still_below_min_isr_also_for_acks_1() {
    let mut leader = Leader::new(2);
    leader.lead(&[1, 2], &[1], (1, 1));
    leader.append(2, 1).unwrap();
    let frozen = on!(&mut leader, |partition, view| partition.evaluate_high_watermark(view));
    assert_eq!(frozen, HighWatermark::Frozen { isr: 1, min_isr: 2 });
    assert_eq!(leader.log.high_watermark, 0);
}

#[test]
fn r13_a_caught_up_eligible_outsider_holds_the_high_watermark_back() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2, 3], &[1], (1, 1));
    leader.reads(2, 0);
    assert_eq!(leader.isr().1, [1, 2]);
    leader.reads(3, 0);
    leader.append(1, 1).unwrap();
    leader.reads(2, 1);
    let stays = on!(&mut leader, |partition, view| partition.evaluate_high_watermark(view));
    let HighWatermark::Stays { held_by: Some(by) } = stays else {
        panic!("{stays:?}");
    };
    assert_eq!(
        (by.replica, by.end_offset, by.counted),
        (3, 0, Counted::CaughtUpOutside)
    );
    leader.now = 30_001;
    leader.append(1, 1).unwrap();
    assert_eq!(leader.log.high_watermark, 1, "3 has been silent for too long");
}

#[test]
fn r14_an_append_of_a_follower_is_known_from_its_next_fetch() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2], &[1, 2], (1, 1));
    leader.reads(2, 0);
    leader.append(1, 1).unwrap();
    leader.reads(2, 0);
    assert_eq!(leader.log.high_watermark, 0);
    leader.reads(2, 1);
    assert_eq!(leader.log.high_watermark, 1);
}

#[test]
fn r15_the_isr_shrinks_more_than_30_s_after_the_last_catch_up() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2, 3], &[1, 2, 3], (1, 1));
    leader.append(1, 1).unwrap();
    leader.reads(3, 1);
    leader.now = 30_000;
    assert_eq!(leader.check_isr(), None);
    leader.now = 30_001;
    let late = leader.check_isr().unwrap();
    assert_eq!((late.len(), late[0].replica, late[0].end_offset), (1, 2, -1));
    assert_eq!(leader.isr(), (vec![1, 2, 3], vec![1, 2, 3]));
    leader.accept();
    assert_eq!(leader.isr().0, [1, 3]);
    assert_eq!(leader.log.high_watermark, 1);
}

#[test]
fn r17_a_joiner_must_be_unfenced_not_stopping_and_of_the_registered_epoch() {
    type Spoil = fn(&mut BrokerStatus);
    let spoilt: [Spoil; 3] = [|b| b.fenced = true, |b| b.shutting_down = true, |b| b.epoch -= 1];
    for spoil in spoilt {
        let mut leader = Leader::new(1);
        leader.lead(&[1, 2], &[1], (1, 1));
        let healthy = leader.brokers[&2];
        spoil(leader.brokers.get_mut(&2).unwrap());
        let fetch = Fetch {
            from: 2,
            offset: 0,
            broker_epoch: 102,
            leader_epoch: 1,
            last_fetched_epoch: None,
        };
        leader.fetch(&fetch).unwrap();
        assert!(leader.open.is_empty());
        leader.brokers.insert(2, healthy);
        leader.fetch(&fetch).unwrap();
        assert_eq!(leader.open.len(), 1);
    }
}

#[test]
fn r17_a_joiner_must_reach_the_high_watermark_and_the_epochs_start() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2, 3], &[1, 3], (1, 1));
    leader.append(1, 1).unwrap();
    leader.append(1, 1).unwrap();
    leader.lead(&[1, 2, 3], &[1, 3], (2, 2));
    leader.reads(2, 1);
    assert!(leader.open.is_empty(), "high watermark 0, but the epoch starts at 2");
    leader.reads(2, 2);
    assert_eq!(leader.open.len(), 1);
}

#[test]
fn r18_no_isr_change_while_one_is_pending_nor_after_a_refusal_until_metadata_comes() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2, 3], &[1], (1, 1));
    leader.reads(2, 0);
    leader.reads(3, 0);
    assert_eq!(leader.open.len(), 1);
    let outcome = leader.answer(Err(ErrorCode::InvalidUpdateVersion));
    assert_eq!(outcome, AlterPartitionOutcome::Stuck);
    leader.reads(3, 0);
    assert!(leader.open.is_empty() && leader.partition.isr().is_in_flight());
    leader.lead(&[1, 2, 3], &[1], (1, 2));
    leader.reads(3, 0);
    assert_eq!(leader.isr().1, [1, 3]);
    assert_eq!(
        leader.answer(Err(ErrorCode::IneligibleReplica)),
        AlterPartitionOutcome::RolledBack
    );
    leader.reads(2, 0);
    assert_eq!(leader.isr().1, [1, 2]);
    let again = leader.answer(Err(ErrorCode::NotController));
    assert!(matches!(again, AlterPartitionOutcome::Resend(_)));
    leader.lead(&[1, 2, 3], &[1, 2], (1, 3));
    assert_eq!(leader.accept(), AlterPartitionOutcome::Late);
    assert_eq!(leader.partition.partition_epoch(), 3);
}

#[test]
fn r25_a_re_elected_leader_gives_isr_members_a_fresh_30_s() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2, 3], &[1, 2], (1, 1));
    leader.append(1, 1).unwrap();
    leader.now = 29_000;
    leader.lead(&[1, 2, 3], &[1, 2], (2, 2));
    leader.now = 59_000;
    assert_eq!(leader.check_isr(), None);
    assert_eq!(leader.partition.followers()[&3].last_caught_up_time, None);
    leader.now = 59_001;
    assert!(leader.check_isr().is_some());
}

#[test]
fn a_follower_forgets_the_isr_and_answers_that_it_does_not_lead() {
    let mut leader = Leader::new(1);
    leader.lead(&[1, 2], &[1, 2], (1, 1));
    let to = PartitionRegistration {
        leader: 2,
        leader_epoch: 2,
        partition_epoch: 2,
        ..PartitionRegistration::new(vec![1, 2], vec![2])
    };
    let change = leader.partition.make_follower(&to);
    let follows = FollowerChange::Follows {
        was_leader: true,
        new_epoch: true,
        leader: 2,
    };
    assert_eq!(change, follows);
    assert_eq!(leader.isr(), (vec![], vec![]));
    let refusal = leader.append(1, 1).unwrap_err();
    assert_eq!(refusal.message, "Leader not local for partition t-0 on broker 1");
    assert_eq!(leader.acks_all(0), Some(ErrorCode::NotLeaderOrFollower));
    let old = PartitionRegistration {
        partition_epoch: 1,
        ..to
    };
    assert_eq!(leader.partition.make_follower(&old), FollowerChange::Ignored);
}
