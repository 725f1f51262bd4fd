//! What is removed with time: records, minute sums and events beyond an age, and the oldest records while the file is
//! larger than it may be. Never the audit trail, a lot or its sums, and nothing of an open lot.
//!
//! The thread that writes, a little at a time.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::limits::REMOVED_AT_ONCE;
use crate::tally::MINUTE_US;

/// How long and how much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Records, minute sums and events older than this are removed.
    pub age: Option<Duration>,
    /// While the file holds more bytes than this, the oldest records are removed.
    pub bytes: Option<u64>,
}

/// Bytes of a record at most, with its share of the pages.
const RECORD_BYTES: u64 = 256;
/// Pages given back to the disk at once.
const PAGES_BACK: u32 = 2_000;

/// Removes a little of what is to go at own time `now_us`. Tells whether there is more.
pub(crate) fn remove_some(connection: &mut Connection, retention: Retention, now_us: i64) -> rusqlite::Result<bool> {
    let mut more = false;
    if let Some(age) = retention.age {
        let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        let before_us = now_us.saturating_sub(age_us);
        more |= remove_records(connection, before_us, REMOVED_AT_ONCE)?;
        more |= remove_others(connection, before_us)?;
    }
    if let Some(bytes) = retention.bytes {
        let excess = used_bytes(connection)?.saturating_sub(bytes);
        if excess > 0 {
            // Rather too few than too many: the next look has the exact size again.
            let most = (excess / RECORD_BYTES + 1).min(REMOVED_AT_ONCE.into());
            more |= remove_records(connection, i64::MAX, u32::try_from(most).unwrap_or(REMOVED_AT_ONCE))?;
        }
    }
    let unused: u32 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    if unused > PAGES_BACK {
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_BACK})"))?;
    }
    Ok(more)
}

/// Bytes of the file that hold something.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |of: &str| connection.query_row(&format!("PRAGMA {of}"), [], |row| row.get::<_, i64>(0));
    let pages = number("page_count")? - number("freelist_count")?;
    Ok(pages.saturating_mul(number("page_size")?).cast_unsigned())
}

/// Removes the oldest records that came before `before_us`, `most` at once, and books them as removed on their lots: sums less what was
/// removed still equal the records. Tells whether there may be more.
fn remove_records(connection: &mut Connection, before_us: i64, most: u32) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Own time never falls with the number: the look ends at the first record that stays.
    let (last, found): (Option<i64>, u32) = transaction
        .prepare_cached(
            "SELECT max(n), count(*) FROM (SELECT n, at_us FROM records
                 WHERE n < coalesce((SELECT first_record FROM lots WHERE closed_at_us IS NULL), 0x7fffffffffffffff)
                 ORDER BY n LIMIT ?1)
             WHERE at_us < ?2",
        )?
        .query_row(params![most, before_us], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last else { return Ok(false) };
    transaction.execute(
        "INSERT INTO lot_sums
         SELECT lot, recipe, 'removed', outcome, count(*), count(mass_ug), coalesce(sum(mass_ug), 0)
         FROM records WHERE n <= ?1 GROUP BY lot, recipe, outcome
         ON CONFLICT DO UPDATE SET passes = passes + excluded.passes, weighed = weighed + excluded.weighed,
             mass_ug = mass_ug + excluded.mass_ug",
        [last],
    )?;
    transaction.execute("DELETE FROM records WHERE n <= ?1", [last])?;
    transaction.commit()?;
    Ok(found == most)
}

/// Removes minute sums and events that came before `before_us`. Tells whether there may be more.
fn remove_others(connection: &mut Connection, before_us: i64) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let minutes = transaction.execute(
        "DELETE FROM minute_sums WHERE (minute, lot, outcome) IN
             (SELECT minute, lot, outcome FROM minute_sums WHERE minute < ?1
                 AND lot NOT IN (SELECT lot FROM lots WHERE closed_at_us IS NULL) LIMIT ?2)",
        params![before_us.div_euclid(MINUTE_US), REMOVED_AT_ONCE],
    )?;
    let events = transaction.execute(
        "DELETE FROM events WHERE n IN
             (SELECT n FROM (SELECT n, at_us FROM events
                 WHERE lot NOT IN (SELECT lot FROM lots WHERE closed_at_us IS NULL) ORDER BY n LIMIT ?2)
              WHERE at_us < ?1)",
        params![before_us, REMOVED_AT_ONCE],
    )?;
    transaction.commit()?;
    Ok(minutes.max(events) == REMOVED_AT_ONCE as usize)
}
