//! Pearls that come while the fake line sorts, with figures of a plausible harvest. Any thread.

use hmi::shapes::State;
use line::grade::{Figures, Verdict};
use line::{Cause, Destination, Landing, MassFigure, Record};
use units::{BinId, EyeId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};
use wire::{Measurement, ViewStatus};

use super::{BINS, Inner, LANES};

/// Pearls a second of each lane.
pub(super) const RATE: f64 = 12.0;
/// Records that are kept for trials.
const RECORDS: usize = 5_000;

/// What comes in `ms`.
pub(super) fn pass(inner: &mut Inner, ms: u64) {
    if inner.state != State::Execute {
        inner.counts.recirculated += inner.counts.in_flight;
        inner.counts.in_flight = 0;
        return;
    }
    let pearls = (RATE * f64::from(LANES) * ms as f64 / 1e3).round() as u64;
    for _ in 0..pearls {
        one(inner);
    }
    let flight = pearls.min(64);
    // What was in flight has landed; the last that came are on the belt.
    inner.counts.in_flight = flight;
    inner.counts.binned = inner.counts.entered - inner.counts.recirculated - inner.counts.lost - flight;
    if let Some(lot) = inner.lots.last_mut().filter(|lot| lot.closed_at_ms.is_none()) {
        lot.passes = inner.counts;
        lot.pearls = inner.counts.entered;
        lot.binned_mg = inner.bins[1..].iter().map(|bin| bin.1).sum();
    }
}

fn one(inner: &mut Inner) {
    let record = record(inner);
    let lane = &mut inner.lanes[record.lane.index()];
    lane.0 += 1;
    inner.counts.entered += 1;
    match record.sent {
        Destination::Bin(bin) => {
            let bin = bin.index().min(usize::from(BINS) - 1);
            lane.1[bin] += 1;
            inner.bins[bin + 1].0 += 1;
            inner.bins[bin + 1].1 += record.mass.map_or(0.0, |mass| f64::from(mass.mass.0) * 1e-3);
        }
        Destination::Tray(_) => {
            inner.counts.recirculated += 1;
            inner.bins[0].0 += 1;
        }
    }
    if inner.records.len() >= RECORDS {
        inner.records.pop_front();
    }
    inner.records.push_back(record);
}

fn record(inner: &mut Inner) -> Record {
    let lane = LaneId(u8::try_from(inner.chance(LANES.into())).expect("a lane"));
    let view = view(inner);
    let d_mm = f64::from(view.d_mid_um) * 1e-3;
    let mass = MassFigure {
        mass: Micrograms((d_mm.powi(3) * std::f64::consts::FRAC_PI_6 * 2.7e3) as i32),
        u: Micrograms(300),
    };
    let figures = Figures {
        view: Some(&view),
        mass: Some(mass),
    };
    let earned = match inner.recipe.2.compiled.grade(lane, figures) {
        Verdict::Bin(bin) => Some(bin),
        Verdict::Recirculate(_) => None,
    };
    let kept_back = inner.chance(100) == 0;
    let sent = match earned {
        Some(bin) if !kept_back => Destination::Bin(BinId(bin.0.min(BINS - 1))),
        Some(_) => Destination::Tray(Cause::Neighbour),
        None => Destination::Tray(Cause::NoBin),
    };
    let pearl = inner.counts.entered + 1;
    Record {
        pearl: PearlId(pearl),
        lane,
        seq: TriggerSeq((pearl % 65_536) as u16),
        triggered: HostUs(i64::try_from(pearl).unwrap_or(i64::MAX) * 5_000),
        centre: Tick(0),
        length: Micrometres(i32::from(view.d_max_um)),
        view: Some(view),
        mass: Some(mass),
        earned,
        sent,
        landing: Landing::Seen,
        decision_us: Some(40 + (pearl % 90) as i32),
        lead_us: Some(90_000 + (pearl % 200) as i32 * 1_000),
        recipe: inner.recipe.2.compiled.hash(),
        lot: 1,
    }
}

fn view(inner: &mut Inner) -> Measurement {
    let mut around = |middle: u64, width: u64| {
        let sum: u64 = (0..4).map(|_| inner.chance(width)).sum();
        u16::try_from(middle + sum / 2 - width.min(middle + sum / 2)).unwrap_or(u16::MAX)
    };
    let middle = around(7_000, 900);
    let flat = around(400, 400);
    Measurement {
        eye: EyeId(0),
        seq: TriggerSeq(0),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: middle + flat / 2,
        d_mid_um: middle,
        d_min_um: middle - flat / 2,
        u_diameter_um: 10,
        u_ddp: 20,
        residual_um: around(60, 60),
        taper: around(200, 200),
        lab_l: around(7_500, 600),
        lab_a: 40,
        lab_b: 300,
        u_lab: 30,
        overtone_a: 120,
        overtone_b: 20,
        lustre: around(7_000, 1_500),
        u_lustre: 60,
        blemishes: around(4, 4) as u8,
        blemish_area: around(160, 160),
        u_blemish_area: 8,
        nacre_um: None,
    }
}

/// A picture of a pearl, as PNG.
pub(super) fn picture(number: u64) -> Vec<u8> {
    const SIDE: u32 = 96;
    let radius = 30.0 + (number % 10) as f32;
    let picture = image::GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let (dx, dy) = (x as f32 - 47.5, y as f32 - 47.5);
        let from_centre = (dx * dx + dy * dy).sqrt();
        let shade = (-((dx + 10.0).powi(2) + (dy + 12.0).powi(2)) / 90.0).exp();
        let inside = 120.0 + 90.0 * (1.0 - from_centre / radius) + 60.0 * shade;
        image::Luma([if from_centre < radius {
            inside.min(255.0) as u8
        } else {
            18
        }])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture in memory can be written");
    bytes.into_inner()
}
