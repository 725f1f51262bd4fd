//! A pearl on the belt, and the lane that it lies in: what the stages work on.
//!
//! Hot thread. Words: a pearl's **place** is its count in the lane since the core was made, modulo 2^32; **due** is the
//! tick at which somebody must look at it again. A lane's pearls stand in belt order, the one farthest along first.

use units::{BinId, HostUs, Micrometres, OrderId, PearlId, Tick, TriggerSeq};
use wire::Measurement;

use crate::limits::PEARLS_IN_LANE;
use crate::record::{Cause, MassFigure};

/// A figure on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Not come yet.
    Due,
    /// Come, but the camera saw more pearls than the lane knows: one that is still before the eye may explain it.
    Crowded,
    /// Come, and it holds.
    Good,
    /// It will not come, or does not hold.
    Bad(Cause),
}

/// Where a pearl is in its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Figures are due.
    Waiting,
    /// It has earned a bin; a neighbour within the jet is undecided.
    Graded,
    /// An order is out.
    Ordered,
    /// An order is out and a cancel behind it.
    Cancelling(Cause),
    /// The board has blown it.
    Fired,
    /// Whether the board has blown it is not known, for this cause; eyes may tell.
    Unsure(Cause),
    /// It stays on the belt.
    Tray(Cause),
    /// Its record is out.
    Ended,
}

/// No recipe, no jet.
pub(crate) const NONE: u8 = u8::MAX;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pearl {
    pub(crate) id: PearlId,
    pub(crate) seq: TriggerSeq,
    pub(crate) triggered: HostUs,
    /// Tick at which the eye tripped.
    pub(crate) edge: Tick,
    /// Whether the eye has cleared: centre and length are known.
    pub(crate) passed: bool,
    pub(crate) centre: Tick,
    /// Half its length, in ticks.
    pub(crate) half: i64,
    pub(crate) length: Micrometres,
    /// How far it has rolled since, in ticks.
    pub(crate) shift: i64,
    pub(crate) view: Awaited,
    pub(crate) measurement: Option<Measurement>,
    pub(crate) mass: Awaited,
    pub(crate) figure: Option<MassFigure>,
    pub(crate) stage: Stage,
    /// Slot of the recipe until it is graded.
    pub(crate) recipe: u8,
    pub(crate) recipe_hash: u64,
    pub(crate) lot: u32,
    pub(crate) earned: Option<BinId>,
    /// Its jet, by the lane's table, once it has earned a bin.
    pub(crate) jet: u8,
    pub(crate) order: OrderId,
    /// The pulse at the jet.
    pub(crate) on: Tick,
    pub(crate) off: Tick,
    /// No room is kept before, behind it: a neighbour lies there.
    pub(crate) trim_on: bool,
    pub(crate) trim_off: bool,
    /// When its last figure came.
    pub(crate) ready: HostUs,
    pub(crate) decision_us: Option<i32>,
    pub(crate) lead_us: Option<i32>,
    /// Tick at which its bin's eye saw it.
    pub(crate) landed: Option<Tick>,
    /// The tray's eye saw it before the board's report came.
    pub(crate) trayed: bool,
    /// A landing in its bin that was given to another pearl might have been its own.
    pub(crate) alike: bool,
}

impl Pearl {
    const EMPTY: Self = Self {
        id: PearlId(0),
        seq: TriggerSeq(0),
        triggered: HostUs(0),
        edge: Tick(0),
        passed: false,
        centre: Tick(0),
        half: 0,
        length: Micrometres(0),
        shift: 0,
        view: Awaited::Due,
        measurement: None,
        mass: Awaited::Due,
        figure: None,
        stage: Stage::Ended,
        recipe: NONE,
        recipe_hash: 0,
        lot: 0,
        earned: None,
        jet: NONE,
        order: OrderId(0),
        on: Tick(0),
        off: Tick(0),
        trim_on: false,
        trim_off: false,
        ready: HostUs(0),
        decision_us: None,
        lead_us: None,
        landed: None,
        trayed: false,
        alike: false,
    };

    /// A pearl whose eye has just tripped at `edge`: until it clears, it may be as long as the longest.
    pub(crate) const fn new(id: PearlId, seq: TriggerSeq, triggered: HostUs, edge: Tick, most_half: i64) -> Self {
        Self {
            id,
            seq,
            triggered,
            edge,
            centre: edge.plus(most_half),
            half: most_half,
            stage: Stage::Waiting,
            ..Self::EMPTY
        }
    }

    /// Tick at which its centre is `ticks` behind the entry eye.
    pub(crate) const fn at(&self, ticks: i64) -> Tick {
        self.centre.plus(self.shift.saturating_add(ticks))
    }
}

/// The pearls of a lane, in a ring.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pearls: Box<[Pearl]>,
    due: Box<[Tick]>,
    first: u32,
    next: u32,
    /// The earliest of the pearls' dues, or earlier.
    next_due: Tick,
}

/// Nothing is due.
pub(crate) const NEVER: Tick = Tick(i64::MAX);

const fn slot(place: u32) -> usize {
    place as usize & (PEARLS_IN_LANE - 1)
}

impl Lane {
    pub(crate) fn new() -> Self {
        Self {
            pearls: vec![Pearl::EMPTY; PEARLS_IN_LANE].into_boxed_slice(),
            due: vec![NEVER; PEARLS_IN_LANE].into_boxed_slice(),
            first: 0,
            next: 0,
            next_due: NEVER,
        }
    }

    /// Places in use, those of ended pearls between others included.
    pub(crate) const fn len(&self) -> u32 {
        self.next.wrapping_sub(self.first)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) const fn has(&self, place: u32) -> bool {
        place.wrapping_sub(self.first) < self.len()
    }

    /// All places, the pearl farthest along first.
    pub(crate) fn places(&self) -> impl Iterator<Item = u32> + use<> {
        let first = self.first;
        (0..self.len()).map(move |count| first.wrapping_add(count))
    }

    /// Places behind `place` on the belt, the nearest first.
    pub(crate) fn behind(&self, place: u32) -> impl Iterator<Item = u32> + use<> {
        let count = self.next.wrapping_sub(place).saturating_sub(1).min(self.len());
        (1..=count).map(move |step| place.wrapping_add(step))
    }

    /// Places ahead of `place` on the belt, the nearest first.
    pub(crate) fn ahead(&self, place: u32) -> impl Iterator<Item = u32> + use<> {
        let count = place.wrapping_sub(self.first).min(self.len());
        (1..=count).map(move |step| place.wrapping_sub(step))
    }

    /// The pearl that came last.
    pub(crate) fn newest(&self) -> Option<u32> {
        (!self.is_empty()).then(|| self.next.wrapping_sub(1))
    }

    pub(crate) fn get(&self, place: u32) -> &Pearl {
        &self.pearls[slot(place)]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Pearl {
        &mut self.pearls[slot(place)]
    }

    /// Adds a pearl behind the others; `None` when the ring is full.
    pub(crate) fn push(&mut self, pearl: Pearl) -> Option<u32> {
        if self.len() as usize == PEARLS_IN_LANE {
            return None;
        }
        let place = self.next;
        self.pearls[slot(place)] = pearl;
        self.due[slot(place)] = NEVER;
        self.next = self.next.wrapping_add(1);
        Some(place)
    }

    /// Marks a pearl as ended and frees the places at the front.
    pub(crate) fn end(&mut self, place: u32) {
        self.pearls[slot(place)].stage = Stage::Ended;
        self.due[slot(place)] = NEVER;
        while !self.is_empty() && self.get(self.first).stage == Stage::Ended {
            self.first = self.first.wrapping_add(1);
        }
    }

    pub(crate) fn set_due(&mut self, place: u32, due: Tick) {
        self.due[slot(place)] = due;
        self.next_due = self.next_due.min(due);
    }

    pub(crate) fn is_due(&self, place: u32, now: Tick) -> bool {
        self.due[slot(place)] <= now
    }

    /// Whether a pearl may be due.
    pub(crate) fn any_due(&self, now: Tick) -> bool {
        self.next_due <= now
    }

    /// Finds the earliest due again.
    pub(crate) fn find_next_due(&mut self) {
        let next = self.places().map(|place| self.due[slot(place)]).min();
        self.next_due = next.unwrap_or(NEVER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pearl(id: u64) -> Pearl {
        Pearl::new(PearlId(id), TriggerSeq(0), HostUs(0), Tick(0), 100)
    }

    #[test]
    fn a_full_ring_takes_no_more_and_takes_again_when_its_front_has_ended() {
        let mut lane = Lane::new();
        for id in 0..PEARLS_IN_LANE as u64 {
            assert!(lane.push(pearl(id)).is_some());
        }
        assert!(lane.push(pearl(999)).is_none());
        let first = lane.places().next().unwrap();
        lane.end(first.wrapping_add(1));
        assert!(lane.push(pearl(999)).is_none(), "a hole behind the front frees nothing");
        lane.end(first);
        assert_eq!(lane.len() as usize, PEARLS_IN_LANE - 2);
        assert!(lane.push(pearl(999)).is_some());
    }

    #[test]
    fn neighbours_are_walked_outwards() {
        let mut lane = Lane::new();
        let places: Vec<u32> = (0..4).filter_map(|id| lane.push(pearl(id))).collect();
        assert_eq!(lane.ahead(places[2]).collect::<Vec<_>>(), [places[1], places[0]]);
        assert_eq!(lane.behind(places[1]).collect::<Vec<_>>(), [places[2], places[3]]);
        assert_eq!(lane.behind(places[3]).count(), 0);
    }
}
