//! A line whose weigh cells stream samples, whole and in virtual time: the core weighs, and the judge knows the truth.

use line::Notice;
use sim::faults::{Fault, FaultPlan};
use sim::virtual_time::{VirtualOptions, VirtualOutcome, run};
use units::LaneId;

/// As many lanes as a link of a megabaud carries the samples of, with a third to spare.
const LANES: u8 = 4;

fn options(seed: u64, pearls: u64) -> VirtualOptions {
    VirtualOptions {
        seed,
        pearls,
        lanes: LANES,
        rate: 12.0,
        samples: true,
        ..VirtualOptions::default()
    }
}

/// A run of 16 s with one fault from 8 s until 10 s.
fn faulty(fault: Fault) -> VirtualOutcome {
    let options = VirtualOptions {
        most_us: 16_000_000,
        faults: FaultPlan::none().with(8.0, 10.0, fault),
        ..options(3, u64::MAX)
    };
    run(&options, |_| {})
}

#[track_caller]
fn assert_content(outcome: &VirtualOutcome) {
    assert_eq!(
        outcome.summary.complaints(),
        Vec::<String>::new(),
        "{:#?}\n{:#?}",
        outcome.complaints,
        outcome.summary
    );
    assert!(outcome.complete, "pearls or records are left over");
}

#[test]
fn pearls_are_sorted_by_the_masses_that_the_core_weighs() {
    let outcome = run(&options(1, 4_000), |_| {});
    assert_content(&outcome);
    let s = &outcome.summary;
    assert_eq!((s.upgraded, s.misrouted), (0, 0), "{:#?}", outcome.complaints);
    let weighing = s.weighing.expect("the core has weighed");
    assert!(weighing.pearls > 3_500, "{weighing:?}");
    assert!(weighing.mean_mg.abs() <= 0.3 && weighing.sd_mg <= 0.5, "{weighing:?}");
    assert!((0.90..=0.995).contains(&weighing.within_2u), "{weighing:?}");
    assert!(
        s.binned_single_share > 0.96,
        "{} of the single pearls, {:?}",
        s.binned_single_share,
        s.recirculated
    );
    assert_eq!(outcome.accounts.gaps, 0, "no weighing was left out");
}

#[test]
fn the_same_seed_weighs_alike() {
    let digest = || run(&options(5, 600), |_| {}).summary.digest;
    assert_eq!(digest(), digest());
}

#[test]
fn a_cell_at_fault_gives_no_mass_and_its_pearls_go_round() {
    let lane = LaneId(1);
    for (fault, cause) in [
        (Fault::CellSilent { lane }, "no_mass"),
        (Fault::CellStuck { lane }, "mass_stuck"),
        (Fault::CellSaturated { lane }, "mass_saturated"),
    ] {
        let outcome = faulty(fault);
        assert_content(&outcome);
        let s = &outcome.summary;
        assert_eq!(s.upgraded, 0, "{fault:?}: {:#?}", outcome.complaints);
        assert!(
            s.recirculated.get(cause).is_some_and(|n| *n >= 10),
            "{fault:?}: {:?}",
            s.recirculated
        );
        let weighing = s.weighing.expect("the core has weighed");
        assert!(weighing.sd_mg < 0.6 && weighing.pearls > 500, "{fault:?}: {weighing:?}");
    }
}

#[test]
fn a_zero_that_runs_away_is_told_and_stops_the_weighing() {
    let outcome = faulty(Fault::CellDrifting {
        lane: LaneId(2),
        ug_s: 80_000.0,
    });
    assert_content(&outcome);
    let told = |on: bool| {
        outcome
            .notices
            .iter()
            .any(|(_, notice)| *notice == Notice::Zero(LaneId(2), on))
    };
    assert!(told(true), "{:?}", outcome.notices);
    assert_eq!(outcome.summary.upgraded, 0);
}
