//! The weigh stage allocates nothing after construction: good pearls, doubles, lost, stuck and saturated samples, gates
//! that make no sense, and streams whose clock jumps.

use benches::weighing::model;
use line::weigh::{CellStream, Checks, Estimator, Gate, Gates};
use rt::alloc::{CountingAllocator, HotSection, hot_allocations, is_counting};
use setup::weigh::synthetic::Plan;
use units::{BoardUs, BoardUs32, Tick, Tick32};
use wire::Samples;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Belt lines that the model knows, Hz.
const LINES_HZ: [f64; 2] = [26.0, 50.5];

#[test]
fn weighing_allocates_nothing_whatever_comes() {
    assert!(is_counting(), "the counting allocator is not installed");
    let plan = Plan {
        seconds: 12.0,
        doubles: 0.1,
        ..Plan::default()
    };
    let recording = plan.record();
    let mut codes = recording.samples.clone();
    codes[14_400..14_500].fill((1 << 23) - 1);
    codes[19_200..19_400].fill(7);
    let mut gates: Vec<(i64, bool)> = Vec::new();
    for (i, gate) in recording.gates.iter().enumerate() {
        let us = |seconds: Option<f64>| (seconds.expect("the recording has all gates") * 1e6) as i64;
        gates.push((us(gate.enter_s), false));
        // now and then a leaving gate is missing, or comes before its time
        if i % 17 != 0 {
            gates.push((us(gate.leave_s) - if i % 23 == 0 { 60_000 } else { 0 }, true));
        }
    }
    gates.sort_unstable();
    let messages: Vec<Vec<u8>> = codes
        .chunks(48)
        .map(|chunk| chunk.iter().flat_map(|code| code.to_le_bytes()[..3].to_vec()).collect())
        .collect();
    // as a line sets it: a leaving gate that is later belongs to the next pearl
    let checks = Checks {
        dwell_us: (25_000, 75_000),
        ..Checks::default()
    };
    let mut estimator = Estimator::new(&model(&plan, &LINES_HZ), &checks, BoardUs(0)).expect("the model can be used");
    let mut stream = Box::new(CellStream::new(0));
    let before = hot_allocations();
    let (mut weighed, mut refused, mut streamed) = (0, 0, 0);
    {
        let _hot = HotSection::enter();
        feed(&mut estimator, &codes, &gates, &mut |good| {
            *if good { &mut weighed } else { &mut refused } += 1
        });
        let taken = stream.set_model(&model(&plan, &LINES_HZ), &checks, &mut |_, _| ());
        assert_eq!(taken, Ok(()));
        feed_stream(&mut stream, &messages, &gates, &mut streamed);
    }
    let after = hot_allocations();
    assert_eq!(
        (after.allocations, after.frees),
        (before.allocations, before.frees),
        "{after:?}"
    );
    assert!(
        weighed > 40 && refused > 5 && streamed > 60,
        "{weighed} weighed, {refused} refused, {streamed} streamed"
    );
    let counters = estimator.counters();
    assert!(
        counters.lost > 0 && counters.restarts > 0 && counters.bad > 200,
        "{counters:?}"
    );
    assert_eq!(stream.counters().jumps, 1);
}

fn feed(estimator: &mut Estimator, codes: &[i32], gates: &[(i64, bool)], weighed: &mut impl FnMut(bool)) {
    let mut gate = 0;
    for (k, &code) in codes.iter().enumerate() {
        // ten samples are lost, later a hundred
        if (24_000..24_010).contains(&k) || (28_800..28_900).contains(&k) {
            continue;
        }
        while let Some(&(at, leaves)) = gates.get(gate).filter(|gate| gate.0 as f64 <= k as f64 * 1e6 / 4_800.0) {
            gate += 1;
            if leaves {
                estimator.left(BoardUs(at));
            } else {
                estimator.entered(BoardUs(at));
            }
        }
        if let Some(weighing) = estimator.sample(k as u32, code) {
            weighed(weighing.mass.is_ok());
        }
    }
    while let Some(weighing) = estimator.drain() {
        weighed(weighing.mass.is_ok());
    }
}

fn feed_stream(stream: &mut CellStream, messages: &[Vec<u8>], gates: &[(i64, bool)], streamed: &mut u32) {
    let mut give = |_, _: Gates| *streamed += 1;
    let mut next = gates.iter().filter(|gate| !gate.1).peekable();
    for (m, data) in messages.iter().enumerate() {
        let jump = if m < messages.len() / 2 { 0 } else { 3_000_000 };
        let at = |us: i64| BoardUs32((us + jump) as u32);
        while let Some((us, _)) = next.next_if(|gate| gate.0 <= m as i64 * 10_000 + 15_000) {
            stream.expect(Tick(*us), Tick(us + 51_000), true);
        }
        let message = Samples {
            cell: 0,
            first: 48 * m as u32,
            at: at(m as i64 * 10_000),
            data,
        };
        // a tick is a microsecond
        let gate = |tick: Tick| {
            Some(Gate {
                tick: Tick32(tick.0 as u32),
                at: at(tick.0),
            })
        };
        stream.samples(&message, gate, &mut give);
    }
    stream.end(&mut give);
}
