//! Both systems beside each other: one clock, one source of work, and the fate of every item in both.

mod concepts;
mod fates;
mod routing;
mod side;

use yew::prelude::*;

use super::icon::Icon;
use super::stage::Caption;
use super::state::*;
use super::texts::t;
use crate::lab::show::compare::Compared;
use concepts::Concepts;
use fates::Fates;
use routing::Playground;
use side::SideView;

/// What stands below the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    Fates,
    Routing,
    Concepts,
}

#[derive(Properties, PartialEq)]
pub struct CompareProps {
    pub scene: Scene,
    pub caption: String,
}

/// The view.
#[component]
pub fn Compare(props: &CompareProps) -> Html {
    let bus = use_bus();
    let below = use_state_eq(|| Below::Fates);
    let compared = {
        let run = bus.run.clone();
        use_memo(props.scene.version, move |_| run.borrow().run.compared())
    };
    let queues = {
        let run = bus.run.clone();
        use_memo(props.scene.version, move |_| run.borrow().run.queues())
    };
    if compared.rabbit.sent == 0 && queues.is_empty() {
        return html! { <Empty caption={props.caption.clone()} /> };
    }
    let tab = |which: Below, icon: &'static str, name: &'static str| {
        let setter = below.setter();
        let onclick = Callback::from(move |_: MouseEvent| setter.set(which));
        html! { <button type="button" aria-pressed={(*below == which).to_string()} {onclick}><Icon name={icon} /><span>{ name }</span></button> }
    };
    html! {
        <section class="cmp" id="stage" tabindex="-1" aria-label={t().compare}>
            <Caption text={props.caption.clone()} bad={props.scene.view.ledger.lost > 0} />
            <div class="cmp-two">
                <SideView name="Kafka" about={t().kafka_keeps} counts={compared.kafka.clone()} rows={side::of_kafka(&props.scene.view)} />
                <SideView name="RabbitMQ" about={t().rabbit_forgets} counts={compared.rabbit.clone()} rows={side::of_rabbit(&queues)} />
            </div>
            <div class="cmp-bar">
                <div class="seg" role="group" aria-label={t().compare_parts}>
                    { tab(Below::Fates, "table", t().fate_of_each) }{ tab(Below::Routing, "fork", t().routing) }{ tab(Below::Concepts, "compare", t().concepts) }
                </div>
                <span class="grow"></span>
                { differences(&compared, &bus) }
            </div>
            { match *below {
                Below::Fates => html! { <Fates compared={super::dom::Same(compared.clone())} /> },
                Below::Routing => html! { <Playground version={props.scene.version} /> },
                Below::Concepts => html! { <Concepts /> },
            } }
        </section>
    }
}

/// How many fates differ, and the way to where the two parted.
fn differences(compared: &Compared, bus: &Bus) -> Html {
    let differ = compared.differences();
    if differ == 0 {
        return html! { <span class="chip">{ t().no_difference }</span> };
    }
    html! {
        <>
            <span class="chip open"><Icon name="diamond" />{ (t().so_many_differ)(differ, compared.items.len()) }</span>
            <button type="button" class="btn" onclick={bus.on(Msg::FirstDifference)}><Icon name="matters" />{ t().first_difference }</button>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct EmptyProps {
    caption: String,
}

/// A scenario with one system only.
#[component]
fn Empty(props: &EmptyProps) -> Html {
    html! {
        <section class="cmp" id="stage" tabindex="-1" aria-label={t().compare}>
            <Caption text={props.caption.clone()} bad={false} />
            <div class="empty cmp-empty"><Icon name="compare" /><b>{ t().one_system }</b><span>{ t().one_system_note }</span></div>
            <Concepts />
        </section>
    }
}
