//! A weigh cell's model to bytes and back, to the bit: the core weighs by it. Any thread; coding it does not allocate.

use line::weigh::limits::LINES;
use line::weigh::{BeltLines, Model, Noise, Platform};

use crate::bytes::{Cursor, Put};

/// Figures beside the belt lines.
const FIGURES: usize = 13;
/// Bytes of a model: its figures, the number of its lines, and room for every line.
pub(crate) const BYTES: usize = 8 * (FIGURES + LINES) + 1;

const _: () = assert!(BYTES + 12 <= crate::limits::EVENT_MAX, "a model fits into an event");

pub(crate) fn put(bytes: &mut impl Put, model: &Model) {
    let (p, n) = (&model.platform, &model.noise);
    let figures: [f64; FIGURES] = [
        model.sample_hz,
        model.counts_per_mg,
        p.natural_hz,
        p.damping,
        p.effective_mg,
        p.landing_us,
        p.roll_us,
        p.lag_us,
        n.white_mg,
        n.zero_walk_mg,
        n.line_walk_mg,
        n.push_mg,
        n.gate_us,
    ];
    for figure in figures {
        bytes.u64(figure.to_bits());
    }
    let hz = model.lines.hz();
    bytes.u8(u8::try_from(hz.len()).unwrap_or(0));
    for line in 0..LINES {
        bytes.u64(hz.get(line).copied().unwrap_or(0.0).to_bits());
    }
}

pub(crate) fn get(cursor: &mut Cursor<'_>) -> Option<Model> {
    let mut figure = || cursor.u64().map(f64::from_bits);
    let (sample_hz, counts_per_mg) = (figure()?, figure()?);
    let platform = Platform {
        natural_hz: figure()?,
        damping: figure()?,
        effective_mg: figure()?,
        landing_us: figure()?,
        roll_us: figure()?,
        lag_us: figure()?,
    };
    let noise = Noise {
        white_mg: figure()?,
        zero_walk_mg: figure()?,
        line_walk_mg: figure()?,
        push_mg: figure()?,
        gate_us: figure()?,
    };
    let count = usize::from(cursor.u8()?);
    let mut hz = [0.0; LINES];
    for line in &mut hz {
        *line = f64::from_bits(cursor.u64()?);
    }
    Some(Model {
        sample_hz,
        counts_per_mg,
        platform,
        lines: BeltLines::new(hz.get(..count)?),
        noise,
    })
}
