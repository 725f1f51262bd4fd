//! What fire orders cost on the wire: bytes of an order sent alone and of orders sent densely, frames, checksums and
//! delimiters included, and how many a second a line of some speed carries. Encoded by the shipped code, not reckoned.

use serde::{Deserialize, Serialize};
use units::{OrderId, Tick32, ValveId};
use wire::{BoardEndpoint, Fire, HostEndpoint, ToBoard};

/// Speeds of lines that are shown.
pub const BAUDS: [u32; 3] = [115_200, 1_000_000, 3_000_000];
/// Orders encoded for the dense figure.
const ORDERS: u32 = 20_000;
/// Klipper's bytes for one order alone and in full blocks, from its own protocol (see the page on machines).
pub const KLIPPER_BYTES: [f64; 2] = [14.0, 9.8];
/// Lanes, bins and encoder of the line that the orders are for.
const LANES: u32 = 16;
const BINS: u32 = 6;
const TICKS_A_MM: u32 = 20;

/// Bytes on the line for one order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderBytes {
    /// Sent alone, in a frame of its own.
    pub alone: f64,
    /// Sent densely, frames as full as they get.
    pub dense: f64,
}

impl OrderBytes {
    /// Orders a second at `baud`, ten bits a byte, when orders are dense.
    #[must_use]
    pub fn dense_per_s(&self, baud: u32) -> f64 {
        f64::from(baud) / 10.0 / self.dense
    }
}

/// The next of a fixed pseudo-random row.
fn next(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    *state >> 16
}

/// Orders as a line of 16 lanes and 6 bins gives them: in the order of decision, so that their ticks jump back and forth
/// by the distances of the jets; lengths after the pearls' sizes.
fn orders() -> impl Iterator<Item = Fire> {
    let mut state = 7;
    let mut tick = 0_u32;
    (0..ORDERS).map(move |number| {
        // 16 lanes of 15 pearls a second at 1 m/s: 240 a second, 4 mm of belt from one to the next on average.
        tick = tick.wrapping_add(next(&mut state) % (8 * TICKS_A_MM));
        let (lane, bin) = (next(&mut state) % LANES, next(&mut state) % BINS);
        let jet = (200 + 40 * bin) * TICKS_A_MM;
        let length = (7 + 4) * TICKS_A_MM + next(&mut state) % (2 * TICKS_A_MM);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "order numbers wrap, the others are small"
        )]
        Fire {
            order: OrderId(number as u16),
            valve: ValveId((lane * BINS + bin) as u8),
            on: Tick32(tick.wrapping_add(jet)),
            length: length as u16,
        }
    })
}

/// A link without a line: what one end sends the other gets at once.
struct Link {
    host: HostEndpoint<16>,
    board: BoardEndpoint<32>,
    now_us: u64,
    received: u32,
}

impl Link {
    fn new() -> Self {
        let (mut host, mut board) = (HostEndpoint::new(1_000_000), BoardEndpoint::new(1_000_000));
        host.reset(1);
        board.reset(1);
        Self {
            host,
            board,
            now_us: 0,
            received: 0,
        }
    }

    /// Lets the host send all that it has, and takes the acknowledgements back.
    fn exchange(&mut self) {
        let mut bytes = [0; 4096];
        self.host.flush();
        loop {
            let sent = self.host.poll_transmit(self.now_us, &mut bytes);
            let received = &mut self.received;
            self.board.receive(self.now_us, &bytes[..sent], |message| {
                *received += u32::from(matches!(message, ToBoard::Fire(_)));
            });
            // Past the delay of an acknowledgement.
            self.now_us += wire::limits::ACK_DELAY_US;
            let answered = self.board.poll_transmit(self.now_us, &mut bytes);
            self.host.receive(self.now_us, &bytes[..answered], |_| {});
            if sent == 0 && self.host.is_idle() {
                return;
            }
        }
    }
}

/// Encodes a row of orders and counts.
///
/// # Panics
/// When an order does not arrive: then the figures would mean nothing.
#[must_use]
pub fn measure() -> OrderBytes {
    let bytes_of = |link: &Link| f64::from(link.host.counters().bytes_sent);
    let mut link = Link::new();
    for order in orders() {
        let message = ToBoard::Fire(order);
        if link.host.push(&message).is_err() {
            link.exchange();
            assert_eq!(link.host.push(&message), Ok(()), "an idle link takes an order");
        }
    }
    link.exchange();
    assert_eq!(link.received, ORDERS, "every order arrived");
    let dense = bytes_of(&link) / f64::from(ORDERS);

    let mut link = Link::new();
    let alone = orders().take(1000);
    for order in alone {
        assert_eq!(
            link.host.push(&ToBoard::Fire(order)),
            Ok(()),
            "an idle link takes an order"
        );
        link.exchange();
    }
    assert_eq!(link.received, 1000, "every order arrived");
    OrderBytes {
        alone: bytes_of(&link) / 1000.0,
        dense,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_orders_cost_six_bytes_or_less() {
        let bytes = measure();
        assert!(bytes.dense <= 6.0, "{bytes:?}");
        assert!(bytes.alone > bytes.dense && bytes.alone < 30.0, "{bytes:?}");
    }
}
