//! Registration, sessions, fencing, controlled shutdown.

use super::super::note::{ControllerNote, How, Why};
use super::super::partition::LeaderRecoveryState;
use super::*;
use crate::kafka::types::NO_LEADER;

#[test]
fn the_only_voter_leads_at_once_and_begins_the_log() {
    let world = World::new(&[("min.insync.replicas", "2")]);
    let controller = world.controller();
    assert!(controller.is_active());
    assert_eq!(controller.epoch(), 1);
    assert_eq!(controller.image().features["metadata.version"], 30);
    assert_eq!(controller.image().features.len(), 7);
    let all = controller.image().settings(&ConfigResource::Broker("".into())).unwrap();
    assert_eq!(&*all["min.insync.replicas"], "2", "KIP-966: activation writes it");
    assert!(matches!(world.notes[0], ControllerNote::Leads { epoch: 1 }));
}

#[test]
fn a_broker_registers_fenced_and_r62_needs_its_own_registration_to_be_unfenced() {
    let mut world = World::new(&[]);
    let next = world.controller().log.end_offset();
    let answer = world.register(1, 11, -1);
    assert_eq!((answer.error, answer.broker_epoch), (ErrorCode::None, next));
    assert_eq!(world.controller().brokers()[0].state, "fenced");
    let mut request = BrokerHeartbeatRequest {
        broker: 1,
        broker_epoch: next,
        current_metadata_offset: next - 1,
        want_fence: false,
        want_shut_down: false,
    };
    let early = world.heartbeat(request.clone());
    assert!(!early.is_caught_up && early.is_fenced);
    request.current_metadata_offset = next;
    request.want_fence = true;
    let waiting = world.heartbeat(request.clone());
    assert!(waiting.is_caught_up && waiting.is_fenced);
    request.want_fence = false;
    let unfenced = world.heartbeat(request.clone());
    assert!(unfenced.is_caught_up && !unfenced.is_fenced && !unfenced.should_shut_down);
    assert_eq!(world.controller().brokers()[0].state, "active");
    request.broker_epoch += 1;
    assert_eq!(world.heartbeat(request).error, ErrorCode::StaleBrokerEpoch);
    assert!(world.notes.contains(&ControllerNote::Unfenced { broker: 1 }));
}

#[test]
fn the_same_incarnation_again_keeps_its_epoch_and_state() {
    let mut world = World::with_brokers(1, &[]);
    let epoch = world.live[&1];
    let again = world.register(1, 1, -1);
    assert_eq!((again.error, again.broker_epoch), (ErrorCode::None, epoch));
    assert_eq!(world.controller().brokers()[0].state, "active");
}

#[test]
fn r61_a_restart_inside_the_session_timeout_waits_for_its_end() {
    let mut world = World::with_brokers(1, &[("broker.session.timeout.ms", "5000")]);
    world.wait(1_000);
    let refused = world.register(1, 2, -1);
    assert_eq!(refused.error, ErrorCode::DuplicateBrokerRegistration);
    assert!(
        refused
            .message
            .as_ref()
            .unwrap()
            .starts_with("Another broker is registered")
    );
    world.live.clear();
    world.quiet(4_300);
    assert_eq!(world.register(1, 2, -1).error, ErrorCode::DuplicateBrokerRegistration);
    world.quiet(800);
    assert_eq!(world.register(1, 2, -1).error, ErrorCode::None);
}

#[test]
fn r63_a_silent_broker_is_fenced_between_one_session_and_an_eighth_more() {
    for session in [5_000u64, 9_000] {
        let mut world = World::with_brokers(2, &[("broker.session.timeout.ms", &session.to_string())]);
        world.create("t", &[&[1, 2]], &[]);
        let silent_since = world.sim.now();
        world.live.remove(&1);
        let epoch = world.live[&2];
        while !world.controller().image().brokers[&1].fenced {
            world.beat(2, epoch, false, false);
            world.quiet(25);
        }
        let took = world.sim.now().since(silent_since).as_ms() as u64;
        assert!(
            took > session - 30 && took <= session * 9 / 8 + 30,
            "{took} of {session}"
        );
        assert_eq!(world.see("t"), (2, 1, &[2][..], &[][..]), "min.insync.replicas is 1");
        let fenced = world.notes.iter().find(|n| matches!(n, ControllerNote::Fenced { .. }));
        let config = fenced.expect("a note").config();
        assert_eq!(config, [("broker.session.timeout.ms", session.to_string())]);
    }
}

#[test]
fn r53_a_followers_fencing_changes_isr_and_partition_epoch_only() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2, 3]], &[]);
    world.lose(3);
    let p = world.partition("t");
    assert_eq!((p.leader, p.leader_epoch, p.partition_epoch), (1, 0, 1));
    assert_eq!(p.isr, [1, 2]);
    assert_eq!(world.controller().brokers()[2].state, "fenced");
}

#[test]
fn r54_r55_without_elr_the_last_isr_member_stays_and_alone_comes_back() {
    let mut world = World::with_features(&[], EXCEPT_ELR);
    (1..=3).for_each(|id| world.join(id, 1));
    world.create("t", &[&[1, 2, 3]], &[]);
    [1, 2, 3].into_iter().for_each(|id| world.lose(id));
    assert_eq!(world.see("t"), (NO_LEADER, 3, &[3][..], &[][..]));
    world.join(1, 2);
    assert_eq!(world.see("t").0, NO_LEADER);
    world.join(3, 2);
    assert_eq!(world.see("t"), (3, 4, &[3][..], &[][..]));
}

#[test]
fn r56_r57_with_elr_any_eligible_replica_leads_alone() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2, 3]], &[("min.insync.replicas", "2")]);
    let mut epochs = world.live.clone();
    world.lose(1);
    assert_eq!(world.see("t"), (2, 1, &[2, 3][..], &[][..]));
    world.lose(2);
    assert_eq!(world.see("t"), (3, 2, &[3][..], &[2][..]));
    world.lose(3);
    assert_eq!(world.see("t"), (NO_LEADER, 3, &[][..], &[2, 3][..]));
    assert_eq!(world.partition("t").last_known_elr, [3]);
    let epoch = epochs.remove(&2).unwrap();
    world.return_with(2, 2, epoch);
    assert_eq!(world.see("t"), (2, 4, &[2][..], &[3][..]));
    let how = world.notes.iter().rev().find_map(|n| match n {
        ControllerNote::LeaderElected { how, why, .. } => Some((*how, *why)),
        _ => None,
    });
    assert_eq!(how, Some((How::Eligible, Why::Unfenced { broker: 2 })));
}

#[test]
fn r58_r59_unclean_returns_empty_the_elr_and_the_last_known_leader_leads() {
    let mut world = World::with_brokers(2, &[]);
    world.create("t", &[&[1, 2]], &[("min.insync.replicas", "2")]);
    world.lose(1);
    world.lose(2);
    assert_eq!(world.see("t"), (NO_LEADER, 2, &[][..], &[1, 2][..]));
    world.join(1, 2);
    assert_eq!(
        world.see("t"),
        (NO_LEADER, 2, &[][..], &[2][..]),
        "1 came back uncleanly"
    );
    world.join(2, 2);
    assert_eq!(world.see("t"), (2, 3, &[2][..], &[][..]));
    assert_eq!(world.partition("t").recovery, LeaderRecoveryState::Recovering);
    let last = world.notes.iter().any(|n| {
        matches!(
            n,
            ControllerNote::LeaderElected {
                how: How::LastKnown,
                to: 2,
                ..
            }
        )
    });
    assert!(last);
}

#[test]
fn r64_a_restarted_controller_knows_everything_and_gives_fresh_sessions() {
    for how in [Halt::Crash, Halt::PowerLoss] {
        let mut world = World::with_brokers(2, &[("broker.session.timeout.ms", "5000")]);
        world.create("t", &[&[1, 2]], &[("retention.ms", "1000")]);
        world.quiet(4_500);
        let before = world.controller().log.end_offset();
        world.restart_controller(how);
        let controller = world.controller();
        assert!(controller.is_active());
        assert_eq!((controller.epoch(), controller.log.end_offset()), (2, before + 1));
        assert_eq!(world.see("t"), (1, 0, &[1, 2][..], &[][..]));
        world.quiet(4_900);
        assert!(world.controller().image().is_alive(1), "its session began anew");
        world.quiet(1_000);
        assert!(!world.controller().image().is_alive(1));
    }
}

#[test]
fn r66_a_controlled_shutdown_ends_when_all_active_brokers_have_applied_the_moves() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2, 3]], &[]);
    world.wait(500);
    let epochs = world.live.clone();
    let old = world.controller().log.end_offset() - 1;
    let first = world.beat(1, epochs[&1], false, true);
    assert!(!first.should_shut_down && !first.is_fenced);
    assert_eq!(world.controller().brokers()[0].state, "shutdown");
    assert_eq!(world.see("t"), (2, 1, &[2, 3][..], &[][..]));
    world.beat(2, epochs[&2], false, false);
    world.heartbeat(BrokerHeartbeatRequest {
        broker: 3,
        broker_epoch: epochs[&3],
        current_metadata_offset: old,
        want_fence: false,
        want_shut_down: false,
    });
    assert!(
        !world.beat(1, epochs[&1], false, true).should_shut_down,
        "3 lags behind"
    );
    assert!(matches!(
        world.notes.last(),
        Some(ControllerNote::ShutdownWaits { broker: 1, .. })
    ));
    world.beat(3, epochs[&3], false, false);
    let last = world.beat(1, epochs[&1], false, true);
    assert!(last.should_shut_down && last.is_fenced);
    assert_eq!(world.controller().brokers()[0].state, "shutdown-fenced");
    world.live.remove(&1);
    world.wait(12_000);
    world.return_with(1, 2, epochs[&1]);
    assert_eq!(world.controller().brokers()[0].state, "active");
    assert_eq!(world.see("t").0, 2, "the lead stays");
}

#[test]
fn who_leads_nothing_stops_at_once() {
    let mut world = World::with_brokers(2, &[]);
    world.create("t", &[&[1, 2]], &[]);
    let epoch = world.live[&2];
    assert!(world.beat(2, epoch, false, true).should_shut_down);
    assert_eq!(world.controller().brokers()[1].state, "fenced");
    assert_eq!(world.see("t"), (1, 0, &[1][..], &[][..]));
}

#[test]
fn an_unregistered_broker_is_gone_but_keeps_its_replicas() {
    let mut world = World::with_brokers(3, &[]);
    world.create("t", &[&[1, 2, 3]], &[]);
    let epoch = world.live.remove(&3).unwrap();
    let ask = |world: &mut World, broker| match world.ask(UnregisterBrokerRequest { broker }) {
        Body::UnregisterBrokerResponse(answer) => answer.error.clone(),
        other => panic!("{}", other.kind()),
    };
    assert_eq!(ask(&mut world, 3).0, ErrorCode::None);
    assert_eq!(world.controller().brokers().len(), 2);
    assert_eq!(world.see("t"), (1, 0, &[1, 2][..], &[][..]));
    assert_eq!(world.partition("t").replicas, [1, 2, 3]);
    assert_eq!(world.beat(3, epoch, false, false).error, ErrorCode::StaleBrokerEpoch);
    let unknown = ask(&mut world, 7);
    let message = "Broker ID 7 is not currently registered";
    assert_eq!(text(&unknown), (ErrorCode::BrokerIdNotRegistered, message));
}

#[test]
fn r74_the_balancer_gives_leaderships_back_every_interval() {
    let mut world = World::with_brokers(2, &[("leader.imbalance.check.interval.seconds", "20")]);
    world.create("t", &[&[1, 2]], &[]);
    world.lose(1);
    world.join(1, 2);
    world.alter_isr("t", &[2, 1]);
    assert_eq!(world.see("t").0, 2);
    world.wait(20_000);
    assert_eq!(world.see("t").0, 1);
    let note = world
        .notes
        .iter()
        .rev()
        .find(|n| matches!(n, ControllerNote::LeaderElected { .. }));
    let config = note.unwrap().config();
    assert!(config.contains(&("leader.imbalance.check.interval.seconds", "20".into())));
    assert_eq!(note.unwrap().rule().unwrap().name, "election/preferred");
    let mut off = World::with_brokers(2, &[("auto.leader.rebalance.enable", "false")]);
    off.create("t", &[&[1, 2]], &[]);
    off.lose(1);
    off.join(1, 2);
    off.alter_isr("t", &[2, 1]);
    off.wait(310_000);
    assert_eq!(off.see("t").0, 2);
}

#[test]
fn the_unclean_timer_elects_where_the_topic_allows_it() {
    let config = [("unclean.leader.election.interval.ms", "30000")];
    let mut world = World::with_features(&config, EXCEPT_ELR);
    (1..=2).for_each(|id| world.join(id, 1));
    world.create("t", &[&[1, 2]], &[]);
    world.lose(2);
    world.lose(1);
    world.join(2, 2);
    assert_eq!(world.see("t").0, NO_LEADER);
    let set = AlterOp::Set("true".into());
    let topic = ConfigResource::Topic("t".into());
    assert_eq!(
        world.alter(topic, &[("unclean.leader.election.enable", set)]).0,
        ErrorCode::None
    );
    assert_eq!(world.see("t").0, NO_LEADER, "at the next run");
    world.wait(31_000);
    assert_eq!(world.see("t"), (2, 2, &[2][..], &[][..]));
    let note = world
        .notes
        .iter()
        .rev()
        .find(|n| matches!(n, ControllerNote::LeaderElected { .. }));
    assert_eq!(note.unwrap().rule().unwrap().name, "election/unclean");
}
