//! Going over samples again: the model is not linear in mass and gate errors, so that a pearl is linearised where it was
//! found to be. Hot thread; the stretch and the number of rounds are bounded.

use super::{Estimator, SETTLED_LOOKS, cover, new_slot};
use crate::weigh::filter::{Filter, Point, Slot};
use crate::weigh::limits::{PASSAGES, RING, SLOTS};
use crate::weigh::passage::{Passage, Refusal};

/// Most times that samples are gone over to find where to linearise.
const ROUNDS: u32 = 4;

/// Numbers of the pearls in the filter and where they are linearised, by their places in the table.
type Points = [Option<(u32, Point)>; PASSAGES];

impl Estimator {
    /// Returns to the moment before a pearl came and filters again, linearised at what is now known of it.
    pub(super) fn look_again(&mut self, at: u64) {
        let again = &self.again;
        let due =
            |p: &&mut Passage| p.begun.is_some() && again.get(p.looks).is_some_and(|&look| at as f64 >= p.enter + look);
        let Some(passage) = self.passages.iter_mut().flatten().find(due) else {
            return;
        };
        passage.looks += 1;
        if passage.looks > SETTLED_LOOKS && self.filter.as_ref().is_none_or(|f| !f.is_astray(&self.constants)) {
            return;
        }
        if let Some((from, before)) = self.before {
            self.settle(from, at, &before);
        }
    }

    /// Keeps the state before a pearl begins to unload.
    pub(super) fn keep_before_leave(&mut self, at: u64) {
        let early = self.unload;
        let unloads = |p: &&Passage| {
            let fresh = p.begun.is_some() && !p.is_coming();
            fresh
                && p.leave
                    .is_some_and(|leave| at as f64 >= leave - early && (at as f64) < leave - early + 1.0)
        };
        let (Some(passage), Some(filter)) = (self.passages.iter().flatten().find(unloads), &self.filter) else {
            return;
        };
        let owner = self.before_leave.as_ref().map(|(_, number, _)| *number);
        if !self.passages.iter().flatten().any(|p| Some(p.number) == owner) {
            self.before_leave = Some((at, passage.number, *filter));
        }
    }

    /// Goes over the unloading again when the leaving gate turned out to be off: its error is not small beside the
    /// ramp, and the next pearl inherits the motion that follows from it.
    pub(super) fn look_at_leave(&mut self, at: u64) {
        let hold = self.hold;
        let due = |p: &&Passage| !p.left_again && p.leave.is_some_and(|leave| at as f64 >= leave + hold);
        let Some(passage) = self.passages.iter().flatten().find(due) else {
            return;
        };
        let (number, filter) = (passage.number, self.filter.as_ref());
        if let Some(passage) = self.passages.iter_mut().flatten().find(|p| p.number == number) {
            passage.left_again = true;
        }
        let (Some((from, owner, before)), Some(filter)) = (self.before_leave, filter) else {
            return;
        };
        let ratio = self.checks.outlier_sigmas * self.checks.outlier_sigmas;
        if owner == number && (filter.is_astray(&self.constants) || filter.has_outlier(ratio)) {
            self.settle(from, at, &before);
        }
    }

    /// Goes over the samples from `from` to `at` until the pearls are linearised where they are, and judges outliers
    /// only then.
    fn settle(&mut self, from: u64, at: u64, before: &Filter) {
        if at - from > RING as u64 / 2 {
            cover(&mut self.passages, at, self.hold, Refusal::Crowded);
            return;
        }
        for _ in 0..ROUNDS {
            self.go_over(from, at, before, false);
            if self
                .filter
                .as_ref()
                .is_none_or(|filter| !filter.is_astray(&self.constants))
            {
                break;
            }
        }
        let ratio = self.checks.outlier_sigmas * self.checks.outlier_sigmas;
        let outliers = self.filter.as_ref().is_some_and(|filter| filter.has_outlier(ratio));
        // a first look may still be far from where a pearl that came early or late is
        if outliers && !self.is_coming() {
            self.go_over(from, at, before, true);
        }
    }

    /// Filters the samples from `from` to `at` once more from the state `before` them, linearised at what is now known
    /// of the pearls. States kept on the way are kept anew.
    fn go_over(&mut self, from: u64, at: u64, before: &Filter, judge: bool) {
        let Some(filter) = &mut self.filter else { return };
        let mut points = [None; PASSAGES];
        for (i, slot) in filter.slots.iter().enumerate() {
            if let Some(slot) = slot {
                points[slot.passage] = Some((slot.number, filter.point(&self.constants, i)));
            }
        }
        *filter = *before;
        for slot in filter.slots.iter_mut().flatten() {
            if let Some((number, point)) = points[slot.passage]
                && number == slot.number
            {
                slot.at = Some(point);
            }
        }
        self.outliers_in_a_row = 0;
        for index in from..=at {
            self.keep_anew(index);
            self.begin_again(index, &points);
            self.step(index, judge);
        }
        if let (Some(filter), true) = (&mut self.filter, judge) {
            filter.slots.iter_mut().flatten().for_each(|slot| slot.worst = 0.0);
        }
        self.forget_closed();
    }

    fn keep_anew(&mut self, index: u64) {
        let Some(filter) = &self.filter else { return };
        if let Some((from, before)) = &mut self.before
            && *from == index
        {
            *before = *filter;
        }
        if let Some((from, _, before)) = &mut self.before_leave
            && *from == index
        {
            *before = *filter;
        }
    }

    fn begin_again(&mut self, index: u64, points: &Points) {
        let Some(filter) = &mut self.filter else { return };
        for (i, passage) in self.passages.iter().enumerate() {
            if let (Some(passage), Some((_, point))) = (passage, points[i])
                && passage.begun == Some(index)
            {
                let mut slot = new_slot(&self.constants, i, passage);
                slot.at = Some(point);
                filter.add(&self.constants, slot);
            }
        }
    }

    /// Takes pearls out of the filter that have been closed since the state that it returned to.
    fn forget_closed(&mut self) {
        let Some(filter) = &mut self.filter else { return };
        for s in (0..SLOTS).rev() {
            let closed = |slot: Slot| self.passages[slot.passage].is_none_or(|p| p.number != slot.number);
            if filter.slots[s].is_some_and(closed) {
                filter.remove(&self.constants, s);
            }
        }
    }
}
