//! What will happen, by time; at one time in the order in which it was planned.
//!
//! Any thread.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What happens, and to whom. A pearl is named by its number in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// The feeder lays the lane's next pearl onto the belt.
    Feed { lane: u8 },
    /// The pearl's leading edge comes to the entry eye (or goes back out of it).
    Front { lane: u8, number: u64 },
    /// The pearl's trailing edge leaves the entry eye (or comes back into it).
    Rear { lane: u8, number: u64 },
    /// The eye sees light in the middle of a pearl, or the dark again.
    Flicker { lane: u8, dark: bool },
    /// The camera's report is ready.
    View { slot: u32 },
    /// The weigh cell's report is ready.
    Mass { lane: u8, number: u64 },
    /// A weigh cell has a message of samples.
    Samples { lane: u8 },
    /// The pearl falls off the belt.
    Fall { lane: u8, number: u64 },
    /// The pearl has passed a jet that has touched it.
    Passed { lane: u8, number: u64 },
    /// The pearl comes to the belt's end.
    End { lane: u8, number: u64 },
    /// The pearl comes to its end: bin, tray or floor.
    Land { lane: u8, number: u64 },
    /// A falling pearl has left a drop eye.
    Clear { board: u8, eye: u8 },
    /// Air begins at a jet.
    AirOn { jet: u16 },
    /// Air ends at a jet.
    AirOff { jet: u16 },
    /// A jet that stays open is looked at.
    AirHeld { jet: u16 },
    /// The encoder's index comes by.
    Index,
    /// A fault begins or ends.
    Fault,
}

/// The queue of all events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    planned: u64,
}

impl Queue {
    pub(crate) fn plan(&mut self, at_us: u64, event: Event) {
        self.planned += 1;
        self.heap.push(Reverse((at_us, self.planned, event)));
    }

    pub(crate) fn next_us(&self) -> u64 {
        self.heap.peek().map_or(u64::MAX, |Reverse((at_us, ..))| *at_us)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse((at_us, _, event))| (at_us, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_at_one_time_in_the_order_of_planning() {
        let mut queue = Queue::default();
        queue.plan(20, Event::Index);
        queue.plan(10, Event::Fault);
        queue.plan(20, Event::AirOn { jet: 3 });
        assert_eq!(queue.next_us(), 10);
        let order: Vec<_> = core::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(
            order,
            [(10, Event::Fault), (20, Event::Index), (20, Event::AirOn { jet: 3 })]
        );
        assert_eq!(queue.next_us(), u64::MAX);
    }
}
