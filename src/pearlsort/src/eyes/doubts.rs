//! Pictures of pearls that were recirculated, for the operator to look at. Cold; the eyes never wait for it.
//!
//! What becomes of a pearl is known a second after its flash. Until then the eyes leave a copy of its frames here, as long as
//! there is memory for copies; without it nothing is copied, and counted. A record then says which copy goes to the disk.

use std::collections::VecDeque;

use devices::cameras::{Shot, Views};
use inspect::Doubts;
use line::{Destination, LinePlan, Record};
use rt::counter::{Counter, CounterView};
use rt::ring::{Consumer, Producer, ring};
use tracing::warn;
use units::HostUs;

use crate::topology;

/// A copy is forgotten so long after its flash, us: its record has come by then, or never will.
const FORGET_US: i64 = 5_000_000;
/// Pearls written to the disk in a second at most: an operator looks at a few, and the cold thread has more to do.
const MOST_A_SECOND: u32 = 5;

const COPIES: usize = topology::CROPS.capacity - 1;
const _: () = assert!(
    topology::EMPTY_CROPS.capacity > COPIES,
    "all copies must fit the ring back"
);

/// A copy of a flash's frames.
struct Crop {
    shot: Shot,
    views: Box<Views>,
}

/// The eyes' end.
pub struct Copies {
    empty: Consumer<Box<Views>>,
    crops: Producer<Crop>,
    skipped: Counter,
}

impl Copies {
    /// Leaves a copy, if there is memory for it.
    pub(super) fn leave(&mut self, shot: &Shot, views: &Views) {
        let Some(mut copy) = self.empty.pop() else {
            self.skipped.add(1);
            return;
        };
        copy.copy_from(views);
        // The ring holds all there are.
        let _left = self.crops.offer(Crop {
            shot: *shot,
            views: copy,
        });
    }
}

/// The cold end.
pub struct DoubtKeeper {
    doubts: Doubts,
    empty: Producer<Box<Views>>,
    crops: Consumer<Crop>,
    skipped: CounterView,
    waiting: VecDeque<Crop>,
    /// When the second began in which so many were written.
    second: (HostUs, u32),
    kept: u64,
    /// Doubtful pearls that found no copy, no time, or no room on the disk.
    missed: u64,
}

impl DoubtKeeper {
    /// A keeper that writes into `doubts`, and the eyes' end of it. Frames are of this size.
    #[must_use]
    pub fn new(doubts: Doubts, size_px: (usize, usize)) -> (Self, Copies) {
        let (mut empty, empty_out) = ring(topology::EMPTY_CROPS.capacity);
        let (crops_in, crops) = ring(topology::CROPS.capacity);
        for _ in 0..COPIES {
            // The ring holds more than there are.
            let _made = empty.offer(Box::new(Views::new(size_px)));
        }
        let skipped = Counter::new();
        let keeper = Self {
            doubts,
            empty,
            crops,
            skipped: skipped.view(),
            waiting: VecDeque::with_capacity(COPIES),
            second: (HostUs(i64::MIN / 2), 0),
            kept: 0,
            missed: 0,
        };
        let copies = Copies {
            empty: empty_out,
            crops: crops_in,
            skipped,
        };
        (keeper, copies)
    }

    /// What became of a pearl: its copy goes to the disk when it was recirculated, and back to the eyes in any case.
    pub fn record(&mut self, plan: &LinePlan, record: &Record, now: HostUs) {
        while let Some(crop) = self.crops.pop() {
            self.waiting.push_back(crop);
        }
        let Some(entry) = plan.lanes.get(record.lane.index()).map(|lane| lane.entry) else {
            return;
        };
        let is_its =
            |crop: &Crop| crop.shot.board == entry.board && crop.shot.eye == entry.eye && crop.shot.seq == record.seq;
        let crop = self
            .waiting
            .iter()
            .position(is_its)
            .and_then(|at| self.waiting.remove(at));
        if let Destination::Tray(cause) = record.sent {
            let why = format!("lane {} trigger {}: {}", record.lane.0, record.seq.0, cause.name());
            match &crop {
                Some(crop) if self.has_time(now) => self.keep(&crop.views, &why),
                _ => self.missed += 1,
            }
        }
        self.give_back(crop);
        let is_old = |crop: &Crop| now.since(crop.shot.fired) > FORGET_US;
        while self.waiting.front().is_some_and(is_old) {
            let old = self.waiting.pop_front();
            self.give_back(old);
        }
    }

    /// Pearls kept, and doubtful ones that were not.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.kept, self.missed)
    }

    /// Flashes of which no copy was left because no memory was free.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.get()
    }

    fn has_time(&mut self, now: HostUs) -> bool {
        if now.since(self.second.0) >= 1_000_000 {
            self.second = (now, 0);
        }
        self.second.1 += 1;
        self.second.1 <= MOST_A_SECOND
    }

    fn keep(&mut self, views: &Views, why: &str) {
        match self.doubts.keep(&views.views(), why) {
            Ok(_) => self.kept += 1,
            Err(error) => {
                self.missed += 1;
                warn!("a picture of doubt is not kept: {error}");
            }
        }
    }

    fn give_back(&mut self, crop: Option<Crop>) {
        if let Some(crop) = crop {
            // The ring holds all there are.
            let _returned = self.empty.offer(crop.views);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use line::{Cause, Landing};
    use sim::demo::{DemoOptions, demo_plan};
    use units::{LaneId, Micrometres, PearlId, Tick, TriggerSeq};

    fn record(seq: u16, sent: Destination) -> Record {
        Record {
            pearl: PearlId(1),
            lane: LaneId(1),
            seq: TriggerSeq(seq),
            triggered: HostUs(0),
            centre: Tick(0),
            length: Micrometres(7_000),
            view: None,
            mass: None,
            earned: None,
            sent,
            landing: Landing::Seen,
            decision_us: None,
            lead_us: None,
            recipe: 0,
            lot: 0,
        }
    }

    #[test]
    fn what_was_recirculated_is_kept_and_every_copy_comes_back() {
        let folder = std::env::temp_dir().join(format!("doubt-keeper-{}", std::process::id()));
        let plan = demo_plan(2, DemoOptions::default());
        let doubts = Doubts::open(&folder, u64::MAX).expect("a folder");
        let (mut keeper, mut copies) = DoubtKeeper::new(doubts, (64, 64));
        let mut views = Views::new((64, 64));
        (0..3).for_each(|k| views.fill(k).fill(77));
        let entry = plan.lanes[1].entry;
        let rounds = u16::try_from(3 * COPIES).expect("a few");
        for seq in 0..rounds {
            let shot = Shot {
                board: entry.board,
                eye: entry.eye,
                seq: TriggerSeq(seq),
                fired: HostUs(0),
            };
            copies.leave(&shot, &views);
            let sent = if seq == 5 {
                Destination::Tray(Cause::NoMeasurement)
            } else {
                Destination::Bin(units::BinId(0))
            };
            keeper.record(&plan, &record(seq, sent), HostUs(1_000));
        }
        assert_eq!((keeper.counts(), keeper.skipped()), ((1, 0), 0));
        let shown = inspect::kept(&folder, 9);
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].why, "lane 1 trigger 5: no_measurement");
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
