//! The page on performance: what each figure is, its peer of the same run beside it, and what was asked of it.
//!
//! Words: **beside** are the results of other programs, made in the same session and put into one folder by
//! `performance.sh`; what is missing there is missing on the page.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::Value;

use crate::{
    crops::Crops,
    latency::Quantiles,
    report::{Entry, Report, median},
};

/// Name of our own contender, the floor and the peer that capacity is held against.
const OURS: &str = "pearlsort";
const FLOOR: &str = "bare pty";
const TOKIO: &str = "plain tokio";
/// Contenders that are peers: programs as an integrator writes them.
const PEERS: [&str; 3] = [TOKIO, "pyserial, select loop", "pyserial, readline and queue"];

/// Results of other programs.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Figures of `pearlsort demo` in real time.
    pub demo: Option<Value>,
    /// Figures of `pearlsort demo --virtual`.
    pub virtual_time: Option<Value>,
    /// What the core's example `cost` printed.
    pub core: Option<String>,
    /// The error of weighing against the rate of pearls, as CSV.
    pub weighing: Option<String>,
    /// What the bench of the weigh stage printed.
    pub weigh_cost: Option<String>,
    /// The eye and OpenCV on the same crops.
    pub vision: Option<Crops>,
    /// Nanoseconds of a hand-over there and back, by name.
    pub hand_over_ns: Vec<(String, f64)>,
}

impl Beside {
    /// Reads what is in `folder`.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let json = |name: &str| text(name).and_then(|text| serde_json::from_str(&text).ok());
        let hand_over = |name: &str| {
            let estimates: Value = json(&format!("criterion/there and back/{name}/new/estimates.json"))?;
            Some((name.to_owned(), estimates["median"]["point_estimate"].as_f64()?))
        };
        Self {
            demo: json("demo.json"),
            virtual_time: json("virtual.json"),
            core: text("core.txt"),
            weighing: text("weighing.csv"),
            weigh_cost: text("weigh_cost.txt"),
            vision: text("vision.json").and_then(|text| serde_json::from_str(&text).ok()),
            hand_over_ns: ["same thread", "ring and eventfd", "standard channel"]
                .into_iter()
                .filter_map(hand_over)
                .collect(),
        }
    }

    /// Nanoseconds a pearl of the core, all its events.
    fn core_ns(&self) -> Option<f64> {
        let line = self.core.as_ref()?.lines().find(|line| line.contains("ns a pearl"))?;
        line.split(' ').next()?.parse().ok()
    }

    /// Seconds of wall time of the run in virtual time, and its pearls.
    fn virtual_run(&self) -> Option<(f64, f64)> {
        let run = self.virtual_time.as_ref()?;
        let pearls = run["pearls_in"].as_f64()?;
        Some((pearls / run["pearls_per_s"].as_f64()?, pearls))
    }
}

/// One line of what was asked and what was found.
struct Finding {
    asked: &'static str,
    found: String,
    limit: String,
    met: bool,
}

fn p(repeats: &[Quantiles], of: fn(&Quantiles) -> f64) -> Option<f64> {
    median(repeats.iter().map(of))
}

fn p50(entry: &Entry) -> Option<f64> {
    p(&entry.decision.held, |q| q.p50_us)
}

fn p99_9(entry: &Entry) -> Option<f64> {
    p(&entry.decision.held, |q| q.p99_9_us)
}

/// What the contenders' figures say to what was asked.
fn findings_of_contenders(report: &Report) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of = |name: &str| report.contender(name);
    if let (Some(ours), Some(tokio)) = (of(OURS).and_then(Entry::capacity), of(TOKIO).and_then(Entry::capacity)) {
        findings.push(Finding {
            asked: "capacity, against plain tokio",
            found: format!("{ours:.0} pearls/s, {:.2} times", ours / tokio),
            limit: format!("1.5 times {tokio:.0}; 2 aimed at"),
            met: ours >= 1.5 * tokio,
        });
    }
    if let (Some(ours), Some(floor)) = (of(OURS).and_then(p50), of(FLOOR).and_then(p50)) {
        findings.push(Finding {
            asked: "decision latency, p50, against the bare pty",
            found: format!("{ours:.0} us, {:.2} times", ours / floor),
            limit: format!("1.5 times {floor:.0} us"),
            met: ours <= 1.5 * floor,
        });
    }
    let peers: Vec<f64> = PEERS.iter().filter_map(|name| of(name).and_then(p50)).collect();
    let best = peers.iter().copied().reduce(f64::min);
    if let (Some(ours), Some(best)) = (of(OURS).and_then(p50), best) {
        findings.push(Finding {
            asked: "decision latency, p50, against every peer",
            found: format!("{ours:.0} us"),
            limit: format!("below {best:.0} us, the best of {}", peers.len()),
            met: ours < best,
        });
    }
    let wake = p(&report.wake_up.held, |q| q.p99_9_us);
    if let (Some(ours), Some(floor), Some(wake)) = (of(OURS).and_then(p99_9), of(FLOOR).and_then(p99_9), wake) {
        findings.push(Finding {
            asked: "decision latency, p99.9",
            found: format!("{ours:.0} us"),
            limit: format!("wake-up's {wake:.0} and the bare pty's {floor:.0} us"),
            met: ours <= wake + floor,
        });
    }
    findings
}

fn findings(report: &Report, beside: &Beside) -> Vec<Finding> {
    let mut findings = findings_of_contenders(report);
    findings.push(Finding {
        asked: "bytes of a dense order",
        found: format!("{:.2}", report.order_bytes.dense),
        limit: "6".to_owned(),
        met: report.order_bytes.dense <= 6.0,
    });
    if let Some(ns) = beside.core_ns() {
        findings.push(Finding {
            asked: "the core, all events of a pearl, weigh samples apart",
            found: format!("{ns:.0} ns"),
            limit: "1,000 ns".to_owned(),
            met: ns <= 1000.0,
        });
    }
    if let Some((seconds, pearls)) = beside.virtual_run() {
        findings.push(Finding {
            asked: "virtual time, 1,000,000 pearls",
            found: format!("{seconds:.1} s for {pearls:.0}"),
            limit: "10 s".to_owned(),
            met: seconds <= 10.0 && pearls >= 999_000.0,
        });
    }
    findings.extend(beside.vision.as_ref().map_or_else(Vec::new, findings_of_crops));
    findings
}

/// What the eye's figures say to what was asked.
fn findings_of_crops(measured: &Crops) -> Vec<Finding> {
    let ([ours, cached], [peer, _]) = (measured.ours.medians(), measured.peer.medians());
    let pearl_us = 3e6 / cached;
    let (error, peers) = (measured.ours.dmax_p95_um, measured.peer.dmax_p95_um);
    vec![
        Finding {
            asked: "the eye, against OpenCV",
            found: format!("{ours:.0} crops/s, {:.2} times", ours / peer),
            limit: format!("5 times {peer:.0}"),
            met: ours >= 5.0 * peer,
        },
        Finding {
            asked: "the eye's error of a diameter, p95, against OpenCV",
            found: format!("{error:.1} um"),
            limit: format!("below {peers:.1} um"),
            met: error < peers && measured.ours.dmin_p95_um < measured.peer.dmin_p95_um,
        },
        Finding {
            asked: "the eye, three views of a pearl, cached",
            found: format!("{pearl_us:.0} us"),
            limit: "250 us".to_owned(),
            met: pearl_us <= 250.0,
        },
    ]
}

const HEAD: &str = "\
# Performance

Made by `benches/performance.sh`; not to be edited. Each figure stands beside its peers of the same run, on the same
computer; figures of different runs do not compare. All times in us unless said otherwise.
";

const CAPACITY: &str = "\
**pearls/s** is capacity in a closed loop: a pearl is a trigger and a measurement in and an order out, and each order lets
the next pearl in, so that a fixed number is on its way at any time. **held** and **free** are decision latencies at a fixed
rate: from the last figure of a pearl leaving the far end of the pty to its order arriving there, both stamped at the far
end by one thread at SCHED_FIFO for every contender alike. **held**: `/dev/cpu_dma_latency` held at 0, so that idle
processors do not sleep; **free**: they may. Capacity is measured held. The wake-up is what cyclictest measures: how late a
sleeping thread of the same priority runs. Repeats are interleaved over the contenders; the tables show medians.
";

const OURS_TEXT: &str = "\
What is on when pearlsort is measured: frames with CRC-32C, numbered, acknowledged and repeated in both directions; the
handshake; the fit of the board's clock; tracking by tick, lengths, neighbours; grading by a recipe of four rows with four
figures each; scheduling with jet width, valve recovery and a least lead of 60 ms; the watchdog's feed; `Fired` for every
order; accounts; a record for every pearl, taken from its ring by a cold thread. Not on: weigh cells and drop eyes, and the
search for the port. The peers have none of this: they read lines, look a pearl up and write a line. At the end of each
measurement every pearl must be in the bin that it earned, on record and in the accounts, every order must have been for a
pearl and its bin, nothing held, recirculated or allocated on the hot thread, or the figure does not count.

The line is one board with 16 lanes and four jets each. Latency is measured on a belt of 1 m/s, where the board reports each
pulse when its tick has come. The closed loop asks for more pearls than any belt carries, and the core wants each of them in a
place of its own: there the belt runs at 1,500 m/s. Pearls (8 mm), their least pitch (20 mm), jets and ticks (50 um) stay those of
a real line, so messages, neighbours and the core's work stay the same; the first jet stands 200 ms behind the eye, so that
leads are real. Between eye and jet would then lie far more pearls than a line's tables hold (256 a lane), so the board
reports each pulse as soon as it has the order; what is on its way is the loop's pearls and no more.
";

const HAND_OVER: &str = "\
A hand-over there and back: two threads at SCHED_FIFO with a ring in each direction, the sleeper woken by an eventfd, or
with the standard library's channel; beside them the same ring used by one thread. `docs/decisions/0001-one-hot-thread.md` is
built on this and on the rows *one hot thread* and *three hot threads* above.
";

/// The page.
#[must_use]
pub fn markdown(report: &Report, beside: &Beside) -> String {
    let mut text = String::from(HEAD);
    text += "\n## What was asked, and what was found\n\n| what | found | limit | met |\n|---|---|---|---|\n";
    for finding in findings(report, beside) {
        let met = if finding.met { "yes" } else { "**no**" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {met} |",
            finding.asked, finding.found, finding.limit
        );
    }
    text += "\n## Capacity and decision latency\n\n";
    text += CAPACITY;
    let _ = writeln!(
        text,
        "\n{} repeats of {} s; {} pearls outstanding for capacity, {} pearls/s for latency.\n",
        report.repeats, report.seconds, report.outstanding, report.rate
    );
    text += &report.contenders_table();
    text += "\n";
    text += OURS_TEXT;
    if let Some(core) = &beside.core {
        let _ = write!(
            text,
            "\n## The core alone\n\nAll events of a pearl (trigger, passed, measurement, mass, fired, landed, and its share of \
             the states) on a line of 16 lanes at 15 pearls/s each; `cargo run --release -p line --example cost`:\n\n```text\n{}\n```\n",
            core.trim_end()
        );
    }
    text += "\n## Orders on the wire\n\nEncoded by the shipped code, frames, checksums and delimiters included; ten bits a byte.\n\n";
    text += &report.orders_table();
    text += &hand_over(beside);
    text += &demos(beside);
    text += &weighing(beside);
    text += &beside.vision.as_ref().map_or_else(String::new, crops);
    text += &computer(report);
    text
}

fn hand_over(beside: &Beside) -> String {
    if beside.hand_over_ns.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## Hand-overs\n\n{HAND_OVER}\n| there and back | ns |\n|---|---:|\n");
    for (name, ns) in &beside.hand_over_ns {
        let _ = writeln!(text, "| {name} | {ns:.0} |");
    }
    text
}

fn demos(beside: &Beside) -> String {
    let mut text = String::new();
    if let Some(demo) = &beside.demo {
        text += "\n## The demo, in real time\n\n`pearlsort demo --lanes 16 --rate 15 --speed 1 --seconds 130`: two boards behind \
                 ptys, every fault of pearls and belt that the virtual line has by default.\n\n";
        text += &figures(
            demo,
            &[
                "pearls_in",
                "binned",
                "lost",
                "unaccounted",
                "misrouted",
                "upgraded",
                "late",
                "right_bound",
                "binned_single_share",
                "decision_us",
                "lead_ms",
                "hot_allocations",
                "repeats",
                "crc_errors",
            ],
        );
    }
    if let Some((seconds, pearls)) = beside.virtual_run() {
        let _ = write!(
            text,
            "\n## Virtual time\n\n`pearlsort demo --virtual --pearls 1000000`: {pearls:.0} pearls in {seconds:.1} s, {:.0} pearls/s.\n\n",
            pearls / seconds
        );
        let run = beside.virtual_time.as_ref().unwrap_or(&Value::Null);
        text += &figures(run, &["unaccounted", "upgraded", "misrouted", "lost", "digest"]);
    }
    text
}

/// Figures of a run by their names in its JSON.
fn figures(run: &Value, names: &[&str]) -> String {
    let mut text = String::from("| figure | value |\n|---|---|\n");
    for name in names {
        let value = match &run[*name] {
            Value::Object(parts) => parts
                .iter()
                .map(|(part, value)| format!("{part} {value}"))
                .collect::<Vec<_>>()
                .join(", "),
            Value::Null => continue,
            Value::String(value) => value.clone(),
            value => value.to_string(),
        };
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}

fn weighing(beside: &Beside) -> String {
    let Some(csv) = &beside.weighing else {
        return String::new();
    };
    let mut lines = csv.lines().filter(|line| !line.is_empty());
    let row = |line: &str| format!("| {} |\n", line.split(',').collect::<Vec<_>>().join(" | "));
    let Some(head) = lines.next() else {
        return String::new();
    };
    let mut text = String::from(
        "\n## Weighing against the rate\n\nStandard deviation of the error in mg, the estimator beside three plain filters, on \
         synthetic recordings; `cargo run --release -p setup --example weigh_curve`. The limit is that of class XIII(1) (OIML \
         R 51): 0.48 % of the load, for the median pearl of 6.5 mm.\n\n![Standard deviation against the rate, with the class \
         limit](weighing.svg)\n\n",
    );
    text += &row(&head.replace('_', " "));
    text += &format!("|{}\n", "---:|".repeat(head.split(',').count()));
    lines.for_each(|line| text += &row(line));
    if let Some(cost) = &beside.weigh_cost {
        text += "\nWhat a sample costs (asked: 1.5 us or less), the least of many passes; `cargo bench -p benches --bench weigh`:\n\n";
        for line in cost.lines().filter(|line| line.contains(" us a sample")) {
            let _ = writeln!(text, "- {line}");
        }
    }
    text
}

/// The eye beside OpenCV, as a section of the page.
#[must_use]
pub fn crops(measured: &Crops) -> String {
    let mut text = format!(
        "\n## The eye beside OpenCV\n\n{} crops (288 x 288, three views a pearl), both on {}, {} rounds in turn, medians; \
         `benches/vision.sh`. **fetched**: the pixels come from memory, other crops were looked at since; **cached**: the same \
         crop again. Errors are 95th percentiles over pearls that are not baroque. The peer is OpenCV {}, one thread: threshold, \
         findContours, fitEllipse, mask, mean CIELAB, area of highlights; its diameters are the largest and smallest axis of \
         three ellipses, with the constant taken off that makes their median error nothing. The eye measures silhouettes to \
         a fraction of a pixel, an ellipsoid, colour, lustre, blemishes, and each figure's uncertainty.\n\n\
         | contender | fetched, crops/s | cached, crops/s | us a pearl, fetched | cached | largest diameter, um | smallest, um |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
        measured.crops,
        measured.core,
        measured.ours.fetched_per_s.len(),
        measured.opencv
    );
    for (name, figures) in [("pearlsort", &measured.ours), ("OpenCV", &measured.peer)] {
        let [fetched, cached] = figures.medians();
        let _ = writeln!(
            text,
            "| {name} | {fetched:.0} | {cached:.0} | {:.0} | {:.0} | {:.1} | {:.1} |",
            3e6 / fetched,
            3e6 / cached,
            figures.dmax_p95_um,
            figures.dmin_p95_um
        );
    }
    let (ours, peer) = (measured.ours.medians(), measured.peer.medians());
    let _ = writeln!(
        text,
        "| times | {:.2} | {:.2} | | | | |",
        ours[0] / peer[0],
        ours[1] / peer[1]
    );
    text
}

fn computer(report: &Report) -> String {
    let mut text = String::from("\n## The computer, and how to make this again\n\n| what | found |\n|---|---|\n");
    for (topic, found) in &report.computer {
        let _ = writeln!(text, "| {topic} | {found} |");
    }
    for refused in &report.refused {
        let _ = writeln!(text, "\nRefused: {refused}.");
    }
    text += "\n`benches/performance.sh` measures all of it and writes this page; it wants a quiet computer, the right to SCHED_FIFO \
             and `/dev/cpu_dma_latency`, and python3 with pyserial. Figures taken beside other work say little: mind the load at \
             the start (what ran before) and at the end (what this run made of it).\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{orders::OrderBytes, report::Latency};

    fn entry(name: &str, pearls_per_s: f64, p50_us: f64) -> Entry {
        let quantiles = Quantiles {
            p50_us,
            p99_us: p50_us * 2.0,
            p99_9_us: p50_us * 4.0,
            max_us: p50_us * 8.0,
            count: 1000,
        };
        Entry {
            name: name.to_owned(),
            pearls_per_s: vec![pearls_per_s],
            decision: Latency {
                held: vec![quantiles],
                free: Vec::new(),
            },
            ..Entry::default()
        }
    }

    fn report() -> Report {
        Report {
            computer: std::collections::BTreeMap::new(),
            refused: Vec::new(),
            repeats: 1,
            seconds: 1.0,
            outstanding: 64,
            rate: 200,
            contenders: vec![
                entry(FLOOR, 900.0, 20.0),
                entry(OURS, 300.0, 29.0),
                entry(TOKIO, 201.0, 60.0),
            ],
            order_bytes: OrderBytes {
                alone: 20.0,
                dense: 5.0,
            },
            wake_up: Latency {
                held: entry("", 0.0, 10.0).decision.held,
                free: Vec::new(),
            },
        }
    }

    fn crops_figures(crops_per_s: f64, error_um: f64) -> crate::crops::Figures {
        crate::crops::Figures {
            fetched_per_s: vec![crops_per_s],
            cached_per_s: vec![crops_per_s],
            dmax_p95_um: error_um,
            dmin_p95_um: error_um,
        }
    }

    #[test]
    fn what_was_asked_is_held_against_the_same_run() {
        let met = |report: &Report| {
            findings(report, &Beside::default())
                .iter()
                .map(|f| f.met)
                .collect::<Vec<_>>()
        };
        // 300 is less than 1.5 times 201; 29 is within 1.5 times 20 and below 60; 116 is within 40 and 80.
        assert_eq!(met(&report()), [false, true, true, true, true]);
        let mut better = report();
        better.contenders[1] = entry(OURS, 302.0, 31.0);
        assert_eq!(met(&better), [true, false, true, false, true]);
    }

    #[test]
    fn results_beside_are_shown_and_what_is_missing_is_left_out() {
        let bare = markdown(&report(), &Beside::default());
        assert!(
            !bare.contains("## Virtual time") && !bare.contains("## Hand-overs"),
            "{bare}"
        );
        let beside = Beside {
            virtual_time: Some(serde_json::json!({"pearls_in": 1_000_000, "pearls_per_s": 125_000.0, "digest": "d1"})),
            core: Some("320000 pearls\n870 ns a pearl for all its events, 30 of it for making them\n".to_owned()),
            weighing: Some("pearls_per_s,sd_mg\n4,0.5\n".to_owned()),
            weigh_cost: Some("noise\n12 pearls/s: 0.5 us a sample, 64 cells take 15 %\n".to_owned()),
            vision: Some(Crops {
                crops: 288,
                ours: crops_figures(12_000.0, 8.0),
                peer: crops_figures(2_000.0, 60.0),
                ..Crops::default()
            }),
            ..Beside::default()
        };
        let page = markdown(&report(), &beside);
        assert!(
            page.contains("1000000 pearls in 8.0 s") && page.contains("| digest | d1 |"),
            "{page}"
        );
        assert!(page.contains("| 870 ns | 1,000 ns | yes |"), "{page}");
        assert!(
            page.contains("| 12000 crops/s, 6.00 times | 5 times 2000 | yes |"),
            "{page}"
        );
        assert!(page.contains("| 8.0 um | below 60.0 um | yes |"), "{page}");
        assert!(page.contains("| times | 6.00 | 6.00 |"), "{page}");
        assert!(
            page.contains("| pearls per s | sd mg |\n|---:|---:|\n| 4 | 0.5 |"),
            "{page}"
        );
    }
}
