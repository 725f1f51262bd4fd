//! What was measured: every repeat, the medians, and the computer. JSON to keep, tables to read.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use crate::{
    latency::Quantiles,
    orders::{BAUDS, KLIPPER_BYTES, OrderBytes},
};

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What it ran on: topic and finding, as the survey says them.
    pub computer: BTreeMap<String, String>,
    /// Rights that were refused; empty when the figures are as good as the computer gives.
    pub refused: Vec<String>,
    /// Repeats of each measurement.
    pub repeats: u32,
    /// Length of one measurement in seconds.
    pub seconds: f64,
    /// Pearls outstanding in the closed loop.
    pub outstanding: u32,
    /// Pearls a second while latency was measured.
    pub rate: u32,
    /// The contenders, in the order of the tables.
    pub contenders: Vec<Entry>,
    /// What an order costs on the wire.
    pub order_bytes: OrderBytes,
    /// How late this computer woke a thread at the same priority meanwhile.
    pub wake_up: Latency,
}

/// One contender.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Pearls a second, each repeat.
    pub pearls_per_s: Vec<f64>,
    /// Decision latency.
    pub decision: Latency,
    /// Why something is missing here.
    pub troubles: Vec<String>,
}

/// Latencies under the two conditions, each repeat.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Latency {
    /// With processors free to sleep.
    pub free: Vec<Quantiles>,
    /// With `/dev/cpu_dma_latency` held at 0.
    pub held: Vec<Quantiles>,
}

/// The middle value; the mean of the two middle ones when there are two. `None` for none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"))
}

/// p50, p99 and p99.9 as cells, each the median of the repeats.
fn quantile_cells(repeats: &[Quantiles]) -> String {
    let over = |of: fn(&Quantiles) -> f64| cell(median(repeats.iter().map(of)));
    format!(
        "{} | {} | {}",
        over(|q| q.p50_us),
        over(|q| q.p99_us),
        over(|q| q.p99_9_us)
    )
}

impl Report {
    /// The contender of this name, if it was measured.
    #[must_use]
    pub fn contender(&self, name: &str) -> Option<&Entry> {
        self.contenders.iter().find(|entry| entry.name == name)
    }

    /// Capacity and latency of every contender as a table, and what each of them is.
    #[must_use]
    pub fn contenders_table(&self) -> String {
        let mut text = String::from("| contender | pearls/s | held p50 | p99 | p99.9 | free p50 | p99 | p99.9 |\n");
        text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
        let cells = |of: &Latency| format!("{} | {}", quantile_cells(&of.held), quantile_cells(&of.free));
        // Writing to a string does not fail.
        let _ = writeln!(text, "| wake-up alone (as cyclictest) | - | {} |", cells(&self.wake_up));
        for entry in &self.contenders {
            let pearls_per_s = cell(entry.capacity());
            let _ = writeln!(text, "| {} | {pearls_per_s} | {} |", entry.name, cells(&entry.decision));
        }
        let _ = writeln!(text);
        for entry in &self.contenders {
            let _ = writeln!(text, "- **{}**: {}.", entry.name, entry.what);
            for trouble in &entry.troubles {
                let _ = writeln!(text, "  - {trouble}");
            }
        }
        text
    }

    /// What orders cost on the wire, beside Klipper's.
    #[must_use]
    pub fn orders_table(&self) -> String {
        let mut text = String::from("| orders on the wire | bytes alone | bytes dense |");
        BAUDS.iter().for_each(|baud| text += &format!(" dense/s at {baud} |"));
        text += "\n|---|---:|---:|---:|---:|---:|\n";
        for (name, bytes) in [
            ("field bus, measured", self.order_bytes),
            ("Klipper, by its protocol", KLIPPER),
        ] {
            text += &format!("| {name} | {:.1} | {:.2} |", bytes.alone, bytes.dense);
            BAUDS
                .iter()
                .for_each(|baud| text += &format!(" {:.0} |", bytes.dense_per_s(*baud)));
            text += "\n";
        }
        text
    }
}

impl Entry {
    /// Median of its repeats, pearls a second.
    #[must_use]
    pub fn capacity(&self) -> Option<f64> {
        median(self.pearls_per_s.iter().copied())
    }
}

/// Klipper's bytes for one order alone and in full blocks, from its own protocol.
const KLIPPER: OrderBytes = OrderBytes {
    alone: KLIPPER_BYTES[0],
    dense: KLIPPER_BYTES[1],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median([4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }

    #[test]
    fn a_contender_that_was_not_measured_has_dashes_and_its_reason() {
        let entry = Entry {
            name: "absent".to_owned(),
            what: "nothing".to_owned(),
            troubles: vec!["not measured: not installed".to_owned()],
            ..Entry::default()
        };
        let report = Report {
            computer: BTreeMap::new(),
            refused: Vec::new(),
            repeats: 1,
            seconds: 1.0,
            outstanding: 64,
            rate: 200,
            contenders: vec![entry],
            order_bytes: OrderBytes {
                alone: 20.0,
                dense: 5.0,
            },
            wake_up: Latency::default(),
        };
        let text = report.contenders_table();
        assert!(text.contains("| absent | - | - | - | - | - | - | - |"), "{text}");
        assert!(text.contains("not installed"));
        let text = report.orders_table();
        assert!(
            text.contains("| field bus, measured | 20.0 | 5.00 | 2304 | 20000 | 60000 |"),
            "{text}"
        );
    }
}
