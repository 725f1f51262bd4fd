//! The hot loop over pseudo-terminals, with boards in code at the other ends.

mod bench;

use std::os::fd::OwnedFd;

use bench::{BAUD, NoPins, UID, settings};
use board::{Board, Description, Now};
use devices::hot::{ColdEnd, Flow, Handler, HotLoop, LostPort, OpenedPort, Outgoing};
use devices::{DownReason, HostLink, LinkEvent, LinkPlan, Needs, SendError};
use rt::alloc::{CountingAllocator, HotSection, hot_allocations, is_counting};
use rt::poll::{Transfer, set_nonblocking};
use units::{BoardId, EyeId, HostUs, OrderId, Tick32, ValveId};
use wire::{FaultOf, Fire, FromBoard, Setting, SettingKey, ToBoard};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Time in which anything that these tests wait for has long happened, in microseconds.
const LONG_US: i64 = 20_000_000;

/// Feeds, arms what is ready, answers each trigger with an order, and notes what it saw.
struct Answerer {
    boards: usize,
    fed: u16,
    next_feed: HostUs,
    ready: Vec<bool>,
    downs: Vec<(BoardId, DownReason)>,
    triggers: u32,
    late: u32,
    unsent: u32,
    flood: usize,
    stop: bool,
}

impl Answerer {
    fn new(boards: usize) -> Self {
        Self {
            boards,
            fed: 0,
            next_feed: HostUs(0),
            ready: vec![false; boards],
            downs: Vec::with_capacity(64),
            triggers: 0,
            late: 0,
            unsent: 0,
            flood: 0,
            stop: false,
        }
    }
}

impl Handler for Answerer {
    fn on_event(&mut self, board: BoardId, _at: HostUs, event: LinkEvent<'_>, out: &mut Outgoing) {
        match event {
            LinkEvent::Ready { .. } => {
                self.ready[board.index()] = true;
                out.arm(board);
            }
            LinkEvent::Down { reason } => {
                self.ready[board.index()] = false;
                self.downs.push((board, reason));
            }
            LinkEvent::Message(FromBoard::Trigger { seq, tick, .. }) => {
                self.triggers += 1;
                // Long past: the board answers at once.
                let on = tick.wrapping_plus(-1_000);
                out.send(
                    board,
                    ToBoard::Fire(Fire {
                        order: OrderId(seq.0),
                        valve: ValveId(0),
                        on,
                        length: 10,
                    }),
                );
            }
            LinkEvent::Message(FromBoard::Late { .. }) => self.late += 1,
            LinkEvent::Message(FromBoard::Fault {
                of: FaultOf::Order(order),
                fault,
            }) => {
                panic!("{order:?}: {fault:?}");
            }
            LinkEvent::Message(_) | LinkEvent::Up { .. } => {}
        }
    }

    fn on_idle(&mut self, now: HostUs, out: &mut Outgoing) -> Flow {
        if now >= self.next_feed {
            self.next_feed = now + 10_000;
            self.fed = self.fed.wrapping_add(1);
            for board in (0..self.boards).filter(|board| self.ready[*board]) {
                out.send(BoardId(u8::try_from(board).unwrap()), ToBoard::Feed { count: self.fed });
            }
        }
        for _ in 0..std::mem::take(&mut self.flood) {
            out.send(BoardId(0), ToBoard::Output { channel: 2, value: 1 });
        }
        if self.stop { Flow::Stop } else { Flow::Go }
    }

    fn on_unsent(&mut self, _: BoardId, _: HostUs, _: &ToBoard, _: SendError) {
        self.unsent += 1;
    }

    fn next_deadline(&self) -> Option<HostUs> {
        Some(self.next_feed)
    }
}

/// A board behind the other end of a pty.
struct PtyBoard {
    board: Board,
    port: OwnedFd,
}

impl PtyBoard {
    fn step(&mut self) {
        let us = rt::clock::now_us().0.unsigned_abs();
        let now = Now {
            us,
            tick: Tick32(u32::try_from(us / 50 % (1 << 32)).unwrap()),
        };
        let mut bytes = [0; 2_048];
        if let Transfer::Done(count) = rt::poll::read(&self.port, &mut bytes) {
            self.board.receive(now, &bytes[..count], &mut NoPins);
        }
        self.board.poll(now, &mut NoPins);
        let count = self.board.transmit(us, &mut bytes);
        if count > 0 {
            assert_eq!(rt::poll::write(&self.port, &bytes[..count]), Transfer::Done(count));
        }
    }
}

struct Line {
    hot: HotLoop<Answerer>,
    cold: ColdEnd,
    boards: Vec<PtyBoard>,
}

/// Settings with the longest watchdog: a busy computer must not be taken for a dead host.
fn patient() -> Vec<Setting> {
    let mut settings = settings();
    settings.retain(|setting| setting.key != SettingKey::WatchdogUs);
    settings.push(bench::set(SettingKey::WatchdogUs, 0, 1_000_000));
    settings
}

fn board(at: usize) -> Board {
    Board::new(Description::standard(UID + at as u64), BAUD)
}

/// A pty: the board's end and the host's.
fn pty() -> (OwnedFd, OwnedFd) {
    let pty = rt::port::open_pty().unwrap();
    set_nonblocking(&pty.board).unwrap();
    set_nonblocking(&pty.host).unwrap();
    (pty.board, pty.host)
}

impl Line {
    fn new(boards: usize) -> Self {
        Self::silent_after(5_000_000, boards)
    }

    /// A line whose boards count as gone after that silence. A busy computer must not be taken for a lost board.
    fn silent_after(silence_us: u32, boards: usize) -> Self {
        let link = |at: usize| {
            let id = BoardId(u8::try_from(at).unwrap());
            let plan = LinkPlan::new(id, UID + at as u64, BAUD, silence_us, Needs::default(), &patient());
            HostLink::new(plan, 1)
        };
        let (hot, cold) = HotLoop::new(Answerer::new(boards), (0..boards).map(link).collect()).unwrap();
        let mut line = Self {
            hot,
            cold,
            boards: Vec::new(),
        };
        for at in 0..boards {
            let (port, host) = pty();
            line.boards.push(PtyBoard { board: board(at), port });
            line.hand_over(at, host);
        }
        line
    }

    fn ready(boards: usize) -> Self {
        let mut line = Self::new(boards);
        line.run_until(|line| line.boards.iter().all(|board| board.board.is_armed()));
        line
    }

    fn hand_over(&mut self, at: usize, descriptor: OwnedFd) {
        let board = BoardId(u8::try_from(at).unwrap());
        self.cold.hand_over(OpenedPort { board, descriptor }).unwrap();
    }

    fn run_until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        let end = rt::clock::now_us() + LONG_US;
        while rt::clock::now_us() < end {
            if done(self) {
                return;
            }
            self.boards.iter_mut().for_each(PtyBoard::step);
            assert_eq!(self.hot.round(0), Flow::Go);
        }
        panic!("not within {LONG_US} us");
    }

    fn trigger(&mut self, at: usize) {
        let board = &mut self.boards[at].board;
        board.eye(EyeId(0), true, Tick32(5), &mut NoPins);
        board.eye(EyeId(0), false, Tick32(9), &mut NoPins);
    }
}

#[test]
fn triggers_come_in_and_orders_go_out_over_many_links() {
    let mut line = Line::ready(8);
    for _ in 0..20 {
        (0..8).for_each(|at| line.trigger(at));
        line.boards.iter_mut().for_each(PtyBoard::step);
    }
    line.run_until(|line| line.hot.handler().late == 160);
    assert_eq!(line.hot.handler().triggers, 160);
    assert_eq!(
        (line.hot.handler().unsent, line.hot.dropped(), line.hot.failed_waits()),
        (0, 0, 0)
    );
}

#[test]
fn the_loop_allocates_nothing() {
    assert!(is_counting());
    let mut line = Line::ready(2);
    line.trigger(0);
    let (port, host) = pty();
    let before = hot_allocations();
    {
        let _section = HotSection::enter();
        line.run_until(|line| line.hot.handler().late == 1);
    }
    // A port is lost and another takes its place.
    line.boards[1] = PtyBoard { board: board(1), port };
    {
        let _section = HotSection::enter();
        line.run_until(|line| line.hot.handler().downs.len() == 1);
    }
    line.hand_over(1, host);
    {
        let _section = HotSection::enter();
        line.run_until(|line| line.boards[1].board.is_armed());
    }
    assert_eq!(hot_allocations(), before);
}

#[test]
fn a_lost_port_goes_back_and_a_new_one_connects() {
    let mut line = Line::ready(2);
    let (port, host) = pty();
    line.boards[0].port = port;
    line.run_until(|line| !line.hot.handler().ready[0]);
    assert_eq!(line.hot.handler().downs, [(BoardId(0), DownReason::Port)]);
    let LostPort { board, .. } = line.cold.take_lost().unwrap();
    assert_eq!(board, BoardId(0));
    assert!(line.cold.take_lost().is_none());
    assert!(line.boards[1].board.is_armed(), "the other link is none the wiser");
    line.hand_over(0, host);
    line.run_until(|line| line.hot.handler().ready[0]);
}

#[test]
fn a_stranger_on_the_port_sends_it_back_to_the_keeper() {
    let mut line = Line::silent_after(500_000, 1);
    line.run_until(|line| line.hot.links().all(HostLink::is_ready));
    line.boards[0].board = board(7);
    line.run_until(|line| line.hot.handler().downs.len() == 2);
    let downs = &line.hot.handler().downs;
    assert_eq!(downs[0].1, DownReason::Silence);
    assert!(
        matches!(downs[1].1, DownReason::Refused(devices::Refusal::Uid { .. })),
        "{downs:?}"
    );
    assert!(line.cold.take_lost().is_some());
}

#[test]
fn a_port_that_takes_nothing_is_waited_for_and_nothing_is_lost() {
    let mut line = Line::new(1);
    let (port, host) = pty();
    while let Transfer::Done(_) = rt::poll::write(&host, &[0x55; 512]) {}
    line.boards[0].port = port;
    // The first pty of the board is gone: its port comes back at once.
    line.hot.round(0);
    assert!(line.cold.take_lost().is_some());
    let sent = |line: &Line| line.hot.links().next().unwrap().wire_counters().frames_sent;
    let before = sent(&line);
    line.hand_over(0, host);
    for _ in 0..100 {
        line.hot.round(0);
    }
    assert!(
        sent(&line) - before <= 1,
        "nothing more is made for a port that takes nothing"
    );
    line.run_until(|line| line.boards[0].board.is_armed());
    line.run_until(|line| line.boards[0].board.counters().frames_received == sent(line) - before);
}

#[test]
fn a_lost_port_leaves_nothing_behind_in_the_loop() {
    let mut line = Line::new(1);
    line.boards.clear();
    line.hot.round(0);
    assert!(line.cold.take_lost().is_some());
    for _ in 0..2 * rt::limits::MAX_POLLED {
        let (port, host) = pty();
        line.hand_over(0, host);
        line.hot.round(0);
        assert!(line.cold.take_lost().is_none());
        drop(port);
        line.hot.round(0);
        assert!(line.cold.take_lost().is_some());
    }
}

#[test]
fn a_flood_from_the_handler_is_dropped_and_counted() {
    let mut line = Line::ready(1);
    let before = line.hot.handler().unsent;
    line.hot.handler().flood = 10_000;
    line.hot.round(0);
    let unsent = u64::from(line.hot.handler().unsent - before);
    assert!(unsent > 0 && line.hot.dropped() > 0);
    let taken = 10_000 - line.hot.dropped() - unsent;
    assert!((100..4_096).contains(&taken), "{taken} taken");
    line.run_until(|line| line.hot.links().all(|link| link.wire_counters().frames_received > 20));
}

#[test]
fn a_slow_line_is_handed_one_frame_at_a_time() {
    let mut line = Line::new(0);
    let plan = LinkPlan::new(BoardId(0), UID, 115_200, 5_000_000, Needs::default(), &settings());
    (line.hot, line.cold) = HotLoop::new(Answerer::new(1), vec![HostLink::new(plan, 1)]).unwrap();
    let (port, host) = pty();
    line.boards.push(PtyBoard { board: board(0), port });
    line.hand_over(0, host);
    let sent = |line: &Line| line.hot.links().next().unwrap().wire_counters().frames_sent;
    let mut before = sent(&line);
    // The settings are 16 frames: without the line's pace a whole window would go out at once.
    line.run_until(|line| {
        let (was, is) = (before, sent(line));
        before = is;
        assert!(is - was <= 1, "{} frames at once", is - was);
        is >= 8
    });
}

#[test]
fn a_second_port_for_a_link_that_has_one_is_given_back() {
    let mut line = Line::ready(1);
    let (_port, host) = pty();
    line.hand_over(0, host);
    line.hot.round(0);
    assert!(line.cold.take_lost().is_some());
    assert!(line.hot.handler().downs.is_empty());
}

#[test]
fn the_handler_ends_the_loop_and_the_cold_side_sees_it() {
    let mut line = Line::ready(1);
    line.hot.handler().stop = true;
    let (handler, links) = line.hot.run();
    assert!(handler.stop);
    assert_eq!(links.len(), 1);
    assert!(line.cold.is_abandoned());
    let (_port, host) = pty();
    assert!(
        line.cold
            .hand_over(OpenedPort {
                board: BoardId(0),
                descriptor: host
            })
            .is_err()
    );
}
