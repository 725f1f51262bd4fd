//! Recipes that change while a line runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Change, Library, load_line};

fn config_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../config")
}

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pearlsort-library-{name}-{}", std::process::id()));
        for inner in ["recipes", "standards"] {
            std::fs::create_dir_all(path.join(inner)).expect("the folder can be made");
        }
        let folder = Self(path);
        let standard = "standards/gbt-18781-freshwater.toml";
        folder.write(
            standard,
            &std::fs::read_to_string(config_folder().join(standard)).expect("it is shipped"),
        );
        folder
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("the file can be written");
        path
    }

    fn library(&self) -> Library {
        let line = load_line(&config_folder().join("line.toml")).unwrap_or_else(|report| panic!("{report}"));
        Library::new(&self.0.join("recipes"), Arc::new(line))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn recipe_text() -> String {
    std::fs::read_to_string(config_folder().join("recipes/park-high-grade-rate.toml")).expect("it is shipped")
}

#[test]
fn a_saved_recipe_is_ready_and_takes_effect_when_it_is_made_current() {
    let folder = Folder::new("saved");
    let path = folder.write("recipes/park.toml", &recipe_text());
    let mut library = folder.library();
    let changes = library.refresh();
    assert!(
        matches!(&changes[..], [Change::Ready(ready, _)] if *ready == path),
        "{changes:?}"
    );
    assert!(library.refresh().is_empty(), "nothing has changed");
    assert!(library.make_current().is_none(), "nothing is selected");
    let selected = library.select(&path).expect("it has a recipe");
    assert!(library.current().is_none(), "selected is not current");
    let current = library.make_current().expect("it was selected");
    assert_eq!(current.hash_name(), selected.hash_name());
    library.select(&path);
    assert!(library.make_current().is_none(), "it is current already");
}

#[test]
fn a_changed_file_is_taken_when_it_has_settled() {
    let folder = Folder::new("settled");
    let path = folder.write("recipes/park.toml", &recipe_text());
    let mut library = folder.library();
    library.refresh();
    let before = library.select(&path).expect("it has a recipe").hash_name();
    folder.write("recipes/park.toml", &recipe_text().replace(">=6.0", ">=6.5"));
    assert!(library.refresh().is_empty(), "the editor may still be writing");
    assert!(matches!(&library.refresh()[..], [Change::Ready(..)]));
    assert_ne!(library.select(&path).expect("it has a recipe").hash_name(), before);
}

#[test]
fn a_faulty_file_changes_nothing_and_is_reported_with_its_line() {
    let folder = Folder::new("faulty");
    let path = folder.write("recipes/park.toml", &recipe_text());
    let mut library = folder.library();
    library.refresh();
    let before = library.select(&path).expect("it has a recipe").hash_name();
    folder.write("recipes/park.toml", &recipe_text().replace("\">=6.0\"", "\">=6..0\""));
    library.refresh();
    let changes = library.refresh();
    let [Change::Faulty(_, report)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(report.faults[0].key, "bin[1].diameter-mm");
    assert_eq!(
        library.select(&path).expect("the last good recipe stays").hash_name(),
        before
    );
    assert!(
        library
            .files()
            .all(|(_, recipe, fault)| recipe.is_some() && fault.is_some())
    );
}

#[test]
fn a_changed_standard_makes_another_recipe() {
    let folder = Folder::new("standard");
    let path = folder.write("recipes/park.toml", &recipe_text());
    let mut library = folder.library();
    library.refresh();
    let before = library.select(&path).expect("it has a recipe").hash_name();
    let standard =
        std::fs::read_to_string(folder.0.join("standards/gbt-18781-freshwater.toml")).expect("it was written");
    folder.write(
        "standards/gbt-18781-freshwater.toml",
        &standard
            .replace("\">=80\"", "\">=82\"")
            .replace("\"60..80\"", "\"60..82\""),
    );
    library.refresh();
    assert!(matches!(&library.refresh()[..], [Change::Ready(..)]));
    assert_ne!(library.select(&path).expect("it has a recipe").hash_name(), before);
}

#[test]
fn files_that_are_gone_or_are_an_editors_own_are_no_recipes() {
    let folder = Folder::new("gone");
    let path = folder.write("recipes/park.toml", &recipe_text());
    folder.write("recipes/.park.toml.swp", "x");
    folder.write("recipes/.#park.toml", "x");
    folder.write("recipes/park.toml~", "x");
    let mut library = folder.library();
    assert_eq!(library.refresh().len(), 1);
    std::fs::remove_file(&path).expect("the file can be removed");
    assert!(matches!(&library.refresh()[..], [Change::Gone(gone)] if *gone == path));
    assert!(library.select(&path).is_none());
}
