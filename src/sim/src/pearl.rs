//! Pearls: what one truly is, and what camera and weigh cell will make of it.
//!
//! Any thread. The shares and correlations are the priors of the grading reference ("Priors for simulation"): assumed, not
//! data. Words: **z** is a figure's place in a normal distribution, which is then laid onto the figure's own scale by
//! `on_scale`, so that classes come out with their shares and figures correlate as they should.

use line::grade::Figure;
use wire::{Measurement, ViewStatus};

use crate::chance::{Chance, Distributions as _, exp};
use crate::nature::Nature;

/// Median and spread of the size, and its range, um.
const MEDIAN_UM: f64 = 6_500.0;
const SIGMA_LN: f64 = 0.20;
const SIZE_UM: (f64, f64) = (4_000.0, 12_000.0);
/// Density and its spread, ug per cubic um times 1e9 (g/cm3 times 1e3).
const DENSITY: (f64, f64) = (2_700.0, 40.0);
const LUSTRE_AND_SURFACE: f64 = 0.4;
const SIZE_AND_ROUNDNESS: f64 = -0.2;

/// Diameter difference in 0.01 % against z, best first. The inner z are those below which 75, 35, 10 and 2 % lie, so
/// that A1 (to 3 %) are 25 %, A2 (to 8 %) 40 %, A3 (to 12 %) 25 %, B (to 25 %) 8 %, and C and D 2 %.
const DDP_SCALE: [(f64, f64); 6] = [
    (3.5, 30.0),
    (0.674_5, 300.0),
    (-0.385_3, 800.0),
    (-1.281_6, 1_200.0),
    (-2.053_7, 2_500.0),
    (-3.5, 4_500.0),
];
/// Lustre against z: A (from 80 %) 8 %, B (from 60 %) 27 %, C (from 40 %) 45 %, D 20 %.
const LUSTRE_SCALE: [(f64, f64); 5] = [
    (3.5, 9_900.0),
    (1.405_1, 8_000.0),
    (0.385_3, 6_000.0),
    (-0.841_6, 4_000.0),
    (-3.5, 500.0),
];
/// Blemished share in 0.01 % against z: A (to 0.5 %) 5 %, B (to 3 %) 15 %, C (to 10 %) 30 %, D (to 25 %) 30 %, E 20 %.
const BLEMISH_SCALE: [(f64, f64); 6] = [
    (3.5, 0.0),
    (1.644_9, 50.0),
    (0.841_6, 300.0),
    (0.0, 1_000.0),
    (-0.841_6, 2_500.0),
    (-3.5, 7_000.0),
];

/// Body colours: share, then mean and spread of L, a, b in 0.01.
const COLOURS: [(f64, [(f64, f64); 3]); 4] = [
    (0.60, [(8_500.0, 300.0), (0.0, 120.0), (600.0, 200.0)]),
    (0.20, [(7_800.0, 400.0), (800.0, 250.0), (1_400.0, 300.0)]),
    (0.17, [(6_500.0, 500.0), (1_000.0, 250.0), (-600.0, 250.0)]),
    (0.03, [(4_000.0, 800.0), (0.0, 300.0), (200.0, 300.0)]),
];

/// Every figure that a recipe can ask for, as integers in the recipe's units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Largest, middle and smallest diameter, um.
    pub d_um: [i32; 3],
    /// Lustre, 0.01 %.
    pub lustre: i32,
    /// Blemished share of the surface, 0.01 %.
    pub blemish_area: i32,
    /// L, a, b, 0.01.
    pub lab: [i32; 3],
    /// Mass, ug.
    pub mass_ug: i32,
}

impl Figures {
    /// The figure that a rule names; none for those that the virtual line does not make.
    #[must_use]
    pub fn get(&self, figure: Figure) -> Option<i32> {
        let [largest, middle, smallest] = self.d_um;
        Some(match figure {
            Figure::DiameterUm => smallest,
            Figure::MiddleUm => middle,
            Figure::LargestUm => largest,
            Figure::Ddp => self.ddp(),
            Figure::Lustre => self.lustre,
            Figure::BlemishArea => self.blemish_area,
            Figure::LabL => self.lab[0],
            Figure::LabA => self.lab[1],
            Figure::LabB => self.lab[2],
            Figure::MassUg => self.mass_ug,
            _ => return None,
        })
    }

    /// Diameter difference, 0.01 %, rounded up: difference over the mean of largest and smallest (GB/T 18781). Rounded
    /// up, "at most 3 %" holds exactly when the quotient is at most 3 %.
    #[must_use]
    pub fn ddp(&self) -> i32 {
        let [most, _, least] = self.d_um;
        let sum = (most + least).max(1);
        (20_000 * (most - least) + sum - 1) / sum
    }
}

/// A pearl with everything that chance has in store for it, drawn when it is made: what happens on the line then
/// depends on the seed alone, not on the order of events.
#[derive(Clone, Debug)]
pub struct Pearl {
    /// What it is.
    pub truth: Figures,
    /// Its length along the belt, um.
    pub length_um: f64,
    /// How far it has rolled when it is weighed, and when it passes the jets; forwards is positive, um.
    pub rolled_um: [f64; 2],
    /// The entry eye does not see it.
    pub missed: bool,
    /// The entry eye sees it twice.
    pub doubled: bool,
    /// Errors of the entry eye's edges, um.
    pub eye_error_um: [f64; 2],
    /// Where it falls off, as a share of the way from eye to first jet.
    pub falls: Option<f64>,
    /// What the camera reports of it when it sees it alone; eye, number and view are the trigger's.
    pub seen: Measurement,
    /// From the trigger to that report, us.
    pub seen_after_us: f64,
    /// What the weigh cell reports, ug, and its uncertainty.
    pub weighed_ug: (u32, u32),
    /// From its leaving the platform to that report, us.
    pub weighed_after_us: f64,
    /// Errors of the weigh gate, um.
    pub gate_error_um: [f64; 2],
    /// Place of its fall's time in a normal distribution, held to 4.
    pub fall_z: f64,
    /// What it does as a stray, uniform in 0 to 1.
    pub stray: f64,
}

impl Pearl {
    /// Draws a pearl.
    #[must_use]
    pub fn draw(chance: &mut Chance, nature: &Nature) -> Self {
        let truth = draw_truth(chance);
        let [most, _, least] = truth.d_um.map(f64::from);
        let roll = nature.roll_um * core::f64::consts::FRAC_1_SQRT_2;
        let first = roll * chance.normal();
        let second = first + roll * chance.normal();
        let slip = if chance.happens(nature.slips) {
            chance.within(nature.slip_um.0, nature.slip_um.1)
        } else {
            0.0
        };
        let spread = chance.uniform();
        Self {
            truth,
            length_um: chance.within(least, most),
            rolled_um: [first - slip, second - slip],
            missed: chance.happens(nature.missed_trigger),
            doubled: chance.happens(nature.doubled_trigger),
            eye_error_um: core::array::from_fn(|_| nature.eye_jitter_um * chance.normal()),
            falls: chance.happens(nature.falls).then(|| chance.within(0.1, 0.9)),
            seen: look(&truth, chance, nature),
            seen_after_us: nature.camera_us.0 + (nature.camera_us.1 - nature.camera_us.0) * spread * spread,
            weighed_ug: weigh(&truth, chance, nature),
            weighed_after_us: (nature.weigh_us.0 + nature.weigh_us.1 * chance.normal()).max(0.0),
            gate_error_um: core::array::from_fn(|_| nature.gate_um * chance.normal()),
            fall_z: chance.normal().clamp(-4.0, 4.0),
            stray: chance.uniform(),
        }
    }
}

/// The value at `z` on a scale of falling z, linear between its points.
fn on_scale(z: f64, scale: &[(f64, f64)]) -> f64 {
    let last = scale.len() - 1;
    let z = z.clamp(scale[last].0, scale[0].0);
    let above = scale[1..last].iter().take_while(|(at, _)| *at > z).count();
    let ((z0, v0), (z1, v1)) = (scale[above], scale[above + 1]);
    v0 + (v1 - v0) * (z0 - z) / (z0 - z1)
}

/// A normal that correlates with `z`.
fn beside(z: f64, correlation: f64, chance: &mut Chance) -> f64 {
    correlation * z + (1.0 - correlation * correlation).sqrt() * chance.normal()
}

fn draw_truth(chance: &mut Chance) -> Figures {
    let (size_z, size) = loop {
        let z = chance.normal();
        let size = MEDIAN_UM * exp(SIGMA_LN * z);
        if (SIZE_UM.0..=SIZE_UM.1).contains(&size) {
            break (z, size);
        }
    };
    let ddp = on_scale(beside(size_z, SIZE_AND_ROUNDNESS, chance), &DDP_SCALE);
    let half = 0.5 * size * ddp * 1e-4;
    let (most, middle, least) = (size + half, size + half * chance.within(-1.0, 1.0), size - half);
    let lustre_z = chance.normal();
    let surface_z = beside(lustre_z, LUSTRE_AND_SURFACE, chance);
    let density = DENSITY.0 + DENSITY.1 * chance.normal();
    let mass = density * 1e-9 * core::f64::consts::FRAC_PI_6 * most * middle * least;
    let mut left = chance.uniform();
    let colour = COLOURS.iter().find(|(share, _)| {
        left -= share;
        left < 0.0
    });
    let lab = colour.unwrap_or(&COLOURS[0]).1;
    Figures {
        d_um: [whole(most), whole(middle), whole(least)],
        lustre: whole(on_scale(lustre_z, &LUSTRE_SCALE)),
        blemish_area: whole(on_scale(surface_z, &BLEMISH_SCALE)),
        lab: lab.map(|(mean, spread)| whole(mean + spread * chance.normal())),
        mass_ug: whole(mass),
    }
}

/// What the camera makes of a pearl that it sees alone.
fn look(truth: &Figures, chance: &mut Chance, nature: &Nature) -> Measurement {
    let mut d_um = truth.d_um.map(|d| f64::from(d) + nature.diameter_um * chance.normal());
    d_um.sort_by(|a, b| b.total_cmp(a));
    let area = f64::from(truth.blemish_area);
    let u_area = nature.blemish.0 + nature.blemish.1 * area;
    let lab = truth.lab.map(|v| f64::from(v) + nature.lab * chance.normal());
    // Of a difference of two diameters over their mean.
    let u_ddp = core::f64::consts::SQRT_2 * nature.diameter_um / d_um[1] * 1e4;
    Measurement {
        eye: units::EyeId(0),
        seq: units::TriggerSeq(0),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: short(d_um[0]),
        d_mid_um: short(d_um[1]),
        d_min_um: short(d_um[2]),
        u_diameter_um: short(nature.diameter_um),
        u_ddp: short(u_ddp),
        residual_um: short(4.0 + 0.02 * f64::from(truth.ddp())),
        taper: 0,
        lab_l: short(lab[0].min(10_000.0)),
        lab_a: signed(lab[1]),
        lab_b: signed(lab[2]),
        u_lab: short(nature.lab),
        overtone_a: 0,
        overtone_b: 0,
        lustre: short((f64::from(truth.lustre) + nature.lustre * chance.normal()).min(10_000.0)),
        u_lustre: short(nature.lustre),
        blemishes: u8::try_from(truth.blemish_area / 300).unwrap_or(u8::MAX),
        blemish_area: short((area + u_area * chance.normal()).min(10_000.0)),
        u_blemish_area: short(u_area),
        nacre_um: None,
    }
}

fn weigh(truth: &Figures, chance: &mut Chance, nature: &Nature) -> (u32, u32) {
    let mass = f64::from(truth.mass_ug) + nature.mass_ug * chance.normal();
    (whole(mass).max(0).unsigned_abs(), whole(nature.mass_ug).unsigned_abs())
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
fn whole(value: f64) -> i32 {
    value.round() as i32
}

fn short(value: f64) -> u16 {
    u16::try_from(whole(value).max(0)).unwrap_or(u16::MAX)
}

fn signed(value: f64) -> i16 {
    i16::try_from(whole(value)).unwrap_or(if value < 0.0 { i16::MIN } else { i16::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(count: usize) -> Vec<Pearl> {
        let mut chance = Chance::new(11, 0);
        let nature = Nature::default();
        (0..count).map(|_| Pearl::draw(&mut chance, &nature)).collect()
    }

    fn share(lot: &[Pearl], of: impl Fn(&Figures) -> bool) -> f64 {
        lot.iter().filter(|pearl| of(&pearl.truth)).count() as f64 / lot.len() as f64
    }

    fn correlation(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
        let (mut n, mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (a, b) in pairs {
            n += 1.0;
            x += a;
            y += b;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
        (n * xy - x * y) / ((n * xx - x * x) * (n * yy - y * y)).sqrt()
    }

    #[track_caller]
    fn close(is: f64, should: f64, within: f64) {
        assert!((is - should).abs() < within, "{is}, not {should}");
    }

    #[test]
    fn a_lot_has_the_shares_of_the_priors() {
        let lot = lot(60_000);
        for (least, most, is) in [
            (0, 300, 0.25),
            (300, 800, 0.40),
            (800, 1_200, 0.25),
            (1_200, 2_500, 0.08),
        ] {
            close(share(&lot, |f| (least..most).contains(&f.ddp())), is, 0.012);
        }
        for (least, most, is) in [
            (8_000, 10_001, 0.08),
            (6_000, 8_000, 0.27),
            (4_000, 6_000, 0.45),
            (0, 4_000, 0.20),
        ] {
            close(share(&lot, |f| (least..most).contains(&f.lustre)), is, 0.012);
        }
        for (least, most, is) in [(0, 50, 0.05), (50, 300, 0.15), (300, 1_000, 0.30), (1_000, 2_500, 0.30)] {
            close(share(&lot, |f| (least..most).contains(&f.blemish_area)), is, 0.012);
        }
        close(share(&lot, |f| f.lab[0] > 8_150 && f.lab[1] < 500), 0.60 * 0.88, 0.02);
    }

    #[test]
    fn sizes_masses_and_correlations_are_those_of_the_priors() {
        let lot = lot(60_000);
        let size = |f: &Figures| f64::from(f.d_um[0] + f.d_um[2]) * 0.5;
        close(share(&lot, |f| size(f) < 6_500.0), 0.5, 0.012);
        close(share(&lot, |f| size(f) < 6_500.0 * exp(-0.2)), 0.159, 0.012);
        assert!(lot.iter().all(|p| (3_999.0..=12_001.0).contains(&size(&p.truth))));
        close(
            correlation(
                lot.iter()
                    .map(|p| (f64::from(p.truth.lustre), -f64::from(p.truth.blemish_area))),
            ),
            0.4,
            0.05,
        );
        close(
            correlation(lot.iter().map(|p| (size(&p.truth), f64::from(p.truth.ddp())))),
            0.2,
            0.05,
        );
        let density = |f: &Figures| {
            let volume: f64 = f.d_um.iter().map(|d| f64::from(*d) * 1e-3).product();
            f64::from(f.mass_ug) * 1e-3 / (volume * core::f64::consts::FRAC_PI_6)
        };
        let mean = lot.iter().map(|p| density(&p.truth)).sum::<f64>() / lot.len() as f64;
        close(mean, 2.70, 0.003);
        let seven = Figures {
            d_um: [7_000; 3],
            ..Figures::default()
        };
        assert_eq!(seven.ddp(), 0);
    }

    #[test]
    fn what_is_measured_scatters_as_stated() {
        let lot = lot(20_000);
        let n = lot.len() as f64;
        let spread = |error: &dyn Fn(&Pearl) -> f64| (lot.iter().map(|p| error(p).powi(2)).sum::<f64>() / n).sqrt();
        close(
            spread(&|p| f64::from(i32::from(p.seen.lustre) - p.truth.lustre)),
            100.0,
            3.0,
        );
        close(
            spread(&|p| (f64::from(p.weighed_ug.0) - f64::from(p.truth.mass_ug)) / f64::from(p.weighed_ug.1)),
            1.0,
            0.02,
        );
        close(spread(&|p| p.rolled_um[1]), 500.0, 15.0);
        assert!(lot.iter().all(|p| (8_000.0..=15_000.0).contains(&p.seen_after_us)));
        assert!(
            lot.iter()
                .all(|p| p.seen.d_max_um >= p.seen.d_mid_um && p.seen.d_mid_um >= p.seen.d_min_um)
        );
    }
}
