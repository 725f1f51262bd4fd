//! How lanes, valves and leads are, from the pearls' records.
//!
//! Cold, any thread. Words: a **share** runs over the latest [`SHARE_OVER`] pearls, each counting a little less than the
//! one after it.

use line::{Cause, Destination, Landing, Record};
use units::{BinId, BoardId, LaneId, ValveId};

use crate::limits::{LEADS, LEAST_LEADS, LEAST_PEARLS, SHARE_OVER};
use crate::setup::Setup;

/// A running share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    count: u64,
    share: f64,
}

impl Share {
    fn take(&mut self, hit: bool) {
        self.count += 1;
        #[expect(clippy::cast_precision_loss, reason = "the first hundred alone matter")]
        let weight = (1.0 / self.count as f64).max(1.0 / SHARE_OVER);
        self.share += (f64::from(u8::from(hit)) - self.share) * weight;
    }

    /// The share, 0 to 1; `None` while it says nothing yet.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        (self.count >= LEAST_PEARLS).then_some(self.share)
    }
}

/// One jet of a lane and its valve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valve {
    /// Board that drives it.
    pub board: BoardId,
    /// The valve there.
    pub valve: ValveId,
    /// Bin that it blows into.
    pub bin: BinId,
    /// Pearls that it blew.
    pub fires: u64,
    /// Share of its pearls that the drop eye saw; nothing where there is no eye.
    pub confirmed: Share,
    /// How much later its pearls land than they did, us; `None` before the core has told.
    pub drift_us: Option<i32>,
    /// Orders that the board refused as late.
    pub late: u64,
    /// Orders that the board did not carry out.
    pub faults: u64,
}

/// One lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Pearls done.
    pub done: u64,
    /// Of them binned.
    pub binned: u64,
    /// Of them recirculated.
    pub recirculated: u64,
    /// Of them lost.
    pub lost: u64,
    /// Of them without a view that holds.
    pub unseen: u64,
    /// Pearls recirculated, by [`Cause::index`].
    pub causes: Vec<u64>,
    /// Share without a view that holds.
    pub no_view: Share,
    /// Share without a mass that holds.
    pub no_mass: Share,
    /// Its jets, in belt order.
    pub valves: Vec<Valve>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Health {
    lanes: Vec<Lane>,
    /// Share of all pearls that were recirculated for a fault.
    faulty: Share,
    leads_us: Vec<i32>,
    next_lead: usize,
}

impl Health {
    pub(crate) fn new(setup: &Setup) -> Self {
        let lane = |jets: &Vec<crate::setup::JetSetup>| Lane {
            done: 0,
            binned: 0,
            recirculated: 0,
            lost: 0,
            unseen: 0,
            causes: vec![0; Cause::COUNT],
            no_view: Share::default(),
            no_mass: Share::default(),
            valves: jets.iter().map(new_valve).collect(),
        };
        Self {
            lanes: setup.lanes.iter().map(lane).collect(),
            faulty: Share::default(),
            leads_us: Vec::with_capacity(LEADS),
            next_lead: 0,
        }
    }

    /// The lanes.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Share of all pearls that were recirculated for a fault or for being too close.
    #[must_use]
    pub fn faulty(&self) -> Option<f64> {
        self.faulty.get()
    }

    /// Pearls recirculated for a cause, all lanes.
    #[must_use]
    pub fn recirculated(&self, cause: Cause) -> u64 {
        self.lanes.iter().map(|lane| lane.causes[cause.index()]).sum()
    }

    /// 99 % of the latest leads are longer, us; `None` before there are enough.
    #[must_use]
    pub fn lead_p1_us(&self) -> Option<i32> {
        if self.leads_us.len() < LEAST_LEADS {
            return None;
        }
        let mut sorted = self.leads_us.clone();
        sorted.sort_unstable();
        Some(sorted[sorted.len() / 100])
    }

    pub(crate) fn drift(&mut self, board: BoardId, valve: ValveId, us: i32) {
        let valves = self.lanes.iter_mut().flat_map(|lane| &mut lane.valves);
        for of in valves.filter(|of| of.board == board && of.valve == valve) {
            of.drift_us = Some(us);
        }
    }

    pub(crate) fn record(&mut self, record: &Record, setup: &Setup) {
        if let Some(lead_us) = record.lead_us {
            self.take_lead(lead_us);
        }
        let faulty = matches!(record.sent, Destination::Tray(cause) if is_fault(cause))
            || matches!(record.landing, Landing::Lost | Landing::Tray);
        if !matches!(record.sent, Destination::Tray(Cause::NotRunning | Cause::Hold)) {
            self.faulty.take(faulty);
        }
        self.record_in_lane(record, setup);
    }

    fn record_in_lane(&mut self, record: &Record, setup: &Setup) {
        let Some(lane) = self.lanes.get_mut(record.lane.index()) else {
            return;
        };
        lane.done += 1;
        match (record.sent, record.landing) {
            (_, Landing::Lost) => lane.lost += 1,
            (_, Landing::Bin(_)) | (Destination::Bin(_), Landing::Seen | Landing::NoEye) => lane.binned += 1,
            (Destination::Bin(_), Landing::Tray) => lane.recirculate(Cause::Missed),
            (Destination::Tray(cause), _) => lane.recirculate(cause),
        }
        if let Destination::Tray(cause) = record.sent {
            let no_view = matches!(cause, Cause::NoMeasurement | Cause::View(_));
            lane.unseen += u64::from(no_view);
            if !matches!(cause, Cause::NotRunning | Cause::Hold) {
                lane.no_view.take(no_view);
                lane.no_mass.take(matches!(cause, Cause::NoMass | Cause::Mass(_)));
            }
        } else {
            lane.no_view.take(false);
            lane.no_mass.take(false);
        }
        let bin = match record.sent {
            Destination::Bin(bin) => Some(bin),
            Destination::Tray(Cause::OrderLate | Cause::OrderFault) => record.earned,
            Destination::Tray(_) => None,
        };
        let jet = bin.and_then(|bin| setup.jet(record.lane, bin));
        if let Some((place, jet)) = jet {
            lane.valves[place].record(record, jet.has_eye);
        }
    }

    fn take_lead(&mut self, lead_us: i32) {
        if self.leads_us.len() < LEADS {
            self.leads_us.push(lead_us);
        } else {
            self.leads_us[self.next_lead] = lead_us;
            self.next_lead = (self.next_lead + 1) % LEADS;
        }
    }

    /// The valve of a lane's bin.
    #[must_use]
    pub fn valve(&self, lane: LaneId, bin: BinId) -> Option<&Valve> {
        let lane = self.lanes.get(lane.index())?;
        lane.valves.iter().find(|valve| valve.bin == bin)
    }
}

impl Lane {
    fn recirculate(&mut self, cause: Cause) {
        self.recirculated += 1;
        self.causes[cause.index()] += 1;
    }
}

impl Valve {
    fn record(&mut self, record: &Record, has_eye: bool) {
        match record.sent {
            Destination::Tray(Cause::OrderLate) => self.late += 1,
            Destination::Tray(_) => self.faults += 1,
            Destination::Bin(_) => {
                self.fires += 1;
                match record.landing {
                    Landing::Seen if has_eye => self.confirmed.take(true),
                    Landing::Lost | Landing::Tray | Landing::Bin(_) if has_eye => self.confirmed.take(false),
                    _ => {}
                }
            }
        }
    }
}

fn new_valve(jet: &crate::setup::JetSetup) -> Valve {
    Valve {
        board: jet.board,
        valve: jet.valve,
        bin: jet.bin,
        fires: 0,
        confirmed: Share::default(),
        drift_us: None,
        late: 0,
        faults: 0,
    }
}

/// Whether a cause of recirculation is a fault of machine or feed, rather than the recipe's or an operator's choice.
#[must_use]
pub const fn is_fault(cause: Cause) -> bool {
    !matches!(
        cause,
        Cause::NoBin | Cause::Doubt | Cause::NotRunning | Cause::Hold | Cause::Inhibited | Cause::Quarantine
    )
}
