//! Every capacity of the core, by name. Relations between them are asserted when the crate is compiled.
//!
//! Words: a **capacity** is how many of a thing are held at once; a thing that does not fit is counted, and the pearls
//! concerned are recirculated.

/// Lanes of a belt.
pub const LANES: usize = 64;
/// Grade bins of a line; the recirculate tray is not one of them.
pub const BINS: usize = 64;
/// Jets of a lane.
pub const JETS: usize = 64;
/// Field boards of a line.
pub const BOARDS: usize = 16;
/// Pearls of one lane between entry eye and landing. At 30 a second and 0.3 m/s a lane of 2 m holds 200.
pub const PEARLS_IN_LANE: usize = 256;
/// Recipes in force for pearls still on the belt: the current one and those that it replaced.
pub const RECIPES: usize = 8;
/// Orders open on one board.
pub const ORDERS: usize = 1024;
/// Stretches of one lane in which a pearl may lie that no eye has seen.
pub const ZONES: usize = 16;
/// Pulses that a manifold's limit is counted over.
pub const PULSES: usize = 256;
/// Late orders that are remembered for the limit on their rate.
pub const LATE: usize = 64;

/// Time between two looks for deadlines that have passed, us.
pub const SWEEP_US: i64 = 10_000;
/// Time beyond an event's tick in which its message may still be on the way, us: several repeats of a frame.
pub const ON_THE_WAY_US: i64 = 60_000;
/// Farthest that an event may seem to lie ahead of the belt, us: what the fit of a board's clock may be off by.
pub const AHEAD_US: i64 = 200_000;
/// Oldest event that is believed, us.
pub const OLDEST_US: i64 = 10_000_000;
/// Longest lag of a valve that is believed, us: `Fired` names the tick of the current, not that of the air.
pub const VALVE_LAG_US: i64 = 100_000;
/// Longest watchdog that a line may set on its boards, us.
pub const WATCHDOG_US: i64 = 150_000;
/// Time after the last feed in which a board may still open a valve, us: the longest watchdog, with room for a valve's lag
/// and for the feed's way.
pub const UNFED_US: i64 = WATCHDOG_US + 50_000;
/// Time without any board after which the pearls on the belt are written off, us.
pub const WRITE_OFF_US: i64 = 10_000_000;
/// Time from `Start` within which all boards must be armed and agree, us.
pub const START_US: i64 = 15_000_000;
/// Acceleration of the belt beyond which the encoder has slipped, um/s2.
pub const MOST_ACCELERATION_UM_S2: i64 = 2_500_000;
/// Room for a faster belt in the lead of an order, in thousandths of the time.
pub const SPEED_ROOM_PER_MILLE: i64 = 20;
/// Landings from which a valve's usual time to the drop eye is learnt.
pub const DRIFT_LEARNT: u16 = 64;
/// Change of that time that is told, us, and each further step of the same length.
pub const DRIFT_STEP_US: i64 = 1_000;
/// Pearls in a row that one jet may miss before its valve is taken to stay shut.
pub const MISSES: u8 = 3;
/// Pearls in a row that a drop eye may not see, and no other eye either, before the eye is taken to be blind.
pub const UNSEEN: u8 = 5;

/// Mean squared residual of a weigh cell over what its model expects, from which it wants to be identified again, and below
/// which it is content.
pub const MISFIT: f64 = 1.5;
/// See [`MISFIT`].
pub const MISFIT_GONE: f64 = 1.2;

const _: () = assert!(
    LANES <= u8::MAX as usize,
    "a lane's name is 8 bits, the last stands for none"
);
const _: () = assert!(BINS <= u8::MAX as usize + 1, "a bin's name is 8 bits");
const _: () = assert!(JETS < u8::MAX as usize, "a jet's place is 8 bits");
const _: () = assert!(
    ORDERS < u16::MAX as usize / 2,
    "order numbers must not meet themselves while open"
);
const _: () = assert!(ORDERS.is_power_of_two(), "an order's place is its number's lowest bits");
const _: () = assert!(PEARLS_IN_LANE.is_power_of_two(), "the lane's ring is indexed by a mask");
