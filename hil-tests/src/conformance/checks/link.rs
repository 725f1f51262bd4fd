//! Frames and connections: "Frames", "Connecting", "Errors", "Versions". Cold.

use wire::{FromBoard, Header, Kind, PROTOCOL, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        greeting_is_answered,
        Link,
        "a Hello is answered at once by an Identity of its session"
    ),
    check!(
        same_session_changes_nothing,
        Link,
        "a Hello of the present session changes nothing"
    ),
    check!(
        new_session_forgets,
        Link,
        "a Hello of another session disarms and counts from 0"
    ),
    check!(
        any_version_is_greeted,
        Link,
        "a Hello of another version is answered in the board's own"
    ),
    check!(silent_without_session, Stand, "a board without a session says nothing"),
    check!(
        other_session_refused,
        Link,
        "frames of another session are dropped and not answered"
    ),
    check!(
        other_version_refused,
        Link,
        "data frames of another version are dropped"
    ),
    check!(
        damage_is_dropped,
        Link,
        "a frame with a flipped bit is not obeyed, and asked for again"
    ),
    check!(noise_is_passed_over, Link, "runs of noise and zeros harm nothing"),
    check!(
        overlong_is_dropped,
        Link,
        "more than 254 bytes without a zero are thrown away"
    ),
    check!(
        malformed_is_not_acknowledged,
        Link,
        "a frame with an undecodable message is neither obeyed nor acknowledged"
    ),
    check!(
        status_comes_by_itself,
        Link,
        "Status comes each StatusUs from the connection on"
    ),
    check!(
        shorter_period_counts_at_once,
        Link,
        "a shorter StatusUs is kept from its Commit on"
    ),
];

fn greeting_is_answered(host: &mut Host<'_>) -> Result<(), Stop> {
    let began_us = host.now_us();
    let identity = host.connect()?;
    let (at_us, _) = host.identities[0];
    let took_us = at_us - began_us;
    must(took_us <= 5_000 + host.slack_us(), || format!("it took {took_us} us"))?;
    must(identity.protocol == PROTOCOL, || {
        format!("protocol {}", identity.protocol)
    })?;
    let limits = identity.limits;
    must((1..=32).contains(&limits.window), || {
        format!("a window of {}", limits.window)
    })?;
    must(
        limits.max_on_us > 0 && limits.queue > 0 && limits.horizon_ticks > 0,
        || format!("limits that no line can use: {limits:?}"),
    )
}

fn same_session_changes_nothing(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    host.identities.clear();
    host.hello(PROTOCOL)?;
    let came = host.until(ANSWER_US + host.slack_us(), |host| !host.identities.is_empty())?;
    must(came, || "a second Hello is not answered".to_owned())?;
    must(host.identities[0].1.settings_crc == host.crc(), || {
        "the Identity has another checksum than the settings in force".to_owned()
    })?;
    // Twice: the first may have been on its way.
    host.status()?;
    must(host.status()?.armed, || "the board is no longer armed".to_owned())?;
    host.never("the board has disarmed", |m| matches!(m, FromBoard::Disarmed { .. }))
}

fn new_session_forgets(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    let crc = host.crc();
    let identity = host.connect()?;
    must(identity.settings_crc == crc, || {
        "the settings in force were forgotten".to_owned()
    })?;
    let status = host.status()?;
    must(!status.armed && status.queued == 0, || format!("{status:?}"))?;
    let session = host.session;
    let first = host
        .frames
        .iter()
        .find(|seen| seen.header.kind == Kind::Data && seen.header.session == session);
    must(first.is_some_and(|seen| seen.header.seq == 0), || {
        format!("numbers go on: {first:?}")
    })?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn any_version_is_greeted(host: &mut Host<'_>) -> Result<(), Stop> {
    host.identities.clear();
    host.frames.clear();
    host.hello(PROTOCOL + 1)?;
    let came = host.until(ANSWER_US + host.slack_us(), |host| !host.identities.is_empty())?;
    must(came, || "it is not answered".to_owned())?;
    let version = host
        .frames
        .iter()
        .find(|seen| seen.header.kind == Kind::Connect)
        .map(|seen| seen.header.version);
    must(version == Some(PROTOCOL), || format!("in version {version:?}"))?;
    must(host.identities[0].1.protocol == PROTOCOL, || {
        "with another protocol".to_owned()
    })
}

fn silent_without_session(host: &mut Host<'_>) -> Result<(), Stop> {
    host.stand(&stand::ToStand::Reset { dark_us: 100_000 })?;
    let started = |host: &Host<'_>| host.told.iter().any(|t| matches!(t, stand::FromStand::Started { .. }));
    let came = host.until(1_000_000, started)?;
    must(came, || "the board does not start".to_owned())?;
    host.frames.clear();
    // Not even when it is spoken to in a session that it does not know.
    host.send(&[ToBoard::Disarm])?;
    host.run(100_000)?;
    must(host.frames.is_empty(), || format!("it said {:?}", host.frames))?;
    let starts = host.identity.starts;
    let identity = host.connect()?;
    must(identity.starts == starts.wrapping_add(1), || {
        format!("starts went from {starts} to {}", identity.starts)
    })
}

fn other_session_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    host.frames.clear();
    let header = host.header(Kind::Data);
    for session in [host.session ^ 0x0100, host.session.wrapping_add(1).max(1)] {
        host.raw(&Host::frame(Header { session, ..header }, &[ToBoard::Disarm]))?;
    }
    host.run(ANSWER_US)?;
    host.never("it was obeyed", |m| matches!(m, FromBoard::Disarmed { .. }))?;
    let session = host.session;
    let answered = host.frames.iter().find(|seen| seen.header.session != session);
    must(answered.is_none(), || format!("it was answered: {answered:?}"))?;
    // The number was not used up.
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn other_version_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    let header = host.header(Kind::Data);
    let version = PROTOCOL + 1;
    host.raw(&Host::frame(Header { version, ..header }, &[ToBoard::Disarm]))?;
    host.run(ANSWER_US)?;
    host.never("it was obeyed", |m| matches!(m, FromBoard::Disarmed { .. }))?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn damage_is_dropped(host: &mut Host<'_>) -> Result<(), Stop> {
    let good = Host::frame(host.header(Kind::Data), &[ToBoard::Disarm]);
    for bit in 0..(good.len() - 1) * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        host.raw(&bad)?;
        if bit % 8 == 7 {
            host.run(1_000)?;
        }
    }
    host.run(ANSWER_US)?;
    host.never("a damaged frame was obeyed", |m| {
        matches!(m, FromBoard::Disarmed { .. })
    })?;
    let asked = host.frames.iter().any(|seen| seen.header.kind == Kind::Nak);
    must(asked, || "no Nak came".to_owned())?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn noise_is_passed_over(host: &mut Host<'_>) -> Result<(), Stop> {
    host.raw(&[0, 0, 0, 0, 1, 0, 255, 254, 253, 0, 3, 1, 2, 3, 0, 0])?;
    let mut word = 0x1234_5678_u32;
    let noise: Vec<u8> = (0..600)
        .map(|_| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 24) as u8
        })
        .collect();
    host.raw(&noise)?;
    host.raw(&[0])?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn overlong_is_dropped(host: &mut Host<'_>) -> Result<(), Stop> {
    host.frames.clear();
    host.raw(&[7; 300])?;
    host.raw(&[0])?;
    let asked = host.until(ANSWER_US + host.slack_us(), |host| {
        host.frames.iter().any(|seen| seen.header.kind == Kind::Nak)
    })?;
    must(asked, || "no Nak came".to_owned())?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn malformed_is_not_acknowledged(host: &mut Host<'_>) -> Result<(), Stop> {
    let header = host.header(Kind::Data);
    // Disarm, then a tag of the other direction.
    let mut out = [0; wire::ENCODED_MAX];
    let len = wire::frame::seal(header, &[0x05, 0x43], &mut out);
    host.raw(&out[..len])?;
    host.run(ANSWER_US)?;
    host.never("it was obeyed", |m| matches!(m, FromBoard::Disarmed { .. }))?;
    let ahead = header.seq.wrapping_add(1);
    let acknowledged = host
        .frames
        .iter()
        .any(|seen| seen.header.kind != Kind::Connect && seen.header.ack == ahead);
    must(!acknowledged, || "it was acknowledged".to_owned())
}

fn status_comes_by_itself(host: &mut Host<'_>) -> Result<(), Stop> {
    host.set(wire::SettingKey::StatusUs, 0, 20_000);
    host.commit()?;
    host.run(30_000)?;
    host.forget();
    host.run(400_000)?;
    let times: Vec<u32> = host.statuses.iter().map(|(_, status)| status.at.0).collect();
    must(
        (15..=21).contains(&times.len()) || host.slack_us() > 1_000 && times.len() >= 8,
        || format!("{} in 400 ms at a period of 20 ms", times.len()),
    )?;
    let rises = times.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < 1 << 31);
    must(rises, || format!("its times run backwards: {times:?}"))
}

fn shorter_period_counts_at_once(host: &mut Host<'_>) -> Result<(), Stop> {
    host.set(wire::SettingKey::StatusUs, 0, 10_000_000);
    host.commit()?;
    host.connect()?;
    host.set(wire::SettingKey::StatusUs, 0, 10_000);
    host.commit()?;
    host.statuses.clear();
    host.status().map(drop)
}
