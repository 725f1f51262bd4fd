//! What a run has shown: requirement by requirement, and the verdict. Any thread.

use serde::Serialize;

/// How a run ended; the worse ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every requirement was met.
    Passed,
    /// A requirement was not met.
    Failed,
    /// The rig did not work or the file is wrong, so nothing was shown.
    Error,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
        }
    }

    /// The code to exit with, after sysexits.h: 1 for `failed`, 69 (unavailable) for `error`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Error => 69,
        }
    }
}

/// One limit and what was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Number of the requirement.
    pub requirement: &'static str,
    /// What must hold, such as `held-after-s <= 1.5`.
    pub limit: String,
    /// What was seen.
    pub seen: String,
    /// Whether it held.
    pub holds: bool,
}
