//! `calibrate --write`: what was found goes into the machine's file, its comments kept. Cold.
//!
//! What wears moves slowly: a figure that has moved by no more than its **bound** since the file was written is corrected.
//! One that has moved farther has been knocked, changed or taken wrongly: it is left as it is, with what to do, until
//! somebody who has looked says `--accept`. The new text is checked as any machine's file before it takes the old one's
//! place.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::exit::{Exit, Failure};

/// Farthest that a jet's distance is corrected unasked, um.
const MOST_SHIFT_UM: i64 = 1_000;
/// Farthest that a valve's lag is corrected unasked, us.
const MOST_LAG_US: i64 = 500;
/// Farthest that the ticks a metre are corrected unasked, parts in a thousand.
const MOST_TICKS_PER_MILLE: i64 = 5;

/// What became of the machine's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Whether it has changed.
    pub changed: bool,
    /// Figures that were left as they are.
    pub left: Vec<Left>,
}

/// A figure that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Of what.
    pub of: String,
    /// By how much it has moved, with its unit.
    pub moved: String,
    /// The bound, with its unit.
    pub bound: String,
}

/// The machine's file with the lines of `paste` in it, and what was left as it is.
///
/// # Errors
/// When one of the texts is no TOML, which a file that was loaded is.
pub fn merged(text: &str, paste: &str, accept: bool) -> Result<(String, Vec<Left>)> {
    let mut file: DocumentMut = text.parse().context("the machine's file is no TOML")?;
    let found: DocumentMut = paste.parse().context("what was found is no TOML")?;
    let mut left = Vec::new();
    if let Some(ticks) = found.get("belt").and_then(|belt| belt.get("ticks-per-metre")) {
        let new = ticks.as_integer().unwrap_or_default();
        let old = &mut file["belt"]["ticks-per-metre"];
        let was = old.as_integer().unwrap_or(new);
        let bound = was * MOST_TICKS_PER_MILLE / 1000;
        if accept || (new - was).abs() <= bound {
            set(old, new);
        } else {
            left.push(moved("ticks a metre", new - was, bound, "ticks"));
        }
    }
    for trim in found
        .get("trim")
        .and_then(Item::as_array_of_tables)
        .into_iter()
        .flatten()
    {
        take_trim(&mut file, trim, accept, &mut left);
    }
    Ok((file.to_string(), left))
}

/// Takes one jet's lines.
fn take_trim(file: &mut DocumentMut, trim: &Table, accept: bool, left: &mut Vec<Left>) {
    let number = |table: &Table, key: &str| table.get(key).and_then(Item::as_integer);
    let (lane, jet) = (
        number(trim, "lane").unwrap_or_default(),
        number(trim, "jet").unwrap_or_default(),
    );
    let name = format!("lane {lane} jet {jet}");
    let usual = |key: &str| {
        file.get("valves")
            .and_then(|valves| valves.get(key))
            .and_then(Item::as_integer)
    };
    let (usual_on, usual_off) = (usual("lag-on-us"), usual("lag-off-us"));
    let trims = file
        .entry("trim")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(trims) = trims.as_array_of_tables_mut() else {
        return;
    };
    let place = trims
        .iter()
        .position(|of| number(of, "lane") == Some(lane) && number(of, "jet") == Some(jet));
    let mut entry = place.and_then(|at| trims.get(at).cloned()).unwrap_or_else(|| {
        let mut new = Table::new();
        new["lane"] = value(lane);
        new["jet"] = value(jet);
        new
    });
    let had = entry.len();
    if let Some(shift) = number(trim, "shift-um") {
        if accept || shift.abs() <= MOST_SHIFT_UM {
            let sum = number(&entry, "shift-um").unwrap_or(0) + shift;
            set(entry.entry("shift-um").or_insert(Item::None), sum);
        } else {
            left.push(moved(&format!("{name}, distance"), shift, MOST_SHIFT_UM, "um"));
        }
    }
    for (key, usual) in [("lag-on-us", usual_on), ("lag-off-us", usual_off)] {
        let Some(lag) = number(trim, key) else { continue };
        let was = number(&entry, key).or(usual).unwrap_or(lag);
        if accept || (lag - was).abs() <= MOST_LAG_US {
            set(entry.entry(key).or_insert(Item::None), lag);
        } else {
            left.push(moved(&format!("{name}, {key}"), lag - was, MOST_LAG_US, "us"));
        }
    }
    match place.and_then(|at| trims.get_mut(at)) {
        Some(old) => *old = entry,
        None if entry.len() > had => trims.push(entry),
        None => {}
    }
}

/// Puts a number in place of another, with the spaces and comments around it.
fn set(item: &mut Item, number: i64) {
    let decor = item.as_value().map(|old| old.decor().clone());
    *item = value(number);
    if let (Some(decor), Some(new)) = (decor, item.as_value_mut()) {
        *new.decor_mut() = decor;
    }
}

fn moved(of: &str, by: i64, bound: i64, unit: &str) -> Left {
    Left {
        of: of.to_owned(),
        moved: format!("{by} {unit}"),
        bound: format!("{bound} {unit}"),
    }
}

/// Writes what was found into the machine's file.
///
/// # Errors
/// When the file can't be written, or would be doubtful with these figures: then it stays as it was.
pub fn write(config: &Path, paste: &str, accept: bool) -> Result<Written> {
    let text = std::fs::read_to_string(config).with_context(|| config.display().to_string())?;
    let (new, left) = merged(&text, paste, accept)?;
    if new == text {
        return Ok(Written { changed: false, left });
    }
    // Beside the old one, so that paths in it mean the same and the change is one step.
    let mut beside = config.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(new.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| beside.display().to_string())?;
    if let Err(report) = config::load_line(&beside) {
        let _ = std::fs::remove_file(&beside);
        let message = format!("with these figures the machine's file would be wrong, so it stays as it was:\n{report}");
        return Err(Failure::new(Exit::Config, message).into());
    }
    std::fs::rename(&beside, config).with_context(|| config.display().to_string())?;
    Ok(Written { changed: true, left })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# The hall's third line.
[belt]
ticks-per-metre = 20000   # by the ruler

[valves]
lag-on-us = 900
lag-off-us = 800

[[trim]]
lane = 0
jet = 1
shift-um = -200   # March
";

    #[test]
    fn a_slow_drift_is_corrected_and_comments_stay() {
        let paste = "[belt]\nticks-per-metre = 20050\n\n[[trim]]\nlane = 0\njet = 1\nshift-um = 350 # a note\n\n\
                     [[trim]]\nlane = 2\njet = 3\nlag-on-us = 1100\n";
        let (text, left) = merged(FILE, paste, false).expect("TOML");
        assert_eq!(left, []);
        assert!(text.contains("# The hall's third line."));
        assert!(text.contains("ticks-per-metre = 20050   # by the ruler"), "{text}");
        assert!(text.contains("shift-um = 150   # March"), "{text}");
        assert!(
            text.contains("[[trim]]\nlane = 2\njet = 3\nlag-on-us = 1100\n"),
            "{text}"
        );
    }

    #[test]
    fn what_has_jumped_is_left_until_somebody_has_looked() {
        let paste = "[belt]\nticks-per-metre = 21000\n\n[[trim]]\nlane = 0\njet = 1\nshift-um = 1500\n\n\
                     [[trim]]\nlane = 2\njet = 3\nlag-on-us = 1500\n";
        let (text, left) = merged(FILE, paste, false).expect("TOML");
        assert_eq!(text, FILE, "nothing is written");
        let names: Vec<&str> = left.iter().map(|left| left.of.as_str()).collect();
        assert_eq!(
            names,
            ["ticks a metre", "lane 0 jet 1, distance", "lane 2 jet 3, lag-on-us"]
        );
        let (text, left) = merged(FILE, paste, true).expect("TOML");
        assert_eq!(left, []);
        assert!(text.contains("shift-um = 1300   # March"), "{text}");
    }

    #[test]
    fn a_file_that_would_be_wrong_stays_as_it_was() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/line.toml");
        let folder = std::env::temp_dir().join(format!("pearlsort-write-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("line.toml");
        let text = std::fs::read_to_string(shipped).expect("the shipped file");
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("recipe"))
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(&file, &text).expect("written");
        let shift = |um: i64| format!("[[trim]]\nlane = 0\njet = 1\nshift-um = {um}\n");
        assert!(write(&file, &shift(-10_000_000), true).is_err());
        assert_eq!(std::fs::read_to_string(&file).expect("there"), text);
        let written = write(&file, &shift(120), false).expect("written");
        assert!(written.changed && written.left.is_empty());
        assert!(
            std::fs::read_to_string(&file)
                .expect("there")
                .contains("shift-um = 120")
        );
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
