//! One commissioning: the boards, what is known of the line, and the person at the machine. Cold.
//!
//! Times are those of what boards say, so that a test may let them pass as it likes.

use setup::commission::signals::{At, Expected};
use units::{BoardId, HostUs};
use wire::ToBoard;

use super::field::{Ask, Boards};
use super::operator::{Operator, PATIENCE};
use super::text;
use super::watch::{Event, Watch};
use crate::exit::{Exit, Failure};

/// Boards must be ready after so long, us.
const READY_US: i64 = 15_000_000;
/// A belt counts as steady when its speed changes by no more than this share.
const STEADY: f64 = 0.01;
/// A further speed is at least so many times another one, or as many times slower.
const APART: f64 = 1.25;
/// While a level is taken the belt keeps its speed within this share.
pub(super) const KEEPS: f64 = 0.04;

/// See the module.
pub(super) struct Session<'a, B, O> {
    pub(super) boards: &'a mut B,
    pub(super) operator: &'a mut O,
    pub(super) watch: Watch,
    /// Names of the boards.
    names: Vec<String>,
    armed: Vec<BoardId>,
}

impl<'a, B: Boards, O: Operator> Session<'a, B, O> {
    /// A session over boards that need not be ready yet.
    pub(super) fn new(boards: &'a mut B, operator: &'a mut O, watch: Watch, names: Vec<String>) -> Self {
        Self {
            boards,
            operator,
            watch,
            names,
            armed: Vec::new(),
        }
    }

    /// Waits until every board is ready.
    ///
    /// # Errors
    /// Which are not, after a while.
    pub(super) fn wait_ready(&mut self) -> Result<(), Failure> {
        let since = self.boards.now();
        while !self.watch.all_ready() {
            self.hear()?;
            if self.boards.now().since(since) > READY_US {
                let missing: Vec<&str> = self
                    .watch
                    .missing()
                    .map(|board| self.names[board.index()].as_str())
                    .collect();
                return Err(Failure::new(Exit::Unavailable, text::boards_missing(&missing)));
            }
        }
        Ok(())
    }

    /// The next event; `None` when nothing has come for a while.
    ///
    /// # Errors
    /// When a board is lost that was ready, or all are.
    pub(super) fn hear(&mut self) -> Result<Option<Event>, Failure> {
        let heard = self
            .boards
            .hear()
            .map_err(|gone| Failure::new(Exit::Software, gone.to_string()))?;
        let event = heard.and_then(|heard| self.watch.take(&heard));
        match event {
            Some(Event::Lost(board)) if !self.armed.is_empty() => Err(Failure::new(
                Exit::Unavailable,
                text::board_lost(&self.names[board.index()]),
            )),
            event => Ok(event),
        }
    }

    /// Starts belt and feeder, and arms boards. Signals whose loss holds the line must be good.
    ///
    /// # Errors
    /// When one is not.
    pub(super) fn start(&mut self, arm: &[BoardId]) -> Result<(), Failure> {
        let channels = self.watch.plan().channels.clone();
        self.settle()?;
        for signal in &channels.signals {
            let at = At {
                board: signal.at.board,
                channel: signal.at.channel,
            };
            let expected = Expected {
                at,
                least: signal.least,
                most: signal.most,
            };
            let value = self
                .watch
                .readings()
                .iter()
                .find(|reading| reading.at == at)
                .map(|reading| reading.value);
            if !value.is_some_and(|value| expected.is_good(value)) {
                let name = &self.names[at.board.index()];
                return Err(Failure::new(
                    Exit::Unavailable,
                    text::signal_lost(name, at.channel, value),
                ));
            }
        }
        for board in arm {
            self.ask(Ask::Arm(*board))?;
        }
        self.armed = arm.to_vec();
        for output in [channels.belt, channels.feeder].into_iter().flatten() {
            self.ask(Ask::Send(
                output.board,
                ToBoard::Output {
                    channel: output.channel,
                    value: 1,
                },
            ))?;
        }
        Ok(())
    }

    /// Stops the feeder and disarms. The belt runs on: it has pearls on it.
    ///
    /// # Errors
    /// When nobody hears it any more.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        if let Some(feeder) = self.watch.plan().channels.feeder {
            self.ask(Ask::Send(
                feeder.board,
                ToBoard::Output {
                    channel: feeder.channel,
                    value: 0,
                },
            ))?;
        }
        for board in std::mem::take(&mut self.armed) {
            self.ask(Ask::Send(board, ToBoard::Disarm))?;
        }
        self.settle()
    }

    /// Waits for a belt that runs steadily, at a speed that is apart from all in `before`; tells the operator which.
    /// Gives the speed, ticks/s.
    ///
    /// # Errors
    /// When it does not come.
    pub(super) fn wait_level(&mut self, board: BoardId, before: &[f64]) -> Result<f64, Failure> {
        let per_m_s = f64::from(self.watch.plan().ticks_per_metre.get());
        let limits = &self.watch.plan().tolerances;
        let (least, most) = (
            f64::from(limits.least_speed_um_s) / 1e6,
            f64::from(limits.most_speed_um_s) / 1e6,
        );
        let wish = if before.is_empty() { 1.15 * least } else { 0.95 * most };
        let before_m_s: Vec<f64> = before.iter().map(|speed| speed / per_m_s).collect();
        self.operator
            .tell(&text::set_speed(before.len() + 1, wish, &before_m_s));
        let since = self.watch.now();
        loop {
            self.hear()?;
            let found = self.watch.speed(board).filter(|_| self.watch.is_steady(board, STEADY));
            let apart = |speed: f64, other: f64| speed > other * APART || other > speed * APART;
            let fits = |speed: &f64| {
                let m_s = speed / per_m_s;
                m_s >= 0.98 * least && m_s <= 1.02 * most && before.iter().all(|other| apart(*speed, *other))
            };
            if let Some(speed) = found.filter(fits) {
                self.operator.tell(&text::speed_is(speed / per_m_s));
                return Ok(speed);
            }
            if self.patience_is_over(since) {
                let now_m_s = self.watch.speed(board).map(|speed| speed / per_m_s);
                return Err(Failure::new(
                    Exit::Unavailable,
                    text::no_speed(wish, now_m_s, least, most),
                ));
            }
        }
    }

    /// Whether nothing has happened since `since` for longer than anybody waits.
    pub(super) fn patience_is_over(&self, since: HostUs) -> bool {
        let patience_us = i64::try_from(PATIENCE.as_micros()).unwrap_or(i64::MAX);
        since.0 != i64::MIN && self.watch.now().since(since) > patience_us
    }

    /// Asks the boards something.
    ///
    /// # Errors
    /// When nobody hears it.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(), Failure> {
        self.boards
            .ask(ask)
            .map_err(|gone| Failure::new(Exit::Software, gone.to_string()))
    }

    /// Name of a board.
    pub(super) fn name(&self, board: BoardId) -> &str {
        &self.names[board.index()]
    }

    /// Hears what is there, until nothing comes for a while or a tenth of a second has passed.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        let since = self.boards.now();
        while self.boards.now().since(since) < 100_000 {
            self.hear()?;
        }
        Ok(())
    }
}
