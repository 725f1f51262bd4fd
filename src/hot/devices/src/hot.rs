//! The hot thread's loop: wait for the ports, bytes to events, the core, orders to bytes.
//!
//! Hot thread; it allocates nothing after [`HotLoop::new`], and waits nowhere but in [`rt::poll::Poller::wait`]. One
//! **round** is one such wait and all that follows from it; every event of a round has the same host time, read once
//! after the wait. Ports are opened and closed by the cold side ([`crate::ports`]): closing a serial port can block.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rt::poll::{Interest, Poller, Token, Waker};
use rt::ring::{Consumer, Producer, ring};
use units::{BoardId, HostUs};
use wire::ToBoard;

use crate::faults::relay::Relay;
use crate::limits::{LONGEST_WAIT_US, MAX_LINKS, OUTGOING, PORT_RING, READ_BYTES};
use crate::link_io::LinkIo;
use crate::session::{HostLink, LinkEvent, SendError};

/// What the loop drives: the core, behind an adapter. Nothing here may block or allocate.
pub trait Handler {
    /// A link has something to tell.
    fn on_event(&mut self, board: BoardId, at: HostUs, event: LinkEvent<'_>, out: &mut Outgoing);
    /// All events of the round are through, or time has passed: the place for commands, feeds and the core's clock.
    fn on_idle(&mut self, now: HostUs, out: &mut Outgoing) -> Flow;
    /// A message was not taken by its link. It will not be sent.
    fn on_unsent(&mut self, board: BoardId, at: HostUs, message: &ToBoard, why: SendError);
    /// When [`Self::on_idle`] is to be called at the latest; `None`: only after events.
    fn next_deadline(&self) -> Option<HostUs>;
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    Go,
    /// It sends what is to be sent and ends.
    Stop,
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Message(ToBoard),
    Arm,
}

/// Messages of the handler on their way into the links; full means drop and count.
#[derive(Debug)]
pub struct Outgoing {
    items: Vec<(BoardId, Item)>,
    dropped: u64,
}

impl Outgoing {
    fn new() -> Self {
        Self {
            items: Vec::with_capacity(OUTGOING),
            dropped: 0,
        }
    }

    /// Sends a message to a board.
    pub fn send(&mut self, board: BoardId, message: ToBoard) {
        self.add(board, Item::Message(message));
    }

    /// Arms a board with the settings that its handshake agreed on.
    pub fn arm(&mut self, board: BoardId) {
        self.add(board, Item::Arm);
    }

    /// Messages dropped because too many came in one round.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn add(&mut self, board: BoardId, item: Item) {
        if self.items.len() < OUTGOING {
            self.items.push((board, item));
        } else {
            self.dropped += 1;
        }
    }
}

/// A port for a board, on its way to the hot loop. Its descriptor is non-blocking.
#[derive(Debug)]
pub struct OpenedPort {
    /// The board that answered on it.
    pub board: BoardId,
    /// The port.
    pub descriptor: OwnedFd,
}

/// A port that the hot loop gives back: it is lost, or its board is.
#[derive(Debug)]
pub struct LostPort {
    /// The board that it served.
    pub board: BoardId,
    /// The port, to be closed.
    pub descriptor: OwnedFd,
}

/// The cold side's end: ports in, lost ports out.
pub struct ColdEnd {
    faults: Option<Relay>,
    opened: Producer<OpenedPort>,
    lost: Consumer<LostPort>,
    waker: Waker,
}

impl ColdEnd {
    /// Puts every port that is handed over from now on behind link faults: for tests, never in service.
    #[must_use]
    pub fn through(mut self, faults: Relay) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Hands a port to the hot loop.
    ///
    /// # Errors
    /// The port itself when the loop has not taken [`PORT_RING`] of them yet, or has ended.
    pub fn hand_over(&mut self, port: OpenedPort) -> Result<(), OpenedPort> {
        if self.is_abandoned() {
            return Err(port);
        }
        let OpenedPort { board, descriptor } = port;
        let descriptor = match &self.faults {
            None => descriptor,
            Some(relay) => relay
                .wrap(board, descriptor)
                .map_err(|descriptor| OpenedPort { board, descriptor })?,
        };
        self.opened.offer(OpenedPort { board, descriptor })?;
        self.waker.wake();
        Ok(())
    }

    /// The next port that the hot loop gives back.
    pub fn take_lost(&mut self) -> Option<LostPort> {
        self.lost.pop()
    }

    /// Whether the hot loop has ended.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.opened.is_abandoned()
    }

    /// Ends the hot loop's wait, so that it looks at what else was published for it.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Another handle that ends the hot loop's wait.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn waker(&self) -> io::Result<Waker> {
        self.waker.duplicate()
    }
}

/// The loop. `links[i]` serves `BoardId(i)`.
pub struct HotLoop<H> {
    handler: H,
    links: Vec<LinkIo>,
    /// Ports to give back that the ring had no room for.
    unreturned: Vec<LostPort>,
    poller: Poller,
    waker: Waker,
    waker_token: Token,
    opened: Consumer<OpenedPort>,
    lost: Producer<LostPort>,
    outgoing: Outgoing,
    buffer: Box<[u8; READ_BYTES]>,
    failed_waits: u64,
}

impl<H: Handler> HotLoop<H> {
    /// A loop over closed links, and the cold side's end of it.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    ///
    /// # Panics
    /// When there are more than [`MAX_LINKS`] links, or they are not in the order of their boards.
    pub fn new(handler: H, links: Vec<HostLink>) -> io::Result<(Self, ColdEnd)> {
        assert!(links.len() <= MAX_LINKS, "at most {MAX_LINKS} links");
        let in_order = links.iter().enumerate().all(|(at, link)| link.board().index() == at);
        assert!(in_order, "links stand in the order of their boards");
        let (opened_in, opened) = ring(PORT_RING);
        let (lost, lost_out) = ring(PORT_RING);
        let waker = Waker::new()?;
        let cold = ColdEnd {
            faults: None,
            opened: opened_in,
            lost: lost_out,
            waker: waker.duplicate()?,
        };
        let mut poller = Poller::new();
        let waker_token = poller.add(waker.as_fd(), Interest::Read).map_err(io::Error::other)?;
        let hot = Self {
            handler,
            links: links.into_iter().map(LinkIo::new).collect(),
            unreturned: Vec::with_capacity(MAX_LINKS),
            poller,
            waker,
            waker_token,
            opened,
            lost,
            outgoing: Outgoing::new(),
            buffer: Box::new([0; READ_BYTES]),
            failed_waits: 0,
        };
        Ok((hot, cold))
    }

    /// Runs until the handler says stop; gives the handler and the links back, their ports closed.
    pub fn run(mut self) -> (H, Vec<HostLink>) {
        while self.round(LONGEST_WAIT_US) == Flow::Go {}
        (self.handler, self.links.into_iter().map(|io| io.link).collect())
    }

    /// One round; waits for `longest_us` at most.
    pub fn round(&mut self, longest_us: u64) -> Flow {
        let timeout_us = self.timeout_us(rt::clock::now_us(), longest_us);
        if self.poller.wait(Some(timeout_us)).is_err() {
            self.failed_waits += 1;
        }
        let now = rt::clock::now_us();
        let ready = self.poller.ready().fold(0_u128, |set, ready| set | 1 << ready.token.0);
        if is_in(ready, self.waker_token) && self.waker.take() {
            self.take_ports(now);
        }
        for at in 0..self.links.len() {
            if self.links[at].interest().is_some_and(|(token, _)| is_in(ready, token)) {
                self.read(at, now);
            }
            self.poll(at, now);
        }
        let flow = self.handler.on_idle(now, &mut self.outgoing);
        self.push_outgoing(now);
        for at in 0..self.links.len() {
            self.write(at, now);
        }
        self.give_back();
        flow
    }

    /// The handler.
    pub const fn handler(&mut self) -> &mut H {
        &mut self.handler
    }

    /// The links, in the order of their boards.
    pub fn links(&self) -> impl Iterator<Item = &HostLink> {
        self.links.iter().map(|io| &io.link)
    }

    /// Messages dropped because the handler sent too many in one round.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.outgoing.dropped()
    }

    /// Waits that the kernel refused.
    #[must_use]
    pub const fn failed_waits(&self) -> u64 {
        self.failed_waits
    }

    fn timeout_us(&self, now: HostUs, longest_us: u64) -> u64 {
        let links = self.links.iter().filter_map(LinkIo::next_deadline);
        let due = links.chain(self.handler.next_deadline()).min();
        due.map_or(longest_us, |due| {
            u64::try_from(due.since(now)).unwrap_or(0).min(longest_us)
        })
    }

    /// Takes the ports that the cold side has opened.
    fn take_ports(&mut self, now: HostUs) {
        while let Some(OpenedPort { board, descriptor }) = self.opened.pop() {
            let free = self.links.get(board.index()).is_some_and(|io| io.interest().is_none());
            let token = if free {
                self.poller.add(descriptor.as_fd(), Interest::Read).ok()
            } else {
                None
            };
            match token {
                Some(token) => self.links[board.index()].open(descriptor, token, now),
                None => self.return_port(LostPort { board, descriptor }),
            }
        }
    }

    fn read(&mut self, at: usize, now: HostUs) {
        let Self {
            handler,
            links,
            outgoing,
            buffer,
            ..
        } = self;
        let board = links[at].link.board();
        let result = links[at].read(now, &mut buffer[..], |event| {
            handler.on_event(board, now, event, outgoing)
        });
        if result.is_err() {
            self.lose(at, now);
        }
        self.push_outgoing(now);
    }

    fn poll(&mut self, at: usize, now: HostUs) {
        let Self {
            handler,
            links,
            outgoing,
            ..
        } = self;
        let board = links[at].link.board();
        if links[at]
            .poll(now, |event| handler.on_event(board, now, event, outgoing))
            .is_err()
        {
            self.lose(at, now);
        }
    }

    fn write(&mut self, at: usize, now: HostUs) {
        if self.links[at].write(now).is_err() {
            self.lose(at, now);
        } else if let Some((token, interest)) = self.links[at].interest() {
            self.poller.set_interest(token, interest);
        }
    }

    fn lose(&mut self, at: usize, now: HostUs) {
        let Self {
            handler,
            links,
            outgoing,
            ..
        } = self;
        let board = links[at].link.board();
        let closed = links[at].close(|event| handler.on_event(board, now, event, outgoing));
        if let Some((descriptor, token)) = closed {
            self.poller.remove(token);
            self.return_port(LostPort { board, descriptor });
        }
    }

    fn return_port(&mut self, port: LostPort) {
        // No more than one port a link is ever here or in the ring, but for those that the cold side sends twice.
        if self.unreturned.len() < MAX_LINKS {
            self.unreturned.push(port);
        }
    }

    fn give_back(&mut self) {
        while let Some(port) = self.unreturned.pop() {
            if let Err(port) = self.lost.offer(port) {
                self.unreturned.push(port);
                return;
            }
        }
    }

    fn push_outgoing(&mut self, now: HostUs) {
        let Self {
            handler,
            links,
            outgoing,
            ..
        } = self;
        for (board, item) in outgoing.items.drain(..) {
            let Some(io) = links.get_mut(board.index()) else {
                debug_assert!(false, "no such board");
                continue;
            };
            let (message, sent) = match item {
                Item::Message(message) => (message, io.link.send(&message)),
                Item::Arm => (io.link.arm_message(), io.link.arm()),
            };
            if let Err(why) = sent {
                handler.on_unsent(board, now, &message, why);
            }
        }
    }
}

/// Whether a port is in a set of ready ones.
const fn is_in(ready: u128, token: Token) -> bool {
    ready >> token.0 & 1 == 1
}

const _: () = assert!(MAX_LINKS < u128::BITS as usize, "ready ports are the bits of a set");
const _: () = assert!(rt::limits::MAX_POLLED <= u128::BITS as usize);
