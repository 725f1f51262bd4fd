//! Plots of each figure's distribution over a recording, with the thresholds of both recipes drawn in. Cold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use line::Record;
use line::grade::{FIGURES, Figure};
use setup::compare::figures_of;
use setup::weigh::Chart;

use super::side::Side;

/// Classes of a distribution.
const CLASSES: usize = 200;
/// Pearls in a thousand that are left out at each end, so that a few odd ones do not stretch the axis.
const LEFT_OUT_PER_MILLE: usize = 2;

/// The values of every figure that one of two recipes asks for.
#[derive(Debug)]
pub(super) struct Plots {
    figures: Vec<(Figure, Vec<i32>)>,
}

impl Plots {
    pub(super) fn new(old: &Side, new: &Side) -> Self {
        let asked = |figure: &Figure| [old, new].iter().any(|side| !side.thresholds(*figure).is_empty());
        Self {
            figures: FIGURES
                .into_iter()
                .filter(asked)
                .map(|figure| (figure, Vec::new()))
                .collect(),
        }
    }

    pub(super) fn take(&mut self, record: &Record) {
        let Some(figures) = figures_of(record) else { return };
        for (figure, values) in &mut self.figures {
            values.extend(figure.value(figures));
        }
    }

    /// Writes one SVG a figure into `folder`; gives their paths.
    ///
    /// # Errors
    /// When the folder or a file can't be made.
    pub(super) fn write(self, folder: &Path, old: &Side, new: &Side) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let mut paths = Vec::new();
        for (figure, mut values) in self.figures {
            let (name, unit, scale) = words(figure);
            let mark = |side: &Side, text: &str| -> Vec<(f64, String)> {
                let thresholds = side.thresholds(figure).into_iter().map(f64::from);
                thresholds.map(|at| (at * scale, text.to_owned())).collect()
            };
            let mut marks = mark(old, "old");
            for (at, text) in mark(new, "new") {
                match marks.iter_mut().find(|(other, _)| (*other - at).abs() < scale / 2.0) {
                    Some((_, both)) => "both".clone_into(both),
                    None => marks.push((at, text)),
                }
            }
            let points = distribution(&mut values, scale);
            let chart = Chart {
                title: &format!("{name} of {} pearls", values.len()),
                x_name: unit,
                y_name: "% of the pearls",
                points: &points,
                marks: &marks,
                log_y: false,
            };
            let path = folder.join(format!("{name}.svg"));
            std::fs::write(&path, chart.svg()).with_context(|| format!("{} can't be written", path.display()))?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// Middle of each class, and its share in per cent.
fn distribution(values: &mut [i32], scale: f64) -> Vec<(f64, f64)> {
    values.sort_unstable();
    let out = values.len() * LEFT_OUT_PER_MILLE / 1_000;
    let kept = &values[out..values.len() - out];
    let (Some(least), Some(most)) = (kept.first(), kept.last()) else {
        return Vec::new();
    };
    let (least, range) = (i64::from(*least), i64::from(*most) - i64::from(*least) + 1);
    // A class is a whole number of the figure's steps: otherwise some would have one more than others.
    let width = (range.unsigned_abs() as usize).div_ceil(CLASSES).max(1);
    let mut counts = vec![0_u64; (range.unsigned_abs() as usize).div_ceil(width)];
    for value in kept {
        counts[(i64::from(*value) - least).unsigned_abs() as usize / width] += 1;
    }
    let middle = |class: usize| (least as f64 + (class as f64 + 0.5) * width as f64 - 0.5) * scale;
    let share = |count: u64| 100.0 * count as f64 / values.len() as f64;
    counts
        .iter()
        .enumerate()
        .map(|(class, count)| (middle(class), share(*count)))
        .collect()
}

/// A figure's name, the unit that people read, and how many of it a step of the figure is.
const fn words(figure: Figure) -> (&'static str, &'static str, f64) {
    match figure {
        Figure::DiameterUm => ("diameter", "mm", 1e-3),
        Figure::LargestUm => ("largest", "mm", 1e-3),
        Figure::MiddleUm => ("middle", "mm", 1e-3),
        Figure::Ddp => ("ddp", "%", 1e-2),
        Figure::DdpSmallest => ("ddp-of-smallest", "%", 1e-2),
        Figure::AxisPlace => ("axis-place", "%", 1e-2),
        Figure::Residual => ("residual", "%", 1e-2),
        Figure::Taper => ("taper", "%", 1e-2),
        Figure::Lustre => ("lustre", "%", 1e-2),
        Figure::BlemishArea => ("blemish-area", "%", 1e-2),
        Figure::Blemishes => ("blemishes", "blemishes", 1.0),
        Figure::LabL => ("lab-l", "CIELAB", 1e-2),
        Figure::LabA => ("lab-a", "CIELAB", 1e-2),
        Figure::LabB => ("lab-b", "CIELAB", 1e-2),
        Figure::Chroma => ("chroma", "CIELAB", 1e-2),
        Figure::Hue => ("hue", "degrees", 1e-2),
        Figure::OvertoneChroma => ("overtone-chroma", "CIELAB", 1e-2),
        Figure::OvertoneHue => ("overtone-hue", "degrees", 1e-2),
        Figure::NacreUm => ("nacre", "mm", 1e-3),
        Figure::MassUg => ("mass", "g", 1e-6),
        Figure::Density => ("density", "g/cm3", 1e-3),
    }
}

/// Ends of ranges that are ends.
pub(super) fn ends(ranges: impl Iterator<Item = line::grade::Range>) -> BTreeSet<i32> {
    ranges
        .flat_map(|range| [range.least, range.most])
        .filter(|end| *end != i32::MIN && *end != i32::MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_has_every_pearl_that_is_not_left_out() {
        let mut values: Vec<i32> = (0..100_000)
            .map(|n| 7_000 + n % 1_000)
            .chain([i32::MIN, i32::MAX])
            .collect();
        let points = distribution(&mut values, 1e-3);
        let sum: f64 = points.iter().map(|(_, share)| share).sum();
        assert!((99.5..=99.7).contains(&sum), "{sum}");
        assert_eq!(points.len(), CLASSES);
        assert!((points[0].0 - 7.002).abs() < 2e-3 && (points[CLASSES - 1].0 - 7.997).abs() < 2e-3);
        assert!(distribution(&mut [], 1.0).is_empty());
    }
}
