//! Messages to bytes and back. What stands where is in `docs/WIRE.md`; every message has exactly one coding, and bytes that are
//! not it are refused.
//!
//! Any thread, host and board. Words: the **body** is a frame's messages; within a body ticks, order numbers and lengths of
//! fire orders are coded as differences from the one before (the **context**), so each frame is read by itself.

pub mod from_board;
mod primitives;
pub mod to_board;

use primitives::{Head, Source};

use crate::limits::{BODY_MAX, MESSAGE_HEAD_MAX};
use crate::message::{FromBoard, ToBoard};

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecodeError {
    /// No message of this direction and kind of frame has this tag.
    Tag(u8),
    /// The body ends within a message.
    Short,
    /// A variable-length number that is too large or has needless bytes.
    Varint,
    /// A value that the field does not have.
    Value,
    /// Bytes behind the only message of a connect frame, or in a frame that has none.
    Trailing,
    /// A connect or data frame without a message.
    Empty,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PushError {
    /// No room: transmit, wait for acknowledgements, and push it again.
    Full,
    /// The message can't be coded: a value that its field does not have, too many samples, or a message of the other kind
    /// of frame. Pushing it again does not help.
    Invalid,
}

/// Which side of the link this is: what it sends and what it receives.
pub trait Role {
    /// Messages that it sends.
    type Out<'a>: Encode;
    /// Messages that it receives.
    type In<'a>;
    /// Decodes one message, at least one byte being left.
    #[doc(hidden)]
    fn decode<'a>(source: &mut Source<'a>) -> Result<Self::In<'a>, DecodeError>;
    /// The session that a received connect message belongs to, if it names one itself.
    #[doc(hidden)]
    fn session_of(message: &Self::In<'_>) -> Option<u16>;
}

/// The host: sends [`ToBoard`], receives [`FromBoard`].
#[derive(Clone, Copy, Debug)]
pub enum Host {}

/// A board: sends [`FromBoard`], receives [`ToBoard`].
#[derive(Clone, Copy, Debug)]
pub enum Board {}

impl Role for Host {
    type Out<'a> = ToBoard;
    type In<'a> = FromBoard<'a>;

    fn decode<'a>(source: &mut Source<'a>) -> Result<FromBoard<'a>, DecodeError> {
        from_board::decode(source)
    }

    fn session_of(_: &FromBoard<'_>) -> Option<u16> {
        None
    }
}

impl Role for Board {
    type Out<'a> = FromBoard<'a>;
    type In<'a> = ToBoard;

    fn decode<'a>(source: &mut Source<'a>) -> Result<ToBoard, DecodeError> {
        to_board::decode(source)
    }

    fn session_of(message: &ToBoard) -> Option<u16> {
        match message {
            ToBoard::Hello(hello) => Some(hello.session),
            _ => None,
        }
    }
}

/// A message that can be sent.
pub trait Encode {
    /// Whether it goes into a connect frame (unnumbered) instead of a data frame.
    fn is_connect(&self) -> bool;
    /// Appends it to a body.
    #[doc(hidden)]
    fn encode(&self, head: &mut Head, packer: &mut Packer) -> Result<Coded<'_>, PushError>;
}

/// How a message was coded.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Coded<'a> {
    /// Whole in the head.
    Whole,
    /// In the head, as one more entry of the fire block that is open.
    InBlock,
    /// In the head, as the first entry of a fire block.
    NewBlock,
    /// The head, and these bytes behind it.
    WithData(&'a [u8]),
}

/// The messages of one frame, as bytes.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    bytes: [u8; BODY_MAX],
    len: u8,
}

impl Body {
    /// A body without messages.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; BODY_MAX],
            len: 0,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// Its bytes' number.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether it has no message.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes all messages out.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    fn append(&mut self, bytes: &[u8]) {
        let begin = self.len();
        let end = begin + bytes.len();
        self.bytes[begin..end].copy_from_slice(bytes);
        self.len = end as u8;
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::new()
    }
}

/// What later messages of a body are coded against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    tick: Option<u32>,
    order: Option<u16>,
    length: u16,
}

/// Packs messages into a body, one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packer {
    context: Context,
    /// Where the tag of the fire block stands that the last message ended, and its number of entries.
    block: Option<(u8, u8)>,
}

impl Packer {
    /// A packer for an empty body.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            context: Context {
                tick: None,
                order: None,
                length: 0,
            },
            block: None,
        }
    }

    /// Appends `message` to `body`, which stays as it was on an error.
    ///
    /// # Errors
    ///
    /// [`PushError::Full`] when the body has no room for it, [`PushError::Invalid`] when it has no coding.
    pub fn push<M: Encode>(&mut self, body: &mut Body, message: &M) -> Result<(), PushError> {
        let mut head = Head::new();
        let mut after = *self;
        let coded = message.encode(&mut head, &mut after)?;
        let data = if let Coded::WithData(data) = coded { data } else { &[] };
        if body.len() + head.bytes().len() + data.len() > BODY_MAX {
            return Err(PushError::Full);
        }
        after.block = match (coded, after.block) {
            (Coded::NewBlock, _) => Some((body.len, 1)),
            (Coded::InBlock, Some((tag, entries))) => {
                body.bytes[usize::from(tag)] += 1;
                Some((tag, entries + 1))
            }
            _ => None,
        };
        body.append(head.bytes());
        body.append(data);
        *self = after;
        Ok(())
    }
}

/// The messages of a body, one after another; ends after the first error.
#[derive(Clone, Debug)]
pub struct Messages<'a, R> {
    source: Source<'a>,
    failed: bool,
    role: core::marker::PhantomData<R>,
}

impl<'a, R: Role> Messages<'a, R> {
    /// The messages of a data frame's body, as `R` receives them.
    #[must_use]
    pub const fn numbered(body: &'a [u8]) -> Self {
        Self {
            source: Source::new(body, false),
            failed: false,
            role: core::marker::PhantomData,
        }
    }

    /// The message of a connect frame's body, as `R` receives it.
    ///
    /// # Errors
    ///
    /// When the body is not exactly one connect message of this direction.
    pub fn connect(body: &'a [u8]) -> Result<R::In<'a>, DecodeError> {
        let mut source = Source::new(body, true);
        if source.is_empty() {
            return Err(DecodeError::Empty);
        }
        let message = R::decode(&mut source)?;
        if source.is_empty() {
            Ok(message)
        } else {
            Err(DecodeError::Trailing)
        }
    }

    /// Number of messages in the body.
    ///
    /// # Errors
    ///
    /// When any of them can't be decoded, or there is none.
    pub fn check(self) -> Result<u32, DecodeError> {
        let mut count = 0;
        for message in self {
            message?;
            count += 1;
        }
        if count == 0 { Err(DecodeError::Empty) } else { Ok(count) }
    }
}

impl<'a, R: Role> Iterator for Messages<'a, R> {
    type Item = Result<R::In<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.source.is_empty() {
            return None;
        }
        let message = R::decode(&mut self.source);
        self.failed = message.is_err();
        Some(message)
    }
}

const _: () = assert!(MESSAGE_HEAD_MAX < 256);
