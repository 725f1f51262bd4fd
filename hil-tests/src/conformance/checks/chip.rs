//! A board's program brought down: it must come up again by itself, with its valves shut. Cold.

use stand::{Cause, FromStand, ToStand};
use units::{OrderId, ValveId};
use wire::{Fire, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{Host, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        panic_starts_anew,
        Chip,
        "a program that panics starts anew, unarmed, and counts the start"
    ),
    check!(
        hanging_program_starts_anew,
        Chip,
        "a program that hangs is started anew by the chip's watchdog"
    ),
];

fn panic_starts_anew(host: &mut Host<'_>) -> Result<(), Stop> {
    falls(host, &ToStand::Panic, Cause::Panic, 500_000)
}

fn hanging_program_starts_anew(host: &mut Host<'_>) -> Result<(), Stop> {
    falls(host, &ToStand::Hang, Cause::Watchdog, 3_000_000)
}

fn falls(host: &mut Host<'_>, how: &ToStand<'_>, why: Cause, within_us: u64) -> Result<(), Stop> {
    host.running()?;
    let starts = host.identity.starts;
    let (_, now) = host.ping()?;
    host.send(&[ToBoard::Fire(Fire {
        order: OrderId(1),
        valve: ValveId(0),
        on: now.wrapping_plus(2_000),
        length: 1_800,
    })])?;
    host.switched(ValveId(0), true, 300_000)?;
    host.told.clear();
    host.feeds = false;
    host.stand(how)?;
    let started = |told: &FromStand| matches!(told, FromStand::Started { cause, .. } if *cause == why);
    let came = host.until(within_us + host.slack_us(), |host| host.told.iter().any(started))?;
    must(came, || format!("it did not start anew; told: {:?}", host.told))?;
    let identity = host.connect()?;
    must(identity.starts == starts.wrapping_add(1), || {
        format!("starts went from {starts} to {}", identity.starts)
    })?;
    host.run(20_000)?;
    let status = host.status()?;
    must(!status.armed && !status.blowing && status.queued == 0, || {
        format!("{status:?}")
    })
}
