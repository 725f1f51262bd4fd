//! The line's other signals: each named, acted upon, seen. Cold, no clock.

use config::{ChannelConfig, Signal};
use setup::commission::signals::{At, Expected, Reading, SignalFault, judge};
use units::BoardId;
use wire::ToBoard;

use super::field::{Ask, Boards};
use super::operator::Operator;
use super::session::Session;
use super::text;
use super::watch::Event;
use crate::exit::Failure;

/// A signal and what came of it.
pub(super) struct Tried {
    pub(super) name: String,
    pub(super) result: Result<String, String>,
}

/// Tries every signal, one after another.
///
/// # Errors
/// When a board is lost.
pub(super) fn all<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    channels: &[ChannelConfig],
) -> Result<Vec<Tried>, Failure> {
    session.settle()?;
    let mut tried = Vec::new();
    for (number, channel) in (1_u64..).zip(channels) {
        let name = text::signal_name(&channel.name, session.name(channel.board), channel.number);
        let result = if is_output(channel.signal) {
            output(session, channel)?
        } else {
            input(session, channel)?
        };
        if let Err(why) = &result {
            session.operator.tell(&text::signal_wrong(&name, why));
        }
        tried.push(Tried { name, result });
        session.operator.progress(text::SIGNALS, number, channels.len() as u64);
    }
    Ok(tried)
}

/// What the line's rules count as good: a switch that is on, a converter within its bounds.
fn expected(channel: &ChannelConfig) -> Expected {
    let is_switch = matches!(channel.signal, Signal::SafetyChain | Signal::GuardDoor);
    Expected {
        at: At {
            board: channel.board,
            channel: channel.number,
        },
        least: channel.least.unwrap_or(u16::from(is_switch)),
        most: channel.most.unwrap_or(u16::MAX),
    }
}

const fn is_output(signal: Signal) -> bool {
    matches!(
        signal,
        Signal::FeederRun | Signal::FeederSpeed | Signal::BeltRun | Signal::BeltSpeed | Signal::StackLight
    )
}

/// The operator loses the signal and brings it back.
fn input<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    channel: &ChannelConfig,
) -> Result<Result<String, String>, Failure> {
    let expected = expected(channel);
    let before = session.watch.readings();
    session.operator.tell(&text::lose(channel));
    let mut during: Vec<Reading> = Vec::new();
    let since = session.watch.now();
    let is_lost = |reading: &Reading| reading.at == expected.at && !expected.is_good(reading.value);
    let mut told = false;
    while !session.operator.has_enough() && !session.patience_is_over(since) {
        if let Some(Event::Channel(reading)) = session.hear()? {
            during.push(reading);
        }
        let was_lost = during.iter().any(is_lost);
        if was_lost && !told {
            session.operator.tell(&text::bring_back(channel));
            told = true;
        }
        let last = during.iter().rev().find(|reading| reading.at == expected.at);
        if was_lost && last.is_some_and(|last| expected.is_good(last.value)) {
            break;
        }
    }
    let named = |fault: SignalFault| text::signal_fault(fault, &|board: BoardId| session.name(board).to_owned());
    Ok(judge(&expected, &before, &during)
        .map(|seen| text::seen(seen.rest, seen.lost))
        .map_err(named))
}

/// The program switches the output, and the operator says whether it followed.
fn output<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    channel: &ChannelConfig,
) -> Result<Result<String, String>, Failure> {
    if matches!(channel.signal, Signal::FeederSpeed | Signal::BeltSpeed) {
        return Ok(Err(text::NOT_SWITCHED.to_owned()));
    }
    let set = |value| {
        Ask::Send(
            channel.board,
            ToBoard::Output {
                channel: channel.number,
                value,
            },
        )
    };
    session.ask(set(1))?;
    let on = session.operator.ask(&text::is_on(channel), "n");
    session.ask(set(0))?;
    session.settle()?;
    Ok(if on.starts_with(['y', 'Y', 'j']) {
        Ok(text::FOLLOWED.to_owned())
    } else {
        Err(text::NOT_FOLLOWED.to_owned())
    })
}
