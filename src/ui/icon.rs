//! Icons: one sprite, used by name.

use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct IconProps {
    /// Name in `static/icons.svg` without the leading `i-`.
    pub name: AttrValue,
    #[prop_or_default]
    pub class: Classes,
}

/// One icon; decoration only, the word beside it says what it means.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    html! {
        <svg class={classes!("ico", props.class.clone())} viewBox="0 0 16 16" aria-hidden="true">
            <use href={format!("#i-{}", props.name)} />
        </svg>
    }
}

/// The sprite itself, once per page.
#[component]
pub fn Sprite() -> Html {
    Html::from_html_unchecked(AttrValue::Static(include_str!("../../static/icons.svg")))
}
