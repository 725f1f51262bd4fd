//! The whole machine in two tables: every thread and every ring of the program. Nothing else in the program starts a
//! thread that touches a pearl or makes a ring. (Recipes are published values, not rings: see `rt::published`.) `docs/ARCHITECTURE.md` shows the same tables, and a test holds the two
//! together.
//!
//! Words: a **ring** has one writer and one reader; what does not fit is dropped and counted at the writer.

/// How the kernel runs a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// SCHED_FIFO at this priority, where the rights are there.
    Fifo(u8),
    /// The kernel's ordinary scheduling.
    Ordinary,
}

/// Which core a thread keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// The computer's last core, where there is more than one.
    Last,
    /// Any core.
    Any,
}

impl Core {
    /// The core's number on this computer, or `None` where the thread is free to move.
    #[must_use]
    pub fn number(self) -> Option<usize> {
        match self {
            Self::Last => std::thread::available_parallelism().ok().map(|cores| cores.get() - 1),
            Self::Any => None,
        }
    }
}

/// One thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its name, as the kernel shows it.
    pub name: &'static str,
    /// How it is scheduled.
    pub priority: Priority,
    /// Where it runs.
    pub core: Core,
    /// What it does.
    pub does: &'static str,
}

/// One ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSpec {
    /// Its name.
    pub name: &'static str,
    /// The thread that writes it.
    pub from: &'static str,
    /// The thread that reads it.
    pub to: &'static str,
    /// Things that it holds.
    pub capacity: usize,
    /// What they are.
    pub carries: &'static str,
    /// What happens when it is full.
    pub when_full: &'static str,
}

/// The thread that owns the links and the core.
pub const HOT: Thread = Thread {
    name: "hot",
    priority: Priority::Fifo(80),
    core: Core::Last,
    does: "reads ready ports, runs the core, writes orders, feeds the watchdogs",
};
/// The thread of everything that may wait.
pub const COLD: Thread = Thread {
    name: "cold",
    priority: Priority::Ordinary,
    core: Core::Any,
    does: "ports and reconnection, recipes, records, commands, logging",
};
/// The thread that watches for stalls of the host.
pub const WATCH: Thread = Thread {
    name: "watch",
    priority: Priority::Fifo(90),
    core: Core::Any,
    does: "wakes each millisecond and logs when it was kept waiting",
};

/// The thread that spoils links, for tests only.
pub const FAULTS: Thread = Thread {
    name: devices::faults::relay::THREAD,
    priority: Priority::Fifo(devices::faults::relay::PRIORITY),
    core: Core::Any,
    does: "only with `--allow-faults`: carries every port's bytes, spoilt by a timetable",
};

/// The thread that takes flashes from cameras, where the host looks at pearls itself.
pub const CAMERA: Thread = Thread {
    name: "camera",
    priority: Priority::Fifo(35),
    core: Core::Any,
    does: "only with cameras on the host: takes flashes and hands them on",
};
/// The thread that measures pearls. One is enough: 250 us a pearl are 4,000 pearls a second.
pub const EYES: Thread = Thread {
    name: "eyes",
    priority: Priority::Fifo(40),
    core: Core::Any,
    does: "only with cameras on the host: measures pearls, gives up those that are late",
};

/// The thread that writes the store.
pub const STORE: Thread = Thread {
    name: store::THREAD,
    priority: Priority::Ordinary,
    core: Core::Any,
    does: "makes records, events, lots and the audit trail durable, in batches",
};
/// The thread that answers the page.
pub const HMI: Thread = Thread {
    name: "hmi",
    priority: Priority::Ordinary,
    core: Core::Any,
    does: "answers the page and its API, never waits",
};
/// Threads for what the page's answers may wait for.
pub const HMI_WORKER: Thread = Thread {
    name: "hmi-worker",
    priority: Priority::Ordinary,
    core: Core::Any,
    does: "for the page: asks the line, reads the store, hashes passwords; a few, started when needed",
};

/// Every thread of the program, in the order in which they start.
pub const THREADS: &[Thread] = &[COLD, STORE, WATCH, FAULTS, HOT, EYES, CAMERA, HMI, HMI_WORKER];

/// Pearls' records. At 64 lanes x 30/s it holds four seconds.
pub const RECORDS: RingSpec = RingSpec {
    name: "records",
    from: "hot",
    to: "cold",
    capacity: 8192,
    carries: "a record for each pearl whose story is complete",
    when_full: "dropped, counted, alarm",
};
/// The core's news.
pub const NOTICES: RingSpec = RingSpec {
    name: "notices",
    from: "hot",
    to: "cold",
    capacity: 1024,
    carries: "what alarms and the journal are made of",
    when_full: "dropped, counted",
};
/// Operators' commands.
pub const COMMANDS: RingSpec = RingSpec {
    name: "commands",
    from: "cold",
    to: "hot",
    capacity: 64,
    carries: "start, hold, stop, feed, belt, inhibit, release, test pulse, lot, a weigh cell's model",
    when_full: "refused, the operator is told",
};
/// Ports that were opened.
pub const PORTS: RingSpec = RingSpec {
    name: "ports",
    from: "cold",
    to: "hot",
    capacity: devices::limits::PORT_RING,
    carries: "an opened port for a board",
    when_full: "tried again at the next round",
};
/// Ports that were lost.
pub const LOST_PORTS: RingSpec = RingSpec {
    name: "lost-ports",
    from: "hot",
    to: "cold",
    capacity: devices::limits::PORT_RING,
    carries: "a port that failed, to be closed and sought again",
    when_full: "closed at the end of the program, counted",
};
/// Bytes of a recording. At 64 lanes x 30/s with their weigh cells' samples it holds three seconds.
pub const TAPE: RingSpec = RingSpec {
    name: "tape",
    from: "hot",
    to: "cold",
    capacity: 4 * 1024 * 1024,
    carries: "with `--record`: bytes of every event that the core sees",
    when_full: "the event is dropped and counted, the recording says where",
};

/// Flashes on their way to the eyes.
pub const FLASHES: RingSpec = RingSpec {
    name: "flashes",
    from: "camera",
    to: "eyes",
    capacity: 32,
    carries: "a flash with its frames, or that they are lost",
    when_full: "dropped, counted; the pearl has no figures",
};
/// Memory for frames on its way back.
pub const EMPTY_VIEWS: RingSpec = RingSpec {
    name: "empty-views",
    from: "eyes",
    to: "camera",
    capacity: 32,
    carries: "memory for the frames of a flash",
    when_full: "never: it holds all there is",
};
/// Figures of the host's eyes on their way to the core.
pub const VIEWS: RingSpec = RingSpec {
    name: "views",
    from: "eyes",
    to: "hot",
    capacity: 256,
    carries: "a measurement for each flash, as a board would have sent it",
    when_full: "dropped, counted; the pearl has no figures",
};
/// The same for whoever watches.
pub const SEEN: RingSpec = RingSpec {
    name: "seen",
    from: "eyes",
    to: "cold",
    capacity: 1024,
    carries: "the same measurements, for whoever watches",
    when_full: "dropped, counted",
};

/// What the store still has to write. Records, events and requests have places of their own; these are the records'.
pub const KEPT: RingSpec = RingSpec {
    name: "kept",
    from: "cold",
    to: store::THREAD,
    capacity: store::limits::WAITING_RECORDS,
    carries: "records on their way to the disk",
    when_full: "dropped, counted, booked on the lot, alarm",
};

/// Copies of frames for whoever keeps pictures of doubt. At 100 pearls a second it holds what a record takes to come.
pub const CROPS: RingSpec = RingSpec {
    name: "crops",
    from: "eyes",
    to: "cold",
    capacity: 128,
    carries: "only where pictures of doubt are kept: a copy of a flash's frames",
    when_full: "never: it holds all there is",
};
/// Memory for copies on its way back.
pub const EMPTY_CROPS: RingSpec = RingSpec {
    name: "empty-crops",
    from: "cold",
    to: "eyes",
    capacity: 128,
    carries: "memory for the copy of a flash's frames",
    when_full: "never: it holds all there is; an empty one leaves no copy, counted",
};

/// Every ring of the program.
pub const RINGS: &[RingSpec] = &[
    RECORDS,
    NOTICES,
    COMMANDS,
    PORTS,
    LOST_PORTS,
    TAPE,
    FLASHES,
    EMPTY_VIEWS,
    VIEWS,
    SEEN,
    KEPT,
];

const _: () = assert!(
    PORTS.capacity >= line::limits::BOARDS,
    "every board's port must fit at once"
);
const _: () = assert!(
    LOST_PORTS.capacity >= line::limits::BOARDS,
    "every board's port may fail at once"
);

/// Stalls of the computer longer than this are told, us.
pub const STALL_US: u32 = 10_000;

/// The watcher of the hot thread's core.
#[must_use]
pub fn watch_for() -> rt::watch::WatchFor {
    let priority = match WATCH.priority {
        Priority::Fifo(level) => level,
        Priority::Ordinary => 1,
    };
    rt::watch::WatchFor {
        limit_us: STALL_US,
        priority,
        core: HOT.core.number(),
    }
}

/// The two tables as Markdown, as `docs/ARCHITECTURE.md` shows them.
#[must_use]
pub fn as_markdown() -> String {
    let mut text = String::from("| thread | priority | core | what it does |\n|---|---|---|---|\n");
    for thread in THREADS {
        let priority = match thread.priority {
            Priority::Fifo(level) => format!("FIFO {level}"),
            Priority::Ordinary => "ordinary".to_owned(),
        };
        let core = match thread.core {
            Core::Last => "last",
            Core::Any => "any",
        };
        text.push_str(&format!(
            "| `{}` | {priority} | {core} | {} |\n",
            thread.name, thread.does
        ));
    }
    text.push_str("\n| ring | from | to | capacity | carries | when full |\n|---|---|---|---|---|---|\n");
    for ring in RINGS {
        text.push_str(&format!(
            "| `{}` | `{}` | `{}` | {} | {} | {} |\n",
            ring.name, ring.from, ring.to, ring.capacity, ring.carries, ring.when_full
        ));
    }
    text
}
