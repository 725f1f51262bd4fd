//! The catalogue of words is whole: every word that the program can need is there, in both languages, with the same
//! places to fill in.

use std::collections::BTreeSet;

use line::{Cause, DownCause, HoldCause, Notice};
use operate::alarm::{AlarmState, Kind, Place, Priority};
use operate::words::{self, Words};
use operate::{BinState, Command, Deed, Fault, LinkTrouble, Mode, Refusal, Setup, State, Use, Why};
use units::{BinId, BoardId, EyeId, LaneId, PearlId, ValveId};

/// Places to fill in.
fn places(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split('}').next().unwrap_or_default()).collect()
}

fn is_whole(key: &str, words: Words) {
    assert!(!words.zh.trim().is_empty() && !words.en.trim().is_empty(), "{key}");
    assert_eq!(places(words.zh), places(words.en), "{key}");
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(!han(words.en), "{key}: the English has Chinese in it");
    let same = key.starts_with("unit.");
    assert!(same || han(words.zh), "{key}: the Chinese has none in it");
}

#[test]
fn every_word_is_there_in_both_languages() {
    let mut count = 0;
    for (key, words) in words::all() {
        is_whole(key, words);
        count += 1;
    }
    assert!(count > 150, "{count}");
    let needed = State::ALL.map(|of| format!("state.{}", of.name())).into_iter();
    let needed = needed
        .chain(Command::ALL.map(|of| format!("command.{}", of.name())))
        .chain(Mode::ALL.map(|of| format!("mode.{}", of.name())))
        .chain(Deed::ALL.map(|of| format!("deed.{}", of.name())))
        .chain(Priority::ALL.map(|of| format!("priority.{}", of.name())))
        .chain(AlarmState::ALL.map(|of| format!("alarm_state.{}", of.name())))
        .chain(Use::ALL.map(|of| format!("signal.{}", of.name())))
        .chain(BinState::ALL.map(|of| format!("bin.{}", of.name())))
        .chain(Cause::all().map(|of| format!("cause.{}", of.name())))
        .chain(Refusal::NAMES.iter().map(|name| format!("refusal.{name}")));
    for key in needed {
        assert!(words::find(&key).is_some(), "the catalogue lacks {key}");
    }
}

#[test]
fn every_alarm_says_what_why_what_then_and_what_to_do() {
    for kind in Kind::ALL {
        let of = words::alarm(*kind);
        for (part, words) in [
            ("name", of.name),
            ("cause", of.cause),
            ("consequence", of.consequence),
            ("action", of.action),
        ] {
            is_whole(&format!("alarm.{}.{part}", kind.name()), words);
        }
    }
}

/// Every fault of the hot side has its alarm. The matches have no wildcard: a new one does not compile without its line.
#[test]
fn every_fault_of_the_hot_side_has_its_alarm() {
    let setup = operate_setup();
    let (board, valve, bin, lane) = (BoardId(0), ValveId(0), BinId(0), LaneId(0));
    for cause in [
        HoldCause::Command,
        HoldCause::Link(board),
        HoldCause::Alignment(board),
        HoldCause::Late,
        HoldCause::ValveOpen(board, valve),
        HoldCause::ValveShut(board, valve),
        HoldCause::Quarantine(bin),
        HoldCause::Watchdog(board),
        HoldCause::Dropped(board),
        HoldCause::Signal(board, 3),
        HoldCause::EyeBlind(board, EyeId(9)),
    ] {
        let has = Why::Hold(cause).alarm(&setup).is_some();
        assert_eq!(has, cause != HoldCause::Command, "{cause:?}");
        let text = operate::hold_text(cause, &setup);
        assert!(!text.en.contains(['{', '(']) && !text.zh.contains('{'), "{text:?}");
    }
    for fault in Fault::ALL {
        assert!(!words::alarm(fault.kind()).name.en.is_empty());
    }
    for trouble in [
        LinkTrouble::Port,
        LinkTrouble::Silence,
        LinkTrouble::Watchdog,
        LinkTrouble::Refused,
    ] {
        assert!(!words::alarm(trouble.kind()).name.en.is_empty());
    }
    let of = |notice: Notice| match notice {
        Notice::Held(_) | Notice::BoardDown(..) => Some(Kind::BoardDown),
        Notice::StartRefused(_) => Some(Kind::StartRefused),
        Notice::Misaligned(..) => Some(Kind::Misaligned),
        Notice::Quarantined { .. } => Some(Kind::Quarantine),
        Notice::Intruder(_) => Some(Kind::Intruders),
        Notice::LeftOver(_) => Some(Kind::LeftOver),
        Notice::Missing(..) => Some(Kind::Missing),
        Notice::Gap(..) => Some(Kind::Gaps),
        Notice::Drift(..) => Some(Kind::ValveDrift),
        Notice::Zero(..) => Some(Kind::ZeroLost),
        Notice::Misfit(_) => Some(Kind::WeighMisfit),
        Notice::ModelRefused(..) => Some(Kind::ModelRefused),
        Notice::Running
        | Notice::Stopped
        | Notice::BoardUp(_)
        | Notice::Aligned
        | Notice::Released(_)
        | Notice::Pulsed(..)
        | Notice::Channel(..)
        | Notice::Model(_) => None,
    };
    for notice in [
        Notice::BoardDown(board, DownCause::Port),
        Notice::Missing(lane, PearlId(1)),
        Notice::Gap(lane, 2),
        Notice::Drift(board, valve, 3_000),
    ] {
        assert!(of(notice).is_some());
    }
}

#[test]
fn refusals_are_told_in_whole_sentences() {
    let setup = operate_setup();
    let state = Refusal::State {
        command: Command::Start,
        state: State::Held,
    };
    let text = state.text(&setup);
    assert_eq!(
        text.en,
        "Start is not possible in the state Held. Possible now: Stop, Unhold, Abort."
    );
    assert_eq!(
        text.zh,
        "当前状态为“已保持”，不能执行“启动”。现在可以：停止、解除保持、中止。"
    );
    let place = words::place_text(Place::Valve(BoardId(0), ValveId(12)), &setup);
    assert_eq!(place.en, "Valve 12 of board 1");
    for refusal in [
        Refusal::Board(BoardId(0)),
        Refusal::ShelfTime,
        Refusal::PulseLength,
        Refusal::UnknownBin(BinId(9)),
        Refusal::ModeChange { state: State::Execute },
        Refusal::Mode {
            deed: Deed::Pulse,
            mode: Mode::Production,
        },
    ] {
        let text = refusal.text(&setup);
        assert!(!text.en.contains('{') && !text.zh.contains('{'), "{text:?}");
    }
}

fn operate_setup() -> Setup {
    Setup {
        boards: vec!["1".to_owned()],
        bins: vec![operate::Text::name("1")],
        lanes: Vec::new(),
        signals: Vec::new(),
        has_feeder: true,
        has_belt: true,
        design_pearls_s: None,
        least_lead_us: 60_000,
        least_speed_um_s: 300_000,
    }
}
