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
    /// Whether pearls that come now are sorted, 0 or 1.
    TakesPearls,
    /// Boards that are up, a bit each.
    BoardsUp,
    /// Watched signals that have been told, a bit each in the plan's order.
    SignalsKnown,
    /// Of them those that are good.
    SignalsGood,
    /// Orders taken back too late.
    Gone,
    /// Orders of which no report came.
    Unanswered,
    /// Pearls seen where none was expected.
    Intruders,
    /// Pearls not seen where they were expected.
    Missing,
    /// Numbers that eyes and cells left out.
    Gaps,
    /// Triggers that came twice.
    Doubled,
    /// Pearls in a bin into which they were not sent.
    Misplaced,
    /// Pearls of the program that ran before.
    LeftOver,
    /// Messages about what the line does not have.
    Unknown,
    /// Messages about what is not followed.
    Unmatched,
}

impl Figure {
    /// Number of places.
    pub const COUNT: usize = Self::Unmatched as usize + 1;
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

/// Names of the places of one link's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkFigure {
    FramesSent,
    Repeats,
    FramesReceived,
    Crc,
    Damaged,
    Sessions,
    /// One more than the us, 0 before one was measured.
    RoundTrip,
    /// One more than the us, 0 before there is a fit.
    ClockFit,
}

impl LinkFigure {
    /// Number of places of one link.
    pub(super) const COUNT: usize = Self::ClockFit as usize + 1;
    /// Places of all links.
    pub(super) const ALL: usize = line::limits::BOARDS * Self::COUNT;
}

/// What one board's link has counted, and how good it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkRow {
    /// Frames sent, repeats included.
    pub frames_sent: u32,
    /// Frames sent again.
    pub repeats: u32,
    /// Whole frames that came.
    pub frames_received: u32,
    /// Frames with a wrong checksum.
    pub crc: u32,
    /// Runs of bytes that the line spoilt, those with a wrong checksum among them.
    pub damaged: u32,
    /// Connections begun.
    pub sessions: u32,
    /// Smoothed round trip, us.
    pub round_trip_us: Option<u32>,
    /// Farthest that the board's clock lay off its fit, us.
    pub clock_fit_us: Option<i64>,
}

impl LinkRow {
    pub(super) fn write(&self, row: &mut [u64]) {
        let mut set = |figure: LinkFigure, value: u64| row[figure as usize] = value;
        set(LinkFigure::FramesSent, self.frames_sent.into());
        set(LinkFigure::Repeats, self.repeats.into());
        set(LinkFigure::FramesReceived, self.frames_received.into());
        set(LinkFigure::Crc, self.crc.into());
        set(LinkFigure::Damaged, self.damaged.into());
        set(LinkFigure::Sessions, self.sessions.into());
        set(
            LinkFigure::RoundTrip,
            self.round_trip_us.map_or(0, |us| u64::from(us) + 1),
        );
        set(
            LinkFigure::ClockFit,
            self.clock_fit_us.map_or(0, |us| us.unsigned_abs() + 1),
        );
    }

    pub(super) fn read(row: &[u64]) -> Self {
        let get = |figure: LinkFigure| row[figure as usize];
        let count = |figure| u32::try_from(get(figure)).unwrap_or(u32::MAX);
        Self {
            frames_sent: count(LinkFigure::FramesSent),
            repeats: count(LinkFigure::Repeats),
            frames_received: count(LinkFigure::FramesReceived),
            crc: count(LinkFigure::Crc),
            damaged: count(LinkFigure::Damaged),
            sessions: count(LinkFigure::Sessions),
            round_trip_us: get(LinkFigure::RoundTrip)
                .checked_sub(1)
                .map(|us| u32::try_from(us).unwrap_or(u32::MAX)),
            clock_fit_us: get(LinkFigure::ClockFit)
                .checked_sub(1)
                .map(|us| i64::try_from(us).unwrap_or(i64::MAX)),
        }
    }
}
