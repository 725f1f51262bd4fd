//! What became of a pearl: the boards' reports, the drop eyes, the deadlines, the record.
//!
//! Hot thread.

use units::{BoardId, EyeId, HostUs, OrderId, Tick, Tick32, TriggerSeq, ValveId};
use wire::{Fault, FaultOf};

use super::Core;
use super::routes::Mouth;
use crate::io::{HoldCause, Notice, Output};
use crate::limits::{ON_THE_WAY_US, VALVE_LAG_US};
use crate::pearl::{Awaited, Lane, Pearl, Stage};
use crate::plan::JetPlan;
use crate::record::{Cause, Destination, Landing, Record};
use crate::schedule::{Amendment, Order};
use crate::settle::{self, Window};
use crate::track::Numbered;

/// Pearls that may have landed together with another, on each side of it, at most.
const ALIKE: usize = 8;

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
            self.doubt(at, (lane, place), out);
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
        } else if jet.drop_eye.is_some_and(|eye| self.sees(eye.eye.board)) {
            self.set_due(lane, place);
        } else {
            self.prove(at, lane, pearl.jet);
            self.end(lane, place, Destination::Bin(jet.bin), Landing::NoEye, out);
        }
    }

    /// All is well at a jet.
    fn prove(&mut self, at: HostUs, lane: usize, jet: u8) {
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
    fn missed(&mut self, at: HostUs, lane: usize, place: u32, jet: &JetPlan, out: &mut impl Output) {
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
                self.doubt(at, (lane, place), out);
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
            Amendment::Cancel(cause) => {
                // It blows: the report will follow.
                let pearl = self.lanes[lane].ring.get_mut(place);
                if matches!(pearl.stage, Stage::Cancelling(_)) {
                    pearl.stage = Stage::Ordered;
                }
                self.blown_all_the_same(at, (lane, jet), cause, out);
                self.set_due(lane, place);
            }
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
    pub(super) fn doubt(&mut self, at: HostUs, (lane, place): (usize, u32), out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get_mut(place);
        pearl.stage = Stage::Unsure;
        let (jet, landed, trayed) = (pearl.jet, pearl.landed, pearl.trayed);
        let Some(of) = self.jet_plan(lane, jet).copied() else {
            return;
        };
        if landed.is_some() {
            self.end(lane, place, Destination::Bin(of.bin), Landing::Seen, out);
            return;
        }
        if trayed {
            self.end(lane, place, Destination::Bin(of.bin), Landing::Tray, out);
            return;
        }
        if !of.drop_eye.is_some_and(|eye| self.sees(eye.eye.board)) {
            self.suspect(at, lane, jet, HoldCause::Quarantine(of.bin), out);
        }
        self.set_due(lane, place);
    }

    pub(super) fn landed(
        &mut self,
        at: HostUs,
        board: BoardId,
        eye: EyeId,
        (seq, tick): (TriggerSeq, Tick32),
        out: &mut impl Output,
    ) {
        let (Some(eye), Some(tick)) = (self.routes.drop_eye(board, eye), self.sync.to_line(board, tick)) else {
            self.accounts.unknown += 1;
            return;
        };
        match self.routes.drop_eyes[eye].numbers.follow(seq.0) {
            Numbered::Next | Numbered::Anew => {}
            Numbered::Again => {
                self.accounts.doubled += 1;
                return;
            }
            Numbered::Gap(count) => {
                self.accounts.gaps += u64::from(count);
                let lane = self.routes.drop_eyes[eye].mouths.first().map_or(0, |mouth| mouth.lane);
                out.notice(at, Notice::Gap(Self::lane_id(lane), count));
            }
        }
        let mut best: Option<(Mouth, u32, i64)> = None;
        for mouth in &self.routes.drop_eyes[eye].mouths {
            let found = self.expected(mouth, tick);
            if let Some((place, off_by)) = found
                && best.is_none_or(|(_, _, least)| off_by < least)
            {
                best = Some((*mouth, place, off_by));
            }
        }
        match best {
            Some((
                Mouth {
                    lane,
                    jet: Some(_),
                    eye,
                },
                place,
                _,
            )) => self.landed_in_bin(at, lane, place, (tick, eye), out),
            Some((Mouth { lane, jet: None, .. }, place, _)) => self.landed_in_tray(at, lane, place, out),
            None => self.landed_strange(at, eye, tick, out),
        }
    }

    /// The pearl that a mouth expects nearest to `tick`.
    fn expected(&self, mouth: &Mouth, tick: Tick) -> Option<(u32, i64)> {
        let ring = &self.lanes[mouth.lane].ring;
        let meant = |pearl: &Pearl| match mouth.jet {
            Some(jet) => {
                let sent = matches!(
                    pearl.stage,
                    Stage::Ordered | Stage::Cancelling(_) | Stage::Fired | Stage::Unsure
                );
                sent && pearl.jet == jet && pearl.landed.is_none()
            }
            None => !matches!(pearl.stage, Stage::Waiting | Stage::Graded) && pearl.landed.is_none() && !pearl.trayed,
        };
        settle::nearest(ring, tick, meant, |pearl| self.window(mouth, pearl))
    }

    /// When a pearl can be seen in a mouth.
    fn window(&self, mouth: &Mouth, pearl: &Pearl) -> Window {
        let (slowest, fastest) = self.sync.speeds();
        let geometry = &self.geometry;
        let (ticks, room) = match mouth.jet {
            Some(jet) => (self.jet_ticks(mouth.lane, jet), settle::bin_room(geometry, pearl)),
            None => (geometry.lanes[mouth.lane].end, settle::tray_room(geometry, pearl)),
        };
        Window::new(pearl.at(ticks), room, &mouth.eye, slowest, fastest)
    }

    fn landed_in_bin(
        &mut self,
        at: HostUs,
        lane: usize,
        place: u32,
        (tick, eye): (Tick, crate::plan::DropEyePlan),
        out: &mut impl Output,
    ) {
        let pearl = self.lanes[lane].ring.get_mut(place);
        pearl.landed = Some(tick);
        let (stage, jet) = (pearl.stage, pearl.jet);
        self.mark_alike(lane, place, (tick, eye));
        if matches!(stage, Stage::Fired | Stage::Unsure)
            && let Some(bin) = self.jet_plan(lane, jet).map(|jet| jet.bin)
        {
            self.prove(at, lane, jet);
            self.end(lane, place, Destination::Bin(bin), Landing::Seen, out);
        }
    }

    /// Neighbours for the same bin that could have made this landing as well, in one interruption.
    fn mark_alike(&mut self, lane: usize, place: u32, (tick, eye): (Tick, crate::plan::DropEyePlan)) {
        let jet = self.lanes[lane].ring.get(place).jet;
        let mouth = Mouth {
            lane,
            jet: Some(jet),
            eye,
        };
        let ring = &self.lanes[lane].ring;
        let near = |others: &mut dyn Iterator<Item = u32>, found: &mut [Option<u32>; 2 * ALIKE], from: usize| {
            for (slot, other) in others.take(ALIKE).enumerate() {
                let pearl = ring.get(other);
                if !self.window(&mouth, pearl).holds(tick) {
                    break;
                }
                let same = pearl.jet == jet && pearl.landed.is_none() && pearl.stage != Stage::Ended;
                found[from + slot] = same.then_some(other);
            }
        };
        let mut found = [None; 2 * ALIKE];
        near(&mut ring.ahead(place), &mut found, 0);
        near(&mut ring.behind(place), &mut found, ALIKE);
        for other in found.into_iter().flatten() {
            self.lanes[lane].ring.get_mut(other).alike = true;
        }
    }

    fn landed_in_tray(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get_mut(place);
        match pearl.stage {
            Stage::Tray(cause) => self.end(lane, place, Destination::Tray(cause), Landing::Seen, out),
            Stage::Fired => {
                if let Some(jet) = self.jet_plan(lane, self.lanes[lane].ring.get(place).jet).copied() {
                    self.missed(at, lane, place, &jet, out);
                }
            }
            Stage::Unsure => {
                if let Some(bin) = self
                    .jet_plan(lane, self.lanes[lane].ring.get(place).jet)
                    .map(|jet| jet.bin)
                {
                    self.end(lane, place, Destination::Bin(bin), Landing::Tray, out);
                }
            }
            Stage::Ordered | Stage::Cancelling(_) => pearl.trayed = true,
            Stage::Waiting | Stage::Graded | Stage::Ended => {}
        }
    }

    /// An eye saw a pearl that it did not expect. In the tray that is an unseen one that ran off, harmless; in a bin it
    /// is a stranger.
    fn landed_strange(&mut self, at: HostUs, eye: usize, tick: Tick, out: &mut impl Output) {
        let Some(first) = self.routes.drop_eyes[eye].mouths.first().copied() else {
            return;
        };
        let mut culprit = None;
        for mouth in &self.routes.drop_eyes[eye].mouths {
            if mouth.jet.is_some() {
                let any = |pearl: &Pearl| pearl.landed.is_none();
                let ring = &self.lanes[mouth.lane].ring;
                let found = settle::nearest(ring, tick, any, |pearl| self.window(mouth, pearl));
                culprit = culprit.or(found.map(|(place, _)| (*mouth, place)));
            }
        }
        let (mouth, place) = match culprit {
            Some((mouth, place)) => (mouth, Some(place)),
            None => (first, None),
        };
        let Some(jet) = mouth.jet else {
            self.accounts.intruders += 1;
            out.notice(at, Notice::Intruder(Self::lane_id(mouth.lane)));
            return;
        };
        let Some(of) = self.jet_plan(mouth.lane, jet).copied() else {
            return;
        };
        let along = place.is_some_and(|place| self.was_blown_along(mouth.lane, place, jet));
        let cause = if along {
            HoldCause::Quarantine(of.bin)
        } else {
            HoldCause::ValveOpen(of.board, of.valve)
        };
        match place {
            Some(place) => self.end_misplaced(mouth.lane, place, of.bin, out),
            None => {
                self.accounts.intruders += 1;
                out.notice(at, Notice::Intruder(Self::lane_id(mouth.lane)));
            }
        }
        self.suspect(at, mouth.lane, jet, cause, out);
    }

    /// Whether a pulse of the jet was near enough to have taken the pearl along.
    fn was_blown_along(&self, lane: usize, place: u32, jet: u8) -> bool {
        let ring: &Lane = &self.lanes[lane].ring;
        let (centre, reach) = (ring.get(place).at(0), self.geometry.most_reach());
        let near = |other: &u32| ring.get(*other).at(0).since(centre).saturating_abs() < reach;
        let same = |other: u32| {
            let pearl = ring.get(other);
            pearl.jet == jet && pearl.decision_us.is_some()
        };
        ring.ahead(place).take_while(near).any(same) || ring.behind(place).take_while(near).any(same)
    }

    fn end_misplaced(&mut self, lane: usize, place: u32, bin: units::BinId, out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get(place);
        let sent = match pearl.stage {
            Stage::Tray(cause) | Stage::Cancelling(cause) => Destination::Tray(cause),
            Stage::Waiting | Stage::Graded => Destination::Tray(Cause::Missing),
            _ => self
                .jet_plan(lane, pearl.jet)
                .map_or(Destination::Tray(Cause::Missing), |jet| Destination::Bin(jet.bin)),
        };
        self.end(lane, place, sent, Landing::Bin(bin), out);
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

    /// Tick at which a blown pearl's bin has had its chance.
    pub(super) fn landing_due(&self, lane: usize, pearl: &Pearl) -> Tick {
        let Some(eye) = self.jet_plan(lane, pearl.jet).and_then(|jet| jet.drop_eye) else {
            return self.tray_due(lane, pearl);
        };
        let jet = Some(pearl.jet);
        self.window(&Mouth { lane, jet, eye }, pearl)
            .to
            .plus(self.ticks_in(ON_THE_WAY_US))
    }

    /// Tick at which the tray has had its chance.
    pub(super) fn tray_due(&self, lane: usize, pearl: &Pearl) -> Tick {
        let room = self.ticks_in(ON_THE_WAY_US);
        match self.plan.lanes[lane].tray_eye {
            Some(eye) => self.window(&Mouth { lane, jet: None, eye }, pearl).to.plus(room),
            None => pearl.at(self.geometry.lanes[lane].end),
        }
    }

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
                self.spoil_if_graded(at, lane, place, out);
            }
            Stage::Ordered | Stage::Cancelling(_) => self.report_due(at, now, lane, place, out),
            Stage::Fired | Stage::Unsure => self.settle_sent(now, lane, place, out),
            Stage::Tray(cause) => self.settle_tray(now, lane, place, cause, out),
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
            Some((_, Cause::Missing)) => {
                self.lanes[lane].ring.get_mut(place).mass = Awaited::Bad(Cause::Missing);
                self.missing(at, lane, place, out);
            }
            Some((_, cause)) => self.spoil(at, lane, place, cause, out),
            None => {
                self.set_waiting_due(lane, place);
                self.try_grade(at, lane, place, out);
            }
        }
    }

    fn spoil_if_graded(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        if self.lanes[lane].ring.get(place).stage == Stage::Graded {
            self.spoil(at, lane, place, Cause::Neighbour, out);
        }
    }

    /// An order's neighbour is still undecided, or its report has not come.
    fn report_due(&mut self, at: HostUs, now: Tick, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        if now < pearl.off {
            let ring = &self.lanes[lane].ring;
            let leave = crate::schedule::ask_neighbours(&self.geometry, ring, place, self.plan.neighbours);
            if leave == crate::schedule::Leave::Wait {
                self.spoil(at, lane, place, Cause::Neighbour, out);
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
        self.doubt(at, (lane, place), out);
    }

    fn look_again(&mut self, now: Tick, lane: usize, place: u32) {
        let later = now.plus(self.ticks_in(ON_THE_WAY_US / 2));
        self.lanes[lane].ring.set_due(place, later);
    }

    /// A pearl that was blown, or may have been, was not seen in its bin.
    fn settle_sent(&mut self, now: Tick, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let Some(jet) = self.jet_plan(lane, pearl.jet).copied() else {
            return;
        };
        let sure = pearl.stage == Stage::Fired;
        let bin_eye = jet.drop_eye.filter(|eye| self.sees(eye.eye.board));
        if sure && bin_eye.is_none() {
            self.end(lane, place, Destination::Bin(jet.bin), Landing::NoEye, out);
            return;
        }
        let told = |eye: &crate::plan::DropEyePlan| self.has_told(eye.eye.board, self.landing_due(lane, &pearl));
        if bin_eye.is_some_and(|eye| !told(&eye)) {
            self.look_again(now, lane, place);
            return;
        }
        let tray_eye = self.plan.lanes[lane].tray_eye.filter(|eye| self.sees(eye.eye.board));
        let tray_due = self.tray_due(lane, &pearl);
        if let Some(eye) = tray_eye
            && (now < tray_due || !self.has_told(eye.eye.board, tray_due))
        {
            let later = tray_due.max(now.plus(1));
            self.lanes[lane].ring.set_due(place, later);
            return;
        }
        let landing = if pearl.alike { Landing::Seen } else { Landing::Lost };
        self.end(lane, place, Destination::Bin(jet.bin), landing, out);
    }

    /// A pearl that stayed on the belt was not seen in the tray.
    fn settle_tray(&mut self, now: Tick, lane: usize, place: u32, cause: Cause, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let landing = match self.plan.lanes[lane].tray_eye.filter(|eye| self.sees(eye.eye.board)) {
            None => Landing::NoEye,
            Some(eye) if !self.has_told(eye.eye.board, self.tray_due(lane, &pearl)) => {
                self.look_again(now, lane, place);
                return;
            }
            Some(_) => Landing::Lost,
        };
        self.end(lane, place, Destination::Tray(cause), landing, out);
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
