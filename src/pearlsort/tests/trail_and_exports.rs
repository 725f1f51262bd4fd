//! `audit verify` and `lot export` as people call them, against stores that are whole, broken and none.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use line::{Destination, Landing, Record};
use store::{Leftover, LotForm, Options, Writer};
use units::{BinId, HostUs, LaneId, Micrometres, PearlId, Tick, TriggerSeq};

fn pearlsort(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_pearlsort");
    Command::new(program)
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A store in a folder of its own, with a closed lot of three passes. The caller removes the folder.
fn made(name: &str) -> (PathBuf, String) {
    let folder = std::env::temp_dir().join(format!("pearlsort-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let store = folder.join("line.sqlite");
    let writer = Writer::start(&store, Options::default()).expect("a store");
    let handle = writer.handle();
    let form = LotForm {
        number: "A-17".to_owned(),
        ..LotForm::default()
    };
    let lot = handle.open_lot(form, 1, "li").expect("opened").lot;
    for pearl in 1..=3 {
        handle.record(&record(pearl, lot), None);
    }
    handle.close_lot(lot, Leftover::default(), "li").expect("closed");
    writer.end();
    let store = store.to_string_lossy().into_owned();
    (folder, store)
}

fn record(pearl: u64, lot: u32) -> Record {
    Record {
        pearl: PearlId(pearl),
        lane: LaneId(1),
        seq: TriggerSeq(4),
        triggered: HostUs(5),
        centre: Tick(6),
        length: Micrometres(7_000),
        view: None,
        mass: None,
        earned: None,
        sent: Destination::Bin(BinId(2)),
        landing: Landing::Seen,
        decision_us: None,
        lead_us: None,
        recipe: 9,
        lot,
    }
}

#[test]
fn a_whole_trail_passes_and_a_broken_one_names_its_first_broken_link() {
    let (folder, store) = made("trail");
    let whole = pearlsort(&["audit", "verify", "--store", &store, "--records"]);
    assert!(whole.status.success(), "{}", text(&whole));
    assert!(
        text(&whole).contains("the audit trail is whole: 2 entries"),
        "{}",
        text(&whole)
    );
    assert!(text(&whole).contains("every sum equals its records"));
    let head = text(&whole).lines().nth(1).expect("the head").to_owned();
    assert!(
        pearlsort(&["audit", "verify", "--store", &store, "--head", &head])
            .status
            .success()
    );
    // Another store's trail does not go through that end.
    let (other_folder, other) = made("other-trail");
    let not_there = pearlsort(&["audit", "verify", "--store", &other, "--head", &head]);
    assert_eq!(not_there.status.code(), Some(1), "{}", text(&not_there));
    assert!(text(&not_there).contains("broken at entry 2"), "{}", text(&not_there));

    let none = pearlsort(&["audit", "verify", "--store", "/nowhere/line.sqlite"]);
    assert_eq!(none.status.code(), Some(66), "{}", text(&none));
    assert!(text(&none).contains("there is no such file"));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let another = pearlsort(&["audit", "verify", "--store", manifest]);
    assert_eq!(another.status.code(), Some(65), "{}", text(&another));
    assert!(text(&another).contains("no store of pearlsort"));
    for folder in [folder, other_folder] {
        std::fs::remove_dir_all(folder).expect("the folder goes");
    }
}

#[test]
fn a_lot_is_exported_whole_or_not_at_all() {
    let (folder, store) = made("export");
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let csv = pearlsort(&["lot", "export", "1", "--store", &store, "--out", &file("lot.csv")]);
    assert!(csv.status.success(), "{}", text(&csv));
    assert!(text(&csv).contains("3 records of lot 1"));
    let written = std::fs::read_to_string(file("lot.csv")).expect("the export");
    assert_eq!(written.lines().count(), 4);
    let out = pearlsort(&["lot", "export", "1", "--store", &store, "--out", "-"]);
    assert_eq!(String::from_utf8_lossy(&out.stdout), written);
    let parquet = pearlsort(&["lot", "export", "1", "--store", &store, "--out", &file("lot.parquet")]);
    assert!(parquet.status.success(), "{}", text(&parquet));
    assert!(
        std::fs::read(file("lot.parquet"))
            .expect("the export")
            .starts_with(b"PAR1")
    );

    let none = pearlsort(&["lot", "export", "7", "--store", &store, "--out", &file("none.csv")]);
    assert_eq!(none.status.code(), Some(66), "{}", text(&none));
    assert!(text(&none).contains("there is no lot 7"));
    assert!(!Path::new(&file("none.csv")).exists() && !Path::new(&file("none.csv.part")).exists());
    let nowhere = pearlsort(&["lot", "export", "1", "--store", &store, "--out", "/nowhere/lot.csv"]);
    assert!(!nowhere.status.success() && text(&nowhere).contains("/nowhere/lot.csv"));
    std::fs::remove_dir_all(folder).expect("the folder goes");
}
