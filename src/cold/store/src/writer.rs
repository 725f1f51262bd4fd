//! The thread `store`: takes what handles give, makes it durable in transactions, answers requests, looks after the disk.
//!
//! Own thread; whoever owns the [`Writer`] ends it. A transaction that fails is tried again with growing pauses while new
//! entries wait in their places; what then finds no place is dropped and counted by its handle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::batch::{Batch, ClassIds};
use crate::clock::{Clock, Moment, OwnTime, Stamp, SystemClock};
use crate::error::StoreError;
use crate::handle::{Entry, Handle, Request, Turn};
use crate::health::{Shared, Trouble};
use crate::limits::{
    BATCH, BATCH_AGE, DISK_LOOK, RETENTION_LOOK, RETRY, WAITING_EVENTS, WAITING_RECORDS, WAITING_REQUESTS,
};
use crate::open::{self, Opened};
use crate::retention::{self, Retention};

/// Name of the thread that writes, as the kernel shows it.
pub const THREAD: &str = "store";

/// How a store is written.
#[derive(Clone)]
pub struct Options {
    /// What is removed with time.
    pub retention: Retention,
    /// The file may not grow beyond this; then it is full.
    pub most_bytes: Option<u64>,
    /// The program's version, for the list of its starts.
    pub program: String,
    /// The machine's name, for the list of its starts.
    pub machine: String,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            most_bytes: None,
            program: String::new(),
            machine: String::new(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The owner of the thread that writes. Dropping it ends the thread after what waits is durable.
#[derive(Debug)]
pub struct Writer {
    handle: Handle,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the store, or makes it, and starts the thread.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn start(path: &Path, options: Options) -> Result<Self, StoreError> {
        let guard = Arc::new(Guard::new(&options));
        let opened = open::for_writing(path, options.most_bytes)?;
        let scribe = Scribe::new(path, opened, &options, &guard)?;
        Self::spawn(path, guard, move |_| Some(scribe))
    }

    /// As [`Self::start`], but a store that can't be opened does not keep the line from sorting: it is tried again and
    /// again, entries wait and are then dropped and counted, requests are refused, and [`crate::Health`] says why.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start_or_wait(path: &Path, options: Options) -> Result<Self, StoreError> {
        let own_path = path.to_owned();
        Self::spawn(path, Arc::new(Guard::new(&options)), move |guard| {
            Scribe::as_soon_as_it_can_be(&own_path, &options, guard)
        })
    }

    fn spawn(
        path: &Path,
        guard: Arc<Guard>,
        scribe: impl FnOnce(&Arc<Guard>) -> Option<Scribe> + Send + 'static,
    ) -> Result<Self, StoreError> {
        // A place for each that a room lets in, and one for the end: sending never waits.
        let (sender, entries) = sync_channel(WAITING_RECORDS + WAITING_EVENTS + WAITING_REQUESTS + 1);
        let (shared, clock) = (Arc::clone(&guard.shared), Arc::clone(&guard.clock));
        let closing = Arc::clone(&guard.closing);
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                let watch = DeathWatch(guard);
                if let Some(scribe) = scribe(&watch.0) {
                    scribe.run(&entries);
                }
                watch.0.drop_the_rest(&entries);
            })
            .map_err(|error| StoreError::from_io(path, "starting its thread", error))?;
        Ok(Self {
            handle: Handle {
                entries: sender,
                shared,
                clock,
                path: Arc::new(path.to_owned()),
            },
            closing,
            thread: Some(thread),
        })
    }

    /// A way in.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends the thread after everything that waits is durable. What a failing disk does not take any more is counted as
    /// dropped in the health that is returned.
    pub fn end(mut self) -> crate::Health {
        self.join();
        self.handle.health()
    }

    fn join(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.closing.store(true, Ordering::Release);
        // Its place is free: nobody else sends it. When the thread is gone already there is nothing to end.
        let _ = self.handle.entries.try_send(Entry::End);
        // A thread that died has said why in its panic.
        let _ = thread.join();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.join();
    }
}

/// What the thread has in common with the outside.
struct Guard {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    closing: Arc<AtomicBool>,
}

impl Guard {
    fn new(options: &Options) -> Self {
        Self {
            shared: Arc::new(Shared::new(WAITING_RECORDS, WAITING_EVENTS, WAITING_REQUESTS)),
            clock: Arc::clone(&options.clock),
            closing: Arc::new(AtomicBool::new(false)),
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Pauses, in steps short enough not to hold up the program's end.
    fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while let Some(left) = until.checked_duration_since(Instant::now())
            && !self.is_closing()
        {
            std::thread::sleep(left.min(RETRY.0));
        }
    }

    /// Nothing can be written, and there is no own time to tell it by.
    fn went_wrong(&self, text: String) {
        let now = Moment::now(&*self.clock);
        let stamp = Stamp {
            at_us: now.wall_us,
            wall_us: now.wall_us,
        };
        self.shared.went_wrong(now.steady_us, true, Trouble { stamp, text });
    }

    /// Counts what came after the end.
    fn drop_the_rest(&self, entries: &Receiver<Entry>) {
        while let Ok(entry) = entries.try_recv() {
            match entry {
                Entry::Record(_, record, _) => {
                    self.shared.records.give(1);
                    self.shared.records.drop_many(1);
                    self.shared.unkept(record.lot, 1);
                }
                Entry::Event(..) => {
                    self.shared.events.give(1);
                    self.shared.events.drop_many(1);
                }
                Entry::Request(..) => self.shared.requests.give(1),
                Entry::End => {}
            }
        }
    }
}

/// Tells when the thread dies of a fault.
struct DeathWatch(Arc<Guard>);

impl Drop for DeathWatch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = "the store's thread has died: a fault in pearlsort. Start it again; the file is sound";
            self.0.went_wrong(text.to_owned());
        }
    }
}

/// What ended the collection of a batch.
enum Then {
    Again,
    Answer(Moment, Request),
    End,
}

/// The thread's own.
struct Scribe {
    guard: Arc<Guard>,
    path: PathBuf,
    connection: Connection,
    inode: u64,
    _lock: std::fs::File,
    retention: Retention,
    own_time: OwnTime,
    run: i64,
    next_record: i64,
    next_event: i64,
    class_ids: ClassIds,
    batch: Batch,
    looked: Option<Instant>,
    removal_due: Instant,
}

impl Scribe {
    /// Opens the file as soon as it can be opened. `None` when the end came before.
    fn as_soon_as_it_can_be(path: &Path, options: &Options, guard: &Arc<Guard>) -> Option<Self> {
        let mut pause = RETRY.0;
        loop {
            let opened = open::for_writing(path, options.most_bytes);
            match opened.and_then(|opened| Self::new(path, opened, options, guard)) {
                Ok(scribe) => return Some(scribe),
                Err(error) => guard.went_wrong(error.to_string()),
            }
            if guard.is_closing() {
                return None;
            }
            guard.shared.retries.fetch_add(1, Ordering::Relaxed);
            guard.pause(pause);
            pause = (pause * 2).min(RETRY.1);
        }
    }

    fn new(path: &Path, opened: Opened, options: &Options, guard: &Arc<Guard>) -> Result<Self, StoreError> {
        let wrong = |error| StoreError::from_sql(path, "writing to it", error);
        let connection = opened.connection;
        let (next_record, next_event, latest_us): (i64, i64, i64) = connection
            .query_row("SELECT next_record, next_event, latest_at_us FROM state", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .map_err(wrong)?;
        let now = Moment::now(&*options.clock);
        let mut own_time = OwnTime::new(now, latest_us);
        let stamp = own_time.stamp(now);
        connection
            .execute(
                "INSERT INTO runs (at_us, wall_us, host_us, program, machine) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    stamp.at_us,
                    stamp.wall_us,
                    options.clock.host().0,
                    options.program,
                    options.machine
                ],
            )
            .map_err(wrong)?;
        let run = connection.last_insert_rowid();
        guard.shared.went_well();
        Ok(Self {
            guard: Arc::clone(guard),
            path: path.to_owned(),
            connection,
            inode: opened.inode,
            _lock: opened._lock,
            retention: options.retention,
            own_time,
            run,
            next_record,
            next_event,
            class_ids: ClassIds::new(),
            batch: Batch::default(),
            looked: None,
            removal_due: Instant::now(),
        })
    }

    fn run(mut self, entries: &Receiver<Entry>) {
        loop {
            let then = self.collect(entries);
            self.keep();
            match then {
                Then::Again => {}
                Then::Answer(moment, request) => self.answer(moment, request),
                Then::End => break,
            }
            self.look_after();
        }
        // Best left small; when it can't be, the log is brought in at the next start.
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// Fills the batch: from its first entry on for [`BATCH_AGE`] at most.
    fn collect(&mut self, entries: &Receiver<Entry>) -> Then {
        let mut due: Option<Instant> = None;
        while self.batch.len() < BATCH {
            let wait = due.map_or(DISK_LOOK, |due| due.saturating_duration_since(Instant::now()));
            let entry = match entries.try_recv() {
                Ok(entry) => Ok(entry),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => entries.recv_timeout(wait),
            };
            match entry {
                Ok(Entry::Record(moment, record, classes)) => {
                    let stamp = self.own_time.stamp(moment);
                    self.begin(&mut due, moment);
                    self.batch.add_record(self.next_record, stamp, record, classes);
                    self.next_record += 1;
                }
                Ok(Entry::Event(moment, event)) => {
                    let stamp = self.own_time.stamp(moment);
                    self.begin(&mut due, moment);
                    self.batch.add_event(self.next_event, stamp, event);
                    self.next_event += 1;
                }
                Ok(Entry::Request(moment, request)) => return Then::Answer(moment, request),
                Ok(Entry::End) | Err(RecvTimeoutError::Disconnected) => return Then::End,
                Err(RecvTimeoutError::Timeout) => return Then::Again,
            }
        }
        Then::Again
    }

    fn begin(&self, due: &mut Option<Instant>, moment: Moment) {
        if due.is_none() {
            *due = Some(Instant::now() + BATCH_AGE);
            self.guard.shared.set_oldest(Some(moment.steady_us));
        }
    }

    /// Makes the batch durable, however often it takes; an entry that can never be kept is dropped and counted.
    fn keep(&mut self) {
        let mut unkept = self.guard.shared.take_unkept();
        if self.batch.is_empty() && unkept.is_empty() {
            return;
        }
        let mut pause = RETRY.0;
        while let Err(error) = self.write(&unkept) {
            // What the transaction put into the file is gone with it.
            self.class_ids.clear();
            self.look_at_disk();
            let gives_up = !error.may_pass() || (self.guard.is_closing() && pause > RETRY.0);
            self.guard
                .shared
                .retries
                .fetch_add(u64::from(!gives_up), Ordering::Relaxed);
            self.tell(&error, true);
            if gives_up {
                self.give_up(unkept);
                return;
            }
            self.guard.pause(pause);
            pause = (pause * 2).min(RETRY.1);
            for (lot, records) in self.guard.shared.take_unkept() {
                *unkept.entry(lot).or_default() += records;
            }
        }
        self.guard.shared.went_well();
        let kept = self.batch.records() as u64;
        self.guard.shared.kept_records.fetch_add(kept, Ordering::Relaxed);
        self.free_places();
        self.look_at_clock();
    }

    fn write(&mut self, unkept: &BTreeMap<u32, u64>) -> Result<(), StoreError> {
        if open::inode(&self.path)? != self.inode {
            return Err(StoreError::Gone {
                path: self.path.clone(),
            });
        }
        self.batch
            .write(&mut self.connection, self.run, &mut self.class_ids, unkept)
            .map_err(|error| StoreError::from_sql(&self.path, "writing to it", error))
    }

    fn give_up(&mut self, unkept: BTreeMap<u32, u64>) {
        self.guard.shared.records.drop_many(self.batch.records() as u64);
        self.guard.shared.events.drop_many(self.batch.events() as u64);
        for (lot, records) in self.batch.lots().into_iter().chain(unkept) {
            self.guard.shared.unkept(lot, records);
        }
        self.free_places();
    }

    fn free_places(&mut self) {
        self.guard.shared.records.give(self.batch.records());
        self.guard.shared.events.give(self.batch.events());
        self.guard.shared.set_oldest(None);
        self.batch.clear();
    }

    fn answer(&mut self, moment: Moment, request: Request) {
        let stamp = self.own_time.stamp(moment);
        let turn = Turn {
            connection: &mut self.connection,
            path: &self.path,
            stamp,
            next_record: self.next_record,
        };
        let result = request.carry_out(turn);
        self.guard.shared.requests.give(1);
        if let Err(text) = result {
            let trouble = Trouble { stamp, text };
            self.guard
                .shared
                .went_wrong(self.guard.clock.steady_us(), false, trouble);
        }
    }

    fn tell(&mut self, error: &StoreError, failing: bool) {
        let now = Moment::now(&*self.guard.clock);
        let trouble = Trouble {
            stamp: self.own_time.stamp(now),
            text: error.to_string(),
        };
        self.guard.shared.went_wrong(now.steady_us, failing, trouble);
    }

    /// Looks at the disk, and removes some of what is to go.
    fn look_after(&mut self) {
        if self.looked.is_none_or(|at| at.elapsed() >= DISK_LOOK) {
            self.look_at_disk();
        }
        if self.retention != Retention::default() && Instant::now() >= self.removal_due {
            let now = self.own_time.stamp(Moment::now(&*self.guard.clock));
            match retention::remove_some(&mut self.connection, self.retention, now.at_us) {
                Ok(true) => {}
                Ok(false) => self.removal_due = Instant::now() + RETENTION_LOOK,
                Err(error) => {
                    self.removal_due = Instant::now() + RETENTION_LOOK;
                    let error = StoreError::from_sql(&self.path, "removing what is old", error);
                    self.tell(&error, false);
                }
            }
        }
    }

    fn look_at_disk(&mut self) {
        self.looked = Some(Instant::now());
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let room = rustix::fs::statvfs(folder.unwrap_or(Path::new(".")));
        self.guard
            .shared
            .set_disk_free(room.ok().map(|room| room.f_bavail.saturating_mul(room.f_frsize)));
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let bytes = size(&self.path) + size(&open::beside(&self.path, "-wal"));
        self.guard.shared.file_bytes.store(bytes, Ordering::Relaxed);
        self.look_at_clock();
    }

    /// By how much own time is ahead of the computer's clock.
    fn look_at_clock(&mut self) {
        let now = Moment::now(&*self.guard.clock);
        let behind = self.own_time.stamp(now).at_us.saturating_sub(now.wall_us);
        let gauge = &self.guard.shared.clock_behind_us;
        gauge.store(behind.max(0), Ordering::Relaxed);
    }
}
