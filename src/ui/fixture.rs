//! DEVELOPMENT ONLY: a still picture of the mock's story.
use super::session::Problem;
use crate::lab::view::*;
use std::rc::Rc;

pub struct Run {
    text: String,
    now: u64,
    event: u64,
    fail: bool,
}

const END: u64 = 2_418_120;

fn cells(keys: &[&str], committed: i64, acked: i64, leader: bool) -> Rc<[CellView]> {
    keys.iter()
        .enumerate()
        .map(|(i, k)| CellView {
            offset: i as i64,
            epoch: 1,
            key: Some((*k).into()),
            value: Some("300".into()),
            state: if (i as i64) < committed {
                CellState::Committed
            } else {
                CellState::Open
            },
            acknowledged: leader && (i as i64) < acked,
            opens_epoch: false,
            record: Some(i as u32),
        })
        .collect()
}

impl Run {
    pub fn open(text: &str) -> Result<Run, Vec<Problem>> {
        let parsed = crate::lab::language::parse(text);
        if !parsed.errors.is_empty() {
            return Err(parsed.errors.into_iter().map(Problem::from).collect());
        }
        Ok(Run {
            text: text.into(),
            now: END,
            event: 412,
            fail: text.contains("acks=1"),
        })
    }
    pub fn text(&self) -> &str {
        &self.text
    }
    pub fn now_us(&self) -> u64 {
        self.now
    }
    pub fn end_us(&self) -> u64 {
        END.max(self.now)
    }
    pub fn event(&self) -> u64 {
        self.event
    }
    pub fn end_event(&self) -> u64 {
        self.event.max(412)
    }
    pub fn step(&mut self) -> bool {
        self.now += 310;
        self.event += 1;
        true
    }
    pub fn step_interesting(&mut self) -> bool {
        self.now += 5310;
        self.event += 8;
        true
    }
    pub fn step_back(&mut self) {
        self.now = self.now.saturating_sub(310);
        self.event = self.event.saturating_sub(1);
    }
    pub fn seek_us(&mut self, t: u64) {
        self.now = t;
        self.event = t / 5870;
    }
    pub fn seek_event(&mut self, e: u64) {
        self.event = e;
        self.now = e * 5870;
    }
    pub fn play_until_us(&mut self, t: u64, _: u32) {
        self.now = t;
        self.event = t / 5870;
    }
    pub fn command(&mut self, line: &str) -> Result<String, Problem> {
        if line.starts_with("crash") {
            self.fail = true;
        }
        if line.starts_with("crsh") {
            return Err(Problem {
                line: 1,
                column: 1,
                length: 4,
                text: "crsh is not a command; nearest: crash".into(),
            });
        }
        self.text.push_str(&format!("at {}us   {line}\n", self.now));
        Ok(format!("at {}us  {line}", self.now))
    }
    pub fn undo(&mut self) -> bool {
        self.fail = false;
        true
    }
    pub fn can_undo(&self) -> bool {
        true
    }
    pub fn view(&self) -> View {
        let p0 = [
            "user-17", "user-8", "user-40", "user-17", "user-26", "user-63", "user-8", "user-40", "user-63",
        ];
        let p1 = [
            "user-4", "user-11", "user-42", "user-5", "user-42", "user-23", "user-11",
        ];
        let p2 = [
            "user-1", "user-7", "user-30", "user-9", "user-7", "user-2", "user-18", "user-1", "user-44", "user-7",
            "user-55",
        ];
        let all: Vec<String> = ["b1", "b2", "b3"].iter().map(|s| s.to_string()).collect();
        let lead = ["b1", "b2", "b3"];
        let ends = [[9, 9, 8], [7, 7, 7], [11, 9, 11]];
        let hws = [[8, 8, 7], [7, 7, 7], [9, 8, 9]];
        let keys: [&[&str]; 3] = [&p0, &p1, &p2];
        let mut brokers = Vec::new();
        for b in 0..3usize {
            let mut replicas = Vec::new();
            for p in 0..3usize {
                let role = if lead[p] == all[b] {
                    Role::Leader
                } else {
                    Role::Follower
                };
                let mut c: Vec<CellView> = cells(
                    &keys[p][..ends[p][b] as usize],
                    hws[p][b],
                    7 + p as i64,
                    role == Role::Leader,
                )
                .to_vec();
                let mut role = role;
                if self.fail && b == 0 {
                    role = Role::Offline;
                    if p == 0 {
                        c[8].state = CellState::Lost;
                        c[8].acknowledged = true;
                        c[7].state = CellState::Open;
                    }
                }
                if self.fail && b == 1 && p == 0 {
                    role = Role::Leader;
                    c[8].opens_epoch = true;
                    c[8].epoch = 3;
                }
                replicas.push(ReplicaView {
                    topic: "loan_request".into(),
                    partition: p as i32,
                    role,
                    epoch: if p == 0 { 2 } else { 1 },
                    leader: Some(lead[p].into()),
                    in_sync: !(self.fail && b == 0),
                    isr: all.clone(),
                    start: 0,
                    end: ends[p][b],
                    high_watermark: hws[p][b],
                    last_stable: hws[p][b],
                    flushed: ends[p][b] - 1,
                    epochs: vec![(0, 0), (1, 3)],
                    bytes: 840,
                    cells: c.into(),
                });
            }
            brokers.push(BrokerView {
                name: all[b].clone(),
                node_id: b as i32 + 1,
                host: all[b].clone(),
                rack: Some(["a", "b", "c"][b].into()),
                health: if self.fail && b == 0 {
                    Health::Crashed
                } else {
                    Health::Up
                },
                since_us: 1_204_500,
                broker_epoch: 14 + b as i64,
                metadata_offset: 57,
                metadata_lag: 0,
                unflushed: 3 - b as u64,
                coordinates: if b == 1 { vec!["loan-workers".into()] } else { vec![] },
                replicas,
                config: vec![
                    ("min.insync.replicas".into(), "1".into()),
                    ("replica.lag.time.max.ms".into(), "30000".into()),
                    ("broker.session.timeout.ms".into(), "9000".into()),
                ],
                metrics: vec![
                    Metric {
                        name: "UnderReplicatedPartitions",
                        value: 0,
                        unit: "",
                    },
                    Metric {
                        name: "MessagesInPerSec",
                        value: 12,
                        unit: "1/s",
                    },
                ],
                faults: vec![],
            });
        }
        let member = |name: &str, a: Vec<(i32, i64, i64, i64)>| ConsumerView {
            name: name.into(),
            host: name.into(),
            state: "stable".into(),
            generation: 3,
            leader: name == "w1",
            assignment: a
                .into_iter()
                .map(|(p, c, pos, end)| AssignedView {
                    topic: "loan_request".into(),
                    partition: p,
                    start: 0,
                    committed: Some(c),
                    position: Some(pos),
                    end,
                    lag: end - c,
                })
                .collect(),
            delivered: 11,
            ..ConsumerView::default()
        };
        View {
            now_us: self.now, event: self.event,
            caption: if self.fail { "One acknowledged record is gone. b2 leads P0 since epoch 3 and never had user-17; b1 will cut it off when it returns." } else { "user-63 is in two of three logs. P0’s high watermark waits at 8 for b3; only then may b1 acknowledge." }.into(),
            controllers: vec![ControllerView { name: "c1".into(), active: true, epoch: 4, metadata_end: 57, brokers: all.iter().map(|b| (b.clone(), if self.fail && b == "b1" { "fenced".into() } else { "active".to_string() })).collect(), ..ControllerView::default() }],
            brokers,
            topics: vec![TopicView { name: "loan_request".into(), internal: false, config: vec![("min.insync.replicas".into(), "2".into())], partitions: (0..3).map(|p| PartitionView { partition: p, leader: Some(lead[p as usize].into()), epoch: 1, replicas: all.clone(), isr: all.clone(), ..PartitionView::default() }).collect() }],
            producers: vec![
                ProducerView { name: "loan-web".into(), host: "loan-web".into(), acks: "all".into(), idempotent: true, in_flight: 1, max_in_flight: 5, sent: 22, acknowledged: 19, ..ProducerView::default() },
                ProducerView { name: "branch-app".into(), host: "branch-app".into(), acks: "1".into(), in_flight: 0, max_in_flight: 5, buffered: 2, sent: 6, acknowledged: 5, ..ProducerView::default() },
            ],
            groups: vec![GroupView { name: "loan-workers".into(), protocol: "classic".into(), state: "Stable".into(), generation: 3, assignor: "range".into(), coordinator: Some("b2".into()), lag: 6,
                members: vec![member("w1", vec![(0, 6, 8, 8), (1, 7, 7, 7)]), member("w2", vec![(2, 5, 7, 9)])] }],
            free_consumers: vec![], links: if self.fail { vec![LinkView { from: "b1".into(), to: "b2".into(), latency_us: 300, cut: true, delay_us: 0, loss_percent: 0 }, LinkView { from: "b2".into(), to: "b3".into(), latency_us: 300, cut: false, delay_us: 40_000, loss_percent: 0 }] } else { vec![] },
            ledger: LedgerView { sent: 28, appended: 27, committed: 24, acknowledged: 24, delivered: 22, waiting: 5, lost: self.fail as u64, ..LedgerView::default() },
            invariants: (0..5).map(|i| InvariantView { name: ["no-committed-record-lost", "order-within-a-partition", "high-watermark-monotonic", "one-leader-per-epoch", "offsets-within-log"][i], about: "…", broken: (self.fail && i == 0).then(|| (400, "user-17 was acknowledged and is in no leader's log".into())) }).collect(),
        }
    }
    pub fn flights(&self) -> Vec<FlightView> {
        let f = |id, from: &str, to: &str, kind, class, at: u64| {
            let sent = self.now.saturating_sub(at * 5);
            FlightView {
                id,
                from: from.into(),
                to: to.into(),
                kind,
                class,
                sent_us: sent,
                arrives_us: sent + 500,
                held: false,
                text: "P1 user-88".into(),
            }
        };
        let ph = (self.now / 5) % 100;
        vec![
            f(
                1,
                "loan-web",
                "b2",
                "ProduceRequest",
                FlightClass::Data,
                (34 + ph) % 100,
            ),
            f(
                2,
                "b1",
                "loan-web",
                "ProduceResponse",
                FlightClass::Answer,
                (50 + ph) % 100,
            ),
            f(3, "b1", "b3", "FetchResponse", FlightClass::Copy, (45 + ph) % 100),
            f(4, "b3", "b2", "FetchResponse", FlightClass::Copy, (50 + ph) % 100),
            f(5, "b3", "w2", "FetchResponse", FlightClass::Answer, (50 + ph) % 100),
            f(6, "w1", "b2", "HeartbeatRequest", FlightClass::Control, (40 + ph) % 100),
            f(7, "b1", "c1", "AlterPartition", FlightClass::Control, (20 + ph) % 100),
        ]
    }
    pub fn log(&self, _r: std::ops::Range<u64>, min: Weight, filter: &str) -> Vec<LogEntry> {
        let rows = [
            (
                2_409_020,
                "b1",
                "P2 append @8, LEO 8 → 9",
                Weight::Detail,
                "replica/append",
            ),
            (
                2_409_400,
                "b3",
                "P2 HW 7 → 8: b2 has reached 8",
                Weight::Matters,
                "replica/high-watermark",
            ),
            (
                2_409_410,
                "b3",
                "ack @7 to loan-web",
                Weight::Matters,
                "produce/acks-all",
            ),
            (
                2_410_200,
                "w2",
                "receives P2 @6, position 7",
                Weight::Matters,
                "consumer/poll",
            ),
            (2_410_930, "you", "produce loan-web user-40", Weight::Matters, "command"),
            (
                2_411_240,
                "b1",
                "P0 append @7 user-40, LEO 8",
                Weight::Detail,
                "produce/append",
            ),
            (
                2_411_550,
                "b2",
                "P0 append @7, LEO 7 → 8",
                Weight::Detail,
                "replica/append",
            ),
            (
                2_414_880,
                "b2",
                "heartbeat to the controller",
                Weight::Idle,
                "kraft/heartbeat",
            ),
            (
                2_415_510,
                "b2",
                "leads P0, epoch 3, LEO 8",
                Weight::Matters,
                "kraft/elect-from-isr",
            ),
            (
                2_418_000,
                "P0@8",
                "user-17 lost: acked, in no leader’s log",
                Weight::Alarm,
                "ledger/acked-survives",
            ),
        ];
        let mut out = Vec::new();
        for round in 0..40u64 {
            for (i, (t, who, text, w, rule)) in rows.iter().enumerate() {
                let at = *t - (39 - round) * 50_000;
                if at <= self.now && *w >= min && (text.contains(filter) || who.contains(filter)) {
                    out.push(LogEntry {
                        event: round * 10 + i as u64,
                        index: 0,
                        at_us: at,
                        who: (*who).into(),
                        text: (*text).into(),
                        weight: *w,
                        rule: Some(rule),
                    });
                }
            }
        }
        out
    }
    pub fn why(&self, event: u64, _index: u16) -> Vec<WhyLink> {
        let l = |at_us, who: &str, s: &str, rule, config: Vec<(&'static str, String)>| WhyLink {
            event,
            at_us,
            who: who.into(),
            sentence: s.into(),
            rule: Some(rule),
            source: Some("KIP-966"),
            config,
        };
        vec![
            l(
                10_012_310,
                "P0@8",
                "Lost: acked, in no leader’s log",
                "ledger/acked-survives",
                vec![],
            ),
            l(
                10_012_000,
                "b2",
                "b2 elected from the ISR, log ends at 8",
                "kraft/elect-from-isr",
                vec![("unclean.leader.election.enable", "false".into())],
            ),
            l(
                10_012_000,
                "c1",
                "The controller fenced b1",
                "kraft/session-expired",
                vec![("broker.session.timeout.ms", "9000".into())],
            ),
            l(1_204_500, "you", "You crashed b1", "command", vec![]),
        ]
    }
    pub fn fates(&self) -> Vec<FateView> {
        (0..28)
            .map(|i| FateView {
                record: i,
                producer: "loan-web".into(),
                topic: "loan_request".into(),
                partition: Some(i as i32 % 3),
                offset: Some(i as i64 / 3),
                key: Some(format!("user-{}", i * 7 % 60)),
                value: Some("300".into()),
                fates: if self.fail && i == 5 {
                    vec!["appended", "acknowledged", "lost"]
                } else {
                    vec!["appended", "committed", "acknowledged", "delivered"]
                },
                delivered_to: vec![("w1".into(), 1)],
                error: None,
                sent_us: i as u64 * 80_000,
            })
            .collect()
    }
    pub fn marks(&self) -> Vec<MarkView> {
        vec![
            MarkView {
                event: 1,
                at_us: 60_000,
                kind: MarkKind::Command,
                text: "topic loan_request".into(),
            },
            MarkView {
                event: 60,
                at_us: 430_000,
                kind: MarkKind::Group,
                text: "w1 joins".into(),
            },
            MarkView {
                event: 90,
                at_us: 640_000,
                kind: MarkKind::Group,
                text: "w2 joins".into(),
            },
            MarkView {
                event: 300,
                at_us: 2_150_000,
                kind: MarkKind::Fault,
                text: "crash b1".into(),
            },
            MarkView {
                event: 900,
                at_us: 2_730_000,
                kind: MarkKind::Command,
                text: "produce loan-web user-25".into(),
            },
        ]
    }
    pub fn density(&self, _f: u64, to: u64, bins: usize) -> Vec<Density> {
        (0..bins as u64)
            .map(|i| {
                let at = i * to / bins as u64;
                if at > END {
                    return Density::default();
                }
                if (900_000..1_700_000).contains(&at) {
                    return Density {
                        idle: 1,
                        ..Density::default()
                    };
                }
                Density {
                    data: ((i * 7919) % 13) as u32,
                    control: ((i * 31) % 5) as u32,
                    clients: ((i * 17) % 4) as u32,
                    idle: 1,
                }
            })
            .collect()
    }
    pub fn branches(&self) -> Vec<BranchView> {
        vec![
            BranchView {
                id: 0,
                name: "main".into(),
                parent: None,
                forked_at_us: 0,
                end_us: END,
                current: true,
                outcome: "0 lost".into(),
                text: self.text.as_str().into(),
            },
            BranchView {
                id: 1,
                name: "slow-b3".into(),
                parent: Some(0),
                forked_at_us: 1_300_000,
                end_us: 1_950_000,
                current: false,
                outcome: "0 lost".into(),
                text: "".into(),
            },
            BranchView {
                id: 2,
                name: "drop-ack".into(),
                parent: Some(0),
                forked_at_us: 2_150_000,
                end_us: 2_350_000,
                current: false,
                outcome: "1 duplicated".into(),
                text: "".into(),
            },
        ]
    }
    pub fn switch_branch(&mut self, _id: u32) {}
    pub fn fork(&mut self, _name: &str) {}
}
