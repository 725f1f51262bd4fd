//! What a demo shows at its end: a table for people. Cold.

use std::fmt::Write as _;

use sim::summary::Summary;

/// What the demo's bins are called, in belt order: its recipe asks for these.
const BIN_NAMES: [&str; 6] = [
    "large, perfect round, very lustrous",
    "perfect round, very lustrous",
    "large, round, lustrous",
    "round, lustrous",
    "near round",
    "other shapes",
];

/// The figures as a table.
#[must_use]
pub(super) fn table(summary: &Summary, bins: &[u64]) -> String {
    let mut text = String::new();
    let share = |count: u64| 100.0 * count as f64 / summary.pearls_in.max(1) as f64;
    let mut row = |name: &str, count: u64| {
        let _ = writeln!(text, "  {name:<44} {count:>9}  {:>6.2} %", share(count));
    };
    row("pearls in", summary.pearls_in);
    for (bin, count) in bins.iter().enumerate() {
        let name = BIN_NAMES.get(bin).copied().unwrap_or("");
        row(&format!("bin {} ({name})", bin + 1), *count);
    }
    row("recirculated", summary.recirculated_total());
    for (cause, count) in &summary.recirculated {
        row(&format!("    for {}", cause.replace('_', " ")), *count);
    }
    row("lost (fell off the belt)", summary.lost);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<44} {value}");
    };
    line("unaccounted", summary.unaccounted.to_string());
    line("landed where they were not sent", summary.misrouted.to_string());
    line("in a bin that they have not earned", summary.upgraded.to_string());
    line(
        "came to their bin (lower 95 % bound)",
        format!("{:.4} %", 100.0 * summary.right_bound),
    );
    line(
        "binned of those that came singly",
        format!("{:.2} %", 100.0 * summary.binned_single_share),
    );
    line("late orders", summary.late.to_string());
    line(
        "frames repeated, with a wrong checksum",
        format!("{}, {}", summary.repeats, summary.crc_errors),
    );
    let decision = &summary.decision_us;
    line(
        "last figure to order, us: p50, p99, p99.9, max",
        format!(
            "{}, {}, {}, {}",
            decision.p50, decision.p99, decision.p99_9, decision.max
        ),
    );
    let lead = &summary.lead_ms;
    line(
        "order before its tick, ms: min, p1, p50",
        format!("{:.1}, {:.1}, {:.1}", lead.min, lead.p1, lead.p50),
    );
    if let Some(eyes) = &summary.looking {
        line(
            "pictures measured, refused, late, dropped",
            format!("{}, {}, {}, {}", eyes.measured, eyes.refused, eyes.late, eyes.dropped),
        );
        let us = &eyes.flash_to_figures_us;
        line(
            "flash to figures, us: p50, p99, p99.9, max",
            format!("{}, {}, {}, {}", us.p50, us.p99, us.p99_9, us.max),
        );
    }
    line("allocations of the hot thread", summary.hot_allocations.to_string());
    line("pearls a second", format!("{:.0}", summary.pearls_per_s));
    if let Some(digest) = &summary.digest {
        line("digest of all orders and records", digest.clone());
    }
    text
}
