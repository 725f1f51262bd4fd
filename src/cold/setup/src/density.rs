//! Mass against size: what a body is by its density, and what a pearl weighs by its size alone.
//!
//! Cold threads; integers are not needed here. Density of pearls 2.70 +- 0.04 g/cm3, seen from 2.60 to 2.78 (see the
//! grading reference); shell beads are denser than nacre, hollow pearls far lighter, stones and shell splinters outside.

/// A figure with its standard uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Best estimate.
    pub value: f64,
    /// Standard uncertainty, in the same unit.
    pub u: f64,
}

/// Bounds of density between the kinds, g/cm3. All are configuration: no standard fixes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Below this nothing that comes from a shell lies, hollow or not: plastic, wood.
    pub least_hollow: f64,
    /// Solid nacre: from here,
    pub least_nacre: f64,
    /// to here.
    pub most_nacre: f64,
    /// A bead of shell under nacre is at most this dense; beyond are stones.
    pub most_bead: f64,
    /// Solid nacre, for masses predicted from sizes.
    pub nacre: Measured,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            least_hollow: 1.6,
            least_nacre: 2.60,
            most_nacre: 2.78,
            most_bead: 2.90,
            nacre: Measured { value: 2.70, u: 0.04 },
        }
    }
}

/// What a body is by its density.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As dense as solid nacre, or not surely otherwise.
    Nacre,
    /// Surely lighter than solid nacre: a hole within, or soufflé.
    Hollow,
    /// Surely denser than nacre, as with a bead of shell.
    Beaded,
    /// Too light or too dense for anything out of a pearl mussel: a stone, a splinter, plastic.
    Intruder,
}

/// Why there is no density.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DensityError {
    /// A figure is not a positive number, or its uncertainty is negative.
    #[error("{0} is not a positive number with an uncertainty; measure again")]
    NotPositive(&'static str),
}

/// How sure a kind other than nacre must be, in standard uncertainties.
const SURE: f64 = 2.0;

fn check(name: &'static str, figure: Measured) -> Result<(), DensityError> {
    let sound = figure.value.is_finite() && figure.value > 0.0 && figure.u.is_finite() && figure.u >= 0.0;
    sound.then_some(()).ok_or(DensityError::NotPositive(name))
}

/// Volume of an ellipsoid in mm3 from its three diameters in mm: pi/6 a b c. The relative uncertainties of independent
/// diameters add in squares.
///
/// # Errors
/// A diameter is no positive number.
pub fn ellipsoid_mm3(diameters_mm: [Measured; 3]) -> Result<Measured, DensityError> {
    let (mut volume, mut relative) = (std::f64::consts::PI / 6.0, 0.0);
    for diameter in diameters_mm {
        check("a diameter", diameter)?;
        volume *= diameter.value;
        relative += (diameter.u / diameter.value).powi(2);
    }
    Ok(Measured {
        value: volume,
        u: volume * relative.sqrt(),
    })
}

/// Density in g/cm3 from a mass in mg and a volume in mm3 (1 mg/mm3 is 1 g/cm3).
///
/// # Errors
/// Mass or volume is no positive number.
pub fn density(mass_mg: Measured, volume_mm3: Measured) -> Result<Measured, DensityError> {
    check("the mass", mass_mg)?;
    check("the volume", volume_mm3)?;
    let value = mass_mg.value / volume_mm3.value;
    let relative = (mass_mg.u / mass_mg.value).hypot(volume_mm3.u / volume_mm3.value);
    Ok(Measured {
        value,
        u: value * relative,
    })
}

/// What a body of this density is. Anything but nacre is named only when it is sure by two standard uncertainties.
#[must_use]
pub fn kind(density: Measured, bounds: &Bounds) -> Kind {
    let surely_below = |bound: f64| density.value + SURE * density.u < bound;
    let surely_above = |bound: f64| density.value - SURE * density.u > bound;
    if surely_below(bounds.least_hollow) || surely_above(bounds.most_bead) {
        Kind::Intruder
    } else if surely_below(bounds.least_nacre) {
        Kind::Hollow
    } else if surely_above(bounds.most_nacre) {
        Kind::Beaded
    } else {
        Kind::Nacre
    }
}

/// Mass in mg that a pearl of solid nacre with this volume in mm3 has, for lanes without a cell. The spread of nacre's
/// density is in the uncertainty: about 1.5 % even of a volume that is known exactly.
///
/// # Errors
/// The volume is no positive number.
pub fn predicted_mass_mg(volume_mm3: Measured, bounds: &Bounds) -> Result<Measured, DensityError> {
    check("the volume", volume_mm3)?;
    let value = volume_mm3.value * bounds.nacre.value;
    let relative = (volume_mm3.u / volume_mm3.value).hypot(bounds.nacre.u / bounds.nacre.value);
    Ok(Measured {
        value,
        u: value * relative,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sphere(mm: f64) -> Measured {
        ellipsoid_mm3([Measured { value: mm, u: 0.01 }; 3]).unwrap()
    }

    fn kind_of(mass_mg: f64, mm: f64) -> Kind {
        kind(
            density(Measured { value: mass_mg, u: 0.3 }, sphere(mm)).unwrap(),
            &Bounds::default(),
        )
    }

    #[test]
    fn a_seven_millimetre_pearl_weighs_485_milligrams() {
        let mass = predicted_mass_mg(sphere(7.0), &Bounds::default()).unwrap();
        assert!((mass.value - 484.9).abs() < 0.5, "{mass:?}");
        assert!((mass.u / mass.value - 0.015).abs() < 0.001, "{mass:?}");
    }

    #[test]
    fn bodies_are_named_by_their_density() {
        assert_eq!(kind_of(485.0, 7.0), Kind::Nacre);
        assert_eq!(kind_of(400.0, 7.0), Kind::Hollow);
        assert_eq!(kind_of(508.0, 7.0), Kind::Beaded);
        assert_eq!(kind_of(600.0, 7.0), Kind::Intruder);
        assert_eq!(kind_of(180.0, 7.0), Kind::Intruder);
    }

    #[test]
    fn what_is_not_sure_is_not_named() {
        let vague = Measured { value: 2.5, u: 0.1 };
        assert_eq!(kind(vague, &Bounds::default()), Kind::Nacre);
    }

    #[test]
    fn figures_that_are_none_give_no_density() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(density(Measured { value, u: 0.1 }, sphere(7.0)).is_err());
            assert!(density(Measured { value: 1.0, u: 0.1 }, Measured { value, u: 0.1 }).is_err());
        }
    }
}
