//! The command line: every command, every option, its help. Cold; parsed once at start.

mod ask;
mod kept;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::suggest::Target;

pub use ask::{AlarmArgs, AlarmCommand, AlarmShelveArgs, AskArgs, Lang, LotCloseArgs, LotOpenArgs, LotReportArgs};
pub use kept::{AuditCommand, AuditVerifyArgs, ExportForm, LotCommand, LotExportArgs};

/// Controller of a pearl sorting line.
#[derive(Debug, Parser)]
#[command(
    name = "pearlsort",
    version,
    about = "Controller of a pearl sorting line: grades every pearl and fires the air jet of its bin",
    after_help = "First steps:\n  pearlsort demo                            a virtual line for 30 s, with a table at the end\n  \
                  pearlsort doctor                          is this computer fit to run a line?\n  \
                  pearlsort check config/line.toml          is this configuration right?\n  \
                  pearlsort run --config config/line.toml   run the line\n\n\
                  Exit codes: 0 all well; 1 the command's verdict is no; 64 wrong usage; 65 wrong data; 66 a file is\n\
                  missing; 69 a port or board is not there; 70 a fault in pearlsort; 74 reading or writing failed;\n\
                  77 not permitted; 78 wrong configuration."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Log more: once for what boards say, twice for each step.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the line that a file describes.
    Run(RunArgs),
    /// Check configuration files: machine, recipes, standards.
    Check(CheckArgs),
    /// Sort a virtual line's pearls, and judge the result against the truth.
    Demo(DemoArgs),
    /// Run a recording through the core again, and prove that it gives the same orders and records.
    Replay(ReplayArgs),
    /// Try a recipe on a recording: what it changes, bin by bin.
    Tune(TuneArgs),
    /// Find the threshold at which a bin gets a share of a recording's pearls, and write it into the recipe.
    Suggest(SuggestArgs),
    /// Say why a pearl of a recording went where it went.
    Explain(ExplainArgs),
    /// Put the boards of a virtual line behind pseudo-terminals, for a daemon started elsewhere.
    Sim(SimArgs),
    /// Tell what this computer gives a line, and what to change.
    Doctor(DoctorArgs),
    /// Guided commissioning from test pearls, drop eyes and reference masses.
    #[command(subcommand)]
    Calibrate(CalibrateCommand),
    /// Find a streaming weigh cell's platform, belt lines and noise, and write its file.
    Identify(IdentifyArgs),
    /// Weigh the pearls of a weigh cell's recording.
    Weigh(WeighArgs),
    /// Find out what is wrong with a part of the line.
    #[command(subcommand)]
    Diagnose(DiagnoseCommand),
    /// Measure pearls from recorded views.
    Measure(MeasureArgs),
    /// Scales that the plant owns, for lots and reference masses.
    #[command(subcommand)]
    Scale(ScaleCommand),
    /// Tell how a running line is.
    Status(AskArgs),
    /// Lots: those of a running line, and the records of any.
    #[command(subcommand)]
    Lot(LotCommand),
    /// Alarms of a running line.
    #[command(subcommand)]
    Alarm(AlarmCommand),
    /// The trail of what was changed, by whom, from what to what.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// What operators see of a line, common to `run` and `demo`.
#[derive(Debug, Args, Clone)]
pub struct OperatorArgs {
    /// Folder of lots, records, users [default: pearlsort-data; for a demo one that goes with it].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address of the operators' page [default: 127.0.0.1:8440; none for a headless demo].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub page: Option<std::net::SocketAddr>,
    /// Certificate of the page, PEM; with it the page may be open to a network, and looking needs a login.
    #[arg(long, value_name = "FILE", requires = "page_key")]
    pub page_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "page_certificate")]
    pub page_key: Option<PathBuf>,
    /// A name that the page answers to, beside localhost and addresses; may be given again.
    #[arg(long, value_name = "NAME")]
    pub page_host: Vec<String>,
    /// No page.
    #[arg(long, conflicts_with = "page")]
    pub no_page: bool,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What operators see.
    #[command(flatten)]
    pub operator: OperatorArgs,
    /// The machine's file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Recipe, in place of the one that the machine's file names.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// Where a board is, in place of what the machine's file says.
    #[arg(long, value_name = "NAME=PATH", value_parser = named_port)]
    pub port: Vec<(String, PathBuf)>,
    /// Sort at once, without waiting for Start.
    #[arg(long)]
    pub start: bool,
    /// Write the state of the line as one line of JSON each second.
    #[arg(long)]
    pub json: bool,
    /// Take an operator's commands from standard input, a line each: start, hold, stop, acknowledge, state, and inhibit,
    /// allow or release with a bin. They go to the core itself: the line has no store, no page and no modes then.
    #[arg(long, conflicts_with_all = ["data", "page"])]
    pub commands: bool,
    /// FOR TESTS ONLY: spoil the links to the boards by this timetable, or by that of a file. `A 3..3.5 stall; B 8..12
    /// drop=1e-3` stalls board A from 3 to 3.5 s after the start and drops bytes of B; also double=, flip=, delay-ms=,
    /// reorder=, cut, and seed=.
    #[arg(long, value_name = "FILE-or-FAULTS")]
    pub allow_faults: Option<String>,
    /// Record every event of the line in this file, for `replay` and `tune`.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Size at which a recording stops, MB.
    #[arg(long, value_name = "MB", default_value_t = tape::limits::FILE_BYTES >> 20, requires = "record", value_parser = clap::value_parser!(u64).range(1..))]
    pub record_mb: u64,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files to check.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// The virtual line, common to `demo` and `sim`.
#[derive(Debug, Args, Clone)]
pub struct LineArgs {
    /// Lanes of the belt.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub lanes: u8,
    /// Pearls a second in each lane.
    #[arg(long, default_value_t = 15.0, value_name = "PEARLS/S", value_parser = rate)]
    pub rate: f64,
    /// Speed of the belt, m/s.
    #[arg(long, default_value_t = 1.0, value_name = "M/S", value_parser = speed)]
    pub speed: f64,
    /// Seed of everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The weigh cells stream samples and the core weighs by them; else they weigh themselves. A link carries four of them.
    #[arg(long)]
    pub samples: bool,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The line.
    #[command(flatten)]
    pub line: LineArgs,
    /// What operators see.
    #[command(flatten)]
    pub operator: OperatorArgs,
    /// End after so many pearls.
    #[arg(long, conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub pearls: Option<u64>,
    /// End after so many seconds [default: 30].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
    /// No live progress.
    #[arg(long)]
    pub headless: bool,
    /// In virtual time: one thread, as fast as it goes, the same result for the same seed.
    #[arg(long = "virtual")]
    pub virtual_time: bool,
    /// The whole way from pixels to jets: the line's cameras send drawn pictures, the host measures them. Two cores carry 100
    /// pearls a second, of which drawing takes the most: `--lanes 8 --rate 12.5`.
    #[arg(long, conflicts_with = "virtual_time")]
    pub frames: bool,
    /// Keep the pictures of recirculated pearls in this folder, the oldest dropped from 64 MB on.
    #[arg(long, value_name = "DIR", requires = "frames")]
    pub doubts: Option<PathBuf>,
    /// Record every event of the line in this file, for `replay` and `tune`.
    #[arg(long, value_name = "FILE", requires = "virtual_time")]
    pub record: Option<PathBuf>,
    /// Write the figures as JSON to this file, `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording.
    #[arg(value_name = "RECORDING")]
    pub file: PathBuf,
    /// Print the digest of all orders and records, and nothing else.
    #[arg(long)]
    pub digest: bool,
}

/// Options of `tune`.
#[derive(Debug, Args)]
pub struct TuneArgs {
    /// The recording.
    #[arg(value_name = "RECORDING")]
    pub recording: PathBuf,
    /// The recipe that is tried.
    #[arg(long, value_name = "FILE")]
    pub recipe: PathBuf,
    /// The recipe that it is held against [default: those that graded the recording's pearls].
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Pearls that moved, told one by one.
    #[arg(long, value_name = "PEARLS", default_value_t = 10)]
    pub moved: usize,
    /// Write a plot (SVG) of each figure's distribution, with the thresholds drawn in, into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub plots: Option<PathBuf>,
}

/// Options of `suggest`.
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// The recording.
    #[arg(value_name = "RECORDING")]
    pub recording: PathBuf,
    /// The recipe whose threshold is sought.
    #[arg(long, value_name = "FILE")]
    pub recipe: PathBuf,
    /// Bin, by number or name, and the share of all pearls that it shall have at least.
    #[arg(long, value_name = "BIN>=SHARE%")]
    pub target: Target,
    /// The bin's condition whose bound is moved, such as `diameter-mm`; the strictest that gives the share is taken.
    #[arg(long, value_name = "CONDITION")]
    pub by: String,
    /// Where the recipe with the new threshold is written, every comment kept.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The recording.
    #[arg(value_name = "RECORDING")]
    pub recording: PathBuf,
    /// The pearl's number, as records have it.
    #[arg(value_name = "PEARL")]
    pub pearl: u64,
    /// Recipe by which it is explained [default: the one that graded it].
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
}

/// Options of `sim`.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// The line.
    #[command(flatten)]
    pub line: LineArgs,
    /// The machine's file whose boards are simulated, in place of `--lanes`.
    #[arg(long, value_name = "FILE", conflicts_with = "lanes")]
    pub config: Option<PathBuf>,
    /// The belt's speed from so many seconds after the start on, such as 1.2@60; may be given again. Calibration wants two.
    #[arg(long, value_name = "M_S@SECONDS", value_parser = later_speed)]
    pub then: Vec<(f64, f64)>,
    /// Make a link with each board's name to its pseudo-terminal in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub links: Option<PathBuf>,
    /// End after so many seconds; without it, when interrupted.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Write what became of the pearls as JSON to this file at the end, `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Options of `measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// Folder with `NNNN-top.png`, `NNNN-left.png`, `NNNN-right.png`.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Compare with the truth in this CSV file, and print how well they agree.
    #[arg(long, value_name = "FILE")]
    pub score: Option<PathBuf>,
    /// The station's calibration, as `calibrate camera` and its companions write it [default: the nominal station].
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Scale of all three cameras, pixels a millimetre, in place of the calibration's.
    #[arg(long, value_name = "PX/MM", value_parser = scale)]
    pub scale: Option<f64>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Length of the latency run, seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Serial ports to look at.
    #[arg(value_name = "PORT")]
    pub ports: Vec<PathBuf>,
    /// Write the findings as JSON to standard output.
    #[arg(long)]
    pub json: bool,
}

/// Options of `identify`.
#[derive(Debug, Args)]
#[command(
    after_help = "SOURCE is a cell's recording (a folder, as for `weigh`), or a recording of the line (`run --record`).\n\
                  FILE keeps its span and CAL; CFG goes on by itself when the model is another. A new one takes the span of the\n\
                  source. The file of lane 0 is lane-00.toml in the folder that the machine's file names (models)."
)]
pub struct IdentifyArgs {
    /// What the cell has seen.
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// The cell's file.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The lane, of a recording of the line.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..64))]
    pub lane: u8,
}

/// Options of `weigh`.
#[derive(Debug, Args)]
#[command(
    after_help = "A recording has samples.i32 (converter codes, little-endian), meta.json (sps, counts_per_g, roll_on_ms) \
                  and truth.csv (enter_s,leave_s and, for --score, mass_g).\n\
                  The CSV has a row a pearl: enter_s,mass_mg,u_mg,flag. Where no mass can be vouched for, the flag says why.\n\
                  The table of --score goes to standard error beside the CSV, to standard output with --out."
)]
pub struct WeighArgs {
    /// The recording's folder.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Compare to the known masses (column mass_g of truth.csv), beside three plain filters.
    #[arg(long)]
    pub score: bool,
    /// Write the CSV to this file, in place of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Take the span from the latest entry of this log of `calibrate weigh`, in place of counts_per_g.
    #[arg(long, value_name = "LOG")]
    pub calibration: Option<PathBuf>,
}

/// What to diagnose.
#[derive(Debug, Subcommand)]
pub enum DiagnoseCommand {
    /// A weigh cell, from a recording: converter, belt lines, platform.
    Weigh(DiagnoseWeighArgs),
}

/// Options of `diagnose weigh`.
#[derive(Debug, Args)]
pub struct DiagnoseWeighArgs {
    /// The recording's folder.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Write plots to this folder: spectrum.svg and pearls.svg.
    #[arg(long, value_name = "FOLDER")]
    pub svg: Option<PathBuf>,
}

/// What to do with a scale.
#[derive(Debug, Subcommand)]
pub enum ScaleCommand {
    /// Read weighings, to try a scale and its file.
    Read(ScaleReadArgs),
}

/// Options of `scale read`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints CSV: mass_mg,division_mg,flag. Without a mass the flag says why: silent, cut, garbled, unstable, \
                  over-range, under-range, wrong-unit, declined or faulty."
)]
pub struct ScaleReadArgs {
    /// The scale's file, as those in config/scales.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The port.
    #[arg(long, value_name = "PATH")]
    pub port: PathBuf,
    /// Weighings to read.
    #[arg(long, default_value_t = 1)]
    pub count: u32,
    /// Zero the scale first.
    #[arg(long)]
    pub zero: bool,
    /// Tare the scale first.
    #[arg(long)]
    pub tare: bool,
}

/// Options of `calibrate weigh`.
#[derive(Debug, Args)]
#[command(
    after_help = "A load's PATH is a file of converter codes (little-endian, 32 bits) or a folder with samples.i32, recorded \
                  while the mass lay still. MG is the mass in milligrams, U its standard uncertainty.\n\
                  Exits with 65 and stores nothing when the data are bad."
)]
pub struct CalibrateWeighArgs {
    /// Codes of the empty platform.
    #[arg(long, value_name = "PATH")]
    pub empty: PathBuf,
    /// The reference mass that sets the span.
    #[arg(long, value_name = "MG:U=PATH", value_parser = crate::weigh::reference_load)]
    pub reference: ReferenceLoad,
    /// A mass that must lie on the line between empty and reference; may be given again.
    #[arg(long, value_name = "MG:U=PATH", value_parser = crate::weigh::reference_load)]
    pub check: Vec<ReferenceLoad>,
    /// The cell's log of calibrations; made if there is none.
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
    /// Who calibrates.
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Temperature of the cell, degrees Celsius.
    #[arg(long, value_name = "C", allow_negative_numbers = true)]
    pub temperature_c: Option<f64>,
    /// The cell's file, where it streams samples: it gets the span and CAL, and says CFG.
    #[arg(long, value_name = "FILE")]
    pub cell: Option<PathBuf>,
}

/// A reference mass and the codes while it lay on the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceLoad {
    /// Mass, mg.
    pub mass_mg: f64,
    /// Its standard uncertainty, mg.
    pub u_mg: f64,
    /// File of codes, or folder of a recording.
    pub path: PathBuf,
}

/// What to calibrate.
#[derive(Debug, Subcommand)]
pub enum CalibrateCommand {
    /// Encoder ticks a metre, from a pearl's passage between two stations of known distance.
    Ticks(CalibrateArgs),
    /// Distance from the entry eye to each jet, from test pearls and drop eyes.
    Distances(CalibrateArgs),
    /// Each valve's lags, from test pearls at two belt speeds and drop eyes.
    Lags(CalibrateArgs),
    /// The line's other signals: each named, toggled, seen.
    Signals(CalibrateArgs),
    /// A weigh cell, by reference masses.
    Weigh(CalibrateWeighArgs),
    /// A camera station's scale and distortion from a ruled target, with dark and white references.
    Camera(CalibrateCameraArgs),
    /// Its colour, from a chart of chips.
    Colour(CalibrateColourArgs),
    /// Its lustre and surface, by the customer's master pearls.
    Masters(CalibrateMastersArgs),
    /// Whether it still measures the reference pearl as certified; an alarm (exit code 1) when it has drifted.
    Reference(CalibrateReferenceArgs),
}

/// Options of `calibrate camera`.
#[derive(Debug, Args)]
pub struct CalibrateCameraArgs {
    /// Folder with `target-top.png`, `target-left.png`, `target-right.png`: lines ruled across and along.
    #[arg(value_name = "DIR")]
    pub target: PathBuf,
    /// From one line of the target to the next, mm.
    #[arg(long, value_name = "MM", value_parser = pitch)]
    pub pitch_mm: f64,
    /// Relative standard uncertainty of that pitch.
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4)]
    pub u_pitch: f64,
    /// Folder with `dark-top.png` and so on, lens covered.
    #[arg(long, value_name = "DIR", requires = "white")]
    pub dark: Option<PathBuf>,
    /// Folder with views of a matt white sphere, named as `measure` wants them.
    #[arg(long, value_name = "DIR", requires = "dark")]
    pub white: Option<PathBuf>,
    /// Share of light that the sphere sends back.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    pub white_albedo: f32,
    /// The station's file; it is made where there is none.
    #[arg(long, value_name = "FILE")]
    pub station: PathBuf,
}

/// Options of `calibrate colour`.
#[derive(Debug, Args)]
pub struct CalibrateColourArgs {
    /// Folder with views of the chips, named as `measure` wants them.
    #[arg(value_name = "DIR")]
    pub chips: PathBuf,
    /// CSV of the chart with the columns id, L, a, b.
    #[arg(long, value_name = "FILE")]
    pub chart: PathBuf,
    /// The station's file.
    #[arg(long, value_name = "FILE")]
    pub station: PathBuf,
}

/// Options of `calibrate masters`.
#[derive(Debug, Args)]
pub struct CalibrateMastersArgs {
    /// Folder with views of the master pearls, named as `measure` wants them.
    #[arg(value_name = "DIR")]
    pub pearls: PathBuf,
    /// CSV with the columns id, lustre (0 to 100) and surface (class, 0 the best).
    #[arg(long, value_name = "FILE")]
    pub list: PathBuf,
    /// The station's file.
    #[arg(long, value_name = "FILE")]
    pub station: PathBuf,
}

/// Options of `calibrate reference`.
#[derive(Debug, Args)]
pub struct CalibrateReferenceArgs {
    /// Folder with views of the reference pearl, named as `measure` wants them.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Its name there.
    #[arg(long, value_name = "ID", default_value = "reference")]
    pub id: String,
    /// Its largest diameter as certified, mm.
    #[arg(long, value_name = "MM")]
    pub dmax_mm: f64,
    /// Its smallest diameter as certified, mm.
    #[arg(long, value_name = "MM")]
    pub dmin_mm: f64,
    /// Its colour as certified.
    #[arg(long, value_name = "L,a,b", value_parser = lab, allow_hyphen_values = true)]
    pub lab: Option<[f32; 3]>,
    /// Its lustre as certified, 0 to 10,000.
    #[arg(long, value_name = "LUSTRE")]
    pub lustre: Option<f64>,
    /// Take the scale that gives it its certified diameters, in place of the check.
    #[arg(long)]
    pub adopt: bool,
    /// Relative standard uncertainty of the certified diameters.
    #[arg(long, value_name = "SHARE", default_value_t = 2e-4)]
    pub u_relative: f64,
    /// The station's file.
    #[arg(long, value_name = "FILE")]
    pub station: PathBuf,
}

/// Options of `calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The machine's file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where the results and their residuals are kept [default: beside the machine's file, `line.calibration.json`].
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Where a board is, in place of what the machine's file says.
    #[arg(long, value_name = "NAME=PATH", value_parser = named_port)]
    pub port: Vec<(String, PathBuf)>,
    /// Lanes, from 0, such as 0,3; all without it.
    #[arg(long, value_name = "LANES", value_delimiter = ',')]
    pub lanes: Vec<u8>,
    /// Jets, from 1 in belt order, such as 1,2; all without it. `ticks` measures to the last of them.
    #[arg(long, value_name = "JETS", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=64))]
    pub jets: Vec<u64>,
    /// Belt speeds at which distances and lags are taken.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(2..=6))]
    pub speeds: u64,
    /// Pearls for each lane, jet or valve (at each speed), in place of the usual number.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub pearls: Option<u64>,
    /// `ticks`: what a ruler says of the distance, mm; without it you are asked.
    #[arg(long, value_name = "MM")]
    pub ruler_mm: Option<f64>,
    /// `ticks`: standard uncertainty of the ruler's distance, mm.
    #[arg(long, value_name = "MM", default_value_t = crate::calibrate::RULER_U_UM / 1e3)]
    pub ruler_u_mm: f64,
    /// Write what was found into the machine's file, comments kept. What has moved farther than things wear is left.
    #[arg(long)]
    pub write: bool,
    /// With --write: write it however far it has moved; somebody has looked at the machine.
    #[arg(long, requires = "write")]
    pub accept: bool,
}

fn named_port(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text
        .split_once('=')
        .ok_or_else(|| format!("write NAME=PATH, not {text}"))?;
    Ok((name.to_owned(), PathBuf::from(path)))
}

/// A speed and when it begins, s.
fn later_speed(text: &str) -> Result<(f64, f64), String> {
    let (metres, seconds) = text
        .split_once('@')
        .ok_or_else(|| format!("write SPEED@SECONDS such as 1.2@60, not {text}"))?;
    Ok((
        speed(metres)?,
        within(seconds, 0.0, 86_400.0, "seconds after the start")?,
    ))
}

fn rate(text: &str) -> Result<f64, String> {
    within(text, 0.1, 30.0, "pearls a second in a lane")
}

fn scale(text: &str) -> Result<f64, String> {
    within(text, 5.0, 100.0, "px/mm")
}

fn pitch(text: &str) -> Result<f64, String> {
    within(text, 0.1, 20.0, "mm")
}

fn lab(text: &str) -> Result<[f32; 3], String> {
    let parts: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    parts
        .ok()
        .and_then(|parts| parts.try_into().ok())
        .ok_or_else(|| format!("not three numbers: {text}"))
}

fn speed(text: &str) -> Result<f64, String> {
    within(text, 0.3, 3.0, "m/s")
}

fn within(text: &str, least: f64, most: f64, unit: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("not a number: {text}"))?;
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("must be {least} to {most} {unit}"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rates_and_speeds_outside_the_machine_are_refused_with_the_bound() {
        assert_eq!(rate("31").unwrap_err(), "must be 0.1 to 30 pearls a second in a lane");
        assert_eq!(speed("0.2").unwrap_err(), "must be 0.3 to 3 m/s");
        assert!(rate("NaN").is_err());
    }
}
