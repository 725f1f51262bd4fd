//! From what was seen to figures with their standard uncertainties. Hot.

use units::{CentiPercent, Micrometres};

use crate::calibration::{Calibration, RimLoss, Series};
use crate::ellipse::Ellipse;
use crate::ellipsoid::{Axes, Ellipsoid};
use crate::lab::{lab, series};
use crate::limits::{RINGS, VIEWS};
use crate::pits::Surfaces;
use crate::shade::Sums;
use crate::shape::{self, Shape};

/// The figures of one pearl, each with its standard uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// Largest caliper diameter.
    pub d_max: Micrometres,
    /// Middle axis.
    pub d_mid: Micrometres,
    /// Smallest caliper diameter.
    pub d_min: Micrometres,
    /// Standard uncertainty of `d_max`.
    pub u_d_max: Micrometres,
    /// Standard uncertainty of `d_min`.
    pub u_d_min: Micrometres,
    /// Diameter difference: (d_max - d_min) over their mean.
    pub ddp: CentiPercent,
    /// Its standard uncertainty.
    pub u_ddp: CentiPercent,
    /// Volume in nanolitres (0.001 mm3).
    pub volume_nl: u32,
    /// Its standard uncertainty.
    pub u_volume_nl: u32,
    /// Root mean square distance of the silhouettes from the ellipsoid: large for a baroque.
    pub residual: Micrometres,
    /// Difference of the two ends' curvature over the mean: large for a drop.
    pub taper: CentiPercent,
    /// The shape's family.
    pub shape: Shape,
    /// CIELAB of the body: L, a, b in 0.01.
    pub lab: [i16; 3],
    /// Standard uncertainty of each of L, a, b, in 0.01.
    pub u_lab: [u16; 3],
    /// CIELAB a and b of the overtone (towards the rim) against the body, in 0.01.
    pub overtone: [i16; 2],
    /// The colour series nearest to the body.
    pub series: Option<Series>,
    /// Lustre, 0 to 10,000, by the masters.
    pub lustre: u16,
    /// Its standard uncertainty.
    pub u_lustre: u16,
    /// Pits over the visible surface.
    pub blemishes: u8,
    /// Standard uncertainty of that count.
    pub u_blemishes: u8,
    /// Pits' share of the visible surface.
    pub blemish_area: CentiPercent,
    /// Its standard uncertainty.
    pub u_blemish_area: CentiPercent,
    /// Greatest shortfall of light in a pit.
    pub blemish_depth: CentiPercent,
}

/// What calibration is made from: figures before anything that masters or references decide is applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw {
    /// Diameters of the ellipsoid in um, smallest first, the rim's loss not given back.
    pub diameters_um: [f64; 3],
    /// Their directions in the line's frame.
    pub directions: [[f64; 3]; 3],
    /// Mirror images: counts above the body in each ring around a lamp's image.
    pub images: [f32; RINGS],
    /// Body counts over shading, red, green, blue.
    pub body: [f32; 3],
    /// Body counts over shading in the outermost ring, mean of the channels.
    pub reference: f32,
    /// Logarithm of roughness by the masters.
    pub log_roughness: f32,
    /// Belt's counts, mean of the channels, at the corner farthest from the pearl's shadow.
    pub belt: f32,
    /// Standard deviation of one byte on the belt, counts.
    pub noise: f32,
    /// Exposure against calibration, as the belt shows it.
    pub exposure: f32,
}

/// The ellipsoid and the outlines it was made of.
pub(crate) struct Form {
    pub(crate) ellipsoid: Ellipsoid,
    pub(crate) outlines: [Ellipse; VIEWS],
    /// Root mean square distance of the first outlines from the ellipsoid, pixels.
    pub(crate) residual_px: f64,
    /// Taper of the outlines along the longest axis.
    pub(crate) taper: f64,
    /// Largest and smallest distance of two parallel tangents in any view of a baroque, pixels of the top camera.
    pub(crate) calipers_px: [f64; 2],
    /// Whether no ellipsoid describes it.
    pub(crate) baroque: bool,
}

/// What shading told.
pub(crate) struct Seen {
    /// Belt's level and noise, and the exposure taken from them: see [`Raw`].
    pub(crate) belt: f32,
    pub(crate) noise: f32,
    pub(crate) exposure: f32,
    pub(crate) sums: Sums,
    pub(crate) images: [f32; RINGS],
    pub(crate) pits: Surfaces,
}

/// Scatter of the points is smoothed along the outline: neighbours are not independent, and the fit's covariance is
/// too small by this factor.
const CORRELATION: f64 = 5.0;
/// What remains of the edge's bias in each diameter, um.
const EDGE_BIAS_UM: f64 = 3.2;
/// What remains of it in all three alike at nominal exposure and without noise, um: coarse steps of the converter and
/// noise cut off at zero on the dark side make it larger.
const EDGE_COMMON_UM: f64 = 1.0;
/// What a diameter loses more in the first outlines than in the fine ones, which a baroque does not get, um.
const COARSE_LOSS_UM: f64 = 13.5;
/// Standard uncertainty of a baroque's largest and smallest diameter, as shares: three views miss the rest.
const BAROQUE_SHARE: f64 = 0.02;
/// Standard uncertainty of a baroque's volume, as a share.
const BAROQUE_VOLUME_SHARE: f64 = 0.004;
/// Roughness that counts as no lustre at all, and as all of it, as logarithms.
const DULLEST_LOG: f32 = -0.69;
const BRIGHTEST_LOG: f32 = -3.91;
/// Standard uncertainty of an albedo: of shading, and of what the coat adds.
const U_ALBEDO: f32 = 0.013;

/// All figures of one pearl; what comes before masters and references goes to `raw`.
pub(crate) fn figures(calibration: &Calibration, form: &Form, seen: &Seen, raw: &mut Raw) -> Measurement {
    let um_per_px = 1000.0 / calibration.cameras[0].px_per_mm;
    let axes = form.ellipsoid.axes();
    let body = [0, 1, 2].map(|k| seen.sums.body[k] / seen.sums.body[3].max(1e-3) / seen.exposure);
    let reference = seen.sums.reference() / seen.exposure;
    *raw = Raw {
        diameters_um: axes.diameters.map(|d| d * um_per_px),
        directions: axes.directions,
        images: seen.images.map(|v| v / seen.exposure),
        body,
        reference,
        log_roughness: 0.0,
        belt: seen.belt,
        noise: seen.noise,
        exposure: seen.exposure,
    };
    raw.log_roughness = log_roughness(calibration, raw);
    let size = size(calibration, form, &axes, raw);
    let (lab_f, u_lab) = colour(calibration, &body);
    let rim = [0, 1, 2].map(|k| seen.sums.rim[k] / seen.sums.rim[3].max(1e-3) / seen.exposure);
    let (rim_lab, _) = colour(calibration, &rim);
    let (lustre, u_lustre) = lustre(calibration, raw.log_roughness);
    let surface = blemishes(&seen.pits);
    Measurement {
        d_max: micrometres(size.diameters[2]),
        d_mid: micrometres(size.diameters[1]),
        d_min: micrometres(size.diameters[0]),
        u_d_max: micrometres(size.u_max.ceil()),
        u_d_min: micrometres(size.u_min.ceil()),
        ddp: centi(size.ddp),
        u_ddp: centi(size.u_ddp),
        volume_nl: whole(size.volume_mm3 * 1000.0),
        u_volume_nl: whole((size.u_volume_mm3 * 1000.0).ceil()),
        residual: micrometres(form.residual_px * um_per_px),
        taper: centi(form.taper * 100.0),
        shape: shape::family(&size.diameters, size.ddp, form.baroque, form.taper),
        lab: lab_f.map(hundredths),
        u_lab: u_lab.map(|u| hundredths(u).unsigned_abs()),
        overtone: [1, 2].map(|k| hundredths(rim_lab[k] - lab_f[k])),
        series: series(&lab_f, &calibration.chips),
        lustre,
        u_lustre,
        ..surface
    }
}

/// Diameters, difference and volume with their uncertainties.
struct Size {
    /// um, smallest first.
    diameters: [f64; 3],
    u_max: f64,
    u_min: f64,
    /// Per cent.
    ddp: f64,
    u_ddp: f64,
    volume_mm3: f64,
    u_volume_mm3: f64,
}

fn size(calibration: &Calibration, form: &Form, axes: &Axes, raw: &Raw) -> Size {
    let common = EDGE_COMMON_UM * f64::from(1.0 + raw.noise).sqrt() / f64::from(raw.exposure);
    let common = common * common;
    let um_per_px = 1000.0 / calibration.cameras[0].px_per_mm;
    let mut diameters = [0.0; 3];
    for k in 0..3 {
        diameters[k] = raw.diameters_um[k] + lost(&calibration.rim, &axes.directions[k], raw.log_roughness);
        if form.baroque {
            diameters[k] += COARSE_LOSS_UM;
        }
    }
    let [low, mid, high] = diameters;
    let volume_mm3 = std::f64::consts::PI / 6.0 * low * mid * high * 1e-9;
    let variance = |i: usize, j: usize| axes.covariance[i][j] * um_per_px * um_per_px * CORRELATION;
    let edge = EDGE_BIAS_UM * EDGE_BIAS_UM;
    let scale = calibration.u_scale;
    // The axes' own biases stand against one another in the volume: it is where light falls that tells them apart.
    let mut relative = (3.0 * scale).powi(2) + (0.7 * edge + 9.0 * common) / (mid * mid);
    for i in 0..3 {
        for j in 0..3 {
            relative += variance(i, j) / (diameters[i] * diameters[j]);
        }
    }
    let mut out = Size {
        diameters,
        u_max: (variance(2, 2) + edge + common + (scale * high).powi(2)).sqrt(),
        u_min: (variance(0, 0) + edge + common + (scale * low).powi(2)).sqrt(),
        ddp: 0.0,
        u_ddp: (variance(0, 0) + variance(2, 2) - 2.0 * variance(0, 2) + 2.0 * edge)
            .max(0.0)
            .sqrt()
            / mid
            * 100.0,
        volume_mm3,
        u_volume_mm3: volume_mm3 * relative.sqrt(),
    };
    if form.baroque {
        out.diameters[2] = high.max(form.calipers_px[0] * um_per_px);
        out.diameters[0] = form.calipers_px[1] * um_per_px;
        out.diameters[1] = mid.clamp(out.diameters[0], out.diameters[2]);
        out.u_max = BAROQUE_SHARE * out.diameters[2];
        out.u_min = BAROQUE_SHARE * out.diameters[0];
        out.u_ddp = BAROQUE_SHARE * 100.0 * std::f64::consts::SQRT_2;
        out.u_volume_mm3 = volume_mm3 * (relative + BAROQUE_VOLUME_SHARE * BAROQUE_VOLUME_SHARE).sqrt();
    }
    let [low, _, high] = out.diameters;
    out.ddp = 200.0 * (high - low) / (high + low).max(1.0);
    out
}

/// What the rim loses of a diameter in a direction, um.
fn lost(rim: &RimLoss, direction: &[f64; 3], log_roughness: f32) -> f64 {
    let over_tenth = f64::from(log_roughness) - 0.1f64.ln();
    (0..3)
        .map(|k| direction[k].powi(2) * (rim.at_tenth_um[k] + rim.per_log_um[k] * over_tenth))
        .sum()
}

/// Logarithm of the coat's roughness by the masters, held within what pearls are.
fn log_roughness(calibration: &Calibration, raw: &Raw) -> f32 {
    let k = &calibration.masters.log_roughness;
    let mut sum = k[0] + k[2 * RINGS - 1] * raw.reference;
    for ring in 0..RINGS - 1 {
        let image = raw.images[ring] * 0.1;
        sum += k[1 + ring] * image + k[RINGS + ring] * image.signum() * image.abs().sqrt();
    }
    if sum.is_finite() {
        sum.clamp(BRIGHTEST_LOG, DULLEST_LOG)
    } else {
        DULLEST_LOG
    }
}

/// Lustre and its uncertainty, 0 to 10,000.
fn lustre(calibration: &Calibration, log_roughness: f32) -> (u16, u16) {
    let scale = 10_000.0 / (DULLEST_LOG - BRIGHTEST_LOG);
    let value = (DULLEST_LOG - log_roughness) * scale;
    (
        held(f64::from(value)),
        held(f64::from(calibration.masters.u_log * scale)),
    )
}

/// CIELAB of the body and its uncertainties.
fn colour(calibration: &Calibration, body: &[f32; 3]) -> ([f32; 3], [f32; 3]) {
    let light = &calibration.light;
    let albedo = [0, 1, 2].map(|k| (light.albedo[k][0] * body[k] + light.albedo[k][1]).clamp(0.0, 2.0));
    let seen = |albedo: &[f32; 3]| lab(&light.matrix.map(|row| row.iter().zip(albedo).map(|(m, v)| m * v).sum()));
    let middle = seen(&albedo);
    let mut square = [0.0; 3];
    for k in 0..3 {
        let mut moved = albedo;
        moved[k] += U_ALBEDO;
        let moved = seen(&moved);
        for c in 0..3 {
            square[c] += (moved[c] - middle[c]).powi(2);
        }
    }
    (middle, square.map(f32::sqrt))
}

/// The surface's figures; all others are zero.
fn blemishes(pits: &Surfaces) -> Measurement {
    let share = |area: f32| f64::from(area / pits.visible.max(1.0)) * 100.0;
    let area = share(pits.area);
    // A pit's edge is uncertain by half a cell all round: its area by the root of cells times pit.
    let u = (share(pits.grain).powi(2) + area * share(pits.grain) * 4.0 + (0.12 * area).powi(2)).sqrt();
    Measurement {
        blemishes: u8::try_from(pits.count).unwrap_or(u8::MAX),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 17")]
        u_blemishes: (0.5 + (pits.count as f32 * 0.5).sqrt()).min(255.0) as u8,
        blemish_area: centi(area),
        u_blemish_area: centi(u),
        blemish_depth: centi(f64::from(pits.depth) * 100.0),
        ..Measurement::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "casts from f64 saturate")]
fn micrometres(um: f64) -> Micrometres {
    Micrometres(um.round() as i32)
}

#[expect(clippy::cast_possible_truncation, reason = "casts from f64 saturate")]
fn centi(percent: f64) -> CentiPercent {
    CentiPercent((percent * 100.0).round() as i32)
}

#[expect(clippy::cast_possible_truncation, reason = "casts from f32 saturate")]
fn hundredths(value: f32) -> i16 {
    (value * 100.0).round() as i16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts from f64 saturate"
)]
fn whole(value: f64) -> u32 {
    value.round() as u32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held within the scale"
)]
fn held(value: f64) -> u16 {
    value.round().clamp(0.0, 10_000.0) as u16
}
