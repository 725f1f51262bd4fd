//! Why a wish is refused. Its words, in both languages, with what to do, are in the catalogue.
//!
//! Cold, any thread.

use std::fmt;

use units::{BinId, BoardId, ValveId};

use crate::alarm::{AlarmId, Place};
use crate::limits;
use crate::setup::Setup;
use crate::state::{Command, Deed, Mode, State};
use crate::words::{self, Text};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The state does not know the command.
    State {
        /// The command.
        command: Command,
        /// The state.
        state: State,
    },
    /// The state does not allow what was wished.
    NotIn {
        /// What.
        deed: Deed,
        /// The state.
        state: State,
    },
    /// The mode does not allow what was wished.
    Mode {
        /// What.
        deed: Deed,
        /// The mode.
        mode: Mode,
    },
    /// The mode can't be changed in this state.
    ModeChange {
        /// The state.
        state: State,
    },
    /// A board is not there.
    Board(BoardId),
    /// A signal says no.
    Signal(BoardId, u8),
    /// A signal has not been told yet: it is not taken for good.
    SignalUnknown(BoardId, u8),
    /// Pearls are on the belt.
    NotEmpty,
    /// The program does not drive the belt of this line.
    NoBelt,
    /// There is no such bin.
    UnknownBin(BinId),
    /// The bin is not in quarantine.
    NotQuarantined(BinId),
    /// The bin is not there.
    BinMissing(BinId),
    /// There is no such valve.
    UnknownValve(BoardId, ValveId),
    /// The pulse is too long, or none.
    PulseLength,
    /// There is no such alarm, or it is normal.
    UnknownAlarm,
    /// Somebody has acknowledged already.
    Acknowledged {
        /// The alarm.
        id: AlarmId,
        /// Who.
        by: Box<str>,
    },
    /// The alarm is not on the shelf.
    NotShelved {
        /// The alarm.
        id: AlarmId,
    },
    /// The alarm is too grave to be put aside.
    TooGrave {
        /// The alarm.
        id: AlarmId,
    },
    /// The time on the shelf is too long, or none.
    ShelfTime,
    /// The hot thread does not take commands at the moment.
    Busy,
}

impl Refusal {
    /// Names of all refusals, as the catalogue of words has them.
    pub const NAMES: &'static [&'static str] = &[
        "state",
        "not_in",
        "mode",
        "mode_change",
        "board",
        "signal",
        "signal_unknown",
        "not_empty",
        "no_belt",
        "unknown_bin",
        "not_quarantined",
        "bin_missing",
        "unknown_valve",
        "pulse_length",
        "unknown_alarm",
        "acknowledged",
        "not_shelved",
        "too_grave",
        "shelf_time",
        "busy",
    ];

    /// Its fixed name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        let n = match self {
            Self::State { .. } => 0,
            Self::NotIn { .. } => 1,
            Self::Mode { .. } => 2,
            Self::ModeChange { .. } => 3,
            Self::Board(_) => 4,
            Self::Signal(..) => 5,
            Self::SignalUnknown(..) => 6,
            Self::NotEmpty => 7,
            Self::NoBelt => 8,
            Self::UnknownBin(_) => 9,
            Self::NotQuarantined(_) => 10,
            Self::BinMissing(_) => 11,
            Self::UnknownValve(..) => 12,
            Self::PulseLength => 13,
            Self::UnknownAlarm => 14,
            Self::Acknowledged { .. } => 15,
            Self::NotShelved { .. } => 16,
            Self::TooGrave { .. } => 17,
            Self::ShelfTime => 18,
            Self::Busy => 19,
        };
        Self::NAMES[n]
    }

    /// The part of the line that it is about.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Board(board) => Place::Board(*board),
            Self::Signal(board, channel) | Self::SignalUnknown(board, channel) => Place::Channel(*board, *channel),
            Self::UnknownBin(bin) | Self::NotQuarantined(bin) | Self::BinMissing(bin) => Place::Bin(*bin),
            Self::UnknownValve(board, valve) => Place::Valve(*board, *valve),
            Self::Acknowledged { id, .. } | Self::NotShelved { id } | Self::TooGrave { id } => id.place,
            _ => Place::Line,
        }
    }

    /// The reason and what to do, in both languages.
    #[must_use]
    pub fn text(&self, setup: &Setup) -> Text {
        let text = words::refusal(self.name()).to_text();
        match self {
            Self::State { command, state } => {
                let possible: Vec<Command> = state.commands().collect();
                let join = |lang, between: &str| {
                    let names = possible.iter().map(|command| words::command(*command).in_lang(lang));
                    names.collect::<Vec<_>>().join(between)
                };
                text.fill("command", &words::command(*command).to_text())
                    .fill("state", &words::state(*state).to_text())
                    .fill(
                        "possible",
                        &Text {
                            zh: join(words::Lang::Zh, "、"),
                            en: join(words::Lang::En, ", "),
                        },
                    )
            }
            Self::NotIn { deed, state } => text
                .fill("deed", &words::deed(*deed).to_text())
                .fill("state", &words::state(*state).to_text()),
            Self::Mode { deed, mode } => text
                .fill("deed", &words::deed(*deed).to_text())
                .fill("mode", &words::mode(*mode).to_text()),
            Self::ModeChange { state } => text.fill("state", &words::state(*state).to_text()),
            Self::Acknowledged { id, by } => text
                .fill("alarm", &words::alarm(id.kind).name.to_text())
                .fill("by", &Text::name(by)),
            Self::NotShelved { id } | Self::TooGrave { id } => {
                text.fill("alarm", &words::alarm(id.kind).name.to_text())
            }
            Self::ShelfTime => text.fill("hours", &Text::name(&(limits::SHELF_US / 3_600_000_000).to_string())),
            Self::PulseLength => text.fill("most", &Text::name(&limits::PULSE_US.to_string())),
            _ => text.fill("place", &words::place_text(self.place(), setup)),
        }
    }
}

/// Its fixed name: the words need the line's [`Setup`].
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Refusal {}
