//! `pearlsort replay`: runs a recording through the core again, and proves that it gives the same orders and records.
//!
//! Cold; the core runs here without clock, ports or threads, as fast as it goes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use line::grade::Recipe;
use line::weigh::Model;
use line::{Core, Input, LinePlan, Notice, Output, Record};
use sim::demo::DemoOptions;
use sim::digest::Digest;
use tape::{Ending, Event, Head, Machine, Reader};
use units::{BoardId, BoardUs32, EyeId, HostUs, LaneId, TriggerSeq};
use wire::{FromBoard, Samples, ToBoard};

use crate::cli::ReplayArgs;
use crate::exit::{Exit, Failure};
use crate::recording::fingerprint;

/// A recording of a file.
pub type FileReader = Reader<BufReader<File>>;

/// What a replay has given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Events that the core saw.
    pub events: u64,
    /// Orders that it gave.
    pub orders: u64,
    /// Records that it gave.
    pub records: u64,
    /// Time from the first event to the last, us.
    pub span_us: i64,
    /// Digest of all orders and records.
    pub digest: u64,
    /// Checks of the recording that were met.
    pub checks: u64,
    /// Time of the first check that does not, us of the host's clock.
    pub differs_at: Option<HostUs>,
    /// Events that are missing where the replay ended.
    pub missing: u64,
    /// How the file ends.
    pub ending: Ending,
}

impl Replayed {
    /// Whether the orders and records are those of the run, as far as the recording goes.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.differs_at.is_none() && self.missing == 0 && !matches!(self.ending, Ending::Damaged { .. })
    }
}

/// Replays a recording and tells what came of it. Exits with 1 when orders or records differ from the run's, or events are
/// missing.
///
/// # Errors
/// When the file is no recording, or is of another machine than this program makes of it.
pub fn replay(arguments: &ReplayArgs) -> Result<ExitCode> {
    let mut reader = open(&arguments.file)?;
    let plan = plan_of(reader.head())?;
    let head = reader.head().clone();
    let replayed = run(&mut reader, plan, |_| {})?;
    if arguments.digest {
        println!("{:016x}", replayed.digest);
    } else {
        print!("{}", table(&arguments.file, &head, &replayed));
    }
    if let Some(at) = replayed.differs_at {
        eprintln!(
            "pearlsort replay: orders or records differ from the run's before {:.3} s of its clock",
            at.0 as f64 * 1e-6
        );
    }
    if replayed.missing > 0 {
        eprintln!(
            "pearlsort replay: {} events are missing; the replay ends there",
            replayed.missing
        );
    }
    Ok(if replayed.is_same() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Exit::Verdict as u8)
    })
}

/// Opens a recording.
///
/// # Errors
/// When it can't be read or is none.
pub fn open(path: &Path) -> Result<FileReader> {
    let file = File::open(path).with_context(|| format!("{} can't be opened", path.display()))?;
    Reader::new(BufReader::with_capacity(1 << 20, file))
        .map_err(|error| Failure::new(Exit::Data, format!("{}: {error}", path.display())).into())
}

/// The plan of a recording's machine.
///
/// # Errors
/// When this program makes another plan of it than the one that was recorded.
pub fn plan_of(head: &Head) -> Result<LinePlan> {
    let plan = match &head.machine {
        Machine::File { name, text } => {
            config::line_from_text(name, text)
                .map_err(|report| {
                    Failure::new(
                        Exit::Data,
                        format!("this program refuses the recording's machine:\n{report}"),
                    )
                })?
                .plan
        }
        Machine::Virtual {
            lanes,
            rate,
            um_s,
            least_gap,
            samples,
        } => {
            let options = DemoOptions {
                rate: *rate,
                um_s: *um_s,
                least_gap: *least_gap,
                samples: *samples,
            };
            if *lanes == 0 || usize::from(*lanes) > line::limits::LANES || *um_s <= 0 || !rate.is_normal() {
                return Err(Failure::new(Exit::Data, "the recording's virtual line can't be").into());
            }
            sim::demo::demo_plan(*lanes, options)
        }
    };
    if fingerprint(&plan) == head.plan {
        return Ok(plan);
    }
    let message = format!(
        "the recording was made by pearlsort {}, which made another plan of the same machine: replay it with that version",
        head.program
    );
    Err(Failure::new(Exit::Data, message).into())
}

/// Hears a replay, each thing with the time of its event.
pub trait Hear {
    /// The core is told of a trigger.
    fn trigger(&mut self, _at: HostUs, _board: BoardId, _eye: EyeId, _seq: TriggerSeq) {}
    /// The core gives a record.
    fn record(&mut self, _at: HostUs, _record: &Record) {}
    /// The core has news.
    fn notice(&mut self, _at: HostUs, _notice: Notice) {}
    /// A lane's streaming cell is weighed by this model from now on.
    fn model(&mut self, _lane: LaneId, _model: &Model) {}
    /// A lane's streaming cell has sent samples.
    fn samples(&mut self, _lane: LaneId, _samples: &Samples<'_>) {}
    /// A pearl has passed the platform of a lane's streaming cell, between these times of its board.
    fn passage(&mut self, _lane: LaneId, _entered: BoardUs32, _left: BoardUs32) {}
}

/// Hears records alone.
struct Records<F>(F);

impl<F: FnMut(&Record)> Hear for Records<F> {
    fn record(&mut self, _at: HostUs, record: &Record) {
        (self.0)(record);
    }
}

/// Runs a recording through a core; `each` gets every record.
///
/// # Errors
/// When the file can't be read, or names a recipe that is not in it.
pub fn run<R: Read>(reader: &mut Reader<R>, plan: LinePlan, each: impl FnMut(&Record)) -> Result<Replayed> {
    run_heard(reader, plan, &mut Records(each))
}

/// As [`run`]; `hear` gets all that is worth hearing.
///
/// # Errors
/// As [`run`].
pub fn run_heard<R: Read>(reader: &mut Reader<R>, plan: LinePlan, hear: &mut dyn Hear) -> Result<Replayed> {
    reader.begin()?;
    let mut recipes = HashMap::new();
    let first = recipe(&mut recipes, reader, reader.head().recipe)?;
    let mut core = Core::new(plan, first);
    let mut given = Given {
        digest: Digest::default(),
        orders: 0,
        records: 0,
        now: HostUs(0),
        hear,
    };
    let (mut events, mut checks, mut differs_at, mut missing) = (0, 0, None, 0);
    let (mut began, mut now) = (None, HostUs(0));
    while let Some((at, event)) = reader.next_event()? {
        began.get_or_insert(at);
        now = at;
        given.now = at;
        if let Event::Board {
            board,
            message: FromBoard::Trigger { eye, seq, .. },
        } = event
        {
            given.hear.trigger(at, board, eye, seq);
        }
        let input = match event {
            Event::Board { board, message } => Input::Board { board, message },
            Event::LinkUp { board, identity } => Input::LinkUp { board, identity },
            Event::LinkDown { board, cause } => Input::LinkDown { board, cause },
            Event::Command(command) => Input::Command(command),
            Event::Recipe(hash) => Input::Recipe(recipe(&mut recipes, reader, hash)?),
            Event::Model { lane, ref model } => {
                given.hear.model(lane, model);
                Input::Model { lane, model }
            }
            Event::Clock => Input::Clock,
            Event::Check(digest) => {
                checks += 1;
                if digest != given.digest.value() {
                    differs_at.get_or_insert(at);
                }
                continue;
            }
            Event::Lost(events) => {
                missing = events;
                break;
            }
        };
        core.handle(at, input, &mut given);
        events += 1;
    }
    Ok(Replayed {
        events,
        orders: given.orders,
        records: given.records,
        span_us: now.since(began.unwrap_or(now)),
        digest: given.digest.value(),
        checks,
        differs_at,
        missing,
        ending: reader.ending().cloned().unwrap_or(Ending::Cut { bytes: 0 }),
    })
}

/// The recipe of a hash, compiled once.
fn recipe<R: Read>(known: &mut HashMap<u64, Arc<Recipe>>, reader: &Reader<R>, hash: u64) -> Result<Arc<Recipe>> {
    if let Some(recipe) = known.get(&hash) {
        return Ok(Arc::clone(recipe));
    }
    let entry = reader.recipe(hash).ok_or_else(|| {
        Failure::new(
            Exit::Data,
            format!("the recording names recipe {hash:016x} and does not hold it"),
        )
    })?;
    let recipe = entry
        .compiled()
        .map_err(|error| Failure::new(Exit::Data, format!("recipe {hash:016x} of the recording: {error}")))?;
    known.insert(hash, Arc::clone(&recipe));
    Ok(recipe)
}

/// Takes what the core gives.
struct Given<'a> {
    digest: Digest,
    orders: u64,
    records: u64,
    now: HostUs,
    hear: &'a mut dyn Hear,
}

impl Output for Given<'_> {
    fn send(&mut self, board: BoardId, message: ToBoard) {
        self.digest.message(board, &message);
        self.orders += u64::from(matches!(message, ToBoard::Fire(_)));
    }

    fn arm(&mut self, _board: BoardId, _on: bool) {}

    fn record(&mut self, record: &Record) {
        self.digest.record(record);
        self.records += 1;
        self.hear.record(self.now, record);
    }

    fn notice(&mut self, at: HostUs, notice: Notice) {
        self.hear.notice(at, notice);
    }

    fn retire(&mut self, _recipe: Arc<Recipe>) {}

    fn samples(&mut self, lane: LaneId, samples: &Samples<'_>) {
        self.hear.samples(lane, samples);
    }

    fn passage(&mut self, lane: LaneId, entered: BoardUs32, left: BoardUs32) {
        self.hear.passage(lane, entered, left);
    }
}

fn table(path: &Path, head: &Head, replayed: &Replayed) -> String {
    let machine = match &head.machine {
        Machine::File { name, .. } => format!("machine of {name}"),
        Machine::Virtual { lanes, .. } => format!("virtual line of {lanes} lanes"),
    };
    let checks = match replayed.differs_at {
        None => format!("all {} agree", replayed.checks),
        Some(at) => format!("the first that differs is at {:.3} s", at.0 as f64 * 1e-6),
    };
    format!(
        "recording  {}: {machine}, pearlsort {}\nevents     {} in {:.1} s of the line\nrecords    {}\norders     {}\n\
         checks     {checks}\nending     {}\ndigest     {:016x}\n",
        path.display(),
        head.program,
        replayed.events,
        replayed.span_us as f64 * 1e-6,
        replayed.records,
        replayed.orders,
        replayed.ending,
        replayed.digest,
    )
}
