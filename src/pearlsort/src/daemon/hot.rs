//! What the hot loop drives: the core, with its commands, its recipe and its ways out.
//!
//! Hot thread. Nothing here allocates, blocks or formats; what finds no room is dropped and counted.

use std::sync::Arc;

use devices::hot::{Flow, Handler, Outgoing};
use devices::{DownReason, LinkEvent, Refusal, SendError};
use line::grade::Recipe;
use line::weigh::Model;
use line::{Command, Core, DownCause, Input, Notice, Output, Record};
use rt::counter::SnapshotWriter;
use rt::histogram::Recorder;
use rt::published::Reader;
use rt::ring::{Consumer, Producer};
use units::{BoardId, HostUs, LaneId};
use wire::{FromBoard, Measurement, ToBoard};

use super::figures::{Figure, Figures};
use crate::recording::HotTape;

/// Time between two snapshots of the counts, in microseconds.
const SNAPSHOT_US: i64 = 20_000;

/// What the cold side asks of the hot loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// A command for the core.
    Core(Command),
    /// A lane's streaming cell is weighed by this model from now on.
    Model(LaneId, Model),
    /// End the loop.
    Quit,
}

/// What the hot loop tells beside the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The core's own.
    Core(Notice),
    /// A board is not what the line needs.
    Refused(BoardId, Refusal),
    /// A board had silence, reset or watchdog; the link calls it again.
    Down(BoardId, DownReason),
}

/// What the host's own eyes have made of a flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Board of the entry eye that fired it.
    pub board: BoardId,
    /// The figures, or why there are none.
    pub measurement: Measurement,
}

/// The hot ends of everything that passes between hot and cold.
pub(super) struct HotEnds {
    pub(super) asks: Consumer<Ask>,
    pub(super) recipe: Reader<Recipe>,
    /// Figures of the host's own eyes; `None` where boards send them.
    pub(super) views: Option<Consumer<Seen>>,
    pub(super) records: Producer<Record>,
    pub(super) news: Producer<(HostUs, News)>,
    pub(super) figures: SnapshotWriter<{ Figure::COUNT }>,
    pub(super) decision_us: Recorder,
    pub(super) lead_us: Recorder,
    /// Where events go that are recorded; `None` without a recording.
    pub(super) tape: Option<HotTape>,
}

/// The core and its doors.
pub(super) struct Sorter {
    core: Core,
    ends: HotEnds,
    unsent: u64,
    next_snapshot: HostUs,
    snapshots: u64,
}

impl Sorter {
    pub(super) fn new(core: Core, ends: HotEnds) -> Self {
        Self {
            core,
            ends,
            unsent: 0,
            next_snapshot: HostUs(i64::MIN),
            snapshots: 0,
        }
    }

    fn input(&mut self, at: HostUs, input: Input<'_>, out: &mut Outgoing) {
        if let Some(tape) = &mut self.ends.tape {
            tape.before(at, &input);
        }
        self.core.handle(
            at,
            input,
            &mut Door {
                ends: &mut self.ends,
                out,
            },
        );
        if let Some(tape) = &mut self.ends.tape {
            tape.after(at);
        }
    }

    fn tell(&mut self, at: HostUs, news: News) {
        // A full ring counts what it drops, and the cold side sees the count.
        let _ = self.ends.news.push((at, news));
    }

    fn link_down(&mut self, board: BoardId, at: HostUs, reason: DownReason, out: &mut Outgoing) {
        let cause = match reason {
            DownReason::Port => DownCause::Port,
            DownReason::Silence => DownCause::Silence,
            DownReason::Watchdog => DownCause::Reset,
            DownReason::Refused(refusal) => {
                self.tell(at, News::Refused(board, refusal));
                DownCause::Refused
            }
        };
        self.tell(at, News::Down(board, reason));
        self.input(at, Input::LinkDown { board, cause }, out);
    }

    fn publish(&mut self, now: HostUs) {
        let accounts = self.core.accounts();
        let mut figures = Figures::default();
        figures.set(Figure::State, self.core.state() as u64);
        figures.set(Figure::Entered, accounts.entered);
        figures.set(Figure::InFlight, accounts.in_flight);
        figures.set(Figure::Binned, accounts.binned_total());
        figures.set(Figure::Recirculated, accounts.recirculated_total());
        figures.set(Figure::Lost, accounts.lost);
        figures.set(Figure::Orders, accounts.orders);
        figures.set(Figure::Late, accounts.late);
        figures.set(Figure::Cancelled, accounts.cancelled);
        figures.set(Figure::Quarantines, accounts.quarantines);
        figures.set(Figure::Unsent, self.unsent);
        figures.set(Figure::Unrecorded, self.ends.tape.as_ref().map_or(0, HotTape::lost));
        figures.set(Figure::Speed, u64::try_from(self.core.speed().0).unwrap_or(0));
        figures.set(Figure::TakesPearls, u64::from(self.core.takes_pearls()));
        self.publish_levels(&mut figures);
        for (figure, count) in [
            (Figure::Gone, accounts.gone),
            (Figure::Unanswered, accounts.unanswered),
            (Figure::Intruders, accounts.intruders),
            (Figure::Missing, accounts.missing),
            (Figure::Gaps, accounts.gaps),
            (Figure::Doubled, accounts.doubled),
            (Figure::Misplaced, accounts.misplaced),
            (Figure::LeftOver, accounts.left_over),
            (Figure::Unknown, accounts.unknown),
            (Figure::Unmatched, accounts.unmatched),
        ] {
            figures.set(figure, count);
        }
        self.ends.figures.write(figures.values());
        self.next_snapshot = now.plus(SNAPSHOT_US);
        self.snapshots += 1;
    }

    fn publish_levels(&self, figures: &mut Figures) {
        let boards = (0..line::limits::BOARDS).filter(|board| self.core.is_up(BoardId(*board as u8)));
        figures.set(Figure::BoardsUp, boards.fold(0, |bits, board| bits | 1 << board));
        let (mut known, mut good) = (0, 0);
        for (n, signal) in self.core.signals().iter().enumerate().take(u64::BITS as usize) {
            known |= u64::from(signal.is_some()) << n;
            good |= u64::from(*signal == Some(true)) << n;
        }
        figures.set(Figure::SignalsKnown, known);
        figures.set(Figure::SignalsGood, good);
    }

    /// Snapshots published so far.
    pub(super) const fn snapshots(&self) -> u64 {
        self.snapshots
    }

    pub(super) const fn core(&self) -> &Core {
        &self.core
    }
}

impl Handler for Sorter {
    fn on_event(&mut self, board: BoardId, at: HostUs, event: LinkEvent<'_>, out: &mut Outgoing) {
        match event {
            LinkEvent::Message(message) => self.input(at, Input::Board { board, message }, out),
            LinkEvent::Ready { identity, .. } => self.input(at, Input::LinkUp { board, identity }, out),
            LinkEvent::Down { reason } => self.link_down(board, at, reason, out),
            // The handshake goes on; the core hears of the board when it is ready.
            LinkEvent::Up { .. } => {}
        }
    }

    fn on_idle(&mut self, now: HostUs, out: &mut Outgoing) -> Flow {
        let recipe = self.ends.recipe.latest().map(Arc::clone);
        if let Some(recipe) = recipe {
            self.input(now, Input::Recipe(recipe), out);
        }
        while let Some(Seen { board, measurement }) = self.ends.views.as_mut().and_then(Consumer::pop) {
            let message = FromBoard::Measurement(measurement);
            self.input(now, Input::Board { board, message }, out);
        }
        let mut flow = Flow::Go;
        while let Some(ask) = self.ends.asks.pop() {
            match ask {
                Ask::Core(command) => self.input(now, Input::Command(command), out),
                Ask::Model(lane, ref model) => self.input(now, Input::Model { lane, model }, out),
                Ask::Quit => flow = Flow::Stop,
            }
        }
        if self.core.next_deadline().is_some_and(|due| due <= now) {
            self.input(now, Input::Clock, out);
        }
        if now >= self.next_snapshot || flow == Flow::Stop {
            self.publish(now);
        }
        flow
    }

    fn on_unsent(&mut self, _board: BoardId, _at: HostUs, _message: &ToBoard, _why: SendError) {
        self.unsent += 1;
    }

    fn next_deadline(&self) -> Option<HostUs> {
        Some(
            self.core
                .next_deadline()
                .map_or(self.next_snapshot, |due| due.min(self.next_snapshot)),
        )
    }
}

/// The core's way out for one event.
struct Door<'a> {
    ends: &'a mut HotEnds,
    out: &'a mut Outgoing,
}

impl Output for Door<'_> {
    fn send(&mut self, board: BoardId, message: ToBoard) {
        if let Some(tape) = &mut self.ends.tape {
            tape.digest.message(board, &message);
        }
        self.out.send(board, message);
    }

    fn arm(&mut self, board: BoardId, on: bool) {
        if on {
            self.out.arm(board);
        } else {
            self.out.send(board, ToBoard::Disarm);
        }
    }

    fn record(&mut self, record: &Record) {
        if let Some(tape) = &mut self.ends.tape {
            tape.digest.record(record);
        }
        if let Some(us) = record.decision_us {
            self.ends.decision_us.record(u64::try_from(us).unwrap_or(0));
        }
        if let Some(us) = record.lead_us {
            self.ends.lead_us.record(u64::try_from(us).unwrap_or(0));
        }
        let _ = self.ends.records.push(*record);
    }

    fn notice(&mut self, at: HostUs, notice: Notice) {
        let _ = self.ends.news.push((at, News::Core(notice)));
    }

    fn retire(&mut self, recipe: Arc<Recipe>) {
        // The publisher keeps a handle of its own to every recipe that was ever taken, so this is never the last.
        drop(recipe);
    }
}
