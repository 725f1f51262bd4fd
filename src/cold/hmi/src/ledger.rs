//! Who changed which part of the line last. Two operators at once: a changing call carries the number that its operator
//! saw, and the second hears who was first and with what. Cold.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use tokio::sync::{Mutex, MutexGuard};

use crate::problem::Fail;
use crate::shapes::{Text, Versions};

/// A part of the line that is changed as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Line,
    Lot,
    Recipe,
    Calibration,
    Users,
}

/// Number of parts.
const PARTS: usize = Part::Users as usize + 1;

/// A change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) by: String,
    pub(crate) at_ms: u64,
    pub(crate) what: Text,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    versions: [AtomicU64; PARTS],
    last: [Mutex<Option<Change>>; PARTS],
}

/// The right to change a part; nobody else has it meanwhile.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    version: &'a AtomicU64,
    last: MutexGuard<'a, Option<Change>>,
}

impl Turn<'_> {
    /// Enters a change that was done.
    pub(crate) fn done(mut self, change: Change) {
        *self.last = Some(change);
        self.version.fetch_add(1, Ordering::Release);
    }
}

impl Ledger {
    /// The numbers now.
    pub(crate) fn versions(&self) -> Versions {
        let of = |part: Part| self.versions[part as usize].load(Ordering::Acquire);
        Versions {
            line: of(Part::Line),
            lot: of(Part::Lot),
            recipe: of(Part::Recipe),
            calibration: of(Part::Calibration),
            users: of(Part::Users),
        }
    }

    /// Waits for the turn to change a part as it was at `seen`; without `seen` as it is.
    pub(crate) async fn turn(&self, part: Part, seen: Option<u64>) -> Result<Turn<'_>, Fail> {
        let last = self.last[part as usize].lock().await;
        let version = &self.versions[part as usize];
        let now = version.load(Ordering::Acquire);
        match seen {
            Some(seen) if seen != now => Err(changed_meanwhile(last.as_ref(), now)),
            _ => Ok(Turn { version, last }),
        }
    }
}

fn changed_meanwhile(last: Option<&Change>, now: u64) -> Fail {
    let (zh, en) = match last {
        Some(change) => (
            format!(
                "在您操作之前，{}（{}）已做了更改：{}；请看清现状后再试",
                change.by,
                clock(change.at_ms),
                change.what.zh
            ),
            format!(
                "{} was here first ({}): {}; look at it as it is now, then try again",
                change.by,
                clock(change.at_ms),
                change.what.en
            ),
        ),
        None => (
            "程序重新启动过；请看清现状后再试".to_owned(),
            "the program was started anew; look at it as it is now, then try again".to_owned(),
        ),
    };
    Fail::new(
        StatusCode::CONFLICT,
        "changed_meanwhile",
        zh,
        en,
        format!("version (now {now})"),
    )
}

/// A moment as the time of the day in UTC.
fn clock(at_ms: u64) -> String {
    let s = at_ms / 1000 % 86_400;
    format!("{:02}:{:02}:{:02} UTC", s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(by: &str) -> Change {
        Change {
            by: by.to_owned(),
            at_ms: 1_764_000_000_000,
            what: Text::new("启动", "start"),
        }
    }

    #[tokio::test]
    async fn the_second_of_two_operators_hears_who_was_first() {
        let ledger = Ledger::default();
        let seen = ledger.versions().line;
        ledger
            .turn(Part::Line, Some(seen))
            .await
            .expect("the first")
            .done(change("li"));
        let fail = ledger.turn(Part::Line, Some(seen)).await.expect_err("the second");
        assert_eq!(fail.status, StatusCode::CONFLICT);
        assert!(fail.problem.message_en.contains("li was here first"), "{fail:?}");
        assert!(fail.problem.message_zh.contains("li"), "{fail:?}");
        let now = ledger.versions().line;
        assert!(ledger.turn(Part::Line, Some(now)).await.is_ok());
        assert!(
            ledger.turn(Part::Line, None).await.is_ok(),
            "towards rest nobody is first"
        );
        assert_eq!(ledger.versions().lot, 0, "parts do not stand in each other's way");
    }

    #[tokio::test]
    async fn a_turn_that_came_to_nothing_changes_nothing() {
        let ledger = Ledger::default();
        drop(ledger.turn(Part::Lot, Some(0)).await.expect("a turn"));
        assert_eq!(ledger.versions(), Versions::default());
    }
}
