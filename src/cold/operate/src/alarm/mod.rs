//! Alarms after ISA-18.2: what there are alarms of ([`Kind`]), and how one comes and goes ([`Alarms`]).
//!
//! Cold, any thread.

mod kind;
mod list;

pub use kind::{AlarmId, Kind, NoAlarm, Place, of_hold, of_use};
pub(crate) use list::is_of_board;
pub use list::{Alarm, Alarms, Change, Entry, Value};

/// How grave an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Wants a look in this shift.
    Low,
    /// Wants a hand in minutes.
    Medium,
    /// Wants a hand now.
    High,
    /// Somebody or the lot may come to harm; can't be put aside.
    Critical,
}

impl Priority {
    /// Every priority, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// State of an alarm after ISA-18.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlarmState {
    /// Its condition is not there, and nobody has to know.
    Normal,
    /// The condition is there, nobody has acknowledged.
    Unacknowledged,
    /// The condition is there, somebody has acknowledged.
    Acknowledged,
    /// The condition is gone, nobody has acknowledged.
    ReturnedUnacknowledged,
    /// Put aside by an operator for a time.
    Shelved,
    /// Put aside by the machine: another alarm says it.
    Suppressed,
    /// Put aside for maintenance.
    OutOfService,
}

impl AlarmState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::Unacknowledged,
        Self::Acknowledged,
        Self::ReturnedUnacknowledged,
        Self::Shelved,
        Self::Suppressed,
        Self::OutOfService,
    ];

    /// Its name in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Unacknowledged => "unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::ReturnedUnacknowledged => "returned_unacknowledged",
            Self::Shelved => "shelved",
            Self::Suppressed => "suppressed",
            Self::OutOfService => "out_of_service",
        }
    }
}
