//! Text that a scale sends of itself, or when asked, by a pattern: `{state},{value} {unit}` reads `ST,+00123.45  g`.
//! Cold; blocks.
//!
//! A pattern is a line: blanks stand for any number of blanks (none too), other characters for themselves. In braces:
//! `value` the figure, `unit` and `state` words of letters, `word` letters that mean nothing here, `skip:N` any N bytes.

use serde::Deserialize;

use crate::limits::READINGS;
use crate::port::Port;
use crate::settle::Settling;
use crate::{Reading, Refusal, Scale, Unit, Weighing};

/// Options of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AsciiSetup {
    /// What a line looks like.
    pub pattern: String,
    /// States that mean rest.
    #[serde(default)]
    pub stable: Vec<String>,
    /// States that mean motion.
    #[serde(default)]
    pub unstable: Vec<String>,
    /// States that mean more than the scale can weigh.
    #[serde(default)]
    pub over: Vec<String>,
    /// States that mean less than it can weigh.
    #[serde(default)]
    pub under: Vec<String>,
    /// Equal figures in a row that mean rest, for patterns without state.
    #[serde(default)]
    pub equal_lines: Option<u32>,
    /// What to send for one line; without it the scale sends of itself.
    #[serde(default)]
    pub request: Option<String>,
    /// What to send for zero.
    #[serde(default)]
    pub zero: Option<String>,
    /// What to send for tare.
    #[serde(default)]
    pub tare: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Blanks,
    Byte(u8),
    Value,
    Unit,
    State,
    Word,
    Skip(usize),
}

/// A pattern that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(field) = rest.strip_prefix('{') {
                let (name, after) = field.split_once('}').ok_or("a brace { without }")?;
                pieces.push(Self::field(name)?);
                rest = after;
                continue;
            }
            rest = &rest[first.len_utf8()..];
            if first == ' ' {
                if pieces.last() != Some(&Piece::Blanks) {
                    pieces.push(Piece::Blanks);
                }
            } else if first.is_ascii_graphic() {
                pieces.push(Piece::Byte(first as u8));
            } else {
                return Err(format!("{first:?} can't stand in a pattern"));
            }
        }
        let pattern = Self { pieces };
        for (piece, name) in [(Piece::Value, "value"), (Piece::Unit, "unit")] {
            if pattern.count(&piece) != 1 {
                return Err(format!("{{{name}}} must stand in it once"));
            }
        }
        if pattern.count(&Piece::State) > 1 {
            return Err("{state} may stand in it only once".to_owned());
        }
        Ok(pattern)
    }

    fn field(name: &str) -> Result<Piece, String> {
        match name {
            "value" => Ok(Piece::Value),
            "unit" => Ok(Piece::Unit),
            "state" => Ok(Piece::State),
            "word" => Ok(Piece::Word),
            _ => name
                .strip_prefix("skip:")
                .and_then(|count| count.parse().ok())
                .filter(|count| (1..=64).contains(count))
                .map(Piece::Skip)
                .ok_or_else(|| format!("{{{name}}} is none of {{value}}, {{unit}}, {{state}}, {{word}}, {{skip:N}}")),
        }
    }

    fn count(&self, piece: &Piece) -> usize {
        self.pieces.iter().filter(|other| *other == piece).count()
    }

    /// Whether lines tell a state.
    #[must_use]
    pub fn has_state(&self) -> bool {
        self.count(&Piece::State) > 0
    }
}

/// What a line says; absent when the pattern has no such field, or a state came first that says all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found<'a> {
    value: Option<Reading>,
    unit: Option<&'a str>,
    state: Option<&'a str>,
}

fn letters(text: &[u8]) -> Option<(&str, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (word, rest) = text.split_at(count);
    std::str::from_utf8(word)
        .ok()
        .filter(|word| !word.is_empty())
        .map(|word| (word, rest))
}

/// Bytes of the figure that `text` begins with. A comma belongs to it only before a digit: elsewhere it parts fields.
fn figure_length(text: &[u8]) -> usize {
    let belongs = |at: usize, byte: u8| match byte {
        b',' => text.get(at + 1).is_some_and(u8::is_ascii_digit),
        _ => byte.is_ascii_digit() || b"+-. ".contains(&byte),
    };
    text.iter()
        .enumerate()
        .take_while(|(at, byte)| belongs(*at, **byte))
        .count()
}

/// A text source.
#[derive(Debug)]
pub(crate) struct Ascii {
    port: Port,
    unit: Unit,
    pattern: Pattern,
    setup: AsciiSetup,
}

impl Ascii {
    pub(crate) const fn new(port: Port, unit: Unit, pattern: Pattern, setup: AsciiSetup) -> Self {
        Self {
            port,
            unit,
            pattern,
            setup,
        }
    }

    fn command(&mut self, bytes: Option<String>, name: &'static str) -> Result<(), Refusal> {
        let bytes = bytes.ok_or(Refusal::NoCommand(name))?;
        self.port.write(bytes.as_bytes())
    }
}

impl Scale for Ascii {
    fn weigh(&mut self) -> Result<Weighing, Refusal> {
        let deadline = self.port.deadline();
        // what waits in the buffer may be minutes old
        self.port.discard()?;
        if self.setup.request.is_none() {
            self.port.skip_to_line(deadline)?;
        }
        let mut settling = Settling::new(self.setup.equal_lines.unwrap_or(1));
        let mut moved = false;
        for _ in 0..READINGS {
            if let Some(request) = &self.setup.request {
                let bytes = request.clone();
                self.port.write(bytes.as_bytes())?;
            }
            let line = match self.port.read_line(deadline) {
                Err(Refusal::Silent { .. }) if moved => return Err(Refusal::Unstable),
                line => line?,
            };
            match read(&line, &self.pattern, &self.setup, self.unit) {
                Ok(reading) if settling.take(reading) => return Ok(reading.weighing(self.unit, None)),
                Ok(_) | Err(Refusal::Unstable) => moved = true,
                Err(other) => return Err(other),
            }
        }
        Err(Refusal::Unstable)
    }

    fn zero(&mut self) -> Result<(), Refusal> {
        self.command(self.setup.zero.clone(), "zero")
    }

    fn tare(&mut self) -> Result<(), Refusal> {
        self.command(self.setup.tare.clone(), "tare")
    }
}

/// The figure of a line at rest.
fn read(line: &[u8], pattern: &Pattern, setup: &AsciiSetup, unit: Unit) -> Result<Reading, Refusal> {
    let garbled = || Refusal::garbled("a line that does not fit the pattern", line);
    let mut found = Found::default();
    let mut rest = line;
    for piece in &pattern.pieces {
        match piece {
            Piece::Blanks => rest = rest.trim_ascii_start(),
            Piece::Byte(byte) => rest = rest.strip_prefix(&[*byte]).ok_or_else(garbled)?,
            Piece::Skip(count) => rest = rest.get(*count..).ok_or_else(garbled)?,
            Piece::Word => rest = letters(rest).ok_or_else(garbled)?.1,
            Piece::Unit => {
                let (word, after) = letters(rest).ok_or_else(garbled)?;
                (found.unit, rest) = (Some(word), after);
            }
            Piece::State => {
                let (word, after) = letters(rest).ok_or_else(garbled)?;
                (found.state, rest) = (Some(word), after);
                // where the scale is out of range, its figure is dashes or blanks
                refuse_state(word, setup).map_or(Ok(()), Err)?;
            }
            Piece::Value => {
                let count = figure_length(rest);
                let (figure, after) = rest.split_at(count);
                found.value = Some(Reading::parse(figure).ok_or_else(garbled)?);
                rest = after;
            }
        }
    }
    if !rest.trim_ascii().is_empty() {
        return Err(garbled());
    }
    let (Some(value), Some(said)) = (found.value, found.unit) else {
        return Err(garbled());
    };
    if found
        .state
        .is_some_and(|state| !setup.stable.iter().any(|s| s == state))
    {
        return Err(Refusal::garbled("a state that the file does not know", line));
    }
    unit.expect(said)?;
    Ok(value)
}

fn refuse_state(state: &str, setup: &AsciiSetup) -> Option<Refusal> {
    let is = |states: &[String]| states.iter().any(|other| other == state);
    if is(&setup.over) {
        Some(Refusal::OverRange)
    } else if is(&setup.under) {
        Some(Refusal::UnderRange)
    } else if is(&setup.unstable) {
        Some(Refusal::Unstable)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(pattern: &str) -> AsciiSetup {
        AsciiSetup {
            pattern: pattern.to_owned(),
            stable: vec!["ST".to_owned()],
            unstable: vec!["US".to_owned()],
            over: vec!["OL".to_owned()],
            under: vec!["UL".to_owned()],
            equal_lines: None,
            request: None,
            zero: None,
            tare: None,
        }
    }

    fn line(pattern: &str, line: &[u8]) -> Result<(i64, u8), &'static str> {
        let parsed = Pattern::parse(pattern).unwrap();
        read(line, &parsed, &setup(pattern), Unit::G)
            .map(|reading| (reading.digits, reading.decimals))
            .map_err(|refusal| refusal.name())
    }

    #[test]
    fn lines_are_read_by_their_pattern() {
        let plain = "{state},{value} {unit}";
        assert_eq!(line(plain, b"ST,+00123.45  g"), Ok((12_345, 2)));
        assert_eq!(line(plain, b"ST,-  0.50 g "), Ok((-50, 2)));
        assert_eq!(line(plain, b"US,+00123.45  g"), Err("unstable"));
        assert_eq!(line(plain, b"OL,---------  g"), Err("over-range"));
        assert_eq!(line(plain, b"UL,           "), Err("under-range"));
        assert_eq!(line(plain, b"ST,+00123.45 kg"), Err("wrong-unit"));
        assert_eq!(line(plain, b"QT,+00123.45  g"), Err("garbled"));
        for garbage in [
            &b""[..],
            b"ST",
            b"ST,",
            b"ST,+1.2.3 g",
            b"ST,+123.45",
            b"ST,+1 g x",
            b"\xff\x00,1 g",
        ] {
            assert_eq!(line(plain, garbage), Err("garbled"), "{}", garbage.escape_ascii());
        }
        assert_eq!(line("{state},{value},{unit}", b"ST,12,5,g"), Ok((125, 1)));
        assert_eq!(
            line("{state},{word},{skip:2},{value} {unit}", b"ST,GS,\x01\xe4,   12.30 g"),
            Ok((1_230, 2))
        );
    }

    #[test]
    fn a_pattern_that_can_not_be_meant_is_refused() {
        for wrong in [
            "{value",
            "{weight} {unit}",
            "{value}",
            "{value}{value}{unit}",
            "{value}{unit}{skip:0}",
            "\t{value}{unit}",
        ] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
