//! Reading: lots, reports, records, minutes, events and the trail, each answer from one moment of the file.
//!
//! Any thread but the one that attends the line; a reader never holds up the thread that writes.

use std::path::{Path, PathBuf};

use line::Record;
use rusqlite::{Connection, Row, params};
use units::HostUs;

use crate::audit::{self, AuditKind, AuditLink, Head, Verdict};
use crate::classes::Classes;
use crate::clock::Stamp;
use crate::error::StoreError;
use crate::event::{Event, Severity, StoredEvent};
use crate::limits::PAGE;
use crate::lot::{self, Lot};
use crate::recipe::RecipeText;
use crate::report::{self, LotReport, MinuteSum};
use crate::sums::{self, SumFault};
use crate::{open, recipe_table, row};

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number: order is by it. A gap is a record that could not be kept, or was removed by retention.
    pub number: u64,
    /// Start of the program that it belongs to: pearls' numbers and the hot side's clock begin anew with each.
    pub run: u64,
    /// When it came to the store.
    pub stamp: Stamp,
    /// Its classes, where they were known.
    pub classes: Option<Classes>,
    /// What the core made.
    pub record: Record,
}

/// A read-only connection.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens a store for reading, whether or not it is being written.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            connection: open::for_reading(path)?,
            path: path.to_owned(),
        })
    }

    /// Answers from one moment of the file.
    fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let read = || {
            let snapshot = self.connection.unchecked_transaction()?;
            work(&snapshot)
        };
        read().map_err(|error| StoreError::from_sql(&self.path, doing, error))
    }

    /// The lot that is open.
    ///
    /// # Errors
    /// When the file can't be read; so of every question below.
    pub fn open_lot(&self) -> Result<Option<Lot>, StoreError> {
        self.read("reading the open lot", lot::find_open)
    }

    /// The lot of this number.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn lot(&self, lot: u32) -> Result<Option<Lot>, StoreError> {
        self.read("reading a lot", |connection| lot::find(connection, lot))
    }

    /// Lots below `before`, newest first, at most [`PAGE`].
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn lots(&self, before: Option<u32>, most: u32) -> Result<Vec<Lot>, StoreError> {
        self.read("reading the lots", |connection| {
            lot::list(connection, before, most.min(PAGE))
        })
    }

    /// Everything that can be answered for a lot; `None` when there is no such lot.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn report(&self, lot: u32) -> Result<Option<LotReport>, StoreError> {
        self.read("reading a lot's report", |connection| report::of_lot(connection, lot))
    }

    /// Sums of the minutes that begin from own time `from_us` on and before `to_us`, oldest first; of one lot or of all.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn minutes(&self, from_us: i64, to_us: i64, lot: Option<u32>) -> Result<Vec<MinuteSum>, StoreError> {
        self.read("reading minute sums", |connection| {
            report::minutes(connection, from_us, to_us, lot)
        })
    }

    /// The last `most` records, oldest first; of one lot or of all.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn last_records(&self, most: u32, lot: Option<u32>) -> Result<Vec<StoredRecord>, StoreError> {
        self.read("reading the last records", |connection| {
            // The lot's own index finds the records of an old lot under millions of newer ones.
            let (columns, which) = (row::COLUMNS, if lot.is_some() { "lot = ?1" } else { "?1 IS NULL" });
            let mut records: Vec<StoredRecord> = connection
                .prepare_cached(&format!(
                    "SELECT {columns} FROM records WHERE {which} ORDER BY n DESC LIMIT ?2"
                ))?
                .query_map(params![lot, most], stored_record)?
                .collect::<rusqlite::Result<_>>()?;
            records.reverse();
            Ok(records)
        })
    }

    /// Hands on every record of a lot, in order, from one moment of the file. `each` may end it with an error of its own.
    ///
    /// # Errors
    /// When the file can't be read, or the error of `each`.
    pub fn each_record<E: From<StoreError>>(
        &self,
        lot: u32,
        mut each: impl FnMut(&StoredRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let wrong = |error| E::from(StoreError::from_sql(&self.path, "reading a lot's records", error));
        let columns = row::COLUMNS;
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {columns} FROM records WHERE lot = ?1 ORDER BY n"))
            .map_err(wrong)?;
        let mut rows = statement.query([lot]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            each(&stored_record(row).map_err(wrong)?)?;
        }
        Ok(())
    }

    /// Events below `before`, newest first, whose kind begins with `kind`, at most [`PAGE`].
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn events(&self, before: Option<u64>, most: u32, kind: &str) -> Result<Vec<StoredEvent>, StoreError> {
        self.read("reading events", |connection| {
            connection
                .prepare_cached(
                    "SELECT n, at_us, wall_us, host_us, kind, subject, severity, text, detail, lot FROM events
                     WHERE n < ?1 AND substr(kind, 1, length(?2)) = ?2 ORDER BY n DESC LIMIT ?3",
                )?
                .query_map(
                    params![before.map_or(i64::MAX, u64::cast_signed), kind, most.min(PAGE)],
                    stored_event,
                )?
                .collect()
        })
    }

    /// Links of the audit trail below `before`, newest first, of one kind or of all, at most [`PAGE`].
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn audit(&self, before: Option<u64>, most: u32, kind: Option<AuditKind>) -> Result<Vec<AuditLink>, StoreError> {
        self.read("reading the audit trail", |connection| {
            audit::page(connection, before, most.min(PAGE), kind)
        })
    }

    /// The end of the audit trail: printed and kept elsewhere, it proves that the trail up to it was not written again.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn audit_head(&self) -> Result<Head, StoreError> {
        self.read("reading the audit trail's end", audit::head)
    }

    /// Follows the audit trail from its beginning; with `known`, that place must be on it.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn verify_audit(&self, known: Option<&Head>) -> Result<Verdict, StoreError> {
        self.read("following the audit trail", |connection| {
            audit::verify(connection, known)
        })
    }

    /// Counts all records again and compares them with the sums of lots and minutes: what does not agree.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn verify_sums(&self) -> Result<Vec<SumFault>, StoreError> {
        self.read("counting the records again", sums::verify)
    }

    /// Whether the file is sound: what the database finds wrong with it, empty when nothing. Takes a while on a large file.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn verify_file(&self) -> Result<Vec<String>, StoreError> {
        self.read("checking the file", |connection| {
            let found: Vec<String> = connection
                .prepare("PRAGMA integrity_check")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(found.into_iter().filter(|line| line != "ok").collect())
        })
    }

    /// The recipe of this hash, if it was kept.
    ///
    /// # Errors
    /// As [`Self::open_lot`].
    pub fn recipe(&self, hash: u64) -> Result<Option<RecipeText>, StoreError> {
        self.read("reading a recipe", |connection| recipe_table::find(connection, hash))
    }
}

fn stored_record(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        run: row.get::<_, i64>(1)?.cast_unsigned(),
        stamp: Stamp {
            at_us: row.get(2)?,
            wall_us: row.get(3)?,
        },
        classes: row
            .get::<_, Option<String>>(20)?
            .map(|text| Classes::from_stored(&text)),
        record: row::read(row)?,
    })
}

fn stored_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        stamp: Stamp {
            at_us: row.get(1)?,
            wall_us: row.get(2)?,
        },
        event: Event {
            kind: row.get(4)?,
            subject: row.get(5)?,
            severity: Severity::from_number(row.get(6)?),
            text: row.get(7)?,
            detail: row.get(8)?,
            host: row.get::<_, Option<i64>>(3)?.map(HostUs),
            lot: row.get(9)?,
        },
    })
}
