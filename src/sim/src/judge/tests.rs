//! A checker that can't fail is worth nothing: each is shown a story that has been tampered with.

use line::{Cause, MassFigure};
use units::{Micrograms, Micrometres, PearlId, Tick};
use wire::{Mass, Measurement};

use super::*;
use crate::chance::Chance;
use crate::demo::{DemoOptions, machine};
use crate::nature::Nature;
use crate::pearl::Pearl;

/// A pearl that earns `bin`, its true end there, and the record that the core should give.
fn story_and_record(judge: &Judge, bin: u8) -> (Story, Record) {
    let mut chance = Chance::new(9, 9);
    let pearl = loop {
        let pearl = Pearl::draw(&mut chance, &Nature::default());
        if grade(&judge.rules, &pearl.truth) == Some(BinId(bin)) && earned(judge, &pearl) == Some(BinId(bin)) {
            break pearl;
        }
    };
    let view = Measurement {
        in_view: 1,
        ..pearl.seen
    };
    let story = Story {
        lane: LaneId(2),
        number: 7,
        interruption: Some(5),
        shared: false,
        entered_us: 1_000_000,
        left_us: 1_400_000,
        ended_us: 1_460_000,
        place: Place::Bin(BinId(bin)),
        alone_um: 50_000,
        truth: pearl.truth,
        view: Some(view),
        mass: Some(mass(&pearl)),
    };
    let record = Record {
        pearl: PearlId(1),
        lane: LaneId(2),
        seq: TriggerSeq(40),
        triggered: HostUs(1_000_000),
        centre: Tick(20_000),
        length: Micrometres(6_500),
        view: Some(view),
        mass: Some(MassFigure {
            mass: Micrograms(pearl.weighed_ug.0.cast_signed()),
            u: Micrograms(pearl.weighed_ug.1.cast_signed()),
        }),
        earned: Some(BinId(bin)),
        sent: Destination::Bin(BinId(bin)),
        landing: Landing::Seen,
        decision_us: Some(0),
        lead_us: Some(100_000),
        recipe: 1,
        lot: 0,
    };
    (story, record)
}

fn mass(pearl: &Pearl) -> Mass {
    Mass {
        cell: 2,
        number: 0,
        entered: units::Tick32(0),
        left: units::Tick32(0),
        status: MassStatus::Good,
        mass_ug: pearl.weighed_ug.0,
        u_mass_ug: pearl.weighed_ug.1,
    }
}

fn earned(judge: &Judge, pearl: &Pearl) -> Option<BinId> {
    let mut d_um = [pearl.seen.d_max_um, pearl.seen.d_mid_um, pearl.seen.d_min_um].map(i32::from);
    d_um.sort_unstable_by(|a, b| b.cmp(a));
    let figures = Figures {
        d_um,
        lustre: i32::from(pearl.seen.lustre),
        blemish_area: i32::from(pearl.seen.blemish_area),
        lab: [0; 3],
        mass_ug: pearl.weighed_ug.0.cast_signed(),
    };
    grade(&judge.rules, &figures)
}

/// What a judge makes of one pearl whose story and record have been tampered with.
fn verdict(tamper: impl FnOnce(&mut Judge, &mut Story, &mut Record)) -> (Summary, Vec<String>) {
    verdict_of(tamper, |_, _| {})
}

fn verdict_of(
    tamper: impl FnOnce(&mut Judge, &mut Story, &mut Record),
    afterwards: impl FnOnce(&mut Judge, &Record),
) -> (Summary, Vec<String>) {
    let mut judge = Judge::new(&machine(16, DemoOptions::default()), 1e6);
    let (mut story, mut record) = story_and_record(&judge, 3);
    let interruption = Interruption {
        lane: LaneId(2),
        ordinal: 5,
        seq: TriggerSeq(40),
        at_us: 1_000_000,
        spurious: false,
    };
    judge.interrupted(&interruption);
    judge.told(LaneId(2), TriggerSeq(40));
    tamper(&mut judge, &mut story, &mut record);
    judge.ended(&story);
    judge.record(&record, 1_480_000);
    afterwards(&mut judge, &record);
    judge.finish()
}

#[test]
fn an_honest_story_is_right() {
    let (summary, complaints) = verdict(|_, _, _| {});
    assert_eq!(summary.complaints(), Vec::<String>::new(), "{complaints:?}");
    assert_eq!(
        (summary.pearls_in, summary.binned, summary.right, summary.misrouted),
        (1, 1, 1, 0)
    );
    assert_eq!(
        (summary.upgraded, summary.overgraded_truth, summary.lost_wrong),
        (0, 0, 0)
    );
    assert_eq!((summary.single, summary.binned_single_share), (1, 1.0));
}

#[test]
fn a_pearl_in_another_bin_is_misrouted_and_upgraded() {
    let (summary, _) = verdict(|_, story, _| story.place = Place::Bin(BinId(0)));
    assert_eq!((summary.misrouted, summary.misrouted_into_bins), (1, 1));
    assert_eq!(
        (
            summary.upgraded,
            summary.upgraded_unquarantined,
            summary.overgraded_truth
        ),
        (1, 1, 1)
    );
    assert!(!summary.complaints().is_empty());
}

#[test]
fn a_pearl_that_its_jet_missed_is_misrouted_but_in_no_bin() {
    let (summary, _) = verdict(|_, story, _| story.place = Place::Tray);
    assert_eq!(
        (summary.misrouted, summary.misrouted_into_bins, summary.upgraded),
        (1, 0, 0)
    );
    assert_eq!(summary.recirculated.get("missed"), Some(&1));
}

#[test]
fn a_bin_that_the_figures_do_not_earn_is_found_although_the_record_says_so() {
    let (summary, _) = verdict(|_, story, record| {
        story.place = Place::Bin(BinId(0));
        record.sent = Destination::Bin(BinId(0));
        record.earned = Some(BinId(0));
    });
    assert_eq!((summary.misrouted, summary.upgraded, summary.mixed_up), (0, 1, 1));
}

#[test]
fn an_unmeasured_or_unweighed_pearl_in_a_bin_is_upgraded() {
    let unmeasured = |_: &mut Judge, story: &mut Story, record: &mut Record| {
        story.view = None;
        record.view = None;
    };
    let unweighed = |_: &mut Judge, story: &mut Story, _: &mut Record| {
        if let Some(mass) = &mut story.mass {
            mass.status = MassStatus::Shared;
        }
    };
    assert_eq!(verdict(unmeasured).0.upgraded, 1);
    assert_eq!(verdict(unweighed).0.upgraded, 1);
    assert_eq!(
        verdict(|_, story, _| story.shared = true).0.upgraded,
        1,
        "one of two that touch"
    );
    assert_eq!(
        verdict(|_, story, _| story.interruption = None).0.upgraded,
        1,
        "one that no eye saw"
    );
}

#[test]
fn another_pearls_figures_in_a_record_are_found() {
    let (summary, _) = verdict(|_, _, record| {
        if let Some(view) = &mut record.view {
            view.lustre += 1;
        }
    });
    assert_eq!(summary.mixed_up, 1);
    let (summary, _) = verdict(|_, _, record| {
        if let Some(mass) = &mut record.mass {
            mass.mass.0 += 1;
        }
    });
    assert_eq!(summary.mixed_up, 1);
}

#[test]
fn a_pearl_that_is_truly_worse_is_overgraded() {
    let (summary, _) = verdict(|_, story, _| story.truth.lustre = 0);
    assert_eq!((summary.overgraded_truth, summary.upgraded), (1, 0));
}

#[test]
fn a_missing_record_a_second_one_and_a_strange_one_are_unaccounted() {
    let (summary, _) = verdict(|_, _, record| record.seq = TriggerSeq(41));
    assert_eq!(
        summary.unaccounted, 2,
        "a record of nothing, and an interruption without one"
    );
    let (summary, _) = verdict_of(|_, _, _| {}, |judge, record| judge.record(record, 1_500_000));
    assert_eq!(summary.unaccounted, 1);
    let (summary, _) = verdict(|_, _, record| record.lane = LaneId(63));
    assert_eq!(summary.unaccounted, 2);
}

#[test]
fn a_loss_that_is_not_recorded_and_a_recorded_loss_that_is_none_are_found() {
    let (summary, _) = verdict(|_, story, _| story.place = Place::Lost);
    assert_eq!((summary.lost, summary.lost_recorded, summary.lost_wrong), (1, 0, 1));
    let (summary, _) = verdict(|_, _, record| record.landing = Landing::Lost);
    assert_eq!((summary.lost, summary.lost_recorded, summary.lost_wrong), (0, 1, 1));
}

#[test]
fn only_a_quarantine_of_the_bin_around_the_landing_covers_it() {
    let quarantine = |bin: u8, since_us: i64, noticed_us: u64| {
        let (summary, _) = verdict_of(
            |_, story, _| story.place = Place::Bin(BinId(0)),
            |judge, _| {
                let notice = Notice::Quarantined {
                    bin: BinId(bin),
                    since: HostUs(since_us),
                    pearls: 1,
                };
                judge.notice(&notice, noticed_us);
            },
        );
        (summary.upgraded, summary.upgraded_unquarantined)
    };
    assert_eq!(quarantine(0, 1_400_000, 1_500_000), (1, 0));
    assert_eq!(quarantine(1, 1_400_000, 1_500_000), (1, 1), "of another bin");
    assert_eq!(
        quarantine(0, 1_460_001, 1_500_000),
        (1, 1),
        "it begins after the landing"
    );
    assert_eq!(quarantine(0, 1_400_000, 60_000_000), (1, 1), "it comes too late");
}

#[test]
fn a_pearl_that_comes_into_a_bin_after_its_release_is_not_covered() {
    let (summary, _) = verdict(|judge, story, _| {
        story.place = Place::Bin(BinId(0));
        let notice = Notice::Quarantined {
            bin: BinId(0),
            since: HostUs(0),
            pearls: 1,
        };
        judge.notice(&notice, 900_000);
        judge.notice(&Notice::Released(BinId(0)), 1_200_000);
    });
    assert_eq!(summary.upgraded_unquarantined, 1);
}

#[test]
fn valves_that_are_open_too_long_or_unfed_are_found() {
    let switched = |open, at_us| Switched {
        board: 0,
        valve: 3,
        open,
        at_us,
    };
    let judged = |fed: &[(u8, u64)], switches: &[Switched], until_us| {
        let mut judge = Judge::new(&machine(16, DemoOptions::default()), 1e6);
        let happened = Happened {
            fed: fed.to_vec(),
            switched: switches.to_vec(),
            ..Happened::default()
        };
        judge.hear(&happened, until_us);
        let (summary, _) = judge.finish();
        (summary.valve_overlong, summary.valve_unfed)
    };
    let fed = [(0, 1_000_000), (0, 1_050_000)];
    assert_eq!(
        judged(
            &fed,
            &[switched(true, 1_060_000), switched(false, 1_080_000)],
            1_080_000
        ),
        (0, 0)
    );
    assert_eq!(
        judged(
            &fed,
            &[switched(true, 1_000_000), switched(false, 1_090_000)],
            1_090_000
        ),
        (1, 0)
    );
    assert_eq!(
        judged(&fed, &[switched(true, 1_000_000)], 1_090_000),
        (1, 0),
        "still open"
    );
    assert_eq!(
        judged(
            &fed,
            &[switched(true, 1_150_000), switched(false, 1_160_000)],
            1_160_000
        ),
        (0, 1)
    );
    assert_eq!(
        judged(&[(1, 1_140_000)], &[switched(true, 1_150_000)], 1_152_000),
        (0, 1),
        "another board was fed"
    );
}

#[test]
fn pearls_that_nobody_saw_are_counted_apart() {
    let (summary, _) = verdict(|_, story, record| {
        story.interruption = None;
        story.place = Place::Tray;
        record.sent = Destination::Tray(Cause::NoMeasurement);
        record.landing = Landing::Seen;
    });
    assert_eq!(summary.unseen, 1);
    assert_eq!(summary.recirculated.get("unseen"), Some(&1));
}

#[test]
fn a_trigger_that_the_core_was_not_told_of_needs_no_record() {
    let mut judge = Judge::new(&machine(16, DemoOptions::default()), 1e6);
    let (mut story, _) = story_and_record(&judge, 3);
    story.place = Place::Tray;
    let interruption = Interruption {
        lane: LaneId(2),
        ordinal: 5,
        seq: TriggerSeq(40),
        at_us: 1_000_000,
        spurious: false,
    };
    judge.interrupted(&interruption);
    judge.ended(&story);
    let (summary, _) = judge.finish();
    assert_eq!((summary.unaccounted, summary.unseen), (0, 1));
    assert_eq!(summary.complaints(), Vec::<String>::new());
}
