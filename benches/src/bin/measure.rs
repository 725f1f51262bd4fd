//! `measure`: capacity and decision latency of every contender, interleaved and repeated, as JSON and as the page on
//! performance. `performance.sh` beside this package runs it with everything that goes onto the page.

use std::{collections::BTreeMap, error::Error, fs, path::PathBuf};

use benches::{
    belt::Belt,
    capacity,
    contender::{Conditions, Contender, all},
    latency::{self, Quantiles},
    limits::{LATENCY_RATE, OUTSTANDING, PRIORITY},
    orders,
    page::{self, Beside},
    report::{Entry, Latency, Report},
};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rt::{
    latency::LatencySpec,
    survey,
    thread::{CpuLatencyGuard, Refused, hold_cpu_latency},
};

/// Counts what the daemon's hot thread allocates while it is measured: it must be nothing.
#[global_allocator]
static ALLOCATOR: rt::alloc::CountingAllocator = rt::alloc::CountingAllocator;

/// Measure pearlsort, its peers, the bare floor and the shapes of a hot side over pseudo-terminals.
#[derive(Parser)]
struct Options {
    /// Length of one measurement in seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often each measurement is repeated; the tables show medians.
    #[arg(long, default_value_t = 5)]
    repeats: u32,
    /// Measure only contenders whose name contains one of these.
    #[arg(long)]
    only: Vec<String>,
    /// Measure latency alone.
    #[arg(long)]
    latency: bool,
    /// The Python interpreter of the pyserial peers.
    #[arg(long, default_value = "python3")]
    python: String,
    /// Write every figure here as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the page here as markdown, instead of to standard output.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Make the page of figures written by `--json` before, instead of measuring.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Folder with other programs' results for the page: demo.json, virtual.json, core.txt, weighing.csv, criterion/.
    #[arg(long)]
    beside: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let report = match &options.from {
        Some(path) => serde_json::from_str(&fs::read_to_string(path)?)?,
        None => measured(&options)?,
    };
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    let beside = options.beside.as_deref().map_or_else(Beside::default, Beside::read);
    let page = page::markdown(&report, &beside);
    match &options.markdown {
        Some(path) => fs::write(path, page)?,
        None => print!("{page}"),
    }
    Ok(())
}

fn measured(options: &Options) -> Result<Report, Box<dyn Error>> {
    let mut contenders = all(&options.python);
    if !options.only.is_empty() {
        contenders.retain(|contender| options.only.iter().any(|part| contender.name().contains(part.as_str())));
    }
    run(options, &contenders)
}

fn run(options: &Options, contenders: &[Box<dyn Contender>]) -> Result<Report, Box<dyn Error>> {
    let describe = |contender: &dyn Contender| Entry {
        name: contender.name().to_owned(),
        what: contender.what().to_owned(),
        ..Entry::default()
    };
    let mut report = Report {
        computer: computer(),
        refused: refused_rights(),
        repeats: options.repeats,
        seconds: options.seconds,
        outstanding: OUTSTANDING,
        rate: LATENCY_RATE,
        contenders: contenders
            .iter()
            .map(|contender| describe(contender.as_ref()))
            .collect(),
        order_bytes: orders::measure(),
        wake_up: Latency::default(),
    };
    let steps = u64::from(options.repeats) * (contenders.len() as u64 * 3 + 2);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({eta} left)")?;
    let progress = ProgressBar::new(steps).with_style(style);
    for _ in 0..options.repeats {
        let held = hold_cpu_latency().ok();
        let capacities = if options.latency { &[][..] } else { contenders };
        for (contender, entry) in capacities.iter().zip(&mut report.contenders) {
            progress.set_message(format!("{}: capacity", entry.name));
            measure_capacity(contender.as_ref(), held.as_ref(), options.seconds, entry);
            progress.inc(1);
        }
        drop(held);
        for hold in [false, true] {
            let held = if hold { hold_cpu_latency().ok() } else { None };
            if hold && held.is_none() {
                continue;
            }
            progress.set_message("wake-up");
            let wakes = wake_up(options.seconds)?;
            (if hold {
                &mut report.wake_up.held
            } else {
                &mut report.wake_up.free
            })
            .extend(wakes);
            progress.inc(1);
            for (contender, entry) in contenders.iter().zip(&mut report.contenders) {
                progress.set_message(format!("{}: latency", entry.name));
                measure_latency(contender.as_ref(), held.as_ref(), options.seconds, entry);
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    report.computer.insert("Load at the end".to_owned(), load());
    Ok(report)
}

fn measure_capacity(contender: &dyn Contender, held: Option<&CpuLatencyGuard>, seconds: f64, entry: &mut Entry) {
    let conditions = Conditions {
        hold_cpu_latency: held.is_some(),
        belt: Belt::FAST,
    };
    match capacity::measure(contender, &conditions, seconds) {
        Ok(measured) => {
            entry.pearls_per_s.push(measured.figure);
            measured.note.iter().for_each(|text| note(entry, text));
        }
        Err(trouble) => note(entry, &trouble.to_string()),
    }
}

fn measure_latency(contender: &dyn Contender, held: Option<&CpuLatencyGuard>, seconds: f64, entry: &mut Entry) {
    let conditions = Conditions {
        hold_cpu_latency: held.is_some(),
        belt: Belt::REAL,
    };
    let repeats = if held.is_some() {
        &mut entry.decision.held
    } else {
        &mut entry.decision.free
    };
    match latency::measure(contender, &conditions, seconds) {
        Ok(measured) => {
            repeats.extend(Quantiles::of_ns(&measured.figure));
            measured.note.iter().for_each(|text| note(entry, text));
        }
        Err(trouble) => note(entry, &trouble.to_string()),
    }
}

/// Keeps each note once.
fn note(entry: &mut Entry, text: &str) {
    if !entry.troubles.iter().any(|of| of == text) {
        entry.troubles.push(text.to_owned());
    }
}

/// How late a thread wakes at the contenders' priority, every millisecond.
fn wake_up(seconds: f64) -> Result<Option<Quantiles>, Box<dyn Error>> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive count"
    )]
    let wakes = (seconds * 1000.0).ceil() as u32;
    let run = rt::latency::start(LatencySpec {
        wakes,
        period_us: 1000,
        priority: Some(PRIORITY),
        core: None,
    })?;
    Ok(Quantiles::of_ns(&run.finish_ns()))
}

fn computer() -> BTreeMap<String, String> {
    let findings = survey::computer().into_iter();
    let mut computer: BTreeMap<_, _> = findings
        .map(|finding| (format!("{:?}", finding.topic), finding.found))
        .collect();
    computer.insert("Load at the start".to_owned(), load());
    computer
}

/// Programs that ran or wanted to, on average over the last minute: figures taken beside other work say little.
fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut fields = averages.split(' ');
    let load = fields.next().unwrap_or("unknown");
    format!("{load} (mean of a minute)")
}

/// What the measurements ask of the system and did not get.
fn refused_rights() -> Vec<String> {
    // On a thread of its own: the driver itself stays at ordinary priority.
    let priority = std::thread::spawn(|| rt::thread::set_fifo(PRIORITY).err())
        .join()
        .ok()
        .flatten();
    let latency = hold_cpu_latency().err();
    priority
        .into_iter()
        .chain(latency)
        .map(|refused: Refused| refused.to_string())
        .collect()
}
