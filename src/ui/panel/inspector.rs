//! The inspector: state, settings and metrics of what is selected, and everything that can be done to it.

mod amqp;

use yew::prelude::*;

use super::lag::LagChart;
use super::metrics::Metrics;
use crate::lab::view::*;
use crate::ui::acts::{self, consumers, is_internal};
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::stage::words::{look, state_word};
use crate::ui::state::*;
use crate::ui::texts::t;

/// Messages in flight that the overview lists.
const FLYING: usize = 12;
/// Records in flight that a share partition lists.
const SHARED: usize = 12;

#[derive(Properties, PartialEq)]
pub struct InspectorProps {
    pub scene: Scene,
    pub selection: Option<Selection>,
}

/// The tab.
#[component]
pub fn Inspector(props: &InspectorProps) -> Html {
    let bus = use_bus();
    let view = &props.scene.view;
    let flights = match &props.selection {
        Some(Selection::Message(_) | Selection::Link(..)) => bus.run.borrow().run.flights(),
        _ => bus.run.borrow().run.air(),
    };
    let body = match &props.selection {
        None => overview(&props.scene, &flights, &bus),
        Some(Selection::Process(name)) => process(&props.scene, name),
        Some(Selection::Link(a, b)) => link(view, a, b),
        Some(Selection::Replica {
            broker,
            topic,
            partition,
        }) => replica(view, broker, topic, *partition),
        Some(Selection::Record {
            broker,
            topic,
            partition,
            offset,
        }) => record(props, broker, topic, *partition, *offset, &bus),
        Some(Selection::Message(id)) => message(&flights, *id, view.now_us),
    };
    let sections = props
        .selection
        .as_ref()
        .map(|s| acts::of(view, &flights, s))
        .unwrap_or_default();
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label={t().inspector}>
            <div class="insp">
                { body }
                { for sections.iter().map(|section| actions(section, &bus)) }
            </div>
        </div>
    }
}

/// A section of a menu as buttons with their commands beside them.
fn actions(section: &Section, bus: &Bus) -> Html {
    let items: Vec<&Item> = section
        .items
        .iter()
        .filter(|i| matches!(i.msg, Msg::Command(_)))
        .collect();
    if items.is_empty() {
        return html! {};
    }
    html! {
        <>
            <h4>{ &section.title }</h4>
            <ul class="act-list">{ for items.into_iter().map(|item| html! {
                <li key={item.aside.clone()}><button type="button" class={classes!("btn", item.fault.then_some("fault"))} onclick={bus.on(item.msg.clone())} title={item.note.unwrap_or("")}><Icon name={item.icon} />{ &item.label }</button>
                    <code class="clip" title={item.aside.clone()}>{ &item.aside }</code></li>
            }) }</ul>
        </>
    }
}

/// A table of names and figures.
fn table(rows: Vec<(String, String)>) -> Html {
    html! { <table class="tbl"><tbody>{ for rows.into_iter().map(|(name, value)| html! { <tr key={name.clone()}><th scope="row">{ name }</th><td class="wrap">{ value }</td></tr> }) }</tbody></table> }
}

/// A row of a table. Words begin with a capital letter, the real system's own keys stay as they are.
fn pair(name: &str, value: impl ToString) -> (String, String) {
    let key = name.contains('.') || name == "acks" || name.contains('→');
    let mut letters = name.chars();
    let capital = letters
        .next()
        .filter(|_| !key)
        .map(|c| c.to_uppercase().chain(letters).collect());
    (capital.unwrap_or_else(|| name.to_owned()), value.to_string())
}

/// The faults that hold something now.
fn fault_chips(faults: &[String]) -> Html {
    html! {
        if !faults.is_empty() { <p class="tags">{ for faults.iter().map(|f| html! { <span class="chip bad"><Icon name="bolt" />{ f }</span> }) }</p> }
    }
}

/// Faults, metrics and settings, the latter folded away until they are asked for.
fn details(scene: &Scene, name: &str, config: &[(String, String)], faults: &[String]) -> Html {
    html! {
        <>
            { fault_chips(faults) }
            <Metrics scene={scene.clone()} name={name.to_owned()} key={name.to_owned()} />
            if !config.is_empty() { <details class="config"><summary>{ (t().settings)(config.len()) }</summary>{ table(config.to_vec()) }</details> }
        </>
    }
}

fn heading(name: &str, health: Health, kind: &str) -> Html {
    let (_, icon, word) = look(health);
    html! { <><h3><Icon name={icon} />{ name }<span class="muted plain">{ kind }</span></h3><p class="muted">{ word }</p></> }
}

fn process(scene: &Scene, name: &str) -> Html {
    let view: &View = &scene.view;
    if let Some(b) = view.brokers.iter().find(|b| b.name == name) {
        return broker(b, scene);
    }
    if let Some(c) = view.controllers.iter().find(|c| c.name == name) {
        return controller(c, scene);
    }
    if let Some(p) = view.producers.iter().find(|p| p.name == name) {
        return producer(p, scene);
    }
    if let Some(r) = view.rabbits.iter().find(|r| r.name == name) {
        return amqp::rabbit(r, view);
    }
    if let Some(p) = view.publishers.iter().find(|p| p.name == name) {
        return amqp::publisher(p);
    }
    if let Some(s) = view.subscribers.iter().find(|s| s.name == name) {
        return amqp::subscriber(s);
    }
    match consumers(view).find(|c| c.name == name) {
        Some(c) => consumer(c, scene),
        None => html! { <p class="muted">{ (t().gone)(name) }</p> },
    }
}

fn replicas(all: &[&ReplicaView]) -> Html {
    html! {
        <table class="tbl"><thead><tr><th>{ t().partition }</th><th>{ t().role }</th><th>{ "epoch" }</th><th>{ "start" }</th><th>{ "HW" }</th><th>{ "LEO" }</th></tr></thead>
        <tbody>{ for all.iter().map(|r| html! { <tr key={format!("{}/{}", r.topic, r.partition)}><th scope="row">{ format!("{}/{}", r.topic, r.partition) }</th><td>{ role(r.role) }</td><td>{ r.epoch }</td><td>{ r.start }</td><td>{ r.high_watermark }</td><td>{ r.end }</td></tr> }) }</tbody></table>
    }
}

fn broker(b: &BrokerView, scene: &Scene) -> Html {
    let view: &View = &scene.view;
    let rows = vec![
        pair(
            t().state_since,
            format!("{} s", format::moment(b.since_us.min(view.now_us))),
        ),
        pair("node.id", b.node_id),
        pair(t().host, &b.host),
        pair("broker.rack", b.rack.as_deref().unwrap_or("–")),
        pair(t().broker_epoch, b.broker_epoch),
        pair(t().metadata_offset, (t().behind)(b.metadata_offset, b.metadata_lag)),
        pair(t().unflushed_records, format::count(b.unflushed)),
        pair(
            t().coordinates,
            if b.coordinates.is_empty() {
                "–".to_owned()
            } else {
                b.coordinates.join(", ")
            },
        ),
    ];
    let (own, ours): (Vec<_>, Vec<_>) = b.replicas.iter().partition(|r| is_internal(view, &r.topic));
    html! {
        <>{ heading(&b.name, b.health, t().broker) }{ table(rows) }
            if !b.transactions.is_empty() { <h4>{ t().transactions }</h4>{ transactions(&b.transactions) } }
            if !ours.is_empty() { <h4>{ t().replicas }</h4>{ replicas(&ours) } }
            if !own.is_empty() { <details class="config"><summary>{ (t().own_replicas)(own.len()) }</summary>{ replicas(&own) }</details> }
            { details(scene, &b.name, &b.config, &b.faults) }</>
    }
}

/// Transactional ids at their coordinator.
fn transactions(all: &[TransactionView]) -> Html {
    html! {
        <table class="tbl"><thead><tr><th>{ "transactional.id" }</th><th>{ t().state }</th><th>{ t().producer_id }</th><th>{ "epoch" }</th><th>{ t().partitions_word }</th><th>{ "transaction.timeout.ms" }</th></tr></thead>
        <tbody>{ for all.iter().map(|x| html! { <tr key={x.id.clone()}><th scope="row">{ &x.id }</th><td>{ x.state }</td><td>{ x.producer_id }</td><td>{ x.epoch }</td><td>{ listed(&x.partitions) }</td><td>{ x.timeout_ms }</td></tr> }) }</tbody></table>
    }
}

/// Transactions that are open in a log.
fn open_transactions(all: &[OpenTransactionView]) -> String {
    let one = |x: &OpenTransactionView| (t().open_since)(x.producer_id, x.epoch, x.first_offset);
    match all.is_empty() {
        true => "–".to_owned(),
        false => all.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Leader => t().leader,
        Role::Follower => t().follower,
        Role::Offline => t().offline,
    }
}

fn controller(c: &ControllerView, scene: &Scene) -> Html {
    let figure = |n: Option<i64>| n.map_or_else(|| "–".to_owned(), format::figure);
    let mut rows = vec![
        pair(t().controller_epoch_word, c.epoch),
        pair(t().quorum_role, c.role),
        pair(t().quorum_leader, c.leader.as_deref().unwrap_or("–")),
        pair(t().quorum_voted, c.voted.as_deref().unwrap_or("–")),
        pair(t().metadata_end, c.metadata_end),
        pair(t().metadata_committed, figure(c.metadata_committed)),
    ];
    rows.extend(
        c.quorum
            .iter()
            .map(|(name, lag)| pair(&(t().quorum_lag)(name), figure(*lag))),
    );
    rows.extend(c.brokers.iter().map(|(name, state)| pair(&(t().sees)(name), state)));
    html! { <>{ heading(&c.name, c.health, t().controller) }{ table(rows) }{ details(scene, &c.name, &c.config, &c.faults) }</> }
}

fn producer(p: &ProducerView, scene: &Scene) -> Html {
    let rows = vec![
        pair("acks", &p.acks),
        pair("enable.idempotence", p.idempotent),
        pair(t().in_flight, p.in_flight.to_string()),
        pair(t().buffered, p.buffered),
        pair(t().sent, format::count(p.sent)),
        pair(t().acknowledged, format::count(p.acknowledged)),
        pair(t().failed, format::count(p.failed)),
        pair(t().lost, format::count(p.lost)),
        pair(t().last_error, p.last_error.as_deref().unwrap_or("–")),
    ];
    html! { <>{ heading(&p.name, p.health, t().producer) }{ table(rows) }{ details(scene, &p.name, &p.config, &p.faults) }</> }
}

/// What a number of a group is called: its generation, or an epoch if it has epochs.
fn epoch_word(assignment_epoch: Option<i32>, epoch: &'static str) -> &'static str {
    assignment_epoch.map_or(t().generation, |_| epoch)
}

fn listed(names: &[String]) -> String {
    match names.is_empty() {
        true => "–".to_owned(),
        false => names.join(" "),
    }
}

/// The members of a consumer group, each on its way to its target.
fn members(g: &GroupView) -> Html {
    let rows = g.members.iter().filter_map(|c| Some((c, c.membership.as_ref()?)));
    html! {
        <table class="tbl"><thead><tr><th>{ t().members }</th><th>{ t().member_epoch }</th><th>{ t().state }</th><th>{ t().target }</th><th>{ t().current }</th><th>{ t().to_give_up }</th></tr></thead>
        <tbody>{ for rows.map(|(c, m)| html! { <tr key={c.name.clone()}><th scope="row">{ &c.name }</th><td>{ m.epoch }</td><td>{ m.state }</td><td>{ listed(&m.target) }</td><td>{ listed(&m.current) }</td><td>{ listed(&m.pending) }</td></tr> }) }</tbody></table>
    }
}

/// The share partitions of a share group, and their records in flight.
fn shared(g: &GroupView, view: &View) -> Html {
    let lock = |until: Option<u64>| {
        until.map_or_else(
            || "–".to_owned(),
            |until| format::span(until.saturating_sub(view.now_us)),
        )
    };
    html! { <>{ for g.shared.iter().map(|p| html! { <div key={p.partition.clone()}>
    <h5>{ (t().share_partition)(&p.partition, &p.leader, p.start) }</h5>
    if !p.records.is_empty() {
        <table class="tbl"><thead><tr><th>{ t().offset_word }</th><th>{ t().state }</th><th>{ t().deliveries }</th><th>{ t().held_by }</th><th>{ t().lock_left }</th></tr></thead>
        <tbody>{ for p.records.iter().take(SHARED).map(|r| html! { <tr key={r.offset}><th scope="row">{ r.offset }</th><td>{ r.state }</td><td>{ r.deliveries }</td><td>{ r.member.as_deref().unwrap_or("–") }</td><td>{ lock(r.until_us) }</td></tr> }) }</tbody></table>
    }</div> }) }</> }
}

fn consumer(c: &ConsumerView, scene: &Scene) -> Html {
    let view: &View = &scene.view;
    let group = view.groups.iter().find(|g| g.members.iter().any(|m| m.name == c.name));
    let mut rows = vec![
        pair(t().state, &c.state),
        pair(t().delivered, format::count(c.delivered)),
        pair(t().working_on, c.working_on.as_deref().unwrap_or("–")),
        pair(t().last_error, c.last_error.as_deref().unwrap_or("–")),
    ];
    if let Some(g) = group {
        rows.insert(0, pair("group.id", &g.name));
        rows.insert(1, pair(epoch_word(g.assignment_epoch, t().member_epoch), c.generation));
        rows.insert(2, pair(t().coordinator, g.coordinator.as_deref().unwrap_or("–")));
        rows.insert(3, pair(t().group_leader, if c.leader { t().yes } else { t().no }));
    }
    if let Some(m) = &c.membership {
        rows.extend([
            pair(t().member_state, format!("{} {}", m.state, m.client_state)),
            pair(t().target, listed(&m.target)),
            pair(t().current, listed(&m.current)),
            pair(t().to_give_up, listed(&m.pending)),
        ]);
    }
    let figure = |n: Option<i64>| n.map_or_else(|| "–".to_owned(), format::figure);
    html! {
        <>{ heading(&c.name, c.health, t().consumer) }{ table(rows) }
            <h4>{ t().assignment }</h4>
            <table class="tbl"><thead><tr><th>{ t().partition }</th><th>{ t().committed }</th><th>{ t().position }</th><th>{ t().end }</th><th>{ t().lag_word }</th></tr></thead>
            <tbody>{ for c.assignment.iter().map(|a| html! { <tr key={format!("{}/{}", a.topic, a.partition)}><th scope="row">{ format!("{}/{}", a.topic, a.partition) }</th><td>{ figure(a.committed) }</td><td>{ figure(a.position) }</td><td>{ a.end }</td><td>{ a.lag }</td></tr> }) }</tbody></table>
            if let Some(g) = group { <LagChart scene={scene.clone()} group={g.name.clone()} /> }
            { details(scene, &c.name, &c.config, &c.faults) }</>
    }
}

fn link(view: &View, a: &str, b: &str) -> Html {
    let way = |from: &str, to: &str| {
        let found = view.links.iter().find(|l| l.from == from && l.to == to);
        let state = match found {
            None => t().link_plain.to_owned(),
            Some(l) => (t().link_state)(&format::span(l.latency_us), l.cut, l.delay_us, l.loss_percent),
        };
        pair(&format!("{from} → {to}"), state)
    };
    html! { <><h3><Icon name="link" />{ format!("{a} – {b}") }<span class="muted plain">{ t().link }</span></h3>{ table(vec![way(a, b), way(b, a)]) }</> }
}

fn find<'a>(view: &'a View, broker: &str, topic: &str, partition: i32) -> Option<&'a ReplicaView> {
    let broker = view.brokers.iter().find(|b| b.name == broker)?;
    broker
        .replicas
        .iter()
        .find(|r| r.topic == topic && r.partition == partition)
}

fn replica(view: &View, broker: &str, topic: &str, partition: i32) -> Html {
    let title = format!("{topic}/{partition}@{broker}");
    let Some(r) = find(view, broker, topic, partition) else {
        return html! { <p class="muted">{ (t().gone)(&title) }</p> };
    };
    let rows = vec![
        pair(t().role, role(r.role)),
        pair(t().leader_epoch, r.epoch),
        pair(t().leader_known, r.leader.as_deref().unwrap_or("–")),
        pair("ISR", r.isr.join(", ")),
        pair(t().in_isr, if r.in_sync { t().yes } else { t().no }),
        pair(t().log_start, r.start),
        pair(t().high_watermark, r.high_watermark),
        pair(t().last_stable, r.last_stable),
        pair(t().open_transactions, open_transactions(&r.open_transactions)),
        pair(t().log_end, r.end),
        pair(t().flushed_to, r.flushed),
        pair(t().size, (t().bytes)(&format::count(r.bytes))),
        pair(
            t().epoch_checkpoint,
            r.epochs
                .iter()
                .map(|(e, o)| format!("e{e} @{o}"))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ];
    let partition_view = view
        .topics
        .iter()
        .find(|x| x.name == topic)
        .and_then(|x| x.partitions.iter().find(|p| p.partition == partition));
    let as_controller = partition_view.map(|p| {
        let list = |names: &[String]| {
            if names.is_empty() {
                "–".to_owned()
            } else {
                names.join(", ")
            }
        };
        table(vec![
            pair(t().leader, p.leader.as_deref().unwrap_or("–")),
            pair(t().leader_epoch, p.epoch),
            pair(t().replicas, list(&p.replicas)),
            pair("ISR", list(&p.isr)),
            pair("ELR", list(&p.elr)),
            pair(t().adding, list(&p.adding)),
            pair(t().removing, list(&p.removing)),
        ])
    });
    html! { <><h3>{ title }</h3>{ table(rows) }if let Some(p) = as_controller { <h4>{ t().as_controller }</h4>{ p } }</> }
}

fn record(props: &InspectorProps, broker: &str, topic: &str, partition: i32, offset: i64, bus: &Bus) -> Html {
    let view = &props.scene.view;
    let cell = |b: &BrokerView| {
        find(view, &b.name, topic, partition)
            .and_then(|r| r.cells.iter().find(|c| c.offset == offset).map(|c| (r.role, c.clone())))
    };
    let copies: Vec<(String, Role, CellView)> = view
        .brokers
        .iter()
        .filter_map(|b| cell(b).map(|(role, c)| (b.name.clone(), role, c)))
        .collect();
    let Some((_, _, own)) = copies.iter().find(|c| c.0 == broker) else {
        return html! { <p class="muted">{ (t().gone)(&format!("{topic}/{partition} @{offset}")) }</p> };
    };
    let fate = own
        .record
        .and_then(|id| bus.run.borrow().run.fates().into_iter().find(|f| f.record == id));
    let class = match own.state {
        CellState::Committed => "safe",
        CellState::Open => "open",
        CellState::Lost => "bad",
        CellState::Truncated => "",
        CellState::Control => "lead",
    };
    let name = own.key.as_deref().unwrap_or("–").to_owned();
    let mut rows = vec![
        pair(t().key, &name),
        pair(t().value, own.marker.or(own.value.as_deref()).unwrap_or("null")),
        pair(t().leader_epoch, own.epoch),
        pair(t().acknowledged, if own.acknowledged { t().yes } else { t().no }),
    ];
    if let Some(f) = &fate {
        rows.push(pair(t().producer, &f.producer));
        rows.push(pair(t().handed_over, format!("{} s", format::moment(f.sent_us))));
        rows.push(pair(
            t().fate_so_far,
            f.fates.iter().map(|x| (t().fate)(x)).collect::<Vec<_>>().join(", "),
        ));
        let readers = f
            .delivered_to
            .iter()
            .map(|(who, n)| format!("{who} ×{n}"))
            .collect::<Vec<_>>()
            .join(", ");
        rows.push(pair(
            t().delivered_to,
            if readers.is_empty() { "–".to_owned() } else { readers },
        ));
        if let Some(error) = &f.error {
            rows.push(pair(t().last_error, error));
        }
    }
    html! {
        <><h3><span class={classes!("chip", class)}>{ state_word(own.state) }</span>{ format!("P{partition} @{offset}, {name}") }</h3>
            { table(rows) }
            <h4>{ t().copies }</h4>
            <table class="tbl"><tbody>{ for copies.iter().map(|(name, r, c)| html! { <tr key={name.clone()}><th scope="row">{ name }</th><td>{ role(*r) }</td><td>{ state_word(c.state) }</td></tr> }) }</tbody></table>
            <div class="acts"><button type="button" class="btn" onclick={bus.on(Msg::WhySelection)}><Icon name="help" />{ t().why }</button>
                <button type="button" class="btn ghost" onclick={bus.on(Msg::NextCopy)}>{ t().next_copy }<span class="kbd">{ "C" }</span></button></div></>
    }
}

fn message(flights: &[FlightView], id: u64, now_us: u64) -> Html {
    let Some(f) = flights.iter().find(|f| f.id == id) else {
        return html! { <p class="muted">{ t().message_gone }</p> };
    };
    let rows = vec![
        pair(t().from, &f.from),
        pair(t().to, &f.to),
        pair(t().sent_at, format!("{} s", format::moment(f.sent_us))),
        pair(
            t().arrives,
            if f.held {
                t().held.to_owned()
            } else {
                (t().arrives_in)(&format::span(f.arrives_us.saturating_sub(now_us)))
            },
        ),
    ];
    html! { <><h3>{ f.kind }<span class="muted plain">{ t().message }</span></h3><p>{ &*f.text }</p>{ table(rows) }</> }
}

/// Nothing is selected: topics and groups at a glance.
fn overview(scene: &Scene, flights: &[FlightView], bus: &Bus) -> Html {
    let view: &View = &scene.view;
    let flying: Vec<&FlightView> = flights
        .iter()
        .filter(|f| f.class != FlightClass::Idle)
        .take(FLYING)
        .collect();
    let topics = view.topics.iter().filter(|x| !x.internal);
    html! {
        <>
            <h3>{ t().overview }</h3><p class="muted">{ t().select_hint }</p>
            { for topics.map(|x| html! { <div key={x.name.clone()}><h4>{ (t().topic_is)(&x.name) }</h4>
                <table class="tbl"><thead><tr><th>{ t().partition }</th><th>{ t().leader }</th><th>{ "epoch" }</th><th>{ "ISR" }</th><th>{ "ELR" }</th></tr></thead>
                <tbody>{ for x.partitions.iter().map(|p| html! { <tr key={p.partition}><th scope="row">{ partition_button(&x.name, p, bus) }</th><td>{ p.leader.as_deref().unwrap_or("none") }</td><td>{ p.epoch }</td><td>{ p.isr.join(" ") }</td><td>{ if p.elr.is_empty() { "–".to_owned() } else { p.elr.join(" ") } }</td></tr> }) }</tbody></table>
                if !x.config.is_empty() { <details class="config"><summary>{ (t().settings)(x.config.len()) }</summary>{ table(x.config.clone()) }</details> }</div> }) }
            if !flying.is_empty() {
                <h4>{ t().in_flight_list }</h4>
                <ul class="plain-list">{ for flying.into_iter().map(|f| html! { <li key={f.id}><button type="button" class="as-text" onclick={bus.on(Msg::Inspect(Selection::Message(f.id)))}>{ format!("{} {} → {}", f.kind, f.from, f.to) }</button><span class="muted">{ &*f.text }</span></li> }) }</ul>
            }
            { for view.groups.iter().map(|g| html! { <div key={g.name.clone()}><h4>{ (t().group)(&g.name) }</h4>{ table(vec![
                pair(t().state, &g.state), pair(t().protocol, &g.protocol), pair(epoch_word(g.assignment_epoch, t().group_epoch), g.generation),
                pair(t().assignment_epoch, g.assignment_epoch.map_or_else(|| "–".to_owned(), |epoch| epoch.to_string())), pair(t().assignor, &g.assignor),
                pair(t().coordinator, g.coordinator.as_deref().unwrap_or("–")), pair(t().lag_word, format::figure(g.lag)), pair(t().members, g.members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ")),
            ]) }if g.assignment_epoch.is_some() { { members(g) } } if !g.shared.is_empty() { { shared(g, view) } }<LagChart scene={scene.clone()} group={g.name.clone()} /></div> }) }
        </>
    }
}

fn partition_button(topic: &str, p: &PartitionView, bus: &Bus) -> Html {
    let broker = p
        .leader
        .clone()
        .or_else(|| p.replicas.first().cloned())
        .unwrap_or_default();
    let selection = Selection::Replica {
        broker,
        topic: topic.to_owned(),
        partition: p.partition,
    };
    html! { <button type="button" class="as-text" onclick={bus.on(Msg::Inspect(selection))}>{ format!("P{}", p.partition) }</button> }
}
