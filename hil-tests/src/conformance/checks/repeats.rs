//! Window, acknowledgement, repetition, in both directions: "Sending, acknowledging, repeating". Cold.

use wire::{FromBoard, Header, Kind, Setting, SettingKey, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, Seen, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        acknowledges_in_time,
        Link,
        "a data frame is acknowledged within 2 ms, two at once"
    ),
    check!(
        lost_frame_is_asked_for,
        Link,
        "a gap in the host's frames is answered by a Nak; each is obeyed once, in order"
    ),
    check!(
        repeat_is_obeyed_once,
        Link,
        "a frame that comes again is acknowledged and not obeyed again"
    ),
    check!(
        foreign_number_is_dropped,
        Link,
        "a frame whose number is far off is dropped"
    ),
    check!(
        foreign_ack_drops_the_frame,
        Link,
        "a frame that acknowledges what was never sent is dropped whole"
    ),
    check!(
        window_back_to_back,
        Link,
        "a whole window of longest frames, back to back, is taken"
    ),
    check!(
        repeats_when_unheard,
        Link,
        "an unacknowledged frame is repeated in time, with the same number and body"
    ),
    check!(
        window_is_kept,
        Link,
        "at most 32 frames are on the way; then nothing new is sent"
    ),
    check!(
        repeats_when_asked,
        Link,
        "a Nak makes all from there on come again, oldest first"
    ),
    check!(
        nothing_is_lost_unheard,
        Link,
        "after a deaf time every message comes, once, in order"
    ),
];

/// Time-out of a board at most: a fixed one of 20 ms or more is allowed, doubled up to 100 ms.
const TIMEOUT_MOST_US: u64 = 150_000;

fn data(seen: &Seen) -> bool {
    seen.header.kind == Kind::Data
}

fn quiet_status(host: &mut Host<'_>) -> Result<(), Stop> {
    // Seldom a Status: the frames of this check are those that it asks for.
    host.set(SettingKey::StatusUs, 0, 10_000_000);
    host.commit()?;
    host.run(20_000)
}

fn acknowledges_in_time(host: &mut Host<'_>) -> Result<(), Stop> {
    quiet_status(host)?;
    host.frames.clear();
    let sent_us = host.now_us();
    host.send(&[ToBoard::Feed { count: 1 }])?;
    host.acknowledged()?;
    let alone_us = host.frames.last().map_or(0, |seen| seen.at_us - sent_us);
    must(alone_us <= 4_000 + host.slack_us(), || {
        format!("one: after {alone_us} us")
    })?;
    host.frames.clear();
    let sent_us = host.now_us();
    host.send(&[ToBoard::Feed { count: 2 }])?;
    host.send(&[ToBoard::Feed { count: 3 }])?;
    host.acknowledged()?;
    let two_us = host.frames.last().map_or(0, |seen| seen.at_us - sent_us);
    must(two_us <= 1_500 + host.slack_us(), || format!("two: after {two_us} us"))
}

fn lost_frame_is_asked_for(host: &mut Host<'_>) -> Result<(), Stop> {
    host.frames.clear();
    let missing = host.seq;
    let lost = Host::frame(host.header(Kind::Data), &[ToBoard::Commit]);
    host.seq = host.seq.wrapping_add(1);
    let early = host.send(&[ToBoard::Disarm])?;
    let asked = host.until(ANSWER_US + host.slack_us(), |host| {
        host.frames
            .iter()
            .any(|seen| seen.header.kind == Kind::Nak && seen.header.ack == missing)
    })?;
    must(asked, || format!("no Nak for {missing}"))?;
    host.run(ANSWER_US)?;
    host.never("what came early was obeyed", |m| {
        matches!(m, FromBoard::Disarmed { .. })
    })?;
    host.raw(&lost)?;
    host.raw(&early)?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })?;
    let first = host
        .heard
        .iter()
        .position(|(_, m)| matches!(m, FromBoard::Settings { .. }));
    must(first.is_some(), || {
        "the frame that was asked for was not obeyed".to_owned()
    })?;
    host.run(ANSWER_US)?;
    let again = host
        .heard
        .iter()
        .filter(|(_, m)| matches!(m, FromBoard::Settings { .. } | FromBoard::Disarmed { .. }));
    must(again.count() == 1, || {
        format!("obeyed more than once: {:?}", host.heard)
    })
}

fn repeat_is_obeyed_once(host: &mut Host<'_>) -> Result<(), Stop> {
    let bytes = host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })?;
    host.run(20_000)?;
    host.frames.clear();
    host.raw(&bytes)?;
    host.acknowledged()?;
    host.run(ANSWER_US)?;
    host.never("it was obeyed again", |m| matches!(m, FromBoard::Disarmed { .. }))
}

fn foreign_number_is_dropped(host: &mut Host<'_>) -> Result<(), Stop> {
    let header = host.header(Kind::Data);
    for ahead in [33_u8, 100, 128, 200, 223] {
        let seq = header.seq.wrapping_add(ahead);
        host.raw(&Host::frame(Header { seq, ..header }, &[ToBoard::Disarm]))?;
    }
    host.run(ANSWER_US)?;
    host.never("it was obeyed", |m| matches!(m, FromBoard::Disarmed { .. }))?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn foreign_ack_drops_the_frame(host: &mut Host<'_>) -> Result<(), Stop> {
    let header = host.header(Kind::Data);
    // 64 ahead: never sent, and no old one.
    let ack = header.ack.wrapping_add(64);
    host.raw(&Host::frame(Header { ack, ..header }, &[ToBoard::Disarm]))?;
    host.run(ANSWER_US)?;
    host.never("it was obeyed", |m| matches!(m, FromBoard::Disarmed { .. }))?;
    host.send(&[ToBoard::Disarm])?;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn window_back_to_back(host: &mut Host<'_>) -> Result<(), Stop> {
    // 34 settings of 7 bytes: 238 of the 244 that a body may have.
    let settings: Vec<ToBoard> = (0..34)
        .map(|n| {
            ToBoard::Set(Setting {
                key: SettingKey::WatchdogUs,
                index: 0,
                value: 100_000 + n,
            })
        })
        .collect();
    let mut bytes = Vec::new();
    for _ in 0..host.identity.limits.window {
        bytes.extend(Host::frame(host.header(Kind::Data), &settings));
        host.seq = host.seq.wrapping_add(1);
    }
    host.frames.clear();
    host.raw(&bytes)?;
    host.acknowledged()?;
    let asked = host.frames.iter().any(|seen| seen.header.kind == Kind::Nak);
    must(!asked, || "bytes were lost: a Nak came".to_owned())?;
    host.set(SettingKey::WatchdogUs, 0, 100_033);
    host.send(&[ToBoard::Commit])?;
    host.expect("Settings", ANSWER_US, |m| matches!(m, FromBoard::Settings { .. }))
        .map(drop)
}

fn repeats_when_unheard(host: &mut Host<'_>) -> Result<(), Stop> {
    quiet_status(host)?;
    host.frames.clear();
    host.acknowledges = false;
    host.send(&[ToBoard::Disarm])?;
    host.until(3 * TIMEOUT_MOST_US + host.slack_us(), |host| {
        host.frames.iter().filter(|seen| data(seen)).count() >= 2
    })?;
    let frames: Vec<Seen> = host.frames.iter().filter(|seen| data(seen)).cloned().collect();
    must(frames.len() >= 2, || format!("it came {} times", frames.len()))?;
    let (first, again) = (&frames[0], &frames[1]);
    must(first.header.seq == again.header.seq && first.body == again.body, || {
        format!("another frame came: {first:?}, {again:?}")
    })?;
    let after_us = again.at_us - first.at_us;
    must(after_us <= TIMEOUT_MOST_US + host.slack_us(), || {
        format!("after {after_us} us")
    })?;
    host.acknowledges = true;
    host.expect_message(FromBoard::Disarmed { by_watchdog: false })
        .map(drop)
}

fn window_is_kept(host: &mut Host<'_>) -> Result<(), Stop> {
    host.set(SettingKey::StatusUs, 0, 1_000);
    host.commit()?;
    host.acknowledges = false;
    host.run(20_000)?;
    host.frames.clear();
    host.run(600_000)?;
    let mut seqs: Vec<u8> = host
        .frames
        .iter()
        .filter(|seen| data(seen))
        .map(|seen| seen.header.seq)
        .collect();
    seqs.sort_unstable();
    seqs.dedup();
    must(!seqs.is_empty(), || "nothing is repeated".to_owned())?;
    must(seqs.len() <= 32, || format!("{} frames are on the way", seqs.len()))?;
    let expected = host.expected;
    let beyond = seqs.iter().find(|seq| seq.wrapping_sub(expected) >= 32);
    must(beyond.is_none(), || {
        format!("frame {beyond:?} is beyond the window from {expected}")
    })?;
    host.acknowledges = true;
    host.until(3 * TIMEOUT_MOST_US, |host| host.statuses.len() > 40)?;
    host.status().map(drop)
}

fn repeats_when_asked(host: &mut Host<'_>) -> Result<(), Stop> {
    quiet_status(host)?;
    host.acknowledges = false;
    host.frames.clear();
    let expected = host.expected;
    // Soon after one another: after a time-out several answers would share a frame.
    for _ in 0..3 {
        host.send(&[ToBoard::Disarm])?;
        host.run(2_000)?;
    }
    host.run(ANSWER_US)?;
    let numbers = |host: &Host<'_>| -> Vec<u8> {
        let data = host.frames.iter().filter(|seen| data(seen));
        data.map(|seen| seen.header.seq.wrapping_sub(expected)).collect()
    };
    let last = numbers(host).into_iter().max().unwrap_or(0);
    must(last > 0, || format!("three answers in frames {:?}", numbers(host)))?;
    host.frames.clear();
    let all: Vec<u8> = (0..=last).collect();
    // A time-out repeats the oldest alone, and may come between.
    let in_order = |host: &Host<'_>| numbers(host).windows(all.len()).any(|some| *some == all[..]);
    let mut came = false;
    // A Nak that meets a repeat on its way need not be heeded; one that is said again must.
    for _ in 0..4 {
        if !came {
            host.bare(Kind::Nak)?;
            came = host.until(ANSWER_US, in_order)?;
        }
    }
    must(came, || format!("of frames {all:?} came {:?}", numbers(host)))?;
    host.acknowledges = true;
    for _ in 0..3 {
        host.expect("Disarmed", 3 * TIMEOUT_MOST_US, |m| {
            matches!(m, FromBoard::Disarmed { .. })
        })?;
    }
    Ok(())
}

fn nothing_is_lost_unheard(host: &mut Host<'_>) -> Result<(), Stop> {
    quiet_status(host)?;
    // Every second frame of the board is not heard.
    let mut heard = 0;
    for round in 0..6 {
        host.acknowledges = round % 2 == 0;
        host.send(&[ToBoard::Disarm])?;
        host.run(15_000)?;
    }
    host.acknowledges = true;
    while heard < 6 {
        host.expect("Disarmed", 3 * TIMEOUT_MOST_US, |m| {
            matches!(m, FromBoard::Disarmed { .. })
        })?;
        heard += 1;
    }
    host.run(TIMEOUT_MOST_US)?;
    host.never("one came twice", |m| matches!(m, FromBoard::Disarmed { .. }))
}
