//! What stands around a broker in containers, as pure rules.
//!
//! - [`compose`]: a compose file becomes a model, or an error in the words of the real loader.
//! - [`images`]: what the images of Kafka make of their environment variables.
//! - [`up`]: what a project's containers are, and what their images run.
//! - [`startup`]: whether a node starts with its listeners, and what it says if not.

pub mod compose;
pub mod images;
pub mod startup;
pub mod up;
