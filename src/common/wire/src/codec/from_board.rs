//! Codec of [`FromBoard`].
//!
//! Any thread, host and board.

use units::{BoardUs32, EyeId, TriggerSeq, ValveId};

use super::primitives::{Head, Source};
use super::{Coded, DecodeError, Encode, Packer, PushError};
use crate::limits::{SAMPLES_MAX, WINDOW_MAX};
use crate::message::{
    BoardLimits, Fault, FaultOf, FromBoard, Identity, Mass, MassStatus, Measurement, Samples, Status, ViewStatus,
};

/// First bytes of the messages from board to host.
pub mod tag {
    /// `Identity`.
    pub const IDENTITY: u8 = 0x41;
    /// `Settings`.
    pub const SETTINGS: u8 = 0x42;
    /// `Armed`.
    pub const ARMED: u8 = 0x43;
    /// `Disarmed`.
    pub const DISARMED: u8 = 0x44;
    /// `Status`.
    pub const STATUS: u8 = 0x45;
    /// `Index`.
    pub const INDEX: u8 = 0x46;
    /// `Trigger`.
    pub const TRIGGER: u8 = 0x47;
    /// `Passed`.
    pub const PASSED: u8 = 0x48;
    /// `Measurement`.
    pub const MEASUREMENT: u8 = 0x49;
    /// `Mass`.
    pub const MASS: u8 = 0x4A;
    /// `Samples`.
    pub const SAMPLES: u8 = 0x4B;
    /// `Fired`.
    pub const FIRED: u8 = 0x4C;
    /// `Late`.
    pub const LATE: u8 = 0x4D;
    /// `Fault`.
    pub const FAULT: u8 = 0x4E;
    /// `Done`.
    pub const DONE: u8 = 0x4F;
    /// `Gone`.
    pub const GONE: u8 = 0x50;
    /// `Landed`.
    pub const LANDED: u8 = 0x51;
    /// `Channel`.
    pub const CHANNEL: u8 = 0x52;
    /// `Pulsed`.
    pub const PULSED: u8 = 0x53;
}

/// Statuses of a view by their number.
const VIEW_STATUS: [ViewStatus; 10] = [
    ViewStatus::Good,
    ViewStatus::Empty,
    ViewStatus::Several,
    ViewStatus::Cut,
    ViewStatus::Foreign,
    ViewStatus::Overexposed,
    ViewStatus::Dark,
    ViewStatus::Dirty,
    ViewStatus::Malformed,
    ViewStatus::Late,
];

/// Statuses of a weighing by their number.
const MASS_STATUS: [MassStatus; 9] = [
    MassStatus::Good,
    MassStatus::Shared,
    MassStatus::Gap,
    MassStatus::Saturated,
    MassStatus::Stuck,
    MassStatus::Empty,
    MassStatus::Disturbed,
    MassStatus::Gate,
    MassStatus::Zero,
];

/// Faults by their number.
const FAULTS: [Fault; 14] = [
    Fault::NotArmed,
    Fault::QueueFull,
    Fault::Horizon,
    Fault::Unknown,
    Fault::TooLong,
    Fault::TooSlow,
    Fault::Duplicate,
    Fault::ForcedShut,
    Fault::Moving,
    Fault::Armed,
    Fault::Settings,
    Fault::Coil,
    Fault::Range,
    Fault::Watchdog,
];

/// Bit of a measurement's flags that says that the nacre's thickness follows; the lower four are the view's status.
const NACRE_FOLLOWS: u8 = 0x10;
/// Windows that a board may have.
const WINDOW_RANGE: core::ops::RangeInclusive<u8> = 1..=WINDOW_MAX as u8;
/// Bytes of a good measurement's figures, without the nacre's thickness.
const FIGURES_BYTES: usize = 35;
/// Bits of a status's flags.
const ARMED: u8 = 0x01;
const BLOWING: u8 = 0x02;

fn named<T: Copy>(table: &[T], number: u8) -> Result<T, DecodeError> {
    table.get(usize::from(number)).copied().ok_or(DecodeError::Value)
}

impl Encode for FromBoard<'_> {
    fn is_connect(&self) -> bool {
        matches!(self, Self::Identity(_))
    }

    fn encode(&self, head: &mut Head, packer: &mut Packer) -> Result<Coded<'_>, PushError> {
        let context = &mut packer.context;
        match *self {
            Self::Identity(ref identity) => encode_identity(identity, head)?,
            Self::Settings { settings_crc } => {
                head.u8(tag::SETTINGS);
                head.u32(settings_crc);
            }
            Self::Armed => head.u8(tag::ARMED),
            Self::Disarmed { by_watchdog } => head.put([tag::DISARMED, u8::from(by_watchdog)]),
            Self::Status(ref status) => encode_status(status, head, packer),
            Self::Index { tick } => {
                head.u8(tag::INDEX);
                head.tick(tick, context);
            }
            Self::Trigger { eye, seq, tick } => encode_eye(tag::TRIGGER, (eye, seq, tick), head, packer),
            Self::Passed { eye, seq, tick } => encode_eye(tag::PASSED, (eye, seq, tick), head, packer),
            Self::Landed { eye, seq, tick } => encode_eye(tag::LANDED, (eye, seq, tick), head, packer),
            Self::Measurement(ref measurement) => encode_measurement(measurement, head)?,
            Self::Mass(ref mass) => encode_mass(mass, head, packer),
            Self::Samples(ref samples) => return encode_samples(samples, head),
            Self::Fired { order, opened, open_us } => {
                head.u8(tag::FIRED);
                head.order(order, context);
                head.tick(opened, context);
                head.varint(open_us);
            }
            Self::Late { order, tick } => {
                head.u8(tag::LATE);
                head.order(order, context);
                head.tick(tick, context);
            }
            Self::Fault { of, fault } => {
                head.put([tag::FAULT, fault as u8]);
                match of {
                    FaultOf::Order(order) => {
                        head.u8(0);
                        head.order(order, context);
                    }
                    FaultOf::Valve(valve) => head.put([1, valve.0]),
                    FaultOf::Board => head.u8(2),
                }
            }
            Self::Done { order } => {
                head.u8(tag::DONE);
                head.order(order, context);
            }
            Self::Gone { order } => {
                head.u8(tag::GONE);
                head.order(order, context);
            }
            Self::Channel { channel, value } => {
                head.put([tag::CHANNEL, channel]);
                head.u16(value);
            }
            Self::Pulsed { valve } => head.put([tag::PULSED, valve.0]),
        }
        Ok(Coded::Whole)
    }
}

fn encode_identity(identity: &Identity, head: &mut Head) -> Result<(), PushError> {
    let Identity {
        protocol,
        uid,
        firmware,
        limits,
        settings_crc,
        starts,
    } = *identity;
    if !WINDOW_RANGE.contains(&limits.window) {
        return Err(PushError::Invalid);
    }
    head.put([tag::IDENTITY, protocol]);
    head.put(uid.to_le_bytes());
    head.u32(firmware);
    head.put([limits.valves, limits.eyes, limits.cells, limits.channels]);
    head.u16(limits.queue);
    head.u8(limits.window);
    head.u32(limits.horizon_ticks);
    head.u32(limits.max_on_us);
    head.u32(settings_crc);
    head.u16(starts);
    Ok(())
}

fn encode_status(status: &Status, head: &mut Head, packer: &mut Packer) {
    head.u8(tag::STATUS);
    head.u32(status.at.0);
    head.tick(status.tick, &mut packer.context);
    head.u16(status.fed);
    head.u16(status.queued);
    head.u8(if status.armed { ARMED } else { 0 } | if status.blowing { BLOWING } else { 0 });
    head.u16(status.dropped);
}

fn encode_eye(tag: u8, (eye, seq, tick): (EyeId, TriggerSeq, units::Tick32), head: &mut Head, packer: &mut Packer) {
    let [low, high] = seq.0.to_le_bytes();
    head.put([tag, eye.0, low, high]);
    head.tick(tick, &mut packer.context);
}

fn encode_measurement(m: &Measurement, head: &mut Head) -> Result<(), PushError> {
    let good = m.status == ViewStatus::Good;
    if !good && *m != without_figures(m.eye, m.seq, m.status, m.in_view) {
        return Err(PushError::Invalid);
    }
    let [low, high] = m.seq.0.to_le_bytes();
    let nacre = if m.nacre_um.is_some() { NACRE_FOLLOWS } else { 0 };
    head.put([tag::MEASUREMENT, m.eye.0, low, high, m.status as u8 | nacre, m.in_view]);
    if !good {
        return Ok(());
    }
    let shape = [
        m.d_max_um,
        m.d_mid_um,
        m.d_min_um,
        m.u_diameter_um,
        m.u_ddp,
        m.residual_um,
        m.taper,
    ];
    let colour = [m.lab_a, m.lab_b, m.u_lab.cast_signed(), m.overtone_a, m.overtone_b].map(i16::cast_unsigned);
    for word in shape
        .iter()
        .chain(&[m.lab_l])
        .chain(&colour)
        .chain(&[m.lustre, m.u_lustre])
    {
        head.u16(*word);
    }
    head.u8(m.blemishes);
    head.u16(m.blemish_area);
    head.u16(m.u_blemish_area);
    if let Some(nacre_um) = m.nacre_um {
        head.u16(nacre_um);
    }
    Ok(())
}

/// A measurement whose figures do not hold.
const fn without_figures(eye: EyeId, seq: TriggerSeq, status: ViewStatus, in_view: u8) -> Measurement {
    Measurement {
        eye,
        seq,
        status,
        in_view,
        d_max_um: 0,
        d_mid_um: 0,
        d_min_um: 0,
        u_diameter_um: 0,
        u_ddp: 0,
        residual_um: 0,
        taper: 0,
        lab_l: 0,
        lab_a: 0,
        lab_b: 0,
        u_lab: 0,
        overtone_a: 0,
        overtone_b: 0,
        lustre: 0,
        u_lustre: 0,
        blemishes: 0,
        blemish_area: 0,
        u_blemish_area: 0,
        nacre_um: None,
    }
}

fn encode_mass(mass: &Mass, head: &mut Head, packer: &mut Packer) {
    head.put([tag::MASS, mass.cell]);
    head.u16(mass.number);
    head.tick(mass.entered, &mut packer.context);
    head.tick(mass.left, &mut packer.context);
    head.u8(mass.status as u8);
    head.varint(mass.mass_ug);
    head.varint(mass.u_mass_ug);
}

fn encode_samples<'a>(samples: &Samples<'a>, head: &mut Head) -> Result<Coded<'a>, PushError> {
    let count = samples.data.len() / 3;
    if !samples.data.len().is_multiple_of(3) || count == 0 || count > SAMPLES_MAX {
        return Err(PushError::Invalid);
    }
    head.put([tag::SAMPLES, samples.cell]);
    head.u32(samples.first);
    head.u32(samples.at.0);
    head.u8(count as u8);
    Ok(Coded::WithData(samples.data))
}

/// Decodes one message.
pub(super) fn decode<'a>(source: &mut Source<'a>) -> Result<FromBoard<'a>, DecodeError> {
    let tag = source.u8()?;
    if (tag == tag::IDENTITY) != source.connect {
        return Err(DecodeError::Tag(tag));
    }
    Ok(match tag {
        tag::IDENTITY => FromBoard::Identity(decode_identity(source)?),
        tag::SETTINGS => FromBoard::Settings {
            settings_crc: source.u32()?,
        },
        tag::ARMED => FromBoard::Armed,
        tag::DISARMED => FromBoard::Disarmed {
            by_watchdog: named(&[false, true], source.u8()?)?,
        },
        tag::STATUS => FromBoard::Status(decode_status(source)?),
        tag::INDEX => FromBoard::Index { tick: source.tick()? },
        tag::TRIGGER => {
            let (eye, seq, tick) = decode_eye(source)?;
            FromBoard::Trigger { eye, seq, tick }
        }
        tag::PASSED => {
            let (eye, seq, tick) = decode_eye(source)?;
            FromBoard::Passed { eye, seq, tick }
        }
        tag::MEASUREMENT => FromBoard::Measurement(decode_measurement(source)?),
        tag::MASS => FromBoard::Mass(decode_mass(source)?),
        tag::SAMPLES => FromBoard::Samples(decode_samples(source)?),
        tag::FIRED => FromBoard::Fired {
            order: source.order()?,
            opened: source.tick()?,
            open_us: source.varint()?,
        },
        tag::LATE => FromBoard::Late {
            order: source.order()?,
            tick: source.tick()?,
        },
        tag::FAULT => decode_fault(source)?,
        tag::DONE => FromBoard::Done { order: source.order()? },
        tag::GONE => FromBoard::Gone { order: source.order()? },
        tag::LANDED => {
            let (eye, seq, tick) = decode_eye(source)?;
            FromBoard::Landed { eye, seq, tick }
        }
        tag::CHANNEL => FromBoard::Channel {
            channel: source.u8()?,
            value: source.u16()?,
        },
        tag::PULSED => FromBoard::Pulsed {
            valve: ValveId(source.u8()?),
        },
        _ => return Err(DecodeError::Tag(tag)),
    })
}

fn decode_identity(source: &mut Source<'_>) -> Result<Identity, DecodeError> {
    let (protocol, uid, firmware) = (source.u8()?, source.u64()?, source.u32()?);
    let &[valves, eyes, cells, channels] = source.array()?;
    let limits = BoardLimits {
        valves,
        eyes,
        cells,
        channels,
        queue: source.u16()?,
        window: source.u8()?,
        horizon_ticks: source.u32()?,
        max_on_us: source.u32()?,
    };
    if !WINDOW_RANGE.contains(&limits.window) {
        return Err(DecodeError::Value);
    }
    Ok(Identity {
        protocol,
        uid,
        firmware,
        limits,
        settings_crc: source.u32()?,
        starts: source.u16()?,
    })
}

fn decode_status(source: &mut Source<'_>) -> Result<Status, DecodeError> {
    let (at, tick) = (BoardUs32(source.u32()?), source.tick()?);
    let (fed, queued, flags) = (source.u16()?, source.u16()?, source.u8()?);
    if flags & !(ARMED | BLOWING) != 0 {
        return Err(DecodeError::Value);
    }
    let (armed, blowing) = (flags & ARMED != 0, flags & BLOWING != 0);
    Ok(Status {
        at,
        tick,
        fed,
        queued,
        armed,
        blowing,
        dropped: source.u16()?,
    })
}

fn decode_eye(source: &mut Source<'_>) -> Result<(EyeId, TriggerSeq, units::Tick32), DecodeError> {
    let &[eye, low, high] = source.array()?;
    Ok((EyeId(eye), TriggerSeq(u16::from_le_bytes([low, high])), source.tick()?))
}

fn decode_measurement(source: &mut Source<'_>) -> Result<Measurement, DecodeError> {
    let &[eye, low, high, flags, in_view] = source.array()?;
    let status = named(&VIEW_STATUS, flags & 0x0F)?;
    let nacre = match flags & 0xF0 {
        0 => false,
        NACRE_FOLLOWS if status == ViewStatus::Good => true,
        _ => return Err(DecodeError::Value),
    };
    let m = without_figures(EyeId(eye), TriggerSeq(u16::from_le_bytes([low, high])), status, in_view);
    if status == ViewStatus::Good {
        decode_figures(source, m, nacre)
    } else {
        Ok(m)
    }
}

/// The figures that follow when the view is good, filled into `m`.
fn decode_figures(source: &mut Source<'_>, m: Measurement, nacre: bool) -> Result<Measurement, DecodeError> {
    let bytes: &[u8; FIGURES_BYTES] = source.array()?;
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let signed = |at: usize| word(at).cast_signed();
    Ok(Measurement {
        d_max_um: word(0),
        d_mid_um: word(2),
        d_min_um: word(4),
        u_diameter_um: word(6),
        u_ddp: word(8),
        residual_um: word(10),
        taper: word(12),
        lab_l: word(14),
        lab_a: signed(16),
        lab_b: signed(18),
        u_lab: word(20),
        overtone_a: signed(22),
        overtone_b: signed(24),
        lustre: word(26),
        u_lustre: word(28),
        blemishes: bytes[30],
        blemish_area: word(31),
        u_blemish_area: word(33),
        nacre_um: if nacre { Some(source.u16()?) } else { None },
        ..m
    })
}

fn decode_mass(source: &mut Source<'_>) -> Result<Mass, DecodeError> {
    Ok(Mass {
        cell: source.u8()?,
        number: source.u16()?,
        entered: source.tick()?,
        left: source.tick()?,
        status: named(&MASS_STATUS, source.u8()?)?,
        mass_ug: source.varint()?,
        u_mass_ug: source.varint()?,
    })
}

fn decode_samples<'a>(source: &mut Source<'a>) -> Result<Samples<'a>, DecodeError> {
    let (cell, first, at) = (source.u8()?, source.u32()?, BoardUs32(source.u32()?));
    let count = usize::from(source.u8()?);
    if count == 0 || count > SAMPLES_MAX {
        return Err(DecodeError::Value);
    }
    Ok(Samples {
        cell,
        first,
        at,
        data: source.slice(3 * count)?,
    })
}

fn decode_fault<'a>(source: &mut Source<'_>) -> Result<FromBoard<'a>, DecodeError> {
    let fault = named(&FAULTS, source.u8()?)?;
    let of = match source.u8()? {
        0 => FaultOf::Order(source.order()?),
        1 => FaultOf::Valve(ValveId(source.u8()?)),
        2 => FaultOf::Board,
        _ => return Err(DecodeError::Value),
    };
    Ok(FromBoard::Fault { of, fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_their_numbers() {
        assert!(VIEW_STATUS.iter().enumerate().all(|(i, status)| *status as usize == i));
        assert!(MASS_STATUS.iter().enumerate().all(|(i, status)| *status as usize == i));
        assert!(FAULTS.iter().enumerate().all(|(i, fault)| *fault as usize == i));
    }
}
