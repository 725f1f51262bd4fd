//! The reference set through the eye: the figures that the eye must keep, and odd files that must not stop a folder.

mod common;

use std::path::Path;

use common::reference as pearls;
use inspect::{COLUMNS, FolderError, Row, measure, name, read_truth, score};
use vision::{Calibration, Limits, Why};

fn rows(folder: &Path) -> Vec<Row> {
    measure(folder, &Calibration::nominal(), Limits::default()).expect("a folder of pearls")
}

#[test]
fn the_reference_set_keeps_its_figures() {
    let Some(folder) = pearls() else { return };
    let table = score(
        &rows(&folder),
        &read_truth(&folder.join("truth.csv")).expect("the truth"),
    );
    println!("{table}");
    assert_eq!(table.refused + table.unknown, 0);
    let failed: Vec<_> = table.lines().into_iter().filter(|line| !line.3).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn odd_files_become_refusals_and_the_rest_goes_on() {
    let Some(folder) = pearls() else { return };
    let scratch = std::env::temp_dir().join(format!("inspect-odd-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("a scratch folder");
    let copy = |from: &str, to: &str| {
        let target = scratch.join(to);
        std::fs::write(&target, std::fs::read(folder.join(from)).expect("a picture")).expect("a copy");
        target
    };
    for view in ["top", "left", "right"] {
        for id in ["good", "cutfile", "deep", "small"] {
            copy(&format!("0000-{view}.png"), &format!("{id}-{view}.png"));
        }
    }
    copy("0000-top.png", "alone-top.png");
    let cut = scratch.join("cutfile-left.png");
    let bytes = std::fs::read(&cut).expect("a picture");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("half a picture");
    image::ImageBuffer::<image::Rgb<u16>, _>::new(288, 288)
        .save(scratch.join("deep-top.png"))
        .expect("16 bits");
    image::RgbImage::new(144, 288)
        .save(scratch.join("small-right.png"))
        .expect("another size");
    let rows = rows(&scratch);
    std::fs::remove_dir_all(&scratch).expect("the scratch folder goes");
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.id.as_str(),
                row.result.as_ref().err().map(|refusal| name(refusal.why)),
            )
        })
        .collect();
    let expected = [
        ("alone", Some(name(Why::Truncated))),
        ("cutfile", Some(name(Why::Truncated))),
        ("deep", Some(name(Why::Format))),
        ("good", None),
        ("small", Some(name(Why::Size))),
    ];
    assert_eq!(found, expected);
    let columns = COLUMNS.split(',').count();
    assert!(rows.iter().all(|row| row.csv().split(',').count() == columns));
}

#[test]
fn a_folder_without_pearls_is_an_error() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let error = measure(here, &Calibration::nominal(), Limits::default()).err();
    assert!(matches!(error, Some(FolderError::NoPearls { .. })), "{error:?}");
    let nowhere = measure(&here.join("nowhere"), &Calibration::nominal(), Limits::default()).err();
    assert!(matches!(nowhere, Some(FolderError::List { .. })), "{nowhere:?}");
}
