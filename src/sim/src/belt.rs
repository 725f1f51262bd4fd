//! The belt as it truly moves: a profile of speeds over time, with its place at any time and the times at any place.
//!
//! Any thread. Places are in ticks of the shaft's encoder (not whole ones), counted from where the belt stood at time 0;
//! times in microseconds since then.

/// A change of speed: from `at_us` on the belt goes over to `um_s` within `ramp_us`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeedChange {
    /// When it begins, us.
    pub at_us: u64,
    /// How long the ramp takes, us; 0 for a jump.
    pub ramp_us: u64,
    /// Speed afterwards, um/s; 0 stops the belt, less runs it backwards.
    pub um_s: f64,
}

/// A stretch of time with constant acceleration.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from_us: f64,
    to_us: f64,
    place: f64,
    /// Ticks a microsecond at its beginning.
    speed: f64,
    /// Ticks a microsecond squared.
    acceleration: f64,
}

impl Stretch {
    fn place_at(&self, us: f64) -> f64 {
        let t = us - self.from_us;
        self.place + (self.speed + 0.5 * self.acceleration * t) * t
    }

    fn speed_at(&self, us: f64) -> f64 {
        self.speed + self.acceleration * (us - self.from_us)
    }

    /// First time within the stretch, later than `after_us`, at which the belt is at `place`.
    fn passes(&self, place: f64, after_us: f64) -> Option<f64> {
        let distance = place - self.place;
        let within = |t: f64| {
            let us = self.from_us + t;
            (us > after_us && us >= self.from_us && us <= self.to_us).then_some(us)
        };
        if self.acceleration == 0.0 {
            return if self.speed == 0.0 {
                None
            } else {
                within(distance / self.speed)
            };
        }
        let root = self.speed * self.speed + 2.0 * self.acceleration * distance;
        if root < 0.0 {
            return None;
        }
        let root = root.sqrt();
        let (one, other) = (
            (-self.speed - root) / self.acceleration,
            (-self.speed + root) / self.acceleration,
        );
        within(one.min(other)).or_else(|| within(one.max(other)))
    }
}

/// The whole profile; see the module.
#[derive(Clone, Debug)]
pub struct Profile {
    stretches: Vec<Stretch>,
    ticks_per_um: f64,
    /// From this time on the belt never runs backwards.
    forwards_from_us: f64,
}

impl Profile {
    /// A belt at `um_s` from time 0, with `changes` in order of time, each after the ramp of the one before.
    ///
    /// # Panics
    /// When changes overlap or are out of order: a mistake of whoever made the timetable.
    #[must_use]
    pub fn new(ticks_per_metre: u32, um_s: f64, changes: &[SpeedChange]) -> Self {
        let ticks_per_um = f64::from(ticks_per_metre) * 1e-6;
        let ticks_per_us = |um_s: f64| um_s * ticks_per_um * 1e-6;
        let mut stretches = Vec::with_capacity(2 * changes.len() + 1);
        let (mut at_us, mut place, mut speed) = (0.0, 0.0, ticks_per_us(um_s));
        let mut add = |to_us: f64, acceleration: f64, at_us: &mut f64, place: &mut f64, speed: &mut f64| {
            let stretch = Stretch {
                from_us: *at_us,
                to_us,
                place: *place,
                speed: *speed,
                acceleration,
            };
            stretches.push(stretch);
            if to_us.is_finite() {
                *place = stretch.place_at(to_us);
                *speed = stretch.speed_at(to_us);
            }
            *at_us = to_us;
        };
        for change in changes {
            let (from, ramp) = (change.at_us as f64, change.ramp_us as f64);
            assert!(from >= at_us, "changes of speed are in order and do not overlap");
            let target = ticks_per_us(change.um_s);
            add(from, 0.0, &mut at_us, &mut place, &mut speed);
            if ramp > 0.0 {
                add(from + ramp, (target - speed) / ramp, &mut at_us, &mut place, &mut speed);
            }
            speed = target;
        }
        add(f64::INFINITY, 0.0, &mut at_us, &mut place, &mut speed);
        let backwards = |s: &&Stretch| s.speed < 0.0 || s.to_us.is_finite() && s.speed_at(s.to_us) < 0.0;
        let forwards_from_us = stretches.iter().rev().find(backwards).map_or(0.0, |s| s.to_us);
        Self {
            stretches,
            ticks_per_um,
            forwards_from_us,
        }
    }

    /// Ticks of `um`.
    #[must_use]
    pub fn ticks(&self, um: f64) -> f64 {
        um * self.ticks_per_um
    }

    /// Micrometres of `ticks`.
    #[must_use]
    pub fn um(&self, ticks: f64) -> f64 {
        ticks / self.ticks_per_um
    }

    /// Where the belt is.
    #[must_use]
    pub fn place_at(&self, us: f64) -> f64 {
        self.stretch_at(us).place_at(us)
    }

    /// How fast it runs, um/s.
    #[must_use]
    pub fn um_s_at(&self, us: f64) -> f64 {
        self.um(self.stretch_at(us).speed_at(us)) * 1e6
    }

    /// First time after `after_us` at which the belt is at `place`; never, when it stands or turns before.
    #[must_use]
    pub fn passes(&self, place: f64, after_us: f64) -> Option<f64> {
        let first = self.index_at(after_us);
        self.stretches[first..]
            .iter()
            .find_map(|stretch| stretch.passes(place, after_us))
    }

    /// Whether the belt may yet run backwards after this time, so that a place is passed more than once.
    #[must_use]
    pub fn turns_after(&self, us: f64) -> bool {
        us < self.forwards_from_us
    }

    fn stretch_at(&self, us: f64) -> &Stretch {
        &self.stretches[self.index_at(us)]
    }

    fn index_at(&self, us: f64) -> usize {
        if self.stretches.len() == 1 {
            return 0;
        }
        self.stretches
            .partition_point(|stretch| stretch.to_us <= us)
            .min(self.stretches.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at_us: u64, ramp_us: u64, um_s: f64) -> SpeedChange {
        SpeedChange { at_us, ramp_us, um_s }
    }

    #[test]
    fn a_constant_belt_is_where_its_speed_brings_it() {
        let belt = Profile::new(20_000, 1_000_000.0, &[]);
        assert!((belt.place_at(1e6) - 20_000.0).abs() < 1e-6);
        assert!((belt.passes(10_000.0, 0.0).unwrap() - 5e5).abs() < 1e-6);
        assert_eq!(belt.passes(10_000.0, 6e5), None);
        assert!(!belt.turns_after(0.0));
    }

    #[test]
    fn places_and_times_agree_over_ramps_stops_and_turns() {
        let belt = Profile::new(
            20_000,
            1_000_000.0,
            &[
                change(1_000_000, 500_000, 2_000_000.0),
                change(3_000_000, 200_000, 0.0),
                change(4_000_000, 100_000, -500_000.0),
                change(5_000_000, 300_000, 1_000_000.0),
            ],
        );
        for place in [5_000.0, 25_000.0, 60_000.0, 80_000.0, 94_000.0] {
            let mut after = 0.0;
            let mut passages = 0;
            while let Some(us) = belt.passes(place, after) {
                assert!((belt.place_at(us) - place).abs() < 1e-3, "{place} at {us}");
                after = us + 1.0;
                passages += 1;
                assert!(passages < 5);
            }
            assert!(
                passages % 2 == 1,
                "{place} was passed {passages} times by a belt that ends forwards"
            );
        }
        assert!(belt.turns_after(4_900_000.0));
        assert!(!belt.turns_after(5_400_000.0));
        assert!(belt.um_s_at(3_500_000.0).abs() < 1e-6);
    }

    #[test]
    fn a_belt_that_has_stopped_for_good_passes_nothing_more() {
        let belt = Profile::new(20_000, 1_000_000.0, &[change(1_000_000, 0, 0.0)]);
        assert!(belt.passes(19_999.0, 0.0).is_some());
        assert_eq!(belt.passes(20_001.0, 0.0), None);
    }
}
