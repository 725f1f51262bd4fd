//! Raw traces of a run: eyes, encoder, valves and orders, as VCD (opens in GTKWave) and as CSV. Any thread.

mod csv;
mod vcd;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use line::LinePlan;
use sim::OrderSeen;
use sim::truth::{Edge, Happened, Switched};

/// Time between two samples of the encoder, us.
const PLACE_US: u64 = 5_000;

/// What happened, in order of time within each sort.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    edges: Vec<Edge>,
    switched: Vec<Switched>,
    orders: Vec<OrderSeen>,
    /// When the encoder's shaft was where, ticks.
    places: Vec<(u64, f64)>,
}

impl Trace {
    /// Takes what has happened until now, with the belt at `place` ticks.
    pub fn add(&mut self, now_us: u64, happened: &Happened, orders: &[OrderSeen], place: f64) {
        self.edges.extend_from_slice(&happened.edges);
        self.switched.extend_from_slice(&happened.switched);
        self.orders.extend_from_slice(orders);
        if self.places.last().is_none_or(|(us, _)| now_us >= us + PLACE_US) {
            self.places.push((now_us, place));
        }
    }

    /// Writes `NAME.vcd` and `NAME.csv` into a folder, which is made when it is not there.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write(&self, folder: &Path, name: &str, plan: &LinePlan) -> io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder)?;
        let at = |ending: &str| folder.join(format!("{name}.{ending}"));
        let file = |path: &Path| File::create(path).map(BufWriter::new);
        let names = Names::new(plan);
        vcd::write(&mut file(&at("vcd"))?, self, &names)?;
        csv::write(&mut file(&at("csv"))?, self, &names)?;
        Ok(vec![at("vcd"), at("csv")])
    }
}

/// A signal of a board: which board, which input or output.
type Pin = (u8, u8);

/// What eyes and valves are called, in belt order.
pub(crate) struct Names {
    eyes: Vec<(Pin, String)>,
    valves: Vec<(Pin, String)>,
}

impl Names {
    pub(crate) fn new(plan: &LinePlan) -> Self {
        let (mut eyes, mut valves) = (Vec::new(), Vec::new());
        for (n, lane) in plan.lanes.iter().enumerate() {
            let pin = |eye: line::EyePlan| (eye.board.0, eye.eye.0);
            eyes.push((pin(lane.entry), format!("lane{n}_entry")));
            for jet in &lane.jets {
                let bin = jet.bin.0 + 1;
                valves.push(((jet.board.0, jet.valve.0), format!("lane{n}_bin{bin}")));
                eyes.extend(jet.drop_eye.map(|eye| (pin(eye.eye), format!("lane{n}_bin{bin}"))));
            }
            eyes.extend(lane.tray_eye.map(|eye| (pin(eye.eye), format!("lane{n}_tray"))));
        }
        Self { eyes, valves }
    }

    fn of(list: &[(Pin, String)], pin: Pin) -> &str {
        list.iter()
            .find(|(other, _)| *other == pin)
            .map_or("unnamed", |(_, name)| name)
    }
}
