//! Every capacity of the core, by name. Relations between them are asserted when the crate is compiled.
//!
//! Words: a **capacity** is how many of a thing are held at once; a thing that does not fit is counted, and the pearls
//! concerned are recirculated.

/// Lanes of a belt.
pub const LANES: usize = 64;
/// Grade bins of a line; the recirculate tray is not one of them.
pub const BINS: usize = 64;
/// Field boards of a line.
pub const BOARDS: usize = 16;
/// Pearls of one lane between entry eye and landing. At 30 a second and 0.3 m/s a lane of 2 m holds 200.
pub const PEARLS_IN_LANE: usize = 256;
/// Recipes in force for pearls still on the belt: the current one and those that it replaced.
pub const RECIPES: usize = 8;
/// Orders open on one board.
pub const ORDERS: usize = 1024;

const _: () = assert!(LANES <= u8::MAX as usize + 1, "a lane's name is 8 bits");
const _: () = assert!(BINS <= u8::MAX as usize + 1, "a bin's name is 8 bits");
const _: () = assert!(
    ORDERS < u16::MAX as usize / 2,
    "order numbers must not meet themselves while open"
);
const _: () = assert!(PEARLS_IN_LANE.is_power_of_two(), "the lane's ring is indexed by a mask");
