//! Whatever comes in whatever order: nothing panics, generations only grow, assignments go to members, offsets come from
//! accepted commits, and the log tells the same as memory.

use super::*;
use proptest::prelude::*;

/// One thing that happens; members are named by small numbers.
#[derive(Clone, Debug)]
enum Step {
    /// Joins: as nobody, or as the member of this number with metadata of this generation.
    Join(Option<usize>, i32),
    JoinStatic(u8),
    Sync(usize),
    Heartbeat(usize),
    Leave(usize),
    LeaveStatic(u8),
    Commit(usize, i32, i64),
    CommitOutside(i64),
    Delete,
    Wait(u64),
    Replicate,
    Replication(bool),
    Appends(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let member = 0usize..6;
    prop_oneof![
        4 => (prop::option::of(member.clone()), -1i32..3).prop_map(|(m, g)| Step::Join(m, g)),
        1 => (0u8..2).prop_map(Step::JoinStatic),
        4 => member.clone().prop_map(Step::Sync),
        2 => member.clone().prop_map(Step::Heartbeat),
        1 => member.clone().prop_map(Step::Leave),
        1 => (0u8..2).prop_map(Step::LeaveStatic),
        3 => (member, 0i32..4, 0i64..100).prop_map(|(m, p, o)| Step::Commit(m, p, o)),
        1 => (0i64..100).prop_map(Step::CommitOutside),
        1 => Just(Step::Delete),
        4 => (0u64..8_000).prop_map(Step::Wait),
        2 => Just(Step::Replicate),
        1 => any::<bool>().prop_map(Step::Replication),
        1 => prop::bool::weighted(0.8).prop_map(Step::Appends),
    ]
}

/// What the run has seen.
#[derive(Default)]
struct Seen {
    members: Vec<Rc<str>>,
    generation: i32,
    /// Commits by request: partition and offset.
    commits: OrderedMap<u32, (i32, i64)>,
}

impl Seen {
    fn member(&self, number: usize) -> Rc<str> {
        self.members
            .get(number % self.members.len().max(1))
            .cloned()
            .unwrap_or_default()
    }
}

fn play(bench: &mut Bench, seen: &mut Seen, step: &Step) {
    let generation = bench.groups.group(G).map_or(-1, |group| group.generation);
    match step {
        Step::Join(None, _) => {
            bench.send(join("", None));
        }
        Step::Join(Some(number), metadata) => {
            let mut request = join(&seen.member(*number), None);
            request.protocols = vec![("range".into(), subscription(&["t"], *metadata))];
            bench.send(request);
        }
        Step::JoinStatic(instance) => {
            bench.send(join("", Some(&format!("i{instance}"))));
        }
        Step::Sync(number) => {
            let id = seen.member(*number);
            let members: Vec<Rc<str>> = seen.members.clone();
            let all: Vec<(&Rc<str>, i32)> = members.iter().zip(0..).collect();
            bench.sync_of(&id, None, generation, &all);
        }
        Step::Heartbeat(number) => {
            let id = seen.member(*number);
            bench.send(heartbeat(&id, None, generation));
        }
        Step::Leave(number) => {
            let id = seen.member(*number);
            bench.send(leave(&[(&id, None)]));
        }
        Step::LeaveStatic(instance) => {
            bench.send(leave(&[("", Some(&format!("i{instance}")))]));
        }
        Step::Commit(number, p, offset) => {
            let number = bench.send(commit(&seen.member(*number), generation, &[("t", *p, *offset)]));
            seen.commits.insert(number, (*p, *offset));
        }
        Step::CommitOutside(offset) => {
            let number = bench.send(commit("", -1, &[("t", 0, *offset)]));
            seen.commits.insert(number, (0, *offset));
        }
        Step::Delete => {
            bench.send(DeleteGroupsRequest { groups: vec![G.into()] });
            // A group made anew counts from the beginning.
            if bench.groups.group(G).is_none() {
                seen.generation = 0;
            }
        }
        Step::Wait(ms) => bench.wait(*ms),
        Step::Replicate => bench.replicate(),
        Step::Replication(on) => bench.replicated = *on,
        Step::Appends(work) => bench.log.fails = (!work).then_some(ErrorCode::NotEnoughReplicas),
    }
}

fn check(bench: &Bench, seen: &mut Seen) {
    for body in bench.replies.values() {
        if let Body::JoinGroupResponse(r) = body
            && !r.member_id.is_empty()
            && !seen.members.contains(&r.member_id)
        {
            seen.members.push(r.member_id.clone());
        }
    }
    let Some(view) = bench.groups.group(G) else {
        return;
    };
    assert!(view.generation >= seen.generation, "the generation went back");
    seen.generation = view.generation;
    let leader = view
        .leader
        .is_none_or(|leader| view.members.iter().any(|m| m.id == leader));
    assert!(leader, "the leader is no member");
    if view.state == GroupState::Classic(ClassicState::Empty) {
        assert!(view.members.is_empty(), "an empty group has members");
    }
    for (partition, stored) in &view.offsets {
        let accepted = seen.commits.iter().any(|(number, (p, offset))| {
            let refused = bench.replies.contains_key(number)
                && !matches!(
                    bench.error(*number),
                    ErrorCode::None | ErrorCode::CoordinatorNotAvailable
                );
            !refused && *p == partition.partition && *offset == stored.committed.offset
        });
        assert!(accepted, "{partition} has an offset that nobody committed");
    }
}

/// What another broker makes of the log: offsets as here, the group Stable or Empty as last written.
fn check_reload(bench: &Bench) {
    let mut other = bench.clone();
    other.replicated = true;
    other.fail_over(&[], 2);
    let offsets = |b: &Bench| -> Vec<(NamedPartition, i64)> {
        let view = b.groups.group(G);
        let offsets = view.map_or(Vec::new(), |view| view.offsets);
        offsets
            .iter()
            .map(|(p, s)| ((*p).clone(), s.committed.offset))
            .collect()
    };
    assert_eq!(offsets(bench), offsets(&other));
    let (here, there) = (bench.groups.group(G), other.groups.group(G));
    if let (Some(here), Some(there)) = (here, there)
        && here.state == GroupState::Classic(ClassicState::Stable)
        && here.generation == there.generation
    {
        for member in &there.members {
            let same = here.members.iter().find(|m| m.id == member.id);
            let same = same.is_none_or(|m| m.assignment == member.assignment);
            assert!(same, "another assignment in the log");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_sequence_keeps_what_groups_promise(steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new(&[]);
        let mut seen = Seen::default();
        for step in &steps {
            play(&mut bench, &mut seen, step);
            check(&bench, &mut seen);
        }
        check_reload(&bench);
    }
}
