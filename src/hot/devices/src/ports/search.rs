//! Finding boards by their identity: first where they are expected, then everywhere else.
//!
//! Cold side.

use std::fmt::Write as _;
use std::path::PathBuf;

use tokio::task::JoinSet;
use units::BoardId;
use wire::Identity;

use super::ask::ask;
use super::candidates::Candidates;
use super::open::{OpenPort, PortError, open};

/// A board that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its place in the line.
    pub board: BoardId,
    /// Its identity.
    pub uid: u64,
    /// Speed of its line.
    pub baud: u32,
    /// Where it is expected.
    pub hint: Option<PathBuf>,
}

/// A board that was found.
#[derive(Debug)]
pub struct Found {
    /// Its place in the line.
    pub board: BoardId,
    /// What it is.
    pub identity: Identity,
    /// The port, open.
    pub port: OpenPort,
    /// Whether it is elsewhere than at the hint.
    pub elsewhere: bool,
}

/// A port that was asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// This board answered, which is not the one wanted.
    Other {
        /// The port.
        path: PathBuf,
        /// Identity of the board.
        uid: u64,
    },
    /// Nobody answered.
    Nobody {
        /// The port.
        path: PathBuf,
    },
    /// It could not be opened.
    Shut(PortError),
}

/// Why a board was not found.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// It answered nowhere.
    #[error(
        "board {uid:016x} was not found{}. Check its power and cable, and `uid`, `baud` and `port` in the configuration",
        list(.asked)
    )]
    NotFound {
        /// Identity of the board.
        uid: u64,
        /// The ports that were asked.
        asked: Vec<Asked>,
    },
    /// More than one board says that it is this one.
    #[error(
        "board {uid:016x} answers on {} and on {}: two boards have the same identity, unplug one and give it another",
        .paths[0].display(), .paths[1].display()
    )]
    Twin {
        /// The identity.
        uid: u64,
        /// Where it answers.
        paths: [PathBuf; 2],
    },
}

fn list(asked: &[Asked]) -> String {
    let mut text = String::new();
    for asked in asked {
        let lead = if text.is_empty() { ": " } else { "; " };
        // Writing into a string can't fail.
        let _ = match asked {
            Asked::Other { path, uid } => write!(text, "{lead}{} has board {uid:016x}", path.display()),
            Asked::Nobody { path } => write!(text, "{lead}nobody answers on {}", path.display()),
            Asked::Shut(error) => write!(text, "{lead}{error}"),
        };
    }
    if text.is_empty() {
        ": there is no port to ask".to_owned()
    } else {
        text
    }
}

/// A board that answered.
struct Answer {
    identity: Identity,
    port: OpenPort,
}

/// Everything that was learnt by asking.
#[derive(Default)]
struct Answers {
    boards: Vec<Answer>,
    /// Ports that gave no board: `None` for one on which nobody answered.
    silent: Vec<(PathBuf, Option<PortError>)>,
}

/// Looks for boards, each at its hint first; those that are not there are looked for at the candidates. Devices in
/// `in_use` (links followed) are not touched. The result has the order of `wanted`.
pub async fn search(wanted: &[Wanted], candidates: &Candidates, in_use: &[PathBuf]) -> Vec<Result<Found, SearchError>> {
    let mut answers = Answers::default();
    let hints = wanted
        .iter()
        .filter_map(|wanted| Some((wanted.hint.clone()?, wanted.baud)));
    answers.ask(hints.collect(), in_use).await;
    // A board's line may have a speed of its own, so each missing one's speed is tried.
    let mut bauds: Vec<u32> = wanted
        .iter()
        .filter(|wanted| !answers.has(wanted.uid))
        .map(|wanted| wanted.baud)
        .collect();
    bauds.sort_unstable();
    bauds.dedup();
    for baud in bauds {
        let paths = candidates.paths().into_iter().map(|path| (path, baud));
        answers.ask(paths.collect(), in_use).await;
    }
    wanted.iter().map(|wanted| answers.take(wanted)).collect()
}

impl Answers {
    fn has(&self, uid: u64) -> bool {
        self.boards.iter().any(|answer| answer.identity.uid == uid)
    }

    /// Asks ports, all at once, but for those in use and those where a board has answered already.
    async fn ask(&mut self, ports: Vec<(PathBuf, u32)>, in_use: &[PathBuf]) {
        let mut tasks = JoinSet::new();
        let mut devices = Vec::new();
        for (path, baud) in ports {
            if let Ok(device) = std::fs::canonicalize(&path) {
                let known = self.boards.iter().any(|answer| answer.port.device() == device);
                if known || in_use.contains(&device) || devices.contains(&device) {
                    continue;
                }
                devices.push(device);
            }
            // Opening and asking block.
            tasks.spawn_blocking(move || {
                let port = open(&path, baud).map_err(|error| (path.clone(), Some(error)))?;
                match ask(&port, baud) {
                    Some(identity) => Ok(Answer { identity, port }),
                    None => Err((path, None)),
                }
            });
        }
        for result in tasks.join_all().await {
            match result {
                Ok(answer) => self.boards.push(answer),
                Err((path, error)) => {
                    self.silent.retain(|(known, _)| *known != path);
                    self.silent.push((path, error));
                }
            }
        }
    }

    /// The answer for one board, taken out.
    fn take(&mut self, wanted: &Wanted) -> Result<Found, SearchError> {
        let uid = wanted.uid;
        let is_it = |answer: &&Answer| answer.identity.uid == uid;
        let paths: Vec<_> = self
            .boards
            .iter()
            .filter(is_it)
            .map(|answer| answer.port.path().to_owned())
            .collect();
        if let [first, second, ..] = &paths[..] {
            return Err(SearchError::Twin {
                uid,
                paths: [first.clone(), second.clone()],
            });
        }
        let Some(at) = self.boards.iter().position(|answer| answer.identity.uid == uid) else {
            return Err(SearchError::NotFound {
                uid,
                asked: self.asked(),
            });
        };
        let Answer { identity, port } = self.boards.swap_remove(at);
        let elsewhere = match &wanted.hint {
            Some(hint) => std::fs::canonicalize(hint).map_or(true, |device| device != port.device()),
            None => false,
        };
        Ok(Found {
            board: wanted.board,
            identity,
            port,
            elsewhere,
        })
    }

    /// The ports that were asked and what came of it, by path.
    fn asked(&self) -> Vec<Asked> {
        let other = |answer: &Answer| {
            let path = answer.port.path().to_owned();
            (
                path.clone(),
                Asked::Other {
                    path,
                    uid: answer.identity.uid,
                },
            )
        };
        let silent = |(path, error): &(PathBuf, Option<PortError>)| {
            let asked = error
                .clone()
                .map_or_else(|| Asked::Nobody { path: path.clone() }, Asked::Shut);
            (path.clone(), asked)
        };
        let mut asked: Vec<_> = self
            .boards
            .iter()
            .map(other)
            .chain(self.silent.iter().map(silent))
            .collect();
        asked.sort_by(|(one, _), (other, _)| one.cmp(other));
        asked.into_iter().map(|(_, asked)| asked).collect()
    }
}
