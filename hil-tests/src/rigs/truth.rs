//! What truly happened on a line in real time, held against what the program says of it: its recording, run through the
//! core again, gives every record and every piece of news with its time. Cold.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use line::{Notice, Record};
use pearlsort::replay::{self, Hear};
use rt::histogram::Histogram;
use sim::OrderSeen;
use sim::judge::Judge;
use sim::real_time::Taken;
use sim::summary::{DecisionUs, LeadMs};
use tape::Ending;
use units::{BoardId, EyeId, HostUs, LaneId, TriggerSeq};
use wire::Counters;

use crate::measure::Observed;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Something that the program saw or said.
#[derive(Clone, Copy, Debug)]
enum Said {
    Told(LaneId, TriggerSeq),
    Record(Record),
    Notice(Notice),
}

/// What a recording tells.
#[derive(Debug, Default)]
pub struct Story {
    said: Vec<(HostUs, Said)>,
    /// Checks that the replay did not meet.
    pub differs: u64,
    /// How the recording ends, when not well.
    pub flaw: Option<String>,
}

/// Hears a replay.
struct Ears<'a> {
    scenario: &'a Scenario,
    said: Vec<(HostUs, Said)>,
}

impl Hear for Ears<'_> {
    fn trigger(&mut self, at: HostUs, board: BoardId, eye: EyeId, seq: TriggerSeq) {
        let is = |lane: &line::LanePlan| lane.entry.board == board && lane.entry.eye == eye;
        let lane = self.scenario.machine.plan.lanes.iter().position(is);
        if let Some(lane) = lane.and_then(|lane| u8::try_from(lane).ok()) {
            self.said.push((at, Said::Told(LaneId(lane), seq)));
        }
    }

    fn record(&mut self, at: HostUs, record: &Record) {
        self.said.push((at, Said::Record(*record)));
    }

    fn notice(&mut self, at: HostUs, notice: Notice) {
        self.said.push((at, Said::Notice(notice)));
    }
}

impl Story {
    /// Reads a recording and runs it through the core again.
    ///
    /// # Errors
    /// When it can't be read, or events are missing in it.
    pub fn read(path: &Path, scenario: &Scenario) -> Result<Self> {
        let mut reader = replay::open(path)?;
        let plan = replay::plan_of(reader.head())?;
        let mut ears = Ears {
            scenario,
            said: Vec::new(),
        };
        let replayed = replay::run_heard(&mut reader, plan, &mut ears).context("the recording")?;
        if replayed.missing > 0 {
            bail!(
                "{} events are missing in the recording: this computer is too slow",
                replayed.missing
            );
        }
        Ok(Self {
            said: ears.said,
            differs: u64::from(replayed.differs_at.is_some()),
            flaw: match &replayed.ending {
                Ending::Whole(_) => None,
                other => Some(other.to_string()),
            },
        })
    }

    /// The core's news, with their times since `zero`.
    #[must_use]
    pub fn notices(&self, zero: HostUs) -> Vec<(u64, Notice)> {
        let notice = |(at, said): &(HostUs, Said)| match said {
            Said::Notice(notice) => Some((at.since(zero).max(0).unsigned_abs(), *notice)),
            _ => None,
        };
        self.said.iter().filter_map(notice).collect()
    }

    /// Forgets the triggers whose records a program that died could not give any more: those within `us` of its end.
    pub fn forget_the_last(&mut self, us: i64) {
        let Some((end, _)) = self.said.last().copied() else {
            return;
        };
        let recorded = |said: &Said| match said {
            Said::Record(record) => Some((record.lane, record.seq)),
            _ => None,
        };
        let recorded: BTreeSet<(LaneId, TriggerSeq)> =
            self.said.iter().filter_map(|(_, said)| recorded(said)).collect();
        self.said.retain(|(at, said)| match said {
            Said::Told(lane, seq) => end.since(*at) >= us || recorded.contains(&(*lane, *seq)),
            _ => true,
        });
    }
}

/// The line's side: taken piece by piece while it runs.
#[derive(Debug, Default)]
pub struct Truth {
    pieces: Vec<Taken>,
}

impl Truth {
    /// Keeps a piece.
    pub fn add(&mut self, taken: Taken) {
        self.pieces.push(taken);
    }

    /// Valves that boards have left open.
    #[must_use]
    pub fn open_valves(&self) -> usize {
        let mut open = BTreeSet::new();
        for switched in self.pieces.iter().flat_map(|piece| &piece.happened.switched) {
            let pin = (switched.board, switched.valve);
            if switched.open {
                open.insert(pin)
            } else {
                open.remove(&pin)
            };
        }
        open.len()
    }

    /// A trace of it.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let mut trace = Trace::default();
        for piece in &self.pieces {
            trace.add(piece.now_us, &piece.happened, &piece.orders, piece.place);
        }
        trace
    }

    /// Holds it against what the program said. `zero` is the host's time at the line's time 0; `forgives` lets pearls be
    /// judged by their figures alone where no record could come.
    #[must_use]
    pub fn judge(self, scenario: &Scenario, zero: HostUs, stories: Vec<Story>, forgives: bool) -> Observed {
        let mut judge = Judge::new(&scenario.machine, f64::from(scenario.um_s)).since(zero);
        if forgives {
            judge = judge.without_records();
        }
        let mut observed = Observed::default();
        let differs: u64 = stories.iter().map(|story| story.differs).sum();
        observed.others.insert("replay-differs", differs as f64);
        let mut said: Vec<(HostUs, Said)> = stories.into_iter().flat_map(|story| story.said).collect();
        said.sort_by_key(|(at, _)| *at);
        let mut notices = Vec::new();
        let mut said = said.into_iter().peekable();
        let (mut leads, mut decisions) = (Histogram::new(), Histogram::new());
        let mut repeats_and_crc = (0, 0);
        for piece in &self.pieces {
            judge.hear(&piece.happened, piece.now_us);
            hear_orders(&piece.orders, &mut leads, &mut decisions);
            let count = |of: fn(&Counters) -> u32| -> u64 { piece.counters.iter().map(|c| u64::from(of(c))).sum() };
            repeats_and_crc = (count(|c| c.repeats), count(|c| c.crc));
            let until = HostUs(zero.0 + piece.now_us.cast_signed());
            while let Some((at, said)) = said.next_if(|(at, _)| *at <= until) {
                hear(&mut judge, &mut notices, zero, at, said);
            }
        }
        for (at, last) in said {
            hear(&mut judge, &mut notices, zero, at, last);
        }
        observed
            .others
            .insert("incomplete", if forgives { 0.0 } else { judge.open_cases() as f64 });
        let (mut summary, complaints) = judge.finish();
        summary.decision_us = DecisionUs::of(&decisions);
        summary.lead_ms = LeadMs::of(&leads);
        (summary.repeats, summary.crc_errors) = repeats_and_crc;
        summary.run_s = self.pieces.last().map_or(0.0, |piece| piece.now_us as f64 * 1e-6);
        observed.summary = Some(summary);
        observed.complaints = complaints;
        observed.notices = Some(notices);
        observed
    }
}

fn hear(judge: &mut Judge, notices: &mut Vec<(u64, Notice)>, zero: HostUs, at: HostUs, said: Said) {
    let at_us = at.since(zero).max(0).unsigned_abs();
    match said {
        Said::Told(lane, seq) => judge.told(lane, seq),
        Said::Record(record) => judge.record(&record, at_us),
        Said::Notice(notice) => {
            judge.notice(&notice, at_us);
            notices.push((at_us, notice));
        }
    }
}

fn hear_orders(orders: &[OrderSeen], leads: &mut Histogram, decisions: &mut Histogram) {
    for order in orders {
        leads.record(order.lead_whole_us());
        if let Some(figures_us) = order.figures_us {
            decisions.record(order.at_us.saturating_sub(figures_us));
        }
    }
}
