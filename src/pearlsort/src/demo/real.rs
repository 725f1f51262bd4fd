//! The demo in real time: boards behind pseudo-terminals, sorted by the very daemon that `run` runs.
//!
//! Cold; the judge sits here and hears both sides: what happened, from the virtual line's thread, and what was said, from
//! the hot thread.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use devices::hot::ColdEnd;
use devices::ports::Candidates;
use indicatif::ProgressBar;
use inspect::Doubts;
use line::{Destination, Landing, LinePlan, LineState, Record};
use rt::ring::Consumer;
use rt::watch::{Stall, Watch};
use sim::draw::{DrawnCamera, Picture};
use sim::nature::Nature;
use sim::platform::models;
use sim::real_time::{RealJudge, RealLine};
use sim::summary::{DecisionUs, Looking};
use sim::world::WorldOptions;
use units::{BoardId, HostUs};
use vision::Limits;

use super::{Conclusion, USUAL_SECONDS, conclude, expected_pearls, progress, side};
use crate::attend::{Attend, Visitor, attend};
use crate::cli::DemoArgs;
use crate::daemon::{Daemon, Figure, News, Spec};
use crate::exit::{Exit, Failure};
use crate::eyes::doubts::{Copies, DoubtKeeper};
use crate::eyes::{Eyes, EyesSpec};
use crate::operator::Attendant;
use crate::topology::{self, STALL_US};
use crate::virtual_machine::{self, BAUD, LINE_PRIORITY, link_plans, places, um_s};

/// The boards must be found and the line must run within this.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// After the last pearl the core gets so long to close its records.
const DRAIN: Duration = Duration::from_secs(5);
/// After that the boards' last messages get so long to arrive.
const SETTLE: Duration = Duration::from_millis(300);
/// Bytes of pictures of doubt.
const DOUBT_BYTES: u64 = 64_000_000;
/// Stalls that are kept to be told at the end.
const STALLS: usize = 64;

/// Runs the demo in real time.
pub(super) fn in_real_time(arguments: &DemoArgs) -> Result<ExitCode> {
    let args = &arguments.line;
    let machine = virtual_machine::machine(args);
    let speed_um_s = um_s(args.speed);
    let options = WorldOptions {
        seed: args.seed,
        rate: args.rate,
        um_s: f64::from(speed_um_s),
        nature: Nature::default(),
        faults: sim::faults::FaultPlan::none(),
        most_pearls: arguments.pearls.unwrap_or(u64::MAX),
    };
    let (line, pictures) = if arguments.frames {
        let (line, pictures) = RealLine::start_seen(&machine, options, BAUD, Some(LINE_PRIORITY))?;
        (line, Some(pictures))
    } else {
        (RealLine::start(&machine, options, BAUD, Some(LINE_PRIORITY))?, None)
    };
    let places = places(&machine, line.ports());
    let watch = rt::watch::start(topology::watch_for()).context("the watcher of the host can't be started")?;
    let recipe = Arc::new(machine.recipe());
    let (attendant, side) = side::open(arguments, &machine, recipe.hash())?;
    let spec = Spec {
        plan: machine.plan.clone(),
        recipe,
        links: link_plans(&machine),
        hot: None,
        hold_cpu_latency: true,
    };
    let patience_us = i64::from(machine.plan.tolerances.measure_us);
    let calibration = sim::draw::calibration();
    let (doubts, copies) = doubt_keeper(arguments, calibration.size_px)?.unzip();
    let (mut daemon, cold, eyes) = start(spec, pictures, patience_us, copies)?;
    daemon.tell_rights();
    for (lane, model) in models(&machine.plan, &Nature::default(), args.seed, f64::from(speed_um_s)) {
        daemon
            .weigh_by(lane, &model)
            .context("a weigh cell's model was not taken")?;
    }
    let seconds = arguments
        .seconds
        .or(arguments.pearls.is_none().then_some(USUAL_SECONDS));
    let expected = arguments
        .pearls
        .unwrap_or_else(|| expected_pearls(args.lanes, args.rate, seconds.unwrap_or(0)));
    let mut referee = Referee {
        judge: RealJudge::new(&machine, &line, f64::from(speed_um_s)),
        line,
        eyes,
        doubts,
        plan: machine.plan.clone(),
        attendant,
        watch,
        bar: progress(arguments.headless, expected)?,
        began: Instant::now(),
        running_since: None,
        length: seconds.map(Duration::from_secs),
        done_since: None,
        bins: vec![0; usize::from(machine.plan.bins)],
        stalls: Vec::new(),
        never_ready: false,
    };
    attend(&mut daemon, cold, &places, Candidates::new([]), &mut referee)?;
    side.end(&referee.attendant);
    finish(arguments, daemon, referee)
}

/// Starts the line's daemon, with eyes of its own where the cameras send pictures.
fn start(
    spec: Spec,
    pictures: Option<Consumer<Picture>>,
    patience_us: i64,
    copies: Option<Copies>,
) -> Result<(Daemon, ColdEnd, Option<Eyes>)> {
    let hot = "the hot thread could not be started";
    let Some(pictures) = pictures else {
        let (daemon, cold) = Daemon::start(spec).context(hot)?;
        return Ok((daemon, cold, None));
    };
    let (daemon, cold, core) = Daemon::start_seeing(spec).context(hot)?;
    let spec = EyesSpec {
        calibration: sim::draw::calibration(),
        limits: Limits::default(),
        patience_us,
    };
    let camera = Box::new(DrawnCamera::new(pictures));
    let eyes = Eyes::start(&spec, camera, core, copies).context("the eyes could not be started")?;
    Ok((daemon, cold, Some(eyes)))
}

/// Ends both sides, adds their figures up, and judges.
fn finish(arguments: &DemoArgs, daemon: Daemon, mut referee: Referee) -> Result<ExitCode> {
    referee.bar.finish_and_clear();
    if referee.never_ready {
        return Err(Failure::new(Exit::Unavailable, "the virtual line's boards were not ready in time").into());
    }
    let figures = daemon.figures();
    let (records_dropped, _) = daemon.dropped();
    let hot_end = daemon.end()?;
    referee.judge.gather(&referee.line);
    let line_stall_us = referee.line.longest_stall_us();
    let zero = referee.line.zero();
    referee.line.stop();
    let (mut summary, mut details) = referee.judge.finish(hot_end.links.iter().map(|link| &link.wire));
    summary.seed = arguments.line.seed;
    summary.late = figures.get(Figure::Late);
    summary.cancelled = figures.get(Figure::Cancelled);
    let allocations = rt::alloc::hot_allocations();
    summary.hot_allocations = allocations.allocations + allocations.frees;
    summary.looking = referee.eyes.map(looking);
    for stall in &referee.stalls {
        let at_s = stall.from.since(zero) as f64 * 1e-6;
        eprintln!(
            "pearlsort demo: this computer stood still for {} ms at {at_s:.1} s",
            stall.length_us() / 1000
        );
    }
    if line_stall_us > u64::from(STALL_US) {
        eprintln!(
            "pearlsort demo: the virtual line's own thread was kept waiting for up to {} ms",
            line_stall_us / 1000
        );
    }
    if records_dropped > 0 {
        details.push(format!(
            "{records_dropped} records were dropped: this computer is too slow for the judge"
        ));
    }
    conclude(
        arguments,
        &Conclusion {
            summary,
            bins: referee.bins,
            details,
        },
    )
}

/// What keeps the pictures of recirculated pearls, where that is wished, and the eyes' end of it.
fn doubt_keeper(arguments: &DemoArgs, size_px: (usize, usize)) -> Result<Option<(DoubtKeeper, Copies)>> {
    let Some(folder) = &arguments.doubts else {
        return Ok(None);
    };
    let doubts = Doubts::open(folder, DOUBT_BYTES).context("pictures of doubt can't be kept")?;
    Ok(Some(DoubtKeeper::new(doubts, size_px)))
}

/// Ends the eyes; what they have done.
fn looking(eyes: Eyes) -> Looking {
    let counts = eyes.counts();
    let flash_to_figures_us = DecisionUs::of(&eyes.flash_to_figures_us());
    eyes.end();
    Looking {
        measured: counts.measured,
        refused: counts.refused,
        late: counts.late,
        dropped: counts.dropped,
        flash_to_figures_us,
    }
}

/// Watches both sides, plays the operator, and counts for the table.
struct Referee {
    judge: RealJudge,
    line: RealLine,
    eyes: Option<Eyes>,
    doubts: Option<DoubtKeeper>,
    plan: LinePlan,
    attendant: Attendant,
    watch: Watch,
    bar: ProgressBar,
    began: Instant,
    running_since: Option<Instant>,
    /// How long pearls are laid.
    length: Option<Duration>,
    done_since: Option<Instant>,
    bins: Vec<u64>,
    stalls: Vec<Stall>,
    never_ready: bool,
}

impl Referee {
    fn is_over(&mut self, in_flight: u64) -> bool {
        if self.running_since.is_none() && self.began.elapsed() > READY_WITHIN {
            self.never_ready = true;
            return true;
        }
        let Some(done) = self.done_since else { return false };
        let closed = in_flight == 0 && self.judge.open_cases() == 0;
        closed && done.elapsed() > SETTLE || done.elapsed() > DRAIN
    }
}

impl Visitor for Referee {
    fn before(&mut self) {
        while let Some(seen) = self.eyes.as_mut().and_then(Eyes::seen) {
            self.line.seen(seen.board, &seen.measurement);
        }
        self.judge.gather(&self.line);
    }

    fn record(&mut self, record: &Record) {
        if let (Destination::Bin(bin), Landing::Seen | Landing::NoEye) = (record.sent, record.landing)
            && let Some(count) = self.bins.get_mut(bin.index())
        {
            *count += 1;
        }
        self.judge.record(record);
        self.attendant.record(record);
        if let Some(doubts) = &mut self.doubts {
            doubts.record(&self.plan, record, rt::clock::now_us());
        }
    }

    fn news(&mut self, at: HostUs, news: &News, _daemon: &mut Daemon) {
        self.attendant.news(at, news);
        if let News::Core(notice) = news {
            self.judge.notice(at, notice);
        }
    }

    fn port(&mut self, board: BoardId, path: Option<PathBuf>) {
        self.attendant.port(board, path);
    }

    fn interrupted(&mut self) {
        self.length = Some(Duration::ZERO);
    }

    fn look(&mut self, daemon: &mut Daemon) -> Attend {
        self.bar.set_position(self.line.fed());
        if self.line.is_done() {
            self.done_since.get_or_insert_with(Instant::now);
        }
        self.attendant.watched();
        for stall in self.watch.stalls() {
            self.attendant.stall(&stall);
            if self.stalls.len() < STALLS {
                self.stalls.push(stall);
            }
        }
        let figures = daemon.figures();
        self.bar.set_message(format!(
            "{} binned, {} recirculated, {} late",
            figures.get(Figure::Binned),
            figures.get(Figure::Recirculated),
            figures.get(Figure::Late)
        ));
        self.attendant.look(daemon);
        if figures.state() == LineState::Running {
            self.running_since.get_or_insert_with(Instant::now);
        }
        let fed_enough = self
            .running_since
            .zip(self.length)
            .is_some_and(|(since, length)| since.elapsed() >= length);
        if fed_enough && self.done_since.is_none() {
            self.line.stop_feeding();
        }
        if self.is_over(figures.get(Figure::InFlight)) {
            Attend::Enough
        } else {
            Attend::On
        }
    }
}
