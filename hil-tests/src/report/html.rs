//! The report as one page of HTML that needs nothing else. Any thread.

use std::fmt::Write as _;

use super::{Cell, Report, escape};
use crate::runner::Outcome;
use crate::verdict::Verdict;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#1b2126;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.25rem .6rem;border-bottom:1px solid #d5dbe0;text-align:left;vertical-align:top}\
.matrix td,.matrix th{text-align:center}.matrix th:first-child{text-align:left}\
.passed,.ok{color:#116329}.failed,.no{color:#a40e26;font-weight:600}.error{color:#7a4b00;font-weight:600}\
details{margin:.4rem 0}summary{cursor:pointer}.wide{overflow-x:auto}\
@media(prefers-color-scheme:dark){body{background:#14181c;color:#e3e7ea}th,td{border-color:#39424a}.passed,.ok{color:#5fd083}\
.failed,.no{color:#ff8894}.error{color:#f0b869}}";

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>pearlsort: scenarios on rig {}</title><style>{STYLE}</style></head><body>\n<h1>Scenarios on rig {}</h1>\n",
        escape(report.manifest.rig.split(':').next().unwrap_or_default()),
        escape(&report.manifest.rig)
    );
    let _ = writeln!(
        text,
        "<p><span class=\"passed\">{} passed</span>, <span class=\"failed\">{} failed</span>, <span class=\"error\">{} \
         errors</span>, {} not for this rig</p>",
        report.count(Verdict::Passed),
        report.count(Verdict::Failed),
        report.count(Verdict::Error),
        report.skipped.len()
    );
    text.push_str("<h2>Run on</h2>\n<table>\n");
    for (name, value) in report.manifest.entries() {
        let _ = writeln!(
            text,
            "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>",
            escape(&value)
        );
    }
    text.push_str("</table>\n");
    matrix(&mut text, report);
    text.push_str("<h2>Runs</h2>\n");
    for outcome in &report.outcomes {
        run(&mut text, outcome);
    }
    if !report.skipped.is_empty() {
        text.push_str("<h2>Not for this rig</h2>\n<table>\n");
        for skipped in &report.skipped {
            let (name, why) = (escape(&skipped.scenario), escape(&skipped.why));
            let _ = writeln!(text, "<tr><th scope=\"row\">{name}</th><td>{why}</td></tr>");
        }
        text.push_str("</table>\n");
    }
    text.push_str("</body></html>\n");
    text
}

/// Requirement > scenario > result.
fn matrix(text: &mut String, report: &Report) {
    let requirements = report.requirements();
    text.push_str(
        "<h2>Requirements</h2>\n<div class=\"wide\"><table class=\"matrix\"><tr><th scope=\"col\">scenario</th>",
    );
    for requirement in &requirements {
        let (id, what) = (requirement.id, escape(requirement.text));
        let _ = write!(text, "<th scope=\"col\"><abbr title=\"{what}\">{id}</abbr></th>");
    }
    text.push_str("</tr>\n");
    for scenario in report.scenarios() {
        let _ = write!(text, "<tr><th scope=\"row\">{}</th>", escape(scenario));
        for requirement in &requirements {
            let (class, mark) = match report.cell(requirement.id, scenario) {
                Cell::None => ("", ""),
                Cell::Holds => ("ok", "holds"),
                Cell::Broken => ("no", "BROKEN"),
                Cell::Canary => ("ok", "broken, as it must be"),
                Cell::Error => ("error", "error"),
            };
            let _ = write!(text, "<td class=\"{class}\">{mark}</td>");
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table></div>\n<table>\n");
    for requirement in &requirements {
        let (id, what) = (requirement.id, escape(requirement.text));
        let _ = writeln!(text, "<tr><th scope=\"row\">{id}</th><td>{what}</td></tr>");
    }
    text.push_str("</table>\n");
}

fn run(text: &mut String, outcome: &Outcome) {
    let open = if outcome.verdict == Verdict::Passed {
        ""
    } else {
        " open"
    };
    let word = outcome.verdict.word();
    let _ = writeln!(
        text,
        "<details{open}><summary><span class=\"{word}\">{word}</span> {} (seed {}, {:.1} s)</summary>\n<p>{}</p>",
        escape(&outcome.scenario),
        outcome.seed,
        outcome.wall_s,
        escape(&outcome.about)
    );
    for message in &outcome.messages {
        let _ = writeln!(text, "<p>{}</p>", escape(message));
    }
    text.push_str("<table><tr><th>requirement</th><th>limit</th><th>seen</th><th></th></tr>\n");
    for finding in &outcome.findings {
        let (class, mark) = if finding.holds {
            ("ok", "holds")
        } else {
            ("no", "BROKEN")
        };
        let (id, limit, seen) = (finding.requirement, escape(&finding.limit), escape(&finding.seen));
        let _ = writeln!(
            text,
            "<tr><td>{id}</td><td>{limit}</td><td>{seen}</td><td class=\"{class}\">{mark}</td></tr>"
        );
    }
    text.push_str("</table></details>\n");
}
