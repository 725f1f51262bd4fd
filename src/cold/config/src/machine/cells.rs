//! The files of cells that stream samples, held against the machine.
//!
//! Cold side, any thread.

use std::path::{Path, PathBuf};

use line::WeighSource;
use wire::limits::SAMPLES_MAX;

use super::Line;
use super::raw::Raw;
use crate::cell::{Cell, load_cell};
use crate::text_of_path;

/// Room that the core keeps for a late gate, and samples that it waits for behind a pearl, us.
const GATE_DELAY_US: f64 = 4_000.0;
const HOLD_US: f64 = 2_000.0;
/// Roll-on time that is taken for a cell without a file, us.
const USUAL_ROLL_US: f64 = 6_000.0;
/// Samples wait so long at most for their message, us.
const MOST_MESSAGE_US: f64 = 10_000.0;
/// Farthest that a cell's sample rate may be from the machine's, as a share of it.
const MOST_RATE: f64 = 0.01;

/// The folder that the machine's file names.
pub(super) fn folder(raw: &Raw<'_>, folder: Option<&Path>) -> Option<PathBuf> {
    let weigh = raw.weigh.as_ref().filter(|weigh| weigh.samples)?;
    Some(text_of_path(folder, weigh.models?))
}

/// The file of a lane's cell in a folder.
#[must_use]
pub fn cell_path(folder: &Path, lane: usize) -> PathBuf {
    folder.join(format!("lane-{lane:02}.toml"))
}

/// Reads each lane's cell. `None` when one of them is faulty; one that is not there is a warning, and so is a folder that is not
/// named. Without `files` (a machine's text alone) nothing is read.
pub(super) fn load(raw: &Raw<'_>, line: &Line, files: bool) -> Option<Vec<Option<Cell>>> {
    let Some(weigh) = raw.weigh.as_ref().filter(|weigh| weigh.samples && files) else {
        return Some(vec![None; line.plan.lanes.len()]);
    };
    let source = raw.root.source();
    let warn = |key: &str, message: &str, help: &str| {
        let place = weigh.node.place(key);
        source.warning(place.span, &place.key, message, help);
    };
    let Some(folder) = &line.cells_folder else {
        let help = "write models = \"cells\", and make the files with `pearlsort identify`";
        warn(
            "source",
            "is \"samples\", but no folder of cells is named: nothing will be weighed",
            help,
        );
        return Some(vec![None; line.plan.lanes.len()]);
    };
    let mut cells = Vec::with_capacity(line.plan.lanes.len());
    for (lane, plan) in line.plan.lanes.iter().enumerate() {
        let streams = plan.weigh.is_some_and(|weigh| weigh.source == WeighSource::Samples);
        let path = cell_path(folder, lane);
        if !streams {
            cells.push(None);
        } else if !path.is_file() {
            let message = format!(
                "{} is not there: pearls of lane {lane} that need a mass will be recirculated",
                path.display()
            );
            warn("models", &message, "make it with `pearlsort identify`");
            cells.push(None);
        } else {
            match load_cell(&path) {
                Ok(cell) => cells.push(Some(cell)),
                Err(report) => {
                    let message = format!("{} is faulty: {report}", path.display());
                    weigh.node.error("models", &message, "identify the cell again");
                }
            }
        }
    }
    rates(raw, weigh.samples_per_s, &cells);
    delay(raw, &cells);
    (!source.has_errors()).then_some(cells)
}

/// Cells whose rate is not that which the boards are told.
fn rates(raw: &Raw<'_>, samples_per_s: u32, cells: &[Option<Cell>]) {
    let Some(weigh) = &raw.weigh else { return };
    let rate = f64::from(samples_per_s);
    let other = |cell: &&Cell| (cell.model.sample_hz - rate).abs() > MOST_RATE * rate;
    if let Some(cell) = cells.iter().flatten().find(other) {
        let message = format!(
            "is {samples_per_s}, but a cell was identified at {} samples a second",
            cell.model.sample_hz
        );
        weigh
            .node
            .error("samples-per-s", &message, "write that, or identify the cells again");
    }
}

/// Whether the mass can come in the time that the machine allows it.
fn delay(raw: &Raw<'_>, cells: &[Option<Cell>]) {
    let Some(weigh) = &raw.weigh else { return };
    let roll = |cell: &Cell| cell.model.platform.roll_us + cell.model.platform.lag_us.abs();
    let roll_us = cells.iter().flatten().map(roll).fold(USUAL_ROLL_US, f64::max);
    let message_us = (SAMPLES_MAX as f64 * 1e6 / f64::from(weigh.samples_per_s.max(1))).min(MOST_MESSAGE_US);
    let least_us = roll_us + GATE_DELAY_US + HOLD_US + message_us;
    if f64::from(weigh.result_us) < least_us {
        let message = format!(
            "{:.1} ms is too short for a cell that streams samples: roll-off {:.1} + gate {:.1} + hold {:.1} + message {:.1} ms",
            f64::from(weigh.result_us) / 1e3,
            roll_us / 1e3,
            GATE_DELAY_US / 1e3,
            HOLD_US / 1e3,
            message_us / 1e3
        );
        let help = format!("write at least {:.1}", (least_us / 100.0).ceil() / 10.0);
        weigh.node.error("result-ms", &message, &help);
    }
}
