//! What is told of a run: a table for people, JUnit XML and JSON for machines, HTML for customers. Any thread.

mod html;
mod junit;
mod table;

use serde::Serialize;

use crate::manifest::Manifest;
use crate::requirements;
use crate::runner::{Outcome, Skipped};
use crate::verdict::Verdict;

pub use html::html;
pub use junit::junit;
pub use table::{progress, table};

/// All that is told.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it was run on.
    pub manifest: Manifest,
    /// Every run, in order.
    pub outcomes: Vec<Outcome>,
    /// Scenarios that the rig can't run.
    pub skipped: Vec<Skipped>,
}

/// A cell of the matrix requirement > scenario > result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The scenario has no limit of the requirement.
    None,
    /// Every limit of it held in every run.
    Holds,
    /// One did not.
    Broken,
    /// One did not, as a canary's must.
    Canary,
    /// Nothing was shown.
    Error,
}

impl Report {
    /// Runs that ended with a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.verdict == verdict)
            .count()
    }

    /// Scenarios in order, each once.
    #[must_use]
    pub fn scenarios(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for outcome in &self.outcomes {
            if names.last() != Some(&outcome.scenario.as_str()) {
                names.push(&outcome.scenario);
            }
        }
        names
    }

    /// Requirements that a limit of these runs is of.
    #[must_use]
    pub fn requirements(&self) -> Vec<requirements::Requirement> {
        let of = |id: &str| {
            let mut findings = self.outcomes.iter().flat_map(|outcome| &outcome.findings);
            findings.any(|finding| finding.requirement == id)
        };
        requirements::all()
            .iter()
            .copied()
            .filter(|requirement| of(requirement.id))
            .collect()
    }

    /// What a scenario has shown of a requirement.
    #[must_use]
    pub fn cell(&self, requirement: &str, scenario: &str) -> Cell {
        let mut cell = Cell::None;
        for outcome in self.outcomes.iter().filter(|outcome| outcome.scenario == scenario) {
            if outcome.findings.is_empty() {
                return Cell::Error;
            }
            for finding in outcome
                .findings
                .iter()
                .filter(|finding| finding.requirement == requirement)
            {
                cell = match (finding.holds, outcome.is_canary()) {
                    (false, false) => return Cell::Broken,
                    (false, true) => Cell::Canary,
                    (true, _) if cell == Cell::None => Cell::Holds,
                    (true, _) => cell,
                };
            }
        }
        cell
    }
}

/// Text without what XML and HTML would take for their own.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            // XML 1.0 has no other control characters, not even escaped.
            c if c.is_control() => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
