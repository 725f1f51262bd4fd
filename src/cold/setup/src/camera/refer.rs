//! The reference pearl: a station that measures it otherwise than it is has drifted. Cold.

use vision::{Calibration, Measurement};

use super::colour::difference;

/// What is certified of the reference pearl.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certified {
    /// Largest and smallest diameter, um.
    pub diameters_um: [f64; 2],
    /// L, a, b, where its colour is certified.
    pub lab: Option<[f32; 3]>,
    /// Lustre, 0 to 10,000, where it is certified.
    pub lustre: Option<f64>,
}

/// How far the station may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// A diameter, as a share.
    pub diameter: f64,
    /// Colour, CIEDE2000.
    pub colour: f64,
    /// Lustre, of 10,000.
    pub lustre: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            diameter: 0.002,
            colour: 2.0,
            lustre: 800.0,
        }
    }
}

/// A figure that has drifted.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "{what}: {measured:.2} measured, {certified:.2} certified, {off:.4} off, {allowed:.4} allowed; calibrate the station again"
)]
pub struct Drift {
    /// Which.
    pub what: &'static str,
    /// As measured.
    pub measured: f64,
    /// As certified.
    pub certified: f64,
    /// How far off.
    pub off: f64,
    /// How far it may be.
    pub allowed: f64,
}

/// What has drifted; nothing when the station is as it was.
#[must_use]
pub fn check(measured: &Measurement, certified: &Certified, tolerance: &Tolerance) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut judge = |what, measured: f64, certified: f64, off: f64, allowed: f64| {
        // What is no number is off in any case.
        if off.is_nan() || off > allowed {
            drifts.push(Drift {
                what,
                measured,
                certified,
                off,
                allowed,
            });
        }
    };
    let diameters = [
        ("largest diameter, um", measured.d_max.0, certified.diameters_um[0]),
        ("smallest diameter, um", measured.d_min.0, certified.diameters_um[1]),
    ];
    for (what, is, should) in diameters {
        let is = f64::from(is);
        judge(what, is, should, (is / should - 1.0).abs(), tolerance.diameter);
    }
    if let Some(lab) = certified.lab {
        let seen = measured.lab.map(|v| f32::from(v) / 100.0);
        let off = difference(&seen, &lab);
        judge(
            "colour, L",
            f64::from(seen[0]),
            f64::from(lab[0]),
            off,
            tolerance.colour,
        );
    }
    if let Some(lustre) = certified.lustre {
        let is = f64::from(measured.lustre);
        judge("lustre", is, lustre, (is - lustre).abs(), tolerance.lustre);
    }
    drifts
}

/// The calibration with the scale that gives the reference pearl its certified diameters. `u_relative` is the relative standard
/// uncertainty of the certificate.
#[must_use]
pub fn rescaled(
    calibration: &Calibration,
    measured: &Measurement,
    certified: &Certified,
    u_relative: f64,
) -> Calibration {
    let seen = f64::from(measured.d_max.0) + f64::from(measured.d_min.0);
    let factor = seen / (certified.diameters_um[0] + certified.diameters_um[1]);
    let mut out = *calibration;
    for camera in &mut out.cameras {
        camera.px_per_mm *= factor;
    }
    let u_um = f64::hypot(f64::from(measured.u_d_max.0), f64::from(measured.u_d_min.0));
    out.u_scale = u_relative.hypot(u_um / seen);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::Micrometres;

    fn measured(um: i32) -> Measurement {
        Measurement {
            d_max: Micrometres(um + 30),
            d_min: Micrometres(um),
            u_d_max: Micrometres(4),
            u_d_min: Micrometres(4),
            lab: [8_500, 0, 500],
            lustre: 6_000,
            ..Measurement::default()
        }
    }

    const CERTIFIED: Certified = Certified {
        diameters_um: [8_030.0, 8_000.0],
        lab: Some([85.0, 0.0, 5.0]),
        lustre: Some(6_000.0),
    };

    #[test]
    fn a_station_that_has_drifted_says_in_what() {
        let names = |m: &Measurement| {
            let drifts = check(m, &CERTIFIED, &Tolerance::default());
            drifts.iter().map(|drift| drift.what).collect::<Vec<_>>()
        };
        assert!(names(&measured(8_000)).is_empty());
        assert_eq!(
            names(&measured(8_040)),
            ["largest diameter, um", "smallest diameter, um"]
        );
        let mut yellow = measured(8_000);
        yellow.lab[2] = 1_000;
        yellow.lustre = 3_000;
        assert_eq!(names(&yellow), ["colour, L", "lustre"]);
    }

    #[test]
    fn the_reference_pearl_gives_the_scale() {
        let nominal = Calibration::nominal();
        let finer = rescaled(&nominal, &measured(8_040), &CERTIFIED, 2e-4);
        let ratio = finer.cameras[1].px_per_mm / nominal.cameras[1].px_per_mm;
        assert!((ratio - 1.005).abs() < 5e-5, "{ratio}");
        assert!(finer.u_scale > 2e-4 && finer.u_scale < 6e-4);
    }
}
