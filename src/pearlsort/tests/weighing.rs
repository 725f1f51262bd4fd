//! The commands around weighing as a user meets them: what goes where, and how they exit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use setup::weigh::Recording;
use setup::weigh::synthetic::{Plan, Random};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pearlsort-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pearlsort(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pearlsort"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn write_codes(path: &Path, codes: &[i32]) {
    let bytes: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
    fs::write(path, bytes).unwrap();
}

/// Writes a recording; `gates` are the rows of `truth.csv`.
fn write_recording(folder: &Folder, recording: &Recording, gates: &[String]) {
    write_codes(&folder.file("samples.i32"), &recording.samples);
    let meta = format!(
        "{{\"sps\": {}, \"counts_per_g\": {}, \"roll_on_ms\": {}}}",
        recording.sample_hz,
        recording.counts_per_mg * 1e3,
        recording.roll_on_ms
    );
    fs::write(folder.file("meta.json"), meta).unwrap();
    let rows = format!("enter_s,leave_s,mass_g\n{}\n", gates.join("\n"));
    fs::write(folder.file("truth.csv"), rows).unwrap();
}

fn rows(recording: &Recording) -> Vec<String> {
    let masses = recording.masses_mg.as_ref().unwrap();
    let row = |(gate, mass): (&setup::weigh::Gate, &f64)| {
        format!("{},{:.5},{:.6}", gate.enter_text, gate.leave_s.unwrap(), mass / 1e3)
    };
    recording.gates.iter().zip(masses).map(row).collect()
}

#[test]
fn a_recording_becomes_csv_and_bad_rows_become_flags() {
    let recording = Plan {
        seconds: 8.0,
        doubles: 0.0,
        ..Plan::default()
    }
    .record();
    let folder = Folder::new("weigh");
    let mut rows = rows(&recording);
    let bad = rows.len() / 2;
    let fields: Vec<String> = rows[bad].split(',').map(str::to_owned).collect();
    rows[bad] = format!("{},{},{}", fields[1], fields[0], fields[2]);
    let mut changed = recording.clone();
    let stuck_at = (recording.gates[bad + 3].enter_s.unwrap() * recording.sample_hz) as usize + 60;
    changed.samples[stuck_at..stuck_at + 60].fill(8_388_607);
    write_recording(&folder, &changed, &rows);
    let path = folder.0.to_str().unwrap();
    let table = folder.file("out.csv");
    let scored = pearlsort(&["weigh", path, "--score", "--out", table.to_str().unwrap()]);
    assert!(scored.status.success(), "{}", stderr(&scored));
    assert!(
        stdout(&scored).contains("estimator") && stdout(&scored).contains("within 2u"),
        "{}",
        stdout(&scored)
    );
    let csv = fs::read_to_string(&table).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("enter_s,mass_mg,u_mg,flag", rows.len() + 1));
    for (i, (line, row)) in lines[1..].iter().zip(&rows).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[0], row.split(',').next().unwrap(), "enter_s stands as given");
        assert_eq!(cells[1].is_empty(), !cells[3].is_empty(), "a mass or a flag: {line}");
        if i == bad {
            assert_eq!(cells[3], "gate-order");
        } else if i == bad + 3 {
            assert_eq!(cells[3], "saturated");
        }
    }
    let weighed = lines[1..].iter().filter(|line| line.ends_with(',')).count();
    assert!(
        weighed * 10 >= rows.len() * 7,
        "{weighed} of {} weighed:\n{csv}",
        rows.len()
    );
}

#[test]
fn recordings_that_are_none_exit_with_their_cause() {
    let folder = Folder::new("bad");
    let path = folder.0.to_str().unwrap();
    let code = || pearlsort(&["weigh", path]).status.code();
    assert_eq!(code(), Some(66), "a folder without files");
    let still = Recording {
        samples: vec![5; 4_800],
        sample_hz: 4_800.0,
        counts_per_mg: 200.0,
        roll_on_ms: 6.0,
        gates: Vec::new(),
        masses_mg: None,
    };
    write_recording(&folder, &still, &[]);
    assert_eq!(code(), Some(65), "no pearls");
    assert_eq!(
        pearlsort(&["diagnose", "weigh", path]).status.code(),
        Some(1),
        "a cell that can't weigh"
    );
    fs::write(folder.file("meta.json"), "{}").unwrap();
    assert_eq!(code(), Some(65), "no sample rate");
}

#[test]
fn a_calibration_is_stored_with_counters_that_go_on_and_bad_data_store_nothing() {
    let folder = Folder::new("calibrate");
    let mut random = Random::new(3);
    let mut codes = |name: &str, mg: f64, creep_mg: f64| {
        let code =
            |i: i32| (260_000.0 + 200.0 * (mg + creep_mg * f64::from(i) / 4_800.0) + 300.0 * random.normal()) as i32;
        write_codes(&folder.file(name), &(0..4_800).map(code).collect::<Vec<i32>>());
    };
    codes("empty", 0.0, 0.0);
    codes("gram", 1_000.0, 0.0);
    codes("half", 500.0, 0.0);
    codes("creeping", 1_000.0, 5.0);
    let text = |name: &str| folder.file(name).to_str().unwrap().to_owned();
    let (empty, log) = (text("empty"), text("log"));
    let calibrate = |load: &str, more: &[&str]| {
        let reference = format!("1000:0.03={}", text(load));
        let fixed = [
            "calibrate",
            "weigh",
            "--empty",
            &empty,
            "--log",
            &log,
            "--by",
            "fitter",
            "--reference",
        ];
        let mut arguments = fixed.to_vec();
        arguments.push(&reference);
        arguments.extend(more);
        pearlsort(&arguments)
    };
    let check = format!("500:0.03={}", text("half"));
    let first = calibrate("gram", &["--check", &check]);
    assert!(
        first.status.success() && stdout(&first).contains("CAL 1  CFG 0"),
        "{}",
        stderr(&first)
    );
    let refused = calibrate("creeping", &[]);
    assert_eq!(refused.status.code(), Some(65));
    assert!(stderr(&refused).contains("creeps"), "{}", stderr(&refused));
    // the cell's file counts its changes by itself, and gets the span
    let cell = text("lane-00.toml");
    fs::copy(root().join("src/cold/config/tests/cells/lane-00.toml"), &cell).unwrap();
    let second = calibrate("gram", &["--cell", &cell]);
    assert!(stdout(&second).contains("CAL 2  CFG 3"), "{}", stderr(&second));
    let calibrated = config::load_cell(Path::new(&cell)).unwrap();
    assert_eq!((calibrated.cal, calibrated.cfg), (2, 3));
    assert!((calibrated.model.counts_per_mg - 200.0).abs() < 0.05 && calibrated.model.counts_per_mg != 200.0);
    let stored = fs::read_to_string(folder.file("log")).unwrap();
    assert_eq!(stored.lines().count(), 2);
    assert!(stored.contains("residuals_mg"));
}

#[test]
fn a_scale_that_is_not_there_is_unavailable_and_a_wrong_file_is_told() {
    let laumas = root().join("config/scales/laumas.toml");
    let read = |file: &Path| {
        pearlsort(&[
            "scale",
            "read",
            "--config",
            file.to_str().unwrap(),
            "--port",
            "/dev/no-such-scale",
        ])
    };
    assert_eq!(read(&laumas).status.code(), Some(69));
    assert_eq!(read(Path::new("no-such-file.toml")).status.code(), Some(66));
    let folder = Folder::new("scale");
    let wrong = fs::read_to_string(&laumas)
        .unwrap()
        .replace("address = 1", "address = 0");
    fs::write(folder.file("wrong.toml"), wrong).unwrap();
    assert_eq!(read(&folder.file("wrong.toml")).status.code(), Some(78));
    let checked = pearlsort(&[
        "check",
        folder.file("wrong.toml").to_str().unwrap(),
        laumas.to_str().unwrap(),
    ]);
    assert_eq!(checked.status.code(), Some(78));
    assert!(
        stdout(&checked).contains("must be 1 to 247") && stdout(&checked).contains("2 files: 1 error"),
        "{}",
        stdout(&checked)
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

#[test]
fn a_cell_is_identified_from_a_folder_and_again_from_a_recording_of_the_line() {
    let folder = Folder::new("identify");
    let tape = folder.file("line.rec");
    let recorded = pearlsort(&[
        "demo",
        "--virtual",
        "--samples",
        "--headless",
        "--lanes",
        "2",
        "--rate",
        "10",
        "--seconds",
        "16",
        "--record",
        tape.to_str().unwrap(),
    ]);
    assert!(recorded.status.success(), "{}", stderr(&recorded));
    let cell = folder.file("lane-01.toml");
    let identify = || {
        pearlsort(&[
            "identify",
            tape.to_str().unwrap(),
            "--lane",
            "1",
            "--out",
            cell.to_str().unwrap(),
        ])
    };
    let first = identify();
    assert!(
        stdout(&first).contains("CAL 0 CFG 1"),
        "{}{}",
        stdout(&first),
        stderr(&first)
    );
    let found = config::load_cell(&cell).unwrap().model;
    let truth = sim::platform::CellNature::default().model(1, 1, 1e6, 354.0);
    let off = |found: f64, truth: f64| (found / truth - 1.0).abs();
    assert!(
        off(found.platform.natural_hz, truth.platform.natural_hz) < 0.01,
        "{found:?} for {truth:?}"
    );
    assert!(
        off(found.platform.effective_mg, truth.platform.effective_mg) < 0.1,
        "{found:?} for {truth:?}"
    );
    assert!(
        (found.platform.damping - truth.platform.damping).abs() < 0.01,
        "{found:?} for {truth:?}"
    );
    let again = identify();
    assert!(
        stdout(&again).contains("CAL 0 CFG 1"),
        "the same model again is no change: {}",
        stdout(&again)
    );
}
