//! The host of a run in virtual time: links and core as the program runs them, without threads and ports.
//!
//! Any thread.

use std::sync::Arc;

use devices::{DownReason, HostLink, LinkEvent, LinkPlan, Needs};
use line::grade::Recipe;
use line::{Command, Core, DownCause, Input, Notice, Output, Record};
use units::{BinId, BoardId, EyeId, HostUs, TriggerSeq};
use wire::{FromBoard, ToBoard};

use crate::demo::Machine;
use crate::digest::Digest;

/// A board has said nothing for so long, us: its link is down.
const SILENCE_US: u32 = 200_000;

/// A message to a board, or its arming.
#[derive(Clone, Copy, Debug)]
enum Send {
    Message(ToBoard),
    Arm(bool),
}

/// What the core has given since it was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Given {
    sends: Vec<(BoardId, Send)>,
    pub(crate) records: Vec<Record>,
    pub(crate) notices: Vec<(HostUs, Notice)>,
    /// Triggers that the core was told of.
    pub(crate) told: Vec<(BoardId, EyeId, TriggerSeq)>,
    pub(crate) digest: Digest,
}

impl Output for Given {
    fn send(&mut self, board: BoardId, message: ToBoard) {
        self.digest.message(board, &message);
        self.sends.push((board, Send::Message(message)));
    }

    fn arm(&mut self, board: BoardId, on: bool) {
        self.sends.push((board, Send::Arm(on)));
    }

    fn record(&mut self, record: &Record) {
        self.digest.record(record);
        self.records.push(*record);
    }

    fn notice(&mut self, at: HostUs, notice: Notice) {
        self.notices.push((at, notice));
    }

    fn retire(&mut self, _recipe: Arc<Recipe>) {}
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Host {
    links: Vec<HostLink>,
    core: Core,
    pub(crate) given: Given,
    quarantined: Vec<BinId>,
}

impl Host {
    pub(crate) fn new(machine: &Machine, baud: u32) -> Self {
        let link = |(n, board): (usize, &line::BoardPlan)| {
            let id = BoardId(u8::try_from(n).unwrap_or(u8::MAX));
            let needs = Needs {
                queue: 64,
                horizon_ticks: 40_000,
                ..Needs::default()
            };
            let plan = LinkPlan::new(id, board.uid, baud, SILENCE_US, needs, &machine.settings[n]);
            HostLink::new(plan, 1)
        };
        let mut links: Vec<HostLink> = machine.plan.boards.iter().enumerate().map(link).collect();
        for link in &mut links {
            link.open(HostUs(0));
        }
        Self {
            links,
            core: Core::new(machine.plan.clone(), Arc::new(machine.recipe())),
            given: Given::default(),
            quarantined: Vec::new(),
        }
    }

    /// Bytes of a board have come.
    pub(crate) fn receive(&mut self, now: HostUs, board: BoardId, bytes: &[u8]) {
        let Self { links, core, given, .. } = self;
        links[board.index()].receive(now, bytes, |event| hear(core, given, board, now, &event));
        self.send();
    }

    /// A board's port is lost, or back.
    pub(crate) fn port(&mut self, now: HostUs, board: BoardId, there: bool) {
        let Self { links, core, given, .. } = self;
        let link = &mut links[board.index()];
        if there && link.is_closed() {
            link.open(now);
        } else if !there {
            link.close(|event| hear(core, given, board, now, &event));
        }
        self.send();
    }

    /// Does what is due by time.
    pub(crate) fn poll(&mut self, now: HostUs) {
        let Self { links, core, given, .. } = self;
        for (n, link) in links.iter_mut().enumerate() {
            if link.next_poll().is_some_and(|due| due <= now) {
                let board = BoardId(u8::try_from(n).unwrap_or(u8::MAX));
                link.poll(now, |event| hear(core, given, board, now, &event));
            }
        }
        if core.next_deadline().is_some_and(|due| due <= now) {
            core.handle(now, Input::Clock, given);
        }
        self.send();
    }

    pub(crate) fn command(&mut self, now: HostUs, command: Command) {
        self.core.handle(now, Input::Command(command), &mut self.given);
        self.send();
    }

    /// What an operator does after a hold: empties the bins in quarantine, acknowledges, starts.
    pub(crate) fn resume(&mut self, now: HostUs) {
        for bin in core::mem::take(&mut self.quarantined) {
            self.command(now, Command::Release { bin });
        }
        self.command(now, Command::Acknowledge);
        self.command(now, Command::Start);
    }

    /// A bin went into quarantine: it is emptied with the next [`Self::resume`].
    pub(crate) fn quarantined(&mut self, bin: BinId) {
        if !self.quarantined.contains(&bin) {
            self.quarantined.push(bin);
        }
    }

    /// When [`Self::poll`] or [`Self::transmit`] next has something to do; at once when it lies in the past.
    pub(crate) fn next_due(&self) -> HostUs {
        let links = self
            .links
            .iter()
            .flat_map(|link| [link.next_poll(), link.next_transmit()]);
        links
            .chain([self.core.next_deadline()])
            .flatten()
            .min()
            .unwrap_or(HostUs(i64::MAX))
    }

    /// Writes the bytes for a board into `out` and gives their number.
    pub(crate) fn transmit(&mut self, now: HostUs, board: BoardId, out: &mut [u8]) -> usize {
        let link = &mut self.links[board.index()];
        if link.next_transmit().is_some_and(|due| due <= now) {
            link.transmit(now, out)
        } else {
            0
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.links.iter().all(HostLink::is_ready)
    }

    pub(crate) fn state(&self) -> line::LineState {
        self.core.state()
    }

    pub(crate) fn accounts(&self) -> &line::Accounts {
        self.core.accounts()
    }

    pub(crate) fn wire_counters(&self) -> impl Iterator<Item = &wire::Counters> {
        self.links.iter().map(HostLink::wire_counters)
    }

    fn send(&mut self) {
        for (board, send) in self.given.sends.drain(..) {
            let link = &mut self.links[board.index()];
            // What a link does not take is counted there, and the core follows what boards say.
            let _taken = match send {
                Send::Message(message) => link.send(&message),
                Send::Arm(true) => link.arm(),
                Send::Arm(false) => link.send(&ToBoard::Disarm),
            };
        }
    }
}

/// Tells the core what a link has told.
fn hear(core: &mut Core, given: &mut Given, board: BoardId, now: HostUs, event: &LinkEvent<'_>) {
    let input = match *event {
        LinkEvent::Up { .. } => return,
        LinkEvent::Ready { identity, .. } => Input::LinkUp { board, identity },
        LinkEvent::Message(message) => {
            if let FromBoard::Trigger { eye, seq, .. } = message {
                given.told.push((board, eye, seq));
            }
            Input::Board { board, message }
        }
        LinkEvent::Down { reason } => Input::LinkDown {
            board,
            cause: down_cause(reason),
        },
    };
    core.handle(now, input, given);
}

fn down_cause(reason: DownReason) -> DownCause {
    match reason {
        DownReason::Port => DownCause::Port,
        DownReason::Silence => DownCause::Silence,
        DownReason::Watchdog => DownCause::Reset,
        DownReason::Refused(_) => DownCause::Refused,
    }
}
