//! The program: command line, topology, supervision. Everything that touches a pearl lies in the crates below; here
//! threads are started, rings are made, and what happens is told.
//!
//! Cold, but for what it hands to the hot thread at start.

#![forbid(unsafe_code)]

pub mod ask;
pub mod attend;
pub mod audit;
pub mod calibrate;
pub mod cells;
pub mod check;
pub mod cli;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod eyes;
pub mod lot;
pub mod measure;
pub mod operator;
pub mod output;
pub mod recipes;
pub mod recording;
pub mod replay;
pub mod run;
pub mod scale;
pub mod simulate;
pub mod suggest;
pub mod topology;
pub mod tune;
pub mod virtual_machine;
pub mod weigh;
pub mod words;
