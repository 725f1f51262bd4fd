//! Cameras: flashes become frames, each with the number of the trigger that fired it.
//!
//! Any thread, but never the hot one: a camera waits. What is taken after start allocates nothing: frames are written
//! into [`Views`] that were made before and go round.
//!
//! Words: a **flash** lights one pearl for all views of its station at once; a **shot** says which flash it was; **views**
//! are its frames: top, left, right. Smart cameras need nothing of this: they send figures over the field bus.

pub mod recorded;
pub mod sequence;

use units::{BoardId, EyeId, HostUs, TriggerSeq};
use vision::limits::VIEWS;
use vision::{PixelFormat, View};

/// Which flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shot {
    /// Board of the entry eye that fired it.
    pub board: BoardId,
    /// That eye.
    pub eye: EyeId,
    /// Number of its trigger.
    pub seq: TriggerSeq,
    /// When it was fired, as near as the host knows.
    pub fired: HostUs,
}

/// One frame's memory and layout.
#[derive(Clone, Debug)]
struct Frame {
    bytes: Box<[u8]>,
    /// Bytes that hold the frame; fewer than its size needs when it is not whole.
    used: usize,
    width: usize,
    height: usize,
    format: PixelFormat,
}

/// The frames of one flash. Made once, filled again and again.
#[derive(Clone, Debug)]
pub struct Views {
    frames: [Frame; VIEWS],
}

impl Views {
    /// Room for frames of this size, 8-bit RGB.
    #[must_use]
    pub fn new((width, height): (usize, usize)) -> Self {
        let frame = || Frame {
            bytes: vec![0; 3 * width * height].into_boxed_slice(),
            used: 0,
            width,
            height,
            format: PixelFormat::Rgb8,
        };
        Self {
            frames: [frame(), frame(), frame()],
        }
    }

    /// Memory of view number `k`, to be filled whole with 8-bit RGB of the size that it was made for.
    pub fn fill(&mut self, k: usize) -> &mut [u8] {
        let frame = &mut self.frames[k];
        frame.used = frame.bytes.len();
        frame.format = PixelFormat::Rgb8;
        &mut frame.bytes
    }

    /// Takes view number `k` as a camera gave it. What does not fit is cut off: the eye refuses it as not whole, or by its
    /// size or format.
    pub fn put(&mut self, k: usize, bytes: &[u8], (width, height): (usize, usize), format: PixelFormat) {
        let frame = &mut self.frames[k];
        frame.used = bytes.len().min(frame.bytes.len());
        frame.bytes[..frame.used].copy_from_slice(&bytes[..frame.used]);
        (frame.width, frame.height, frame.format) = (width, height, format);
    }

    /// Becomes a copy of other views of the same size.
    ///
    /// # Panics
    /// When they were made for another size.
    pub fn copy_from(&mut self, other: &Self) {
        for (own, other) in self.frames.iter_mut().zip(&other.frames) {
            own.bytes.copy_from_slice(&other.bytes);
            (own.used, own.width, own.height, own.format) = (other.used, other.width, other.height, other.format);
        }
    }

    /// The frames as the eye takes them: top, left, right.
    #[must_use]
    pub fn views(&self) -> [View<'_>; VIEWS] {
        [0, 1, 2].map(|k| {
            let frame = &self.frames[k];
            View {
                pixels: &frame.bytes[..frame.used],
                width: frame.width,
                height: frame.height,
                stride: 3 * frame.width,
                format: frame.format,
            }
        })
    }
}

/// What a camera has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A flash, its views in the memory that was given.
    Flash(Shot),
    /// A flash whose frames were lost on the way: its pearl has no figures.
    Lost(Shot),
    /// Nothing within the time given.
    Nothing,
    /// There will be no more.
    End,
}

/// Why a camera gives no more frames until it is opened again.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// It is gone.
    #[error("camera {name} is gone: {why}; check its cable, power and address")]
    Gone {
        /// Its name.
        name: String,
        /// What was heard of it last.
        why: String,
    },
    /// It can't be set up as the station needs it.
    #[error("camera {name} can't be set up: {why}")]
    Refused {
        /// Its name.
        name: String,
        /// What it refused.
        why: String,
    },
}

/// Cameras of one or more stations, as one source of flashes.
pub trait Camera: Send {
    /// Waits `wait_us` at most for the next flash and writes its frames into `views`.
    ///
    /// # Errors
    /// When there will be no more frames before the camera is opened again.
    fn take(&mut self, views: &mut Views, wait_us: u64) -> Result<Taken, CameraError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_not_whole_or_not_ours_stays_so() {
        let mut views = Views::new((64, 64));
        views.fill(0).fill(7);
        views.put(1, &[1; 100], (64, 64), PixelFormat::Rgb8);
        views.put(2, &[1; 64 * 64], (64, 64), PixelFormat::Bayer);
        let [whole, cut, bayer] = views.views();
        assert_eq!((whole.pixels.len(), whole.format), (64 * 64 * 3, PixelFormat::Rgb8));
        assert_eq!((cut.pixels.len(), cut.width), (100, 64));
        assert_eq!(bayer.format, PixelFormat::Bayer);
        // The next flash finds nothing of it.
        views.fill(2).fill(9);
        assert_eq!(views.views()[2].format, PixelFormat::Rgb8);
    }
}
