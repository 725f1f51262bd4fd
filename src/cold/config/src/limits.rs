//! Capacities of configuration files, by name.
//!
//! Cold side, any thread.

/// Bytes of a file at most: a larger one is no configuration.
pub const FILE_BYTES: u64 = 1 << 20;
/// Faults of one file that are reported; the rest is counted.
pub const FAULTS: usize = 100;
/// Bins of a recipe.
pub const RECIPE_BINS: usize = 64;
/// Classes of one property in a standard.
pub const CLASSES: usize = 32;

const _: () = assert!(RECIPE_BINS <= line::limits::BINS, "a recipe's bins are the line's");
