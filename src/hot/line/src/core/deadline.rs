//! What does not come in time.
//!
//! Hot thread.

use units::{HostUs, Tick};

use super::Core;
use crate::io::{HoldCause, Output};
use crate::limits::{ON_THE_WAY_US, UNSEEN};
use crate::pearl::{Awaited, Stage};
use crate::plan::DropEyePlan;
use crate::record::{Cause, Destination, Landing};
use crate::schedule::{self, Leave};

impl Core {
    /// A pearl's deadline has passed.
    pub(super) fn due(&mut self, at: HostUs, now: Tick, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        if pearl.view == Awaited::Crowded && self.crowd_due(lane, place) <= now {
            self.judge_crowd(at, lane, place, true, out);
            self.set_due(lane, place);
            return;
        }
        match pearl.stage {
            Stage::Waiting => self.waiting_due(at, now, lane, place, out),
            Stage::Graded => {
                self.review(at, lane, place, out);
                self.spoil_if_graded(lane, place, out);
            }
            Stage::Ordered | Stage::Cancelling(_) => self.report_due(at, now, lane, place, out),
            Stage::Fired | Stage::Unsure(_) => self.settle_sent(at, now, lane, place, out),
            Stage::Tray(cause) => self.settle_tray(at, now, (lane, place), cause, out),
            Stage::Ended => {}
        }
    }

    fn waiting_due(&mut self, at: HostUs, now: Tick, lane: usize, place: u32, out: &mut impl Output) {
        let over = self
            .waiting_dues(lane, place)
            .into_iter()
            .flatten()
            .find(|(due, _)| *due <= now);
        match over {
            // Its board has not told so far: the mass may be on its way, and the pearl where it should be.
            Some((due, Cause::Missing)) if !self.has_weighed(lane, due) => {
                self.lanes[lane].ring.get_mut(place).mass = Awaited::Bad(Cause::NoMass);
                self.spoil(lane, place, Cause::NoMass, out);
            }
            Some((_, Cause::Missing)) => {
                self.lanes[lane].ring.get_mut(place).mass = Awaited::Bad(Cause::Missing);
                self.missing(at, lane, place, out);
            }
            Some((_, cause)) => self.spoil(lane, place, cause, out),
            None => {
                self.set_waiting_due(lane, place);
                self.try_grade(at, lane, place, out);
            }
        }
    }

    /// Whether a lane's cell would have told of a pearl that was due at a tick.
    fn has_weighed(&self, lane: usize, due: Tick) -> bool {
        let weigh = self.plan.lanes[lane].weigh;
        weigh.is_some_and(|weigh| self.has_told(weigh.board, due.plus(-self.ticks_in(ON_THE_WAY_US))))
    }

    fn spoil_if_graded(&mut self, lane: usize, place: u32, out: &mut impl Output) {
        if self.lanes[lane].ring.get(place).stage == Stage::Graded {
            self.spoil(lane, place, Cause::Neighbour, out);
        }
    }

    /// An order's neighbour is still undecided, or its report has not come.
    fn report_due(&mut self, at: HostUs, now: Tick, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        if now < pearl.off {
            let ring = &self.lanes[lane].ring;
            let leave = schedule::ask_neighbours(&self.geometry, ring, place, self.plan.neighbours);
            if leave == Leave::Wait {
                self.spoil(lane, place, Cause::Neighbour, out);
            }
            self.set_due(lane, place);
            return;
        }
        let Some(board) = self.jet_plan(lane, pearl.jet).map(|jet| jet.board) else {
            return;
        };
        if !self.has_told(board, pearl.off.plus(self.ticks_in(ON_THE_WAY_US / 2))) {
            self.look_again(now, lane, place);
            return;
        }
        self.accounts.unanswered += 1;
        if let Some(order) = self.orders.close(board, pearl.order) {
            self.manifolds.remove(board, order.id, order.valve);
        }
        self.doubt(at, (lane, place), Cause::OrderFault, out);
    }

    fn look_again(&mut self, now: Tick, lane: usize, place: u32) {
        let later = now.plus(self.ticks_in(ON_THE_WAY_US / 2));
        self.lanes[lane].ring.set_due(place, later);
    }

    /// A pearl that was blown, or may have been, was not seen in its bin.
    fn settle_sent(&mut self, at: HostUs, now: Tick, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let Some(jet) = self.jet_plan(lane, pearl.jet).copied() else {
            return;
        };
        let sure = pearl.stage == Stage::Fired;
        let bin_eye = jet.drop_eye.filter(|_| self.bin_eye_tells(lane, place));
        if sure && bin_eye.is_none() {
            self.end(lane, place, Destination::Bin(jet.bin), Landing::NoEye, out);
            return;
        }
        let told = |eye: &DropEyePlan| self.has_told(eye.eye.board, self.landing_due(lane, &pearl));
        if bin_eye.is_some_and(|eye| !told(&eye)) {
            self.look_again(now, lane, place);
            return;
        }
        let tray_eye = self.plan.lanes[lane]
            .tray_eye
            .filter(|_| self.tray_eye_tells(lane, place));
        let tray_due = self.tray_due(lane, &pearl);
        if let Some(eye) = tray_eye
            && (now < tray_due || !self.has_told(eye.eye.board, tray_due))
        {
            let later = tray_due.max(now.plus(1));
            self.lanes[lane].ring.set_due(place, later);
            return;
        }
        if bin_eye.is_none() {
            self.suspect(at, lane, pearl.jet, HoldCause::Quarantine(jet.bin), out);
        }
        let landing = if pearl.alike { Landing::Seen } else { Landing::Lost };
        self.end(lane, place, Destination::Bin(jet.bin), landing, out);
        if let Some(eye) = bin_eye.filter(|_| landing == Landing::Lost)
            && let Some(state) = self.lanes[lane].jets.get_mut(usize::from(pearl.jet))
            && state.unseen.count(UNSEEN)
        {
            // What an eye that sees nothing has let pass since its last proof, nobody knows.
            let blind = HoldCause::EyeBlind(eye.eye.board, eye.eye.eye);
            self.suspect(at, lane, pearl.jet, blind, out);
        }
    }

    /// A pearl that stayed on the belt was not seen in the tray.
    fn settle_tray(&mut self, at: HostUs, now: Tick, (lane, place): (usize, u32), cause: Cause, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let tray_eye = self.plan.lanes[lane]
            .tray_eye
            .filter(|_| self.tray_eye_tells(lane, place));
        let landing = match tray_eye {
            None => Landing::NoEye,
            Some(eye) if !self.has_told(eye.eye.board, self.tray_due(lane, &pearl)) => {
                self.look_again(now, lane, place);
                return;
            }
            Some(_) if pearl.alike => Landing::Seen,
            Some(_) => Landing::Lost,
        };
        self.end(lane, place, Destination::Tray(cause), landing, out);
        if let Some(eye) = tray_eye.filter(|_| landing == Landing::Lost)
            && self.lanes[lane].tray_unseen.count(UNSEEN)
        {
            self.hold(at, HoldCause::EyeBlind(eye.eye.board, eye.eye.eye), out);
        }
    }
}
