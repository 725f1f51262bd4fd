//! The eye takes no memory after it is made, whatever it sees.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use vision::{Calibration, Eye, Limits, View};

/// The system's allocator, counting.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator unchanged; counting touches no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn measuring_takes_no_memory() {
    const SIDE: usize = 288;
    let disc = |radius: usize| -> Vec<u8> {
        let inside = |x: usize, y: usize| x.abs_diff(144).pow(2) + y.abs_diff(144).pow(2) < radius * radius;
        (0..SIDE * SIDE * 3)
            .map(|k| if inside(k / 3 % SIDE, k / 3 / SIDE) { 150 } else { 5 })
            .collect()
    };
    let (pearl, nothing) = (disc(70), disc(0));
    let mut eye = Eye::new(&Calibration::nominal(), Limits::default());
    let before = TAKEN.load(Ordering::Relaxed);
    let measured = eye.measure(&[View::rgb8(&pearl, SIDE, SIDE); 3]).is_ok();
    let refused = eye.measure(&[View::rgb8(&nothing, SIDE, SIDE); 3]).is_err();
    let taken = TAKEN.load(Ordering::Relaxed) - before;
    assert!(measured && refused);
    assert_eq!(taken, 0, "allocations while measuring");
}
