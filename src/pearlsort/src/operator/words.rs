//! What the hot side tells, in the words of the catalogue, for journal and page. Cold, any thread.

use devices::Refusal;
use line::Notice;
use operate::alarm::{Change, Entry, Place};
use operate::{LinkTrouble, Setup, Text, words};
use units::BoardId;

use super::feed::is_counted;

/// A line of the journal for a notice; none for what is counted.
pub(super) fn of_notice(notice: &Notice, setup: &Setup) -> Option<(&'static str, Text)> {
    if is_counted(notice) {
        return None;
    }
    let placed = |name: &str, place| {
        words::event(name)
            .to_text()
            .fill("place", &words::place_text(place, setup))
    };
    Some(match *notice {
        Notice::Aligned => ("aligned", words::event("aligned").to_text()),
        Notice::BoardUp(board) => ("board.up", placed("board_up", Place::Board(board))),
        Notice::Released(bin) => ("bin.released", placed("released", Place::Bin(bin))),
        Notice::Pulsed(board, valve) => ("valve.pulsed", placed("pulsed", Place::Valve(board, valve))),
        Notice::Channel(board, channel, value) => (
            "channel",
            placed("channel", Place::Channel(board, channel)).fill("value", &Text::name(&value.to_string())),
        ),
        // States, causes and alarms say the rest.
        _ => return None,
    })
}

/// A board's link is in trouble.
pub(super) fn of_trouble(board: BoardId, trouble: LinkTrouble, setup: &Setup) -> Text {
    let name = match trouble {
        LinkTrouble::Port => "port",
        LinkTrouble::Silence => "silence",
        LinkTrouble::Watchdog => "watchdog",
        LinkTrouble::Refused => "refused",
    };
    of_board(board, name, setup)
}

/// A board is not what the line needs.
pub(super) fn of_refusal(board: BoardId, refusal: &Refusal, setup: &Setup) -> Text {
    let name = match refusal {
        Refusal::Protocol { .. } => "protocol",
        Refusal::Uid { .. } => "uid",
        Refusal::TooSmall { .. } => "too_small",
        Refusal::Settings { .. } => "settings",
    };
    of_board(board, name, setup)
}

fn of_board(board: BoardId, name: &str, setup: &Setup) -> Text {
    let place = words::place_text(Place::Board(board), setup);
    let says = words::find(&format!("link.{name}"))
        .map(words::Words::to_text)
        .unwrap_or_default();
    Text {
        zh: format!("{}：{}", place.zh, says.zh),
        en: format!("{}: {}", place.en, says.en),
    }
}

/// A line of the journal for a change of an alarm.
pub(super) fn of_alarm(entry: &Entry, setup: &Setup) -> Option<(&'static str, Text)> {
    let (kind, name) = match entry.change {
        Change::Raised | Change::RaisedAgain => ("alarm.raised", "alarm_raised"),
        Change::Returned => ("alarm.returned", "alarm_returned"),
        Change::Acknowledged => ("alarm.acknowledged", "alarm_acknowledged"),
        _ => return None,
    };
    let text = words::event(name)
        .to_text()
        .fill("alarm", &words::alarm(entry.id.kind).name.to_text())
        .fill("place", &words::place_text(entry.id.place, setup))
        .fill("by", &Text::name(entry.by.as_deref().unwrap_or_default()));
    Some((kind, text))
}

/// A text as the page has it.
pub(super) fn shape(text: &Text) -> hmi::shapes::Text {
    hmi::shapes::Text::new(text.zh.clone(), text.en.clone())
}

/// Words as the page has them.
pub(super) fn shape_words(words: words::Words) -> hmi::shapes::Text {
    hmi::shapes::Text::new(words.zh, words.en)
}

/// Why a wish is refused, as the page has it.
pub(super) fn refusal(refusal: &operate::Refusal, setup: &Setup) -> hmi::machine::Refusal {
    use hmi::machine::RefusalKind as Kind;
    use operate::Refusal as Of;
    let kind = match refusal {
        Of::UnknownBin(_) | Of::UnknownValve(..) | Of::UnknownAlarm => Kind::Unknown,
        Of::PulseLength | Of::ShelfTime => Kind::Invalid,
        Of::Acknowledged { .. } => Kind::Conflict,
        Of::Board(_) | Of::Busy => Kind::Unavailable,
        _ => Kind::NotNow,
    };
    let text = refusal.text(setup);
    let place = words::place_text(refusal.place(), setup);
    hmi::machine::Refusal::new(kind, refusal.name(), &text.zh, &text.en, &place.en)
}
