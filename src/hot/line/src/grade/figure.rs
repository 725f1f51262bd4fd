//! The figures of a pearl that a recipe can ask for, each with its standard uncertainty: measured ones as they come, and
//! those that follow from them.
//!
//! Hot thread. All are integers; a recipe's figures are worked out once a pearl.

use super::angle::{chroma, hue};
use super::{Figures, MassFigure};
use wire::Measurement;

/// A figure of a pearl that a rule can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Figure {
    /// Smallest diameter, um.
    DiameterUm,
    /// Largest diameter, um.
    LargestUm,
    /// Middle axis of the fitted ellipsoid, um.
    MiddleUm,
    /// Diameter difference against the mean of largest and smallest (GB/T 18781), 0.01 %.
    Ddp,
    /// Diameter difference against the smallest (Tahiti), 0.01 %.
    DdpSmallest,
    /// Where the middle axis lies between the smallest (0: oval, a grain of rice) and the largest (10,000: flat, a
    /// button), 0.01 %.
    AxisPlace,
    /// Distance of the silhouettes from the fitted ellipsoid against the mean diameter, 0.01 %: large for a baroque.
    Residual,
    /// Difference of the two ends' curvature, 0.01 %: large for a drop.
    Taper,
    /// Lustre, 0.01 %.
    Lustre,
    /// Share of blemishes, 0.01 %.
    BlemishArea,
    /// Blemishes counted.
    Blemishes,
    /// CIELAB lightness, 0.01.
    LabL,
    /// CIELAB a, 0.01.
    LabA,
    /// CIELAB b, 0.01.
    LabB,
    /// CIELAB chroma of the body, 0.01.
    Chroma,
    /// CIELAB hue angle of the body, 0.01 degrees; a range of it may cross 0.
    Hue,
    /// CIELAB chroma of the overtone against the body, 0.01.
    OvertoneChroma,
    /// CIELAB hue angle of the overtone, 0.01 degrees; a range of it may cross 0.
    OvertoneHue,
    /// Nacre's thickness, um.
    NacreUm,
    /// Mass, ug.
    MassUg,
    /// Density against the fitted ellipsoid's volume, mg/cm3.
    Density,
}

/// Every figure, in the order of its number.
pub const FIGURES: [Figure; 21] = [
    Figure::DiameterUm,
    Figure::LargestUm,
    Figure::MiddleUm,
    Figure::Ddp,
    Figure::DdpSmallest,
    Figure::AxisPlace,
    Figure::Residual,
    Figure::Taper,
    Figure::Lustre,
    Figure::BlemishArea,
    Figure::Blemishes,
    Figure::LabL,
    Figure::LabA,
    Figure::LabB,
    Figure::Chroma,
    Figure::Hue,
    Figure::OvertoneChroma,
    Figure::OvertoneHue,
    Figure::NacreUm,
    Figure::MassUg,
    Figure::Density,
];

impl Figure {
    /// Whether it comes from the camera.
    #[must_use]
    pub const fn needs_view(self) -> bool {
        !matches!(self, Self::MassUg)
    }

    /// Whether it comes from the weigh cell.
    #[must_use]
    pub const fn needs_mass(self) -> bool {
        matches!(self, Self::MassUg | Self::Density)
    }

    /// Whether it is an angle: its ranges may cross 0.
    #[must_use]
    pub const fn is_angle(self) -> bool {
        matches!(self, Self::Hue | Self::OvertoneHue)
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The figure's value, or `None` when what it comes from was not measured.
    #[must_use]
    pub fn value(self, figures: Figures<'_>) -> Option<i32> {
        Values::of(Wanted::figure(self, false), figures)
            .get(self)
            .map(|(value, _)| value)
    }

    /// Its standard uncertainty, in the same unit; 0 where none is known, [`UNKNOWN`] where the value says nothing.
    #[must_use]
    pub fn uncertainty(self, figures: Figures<'_>) -> i32 {
        Values::of(Wanted::figure(self, true), figures)
            .get(self)
            .map_or(UNKNOWN, |(_, u)| u)
    }
}

/// The figures that a recipe asks for, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    values: u32,
    /// Those whose uncertainty is asked for too.
    u: u32,
}

impl Wanted {
    /// One figure, `with_u` or without its uncertainty.
    pub(super) const fn figure(figure: Figure, with_u: bool) -> Self {
        Self {
            values: figure.bit(),
            u: if with_u { figure.bit() } else { 0 },
        }
    }

    /// These and others.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            values: self.values | other.values,
            u: self.u | other.u,
        }
    }

    const fn value(self, figure: Figure) -> bool {
        self.values & figure.bit() != 0
    }

    const fn u(self, figure: Figure) -> bool {
        self.u & figure.bit() != 0
    }
}

/// The figures of one pearl, worked out once. Those that cost a division or a root are worked out when wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    value: [i32; FIGURES.len()],
    u: [i32; FIGURES.len()],
    /// Figures that have a value, a bit each.
    known: u32,
}

impl Values {
    /// At least the `wanted` figures.
    #[inline]
    pub(super) fn of(wanted: Wanted, figures: Figures<'_>) -> Self {
        let mut values = Self {
            value: [0; FIGURES.len()],
            u: [0; FIGURES.len()],
            known: 0,
        };
        if let Some(mass) = figures.mass {
            values.set(Figure::MassUg, mass.mass.0, mass.u.0);
        }
        if let Some(view) = figures.view {
            values.measured(view);
            values.of_shape(wanted, view);
            values.of_colour(wanted, view);
            if wanted.value(Figure::Density)
                && let Some((density, u)) = figures.mass.and_then(|mass| density(view, mass))
            {
                values.set(Figure::Density, density, u);
            }
        }
        values
    }

    /// Value and uncertainty of a wanted figure.
    #[inline]
    pub(super) fn get(&self, figure: Figure) -> Option<(i32, i32)> {
        let number = figure as usize;
        (self.known & figure.bit() != 0).then(|| (self.value[number], self.u[number]))
    }

    #[inline]
    const fn set(&mut self, figure: Figure, value: i32, u: i32) {
        self.value[figure as usize] = value;
        self.u[figure as usize] = u;
        self.known |= figure.bit();
    }

    /// Figures as they were measured.
    #[inline]
    fn measured(&mut self, view: &Measurement) {
        let (u_diameter, u_lab) = (i32::from(view.u_diameter_um), i32::from(view.u_lab));
        self.set(Figure::DiameterUm, i32::from(view.d_min_um), u_diameter);
        self.set(Figure::LargestUm, i32::from(view.d_max_um), u_diameter);
        self.set(Figure::MiddleUm, i32::from(view.d_mid_um), u_diameter);
        self.set(Figure::Taper, i32::from(view.taper), 0);
        self.set(Figure::Lustre, i32::from(view.lustre), i32::from(view.u_lustre));
        self.set(
            Figure::BlemishArea,
            i32::from(view.blemish_area),
            i32::from(view.u_blemish_area),
        );
        self.set(Figure::Blemishes, i32::from(view.blemishes), 0);
        self.set(Figure::LabL, i32::from(view.lab_l), u_lab);
        self.set(Figure::LabA, i32::from(view.lab_a), u_lab);
        self.set(Figure::LabB, i32::from(view.lab_b), u_lab);
        if let Some(nacre_um) = view.nacre_um {
            self.set(Figure::NacreUm, i32::from(nacre_um), 0);
        }
    }

    #[inline]
    fn of_shape(&mut self, wanted: Wanted, view: &Measurement) {
        if wanted.value(Figure::Ddp) {
            self.set(Figure::Ddp, ddp(view.d_max_um, view.d_min_um), i32::from(view.u_ddp));
        }
        if wanted.value(Figure::DdpSmallest) {
            let value = ddp_of_smallest(view.d_max_um, view.d_min_um);
            self.set(Figure::DdpSmallest, value, i32::from(view.u_ddp));
        }
        if wanted.value(Figure::AxisPlace) {
            let (value, u) = axis_place(view, wanted.u(Figure::AxisPlace));
            self.set(Figure::AxisPlace, value, u);
        }
        if wanted.value(Figure::Residual) {
            let mean = mean_um(view);
            let share_of_mean = |um: u16| share(i32::from(um) * 10_000, mean);
            let u = if wanted.u(Figure::Residual) {
                share_of_mean(view.u_diameter_um)
            } else {
                0
            };
            self.set(
                Figure::Residual,
                ceil_div(i32::from(view.residual_um) * 10_000, mean),
                u,
            );
        }
    }

    #[inline]
    fn of_colour(&mut self, wanted: Wanted, view: &Measurement) {
        let body = (view.lab_a, view.lab_b, Figure::Chroma, Figure::Hue);
        let overtone = (
            view.overtone_a,
            view.overtone_b,
            Figure::OvertoneChroma,
            Figure::OvertoneHue,
        );
        for (a, b, length, angle) in [body, overtone] {
            let u_lab = i32::from(view.u_lab);
            let chroma = if wanted.value(length) || wanted.u(angle) {
                chroma(a, b)
            } else {
                0
            };
            self.set(length, chroma, u_lab);
            if wanted.value(angle) {
                // An arc of u on a circle of the chroma, in 0.01 degrees: 18,000 / pi = 5,730.
                let u = if wanted.u(angle) {
                    share(u_lab * 5_730, chroma)
                } else {
                    0
                };
                self.set(angle, hue(a, b), u);
            }
        }
    }
}

/// Uncertainty of a figure that says nothing, such as the hue of a grey.
pub const UNKNOWN: i32 = i32::MAX / 4;

/// Part against whole; [`UNKNOWN`] against nothing.
fn share(part: i32, whole: i32) -> i32 {
    if part == 0 {
        0
    } else if whole <= 0 {
        UNKNOWN
    } else {
        part / whole
    }
}

fn mean_um(view: &Measurement) -> i32 {
    (i32::from(view.d_max_um) + i32::from(view.d_min_um)) / 2
}

/// Diameter difference in 0.01 %: (dmax - dmin) / mean of the two (GB/T 18781). Rounded up, so that "at most 3 %" holds
/// exactly when the true quotient is at most 3 %.
#[must_use]
pub fn ddp(d_max_um: u16, d_min_um: u16) -> i32 {
    let (most, least) = (i32::from(d_max_um), i32::from(d_min_um));
    ceil_div((most - least).max(0) * 20_000, most + least)
}

/// Diameter difference in 0.01 % of the smallest diameter, as Tahiti has it; rounded up.
#[must_use]
pub fn ddp_of_smallest(d_max_um: u16, d_min_um: u16) -> i32 {
    let (most, least) = (i32::from(d_max_um), i32::from(d_min_um));
    ceil_div((most - least).max(0) * 10_000, least)
}

fn ceil_div(part: i32, whole: i32) -> i32 {
    if whole == 0 { 0 } else { (part + whole - 1) / whole }
}

fn axis_place(view: &Measurement, with_u: bool) -> (i32, i32) {
    let (most, middle, least) = (
        i32::from(view.d_max_um),
        i32::from(view.d_mid_um),
        i32::from(view.d_min_um),
    );
    let range = most - least;
    if range <= 0 {
        return (5_000, UNKNOWN);
    }
    // Of the middle axis and of the range, together: the root of 2 times a diameter's.
    let u = if with_u {
        share(i32::from(view.u_diameter_um) * 14_142, range)
    } else {
        0
    };
    (((middle - least) * 10_000 / range).clamp(0, 10_000), u)
}

/// Mass against the volume of the ellipsoid, pi/6 of the product of its axes, mg/cm3. `None` without a volume. Its
/// uncertainty is by the parts of mass and of three axes that err together: (u_m / m + 3 u_d / d) x density.
fn density(view: &Measurement, mass: MassFigure) -> Option<(i32, i32)> {
    let product = i64::from(view.d_max_um) * i64::from(view.d_mid_um) * i64::from(view.d_min_um);
    // Thousands of um3; the largest product is 2.8e14, and pi/6 = 0.523599.
    let volume = product / 1_000 * 523_599 / 1_000_000;
    if volume == 0 {
        return None;
    }
    let (m, d) = (i64::from(mass.mass.0), i64::from(mean_um(view)));
    // ug / um3 is 1e9 mg/cm3.
    let value = m * 1_000_000 / volume;
    let u = if m <= 0 {
        i64::from(UNKNOWN)
    } else {
        value * i64::from(mass.u.0) / m + 3 * value * i64::from(view.u_diameter_um) / d
    };
    let within = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
    Some((within(value), within(u).min(UNKNOWN)))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::round;
    use super::*;
    use units::Micrograms;

    #[test]
    fn figures_are_numbered_in_their_order() {
        for (number, figure) in FIGURES.iter().enumerate() {
            assert_eq!(*figure as usize, number);
        }
    }

    #[test]
    fn the_diameter_difference_is_exact_at_its_edges() {
        // (dmax - dmin) / mean: 7,106.6 over 6,896.6 would be 3 %; whole numbers just around it.
        assert_eq!(ddp(2_030, 1_970), 300, "exactly 3 %");
        assert_eq!(ddp(20_301, 19_700), 301, "a hair above 3 % is above");
        assert_eq!(ddp(7_000, 7_000), 0);
        assert_eq!(ddp(0, 0), 0);
        assert_eq!(ddp_of_smallest(10_200, 10_000), 200);
        assert_eq!(ddp_of_smallest(10_201, 10_000), 201);
    }

    #[test]
    fn a_pearl_of_seven_millimetres_and_its_usual_mass_has_its_usual_density() {
        let view = round(7_000);
        let mass = MassFigure {
            mass: Micrograms(485_000),
            u: Micrograms(485),
        };
        let figures = Figures {
            view: Some(&view),
            mass: Some(mass),
        };
        let density = Figure::Density.value(figures).expect("both are measured");
        assert!((2_690..=2_710).contains(&density), "{density} mg/cm3");
        // 0.1 % of the mass and three times 10 um of 7 mm.
        assert!((13..=15).contains(&Figure::Density.uncertainty(figures)));
    }

    #[test]
    fn the_hue_of_a_grey_says_nothing() {
        let mut view = round(7_000);
        (view.lab_a, view.lab_b, view.u_lab) = (0, 0, 50);
        let figures = Figures {
            view: Some(&view),
            mass: None,
        };
        assert_eq!(Figure::Hue.uncertainty(figures), UNKNOWN);
        view.lab_a = 1_000;
        let figures = Figures {
            view: Some(&view),
            mass: None,
        };
        assert_eq!(Figure::Hue.uncertainty(figures), 286);
    }

    #[test]
    fn what_was_not_measured_has_no_value() {
        let none = Figures { view: None, mass: None };
        assert!(FIGURES.iter().all(|figure| figure.value(none).is_none()));
    }
}
