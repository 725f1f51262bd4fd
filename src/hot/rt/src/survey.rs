//! What this computer gives a real-time program, and what to change: the findings behind `pearlsort doctor`.
//!
//! Cold. Reads /proc and /sys and asks ports; changes nothing. Printing is the program's job. The latency run stands in
//! [`latency`](crate::latency).

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::{Resource, Rlimit, getrlimit};

use crate::{
    port::{self, BEST_FTDI_LATENCY_MS, PortError},
    thread::{CAP_IPC_LOCK, CAP_SYS_NICE, has_capability},
};

/// Idle states that take longer to leave than this, in microseconds, show in a wake-up.
const SHALLOW_IDLE_US: u64 = 10;
/// The least priority limit that lets the hot thread and the watcher above it run.
const WANTED_PRIORITY: u64 = 90;

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The kernel's release.
    Kernel,
    /// How soon the kernel gives way to a real-time thread.
    Preemption,
    /// Processors to run on.
    Cores,
    /// Processors kept free of other work.
    Isolation,
    /// How the processors' clock is governed.
    Governor,
    /// How deep idle processors sleep.
    IdleStates,
    /// What the kernel takes the time from.
    ClockSource,
    /// Whether a thread may have real-time priority.
    PriorityLimit,
    /// Whether memory may be locked.
    MemoryLimit,
    /// How much of a second real-time threads may take.
    Throttling,
    /// A serial port.
    Port(PathBuf),
}

/// How well it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Serves, and could be better.
    Fair,
    /// Costs latency or stalls.
    Poor,
    /// This computer does not say.
    Unknown,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// What was found.
    pub found: String,
    /// How well it serves.
    pub grade: Grade,
    /// What to change; `None` where nothing needs to.
    pub change: Option<&'static str>,
}

impl Finding {
    fn good(topic: Topic, found: impl Into<String>) -> Self {
        Self {
            topic,
            found: found.into(),
            grade: Grade::Good,
            change: None,
        }
    }

    fn unknown(topic: Topic, found: impl Into<String>) -> Self {
        Self {
            topic,
            found: found.into(),
            grade: Grade::Unknown,
            change: None,
        }
    }

    fn worse(topic: Topic, grade: Grade, found: impl Into<String>, change: &'static str) -> Self {
        Self {
            topic,
            found: found.into(),
            grade,
            change: Some(change),
        }
    }
}

/// All findings about the computer that runs this program, in the order of [`Topic`].
#[must_use]
pub fn computer() -> Vec<Finding> {
    let mut findings = Files {
        root: PathBuf::from("/"),
    }
    .findings();
    findings.push(priority_limit(
        getrlimit(Resource::Rtprio),
        has_capability(CAP_SYS_NICE),
    ));
    findings.push(memory_limit(getrlimit(Resource::Memlock), has_capability(CAP_IPC_LOCK)));
    findings
}

/// The kernel's files, under `/` or under a copy of them.
struct Files {
    root: PathBuf,
}

impl Files {
    fn read(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.join(path)).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn findings(&self) -> Vec<Finding> {
        vec![
            self.kernel(),
            self.preemption(),
            self.cores(),
            self.isolation(),
            self.governor(),
            self.idle_states(),
            self.clock_source(),
            self.throttling(),
        ]
    }

    fn kernel(&self) -> Finding {
        match self.read("proc/sys/kernel/osrelease") {
            Some(release) => Finding::good(Topic::Kernel, release),
            None => Finding::unknown(Topic::Kernel, "/proc is not mounted"),
        }
    }

    fn preemption(&self) -> Finding {
        let topic = Topic::Preemption;
        let advice = "install a kernel with PREEMPT_RT (Debian: linux-image-rt-amd64)";
        if self.read("sys/kernel/realtime").as_deref() == Some("1") {
            return Finding::good(topic, "PREEMPT_RT");
        }
        // "none voluntary (full) lazy": the mode in use stands in brackets. Root only.
        let modes = self.read("sys/kernel/debug/sched/preempt").unwrap_or_default();
        let mode = modes
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(mode, _)| mode.to_owned());
        let version = self.read("proc/sys/kernel/version").unwrap_or_default();
        match (mode, version) {
            (Some(mode), _) if mode == "full" => Finding::worse(topic, Grade::Fair, "preemptible, full", advice),
            (Some(mode), _) => Finding::worse(topic, Grade::Poor, format!("dynamic, set to {mode}"), advice),
            (None, version) if version.contains("PREEMPT_RT") => Finding::good(topic, "PREEMPT_RT"),
            (None, version) if version.contains("PREEMPT_DYNAMIC") => {
                Finding::worse(topic, Grade::Fair, "dynamic; the mode is for root to see", advice)
            }
            (None, version) if version.contains("PREEMPT") => Finding::worse(topic, Grade::Fair, "preemptible", advice),
            (None, version) if version.is_empty() => Finding::unknown(topic, "the kernel does not say"),
            (None, _) => Finding::worse(topic, Grade::Poor, "not preemptible", advice),
        }
    }

    fn cores(&self) -> Finding {
        let online = self
            .read("sys/devices/system/cpu/online")
            .map(|list| count_of_list(&list))
            .unwrap_or(0);
        match online {
            0 => Finding::unknown(Topic::Cores, "/sys is not mounted"),
            1 => Finding::worse(
                Topic::Cores,
                Grade::Poor,
                "1 core",
                "use a computer with 2 cores or more: one for the hot thread, one for the rest",
            ),
            cores => Finding::good(Topic::Cores, format!("{cores} cores")),
        }
    }

    fn isolation(&self) -> Finding {
        let isolated = self.read("sys/devices/system/cpu/isolated");
        let no_tick = self
            .read("sys/devices/system/cpu/nohz_full")
            .filter(|list| list != "(null)");
        match (isolated, no_tick) {
            (Some(cores), Some(no_tick)) => Finding::good(
                Topic::Isolation,
                format!("isolated cores {cores}, without tick {no_tick}"),
            ),
            (Some(cores), None) => Finding::good(Topic::Isolation, format!("isolated cores {cores}")),
            (None, _) => Finding::worse(
                Topic::Isolation,
                Grade::Fair,
                "no core is isolated",
                "with 4 cores or more, boot with isolcpus=N nohz_full=N and bind the hot thread to core N",
            ),
        }
    }

    fn governor(&self) -> Finding {
        match self.read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") {
            Some(governor) if governor == "performance" => Finding::good(Topic::Governor, governor),
            Some(governor) => Finding::worse(
                Topic::Governor,
                Grade::Poor,
                governor,
                "set the governor to performance (cpupower frequency-set -g performance)",
            ),
            None => Finding::unknown(
                Topic::Governor,
                "the clock is not the kernel's to govern (virtual machine?)",
            ),
        }
    }

    fn idle_states(&self) -> Finding {
        let topic = Topic::IdleStates;
        let states = (0..16).map_while(|number| {
            let state = format!("sys/devices/system/cpu/cpu0/cpuidle/state{number}");
            let enabled = self.read(&format!("{state}/disable")).as_deref() != Some("1");
            let name = self.read(&format!("{state}/name"))?;
            let latency_us: u64 = self.read(&format!("{state}/latency"))?.parse().ok()?;
            Some((enabled, name, latency_us))
        });
        let deepest = states
            .filter(|(enabled, ..)| *enabled)
            .max_by_key(|(_, _, latency_us)| *latency_us);
        match deepest {
            None => Finding::unknown(topic, "the kernel has no idle driver"),
            Some((_, name, latency_us)) if latency_us <= SHALLOW_IDLE_US => {
                Finding::good(topic, format!("deepest {name}, {latency_us} us to leave"))
            }
            Some((_, name, latency_us)) => Finding::worse(
                topic,
                Grade::Fair,
                format!("deepest {name}, {latency_us} us to leave"),
                "let the program hold /dev/cpu_dma_latency (it does when it may write it), or disable deep states in \
                 the firmware",
            ),
        }
    }

    fn clock_source(&self) -> Finding {
        let topic = Topic::ClockSource;
        match self.read("sys/devices/system/clocksource/clocksource0/current_clocksource") {
            Some(source) if matches!(source.as_str(), "tsc" | "kvm-clock" | "arch_sys_counter") => {
                Finding::good(topic, source)
            }
            Some(source) => Finding::worse(
                topic,
                Grade::Fair,
                format!("{source}: each reading is a system call"),
                "find out in the kernel's log why tsc was given up",
            ),
            None => Finding::unknown(topic, "the kernel does not say"),
        }
    }

    fn throttling(&self) -> Finding {
        let number = |name: &str| {
            self.read(&format!("proc/sys/kernel/{name}"))
                .and_then(|text| text.parse().ok())
        };
        let runtime_us: Option<i64> = number("sched_rt_runtime_us");
        let period_us: Option<i64> = number("sched_rt_period_us");
        match (runtime_us, period_us) {
            (Some(-1), _) => Finding::good(Topic::Throttling, "off"),
            (Some(runtime), Some(period)) if runtime * 10 >= period * 9 => {
                // The hot thread sleeps most of the time, so the net below a runaway thread costs nothing.
                Finding::good(Topic::Throttling, format!("{runtime} of {period} us"))
            }
            (Some(runtime), Some(period)) => Finding::worse(
                Topic::Throttling,
                Grade::Poor,
                format!("{runtime} of {period} us"),
                "set kernel.sched_rt_runtime_us to 950000 (sysctl)",
            ),
            _ => Finding::unknown(Topic::Throttling, "the kernel does not say"),
        }
    }
}

/// How many processors a list such as `0-3,6` names.
fn count_of_list(list: &str) -> u32 {
    let range = |part: &str| -> Option<u32> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        last.trim()
            .parse::<u32>()
            .ok()?
            .checked_sub(first.trim().parse().ok()?)?
            .checked_add(1)
    };
    list.split(',').filter_map(range).sum()
}

fn priority_limit(limit: Rlimit, capable: bool) -> Finding {
    let topic = Topic::PriorityLimit;
    match limit.current {
        _ if capable => Finding::good(topic, "any priority (CAP_SYS_NICE)"),
        None => Finding::good(topic, "any priority"),
        Some(priority) if priority >= WANTED_PRIORITY => Finding::good(topic, format!("up to {priority}")),
        Some(priority) => Finding::worse(
            topic,
            Grade::Poor,
            format!("up to {priority}"),
            "set RLIMIT_RTPRIO to 90 for the user (LimitRTPRIO=90 in the systemd unit, or '@pearlsort - rtprio 90' in \
             /etc/security/limits.d)",
        ),
    }
}

fn memory_limit(limit: Rlimit, capable: bool) -> Finding {
    let topic = Topic::MemoryLimit;
    match limit.current {
        _ if capable => Finding::good(topic, "all memory (CAP_IPC_LOCK)"),
        None => Finding::good(topic, "all memory"),
        Some(bytes) => Finding::worse(
            topic,
            Grade::Poor,
            format!("{} KiB", bytes / 1024),
            "set RLIMIT_MEMLOCK to unlimited for the user (LimitMEMLOCK=infinity in the systemd unit, or \
             '@pearlsort - memlock unlimited' in /etc/security/limits.d)",
        ),
    }
}

/// The findings about one serial port. Opens it, which resets boards that watch DTR: ask only while the line stands.
#[must_use]
pub fn serial_port(path: &Path) -> Vec<Finding> {
    let topic = || Topic::Port(path.to_owned());
    let descriptor = match port::open(path) {
        Ok(descriptor) => descriptor,
        Err(error) => {
            let change = "plug it in, end whoever uses it, or add the user to the group of the device (dialout)";
            return vec![Finding::worse(topic(), Grade::Poor, error.to_string(), change)];
        }
    };
    let mut findings = Vec::new();
    findings.push(match port::low_latency(&descriptor) {
        Ok(true) => Finding::good(topic(), "low-latency flag set"),
        Ok(false) => Finding::worse(
            topic(),
            Grade::Fair,
            "low-latency flag not set",
            "let the program set it (it does when permitted), or run setserial PORT low_latency",
        ),
        Err(PortError::NotSupported { .. }) => {
            Finding::unknown(topic(), "no low-latency flag (pseudo-terminal, or USB)")
        }
        Err(error) => Finding::unknown(topic(), error.to_string()),
    });
    match port::ftdi_latency_ms(path) {
        Ok(ms) if ms <= BEST_FTDI_LATENCY_MS => {
            findings.push(Finding::good(topic(), format!("FTDI latency timer {ms} ms")));
        }
        Ok(ms) => findings.push(Finding::worse(
            topic(),
            Grade::Poor,
            format!("FTDI latency timer {ms} ms: as many millimetres of belt at 1 m/s"),
            "set it to 1 by a udev rule (ATTR{device/latency_timer}=\"1\")",
        )),
        // Not FTDI's: nothing to say.
        Err(_) => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of the kernel's files in a folder of its own.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("rt-survey-{}-{name}", std::process::id()));
            for (path, text) in files {
                let file = root.join(path);
                fs::create_dir_all(file.parent().expect("below the root")).expect("writable");
                fs::write(file, text).expect("writable");
            }
            Self(root)
        }

        fn finding(&self, topic: &Topic) -> Finding {
            let findings = Files { root: self.0.clone() }.findings();
            findings
                .into_iter()
                .find(|finding| finding.topic == *topic)
                .expect("every topic is answered")
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_tuned_computer_has_nothing_to_change() {
        let idle = "sys/devices/system/cpu/cpu0/cpuidle";
        let tree = Tree::new(
            "tuned",
            &[
                ("proc/sys/kernel/osrelease", "6.12.1-rt\n"),
                ("sys/kernel/realtime", "1\n"),
                ("sys/devices/system/cpu/online", "0-3\n"),
                ("sys/devices/system/cpu/isolated", "3\n"),
                ("sys/devices/system/cpu/nohz_full", "3\n"),
                ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
                (&format!("{idle}/state0/name"), "POLL\n"),
                (&format!("{idle}/state0/latency"), "0\n"),
                (&format!("{idle}/state1/name"), "C6\n"),
                (&format!("{idle}/state1/latency"), "133\n"),
                (&format!("{idle}/state1/disable"), "1\n"),
                (
                    "sys/devices/system/clocksource/clocksource0/current_clocksource",
                    "tsc\n",
                ),
                ("proc/sys/kernel/sched_rt_runtime_us", "950000\n"),
                ("proc/sys/kernel/sched_rt_period_us", "1000000\n"),
            ],
        );
        for finding in (Files { root: tree.0.clone() }).findings() {
            assert_eq!((finding.grade, finding.change), (Grade::Good, None), "{finding:?}");
        }
        assert_eq!(tree.finding(&Topic::Cores).found, "4 cores");
    }

    #[test]
    fn an_untuned_computer_is_told_what_to_change() {
        let idle = "sys/devices/system/cpu/cpu0/cpuidle";
        let tree = Tree::new(
            "untuned",
            &[
                ("sys/kernel/debug/sched/preempt", "none (voluntary) full\n"),
                ("sys/devices/system/cpu/online", "0\n"),
                ("sys/devices/system/cpu/isolated", "\n"),
                ("sys/devices/system/cpu/nohz_full", "(null)\n"),
                ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
                (&format!("{idle}/state0/name"), "C6\n"),
                (&format!("{idle}/state0/latency"), "133\n"),
                (
                    "sys/devices/system/clocksource/clocksource0/current_clocksource",
                    "hpet\n",
                ),
                ("proc/sys/kernel/sched_rt_runtime_us", "100000\n"),
                ("proc/sys/kernel/sched_rt_period_us", "1000000\n"),
            ],
        );
        let grades = [
            (Topic::Preemption, Grade::Poor),
            (Topic::Cores, Grade::Poor),
            (Topic::Isolation, Grade::Fair),
            (Topic::Governor, Grade::Poor),
            (Topic::IdleStates, Grade::Fair),
            (Topic::ClockSource, Grade::Fair),
            (Topic::Throttling, Grade::Poor),
        ];
        for (topic, grade) in grades {
            let finding = tree.finding(&topic);
            assert_eq!(finding.grade, grade, "{finding:?}");
            assert!(finding.change.is_some(), "{finding:?}");
        }
    }

    #[test]
    fn a_computer_that_says_nothing_is_unknown_not_good() {
        let tree = Tree::new("silent", &[]);
        let findings = Files { root: tree.0.clone() }.findings();
        let good = findings.iter().filter(|finding| finding.grade == Grade::Good).count();
        assert_eq!(good, 0, "{findings:?}");
    }

    #[test]
    fn limits_are_judged_with_the_capability_in_mind() {
        let limit = |current| Rlimit { current, maximum: None };
        assert_eq!(priority_limit(limit(Some(0)), false).grade, Grade::Poor);
        assert_eq!(priority_limit(limit(Some(0)), true).grade, Grade::Good);
        assert_eq!(priority_limit(limit(Some(90)), false).grade, Grade::Good);
        assert_eq!(memory_limit(limit(Some(8 << 20)), false).grade, Grade::Poor);
        assert_eq!(memory_limit(limit(None), false).grade, Grade::Good);
    }

    #[test]
    fn this_computer_and_its_ports_are_surveyed() {
        assert!(
            computer()
                .iter()
                .any(|finding| finding.topic == Topic::Kernel && finding.grade == Grade::Good)
        );
        let pty = port::open_pty().expect("a pty");
        let findings = serial_port(&pty.path);
        assert_eq!(
            findings.iter().map(|finding| finding.grade).collect::<Vec<_>>(),
            [Grade::Unknown]
        );
        let missing = serial_port(Path::new("/dev/no-such-port"));
        assert_eq!(
            missing.iter().map(|finding| finding.grade).collect::<Vec<_>>(),
            [Grade::Poor]
        );
    }
}
