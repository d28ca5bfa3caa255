//! Sharing: a scenario's text as the fragment of a link, and back.

mod base64url;
mod link;

pub use link::{Limits, LinkError, decode, encode};
