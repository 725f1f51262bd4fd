//! The one place where the hot thread waits: for its ports and for a waker, with a time-out in microseconds.
//!
//! [`Poller`] keeps a fixed set of descriptors and waits by `ppoll`: at tens of links one call of it costs no more than
//! epoll and it needs no second call to change an interest. [`read`] and [`write`] never block on descriptors that are
//! non-blocking ([`set_nonblocking`]) and say in types what happened. [`Waker`] ends a wait from another thread.
//!
//! A poller borrows no descriptor: one that was closed while registered is reported as closed.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use rustix::{
    event::{EventfdFlags, eventfd},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};

use crate::limits::MAX_POLLED;

/// What of a descriptor ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read.
    Read,
    /// Bytes to read, or room to write.
    ReadWrite,
    /// Only that it closes.
    Closing,
}

/// The name of a descriptor in its poller, by order of registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub usize);

/// A descriptor that ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Which.
    pub token: Token,
    /// A read will not block.
    pub readable: bool,
    /// A write will not block.
    pub writable: bool,
    /// The far end is gone, or the descriptor failed. What was received before may still be readable.
    pub closed: bool,
}

/// A poller has room for no more descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a poller watches at most {MAX_POLLED} descriptors")]
pub struct PollerFull;

/// A fixed set of descriptors to wait for.
pub struct Poller {
    /// Room for [`MAX_POLLED`] from the start, so that registering does not allocate. A negative descriptor is a freed
    /// place, which the kernel skips.
    set: Vec<libc::pollfd>,
}

const fn events_of(interest: Interest) -> i16 {
    match interest {
        Interest::Read => libc::POLLIN,
        Interest::ReadWrite => libc::POLLIN | libc::POLLOUT,
        Interest::Closing => 0,
    }
}

impl Default for Poller {
    fn default() -> Self {
        Self {
            set: Vec::with_capacity(MAX_POLLED),
        }
    }
}

impl Poller {
    /// An empty poller. Allocates, once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches `descriptor` from now on. A place freed by [`remove`](Self::remove) is used again.
    ///
    /// # Errors
    /// [`PollerFull`] at [`MAX_POLLED`].
    pub fn add(&mut self, descriptor: BorrowedFd<'_>, interest: Interest) -> Result<Token, PollerFull> {
        let entry = libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: events_of(interest),
            revents: 0,
        };
        if let Some(place) = self.set.iter().position(|entry| entry.fd < 0) {
            self.set[place] = entry;
            return Ok(Token(place));
        }
        if self.set.len() == MAX_POLLED {
            return Err(PollerFull);
        }
        self.set.push(entry);
        Ok(Token(self.set.len() - 1))
    }

    /// Changes what is waited for. Nothing happens for a token that is not registered.
    pub fn set_interest(&mut self, token: Token, interest: Interest) {
        if let Some(entry) = self.set.get_mut(token.0) {
            entry.events = events_of(interest);
        }
    }

    /// Forgets a descriptor; its token is void.
    pub fn remove(&mut self, token: Token) {
        if let Some(entry) = self.set.get_mut(token.0) {
            *entry = libc::pollfd {
                fd: -1,
                events: 0,
                revents: 0,
            };
        }
    }

    /// Waits until a descriptor is ready or `timeout_us` has passed; 0 only looks, `None` waits without end. Returns how
    /// many are ready (0 after the time-out or a signal). The only blocking call of the hot thread.
    ///
    /// # Errors
    /// When the kernel is out of memory; nothing else can go wrong.
    pub fn wait(&mut self, timeout_us: Option<u64>) -> io::Result<usize> {
        let timeout = timeout_us.map(|us| libc::timespec {
            tv_sec: i64::try_from(us / 1_000_000).unwrap_or(i64::MAX),
            tv_nsec: (us % 1_000_000 * 1000).cast_signed(),
        });
        let timeout = timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        // SAFETY: `set` holds `len` initialised entries, of which the kernel writes `revents` only; `timeout` is null or
        // points to a timespec that lives until the call returns; no signal mask is given.
        let count = unsafe {
            libc::ppoll(
                self.set.as_mut_ptr(),
                self.set.len() as libc::nfds_t,
                timeout,
                core::ptr::null(),
            )
        };
        if let Ok(count) = usize::try_from(count) {
            return Ok(count);
        }
        // A failed call leaves `revents` as it was.
        self.set.iter_mut().for_each(|entry| entry.revents = 0);
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            error => Err(error),
        }
    }

    /// What the last [`wait`](Self::wait) found, in order of registration.
    pub fn ready(&self) -> impl Iterator<Item = Ready> + '_ {
        self.set
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.fd >= 0 && entry.revents != 0)
            .map(|(place, entry)| {
                let any = |events: i16| entry.revents & events != 0;
                Ready {
                    token: Token(place),
                    readable: any(libc::POLLIN),
                    writable: any(libc::POLLOUT),
                    closed: any(libc::POLLHUP | libc::POLLERR | libc::POLLNVAL),
                }
            })
    }
}

/// How a read or write without blocking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// So many bytes went through; at least one, unless none was asked for.
    Done(usize),
    /// Nothing to read, or no room to write: wait for it.
    WouldBlock,
    /// The line is lost: end of file, EIO, EPIPE, or the device is gone.
    Closed,
    /// Another failure, by the system's error number.
    Failed(i32),
}

impl Transfer {
    fn of(result: Result<usize, Errno>) -> Self {
        match result {
            Ok(count) => Self::Done(count),
            // An interrupted call did nothing: the next round tries again.
            Err(Errno::AGAIN | Errno::INTR) => Self::WouldBlock,
            Err(Errno::IO | Errno::PIPE | Errno::NXIO | Errno::NODEV | Errno::CONNRESET) => Self::Closed,
            Err(other) => Self::Failed(other.raw_os_error()),
        }
    }
}

/// Reads what is there, at most `buffer`.
#[inline]
pub fn read(descriptor: impl AsFd, buffer: &mut [u8]) -> Transfer {
    let asked = buffer.len();
    match Transfer::of(rustix::io::read(descriptor, buffer)) {
        Transfer::Done(0) if asked > 0 => Transfer::Closed,
        other => other,
    }
}

/// Writes as much of `bytes` as there is room for.
#[inline]
pub fn write(descriptor: impl AsFd, bytes: &[u8]) -> Transfer {
    match Transfer::of(rustix::io::write(descriptor, bytes)) {
        Transfer::Done(0) if !bytes.is_empty() => Transfer::WouldBlock,
        other => other,
    }
}

/// Makes reads and writes return instead of waiting. Holds for every duplicate of the descriptor.
///
/// # Errors
/// When the descriptor is not open.
pub fn set_nonblocking(descriptor: impl AsFd) -> io::Result<()> {
    let flags = fcntl_getfl(&descriptor)?;
    Ok(fcntl_setfl(&descriptor, flags | OFlags::NONBLOCK)?)
}

/// Ends the wait of a poller from another thread (an eventfd).
#[derive(Debug)]
pub struct Waker {
    event: OwnedFd,
}

impl Waker {
    /// A waker at rest; register its descriptor for [`Interest::Read`].
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            event: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
        })
    }

    /// A second handle to the same waker, for another thread.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn duplicate(&self) -> io::Result<Self> {
        Ok(Self {
            event: self.event.try_clone()?,
        })
    }

    /// Ends the wait of now or the next one. Never blocks: at the counter's end the sleeper is long awake.
    #[inline]
    pub fn wake(&self) {
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    /// Takes all wakes so far; returns whether there was one. The sleeper calls it before it looks at its rings.
    #[inline]
    pub fn take(&self) -> bool {
        rustix::io::read(&self.event, &mut [0; 8]).is_ok()
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, port};

    fn nonblocking_pty() -> port::Pty {
        let pty = port::open_pty().expect("a pty");
        set_nonblocking(&pty.board).expect("open");
        set_nonblocking(&pty.host).expect("open");
        pty
    }

    #[test]
    fn bytes_echo_over_a_pty_unchanged() {
        const LINES: u8 = 200;
        let pty = nonblocking_pty();
        let (board, host) = (pty.board, pty.host);
        let echo = std::thread::spawn(move || {
            let mut poller = Poller::new();
            poller.add(board.as_fd(), Interest::Read).expect("room");
            let mut buffer = [0; 256];
            loop {
                poller.wait(None).expect("poll works");
                match read(&board, &mut buffer) {
                    Transfer::Done(count) => assert_eq!(write(&board, &buffer[..count]), Transfer::Done(count)),
                    Transfer::WouldBlock => {}
                    Transfer::Closed => return,
                    Transfer::Failed(error) => panic!("error {error}"),
                }
            }
        });
        let mut poller = Poller::new();
        let token = poller.add(host.as_fd(), Interest::Read).expect("room");
        for number in 0..LINES {
            // Bytes that a terminal in any other mode would change, hold back or answer.
            let line = [number, 0, 3, 4, 10, 13, 17, 19, 26, 127, 255];
            assert_eq!(write(&host, &line), Transfer::Done(line.len()));
            let mut received = Vec::new();
            while received.len() < line.len() {
                assert_eq!(
                    poller.wait(Some(2_000_000)).expect("poll works"),
                    1,
                    "an echo within two seconds"
                );
                assert!(
                    poller
                        .ready()
                        .all(|ready| ready.token == token && ready.readable && !ready.closed)
                );
                let mut buffer = [0; 256];
                if let Transfer::Done(count) = read(&host, &mut buffer) {
                    received.extend_from_slice(&buffer[..count]);
                }
            }
            assert_eq!(received, line);
        }
        drop(host);
        echo.join().expect("the echo saw its far end close");
    }

    #[test]
    fn an_empty_port_would_block_a_full_one_too_and_a_lost_one_is_closed() {
        let pty = nonblocking_pty();
        assert_eq!(read(&pty.host, &mut [0; 8]), Transfer::WouldBlock);
        let mut written = 0;
        loop {
            match write(&pty.host, &[0; 1024]) {
                Transfer::Done(count) => written += count,
                other => break assert_eq!(other, Transfer::WouldBlock),
            }
            assert!(written < 1 << 20, "a pty has no such buffer");
        }
        let mut poller = Poller::new();
        poller.add(pty.host.as_fd(), Interest::ReadWrite).expect("room");
        assert_eq!(poller.wait(Some(0)).expect("poll works"), 0);
        drop(pty.board);
        assert_eq!(poller.wait(Some(0)).expect("poll works"), 1);
        assert!(poller.ready().all(|ready| ready.closed));
        assert_eq!(read(&pty.host, &mut [0; 8]), Transfer::Closed);
        assert_eq!(write(&pty.host, &[0]), Transfer::Closed);
    }

    #[test]
    fn a_wait_ends_at_its_time_out_and_by_its_waker() {
        let waker = Waker::new().expect("a waker");
        let mut poller = Poller::new();
        let token = poller.add(waker.as_fd(), Interest::Read).expect("room");
        let before = clock::now_us();
        assert_eq!(poller.wait(Some(700)).expect("poll works"), 0);
        assert!(clock::now_us() - before >= 700);
        let other = waker.duplicate().expect("a waker");
        let thread = std::thread::spawn(move || (0..3).for_each(|_| other.wake()));
        assert_eq!(poller.wait(None).expect("poll works"), 1);
        assert_eq!(poller.ready().map(|ready| ready.token).collect::<Vec<_>>(), [token]);
        thread.join().expect("it woke");
        assert!(waker.take() && !waker.take(), "three wakes are taken at once");
        assert_eq!(poller.wait(Some(0)).expect("poll works"), 0);
    }

    #[test]
    fn places_are_used_again_and_the_set_has_an_end() {
        let waker = Waker::new().expect("a waker");
        let mut poller = Poller::new();
        for place in 0..MAX_POLLED {
            assert_eq!(poller.add(waker.as_fd(), Interest::Read), Ok(Token(place)));
        }
        assert_eq!(poller.add(waker.as_fd(), Interest::Read), Err(PollerFull));
        poller.remove(Token(5));
        waker.wake();
        assert_eq!(poller.wait(Some(0)).expect("poll works"), MAX_POLLED - 1);
        assert!(poller.ready().all(|ready| ready.token != Token(5)));
        assert_eq!(poller.add(waker.as_fd(), Interest::Closing), Ok(Token(5)));
        poller.set_interest(Token(6), Interest::Closing);
        assert_eq!(poller.wait(Some(0)).expect("poll works"), MAX_POLLED - 2);
    }
}
