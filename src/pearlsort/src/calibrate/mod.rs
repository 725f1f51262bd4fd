//! `pearlsort calibrate`: guided commissioning from test pearls and drop eyes. Cold.
//!
//! What is found is worked out by `setup::commission`; here the boards are run, the operator is guided, and the results are
//! told and kept. The lines for the machine's file are printed, and written into it when asked.
//!
//! Words: a **level** is a belt speed at which is taken what is needed; a **shot** is a pulse at one pearl.

mod boards;
pub mod field;
mod hot;
mod jets;
pub mod operator;
mod report;
mod session;
mod shots;
mod signals;
mod text;
mod ticks;
pub mod watch;
pub mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};
use config::Line;
use rt::thread::HotThread;
use setup::commission::Ruler;
use setup::commission::store::{Store, beside};
use units::LaneId;

use self::boards::RealBoards;
use self::field::Boards;
use self::operator::{Console, Operator};
pub use self::report::Report;
pub(crate) use self::report::rfc3339;
use self::session::Session;
pub use self::ticks::RULER_U_UM;
use self::watch::Watch;
use crate::cli::CalibrateCommand;
use crate::exit::{Exit, Failure};
use crate::eyes::calibrate as stations;

/// What is calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Ticks a metre.
    Ticks,
    /// Distances of jets.
    Distances,
    /// Lags of valves.
    Lags,
    /// The other signals.
    Signals,
}

impl What {
    /// Its name on the command line and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ticks => "ticks",
            Self::Distances => "distances",
            Self::Lags => "lags",
            Self::Signals => "signals",
        }
    }
}

/// Which jets are calibrated; an empty list means all. For ticks: the first lane, to the platform, or to the last jet that
/// is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// Lanes, from 0.
    pub lanes: Vec<u8>,
    /// Jets, from 1.
    pub jets: Vec<usize>,
}

impl Selected {
    fn has(&self, lane: u8, jet: usize) -> bool {
        (self.lanes.is_empty() || self.lanes.contains(&lane))
            && (self.jets.is_empty() || self.jets.contains(&(jet + 1)))
    }
}

/// How it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Which jets.
    pub selected: Selected,
    /// Belt speeds for distances and lags.
    pub levels: usize,
    /// Pearls for ticks; at each speed, landings for each jet; or pulses for each valve.
    pub pearls: Option<u64>,
    /// The ruler's distance; without it the operator is asked, and the file's figure is the usual answer.
    pub ruler: Option<Ruler>,
    /// Where boards are, by their names, in place of what the file says.
    pub ports: Vec<(String, PathBuf)>,
    /// Whether the machine's file is to be corrected.
    pub write: Write,
}

/// What is done with the machine's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Write {
    /// It stays; its lines are printed.
    #[default]
    No,
    /// What has moved no farther than its bound is corrected.
    Drift,
    /// Everything is.
    All,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            selected: Selected::default(),
            levels: 2,
            pearls: None,
            ruler: None,
            ports: Vec::new(),
            write: Write::No,
        }
    }
}

/// Pearls for ticks.
const TICKS_PEARLS: u64 = 100;
/// Landings a jet and speed.
const DISTANCE_PEARLS: u64 = 100;
/// Pulses a valve and speed: half of them at each edge.
const LAG_PULSES: u64 = 600;

/// Does what the command line asks for.
///
/// # Errors
/// As [`calibrate`], or as the calibration of a weigh cell.
pub fn from_command_line(command: &CalibrateCommand) -> Result<ExitCode> {
    let (what, arguments) = match command {
        CalibrateCommand::Ticks(arguments) => (What::Ticks, arguments),
        CalibrateCommand::Distances(arguments) => (What::Distances, arguments),
        CalibrateCommand::Lags(arguments) => (What::Lags, arguments),
        CalibrateCommand::Signals(arguments) => (What::Signals, arguments),
        CalibrateCommand::Weigh(arguments) => return crate::weigh::calibrate(arguments),
        CalibrateCommand::Camera(arguments) => return stations::camera(arguments),
        CalibrateCommand::Colour(arguments) => return stations::colour(arguments),
        CalibrateCommand::Masters(arguments) => return stations::masters(arguments),
        CalibrateCommand::Reference(arguments) => return stations::reference(arguments),
    };
    let ruler = arguments.ruler_mm.map(|mm| Ruler {
        um: mm * 1e3,
        u_um: arguments.ruler_u_mm * 1e3,
    });
    let options = Options {
        selected: Selected {
            lanes: arguments.lanes.clone(),
            // The command line bounds them.
            jets: arguments.jets.iter().map(|jet| *jet as usize).collect(),
        },
        levels: arguments.speeds as usize,
        pearls: arguments.pearls,
        ruler,
        ports: arguments.port.clone(),
        write: match (arguments.write, arguments.accept) {
            (false, _) => Write::No,
            (true, false) => Write::Drift,
            (true, true) => Write::All,
        },
    };
    calibrate(what, &arguments.config, arguments.store.as_deref(), &options)
}

/// Calibrates the line that a file describes. Exits with 1 when anything was refused.
///
/// # Errors
/// When the file is doubtful, a board missing, the belt not run, or the store not to be written.
pub fn calibrate(what: What, config: &Path, store: Option<&Path>, options: &Options) -> Result<ExitCode> {
    let wrong = |report: config::Report| Failure::new(Exit::Config, format!("the configuration is wrong:\n{report}"));
    let line = config::load_line(config).map_err(wrong)?;
    let machine_text = std::fs::read(config).with_context(|| config.display().to_string())?;
    let store: PathBuf = store.map_or_else(|| beside(config), Path::to_owned);
    // A store that can't be used is better known now than after an hour of pearls.
    Store::read(&store).map_err(|error| Failure::new(Exit::Data, error.to_string()))?;
    let mut operator = Console::default();
    let mut boards = start(&line, &options.ports)?;
    let report = commission(what, &line, options, &mut boards, &mut operator)?;
    if boards.dropped() > 0 {
        let text = format!(
            "{} messages of boards were dropped: this computer was too slow, repeat",
            boards.dropped()
        );
        return Err(Failure::new(Exit::Data, text).into());
    }
    drop(boards);
    let file = config
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    report.lines.iter().for_each(|line| operator.tell(line));
    if what != What::Signals && !report.results.is_empty() {
        operator.tell(&text::paste(&report.paste, &file));
    }
    let run = report.run(what.name(), &file, &machine_text, SystemTime::now());
    Store::add(&store, run).map_err(|error| Failure::new(Exit::Io, error.to_string()))?;
    operator.tell(&text::kept(&store.display().to_string()));
    let mut is_sound = report.refused.is_empty();
    if options.write != Write::No {
        let written = write::write(config, &report.paste, options.write == Write::All)?;
        is_sound &= written.left.is_empty();
        operator.tell(&text::written(&file, &written));
    }
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Exit::Verdict as u8)
    })
}

/// Starts the threads of the real boards.
fn start(line: &Line, ports: &[(String, PathBuf)]) -> Result<RealBoards> {
    let places = crate::run::places(line, ports)?;
    let wanted = places.into_iter().map(|place| place.wanted).collect();
    let names: Vec<String> = line.links.iter().map(|link| link.name.clone()).collect();
    let hot = HotThread {
        name: crate::topology::HOT.name.to_owned(),
        priority: Some(line.hot.priority),
        core: line
            .hot
            .core
            .map_or_else(|| crate::topology::HOT.core.number(), |core| Some(core.into())),
    };
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    // A board must not take this program for the one before.
    let session = (since.subsec_micros() ^ std::process::id()) as u16;
    let feed_us = line.plan.tolerances.feed_us;
    let tell = move |notice| crate::attend::tell_port(&notice, &|board| names[board.index()].clone());
    RealBoards::start(crate::run::link_plans(line), wanted, feed_us, hot, session, tell)
        .context("the boards' threads could not be started")
}

/// Calibrates over any boards and with any operator.
///
/// # Errors
/// When a board is missing, the belt does not run, or a signal is lost.
pub fn commission(
    what: What,
    line: &Line,
    options: &Options,
    boards: &mut impl Boards,
    operator: &mut impl Operator,
) -> Result<Report, Failure> {
    let names = line.links.iter().map(|link| link.name.clone()).collect();
    let mut session = Session::new(boards, operator, Watch::new(&line.plan), names);
    session.wait_ready()?;
    let (can, not) = jets::selected(&line.plan, &options.selected);
    let levels = options.levels.max(2);
    let needs_jets = matches!(what, What::Distances | What::Lags);
    if needs_jets && can.is_empty() {
        return Err(jets::none_selected());
    }
    let mut report = match what {
        What::Ticks => {
            let lane = LaneId(options.selected.lanes.first().copied().unwrap_or(0));
            let plan = line.plan.lanes.get(lane.index()).ok_or_else(jets::none_selected)?;
            // To the platform pearls are seen on the belt; a jet that is named, or the farthest, is a longer distance.
            let to_jet = plan.weigh.is_none() || !options.selected.jets.is_empty();
            let farthest = can.iter().rev().find(|(of, _)| *of == lane).map(|(_, jet)| *jet);
            let jet = if to_jet {
                Some(farthest.ok_or_else(jets::none_selected)?)
            } else {
                None
            };
            let weigh_um = plan.weigh.map_or(0, |weigh| weigh.at_um);
            let usual_um = jet.map_or(weigh_um, |jet| plan.jets[jet].at_um);
            let ruler = options
                .ruler
                .unwrap_or_else(|| ask_ruler(session.operator, lane, jet, usual_um));
            let pearls = options.pearls.unwrap_or(TICKS_PEARLS);
            let found = ticks::find(&mut session, (lane, jet), ruler, levels, pearls)?;
            Report::ticks(found, f64::from(line.plan.ticks_per_metre.get()))
        }
        What::Distances => {
            let found = jets::distances(&mut session, &can, levels, options.pearls.unwrap_or(DISTANCE_PEARLS))?;
            Report::distances(found, &line.plan)
        }
        What::Lags => {
            let pulses = options.pearls.unwrap_or(LAG_PULSES);
            let found = jets::all_lags(&mut session, &can, &line.settings, levels, pulses)?;
            Report::lags(found, &line.plan, &line.settings)
        }
        What::Signals if line.channels.is_empty() => return Err(Failure::new(Exit::Data, text::NO_SIGNAL)),
        What::Signals => Report::signals(signals::all(&mut session, &line.channels)?),
    };
    if needs_jets {
        report.cannot(&not);
    }
    Ok(report)
}

fn ask_ruler(operator: &mut impl Operator, lane: LaneId, jet: Option<usize>, usual_um: i32) -> Ruler {
    operator.tell(&text::what_ticks(lane, jet));
    let usual = f64::from(usual_um) / 1e3;
    let answer = operator.ask(text::RULER, &usual.to_string());
    // What is no number is refused by the mathematics as no length.
    let mm: f64 = answer.replace(',', ".").parse().unwrap_or(0.0);
    Ruler {
        um: mm * 1e3,
        u_um: RULER_U_UM,
    }
}
