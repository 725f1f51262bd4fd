//! Settings: "Set", "Commit", "Arm", "Settings". Cold.

use wire::settings::{KEYS, at_start, count};
use wire::{Fault, FaultOf, FromBoard, PROTOCOL, Setting, SettingKey, ToBoard};

use super::check;
use crate::conformance::Check;
use crate::conformance::host::{ANSWER_US, Host, Stop, must};

pub(super) const CHECKS: &[Check] = &[
    check!(
        checksum_is_of_all_settings,
        Link,
        "the settings' checksum is that of all settings in canonical order"
    ),
    check!(
        settings_at_start,
        Stand,
        "a board that has started has the settings at start"
    ),
    check!(
        set_waits_for_commit,
        Link,
        "a Set is in force with the next Commit, not before"
    ),
    check!(
        wrong_settings_refused,
        Link,
        "an unknown index is Unknown, a value outside its range Range"
    ),
    check!(
        armed_board_keeps_its_settings,
        Link,
        "Set and Commit while armed are refused: Armed"
    ),
    check!(
        arming_needs_the_checksum,
        Link,
        "Arm with another checksum is refused: Settings"
    ),
];

fn fault(fault: Fault) -> FromBoard<'static> {
    FromBoard::Fault {
        of: FaultOf::Board,
        fault,
    }
}

fn checksum_is_of_all_settings(host: &mut Host<'_>) -> Result<(), Stop> {
    let limits = host.identity.limits;
    for key in KEYS {
        for index in 0..count(key, &limits) {
            let n = u32::from(index) + 7 * key as u32;
            let value = match key {
                SettingKey::WatchdogUs => 150_000,
                SettingKey::StatusUs => 5_000,
                SettingKey::EyeKind => n % 2,
                SettingKey::MaxOnUs => limits.max_on_us - n % limits.max_on_us,
                _ => n,
            };
            host.set(key, index, value);
        }
    }
    host.commit()?;
    host.connect()?;
    must(host.identity.settings_crc != 0, || "no checksum".to_owned())
}

fn settings_at_start(host: &mut Host<'_>) -> Result<(), Stop> {
    host.usual_settings();
    host.commit()?;
    host.stand(&stand::ToStand::Reset { dark_us: 1_000 })?;
    host.run(20_000)?;
    let identity = host.connect()?;
    must(identity.settings_crc == host.crc(), || {
        format!(
            "checksum {:#010X}, at start {:#010X}",
            identity.settings_crc,
            host.crc()
        )
    })
}

fn set_waits_for_commit(host: &mut Host<'_>) -> Result<(), Stop> {
    host.commit()?;
    let crc = host.crc();
    let changed = Setting {
        key: SettingKey::WatchdogUs,
        index: 0,
        value: 200_000,
    };
    host.send(&[ToBoard::Set(changed)])?;
    host.acknowledged()?;
    host.identities.clear();
    host.hello(PROTOCOL)?;
    host.until(ANSWER_US + host.slack_us(), |host| !host.identities.is_empty())?;
    let now = host.identities.last().map(|(_, identity)| identity.settings_crc);
    must(now == Some(crc), || "it was in force at once".to_owned())?;
    host.set(changed.key, 0, changed.value);
    let settings_crc = host.crc();
    host.send(&[ToBoard::Commit])?;
    host.expect_message(FromBoard::Settings { settings_crc }).map(drop)
}

fn wrong_settings_refused(host: &mut Host<'_>) -> Result<(), Stop> {
    host.commit()?;
    let limits = host.identity.limits;
    let too_much = |key| match key {
        SettingKey::WatchdogUs => Some(1_000_001),
        SettingKey::LeastSpeed => Some(1 << 31),
        SettingKey::StatusUs => Some(10_000_001),
        SettingKey::IndexTicks => None,
        SettingKey::LagOnUs | SettingKey::LagOffUs => Some(500_001),
        SettingKey::MaxOnUs => Some(limits.max_on_us + 1),
        SettingKey::MinOffUs | SettingKey::LeastTicks => Some(1_000_001),
        SettingKey::EyeKind => Some(2),
        SettingKey::SampleRate => Some(100_001),
        SettingKey::DeadBand => Some(65_536),
    };
    for key in KEYS {
        let has = count(key, &limits);
        let refuse = |host: &mut Host<'_>, index, value, why| {
            host.send(&[ToBoard::Set(Setting { key, index, value })])?;
            host.expect(
                &format!("Fault{{{why:?}}} for {key:?} {index} = {value}"),
                ANSWER_US,
                |m| *m == fault(why),
            )
            .map(drop)
        };
        if has < u8::MAX {
            refuse(host, has, at_start(key), Fault::Unknown)?;
        }
        if let Some(value) = too_much(key).filter(|_| has > 0) {
            refuse(host, 0, value, Fault::Range)?;
        }
    }
    for (key, value) in [(SettingKey::WatchdogUs, 4_999), (SettingKey::StatusUs, 999)] {
        host.send(&[ToBoard::Set(Setting { key, index: 0, value })])?;
        host.expect_message(fault(Fault::Range))?;
    }
    // Nothing of it was taken.
    let settings_crc = host.crc();
    host.send(&[ToBoard::Commit])?;
    host.expect_message(FromBoard::Settings { settings_crc }).map(drop)
}

fn armed_board_keeps_its_settings(host: &mut Host<'_>) -> Result<(), Stop> {
    host.ready()?;
    host.send(&[ToBoard::Set(Setting {
        key: SettingKey::WatchdogUs,
        index: 0,
        value: 1_000_000,
    })])?;
    host.expect_message(fault(Fault::Armed))?;
    host.send(&[ToBoard::Commit])?;
    host.expect_message(fault(Fault::Armed))?;
    host.never("a Commit was obeyed", |m| matches!(m, FromBoard::Settings { .. }))?;
    must(host.status()?.armed, || "the board is no longer armed".to_owned())
}

fn arming_needs_the_checksum(host: &mut Host<'_>) -> Result<(), Stop> {
    host.commit()?;
    let settings_crc = host.crc() ^ 1;
    host.send(&[ToBoard::Arm { settings_crc }])?;
    host.expect_message(fault(Fault::Settings))?;
    host.never("it was armed", |m| matches!(m, FromBoard::Armed))?;
    host.status()?;
    must(!host.status()?.armed, || "it is armed".to_owned())
}
