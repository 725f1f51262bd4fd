//! The operators' side of a running line: what [`operate`] makes of it, the store that keeps it, the page that shows it.
//!
//! Cold. [`Desk`] is the one place where the thread that attends the line and the page's threads meet: the attending thread
//! brings news, records and figures and takes commands for the core away; the page looks and asks. The lock on it is held for
//! as long as a copy takes; the hot thread never comes near it.

mod crops;
mod desk;
mod feed;
mod lots;
mod page;
mod snapshot;
mod start;
mod words;

pub use desk::{Book, Desk, Fixed, Wish};
pub use feed::{Attendant, Goal, book};
pub use start::{Keeping, Kept, desk_of, keep, page, setup_of, tell_page};
