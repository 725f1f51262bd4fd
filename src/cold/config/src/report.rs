//! Faults and warnings, each with its place and what to write instead, and how they are shown.
//!
//! Cold side, any thread. Words: an **error** keeps a file from being used; a **warning** does not.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file can be used, but probably does not say what was meant.
    Warning,
    /// The file can't be used.
    Error,
}

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// Characters from the column on that are meant, at least 1.
    pub width: usize,
    /// The line's text.
    pub text: String,
    /// The key's path, such as `belt.most-speed-m-s`, or empty when it is about the whole file.
    pub key: String,
    /// What is wrong, with the value and the bound.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// All faults of one or more files, in the order of the files and lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The faults.
    pub faults: Vec<Fault>,
    /// Files that were looked at.
    pub files: usize,
}

impl Report {
    /// The worst of its faults, or `None` when all is well.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.faults.iter().map(|fault| fault.severity).max()
    }

    /// Whether a file can't be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.severity() == Some(Severity::Error)
    }

    /// How many faults are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.faults.iter().filter(|fault| fault.severity == severity).count()
    }

    /// Adds another report's files and faults.
    pub fn add(&mut self, other: Report) {
        self.files += other.files;
        self.faults.extend(other.faults);
    }
}

impl std::error::Error for Report {}

/// Columns of a terminal that `c` takes: Chinese characters and full-width forms take two.
fn columns(c: char) -> usize {
    if matches!(c as u32, 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6)
    {
        2
    } else {
        1
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let key = if self.key.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.key)
        };
        writeln!(f, "{word}: {key}{}", self.message)?;
        writeln!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        // Tabs would shift the marks: each is shown as one blank.
        let text: String = self
            .text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let before: usize = text.chars().take(self.column - 1).map(columns).sum();
        let marked: usize = text.chars().skip(self.column - 1).take(self.width).map(columns).sum();
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {text}")?;
        writeln!(f, "{gutter} | {}{}", " ".repeat(before), "^".repeat(marked.max(1)))?;
        if !self.help.is_empty() {
            writeln!(f, "{gutter} = {}", self.help)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        write!(
            f,
            "{} checked: {}, {}",
            plural(self.files, "file"),
            plural(self.count(Severity::Error), "error"),
            plural(self.count(Severity::Warning), "warning")
        )
    }
}
