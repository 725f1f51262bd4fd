//! Recorded pearls through the eye: what the program's `measure` command is made of. Cold.
//!
//! [`measure`] turns a folder of pictures into rows, [`Row::csv`] a row into a line under [`COLUMNS`], [`score`] rows
//! and the truth into the table of figures that the eye must keep.

#![forbid(unsafe_code)]

mod folder;
mod score;
mod table;

pub use folder::{FolderError, Frame, FrameError, file, pearls, suffix};
pub use score::{Score, Truth, TruthError, read_truth, score};
pub use table::{COLUMNS, Row, measure, name};
