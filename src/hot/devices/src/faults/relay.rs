//! Link faults around real ports: a thread that carries every port's bytes to the hot thread and back, and spoils them by
//! its timetable.
//!
//! Cold thread `faults`, which is there only with `--allow-faults`. The hot thread gets one end of a socket in place of the
//! port; when either end closes, the other is closed too.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};

use rt::poll::{Transfer, Waker, read, set_nonblocking, write};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use units::{BoardId, HostUs};

use super::{Carriage, Chance, LinkFaults, Pipe};
use crate::limits::{LONGEST_WAIT_US, READ_BYTES};

/// Name of the thread.
pub const THREAD: &str = "faults";
/// Priority of SCHED_FIFO, where the rights are there: below the hot thread, above all that may wait, so that links are no
/// later than the timetable says.
pub const PRIORITY: u8 = 70;

/// A port on its way to the thread.
struct New {
    board: BoardId,
    port: OwnedFd,
    inner: OwnedFd,
}

/// The door to the thread: wraps ports. The thread ends when the door is dropped and every port is closed.
#[derive(Debug)]
pub struct Relay {
    new: Sender<New>,
    waker: Waker,
}

impl Relay {
    /// Starts the thread. The timetable's time begins at `zero`.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start(faults: LinkFaults, zero: HostUs) -> io::Result<Self> {
        let waker = Waker::new()?;
        let (new, incoming) = channel();
        let carrier = Carrier {
            faults,
            zero,
            waker: waker.duplicate()?,
            incoming,
            links: Vec::new(),
            wrapped: 0,
            buffer: vec![0; READ_BYTES],
        };
        std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            // Without the right links are a little later than the timetable says.
            let _granted = rt::thread::set_fifo(PRIORITY);
            carrier.run();
        })?;
        Ok(Self { new, waker })
    }

    /// Puts a board's port behind the faults; gives what the hot thread reads and writes in its place.
    ///
    /// # Errors
    /// The port itself when the system has no socket left or the thread has ended.
    pub fn wrap(&self, board: BoardId, port: OwnedFd) -> Result<OwnedFd, OwnedFd> {
        let pair = UnixStream::pair().map(|(inner, outer)| (OwnedFd::from(inner), OwnedFd::from(outer)));
        let Ok((inner, outer)) = pair else { return Err(port) };
        if [&inner, &outer].into_iter().any(|end| set_nonblocking(end).is_err()) {
            return Err(port);
        }
        self.new
            .send(New { board, port, inner })
            .map_err(|refused| refused.0.port)?;
        self.waker.wake();
        Ok(outer)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The thread sees that no port comes any more.
        self.waker.wake();
    }
}

/// A wrapped port: each way's pipe, and bytes that have come through it and wait for room.
struct Link {
    board: BoardId,
    port: OwnedFd,
    inner: OwnedFd,
    to_board: Way,
    to_host: Way,
    cut: bool,
    closed: bool,
}

struct Way {
    pipe: Pipe,
    unsent: Vec<u8>,
}

impl Way {
    fn new(seed: u64, stream: u64) -> Self {
        Self {
            pipe: Pipe::new(Carriage::none(), Chance::new(seed, stream)),
            unsent: Vec::new(),
        }
    }

    /// Hands on what has arrived; `false` when the far end is gone.
    fn deliver(&mut self, now_us: u64, to: &OwnedFd) -> bool {
        while let Some(run) = self.pipe.arrived(now_us) {
            self.unsent.extend_from_slice(&run);
            self.pipe.give_back(run);
        }
        while !self.unsent.is_empty() {
            match write(to, &self.unsent) {
                Transfer::Done(bytes) => drop(self.unsent.drain(..bytes)),
                Transfer::WouldBlock => break,
                Transfer::Closed | Transfer::Failed(_) => return false,
            }
        }
        true
    }
}

/// The thread's own.
struct Carrier {
    faults: LinkFaults,
    zero: HostUs,
    waker: Waker,
    incoming: Receiver<New>,
    links: Vec<Link>,
    /// Ports wrapped so far: each has chances of its own.
    wrapped: u64,
    buffer: Vec<u8>,
}

impl Carrier {
    fn run(mut self) {
        use std::sync::mpsc::TryRecvError;
        loop {
            self.waker.take();
            loop {
                match self.incoming.try_recv() {
                    Ok(new) => self.add(new),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) if self.links.is_empty() => return,
                    Err(TryRecvError::Disconnected) => break,
                }
            }
            let now_us = self.now_us();
            for link in &mut self.links {
                carry(link, &self.faults, now_us, &mut self.buffer);
            }
            // A closed link's two descriptors close here: the hot thread, or the port's keeper, sees it.
            self.links.retain(|link| !link.closed);
            self.wait();
        }
    }

    fn add(&mut self, new: New) {
        let New { board, port, inner } = new;
        let stream = 2 * self.wrapped;
        self.wrapped += 1;
        self.links.push(Link {
            board,
            port,
            inner,
            to_board: Way::new(self.faults.seed, stream),
            to_host: Way::new(self.faults.seed, stream + 1),
            cut: false,
            closed: false,
        });
    }

    fn now_us(&self) -> u64 {
        rt::clock::now_us().since(self.zero).max(0).unsigned_abs()
    }

    /// Waits for bytes, or until the next of those on their way arrive.
    fn wait(&self) {
        let mut due_us = self.now_us() + LONGEST_WAIT_US;
        let mut ends = vec![PollFd::new(&self.waker, PollFlags::IN)];
        for link in &self.links {
            due_us = due_us
                .min(link.to_board.pipe.next_us())
                .min(link.to_host.pipe.next_us());
            for (end, waiting) in [(&link.port, &link.to_board), (&link.inner, &link.to_host)] {
                let room = if waiting.unsent.is_empty() {
                    PollFlags::empty()
                } else {
                    PollFlags::OUT
                };
                ends.push(PollFd::new(end, PollFlags::IN | room));
            }
        }
        let wait_us = due_us.saturating_sub(self.now_us());
        let timeout = Timespec {
            tv_sec: (wait_us / 1_000_000).cast_signed(),
            tv_nsec: (wait_us % 1_000_000 * 1_000).cast_signed(),
        };
        // An interrupted wait is a short one.
        let _ready = poll(&mut ends, Some(&timeout));
    }
}

/// Takes what has come at both ends of a link and hands on what has arrived.
fn carry(link: &mut Link, faults: &LinkFaults, now_us: u64, buffer: &mut [u8]) {
    let trouble = faults.trouble(link.board, now_us);
    if trouble.cut && !std::mem::replace(&mut link.cut, trouble.cut) {
        link.to_board.pipe.lose();
        link.to_host.pipe.lose();
    }
    link.cut = trouble.cut;
    for (from, way) in [(&link.port, &mut link.to_host), (&link.inner, &mut link.to_board)] {
        loop {
            match read(from, buffer) {
                Transfer::Done(0) | Transfer::Closed | Transfer::Failed(_) => {
                    link.closed = true;
                    break;
                }
                Transfer::Done(bytes) => way.pipe.send(now_us, &buffer[..bytes], &trouble),
                Transfer::WouldBlock => break,
            }
        }
    }
    let delivered = link.to_host.deliver(now_us, &link.inner) && link.to_board.deliver(now_us, &link.port);
    link.closed |= !delivered;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{LinkFault, TimedLinkFault};

    const BOARD: BoardId = BoardId(0);

    fn wrapped(fault: Option<LinkFault>, length_us: u64) -> (Relay, OwnedFd, OwnedFd) {
        let timed = |fault| TimedLinkFault {
            board: BOARD,
            from_us: 0,
            until_us: length_us,
            fault,
        };
        let faults = LinkFaults {
            seed: 5,
            faults: fault.map(timed).into_iter().collect(),
        };
        let relay = Relay::start(faults, rt::clock::now_us()).expect("a thread");
        let (board, port) = UnixStream::pair().expect("a pair");
        let (board, port) = (OwnedFd::from(board), OwnedFd::from(port));
        for end in [&board, &port] {
            set_nonblocking(end).expect("open");
        }
        let host = relay.wrap(BOARD, port).expect("a socket");
        (relay, board, host)
    }

    /// Everything that comes until nothing has come for so long, or the end closes (told by `true`).
    fn all(end: &OwnedFd, quiet_us: i64) -> (Vec<u8>, bool) {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
        let mut last = rt::clock::now_us();
        while rt::clock::now_us().since(last) < quiet_us {
            match read(end, &mut buffer) {
                Transfer::Done(0) | Transfer::Closed | Transfer::Failed(_) => return (bytes, true),
                Transfer::Done(count) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    last = rt::clock::now_us();
                }
                Transfer::WouldBlock => std::thread::yield_now(),
            }
        }
        (bytes, false)
    }

    #[test]
    fn without_trouble_every_byte_comes_through_both_ways() {
        let (_relay, board, host) = wrapped(None, 0);
        let text: Vec<u8> = (0..20_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        assert_eq!(write(&board, &text), Transfer::Done(text.len()));
        assert_eq!(write(&host, &text[..300]), Transfer::Done(300));
        assert_eq!(all(&host, 200_000), (text.clone(), false));
        assert_eq!(all(&board, 200_000), (text[..300].to_vec(), false));
    }

    #[test]
    fn noise_is_the_same_for_the_same_seed() {
        let run = || {
            let fault = LinkFault::Noise {
                drop: 0.01,
                double: 0.01,
                flip: 0.01,
            };
            let (_relay, board, host) = wrapped(Some(fault), u64::MAX);
            assert_eq!(write(&board, &[0x55; 10_000]), Transfer::Done(10_000));
            all(&host, 200_000).0
        };
        let first = run();
        assert_ne!(first, vec![0x55; 10_000]);
        assert_eq!(first, run());
    }

    #[test]
    fn a_stall_holds_back_and_a_cut_loses() {
        let (_relay, board, host) = wrapped(Some(LinkFault::Stall), 300_000);
        let began = rt::clock::now_us();
        assert_eq!(write(&board, b"later"), Transfer::Done(5));
        assert_eq!(all(&host, 600_000).0, b"later");
        assert!(rt::clock::now_us().since(began) >= 300_000);
        let (_relay, board, host) = wrapped(Some(LinkFault::Cut), u64::MAX);
        assert_eq!(write(&board, b"gone"), Transfer::Done(4));
        assert_eq!(all(&host, 200_000), (Vec::new(), false));
    }

    #[test]
    fn an_end_that_closes_closes_the_other() {
        let (_relay, board, host) = wrapped(None, 0);
        drop(board);
        assert!(all(&host, 2_000_000).1, "the host's end stays open");
        let (_relay, board, host) = wrapped(None, 0);
        drop(host);
        assert!(all(&board, 2_000_000).1, "the board's end stays open");
    }
}
