//! The recipes of a folder while a line runs: saved files are read, checked and compiled, and faulty ones change nothing.
//!
//! Cold side: [`Library::refresh`] is called now and then, once a second say, by whoever keeps the cold side going. It
//! starts no thread and waits for nothing. Words: a recipe is **selected** by an operator, and **current** when it has been
//! handed to the core.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::machine::Line;
use crate::recipe::{Recipe, check, named_standard};
use crate::report::Report;
use crate::source::Source;

/// What has become of a recipe's file.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is new, or says something else than before.
    Ready(PathBuf, Arc<Recipe>),
    /// It is faulty: the recipe that it held before, if any, stays as it was.
    Faulty(PathBuf, Report),
    /// It is gone; the recipe that it held can't be selected any more.
    Gone(PathBuf),
}

/// One file.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// Hash of its bytes and its standard's when last seen.
    seen: u64,
    /// Hash of those that were last checked.
    checked: Option<u64>,
    /// The last recipe without fault.
    recipe: Option<Arc<Recipe>>,
    fault: Option<Report>,
}

/// The recipes of a folder.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
    line: Arc<Line>,
    files: BTreeMap<PathBuf, Entry>,
    selected: Option<Arc<Recipe>>,
    current: Option<Arc<Recipe>>,
}

impl Library {
    /// The library of `folder` for a line; empty until [`Self::refresh`].
    #[must_use]
    pub fn new(folder: &Path, line: Arc<Line>) -> Self {
        Self {
            folder: folder.to_owned(),
            line,
            files: BTreeMap::new(),
            selected: None,
            current: None,
        }
    }

    /// Looks at every file of the folder, and gives what has changed. A file that has just been written is looked at
    /// again before it is taken: an editor may not have finished. New files are taken at once.
    pub fn refresh(&mut self) -> Vec<Change> {
        let paths = self.paths();
        let mut changes = Vec::new();
        self.files.retain(|path, _| {
            let stays = paths.contains(path);
            if !stays {
                changes.push(Change::Gone(path.clone()));
            }
            stays
        });
        for path in paths {
            let source = Source::read(&path);
            let standard = named_standard(&source, path.parent());
            let standard = standard.map_or_else(String::new, |standard| Source::read(&standard).text);
            let seen = crate::hash_of(&[&source.text, &standard]);
            let entry = self.files.entry(path.clone()).or_default();
            let settled = entry.checked.is_none() || entry.seen == seen;
            entry.seen = seen;
            if settled && entry.checked != Some(seen) {
                entry.checked = Some(seen);
                changes.push(take(entry, path, source, &self.line));
            }
        }
        changes
    }

    /// TOML files of the folder, in order.
    fn paths(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        // Editors keep copies of their own beside a file: hidden, or with another ending.
        let is_recipe = |path: &PathBuf| {
            let hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            !hidden && path.extension().is_some_and(|ending| ending == "toml") && path.is_file()
        };
        let mut paths: Vec<PathBuf> = paths.filter(is_recipe).collect();
        paths.sort();
        paths
    }

    /// Each file with its last recipe without fault, and its fault if it has one now.
    pub fn files(&self) -> impl Iterator<Item = (&Path, Option<&Arc<Recipe>>, Option<&Report>)> {
        self.files
            .iter()
            .map(|(path, entry)| (path.as_path(), entry.recipe.as_ref(), entry.fault.as_ref()))
    }

    /// Selects the recipe of a file, as it is now; `None` when it has none. Nothing changes on the line yet.
    pub fn select(&mut self, path: &Path) -> Option<Arc<Recipe>> {
        let recipe = self.files.get(path)?.recipe.clone()?;
        self.selected = Some(Arc::clone(&recipe));
        Some(recipe)
    }

    /// The recipe that is selected but not current.
    #[must_use]
    pub fn selected(&self) -> Option<&Arc<Recipe>> {
        self.selected.as_ref()
    }

    /// Makes the selected recipe current and gives it, to be handed to the core: pearls that trigger from then on are graded
    /// by it. `None` when none is selected, or it is current already.
    pub fn make_current(&mut self) -> Option<Arc<Recipe>> {
        let selected = self.selected.take()?;
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.compiled.hash() == selected.compiled.hash())
        {
            return None;
        }
        self.current = Some(Arc::clone(&selected));
        Some(selected)
    }

    /// The current recipe.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Recipe>> {
        self.current.as_ref()
    }
}

fn take(entry: &mut Entry, path: PathBuf, source: Source, line: &Line) -> Change {
    let recipe = if source.has_errors() {
        None
    } else {
        check(&source, path.parent(), Some(line), false)
    };
    match recipe {
        Some(recipe) => {
            let recipe = Arc::new(recipe);
            (entry.recipe, entry.fault) = (Some(Arc::clone(&recipe)), None);
            Change::Ready(path, recipe)
        }
        None => {
            let report = source.report();
            entry.fault = Some(report.clone());
            Change::Faulty(path, report)
        }
    }
}
