//! Scales that plants own, as sources of weighings for lots and references: MT-SICS, continuous ASCII by pattern, Modbus
//! RTU with a mapping file. Cells that stream raw samples speak the field bus and are the core's, not this crate's.
//!
//! Cold threads; every call blocks for at most its file's time-out (plus one more after a failure). Nothing is repeated in
//! secret: a call that fails says why, and the caller decides.
//!
//! Words: a **weighing** is a mass at rest that the scale vouches for; everything else is a named refusal. The
//! **division** is the smallest step that the scale shows.

#![forbid(unsafe_code)]

pub mod ascii;
pub mod limits;
pub mod modbus;
pub mod mt_sics;
mod port;
mod refusal;
pub mod registers;
mod settle;
mod setup;
mod unit;

pub use port::{Line, ParityName};
pub use refusal::Refusal;
pub use setup::{Kind, Protocol, Setup, SetupError, is_scale_file};
pub use unit::{Reading, Unit};

/// A mass at rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighing {
    /// The mass, mg.
    pub mass_mg: f64,
    /// The scale's division, mg.
    pub division_mg: f64,
}

impl Weighing {
    /// Standard uncertainty that the division alone leaves, mg: d / sqrt(12), of a uniform distribution (JCGM 100, 4.3.7).
    /// The scale's own error comes on top.
    #[must_use]
    pub fn u_division_mg(&self) -> f64 {
        self.division_mg / 12.0_f64.sqrt()
    }
}

/// A source of weighings.
pub trait Scale: Send {
    /// Waits for one mass at rest.
    ///
    /// # Errors
    /// Why there is none.
    fn weigh(&mut self) -> Result<Weighing, Refusal>;

    /// Takes what lies on the scale now as zero.
    ///
    /// # Errors
    /// Why it was not done.
    fn zero(&mut self) -> Result<(), Refusal>;

    /// Takes what lies on the scale now as tare.
    ///
    /// # Errors
    /// Why it was not done.
    fn tare(&mut self) -> Result<(), Refusal>;
}
