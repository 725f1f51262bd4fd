//! Reads a recording, up to its end or to the first damage. Cold.

use std::fmt;
use std::io::{self, Read};

use units::HostUs;

use crate::VERSION;
use crate::block;
use crate::bytes::Cursor;
use crate::code::{self, Event};
use crate::head::Head;
use crate::limits::BLOCK_MAX;
use crate::recipe::RecipeEntry;
use crate::writer::Totals;

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
    /// It does not begin as one.
    #[error("it is no recording of pearlsort")]
    Mark,
    /// It is one of another version of the format.
    #[error("it has version {0} of the format, this program reads version {VERSION}")]
    Version(u32),
    /// What it says of the machine is damaged.
    #[error("its first block is damaged: what machine it is of can't be known")]
    Head,
}

/// How a recording ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it was meant to.
    Whole(Totals),
    /// In the middle: the program, or the computer, ended before the recording was.
    Cut {
        /// Bytes behind the last whole event.
        bytes: u64,
    },
    /// It is damaged: nothing behind is read.
    Damaged {
        /// Number of the block that should have come.
        block: u32,
        /// Bytes of the file that had been read before.
        at: u64,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(Totals { lost: 0, unkept: 0 }) => write!(f, "whole"),
            Self::Whole(Totals { lost, unkept: 0 }) => write!(f, "incomplete: {lost} events were dropped"),
            Self::Whole(Totals { lost, unkept }) => write!(
                f,
                "incomplete: {lost} events were dropped, and {unkept} bytes were beyond the limit of the file"
            ),
            Self::Cut { bytes } => write!(f, "cut: it was not ended; {bytes} bytes behind the last whole event"),
            Self::Damaged { block, at } => write!(
                f,
                "damaged before block {block}, about byte {at}; what follows is not read"
            ),
        }
    }
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: R,
    head: Head,
    recipes: Vec<RecipeEntry>,
    /// Bytes of the stream, of which those from `from` on are still to be read.
    stream: Vec<u8>,
    from: usize,
    last: HostUs,
    number: u32,
    /// Bytes of the file that have been read.
    at: u64,
    ending: Option<Ending>,
}

/// What stood where a block should begin.
enum Found {
    Block(u8, Vec<u8>),
    Nothing { bytes: u64 },
    Damage,
}

impl<R: Read> Reader<R> {
    /// Opens a recording.
    ///
    /// # Errors
    /// When it is none, or its first block can't be read.
    pub fn new(mut input: R) -> Result<Self, OpenError> {
        let mut mark = [0; 12];
        if read_whole(&mut input, &mut mark)? < mark.len() || !mark.starts_with(&block::MARK) {
            return Err(OpenError::Mark);
        }
        let version = u32::from_le_bytes([mark[8], mark[9], mark[10], mark[11]]);
        if version != VERSION {
            return Err(OpenError::Version(version));
        }
        let mut at = mark.len() as u64;
        let Found::Block(block::HEAD, content) = next_block(&mut input, 0, &mut at)? else {
            return Err(OpenError::Head);
        };
        let head = Head::decode(&content).ok_or(OpenError::Head)?;
        Ok(Self {
            input,
            head,
            recipes: Vec::new(),
            stream: Vec::new(),
            from: 0,
            last: HostUs(0),
            number: 1,
            at,
            ending: None,
        })
    }

    /// What the core was made of.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Recipes that have been met so far.
    pub fn recipes(&self) -> &[RecipeEntry] {
        &self.recipes
    }

    /// The recipe of a hash, if it has been met.
    pub fn recipe(&self, hash: u64) -> Option<&RecipeEntry> {
        self.recipes.iter().find(|recipe| recipe.hash == hash)
    }

    /// How the recording ends; `None` before [`Self::next_event`] has come there.
    pub const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The next event with its time; `None` at the end.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn next_event(&mut self) -> io::Result<Option<(HostUs, Event<'_>)>> {
        let length = loop {
            if self.ending.is_some() {
                return Ok(None);
            }
            match code::length(&self.stream[self.from..]) {
                Ok(Some(length)) => break length,
                Ok(None) => self.more()?,
                Err(code::NoEvent) => self.damaged(),
            }
        };
        let bytes = self.from..self.from + length;
        match code::event(&self.stream[bytes], self.last) {
            Ok((at, event)) => {
                self.from += length;
                self.last = at;
                Ok(Some((at, event)))
            }
            Err(code::NoEvent) => {
                // As `damaged`, field by field: the event of the other branch keeps the stream.
                let (block, at) = (self.number, self.at);
                self.ending = Some(Ending::Damaged { block, at });
                Ok(None)
            }
        }
    }

    /// Reads blocks up to and with the first of events, so that the recipe in force at the start is known.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn begin(&mut self) -> io::Result<()> {
        while self.stream.is_empty() && self.ending.is_none() {
            self.more()?;
        }
        Ok(())
    }

    fn damaged(&mut self) {
        self.ending = Some(Ending::Damaged {
            block: self.number,
            at: self.at,
        });
    }

    /// Reads one more block.
    fn more(&mut self) -> io::Result<()> {
        self.stream.drain(..self.from);
        self.from = 0;
        let before = self.at;
        let (kind, content) = match next_block(&mut self.input, self.number, &mut self.at)? {
            Found::Block(kind, content) => (kind, content),
            Found::Nothing { bytes } => {
                let bytes = bytes + self.stream.len() as u64;
                self.ending = Some(Ending::Cut { bytes });
                return Ok(());
            }
            Found::Damage => {
                self.at = before;
                self.damaged();
                return Ok(());
            }
        };
        match kind {
            block::EVENTS => self.stream.extend_from_slice(&content),
            block::RECIPE => match RecipeEntry::decode(&content) {
                Some(recipe) => {
                    self.recipes.retain(|other| other.hash != recipe.hash);
                    self.recipes.push(recipe);
                }
                None => self.damaged(),
            },
            block::END if content.len() == 16 && self.stream.is_empty() => {
                let mut cursor = Cursor::new(&content);
                let (lost, unkept) = (cursor.u64().unwrap_or(0), cursor.u64().unwrap_or(0));
                self.ending = Some(Ending::Whole(Totals { lost, unkept }));
            }
            _ => self.damaged(),
        }
        self.number = self.number.wrapping_add(1);
        Ok(())
    }
}

fn next_block(input: &mut impl Read, number: u32, at: &mut u64) -> io::Result<Found> {
    let mut head = [0; block::HEAD_BYTES];
    let got = read_whole(input, &mut head)?;
    if got < head.len() {
        return Ok(Found::Nothing { bytes: got as u64 });
    }
    let long = u32::from_le_bytes([head[5], head[6], head[7], head[8]]) as usize;
    if long > BLOCK_MAX {
        return Ok(Found::Damage);
    }
    let mut content = vec![0; long];
    let got = read_whole(input, &mut content)?;
    if got < long {
        return Ok(Found::Nothing {
            bytes: (head.len() + got) as u64,
        });
    }
    if block::head(head[0], number, &content) != head {
        return Ok(Found::Damage);
    }
    *at += (head.len() + long) as u64;
    Ok(Found::Block(head[0], content))
}

/// Reads until `bytes` are full or the input ends; gives how many came.
fn read_whole(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < bytes.len() {
        match input.read(&mut bytes[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
