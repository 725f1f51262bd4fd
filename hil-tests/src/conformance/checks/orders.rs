//! Orders and their reports: "Fire", "Amend". Cold.

use units::{OrderId, Tick32, ValveId};
use wire::{Amend, Fault, FaultOf, Fire, FromBoard, SettingKey, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, SPEED, Stop, Switched, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        fires_at_its_ticks,
        Stand,
        "an order opens and closes its valve at its ticks, shifted by the lags at the belt's speed"
    ),
    check!(late_is_refused, Link, "an order whose tick has passed is Late"),
    check!(late_does_not_blow, Stand, "a late order does not open its valve"),
    check!(
        wrong_orders_are_refused,
        Link,
        "Unknown, Duplicate, Horizon and Range are refused as such"
    ),
    check!(
        too_long_is_refused,
        Stand,
        "an order longer than MaxOnUs at the belt's speed is TooLong"
    ),
    check!(
        full_queue_refuses,
        Link,
        "an order more than the queue holds is refused: QueueFull"
    ),
    check!(
        slow_belt_does_not_fire,
        Stand,
        "an order whose tick comes at a belt slower than LeastSpeed is TooSlow"
    ),
    check!(
        cancel_before_is_done,
        Stand,
        "an order cancelled before it blows is Done and never blows"
    ),
    check!(
        cancel_after_is_gone,
        Stand,
        "an order cancelled while it blows is Gone, and so is one that is not known"
    ),
    check!(
        shorten_closes_earlier,
        Stand,
        "a shortened order is Done and closes at its new end; a longer length is Range"
    ),
    check!(one_report_each, Stand, "each order gets exactly one report"),
    check!(
        turning_belt_fires_once,
        Stand,
        "a belt that turns back never fires an order again"
    ),
];

const VALVE: ValveId = ValveId(0);

fn fire(number: u16, valve: ValveId, on: Tick32, length: u16) -> ToBoard {
    ToBoard::Fire(Fire {
        order: OrderId(number),
        valve,
        on,
        length,
    })
}

fn refused(number: u16, fault: Fault) -> FromBoard<'static> {
    FromBoard::Fault {
        of: FaultOf::Order(OrderId(number)),
        fault,
    }
}

fn amend(number: u16, length: u16) -> ToBoard {
    ToBoard::Amend(Amend {
        order: OrderId(number),
        length,
    })
}

/// Holds a switching against the tick at which it should have been: a few ticks early for the speed's rounding.
fn at(host: &Host<'_>, what: &str, switched: Switched, tick: Tick32) -> Result<(), Stop> {
    let off = switched.tick.since(tick);
    must((-8..=8 + host.slack_ticks()).contains(&off), || {
        format!("{what} {off} ticks after tick {}", tick.0)
    })
}

fn fires_at_its_ticks(host: &mut Host<'_>) -> Result<(), Stop> {
    let most_us = host.identity.limits.max_on_us;
    must(most_us >= 50_000, || {
        format!("valves that open for {most_us} us at most")
    })?;
    host.usual_settings();
    host.set(SettingKey::MaxOnUs, 0, most_us);
    host.set(SettingKey::LagOnUs, 0, 50_000);
    host.set(SettingKey::LagOffUs, 0, 40_000);
    host.commit()?;
    host.arm()?;
    host.belt(SPEED)?;
    host.run(120_000)?;
    let (_, now) = host.ping()?;
    let on = now.wrapping_plus(4_000);
    host.send(&[fire(1, VALVE, on, 600)])?;
    let opened = host.switched(VALVE, true, 300_000)?;
    at(host, "opened", opened, on.wrapping_plus(-1_000))?;
    let closed = host.switched(VALVE, false, 100_000)?;
    at(host, "closed", closed, on.wrapping_plus(600 - 800))?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Fired { order: OrderId(1), .. });
    let (_, report) = host.expect("Fired", ANSWER_US, is_it)?;
    let FromBoard::Fired {
        opened: told, open_us, ..
    } = report
    else {
        return Ok(());
    };
    must(told.since(opened.tick).abs() <= 8 + host.slack_ticks(), || {
        format!("told to have opened at tick {}, opened at {}", told.0, opened.tick.0)
    })?;
    let true_us = closed.us - opened.us;
    must(true_us.abs_diff(u64::from(open_us)) <= 200 + host.slack_us(), || {
        format!("told to have been open for {open_us} us, was for {true_us}")
    })
}

fn late_is_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    host.run(20_000)?;
    let tick = host.status()?.tick;
    host.send(&[fire(9, VALVE, tick.wrapping_plus(-100), 50)])?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Late { order: OrderId(9), .. });
    host.expect("Late", ANSWER_US, is_it).map(drop)
}

fn late_does_not_blow(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let (_, now) = host.ping()?;
    host.send(&[fire(9, VALVE, now.wrapping_plus(-10), 1_000)])?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Late { order: OrderId(9), .. });
    host.expect("Late", ANSWER_US, is_it)?;
    host.run(100_000)?;
    must(host.openings(VALVE) == 0, || "it blew".to_owned())
}

fn wrong_orders_are_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    let limits = host.identity.limits;
    host.usual_settings();
    // At a belt that stands lags are nothing: only a length of nothing is out of range, and has no coding.
    host.commit()?;
    host.arm()?;
    let tick = host.status()?.tick;
    let on = tick.wrapping_plus(5_000);
    if limits.valves < u8::MAX {
        host.send(&[fire(1, ValveId(limits.valves), on, 10)])?;
        host.expect_message(refused(1, Fault::Unknown))?;
    }
    host.send(&[fire(2, VALVE, on, 10)])?;
    host.send(&[fire(2, VALVE, on.wrapping_plus(500), 10)])?;
    host.expect_message(refused(2, Fault::Duplicate))?;
    let far = i32::try_from(limits.horizon_ticks).unwrap_or(i32::MAX - 1_000);
    host.send(&[fire(3, VALVE, tick.wrapping_plus(far + 1_000), 10)])?;
    host.expect_message(refused(3, Fault::Horizon))?;
    host.send(&[fire(4, VALVE, tick.wrapping_plus(far - 1_000), 10)])?;
    host.acknowledged()?;
    host.run(20_000)?;
    host.never("an order within the horizon was refused", |m| {
        *m == refused(4, Fault::Horizon)
    })?;
    host.status()?;
    let queued = host.status()?.queued;
    must(queued == 2, || format!("{queued} orders in the queue, two were right"))
}

fn too_long_is_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let (_, now) = host.ping()?;
    // 100 ms are 2,000 ticks.
    host.send(&[fire(1, VALVE, now.wrapping_plus(4_000), 2_100)])?;
    host.expect_message(refused(1, Fault::TooLong))?;
    host.send(&[fire(2, VALVE, now.wrapping_plus(4_000), 1_900)])?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Fired { order: OrderId(2), .. });
    host.expect("Fired", 400_000, is_it).map(drop)
}

fn full_queue_refuses(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    let limits = host.identity.limits;
    let tick = host.status()?.tick;
    for number in 0..limits.queue {
        let valve = ValveId((number % u16::from(limits.valves)) as u8);
        host.send(&[fire(
            number,
            valve,
            tick.wrapping_plus(2_000 + 20 * i32::from(number)),
            10,
        )])?;
        if number % 4 == 3 {
            host.acknowledged()?;
        }
    }
    host.acknowledged()?;
    host.never("an order was refused before the queue was full", |m| {
        matches!(m, FromBoard::Fault { .. })
    })?;
    host.send(&[fire(limits.queue, VALVE, tick.wrapping_plus(9_000), 10)])?;
    host.expect_message(refused(limits.queue, Fault::QueueFull))?;
    host.status()?;
    let queued = host.status()?.queued;
    must(queued == limits.queue, || {
        format!("{queued} orders in the queue of {}", limits.queue)
    })
}

fn slow_belt_does_not_fire(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    host.belt(1_000)?;
    host.run(150_000)?;
    let (_, now) = host.ping()?;
    host.send(&[fire(1, VALVE, now.wrapping_plus(150), 20)])?;
    host.expect("TooSlow", 400_000, |m| *m == refused(1, Fault::TooSlow))?;
    must(host.openings(VALVE) == 0, || "it blew".to_owned())
}

fn cancel_before_is_done(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let (_, now) = host.ping()?;
    host.send(&[fire(1, VALVE, now.wrapping_plus(6_000), 400)])?;
    host.send(&[amend(1, 0)])?;
    host.expect_message(FromBoard::Done { order: OrderId(1) })?;
    host.run(400_000)?;
    must(host.openings(VALVE) == 0, || "it blew all the same".to_owned())?;
    host.never("it was reported again", |m| {
        matches!(m, FromBoard::Fired { .. } | FromBoard::Fault { .. })
    })?;
    // Its number is free again.
    host.send(&[amend(1, 0)])?;
    host.expect_message(FromBoard::Gone { order: OrderId(1) }).map(drop)
}

fn cancel_after_is_gone(host: &mut Host<'_>) -> Result<(), Stop> {
    host.send(&[amend(77, 0)])?;
    host.expect_message(FromBoard::Gone { order: OrderId(77) })?;
    host.running()?;
    let (_, now) = host.ping()?;
    host.send(&[fire(1, VALVE, now.wrapping_plus(3_000), 1_800)])?;
    host.switched(VALVE, true, 300_000)?;
    host.send(&[amend(1, 0)])?;
    host.expect_message(FromBoard::Gone { order: OrderId(1) })?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Fired { order: OrderId(1), .. });
    host.expect("Fired", 200_000, is_it).map(drop)
}

fn shorten_closes_earlier(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let (_, now) = host.ping()?;
    let on = now.wrapping_plus(6_000);
    host.send(&[fire(1, VALVE, on, 1_900)])?;
    host.send(&[amend(1, 2_000)])?;
    host.expect_message(refused(1, Fault::Range))?;
    host.send(&[amend(1, 700)])?;
    host.expect_message(FromBoard::Done { order: OrderId(1) })?;
    let closed = host.switched(VALVE, false, 600_000)?;
    at(host, "closed", closed, on.wrapping_plus(700))
}

fn one_report_each(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let valves = u16::from(host.identity.limits.valves.min(8));
    let count: u16 = 96;
    for first in (0..count).step_by(8) {
        let (_, now) = host.ping()?;
        let orders: Vec<ToBoard> = (first..first + 8)
            .map(|number| {
                // Some come late, some are too long, some are cancelled; the others blow.
                let ahead = if number % 7 == 3 {
                    -50
                } else {
                    3_000 + 150 * i32::from(number % 8)
                };
                let length = if number % 11 == 5 { 3_000 } else { 100 };
                fire(
                    number,
                    ValveId((number % valves) as u8),
                    now.wrapping_plus(ahead),
                    length,
                )
            })
            .collect();
        host.send(&orders)?;
        if first % 16 == 0 {
            host.send(&[amend(first, 0)])?;
        }
        host.run(15_000)?;
    }
    host.run(400_000 + host.slack_us())?;
    let mut reports = vec![0; usize::from(count)];
    for (_, message) in &host.heard {
        let order = match *message {
            FromBoard::Fired { order, .. }
            | FromBoard::Late { order, .. }
            | FromBoard::Done { order }
            | FromBoard::Fault {
                of: FaultOf::Order(order),
                ..
            } => order,
            _ => continue,
        };
        if let Some(reports) = reports.get_mut(order.index()) {
            *reports += 1;
        }
    }
    let wrong: Vec<(usize, i32)> = reports
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, count)| *count != 1)
        .collect();
    must(wrong.is_empty(), || format!("orders and their reports: {wrong:?}"))
}

fn turning_belt_fires_once(host: &mut Host<'_>) -> Result<(), Stop> {
    host.running()?;
    let (_, now) = host.ping()?;
    host.send(&[fire(1, VALVE, now.wrapping_plus(2_000), 200)])?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Fired { order: OrderId(1), .. });
    host.expect("Fired", 400_000, is_it)?;
    host.belt(-SPEED)?;
    host.run(250_000)?;
    host.belt(SPEED)?;
    host.run(400_000)?;
    must(host.openings(VALVE) == 1, || {
        format!("it blew {} times", host.openings(VALVE))
    })?;
    host.never("it was reported again", is_it)
}
