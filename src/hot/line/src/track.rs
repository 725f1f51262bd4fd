//! Stage track: which pearl an event speaks of.
//!
//! Hot thread. Every event is matched by its tick, or by its eye and trigger number, never by order of arrival. Words: a
//! **zone** is a stretch of a lane, in ticks at the entry eye, in which there may be a pearl that the eye has not seen;
//! a pearl whose pulse could touch one is not blown.
//!
//! What was decided:
//! - A gap in an eye's numbers leaves a zone from the pearl before it to the one behind it: the unseen may lie anywhere
//!   between.
//! - A camera that sees more pearls than the lane knows within its view leaves a zone of the view's length, once every
//!   pearl within it must have tripped the eye. A pearl at the view's very edge explains one more in the view.
//! - A mass where no pearl is expected leaves a zone of the station's tolerance on each side.
//! - A trigger behind one that has not cleared, nearer than the longest pearl, is the same interruption told twice.

use units::{Tick, TriggerSeq};

use crate::limits::ZONES;
use crate::pearl::{Awaited, Lane, Stage};

/// What an eye's number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbered {
    /// It is the one that follows, or the first.
    Next,
    /// So many are missing before it.
    Gap(u16),
    /// It is the latest again.
    Again,
    /// It lies behind the latest: the eye has begun anew, and nobody knows how many are missing.
    Anew,
}

/// The numbers of one eye or cell, modulo 2^16.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    last: Option<u16>,
}

impl Numbers {
    /// Takes a number.
    pub(crate) fn follow(&mut self, number: u16) -> Numbered {
        let Some(last) = self.last else {
            self.last = Some(number);
            return Numbered::Next;
        };
        self.last = Some(number);
        match number.wrapping_sub(last) {
            0 => Numbered::Again,
            1 => Numbered::Next,
            ahead if ahead > u16::MAX / 2 => Numbered::Anew,
            ahead => Numbered::Gap(ahead - 1),
        }
    }

    /// The board has begun anew: the next number is the first.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

/// Stretches in which unseen pearls may lie, the farthest along first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zones {
    zones: [(Tick, Tick); ZONES],
    len: usize,
}

impl Zones {
    /// Adds the zone from `from` to `to`. When there is no room the last one grows to hold both.
    pub(crate) fn add(&mut self, from: Tick, to: Tick) {
        let (from, to) = (from.min(to), from.max(to));
        if self.len == ZONES {
            let last = &mut self.zones[ZONES - 1];
            *last = (last.0.min(from), last.1.max(to));
        } else {
            self.zones[self.len] = (from, to);
            self.len += 1;
        }
    }

    /// Whether one lies within `reach` of `centre`.
    pub(crate) fn near(&self, centre: Tick, reach: i64) -> bool {
        let used = &self.zones[..self.len];
        used.iter()
            .any(|(from, to)| centre.plus(reach) > *from && centre.plus(-reach) < *to)
    }

    /// Forgets the zones that lie wholly ahead of `tick`.
    pub(crate) fn forget_before(&mut self, tick: Tick) {
        let mut kept = 0;
        for index in 0..self.len {
            if self.zones[index].1 >= tick {
                self.zones[kept] = self.zones[index];
                kept += 1;
            }
        }
        self.len = kept;
    }
}

/// The pearl of a trigger number.
pub(crate) fn by_number(lane: &Lane, seq: TriggerSeq) -> Option<u32> {
    let newest = lane.newest()?;
    let back = u32::from(lane.get(newest).seq.0.wrapping_sub(seq.0));
    let guess = newest.wrapping_sub(back);
    let is = |place: u32| lane.has(place) && lane.get(place).seq == seq && lane.get(place).stage != Stage::Ended;
    if is(guess) {
        return Some(guess);
    }
    // Numbers were left out in between.
    lane.places().find(|place| is(*place))
}

/// Who was weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weighed {
    /// This pearl.
    One(u32),
    /// One of these two, or both.
    Either(u32, u32),
    /// None that is known.
    Nobody,
}

/// The pearl that was at `ticks` behind the eye when the belt was at `tick`, within `station`.
pub(crate) fn by_tick(lane: &Lane, tick: Tick, ticks: i64, station: i64) -> Weighed {
    let mut found = Weighed::Nobody;
    for place in lane.places() {
        let pearl = lane.get(place);
        if pearl.stage == Stage::Ended || matches!(pearl.stage, Stage::Fired) {
            continue;
        }
        let off_by = tick.since(pearl.at(ticks));
        if off_by < -station {
            break;
        }
        if off_by <= station {
            found = match found {
                Weighed::Nobody => Weighed::One(place),
                Weighed::One(first) | Weighed::Either(first, _) => Weighed::Either(first, place),
            };
        }
    }
    found
}

/// Pearls that the lane knows within `view` of a pearl's centre, itself included.
pub(crate) fn known_in_view(lane: &Lane, place: u32, view: i64) -> usize {
    let centre = lane.get(place).centre;
    let near = |other: &u32| lane.get(*other).centre.since(centre).abs() <= view;
    1 + lane.ahead(place).take_while(near).count() + lane.behind(place).take_while(near).count()
}

/// Pearls before `place` whose view waits for more triggers, the nearest first, as far as `within`.
pub(crate) fn crowded_ahead(lane: &Lane, place: u32, within: i64) -> Option<u32> {
    let centre = lane.get(place).centre;
    lane.ahead(place)
        .take_while(|other| centre.since(lane.get(*other).centre) <= within)
        .find(|other| lane.get(*other).view == Awaited::Crowded)
}

#[cfg(test)]
mod tests {
    use units::{HostUs, PearlId};

    use super::*;
    use crate::pearl::Pearl;

    #[test]
    fn numbers_show_gaps_and_repeats_over_their_end() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.follow(u16::MAX - 1), Numbered::Next);
        assert_eq!(numbers.follow(u16::MAX), Numbered::Next);
        assert_eq!(numbers.follow(2), Numbered::Gap(2));
        assert_eq!(numbers.follow(2), Numbered::Again);
        assert_eq!(numbers.follow(u16::MAX), Numbered::Anew);
        numbers.forget();
        assert_eq!(numbers.follow(77), Numbered::Next);
    }

    #[test]
    fn a_pearl_is_found_by_its_number_although_numbers_were_left_out() {
        let mut lane = Lane::new();
        for (id, seq) in [5, 6, 9, 10].into_iter().enumerate() {
            lane.push(Pearl::new(PearlId(id as u64), TriggerSeq(seq), HostUs(0), Tick(0), 1));
        }
        for seq in [5, 6, 9, 10] {
            let place = by_number(&lane, TriggerSeq(seq)).unwrap();
            assert_eq!(lane.get(place).seq, TriggerSeq(seq));
        }
        assert_eq!(by_number(&lane, TriggerSeq(7)), None);
    }

    #[test]
    fn zones_grow_when_there_is_no_room_and_go_when_they_are_past() {
        let mut zones = Zones::default();
        for count in 0..=ZONES as i64 {
            zones.add(Tick(count * 100), Tick(count * 100 + 10));
        }
        assert!(zones.near(Tick(ZONES as i64 * 100), 1));
        assert!(!zones.near(Tick(50), 10));
        zones.forget_before(Tick(1_000));
        assert!(!zones.near(Tick(5), 10));
        assert!(zones.near(Tick(ZONES as i64 * 100), 1));
    }
}
