//! What a sample costs the weigh stage at 4,800 samples/s: one cell alone, and 64 cells in turn as their messages come.
//!
//! The signal is that of `setup`'s synthetic platform: 12 pearls a second with doubles, and 24 a second on a short dwell.
//! At the end stands the share of a core that 64 cells take: the least of many passes, for other programs only add to it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::weighing::model;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use line::weigh::{Checks, Estimator};
use setup::weigh::Recording;
use setup::weigh::synthetic::Plan;
use units::BoardUs;

const CELLS: usize = 64;
/// Samples in a message.
const MESSAGE: usize = 48;
/// Passes of which the least is taken.
const PASSES: usize = 15;

/// Gates of a recording as (time in us, leaves), in the order of their times.
fn gates(recording: &Recording) -> Vec<(i64, bool)> {
    let us = |seconds: f64| (seconds * 1e6) as i64;
    let both = recording
        .gates
        .iter()
        .filter_map(|gate| Some((gate.enter_s?, gate.leave_s?)));
    let mut gates: Vec<(i64, bool)> = both.flat_map(|(on, off)| [(us(on), false), (us(off), true)]).collect();
    gates.sort_unstable();
    gates
}

/// The plan's own belt lines, Hz.
fn lines_hz(plan: &Plan) -> Vec<f64> {
    plan.lines.iter().map(|line| line.0).collect()
}

/// A cell that is fed its recording again and again.
struct Cell {
    estimator: Estimator,
    codes: Vec<i32>,
    gates: Vec<(i64, bool)>,
    at: usize,
    gate: usize,
}

impl Cell {
    fn new(plan: &Plan) -> Self {
        let recording = plan.record();
        Self {
            estimator: Estimator::new(&model(plan, &lines_hz(plan)), &Checks::default(), BoardUs(0))
                .expect("the model can be used"),
            gates: gates(&recording),
            codes: recording.samples,
            at: 0,
            gate: 0,
        }
    }

    /// The next samples and their gates; from the beginning again at the recording's end.
    fn feed(&mut self, plan: &Plan, count: usize) -> u64 {
        let mut weighed = 0;
        for _ in 0..count {
            if self.at == self.codes.len() {
                self.estimator = Estimator::new(&model(plan, &lines_hz(plan)), &Checks::default(), BoardUs(0))
                    .expect("the model can be used");
                (self.at, self.gate) = (0, 0);
            }
            let now_us = self.at as f64 * 1e6 / plan.sample_hz;
            while let Some(&(at, leaves)) = self.gates.get(self.gate).filter(|gate| gate.0 as f64 <= now_us) {
                self.gate += 1;
                if leaves {
                    self.estimator.left(BoardUs(at));
                } else {
                    self.estimator.entered(BoardUs(at));
                }
            }
            weighed += u64::from(black_box(self.estimator.sample(self.at as u32, self.codes[self.at])).is_some());
            self.at += 1;
        }
        weighed
    }
}

fn plans() -> [(&'static str, Plan); 2] {
    let usual = Plan {
        seconds: 10.0,
        quiet_s: 0.1,
        lines: vec![(26.0, 6.0), (50.5, 3.0), (52.1, 3.0), (101.0, 2.0)],
        ..Plan::default()
    };
    let dense = Plan {
        pearls_per_s: 24.0,
        dwell_ms: 27.0,
        ..usual.clone()
    };
    [("12 pearls/s", usual), ("24 pearls/s", dense)]
}

fn one_cell(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("weigh, a sample of one cell");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for (name, plan) in plans() {
        let mut cell = Cell::new(&plan);
        group.throughput(Throughput::Elements(4_800));
        group.bench_function(name, |bencher| bencher.iter(|| cell.feed(&plan, 4_800)));
    }
    group.finish();
}

fn all_cells(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("weigh, a sample of 64 cells in turn");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    for (name, plan) in plans() {
        let plan = Plan { seconds: 4.0, ..plan };
        // Each cell is somewhere else in its recording, so that a pass has every part of it.
        let cell = |seed: usize| {
            let mut cell = Cell::new(&Plan {
                seed: seed as u64,
                ..plan.clone()
            });
            cell.feed(&plan, seed * cell.codes.len() / CELLS);
            cell
        };
        let mut cells: Vec<Cell> = (0..CELLS).map(cell).collect();
        let samples = (CELLS * MESSAGE * 10) as u64;
        let mut round = || -> u64 {
            let mut weighed = 0;
            for _ in 0..10 {
                weighed += cells.iter_mut().map(|cell| cell.feed(&plan, MESSAGE)).sum::<u64>();
            }
            weighed
        };
        group.throughput(Throughput::Elements(samples));
        group.bench_function(name, |bencher| bencher.iter(&mut round));
        let least = (0..PASSES)
            .map(|_| {
                let begin = Instant::now();
                black_box(round());
                begin.elapsed()
            })
            .min()
            .unwrap_or_default();
        let us = least.as_secs_f64() * 1e6 / samples as f64;
        let share = us * 1e-6 * plan.sample_hz * CELLS as f64 * 100.0;
        println!("{name}: {us:.3} us a sample, {CELLS} cells at 4,800 samples/s take {share:.1} % of a core");
    }
    group.finish();
}

criterion_group!(benches, one_cell, all_cells);
criterion_main!(benches);
