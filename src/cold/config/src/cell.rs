//! The file of a weigh cell that streams samples: its span, its platform, its belt's lines and its noise, as calibration and
//! identification found them, and the counters of both.
//!
//! Cold side, any thread. `calibrate weigh` and `identify` write such files, so that a person has nothing to write, and may read
//! all of it. Words: **CAL** counts calibrations, **CFG** every change of what a weighing depends on; neither ever goes back.

use std::path::Path;

use line::weigh::limits::LINES;
use line::weigh::{BeltLines, Checks, Model, Noise, Platform};

use crate::form::Kind::{List, Number, OneOf, Table, Whole};
use crate::form::{Form, default, required};
use crate::reader::Node;
use crate::report::Report;
use crate::source::Source;

/// A cell's file, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// What the core weighs by.
    pub model: Model,
    /// Calibrations so far; 0 where the span is that of the converter's data sheet.
    pub cal: u64,
    /// Changes of the model so far.
    pub cfg: u64,
}

pub(crate) static CELL: Form = Form {
    says: "A weigh cell that streams samples, as it was calibrated and identified. Written by `pearlsort`.",
    keys: &[
        required("kind", OneOf(&["cell"]), "Says that this is a weigh cell's file."),
        default("cal", Whole(0, 1 << 52), 0.0, "Calibrations so far."),
        default(
            "cfg",
            Whole(0, 1 << 52),
            0.0,
            "Changes of what a weighing depends on so far.",
        ),
        required(
            "samples-per-s",
            Number(100.0, 100_000.0),
            "Sample rate of the converter.",
        ),
        required(
            "counts-per-mg",
            Number(-1e6, 1e6),
            "Span: converter counts a milligram.",
        ),
        required("platform", Table(&PLATFORM), "The platform as a damped oscillator."),
        required(
            "belt-lines-hz",
            List(&Number(0.0, 50_000.0)),
            "Frequencies that belt and drive put on the signal.",
        ),
        required("noise", Table(&NOISE), "How far the parts of the signal stray."),
    ],
    shared: &[],
};

static PLATFORM: Form = Form {
    says: "The platform as a damped oscillator whose frequency falls with its load.",
    keys: &[
        required("natural-hz", Number(1.0, 10_000.0), "Natural frequency without load."),
        required("damping", Number(0.0, 0.7), "Damping ratio."),
        required("moving-mass-mg", Number(1.0, 1e9), "Moving mass of the platform."),
        required(
            "landing-us",
            Number(1.0, 100_000.0),
            "Length of a pearl's landing blow.",
        ),
        required(
            "roll-on-us",
            Number(1.0, 100_000.0),
            "Time to roll on, and to roll off.",
        ),
        required(
            "lag-us",
            Number(-50_000.0, 50_000.0),
            "How much later than the load the gates are seen.",
        ),
    ],
    shared: &[],
};

static NOISE: Form = Form {
    says: "How far the parts of the signal stray.",
    keys: &[
        required("white-mg", Number(0.0, 1e6), "Standard deviation of one sample."),
        required("zero-walk-mg", Number(0.0, 1e6), "Random walk of the zero in a second."),
        required(
            "line-walk-mg",
            Number(0.0, 1e6),
            "Random walk of a belt line in a second.",
        ),
        required("push-mg", Number(0.0, 1e6), "Random push on the platform, a sample."),
        required("gate-us", Number(0.0, 10_000.0), "Standard deviation of a gate's time."),
    ],
    shared: &[],
};

/// Reads and checks a cell's file.
///
/// # Errors
/// Every fault of the file.
pub fn load_cell(path: &Path) -> Result<Cell, Report> {
    let source = Source::read(path);
    let cell = if source.has_errors() { None } else { check(&source) };
    cell.ok_or_else(|| source.report())
}

/// The text of a cell's file.
#[must_use]
pub fn cell_text(cell: &Cell) -> String {
    let (model, p, n) = (&cell.model, &cell.model.platform, &cell.model.noise);
    let lines: Vec<String> = model.lines.hz().iter().map(|hz| format!("{hz:?}")).collect();
    format!(
        "#:schema ../schemas/cell.schema.json\n# A weigh cell as it was calibrated and identified: written by pearlsort, not by hand.\n\
         kind = \"cell\"\ncal = {}\ncfg = {}\nsamples-per-s = {:?}\ncounts-per-mg = {:?}\nbelt-lines-hz = [{}]\n\n\
         [platform]\nnatural-hz = {:?}\ndamping = {:?}\nmoving-mass-mg = {:?}\nlanding-us = {:?}\nroll-on-us = {:?}\nlag-us = {:?}\n\n\
         [noise]\nwhite-mg = {:?}\nzero-walk-mg = {:?}\nline-walk-mg = {:?}\npush-mg = {:?}\ngate-us = {:?}\n",
        cell.cal,
        cell.cfg,
        model.sample_hz,
        model.counts_per_mg,
        lines.join(", "),
        p.natural_hz,
        p.damping,
        p.effective_mg,
        p.landing_us,
        p.roll_us,
        p.lag_us,
        n.white_mg,
        n.zero_walk_mg,
        n.line_walk_mg,
        n.push_mg,
        n.gate_us,
    )
}

impl Cell {
    /// The cell with another model: CFG goes on when a weighing would not be the same, and stays when it would.
    #[must_use]
    pub fn with(self, model: Model) -> Self {
        let cfg = self.cfg + u64::from(model != self.model);
        Self { model, cfg, ..self }
    }
}

/// Checks a cell's file; the faults are in `source`.
pub(crate) fn check(source: &Source) -> Option<Cell> {
    let table = source.parse();
    let root = Node::document(source, &table, &CELL);
    let cell = read(&root)?;
    if cell.model.lines.hz().len() > LINES {
        return None;
    }
    if let Err(fault) = cell.model.check(&Checks::default()) {
        let message = format!("holds figures that can't be weighed by ({fault:?})");
        root.error("platform", &message, "identify the cell again: `pearlsort identify`");
    }
    (!source.has_errors()).then_some(cell)
}

fn read(root: &Node<'_>) -> Option<Cell> {
    let (platform, noise) = (root.table("platform")?, root.table("noise")?);
    let lines: Vec<f64> = root
        .number_list("belt-lines-hz")?
        .into_iter()
        .map(|(hz, _)| hz)
        .collect();
    if lines.len() > LINES {
        let message = format!("names {} lines", lines.len());
        root.error("belt-lines-hz", &message, &format!("write at most {LINES}"));
        return None;
    }
    let count = |key: &str| u64::try_from(root.whole(key)?).ok();
    Some(Cell {
        cal: count("cal")?,
        cfg: count("cfg")?,
        model: Model {
            sample_hz: root.number("samples-per-s")?,
            counts_per_mg: root.number("counts-per-mg")?,
            platform: Platform {
                natural_hz: platform.number("natural-hz")?,
                damping: platform.number("damping")?,
                effective_mg: platform.number("moving-mass-mg")?,
                landing_us: platform.number("landing-us")?,
                roll_us: platform.number("roll-on-us")?,
                lag_us: platform.number("lag-us")?,
            },
            lines: BeltLines::new(&lines),
            noise: Noise {
                white_mg: noise.number("white-mg")?,
                zero_walk_mg: noise.number("zero-walk-mg")?,
                line_walk_mg: noise.number("line-walk-mg")?,
                push_mg: noise.number("push-mg")?,
                gate_us: noise.number("gate-us")?,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        let text = include_str!("../tests/cells/lane-00.toml");
        let source = Source::new("lane-00.toml", text);
        check(&source).unwrap_or_else(|| panic!("{}", source.report()))
    }

    #[test]
    fn a_cell_comes_back_to_the_bit() {
        let mut cell = cell();
        cell.model.platform.natural_hz = 95.0 + 1.0 / 3.0;
        cell.model.noise.gate_us = 1e-7;
        let source = Source::new("cell", cell_text(&cell));
        assert_eq!(check(&source), Some(cell), "{}", cell_text(&cell));
    }

    #[test]
    fn cfg_counts_changes_by_itself() {
        let cell = cell();
        assert_eq!(cell.with(cell.model).cfg, cell.cfg);
        let mut other = cell.model;
        other.platform.damping += 1e-6;
        assert_eq!(cell.with(other).cfg, cell.cfg + 1);
    }

    #[test]
    fn figures_that_can_not_be_weighed_by_are_refused() {
        let text = include_str!("../tests/cells/lane-00.toml");
        for (from, to) in [
            ("natural-hz = 95.0", "natural-hz = 950.0"),
            ("white-mg = 1.5", "white-mg = 0.0"),
            ("belt-lines-hz = [26.0, 50.3]", "belt-lines-hz = [1, 2, 3, 4, 5, 6, 7]"),
            ("damping = 0.04", "damping = \"soft\""),
        ] {
            assert!(text.contains(from), "{from}");
            let source = Source::new("cell", text.replace(from, to));
            assert_eq!(check(&source), None, "{to}");
            assert!(source.has_errors(), "{to}");
        }
    }
}
