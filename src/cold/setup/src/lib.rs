//! Setting a line up: what takes minutes and has no place on the hot side.
//!
//! Cold threads. Words: a **recording** is a stretch of a cell's samples with the gate times that go with it; to
//! **identify** is to find a platform's figures from a recording, without knowing any mass.

#![forbid(unsafe_code)]

pub mod camera;
pub mod commission;
pub mod compare;
pub mod density;
pub mod weigh;
