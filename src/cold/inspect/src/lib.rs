//! Recorded pearls through the eye: what the program's `measure` command is made of. Cold.
//!
//! [`measure`] turns a folder of pictures into rows, [`Row::csv`] a row into a line under [`COLUMNS`], [`score`] rows
//! and the truth into the table of figures that the eye must keep. [`Doubts`] keeps the pictures of pearls of which somebody
//! may want to see more.

#![forbid(unsafe_code)]

mod doubt;
mod folder;
mod score;
mod table;

pub use doubt::{DoubtError, Doubts, Kept, kept, png};
pub use folder::{FolderError, Frame, FrameError, file, pearls, suffix};
pub use score::{Score, Truth, TruthError, read_truth, score};
pub use table::{COLUMNS, Row, measure, name};
