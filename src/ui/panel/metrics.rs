//! A process's metrics under the real system's names: what each was before the last step, what it is now, and what it
//! means.

use std::rc::Rc;

use yew::prelude::*;

use crate::lab::view::MetricView;
use crate::ui::format;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Groups that stand open at first; the others are folded away.
const OPEN: usize = 1;

#[derive(Properties, PartialEq)]
pub struct MetricsProps {
    pub scene: Scene,
    /// The process.
    pub name: String,
}

/// The section.
#[component]
pub fn Metrics(props: &MetricsProps) -> Html {
    let bus = use_bus();
    let (was_event, event) = (props.scene.was, props.scene.view.event);
    let run = bus.run.clone();
    let was = use_memo(
        (props.name.clone(), was_event, Rc::clone(&props.scene.text)),
        move |(name, event, _)| run.borrow().run.metrics_at(*event, name),
    );
    let now = bus.run.borrow().run.metrics(&props.name);
    let about = use_state_eq(|| None::<&'static str>);
    let named = use_state_eq(|| None::<&'static str>);
    if now.is_empty() {
        return html! {};
    }
    let explain = {
        let (about, named) = (about.setter(), named.setter());
        Callback::from(move |(name, text): (&'static str, &'static str)| {
            about.set(Some(text));
            named.set(Some(name));
        })
    };
    let groups = groups(&now);
    html! {
        <section class="metrics" aria-label={t().metrics}>
            <h4>{ t().metrics }<span class="muted plain">{ (t().was_at)(was_event, event) }</span></h4>
            { for groups.iter().enumerate().map(|(i, (group, metrics))| view_group(i, group, metrics, &was, &explain)) }
            <p class="about" aria-live="polite">
                if let (Some(name), Some(text)) = (*named, *about) { <b>{ name }</b>{ " " }{ text } } else { { t().metric_hint } }
            </p>
        </section>
    }
}

/// Metrics that stand under one heading: a group's, or those of one of its topics, partitions or requests.
type Group<'a> = (String, Vec<&'a MetricView>);

fn groups(metrics: &[MetricView]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for metric in metrics {
        let title = match &metric.tag {
            Some(tag) => format!("{} {tag}", metric.group),
            None => metric.group.to_owned(),
        };
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, members)) => members.push(metric),
            None => groups.push((title, vec![metric])),
        }
    }
    groups
}

type Explain = Callback<(&'static str, &'static str)>;

fn view_group(i: usize, title: &str, metrics: &[&MetricView], was: &[MetricView], explain: &Explain) -> Html {
    let before = |metric: &MetricView| {
        let mut all = was.iter();
        all.find(|w| w.name == metric.name && w.group == metric.group && w.tag == metric.tag)
            .map(|w| w.milli)
    };
    let changed = metrics.iter().filter(|m| before(m) != Some(m.milli)).count();
    html! {
        <details class="config" open={i < OPEN} key={title.to_owned()}>
            <summary>{ title }if changed > 0 { <span class="changed">{ (t().changed)(changed) }</span> }</summary>
            <table class="tbl"><thead><tr><th scope="col">{ t().metric }</th><th scope="col">{ t().was }</th><th scope="col">{ t().now }</th><th scope="col">{ t().delta }</th></tr></thead>
            <tbody>{ for metrics.iter().map(|metric| row(metric, before(metric).flatten(), explain)) }</tbody></table>
        </details>
    }
}

fn row(metric: &MetricView, was: Option<i64>, explain: &Explain) -> Html {
    let (name, about) = (metric.name, metric.about);
    let tell = explain.reform(move |()| (name, about));
    let onfocus = tell.reform(|_: FocusEvent| ());
    let onmouseenter = tell.reform(|_: MouseEvent| ());
    let onclick = tell.reform(|_: MouseEvent| ());
    let figure = |milli: Option<i64>| milli.map_or_else(|| "–".to_owned(), format::thousandths);
    let change = match (was, metric.milli) {
        (Some(was), Some(now)) if was != now => format::change(now - was),
        _ => String::new(),
    };
    let moved = !change.is_empty() || was.is_none() && metric.milli.is_some();
    html! {
        <tr key={name} class={moved.then_some("moved")} {onmouseenter}>
            <th scope="row"><button type="button" class="as-text" {onfocus} {onclick}>{ name }</button>if !metric.unit.is_empty() { <span class="unit">{ metric.unit }</span> }</th>
            <td class="was">{ figure(was) }</td>
            <td class="now">{ figure(metric.milli) }</td>
            <td>{ change }</td>
        </tr>
    }
}
