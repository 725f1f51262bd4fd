//! Alarms after ISA-18.2. Cold.

use serde::{Deserialize, Serialize};

use super::Text;

/// How grave an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Wants a look in this shift.
    Low,
    /// Wants a hand in minutes.
    Medium,
    /// Wants a hand now.
    High,
    /// The line has stopped or must stop.
    Critical,
}

/// State of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// No cause.
    Normal,
    /// The cause is there, nobody has acknowledged.
    Unacknowledged,
    /// The cause is there, somebody has acknowledged.
    Acknowledged,
    /// The cause is gone, nobody has acknowledged.
    ReturnedUnacknowledged,
    /// Put aside by an operator, for a time.
    Shelved,
    /// Put aside by the machine, because another alarm says it.
    Suppressed,
    /// Put aside for maintenance.
    OutOfService,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its fixed name with the part concerned, such as `valve_drift.12`: letters, digits, `.`, `_` and `-`.
    pub id: String,
    /// How grave it is.
    pub priority: Priority,
    /// State.
    pub state: AlarmState,
    /// What it is called.
    pub name: Text,
    /// The part of the line that it is about.
    pub place: Text,
    /// Why it comes.
    pub cause: Text,
    /// What happens if nothing is done.
    pub consequence: Text,
    /// What to do.
    pub action: Text,
    /// When it came last.
    pub raised_at_ms: u64,
    /// When its cause went; null while it is there.
    pub cleared_at_ms: Option<u64>,
    /// How often it came since it was normal.
    pub times: u32,
    /// Who acknowledged.
    pub acknowledged_by: Option<String>,
    /// Until when it is shelved.
    pub shelved_until_ms: Option<u64>,
    /// Whether it was the first of those that stopped the line.
    pub first_out: bool,
    /// The value that raised it, with its unit; null where there is none.
    pub value: Option<String>,
}

/// `GET /alarms`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarms {
    /// Rises with every change.
    pub version: u64,
    /// All that are not normal, gravest and newest first.
    pub alarms: Vec<Alarm>,
    /// More come than a person can read.
    pub flood: bool,
}

/// `POST /alarms/{id}/shelve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shelving {
    /// For how long, s.
    pub for_s: u32,
    /// Why.
    pub reason: String,
}

/// A change of an alarm, for the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmEvent {
    /// Its number.
    pub number: u64,
    /// When.
    pub at_ms: u64,
    /// The alarm.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// How grave it is.
    pub priority: Priority,
    /// The state that it changed to.
    pub state: AlarmState,
    /// Who did it; null where the machine did.
    pub by: Option<String>,
}
