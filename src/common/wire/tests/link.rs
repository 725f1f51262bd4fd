//! The connection as its users see it: what one end pushes, the other gets, in order and once.

use units::{OrderId, Tick32, ValveId};
use wire::{BoardEndpoint, Fire, FrameWriter, Header, Hello, HostEndpoint, Kind, PROTOCOL, PushError, ToBoard};

mod support;

const BAUD: u32 = 1_000_000;

fn fire(order: u16) -> ToBoard {
    ToBoard::Fire(Fire {
        order: OrderId(order),
        valve: ValveId(7),
        on: Tick32(1_000_000 + 97 * u32::from(order)),
        length: 240,
    })
}

fn pair() -> (HostEndpoint<8>, BoardEndpoint<8>) {
    let (mut host, mut board) = (HostEndpoint::new(BAUD), BoardEndpoint::new(BAUD));
    host.reset(0x1234);
    board.reset(0x1234);
    (host, board)
}

#[test]
fn a_pushed_order_arrives_and_is_acknowledged() {
    let (mut host, mut board) = pair();
    let mut line = [0; 600];
    host.push(&fire(1)).expect("room");
    assert_eq!(host.poll_transmit(0, &mut line), 0, "nothing goes out before a flush");
    host.flush();
    assert_eq!(host.next_deadline(), Some(0));
    let bytes = host.poll_transmit(0, &mut line);
    let mut came = Vec::new();
    board.receive(100, &line[..bytes], |message| came.push(message));
    assert_eq!(came, [fire(1)]);
    assert_eq!(
        board.poll_transmit(100, &mut line),
        0,
        "the acknowledgement may wait for company"
    );
    assert_eq!(board.next_deadline(), Some(2_100));
    let bytes = board.poll_transmit(2_100, &mut line);
    host.receive(2_200, &line[..bytes], |_| ());
    assert!(host.is_idle());
    assert_eq!(host.next_deadline(), None);
}

#[test]
fn a_hello_reaches_a_board_without_a_session() {
    let mut host = HostEndpoint::<8>::new(BAUD);
    let mut board = BoardEndpoint::<8>::new(BAUD);
    host.reset(77);
    let hello = ToBoard::Hello(Hello {
        protocol: PROTOCOL,
        session: 77,
    });
    host.connect(&hello).expect("a connect message");
    let mut line = [0; 255];
    let bytes = host.poll_transmit(0, &mut line);
    let mut came = Vec::new();
    board.receive(0, &line[..bytes], |message| came.push(message));
    assert_eq!(came, [hello]);
}

#[test]
fn a_full_window_says_so_and_takes_more_after_the_acknowledgement() {
    let (mut host, mut board) = pair();
    let mut pushed = 0;
    let full = loop {
        match host.push(&fire(pushed)) {
            Ok(()) => pushed += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, PushError::Full);
    assert_eq!(host.counters().full, 1);
    let mut line = [0; 255 * 8];
    let bytes = host.poll_transmit(0, &mut line);
    let mut came = 0;
    board.receive(1, &line[..bytes], |message| {
        assert_eq!(message, fire(came));
        came += 1;
    });
    assert_eq!(came, pushed);
    let bytes = board.poll_transmit(1, &mut line);
    host.receive(2, &line[..bytes], |_| ());
    assert!(host.is_idle());
    host.push(&fire(pushed)).expect("room again");
}

#[test]
fn sequence_numbers_go_round() {
    let (mut host, mut board) = pair();
    let mut line = [0; 255];
    let mut came = 0;
    for i in 0..1_000 {
        let now_us = 1_000 * u64::from(i);
        host.push(&fire(i)).expect("room");
        host.flush();
        let n = host.poll_transmit(now_us, &mut line);
        board.receive(now_us, &line[..n], |message| {
            assert_eq!(message, fire(came));
            came += 1;
        });
        let n = board.poll_transmit(now_us + 500, &mut line);
        host.receive(now_us + 500, &line[..n], |_| ());
    }
    assert_eq!((came, host.counters().repeats, host.counters().window), (1_000, 0, 0));
}

#[test]
fn frames_of_another_session_are_refused_and_counted() {
    let (mut host, mut board) = pair();
    let mut old = [0; 255];
    host.push(&fire(1)).expect("room");
    host.push(&fire(2)).expect("room");
    host.flush();
    let old_len = host.poll_transmit(0, &mut old);
    host.reset(0x1235);
    assert_eq!(
        host.counters().dropped,
        2,
        "what was not acknowledged is not lost in silence"
    );
    board.reset(0x1235);
    board.receive(10, &old[..old_len], |message| panic!("{message:?}"));
    assert_eq!(board.counters().session, 1);
    assert_eq!(board.next_deadline(), None, "another session's frame is not answered");
    host.push(&fire(3)).expect("room");
    host.flush();
    let mut line = [0; 255];
    let n = host.poll_transmit(20, &mut line);
    let mut came = Vec::new();
    board.receive(30, &line[..n], |message| came.push(message));
    assert_eq!(came, [fire(3)]);
}

#[test]
fn without_a_session_nothing_is_taken_and_nothing_said() {
    let mut board = BoardEndpoint::<8>::new(BAUD);
    let mut host = HostEndpoint::<8>::new(BAUD);
    assert_eq!(host.push(&fire(1)), Err(PushError::Invalid));
    host.reset(5);
    host.push(&fire(1)).expect("room");
    host.flush();
    let mut line = [0; 255];
    let n = host.poll_transmit(0, &mut line);
    board.receive(0, &line[..n], |message| panic!("{message:?}"));
    assert_eq!(
        (board.counters().session, board.poll_transmit(50_000, &mut line)),
        (1, 0)
    );
}

#[test]
fn a_hello_again_in_the_same_session_disturbs_nothing() {
    let (mut host, mut board) = pair();
    let mut line = [0; 600];
    host.push(&fire(1)).expect("room");
    host.connect(&ToBoard::Hello(Hello {
        protocol: PROTOCOL,
        session: 0x1234,
    }))
    .expect("a connect message");
    host.flush();
    let n = host.poll_transmit(0, &mut line);
    let mut came = Vec::new();
    board.receive(0, &line[..n], |message| came.push(message));
    assert_eq!(came.len(), 2);
    assert_eq!(came[1], fire(1));
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_is_refused() {
    let (mut host, _) = pair();
    let mut line = [0; 255];
    let header = Header {
        version: PROTOCOL,
        kind: Kind::Ack,
        session: 0x1234,
        seq: 0,
        ack: 1,
    };
    let n = FrameWriter::new(header).finish(&mut line);
    host.receive(0, &line[..n], |_| ());
    assert_eq!(host.counters().window, 1);
}

#[test]
fn orders_are_short_when_dense() {
    let mut rng = support::Rng(9);
    for first in (0..5_000).step_by(50) {
        let mut writer = FrameWriter::new(Header {
            version: PROTOCOL,
            kind: Kind::Data,
            session: 1,
            seq: 0,
            ack: 0,
        });
        let mut orders = 0;
        while writer
            .push(&ToBoard::Fire(support::dense_fire(first + orders, &mut rng)))
            .is_ok()
        {
            orders += 1;
        }
        let bytes = writer.encoded_len() as f64 / orders as f64;
        assert!(bytes <= 6.0, "{bytes} bytes an order");
    }
    let mut alone = FrameWriter::new(Header {
        version: PROTOCOL,
        kind: Kind::Data,
        session: 1,
        seq: 0,
        ack: 0,
    });
    alone.push(&fire(1)).expect("room");
    assert_eq!(alone.encoded_len(), 21);
}

#[test]
fn an_end_fits_into_a_small_microcontroller() {
    assert!(
        size_of::<BoardEndpoint<8>>() <= 3_072,
        "{} bytes",
        size_of::<BoardEndpoint<8>>()
    );
}
