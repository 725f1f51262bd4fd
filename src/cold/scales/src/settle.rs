//! Rest, for scales that do not tell it: so many equal figures in a row. Cold.

use crate::Reading;

/// Watches figures for rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settling {
    needed: u32,
    latest: Option<Reading>,
    equal: u32,
}

impl Settling {
    /// Rest is `needed` equal figures in a row.
    pub(crate) const fn new(needed: u32) -> Self {
        Self {
            needed,
            latest: None,
            equal: 0,
        }
    }

    /// Takes a figure; whether the scale is at rest with it.
    pub(crate) fn take(&mut self, reading: Reading) -> bool {
        self.equal = if self.latest == Some(reading) {
            self.equal + 1
        } else {
            1
        };
        self.latest = Some(reading);
        self.equal >= self.needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_the_same_figure_again_and_again() {
        let figure = |digits| Reading { digits, decimals: 2 };
        let mut settling = Settling::new(3);
        let rests: Vec<bool> = [1, 1, 2, 2, 2].map(|digits| settling.take(figure(digits))).to_vec();
        assert_eq!(rests, [false, false, false, false, true]);
    }
}
