//! Events: what happened to the line, in order. Any thread.

use serde::Serialize;
use units::HostUs;

use crate::clock::Stamp;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the journal.
    Info,
    /// To be looked at.
    Warning,
    /// An alarm.
    Alarm,
}

impl Severity {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Info => 0,
            Self::Warning => 1,
            Self::Alarm => 2,
        }
    }

    pub(crate) const fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Info,
            1 => Self::Warning,
            _ => Self::Alarm,
        }
    }
}

/// Something that happened: a notice of the core, an alarm raised or acknowledged, a state entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What kind, dotted, such as `alarm.raised`: readers select by its beginning.
    pub kind: String,
    /// What it concerns, such as `bin 3` or the alarm's name.
    pub subject: String,
    /// How much it matters.
    pub severity: Severity,
    /// For people.
    pub text: String,
    /// For programs: JSON, or empty.
    pub detail: String,
    /// When, on the hot side's clock, if it came from there.
    #[serde(serialize_with = "host_us")]
    pub host: Option<HostUs>,
    /// Lot that it concerns; 0 for none.
    pub lot: u32,
}

fn host_us<S: serde::Serializer>(host: &Option<HostUs>, serializer: S) -> Result<S::Ok, S::Error> {
    host.map(|host| host.0).serialize(serializer)
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredEvent {
    /// Its number: order is by it.
    pub number: u64,
    /// When it came to the store.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}
