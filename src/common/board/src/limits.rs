//! Every capacity of a board, by name, with the relations that hold between them.
//!
//! Any thread. A board may have fewer of anything (its [`wire::BoardLimits`] say how many), never more.

/// Most valve outputs. The numbers of open and busy valves are held in the bits of a `u128`.
pub const MAX_VALVES: usize = 128;

/// Most eye inputs. Eyes that wait for their shortest interruption are held in the bits of a `u128`.
pub const MAX_EYES: usize = 128;

/// Most weigh cells.
pub const MAX_CELLS: usize = 64;

/// Most numbered channels. Channels to report are held in the bits of a `u32`.
pub const MAX_CHANNELS: usize = 32;

/// Most orders in the fire queue. An insertion, a search or a removal visits at most this many of them.
pub const MAX_QUEUE: usize = 256;

/// Lists by which an order is found by its number: its lowest bits choose the list, so numbers given in sequence never
/// share one.
pub const NUMBER_LISTS: usize = 256;

/// Reports that wait for room in the link's window.
pub const OUTBOX: usize = 128;

/// Waiting reports from which on `Status` is passed over: it would be stale, and take the place of what is not.
pub const STATUS_PASSED_OVER: usize = OUTBOX / 4;

/// Bytes from the line that are obeyed before the answers to them are handed to the link.
pub const RECEIVE_CHUNK: usize = 64;

/// Frames in flight in each direction.
pub const WINDOW: usize = 8;

/// Farthest horizon, in ticks: a quarter of the wrapped range, so that "ahead" and "behind" can't be confused.
pub const MAX_HORIZON_TICKS: u32 = 1 << 30;

/// Time over which the belt's speed is measured, in microseconds: 16 ms at 20,000 ticks/s are 320 ticks.
pub const SPEED_WINDOW_US: u64 = 16_000;

/// Windows whose median is the speed: one window that an encoder's slip has spoilt does not count.
pub const SPEED_WINDOWS: usize = 3;

/// The belt stands still when the encoder has not moved by more than one tick for so long, in microseconds.
pub const STANDSTILL_US: u64 = 250_000;

/// Watchdog times that a board accepts, in microseconds.
pub const WATCHDOG_RANGE_US: core::ops::RangeInclusive<u32> = 5_000..=1_000_000;

/// Status periods that a board accepts, in microseconds.
pub const STATUS_RANGE_US: core::ops::RangeInclusive<u32> = 1_000..=10_000_000;

/// End of the board's clock, in microseconds: far beyond its life, and far enough from the type's end for sums.
pub const MAX_CLOCK_US: u64 = 1 << 62;

/// Longest lag of a valve, in microseconds.
pub const MAX_LAG_US: u32 = 500_000;

/// Longest least off-time of a valve, in microseconds.
pub const MAX_MIN_OFF_US: u32 = 1_000_000;

/// Longest on-time that a board's hardware limit may be, in microseconds.
pub const MAX_ON_US: u32 = 10_000_000;

/// Largest shortest interruption of an eye, in ticks.
pub const MAX_LEAST_TICKS: u32 = 1_000_000;

/// Highest sample rate of a weigh cell, in samples a second.
pub const MAX_SAMPLE_RATE: u32 = 100_000;

const _: () = assert!(MAX_VALVES <= u128::BITS as usize);
const _: () = assert!(MAX_EYES <= u128::BITS as usize);
const _: () = assert!(MAX_CHANNELS <= u32::BITS as usize);
const _: () = assert!(MAX_QUEUE < u16::MAX as usize, "the last index stands for none");
const _: () = assert!(NUMBER_LISTS.is_power_of_two() && NUMBER_LISTS <= 1 << 16);
const _: () = assert!(
    MAX_QUEUE <= NUMBER_LISTS,
    "numbers given in sequence must not share a list"
);
const _: () = assert!(SPEED_WINDOWS % 2 == 1, "a median needs an odd number");
const _: () = assert!(
    SPEED_WINDOW_US * 4 < STANDSTILL_US,
    "standstill must be slower to see than any speed"
);
const _: () = assert!(WINDOW <= wire::WINDOW_MAX && WINDOW <= u8::MAX as usize);
const _: () = assert!(MAX_HORIZON_TICKS <= (i32::MAX as u32) / 2 + 1);
