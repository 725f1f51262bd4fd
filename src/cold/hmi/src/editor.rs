//! The recipe editor's memory: what is staged, and what undo brings back. Cold.
//!
//! Both are kept in memory: after a restart nothing is staged, and the recipe's file is what was applied last.

use std::collections::VecDeque;
use std::sync::Arc;

use config::Recipe;

use crate::limits::UNDO;
use crate::shapes::{RecipeName, Staged, Text};

/// A recipe with its text.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) name: RecipeName,
    pub(crate) text: String,
    pub(crate) recipe: Arc<Recipe>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Editor {
    pub(crate) staged: Option<(Kept, Staged)>,
    /// What was in force before, the latest last.
    before: VecDeque<Kept>,
}

impl Editor {
    /// What undo brings back.
    pub(crate) fn undo(&self) -> Option<&Kept> {
        self.before.back()
    }

    /// `before` is no longer in force, because another was applied.
    pub(crate) fn applied(&mut self, before: Kept) {
        self.staged = None;
        if self.before.len() >= UNDO {
            self.before.pop_front();
        }
        self.before.push_back(before);
    }

    /// The latest of those before is in force again.
    pub(crate) fn undone(&mut self) {
        self.before.pop_back();
    }
}

/// What a recipe is called.
pub(crate) fn name(file: &str, recipe: &Recipe) -> RecipeName {
    RecipeName {
        name: Text::new(recipe.name.zh.clone(), recipe.name.en.clone()),
        file: file.to_owned(),
        hash: recipe.hash_name(),
    }
}
