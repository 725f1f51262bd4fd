//! The ends of the counters: ticks and time at 2^32, order numbers at 2^16, frames at 2^8. Cold.

use stand::ToStand;
use units::{OrderId, Tick32, ValveId};
use wire::{Fire, FromBoard, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, SPEED, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(frames_wrap, Link, "frame numbers go on over 2^8, in both directions"),
    check!(ticks_wrap, Stand, "orders are fired at their ticks over 2^32"),
    check!(
        time_wraps,
        Stand,
        "Status, watchdog and longest times go on over 2^32 us"
    ),
    check!(order_numbers_wrap, Link, "order numbers go on over 2^16"),
];

const VALVE: ValveId = ValveId(0);

fn frames_wrap(host: &mut Host<'_>) -> Result<(), Stop> {
    for n in 0..300 {
        host.send(&[ToBoard::Disarm])?;
        host.expect(&format!("Disarmed, the {n}th"), ANSWER_US, |m| {
            *m == FromBoard::Disarmed { by_watchdog: false }
        })?;
    }
    must(host.expected < 200, || "the board's numbers did not wrap".to_owned())
}

fn ticks_wrap(host: &mut Host<'_>) -> Result<(), Stop> {
    host.patient()?;
    let (us, _) = host.ping()?;
    // 1.2 s before the end.
    let start = Tick32(0_u32.wrapping_sub(24_000));
    host.belt_from(us, start, SPEED)?;
    host.run(120_000)?;
    let ons = [-2_000, -60, 0, 100, 2_000].map(|ticks| Tick32(0).wrapping_plus(ticks));
    for (n, on) in (0_u16..).zip(ons) {
        host.send(&[ToBoard::Fire(Fire {
            order: OrderId(n),
            valve: ValveId(u8::try_from(n).unwrap_or(0)),
            on,
            length: 40,
        })])?;
    }
    for (n, on) in (0_u16..).zip(ons) {
        let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Fired { order: OrderId(o), .. } if *o == n);
        let (_, report) = host.expect(&format!("Fired of the order at {}", on.0), 1_800_000, is_it)?;
        if let FromBoard::Fired { opened, .. } = report {
            let off = opened.since(on);
            must((0..=8 + host.slack_ticks()).contains(&off), || {
                format!("opened {off} ticks after tick {}", on.0)
            })?;
        }
    }
    let (_, now) = host.ping()?;
    host.send(&[ToBoard::Fire(Fire {
        order: OrderId(50),
        valve: VALVE,
        on: Tick32(0_u32.wrapping_sub(100)),
        length: 40,
    })])?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Late { order: OrderId(50), .. });
    host.expect(
        &format!("Late for a tick before the wrap, now {}", now.0),
        ANSWER_US,
        is_it,
    )
    .map(drop)
}

fn time_wraps(host: &mut Host<'_>) -> Result<(), Stop> {
    let (us, _) = host.ping()?;
    // 1.5 s before the next end: time to be armed, and to learn the belt's speed.
    let end = (us >> 32) + 1;
    host.stand(&ToStand::Clock {
        us: (end << 32) - 1_500_000,
    })?;
    host.run(20_000)?;
    host.statuses.clear();
    host.ready()?;
    host.belt(SPEED)?;
    let (us, _) = host.ping()?;
    host.run((end << 32).saturating_sub(us + 250_000).max(120_000))?;
    let (us, now) = host.ping()?;
    let left_us = (end << 32).saturating_sub(us);
    must(left_us > 30_000, || {
        "the clock could not be set near its end in time".to_owned()
    })?;
    // Open over the end.
    let left_ticks = i32::try_from(left_us * SPEED.unsigned_abs() as u64 / 1_000_000).unwrap_or(0);
    host.send(&[ToBoard::Fire(Fire {
        order: OrderId(1),
        valve: VALVE,
        on: now.wrapping_plus(left_ticks - 200),
        length: 800,
    })])?;
    let opened = host.switched(VALVE, true, 400_000)?;
    let closed = host.switched(VALVE, false, 150_000)?;
    must(opened.us >> 32 < closed.us >> 32, || {
        "it was not open over the end".to_owned()
    })?;
    let open_us = closed.us - opened.us;
    must(open_us.abs_diff(40_000) <= 1_000 + host.slack_us(), || {
        format!("open for {open_us} us")
    })?;
    host.run(200_000)?;
    host.never("the watchdog fired though fed", |m| {
        matches!(m, FromBoard::Disarmed { .. })
    })?;
    let times: Vec<u32> = host.statuses.iter().map(|(_, status)| status.at.0).collect();
    let wraps = times.windows(2).any(|pair| pair[1] < pair[0]);
    let even = times.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < 300_000);
    must(wraps && even, || format!("times of Status: {:?}", times.get(..8)))
}

fn order_numbers_wrap(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    let tick = host.status()?.tick;
    for n in [65_534_u16, 65_535, 0, 1] {
        host.send(&[ToBoard::Fire(Fire {
            order: OrderId(n),
            valve: VALVE,
            on: tick.wrapping_plus(5_000 + 500 * i32::from(n.wrapping_add(2))),
            length: 10,
        })])?;
    }
    host.acknowledged()?;
    host.status()?;
    let queued = host.status()?.queued;
    must(queued == 4, || format!("{queued} orders in the queue of four given"))?;
    for n in [65_535_u16, 0] {
        host.send(&[ToBoard::Amend(wire::Amend {
            order: OrderId(n),
            length: 0,
        })])?;
        host.expect_message(FromBoard::Done { order: OrderId(n) })?;
    }
    Ok(())
}
