//! Scales' files: the shipped ones hold, wrong ones are refused with the reason.

use std::path::{Path, PathBuf};

use scales::Setup;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .join("config/scales")
}

#[test]
fn every_shipped_file_holds() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        Setup::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(scales::is_scale_file(&path));
        count += 1;
    }
    assert!(count >= 5, "{count} files");
}

#[test]
fn a_wrong_file_is_refused_with_the_reason() {
    let laumas = std::fs::read_to_string(folder().join("laumas.toml")).unwrap();
    let continuous = std::fs::read_to_string(folder().join("continuous.toml")).unwrap();
    let cas = std::fs::read_to_string(folder().join("cas.toml")).unwrap();
    let cases = [
        (&laumas, "timeout-ms = 500", "timeout-ms = 0", "timeout-ms is 0"),
        (&laumas, "address = 1", "address = 0", "must be 1 to 247"),
        (&laumas, "gross = 40008", "gross = 8", "no holding register"),
        (&laumas, "register = 40014", "register = 40214", "at most 32"),
        (&laumas, "stable = 11", "stable = 16", "status bit 16"),
        (&laumas, "unit = \"g\"", "unit = \"stone\"", "unknown variant"),
        (&laumas, "high-first", "low-first", "unknown field"),
        (&cas, "equal-readings = 5", "equal-readings = 1", "equal-readings"),
        (&continuous, "{state},", "", "equal-lines"),
        (&continuous, "{value}", "{weight}", "is none of"),
        (&continuous, "baud = 2400", "baud = 3", "baud"),
    ];
    for (text, good, bad, says) in cases {
        assert!(text.contains(good), "{good}");
        let path = std::env::temp_dir().join(format!("pearlsort-scale-{}.toml", std::process::id()));
        std::fs::write(&path, text.replacen(good, bad, 1)).unwrap();
        let error = Setup::load(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{bad}: {error}");
        std::fs::remove_file(&path).unwrap();
    }
}
