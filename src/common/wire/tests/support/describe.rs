//! Messages as the lines of `docs/wire-vectors.txt`: a name, then `field=number` in the order of the page.

use std::fmt::Write;

use wire::{FaultOf, Fire, FromBoard, Identity, Mass, Measurement, Samples, Setting, Status, ToBoard};

pub(crate) fn to_board(message: &ToBoard) -> String {
    match *message {
        ToBoard::Hello(hello) => format!("Hello protocol={} session={}", hello.protocol, hello.session),
        ToBoard::Set(Setting { key, index, value }) => format!("Set key={} index={index} value={value}", key as u8),
        ToBoard::Commit => "Commit".into(),
        ToBoard::Arm { settings_crc } => format!("Arm settings_crc={settings_crc}"),
        ToBoard::Disarm => "Disarm".into(),
        ToBoard::Feed { count } => format!("Feed count={count}"),
        ToBoard::Fire(Fire {
            order,
            valve,
            on,
            length,
        }) => {
            format!("Fire order={} valve={} on={} length={length}", order.0, valve.0, on.0)
        }
        ToBoard::Amend(amend) => format!("Amend order={} length={}", amend.order.0, amend.length),
        ToBoard::Output { channel, value } => format!("Output channel={channel} value={value}"),
        ToBoard::Pulse { valve, us } => format!("Pulse valve={} us={us}", valve.0),
    }
}

pub(crate) fn from_board(message: &FromBoard<'_>) -> String {
    let eye_event = |name: &str, eye: units::EyeId, seq: units::TriggerSeq, tick: units::Tick32| {
        format!("{name} eye={} seq={} tick={}", eye.0, seq.0, tick.0)
    };
    match message {
        FromBoard::Identity(identity) => describe_identity(identity),
        FromBoard::Settings { settings_crc } => format!("Settings settings_crc={settings_crc}"),
        FromBoard::Armed => "Armed".into(),
        FromBoard::Disarmed { by_watchdog } => format!("Disarmed by_watchdog={}", u8::from(*by_watchdog)),
        FromBoard::Status(status) => describe_status(status),
        FromBoard::Index { tick } => format!("Index tick={}", tick.0),
        FromBoard::Trigger { eye, seq, tick } => eye_event("Trigger", *eye, *seq, *tick),
        FromBoard::Passed { eye, seq, tick } => eye_event("Passed", *eye, *seq, *tick),
        FromBoard::Landed { eye, seq, tick } => eye_event("Landed", *eye, *seq, *tick),
        FromBoard::Measurement(m) => describe_measurement(m),
        FromBoard::Mass(mass) => describe_mass(mass),
        FromBoard::Samples(samples) => describe_samples(samples),
        FromBoard::Fired { order, opened, open_us } => {
            format!("Fired order={} opened={} open_us={open_us}", order.0, opened.0)
        }
        FromBoard::Late { order, tick } => format!("Late order={} tick={}", order.0, tick.0),
        FromBoard::Fault { of, fault } => {
            let fault = *fault as u8;
            match of {
                FaultOf::Order(order) => format!("Fault fault={fault} of=0 order={}", order.0),
                FaultOf::Valve(valve) => format!("Fault fault={fault} of=1 valve={}", valve.0),
                FaultOf::Board => format!("Fault fault={fault} of=2"),
            }
        }
        FromBoard::Done { order } => format!("Done order={}", order.0),
        FromBoard::Gone { order } => format!("Gone order={}", order.0),
        FromBoard::Channel { channel, value } => format!("Channel channel={channel} value={value}"),
        FromBoard::Pulsed { valve } => format!("Pulsed valve={}", valve.0),
    }
}

fn describe_identity(identity: &Identity) -> String {
    let Identity {
        protocol,
        uid,
        firmware,
        limits,
        settings_crc,
        starts,
    } = identity;
    format!(
        "Identity protocol={protocol} uid={uid} firmware={firmware} valves={} eyes={} cells={} channels={} queue={} \
         window={} horizon_ticks={} max_on_us={} settings_crc={settings_crc} starts={starts}",
        limits.valves,
        limits.eyes,
        limits.cells,
        limits.channels,
        limits.queue,
        limits.window,
        limits.horizon_ticks,
        limits.max_on_us,
    )
}

fn describe_status(status: &Status) -> String {
    format!(
        "Status at={} tick={} fed={} queued={} armed={} blowing={} dropped={}",
        status.at.0,
        status.tick.0,
        status.fed,
        status.queued,
        u8::from(status.armed),
        u8::from(status.blowing),
        status.dropped,
    )
}

fn describe_measurement(m: &Measurement) -> String {
    let mut line = format!(
        "Measurement eye={} seq={} status={} in_view={}",
        m.eye.0, m.seq.0, m.status as u8, m.in_view
    );
    let mut figure = |name: &str, value: i32| write!(line, " {name}={value}").expect("a string takes all");
    if m.status == wire::ViewStatus::Good {
        figure("d_max_um", m.d_max_um.into());
        figure("d_mid_um", m.d_mid_um.into());
        figure("d_min_um", m.d_min_um.into());
        figure("u_diameter_um", m.u_diameter_um.into());
        figure("u_ddp", m.u_ddp.into());
        figure("residual_um", m.residual_um.into());
        figure("taper", m.taper.into());
        figure("lab_l", m.lab_l.into());
        figure("lab_a", m.lab_a.into());
        figure("lab_b", m.lab_b.into());
        figure("u_lab", m.u_lab.into());
        figure("overtone_a", m.overtone_a.into());
        figure("overtone_b", m.overtone_b.into());
        figure("lustre", m.lustre.into());
        figure("u_lustre", m.u_lustre.into());
        figure("blemishes", m.blemishes.into());
        figure("blemish_area", m.blemish_area.into());
        figure("u_blemish_area", m.u_blemish_area.into());
        if let Some(nacre_um) = m.nacre_um {
            figure("nacre_um", nacre_um.into());
        }
    }
    line
}

fn describe_mass(mass: &Mass) -> String {
    format!(
        "Mass cell={} number={} entered={} left={} status={} mass_ug={} u_mass_ug={}",
        mass.cell, mass.number, mass.entered.0, mass.left.0, mass.status as u8, mass.mass_ug, mass.u_mass_ug,
    )
}

fn describe_samples(samples: &Samples<'_>) -> String {
    let Samples { cell, first, at, data } = samples;
    let values = data.as_chunks::<3>().0.iter().map(|&[a, b, c]| {
        // The top byte brings the sign.
        (i32::from_le_bytes([0, a, b, c]) >> 8).to_string()
    });
    let values: Vec<String> = values.collect();
    format!(
        "Samples cell={cell} first={first} at={} values={}",
        at.0,
        values.join(",")
    )
}

/// Bytes as pairs of hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// The bytes of such pairs.
pub(crate) fn unhex(pairs: &str) -> Vec<u8> {
    pairs
        .split_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16).expect("two hexadecimal digits"))
        .collect()
}
