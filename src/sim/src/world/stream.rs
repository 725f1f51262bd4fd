//! The world at a weigh platform whose cell streams samples.
//!
//! Any thread.

use wire::MassStatus;

use super::{Shown, World, ceil};
use crate::faults::Fault;
use crate::lane::{Riding, State};
use crate::platform::{Converter, Load, MESSAGE};
use crate::queue::Event;

/// Pearls that may load a platform during one message.
const LOADS: usize = 8;

impl World {
    /// Plans a cell's next message, for when its last sample has been taken.
    pub(super) fn plan_samples(&mut self, lane: usize) {
        if let Some(platform) = &self.platforms[lane] {
            let event = Event::Samples {
                lane: u8::try_from(lane).unwrap_or(u8::MAX),
            };
            self.queue.plan(ceil(platform.message_us()), event);
        }
    }

    /// A cell's message is full.
    pub(super) fn stream(&mut self, lane: u8, at_us: u64) -> Option<Shown> {
        let index = usize::from(lane);
        let weigh = self.plan.lanes[index].weigh?;
        let loads = self.loads(index);
        let silent = |fault: &Fault| matches!(fault, Fault::CellSilent { lane: dark } if dark.0 == lane);
        let is_silent = self.faults.on(at_us).any(silent);
        let drift_mg = self.faults.cell_drift_ug(lane, at_us) * 1e-3;
        let converter = match self.faults.cell(lane, at_us).0 {
            MassStatus::Stuck => Converter::Stuck,
            MassStatus::Saturated => Converter::Saturated,
            _ => Converter::Sound,
        };
        let platform = self.platforms[index].as_mut()?;
        let (first, begin_us) = (platform.next, platform.next_us);
        let mut data = [0; 3 * MESSAGE];
        for sample in data.as_chunks_mut::<3>().0 {
            *sample = platform.sample(&self.belt, &loads, converter, drift_mg);
        }
        self.plan_samples(index);
        let shown = Shown::Samples {
            board: weigh.board.0,
            cell: weigh.cell,
            first,
            at_us: ceil(begin_us),
            data,
        };
        (!is_silent).then_some(shown)
    }

    /// Pearls on a lane's platform, or nearly, during its next message.
    fn loads(&self, index: usize) -> Vec<Load> {
        let lane = &self.lanes[index];
        let (Some((begin, end)), Some(platform)) = (lane.stations.weigh, &self.platforms[index]) else {
            return Vec::new();
        };
        let place = |us: f64| self.belt.place_at(us);
        let (from, to) = (place(platform.next_us), place(platform.message_us() + 1_000.0));
        let load = |(n, riding): (usize, &Riding)| Load {
            number: lane.first + n as u64,
            enter: riding.place_at_weigh(begin),
            leave: riding.place_at_weigh(end),
            mass_mg: f64::from(riding.pearl.truth.mass_ug) * 1e-3,
        };
        let rides = |(_, riding): &(usize, &Riding)| riding.state == State::Rides;
        let near = |load: &Load| load.enter <= to && load.leave >= from;
        let mut loads: Vec<Load> = Vec::with_capacity(LOADS);
        loads.extend(lane.pearls.iter().enumerate().filter(rides).map(load).filter(near));
        loads
    }
}
