//! Counts of two recipes over the pearls of a recording, and their tables. Cold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use line::Record;
use setup::compare::{Slot, Sum, Tally, figures_of, mass_g};

use super::side::{Side, slot_name};

/// See the module.
#[derive(Debug)]
pub(super) struct Counts {
    tally: Tally,
    /// Pearls that guards send elsewhere than their figures alone.
    guarded: [u64; 2],
    /// The first pearls that moved, with the reason.
    moved: Vec<String>,
    most_moved: usize,
}

impl Counts {
    pub(super) fn new(most_moved: usize) -> Self {
        Self {
            tally: Tally::default(),
            guarded: [0; 2],
            moved: Vec::new(),
            most_moved,
        }
    }

    /// Grades a pearl by both recipes.
    pub(super) fn take(&mut self, record: &Record, old: &Side, new: &Side) {
        let mass_g = mass_g(record);
        let figures = figures_of(record);
        let slots = [old, new].map(|side| figures.map_or(Slot::Line, |figures| side.slot(record, figures)));
        let mut values = [0.0; 2];
        for (n, side) in [old, new].into_iter().enumerate() {
            if let Slot::Bin(bin) = slots[n] {
                values[n] = side.value(bin, record.lane, mass_g).unwrap_or(0.0);
            }
            let moved_by_guard = figures.is_some_and(|figures| side.plain_slot(record.lane, figures) != slots[n]);
            self.guarded[n] += u64::from(moved_by_guard);
        }
        self.tally.take(mass_g, slots, values);
        let [from, to] = slots;
        if from != to && self.moved.len() < self.most_moved {
            let reason = figures.map_or_else(String::new, |figures| new.reason(from, record.lane, figures));
            self.moved.push(format!(
                "pearl {} lane {}: {} -> {}; {reason}",
                record.pearl.0,
                record.lane.0 + 1,
                slot_name(old, from),
                slot_name(new, to)
            ));
        }
    }

    /// The tables.
    pub(super) fn report(&self, old: &Side, new: &Side) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "old  {}\nnew  {}\n", old.title(), new.title());
        self.bins(&mut text, old, new);
        let _ = writeln!(
            text,
            "\nguards send elsewhere: {} pearls by the old recipe, {} by the new",
            self.guarded[0], self.guarded[1]
        );
        self.matrix(&mut text, old, new);
        if !self.moved.is_empty() {
            let _ = writeln!(text, "\nthe first {} that moved:", self.moved.len());
            for moved in &self.moved {
                let _ = writeln!(text, "  {moved}");
            }
        }
        text
    }

    fn bins(&self, text: &mut String, old: &Side, new: &Side) {
        let heads = (format!("old {}", old.currency()), format!("new {}", new.currency()));
        let _ = writeln!(
            text,
            "{:<36} {:>9} {:>7} {:>9} {:>7} {:>9} {:>10} {:>10} {:>12} {:>12}",
            "", "old", "%", "new", "%", "change", "old g", "new g", heads.0, heads.1
        );
        for slot in Slot::all() {
            let [a, b] = self.tally.sums(slot);
            if a.pearls + b.pearls == 0 {
                continue;
            }
            let name = if b.pearls > 0 {
                slot_name(new, slot)
            } else {
                slot_name(old, slot)
            };
            self.row(text, &name, a, b);
        }
        let [a, b] = self.tally.totals();
        self.row(text, "all", a, b);
    }

    fn row(&self, text: &mut String, name: &str, a: Sum, b: Sum) {
        let share = |pearls: u64| 100.0 * pearls as f64 / self.tally.pearls().max(1) as f64;
        let _ = writeln!(
            text,
            "{name:<36} {:>9} {:>7.2} {:>9} {:>7.2} {:>+9} {:>10.1} {:>10.1} {:>12} {:>12}",
            a.pearls,
            share(a.pearls),
            b.pearls,
            share(b.pearls),
            b.pearls.cast_signed() - a.pearls.cast_signed(),
            a.mass_g,
            b.mass_g,
            value_text(a.value),
            value_text(b.value),
        );
    }

    /// From each slot of the old recipe to each of the new, where there are pearls.
    fn matrix(&self, text: &mut String, old: &Side, new: &Side) {
        let columns: Vec<Slot> = Slot::all()
            .filter(|slot| self.tally.sums(*slot)[1].pearls > 0)
            .collect();
        let _ = write!(text, "\n{:<36}", "from old (down) to new (across)");
        for column in &columns {
            let _ = write!(text, " {:>10}", short(*column));
        }
        text.push('\n');
        for from in Slot::all().filter(|slot| self.tally.sums(*slot)[0].pearls > 0) {
            let _ = write!(text, "{:<36}", slot_name(old, from));
            for to in &columns {
                let _ = write!(text, " {:>10}", self.tally.moved(from, *to));
            }
            text.push('\n');
        }
        let legend: BTreeMap<String, String> = columns
            .iter()
            .map(|slot| (short(*slot), slot_name(new, *slot)))
            .collect();
        for (short, name) in legend.iter().filter(|(short, name)| short != name) {
            let _ = writeln!(text, "  {short}: {name}");
        }
    }
}

/// A value, where the recipe says any.
fn value_text(value: f64) -> String {
    if value == 0.0 {
        "-".to_owned()
    } else {
        format!("{value:.2}")
    }
}

fn short(slot: Slot) -> String {
    match slot {
        Slot::Bin(bin) => format!("bin {}", bin.0 + 1),
        Slot::NoBin => "no bin".to_owned(),
        Slot::Doubt => "doubt".to_owned(),
        Slot::Unmeasured => "unmeasured".to_owned(),
        Slot::Line => "line".to_owned(),
    }
}
