//! The bins: full, missing, just changed, inhibited, in quarantine. Whatever keeps pearls out is told to the core.
//!
//! Cold, any thread. How full a bin is, is known by counting where a capacity was set; otherwise it is not known.

use line::Command;
use units::{BinId, HostUs, Micrograms};

use crate::acts::Acts;
use crate::limits::{CHANGED_US, NEARLY_FULL};

/// What a bin is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinState {
    /// A fault may have let others in.
    Quarantined,
    /// It is not there.
    Missing,
    /// It is full.
    Full,
    /// An operator keeps pearls out.
    Inhibited,
    /// It has just been changed.
    Changed,
    /// It takes pearls.
    Ready,
}

impl BinState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Quarantined,
        Self::Missing,
        Self::Full,
        Self::Inhibited,
        Self::Changed,
        Self::Ready,
    ];

    /// Its name in the catalogue of words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Missing => "missing",
            Self::Full => "full",
            Self::Inhibited => "inhibited",
            Self::Changed => "changed",
            Self::Ready => "ready",
        }
    }
}

/// One bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Pearls since it was changed.
    pub pearls: u64,
    /// Mass of those that were weighed, ug.
    pub mass_ug: u64,
    /// Pearls that it holds, where that was set.
    pub capacity: Option<u64>,
    /// Whether it is there, where a signal tells.
    pub is_there: Option<bool>,
    /// Whether it is in quarantine.
    pub is_quarantined: bool,
    by_operator: bool,
    changed_until: Option<HostUs>,
    /// What the core was told last.
    told: bool,
}

impl Bin {
    /// How full it is, per mille; `None` where that is not known.
    #[must_use]
    pub fn fill_per_mille(&self) -> Option<u64> {
        let capacity = self.capacity?.max(1);
        Some(self.pearls.saturating_mul(1_000) / capacity)
    }

    /// What it is.
    #[must_use]
    pub fn state(&self) -> BinState {
        if self.is_quarantined {
            BinState::Quarantined
        } else if self.is_there == Some(false) {
            BinState::Missing
        } else if self.is_full() {
            BinState::Full
        } else if self.by_operator {
            BinState::Inhibited
        } else if self.changed_until.is_some() {
            BinState::Changed
        } else {
            BinState::Ready
        }
    }

    /// Whether it is full, as far as that is known.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.fill_per_mille().is_some_and(|fill| fill >= 1_000)
    }

    /// Whether it wants an eye soon.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.fill_per_mille().is_some_and(|fill| fill >= NEARLY_FULL)
    }

    /// Whether pearls are kept out beside the core's own quarantine.
    fn is_inhibited(&self) -> bool {
        self.is_there == Some(false) || self.is_full() || self.by_operator || self.changed_until.is_some()
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Bins(Vec<Bin>);

impl Bins {
    pub(crate) fn new(count: usize) -> Self {
        Self(vec![Bin::default(); count])
    }

    pub(crate) fn list(&self) -> &[Bin] {
        &self.0
    }

    pub(crate) fn get_mut(&mut self, bin: BinId) -> Option<&mut Bin> {
        self.0.get_mut(bin.index())
    }

    pub(crate) fn take(&mut self, bin: BinId, mass: Option<Micrograms>) {
        if let Some(of) = self.get_mut(bin) {
            of.pearls += 1;
            let mass = mass.map_or(0, |mass| u64::try_from(mass.0).unwrap_or(0));
            of.mass_ug = of.mass_ug.saturating_add(mass);
        }
    }

    /// Tells the core what has changed.
    pub(crate) fn pass(&mut self, at: HostUs, acts: &mut Acts) {
        for (number, bin) in (0_u8..).zip(&mut self.0) {
            if bin.changed_until.is_some_and(|until| until <= at) {
                bin.changed_until = None;
            }
            let on = bin.is_inhibited();
            if on != bin.told && acts.push(Command::Inhibit { bin: BinId(number), on }) {
                bin.told = on;
            }
        }
    }
}

impl Bin {
    pub(crate) fn inhibit(&mut self, on: bool) {
        self.by_operator = on;
    }

    /// An empty bin stands there now; hands are still near.
    pub(crate) fn change(&mut self, at: HostUs) {
        self.pearls = 0;
        self.mass_ug = 0;
        self.changed_until = Some(at.plus(CHANGED_US));
    }
}
