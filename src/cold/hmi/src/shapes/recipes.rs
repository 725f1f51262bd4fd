//! The recipe editor. Cold.

use serde::{Deserialize, Serialize};

use super::{RecipeName, Text};

/// `POST /recipes/check` and `POST /recipes/diff`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeText {
    /// Its file, within the folder of recipes.
    pub file: String,
    /// The text.
    pub text: String,
}

/// `GET /recipes`: the recipe in force, the staged one, and the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeStatus {
    /// The recipe in force.
    pub in_force: RecipeName,
    /// The staged one; null if none.
    pub staged: Option<Staged>,
    /// The recipe that undo brings back; null if none.
    pub undo: Option<RecipeName>,
    /// Files of the folder of recipes.
    pub files: Vec<String>,
}

/// A recipe that waits to be put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// What it is called.
    pub recipe: RecipeName,
    /// Who staged it.
    pub by: String,
    /// When.
    pub at_ms: u64,
}

/// `GET /recipes/{file}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeFile {
    /// The file.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Whether it is in force as it stands here.
    pub in_force: bool,
}

/// A fault of a recipe, as `pearlsort check` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// It keeps the recipe from being used; else it is a warning.
    pub error: bool,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// Characters that are meant.
    pub width: u32,
    /// The line's text.
    pub text: String,
    /// The key's path, such as `bin.0.diameter-mm`.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// Answer to `POST /recipes/check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Whether the recipe can be used.
    pub usable: bool,
    /// Its hash; null where it can't be used.
    pub hash: Option<String>,
    /// Errors and warnings, in the order of the lines.
    pub faults: Vec<Fault>,
    /// The whole report, word for word as `pearlsort check` prints it.
    pub report: String,
}

/// What became of a line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// Is in both.
    Same,
    /// Is in the old text only.
    Removed,
    /// Is in the new text only.
    Added,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// What became of it.
    pub kind: DiffKind,
    /// Its number in the old text; null for added lines.
    pub old_line: Option<u32>,
    /// Its number in the new text; null for removed lines.
    pub new_line: Option<u32>,
    /// The line.
    pub text: String,
}

/// Answer to `POST /recipes/diff`: the recipe in force against the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The recipe in force.
    pub old: RecipeName,
    /// Every line of both.
    pub lines: Vec<DiffLine>,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

/// `POST /recipes/what-if`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatIfRequest {
    /// The file that the text is for.
    pub file: String,
    /// The text.
    pub text: String,
    /// How many of the last pearls.
    pub pearls: u32,
}

/// A slot: where a recipe sends pearls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its fixed name: `bin.1`, `no_bin`, `doubt`, `unmeasured`, `line`.
    pub slot: String,
    /// What it is called.
    pub name: Text,
    /// Pearls by the recipe in force.
    pub old_pearls: u64,
    /// Pearls by the new one.
    pub new_pearls: u64,
    /// Their mass by the recipe in force, mg.
    pub old_mass_mg: f64,
    /// Their mass by the new one, mg.
    pub new_mass_mg: f64,
    /// Their worth by the recipe in force; null where the recipe does not say.
    pub old_value: Option<f64>,
    /// Their worth by the new one.
    pub new_value: Option<f64>,
}

/// Pearls that would have gone elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The slot by the recipe in force.
    pub from: String,
    /// The slot by the new one.
    pub to: String,
    /// Pearls.
    pub pearls: u64,
}

/// Answer to `POST /recipes/what-if`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    /// Pearls that were looked at.
    pub pearls: u64,
    /// The recipe in force.
    pub old: RecipeName,
    /// Hash of the new one.
    pub new_hash: String,
    /// Currency of the values.
    pub currency: Option<String>,
    /// Slots with pearls by either.
    pub slots: Vec<Slot>,
    /// Pearls that would have gone elsewhere, most first.
    pub moves: Vec<Move>,
    /// Pearls that guards send elsewhere, by the recipe in force.
    pub old_guarded: u64,
    /// Pearls that guards send elsewhere, by the new one.
    pub new_guarded: u64,
}

/// `POST /recipes/stage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRequest {
    /// The file that the text is for.
    pub file: String,
    /// The text.
    pub text: String,
    /// `versions.recipe` as the operator saw it.
    pub version: u64,
}

/// `POST /recipes/apply`: puts the staged recipe in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// Hash of the staged recipe, as it was looked at.
    pub hash: String,
    /// `versions.recipe` as the operator saw it.
    pub version: u64,
}
