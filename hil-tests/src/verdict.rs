//! What a scenario has shown: requirement by requirement, and the verdict. Cold.

use anyhow::Result;

/// How a scenario ended; the worse ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Every requirement was met.
    Passed = 0,
    /// A requirement was not met.
    Failed = 1,
    /// The rig did not work, so nothing was shown.
    Error = 2,
}

/// One requirement and what was seen.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What must hold.
    pub(crate) requirement: &'static str,
    /// What was seen.
    pub(crate) seen: String,
    /// Whether it held.
    pub(crate) holds: bool,
}

/// Prints a scenario's findings and gives its verdict.
pub(crate) fn print(scenario: &str, seed: u64, findings: Result<Vec<Finding>>) -> Verdict {
    match findings {
        Err(error) => {
            println!("{scenario} (seed {seed}): error: {error:#}");
            Verdict::Error
        }
        Ok(findings) => {
            let verdict = if findings.iter().all(|finding| finding.holds) {
                Verdict::Passed
            } else {
                Verdict::Failed
            };
            println!(
                "{scenario} (seed {seed}): {}",
                if verdict == Verdict::Passed { "passed" } else { "FAILED" }
            );
            for finding in findings {
                let mark = if finding.holds { "holds " } else { "BROKEN" };
                println!("  {mark}  {}: {}", finding.requirement, finding.seen);
            }
            verdict
        }
    }
}
