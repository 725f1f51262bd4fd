//! The bare floor: a thread at SCHED_FIFO that blocks in `read` and answers each measurement with a constant order. No
//! sorter over a pty can be faster.

use std::{os::fd::OwnedFd, thread::JoinHandle};

use rt::{
    poll::{Transfer, read, write},
    port::{Pty, claim, duplicate, open_pty},
    thread::{HotThread, spawn},
};

use crate::{
    contender::{Conditions, Contender, FarEnd, Trouble},
    far_end::{LineFarEnd, Running},
    limits::{PRIORITY, READ_BYTES},
    lines::Cutter,
};

/// The bare floor.
pub struct Floor;

/// Threads that end by themselves when their pty closes.
pub(crate) struct Threads(pub(crate) Vec<JoinHandle<()>>);

impl Running for Threads {
    fn end(&mut self) {
        for thread in self.0.drain(..) {
            // A thread that panicked has said so already; there is nothing to add.
            let _ = thread.join();
        }
    }
}

/// A pty and its host's end for a contender of this process. Claimed, so that no other program takes it for a board that
/// it looks for; programs of their own claim it by themselves.
pub(crate) fn open_claimed_pty() -> Result<(Pty, OwnedFd), Trouble> {
    let pty = open_pty()?;
    claim(&pty.host)?;
    let host = duplicate(&pty.host)?;
    Ok((pty, host))
}

/// Where the daemon's hot thread runs: a wake-up costs more across cores than on one, and a contender of one thread is to
/// pay what the daemon pays.
pub(crate) fn hot_core() -> Option<usize> {
    pearlsort::topology::HOT.core.number()
}

pub(crate) fn start_thread(
    name: &str,
    core: Option<usize>,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Trouble> {
    let hot = HotThread {
        name: name.to_owned(),
        priority: Some(PRIORITY),
        core,
    };
    let spawned = spawn(hot, body).map_err(|source| Trouble::Failed { what: "thread", source })?;
    Ok(spawned.handle)
}

impl Contender for Floor {
    fn name(&self) -> &str {
        "bare pty"
    }

    fn what(&self) -> &str {
        "blocking SCHED_FIFO thread, a constant order for each measurement: the floor"
    }

    fn start(&self, _: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        let (pty, host) = open_claimed_pty()?;
        let thread = start_thread("floor", hot_core(), move || {
            let (mut buffer, mut cutter) = (vec![0; READ_BYTES], Cutter::new());
            let mut orders: Vec<u8> = Vec::with_capacity(READ_BYTES);
            while let Transfer::Done(count) = read(&host, &mut buffer) {
                orders.clear();
                cutter.cut(&buffer[..count], |line| {
                    if line.first() == Some(&b'M') {
                        orders.extend_from_slice(b"F00 0000000000 0320 ");
                        orders.extend_from_slice(&line[4..14]);
                        orders.push(b'\n');
                    }
                });
                // Blocking: all of it goes through, or the far end is gone and the next read says so.
                if !orders.is_empty() && write(&host, &orders) == Transfer::Closed {
                    return;
                }
            }
        })?;
        Ok(Box::new(LineFarEnd::new(pty, Box::new(Threads(vec![thread])))?))
    }
}
