//! Commissioning: what a line's file must say about the machine, found from test pearls and drop eyes.
//!
//! Cold side, any thread; no input or output, no clock. Each result has its standard uncertainty and its residuals; bad
//! data are refused with what is wrong with them and what to do. The program shows the way and keeps the results.
//!
//! Words: a **passage** is the belt's way in ticks from where a pearl's centre was at the entry eye to where a station saw
//! it; a **level** is what was seen at one belt speed; a **residual** is what the fit leaves of an observation.
//! Speeds are in ticks a second, lengths in ticks unless the name says otherwise.

mod distances;
mod lags;
pub mod limits;
mod refusal;
mod robust;
pub mod signals;
pub mod store;
mod ticks;

#[cfg(test)]
mod chance;

pub use distances::{Distance, Landing, Level, distance};
pub use lags::{Configured, EdgeTrial, Lags, Sweep, lags};
pub use refusal::{OneSide, Refusal};
pub use robust::Figure;
pub use ticks::{Ruler, TicksAMetre, ticks_by_landings, ticks_by_passages};
