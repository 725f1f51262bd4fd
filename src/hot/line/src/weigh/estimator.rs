//! The estimator of one weigh cell: gates and samples in, weighings out. Hot thread.
//!
//! A sample is filtered `gate_delay` after it came, so that the gates that concern it are known: a pearl begins to
//! unload before its leaving gate closes.

mod again;
mod zero;

use super::filter::{Constants, Filter, GATE_SIGMAS, Innovation, Slot};
use super::limits::{GAP, LATEST_LOOK_US, OUTBOX, PASSAGES, RING, SLOTS};
use super::model::{Checks, Model, ModelFault};
use super::passage::{Passage, Refusal, Weighing};
use super::platform::Times;
use units::{BoardUs, Micrograms};
use zero::ZeroWatch;

/// Outliers in a row after which the platform's motion is taken as unknown.
const OUTLIERS_IN_A_ROW: u32 = 3;
/// Samples without an outlier after which the filter's state is trusted as one to fall back on.
const CALM_SAMPLES: u64 = 512;
/// Absurd readings in a row after which the filter begins anew.
const ABSURD_IN_A_ROW: u32 = 128;
/// The platform's figures are identified, not known: what they are off by adds a fifth to the filter's own variance. Blind
/// identifications of other platforms, down to 62 Hz and a damping of 0.005, ask for no less.
const MODEL_VARIANCE: f64 = 1.2;
/// Pearls over which the residuals are followed, and what one pearl counts for at most.
const MISFIT_PEARLS: f64 = 32.0;
const MISFIT_MOST: f64 = 4.0;
/// What the residuals of a passage show beyond chance and the model may be the mass's own error: the excess of their squares, in
/// units of its variance, adds to it. Chance is three standard deviations of their mean.
const CHANCE: f64 = 3.0;
/// Mean squared residual over its variance beyond which a passage is refused.
const MISFIT: f64 = 2.0;
/// Times after rolling on at which a passage is filtered again, us. The first is so early that even a poor estimate is
/// within half a turn of the platform's phase.
const AGAIN_US: [f64; 3] = [500.0, 8_000.0, LATEST_LOOK_US];

/// Looks after which a passage counts as linearised; a later look is taken only when it has gone astray.
pub(super) const SETTLED_LOOKS: usize = 2;

/// A sample as it waits in the ring.
#[derive(Clone, Copy, Debug)]
struct Kept {
    reading_mg: f64,
    fault: Option<Refusal>,
    innovation: Option<Innovation>,
    outlier: bool,
}

const NOTHING: Kept = Kept {
    reading_mg: 0.0,
    fault: Some(Refusal::Lost),
    innovation: None,
    outlier: false,
};

/// What has been seen since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Samples taken.
    pub samples: u64,
    /// Samples missing by their numbers.
    pub lost: u64,
    /// Samples out of range, stuck or absurd.
    pub bad: u64,
    /// Residuals that were not noise.
    pub outliers: u64,
    /// Times that the platform's motion was taken as unknown.
    pub disturbances: u64,
    /// Leaving gates without a pearl.
    pub orphan_gates: u64,
    /// Times that the filter began anew after a gap too long to bridge.
    pub restarts: u64,
    /// Times that the zero left its band or moved too fast.
    pub zero_alarms: u64,
    /// Weighings that nobody fetched.
    pub dropped: u64,
}

/// Weighs the pearls of one cell.
#[derive(Clone, Debug)]
pub struct Estimator {
    constants: Constants,
    checks: Checks,
    lag_us: f64,
    per_us: f64,
    mg_per_count: f64,
    start: BoardUs,
    delay: u64,
    hold: f64,
    again: [f64; AGAIN_US.len()],
    early: f64,
    unload: f64,
    filter: Option<Filter>,
    before: Option<(u64, Filter)>,
    /// A state in which nothing had gone wrong for a while, and when that was.
    calm: Option<(u64, Filter)>,
    latest_trouble: u64,
    before_leave: Option<(u64, u32, Filter)>,
    ring: [Kept; RING],
    came: u64,
    done: u64,
    last_code: i32,
    run: u32,
    outliers_in_a_row: u32,
    absurd_in_a_row: u32,
    passages: [Option<Passage>; PASSAGES],
    numbers: u32,
    latest_enter: Option<BoardUs>,
    outbox: [Option<Weighing>; OUTBOX],
    zero: ZeroWatch,
    /// See [`Estimator::misfit`].
    misfit: f64,
    counters: Counters,
}

impl Estimator {
    /// An estimator whose sample 0 is taken at `start` of the cell's board.
    ///
    /// # Errors
    /// The figure of the model that can't be used.
    pub fn new(model: &Model, checks: &Checks, start: BoardUs) -> Result<Self, ModelFault> {
        model.check(checks)?;
        let per_us = model.sample_hz / 1e6;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked: below a quarter ring"
        )]
        let delay = (checks.gate_delay_us as f64 * per_us) as u64;
        let constants = Constants::new(model);
        Ok(Self {
            constants,
            checks: *checks,
            lag_us: model.platform.lag_us,
            per_us,
            mg_per_count: 1.0 / model.counts_per_mg,
            start,
            delay,
            hold: checks.hold_us as f64 * per_us,
            again: AGAIN_US.map(|us| (model.platform.roll_us + us) * per_us),
            early: GATE_SIGMAS * constants.gate_sd(),
            unload: constants.roll + GATE_SIGMAS * constants.gate_sd() + 1.0,
            filter: None,
            before: None,
            before_leave: None,
            calm: None,
            latest_trouble: 0,
            ring: [NOTHING; RING],
            came: 0,
            done: 0,
            last_code: 0,
            run: 0,
            outliers_in_a_row: 0,
            absurd_in_a_row: 0,
            passages: [None; PASSAGES],
            numbers: 0,
            latest_enter: None,
            outbox: [None; OUTBOX],
            zero: ZeroWatch::default(),
            misfit: 1.0,
            counters: Counters::default(),
        })
    }

    /// What has been seen since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The zero as followed, mg, once there is one.
    #[must_use]
    pub fn zero_mg(&self) -> Option<f64> {
        self.filter.as_ref().map(Filter::zero_mg)
    }

    /// Whether the zero is outside its band or moves too fast. Nothing is weighed as long as it is.
    #[must_use]
    pub fn zero_alarm(&self) -> bool {
        self.zero.alarm
    }

    /// Takes the present zero as the one that the band is around.
    pub fn accept_zero(&mut self) {
        self.zero = ZeroWatch::default();
    }

    /// Mean squared residual over its expected variance, over some [`MISFIT_PEARLS`] pearls that nothing else was wrong with:
    /// about 1 while the model holds.
    #[must_use]
    pub fn misfit(&self) -> f64 {
        self.misfit
    }

    /// The innovation of sample `index`, while the ring holds it and once it won't be filtered again.
    #[must_use]
    pub fn innovation(&self, index: u64) -> Option<Innovation> {
        let held = index < self.done && index + (RING as u64) > self.came;
        held.then(|| self.ring[slot_of(index)].innovation).flatten()
    }

    /// Quadratures of belt line `line` in the frame that turns with its frequency, mg.
    #[must_use]
    pub fn line_mg(&self, line: usize) -> Option<(f64, f64)> {
        let filter = self.filter.as_ref()?;
        (line < self.constants.lines).then(|| filter.line(line))
    }

    fn samples_at(&self, at: BoardUs) -> f64 {
        (at.since(self.start) as f64 - self.lag_us) * self.per_us
    }

    /// A pearl passed the entering gate. Returns the number under which its weighing comes.
    pub fn entered(&mut self, at: BoardUs) -> u32 {
        let number = self.numbers;
        self.numbers = self.numbers.wrapping_add(1);
        let mut passage = Passage {
            number,
            entered: at,
            enter: self.samples_at(at),
            leave: None,
            fault: None,
            begun: None,
            looks: 0,
            left_again: false,
        };
        if self.latest_enter.is_some_and(|latest| at < latest) {
            passage.refuse(Refusal::GateOrder);
        } else {
            self.latest_enter = Some(at);
        }
        if passage.enter - self.early < self.done as f64 {
            passage.refuse(Refusal::LateGate);
        }
        match self.passages.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(passage),
            None => self.publish(&passage, Err(Refusal::Crowded)),
        }
        number
    }

    /// The earliest pearl that has not left passed the leaving gate.
    pub fn left(&mut self, at: BoardUs) {
        let open = self.passages.iter().flatten().filter(|passage| passage.leave.is_none());
        let Some(number) = open.map(|passage| passage.number).min() else {
            self.counters.orphan_gates += 1;
            self.disturb(Refusal::Disturbed);
            return;
        };
        self.left_by(number, at);
    }

    /// The pearl of this number passed the leaving gate. Nothing when its weighing has come already.
    pub fn left_by(&mut self, number: u32, at: BoardUs) {
        let leave = self.samples_at(at);
        let done = self.done as f64;
        let roll = self.constants.roll;
        let is = |passage: &&mut Passage| passage.number == number && passage.leave.is_none();
        let Some(passage) = self.passages.iter_mut().flatten().find(is) else {
            return;
        };
        let dwell = at.since(passage.entered);
        let (least, most) = self.checks.dwell_us;
        if dwell <= 0 {
            passage.refuse(Refusal::GateOrder);
        } else if dwell < least || dwell > most {
            passage.refuse(Refusal::Dwell);
        }
        if leave - roll - self.early < done {
            passage.refuse(Refusal::LateGate);
        }
        let leave = leave.max(passage.enter);
        passage.leave = Some(leave);
        let filters = self
            .before
            .as_mut()
            .map(|(_, filter)| filter)
            .into_iter()
            .chain(&mut self.filter);
        for slot in filters.flat_map(|filter| &mut filter.slots).flatten() {
            if slot.number == number {
                slot.times.leave = leave;
            }
        }
    }

    /// Takes sample number `seq` (counted from 0 modulo 2^32) in, and gives a weighing that is ready, if any.
    pub fn sample(&mut self, seq: u32, code: i32) -> Option<Weighing> {
        #[expect(clippy::cast_possible_truncation, reason = "numbers count modulo 2^32")]
        let missing = seq.wrapping_sub(self.came as u32);
        if missing > u32::MAX / 2 {
            // a number from the past: the sample was counted as lost, or came twice
            return self.fetch();
        }
        self.counters.lost += u64::from(missing);
        if missing > GAP {
            self.restart(u64::from(missing));
        } else {
            for _ in 0..missing {
                self.take(NOTHING);
            }
        }
        let kept = self.judge(code);
        self.take(kept);
        if self.absurd_in_a_row >= ABSURD_IN_A_ROW {
            // so long an absurdity is no code but a zero that has run away
            self.restart(0);
        }
        self.counters.samples += 1;
        self.fetch()
    }

    /// Filters what waits, as if the gates of all samples were known: the end of a stream. Then fetches.
    pub fn drain(&mut self) -> Option<Weighing> {
        while self.done < self.came {
            self.filter_next();
        }
        for i in 0..PASSAGES {
            if let Some(passage) = self.passages[i] {
                let missing = if passage.leave.is_none() {
                    Refusal::NoLeave
                } else {
                    Refusal::Lost
                };
                self.close(i, passage.fault.or(Some(missing)));
            }
        }
        self.fetch()
    }

    /// A weighing that is ready.
    pub fn fetch(&mut self) -> Option<Weighing> {
        let earliest = self
            .outbox
            .iter_mut()
            .filter(|w| w.is_some())
            .min_by_key(|w| w.map(|w| w.passage))?;
        earliest.take()
    }

    fn judge(&mut self, code: i32) -> Kept {
        self.run = if code == self.last_code { self.run + 1 } else { 1 };
        self.last_code = code;
        let reading_mg = f64::from(code) * self.mg_per_count;
        let fault = if code <= self.checks.least_code || code >= self.checks.most_code {
            Some(Refusal::Saturated)
        } else if self.run >= u32::from(self.checks.stuck_samples) {
            Some(Refusal::Stuck)
        } else if self
            .zero_mg()
            .is_some_and(|zero| (reading_mg - zero).abs() > self.checks.most_mg)
        {
            Some(Refusal::Absurd)
        } else {
            None
        };
        if fault == Some(Refusal::Stuck) {
            // the run's earlier samples that still wait are as stuck as this one
            let waiting = (self.came - self.done).min(u64::from(self.run) - 1);
            for index in self.came - waiting..self.came {
                self.ring[slot_of(index)].fault.get_or_insert(Refusal::Stuck);
            }
        }
        let absurd = fault == Some(Refusal::Absurd);
        self.absurd_in_a_row = if absurd { self.absurd_in_a_row + 1 } else { 0 };
        self.counters.bad += u64::from(fault.is_some());
        Kept {
            reading_mg,
            fault,
            innovation: None,
            outlier: false,
        }
    }

    fn take(&mut self, kept: Kept) {
        self.ring[slot_of(self.came)] = kept;
        self.came += 1;
        if self.came - self.done > self.delay {
            self.filter_next();
        }
    }

    /// Begins anew after a gap that is too long to bridge; every pearl on or before the platform is refused.
    fn restart(&mut self, missing: u64) {
        self.counters.restarts += 1;
        for i in 0..PASSAGES {
            if self.passages[i].is_some() {
                self.close(i, Some(Refusal::Lost));
            }
        }
        self.came += missing;
        self.done = self.came;
        self.absurd_in_a_row = 0;
        self.outliers_in_a_row = 0;
        self.filter = None;
        self.before = None;
        self.before_leave = None;
        self.calm = None;
        self.latest_trouble = self.done;
    }

    /// Filters the next sample that waits.
    fn filter_next(&mut self) {
        let at = self.done;
        self.done += 1;
        let kept = self.ring[slot_of(at)];
        if self.filter.is_none() {
            if kept.fault.is_some() {
                return;
            }
            self.filter = Some(Filter::new(&self.constants, kept.reading_mg));
        }
        if let Some(why) = kept.fault {
            cover(&mut self.passages, at, self.hold, why);
        }
        self.begin(at);
        self.keep_before_leave(at);
        let leaving = self
            .passages
            .iter()
            .flatten()
            .any(|p| p.is_leaving(at as f64, self.unload));
        let judge = !self.is_coming() && !leaving;
        self.step(at, judge);
        self.look_again(at);
        self.look_at_leave(at);
        self.watch_zero(at, self.ring[slot_of(at)].innovation);
        self.finish(at);
    }

    /// Takes pearls whose gate falls into this sample into the filter.
    fn begin(&mut self, at: u64) {
        for i in 0..PASSAGES {
            let coming = self.is_coming();
            let Some(passage) = &mut self.passages[i] else {
                continue;
            };
            if passage.begun.is_some() || passage.enter - self.early > at as f64 + 1.0 {
                continue;
            }
            passage.begun = Some(at);
            let Some(filter) = &mut self.filter else { continue };
            if !coming {
                self.before = Some((at, *filter));
                if at > self.latest_trouble + CALM_SAMPLES {
                    self.calm = self.before;
                }
            }
            let slot = new_slot(&self.constants, i, passage);
            if !filter.add(&self.constants, slot) {
                passage.refuse(Refusal::Crowded);
                passage.looks = AGAIN_US.len();
            }
        }
    }

    fn is_coming(&self) -> bool {
        self.passages.iter().flatten().any(Passage::is_coming)
    }

    /// Corrects by sample `at` and predicts the next. Outliers are acted on where `judge` says that the filter is
    /// linearised well enough to know one.
    fn step(&mut self, at: u64, judge: bool) {
        let Some(filter) = &mut self.filter else { return };
        let kept = &mut self.ring[slot_of(at)];
        kept.innovation = None;
        if kept.fault.is_none() {
            let (innovation, gain) = filter.innovation(&self.constants, kept.reading_mg);
            let limit = self.checks.outlier_sigmas * self.checks.outlier_sigmas * innovation.variance_mg2;
            if judge && innovation.residual_mg * innovation.residual_mg > limit {
                self.counters.outliers += u64::from(!kept.outlier);
                kept.outlier = true;
                self.outliers_in_a_row += 1;
                self.latest_trouble = at;
                cover(&mut self.passages, at, self.hold, Refusal::Disturbed);
            } else {
                self.outliers_in_a_row = 0;
                kept.innovation = Some(innovation);
                filter.correct(innovation, &gain);
            }
        }
        if self.outliers_in_a_row >= OUTLIERS_IN_A_ROW {
            let (since, calm) = self
                .calm
                .as_ref()
                .map_or((at, None), |(since, calm)| (*since, Some(calm)));
            filter.forget_motion(&self.constants, calm, at.saturating_sub(since) as f64);
            self.outliers_in_a_row = 0;
            self.counters.disturbances += 1;
        }
        filter.predict(&self.constants, at as f64);
    }

    /// Closes the passages that are over.
    fn finish(&mut self, at: u64) {
        let longest = self.checks.dwell_us.1 as f64 * self.per_us;
        for i in 0..PASSAGES {
            let Some(passage) = self.passages[i] else { continue };
            let over = passage.leave.is_some_and(|leave| at as f64 >= leave + self.hold);
            let missing = passage.leave.is_none() && at as f64 > passage.enter + longest;
            if over {
                self.close(i, passage.fault);
            } else if missing {
                self.disturb(Refusal::Disturbed);
                self.close(i, Some(Refusal::NoLeave));
            }
        }
    }

    /// Something that the model does not know has moved the platform: its motion is unknown, pearls on it are refused.
    fn disturb(&mut self, why: Refusal) {
        cover(&mut self.passages, self.done, self.hold, why);
        if let Some(filter) = &mut self.filter {
            let (since, calm) = self
                .calm
                .as_ref()
                .map_or((self.done, None), |(since, calm)| (*since, Some(calm)));
            filter.forget_motion(&self.constants, calm, self.done.saturating_sub(since) as f64);
            self.counters.disturbances += 1;
        }
    }

    fn close(&mut self, which: usize, fault: Option<Refusal>) {
        let Some(passage) = self.passages[which].take() else {
            return;
        };
        let mut mass = Err(fault.unwrap_or(Refusal::Crowded));
        if let Some(filter) = &mut self.filter {
            let slot = (0..SLOTS).find(|&s| filter.slots[s].is_some_and(|slot| slot.number == passage.number));
            if let Some((s, slot)) = slot.and_then(|s| Some((s, filter.slots[s]?))) {
                let (mg, variance) = filter.mass(&self.constants, s);
                filter.remove(&self.constants, s);
                if fault.is_none() && slot.samples > 0 {
                    let misfit = (slot.misfit / f64::from(slot.samples)).min(MISFIT_MOST);
                    self.misfit += (misfit - self.misfit) / MISFIT_PEARLS;
                }
                mass = fault.map_or_else(|| self.verdict(mg, variance, &slot), Err);
            }
        }
        let since = self
            .before
            .is_some_and(|(from, _)| passage.begun.is_some_and(|begun| begun >= from));
        if since {
            // a state from before this pearl can't be returned to any more: it would miss the pearl's load
            for other in self.passages.iter_mut().flatten().filter(|other| other.is_coming()) {
                other.looks = AGAIN_US.len();
                other.refuse(Refusal::Crowded);
            }
        }
        self.publish(&passage, mass);
    }

    fn verdict(&self, mg: f64, variance: f64, slot: &Slot) -> Result<(Micrograms, Micrograms), Refusal> {
        let samples = f64::from(slot.samples.max(1));
        let misfit = slot.misfit / samples;
        let excess = (misfit - 1.0 - CHANCE * (2.0 / samples).sqrt()).max(0.0) * samples;
        let u = (variance.max(0.0) * (1.0 + excess) * MODEL_VARIANCE).sqrt();
        if !mg.is_finite() || !u.is_finite() || slot.samples == 0 {
            Err(Refusal::Uncertain)
        } else if self.zero.alarm {
            Err(Refusal::Zero)
        } else if misfit > MISFIT {
            Err(Refusal::Misfit)
        } else if u > self.checks.most_u_mg {
            Err(Refusal::Uncertain)
        } else if mg < self.checks.least_mg {
            Err(Refusal::Empty)
        } else if mg > self.checks.most_mg {
            Err(Refusal::Absurd)
        } else {
            Ok((micrograms(mg), micrograms(u)))
        }
    }

    fn publish(&mut self, passage: &Passage, mass: Result<(Micrograms, Micrograms), Refusal>) {
        let weighing = Weighing {
            passage: passage.number,
            entered: passage.entered,
            mass,
        };
        match self.outbox.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(weighing),
            None => self.counters.dropped += 1,
        }
    }
}

/// Refuses every passage that sample `at` counts for.
fn cover(passages: &mut [Option<Passage>; PASSAGES], at: u64, hold: f64, why: Refusal) {
    for passage in passages.iter_mut().flatten() {
        if passage.covers(at as f64, hold) {
            passage.refuse(why);
        }
    }
}

fn new_slot(constants: &Constants, which: usize, passage: &Passage) -> Slot {
    let times = Times {
        enter: passage.enter,
        leave: passage.leave.unwrap_or(f64::INFINITY),
        roll: constants.roll,
        landing: constants.landing,
    };
    Slot {
        passage: which,
        number: passage.number,
        times,
        at: None,
        misfit: 0.0,
        worst: 0.0,
        samples: 0,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the ring's length fits")]
const fn slot_of(index: u64) -> usize {
    (index % RING as u64) as usize
}

/// Milligrams to the nearest microgram; `as` holds it within the type's range.
#[expect(clippy::cast_possible_truncation, reason = "held within the range by the cast")]
fn micrograms(mg: f64) -> Micrograms {
    Micrograms((mg * 1e3 + if mg < 0.0 { -0.5 } else { 0.5 }) as i32)
}
