//! What a board is: the part of it that its maker fixes.
//!
//! Any thread.

use wire::BoardLimits;

use crate::limits::{MAX_CELLS, MAX_CHANNELS, MAX_EYES, MAX_HORIZON_TICKS, MAX_ON_US, MAX_QUEUE, MAX_VALVES, WINDOW};

/// What hangs on a numbered channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wiring {
    /// Nothing.
    #[default]
    Unused,
    /// A switch, read only: safety chain, door, drive's ready signal.
    DigitalIn,
    /// A converter, read only: pressure, lamp current.
    AnalogueIn,
    /// A relay or lamp.
    DigitalOut,
    /// A converter output: speed of a drive.
    AnalogueOut,
    /// The feeder's run signal, digital: the watchdog and every new connection switch it off.
    FeederRun,
    /// The belt drive's run signal, digital.
    BeltRun,
}

impl Wiring {
    /// Whether the host may set it.
    #[must_use]
    pub const fn is_output(self) -> bool {
        matches!(
            self,
            Self::DigitalOut | Self::AnalogueOut | Self::FeederRun | Self::BeltRun
        )
    }

    /// Its largest value.
    #[must_use]
    pub const fn most(self) -> u16 {
        match self {
            Self::AnalogueIn | Self::AnalogueOut => u16::MAX,
            Self::Unused | Self::DigitalIn | Self::DigitalOut | Self::FeederRun | Self::BeltRun => 1,
        }
    }
}

/// What a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Number that no other board has.
    pub uid: u64,
    /// Version of its program, `0xMMmmpp`.
    pub firmware: u32,
    /// Times that the board has started, modulo 2^16.
    pub starts: u16,
    /// What it has.
    pub limits: BoardLimits,
    /// What hangs on its channels; those from `limits.channels` on are unused.
    pub wiring: [Wiring; MAX_CHANNELS],
}

impl Description {
    /// A board that has nothing.
    pub(crate) const NOTHING: Self = Self {
        uid: 0,
        firmware: 0,
        starts: 0,
        limits: BoardLimits {
            valves: 0,
            eyes: 0,
            cells: 0,
            channels: 0,
            queue: 0,
            window: WINDOW as u8,
            horizon_ticks: 0,
            max_on_us: 1,
        },
        wiring: [Wiring::Unused; MAX_CHANNELS],
    };

    /// A board with 64 valves, 128 eyes, 16 cells, a queue of 256 orders, 16 channels of which 0 is the feeder and 1
    /// the belt drive, 2 and 3 digital outputs, 4 and 5 analogue outputs, 8 to 11 digital and 12 to 15 analogue
    /// inputs; a horizon of 400,000 ticks and at most 200 ms of air.
    #[must_use]
    pub fn standard(uid: u64) -> Self {
        let limits = BoardLimits {
            valves: 64,
            eyes: 128,
            cells: 16,
            channels: 16,
            queue: 256,
            window: WINDOW as u8,
            horizon_ticks: 400_000,
            max_on_us: 200_000,
        };
        let mut wiring = [Wiring::Unused; MAX_CHANNELS];
        wiring[0] = Wiring::FeederRun;
        wiring[1] = Wiring::BeltRun;
        wiring[2..4].fill(Wiring::DigitalOut);
        wiring[4..6].fill(Wiring::AnalogueOut);
        wiring[8..12].fill(Wiring::DigitalIn);
        wiring[12..16].fill(Wiring::AnalogueIn);
        Self {
            uid,
            firmware: 0x00_01_00,
            starts: 1,
            limits,
            wiring,
        }
    }

    /// Holds the description against what this crate can do.
    ///
    /// # Panics
    /// When a limit is beyond [`crate::limits`]: a board that claims more than it has must not start.
    pub(crate) fn assert_possible(&self) {
        let limits = &self.limits;
        assert!(usize::from(limits.valves) <= MAX_VALVES, "at most {MAX_VALVES} valves");
        assert!(usize::from(limits.eyes) <= MAX_EYES, "at most {MAX_EYES} eyes");
        assert!(
            usize::from(limits.cells) <= MAX_CELLS,
            "at most {MAX_CELLS} weigh cells"
        );
        assert!(
            usize::from(limits.channels) <= MAX_CHANNELS,
            "at most {MAX_CHANNELS} channels"
        );
        assert!(usize::from(limits.queue) <= MAX_QUEUE, "at most {MAX_QUEUE} orders");
        assert!(usize::from(limits.window) == WINDOW, "the window is {WINDOW} frames");
        assert!(
            limits.horizon_ticks <= MAX_HORIZON_TICKS,
            "the horizon is at most {MAX_HORIZON_TICKS} ticks"
        );
        assert!(
            (1..=MAX_ON_US).contains(&limits.max_on_us),
            "valves open for 1 to {MAX_ON_US} us"
        );
        let unused = self
            .wiring
            .iter()
            .skip(usize::from(limits.channels))
            .all(|w| *w == Wiring::Unused);
        assert!(unused, "channels beyond the limit are unused");
    }
}
