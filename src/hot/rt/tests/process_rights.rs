//! The rights that hold for the whole process, in a program of their own: locked memory and processors kept awake.

use std::{fs, io::Read as _};

use rt::thread::{Right, hold_cpu_latency, lock_memory};

/// A line of /proc/self/status in KiB.
fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find(|line| line.starts_with(name)).expect("present");
    line.split_whitespace()
        .nth(1)
        .expect("a figure")
        .parse()
        .expect("a number")
}

#[test]
fn locked_memory_is_resident_before_it_is_touched_or_refused_with_advice() {
    const TABLE_KIB: u64 = 32 * 1024;
    match lock_memory() {
        Ok(granted) => {
            assert_eq!(granted.what, Right::LockedMemory);
            let (locked, resident) = (status_kib("VmLck:"), status_kib("VmRSS:"));
            let table = vec![0_u8; TABLE_KIB as usize * 1024];
            assert!(status_kib("VmLck:") >= locked + TABLE_KIB);
            // A test thread that ends meanwhile gives back its stack: half of the table is proof enough.
            assert!(status_kib("VmRSS:") >= resident + TABLE_KIB / 2);
            drop(table);
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
