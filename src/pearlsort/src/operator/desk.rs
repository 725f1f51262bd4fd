//! What the attending thread and the page's threads share. Cold, any thread.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use line::{LinePlan, Record};
use operate::{Operate, Setup, Text};
use rt::histogram::Histogram;
use units::HostUs;

use crate::daemon::{Figures, LinkRow};

/// Entries of the journal that the page can still have; the store keeps them all.
const JOURNAL: usize = 512;
/// Records kept for a recipe's trial.
const RECENT: usize = 20_000;
/// Seconds over which rates are taken.
const RATE_SECONDS: usize = 5;

/// What does not change while the line runs.
#[derive(Debug)]
pub struct Fixed {
    /// The line's name.
    pub name: Text,
    /// The machine.
    pub plan: LinePlan,
    /// The machine's file, where there is one.
    pub line: Option<Arc<config::Line>>,
    /// Whether the line is a virtual one.
    pub is_virtual: bool,
    /// Speed that the belt shall have, um/s, where it is known.
    pub speed_um_s: Option<i64>,
    /// Folder of pictures of doubtful pearls, where they are kept.
    pub doubts: Option<PathBuf>,
    /// Share of high grades that is aimed at, where one is set.
    pub aim: Option<f64>,
}

/// The recipe in force.
#[derive(Clone, Debug)]
pub struct Book {
    /// Its file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The recipe; `None` for one that is built in.
    pub recipe: Option<Arc<config::Recipe>>,
    /// Its hash.
    pub hash: u64,
}

/// A recipe that an operator has put in force, on its way to the core.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its file.
    pub path: PathBuf,
    /// The recipe.
    pub recipe: Arc<config::Recipe>,
}

/// Something that happened, for the journal.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) at: HostUs,
    pub(super) kind: &'static str,
    pub(super) text: Text,
}

/// Pearls at one second.
#[derive(Clone, Debug)]
pub(super) struct Second {
    pub(super) at: HostUs,
    pub(super) entered: u64,
    pub(super) lanes: Vec<u64>,
}

/// Everything that is shared.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) operate: Operate,
    pub(super) figures: Figures,
    pub(super) links: Vec<LinkRow>,
    pub(super) decision_us: Histogram,
    pub(super) lead_us: Histogram,
    /// Wall time less host time, us.
    pub(super) wall_offset_us: i64,
    pub(super) now: HostUs,
    pub(super) seconds: VecDeque<Second>,
    pub(super) journal: VecDeque<Entry>,
    next_entry: u64,
    pub(super) ports: Vec<Option<PathBuf>>,
    pub(super) recent: VecDeque<Record>,
    pub(super) book: Option<Book>,
    pub(super) wish: Option<Wish>,
    pub(super) lot: Option<store::Lot>,
    pub(super) lot_counts: LotCounts,
    pub(super) store: Option<store::Handle>,
    /// Whether somebody has commanded at the page: from then on the program starts nothing by itself.
    pub(super) by_hand: bool,
}

/// Passes of the open lot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LotCounts {
    pub(super) binned: u64,
    pub(super) recirculated: u64,
    pub(super) lost: u64,
    pub(super) binned_ug: u64,
}

impl Inner {
    /// Wall time of a host time, ms of Unix time.
    pub(super) fn wall_ms(&self, at: HostUs) -> u64 {
        u64::try_from(at.0.saturating_add(self.wall_offset_us) / 1_000).unwrap_or(0)
    }

    /// Writes an entry into the journal.
    pub(super) fn tell(&mut self, at: HostUs, kind: &'static str, text: Text) {
        if let Some(store) = &self.store {
            store.event(store::Event {
                kind: kind.to_owned(),
                subject: String::new(),
                severity: store::Severity::Info,
                text: text.en.clone(),
                detail: serde_json::json!({ "zh": text.zh }).to_string(),
                host: Some(at),
                lot: self.lot.as_ref().map_or(0, |lot| lot.lot),
            });
        }
        if self.journal.len() >= JOURNAL {
            self.journal.pop_front();
        }
        self.journal.push_back(Entry {
            number: self.next_entry,
            at,
            kind,
            text,
        });
        self.next_entry += 1;
    }

    pub(super) fn keep(&mut self, record: &Record) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(*record);
    }

    pub(super) fn count_second(&mut self, at: HostUs, entered: u64) {
        let lanes = self.operate.health().lanes().iter().map(|lane| lane.done).collect();
        self.seconds.push_back(Second { at, entered, lanes });
        if self.seconds.len() > RATE_SECONDS + 1 {
            self.seconds.pop_front();
        }
    }

    /// Pearls a second of the whole line.
    pub(super) fn rate(&self) -> f64 {
        self.rate_of(|second| second.entered)
    }

    /// Pearls a second of a lane.
    pub(super) fn lane_rate(&self, lane: usize) -> f64 {
        self.rate_of(|second| second.lanes.get(lane).copied().unwrap_or(0))
    }

    fn rate_of(&self, count: impl Fn(&Second) -> u64) -> f64 {
        let (Some(first), Some(last)) = (self.seconds.front(), self.seconds.back()) else {
            return 0.0;
        };
        let us = last.at.since(first.at);
        if us <= 0 {
            return 0.0;
        }
        count(last).saturating_sub(count(first)) as f64 * 1e6 / us as f64
    }
}

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    inner: Arc<Mutex<Inner>>,
    fixed: Arc<Fixed>,
}

impl Desk {
    /// The desk of a line of which nothing has come yet.
    #[must_use]
    pub fn new(setup: Setup, fixed: Fixed, book: Option<Book>, store: Option<store::Handle>) -> Self {
        let now = rt::clock::now_us();
        let boards = setup.boards.len();
        let inner = Inner {
            operate: Operate::new(setup, now),
            figures: Figures::default(),
            links: Vec::new(),
            decision_us: Histogram::new(),
            lead_us: Histogram::new(),
            wall_offset_us: wall_us() - now.0,
            now,
            seconds: VecDeque::new(),
            journal: VecDeque::new(),
            next_entry: 1,
            ports: vec![None; boards],
            recent: VecDeque::new(),
            book,
            wish: None,
            lot: None,
            lot_counts: LotCounts::default(),
            store,
            by_hand: false,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            fixed: Arc::new(fixed),
        }
    }

    /// Looks or changes. Whoever panicked before has left numbers, not pointers: what is there is used.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fixed(&self) -> &Fixed {
        &self.fixed
    }
}

/// Microseconds of Unix time.
pub(super) fn wall_us() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
