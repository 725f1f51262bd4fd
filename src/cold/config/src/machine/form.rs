//! The form of the machine's file, `line.toml`.
//!
//! Cold side, any thread.

use board::limits;

use crate::form::Kind::{Flag, List, Number, Numbers, OneOf, Table, Tables, Text, Whole};
use crate::form::{Form, NAME, default, optional, required};

/// Watchdog times that a board accepts, and that the core reckons with when a board has gone, ms.
const WATCHDOG_MS: (f64, f64) = {
    let range = limits::WATCHDOG_RANGE_US;
    assert!(
        line::limits::WATCHDOG_US <= *range.end() as i64,
        "boards accept the longest"
    );
    (*range.start() as f64 / 1e3, line::limits::WATCHDOG_US as f64 / 1e3)
};

/// Signals that a channel can carry.
pub(crate) const SIGNALS: &[&str] = &[
    "feeder-run",
    "feeder-speed",
    "belt-run",
    "belt-speed",
    "safety-chain",
    "guard-door",
    "air-pressure",
    "lamp-current",
    "stack-light",
];

/// The whole file.
pub(crate) static LINE: Form = Form {
    says: "The machine: belt, stations, lanes, field boards and their links.",
    keys: &[
        required("kind", OneOf(&["line"]), "Says that this is a machine's file."),
        required("name", Table(&NAME), "The machine's name."),
        optional(
            "recipe",
            Text,
            "Recipe in force at start: a path from this file's folder.",
        ),
        required("belt", Table(&BELT), "The belt and its encoder."),
        required("eye", Table(&EYE), "What an entry eye takes for one pearl."),
        optional("camera", Table(&CAMERA), "The camera station behind every entry eye."),
        optional("weigh", Table(&WEIGH), "The weigh cell of every lane."),
        required("jets", Table(&JETS), "The air jets of every lane."),
        required("valves", Table(&VALVES), "The valves of the jets."),
        optional(
            "drop-eyes",
            Table(&DROP_EYES),
            "The eyes in the mouths of bins and tray.",
        ),
        required("timing", Table(&TIMING), "Times and tolerances of host and boards."),
        optional(
            "hot-thread",
            Table(&HOT),
            "The thread that owns the links and the core.",
        ),
        required(
            "bin",
            Tables(&BIN),
            "The grade bins in belt order: the first is number 1.",
        ),
        required("board", Tables(&BOARD), "The field boards, one a link."),
        required("lane-group", Tables(&LANES), "Lanes that are wired alike."),
        optional("trim", Tables(&TRIM), "What commissioning found for one jet."),
        optional("manifold", Tables(&MANIFOLD), "Valves that share an air supply."),
        optional("channel", Tables(&CHANNEL), "The line's other signals."),
    ],
    shared: &[],
};

static BELT: Form = Form {
    says: "The belt and its encoder.",
    keys: &[
        required(
            "ticks-per-metre",
            Whole(1_000, 1_000_000),
            "Encoder ticks in a metre of belt.",
        ),
        required(
            "least-speed-m-s",
            Number(0.05, 3.0),
            "Slowest speed at which pearls are sorted.",
        ),
        required(
            "most-speed-m-s",
            Number(0.1, 3.0),
            "Fastest speed at which pearls are sorted.",
        ),
        required(
            "most-pearls-per-s",
            Number(0.1, 30.0),
            "Most pearls a second in one lane, at the fastest speed.",
        ),
        required(
            "end-mm",
            Number(50.0, 10_000.0),
            "From the entry eye to the belt's end.",
        ),
    ],
    shared: &[],
};

static EYE: Form = Form {
    says: "What an entry eye takes for one pearl.",
    keys: &[
        required("least-pearl-mm", Number(0.5, 20.0), "Shorter is dirt."),
        required("most-pearl-mm", Number(1.0, 30.0), "Longer is two pearls that touch."),
        default(
            "shortest-mm",
            Number(0.0, 5.0),
            0.5,
            "Interruptions shorter than this are not reported by the board.",
        ),
        required(
            "tolerance-mm",
            Number(0.1, 20.0),
            "How far a pearl may be from where a station expects it.",
        ),
    ],
    shared: &[],
};

static CAMERA: Form = Form {
    says: "The camera station behind every entry eye.",
    keys: &[
        required(
            "source",
            OneOf(&["board", "host"]),
            "Who measures: a smart camera on the board, or vision on the host.",
        ),
        required(
            "view-mm",
            Number(2.0, 500.0),
            "Length of belt that it sees on each side of the pearl.",
        ),
        required("exposure-us", Whole(1, 20_000), "Length of the flash."),
        required(
            "vision-ms",
            Number(0.5, 1_000.0),
            "Longest time from flash to measurement.",
        ),
    ],
    shared: &[],
};

static WEIGH: Form = Form {
    says: "The weigh cell of every lane.",
    keys: &[
        required(
            "source",
            OneOf(&["mass", "samples"]),
            "The cell sends a mass, or samples that the core weighs by.",
        ),
        required("at-mm", Number(0.0, 10_000.0), "Where the platform begins."),
        required("length-mm", Number(5.0, 500.0), "Its length."),
        required(
            "samples-per-s",
            Whole(100, limits::MAX_SAMPLE_RATE as i64),
            "Sample rate of the converter.",
        ),
        optional(
            "models",
            Text,
            "Folder of the cells' files (lane-00.toml and so on) where they stream samples: a path from this file's folder.",
        ),
        required(
            "result-ms",
            Number(0.5, 1_000.0),
            "Longest time from the platform's end to the mass.",
        ),
    ],
    shared: &[],
};

static JETS: Form = Form {
    says: "The air jets of every lane.",
    keys: &[
        required(
            "at-mm",
            List(&Number(1.0, 10_000.0)),
            "Where they stand, one a bin, in belt order.",
        ),
        required("width-mm", Number(0.5, 50.0), "Width of the air at the belt."),
        required(
            "margin-mm",
            Number(0.0, 20.0),
            "Room kept on each side for rolling, jitter and fit.",
        ),
        required(
            "neighbours",
            OneOf(&["recirculate", "purity"]),
            "When a neighbour that is to stay lies within the jet: let both go round, or keep the purer bin pure.",
        ),
    ],
    shared: &[],
};

static VALVES: Form = Form {
    says: "The valves of the jets.",
    keys: &[
        required("lag-on-us", Whole(0, 100_000), "From switching on to air at the jet."),
        required("lag-off-us", Whole(0, 100_000), "From switching off to no air."),
        required(
            "recovery-us",
            Whole(0, limits::MAX_MIN_OFF_US as i64),
            "Least time between closing and opening again.",
        ),
        required(
            "max-on-us",
            Whole(100, limits::MAX_ON_US as i64),
            "Longest that a valve may be open; the board closes it then.",
        ),
    ],
    shared: &[],
};

static DROP_EYES: Form = Form {
    says: "The eyes in the mouths of bins and tray.",
    keys: &[
        required("least-ms", Number(0.0, 5_000.0), "Least time from the jet to the eye."),
        required(
            "most-ms",
            Number(1.0, 10_000.0),
            "Longest time from the jet to the eye.",
        ),
        required(
            "tray-least-ms",
            Number(0.0, 5_000.0),
            "Least time from the belt's end to the tray's eye.",
        ),
        required(
            "tray-most-ms",
            Number(1.0, 10_000.0),
            "Longest time from the belt's end to the tray's eye.",
        ),
    ],
    shared: &[],
};

static TIMING: Form = Form {
    says: "Times and tolerances of host and boards.",
    keys: &[
        default(
            "least-lead-ms",
            Number(60.0, 1_000.0),
            60.0,
            "Least time between giving an order and its tick.",
        ),
        default(
            "link-ms",
            Number(1.0, 1_000.0),
            10.0,
            "Longest time that a message takes over a link, repeats included.",
        ),
        default(
            "feed-ms",
            Number(1.0, 300.0),
            20.0,
            "Time between two feeds of the watchdogs.",
        ),
        default(
            "watchdog-ms",
            Number(WATCHDOG_MS.0, WATCHDOG_MS.1),
            100.0,
            "Silence after which a board closes everything.",
        ),
        default(
            "status-ms",
            Number(1.0, 10_000.0),
            10.0,
            "Time between two states that a board sends.",
        ),
        default(
            "status-silence-ms",
            Number(5.0, 10_000.0),
            100.0,
            "Silence of a board after which its orders stop.",
        ),
        default(
            "align-mm",
            Number(0.01, 5.0),
            0.2,
            "Farthest that boards may disagree about the belt.",
        ),
        default(
            "late-limit",
            Whole(1, 64),
            3.0,
            "Late orders within the window that hold the line.",
        ),
        default("late-window-s", Number(0.1, 3_600.0), 60.0, "The window."),
    ],
    shared: &[],
};

static HOT: Form = Form {
    says: "The thread that owns the links and the core.",
    keys: &[
        default("priority", Whole(1, 98), 80.0, "Real-time priority (SCHED_FIFO)."),
        optional(
            "core",
            Whole(0, 1023),
            "Core that it keeps to; without it, the computer's last.",
        ),
    ],
    shared: &[],
};

static BIN: Form = Form {
    says: "A grade bin.",
    keys: &[required("name", Table(&NAME), "The bin's name.")],
    shared: &[],
};

static BOARD: Form = Form {
    says: "A field board on its link.",
    keys: &[
        required("name", Text, "Its name in this file."),
        required(
            "uid",
            Text,
            "Its identity: 16 hexadecimal digits, as on its label. The link is known by it.",
        ),
        optional(
            "port",
            Text,
            "Where to look first, such as /dev/serial/by-id/...; the board is found elsewhere too.",
        ),
        required("baud", Whole(9_600, 12_000_000), "Bits a second of the link."),
        optional(
            "index-ticks",
            Whole(10, 10_000_000),
            "Encoder ticks between index pulses; without it there is no index.",
        ),
        required(
            "has",
            Table(&HAS),
            "What the board has; it is refused when it has less.",
        ),
    ],
    shared: &[],
};

static HAS: Form = Form {
    says: "What a board has.",
    keys: &[
        required("valves", Whole(0, limits::MAX_VALVES as i64), "Valve outputs."),
        required("eyes", Whole(1, limits::MAX_EYES as i64), "Eye inputs."),
        required("cells", Whole(0, limits::MAX_CELLS as i64), "Weigh cells."),
        required("channels", Whole(0, limits::MAX_CHANNELS as i64), "Numbered channels."),
        required(
            "queue",
            Whole(1, limits::MAX_QUEUE as i64),
            "Orders that its queue holds.",
        ),
        required(
            "horizon-ticks",
            Whole(1_000, limits::MAX_HORIZON_TICKS as i64),
            "Farthest that an order's tick may lie ahead.",
        ),
        required(
            "max-on-us",
            Whole(100, limits::MAX_ON_US as i64),
            "Longest that its hardware lets a valve be open.",
        ),
        default(
            "window",
            Whole(1, 32),
            8.0,
            "Unacknowledged frames that it takes and keeps.",
        ),
    ],
    shared: &[],
};

static LANES: Form = Form {
    says: "Lanes that are wired alike: the first lane has the first numbers, each further lane the next.",
    keys: &[
        required("lanes", Numbers(63), "The lanes, from 0, such as \"0-7\"."),
        required("board", Text, "Board of their eyes, cells and valves."),
        optional(
            "jet-board",
            Text,
            "Board of their valves and drop eyes, where it is another.",
        ),
        required("entry-eye", Whole(0, 127), "Entry eye of the first lane; one a lane."),
        optional("cell", Whole(0, 63), "Weigh cell of the first lane; one a lane."),
        required(
            "valve",
            Whole(0, 127),
            "Valve of the first lane's first jet; one a jet, lane by lane.",
        ),
        optional(
            "drop-eye",
            Whole(0, 127),
            "Drop eye of the first lane's first bin; one a jet and one for the tray, lane by lane.",
        ),
        optional("tray-eye", Flag, "Whether the recirculate tray has an eye too."),
        optional(
            "bins",
            List(&Whole(1, 64)),
            "Numbers of the bins that the jets blow into, in belt order; without it 1, 2, 3...",
        ),
    ],
    shared: &[],
};

static TRIM: Form = Form {
    says: "What commissioning found for one jet.",
    keys: &[
        required("lane", Whole(0, 63), "The lane."),
        required("jet", Whole(1, 64), "The jet, from 1 in belt order."),
        default("shift-um", Whole(-5_000, 5_000), 0.0, "Added to where it stands."),
        optional("lag-on-us", Whole(0, 100_000), "Its valve's own lag."),
        optional("lag-off-us", Whole(0, 100_000), "Its valve's own lag."),
    ],
    shared: &[],
};

static MANIFOLD: Form = Form {
    says: "Valves that share an air supply.",
    keys: &[
        required("board", Text, "Board that drives them."),
        required("valves", Numbers(127), "The valves, such as \"0-47\"."),
        required("most-open", Whole(1, 128), "Most of them that may be open at once."),
    ],
    shared: &[],
};

static CHANNEL: Form = Form {
    says: "One of the line's other signals.",
    keys: &[
        required("board", Text, "Board that has it."),
        required("number", Whole(0, 31), "Its number there."),
        required("signal", OneOf(SIGNALS), "What it is."),
        required("name", Table(&NAME), "Its name."),
        default("dead-band", Whole(0, 65_535), 0.0, "Least change that is reported."),
        optional(
            "least",
            Whole(0, 65_535),
            "Below this the signal is lost, and the line holds.",
        ),
        optional(
            "most",
            Whole(0, 65_535),
            "Above this the signal is lost, and the line holds.",
        ),
    ],
    shared: &[],
};
