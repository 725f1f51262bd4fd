//! The report as JUnit XML, as most CI servers read it. Any thread.

use std::fmt::Write as _;

use super::{Report, escape};
use crate::verdict::Verdict;

/// A suite with a case a run.
#[must_use]
pub fn junit(report: &Report) -> String {
    let rig = report.manifest.rig.split(':').next().unwrap_or_default();
    let wall_s: f64 = report.outcomes.iter().map(|outcome| outcome.wall_s).sum();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        text,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{wall_s:.3}\" timestamp=\"{}\">",
        escape(rig),
        report.outcomes.len() + report.skipped.len(),
        report.count(Verdict::Failed),
        report.count(Verdict::Error),
        report.skipped.len(),
        report.manifest.when.trim_end_matches('Z'),
    );
    text.push_str("<properties>\n");
    for (name, value) in report.manifest.entries() {
        let _ = writeln!(text, "<property name=\"{name}\" value=\"{}\"/>", escape(&value));
    }
    text.push_str("</properties>\n");
    for outcome in &report.outcomes {
        let _ = write!(
            text,
            "<testcase classname=\"{}\" name=\"{} (seed {})\" time=\"{:.3}\">",
            escape(rig),
            escape(&outcome.scenario),
            outcome.seed,
            outcome.wall_s
        );
        let broken: Vec<String> = outcome
            .findings
            .iter()
            .filter(|finding| !finding.holds)
            .map(|finding| format!("{}: {}, seen {}", finding.requirement, finding.limit, finding.seen))
            .chain(outcome.messages.iter().cloned())
            .collect();
        let element = match outcome.verdict {
            Verdict::Passed => None,
            Verdict::Failed => Some("failure"),
            Verdict::Error => Some("error"),
        };
        if let Some(element) = element {
            let first = broken.first().map_or("", String::as_str);
            let _ = write!(
                text,
                "<{element} message=\"{}\">{}</{element}>",
                escape(first),
                escape(&broken.join("\n"))
            );
        }
        let lines: Vec<String> = outcome
            .findings
            .iter()
            .map(|finding| format!("{}: {}, seen {}", finding.requirement, finding.limit, finding.seen))
            .collect();
        let _ = writeln!(
            text,
            "<system-out>{}</system-out></testcase>",
            escape(&lines.join("\n"))
        );
    }
    for skipped in &report.skipped {
        let _ = writeln!(
            text,
            "<testcase classname=\"{}\" name=\"{}\"><skipped message=\"{}\"/></testcase>",
            escape(rig),
            escape(&skipped.scenario),
            escape(&skipped.why)
        );
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}
