//! Sweeps of a jet whose truth is known.

use super::super::chance::Chance;
use super::*;

const AT: f64 = 5_213.0;
const HALF: f64 = 16.0;
/// True lags less the configured ones, s.
const ERRORS: [f64; 2] = [230e-6, -140e-6];
const CONFIGURED: Configured = Configured {
    on_us: 900.0,
    off_us: 700.0,
    at_um: 260_000.0,
    ticks_per_metre: 20_000.0,
};

/// Pulses at steps of 4 ticks over 48 ticks about the edge, `roll` ticks of scatter.
fn pulses(chance: &mut Chance, speed: f64, opening: bool, repeats: usize, roll: f64) -> Vec<EdgeTrial> {
    let (edge, error) = if opening {
        (AT - HALF, ERRORS[0])
    } else {
        (AT + HALF, ERRORS[1])
    };
    let offsets = (-12..=12).flat_map(|step| std::iter::repeat_n(4.0 * f64::from(step), repeats));
    offsets
        .map(|offset| {
            let offset = (edge + offset).round();
            let air = offset + error * speed + roll * chance.normal();
            let hit = if opening { air <= edge } else { air >= edge };
            EdgeTrial { speed, offset, hit }
        })
        .collect()
}

fn sweep(seed: u64, speeds: &[f64], repeats: usize, roll: f64) -> Sweep {
    let mut chance = Chance::new(seed);
    let mut of = |opening| {
        speeds
            .iter()
            .map(|speed| pulses(&mut chance, *speed, opening, repeats, roll))
            .collect()
    };
    Sweep {
        opening: of(true),
        closing: of(false),
    }
}

#[test]
fn the_truth_lies_within_two_uncertainties_in_about_95_percent() {
    let mut covered = [0; 3];
    for seed in 0..500 {
        let found = lags(&sweep(seed, &[10_000.0, 24_000.0], 6, 8.0), CONFIGURED).expect("good data");
        let within = |figure: Figure, truth: f64| i32::from((figure.value - truth).abs() <= 2.0 * figure.u);
        covered[0] += within(found.on_us, 900.0 + ERRORS[0] * 1e6);
        covered[1] += within(found.off_us, 700.0 + ERRORS[1] * 1e6);
        covered[2] += within(found.at, AT);
        assert!(found.on_us.u < 250.0 && found.at.u < 4.0, "{found:?}");
    }
    assert!(covered.iter().all(|n| (460..=490).contains(n)), "{covered:?} of 500");
}

#[test]
fn edges_without_any_overlap_are_found_to_a_step() {
    let found = lags(&sweep(1, &[10_000.0, 24_000.0], 2, 0.0), CONFIGURED).expect("good data");
    assert!((found.at.value - AT).abs() <= 4.0, "{found:?}");
    assert!((found.on_us.value - 1_130.0).abs() <= 300.0, "{found:?}");
    assert_eq!(found.rejected, 0);
}

#[test]
fn a_drop_eye_that_errs_now_and_then_does_not_move_the_edges() {
    let clean = sweep(2, &[10_000.0, 24_000.0], 12, 4.0);
    let before = lags(&clean, CONFIGURED).expect("good data");
    let mut wrong = clean;
    for level in wrong.opening.iter_mut().chain(&mut wrong.closing) {
        for at in [0, 3, 7, 290, 299] {
            level[at].hit = !level[at].hit;
        }
    }
    let found = lags(&wrong, CONFIGURED).expect("few are wrong");
    assert_eq!(found.rejected, before.rejected + 20);
    assert!((found.at.value - before.at.value).abs() < before.at.u);
    assert!((found.on_us.value - before.on_us.value).abs() < before.on_us.u);
    assert_eq!(found.residuals.len(), found.n);
}

fn refusal(sweep: &Sweep, configured: Configured) -> Refusal {
    lags(sweep, configured).expect_err("bad data")
}

#[test]
fn bad_sweeps_are_refused_with_their_reason() {
    let good = sweep(1, &[10_000.0, 24_000.0], 6, 8.0);

    let mut few = good.clone();
    few.closing[1].truncate(9);
    let few = refusal(&few, CONFIGURED);
    assert!(matches!(few, Refusal::TooFew { n: 9, .. }), "{few}");

    let one = refusal(&sweep(1, &[10_000.0], 6, 8.0), CONFIGURED);
    assert!(matches!(one, Refusal::SpeedsTooClose { .. }), "{one}");
    let close = refusal(&sweep(1, &[10_000.0, 11_500.0], 6, 8.0), CONFIGURED);
    assert!(matches!(close, Refusal::SpeedsTooClose { .. }), "{close}");

    for (hit, side) in [(true, OneSide::OnlyHits), (false, OneSide::OnlyMisses)] {
        let mut flat = good.clone();
        flat.opening[0].iter_mut().for_each(|trial| trial.hit = hit);
        let flat = refusal(&flat, CONFIGURED);
        assert!(
            matches!(flat, Refusal::OneSided { side: found, .. } if found == side),
            "{flat}"
        );
    }

    let mut blind = good.clone();
    for (at, trial) in blind.closing[0].iter_mut().enumerate() {
        trial.hit = at % 2 == 0;
    }
    let blind = refusal(&blind, CONFIGURED);
    assert!(matches!(blind, Refusal::NoEdge { .. }), "{blind}");
}

#[test]
fn results_too_far_off_or_too_uncertain_are_refused() {
    let good = sweep(1, &[10_000.0, 24_000.0], 6, 8.0);
    let moved = Configured {
        at_um: 250_000.0,
        ..CONFIGURED
    };
    let moved = refusal(&good, moved);
    assert!(matches!(moved, Refusal::TooFar { unit: "um", .. }), "{moved}");

    let negative = Configured {
        off_us: 50.0,
        ..CONFIGURED
    };
    let negative = refusal(&good, negative);
    assert!(matches!(negative, Refusal::TooFar { unit: "us", .. }), "{negative}");

    let rough = refusal(&sweep(1, &[10_000.0, 12_500.0], 1, 12.0), CONFIGURED);
    assert!(matches!(rough, Refusal::TooUncertain { .. }), "{rough}");
}

#[test]
fn pulses_that_err_far_from_the_edge_are_refused_when_they_are_many() {
    let mut many = sweep(2, &[10_000.0, 24_000.0], 12, 1.0);
    for level in &mut many.opening {
        for trial in level.iter_mut().step_by(7) {
            trial.hit = !trial.hit;
        }
    }
    let many = refusal(&many, CONFIGURED);
    assert!(matches!(many, Refusal::NoEdge { .. }), "{many}");
}
