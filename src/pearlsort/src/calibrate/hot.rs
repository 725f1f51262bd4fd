//! What the hot loop drives while a line is commissioned: it passes on what boards say, and feeds those that are armed.
//!
//! Hot thread. Nothing here allocates, blocks or formats; what finds no room is dropped and counted by the ring.

use devices::hot::{Flow, Handler, Outgoing};
use devices::limits::MAX_LINKS;
use devices::{LinkEvent, SendError};
use rt::ring::{Consumer, Producer};
use units::{BoardId, HostUs};
use wire::ToBoard;

use super::field::{Ask, Heard, Said, said, unsent};

/// See the module.
pub(super) struct Passer {
    heard: Producer<Heard>,
    asks: Consumer<Ask>,
    feed_us: i64,
    /// Boards that are fed, a bit each.
    armed: u64,
    fed: u16,
    feed_at: HostUs,
}

const _: () = assert!(MAX_LINKS <= u64::BITS as usize, "armed boards are the bits of a set");

impl Passer {
    pub(super) fn new(heard: Producer<Heard>, asks: Consumer<Ask>, feed_us: i32) -> Self {
        Self {
            heard,
            asks,
            feed_us: i64::from(feed_us),
            armed: 0,
            fed: 0,
            feed_at: HostUs(i64::MIN),
        }
    }

    fn pass(&mut self, board: BoardId, at: HostUs, said: Said) {
        if let Said::Down(_) | Said::Disarmed { .. } = said {
            self.armed &= !(1 << board.0);
        }
        // A full ring counts what it drops, and the cold side looks at the count.
        let _ = self.heard.push(Heard { board, at, said });
    }
}

impl Handler for Passer {
    fn on_event(&mut self, board: BoardId, at: HostUs, event: LinkEvent<'_>, _out: &mut Outgoing) {
        if let Some(said) = said(&event) {
            self.pass(board, at, said);
        }
    }

    fn on_idle(&mut self, now: HostUs, out: &mut Outgoing) -> Flow {
        while let Some(ask) = self.asks.pop() {
            match ask {
                Ask::Send(board, message) => out.send(board, message),
                Ask::Arm(board) => {
                    out.arm(board);
                    self.armed |= 1 << board.0;
                    self.feed_at = now;
                }
                Ask::Quit => return Flow::Stop,
            }
        }
        // A cold side that has died must not leave boards armed for ever.
        if self.asks.is_abandoned() {
            return Flow::Stop;
        }
        if self.armed != 0 && now >= self.feed_at {
            self.fed = self.fed.wrapping_add(1);
            for board in (0..MAX_LINKS as u8).filter(|board| self.armed >> board & 1 == 1) {
                out.send(BoardId(board), ToBoard::Feed { count: self.fed });
            }
            self.feed_at = now.plus(self.feed_us);
        }
        Flow::Go
    }

    fn on_unsent(&mut self, board: BoardId, at: HostUs, message: &ToBoard, why: SendError) {
        if let Some(said) = unsent(message, why) {
            self.pass(board, at, said);
        }
    }

    fn next_deadline(&self) -> Option<HostUs> {
        (self.armed != 0).then_some(self.feed_at)
    }
}
