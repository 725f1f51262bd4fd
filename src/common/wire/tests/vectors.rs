//! The golden vectors: `docs/wire-vectors.txt` says what every message is in bytes, and the code says the same both ways.
//! A reader in another language, written from the page alone, must come to the same.

mod support;

use std::fmt::Write;
use std::process::Command;

use support::describe::{self, hex, unhex};
use support::{file, measurement};
use units::{BoardUs32, EyeId, OrderId, Tick32, TriggerSeq, ValveId};
use wire::{
    Amend, BoardLimits, Decoder, Encode, Fault, FaultOf, Fire, FrameError, FrameWriter, FromBoard, Header, Hello,
    Identity, Kind, Mass, MassStatus, Measurement, Messages, PROTOCOL, Role, Samples, Setting, SettingKey, Status,
    ToBoard, ViewStatus, settings, settings_crc,
};

const HEAD: &str = "\
# Golden vectors of pearlsort's field bus, version 1. What the lines mean is in WIRE.md, section \"Test vectors\".
# Made by the tests of the crate `wire`, and read by every implementation's tests.
";

const SAMPLES: [u8; 231] = {
    let mut data = [0; 231];
    let mut i = 0;
    while i < 231 {
        data[i] = (i + 1) as u8;
        i += 1;
    }
    data
};

fn header(kind: Kind) -> Header {
    let (seq, ack) = if matches!(kind, Kind::Connect) {
        (0, 0)
    } else {
        (7, 250)
    };
    Header {
        version: PROTOCOL,
        kind,
        session: 0x5EA1,
        seq,
        ack,
    }
}

fn fire(order: u16, valve: u8, on: u32, length: u16) -> ToBoard {
    ToBoard::Fire(Fire {
        order: OrderId(order),
        valve: ValveId(valve),
        on: Tick32(on),
        length,
    })
}

fn set(key: SettingKey, index: u8, value: u32) -> ToBoard {
    ToBoard::Set(Setting { key, index, value })
}

fn to_board() -> Vec<(&'static str, Vec<ToBoard>)> {
    [controls(), orders()].concat()
}

fn controls() -> Vec<(&'static str, Vec<ToBoard>)> {
    vec![
        (
            "hello",
            vec![ToBoard::Hello(Hello {
                protocol: PROTOCOL,
                session: 0x5EA1,
            })],
        ),
        ("set", vec![set(SettingKey::WatchdogUs, 0, 100_000)]),
        ("commit", vec![ToBoard::Commit]),
        (
            "arm",
            vec![ToBoard::Arm {
                settings_crc: 0x0102_0304,
            }],
        ),
        ("disarm", vec![ToBoard::Disarm]),
        ("feed", vec![ToBoard::Feed { count: 0xFF00 }]),
    ]
}

fn orders() -> Vec<(&'static str, Vec<ToBoard>)> {
    let full: Vec<_> = (0..54)
        .map(|i| fire(100 + i, i as u8, 70_000 + 97 * u32::from(i), 240 + i % 5))
        .collect();
    vec![
        ("fire", vec![fire(513, 12, 1_207_451, 240)]),
        (
            "fire-block",
            vec![
                fire(513, 12, 1_207_451, 240),
                fire(514, 3, 1_205_051, 228),
                fire(515, 90, 1_207_452, 240),
            ],
        ),
        (
            "fire-block-over-the-end",
            vec![
                fire(65_535, 1, u32::MAX, 65_535),
                fire(0, 2, 0, 1),
                fire(1, 3, 0x8000_0000, 2),
            ],
        ),
        (
            "fire-two-blocks",
            vec![fire(7, 1, 500, 100), fire(9, 1, 700, 100), fire(10, 1, 650, 100)],
        ),
        ("fire-full-frame", full),
        (
            "amend",
            vec![ToBoard::Amend(Amend {
                order: OrderId(513),
                length: 130,
            })],
        ),
        (
            "fire-feed-fire-amend",
            vec![
                fire(20, 5, 9_000, 240),
                ToBoard::Feed { count: 1 },
                fire(21, 6, 9_100, 241),
                ToBoard::Amend(Amend {
                    order: OrderId(19),
                    length: 0,
                }),
            ],
        ),
        ("output", vec![ToBoard::Output { channel: 4, value: 1 }]),
        (
            "pulse",
            vec![ToBoard::Pulse {
                valve: ValveId(12),
                us: 5_000,
            }],
        ),
        (
            "settings",
            vec![
                set(SettingKey::LeastSpeed, 0, 2_000),
                set(SettingKey::LagOnUs, 3, 900),
                set(SettingKey::EyeKind, 1, 1),
                set(SettingKey::DeadBand, 2, u32::MAX),
                ToBoard::Commit,
            ],
        ),
    ]
}

fn identity() -> FromBoard<'static> {
    let limits = BoardLimits {
        valves: 128,
        eyes: 32,
        cells: 2,
        channels: 12,
        queue: 512,
        window: 8,
        horizon_ticks: 100_000,
        max_on_us: 50_000,
    };
    FromBoard::Identity(Identity {
        protocol: PROTOCOL,
        uid: 0x0123_4567_89AB_CDEF,
        firmware: 0x0001_0203,
        limits,
        settings_crc: 0xDEAD_BEEF,
        starts: 41,
    })
}

fn unseen(status: ViewStatus) -> FromBoard<'static> {
    let (eye, seq) = (EyeId(5), TriggerSeq(1_000));
    FromBoard::Measurement(Measurement {
        eye,
        seq,
        status,
        in_view: 2,
        ..figures_zero()
    })
}

fn figures_zero() -> Measurement {
    Measurement {
        d_max_um: 0,
        d_mid_um: 0,
        d_min_um: 0,
        u_diameter_um: 0,
        u_ddp: 0,
        residual_um: 0,
        taper: 0,
        lab_l: 0,
        lab_a: 0,
        lab_b: 0,
        u_lab: 0,
        overtone_a: 0,
        overtone_b: 0,
        lustre: 0,
        u_lustre: 0,
        blemishes: 0,
        blemish_area: 0,
        u_blemish_area: 0,
        nacre_um: None,
        ..measurement(1)
    }
}

fn seen(nacre_um: Option<u16>) -> FromBoard<'static> {
    FromBoard::Measurement(Measurement {
        eye: EyeId(5),
        seq: TriggerSeq(1_000),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: 7_462,
        d_mid_um: 7_401,
        d_min_um: 7_377,
        u_diameter_um: 9,
        u_ddp: 17,
        residual_um: 21,
        taper: 35,
        lab_l: 7_850,
        lab_a: -120,
        lab_b: 415,
        u_lab: 60,
        overtone_a: 210,
        overtone_b: -75,
        lustre: 8_120,
        u_lustre: 90,
        blemishes: 1,
        blemish_area: 14,
        u_blemish_area: 5,
        nacre_um,
    })
}

const EYE: EyeId = EyeId(5);
const SEQ: TriggerSeq = TriggerSeq(1_000);
const ORDER: OrderId = OrderId(513);

fn from_board() -> Vec<(&'static str, Vec<FromBoard<'static>>)> {
    [board_reports(), pearl_reports(), order_reports()].concat()
}

fn board_reports() -> Vec<(&'static str, Vec<FromBoard<'static>>)> {
    vec![
        ("identity", vec![identity()]),
        (
            "settings-in-force",
            vec![FromBoard::Settings {
                settings_crc: 0x0102_0304,
            }],
        ),
        ("armed", vec![FromBoard::Armed]),
        ("disarmed", vec![FromBoard::Disarmed { by_watchdog: false }]),
        ("disarmed-by-watchdog", vec![FromBoard::Disarmed { by_watchdog: true }]),
        ("status", vec![status()]),
        (
            "index",
            vec![FromBoard::Index {
                tick: Tick32(1_200_000),
            }],
        ),
    ]
}

fn trigger() -> FromBoard<'static> {
    FromBoard::Trigger {
        eye: EYE,
        seq: SEQ,
        tick: Tick32(1_203_411),
    }
}

fn passed() -> FromBoard<'static> {
    FromBoard::Passed {
        eye: EYE,
        seq: SEQ,
        tick: Tick32(1_203_560),
    }
}

fn pearl_reports() -> Vec<(&'static str, Vec<FromBoard<'static>>)> {
    let samples = |data| {
        FromBoard::Samples(Samples {
            cell: 1,
            first: 70_000,
            at: BoardUs32(5_000_000),
            data,
        })
    };
    vec![
        ("trigger", vec![trigger()]),
        ("passed", vec![passed()]),
        ("measurement", vec![seen(None)]),
        ("measurement-with-nacre", vec![seen(Some(420))]),
        ("measurement-not-good", vec![unseen(ViewStatus::Late)]),
        ("mass", vec![mass(MassStatus::Good, 485_012, 2_140)]),
        ("mass-not-good", vec![mass(MassStatus::Zero, 0, 0)]),
        (
            "samples",
            vec![samples(&[0xFF, 0xFF, 0x7F, 0x00, 0x00, 0x80, 0xFF, 0xFF, 0xFF])],
        ),
        ("samples-full-frame", vec![samples(&SAMPLES)]),
    ]
}

fn order_reports() -> Vec<(&'static str, Vec<FromBoard<'static>>)> {
    let landed = |tick| FromBoard::Landed {
        eye: EyeId(21),
        seq: TriggerSeq(17),
        tick: Tick32(tick),
    };
    let fired = |opened| FromBoard::Fired {
        order: ORDER,
        opened: Tick32(opened),
        open_us: 11_250,
    };
    let fault = |of, fault| FromBoard::Fault { of, fault };
    vec![
        ("fired", vec![fired(1_207_300)]),
        (
            "late",
            vec![FromBoard::Late {
                order: ORDER,
                tick: Tick32(1_207_999),
            }],
        ),
        ("fault-of-order", vec![fault(FaultOf::Order(ORDER), Fault::Horizon)]),
        ("fault-of-valve", vec![fault(FaultOf::Valve(ValveId(12)), Fault::Coil)]),
        ("fault-of-board", vec![fault(FaultOf::Board, Fault::Settings)]),
        ("done", vec![FromBoard::Done { order: ORDER }]),
        ("gone", vec![FromBoard::Gone { order: ORDER }]),
        ("landed", vec![landed(1_209_871)]),
        (
            "channel",
            vec![FromBoard::Channel {
                channel: 3,
                value: 1_013,
            }],
        ),
        ("pulsed", vec![FromBoard::Pulsed { valve: ValveId(12) }]),
        (
            "a-pearl",
            vec![
                trigger(),
                passed(),
                seen(None),
                fired(1_207_300),
                landed(1_209_871),
                status(),
            ],
        ),
        (
            "ticks-go-back",
            vec![
                landed(3),
                fired(u32::MAX),
                FromBoard::Done { order: OrderId(511) },
                passed(),
            ],
        ),
    ]
}

fn status() -> FromBoard<'static> {
    FromBoard::Status(Status {
        at: BoardUs32(4_000_000_000),
        tick: Tick32(1_203_400),
        fed: 512,
        queued: 37,
        armed: true,
        blowing: false,
        dropped: 0,
    })
}

fn mass(status: MassStatus, mass_ug: u32, u_mass_ug: u32) -> FromBoard<'static> {
    let (entered, left) = (Tick32(1_204_000), Tick32(1_204_800));
    FromBoard::Mass(Mass {
        cell: 1,
        number: 900,
        entered,
        left,
        status,
        mass_ug,
        u_mass_ug,
    })
}

fn write_head(text: &mut String, name: &str, direction: &str, header: Header) {
    let Header {
        version,
        kind,
        session,
        seq,
        ack,
    } = header;
    writeln!(
        text,
        "\nname: {name}\ndirection: {direction}\nversion: {version}\nkind: {}",
        kind as u8
    )
    .unwrap();
    writeln!(text, "session: {session}\nseq: {seq}\nack: {ack}").unwrap();
}

fn write_frame<M: Encode>(text: &mut String, header: Header, messages: &[M], describe: impl Fn(&M) -> String) {
    let mut writer = FrameWriter::new(header);
    for message in messages {
        writer.push(message).expect("a vector's messages fit into its frame");
        writeln!(text, "message: {}", describe(message)).unwrap();
    }
    let mut out = [0; wire::ENCODED_MAX];
    let len = writer.finish(&mut out);
    let mut decoded = out[..len - 1].to_vec();
    wire::cobs::decode_in_place(&mut decoded).expect("just encoded");
    writeln!(text, "decoded: {}\nencoded: {}", hex(&decoded[1..]), hex(&out[..len])).unwrap();
}

fn write_frames<M: Encode>(text: &mut String, direction: &str, frames: &[(&str, Vec<M>)], describe: fn(&M) -> String) {
    for (name, messages) in frames {
        let kind = if messages[0].is_connect() {
            Kind::Connect
        } else {
            Kind::Data
        };
        write_head(text, name, direction, header(kind));
        write_frame(text, header(kind), messages, describe);
    }
    for (name, kind) in [("ack", Kind::Ack), ("nak", Kind::Nak)] {
        write_head(text, &format!("{name}-{direction}"), direction, header(kind));
        write_frame::<M>(text, header(kind), &[], describe);
    }
}

/// Bytes that must be refused, with the reason: the frame's, or `message` for a whole frame with a message that is none.
fn refused() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let body = |body: &[u8]| {
        let mut out = [0; wire::ENCODED_MAX];
        let len = wire::frame::seal(header(Kind::Data), body, &mut out);
        out[..len].to_vec()
    };
    let other = |header: Header, body: &[u8]| {
        let mut out = [0; wire::ENCODED_MAX];
        let len = wire::frame::seal(header, body, &mut out);
        out[..len].to_vec()
    };
    let mut flipped = body(&[0x03]);
    flipped[3] ^= 0x10;
    let with_session = |session| Header {
        session,
        ..header(Kind::Data)
    };
    vec![
        ("crc", "a-flipped-bit", flipped),
        ("cobs", "stuffing-beyond-the-end", vec![5, 1, 2, 0]),
        ("length", "too-short", vec![9, 1, 2, 3, 4, 5, 6, 7, 8, 0]),
        ("overrun", "too-long", [vec![1; 255], vec![0]].concat()),
        (
            "version",
            "version-two",
            other(
                Header {
                    version: 2,
                    ..header(Kind::Data)
                },
                &[0x03],
            ),
        ),
        ("header", "session-zero", other(with_session(0), &[0x03])),
        ("header", "ack-with-messages", other(header(Kind::Ack), &[0x03])),
        ("message", "no-message", body(&[])),
        ("message", "unknown-tag", body(&[0x7F])),
        ("message", "hello-in-a-data-frame", body(&[0x01, 1, 0xA1, 0x5E])),
        ("message", "message-cut-short", body(&[0x04, 1, 2, 3])),
        ("message", "second-message-bad", body(&[0x03, 0x02, 200, 0, 0, 0, 0, 0])),
        ("message", "fire-of-length-zero", body(&[0x80, 1, 0, 12, 1, 0, 0, 0, 0])),
        (
            "message",
            "fire-block-cut-short",
            body(&[0x81, 1, 0, 12, 1, 0, 0, 0, 4]),
        ),
        ("message", "number-with-needless-byte", body(&[0x07, 1, 0, 0x85, 0])),
        ("message", "number-too-large", body(&[0x07, 1, 0, 0x80, 0x80, 4])),
    ]
}

/// The settings of a board with two valves and one eye, as an example of the checksum.
fn example_settings() -> Vec<Setting> {
    let limits = BoardLimits {
        valves: 2,
        eyes: 1,
        cells: 0,
        channels: 0,
        queue: 1,
        window: 2,
        horizon_ticks: 1,
        max_on_us: 1,
    };
    let value = |(key, index): (SettingKey, u8)| {
        let value = match key {
            SettingKey::LeastSpeed => 2_000,
            SettingKey::LagOnUs => 900 + 10 * u32::from(index),
            SettingKey::LagOffUs => 400,
            SettingKey::MaxOnUs => 30_000,
            SettingKey::MinOffUs => 2_000,
            SettingKey::LeastTicks => 20,
            _ => settings::at_start(key),
        };
        Setting { key, index, value }
    };
    settings::canonical(&limits).map(value).collect()
}

fn render() -> String {
    let mut text = String::from(HEAD);
    write_frames(&mut text, "to-board", &to_board(), describe::to_board);
    write_frames(&mut text, "from-board", &from_board(), describe::from_board);
    for (why, name, bytes) in refused() {
        writeln!(
            text,
            "\nname: {name}\ndirection: to-board\nrefused: {why}\nencoded: {}",
            hex(&bytes)
        )
        .unwrap();
    }
    writeln!(text, "\nname: settings-checksum").unwrap();
    for Setting { key, index, value } in example_settings() {
        writeln!(text, "setting: key={} index={index} value={value}", key as u8).unwrap();
    }
    writeln!(text, "settings_crc: {}", settings_crc(example_settings())).unwrap();
    text
}

#[test]
fn the_file_holds_what_the_code_encodes() {
    file::holds("wire-vectors.txt", &render());
}

/// The messages of a frame as lines, or why it is refused.
fn read<R: Role>(bytes: &[u8], describe: impl Fn(&R::In<'_>) -> String) -> Result<Vec<String>, &'static str> {
    let mut decoder = Decoder::new();
    let mut input = bytes;
    let frame = decoder
        .next(&mut input)
        .expect("a zero ends every vector")
        .map_err(|error| match error {
            FrameError::Overrun => "overrun",
            FrameError::Cobs => "cobs",
            FrameError::Length => "length",
            FrameError::Crc => "crc",
            FrameError::Header => "header",
            FrameError::Version(_) => "version",
        })?;
    match frame.header.kind {
        Kind::Ack | Kind::Nak => Ok(Vec::new()),
        Kind::Connect => Messages::<R>::connect(frame.body)
            .map(|message| vec![describe(&message)])
            .map_err(|_| "message"),
        Kind::Data => {
            Messages::<R>::numbered(frame.body).check().map_err(|_| "message")?;
            Ok(Messages::<R>::numbered(frame.body)
                .flatten()
                .map(|message| describe(&message))
                .collect())
        }
    }
}

#[test]
fn every_vector_is_read_as_the_file_says() {
    let blocks = file::vectors();
    let mut read_vectors = 0;
    for block in &blocks {
        let (Some(name), Some(encoded)) = (block.get("name"), block.get("encoded")) else {
            continue;
        };
        let bytes = unhex(encoded);
        let messages = match block.get("direction") {
            Some("to-board") => read::<wire::Board>(&bytes, describe::to_board),
            _ => read::<wire::Host>(&bytes, describe::from_board),
        };
        match block.get("refused") {
            Some(why) => assert_eq!(messages, Err(why), "{name}"),
            None => assert_eq!(
                messages,
                Ok(block.all("message").map(str::to_owned).collect()),
                "{name}"
            ),
        }
        read_vectors += 1;
    }
    assert_eq!(
        read_vectors,
        to_board().len() + from_board().len() + 4 + refused().len()
    );
}

#[test]
fn every_message_has_a_vector() {
    let blocks = file::vectors();
    let mut names: Vec<_> = blocks
        .iter()
        .flat_map(|block| block.all("message"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    // 10 messages to the board and 19 from it.
    assert_eq!(names.len(), 29, "{names:?}");
}

#[test]
fn a_reader_written_from_the_page_alone_agrees() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference.py");
    let Ok(run) = Command::new("python3")
        .arg(script)
        .arg(file::path("wire-vectors.txt"))
        .output()
    else {
        eprintln!("skipped: no python3 on this computer");
        return;
    };
    assert!(
        run.status.success(),
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
}
