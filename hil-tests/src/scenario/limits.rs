//! Limits of a scenario's file, and those that hold in every run. Any thread.

use std::collections::BTreeMap;

use toml::Spanned;

use super::ScenarioError;
use super::form::Reading;
use super::place::instead;
use crate::measure::{Limit, MEASURES, Side, What};
use crate::requirements;

/// What must hold in every run, whatever goes wrong in it: no more than 0 of each.
const ALWAYS: &[(&str, &str)] = &[
    ("I1", "upgraded-unquarantined"),
    ("I1", "mixed-up"),
    ("I3", "unaccounted"),
    ("I3", "unbalanced"),
    ("I3", "accounts-off"),
    ("I6", "valve-unfed"),
    ("I7", "valve-overlong"),
    ("I9", "hot-allocations"),
    ("I10", "replay-differs"),
    ("I11", "incomplete"),
];

/// Reads a file's limits and adds those that always hold.
pub(super) fn read(
    reading: &Reading<'_>,
    raw: &BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<f64>>>,
) -> Result<Vec<Limit>, ScenarioError> {
    let mut limits = Vec::new();
    for (id, of_id) in raw {
        let requirement = requirements::find(id.get_ref()).ok_or_else(|| {
            let known: Vec<&str> = requirements::all().iter().map(|requirement| requirement.id).collect();
            let message = format!(
                "no requirement has the number \"{}\": {}",
                id.get_ref(),
                instead(id.get_ref(), &known)
            );
            reading.wrong(&id.span(), message)
        })?;
        for (key, bound) in of_id {
            let (measure, side) = measure(key.get_ref()).ok_or_else(|| {
                let message = format!("there is no limit \"{}\": {}", key.get_ref(), help(key.get_ref()));
                reading.wrong(&key.span(), message)
            })?;
            limits.push(Limit {
                requirement: requirement.id,
                measure,
                side,
                bound: *bound.get_ref(),
            });
        }
    }
    for (id, name) in ALWAYS {
        let measure = What::find(name).expect("a measure of the table");
        let is_given = limits
            .iter()
            .any(|limit| limit.measure == measure && limit.side == Side::Most);
        if !is_given {
            limits.push(Limit {
                requirement: id,
                measure,
                side: Side::Most,
                bound: 0.0,
            });
        }
    }
    let place = |id: &str| requirements::all().iter().position(|requirement| requirement.id == id);
    limits.sort_by_key(|limit| place(limit.requirement));
    Ok(limits)
}

fn measure(key: &str) -> Option<(What, Side)> {
    if let Some(name) = key.strip_suffix("-most") {
        return Some((What::find(name)?, Side::Most));
    }
    Some((What::find(key.strip_suffix("-least")?)?, Side::Least))
}

fn help(key: &str) -> String {
    if What::find(key).is_some() {
        return format!("write \"{key}-most\" or \"{key}-least\"");
    }
    let names: Vec<String> = MEASURES
        .iter()
        .flat_map(|measure| ["most", "least"].map(|side| format!("{}-{side}", measure.name)))
        .collect();
    let near = config::nearest(key, names.iter().map(String::as_str));
    near.map_or_else(
        || {
            let names: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
            format!(
                "known are {}, recirculated-CAUSE, each with -most or -least",
                names.join(", ")
            )
        },
        |near| format!("write \"{near}\"?"),
    )
}
