//! Events to bytes and back. Any thread; coding an event does not allocate.
//!
//! An event is a tag, the time since the event before it, and what the tag says. Messages stand in the field bus's own
//! coding behind their length, each in a body of its own.

use line::weigh::Model;
use line::{Command, DownCause, Input};
use units::{BinId, BoardId, HostUs, LaneId, ValveId};
use wire::codec::{Body, Packer};
use wire::{FromBoard, Host, Identity, Messages};

use crate::bytes::{Cursor, Put};
use crate::limits::EVENT_MAX;
use crate::model;

/// One event of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    /// A board has said something.
    Board {
        /// Which.
        board: BoardId,
        /// What.
        message: FromBoard<'a>,
    },
    /// A board's handshake is complete.
    LinkUp {
        /// Which.
        board: BoardId,
        /// What it is.
        identity: Identity,
    },
    /// A board is gone.
    LinkDown {
        /// Which.
        board: BoardId,
        /// Why.
        cause: DownCause,
    },
    /// An operator's or the supervisor's wish.
    Command(Command),
    /// The recipe of this hash takes effect.
    Recipe(u64),
    /// A lane's streaming cell is weighed by this model from now on.
    Model {
        /// The lane.
        lane: LaneId,
        /// The cell's model.
        model: Model,
    },
    /// Time has passed and nothing else.
    Clock,
    /// Digest of all orders and records up to here.
    Check(u64),
    /// So many events are missing here: a replay ends.
    Lost(u64),
}

mod tag {
    pub(super) const BOARD: u8 = 0;
    pub(super) const LINK_UP: u8 = 1;
    pub(super) const LINK_DOWN: u8 = 2;
    pub(super) const COMMAND: u8 = 3;
    pub(super) const RECIPE: u8 = 4;
    pub(super) const CLOCK: u8 = 5;
    pub(super) const CHECK: u8 = 6;
    pub(super) const LOST: u8 = 7;
    pub(super) const MODEL: u8 = 8;
}

/// Why links go down, by number.
const CAUSES: [DownCause; 4] = [
    DownCause::Port,
    DownCause::Silence,
    DownCause::Reset,
    DownCause::Refused,
];

/// Bytes of one event.
#[derive(Clone, Debug)]
pub(crate) struct Coded {
    bytes: [u8; EVENT_MAX],
    len: usize,
}

impl Coded {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; EVENT_MAX],
            len: 0,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Begins an event.
    fn begin(&mut self, tag: u8, since_us: i64) {
        self.len = 0;
        self.u8(tag);
        self.signed(since_us);
    }

    fn message(&mut self, message: &FromBoard<'_>) -> Option<()> {
        let mut body = Body::new();
        Packer::new().push(&mut body, message).ok()?;
        self.u8(u8::try_from(body.len()).ok()?);
        self.put(body.bytes());
        Some(())
    }

    /// Codes what the core is about to see; `None` when a message has no coding on the bus, which no message that came over
    /// it is.
    pub(crate) fn input(&mut self, since_us: i64, input: &Input<'_>) -> Option<()> {
        match input {
            Input::Board { board, message } => {
                self.begin(tag::BOARD, since_us);
                self.u8(board.0);
                self.message(message)?;
            }
            Input::LinkUp { board, identity } => {
                self.begin(tag::LINK_UP, since_us);
                self.u8(board.0);
                self.message(&FromBoard::Identity(*identity))?;
            }
            Input::LinkDown { board, cause } => {
                self.begin(tag::LINK_DOWN, since_us);
                self.u8(board.0);
                self.u8(CAUSES.iter().position(|of| of == cause).map_or(0, |n| n as u8));
            }
            Input::Command(command) => {
                self.begin(tag::COMMAND, since_us);
                self.command(*command);
            }
            Input::Recipe(recipe) => {
                self.begin(tag::RECIPE, since_us);
                self.u64(recipe.hash());
            }
            Input::Model { lane, model } => {
                self.begin(tag::MODEL, since_us);
                self.u8(lane.0);
                model::put(self, model);
            }
            Input::Clock => self.begin(tag::CLOCK, since_us),
        }
        Some(())
    }

    pub(crate) fn check(&mut self, since_us: i64, digest: u64) {
        self.begin(tag::CHECK, since_us);
        self.u64(digest);
    }

    pub(crate) fn lost(&mut self, since_us: i64, events: u64) {
        self.begin(tag::LOST, since_us);
        self.varint(events);
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Start => self.u8(0),
            Command::Hold => self.u8(1),
            Command::Stop => self.u8(2),
            Command::Inhibit { bin, on } => self.put(&[3, bin.0, u8::from(on)]),
            Command::Release { bin } => self.put(&[4, bin.0]),
            Command::Acknowledge => self.u8(5),
            Command::Pulse { board, valve, us } => {
                self.put(&[6, board.0, valve.0]);
                self.u16(us);
            }
            Command::Lot { lot } => {
                self.u8(7);
                self.u32(lot);
            }
            Command::Feed { on } => self.put(&[8, u8::from(on)]),
            Command::Belt { on } => self.put(&[9, u8::from(on)]),
        }
    }
}

impl Put for Coded {
    fn put(&mut self, bytes: &[u8]) {
        // Every event fits: `EVENT_MAX` is its longest message with all that stands before it.
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// Bytes of the stream that are no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoEvent;

/// Length of the event at the stream's head; `None` when more bytes are needed to know.
pub(crate) fn length(stream: &[u8]) -> Result<Option<usize>, NoEvent> {
    let mut cursor = Cursor::new(stream);
    match skip(&mut cursor) {
        Some(()) => Ok(Some(stream.len() - cursor.rest.len())),
        None if stream.len() >= EVENT_MAX => Err(NoEvent),
        None => Ok(None),
    }
}

fn skip(cursor: &mut Cursor<'_>) -> Option<()> {
    let tag = cursor.u8()?;
    cursor.signed()?;
    match tag {
        tag::BOARD | tag::LINK_UP => {
            cursor.u8()?;
            let len = cursor.u8()?;
            cursor.slice(len.into())?;
        }
        tag::LINK_DOWN => {
            cursor.slice(2)?;
        }
        tag::COMMAND => {
            command(cursor)?;
        }
        tag::RECIPE | tag::CHECK => {
            cursor.slice(8)?;
        }
        tag::LOST => {
            cursor.varint()?;
        }
        tag::MODEL => {
            cursor.slice(1 + model::BYTES)?;
        }
        _ => {}
    }
    Some(())
}

/// The event of these bytes, and its time; `last` is that of the event before.
pub(crate) fn event(bytes: &[u8], last: HostUs) -> Result<(HostUs, Event<'_>), NoEvent> {
    let mut cursor = Cursor::new(bytes);
    let event = decode(&mut cursor).ok_or(NoEvent)?;
    if cursor.rest.is_empty() {
        Ok((last.plus(event.0), event.1))
    } else {
        Err(NoEvent)
    }
}

fn decode<'a>(cursor: &mut Cursor<'a>) -> Option<(i64, Event<'a>)> {
    let tag = cursor.u8()?;
    let since_us = cursor.signed()?;
    let event = match tag {
        tag::BOARD => {
            let board = BoardId(cursor.u8()?);
            let mut messages = Messages::<Host>::numbered(message_bytes(cursor)?);
            let message = messages.next()?.ok()?;
            if messages.next().is_some() {
                return None;
            }
            Event::Board { board, message }
        }
        tag::LINK_UP => {
            let board = BoardId(cursor.u8()?);
            let FromBoard::Identity(identity) = Messages::<Host>::connect(message_bytes(cursor)?).ok()? else {
                return None;
            };
            Event::LinkUp { board, identity }
        }
        tag::LINK_DOWN => Event::LinkDown {
            board: BoardId(cursor.u8()?),
            cause: *CAUSES.get(usize::from(cursor.u8()?))?,
        },
        tag::COMMAND => Event::Command(command(cursor)?),
        tag::RECIPE => Event::Recipe(cursor.u64()?),
        tag::CLOCK => Event::Clock,
        tag::CHECK => Event::Check(cursor.u64()?),
        tag::LOST => Event::Lost(cursor.varint()?),
        tag::MODEL => Event::Model {
            lane: LaneId(cursor.u8()?),
            model: model::get(cursor)?,
        },
        _ => return None,
    };
    Some((since_us, event))
}

fn message_bytes<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = cursor.u8()?;
    cursor.slice(len.into())
}

fn command(cursor: &mut Cursor<'_>) -> Option<Command> {
    Some(match cursor.u8()? {
        0 => Command::Start,
        1 => Command::Hold,
        2 => Command::Stop,
        3 => Command::Inhibit {
            bin: BinId(cursor.u8()?),
            on: cursor.flag()?,
        },
        4 => Command::Release {
            bin: BinId(cursor.u8()?),
        },
        5 => Command::Acknowledge,
        6 => Command::Pulse {
            board: BoardId(cursor.u8()?),
            valve: ValveId(cursor.u8()?),
            us: cursor.u16()?,
        },
        7 => Command::Lot { lot: cursor.u32()? },
        8 => Command::Feed { on: cursor.flag()? },
        9 => Command::Belt { on: cursor.flag()? },
        _ => return None,
    })
}
