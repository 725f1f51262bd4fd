//! Where in a scenario or rig file something is wrong, and what to write instead. Any thread.

use std::ops::Range;
use std::path::Path;

/// A file that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", line.map_or_else(String::new, |line| format!(":{line}")))]
pub struct ScenarioError {
    /// The file.
    pub file: String,
    /// Line, from 1, when it is about one.
    pub line: Option<usize>,
    /// What is wrong, and what to write.
    pub message: String,
}

impl ScenarioError {
    /// About a whole file.
    #[must_use]
    pub fn whole(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: file.display().to_string(),
            line: None,
            message: message.into(),
        }
    }

    /// About a stretch of a file's text.
    #[must_use]
    pub fn at(file: &Path, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        Self {
            line: Some(before.matches('\n').count() + 1),
            ..Self::whole(file, message)
        }
    }

    /// What the TOML reader says.
    #[must_use]
    pub fn toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        match error.span() {
            Some(span) => Self::at(file, text, &span, error.message()),
            None => Self::whole(file, error.message()),
        }
    }
}

/// What to write instead of an unknown word.
#[must_use]
pub(super) fn instead(word: &str, known: &[&str]) -> String {
    config::nearest(word, known.iter().copied()).map_or_else(
        || format!("known are {}", known.join(", ")),
        |near| format!("write \"{near}\"?"),
    )
}
