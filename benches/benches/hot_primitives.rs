//! What the hot side's tools cost, each alone on one thread: ring, published value, counters, histogram, clock.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rt::{
    clock,
    counter::{Counter, snapshot},
    histogram::Recorder,
    published,
    ring::ring,
};

/// A record of the size that leaves the core for the cold side.
type Record = [u64; 8];
const BATCH: usize = 32;

fn rings(bench: &mut Criterion) {
    let (mut producer, mut consumer) = ring::<Record>(1024);
    let mut group = bench.benchmark_group("ring, 64-byte records");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one by one", |bencher| {
        bencher.iter(|| {
            let _ = producer.push(black_box([7; 8]));
            black_box(consumer.pop())
        });
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("batches of 32", |bencher| {
        let (records, mut popped) = ([[7; 8]; BATCH], [[0; 8]; BATCH]);
        bencher.iter(|| {
            producer.push_batch(black_box(&records));
            black_box(consumer.pop_batch(&mut popped).len())
        });
    });
    group.finish();
}

fn values(bench: &mut Criterion) {
    let mut recorder = Recorder::new();
    let mut value = 1_u64;
    bench.bench_function("histogram record", |bencher| {
        bencher.iter(|| {
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            recorder.record(black_box(value >> 40));
        });
    });
    let counter = Counter::new();
    bench.bench_function("counter add", |bencher| bencher.iter(|| counter.add(black_box(1))));
    let (mut writer, _reader) = snapshot::<8>();
    bench.bench_function("snapshot of 8 figures, write", |bencher| {
        bencher.iter(|| writer.write(black_box(&[1; 8])))
    });
    let (mut publisher, mut reader) = published::pair();
    publisher.publish(Arc::new(1_u64));
    bench.bench_function("published value, unchanged", |bencher| {
        bencher.iter(|| black_box(reader.latest().is_some()));
    });
    bench.bench_function("clock reading", |bencher| bencher.iter(clock::now_ns));
}

criterion_group!(primitives, rings, values);
criterion_main!(primitives);
