//! The keeper: finds the boards' ports, hands them to the hot loop, and finds them again when they are lost.
//!
//! Cold side: one tokio task for all links.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use units::BoardId;

use super::candidates::Candidates;
use super::open::{PortWarning, close};
use super::search::{Found, SearchError, Wanted, search};
use crate::hot::{ColdEnd, LostPort, OpenedPort};
use crate::limits::{KEEPER_PERIOD_MS, SEARCH_AGAIN_MS};

/// What the keeper has to tell the operator.
#[derive(Debug)]
pub enum PortNotice {
    /// A board's port is open and with the hot loop.
    Found {
        /// The board.
        board: BoardId,
        /// Where it is.
        path: PathBuf,
        /// Whether it is elsewhere than the configuration expects it.
        elsewhere: bool,
        /// What makes the port later than it need be.
        warnings: Vec<PortWarning>,
    },
    /// The hot loop has given a port back; the board is looked for.
    Lost {
        /// The board.
        board: BoardId,
        /// Where it was.
        path: PathBuf,
    },
    /// A board was not found; said again only when the reason changes. The search goes on.
    Missing {
        /// The board.
        board: BoardId,
        /// Why.
        error: SearchError,
    },
}

/// See the module.
pub struct Keeper<N> {
    cold: ColdEnd,
    candidates: Candidates,
    links: Vec<Kept>,
    notify: N,
}

struct Kept {
    wanted: Wanted,
    /// Path and device of the port that the hot loop has.
    held: Option<(PathBuf, PathBuf)>,
    /// What was told last of why it is missing.
    told: Option<String>,
}

impl<N: FnMut(PortNotice)> Keeper<N> {
    /// A keeper for these boards.
    pub fn new(cold: ColdEnd, wanted: Vec<Wanted>, candidates: Candidates, notify: N) -> Self {
        let links = wanted
            .into_iter()
            .map(|wanted| Kept {
                wanted,
                held: None,
                told: None,
            })
            .collect();
        Self {
            cold,
            candidates,
            links,
            notify,
        }
    }

    /// Keeps the hot loop supplied until it ends.
    pub async fn run(mut self) {
        let mut search_at = Instant::now();
        while !self.cold.is_abandoned() {
            self.take_lost().await;
            if self.links.iter().any(|kept| kept.held.is_none()) && Instant::now() >= search_at {
                self.search().await;
                search_at = Instant::now() + Duration::from_millis(SEARCH_AGAIN_MS);
            }
            sleep(Duration::from_millis(KEEPER_PERIOD_MS)).await;
        }
    }

    /// Closes the ports that the hot loop gives back.
    async fn take_lost(&mut self) {
        while let Some(LostPort { board, descriptor }) = self.cold.take_lost() {
            // Closing may block, and it does not matter here when it ends; a task that fails has closed it all the same.
            let _ = tokio::task::spawn_blocking(move || close(descriptor)).await;
            let kept = self.links.iter_mut().find(|kept| kept.wanted.board == board);
            if let Some((path, _)) = kept.and_then(|kept| kept.held.take()) {
                (self.notify)(PortNotice::Lost { board, path });
            }
        }
    }

    async fn search(&mut self) {
        let missing = self.links.iter().filter(|kept| kept.held.is_none());
        let wanted: Vec<_> = missing.map(|kept| kept.wanted.clone()).collect();
        let held = self.links.iter().filter_map(|kept| kept.held.as_ref());
        let in_use: Vec<_> = held.map(|(_, device)| device.clone()).collect();
        let found = search(&wanted, &self.candidates, &in_use).await;
        for (wanted, result) in wanted.into_iter().zip(found) {
            match result {
                Ok(found) => self.hand_over(found),
                Err(error) => self.tell_missing(wanted.board, error),
            }
        }
    }

    fn hand_over(&mut self, found: Found) {
        let Found {
            board, port, elsewhere, ..
        } = found;
        let (path, device) = (port.path().to_owned(), port.device().to_owned());
        let warnings = port.warnings().to_vec();
        let opened = OpenedPort {
            board,
            descriptor: port.into_descriptor(),
        };
        // A loop that takes no port has ended; the port closes here.
        if self.cold.hand_over(opened).is_err() {
            return;
        }
        if let Some(kept) = self.links.iter_mut().find(|kept| kept.wanted.board == board) {
            kept.held = Some((path.clone(), device));
            kept.told = None;
        }
        (self.notify)(PortNotice::Found {
            board,
            path,
            elsewhere,
            warnings,
        });
    }

    fn tell_missing(&mut self, board: BoardId, error: SearchError) {
        let Some(kept) = self.links.iter_mut().find(|kept| kept.wanted.board == board) else {
            return;
        };
        let text = error.to_string();
        if kept.told.as_ref() != Some(&text) {
            kept.told = Some(text);
            (self.notify)(PortNotice::Missing { board, error });
        }
    }
}
