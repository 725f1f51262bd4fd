//! How the connection comes back from one loss each, step by step: who says what, and when.

mod support;

use support::{from_board, to_board};
use wire::{BoardEndpoint, ENCODED_MAX, HostEndpoint};

const BAUD: u32 = 1_000_000;

type Ends = (HostEndpoint<8>, BoardEndpoint<8>);

fn ends() -> Ends {
    let (mut host, mut board) = (HostEndpoint::new(BAUD), BoardEndpoint::new(BAUD));
    host.reset(1);
    board.reset(1);
    (host, board)
}

/// Pushes message `i` in a frame of its own; gives the frame.
fn host_sends((host, _): &mut Ends, i: u64, now_us: u64) -> Vec<u8> {
    host.push(&to_board(i)).expect("room");
    host.flush();
    host_goes_on(host, now_us)
}

/// What the host puts on the line now.
fn host_goes_on(host: &mut HostEndpoint<8>, now_us: u64) -> Vec<u8> {
    let mut out = [0; 8 * ENCODED_MAX];
    let n = host.poll_transmit(now_us, &mut out);
    out[..n].to_vec()
}

fn board_goes_on(board: &mut BoardEndpoint<8>, now_us: u64) -> Vec<u8> {
    let mut out = [0; 8 * ENCODED_MAX];
    let n = board.poll_transmit(now_us, &mut out);
    out[..n].to_vec()
}

/// The board takes bytes; gives how many messages came.
fn board_gets((_, board): &mut Ends, bytes: &[u8], now_us: u64) -> usize {
    let mut came = 0;
    board.receive(now_us, bytes, |_| came += 1);
    came
}

fn frames(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == 0).count()
}

#[test]
fn a_lost_frame_is_repeated_within_ten_milliseconds_at_one_megabaud() {
    let mut host = HostEndpoint::<8>::new(1_000_000);
    host.reset(1);
    let mut out = [0; 2 * ENCODED_MAX];
    host.push(&to_board(1)).expect("room");
    host.flush();
    assert!(host.poll_transmit(0, &mut out) > 0);
    let due_us = host.next_deadline().expect("a time-out");
    assert!(due_us <= 10_000, "{due_us} us");
    assert_eq!(host.poll_transmit(due_us - 1, &mut out), 0);
    assert!(host.poll_transmit(due_us, &mut out) > 0);
    assert_eq!((host.counters().timeouts, host.counters().repeats), (1, 1));
}

#[test]
fn a_gap_is_asked_for_at_the_next_frame() {
    let (mut host, mut board) = (HostEndpoint::<8>::new(1_000_000), BoardEndpoint::<8>::new(1_000_000));
    host.reset(1);
    board.reset(1);
    let mut out = [0; 4 * ENCODED_MAX];
    let mut came = 0;
    for i in 0..3 {
        host.push(&to_board(i)).expect("room");
        host.flush();
        let n = host.poll_transmit(100 * i, &mut out);
        if i != 1 {
            board.receive(100 * i, &out[..n], |_| came += 1);
        }
    }
    assert_eq!((came, board.counters().early), (1, 1));
    let n = board.poll_transmit(250, &mut out);
    assert_eq!(board.counters().naks_sent, 1);
    host.receive(300, &out[..n], |_| ());
    let n = host.poll_transmit(300, &mut out);
    board.receive(400, &out[..n], |message| {
        assert_eq!(message, to_board(came));
        came += 1;
    });
    assert_eq!((came, host.counters().repeats, host.counters().timeouts), (3, 2, 0));
}

#[test]
fn a_lost_acknowledgement_is_said_again_at_once_when_the_frame_comes_again() {
    let mut ends = ends();
    let frame = host_sends(&mut ends, 1, 0);
    assert_eq!(board_gets(&mut ends, &frame, 300), 1);
    let lost = board_goes_on(&mut ends.1, 2_300);
    assert_eq!(frames(&lost), 1);
    let due_us = ends.0.next_deadline().expect("a time-out");
    let again = host_goes_on(&mut ends.0, due_us);
    assert_eq!(board_gets(&mut ends, &again, due_us + 300), 0, "not obeyed twice");
    assert_eq!(ends.1.counters().duplicates, 1);
    let ack = board_goes_on(&mut ends.1, due_us + 300);
    ends.0.receive(due_us + 600, &ack, |_| ());
    assert!(ends.0.is_idle());
    assert_eq!(ends.0.round_trip_us(), None, "what was sent twice measures nothing");
}

#[test]
fn an_acknowledgement_shows_that_the_last_frame_was_lost() {
    let mut ends = ends();
    let _lost = host_sends(&mut ends, 1, 0);
    ends.1.push(&from_board(0, &[0; 231])).expect("room");
    ends.1.flush();
    let news = board_goes_on(&mut ends.1, 100);
    ends.0.receive(400, &news, |_| ());
    let ack = host_goes_on(&mut ends.0, 2_400);
    board_gets(&mut ends, &ack, 2_700);
    let nak = board_goes_on(&mut ends.1, 2_700);
    assert_eq!(ends.1.counters().naks_sent, 1);
    ends.0.receive(3_000, &nak, |_| ());
    let again = host_goes_on(&mut ends.0, 3_000);
    assert_eq!(board_gets(&mut ends, &again, 3_300), 1);
    assert_eq!(ends.0.counters().timeouts, 0);
}

#[test]
fn a_repeat_that_is_lost_too_is_asked_for_at_once() {
    let mut ends = ends();
    let _lost = host_sends(&mut ends, 1, 0);
    let second = host_sends(&mut ends, 2, 100);
    board_gets(&mut ends, &second, 400);
    let nak = board_goes_on(&mut ends.1, 400);
    ends.0.receive(700, &nak, |_| ());
    let both = host_goes_on(&mut ends.0, 700);
    assert_eq!(frames(&both), 2);
    let first = both.iter().position(|byte| *byte == 0).expect("a frame") + 1;
    board_gets(&mut ends, &both[first..], 1_200);
    assert_eq!(ends.1.counters().naks_sent, 1);
    let nak = board_goes_on(&mut ends.1, 1_200);
    assert_eq!((frames(&nak), ends.1.counters().naks_sent), (1, 2));
    ends.0.receive(1_500, &nak, |_| ());
    let both = host_goes_on(&mut ends.0, 1_500);
    assert_eq!(board_gets(&mut ends, &both, 2_000), 2);
    assert_eq!(ends.0.counters().timeouts, 0);
}

#[test]
fn after_a_time_out_one_frame_goes_out_and_after_its_answer_all_the_rest() {
    let mut ends = ends();
    let sent: Vec<_> = (0..4).map(|i| host_sends(&mut ends, i, 0)).collect();
    assert_eq!(sent.len(), 4);
    let due_us = ends.0.next_deadline().expect("a time-out");
    let probe = host_goes_on(&mut ends.0, due_us);
    assert_eq!(frames(&probe), 1);
    assert_eq!(board_gets(&mut ends, &probe, due_us + 300), 1);
    let ack = board_goes_on(&mut ends.1, due_us + 2_300);
    ends.0.receive(due_us + 2_600, &ack, |_| ());
    let rest = host_goes_on(&mut ends.0, due_us + 2_600);
    assert_eq!(frames(&rest), 3);
    assert_eq!(board_gets(&mut ends, &rest, due_us + 3_600), 3);
}

#[test]
fn a_line_that_answers_again_has_short_time_outs_again() {
    let mut ends = ends();
    let _lost = host_sends(&mut ends, 0, 0);
    let mut now_us = 0;
    let mut last = Vec::new();
    for _ in 0..4 {
        now_us = ends.0.next_deadline().expect("a time-out");
        last = host_goes_on(&mut ends.0, now_us);
    }
    let waits_us = ends.0.next_deadline().expect("a time-out") - now_us;
    assert!(waits_us > 50_000, "{waits_us} us: time-outs in a row grow");
    assert_eq!(ends.0.stuck_for_us(now_us), now_us);
    for i in 1..3 {
        board_gets(&mut ends, &last, now_us + 300);
        let ack = board_goes_on(&mut ends.1, now_us + 2_300);
        now_us += 3_000;
        ends.0.receive(now_us, &ack, |_| ());
        last = host_sends(&mut ends, i, now_us);
    }
    let waits_us = ends.0.next_deadline().expect("a time-out") - now_us;
    assert!(waits_us <= 10_000, "{waits_us} us");
    assert_eq!(ends.0.stuck_for_us(now_us + 700), 700);
}
