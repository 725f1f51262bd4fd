//! Eyes, reports of cameras and cells, channels. Cold.

use stand::{FromStand, ToStand};
use units::{EyeId, Tick32, TriggerSeq, ValveId};
use wire::{
    Fault, FaultOf, FrameWriter, FromBoard, Header, Kind, Mass, MassStatus, Measurement, SettingKey, ToBoard,
    ViewStatus,
};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        entry_eye_triggers,
        Stand,
        "an entry eye gives Trigger and Passed with the latched ticks, and fires the flash"
    ),
    check!(drop_eye_lands, Stand, "a drop eye gives Landed"),
    check!(
        short_interruption_is_none,
        Stand,
        "an interruption shorter than LeastTicks gives nothing; a longer one its beginning's tick"
    ),
    check!(
        eye_numbers_have_no_gap,
        Stand,
        "each eye numbers its triggers one by one, over 2^16 of all, each eye its own"
    ),
    check!(
        dropped_numbers_are_used_up,
        Stand,
        "what the window can't take is dropped and counted, and its numbers are used up"
    ),
    check!(
        figures_pass_through,
        Stand,
        "measurements, masses and index pulses come as they were made"
    ),
    check!(
        channels_are_told,
        Stand,
        "each known channel is told after connecting, and when it changes"
    ),
    check!(
        wrong_outputs_are_refused,
        Link,
        "a channel that is no output is Unknown"
    ),
    check!(
        dead_band_is_kept,
        Stand,
        "an analogue channel is told when it has changed by its DeadBand"
    ),
    check!(coil_fault_is_told, Stand, "a coil without current is told: Coil"),
];

const ENTRY: EyeId = EyeId(0);
const DROP: EyeId = EyeId(1);

fn edge(host: &mut Host<'_>, eye: EyeId, interrupted: bool, tick: u32) -> Result<(), Stop> {
    host.stand(&ToStand::Eye {
        eye,
        interrupted,
        tick: Tick32(tick),
    })
}

fn settings(host: &mut Host<'_>) -> Result<(), Stop> {
    host.set(SettingKey::EyeKind, DROP.0, 1);
    host.set(SettingKey::StatusUs, 0, 10_000);
    host.commit()?;
    host.forget();
    Ok(())
}

fn entry_eye_triggers(host: &mut Host<'_>) -> Result<(), Stop> {
    settings(host)?;
    edge(host, ENTRY, true, 1_203_411)?;
    let (_, trigger) = host.expect("Trigger", ANSWER_US, |m| {
        matches!(m, FromBoard::Trigger { eye: ENTRY, .. })
    })?;
    let FromBoard::Trigger { seq, tick, .. } = trigger else {
        return Ok(());
    };
    must(tick == Tick32(1_203_411), || format!("tick {}", tick.0))?;
    edge(host, ENTRY, false, 1_203_560)?;
    host.expect_message(FromBoard::Passed {
        eye: ENTRY,
        seq,
        tick: Tick32(1_203_560),
    })?;
    host.told("strobe and camera were not fired", |told| {
        told.iter()
            .any(|told| matches!(told, FromStand::Flash { eye: ENTRY, seq: s, .. } if *s == seq))
    })
}

fn drop_eye_lands(host: &mut Host<'_>) -> Result<(), Stop> {
    settings(host)?;
    edge(host, DROP, true, 5_000)?;
    edge(host, DROP, false, 5_100)?;
    let is_it = |m: &FromBoard<'_>| {
        matches!(
            m,
            FromBoard::Landed {
                eye: DROP,
                tick: Tick32(5_000),
                ..
            }
        )
    };
    host.expect("Landed", ANSWER_US, is_it)?;
    host.run(20_000)?;
    host.never("a drop eye gives no trigger", |m| {
        matches!(m, FromBoard::Trigger { .. } | FromBoard::Passed { .. })
    })?;
    let flashed = host.told.iter().any(|told| matches!(told, FromStand::Flash { .. }));
    must(!flashed, || "a drop eye fires no flash".to_owned())
}

fn short_interruption_is_none(host: &mut Host<'_>) -> Result<(), Stop> {
    host.set(SettingKey::LeastTicks, ENTRY.0, 60);
    settings(host)?;
    // Slow enough that the second edge comes in time, whatever the stand's line does.
    host.belt(500)?;
    let (_, now) = host.ping()?;
    edge(host, ENTRY, true, now.0)?;
    edge(host, ENTRY, false, now.0.wrapping_add(40))?;
    host.run(200_000)?;
    host.never("40 ticks counted", |m| matches!(m, FromBoard::Trigger { .. }))?;
    let (_, now) = host.ping()?;
    edge(host, ENTRY, true, now.0)?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Trigger { eye: ENTRY, .. });
    let (_, trigger) = host.expect("Trigger of an eye that stays interrupted", 4 * ANSWER_US, is_it)?;
    must(
        matches!(trigger, FromBoard::Trigger { tick, .. } if tick == now),
        || format!("{trigger:?}, interrupted at {}", now.0),
    )?;
    edge(host, ENTRY, false, now.0.wrapping_add(100))?;
    host.expect("Passed", ANSWER_US, |m| matches!(m, FromBoard::Passed { .. }))
        .map(drop)
}

fn eye_numbers_have_no_gap(host: &mut Host<'_>) -> Result<(), Stop> {
    settings(host)?;
    for n in 0..60_u32 {
        for eye in [ENTRY, EyeId(2), DROP] {
            edge(host, eye, true, 1_000 * n)?;
            edge(host, eye, false, 1_000 * n + 200)?;
        }
        host.run(4_000)?;
    }
    host.run(ANSWER_US + host.slack_us())?;
    for eye in [ENTRY, EyeId(2), DROP] {
        let numbers: Vec<TriggerSeq> = host
            .heard
            .iter()
            .filter_map(|(_, message)| match *message {
                FromBoard::Trigger { eye: e, seq, .. } | FromBoard::Landed { eye: e, seq, .. } if e == eye => Some(seq),
                _ => None,
            })
            .collect();
        must(numbers.len() == 60, || {
            format!("eye {}: {} numbers of 60", eye.0, numbers.len())
        })?;
        let gap = numbers.windows(2).find(|pair| pair[1] != pair[0].next());
        must(gap.is_none(), || format!("eye {}: {gap:?}", eye.0))?;
    }
    Ok(())
}

fn dropped_numbers_are_used_up(host: &mut Host<'_>) -> Result<(), Stop> {
    settings(host)?;
    edge(host, ENTRY, true, 0)?;
    edge(host, ENTRY, false, 10)?;
    let is_it = |m: &FromBoard<'_>| matches!(m, FromBoard::Trigger { .. });
    let (_, first) = host.expect("Trigger", ANSWER_US, is_it)?;
    let FromBoard::Trigger { seq: first, .. } = first else {
        return Ok(());
    };
    host.acknowledges = false;
    // Far more than a window holds.
    let count = 1_500_u16;
    for n in 1..=u32::from(count) {
        edge(host, ENTRY, true, 300 * n)?;
        edge(host, ENTRY, false, 300 * n + 100)?;
        if n % 20 == 0 {
            // No faster than the stand's line at 1 Mbaud.
            host.run(12_000)?;
        }
    }
    host.run(ANSWER_US)?;
    host.acknowledges = true;
    host.run(400_000 + 3 * host.slack_us())?;
    host.heard.clear();
    edge(host, ENTRY, true, 0)?;
    edge(host, ENTRY, false, 10)?;
    let (_, last) = host.expect("Trigger", ANSWER_US, is_it)?;
    let expected = TriggerSeq(first.0.wrapping_add(count + 1));
    must(
        matches!(last, FromBoard::Trigger { seq, .. } if seq == expected),
        || format!("{last:?}, expected number {}", expected.0),
    )?;
    let dropped = host.status()?.dropped;
    must(dropped > 0, || "nothing is said to have been dropped".to_owned())
}

fn measurement() -> Measurement {
    Measurement {
        eye: ENTRY,
        seq: TriggerSeq(17),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: 7_462,
        d_mid_um: 7_401,
        d_min_um: 7_377,
        u_diameter_um: 9,
        u_ddp: 17,
        residual_um: 21,
        taper: 35,
        lab_l: 7_850,
        lab_a: -120,
        lab_b: 415,
        u_lab: 60,
        overtone_a: 210,
        overtone_b: -75,
        lustre: 8_120,
        u_lustre: 90,
        blemishes: 1,
        blemish_area: 14,
        u_blemish_area: 5,
        nacre_um: Some(420),
    }
}

/// The coded body of one message, as the stand takes it.
fn coded(message: &FromBoard<'_>) -> Vec<u8> {
    let header = Header {
        version: wire::PROTOCOL,
        kind: Kind::Data,
        session: 1,
        seq: 0,
        ack: 0,
    };
    let mut frame = FrameWriter::new(header);
    assert!(frame.push(message).is_ok(), "a report fits a frame");
    let mut out = [0; wire::ENCODED_MAX];
    let len = frame.finish(&mut out);
    let (mut decoder, mut input) = (wire::Decoder::new(), &out[..len]);
    match decoder.next(&mut input) {
        Some(Ok(frame)) => frame.body.to_vec(),
        other => panic!("a frame just made can't be read: {other:?}"),
    }
}

fn figures_pass_through(host: &mut Host<'_>) -> Result<(), Stop> {
    settings(host)?;
    let mass = Mass {
        cell: 0,
        number: 65_535,
        entered: Tick32(u32::MAX - 5),
        left: Tick32(900),
        status: MassStatus::Good,
        mass_ug: 612_345,
        u_mass_ug: 480,
    };
    for message in [FromBoard::Measurement(measurement()), FromBoard::Mass(mass)] {
        host.stand(&ToStand::Report(&coded(&message)))?;
        host.expect_message(message)?;
    }
    host.stand(&ToStand::Index { tick: Tick32(123) })?;
    host.expect_message(FromBoard::Index { tick: Tick32(123) })?;
    let samples = wire::Samples {
        cell: 0,
        first: 77,
        at: units::BoardUs32(5),
        data: &[1; 30],
    };
    host.stand(&ToStand::Report(&coded(&FromBoard::Samples(samples))))?;
    let came = host.until(ANSWER_US + host.slack_us(), |host| host.samples.contains(&(0, 77, 10)))?;
    must(came, || format!("the samples came as {:?}", host.samples))
}

fn channels_are_told(host: &mut Host<'_>) -> Result<(), Stop> {
    // Channel 8 of a standard board is a digital input, 2 a digital output.
    host.stand(&ToStand::Channel { channel: 8, value: 1 })?;
    host.run(10_000)?;
    host.forget();
    host.connect()?;
    host.expect_message(FromBoard::Channel { channel: 8, value: 1 })?;
    host.expect_message(FromBoard::Channel { channel: 0, value: 0 })?;
    host.stand(&ToStand::Channel { channel: 8, value: 0 })?;
    host.expect_message(FromBoard::Channel { channel: 8, value: 0 })?;
    host.send(&[ToBoard::Output { channel: 2, value: 1 }])?;
    host.expect_message(FromBoard::Channel { channel: 2, value: 1 })?;
    host.told("the output was not set", |told| {
        told.iter().any(|told| {
            matches!(
                told,
                FromStand::Output {
                    channel: 2,
                    value: 1,
                    ..
                }
            )
        })
    })?;
    for (channel, value, fault) in [(8, 1, Fault::Unknown), (2, 2, Fault::Range)] {
        host.send(&[ToBoard::Output { channel, value }])?;
        host.expect_message(FromBoard::Fault {
            of: FaultOf::Board,
            fault,
        })?;
    }
    host.send(&[ToBoard::Output { channel: 2, value: 0 }])?;
    host.expect_message(FromBoard::Channel { channel: 2, value: 0 })
        .map(drop)
}

fn wrong_outputs_are_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    let channel = host.identity.limits.channels.max(200);
    host.send(&[ToBoard::Output { channel, value: 0 }])?;
    host.expect_message(FromBoard::Fault {
        of: FaultOf::Board,
        fault: Fault::Unknown,
    })
    .map(drop)
}

fn dead_band_is_kept(host: &mut Host<'_>) -> Result<(), Stop> {
    // Channel 12 of a standard board is an analogue input.
    host.set(SettingKey::DeadBand, 12, 200);
    settings(host)?;
    host.stand(&ToStand::Channel {
        channel: 12,
        value: 30_000,
    })?;
    host.expect_message(FromBoard::Channel {
        channel: 12,
        value: 30_000,
    })?;
    host.stand(&ToStand::Channel {
        channel: 12,
        value: 30_199,
    })?;
    host.run(20_000)?;
    host.never("199 counts were told", |m| {
        matches!(m, FromBoard::Channel { channel: 12, .. })
    })?;
    host.stand(&ToStand::Channel {
        channel: 12,
        value: 30_200,
    })?;
    host.expect_message(FromBoard::Channel {
        channel: 12,
        value: 30_200,
    })
    .map(drop)
}

fn coil_fault_is_told(host: &mut Host<'_>) -> Result<(), Stop> {
    host.stand(&ToStand::Coil { valve: ValveId(3) })?;
    host.expect_message(FromBoard::Fault {
        of: FaultOf::Valve(ValveId(3)),
        fault: Fault::Coil,
    })
    .map(drop)
}
