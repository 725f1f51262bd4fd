//! Rigs: what runs a scenario, and what it can do. Any thread.
//!
//! A rig's file names its engine and what it can do; a scenario that needs more is not run on it, and the list says why.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sim::faults::Fault;
use toml::Spanned;

use crate::scenario::{Scenario, ScenarioError};

/// Something that a scenario may need and a rig may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Pearls come, and what becomes of them is known.
    Pearls,
    /// Time is real.
    RealTime,
    /// The belt can be sped up, slowed, stopped and turned.
    Belt,
    /// Bytes of a link can be lost, spoilt, delayed.
    LinkFaults,
    /// Boards can be reset, their encoders disturbed.
    BoardFaults,
    /// Boards' clocks can be disturbed.
    ClockFaults,
    /// Valves, eyes, cameras, weigh cells and the safety chain can be disturbed.
    LineFaults,
    /// The host can be made to stand still.
    HostStall,
    /// An operator's commands.
    Commands,
    /// The program is a process that can be killed.
    Program,
    /// The program writes to a disk that can be full.
    Disk,
    /// The core can be replaced by a broken one.
    BrokenCore,
}

const CAPABILITIES: [(Capability, &str); 12] = [
    (Capability::Pearls, "pearls"),
    (Capability::RealTime, "real-time"),
    (Capability::Belt, "belt"),
    (Capability::LinkFaults, "link-faults"),
    (Capability::BoardFaults, "board-faults"),
    (Capability::ClockFaults, "clock-faults"),
    (Capability::LineFaults, "line-faults"),
    (Capability::HostStall, "host-stall"),
    (Capability::Commands, "commands"),
    (Capability::Program, "program"),
    (Capability::Disk, "disk"),
    (Capability::BrokenCore, "broken-core"),
];

impl Capability {
    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        CAPABILITIES
            .iter()
            .find(|(other, _)| *other == self)
            .map_or("", |(_, name)| name)
    }

    /// The capability of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        CAPABILITIES
            .iter()
            .find(|(_, other)| *other == name)
            .map(|(this, _)| *this)
    }

    /// Every name.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        CAPABILITIES.iter().map(|(_, name)| *name).collect()
    }

    /// What a fault of the timetable needs.
    #[must_use]
    pub const fn of(fault: &Fault) -> Self {
        match fault {
            Fault::Link { .. } => Self::LinkFaults,
            Fault::BoardReset { .. }
            | Fault::EncoderSlip { .. }
            | Fault::EncoderStop { .. }
            | Fault::EncoderReverse { .. } => Self::BoardFaults,
            Fault::ClockSkew { .. } | Fault::ClockStep { .. } => Self::ClockFaults,
            Fault::Speed(_) => Self::Belt,
            Fault::HostStall => Self::HostStall,
            _ => Self::LineFaults,
        }
    }
}

/// What runs a rig's scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The core and the virtual line in one thread, in virtual time.
    Virtual,
    /// The program as a process, the virtual line's boards behind pseudo-terminals.
    Pty,
    /// The program as a process, the firmware in an emulated microcontroller.
    Qemu,
    /// The program as a process, boards behind the ports that the rig names.
    Ports,
}

/// A board's port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RigPort {
    /// The board's name in the machine's file.
    pub board: String,
    /// Where it is.
    pub path: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    kind: Spanned<String>,
    about: String,
    engine: Engine,
    can: Vec<Spanned<String>>,
    config: Option<PathBuf>,
    #[serde(default)]
    port: Vec<RigPort>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Rig {
    /// Its name: the file's, without its ending.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What runs its scenarios.
    pub engine: Engine,
    /// What it can do.
    pub can: BTreeSet<Capability>,
    /// The machine that it is, where scenarios can't choose.
    pub config: Option<PathBuf>,
    /// Ports of its boards, where it does not make them itself.
    pub ports: Vec<RigPort>,
}

impl Rig {
    /// Reads a rig's file.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScenarioError::whole(path, format!("can't be read: {error}")))?;
        let raw: Raw = toml::from_str(&text).map_err(|error| ScenarioError::toml(path, &text, &error))?;
        if raw.kind.get_ref() != "rig" {
            let message = format!("kind is \"{}\": write kind = \"rig\"", raw.kind.get_ref());
            return Err(ScenarioError::at(path, &text, &raw.kind.span(), message));
        }
        let mut can = BTreeSet::new();
        for name in &raw.can {
            let known = Capability::find(name.get_ref()).ok_or_else(|| {
                let near = config::nearest(name.get_ref(), Capability::names());
                let help = near.map_or_else(
                    || format!("known are {}", Capability::names().join(", ")),
                    |near| format!("write \"{near}\"?"),
                );
                let message = format!("there is no capability \"{}\": {help}", name.get_ref());
                ScenarioError::at(path, &text, &name.span(), message)
            })?;
            can.insert(known);
        }
        Ok(Self {
            name: crate::scenario::name_of(path),
            about: raw.about,
            engine: raw.engine,
            can,
            config: raw
                .config
                .map(|config| path.parent().unwrap_or(Path::new("")).join(config)),
            ports: raw.port,
        })
    }

    /// Why a scenario can't be run here; none when it can.
    #[must_use]
    pub fn lacks(&self, scenario: &Scenario) -> Option<String> {
        let lacks: Vec<&str> = scenario.needs.difference(&self.can).map(|lack| lack.name()).collect();
        (!lacks.is_empty()).then(|| format!("needs {}", lacks.join(", ")))
    }
}
