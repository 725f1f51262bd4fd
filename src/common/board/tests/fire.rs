//! Fire orders: when valves open and close, what is refused, what a cut takes away.

mod rig;

use board::Description;
use proptest::prelude::*;
use rig::{Rig, STEP_US, done, encoder, fired, gone, order_fault, valve_fault};
use units::OrderId;
use wire::{Fault, FromBoard, SettingKey};

fn late(order: u16, tick: i64) -> FromBoard<'static> {
    FromBoard::Late {
        order: OrderId(order),
        tick: encoder(tick),
    }
}

#[test]
fn an_order_opens_its_valve_from_tick_to_tick() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 2, on, 100);
    rig.run_to(on + 200);
    assert_eq!(rig.switched(2), [(true, on), (false, on + 100)]);
    assert_eq!(rig.take(), [fired(1, on, 5_000)]);
}

#[test]
fn edges_are_shifted_by_the_valves_lags_at_the_belts_speed() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    rig.set(SettingKey::MaxOnUs, 0, 50_000);
    rig.set(SettingKey::LagOnUs, 0, 3_000);
    rig.set(SettingKey::LagOffUs, 0, 1_000);
    rig.arm();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.run_to(on + 200);
    assert_eq!(rig.switched(0), [(true, on - 60), (false, on + 100 - 20)]);
    rig.speed = 10_000;
    rig.run_us(100_000);
    let on = rig.tick + 500;
    rig.fire(2, 0, on, 100);
    rig.run_to(on + 200);
    assert_eq!(rig.switched(0), [(true, on - 30), (false, on + 100 - 10)]);
}

#[test]
fn an_order_given_before_the_belt_changes_speed_is_shifted_by_the_speed_of_its_tick() {
    for (before, after, shift) in [(20_000, 10_000, 100), (10_000, 20_000, 200)] {
        let mut rig = Rig::at(0, 0);
        rig.speed = before;
        rig.connect(1);
        rig.set(SettingKey::MaxOnUs, 0, 50_000);
        rig.set(SettingKey::LagOnUs, 0, 10_000);
        rig.arm();
        let on = rig.tick + 5_000;
        rig.fire(1, 0, on, 300);
        rig.speed = after;
        rig.run_to(on + 400);
        assert_eq!(rig.switched(0), [(true, on - shift), (false, on + 300)]);
    }
}

#[test]
fn ticks_and_times_wrap() {
    for (tick, us) in [
        ((1 << 32) - 2_600, 0),
        (5_000, (1 << 32) - 130_000),
        ((1 << 32) - 2_600, (1 << 32) - 130_000),
    ] {
        let mut rig = Rig::armed_at(tick, us);
        let on = rig.tick + 550;
        rig.fire(1, 0, on, 100);
        rig.fire(2, 0, on + 600, 100);
        rig.run_to(on + 900);
        let expected = [(true, on), (false, on + 100), (true, on + 600), (false, on + 700)];
        assert_eq!(rig.switched(0), expected);
        assert_eq!(rig.take(), [fired(1, on, 5_000), fired(2, on + 600, 5_000)]);
        assert!(rig.tick > 1 << 32 || rig.us > 1 << 32, "something has wrapped");
    }
}

#[test]
fn an_order_whose_shifted_tick_has_passed_is_late() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    rig.set(SettingKey::MaxOnUs, 0, 50_000);
    rig.set(SettingKey::LagOnUs, 0, 3_000);
    rig.arm();
    let now = rig.tick;
    rig.fire(1, 0, now + 59, 100);
    assert_eq!(rig.take(), [late(1, now)]);
    rig.fire(2, 0, now + 60, 100);
    rig.run_us(20_000);
    assert_eq!(rig.take(), [fired(2, now, 8_000)]);
}

#[test]
fn orders_that_cannot_be_are_refused_each_for_its_reason() {
    let mut rig = Rig::armed();
    let now = rig.tick;
    rig.fire(1, 0, now + 400_001, 100);
    rig.fire(2, 64, now + 500, 100);
    rig.fire(3, 0, now + 500, 1_001);
    rig.fire(4, 9, now + 500, 10);
    rig.fire(5, 0, now + 500, 10);
    rig.fire(5, 1, now + 500, 10);
    let expected = [
        order_fault(1, Fault::Horizon),
        order_fault(2, Fault::Unknown),
        order_fault(3, Fault::TooLong),
        // A valve that nobody has set has a longest on-time of zero.
        order_fault(4, Fault::TooLong),
        order_fault(5, Fault::Duplicate),
    ];
    assert_eq!(rig.take(), expected);
    rig.run_us(100_000);
    assert_eq!(rig.take(), [fired(5, now + 500, 500)]);
}

#[test]
fn a_full_queue_refuses() {
    let mut description = Description::standard(1);
    description.limits.queue = 3;
    let mut rig = Rig::with(description, 0, 0);
    rig.connect(1);
    rig.set(SettingKey::MaxOnUs, 0, 50_000);
    rig.arm();
    let now = rig.tick;
    for order in 0..5 {
        rig.fire(order, 0, now + 500 + 400 * i64::from(order), 10);
    }
    assert_eq!(
        rig.take(),
        [order_fault(3, Fault::QueueFull), order_fault(4, Fault::QueueFull)]
    );
    rig.run_to(now + 600);
    rig.fire(6, 0, now + 1_000, 10);
    assert_eq!(rig.take(), [fired(0, now + 500, 500)]);
}

#[test]
fn a_reversing_belt_never_fires_again() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.run_to(on + 150);
    assert_eq!(rig.switched(0), [(true, on), (false, on + 100)]);
    for speed in [-20_000, 20_000, -20_000, 20_000] {
        rig.speed = speed;
        rig.run_us(50_000);
    }
    assert_eq!(rig.switched(0), []);
    assert_eq!(rig.take(), [fired(1, on, 5_000)]);
}

#[test]
fn an_order_that_blows_when_the_belt_reverses_blows_once_and_is_forced_shut() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.run_to(on + 50);
    rig.speed = -20_000;
    rig.run_us(60_000);
    assert_eq!(
        rig.take(),
        [order_fault(1, Fault::ForcedShut), valve_fault(0, Fault::ForcedShut)]
    );
    rig.speed = 20_000;
    rig.run_us(200_000);
    let switched = rig.switched(0);
    assert_eq!(switched.len(), 2, "{switched:?}");
    assert_eq!(rig.take(), []);
}

#[test]
fn below_the_least_speed_nothing_fires() {
    let mut rig = Rig::armed();
    rig.speed = 1_900;
    rig.run_us(100_000);
    let on = rig.tick + 100;
    rig.fire(1, 0, on, 20);
    rig.run_to(on + 50);
    assert_eq!(rig.take(), [order_fault(1, Fault::TooSlow)]);
    assert_eq!(rig.switched(0), []);
    rig.speed = 2_100;
    rig.run_us(100_000);
    let on = rig.tick + 100;
    rig.fire(2, 0, on, 20);
    rig.run_to(on + 50);
    assert_eq!(rig.switched(0), [(true, on), (false, on + 20)]);
}

#[test]
fn a_slip_of_the_encoder_neither_shifts_edges_nor_fires_what_it_skips() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    rig.set(SettingKey::MaxOnUs, 0, 50_000);
    rig.set(SettingKey::LagOnUs, 0, 3_000);
    rig.arm();
    let now = rig.tick;
    rig.fire(1, 0, now + 1_000, 100);
    rig.fire(2, 0, now + 6_000, 100);
    rig.tick += 5_000;
    rig.run_us(100_000);
    assert_eq!(rig.switched(0), [(true, now + 6_000 - 60), (false, now + 6_100)]);
    assert_eq!(rig.take(), [late(1, now + 5_001), fired(2, now + 5_940, 8_000)]);
}

#[test]
fn no_valve_is_open_longer_than_its_longest_time() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 900);
    rig.run_to(on + 10);
    rig.speed = 4_000;
    rig.run_us(60_000);
    assert_eq!(
        rig.take(),
        [order_fault(1, Fault::ForcedShut), valve_fault(0, Fault::ForcedShut)]
    );
    let opened_us = 50_000 - 10 * STEP_US;
    let moved = i64::try_from(opened_us).unwrap() * 4_000 / 1_000_000;
    assert_eq!(rig.switched(0), [(true, on), (false, on + 10 + moved)]);
}

#[test]
fn a_valve_that_was_shut_rests_before_it_opens_again() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.run_to(on + 100);
    // Closed a moment ago: 2 ms are 40 ticks.
    rig.fire(2, 0, on + 110, 100);
    rig.fire(3, 1, on + 110, 100);
    rig.run_to(on + 300);
    assert_eq!(
        rig.switched(0),
        [(true, on), (false, on + 100), (true, on + 140), (false, on + 210)]
    );
    assert_eq!(rig.switched(1), [(true, on + 110), (false, on + 210)]);
}

#[test]
fn pulses_that_overlap_or_come_closer_than_the_least_off_time_are_bridged() {
    for (gap, bridged) in [(-30, true), (0, true), (39, true), (40, false), (60, false)] {
        let mut rig = Rig::armed();
        let on = rig.tick + 500;
        let second = on + 100 + gap;
        rig.fire(1, 0, on, 100);
        rig.fire(2, 0, second, 100);
        rig.run_to(second + 200);
        let expected = if bridged {
            vec![(true, on), (false, second + 100)]
        } else {
            vec![(true, on), (false, on + 100), (true, second), (false, second + 100)]
        };
        assert_eq!(rig.switched(0), expected, "gap {gap}");
        assert_eq!(
            rig.take(),
            [fired(1, on, 5_000), fired(2, second, 5_000)],
            "each has a report of its own"
        );
    }
}

#[test]
fn cancelling_one_of_two_bridged_orders_leaves_the_other_whole() {
    for cancelled in [1, 2] {
        let mut rig = Rig::armed();
        let on = [rig.tick + 500, rig.tick + 570];
        rig.fire(1, 0, on[0], 100);
        rig.fire(2, 0, on[1], 100);
        rig.amend(cancelled, 0);
        rig.run_to(on[1] + 200);
        let (left, on) = if cancelled == 1 { (2, on[1]) } else { (1, on[0]) };
        assert_eq!(rig.switched(0), [(true, on), (false, on + 100)]);
        assert_eq!(rig.take(), [done(cancelled), fired(left, on, 5_000)]);
    }
}

#[test]
fn cancelling_the_second_between_the_two_closes_the_valve_at_once() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.fire(2, 0, on + 130, 100);
    rig.run_to(on + 110);
    rig.amend(2, 0);
    rig.run_to(on + 400);
    assert_eq!(rig.switched(0), [(true, on), (false, on + 110)]);
    assert_eq!(rig.take(), [fired(1, on, 5_000), done(2)]);
}

#[test]
fn a_cut_is_done_as_long_as_nothing_of_what_it_takes_away_has_blown() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.amend(1, 80);
    rig.run_to(on + 40);
    rig.amend(1, 60);
    rig.run_to(on + 50);
    rig.amend(1, 49);
    rig.amend(1, 61);
    rig.amend(1, 60);
    rig.amend(1, 0);
    rig.run_to(on + 200);
    rig.amend(1, 0);
    rig.amend(99, 0);
    assert_eq!(rig.switched(0), [(true, on), (false, on + 60)]);
    let expected = [
        done(1),
        done(1),
        gone(1),
        order_fault(1, Fault::Range),
        done(1),
        gone(1),
        fired(1, on, 3_000),
        gone(1),
        gone(99),
    ];
    assert_eq!(rig.take(), expected);
}

#[test]
fn a_cancel_is_too_late_once_the_coil_is_on_even_if_the_air_is_still_on_its_way() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    rig.set(SettingKey::MaxOnUs, 0, 50_000);
    rig.set(SettingKey::LagOnUs, 0, 3_000);
    rig.arm();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.run_to(on - 60);
    rig.amend(1, 0);
    rig.run_to(on + 200);
    assert_eq!(rig.switched(0), [(true, on - 60), (false, on + 100)]);
    assert_eq!(rig.take(), [gone(1), fired(1, on - 60, 8_000)]);
}

#[test]
fn an_order_that_a_cut_leaves_nothing_of_does_not_open_the_valve() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    rig.set(SettingKey::MaxOnUs, 0, 50_000);
    rig.set(SettingKey::LagOffUs, 0, 1_000);
    rig.arm();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 20);
    rig.fire(2, 0, on, 100);
    rig.amend(2, 20);
    rig.run_to(on + 200);
    assert_eq!(rig.switched(0), []);
    assert_eq!(
        rig.take(),
        [order_fault(1, Fault::Range), done(2), order_fault(2, Fault::Range)]
    );
}

#[test]
fn jumping_from_due_to_due_switches_as_polling_each_tick_does() {
    let mut rig = Rig::armed();
    let start = rig.tick;
    for (order, on) in [(1u16, 500), (2, 560), (3, 900), (4, 1_700)] {
        rig.fire(order, 0, start + on, 100);
        rig.fire(order + 10, 1, start + on + 30, 77);
    }
    rig.feeding = false;
    let mut jumps = 0;
    while rig.tick < start + 1_900 {
        let ticks = rig
            .board
            .next_match_tick()
            .map(|tick| i64::from(tick.since(encoder(rig.tick))));
        let us = rig.board.next_deadline_us().map(|us| us.saturating_sub(rig.us).max(1));
        let by_us = us.map(|us| i64::try_from(us).unwrap().div_euclid(50).max(1));
        let jump = [ticks, by_us, Some(100)].into_iter().flatten().min().unwrap().max(1);
        rig.tick += jump;
        rig.us += 50 * u64::try_from(jump).unwrap();
        rig.poll();
        jumps += 1;
    }
    let on = |at: i64| start + at;
    let expected = [
        (true, on(500)),
        (false, on(660)),
        (true, on(900)),
        (false, on(1_000)),
        (true, on(1_700)),
        (false, on(1_800)),
    ];
    assert_eq!(rig.switched(0), expected);
    assert_eq!(rig.take().len(), 8);
    assert!(jumps < 300, "{jumps} jumps for 1,900 ticks");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is ordered and cut, and however the belt runs: each accepted order ends in exactly one report, and no
    /// valve is open longer than its longest time or rests shorter than its least off-time.
    #[test]
    fn each_order_ends_once_and_the_guards_hold(
        actions in prop::collection::vec((0..8u8, 0..4u8, 0..400i64, 1..300u16), 1..60),
    ) {
        let mut rig = Rig::armed();
        let mut order = 0;
        let mut farthest = rig.tick;
        for (action, valve, ahead, length) in actions {
            match action {
                0..=3 => {
                    order += 1;
                    farthest = farthest.max(rig.tick + ahead + i64::from(length));
                    rig.fire(order, valve, rig.tick + ahead, length);
                }
                4 => rig.amend(order.saturating_sub(u16::from(valve)), length.saturating_sub(150)),
                5 => rig.speed = [20_000, -20_000, 3_000, 0][usize::from(valve)],
                6 => rig.tick += 200 * i64::from(valve) - 200,
                _ => rig.run_us(u64::from(length) * 100),
            }
        }
        // However far the belt has run back, it comes past the last order, and a state after that is told.
        rig.speed = 20_000;
        let way_us = (farthest - rig.tick).max(0).unsigned_abs() * 50;
        rig.run_us(way_us + 200_000);
        let status = rig.status.unwrap();
        prop_assert_eq!((status.queued, status.blowing, status.dropped), (0, false, 0));
        let reports = rig.take();
        for id in 1..=order {
            let ends = reports.iter().filter(|report| ends_order(report, id)).count();
            let cuts = reports.iter().filter(|report| **report == done(id)).count();
            prop_assert!(ends == 1 || (ends == 0 && cuts > 0), "order {} ended {} times: {:?}", id, ends, reports);
        }
        guards_hold(&rig)?;
    }
}

#[test]
fn a_belt_that_runs_back_far_and_on_again_ends_its_orders() {
    let mut rig = Rig::armed();
    rig.speed = -20_000;
    rig.fire(1, 0, rig.tick + 140, 282);
    rig.tick -= 200;
    rig.run_us(164_000);
    rig.fire(2, 0, rig.tick + 335, 297);
    rig.speed = 20_000;
    rig.run_us(212_000);
    let status = rig.status.unwrap();
    assert_eq!((status.queued, status.blowing, status.dropped), (0, false, 0));
}

fn ends_order(report: &FromBoard<'_>, id: u16) -> bool {
    match *report {
        FromBoard::Fired { order, .. } | FromBoard::Late { order, .. } => order.0 == id,
        FromBoard::Fault {
            of: wire::FaultOf::Order(order),
            fault,
        } => {
            // A longer length is refused and changes nothing; only these lengths below 150 can be longer ones.
            order.0 == id && fault != Fault::Range
        }
        _ => false,
    }
}

fn guards_hold(rig: &Rig) -> Result<(), TestCaseError> {
    let mut last = [(false, 0); 64];
    for moved in &rig.pins.moved {
        let rig::Moved::Valve { valve, open, us, .. } = *moved else {
            continue;
        };
        let (was_open, since) = last[usize::from(valve)];
        prop_assert_ne!(open, was_open, "a valve is switched to what it is not");
        if open {
            prop_assert!(since == 0 || us - since >= 2_000, "rested {} us", us - since);
        } else {
            prop_assert!(us - since <= 50_000, "open {} us", us - since);
        }
        last[usize::from(valve)] = (open, us);
    }
    Ok(())
}
