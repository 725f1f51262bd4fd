//! The form of a scenario's file, and from it the scenario. Any thread.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use line::Command;
use serde::Deserialize;
use sim::belt::SpeedChange;
use sim::demo::Machine;
use sim::faults::{Fault, FaultPlan, TimedFault};
use sim::nature::Nature;
use toml::Spanned;
use units::BinId;

use super::faults::{self, RawFault};
use super::place::instead;
use super::{Length, Scenario, ScenarioError, limits, name_of};
use crate::broken::Break;
use crate::rig::Capability;
use crate::verdict::Verdict;

/// Machine of a scenario that names none, beside the scenarios' folder.
const MACHINE: &str = "../config/line.toml";
/// Longest time that pearls are laid in real time when the file says nothing else, s.
const REAL_SECONDS: f64 = 10.0;
/// Bounds of what a file may ask for.
const SECONDS: (f64, f64) = (0.1, 100_000.0);
const RATE: (f64, f64) = (0.1, 30.0);
const SPEED: (f64, f64) = (0.05, 3.0);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    kind: Spanned<String>,
    about: String,
    #[serde(default)]
    expect: Option<Spanned<String>>,
    #[serde(default)]
    broken: Option<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    #[serde(default)]
    line: RawLine,
    pearls: RawPearls,
    #[serde(default)]
    fault: Vec<Spanned<RawFault>>,
    #[serde(default)]
    action: Vec<Spanned<RawAction>>,
    #[serde(default)]
    limits: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<f64>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawLine {
    config: Option<Spanned<PathBuf>>,
    recipe: Option<Spanned<PathBuf>>,
    speed_m_s: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPearls {
    #[serde(default)]
    seed: Option<u64>,
    rate: Spanned<f64>,
    seconds: Spanned<f64>,
    real_seconds: Option<Spanned<f64>>,
    #[serde(default)]
    mix: RawMix,
}

/// What may be changed about the line's nature, in shares of pearls and millimetres.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawMix {
    doubles: Option<f64>,
    touching: Option<f64>,
    missed_triggers: Option<f64>,
    doubled_triggers: Option<f64>,
    slips: Option<f64>,
    falls: Option<f64>,
    roll_mm: Option<f64>,
    least_gap: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawAction {
    action: String,
    at_s: f64,
    bin: Option<u8>,
    speed_m_s: Option<f64>,
    ramp_s: Option<f64>,
}

/// What an operator can do, with what it needs.
const ACTIONS: &[(&str, &[&str])] = &[
    ("start", &[]),
    ("hold", &[]),
    ("stop", &[]),
    ("acknowledge", &[]),
    ("inhibit", &["bin"]),
    ("allow", &["bin"]),
    ("release", &["bin"]),
    ("belt-speed", &["speed-m-s", "ramp-s"]),
];

/// A file that is read: to point into it.
pub(super) struct Reading<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) line: &'a config::Line,
    /// Bins that the recipe fills, from 1.
    pub(super) bins: Vec<u8>,
}

impl Reading<'_> {
    pub(super) fn wrong(&self, span: &Range<usize>, message: impl Into<String>) -> ScenarioError {
        ScenarioError::at(self.path, self.text, span, message)
    }

    /// A bin that the recipe fills, by its number from 1.
    pub(super) fn bin(&self, span: &Range<usize>, number: u8) -> Result<BinId, ScenarioError> {
        if self.bins.contains(&number) {
            return Ok(BinId(number - 1));
        }
        let bins: Vec<String> = self.bins.iter().map(u8::to_string).collect();
        Err(self.wrong(
            span,
            format!("the recipe has no bin {number}: it fills bins {}", bins.join(", ")),
        ))
    }

    fn within(&self, value: &Spanned<f64>, (least, most): (f64, f64), what: &str) -> Result<f64, ScenarioError> {
        let number = *value.get_ref();
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        let message = format!("{what} is {number}, must be {least} to {most}");
        Err(self.wrong(&value.span(), message))
    }
}

/// Reads the text of a scenario's file.
pub(super) fn read(path: &Path, text: &str, own: Option<&Path>) -> Result<Scenario, ScenarioError> {
    let raw: Raw = toml::from_str(text).map_err(|error| ScenarioError::toml(path, text, &error))?;
    if raw.kind.get_ref() != "scenario" {
        let message = format!("kind is \"{}\": write kind = \"scenario\"", raw.kind.get_ref());
        return Err(ScenarioError::at(path, text, &raw.kind.span(), message));
    }
    let (config, recipe, line, loaded) = machine(path, text, &raw.line, own)?;
    let reading = Reading {
        path,
        text,
        line: &line,
        bins: loaded.bins.iter().map(|bin| bin.bin.0 + 1).collect(),
    };
    let um_s = match &raw.line.speed_m_s {
        Some(speed) => whole(reading.within(speed, SPEED, "the belt's speed")? * 1e6),
        None => 1_000_000,
    };
    let no_pearls = *raw.pearls.rate.get_ref() == 0.0;
    let rate = if no_pearls {
        RATE.0
    } else {
        reading.within(&raw.pearls.rate, RATE, "the rate")?
    };
    let length = length(&reading, &raw.pearls)?;
    let mut faults = FaultPlan::none();
    let mut host_faults = Vec::new();
    for fault in &raw.fault {
        match faults::read(&reading, fault)? {
            faults::Read::Line(fault) => faults.faults.push(fault),
            faults::Read::Host(fault) => host_faults.push(fault),
        }
    }
    let mut commands = Vec::new();
    for action in &raw.action {
        act(&reading, action, &mut faults, &mut commands)?;
    }
    commands.sort_by_key(|(us, _)| *us);
    let breaks = raw.broken.as_ref().map(|name| broken(&reading, name)).transpose()?;
    let mut needs = needs(&faults, &host_faults, &commands, breaks);
    // Without pearls virtual time has nothing to come to an end of.
    needs.insert(if no_pearls {
        Capability::RealTime
    } else {
        Capability::Pearls
    });
    for name in &raw.needs {
        needs.insert(capability(&reading, name)?);
    }
    let machine = Machine {
        plan: line.plan.clone(),
        settings: line.settings.clone(),
        rules: rules(&reading, &loaded)?,
    };
    Ok(Scenario {
        name: name_of(path),
        about: raw.about,
        expect: expected(&reading, raw.expect.as_ref())?,
        machine,
        recipe_hash: loaded.compiled.hash(),
        compiled: loaded.compiled.clone(),
        seed: raw.pearls.seed.unwrap_or(1),
        rate,
        most_pearls: if no_pearls { 0 } else { u64::MAX },
        um_s,
        nature: nature(&raw.pearls.mix),
        length,
        limits: limits::read(&reading, &raw.limits)?,
        config,
        recipe,
        faults,
        host_faults,
        commands,
        breaks,
        needs,
        line,
    })
}

/// A capability that a scenario names.
fn capability(reading: &Reading<'_>, name: &Spanned<String>) -> Result<Capability, ScenarioError> {
    Capability::find(name.get_ref()).ok_or_else(|| {
        let help = instead(name.get_ref(), &Capability::names());
        let message = format!("no rig knows the capability \"{}\": {help}", name.get_ref());
        reading.wrong(&name.span(), message)
    })
}

/// The machine's file and its recipe, from paths that begin at the scenario's folder; `own` is the rig's machine.
fn machine(
    path: &Path,
    text: &str,
    raw: &RawLine,
    own: Option<&Path>,
) -> Result<(PathBuf, PathBuf, config::Line, config::Recipe), ScenarioError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let span = |given: &Option<Spanned<PathBuf>>| given.as_ref().map_or(0..0, Spanned::span);
    let named = raw
        .config
        .as_ref()
        .map_or(Path::new(MACHINE), |path| path.get_ref().as_path());
    let config = match (own, &raw.config) {
        (Some(_), Some(config)) => {
            let message = "it names a machine of its own, the rig is another";
            return Err(ScenarioError::at(path, text, &config.span(), message));
        }
        (Some(own), None) => tidy(own),
        (None, _) => tidy(&folder.join(named)),
    };
    let wrong = |span: &Range<usize>, report: config::Report| {
        ScenarioError::at(path, text, span, format!("the file that it names is wrong:\n{report}"))
    };
    let line = config::load_line(&config).map_err(|report| wrong(&span(&raw.config), report))?;
    let recipe = match (&raw.recipe, &line.recipe) {
        (Some(given), _) => tidy(&folder.join(given.get_ref())),
        (None, Some(of_line)) => of_line.clone(),
        (None, None) => {
            let message = format!("{} names no recipe: write line.recipe here", config.display());
            return Err(ScenarioError::whole(path, message));
        }
    };
    let loaded = config::load_recipe(&recipe, &line).map_err(|report| wrong(&span(&raw.recipe), report))?;
    Ok((config, recipe, line, loaded))
}

/// A path without `folder/..`, as people would write it.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir && tidy.file_name().is_some() {
            tidy.pop();
        } else {
            tidy.push(part);
        }
    }
    tidy
}

/// The recipe's rules, as the judge repeats them.
fn rules(reading: &Reading<'_>, recipe: &config::Recipe) -> Result<Vec<line::grade::Rule>, ScenarioError> {
    recipe.plain_rules().ok_or_else(|| {
        let message = "the judge can't repeat the recipe's grades: it needs one without guard bands and without bins for \
                       some lanes only, such as hil-tests/config/by-size.toml";
        ScenarioError::whole(reading.path, message)
    })
}

fn length(reading: &Reading<'_>, raw: &RawPearls) -> Result<Length, ScenarioError> {
    let seconds = reading.within(&raw.seconds, SECONDS, "the time for which pearls are laid")?;
    let real_seconds = match &raw.real_seconds {
        Some(real) => reading.within(real, SECONDS, "the time for which pearls are laid")?,
        None => seconds.min(REAL_SECONDS),
    };
    Ok(Length { seconds, real_seconds })
}

fn nature(mix: &RawMix) -> Nature {
    let usual = Nature::default();
    Nature {
        doubles: mix.doubles.unwrap_or(usual.doubles),
        touching: mix.touching.unwrap_or(usual.touching),
        missed_trigger: mix.missed_triggers.unwrap_or(usual.missed_trigger),
        doubled_trigger: mix.doubled_triggers.unwrap_or(usual.doubled_trigger),
        slips: mix.slips.unwrap_or(usual.slips),
        falls: mix.falls.unwrap_or(usual.falls),
        roll_um: mix.roll_mm.map_or(usual.roll_um, |mm| mm * 1e3),
        least_gap: mix.least_gap.unwrap_or(usual.least_gap),
        ..usual
    }
}

fn expected(reading: &Reading<'_>, raw: Option<&Spanned<String>>) -> Result<Verdict, ScenarioError> {
    match raw.map(|word| (word.get_ref().as_str(), word.span())) {
        None | Some(("passed", _)) => Ok(Verdict::Passed),
        Some(("failed", _)) => Ok(Verdict::Failed),
        Some((other, span)) => {
            let message = format!("a scenario can't be expected to be \"{other}\": write \"passed\" or \"failed\"");
            Err(reading.wrong(&span, message))
        }
    }
}

fn broken(reading: &Reading<'_>, name: &Spanned<String>) -> Result<Break, ScenarioError> {
    Break::find(name.get_ref()).ok_or_else(|| {
        let help = instead(name.get_ref(), &Break::names());
        let message = format!("nothing that can be broken is called \"{}\": {help}", name.get_ref());
        reading.wrong(&name.span(), message)
    })
}

fn act(
    reading: &Reading<'_>,
    action: &Spanned<RawAction>,
    faults: &mut FaultPlan,
    commands: &mut Vec<(u64, Command)>,
) -> Result<(), ScenarioError> {
    let (raw, span) = (action.get_ref(), action.span());
    let given = [
        ("bin", raw.bin.is_some()),
        ("speed-m-s", raw.speed_m_s.is_some()),
        ("ramp-s", raw.ramp_s.is_some()),
    ];
    faults::check_keys(reading, &span, "action", &raw.action, ACTIONS, &given)?;
    let us = faults::time(reading, &span, "at-s", raw.at_s)?;
    let bin = || reading.bin(&span, raw.bin.unwrap_or(0));
    let command = match raw.action.as_str() {
        "start" => Command::Start,
        "hold" => Command::Hold,
        "stop" => Command::Stop,
        "acknowledge" => Command::Acknowledge,
        "inhibit" => Command::Inhibit { bin: bin()?, on: true },
        "allow" => Command::Inhibit { bin: bin()?, on: false },
        "release" => Command::Release { bin: bin()? },
        _ => {
            let ramp_us = faults::time(reading, &span, "ramp-s", raw.ramp_s.unwrap_or(0.0))?;
            let speed = raw.speed_m_s.unwrap_or(0.0);
            if !(-SPEED.1..=SPEED.1).contains(&speed) {
                let message = format!("speed-m-s is {speed}, must be {} to {}", -SPEED.1, SPEED.1);
                return Err(reading.wrong(&span, message));
            }
            let um_s = speed * 1e6;
            faults.faults.push(TimedFault {
                from_us: us,
                until_us: us + ramp_us,
                fault: Fault::Speed(SpeedChange {
                    at_us: 0,
                    ramp_us,
                    um_s,
                }),
            });
            return Ok(());
        }
    };
    commands.push((us, command));
    Ok(())
}

/// What a rig must be able to do for this.
fn needs(
    faults: &FaultPlan,
    host_faults: &[(u64, u64, super::HostFault)],
    commands: &[(u64, Command)],
    breaks: Option<Break>,
) -> BTreeSet<Capability> {
    let mut needs: BTreeSet<Capability> = faults.faults.iter().map(|timed| Capability::of(&timed.fault)).collect();
    needs.extend(host_faults.iter().map(|(_, _, fault)| match fault {
        super::HostFault::DiskFull => Capability::Disk,
        super::HostFault::Killed => Capability::Program,
    }));
    if !commands.is_empty() {
        needs.insert(Capability::Commands);
    }
    if breaks.is_some() {
        needs.insert(Capability::BrokenCore);
    }
    needs
}

#[expect(clippy::cast_possible_truncation, reason = "bounded above")]
fn whole(value: f64) -> i32 {
    value.round() as i32
}
