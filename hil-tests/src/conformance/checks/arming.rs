//! Arming and the watchdog: "Arm", "Feed", "Disarm", the table of the board's states. Cold.

use units::{OrderId, ValveId};
use wire::{Amend, Fault, FaultOf, Fire, FromBoard, Setting, SettingKey, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, SPEED, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        unarmed_board_refuses_orders,
        Link,
        "an order to a board that is not armed is refused: NotArmed"
    ),
    check!(
        disarm_empties_the_queue,
        Link,
        "Disarm empties the queue without a report for each order"
    ),
    check!(disarm_closes, Stand, "Disarm closes the valves"),
    check!(
        watchdog_fires_in_time,
        Link,
        "a board that is not fed disarms itself after WatchdogUs, not before"
    ),
    check!(
        watchdog_latches,
        Link,
        "after that Arm, Fire, Pulse and feeder on are refused, fed or not"
    ),
    check!(new_session_frees_the_latch, Link, "a new session frees the latch"),
    check!(
        only_feed_feeds,
        Link,
        "no other message and no acknowledgement feeds the watchdog"
    ),
    check!(
        silence_closes_valves,
        Stand,
        "silence closes open valves within WatchdogUs"
    ),
    check!(
        silence_stops_the_feeder,
        Stand,
        "silence stops the feeder, and so does a new session"
    ),
    check!(
        new_session_closes,
        Stand,
        "a new session closes the valves and empties the queue"
    ),
];

/// Channel of a standard board's feeder.
const FEEDER: u8 = 0;
const WATCHDOG_US: u32 = 100_000;

fn watchdog(of: FaultOf) -> FromBoard<'static> {
    FromBoard::Fault {
        of,
        fault: Fault::Watchdog,
    }
}

/// An order for a valve, `ahead` of a belt that stands at `tick`.
fn order(number: u16, on: units::Tick32, length: u16) -> ToBoard {
    ToBoard::Fire(Fire {
        order: OrderId(number),
        valve: ValveId(0),
        on,
        length,
    })
}

fn ahead(host: &mut Host<'_>, ticks: i32) -> Result<units::Tick32, Stop> {
    Ok(host.status()?.tick.wrapping_plus(ticks))
}

fn unarmed_board_refuses_orders(host: &mut Host<'_>) -> Result<(), Stop> {
    host.usual_settings();
    host.commit()?;
    let on = ahead(host, 5_000)?;
    host.send(&[order(7, on, 100)])?;
    host.expect_message(FromBoard::Fault {
        of: FaultOf::Order(OrderId(7)),
        fault: Fault::NotArmed,
    })
    .map(drop)
}

fn disarm_empties_the_queue(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    let on = ahead(host, 20_000)?;
    host.send(&[order(1, on, 100), order(2, on.wrapping_plus(1_000), 100)])?;
    host.acknowledged()?;
    host.status()?;
    let queued = host.status()?.queued;
    must(queued == 2, || format!("{queued} orders in the queue after two"))?;
    host.heard.clear();
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })?;
    host.status()?;
    let status = host.status()?;
    must(status.queued == 0 && !status.armed, || format!("{status:?}"))?;
    let reports = |m: &FromBoard<'_>| {
        matches!(
            m,
            FromBoard::Fired { .. } | FromBoard::Fault { .. } | FromBoard::Late { .. }
        )
    };
    host.never("an order of the emptied queue was reported", reports)
}

/// Opens valve 0 for as long as it may be: the order's end lies beyond.
fn blow(host: &mut Host<'_>) -> Result<(), Stop> {
    let most_us = host.identity.limits.max_on_us.min(200_000);
    host.usual_settings();
    host.set(SettingKey::MaxOnUs, 0, most_us);
    host.set(SettingKey::WatchdogUs, 0, most_us / 4);
    host.set(SettingKey::StatusUs, 0, 1_000);
    host.commit()?;
    host.arm()?;
    host.belt(SPEED)?;
    host.run(120_000)?;
    let on = ahead(host, 1_000)?;
    let length = most_us / 1_000 * (SPEED.unsigned_abs() / 1_000) * 9 / 10;
    host.send(&[order(1, on, u16::try_from(length).unwrap_or(u16::MAX))])?;
    host.switched(ValveId(0), true, 100_000).map(drop)
}

fn disarm_closes(host: &mut Host<'_>) -> Result<(), Stop> {
    blow(host)?;
    let (before_us, _) = host.ping()?;
    host.send(&[ToBoard::Disarm])?;
    let closed = host.switched(ValveId(0), false, 20_000)?;
    must(closed.us <= before_us + 5_000 + 2 * host.slack_us(), || {
        format!("after {} us", closed.us - before_us)
    })?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

/// Waits for the watchdog after the last feed, with something else said all the time, and holds the time against it.
fn starve(host: &mut Host<'_>, mut say: impl FnMut(&mut Host<'_>) -> Result<(), Stop>) -> Result<(), Stop> {
    host.feed()?;
    host.feeds = false;
    let fed_us = host.fed_us;
    let most_us = u64::from(WATCHDOG_US) + 5_000 + host.slack_us();
    let gone = |host: &Host<'_>| {
        host.heard
            .iter()
            .any(|(_, m)| *m == FromBoard::Disarmed { by_watchdog: true })
    };
    while host.now_us() < fed_us + most_us && !gone(host) {
        say(host)?;
        host.until(7_000, gone)?;
    }
    let place = host
        .heard
        .iter()
        .position(|(_, m)| *m == FromBoard::Disarmed { by_watchdog: true });
    let Some(place) = place else {
        return Err(Stop::Failed(format!(
            "it had not fired {most_us} us after the last feed"
        )));
    };
    let after_us = host.heard.remove(place).0 - fed_us;
    must(after_us >= u64::from(WATCHDOG_US) - 500, || {
        format!("it fired after {after_us} us")
    })?;
    must(after_us <= most_us, || format!("it fired after {after_us} us"))
}

fn watchdog_fires_in_time(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    host.run(3 * u64::from(WATCHDOG_US))?;
    host.never("it fired though fed", |m| matches!(m, FromBoard::Disarmed { .. }))?;
    starve(host, |_| Ok(()))?;
    host.status()?;
    must(!host.status()?.armed, || "Status still says armed".to_owned())
}

fn watchdog_latches(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    starve(host, |_| Ok(()))?;
    host.feeds = true;
    let settings_crc = host.crc();
    host.send(&[ToBoard::Arm { settings_crc }])?;
    host.expect_message(watchdog(FaultOf::Board))?;
    let on = ahead(host, 5_000)?;
    host.send(&[order(3, on, 100)])?;
    host.expect_message(watchdog(FaultOf::Order(OrderId(3))))?;
    host.send(&[ToBoard::Pulse {
        valve: ValveId(0),
        us: 1_000,
    }])?;
    host.expect_message(watchdog(FaultOf::Valve(ValveId(0))))?;
    host.send(&[ToBoard::Output {
        channel: FEEDER,
        value: 1,
    }])?;
    let refused = |m: &FromBoard<'_>| *m == watchdog(FaultOf::Board) || *m == unknown_channel();
    let (_, how) = host.expect("a refusal of the feeder", ANSWER_US, refused)?;
    if how == unknown_channel() && host.identity.limits.channels == 0 {
        return Ok(());
    }
    host.never("it was armed", |m| matches!(m, FromBoard::Armed))?;
    must(how == watchdog(FaultOf::Board), || format!("{how:?}"))
}

fn unknown_channel() -> FromBoard<'static> {
    FromBoard::Fault {
        of: FaultOf::Board,
        fault: Fault::Unknown,
    }
}

fn new_session_frees_the_latch(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    starve(host, |_| Ok(()))?;
    host.connect()?;
    host.ready()?;
    host.run(2 * u64::from(WATCHDOG_US))?;
    host.never("the latch came back", |m| matches!(m, FromBoard::Disarmed { .. }))
}

fn only_feed_feeds(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    let settings_crc = host.crc();
    let on = ahead(host, 50_000)?;
    let mut number = 0;
    starve(host, |host| {
        number += 1;
        host.send(&[
            ToBoard::Arm { settings_crc },
            order(number, on, 100),
            ToBoard::Amend(Amend {
                order: OrderId(number),
                length: 0,
            }),
            ToBoard::Set(Setting {
                key: SettingKey::WatchdogUs,
                index: 0,
                value: 1_000_000,
            }),
            ToBoard::Commit,
            ToBoard::Output {
                channel: u8::MAX,
                value: 0,
            },
            ToBoard::Pulse {
                valve: ValveId(u8::MAX),
                us: 1,
            },
        ])?;
        host.hello(wire::PROTOCOL)
    })
}

fn silence_closes_valves(host: &mut Host<'_>) -> Result<(), Stop> {
    blow(host)?;
    host.feed()?;
    host.feeds = false;
    let fed = host.fed;
    let knows = |host: &Host<'_>| host.statuses.iter().any(|(_, status)| status.fed == fed);
    host.until(ANSWER_US, knows)?;
    let watchdog_us = host.identity.limits.max_on_us.min(200_000) / 4;
    let closed = host.switched(ValveId(0), false, u64::from(watchdog_us) + 20_000)?;
    let (mut before, mut after) = (None, None);
    for (_, status) in &host.statuses {
        if status.fed == fed {
            after = after.or(Some(status.at.0));
        } else {
            before = Some(status.at.0);
        }
    }
    let (Some(before), Some(after)) = (before, after) else {
        return Err(Stop::Failed("no Status tells of the last feed".to_owned()));
    };
    let closed_us = (closed.us & 0xFFFF_FFFF) as u32;
    let (least, most) = (closed_us.wrapping_sub(after), closed_us.wrapping_sub(before));
    must(most >= watchdog_us - 500, || {
        format!("closed at most {most} us after the last feed")
    })?;
    must(
        u64::from(least) <= u64::from(watchdog_us) + 1_500 + host.slack_us(),
        || format!("closed at least {least} us after the last feed"),
    )?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: true })?;
    host.status()?;
    must(!host.status()?.blowing, || {
        "Status says that a valve is open".to_owned()
    })
}

fn feeder_value(told: &[stand::FromStand]) -> Option<u16> {
    told.iter().rev().find_map(|told| match *told {
        stand::FromStand::Output { channel, value, .. } if channel == FEEDER => Some(value),
        _ => None,
    })
}

fn start_feeder(host: &mut Host<'_>) -> Result<(), Stop> {
    host.send(&[ToBoard::Output {
        channel: FEEDER,
        value: 1,
    }])?;
    host.expect_message(FromBoard::Channel {
        channel: FEEDER,
        value: 1,
    })?;
    host.told("the feeder was not started", |told| feeder_value(told) == Some(1))
}

fn silence_stops_the_feeder(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    start_feeder(host)?;
    starve(host, |_| Ok(()))?;
    host.expect_message(FromBoard::Channel {
        channel: FEEDER,
        value: 0,
    })?;
    host.told("the feeder runs on", |told| feeder_value(told) == Some(0))?;
    host.connect()?;
    host.ready()?;
    start_feeder(host)?;
    host.connect()?;
    host.run(ANSWER_US)?;
    host.told("the feeder runs on in a new session", |told| {
        feeder_value(told) == Some(0)
    })
}

fn new_session_closes(host: &mut Host<'_>) -> Result<(), Stop> {
    blow(host)?;
    let on = ahead(host, 10_000)?;
    host.send(&[order(2, on, 100)])?;
    host.acknowledged()?;
    let (before_us, _) = host.ping()?;
    host.feeds = false;
    host.connect()?;
    let closed = host.switched(ValveId(0), false, 20_000)?;
    must(closed.us <= before_us + 5_000 + 2 * host.slack_us(), || {
        format!("after {} us", closed.us - before_us)
    })?;
    let status = host.status()?;
    must(status.queued == 0 && !status.armed, || format!("{status:?}"))
}
