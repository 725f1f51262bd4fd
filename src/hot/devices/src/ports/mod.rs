//! Ports: opening them, finding boards on them by identity, and keeping the hot loop supplied.
//!
//! Cold side, on a tokio runtime with time; it may allocate and wait. Words: a **hint** is the path at which the
//! configuration expects a board; only the board's identity counts. To **ask** a port is to say `Hello` on it and wait for
//! who answers: that disarms the board, so a port in use is never asked.

mod ask;
mod candidates;
mod keeper;
mod open;
mod search;

pub use candidates::Candidates;
pub use keeper::{Keeper, PortNotice};
pub use open::{OpenPort, PortError, PortWarning, open};
pub use search::{Asked, Found, SearchError, Wanted, search};
