//! The alarms of a line: conditions in, states and history out.
//!
//! Cold, any thread; the clock is what the caller hands in. Words: a **condition** is what [`Alarms::set`] is told; it
//! becomes an alarm when it has lasted for the kind's on-delay, and the alarm **returns** when it has been gone for the
//! off-delay. A **strike** is a condition that is an event: it lasts for [`EVENT_US`] after the last one. The alarm that
//! stopped the line is **first-out**.
//!
//! What was decided: nothing is lost. An alarm that is put aside goes on following its condition, and says so when it is
//! taken from the shelf; one that has returned stays until it is acknowledged; what finds no room is counted and told by
//! an alarm that always finds it.

use std::collections::{BTreeMap, VecDeque};

use units::HostUs;

use super::{AlarmId, AlarmState, Kind, Place, Priority};
use crate::limits::{ALARMS, EVENT_US, FLOOD_OFF, FLOOD_ON, FLOOD_US, HISTORY, NAME_BYTES, SHELF_US};
use crate::refusal::Refusal;
use crate::words;

/// A figure that raised an alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// The figure.
    pub value: f64,
    /// Its unit, by its name in the catalogue of words.
    pub unit: &'static str,
}

impl Value {
    /// A count without a unit.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown, not counted on")]
    pub const fn count(value: u64) -> Self {
        Self {
            value: value as f64,
            unit: "times",
        }
    }
}

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It came.
    Raised,
    /// It came again while nobody had acknowledged its return.
    RaisedAgain,
    /// Its condition is gone.
    Returned,
    /// Somebody acknowledged.
    Acknowledged,
    /// Somebody put it aside for a time.
    Shelved,
    /// The time on the shelf is over, or somebody took it down.
    Unshelved,
    /// Another alarm says it.
    Suppressed,
    /// The other alarm is gone.
    Unsuppressed,
    /// Taken out of service.
    OutOfService,
    /// Back in service.
    InService,
}

/// An entry of the history. Numbers have no gap: one that is missing was dropped for lack of room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// When.
    pub at: HostUs,
    /// The alarm.
    pub id: AlarmId,
    /// What happened.
    pub change: Change,
    /// The state since then.
    pub state: AlarmState,
    /// Who did it; `None` where the machine did.
    pub by: Option<Box<str>>,
}

/// An alarm that is not normal.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// What and where.
    pub id: AlarmId,
    /// Whether its condition is there, delays taken off.
    pub is_active: bool,
    /// Whether somebody still has to acknowledge.
    pub wants_acknowledgement: bool,
    /// When it came last.
    pub raised: HostUs,
    /// When its condition went; `None` while it is there.
    pub returned: Option<HostUs>,
    /// How often it came since it was normal.
    pub times: u32,
    /// The latest figure.
    pub value: Option<Value>,
    /// Who acknowledged.
    pub acknowledged_by: Option<Box<str>>,
    /// Until when it is on the shelf.
    pub shelved_until: Option<HostUs>,
    /// Why it was put there.
    pub shelved_for: Box<str>,
    /// Whether another alarm says it.
    pub is_suppressed: bool,
    /// Whether it is out of service.
    pub is_out_of_service: bool,
    /// Whether it was the first that stopped the line.
    pub is_first_out: bool,
    /// The condition as last told, and since when.
    condition: (bool, HostUs),
    /// End of the latest strike.
    strike_until: Option<HostUs>,
}

impl Alarm {
    fn new(id: AlarmId, at: HostUs) -> Self {
        Self {
            id,
            is_active: false,
            wants_acknowledgement: false,
            raised: at,
            returned: None,
            times: 0,
            value: None,
            acknowledged_by: None,
            shelved_until: None,
            shelved_for: Box::default(),
            is_suppressed: false,
            is_out_of_service: false,
            is_first_out: false,
            condition: (false, at),
            strike_until: None,
        }
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> AlarmState {
        if self.is_out_of_service {
            AlarmState::OutOfService
        } else if self.shelved_until.is_some() {
            AlarmState::Shelved
        } else if self.is_suppressed && self.is_active {
            AlarmState::Suppressed
        } else {
            match (self.is_active, self.wants_acknowledgement) {
                (true, true) => AlarmState::Unacknowledged,
                (true, false) => AlarmState::Acknowledged,
                (false, true) => AlarmState::ReturnedUnacknowledged,
                (false, false) => AlarmState::Normal,
            }
        }
    }

    /// Its priority.
    #[must_use]
    pub fn priority(&self) -> Priority {
        words::alarm(self.id.kind).priority
    }

    /// Whether an operator sees it in the list.
    const fn is_annunciated(&self) -> bool {
        !self.is_out_of_service && self.shelved_until.is_none() && !self.is_suppressed
    }

    /// Whether nothing would be lost without it.
    fn is_idle(&self) -> bool {
        self.state() == AlarmState::Normal && !self.condition.0 && self.strike_until.is_none()
    }

    /// Takes what its condition has become. Gives what happened.
    fn follow(&mut self, at: HostUs) -> Option<Change> {
        if self.strike_until.is_some_and(|until| until <= at) {
            self.strike_until = None;
            self.condition = (false, at);
        }
        let (told, since) = self.condition;
        if told == self.is_active {
            return None;
        }
        let of = words::alarm(self.id.kind);
        let delay = if told { of.on_delay_us } else { of.off_delay_us };
        let delay = if self.strike_until.is_some() { 0 } else { delay };
        if at.since(since) < delay {
            return None;
        }
        self.is_active = told;
        if !told {
            self.returned = Some(at);
            return Some(Change::Returned);
        }
        let again = self.wants_acknowledgement;
        (self.raised, self.returned) = (at, None);
        self.times = self.times.saturating_add(1);
        self.wants_acknowledgement = true;
        self.acknowledged_by = None;
        Some(if again { Change::RaisedAgain } else { Change::Raised })
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Alarms {
    alarms: BTreeMap<AlarmId, Alarm>,
    history: VecDeque<Entry>,
    next_number: u64,
    /// When alarms were annunciated, within the latest [`FLOOD_US`].
    annunciated: VecDeque<HostUs>,
    flood: bool,
    overflow: u64,
}

impl Default for Alarms {
    fn default() -> Self {
        Self::new()
    }
}

impl Alarms {
    /// No alarm.
    #[must_use]
    pub fn new() -> Self {
        Self {
            alarms: BTreeMap::new(),
            history: VecDeque::new(),
            next_number: 1,
            annunciated: VecDeque::new(),
            flood: false,
            overflow: 0,
        }
    }

    /// Every alarm that is not normal, the gravest first, of these the latest.
    #[must_use]
    pub fn list(&self) -> Vec<&Alarm> {
        let shown = |alarm: &&Alarm| alarm.state() != AlarmState::Normal;
        let mut list: Vec<&Alarm> = self.alarms.values().filter(shown).collect();
        list.sort_by_key(|alarm| {
            (
                core::cmp::Reverse(alarm.priority()),
                core::cmp::Reverse(alarm.raised),
                alarm.id,
            )
        });
        list
    }

    /// One alarm; `None` when it is normal.
    #[must_use]
    pub fn get(&self, id: AlarmId) -> Option<&Alarm> {
        self.alarms.get(&id).filter(|alarm| alarm.state() != AlarmState::Normal)
    }

    /// Entries of the history with a greater number than `after`, oldest first.
    pub fn history(&self, after: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        let from = self.history.partition_point(|entry| entry.number <= after);
        self.history.range(from..)
    }

    /// Number of the latest change: it rises with every one.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.next_number - 1
    }

    /// Whether more alarms come than a person can read.
    #[must_use]
    pub const fn is_flood(&self) -> bool {
        self.flood
    }

    /// Conditions that found no room.
    #[must_use]
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Says whether an alarm's condition is there, with the figure that shows it.
    pub fn set(&mut self, at: HostUs, id: AlarmId, condition: bool, value: Option<Value>) {
        let Some(alarm) = self.room(at, id, condition) else {
            return;
        };
        if condition {
            alarm.value = value.or(alarm.value);
        }
        alarm.strike_until = None;
        if alarm.condition.0 != condition {
            alarm.condition = (condition, at);
        }
        self.settle(at, id);
    }

    /// A condition with a dead-band: `Some(true)` comes, `Some(false)` goes, `None` lies between and changes nothing.
    pub fn set_banded(&mut self, at: HostUs, id: AlarmId, condition: Option<bool>, value: Option<Value>) {
        let stands = self.alarms.get(&id).is_some_and(|alarm| alarm.condition.0);
        self.set(at, id, condition.unwrap_or(stands), value);
    }

    /// Something has happened: the condition lasts for [`EVENT_US`] from now.
    pub fn strike(&mut self, at: HostUs, id: AlarmId, value: Option<Value>) {
        let Some(alarm) = self.room(at, id, true) else { return };
        alarm.value = value.or(alarm.value);
        alarm.strike_until = Some(at.plus(EVENT_US));
        if !alarm.condition.0 {
            alarm.condition = (true, at);
        }
        self.settle(at, id);
    }

    /// The alarm is the one that stopped the line.
    pub fn first_out(&mut self, id: AlarmId) {
        for alarm in self.alarms.values_mut() {
            alarm.is_first_out = alarm.id == id;
        }
    }

    /// The line runs again: no alarm has stopped it.
    pub fn clear_first_out(&mut self) {
        for alarm in self.alarms.values_mut() {
            alarm.is_first_out = false;
        }
    }

    /// Lets time pass: delays, strikes, shelves and the flood.
    pub fn pass(&mut self, at: HostUs) {
        let ids: Vec<AlarmId> = self.alarms.keys().copied().collect();
        for id in ids {
            let over = |alarm: &Alarm| alarm.shelved_until.is_some_and(|until| until <= at);
            if self.alarms.get(&id).is_some_and(over) {
                self.take_down(at, id, None);
            }
            self.settle(at, id);
        }
        self.measure_flood(at);
    }

    /// Puts alarms aside that another one says, and takes them back when it is gone.
    pub fn suppress(&mut self, at: HostUs, says_it: impl Fn(AlarmId) -> bool) {
        let ids: Vec<AlarmId> = self.alarms.keys().copied().collect();
        for id in ids {
            let suppressed = says_it(id);
            let Some(alarm) = self.alarms.get_mut(&id) else {
                continue;
            };
            if alarm.is_suppressed != suppressed {
                alarm.is_suppressed = suppressed;
                if alarm.is_active {
                    let change = if suppressed {
                        Change::Suppressed
                    } else {
                        Change::Unsuppressed
                    };
                    self.enter(at, id, change, None);
                }
            }
        }
    }

    /// Somebody has seen the alarm.
    ///
    /// # Errors
    /// When there is none, or somebody was there first.
    pub fn acknowledge(&mut self, at: HostUs, id: AlarmId, by: &str) -> Result<(), Refusal> {
        let alarm = self.known(id)?;
        if !alarm.wants_acknowledgement {
            return Err(Refusal::Acknowledged {
                id,
                by: alarm.acknowledged_by.clone().unwrap_or_default(),
            });
        }
        alarm.wants_acknowledgement = false;
        alarm.acknowledged_by = Some(kept(by));
        self.enter(at, id, Change::Acknowledged, Some(by));
        self.forget(id);
        Ok(())
    }

    /// Puts an alarm on the shelf for a time.
    ///
    /// # Errors
    /// When there is none, it is too grave for that, or the time too long or nothing.
    pub fn shelve(&mut self, at: HostUs, id: AlarmId, for_us: i64, reason: &str, by: &str) -> Result<(), Refusal> {
        let alarm = self.known(id)?;
        if alarm.priority() == Priority::Critical {
            return Err(Refusal::TooGrave { id });
        }
        if !(1..=SHELF_US).contains(&for_us) {
            return Err(Refusal::ShelfTime);
        }
        alarm.shelved_until = Some(at.plus(for_us));
        alarm.shelved_for = kept(reason);
        self.enter(at, id, Change::Shelved, Some(by));
        Ok(())
    }

    /// Takes an alarm from the shelf.
    ///
    /// # Errors
    /// When it is not there.
    pub fn unshelve(&mut self, at: HostUs, id: AlarmId, by: &str) -> Result<(), Refusal> {
        if self.known(id)?.shelved_until.is_none() {
            return Err(Refusal::NotShelved { id });
        }
        self.take_down(at, id, Some(by));
        self.forget(id);
        Ok(())
    }

    /// Takes an alarm out of service, or puts it back.
    ///
    /// # Errors
    /// When it is too grave for that, or there is no room.
    pub fn set_out_of_service(&mut self, at: HostUs, id: AlarmId, out: bool, by: &str) -> Result<(), Refusal> {
        if words::alarm(id.kind).priority == Priority::Critical {
            return Err(Refusal::TooGrave { id });
        }
        let Some(alarm) = self.room(at, id, out) else {
            return Err(Refusal::UnknownAlarm);
        };
        if alarm.is_out_of_service != out {
            alarm.is_out_of_service = out;
            let change = if out { Change::OutOfService } else { Change::InService };
            self.enter(at, id, change, Some(by));
            self.forget(id);
        }
        Ok(())
    }

    fn known(&mut self, id: AlarmId) -> Result<&mut Alarm, Refusal> {
        let alarm = self.alarms.get_mut(&id);
        alarm
            .filter(|alarm| alarm.state() != AlarmState::Normal)
            .ok_or(Refusal::UnknownAlarm)
    }

    /// The alarm, made if something is to be said of it and there is room.
    fn room(&mut self, at: HostUs, id: AlarmId, needed: bool) -> Option<&mut Alarm> {
        if !self.alarms.contains_key(&id) {
            if !needed {
                return None;
            }
            let full = AlarmId::line(Kind::AlarmsFull);
            if self.alarms.len() >= ALARMS && id != full {
                self.overflow += 1;
                self.strike(at, full, Some(Value::count(self.overflow)));
                return None;
            }
            self.alarms.insert(id, Alarm::new(id, at));
        }
        self.alarms.get_mut(&id)
    }

    /// Notes what an alarm's condition has made of it.
    fn settle(&mut self, at: HostUs, id: AlarmId) {
        let Some(alarm) = self.alarms.get_mut(&id) else { return };
        let change = alarm.follow(at);
        let annunciated = alarm.is_annunciated();
        if let Some(change) = change {
            self.enter(at, id, change, None);
            if annunciated && matches!(change, Change::Raised | Change::RaisedAgain) {
                self.annunciated.push_back(at);
            }
        }
        self.forget(id);
    }

    fn take_down(&mut self, at: HostUs, id: AlarmId, by: Option<&str>) {
        if let Some(alarm) = self.alarms.get_mut(&id) {
            alarm.shelved_until = None;
            if alarm.is_active {
                alarm.wants_acknowledgement = true;
                alarm.acknowledged_by = None;
            }
            self.enter(at, id, Change::Unshelved, by);
        }
    }

    /// An alarm of which nothing is left to say.
    fn forget(&mut self, id: AlarmId) {
        if self.alarms.get(&id).is_some_and(Alarm::is_idle) {
            self.alarms.remove(&id);
        }
    }

    fn enter(&mut self, at: HostUs, id: AlarmId, change: Change, by: Option<&str>) {
        let state = self.alarms.get(&id).map_or(AlarmState::Normal, Alarm::state);
        if self.history.len() >= HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Entry {
            number: self.next_number,
            at,
            id,
            change,
            state,
            by: by.map(kept),
        });
        self.next_number += 1;
    }

    fn measure_flood(&mut self, at: HostUs) {
        while self.annunciated.front().is_some_and(|then| at.since(*then) > FLOOD_US) {
            self.annunciated.pop_front();
        }
        let count = self.annunciated.len();
        self.flood = count > FLOOD_ON || self.flood && count >= FLOOD_OFF;
        // The flood itself needs no more of them than this.
        while self.annunciated.len() > 4 * FLOOD_ON {
            self.annunciated.pop_front();
        }
    }
}

/// As much of a name as is kept.
fn kept(name: &str) -> Box<str> {
    let end = (0..=NAME_BYTES.min(name.len()))
        .rev()
        .find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or(0)].into()
}

/// Whether an alarm at `id` says what the alarms of a place would say too: a board that is gone.
#[must_use]
pub(crate) fn is_of_board(id: AlarmId, board: units::BoardId) -> bool {
    let here = match id.place {
        Place::Board(of) | Place::Valve(of, _) | Place::Channel(of, _) => of == board,
        Place::Line | Place::Lane(_) | Place::Bin(_) => false,
    };
    here && !matches!(
        id.kind,
        Kind::BoardDown | Kind::BoardRefused | Kind::Watchdog | Kind::ValveOpen | Kind::SafetyOpen | Kind::GuardOpen
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::{BoardId, LaneId};

    const S: i64 = 1_000_000;

    fn at(seconds: i64) -> HostUs {
        HostUs(seconds * S)
    }

    fn changes(alarms: &Alarms) -> Vec<Change> {
        alarms.history(0).map(|entry| entry.change).collect()
    }

    #[test]
    fn an_alarm_comes_is_acknowledged_and_goes() {
        let (mut alarms, id) = (Alarms::new(), AlarmId::line(Kind::SafetyOpen));
        alarms.set(at(0), id, true, None);
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::Unacknowledged);
        alarms.acknowledge(at(1), id, "Li").unwrap();
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::Acknowledged);
        assert_eq!(
            alarms.acknowledge(at(1), id, "Wang"),
            Err(Refusal::Acknowledged { id, by: "Li".into() })
        );
        alarms.set(at(2), id, false, None);
        alarms.pass(at(60));
        assert_eq!(alarms.get(id), None);
        assert_eq!(
            changes(&alarms),
            [Change::Raised, Change::Acknowledged, Change::Returned]
        );
    }

    #[test]
    fn a_return_waits_for_its_acknowledgement_and_may_come_again() {
        let (mut alarms, id) = (Alarms::new(), AlarmId::line(Kind::SafetyOpen));
        alarms.set(at(0), id, true, None);
        alarms.set(at(1), id, false, None);
        alarms.pass(at(60));
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::ReturnedUnacknowledged);
        alarms.set(at(61), id, true, None);
        assert_eq!(alarms.get(id).unwrap().times, 2);
        alarms.set(at(62), id, false, None);
        alarms.pass(at(120));
        alarms.acknowledge(at(121), id, "Li").unwrap();
        assert_eq!(alarms.get(id), None);
    }

    #[test]
    fn delays_and_dead_bands_hold_back_what_flickers() {
        let (mut alarms, id) = (Alarms::new(), AlarmId::new(Kind::RepeatRate, Place::Board(BoardId(0))));
        let on = words::alarm(id.kind).on_delay_us;
        assert!(on > 0, "a rate is watched for a while");
        for n in 0..10 {
            alarms.set(HostUs(n * on / 2), id, n % 2 == 0, None);
            alarms.pass(HostUs(n * on / 2));
        }
        assert_eq!(alarms.version(), 0);
        let t0 = HostUs(100 * on);
        alarms.set_banded(t0, id, Some(true), None);
        alarms.set_banded(t0.plus(on / 2), id, None, None);
        alarms.pass(t0.plus(on));
        assert_eq!(changes(&alarms), [Change::Raised]);
        alarms.set_banded(t0.plus(2 * on), id, None, None);
        alarms.pass(t0.plus(100 * on));
        assert_eq!(changes(&alarms), [Change::Raised]);
    }

    #[test]
    fn a_strike_lasts_for_its_time() {
        let (mut alarms, id) = (Alarms::new(), AlarmId::new(Kind::Gaps, Place::Lane(LaneId(1))));
        alarms.strike(at(0), id, Some(Value::count(2)));
        alarms.strike(at(5), id, Some(Value::count(3)));
        alarms.pass(at(14));
        assert!(alarms.get(id).unwrap().is_active);
        alarms.pass(HostUs(5 * S + EVENT_US + 60 * S));
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::ReturnedUnacknowledged);
        assert_eq!(alarms.get(id).unwrap().times, 1);
    }

    #[test]
    fn the_shelf_ends_by_itself_and_the_gravest_stay_off_it() {
        let (mut alarms, id) = (Alarms::new(), AlarmId::line(Kind::StoreFailed));
        alarms.set(at(0), id, true, None);
        alarms.pass(at(60));
        alarms.shelve(at(60), id, 600 * S, "disk ordered", "Li").unwrap();
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::Shelved);
        alarms.pass(at(659));
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::Shelved);
        alarms.pass(at(660));
        assert_eq!(alarms.get(id).unwrap().state(), AlarmState::Unacknowledged);
        let safety = AlarmId::line(Kind::SafetyOpen);
        alarms.set(at(661), safety, true, None);
        assert_eq!(
            alarms.shelve(at(661), safety, S, "", "Li"),
            Err(Refusal::TooGrave { id: safety })
        );
        assert_eq!(
            alarms.shelve(at(661), id, SHELF_US + 1, "", "Li"),
            Err(Refusal::ShelfTime)
        );
    }

    #[test]
    fn eleven_alarms_in_ten_minutes_are_a_flood_until_fewer_than_five_are_left() {
        let mut alarms = Alarms::new();
        for lane in 0..11 {
            alarms.strike(
                at(i64::from(lane) * 50),
                AlarmId::new(Kind::Gaps, Place::Lane(LaneId(lane))),
                None,
            );
            alarms.pass(at(i64::from(lane) * 50));
            assert_eq!(alarms.is_flood(), lane == 10);
        }
        alarms.pass(at(600 + 250));
        assert!(alarms.is_flood());
        alarms.pass(at(600 + 351));
        assert!(!alarms.is_flood());
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told() {
        let mut alarms = Alarms::new();
        let mut n = 0;
        for board in 0..=255 {
            for channel in 0..20 {
                n += 1;
                alarms.set(
                    at(0),
                    AlarmId::new(Kind::SafetyOpen, Place::Channel(BoardId(board), channel)),
                    true,
                    None,
                );
            }
        }
        assert_eq!(alarms.overflow(), n - ALARMS as u64);
        assert!(alarms.get(AlarmId::line(Kind::AlarmsFull)).is_some());
    }
}
