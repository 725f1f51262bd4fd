//! Any text as a machine's file: no panic, and every fault points into the text.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(report) = config::line_from_text("fuzz.toml", text) {
        assert!(report.has_errors(), "refused without saying why");
        assert!(!report.to_string().is_empty());
    }
});
