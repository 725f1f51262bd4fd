//! Pearls and rows at random for tests: the same seed gives the same.

use units::{BinId, EyeId, Micrograms, TriggerSeq};
use wire::{Measurement, ViewStatus};

use super::{CIRCLE, FIGURES, Figure, HUE_LEFT_OUT, Range, Row, Term};
use crate::record::MassFigure;

/// A round pearl of this diameter with middling figures.
pub(super) fn round(diameter_um: u16) -> Measurement {
    Measurement {
        eye: EyeId(0),
        seq: TriggerSeq(0),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: diameter_um,
        d_mid_um: diameter_um,
        d_min_um: diameter_um,
        u_diameter_um: 10,
        u_ddp: 15,
        residual_um: 10,
        taper: 100,
        lab_l: 8_000,
        lab_a: 100,
        lab_b: 600,
        u_lab: 50,
        overtone_a: 200,
        overtone_b: -100,
        lustre: 6_000,
        u_lustre: 150,
        blemishes: 2,
        blemish_area: 50,
        u_blemish_area: 20,
        nacre_um: None,
    }
}

/// xorshift64*.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number of `0..most`.
    pub(super) fn below(&mut self, most: i32) -> i32 {
        ((self.next() >> 33) % most.unsigned_abs().max(1) as u64) as i32
    }

    fn between(&mut self, least: i32, most: i32) -> i32 {
        least + self.below(most - least)
    }

    /// A pearl with figures all over, now and then without nacre or mass.
    pub(super) fn pearl(&mut self) -> (Measurement, Option<MassFigure>) {
        let least = self.between(3_000, 13_000);
        let most = least + self.below(3_000);
        let mut view = round(least as u16);
        view.d_max_um = most as u16;
        view.d_mid_um = self.between(least, most + 1) as u16;
        view.u_diameter_um = self.below(60) as u16;
        view.u_ddp = self.below(100) as u16;
        view.residual_um = self.below(400) as u16;
        view.taper = self.below(3_000) as u16;
        view.lab_l = self.between(2_000, 10_000) as u16;
        view.lab_a = self.between(-1_500, 1_500) as i16;
        view.lab_b = self.between(-1_500, 2_500) as i16;
        view.u_lab = self.below(120) as u16;
        view.overtone_a = self.between(-500, 500) as i16;
        view.overtone_b = self.between(-500, 500) as i16;
        view.lustre = self.below(10_001) as u16;
        view.u_lustre = self.below(400) as u16;
        view.blemishes = self.below(20) as u8;
        view.blemish_area = self.below(3_000) as u16;
        view.u_blemish_area = self.below(100) as u16;
        view.nacre_um = (self.below(4) > 0).then(|| self.between(100, 1_500) as u16);
        let mass = (self.below(8) > 0).then(|| MassFigure {
            mass: Micrograms(self.between(20_000, 3_000_000)),
            u: Micrograms(self.below(3_000)),
        });
        (view, mass)
    }

    /// Bounds within which a figure's values lie.
    fn bounds(figure: Figure) -> (i32, i32) {
        match figure {
            Figure::DiameterUm | Figure::LargestUm | Figure::MiddleUm => (3_000, 16_000),
            Figure::Ddp | Figure::DdpSmallest | Figure::Residual | Figure::Taper | Figure::BlemishArea => (0, 3_000),
            Figure::AxisPlace | Figure::Lustre | Figure::LabL => (0, 10_000),
            Figure::Blemishes => (0, 20),
            Figure::LabA | Figure::LabB => (-1_500, 2_500),
            Figure::Chroma | Figure::OvertoneChroma => (0, 2_500),
            Figure::Hue | Figure::OvertoneHue => (0, CIRCLE),
            Figure::NacreUm => (100, 1_500),
            Figure::MassUg => (20_000, 3_000_000),
            Figure::Density => (1_000, 4_000),
        }
    }

    fn term(&mut self, guard: i32) -> Term {
        let figure = FIGURES[self.below(FIGURES.len() as i32) as usize];
        let (low, high) = Self::bounds(figure);
        let at = self.between(low, high);
        // Wide ranges, so that a pearl has a chance.
        let width = (high - low) / 4 + self.below((high - low) / 2);
        let range = if figure.is_angle() {
            let width = width.min(CIRCLE - HUE_LEFT_OUT);
            Range {
                figure,
                least: at,
                most: (at + width) % CIRCLE,
            }
        } else {
            match self.below(4) {
                0 => Range {
                    figure,
                    least: i32::MIN,
                    most: at,
                },
                1 => Range {
                    figure,
                    least: at,
                    most: i32::MAX,
                },
                _ => Range {
                    figure,
                    least: at - width,
                    most: at + width,
                },
            }
        };
        let guard = if self.below(4) > 0 { guard } else { 0 };
        Term { range, guard }
    }

    /// Rows of a recipe.
    pub(super) fn rows(&mut self, most_rows: i32, most_terms: i32) -> Vec<Row> {
        let rows = 1 + self.below(most_rows);
        let guard = [0, 800, 1_500, 2_000, -700][self.below(5) as usize];
        (0..rows)
            .map(|_| {
                let terms = 1 + self.below(most_terms);
                let lanes = if self.below(3) > 0 { u64::MAX } else { self.next() };
                let bin = BinId(self.below(64) as u8);
                Row {
                    bin,
                    lanes,
                    terms: (0..terms).map(|_| self.term(guard)).collect(),
                }
            })
            .collect()
    }
}
