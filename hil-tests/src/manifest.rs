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
            when: store::time::utc(seconds.cast_signed()),
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
