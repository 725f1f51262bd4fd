//! Cores that are broken on purpose, in virtual time only: what the judge and the runner are held against. The shipped
//! program has none of this; the core runs as it is, and what it gives is spoilt on its way out.
//!
//! Any thread.

use line::{Cause, Destination, Input, LinePlan, Record};
use sim::OrderSeen;
use sim::digest::Digest;
use sim::truth::Happened;
use sim::virtual_time::Listener;
use units::{BoardId, HostUs, Tick32, ValveId};
use wire::ToBoard;

use crate::trace::Trace;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Every order goes to the jet of the bin before, which is the purer one.
    OneBinUp,
    /// Orders are 8 mm of belt late.
    OrdersLate,
    /// Records of pearls that a lost link has kept back are forgotten.
    LinkRecordsLost,
    /// Orders are never taken back.
    CancelsLost,
}

const BREAKS: [(Break, &str); 4] = [
    (Break::OneBinUp, "one-bin-up"),
    (Break::OrdersLate, "orders-late"),
    (Break::LinkRecordsLost, "link-records-lost"),
    (Break::CancelsLost, "cancels-lost"),
];

impl Break {
    /// The break of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        BREAKS.iter().find(|(_, other)| *other == name).map(|(this, _)| *this)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        BREAKS
            .iter()
            .find(|(other, _)| *other == self)
            .map_or("", |(_, name)| name)
    }

    /// Every name.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        BREAKS.iter().map(|(_, name)| *name).collect()
    }
}

/// Stands between the core and the line: breaks what it is told to, and keeps a trace when one is wanted.
pub struct Between<'a> {
    plan: &'a LinePlan,
    breaks: Option<Break>,
    /// What happened, for a file.
    pub trace: Option<Trace>,
}

impl<'a> Between<'a> {
    /// Between the core and a line of this plan.
    #[must_use]
    pub const fn new(plan: &'a LinePlan, breaks: Option<Break>, trace: Option<Trace>) -> Self {
        Self { plan, breaks, trace }
    }

    /// The valve of the jet before that of `valve` in its lane, and how many ticks of belt it stands before it.
    fn jet_before(&self, board: BoardId, valve: ValveId) -> Option<(ValveId, i32)> {
        self.plan.lanes.iter().find_map(|lane| {
            let index = lane
                .jets
                .iter()
                .position(|jet| jet.board == board && jet.valve == valve)?;
            let (jet, before) = (&lane.jets[index], &lane.jets[index.checked_sub(1)?]);
            Some((before.valve, self.ticks(jet.at_um - before.at_um)))
        })
    }

    fn ticks(&self, um: i32) -> i32 {
        let ticks = i64::from(um) * i64::from(self.plan.ticks_per_metre.get()) / 1_000_000;
        i32::try_from(ticks).unwrap_or(0)
    }
}

impl Listener for Between<'_> {
    fn before(&mut self, _at: HostUs, _input: &Input<'_>) {}

    fn after(&mut self, _at: HostUs, _digest: &Digest) {}

    fn record(&mut self, record: &Record) -> bool {
        let is_link = record.sent == Destination::Tray(Cause::Link);
        !(self.breaks == Some(Break::LinkRecordsLost) && is_link)
    }

    fn send(&mut self, board: BoardId, message: &mut ToBoard) -> bool {
        match (self.breaks, message) {
            (Some(Break::OneBinUp), ToBoard::Fire(fire)) => {
                if let Some((valve, ticks)) = self.jet_before(board, fire.valve) {
                    fire.valve = valve;
                    fire.on = Tick32(fire.on.0.wrapping_sub(ticks.cast_unsigned()));
                }
                true
            }
            (Some(Break::OrdersLate), ToBoard::Fire(fire)) => {
                fire.on = Tick32(fire.on.0.wrapping_add(self.ticks(8_000).cast_unsigned()));
                true
            }
            (Some(Break::CancelsLost), ToBoard::Amend(_)) => false,
            _ => true,
        }
    }

    fn happened(&mut self, now_us: u64, happened: &Happened, orders: &[OrderSeen], place: f64) {
        if let Some(trace) = &mut self.trace {
            trace.add(now_us, happened, orders, place);
        }
    }
}
