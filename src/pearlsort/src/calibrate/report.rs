//! What was found, as lines for the operator, lines for the machine's file, and a run for the store. Cold.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use line::LinePlan;
use setup::commission::store::{Found, Refused, Run};
use setup::commission::{Distance, Figure, Lags, TicksAMetre};
use wire::Setting;

use super::jets::{JetAt, Outcome, configured, shift_um};
use super::signals::Tried;
use super::text;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// For the operator.
    pub lines: Vec<String>,
    /// For the machine's file.
    pub paste: String,
    /// For the store.
    pub results: Vec<Found>,
    /// For the store.
    pub refused: Vec<Refused>,
}

impl Report {
    fn refuse(&mut self, of: String, why: String) {
        self.lines.push(text::refused(&of, &why));
        self.refused.push(Refused { of, why });
    }

    /// What could not be tried at all.
    pub(super) fn cannot(&mut self, jets: &[(JetAt, &'static str)]) {
        for (at, why) in jets {
            self.refuse(text::jet_name(*at), (*why).to_owned());
        }
    }

    pub(super) fn ticks(found: Result<TicksAMetre, setup::commission::Refusal>, configured: f64) -> Self {
        let mut report = Self::default();
        match found {
            Ok(found) => {
                report.lines.push(text::ticks_line(&found, configured));
                if differs(found.ticks, configured) {
                    report.paste = format!("[belt]\nticks-per-metre = {:.0}\n", found.ticks.value);
                }
                report.results.push(Found::ticks("line", &found, configured));
            }
            Err(why) => report.refuse("ticks a metre".to_owned(), why.to_string()),
        }
        report
    }

    pub(super) fn distances(found: Outcome<Distance>, plan: &LinePlan) -> Self {
        let per_metre = f64::from(plan.ticks_per_metre.get());
        let mut report = Self::default();
        for (at, found) in found {
            match found {
                Ok(found) => {
                    let shift = shift_um(plan, at, found.at.value);
                    report
                        .lines
                        .push(text::distance_line(at, &found, shift, 1e6 / per_metre));
                    let configured_um = f64::from(plan.lanes[at.0.index()].jets[at.1].at_um);
                    if f64::from(shift.abs()) > 2.0 * found.at.u * 1e6 / per_metre {
                        trim(
                            &mut report.paste,
                            at,
                            &format!("shift-um = {shift}   {}", text::SHIFT_NOTE),
                        );
                    }
                    report
                        .results
                        .push(Found::distance(&text::jet_name(at), &found, configured_um, per_metre));
                }
                Err(why) => report.refuse(text::jet_name(at), why.to_string()),
            }
        }
        report
    }

    pub(super) fn lags(found: Outcome<Lags>, plan: &LinePlan, settings: &[Vec<Setting>]) -> Self {
        let mut report = Self::default();
        for (at, found) in found {
            let configured = configured(plan, settings, at);
            match found {
                Ok(found) => {
                    let shift = shift_um(plan, at, found.at.value);
                    report.lines.push(text::lags_line(at, &found, &configured, shift));
                    let mut keys = String::new();
                    if f64::from(shift.abs()) > 2.0 * found.at.u * 1e6 / configured.ticks_per_metre {
                        let _ = writeln!(keys, "shift-um = {shift}   {}", text::SHIFT_NOTE);
                    }
                    for (key, figure, file) in [
                        ("lag-on-us", found.on_us, configured.on_us),
                        ("lag-off-us", found.off_us, configured.off_us),
                    ] {
                        if differs(figure, file) {
                            let _ = writeln!(keys, "{key} = {:.0}", figure.value);
                        }
                    }
                    if !keys.is_empty() {
                        trim(&mut report.paste, at, keys.trim_end());
                    }
                    report
                        .results
                        .push(Found::lags(&text::jet_name(at), &found, &configured));
                }
                Err(why) => report.refuse(text::jet_name(at), why.to_string()),
            }
        }
        report
    }

    pub(super) fn signals(tried: Vec<Tried>) -> Self {
        let mut report = Self::default();
        for Tried { name, result } in tried {
            match result {
                Ok(seen) => {
                    report.lines.push(format!("{name}: {seen}"));
                    report.results.push(Found {
                        of: name,
                        values: Vec::new(),
                        n: 1,
                        rejected: 0,
                        residual_unit: String::new(),
                        residuals: Vec::new(),
                    });
                }
                Err(why) => report.refuse(name, why),
            }
        }
        report
    }

    /// The run that the store keeps.
    pub(super) fn run(&self, kind: &str, machine: &str, machine_text: &[u8], at: SystemTime) -> Run {
        Run {
            kind: kind.to_owned(),
            at: rfc3339(at),
            machine: machine.to_owned(),
            machine_crc32c: format!("{:08x}", wire::crc32c(machine_text)),
            results: self.results.clone(),
            refused: self.refused.clone(),
        }
    }
}

/// Whether a figure differs from the file's by more than twice its standard uncertainty.
fn differs(figure: Figure, configured: f64) -> bool {
    (figure.value - configured).abs() > 2.0 * figure.u
}

fn trim(paste: &mut String, (lane, jet): JetAt, keys: &str) {
    let _ = writeln!(paste, "[[trim]]\nlane = {}\njet = {}\n{keys}\n", lane.0, jet + 1);
}

/// A time as RFC 3339 has it, in UTC and whole seconds.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    store::time::utc(seconds.cast_signed())
}
