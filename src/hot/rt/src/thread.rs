//! The hot thread and the rights it asks of Linux: priority, core, locked memory, no deep sleep of the processor.
//!
//! [`spawn`] starts the thread; [`lock_memory`] and [`hold_cpu_latency`] serve the whole process and are called once, cold.
//! Every right is either [`Granted`] or [`Refused`] with what to do about it, and the thread runs either way: a line on a
//! computer without rights works, later and less evenly, and says so.

use core::fmt;
use std::{
    fs,
    io::Write as _,
    sync::mpsc,
    thread::{Builder, JoinHandle},
};

use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{Resource, getrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use crate::limits::{HOT_STACK_BYTES, MAX_PRIORITY, PREFAULTED_STACK_BYTES};

/// The device that bounds how long a processor may take to wake.
const CPU_LATENCY_DEVICE: &str = "/dev/cpu_dma_latency";
/// Bit of `CapEff` that lifts RLIMIT_MEMLOCK.
pub(crate) const CAP_IPC_LOCK: u32 = 14;
/// Bit of `CapEff` that lifts RLIMIT_RTPRIO.
pub(crate) const CAP_SYS_NICE: u32 = 23;

/// A right that a real-time program asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// SCHED_FIFO for a thread.
    Priority,
    /// A thread bound to one core.
    Core,
    /// All memory of the process resident.
    LockedMemory,
    /// Processors kept from deep idle states.
    CpuLatency,
}

impl fmt::Display for Right {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Priority => "real-time priority (SCHED_FIFO)",
            Self::Core => "binding to a core",
            Self::LockedMemory => "locked memory (mlockall)",
            Self::CpuLatency => "processor wake-up latency of 0 (/dev/cpu_dma_latency)",
        })
    }
}

/// A right that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Which.
    pub what: Right,
    /// In which measure: "priority 80", "core 1".
    pub detail: String,
}

/// A right that was not given. The program runs on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what}: {why}; {what_to_do}")]
pub struct Refused {
    /// Which.
    pub what: Right,
    /// The system's reason.
    pub why: String,
    /// What to change.
    pub what_to_do: String,
}

/// The answer to one request.
pub type Grant = Result<Granted, Refused>;

fn refused(what: Right, why: impl ToString, what_to_do: &str) -> Refused {
    Refused {
        what,
        why: why.to_string(),
        what_to_do: what_to_do.to_owned(),
    }
}

/// What a thread of the hot side is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotThread {
    /// Name as `ps -L` shows it; Linux keeps 15 bytes.
    pub name: String,
    /// SCHED_FIFO priority, 1 to 99; `None` leaves the thread to the ordinary scheduler.
    pub priority: Option<u8>,
    /// Core to run on, counted from 0; `None` leaves it free.
    pub core: Option<usize>,
}

/// A running hot thread and what the system gave it.
#[derive(Debug)]
pub struct Spawned<T> {
    /// To join it.
    pub handle: JoinHandle<T>,
    /// One answer to each right the [`HotThread`] asked for.
    pub grants: Vec<Grant>,
}

/// Starts `body` on a thread of its own: its rights asked for, its stack touched. Returns once that is done.
///
/// # Errors
/// When the system starts no thread, or the name holds a zero byte.
pub fn spawn<T: Send + 'static>(
    hot: HotThread,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<Spawned<T>> {
    let (answer, answers) = mpsc::sync_channel(1);
    let handle = Builder::new()
        .name(hot.name)
        .stack_size(HOT_STACK_BYTES)
        .spawn(move || {
            let grants = hot
                .core
                .map(bind_to_core)
                .into_iter()
                .chain(hot.priority.map(set_fifo))
                .collect::<Vec<_>>();
            prefault_stack();
            // The spawner waits for it, so the only failure is a spawner that died: the body runs all the same.
            let _ = answer.send(grants);
            drop(answer);
            body()
        })?;
    let grants = answers.recv().unwrap_or_default();
    Ok(Spawned { handle, grants })
}

/// Gives the calling thread SCHED_FIFO at `priority` (1 to 99). Threads it starts do not inherit it.
///
/// # Errors
/// [`Refused`] without CAP_SYS_NICE or a sufficient RLIMIT_RTPRIO, or with a priority out of range.
pub fn set_fifo(priority: u8) -> Grant {
    if !(1..=MAX_PRIORITY).contains(&priority) {
        let why = format!("{priority} is no priority");
        return Err(refused(Right::Priority, why, "choose a priority from 1 to 99"));
    }
    let parameters = libc::sched_param {
        sched_priority: i32::from(priority),
    };
    // SAFETY: `parameters` is a valid sched_param for the time of the call; 0 means the calling thread.
    let failed =
        unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const parameters) }
            != 0;
    if failed {
        let advice = "set RLIMIT_RTPRIO for the user (a line '@pearlsort - rtprio 90' in /etc/security/limits.d, \
                      or LimitRTPRIO=90 in the systemd unit)";
        return Err(refused(Right::Priority, std::io::Error::last_os_error(), advice));
    }
    Ok(Granted {
        what: Right::Priority,
        detail: format!("priority {priority}"),
    })
}

/// Binds the calling thread to `core`, counted from 0.
///
/// # Errors
/// [`Refused`] when there is no such core or the process may not use it.
pub fn bind_to_core(core: usize) -> Grant {
    let advice = "choose a core of this computer (nproc) that the process may use (taskset -p)";
    if core >= CpuSet::MAX_CPU {
        return Err(refused(Right::Core, format!("there is no core {core}"), advice));
    }
    let mut cores = CpuSet::new();
    cores.set(core);
    match sched_setaffinity(None, &cores) {
        Ok(()) => Ok(Granted {
            what: Right::Core,
            detail: format!("core {core}"),
        }),
        Err(error) => Err(refused(Right::Core, format!("core {core}: {error}"), advice)),
    }
}

/// Keeps all memory of the process resident, that of now and that to come, and tells the allocator to keep what it has.
/// Call it cold, once, before the hot threads start: what is reserved later is faulted in when it is reserved, so a table
/// made of zeroes is there before the hot thread touches it.
///
/// Under a finite RLIMIT_MEMLOCK a later allocation would fail in the middle of the run, so it is refused beforehand.
///
/// # Errors
/// [`Refused`] without CAP_IPC_LOCK or an unlimited RLIMIT_MEMLOCK.
pub fn lock_memory() -> Grant {
    let advice = "set RLIMIT_MEMLOCK to unlimited for the user ('@pearlsort - memlock unlimited' in \
                  /etc/security/limits.d, or LimitMEMLOCK=infinity in the systemd unit)";
    let limit = getrlimit(Resource::Memlock).current;
    if let Some(bytes) = limit
        && !has_capability(CAP_IPC_LOCK)
    {
        let why = format!(
            "only {} KiB may be locked, and memory asked for later would fail",
            bytes / 1024
        );
        return Err(refused(Right::LockedMemory, why, advice));
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)
        .map_err(|error| refused(Right::LockedMemory, error, advice))?;
    keep_heap();
    Ok(Granted {
        what: Right::LockedMemory,
        detail: "all, present and future".to_owned(),
    })
}

/// Whether the process has capability number `bit` in effect.
pub(crate) fn has_capability(bit: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    set.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|set| set >> bit & 1 == 1)
}

/// Tells the C library not to give freed heap back to the kernel: it would come back by a page fault.
fn keep_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes plain numbers and touches only the allocator's own settings, under its own lock.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
        libc::mallopt(libc::M_TOP_PAD, 1 << 20);
    }
}

/// Touches [`PREFAULTED_STACK_BYTES`] of the calling thread's stack. Called by [`spawn`].
#[inline(never)]
pub fn prefault_stack() {
    let stack = [1_u8; PREFAULTED_STACK_BYTES];
    core::hint::black_box(&stack);
}

/// Holds the processors' wake-up latency at 0 while it lives.
#[derive(Debug)]
pub struct CpuLatencyGuard {
    _held: fs::File,
}

/// Asks the kernel to keep processors out of idle states, as long as the guard lives: it cuts a wake-up to about a third.
///
/// # Errors
/// [`Refused`] when `/dev/cpu_dma_latency` is missing or may not be written.
pub fn hold_cpu_latency() -> Result<CpuLatencyGuard, Refused> {
    let advice = "let the user write the device (a udev rule 'KERNEL==\"cpu_dma_latency\", GROUP=\"pearlsort\", \
                  MODE=\"0660\"')";
    let open = fs::OpenOptions::new().write(true).open(CPU_LATENCY_DEVICE);
    let held = open.and_then(|mut device| device.write_all(&0_i32.to_ne_bytes()).map(|()| device));
    match held {
        Ok(device) => Ok(CpuLatencyGuard { _held: device }),
        Err(error) => Err(refused(Right::CpuLatency, error, advice)),
    }
}

#[cfg(test)]
mod tests {
    use rustix::thread::{sched_getaffinity, sched_getcpu};

    use super::*;

    #[test]
    fn a_hot_thread_answers_for_each_right_and_has_what_was_granted() {
        let core = (0..CpuSet::MAX_CPU).find(|core| sched_getaffinity(None).expect("readable").is_set(*core));
        let hot = HotThread {
            name: "rt-test".to_owned(),
            priority: Some(5),
            core,
        };
        let spawned = spawn(hot, || {
            // SAFETY: takes no pointer; 0 means the calling thread.
            let policy = unsafe { libc::sched_getscheduler(0) };
            (
                policy & !libc::SCHED_RESET_ON_FORK,
                sched_getcpu(),
                std::thread::current().name().map(str::to_owned),
            )
        });
        let spawned = spawned.expect("a thread starts");
        let (policy, on_core, name) = spawned.handle.join().expect("it ends");
        assert_eq!(name.as_deref(), Some("rt-test"));
        assert_eq!(spawned.grants.len(), 2);
        assert!(
            spawned.grants[0]
                .as_ref()
                .is_ok_and(|granted| granted.what == Right::Core)
        );
        assert_eq!(Some(on_core), core);
        match &spawned.grants[1] {
            Ok(granted) => assert_eq!((granted.detail.as_str(), policy), ("priority 5", libc::SCHED_FIFO)),
            Err(refused) => assert!(refused.to_string().contains("RLIMIT_RTPRIO")),
        }
    }

    #[test]
    fn impossible_requests_are_refused_with_advice() {
        for grant in [set_fifo(0), set_fifo(100), bind_to_core(1023), bind_to_core(usize::MAX)] {
            let refused = grant.expect_err("impossible");
            assert!(!refused.why.is_empty() && !refused.what_to_do.is_empty());
        }
    }
}
