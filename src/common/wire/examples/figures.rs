//! Measures the field bus: time of encoding and decoding, bytes an order, orders a second at the usual speeds. The table
//! is made for `docs/PERFORMANCE.md`: `cargo run --release -p wire --example figures`.

use std::hint::black_box;
use std::time::Instant;

use units::{EyeId, Tick32, TriggerSeq};
use wire::{BoardEndpoint, ENCODED_MAX, Fire, FrameWriter, FromBoard, Header, HostEndpoint, Kind, PROTOCOL, ToBoard};

#[path = "../tests/support/mod.rs"]
mod support;
use support::{Faults, Line, Rng, dense_fire, measurement};

const HEADER: Header = Header {
    version: PROTOCOL,
    kind: Kind::Data,
    session: 0x5EA1,
    seq: 7,
    ack: 9,
};

fn main() {
    sizes();
    times();
    bytes_an_order();
    orders_a_second();
}

fn sizes() {
    println!("| state | bytes |\n|---|---|");
    println!("| board's end, window 8 | {} |", size_of::<BoardEndpoint<8>>());
    println!("| host's end, window 32 | {} |", size_of::<HostEndpoint<32>>());
}

/// Nanoseconds a round: the fastest of 301 short runs, which other programs have disturbed least.
fn ns(rounds: u32, mut work: impl FnMut()) -> f64 {
    let runs = (0..301).map(|_| {
        let begin = Instant::now();
        (0..rounds).for_each(|_| work());
        begin.elapsed().as_nanos() as f64 / f64::from(rounds)
    });
    runs.fold(f64::INFINITY, f64::min)
}

/// What a board sends of two pearls: both edges of the eye, and the figures.
fn uplink() -> [FromBoard<'static>; 6] {
    let (eye, seq) = (EyeId(5), TriggerSeq(1_000));
    let passing = |k: u16, tick| {
        let seq = TriggerSeq(seq.0 + k);
        [
            FromBoard::Trigger {
                eye,
                seq,
                tick: Tick32(tick),
            },
            FromBoard::Passed {
                eye,
                seq,
                tick: Tick32(tick + 141),
            },
            FromBoard::Measurement(measurement(1 + 2 * u64::from(k))),
        ]
    };
    let [a, b] = [passing(0, 1_203_411), passing(1, 1_204_744)];
    [a[0], a[1], a[2], b[0], b[1], b[2]]
}

fn times() {
    let mut rng = Rng(1);
    let fires: Vec<ToBoard> = (0..6).map(|i| ToBoard::Fire(dense_fire(i, &mut rng))).collect();
    let block = [0xA5u8; 240];
    println!("\n| work | ns |\n|---|---|");
    let crc_ns = ns(1_000, || {
        black_box(wire::crc32c(black_box(&block)));
    });
    println!("| CRC-32C, a byte of 240 | {:.2} |", crc_ns / 240.0);
    let mut out = [0; ENCODED_MAX];
    let mut len = 0;
    let encode_fires = ns(1_000, || {
        let mut writer = FrameWriter::new(HEADER);
        fires
            .iter()
            .for_each(|fire| writer.push(black_box(fire)).expect("room"));
        len = writer.finish(black_box(&mut out));
    });
    println!("| encode a frame of 6 fire orders ({len} bytes) | {encode_fires:.0} |");
    println!("| decode it | {:.0} |", decode_ns::<wire::Board>(&out[..len]));
    let messages = uplink();
    let encode_uplink = ns(1_000, || {
        let mut writer = FrameWriter::new(HEADER);
        messages
            .iter()
            .for_each(|message| writer.push(black_box(message)).expect("room"));
        len = writer.finish(black_box(&mut out));
    });
    println!("| encode a frame of 2 pearls: 2 x trigger, passed, measurement ({len} bytes) | {encode_uplink:.0} |");
    println!("| decode it | {:.0} |", decode_ns::<wire::Host>(&out[..len]));
    println!(
        "| a pearl through both ends: trigger and measurement in, order out, acknowledgements | {:.0} |",
        pearl_ns()
    );
}

fn decode_ns<R: wire::Role>(frame: &[u8]) -> f64 {
    let mut decoder = wire::Decoder::new();
    ns(1_000, || {
        let mut input = black_box(frame);
        let frame = decoder.next(&mut input).expect("a frame").expect("whole");
        assert!(wire::Messages::<R>::numbered(frame.body).check().is_ok());
        for message in wire::Messages::<R>::numbered(frame.body) {
            black_box(message.is_ok());
        }
    })
}

/// A pearl over two endpoints that share a memory, four pearls a turn.
fn pearl_ns() -> f64 {
    let (mut host, mut board) = (
        HostEndpoint::<32>::new(100_000_000),
        BoardEndpoint::<32>::new(100_000_000),
    );
    host.reset(1);
    board.reset(1);
    let (messages, mut rng) = (uplink(), Rng(3));
    let fires: Vec<ToBoard> = (0..4).map(|i| ToBoard::Fire(dense_fire(i, &mut rng))).collect();
    let (mut line, mut now_us, mut came) = ([0; 2_048], 0, 0u32);
    let turn = ns(500, || {
        for _ in 0..2 {
            for message in [&messages[0], &messages[2], &messages[3], &messages[5]] {
                board.push(message).expect("room");
            }
        }
        board.flush();
        let n = board.poll_transmit(now_us, &mut line);
        host.receive(now_us, &line[..n], |message| {
            came += u32::from(matches!(message, FromBoard::Measurement(_)))
        });
        fires.iter().for_each(|fire| host.push(fire).expect("room"));
        host.flush();
        let n = host.poll_transmit(now_us, &mut line);
        board.receive(now_us, &line[..n], |message| {
            came += u32::from(matches!(message, ToBoard::Fire(_)))
        });
        now_us += 20;
    });
    black_box(came);
    turn / 4.0
}

fn bytes_an_order() {
    println!("\n| fire orders in a frame | bytes on the line | bytes an order |\n|---|---|---|");
    for count in [1, 2, 4, 6, 8, 16, usize::MAX] {
        let (mut bytes, mut orders, mut rng) = (0, 0, Rng(2));
        for _ in 0..1_000 {
            let mut writer = FrameWriter::new(HEADER);
            for _ in 0..count {
                if writer.push(&ToBoard::Fire(dense_fire(orders, &mut rng))).is_err() {
                    break;
                }
                orders += 1;
            }
            bytes += writer.encoded_len();
        }
        let name = if count == usize::MAX {
            "as many as it takes".into()
        } else {
            count.to_string()
        };
        println!(
            "| {name} | {:.1} | {:.2} |",
            bytes as f64 / 1e3,
            bytes as f64 / orders as f64
        );
    }
}

/// Orders a second through both ends over a line of `baud`, as fast as window and line allow.
fn orders_over(baud: u32, one_a_frame: bool) -> f64 {
    const SECONDS: u64 = 10;
    let (mut host, mut board) = (HostEndpoint::<8>::new(baud), BoardEndpoint::<8>::new(baud));
    host.reset(1);
    board.reset(1);
    let faults = Faults {
        latency_us: 200,
        ..Faults::default()
    };
    let (mut down, mut up) = (Line::new(baud.into(), faults, 1), Line::new(baud.into(), faults, 2));
    let (mut rng, mut next, mut came, mut now_us) = (Rng(4), 0, 0u64, 0);
    let mut fire: Fire = dense_fire(next, &mut rng);
    let (mut out, mut bytes) = ([0; ENCODED_MAX], Vec::new());
    while now_us < SECONDS * 1_000_000 {
        down.arrived(now_us, &mut bytes);
        board.receive(now_us, &bytes, |_| came += 1);
        up.arrived(now_us, &mut bytes);
        host.receive(now_us, &bytes, |_| ());
        while down.has_room(now_us) {
            while host.push(&ToBoard::Fire(fire)).is_ok() {
                next += 1;
                fire = dense_fire(next, &mut rng);
                if one_a_frame {
                    break;
                }
            }
            host.flush();
            let n = host.poll_transmit(now_us, &mut out);
            if n == 0 {
                break;
            }
            down.send(now_us, &out[..n]);
        }
        let n = board.poll_transmit(now_us, &mut out);
        up.send(now_us, &out[..n]);
        let deadlines = [
            down.next_us(),
            up.next_us(),
            board.next_deadline(),
            Some(down.room_at_us()),
        ];
        now_us = deadlines
            .into_iter()
            .flatten()
            .filter(|at| *at > now_us)
            .min()
            .unwrap_or(now_us + 1);
    }
    came as f64 / SECONDS as f64
}

fn orders_a_second() {
    println!("\n| baud | orders/s, full frames | orders/s, one a frame |\n|---|---|---|");
    for baud in [115_200, 250_000, 1_000_000, 3_000_000] {
        println!(
            "| {baud} | {:.0} | {:.0} |",
            orders_over(baud, false),
            orders_over(baud, true)
        );
    }
    println!("\nKlipper at 250,000 baud: about 2,550 orders/s (derived from its own benchmark).");
}
