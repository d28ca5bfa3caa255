//! The page as a figure inside another page: title, picture, ledger, transport, and a way to the whole page.

use yew::prelude::*;

use super::app::mark_look;
use super::frame;
use super::icon::Icon;
use super::layers::LinkErrorView;
use super::ledger::LedgerStrip;
use super::state::*;
use super::texts::t;
use super::timeline::{Transport, TransportState};
use crate::lab::view::MarkKind;

#[derive(Properties, PartialEq)]
pub struct FigureProps {
    pub scene: Scene,
    pub transport: TransportState,
    pub look: Look,
    /// What is wrong with the link.
    pub error: Option<String>,
    /// The picture.
    pub children: Html,
}

/// The figure.
#[component]
pub fn Figure(props: &FigureProps) -> Html {
    use_effect_with((), |()| {
        if let Some(body) = gloo::utils::document().body() {
            let _ = body.class_list().add_1("figure");
        }
    });
    let scene = &props.scene;
    let broken = scene.view.invariants.iter().filter(|i| i.broken.is_some()).count();
    let whole = frame::whole_page(&scene.text, props.look, scene.view.now_us);
    html! {
        <>
            <header class="figure-head">
                <Icon name="logo" class="logo" /><h1>{ &scene.title }</h1><span class="grow"></span>
                <span class="chip"><Icon name="eye" />{ t().read_only }</span>
                <a class="btn ghost" href={whole} target="_blank" rel="noopener"><span>{ t().open_whole }</span><Icon name="copyr" class="s" /></a>
            </header>
            <main class="main">
                { props.children.clone() }
                <LedgerStrip ledger={scene.view.ledger.clone()} {broken} invariants={scene.view.invariants.len()} fate={None::<&'static str>} />
                <section class="time figure-time" aria-label={t().timeline}>
                    <Transport scene={scene.clone()} state={props.transport} />
                    <Track scene={scene.clone()} />
                </section>
                if let Some(text) = &props.error { <LinkErrorView text={text.clone()} /> }
            </main>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct TrackProps {
    scene: Scene,
}

/// Time in one line: how far it has come, and what happened; a click goes there.
#[component]
fn Track(props: &TrackProps) -> Html {
    let bus = use_bus();
    let scene = &props.scene;
    let last = scene.marks.iter().map(|mark| mark.at_us).max().unwrap_or(0);
    let end = scene.end_us.max(last).max(1);
    let percent = move |us: u64| format!("{:.2}%", us.min(end) as f64 * 100.0 / end as f64);
    let told = scene
        .marks
        .iter()
        .filter(|mark| !matches!(mark.kind, MarkKind::Command | MarkKind::Group | MarkKind::Note));
    html! {
        <svg class="minitrack" aria-label={t().plot}>
            <line class="way" x1="0" x2="100%" y1="11" y2="11" />
            <line class="done" x1="0" x2={percent(scene.view.now_us)} y1="11" y2="11" />
            { for told.map(|mark| {
                let (class, icon) = mark_look(mark.kind);
                let go = if mark.event > 0 { Msg::SeekEvent(mark.event) } else { Msg::Seek(mark.at_us) };
                html! {
                    <g class={classes!("mark", class)} role="button" tabindex="0" aria-label={mark.text.clone()} onclick={bus.on(go)}>
                        <title>{ &mark.text }</title>
                        <circle cx={percent(mark.at_us)} cy="11" r="8" />
                        <svg x={percent(mark.at_us)} overflow="visible"><use href={format!("#i-{icon}")} x="-7" y="4" width="14" height="14" /></svg>
                    </g>
                }
            }) }
        </svg>
    }
}
