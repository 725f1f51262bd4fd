//! What the line's configuration asks of one board, and why a board is refused.
//!
//! Any thread. Made before the start; nothing here allocates afterwards.

use units::BoardId;
use wire::settings::{Scope, at_start, canonical, scope, settings_crc};
use wire::{BoardLimits, Fault, Identity, Setting, SettingKey};

/// Sizes that a board must have at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Valve outputs.
    pub valves: u8,
    /// Eye inputs.
    pub eyes: u8,
    /// Weigh cells.
    pub cells: u8,
    /// Numbered channels.
    pub channels: u8,
    /// Orders in the queue.
    pub queue: u16,
    /// Farthest tick of an order, in ticks ahead.
    pub horizon_ticks: u32,
    /// Longest time for which a valve may be open, in microseconds.
    pub max_on_us: u32,
}

/// What a board lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// Valve outputs.
    Valves,
    /// Eye inputs.
    Eyes,
    /// Weigh cells.
    Cells,
    /// Numbered channels.
    Channels,
    /// Orders in the queue.
    Queue,
    /// Ticks to the horizon.
    HorizonTicks,
    /// Microseconds of the longest on-time.
    MaxOnUs,
}

impl core::fmt::Display for Size {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Valves => "valves",
            Self::Eyes => "eyes",
            Self::Cells => "weigh cells",
            Self::Channels => "channels",
            Self::Queue => "orders in its queue",
            Self::HorizonTicks => "ticks to its horizon",
            Self::MaxOnUs => "us of longest on-time",
        })
    }
}

/// Why a board is refused. The line does not start with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It speaks another version of the field bus.
    #[error(
        "the board speaks version {theirs} of the field bus, this program version {}: update the older of the two",
        wire::PROTOCOL
    )]
    Protocol {
        /// The board's version.
        theirs: u8,
    },
    /// It is another board.
    #[error(
        "board {found:016x} answers where {wanted:016x} is wanted: plug in the right board, or change `uid` in the \
         configuration"
    )]
    Uid {
        /// Identity in the configuration.
        wanted: u64,
        /// Identity of the board.
        found: u64,
    },
    /// It is too small for the line.
    #[error("the board has {has} {size}, the line needs {needed}: use a larger board, or ask less of it")]
    TooSmall {
        /// Of what.
        size: Size,
        /// What the configuration needs.
        needed: u32,
        /// What the board has.
        has: u32,
    },
    /// It does not take the settings.
    #[error(
        "the board's settings differ from the configuration's after they were sent (CRC {theirs:08x}, not {ours:08x}; \
         {}): check the values of its valves, eyes and channels against the board's manual",
        of_fault(.fault)
    )]
    Settings {
        /// CRC of the configuration's settings.
        ours: u32,
        /// CRC of the board's.
        theirs: u32,
        /// What the board said of the first setting that it did not take.
        fault: Option<Fault>,
    },
}

fn of_fault(fault: &Option<Fault>) -> &'static str {
    match fault {
        None => "it complained of none",
        Some(Fault::Range) => "it found a value out of its range",
        Some(Fault::Unknown) => "it does not know one of them",
        Some(_) => "it refused one of them",
    }
}

/// What the line's configuration asks of one board.
#[derive(Clone, Debug)]
pub struct LinkPlan {
    board: BoardId,
    uid: u64,
    baud: u32,
    silence_us: i64,
    needs: Needs,
    /// Those that are not as at a board's start, by key and index.
    settings: Vec<Setting>,
}

impl LinkPlan {
    /// A plan for the board with identity `uid` on a line of `baud`. Settings that are not named have their values of
    /// a board's start. The board counts as gone when it has said nothing for `silence_us`.
    ///
    /// # Panics
    /// When a setting is named twice, a setting of the whole board has an index, or `silence_us` is shorter than two
    /// status periods: the configuration has checked that.
    #[must_use]
    pub fn new(board: BoardId, uid: u64, baud: u32, silence_us: u32, needs: Needs, settings: &[Setting]) -> Self {
        let mut settings = settings.to_vec();
        settings.sort_unstable_by_key(|setting| (setting.key, setting.index));
        let twice = settings
            .windows(2)
            .any(|pair| (pair[0].key, pair[0].index) == (pair[1].key, pair[1].index));
        assert!(!twice, "a setting of board {} is named twice", board.0);
        let mut plan = Self {
            board,
            uid,
            baud,
            silence_us: i64::from(silence_us),
            needs,
            settings,
        };
        let status_us = plan.setting(SettingKey::StatusUs, 0);
        assert!(
            silence_us / 2 >= status_us,
            "silence must be longer than two status periods of {status_us} us"
        );
        for at in 0..plan.settings.len() {
            plan.need_room_for(plan.settings[at]);
        }
        plan
    }

    /// The board's place in the line.
    #[must_use]
    pub const fn board(&self) -> BoardId {
        self.board
    }

    /// The board's identity.
    #[must_use]
    pub const fn uid(&self) -> u64 {
        self.uid
    }

    /// Speed of its line.
    #[must_use]
    pub const fn baud(&self) -> u32 {
        self.baud
    }

    /// Time of silence after which the board counts as gone, in microseconds.
    #[must_use]
    pub const fn silence_us(&self) -> i64 {
        self.silence_us
    }

    /// The value that a setting shall have.
    #[must_use]
    pub fn setting(&self, key: SettingKey, index: u8) -> u32 {
        let found = self
            .settings
            .binary_search_by_key(&(key, index), |setting| (setting.key, setting.index));
        found.map_or_else(|_| at_start(key), |at| self.settings[at].value)
    }

    /// All settings of a board with these limits, in canonical order.
    pub(crate) fn all_settings(&self, limits: &BoardLimits) -> impl Iterator<Item = Setting> + '_ {
        canonical(limits).map(|(key, index)| Setting {
            key,
            index,
            value: self.setting(key, index),
        })
    }

    /// CRC of the settings that a board with these limits shall have.
    #[must_use]
    pub fn settings_crc(&self, limits: &BoardLimits) -> u32 {
        settings_crc(self.all_settings(limits))
    }

    /// Holds a board's identity against the plan; the settings come later.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self, identity: &Identity) -> Result<(), Refusal> {
        if identity.protocol != wire::PROTOCOL {
            return Err(Refusal::Protocol {
                theirs: identity.protocol,
            });
        }
        if identity.uid != self.uid {
            return Err(Refusal::Uid {
                wanted: self.uid,
                found: identity.uid,
            });
        }
        let (needs, limits) = (&self.needs, &identity.limits);
        let sizes = [
            (Size::Valves, u32::from(needs.valves), u32::from(limits.valves)),
            (Size::Eyes, u32::from(needs.eyes), u32::from(limits.eyes)),
            (Size::Cells, u32::from(needs.cells), u32::from(limits.cells)),
            (Size::Channels, u32::from(needs.channels), u32::from(limits.channels)),
            (Size::Queue, u32::from(needs.queue), u32::from(limits.queue)),
            (Size::HorizonTicks, needs.horizon_ticks, limits.horizon_ticks),
            (Size::MaxOnUs, needs.max_on_us, limits.max_on_us),
        ];
        match sizes.into_iter().find(|(_, needed, has)| needed > has) {
            Some((size, needed, has)) => Err(Refusal::TooSmall { size, needed, has }),
            None => Ok(()),
        }
    }

    /// A board that has the setting must have what it belongs to.
    fn need_room_for(&mut self, setting: Setting) {
        let needed = setting.index.saturating_add(1);
        let needs = &mut self.needs;
        let size = match scope(setting.key) {
            Scope::Board => {
                assert!(setting.index == 0, "a setting of the whole board has no index");
                return;
            }
            Scope::Valve => &mut needs.valves,
            Scope::Eye => &mut needs.eyes,
            Scope::Cell => &mut needs.cells,
            Scope::Channel => &mut needs.channels,
        };
        *size = needed.max(*size);
        if setting.key == SettingKey::MaxOnUs {
            needs.max_on_us = needs.max_on_us.max(setting.value);
        }
    }
}
