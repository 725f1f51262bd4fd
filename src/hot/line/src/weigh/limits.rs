//! Capacities of the weigh stage and the relations between them. Hot thread.

/// Belt lines that a model holds.
pub const LINES: usize = 6;
/// Pearls on the platform at once that the filter can tell apart; a further one is refused.
pub const SLOTS: usize = 2;
/// Pearls known at once: on the platform, about to be published, or gated ahead of the samples.
pub const PASSAGES: usize = 8;
/// Samples kept: the delay between arrival and filtering, and the stretch that may be filtered a second time.
pub const RING: usize = 1024;
/// Latest time after rolling on at which a pearl's samples are gone over again, us.
pub const LATEST_LOOK_US: f64 = 20_000.0;
/// Weighings that wait to be fetched.
pub const OUTBOX: usize = 2 * PASSAGES;
/// Gates kept for pearls on the platform.
pub const GATES: usize = 2 * PASSAGES;
/// Pearls foretold that have not come onto the platform yet.
pub const EXPECTED: usize = 64;
/// Weighings that one message may bring: those ready, and refusals of pearls that found no place.
pub const GIVEN: usize = OUTBOX + EXPECTED;
/// Farthest that a message's time may be from where its samples' number puts it, us: beyond, the board's clock has jumped.
pub const JUMP_US: f64 = 5_000.0;
/// Most samples that may be missing in one gap; a longer gap starts the filter anew.
pub const GAP: u32 = 64;

/// States before the belt lines: position, velocity, zero.
pub(super) const BASE: usize = 3;
/// States of one pearl: mass, landing impulse, errors of its two gates.
pub(super) const PER_SLOT: usize = 4;
/// Most states.
pub(super) const STATES: usize = BASE + 2 * LINES + PER_SLOT * SLOTS;
/// Row length of the covariance, a multiple of four so that rows fill vector registers.
pub(super) const STRIDE: usize = 24;

const _: () = assert!(STATES <= STRIDE, "a covariance row holds every state");
const _: () = assert!(STRIDE.is_multiple_of(4), "rows fill vector registers");
const _: () = assert!(SLOTS < PASSAGES, "a pearl waits while the slots are taken");
const _: () = assert!(RING.is_power_of_two(), "the ring is indexed by a mask");
const _: () = assert!((GAP as usize) < RING / 4, "a gap never overruns the delay");
const _: () = assert!(PASSAGES < GATES, "a pearl's gates are kept until it is published");
const _: () = assert!(PASSAGES < OUTBOX, "every pearl known can be published at once");
