//! Stage schedule: when a pearl's jet opens and closes, whether its neighbours and the valve allow it.
//!
//! Hot thread. Words: a **pulse** is the stretch of ticks in which air blows at the jet; the **reach** of two pearls is
//! the distance of their centres below which a pulse for one could touch the other.
//!
//! What was decided (formulas after the machines reference, "Ejection"; the board adds the valve's lags):
//! - `on = centre - (L + w)/2 - margin`, `off = centre + (L + w)/2 + margin`, with the pearl's length and the jet's width.
//! - A neighbour is touched when it lies nearer than half of both lengths, the jet's width, the pulse's margin and its
//!   own margin. That is as true of one as of the other, so both are concerned, at whichever jet.
//! - A neighbour that has earned the same jet may be blown along; the pulses overlap or the board bridges them, and the
//!   bridged pulse must not be longer than the valve may be open.
//! - A pearl is ordered as soon as it is graded and every neighbour that is known has been. One that trips the eye
//!   later, or turns out to stay, takes the order back: the jet is always farther away than a pearl is long.
//! - Policy `Recirculate` keeps both back. Policy `Purity` keeps back the purer and leaves out, for the other, the
//!   pulse's margin on that side if this is enough; the neighbour keeps its own margin, so the worst is a miss.

mod manifold;
mod orders;

use units::{Speed, Tick};

pub(crate) use self::manifold::{Manifolds, Pulse};
pub(crate) use self::orders::{Amendment, Order, Orders};
use crate::geometry::Geometry;
use crate::limits::SPEED_ROOM_PER_MILLE;
use crate::pearl::{Lane, Pearl, Stage};
use crate::plan::NeighbourPolicy;

/// The pulse for a pearl at a jet `ticks` behind the eye.
pub(crate) fn pulse(geometry: &Geometry, pearl: &Pearl, ticks: i64) -> (Tick, Tick) {
    let half = pearl.half + geometry.jet_width / 2;
    let centre = pearl.at(ticks);
    let before = if pearl.trim_on { 0 } else { geometry.margin };
    let behind = if pearl.trim_off { 0 } else { geometry.margin };
    (centre.plus(-half - before), centre.plus(half + behind))
}

/// Time until `ticks` have run, with room for a faster belt, us; `None` when it stands or runs backwards.
pub(crate) fn lead_us(ticks: i64, speed: Speed) -> Option<i64> {
    let us = speed.us_for(ticks)?;
    Some(us - (us / 1_000 * SPEED_ROOM_PER_MILLE).max(0))
}

/// What the neighbours allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Blow, leaving out the margins named.
    Go {
        /// Before the pearl.
        trim_on: bool,
        /// Behind it.
        trim_off: bool,
    },
    /// A neighbour is undecided.
    Wait,
    /// A neighbour stays, or goes elsewhere.
    Clash,
}

/// Asks the neighbours of a pearl that is to be blown.
pub(crate) fn ask_neighbours(geometry: &Geometry, lane: &Lane, place: u32, policy: NeighbourPolicy) -> Leave {
    let ahead = ask_side(geometry, lane, place, lane.ahead(place), policy);
    let behind = ask_side(geometry, lane, place, lane.behind(place), policy);
    match (ahead, behind) {
        (Side::Clash, _) | (_, Side::Clash) => Leave::Clash,
        (Side::Wait, _) | (_, Side::Wait) => Leave::Wait,
        _ => Leave::Go {
            trim_on: ahead == Side::Trim,
            trim_off: behind == Side::Trim,
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Free,
    Trim,
    Wait,
    Clash,
}

fn ask_side(
    geometry: &Geometry,
    lane: &Lane,
    place: u32,
    others: impl Iterator<Item = u32>,
    policy: NeighbourPolicy,
) -> Side {
    let pearl = lane.get(place);
    let centre = pearl.at(0);
    let mut side = Side::Free;
    for other in others {
        let other = lane.get(other);
        let distance = other.at(0).since(centre).saturating_abs();
        // Pearls stand by their centres at the eye: one that has rolled may stand a station's tolerance farther.
        if distance >= geometry.most_reach() + 2 * geometry.station {
            break;
        }
        let reach = geometry.reach(pearl.half, other.half);
        if distance >= reach || other.stage == Stage::Ended {
            continue;
        }
        match ask_one(pearl, other, policy, distance >= reach - geometry.margin) {
            Side::Clash => return Side::Clash,
            Side::Wait => side = Side::Wait,
            Side::Trim if side == Side::Free => side = Side::Trim,
            Side::Trim | Side::Free => {}
        }
    }
    side
}

/// One neighbour within reach. `trimmable`: without the margin on its side the pulse would leave it.
fn ask_one(pearl: &Pearl, other: &Pearl, policy: NeighbourPolicy, trimmable: bool) -> Side {
    let purity = policy == NeighbourPolicy::Purity && trimmable;
    match other.stage {
        Stage::Waiting => Side::Wait,
        Stage::Graded | Stage::Ordered | Stage::Fired if other.jet == pearl.jet => Side::Free,
        // The purer of the two is kept back, the other goes without its margin.
        Stage::Graded | Stage::Ordered if purity && other.earned < pearl.earned => Side::Trim,
        Stage::Tray(_) | Stage::Cancelling(_) if purity => Side::Trim,
        _ => Side::Clash,
    }
}

/// The bridged pulse that an order for `place` would be part of: first tick and last.
pub(crate) fn bridged(lane: &Lane, place: u32, pulse: (Tick, Tick), recovery: i64) -> (Tick, Tick) {
    let jet = lane.get(place).jet;
    let same = |other: &Pearl| other.jet == jet && matches!(other.stage, Stage::Ordered | Stage::Fired);
    let (mut on, mut off) = pulse;
    for other in lane
        .ahead(place)
        .map(|other| lane.get(other))
        .filter(|other| same(other))
    {
        if other.off.plus(recovery) < on {
            break;
        }
        on = on.min(other.on);
        off = off.max(other.off);
    }
    for other in lane
        .behind(place)
        .map(|other| lane.get(other))
        .filter(|other| same(other))
    {
        if other.on > off.plus(recovery) {
            break;
        }
        on = on.min(other.on);
        off = off.max(other.off);
    }
    (on, off)
}
