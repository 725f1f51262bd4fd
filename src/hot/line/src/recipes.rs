//! The recipe in force and those that pearls on the belt still need.
//!
//! Hot thread: a recipe is never dropped here, it is handed back through `retire`.

use std::sync::Arc;

use crate::grade::Recipe;
use crate::io::Output;
use crate::limits::RECIPES;

#[derive(Clone, Debug)]
struct Slot {
    recipe: Option<Arc<Recipe>>,
    /// Pearls that are to be graded by it.
    pearls: u32,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Recipes {
    slots: [Slot; RECIPES],
    current: usize,
}

impl Recipes {
    pub(crate) fn new(recipe: Arc<Recipe>) -> Self {
        let mut slots = [const {
            Slot {
                recipe: None,
                pearls: 0,
            }
        }; RECIPES];
        slots[0].recipe = Some(recipe);
        Self { slots, current: 0 }
    }

    /// The current recipe's slot for one more pearl, and its hash.
    pub(crate) fn take(&mut self) -> (u8, u64) {
        let slot = &mut self.slots[self.current];
        slot.pearls = slot.pearls.saturating_add(1);
        let hash = slot.recipe.as_ref().map_or(0, |recipe| recipe.hash());
        #[expect(clippy::cast_possible_truncation, reason = "there are few slots")]
        (self.current as u8, hash)
    }

    /// The recipe in a slot.
    pub(crate) fn get(&self, slot: u8) -> Option<&Recipe> {
        self.slots.get(usize::from(slot))?.recipe.as_deref()
    }

    /// A pearl needs its recipe no more.
    pub(crate) fn release(&mut self, slot: u8, out: &mut impl Output) {
        let index = usize::from(slot);
        let Some(of) = self.slots.get_mut(index) else { return };
        of.pearls = of.pearls.saturating_sub(1);
        if of.pearls == 0 && index != self.current {
            retire(of, out);
        }
    }

    /// Whether there is a slot for a new recipe; otherwise the one that has been replaced the longest.
    pub(crate) fn room(&self) -> Result<(), u8> {
        let next = (self.current + 1) % RECIPES;
        if self.slots.iter().any(|slot| slot.recipe.is_none()) {
            return Ok(());
        }
        #[expect(clippy::cast_possible_truncation, reason = "there are few slots")]
        Err(next as u8)
    }

    /// Puts a recipe in force. There must be room: without it the new one goes back as it came.
    pub(crate) fn replace(&mut self, recipe: Arc<Recipe>, out: &mut impl Output) {
        let free = (1..=RECIPES).map(|step| (self.current + step) % RECIPES);
        let Some(free) = free.into_iter().find(|index| self.slots[*index].recipe.is_none()) else {
            out.retire(recipe);
            return;
        };
        self.slots[free].recipe = Some(recipe);
        let before = std::mem::replace(&mut self.current, free);
        if self.slots[before].pearls == 0 {
            retire(&mut self.slots[before], out);
        }
    }
}

fn retire(slot: &mut Slot, out: &mut impl Output) {
    if let Some(recipe) = slot.recipe.take() {
        out.retire(recipe);
    }
}
