//! What boards report of their orders, and a pearl's record.
//!
//! Hot thread.

use units::{BoardId, HostUs, OrderId, Tick32, ValveId};
use wire::{Fault, FaultOf};

use super::Core;
use crate::io::{HoldCause, Output};
use crate::limits::VALVE_LAG_US;
use crate::pearl::{Pearl, Stage};
use crate::plan::JetPlan;
use crate::record::{Cause, Destination, Landing, Record};
use crate::schedule::{Amendment, Order};
use crate::settle;

impl Core {
    /// Closes an order. Gives back what it was, and its pearl if that is still there.
    fn close(&mut self, board: BoardId, id: OrderId) -> Option<(Order, Option<(usize, u32)>)> {
        let Some(order) = self.orders.close(board, id) else {
            self.accounts.unmatched += 1;
            return None;
        };
        self.manifolds.remove(board, id, order.valve);
        let ring = &self.lanes[order.lane].ring;
        let pearl = ring.get(order.place);
        let open = matches!(pearl.stage, Stage::Ordered | Stage::Cancelling(_));
        let here = ring.has(order.place) && open && pearl.order == id;
        Some((order, here.then_some((order.lane, order.place))))
    }

    pub(super) fn fired(&mut self, at: HostUs, board: BoardId, id: OrderId, opened: Tick32, out: &mut impl Output) {
        let Some((order, Some((lane, place)))) = self.close(board, id) else {
            return;
        };
        let jet = self.lanes[lane].ring.get(place).jet;
        match order.amendment {
            // The answer would have come before the report: it found nothing to amend any more.
            Some(Amendment::Cancel(cause)) => self.blown_all_the_same(at, (lane, jet), cause, out),
            Some(Amendment::Shorten(_)) => self.blown_all_the_same(at, (lane, jet), Cause::Neighbour, out),
            None => {}
        }
        if !self.is_in_place(board, &order, opened) {
            self.doubt(at, (lane, place), Cause::OrderFault, out);
            self.suspect(at, lane, jet, HoldCause::ValveOpen(board, order.valve), out);
            return;
        }
        self.lanes[lane].ring.get_mut(place).stage = Stage::Fired;
        self.blown(at, lane, place, out);
    }

    /// Whether a valve was switched on where it should have been, before the pulse by its lag.
    fn is_in_place(&self, board: BoardId, order: &Order, opened: Tick32) -> bool {
        let Some(opened) = self.sync.to_line(board, opened) else {
            return false;
        };
        let recovery = self.ticks_in(i64::from(self.plan.tolerances.valve_recovery_us));
        let room = self.geometry.margin + self.geometry.align;
        let earliest = order.on.plus(-self.ticks_in(VALVE_LAG_US) - room);
        earliest <= opened && opened <= order.on.plus(recovery + room)
    }

    /// The pearl has been blown: its bin's eye must see it, if there is one.
    fn blown(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let Some(jet) = self.jet_plan(lane, pearl.jet).copied() else {
            return;
        };
        if pearl.landed.is_some() {
            self.prove(at, lane, pearl.jet);
            self.end(lane, place, Destination::Bin(jet.bin), Landing::Seen, out);
        } else if pearl.trayed {
            self.missed(at, lane, place, &jet, out);
        } else if self.bin_eye_tells(lane, place) {
            self.set_due(lane, place);
        } else {
            self.prove(at, lane, pearl.jet);
            self.end(lane, place, Destination::Bin(jet.bin), Landing::NoEye, out);
        }
    }

    /// All is well at a jet.
    pub(super) fn prove(&mut self, at: HostUs, lane: usize, jet: u8) {
        if let Some(bin) = self.jet_plan(lane, jet).map(|jet| jet.bin) {
            let sent = self.bins[bin.index()].sent;
            if let Some(state) = self.lanes[lane].jets.get_mut(usize::from(jet)) {
                state.prove(at, sent);
            }
        }
    }

    /// The bin has been emptied: all its jets begin anew.
    pub(super) fn prove_bin(&mut self, at: HostUs, bin: units::BinId) {
        for lane in 0..self.lanes.len() {
            for jet in 0..self.plan.lanes[lane].jets.len() {
                if self.plan.lanes[lane].jets[jet].bin == bin {
                    self.prove(at, lane, u8::try_from(jet).unwrap_or(u8::MAX));
                }
            }
        }
    }

    /// A pearl that was blown came to the tray.
    pub(super) fn missed(&mut self, at: HostUs, lane: usize, place: u32, jet: &JetPlan, out: &mut impl Output) {
        let index = usize::from(self.lanes[lane].ring.get(place).jet);
        self.end(lane, place, Destination::Bin(jet.bin), Landing::Tray, out);
        if self.lanes[lane].jets.get_mut(index).is_some_and(settle::JetState::miss) {
            self.hold(at, HoldCause::ValveShut(jet.board, jet.valve), out);
        }
    }

    /// An order was not carried out: its pearl stays on the belt.
    fn not_fired(&mut self, lane: usize, place: u32, cause: Cause, out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get(place);
        let (trayed, landed, jet) = (pearl.trayed, pearl.landed, pearl.jet);
        let cause = match pearl.stage {
            Stage::Cancelling(cause) => cause,
            _ => cause,
        };
        let at = self.now;
        if landed.is_some() {
            // It lies in the bin, and yet its valve has not opened for it.
            let Some(of) = self.jet_plan(lane, jet).copied() else {
                return;
            };
            self.end(lane, place, Destination::Tray(cause), Landing::Bin(of.bin), out);
            self.suspect(at, lane, jet, HoldCause::ValveOpen(of.board, of.valve), out);
        } else if trayed {
            self.end(lane, place, Destination::Tray(cause), Landing::Seen, out);
        } else {
            self.leave_on_belt(lane, place, cause, out);
        }
    }

    pub(super) fn late(&mut self, at: HostUs, board: BoardId, id: OrderId, out: &mut impl Output) {
        let Some((_, pearl)) = self.close(board, id) else {
            return;
        };
        self.accounts.late += 1;
        if let Some((lane, place)) = pearl {
            self.not_fired(lane, place, Cause::OrderLate, out);
        }
        let of = &self.plan.tolerances;
        if self.lates.count(at, of.late_limit, of.late_window_us) {
            self.hold(at, HoldCause::Late, out);
        }
    }

    pub(super) fn fault(&mut self, at: HostUs, board: BoardId, of: FaultOf, fault: Fault, out: &mut impl Output) {
        match of {
            FaultOf::Order(id) => self.order_fault(at, board, id, fault, out),
            FaultOf::Valve(valve) => match fault {
                Fault::ForcedShut => self.valve_suspect(at, board, valve, HoldCause::ValveOpen(board, valve), out),
                Fault::Coil => self.hold(at, HoldCause::ValveShut(board, valve), out),
                _ => self.accounts.unmatched += 1,
            },
            FaultOf::Board => match fault {
                Fault::Watchdog => self.disarmed(at, board, true, out),
                Fault::NotArmed | Fault::Settings => self.links[board.index()].armed = false,
                _ => self.accounts.unmatched += 1,
            },
        }
    }

    fn order_fault(&mut self, at: HostUs, board: BoardId, id: OrderId, fault: Fault, out: &mut impl Output) {
        // A refused amendment: the order itself stands, and its own report will come.
        if fault == Fault::Range && self.orders.get_mut(board, id).is_some_and(|order| order.answers > 1) {
            self.orders.answer(board, id);
            return;
        }
        let Some((order, Some((lane, place)))) = self.close(board, id) else {
            return;
        };
        match fault {
            // It blew, and for longer than it should have.
            Fault::ForcedShut => {
                let jet = self.lanes[lane].ring.get(place).jet;
                self.lanes[lane].ring.get_mut(place).stage = Stage::Fired;
                self.suspect(at, lane, jet, HoldCause::ValveOpen(board, order.valve), out);
                self.blown(at, lane, place, out);
            }
            Fault::Coil => {
                self.doubt(at, (lane, place), Cause::OrderFault, out);
                self.hold(at, HoldCause::ValveShut(board, order.valve), out);
            }
            Fault::TooSlow => self.not_fired(lane, place, Cause::Speed, out),
            _ => self.not_fired(lane, place, Cause::OrderFault, out),
        }
    }

    pub(super) fn amend_done(&mut self, _at: HostUs, board: BoardId, id: OrderId, out: &mut impl Output) {
        match self.orders.answer(board, id) {
            Some(Amendment::Cancel(cause)) => {
                self.accounts.cancelled += 1;
                if let Some((_, Some((lane, place)))) = self.close(board, id) {
                    self.not_fired(lane, place, cause, out);
                }
            }
            Some(Amendment::Shorten(off)) => {
                self.accounts.shortened += 1;
                let Some(order) = self.orders.get_mut(board, id) else {
                    return;
                };
                order.off = off;
                let (lane, place) = (order.lane, order.place);
                if self.lanes[lane].ring.has(place) && self.lanes[lane].ring.get(place).order == id {
                    self.lanes[lane].ring.get_mut(place).off = off;
                }
            }
            None => {}
        }
    }

    pub(super) fn amend_gone(&mut self, at: HostUs, board: BoardId, id: OrderId, out: &mut impl Output) {
        let Some(amendment) = self.orders.answer(board, id) else {
            return;
        };
        let Some(order) = self.orders.get_mut(board, id) else {
            return;
        };
        let (lane, place) = (order.lane, order.place);
        if !self.lanes[lane].ring.has(place) || self.lanes[lane].ring.get(place).order != id {
            return;
        }
        let jet = self.lanes[lane].ring.get(place).jet;
        match amendment {
            // It blows: the report will follow.
            Amendment::Cancel(cause) => self.blown_all_the_same(at, (lane, jet), cause, out),
            Amendment::Shorten(_) => self.blown_all_the_same(at, (lane, jet), Cause::Neighbour, out),
        }
    }

    /// An order was to be taken back, and it was too late. What made it unwanted may have been blown in with it; a hold
    /// alone makes nothing unwanted.
    fn blown_all_the_same(&mut self, at: HostUs, (lane, jet): (usize, u8), cause: Cause, out: &mut impl Output) {
        self.accounts.gone += 1;
        if cause != Cause::Hold
            && let Some(bin) = self.jet_plan(lane, jet).map(|jet| jet.bin)
        {
            self.suspect(at, lane, jet, HoldCause::Quarantine(bin), out);
        }
    }

    /// Whether a pearl was blown is not known: eyes may tell, and without an eye its bin is in quarantine.
    pub(super) fn doubt(&mut self, at: HostUs, (lane, place): (usize, u32), cause: Cause, out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get_mut(place);
        pearl.stage = Stage::Unsure(cause);
        let (jet, landed, trayed) = (pearl.jet, pearl.landed, pearl.trayed);
        let Some(of) = self.jet_plan(lane, jet).copied() else {
            return;
        };
        if landed.is_some() {
            self.end(lane, place, Destination::Bin(of.bin), Landing::Seen, out);
            return;
        }
        if trayed {
            self.end(lane, place, Destination::Tray(cause), Landing::Seen, out);
            return;
        }
        if !self.bin_eye_tells(lane, place) {
            self.suspect(at, lane, jet, HoldCause::Quarantine(of.bin), out);
        }
        self.set_due(lane, place);
    }

    /// A valve that several lanes' plans may name is suspect: so is every jet of it.
    fn valve_suspect(&mut self, at: HostUs, board: BoardId, valve: ValveId, why: HoldCause, out: &mut impl Output) {
        for lane in 0..self.lanes.len() {
            let jets = &self.plan.lanes[lane].jets;
            if let Some(jet) = jets.iter().position(|jet| jet.board == board && jet.valve == valve) {
                self.suspect(at, lane, u8::try_from(jet).unwrap_or(u8::MAX), why, out);
            }
        }
    }

    /// Ends a pearl's story.
    pub(super) fn end(&mut self, lane: usize, place: u32, sent: Destination, landing: Landing, out: &mut impl Output) {
        self.release_recipe(lane, place, out);
        let pearl = *self.lanes[lane].ring.get(place);
        self.lanes[lane].ring.end(place);
        self.put_on_record(lane, &pearl, sent, landing, out);
    }

    pub(super) fn put_on_record(
        &mut self,
        lane: usize,
        pearl: &Pearl,
        sent: Destination,
        landing: Landing,
        out: &mut impl Output,
    ) {
        match (sent, landing) {
            (_, Landing::Bin(bin)) => {
                self.accounts.misplaced += 1;
                self.accounts.bin(bin);
            }
            (_, Landing::Lost) => self.accounts.lose(),
            (Destination::Bin(_), Landing::Tray) => self.accounts.recirculate(Cause::Missed),
            (Destination::Bin(bin), Landing::Seen | Landing::NoEye) => self.accounts.bin(bin),
            (Destination::Tray(cause), Landing::Seen | Landing::NoEye | Landing::Tray) => {
                self.accounts.recirculate(cause);
            }
        }
        let record = Record {
            pearl: pearl.id,
            lane: Self::lane_id(lane),
            seq: pearl.seq,
            triggered: pearl.triggered,
            centre: pearl.centre,
            length: pearl.length,
            view: pearl.measurement,
            mass: pearl.figure,
            earned: pearl.earned,
            sent,
            landing,
            decision_us: pearl.decision_us,
            lead_us: pearl.lead_us,
            recipe: pearl.recipe_hash,
            lot: pearl.lot,
        };
        out.record(&record);
    }
}
