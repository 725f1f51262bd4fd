//! Rows against the truth: the figures that the eye must keep, with their limits. Cold.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use vision::Measurement;

use crate::table::Row;

/// What is known of one pearl.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Kind: `round`, `near`, `oval`, `button`, `baroque`.
    pub kind: String,
    /// Largest caliper diameter, mm.
    pub dmax_mm: f64,
    /// Smallest caliper diameter, mm.
    pub dmin_mm: f64,
    /// Diameter difference, per cent.
    pub ddp_pct: f64,
    /// Volume, mm3.
    pub volume_mm3: f64,
    /// Colour series.
    pub colour: String,
    /// Roughness of the coat.
    pub alpha: f64,
    /// Pits' share of the whole surface.
    pub blemish_area: f64,
}

/// Why a truth file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The file can't be read.
    #[error("can't read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A column that the score needs is not there.
    #[error("{} has no column `{column}`", path.display())]
    Column {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: &'static str,
    },
    /// A field is no number.
    #[error("{}:{line}: `{text}` in column `{column}` is no number", path.display())]
    Number {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Which column.
        column: &'static str,
        /// What stands there.
        text: String,
    },
}

/// Reads a truth file: a CSV with a head, by the pearls' identity.
///
/// # Errors
///
/// When the file can't be read, a column is missing or a number is none.
pub fn read_truth(path: &Path) -> Result<HashMap<String, Truth>, TruthError> {
    let text = std::fs::read_to_string(path).map_err(|source| TruthError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut lines = text.lines().enumerate();
    let head: Vec<&str> = lines
        .next()
        .map_or_else(Vec::new, |(_, head)| head.split(',').map(str::trim).collect());
    let place = |column: &'static str| {
        let found = head.iter().position(|name| *name == column);
        found.ok_or(TruthError::Column {
            path: path.to_owned(),
            column,
        })
    };
    let (id, kind, colour) = (place("id")?, place("kind")?, place("colour")?);
    let mut numbers = Vec::new();
    for column in ["dmax_mm", "dmin_mm", "diff_pct", "volume_mm3", "alpha", "blemish_area"] {
        numbers.push((column, place(column)?));
    }
    let mut truths = HashMap::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let text = |at: usize| fields.get(at).copied().unwrap_or("");
        let mut values = [0.0; 6];
        for (value, &(column, at)) in values.iter_mut().zip(&numbers) {
            *value = text(at).parse().map_err(|_| TruthError::Number {
                path: path.to_owned(),
                line: index + 1,
                column,
                text: text(at).to_owned(),
            })?;
        }
        let [dmax_mm, dmin_mm, ddp_pct, volume_mm3, alpha, blemish_area] = values;
        let (kind, colour) = (text(kind).to_owned(), text(colour).to_owned());
        let truth = Truth {
            kind,
            dmax_mm,
            dmin_mm,
            ddp_pct,
            volume_mm3,
            colour,
            alpha,
            blemish_area,
        };
        truths.insert(text(id).to_owned(), truth);
    }
    Ok(truths)
}

/// Edges of the roundness classes of freshwater pearls, per cent.
const CLASS_EDGES: [f64; 3] = [3.0, 8.0, 12.0];
/// Nearer to an edge than this, in points, a class is not judged.
const EDGE_ZONE: f64 = 0.2;

/// The figures of a set. `None` where the set holds too little to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Pearls measured, refused, and rows without truth.
    pub measured: usize,
    /// See `measured`.
    pub refused: usize,
    /// See `measured`.
    pub unknown: usize,
    /// Largest and smallest diameter of pearls that are not baroque, 95th percentile of the error, um.
    pub dmax_p95_um: Option<f64>,
    /// See `dmax_p95_um`.
    pub dmin_p95_um: Option<f64>,
    /// Volume, 95th percentile of the relative error, per cent, without baroques and with them.
    pub volume_p95_pct: Option<f64>,
    /// See `volume_p95_pct`.
    pub volume_all_p95_pct: Option<f64>,
    /// Diameter difference of pearls that are not baroque, 95th percentile of the error, points.
    pub ddp_p95: Option<f64>,
    /// Share of right classes among those farther than 0.2 points from an edge, per cent, and the greatest distance
    /// of a class from the true one over all.
    pub class_pct: Option<f64>,
    /// See `class_pct`.
    pub class_worst: usize,
    /// Spearman's rank correlation of lustre and -alpha.
    pub lustre_rank: Option<f64>,
    /// Spearman's rank correlation of the pits' areas.
    pub blemish_rank: Option<f64>,
    /// Share of right colour names, per cent.
    pub colour_pct: Option<f64>,
    /// Share of truths within two standard uncertainties, per cent: largest and smallest diameter, difference, volume.
    pub covered_pct: [Option<f64>; 4],
}

/// Judges rows by the truth. Rows without a truth are counted, and left out.
#[must_use]
pub fn score(rows: &[Row], truths: &HashMap<String, Truth>) -> Score {
    let mut out = Score::default();
    let mut pairs = Vec::new();
    for row in rows {
        match (&row.result, truths.get(&row.id)) {
            (_, None) => out.unknown += 1,
            (Err(_), Some(_)) => out.refused += 1,
            (Ok((m, _)), Some(truth)) => pairs.push((m, truth)),
        }
    }
    out.measured = pairs.len();
    let symmetric: Vec<_> = pairs.iter().filter(|(_, t)| t.kind != "baroque").copied().collect();
    let p95 = |pairs: &[(&Measurement, &Truth)], error: fn(&Measurement, &Truth) -> f64| {
        percentile(pairs.iter().map(|(m, t)| error(m, t).abs()).collect(), 0.95)
    };
    out.dmax_p95_um = p95(&symmetric, |m, t| f64::from(m.d_max.0) - t.dmax_mm * 1000.0);
    out.dmin_p95_um = p95(&symmetric, |m, t| f64::from(m.d_min.0) - t.dmin_mm * 1000.0);
    let volume = |m: &Measurement, t: &Truth| (f64::from(m.volume_nl) / 1000.0 / t.volume_mm3 - 1.0) * 100.0;
    out.volume_p95_pct = p95(&symmetric, volume);
    out.volume_all_p95_pct = p95(&pairs, volume);
    out.ddp_p95 = p95(&symmetric, |m, t| ddp(m) - t.ddp_pct);
    let clear = |t: &Truth| CLASS_EDGES.iter().all(|edge| (t.ddp_pct - edge).abs() > EDGE_ZONE);
    let judged: Vec<_> = pairs.iter().filter(|(_, t)| clear(t)).collect();
    out.class_pct = share(judged.iter().map(|(m, t)| class(ddp(m)) == class(t.ddp_pct)));
    out.class_worst = pairs
        .iter()
        .map(|(m, t)| class(ddp(m)).abs_diff(class(t.ddp_pct)))
        .max()
        .unwrap_or(0);
    out.lustre_rank = spearman(pairs.iter().map(|(m, t)| (f64::from(m.lustre), -t.alpha)));
    out.blemish_rank = spearman(pairs.iter().map(|(m, t)| (f64::from(m.blemish_area.0), t.blemish_area)));
    out.colour_pct = share(
        pairs
            .iter()
            .map(|(m, t)| m.series.is_some_and(|series| series.name() == t.colour)),
    );
    out.covered_pct = covered(&pairs);
    out
}

fn covered(pairs: &[(&Measurement, &Truth)]) -> [Option<f64>; 4] {
    let within = |get: fn(&Measurement, &Truth) -> (f64, f64)| {
        share(pairs.iter().map(|(m, t)| {
            let (error, u) = get(m, t);
            error.abs() <= 2.0 * u
        }))
    };
    [
        within(|m, t| (f64::from(m.d_max.0) - t.dmax_mm * 1000.0, f64::from(m.u_d_max.0))),
        within(|m, t| (f64::from(m.d_min.0) - t.dmin_mm * 1000.0, f64::from(m.u_d_min.0))),
        within(|m, t| (ddp(m) - t.ddp_pct, f64::from(m.u_ddp.0) / 100.0)),
        within(|m, t| (f64::from(m.volume_nl) - t.volume_mm3 * 1000.0, f64::from(m.u_volume_nl))),
    ]
}

fn ddp(m: &Measurement) -> f64 {
    f64::from(m.ddp.0) / 100.0
}

fn class(ddp_pct: f64) -> usize {
    CLASS_EDGES.iter().filter(|edge| ddp_pct > **edge).count()
}

/// Share of `true`, per cent.
fn share(hits: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut hit, mut all) = (0u32, 0u32);
    for one in hits {
        hit += u32::from(one);
        all += 1;
    }
    (all > 0).then(|| f64::from(hit) / f64::from(all) * 100.0)
}

/// The value below which `part` of the values lie, interpolated between neighbours.
fn percentile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let at = part * (values.len().checked_sub(1)? as f64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the list"
    )]
    let low = at.floor() as usize;
    let high = (low + 1).min(values.len() - 1);
    Some(values[low] + (values[high] - values[low]) * (at - low as f64))
}

/// Spearman's rank correlation, ties at their mean rank. `None` for less than three pairs or a list without spread.
fn spearman(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
    if a.len() < 3 {
        return None;
    }
    let (a, b) = (ranks(&a), ranks(&b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let product = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| (p - mean) * (q - mean)).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    (spread > 0.0).then(|| product(&a, &b) / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let ties = order[from..]
            .iter()
            .take_while(|&&i| values[i] == values[order[from]])
            .count();
        for &i in &order[from..from + ties] {
            ranks[i] = from as f64 + (ties as f64 + 1.0) / 2.0;
        }
        from += ties;
    }
    ranks
}

impl Score {
    /// The figures as (name, value, limit, whether it holds); a figure that the set can't give does not hold.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, Option<f64>, &'static str, bool)> {
        let most = |v: Option<f64>, limit: f64| v.is_some_and(|v| v <= limit);
        let least = |v: Option<f64>, limit: f64| v.is_some_and(|v| v >= limit);
        let between = |v: Option<f64>| v.is_some_and(|v| (90.0..=99.0).contains(&v));
        #[expect(clippy::cast_precision_loss, reason = "at most 3")]
        let worst = Some(self.class_worst as f64);
        let [dmax, dmin, ddp, volume] = self.covered_pct;
        vec![
            (
                "largest diameter, p95, um",
                self.dmax_p95_um,
                "<= 15",
                most(self.dmax_p95_um, 15.0),
            ),
            (
                "smallest diameter, p95, um",
                self.dmin_p95_um,
                "<= 15",
                most(self.dmin_p95_um, 15.0),
            ),
            (
                "volume, p95, %",
                self.volume_p95_pct,
                "<= 0.5",
                most(self.volume_p95_pct, 0.5),
            ),
            (
                "volume with baroques, p95, %",
                self.volume_all_p95_pct,
                "<= 0.5",
                most(self.volume_all_p95_pct, 0.5),
            ),
            (
                "diameter difference, p95, points",
                self.ddp_p95,
                "<= 0.3",
                most(self.ddp_p95, 0.3),
            ),
            ("class right, %", self.class_pct, ">= 98", least(self.class_pct, 98.0)),
            ("class off by at most", worst, "<= 1", self.class_worst <= 1),
            (
                "lustre against -alpha, Spearman",
                self.lustre_rank,
                ">= 0.95",
                least(self.lustre_rank, 0.95),
            ),
            (
                "blemish area, Spearman",
                self.blemish_rank,
                ">= 0.8",
                least(self.blemish_rank, 0.8),
            ),
            (
                "colour name right, %",
                self.colour_pct,
                ">= 97",
                least(self.colour_pct, 97.0),
            ),
            ("largest diameter within 2u, %", dmax, "90..99", between(dmax)),
            ("smallest diameter within 2u, %", dmin, "90..99", between(dmin)),
            ("diameter difference within 2u, %", ddp, "90..99", between(ddp)),
            ("volume within 2u, %", volume, "90..99", between(volume)),
        ]
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} measured, {} refused, {} without truth",
            self.measured, self.refused, self.unknown
        )?;
        for (name, value, limit, holds) in self.lines() {
            let value = value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
            let mark = if holds { "holds" } else { "FAILS" };
            writeln!(f, "{name:<36}{value:>9}   {limit:<9}{mark}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_their_mean_among_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(spearman([(1.0, 10.0), (2.0, 20.0), (3.0, 15.0)].into_iter()), Some(0.5));
        assert_eq!(spearman([(1.0, 1.0); 5].into_iter()), None);
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        assert_eq!(percentile(vec![4.0, 1.0, 2.0, 3.0, 5.0], 0.5), Some(3.0));
        assert_eq!(percentile(vec![0.0, 10.0], 0.95), Some(9.5));
        assert_eq!(percentile(Vec::new(), 0.95), None);
    }

    #[test]
    fn an_empty_set_holds_nothing() {
        let table = score(&[], &HashMap::new());
        assert!(
            table
                .lines()
                .iter()
                .filter(|line| line.0 != "class off by at most")
                .all(|line| !line.3)
        );
    }
}
