//! The host of a run in virtual time: links and core as the program runs them, without threads and ports.
//!
//! Any thread.

use std::sync::Arc;

use devices::{DownReason, HostLink, LinkEvent, LinkPlan, Needs};
use line::grade::Recipe;
use line::weigh::Model;
use line::{Command, Core, DownCause, Input, Notice, Output, Record};
use units::{BinId, BoardId, EyeId, HostUs, LaneId, TriggerSeq};
use wire::{FromBoard, ToBoard};

use crate::demo::Machine;
use crate::digest::Digest;
use crate::tap::OrderSeen;
use crate::truth::Happened;

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

/// Hears what the core sees: to record it. It may put recipes in force too.
pub trait Listener {
    /// The core is about to see this.
    fn before(&mut self, at: HostUs, input: &Input<'_>);
    /// It has; this is the digest of all orders and records so far.
    fn after(&mut self, at: HostUs, digest: &Digest);
    /// A recipe that shall take effect now. Asked at every moment of the run.
    fn recipe(&mut self, _at: HostUs) -> Option<Arc<Recipe>> {
        None
    }
    /// A pearl's story is complete. What is answered with `false` nobody else hears of: so a test breaks a core.
    fn record(&mut self, _record: &Record) -> bool {
        true
    }
    /// A message is about to leave for a board. It may be changed, or kept back by `false`: so a test breaks a core.
    fn send(&mut self, _board: BoardId, _message: &mut ToBoard) -> bool {
        true
    }
    /// What has happened on the line until now, and the orders that have come to boards; the belt is at `place` ticks.
    fn happened(&mut self, _now_us: u64, _happened: &Happened, _orders: &[OrderSeen], _place: f64) {}
}

/// Nobody listens.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Listener for Nobody {
    fn before(&mut self, _at: HostUs, _input: &Input<'_>) {}
    fn after(&mut self, _at: HostUs, _digest: &Digest) {}
}

/// The core, what it has given, and who hears it.
struct Heart<'a> {
    core: Core,
    given: Given,
    listener: &'a mut dyn Listener,
}

impl Heart<'_> {
    fn handle(&mut self, at: HostUs, input: Input<'_>) {
        self.listener.before(at, &input);
        self.core.handle(at, input, &mut self.given);
        self.listener.after(at, &self.given.digest);
    }
}

/// See the module.
pub(crate) struct Host<'a> {
    links: Vec<HostLink>,
    heart: Heart<'a>,
    quarantined: Vec<BinId>,
}

impl<'a> Host<'a> {
    pub(crate) fn new(machine: &Machine, baud: u32, listener: &'a mut dyn Listener) -> Self {
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
            heart: Heart {
                core: Core::new(machine.plan.clone(), Arc::new(machine.recipe())),
                given: Given::default(),
                listener,
            },
            quarantined: Vec::new(),
        }
    }

    /// Each streaming cell is weighed by its model.
    pub(crate) fn models(&mut self, models: &[(LaneId, Model)]) {
        for (lane, model) in models {
            let lane = *lane;
            self.heart.handle(HostUs(0), Input::Model { lane, model });
        }
    }

    /// Bytes of a board have come.
    pub(crate) fn receive(&mut self, now: HostUs, board: BoardId, bytes: &[u8]) {
        let Self { links, heart, .. } = self;
        links[board.index()].receive(now, bytes, |event| hear(heart, board, now, &event));
        self.send();
    }

    /// A board's port is lost, or back.
    pub(crate) fn port(&mut self, now: HostUs, board: BoardId, there: bool) {
        let Self { links, heart, .. } = self;
        let link = &mut links[board.index()];
        if there && link.is_closed() {
            link.open(now);
        } else if !there {
            link.close(|event| hear(heart, board, now, &event));
        }
        self.send();
    }

    /// Does what is due by time.
    pub(crate) fn poll(&mut self, now: HostUs) {
        let Self { links, heart, .. } = self;
        if let Some(recipe) = heart.listener.recipe(now) {
            heart.handle(now, Input::Recipe(recipe));
        }
        for (n, link) in links.iter_mut().enumerate() {
            if link.next_poll().is_some_and(|due| due <= now) {
                let board = BoardId(u8::try_from(n).unwrap_or(u8::MAX));
                link.poll(now, |event| hear(heart, board, now, &event));
            }
        }
        if heart.core.next_deadline().is_some_and(|due| due <= now) {
            heart.handle(now, Input::Clock);
        }
        self.send();
    }

    pub(crate) fn command(&mut self, now: HostUs, command: Command) {
        self.heart.handle(now, Input::Command(command));
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
            .chain([self.heart.core.next_deadline()])
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
        self.heart.core.state()
    }

    pub(crate) fn accounts(&self) -> &line::Accounts {
        self.heart.core.accounts()
    }

    /// What the core has given since it was last looked at.
    pub(crate) fn given(&mut self) -> &mut Given {
        &mut self.heart.given
    }

    /// Digest of all orders and records.
    pub(crate) fn digest(&self) -> Digest {
        self.heart.given.digest
    }

    /// Tells the listener of a record; says whether others hear of it.
    pub(crate) fn tell(&mut self, record: &Record) -> bool {
        self.heart.listener.record(record)
    }

    /// Tells the listener what has happened on the line.
    pub(crate) fn show(&mut self, now_us: u64, happened: &Happened, orders: &[OrderSeen], place: f64) {
        self.heart.listener.happened(now_us, happened, orders, place);
    }

    pub(crate) fn wire_counters(&self) -> impl Iterator<Item = &wire::Counters> {
        self.links.iter().map(HostLink::wire_counters)
    }

    fn send(&mut self) {
        let Self { links, heart, .. } = self;
        for (board, send) in heart.given.sends.drain(..) {
            let link = &mut links[board.index()];
            // What a link does not take is counted there, and the core follows what boards say.
            let _taken = match send {
                Send::Message(mut message) => {
                    if !heart.listener.send(board, &mut message) {
                        continue;
                    }
                    link.send(&message)
                }
                Send::Arm(true) => link.arm(),
                Send::Arm(false) => link.send(&ToBoard::Disarm),
            };
        }
    }
}

/// Tells the core what a link has told.
fn hear(heart: &mut Heart<'_>, board: BoardId, now: HostUs, event: &LinkEvent<'_>) {
    let input = match *event {
        LinkEvent::Up { .. } => return,
        LinkEvent::Ready { identity, .. } => Input::LinkUp { board, identity },
        LinkEvent::Message(message) => {
            if let FromBoard::Trigger { eye, seq, .. } = message {
                heart.given.told.push((board, eye, seq));
            }
            Input::Board { board, message }
        }
        LinkEvent::Down { reason } => Input::LinkDown {
            board,
            cause: down_cause(reason),
        },
    };
    heart.handle(now, input);
}

fn down_cause(reason: DownReason) -> DownCause {
    match reason {
        DownReason::Port => DownCause::Port,
        DownReason::Silence => DownCause::Silence,
        DownReason::Watchdog => DownCause::Reset,
        DownReason::Refused(_) => DownCause::Refused,
    }
}
