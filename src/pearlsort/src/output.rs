//! Figures of a command as a file. Cold.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Writes the figures as JSON to `path`, `-` for standard output.
///
/// # Errors
/// When the file can't be written.
pub fn write_json(figures: &impl Serialize, path: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(figures).context("the figures can't be written as JSON")?;
    if path == Path::new("-") {
        println!("{text}");
        return Ok(());
    }
    fs::write(path, text + "\n").with_context(|| format!("{} can't be written", path.display()))
}
