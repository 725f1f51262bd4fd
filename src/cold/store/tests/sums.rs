//! Sums equal records, whatever comes in whatever order, across restarts and clocks that are set.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use line::{Cause, Destination, Landing, MassFigure, Record};
use proptest::prelude::*;
use store::{Classes, Leftover, Options, Outcome, Writer};
use support::{Folder, HandClock, binned, event, form, options, view};
use units::{BinId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};
use wire::{Measurement, ViewStatus};

#[derive(Clone, Debug)]
enum Step {
    Record(Box<Record>, Option<Classes>),
    Event,
    OpenLot,
    CloseLot,
    Pour,
    Flush,
    Restart,
    Unkept(u32, u64),
    /// Time passes, us.
    Pass(i64),
    /// The clock is set to this, us since 1970.
    SetClock(i64),
}

fn cause() -> impl Strategy<Value = Cause> {
    (0..Cause::COUNT).prop_map(|index| Cause::all().nth(index).expect("below the count"))
}

fn landing() -> impl Strategy<Value = Landing> {
    prop_oneof![
        Just(Landing::Seen),
        Just(Landing::NoEye),
        Just(Landing::Lost),
        Just(Landing::Tray),
        (0..64_u8).prop_map(|bin| Landing::Bin(BinId(bin))),
    ]
}

fn any_view() -> impl Strategy<Value = Option<Measurement>> {
    let status = (0..10_u8).prop_map(|number| {
        let of = |cause| match cause {
            Cause::View(status) if status as u8 == number => Some(status),
            _ => None,
        };
        Cause::all().find_map(of).expect("ten statuses")
    });
    proptest::option::of(
        (status, any::<u8>(), any::<u16>(), any::<i16>(), any::<Option<u16>>()).prop_map(
            |(status, small, wide, signed, nacre_um)| {
                let good = status == ViewStatus::Good;
                let full = Measurement {
                    d_max_um: wide,
                    d_min_um: wide / 2,
                    lab_a: signed,
                    overtone_b: signed,
                    lustre: wide,
                    blemishes: small,
                    u_blemish_area: wide,
                    nacre_um,
                    ..view(0)
                };
                let nothing = Measurement {
                    status,
                    in_view: small,
                    ..empty()
                };
                if good { full } else { nothing }
            },
        ),
    )
}

/// A view without figures.
fn empty() -> Measurement {
    Measurement {
        d_max_um: 0,
        d_mid_um: 0,
        d_min_um: 0,
        u_diameter_um: 0,
        u_ddp: 0,
        residual_um: 0,
        taper: 0,
        lab_l: 0,
        lab_a: 0,
        lab_b: 0,
        u_lab: 0,
        overtone_a: 0,
        overtone_b: 0,
        lustre: 0,
        u_lustre: 0,
        blemishes: 0,
        blemish_area: 0,
        u_blemish_area: 0,
        nacre_um: None,
        ..view(0)
    }
}

prop_compose! {
    fn record()(
        ids in (any::<u64>(), 0..64_u8, any::<u16>(), any::<i64>(), any::<i64>(), any::<i32>()),
        view in any_view(),
        mass in proptest::option::of((any::<i32>(), any::<i32>())),
        earned in proptest::option::of(0..64_u8),
        sent in prop_oneof![(0..64_u8).prop_map(|bin| Destination::Bin(BinId(bin))), cause().prop_map(Destination::Tray)],
        landing in landing(),
        times in any::<(Option<i32>, Option<i32>)>(),
        recipe in prop_oneof![Just(u64::MAX), Just(1)],
        lot in 0..4_u32,
    ) -> Record {
        let seq = TriggerSeq(ids.2);
        Record {
            pearl: PearlId(ids.0),
            lane: LaneId(ids.1),
            seq,
            triggered: HostUs(ids.3),
            centre: Tick(ids.4),
            length: Micrometres(ids.5),
            view: view.map(|view| Measurement { seq, ..view }),
            mass: mass.map(|(mass, u)| MassFigure { mass: Micrograms(mass), u: Micrograms(u) }),
            earned: earned.map(BinId),
            sent,
            landing,
            decision_us: times.0,
            lead_us: times.1,
            recipe,
            lot,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let classes = proptest::option::of(prop_oneof![
        Just(Classes::new([("shape", "A1"), ("lustre", "B")])),
        Just(Classes::new([("shape", "D")])),
        Just(Classes::new([])),
    ]);
    prop_oneof![
        30 => (record(), classes).prop_map(|(record, classes)| Step::Record(Box::new(record), classes)),
        4 => Just(Step::Event),
        1 => Just(Step::OpenLot),
        1 => Just(Step::CloseLot),
        1 => Just(Step::Pour),
        1 => Just(Step::Flush),
        1 => Just(Step::Restart),
        1 => (0..4_u32, 1..9_u64).prop_map(|(lot, records)| Step::Unkept(lot, records)),
        4 => (0..90_000_000_i64).prop_map(Step::Pass),
        1 => (0..200_000_000_000_i64).prop_map(Step::SetClock),
    ]
}

fn at(folder: &Folder, clock: &Arc<HandClock>) -> Writer {
    let clock: Arc<HandClock> = Arc::clone(clock);
    Writer::start(&folder.store(), Options { clock, ..options() }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn sums_equal_records_after_anything(steps in proptest::collection::vec(step(), 1..200)) {
        let folder = Folder::new();
        let clock = HandClock::at(100_000_000_000);
        let mut writer = at(&folder, &clock);
        let (mut given, mut unkept, mut open) = (Vec::new(), 0, 0);
        for step in steps {
            let handle = writer.handle();
            match step {
                Step::Record(record, classes) => {
                    handle.record(&record, classes.clone());
                    given.push((*record, classes));
                }
                Step::Event => handle.event(event("notice.held")),
                Step::OpenLot => open = handle.open_lot(form("A"), 1, "li").map_or(open, |lot| lot.lot),
                Step::CloseLot => drop(handle.close_lot(open, Leftover::default(), "li")),
                Step::Pour => drop(handle.pour_tray(open, "li")),
                Step::Flush => handle.flush().unwrap(),
                Step::Restart => {
                    drop(handle);
                    writer.end();
                    writer = at(&folder, &clock);
                }
                Step::Unkept(lot, records) => {
                    handle.unkept(lot, records);
                    if open > 0 && lot > 0 && lot <= open {
                        unkept += records;
                    }
                }
                Step::Pass(us) => clock.pass(us),
                Step::SetClock(us) => clock.set_wall(us),
            }
        }
        let handle = writer.handle();
        let health = writer.end();
        prop_assert_eq!(health.dropped, store::Dropped::default());
        let reader = handle.reader().unwrap();
        prop_assert_eq!(reader.verify_sums().unwrap(), []);
        prop_assert!(reader.verify_file().unwrap().is_empty());
        let kept = reader.last_records(10_000, None).unwrap();
        // Every record came back as it was, in order, numbered without a gap, in time that does not fall.
        prop_assert_eq!(kept.len(), given.len());
        for ((number, kept), (record, classes)) in (1..).zip(&kept).zip(&given) {
            prop_assert_eq!((kept.number, &kept.record, &kept.classes), (number, record, classes));
        }
        prop_assert!(kept.windows(2).all(|two| two[0].stamp.at_us <= two[1].stamp.at_us));
        // Reports say the same as the records.
        let mut reported_unkept = 0;
        for lot in reader.lots(None, 100).unwrap() {
            let report = reader.report(lot.lot).unwrap().unwrap();
            let of = |wanted: fn(Outcome) -> bool| {
                let is = |(record, _): &&(Record, _)| record.lot == lot.lot && wanted(Outcome::of(record));
                given.iter().filter(is).count() as u64
            };
            prop_assert_eq!(report.binned.passes, of(|outcome| matches!(outcome, Outcome::Bin(_))));
            prop_assert_eq!(report.recirculated.passes, of(|outcome| matches!(outcome, Outcome::Tray(_))));
            prop_assert_eq!(report.lost.passes, of(|outcome| outcome == Outcome::Lost));
            prop_assert_eq!(report.passes.passes, of(|_| true));
            prop_assert_eq!(report.bins.iter().map(|bin| bin.tally.passes).sum::<u64>(), report.binned.passes);
            prop_assert_eq!(report.earned.iter().map(|sum| sum.tally.passes).sum::<u64>(), report.passes.passes);
            prop_assert!(report.pearls <= report.passes.passes);
            reported_unkept += report.unkept;
        }
        prop_assert!(reported_unkept >= unkept);
    }
}

#[test]
fn a_sum_that_was_changed_is_found() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    for pearl in 1..=10 {
        writer.handle().record(&binned(pearl, 0, 1), None);
    }
    writer.end();
    let connection = rusqlite::Connection::open(folder.store()).unwrap();
    connection
        .execute_batch("UPDATE lot_sums SET passes = 9 WHERE what = 'outcome'")
        .unwrap();
    connection.execute_batch("DELETE FROM minute_sums").unwrap();
    let faults = store::Reader::open(&folder.store()).unwrap().verify_sums().unwrap();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert_eq!((faults[0].stands.passes, faults[0].counted.passes), (9, 10));
    assert_eq!((faults[1].stands.passes, faults[1].counted.passes), (0, 10));
}

#[test]
fn a_clock_set_back_breaks_no_order_and_no_minute() {
    const HOUR_US: i64 = 3_600_000_000;
    let folder = Folder::new();
    let clock = HandClock::at(100 * HOUR_US);
    let writer = at(&folder, &clock);
    writer.handle().record(&binned(1, 0, 1), None);
    clock.set_wall(90 * HOUR_US);
    clock.pass(60_000_000);
    writer.handle().record(&binned(2, 0, 1), None);
    writer.handle().flush().unwrap();
    assert_eq!(writer.handle().health().clock_behind_us.signum(), 1);
    writer.end();
    // Started again while the clock is still behind.
    clock.pass(60_000_000);
    let writer = at(&folder, &clock);
    writer.handle().record(&binned(3, 0, 1), None);
    let reader = writer.handle().reader().unwrap();
    writer.end();
    let kept = reader.last_records(10, None).unwrap();
    let times: Vec<_> = kept.iter().map(|of| of.stamp.at_us - 100 * HOUR_US).collect();
    assert_eq!(times, [0, 60_000_000, 60_000_001]);
    let walls: Vec<_> = kept.iter().map(|of| of.stamp.wall_us / HOUR_US).collect();
    assert_eq!(walls, [100, 90, 90], "what the clock said is kept too");
    assert_eq!((kept[0].run, kept[2].run), (1, 2));
    let minutes = reader.minutes(100 * HOUR_US, 101 * HOUR_US, None).unwrap();
    let passes: Vec<_> = minutes.iter().map(|sum| sum.tally.passes).collect();
    assert_eq!(passes, [1, 2]);
    assert_eq!(clock.steady_us.load(Ordering::Relaxed), 120_000_000);
}

#[test]
fn events_are_read_by_kind_newest_first() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    for kind in ["alarm.raised", "notice.held", "alarm.cleared", "alarms"] {
        handle.event(event(kind));
    }
    handle.flush().unwrap();
    let reader = handle.reader().unwrap();
    let kinds = |before, kind: &str| {
        let events = reader.events(before, 10, kind).unwrap();
        events.into_iter().map(|of| of.event.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(None, "alarm."), ["alarm.cleared", "alarm.raised"]);
    assert_eq!(kinds(Some(3), ""), ["notice.held", "alarm.raised"]);
    assert_eq!(reader.events(None, 1, "").unwrap()[0].event, event("alarms"));
}
