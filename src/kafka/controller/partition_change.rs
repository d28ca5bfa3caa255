//! What a wish of the controller (another ISR, an election, a reassignment) does to a partition: a pure function from
//! the registration, the brokers that may lead and the wish to the record that is written, if any.
//!
//! Rules: `kafka-controller.md`, sections 7 to 9 and 11. [PartitionChangeBuilder]

use super::partition::{LeaderRecoveryState, PartitionChange, PartitionRegistration};
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::ordered::SortSmall;

/// How a leader may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The first replica takes over if it can, even from a healthy leader.
    Preferred,
    /// Only replicas that have all committed records (and a last known leader).
    Online,
    /// As `Online`; if nobody is found, any active replica, with loss of records.
    Unclean,
}

impl Election {
    /// The type of elections that the controller holds by itself. [PartitionChangeBuilder.electAnyLeader]
    pub fn of_topic(unclean_leader_election_enable: bool) -> Self {
        if unclean_leader_election_enable {
            Election::Unclean
        } else {
            Election::Online
        }
    }
}

/// The feature level of `metadata.version` 3.6-IV0, since which a shrinking ISR does not raise the leader epoch.
pub const METADATA_VERSION_3_6_IV0: i16 = 12;

/// The feature level of `metadata.version` 4.3-IV0, the one of a fresh 4.3.1 cluster.
pub const METADATA_VERSION_4_3_IV0: i16 = 30;

/// What of the cluster's and the topic's settings matters for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeRules {
    /// `min.insync.replicas`, at most the number of replicas. [ReplicationControlManager.getTopicEffectiveMinIsr]
    pub min_isr: usize,
    /// `eligible.leader.replicas.version` is 1.
    pub elr_enabled: bool,
    /// The last known leader may be elected (4.3.1: always).
    pub use_last_known_leader: bool,
    /// Feature level of `metadata.version`.
    pub metadata_version: i16,
}

impl ChangeRules {
    /// Those of a fresh 4.3.1 cluster.
    pub fn new(min_isr: usize) -> Self {
        Self {
            min_isr,
            elr_enabled: true,
            use_last_known_leader: true,
            metadata_version: METADATA_VERSION_4_3_IV0,
        }
    }
}

/// What the caller asks for; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub isr: Option<Vec<NodeId>>,
    pub replicas: Option<Vec<NodeId>>,
    pub adding: Option<Vec<NodeId>>,
    pub removing: Option<Vec<NodeId>>,
    pub recovery: Option<LeaderRecoveryState>,
    /// Brokers that came back without a clean shutdown: what they had may be gone.
    pub unclean_shutdown: Vec<NodeId>,
}

impl Wish {
    /// Another ISR, all else as it is.
    pub fn isr(isr: Vec<NodeId>) -> Self {
        Self {
            isr: Some(isr),
            ..Self::default()
        }
    }
}

/// Who leads now, and whether records may be lost by it.
struct Elected {
    leader: NodeId,
    unclean: bool,
}

/// The change while it is put together.
struct Builder<'a> {
    before: &'a PartitionRegistration,
    rules: &'a ChangeRules,
    may_lead: &'a dyn Fn(NodeId) -> bool,
    isr: Vec<NodeId>,
    elr: Vec<NodeId>,
    last_known_elr: Vec<NodeId>,
    replicas: Vec<NodeId>,
    adding: Vec<NodeId>,
    removing: Vec<NodeId>,
    recovery: LeaderRecoveryState,
    leader: Option<NodeId>,
}

/// The record that fulfils `wish`, or `None` if nothing changes. `may_lead` says which brokers are active: registered,
/// not fenced, not shutting down. [PartitionChangeBuilder.build]
pub fn build(
    before: &PartitionRegistration,
    wish: &Wish,
    election: Election,
    rules: &ChangeRules,
    may_lead: &dyn Fn(NodeId) -> bool,
) -> Option<PartitionChange> {
    let or = |new: &Option<Vec<NodeId>>, old: &Vec<NodeId>| new.as_ref().unwrap_or(old).clone();
    let mut builder = Builder {
        before,
        rules,
        may_lead,
        isr: or(&wish.isr, &before.isr),
        elr: before.elr.clone(),
        last_known_elr: before.last_known_elr.clone(),
        replicas: or(&wish.replicas, &before.replicas),
        adding: or(&wish.adding, &before.adding),
        removing: or(&wish.removing, &before.removing),
        recovery: wish.recovery.unwrap_or(before.recovery),
        leader: None,
    };
    builder.complete_reassignment();
    builder.fill_elr(&wish.unclean_shutdown);
    let elected = builder.elect(election);
    builder.take_over(&elected);
    builder.raise_leader_epoch_if_replicas_left();
    builder.note_last_known_leader();
    let change = builder.difference();
    (!change.is_empty()).then_some(change)
}

impl Builder<'_> {
    /// A reassignment is done as soon as all it adds is in sync (rule R-73).
    fn complete_reassignment(&mut self) {
        let staying = |from: &[NodeId], removing: &[NodeId]| -> Vec<NodeId> {
            let stays = |id: &&NodeId| !removing.contains(id);
            from.iter().filter(stays).copied().collect()
        };
        let isr = staying(&self.isr, &self.removing);
        let replicas = staying(&self.replicas, &self.removing);
        let in_sync = |ids: &[NodeId]| ids.iter().all(|id| isr.contains(id));
        let shrinks = self.adding.len() < self.removing.len();
        let reassigning = !self.adding.is_empty() || !self.removing.is_empty();
        if !reassigning || isr.is_empty() || !in_sync(&self.adding) {
            return;
        }
        if shrinks && !in_sync(&replicas) {
            return;
        }
        self.isr = isr;
        self.replicas = replicas;
        self.adding.clear();
        self.removing.clear();
    }

    /// Below min ISR, where the high watermark stands still, whoever leaves the ISR becomes eligible (rule R-57).
    fn fill_elr(&mut self, unclean: &[NodeId]) {
        if !self.rules.elr_enabled || self.isr.len() >= self.rules.min_isr {
            self.elr.clear();
            self.last_known_elr.clear();
            return;
        }
        let outside = |id: &NodeId| !self.isr.contains(id);
        let before = self.before;
        let elr: Vec<NodeId> = in_hash_order(before.elr.iter().chain(&before.isr))
            .into_iter()
            .filter(|id| outside(id) && !unclean.contains(id))
            .collect();
        let known = before.elr.iter().chain(&before.isr);
        let last_known = in_hash_order(known.chain(&before.last_known_elr))
            .into_iter()
            .filter(|id| outside(id) && !elr.contains(id))
            .collect();
        self.elr = elr;
        self.last_known_elr = last_known;
    }

    /// Would this replica lead without losing a committed record (rule R-56)?
    fn valid(&self, id: NodeId) -> bool {
        let eligible = self.isr.contains(&id) || (self.isr.is_empty() && self.elr.contains(&id));
        eligible && (self.may_lead)(id)
    }

    fn elect(&self, election: Election) -> Elected {
        let clean = |leader| Elected { leader, unclean: false };
        let unclean = |leader| Elected { leader, unclean: true };
        let preferred = self.replicas.first().copied();
        if let Some(id) = preferred.filter(|id| election == Election::Preferred && self.valid(*id)) {
            return clean(id);
        }
        if self.valid(self.before.leader) {
            return clean(self.before.leader);
        }
        let mut replicas = self.replicas.iter().copied();
        if let Some(id) = replicas.clone().find(|id| self.valid(*id)) {
            return clean(id);
        }
        if let Some(id) = self.electable_last_known_leader() {
            return unclean(id);
        }
        match replicas.find(|id| election == Election::Unclean && (self.may_lead)(*id)) {
            Some(id) => unclean(id),
            None => clean(NO_LEADER),
        }
    }

    /// The last known leader, when nobody else is eligible; `unclean.leader.election.enable` plays no part (rule R-59).
    fn electable_last_known_leader(&self) -> Option<NodeId> {
        if !self.rules.elr_enabled || !self.rules.use_last_known_leader {
            return None;
        }
        match self.before.last_known_elr[..] {
            [id] if self.isr.is_empty() && self.elr.is_empty() && (self.may_lead)(id) => Some(id),
            _ => None,
        }
    }

    /// A new leader from outside the ISR becomes the ISR alone; an unclean one also has to recover.
    fn take_over(&mut self, elected: &Elected) {
        if elected.leader == self.before.leader {
            return;
        }
        self.leader = Some(elected.leader);
        if elected.unclean {
            self.isr = vec![elected.leader];
            self.elr.clear();
            self.last_known_elr.clear();
            // A partition that was recovering already keeps what the wish says of it.
            if self.before.recovery == LeaderRecoveryState::Recovered {
                self.recovery = LeaderRecoveryState::Recovering;
            }
        } else if self.isr.is_empty() && self.elr.contains(&elected.leader) {
            self.isr = vec![elected.leader];
            self.elr.retain(|id| *id != elected.leader);
        }
    }

    /// A removed replica must not be heard any more, so its leaving raises the leader epoch even if the leader stays.
    /// Before 3.6 a replica that left the ISR did the same.
    fn raise_leader_epoch_if_replicas_left(&mut self) {
        let left = |before: &[NodeId], now: &[NodeId]| before.iter().any(|id| !now.contains(id));
        let shrunk = self.rules.metadata_version < METADATA_VERSION_3_6_IV0
            && self.isr_is_set()
            && left(&self.before.isr, &self.isr);
        if self.leader.is_none() && (shrunk || left(&self.before.replicas, &self.replicas)) {
            self.leader = Some(self.before.leader);
        }
    }

    /// Who led is noted when the partition becomes leaderless and forgotten when somebody leads.
    fn note_last_known_leader(&mut self) {
        if !self.rules.elr_enabled || !self.rules.use_last_known_leader {
            return;
        }
        let before = self.before;
        self.last_known_elr = match self.leader {
            Some(NO_LEADER) if before.last_known_elr.is_empty() => vec![before.leader],
            Some(id) if id != NO_LEADER => Vec::new(),
            _ => before.last_known_elr.clone(),
        };
    }

    /// Without eligible leader replicas the last member stays in the ISR (rule R-55).
    fn isr_is_set(&self) -> bool {
        (!self.isr.is_empty() || self.rules.elr_enabled) && self.isr != self.before.isr
    }

    fn difference(self) -> PartitionChange {
        let isr_is_set = self.isr_is_set();
        let before = self.before;
        let changed = |new: Vec<NodeId>, old: &[NodeId]| (new != old).then_some(new);
        PartitionChange {
            leader: self.leader,
            isr: isr_is_set.then_some(self.isr),
            elr: changed(self.elr, &before.elr),
            last_known_elr: changed(self.last_known_elr, &before.last_known_elr),
            replicas: changed(self.replicas, &before.replicas),
            adding: changed(self.adding, &before.adding),
            removing: changed(self.removing, &before.removing),
            recovery: (self.recovery != before.recovery).then_some(self.recovery),
        }
    }
}

/// The distinct ids in the order in which Java's `HashSet<Integer>` holds them: the real controller collects the
/// eligible replicas in one, and clients see its order (17 comes before 2).
fn in_hash_order<'a>(ids: impl Iterator<Item = &'a NodeId>) -> Vec<NodeId> {
    let mut distinct: Vec<NodeId> = Vec::new();
    for id in ids {
        if !distinct.contains(id) {
            distinct.push(*id);
        }
    }
    let mut table: u32 = 16;
    while distinct.len() > (table as usize) / 4 * 3 {
        table *= 2;
    }
    // Stable: ids of one bucket stay in the order of their arrival.
    distinct.sort_small_by_key(|id| {
        let hash = *id as u32;
        (hash ^ (hash >> 16)) & (table - 1)
    });
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;
    use serde_json::Value;

    fn ids(value: &Value) -> Vec<NodeId> {
        let list = value.as_array().into_iter().flatten();
        list.map(|id| id.as_i64().expect("an id") as NodeId).collect()
    }

    fn some_ids(value: &Value) -> Option<Vec<NodeId>> {
        value.is_array().then(|| ids(value))
    }

    fn some_recovery(value: &Value) -> Option<LeaderRecoveryState> {
        match value.as_str() {
            Some("RECOVERED") => Some(LeaderRecoveryState::Recovered),
            Some("RECOVERING") => Some(LeaderRecoveryState::Recovering),
            other => {
                assert_eq!(other, None, "a recovery state");
                None
            }
        }
    }

    fn number(value: &Value) -> i32 {
        value.as_i64().expect("a number") as i32
    }

    fn registration(value: &Value) -> PartitionRegistration {
        PartitionRegistration {
            replicas: ids(&value["replicas"]),
            isr: ids(&value["isr"]),
            elr: ids(&value["elr"]),
            last_known_elr: ids(&value["last_known_elr"]),
            adding: ids(&value["adding"]),
            removing: ids(&value["removing"]),
            leader: number(&value["leader"]),
            recovery: some_recovery(&value["recovery"]).unwrap_or_default(),
            leader_epoch: number(&value["leader_epoch"]),
            partition_epoch: number(&value["partition_epoch"]),
        }
    }

    fn record(value: &Value) -> Option<PartitionChange> {
        value.is_object().then(|| PartitionChange {
            leader: value["leader"].as_i64().map(|id| id as NodeId),
            isr: some_ids(&value["isr"]),
            elr: some_ids(&value["elr"]),
            last_known_elr: some_ids(&value["last_known_elr"]),
            replicas: some_ids(&value["replicas"]),
            adding: some_ids(&value["adding"]),
            removing: some_ids(&value["removing"]),
            recovery: some_recovery(&value["recovery"]),
        })
    }

    fn rules(case: &Value) -> ChangeRules {
        let metadata_version = match case["metadata_version"].as_str() {
            None => METADATA_VERSION_4_3_IV0,
            Some("3.4-IV0") => 8,
            Some("3.5-IV2") => 11,
            Some("3.6-IV0") => METADATA_VERSION_3_6_IV0,
            Some("3.7-IV2") => 17,
            Some(other) => panic!("level of {other}?"),
        };
        ChangeRules {
            min_isr: case["min_isr"].as_u64().expect("min_isr") as usize,
            elr_enabled: case["elr"].as_bool().expect("elr"),
            use_last_known_leader: case["use_last_known_leader"].as_bool().unwrap_or(true),
            metadata_version,
        }
    }

    #[test]
    fn partition_changes_vectors() {
        let cases = vectors::json_lines("partition_changes.jsonl");
        assert!(!cases.is_empty());
        for case in cases {
            let before = registration(&case["before"]);
            let set = &case["set"];
            let wish = Wish {
                isr: some_ids(&set["isr"]),
                replicas: some_ids(&set["replicas"]),
                adding: some_ids(&set["adding"]),
                removing: some_ids(&set["removing"]),
                recovery: some_recovery(&set["recovery"]),
                unclean_shutdown: ids(&set["unclean_shutdown"]),
            };
            let election = match case["election"].as_str() {
                Some("PREFERRED") => Election::Preferred,
                Some("ONLINE") => Election::Online,
                other => {
                    assert_eq!(other, Some("UNCLEAN"));
                    Election::Unclean
                }
            };
            let alive = ids(&case["alive"]);
            let change = build(&before, &wish, election, &rules(&case), &|id| alive.contains(&id));
            assert_eq!(change, record(&case["record"]), "case {case}");
            if let Some(change) = change {
                assert_eq!(before.merge(&change), registration(&case["after"]), "case {case}");
            }
        }
    }

    /// A partition with replicas 0, 1, 2 and min ISR 2, changed step by step.
    struct Partition {
        now: PartitionRegistration,
        rules: ChangeRules,
        active: Vec<NodeId>,
    }

    impl Partition {
        fn new(elr_enabled: bool) -> Self {
            Self {
                now: PartitionRegistration::new(vec![0, 1, 2], vec![0, 1, 2]),
                rules: ChangeRules {
                    elr_enabled,
                    ..ChangeRules::new(2)
                },
                active: vec![0, 1, 2],
            }
        }

        fn change(&mut self, wish: &Wish, election: Election) -> bool {
            let active = &self.active;
            let change = build(&self.now, wish, election, &self.rules, &|id| active.contains(&id));
            if let Some(change) = &change {
                self.now = self.now.merge(change);
            }
            change.is_some()
        }

        fn fence(&mut self, id: NodeId) {
            self.active.retain(|a| *a != id);
            let isr = self.now.isr.iter().copied().filter(|a| *a != id).collect();
            self.change(&Wish::isr(isr), Election::Online);
        }

        fn unfence(&mut self, id: NodeId, election: Election) -> bool {
            self.active.push(id);
            self.change(&Wish::default(), election)
        }

        /// Comes back without a clean shutdown: out of ISR and ELR, still fenced.
        fn return_uncleanly(&mut self, id: NodeId) {
            let wish = Wish {
                isr: Some(self.now.isr.iter().copied().filter(|a| *a != id).collect()),
                unclean_shutdown: vec![id],
                ..Wish::default()
            };
            self.change(&wish, Election::Online);
        }
    }

    #[test]
    fn r52_becoming_leaderless_raises_the_leader_epoch() {
        let mut p = Partition::new(true);
        p.fence(1);
        p.fence(2);
        let epoch = p.now.leader_epoch;
        p.fence(0);
        assert_eq!((p.now.leader, p.now.leader_epoch), (NO_LEADER, epoch + 1));
    }

    #[test]
    fn r53_a_followers_fencing_changes_isr_and_partition_epoch_only() {
        let mut p = Partition::new(true);
        p.fence(2);
        let expected = PartitionRegistration {
            isr: vec![0, 1],
            partition_epoch: 1,
            ..PartitionRegistration::new(vec![0, 1, 2], vec![0, 1, 2])
        };
        assert_eq!(p.now, expected);
    }

    #[test]
    fn r55_without_elr_the_last_isr_member_stays_and_alone_may_come_back() {
        let mut p = Partition::new(false);
        for id in [0, 1, 2] {
            p.fence(id);
        }
        assert_eq!((p.now.leader, &p.now.isr[..]), (NO_LEADER, &[2][..]));
        assert!(!p.unfence(0, Election::Online));
        assert!(p.unfence(2, Election::Online));
        assert_eq!((p.now.leader, p.now.recovery), (2, LeaderRecoveryState::Recovered));
    }

    #[test]
    fn an_unclean_election_takes_any_active_replica_as_the_whole_isr() {
        let mut p = Partition::new(false);
        for id in [0, 1, 2] {
            p.fence(id);
        }
        assert!(p.unfence(0, Election::Unclean));
        assert_eq!((p.now.leader, &p.now.isr[..]), (0, &[0][..]));
        assert_eq!(p.now.recovery, LeaderRecoveryState::Recovering);
    }

    #[test]
    fn r56_with_elr_the_isr_may_be_empty_and_an_elr_member_leads_as_the_isr_alone() {
        let mut p = Partition::new(true);
        p.fence(0);
        p.fence(1);
        assert_eq!((&p.now.isr[..], &p.now.elr[..]), (&[2][..], &[1][..]));
        p.fence(2);
        assert_eq!((&p.now.isr[..], &p.now.elr[..]), (&[][..], &[1, 2][..]));
        assert_eq!((p.now.leader, &p.now.last_known_elr[..]), (NO_LEADER, &[2][..]));
        assert!(p.unfence(1, Election::Online));
        assert_eq!((p.now.leader, &p.now.isr[..], &p.now.elr[..]), (1, &[1][..], &[2][..]));
        assert!(p.now.last_known_elr.is_empty());
        assert_eq!(p.now.recovery, LeaderRecoveryState::Recovered);
    }

    #[test]
    fn r57_the_elr_fills_only_below_min_isr_and_empties_at_it() {
        let mut p = Partition::new(true);
        p.fence(0);
        assert!(p.now.elr.is_empty(), "ISR of two: at min ISR");
        p.fence(1);
        assert_eq!(p.now.elr, [1]);
        p.active.push(1);
        p.change(&Wish::isr(vec![2, 1]), Election::Online);
        assert!(p.now.elr.is_empty());
    }

    #[test]
    fn r58_r59_unclean_restarts_empty_the_elr_and_the_last_known_leader_is_elected() {
        let mut p = Partition::new(true);
        for id in [0, 1, 2] {
            p.fence(id);
        }
        let epoch = p.now.leader_epoch;
        p.return_uncleanly(2);
        assert_eq!((&p.now.elr[..], p.now.leader_epoch), (&[1][..], epoch));
        p.return_uncleanly(1);
        assert!(p.now.elr.is_empty());
        assert!(!p.unfence(0, Election::Online), "never in the ELR");
        assert!(p.unfence(2, Election::Online), "the last known leader");
        assert_eq!((p.now.leader, &p.now.isr[..]), (2, &[2][..]));
        assert_eq!(p.now.recovery, LeaderRecoveryState::Recovering);
    }

    #[test]
    fn ids_come_in_the_order_of_a_java_hash_set() {
        assert_eq!(in_hash_order([2, 17, 1, 2].iter()), [17, 1, 2]);
        assert_eq!(in_hash_order([16, 1, 32].iter()), [16, 32, 1]);
    }
}
