//! What grading a pearl costs: 64 bins of ten conditions each, without guards and with them.
//!
//! The pearls are drawn as pearls come (sizes, roundness, lustre, surface and colours all over their ranges), so that neither
//! the tables nor the branches are always the same. At the end stand nanoseconds a pearl: the least of many passes, for other
//! programs only add to it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use line::MassFigure;
use line::grade::{Doubt, Figure, Figures, Range, Recipe, Row, Term};
use units::{BinId, EyeId, LaneId, Micrograms, TriggerSeq};
use wire::{Measurement, ViewStatus};

const BINS: u8 = 64;
/// Pearls of a pass, a power of two.
const PEARLS: usize = 4_096;
/// Passes of which the least is taken.
const PASSES: usize = 200;
/// The ten conditions of each bin, with the range of the figure's values.
const CONDITIONS: [(Figure, i32, i32); 10] = [
    (Figure::DiameterUm, 4_000, 12_000),
    (Figure::LargestUm, 4_000, 13_000),
    (Figure::Ddp, 0, 2_500),
    (Figure::Lustre, 0, 10_000),
    (Figure::BlemishArea, 0, 3_000),
    (Figure::LabL, 4_000, 9_500),
    (Figure::LabA, -600, 1_500),
    (Figure::LabB, -1_000, 2_000),
    (Figure::MassUg, 80_000, 2_500_000),
    (Figure::Residual, 0, 300),
];

/// xorshift64*.
struct Chance(u64);

impl Chance {
    fn between(&mut self, least: i32, most: i32) -> i32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        least + (number % u64::from((most - least).unsigned_abs())) as i32
    }

    fn pearl(&mut self) -> (Measurement, MassFigure) {
        let d_min = self.between(4_000, 11_000);
        let d_max = d_min + self.between(0, 1 + d_min / 6);
        let u16_of = |value: i32| u16::try_from(value).unwrap_or(0);
        let i16_of = |value: i32| i16::try_from(value).unwrap_or(0);
        let measurement = Measurement {
            eye: EyeId(0),
            seq: TriggerSeq(0),
            status: ViewStatus::Good,
            in_view: 1,
            d_max_um: u16_of(d_max),
            d_mid_um: u16_of((d_max + d_min) / 2),
            d_min_um: u16_of(d_min),
            u_diameter_um: u16_of(self.between(4, 15)),
            u_ddp: u16_of(self.between(8, 20)),
            residual_um: u16_of(self.between(4, 150)),
            taper: 0,
            lab_l: u16_of(self.between(4_500, 9_000)),
            lab_a: i16_of(self.between(-300, 1_200)),
            lab_b: i16_of(self.between(-800, 1_800)),
            u_lab: 50,
            overtone_a: 0,
            overtone_b: 0,
            lustre: u16_of(self.between(500, 9_900)),
            u_lustre: 100,
            blemishes: 3,
            blemish_area: u16_of(self.between(0, 2_800)),
            u_blemish_area: u16_of(self.between(10, 90)),
            nacre_um: None,
        };
        // 2.7 g/cm3: pi/6 of the cube
        let mass_ug = (f64::from(d_min).powi(3) * 2.7e-9 * 523.599) as i32 / 1_000 * 1_000;
        let mass = MassFigure {
            mass: Micrograms(mass_ug),
            u: Micrograms(300),
        };
        (measurement, mass)
    }

    /// Bins with ten conditions each: a third of a figure's range at the first bins, more at the last, so that pearls are
    /// taken by bins all over the recipe.
    fn rows(&mut self, guard: i32) -> Vec<Row> {
        let row = |bin: u8| {
            let term = |(figure, low, high): (Figure, i32, i32)| {
                let width = (high - low) / 100 * (30 + i32::from(bin));
                let least = low - width / 3 + self.between(0, 1 + high - low - width / 2);
                let range = Range {
                    figure,
                    least,
                    most: least + width,
                };
                Term { range, guard }
            };
            Row {
                bin: BinId(bin),
                lanes: u64::MAX,
                terms: CONDITIONS.map(term).to_vec(),
            }
        };
        (0..BINS).map(row).collect()
    }
}

/// Grades every pearl; the sum keeps the compiler from leaving it out.
fn pass(recipe: &Recipe, pearls: &[(Measurement, MassFigure)]) -> u64 {
    let bin = |(view, mass): &(Measurement, MassFigure)| {
        let figures = Figures {
            view: Some(view),
            mass: Some(*mass),
        };
        match recipe.grade(LaneId(0), black_box(figures)) {
            line::grade::Verdict::Bin(bin) => u64::from(bin.0),
            line::grade::Verdict::Recirculate(_) => 100,
        }
    };
    pearls.iter().map(bin).sum()
}

fn grade(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("grade, 64 bins of 10 conditions");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(PEARLS as u64));
    let pearls: Vec<_> = {
        let mut chance = Chance(0x5045_4152_4C53);
        (0..PEARLS).map(|_| chance.pearl()).collect()
    };
    for (name, guard) in [("without guards", 0), ("with guards of 2 u", 2_000)] {
        let rows = Chance(0x6772_6164_6521).rows(guard);
        let recipe = Recipe::compile(1, rows, Doubt::Lower).expect("ten tables");
        group.bench_function(name, |bencher| bencher.iter(|| pass(&recipe, &pearls)));
        let time = |_| {
            let begin = Instant::now();
            black_box(pass(&recipe, &pearls));
            begin.elapsed()
        };
        let least = (0..PASSES).map(time).min().unwrap_or_default();
        let taken = pearls.iter().filter(|(view, mass)| {
            let figures = Figures {
                view: Some(view),
                mass: Some(*mass),
            };
            matches!(recipe.grade(LaneId(0), figures), line::grade::Verdict::Bin(_))
        });
        println!(
            "{name}: {:.1} ns a pearl, {} of {PEARLS} binned",
            least.as_secs_f64() * 1e9 / PEARLS as f64,
            taken.count()
        );
    }
    group.finish();
}

criterion_group!(benches, grade);
criterion_main!(benches);
