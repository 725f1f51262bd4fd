//! MT-SICS, levels 0 and 1: S, SI, SIR, Z, T. Cold; blocks.
//!
//! Source: the published reference manual "MT-SICS Interface Commands". An answer repeats the command's letter, then says
//! what became of it: `S S    100.00 g` (at rest), `S D` (moving), `S I` (not now), `S +`, `S -` (out of range), `S L`
//! (wrong parameter); `ES`, `ET`, `EL` are errors of the command line itself.

use std::time::Instant;

use serde::Deserialize;

use crate::limits::READINGS;
use crate::port::Port;
use crate::{Reading, Refusal, Scale, Unit, Weighing};

/// Which command brings a weighing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Command {
    /// The balance answers once it is at rest.
    #[serde(rename = "S")]
    Stable,
    /// It answers at once; a moving pan is refused.
    #[serde(rename = "SI")]
    Immediate,
    /// It sends figures all the time; the first at rest is taken.
    #[serde(rename = "SIR")]
    Repeated,
}

/// Options of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MtSicsSetup {
    /// Which command brings a weighing.
    pub command: Command,
}

/// A balance.
#[derive(Debug)]
pub(crate) struct MtSics {
    port: Port,
    unit: Unit,
    command: Command,
}

impl MtSics {
    pub(crate) const fn new(port: Port, unit: Unit, setup: MtSicsSetup) -> Self {
        Self {
            port,
            unit,
            command: setup.command,
        }
    }

    /// Sends a command and gives its answer's words.
    fn ask(&mut self, command: &[u8], letter: &str) -> Result<Answer, Refusal> {
        self.port.discard()?;
        let deadline = self.port.deadline();
        self.port.write(command)?;
        self.answer(letter, deadline)
    }

    fn answer(&mut self, letter: &str, deadline: Instant) -> Result<Answer, Refusal> {
        let line = self.port.read_line(deadline)?;
        Answer::parse(&line, letter)
    }

    fn repeated(&mut self) -> Result<Weighing, Refusal> {
        self.port.discard()?;
        let deadline = self.port.deadline();
        self.port.write(b"SIR\r\n")?;
        let mut outcome = Err(Refusal::Unstable);
        for _ in 0..READINGS {
            outcome = match self.answer("S", deadline) {
                Ok(answer) => answer.weighing(self.unit),
                // figures came, but never one at rest
                Err(Refusal::Silent { .. }) if matches!(outcome, Err(Refusal::Unstable)) => break,
                Err(other) => Err(other),
            };
            if !matches!(outcome, Err(Refusal::Unstable)) {
                break;
            }
        }
        // SI ends the stream; its own figure is thrown away by the next command
        self.port.write(b"SI\r\n")?;
        outcome
    }
}

impl Scale for MtSics {
    fn weigh(&mut self) -> Result<Weighing, Refusal> {
        match self.command {
            Command::Stable => self.ask(b"S\r\n", "S")?.weighing(self.unit),
            Command::Immediate => self.ask(b"SI\r\n", "S")?.weighing(self.unit),
            Command::Repeated => self.repeated(),
        }
    }

    fn zero(&mut self) -> Result<(), Refusal> {
        self.ask(b"Z\r\n", "Z")?.done()
    }

    fn tare(&mut self) -> Result<(), Refusal> {
        self.ask(b"T\r\n", "T")?.done()
    }
}

/// An answer behind its letter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    line: String,
    status: String,
    figure: Option<(Reading, String)>,
}

impl Answer {
    fn parse(line: &[u8], letter: &str) -> Result<Self, Refusal> {
        let garbled = |what| Refusal::garbled(what, line);
        let text = std::str::from_utf8(line).map_err(|_| garbled("no text"))?;
        let mut words = text.split_ascii_whitespace();
        let first = words.next().ok_or_else(|| garbled("an empty answer"))?;
        match first {
            "ES" => return Err(Refusal::Declined("ES, it does not know the command".to_owned())),
            "ET" => return Err(Refusal::garbled("the balance heard garbage", line)),
            "EL" => return Err(Refusal::Declined("EL, it can't carry out the command".to_owned())),
            _ if first != letter => return Err(garbled("an answer to another command")),
            _ => {}
        }
        let status = words.next().ok_or_else(|| garbled("an answer without status"))?;
        let figure = match (words.next(), words.next()) {
            (None, _) => None,
            (Some(figure), Some(unit)) => {
                let reading = Reading::parse(figure.as_bytes()).ok_or_else(|| garbled("no figure"))?;
                Some((reading, unit.to_owned()))
            }
            (Some(_), None) => return Err(garbled("a figure without unit")),
        };
        if words.next().is_some() {
            return Err(garbled("more than an answer has"));
        }
        Ok(Self {
            line: line.escape_ascii().to_string(),
            status: status.to_owned(),
            figure,
        })
    }

    fn garbled(&self, what: &'static str) -> Refusal {
        Refusal::Garbled {
            what,
            heard: self.line.clone(),
        }
    }

    /// What the statuses that all commands share mean.
    fn refusal(&self) -> Refusal {
        match self.status.as_str() {
            "+" => Refusal::OverRange,
            "-" => Refusal::UnderRange,
            "I" => Refusal::Declined("it is busy, or did not come to rest in time; repeat".to_owned()),
            "L" => Refusal::Declined("wrong parameter".to_owned()),
            _ => self.garbled("an unknown status"),
        }
    }

    fn weighing(&self, unit: Unit) -> Result<Weighing, Refusal> {
        match (self.status.as_str(), &self.figure) {
            ("S", Some((reading, found))) => {
                unit.expect(found)?;
                Ok(reading.weighing(unit, None))
            }
            ("D", Some(_)) => Err(Refusal::Unstable),
            ("S" | "D", None) => Err(self.garbled("a status without figure")),
            _ => Err(self.refusal()),
        }
    }

    fn done(&self) -> Result<(), Refusal> {
        match (self.status.as_str(), &self.figure) {
            ("A", None) | ("S", Some(_)) => Ok(()),
            _ => Err(self.refusal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weigh(line: &str) -> Result<Weighing, &'static str> {
        Answer::parse(line.as_bytes(), "S")
            .and_then(|answer| answer.weighing(Unit::G))
            .map_err(|refusal| refusal.name())
    }

    #[test]
    fn answers_mean_what_the_manual_says() {
        let weighing = weigh("S S     100.000 g").unwrap();
        assert!((weighing.mass_mg - 100_000.0).abs() < 1e-6 && (weighing.division_mg - 1.0).abs() < 1e-9);
        assert_eq!(weigh("S D     100.000 g"), Err("unstable"));
        assert_eq!(weigh("S I"), Err("declined"));
        assert_eq!(weigh("S +"), Err("over-range"));
        assert_eq!(weigh("S -"), Err("under-range"));
        assert_eq!(weigh("ES"), Err("declined"));
        assert_eq!(weigh("S S     500.0 ct"), Err("wrong-unit"));
        for garbage in [
            "",
            "S",
            "S S",
            "S S 1.0",
            "S S 1.0 g g",
            "Z A",
            "S X 1.0 g",
            "S S 1x0 g",
            "\u{fc}",
        ] {
            assert_eq!(weigh(garbage), Err("garbled"), "{garbage}");
        }
    }
}
