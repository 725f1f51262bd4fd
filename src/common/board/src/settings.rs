//! The settings of a board: what the host may set, within which bounds, and the order in which their CRC takes them.
//!
//! Any thread. The host sets them one by one into a second copy; `Commit` puts that copy in force at once.

use units::{EyeId, ValveId};
use wire::settings::{at_start, canonical, count, settings_crc};
use wire::{BoardLimits, Fault, Setting, SettingKey};

use crate::limits::{
    MAX_CELLS, MAX_CHANNELS, MAX_EYES, MAX_LAG_US, MAX_LEAST_TICKS, MAX_MIN_OFF_US, MAX_SAMPLE_RATE, MAX_VALVES,
    STATUS_RANGE_US, WATCHDOG_RANGE_US,
};

/// Settings of a valve, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValveSettings {
    pub(crate) lag_on_us: u32,
    pub(crate) lag_off_us: u32,
    pub(crate) max_on_us: u32,
    pub(crate) min_off_us: u32,
}

/// Kind of an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EyeKind {
    /// Reports `Trigger` and `Passed`, and fires the flash.
    Entry,
    /// Reports `Landed`.
    Drop,
}

/// Settings of an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EyeSettings {
    pub(crate) least_ticks: u32,
    pub(crate) kind: EyeKind,
}

/// All settings of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    watchdog_us: u32,
    least_speed: u32,
    status_us: u32,
    index_ticks: u32,
    valves: [ValveSettings; MAX_VALVES],
    eyes: [EyeSettings; MAX_EYES],
    sample_rates: [u32; MAX_CELLS],
    dead_bands: [u32; MAX_CHANNELS],
}

impl Settings {
    /// The settings of a board that nobody has set.
    pub(crate) const fn new() -> Self {
        let valve = ValveSettings {
            lag_on_us: at_start(SettingKey::LagOnUs),
            lag_off_us: at_start(SettingKey::LagOffUs),
            max_on_us: at_start(SettingKey::MaxOnUs),
            min_off_us: at_start(SettingKey::MinOffUs),
        };
        let eye = EyeSettings {
            least_ticks: at_start(SettingKey::LeastTicks),
            kind: EyeKind::Entry,
        };
        Self {
            watchdog_us: at_start(SettingKey::WatchdogUs),
            least_speed: at_start(SettingKey::LeastSpeed),
            status_us: at_start(SettingKey::StatusUs),
            index_ticks: at_start(SettingKey::IndexTicks),
            valves: [valve; MAX_VALVES],
            eyes: [eye; MAX_EYES],
            sample_rates: [at_start(SettingKey::SampleRate); MAX_CELLS],
            dead_bands: [at_start(SettingKey::DeadBand); MAX_CHANNELS],
        }
    }

    /// Their CRC-32C.
    pub(crate) fn crc(&self, limits: &BoardLimits) -> u32 {
        let setting = |(key, index)| Setting {
            key,
            index,
            value: self.get(key, index),
        };
        settings_crc(canonical(limits).map(setting))
    }

    /// Takes one setting, or says why not: `Unknown` index, or value out of `Range`.
    pub(crate) fn set(&mut self, limits: &BoardLimits, setting: Setting) -> Result<(), Fault> {
        let Setting { key, index, value } = setting;
        if index >= count(key, limits) {
            return Err(Fault::Unknown);
        }
        let at = usize::from(index);
        let within = |most: u32| if value <= most { Ok(value) } else { Err(Fault::Range) };
        let held = |range: core::ops::RangeInclusive<u32>| range.contains(&value).then_some(value).ok_or(Fault::Range);
        match key {
            SettingKey::WatchdogUs => self.watchdog_us = held(WATCHDOG_RANGE_US)?,
            SettingKey::LeastSpeed => self.least_speed = within(i32::MAX.unsigned_abs())?,
            SettingKey::StatusUs => self.status_us = held(STATUS_RANGE_US)?,
            SettingKey::IndexTicks => self.index_ticks = value,
            SettingKey::LagOnUs => self.valves[at].lag_on_us = within(MAX_LAG_US)?,
            SettingKey::LagOffUs => self.valves[at].lag_off_us = within(MAX_LAG_US)?,
            SettingKey::MaxOnUs => self.valves[at].max_on_us = within(limits.max_on_us)?,
            SettingKey::MinOffUs => self.valves[at].min_off_us = within(MAX_MIN_OFF_US)?,
            SettingKey::LeastTicks => self.eyes[at].least_ticks = within(MAX_LEAST_TICKS)?,
            SettingKey::EyeKind => {
                self.eyes[at].kind = match value {
                    0 => EyeKind::Entry,
                    1 => EyeKind::Drop,
                    _ => return Err(Fault::Range),
                }
            }
            SettingKey::SampleRate => self.sample_rates[at] = within(MAX_SAMPLE_RATE)?,
            SettingKey::DeadBand => self.dead_bands[at] = within(u32::from(u16::MAX))?,
        }
        Ok(())
    }

    /// The value of a setting whose index the board has.
    fn get(&self, key: SettingKey, index: u8) -> u32 {
        let at = usize::from(index);
        match key {
            SettingKey::WatchdogUs => self.watchdog_us,
            SettingKey::LeastSpeed => self.least_speed,
            SettingKey::StatusUs => self.status_us,
            SettingKey::IndexTicks => self.index_ticks,
            SettingKey::LagOnUs => self.valves[at].lag_on_us,
            SettingKey::LagOffUs => self.valves[at].lag_off_us,
            SettingKey::MaxOnUs => self.valves[at].max_on_us,
            SettingKey::MinOffUs => self.valves[at].min_off_us,
            SettingKey::LeastTicks => self.eyes[at].least_ticks,
            SettingKey::EyeKind => match self.eyes[at].kind {
                EyeKind::Entry => 0,
                EyeKind::Drop => 1,
            },
            SettingKey::SampleRate => self.sample_rates[at],
            SettingKey::DeadBand => self.dead_bands[at],
        }
    }

    pub(crate) const fn watchdog_us(&self) -> u64 {
        self.watchdog_us as u64
    }

    pub(crate) const fn status_us(&self) -> u64 {
        self.status_us as u64
    }

    /// Least speed at which valves fire; a belt that stands or runs backwards never fires.
    pub(crate) const fn least_speed(&self) -> i32 {
        if self.least_speed == 0 {
            1
        } else {
            self.least_speed.cast_signed()
        }
    }

    pub(crate) fn valve(&self, valve: ValveId) -> &ValveSettings {
        &self.valves[valve.index()]
    }

    pub(crate) fn eye(&self, eye: EyeId) -> EyeSettings {
        self.eyes[eye.index()]
    }

    pub(crate) fn dead_band(&self, channel: usize) -> u32 {
        self.dead_bands[channel]
    }
}

// An eye that nobody has set is an entry eye.
const _: () = assert!(at_start(SettingKey::EyeKind) == 0);
