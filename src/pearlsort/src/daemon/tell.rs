//! What the hot side's news mean, in words for the person at the machine: what happened, where, and what to do. Cold.

use devices::DownReason;
use line::{DownCause, HoldCause, Notice};
use tracing::{debug, error, info, warn};
use units::BoardId;

use super::News;

/// Writes one piece of news to the log. `board_name` names a board as the configuration does.
pub fn tell(news: &News, board_name: &dyn Fn(BoardId) -> String) {
    match news {
        News::Refused(board, refusal) => error!("board {}: {refusal}", board_name(*board)),
        News::Down(board, reason) => {
            if let Some(text) = down_text(*reason) {
                warn!("board {}: {text}", board_name(*board));
            }
        }
        News::Core(notice) => tell_notice(notice, board_name),
    }
}

/// Text for a link that went down, or `None` where the refusal has told it already.
fn down_text(reason: DownReason) -> Option<&'static str> {
    match reason {
        DownReason::Port => Some("the port is gone; it is sought again (is the plug in?)"),
        DownReason::Silence => Some("nothing came for too long; it is called again (is it powered?)"),
        DownReason::Watchdog => Some("its watchdog closed every valve: it heard nothing from the line for too long"),
        DownReason::Refused(_) => None,
    }
}

fn tell_notice(notice: &Notice, board_name: &dyn Fn(BoardId) -> String) {
    match *notice {
        Notice::Running => info!("the line is sorting"),
        Notice::Stopped => info!("the line has stopped, the boards are disarmed"),
        Notice::Aligned => info!("all boards agree about the belt"),
        Notice::BoardUp(board) => info!("board {} is up", board_name(board)),
        Notice::BoardDown(board, cause) => warn!("board {} is down: {}", board_name(board), cause_text(cause)),
        Notice::Misaligned(board, um) => {
            warn!("board {} is {um} um off the others on the belt", board_name(board));
        }
        Notice::Held(cause) => warn!("the line holds: {}", hold_text(cause, board_name)),
        Notice::StartRefused(cause) => warn!("start is refused: {}", hold_text(cause, board_name)),
        Notice::Quarantined { bin, pearls, .. } => warn!(
            "bin {} is in quarantine: up to {pearls} pearls in it may not belong there. Empty it to be sorted again, then \
             release it",
            bin.0 + 1
        ),
        Notice::Released(bin) => info!("bin {} is released", bin.0 + 1),
        Notice::Intruder(lane) => debug!("lane {}: a pearl was seen that the entry eye had missed", lane.0 + 1),
        Notice::LeftOver(bin) => {
            warn!(
                "bin {}: a pearl came that was ordered before this start; no record of this run speaks of it",
                bin.0 + 1
            );
        }
        Notice::Missing(lane, pearl) => {
            debug!("lane {}: pearl {} was not seen where it should be", lane.0 + 1, pearl.0)
        }
        Notice::Gap(lane, numbers) => warn!("lane {}: {numbers} triggers are missing in the numbers", lane.0 + 1),
        Notice::Pulsed(board, valve) => info!("board {}: valve {} has been pulsed", board_name(board), valve.0),
        Notice::Drift(board, valve, us) => {
            warn!(
                "board {}: the pearls of valve {} land {us} us later than they did",
                board_name(board),
                valve.0
            );
        }
        Notice::Model(lane) => info!("lane {}: its weigh cell has a model and weighs by it", lane.0 + 1),
        Notice::ModelRefused(lane, fault) => error!(
            "lane {}: the weigh cell's model can't be used ({fault:?}), the one before stays; identify it again",
            lane.0 + 1
        ),
        Notice::Zero(lane, true) => warn!(
            "lane {}: the weigh cell's zero has run away, nothing is weighed there; clean the platform, then calibrate",
            lane.0 + 1
        ),
        Notice::Zero(lane, false) => info!("lane {}: the weigh cell's zero is back within its band", lane.0 + 1),
        Notice::Misfit(lane) => warn!(
            "lane {}: the weigh cell's residuals have grown; it wants to be identified again",
            lane.0 + 1
        ),
        Notice::Channel(board, channel, value) => {
            info!("board {}: channel {channel} is {value}", board_name(board));
        }
    }
}

fn cause_text(cause: DownCause) -> &'static str {
    match cause {
        DownCause::Port => "the port is gone",
        DownCause::Silence => "it is silent",
        DownCause::Reset => "it began anew",
        DownCause::Refused => "it is not what the line needs",
    }
}

/// Why the line holds, and what to do.
#[must_use]
pub fn hold_text(cause: HoldCause, board_name: &dyn Fn(BoardId) -> String) -> String {
    match cause {
        HoldCause::Command => "an operator wished it".to_owned(),
        HoldCause::Link(board) => format!("board {} is down; when it is back, start again", board_name(board)),
        HoldCause::Alignment(board) => format!(
            "board {} disagrees about the belt's place or speed; look at its encoder and its wiring",
            board_name(board)
        ),
        HoldCause::Late => {
            "too many orders came late; run `pearlsort doctor` and look for what else loads this computer".to_owned()
        }
        HoldCause::ValveOpen(board, valve) => format!(
            "valve {} of board {} seems to stay open; shut its air, look at it, release the bin",
            valve.0,
            board_name(board)
        ),
        HoldCause::ValveShut(board, valve) => format!(
            "valve {} of board {} seems to stay shut; look at its air, coil and wiring",
            valve.0,
            board_name(board)
        ),
        HoldCause::Quarantine(bin) => format!("a pearl may be in bin {} where it does not belong", bin.0 + 1),
        HoldCause::EyeBlind(board, eye) => format!(
            "drop eye {} of board {} sees nothing of what is sent there; wipe it, look at its wiring, empty the bin",
            eye.0,
            board_name(board)
        ),
        HoldCause::Watchdog(board) => format!("the watchdog of board {} closed everything", board_name(board)),
        HoldCause::Dropped(board) => format!("board {} had to drop messages; its link is too slow", board_name(board)),
        HoldCause::Signal(board, channel) => {
            format!(
                "channel {channel} of board {} says that the line may not run",
                board_name(board)
            )
        }
    }
}
