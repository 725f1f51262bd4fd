//! Hardware in the loop: scenarios with faults and limits, run unchanged on rigs from virtual time to real boards.
//!
//! Cold. A [`scenario`] is a file: a line, pearls, a timetable of faults and of what an operator does, and limits by
//! requirement. A [`rig`] is a file too: what runs the scenario, and what it can do. The [`runner`] brings them together,
//! [`measure`]s what each run has shown, and [`report`]s it with the [`manifest`] of what it was run on. [`random`] runs
//! timetables drawn from seeds, [`soak`] watches a line for as long as it is told to, [`conformance`] holds a board against
//! what every board must do.
//!
//! Words: a scenario's verdict is `passed`, `failed` (a requirement was not met) or `error` (nothing was shown: the rig or
//! the file is at fault).

#![forbid(unsafe_code)]

pub mod broken;
pub mod conformance;
pub mod manifest;
pub mod measure;
pub mod qemu;
pub mod random;
pub mod report;
pub mod requirements;
pub mod rig;
pub mod rigs;
pub mod runner;
pub mod scenario;
pub mod soak;
pub mod trace;
pub mod verdict;
