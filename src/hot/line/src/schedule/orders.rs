//! The orders that are open, by board and number.
//!
//! Hot thread. An order's place in its board's table is its number modulo [`ORDERS`], so that a report finds it in one
//! step; when that place is still taken by an order [`ORDERS`] numbers older, there is no room.

use units::{BoardId, OrderId, Tick, ValveId};

use crate::limits::ORDERS;
use crate::record::Cause;

/// What was asked of an order after it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amendment {
    /// Not to be carried out.
    Cancel(Cause),
    /// To end at this tick.
    Shorten(Tick),
}

/// An order that no report has closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) lane: usize,
    pub(crate) place: u32,
    pub(crate) valve: ValveId,
    pub(crate) on: Tick,
    pub(crate) off: Tick,
    /// The latest thing asked of it.
    pub(crate) amendment: Option<Amendment>,
    /// Answers that are due: only the last tells of the latest amendment.
    pub(crate) answers: u8,
}

impl Order {
    /// An order that has no number yet.
    pub(crate) const fn new(lane: usize, place: u32, valve: ValveId, (on, off): (Tick, Tick)) -> Self {
        Self {
            id: OrderId(0),
            lane,
            place,
            valve,
            on,
            off,
            amendment: None,
            answers: 0,
        }
    }
}

#[derive(Clone, Debug)]
struct Table {
    slots: Box<[Option<Order>]>,
    next: OrderId,
    open: usize,
    /// Orders that the board's queue holds.
    queue: usize,
    /// Farthest that an order may lie ahead, ticks.
    horizon: i64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    tables: Vec<Table>,
}

const fn slot(id: OrderId) -> usize {
    id.0 as usize & (ORDERS - 1)
}

impl Orders {
    pub(crate) fn new(boards: usize) -> Self {
        let table = Table {
            slots: vec![None; ORDERS].into_boxed_slice(),
            next: OrderId(0),
            open: 0,
            queue: 0,
            horizon: 0,
        };
        Self {
            tables: vec![table; boards],
        }
    }

    /// Takes a board's sizes.
    pub(crate) fn set_limits(&mut self, board: BoardId, queue: u16, horizon_ticks: u32) {
        let table = &mut self.tables[board.index()];
        table.queue = usize::from(queue);
        table.horizon = i64::from(horizon_ticks);
    }

    /// Whether the board may be given an order that lies so many ticks ahead.
    pub(crate) fn has_room(&self, board: BoardId, ahead: i64) -> bool {
        let table = &self.tables[board.index()];
        table.open < table.queue && ahead <= table.horizon && table.slots[slot(table.next)].is_none()
    }

    /// Keeps an order for which there is room and gives it its number.
    pub(crate) fn give(&mut self, board: BoardId, order: Order) -> OrderId {
        let table = &mut self.tables[board.index()];
        let id = table.next;
        table.next = id.next();
        if table.slots[slot(id)].replace(Order { id, ..order }).is_none() {
            table.open += 1;
        }
        id
    }

    /// Notes what is asked of an order.
    pub(crate) fn amend(&mut self, board: BoardId, id: OrderId, amendment: Amendment) {
        if let Some(order) = self.get_mut(board, id) {
            order.amendment = Some(amendment);
            order.answers = order.answers.saturating_add(1);
        }
    }

    /// Takes an answer; the amendment, if it is the last that is due.
    pub(crate) fn answer(&mut self, board: BoardId, id: OrderId) -> Option<Amendment> {
        let order = self.get_mut(board, id)?;
        order.answers = order.answers.saturating_sub(1);
        if order.answers == 0 {
            order.amendment.take()
        } else {
            None
        }
    }

    pub(crate) fn get_mut(&mut self, board: BoardId, id: OrderId) -> Option<&mut Order> {
        let order = self.tables[board.index()].slots[slot(id)].as_mut();
        order.filter(|order| order.id == id)
    }

    /// Closes an order and gives back what it was.
    pub(crate) fn close(&mut self, board: BoardId, id: OrderId) -> Option<Order> {
        let table = &mut self.tables[board.index()];
        let place = &mut table.slots[slot(id)];
        if place.is_none_or(|order| order.id != id) {
            return None;
        }
        table.open -= 1;
        place.take()
    }

    /// The first open order of a board at or behind a place of its table, with the place behind it.
    pub(crate) fn next_open(&self, board: BoardId, from: usize) -> Option<(OrderId, usize)> {
        let table = &self.tables[board.index()];
        if table.open == 0 {
            return None;
        }
        let rest = table.slots.iter().enumerate().skip(from);
        rest.filter_map(|(index, order)| order.map(|order| (order.id, index + 1)))
            .next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order::new(0, 0, ValveId(0), (Tick(0), Tick(0)))
    }

    #[test]
    fn a_board_is_never_given_more_than_its_queue_holds() {
        let (mut orders, board) = (Orders::new(1), BoardId(0));
        orders.set_limits(board, 2, 1_000);
        let first = orders.give(board, order());
        orders.give(board, order());
        assert!(!orders.has_room(board, 1));
        assert!(orders.close(board, first).is_some());
        assert!(orders.close(board, first).is_none());
        assert!(orders.has_room(board, 1_000) && !orders.has_room(board, 1_001));
    }

    #[test]
    fn numbers_run_over_their_end() {
        let (mut orders, board) = (Orders::new(1), BoardId(0));
        orders.set_limits(board, 10, 1_000);
        for count in 0..=u32::from(u16::MAX) + 5 {
            let id = orders.give(board, order());
            assert_eq!(u32::from(id.0), count & 0xFFFF);
            assert!(orders.close(board, id).is_some());
        }
    }
}
