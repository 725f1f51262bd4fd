//! One of the two recipes that are held against each other: a file's, or the one that was in force. Cold.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use config::Answer;
use line::grade::{Figures, Recipe, Term, term_holds};
use line::{LinePlan, Record};
use setup::compare::{self, Slot, slot_of};
use tape::{Reader, RecipeEntry};
use units::{BinId, LaneId};

use super::plot::ends;
use super::shown;
use crate::exit::{Exit, Failure};
use crate::recording::named_standard;

/// A recipe with what is known of it.
#[derive(Debug)]
pub struct Side {
    title: String,
    /// The recipe, or the one that a record names.
    recipe: Arc<Recipe>,
    others: HashMap<u64, Arc<Recipe>>,
    /// Without guards.
    plain: Recipe,
    /// The file's, with names, values and conditions; `None` where there is no file.
    file: Option<config::Recipe>,
}

impl Side {
    /// The recipe of a file.
    ///
    /// # Errors
    /// When it is wrong; all faults are told.
    pub fn of_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", shown(path)))?;
        let standard = named_standard(path, &text);
        let file = parsed(path, &text, standard.as_deref())?;
        let recipe = Arc::clone(&file.compiled);
        Self::new(shown(path), recipe, HashMap::new(), Some(file))
    }

    /// The recipes that graded a recording's pearls; each pearl has the one that was in force at its trigger.
    ///
    /// # Errors
    /// When the recording does not hold the recipe that was in force at its start.
    pub fn of_recording<R: Read>(reader: &Reader<R>) -> Result<Self> {
        let hash = reader.head().recipe;
        let entry = reader
            .recipe(hash)
            .ok_or_else(|| Failure::new(Exit::Data, format!("the recording does not hold recipe {hash:016x}")))?;
        let mut side = Self::of_entry(entry)?;
        for entry in reader.recipes() {
            side.others.insert(entry.hash, compiled(entry)?);
        }
        Ok(side)
    }

    /// A recipe of a recording. Its names and values are known where its standard's file is still what it was.
    ///
    /// # Errors
    /// When its rows can't be compiled.
    pub fn of_entry(entry: &RecipeEntry) -> Result<Self> {
        let (title, file) = match entry.texts.as_slice() {
            [own, standard] => {
                let path = Path::new(&standard.name);
                let same = std::fs::read_to_string(path).is_ok_and(|text| text == standard.text);
                let file = same
                    .then(|| parsed(Path::new(&own.name), &own.text, Some(path)).ok())
                    .flatten();
                (own.name.clone(), file)
            }
            [own] => (own.name.clone(), None),
            _ => (format!("recipe {:016x}", entry.hash), None),
        };
        let file = file.filter(|file| file.compiled.hash() == entry.hash);
        Self::new(format!("{title}, as recorded"), compiled(entry)?, HashMap::new(), file)
    }

    fn new(
        title: String,
        recipe: Arc<Recipe>,
        others: HashMap<u64, Arc<Recipe>>,
        file: Option<config::Recipe>,
    ) -> Result<Self> {
        let plain = compare::unguarded(&recipe)?;
        Ok(Self {
            title,
            recipe,
            others,
            plain,
            file,
        })
    }

    /// Thresholds of a figure.
    pub(super) fn thresholds(&self, figure: line::grade::Figure) -> std::collections::BTreeSet<i32> {
        let terms = self.recipe.rows().iter().flat_map(|row| &row.terms);
        ends(terms.map(|term| term.range).filter(|range| range.figure == figure))
    }

    /// What it is called in tables.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether the machine has its bins.
    ///
    /// # Errors
    /// When it has not.
    pub fn fits(&self, plan: &LinePlan) -> Result<()> {
        let most = self.recipe.rows().iter().map(|row| row.bin.0).max().unwrap_or(0);
        if most < plan.bins {
            return Ok(());
        }
        let message = format!(
            "{} sends pearls into bin {}; the machine has {}",
            self.title,
            most + 1,
            plan.bins
        );
        Err(Failure::new(Exit::Config, message).into())
    }

    /// Where the recipe sends a pearl.
    #[must_use]
    pub fn slot(&self, record: &Record, figures: Figures<'_>) -> Slot {
        let recipe = self.others.get(&record.recipe).unwrap_or(&self.recipe);
        slot_of(recipe, record.lane, figures)
    }

    /// Where the recipe at its start would send a pearl if it had no guards.
    #[must_use]
    pub fn plain_slot(&self, lane: LaneId, figures: Figures<'_>) -> Slot {
        slot_of(&self.plain, lane, figures)
    }

    /// Name of a bin.
    #[must_use]
    pub fn bin_name(&self, bin: BinId) -> Option<&str> {
        let bins = &self.file.as_ref()?.bins;
        Some(bins.iter().find(|of| of.bin == bin)?.name.en.as_str())
    }

    /// What a pearl of a bin is worth; `None` where the recipe does not say.
    #[must_use]
    pub fn value(&self, bin: BinId, lane: LaneId, mass_g: f64) -> Option<f64> {
        compare::value(self.file.as_ref()?, bin, lane, mass_g)
    }

    /// Of the values.
    #[must_use]
    pub fn currency(&self) -> &str {
        let currency = self.file.as_ref().and_then(|file| file.currency.as_deref());
        currency.unwrap_or("value")
    }

    /// Why this recipe does not leave a pearl where another had it.
    #[must_use]
    pub fn reason(&self, from: Slot, lane: LaneId, figures: Figures<'_>) -> String {
        let (Slot::Bin(bin), Some(file)) = (from, &self.file) else {
            return "all conditions of its new bin hold".to_owned();
        };
        let (_, answers) = file.explain(lane, figures);
        let mut of_bin = answers
            .iter()
            .filter(|answer| answer.serves && file.bins[answer.index].bin == bin)
            .peekable();
        if of_bin.peek().is_none() {
            return "no such bin for this lane any more".to_owned();
        }
        let failing = of_bin.find_map(|answer| answer.conditions.iter().find(|of| of.answer != Answer::Holds));
        failing.map_or_else(
            || "an earlier bin takes it".to_owned(),
            |of| format!("{} = \"{}\" {}: {}", of.key, of.asks, how(of.answer), of.figures),
        )
    }

    /// How each bin stands to a pearl, condition by condition.
    #[must_use]
    pub fn answers(&self, lane: LaneId, figures: Figures<'_>) -> String {
        let mut text = String::new();
        let Some(file) = &self.file else {
            for row in self.recipe.rows() {
                let _ = writeln!(text, "bin {}", row.bin.0 + 1);
                for term in &row.terms {
                    let _ = writeln!(text, "    {}", term_text(term, figures));
                }
            }
            return text;
        };
        for answer in file.explain(lane, figures).1 {
            let bin = &file.bins[answer.index];
            let note = if answer.serves { "" } else { " (not for this lane)" };
            let _ = writeln!(text, "bin {} {}{note}", bin.bin.0 + 1, bin.name.en);
            for of in &answer.conditions {
                let _ = writeln!(
                    text,
                    "    {} = \"{}\" {}: {}",
                    of.key,
                    of.asks,
                    how(of.answer),
                    of.figures
                );
            }
        }
        text
    }
}

fn parsed(path: &Path, text: &str, standard: Option<&Path>) -> Result<config::Recipe> {
    let wrong = |report: config::Report| Failure::new(Exit::Config, format!("the recipe is wrong:\n{report}"));
    let standard = standard.ok_or_else(|| {
        let message = format!(
            "{} names no standard: `pearlsort check` tells what is wrong",
            shown(path)
        );
        Failure::new(Exit::Config, message)
    })?;
    let standard = Arc::new(config::load_standard(standard).map_err(wrong)?);
    Ok(config::recipe_from_text(&shown(path), text, &standard).map_err(wrong)?)
}

fn compiled(entry: &RecipeEntry) -> Result<Arc<Recipe>> {
    entry
        .compiled()
        .with_context(|| format!("recipe {:016x} of the recording can't be compiled", entry.hash))
}

/// A slot's name in tables.
pub(super) fn slot_name(side: &Side, slot: Slot) -> String {
    match slot {
        Slot::Bin(bin) => match side.bin_name(bin) {
            Some(name) => format!("bin {} {name}", bin.0 + 1),
            None => format!("bin {}", bin.0 + 1),
        },
        Slot::NoBin => "recirculated: no bin".to_owned(),
        Slot::Doubt => "recirculated: doubt".to_owned(),
        Slot::Unmeasured => "recirculated: not measured".to_owned(),
        Slot::Line => "recirculated by the line".to_owned(),
    }
}

const fn how(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "holds",
        Answer::Doubtful => "holds, but not with its guard",
        Answer::Fails => "does not hold",
        Answer::Missing => "was not measured",
    }
}

fn term_text(term: &Term, figures: Figures<'_>) -> String {
    let figure = term.range.figure;
    let value = figure
        .value(figures)
        .map_or_else(|| "not measured".to_owned(), |value| value.to_string());
    let holds = if term_holds(term, figures) {
        "holds"
    } else {
        "does not hold"
    };
    format!(
        "{figure:?} {} to below {} {holds}: {value}",
        term.range.least, term.range.most
    )
}
