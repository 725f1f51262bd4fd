//! Commands on their way to the core: kept until the command ring has taken them.
//!
//! Cold, any thread.

use std::collections::VecDeque;

use line::Command;

use crate::limits::ACTS;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acts(VecDeque<Command>);

impl Acts {
    /// Adds a command at the end, in place of an earlier one that it repeats or overrules. Says whether it will be given.
    pub(crate) fn push(&mut self, command: Command) -> bool {
        self.0.retain(|other| !is_about_the_same(*other, command));
        let fits = self.0.len() < ACTS;
        if fits {
            self.0.push_back(command);
        }
        fits
    }

    /// The line does not rest any more: a test pulse that waits comes too late.
    pub(crate) fn drop_pulses(&mut self) {
        self.0.retain(|command| !matches!(command, Command::Pulse { .. }));
    }

    /// Something graver comes: what waits to set the line in motion is not given any more.
    pub(crate) fn drop_starts(&mut self) {
        self.0.retain(|command| {
            !matches!(
                command,
                Command::Start | Command::Acknowledge | Command::Feed { on: true } | Command::Belt { on: true }
            )
        });
    }

    /// Hands the commands on, in their order, until one is not taken.
    pub(crate) fn give(&mut self, mut take: impl FnMut(Command) -> bool) {
        while let Some(command) = self.0.front() {
            if !take(*command) {
                return;
            }
            self.0.pop_front();
        }
    }
}

/// Whether the later of two commands makes the earlier one needless.
fn is_about_the_same(earlier: Command, later: Command) -> bool {
    match (earlier, later) {
        (Command::Feed { .. }, Command::Feed { .. }) | (Command::Belt { .. }, Command::Belt { .. }) => true,
        (Command::Inhibit { bin, .. }, Command::Inhibit { bin: other, .. }) => bin == other,
        _ => earlier == later,
    }
}
