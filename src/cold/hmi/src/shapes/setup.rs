//! Commissioning, and the crops of doubtful pearls. Cold.

use serde::{Deserialize, Serialize};

use super::Text;

/// What is calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationKind {
    /// Encoder ticks a metre.
    Ticks,
    /// Distance from the entry eye to each jet.
    Distances,
    /// Lags of each valve.
    Lags,
    /// The line's other signals.
    Signals,
    /// Weigh cells, by reference masses.
    Weigh,
}

/// A calibration in force, or the lack of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationItem {
    /// What is calibrated.
    pub kind: CalibrationKind,
    /// The part, such as lane 3.
    pub subject: Text,
    /// When; null if never.
    pub at_ms: Option<u64>,
    /// Who.
    pub by: String,
    /// The result, with its unit.
    pub result: String,
    /// What is left over, with its unit.
    pub residual: String,
    /// Whether it holds.
    pub good: bool,
}

/// What a step of the wizard waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Nothing: it is under way.
    Nothing,
    /// That the operator has done it.
    Confirmation,
    /// A number.
    Number,
    /// Yes or no.
    YesOrNo,
}

/// Where the wizard is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationStep {
    /// What is calibrated.
    pub kind: CalibrationKind,
    /// The step, from 1.
    pub step: u32,
    /// Steps in all.
    pub steps: u32,
    /// What the operator is told or asked.
    pub text: Text,
    /// What it waits for.
    pub needs: Needs,
    /// Unit of the number; empty without.
    pub unit: String,
    /// How far it is, 0 to 1.
    pub progress: f64,
    /// It is over: `text` says how it ended.
    pub done: bool,
    /// It is over and the result was stored.
    pub stored: bool,
}

/// `GET /calibration`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The calibrations in force.
    pub items: Vec<CalibrationItem>,
    /// The wizard; null while it is not used.
    pub wizard: Option<CalibrationStep>,
}

/// `POST /calibration/start`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationStart {
    /// What to calibrate.
    pub kind: CalibrationKind,
    /// Lanes, from 1; all when empty.
    #[serde(default)]
    pub lanes: Vec<u8>,
    /// `versions.calibration` as the operator saw it.
    pub version: u64,
}

/// `POST /calibration/answer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationAnswer {
    /// The step that is answered.
    pub step: u32,
    /// The number, where one is asked.
    #[serde(default)]
    pub number: Option<f64>,
    /// Yes or no, where that is asked.
    #[serde(default)]
    pub yes: Option<bool>,
    /// `versions.calibration` as the operator saw it.
    pub version: u64,
}

/// `GET /crops`: a doubtful pearl whose picture was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crop {
    /// Its number; the picture is at `/crops/{crop}/image`.
    pub crop: u64,
    /// The pearl.
    pub pearl: u64,
    /// Its lane, from 1.
    pub lane: u8,
    /// When.
    pub at_ms: u64,
    /// Why it was doubtful: the cause's name.
    pub cause: String,
    /// What that is called.
    pub name: Text,
    /// Mean diameter, mm.
    pub diameter_mm: Option<f64>,
    /// Mass, mg.
    pub mass_mg: Option<f64>,
}
