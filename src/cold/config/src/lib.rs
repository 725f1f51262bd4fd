//! Configuration: TOML files to checked values, in two stages, with every fault at once and each pointed at.
//!
//! Cold side, any thread: it reads files and allocates. A file is read with suspicion (`source`), held against its form
//! (`form`, `reader`), and then against everything that its form can't say: a machine's file in `machine`,
//! a standard in `standard`, a recipe in `recipe`.
//!
//! Words: **raw** is a file as it stands, in the core's units; **checked** is what the core may trust.

#![forbid(unsafe_code)]

mod cell;
mod figures;
mod form;
mod interval;
mod library;
pub mod limits;
mod machine;
mod nearest;
mod reader;
mod recipe;
mod region;
mod report;
mod schema;
mod source;
mod standard;

use std::path::{Path, PathBuf};

pub use crate::cell::{Cell, cell_text, load_cell};
pub use crate::library::{Change, Library};
pub use crate::machine::{
    Budget, ChannelConfig, HotThread, Line, LinkConfig, Signal, cell_path, line_from_text, load_line,
};
pub use crate::nearest::nearest;
pub use crate::recipe::{
    Answer, BinAnswer, Condition, ConditionAnswer, DoubtShares, Lot, Pearl, Recipe, RecipeBin, Value, load_recipe,
    recipe_from_text,
};
pub use crate::report::{Fault, Report, Severity};
pub use crate::standard::{Standard, load_standard};

use crate::source::Source;

/// A name in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A path that a file in `folder` names.
fn text_of_path(folder: Option<&Path>, text: &str) -> PathBuf {
    folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text))
}

/// Hash of texts, by which recipes are named: FNV-1a of 64 bits.
fn hash_of(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Checks files of any kind; the kind is said by their key `kind`. Recipes are held against the machine whose file is
/// among them, if it is one.
#[must_use]
pub fn check_files<P: AsRef<Path>>(paths: &[P]) -> Report {
    let machines: Vec<Line> = paths.iter().filter_map(|path| load_line(path.as_ref()).ok()).collect();
    let machine = if machines.len() == 1 { machines.first() } else { None };
    let mut report = Report::default();
    for path in paths {
        let source = Source::read(path.as_ref());
        if !source.has_errors() {
            check_source(&source, path.as_ref().parent(), machine);
        }
        report.add(source.report());
    }
    report
}

/// Checks one file.
#[must_use]
pub fn check_file(path: &Path) -> Report {
    check_files(&[path])
}

/// Checks a file's bytes before they are saved: `file` is what it is called, `folder` where it will stand.
#[must_use]
pub fn check_bytes(file: &str, bytes: &[u8], folder: &Path) -> Report {
    let source = Source::from_bytes(file.to_owned(), bytes.to_vec());
    if !source.has_errors() {
        check_source(&source, Some(folder), None);
    }
    source.report()
}

/// Kinds of files.
const KINDS: [&str; 4] = ["cell", "line", "recipe", "standard"];

fn check_source(source: &Source, folder: Option<&Path>, machine: Option<&Line>) {
    let table = source.parse();
    let kind = table.get("kind").and_then(|value| value.get_ref().as_str());
    match kind {
        Some("cell") => {
            cell::check(source);
        }
        Some("line") => {
            machine::check(source, folder);
        }
        Some("recipe") => {
            recipe::check(source, folder, machine, true);
        }
        Some("standard") => {
            standard::check(source);
        }
        _ if source.has_errors() => {}
        Some(other) => {
            let help = nearest(other, KINDS).map_or_else(
                || format!("write one of: {}", KINDS.join(", ")),
                |near| format!("write \"{near}\""),
            );
            let span = table.get("kind").map_or(0..0, toml::Spanned::span);
            source.error(span, "kind", &format!("\"{other}\" is no kind of file"), &help);
        }
        None => source.error(
            0..0,
            "kind",
            "is missing",
            &format!("write kind = \"...\" with one of: {}", KINDS.join(", ")),
        ),
    }
}

/// Every JSON Schema: the name of its file under `config/schemas/`, and its text.
#[must_use]
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![
        ("cell.schema.json", schema::text("pearlsort: a weigh cell", &cell::CELL)),
        (
            "line.schema.json",
            schema::text("pearlsort: the machine", &machine::form::LINE),
        ),
        (
            "recipe.schema.json",
            schema::text("pearlsort: a recipe", &recipe::form::RECIPE),
        ),
        (
            "standard.schema.json",
            schema::text("pearlsort: a standard", &standard::STANDARD),
        ),
    ]
}
