//! The counts that the hot thread publishes: a fixed row of numbers, written whole, so that they agree with one another.
//!
//! Any thread.

use line::LineState;

/// Names of the row's places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// What the line is doing, see [`Figures::state`].
    State,
    /// Pearls that came in.
    Entered,
    /// Pearls whose story is not complete.
    InFlight,
    /// Pearls binned.
    Binned,
    /// Pearls recirculated.
    Recirculated,
    /// Pearls lost.
    Lost,
    /// Orders given.
    Orders,
    /// Orders that came late.
    Late,
    /// Orders cancelled in time.
    Cancelled,
    /// Quarantines.
    Quarantines,
    /// Messages that no link took.
    Unsent,
    /// Events that found no room on their way into the recording.
    Unrecorded,
    /// The belt's speed, ticks a second.
    Speed,
}

impl Figure {
    /// Number of places.
    pub const COUNT: usize = Self::Speed as usize + 1;
}

/// One row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures([u64; Figure::COUNT]);

impl Figures {
    pub(super) fn set(&mut self, figure: Figure, value: u64) {
        self.0[figure as usize] = value;
    }

    pub(super) const fn values(&self) -> &[u64; Figure::COUNT] {
        &self.0
    }

    pub(super) const fn from_values(values: [u64; Figure::COUNT]) -> Self {
        Self(values)
    }

    /// The value of one place.
    #[must_use]
    pub fn get(&self, figure: Figure) -> u64 {
        self.0[figure as usize]
    }

    /// What the line was doing.
    #[must_use]
    pub fn state(&self) -> LineState {
        const STATES: [LineState; 7] = [
            LineState::NotReady,
            LineState::Ready,
            LineState::Starting,
            LineState::Running,
            LineState::Holding,
            LineState::Held,
            LineState::Stopped,
        ];
        let value = self.get(Figure::State);
        STATES
            .into_iter()
            .find(|state| *state as u64 == value)
            .unwrap_or(LineState::NotReady)
    }
}
