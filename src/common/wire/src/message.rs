//! What host and board say to each other, as types. The codec is in `codec`, the bytes are specified in `docs/WIRE.md`.
//!
//! Any thread, host and board. Words: an **order** opens one valve once; an **eye** is an input that a pearl interrupts; a
//! **channel** is one of the line's other signals. Ticks are the board's own, wrapped.

use units::{BoardUs32, EyeId, OrderId, Tick32, TriggerSeq, ValveId};

/// Opens a connection; sent unnumbered, and repeated until an [`Identity`] of the same session comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of the protocol that the host speaks.
    pub protocol: u8,
    /// Session that begins; never zero, never that of the connection before.
    pub session: u16,
}

/// What a board is and can do; its answer to [`Hello`], sent unnumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Version of the protocol that the board speaks.
    pub protocol: u8,
    /// Number that no other board has; links are named by it.
    pub uid: u64,
    /// Version of the board's program: major, minor, patch in the three upper bytes' order `0xMMmmpp`.
    pub firmware: u32,
    /// What the board has.
    pub limits: BoardLimits,
    /// CRC-32C of the settings in force (see `settings`).
    pub settings_crc: u32,
    /// Times that the board has started, modulo 2^16: a change tells of a reset.
    pub starts: u16,
}

/// Sizes of a board. The host never asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardLimits {
    /// Valve outputs.
    pub valves: u8,
    /// Eye inputs.
    pub eyes: u8,
    /// Weigh cells.
    pub cells: u8,
    /// Numbered channels.
    pub channels: u8,
    /// Orders that its queue holds.
    pub queue: u16,
    /// Unacknowledged frames that it takes and keeps, in each direction.
    pub window: u8,
    /// Farthest that an order's tick may lie ahead, in ticks.
    pub horizon_ticks: u32,
    /// Longest that its hardware lets any valve be open, in microseconds.
    pub max_on_us: u32,
}

/// One setting of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which setting.
    pub key: SettingKey,
    /// Of which valve, eye or channel; 0 for settings of the whole board.
    pub index: u8,
    /// Its value, in the unit that the key names.
    pub value: u32,
}

/// Names of settings. The numbers are those on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum SettingKey {
    /// Board: time without a [`ToBoard::Feed`] after which it closes all, in microseconds.
    WatchdogUs = 0,
    /// Board: least belt speed at which valves fire, in ticks a second.
    LeastSpeed = 1,
    /// Board: time between two [`Status`] messages, in microseconds.
    StatusUs = 2,
    /// Board: encoder ticks from one index pulse to the next; 0 when there is none.
    IndexTicks = 3,
    /// Valve: from switching on to air at the jet, in microseconds.
    LagOnUs = 16,
    /// Valve: from switching off to no air, in microseconds.
    LagOffUs = 17,
    /// Valve: longest that it may be open, in microseconds.
    MaxOnUs = 18,
    /// Valve: least time between closing and opening again, in microseconds.
    MinOffUs = 19,
    /// Eye: shortest interruption that counts, in ticks.
    LeastTicks = 32,
    /// Eye: 0 entry eye (reports `Trigger` and `Passed`), 1 drop eye (reports `Landed`).
    EyeKind = 33,
    /// Cell: samples a second of a weigh cell.
    SampleRate = 48,
    /// Channel: least change of an analogue channel that is reported; 0 reports each change.
    DeadBand = 64,
}

/// Open `valve` while the belt runs from `on` for `length` ticks, both at the jet: the board shifts the edges by the
/// valve's lags at the belt's speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fire {
    /// Number of the order; reports name it.
    pub order: OrderId,
    /// Valve to open.
    pub valve: ValveId,
    /// Tick at which air shall reach the jet.
    pub on: Tick32,
    /// Ticks for which it shall blow; not zero.
    pub length: u16,
}

/// Cut an order that has been given: its length becomes `length`; zero cancels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amend {
    /// The order.
    pub order: OrderId,
    /// Its new length in ticks, at most the old one; 0 cancels.
    pub length: u16,
}

/// From host to board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToBoard {
    /// See [`Hello`].
    Hello(Hello),
    /// Sets one setting, not yet in force.
    Set(Setting),
    /// Puts all `Set` since the last commit in force at once; answered by [`FromBoard::Settings`]. Refused when armed.
    Commit,
    /// Lets valves fire, if the settings' CRC is this one; starts the watchdog. Answered by [`FromBoard::Armed`].
    Arm {
        /// CRC-32C of the settings that the host expects.
        settings_crc: u32,
    },
    /// Closes all valves, empties the queue; orders are refused until the next `Arm`.
    Disarm,
    /// The core has run: feeds the watchdog.
    Feed {
        /// Counts up by one a feed, modulo 2^16.
        count: u16,
    },
    /// See [`Fire`].
    Fire(Fire),
    /// See [`Amend`].
    Amend(Amend),
    /// Sets an output channel (belt, feeder, lamps).
    Output {
        /// Which channel.
        channel: u8,
        /// Its value: 0 or 1 for a digital channel.
        value: u16,
    },
    /// Opens a valve for a test, by time; refused unless belt and feeder stand still.
    Pulse {
        /// Which valve.
        valve: ValveId,
        /// For how long, in microseconds.
        us: u16,
    },
}

/// The camera's or the host's judgement of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ViewStatus {
    /// All figures hold.
    Good = 0,
    /// No pearl in the picture.
    Empty = 1,
    /// More than one pearl, or pearls that touch.
    Several = 2,
    /// The pearl is cut by the picture's edge.
    Cut = 3,
    /// Something far larger than a pearl.
    Foreign = 4,
    /// Too much light.
    Overexposed = 5,
    /// Too little light: lamp dead or weak.
    Dark = 6,
    /// Dirt on window or belt.
    Dirty = 7,
    /// The picture has the wrong size, depth or order, or is not whole.
    Malformed = 8,
    /// The picture came or would have come too late.
    Late = 9,
}

/// Figures of one pearl from one flash. Sent by a smart camera's board, or made by vision on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Measurement {
    /// Entry eye whose trigger fired the flash.
    pub eye: EyeId,
    /// That trigger's number.
    pub seq: TriggerSeq,
    /// Whether the figures below hold. They are zero unless `Good`.
    pub status: ViewStatus,
    /// Pearls seen in the view's whole length, this one included: more than one tells of a neighbour that may have
    /// passed the eye unseen.
    pub in_view: u8,
    /// Largest caliper diameter, um.
    pub d_max_um: u16,
    /// Middle axis of the fitted ellipsoid, um.
    pub d_mid_um: u16,
    /// Smallest caliper diameter, um.
    pub d_min_um: u16,
    /// Standard uncertainty of each diameter, um.
    pub u_diameter_um: u16,
    /// Standard uncertainty of the diameter difference, 0.01 %.
    pub u_ddp: u16,
    /// Root mean square distance of the silhouettes from the fitted ellipsoid, um: large for a baroque.
    pub residual_um: u16,
    /// Difference of the two ends' curvature, 0.01 %: large for a drop.
    pub taper: u16,
    /// CIELAB lightness of the body, 0.01.
    pub lab_l: u16,
    /// CIELAB a of the body, 0.01.
    pub lab_a: i16,
    /// CIELAB b of the body, 0.01.
    pub lab_b: i16,
    /// Standard uncertainty of each of L, a, b, 0.01.
    pub u_lab: u16,
    /// CIELAB a of the overtone against the body, 0.01.
    pub overtone_a: i16,
    /// CIELAB b of the overtone against the body, 0.01.
    pub overtone_b: i16,
    /// Lustre on the calibrated scale, 0 to 10,000 (0.01 %).
    pub lustre: u16,
    /// Its standard uncertainty, 0.01 %.
    pub u_lustre: u16,
    /// Blemishes counted over the visible surface.
    pub blemishes: u8,
    /// Their share of the visible surface, 0.01 %.
    pub blemish_area: u16,
    /// Its standard uncertainty, 0.01 %.
    pub u_blemish_area: u16,
    /// Nacre's thickness, um, where an instrument gave it.
    pub nacre_um: Option<u16>,
}

/// Why a weighing gives no mass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MassStatus {
    /// The mass holds.
    Good = 0,
    /// Another pearl was on the platform too.
    Shared = 1,
    /// Samples were missing.
    Gap = 2,
    /// The converter was at its end or beyond.
    Saturated = 3,
    /// The converter gave the same code again and again.
    Stuck = 4,
    /// Nothing was on the platform.
    Empty = 5,
    /// The signal fits no pearl (a hand, a knock).
    Disturbed = 6,
    /// The gate's times are impossible.
    Gate = 7,
    /// Zero has drifted too far.
    Zero = 8,
}

/// One weighing, by a cell that weighs itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mass {
    /// Weigh cell of the board.
    pub cell: u8,
    /// Counts up by one a weighing, modulo 2^16.
    pub number: u16,
    /// Tick at which the pearl's centre came onto the platform.
    pub entered: Tick32,
    /// Tick at which it left.
    pub left: Tick32,
    /// Whether the mass holds.
    pub status: MassStatus,
    /// Mass, ug.
    pub mass_ug: u32,
    /// Its standard uncertainty, ug.
    pub u_mass_ug: u32,
}

/// A run of converter samples of one weigh cell, 24 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples<'a> {
    /// Weigh cell of the board.
    pub cell: u8,
    /// Number of the first sample, modulo 2^32: a gap in the numbers is a loss.
    pub first: u32,
    /// Board time of the first sample.
    pub at: BoardUs32,
    /// Three bytes a sample, little-endian two's complement; a whole number of samples.
    pub data: &'a [u8],
}

/// The board's state, sent at a steady rate: the host fits its clock and encoder by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Board time at which `tick` was read.
    pub at: BoardUs32,
    /// The encoder.
    pub tick: Tick32,
    /// Latest [`ToBoard::Feed`] count that has come.
    pub fed: u16,
    /// Orders in the queue.
    pub queued: u16,
    /// Whether valves may fire.
    pub armed: bool,
    /// Whether any valve is open now.
    pub blowing: bool,
    /// Messages that the board had to drop since the connection began, modulo 2^16.
    pub dropped: u16,
}

/// Why an order, pulse or setting was refused or went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Fault {
    /// The board is not armed.
    NotArmed = 0,
    /// The queue is full.
    QueueFull = 1,
    /// The tick lies beyond the horizon.
    Horizon = 2,
    /// No such valve, channel or setting.
    Unknown = 3,
    /// The pulse would be longer than the valve's longest.
    TooLong = 4,
    /// The belt was slower than the least speed when the tick came.
    TooSlow = 5,
    /// An order of that number is still open.
    Duplicate = 6,
    /// The valve was forced shut at its longest on-time.
    ForcedShut = 7,
    /// Belt or feeder is running.
    Moving = 8,
    /// Settings can't change while armed.
    Armed = 9,
    /// The settings' CRC is another than the host's.
    Settings = 10,
    /// The valve's coil draws no current or too much.
    Coil = 11,
    /// A value outside its range.
    Range = 12,
    /// The watchdog had fired.
    Watchdog = 13,
}

/// What a [`FromBoard::Fault`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOf {
    /// An order that will not be, or was not rightly, carried out.
    Order(OrderId),
    /// A valve.
    Valve(ValveId),
    /// A setting, `Commit`, `Arm`, an output or anything of the whole board.
    Board,
}

/// From board to host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromBoard<'a> {
    /// See [`Identity`].
    Identity(Identity),
    /// Settings in force after a `Commit`.
    Settings {
        /// Their CRC-32C.
        settings_crc: u32,
    },
    /// Valves may fire from now.
    Armed,
    /// Valves are closed and the queue is empty: by `Disarm`, or by the watchdog.
    Disarmed {
        /// Whether it was the watchdog.
        by_watchdog: bool,
    },
    /// See [`Status`].
    Status(Status),
    /// The encoder's index pulse.
    Index {
        /// The tick latched at it.
        tick: Tick32,
    },
    /// An entry eye was interrupted.
    Trigger {
        /// Which eye.
        eye: EyeId,
        /// Number of the trigger.
        seq: TriggerSeq,
        /// Tick latched in hardware.
        tick: Tick32,
    },
    /// An entry eye is clear again.
    Passed {
        /// Which eye.
        eye: EyeId,
        /// Number of the trigger that it ends.
        seq: TriggerSeq,
        /// Tick latched in hardware.
        tick: Tick32,
    },
    /// See [`Measurement`].
    Measurement(Measurement),
    /// See [`Mass`].
    Mass(Mass),
    /// See [`Samples`].
    Samples(Samples<'a>),
    /// An order was carried out.
    Fired {
        /// Which.
        order: OrderId,
        /// Tick at which the valve was switched on.
        opened: Tick32,
        /// Microseconds for which it was on.
        open_us: u32,
    },
    /// An order came after its tick and was dropped.
    Late {
        /// Which.
        order: OrderId,
        /// The encoder when it came.
        tick: Tick32,
    },
    /// Something was refused or went wrong.
    Fault {
        /// What it is about.
        of: FaultOf,
        /// What happened.
        fault: Fault,
    },
    /// An [`Amend`] took effect before anything of what it takes away had blown.
    Done {
        /// Which order.
        order: OrderId,
    },
    /// An [`Amend`] came too late: the order has opened (or is not known any more).
    Gone {
        /// Which order.
        order: OrderId,
    },
    /// A drop eye was interrupted.
    Landed {
        /// Which eye.
        eye: EyeId,
        /// Number of the landing, one series an eye.
        seq: TriggerSeq,
        /// Tick latched in hardware.
        tick: Tick32,
    },
    /// A channel has changed.
    Channel {
        /// Which channel.
        channel: u8,
        /// Its value.
        value: u16,
    },
    /// A test pulse is over.
    Pulsed {
        /// Which valve.
        valve: ValveId,
    },
}

impl FromBoard<'_> {
    /// The message by itself, to be kept when its frame is gone; `None` for `Samples`, whose data lie in the frame.
    #[must_use]
    pub const fn detached(&self) -> Option<FromBoard<'static>> {
        Some(match *self {
            Self::Samples(_) => return None,
            Self::Identity(identity) => FromBoard::Identity(identity),
            Self::Settings { settings_crc } => FromBoard::Settings { settings_crc },
            Self::Armed => FromBoard::Armed,
            Self::Disarmed { by_watchdog } => FromBoard::Disarmed { by_watchdog },
            Self::Status(status) => FromBoard::Status(status),
            Self::Index { tick } => FromBoard::Index { tick },
            Self::Trigger { eye, seq, tick } => FromBoard::Trigger { eye, seq, tick },
            Self::Passed { eye, seq, tick } => FromBoard::Passed { eye, seq, tick },
            Self::Measurement(measurement) => FromBoard::Measurement(measurement),
            Self::Mass(mass) => FromBoard::Mass(mass),
            Self::Fired { order, opened, open_us } => FromBoard::Fired { order, opened, open_us },
            Self::Late { order, tick } => FromBoard::Late { order, tick },
            Self::Fault { of, fault } => FromBoard::Fault { of, fault },
            Self::Done { order } => FromBoard::Done { order },
            Self::Gone { order } => FromBoard::Gone { order },
            Self::Landed { eye, seq, tick } => FromBoard::Landed { eye, seq, tick },
            Self::Channel { channel, value } => FromBoard::Channel { channel, value },
            Self::Pulsed { valve } => FromBoard::Pulsed { valve },
        })
    }
}
