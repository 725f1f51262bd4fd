//! What a board keeps by itself: longest and least times of valves, test pulses. Cold.

use stand::FromStand;
use units::{OrderId, ValveId};
use wire::{Fault, FaultOf, Fire, FromBoard, SettingKey, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, SPEED, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        never_open_too_long,
        Stand,
        "a valve is forced shut at MaxOnUs, whatever the belt does: ForcedShut"
    ),
    check!(unset_valve_never_opens, Link, "a valve with MaxOnUs 0 never opens"),
    check!(
        least_off_time_is_kept,
        Stand,
        "between closing and opening again lie MinOffUs at least"
    ),
    check!(
        pulse_opens_for_its_time,
        Stand,
        "a test pulse at a standing belt opens the valve for its time: Pulsed"
    ),
    check!(
        pulse_is_refused_while_moving,
        Stand,
        "a test pulse is refused while belt or feeder move: Moving"
    ),
    check!(
        wrong_pulses_are_refused,
        Link,
        "Unknown, TooLong, Range and Duplicate pulses are refused as such"
    ),
];

const VALVE: ValveId = ValveId(0);
/// A belt that stands is known to stand after so long, us.
const STANDS_US: u64 = 300_000;

fn pulse(valve: ValveId, us: u16) -> ToBoard {
    ToBoard::Pulse { valve, us }
}

fn refused(valve: ValveId, fault: Fault) -> FromBoard<'static> {
    FromBoard::Fault {
        of: FaultOf::Valve(valve),
        fault,
    }
}

fn never_open_too_long(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let (_, now) = host.ping()?;
    let on = now.wrapping_plus(2_000);
    host.send(&[ToBoard::Fire(Fire {
        order: OrderId(1),
        valve: VALVE,
        on,
        length: 1_800,
    })])?;
    let opened = host.switched(VALVE, true, 300_000)?;
    // The belt stops: the order's end never comes.
    host.belt(0)?;
    let closed = host.switched(VALVE, false, 150_000)?;
    let open_us = closed.us - opened.us;
    must(open_us <= 100_000 + 1_000 + host.slack_us(), || {
        format!("open for {open_us} us")
    })?;
    must(open_us >= 100_000 - host.telling_us(), || {
        format!("open for {open_us} us only")
    })?;
    host.expect_message(FromBoard::Fault {
        of: FaultOf::Order(OrderId(1)),
        fault: Fault::ForcedShut,
    })?;
    host.expect_message(refused(VALVE, Fault::ForcedShut)).map(drop)
}

fn unset_valve_never_opens(host: &mut Host<'_>) -> Result<(), Stop> {
    host.set(SettingKey::StatusUs, 0, 2_000);
    host.commit()?;
    host.run(STANDS_US)?;
    host.send(&[pulse(VALVE, 500)])?;
    host.expect_message(refused(VALVE, Fault::TooLong))?;
    must(host.openings(VALVE) == 0, || "it opened".to_owned())
}

fn least_off_time_is_kept(host: &mut Host<'_>) -> Result<(), Stop> {
    host.usual_settings();
    host.set(SettingKey::MinOffUs, 0, 20_000);
    host.commit()?;
    host.arm()?;
    host.belt(SPEED)?;
    host.run(120_000)?;
    let (_, now) = host.ping()?;
    // Pulses of 5 ms, 10 ms after one another: too close for 20 ms of rest; each order comes when the one before has
    // begun, so that the board can't know of it in time to keep the valve open.
    for n in 0..8_u16 {
        host.send(&[ToBoard::Fire(Fire {
            order: OrderId(n),
            valve: VALVE,
            on: now.wrapping_plus(2_000 + 200 * i32::from(n)),
            length: 100,
        })])?;
    }
    host.run(400_000)?;
    let mut closed_us = None;
    for told in &host.told {
        if let FromStand::Valve {
            valve: VALVE, open, us, ..
        } = *told
        {
            if let (true, Some(closed_us)) = (open, closed_us) {
                must(us - closed_us >= 20_000 - host.telling_us(), || {
                    format!("opened again after {} us", us - closed_us)
                })?;
            }
            closed_us = (!open).then_some(us);
        }
    }
    must(host.openings(VALVE) > 0, || "it never opened".to_owned())
}

fn pulse_opens_for_its_time(host: &mut Host<'_>) -> Result<(), Stop> {
    host.usual_settings();
    host.commit()?;
    host.run(STANDS_US)?;
    host.send(&[pulse(VALVE, 20_000)])?;
    let opened = host.switched(VALVE, true, ANSWER_US)?;
    let closed = host.switched(VALVE, false, 50_000)?;
    let open_us = closed.us - opened.us;
    must(
        (20_000 - host.telling_us()..=20_500 + host.slack_us()).contains(&open_us),
        || format!("open for {open_us} us"),
    )?;
    host.expect_message(FromBoard::Pulsed { valve: VALVE }).map(drop)
}

fn pulse_is_refused_while_moving(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    host.belt(SPEED)?;
    host.run(50_000)?;
    host.send(&[pulse(VALVE, 1_000)])?;
    host.expect_message(refused(VALVE, Fault::Moving))?;
    host.belt(0)?;
    host.run(STANDS_US + 50_000)?;
    let feeder = |value| ToBoard::Output { channel: 0, value };
    host.send(&[feeder(1)])?;
    host.send(&[pulse(VALVE, 1_000)])?;
    host.expect_message(refused(VALVE, Fault::Moving))?;
    must(host.openings(VALVE) == 0, || "it opened".to_owned())?;
    host.send(&[feeder(0), pulse(VALVE, 1_000)])?;
    host.expect_message(FromBoard::Pulsed { valve: VALVE }).map(drop)
}

fn wrong_pulses_are_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    let limits = host.identity.limits;
    host.usual_settings();
    host.set(SettingKey::MaxOnUs, 0, 30_000.min(limits.max_on_us));
    host.set(SettingKey::MinOffUs, 0, 200_000);
    host.commit()?;
    host.run(STANDS_US)?;
    if limits.valves < u8::MAX {
        let beyond = ValveId(limits.valves);
        host.send(&[pulse(beyond, 100)])?;
        host.expect_message(refused(beyond, Fault::Unknown))?;
    }
    host.send(&[pulse(VALVE, 0)])?;
    host.expect_message(refused(VALVE, Fault::Range))?;
    host.send(&[pulse(VALVE, 30_001)])?;
    host.expect_message(refused(VALVE, Fault::TooLong))?;
    host.send(&[pulse(VALVE, 20_000), pulse(VALVE, 1_000)])?;
    host.expect_message(refused(VALVE, Fault::Duplicate))?;
    host.expect_message(FromBoard::Pulsed { valve: VALVE })?;
    // Over, but not recovered.
    host.send(&[pulse(VALVE, 1_000)])?;
    host.expect_message(refused(VALVE, Fault::Duplicate)).map(drop)
}
