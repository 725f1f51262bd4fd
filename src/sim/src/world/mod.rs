//! The world: belt, pearls, cameras, weigh cells, air. It knows the truth; boards know what it shows them.
//!
//! Any thread; no clock of its own. Whoever runs it asks for [`World::next_us`], calls [`World::step`] at that time, hands what comes out
//! to the boards, and what the boards do back ([`World::valve`], [`World::flash`], [`World::feeder`]).

mod entry;
mod leave;
mod stream;

use line::{LinePlan, WeighSource};
use units::{EyeId, LaneId, ValveId};
use wire::{Mass, Measurement};

use crate::air::{Air, Jets};
use crate::belt::Profile;
use crate::chance::{Chance, Distributions as _};
use crate::demo::Machine;
use crate::draw::Flashed;
use crate::faults::{Fault, FaultPlan};
use crate::lane::{Lane, Riding, Stations};
use crate::nature::Nature;
use crate::pearl::Pearl;
use crate::platform::{MESSAGE, Platform};
use crate::queue::{Event, Queue};
use crate::truth::{Happened, Place, Switched};

/// Streams of chance: lanes have their own from here on.
const STREAM_VALVES: u64 = 1;
const STREAM_FAULTS: u64 = 2;
const STREAM_LANES: u64 = 1_000;
/// Share of a revolution at which the index lies.
const INDEX_PHASE: f64 = 0.37;

/// What touching pearls overlap along the belt: they never lie exactly one behind the other.
const TOUCHING_UM: f64 = -300.0;

/// What the world shows to boards. Places are ticks of the shaft; each board counts them from its own zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// An edge of an eye.
    Eye {
        /// Number of the board.
        board: u8,
        /// The eye.
        eye: EyeId,
        /// Whether it is interrupted now.
        interrupted: bool,
        /// Where the belt was.
        place: f64,
    },
    /// The encoder's index, to all boards.
    Index {
        /// Where the belt was.
        place: f64,
    },
    /// A camera's report.
    Measurement {
        /// Number of the board.
        board: u8,
        /// The report.
        measurement: Measurement,
        /// The pearl, when the camera saw one.
        of: Option<(LaneId, u64)>,
    },
    /// A weigh cell's report; its ticks are yet to be put in.
    Mass {
        /// Number of the board.
        board: u8,
        /// The report.
        mass: Mass,
        /// Where the belt was when the pearl came and left.
        places: [f64; 2],
        /// The pearl.
        of: (LaneId, u64),
    },
    /// A message of a weigh cell that streams samples.
    Samples {
        /// Number of the board.
        board: u8,
        /// The cell.
        cell: u8,
        /// Number of the first sample.
        first: u32,
        /// When it was taken, us of the run.
        at_us: u64,
        /// The samples, as they go over the bus.
        data: [u8; 3 * MESSAGE],
    },
}

/// A camera's report on its way: from which board, what, of which pearl.
type Report = (u8, Measurement, Option<(LaneId, u64)>);

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Pearls a second in each lane, at the speed given.
    pub rate: f64,
    /// Belt speed from time 0, um/s.
    pub um_s: f64,
    /// How it behaves.
    pub nature: Nature,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// The feeder lays no more pearls than these.
    pub most_pearls: u64,
}

/// See the module.
#[derive(Debug)]
pub struct World {
    plan: LinePlan,
    nature: Nature,
    faults: FaultPlan,
    fault_chance: Chance,
    belt: Profile,
    queue: Queue,
    lanes: Vec<Lane>,
    /// Platforms of the lanes whose cells stream.
    platforms: Vec<Option<Platform>>,
    jets: Jets,
    /// Lane of each board's entry eyes.
    entry_lanes: Vec<[Option<u8>; 256]>,
    /// Falling pearls in each drop eye, and eyes that are dead, by board.
    falling: Vec<[u8; 256]>,
    dead: Vec<[bool; 256]>,
    /// Reports of cameras that are on their way; free slots have none.
    views: Vec<Option<Report>>,
    free_views: Vec<u32>,
    /// Flashes whose pictures wait to be taken, where the host looks at them itself.
    pictures: Option<Vec<Flashed>>,
    feeder_runs: bool,
    fed: u64,
    most_pearls: u64,
    /// Least gap and mean further gap of arrivals, ticks.
    gaps: (f64, f64),
    /// What has happened; whoever looks at it clears it.
    pub happened: Happened,
}

impl World {
    /// A world at time 0, with empty lanes.
    #[must_use]
    pub fn new(machine: &Machine, options: WorldOptions) -> Self {
        let plan = machine.plan.clone();
        let belt = Profile::new(
            plan.ticks_per_metre.get(),
            options.um_s,
            &options.faults.speed_changes(),
        );
        let lane = |(n, lane): (usize, &line::LanePlan)| {
            Lane::new(
                Stations::new(lane, &belt),
                Chance::new(options.seed, STREAM_LANES + n as u64),
            )
        };
        let lanes: Vec<Lane> = plan.lanes.iter().enumerate().map(lane).collect();
        let platform = |(n, lane): (u8, &line::LanePlan)| {
            let streams = lane.weigh.is_some_and(|weigh| weigh.source == WeighSource::Samples);
            streams.then(|| Platform::new(&options.nature.cell, options.seed, n, &belt))
        };
        let platforms: Vec<Option<Platform>> = (0..).zip(&plan.lanes).map(platform).collect();
        let mut entry_lanes = vec![[None; 256]; plan.boards.len()];
        for (n, lane) in plan.lanes.iter().enumerate() {
            entry_lanes[lane.entry.board.index()][lane.entry.eye.index()] = u8::try_from(n).ok();
        }
        let nature = options.nature;
        let pitch = belt.ticks(options.um_s / options.rate);
        let least = nature.least_gap * pitch;
        let mut world = Self {
            jets: Jets::new(machine, &nature, Chance::new(options.seed, STREAM_VALVES)),
            nature,
            fault_chance: Chance::new(options.seed, STREAM_FAULTS),
            queue: Queue::default(),
            lanes,
            platforms,
            entry_lanes,
            falling: vec![[0; 256]; plan.boards.len()],
            dead: vec![[false; 256]; plan.boards.len()],
            views: Vec::new(),
            free_views: Vec::new(),
            pictures: None,
            feeder_runs: false,
            fed: 0,
            most_pearls: options.most_pearls,
            gaps: (least, pitch * (1.0 + nature.doubles) - least),
            happened: Happened::default(),
            faults: options.faults,
            belt,
            plan,
        };
        world.plan_faults();
        world.plan_index(0);
        for lane in 0..world.platforms.len() {
            world.plan_samples(lane);
        }
        if world.plan.channels.feeder.is_none() {
            world.feeder(true, 0);
        }
        world
    }

    /// From now on cameras send pictures to the host, not figures to their boards.
    pub fn send_pictures(&mut self) {
        self.pictures = Some(Vec::with_capacity(64));
    }

    /// Flashes since they were last taken.
    pub fn pictures(&mut self) -> impl Iterator<Item = Flashed> + '_ {
        self.pictures.iter_mut().flat_map(|flashes| flashes.drain(..))
    }

    /// What the host has made of a pearl's picture.
    pub fn seen(&mut self, of: (LaneId, u64), measurement: Measurement) {
        if let Some(riding) = self.lanes[of.0.index()].pearl(of.1) {
            riding.view = Some(measurement);
        }
    }

    /// When the next thing happens, us.
    #[must_use]
    pub fn next_us(&self) -> u64 {
        self.queue.next_us()
    }

    /// The belt.
    #[must_use]
    pub fn belt(&self) -> &Profile {
        &self.belt
    }

    /// Pearls that the feeder has laid so far.
    #[must_use]
    pub fn fed(&self) -> u64 {
        self.fed
    }

    /// The feeder lays no more pearls.
    pub fn stop_feeding(&mut self) {
        self.most_pearls = self.most_pearls.min(self.fed);
    }

    /// Whether the feeder has laid all its pearls and none is on the line any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.fed >= self.most_pearls && self.lanes.iter().all(|lane| lane.pearls.is_empty())
    }

    /// The lane whose entry eye this is.
    #[must_use]
    pub fn lane_of_entry(&self, board: u8, eye: EyeId) -> Option<LaneId> {
        self.entry_lanes[usize::from(board)][eye.index()].map(LaneId)
    }

    /// The figures of a pearl have left its board at this time.
    pub fn figures_sent(&mut self, of: (LaneId, u64), at_us: u64) {
        if let Some(riding) = self.lanes[of.0.index()].pearl(of.1) {
            riding.figures_us = Some(at_us);
        }
    }

    /// When the last figures left the board of the pearl in this lane that is nearest to where an order blows: `at` ticks of
    /// belt from now its middle is under the jet of this valve. None when no pearl is within half a jet's pitch.
    #[must_use]
    pub fn figures_of(&self, board: u8, valve: ValveId, at_place: f64) -> Option<u64> {
        let (lane, jet) = self.jets.of(board, valve)?;
        let lane = &self.lanes[usize::from(lane)];
        let stand = lane.stations.jets[usize::from(jet)];
        let distance = |riding: &&Riding| (riding.place + stand - at_place).abs();
        let nearest = lane.pearls.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        nearest.figures_us.filter(|_| distance(&nearest) < 2.0 * nearest.half)
    }

    /// Lets the next thing happen; gives what it shows to boards, if anything.
    pub fn step(&mut self) -> Option<Shown> {
        let (at_us, event) = self.queue.pop()?;
        match event {
            Event::Feed { lane } => self.feed(lane, at_us),
            Event::Front { lane, number } => return self.edge(lane, number, 0, at_us),
            Event::Rear { lane, number } => return self.edge(lane, number, 1, at_us),
            Event::Flicker { lane, dark } => return self.flicker(lane, dark, at_us),
            Event::View { slot } => {
                let (board, measurement, of) = self.views[slot as usize].take()?;
                self.free_views.push(slot);
                return Some(Shown::Measurement { board, measurement, of });
            }
            Event::Mass { lane, number } => return self.weigh(lane, number, at_us),
            Event::Samples { lane } => return self.stream(lane, at_us),
            Event::Fall { lane, number } => {
                if self.rides(lane, number) {
                    self.tell(lane, number, Place::Lost, at_us);
                }
            }
            Event::Passed { lane, number } => self.passed(lane, number, at_us),
            Event::End { lane, number } => self.end(lane, number, at_us),
            Event::Land { lane, number } => return self.land(lane, number, at_us),
            Event::Clear { board, eye } => return self.clear(board, eye, at_us),
            Event::AirOn { jet } => self.air(Air::On, jet, at_us),
            Event::AirOff { jet } => self.air(Air::Off, jet, at_us),
            Event::AirHeld { jet } => self.air(Air::Held, jet, at_us),
            Event::Index => {
                let place = self.belt.place_at(at_us as f64);
                self.plan_index(at_us);
                return Some(Shown::Index { place });
            }
            Event::Fault => self.apply_faults(at_us),
        }
        None
    }

    /// A board has switched a valve.
    pub fn valve(&mut self, board: u8, valve: ValveId, open: bool, at_us: u64) {
        self.happened.switched.push(Switched {
            board,
            valve: valve.0,
            open,
            at_us,
        });
        if let Some((at_us, event)) = self.jets.switch(board, valve, open, at_us) {
            self.queue.plan(at_us, event);
        }
    }

    /// The feeder is switched.
    pub fn feeder(&mut self, runs: bool, at_us: u64) {
        let starts = runs && !self.feeder_runs;
        self.feeder_runs = runs;
        if !starts {
            return;
        }
        let here = self.belt.place_at(at_us as f64) + self.belt.ticks(self.nature.feeder_um);
        for lane in 0..self.lanes.len() {
            if core::mem::take(&mut self.lanes[lane].waits) {
                let at = &mut self.lanes[lane];
                // Behind what the feeder had laid before it stopped, and never two at once.
                at.next_place = at.next_place.max(here) + self.gaps.1 * at.chance.exponential();
                self.plan_feed(lane, at_us);
            }
        }
    }

    fn feed(&mut self, lane: u8, at_us: u64) {
        let index = usize::from(lane);
        if !self.feeder_runs || self.fed >= self.most_pearls {
            self.lanes[index].waits = true;
            return;
        }
        let place = self.lanes[index].next_place;
        let half = self.lay(lane, place, at_us);
        let mut last = place;
        let nature = self.nature;
        let at = &mut self.lanes[index];
        if at.chance.happens(nature.doubles) {
            let apart = if at.chance.happens(nature.touching) {
                TOUCHING_UM
            } else {
                nature.double_gap_um * at.chance.uniform()
            };
            let second = Pearl::draw(&mut at.chance, &nature);
            last = place + half + self.belt.ticks(0.5 * second.length_um + apart);
            self.put(lane, second, last, at_us);
        }
        let at = &mut self.lanes[index];
        at.next_place = last + self.gaps.0 + self.gaps.1 * at.chance.exponential();
        self.plan_feed(index, at_us);
    }

    /// Lays a pearl; gives half its length.
    fn lay(&mut self, lane: u8, place: f64, at_us: u64) -> f64 {
        let pearl = Pearl::draw(&mut self.lanes[usize::from(lane)].chance, &self.nature);
        let half = self.belt.ticks(0.5 * pearl.length_um);
        self.put(lane, pearl, place, at_us);
        half
    }

    fn put(&mut self, lane: u8, pearl: Pearl, place: f64, at_us: u64) {
        self.fed += 1;
        let riding = Riding::new(pearl, place, &self.belt);
        let front = riding.place - riding.half;
        let number = self.lanes[usize::from(lane)].lay(riding);
        self.plan_at(front, at_us, Event::Front { lane, number });
    }

    fn plan_faults(&mut self) {
        for fault in &self.faults.faults {
            self.queue.plan(fault.from_us, Event::Fault);
            self.queue.plan(fault.until_us, Event::Fault);
        }
    }

    /// Brings eyes and valves to what the timetable says for this time.
    fn apply_faults(&mut self, at_us: u64) {
        for dead in &mut self.dead {
            dead.fill(false);
        }
        for fault in self.faults.on(at_us) {
            if let Fault::EyeDead { board, eye } = *fault {
                self.dead[board.index()][eye.index()] = true;
            }
        }
        let place = self.belt.place_at(at_us as f64);
        for (at_us, event) in self.jets.apply_faults(&self.faults, place, at_us) {
            self.queue.plan(at_us, event);
        }
    }

    fn plan_index(&mut self, after_us: u64) {
        let Some(ticks) = self.plan.boards.first().and_then(|board| board.index_ticks) else {
            return;
        };
        let ticks = f64::from(ticks);
        let here = self.belt.place_at(after_us as f64);
        let turn = (here / ticks - INDEX_PHASE).round();
        let after = after_us as f64 + 1.0;
        let passes = |turns: f64| self.belt.passes((turn + turns + INDEX_PHASE) * ticks, after);
        let next = [-1.0, 0.0, 1.0].into_iter().filter_map(passes).min_by(f64::total_cmp);
        if let Some(us) = next {
            self.queue.plan(ceil(us), Event::Index);
        }
    }

    fn plan_feed(&mut self, lane: usize, at_us: u64) {
        let place = self.lanes[lane].next_place - self.belt.ticks(self.nature.feeder_um);
        let event = Event::Feed {
            lane: u8::try_from(lane).unwrap_or(u8::MAX),
        };
        if place <= self.belt.place_at(at_us as f64) {
            self.queue.plan(at_us, event);
        } else {
            self.plan_at(place, at_us, event);
        }
    }

    /// Plans an event for when the belt is next at a place, if it ever is.
    fn plan_at(&mut self, place: f64, after_us: u64, event: Event) {
        if let Some(us) = self.belt.passes(place, after_us as f64) {
            self.queue.plan(ceil(us), event);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn ceil(us: f64) -> u64 {
    us.ceil() as u64
}

fn later(us: u64, after_us: f64) -> u64 {
    us + ceil(after_us)
}
