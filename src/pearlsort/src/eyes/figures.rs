//! The eye's figures as the field bus carries them. Any thread.

use devices::cameras::Shot;
use vision::Why;
use wire::{Measurement, ViewStatus};

/// What a refusal is called on the field bus.
pub(super) const fn status(why: Why) -> ViewStatus {
    match why {
        Why::Empty => ViewStatus::Empty,
        Why::Several => ViewStatus::Several,
        Why::Cut => ViewStatus::Cut,
        // No ellipsoid comes near the outline: whatever it is, it is no pearl.
        Why::Foreign | Why::Misfit => ViewStatus::Foreign,
        Why::Overexposed => ViewStatus::Overexposed,
        Why::Dark => ViewStatus::Dark,
        Why::Dirty => ViewStatus::Dirty,
        Why::Format | Why::Size | Why::Truncated => ViewStatus::Malformed,
    }
}

/// A measurement without figures.
pub(super) const fn without(shot: &Shot, status: ViewStatus) -> Measurement {
    Measurement {
        eye: shot.eye,
        seq: shot.seq,
        status,
        in_view: 0,
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

/// A measurement with all figures. One uncertainty stands for all diameters, and one for L, a and b: the largest.
pub(super) fn good(shot: &Shot, m: &vision::Measurement) -> Measurement {
    Measurement {
        // The eye refuses two in a frame.
        in_view: 1,
        d_max_um: short(m.d_max.0),
        d_mid_um: short(m.d_mid.0),
        d_min_um: short(m.d_min.0),
        u_diameter_um: short(m.u_d_max.0.max(m.u_d_min.0)),
        u_ddp: short(m.u_ddp.0),
        residual_um: short(m.residual.0),
        taper: short(m.taper.0),
        lab_l: short(m.lab[0].into()),
        lab_a: m.lab[1],
        lab_b: m.lab[2],
        u_lab: m.u_lab.into_iter().fold(0, u16::max),
        overtone_a: m.overtone[0],
        overtone_b: m.overtone[1],
        lustre: m.lustre,
        u_lustre: m.u_lustre,
        blemishes: m.blemishes,
        blemish_area: short(m.blemish_area.0),
        u_blemish_area: short(m.u_blemish_area.0),
        ..without(shot, ViewStatus::Good)
    }
}

/// Held within what the field bus carries.
fn short(value: i32) -> u16 {
    u16::try_from(value.max(0)).unwrap_or(u16::MAX)
}
