//! Diagnosis of a weigh cell from a recording: what its converter, its belt and its platform do, with a verdict on each.
//!
//! Cold threads. The spectrum is that of the innovations of a filter that knows the platform but no belt line: pearls and
//! ringing are gone from it, lines and noise are left.

use super::files::Recording;
use super::identify::{Identified, IdentifyError, identify};
use super::reading::run;
use super::spectrum::{Line, Spectrum, spectrum};
use super::svg::Chart;
use line::weigh::{BeltLines, Checks, Model};
use std::collections::HashSet;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Weighing works, but something should be seen to.
    Poor,
    /// Nothing can be weighed like this.
    Bad,
}

/// One thing found, in words, with what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found, and what to do.
    pub text: String,
}

/// A line of the spectrum and what it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedLine {
    /// The line; its amplitude is in mg.
    pub line: Line,
    /// Its likely source.
    pub name: String,
}

/// Everything that a diagnosis found.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// Samples in the recording.
    pub samples: usize,
    /// Length of the recording, s.
    pub seconds: f64,
    /// Samples a second.
    pub sample_hz: f64,
    /// Samples at an end of the converter's range.
    pub saturated: usize,
    /// Different codes.
    pub unique_codes: usize,
    /// Longest run of one code, samples.
    pub longest_run: usize,
    /// The platform and the noise, or why they were not found.
    pub platform: Result<Identified, IdentifyError>,
    /// Spectrum without the pearls, mg squared a Hz; of the raw signal when no platform was found.
    pub spectrum: Option<Spectrum>,
    /// Lines in it, strongest over noise first.
    pub lines: Vec<NamedLine>,
    /// Findings, worst first.
    pub findings: Vec<Finding>,
}

/// Lines that stand this many times over the noise around them are named.
const LINE_FACTOR: f64 = 8.0;
const LINE_FROM_HZ: f64 = 3.0;
const MOST_LINES: usize = 12;
/// Share by which a harmonic may miss its multiple.
const HARMONIC: f64 = 0.006;
const MAINS_HZ: [f64; 2] = [50.0, 60.0];
const MAINS_WITHIN_HZ: f64 = 0.15;

/// Diagnoses a cell.
#[must_use]
pub fn diagnose(recording: &Recording, checks: &Checks) -> Diagnosis {
    let platform = identify(recording, checks);
    let signal = match &platform {
        Ok(found) => without_pearls(recording, &found.model, checks),
        Err(_) => recording
            .samples
            .iter()
            .map(|&code| f64::from(code) / recording.counts_per_mg)
            .collect(),
    };
    let spectrum = spectrum(&signal, recording.sample_hz);
    let lines = spectrum
        .as_ref()
        .map_or_else(Vec::new, |s| named(s.lines(LINE_FROM_HZ, LINE_FACTOR)));
    let saturated = recording
        .samples
        .iter()
        .filter(|&&c| c <= checks.least_code || c >= checks.most_code)
        .count();
    let unique: HashSet<i32> = recording.samples.iter().copied().collect();
    let mut diagnosis = Diagnosis {
        samples: recording.samples.len(),
        seconds: recording.samples.len() as f64 / recording.sample_hz,
        sample_hz: recording.sample_hz,
        saturated,
        unique_codes: unique.len(),
        longest_run: recording
            .samples
            .chunk_by(|a, b| a == b)
            .map(<[i32]>::len)
            .max()
            .unwrap_or(0),
        platform,
        spectrum,
        lines,
        findings: Vec::new(),
    };
    diagnosis.findings = findings(&diagnosis, recording, checks);
    diagnosis
}

/// Innovations, mg, of a filter that knows everything but the belt's lines.
fn without_pearls(recording: &Recording, model: &Model, checks: &Checks) -> Vec<f64> {
    let blind = Model {
        lines: BeltLines::none(),
        ..*model
    };
    let open = Checks {
        outlier_sigmas: f64::INFINITY,
        ..*checks
    };
    let mut signal = vec![0.0; recording.samples.len()];
    let seen = run(
        recording,
        0..recording.samples.len(),
        &blind,
        &open,
        |index, innovation| {
            signal[index] = innovation.residual_mg;
        },
    );
    debug_assert!(seen.is_ok(), "an identified model runs");
    signal
}

fn named(mut lines: Vec<Line>) -> Vec<NamedLine> {
    lines.truncate(MOST_LINES);
    let name = |line: &Line| {
        for mains in MAINS_HZ {
            let multiple = (line.hz / mains).round();
            if multiple >= 1.0 && (line.hz - multiple * mains).abs() < MAINS_WITHIN_HZ {
                return format!("mains, {multiple} x {mains} Hz");
            }
        }
        let lowest = lines.iter().filter(|base| {
            let multiple = (line.hz / base.hz).round();
            multiple >= 2.0 && (line.hz / (multiple * base.hz) - 1.0).abs() < HARMONIC
        });
        match lowest.min_by(|a, b| a.hz.total_cmp(&b.hz)) {
            Some(base) => format!("{} x {:.2} Hz", (line.hz / base.hz).round(), base.hz),
            None => "belt or drive".to_owned(),
        }
    };
    let names: Vec<String> = lines.iter().map(name).collect();
    lines
        .into_iter()
        .zip(names)
        .map(|(line, name)| NamedLine { line, name })
        .collect()
}

fn findings(d: &Diagnosis, recording: &Recording, checks: &Checks) -> Vec<Finding> {
    let mut findings = converter_findings(d, checks);
    match &d.platform {
        Err(error) => findings.push(Finding {
            verdict: Verdict::Bad,
            text: error.to_string(),
        }),
        Ok(found) => findings.extend(platform_findings(found, d, recording)),
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

fn converter_findings(d: &Diagnosis, checks: &Checks) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |verdict, text: String| findings.push(Finding { verdict, text });
    if d.saturated > 0 {
        say(
            Verdict::Bad,
            format!(
                "{} samples are saturated: lower the gain or unload the cell",
                d.saturated
            ),
        );
    }
    if d.longest_run >= usize::from(checks.stuck_samples) {
        say(
            Verdict::Bad,
            format!(
                "the converter stood still for {} samples: check its clock and cable",
                d.longest_run
            ),
        );
    }
    if d.unique_codes < 64 {
        say(
            Verdict::Poor,
            format!("only {} different codes: the gain is too low", d.unique_codes),
        );
    }
    if findings.is_empty() {
        let text = format!(
            "the converter is sound: {} different codes, none saturated, none stuck",
            d.unique_codes
        );
        findings.push(Finding {
            verdict: Verdict::Good,
            text,
        });
    }
    findings
}

fn platform_findings(found: &Identified, d: &Diagnosis, recording: &Recording) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |verdict, text: String| findings.push(Finding { verdict, text });
    let p = found.model.platform;
    // the ringing has fallen to 1 % after ln(100) of its time constants
    let settles_ms = 100.0_f64.ln() / (std::f64::consts::TAU * p.natural_hz * p.damping) * 1e3;
    let platform = format!(
        "the platform rings at {:.2} Hz (+- {:.2}) with a damping ratio of {:.4}, moves {:.1} g and settles in {settles_ms:.0} ms",
        p.natural_hz,
        found.natural_u_hz.max(0.01),
        p.damping,
        p.effective_mg / 1e3
    );
    let gap_ms = median_gap_ms(recording);
    if p.damping < 0.003 {
        say(Verdict::Poor, format!("{platform}: hardly any damping, add a damper"));
    } else if gap_ms.is_some_and(|gap| settles_ms > gap) {
        say(
            Verdict::Good,
            format!("{platform}: it does not settle between pearls, so the model is needed"),
        );
    } else {
        say(Verdict::Good, platform);
    }
    if d.sample_hz < 15.0 * p.natural_hz {
        say(
            Verdict::Poor,
            format!(
                "{:.0} samples/s are few for {:.0} Hz: sample faster",
                d.sample_hz, p.natural_hz
            ),
        );
    }
    if found.residual_ratio > 1.3 {
        let text = format!(
            "residuals are {:.1} times their variance: something is not in the model",
            found.residual_ratio
        );
        say(Verdict::Poor, text);
    }
    let near = |l: &&NamedLine| (l.line.hz / p.natural_hz - 1.0).abs() < 0.05;
    if let Some(line) = d.lines.iter().find(near) {
        let text = format!(
            "the belt's line at {:.1} Hz lies on the platform's frequency: change the belt speed",
            line.line.hz
        );
        say(Verdict::Poor, text);
    }
    say(
        Verdict::Good,
        format!(
            "white noise {:.2} mg a sample, {} lines",
            found.model.noise.white_mg,
            d.lines.len()
        ),
    );
    findings
}

fn median_gap_ms(recording: &Recording) -> Option<f64> {
    let gap = |pair: &[super::files::Gate]| Some((pair[1].enter_s? - pair[0].leave_s?) * 1e3);
    let mut gaps: Vec<f64> = recording.gates.windows(2).filter_map(gap).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied()
}

impl Diagnosis {
    /// The spectrum with its lines named, as SVG.
    #[must_use]
    pub fn spectrum_svg(&self) -> String {
        let points: Vec<(f64, f64)> = self.spectrum.as_ref().map_or_else(Vec::new, |s| {
            let bins = s
                .power
                .iter()
                .enumerate()
                .skip(1)
                .take_while(|(i, _)| *i as f64 * s.bin_hz < 250.0);
            bins.map(|(i, power)| (i as f64 * s.bin_hz, *power)).collect()
        });
        let mark = |l: &NamedLine| {
            (
                l.line.hz,
                format!("{:.2} Hz, {:.1} mg: {}", l.line.hz, l.line.amplitude, l.name),
            )
        };
        let marks: Vec<(f64, String)> = self.lines.iter().map(mark).collect();
        let (x_name, y_name) = ("frequency, Hz", "power, mg\u{b2}/Hz");
        Chart {
            title: "Noise and lines without the pearls",
            x_name,
            y_name,
            points: &points,
            marks: &marks,
            log_y: true,
        }
        .svg()
    }

    /// The reading around the first pearls, as SVG.
    #[must_use]
    pub fn passage_svg(&self, recording: &Recording) -> String {
        let first = recording.gates.iter().find_map(|gate| gate.enter_s).unwrap_or(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "held at the recording's ends"
        )]
        let at = |s: f64| ((s.max(0.0) * recording.sample_hz) as usize).min(recording.samples.len());
        let range = at(first - 0.03)..at(first + 0.3);
        let points: Vec<(f64, f64)> = range
            .map(|i| {
                (
                    i as f64 / recording.sample_hz,
                    f64::from(recording.samples[i]) / recording.counts_per_mg,
                )
            })
            .collect();
        let edges = |gate: &super::files::Gate| [gate.enter_s.map(|s| (s, "on")), gate.leave_s.map(|s| (s, "off"))];
        let marks: Vec<(f64, String)> = recording
            .gates
            .iter()
            .take(6)
            .flat_map(edges)
            .flatten()
            .map(|(s, name)| (s, name.to_owned()))
            .collect();
        let (x_name, y_name) = ("time, s", "reading, mg");
        Chart {
            title: "The first pearls",
            x_name,
            y_name,
            points: &points,
            marks: &marks,
            log_y: false,
        }
        .svg()
    }
}
