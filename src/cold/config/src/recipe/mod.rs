//! Recipes: ordered bins with conditions on classes and figures, checked and compiled to the core's tables.
//!
//! Cold side, any thread. Words: a **condition** is one key of a bin; its **region** is the figures that it allows; a **guard**
//! is how many standard uncertainties a figure must be within.

mod explain;
pub(crate) mod form;
mod lot;
mod warn;

use std::path::Path;
use std::sync::Arc;

use line::grade::{Doubt, FIGURES, Range, Row, Rule, Term};
use units::BinId;

use crate::Name;
use crate::figures::FIGURE_KEYS;
use crate::limits::RECIPE_BINS;
use crate::machine::Line;
use crate::reader::{Node, Place};
use crate::region::{Meeting, Region, meet};
use crate::report::Report;
use crate::source::Source;
use crate::standard::{self, PROPERTIES, Standard};

pub use explain::{Answer, BinAnswer, ConditionAnswer};
pub use lot::{DoubtShares, Lot, Pearl};

/// A recipe's file, checked and compiled.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The recipe's name.
    pub name: Name,
    /// The standard whose classes it names.
    pub standard: Arc<Standard>,
    /// The bins, in order.
    pub bins: Vec<RecipeBin>,
    /// What is done with the doubtful.
    pub doubt: Doubt,
    /// Of the values.
    pub currency: Option<String>,
    /// What the core gets; named by the hash of the recipe's and the standard's texts.
    pub compiled: Arc<line::grade::Recipe>,
}

impl Recipe {
    /// Its rules, where it says no more than ranges of figures: neither guard bands nor bins that serve some lanes only.
    #[must_use]
    pub fn plain_rules(&self) -> Option<Vec<Rule>> {
        let is_plain = |row: &Row| row.lanes == u64::MAX && row.terms.iter().all(|term| term.guard == 0);
        let rows = self.compiled.rows();
        if !rows.iter().all(is_plain) {
            return None;
        }
        let rule = |row: &Row| Rule {
            bin: row.bin,
            ranges: row.terms.iter().map(|term| term.range).collect(),
        };
        Some(rows.iter().map(rule).collect())
    }

    /// Its hash, as records and people name it.
    #[must_use]
    pub fn hash_name(&self) -> String {
        format!("{:016x}", self.compiled.hash())
    }
}

/// A bin of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipeBin {
    /// The machine's bin.
    pub bin: BinId,
    /// The grade's name.
    pub name: Name,
    /// Lanes that it serves, a bit each.
    pub lanes: u64,
    /// What its pearls are worth.
    pub value: Value,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Condition>,
}

/// What pearls are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Nothing is said.
    Unknown,
    /// A gram's worth.
    PerGram(f64),
    /// A pearl's worth.
    PerPearl(f64),
}

/// One condition of a bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Its key, such as `shape`.
    pub key: &'static str,
    /// Its value as it stands in the file, such as `A1, A2`.
    pub text: String,
    /// Guard, 0.001 standard uncertainties.
    pub guard: i32,
    /// What it allows.
    region: Region,
}

/// Where a bin of the file stands, for faults.
struct Head {
    place: Place,
    name: String,
}

/// Reads, checks and compiles a recipe for a line.
///
/// # Errors
/// Every fault of the recipe and of its standard; a recipe with warnings alone is taken.
pub fn load_recipe(path: &Path, line: &Line) -> Result<Recipe, Report> {
    let source = Source::read(path);
    let recipe = check(&source, path.parent(), Some(line), false);
    recipe.ok_or_else(|| source.report())
}

/// Checks and compiles the text of a recipe that is called `file`, against a standard.
///
/// # Errors
/// Every fault of the text.
pub fn recipe_from_text(file: &str, text: &str, standard: &Arc<Standard>) -> Result<Recipe, Report> {
    let source = Source::new(file, text);
    let table = source.parse();
    let root = Node::document(&source, &table, &form::RECIPE);
    let recipe = build(&source, &root, standard, None, false);
    recipe.ok_or_else(|| source.report())
}

/// The standard's file that a recipe names, as far as its text can be read.
pub(crate) fn named_standard(source: &Source, folder: Option<&Path>) -> Option<std::path::PathBuf> {
    let (table, _) = toml::de::DeTable::parse_recoverable(&source.text);
    let named = table.get_ref().get("standard")?.get_ref().as_str()?;
    Some(crate::text_of_path(folder, named))
}

/// Checks a recipe's file; the faults are in `source`. Without a `line` any bin's number is taken.
pub(crate) fn check(source: &Source, folder: Option<&Path>, line: Option<&Line>, warn: bool) -> Option<Recipe> {
    let table = source.parse();
    let root = Node::document(source, &table, &form::RECIPE);
    let named = root.text("standard")?;
    let path = crate::text_of_path(folder, named);
    let standard = match standard::load_standard(&path) {
        Ok(standard) => standard,
        Err(report) => {
            let first = report
                .faults
                .first()
                .map_or_else(String::new, |fault| format!(": {}", fault.message));
            root.error(
                "standard",
                &format!("{named} can't be used{first}"),
                "name a standard's file that `pearlsort check` takes",
            );
            return None;
        }
    };
    build(source, &root, &Arc::new(standard), line, warn)
}

fn build(
    source: &Source,
    root: &Node<'_>,
    standard: &Arc<Standard>,
    line: Option<&Line>,
    warn: bool,
) -> Option<Recipe> {
    let nodes = root.tables("bin");
    if nodes.len() > RECIPE_BINS {
        root.error(
            "bin",
            &format!("{} bins; at most {RECIPE_BINS}", nodes.len()),
            "remove bins",
        );
    }
    if nodes.is_empty() && root.has("bin") {
        root.error("bin", "has none", "write at least one [[bin]]");
    }
    let (guard, doubt) = doubt_of(root);
    let mut bins = Vec::new();
    let mut heads = Vec::new();
    for node in &nodes {
        let Some(number) = node.whole("bin") else { continue };
        if let Some(line) = line
            && number > line.bins.len() as i64
        {
            node.error(
                "bin",
                &format!("the machine has no bin {number}"),
                &format!("write a number of 1 to {}", line.bins.len()),
            );
        }
        bins.push(bin_of(node, number, guard, standard));
        heads.push(Head {
            place: node.head(),
            name: node.name("name").en,
        });
    }
    duplicates(source, &bins, &heads);
    let rows = rows_of(source, &bins, &heads)?;
    if source.has_errors() {
        return None;
    }
    let hash = crate::hash_of(&[&source.text, &format!("{:016x}", standard.hash)]);
    let compiled = match line::grade::Recipe::compile(hash, rows, doubt) {
        Ok(compiled) => Arc::new(compiled),
        Err(error) => {
            root.error(
                "bin",
                &error.to_string(),
                "ask for fewer alternatives, or give conditions the same guard",
            );
            return None;
        }
    };
    let currency = root.text("currency").map(str::to_owned);
    let recipe = Recipe {
        name: root.name("name"),
        standard: Arc::clone(standard),
        bins,
        doubt,
        currency,
        compiled,
    };
    if warn {
        warn::warn(source, root, &recipe, &heads);
    }
    Some(recipe)
}

/// The overall guard, 0.001 standard uncertainties, and the policy.
fn doubt_of(root: &Node<'_>) -> (i32, Doubt) {
    let Some(node) = root.table("doubt") else {
        return (0, Doubt::Lower);
    };
    let doubt = match (node.flag("final-pass"), node.text("policy")) {
        (true, _) => Doubt::FinalPass,
        (false, Some("recirculate")) => Doubt::Recirculate,
        _ => Doubt::Lower,
    };
    if node.flag("final-pass") && node.text("policy") == Some("recirculate") {
        node.error(
            "policy",
            "a final pass recirculates nothing for doubt",
            "write policy = \"lower\", or final-pass = false",
        );
    }
    let costs = (node.number("cost-one-high"), node.number("cost-one-low"));
    let guard = match (node.number("guard-sigmas"), costs) {
        (Some(_), (Some(_), _) | (_, Some(_))) => {
            node.error(
                "guard-sigmas",
                "stands beside costs, which make the guard",
                "keep either guard-sigmas or the two costs",
            );
            0.0
        }
        (Some(guard), _) => guard,
        (None, (Some(high), Some(low))) => guard_of_costs(high, low),
        (None, (Some(_), None)) => {
            node.error(
                "cost-one-high",
                "stands alone",
                "write cost-one-low too: the ratio of the two decides",
            );
            0.0
        }
        (None, (None, Some(_))) => {
            node.error(
                "cost-one-low",
                "stands alone",
                "write cost-one-high too: the ratio of the two decides",
            );
            0.0
        }
        (None, (None, None)) => 0.0,
    };
    (thousandths(guard), doubt)
}

fn thousandths(sigmas: f64) -> i32 {
    (sigmas * 1_000.0).round() as i32
}

/// The guard at which the expected cost is least: a pearl belongs into a bin when it is there with a probability of at least
/// `high / (high + low)`; the normal distribution's quantile of that, in standard uncertainties.
fn guard_of_costs(high: f64, low: f64) -> f64 {
    let wanted = high / (high + low);
    // Bisection of the normal distribution; the form's bounds keep the guard within 6.
    let (mut least, mut most) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = 0.5 * (least + most);
        if normal(middle) < wanted {
            least = middle
        } else {
            most = middle
        }
    }
    0.5 * (least + most)
}

/// The normal distribution function (Abramowitz and Stegun 26.2.17, error below 7.5e-8).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = series * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn bin_of(node: &Node<'_>, number: i64, guard: i32, standard: &Standard) -> RecipeBin {
    let guard = node.number("guard-sigmas").map_or(guard, thousandths);
    let mut conditions = conditions_of(node, guard, standard);
    let alternatives = node.tables("any-of");
    if node.has("any-of") {
        let region = |node: &Node<'_>| {
            let conditions = conditions_of(node, guard, standard);
            let combinations = conditions.iter().fold(1, |product: usize, c| {
                product.saturating_mul(c.region.boxes.len().max(1))
            });
            if combinations > line::grade::ROWS {
                too_many(node.source(), &node.head());
                return Region::default();
            }
            conditions
                .iter()
                .fold(Region::all(), |region, condition| region.and(&condition.region))
        };
        let region = alternatives.iter().map(region).fold(Region::default(), Region::or);
        conditions.push(Condition {
            key: "any-of",
            text: format!("{} alternatives", alternatives.len()),
            guard,
            region,
        });
    }
    if conditions.is_empty() && !node.flag("everything") {
        let head = node.head();
        node.source().error(
            head.span,
            &head.key,
            "asks for nothing",
            "write a condition, or everything = true for a bin that takes the rest",
        );
    }
    if !conditions.is_empty() && node.flag("everything") {
        node.error(
            "everything",
            "is true, but the bin has conditions",
            "remove it, or the conditions",
        );
    }
    let value = match (node.number("value-per-g"), node.number("value-per-pearl")) {
        (Some(_), Some(_)) => {
            node.error("value-per-pearl", "stands beside value-per-g", "keep one of the two");
            Value::Unknown
        }
        (Some(value), None) => Value::PerGram(value),
        (None, Some(value)) => Value::PerPearl(value),
        (None, None) => Value::Unknown,
    };
    let lanes = node
        .numbers("lanes")
        .map_or(u64::MAX, |lanes| lanes.iter().fold(0, |bits, lane| bits | 1 << lane));
    // The form's bounds keep the number within 1 to 64.
    RecipeBin {
        bin: BinId(number as u8 - 1),
        name: node.name("name"),
        lanes,
        value,
        conditions,
    }
}

/// The conditions of a bin or of an alternative.
fn conditions_of(node: &Node<'_>, guard: i32, standard: &Standard) -> Vec<Condition> {
    let guards = if node.knows("guard") { node.table("guard") } else { None };
    let guard_of = |key: &str| {
        guards
            .as_ref()
            .and_then(|guards| guards.number(key))
            .map_or(guard, thousandths)
    };
    let mut conditions = Vec::new();
    for (figure, key) in FIGURES.iter().zip(&FIGURE_KEYS) {
        if let Some(interval) = node.interval(key.name) {
            let region = Region::of(Range {
                figure: *figure,
                least: interval.least,
                most: interval.most,
            });
            let text = node.text(key.name).unwrap_or_default().to_owned();
            conditions.push(Condition {
                key: key.name,
                text,
                guard: guard_of(key.name),
                region,
            });
        }
    }
    for (property, _) in PROPERTIES {
        if let Some(region) = standard::classes_region(node, property, standard) {
            let text = node
                .texts(property)
                .iter()
                .map(|(text, _)| *text)
                .collect::<Vec<_>>()
                .join(", ");
            conditions.push(Condition {
                key: property,
                text,
                guard: guard_of(property),
                region,
            });
        }
    }
    if let Some(guards) = &guards {
        for key in guards.keys() {
            if !node.has(key) {
                guards.error(
                    key,
                    "guards a condition that the bin does not have",
                    "remove it, or write the condition",
                );
            }
        }
    }
    conditions
}

fn duplicates(source: &Source, bins: &[RecipeBin], heads: &[Head]) {
    for (b, bin) in bins.iter().enumerate() {
        let same = |other: &RecipeBin| other.lanes & bin.lanes != 0 && other.conditions == bin.conditions;
        if let Some(a) = bins[..b].iter().position(same) {
            let message = format!("asks for the same as bin[{}] ({})", a + 1, heads[a].name);
            source.error(
                heads[b].place.span.clone(),
                &heads[b].place.key,
                &message,
                "nothing would ever come here: change its conditions or remove it",
            );
        }
    }
}

fn too_many(source: &Source, place: &Place) {
    let message = format!(
        "its conditions have more than {} combinations of alternatives",
        line::grade::ROWS
    );
    source.error(
        place.span.clone(),
        &place.key,
        &message,
        "ask for fewer classes or alternatives",
    );
}

/// The rows of all bins: every combination of their conditions' boxes. `None` when there are too many.
fn rows_of(source: &Source, bins: &[RecipeBin], heads: &[Head]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    for (bin, head) in bins.iter().zip(heads) {
        let mut combined: Vec<Vec<Term>> = vec![Vec::new()];
        for condition in &bin.conditions {
            let boxes = &condition.region.boxes;
            if combined.len() * boxes.len() > line::grade::ROWS {
                too_many(source, &head.place);
                return None;
            }
            let with = |terms: &Vec<Term>| {
                boxes
                    .iter()
                    .filter_map(|ranges| add(terms, ranges, condition.guard))
                    .collect::<Vec<_>>()
            };
            combined = combined.iter().flat_map(with).collect();
        }
        if combined.is_empty() && !source.has_errors() {
            source.error(
                head.place.span.clone(),
                &head.place.key,
                "its conditions exclude one another: nothing can be in it",
                "change one of them",
            );
        }
        rows.extend(combined.into_iter().map(|terms| Row {
            bin: bin.bin,
            lanes: bin.lanes,
            terms,
        }));
    }
    Some(rows)
}

/// The terms with these ranges added; ranges of one figure and one guard are taken together. `None` when they exclude one
/// another.
fn add(terms: &[Term], ranges: &[Range], guard: i32) -> Option<Vec<Term>> {
    let mut terms = terms.to_vec();
    for range in ranges {
        let same = |term: &&mut Term| term.range.figure == range.figure && term.guard == guard;
        match terms.iter_mut().find(same) {
            Some(term) if guard >= 0 => match meet(&term.range, range) {
                Meeting::Nothing => return None,
                Meeting::One(common) => term.range = common,
                Meeting::Two => terms.push(Term { range: *range, guard }),
            },
            _ => terms.push(Term { range: *range, guard }),
        }
    }
    Some(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_make_the_guard() {
        assert!(guard_of_costs(1.0, 1.0).abs() < 1e-6);
        assert!((guard_of_costs(0.975, 0.025) - 1.96).abs() < 1e-3);
        assert!((guard_of_costs(1.0, 5.0) + 0.967).abs() < 1e-3);
    }
}
