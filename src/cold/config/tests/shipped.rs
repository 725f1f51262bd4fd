//! Every shipped file is right.

use std::path::{Path, PathBuf};

fn config_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../config")
}

/// Every TOML file under the folder, in order; scales' files belong to the crate `scales`, which checks them itself.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            if path.ends_with("scales") {
                continue;
            }
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_shipped_file_is_right() {
    let files = files(&config_folder());
    assert!(!files.is_empty());
    let report = config::check_files(&files);
    assert!(report.faults.is_empty(), "{report}");
}

#[test]
fn the_shipped_machine_is_what_it_says() {
    let line = config::load_line(&config_folder().join("line.toml")).unwrap_or_else(|report| panic!("{report}"));
    let plan = &line.plan;
    assert_eq!((plan.lanes.len(), plan.boards.len(), plan.bins), (16, 2, 6));
    assert_eq!(plan.lanes[9].jets[2].valve.0, 8);
    assert_eq!(plan.lanes[9].jets[2].at_um, 380_000);
    assert_eq!(plan.lanes[9].tray_eye.map(|eye| eye.eye.eye.0), Some(21));
    assert_eq!(line.settings[0].len(), 4 + 4 * 64 + 2 * 128 + 16 + 16);
    let value = |key, index| {
        line.settings[1]
            .iter()
            .find(|s| s.key == key && s.index == index)
            .map(|s| s.value)
    };
    assert_eq!(value(wire::SettingKey::MaxOnUs, 47), Some(80_000));
    assert_eq!(
        value(wire::SettingKey::MaxOnUs, 48),
        Some(0),
        "an unused valve must never open"
    );
    assert_eq!(value(wire::SettingKey::EyeKind, 7), Some(0));
    assert_eq!(value(wire::SettingKey::EyeKind, 8), Some(1));
    assert_eq!(value(wire::SettingKey::LeastSpeed, 0), Some(6_000));
    assert!(
        line.budgets.iter().all(|budget| budget.share() < 2.0 / 3.0),
        "{:?}",
        line.budgets
    );
}

/// With `PEARLSORT_WRITE_SCHEMAS=1` it writes them instead.
#[test]
fn the_shipped_schemas_are_those_of_the_forms() {
    let folder = config_folder().join("schemas");
    for (name, text) in config::schemas() {
        let path = folder.join(name);
        if std::env::var_os("PEARLSORT_WRITE_SCHEMAS").is_some() {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            std::fs::write(&path, &text).expect("the schema can be written");
        }
        let shipped = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            shipped == text,
            "{} is stale: run this test with PEARLSORT_WRITE_SCHEMAS=1",
            path.display()
        );
    }
}

#[test]
fn every_shipped_file_names_its_schema() {
    for file in files(&config_folder()) {
        let text = std::fs::read_to_string(&file).expect("the file can be read");
        let head = text.lines().next().unwrap_or_default();
        let schema = head
            .strip_prefix("#:schema ")
            .unwrap_or_else(|| panic!("{}: no #:schema head", file.display()));
        let folder = file.parent().expect("a file has a folder");
        assert!(
            folder.join(schema).is_file(),
            "{}: {schema} is not there",
            file.display()
        );
    }
}

#[test]
fn a_recipe_is_held_against_the_machine_that_is_checked_with_it() {
    let folder = std::env::temp_dir().join(format!("pearlsort-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let text =
        std::fs::read_to_string(config_folder().join("recipes/park-high-grade-rate.toml")).expect("it is shipped");
    let standards = config_folder().join("standards").canonicalize().expect("it is shipped");
    let text = text.replace("../standards", &standards.display().to_string());
    let path = folder.join("recipe.toml");
    std::fs::write(&path, text.replace("bin = 3", "bin = 7")).expect("the file can be written");
    let alone = config::check_file(&path);
    let with_machine = config::check_files(&[config_folder().join("line.toml"), path]);
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    assert!(!alone.has_errors(), "{alone}");
    assert!(
        with_machine
            .faults
            .iter()
            .any(|fault| fault.message == "the machine has no bin 7"),
        "{with_machine}"
    );
}
