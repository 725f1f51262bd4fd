//! Why a flash gives no measurement. Hot or cold.

use crate::calibration::ViewName;

/// What is wrong with a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// No pearl in the frame.
    Empty,
    /// More than one pearl, or pearls that touch.
    Several,
    /// The pearl is cut by the frame's edge.
    Cut,
    /// Something far larger than a pearl: a hand, a tool.
    Foreign,
    /// Too much of the pearl is at the converter's end.
    Overexposed,
    /// Too little light: a lamp is dead or very weak.
    Dark,
    /// Dirt on the window or the belt.
    Dirty,
    /// The pixels' depth or order is not 8-bit RGB.
    Format,
    /// The frame's size is not the calibrated one.
    Size,
    /// The frame holds fewer bytes than its size needs.
    Truncated,
    /// The outline is of no pearl: no ellipsoid comes near it.
    Misfit,
}

/// A refusal: the pearl is recirculated and the cause counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What is wrong.
    pub why: Why,
    /// With which view; the first one when all are.
    pub view: ViewName,
}

impl Why {
    /// The cause in words, with what to do.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "no pearl in the frame: check trigger and strobe delay",
            Self::Several => "more than one pearl in the frame: lower the feed rate",
            Self::Cut => "the pearl is cut by the frame's edge: check trigger and lane guide",
            Self::Foreign => "something far larger than a pearl: look at the belt",
            Self::Overexposed => "too bright: lower exposure or lamp current",
            Self::Dark => "too dark or lit from one side: check lamps and strobe",
            Self::Dirty => "dirt on window or belt: clean them",
            Self::Format => "pixels are not 8-bit RGB: set the camera's pixel format to RGB8",
            Self::Size => "the frame is not of the calibrated size: check region, binning, camera",
            Self::Truncated => "the frame is not whole: check link and storage",
            Self::Misfit => "the outline is of no pearl: look at the pearl",
        }
    }
}
