//! The station's file: JSON with the calibration in force and, dated, every step that made it, with its residuals. Cold.
//!
//! Steps are added, never overwritten: a drift over months shows in them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vision::limits::{RINGS, VIEWS};
use vision::{Calibration, Camera, Masters};

/// Version of the file's form.
pub const VERSION: u32 = 1;

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// See [`VERSION`].
    pub version: u32,
    /// What is in force.
    pub figures: Figures,
    /// Blemished share in per cent up to which a surface is of class 0, 1, ..., by the customer's masters.
    pub surface_edges_pct: Vec<f64>,
    /// The steps, oldest first.
    pub steps: Vec<Step>,
}

/// What a calibration changes of the nominal station.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Frame's width and height, pixels.
    pub size_px: (usize, usize),
    /// Top, left, right: pixels a millimetre.
    pub px_per_mm: [f64; VIEWS],
    /// Turn about the belt's direction, degrees.
    pub tilt_deg: [f64; VIEWS],
    /// Radial distortion.
    pub distortion: [f64; VIEWS],
    /// Relative standard uncertainty of the scale.
    pub u_scale: f64,
    /// Counts without light.
    pub dark: [f32; 3],
    /// Exposure.
    pub exposure: f32,
    /// Albedo from counts over shading.
    pub albedo: [[f32; 2]; 3],
    /// Albedo to linear red, green, blue.
    pub matrix: [[f32; 3]; 3],
    /// Lustre: see [`Masters`].
    pub log_roughness: [f32; 2 * RINGS],
    /// Its uncertainty.
    pub u_log: f32,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `camera`, `references`, `colour`, `masters` or `reference`.
    pub kind: String,
    /// When, UTC, as RFC 3339 has it.
    pub at: String,
    /// What it was made from.
    pub from: String,
    /// What was found, in words.
    pub found: String,
    /// Unit of the residuals.
    pub residual_unit: String,
    /// Residual of each observation.
    pub residuals: Vec<f64>,
}

/// Why a station's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// It can't be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is not such a file.
    #[error("{}: {why}; name a file that `pearlsort calibrate camera` has written", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Station {
    /// The nominal station, before any step.
    #[must_use]
    pub fn nominal() -> Self {
        Self {
            version: VERSION,
            figures: Figures::of(&Calibration::nominal()),
            surface_edges_pct: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Reads a station's file.
    ///
    /// # Errors
    /// When it can't be read, is no such file, or holds figures that no station has.
    pub fn read(path: &Path) -> Result<Self, StationError> {
        let text = std::fs::read_to_string(path).map_err(|source| StationError::Io {
            path: path.to_owned(),
            source,
        })?;
        let malformed = |why: String| StationError::Malformed {
            path: path.to_owned(),
            why,
        };
        let station: Self = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if station.version != VERSION {
            return Err(malformed(format!("version {}, not {VERSION}", station.version)));
        }
        station.figures.check().map_err(malformed)?;
        Ok(station)
    }

    /// Writes it beside the old one and then puts it in its place, so that a crash leaves one of the two.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), StationError> {
        let failed = |source| StationError::Io {
            path: path.to_owned(),
            source,
        };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        let beside = path.with_extension("new");
        let written = std::fs::File::create(&beside).and_then(|mut file| {
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)
    }

    /// What the eye is to be told.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        self.figures.calibration()
    }

    /// Puts a calibration in force, with the step that made it.
    pub fn add(&mut self, calibration: &Calibration, step: Step) {
        self.figures = Figures::of(calibration);
        self.steps.push(step);
    }
}

impl Figures {
    /// Of a calibration.
    #[must_use]
    pub fn of(calibration: &Calibration) -> Self {
        let (cameras, light) = (&calibration.cameras, &calibration.light);
        Self {
            size_px: calibration.size_px,
            px_per_mm: cameras.map(|camera| camera.px_per_mm),
            tilt_deg: cameras.map(|camera| camera.tilt_deg),
            distortion: cameras.map(|camera| camera.distortion),
            u_scale: calibration.u_scale,
            dark: light.dark,
            exposure: light.exposure,
            albedo: light.albedo,
            matrix: light.matrix,
            log_roughness: calibration.masters.log_roughness,
            u_log: calibration.masters.u_log,
        }
    }

    fn calibration(&self) -> Calibration {
        let mut calibration = Calibration::nominal();
        calibration.size_px = self.size_px;
        calibration.cameras = [0, 1, 2].map(|k| Camera {
            tilt_deg: self.tilt_deg[k],
            px_per_mm: self.px_per_mm[k],
            distortion: self.distortion[k],
        });
        calibration.u_scale = self.u_scale;
        calibration.light.dark = self.dark;
        calibration.light.exposure = self.exposure;
        calibration.light.albedo = self.albedo;
        calibration.light.matrix = self.matrix;
        calibration.masters = Masters {
            log_roughness: self.log_roughness,
            u_log: self.u_log,
        };
        calibration
    }

    fn check(&self) -> Result<(), String> {
        let within = |what: &str, value: f64, least: f64, most: f64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("{what} is {value}, outside of {least} to {most}"))
            }
        };
        for k in 0..VIEWS {
            within("px_per_mm", self.px_per_mm[k], 5.0, 100.0)?;
            within("tilt_deg", self.tilt_deg[k], -85.0, 85.0)?;
            within("distortion", self.distortion[k], -0.05, 0.05)?;
        }
        within("u_scale", self.u_scale, 0.0, 0.05)?;
        within("exposure", f64::from(self.exposure), 0.1, 10.0)?;
        let finite = self.albedo.iter().flatten().chain(self.matrix.iter().flatten());
        let finite = finite
            .chain(&self.log_roughness)
            .chain(&self.dark)
            .all(|v| v.is_finite());
        if finite {
            Ok(())
        } else {
            Err("a figure is no number".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let path = std::env::temp_dir().join(format!("station-{}.json", std::process::id()));
        let mut station = Station::nominal();
        let mut calibration = Calibration::nominal();
        calibration.cameras[2].px_per_mm = 20.07;
        calibration.light.dark = [1.5, 1.0, 2.0];
        let step = Step {
            kind: "camera".to_owned(),
            at: "2026-11-24T10:00:00Z".to_owned(),
            from: "target".to_owned(),
            found: "20.07 px/mm".to_owned(),
            residual_unit: "px".to_owned(),
            residuals: vec![0.1, 0.02],
        };
        station.add(&calibration, step);
        station.write(&path).expect("a folder to write to");
        let read = Station::read(&path).expect("the file just written");
        assert_eq!(read, station);
        assert_eq!(read.calibration(), calibration);
        for (from, to) in [
            ("20.07", "2000.7"),
            ("\"version\": 1", "\"version\": 9"),
            ("\"steps\"", "\"stops\""),
        ] {
            let text = serde_json::to_string_pretty(&station).expect("JSON").replace(from, to);
            std::fs::write(&path, text).expect("a folder to write to");
            assert!(
                matches!(Station::read(&path), Err(StationError::Malformed { .. })),
                "{from}"
            );
        }
        std::fs::remove_file(&path).expect("the file goes");
        assert!(matches!(Station::read(&path), Err(StationError::Io { .. })));
    }
}
