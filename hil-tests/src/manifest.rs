//! What a run was run on: computer, program, rig, boards, calibration. Cold.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::rig::Rig;

/// See the module. What is not known is said to be unknown.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// When it was run, UTC, as RFC 3339 has it.
    pub when: String,
    /// The operating system's kernel.
    pub kernel: String,
    /// Processors that the runner may use.
    pub processors: usize,
    /// Commit of the source tree, with `+` when the tree has changes.
    pub commit: String,
    /// Version of the program.
    pub version: String,
    /// The rig.
    pub rig: String,
    /// What the boards run.
    pub boards: Vec<String>,
    /// Hash of each machine's file, and of the calibration beside it.
    pub calibration: Vec<String>,
}

impl Manifest {
    /// Of this computer and a rig; `configs` are the machines' files.
    #[must_use]
    pub fn of(rig: &Rig, configs: &[&Path], boards: &[String]) -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Self {
            when: utc(seconds),
            kernel: kernel.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            commit: commit(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rig: format!("{}: {}", rig.name, rig.about),
            boards: boards.to_vec(),
            calibration: configs.iter().map(|config| calibration(config)).collect(),
        }
    }

    /// Every entry, for people.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        vec![
            ("when", self.when.clone()),
            ("kernel", self.kernel.clone()),
            ("processors", self.processors.to_string()),
            ("commit", self.commit.clone()),
            ("pearlsort", self.version.clone()),
            ("rig", self.rig.clone()),
            ("boards", self.boards.join("; ")),
            ("calibration", self.calibration.join("; ")),
        ]
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(hash) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    format!("{hash}{}", if changed { "+" } else { "" })
}

/// The machine's file with its hash, and what commissioning has left beside it.
fn calibration(config: &Path) -> String {
    let hash = |path: &Path| {
        let bytes = std::fs::read(path).ok()?;
        let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Some(format!("{hash:016x}"))
    };
    let store = config.with_file_name("line.calibration.json");
    let of_store = hash(&store).map_or_else(
        || "no calibration stored".to_owned(),
        |hash| format!("calibration {hash}"),
    );
    format!(
        "{} {}, {of_store}",
        config.display(),
        hash(config).unwrap_or_else(|| "unknown".to_owned())
    )
}

/// Seconds since 1970 as date and time: days to the civil calendar by its 400-year cycle.
fn utc(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0: leap days come last.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day % 3_600 / 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_795_531_199), "2026-11-24T14:39:59Z");
    }
}
