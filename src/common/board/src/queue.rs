//! The fire queue: open orders in a fixed pool, in lists by valve and in lists by number.
//!
//! Any thread. Orders of a valve stand in the order of their ticks, and those of one tick in the order in which they
//! came. Hosts give orders with rising ticks, so an insertion starts at the list's end and is done in one step as a
//! rule; an insertion, search or removal never takes more than [`MAX_QUEUE`] steps.

use units::{OrderId, ValveId};

use crate::belt::Mark;
use crate::limits::{MAX_QUEUE, MAX_VALVES, NUMBER_LISTS};

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Its number.
    pub(crate) id: OrderId,
    /// Its valve.
    pub(crate) valve: ValveId,
    /// Unwrapped tick at which air shall reach the jet.
    pub(crate) on: i64,
    /// Ticks for which it shall blow.
    pub(crate) length: u16,
    /// When it began to blow; none while it waits. Set once: this is what makes the compare-match one-shot.
    pub(crate) begun: Option<Mark>,
}

/// An order's place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u16);

/// No slot.
const NONE: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    order: Order,
    /// Neighbours in the valve's list; `next` is also the list of free entries.
    next: u16,
    previous: u16,
    /// Next of the orders whose numbers share a list.
    same: u16,
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    entries: [Entry; MAX_QUEUE],
    first: [u16; MAX_VALVES],
    last: [u16; MAX_VALVES],
    by_number: [u16; NUMBER_LISTS],
    free: u16,
    len: u16,
    capacity: u16,
}

const EMPTY: Entry = Entry {
    order: Order {
        id: OrderId(0),
        valve: ValveId(0),
        on: 0,
        length: 0,
        begun: None,
    },
    next: NONE,
    previous: NONE,
    same: NONE,
};

impl Queue {
    /// A queue that holds nothing yet: [`Self::start`] gives it its room.
    pub(crate) const fn blank() -> Self {
        Self {
            entries: [EMPTY; MAX_QUEUE],
            first: [NONE; MAX_VALVES],
            last: [NONE; MAX_VALVES],
            by_number: [NONE; NUMBER_LISTS],
            free: NONE,
            len: 0,
            capacity: 0,
        }
    }

    /// Gives it room for `capacity` orders, at most [`MAX_QUEUE`].
    pub(crate) fn start(&mut self, capacity: u16) {
        assert!(
            capacity as usize <= MAX_QUEUE,
            "a queue holds at most {MAX_QUEUE} orders"
        );
        self.capacity = capacity;
        self.clear();
    }

    /// Forgets every order.
    pub(crate) fn clear(&mut self) {
        self.first = [NONE; MAX_VALVES];
        self.last = [NONE; MAX_VALVES];
        self.by_number = [NONE; NUMBER_LISTS];
        self.len = 0;
        self.free = NONE;
        for index in (0..self.capacity).rev() {
            self.entries[index as usize].next = self.free;
            self.free = index;
        }
    }

    /// Orders in the queue, blowing ones included.
    pub(crate) const fn len(&self) -> u16 {
        self.len
    }

    /// Adds an order whose number is not in the queue.
    pub(crate) fn insert(&mut self, order: Order) -> Result<Slot, Full> {
        debug_assert!(self.find(order.id).is_none(), "numbers in the queue are unique");
        let index = self.free;
        if index == NONE {
            return Err(Full);
        }
        self.free = self.entry(index).next;
        self.len += 1;
        let valve = order.valve.index();
        let mut previous = self.last[valve];
        while previous != NONE && self.entry(previous).order.on > order.on {
            previous = self.entry(previous).previous;
        }
        let next = if previous == NONE {
            self.first[valve]
        } else {
            self.entry(previous).next
        };
        let list = number_list(order.id);
        self.entries[index as usize] = Entry {
            order,
            next,
            previous,
            same: self.by_number[list],
        };
        self.by_number[list] = index;
        self.link(valve, previous, next, index, index);
        Ok(Slot(index))
    }

    /// The open order of that number.
    pub(crate) fn find(&self, id: OrderId) -> Option<Slot> {
        let mut index = self.by_number[number_list(id)];
        while index != NONE {
            let entry = self.entry(index);
            if entry.order.id == id {
                return Some(Slot(index));
            }
            index = entry.same;
        }
        None
    }

    /// Takes an order out.
    pub(crate) fn remove(&mut self, slot: Slot) -> Order {
        let entry = *self.entry(slot.0);
        self.link(
            entry.order.valve.index(),
            entry.previous,
            entry.next,
            entry.next,
            entry.previous,
        );
        self.unlink_number(slot.0, entry);
        self.entries[slot.0 as usize].next = self.free;
        self.free = slot.0;
        self.len -= 1;
        entry.order
    }

    /// The valve's first order, by tick.
    pub(crate) fn first(&self, valve: ValveId) -> Option<Slot> {
        some(self.first[valve.index()])
    }

    /// The order after `slot` on the same valve.
    pub(crate) fn next(&self, slot: Slot) -> Option<Slot> {
        some(self.entry(slot.0).next)
    }

    /// An order of the queue.
    pub(crate) fn get(&self, slot: Slot) -> &Order {
        &self.entry(slot.0).order
    }

    /// Marks an order as blowing.
    pub(crate) fn begin(&mut self, slot: Slot, at: Mark) {
        self.entries[slot.0 as usize].order.begun = Some(at);
    }

    /// Gives an order another length.
    pub(crate) fn set_length(&mut self, slot: Slot, length: u16) {
        self.entries[slot.0 as usize].order.length = length;
    }

    fn entry(&self, index: u16) -> &Entry {
        &self.entries[index as usize]
    }

    /// Makes `after_previous` follow `previous` and `before_next` go before `next`, in the valve's list.
    fn link(&mut self, valve: usize, previous: u16, next: u16, after_previous: u16, before_next: u16) {
        if previous == NONE {
            self.first[valve] = after_previous;
        } else {
            self.entries[previous as usize].next = after_previous;
        }
        if next == NONE {
            self.last[valve] = before_next;
        } else {
            self.entries[next as usize].previous = before_next;
        }
    }

    fn unlink_number(&mut self, index: u16, entry: Entry) {
        let list = number_list(entry.order.id);
        if self.by_number[list] == index {
            self.by_number[list] = entry.same;
            return;
        }
        let mut before = self.by_number[list];
        while self.entry(before).same != index {
            before = self.entry(before).same;
        }
        self.entries[before as usize].same = entry.same;
    }
}

const fn number_list(id: OrderId) -> usize {
    id.0 as usize & (NUMBER_LISTS - 1)
}

const fn some(index: u16) -> Option<Slot> {
    if index == NONE { None } else { Some(Slot(index)) }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn order(id: u16, valve: u8, on: i64) -> Order {
        Order {
            id: OrderId(id),
            valve: ValveId(valve),
            on,
            length: 10,
            begun: None,
        }
    }

    fn queue(capacity: u16) -> Queue {
        let mut queue = Queue::blank();
        queue.start(capacity);
        queue
    }

    fn ids(queue: &Queue, valve: u8) -> Vec<u16> {
        let mut found = Vec::new();
        let mut at = queue.first(ValveId(valve));
        while let Some(slot) = at {
            found.push(queue.get(slot).id.0);
            at = queue.next(slot);
        }
        found
    }

    #[test]
    fn orders_stand_by_tick_and_equal_ticks_by_arrival() {
        let mut queue = queue(8);
        for (id, on) in [(1, 50), (2, 10), (3, 50), (4, 30)] {
            queue.insert(order(id, 5, on)).unwrap();
        }
        assert_eq!(ids(&queue, 5), [2, 4, 1, 3]);
        assert!(ids(&queue, 4).is_empty());
    }

    #[test]
    fn a_full_queue_refuses_and_takes_again_when_one_has_gone() {
        let mut queue = queue(2);
        queue.insert(order(1, 0, 1)).unwrap();
        let slot = queue.insert(order(2, 1, 1)).unwrap();
        assert_eq!(queue.insert(order(3, 1, 1)), Err(Full));
        queue.remove(slot);
        assert!(queue.insert(order(3, 1, 1)).is_ok());
    }

    proptest! {
        #[test]
        fn the_queue_agrees_with_a_plain_list(actions in prop::collection::vec((any::<bool>(), 0..600u16, 0..4u8, 0..50i64), 0..600)) {
            let mut queue = queue(40);
            let mut plain: Vec<Order> = Vec::new();
            for (insert, id, valve, on) in actions {
                let known = plain.iter().position(|o| o.id.0 == id);
                prop_assert_eq!(queue.find(OrderId(id)).is_some(), known.is_some());
                if insert && known.is_none() {
                    let new = order(id, valve, on);
                    if queue.insert(new).is_ok() {
                        let at = plain.iter().position(|o| o.on > on).unwrap_or(plain.len());
                        plain.insert(at, new);
                    } else {
                        prop_assert_eq!(plain.len(), 40);
                    }
                } else if let Some(known) = known {
                    prop_assert_eq!(queue.remove(queue.find(OrderId(id)).unwrap()), plain.remove(known));
                }
                prop_assert_eq!(usize::from(queue.len()), plain.len());
                for valve in 0..4 {
                    let expected: Vec<u16> = plain.iter().filter(|o| o.valve.0 == valve).map(|o| o.id.0).collect();
                    prop_assert_eq!(ids(&queue, valve), expected);
                }
            }
        }
    }
}
