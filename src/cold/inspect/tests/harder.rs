//! The reference set made harder, as other sets and worn stations are: noise, exposure, a weaker lamp, dust on the belt.
//! What can be estimated is estimated, what can't is covered by the stated uncertainty, and no pearl is refused.

mod common;

use common::{Chance, Picture, reference};
use inspect::{Frame, Row, Score, read_truth, score};
use vision::{Calibration, Eye, Limits, ViewName};

/// Degrades one view.
type Harm = fn(&mut Picture, ViewName, &mut Chance);

/// Measures the reference set with every view harmed, or `None` where the set is not at hand.
fn harmed(seed: u64, calibration: &Calibration, harm: Harm) -> Option<Score> {
    let folder = reference()?;
    let truths = read_truth(&folder.join("truth.csv")).expect("the truth");
    let mut eye = Eye::new(calibration, Limits::default());
    let mut rows = Vec::new();
    for (number, id) in inspect::pearls(&folder).expect("pearls").into_iter().enumerate() {
        let frames = ViewName::ALL.map(|view| {
            let mut picture = Picture::read(&inspect::file(&folder, &id, view));
            let mut chance = Chance::new(seed ^ (number as u64 * 3 + view as u64) << 20);
            harm(&mut picture, view, &mut chance);
            picture.frame()
        });
        let [top, left, right]: &[Frame; 3] = &frames;
        rows.push(Row::of(id, [top, left, right], &mut eye));
    }
    let table = score(&rows, &truths);
    println!("{table}");
    let refused: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((&row.id, row.result.as_ref().err()?)))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    Some(table)
}

fn holds(table: &Score) {
    let failed: Vec<_> = table.lines().into_iter().filter(|line| !line.3).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn under_noise() {
    if let Some(table) = harmed(1, &Calibration::nominal(), |picture, _, chance| {
        picture.noise(3.0, chance)
    }) {
        holds(&table);
    }
}

#[test]
fn underexposed() {
    if let Some(table) = harmed(2, &Calibration::nominal(), |picture, _, _| picture.expose(0.8)) {
        holds(&table);
    }
}

#[test]
fn overexposed() {
    if let Some(table) = harmed(3, &Calibration::nominal(), |picture, _, _| picture.expose(1.2)) {
        holds(&table);
    }
}

#[test]
fn with_a_weaker_lamp() {
    if let Some(table) = harmed(4, &Calibration::nominal(), |picture, view, _| {
        picture.weaken_lamp(0.7, view)
    }) {
        holds(&table);
    }
}

#[test]
fn with_dust_on_the_belt() {
    if let Some(table) = harmed(5, &Calibration::nominal(), |picture, _, chance| {
        picture.dust(12, chance)
    }) {
        holds(&table);
    }
}

#[test]
fn with_all_of_it() {
    let table = harmed(7, &Calibration::nominal(), |picture, view, chance| {
        picture.weaken_lamp(0.8, view);
        picture.dust(8, chance);
        picture.expose(0.85);
        picture.noise(2.5, chance);
    });
    if let Some(table) = table {
        holds(&table);
    }
}
