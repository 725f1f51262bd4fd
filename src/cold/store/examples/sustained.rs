//! How many records a second the store keeps, each durable: `cargo run --release -p store --example sustained -- [FOLDER]
//! [SECONDS]`. The folder should lie on the disk in question; a memory disk says nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use line::{Destination, Landing, MassFigure, Record};
use store::{Classes, Options, Reader, Writer, limits};
use units::{BinId, EyeId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};
use wire::{Measurement, ViewStatus};

/// Records given between two looks.
const AT_ONCE: u64 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = match arguments.next() {
        Some(text) => text.to_string_lossy().parse()?,
        None => 5,
    };
    let path = folder.join(format!("sustained-{}.sqlite", std::process::id()));
    let writer = Writer::start(&path, Options::default())?;
    let handle = writer.handle();
    let classes = Classes::new([("shape", "A1"), ("lustre", "B"), ("surface", "C"), ("colour", "white")]);
    let begun = Instant::now();
    let (mut pearl, mut worst_lag_us) = (0, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let health = handle.health();
        worst_lag_us = worst_lag_us.max(health.lag_us);
        // As fast as the store takes them, and none too many: nothing may be dropped.
        if health.waiting_records > limits::WAITING_RECORDS / 2 {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        for _ in 0..AT_ONCE {
            pearl += 1;
            handle.record(&record(pearl), Some(classes.clone()));
        }
    }
    let health = writer.end();
    let took = begun.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "{} records in {took:.2} s: {:.0} records/s, {} dropped, {:.0} bytes a record, oldest not yet durable {:.0} ms",
        health.kept_records,
        health.kept_records as f64 / took,
        health.dropped.records,
        bytes as f64 / health.kept_records as f64,
        worst_lag_us as f64 / 1e3
    );
    let faults = Reader::open(&path)?.verify_sums()?;
    println!("sums that do not equal their records: {}", faults.len());
    for ending in ["", "-wal", "-shm", ".lock"] {
        // What is not there need not go.
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    Ok(())
}

fn record(pearl: u64) -> Record {
    let seq = TriggerSeq((pearl % 65_536) as u16);
    let vary = (pearl.wrapping_mul(2_654_435_761) >> 16) as u16;
    Record {
        pearl: PearlId(pearl),
        lane: LaneId((pearl % 64) as u8),
        seq,
        triggered: HostUs(pearl as i64 * 20),
        centre: Tick(pearl as i64 * 300),
        length: Micrometres(7_000),
        view: Some(Measurement {
            eye: EyeId((pearl % 64) as u8),
            seq,
            status: ViewStatus::Good,
            in_view: 1,
            d_max_um: 7_000 + vary % 500,
            d_mid_um: 6_990 + vary % 400,
            d_min_um: 6_980 + vary % 300,
            u_diameter_um: 9,
            u_ddp: 12,
            residual_um: vary % 90,
            taper: vary % 70,
            lab_l: 8_000 + vary % 900,
            lab_a: -120,
            lab_b: 300,
            u_lab: 40,
            overtone_a: 10,
            overtone_b: -10,
            lustre: 5_000 + vary % 4_000,
            u_lustre: 80,
            blemishes: 2,
            blemish_area: vary % 200,
            u_blemish_area: 4,
            nacre_um: None,
        }),
        mass: Some(MassFigure {
            mass: Micrograms(400_000 + i32::from(vary)),
            u: Micrograms(900),
        }),
        earned: Some(BinId((pearl % 8) as u8)),
        sent: Destination::Bin(BinId((pearl % 8) as u8)),
        landing: Landing::Seen,
        decision_us: Some(12),
        lead_us: Some(90_000),
        recipe: 0xFEED_0000_0000_0001,
        lot: 1,
    }
}
