//! Tidiness as a test: the layout, the direction of dependencies, the length of things, the documents' tables against
//! the code. Runs under `cargo test`; reads the tree and `cargo metadata`, changes nothing.
//!
//! Words: a **layer** is the first folder of a member under `src` (`common`, `hot`, `cold`) or the member itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a Rust file and of a function, beyond which a reader loses the thread.
const FILE_LINES: usize = 700;
const FUNCTION_LINES: usize = 80;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace's folder exists")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every tracked-looking file with one of `endings`, relative to the root, without build artefacts.
fn files(endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" && name != "node_modules" && name != "corpus" {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let relative = path.strip_prefix(root()).expect("the path lies under the root");
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Members by name, with their folder and the workspace members that they name (development dependencies apart).
fn members() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut members = BTreeMap::new();
    for package in packages {
        let manifest = Path::new(package["manifest_path"].as_str().expect("manifest_path"));
        let folder = manifest
            .parent()
            .expect("a manifest has a folder")
            .strip_prefix(root())
            .expect("under the root");
        let named = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect();
        let name = package["name"].as_str().expect("name").to_owned();
        members.insert(name, (folder.to_string_lossy().into_owned(), named));
    }
    members
}

#[test]
fn dependencies_point_from_the_program_to_the_bus() {
    let members = members();
    let layer = |name: &str| {
        let folder = &members[name].0;
        folder
            .strip_prefix("src/")
            .unwrap_or(folder)
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let mut wrong = Vec::new();
    for (name, (_, named)) in &members {
        for other in named {
            let (from, to) = (layer(name), layer(other));
            let allowed = match from.as_str() {
                "common" => to == "common",
                "hot" => to == "common" || to == "hot",
                "cold" => (to == "common" || to == "hot" || to == "cold") && other != "devices",
                "sim" => to == "common" || to == "hot",
                "pearlsort" | "hil-tests" | "benches" => true,
                _ => false,
            };
            if !allowed {
                wrong.push(format!("{name} ({from}) names {other} ({to})"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "dependencies against the direction of docs/STYLE.md: {wrong:#?}"
    );
}

#[test]
fn stages_of_the_line_do_not_import_one_another() {
    let stages = ["sync", "track", "weigh", "grade", "schedule", "settle"];
    let mut wrong = Vec::new();
    for file in files(&[".rs"])
        .into_iter()
        .filter(|file| file.starts_with("src/hot/line/src/"))
    {
        let own = file
            .trim_start_matches("src/hot/line/src/")
            .split(['/', '.'])
            .next()
            .unwrap_or_default()
            .to_owned();
        if !stages.contains(&own.as_str()) {
            continue;
        }
        // A stage's tests may set the scene with another stage.
        let text = read(&file);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for other in stages.iter().filter(|other| **other != own) {
            if code.contains(&format!("crate::{other}::")) || code.contains(&format!("super::{other}::")) {
                wrong.push(format!("{file} imports stage {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_have_heads_and_fit_a_reader() {
    let mut wrong = Vec::new();
    for file in files(&[".rs"]) {
        let text = read(&file);
        if !text.starts_with("//!") {
            wrong.push(format!("{file}: its first line is no head (//!)"));
        }
        let lines = text.lines().count();
        if lines > FILE_LINES {
            wrong.push(format!("{file}: {lines} lines, at most {FILE_LINES}"));
        }
        for (name, length) in functions(&text) {
            if length > FUNCTION_LINES {
                wrong.push(format!(
                    "{file}: fn {name} has {length} lines, at most {FUNCTION_LINES}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Functions of a formatted file with their length: from the line with `fn` to the closing brace of the same indent.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(at) = code
            .find("fn ")
            .filter(|at| *at == 0 || code[..*at].ends_with([' ', '(']))
        else {
            continue;
        };
        if code.starts_with("//") || !code[..at].split_whitespace().all(is_qualifier) {
            continue;
        }
        // A trait's declaration has no body.
        let head = lines[start..].iter().find(|line| line.ends_with(['{', ';', '}']));
        if head.is_some_and(|line| line.ends_with(';')) {
            continue;
        }
        let name = code[at + 3..]
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default();
        let closing = format!("{}}}", " ".repeat(indent));
        if let Some(end) = lines[start..].iter().position(|line| *line == closing) {
            found.push((name.to_owned(), end + 1));
        }
    }
    found
}

fn is_qualifier(word: &str) -> bool {
    word.starts_with("pub")
        || matches!(
            word,
            "const" | "unsafe" | "async" | "extern" | "\"C\"" | "in" | "crate::"
        )
}

#[test]
fn unsafe_stays_in_rt_and_says_why_it_is_sound() {
    let mut wrong = Vec::new();
    for file in files(&[".rs"]) {
        let text = read(&file);
        let in_rt = file.starts_with("src/hot/rt/") || file.starts_with("src/firmware/");
        let is_test = file.contains("/tests/");
        if file.ends_with("src/lib.rs") && !in_rt && !text.contains("#![forbid(unsafe_code)]") {
            wrong.push(format!("{file}: lacks #![forbid(unsafe_code)]"));
        }
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let blocks = code.contains("unsafe {") || code.contains("unsafe impl");
            if !blocks || code.contains('"') {
                continue;
            }
            if !in_rt && !is_test {
                wrong.push(format!("{file}:{}: unsafe outside rt", number + 1));
            }
            let above = &lines[number.saturating_sub(6)..=number];
            if !above.iter().any(|line| line.contains("SAFETY")) {
                wrong.push(format!("{file}:{}: unsafe without SAFETY above it", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_core_and_the_bus_have_no_clock_lock_or_output() {
    // The folders whose code must be a function of its inputs.
    let pure = [
        "src/common/",
        "src/hot/line/src/",
        "src/hot/vision/src/",
        "src/cold/operate/src/",
    ];
    let banned = [
        "std::time",
        "Instant::now",
        "SystemTime",
        "Mutex",
        "RwLock",
        "println!",
        "eprintln!",
        "std::fs",
        "std::net",
        "std::thread",
        "HashMap",
        "tracing::",
    ];
    let mut wrong = Vec::new();
    for file in files(&[".rs"]) {
        if !pure.iter().any(|folder| file.starts_with(folder))
            || file.contains("/tests/")
            || file.contains("/examples/")
        {
            continue;
        }
        let text = read(&file);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                wrong.push(format!("{file}:{}: {word}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "what the hot side may not do: {wrong:#?}");
}

#[test]
fn every_member_is_in_its_place_and_inherits_the_lints() {
    for (name, (folder, _)) in members() {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name}: its manifest lacks the workspace's lints"
        );
        assert!(
            manifest.contains("publish.workspace = true"),
            "{name}: its manifest lacks publish.workspace"
        );
    }
    for needed in [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "src",
        "config",
        "hil-tests",
        "benches",
        "docs",
    ] {
        assert!(root().join(needed).exists(), "the top level lacks {needed}");
    }
}

#[test]
fn the_architecture_shows_the_topology_that_the_program_has() {
    let document = read("docs/ARCHITECTURE.md");
    for line in pearlsort::topology::as_markdown()
        .lines()
        .filter(|line| !line.is_empty())
    {
        assert!(
            document.contains(line),
            "docs/ARCHITECTURE.md lacks this line of the topology:\n{line}"
        );
    }
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let document = read("docs/ARCHITECTURE.md");
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| I")).collect();
    assert!(
        rows.len() >= 6,
        "docs/ARCHITECTURE.md lists {} invariants, at least six are promised",
        rows.len()
    );
    let code: Vec<String> = files(&[".rs"]).iter().map(|file| read(file)).collect();
    for row in rows {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "an invariant without a test: {row}");
        for test in named {
            let name = test.rsplit("::").next().unwrap_or(test);
            let exists = code.iter().any(|text| text.contains(&format!("fn {name}(")));
            assert!(exists, "docs/ARCHITECTURE.md names a test that does not exist: {test}");
        }
    }
}

#[test]
fn documents_name_files_that_exist() {
    let mut wrong = Vec::new();
    for document in files(&[".md"]) {
        for (number, line) in read(&document).lines().enumerate() {
            for name in line.split('`').skip(1).step_by(2) {
                let is_path = ["src/", "config/", "docs/", "hil-tests/", "benches/"]
                    .iter()
                    .any(|top| name.starts_with(top));
                let plain = name.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
                if is_path && plain && !root().join(name).exists() {
                    wrong.push(format!("{document}:{}: {name}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "documents name what does not exist: {wrong:#?}");
}
