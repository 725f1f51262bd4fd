//! The shapes of the API: what goes over the wire as JSON, unit at the end of each name. `openapi.json` describes the
//! same shapes, and a test holds the two together.
//!
//! Cold, any thread. Words: a **right** is what a user may do, each containing the ones before; **at** is a moment, in
//! milliseconds of Unix time.

mod alarms;
mod health;
mod live;
mod lots;
mod people;
mod recipes;
mod setup;

use serde::{Deserialize, Serialize};

pub use alarms::{Alarm, AlarmEvent, AlarmState, Alarms, Priority, Shelving};
pub use health::{BoardHealth, Histogram, Histograms, LaneHealth, ValveHealth};
pub use live::{
    AlarmSummary, Bin, BinAction, BinRequest, BinState, CauseCount, Command, CommandRequest, Counts, HighGrade,
    JournalEntry, Lane, Layout, LayoutBin, Line, Mode, ModeRequest, Oee, OpenLot, PulseRequest, RecipeName, Signal,
    Snapshot, State, Station, StationKind, Store, Timing, Versions,
};
pub use lots::{ClassSum, GradeSum, Lot, LotReport, NewLot, OpenLotRequest, RecipeUse, VersionRequest};
pub use people::{
    About, AuditEntry, AuditPage, AuditVerdict, Login, NewUser, PasswordChange, Right, Session, UserChange, UserInfo,
};
pub use recipes::{
    ApplyRequest, CheckResult, Diff, DiffKind, DiffLine, Fault, Move, RecipeFile, RecipeStatus, RecipeText, Slot,
    StageRequest, Staged, WhatIf, WhatIfRequest,
};
pub use setup::{
    Calibration, CalibrationAnswer, CalibrationItem, CalibrationKind, CalibrationStart, CalibrationStep, Crop, Needs,
};

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Text {
    /// A text in both languages.
    #[must_use]
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// What went wrong, as every route answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A fixed name of the fault, for programs.
    pub code: String,
    /// What happened and what to do, in Chinese.
    pub message_zh: String,
    /// What happened and what to do, in English.
    pub message_en: String,
    /// Where: a field of the request, a part of the line, or the path.
    #[serde(rename = "where")]
    pub place: String,
}
