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
        // While the port takes nothing there is nothing to send: its readiness ends the wait.
        let transmit = if port.is_drained() {
            self.link.next_transmit()
        } else {
            None
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
