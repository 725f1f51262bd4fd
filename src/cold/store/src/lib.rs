//! Lots, a record for each pearl, minute and lot sums, events and the audit trail of a line, in one SQLite file that
//! answers for every lot.
//!
//! Cold. **One thread writes** (named `store`, owned by [`Writer`]); everybody else holds a [`Handle`] or a [`Reader`].
//!
//! * [`Writer::start`] opens or makes the file, brings an older one up to date and starts the thread. What can be wrong
//!   with a file is a [`StoreError`], which says what happened, where and what to do.
//! * [`Handle`] is cheap to clone and may be used from any thread. [`Handle::record`] and [`Handle::event`] **never
//!   wait**: what finds no room is dropped and counted by kind ([`Handle::health`]), and a dropped record is booked on
//!   its lot as *unkept*. [`Handle::open_lot`], [`Handle::close_lot`], [`Handle::edit_lot`], [`Handle::pour_tray`],
//!   [`Handle::recipe`], [`Handle::audit`] and [`Handle::flush`] wait (at most [`limits::ANSWER_WAIT`]) until it is on
//!   the disk, or say why it is not: never call them from the thread that attends the line. A change that must be
//!   audited is made **after** its [`Handle::audit`] has come back well.
//! * [`Health`] tells lag, drops, room on the disk and the last error, for alarms; it costs a few loads.
//! * [`Reader::open`] gives a read-only connection, for one thread each: lots, [`Reader::report`], minutes, the last
//!   records as [`line::Record`]s, events, audit pages. [`Reader::verify_audit`] follows the chain and
//!   [`Reader::verify_sums`] counts the records again. [`export`] writes a lot's records as CSV or Parquet.
//!
//! After a kill or a power cut everything older than one second is there: a transaction is made durable (WAL,
//! `synchronous=FULL`) each [`limits::BATCH_AGE`]; records and the sums over them are in the same transaction, so sums
//! equal records always.
//!
//! Words: a **pass** is a pearl's way over the belt, one record; a pearl that was recirculated and poured back passes
//! again (`docs/decisions/0005-passes-and-pearls.md`). A **tally** counts passes and adds up their mass. **Own time** is
//! the store's: microseconds since 1970 as the computer's clock had them, but never falling, whatever is done to that
//! clock. **Unkept** are passes whose record found no room. The **trail** is the audit trail; a **link** one entry of it.

#![forbid(unsafe_code)]

mod audit;
mod batch;
mod classes;
mod clock;
mod error;
mod event;
pub mod export;
mod handle;
mod health;
pub mod limits;
mod lot;
mod open;
mod reader;
mod recipe;
mod recipe_table;
mod report;
mod retention;
mod row;
mod schema;
mod sums;
mod tally;
pub mod time;
mod writer;

pub use audit::{AuditEntry, AuditKind, AuditLink, BrokenLink, Head, Verdict};
pub use classes::Classes;
pub use clock::{Clock, Stamp, SystemClock};
pub use error::{Refusal, StoreError};
pub use event::{Event, Severity, StoredEvent};
pub use handle::Handle;
pub use health::{Dropped, Health, Trouble};
pub use lot::{Leftover, Lot, LotForm, LotRefusal, Pour};
pub use reader::{Reader, StoredRecord};
pub use recipe::{BinWorth, RecipeText, Worth};
pub use report::{BinSum, CauseSum, ClassSum, EarnedSum, LotReport, MassBalance, MinuteSum, RecipeUse};
pub use retention::Retention;
pub use sums::SumFault;
pub use tally::{Outcome, Tally};
pub use writer::{Options, THREAD, Writer};

/// Version of the file's layout that this program writes.
pub const SCHEMA_VERSION: u32 = schema::VERSION;
