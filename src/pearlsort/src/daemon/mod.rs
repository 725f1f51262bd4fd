//! The running line: starts the hot thread, and holds the cold ends of everything that passes between it and the rest.
//!
//! Cold. Used by `run` and by `demo` alike: what is demonstrated is what runs.

mod figures;
mod hot;
pub mod tell;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use devices::hot::{ColdEnd, HotLoop};
use devices::{HostLink, LinkCounters, LinkPlan};
use line::grade::Recipe;
use line::weigh::Model;
use line::{Command, Core, LinePlan, Record};
use rt::alloc::HotSection;
use rt::counter::{SnapshotReader, SnapshotWriter, snapshot};
use rt::histogram::{Histogram, Recorder, RecorderView};
use rt::published::{self, Publisher};
use rt::ring::{Consumer, Producer, ring};
use rt::thread::{CpuLatencyGuard, Grant, HotThread};
use tracing::{debug, warn};
use units::{HostUs, LaneId};

use figures::LinkFigure;
pub use figures::{Figure, Figures, LinkRow};
pub use hot::{Ask, News, Seen};

use crate::recording::HotTape;
use crate::topology::{self, Priority};

/// What a line is made of.
#[derive(Debug)]
pub struct Spec {
    /// The machine.
    pub plan: LinePlan,
    /// The recipe in force at the start.
    pub recipe: Arc<Recipe>,
    /// What each board must be; the order is that of the plan's boards.
    pub links: Vec<LinkPlan>,
    /// How the hot thread runs, where it is not as the topology has it.
    pub hot: Option<config::HotThread>,
    /// Whether processors are kept from sleeping while the line runs; only a measurement has a reason not to.
    pub hold_cpu_latency: bool,
}

/// Counts of one link when the line has ended.
#[derive(Clone, Copy, Debug)]
pub struct LinkEnd {
    /// The link's own counts.
    pub link: LinkCounters,
    /// Counts of its frames.
    pub wire: wire::Counters,
    /// Smoothed round trip, us.
    pub round_trip_us: Option<u32>,
}

/// What the hot thread leaves when it ends.
#[derive(Debug)]
pub struct HotEnd {
    /// Counts of each link.
    pub links: Vec<LinkEnd>,
    /// Messages dropped because the core sent too many in one round.
    pub dropped: u64,
    /// Events that found no room on their way into the recording.
    pub unrecorded: u64,
}

/// What not every line has.
#[derive(Default)]
struct Extras {
    tape: Option<HotTape>,
    views: Option<Consumer<Seen>>,
}

/// The end of a line into which the host's own eyes put their figures.
pub struct EyesEnd {
    /// Figures on their way to the core.
    pub views: Producer<Seen>,
    /// Ends the hot loop's wait.
    pub waker: rt::poll::Waker,
}

/// A running line.
pub struct Daemon {
    asks: Producer<Ask>,
    recipe: Publisher<Recipe>,
    records: Consumer<Record>,
    news: Consumer<(HostUs, News)>,
    figures: SnapshotReader<{ Figure::COUNT }>,
    links: SnapshotReader<{ LinkFigure::ALL }>,
    boards: usize,
    decision_us: RecorderView,
    lead_us: RecorderView,
    waker: rt::poll::Waker,
    thread: JoinHandle<HotEnd>,
    /// Rights that were asked for, and the answers.
    pub grants: Vec<Grant>,
    _cpu_latency: Option<CpuLatencyGuard>,
}

impl Daemon {
    /// Starts the hot thread over closed links. Ports are handed to the returned end as they are found.
    ///
    /// # Errors
    /// When the system gives no thread or descriptor.
    pub fn start(spec: Spec) -> io::Result<(Self, ColdEnd)> {
        Self::start_with(spec, Extras::default())
    }

    /// As [`Self::start`], with the host's own eyes: their figures go into the end that is returned.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_seeing(spec: Spec) -> io::Result<(Self, ColdEnd, EyesEnd)> {
        let (views, hot) = ring(topology::VIEWS.capacity);
        let extras = Extras {
            views: Some(hot),
            ..Extras::default()
        };
        let (daemon, cold) = Self::start_with(spec, extras)?;
        let waker = cold.waker()?;
        Ok((daemon, cold, EyesEnd { views, waker }))
    }

    /// As [`Self::start`], and every event that the core sees comes out of the ring that is returned, coded for a recording.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_recorded(spec: Spec) -> io::Result<(Self, ColdEnd, Consumer<u8>)> {
        let (hot, stream) = ring(topology::TAPE.capacity);
        let (daemon, cold) = Self::start_with(
            spec,
            Extras {
                tape: Some(HotTape::new(hot)),
                ..Extras::default()
            },
        )?;
        Ok((daemon, cold, stream))
    }

    fn start_with(spec: Spec, extras: Extras) -> io::Result<(Self, ColdEnd)> {
        let session = session_before();
        let links = spec
            .links
            .into_iter()
            .map(|plan| HostLink::new(plan, session))
            .collect();
        let (asks, hot_asks) = ring(topology::COMMANDS.capacity);
        let (hot_records, records) = ring(topology::RECORDS.capacity);
        let (hot_news, news) = ring(topology::NOTICES.capacity);
        let (hot_figures, figures) = snapshot();
        let (hot_links, links_view) = snapshot();
        let boards = spec.plan.boards.len();
        let (mut recipe, hot_recipe) = published::pair();
        recipe.publish(Arc::clone(&spec.recipe));
        let (decision_us, lead_us) = (Recorder::new(), Recorder::new());
        let views = (decision_us.view(), lead_us.view());
        let core = Core::new(spec.plan, spec.recipe);
        let ends = hot::HotEnds {
            asks: hot_asks,
            recipe: hot_recipe,
            views: extras.views,
            records: hot_records,
            news: hot_news,
            figures: hot_figures,
            decision_us,
            lead_us,
            tape: extras.tape,
        };
        let (hot_loop, cold) = HotLoop::new(hot::Sorter::new(core, ends), links)?;
        let mut grants = vec![rt::thread::lock_memory()];
        let held = spec.hold_cpu_latency.then(rt::thread::hold_cpu_latency);
        let cpu_latency = match held.transpose() {
            Ok(guard) => guard,
            Err(refused) => {
                grants.push(Err(refused));
                None
            }
        };
        let spawned = rt::thread::spawn(hot_thread(spec.hot), move || run(hot_loop, hot_links))?;
        grants.extend(spawned.grants);
        let daemon = Self {
            asks,
            recipe,
            records,
            news,
            figures,
            links: links_view,
            boards,
            decision_us: views.0,
            lead_us: views.1,
            waker: cold.waker()?,
            thread: spawned.handle,
            grants,
            _cpu_latency: cpu_latency,
        };
        Ok((daemon, cold))
    }

    /// Tells which rights this computer gave and which it refused.
    pub fn tell_rights(&self) {
        for grant in &self.grants {
            match grant {
                Ok(granted) => debug!("{}: {}", granted.what, granted.detail),
                Err(refused) => warn!("{refused}"),
            }
        }
    }

    /// Gives the core a command.
    ///
    /// # Errors
    /// [`rt::ring::Full`] when too many are waiting: the hot thread has not run for a while.
    pub fn command(&mut self, command: Command) -> Result<(), rt::ring::Full> {
        self.ask(Ask::Core(command))
    }

    /// Weighs a lane's streaming cell by a model from now on.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub fn weigh_by(&mut self, lane: LaneId, model: &Model) -> Result<(), rt::ring::Full> {
        self.ask(Ask::Model(lane, *model))
    }

    /// Puts a recipe in force for pearls that trigger from now on.
    pub fn publish(&mut self, recipe: Arc<Recipe>) {
        self.recipe.publish(recipe);
        self.waker.wake();
    }

    /// The next record.
    pub fn record(&mut self) -> Option<Record> {
        self.records.pop()
    }

    /// The next news.
    pub fn news(&mut self) -> Option<(HostUs, News)> {
        self.news.pop()
    }

    /// Records and news that were dropped because nobody fetched them.
    #[must_use]
    pub fn dropped(&self) -> (u64, u64) {
        (self.records.dropped(), self.news.dropped())
    }

    /// The counts as last published.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures::from_values(self.figures.read())
    }

    /// What each board's link has counted, as last published.
    #[must_use]
    pub fn links(&self) -> Vec<LinkRow> {
        let values = self.links.read();
        let rows = values.chunks_exact(LinkFigure::COUNT).take(self.boards);
        rows.map(LinkRow::read).collect()
    }

    /// Time from the last figure needed to the order inside the program, us.
    #[must_use]
    pub fn decision_us(&self) -> Histogram {
        self.decision_us.read()
    }

    /// Lead of orders when they left the core, us.
    #[must_use]
    pub fn lead_us(&self) -> Histogram {
        self.lead_us.read()
    }

    /// Whether the hot thread has ended by itself, which only a fault can cause.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the hot thread. Boards that are still armed close by their watchdog.
    ///
    /// # Errors
    /// When the hot thread had panicked.
    pub fn end(mut self) -> Result<HotEnd, HotPanic> {
        while self.ask(Ask::Quit).is_err() && !self.thread.is_finished() {
            std::thread::yield_now();
        }
        let figures = self.figures;
        let mut end = self.thread.join().map_err(|_| HotPanic)?;
        end.unrecorded = Figures::from_values(figures.read()).get(Figure::Unrecorded);
        Ok(end)
    }

    fn ask(&mut self, ask: Ask) -> Result<(), rt::ring::Full> {
        self.asks.push(ask)?;
        self.waker.wake();
        Ok(())
    }
}

/// The hot thread died of a fault in pearlsort; the boards' watchdogs have closed every valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hot thread has died: a fault in pearlsort. The boards have closed every valve by their watchdogs")]
pub struct HotPanic;

fn hot_thread(chosen: Option<config::HotThread>) -> HotThread {
    let usual = match topology::HOT.priority {
        Priority::Fifo(level) => Some(level),
        Priority::Ordinary => None,
    };
    HotThread {
        name: topology::HOT.name.to_owned(),
        priority: chosen.map_or(usual, |hot| Some(hot.priority)),
        core: chosen
            .and_then(|hot| hot.core)
            .map_or_else(|| topology::HOT.core.number(), |core| Some(core.into())),
    }
}

fn run(mut hot_loop: HotLoop<hot::Sorter>, mut links: SnapshotWriter<{ LinkFigure::ALL }>) -> HotEnd {
    {
        // From here on everything that this thread allocates is counted: it must be nothing.
        let _hot = HotSection::enter();
        let mut published = 0;
        while hot_loop.round(devices::limits::LONGEST_WAIT_US) == devices::hot::Flow::Go {
            let snapshots = hot_loop.handler().snapshots();
            if snapshots != published {
                published = snapshots;
                publish_links(&mut hot_loop, &mut links);
            }
        }
    }
    let links = hot_loop.links().map(|link| LinkEnd {
        link: *link.counters(),
        wire: *link.wire_counters(),
        round_trip_us: link.round_trip_us(),
    });
    HotEnd {
        links: links.collect(),
        dropped: hot_loop.dropped(),
        unrecorded: 0,
    }
}

/// Publishes the links' counts, as often as the core's.
fn publish_links(hot_loop: &mut HotLoop<hot::Sorter>, view: &mut SnapshotWriter<{ LinkFigure::ALL }>) {
    let mut values = [0; LinkFigure::ALL];
    let mut rows = [LinkRow::default(); line::limits::BOARDS];
    for (row, link) in rows.iter_mut().zip(hot_loop.links()) {
        let wire = link.wire_counters();
        *row = LinkRow {
            frames_sent: wire.frames_sent,
            repeats: wire.repeats,
            frames_received: wire.frames_received,
            crc: wire.crc,
            damaged: wire.damaged(),
            sessions: link.counters().sessions,
            round_trip_us: link.round_trip_us(),
            clock_fit_us: None,
        };
    }
    let core = hot_loop.handler().core();
    for ((n, row), place) in (0_u8..).zip(&mut rows).zip(values.chunks_exact_mut(LinkFigure::COUNT)) {
        row.clock_fit_us = core.clock_fit_us(units::BoardId(n));
        row.write(place);
    }
    view.write(&values);
}

/// A session number that differs between runs of the program: a board must not take the new one for the old one.
fn session_before() -> u16 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let mixed = since.subsec_nanos() ^ std::process::id();
    u16::try_from(mixed % u32::from(u16::MAX)).unwrap_or(0)
}
