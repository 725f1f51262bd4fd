//! What a recipe would have done with the last pearls, beside the one in force: the same counting as `pearlsort tune`. Cold; for
//! workers.

use std::cmp::Reverse;
use std::sync::Arc;

use config::Recipe;
use line::Record;
use setup::compare::{Slot, Tally, figures_of, mass_g, slot_of, unguarded, value};

use crate::machine::{Answer, RecipeBook, Refusal, RefusalKind};
use crate::shapes::{Move, Slot as SlotShape, Text, WhatIf};

/// Grades the pearls by both recipes.
pub(crate) fn what_if(book: &RecipeBook, new: &Arc<Recipe>, records: &[Record]) -> Answer<WhatIf> {
    let sides = [&book.recipe, new];
    let plain = [unguarded(&book.recipe.compiled), unguarded(&new.compiled)];
    let [Ok(old_plain), Ok(new_plain)] = plain else {
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "recipe_faulty",
            "配方不能编译",
            "the recipe can't be compiled",
            "text",
        ));
    };
    let plain = [old_plain, new_plain];
    let mut tally = Tally::default();
    let mut guarded = [0_u64; 2];
    for record in records {
        let (figures, mass_g) = (figures_of(record), mass_g(record));
        let mut slots = [Slot::Line; 2];
        let mut values = [0.0; 2];
        for n in 0..2 {
            let Some(figures) = figures else { continue };
            slots[n] = slot_of(&sides[n].compiled, record.lane, figures);
            guarded[n] += u64::from(slot_of(&plain[n], record.lane, figures) != slots[n]);
            if let Slot::Bin(bin) = slots[n] {
                values[n] = value(sides[n], bin, record.lane, mass_g).unwrap_or(0.0);
            }
        }
        tally.take(mass_g, slots, values);
    }
    Ok(WhatIf {
        pearls: tally.pearls(),
        old: book.in_force.clone(),
        new_hash: new.hash_name(),
        currency: new.currency.clone(),
        slots: slots(&tally, sides),
        moves: moves(&tally),
        old_guarded: guarded[0],
        new_guarded: guarded[1],
    })
}

fn slots(tally: &Tally, [old, new]: [&Arc<Recipe>; 2]) -> Vec<SlotShape> {
    let says_values = |recipe: &Recipe| recipe.bins.iter().any(|bin| bin.value != config::Value::Unknown);
    let (old_says, new_says) = (says_values(old), says_values(new));
    let used = Slot::all().map(|slot| (slot, tally.sums(slot)));
    used.filter(|(_, [a, b])| a.pearls + b.pearls > 0)
        .map(|(slot, [a, b])| SlotShape {
            slot: fixed_name(slot),
            name: name(slot, if b.pearls > 0 { new } else { old }),
            old_pearls: a.pearls,
            new_pearls: b.pearls,
            old_mass_mg: a.mass_g * 1e3,
            new_mass_mg: b.mass_g * 1e3,
            old_value: old_says.then_some(a.value),
            new_value: new_says.then_some(b.value),
        })
        .collect()
}

fn moves(tally: &Tally) -> Vec<Move> {
    let pairs = Slot::all().flat_map(|from| Slot::all().map(move |to| (from, to)));
    let mut moves: Vec<Move> = pairs
        .filter(|(from, to)| from != to && tally.moved(*from, *to) > 0)
        .map(|(from, to)| Move {
            from: fixed_name(from),
            to: fixed_name(to),
            pearls: tally.moved(from, to),
        })
        .collect();
    moves.sort_by_key(|of| Reverse(of.pearls));
    moves
}

fn fixed_name(slot: Slot) -> String {
    match slot {
        Slot::Bin(bin) => format!("bin.{}", u16::from(bin.0) + 1),
        Slot::NoBin => "no_bin".to_owned(),
        Slot::Doubt => "doubt".to_owned(),
        Slot::Unmeasured => "unmeasured".to_owned(),
        Slot::Line => "line".to_owned(),
    }
}

fn name(slot: Slot, recipe: &Recipe) -> Text {
    match slot {
        Slot::Bin(bin) => {
            let of = recipe.bins.iter().find(|of| of.bin == bin);
            of.map_or_else(Text::default, |of| Text::new(of.name.zh.clone(), of.name.en.clone()))
        }
        Slot::NoBin => Text::new("复检：没有料斗接收", "recirculated: no bin takes it"),
        Slot::Doubt => Text::new("复检：存疑", "recirculated: doubt"),
        Slot::Unmeasured => Text::new("复检：未测到", "recirculated: not measured"),
        Slot::Line => Text::new("复检：设备原因", "recirculated by the line"),
    }
}
