//! The line's other signals: each named, acted upon, and seen to change.
//!
//! Any thread. A signal is right when it is good at rest, is seen to be lost when the operator loses it (opens the door,
//! shuts the air), and is good again afterwards. What else changed meanwhile tells of swapped wires.

use units::BoardId;

/// A channel of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The board.
    pub board: BoardId,
    /// Its number there.
    pub channel: u8,
}

/// A value that a channel took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which channel.
    pub at: At,
    /// Its value.
    pub value: u16,
}

/// A signal that is to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its channel.
    pub at: At,
    /// Least value that is good.
    pub least: u16,
    /// Most value that is good.
    pub most: u16,
}

impl Expected {
    /// Whether a value is good.
    #[must_use]
    pub const fn is_good(&self, value: u16) -> bool {
        value >= self.least && value <= self.most
    }
}

/// Why a signal is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignalFault {
    /// The board never told its value.
    #[error("the board tells nothing of this channel: look at its number and at the board's own wiring table")]
    Unknown,
    /// It was not good before anything was done.
    #[error("it reads {value} at rest, {least} to {most} would be good: put it right, or correct `least` and `most`")]
    LostAtRest {
        /// Its value.
        value: u16,
        /// Least that would be good.
        least: u16,
        /// Most that would be good.
        most: u16,
    },
    /// It did not change, and nothing else did.
    #[error("it stayed at {value}: look at its wire, its supply and its sensor")]
    Silent {
        /// Its value.
        value: u16,
    },
    /// It did not change, but another channel did.
    #[error("it stayed at {value}, but channel {channel} of board {} changed: the wires are swapped, or the numbers in the file",
        .board.0)]
    Other {
        /// Its value.
        value: u16,
        /// Board of the channel that changed.
        board: BoardId,
        /// The channel that changed.
        channel: u8,
    },
    /// It changed, but its loss would not have been noticed.
    #[error("it went to {value}, which still counts as good ({least} to {most}): narrow `least` and `most`")]
    StillGood {
        /// The value farthest from rest.
        value: u16,
        /// Least that counts as good.
        least: u16,
        /// Most that counts as good.
        most: u16,
    },
    /// It did not come back.
    #[error("it stays at {value} and is not good again: put it right and repeat")]
    NotBack {
        /// Its value.
        value: u16,
    },
}

/// What was seen of a signal that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Value at rest.
    pub rest: u16,
    /// The value farthest from it.
    pub lost: u16,
}

/// Judges one trial: `before` are the readings of all channels at rest, `during` all changes until the signal was to be
/// good again, in order.
///
/// # Errors
/// See [`SignalFault`].
pub fn judge(expected: &Expected, before: &[Reading], during: &[Reading]) -> Result<Seen, SignalFault> {
    let Expected { at, least, most } = *expected;
    let rest = before
        .iter()
        .rev()
        .find(|reading| reading.at == at)
        .ok_or(SignalFault::Unknown)?
        .value;
    if !expected.is_good(rest) {
        return Err(SignalFault::LostAtRest {
            value: rest,
            least,
            most,
        });
    }
    let mut own = during
        .iter()
        .filter(|reading| reading.at == at)
        .map(|reading| reading.value);
    let Some(last) = own.clone().next_back() else {
        return Err(match changed(before, during) {
            Some(other) => SignalFault::Other {
                value: rest,
                board: other.board,
                channel: other.channel,
            },
            None => SignalFault::Silent { value: rest },
        });
    };
    let farthest = own.clone().max_by_key(|value| value.abs_diff(rest)).unwrap_or(rest);
    let Some(lost) = own.find(|value| !expected.is_good(*value)) else {
        return Err(SignalFault::StillGood {
            value: farthest,
            least,
            most,
        });
    };
    if !expected.is_good(last) {
        return Err(SignalFault::NotBack { value: last });
    }
    Ok(Seen { rest, lost })
}

/// The first channel that took another value than the one at rest.
fn changed(before: &[Reading], during: &[Reading]) -> Option<At> {
    let at_rest = |at: At| before.iter().rev().find(|reading| reading.at == at);
    let is_new = |reading: &&Reading| at_rest(reading.at).is_some_and(|rest| rest.value != reading.value);
    during.iter().find(is_new).map(|reading| reading.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOOR: Expected = Expected {
        at: at(9),
        least: 1,
        most: 1,
    };
    const AIR: Expected = Expected {
        at: at(12),
        least: 30_000,
        most: u16::MAX,
    };

    const fn at(channel: u8) -> At {
        At {
            board: BoardId(0),
            channel,
        }
    }

    const fn reads(channel: u8, value: u16) -> Reading {
        Reading { at: at(channel), value }
    }

    const REST: [Reading; 3] = [reads(8, 1), reads(9, 1), reads(12, 40_000)];

    #[test]
    fn a_signal_that_is_lost_and_comes_back_is_seen() {
        let door = judge(&DOOR, &REST, &[reads(9, 0), reads(12, 39_000), reads(9, 1)]);
        assert_eq!(door, Ok(Seen { rest: 1, lost: 0 }));
        let air = judge(&AIR, &REST, &[reads(12, 35_000), reads(12, 12_000), reads(12, 38_000)]);
        assert_eq!(
            air,
            Ok(Seen {
                rest: 40_000,
                lost: 12_000
            })
        );
    }

    #[test]
    fn each_way_to_be_wrong_is_told() {
        assert_eq!(judge(&DOOR, &REST[..1], &[]), Err(SignalFault::Unknown));
        let open = judge(&DOOR, &[reads(9, 0)], &[reads(9, 1)]);
        assert!(matches!(open, Err(SignalFault::LostAtRest { value: 0, .. })));
        assert_eq!(judge(&DOOR, &REST, &[]), Err(SignalFault::Silent { value: 1 }));
        // The door's wire is on the safety chain's place.
        let swapped = judge(&DOOR, &REST, &[reads(8, 0), reads(8, 1)]);
        assert!(matches!(swapped, Err(SignalFault::Other { channel: 8, .. })));
        let blind = judge(&AIR, &REST, &[reads(12, 31_000), reads(12, 40_000)]);
        assert!(matches!(blind, Err(SignalFault::StillGood { value: 31_000, .. })));
        assert_eq!(
            judge(&DOOR, &REST, &[reads(9, 0)]),
            Err(SignalFault::NotBack { value: 0 })
        );
    }
}
