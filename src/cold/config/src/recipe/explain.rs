//! Why a pearl goes where it goes: a plain reading of the recipe's bins, condition by condition. The compiled tables say the
//! same, and a test holds the two together.
//!
//! Cold side, any thread.

use line::Cause;
use line::grade::{Doubt, Figures, Term, Verdict, term_holds};
use units::LaneId;

use super::{Condition, Recipe, RecipeBin};
use crate::figures::show;

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It holds, guard and all.
    Holds,
    /// It would hold without its guard.
    Doubtful,
    /// It does not hold.
    Fails,
    /// A figure that it asks for was not measured.
    Missing,
}

/// One condition's answer, with the figures that it looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionAnswer {
    /// Its key.
    pub key: &'static str,
    /// What it asks for.
    pub asks: String,
    /// The figures, as they are written, with their uncertainties.
    pub figures: String,
    /// How it stands.
    pub answer: Answer,
}

/// One bin's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct BinAnswer {
    /// Its place in the recipe, from 0.
    pub index: usize,
    /// Whether it serves the lane.
    pub serves: bool,
    /// Its conditions.
    pub conditions: Vec<ConditionAnswer>,
}

impl Recipe {
    /// The answer of each bin in order, and the verdict.
    #[must_use]
    pub fn explain(&self, lane: LaneId, figures: Figures<'_>) -> (Verdict, Vec<BinAnswer>) {
        let answers = self.bins.iter().enumerate().map(|(index, bin)| BinAnswer {
            index,
            serves: serves(bin, lane),
            conditions: bin
                .conditions
                .iter()
                .map(|condition| answer(condition, figures))
                .collect(),
        });
        (self.grade_plainly(lane, figures), answers.collect())
    }

    /// The verdict, by reading bin after bin.
    #[must_use]
    pub fn grade_plainly(&self, lane: LaneId, figures: Figures<'_>) -> Verdict {
        let holds = |bin: &RecipeBin, guarded: bool| {
            serves(bin, lane)
                && bin
                    .conditions
                    .iter()
                    .all(|condition| condition_holds(condition, figures, guarded))
        };
        let to = |index: usize| Verdict::Bin(self.bins[index].bin);
        let earned = self.bins.iter().position(|bin| holds(bin, true));
        let by_figures = self.bins.iter().position(|bin| holds(bin, false));
        match (self.doubt, earned, by_figures) {
            (Doubt::Recirculate, Some(earned), Some(first)) if self.bins[earned].bin != self.bins[first].bin => {
                Verdict::Recirculate(Cause::Doubt)
            }
            (_, Some(earned), _) => to(earned),
            (_, None, None) => Verdict::Recirculate(Cause::NoBin),
            (Doubt::FinalPass, None, Some(first)) => {
                to(self.bins.iter().rposition(|bin| holds(bin, false)).unwrap_or(first))
            }
            (_, None, Some(_)) => Verdict::Recirculate(Cause::Doubt),
        }
    }
}

fn serves(bin: &RecipeBin, lane: LaneId) -> bool {
    lane.index() < 64 && bin.lanes & (1 << lane.index()) != 0
}

/// Whether one of the condition's boxes holds.
fn condition_holds(condition: &Condition, figures: Figures<'_>, guarded: bool) -> bool {
    let guard = if guarded { condition.guard } else { 0 };
    condition.region.boxes.iter().any(|ranges| {
        ranges
            .iter()
            .all(|range| term_holds(&Term { range: *range, guard }, figures))
    })
}

fn answer(condition: &Condition, figures: Figures<'_>) -> ConditionAnswer {
    let mut looked_at: Vec<_> = condition
        .region
        .boxes
        .iter()
        .flatten()
        .map(|range| range.figure)
        .collect();
    looked_at.sort_unstable();
    looked_at.dedup();
    let missing = looked_at.iter().any(|figure| figure.value(figures).is_none());
    let shown = looked_at.iter().filter_map(|figure| {
        let value = figure.value(figures)?;
        let u = figure.uncertainty(figures);
        let u = if u == 0 || u == line::grade::UNKNOWN {
            String::new()
        } else {
            format!(" (u {})", show(*figure, u))
        };
        Some(format!(
            "{} {}{u}",
            crate::figures::key_of(*figure),
            show(*figure, value)
        ))
    });
    ConditionAnswer {
        key: condition.key,
        asks: condition.text.clone(),
        figures: shown.collect::<Vec<_>>().join(", "),
        answer: match (
            condition_holds(condition, figures, true),
            condition_holds(condition, figures, false),
        ) {
            (true, _) => Answer::Holds,
            (false, true) => Answer::Doubtful,
            (false, false) if missing => Answer::Missing,
            (false, false) => Answer::Fails,
        },
    }
}
