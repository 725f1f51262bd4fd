//! Every word that operators read, in Chinese and English, from one catalogue: `words.toml`. The page, the command line,
//! the reports and the alarms take their texts here.
//!
//! Cold, any thread. The catalogue is part of the program and read once; a test holds that it is complete, that both
//! languages are there, and that both have the same places to fill in (`{board}`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use line::Cause;

use crate::alarm::{AlarmState, Kind, Place, Priority};
use crate::setup::{Setup, Use};
use crate::state::{Command, Deed, Mode, State};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// A text of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

/// A text in both languages, with its places filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Text {
    /// A text that is the same in both: a name.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self {
            zh: name.to_owned(),
            en: name.to_owned(),
        }
    }

    /// The text in a language.
    #[must_use]
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// In English: logs are.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

impl Words {
    /// The words as they are.
    #[must_use]
    pub fn to_text(self) -> Text {
        Text {
            zh: self.zh.to_owned(),
            en: self.en.to_owned(),
        }
    }

    /// The words in a language.
    #[must_use]
    pub const fn in_lang(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }

    /// The words with `{name}` replaced by the value, the same in both languages.
    #[must_use]
    pub fn filled(self, values: &[(&str, &str)]) -> Text {
        let mut text = self.to_text();
        for (name, value) in values {
            text = text.fill(name, &Text::name(value));
        }
        text
    }
}

impl Text {
    /// The text with `{name}` replaced by another text, each language by its own.
    #[must_use]
    pub fn fill(&self, name: &str, value: &Self) -> Self {
        let place = format!("{{{name}}}");
        Self {
            zh: self.zh.replace(&place, &value.zh),
            en: self.en.replace(&place, &value.en),
        }
    }
}

/// What the catalogue says of a kind of alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmWords {
    /// What it is called.
    pub name: Words,
    /// Why it comes.
    pub cause: Words,
    /// What happens if nothing is done.
    pub consequence: Words,
    /// What to do.
    pub action: Words,
    /// How grave it is.
    pub priority: Priority,
    /// The condition must last so long before it is told, us.
    pub on_delay_us: i64,
    /// It must be gone so long before the alarm returns, us.
    pub off_delay_us: i64,
}

struct Catalogue {
    texts: BTreeMap<String, (String, String)>,
    alarms: BTreeMap<&'static str, AlarmWords>,
}

/// What the line says, as TOML: `[state] execute = ["分选中", "Sorting"]` is the key `state.execute`.
pub const LINE: &str = include_str!("words.toml");
/// Labels that only the page has, as TOML: keys begin with `page.`.
pub const PAGE: &str = include_str!("../words/page.toml");

static TABLE: LazyLock<toml::Table> = LazyLock::new(|| {
    LINE.parse()
        .expect("the catalogue within the program is TOML: a test reads it")
});

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
    texts: texts(&TABLE),
    alarms: alarms(&TABLE),
});

/// What stands for a text that the catalogue lacks.
const NONE: Words = Words {
    zh: "（无此词条）",
    en: "(no such words)",
};

fn pair(value: &toml::Value) -> Option<(String, String)> {
    let texts = value.as_array()?;
    let [zh, en] = texts.as_slice() else { return None };
    Some((zh.as_str()?.to_owned(), en.as_str()?.to_owned()))
}

fn texts(table: &toml::Table) -> BTreeMap<String, (String, String)> {
    let sections = table.iter().filter(|(section, _)| *section != "alarm");
    let entries = sections.flat_map(|(section, entries)| {
        let entries = entries.as_table().into_iter().flatten();
        entries.filter_map(move |(key, value)| Some((format!("{section}.{key}"), pair(value)?)))
    });
    entries.collect()
}

fn alarms(table: &'static toml::Table) -> BTreeMap<&'static str, AlarmWords> {
    let entries = table.get("alarm").and_then(toml::Value::as_table).into_iter().flatten();
    entries
        .filter_map(|(name, entry)| Some((name.as_str(), alarm_entry(entry)?)))
        .collect()
}

fn alarm_entry(entry: &'static toml::Value) -> Option<AlarmWords> {
    let text = |key: &str| -> Option<Words> {
        let [zh, en] = entry.get(key)?.as_array()?.as_slice() else {
            return None;
        };
        Some(Words {
            zh: zh.as_str()?,
            en: en.as_str()?,
        })
    };
    let delay = |key: &str| entry.get(key).and_then(toml::Value::as_integer).unwrap_or(0) * 1_000;
    let priority = entry.get("priority")?.as_str()?;
    Some(AlarmWords {
        name: text("name")?,
        cause: text("cause")?,
        consequence: text("consequence")?,
        action: text("action")?,
        priority: Priority::ALL.into_iter().find(|of| of.name() == priority)?,
        on_delay_us: delay("on-ms"),
        off_delay_us: delay("off-ms"),
    })
}

/// A text of the catalogue by its section and key, such as `state.execute`.
#[must_use]
pub fn find(key: &str) -> Option<Words> {
    let (zh, en) = CATALOGUE.texts.get(key)?;
    Some(Words { zh, en })
}

/// Every text of the catalogue but the alarms', by section and key, in the order of the keys.
pub fn all() -> impl Iterator<Item = (&'static str, Words)> {
    CATALOGUE
        .texts
        .iter()
        .map(|(key, (zh, en))| (key.as_str(), Words { zh, en }))
}

fn of(section: &str, key: &str) -> Words {
    find(&format!("{section}.{key}")).unwrap_or(NONE)
}

/// What the catalogue says of an alarm.
///
/// # Panics
/// When the catalogue lacks the kind, which a test rules out.
#[must_use]
pub fn alarm(kind: Kind) -> &'static AlarmWords {
    CATALOGUE
        .alarms
        .get(kind.name())
        .unwrap_or_else(|| panic!("the catalogue lacks the alarm {}", kind.name()))
}

/// Names of a state.
#[must_use]
pub fn state(state: State) -> Words {
    of("state", state.name())
}

/// Names of a command.
#[must_use]
pub fn command(command: Command) -> Words {
    of("command", command.name())
}

/// Names of a mode.
#[must_use]
pub fn mode(mode: Mode) -> Words {
    of("mode", mode.name())
}

/// What a mode may allow.
#[must_use]
pub fn deed(deed: Deed) -> Words {
    of("deed", deed.name())
}

/// Why a pearl was recirculated.
#[must_use]
pub fn cause(cause: Cause) -> Words {
    of("cause", cause.name())
}

/// How grave an alarm is.
#[must_use]
pub fn priority(priority: Priority) -> Words {
    of("priority", priority.name())
}

/// State of an alarm.
#[must_use]
pub fn alarm_state(state: AlarmState) -> Words {
    of("alarm_state", state.name())
}

/// What a watched signal is called.
#[must_use]
pub fn signal(used_for: Use) -> Words {
    of("signal", used_for.name())
}

/// The reason of a refusal, with places to fill in.
#[must_use]
pub fn refusal(name: &str) -> Words {
    of("refusal", name)
}

/// Why the line holds or has stopped, with places to fill in.
#[must_use]
pub fn reason(name: &str) -> Words {
    of("reason", name)
}

/// Something that happened, for the journal, with places to fill in.
#[must_use]
pub fn event(name: &str) -> Words {
    of("event", name)
}

/// A label of the page or of a table.
#[must_use]
pub fn label(name: &str) -> Words {
    of("label", name)
}

/// A unit.
#[must_use]
pub fn unit(name: &str) -> Words {
    of("unit", name)
}

/// A part of the line, with its number to fill in.
#[must_use]
pub fn place(name: &str) -> Words {
    of("place", name)
}

/// The part of the line that an alarm is about, by the names of the configuration.
#[must_use]
pub fn place_text(at: Place, setup: &Setup) -> Text {
    let board = |board: units::BoardId| {
        setup
            .boards
            .get(board.index())
            .cloned()
            .unwrap_or_else(|| format!("#{}", board.0))
    };
    match at {
        Place::Line => place("line").to_text(),
        Place::Board(of) => place("board").filled(&[("board", &board(of))]),
        Place::Valve(of, valve) => place("valve").filled(&[("board", &board(of)), ("number", &valve.0.to_string())]),
        Place::Lane(lane) => place("lane").filled(&[("number", &(u32::from(lane.0) + 1).to_string())]),
        Place::Bin(bin) => {
            let unnamed = || place("bin").filled(&[("number", &(u32::from(bin.0) + 1).to_string())]);
            setup.bins.get(bin.index()).cloned().unwrap_or_else(unnamed)
        }
        Place::Channel(of, channel) => match setup.signal_at(of, channel) {
            Some(signal) => signal.name.clone(),
            None => place("channel").filled(&[("board", &board(of)), ("number", &channel.to_string())]),
        },
    }
}
