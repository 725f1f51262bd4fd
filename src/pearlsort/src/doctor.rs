//! `pearlsort doctor`: what this computer gives a line, with a latency run and a verdict, and what to change. Cold.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rt::histogram::Histogram;
use rt::latency::{self, LatencySpec, Verdict};
use rt::survey::{self, Finding, Grade, Topic};
use rt::thread::{self, Grant};

use crate::cli::DoctorArgs;
use crate::exit::Exit;
use crate::topology::{self, Priority};

/// Time between two wakes of the latency run; cyclictest's.
const PERIOD_US: u32 = 1000;

/// Looks, measures, prints. Exits with 1 when the verdict is no.
///
/// # Errors
/// When no thread can be started.
pub fn doctor(arguments: &DoctorArgs) -> Result<ExitCode> {
    let mut findings = survey::computer();
    for port in &arguments.ports {
        findings.extend(survey::serial_port(port));
    }
    let guard = thread::hold_cpu_latency();
    let (lateness_ns, grants) = measure(arguments.seconds, arguments.json)?;
    let worst_us = lateness_ns.max().unwrap_or(0).div_ceil(1000);
    let verdict = Verdict::of(worst_us);
    if arguments.json {
        print_json(&findings, &lateness_ns, verdict);
    } else {
        print_findings(&findings);
        if let Err(refused) = &guard {
            println!("  fair     {refused}");
        }
        for refused in grants.iter().filter_map(|grant| grant.as_ref().err()) {
            println!("  poor     {refused}");
        }
        print_verdict(&lateness_ns, arguments.seconds, verdict);
    }
    Ok(if verdict == Verdict::Refuse {
        ExitCode::from(Exit::Verdict as u8)
    } else {
        ExitCode::SUCCESS
    })
}

/// The latency run on the hot thread's core and at its priority.
fn measure(seconds: u64, quiet: bool) -> Result<(Histogram, Vec<Grant>)> {
    let wakes = u32::try_from(seconds * 1_000_000 / u64::from(PERIOD_US)).context("the run is too long")?;
    let priority = match topology::HOT.priority {
        Priority::Fifo(level) => Some(level),
        Priority::Ordinary => None,
    };
    let spec = LatencySpec {
        wakes,
        period_us: PERIOD_US,
        priority,
        core: topology::HOT.core.number(),
    };
    let mut run = latency::start(spec).context("the latency run's thread could not be started")?;
    let bar = if quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(u64::from(wakes))
    };
    bar.set_style(
        ProgressStyle::with_template("latency run {bar:30} {percent:>3} %  worst so far {msg}")
            .context("the progress bar's template is wrong")?,
    );
    while !run.is_finished() {
        let so_far = run.so_far_ns();
        bar.set_position(so_far.count());
        bar.set_message(format!("{} us", so_far.max().unwrap_or(0) / 1000));
        std::thread::sleep(Duration::from_millis(200));
    }
    bar.finish_and_clear();
    let grants = std::mem::take(&mut run.grants);
    Ok((run.finish_ns(), grants))
}

fn print_findings(findings: &[Finding]) {
    println!("What this computer gives a line:");
    for finding in findings {
        println!(
            "  {:<8} {}: {}",
            grade_name(finding.grade),
            topic_name(&finding.topic),
            finding.found
        );
        if let Some(change) = finding.change {
            println!("           -> {change}");
        }
    }
}

fn print_verdict(lateness_ns: &Histogram, seconds: u64, verdict: Verdict) {
    let us = |q: f64| lateness_ns.quantile(q).unwrap_or(0) as f64 / 1000.0;
    let worst_us = lateness_ns.max().unwrap_or(0) as f64 / 1000.0;
    println!();
    println!("Latency of {} wakes in {seconds} s, us:", lateness_ns.count());
    println!(
        "  p50 {:.0}   p99 {:.0}   p99.9 {:.0}   worst {worst_us:.0}",
        us(0.5),
        us(0.99),
        us(0.999)
    );
    println!("Verdict: {}", verdict_text(verdict));
}

fn print_json(findings: &[Finding], lateness_ns: &Histogram, verdict: Verdict) {
    let us = |q: f64| lateness_ns.quantile(q).unwrap_or(0) as f64 / 1000.0;
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "topic": topic_name(&finding.topic),
                "found": finding.found,
                "grade": grade_name(finding.grade),
                "change": finding.change,
            })
        })
        .collect();
    let figures = serde_json::json!({
        "findings": findings,
        "latency_us": {
            "wakes": lateness_ns.count(),
            "p50": us(0.5),
            "p99": us(0.99),
            "p99_9": us(0.999),
            "max": lateness_ns.max().unwrap_or(0) as f64 / 1000.0,
        },
        "verdict": verdict_name(verdict),
    });
    println!("{figures:#}");
}

fn topic_name(topic: &Topic) -> String {
    match topic {
        Topic::Kernel => "kernel".to_owned(),
        Topic::Preemption => "preemption".to_owned(),
        Topic::Cores => "cores".to_owned(),
        Topic::Isolation => "isolated cores".to_owned(),
        Topic::Governor => "clock governor".to_owned(),
        Topic::IdleStates => "idle states".to_owned(),
        Topic::ClockSource => "clock source".to_owned(),
        Topic::PriorityLimit => "real-time priority".to_owned(),
        Topic::MemoryLimit => "locked memory".to_owned(),
        Topic::Throttling => "real-time throttling".to_owned(),
        Topic::Port(path) => format!("port {}", path.display()),
    }
}

fn grade_name(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "good",
        Grade::Fair => "fair",
        Grade::Poor => "poor",
        Grade::Unknown => "unknown",
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Excellent => "excellent",
        Verdict::Good => "good",
        Verdict::WithBoards => "with-boards",
        Verdict::Refuse => "refuse",
    }
}

fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Excellent => "excellent (worst below 20 us)",
        Verdict::Good => "good (worst below 50 us)",
        Verdict::WithBoards => "fit for a line: field boards keep the time (worst below 500 us)",
        Verdict::Refuse => {
            "not fit as it is (worst above 500 us). Orders go out 60 ms ahead, so the line will run, but stalls of this \
             kind grow under load and end in late orders. Change what is marked above, then measure again under load"
        }
    }
}
