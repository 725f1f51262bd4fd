//! Pictures of doubtful pearls, as the page shows them. Cold, the page's threads.

use std::path::Path;

use hmi::shapes as s;
use line::Cause;
use operate::words;
use units::LaneId;

use super::desk::{Desk, Inner};
use super::words::shape_words;

/// Doubtful pearls whose pictures were kept, newest first.
pub(super) fn list(desk: &Desk, folder: &Path, most: usize) -> Vec<s::Crop> {
    let kept = inspect::kept(folder, most);
    desk.with(|inner| {
        let crops = kept.iter().filter_map(|kept| crop(inner, kept.number, &kept.why));
        crops.collect()
    })
}

/// What its line of text says: `lane 1 trigger 5: no_measurement`.
fn crop(inner: &Inner, number: u64, why: &str) -> Option<s::Crop> {
    let (place, name) = why.trim().split_once(": ")?;
    let mut words = place.split(' ').skip(1).step_by(2);
    let (lane, seq) = (words.next()?.parse::<u8>().ok()?, words.next()?.parse::<u16>().ok()?);
    let is_it = |record: &&line::Record| record.lane == LaneId(lane) && record.seq.0 == seq;
    let record = inner.recent.iter().rev().find(is_it);
    let cause = Cause::all().find(|cause| cause.name() == name);
    Some(s::Crop {
        crop: number,
        pearl: record.map_or(0, |record| record.pearl.0),
        lane: lane.saturating_add(1),
        at_ms: record.map_or(0, |record| inner.wall_ms(record.triggered)),
        cause: name.to_owned(),
        name: cause.map(|cause| shape_words(words::cause(cause))).unwrap_or_default(),
        diameter_mm: record
            .and_then(|record| record.view)
            .map(|view| (f64::from(view.d_max_um) + f64::from(view.d_min_um)) * 0.5e-3),
        mass_mg: record
            .and_then(|record| record.mass)
            .map(|mass| f64::from(mass.mass.0) * 1e-3),
    })
}
