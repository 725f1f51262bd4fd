//! Weigh: from a cell's samples and gate times to each pearl's mass, before the platform has settled.
//!
//! Hot thread. Nothing is allocated after [`Estimator::new`]; a sample costs a bounded time.
//!
//! # Model
//! The platform is a damped oscillator (the second-order weighing platform of the checkweigher literature, identified
//! and extrapolated instead of waited for):
//!
//! `x'' = w^2 (F - x) - 2 z w x'`, with `w^2 = w0^2 / (1 + load / M)`
//!
//! x is the position in mg of reading, F the force in mg, z the damping ratio and M the platform's moving mass: a
//! pearl lowers the frequency while it is on. A pearl of mass m loads the platform linearly over the roll-on time,
//! stays, and unloads up to the leaving gate; it lands with a blow of its own strength, some 2 ms long. The reading is
//! x + zero + belt lines + white noise. Zero and the lines' quadratures walk at random, so their slow drift is followed.
//!
//! # Method
//! A Kalman filter holds the platform's motion, the zero, every belt line and for each pearl on the platform its mass,
//! its blow and the errors of its two gates as constants. That is a recursive least squares over everything that is
//! known: the predecessor's ring-down, the lines' phases and the zero are not guessed but carried with their covariances.
//! The mass enters the frequency, so the model is not linear in it: some milliseconds after a pearl has rolled on, the
//! filter returns to the moment before and goes over the same samples again, linearised where the first pass ended.
//! The stated uncertainty is the covariance of the mass, raised where the residuals are larger than expected.
//!
//! # Words
//! **gate**: an eye at the platform's edge, or the moment worked out from the belt; **passage**: one pearl from gate to
//! gate; **zero**: the reading of the empty platform; **reading**: code over span, mg.

mod estimator;
mod filter;
pub mod limits;
mod model;
mod passage;
mod platform;
mod stream;

pub use estimator::{Counters, Estimator};
pub use filter::Innovation;
pub use model::{BeltLines, Checks, Model, ModelFault, Noise, Platform};
pub use passage::{Refusal, Weighing};
pub use stream::{CellStream, Gate, Gates, StreamCounters};

#[cfg(test)]
mod tests;
