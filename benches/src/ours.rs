//! pearlsort itself: the daemon as `run` and `demo` start it, over one link, with the core whole: CRC, numbering,
//! acknowledgement and repetition in both directions, tracking, grading, neighbours, scheduling, accounts, records.
//!
//! The hot thread is the daemon's. A cold thread (`cold-side`) starts the line and takes records and news from the rings,
//! as the program's does; it counts what became of the pearls, and the far end asks it at the end. Left out is what comes
//! before the first pearl: the search for the board's port.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle, sleep},
    time::Duration,
};

use devices::hot::{ColdEnd, OpenedPort};
use line::{Command, Destination, Landing, Notice, Record};
use pearlsort::daemon::{Daemon, Figure, HotEnd, News, Spec};
use rt::{
    alloc::{HotAllocations, hot_allocations},
    poll::set_nonblocking,
};
use units::BoardId;

use crate::{
    belt::{Belt, link_plan, recipe},
    bus_far_end::BusFarEnd,
    contender::{Conditions, Contender, FarEnd, Trouble},
    far_end::Running,
    floor::open_claimed_pty,
};

/// Time between two looks of the cold thread at the rings, as in the program.
const LOOK: Duration = Duration::from_millis(20);
/// The same in the closed loop: the rings' capacity lasts for it at a million pearls a second.
const LOOK_FAST: Duration = Duration::from_millis(2);
/// Fastest loop that the records' ring is to last for, pearls a second.
const FASTEST: u128 = 1_000_000;

const _: () = assert!(
    FASTEST * LOOK_FAST.as_millis() / 1000 < pearlsort::topology::RECORDS.capacity as u128,
    "no record is dropped between two looks that come in time"
);

/// The daemon.
pub struct Pearlsort;

impl Contender for Pearlsort {
    fn name(&self) -> &str {
        "pearlsort"
    }

    fn what(&self) -> &str {
        "the daemon as it ships: one hot thread over the field bus with CRC, repetition, tracking, grading and scheduling; \
         records taken by a cold thread"
    }

    fn start(&self, conditions: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        let failed = |what| move |source| Trouble::Failed { what, source };
        let (pty, host) = open_claimed_pty()?;
        set_nonblocking(&host).map_err(failed("port"))?;
        let before = hot_allocations();
        let spec = Spec {
            plan: conditions.belt.plan(),
            recipe: recipe(),
            links: vec![link_plan()],
            hot: None,
            hold_cpu_latency: conditions.hold_cpu_latency,
        };
        let (daemon, mut cold) = Daemon::start(spec).map_err(failed("daemon"))?;
        let port = OpenedPort {
            board: BoardId(0),
            descriptor: host,
        };
        if cold.hand_over(port).is_err() {
            return Err(Trouble::Closed);
        }
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let look = if conditions.belt == Belt::FAST { LOOK_FAST } else { LOOK };
        let body = move || attend(daemon, &cold, &theirs, look);
        let thread = Builder::new()
            .name("cold-side".into())
            .spawn(body)
            .map_err(failed("cold side"))?;
        let attended = Attended {
            shared,
            thread: Some(thread),
            before,
        };
        Ok(Box::new(BusFarEnd::new(pty, conditions.belt, Box::new(attended))?))
    }
}

/// What the cold thread tells the far end, and the other way round.
#[derive(Debug, Default)]
struct Shared {
    running: AtomicBool,
    stop: AtomicBool,
    seen: Mutex<Seen>,
}

/// What the cold thread saw.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Records of pearls in the bin that they had earned.
    binned: u64,
    /// Records that the ring had no room for.
    dropped: u64,
    /// Pearls in bins by the core's own accounts.
    accounted: u64,
    /// Pearls elsewhere, by cause.
    elsewhere: BTreeMap<String, u64>,
    /// News that tell of trouble.
    news: Vec<String>,
}

impl Seen {
    fn record(&mut self, record: &Record) {
        match (record.sent, record.landing) {
            (Destination::Bin(bin), Landing::NoEye) if record.earned == Some(bin) => self.binned += 1,
            (Destination::Tray(cause), _) => *self.elsewhere.entry(cause.name().to_owned()).or_default() += 1,
            (_, landing) => *self.elsewhere.entry(format!("{landing:?}")).or_default() += 1,
        }
    }
}

/// The cold thread: starts the line when its board is up, takes records and news until it is told to stop.
fn attend(mut daemon: Daemon, _cold: &ColdEnd, shared: &Shared, every: Duration) {
    while !shared.stop.load(Ordering::Relaxed) && !daemon.has_ended() {
        look(&mut daemon, shared);
        sleep(every);
    }
    look(&mut daemon, shared);
    let (records, news) = daemon.dropped();
    let accounted = daemon.figures().get(Figure::Binned);
    let mut told = Vec::new();
    if news > 0 {
        told.push(format!("{news} news were dropped"));
    }
    match daemon.end() {
        Ok(HotEnd { dropped: 0, .. }) => {}
        Ok(HotEnd { dropped, .. }) => told.push(format!("{dropped} messages were dropped")),
        Err(panic) => told.push(panic.to_string()),
    }
    seen(shared, |seen| {
        seen.news.append(&mut told);
        (seen.dropped, seen.accounted) = (records, accounted);
    });
}

fn seen<T>(shared: &Shared, with: impl FnOnce(&mut Seen) -> T) -> T {
    with(&mut shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
}

fn look(daemon: &mut Daemon, shared: &Shared) {
    while let Some((_, news)) = daemon.news() {
        match news {
            News::Core(Notice::BoardUp(_)) => {
                // Refused only when dozens wait, and this is the first.
                let _ = daemon.command(Command::Start);
            }
            News::Core(Notice::Running) => shared.running.store(true, Ordering::Relaxed),
            News::Core(Notice::Aligned) => {}
            other => seen(shared, |seen| seen.news.push(format!("{other:?}"))),
        }
    }
    seen(shared, |seen| {
        while let Some(record) = daemon.record() {
            seen.record(&record);
        }
    });
}

/// The daemon and its cold thread, as the far end knows them.
struct Attended {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    before: HotAllocations,
}

impl Running for Attended {
    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has said so.
            let _ = thread.join();
        }
    }

    fn is_ready(&self) -> bool {
        self.shared.running.load(Ordering::Relaxed)
    }

    fn verdict(&mut self, pearls: u64) -> Result<Option<String>, String> {
        self.end();
        let seen = seen(&self.shared, |seen| seen.clone());
        let now = hot_allocations();
        let allocations = now.allocations + now.frees - self.before.allocations - self.before.frees;
        let on_record = seen.binned + seen.dropped;
        let all_binned = on_record == pearls && seen.accounted == pearls && seen.elsewhere.is_empty();
        if !all_binned || !seen.news.is_empty() || allocations > 0 {
            return Err(format!(
                "of {pearls} pearls {} were binned by the accounts, {} on record and {} records were dropped; elsewhere {:?}; \
                 {allocations} allocations of the hot thread; news {:?}",
                seen.accounted,
                seen.binned,
                seen.dropped,
                seen.elsewhere,
                &seen.news[..seen.news.len().min(4)]
            ));
        }
        Ok((seen.dropped > 0).then(|| {
            "other work kept the cold thread from running, and the ring dropped records, counted; orders and accounts are \
             whole"
                .to_owned()
        }))
    }
}
