//! What every board must do, by `docs/WIRE.md`: one suite for the virtual board, the firmware in an emulator and any port.
//!
//! Cold. A [`Subject`] is a board with whatever surrounds it; the suite speaks to its link frame by frame and, where there
//! is one, to its test stand. What can't be done with a subject is `not here`, never `passed`. The [`canaries`] are boards
//! each wrong in one way: a suite that does not find them out checks nothing.

pub mod canaries;
mod checks;
mod host;
mod live;
mod subject;
mod virtual_board;

use std::fmt;

pub use checks::all as checks;
pub use host::{Host, Stop};
pub use live::Live;
pub use subject::{Abilities, Subject};
pub use virtual_board::VirtualBoard;

/// What a check needs beside the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Link,
    /// A test stand: encoder, eyes and channels, and word of the valves.
    Stand,
    /// A stand, and a program that can be brought down.
    Chip,
}

/// One thing that every board must do.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What must hold.
    pub requirement: &'static str,
    /// What it needs.
    pub needs: Need,
    /// The check: the board has just been connected, nothing is set, the belt stands.
    pub run: fn(&mut Host<'_>) -> Result<(), Stop>,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Passed,
    /// It did not.
    Failed(String),
    /// It can't be found out here.
    NotHere(String),
    /// The subject could not be reached: nothing was shown.
    Error(String),
}

/// A check and what came of it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The check's name.
    pub check: &'static str,
    /// What must hold.
    pub requirement: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, why) = match &self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(why) => ("FAILED", Some(why)),
            Outcome::NotHere(why) => ("not here", Some(why)),
            Outcome::Error(why) => ("error", Some(why)),
        };
        write!(f, "{word:<9} {:<34} {}", self.check, self.requirement)?;
        why.map_or(Ok(()), |why| write!(f, "\n          {why}"))
    }
}

/// Runs the suite; `only` picks checks whose names contain it. `each` hears every finding at once.
pub fn run(subject: &mut dyn Subject, only: Option<&str>, mut each: impl FnMut(&Finding)) -> Vec<Finding> {
    let mut host = Host::new(subject);
    let mut findings = Vec::new();
    for check in checks().filter(|check| only.is_none_or(|only| check.name.contains(only))) {
        let abilities = host.abilities();
        let outcome = match check.needs {
            Need::Stand if !abilities.stand => Outcome::NotHere("not possible here: needs a test stand".to_owned()),
            Need::Chip if !abilities.chip => {
                Outcome::NotHere("not possible here: needs a chip with a program of its own".to_owned())
            }
            _ => match host.begin().and_then(|()| (check.run)(&mut host)) {
                Ok(()) => Outcome::Passed,
                Err(Stop::Failed(why)) => Outcome::Failed(why),
                Err(Stop::NotHere(why)) => Outcome::NotHere(format!("not possible here: {why}")),
                Err(Stop::Error(why)) => Outcome::Error(why),
            },
        };
        let finding = Finding {
            check: check.name,
            requirement: check.requirement,
            outcome,
        };
        each(&finding);
        findings.push(finding);
    }
    findings
}

/// The suite's exit code: 0 when nothing failed, 1 when something did, 2 when the subject could not be reached.
#[must_use]
pub fn exit_code(findings: &[Finding]) -> u8 {
    let code = |finding: &Finding| match finding.outcome {
        Outcome::Passed | Outcome::NotHere(_) => 0,
        Outcome::Failed(_) => 1,
        Outcome::Error(_) => 2,
    };
    findings.iter().map(code).max().unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_virtual_board_does_what_every_board_must() {
        let findings = run(&mut VirtualBoard::new(), None, |_| ());
        let wrong: Vec<String> = findings
            .iter()
            .filter(|finding| matches!(finding.outcome, Outcome::Failed(_) | Outcome::Error(_)))
            .map(ToString::to_string)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let not_here = findings
            .iter()
            .filter(|finding| matches!(finding.outcome, Outcome::NotHere(_)));
        assert_eq!(
            not_here.count(),
            2,
            "only the chip's own checks are not for a virtual board"
        );
    }

    #[test]
    fn every_wrong_board_is_found_out_by_the_check_that_is_for_it() {
        for canary in canaries::all() {
            let right = canaries::Canary {
                wrong: canaries::Wrong::Nothing,
                ..canary
            };
            let findings = run(&mut *right.board(), Some(canary.caught_by), |_| ());
            assert_eq!(findings.len(), 1, "no check {}", canary.caught_by);
            assert_eq!(findings[0].outcome, Outcome::Passed, "a right board: {}", findings[0]);
            let findings = run(&mut *canary.board(), Some(canary.caught_by), |_| ());
            let caught = matches!(findings[0].outcome, Outcome::Failed(_));
            assert!(caught, "{:?}: {}", canary.wrong, findings[0]);
        }
    }

    #[test]
    fn a_bare_link_passes_nothing_that_it_can_not_show() {
        let findings = run(&mut VirtualBoard::bare(), None, |_| ());
        for (finding, check) in findings.iter().zip(checks()) {
            let expected = check.needs == Need::Link;
            assert_eq!(finding.outcome == Outcome::Passed, expected, "{finding}");
        }
    }
}
