//! A field board of the virtual line: the code that every board runs, with a clock, an encoder and a supply of its own.
//!
//! Any thread. Each board has its own zero of ticks and time, and a clock that runs a little fast or slow; the boards'
//! first clocks and counters stand shortly before their 32 bits wrap.

use board::{Board, Description, Now, Outputs};
use units::{EyeId, Tick32, TriggerSeq, ValveId};

use crate::belt::Profile;

/// A board's clock is fast or slow by up to so much, alternately, in millionths.
const CLOCK_PPM: [i64; 4] = [20, -35, 50, -10];
/// A board's counters wrap so long after the run's beginning, and each later board's so much later.
const WRAPS_AFTER_US: u64 = 15_000_000;
const WRAPS_AFTER_TICKS: f64 = 150_000.0;
/// A board that has bytes to send and is not asked is looked at again after so long, us.
const LOOK_AGAIN_US: u64 = 1_000;

/// Something that a board has done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Done {
    Valve { valve: ValveId, open: bool },
    Channel { channel: u8, value: u16 },
    Flash { eye: EyeId, seq: TriggerSeq },
}

/// Gathers what boards do.
pub(crate) struct Hands<'a>(pub(crate) &'a mut Vec<Done>);

impl Outputs for Hands<'_> {
    fn valve(&mut self, valve: ValveId, open: bool) {
        self.0.push(Done::Valve { valve, open });
    }

    fn channel(&mut self, channel: u8, value: u16) {
        self.0.push(Done::Channel { channel, value });
    }

    fn flash(&mut self, eye: EyeId, seq: TriggerSeq, _tick: Tick32) {
        self.0.push(Done::Flash { eye, seq });
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) board: Box<Board>,
    description: Description,
    baud: u32,
    /// Board time at `started_us` of the run.
    clock_zero_us: u64,
    started_us: u64,
    ppm: i64,
    /// What the encoder counts at the belt's place 0; not whole, because each board's disc is glued on its own way.
    tick_zero: f64,
    /// Ticks counted a tick of the belt: 1, 0 while the encoder stands, -1 while it counts backwards.
    sense: f64,
    /// Whether it has no supply.
    pub(crate) dark: bool,
    /// When it next wants to be looked at.
    pub(crate) wake_us: u64,
    /// Since when it has bytes to send.
    pub(crate) wants_line_us: Option<u64>,
    /// Valves that are open, a bit each.
    pub(crate) open: u128,
}

impl Field {
    pub(crate) fn new(number: u8, uid: u64, baud: u32) -> Self {
        let description = Description::standard(uid);
        let n = f64::from(number);
        Self {
            board: Box::new(Board::new(description, baud)),
            description,
            baud,
            clock_zero_us: (1 << 32) - WRAPS_AFTER_US - 7_000_000 * u64::from(number),
            started_us: 0,
            ppm: CLOCK_PPM[usize::from(number) % CLOCK_PPM.len()],
            tick_zero: 4_294_967_296.0 - WRAPS_AFTER_TICKS - 81_234.567 * n - 0.31 * n,
            sense: 1.0,
            dark: false,
            wake_us: 0,
            wants_line_us: None,
            open: 0,
        }
    }

    /// Starts anew, with an empty memory.
    pub(crate) fn restart(&mut self, at_us: u64) {
        self.description.starts = self.description.starts.wrapping_add(1);
        *self.board = Board::new(self.description, self.baud);
        self.clock_zero_us = 0;
        self.started_us = at_us;
        self.tick_zero = -self.tick_zero.rem_euclid(1.0);
        self.dark = false;
        self.open = 0;
        self.wake_us = at_us;
    }

    /// The encoder loses ticks.
    pub(crate) fn slip(&mut self, ticks: i32) {
        self.tick_zero -= f64::from(ticks);
    }

    /// The encoder counts in this sense from a place of the belt on.
    pub(crate) fn count_in_sense(&mut self, sense: f64, place: f64) {
        self.tick_zero += (self.sense - sense) * place;
        self.sense = sense;
    }

    /// The board's clock jumps by `step_us` and runs fast by so many millionths more from now on.
    pub(crate) fn set_clock(&mut self, at_us: u64, step_us: i32, more_ppm: i32) {
        self.clock_zero_us = self.clock(at_us).saturating_add_signed(i64::from(step_us));
        self.started_us = at_us;
        self.ppm += i64::from(more_ppm);
    }

    /// The board's clock at a time of the run.
    pub(crate) fn clock(&self, at_us: u64) -> u64 {
        let since = at_us - self.started_us.min(at_us);
        let drift = i64::try_from(since).unwrap_or(i64::MAX).saturating_mul(self.ppm) / 1_000_000;
        (self.clock_zero_us + since).saturating_add_signed(drift)
    }

    /// The time of the run at which the board's clock has come to `clock`, at the earliest `after_us`.
    fn time_of(&self, clock: u64, after_us: u64) -> u64 {
        let now = self.clock(after_us);
        if clock <= now {
            return after_us;
        }
        let left = clock - now;
        // Right to a microsecond or two, on the early side, for drifts far below a thousandth.
        let drift = i64::try_from(left).unwrap_or(i64::MAX).saturating_mul(self.ppm) / 1_000_000;
        let guess = (after_us + left).saturating_add_signed(-drift);
        let mut us = guess.saturating_sub(2).max(after_us);
        while self.clock(us) < clock {
            us += 1;
        }
        us
    }

    /// The count at a place of the belt.
    #[expect(clippy::cast_possible_truncation, reason = "places of a run fit 53 bits")]
    fn count(&self, place: f64) -> i64 {
        let count = self.sense * place + self.tick_zero;
        let whole = count as i64;
        // Rounded down: without the library's call, which costs more.
        if whole as f64 > count { whole - 1 } else { whole }
    }

    /// The count at a place of the belt, as the board has it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the low 32 bits are wanted"
    )]
    pub(crate) fn tick(&self, place: f64) -> Tick32 {
        Tick32(self.count(place) as u32)
    }

    /// The place of the belt at which the board counts `tick`, the nearest to `near`.
    pub(crate) fn place_of(&self, tick: Tick32, near: f64) -> f64 {
        // A standing encoder has every place at the same count.
        near.floor() + self.sense * f64::from(tick.since(self.tick(near.floor())))
    }

    pub(crate) fn now(&self, at_us: u64, belt: &Profile) -> Now {
        Now {
            us: self.clock(at_us),
            tick: self.tick(belt.place_at(at_us as f64)),
        }
    }

    /// It has bytes to send, from now at the latest.
    pub(crate) fn want_line(&mut self, at_us: u64) {
        self.wants_line_us.get_or_insert(at_us);
    }

    /// Works out when it next wants to be looked at, after something has been done with it at `at_us`. What is still due
    /// after it was polled are bytes for the line.
    pub(crate) fn plan(&mut self, at_us: u64, belt: &Profile, polled: bool) {
        let clock = self.clock(at_us);
        let mut wake_us = u64::MAX;
        let wanted_us = self.wants_line_us.take();
        match self.board.next_deadline_us() {
            Some(due) if due <= clock && polled => {
                self.wants_line_us = Some(wanted_us.unwrap_or(at_us));
                wake_us = at_us + LOOK_AGAIN_US;
            }
            Some(due) if due <= clock => {
                self.wants_line_us = wanted_us;
                wake_us = at_us;
            }
            Some(due) => wake_us = self.time_of(due, at_us),
            None => {}
        }
        if let Some(tick) = self.board.next_match_tick() {
            let place = belt.place_at(at_us as f64);
            let ahead = tick.since(self.tick(place));
            let match_us = if ahead <= 0 {
                Some(at_us + 1)
            } else {
                // A thousandth of a tick beyond its edge, so that rounding never leaves the count one short.
                let count = (self.count(place) + i64::from(ahead)) as f64 - self.tick_zero + 1e-3;
                let edge = (self.sense != 0.0).then(|| count / self.sense);
                edge.and_then(|edge| belt.passes(edge, at_us as f64)).map(whole_us)
            };
            wake_us = wake_us.min(match_us.unwrap_or(u64::MAX));
        }
        self.wake_us = wake_us;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn whole_us(us: f64) -> u64 {
    us.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_wakes_when_its_clock_has_come_there_and_not_before() {
        for number in 0..4 {
            let field = Field::new(number, 1, 1_000_000);
            for (after_us, ahead) in [(0, 1), (5, 1_000), (123_456_789, 9_999_999)] {
                let clock = field.clock(after_us) + ahead;
                let us = field.time_of(clock, after_us);
                assert!(field.clock(us) >= clock);
                assert!(field.clock(us - 1) < clock);
            }
        }
    }

    #[test]
    fn ticks_and_places_agree_over_the_counters_end() {
        let field = Field::new(1, 1, 1_000_000);
        for place in [0.0, 149_999.0, 231_234.9, 300_000.4] {
            let tick = field.tick(place);
            let back = field.place_of(tick, place + 40.0);
            assert!((back - place).abs() <= 1.01, "{place} came back as {back}");
        }
    }
}
