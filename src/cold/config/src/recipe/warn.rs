//! What a faultless recipe probably does not mean: bins that nothing can reach, pearls that no bin takes, ranges narrower than
//! the uncertainty, two grades in one bin.
//!
//! Cold side, any thread.

use line::grade::{Figures, Row, Verdict};
use line::{Cause, MassFigure};
use units::{LaneId, Micrograms};

use super::{Head, Lot, Recipe};
use crate::figures::{key_of, show, usual_uncertainty};
use crate::reader::Node;
use crate::region::within;
use crate::source::Source;

/// Pearls of a usual lot that are tried.
const PEARLS: usize = 10_000;

/// Warns of what `recipe` probably does not mean.
pub(super) fn warn(source: &Source, root: &Node<'_>, recipe: &Recipe, heads: &[Head]) {
    narrow_ranges(source, recipe, heads);
    shared_bins(source, recipe, heads);
    let shadowed = shadowed(source, recipe, heads);
    let reached = untaken(root, recipe);
    for (index, head) in heads.iter().enumerate() {
        if !shadowed.contains(&index) && !reached[index] {
            let message = format!("none of {PEARLS} pearls of a usual lot comes here");
            source.warning(
                head.place.span.clone(),
                &head.place.key,
                &message,
                "check its conditions, and those of the bins before it",
            );
        }
    }
}

fn narrow_ranges(source: &Source, recipe: &Recipe, heads: &[Head]) {
    for (bin, head) in recipe.bins.iter().zip(heads) {
        for condition in &bin.conditions {
            for range in condition.region.boxes.iter().flatten() {
                let u = usual_uncertainty(range.figure);
                let width = i64::from(range.most) - i64::from(range.least);
                // Within the guards on both sides there must be room, and at least one uncertainty of it.
                let least = (2 * i64::from(condition.guard.max(0)) + 1_000) * i64::from(u) / 1_000;
                if u > 0 && !range.figure.is_angle() && width < least {
                    let key = format!("{}.{}", head.place.key, condition.key);
                    let wide = show(range.figure, width.try_into().unwrap_or(i32::MAX));
                    let message = format!(
                        "a range of {} that is {wide} wide is narrower than the uncertainty allows: u is about {}, the guard {} sigmas on each side",
                        key_of(range.figure),
                        show(range.figure, u),
                        f64::from(condition.guard) / 1_000.0
                    );
                    let help = format!(
                        "make it at least {} wide, or lower the guard",
                        show(range.figure, least.try_into().unwrap_or(i32::MAX))
                    );
                    source.warning(head.place.span.clone(), &key, &message, &help);
                }
            }
        }
    }
}

fn shared_bins(source: &Source, recipe: &Recipe, heads: &[Head]) {
    for (b, bin) in recipe.bins.iter().enumerate() {
        let same = |other: &super::RecipeBin| other.bin == bin.bin && other.lanes & bin.lanes != 0;
        if let Some(a) = recipe.bins[..b].iter().position(same) {
            let key = format!("{}.bin", heads[b].place.key);
            let message = format!(
                "bin {} gets {} as well as {}: one jet blows both",
                bin.bin.0 + 1,
                heads[b].name,
                heads[a].name
            );
            source.warning(
                heads[b].place.span.clone(),
                &key,
                &message,
                "give each grade its own bin, if they are not meant to mix",
            );
        }
    }
}

/// Bins all of whose rows lie within rows of earlier bins; gives their places.
fn shadowed(source: &Source, recipe: &Recipe, heads: &[Head]) -> Vec<usize> {
    let rows = recipe.compiled.rows();
    let mut found = Vec::new();
    let mut first = 0;
    for (index, head) in heads.iter().enumerate() {
        let count = row_count(recipe, index);
        let own = &rows[first..first + count];
        let earlier = &rows[..first];
        let by: Vec<Option<usize>> = own
            .iter()
            .map(|row| earlier.iter().position(|other| covers(other, row)))
            .collect();
        if !own.is_empty() && by.iter().all(Option::is_some) {
            let shadow = by[0].map_or(0, |row| bin_of_row(recipe, row));
            let message = format!(
                "nothing can come here: bin[{}] ({}) takes all of it first",
                shadow + 1,
                heads[shadow].name
            );
            source.warning(
                head.place.span.clone(),
                &head.place.key,
                &message,
                "move it before that bin, or narrow that bin",
            );
            found.push(index);
        }
        first += count;
    }
    found
}

/// Rows of a bin: as many as its conditions have combinations that do not exclude one another.
fn row_count(recipe: &Recipe, index: usize) -> usize {
    let bin = &recipe.bins[index];
    let mut combined = vec![Vec::new()];
    for condition in &bin.conditions {
        let with = |terms: &Vec<line::grade::Term>| {
            condition
                .region
                .boxes
                .iter()
                .filter_map(|ranges| super::add(terms, ranges, condition.guard))
                .collect::<Vec<_>>()
        };
        combined = combined.iter().flat_map(with).collect();
    }
    combined.len()
}

fn bin_of_row(recipe: &Recipe, row: usize) -> usize {
    let mut left = row;
    for index in 0..recipe.bins.len() {
        let count = row_count(recipe, index);
        if left < count {
            return index;
        }
        left -= count;
    }
    0
}

/// Whether every pearl that `row` takes is taken by `other` too.
fn covers(other: &Row, row: &Row) -> bool {
    let implied = |wide: &line::grade::Term| {
        row.terms.iter().any(|term| {
            term.range.figure == wide.range.figure && term.guard >= wide.guard && within(&term.range, &wide.range)
        })
    };
    row.lanes & !other.lanes == 0 && other.terms.iter().all(implied)
}

/// Warns of pearls of a usual lot that no bin takes, by their figures alone; gives the bins that were reached.
fn untaken(root: &Node<'_>, recipe: &Recipe) -> Vec<bool> {
    let mut reached = vec![false; recipe.bins.len()];
    let lane = LaneId(
        recipe
            .bins
            .first()
            .map_or(0, |bin| bin.lanes.trailing_zeros().min(63) as u8),
    );
    let mut left_over = Vec::new();
    for pearl in Lot::new(1).take(PEARLS) {
        let (view, mass) = pearl.truth;
        let figures = Figures {
            view: Some(&view),
            mass: Some(MassFigure {
                u: Micrograms(0),
                ..mass
            }),
        };
        match recipe.compiled.grade(lane, figures) {
            Verdict::Bin(bin) => {
                let with_bin = recipe
                    .bins
                    .iter()
                    .zip(&mut reached)
                    .filter(|(other, _)| other.bin == bin || other.lanes & (1 << lane.0) == 0);
                with_bin.for_each(|(_, reached)| *reached = true);
            }
            Verdict::Recirculate(Cause::NoBin) => left_over.push(view),
            Verdict::Recirculate(_) => {}
        }
    }
    let needs_nacre = |bin: &super::RecipeBin| {
        bin.conditions
            .iter()
            .flat_map(|c| c.region.boxes.iter().flatten())
            .any(|r| r.figure == line::grade::Figure::NacreUm)
    };
    // The lot has no beads: what asks for nacre can't be tried with it.
    if recipe.bins.iter().any(needs_nacre) {
        return vec![true; recipe.bins.len()];
    }
    if let Some(view) = left_over.first()
        && !root.flag("rest-is-meant")
    {
        let figures = [
            (
                "diameter",
                show(line::grade::Figure::DiameterUm, i32::from(view.d_min_um)),
            ),
            (
                "DDP",
                show(line::grade::Figure::Ddp, line::grade::ddp(view.d_max_um, view.d_min_um)),
            ),
            ("lustre", show(line::grade::Figure::Lustre, i32::from(view.lustre))),
            (
                "blemishes",
                show(line::grade::Figure::BlemishArea, i32::from(view.blemish_area)),
            ),
        ];
        let example = figures.map(|(name, value)| format!("{name} {value}")).join(", ");
        let share = 100.0 * left_over.len() as f64 / PEARLS as f64;
        let message = format!("no bin takes {share:.1} % of a usual lot; such as: {example}");
        let place = root.place("otherwise");
        root.source().warning(
            place.span,
            &place.key,
            &message,
            "add a bin with everything = true, or write rest-is-meant = true",
        );
    }
    reached
}
