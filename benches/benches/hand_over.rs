//! What a hand-over between threads costs against the same work on one thread: there and back through two rings, the
//! sleeper woken by an eventfd, by the standard channel, or not needed at all.

use std::{hint::black_box, os::fd::AsFd as _, sync::mpsc, thread::JoinHandle};

use criterion::{Criterion, criterion_group, criterion_main};
use rt::{
    poll::{Interest, Poller, Waker},
    ring::{Consumer, Producer, ring},
    thread::{HotThread, spawn},
};

type Record = [u64; 8];
const PRIORITY: u8 = 80;

/// One end of a pair of rings with its sleep and its wake.
struct End {
    to_other: Producer<Record>,
    from_other: Consumer<Record>,
    wake_other: Waker,
    wakes: Waker,
    poller: Poller,
}

impl End {
    fn new(to_other: Producer<Record>, from_other: Consumer<Record>, wake_other: Waker, wakes: Waker) -> Self {
        let mut poller = Poller::new();
        poller
            .add(wakes.as_fd(), Interest::Read)
            .expect("an empty poller has room");
        Self {
            to_other,
            from_other,
            wake_other,
            wakes,
            poller,
        }
    }

    fn send(&mut self, record: Record) {
        let _ = self.to_other.push(record);
        self.wake_other.wake();
    }

    /// The next record; `None` when the other end is gone.
    fn receive(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.from_other.pop() {
                return Some(record);
            }
            if self.from_other.is_abandoned() {
                return None;
            }
            self.poller.wait(Some(100_000)).expect("poll works");
            self.wakes.take();
        }
    }
}

fn on_hot_thread(body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let hot = HotThread {
        name: "partner".to_owned(),
        priority: Some(PRIORITY),
        core: None,
    };
    spawn(hot, body).expect("a thread starts").handle
}

fn hand_over(bench: &mut Criterion) {
    // The measuring thread at the partner's priority, so that neither waits for other programs.
    let granted = rt::thread::set_fifo(PRIORITY);
    if let Err(refused) = granted {
        eprintln!("{refused}");
    }
    let mut group = bench.benchmark_group("there and back");
    let (mut producer, mut consumer) = ring::<Record>(16);
    group.bench_function("same thread", |bencher| {
        bencher.iter(|| {
            let _ = producer.push(black_box([1; 8]));
            black_box(consumer.pop())
        });
    });

    let (to_partner, from_here) = ring(16);
    let (to_here, from_partner) = ring(16);
    let (wake_partner, wake_here) = (Waker::new().expect("a waker"), Waker::new().expect("a waker"));
    let twins = (
        wake_partner.duplicate().expect("a waker"),
        wake_here.duplicate().expect("a waker"),
    );
    let mut here = End::new(to_partner, from_partner, wake_partner, wake_here);
    let mut there = End::new(to_here, from_here, twins.1, twins.0);
    let partner = on_hot_thread(move || {
        while let Some(record) = there.receive() {
            there.send(record);
        }
    });
    group.bench_function("ring and eventfd", |bencher| {
        bencher.iter(|| {
            here.send(black_box([1; 8]));
            here.receive()
        });
    });
    drop(here);
    partner.join().expect("the partner ends");

    let (to_partner, from_here) = mpsc::channel::<Record>();
    let (to_here, from_partner) = mpsc::channel::<Record>();
    let partner = on_hot_thread(move || {
        while let Ok(record) = from_here.recv() {
            if to_here.send(record).is_err() {
                return;
            }
        }
    });
    group.bench_function("standard channel", |bencher| {
        bencher.iter(|| {
            to_partner.send(black_box([1; 8])).expect("the partner lives");
            from_partner.recv()
        });
    });
    drop(to_partner);
    partner.join().expect("the partner ends");
    group.finish();
}

criterion_group!(hand_overs, hand_over);
criterion_main!(hand_overs);
