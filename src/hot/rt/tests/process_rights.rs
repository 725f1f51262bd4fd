//! The rights that hold for the whole process, in a program of their own: locked memory and processors kept awake.

use std::{fs, io::Read as _};

use rt::thread::{Right, hold_cpu_latency, lock_memory};

/// Page faults of this thread so far that needed no disk.
fn faults_of_this_thread() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/stat").expect("readable");
    // The name may hold anything but ends with the last bracket; the faults are the eighth figure behind it.
    let (_, figures) = stat.rsplit_once(')').expect("a name in brackets");
    let faults = figures.split_whitespace().nth(7).expect("a figure");
    faults.parse().expect("a number")
}

#[test]
fn locked_memory_is_there_before_it_is_touched_or_refused_with_advice() {
    const TABLE_BYTES: usize = 32 << 20;
    const PAGE_BYTES: usize = 4096;
    match lock_memory() {
        Ok(granted) => {
            assert_eq!(granted.what, Right::LockedMemory);
            let mut table = vec![0_u8; TABLE_BYTES];
            let before = faults_of_this_thread();
            table.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 1);
            let faults = faults_of_this_thread() - before;
            assert!(faults < 16, "{faults} page faults in a table of zeroes");
            drop(core::hint::black_box(table));
        }
        Err(refused) => assert!(refused.to_string().contains("RLIMIT_MEMLOCK"), "{refused}"),
    }
}

#[test]
fn processors_are_kept_awake_while_the_guard_lives_or_it_is_refused_with_advice() {
    let limit_us = || {
        let mut bytes = [0; 4];
        let mut device = fs::File::open("/dev/cpu_dma_latency").expect("readable as it was writable");
        device.read_exact(&mut bytes).expect("four bytes");
        i32::from_ne_bytes(bytes)
    };
    match hold_cpu_latency() {
        Ok(_guard) => assert_eq!(limit_us(), 0),
        Err(refused) => assert!(refused.to_string().contains("udev"), "{refused}"),
    }
}
