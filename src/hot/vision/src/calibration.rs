//! What the eye must be told about its optics, its lamps and its masters. Cold: made before the eye is.
//!
//! Words: the **line's frame** has x across the belt, y along the image's columns, z up. **Counts** are the camera's,
//! linear, 0 to 255. **Albedo** is the share of light that a matt body sends back.

use crate::limits::{RINGS, VIEWS};

/// Which view of a flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewName {
    /// From straight above.
    #[default]
    Top,
    /// From the left, looking to the right and down.
    Left,
    /// From the right, looking to the left and down.
    Right,
}

impl ViewName {
    /// The views in the order in which the eye takes them.
    pub const ALL: [Self; VIEWS] = [Self::Top, Self::Left, Self::Right];
}

/// One camera's geometry, from a ruled target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Angle by which it is turned about y, degrees: positive when it stands on the right.
    pub tilt_deg: f64,
    /// Pixels a millimetre.
    pub px_per_mm: f64,
    /// Radial distortion: a point r from the frame's centre belongs at r (1 + k r^2), r in units of half the width.
    pub distortion: f64,
}

/// The outermost rim of a lustrous pearl mirrors the dark belt at grazing angles and is lost to the edge, the more the
/// glossier the pearl. What a diameter along x, y or z loses, in um, as a straight line in the logarithm of roughness
/// above 0.1, from pearls or spheres of known diameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RimLoss {
    /// Loss at roughness 0.1.
    pub at_tenth_um: [f64; 3],
    /// Its change for each factor e of roughness.
    pub per_log_um: [f64; 3],
}

/// The four bar lamps as they are seen from the pearl, in the direction sphere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lamps {
    /// Distance of a bar's middle from the vertical, and its height: a unit vector (radial, z).
    pub radial: f32,
    /// See `radial`.
    pub height: f32,
    /// Half a bar's length.
    pub half_length: f32,
}

/// A named colour series and its middle in CIELAB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chip {
    /// Name.
    pub series: Series,
    /// L, a, b.
    pub lab: [f32; 3],
}

/// Colour series of pearls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Series {
    /// White.
    White,
    /// Cream.
    Cream,
    /// Pink.
    Pink,
    /// Orange.
    Orange,
    /// Lavender.
    Lavender,
    /// Purple.
    Purple,
}

impl Series {
    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Cream => "cream",
            Self::Pink => "pink",
            Self::Orange => "orange",
            Self::Lavender => "lavender",
            Self::Purple => "purple",
        }
    }
}

/// Light, colour and gloss of the station, from white and dark references, a colour chart and master pearls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Counts of each channel with the lens covered.
    pub dark: [f32; 3],
    /// Exposure now against that at which the rest of this table was made.
    pub exposure: f32,
    /// Counts of a white matt sphere by its normal and its slant c to the camera: coefficients of
    /// 1, z, z^2, x^2, z^3, z x^2, z^4, z^2 x^2, x^4, x^2 y^2, (1-c)^2, (1-c)^4.
    pub shading: [f32; 12],
    /// Albedo of each channel from body counts over shading: slope and offset (the coat's mirror image of the dome).
    pub albedo: [[f32; 2]; 3],
    /// Albedo to linear red, green, blue of the standard observer, row by row.
    pub matrix: [[f32; 3]; 3],
    /// The lamps.
    pub lamps: Lamps,
    /// The belt's counts at the corner farthest from the pearl, mean of the channels, without a pearl.
    pub belt: f32,
    /// What a pearl's shadow takes of them, counts for each square millimetre of its radius squared.
    pub belt_shadow: f32,
}

/// How mirror images become roughness: fitted to master pearls of known order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Masters {
    /// Logarithm of roughness: 1, the RINGS - 1 rings' counts over the body, their signed roots, the body's albedo.
    pub log_roughness: [f32; 2 * RINGS],
    /// Standard uncertainty of the logarithm.
    pub u_log: f32,
}

/// Everything the eye is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Frame's width and height in pixels.
    pub size_px: (usize, usize),
    /// The cameras: top, left, right.
    pub cameras: [Camera; VIEWS],
    /// Relative standard uncertainty of the scale.
    pub u_scale: f64,
    /// Rim loss of the edge.
    pub rim: RimLoss,
    /// Light and colour.
    pub light: Light,
    /// Lustre.
    pub masters: Masters,
    /// Colour series.
    pub chips: [Chip; 6],
}
