//! How the parts of the line are. Cold.

use serde::{Deserialize, Serialize};

use super::{CauseCount, Text};

/// `GET /lanes`: one lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneHealth {
    /// Its number, from 1.
    pub lane: u8,
    /// Pearls that came in.
    pub entered: u64,
    /// Pearls binned.
    pub binned: u64,
    /// Pearls recirculated.
    pub recirculated: u64,
    /// Pearls lost.
    pub lost: u64,
    /// Pearls without a measurement.
    pub unmeasured: u64,
    /// Zero drift of the weigh cell since the calibration, mg; null without a cell.
    pub zero_drift_mg: Option<f64>,
    /// Brightness of the lamp, 1 as calibrated; null where it is not watched.
    pub lamp: Option<f64>,
    /// Why its pearls were recirculated, most first.
    pub causes: Vec<CauseCount>,
}

/// `GET /valves`: one valve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValveHealth {
    /// Its number, from 1.
    pub valve: u16,
    /// Its lane, from 1.
    pub lane: u8,
    /// Its bin, from 1.
    pub bin: u8,
    /// Pulses.
    pub fires: u64,
    /// Pulses since it was last serviced.
    pub fires_since_service: u64,
    /// Lag to open in force, us.
    pub lag_on_us: i32,
    /// Lag to shut in force, us.
    pub lag_off_us: i32,
    /// How far what the drop eyes say lies from those lags, us; null without drop eyes or fires.
    pub drift_us: Option<f64>,
    /// Share of its pearls that the drop eye confirmed, 0 to 1; null without an eye or fires.
    pub confirmed: Option<f64>,
    /// Faults that the board reported.
    pub faults: u64,
    /// Orders that came late.
    pub late: u64,
}

/// `GET /boards`: one board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoardHealth {
    /// Its name.
    pub name: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Its port; null where it is not found.
    pub port: Option<String>,
    /// Frames sent.
    pub frames: u64,
    /// Frames that had to be repeated.
    pub repeats: u64,
    /// Frames with a wrong checksum.
    pub crc_errors: u64,
    /// Round trip, us.
    pub round_trip_us: Option<u64>,
    /// Scatter of the fit of its clock, us.
    pub clock_fit_us: Option<f64>,
    /// How far it is from the others about the belt, um.
    pub belt_offset_um: Option<f64>,
    /// Restarts seen.
    pub restarts: u64,
}

/// Counts by classes of a figure. Class `n` holds values from `edges[n]` to below `edges[n + 1]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// What it is of.
    pub name: Text,
    /// Edges of the classes, us; one more than counts.
    pub edges_us: Vec<i64>,
    /// Values in each class.
    pub counts: Vec<u64>,
    /// Median, us; null without values.
    pub p50_us: Option<i64>,
    /// 99 % are below, us.
    pub p99_us: Option<i64>,
    /// 99.9 % are below, us.
    pub p999_us: Option<i64>,
    /// The least, us.
    pub least_us: Option<i64>,
    /// The greatest, us.
    pub most_us: Option<i64>,
}

/// `GET /histograms`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histograms {
    /// Time from the last figure to the order.
    pub decision: Histogram,
    /// Lead of orders before their tick.
    pub lead: Histogram,
}
