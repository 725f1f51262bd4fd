//! Names of things on the line. Each is an index into its own table and can't be taken for another's.
//!
//! Any thread.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// The name as an index into its table.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// A lane of the belt, from 0.
    LaneId(u8)
}
id! {
    /// A valve output of one field board, from 0.
    ValveId(u8)
}
id! {
    /// An eye input of one field board (entry or drop eye), from 0.
    EyeId(u8)
}
id! {
    /// A grade bin of the line, from 0 in belt order; the recirculate tray is no bin.
    BinId(u8)
}
id! {
    /// A field board by its place in the line's configuration.
    BoardId(u8)
}
id! {
    /// A pearl's passage through the line, counted from 1 since the core was made; never used twice.
    PearlId(u64)
}
id! {
    /// A fire order on one board's link, modulo 2^16; the host never has two of the same number open.
    OrderId(u16)
}
id! {
    /// Number that an entry eye gives to each trigger, modulo 2^16, one series an eye.
    TriggerSeq(u16)
}

impl TriggerSeq {
    /// The number that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl OrderId {
    /// The number that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}
