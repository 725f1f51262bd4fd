//! The boards as commissioning sees them: what they say, and what is asked of them. Cold; the real boards are in
//! `boards`, a test has boards of its own.

use units::{BoardId, EyeId, HostUs, OrderId, Tick32, TriggerSeq};
use wire::{FaultOf, FromBoard, MassStatus, Status, ToBoard};

use devices::{DownReason, LinkEvent, SendError};

/// What a board has said, or what became of its link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Said {
    /// Its handshake is complete.
    Ready,
    /// Its link is down.
    Down(DownReason),
    /// Its clock and encoder.
    Status(Status),
    /// An entry eye was interrupted.
    Trigger {
        /// Which.
        eye: EyeId,
        /// Number of the trigger.
        seq: TriggerSeq,
        /// Tick latched at it.
        tick: Tick32,
    },
    /// An entry eye is clear again.
    Passed {
        /// Which.
        eye: EyeId,
        /// Number of the trigger that it ends.
        seq: TriggerSeq,
        /// Tick latched at it.
        tick: Tick32,
    },
    /// A pearl that was alone came onto a weigh platform.
    Entered {
        /// The weigh cell.
        cell: u8,
        /// Tick at which the pearl's centre came onto it.
        tick: Tick32,
    },
    /// A drop eye was interrupted.
    Landed {
        /// Which.
        eye: EyeId,
        /// Tick latched at it.
        tick: Tick32,
    },
    /// An order was carried out.
    Fired {
        /// Which.
        order: OrderId,
    },
    /// An order was not, or not rightly, carried out.
    NotFired {
        /// Which.
        order: OrderId,
    },
    /// Valves may fire.
    Armed,
    /// Valves may not fire any more.
    Disarmed {
        /// Whether it was the watchdog.
        by_watchdog: bool,
    },
    /// A channel's value.
    Channel {
        /// Which.
        channel: u8,
        /// Its value.
        value: u16,
    },
}

/// Who said what, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// The board.
    pub board: BoardId,
    /// Host time.
    pub at: HostUs,
    /// What.
    pub said: Said,
}

/// What is asked of the boards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// A message.
    Send(BoardId, ToBoard),
    /// Arm a board and feed its watchdog from now on.
    Arm(BoardId),
    /// End.
    Quit,
}

/// The boards.
pub trait Boards {
    /// What was heard next; `None` when nothing has come for a few hundredths of a second.
    ///
    /// # Errors
    /// When nothing will come any more.
    fn hear(&mut self) -> Result<Option<Heard>, Gone>;
    /// Asks something.
    ///
    /// # Errors
    /// When nobody hears it, or too much is waiting.
    fn ask(&mut self, ask: Ask) -> Result<(), Gone>;
    /// Host time.
    fn now(&self) -> HostUs;
}

/// The boards' thread has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the thread of the boards has ended: a fault in pearlsort. The boards close every valve by their watchdogs")]
pub struct Gone;

/// What a link event says to commissioning; `None` when it says nothing.
#[must_use]
pub fn said(event: &LinkEvent<'_>) -> Option<Said> {
    let message = match event {
        LinkEvent::Ready { .. } => return Some(Said::Ready),
        LinkEvent::Down { reason } => return Some(Said::Down(*reason)),
        LinkEvent::Up { .. } => return None,
        LinkEvent::Message(message) => message,
    };
    Some(match *message {
        FromBoard::Status(status) => Said::Status(status),
        FromBoard::Trigger { eye, seq, tick } => Said::Trigger { eye, seq, tick },
        FromBoard::Passed { eye, seq, tick } => Said::Passed { eye, seq, tick },
        FromBoard::Mass(mass) if mass.status == MassStatus::Good => Said::Entered {
            cell: mass.cell,
            tick: mass.entered,
        },
        FromBoard::Landed { eye, tick, .. } => Said::Landed { eye, tick },
        FromBoard::Fired { order, .. } => Said::Fired { order },
        FromBoard::Late { order, .. } => Said::NotFired { order },
        FromBoard::Fault {
            of: FaultOf::Order(order),
            ..
        } => Said::NotFired { order },
        FromBoard::Armed => Said::Armed,
        FromBoard::Disarmed { by_watchdog } => Said::Disarmed { by_watchdog },
        FromBoard::Channel { channel, value } => Said::Channel { channel, value },
        _ => return None,
    })
}

/// What a message that was not sent means to commissioning: an order that will not fire.
#[must_use]
pub fn unsent(message: &ToBoard, _why: SendError) -> Option<Said> {
    match message {
        ToBoard::Fire(fire) => Some(Said::NotFired { order: fire.order }),
        _ => None,
    }
}
