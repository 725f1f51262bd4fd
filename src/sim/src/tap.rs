//! A tap on the line to a board: reads the frames that go by, so that orders can be stamped where they arrive.
//!
//! Any thread. It keeps no session: a frame that is repeated is told apart by the orders in it.

use units::{BoardId, ValveId};
use wire::{Decoder, Kind, Messages, ToBoard};

/// An order as it came to its board, the first time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderSeen {
    /// The board.
    pub board: BoardId,
    /// The valve that it opens.
    pub valve: ValveId,
    /// For how long, ticks.
    pub length_ticks: u32,
    /// When it came, us of the run.
    pub at_us: u64,
    /// How long before its tick, us.
    pub lead_us: f64,
    /// When the last figures of its pearl had left the board, us of the run; none when it is for no pearl that is known.
    pub figures_us: Option<u64>,
}

impl OrderSeen {
    /// The lead in whole microseconds; 0 when it came too late.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    pub fn lead_whole_us(&self) -> u64 {
        self.lead_us as u64
    }
}

/// Ticks of the latest order of each number: an order that comes again has the same.
#[derive(Debug)]
pub(crate) struct Tap {
    decoder: Decoder,
    latest: Vec<u32>,
}

impl Tap {
    pub(crate) fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            latest: vec![0; 1 << 16],
        }
    }

    /// Looks at bytes that go by; gives each message, orders once.
    pub(crate) fn look(&mut self, bytes: &[u8], mut give: impl FnMut(&ToBoard)) {
        let mut input = bytes;
        while let Some(frame) = self.decoder.next(&mut input) {
            let Ok(frame) = frame else { continue };
            if frame.header.kind != Kind::Data {
                continue;
            }
            for message in Messages::<wire::Board>::numbered(frame.body).flatten() {
                if let ToBoard::Fire(fire) = message {
                    let latest = &mut self.latest[usize::from(fire.order.0)];
                    if core::mem::replace(latest, fire.on.0) == fire.on.0 {
                        continue;
                    }
                }
                give(&message);
            }
        }
    }
}
