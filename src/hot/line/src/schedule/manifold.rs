//! How many valves of one manifold would be open at once.
//!
//! Hot thread. Counted over the pulses that are ordered, at the jet: the lags of one manifold's valves are alike, so
//! the count is that of the currents too.

use units::{BoardId, OrderId, Tick, ValveId};

use crate::limits::PULSES;
use crate::plan::LinePlan;

/// No manifold.
const NONE: u8 = u8::MAX;

/// A valve's air, from tick to tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pulse {
    pub(crate) valve: ValveId,
    pub(crate) on: Tick,
    pub(crate) off: Tick,
}

#[derive(Clone, Debug)]
struct Group {
    most_open: usize,
    pulses: Vec<(OrderId, Pulse)>,
}

/// All manifolds.
#[derive(Clone, Debug)]
pub(crate) struct Manifolds {
    groups: Vec<Group>,
    /// By board and valve.
    of: Vec<[u8; 256]>,
}

impl Manifolds {
    pub(crate) fn new(plan: &LinePlan) -> Self {
        assert!(plan.manifolds.len() < usize::from(NONE), "too many manifolds");
        let mut of = vec![[NONE; 256]; plan.boards.len()];
        for (index, manifold) in (0..NONE).zip(&plan.manifolds) {
            for valve in &manifold.valves {
                of[manifold.board.index()][valve.index()] = index;
            }
        }
        let group = |most_open: u8| Group {
            most_open: usize::from(most_open),
            pulses: Vec::with_capacity(PULSES),
        };
        Self {
            groups: plan
                .manifolds
                .iter()
                .map(|manifold| group(manifold.most_open))
                .collect(),
            of,
        }
    }

    fn group(&self, board: BoardId, valve: ValveId) -> Option<usize> {
        let index = self.of[board.index()][valve.index()];
        (index != NONE).then_some(usize::from(index))
    }

    /// Whether one more pulse keeps the manifold within its limit.
    pub(crate) fn allows(&self, board: BoardId, pulse: Pulse) -> bool {
        let Some(group) = self.group(board, pulse.valve) else {
            return true;
        };
        let group = &self.groups[group];
        if group.pulses.len() == PULSES {
            return false;
        }
        let overlaps = |other: &Pulse| other.on < pulse.off && other.off > pulse.on && other.valve != pulse.valve;
        let others = || {
            group
                .pulses
                .iter()
                .map(|(_, other)| other)
                .filter(|other| overlaps(other))
        };
        // The most are open at the beginning of one of them.
        let open_at = |tick: Tick| {
            let open = |other: &&Pulse| other.on <= tick && tick < other.off;
            let first_of_valve = |(index, other): &(usize, &Pulse)| {
                !others()
                    .filter(open)
                    .take(*index)
                    .any(|before| before.valve == other.valve)
            };
            others().filter(open).enumerate().filter(first_of_valve).count()
        };
        let starts = others().map(|other| other.on.max(pulse.on)).chain([pulse.on]);
        starts.map(open_at).max().unwrap_or(0) < group.most_open
    }

    pub(crate) fn add(&mut self, board: BoardId, id: OrderId, pulse: Pulse) {
        if let Some(group) = self.group(board, pulse.valve)
            && self.groups[group].pulses.len() < PULSES
        {
            self.groups[group].pulses.push((id, pulse));
        }
    }

    /// The order is closed, or will not be carried out.
    pub(crate) fn remove(&mut self, board: BoardId, id: OrderId, valve: ValveId) {
        if let Some(group) = self.group(board, valve) {
            let pulses = &mut self.groups[group].pulses;
            if let Some(index) = pulses.iter().position(|(of, pulse)| *of == id && pulse.valve == valve) {
                pulses.swap_remove(index);
            }
        }
    }
}
