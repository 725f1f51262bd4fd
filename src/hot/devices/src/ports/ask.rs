//! Asking a port who is there.
//!
//! Cold side, on a thread that may block.

use std::os::fd::AsFd as _;

use rt::poll::{Interest, Poller, Transfer};
use units::HostUs;
use wire::limits::HELLO_EVERY_US;
use wire::{ENCODED_MAX, FromBoard, Hello, HostEndpoint, Identity, ToBoard};

use super::open::OpenPort;
use crate::limits::PROBE_MS;

/// Says `Hello` on a port until a board answers, for [`PROBE_MS`] at most. `baud` is the port's speed.
pub(super) fn ask(port: &OpenPort, baud: u32) -> Option<Identity> {
    let mut poller = Poller::new();
    poller.add(port.as_fd(), Interest::Read).ok()?;
    let begin = rt::clock::now_us();
    // A session that no other caller is likely to have, so that the board takes this for a new connection.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits change fastest")]
    let session = (begin.0.unsigned_abs() as u16).max(1);
    let mut endpoint = HostEndpoint::<2>::new(baud);
    endpoint.reset(session);
    let end = begin + PROBE_MS.cast_signed() * 1_000;
    let mut hello_at = begin;
    loop {
        let now = rt::clock::now_us();
        if now >= end {
            return None;
        }
        if now >= hello_at {
            say_hello(port, &mut endpoint, now)?;
            hello_at = now + HELLO_EVERY_US.cast_signed();
        }
        let wait = u64::try_from(hello_at.min(end).since(now)).unwrap_or(0);
        poller.wait(Some(wait)).ok()?;
        if let Some(identity) = listen(port, &mut endpoint)? {
            return Some(identity);
        }
    }
}

/// Says `Hello`; `None` when the port is lost. A port that takes no bytes now is asked again later.
fn say_hello(port: &OpenPort, endpoint: &mut HostEndpoint<2>, now: HostUs) -> Option<()> {
    let hello = Hello {
        protocol: wire::PROTOCOL,
        session: endpoint.session(),
    };
    endpoint.connect(&ToBoard::Hello(hello)).ok()?;
    let mut bytes = [0; ENCODED_MAX + 1];
    let count = endpoint.poll_transmit(now.0.unsigned_abs(), &mut bytes);
    match rt::poll::write(port, &bytes[..count]) {
        // Half a frame is damage, which the next `Hello` makes good.
        Transfer::Done(_) | Transfer::WouldBlock => Some(()),
        Transfer::Closed | Transfer::Failed(_) => None,
    }
}

/// Reads what is there: `Some(Some)` when a board says who it is, `None` when the port is lost.
fn listen(port: &OpenPort, endpoint: &mut HostEndpoint<2>) -> Option<Option<Identity>> {
    let mut bytes = [0; 512];
    let count = match rt::poll::read(port, &mut bytes) {
        Transfer::Done(count) => count,
        Transfer::WouldBlock => return Some(None),
        Transfer::Closed | Transfer::Failed(_) => return None,
    };
    let mut found = None;
    endpoint.receive(rt::clock::now_us().0.unsigned_abs(), &bytes[..count], |message| {
        if let FromBoard::Identity(identity) = message {
            found = Some(identity);
        }
    });
    Some(found)
}
