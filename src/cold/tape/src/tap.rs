//! Codes what the core sees as it sees it. On the thread that runs the core: no allocation, no wait; what finds no room is
//! dropped and counted, and the recording says where.

use line::Input;
use units::HostUs;

use crate::code::Coded;

/// Time between two checks, us.
pub const CHECK_US: i64 = 1_000_000;

/// Where an event's bytes go.
pub trait Sink {
    /// Takes all of `bytes`, or none of them and says `false`.
    fn take(&mut self, bytes: &[u8]) -> bool;
}

impl Sink for Vec<u8> {
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.extend_from_slice(bytes);
        true
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Tap {
    coded: Coded,
    /// Time of the last event that was taken.
    last: HostUs,
    events: u64,
    lost: u64,
    /// Those of `lost` that the stream does not tell of yet.
    untold: u64,
    next_check: HostUs,
}

impl Default for Tap {
    fn default() -> Self {
        Self::new()
    }
}

impl Tap {
    /// A tap for a core that has seen nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            coded: Coded::new(),
            last: HostUs(0),
            events: 0,
            lost: 0,
            untold: 0,
            next_check: HostUs(i64::MIN),
        }
    }

    /// Codes what the core is about to see.
    pub fn hear(&mut self, at: HostUs, input: &Input<'_>, sink: &mut impl Sink) {
        if self.untold > 0 {
            self.coded.lost(at.since(self.last), self.untold);
            if sink.take(self.coded.bytes()) {
                (self.last, self.untold) = (at, 0);
            }
        }
        let coded = self.coded.input(at.since(self.last), input).is_some();
        if self.untold == 0 && coded && sink.take(self.coded.bytes()) {
            self.last = at;
            self.events += 1;
        } else {
            self.lost += 1;
            self.untold += 1;
        }
    }

    /// Whether a check is due after an event at `at`.
    #[must_use]
    pub fn wants_check(&self, at: HostUs) -> bool {
        at >= self.next_check
    }

    /// Notes the digest of all orders and records up to the event at `at`. A check that finds no room is left out: the next
    /// one proves as much.
    pub fn check(&mut self, at: HostUs, digest: u64, sink: &mut impl Sink) {
        self.coded.check(at.since(self.last), digest);
        if self.untold == 0 && sink.take(self.coded.bytes()) {
            self.last = at;
            self.next_check = at.plus(CHECK_US);
        }
    }

    /// Events taken.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Events dropped.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}
