//! The timeline: the transport, and time itself with its events, marks and branches.

pub mod axis;
mod plot;
mod scale;
mod transport;

use yew::prelude::*;

use super::state::*;
use super::texts::t;
use plot::Plot;
pub use transport::Transport;

/// How time is being played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransportState {
    pub playing: bool,
    /// Time is on its way to a far moment.
    pub travelling: bool,
    pub speed: u8,
    /// Virtual microseconds a second.
    pub rate: u64,
    pub fold: bool,
}

#[derive(Properties, PartialEq)]
pub struct TimelineProps {
    pub scene: Scene,
    pub transport: TransportState,
}

/// The timeline.
#[component]
pub fn Timeline(props: &TimelineProps) -> Html {
    html! {
        <section class="time" aria-label={t().timeline}>
            <Transport scene={props.scene.clone()} state={props.transport} />
            <Plot scene={props.scene.clone()} />
        </section>
    }
}
