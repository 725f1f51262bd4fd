//! Which trigger a frame belongs to: frames are numbered by their camera, triggers by their board, and either may get lost.
//!
//! Any thread; no clock, no allocation after start. The first frame whose time allows a single trigger ties the two
//! numberings together; from then on the numbers alone say which trigger a frame is of, and its time only has to agree. A
//! trigger whose frame's number is passed over is **lost**, a frame without a trigger is **extra**; a frame whose time does
//! not agree with its number unties them again, because then every pearl after it would get its neighbour's figures.

use units::HostUs;

use super::Shot;

/// Triggers that may wait for their frame at once: 100 ms of the fastest lane, and to spare.
pub const WAITING: usize = 16;

/// From the flash to the frame's arrival, us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// At least.
    pub least_us: i64,
    /// At most; after that the frame counts as lost.
    pub most_us: i64,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The frame of this flash.
    Of(Shot),
    /// A frame of no flash that is known, or of which of several can't be told.
    Extra,
}

/// See the module.
#[derive(Debug)]
pub struct Sequence {
    window: Window,
    /// Shots that wait, oldest first.
    waiting: [Option<Shot>; WAITING],
    count: usize,
    /// Frame number less trigger number, once they are tied.
    offset: Option<u64>,
    lost: u64,
    extra: u64,
}

impl Sequence {
    /// For a camera whose frames arrive within this time.
    #[must_use]
    pub const fn new(window: Window) -> Self {
        Self {
            window,
            waiting: [None; WAITING],
            count: 0,
            offset: None,
            lost: 0,
            extra: 0,
        }
    }

    /// Frames lost and extra frames so far.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.lost, self.extra)
    }

    /// A trigger has fired the flash. Gives back the oldest that waits when there are too many: its frame is lost.
    pub fn fired(&mut self, shot: Shot) -> Option<Shot> {
        let pushed_out = if self.count == WAITING { self.lose() } else { None };
        self.waiting[self.count] = Some(shot);
        self.count += 1;
        pushed_out
    }

    /// A frame of this number has come. Shots passed over by it come out of [`Self::overdue`].
    pub fn frame(&mut self, number: u64, at: HostUs) -> Match {
        let found = match self.offset {
            Some(offset) => self.place_of(number.wrapping_sub(offset)),
            None => self.only_candidate(at),
        };
        let in_time = |shot: Shot| self.fits(shot, at);
        match found.and_then(|place| Some((place, self.waiting[place]?))) {
            Some((place, shot)) if in_time(shot) => {
                self.offset = Some(number.wrapping_sub(u64::from(shot.seq.0)));
                self.passed_over(place);
                self.take_first();
                Match::Of(shot)
            }
            _ => {
                // The numbers no longer mean what they did, or never did.
                self.offset = None;
                self.extra += 1;
                Match::Extra
            }
        }
    }

    /// The next shot whose frame will not come any more.
    pub fn overdue(&mut self, now: HostUs) -> Option<Shot> {
        let first = self.waiting[0]?;
        (now.since(first.fired) > self.window.most_us)
            .then(|| self.lose())
            .flatten()
    }

    fn fits(&self, shot: Shot, at: HostUs) -> bool {
        (self.window.least_us..=self.window.most_us).contains(&at.since(shot.fired))
    }

    /// The one shot that a frame of this time can be of; none when several can.
    fn only_candidate(&self, at: HostUs) -> Option<usize> {
        let mut fitting = (0..self.count).filter(|&k| self.waiting[k].is_some_and(|shot| self.fits(shot, at)));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }

    /// Where the shot of this number waits, counted in the 16 bits of triggers: cameras count in as many or more.
    fn place_of(&self, number: u64) -> Option<usize> {
        let number = number & u64::from(u16::MAX);
        (0..self.count).find(|&k| self.waiting[k].is_some_and(|shot| u64::from(shot.seq.0) == number))
    }

    /// Makes what waits before `place` overdue at once.
    fn passed_over(&mut self, place: usize) {
        // They move behind the one that was found, so that it is first; their time is up.
        self.waiting[..=place].rotate_right(1);
        for shot in self.waiting[1..=place].iter_mut().flatten() {
            shot.fired = HostUs(i64::MIN / 2);
        }
    }

    fn lose(&mut self) -> Option<Shot> {
        self.lost += 1;
        self.take_first()
    }

    fn take_first(&mut self) -> Option<Shot> {
        let first = self.waiting[0].take();
        if first.is_some() {
            self.waiting[..self.count].rotate_left(1);
            self.count -= 1;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::{BoardId, EyeId, TriggerSeq};

    const WINDOW: Window = Window {
        least_us: 1_000,
        most_us: 20_000,
    };

    fn shot(seq: u16, fired_us: i64) -> Shot {
        Shot {
            board: BoardId(0),
            eye: EyeId(0),
            seq: TriggerSeq(seq),
            fired: HostUs(fired_us),
        }
    }

    /// A camera whose frames have come from 100 on for triggers from 65,530 on.
    fn tied() -> Sequence {
        let mut sequence = Sequence::new(WINDOW);
        assert_eq!(sequence.fired(shot(65_530, 0)), None);
        assert_eq!(sequence.frame(100, HostUs(5_000)), Match::Of(shot(65_530, 0)));
        sequence
    }

    #[test]
    fn numbers_go_together_over_the_end_of_either_count() {
        for wraps in [true, false] {
            let mut sequence = tied();
            for k in 1..200_000_u32 {
                let at = i64::from(k) * 30_000;
                let seq = u16::try_from((65_530 + k) % 65_536).expect("16 bits");
                let number = u64::from(if wraps { (100 + k) % 65_536 } else { 100 + k });
                sequence.fired(shot(seq, at));
                assert_eq!(sequence.frame(number, HostUs(at + 4_000)), Match::Of(shot(seq, at)));
            }
            assert_eq!(sequence.counts(), (0, 0));
        }
    }

    #[test]
    fn a_lost_frame_costs_its_own_pearl_alone() {
        let mut sequence = tied();
        for seq in 65_531..65_534 {
            sequence.fired(shot(seq, 100_000 + i64::from(seq - 65_531) * 3_000));
        }
        assert_eq!(sequence.frame(102, HostUs(107_500)), Match::Of(shot(65_532, 103_000)));
        let lost = sequence.overdue(HostUs(107_500)).expect("the one before it");
        assert_eq!(lost.seq, TriggerSeq(65_531));
        assert_eq!(sequence.overdue(HostUs(107_500)), None);
        assert_eq!(sequence.frame(103, HostUs(111_000)), Match::Of(shot(65_533, 106_000)));
        assert_eq!(sequence.counts(), (1, 0));
    }

    #[test]
    fn an_extra_frame_gets_no_pearl_and_the_next_ones_are_right_again() {
        let mut sequence = tied();
        assert_eq!(sequence.frame(101, HostUs(50_000)), Match::Extra);
        // The camera has counted one more than the board: tied anew by time.
        sequence.fired(shot(65_531, 100_000));
        assert_eq!(sequence.frame(102, HostUs(104_000)), Match::Of(shot(65_531, 100_000)));
        sequence.fired(shot(65_532, 200_000));
        assert_eq!(sequence.frame(103, HostUs(204_000)), Match::Of(shot(65_532, 200_000)));
        assert_eq!(sequence.counts(), (0, 1));
    }

    #[test]
    fn which_of_two_is_not_guessed() {
        let mut sequence = Sequence::new(WINDOW);
        sequence.fired(shot(1, 0));
        sequence.fired(shot(2, 3_000));
        assert_eq!(sequence.frame(9, HostUs(8_000)), Match::Extra);
        assert_eq!(
            sequence.overdue(HostUs(20_001)).map(|shot| shot.seq),
            Some(TriggerSeq(1))
        );
    }

    #[test]
    fn a_frame_that_comes_too_late_is_nobodys() {
        let mut sequence = tied();
        sequence.fired(shot(65_531, 100_000));
        assert_eq!(sequence.frame(101, HostUs(121_000)), Match::Extra);
        assert_eq!(
            sequence.overdue(HostUs(121_000)).map(|shot| shot.seq),
            Some(TriggerSeq(65_531))
        );
    }
}
