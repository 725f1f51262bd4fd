//! Ticks a metre: passages from entry eye to weigh platform, or landings of a lane without weigh cell. Cold, no clock.

use std::collections::VecDeque;

use setup::commission::{Refusal, Ruler, TicksAMetre, ticks_by_landings, ticks_by_passages};
use units::LaneId;

use super::field::Boards;
use super::jets::landings_at;
use super::operator::Operator;
use super::session::Session;
use super::shots::ticks;
use super::text;
use super::watch::Event;
use crate::exit::Failure;

/// What a ruler is trusted to, um, unless told otherwise.
pub const RULER_U_UM: f64 = 300.0;
/// A passage is a pearl's when it is as long as the file says, within this share and the stations' tolerance.
const NEAR: f64 = 0.1;
/// Pearls of a lane that may be on the way to its platform.
const ON_THE_WAY: usize = 64;

/// Finds ticks a metre on one lane. `ruler` measures from the entry eye to the weigh platform's begin, or to a jet.
///
/// # Errors
/// When boards, belt or signals are not as they should be; data that are refused are the inner error.
pub(super) fn find<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    (lane, jet): (LaneId, Option<usize>),
    ruler: Ruler,
    levels: usize,
    pearls: u64,
) -> Result<Result<TicksAMetre, Refusal>, Failure> {
    let configured = f64::from(session.watch.plan().ticks_per_metre.get());
    if let Some(jet) = jet {
        let levels = landings_at(session, (lane, jet), levels, pearls)?;
        return Ok(ticks_by_landings(&levels, ruler, configured));
    }
    session.start(&[])?;
    let passages = passages(session, lane, pearls)?;
    session.stop()?;
    Ok(ticks_by_passages(&passages, ruler, configured))
}

fn passages<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    lane: LaneId,
    wanted: u64,
) -> Result<Vec<f64>, Failure> {
    let plan = session.watch.plan();
    let expected = plan.lanes[lane.index()]
        .weigh
        .map_or(0.0, |weigh| ticks(plan, weigh.at_um));
    let most_off = NEAR * expected + ticks(plan, plan.tolerances.station_um);
    let mut centres: VecDeque<f64> = VecDeque::with_capacity(ON_THE_WAY);
    let mut passages = Vec::new();
    let mut since = session.watch.now();
    while (passages.len() as u64) < wanted && !session.operator.has_enough() {
        match session.hear()? {
            Some(Event::Pearl(pearl)) if pearl.lane == lane => {
                if centres.len() == ON_THE_WAY {
                    centres.pop_front();
                }
                centres.push_back(pearl.centre);
            }
            Some(Event::Entered(of, tick)) if of == lane => {
                let near: Vec<f64> = centres
                    .iter()
                    .map(|centre| tick - centre)
                    .filter(|passage| (passage - expected).abs() <= most_off)
                    .collect();
                // Two that could be meant tell nothing.
                if let [passage] = near[..] {
                    passages.push(passage);
                    since = session.watch.now();
                    session.operator.progress(text::PASSAGES, passages.len() as u64, wanted);
                }
            }
            _ => {}
        }
        if session.patience_is_over(since) {
            session.operator.tell(&text::nothing_new(0));
            break;
        }
    }
    Ok(passages)
}
