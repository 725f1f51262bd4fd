//! Every limit of the page's server, with the relations between them.

use std::time::Duration;

/// Connections at once; one more is told so and closed.
pub const CONNECTIONS: usize = 256;
/// Pages that watch at once.
pub const WATCHERS: usize = 128;
/// Time between two looks at the line, for all that watch.
pub const TICK: Duration = Duration::from_millis(250);
/// Events that wait for a watcher's connection; a slower one misses some.
pub const WATCHER_EVENTS: usize = 8;
/// Ticks that a watcher may miss in a row before it is let go.
pub const WATCHER_MISSES: u32 = 40;
/// Bytes of a request's body.
pub const BODY_BYTES: usize = 256 * 1024;
/// Bytes of a refused body that are still read, so that its sender hears why.
pub const REFUSED_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of a request's head.
pub const HEAD_BYTES: usize = 16 * 1024;
/// A request's head must have come within this; a connection without a request is closed after it.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// A request's body must have come within this.
pub const BODY_TIME: Duration = Duration::from_secs(10);
/// A connection that takes no byte of an answer for so long is closed.
pub const WRITE_TIME: Duration = Duration::from_secs(20);
/// A TLS handshake must be over within this.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Threads that may wait for the store, a file or a hash.
pub const WORKERS: usize = 8;
/// Long answers at once: reports, exports, trials of recipes, walks along the audit trail.
pub const LONG_ANSWERS: usize = 2;
/// Logins that wait for their turn at the hash; one more is told to come again.
pub const LOGINS_WAITING: usize = 8;

/// A session ends after so long without a call.
pub const SESSION_IDLE: Duration = Duration::from_secs(60 * 60);
/// A session ends at the latest after this: a shift.
pub const SESSION_LENGTH: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions at once; the one unused for longest makes room.
pub const SESSIONS: usize = 256;

/// Wrong passwords of an account before it must wait.
pub const ACCOUNT_TRIES: u32 = 5;
/// Wrong passwords from an address before it must wait.
pub const ADDRESS_TRIES: u32 = 20;
/// Longest wait of an account: short, so that nobody can keep its owner out for long.
pub const ACCOUNT_WAIT: Duration = Duration::from_secs(60);
/// Longest wait of an address.
pub const ADDRESS_WAIT: Duration = Duration::from_secs(5 * 60);
/// Tries are forgotten after so long without another.
pub const TRIES_KEPT: Duration = Duration::from_secs(15 * 60);
/// Accounts and addresses whose tries are remembered, each.
pub const TRIES: usize = 1024;

/// Users.
pub const USERS: usize = 200;
/// Characters of a user's name.
pub const NAME_CHARACTERS: usize = 32;
/// Least characters of a password.
pub const PASSWORD_LEAST: usize = 10;
/// Most characters of a password.
pub const PASSWORD_MOST: usize = 128;

/// Entries of a list's page.
pub const PAGE: usize = 500;
/// Entries of a list's page, where nothing is said.
pub const PAGE_USUAL: usize = 100;
/// Characters of a lot's texts.
pub const LOT_CHARACTERS: usize = 200;
/// Least time on the shelf, s.
pub const SHELF_LEAST_S: u32 = 60;
/// Most time on the shelf that an operator may give, s.
pub const SHELF_OPERATOR_S: u32 = 8 * 60 * 60;
/// Most time on the shelf, s.
pub const SHELF_MOST_S: u32 = 7 * 24 * 60 * 60;
/// Last pearls on which a recipe is tried.
pub const TRIAL_PEARLS: usize = 1_000_000;
/// Recipes that can be had back, one after another.
pub const UNDO: usize = 16;
/// Pairs of lines that a diff compares; beyond them, what differs is shown as a whole.
pub const DIFF_PAIRS: usize = 4_000_000;

const _: () = assert!(CONNECTIONS >= WATCHERS + 64, "watchers must leave room for commands");
const _: () = assert!(
    WORKERS >= LONG_ANSWERS + 3,
    "long answers must leave room for commands and ticks"
);
const _: () = assert!(
    REFUSED_BODY_BYTES > BODY_BYTES,
    "a refused body is longer than one that is taken"
);
const _: () = assert!(SHELF_LEAST_S < SHELF_OPERATOR_S && SHELF_OPERATOR_S < SHELF_MOST_S);
const _: () = assert!(PAGE_USUAL <= PAGE);
const _: () = assert!(SESSION_IDLE.as_secs() < SESSION_LENGTH.as_secs());
