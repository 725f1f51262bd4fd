//! Lots and their reports. Cold.

use serde::{Deserialize, Serialize};

use super::{AuditEntry, CalibrationItem, CauseCount, Counts, Text};

/// What is known of a lot when it is opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLot {
    /// Its number on paper.
    pub number: String,
    /// The farm.
    pub farm: String,
    /// Day of the harvest, such as 2026-11-24; empty if not known.
    #[serde(default)]
    pub harvest_date: String,
    /// The customer.
    #[serde(default)]
    pub customer: String,
    /// Mass handed in, mg; null if it was not weighed.
    #[serde(default)]
    pub mass_in_mg: Option<f64>,
    /// Pearls handed in; null if they were not counted.
    #[serde(default)]
    pub count_in: Option<u64>,
}

/// `POST /lots`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenLotRequest {
    /// What is known of it.
    pub lot: NewLot,
    /// `versions.lot` as the operator saw it.
    pub version: u64,
}

/// A change that needs nothing but the number that its operator saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRequest {
    /// The number of the part that is changed, from `versions`.
    pub version: u64,
}

/// A lot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// Its number in the store.
    pub lot: u64,
    /// Its number on paper.
    pub number: String,
    /// The farm.
    pub farm: String,
    /// Day of the harvest; empty if not known.
    pub harvest_date: String,
    /// The customer.
    pub customer: String,
    /// Who opened it.
    pub operator: String,
    /// Mass handed in, mg.
    pub mass_in_mg: Option<f64>,
    /// Pearls handed in.
    pub count_in: Option<u64>,
    /// When it was opened.
    pub opened_at_ms: u64,
    /// When it was closed; null while it is open.
    pub closed_at_ms: Option<u64>,
    /// Passes by what became of them: a pearl that went round twice has two.
    pub passes: Counts,
    /// Pearls, each counted once.
    pub pearls: u64,
    /// Mass binned, mg.
    pub binned_mg: f64,
}

/// A grade's sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GradeSum {
    /// The bin, from 1.
    pub bin: u8,
    /// Its grade's name.
    pub name: Text,
    /// Whether it counts as high grade.
    pub high_grade: bool,
    /// Pearls.
    pub pearls: u64,
    /// Share of the binned pearls, 0 to 1.
    pub share: f64,
    /// Mass, mg; null where they are not weighed.
    pub mass_mg: Option<f64>,
    /// Mean diameter, mm; null where they are not measured.
    pub mean_diameter_mm: Option<f64>,
    /// What they are worth, in the recipe's currency; null where the recipe does not say.
    pub value: Option<f64>,
}

/// A class's sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassSum {
    /// The property, such as lustre.
    pub property: Text,
    /// The class's letters, such as B.
    pub class: String,
    /// Pearls.
    pub pearls: u64,
}

/// A recipe that graded pearls of a lot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeUse {
    /// Its hash.
    pub hash: String,
    /// Its name.
    pub name: Text,
    /// Since when.
    pub from_ms: u64,
    /// Passes that it graded.
    pub passes: u64,
}

/// `GET /lots/{lot}/report`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LotReport {
    /// The lot.
    pub lot: Lot,
    /// When the report was made.
    pub made_at_ms: u64,
    /// Mass that came to the scale, mg, each pearl once.
    pub mass_seen_mg: f64,
    /// Mass binned, mg.
    pub mass_binned_mg: f64,
    /// Mass recirculated and not binned later, mg.
    pub mass_recirculated_mg: f64,
    /// Mass lost, mg.
    pub mass_lost_mg: f64,
    /// Mass handed in less what was seen, mg; null if it was not weighed.
    pub mass_missing_mg: Option<f64>,
    /// Whether passes in = binned + recirculated + lost, and masses likewise.
    pub adds_up: bool,
    /// Share of high grades among the binned pearls, 0 to 1.
    pub high_grade_share: Option<f64>,
    /// Sums by grade.
    pub grades: Vec<GradeSum>,
    /// Sums by class.
    pub classes: Vec<ClassSum>,
    /// Why pearls were recirculated.
    pub causes: Vec<CauseCount>,
    /// Currency of the values.
    pub currency: Option<String>,
    /// Recipes that graded it.
    pub recipes: Vec<RecipeUse>,
    /// Calibrations in force.
    pub calibrations: Vec<CalibrationItem>,
    /// What was changed while it was open.
    pub audit: Vec<AuditEntry>,
    /// The hash that chains the audit trail at the end of the lot.
    pub audit_hash: String,
    /// Records of the lot that were dropped because the disk was slow or full.
    pub records_dropped: u64,
}
