//! `pearlsort run --commands`: an operator's commands as lines on standard input, for scripts and test rigs. Cold.
//!
//! A line is a command: `start`, `hold`, `stop`, `acknowledge`, `inhibit BIN`, `allow BIN`, `release BIN` (bins count from 1),
//! or `state`, which is answered with a line of state at once. A line that is none is told in the log and passed over.

use std::io;

use line::Command;
use rt::poll::{Transfer, read, set_nonblocking};
use units::BinId;

/// The longest line; more is no command.
const LINE_BYTES: usize = 256;

/// What a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A command for the core.
    Command(Command),
    /// The state, now.
    State,
}

/// A line that is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no command: write start, hold, stop, acknowledge, state, or inhibit, allow, release with a bin from 1 to {bins}",
    bins = line::limits::BINS
)]
pub struct NoCommand(String);

/// Lines of standard input, never waited for.
#[derive(Debug)]
pub struct Words {
    waiting: Vec<u8>,
    closed: bool,
}

impl Iterator for Words {
    type Item = Result<Word, NoCommand>;

    /// The next line, if a whole one has come; `None` is no end, more may come.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.waiting.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if !line.is_empty() {
                    return Some(parse(&line));
                }
                continue;
            }
            if self.waiting.len() > LINE_BYTES {
                let line = String::from_utf8_lossy(&self.waiting).into_owned();
                self.waiting.clear();
                return Some(Err(NoCommand(line)));
            }
            let mut bytes = [0; LINE_BYTES];
            match read(io::stdin(), &mut bytes) {
                Transfer::Done(count @ 1..) if !self.closed => self.waiting.extend_from_slice(&bytes[..count]),
                Transfer::WouldBlock => return None,
                Transfer::Done(_) | Transfer::Closed | Transfer::Failed(_) => {
                    self.closed = true;
                    return None;
                }
            }
        }
    }
}

impl Words {
    /// The lines of this process.
    ///
    /// # Errors
    /// When standard input can't be made to return at once.
    pub fn new() -> io::Result<Self> {
        set_nonblocking(io::stdin())?;
        Ok(Self {
            waiting: Vec::with_capacity(LINE_BYTES),
            closed: false,
        })
    }
}

fn parse(line: &str) -> Result<Word, NoCommand> {
    let no_command = || NoCommand(line.to_owned());
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let plain = |command| {
        if rest.is_empty() {
            Ok(command)
        } else {
            Err(no_command())
        }
    };
    let bin = || match rest.trim().parse::<usize>() {
        Ok(number @ 1..) if number <= line::limits::BINS => {
            let index = u8::try_from(number - 1).map_err(|_| no_command())?;
            Ok(BinId(index))
        }
        _ => Err(no_command()),
    };
    Ok(Word::Command(match word {
        "start" => plain(Command::Start)?,
        "hold" => plain(Command::Hold)?,
        "stop" => plain(Command::Stop)?,
        "acknowledge" => plain(Command::Acknowledge)?,
        "inhibit" => Command::Inhibit { bin: bin()?, on: true },
        "allow" => Command::Inhibit { bin: bin()?, on: false },
        "release" => Command::Release { bin: bin()? },
        "state" if rest.is_empty() => return Ok(Word::State),
        _ => return Err(no_command()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands_or_say_what_to_write() {
        assert_eq!(parse("start"), Ok(Word::Command(Command::Start)));
        assert_eq!(parse("state"), Ok(Word::State));
        assert_eq!(
            parse("release 3"),
            Ok(Word::Command(Command::Release { bin: BinId(2) }))
        );
        let no = |line: &str| parse(line).unwrap_err().to_string();
        assert!(no("strat").contains("\"strat\" is no command: write start"));
        for wrong in ["release", "release 0", "release 999", "hold 3", "release x"] {
            assert!(no(wrong).contains(wrong));
        }
    }
}
