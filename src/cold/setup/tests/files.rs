//! Files of a recording that are not what they should be, and rows whose gates make no sense.

use line::weigh::{BeltLines, Model, Noise, Platform, Refusal};
use setup::weigh::synthetic::Plan;
use setup::weigh::{Flag, Recording, RecordingError, default_checks, read_recording, weigh, write_readings};
use std::path::PathBuf;

/// A folder of its own with a sound recording, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, recording: &Recording) -> Self {
        let folder = std::env::temp_dir().join(format!("pearlsort-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let bytes: Vec<u8> = recording.samples.iter().flat_map(|code| code.to_le_bytes()).collect();
        std::fs::write(folder.join("samples.i32"), bytes).unwrap();
        std::fs::write(
            folder.join("meta.json"),
            r#"{"sps": 4800.0, "counts_per_g": 200000, "roll_on_ms": 6.0}"#,
        )
        .unwrap();
        let mut csv = String::from("enter_s,leave_s,mass_g\n");
        for (gate, mass) in recording.gates.iter().zip(recording.masses_mg.as_ref().unwrap()) {
            csv += &format!("{},{:.5},{:.5}\n", gate.enter_text, gate.leave_s.unwrap(), mass / 1e3);
        }
        std::fs::write(folder.join("truth.csv"), csv).unwrap();
        Self(folder)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.join(file), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn plan() -> Plan {
    Plan {
        seconds: 4.0,
        doubles: 0.0,
        ..Plan::default()
    }
}

/// The plan's own figures, so that these tests need no identification.
fn model(plan: &Plan) -> Model {
    let hz: Vec<f64> = plan.lines.iter().map(|line| line.0).collect();
    Model {
        sample_hz: plan.sample_hz,
        counts_per_mg: plan.counts_per_mg,
        platform: Platform {
            natural_hz: plan.natural_hz,
            damping: plan.damping,
            effective_mg: plan.effective_g * 1e3,
            landing_us: 2_000.0,
            roll_us: plan.roll_on_ms * 1e3,
            lag_us: 0.0,
        },
        lines: BeltLines::new(&hz),
        noise: Noise {
            white_mg: plan.noise_mg,
            zero_walk_mg: 0.5,
            line_walk_mg: 0.5,
            push_mg: 0.0,
            gate_us: 20.0,
        },
    }
}

#[test]
fn a_sound_folder_is_read_and_enter_s_is_given_back_as_it_was() {
    let recording = plan().record();
    let folder = Folder::new("sound", &recording);
    let read = read_recording(&folder.0, false).unwrap();
    assert_eq!(
        (&read.samples, &read.gates, &read.masses_mg),
        (&recording.samples, &recording.gates, &None)
    );
    let readings = weigh(&read, &model(&plan()), &default_checks(&read)).unwrap();
    let csv = write_readings(&readings);
    for (row, gate) in csv.lines().skip(1).zip(&recording.gates) {
        assert!(
            row.starts_with(&format!("{},", gate.enter_text)) && row.ends_with(','),
            "{row}"
        );
    }
    assert!(csv.starts_with("enter_s,mass_mg,u_mg,flag\n"));
}

#[test]
fn files_that_are_wrong_are_named_with_their_line() {
    let recording = plan().record();
    let folder = Folder::new("wrong", &recording);
    let fails = |file: &str, text: &str, with_masses: bool, say: &str| {
        let path = folder.0.join(file);
        let sound = std::fs::read(&path).unwrap();
        folder.write(file, text);
        let error = read_recording(&folder.0, with_masses).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(say), "{error}");
        std::fs::write(&path, sound).unwrap();
    };
    fails("samples.i32", "", false, "nothing in it");
    fails("samples.i32", "12345", false, "5 bytes");
    fails("meta.json", "{", false, "line 1");
    fails("meta.json", r#"{"sps": 4800}"#, false, "counts_per_g");
    fails(
        "meta.json",
        r#"{"sps": -1, "counts_per_g": 1000, "roll_on_ms": 6}"#,
        false,
        "sps is -1",
    );
    fails("truth.csv", "", false, "nothing in it");
    fails("truth.csv", "a,b\n1,2\n", false, "enter_s,leave_s");
    fails("truth.csv", "enter_s,leave_s,mass_g\n1.0,1.05,0.4\n1.1\n", false, ":3:");
    fails("truth.csv", "enter_s,leave_s\n1.0,1.05\n", true, "no column mass_g");
    fails("truth.csv", "enter_s,leave_s,mass_g\n1.0,1.05,heavy\n", true, ":2:");
    std::fs::remove_file(folder.0.join("meta.json")).unwrap();
    assert!(matches!(
        read_recording(&folder.0, false),
        Err(RecordingError::Read { .. })
    ));
}

fn flags(change: impl Fn(&mut Recording)) -> Vec<Option<Flag>> {
    let plan = plan();
    let mut recording = plan.record();
    let sound = recording.gates.clone();
    change(&mut recording);
    let masses = recording.masses_mg.clone().unwrap();
    let readings = weigh(&recording, &model(&plan), &default_checks(&recording)).unwrap();
    assert_eq!(readings.len(), sound.len());
    for (reading, mass) in readings.iter().zip(masses) {
        assert!(
            reading.mass.is_err_and(|_| true) || (reading.mass.unwrap().0 - mass).abs() < 1.5,
            "{reading:?}, {mass}"
        );
    }
    readings.iter().map(|reading| reading.mass.err()).collect()
}

#[test]
fn rows_without_sense_are_refused_and_the_others_weighed() {
    let refused = |why| Some(Flag::Refused(why));
    assert!(flags(|_| ()).iter().all(Option::is_none));
    let got = flags(|r| r.gates[10].leave_s = None);
    assert_eq!(got[10], refused(Refusal::NoLeave));
    assert!(got[..9].iter().chain(&got[16..]).all(Option::is_none), "{got:?}");
    let got = flags(|r| r.gates[10].enter_s = None);
    assert_eq!(got[10], Some(Flag::NoEnter));
    assert!(got[..9].iter().chain(&got[16..]).all(Option::is_none), "{got:?}");
    let got = flags(|r| r.gates[10].leave_s = r.gates[10].enter_s.map(|enter| enter - 0.01));
    assert_eq!(got[10], refused(Refusal::GateOrder));
    let got = flags(|r| {
        r.gates.swap(10, 11);
        r.masses_mg.as_mut().unwrap().swap(10, 11);
    });
    assert_eq!(got[11], refused(Refusal::GateOrder));
    let got = flags(|r| r.gates[10].leave_s = r.gates[10].enter_s.map(|enter| enter + 0.010));
    assert!(got[10].is_some());
}

#[test]
fn a_recording_that_ends_too_early_refuses_what_it_does_not_hold() {
    let got = flags(|r| r.samples.truncate(12_000));
    assert!(got[0].is_none() && got.last().unwrap().is_some(), "{got:?}");
}

#[test]
fn codes_that_are_wrong_refuse() {
    let got = flags(|r| r.samples.fill(0));
    assert!(got.iter().all(Option::is_some), "{got:?}");
    let got = flags(|r| r.samples.fill(i32::MIN));
    assert!(got.iter().all(Option::is_some), "{got:?}");
    let got = flags(|r| {
        r.samples
            .iter_mut()
            .enumerate()
            .for_each(|(i, code)| *code = i as i32 * 7_919 % 8_000_000)
    });
    assert!(got.iter().all(Option::is_some), "{got:?}");
}
