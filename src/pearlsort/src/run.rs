//! `pearlsort run`: the line that a file describes, until it is told to stop. Cold.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use config::Line;
use devices::faults::relay::Relay;
use devices::faults::{LinkFaults, Spec as FaultSpec};
use devices::hot::ColdEnd;
use devices::ports::Candidates;
use devices::{LinkPlan, Needs};
use line::{Command, LineState, Record};
use rt::watch::Watch;
use tape::Machine;
use tracing::{info, warn};
use units::{BoardId, HostUs};

use crate::attend::{Attend, Place, Visitor, attend, place};
use crate::cells;
use crate::cli::RunArgs;
use crate::daemon::{Daemon, Figure, Figures, HotEnd, News, Spec};
use crate::exit::{Exit, Failure};
use crate::operator::{self, Attendant, Goal, Keeping, Kept};
use crate::recipes::Recipes;
use crate::recording::{self, Recorder};
use crate::topology;
use crate::words::{Word, Words};

/// After the wish to stop the line has so long to run empty before the boards are left to their watchdogs.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Folder of lots, records and users unless told otherwise.
const DATA: &str = "pearlsort-data";
/// Time between two lines of state.
const STATE_EVERY: Duration = Duration::from_secs(1);

/// Runs the line.
///
/// # Errors
/// When the configuration is doubtful (all faults are told) or the system gives no thread.
pub fn run(arguments: &RunArgs) -> Result<ExitCode> {
    let (line, path, recipe) = load(arguments)?;
    let places = places(&line, &arguments.port)?;
    let faults = allowed_faults(arguments, &line)?;
    let spec = Spec {
        plan: line.plan.clone(),
        recipe: Arc::clone(&recipe.compiled),
        links: link_plans(&line),
        hot: Some(line.hot),
        hold_cpu_latency: true,
    };
    let (mut daemon, mut cold, recorder) = start(arguments, spec, &path, &recipe)?;
    if let Some(faults) = &faults {
        warn!("LINK FAULTS ARE ON (--allow-faults): this line is under test, and must not sort pearls that count");
        let relay = Relay::start(faults.clone(), rt::clock::now_us());
        cold = cold.through(relay.context("the thread of the link faults could not be started")?);
    }
    daemon.tell_rights();
    cells::put_in_force(&mut daemon, &line);
    let line = Arc::new(line);
    let recipes = Recipes::new(&path, recipe.compiled.hash(), Arc::clone(&line));
    let mut visitor = Operator::new(arguments, recipes, recorder, faults.is_some())?;
    let side = operators(arguments, &line, &path, recipe, &mut visitor)?;
    attend(&mut daemon, cold, &places, Candidates::default(), &mut visitor)?;
    let ended_by_itself = daemon.has_ended();
    let figures = daemon.figures();
    let end = daemon.end()?;
    side.end();
    if arguments.json {
        print_end(&figures, &end);
    }
    if let Some(recorder) = visitor.recorder {
        recorder.end(end.unrecorded);
    }
    for (link, place) in end.links.iter().zip(&places) {
        info!(
            "board {}: {} frames sent, {} repeated, {} with a wrong checksum",
            place.name, link.wire.frames_sent, link.wire.repeats, link.wire.crc
        );
    }
    Ok(if ended_by_itself {
        ExitCode::from(Exit::Software as u8)
    } else {
        ExitCode::SUCCESS
    })
}

/// What operators have beside the line: its store and its page.
#[derive(Default)]
struct Side {
    kept: Option<Kept>,
    page: Option<hmi::Server>,
}

impl Side {
    /// The page goes first, then what waits is made durable.
    fn end(self) {
        drop(self.page);
        if let Some(kept) = self.kept {
            kept.end();
        }
    }
}

/// Opens the store and the page, unless a script commands the line: it speaks to the core itself.
fn operators(
    arguments: &RunArgs,
    line: &Arc<Line>,
    path: &Path,
    recipe: config::Recipe,
    visitor: &mut Operator,
) -> Result<Side> {
    if arguments.commands {
        return Ok(Side::default());
    }
    let of = &arguments.operator;
    let data = of.data.clone().unwrap_or_else(|| PathBuf::from(DATA));
    let kept = operator::keep(&Keeping {
        data: &data,
        machine: &line.name.en,
    })?;
    let book = operator::book(path.to_owned(), &Arc::new(recipe));
    let desk = operator::desk_of(line, book, Some(&kept));
    desk.take_up_lot();
    let page = if of.no_page {
        None
    } else {
        let server = operator::page(&desk, of, &data)?;
        operator::tell_page(&server);
        Some(server)
    };
    let goal = if arguments.start { Goal::StartOnce } else { Goal::None };
    visitor.attendant = Some(Attendant::new(desk, goal));
    visitor.watch = rt::watch::start(topology::watch_for())
        .map_err(|error| warn!("nobody watches for stalls of this computer: {error}"))
        .ok();
    Ok(Side { kept: Some(kept), page })
}

/// Starts the hot thread, with its recording if one is wished.
fn start(
    arguments: &RunArgs,
    spec: Spec,
    path: &Path,
    recipe: &config::Recipe,
) -> Result<(Daemon, ColdEnd, Option<Recorder>)> {
    let failed = "the hot thread could not be started";
    let Some(file) = &arguments.record else {
        let (daemon, cold) = Daemon::start(spec).context(failed)?;
        return Ok((daemon, cold, None));
    };
    let machine = Machine::File {
        name: arguments.config.display().to_string(),
        text: std::fs::read_to_string(&arguments.config).context("the machine's file can't be read again")?,
    };
    let head = recording::head(machine, &spec.plan, spec.recipe.hash());
    let limit = arguments.record_mb.saturating_mul(1024 * 1024);
    let writer = recording::create(file, &head, &recording::entry(path, recipe), limit)?;
    let (daemon, cold, stream) = Daemon::start_recorded(spec).context(failed)?;
    Ok((daemon, cold, Some(Recorder::new(file, writer, stream))))
}

/// The link faults that the command line allows, for this line's boards.
fn allowed_faults(arguments: &RunArgs, line: &Line) -> Result<Option<LinkFaults>> {
    let Some(given) = &arguments.allow_faults else {
        return Ok(None);
    };
    let text = if Path::new(given).is_file() {
        std::fs::read_to_string(given).with_context(|| format!("{given} can't be read"))?
    } else {
        given.clone()
    };
    let names: Vec<&str> = line.links.iter().map(|link| link.name.as_str()).collect();
    let faults = FaultSpec::parse(&text).and_then(|spec| spec.resolve(&names));
    Ok(Some(
        faults.map_err(|error| Failure::new(Exit::Config, error.to_string()))?,
    ))
}

/// What the program has counted, as its last line of JSON.
fn print_end(figures: &Figures, end: &HotEnd) {
    let count =
        |of: fn(&wire::Counters) -> u32| -> u64 { end.links.iter().map(|link| u64::from(of(&link.wire))).sum() };
    let allocations = rt::alloc::hot_allocations();
    let end = serde_json::json!({
        "state": "Ended",
        "late": figures.get(Figure::Late),
        "cancelled": figures.get(Figure::Cancelled),
        "repeats": count(|wire| wire.repeats),
        "crc_errors": count(|wire| wire.crc),
        "dropped": end.dropped,
        "unrecorded": end.unrecorded,
        "hot_allocations": allocations.allocations + allocations.frees,
    });
    println!("{end}");
}

/// Reads the machine's file and its recipe; a doubtful one never starts a line.
fn load(arguments: &RunArgs) -> Result<(Line, PathBuf, config::Recipe)> {
    let wrong = |report: config::Report| Failure::new(Exit::Config, format!("the configuration is wrong:\n{report}"));
    let line = config::load_line(&arguments.config).map_err(wrong)?;
    let path: PathBuf = arguments
        .recipe
        .clone()
        .or_else(|| line.recipe.clone())
        .ok_or_else(|| {
            Failure::new(
                Exit::Config,
                format!(
                    "{}: names no recipe; write `recipe = \"recipes/NAME.toml\"` there, or give --recipe FILE",
                    arguments.config.display()
                ),
            )
        })?;
    let recipe = config::load_recipe(&path, &line).map_err(wrong)?;
    Ok((line, path, recipe))
}

/// Where the line's boards are sought: `ports` by name, else where the file expects them.
///
/// # Errors
/// When `ports` names a board that the line does not have.
pub fn places(line: &Line, ports: &[(String, PathBuf)]) -> Result<Vec<Place>> {
    if let Some((name, _)) = ports
        .iter()
        .find(|(name, _)| line.links.iter().all(|link| link.name != *name))
    {
        let names: Vec<&str> = line.links.iter().map(|link| link.name.as_str()).collect();
        let message = format!(
            "--port {name}=...: no board has this name; the line's boards are {}",
            names.join(", ")
        );
        return Err(Failure::new(Exit::Config, message).into());
    }
    let links = (0_u8..).zip(&line.links);
    let hint = |link: &config::LinkConfig| {
        let given = ports
            .iter()
            .find(|(name, _)| *name == link.name)
            .map(|(_, path)| path.clone());
        given.or_else(|| link.port.clone())
    };
    Ok(links
        .map(|(n, link)| place(link.name.clone(), BoardId(n), link.uid, link.baud, hint(link)))
        .collect())
}

/// What each board must be.
#[must_use]
pub fn link_plans(line: &Line) -> Vec<LinkPlan> {
    let boards = (0_u8..).zip(line.links.iter().zip(&line.settings));
    boards
        .map(|(n, (link, settings))| {
            let needs = Needs {
                valves: link.has.valves,
                eyes: link.has.eyes,
                cells: link.has.cells,
                channels: link.has.channels,
                queue: link.has.queue,
                horizon_ticks: link.has.horizon_ticks,
                max_on_us: link.has.max_on_us,
            };
            let silence_us = line.plan.tolerances.status_silence_us.unsigned_abs();
            LinkPlan::new(BoardId(n), link.uid, link.baud, silence_us, needs, settings)
        })
        .collect()
}

/// The operator at the command line: starts when asked to, stops at a signal, shows the state, puts saved recipes in force.
struct Operator {
    recipes: Recipes,
    recorder: Option<Recorder>,
    /// Commands on standard input.
    words: Option<Words>,
    /// Whether link faults are allowed: told with the state.
    link_faults: bool,
    /// The operators' side; none where a script commands the line.
    attendant: Option<Attendant>,
    watch: Option<Watch>,
    start: bool,
    json: bool,
    /// How often the program was told to stop.
    interrupts: u32,
    stopping_since: Option<Instant>,
    shown: Instant,
    lost_records: u64,
}

impl Operator {
    fn new(arguments: &RunArgs, recipes: Recipes, recorder: Option<Recorder>, link_faults: bool) -> Result<Self> {
        let words = arguments.commands.then(Words::new).transpose();
        Ok(Self {
            recipes,
            recorder,
            words: words.context("commands can't be taken from standard input")?,
            link_faults,
            attendant: None,
            watch: None,
            start: arguments.start,
            json: arguments.json,
            interrupts: 0,
            stopping_since: None,
            shown: Instant::now(),
            lost_records: 0,
        })
    }

    /// Does what standard input asks for.
    fn obey(&mut self, daemon: &mut Daemon) {
        while let Some(word) = self.words.as_mut().and_then(Iterator::next) {
            match word {
                Ok(Word::State) => self.print_state(daemon),
                Ok(Word::Command(command)) => {
                    if let Err(error) = daemon.command(command) {
                        warn!("{command:?} is refused: {error}");
                    }
                }
                Err(error) => warn!("{error}"),
            }
        }
    }

    fn stop(&mut self, daemon: &mut Daemon, state: LineState) -> Attend {
        let Some(since) = self.stopping_since else {
            info!("stopping: the belt runs empty (interrupt again to end at once)");
            match &mut self.attendant {
                Some(attendant) => attendant.set_goal(Goal::Stop),
                None => drop(daemon.command(Command::Stop)),
            }
            self.stopping_since = Some(Instant::now());
            return Attend::On;
        };
        let is_over = matches!(state, LineState::NotReady | LineState::Ready | LineState::Stopped);
        if is_over || self.interrupts > 1 || since.elapsed() > STOP_PATIENCE {
            Attend::Enough
        } else {
            Attend::On
        }
    }

    /// Lets the operators' side look and command; a line that a script commands is started here.
    fn attend_operators(&mut self, daemon: &mut Daemon) {
        let Some(attendant) = &mut self.attendant else {
            let is_ready = daemon.figures().state() == LineState::Ready;
            if self.start && is_ready && daemon.command(Command::Start).is_ok() {
                self.start = false;
            }
            return;
        };
        if let Some(watch) = &mut self.watch {
            attendant.watched();
            watch.stalls().for_each(|stall| attendant.stall(&stall));
        }
        attendant.look(daemon);
    }

    /// Puts a saved recipe in force. The recording has it before the core does.
    fn change_recipe(&mut self, daemon: &mut Daemon) {
        let wished = self.attendant.as_mut().and_then(Attendant::wish);
        if let Some(wish) = &wished {
            self.recipes.switch(&wish.path, &wish.recipe);
        }
        let saved = self.recipes.look();
        if let (Some(attendant), Some(is_faulty)) = (&mut self.attendant, self.recipes.verdict()) {
            attendant.recipe_checked(is_faulty);
        }
        let Some(recipe) = wished.map(|wish| wish.recipe).or(saved) else {
            return;
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.recipe(&recording::entry(self.recipes.path(), &recipe));
        }
        daemon.publish(Arc::clone(&recipe.compiled));
        if let Some(attendant) = &mut self.attendant {
            attendant.recipe(operator::book(self.recipes.path().to_owned(), &recipe));
        }
        info!(
            "{} takes effect as recipe {} for pearls that come from now on",
            self.recipes.path().display(),
            recipe.hash_name()
        );
    }

    fn show(&mut self, daemon: &Daemon) {
        if self.json && self.shown.elapsed() >= STATE_EVERY {
            self.shown = Instant::now();
            self.print_state(daemon);
        }
    }

    fn print_state(&self, daemon: &Daemon) {
        let figures = daemon.figures();
        let (decision, lead) = (daemon.decision_us(), daemon.lead_us());
        let state = serde_json::json!({
            "state": format!("{:?}", figures.state()),
            "entered": figures.get(Figure::Entered),
            "in_flight": figures.get(Figure::InFlight),
            "binned": figures.get(Figure::Binned),
            "recirculated": figures.get(Figure::Recirculated),
            "lost": figures.get(Figure::Lost),
            "late": figures.get(Figure::Late),
            "speed_ticks_s": figures.get(Figure::Speed),
            "link_faults": self.link_faults,
            "decision_p50_us": decision.quantile(0.5),
            "decision_p99_us": decision.quantile(0.99),
            "decision_max_us": decision.max(),
            "lead_min_us": lead.quantile(0.0),
            "lead_p50_us": lead.quantile(0.5),
        });
        println!("{state}");
    }
}

impl Visitor for Operator {
    fn record(&mut self, record: &Record) {
        if let Some(attendant) = &mut self.attendant {
            attendant.record(record);
        }
    }

    fn news(&mut self, at: HostUs, news: &News, _daemon: &mut Daemon) {
        if let Some(attendant) = &mut self.attendant {
            attendant.news(at, news);
        }
    }

    fn port(&mut self, board: BoardId, path: Option<PathBuf>) {
        if let Some(attendant) = &mut self.attendant {
            attendant.port(board, path);
        }
    }

    fn interrupted(&mut self) {
        self.interrupts += 1;
    }

    fn look(&mut self, daemon: &mut Daemon) -> Attend {
        let figures = daemon.figures();
        self.obey(daemon);
        self.show(daemon);
        self.change_recipe(daemon);
        if let Some(recorder) = &mut self.recorder {
            recorder.look();
        }
        let (records, _) = daemon.dropped();
        if records > self.lost_records {
            warn!(
                "{} records were dropped: this computer is too slow for them",
                records - self.lost_records
            );
            self.lost_records = records;
        }
        self.attend_operators(daemon);
        if self.interrupts > 0 {
            return self.stop(daemon, figures.state());
        }
        Attend::On
    }
}
