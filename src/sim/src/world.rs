//! The world: belt, pearls, cameras, weigh cells, air. It knows the truth; boards know what it shows them.
//!
//! Any thread; no clock of its own. Whoever runs it asks for [`World::next_us`], calls [`World::step`] at that time, hands what comes out
//! to the boards, and what the boards do back ([`World::valve`], [`World::flash`], [`World::feeder`]).

use line::{DropEyePlan, LinePlan};
use units::{EyeId, LaneId, TriggerSeq, ValveId};
use wire::{Mass, MassStatus, Measurement, ViewStatus};

use crate::air::{Air, Jets};
use crate::belt::Profile;
use crate::chance::Chance;
use crate::demo::Machine;
use crate::faults::{Fault, FaultPlan};
use crate::jet::{Effect, effect};
use crate::lane::{Lane, Riding, State, Stations, place_of};
use crate::nature::Nature;
use crate::pearl::Pearl;
use crate::queue::{Event, Queue};
use crate::truth::{Happened, Interruption, Place, Switched};

/// Streams of chance: lanes have their own from here on.
const STREAM_VALVES: u64 = 1;
const STREAM_FAULTS: u64 = 2;
const STREAM_LANES: u64 = 1_000;
/// Share of a revolution at which the index lies.
const INDEX_PHASE: f64 = 0.37;
/// Edges of two pearls closer than this are one body to the camera, ticks of 50 um.
const TOUCHING_TICKS: f64 = 6.0;

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
    jets: Jets,
    /// Lane of each board's entry eyes.
    entry_lanes: Vec<[Option<u8>; 256]>,
    /// Falling pearls in each drop eye, and eyes that are dead, by board.
    falling: Vec<[u8; 256]>,
    dead: Vec<[bool; 256]>,
    /// Reports of cameras that are on their way; free slots have none.
    views: Vec<Option<Report>>,
    free_views: Vec<u32>,
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
            entry_lanes,
            falling: vec![[0; 256]; plan.boards.len()],
            dead: vec![[false; 256]; plan.boards.len()],
            views: Vec::new(),
            free_views: Vec::new(),
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
        if world.plan.channels.feeder.is_none() {
            world.feeder(true, 0);
        }
        world
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

    /// A board has confirmed an interruption of an entry eye and fires the flash.
    pub fn flash(&mut self, board: u8, eye: EyeId, seq: TriggerSeq, at_us: u64) {
        let Some(lane) = self.entry_lanes[usize::from(board)][eye.index()] else {
            return;
        };
        let at = &mut self.lanes[usize::from(lane)];
        let ordinal = at.interruptions;
        at.interruptions += 1;
        at.current = Some(ordinal);
        self.happened.interruptions.push(Interruption {
            lane: LaneId(lane),
            ordinal,
            seq,
            at_us,
        });
        let mut main = None;
        for (index, riding) in at.pearls.iter_mut().enumerate() {
            if riding.in_eye() && !riding.pearl.missed && riding.interruption.is_none() {
                riding.interruption = Some(ordinal);
                riding.shared = main.is_some();
                main.get_or_insert(index);
            }
        }
        let silent = |fault: &Fault| matches!(fault, Fault::CameraSilent { lane: dark } if dark.0 == lane);
        if self.plan.lanes[usize::from(lane)].camera.is_none() || self.faults.on(at_us).any(silent) {
            return;
        }
        let (measurement, after_us) = self.look(lane, main, eye, seq);
        let at = &mut self.lanes[usize::from(lane)];
        let of = main.map(|index| (LaneId(lane), at.first + index as u64));
        if let Some(index) = main {
            at.pearls[index].view = Some(measurement);
        }
        let slot = self.free_views.pop().unwrap_or_else(|| {
            self.views.push(None);
            u32::try_from(self.views.len() - 1).unwrap_or(0)
        });
        self.views[slot as usize] = Some((board, measurement, of));
        self.queue.plan(later(at_us, after_us), Event::View { slot });
    }

    /// What the camera reports of the pearl of this index in its lane (none: of one seen before), and after what time.
    fn look(&self, lane: u8, main: Option<usize>, eye: EyeId, seq: TriggerSeq) -> (Measurement, f64) {
        let lane = &self.lanes[usize::from(lane)];
        let nothing = Measurement { eye, seq, ..blank() };
        let Some(index) = main else {
            return (
                Measurement {
                    status: ViewStatus::Cut,
                    ..nothing
                },
                self.nature.camera_us.0,
            );
        };
        let own = &lane.pearls[index];
        let others = || {
            lane.pearls
                .iter()
                .enumerate()
                .filter(|(n, other)| *n != index && other.state == State::Rides)
        };
        let distance = |other: &Riding| (other.place - own.place).abs();
        let near = others()
            .filter(|(_, other)| distance(other) <= lane.stations.view)
            .count();
        let in_view = u8::try_from(near + 1).unwrap_or(u8::MAX);
        let touches = others().any(|(_, other)| distance(other) < own.half + other.half + TOUCHING_TICKS);
        let measurement = if touches {
            Measurement {
                status: ViewStatus::Several,
                in_view,
                ..nothing
            }
        } else {
            Measurement {
                eye,
                seq,
                in_view,
                ..own.pearl.seen
            }
        };
        (measurement, own.pearl.seen_after_us)
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
                0.0
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

    /// An edge of a pearl (0 leading, 1 trailing) goes through the entry eye.
    fn edge(&mut self, lane: u8, number: u64, edge: usize, at_us: u64) -> Option<Shown> {
        let first_time = self.meet(lane, number, at_us)?;
        if first_time {
            self.plan_way(lane, number, at_us);
        }
        let eye_error_um = self.lanes[usize::from(lane)].pearl(number)?.pearl.eye_error_um[edge];
        let error = self.belt.ticks(eye_error_um);
        let at = &mut self.lanes[usize::from(lane)];
        let current = at.current.filter(|_| at.dark > 0);
        let riding = at.pearl(number)?;
        let was_in_eye = riding.in_eye();
        riding.through[edge] = !riding.through[edge];
        let is_in_eye = riding.in_eye();
        let true_place = if edge == 0 {
            riding.place - riding.half
        } else {
            riding.place + riding.half
        };
        let event = if edge == 0 {
            Event::Front { lane, number }
        } else {
            Event::Rear { lane, number }
        };
        let missed = riding.pearl.missed;
        if is_in_eye && !missed && riding.interruption.is_none() && current.is_some() {
            riding.interruption = current;
            riding.shared = true;
        }
        if self.belt.turns_after(at_us as f64) {
            self.plan_at(true_place, at_us + 1, event);
        }
        if missed || was_in_eye == is_in_eye {
            return None;
        }
        let at = &mut self.lanes[usize::from(lane)];
        let was_dark = at.dark > 0;
        at.dark = if is_in_eye {
            at.dark + 1
        } else {
            at.dark.saturating_sub(1)
        };
        let is_dark = at.dark > 0;
        if is_dark == was_dark {
            return None;
        }
        if !is_dark {
            at.current = None;
        }
        self.entry_edge(lane, is_dark, true_place + error)
    }

    /// The eye sees light in the middle of a pearl that it sees twice.
    fn flicker(&mut self, lane: u8, dark: bool, at_us: u64) -> Option<Shown> {
        if self.lanes[usize::from(lane)].dark != 1 {
            return None;
        }
        self.entry_edge(lane, dark, self.belt.place_at(at_us as f64))
    }

    fn entry_edge(&self, lane: u8, interrupted: bool, place: f64) -> Option<Shown> {
        let entry = self.plan.lanes[usize::from(lane)].entry;
        let (board, eye) = (entry.board.0, entry.eye);
        let dead = self.dead[entry.board.index()][eye.index()];
        (!dead).then_some(Shown::Eye {
            board,
            eye,
            interrupted,
            place,
        })
    }

    /// Notes that a pearl is at the eye, with what faults make of it there; says whether for the first time.
    fn meet(&mut self, lane: u8, number: u64, at_us: u64) -> Option<bool> {
        let riding = self.lanes[usize::from(lane)].pearl(number)?;
        if riding.state != State::Rides {
            return None;
        }
        if riding.met_us.is_some() {
            return Some(false);
        }
        riding.met_us = Some(at_us);
        for fault in self.faults.on(at_us) {
            match *fault {
                Fault::TriggersMissing { lane: of, share } if of.0 == lane => {
                    riding.pearl.missed |= self.fault_chance.happens(share);
                }
                Fault::TriggersDoubled { lane: of, share } if of.0 == lane => {
                    riding.pearl.doubled |= self.fault_chance.happens(share);
                }
                Fault::SlipUnseen { lane: of, share, um } if of.0 == lane && self.fault_chance.happens(share) => {
                    riding.rolled[1] -= self.belt.ticks(um);
                }
                _ => {}
            }
        }
        Some(true)
    }

    /// Plans a pearl's way from the eye on.
    fn plan_way(&mut self, lane: u8, number: u64, at_us: u64) {
        let at = &mut self.lanes[usize::from(lane)];
        let (weigh, first_jet, end) = (at.stations.weigh, at.stations.jets.first().copied(), at.stations.end);
        let Some(riding) = at.pearl(number) else { return };
        let (place, half) = (riding.place, riding.half);
        let end = riding.place_at_jet(end);
        let weighed = weigh.map(|(_, end)| (riding.place_at_weigh(end), riding.pearl.weighed_after_us));
        let falls = riding
            .pearl
            .falls
            .map(|share| place + share * (first_jet.unwrap_or(end) - 2.0 * half));
        let doubled = riding.pearl.doubled && !riding.pearl.missed;
        self.plan_at(place + half, at_us, Event::Rear { lane, number });
        if doubled {
            self.plan_at(place - 0.1 * half, at_us, Event::Flicker { lane, dark: false });
            self.plan_at(place + 0.1 * half, at_us, Event::Flicker { lane, dark: true });
        }
        if let Some((left, after_us)) = weighed
            && let Some(us) = self.belt.passes(left, at_us as f64)
        {
            self.queue.plan(later(ceil(us), after_us), Event::Mass { lane, number });
        }
        if let Some(place) = falls {
            self.plan_at(place, at_us, Event::Fall { lane, number });
        }
        self.plan_at(end, at_us, Event::End { lane, number });
    }

    fn weigh(&mut self, lane: u8, number: u64, at_us: u64) -> Option<Shown> {
        let plan = self.plan.lanes[usize::from(lane)].weigh?;
        let at = &mut self.lanes[usize::from(lane)];
        let (begin, end) = at.stations.weigh?;
        let shared = at.weighs_two(number, end - begin);
        let weighing = at.weighings;
        let riding = at.pearl(number).filter(|riding| riding.state != State::Told)?;
        let silent = |fault: &Fault| matches!(fault, Fault::CellSilent { lane: dark } if dark.0 == lane);
        if self.faults.on(at_us).any(silent) {
            return None;
        }
        let (mass_ug, u_mass_ug) = if shared { (0, 0) } else { riding.pearl.weighed_ug };
        let mass = Mass {
            cell: plan.cell,
            number: weighing,
            entered: units::Tick32(0),
            left: units::Tick32(0),
            status: if shared { MassStatus::Shared } else { MassStatus::Good },
            mass_ug,
            u_mass_ug,
        };
        riding.mass = Some(mass);
        let error = riding.pearl.gate_error_um.map(|um| self.belt.ticks(um));
        let places = [
            riding.place_at_weigh(begin) + error[0],
            riding.place_at_weigh(end) + error[1],
        ];
        at.weighings = weighing.wrapping_add(1);
        Some(Shown::Mass {
            board: plan.board.0,
            mass,
            places,
            of: (LaneId(lane), number),
        })
    }

    fn rides(&mut self, lane: u8, number: u64) -> bool {
        self.lanes[usize::from(lane)]
            .pearl(number)
            .is_some_and(|riding| riding.state == State::Rides)
    }

    fn air(&mut self, what: Air, jet: u16, at_us: u64) {
        let place = self.belt.place_at(at_us as f64);
        let (blown, again_us) = self.jets.air(what, jet, place, at_us);
        if let Some(us) = again_us {
            self.queue.plan(us, Event::AirHeld { jet });
        }
        let Some(blown) = blown else { return };
        let width = self.belt.ticks(f64::from(self.plan.tolerances.jet_width_um));
        let at = &mut self.lanes[usize::from(blown.lane)];
        let stand = at.stations.jets[usize::from(blown.jet)];
        for (index, riding) in at.pearls.iter_mut().enumerate() {
            let centre = riding.place_at_jet(stand);
            let reach = riding.half + 0.5 * width;
            if riding.state != State::Rides || centre + reach <= blown.from || centre - reach >= blown.to {
                continue;
            }
            let share = crate::jet::impulse(blown.from - centre, blown.to - centre, 2.0 * riding.half, width);
            match &mut riding.blown_by {
                Some((jet, sum)) if *jet == blown.jet => *sum += share,
                other => {
                    *other = Some((blown.jet, share));
                    let number = at.first + index as u64;
                    let us = self.belt.passes(centre + reach, at_us as f64).map_or(at_us, ceil);
                    let us = if centre + reach <= place { at_us } else { us };
                    self.queue.plan(
                        us,
                        Event::Passed {
                            lane: blown.lane,
                            number,
                        },
                    );
                }
            }
        }
    }

    /// A pearl has passed a jet that had touched it.
    fn passed(&mut self, lane: u8, number: u64, at_us: u64) {
        let at = &mut self.lanes[usize::from(lane)];
        let first = at.first;
        let Some(riding) = number
            .checked_sub(first)
            .and_then(|index| at.pearls.get_mut(index as usize))
        else {
            return;
        };
        if riding.state != State::Rides {
            return;
        }
        let Some((jet, share)) = riding.blown_by.take() else {
            return;
        };
        let leaves = match effect(share) {
            Effect::Stays => false,
            Effect::Blown => true,
            Effect::Strays if riding.pearl.stray < 0.5 => true,
            Effect::Strays if riding.pearl.stray < 0.75 => false,
            Effect::Strays => {
                self.tell(lane, number, Place::Lost, at_us);
                return;
            }
        };
        if leaves {
            let centre = riding.place_at_jet(at.stations.jets[usize::from(jet)]);
            let eye = self.plan.lanes[usize::from(lane)].jets[usize::from(jet)].drop_eye;
            self.drop(lane, number, Some(jet), centre, eye, at_us);
        }
    }

    fn end(&mut self, lane: u8, number: u64, at_us: u64) {
        if self.rides(lane, number) {
            let at = &mut self.lanes[usize::from(lane)];
            let end = at.stations.end;
            let Some(riding) = at.pearl(number) else { return };
            let centre = riding.place_at_jet(end);
            let eye = self.plan.lanes[usize::from(lane)].tray_eye;
            self.drop(lane, number, None, centre, eye, at_us);
        }
    }

    /// A pearl leaves the belt at the place where its centre was, and falls towards an eye.
    fn drop(&mut self, lane: u8, number: u64, jet: Option<u8>, centre: f64, eye: Option<DropEyePlan>, at_us: u64) {
        let (least, most) = eye.map_or((50_000, 70_000), |eye| (eye.least_us, eye.most_us));
        let at = &mut self.lanes[usize::from(lane)];
        let Some(riding) = at.pearl(number) else { return };
        let met_us = riding.met_us.unwrap_or(0);
        riding.state = State::Falls(jet);
        let left_us = self.belt.passes(centre, met_us as f64).map_or(at_us, ceil).min(at_us);
        riding.left_us = left_us;
        let fall_us = 0.5 * f64::from(least + most) + riding.pearl.fall_z * f64::from(most - least) / 12.0;
        self.queue
            .plan(later(left_us, fall_us).max(at_us), Event::Land { lane, number });
    }

    fn land(&mut self, lane: u8, number: u64, at_us: u64) -> Option<Shown> {
        let riding = self.lanes[usize::from(lane)].pearl(number)?;
        let State::Falls(jet) = riding.state else { return None };
        let length_um = riding.pearl.length_um;
        let plan = &self.plan.lanes[usize::from(lane)];
        let place = place_of(plan, jet);
        let eye = jet.map_or(plan.tray_eye, |jet| plan.jets[usize::from(jet)].drop_eye);
        self.tell(lane, number, place, at_us);
        let eye = eye?.eye;
        let (board, index) = (eye.board.0, eye.eye.index());
        let clear_us = later(at_us, length_um / self.nature.fall_um_s * 1e6);
        self.queue.plan(clear_us, Event::Clear { board, eye: eye.eye.0 });
        let falling = &mut self.falling[usize::from(board)][index];
        *falling += 1;
        let shows = *falling == 1 && !self.dead[usize::from(board)][index];
        let place = self.belt.place_at(at_us as f64);
        shows.then_some(Shown::Eye {
            board,
            eye: eye.eye,
            interrupted: true,
            place,
        })
    }

    fn clear(&mut self, board: u8, eye: u8, at_us: u64) -> Option<Shown> {
        let falling = &mut self.falling[usize::from(board)][usize::from(eye)];
        *falling = falling.saturating_sub(1);
        let shows = *falling == 0 && !self.dead[usize::from(board)][usize::from(eye)];
        let place = self.belt.place_at(at_us as f64);
        shows.then_some(Shown::Eye {
            board,
            eye: EyeId(eye),
            interrupted: false,
            place,
        })
    }

    fn tell(&mut self, lane: u8, number: u64, place: Place, at_us: u64) {
        if let Some(story) = self.lanes[usize::from(lane)].tell(lane, number, place, at_us, &self.belt) {
            self.happened.stories.push(story);
        }
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

/// A report without figures.
fn blank() -> Measurement {
    Measurement {
        eye: EyeId(0),
        seq: TriggerSeq(0),
        status: ViewStatus::Empty,
        in_view: 0,
        d_max_um: 0,
        d_mid_um: 0,
        d_min_um: 0,
        u_diameter_um: 0,
        u_ddp: 0,
        residual_um: 0,
        taper: 0,
        lab_l: 0,
        lab_a: 0,
        lab_b: 0,
        u_lab: 0,
        overtone_a: 0,
        overtone_b: 0,
        lustre: 0,
        u_lustre: 0,
        blemishes: 0,
        blemish_area: 0,
        u_blemish_area: 0,
        nacre_um: None,
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
