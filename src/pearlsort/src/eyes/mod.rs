//! The host's own eyes: from a camera's flashes to measurements for the core.
//!
//! Two threads, neither of them hot: `camera` takes flashes and hands them on, `eyes` measures. Between them go memory for
//! frames, made once, round and round, and nothing is allocated after start. They are bounded: a flash for which no
//! memory is free, or whose figures would come too late to be used, is not looked at, and its pearl goes to the tray as
//! `Late`. What is refused goes there under its own name. The core sees none of this but the `Measurement`, as a board of a
//! smart camera would have sent it: a recording replays without a picture.
//!
//! Words: a **flash** is a shot with its frames, or without them; **patience** is the time from the flash within which
//! figures are of use.

pub mod calibrate;
pub mod doubts;
mod figures;

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use devices::cameras::{Camera, Shot, Taken, Views};
use rt::counter::{Counter, CounterView};
use rt::histogram::{Histogram, Recorder, RecorderView};
use rt::poll::{Interest, Poller, Waker};
use rt::ring::{Consumer, Producer, ring};
use tracing::error;
use units::BoardId;
use vision::{Calibration, Eye, Limits};
use wire::{Measurement, ViewStatus};

use self::doubts::Copies;
use crate::daemon::{EyesEnd, Seen};
use crate::topology::{self, Priority};

/// A camera is asked for the next flash for so long at a time, us: the end of the program is seen by then.
const ASK_US: u64 = 20_000;
/// The longest that the eyes wait without looking whether the program ends, us.
const LONGEST_WAIT_US: u64 = 50_000;
/// From the figures to the core, at the worst, us: what is later than patience less this is not worth measuring.
const HAND_OVER_US: i64 = 3_000;

/// Memory for flashes, this side and that side of the rings: all that wait, and one that is measured.
const POOL: usize = topology::FLASHES.capacity / 2;
const _: () = assert!(
    topology::EMPTY_VIEWS.capacity > POOL,
    "all memory must fit the ring that brings it back"
);

/// What the eyes are to look with.
pub struct EyesSpec {
    /// Calibration of the stations.
    pub calibration: Calibration,
    /// What pearls may be.
    pub limits: Limits,
    /// Time from the flash within which figures are of use, us: the plan's longest time to a measurement.
    pub patience_us: i64,
}

/// A flash on its way from the camera to the eyes.
struct Flash {
    shot: Shot,
    /// `None`: its frames were lost, or no memory was free for them.
    views: Option<Box<Views>>,
}

/// How many flashes became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EyesCounts {
    /// Measured.
    pub measured: u64,
    /// Refused by the eye, under its name.
    pub refused: u64,
    /// Not looked at, because their figures would have come too late or no memory was free.
    pub late: u64,
    /// Dropped, because the core or the eyes did not keep up at all.
    pub dropped: u64,
}

/// The counters behind [`EyesCounts`], each written by one thread.
#[derive(Default)]
struct Counters {
    measured: Counter,
    refused: Counter,
    late: Counter,
    dropped: Counter,
}

/// The running eyes.
pub struct Eyes {
    stop: Arc<AtomicBool>,
    waker: Waker,
    threads: [JoinHandle<()>; 2],
    counters: [CounterView; 4],
    unseen: CounterView,
    flash_to_figures_us: RecorderView,
    seen: Consumer<Seen>,
}

impl Eyes {
    /// Starts both threads; `copies` of what is looked at are left for whoever keeps pictures of doubt.
    ///
    /// # Errors
    /// When the system gives no thread or descriptor.
    pub fn start(spec: &EyesSpec, camera: Box<dyn Camera>, core: EyesEnd, copies: Option<Copies>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let waker = Waker::new()?;
        let (flashes_in, flashes) = ring(topology::FLASHES.capacity);
        let (mut empty_in, empty) = ring(topology::EMPTY_VIEWS.capacity);
        let (seen_in, seen) = ring(topology::SEEN.capacity);
        for _ in 0..POOL {
            // The ring holds more than there are.
            let _taken = empty_in.offer(Box::new(Views::new(spec.calibration.size_px)));
        }
        let hand = Hand {
            camera,
            views: Box::new(Views::new(spec.calibration.size_px)),
            empty,
            flashes: flashes_in,
            eyes: waker.duplicate()?,
            unseen: Counter::default(),
            stop: Arc::clone(&stop),
        };
        let worker = Worker {
            eye: Eye::new(&spec.calibration, spec.limits),
            patience_us: spec.patience_us,
            flashes,
            empty: empty_in,
            core,
            copies,
            seen: seen_in,
            counters: Counters::default(),
            flash_to_figures_us: Recorder::new(),
            waker: waker.duplicate()?,
            stop: Arc::clone(&stop),
        };
        let of = &worker.counters;
        let counters = [&of.measured, &of.refused, &of.late, &of.dropped].map(Counter::view);
        let (unseen, flash_to_figures_us) = (hand.unseen.view(), worker.flash_to_figures_us.view());
        let mut poller = Poller::new();
        poller.add(waker.as_fd(), Interest::Read).map_err(io::Error::other)?;
        let eyes = start(topology::EYES, move || worker.run(poller))?;
        let camera = start(topology::CAMERA, move || hand.run())?;
        Ok(Self {
            stop,
            waker,
            threads: [camera, eyes],
            counters,
            unseen,
            flash_to_figures_us,
            seen,
        })
    }

    /// The next measurement that went to the core.
    pub fn seen(&mut self) -> Option<Seen> {
        self.seen.pop()
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> EyesCounts {
        let [measured, refused, late, dropped] = [0, 1, 2, 3].map(|k| self.counters[k].get());
        EyesCounts {
            measured,
            refused,
            late,
            dropped: dropped + self.unseen.get(),
        }
    }

    /// Time from the flash to its figures, us.
    #[must_use]
    pub fn flash_to_figures_us(&self) -> Histogram {
        self.flash_to_figures_us.read()
    }

    /// Ends both threads.
    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.waker.wake();
        for thread in self.threads {
            // A thread that has panicked has said so, and its pearls went to the tray.
            let _ended = thread.join();
        }
    }
}

/// Starts a thread as the topology has it.
fn start(thread: topology::Thread, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let priority = match thread.priority {
        Priority::Fifo(level) => Some(level),
        Priority::Ordinary => None,
    };
    let spawned = rt::thread::spawn(
        rt::thread::HotThread {
            name: thread.name.to_owned(),
            priority,
            core: thread.core.number(),
        },
        body,
    )?;
    for refused in spawned.grants.into_iter().filter_map(Result::err) {
        tracing::warn!("{}: {refused}", thread.name);
    }
    Ok(spawned.handle)
}

/// What the `camera` thread does.
struct Hand {
    camera: Box<dyn Camera>,
    /// Memory for the flash that is taken next.
    views: Box<Views>,
    empty: Consumer<Box<Views>>,
    flashes: Producer<Flash>,
    eyes: Waker,
    unseen: Counter,
    stop: Arc<AtomicBool>,
}

impl Hand {
    fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.camera.take(&mut self.views, ASK_US) {
                Ok(Taken::Flash(shot)) => self.hand_on(shot),
                Ok(Taken::Lost(shot)) => self.offer(Flash { shot, views: None }),
                Ok(Taken::Nothing) => {}
                Ok(Taken::End) => return,
                Err(failed) => {
                    // Pearls without figures go to the tray from here on.
                    error!("{failed}");
                    return;
                }
            }
        }
    }

    fn hand_on(&mut self, shot: Shot) {
        let views = self.empty.pop().map(|empty| std::mem::replace(&mut self.views, empty));
        self.offer(Flash { shot, views });
    }

    fn offer(&mut self, flash: Flash) {
        if let Err(flash) = self.flashes.offer(flash) {
            self.unseen.add(1);
            // More shots wait than there is memory for: one without frames, in all likelihood.
            if let Some(views) = flash.views {
                self.views = views;
            }
        }
        self.eyes.wake();
    }
}

/// What the `eyes` thread does.
struct Worker {
    eye: Eye,
    patience_us: i64,
    flashes: Consumer<Flash>,
    empty: Producer<Box<Views>>,
    core: EyesEnd,
    copies: Option<Copies>,
    seen: Producer<Seen>,
    counters: Counters,
    flash_to_figures_us: Recorder,
    waker: Waker,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn run(mut self, mut poller: Poller) {
        while !self.stop.load(Ordering::Relaxed) {
            // An interrupted wait is a short one.
            let _ready = poller.wait(Some(LONGEST_WAIT_US));
            self.waker.take();
            while let Some(Flash { shot, views }) = self.flashes.pop() {
                let measurement = self.look(&shot, views.as_deref());
                self.tell(shot.board, measurement);
                if let Some(views) = views {
                    if let Some(copies) = &mut self.copies {
                        copies.leave(&shot, &views);
                    }
                    // The ring holds all there are.
                    let _returned = self.empty.offer(views);
                }
            }
        }
    }

    fn look(&mut self, shot: &Shot, views: Option<&Views>) -> Measurement {
        let waited_us = rt::clock::now_us().since(shot.fired);
        let Some(views) = views.filter(|_| waited_us < self.patience_us - HAND_OVER_US) else {
            self.counters.late.add(1);
            return figures::without(shot, ViewStatus::Late);
        };
        let measurement = match self.eye.measure(&views.views()) {
            Ok(measured) => {
                self.counters.measured.add(1);
                figures::good(shot, &measured)
            }
            Err(refusal) => {
                self.counters.refused.add(1);
                figures::without(shot, figures::status(refusal.why))
            }
        };
        let took_us = rt::clock::now_us().since(shot.fired);
        self.flash_to_figures_us.record(took_us.max(0).unsigned_abs());
        measurement
    }

    fn tell(&mut self, board: BoardId, measurement: Measurement) {
        let seen = Seen { board, measurement };
        if self.core.views.push(seen).is_err() {
            self.counters.dropped.add(1);
        }
        self.core.waker.wake();
        // Whoever looks at them may be behind; the core is not.
        let _told = self.seen.push(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use devices::cameras::CameraError;
    use sim::draw::{BODIES, Body, Painter, Picture, calibration};
    use sim::pearl::Figures;
    use std::collections::VecDeque;
    use units::{EyeId, HostUs, TriggerSeq};

    /// A camera that gives what it is told to.
    struct Told(VecDeque<(Taken, Option<Picture>)>);

    impl Camera for Told {
        fn take(&mut self, views: &mut Views, _wait_us: u64) -> Result<Taken, CameraError> {
            let Some((taken, picture)) = self.0.pop_front() else {
                return Ok(Taken::End);
            };
            if let Some(picture) = picture {
                let painter = Painter::new(&calibration());
                (0..3).for_each(|k| painter.paint(&picture, k, views.fill(k)));
            }
            Ok(taken)
        }
    }

    fn shot(seq: u16, fired: HostUs) -> Shot {
        Shot {
            board: BoardId(1),
            eye: EyeId(4),
            seq: TriggerSeq(seq),
            fired,
        }
    }

    fn picture(shot: Shot, pearls: usize) -> Picture {
        let body = Body {
            truth: Figures {
                d_um: [7_000, 6_900, 6_800],
                lustre: 6_000,
                blemish_area: 0,
                lab: [8_500, 0, 600],
                mass_ug: 460_000,
            },
            behind_um: 0.0,
            seed: 3,
        };
        let mut bodies = [None; BODIES];
        bodies[..pearls].fill(Some(body));
        Picture { shot, bodies }
    }

    /// Measurements of these flashes, in order.
    fn seen(flashes: Vec<(Taken, Option<Picture>)>) -> (Vec<Seen>, EyesCounts) {
        let count = flashes.len();
        let (views, mut hot) = ring(64);
        let core = EyesEnd {
            views,
            waker: Waker::new().expect("a descriptor"),
        };
        let spec = EyesSpec {
            calibration: calibration(),
            limits: Limits::default(),
            patience_us: 5_000_000,
        };
        let eyes = Eyes::start(&spec, Box::new(Told(flashes.into())), core, None).expect("threads");
        let mut all = Vec::new();
        while all.len() < count {
            match hot.pop() {
                Some(seen) => all.push(seen),
                None => std::thread::yield_now(),
            }
        }
        let counts = eyes.counts();
        eyes.end();
        (all, counts)
    }

    #[test]
    fn every_flash_becomes_a_measurement_of_its_own_trigger() {
        let now = rt::clock::now_us();
        let good = shot(7, now);
        let empty = shot(8, now);
        let old = shot(9, now - 6_000_000);
        let lost = shot(10, now);
        let (all, counts) = seen(vec![
            (Taken::Flash(good), Some(picture(good, 1))),
            (Taken::Flash(empty), Some(picture(empty, 0))),
            (Taken::Flash(old), Some(picture(old, 1))),
            (Taken::Lost(lost), None),
        ]);
        let told: Vec<_> = all
            .iter()
            .map(|seen| {
                (
                    seen.board.0,
                    seen.measurement.eye.0,
                    seen.measurement.seq.0,
                    seen.measurement.status,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, 4, 7, ViewStatus::Good),
                (1, 4, 8, ViewStatus::Empty),
                (1, 4, 9, ViewStatus::Late),
                (1, 4, 10, ViewStatus::Late),
            ]
        );
        let off_um = i32::from(all[0].measurement.d_max_um) - 7_000;
        assert!(off_um.abs() < 60, "{:?}", all[0].measurement);
        let wanted = EyesCounts {
            measured: 1,
            refused: 1,
            late: 2,
            dropped: 0,
        };
        assert_eq!(counts, wanted);
    }
}
