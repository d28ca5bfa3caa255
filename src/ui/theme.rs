//! Light and dark: as the system has it until the visitor says otherwise.

use super::dom;
use super::state::Theme;
use super::storage::{recall, remember};

const KEY: &str = "brokerlab.theme";

/// The theme chosen on an earlier visit.
pub fn remembered() -> Theme {
    match recall(KEY).as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::System,
    }
}

/// Dark if the page is light now, and the other way round.
pub fn other(theme: Theme) -> Theme {
    let dark = match theme {
        Theme::System => dom::media("(prefers-color-scheme: dark)"),
        Theme::Light => false,
        Theme::Dark => true,
    };
    if dark { Theme::Light } else { Theme::Dark }
}

/// Puts the theme on the page and keeps it for the next visit. Where storage is refused, only for this one.
pub fn apply(theme: Theme) {
    let Some(root) = gloo::utils::document().document_element() else {
        return;
    };
    let name = match theme {
        Theme::System => {
            let _ = root.remove_attribute("data-theme");
            return;
        }
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    let _ = root.set_attribute("data-theme", name);
    remember(KEY, name);
}

/// Puts a theme on the page for this visit only: `light` or `dark`.
pub fn show(name: &str) {
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = root.set_attribute("data-theme", name);
    }
}
