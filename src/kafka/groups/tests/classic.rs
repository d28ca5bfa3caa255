//! Membership: joins, rebalances, sessions, static members.

use super::*;

#[test]
fn a_first_join_gets_a_member_id_and_a_listed_group() {
    let mut bench = Bench::new(&[]);
    let id = bench.member_id();
    let uuid = id.strip_prefix("c-").expect("the client id first");
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(uuid.as_bytes()[14], b'4');
    let described = bench.describe();
    assert_eq!((&*described.state, described.error), ("Empty", ErrorCode::None));
    let list = bench.send(ListGroupsRequest);
    let Some(Body::ListGroupsResponse(list)) = bench.replies.get(&list) else {
        panic!("no list")
    };
    let group: (Rc<str>, Rc<str>, Rc<str>, Rc<str>) = (G.into(), "".into(), "Empty".into(), "Classic".into());
    assert_eq!(list.groups, [group]);
}

#[test]
fn a_group_from_empty_waits_exactly_the_initial_delay() {
    let mut bench = Bench::new(&[]);
    let (id, number) = bench.join();
    bench.wait(2_999);
    assert!(!bench.answered(number));
    bench.wait(1);
    let answer = bench.joined(number);
    assert_eq!(
        (answer.error, answer.generation, &answer.leader),
        (ErrorCode::None, 1, &id)
    );
    assert_eq!(answer.members.len(), 1);
    assert_eq!(bench.state(), ClassicState::CompletingRebalance);
}

#[test]
fn an_arrival_extends_the_initial_delay() {
    let mut bench = Bench::new(&[]);
    let (_, first) = bench.join();
    bench.wait(1_000);
    let (_, second) = bench.join();
    bench.wait(4_999);
    assert!(!bench.answered(first));
    bench.wait(1);
    assert_eq!(
        (bench.joined(first).generation, bench.joined(second).generation),
        (1, 1)
    );
    assert_eq!(bench.joined(first).members.len(), 2);
    assert!(bench.joined(second).members.is_empty());
}

#[test]
fn a_pending_member_holds_up_a_rebalance_until_its_session_is_over() {
    let mut bench = Bench::new(&[]);
    let a = bench.stable_with_one();
    bench.member_id();
    let again = bench.send(join(&a, None));
    bench.wait(9_999);
    assert!(!bench.answered(again));
    bench.wait(1);
    assert_eq!(bench.joined(again).generation, 2);
}

#[test]
fn a_rebalance_ends_when_all_rejoined() {
    let mut bench = Bench::new(&[]);
    let (a, b) = bench.stable_with_two();
    let (_, newcomer) = bench.join();
    assert_eq!(bench.heartbeat(&a), ErrorCode::RebalanceInProgress);
    bench.send(join(&a, None));
    assert!(!bench.answered(newcomer));
    bench.send(join(&b, None));
    assert_eq!(bench.joined(newcomer).generation, 2);
    assert_eq!(bench.group().members.len(), 3);
}

#[test]
fn missing_members_are_gone_after_the_rebalance_timeout_and_static_ones_stay() {
    let mut bench = Bench::new(&[]);
    let stay = bench.send(join("", Some("i")));
    let (lazy, _) = bench.join();
    bench.wait(6_000);
    let seat = bench.joined(stay).member_id.clone();
    bench.sync_of(&seat, Some("i"), 1, &[]);
    bench.sync(&lazy, &[]);
    let (_, newcomer) = bench.join();
    for _ in 0..4 {
        bench.wait(4_999);
        bench.heartbeat(&lazy);
        bench.send(heartbeat(&seat, Some("i"), 1));
    }
    assert!(!bench.answered(newcomer));
    bench.wait(4);
    assert_eq!(bench.joined(newcomer).generation, 2);
    let view = bench.group();
    let ids: Vec<Rc<str>> = view.members.iter().map(|member| member.id.clone()).collect();
    assert!(ids.contains(&seat) && !ids.contains(&lazy));
    assert_eq!(view.leader, Some(&bench.joined(newcomer).member_id));
}

#[test]
fn a_follower_that_says_nothing_new_gets_the_current_generation() {
    let mut bench = Bench::new(&[]);
    let (a, b) = bench.stable_with_two();
    let same = bench.send(join(&b, None));
    assert_eq!(
        (bench.joined(same).generation, bench.state()),
        (1, ClassicState::Stable)
    );
    let mut changed = join(&b, None);
    changed.protocols = vec![("range".into(), subscription(&["t"], 1))];
    bench.send(changed);
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
    bench.send(join(&a, None));
    bench.sync(&a, &[]);
    assert_eq!(bench.state(), ClassicState::Stable);
    bench.send(join(&a, None));
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
}

#[test]
fn a_heartbeat_is_fine_while_the_leader_assigns() {
    let mut bench = Bench::new(&[]);
    let (a, _) = bench.join();
    assert_eq!(bench.heartbeat(&a), ErrorCode::RebalanceInProgress);
    bench.wait(3_000);
    assert_eq!(bench.state(), ClassicState::CompletingRebalance);
    assert_eq!(bench.heartbeat(&a), ErrorCode::None);
    let stale = bench.send(heartbeat(&a, None, 0));
    assert_eq!(bench.error(stale), ErrorCode::IllegalGeneration);
    let unknown = bench.send(heartbeat("nobody", None, 0));
    assert_eq!(bench.error(unknown), ErrorCode::UnknownMemberId);
}

#[test]
fn who_sends_no_sync_is_removed() {
    let mut bench = Bench::new(&[]);
    let (a, _) = bench.join();
    let (b, _) = bench.join();
    bench.wait(6_000);
    bench.sync(&a, &[(&a, 0)]);
    assert_eq!(bench.state(), ClassicState::Stable);
    for _ in 0..2 {
        bench.wait(9_999);
        assert_eq!(
            (bench.heartbeat(&a), bench.heartbeat(&b)),
            (ErrorCode::None, ErrorCode::None)
        );
    }
    bench.wait(2);
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
    assert!(!bench.group().members.iter().any(|member| *member.id == b));
}

#[test]
fn an_assignment_is_given_to_all_and_nothing_to_those_left_out() {
    let mut bench = Bench::new(&[]);
    let (a, _) = bench.join();
    let (b, _) = bench.join();
    bench.wait(6_000);
    let early = bench.sync(&b, &[]);
    assert!(!bench.answered(early));
    let leader = bench.sync(&a, &[(&a, 2)]);
    assert_eq!(*bench.synced(leader).assignment, [partition("t", 2)]);
    assert!(bench.synced(early).assignment.is_empty());
    let described = bench.describe();
    assert_eq!((&*described.state, &*described.protocol), ("Stable", "range"));
    let again = bench.sync(&a, &[]);
    assert_eq!(*bench.synced(again).assignment, [partition("t", 2)]);
}

#[test]
fn a_silent_member_is_removed_when_its_session_is_over() {
    let mut bench = Bench::new(&[]);
    let (a, b) = bench.stable_with_two();
    bench.wait(6_000);
    bench.heartbeat(&a);
    bench.wait(3_999);
    assert_eq!(bench.state(), ClassicState::Stable);
    bench.wait(1);
    assert_eq!(bench.state(), ClassicState::PreparingRebalance);
    let stale = bench.send(heartbeat(&b, None, 1));
    assert_eq!(bench.error(stale), ErrorCode::UnknownMemberId);
    let zombie = bench.send(commit(&b, 1, &[("t", 0, 5)]));
    assert_eq!(bench.error(zombie), ErrorCode::UnknownMemberId);
}

#[test]
fn the_last_one_to_leave_makes_the_group_empty() {
    let mut bench = Bench::new(&[]);
    let a = bench.stable_with_one();
    let left = bench.send(leave(&[(&a, None), ("nobody", None)]));
    let Some(Body::LeaveGroupResponse(answer)) = bench.replies.get(&left) else {
        panic!("no answer")
    };
    let errors: Vec<ErrorCode> = answer.members.iter().map(|member| member.2).collect();
    assert_eq!(errors, [ErrorCode::None, ErrorCode::UnknownMemberId]);
    let view = bench.group();
    assert_eq!(
        (view.state, view.generation),
        (GroupState::Classic(ClassicState::Empty), 2)
    );
    assert_eq!((view.leader, view.assignor), (None, None));
    bench.fail_over(&[], 2);
    let view = bench.group();
    assert_eq!(
        (view.state, view.generation),
        (GroupState::Classic(ClassicState::Empty), 2)
    );
    assert_eq!(view.protocol_type.as_deref(), Some("consumer"));
}

#[test]
fn a_static_member_takes_its_seat_again_without_a_rebalance() {
    let mut bench = Bench::new(&[]);
    let first = bench.send(join("", Some("i")));
    bench.wait(3_000);
    let old = bench.joined(first).member_id.clone();
    assert!(old.starts_with("i-"));
    bench.sync_of(&old, Some("i"), 1, &[(&old, 3)]);
    let second = bench.send(join("", Some("i")));
    let answer = bench.joined(second).clone();
    assert_eq!((answer.error, answer.generation), (ErrorCode::None, 1));
    assert!(answer.skip_assignment && answer.leader == answer.member_id && answer.member_id != old);
    assert_eq!(answer.members.len(), 1);
    let synced = bench.sync_of(&answer.member_id, Some("i"), 1, &[]);
    assert_eq!(*bench.synced(synced).assignment, [partition("t", 3)]);
    assert_eq!((bench.state(), bench.group().generation), (ClassicState::Stable, 1));
    let fenced = bench.send(heartbeat(&old, Some("i"), 1));
    let unknown = bench.send(heartbeat(&old, None, 1));
    assert_eq!(bench.error(fenced), ErrorCode::FencedInstanceId);
    assert_eq!(bench.error(unknown), ErrorCode::UnknownMemberId);
}

#[test]
fn an_operator_removes_a_static_member() {
    let mut bench = Bench::new(&[]);
    bench.send(join("", Some("i")));
    bench.wait(3_000);
    let gone = bench.send(leave(&[("", Some("i"))]));
    let nobody = bench.send(leave(&[("", Some("j"))]));
    assert_eq!(bench.error(gone), ErrorCode::None);
    assert_eq!(bench.error(nobody), ErrorCode::UnknownMemberId);
    assert_eq!(bench.state(), ClassicState::Empty);
}

#[test]
fn a_full_group_turns_the_next_one_away() {
    let mut bench = Bench::new(&[("group.max.size", "1")]);
    bench.stable_with_one();
    let refused = bench.send(join("", None));
    assert_eq!(bench.error(refused), ErrorCode::GroupMaxSizeReached);
}

#[test]
fn protocols_must_have_one_in_common() {
    let mut bench = Bench::new(&[]);
    bench.stable_with_one();
    let mut other = join("", None);
    other.protocols = vec![("roundrobin".into(), subscription(&["t"], -1))];
    let mut kind = join("", None);
    kind.protocol_type = "connect".into();
    let (other, kind) = (bench.send(other), bench.send(kind));
    assert_eq!(bench.error(other), ErrorCode::InconsistentGroupProtocol);
    assert_eq!(bench.error(kind), ErrorCode::InconsistentGroupProtocol);
}

#[test]
fn sessions_out_of_bounds_and_nameless_groups_are_refused() {
    let mut bench = Bench::new(&[]);
    let mut short = join("", None);
    short.session_timeout_ms = 5_999;
    let mut nameless = join("", None);
    nameless.group = "".into();
    let (short, nameless, ghost) = (bench.send(short), bench.send(nameless), bench.send(join("ghost", None)));
    assert_eq!(bench.error(short), ErrorCode::InvalidSessionTimeout);
    assert_eq!(bench.error(nameless), ErrorCode::InvalidGroupId);
    assert_eq!(bench.error(ghost), ErrorCode::UnknownMemberId);
}
