//! What everybody but the thread that writes holds: entries go in without a wait, requests wait for their answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};

use line::Record;
use rusqlite::{Connection, TransactionBehavior};

use crate::audit::{self, AuditEntry, Head};
use crate::classes::Classes;
use crate::clock::{Clock, Moment, Stamp};
use crate::error::{Refusal, StoreError};
use crate::event::Event;
use crate::health::{Health, Shared};
use crate::limits::{ANSWER_WAIT, LONG_TEXT, TEXT};
use crate::lot::{self, Failed, Leftover, Lot, LotForm, Pour, fits};
use crate::reader::Reader;
use crate::recipe::RecipeText;
use crate::recipe_table;

/// What goes to the thread that writes.
pub(crate) enum Entry {
    Record(Moment, Record, Option<Classes>),
    Event(Moment, Box<Event>),
    Request(Moment, Request),
    /// The writer's owner wants it to end.
    End,
}

/// A request's way: waits, is given up by whoever asked, or is begun.
const WAITS: u8 = 0;
const GIVEN_UP: u8 = 1;
const BEGUN: u8 = 2;

/// What a request gets when its turn has come.
pub(crate) struct Turn<'a> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) path: &'a std::path::Path,
    pub(crate) stamp: Stamp,
    pub(crate) next_record: i64,
}

/// What a request does; what the file did not take comes back for [`Health`].
type Job = Box<dyn FnOnce(Turn<'_>) -> Result<(), String> + Send>;

pub(crate) struct Request {
    way: Arc<AtomicU8>,
    job: Job,
}

impl Request {
    /// Carries it out, unless nobody waits for it any more.
    ///
    /// # Errors
    /// What the file did not take, for [`Health`]; whoever asked has it too.
    pub(crate) fn carry_out(self, turn: Turn<'_>) -> Result<(), String> {
        let begun = self
            .way
            .compare_exchange(WAITS, BEGUN, Ordering::AcqRel, Ordering::Acquire);
        if begun.is_err() {
            return Ok(());
        }
        (self.job)(turn)
    }
}

/// A way into the store. Cheap to clone, for any thread.
#[derive(Clone)]
pub struct Handle {
    pub(crate) entries: SyncSender<Entry>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) path: Arc<PathBuf>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handle").field("path", &self.path).finish()
    }
}

impl Handle {
    /// Keeps a pearl's record, with its classes where they are known. Never waits: without room it is dropped, counted, and
    /// booked on its lot as unkept.
    pub fn record(&self, record: &Record, classes: Option<Classes>) {
        if !self.shared.records.take() {
            self.shared.unkept(record.lot, 1);
            return;
        }
        let moment = Moment::now(&*self.clock);
        self.shared.came(moment.steady_us);
        let entry = Entry::Record(moment, *record, classes);
        if self.entries.try_send(entry).is_err() {
            // Only after the end: there are places for every kind together.
            self.shared.records.give(1);
            self.shared.records.drop_many(1);
            self.shared.unkept(record.lot, 1);
        }
    }

    /// Books records that were dropped before they came here (the hot side's ring was full) on their lot.
    pub fn unkept(&self, lot: u32, records: u64) {
        self.shared.unkept(lot, records);
    }

    /// Keeps an event. Never waits: without room, or with a text beyond [`LONG_TEXT`], it is dropped and counted.
    pub fn event(&self, event: Event) {
        let texts = [&event.kind, &event.subject, &event.text, &event.detail];
        if texts.iter().any(|text| text.len() > LONG_TEXT) {
            self.shared.events.drop_many(1);
            return;
        }
        if !self.shared.events.take() {
            return;
        }
        let moment = Moment::now(&*self.clock);
        self.shared.came(moment.steady_us);
        let entry = Entry::Event(moment, Box::new(event));
        if self.entries.try_send(entry).is_err() {
            self.shared.events.give(1);
            self.shared.events.drop_many(1);
        }
    }

    /// How the store is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health(self.clock.steady_us())
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// A read-only connection of one's own.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Opens a lot; `recipe` is the hash of the recipe in force. Waits.
    ///
    /// # Errors
    /// Another lot is open, the form is wrong, or the file does not take it.
    pub fn open_lot(&self, form: LotForm, recipe: u64, who: &str) -> Result<Lot, Refusal> {
        let who = checked_name(who)?;
        self.ask(move |turn| {
            let (stamp, first) = (turn.stamp, turn.next_record);
            in_transaction(turn, |connection| {
                lot::open(connection, stamp, first, &form, recipe, &who)
            })
        })
    }

    /// Changes what is said of an open lot. Waits.
    ///
    /// # Errors
    /// There is no such open lot, the form is wrong, or the file does not take it.
    pub fn edit_lot(&self, lot: u32, form: LotForm, who: &str) -> Result<Lot, Refusal> {
        let who = checked_name(who)?;
        self.ask(move |turn| {
            let stamp = turn.stamp;
            in_transaction(turn, |connection| lot::edit(connection, stamp, lot, &form, &who))
        })
    }

    /// Closes a lot; `left` is what the tray holds. Pearls of the lot that are still on the belt come on its record. Waits.
    ///
    /// # Errors
    /// There is no such open lot, or the file does not take it.
    pub fn close_lot(&self, lot: u32, left: Leftover, who: &str) -> Result<Lot, Refusal> {
        let who = checked_name(who)?;
        self.ask(move |turn| {
            let stamp = turn.stamp;
            in_transaction(turn, |connection| lot::close(connection, stamp, lot, left, &who))
        })
    }

    /// The tray is poured back into the feeder: what came to it will pass again. Waits.
    ///
    /// # Errors
    /// There is no such open lot, or the file does not take it.
    pub fn pour_tray(&self, lot: u32, who: &str) -> Result<Pour, Refusal> {
        let who = checked_name(who)?;
        self.ask(move |turn| {
            let stamp = turn.stamp;
            in_transaction(turn, |connection| lot::pour(connection, stamp, lot, &who))
        })
    }

    /// Keeps a recipe's text and its bins' worth, for the reports of what it grades; the same recipe again changes
    /// nothing. Waits.
    ///
    /// # Errors
    /// The file does not take it, or its text is too long.
    pub fn recipe(&self, recipe: RecipeText) -> Result<(), Refusal> {
        fits("the recipe's name", &recipe.name, TEXT)?;
        fits("the recipe's text", &recipe.text, LONG_TEXT)?;
        self.ask(move |turn| {
            in_transaction(turn, |connection| {
                recipe_table::keep(connection, &recipe).map_err(Failed::from)
            })
        })
    }

    /// Puts a change on the audit trail. Waits: make the change only when this has come back well.
    ///
    /// # Errors
    /// The file does not take it, or a text is too long.
    pub fn audit(&self, entry: AuditEntry) -> Result<Head, Refusal> {
        audit::check(&entry)?;
        self.ask(move |turn| {
            let stamp = turn.stamp;
            in_transaction(turn, |connection| {
                audit::append(connection, stamp, &entry).map_err(Failed::from)
            })
        })
    }

    /// Waits until everything that was given before is durable.
    ///
    /// # Errors
    /// The file does not take it.
    pub fn flush(&self) -> Result<(), Refusal> {
        self.ask(|_| Ok(()))
    }

    /// Sends a request and waits for its answer.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(Turn<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        if !self.shared.requests.take() {
            return Err(Refusal::Crowded);
        }
        let (answer, answers) = sync_channel(1);
        let way = Arc::new(AtomicU8::new(WAITS));
        let job = Box::new(move |turn: Turn<'_>| {
            let result = work(turn);
            let trouble = match &result {
                Err(Refusal::Store(error)) => Err(error.to_string()),
                _ => Ok(()),
            };
            // Whoever asked may have gone.
            let _ = answer.send(result);
            trouble
        });
        let request = Request {
            way: Arc::clone(&way),
            job,
        };
        if self
            .entries
            .try_send(Entry::Request(Moment::now(&*self.clock), request))
            .is_err()
        {
            self.shared.requests.give(1);
            return Err(Refusal::Ended);
        }
        let ended = |_| Err(Refusal::Ended);
        match answers.recv_timeout(ANSWER_WAIT) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err(Refusal::Ended),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if way
            .compare_exchange(WAITS, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            let trouble = self.shared.is_failing().then(|| self.shared.trouble()).flatten();
            return Err(Refusal::Silent {
                trouble: trouble.map(|trouble| trouble.text),
            });
        }
        match answers.recv_timeout(ANSWER_WAIT) {
            Err(RecvTimeoutError::Timeout) => Err(Refusal::Unknown),
            other => other.unwrap_or_else(ended),
        }
    }
}

fn checked_name(who: &str) -> Result<String, Refusal> {
    fits("the name of who does it", who, TEXT)?;
    Ok(who.to_owned())
}

/// Does `work` in a transaction: durable, or nothing of it.
fn in_transaction<T>(turn: Turn<'_>, work: impl FnOnce(&Connection) -> Result<T, Failed>) -> Result<T, Refusal> {
    let path = turn.path;
    let wrong = |error| Refusal::Store(StoreError::from_sql(path, "writing to it", error));
    let transaction = turn
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(wrong)?;
    let done = work(&transaction).map_err(|failed| match failed {
        Failed::Sql(error) => wrong(error),
        Failed::Refused(refusal) => refusal,
    })?;
    transaction
        .execute(
            "UPDATE state SET latest_at_us = max(latest_at_us, ?1)",
            [turn.stamp.at_us],
        )
        .and_then(|_| transaction.commit())
        .map_err(wrong)?;
    Ok(done)
}
