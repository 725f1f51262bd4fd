//! The checkers: they know the truth, and did not write the code that they check.
//!
//! Cold. They hear from the world what truly happened ([`crate::truth`]) and from the core what it told the outside
//! (records, notices), and hold the two together. Grading is repeated here from the figures as the stations sent them.
//!
//! Words: a **case** is an interruption of an entry eye with everything that is said of it.

use std::collections::VecDeque;

use line::grade::Rule;
use line::{Destination, HoldCause, Landing, LanePlan, Notice, Record, WeighSource};
use units::{BinId, HostUs, LaneId, Tick32, TriggerSeq};
use wire::{Mass, MassStatus, ViewStatus};

use crate::demo::Machine;
use crate::pearl::Figures;
use crate::summary::{Summary, Weighing, lower_bound};
use crate::truth::{Happened, Interruption, Place, Story, Switched};

/// A case with its record is kept for this time, so that a second record is found out.
const KEPT_US: u64 = 20_000_000;
/// A quarantine has to come within this time after the landing that it is for.
const QUARANTINE_WITHIN_US: u64 = 15_000_000;
/// A board looks at its valves' times at least this often.
const VALVE_SLACK_US: u64 = 2_500;

/// What a record says, as far as it is judged.
#[derive(Clone, Copy, Debug)]
struct Said {
    sent: Destination,
    landing: Landing,
    at_us: u64,
    record: Record,
}

#[derive(Clone, Debug)]
struct Case {
    ordinal: u64,
    seq: TriggerSeq,
    at_us: u64,
    /// Whether the core was told of it.
    told: bool,
    spurious: bool,
    said: Option<Said>,
    /// So many of its pearls were truly lost.
    lost: u32,
    /// Its pearls' ends.
    ends: u32,
}

#[derive(Clone, Debug, Default)]
struct LaneCases {
    /// In the order of their ordinals, without gaps.
    cases: VecDeque<Case>,
    /// So many of the first cases have their record, or need none.
    closed: usize,
    /// Stories that wait for their record.
    waiting: Vec<Story>,
}

#[derive(Clone, Copy, Debug)]
struct Quarantine {
    bin: BinId,
    since_us: u64,
    noticed_us: u64,
    released_us: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct OpenValve {
    board: u8,
    valve: u8,
    since_us: u64,
    reported: bool,
}

impl LaneCases {
    fn of(&mut self, ordinal: u64) -> Option<&mut Case> {
        let index = ordinal.checked_sub(self.cases.front()?.ordinal)?;
        self.cases.get_mut(usize::try_from(index).ok()?)
    }

    /// The first case that a record of this trigger can be for.
    fn waiting_for(&mut self, seq: TriggerSeq) -> Option<&mut Case> {
        while self.cases.get(self.closed).is_some_and(|case| case.said.is_some()) {
            self.closed += 1;
        }
        let mut open = self.cases.range_mut(self.closed..);
        open.find(|case| case.seq == seq && case.said.is_none() && case.told)
    }

    fn pop(&mut self) -> Option<Case> {
        self.closed = self.closed.saturating_sub(1);
        self.cases.pop_front()
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Judge {
    rules: Vec<Rule>,
    max_on_us: u64,
    watchdog_us: u64,
    least_pitch_um: u32,
    lanes: Vec<LaneCases>,
    open: Vec<OpenValve>,
    fed_us: Vec<u64>,
    quarantines: Vec<Quarantine>,
    /// Landings in a bin that was not earned: where and when.
    unearned: Vec<(BinId, u64)>,
    holds: Vec<(u64, HoldCause)>,
    first_complaints: Vec<String>,
    first_notes: Vec<String>,
    single_binned: u64,
    /// Host time at the run's time 0, us.
    zero_us: i64,
    /// Whether a lane's cell streams: the host weighs, and its mass is held against the truth.
    streams: Vec<bool>,
    weighings: Weighings,
    /// Nobody tells which triggers came to the core: all did.
    all_told: bool,
    /// No records come.
    blind: bool,
    summary: Summary,
}

impl Judge {
    /// A judge of a line and its recipe. `um_s` is the speed at which the jets' least pitch is counted.
    #[must_use]
    pub fn new(machine: &Machine, um_s: f64) -> Self {
        let tolerances = &machine.plan.tolerances;
        let recovery_um = f64::from(tolerances.valve_recovery_us) * um_s * 1e-6;
        // An 8 mm pearl, the air, the margins on both sides, and the valve's recovery.
        let pitch_um = 8_000.0 + f64::from(tolerances.jet_width_um + 2 * tolerances.margin_um) + recovery_um;
        let is_watchdog = |s: &&wire::Setting| s.key == wire::SettingKey::WatchdogUs;
        let watchdog = machine
            .settings
            .iter()
            .flatten()
            .find(is_watchdog)
            .map_or(100_000, |s| s.value);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        Self {
            rules: machine.rules.clone(),
            max_on_us: u64::from(tolerances.max_on_us.unsigned_abs()),
            watchdog_us: u64::from(watchdog),
            least_pitch_um: pitch_um as u32,
            lanes: vec![LaneCases::default(); machine.plan.lanes.len()],
            streams: machine.plan.lanes.iter().map(streams).collect(),
            weighings: Weighings::default(),
            open: Vec::new(),
            fed_us: vec![0; machine.plan.boards.len()],
            quarantines: Vec::new(),
            unearned: Vec::new(),
            holds: Vec::new(),
            first_complaints: Vec::new(),
            first_notes: Vec::new(),
            single_binned: 0,
            zero_us: 0,
            all_told: false,
            blind: false,
            summary: Summary {
                lanes: u8::try_from(machine.plan.lanes.len()).unwrap_or(u8::MAX),
                ..Summary::default()
            },
        }
    }

    /// A judge of a run in real time that began at this host time, with links that lose nothing: every trigger comes to the
    /// core.
    #[must_use]
    pub fn in_real_time(self, zero: HostUs) -> Self {
        Self {
            all_told: true,
            ..self.since(zero)
        }
    }

    /// A judge of a run that began at this host time; which triggers come to the core is told, as in virtual time.
    #[must_use]
    pub fn since(mut self, zero: HostUs) -> Self {
        self.zero_us = zero.0;
        self
    }

    /// The judge of a line whose program keeps its records to itself: whether a pearl has earned its bin is then judged by
    /// its figures alone.
    #[must_use]
    pub fn without_records(mut self) -> Self {
        self.blind = true;
        self
    }

    /// Takes what has happened until `now_us`, and looks at what must hold at any time.
    pub fn hear(&mut self, happened: &Happened, now_us: u64) {
        for interruption in &happened.interruptions {
            self.interrupted(interruption);
        }
        for story in &happened.stories {
            self.ended(story);
        }
        self.valves(happened, now_us);
    }

    /// The figures so far that need no end.
    #[must_use]
    pub fn so_far(&self) -> &Summary {
        &self.summary
    }

    /// An entry eye was interrupted.
    pub fn interrupted(&mut self, interruption: &Interruption) {
        let Interruption {
            lane,
            ordinal,
            seq,
            at_us,
            spurious,
        } = *interruption;
        let case = Case {
            ordinal,
            seq,
            at_us,
            told: self.all_told,
            spurious,
            said: None,
            lost: 0,
            ends: 0,
        };
        self.lanes[lane.index()].cases.push_back(case);
        self.close_old(lane, at_us);
    }

    /// The core was told of an interruption.
    pub fn told(&mut self, lane: LaneId, seq: TriggerSeq) {
        let cases = &mut self.lanes[lane.index()].cases;
        match cases.iter_mut().rev().find(|case| case.seq == seq && !case.told) {
            Some(case) => case.told = true,
            None => self.complain(format!(
                "lane {}: the core was told of a trigger {} that never was",
                lane.0, seq.0
            )),
        }
    }

    /// Follows valves and feeds in the order of their times.
    fn valves(&mut self, happened: &Happened, now_us: u64) {
        let mut feeds = happened.fed.iter().peekable();
        for switched in &happened.switched {
            while let Some((board, at_us)) = feeds.next_if(|(_, at_us)| *at_us <= switched.at_us) {
                self.fed_us[usize::from(*board)] = *at_us;
            }
            self.switched(switched);
        }
        for (board, at_us) in feeds {
            self.fed_us[usize::from(*board)] = *at_us;
        }
        let mut open = core::mem::take(&mut self.open);
        for at in &mut open {
            self.check_valve(at, now_us);
        }
        self.open = open;
    }

    fn switched(&mut self, switched: &Switched) {
        let Switched {
            board,
            valve,
            open,
            at_us,
        } = *switched;
        let at = self.open.iter().position(|at| at.board == board && at.valve == valve);
        match at {
            Some(index) if !open => {
                let mut was = self.open.swap_remove(index);
                self.check_valve(&mut was, at_us);
            }
            None if open => self.open.push(OpenValve {
                board,
                valve,
                since_us: at_us,
                reported: false,
            }),
            _ => {}
        }
    }

    fn check_valve(&mut self, at: &mut OpenValve, now_us: u64) {
        let open_us = now_us - at.since_us;
        let fed_us = self.fed_us[usize::from(at.board)];
        let overlong = open_us > self.max_on_us + VALVE_SLACK_US;
        let unfed = now_us > fed_us + self.watchdog_us + VALVE_SLACK_US;
        if (overlong || unfed) && !core::mem::replace(&mut at.reported, true) {
            self.summary.valve_overlong += u64::from(overlong);
            self.summary.valve_unfed += u64::from(unfed);
            let (board, valve) = (at.board, at.valve);
            self.complain(format!(
                "board {board} valve {valve}: open for {open_us} us at {now_us}, fed at {fed_us}"
            ));
        }
    }

    /// A record has come.
    pub fn record(&mut self, record: &Record, at_us: u64) {
        self.summary.lost_recorded += u64::from(record.landing == Landing::Lost);
        let lane = record.lane;
        let Some(of_lane) = self.lanes.get_mut(lane.index()) else {
            self.unaccounted(format!("a record of lane {} that is not there", lane.0));
            return;
        };
        let Some(case) = of_lane.waiting_for(record.seq) else {
            let seq = record.seq.0;
            self.unaccounted(format!(
                "lane {}: a record of trigger {seq} at {at_us} us too many",
                lane.0
            ));
            return;
        };
        let said = Said {
            sent: record.sent,
            landing: record.landing,
            at_us,
            record: *record,
        };
        case.said = Some(said);
        let ordinal = case.ordinal;
        let is_of = |story: &Story| story.interruption == Some(ordinal);
        while let Some(index) = self.lanes[lane.index()].waiting.iter().position(is_of) {
            let story = self.lanes[lane.index()].waiting.swap_remove(index);
            self.close(&story, Some(said));
        }
    }

    /// A pearl has come to its end.
    pub fn ended(&mut self, story: &Story) {
        self.summary.pearls_in += 1;
        let of_lane = &mut self.lanes[story.lane.index()];
        let case = story.interruption.and_then(|ordinal| of_lane.of(ordinal));
        match case {
            Some(case) => {
                case.ends += 1;
                case.lost += u32::from(story.place == Place::Lost);
                match (case.said, case.told) {
                    (Some(said), _) => self.close(story, Some(said)),
                    (None, true) => of_lane.waiting.push(*story),
                    (None, false) => self.close(story, None),
                }
            }
            None => self.close(story, None),
        }
    }

    /// News of the core.
    pub fn notice(&mut self, notice: &Notice, at_us: u64) {
        match *notice {
            Notice::Held(cause) => {
                self.summary.holds += 1;
                self.holds.push((at_us, cause));
            }
            Notice::Quarantined { bin, since, .. } => {
                self.summary.quarantines += 1;
                let since_us = since.0.saturating_sub(self.zero_us).max(0).unsigned_abs();
                self.quarantines.push(Quarantine {
                    bin,
                    since_us,
                    noticed_us: at_us,
                    released_us: None,
                });
            }
            Notice::Released(bin) => {
                for quarantine in self
                    .quarantines
                    .iter_mut()
                    .filter(|q| q.bin == bin && q.released_us.is_none())
                {
                    quarantine.released_us = Some(at_us);
                }
            }
            _ => {}
        }
    }

    /// Holds with their times, us of the run.
    #[must_use]
    pub fn holds(&self) -> &[(u64, HoldCause)] {
        &self.holds
    }

    /// Interruptions that the core was told of and that have no record yet.
    #[must_use]
    pub fn open_cases(&self) -> usize {
        let open = |case: &&Case| case.told && case.said.is_none() && !case.spurious;
        self.lanes
            .iter()
            .map(|lane| lane.cases.iter().filter(open).count())
            .sum()
    }

    /// Closes everything. Gives the figures that the judge knows, and the first breaches and then the first things worth
    /// knowing, in words.
    #[must_use]
    pub fn finish(mut self) -> (Summary, Vec<String>) {
        for lane in 0..self.lanes.len() {
            let of_lane = core::mem::take(&mut self.lanes[lane]);
            for case in &of_lane.cases {
                self.close_case(lane, case);
            }
            for story in &of_lane.waiting {
                self.close(story, None);
            }
        }
        let covered = |&(bin, at_us): &(BinId, u64)| {
            self.quarantines.iter().any(|q| {
                q.bin == bin
                    && q.since_us <= at_us
                    && q.noticed_us <= at_us + QUARANTINE_WITHIN_US
                    && q.released_us.is_none_or(|released_us| released_us >= at_us)
            })
        };
        let uncovered: Vec<(BinId, u64)> = self.unearned.iter().copied().filter(|at| !covered(at)).collect();
        for (bin, at_us) in &uncovered {
            self.complain(format!(
                "bin {}: a pearl that had not earned it came at {at_us} us, no quarantine",
                bin.0
            ));
        }
        let mut summary = self.summary;
        summary.weighing = self.weighings.score();
        summary.upgraded_unquarantined = uncovered.len() as u64;
        summary.right_bound = lower_bound(summary.sent - summary.right, summary.sent);
        summary.single_right_bound = lower_bound(summary.single_sent - summary.single_right, summary.single_sent);
        summary.binned_single_share = self.single_binned as f64 / summary.single.max(1) as f64;
        self.first_complaints.append(&mut self.first_notes);
        (summary, self.first_complaints)
    }

    /// A pearl's end against what was said of it.
    fn close(&mut self, story: &Story, said: Option<Said>) {
        let single = story.alone_um > self.least_pitch_um && said.is_some();
        self.summary.single += u64::from(single);
        let Some(said) = said else {
            self.summary.unseen += 1;
            match story.place {
                Place::Bin(bin) => self.came_into_bin(story, bin, None),
                Place::Tray => *self.summary.recirculated.entry("unseen").or_default() += 1,
                Place::Lost => self.summary.lost += 1,
            }
            return;
        };
        let story = &self.weighed(story, &said.record);
        self.check_figures(story, &said);
        let right = match (said.sent, story.place) {
            (_, Place::Lost) => {
                self.summary.lost += 1;
                return;
            }
            (Destination::Bin(sent), Place::Bin(bin)) => sent == bin,
            (Destination::Tray(_), Place::Tray) => true,
            _ => false,
        };
        self.summary.sent += 1;
        self.summary.right += u64::from(right);
        self.summary.single_sent += u64::from(single);
        self.summary.single_right += u64::from(single && right);
        if !right {
            self.summary.misrouted += 1;
            let (lane, seq) = (story.lane.0, said.record.seq.0);
            let (sent, place, at_us) = (said.sent, story.place, story.ended_us);
            self.note(format!(
                "lane {lane} trigger {seq}: sent to {sent:?}, came to {place:?} at {at_us} us"
            ));
        }
        match story.place {
            Place::Bin(bin) => {
                self.summary.misrouted_into_bins += u64::from(!right);
                self.single_binned += u64::from(single);
                self.came_into_bin(story, bin, Some(said));
            }
            Place::Tray => {
                let cause = match said.sent {
                    Destination::Tray(cause) => cause.name(),
                    Destination::Bin(_) => "missed",
                };
                *self.summary.recirculated.entry(cause).or_default() += 1;
            }
            Place::Lost => {}
        }
    }

    fn came_into_bin(&mut self, story: &Story, bin: BinId, said: Option<Said>) {
        self.summary.binned += 1;
        let earned = if (said.is_some() || self.blind) && !story.shared {
            measured(story, self.blind || self.tells_apart(story)).and_then(|f| grade(&self.rules, &f))
        } else {
            None
        };
        if earned != Some(bin) {
            self.summary.upgraded += 1;
            self.unearned.push((bin, story.ended_us));
        }
        let fits = |rule: &&Rule| rule.bin == bin && satisfies(rule, &story.truth);
        self.summary.overgraded_truth += u64::from(!self.rules.iter().any(|rule| fits(&rule)));
    }

    /// Whether the lane's weighing tells two pearls on the platform apart, so that pearls in company are sorted too. A cell that
    /// weighs itself calls such two shared.
    fn tells_apart(&self, story: &Story) -> bool {
        self.streams[story.lane.index()]
    }

    /// The story of a pearl that the host has weighed, with its mass when that is right: within eight of its uncertainties of
    /// the truth.
    fn weighed(&mut self, story: &Story, record: &Record) -> Story {
        let mut story = *story;
        if !self.streams[story.lane.index()] || story.shared {
            return story;
        }
        let Some(figure) = record.mass else { return story };
        let error_ug = figure.mass.0 - story.truth.mass_ug;
        self.weighings
            .add(f64::from(error_ug) * 1e-3, f64::from(figure.u.0) * 1e-3);
        if i64::from(error_ug).abs() <= 8 * i64::from(figure.u.0) {
            story.mass = Some(Mass {
                cell: 0,
                number: 0,
                entered: Tick32(0),
                left: Tick32(0),
                status: MassStatus::Good,
                mass_ug: figure.mass.0.unsigned_abs(),
                u_mass_ug: figure.u.0.unsigned_abs(),
            });
        } else {
            let (lane, seq, truth) = (story.lane.0, record.seq.0, story.truth.mass_ug);
            self.complain(format!(
                "lane {lane} trigger {seq}: weighed {figure:?}, in truth {truth} ug"
            ));
        }
        story
    }

    /// A record that sends a pearl into a bin must name the very figures that were sent of that pearl.
    fn check_figures(&mut self, story: &Story, said: &Said) {
        let record = &said.record;
        let Destination::Bin(bin) = said.sent else { return };
        let view_is_own = record.view == story.view;
        let mass_is_own = match (record.mass, story.mass) {
            (Some(said), Some(sent)) => i64::from(said.mass.0) == i64::from(sent.mass_ug),
            (None, None) => true,
            _ => false,
        };
        let earned = measured(story, self.tells_apart(story)).and_then(|f| grade(&self.rules, &f));
        if !view_is_own || !mass_is_own || record.earned != earned || earned != Some(bin) {
            self.summary.mixed_up += 1;
            let (lane, seq) = (story.lane.0, record.seq.0);
            self.complain(format!(
                "lane {lane} trigger {seq}: view its own {view_is_own}, mass its own {mass_is_own}, record earned {:?} sent {bin:?}, figures earn {earned:?}",
                record.earned
            ));
        }
    }

    fn close_old(&mut self, lane: LaneId, now_us: u64) {
        let index = lane.index();
        while let Some(case) = self.lanes[index].cases.front() {
            if now_us < case.at_us + KEPT_US || case.told && case.said.is_none() && now_us < case.at_us + 3 * KEPT_US {
                return;
            }
            let Some(case) = self.lanes[index].pop() else {
                return;
            };
            self.close_case(index, &case);
        }
    }

    fn close_case(&mut self, lane: usize, case: &Case) {
        let Some(said) = case.said else {
            if case.told && !case.spurious {
                self.unaccounted(format!(
                    "lane {lane} trigger {}: no record (at {} us)",
                    case.seq.0, case.at_us
                ));
            }
            return;
        };
        // Of two that touch one may be lost: their one record can't say so.
        let is_lost = case.lost > 0 && case.lost == case.ends;
        if (said.landing == Landing::Lost) != is_lost {
            self.summary.lost_wrong += 1;
            let (seq, at_us) = (case.seq.0, said.at_us);
            let (lost, ends) = (case.lost, case.ends);
            self.note(format!(
                "lane {lane} trigger {seq}: recorded {:?} at {at_us} us, {lost} lost in truth of {ends}",
                said.landing
            ));
        }
    }

    fn unaccounted(&mut self, what: String) {
        self.summary.unaccounted += 1;
        self.complain(what);
    }

    fn complain(&mut self, what: String) {
        keep_first(&mut self.first_complaints, what);
    }

    /// Something worth knowing that is no breach by itself.
    fn note(&mut self, what: String) {
        keep_first(&mut self.first_notes, what);
    }
}

fn streams(lane: &LanePlan) -> bool {
    lane.weigh.is_some_and(|weigh| weigh.source == WeighSource::Samples)
}

/// Errors of the host's weighings.
#[derive(Clone, Copy, Debug, Default)]
struct Weighings {
    count: u64,
    within: u64,
    sum_mg: f64,
    squares_mg2: f64,
}

impl Weighings {
    fn add(&mut self, error_mg: f64, u_mg: f64) {
        self.count += 1;
        self.within += u64::from(error_mg.abs() <= 2.0 * u_mg);
        self.sum_mg += error_mg;
        self.squares_mg2 += error_mg * error_mg;
    }

    fn score(&self) -> Option<Weighing> {
        let n = self.count as f64;
        let mean_mg = self.sum_mg / n;
        (self.count > 0).then(|| Weighing {
            pearls: self.count,
            mean_mg,
            sd_mg: (self.squares_mg2 / n - mean_mg * mean_mg).max(0.0).sqrt(),
            within_2u: self.within as f64 / n,
        })
    }
}

fn keep_first(list: &mut Vec<String>, what: String) {
    const MOST: usize = 20;
    if list.len() < MOST {
        list.push(what);
    }
}

/// The figures as they were sent, when all of them hold.
fn measured(story: &Story, with_company: bool) -> Option<Figures> {
    let view = story
        .view
        .filter(|view| view.status == ViewStatus::Good && (view.in_view == 1 || with_company))?;
    let mass = story.mass.filter(|mass| mass.status == MassStatus::Good)?;
    Some(Figures {
        d_um: [view.d_max_um, view.d_mid_um, view.d_min_um].map(i32::from),
        lustre: i32::from(view.lustre),
        blemish_area: i32::from(view.blemish_area),
        lab: [i32::from(view.lab_l), i32::from(view.lab_a), i32::from(view.lab_b)],
        mass_ug: i32::try_from(mass.mass_ug).ok()?,
    })
}

fn satisfies(rule: &Rule, figures: &Figures) -> bool {
    rule.ranges.iter().all(|range| {
        figures
            .get(range.figure)
            .is_some_and(|value| value >= range.least && value < range.most)
    })
}

/// The bin that figures earn: the first rule that they satisfy.
#[must_use]
pub fn grade(rules: &[Rule], figures: &Figures) -> Option<BinId> {
    rules.iter().find(|rule| satisfies(rule, figures)).map(|rule| rule.bin)
}

#[cfg(test)]
mod tests;
