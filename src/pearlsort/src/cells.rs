//! The files of weigh cells that stream samples: `pearlsort identify`, and what a running line does with them. Cold.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use config::{Cell, Line};
use line::weigh::Model;
use setup::weigh::{Collector, Identified, Recording, default_checks, identify as identify_cell, read_recording};
use tracing::warn;
use units::{BoardUs32, LaneId};
use wire::Samples;

use crate::cli::IdentifyArgs;
use crate::daemon::Daemon;
use crate::exit::{Exit, Failure};
use crate::replay::{self, Hear};

/// Time that an identification looks at, s: eight to fit figures to, and the quiet before the first pearl.
pub const WANTED_S: f64 = 12.0;

/// Identifies a cell and writes its file.
///
/// # Errors
/// When the source can't be read, or no platform explains it.
pub fn identify(arguments: &IdentifyArgs) -> Result<ExitCode> {
    let before = if arguments.out.is_file() {
        Some(load(&arguments.out)?)
    } else {
        None
    };
    let mut recording = if arguments.source.is_dir() {
        read_recording(&arguments.source, false).map_err(|error| Failure::new(Exit::Data, error.to_string()))?
    } else {
        of_line(&arguments.source, LaneId(arguments.lane), before.as_ref())?
    };
    if let Some(cell) = &before {
        recording.counts_per_mg = cell.model.counts_per_mg;
    }
    let found = find(&recording)?;
    let new = Cell {
        model: found.model,
        cal: 0,
        cfg: 1,
    };
    let cell = before.map_or(new, |cell| cell.with(found.model));
    store(&arguments.out, &cell)?;
    println!("{}", crate::weigh::platform_words(&found));
    println!(
        "residuals {:.2} of what the model expects, over {} samples; CAL {} CFG {}, stored in {}",
        found.residual_ratio,
        found.samples,
        cell.cal,
        cell.cfg,
        arguments.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Identifies what a recording shows.
///
/// # Errors
/// When no platform explains it.
pub fn find(recording: &Recording) -> Result<Identified> {
    identify_cell(recording, &default_checks(recording))
        .map_err(|error| Failure::new(Exit::Data, error.to_string()).into())
}

/// Hears what one lane's cell has seen, until there is enough.
struct Listener {
    lane: LaneId,
    model: Option<Model>,
    collector: Collector,
}

impl Listener {
    fn wants(&self, lane: LaneId) -> bool {
        let enough = |model: &Model| self.collector.len() as f64 > WANTED_S * model.sample_hz;
        lane == self.lane && !self.model.as_ref().is_some_and(enough)
    }
}

impl Hear for Listener {
    fn model(&mut self, lane: LaneId, model: &Model) {
        if lane == self.lane {
            self.model.get_or_insert(*model);
        }
    }

    fn samples(&mut self, lane: LaneId, samples: &Samples<'_>) {
        if self.wants(lane) {
            self.collector.samples(samples.first, samples.at, samples.data);
        }
    }

    fn passage(&mut self, lane: LaneId, entered: BoardUs32, left: BoardUs32) {
        if self.wants(lane) {
            self.collector.passage(entered, left);
        }
    }
}

/// A cell's recording out of a recording of the line: a stretch of the lane's samples without a gap, as long as an
/// identification looks at.
fn of_line(path: &Path, lane: LaneId, before: Option<&Cell>) -> Result<Recording> {
    let mut reader = replay::open(path)?;
    let plan = replay::plan_of(reader.head())?;
    let mut listener = Listener {
        lane,
        model: before.map(|cell| cell.model),
        collector: Collector::new(),
    };
    replay::run_heard(&mut reader, plan, &mut listener)?;
    let none = |what: &str| {
        let message = format!("{}: lane {} {what}", path.display(), lane.0);
        Failure::new(Exit::Data, message)
    };
    let model = listener
        .model
        .ok_or_else(|| none("has no model yet: identify it first from a folder, with its span"))?;
    collected(&listener.collector, &model).ok_or_else(|| none("streams no samples, or too few").into())
}

/// What was collected, as a recording of a cell with this model.
#[must_use]
pub fn collected(collector: &Collector, model: &Model) -> Option<Recording> {
    collector.recording(model.sample_hz, model.counts_per_mg, model.platform.roll_us / 1e3)
}

/// Reads a cell's file.
///
/// # Errors
/// Every fault of the file.
pub fn load(path: &Path) -> Result<Cell> {
    config::load_cell(path).map_err(|report| Failure::new(Exit::Config, report.to_string()).into())
}

/// Writes a cell's file in place of the one before: whole, or not at all.
///
/// # Errors
/// When the disk does not take it.
pub fn store(path: &Path, cell: &Cell) -> Result<()> {
    let failed = |error: std::io::Error| {
        let message = format!("{}: {error}; check the folder and its rights", path.display());
        Failure::new(Exit::Io, message)
    };
    let beside = path.with_extension("toml.new");
    std::fs::write(&beside, config::cell_text(cell)).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)?;
    Ok(())
}

/// Weighs every streaming cell of a line by the model of its file.
pub fn put_in_force(daemon: &mut Daemon, line: &Line) {
    for (lane, cell) in (0_u8..).zip(&line.cells) {
        let Some(cell) = cell else { continue };
        if daemon.weigh_by(LaneId(lane), &cell.model).is_err() {
            warn!(
                "lane {}: its weigh cell's model was not taken, nothing will be weighed there",
                lane + 1
            );
        }
    }
}
