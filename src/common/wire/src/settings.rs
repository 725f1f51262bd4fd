//! The settings of a board in their one order, their values at start, and the checksum by which host and board agree on them.
//!
//! Any thread, host and board.

use crate::crc::Crc32c;
use crate::message::{BoardLimits, Setting, SettingKey};

/// What a setting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole board; its index is 0.
    Board,
    /// Each valve.
    Valve,
    /// Each eye.
    Eye,
    /// Each weigh cell.
    Cell,
    /// Each channel.
    Channel,
}

/// Every key, by rising number: the canonical order.
pub const KEYS: [SettingKey; 12] = [
    SettingKey::WatchdogUs,
    SettingKey::LeastSpeed,
    SettingKey::StatusUs,
    SettingKey::IndexTicks,
    SettingKey::LagOnUs,
    SettingKey::LagOffUs,
    SettingKey::MaxOnUs,
    SettingKey::MinOffUs,
    SettingKey::LeastTicks,
    SettingKey::EyeKind,
    SettingKey::SampleRate,
    SettingKey::DeadBand,
];

/// The key with this number, if there is one.
#[must_use]
pub const fn from_number(number: u8) -> Option<SettingKey> {
    let mut i = 0;
    while i < KEYS.len() {
        if KEYS[i] as u8 == number {
            return Some(KEYS[i]);
        }
        i += 1;
    }
    None
}

/// What `key` belongs to.
#[must_use]
pub const fn scope(key: SettingKey) -> Scope {
    match key {
        SettingKey::WatchdogUs | SettingKey::LeastSpeed | SettingKey::StatusUs | SettingKey::IndexTicks => Scope::Board,
        SettingKey::LagOnUs | SettingKey::LagOffUs | SettingKey::MaxOnUs | SettingKey::MinOffUs => Scope::Valve,
        SettingKey::LeastTicks | SettingKey::EyeKind => Scope::Eye,
        SettingKey::SampleRate => Scope::Cell,
        SettingKey::DeadBand => Scope::Channel,
    }
}

/// Value of `key` from a board's start until a `Commit` changes it. With the longest on-time at zero no valve opens.
#[must_use]
pub const fn at_start(key: SettingKey) -> u32 {
    match key {
        SettingKey::WatchdogUs => 100_000,
        SettingKey::StatusUs => 10_000,
        _ => 0,
    }
}

/// How many settings of `key` a board with these limits has: their indices are `0..count`.
#[must_use]
pub const fn count(key: SettingKey, limits: &BoardLimits) -> u8 {
    match scope(key) {
        Scope::Board => 1,
        Scope::Valve => limits.valves,
        Scope::Eye => limits.eyes,
        Scope::Cell => limits.cells,
        Scope::Channel => limits.channels,
    }
}

/// Key and index of every setting of a board with these limits, in canonical order: by rising key, then index.
pub fn canonical(limits: &BoardLimits) -> impl Iterator<Item = (SettingKey, u8)> + use<> {
    let limits = *limits;
    KEYS.into_iter()
        .flat_map(move |key| (0..count(key, &limits)).map(move |index| (key, index)))
}

/// CRC-32C over `settings`, which are all those of a board in canonical order: of each six bytes, key, index, and value
/// little-endian.
#[must_use]
pub fn settings_crc(settings: impl IntoIterator<Item = Setting>) -> u32 {
    let add = |crc: Crc32c, setting: Setting| {
        let [a, b, c, d] = setting.value.to_le_bytes();
        crc.with(&[setting.key as u8, setting.index, a, b, c, d])
    };
    settings.into_iter().fold(Crc32c::new(), add).value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rise_and_are_found_by_their_numbers() {
        assert!(KEYS.is_sorted());
        assert!(KEYS.iter().all(|key| from_number(*key as u8) == Some(*key)));
        assert_eq!((0..=255).filter_map(from_number).count(), KEYS.len());
    }
}
