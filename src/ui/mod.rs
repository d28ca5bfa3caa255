//! TODO-room: ui.
