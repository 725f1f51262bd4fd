//! Where boards may be found when they are not where the configuration expects them.
//!
//! Cold side. A pattern is a path whose last part may hold `*` for any characters.

use std::path::{Path, PathBuf};

use crate::limits::MAX_CANDIDATES;

/// Patterns of paths to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    patterns: Vec<PathBuf>,
}

impl Default for Candidates {
    /// USB adapters by their names and numbers.
    fn default() -> Self {
        Self::new(["/dev/serial/by-id/*", "/dev/ttyUSB*", "/dev/ttyACM*"].map(PathBuf::from))
    }
}

impl Candidates {
    /// These patterns only.
    pub fn new(patterns: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            patterns: patterns.into_iter().collect(),
        }
    }

    /// Adds a pattern.
    pub fn add(&mut self, pattern: PathBuf) {
        self.patterns.push(pattern);
    }

    /// The paths that exist now, each device once, in the patterns' order and by name; [`MAX_CANDIDATES`] at most.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let mut devices = Vec::new();
        for path in self.patterns.iter().flat_map(|pattern| expand(pattern)) {
            let Ok(device) = std::fs::canonicalize(&path) else {
                continue;
            };
            if !devices.contains(&device) && devices.len() < MAX_CANDIDATES {
                devices.push(device);
                paths.push(path);
            }
        }
        paths
    }
}

fn expand(pattern: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(|name| name.to_str())) else {
        return vec![pattern.to_owned()];
    };
    if !name.contains('*') {
        return vec![pattern.to_owned()];
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let fits = |entry: std::fs::DirEntry| {
        let found = entry.file_name();
        matches(name, found.to_str()?).then(|| entry.path())
    };
    let mut paths: Vec<_> = entries.filter_map(fits).collect();
    paths.sort();
    paths
}

/// Whether `name` fits `pattern`, in which each `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.into_iter().any(|at| matches(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, name, fits) in [
            ("ttyUSB*", "ttyUSB0", true),
            ("ttyUSB*", "ttyUSB", true),
            ("ttyUSB*", "ttyACM0", false),
            ("usb-*-if0*", "usb-x-if00-port0", true),
            ("*", "anything", true),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_device_is_listed_once_however_many_paths_lead_to_it() {
        let twice = Candidates::new(["/dev/nul*", "/dev/null", "/dev/no-such-*", "/dev/zero"].map(PathBuf::from));
        assert_eq!(twice.paths(), ["/dev/null", "/dev/zero"].map(PathBuf::from));
    }
}
