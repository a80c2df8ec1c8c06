//! The life of the process as a whole: warming up, shutting down, and the hooks that run on everything at once.

mod phase;

pub(crate) use phase::{Busy, Phase};
