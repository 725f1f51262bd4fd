//! Recordings: everything that the core saw, in one file, so that a shift can be run again to the byte. The bytes are
//! specified in `docs/RECORDING.md`.
//!
//! Cold, but for [`tap`], which codes events on the thread that runs the core: it neither allocates nor waits. Words: the
//! **stream** is the events' bytes, one after another; a **block** is a checked piece of a file; a **check** is the digest of
//! all orders and records up to an event, by which a replay proves itself.

#![forbid(unsafe_code)]

mod block;
mod bytes;
mod code;
mod head;
pub mod limits;
mod model;
mod reader;
mod recipe;
pub mod tap;
mod writer;

pub use code::Event;
pub use head::{Head, Machine};
pub use reader::{Ending, OpenError, Reader};
pub use recipe::{RecipeEntry, Text};
pub use writer::{Totals, Writer};

/// Version of the format that this crate writes, and the only one that it reads.
pub const VERSION: u32 = 1;
