//! Holds `docs/WIRE.md` against the code: its tables, its example of the settings' checksum, its worked exchange.

mod support;

use std::fmt::Write;

use support::describe::{self, hex, unhex};
use support::file;
use units::{BoardUs32, EyeId, OrderId, Tick32, TriggerSeq, ValveId};
use wire::settings::{self, Scope};
use wire::{
    Board, BoardEndpoint, BoardLimits, Decoder, Fire, FrameWriter, FromBoard, Hello, Host, HostEndpoint, Identity,
    Kind, Measurement, Messages, PROTOCOL, Role, Setting, SettingKey, Status, ToBoard, ViewStatus, limits,
    settings_crc,
};

const PAGE: &str = "WIRE.md";

/// Rows of the page's tables whose first cell begins so, cell by cell, without the marks of code.
fn rows(begin: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.replace('`', "").trim().to_owned())
            .collect()
    };
    file::read(PAGE)
        .lines()
        .filter(|line| line.starts_with(&format!("| {begin}")))
        .map(cells)
        .collect()
}

fn numbers(cell: &str) -> Vec<usize> {
    let digits = cell.replace(',', "");
    digits
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect()
}

#[test]
fn the_table_of_messages_is_the_codecs() {
    let mut of_page: Vec<(u8, String, String, String)> = rows("`0x")
        .into_iter()
        .map(|row| {
            let tag = u8::from_str_radix(&row[0][2..], 16).expect("a tag");
            (tag, row[1].clone(), row[2].clone(), row[3].clone())
        })
        .collect();
    of_page.sort();
    let mut of_code = Vec::new();
    for block in file::vectors() {
        let messages: Vec<&str> = block.all("message").collect();
        let ([message], Some(decoded)) = (&messages[..], block.get("decoded")) else {
            continue;
        };
        let body = &unhex(decoded)[5..];
        let body = &body[..body.len() - 4];
        let direction = block
            .get("direction")
            .expect("every frame has one")
            .replace('-', " the ");
        let name = message.split(' ').next().expect("a name").to_owned();
        let row = of_page
            .iter()
            .find(|row| row.0 == body[0])
            .unwrap_or_else(|| panic!("{name} is not on the page"));
        assert_eq!((&row.1, &row.2), (&name, &direction), "tag {:#04x}", body[0]);
        let range = numbers(&row.3);
        let fits = body.len() >= range[0] && (row.3.contains("and") || body.len() <= range[range.len() - 1]);
        assert!(fits, "{name} has {} bytes; the page says {}", body.len(), row.3);
        of_code.push(body[0]);
    }
    of_code.sort_unstable();
    of_code.dedup();
    assert_eq!(
        of_page.iter().map(|row| row.0).collect::<Vec<_>>(),
        of_code,
        "the page's tags and the code's"
    );
}

#[test]
fn no_tag_is_missing_on_the_page() {
    let known: Vec<u8> = rows("`0x")
        .iter()
        .map(|row| u8::from_str_radix(&row[0][2..], 16).expect("a tag"))
        .collect();
    let unknown = |error: Option<Result<(), wire::DecodeError>>| matches!(error, Some(Err(wire::DecodeError::Tag(_))));
    for tag in 0..0x80 {
        let body = [&[tag][..], &[0; 64]].concat();
        let to = Messages::<Board>::numbered(&body)
            .next()
            .map(|message| message.map(|_| ()));
        let from = Messages::<Host>::numbered(&body)
            .next()
            .map(|message| message.map(|_| ()));
        let connect = Messages::<Board>::connect(&body)
            .err()
            .is_some_and(|e| e == wire::DecodeError::Tag(tag))
            && Messages::<Host>::connect(&body)
                .err()
                .is_some_and(|e| e == wire::DecodeError::Tag(tag));
        let taken = !(unknown(to) && unknown(from) && connect);
        assert_eq!(taken, known.contains(&tag), "tag {tag:#04x}");
    }
}

#[test]
fn sizes_and_times_are_the_codes() {
    let of_code = [
        ("HEADER_BYTES", limits::HEADER_BYTES),
        ("CRC_BYTES", limits::CRC_BYTES),
        ("BODY_MAX", limits::BODY_MAX),
        ("DECODED_MAX", limits::DECODED_MAX),
        ("ENCODED_MAX", limits::ENCODED_MAX),
        ("OVERHEAD_BYTES", limits::OVERHEAD_BYTES),
        ("SAMPLES_MAX", limits::SAMPLES_MAX),
        ("FIRE_BLOCK_MAX", limits::FIRE_BLOCK_MAX),
        ("WINDOW_MAX", limits::WINDOW_MAX),
        ("ACK_DELAY_US", limits::ACK_DELAY_US as usize),
        ("ACK_EVERY", limits::ACK_EVERY.into()),
        ("NAK_AGAIN_US", limits::NAK_AGAIN_US as usize),
        ("FIRST_ROUND_TRIP_US", limits::FIRST_ROUND_TRIP_US as usize),
        ("TIMEOUT_SLACK_US", limits::TIMEOUT_SLACK_US as usize),
        ("TIMEOUT_MAX_US", limits::TIMEOUT_MAX_US as usize),
        ("HELLO_EVERY_US", limits::HELLO_EVERY_US as usize),
    ];
    for (name, value) in of_code {
        let row = rows(&format!("`{name}`"));
        assert_eq!(row.len(), 1, "{name} stands once on the page");
        assert_eq!(numbers(&row[0][1]), [value], "{name}");
    }
}

#[test]
fn the_table_of_settings_is_the_codes() {
    for key in settings::KEYS {
        let scope = match settings::scope(key) {
            Scope::Board => "board",
            Scope::Valve => "valve",
            Scope::Eye => "eye",
            Scope::Cell => "cell",
            Scope::Channel => "channel",
        };
        let name = format!("{key:?}");
        let row = rows(&format!("{} | {name} ", key as u8));
        assert_eq!(row.len(), 1, "{name} stands once on the page");
        assert_eq!(row[0][2], scope, "{name}");
        assert_eq!(
            numbers(&row[0][5]),
            [settings::at_start(key) as usize],
            "{name} at start"
        );
    }
}

/// Asserts that the page has `text` between the remarks `<!-- name: begin -->` and `end`.
fn page_holds(name: &str, text: &str) {
    let page = file::read(PAGE);
    let begin = format!("<!-- {name}: begin -->\n");
    let (head, rest) = page.split_once(&begin).expect("the page has the section's begin");
    let (_, tail) = rest
        .split_once(&format!("<!-- {name}: end -->"))
        .expect("the page has the section's end");
    file::holds(PAGE, &format!("{head}{begin}{text}<!-- {name}: end -->{tail}"));
}

#[test]
fn sections_made_by_the_code_are_on_the_page() {
    page_holds("settings", &settings_section());
    page_holds("exchange", &exchange_section());
}

fn settings_section() -> String {
    let blocks = file::vectors();
    let block = blocks
        .iter()
        .find(|block| block.get("name") == Some("settings-checksum"))
        .expect("the vector");
    let (mut text, mut bytes) = (String::from("```text\n"), Vec::new());
    for setting in block.all("setting") {
        let field: Vec<u32> = setting
            .split_whitespace()
            .filter_map(|field| field.split_once('=')?.1.parse().ok())
            .collect();
        let six = [&[field[0] as u8, field[1] as u8][..], &field[2].to_le_bytes()].concat();
        writeln!(text, "{}    {setting}", hex(&six)).unwrap();
        bytes.extend(six);
    }
    let crc = wire::crc32c(&bytes);
    assert_eq!(block.get("settings_crc"), Some(crc.to_string().as_str()));
    writeln!(text, "CRC-32C of these {} bytes: 0x{crc:08X}\n```", bytes.len()).unwrap();
    text
}

/// Two ends, and the page's text of what went between them.
struct Exchange {
    host: HostEndpoint<8>,
    board: BoardEndpoint<8>,
    text: String,
}

impl Exchange {
    /// The host's messages go out at a time, or only what it owes if there are none.
    fn host_sends(&mut self, at_us: u64, messages: &[ToBoard], why: &str) {
        for message in messages {
            let pushed = if matches!(message, ToBoard::Hello(_)) {
                self.host.connect(message)
            } else {
                self.host.push(message)
            };
            pushed.expect("room");
        }
        self.host.flush();
        let mut out = [0; 512];
        let n = self.host.poll_transmit(at_us, &mut out);
        self.write::<Board>(at_us, "host to board", &out[..n], why, describe::to_board);
        let mut session = None;
        self.board.receive(at_us + 500, &out[..n], |message| {
            if let ToBoard::Hello(hello) = message {
                session = Some(hello.session);
            }
        });
        session.into_iter().for_each(|session| self.board.reset(session));
    }

    fn board_sends(&mut self, at_us: u64, messages: &[FromBoard<'_>], lost: bool, why: &str) {
        for message in messages {
            let identity = matches!(message, FromBoard::Identity(_));
            let pushed = if identity {
                self.board.connect(message)
            } else {
                self.board.push(message)
            };
            pushed.expect("room");
        }
        self.board.flush();
        let mut out = [0; 512];
        let n = self.board.poll_transmit(at_us, &mut out);
        self.write::<Host>(at_us, "board to host", &out[..n], why, describe::from_board);
        if !lost {
            self.host.receive(at_us + 500, &out[..n], |_| ());
        }
    }

    fn write<R: Role>(
        &mut self,
        at_us: u64,
        way: &str,
        bytes: &[u8],
        why: &str,
        describe: impl Fn(&R::In<'_>) -> String,
    ) where
        for<'a> R::In<'a>: wire::Encode,
    {
        assert!(!bytes.is_empty(), "{why}: nothing went out at {at_us}");
        writeln!(self.text, "{} us, {way}: {why}", at_us).unwrap();
        let mut line = bytes;
        while !line.is_empty() {
            // A connect frame has a zero before it.
            let end = 1 + line.iter().skip(1).position(|byte| *byte == 0).expect("whole frames") + 1;
            let (frame, rest) = line.split_at(end);
            line = rest;
            writeln!(self.text, "  {}", hex(frame)).unwrap();
            self.write_pieces::<R>(frame, &describe);
        }
        self.text.push('\n');
    }

    fn write_pieces<R: Role>(&mut self, bytes: &[u8], describe: &impl Fn(&R::In<'_>) -> String)
    where
        for<'a> R::In<'a>: wire::Encode,
    {
        let mut decoder = Decoder::new();
        let mut input = bytes;
        let frame = decoder.next(&mut input).expect("a frame").expect("whole");
        let mut piece = |bytes: &[u8], what: String| self.text.push_str(&in_columns(bytes, &what));
        let header = frame.header;
        let [low, high] = header.session.to_le_bytes();
        let head = [
            header.version << 4 | header.kind as u8,
            low,
            high,
            header.seq,
            header.ack,
        ];
        let (version, kind, session, seq, ack) = (header.version, header.kind, header.session, header.seq, header.ack);
        piece(
            &head,
            format!("version {version}, {kind:?}, session {session}, seq {seq}, ack {ack}"),
        );
        let messages = match kind {
            Kind::Connect => vec![Messages::<R>::connect(frame.body).expect("a message")],
            _ => Messages::<R>::numbered(frame.body)
                .map(|message| message.expect("a message"))
                .collect(),
        };
        let mut writer = FrameWriter::new(header);
        let mut at = 0;
        for message in messages {
            writer.push(&message).expect("room");
            let end = writer.encoded_len() - limits::OVERHEAD_BYTES;
            piece(&frame.body[at..end], describe(&message));
            at = end;
        }
        assert_eq!(at, frame.body.len(), "the messages are the body");
        let crc = wire::crc32c(&[&head, frame.body].concat());
        piece(&crc.to_le_bytes(), "checksum".into());
    }
}

/// Bytes on the left, ten a line, and what they mean on the right.
fn in_columns(bytes: &[u8], what: &str) -> String {
    let left: Vec<String> = bytes.chunks(10).map(hex).collect();
    let mut right = vec![String::new()];
    for word in what.split(' ') {
        let line = right.last_mut().expect("one line at least");
        if line.len() + word.len() > 78 {
            right.push(format!("  {word}"));
        } else {
            let gap = if line.is_empty() { "" } else { " " };
            line.push_str(&format!("{gap}{word}"));
        }
    }
    let line = |i: usize| {
        let [left, right] = [&left, &right].map(|column| column.get(i).map_or("", String::as_str));
        format!("    {left:<29}  {right}").trim_end().to_owned() + "\n"
    };
    (0..left.len().max(right.len())).map(line).collect()
}

const LIMITS: BoardLimits = BoardLimits {
    valves: 1,
    eyes: 2,
    cells: 0,
    channels: 0,
    queue: 128,
    window: 8,
    horizon_ticks: 100_000,
    max_on_us: 50_000,
};

/// The settings that the host of the exchange wants.
fn wanted(key: SettingKey, index: u8) -> u32 {
    match (key, index) {
        (SettingKey::LeastSpeed, _) => 2_000,
        (SettingKey::LagOnUs, _) => 900,
        (SettingKey::LagOffUs, _) => 400,
        (SettingKey::MaxOnUs, _) => 30_000,
        (SettingKey::EyeKind, 1) => 1,
        _ => settings::at_start(key),
    }
}

fn connect(exchange: &mut Exchange) {
    let all = |value: fn(SettingKey, u8) -> u32| {
        settings::canonical(&LIMITS).map(move |(key, index)| Setting {
            key,
            index,
            value: value(key, index),
        })
    };
    let crc_at_start = settings_crc(all(|key, _| settings::at_start(key)));
    let settings_crc = settings_crc(all(wanted));
    exchange.host_sends(
        0,
        &[ToBoard::Hello(Hello {
            protocol: PROTOCOL,
            session: 0x5EA1,
        })],
        "connect",
    );
    let identity = Identity {
        protocol: PROTOCOL,
        uid: 0x0123_4567_89AB_CDEF,
        firmware: 0x0001_0000,
        limits: LIMITS,
        settings_crc: crc_at_start,
        starts: 3,
    };
    exchange.board_sends(
        600,
        &[FromBoard::Identity(identity)],
        false,
        "what it is; its settings are those at start",
    );
    let mut set: Vec<ToBoard> = all(wanted)
        .filter(|setting| setting.value != settings::at_start(setting.key))
        .map(ToBoard::Set)
        .collect();
    set.push(ToBoard::Commit);
    exchange.host_sends(2_000, &set, "settings that differ from those at start");
    exchange.board_sends(
        2_600,
        &[FromBoard::Settings { settings_crc }],
        false,
        "in force, with the right checksum",
    );
    exchange.host_sends(
        3_200,
        &[ToBoard::Arm { settings_crc }, ToBoard::Feed { count: 1 }],
        "arm",
    );
    exchange.board_sends(3_800, &[FromBoard::Armed], false, "armed");
    exchange.host_sends(
        6_400,
        &[],
        "nothing to say for 2 ms: the acknowledgement goes out alone",
    );
}

fn measurement() -> FromBoard<'static> {
    FromBoard::Measurement(Measurement {
        eye: EyeId(0),
        seq: TriggerSeq(0),
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
        nacre_um: None,
    })
}

fn one_pearl(exchange: &mut Exchange) {
    let (eye, seq, order) = (EyeId(0), TriggerSeq(0), OrderId(1));
    let tick = Tick32(1_203_411);
    exchange.board_sends(
        100_000,
        &[FromBoard::Trigger { eye, seq, tick }],
        false,
        "a pearl interrupts the eye",
    );
    exchange.host_sends(102_500, &[], "acknowledged");
    let passed = FromBoard::Passed {
        eye,
        seq,
        tick: tick.wrapping_plus(149),
    };
    let status = FromBoard::Status(Status {
        at: BoardUs32(7_107_600),
        tick: tick.wrapping_plus(151),
        fed: 3,
        queued: 0,
        armed: true,
        blowing: false,
        dropped: 0,
    });
    exchange.board_sends(
        107_600,
        &[passed, status],
        false,
        "the eye is clear again; a status is due",
    );
    exchange.host_sends(110_200, &[], "acknowledged");
    exchange.board_sends(125_000, &[measurement()], false, "the camera's figures");
    let fire = Fire {
        order,
        valve: ValveId(0),
        on: tick.wrapping_plus(4_000),
        length: 240,
    };
    exchange.host_sends(
        125_600,
        &[ToBoard::Fire(fire), ToBoard::Feed { count: 4 }],
        "the order, 174 ms ahead",
    );
    exchange.board_sends(128_100, &[], false, "its acknowledgement");
    let fired = FromBoard::Fired {
        order,
        opened: tick.wrapping_plus(3_982),
        open_us: 12_500,
    };
    exchange.board_sends(311_700, &[fired], true, "fired, but the line loses the frame");
    let landed = FromBoard::Landed {
        eye: EyeId(1),
        seq,
        tick: tick.wrapping_plus(4_310),
    };
    exchange.board_sends(
        315_600,
        &[landed],
        false,
        "the pearl has landed; the host sees that a frame is missing",
    );
    exchange.host_sends(316_200, &[], "it asks for frame 5 and all behind it");
    exchange.board_sends(316_800, &[], false, "both again");
    exchange.host_sends(317_400, &[], "two frames have come: they are acknowledged at once");
}

fn exchange_section() -> String {
    let (host, board) = (HostEndpoint::new(1_000_000), BoardEndpoint::new(1_000_000));
    let mut exchange = Exchange {
        host,
        board,
        text: String::new(),
    };
    exchange.host.reset(0x5EA1);
    connect(&mut exchange);
    one_pearl(&mut exchange);
    assert!(exchange.host.is_idle() && exchange.board.is_idle());
    format!(
        "```text\n{}```\n",
        exchange.text.trim_end_matches('\n').to_owned() + "\n"
    )
}
