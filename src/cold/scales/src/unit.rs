//! Units of mass, and a figure as a scale shows it. Cold.

use serde::Deserialize;

use crate::{Refusal, Weighing};

/// A unit that a scale may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Milligram.
    Mg,
    /// Gram.
    G,
    /// Kilogram.
    Kg,
    /// Metric carat, 200 mg.
    Ct,
}

impl Unit {
    /// As scales write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mg => "mg",
            Self::G => "g",
            Self::Kg => "kg",
            Self::Ct => "ct",
        }
    }

    /// Milligrams in one.
    #[must_use]
    pub const fn mg(self) -> f64 {
        match self {
            Self::Mg => 1.0,
            Self::G => 1e3,
            Self::Kg => 1e6,
            Self::Ct => 200.0,
        }
    }

    /// Refuses another unit.
    pub(crate) fn expect(self, found: &str) -> Result<(), Refusal> {
        if found == self.name() {
            return Ok(());
        }
        Err(Refusal::WrongUnit {
            expected: self.name().to_owned(),
            found: found.to_owned(),
        })
    }
}

/// A figure as shown: a whole number of the last digit's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The digits without the point.
    pub digits: i64,
    /// Digits behind the point.
    pub decimals: u8,
}

/// Digits that a figure has at most.
const MOST_DIGITS: usize = 12;

impl Reading {
    /// Reads `-12.345`, also with blanks between sign and digits; a comma serves as a point. Nothing else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let (negative, rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let (mut digits, mut count, mut decimals) = (0_i64, 0, None);
        for byte in rest.trim_ascii_start() {
            match byte {
                b'0'..=b'9' => {
                    digits = digits * 10 + i64::from(byte - b'0');
                    count += 1;
                    decimals = decimals.map(|decimals: u8| decimals + 1);
                }
                b'.' | b',' if decimals.is_none() => decimals = Some(0),
                _ => return None,
            }
            if count > MOST_DIGITS {
                return None;
            }
        }
        (count > 0).then_some(Self {
            digits: if negative { -digits } else { digits },
            decimals: decimals.unwrap_or(0),
        })
    }

    /// The weighing that this figure is in `unit`. Without `division` a step of the last digit is one.
    #[must_use]
    pub fn weighing(self, unit: Unit, division: Option<f64>) -> Weighing {
        let step = 10_f64.powi(-i32::from(self.decimals));
        Weighing {
            mass_mg: self.digits as f64 / 10_f64.powi(i32::from(self.decimals)) * unit.mg(),
            division_mg: division.unwrap_or(step) * unit.mg(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_shown() {
        let read = |text: &str| Reading::parse(text.as_bytes()).map(|r| (r.digits, r.decimals));
        assert_eq!(read("+00123.45"), Some((12_345, 2)));
        assert_eq!(read("-  0,500"), Some((-500, 3)));
        assert_eq!(read(" 7 "), Some((7, 0)));
        for wrong in [
            "",
            "-",
            ".",
            "1.2.3",
            "1e5",
            "12 3",
            "NaN",
            "------",
            "9999999999999",
            "1-2",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_weighing_keeps_the_step_of_the_last_digit() {
        let weighing = Reading::parse(b"12.345").unwrap().weighing(Unit::G, None);
        assert!((weighing.mass_mg - 12_345.0).abs() < 1e-9 && (weighing.division_mg - 1.0).abs() < 1e-12);
        let carats = Reading::parse(b"2.50").unwrap().weighing(Unit::Ct, Some(0.05));
        assert!((carats.mass_mg - 500.0).abs() < 1e-9 && (carats.division_mg - 10.0).abs() < 1e-12);
        assert!((weighing.u_division_mg() - 0.288_675).abs() < 1e-6);
    }
}
