//! The connection as its users see it: what one end pushes, the other gets, in order and once.

use units::{OrderId, Tick32, ValveId};
use wire::{BoardEndpoint, Fire, Hello, HostEndpoint, PROTOCOL, PushError, ToBoard};

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
