//! Our own atomics under the model checker: every interleaving and every value that weak memory allows.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p rt --test loom --release`.
//!
//! The reading side runs on the spawned thread: loom remembers one last access of each atomic, so a writer that loads
//! before it stores (as a single writer does) would hide an earlier load of the reader from it.

#![cfg(loom)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use loom::thread;
use rt::{counter, histogram::Recorder, published};

/// Counts its drops, by the thread they happen on.
struct Value {
    number: u64,
    freed: Arc<AtomicUsize>,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.freed.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn published_values_come_whole_in_order_and_are_never_freed_by_the_reader() {
    loom::model(|| {
        let (mut publisher, mut reader) = published::pair();
        let freed = Arc::new(AtomicUsize::new(0));
        let value = |number| {
            Arc::new(Value {
                number,
                freed: Arc::clone(&freed),
            })
        };
        publisher.publish(value(1));
        let hot = thread::spawn(move || {
            let mut last = 0;
            assert!(
                reader.current().is_none(),
                "the slot that the first `latest` gives away is in use until then"
            );
            for _ in 0..2 {
                if let Some(value) = reader.latest() {
                    assert!(value.number > last);
                    last = value.number;
                }
                assert_eq!(reader.current().map(|value| value.number), (last > 0).then_some(last));
            }
            assert!(last >= 1, "the value published before the start is seen");
            (reader, last)
        });
        publisher.publish(value(2));
        publisher.publish(value(3));
        let (mut reader, last) = hot.join().unwrap();
        let newest = reader.latest().map(|value| value.number);
        assert_eq!(newest, (last < 3).then_some(3), "the newest is read exactly once");
        drop(reader);
        drop(publisher);
        assert_eq!(freed.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn figures_of_a_snapshot_belong_to_one_write() {
    loom::model(|| {
        let (mut writer, reader) = counter::snapshot::<2>();
        let cold = thread::spawn(move || {
            if let Some([one, ten]) = reader.try_read() {
                assert_eq!(ten, one * 10);
            }
            reader
        });
        writer.write(&[1, 10]);
        writer.write(&[2, 20]);
        assert_eq!(cold.join().unwrap().try_read(), Some([2, 20]));
    });
}

#[test]
fn a_histogram_read_meanwhile_has_a_maximum_that_covers_its_counts() {
    loom::model(|| {
        let mut recorder = Recorder::new();
        let view = recorder.view();
        recorder.record(1);
        let cold = thread::spawn(move || {
            let copy = view.read();
            let top = copy.occupied().last().map(|(top, _)| top);
            // 5 lies in the bucket of 4 to 5, whose top is 5; 1 has a bucket of its own.
            assert!(top <= copy.max(), "{top:?} counted, maximum {:?}", copy.max());
            assert_eq!(copy.count(), 1 + u64::from(top == Some(5)));
            view
        });
        recorder.record(5);
        let view = cold.join().unwrap();
        let copy = view.read();
        assert_eq!((copy.count(), copy.max(), copy.quantile(0.5)), (2, Some(5), Some(1)));
    });
}
