//! A timetable of link faults as text: what `--allow-faults` takes, on the command line or in a file.
//!
//! Cold. Entries stand on lines of their own or are parted by `;`, `#` begins a remark:
//!
//! ```text
//! seed=7                       # of what is left to chance
//! A 3..3.5 stall               # board A, from 3 s to 3.5 s after the program's start
//! B 8..12 drop=1e-3 flip=5e-4  # probabilities a byte; also double=
//! B 14..15 delay-ms=15         # up to so much
//! B 16..17 reorder=0.05        # probability a run of bytes
//! A 20..22 cut
//! ```

use units::BoardId;

use super::{LinkFault, LinkFaults, TimedLinkFault};

/// What is wrong with a timetable's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("link faults, entry {entry} ({text}): {what}")]
pub struct SpecError {
    /// Number of the entry, from 1.
    pub entry: usize,
    /// The entry.
    pub text: String,
    /// What is wrong with it, and what to write.
    pub what: String,
}

/// A timetable that names boards as the configuration does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    seed: u64,
    /// Name of the board, number of the entry, the fault.
    faults: Vec<(String, usize, TimedLinkFault)>,
}

/// The longest time of a timetable, s.
const LONGEST_S: f64 = 1e7;

impl Spec {
    /// Reads a timetable.
    ///
    /// # Errors
    /// The first entry that is wrong.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let mut spec = Self::default();
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let entries = lines.flat_map(|line| line.split(';')).map(str::trim);
        for (n, entry) in entries.filter(|entry| !entry.is_empty()).enumerate() {
            let wrong = |what: String| SpecError {
                entry: n + 1,
                text: entry.to_owned(),
                what,
            };
            if let Some(seed) = entry.strip_prefix("seed=") {
                let parsed = seed.trim().parse();
                spec.seed = parsed.map_err(|_| wrong(format!("\"{seed}\" is no whole number")))?;
                continue;
            }
            let (board, timed) = parse_entry(entry).map_err(wrong)?;
            spec.faults.push((board, n + 1, timed));
        }
        Ok(spec)
    }

    /// The timetable of a line whose boards have these names, in their order.
    ///
    /// # Errors
    /// When it names a board that the line lacks.
    pub fn resolve(&self, names: &[&str]) -> Result<LinkFaults, SpecError> {
        let mut faults = Vec::with_capacity(self.faults.len());
        for (name, entry, timed) in &self.faults {
            let place = names.iter().position(|known| known == name);
            let board = place
                .and_then(|place| u8::try_from(place).ok())
                .ok_or_else(|| SpecError {
                    entry: *entry,
                    text: name.clone(),
                    what: format!("no board has this name; the line's boards are {}", names.join(", ")),
                })?;
            faults.push(TimedLinkFault {
                board: BoardId(board),
                ..*timed
            });
        }
        Ok(LinkFaults {
            seed: self.seed,
            faults,
        })
    }
}

fn parse_entry(entry: &str) -> Result<(String, TimedLinkFault), String> {
    let mut words = entry.split_whitespace();
    let (Some(board), Some(times)) = (words.next(), words.next()) else {
        return Err("write BOARD FROM..UNTIL FAULT, such as `A 3..3.5 stall`".to_owned());
    };
    let (from, until) = times
        .split_once("..")
        .ok_or_else(|| format!("\"{times}\" is no stretch of time: write FROM..UNTIL in seconds"))?;
    let (from_us, until_us) = (us(from)?, us(until)?);
    if until_us <= from_us {
        return Err(format!("{times} is over before it begins"));
    }
    let fault = parse_fault(&words.collect::<Vec<_>>())?;
    Ok((
        board.to_owned(),
        TimedLinkFault {
            board: BoardId(0),
            from_us,
            until_us,
            fault,
        },
    ))
}

fn parse_fault(words: &[&str]) -> Result<LinkFault, String> {
    const KNOWN: &str = "stall, cut, delay-ms=N, reorder=P, or drop=P, double=P and flip=P together";
    if let [word] = words {
        match word.split_once('=') {
            None if *word == "stall" => return Ok(LinkFault::Stall),
            None if *word == "cut" => return Ok(LinkFault::Cut),
            Some(("reorder", share)) => {
                return Ok(LinkFault::Reorder {
                    share: probability(share)?,
                });
            }
            Some(("delay-ms", ms)) => {
                let most = number(ms, 0.0, 60_000.0)?;
                return Ok(LinkFault::Delay {
                    most_us: u32::try_from(whole(most * 1e3)).unwrap_or(u32::MAX),
                });
            }
            _ => {}
        }
    }
    let (mut drop, mut double, mut flip) = (0.0, 0.0, 0.0);
    for word in words {
        let place = match word.split_once('=') {
            Some(("drop", share)) => (&mut drop, share),
            Some(("double", share)) => (&mut double, share),
            Some(("flip", share)) => (&mut flip, share),
            _ => return Err(format!("\"{word}\" is no fault of a link; known are {KNOWN}")),
        };
        *place.0 = probability(place.1)?;
    }
    if words.is_empty() || drop + double + flip > 1.0 {
        return Err(format!("write one of {KNOWN}; probabilities add up to 1 at most"));
    }
    Ok(LinkFault::Noise { drop, double, flip })
}

fn us(seconds: &str) -> Result<u64, String> {
    Ok(whole(number(seconds, 0.0, LONGEST_S)? * 1e6))
}

fn probability(text: &str) -> Result<f64, String> {
    number(text, 0.0, 1.0)
}

fn number(text: &str, least: f64, most: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("\"{text}\" is no number from {least} to {most}")),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
const fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timetable_is_read_from_a_line_and_from_a_file() {
        let line = Spec::parse("seed=7; A 3..3.5 stall; B 8..12 drop=1e-3 flip=5e-4").unwrap();
        let file = Spec::parse("seed=7\n# noise\nA 3..3.5 stall # all of it\nB 8..12 drop=1e-3 flip=5e-4\n").unwrap();
        assert_eq!(line.resolve(&["A", "B"]), file.resolve(&["A", "B"]));
        let faults = line.resolve(&["A", "B"]).unwrap();
        assert_eq!(faults.seed, 7);
        assert_eq!(faults.trouble(BoardId(0), 3_200_000).stalled_until_us, Some(3_500_000));
        assert_eq!(faults.trouble(BoardId(1), 9_000_000).noise, Some([1e-3, 0.0, 5e-4]));
        assert_eq!(faults.trouble(BoardId(1), 12_000_000), super::super::Trouble::default());
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let said = |text: &str| Spec::parse(text).unwrap_err().to_string();
        assert!(said("A 3..4 stal").contains("entry 1 (A 3..4 stal): \"stal\" is no fault of a link; known are stall"));
        assert!(said("seed=x").contains("no whole number"));
        assert!(said("A 3..4 cut; A 4..3 cut").contains("entry 2 (A 4..3 cut): 4..3 is over before it begins"));
        assert!(said("A 3 cut").contains("write FROM..UNTIL"));
        assert!(said("A 3..4 drop=2").contains("no number from 0 to 1"));
        assert!(said("A 3..4").contains("write one of"));
        let spec = Spec::parse("C 3..4 cut").unwrap();
        let error = spec.resolve(&["A", "B"]).unwrap_err().to_string();
        assert!(error.contains("the line's boards are A, B"), "{error}");
    }
}
