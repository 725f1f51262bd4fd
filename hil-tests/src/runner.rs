//! Runs scenarios on a rig, several at once where the rig is not bound to real time, and gathers what they have shown.
//!
//! Cold; a thread for each run that goes on.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::broken::Break;
use crate::rig::{Engine, Rig};
use crate::rigs::{self, Job};
use crate::scenario::{Scenario, ScenarioError};
use crate::verdict::{Finding, Verdict};

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// On what.
    pub rig: Rig,
    /// Scenarios, and files that are none.
    pub scenarios: Vec<(String, Result<Scenario, ScenarioError>)>,
    /// Scenarios that the rig's machine can't have.
    pub skipped: Vec<Skipped>,
    /// Seed of each first run, in place of the scenario's.
    pub seed: Option<u64>,
    /// Runs of each scenario; each has the next seed.
    pub repeat: u64,
    /// Folder for traces.
    pub trace: Option<PathBuf>,
    /// What is broken in every core.
    pub breaks: Option<Break>,
    /// The shipped program.
    pub program: PathBuf,
    /// Runs at once; without a number one a processor in virtual time, one alone in real time.
    pub jobs: Option<usize>,
}

/// What one run has come to.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The scenario.
    pub scenario: String,
    /// What it shows.
    pub about: String,
    /// The run's seed.
    pub seed: u64,
    /// Whether what was expected came: a canary's run must fail.
    pub verdict: Verdict,
    /// Limit by limit.
    pub findings: Vec<Finding>,
    /// Why the verdict is what it is, in words, where findings do not say.
    pub messages: Vec<String>,
    /// The judge's figures.
    pub summary: Option<sim::summary::Summary>,
    /// What the boards say that they are.
    pub boards: Vec<String>,
    /// Wall time, s.
    pub wall_s: f64,
}

/// A scenario that was not run, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// The scenario.
    pub scenario: String,
    /// Why.
    pub why: String,
}

/// Runs a plan; `progress` hears each outcome as it comes. Outcomes are in the plan's order.
pub fn run(plan: &Plan, progress: impl Fn(&Outcome) + Sync) -> (Vec<Outcome>, Vec<Skipped>) {
    let (mut jobs, mut skipped) = (VecDeque::new(), plan.skipped.clone());
    for (name, scenario) in &plan.scenarios {
        match scenario {
            Ok(scenario) => match plan.rig.lacks(scenario) {
                Some(why) => skipped.push(Skipped {
                    scenario: name.clone(),
                    why,
                }),
                None => {
                    let first = plan.seed.unwrap_or(scenario.seed);
                    for seed in first..first + plan.repeat {
                        jobs.push_back((jobs.len(), name, seed, Ok(scenario)));
                    }
                }
            },
            Err(error) => jobs.push_back((jobs.len(), name, 0, Err(error))),
        }
    }
    let usual = match plan.rig.engine {
        Engine::Virtual => std::thread::available_parallelism().map_or(1, usize::from),
        _ => 1,
    };
    let workers = plan.jobs.unwrap_or(usual).max(1);
    let (queue, outcomes) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((place, name, seed, scenario)) = job else {
                        break;
                    };
                    let outcome = match scenario {
                        Ok(scenario) => run_one(plan, scenario, seed),
                        Err(error) => Outcome::error(name, seed, error.to_string()),
                    };
                    progress(&outcome);
                    let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    outcomes.push((place, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(place, _)| *place);
    (outcomes.into_iter().map(|(_, outcome)| outcome).collect(), skipped)
}

/// Runs one scenario once.
#[must_use]
pub fn run_one(plan: &Plan, scenario: &Scenario, seed: u64) -> Outcome {
    let job = Job {
        scenario,
        seed,
        trace: plan.trace.clone(),
        breaks: plan.breaks,
        program: plan.program.clone(),
    };
    let began = Instant::now();
    let observed = match rigs::run(&plan.rig, &job) {
        Ok(observed) => observed,
        Err(error) => {
            let mut outcome = Outcome::error(&scenario.name, seed, format!("{error:#}"));
            outcome.about.clone_from(&scenario.about);
            outcome.wall_s = began.elapsed().as_secs_f64();
            return outcome;
        }
    };
    let findings: Vec<Finding> = scenario
        .limits
        .iter()
        .filter_map(|limit| {
            let (seen, holds) = limit.check(&observed)?;
            Some(Finding {
                requirement: limit.requirement,
                limit: limit.text(),
                seen,
                holds,
            })
        })
        .collect();
    let held = findings.iter().all(|finding| finding.holds);
    let shown = if held { Verdict::Passed } else { Verdict::Failed };
    let mut messages = Vec::new();
    let verdict = if findings.is_empty() {
        messages.push("no limit of the scenario can be seen on this rig".to_owned());
        Verdict::Error
    } else if shown == scenario.expect {
        if scenario.expect == Verdict::Failed {
            messages.push("failed, as it must: the runner finds out what is wrong".to_owned());
        }
        Verdict::Passed
    } else {
        if scenario.expect == Verdict::Failed {
            messages.push("A CANARY THAT MUST FAIL HAS PASSED: the runner checks nothing".to_owned());
        }
        Verdict::Failed
    };
    if verdict != Verdict::Passed {
        messages.extend(observed.complaints.clone());
    }
    Outcome {
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        seed,
        verdict,
        findings,
        messages,
        summary: observed.summary,
        boards: observed.boards,
        wall_s: began.elapsed().as_secs_f64(),
    }
}

impl Outcome {
    /// A run that has shown nothing.
    fn error(scenario: &str, seed: u64, message: String) -> Self {
        Self {
            scenario: scenario.to_owned(),
            about: String::new(),
            seed,
            verdict: Verdict::Error,
            findings: Vec::new(),
            messages: vec![message],
            summary: None,
            boards: Vec::new(),
            wall_s: 0.0,
        }
    }

    /// Whether it was a canary that failed as it must.
    #[must_use]
    pub fn is_canary(&self) -> bool {
        self.verdict == Verdict::Passed && self.findings.iter().any(|finding| !finding.holds)
    }

    /// The worst verdict of several; an empty list has shown nothing.
    #[must_use]
    pub fn worst(outcomes: &[Self]) -> Verdict {
        outcomes
            .iter()
            .map(|outcome| outcome.verdict)
            .max()
            .unwrap_or(Verdict::Error)
    }
}
