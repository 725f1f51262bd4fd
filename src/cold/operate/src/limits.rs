//! Every capacity, time and threshold of this crate, by name. Cold.
//!
//! Words: a threshold is a pair of where its alarm comes (`_ON`) and where it goes (`_OFF`); the room between them is the
//! alarm's **dead-band**.

/// Alarms that are not normal, at once. More are counted, and one alarm says so.
pub const ALARMS: usize = 4_096;
/// Changes of alarms that are remembered; the store keeps the older ones.
pub const HISTORY: usize = 4_096;
/// Commands on their way to the core.
pub const ACTS: usize = 64;
/// Signals whose levels the hot thread publishes; a line with more is watched for these by the core alone.
pub const SIGNALS: usize = 64;
/// Lanes, jets and bins are bounded by the core.
pub use line::limits::{BINS, BOARDS, JETS, LANES};

/// Alarms that come within [`FLOOD_US`] before it is a flood: ISA-18.2 takes more than ten in ten minutes...
pub const FLOOD_ON: usize = 10;
/// ...and fewer than five for its end.
pub const FLOOD_OFF: usize = 5;
/// See [`FLOOD_ON`], us.
pub const FLOOD_US: i64 = 600_000_000;
/// Longest time on the shelf, us: a shift.
pub const SHELF_US: i64 = 12 * 3_600_000_000;
/// An alarm that tells of an event stays so long after the last one, us.
pub const EVENT_US: i64 = 10_000_000;
/// Bytes of a user's name that are kept with a change.
pub const NAME_BYTES: usize = 64;

/// A command of an acting state is given again after this, us: the command ring may have been full.
pub const INSIST_US: i64 = 1_000_000;
/// The core gives up a start after [`line::limits::START_US`]; the machine waits a little longer, us.
pub const START_US: i64 = line::limits::START_US + 2_000_000;
/// Longest time for everything to be ready after `Reset`, us.
pub const RESET_US: i64 = 10_000_000;
/// A belt that has not run empty after so long stands, us.
pub const EMPTY_US: i64 = 30_000_000;
/// While the feeder has stopped, pearls may still come to the eye for so long, us.
pub const RUN_OUT_US: i64 = 1_500_000;
/// Without a pearl for so long the feeder counts as empty, us.
pub const STARVED_US: i64 = 30_000_000;
/// A belt run by hand ends by itself after so long, us.
pub const DRIVE_US: i64 = 30_000_000;
/// A purge of a line at rest takes so long, us: the longest belt at the least speed.
pub const PURGE_US: i64 = 10_000_000;
/// A bin that has just been changed gets nothing for so long, us: hands are still near.
pub const CHANGED_US: i64 = 3_000_000;
/// Longest test pulse, us.
pub const PULSE_US: u16 = 20_000;

/// Time between two looks at rates, us.
pub const RATES_US: i64 = 1_000_000;
/// Seconds over which rates are taken.
pub const RATE_SECONDS: usize = 10;
/// Frames below which a rate says nothing.
pub const LEAST_FRAMES: u64 = 100;
/// Frames sent again, per mille.
pub const REPEATS_ON: u64 = 20;
/// See [`REPEATS_ON`].
pub const REPEATS_OFF: u64 = 10;
/// Damaged frames, per mille.
pub const DAMAGED_ON: u64 = 5;
/// See [`DAMAGED_ON`].
pub const DAMAGED_OFF: u64 = 2;
/// Farthest that a clock's points lie off their fit, us.
pub const CLOCK_FIT_ON_US: i64 = 2_000;
/// See [`CLOCK_FIT_ON_US`].
pub const CLOCK_FIT_OFF_US: i64 = 1_500;
/// Round trip of a link, us.
pub const ROUND_TRIP_ON_US: i64 = 10_000;
/// See [`ROUND_TRIP_ON_US`].
pub const ROUND_TRIP_OFF_US: i64 = 8_000;
/// What the first percentile of the leads has beyond the least lead, us.
pub const LEAD_ROOM_ON_US: i64 = 10_000;
/// See [`LEAD_ROOM_ON_US`].
pub const LEAD_ROOM_OFF_US: i64 = 15_000;
/// Leads that the percentile is taken over.
pub const LEADS: usize = 1_024;
/// Leads below which it says nothing.
pub const LEAST_LEADS: usize = 100;
/// Change of a valve's landings, us.
pub const DRIFT_ON_US: i32 = 2_000;
/// See [`DRIFT_ON_US`].
pub const DRIFT_OFF_US: i32 = 1_500;
/// Pearls of a valve or lane below which its shares say nothing.
pub const LEAST_PEARLS: u64 = 50;
/// Pearls over which shares run.
pub const SHARE_OVER: f64 = 100.0;
/// Share of a valve's pearls that their drop eye has seen, below which it is failing.
pub const CONFIRMED_ON: f64 = 0.97;
/// See [`CONFIRMED_ON`].
pub const CONFIRMED_OFF: f64 = 0.985;
/// Share of a lane's pearls without a mass or without a view that holds.
pub const UNMEASURED_ON: f64 = 0.20;
/// See [`UNMEASURED_ON`].
pub const UNMEASURED_OFF: f64 = 0.10;
/// Share of all pearls that are recirculated for a fault of the machine.
pub const FAULTY_ON: f64 = 0.20;
/// See [`FAULTY_ON`].
pub const FAULTY_OFF: f64 = 0.10;
/// Drift of a weigh cell's zero, ug.
pub const ZERO_ON_UG: i32 = 2_000;
/// See [`ZERO_ON_UG`].
pub const ZERO_OFF_UG: i32 = 1_500;
/// Loss of a lamp's current against its first value, per mille.
pub const LAMP_ON: u32 = 100;
/// See [`LAMP_ON`].
pub const LAMP_OFF: u32 = 80;
/// Stall of the computer, us.
pub const STALL_ON_US: i64 = 20_000;
/// Fill of a bin, per mille, from which it wants an eye; at 1000 it is full.
pub const NEARLY_FULL: u64 = 900;
/// Room on the disk, bytes.
pub const DISK_ON_BYTES: u64 = 1 << 30;
/// See [`DISK_ON_BYTES`].
pub const DISK_OFF_BYTES: u64 = 3 << 29;
/// Records that wait for the store, per mille of its room.
pub const BEHIND_ON: u64 = 500;
/// See [`BEHIND_ON`].
pub const BEHIND_OFF: u64 = 250;

const _: () = assert!(FLOOD_OFF < FLOOD_ON);
const _: () = assert!(REPEATS_OFF < REPEATS_ON && DAMAGED_OFF < DAMAGED_ON);
const _: () = assert!(CLOCK_FIT_OFF_US < CLOCK_FIT_ON_US && ROUND_TRIP_OFF_US < ROUND_TRIP_ON_US);
const _: () = assert!(LEAD_ROOM_ON_US < LEAD_ROOM_OFF_US && DRIFT_OFF_US < DRIFT_ON_US && ZERO_OFF_UG < ZERO_ON_UG);
const _: () = assert!(LAMP_OFF < LAMP_ON && DISK_ON_BYTES < DISK_OFF_BYTES && BEHIND_OFF < BEHIND_ON);
const _: () = assert!(CONFIRMED_ON < CONFIRMED_OFF && UNMEASURED_OFF < UNMEASURED_ON && FAULTY_OFF < FAULTY_ON);
const _: () = assert!(LEAST_LEADS <= LEADS && NEARLY_FULL < 1_000);
const _: () = assert!(ALARMS > LANES * JETS / 2, "an alarm for many a valve at once");
const _: () = assert!(
    DRIFT_ON_US as i64 >= line::limits::DRIFT_STEP_US,
    "the core tells drift in its steps"
);
const _: () = assert!(INSIST_US < RESET_US && RESET_US < START_US && START_US < EMPTY_US);
