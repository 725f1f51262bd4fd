//! A usual lot, drawn at random from assumed shares, and what a recipe does with it: for `check`'s examples and for the
//! report on doubt. These are priors, not data of real pearls.
//!
//! Cold side, any thread. Words: **truth** is a pearl's figures without error; **measured** are those with the errors that
//! their uncertainties say.

use line::MassFigure;
use line::grade::{Figures, Verdict};
use units::{EyeId, LaneId, Micrograms, TriggerSeq};
use wire::{Measurement, ViewStatus};

use super::Recipe;

/// One pearl, twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pearl {
    /// Its figures without error, their uncertainties zero.
    pub truth: (Measurement, MassFigure),
    /// As it is measured.
    pub measured: (Measurement, MassFigure),
}

/// An endless lot: the same seed gives the same pearls.
#[derive(Clone, Debug)]
pub struct Lot {
    state: u64,
}

impl Lot {
    /// The lot of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    /// xorshift64*, as a number of 0 to 1 (1 not included).
    fn chance(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the standard normal distribution (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.chance()).ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.chance()).cos()
    }

    /// A number of a class's range, the class by its share.
    fn of_classes(&mut self, classes: &[(f64, f64, f64)], at: f64) -> f64 {
        let mut left = at;
        for (share, least, most) in classes {
            if left < *share {
                return least + (most - least) * left / share;
            }
            left -= share;
        }
        classes.last().map_or(0.0, |(_, _, most)| *most)
    }

    /// The next pearl. Size lognormal, 4 to 12 mm; diameter difference, lustre, surface and colour by the shares of a round
    /// lot; lustre and surface correlate by about 0.4.
    fn draw(&mut self) -> Pearl {
        let size = (6_500.0 * (0.2 * self.normal()).exp()).clamp(4_000.0, 12_000.0);
        let roundness = self.chance();
        let ddp = self.of_classes(
            &[
                (0.25, 0.0, 3.0),
                (0.40, 3.0, 8.0),
                (0.25, 8.0, 12.0),
                (0.08, 12.0, 30.0),
                (0.02, 20.0, 45.0),
            ],
            roundness,
        );
        let baroque = roundness > 0.99;
        let largest = size * (200.0 + ddp) / (200.0 - ddp);
        let oval = self.chance() < 0.6;
        let place = 0.15 * self.chance();
        let middle = size + (largest - size) * if oval { place } else { 1.0 - place };
        let shine = self.normal();
        let skin = 0.4 * shine + 0.917 * self.normal();
        let share = |x: f64| 1.0 - 0.5 * (1.0 + (0.8 * x).tanh());
        let lustre = self.of_classes(
            &[
                (0.08, 100.0, 80.0),
                (0.27, 80.0, 60.0),
                (0.45, 60.0, 35.0),
                (0.20, 35.0, 5.0),
            ],
            share(shine),
        );
        let blemish = self.of_classes(
            &[
                (0.05, 0.0, 0.1),
                (0.15, 0.1, 1.0),
                (0.30, 1.0, 5.0),
                (0.30, 5.0, 25.0),
                (0.20, 25.0, 60.0),
            ],
            share(skin),
        );
        let (l, chroma, hue) = self.colour();
        let density = 2.70 + 0.04 * self.normal();
        let mass_ug = std::f64::consts::PI / 6.0 * size * middle * largest * density * 1e-6;
        let overtone = (2.0 + 4.0 * self.chance(), 360.0 * self.chance());
        let figures = [
            size,
            middle,
            largest,
            lustre,
            blemish,
            l,
            chroma * hue.cos(),
            chroma * hue.sin(),
            mass_ug,
        ];
        let residual = if baroque {
            0.03 * size
        } else {
            0.003 * size * self.chance()
        };
        let taper = if baroque { 30.0 } else { 6.0 * self.chance() };
        let errors = [0; 9].map(|_| self.normal());
        let view = |scale: f64| measured(&figures, &errors, scale, (residual, taper, overtone));
        Pearl {
            truth: view(0.0),
            measured: view(1.0),
        }
    }

    /// L, chroma and hue in radians: white 60 %, pink or orange 20, purple 17, other 3.
    fn colour(&mut self) -> (f64, f64, f64) {
        let spread = |lot: &mut Self, middle: f64, sd: f64| middle + sd * lot.normal();
        let kind = self.chance();
        let (l, chroma, hue) = if kind < 0.60 {
            (
                spread(self, 84.0, 3.0),
                2.0 + 4.0 * self.chance(),
                60.0 + 40.0 * self.chance(),
            )
        } else if kind < 0.80 {
            (
                spread(self, 76.0, 4.0),
                9.0 + 12.0 * self.chance(),
                spread(self, 45.0, 12.0),
            )
        } else if kind < 0.97 {
            (
                spread(self, 66.0, 5.0),
                8.0 + 10.0 * self.chance(),
                spread(self, 330.0, 12.0),
            )
        } else {
            (spread(self, 55.0, 12.0), 15.0 * self.chance(), 360.0 * self.chance())
        };
        (l.clamp(5.0, 99.0), chroma, hue.to_radians())
    }
}

impl Iterator for Lot {
    type Item = Pearl;

    fn next(&mut self) -> Option<Pearl> {
        Some(self.draw())
    }
}

/// Figures with errors of the usual size times `scale`.
fn measured(
    figures: &[f64; 9],
    errors: &[f64; 9],
    scale: f64,
    (residual, taper, overtone): (f64, f64, (f64, f64)),
) -> (Measurement, MassFigure) {
    let [size, middle, largest, lustre, blemish, l, a, b, mass] = *figures;
    let off = |index: usize, u: f64| scale * u * errors[index];
    // Casts of floats saturate at the type's ends.
    let um = |value: f64| value.round() as u16;
    let (d, e, f) = (size + off(0, 10.0), middle + off(1, 10.0), largest + off(2, 10.0));
    let (least, most) = (d.min(f), d.max(f));
    let u_blemish = 0.1 + 0.03 * blemish;
    let view = Measurement {
        eye: EyeId(0),
        seq: TriggerSeq(0),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: um(most),
        d_mid_um: um(e.clamp(least, most)),
        d_min_um: um(least),
        u_diameter_um: um(10.0 * scale),
        u_ddp: um(scale * 2e5 * 10.0 * std::f64::consts::SQRT_2 / (2.0 * size) / 10.0),
        residual_um: um(residual),
        taper: um(taper * 100.0),
        lab_l: um((l + off(5, 0.5)) * 100.0),
        lab_a: ((a + off(6, 0.5)) * 100.0).round() as i16,
        lab_b: ((b + off(7, 0.5)) * 100.0).round() as i16,
        u_lab: um(50.0 * scale),
        overtone_a: (overtone.0 * overtone.1.to_radians().cos() * 100.0) as i16,
        overtone_b: (overtone.0 * overtone.1.to_radians().sin() * 100.0) as i16,
        lustre: um((lustre + off(3, 1.0)).clamp(0.0, 100.0) * 100.0),
        u_lustre: um(100.0 * scale),
        blemishes: (blemish / 2.0).ceil() as u8,
        blemish_area: um((blemish + off(4, u_blemish)).clamp(0.0, 100.0) * 100.0),
        u_blemish_area: um(u_blemish * 100.0 * scale),
        nacre_um: None,
    };
    let mass = MassFigure {
        mass: Micrograms((mass + off(8, 500.0)) as i32),
        u: Micrograms((500.0 * scale) as i32),
    };
    (view, mass)
}

/// What the guard does to a lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoubtShares {
    /// Pearls of the lot.
    pub pearls: usize,
    /// Those that the guard sends elsewhere than their figures alone would.
    pub moved: usize,
    /// Those in an earlier bin of the recipe than their truth has earned.
    pub wrong_up: usize,
    /// Those in a later bin than their truth has earned, or in none.
    pub wrong_down: usize,
}

impl Recipe {
    /// Grades so many pearls of a usual lot in a lane, and counts what the guard moves and what goes wrong.
    #[must_use]
    pub fn doubt_shares(&self, lane: LaneId, seed: u64, pearls: usize) -> DoubtShares {
        let mut shares = DoubtShares {
            pearls,
            ..DoubtShares::default()
        };
        // A pearl in no bin ranks behind the last.
        let rank = |verdict: Verdict| match verdict {
            Verdict::Bin(bin) => self
                .bins
                .iter()
                .position(|other| other.bin == bin)
                .unwrap_or(usize::MAX),
            Verdict::Recirculate(_) => usize::MAX,
        };
        let mut lot = Lot::new(seed);
        for _ in 0..pearls {
            let pearl = lot.draw();
            let figures = |(view, mass): &'_ (Measurement, MassFigure)| (*view, *mass);
            let (view, mass) = figures(&pearl.measured);
            let graded = self.compiled.grade(
                lane,
                Figures {
                    view: Some(&view),
                    mass: Some(mass),
                },
            );
            let certain = without_uncertainty(view);
            let by_figures = self.compiled.grade(
                lane,
                Figures {
                    view: Some(&certain),
                    mass: Some(MassFigure {
                        u: Micrograms(0),
                        ..mass
                    }),
                },
            );
            let (view, mass) = figures(&pearl.truth);
            let true_grade = self.compiled.grade(
                lane,
                Figures {
                    view: Some(&view),
                    mass: Some(mass),
                },
            );
            shares.moved += usize::from(graded != by_figures);
            shares.wrong_up += usize::from(rank(graded) < rank(true_grade));
            shares.wrong_down += usize::from(rank(graded) > rank(true_grade));
        }
        shares
    }
}

fn without_uncertainty(view: Measurement) -> Measurement {
    Measurement {
        u_diameter_um: 0,
        u_ddp: 0,
        u_lab: 0,
        u_lustre: 0,
        u_blemish_area: 0,
        ..view
    }
}
