//! Balances that answer in text, played by scripts on pseudo-terminals: good weighings, and a name for each bad one.

mod support;

use std::io::Write as _;

use scales::Protocol;
use scales::mt_sics::{Command, MtSicsSetup};
use support::{Pty, scripted, shipped};

const PATIENCE_MS: u64 = 2_000;

/// What becomes of one weighing when the balance says `answer`.
fn weighed(answer: &'static [u8]) -> Result<f64, &'static str> {
    let pty = Pty::open();
    let setup = shipped("mettler-toledo.toml", PATIENCE_MS);
    let mut scale = setup.open(&pty.path).unwrap();
    let balance = scripted(pty.master, vec![(b"S\r\n", answer)]);
    let result = scale
        .weigh()
        .map(|weighing| weighing.mass_mg)
        .map_err(|refusal| refusal.name());
    balance.join().unwrap();
    result
}

#[test]
fn a_balance_at_rest_is_read() {
    let mass = weighed(b"S S      12.345 g\r\n").unwrap();
    assert!((mass - 12_345.0).abs() < 1e-6, "{mass}");
}

#[test]
fn each_bad_answer_has_its_name() {
    let cases: [(&[u8], &str); 8] = [
        (b"S D      12.345 g\r\n", "unstable"),
        (b"S I\r\n", "declined"),
        (b"S +\r\n", "over-range"),
        (b"S -\r\n", "under-range"),
        (b"S S      61.725 ct\r\n", "wrong-unit"),
        (b"ES\r\n", "declined"),
        (b"\xff\xfe\x00garbage\r\n", "garbled"),
        (&[b'x'; 400], "garbled"),
    ];
    for (answer, name) in cases {
        assert_eq!(weighed(answer), Err(name), "{}", answer.escape_ascii());
    }
}

#[test]
fn zero_and_tare_are_told_from_their_refusal() {
    let pty = Pty::open();
    let mut scale = shipped("mettler-toledo.toml", PATIENCE_MS).open(&pty.path).unwrap();
    let script: Vec<(&'static [u8], &'static [u8])> = vec![
        (b"Z\r\n", b"Z A\r\n"),
        (b"T\r\n", b"T S      10.00 g\r\n"),
        (b"Z\r\n", b"Z I\r\n"),
        (b"T\r\n", b"T +\r\n"),
    ];
    let balance = scripted(pty.master, script);
    scale.zero().unwrap();
    scale.tare().unwrap();
    assert_eq!(scale.zero().unwrap_err().name(), "declined");
    assert_eq!(scale.tare().unwrap_err().name(), "over-range");
    balance.join().unwrap();
}

#[test]
fn a_stream_is_heard_until_it_rests_and_then_ended() {
    let pty = Pty::open();
    let mut setup = shipped("mettler-toledo.toml", PATIENCE_MS);
    setup.protocol = Protocol::MtSics(MtSicsSetup {
        command: Command::Repeated,
    });
    let mut scale = setup.open(&pty.path).unwrap();
    let script: Vec<(&'static [u8], &'static [u8])> = vec![
        (b"SIR\r\n", b"S D 4.1 g\r\nS D 4.9 g\r\nS S 5.0 g\r\n"),
        (b"SI\r\n", b"S S 5.0 g\r\n"),
    ];
    let balance = scripted(pty.master, script);
    assert!((scale.weigh().unwrap().mass_mg - 5_000.0).abs() < 1e-9);
    balance.join().unwrap();
}

#[test]
fn a_silent_balance_and_a_cut_line_are_told_apart() {
    let pty = Pty::open();
    let mut scale = shipped("mettler-toledo.toml", 50).open(&pty.path).unwrap();
    assert_eq!(scale.weigh().unwrap_err().name(), "silent");
    drop(pty);
    assert_eq!(scale.weigh().unwrap_err().name(), "cut");
}

#[test]
fn a_port_that_is_not_there_is_named() {
    let missing = std::path::Path::new("/dev/no-such-scale");
    let refusal = shipped("mettler-toledo.toml", 50).open(missing).err().unwrap();
    assert!(
        refusal.name() == "port" && refusal.to_string().contains("/dev/no-such-scale"),
        "{refusal}"
    );
}

/// What becomes of one weighing while lines come of themselves, again and again.
fn streamed(file: &str, lines: &'static [u8], timeout_ms: u64) -> Result<f64, &'static str> {
    let Pty { mut master, path, .. } = Pty::open();
    let mut scale = shipped(file, timeout_ms).open(&path).unwrap();
    let (done, over) = std::sync::mpsc::channel::<()>();
    let sender = std::thread::spawn(move || {
        while over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            // when the port has been closed nobody listens any more
            if master.write_all(lines).is_err() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let result = scale
        .weigh()
        .map(|weighing| weighing.mass_mg)
        .map_err(|refusal| refusal.name());
    drop(done);
    drop(scale);
    sender.join().unwrap();
    result
}

#[test]
fn lines_that_come_of_themselves_are_read_by_pattern() {
    let mass = streamed("continuous.toml", b"ST,+00123.45  g\r\n", PATIENCE_MS).unwrap();
    assert!((mass - 123_450.0).abs() < 1e-6, "{mass}");
    let mass = streamed("cas-continuous.toml", b"ST,GS,\x01\xe4,  0.1230 kg\r\n", PATIENCE_MS).unwrap();
    assert!((mass - 123_000.0).abs() < 1e-6, "{mass}");
    assert_eq!(
        streamed("continuous.toml", b"US,+00123.45  g\r\n", 100),
        Err("unstable")
    );
    assert_eq!(
        streamed("continuous.toml", b"OL,---------  g\r\n", PATIENCE_MS),
        Err("over-range")
    );
    assert_eq!(
        streamed("continuous.toml", b"ST,+00123.45 lb\r\n", PATIENCE_MS),
        Err("wrong-unit")
    );
    assert_eq!(
        streamed("continuous.toml", b"\x80\x81 not a scale\r\n", PATIENCE_MS),
        Err("garbled")
    );
    assert_eq!(streamed("continuous.toml", &[b'7'; 64], PATIENCE_MS), Err("garbled"));
}
