//! Everything that commissioning says to the person at the machine, in one place, so that another language can stand
//! beside it. Cold.

use std::fmt::Write as _;

use config::{ChannelConfig, Name, Signal};
use setup::commission::signals::SignalFault;
use setup::commission::{Configured, Distance, Lags, TicksAMetre};
use units::{BoardId, LaneId};

use super::jets::JetAt;
use super::write::{Left, Written};

pub(super) const PASSAGES: &str = "passages";
pub(super) const SHOTS: &str = "pulses at pearls";
pub(super) const SIGNALS: &str = "signals";
pub(super) const NO_DROP_EYE: &str = "its bin has no drop eye: measure this jet by hand";
pub(super) const OTHER_BOARD: &str = "its entry eye, valve and drop eye are not all on one board: boards count the belt each on its own, measure this jet by hand";
pub(super) const NO_JET: &str = "no jet of this choice can be calibrated: name others with --lanes and --jets";
pub(super) const NO_SIGNAL: &str = "the machine's file names no signal: write [[channel]] for each, then try them";
pub(super) const NOT_SWITCHED: &str =
    "a speed output was not tried: no drive is run by a test; watch it when the line runs";
pub(super) const FOLLOWED: &str = "it followed";
pub(super) const NOT_FOLLOWED: &str =
    "it was not seen to follow: look at its wire, its relay, and the channel's number";
pub(super) const RULER: &str = "Distance along the belt, measured with a ruler, mm:";

pub(super) fn boards_missing(names: &[&str]) -> String {
    format!(
        "board {} is not ready: look at what was said of its port above, its power and its cable",
        names.join(", ")
    )
}

pub(super) fn board_lost(name: &str) -> String {
    format!(
        "board {name} was lost while it was in use; its valves are closed. Look at its cable and supply, then begin again"
    )
}

pub(super) fn signal_lost(board: &str, channel: u8, value: Option<u16>) -> String {
    let reads = value.map_or_else(|| "was never told".to_owned(), |value| format!("reads {value}"));
    format!(
        "channel {channel} of board {board} {reads}: the line may not run. Put it right, or try it with `pearlsort calibrate signals`"
    )
}

pub(super) fn set_speed(number: usize, wish_m_s: f64, before_m_s: &[f64]) -> String {
    let apart = match before_m_s {
        [] => String::new(),
        before => {
            let list: Vec<String> = before.iter().map(|speed| format!("{speed:.2}")).collect();
            format!(", at least a quarter off {}", list.join(" and "))
        }
    };
    format!(
        "Speed {number}: let the belt run at about {wish_m_s:.2} m/s{apart}. It goes on by itself when the belt is steady."
    )
}

pub(super) fn speed_is(m_s: f64) -> String {
    format!(
        "The belt runs steadily at {m_s:.3} m/s. Lay single, round test pearls, well apart. Enter ends this step early."
    )
}

pub(super) fn no_speed(wish: f64, now: Option<f64>, least: f64, most: f64) -> String {
    let now = now.map_or_else(
        || "it was not seen to run".to_owned(),
        |now| format!("it runs at {now:.2} m/s"),
    );
    format!(
        "the belt did not come to a steady speed of about {wish:.2} m/s ({least:.2} to {most:.2} would do, a quarter off those before); \
         {now}. Set its drive, then begin again"
    )
}

pub(super) fn nothing_new(spoilt: u64) -> String {
    let spoilt = if spoilt == 0 {
        String::new()
    } else {
        format!(" ({spoilt} pulses could not be judged)")
    };
    format!("Nothing new has come for a minute{spoilt}: going on with what there is.")
}

pub(super) fn what_ticks(lane: LaneId, jet: Option<usize>) -> String {
    let to = jet.map_or_else(
        || "where the weigh platform begins".to_owned(),
        |jet| format!("the middle of jet {}", jet + 1),
    );
    format!(
        "Ticks a metre, on lane {}: measure from the entry eye to {to}. Then lay single test pearls on the lane.",
        lane.0
    )
}

pub(super) fn jet_name((lane, jet): JetAt) -> String {
    format!("lane {} jet {}", lane.0, jet + 1)
}

pub(super) fn signal_name(name: &Name, board: &str, channel: u8) -> String {
    format!("{} (board {board}, channel {channel})", name.en)
}

pub(super) fn signal_wrong(name: &str, why: &str) -> String {
    format!("  {name}: {why}")
}

pub(super) fn signal_fault(fault: SignalFault, board: &dyn Fn(BoardId) -> String) -> String {
    match fault {
        SignalFault::Other {
            value,
            board: other,
            channel,
        } => format!(
            "it stayed at {value}, but channel {channel} of board {} changed: the wires are swapped, or the numbers in the file",
            board(other)
        ),
        fault => fault.to_string(),
    }
}

pub(super) fn lose(channel: &ChannelConfig) -> String {
    let act = match channel.signal {
        Signal::SafetyChain => "press an emergency stop",
        Signal::GuardDoor => "open the guard door",
        Signal::AirPressure => "shut the air off and let it out",
        Signal::LampCurrent => "switch the lamps off",
        _ => "take the signal away",
    };
    format!("{}: {act}. (Enter gives up.)", channel.name.en)
}

pub(super) fn bring_back(channel: &ChannelConfig) -> String {
    let act = match channel.signal {
        Signal::SafetyChain => "release the emergency stop and reset the chain",
        Signal::GuardDoor => "shut the guard door",
        Signal::AirPressure => "give air again",
        Signal::LampCurrent => "switch the lamps on",
        _ => "bring it back",
    };
    format!("  seen. Now {act}.")
}

pub(super) fn is_on(channel: &ChannelConfig) -> String {
    format!("{} is switched on now. Does it run, or light? (y/n)", channel.name.en)
}

pub(super) fn seen(rest: u16, lost: u16) -> String {
    format!("{rest} at rest, {lost} when lost")
}

pub(super) fn ticks_line(found: &TicksAMetre, configured: f64) -> String {
    format!(
        "ticks a metre: {:.1}, standard uncertainty {:.1}; the file says {configured:.0} ({} passages, {} rejected)",
        found.ticks.value, found.ticks.u, found.n, found.rejected
    )
}

pub(super) fn distance_line(at: JetAt, found: &Distance, shift_um: i32, um: f64) -> String {
    format!(
        "{}: {shift_um:+} um against the file, standard uncertainty {:.0} um; fall {:.1} ms ({} landings, {} rejected)",
        jet_name(at),
        found.at.u * um,
        found.fall_us.value / 1e3,
        found.n,
        found.rejected
    )
}

pub(super) fn lags_line(at: JetAt, found: &Lags, configured: &Configured, shift_um: i32) -> String {
    format!(
        "{}: lag on {:.0} us (u {:.0}, file {:.0}), off {:.0} us (u {:.0}, file {:.0}); the jet {shift_um:+} um (u {:.0}) \
         ({} pulses, {} rejected)",
        jet_name(at),
        found.on_us.value,
        found.on_us.u,
        configured.on_us,
        found.off_us.value,
        found.off_us.u,
        configured.off_us,
        found.at.u * 1e6 / configured.ticks_per_metre,
        found.n,
        found.rejected
    )
}

pub(super) fn refused(of: &str, why: &str) -> String {
    format!("{of}: refused: {why}")
}

pub(super) fn paste(lines: &str, file: &str) -> String {
    if lines.is_empty() {
        format!("\nNothing differs from {file} by more than twice its uncertainty: leave the file as it is.")
    } else {
        format!("\nFor {file} (what differs by more than twice its uncertainty):\n\n{lines}")
    }
}

pub(super) fn kept(path: &str) -> String {
    format!("\nValues, uncertainties and residuals are kept in {path}.")
}

pub(super) fn written(file: &str, written: &Written) -> String {
    let mut text = if written.changed {
        format!("\n{file} is corrected; a running line takes it at its next start.")
    } else {
        format!("\n{file} stays as it is.")
    };
    for Left { of, moved, bound } in &written.left {
        let _ = write!(
            text,
            "\nNot written: {of} has moved by {moved}, and what wears moves by {bound} at most. Something was moved, knocked or \
             exchanged: look at it, calibrate again, then give --accept."
        );
    }
    text
}

pub(super) const SHIFT_NOTE: &str =
    "# added to where the file has it now: a shift-um that is there already is to be added to it";
