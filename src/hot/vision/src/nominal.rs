//! The nominal station: what calibration would find on a rig built as drawn. Cold.
//!
//! Three telecentric cameras of 20 px/mm and 288 x 288 pixels at 0, -60 and +60 degrees, a grey dome, four bar lamps at
//! the diagonals, a dark belt. Every figure below was fitted, none to one pearl: shading to the dull pearls of the
//! reference set, albedo, rim loss and masters to all of it. A station's own calibration replaces them.

use crate::calibration::{Calibration, Camera, Chip, Lamps, Light, Masters, RimLoss, Series};

impl Calibration {
    /// The nominal station.
    #[must_use]
    pub const fn nominal() -> Self {
        Self {
            size_px: (288, 288),
            cameras: [camera(0.0), camera(-60.0), camera(60.0)],
            u_scale: 0.000_3,
            rim: RimLoss {
                at_tenth_um: [12.3, 6.1, 28.0],
                per_log_um: [-9.45, -4.9, -17.1],
            },
            light: Light {
                dark: [0.0; 3],
                exposure: 1.0,
                shading: [
                    92.826, 130.572, 32.770, 3.604, 20.230, -3.571, -5.659, -9.841, 4.907, 8.538, -21.875, 87.662,
                ],
                albedo: [[1.0543, -0.0071], [1.0684, -0.0177], [1.069, -0.0186]],
                matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
                lamps: Lamps {
                    radial: 0.676_5,
                    height: 0.736_4,
                    half_length: 0.135,
                },
                belt: 4.72,
                belt_shadow: 0.007_7,
            },
            masters: Masters {
                log_roughness: [
                    -0.6483, -0.0082, -0.0153, -0.1578, -0.1541, -0.1182, -0.0415, -0.2827, -0.2780, 0.0478, -0.0203,
                    -0.4277, -0.5296, 0.1324, 0.1664, 0.1940, 0.2935, 0.3707, -0.1427, -0.0449, -0.0165, -0.3120,
                ],
                u_log: 0.12,
            },
            chips: [
                Chip {
                    series: Series::White,
                    lab: [90.0, -0.2, 2.9],
                },
                Chip {
                    series: Series::Cream,
                    lab: [86.1, 0.6, 11.5],
                },
                Chip {
                    series: Series::Pink,
                    lab: [81.3, 7.2, 7.8],
                },
                Chip {
                    series: Series::Orange,
                    lab: [78.4, 7.8, 20.2],
                },
                Chip {
                    series: Series::Lavender,
                    lab: [77.6, 6.7, -5.3],
                },
                Chip {
                    series: Series::Purple,
                    lab: [63.8, 11.7, -9.0],
                },
            ],
        }
    }
}

const fn camera(tilt_deg: f64) -> Camera {
    Camera {
        tilt_deg,
        px_per_mm: 20.0,
        distortion: 0.0,
    }
}
