//! What the tests share: where the reference set is, pictures that can be harmed, chance from a seed.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::{Path, PathBuf};

use inspect::Frame;
use vision::ViewName;

/// The folder of the reference set, or `None` with a line that says so. It is not in the repository: `PEARLSORT_SHARED`
/// names the folder that holds `pearls/`, else `../shared` beside the workspace is tried.
pub(crate) fn reference() -> Option<PathBuf> {
    let beside = || {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .find(|dir| dir.join("Cargo.lock").exists())?;
        Some(workspace.parent()?.join("shared"))
    };
    let shared = std::env::var_os("PEARLSORT_SHARED")
        .map(PathBuf::from)
        .or_else(beside)?;
    let pearls = shared.join("pearls");
    if pearls.join("truth.csv").exists() {
        Some(pearls)
    } else {
        println!("skipped: no reference pearls at {}", pearls.display());
        None
    }
}

/// Numbers from a seed (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            chance.next();
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal with standard deviation 1: twelve shares less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// A picture in counts, not yet rounded.
pub(crate) struct Picture {
    width: usize,
    height: usize,
    counts: Vec<f64>,
}

/// Counts above which a pixel is the pearl's rather than the belt's.
const BELT: f64 = 12.0;

impl Picture {
    pub(crate) fn read(path: &Path) -> Self {
        let picture = image::open(path).expect("a picture").into_rgb8();
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            counts: picture.into_raw().into_iter().map(f64::from).collect(),
        }
    }

    /// The frame as a camera would give it.
    pub(crate) fn frame(&self) -> Frame {
        let bytes = self.counts.iter().map(|v| v.round().clamp(0.0, 255.0) as u8).collect();
        Frame::rgb8(bytes, self.width, self.height)
    }

    /// Adds normal noise to every byte.
    pub(crate) fn noise(&mut self, counts: f64, chance: &mut Chance) {
        for value in &mut self.counts {
            *value += counts * chance.normal();
        }
    }

    pub(crate) fn expose(&mut self, factor: f64) {
        for value in &mut self.counts {
            *value *= factor;
        }
    }

    /// The lamp at the upper right gives only `share` of its light: its mirror image and its part of the body's light go
    /// down.
    pub(crate) fn weaken_lamp(&mut self, share: f64, view: ViewName) {
        // Seen from the side, the lamp's image lies elsewhere, and its light falls more or less aslant.
        let (shift, part) = match view {
            ViewName::Top => (0.0, 0.2),
            ViewName::Left => (0.2, 0.15),
            ViewName::Right => (-0.2, 0.25),
        };
        let smooth = self.blurred(9);
        for (k, value) in self.counts.iter_mut().enumerate() {
            let (x, y) = (k / 3 % self.width, k / 3 / self.width);
            let place = |at: usize, size: usize| at as f64 / size as f64 - 0.5;
            let (x, y) = (place(x, self.width) - shift, place(y, self.height));
            let towards = ((x - y) * 1.2 + 0.5).clamp(0.0, 1.0);
            let image = (*value - smooth[k] * 1.08).max(0.0);
            if x > 0.02 && y < -0.02 {
                *value -= (1.0 - share) * image;
            }
            *value *= 1.0 - (1.0 - share) * part * towards;
        }
    }

    /// Specks of up to two pixels' radius on the belt.
    pub(crate) fn dust(&mut self, specks: usize, chance: &mut Chance) {
        for _ in 0..specks {
            let (cx, cy) = (chance.share() * self.width as f64, chance.share() * self.height as f64);
            let (radius, level) = (0.5 + 1.5 * chance.share(), 15.0 + 105.0 * chance.share());
            let (left, top) = ((cx - 3.0).max(0.0) as usize, (cy - 3.0).max(0.0) as usize);
            for y in top..(top + 7).min(self.height) {
                for x in left..(left + 7).min(self.width) {
                    let distance = (x as f64 + 0.5 - cx).hypot(y as f64 + 0.5 - cy);
                    let cover = (radius + 0.5 - distance).clamp(0.0, 1.0);
                    let pixel = &mut self.counts[3 * (y * self.width + x)..][..3];
                    if pixel.iter().sum::<f64>() / 3.0 < BELT {
                        for value in pixel {
                            *value += cover * (level - *value);
                        }
                    }
                }
            }
        }
    }

    /// Means over squares of `reach` pixels each way, by sums along rows and down columns.
    fn blurred(&self, reach: usize) -> Vec<f64> {
        let across = mean_along(&self.counts, self.width, self.height, 3, 3 * self.width, reach);
        mean_along(&across, self.height, self.width, 3 * self.width, 3, reach)
    }
}

/// Means along lines of `length` pixels that lie `step` apart, for `lines` lines that lie `pitch` apart.
fn mean_along(counts: &[f64], length: usize, lines: usize, step: usize, pitch: usize, reach: usize) -> Vec<f64> {
    let mut out = vec![0.0; counts.len()];
    for line in 0..lines {
        for channel in 0..3 {
            let at = |i: usize| line * pitch + i * step + channel;
            let mut sums = vec![0.0; length + 1];
            for i in 0..length {
                sums[i + 1] = sums[i] + counts[at(i)];
            }
            for i in 0..length {
                let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(length));
                out[at(i)] = (sums[to] - sums[from]) / (to - from) as f64;
            }
        }
    }
    out
}
