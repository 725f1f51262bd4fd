//! The far end of a contender that speaks lines over one pty.

use std::os::fd::{AsFd as _, OwnedFd};

use rt::{
    clock,
    poll::{Interest, Poller, Token, Transfer, read, set_nonblocking, write},
    port::Pty,
};

use crate::{
    contender::{FarEnd, Stamps, Trouble},
    limits::{PROBE_US, READ_BYTES},
    lines::{Cutter, PROBE, pearl_of_order, push_measurement, push_trigger},
};

/// What the far end knows of the contender behind it.
pub trait Running: Send {
    /// Called after the pty's far end was closed: the contender ends.
    fn end(&mut self);

    /// Whether the contender says by itself that it takes pearls; one that does not say is asked over its port.
    fn is_ready(&self) -> bool {
        true
    }

    /// After the last order, when `pearls` were sent: what there is to note, or what was not as it should be.
    ///
    /// # Errors
    /// What was wrong, in words.
    fn verdict(&mut self, pearls: u64) -> Result<Option<String>, String> {
        let _ = pearls;
        Ok(None)
    }
}

/// The far end over lines.
pub struct LineFarEnd {
    /// `None` once closed.
    board: Option<OwnedFd>,
    /// Kept open, or the pty would close before the contender opens it. Closed with the far end.
    host: Option<OwnedFd>,
    poller: Poller,
    token: Token,
    unsent: Vec<u8>,
    cutter: Cutter,
    buffer: Vec<u8>,
    stamps: Stamps,
    running: Box<dyn Running>,
}

impl LineFarEnd {
    /// The far end of `pty`, whose host's end the contender `running` has opened by its path or a duplicate.
    ///
    /// # Errors
    /// When the pty cannot be made non-blocking.
    pub fn new(pty: Pty, running: Box<dyn Running>) -> Result<Self, Trouble> {
        let failed = |source| Trouble::Failed {
            what: "far end",
            source,
        };
        set_nonblocking(&pty.board).map_err(failed)?;
        let mut poller = Poller::new();
        let added = poller.add(pty.board.as_fd(), Interest::Read);
        let token = added.map_err(|full| failed(std::io::Error::other(full)))?;
        Ok(Self {
            board: Some(pty.board),
            host: Some(pty.host),
            poller,
            token,
            unsent: Vec::with_capacity(READ_BYTES),
            cutter: Cutter::new(),
            buffer: vec![0; READ_BYTES],
            stamps: Stamps::default(),
            running,
        })
    }
}

impl FarEnd for LineFarEnd {
    fn await_ready(&mut self, timeout_us: u64) -> Result<(), Trouble> {
        let mut answers = 0;
        for asked in 1..=timeout_us.div_ceil(PROBE_US) {
            self.trigger(PROBE);
            self.measurement(PROBE);
            self.flush()?;
            let asked_at = clock::now_us();
            while clock::now_us() - asked_at < PROBE_US.cast_signed() {
                self.receive(PROBE_US, &mut |_| answers += 1)?;
                // What was thrown away is not answered; so after the first answer only the rest of this wait is due.
                if answers == asked {
                    return Ok(());
                }
            }
            if answers > 0 {
                return Ok(());
            }
        }
        Err(Trouble::Silent {
            waited_us: timeout_us,
            outstanding: 0,
        })
    }

    fn trigger(&mut self, pearl: u32) {
        push_trigger(&mut self.unsent, pearl);
    }

    fn measurement(&mut self, pearl: u32) {
        push_measurement(&mut self.unsent, pearl);
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        let board = self.board.as_ref().ok_or(Trouble::Closed)?;
        let mut sent = 0;
        self.stamps.written_ns = clock::now_ns();
        while sent < self.unsent.len() {
            match write(board, &self.unsent[sent..]) {
                Transfer::Done(count) => sent += count,
                Transfer::WouldBlock => break,
                Transfer::Closed => return Err(Trouble::Closed),
                Transfer::Failed(code) => return Err(failed_transfer(code)),
            }
        }
        self.unsent.drain(..sent);
        let interest = if self.unsent.is_empty() {
            Interest::Read
        } else {
            Interest::ReadWrite
        };
        self.poller.set_interest(self.token, interest);
        Ok(())
    }

    fn stamps(&self) -> Stamps {
        self.stamps
    }

    fn finish(&mut self) -> Result<Option<String>, Trouble> {
        Ok(None)
    }

    fn receive(&mut self, timeout_us: u64, each: &mut dyn FnMut(u32)) -> Result<(), Trouble> {
        let wait = self.poller.wait(Some(timeout_us));
        wait.map_err(|source| Trouble::Failed { what: "wait", source })?;
        if !self.unsent.is_empty() {
            self.flush()?;
        }
        let board = self.board.as_ref().ok_or(Trouble::Closed)?;
        match read(board, &mut self.buffer) {
            Transfer::Done(count) => {
                self.stamps.read_ns = clock::now_ns();
                self.cutter.cut(&self.buffer[..count], |line| {
                    if let Some(pearl) = pearl_of_order(line) {
                        each(pearl);
                    }
                });
            }
            Transfer::WouldBlock => {}
            Transfer::Closed => return Err(Trouble::Closed),
            Transfer::Failed(code) => return Err(failed_transfer(code)),
        }
        Ok(())
    }
}

pub(crate) fn failed_transfer(code: i32) -> Trouble {
    Trouble::Failed {
        what: "transfer",
        source: std::io::Error::from_raw_os_error(code),
    }
}

impl Drop for LineFarEnd {
    fn drop(&mut self) {
        self.board = None;
        self.host = None;
        self.running.end();
    }
}
