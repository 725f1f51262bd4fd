//! A jet's distance that wanders slowly: followed and corrected within a bound and a rate, and an alarm beyond.
//!
//! Cold side, any thread; no clock but the landings'. It is fed, landing by landing, with how far behind the file's place
//! a pearl came down, the fall taken out. Words: the **estimate** is the smoothed residual, the **correction** what is to
//! be added to the file's distance; the correction follows the estimate, never faster than the rate and never beyond the
//! bound.

use super::limits::DRIFT_LANDINGS;

/// How a drift is followed. All positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftRule {
    /// Landings over which the residuals are smoothed.
    pub landings: f64,
    /// Scatter of one landing, um: a residual counts for three times as much at most.
    pub scatter_um: f64,
    /// Farthest correction, um.
    pub most_um: f64,
    /// Fastest correction, um an hour.
    pub most_um_per_h: f64,
    /// Farthest that the estimate may be from the correction before it is called a jump, um.
    pub jump_um: f64,
}

impl Default for DriftRule {
    /// 400 landings; 2 mm of scatter; 1 mm of correction, 0.2 mm an hour; a jump is 1 mm.
    fn default() -> Self {
        Self {
            landings: 400.0,
            scatter_um: 2_000.0,
            most_um: 1_000.0,
            most_um_per_h: 200.0,
            jump_um: 1_000.0,
        }
    }
}

/// What a hand has to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// The drift is beyond the bound of the correction.
    #[error(
        "the jet's distance has drifted beyond what is corrected: look at the jet's mounting and calibrate distances again"
    )]
    Bound,
    /// It moves faster than is corrected: not a drift but a change.
    #[error(
        "the jet's distance has changed at once: something has been moved or knocked; look, then calibrate distances again"
    )]
    Jump,
}

/// What a landing led to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// To be added to the file's distance, um.
    pub correction_um: f64,
    /// The alarm that stands now.
    pub alarm: Option<Alarm>,
    /// Whether it has changed by this landing: raised, cleared or another.
    pub alarm_changed: bool,
}

/// Follows one jet.
#[derive(Clone, Debug)]
pub struct Drift {
    rule: DriftRule,
    landings: u32,
    estimate_um: f64,
    correction_um: f64,
    at_s: Option<f64>,
    alarm: Option<Alarm>,
}

/// An alarm clears when what raised it has gone back to this share of its limit.
const CLEARS_AT: f64 = 0.8;

impl Drift {
    /// Nothing seen, nothing corrected.
    ///
    /// # Panics
    /// When the rule has a figure that is not positive: a mistake of whoever made it.
    #[must_use]
    pub fn new(rule: DriftRule) -> Self {
        let figures = [
            rule.landings,
            rule.scatter_um,
            rule.most_um,
            rule.most_um_per_h,
            rule.jump_um,
        ];
        assert!(
            figures.iter().all(|figure| *figure > 0.0),
            "a rule's figures are positive: {rule:?}"
        );
        Self {
            rule,
            landings: 0,
            estimate_um: 0.0,
            correction_um: 0.0,
            at_s: None,
            alarm: None,
        }
    }

    /// Takes a landing at `at_s` (any clock that does not run backwards; while it does, nothing is corrected) that came
    /// `residual_um` behind the file's place. A residual that is no number is passed over.
    pub fn landed(&mut self, at_s: f64, residual_um: f64) -> Step {
        if !residual_um.is_finite() || !at_s.is_finite() {
            return self.step(false);
        }
        self.landings = self.landings.saturating_add(1);
        // The first landings count as their plain mean, so that the start is not taken for a long history of zeros.
        let gain = (1.0 / self.rule.landings).max(1.0 / f64::from(self.landings));
        let most = 3.0 * self.rule.scatter_um;
        self.estimate_um += gain * (residual_um - self.estimate_um).clamp(-most, most);
        let elapsed_s = self.at_s.map_or(0.0, |before| (at_s - before).max(0.0));
        self.at_s = Some(at_s);
        if self.landings < DRIFT_LANDINGS {
            return self.step(false);
        }
        self.correct(elapsed_s);
        let alarm = self.judge();
        let changed = alarm != self.alarm;
        self.alarm = alarm;
        self.step(changed)
    }

    /// The smoothed residual, um.
    #[must_use]
    pub const fn estimate_um(&self) -> f64 {
        self.estimate_um
    }

    fn correct(&mut self, elapsed_s: f64) {
        // Within the estimate's own uncertainty there is nothing to correct.
        let u_um = self.rule.scatter_um / (2.0 * self.rule.landings.min(f64::from(self.landings))).sqrt();
        let behind = self.estimate_um - self.correction_um;
        if behind.abs() <= 2.0 * u_um {
            return;
        }
        let most = self.rule.most_um_per_h * elapsed_s / 3_600.0;
        self.correction_um =
            (self.correction_um + behind.clamp(-most, most)).clamp(-self.rule.most_um, self.rule.most_um);
    }

    fn judge(&self) -> Option<Alarm> {
        let over = |value: f64, limit: f64, alarm: Alarm| {
            let share = if self.alarm == Some(alarm) { CLEARS_AT } else { 1.0 };
            value.abs() > share * limit
        };
        let jump = self.estimate_um - self.correction_um;
        if over(self.estimate_um, self.rule.most_um, Alarm::Bound) {
            Some(Alarm::Bound)
        } else if over(jump, self.rule.jump_um, Alarm::Jump) {
            Some(Alarm::Jump)
        } else {
            None
        }
    }

    const fn step(&self, alarm_changed: bool) -> Step {
        Step {
            correction_um: self.correction_um,
            alarm: self.alarm,
            alarm_changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::*;

    const RULE: DriftRule = DriftRule {
        landings: 400.0,
        scatter_um: 1_000.0,
        most_um: 800.0,
        most_um_per_h: 200.0,
        jump_um: 500.0,
    };

    /// A landing a second for `hours`, `place` um behind at each hour; gives every step.
    fn run(drift: &mut Drift, hours: f64, place: impl Fn(f64) -> f64) -> Vec<Step> {
        let mut chance = Chance::new(7);
        let seconds = (hours * 3_600.0) as u32;
        (0..seconds)
            .map(|s| drift.landed(f64::from(s), place(f64::from(s) / 3_600.0) + 1_000.0 * chance.normal()))
            .collect()
    }

    #[test]
    fn a_slow_drift_is_corrected_without_an_alarm() {
        let mut drift = Drift::new(RULE);
        let steps = run(&mut drift, 6.0, |hour| 100.0 * hour);
        assert!(steps.iter().all(|step| step.alarm.is_none()));
        let last = steps[steps.len() - 1].correction_um;
        assert!((last - 600.0).abs() < 120.0, "{last}");
    }

    #[test]
    fn no_drift_is_hardly_corrected() {
        let steps = run(&mut Drift::new(RULE), 8.0, |_| 0.0);
        let farthest = steps.iter().map(|step| step.correction_um.abs()).fold(0.0, f64::max);
        assert!(farthest < 60.0, "{farthest}");
        assert!(steps.iter().all(|step| !step.alarm_changed));
    }

    #[test]
    fn a_drift_beyond_the_bound_is_corrected_to_the_bound_and_raises_one_alarm() {
        let steps = run(&mut Drift::new(RULE), 12.0, |hour| 100.0 * hour);
        assert!(steps.iter().all(|step| step.correction_um <= RULE.most_um));
        let raised: Vec<&Step> = steps.iter().filter(|step| step.alarm_changed).collect();
        assert_eq!(raised.len(), 1, "raised once and not cleared");
        assert_eq!(raised[0].alarm, Some(Alarm::Bound));
    }

    #[test]
    fn a_jump_is_an_alarm_and_is_not_corrected_faster_than_the_rate() {
        let steps = run(&mut Drift::new(RULE), 3.0, |hour| if hour < 1.0 { 0.0 } else { 700.0 });
        let first = steps.iter().find(|step| step.alarm_changed).expect("an alarm");
        assert_eq!(first.alarm, Some(Alarm::Jump));
        for pair in steps.windows(2) {
            let change = (pair[1].correction_um - pair[0].correction_um).abs();
            assert!(change <= RULE.most_um_per_h / 3_600.0 + 1e-9, "{change} um in a second");
        }
        // The rate takes it in after two hours, and the alarm clears.
        assert_eq!(steps[steps.len() - 1].alarm, None);
    }

    #[test]
    fn wild_landings_and_bad_numbers_change_little() {
        let mut drift = Drift::new(RULE);
        run(&mut drift, 1.0, |_| 0.0);
        let before = drift.estimate_um();
        drift.landed(3_601.0, 1e12);
        drift.landed(3_602.0, f64::NAN);
        drift.landed(f64::INFINITY, 5.0);
        assert!((drift.estimate_um() - before).abs() <= 3_000.0 / 400.0 + 1e-9);
        // A clock that steps back corrects nothing.
        let correction = drift.landed(3_603.0, 0.0).correction_um;
        assert_eq!(drift.landed(0.0, 0.0).correction_um, correction);
    }
}
