//! The person at the machine: told what to do, asked, shown how far it is. Cold.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// See the module.
pub trait Operator {
    /// Something to know or to do. The work goes on by itself.
    fn tell(&mut self, text: &str);
    /// How far the step is.
    fn progress(&mut self, what: &str, done: u64, of: u64);
    /// A question with the answer that Enter gives; the work waits.
    fn ask(&mut self, question: &str, usual: &str) -> String;
    /// Whether Enter was pressed since the last call: the operator has had enough of this step.
    fn has_enough(&mut self) -> bool;
}

/// At a terminal. Without one every question has its usual answer and nobody has ever enough.
pub struct Console {
    lines: Option<Receiver<String>>,
    bar: ProgressBar,
    what: String,
}

impl Default for Console {
    fn default() -> Self {
        Self::new(std::io::stdin().is_terminal())
    }
}

impl Console {
    /// With a person who answers, or without.
    #[must_use]
    pub fn new(attended: bool) -> Self {
        let lines = attended.then(|| {
            let (send, receive) = channel();
            // Reading from a terminal can't be interrupted; the thread ends with the program.
            std::thread::spawn(move || {
                for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        break;
                    }
                }
            });
            receive
        });
        Self {
            lines,
            bar: ProgressBar::hidden(),
            what: String::new(),
        }
    }
}

impl Operator for Console {
    fn tell(&mut self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    fn progress(&mut self, what: &str, done: u64, of: u64) {
        if self.what != what {
            what.clone_into(&mut self.what);
            self.bar.finish_and_clear();
            self.bar = ProgressBar::new(of);
            if let Ok(style) = ProgressStyle::with_template("  {msg:32} {bar:30} {pos} of {len}") {
                self.bar.set_style(style);
            }
            self.bar.set_message(what.to_owned());
        }
        self.bar.set_position(done);
        if done >= of {
            self.bar.finish_and_clear();
        }
    }

    fn ask(&mut self, question: &str, usual: &str) -> String {
        let Some(lines) = &self.lines else {
            return usual.to_owned();
        };
        self.bar.suspend(|| {
            print!("{question} [{usual}] ");
            // A terminal that does not take it shows nothing; the answer counts all the same.
            let _ = std::io::stdout().flush();
        });
        match lines.recv() {
            Ok(line) if !line.trim().is_empty() => line.trim().to_owned(),
            _ => usual.to_owned(),
        }
    }

    fn has_enough(&mut self) -> bool {
        match self.lines.as_ref().map(Receiver::try_recv) {
            Some(Ok(_)) => true,
            Some(Err(TryRecvError::Empty | TryRecvError::Disconnected)) | None => false,
        }
    }
}

/// How long a step may go without anything new before it is given up, in time of the boards.
pub const PATIENCE: Duration = Duration::from_secs(60);
