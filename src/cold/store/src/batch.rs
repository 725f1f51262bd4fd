//! Records and events of one transaction. The thread that writes.

use std::collections::{BTreeMap, HashMap};

use line::Record;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::classes::Classes;
use crate::clock::Stamp;
use crate::event::Event;
use crate::row::{self, Beside};
use crate::tally::{Sums, Tally, book_lot};

/// What the next transaction makes durable. It keeps its numbers when it must be tried again.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    records: Vec<(i64, Stamp, Record, Option<Classes>)>,
    events: Vec<(i64, Stamp, Box<Event>)>,
}

/// Numbers of the sets of classes that are in the file.
pub(crate) type ClassIds = HashMap<Classes, i64>;

impl Batch {
    pub(crate) fn add_record(&mut self, number: i64, stamp: Stamp, record: Record, classes: Option<Classes>) {
        self.records.push((number, stamp, record, classes));
    }

    pub(crate) fn add_event(&mut self, number: i64, stamp: Stamp, event: Box<Event>) {
        self.events.push((number, stamp, event));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.events.is_empty()
    }

    /// Records and events in it.
    pub(crate) fn len(&self) -> usize {
        self.records.len() + self.events.len()
    }

    pub(crate) fn records(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn events(&self) -> usize {
        self.events.len()
    }

    /// Lots of its records, with how many each has.
    pub(crate) fn lots(&self) -> BTreeMap<u32, u64> {
        let mut lots = BTreeMap::new();
        for (_, _, record, _) in &self.records {
            *lots.entry(record.lot).or_default() += 1;
        }
        lots
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.events.clear();
    }

    /// Writes everything and the sums over it in one transaction, with `unkept` records by lot.
    pub(crate) fn write(
        &self,
        connection: &mut Connection,
        run: i64,
        class_ids: &mut ClassIds,
        unkept: &BTreeMap<u32, u64>,
    ) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.write_records(&transaction, run, class_ids)?;
        self.write_events(&transaction)?;
        for (lot, records) in unkept {
            let tally = Tally {
                passes: *records,
                ..Tally::default()
            };
            book_lot(&transaction, *lot, 0, "unkept", "", tally)?;
        }
        self.write_state(&transaction)?;
        transaction.commit()
    }

    fn write_records(&self, connection: &Connection, run: i64, class_ids: &mut ClassIds) -> rusqlite::Result<()> {
        let mut sums = Sums::default();
        let mut insertion = row::insertion(connection)?;
        for (number, stamp, record, classes) in &self.records {
            let class_set = match classes {
                Some(classes) => Some(class_id(connection, class_ids, classes)?),
                None => None,
            };
            let beside = Beside {
                number: *number,
                run,
                stamp: *stamp,
                outcome: sums.add(stamp.at_us, record, classes.as_ref()),
                class_set,
            };
            row::insert(&mut insertion, &beside, record)?;
        }
        sums.book(connection)
    }

    fn write_events(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut insertion =
            connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        for (number, stamp, event) in &self.events {
            insertion.execute(params![
                number,
                stamp.at_us,
                stamp.wall_us,
                event.host.map(|host| host.0),
                event.kind,
                event.subject,
                event.severity.number(),
                event.text,
                event.detail,
                event.lot
            ])?;
        }
        Ok(())
    }

    fn write_state(&self, connection: &Connection) -> rusqlite::Result<()> {
        let record = self.records.last().map(|(number, stamp, ..)| (number + 1, stamp.at_us));
        let event = self.events.last().map(|(number, stamp, _)| (number + 1, stamp.at_us));
        let latest = record.map_or(0, |of| of.1).max(event.map_or(0, |of| of.1));
        connection
            .prepare_cached(
                "UPDATE state SET next_record = max(next_record, ?1), next_event = max(next_event, ?2),
                     latest_at_us = max(latest_at_us, ?3)",
            )?
            .execute(params![record.map_or(0, |of| of.0), event.map_or(0, |of| of.0), latest])?;
        Ok(())
    }
}

/// The number of a set of classes, which is put into the file if it is new.
fn class_id(connection: &Connection, ids: &mut ClassIds, classes: &Classes) -> rusqlite::Result<i64> {
    if let Some(id) = ids.get(classes) {
        return Ok(*id);
    }
    let found = connection
        .prepare_cached("SELECT id FROM class_sets WHERE classes = ?1")?
        .query_row([classes.as_str()], |row| row.get(0))
        .optional()?;
    let id = match found {
        Some(id) => id,
        None => connection
            .prepare_cached("INSERT INTO class_sets (classes) VALUES (?1) RETURNING id")?
            .query_row([classes.as_str()], |row| row.get(0))?,
    };
    ids.insert(classes.clone(), id);
    Ok(id)
}
