//! Weight transmitters with Modbus RTU: the shipped mappings against a pymodbus server, and faults of the line.
//!
//! The server needs python3 with pymodbus 3.16 and pyserial (PEARLSORT_PYTHON names another interpreter); without them
//! the tests say so and pass.

mod support;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use scales::modbus::crc16;
use support::{Pty, mapping, scripted, shipped};

fn python() -> Option<String> {
    let python = std::env::var("PEARLSORT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", "import serial, pymodbus.simulator"])
        .stderr(Stdio::null())
        .status();
    if has.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    println!("skipped: {python} has no pymodbus and pyserial; install them, or set PEARLSORT_PYTHON");
    None
}

/// A server behind two pseudo-terminals, as two serial ports with a cable between them.
struct Server {
    child: Child,
    path: std::path::PathBuf,
    _ends: [Pty; 2],
}

impl Server {
    fn start(python: &str, registers: &[u16], fault: &str) -> Self {
        let (there, here) = (Pty::open(), Pty::open());
        cable(there.master.try_clone().unwrap(), here.master.try_clone().unwrap());
        cable(here.master.try_clone().unwrap(), there.master.try_clone().unwrap());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modbus_server.py");
        let mut child = Command::new(python)
            .args([script, there.path.to_str().unwrap(), &format!("{registers:?}"), fault])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        assert_eq!(ready.trim(), "ready");
        let path = here.path.clone();
        Self {
            child,
            path,
            _ends: [there, here],
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // the server has ended already where the test failed because of that
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Carries bytes one way until an end is closed.
fn cable(mut from: File, mut to: File) {
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
    });
}

/// Registers 40001 to 40020 of a Laumas transmitter that weighs `digits` in divisions of 0.05 g.
fn laumas(status: u16, digits: i32, unit: u16) -> Vec<u16> {
    let mut registers = vec![0; 20];
    let halves = |digits: i32| [(digits.cast_unsigned() >> 16) as u16, digits as u16];
    registers[6] = status;
    registers[7..9].copy_from_slice(&halves(digits));
    registers[9..11].copy_from_slice(&halves(digits - 1_000));
    registers[13] = unit << 8 | 10;
    registers
}

const STABLE: u16 = 1 << 11;
const GRAM: u16 = 1;

fn served(python: &str, registers: &[u16], fault: &str) -> Result<f64, &'static str> {
    let server = Server::start(python, registers, fault);
    let mut scale = shipped("laumas.toml", 500).open(&server.path).unwrap();
    scale
        .weigh()
        .map(|weighing| weighing.mass_mg)
        .map_err(|refusal| refusal.name())
}

#[test]
fn a_laumas_transmitter_is_read_by_its_mapping() {
    let Some(python) = python() else { return };
    let mass = served(&python, &laumas(STABLE, 123_450, GRAM), "none").unwrap();
    assert!((mass - 1_234_500.0).abs() < 1e-6, "{mass}");
    let bad = [
        (laumas(0, 123_450, GRAM), "unstable"),
        (laumas(STABLE | 1 << 3, 123_450, GRAM), "over-range"),
        (laumas(STABLE | 1, 123_450, GRAM), "faulty"),
        (laumas(STABLE, 123_450, 0), "wrong-unit"),
        (laumas(STABLE, -5, GRAM), "garbled"),
        (laumas(STABLE, 5, GRAM)[..12].to_vec(), "declined"),
    ];
    for (registers, name) in bad {
        assert_eq!(served(&python, &registers, "none"), Err(name), "{registers:?}");
    }
}

#[test]
fn net_and_negative_masses_zero_and_tare() {
    let Some(python) = python() else { return };
    let negative_net = laumas(STABLE | 1 << 8, 400, GRAM);
    let server = Server::start(&python, &negative_net, "none");
    let mut setup = shipped("laumas.toml", 500);
    mapping(&mut setup).weigh = scales::registers::Which::Net;
    let mut scale = setup.open(&server.path).unwrap();
    let weighing = scale.weigh().unwrap();
    assert!(
        (weighing.mass_mg + 6_000.0).abs() < 1e-6 && (weighing.division_mg - 50.0).abs() < 1e-9,
        "{weighing:?}"
    );
    scale.zero().unwrap();
    scale.tare().unwrap();
}

#[test]
fn a_cas_indicator_is_read_by_its_mapping() {
    let Some(python) = python() else { return };
    let mut registers = vec![0; 20];
    registers[8] = 12_345;
    let server = Server::start(&python, &registers, "none");
    let mut scale = shipped("cas.toml", 500).open(&server.path).unwrap();
    let weighing = scale.weigh().unwrap();
    assert!(
        (weighing.mass_mg - 1_234_500.0).abs() < 1e-6 && (weighing.division_mg - 100.0).abs() < 1e-9,
        "{weighing:?}"
    );
    assert_eq!(scale.zero().unwrap_err().name(), "no-command");
    drop(scale);
    registers[7] = 1;
    let server = Server::start(&python, &registers, "none");
    let refusal = shipped("cas.toml", 500)
        .open(&server.path)
        .unwrap()
        .weigh()
        .unwrap_err();
    assert_eq!(refusal.name(), "over-range");
}

#[test]
fn faults_of_the_line_are_named() {
    let Some(python) = python() else { return };
    let registers = laumas(STABLE, 123_450, GRAM);
    assert_eq!(served(&python, &registers, "silent"), Err("silent"));
    assert_eq!(served(&python, &registers, "corrupt"), Err("garbled"));
}

const ASKED: &[u8] = &[1, 3, 0, 6, 0, 8];

/// A frame as it goes over the line.
fn frame(body: &[u8]) -> &'static [u8] {
    let crc = crc16(body).to_le_bytes();
    [body, &crc].concat().leak()
}

/// A whole answer to [`ASKED`]: at rest, `digits` in divisions of 0.05 g.
fn answer(address: u8, digits: u16) -> &'static [u8] {
    let [high, low] = digits.to_be_bytes();
    frame(&[
        address, 3, 16, 8, 0, 0, 0, high, low, 0, 0, high, low, 0, 0, 0, 0, 1, 10,
    ])
}

#[test]
fn answers_of_others_and_a_cut_cable_are_named() {
    let cases = [
        (answer(2, 100), "garbled"),
        (
            frame(&[1, 4, 16, 8, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0, 1, 10]),
            "garbled",
        ),
        (frame(&[1, 0x83, 4]), "faulty"),
        (frame(&[1, 0x83, 6]), "declined"),
        (&answer(1, 100)[..9], "silent"),
    ];
    for (said, name) in cases {
        let pty = Pty::open();
        let mut scale = shipped("laumas.toml", 100).open(&pty.path).unwrap();
        let transmitter = scripted(pty.master, vec![(frame(ASKED), said)]);
        assert_eq!(scale.weigh().unwrap_err().name(), name);
        transmitter.join().unwrap();
    }
    let pty = Pty::open();
    let mut scale = shipped("laumas.toml", 100).open(&pty.path).unwrap();
    drop(pty);
    assert_eq!(scale.weigh().unwrap_err().name(), "cut");
}

#[test]
fn a_late_answer_is_not_taken_for_the_next() {
    let pty = Pty::open();
    let mut scale = shipped("laumas.toml", 100).open(&pty.path).unwrap();
    let mut late = pty.master.try_clone().unwrap();
    assert_eq!(scale.weigh().unwrap_err().name(), "silent");
    let mut asked = vec![0; 8];
    late.read_exact(&mut asked).unwrap();
    late.write_all(answer(1, 100)).unwrap();
    let transmitter = scripted(pty.master, vec![(frame(ASKED), answer(1, 200))]);
    let weighing = scale.weigh().unwrap();
    assert!((weighing.mass_mg - 2_000.0).abs() < 1e-6, "{weighing:?}");
    transmitter.join().unwrap();
}

#[test]
fn nothing_is_asked_after_a_failure_until_the_line_is_silent() {
    let Pty { mut master, path, .. } = Pty::open();
    let mut scale = shipped("laumas.toml", 50).open(&path).unwrap();
    assert_eq!(scale.weigh().unwrap_err().name(), "silent");
    let mut asked = vec![0; 8];
    master.read_exact(&mut asked).unwrap();
    let (done, over) = std::sync::mpsc::channel::<()>();
    let talker = std::thread::spawn(move || {
        while over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) && master.write_all(answer(1, 100)).is_ok() {
            std::thread::yield_now();
        }
    });
    let refusal = scale.weigh().unwrap_err();
    assert!(refusal.to_string().contains("without being asked"), "{refusal}");
    drop(done);
    drop(scale);
    talker.join().unwrap();
}
