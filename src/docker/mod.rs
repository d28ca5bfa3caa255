//! What stands around a broker in containers, as pure rules.
//!
//! - [`compose`]: a compose file becomes a model, or an error in the words of the real loader.

pub mod compose;
