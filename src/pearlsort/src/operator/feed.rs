//! What the attending thread does at the desk: brings what the line tells, and takes the commands for the core away.
//!
//! Cold, the thread that attends the line; it never waits here but for the desk's lock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use devices::DownReason;
use line::{Destination, Landing, Notice, Record};
use operate::{Command, Fault, Glance, LinkFigures, LinkTrouble, Observation, Refusal, Request, State, StoreFigures};
use rt::watch::Stall;
use units::{BoardId, HostUs, TicksPerMetre};

use super::desk::{Desk, Inner, LotCounts, Wish, wall_us};
use super::words;
use crate::daemon::{Daemon, Figure, Figures, News};

/// Time between two observations.
const OBSERVE: Duration = Duration::from_secs(1);
/// Who acts when the program does, for the history.
const PROGRAM: &str = "pearlsort";

/// What the program itself wants of the line, as an operator would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Nothing: people decide.
    None,
    /// Reset and start once, as soon as everything is there.
    StartOnce,
    /// Keep it sorting: put right what an operator would put right by pressing buttons.
    KeepSorting,
    /// Bring it to rest.
    Stop,
}

/// See the module.
#[derive(Debug)]
pub struct Attendant {
    desk: Desk,
    per_metre: TicksPerMetre,
    observed: Instant,
    stall_us: Option<i64>,
    told: (State, u64),
    unkept: u64,
    goal: Goal,
    /// The goal is tried again so much later.
    next_try: Instant,
}

impl Attendant {
    /// An attendant at a desk.
    #[must_use]
    pub fn new(desk: Desk, goal: Goal) -> Self {
        let per_metre = desk.fixed().plan.ticks_per_metre;
        Self {
            desk,
            per_metre,
            observed: Instant::now(),
            stall_us: None,
            told: (State::Undefined, 0),
            unkept: 0,
            goal,
            next_try: Instant::now(),
        }
    }

    /// The desk.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Changes what the program wants.
    pub fn set_goal(&mut self, goal: Goal) {
        if self.goal != goal {
            self.goal = goal;
            self.next_try = Instant::now();
        }
    }

    /// The machine's state.
    #[must_use]
    pub fn state(&self) -> State {
        self.desk.with(|inner| inner.operate.state())
    }

    /// A pearl's story is complete.
    pub fn record(&mut self, record: &Record) {
        self.desk.with(|inner| {
            inner.operate.record(record);
            inner.keep(record);
            if let Some(store) = &inner.store {
                store.record(record, None);
            }
            if inner.lot.as_ref().is_some_and(|lot| lot.lot == record.lot) {
                count(&mut inner.lot_counts, record);
            }
        });
    }

    /// Something happened.
    pub fn news(&mut self, at: HostUs, news: &News) {
        self.desk.with(|inner| match news {
            News::Core(notice) => {
                inner.operate.notice(at, notice);
                if let Some((kind, text)) = words::of_notice(notice, inner.operate.setup()) {
                    inner.tell(at, kind, text);
                }
            }
            News::Refused(board, refusal) => {
                inner.operate.link(at, *board, LinkTrouble::Refused);
                let text = words::of_refusal(*board, refusal, inner.operate.setup());
                inner.tell(at, "board.refused", text);
            }
            News::Down(board, reason) => {
                let trouble = match reason {
                    DownReason::Port => LinkTrouble::Port,
                    DownReason::Silence => LinkTrouble::Silence,
                    DownReason::Watchdog => LinkTrouble::Watchdog,
                    DownReason::Refused(_) => LinkTrouble::Refused,
                };
                inner.operate.link(at, *board, trouble);
                let text = words::of_trouble(*board, trouble, inner.operate.setup());
                inner.tell(at, "board.down", text);
            }
        });
    }

    /// A board's port was found or lost.
    pub fn port(&mut self, board: BoardId, path: Option<PathBuf>) {
        self.desk.with(|inner| {
            if let Some(port) = inner.ports.get_mut(board.index()) {
                *port = path;
            }
        });
    }

    /// The computer stood still.
    pub fn stall(&mut self, stall: &Stall) {
        self.stall_us = Some(self.stall_us.unwrap_or(0).max(stall.length_us()));
    }

    /// Somebody watches for stalls, and there was none so far.
    pub fn watched(&mut self) {
        self.stall_us.get_or_insert(0);
    }

    /// A saved recipe was checked.
    pub fn recipe_checked(&mut self, is_faulty: bool) {
        let now = rt::clock::now_us();
        self.desk.with(|inner| inner.operate.recipe_checked(now, is_faulty));
    }

    /// A recipe that an operator has put in force at the page, if there is one.
    pub fn wish(&mut self) -> Option<Wish> {
        self.desk.with(|inner| inner.wish.take())
    }

    /// A recipe is in force.
    pub fn recipe(&mut self, book: super::Book) {
        let now = rt::clock::now_us();
        self.desk.with(|inner| {
            let name = format!("{} ({:016x})", book.path.display(), book.hash);
            inner.tell(
                now,
                "recipe",
                operate::words::event("recipe").filled(&[("recipe", &name)]),
            );
            inner.book = Some(book);
        });
    }

    /// Looks at the line, and hands the core what is asked of it.
    pub fn look(&mut self, daemon: &mut Daemon) {
        let now = rt::clock::now_us();
        let figures = daemon.figures();
        let glance = glance(&figures, self.per_metre);
        let observation = (self.observed.elapsed() >= OBSERVE).then(|| self.observe(&figures, daemon));
        let ended = daemon.has_ended();
        self.desk.with(|inner| {
            inner.now = now;
            inner.figures = figures;
            inner.wall_offset_us = wall_us() - now.0;
            inner.operate.look(now, glance);
            if ended {
                inner.operate.hot_ended(now);
            }
            if let Some(mut seen) = observation {
                if let Some(store) = &inner.store {
                    let health = store.health();
                    seen.set(Fault::StoreDropped, health.dropped.records + health.dropped.events);
                    seen.store = Some(store_figures(&health));
                }
                inner.operate.observe(now, &seen);
                inner.count_second(now, glance.entered);
                inner.links = daemon.links();
                inner.decision_us = daemon.decision_us();
                inner.lead_us = daemon.lead_us();
            }
            inner.operate.give(|command| daemon.command(command).is_ok());
        });
        self.pursue(now);
        self.tell_changes(now);
    }

    fn observe(&mut self, figures: &Figures, daemon: &Daemon) -> Observation {
        self.observed = Instant::now();
        let (records, news) = daemon.dropped();
        let mut seen = Observation {
            links: daemon.links().iter().map(link_figures).collect(),
            entered: figures.get(Figure::Entered),
            stall_us: self.stall_us.as_mut().map(std::mem::take),
            ..Observation::default()
        };
        for (fault, figure) in FAULTS {
            seen.set(fault, figures.get(figure));
        }
        seen.set(Fault::RecordsDropped, records);
        seen.set(Fault::NewsDropped, news);
        let more = records - self.unkept;
        if more > 0 {
            self.unkept = records;
            self.desk.with(|inner| {
                let lot = inner.lot.as_ref().map_or(0, |lot| lot.lot);
                if let Some(store) = &inner.store {
                    store.unkept(lot, more);
                }
            });
        }
        seen
    }

    /// Does what an operator would do to reach the goal; a refusal is tried again later.
    fn pursue(&mut self, now: HostUs) {
        if self.goal == Goal::None || Instant::now() < self.next_try {
            return;
        }
        let goal = self.goal;
        let (asked, state) = self
            .desk
            .with(|inner| (ask_for(inner, now, goal), inner.operate.state()));
        match asked {
            None => {}
            Some(Ok(())) if goal == Goal::StartOnce && state == State::Starting => self.goal = Goal::None,
            Some(Ok(())) => self.next_try = Instant::now() + Duration::from_millis(100),
            Some(Err(_)) => self.next_try = Instant::now() + OBSERVE,
        }
    }

    /// States and alarms into journal and store.
    fn tell_changes(&mut self, now: HostUs) {
        let told = self.told;
        self.told = self.desk.with(|inner| {
            let state = inner.operate.state();
            if state != told.0 {
                let name = operate::words::state(state).to_text();
                inner.tell(
                    now,
                    "state",
                    operate::words::event("state").to_text().fill("state", &name),
                );
                if let Some(reason) = inner.operate.reason() {
                    let why = reason.why.text(inner.operate.setup());
                    inner.tell(
                        now,
                        "reason",
                        operate::words::event("reason").to_text().fill("reason", &why),
                    );
                }
            }
            let entries: Vec<_> = inner.operate.alarm_history(told.1).cloned().collect();
            for entry in &entries {
                if let Some((kind, text)) = words::of_alarm(entry, inner.operate.setup()) {
                    inner.tell(entry.at, kind, text);
                }
            }
            (state, inner.operate.alarms().version())
        });
    }
}

/// The next step towards a goal, asked for.
fn ask_for(inner: &mut Inner, now: HostUs, goal: Goal) -> Option<Result<(), Refusal>> {
    if inner.by_hand && goal != Goal::Stop {
        return None;
    }
    let command = match (goal, inner.operate.state()) {
        (Goal::Stop, state) => state.on(Command::Stop).map(|_| Command::Stop)?,
        (Goal::StartOnce | Goal::KeepSorting, State::Stopped | State::Complete) => Command::Reset,
        (Goal::StartOnce | Goal::KeepSorting, State::Idle) => Command::Start,
        (Goal::KeepSorting, State::Aborted) => Command::Clear,
        (Goal::KeepSorting, State::Suspended) => Command::Unsuspend,
        (Goal::KeepSorting, State::Held) => Command::Unhold,
        _ => return None,
    };
    if goal == Goal::KeepSorting {
        for bin in 0..inner.operate.bins().len() {
            if inner.operate.bins()[bin].is_quarantined {
                let bin = units::BinId(u8::try_from(bin).unwrap_or(u8::MAX));
                let _refused = inner.operate.request(now, &Request::EndQuarantine(bin), PROGRAM);
            }
        }
        let waited = now.since(inner.operate.since());
        if waited < 1_000_000 && command != Command::Reset && command != Command::Start {
            return None;
        }
    }
    Some(inner.operate.request(now, &Request::Command(command), PROGRAM))
}

const FAULTS: [(Fault, Figure); 14] = [
    (Fault::Late, Figure::Late),
    (Fault::Lost, Figure::Lost),
    (Fault::Intruders, Figure::Intruders),
    (Fault::Missing, Figure::Missing),
    (Fault::Gaps, Figure::Gaps),
    (Fault::Doubled, Figure::Doubled),
    (Fault::Misplaced, Figure::Misplaced),
    (Fault::LeftOver, Figure::LeftOver),
    (Fault::Gone, Figure::Gone),
    (Fault::Unanswered, Figure::Unanswered),
    (Fault::Unknown, Figure::Unknown),
    (Fault::Unmatched, Figure::Unmatched),
    (Fault::Unsent, Figure::Unsent),
    (Fault::Unrecorded, Figure::Unrecorded),
];

// The three others are counted on this side of the rings.
const _: () = assert!(FAULTS.len() + 3 == Fault::COUNT);

fn glance(figures: &Figures, per_metre: TicksPerMetre) -> Glance {
    let ticks_s = i64::try_from(figures.get(Figure::Speed)).unwrap_or(0);
    Glance {
        line: figures.state(),
        in_flight: figures.get(Figure::InFlight),
        entered: figures.get(Figure::Entered),
        takes_pearls: figures.get(Figure::TakesPearls) != 0,
        boards_up: figures.get(Figure::BoardsUp),
        signals_known: figures.get(Figure::SignalsKnown),
        signals_good: figures.get(Figure::SignalsGood),
        speed_um_s: i64::from(per_metre.length(ticks_s).0),
    }
}

fn link_figures(row: &crate::daemon::LinkRow) -> LinkFigures {
    LinkFigures {
        frames_sent: row.frames_sent,
        repeats: row.repeats,
        frames_received: row.frames_received,
        damaged: row.damaged,
        round_trip_us: row.round_trip_us,
        clock_fit_us: row.clock_fit_us,
    }
}

fn store_figures(health: &store::Health) -> StoreFigures {
    StoreFigures {
        is_failing: health.failing_us > 0,
        waiting: health.waiting_records as u64,
        room: store::limits::WAITING_RECORDS as u64,
        free_bytes: health.disk_free_bytes,
    }
}

fn count(counts: &mut LotCounts, record: &Record) {
    let mass_ug = record.mass.map_or(0, |mass| u64::try_from(mass.mass.0).unwrap_or(0));
    match (record.sent, record.landing) {
        (_, Landing::Lost) => counts.lost += 1,
        (_, Landing::Bin(_)) | (Destination::Bin(_), Landing::Seen | Landing::NoEye) => {
            counts.binned += 1;
            counts.binned_ug += mass_ug;
        }
        _ => counts.recirculated += 1,
    }
}

/// Whether a notice is one that the journal lacks without harm, because it is counted.
pub(super) const fn is_counted(notice: &Notice) -> bool {
    matches!(notice, Notice::Intruder(_) | Notice::Missing(..) | Notice::Gap(..))
}

/// A recipe as the desk has it.
#[must_use]
pub fn book(path: PathBuf, recipe: &Arc<config::Recipe>) -> super::Book {
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    super::Book {
        path,
        text,
        hash: recipe.compiled.hash(),
        recipe: Some(Arc::clone(recipe)),
    }
}
