//! The figures that standards and recipes can ask for: key, unit, bounds, and how uncertain such a figure usually is.
//!
//! Cold side, any thread.

use line::grade::{FIGURES, Figure};

use crate::form::{Key, Kind, Quantity, optional};
use crate::interval::DEGREES;

const fn quantity(unit: &'static str, decimals: u32, least: i64, most: i64) -> Quantity {
    Quantity {
        unit,
        decimals,
        least,
        most,
    }
}

static MM: Quantity = quantity("mm", 3, 0, 65_000);
static NACRE_MM: Quantity = quantity("mm", 3, 0, 10_000);
static PERCENT: Quantity = quantity("percent", 2, 0, 10_000);
static DDP_PERCENT: Quantity = quantity("percent", 2, 0, 20_000);
static COUNT: Quantity = quantity("blemishes", 0, 0, 255);
static LIGHTNESS: Quantity = quantity("of 100", 2, 0, 10_000);
static LAB: Quantity = quantity("of CIELAB", 2, -12_800, 12_800);
static CHROMA: Quantity = quantity("of CIELAB", 2, 0, 18_100);
static ANGLE: Quantity = quantity(DEGREES, 2, 0, 36_000);
static GRAM: Quantity = quantity("g", 6, 0, 50_000_000);
static DENSITY: Quantity = quantity("g/cm3", 3, 0, 20_000);

/// The keys, in the order of the figures.
pub(crate) static FIGURE_KEYS: [Key; FIGURES.len()] = [
    optional(
        "diameter-mm",
        Kind::Interval(&MM),
        "Smallest diameter: the size of round and near-round pearls.",
    ),
    optional("largest-mm", Kind::Interval(&MM), "Largest diameter."),
    optional("middle-mm", Kind::Interval(&MM), "Middle axis of the fitted ellipsoid."),
    optional(
        "ddp-percent",
        Kind::Interval(&DDP_PERCENT),
        "Diameter difference: (largest - smallest) / mean of the two.",
    ),
    optional(
        "ddp-of-smallest-percent",
        Kind::Interval(&DDP_PERCENT),
        "Diameter difference against the smallest (Tahiti).",
    ),
    optional(
        "axis-place-percent",
        Kind::Interval(&PERCENT),
        "Where the middle axis lies: 0 as the smallest (oval), 100 as the largest (flat).",
    ),
    optional(
        "residual-percent",
        Kind::Interval(&PERCENT),
        "Distance of the outline from an ellipsoid, against the mean diameter: large for a baroque.",
    ),
    optional(
        "taper-percent",
        Kind::Interval(&PERCENT),
        "Difference of the two ends' curvature: large for a drop.",
    ),
    optional(
        "lustre-percent",
        Kind::Interval(&PERCENT),
        "Lustre on the scale that is calibrated to the master set.",
    ),
    optional(
        "blemish-area-percent",
        Kind::Interval(&PERCENT),
        "Share of the visible surface that is blemished.",
    ),
    optional("blemishes", Kind::Interval(&COUNT), "Blemishes counted."),
    optional("lab-l", Kind::Interval(&LIGHTNESS), "CIELAB lightness of the body."),
    optional("lab-a", Kind::Interval(&LAB), "CIELAB a of the body: green to red."),
    optional("lab-b", Kind::Interval(&LAB), "CIELAB b of the body: blue to yellow."),
    optional(
        "chroma",
        Kind::Interval(&CHROMA),
        "CIELAB chroma of the body: how strong the colour is.",
    ),
    optional(
        "hue-degrees",
        Kind::Interval(&ANGLE),
        "CIELAB hue of the body: 0 red, 90 yellow, 180 green, 270 blue; may cross 0.",
    ),
    optional(
        "overtone-chroma",
        Kind::Interval(&CHROMA),
        "CIELAB chroma of the overtone against the body.",
    ),
    optional(
        "overtone-hue-degrees",
        Kind::Interval(&ANGLE),
        "CIELAB hue of the overtone against the body.",
    ),
    optional(
        "nacre-mm",
        Kind::Interval(&NACRE_MM),
        "Thickness of the nacre, where it was measured.",
    ),
    optional("mass-g", Kind::Interval(&GRAM), "Mass."),
    optional(
        "density-g-cm3",
        Kind::Interval(&DENSITY),
        "Mass against volume: a bead or a hollow shows.",
    ),
];

/// Standard uncertainty that a figure usually has on a well-kept line, in the figure's integer; 0 where none is known.
pub(crate) const fn usual_uncertainty(figure: Figure) -> i32 {
    match figure {
        Figure::DiameterUm | Figure::LargestUm | Figure::MiddleUm => 10,
        Figure::Ddp | Figure::DdpSmallest => 15,
        Figure::Lustre => 100,
        Figure::BlemishArea => 10,
        Figure::LabL | Figure::LabA | Figure::LabB | Figure::Chroma | Figure::OvertoneChroma => 50,
        Figure::MassUg => 500,
        Figure::Density => 15,
        Figure::AxisPlace
        | Figure::Residual
        | Figure::Taper
        | Figure::Blemishes
        | Figure::Hue
        | Figure::OvertoneHue
        | Figure::NacreUm => 0,
    }
}

/// The key of a figure.
pub(crate) fn key_of(figure: Figure) -> &'static str {
    FIGURE_KEYS[figure as usize].name
}

/// The quantity of a figure.
pub(crate) fn quantity_of(figure: Figure) -> &'static Quantity {
    match FIGURE_KEYS[figure as usize].kind {
        Kind::Interval(quantity) => quantity,
        _ => unreachable!("every figure's key is a range"),
    }
}

/// A figure's value as it is written, with its unit.
pub(crate) fn show(figure: Figure, value: i32) -> String {
    let quantity = quantity_of(figure);
    format!("{} {}", quantity.show(i64::from(value)), quantity.unit)
}
