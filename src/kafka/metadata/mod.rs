//! The cluster's metadata: the records of the metadata log, and the image that replaying them gives. The controller
//! and every broker build their own image from the same records, each at its own time.

pub mod image;
pub mod records;
