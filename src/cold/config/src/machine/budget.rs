//! What every link must carry at full rate, against what its baud can carry with a third to spare.
//!
//! Cold side, any thread. Counted against us: every message pays for a frame of its own, samples for a frame every
//! 10 ms, and every two frames are acknowledged by one in the other direction. Repeats are in the third.

use wire::limits::{BITS_A_BYTE, MESSAGE_HEAD_MAX, OVERHEAD_BYTES, SAMPLES_HEAD_BYTES, SAMPLES_MAX};

use super::raw::{Board, Group, Raw};

/// Bytes of messages at most, as `docs/WIRE.md` has them.
const EYE_BYTES: f64 = 9.0;
const FIRED_BYTES: f64 = 12.0;
const MASS_BYTES: f64 = 28.0;
const STATUS_BYTES: f64 = 20.0;
const FIRE_BYTES: f64 = 12.0;
const FEED_BYTES: f64 = 3.0;
const CHANNEL_BYTES: f64 = 4.0;
/// Changes a second of a channel that are counted.
const CHANNEL_CHANGES_PER_S: f64 = 10.0;
/// Frames of samples a second at least.
const SAMPLE_FRAMES_PER_S: f64 = 100.0;

/// One link's load at full rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// The board.
    pub board: String,
    /// Bytes a second from the board, frames included.
    pub from_board: f64,
    /// Bytes a second to the board, frames included.
    pub to_board: f64,
    /// Bytes a second that the link carries in each direction.
    pub capacity: f64,
}

impl Budget {
    /// Share of the capacity in the fuller direction.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.from_board.max(self.to_board) / self.capacity
    }
}

/// Messages of one sort.
#[derive(Clone, Copy)]
struct Flow {
    per_s: f64,
    bytes: f64,
}

/// Bytes a second of flows in this direction with a frame each, and of acknowledgements for `frames` of the other.
fn bytes_per_s(flows: &[Flow], other_frames: f64) -> f64 {
    let overhead = OVERHEAD_BYTES as f64;
    let messages: f64 = flows.iter().map(|flow| flow.per_s * (flow.bytes + overhead)).sum();
    messages + other_frames / 2.0 * overhead
}

fn frames_per_s(flows: &[Flow]) -> f64 {
    flows.iter().map(|flow| flow.per_s).sum()
}

const fn flow(per_s: f64, bytes: f64) -> Flow {
    Flow { per_s, bytes }
}

fn of_board(raw: &Raw<'_>, board: &Board<'_>) -> Budget {
    let lanes = |of: &dyn Fn(&Group<'_>) -> bool| -> f64 {
        raw.groups
            .iter()
            .filter(|group| of(group))
            .map(|group| group.lanes.len() as f64)
            .sum()
    };
    let rate = raw.belt.most_pearls_per_s;
    let seen = rate * lanes(&|group| group.board == board.name);
    let blown = rate * lanes(&|group| group.jet_board == board.name);
    let cells = lanes(&|group| group.board == board.name && group.cell.is_some());
    let channels = raw
        .channels
        .iter()
        .filter(|channel| channel.board == board.name)
        .count() as f64;
    let mut from = vec![
        flow(1e6 / f64::from(raw.timing.status_us.max(1)), STATUS_BYTES),
        flow(channels * CHANNEL_CHANGES_PER_S, CHANNEL_BYTES),
        // Trigger and Passed of every pearl.
        flow(2.0 * seen, EYE_BYTES),
        flow(blown, FIRED_BYTES),
    ];
    if raw.drop_eyes.is_some() {
        from.push(flow(blown, EYE_BYTES));
    }
    if raw.camera.as_ref().is_some_and(|camera| camera.on_board) {
        from.push(flow(seen, MESSAGE_HEAD_MAX as f64));
    }
    match &raw.weigh {
        Some(weigh) if weigh.samples => {
            let samples = f64::from(weigh.samples_per_s);
            let frames = (samples / SAMPLES_MAX as f64).max(SAMPLE_FRAMES_PER_S);
            from.push(flow(frames * cells, SAMPLES_HEAD_BYTES as f64 + 3.0 * samples / frames));
        }
        Some(_) => from.push(flow(cells * rate, MASS_BYTES)),
        None => {}
    }
    let to = [
        flow(1e6 / f64::from(raw.timing.feed_us.max(1)), FEED_BYTES),
        flow(blown, FIRE_BYTES),
    ];
    Budget {
        board: board.name.to_owned(),
        from_board: bytes_per_s(&from, frames_per_s(&to)),
        to_board: bytes_per_s(&to, frames_per_s(&from)),
        capacity: f64::from(board.baud) / f64::from(BITS_A_BYTE),
    }
}

/// Adds up every link; what its baud can't carry with a third to spare is a fault.
pub(super) fn check(raw: &Raw<'_>) -> Vec<Budget> {
    let mut budgets = Vec::new();
    for board in &raw.boards {
        let budget = of_board(raw, board);
        let needed = budget.from_board.max(budget.to_board);
        if needed > budget.capacity * 2.0 / 3.0 {
            let baud = needed * 1.5 * f64::from(BITS_A_BYTE);
            let message = format!(
                "{} carries {:.1} kB/s, but the link needs {:.1} kB/s at full rate and a third to spare",
                board.baud,
                budget.capacity / 1e3,
                needed / 1e3
            );
            let help = format!(
                "write at least {:.0}, or give its lanes to more boards",
                (baud / 1e3).ceil() * 1e3
            );
            board.node.error("baud", &message, &help);
        }
        budgets.push(budget);
    }
    budgets
}
