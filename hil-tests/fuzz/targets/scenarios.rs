//! Any text as a scenario's file: no panic, and every fault points into the text and says what is wrong.

#![no_main]
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]

// The parser's own files, so that the program and its store need not be built for it.
#[path = "../../src/broken.rs"]
mod broken;
#[path = "../../src/measure.rs"]
mod measure;
#[path = "../../src/requirements.rs"]
mod requirements;
#[path = "../../src/rig.rs"]
mod rig;
#[path = "../../src/scenario/mod.rs"]
mod scenario;
#[path = "../../src/trace/mod.rs"]
mod trace;
#[path = "../../src/verdict.rs"]
mod verdict;

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // The machine and the recipe that it names are read from here.
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/fuzz.toml"));
    if let Err(error) = scenario::Scenario::from_text(path, text) {
        assert!(!error.message.is_empty(), "refused without saying why");
        assert!(error.line.is_none_or(|line| line <= text.lines().count() + 1), "points beyond the text");
    }
});
