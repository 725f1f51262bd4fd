//! Recipes that are saved while the program runs, and what of it comes into a recording.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::Line;
use line::Command;
use pearlsort::daemon::{Daemon, Spec};
use pearlsort::recipes::Recipes;
use pearlsort::recording::{self, Recorder};
use pearlsort::{replay, run};
use tape::{Ending, Event, Machine, Reader, Totals};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

/// A folder of its own with a copy of a shipped recipe and its standard, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pearlsort-{name}-{}", std::process::id()));
        for inner in ["recipes", "standards"] {
            fs::create_dir_all(path.join(inner)).expect("a folder can be made");
        }
        let folder = Self(path);
        for (from, to) in [
            (
                "standards/gbt-18781-freshwater.toml",
                "standards/gbt-18781-freshwater.toml",
            ),
            ("recipes/park-high-grade-rate.toml", "recipes/now.toml"),
        ] {
            fs::copy(shipped(from), folder.0.join(to)).expect("a file can be copied");
        }
        folder
    }

    fn recipe(&self) -> PathBuf {
        self.0.join("recipes/now.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.recipe()).expect("it can be read")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn machine() -> Arc<Line> {
    Arc::new(config::load_line(&shipped("line.toml")).unwrap_or_else(|report| panic!("{report}")))
}

fn load(folder: &Folder, line: &Line) -> config::Recipe {
    config::load_recipe(&folder.recipe(), line).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn a_saved_recipe_takes_effect_and_a_faulty_one_changes_nothing() {
    let (folder, line) = (Folder::new("saved"), machine());
    let before = load(&folder, &line).compiled.hash();
    let mut recipes = Recipes::new(&folder.recipe(), before, line);
    assert!(
        recipes.refresh().is_none(),
        "what is in force already takes no effect again"
    );

    let good = folder.text();
    let changed = good.replace("\">=6.0\"", "\">=6.5\"");
    assert_ne!(good, changed);
    // An editor that writes beside the file and renames.
    let beside = folder.0.join("recipes/.now.toml.swp");
    fs::write(&beside, &changed).expect("it can be written");
    fs::rename(&beside, folder.recipe()).expect("it can be renamed");
    // It is looked at again before it is taken: the editor may not have finished.
    assert!(recipes.refresh().is_none());
    let taken = recipes.refresh().expect("a saved recipe takes effect");
    assert_ne!(taken.compiled.hash(), before);
    assert!(recipes.refresh().is_none(), "once");

    fs::write(folder.recipe(), changed.replace("\">=6.5\"", "\"8.0..6.5\"")).expect("it can be written");
    assert!(
        (0..3).all(|_| recipes.refresh().is_none()),
        "a faulty recipe changes nothing"
    );
    fs::write(folder.recipe(), &changed).expect("it can be written");
    assert!(
        (0..3).all(|_| recipes.refresh().is_none()),
        "what is in force is there again"
    );
    fs::write(folder.recipe(), &good).expect("it can be written");
    let back = (0..3)
        .find_map(|_| recipes.refresh())
        .expect("the old recipe takes effect again");
    assert_eq!(back.compiled.hash(), before);
}

#[test]
fn a_run_records_its_commands_and_recipes_and_replays() {
    let (folder, line) = (Folder::new("run"), machine());
    let recipe = load(&folder, &line);
    let text = fs::read_to_string(shipped("line.toml")).expect("it is shipped");
    let name = "line.toml".to_owned();
    let head = recording::head(Machine::File { name, text }, &line.plan, recipe.compiled.hash());
    let file = folder.0.join("shift.rec");
    let entry = recording::entry(&folder.recipe(), &recipe);
    assert_eq!(entry.texts.len(), 2, "the recipe's text and its standard's");
    let writer = recording::create(&file, &head, &entry, tape::limits::FILE_BYTES).expect("a file can be made");
    assert!(
        recording::create(&file, &head, &entry, tape::limits::FILE_BYTES).is_err(),
        "a recording is never written over"
    );
    let spec = Spec {
        hold_cpu_latency: false,
        plan: line.plan.clone(),
        recipe: Arc::clone(&recipe.compiled),
        links: run::link_plans(&line),
        hot: None,
    };
    let (mut daemon, _cold, stream) = Daemon::start_recorded(spec).expect("a thread can be had");
    let mut recorder = Recorder::new(&file, writer, stream);
    let changed = folder.text().replace("\">=6.0\"", "\">=6.5\"");
    fs::write(folder.recipe(), changed).expect("it can be written");
    let other = load(&folder, &line);
    recorder.recipe(&recording::entry(&folder.recipe(), &other));
    daemon.publish(Arc::clone(&other.compiled));
    daemon
        .command(Command::Lot { lot: 7 })
        .expect("there is room for a command");
    recorder.look();
    let end = daemon.end().expect("the hot thread ends well");
    recorder.end(end.unrecorded);

    let open = || Reader::new(File::open(&file).expect("it is there")).expect("it is a recording");
    let mut reader = open();
    let mut seen = Vec::new();
    while let Some((_, event)) = reader.next_event().expect("it can be read") {
        match event {
            Event::Recipe(hash) => seen.push(format!("recipe {}", hash == other.compiled.hash())),
            Event::Command(command) => seen.push(format!("{command:?}")),
            _ => {}
        }
    }
    // The thread may have seen the first recipe before the second was published, or not.
    seen.retain(|event| event != "recipe false");
    assert_eq!(seen, ["recipe true", "Lot { lot: 7 }"]);
    assert_eq!(reader.ending(), Some(&Ending::Whole(Totals::default())));
    let mut reader = open();
    let plan = replay::plan_of(reader.head()).expect("this program makes the same plan");
    let replayed = replay::run(&mut reader, plan, |_| {}).expect("it can be read");
    assert!(replayed.is_same() && replayed.checks > 0, "{replayed:?}");
}
