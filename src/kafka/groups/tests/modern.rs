//! The consumer protocol (KIP-848) at the coordinator.

use super::*;
use crate::kafka::groups::modern::ModernState;
use crate::kafka::groups::modern::member::MemberState;
use crate::kafka::protocol::consumer_group::*;
use crate::kafka::types::TopicPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use proptest::prelude::*;

type Answered = ConsumerGroupHeartbeatResponse;

fn beat(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group: G.into(),
        member_id: member.into(),
        member_epoch: epoch,
        instance_id: None,
        rack: None,
        rebalance_timeout_ms: -1,
        topics: None,
        regex: None,
        assignor: None,
        owned: None,
    }
}

fn joins(member: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        rebalance_timeout_ms: 20_000,
        topics: Some(Rc::from([Rc::from("t")])),
        owned: Some(Rc::from([])),
        ..beat(member, 0)
    }
}

fn as_static(request: ConsumerGroupHeartbeatRequest, instance: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        instance_id: Some(instance.into()),
        ..request
    }
}

fn slots(numbers: &[i32]) -> Rc<[TopicPartition]> {
    numbers.iter().map(|p| TopicPartition::new(TopicId(1), *p)).collect()
}

impl Bench {
    fn beats(&mut self, request: ConsumerGroupHeartbeatRequest) -> Rc<Answered> {
        let number = self.send(request);
        match self.replies.get(&number) {
            Some(Body::ConsumerGroupHeartbeatResponse(answer)) => answer.clone(),
            other => panic!("no answer to a heartbeat: {other:?}"),
        }
    }

    fn refusal(&mut self, request: ConsumerGroupHeartbeatRequest) -> (ErrorCode, String) {
        let answer = self.beats(request);
        (answer.error, answer.message.as_deref().unwrap_or("").to_string())
    }

    fn modern_state(&self) -> ModernState {
        match self.group().state {
            GroupState::Modern(state) => state,
            GroupState::Classic(state) => panic!("a classic group: {state}"),
        }
    }

    fn member_state(&self, id: &str) -> MemberState {
        let group = self.group();
        let member = group.members.iter().find(|member| &**member.id == id);
        let modern = member.and_then(|member| member.modern.as_ref());
        modern.expect("a member").member.current.state
    }
}

/// G-15, G-16, G-17: the second member waits for the interval, then for what the first one gives up.
#[test]
fn a_partition_moves_when_its_owner_has_acknowledged_that_it_gave_it_up() {
    let mut bench = Bench::new(&[]);
    let first = bench.beats(joins("a"));
    assert_eq!((first.member_epoch, first.heartbeat_interval_ms), (2, 5_000));
    assert_eq!(first.assignment.as_deref(), Some(&*slots(&[0, 1, 2, 3])));
    assert_eq!(bench.modern_state(), ModernState::Stable);
    let second = bench.beats(joins("b"));
    assert_eq!(
        (second.member_epoch, second.assignment.as_deref()),
        (2, Some(&*slots(&[])))
    );
    assert_eq!(bench.modern_state(), ModernState::Assigning);
    bench.wait(1_000);
    let told = bench.beats(beat("a", 2));
    assert_eq!(
        (told.member_epoch, told.assignment.as_deref()),
        (2, Some(&*slots(&[0, 1])))
    );
    assert_eq!(bench.member_state("a"), MemberState::UnrevokedPartitions);
    let waits = bench.beats(beat("b", 2));
    assert_eq!((waits.member_epoch, waits.assignment.as_deref()), (3, None));
    assert_eq!(bench.member_state("b"), MemberState::UnreleasedPartitions);
    let done = bench.beats(ConsumerGroupHeartbeatRequest {
        owned: Some(slots(&[0, 1])),
        ..beat("a", 2)
    });
    assert_eq!((done.member_epoch, done.assignment.as_deref()), (3, None));
    let gets = bench.beats(beat("b", 3));
    assert_eq!(gets.assignment.as_deref(), Some(&*slots(&[2, 3])));
    assert_eq!(bench.modern_state(), ModernState::Stable);
}

/// G-18: who never gives up is fenced after its own rebalance time-out; its session goes on meanwhile.
#[test]
fn a_member_that_keeps_what_it_is_to_give_up_is_fenced() {
    let mut bench = Bench::new(&[]);
    bench.beats(joins("a"));
    bench.beats(joins("b"));
    bench.wait(1_000);
    bench.beats(beat("a", 2));
    bench.beats(beat("b", 2));
    for _ in 0..4 {
        bench.wait(5_000);
        bench.beats(beat("b", 3));
        if bench.group().members.len() == 2 {
            bench.beats(beat("a", 2));
        }
    }
    assert_eq!(bench.group().members.len(), 1);
    let (error, text) = bench.refusal(beat("a", 2));
    assert_eq!(error, ErrorCode::UnknownMemberId);
    assert_eq!(text, "Member a is not a member of group g.");
    bench.wait(1_000);
    bench.beats(beat("b", 4));
    let group = bench.group();
    let member = group.members[0].modern.as_ref().expect("a consumer group").member;
    assert_eq!((member.current.epoch, member.current.assigned.len()), (4, 4));
}

/// G-19.
#[test]
fn epochs_are_checked() {
    let mut bench = Bench::new(&[]);
    bench.beats(joins("a"));
    let (error, text) = bench.refusal(beat("a", 9));
    assert_eq!(error, ErrorCode::FencedMemberEpoch);
    assert_eq!(
        text,
        "The consumer group member has a greater member epoch (9) than the one known by the group coordinator (2). The member must abandon all its partitions and rejoin."
    );
    bench.beats(joins("b"));
    bench.wait(1_000);
    bench.beats(ConsumerGroupHeartbeatRequest {
        owned: Some(slots(&[0, 1])),
        ..beat("a", 2)
    });
    // The answer was lost: the epoch before is good with what is assigned, and only then.
    assert_eq!(bench.refusal(beat("a", 2)).0, ErrorCode::FencedMemberEpoch);
    let repeated = bench.beats(ConsumerGroupHeartbeatRequest {
        owned: Some(slots(&[1])),
        ..beat("a", 2)
    });
    assert_eq!((repeated.error, repeated.member_epoch), (ErrorCode::None, 3));
}

#[test]
fn what_is_no_heartbeat_is_refused_with_its_reason() {
    let mut bench = Bench::new(&[("group.consumer.max.size", "1")]);
    let invalid = |text: &str| (ErrorCode::InvalidRequest, text.to_string());
    assert_eq!(bench.refusal(beat("", 1)), invalid("MemberId can't be empty."));
    let first = "RebalanceTimeoutMs must be provided in first request.";
    assert_eq!(bench.refusal(beat("a", 0)), invalid(first));
    assert_eq!(bench.refusal(beat("a", -2)), invalid("InstanceId can't be null."));
    assert_eq!(bench.refusal(beat("a", -3)), invalid("MemberEpoch is invalid."));
    let assignor = ConsumerGroupHeartbeatRequest {
        assignor: Some("best".into()),
        ..joins("a")
    };
    let text = "ServerAssignor best is not supported. Supported assignors: uniform, range.";
    assert_eq!(bench.refusal(assignor), (ErrorCode::UnsupportedAssignor, text.into()));
    let missing = (ErrorCode::GroupIdNotFound, "Consumer group g not found.".to_string());
    assert_eq!(bench.refusal(beat("a", 1)), missing);
    bench.beats(joins("a"));
    let text = "The consumer group has reached its maximum capacity of 1 members.";
    assert_eq!(bench.refusal(joins("b")), (ErrorCode::GroupMaxSizeReached, text.into()));
}

/// G-21.
#[test]
fn a_static_member_comes_back_to_its_partitions() {
    let mut bench = Bench::new(&[]);
    bench.beats(as_static(joins("a"), "i"));
    let (error, text) = bench.refusal(as_static(joins("b"), "i"));
    assert_eq!(error, ErrorCode::UnreleasedInstanceId);
    assert_eq!(
        text,
        "Static member b with instance id i cannot join the group because the instance id is owned by a member."
    );
    let left = bench.beats(as_static(beat("a", -2), "i"));
    assert_eq!((left.error, left.member_epoch), (ErrorCode::None, -2));
    let back = bench.beats(as_static(joins("b"), "i"));
    assert_eq!(
        (back.member_epoch, back.assignment.as_deref()),
        (2, Some(&*slots(&[0, 1, 2, 3])))
    );
    let (error, text) = bench.refusal(as_static(beat("a", 2), "i"));
    assert_eq!(error, ErrorCode::FencedInstanceId);
    assert_eq!(text, "Static member a with instance id i was fenced by member b.");
    assert_eq!(bench.group().generation, 2);
}

/// G-20.
#[test]
fn commits_with_an_old_epoch_count_for_what_was_kept() {
    let mut bench = Bench::new(&[]);
    bench.beats(joins("a"));
    bench.beats(joins("b"));
    bench.wait(1_000);
    bench.beats(ConsumerGroupHeartbeatRequest {
        owned: Some(slots(&[0, 1])),
        ..beat("a", 2)
    });
    let tried = |bench: &mut Bench, epoch: i32, p: i32| {
        let number = bench.send(commit("a", epoch, &[("t", p, 5)]));
        bench.error(number)
    };
    assert_eq!(tried(&mut bench, 3, 3), ErrorCode::None);
    assert_eq!(tried(&mut bench, 2, 0), ErrorCode::None);
    assert_eq!(tried(&mut bench, 2, 3), ErrorCode::StaleMemberEpoch);
    assert_eq!(tried(&mut bench, 4, 0), ErrorCode::StaleMemberEpoch);
    assert_eq!(tried(&mut bench, 1, 0), ErrorCode::StaleMemberEpoch);
    let stranger = bench.send(commit("", -1, &[("t", 0, 5)]));
    assert_eq!(bench.error(stranger), ErrorCode::UnknownMemberId);
}

#[test]
fn a_pattern_is_resolved_in_the_background() {
    let mut bench = Bench::new(&[]);
    let request = ConsumerGroupHeartbeatRequest {
        topics: Some(Rc::from([])),
        regex: Some("[tx]".into()),
        ..joins("a")
    };
    let first = bench.beats(request);
    assert_eq!(
        (first.member_epoch, first.assignment.as_deref()),
        (1, Some(&*slots(&[])))
    );
    bench.wait(1_000);
    let second = bench.beats(beat("a", 1));
    assert_eq!(second.member_epoch, 2);
    assert_eq!(second.assignment.as_deref(), Some(&*slots(&[0, 1, 2, 3])));
    let broken = ConsumerGroupHeartbeatRequest {
        regex: Some("((".into()),
        ..joins("b")
    };
    let text = "SubscribedTopicRegex `((` is not a valid regular expression: missing closing ).";
    let expected = (ErrorCode::InvalidRegularExpression, text.to_string());
    assert_eq!(bench.refusal(broken), expected);
}

#[test]
fn a_classic_group_becomes_a_consumer_group_and_back() {
    let mut bench = Bench::new(&[]);
    let old = bench.stable_with_one();
    let generation = bench.group().generation;
    let new = bench.beats(joins("a"));
    assert_eq!((new.error, new.member_epoch), (ErrorCode::None, generation + 1));
    assert_eq!(bench.group().members.len(), 2);
    // The classic member had only partition 0; it is told to join again.
    let number = bench.send(heartbeat(&old, None, generation));
    assert_eq!(bench.error(number), ErrorCode::RebalanceInProgress);
    let number = bench.send(join(&old, None));
    let joined = bench.joined(number).clone();
    assert_eq!((joined.error, joined.generation), (ErrorCode::None, generation + 1));
    let number = bench.sync_of(&old, None, joined.generation, &[]);
    assert_eq!(bench.error(number), ErrorCode::None);
    bench.beats(beat("a", -1));
    assert!(matches!(bench.group().state, GroupState::Classic(_)));
    assert_eq!(bench.group().members.len(), 1);
    let mut loaded = bench.clone();
    loaded.fail_over(&[], 2);
    assert_eq!(loaded.group().members.len(), 1);
}

#[test]
fn policies_may_forbid_to_mix_protocols() {
    let mut bench = Bench::new(&[("group.consumer.migration.policy", "disabled")]);
    bench.stable_with_one();
    let text = "Cannot upgrade classic group g to consumer group because online upgrade is disabled.";
    assert_eq!(
        bench.refusal(joins("a")),
        (ErrorCode::GroupIdNotFound, text.to_string())
    );
    let mut bench = Bench::new(&[("group.consumer.migration.policy", "disabled")]);
    bench.beats(joins("a"));
    let number = bench.send(join("", None));
    assert_eq!(bench.error(number), ErrorCode::InconsistentGroupProtocol);
}

// ---- whatever members do ----

#[derive(Clone, Debug)]
enum Act {
    Join(usize),
    Leave(usize),
    Crash(usize),
    Beat(usize),
    /// It says that it has given up what it must not have.
    Acknowledge(usize),
    Wait(u64),
    FailOver,
    Grow,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..5usize).prop_map(Act::Join),
        1 => (0..5usize).prop_map(Act::Leave),
        1 => (0..5usize).prop_map(Act::Crash),
        6 => (0..5usize).prop_map(Act::Beat),
        6 => (0..5usize).prop_map(Act::Acknowledge),
        3 => (100..3_000u64).prop_map(Act::Wait),
        1 => Just(Act::FailOver),
        1 => Just(Act::Grow),
    ]
}

const GIVEN: [(&str, &str); 2] = [
    ("group.consumer.min.session.timeout.ms", "6000"),
    ("group.consumer.session.timeout.ms", "9000"),
];

/// Clients as they believe themselves to be: epoch and partitions, by name; without those that are gone.
#[derive(Clone, Default)]
struct Clients(OrderedMap<String, (i32, Rc<[TopicPartition]>)>);

impl Clients {
    fn take(&mut self, name: &str, answer: &Answered) {
        if answer.error.is_error() {
            // Fenced: it abandons what it has.
            self.0.remove(name);
            return;
        }
        let had = self.0.get(name).map_or_else(|| slots(&[]), |client| client.1.clone());
        let has = answer.assignment.clone().unwrap_or(had);
        self.0.insert(name.to_string(), (answer.member_epoch, has));
    }

    fn beat(&mut self, bench: &mut Bench, name: &str, acknowledges: bool) {
        let Some((epoch, owned)) = self.0.get(name).cloned() else {
            return;
        };
        let answer = bench.beats(ConsumerGroupHeartbeatRequest {
            owned: acknowledges.then_some(owned),
            ..beat(name, epoch)
        });
        self.take(name, &answer);
    }
}

/// No partition is with two members, by the coordinator's word, and by what those who still are members believe.
fn check_owners(bench: &Bench, clients: &Clients) {
    let Some(group) = bench.groups.group(G) else { return };
    let mut owned: OrderedSet<TopicPartition> = OrderedSet::new();
    let mut believed: OrderedSet<TopicPartition> = OrderedSet::new();
    for member in &group.members {
        let modern = member.modern.as_ref().expect("a consumer group");
        for partition in modern.member.current.holds() {
            assert!(owned.insert(partition), "{partition} is with two members");
        }
        if let Some((_, has)) = clients.0.get(&**member.id) {
            for partition in has.iter() {
                assert!(believed.insert(*partition), "{partition} is read by two members");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_partition_is_ever_with_two_members_and_all_find_an_owner(acts in proptest::collection::vec(act(), 1..60)) {
        let mut bench = Bench::new(&GIVEN);
        let mut clients = Clients::default();
        let mut epoch = 1;
        for act in &acts {
            match act {
                Act::Join(who) => {
                    let name = format!("c{who}");
                    if !clients.0.contains_key(&name) {
                        let answer = bench.beats(joins(&name));
                        clients.take(&name, &answer);
                    }
                }
                Act::Leave(who) => {
                    let name = format!("c{who}");
                    if clients.0.remove(&name).is_some() {
                        bench.beats(beat(&name, -1));
                    }
                }
                Act::Crash(who) => drop(clients.0.remove(&format!("c{who}"))),
                Act::Beat(who) => clients.beat(&mut bench, &format!("c{who}"), false),
                Act::Acknowledge(who) => clients.beat(&mut bench, &format!("c{who}"), true),
                Act::Wait(ms) => bench.wait(*ms),
                Act::FailOver => {
                    epoch += 1;
                    bench.fail_over(&GIVEN, epoch);
                }
                Act::Grow => {
                    if let Some((_, partitions)) = bench.log.topics.get_mut("t") {
                        *partitions = (*partitions + 1).min(9);
                    }
                    bench.groups.topics_changed(&OrderedSet::from(["t".into()]));
                }
            }
            check_owners(&bench, &clients);
        }
        settle(&mut bench, &mut clients);
    }
}

/// Everybody who is there goes on; in the end each partition has one owner.
fn settle(bench: &mut Bench, clients: &mut Clients) {
    for _ in 0..24 {
        bench.wait(1_100);
        let names: Vec<String> = clients.0.keys().cloned().collect();
        for name in names {
            clients.beat(bench, &name, true);
            check_owners(bench, clients);
        }
    }
    if clients.0.is_empty() {
        return;
    }
    assert_eq!(bench.modern_state(), ModernState::Stable);
    let partitions = bench.log.topics["t"].1 as usize;
    let all: usize = clients.0.values().map(|(_, has)| has.len()).sum();
    assert_eq!(all, partitions);
}
