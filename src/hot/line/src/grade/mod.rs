//! Stage grade: figures become a bin by the recipe in force, first match wins.
//!
//! Hot thread; a recipe is made on the cold side and published whole.

use units::{BinId, LaneId};
use wire::Measurement;

use crate::record::{Cause, MassFigure};

/// What is known of a pearl when it is graded. A figure that the recipe does not ask for may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures<'a> {
    /// A good measurement.
    pub view: Option<&'a Measurement>,
    /// A good mass.
    pub mass: Option<MassFigure>,
}

/// What a recipe asks of every pearl before it can be graded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A measurement.
    pub view: bool,
    /// A mass.
    pub mass: bool,
}

/// The recipe's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has earned this bin.
    Bin(BinId),
    /// It has earned none, for this cause.
    Recirculate(Cause),
}

/// A figure of a pearl that a rule can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Smallest diameter, um.
    DiameterUm,
    /// Largest diameter, um.
    LargestUm,
    /// Diameter difference, 0.01 %.
    Ddp,
    /// Lustre, 0.01 %.
    Lustre,
    /// Share of blemishes, 0.01 %.
    BlemishArea,
    /// CIELAB lightness, 0.01.
    LabL,
    /// CIELAB a, 0.01.
    LabA,
    /// CIELAB b, 0.01.
    LabB,
    /// Mass, ug.
    MassUg,
}

/// `least <= figure < most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Of which figure.
    pub figure: Figure,
    /// Least value that is in.
    pub least: i32,
    /// Least value that is out again.
    pub most: i32,
}

/// One bin's conditions: all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The bin.
    pub bin: BinId,
    /// The conditions.
    pub ranges: Vec<Range>,
}

/// A recipe: rules in order, first match wins; what none takes is recirculated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    hash: u64,
    rules: Vec<Rule>,
    needs: Needs,
}

impl Recipe {
    /// A recipe of `rules`, named by the `hash` of its text.
    #[must_use]
    pub fn new(hash: u64, rules: Vec<Rule>) -> Self {
        let asks = |mass: bool| {
            rules
                .iter()
                .flat_map(|r| &r.ranges)
                .any(|r| (r.figure == Figure::MassUg) == mass)
        };
        let needs = Needs {
            view: asks(false),
            mass: asks(true),
        };
        Self { hash, rules, needs }
    }

    /// Hash of its text; every record names it.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Figures that must be there.
    #[must_use]
    pub fn needs(&self, _lane: LaneId) -> Needs {
        self.needs
    }

    /// The first bin whose conditions all hold.
    #[must_use]
    pub fn grade(&self, _lane: LaneId, figures: Figures<'_>) -> Verdict {
        self.rules
            .iter()
            .find(|rule| rule.ranges.iter().all(|range| holds(range, figures)))
            .map_or(Verdict::Recirculate(Cause::NoBin), |rule| Verdict::Bin(rule.bin))
    }
}

fn holds(range: &Range, figures: Figures<'_>) -> bool {
    let Some(value) = value(range.figure, figures) else {
        return false;
    };
    range.least <= value && value < range.most
}

/// The figure's value, or `None` when it was not measured.
fn value(figure: Figure, figures: Figures<'_>) -> Option<i32> {
    if figure == Figure::MassUg {
        return figures.mass.map(|m| m.mass.0);
    }
    let view = figures.view?;
    Some(match figure {
        Figure::DiameterUm => i32::from(view.d_min_um),
        Figure::LargestUm => i32::from(view.d_max_um),
        Figure::Ddp => ddp(view.d_max_um, view.d_min_um),
        Figure::Lustre => i32::from(view.lustre),
        Figure::BlemishArea => i32::from(view.blemish_area),
        Figure::LabL => i32::from(view.lab_l),
        Figure::LabA => i32::from(view.lab_a),
        Figure::LabB => i32::from(view.lab_b),
        Figure::MassUg => return None,
    })
}

/// Diameter difference in 0.01 %, rounded down: (dmax - dmin) / mean of the two (GB/T 18781).
#[must_use]
pub fn ddp(d_max_um: u16, d_min_um: u16) -> i32 {
    let (d_max, d_min) = (i32::from(d_max_um), i32::from(d_min_um));
    let sum = d_max + d_min;
    if sum == 0 { 0 } else { (d_max - d_min) * 20_000 / sum }
}
