//! Two shapes of a hot side around the same little sorter: everything in one thread, or reader, sorter and writer each in
//! its own with a ring and a waker between them. The difference is what a hand-over costs.

use std::os::fd::{AsFd as _, OwnedFd};

use rt::{
    poll::{Interest, Poller, Transfer, Waker, read, set_nonblocking, write},
    port::duplicate,
    ring::{Consumer, Producer, ring},
};

use crate::{
    contender::{Conditions, Contender, FarEnd, Trouble},
    far_end::LineFarEnd,
    floor::{Threads, hot_core, open_claimed_pty, start_thread},
    limits::READ_BYTES,
    lines::{Cutter, LineSorter},
};

/// Longest line that crosses a ring.
const LINE_BYTES: usize = 63;
/// Lines that a ring holds: more than all that can be outstanding.
const RING_LINES: usize = 1024;

const _: () = assert!(RING_LINES > 2 * crate::limits::OUTSTANDING as usize);

/// Waits, reads, sorts and writes in one thread.
pub struct OneThread;

/// Reads, sorts and writes in three threads.
pub struct ThreeThreads;

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Trouble {
    move |source| Trouble::Failed { what, source }
}

/// Writes all of `bytes`, waiting for room. False when the far end is gone.
fn write_all(port: &OwnedFd, poller: &mut Poller, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match write(port, bytes) {
            Transfer::Done(count) => bytes = &bytes[count..],
            Transfer::WouldBlock => {
                if poller.wait(Some(1000)).is_err() {
                    return false;
                }
            }
            Transfer::Closed | Transfer::Failed(_) => return false,
        }
    }
    true
}

impl Contender for OneThread {
    fn name(&self) -> &str {
        "one hot thread"
    }

    fn what(&self) -> &str {
        "SCHED_FIFO thread that waits, reads, sorts and writes; lines, no tracking"
    }

    fn start(&self, _: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        let (pty, host) = open_claimed_pty()?;
        set_nonblocking(&host).map_err(failed("port"))?;
        let thread = start_thread("one-hot", hot_core(), move || run_one(&host))?;
        Ok(Box::new(LineFarEnd::new(pty, Box::new(Threads(vec![thread])))?))
    }
}

fn run_one(host: &OwnedFd) {
    let mut poller = Poller::new();
    let mut writable = Poller::new();
    if poller.add(host.as_fd(), Interest::Read).is_err() || writable.add(host.as_fd(), Interest::ReadWrite).is_err() {
        return;
    }
    let (mut buffer, mut cutter, mut sorter) = (vec![0; READ_BYTES], Cutter::new(), LineSorter::default());
    let mut orders = Vec::with_capacity(READ_BYTES);
    while poller.wait(None).is_ok() {
        orders.clear();
        match read(host, &mut buffer) {
            Transfer::Done(count) => cutter.cut(&buffer[..count], |line| sorter.take(line, &mut orders)),
            Transfer::WouldBlock => {}
            Transfer::Closed | Transfer::Failed(_) => return,
        }
        if !write_all(host, &mut writable, &orders) {
            return;
        }
    }
}

/// A line on its way through a ring.
#[derive(Clone, Copy)]
struct Line {
    length: u8,
    bytes: [u8; LINE_BYTES],
}

impl Line {
    const EMPTY: Self = Self {
        length: 0,
        bytes: [0; LINE_BYTES],
    };

    fn new(line: &[u8]) -> Self {
        let length = line.len().min(LINE_BYTES);
        let mut bytes = [0; LINE_BYTES];
        bytes[..length].copy_from_slice(&line[..length]);
        #[expect(clippy::cast_possible_truncation, reason = "at most LINE_BYTES")]
        Self {
            length: length as u8,
            bytes,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Contender for ThreeThreads {
    fn name(&self) -> &str {
        "three hot threads"
    }

    fn what(&self) -> &str {
        "the same sorter; reader, sorter and writer threads with a ring and an eventfd between them"
    }

    fn start(&self, _: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        let (pty, host) = open_claimed_pty()?;
        set_nonblocking(&host).map_err(failed("port"))?;
        let to_write = duplicate(&host)?;
        let waker = || Waker::new().map_err(failed("waker"));
        let twin = |waker: &Waker| waker.duplicate().map_err(failed("waker"));
        let (wake_sorter, wake_writer) = (waker()?, waker()?);
        let (sorter_wakes, writer_wakes) = (twin(&wake_sorter)?, twin(&wake_writer)?);
        let (to_sorter, lines) = ring(RING_LINES);
        let (to_writer, orders) = ring(RING_LINES);
        let threads = vec![
            start_thread("hot-read", None, move || read_lines(&host, to_sorter, &wake_sorter))?,
            start_thread("hot-sort", None, move || {
                sort_lines(lines, &sorter_wakes, to_writer, &wake_writer)
            })?,
            start_thread("hot-write", None, move || {
                write_orders(orders, &writer_wakes, &to_write)
            })?,
        ];
        Ok(Box::new(LineFarEnd::new(pty, Box::new(Threads(threads)))?))
    }
}

fn read_lines(host: &OwnedFd, mut to_sorter: Producer<Line>, wake_sorter: &Waker) {
    let mut poller = Poller::new();
    if poller.add(host.as_fd(), Interest::Read).is_ok() {
        let (mut buffer, mut cutter) = (vec![0; READ_BYTES], Cutter::new());
        while poller.wait(None).is_ok() {
            match read(host, &mut buffer) {
                Transfer::Done(count) => cutter.cut(&buffer[..count], |line| {
                    // The ring holds more than can be outstanding; a drop would show as a silent contender.
                    let _ = to_sorter.push(Line::new(line));
                }),
                Transfer::WouldBlock => {}
                Transfer::Closed | Transfer::Failed(_) => break,
            }
            wake_sorter.wake();
        }
    }
    drop(to_sorter);
    wake_sorter.wake();
}

fn sort_lines(mut lines: Consumer<Line>, wakes: &Waker, mut to_writer: Producer<Line>, wake_writer: &Waker) {
    let (mut sorter, mut orders) = (LineSorter::default(), Vec::with_capacity(READ_BYTES));
    each_wake(wakes, |abandoned: bool| {
        let mut batch = [Line::EMPTY; 64];
        let mut sorted = false;
        loop {
            let taken = lines.pop_batch(&mut batch);
            if taken.is_empty() {
                break;
            }
            for line in taken {
                orders.clear();
                sorter.take(line.as_bytes(), &mut orders);
                if !orders.is_empty() {
                    let _ = to_writer.push(Line::new(&orders));
                    sorted = true;
                }
            }
        }
        if sorted {
            wake_writer.wake();
        }
        abandoned || lines.is_abandoned()
    });
    drop(to_writer);
    wake_writer.wake();
}

fn write_orders(mut orders: Consumer<Line>, wakes: &Waker, host: &OwnedFd) {
    let mut writable = Poller::new();
    if writable.add(host.as_fd(), Interest::ReadWrite).is_err() {
        return;
    }
    let mut bytes = Vec::with_capacity(READ_BYTES);
    each_wake(wakes, |abandoned: bool| {
        bytes.clear();
        for order in orders.drain(RING_LINES) {
            bytes.extend_from_slice(order.as_bytes());
        }
        abandoned || !write_all(host, &mut writable, &bytes) || orders.is_abandoned()
    });
}

/// Calls `work` after each wake until it says that it is over.
fn each_wake(wakes: &Waker, mut work: impl FnMut(bool) -> bool) {
    let mut poller = Poller::new();
    if poller.add(wakes.as_fd(), Interest::Read).is_err() {
        return;
    }
    loop {
        let failed = poller.wait(None).is_err();
        wakes.take();
        if work(failed) {
            return;
        }
    }
}
