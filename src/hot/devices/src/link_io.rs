//! A link with its port: bytes in and out of a non-blocking descriptor.
//!
//! Hot thread. What the port does not take at once waits here, and nothing more is made until it has gone: the link's
//! window then fills, and what the core still sends is refused and counted instead of growing old in a buffer.

use std::os::fd::{AsFd as _, OwnedFd};

use rt::poll::{Interest, Token, Transfer};
use units::HostUs;
use wire::ENCODED_MAX;
use wire::limits::BITS_A_BYTE;

use crate::limits::{READS_A_ROUND, SLOW_BAUD, WRITE_BYTES};
use crate::session::{HostLink, LinkEvent};

/// A link, and its port while there is one.
#[derive(Debug)]
pub(crate) struct LinkIo {
    pub(crate) link: HostLink,
    port: Option<Port>,
}

#[derive(Debug)]
struct Port {
    descriptor: OwnedFd,
    token: Token,
    /// Bytes made for the port; those between `begin` and `end` it has not taken yet.
    bytes: [u8; WRITE_BYTES],
    begin: usize,
    end: usize,
    /// When a slow line will have carried what it was handed, as reckoned by its speed.
    carried: HostUs,
}

/// The port is lost, or is not the right one: it has to go back to the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortLost;

impl LinkIo {
    pub(crate) const fn new(link: HostLink) -> Self {
        Self { link, port: None }
    }

    /// Takes a port that the poller watches under `token`, and calls the board.
    pub(crate) fn open(&mut self, descriptor: OwnedFd, token: Token, now: HostUs) {
        debug_assert!(self.port.is_none(), "one port a link");
        self.port = Some(Port {
            descriptor,
            token,
            bytes: [0; WRITE_BYTES],
            begin: 0,
            end: 0,
            carried: now,
        });
        self.link.open(now);
    }

    /// Gives the port up and tells that the link is down.
    pub(crate) fn close(&mut self, sink: impl FnMut(LinkEvent<'_>)) -> Option<(OwnedFd, Token)> {
        self.link.close(sink);
        self.port.take().map(|port| (port.descriptor, port.token))
    }

    /// What the poller shall wait for.
    pub(crate) fn interest(&self) -> Option<(Token, Interest)> {
        let port = self.port.as_ref()?;
        Some((
            port.token,
            if port.is_drained() {
                Interest::Read
            } else {
                Interest::ReadWrite
            },
        ))
    }

    /// Reads what is there and hands on what it says, all with the time `now`.
    pub(crate) fn read(
        &mut self,
        now: HostUs,
        buffer: &mut [u8],
        mut sink: impl FnMut(LinkEvent<'_>),
    ) -> Result<(), PortLost> {
        let Some(port) = &self.port else { return Ok(()) };
        for _ in 0..READS_A_ROUND {
            match rt::poll::read(port.descriptor.as_fd(), buffer) {
                Transfer::Done(count) => {
                    self.link.receive(now, &buffer[..count], &mut sink);
                    if count < buffer.len() {
                        break;
                    }
                }
                Transfer::WouldBlock => break,
                Transfer::Closed | Transfer::Failed(_) => return Err(PortLost),
            }
        }
        Ok(())
    }

    /// Does what is due by time. A port on which nobody, or a stranger, answers counts as lost: the board may have been
    /// plugged in elsewhere.
    pub(crate) fn poll(&mut self, now: HostUs, sink: impl FnMut(LinkEvent<'_>)) -> Result<(), PortLost> {
        self.link.poll(now, sink);
        match self.link.gives_port_up_at() {
            Some(at) if self.port.is_some() && now >= at => Err(PortLost),
            _ => Ok(()),
        }
    }

    /// Writes what is to go out, as far as the port takes it.
    pub(crate) fn write(&mut self, now: HostUs) -> Result<(), PortLost> {
        let Some(port) = &mut self.port else { return Ok(()) };
        let baud = self.link.plan().baud();
        loop {
            if port.is_drained() {
                let room = if baud > SLOW_BAUD {
                    WRITE_BYTES
                } else if now < port.carried {
                    return Ok(());
                } else {
                    ENCODED_MAX + 1
                };
                (port.begin, port.end) = (0, self.link.transmit(now, &mut port.bytes[..room]));
                if port.is_drained() {
                    return Ok(());
                }
                port.carried = now + carry_us(port.end, baud);
            }
            match rt::poll::write(port.descriptor.as_fd(), &port.bytes[port.begin..port.end]) {
                Transfer::Done(count) => port.begin += count,
                Transfer::WouldBlock => return Ok(()),
                Transfer::Closed | Transfer::Failed(_) => return Err(PortLost),
            }
        }
    }

    /// Time at which the link next has something to do by itself.
    pub(crate) fn next_deadline(&self) -> Option<HostUs> {
        let port = self.port.as_ref()?;
        let transmit = match self.link.next_transmit() {
            // While the port takes nothing there is nothing to send: its readiness ends the wait.
            _ if !port.is_drained() => None,
            Some(at) if self.link.plan().baud() <= SLOW_BAUD => Some(at.max(port.carried)),
            at => at,
        };
        [self.link.next_poll(), self.link.gives_port_up_at(), transmit]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Port {
    const fn is_drained(&self) -> bool {
        self.begin == self.end
    }
}

/// Time that a line needs for `bytes`, in microseconds, rounded up.
const fn carry_us(bytes: usize, baud: u32) -> i64 {
    let bits = bytes as u64 * BITS_A_BYTE as u64;
    (bits * 1_000_000)
        .div_ceil(if baud == 0 { 1 } else { baud as u64 })
        .cast_signed()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use rt::poll::Poller;
    use units::BoardId;
    use wire::{BoardEndpoint, ToBoard};

    use super::*;
    use crate::plan::{LinkPlan, Needs};

    /// Writes nothing of meaning until the port takes no more, or so many bytes; gives how many.
    fn fill(port: &OwnedFd, bytes: usize) -> usize {
        let mut filled = 0;
        while filled < bytes {
            let piece = [0x55; 600];
            match rt::poll::write(port, &piece[..piece.len().min(bytes - filled)]) {
                Transfer::Done(count) => filled += count,
                _ => break,
            }
        }
        filled
    }

    /// Reads until `done` is content with what has come.
    fn read_until(port: &OwnedFd, done: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut poller = Poller::new();
        poller.add(port.as_fd(), Interest::Read).expect("room");
        let mut all = Vec::new();
        while !done(&all) {
            let mut bytes = [0; 4_096];
            match rt::poll::read(port, &mut bytes) {
                Transfer::Done(count) => all.extend_from_slice(&bytes[..count]),
                _ => assert_eq!(
                    poller.wait(Some(10_000_000)).expect("poll"),
                    1,
                    "in vain after {} bytes",
                    all.len()
                ),
            }
        }
        all
    }

    fn hellos(bytes: &[u8]) -> usize {
        let (mut hellos, mut endpoint) = (0, BoardEndpoint::<2>::new(1_000_000));
        endpoint.receive(0, bytes, |message| {
            hellos += usize::from(matches!(message, ToBoard::Hello(_)))
        });
        hellos
    }

    fn calling(baud: u32, port: OwnedFd) -> LinkIo {
        let plan = LinkPlan::new(BoardId(0), 1, baud, 100_000, Needs::default(), &[]);
        let mut io = LinkIo::new(HostLink::new(plan, 1));
        io.open(port, Token(0), HostUs(0));
        io
    }

    fn non_blocking(ends: (impl Into<OwnedFd>, impl Into<OwnedFd>)) -> (OwnedFd, OwnedFd) {
        let (board, host) = (ends.0.into(), ends.1.into());
        rt::poll::set_nonblocking(&board).expect("open");
        rt::poll::set_nonblocking(&host).expect("open");
        (board, host)
    }

    fn pty() -> (OwnedFd, OwnedFd) {
        let pty = rt::port::open_pty().expect("a pty");
        non_blocking((pty.board, pty.host))
    }

    /// Two ends between which bytes pass at once; a pty's take their time.
    fn pair() -> (OwnedFd, OwnedFd) {
        non_blocking(UnixStream::pair().expect("a pair"))
    }

    #[test]
    fn what_a_port_takes_in_pieces_arrives_whole() {
        let most = fill(&pty().1, usize::MAX);
        // How much room there is in the end is the kernel's affair: most of these make pieces.
        for room in 0..30 {
            let (board, host) = pty();
            let filled = fill(&host, most - room);
            let mut io = calling(1_000_000, host);
            assert_eq!(io.write(HostUs(0)), Ok(()));
            let mut bytes = read_until(&board, |bytes| bytes.len() >= filled);
            assert_eq!(io.write(HostUs(1)), Ok(()));
            assert_eq!(io.interest(), Some((Token(0), Interest::Read)));
            bytes.extend(read_until(&board, |more| hellos(&[&bytes[..], more].concat()) == 1));
        }
    }

    #[test]
    fn a_port_that_takes_nothing_is_waited_for() {
        let (board, host) = pair();
        let filled = fill(&host, usize::MAX);
        let mut io = calling(1_000_000, host);
        assert_eq!(io.next_deadline(), Some(HostUs(0)), "Hello is due");
        assert_eq!(io.write(HostUs(0)), Ok(()));
        assert_eq!(io.interest(), Some((Token(0), Interest::ReadWrite)));
        assert_eq!(
            io.next_deadline(),
            io.link.gives_port_up_at(),
            "no time to write is set"
        );
        read_until(&board, |bytes| bytes.len() == filled);
        assert_eq!(io.write(HostUs(1)), Ok(()));
        assert_eq!(io.interest(), Some((Token(0), Interest::Read)));
        assert_eq!(io.next_deadline(), Some(HostUs(50_000)), "the next Hello");
    }

    #[test]
    fn a_slow_line_is_written_to_when_it_has_carried_the_last() {
        let (board, host) = pair();
        let mut io = calling(9_600, host);
        assert_eq!(io.write(HostUs(0)), Ok(()));
        let len = read_until(&board, |bytes| hellos(bytes) == 1).len();
        io.link.open(HostUs(1));
        let carried = HostUs(carry_us(len, 9_600));
        assert_eq!(io.next_deadline(), Some(carried));
        assert_eq!(io.write(carried - 1), Ok(()));
        assert_eq!(
            rt::poll::read(&board, &mut [0; 8]),
            Transfer::WouldBlock,
            "the line is busy"
        );
        assert_eq!(io.write(carried), Ok(()));
        read_until(&board, |bytes| hellos(bytes) == 1);
    }
}
