//! What the cold thread does while a line runs: keeps its ports, fetches records and news, tells them, and lets the
//! command look at it all a few times a second. Used by `run` and `demo` alike.
//!
//! Cold; one thread with a tokio runtime of its own.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use devices::hot::ColdEnd;
use devices::ports::{Candidates, Keeper, PortNotice, Wanted};
use line::Record;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};
use units::{BoardId, HostUs};

use crate::daemon::{Daemon, News, tell};

/// Time between two looks at the rings. At the fastest line their capacity lasts for seconds.
const LOOK: Duration = Duration::from_millis(20);

/// Whether the line is attended further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attend {
    /// Yes.
    On,
    /// No.
    Enough,
}

/// A board as the log names it, and where it is sought.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name in the configuration.
    pub name: String,
    /// What the keeper of the ports needs to know.
    pub wanted: Wanted,
}

/// What a command does with a running line.
pub trait Visitor {
    /// Records and news are about to be handed on.
    fn before(&mut self) {}
    /// A pearl's story is complete.
    fn record(&mut self, record: &Record);
    /// Something happened; it is in the log already.
    fn news(&mut self, at: HostUs, news: &News, daemon: &mut Daemon);
    /// A board's port was found (`Some`) or lost.
    fn port(&mut self, _board: BoardId, _path: Option<PathBuf>) {}
    /// The program was asked to end, by SIGINT or SIGTERM.
    fn interrupted(&mut self);
    /// A few times a second: look, command, and say whether to go on.
    fn look(&mut self, daemon: &mut Daemon) -> Attend;
}

/// Attends a line until the visitor has enough or its hot thread ends.
///
/// # Errors
/// When the runtime cannot be made.
pub fn attend(
    daemon: &mut Daemon,
    cold: ColdEnd,
    places: &[Place],
    mut candidates: Candidates,
    visitor: &mut impl Visitor,
) -> Result<()> {
    let runtime = runtime()?;
    for hint in places.iter().filter_map(|place| place.wanted.hint.clone()) {
        candidates.add(hint);
    }
    let wanted = places.iter().map(|place| place.wanted.clone()).collect();
    let name_of = |board: BoardId| name_of(places, board);
    let ports = RefCell::new(Vec::new());
    let keeper = Keeper::new(cold, wanted, candidates, |notice| {
        tell_port(&notice, &name_of);
        match notice {
            PortNotice::Found { board, path, .. } => ports.borrow_mut().push((board, Some(path))),
            PortNotice::Lost { board, .. } => ports.borrow_mut().push((board, None)),
            PortNotice::Missing { .. } => {}
        }
    });
    runtime.block_on(async {
        let mut keeper = std::pin::pin!(keeper.run());
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stop = Signals::new()?;
        loop {
            tokio::select! {
                () = &mut keeper => break,
                () = stop.next() => visitor.interrupted(),
                _ = looks.tick() => {
                    for (board, path) in ports.borrow_mut().drain(..) {
                        visitor.port(board, path);
                    }
                    if look(daemon, visitor, &name_of) == Attend::Enough {
                        break;
                    }
                }
            }
        }
        Ok(())
    })
}

/// A runtime for one cold thread.
///
/// # Errors
/// When the system gives no descriptor for it.
pub fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the cold side's runtime could not be made")
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupts: Signal,
    terminations: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let interrupts = signal(SignalKind::interrupt()).context("SIGINT can't be caught")?;
        let terminations = signal(SignalKind::terminate()).context("SIGTERM can't be caught")?;
        Ok(Self {
            interrupts,
            terminations,
        })
    }

    /// Waits for one of them.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupts.recv() => {}
            _ = self.terminations.recv() => {}
        }
    }
}

/// Waits until the program is asked to end.
///
/// # Errors
/// When signals can't be caught.
pub async fn stop_signal() -> Result<()> {
    Signals::new()?.next().await;
    Ok(())
}

/// Fetches what has come.
fn look(daemon: &mut Daemon, visitor: &mut impl Visitor, name_of: &dyn Fn(BoardId) -> String) -> Attend {
    visitor.before();
    while let Some((at, news)) = daemon.news() {
        tell::tell(&news, name_of);
        visitor.news(at, &news, daemon);
    }
    while let Some(record) = daemon.record() {
        visitor.record(&record);
    }
    visitor.look(daemon)
}

/// Name of a board for people.
#[must_use]
pub fn name_of(places: &[Place], board: BoardId) -> String {
    places
        .get(board.index())
        .map_or_else(|| format!("number {}", board.0), |place| place.name.clone())
}

/// Tells what the keeper of the ports has to say.
pub(crate) fn tell_port(notice: &PortNotice, name_of: &dyn Fn(BoardId) -> String) {
    match notice {
        PortNotice::Found {
            board,
            path,
            elsewhere,
            warnings,
        } => {
            let note = if *elsewhere {
                ", which is not where the configuration expects it"
            } else {
                ""
            };
            info!("board {} found at {}{note}", name_of(*board), path.display());
            for warning in warnings {
                info!("board {}: {warning}", name_of(*board));
            }
        }
        PortNotice::Lost { board, path } => warn!("board {}: port {} is lost", name_of(*board), path.display()),
        PortNotice::Missing { board, error } => warn!("board {} is not found: {error}", name_of(*board)),
    }
}

/// Where a board is sought.
#[must_use]
pub fn place(name: String, board: BoardId, uid: u64, baud: u32, hint: Option<PathBuf>) -> Place {
    Place {
        name,
        wanted: Wanted { board, uid, baud, hint },
    }
}
