//! The line in virtual time, whole: clean, from the same seed again, and under faults. Every run is judged by checkers that
//! know the truth. The whole catalogue of faults is in `hil-tests/scenarios`.

use devices::faults::LinkFault;
use line::{Command, HoldCause, Notice};
use sim::demo::{DemoOptions, machine};
use sim::faults::{Fault, FaultPlan};
use sim::virtual_time::{VirtualOptions, VirtualOutcome, run};
use units::{BoardId, LaneId, ValveId};

const BOARD: BoardId = BoardId(0);
/// Valve of lane 3 and bin 4, which gets many pearls.
const VALVE: ValveId = ValveId(22);

fn options(seed: u64, pearls: u64) -> VirtualOptions {
    VirtualOptions {
        seed,
        pearls,
        ..VirtualOptions::default()
    }
}

/// A run with one fault from `from_s` until `until_s`.
fn faulty(from_s: f64, until_s: f64, fault: Fault, seed: u64) -> VirtualOutcome {
    let options = VirtualOptions {
        most_us: 16_000_000,
        faults: FaultPlan::none().with(from_s, until_s, fault),
        ..options(seed, u64::MAX)
    };
    run(&options, |_| {})
}

#[track_caller]
fn assert_content(name: &str, outcome: &VirtualOutcome) {
    let summary = &outcome.summary;
    let none = Vec::<String>::new();
    assert_eq!(
        summary.complaints(),
        none,
        "{name}, seed {}: {:#?}",
        summary.seed,
        outcome.complaints
    );
    assert!(
        outcome.complete,
        "{name}, seed {}: pearls or records are left over",
        summary.seed
    );
}

#[test]
fn a_clean_run_sorts_nearly_everything_and_nothing_wrongly() {
    let outcome = run(&options(1, 20_000), |_| {});
    assert_content("clean", &outcome);
    let s = &outcome.summary;
    assert_eq!(s.pearls_in, 20_000);
    assert_eq!(
        (s.misrouted, s.upgraded, s.late),
        (0, 0, 0),
        "{:#?}",
        outcome.complaints
    );
    assert!(
        s.binned_single_share >= 0.97,
        "{} of the single pearls were binned",
        s.binned_single_share
    );
    assert!(s.lead_ms.min >= 55.0, "an order came {} ms ahead", s.lead_ms.min);
    assert!(
        (s.overgraded_truth as f64) < 0.03 * s.binned as f64,
        "{} of {}",
        s.overgraded_truth,
        s.binned
    );
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_seed_another() {
    let digest = |seed| run(&options(seed, 1_500), |_| {}).summary.digest;
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

#[test]
fn slower_and_faster_lines_of_other_sizes_sort_as_well() {
    for (lanes, rate, um_s) in [(1, 4.0, 300_000), (9, 25.0, 1_500_000), (20, 15.0, 3_000_000)] {
        let options = VirtualOptions {
            lanes,
            rate,
            um_s,
            ..options(3, 2_000)
        };
        let outcome = run(&options, |_| {});
        assert_content("other sizes", &outcome);
        let s = &outcome.summary;
        assert_eq!(
            (s.misrouted_into_bins, s.upgraded),
            (0, 0),
            "{lanes} lanes at {um_s} um/s: {:#?}",
            outcome.complaints
        );
        assert!(
            s.binned * 10 > s.pearls_in * 7,
            "{} of {} binned: {:?}",
            s.binned,
            s.pearls_in,
            s.recirculated
        );
    }
}

#[test]
fn a_line_is_back_after_a_link_that_was_gone_and_after_a_board_reset() {
    for board in [BoardId(0), BoardId(1)] {
        let cut = Fault::Link {
            board,
            fault: LinkFault::Cut,
        };
        for (until_s, fault) in [(10.0, cut), (8.3, Fault::BoardReset { board })] {
            let outcome = faulty(8.0, until_s, fault, 4);
            assert_content(&format!("{fault:?}"), &outcome);
            let ran = |(at_us, notice): &(u64, Notice)| *notice == Notice::Running && *at_us > 8_000_000;
            assert!(outcome.notices.iter().any(ran), "{fault:?}: the line did not run again");
        }
    }
}

#[test]
fn a_valve_that_stays_open_holds_the_line_and_its_bin_is_quarantined() {
    let outcome = faulty(
        8.0,
        14.0,
        Fault::ValveOpen {
            board: BOARD,
            valve: VALVE,
        },
        2,
    );
    assert_content("valve stays open", &outcome);
    assert!(
        outcome.summary.upgraded > 0,
        "the fault put no pearl into the bin: the test shows nothing"
    );
    assert!(outcome.summary.quarantines > 0);
    let held =
        |(at_us, notice): &(u64, Notice)| matches!(notice, Notice::Held(_)) && (8_000_000..9_500_000).contains(at_us);
    assert!(
        outcome.notices.iter().any(held),
        "the line did not hold within 1.5 s: {:?}",
        outcome.notices
    );
}

#[test]
fn a_valve_that_stays_shut_holds_the_line() {
    let outcome = faulty(
        8.0,
        14.0,
        Fault::ValveShut {
            board: BOARD,
            valve: VALVE,
        },
        2,
    );
    assert_content("valve stays shut", &outcome);
    let held = |(at_us, notice): &(u64, Notice)| {
        matches!(notice, Notice::Held(HoldCause::ValveShut(..))) && (8_000_000..13_000_000).contains(at_us)
    };
    assert!(outcome.notices.iter().any(held), "{:?}", outcome.notices);
    assert_eq!(outcome.summary.misrouted_into_bins, 0);
}

#[test]
fn an_encoder_that_stands_or_counts_backwards_holds_the_line() {
    let board = BoardId(1);
    for fault in [Fault::EncoderStop { board }, Fault::EncoderReverse { board }] {
        let outcome = faulty(8.0, 9.0, fault, 3);
        assert_content(&format!("{fault:?}"), &outcome);
        let held = |(at_us, notice): &(u64, Notice)| {
            matches!(notice, Notice::Held(_)) && (8_000_000..9_000_000).contains(at_us)
        };
        assert!(outcome.notices.iter().any(held), "{fault:?}: {:?}", outcome.notices);
    }
}

#[test]
fn a_board_s_clock_may_run_fast_and_jump() {
    let board = BoardId(1);
    for (until_s, fault) in [
        (12.0, Fault::ClockSkew { board, ppm: 100 }),
        (8.0, Fault::ClockStep { board, us: 5_000 }),
        (8.0, Fault::ClockStep { board, us: -5_000 }),
    ] {
        let outcome = faulty(8.0, until_s, fault, 3);
        assert_content(&format!("{fault:?}"), &outcome);
        assert_eq!(outcome.summary.misrouted_into_bins, 0, "{fault:?}");
    }
}

#[test]
fn a_weigh_cell_that_finds_itself_at_fault_binds_no_pearl_to_a_bin() {
    let lane = LaneId(3);
    let cause = |fault, cause| {
        let outcome = faulty(8.0, 12.0, fault, 3);
        assert_content(cause, &outcome);
        let count = outcome.summary.recirculated.get(cause).copied().unwrap_or(0);
        assert!(count >= 20, "{cause}: {:?}", outcome.summary.recirculated);
    };
    cause(Fault::CellStuck { lane }, "mass_stuck");
    cause(Fault::CellSaturated { lane }, "mass_saturated");
    cause(Fault::CellDrifting { lane, ug_s: 1_000.0 }, "mass_zero");
}

#[test]
fn what_an_operator_holds_stands_until_he_starts_it() {
    let outcome = run(
        &VirtualOptions {
            most_us: 12_000_000,
            commands: vec![(4_000_000, Command::Hold), (8_000_000, Command::Start)],
            ..options(7, u64::MAX)
        },
        |_| {},
    );
    assert_content("held by hand", &outcome);
    let times = |wanted: fn(&Notice) -> bool| -> Vec<u64> {
        let of = outcome.notices.iter().filter(|(_, notice)| wanted(notice));
        of.map(|(at_us, _)| *at_us).collect()
    };
    let held = times(|notice| *notice == Notice::Held(HoldCause::Command));
    let ran = times(|notice| *notice == Notice::Running);
    assert!(matches!(held[..], [4_000_000..4_100_000]), "{held:?}");
    assert!(matches!(ran[..], [_, 8_000_000..8_500_000]), "{ran:?}");
}

#[test]
fn the_feeder_stands_while_the_line_holds() {
    let outcome = run(
        &VirtualOptions {
            most_us: 12_000_000,
            operator: false,
            faults: FaultPlan::none().with(6.0, 7.0, sim::faults::Fault::SafetyOpen),
            ..options(7, u64::MAX)
        },
        |_| {},
    );
    assert_content("safety", &outcome);
    // 6 s at 240 pearls/s less the start, and what lay between feeder and eye.
    assert!(
        outcome.summary.pearls_in < 1_500,
        "{} pearls came",
        outcome.summary.pearls_in
    );
}

#[test]
fn random_timetables_of_faults_break_nothing() {
    let plan = machine(16, DemoOptions::default()).plan;
    for seed in 1..=20 {
        let faults = sim::random::timetable(seed, &plan, 1e6);
        let options = VirtualOptions {
            most_us: 14_000_000,
            faults: faults.clone(),
            ..options(seed, u64::MAX)
        };
        assert_content(&format!("{:?}", faults.faults), &run(&options, |_| {}));
    }
}
