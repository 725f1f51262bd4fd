//! Users, sessions and the audit trail. Cold.

use serde::{Deserialize, Serialize};

use super::Text;

/// What a user may do; each contains the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Look.
    View,
    /// Run the line: commands, lots, alarms.
    Operator,
    /// Change it: modes, valves, recipes, calibration.
    Maintenance,
    /// Say who may do what.
    Admin,
}

/// `POST /session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// `GET /session`: who asks, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The user; null without a login.
    pub user: Option<String>,
    /// What they may do; null where even looking needs a login.
    pub right: Option<Right>,
    /// Goes with every changing call as the header `x-csrf-token`; null without a login.
    pub csrf_token: Option<String>,
    /// The session ends after so long without a call, s.
    pub idle_s: u64,
    /// The session ends at the latest after, s; null without a login.
    pub ends_in_s: Option<u64>,
    /// The password was made by the program and should be changed.
    pub password_is_initial: bool,
}

/// `POST /session/password`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    pub old: String,
    /// The password from now on.
    pub new: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// Name.
    pub name: String,
    /// What they may do.
    pub right: Right,
    /// When it was made.
    pub made_at_ms: u64,
    /// The last login; null if never.
    pub last_login_ms: Option<u64>,
    /// The password was made by the program and should be changed.
    pub password_is_initial: bool,
}

/// `POST /users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Name: 1 to 32 letters, digits, `.`, `_`, `-` or Chinese characters.
    pub name: String,
    /// What they may do.
    pub right: Right,
    /// The password, at least 10 characters.
    pub password: String,
    /// `versions.users` as the administrator saw it.
    pub version: u64,
}

/// `PUT /users/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// What they may do from now on; null leaves it.
    #[serde(default)]
    pub right: Option<Right>,
    /// A new password; null leaves it.
    #[serde(default)]
    pub password: Option<String>,
    /// `versions.users` as the administrator saw it.
    pub version: u64,
}

/// One entry of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 1 without a gap.
    pub number: u64,
    /// When.
    pub at_ms: u64,
    /// Who.
    pub by: String,
    /// From which address.
    pub from: String,
    /// What was done: a fixed name, such as `recipe.apply`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What was there before.
    pub before: String,
    /// What is there now.
    pub after: String,
    /// Its hash, which holds the one before.
    pub hash: String,
}

/// `GET /audit`, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// Entries.
    pub entries: Vec<AuditEntry>,
    /// Ask with this `before` for the next ones; null at the end.
    pub next_before: Option<u64>,
}

/// `GET /audit/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerdict {
    /// Entries that were looked at.
    pub entries: u64,
    /// Whether the chain holds.
    pub holds: bool,
    /// The first entry whose link is broken; null if none.
    pub first_broken: Option<u64>,
    /// The verdict for people.
    pub text: Text,
}

/// `GET /about`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The program.
    pub program: String,
    /// Its version.
    pub version: String,
    /// Whether the line is a virtual one.
    pub virtual_line: bool,
    /// Pages that watch now.
    pub watchers: u32,
    /// Pages that may watch at once.
    pub most_watchers: u32,
}
