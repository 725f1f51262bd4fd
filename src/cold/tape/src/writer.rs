//! Writes a recording. Cold: it may wait for the disk.

use std::io::{self, Write};

use crate::VERSION;
use crate::block;
use crate::bytes::Put;
use crate::head::Head;
use crate::limits::{BLOCK_MAX, END_ROOM, EVENTS_BLOCK};
use crate::recipe::RecipeEntry;
use crate::tap::Sink;

/// Counts at a recording's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events dropped before they came into the recording.
    pub lost: u64,
    /// Bytes of the stream that the limit of the file kept out.
    pub unkept: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    events: Vec<u8>,
    number: u32,
    written: u64,
    limit: u64,
    unkept: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a recording of at most `limit` bytes.
    ///
    /// # Errors
    /// When `out` does not take the bytes.
    pub fn new(mut out: W, head: &Head, limit: u64) -> io::Result<Self> {
        out.write_all(&block::MARK)?;
        out.write_all(&VERSION.to_le_bytes())?;
        let mut writer = Self {
            out,
            events: Vec::with_capacity(EVENTS_BLOCK),
            number: 0,
            written: block::MARK.len() as u64 + 4,
            limit,
            unkept: 0,
        };
        writer.block(block::HEAD, &head.encode())?;
        writer.out.flush()?;
        Ok(writer)
    }

    /// Writes a recipe, before it takes effect. Texts that are too long for a block are left out.
    ///
    /// # Errors
    /// When the file does not take the bytes.
    pub fn recipe(&mut self, recipe: &RecipeEntry) -> io::Result<()> {
        self.flush()?;
        let mut content = recipe.encode();
        if content.len() > BLOCK_MAX {
            let bare = RecipeEntry {
                texts: Vec::new(),
                ..recipe.clone()
            };
            content = bare.encode();
        }
        self.block(block::RECIPE, &content)?;
        self.out.flush()
    }

    /// Appends bytes of the stream.
    ///
    /// # Errors
    /// When the file does not take the bytes.
    pub fn stream(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(EVENTS_BLOCK) {
            if self.events.len() + piece.len() > EVENTS_BLOCK {
                self.events_block()?;
            }
            self.events.extend_from_slice(piece);
        }
        Ok(())
    }

    /// Hands everything to the file.
    ///
    /// # Errors
    /// When the file does not take the bytes.
    pub fn flush(&mut self) -> io::Result<()> {
        self.events_block()?;
        self.out.flush()
    }

    /// Ends the recording; gives its counts and the file.
    ///
    /// # Errors
    /// When the file does not take the bytes.
    pub fn end(mut self, lost: u64) -> io::Result<(Totals, W)> {
        self.events_block()?;
        let totals = Totals {
            lost,
            unkept: self.unkept,
        };
        let mut content = Vec::new();
        content.u64(totals.lost);
        content.u64(totals.unkept);
        self.raw_block(block::END, &content)?;
        self.out.flush()?;
        Ok((totals, self.out))
    }

    /// The file.
    pub const fn file(&self) -> &W {
        &self.out
    }

    /// Bytes written.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Whether the file has come to its limit: nothing more is kept.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.unkept > 0
    }

    fn events_block(&mut self) -> io::Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let mut events = std::mem::take(&mut self.events);
        let written = self.block(block::EVENTS, &events);
        events.clear();
        self.events = events;
        written
    }

    /// A block, if the limit has room for it; behind one that was kept out nothing is kept.
    fn block(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        let bytes = (block::HEAD_BYTES + content.len()) as u64;
        if self.is_full() || self.written + bytes + END_ROOM > self.limit {
            self.unkept += content.len() as u64;
            return Ok(());
        }
        self.raw_block(kind, content)
    }

    fn raw_block(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        self.out.write_all(&block::head(kind, self.number, content))?;
        self.out.write_all(content)?;
        self.number = self.number.wrapping_add(1);
        self.written += (block::HEAD_BYTES + content.len()) as u64;
        Ok(())
    }
}

/// Events straight from a tap, where the core's thread may wait for the disk: in virtual time.
impl<W: Write> Sink for Writer<W> {
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.stream(bytes).is_ok()
    }
}
