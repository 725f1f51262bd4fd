//! Stage settle: what boards and drop eyes say became of a pearl.
//!
//! Hot thread. Words: a landing's **window** is the stretch of ticks in which an eye can see a pearl; a jet's **proof** is
//! the last time at which its bin's content was known to be right.
//!
//! What was decided:
//! - A landing belongs to the pearl whose window holds it and whose middle is nearest, among those sent there.
//! - The window runs from the jet by the shortest fall at the slowest recent speed to the longest fall at the fastest,
//!   and as far on each side as the pulse is wide: that is where along the pulse the pearl may have left the belt.
//! - An eye may see two pearls that fall together as one. A pearl that lies within reach of another, and whose window
//!   also holds the landing that was given to that one, is taken to have landed with it, unless another eye sees it.
//! - The other way round, a second landing of one pearl, is not believed: a stranger looks the same.
//! - A pearl that its bin's eye has not seen may still come to the tray; nobody is lost before the tray's window is past.
//! - An eye has seen all that it will see up to a tick once its board's `Status` tells of a later one, with room for
//!   messages on the way.

use units::{HostUs, Speed, Tick};

use crate::geometry::Geometry;
use crate::limits::{DRIFT_LEARNT, DRIFT_STEP_US, LATE, MISSES};
use crate::pearl::{Lane, Pearl, Stage};
use crate::plan::DropEyePlan;

/// Where and when an eye may see a pearl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Tick,
    pub(crate) middle: Tick,
    pub(crate) to: Tick,
}

impl Window {
    /// The window of an eye for a pearl that leaves the belt at `leaves`, give or take `room` ticks.
    pub(crate) fn new(leaves: Tick, room: i64, eye: &DropEyePlan, slowest: Speed, fastest: Speed) -> Self {
        let least = slowest.ticks_in(i64::from(eye.least_us)).max(0);
        let most = fastest.ticks_in(i64::from(eye.most_us)).max(least);
        Self {
            from: leaves.plus(least - room),
            middle: leaves.plus((least + most) / 2),
            to: leaves.plus(most + room),
        }
    }

    pub(crate) fn holds(&self, tick: Tick) -> bool {
        self.from <= tick && tick <= self.to
    }
}

/// Room of a landing in a bin: half the pulse.
pub(crate) const fn bin_room(geometry: &Geometry, pearl: &Pearl) -> i64 {
    pearl.half + geometry.jet_width / 2 + geometry.margin
}

/// Room of a landing in the tray: what the pearl may have rolled.
pub(crate) const fn tray_room(geometry: &Geometry, pearl: &Pearl) -> i64 {
    pearl.half + geometry.station + geometry.margin
}

/// The pearl of `lane` nearest to a landing at `tick` among those that `may`, by their windows.
pub(crate) fn nearest(
    lane: &Lane,
    tick: Tick,
    may: impl Fn(&Pearl) -> bool,
    window: impl Fn(&Pearl) -> Window,
) -> Option<(u32, i64)> {
    let mut best: Option<(u32, i64)> = None;
    for place in lane.places() {
        let pearl = lane.get(place);
        if pearl.stage == Stage::Ended {
            continue;
        }
        let of = window(pearl);
        // Windows stand in belt order, give or take what pearls have rolled.
        if of.from.since(tick) > of.to.since(of.from) {
            break;
        }
        let off_by = tick.since(of.middle).saturating_abs();
        if may(pearl) && of.holds(tick) && best.is_none_or(|(_, least)| off_by < least) {
            best = Some((place, off_by));
        }
    }
    best
}

/// What is known of one jet's work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JetState {
    pub(crate) proof: HostUs,
    /// Pearls that had been sent to the bin at the proof.
    pub(crate) sent_at_proof: u64,
    /// Pearls that were blown and came to the tray.
    misses: InARow,
    /// Pearls that the bin's eye did not see, nor any other.
    pub(crate) unseen: InARow,
    pub(crate) drift: Drift,
}

impl JetState {
    pub(crate) const NEW: Self = Self {
        proof: HostUs(0),
        sent_at_proof: 0,
        misses: InARow::NONE,
        unseen: InARow::NONE,
        drift: Drift::NEW,
    };

    /// A pearl came where it was sent.
    pub(crate) fn prove(&mut self, at: HostUs, sent: u64) {
        self.proof = at;
        self.sent_at_proof = sent;
        (self.misses, self.unseen) = (InARow::NONE, InARow::NONE);
    }

    /// A pearl that was blown came to the tray. Says whether the valve must be taken to stay shut.
    pub(crate) fn miss(&mut self) -> bool {
        self.misses.count(MISSES)
    }
}

/// Things that went wrong in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InARow(u8);

impl InARow {
    pub(crate) const NONE: Self = Self(0);

    /// One more. Says whether there are now `most`: then it begins anew.
    pub(crate) fn count(&mut self, most: u8) -> bool {
        self.0 = self.0.saturating_add(1);
        if self.0 < most {
            return false;
        }
        *self = Self::NONE;
        true
    }
}

/// How a valve's landings move against those that were seen first: air and coil age, and the eye tells it before a
/// pearl is missed. Times are from the middle of the eye's window, in us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drift {
    landings: u16,
    /// Mean of the first landings, and the running mean of the latest; both in 16ths of a us.
    usual: i64,
    recent: i64,
    /// What was told last, us.
    told: i64,
}

impl Drift {
    const NEW: Self = Self {
        landings: 0,
        usual: 0,
        recent: 0,
        told: 0,
    };

    /// A pearl landed `us` behind the middle of its window. Gives the drift when it has moved by a step.
    pub(crate) fn land(&mut self, us: i64) -> Option<i32> {
        let scaled = us.saturating_mul(16);
        if self.landings < DRIFT_LEARNT {
            self.landings += 1;
            self.usual += (scaled - self.usual) / i64::from(self.landings);
            self.recent = self.usual;
            return None;
        }
        self.recent += (scaled - self.recent) / 32;
        let drift = (self.recent - self.usual) / 16;
        if (drift - self.told).abs() < DRIFT_STEP_US {
            return None;
        }
        self.told = drift;
        i32::try_from(drift).ok()
    }
}

/// The latest late orders.
#[derive(Clone, Debug)]
pub(crate) struct Lates {
    times: [HostUs; LATE],
    len: usize,
    next: usize,
}

impl Lates {
    pub(crate) const fn new() -> Self {
        Self {
            times: [HostUs(0); LATE],
            len: 0,
            next: 0,
        }
    }

    /// Counts one. Says whether there are now `limit` within `window_us`.
    pub(crate) fn count(&mut self, at: HostUs, limit: u16, window_us: i64) -> bool {
        self.times[self.next] = at;
        self.next = (self.next + 1) % LATE;
        self.len = (self.len + 1).min(LATE);
        let within = self.times[..self.len]
            .iter()
            .filter(|time| at.since(**time) <= window_us)
            .count();
        within >= usize::from(limit).clamp(1, LATE)
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_orders_hold_only_when_they_are_dense() {
        let mut lates = Lates::new();
        assert!(!lates.count(HostUs(0), 3, 1_000));
        assert!(!lates.count(HostUs(900), 3, 1_000));
        assert!(!lates.count(HostUs(1_500), 3, 1_000));
        assert!(lates.count(HostUs(1_600), 3, 1_000));
    }

    #[test]
    fn a_valve_that_grows_slow_is_told_in_steps_and_an_even_one_is_not() {
        let mut drift = Drift::NEW;
        let told: Vec<i32> = (0..1_000).filter_map(|n| drift.land(300 + n % 7 * 100)).collect();
        assert_eq!(told, []);
        let told: Vec<i32> = (0..400).filter_map(|n| drift.land(3_000 + n % 7 * 100)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!((1_000..1_200).contains(&told[0]) && (2_000..2_200).contains(&told[1]));
    }

    #[test]
    fn a_jet_that_misses_now_and_then_is_not_shut() {
        let mut jet = JetState::NEW;
        assert!(!jet.miss() && !jet.miss());
        jet.prove(HostUs(1), 1);
        assert!(!jet.miss() && !jet.miss());
        assert!(jet.miss());
    }
}
