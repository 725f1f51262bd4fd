//! What drop eyes see.
//!
//! Hot thread. Rules of matching are in `settle`.

use units::{BoardId, EyeId, HostUs, Tick, Tick32, TriggerSeq};

use super::Core;
use super::routes::Mouth;
use crate::io::{HoldCause, Notice, Output};
use crate::limits::ON_THE_WAY_US;
use crate::pearl::{Pearl, Stage};
use crate::plan::JetPlan;
use crate::record::{Cause, Destination, Landing};
use crate::settle::{self, InARow, Window};
use crate::track::Numbered;

/// Pearls that may have landed together with another, on each side of it, at most.
const ALIKE: usize = 8;

impl Core {
    pub(super) fn landed(
        &mut self,
        at: HostUs,
        board: BoardId,
        eye: EyeId,
        (seq, tick): (TriggerSeq, Tick32),
        out: &mut impl Output,
    ) {
        let Some(eye) = self.routes.drop_eye(board, eye) else {
            self.accounts.unknown += 1;
            return;
        };
        let Some(tick) = self.sync.to_line(board, tick) else {
            self.accounts.unknown += 1;
            self.landed_unplaced(at, eye, out);
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
            Some((mouth, place, _)) => {
                self.mark_alike(place, &mouth, tick);
                match mouth.jet {
                    Some(jet) => {
                        self.follow_drift(at, &mouth, jet, place, tick, out);
                        self.landed_in_bin(at, mouth.lane, place, tick, out);
                    }
                    None => self.landed_in_tray(at, mouth.lane, place, out),
                }
            }
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
                    Stage::Ordered | Stage::Cancelling(_) | Stage::Fired | Stage::Unsure(_)
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

    /// Holds a landing against those that the same jet's pearls made before.
    fn follow_drift(&mut self, at: HostUs, mouth: &Mouth, jet: u8, place: u32, tick: Tick, out: &mut impl Output) {
        let behind = tick.since(self.window(mouth, self.lanes[mouth.lane].ring.get(place)).middle);
        let speed = i64::from(self.sync.speed().0);
        let Some(us) = behind.saturating_mul(1_000_000).checked_div(speed) else {
            return;
        };
        let (Some(plan), Some(state)) = (
            self.plan.lanes[mouth.lane].jets.get(usize::from(jet)),
            self.lanes[mouth.lane].jets.get_mut(usize::from(jet)),
        ) else {
            return;
        };
        if let Some(drift_us) = state.drift.land(us) {
            out.notice(at, Notice::Drift(plan.board, plan.valve, drift_us));
        }
    }

    fn landed_in_bin(&mut self, at: HostUs, lane: usize, place: u32, tick: Tick, out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get_mut(place);
        pearl.landed = Some(tick);
        let (stage, jet) = (pearl.stage, pearl.jet);
        if matches!(stage, Stage::Fired | Stage::Unsure(_))
            && let Some(bin) = self.jet_plan(lane, jet).map(|jet| jet.bin)
        {
            self.prove(at, lane, jet);
            self.end(lane, place, Destination::Bin(bin), Landing::Seen, out);
        }
    }

    /// Neighbours near enough to have made this landing as well, in one interruption.
    fn mark_alike(&mut self, place: u32, mouth: &Mouth, tick: Tick) {
        let ring = &self.lanes[mouth.lane].ring;
        let landed = *ring.get(place);
        let alike = |other: &u32| {
            let pearl = ring.get(*other);
            let apart = pearl.at(0).since(landed.at(0)).saturating_abs();
            let near = apart < self.geometry.reach(pearl.half, landed.half);
            let same = match mouth.jet {
                Some(jet) => pearl.jet == jet && !matches!(pearl.stage, Stage::Tray(_)),
                None => matches!(pearl.stage, Stage::Tray(_)),
            };
            near && same && pearl.landed.is_none() && self.window(mouth, pearl).holds(tick)
        };
        let near = ring.ahead(place).take(ALIKE).chain(ring.behind(place).take(ALIKE));
        let mut found = [None; 2 * ALIKE];
        for (slot, other) in found.iter_mut().zip(near.filter(alike)) {
            *slot = Some(other);
        }
        for other in found.into_iter().flatten() {
            self.lanes[mouth.lane].ring.get_mut(other).alike = true;
        }
    }

    fn landed_in_tray(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        self.lanes[lane].tray_unseen = InARow::NONE;
        let pearl = self.lanes[lane].ring.get_mut(place);
        match pearl.stage {
            Stage::Tray(cause) => self.end(lane, place, Destination::Tray(cause), Landing::Seen, out),
            Stage::Fired => {
                if let Some(jet) = self.jet_plan(lane, self.lanes[lane].ring.get(place).jet).copied() {
                    self.missed(at, lane, place, &jet, out);
                }
            }
            // So it was not blown.
            Stage::Unsure(cause) => self.end(lane, place, Destination::Tray(cause), Landing::Seen, out),
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
        if place.is_none() && self.left_over(at, &of, &mouth, out) {
            return;
        }
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

    /// An eye saw a pearl while its board's place on the belt is not known: whose it was nobody can tell, so a bin that it
    /// fell into is not proven any more.
    fn landed_unplaced(&mut self, at: HostUs, eye: usize, out: &mut impl Output) {
        let Some(mouth) = self.routes.drop_eyes[eye].mouths.first().copied() else {
            return;
        };
        let of = mouth.jet.and_then(|jet| Some((jet, *self.jet_plan(mouth.lane, jet)?)));
        let Some((jet, of)) = of else { return };
        if !self.left_over(at, &of, &mouth, out) {
            self.suspect(at, mouth.lane, jet, HoldCause::Quarantine(of.bin), out);
        }
    }

    /// Whether a pearl that fell into a bin can be one of the program that ran before; it is then counted. This core has ordered nothing yet,
    /// and the new connection, which empties the board's queue, is not older than a fall takes. The program before had
    /// measured it; a valve that stays open goes on beyond that time and is found out.
    fn left_over(&mut self, at: HostUs, jet: &JetPlan, mouth: &Mouth, out: &mut impl Output) -> bool {
        let fall_us = i64::from(mouth.eye.most_us).saturating_add(ON_THE_WAY_US);
        let is_left_over = self.accounts.orders == 0 && at.since(self.links[jet.board.index()].since) <= fall_us;
        if is_left_over {
            self.accounts.left_over += 1;
            out.notice(at, Notice::LeftOver(jet.bin));
        }
        is_left_over
    }

    /// Whether a pulse of the jet was near enough to have taken the pearl along.
    fn was_blown_along(&self, lane: usize, place: u32, jet: u8) -> bool {
        let ring = &self.lanes[lane].ring;
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

    /// Whether the eye of a pearl's bin can tell about it.
    pub(super) fn bin_eye_tells(&self, lane: usize, place: u32) -> bool {
        let pearl = self.lanes[lane].ring.get(place);
        let Some(eye) = self.jet_plan(lane, pearl.jet).and_then(|jet| jet.drop_eye) else {
            return false;
        };
        let jet = Some(pearl.jet);
        self.tells(eye.eye.board, self.window(&Mouth { lane, jet, eye }, pearl).from)
    }

    /// Whether the tray's eye can tell about a pearl.
    pub(super) fn tray_eye_tells(&self, lane: usize, place: u32) -> bool {
        let pearl = self.lanes[lane].ring.get(place);
        let Some(eye) = self.plan.lanes[lane].tray_eye else {
            return false;
        };
        self.tells(eye.eye.board, self.window(&Mouth { lane, jet: None, eye }, pearl).from)
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
}
