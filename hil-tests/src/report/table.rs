//! Progress and the table at the end, for people at a terminal. Any thread.

use std::fmt::Write as _;

use super::{Cell, Report};
use crate::runner::Outcome;
use crate::verdict::Verdict;

/// One line on a run that has ended; more when it has not passed.
#[must_use]
pub fn progress(outcome: &Outcome) -> String {
    let mut text = format!(
        "{:<7} {} (seed {}, {:.1} s)",
        outcome.verdict.word(),
        outcome.scenario,
        outcome.seed,
        outcome.wall_s
    );
    if outcome.verdict == Verdict::Passed {
        return text;
    }
    for finding in outcome.findings.iter().filter(|finding| !finding.holds) {
        let _ = write!(
            text,
            "\n        {}: {}, seen {}",
            finding.requirement, finding.limit, finding.seen
        );
    }
    for message in outcome.messages.iter().take(8) {
        let _ = write!(text, "\n        {message}");
    }
    text
}

/// The matrix, what was left out, and the sums.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let scenarios = report.scenarios();
    let width = scenarios.iter().map(|name| name.len()).max().unwrap_or(0).max(8);
    let requirements = report.requirements();
    let _ = write!(text, "{:<width$}  verdict", "scenario");
    for requirement in &requirements {
        let _ = write!(text, " {:>3}", requirement.id);
    }
    text.push('\n');
    for name in &scenarios {
        let runs: Vec<&Outcome> = report
            .outcomes
            .iter()
            .filter(|outcome| outcome.scenario == *name)
            .collect();
        let worst = runs
            .iter()
            .map(|outcome| outcome.verdict)
            .max()
            .unwrap_or(Verdict::Error);
        let _ = write!(text, "{name:<width$}  {:<7}", worst.word());
        for requirement in &requirements {
            let mark = match report.cell(requirement.id, name) {
                Cell::None => ".",
                Cell::Holds => "ok",
                Cell::Broken => "NO",
                Cell::Canary => "no*",
                Cell::Error => "?",
            };
            let _ = write!(text, " {mark:>3}");
        }
        text.push('\n');
    }
    if report.outcomes.iter().any(Outcome::is_canary) {
        text.push_str("* a canary: it must fail, and did\n");
    }
    for requirement in &requirements {
        let _ = writeln!(text, "{:>4}  {}", requirement.id, requirement.text);
    }
    for skipped in &report.skipped {
        let _ = writeln!(text, "not run: {} {}", skipped.scenario, skipped.why);
    }
    let _ = writeln!(
        text,
        "{} passed, {} failed, {} errors, {} scenarios not for this rig",
        report.count(Verdict::Passed),
        report.count(Verdict::Failed),
        report.count(Verdict::Error),
        report.skipped.len()
    );
    text
}
