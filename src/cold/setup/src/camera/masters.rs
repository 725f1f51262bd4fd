//! Lustre and surface by the customer's master pearls. Cold.
//!
//! The eye orders pearls by the logarithm of their coat's roughness; what number a customer gives to it is his own. A straight
//! line takes the one to the other, and where his classes of surface end is half-way between the masters on either side.

use vision::limits::RINGS;
use vision::{Calibration, Masters};

use super::Unfit;
use super::solve::Normal;

/// One master pearl: what the customer says, and what the eye saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Master {
    /// Lustre on the customer's scale, 0 (none) to 100.
    pub lustre: f64,
    /// Class of surface, 0 the best.
    pub surface: u8,
    /// What the eye took for the logarithm of its roughness: [`vision::Raw::log_roughness`].
    pub log_roughness: f32,
    /// Blemished share of the surface as measured, per cent.
    pub blemish_area_pct: f64,
}

/// What the masters told.
#[derive(Clone, Debug, PartialEq)]
pub struct MastersFit {
    /// Lustre for the eye.
    pub masters: Masters,
    /// Residual of each master's lustre, in points of the customer's scale.
    pub residuals: Vec<f64>,
    /// Blemished share in per cent up to which a surface is of class 0, 1, ...; one fewer than there are classes.
    pub surface_edges_pct: Vec<f64>,
}

const LEAST_MASTERS: usize = 6;
/// Rank correlation that the eye's order and the customer's must have.
const LEAST_RANK: f64 = 0.9;
const LEAST_SURFACE_RANK: f64 = 0.7;
/// Logarithms of roughness at lustre 0 and 100 of the eye's own scale.
const DULLEST_LOG: f64 = -0.69;
const BRIGHTEST_LOG: f64 = -3.91;

/// Fits the masters; `calibration` is the one that they were looked at with.
///
/// # Errors
/// When they are too few, or the eye does not see them in the customer's order.
pub fn masters(calibration: &Calibration, set: &[Master]) -> Result<MastersFit, Unfit> {
    if set.len() < LEAST_MASTERS {
        return Err(Unfit::Few {
            what: "masters",
            found: set.len(),
            needed: LEAST_MASTERS,
        });
    }
    let rank = spearman(set, |m| m.lustre, |m| -f64::from(m.log_roughness));
    if rank.is_nan() || rank < LEAST_RANK {
        return Err(Unfit::Order {
            what: "lustre",
            rank,
            limit: LEAST_RANK,
        });
    }
    // The customer's lustre as a logarithm of the eye's scale, from the logarithm seen.
    let log_of = |lustre: f64| DULLEST_LOG + lustre / 100.0 * (BRIGHTEST_LOG - DULLEST_LOG);
    let mut normal = Normal::<2>::new();
    for master in set {
        normal.add(&[1.0, f64::from(master.log_roughness)], log_of(master.lustre));
    }
    let [offset, slope] = normal.solve().ok_or(Unfit::Alike)?;
    let points = 100.0 / (DULLEST_LOG - BRIGHTEST_LOG);
    let residuals: Vec<f64> = set
        .iter()
        .map(|m| (offset + slope * f64::from(m.log_roughness) - log_of(m.lustre)) * points)
        .collect();
    let square: f64 = residuals.iter().map(|r| r * r).sum();
    let spread_log = (square / (set.len() - 2) as f64).sqrt() / points;
    let mut log_roughness = calibration.masters.log_roughness;
    #[expect(clippy::cast_possible_truncation, reason = "figures to f32")]
    {
        for (k, factor) in log_roughness.iter_mut().enumerate() {
            *factor = (f64::from(*factor) * slope + if k == 0 { offset } else { 0.0 }) as f32;
        }
        Ok(MastersFit {
            masters: Masters {
                log_roughness,
                u_log: spread_log.max(f64::from(calibration.masters.u_log) * 0.5) as f32,
            },
            residuals,
            surface_edges_pct: surface_edges(set)?,
        })
    }
}

const _: () = assert!(RINGS > 0, "a lustre of several rings");

/// Where the classes of surface end.
fn surface_edges(set: &[Master]) -> Result<Vec<f64>, Unfit> {
    let rank = spearman(set, |m| f64::from(m.surface), |m| m.blemish_area_pct);
    // Masters of one class alone have no order, and no edge.
    let one_class = set.iter().all(|m| m.surface == set[0].surface);
    if !one_class && (rank.is_nan() || rank < LEAST_SURFACE_RANK) {
        return Err(Unfit::Order {
            what: "surface",
            rank,
            limit: LEAST_SURFACE_RANK,
        });
    }
    let last = set.iter().map(|m| m.surface).max().unwrap_or(0);
    let mut edges: Vec<f64> = (0..last)
        .map(|class| {
            // Between the means of those up to this class next to it and those beyond, so that one odd master does not
            // move it far.
            let mean = |of: &dyn Fn(&Master) -> bool| {
                let areas: Vec<f64> = set.iter().filter(|m| of(m)).map(|m| m.blemish_area_pct).collect();
                areas.iter().sum::<f64>() / areas.len().max(1) as f64
            };
            let next = set
                .iter()
                .map(|m| m.surface)
                .filter(|c| *c > class)
                .min()
                .unwrap_or(last);
            let own = set
                .iter()
                .map(|m| m.surface)
                .filter(|c| *c <= class)
                .max()
                .unwrap_or(class);
            0.5 * (mean(&|m| m.surface == own) + mean(&|m| m.surface == next))
        })
        .collect();
    edges.sort_by(f64::total_cmp);
    Ok(edges)
}

/// Spearman's rank correlation, ties at their mean rank; not a number where one of the lists has no spread.
fn spearman(set: &[Master], one: impl Fn(&Master) -> f64, other: impl Fn(&Master) -> f64) -> f64 {
    let ranks = |values: Vec<f64>| -> Vec<f64> {
        let rank = |v: f64| {
            let below = values.iter().filter(|w| **w < v).count() as f64;
            let equal = values.iter().filter(|w| **w == v).count() as f64;
            below + 0.5 * (equal + 1.0)
        };
        values.iter().map(|v| rank(*v)).collect()
    };
    let (a, b) = (
        ranks(set.iter().map(one).collect()),
        ranks(set.iter().map(other).collect()),
    );
    let mean = (set.len() as f64 + 1.0) / 2.0;
    let product = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| (p - mean) * (q - mean)).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> Vec<Master> {
        (0..10u8)
            .map(|k| {
                let lustre = 10.0 + 8.0 * f64::from(k);
                let log = DULLEST_LOG + lustre / 100.0 * (BRIGHTEST_LOG - DULLEST_LOG);
                Master {
                    lustre,
                    surface: (9 - k) / 3,
                    // The eye of this station sees everything a little duller, and stretched.
                    log_roughness: ((log + 0.3) / 1.1) as f32 + if k % 2 == 0 { 0.02 } else { -0.02 },
                    blemish_area_pct: f64::from(9 - k) * 1.5,
                }
            })
            .collect()
    }

    #[test]
    fn the_customers_scale_is_taken() {
        let nominal = Calibration::nominal();
        let fit = masters(&nominal, &set()).expect("good masters");
        assert!(fit.residuals.iter().all(|r| r.abs() < 1.5), "{fit:?}");
        let ratio = fit.masters.log_roughness[3] / nominal.masters.log_roughness[3];
        assert!((ratio - 1.1).abs() < 0.03, "{ratio}");
        // Classes 0 to 3 of areas 0..3, 4.5..7.5, 9..12, 13.5.
        assert_eq!(fit.surface_edges_pct.len(), 3);
        assert!((fit.surface_edges_pct[0] - 3.75).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn bad_masters_are_refused_by_name() {
        let nominal = Calibration::nominal();
        assert!(matches!(masters(&nominal, &set()[..4]), Err(Unfit::Few { .. })));
        let mut mixed = set();
        for k in 0..5 {
            let lustre = mixed[9 - k].lustre;
            mixed[9 - k].lustre = mixed[k].lustre;
            mixed[k].lustre = lustre;
        }
        assert!(matches!(
            masters(&nominal, &mixed),
            Err(Unfit::Order { what: "lustre", .. })
        ));
        let mut dirty = set();
        dirty
            .iter_mut()
            .for_each(|m| m.blemish_area_pct = 15.0 - m.blemish_area_pct);
        assert!(matches!(
            masters(&nominal, &dirty),
            Err(Unfit::Order { what: "surface", .. })
        ));
    }
}
