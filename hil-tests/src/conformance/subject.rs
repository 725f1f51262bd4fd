//! A board under test, with whatever surrounds it. Cold.

use stand::{FromStand, ToStand};

use super::Stop;

/// What a subject has beside its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// A test stand.
    pub stand: bool,
    /// A program of its own, which the stand can bring down.
    pub chip: bool,
    /// How much later than said things may happen or be heard of, us: the link, the emulator, this computer.
    pub slack_us: u64,
}

/// See the module.
pub trait Subject {
    /// What it has.
    fn abilities(&self) -> Abilities;

    /// The time, us; any zero.
    fn now_us(&self) -> u64;

    /// Sends bytes over the link, now.
    ///
    /// # Errors
    /// When the link is lost.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Stop>;

    /// Lets time pass until bytes come over the link or the stand tells something, until `until_us` at most.
    ///
    /// # Errors
    /// When the link is lost.
    fn receive(&mut self, until_us: u64, bytes: &mut Vec<u8>, told: &mut Vec<FromStand>) -> Result<(), Stop>;

    /// Says something to the stand, now. Only called where there is one.
    ///
    /// # Errors
    /// When the stand is lost.
    fn stand(&mut self, message: &ToStand<'_>) -> Result<(), Stop>;
}
