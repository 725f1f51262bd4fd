//! Capacity: how many pearls a second a contender sorts in a closed loop. A pearl is a trigger and a measurement in and an
//! order out; [`OUTSTANDING`] are on their way at any time.

use rt::clock;

use crate::{
    contender::{Conditions, Contender, FarEnd, Measured, Trouble},
    limits::{OUTSTANDING, SILENCE_US, START_US, WARM_UP_PEARLS},
};

/// The loop's state: what was sent and what came back.
struct Loop {
    far_end: Box<dyn FarEnd>,
    sent: u32,
    answered: u32,
}

impl Loop {
    /// Fills up to [`OUTSTANDING`] and takes what comes within `silence_us`.
    fn turn(&mut self, silence_us: u64) -> Result<(), Trouble> {
        while self.sent - self.answered < OUTSTANDING {
            self.far_end.trigger(self.sent);
            self.far_end.measurement(self.sent);
            self.sent += 1;
        }
        self.far_end.flush()?;
        let before = self.answered;
        let started = clock::now_us();
        while self.answered == before {
            let answered = &mut self.answered;
            self.far_end.receive(silence_us, &mut |_| *answered += 1)?;
            let waited_us = (clock::now_us() - started).unsigned_abs();
            if self.answered == before && waited_us >= silence_us {
                return Err(Trouble::Silent {
                    waited_us,
                    outstanding: self.sent - self.answered,
                });
            }
        }
        Ok(())
    }
}

/// Pearls a second over `seconds`, after a warm-up.
///
/// # Errors
/// When the contender does not start, goes or falls silent.
pub fn measure(contender: &dyn Contender, conditions: &Conditions, seconds: f64) -> Result<Measured<f64>, Trouble> {
    let mut closed = Loop {
        far_end: contender.start(conditions)?,
        sent: 0,
        answered: 0,
    };
    closed.far_end.await_ready(START_US)?;
    while closed.answered < WARM_UP_PEARLS {
        closed.turn(SILENCE_US)?;
    }
    let (first, start_ns) = (closed.answered, clock::now_ns());
    loop {
        closed.turn(SILENCE_US)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let passed = (clock::now_ns() - start_ns) as f64 / 1e9;
        if passed >= seconds {
            let pearls_per_s = f64::from(closed.answered - first) / passed;
            return Ok(Measured {
                figure: pearls_per_s,
                note: closed.far_end.finish()?,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::Stamps;
    use crate::{
        belt::Belt,
        bus_shape::BusThread,
        floor::Floor,
        hot_shapes::{OneThread, ThreeThreads},
        ours::Pearlsort,
    };

    #[test]
    fn contenders_of_this_package_answer_every_pearl() {
        let conditions = Conditions {
            hold_cpu_latency: true,
            belt: Belt::FAST,
        };
        for contender in [
            &Floor as &dyn Contender,
            &OneThread,
            &ThreeThreads,
            &BusThread,
            &Pearlsort,
        ] {
            let rate = measure(contender, &conditions, 0.05).expect("it runs").figure;
            assert!(rate > 100.0, "{}: {rate}", contender.name());
        }
    }

    #[test]
    fn a_contender_that_answers_nothing_is_told_silent() {
        struct Deaf;
        impl FarEnd for Deaf {
            fn await_ready(&mut self, _: u64) -> Result<(), Trouble> {
                Ok(())
            }
            fn trigger(&mut self, _: u32) {}
            fn measurement(&mut self, _: u32) {}
            fn flush(&mut self) -> Result<(), Trouble> {
                Ok(())
            }
            fn receive(&mut self, _: u64, _: &mut dyn FnMut(u32)) -> Result<(), Trouble> {
                Ok(())
            }
            fn stamps(&self) -> Stamps {
                Stamps::default()
            }
            fn finish(&mut self) -> Result<Option<String>, Trouble> {
                Ok(None)
            }
        }
        let mut closed = Loop {
            far_end: Box::new(Deaf),
            sent: 0,
            answered: 0,
        };
        assert!(matches!(
            closed.turn(1000),
            Err(Trouble::Silent {
                outstanding: OUTSTANDING,
                ..
            })
        ));
    }
}
