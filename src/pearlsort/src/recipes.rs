//! Recipes while a line runs: a saved file is read, checked, compiled and put in force between two pearls; a faulty one
//! changes nothing and is told with the line at fault.
//!
//! Cold. The folder is looked at, not watched: editors save by writing, by renaming and by copying, over network folders
//! too, and a look a second sees them all.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{Change, Library, Line, Recipe};
use tracing::{info, warn};

/// Time between two looks at the folder.
const LOOK: Duration = Duration::from_secs(1);

/// The folder of the recipe in force.
#[derive(Debug)]
pub struct Recipes {
    library: Library,
    /// The recipe's file: when it is saved, it takes effect.
    path: PathBuf,
    /// Hash of the recipe in force.
    in_force: u64,
    looked: Option<Instant>,
    /// Whether its file was faulty when it was saved last, until somebody asks.
    faulty: Option<bool>,
}

impl Recipes {
    /// The folder of `path`, whose recipe has the hash `in_force`.
    #[must_use]
    pub fn new(path: &Path, in_force: u64, line: Arc<Line>) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        Self {
            library: Library::new(folder, line),
            path: path
                .file_name()
                .map_or_else(|| path.to_owned(), |name| folder.join(name)),
            in_force,
            looked: None,
            faulty: None,
        }
    }

    /// Another file of the folder is in force from now on: an operator has put it there.
    pub fn switch(&mut self, path: &Path, recipe: &Recipe) {
        path.clone_into(&mut self.path);
        self.in_force = recipe.compiled.hash();
        self.faulty = Some(false);
    }

    /// Whether the recipe's file was found faulty or right since the last call.
    pub fn verdict(&mut self) -> Option<bool> {
        self.faulty.take()
    }

    /// The recipe's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the folder, if it is time; gives a recipe that shall take effect.
    pub fn look(&mut self) -> Option<Arc<Recipe>> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return None;
        }
        self.looked = Some(Instant::now());
        self.refresh()
    }

    /// Looks at the folder now.
    pub fn refresh(&mut self) -> Option<Arc<Recipe>> {
        let mut saved = None;
        for change in self.library.refresh() {
            match change {
                Change::Ready(path, recipe) if path == self.path => {
                    self.faulty = Some(false);
                    saved = Some(recipe);
                }
                Change::Ready(path, recipe) => {
                    info!(
                        "{} is right: recipe {}, not in force",
                        path.display(),
                        recipe.hash_name()
                    );
                }
                Change::Faulty(path, report) if path == self.path => {
                    self.faulty = Some(true);
                    warn!(
                        "{} was saved with faults: the recipe in force stays as it was\n{report}",
                        path.display()
                    );
                }
                Change::Faulty(path, report) => warn!("{} is wrong\n{report}", path.display()),
                Change::Gone(path) if path == self.path => {
                    warn!("{} is gone: the recipe in force stays as it was", path.display())
                }
                Change::Gone(_) => {}
            }
        }
        let recipe = saved.filter(|recipe| recipe.compiled.hash() != self.in_force)?;
        self.library.select(&self.path)?;
        self.library.make_current();
        self.in_force = recipe.compiled.hash();
        Some(recipe)
    }
}
