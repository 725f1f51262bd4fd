//! The connection over a line that drops, doubles, flips, swaps, delays and stalls: every message arrives exactly once, in
//! order, and both ends come to rest.

mod support;

use support::{Faults, Line, Rng, from_board, to_board};
use wire::{BoardEndpoint, Counters, ENCODED_MAX, HostEndpoint};

/// Longest virtual time that a run may take.
const PATIENCE_US: u64 = 600_000_000;

/// Both ends, the line between them, and how far the traffic has come.
struct Run<const HOST: usize, const BOARD: usize> {
    host: HostEndpoint<HOST>,
    board: BoardEndpoint<BOARD>,
    down: Line,
    up: Line,
    rng: Rng,
    now_us: u64,
    messages: u64,
    pushed: [u64; 2],
    came: [u64; 2],
    data: Vec<u8>,
    bytes: Vec<u8>,
}

impl<const HOST: usize, const BOARD: usize> Run<HOST, BOARD> {
    fn new(baud: u32, faults: Faults, messages: u64, seed: u64) -> Self {
        let (mut host, mut board) = (HostEndpoint::new(baud), BoardEndpoint::new(baud));
        host.reset(0xABCD);
        board.reset(0xABCD);
        host.set_window(BOARD as u8);
        let mut rng = Rng(seed);
        let data = (0..231).map(|_| rng.next() as u8).collect();
        let line = |seed| Line::new(baud.into(), faults, seed);
        let (down, up) = (line(seed ^ 1), line(seed ^ 2));
        Self {
            host,
            board,
            down,
            up,
            rng,
            now_us: 0,
            messages,
            pushed: [0; 2],
            came: [0; 2],
            data,
            bytes: Vec::new(),
        }
    }

    fn push_some(&mut self) {
        let burst = 1 + self.rng.below(12);
        for _ in 0..burst {
            let [down, up] = self.pushed;
            if down < self.messages && self.host.push(&to_board(down)).is_ok() {
                self.pushed[0] += 1;
            }
            if up < self.messages && self.board.push(&from_board(up, &self.data)).is_ok() {
                self.pushed[1] += 1;
            }
        }
        self.host.flush();
        self.board.flush();
    }

    fn carry(&mut self) {
        let (now_us, data, [down, up]) = (self.now_us, &self.data, &mut self.came);
        self.down.arrived(now_us, &mut self.bytes);
        self.board.receive(now_us, &self.bytes, |message| {
            assert_eq!(message, to_board(*down), "message {down} to the board");
            *down += 1;
        });
        self.up.arrived(now_us, &mut self.bytes);
        self.host.receive(now_us, &self.bytes, |message| {
            assert_eq!(message, from_board(*up, data), "message {up} from the board");
            *up += 1;
        });
        let mut out = [0; ENCODED_MAX];
        if self.down.has_room(now_us) {
            let n = self.host.poll_transmit(now_us, &mut out);
            self.down.send(now_us, &out[..n]);
        }
        if self.up.has_room(now_us) {
            let n = self.board.poll_transmit(now_us, &mut out);
            self.up.send(now_us, &out[..n]);
        }
    }

    fn wait(&mut self, next_push_us: Option<u64>) {
        let when = |deadline: Option<u64>, line: &Line| deadline.map(|at_us| at_us.max(line.room_at_us()));
        let deadlines = [
            self.down.next_us(),
            self.up.next_us(),
            when(self.host.next_deadline(), &self.down),
            when(self.board.next_deadline(), &self.up),
            next_push_us,
        ];
        let next = deadlines
            .into_iter()
            .flatten()
            .min()
            .expect("not at rest, yet nothing will happen");
        self.now_us = next.max(self.now_us + 1);
    }

    /// Runs until all has come and both ends rest; gives the counts of both.
    fn finish(mut self) -> (u64, Counters, Counters) {
        let mut next_push_us = 0;
        loop {
            assert!(
                self.now_us < PATIENCE_US,
                "no progress: {:?} of {} came",
                self.came,
                self.messages
            );
            if self.now_us >= next_push_us {
                self.push_some();
                next_push_us = self.now_us + 1 + self.rng.below(3_000);
            }
            self.carry();
            if self.came == [self.messages; 2] && self.host.is_idle() && self.board.is_idle() {
                return (self.now_us, *self.host.counters(), *self.board.counters());
            }
            let pushing = self.pushed != [self.messages; 2];
            self.wait(pushing.then_some(next_push_us));
        }
    }
}

#[test]
fn a_clean_line_repeats_nothing_and_refuses_nothing() {
    for baud in [115_200, 1_000_000, 3_000_000] {
        let faults = Faults {
            latency_us: 300,
            jitter_us: 1_000,
            ..Faults::default()
        };
        let (_, host, board) = Run::<16, 8>::new(baud, faults, 3_000, u64::from(baud)).finish();
        for counters in [host, board] {
            assert_eq!(
                (counters.repeats, counters.timeouts, counters.naks_sent),
                (0, 0, 0),
                "{baud}: {counters:?}"
            );
            assert_eq!(
                (counters.damaged(), counters.duplicates, counters.early),
                (0, 0, 0),
                "{baud}: {counters:?}"
            );
            assert_eq!(counters.messages_received, 3_000);
        }
    }
}

#[test]
fn a_slow_answer_is_learnt_and_then_nothing_is_repeated_for_it() {
    for baud in [1_000_000, 3_000_000] {
        let faults = Faults {
            latency_us: 8_000,
            ..Faults::default()
        };
        let (_, host, board) = Run::<16, 8>::new(baud, faults, 5_000, u64::from(baud)).finish();
        let repeats = host.repeats + board.repeats;
        assert!(repeats <= 50, "{repeats} repeats at {baud} baud on a clean line");
    }
}

#[test]
fn a_bad_line_loses_and_doubles_nothing() {
    let each = [
        Faults {
            drop: 1_000,
            ..Faults::default()
        },
        Faults {
            double: 1_000,
            ..Faults::default()
        },
        Faults {
            flip: 1_000,
            ..Faults::default()
        },
        Faults {
            swap: 1_000,
            ..Faults::default()
        },
        Faults {
            stall: 200,
            stall_us: 100_000,
            ..Faults::default()
        },
        Faults {
            drop: 300,
            double: 300,
            flip: 300,
            swap: 300,
            stall: 50,
            stall_us: 30_000,
            ..Faults::default()
        },
    ];
    for (i, faults) in (0u64..).zip(each) {
        for seed in 0..6 {
            let faults = Faults {
                latency_us: 100 << seed,
                jitter_us: 200 * seed,
                ..faults
            };
            let baud = [115_200, 1_000_000, 3_000_000][seed as usize % 3];
            let (_, host, board) = Run::<16, 8>::new(baud, faults, 1_500, 100 * i + seed).finish();
            assert!(
                host.damaged() + board.damaged() + host.timeouts + board.timeouts > 0,
                "the line was no bad one"
            );
        }
    }
}

#[test]
fn a_line_that_damages_every_third_frame_still_moves() {
    let faults = Faults {
        drop: 1_500,
        flip: 1_500,
        latency_us: 500,
        ..Faults::default()
    };
    for seed in 0..3 {
        Run::<32, 32>::new(1_000_000, faults, 1_000, 900 + seed).finish();
        Run::<2, 2>::new(1_000_000, faults, 500, 950 + seed).finish();
    }
}

#[test]
fn a_line_that_was_gone_for_two_seconds_moves_again_within_the_greatest_time_out() {
    let (from_us, until_us) = (200_000, 2_200_000);
    let faults = Faults {
        gone_us: Some((from_us, until_us)),
        latency_us: 300,
        ..Faults::default()
    };
    let mut run = Run::<16, 8>::new(1_000_000, faults, 20_000, 5);
    let mut came_before = [0; 2];
    while run.now_us < until_us + 110_000 {
        run.push_some();
        run.carry();
        run.wait(Some(run.now_us + 2_000));
        if run.now_us < until_us {
            came_before = run.came;
        }
    }
    let [down, up] = [0, 1].map(|way| run.came[way] > came_before[way]);
    assert!(down && up, "{came_before:?} came before, {:?} until now", run.came);
    let (host, board) = (run.host.counters(), run.board.counters());
    assert!(host.timeouts > 10 && board.timeouts > 10 && host.full > 0, "{host:?}");
}
