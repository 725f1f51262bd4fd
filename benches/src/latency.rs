//! Decision latency: from the last figure of a pearl leaving the far end to its order arriving there, at
//! [`LATENCY_RATE`](crate::limits::LATENCY_RATE) pearls a second. The far end is one thread at SCHED_FIFO for every
//! contender alike; it stamps right before the write and right after the read, so that what the far end itself does with
//! the bytes counts for nobody.

use std::sync::mpsc;

use rt::{
    clock,
    histogram::Histogram,
    thread::{HotThread, spawn},
};
use serde::{Deserialize, Serialize};

use crate::{
    contender::{Conditions, Contender, FarEnd, Measured, Trouble},
    limits::{LATENCY_PERIOD_US, LATENCY_RATE, MEASURING_US, PRIORITY, SILENCE_US, START_US},
};

/// Quantiles of one run, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half are at or below.
    pub p50_us: f64,
    /// 99 in 100 are at or below.
    pub p99_us: f64,
    /// 999 in 1,000 are at or below.
    pub p99_9_us: f64,
    /// The worst.
    pub max_us: f64,
    /// How many were measured.
    pub count: u64,
}

impl Quantiles {
    /// The quantiles of a histogram of nanoseconds; `None` while empty.
    #[must_use]
    pub fn of_ns(histogram: &Histogram) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let us = |ns: u64| ns as f64 / 1000.0;
        Some(Self {
            p50_us: us(histogram.quantile(0.5)?),
            p99_us: us(histogram.quantile(0.99)?),
            p99_9_us: us(histogram.quantile(0.999)?),
            max_us: us(histogram.max()?),
            count: histogram.count(),
        })
    }
}

/// Runs `contender` for `seconds`; latencies in nanoseconds.
///
/// # Errors
/// When the contender does not start, goes or falls silent.
pub fn measure(
    contender: &dyn Contender,
    conditions: &Conditions,
    seconds: f64,
) -> Result<Measured<Histogram>, Trouble> {
    let mut far_end = contender.start(conditions)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive count"
    )]
    let pearls = (seconds * f64::from(LATENCY_RATE)).ceil() as u32;
    let (answer, answers) = mpsc::sync_channel(1);
    let hot = HotThread {
        name: "far-end".to_owned(),
        priority: Some(PRIORITY),
        core: None,
    };
    let spawned = spawn(hot, move || {
        // Whoever waits below waits for exactly this.
        let _ = answer.send(run(far_end.as_mut(), pearls));
    });
    let spawned = spawned.map_err(|source| Trouble::Failed {
        what: "far end",
        source,
    })?;
    let result = answers.recv().unwrap_or(Err(Trouble::Closed));
    // The thread ends right after its answer; joining it waits for the contender's end too.
    let _ = spawned.handle.join();
    result
}

fn run(far_end: &mut dyn FarEnd, pearls: u32) -> Result<Measured<Histogram>, Trouble> {
    far_end.await_ready(START_US)?;
    // The first fifth of a second warms it up.
    let warm_up = LATENCY_RATE / 5;
    let mut latencies_ns = Histogram::new();
    let mut due = clock::now_us() + LATENCY_PERIOD_US;
    for pearl in 0..warm_up + pearls {
        wait_until(far_end, due)?;
        far_end.trigger(pearl);
        far_end.flush()?;
        wait_until(far_end, due + MEASURING_US)?;
        let latency_ns = ask(far_end, pearl)?;
        if pearl >= warm_up {
            latencies_ns.record(latency_ns);
        }
        // A pearl that comes late delays the next instead of crowding it.
        due = core::cmp::max(due + LATENCY_PERIOD_US, clock::now_us());
    }
    Ok(Measured {
        figure: latencies_ns,
        note: far_end.finish()?,
    })
}

/// Waits until `due`, serving the link meanwhile.
fn wait_until(far_end: &mut dyn FarEnd, due: units::HostUs) -> Result<(), Trouble> {
    loop {
        let left_us = due - clock::now_us();
        if left_us <= 0 {
            return Ok(());
        }
        far_end.receive(left_us.unsigned_abs(), &mut |_| {})?;
    }
}

/// Sends the measurement of `pearl` and waits for its order; the time between in nanoseconds.
fn ask(far_end: &mut dyn FarEnd, pearl: u32) -> Result<u64, Trouble> {
    far_end.measurement(pearl);
    far_end.flush()?;
    let sent_ns = far_end.stamps().written_ns;
    loop {
        let mut came = false;
        far_end.receive(SILENCE_US, &mut |order| came |= order == pearl)?;
        if came {
            return Ok(far_end.stamps().read_ns - sent_ns);
        }
        let passed_ns = clock::now_ns() - sent_ns;
        if passed_ns >= SILENCE_US * 1000 {
            return Err(Trouble::Silent {
                waited_us: passed_ns / 1000,
                outstanding: 1,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        belt::Belt,
        bus_shape::BusThread,
        floor::Floor,
        hot_shapes::{OneThread, ThreeThreads},
        ours::Pearlsort,
    };

    #[test]
    fn contenders_of_this_package_answer_in_time() {
        let conditions = Conditions {
            hold_cpu_latency: true,
            belt: Belt::REAL,
        };
        for contender in [
            &Floor as &dyn Contender,
            &OneThread,
            &ThreeThreads,
            &BusThread,
            &Pearlsort,
        ] {
            let latencies_ns = measure(contender, &conditions, 0.05).expect("it runs");
            let quantiles = Quantiles::of_ns(&latencies_ns.figure).expect("not empty");
            assert_eq!(quantiles.count, 10);
            assert!(quantiles.p50_us > 1.0 && quantiles.p50_us <= quantiles.max_us);
        }
    }
}
