//! Reports that wait for room in the link's window.
//!
//! Any thread. Full means drop and count: a report that nobody can carry off must never hold up a valve.

use units::OrderId;
use wire::{Fault, FaultOf, FromBoard};

use crate::limits::OUTBOX;

/// A first-in-first-out ring of reports.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    reports: [FromBoard<'static>; OUTBOX],
    first: usize,
    len: usize,
    dropped: u16,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            reports: [FromBoard::Armed; OUTBOX],
            first: 0,
            len: 0,
            dropped: 0,
        }
    }

    /// Forgets the reports and the count, for a new connection.
    pub(crate) fn clear(&mut self) {
        self.first = 0;
        self.len = 0;
        self.dropped = 0;
    }

    /// Adds a report, or counts it as dropped.
    pub(crate) fn push(&mut self, report: FromBoard<'static>) {
        if self.len == OUTBOX {
            self.count_dropped();
            return;
        }
        self.reports[(self.first + self.len) % OUTBOX] = report;
        self.len += 1;
    }

    /// Reports a fault.
    pub(crate) fn fault(&mut self, of: FaultOf, fault: Fault) {
        self.push(FromBoard::Fault { of, fault });
    }

    /// Reports a fault of an order.
    pub(crate) fn order_fault(&mut self, order: OrderId, fault: Fault) {
        self.fault(FaultOf::Order(order), fault);
    }

    /// Reports that wait.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The report that has waited longest.
    pub(crate) fn front(&self) -> Option<&FromBoard<'static>> {
        (self.len > 0).then(|| &self.reports[self.first])
    }

    /// Takes the report out that has waited longest.
    pub(crate) fn pop(&mut self) {
        if self.len > 0 {
            self.first = (self.first + 1) % OUTBOX;
            self.len -= 1;
        }
    }

    /// Counts a message that had to be dropped.
    pub(crate) fn count_dropped(&mut self) {
        self.dropped = self.dropped.wrapping_add(1);
    }

    /// Messages dropped since the connection began, modulo 2^16.
    pub(crate) const fn dropped(&self) -> u16 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_drops_the_newest_and_counts() {
        let mut outbox = Outbox::new();
        for number in 0..OUTBOX + 3 {
            outbox.push(FromBoard::Done {
                order: OrderId(u16::try_from(number).unwrap()),
            });
        }
        assert_eq!(outbox.dropped(), 3);
        for number in 0..OUTBOX {
            assert_eq!(
                outbox.front(),
                Some(&FromBoard::Done {
                    order: OrderId(u16::try_from(number).unwrap())
                })
            );
            outbox.pop();
        }
        assert_eq!(outbox.front(), None);
    }
}
