//! The session of `docs/TUNING.md`: every command of the page is run, in order, and must print what the page shows. Numbers
//! are compared as such only in their places: pearls are counted anew with every change of the virtual line. With
//! `PEARLSORT_WRITE_PAGES=1` the page is written anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A command of the page and what it shows under it.
struct Step {
    command: String,
    shown: String,
}

/// Steps of the page's console blocks.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                shown: String::new(),
            });
        } else if inside && let Some(step) = steps.last_mut() {
            step.shown.push_str(line);
            step.shown.push('\n');
        }
    }
    steps
}

/// Runs a line of the page in `folder`; the program is the one that was just built.
fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_pearlsort"));
    let path = format!(
        "{}:{}",
        program.parent().expect("a program is in a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("a shell runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs of digits become `0`, runs of blanks one.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if !(matches!(c, '0' | ' ') && plain.ends_with(c)) {
            plain.push(c);
        }
    }
    plain
}

/// A folder of its own with the shipped configuration, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("pearlsort-tuning-{}", std::process::id()));
        for inner in ["config/recipes", "config/standards"] {
            fs::create_dir_all(path.join(inner)).expect("a folder can be made");
            for entry in fs::read_dir(root().join(inner)).expect("the configuration is shipped") {
                let from = entry.expect("an entry can be read").path();
                let name = from.file_name().expect("a file has a name");
                fs::copy(&from, path.join(inner).join(name)).expect("a file can be copied");
            }
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_tuning_page_shows_what_the_program_prints() {
    let path = root().join("docs/TUNING.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let folder = Folder::new();
    let mut written = page.clone();
    let steps = steps(&page);
    assert!(steps.len() >= 8, "the page's session has {} steps", steps.len());
    for step in &steps {
        let printed = run(&step.command, &folder.0);
        if std::env::var_os("PEARLSORT_WRITE_PAGES").is_some() {
            let shown = format!("$ {}\n{}", step.command, step.shown);
            written = written.replacen(&shown, &format!("$ {}\n{printed}", step.command), 1);
        } else {
            assert_eq!(plain(&printed), plain(&step.shown), "$ {}", step.command);
        }
    }
    if written != page {
        fs::write(&path, written).expect("the page can be written");
    }
}
