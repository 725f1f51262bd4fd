//! The allocation guard against real allocations. One test in its own program: the counts are the whole program's.

use core::hint::black_box;

use rt::alloc::{CountingAllocator, HotAllocations, HotSection, hot_allocations, is_counting};
use rt::{histogram::Recorder, published, ring};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Runs `work` hot and returns what it did.
fn hot(work: impl FnOnce()) -> HotAllocations {
    let before = hot_allocations();
    let section = HotSection::enter();
    work();
    drop(section);
    let after = hot_allocations();
    HotAllocations {
        allocations: after.allocations - before.allocations,
        frees: after.frees - before.frees,
        largest_bytes: after.largest_bytes,
    }
}

#[test]
fn hot_allocations_and_frees_are_counted_and_cold_ones_are_not() {
    assert!(is_counting());
    assert_eq!(hot_allocations(), HotAllocations::default(), "nothing was hot so far");

    let seen = hot(|| drop(black_box(vec![1_u8; 4321])));
    assert_eq!((seen.allocations, seen.frees, seen.largest_bytes), (1, 1, 4321));

    let mut grown: Vec<u8> = Vec::with_capacity(1);
    let seen = hot(|| grown.extend_from_slice(black_box(&[0; 64])));
    assert_eq!(seen.allocations, 1, "a realloc is an allocation");

    let _ = hot(|| {
        let inner = HotSection::enter();
        drop(inner);
        drop(black_box(Box::new(1_u8)));
    });
    assert_eq!(
        hot_allocations().allocations,
        3,
        "leaving an inner section leaves the outer one hot"
    );

    let before = hot_allocations();
    drop(black_box(vec![0_u8; 9999]));
    let cold = std::thread::spawn(|| {
        drop(black_box(vec![0_u8; 9999]));
        is_counting()
    });
    assert!(cold.join().expect("it ends"));
    assert_eq!(hot_allocations(), before, "cold threads are not counted");
    hot_side_of_every_hand_over_allocates_nothing();
}

fn hot_side_of_every_hand_over_allocates_nothing() {
    let (mut producer, mut consumer) = ring::ring::<[u64; 8]>(16);
    let (mut publisher, mut reader) = published::pair::<String>();
    let mut recorder = Recorder::new();
    let mut batch = [[0; 8]; 4];
    publisher.publish(String::from("first").into());
    let first = hot(|| {
        for round in 0..100 {
            let _ = producer.push([round; 8]);
            consumer.pop_batch(&mut batch);
            recorder.record(round);
        }
        assert!(reader.latest().is_some());
    });
    publisher.publish(String::from("second").into());
    publisher.publish(String::from("third").into());
    let second = hot(|| assert_eq!(reader.latest().map(|value| value.as_str()), Some("third")));
    assert_eq!(
        (first.allocations + second.allocations, first.frees + second.frees),
        (0, 0)
    );
}
