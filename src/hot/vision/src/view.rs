//! A borrowed frame of one view, and the checks that its bytes are what they claim to be. Hot or cold.

use crate::limits::{GRID_PX, MAX_SIDE_PX, MIN_SIDE_PX};
use crate::refusal::Why;

/// How a camera lays out its pixels. The eye reads [`PixelFormat::Rgb8`] alone; the others have names so that a camera
/// set up wrongly is refused by name instead of measured wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Red, green, blue, 8 bits each, linear.
    Rgb8,
    /// Blue, green, red, 8 bits each.
    Bgr8,
    /// One channel of 8 bits.
    Mono8,
    /// One channel of more than 8 bits.
    MonoDeep,
    /// Three channels of more than 8 bits.
    RgbDeep,
    /// A colour mosaic in any order, any depth.
    Bayer,
    /// Three channels and transparency, or luminance and chrominance.
    Other,
}

/// One view: rows from the top, pixels from the left.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The frame's bytes.
    pub pixels: &'a [u8],
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes from one row's start to the next.
    pub stride: usize,
    /// Layout of a pixel.
    pub format: PixelFormat,
}

impl<'a> View<'a> {
    /// A view of tightly packed 8-bit RGB rows.
    #[must_use]
    pub const fn rgb8(pixels: &'a [u8], width: usize, height: usize) -> Self {
        Self {
            pixels,
            width,
            height,
            stride: width.saturating_mul(3),
            format: PixelFormat::Rgb8,
        }
    }

    /// Whether the frame is of the layout and size that the eye reads, and whole. `size` is what calibration was made
    /// at: another size means another camera, binning or region.
    pub(crate) fn check(&self, size: (usize, usize)) -> Result<(), Why> {
        if self.format != PixelFormat::Rgb8 {
            return Err(Why::Format);
        }
        let fits = |side: usize| (MIN_SIDE_PX..=MAX_SIDE_PX).contains(&side) && side.is_multiple_of(GRID_PX);
        if (self.width, self.height) != size || !fits(self.width) || !fits(self.height) || self.stride < 3 * self.width
        {
            return Err(Why::Size);
        }
        let needed = self
            .stride
            .checked_mul(self.height - 1)
            .and_then(|n| n.checked_add(3 * self.width));
        match needed {
            Some(needed) if self.pixels.len() >= needed => Ok(()),
            _ => Err(Why::Truncated),
        }
    }

    /// Bytes of row `y`, which must lie in the frame.
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.stride..y * self.stride + 3 * self.width]
    }

    /// Fetches the given rows' bytes of the given columns, as far as they lie in the frame. A frame comes from the
    /// camera's memory: one load from each cache line, none waiting for another, brings them in at a fraction of what
    /// the loops that need them would wait one by one.
    pub(crate) fn fetch(&self, rows: impl Iterator<Item = usize>, columns: core::ops::Range<usize>) {
        const CACHE_LINE: usize = 64;
        let end = 3 * columns.end.min(self.width);
        let mut seen = 0u8;
        for y in rows.take_while(|&y| y < self.height) {
            if let Some(bytes) = self.row(y).get(3 * columns.start..end) {
                seen = bytes.iter().step_by(CACHE_LINE).fold(seen, |seen, byte| seen ^ byte);
                seen ^= bytes.last().copied().unwrap_or(0);
            }
        }
        core::hint::black_box(seen);
    }
}
