//! `pearlsort suggest`: the threshold at which a bin gets its share of a recording's pearls, written into the recipe with every
//! comment kept.
//!
//! Cold. Each threshold that is tried is written into the recipe's text, and the text is checked, compiled and graded by as
//! any other: what is suggested is what the line would do. Words: a bound is **stricter** when fewer pearls are within it.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use config::Standard;
use line::Record;
use setup::compare::{Slot, slot_by};
use toml_edit::{DocumentMut, Item, Value};
use units::BinId;

use crate::cli::SuggestArgs;
use crate::exit::{Exit, Failure};
use crate::recording::named_standard;
use crate::replay;

/// Bounds up to so many times the present one are tried.
const MOST_TIMES: u64 = 4;

/// A share that a bin shall have at least.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The bin's number, or its name in either language.
    pub bin: String,
    /// The share, 0 to 1.
    pub share: f64,
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("write BIN>=SHARE%, such as \"1>=25%\" or \"high grade>=25%\", not {text}");
        let (bin, share) = text.split_once(">=").ok_or_else(wrong)?;
        let share: f64 = share
            .trim()
            .strip_suffix('%')
            .ok_or_else(wrong)?
            .trim()
            .parse()
            .map_err(|_| wrong())?;
        if !(0.0..=100.0).contains(&share) || bin.trim().is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            bin: bin.trim().to_owned(),
            share: share / 100.0,
        })
    }
}

/// A bound as it is written: `>=6.0`, or `<=3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    /// Whether a larger number is stricter.
    least: bool,
    sign: &'static str,
    /// In units of the last place that is tried.
    number: u64,
    places: u32,
}

impl Bound {
    /// One place more is tried than is written, up to hundredths.
    fn of(text: &str) -> Option<Self> {
        let signs = [(true, ">="), (true, ">"), (false, "<="), (false, "<")];
        let (least, sign, rest) = signs
            .into_iter()
            .find_map(|(least, sign)| Some((least, sign, text.trim().strip_prefix(sign)?.trim())))?;
        let (whole, part) = rest.split_once('.').unwrap_or((rest, ""));
        let written = u32::try_from(part.len()).ok().filter(|places| *places <= 6)?;
        let number: u64 = format!("{whole}{part}").parse().ok()?;
        let places = written.max((written + 1).min(2));
        Some(Self {
            least,
            sign,
            number: number.checked_mul(10_u64.pow(places - written))?,
            places,
        })
    }

    fn text(self, number: u64) -> String {
        let unit = 10_u64.pow(self.places);
        let text = format!(
            "{}.{:0width$}",
            number / unit,
            number % unit,
            width = self.places as usize
        );
        let text = text.trim_end_matches('0').trim_end_matches('.');
        format!("{}{text}", self.sign)
    }
}

/// A recipe's text with one of its conditions at hand.
struct Trial<'a> {
    path: &'a Path,
    document: DocumentMut,
    standard: Arc<Standard>,
    /// Place of the bin in the file.
    index: usize,
    bin: BinId,
    key: &'a str,
    records: &'a [Record],
}

impl Trial<'_> {
    fn condition(&mut self) -> Option<&mut Value> {
        let bin = self
            .document
            .get_mut("bin")?
            .as_array_of_tables_mut()?
            .get_mut(self.index)?;
        bin.get_mut(self.key).and_then(Item::as_value_mut)
    }

    /// Writes a bound; what stands around the value stays.
    fn write(&mut self, text: String) {
        if let Some(value) = self.condition() {
            let decor = value.decor().clone();
            *value = Value::from(text);
            *value.decor_mut() = decor;
        }
    }

    /// The bin's share of all pearls with the text as it is; `None` when the recipe is refused.
    fn share(&self) -> Option<f64> {
        let file = self.path.display().to_string();
        let recipe = config::recipe_from_text(&file, &self.document.to_string(), &self.standard).ok()?;
        let is_there = |record: &&Record| slot_by(&recipe.compiled, record) == Slot::Bin(self.bin);
        let there = self.records.iter().filter(is_there).count();
        Some(there as f64 / self.records.len().max(1) as f64)
    }

    /// The strictest bound with which the bin has `share`, and the share that it has then; an error names the most that can be
    /// had.
    fn strictest(&mut self, bound: Bound, share: f64) -> Result<(u64, f64), f64> {
        let mut at = |number: u64| {
            self.write(bound.text(number));
            self.share()
        };
        let most = bound.number.saturating_mul(MOST_TIMES).max(1);
        let (loosest, mut out) = if bound.least { (0, most) } else { (most, 0) };
        let mut best = match at(loosest) {
            Some(has) if has >= share => (loosest, has),
            has => return Err(has.unwrap_or(0.0)),
        };
        // Between `best`, which has the share, and `out`, which is stricter than all that are asked further.
        while best.0.abs_diff(out) > 1 {
            let middle = best.0.midpoint(out);
            match at(middle) {
                Some(has) if has >= share => best = (middle, has),
                _ => out = middle,
            }
        }
        self.write(bound.text(best.0));
        Ok(best)
    }
}

/// Finds the threshold and writes it. Exits with 1 when no threshold of this condition gives the share.
///
/// # Errors
/// When the recording or the recipe can't be used, or has no such bin or bound.
pub fn suggest(arguments: &SuggestArgs) -> Result<ExitCode> {
    let (path, target) = (&arguments.recipe, &arguments.target);
    let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let wrong = |report: config::Report| Failure::new(Exit::Config, format!("the recipe is wrong:\n{report}"));
    let standard = named_standard(path, &text).unwrap_or_default();
    let standard = Arc::new(config::load_standard(&standard).map_err(wrong)?);
    let recipe = config::recipe_from_text(&path.display().to_string(), &text, &standard).map_err(wrong)?;
    let named = |bin: &config::RecipeBin| {
        bin.name.en == target.bin || bin.name.zh == target.bin || (bin.bin.0 + 1).to_string() == target.bin
    };
    let index = recipe.bins.iter().position(named).ok_or_else(|| {
        let names: Vec<_> = recipe.bins.iter().map(|bin| bin.name.en.as_str()).collect();
        let message = format!("no bin is called {}; the recipe's are {}", target.bin, names.join(", "));
        Failure::new(Exit::Config, message)
    })?;
    let mut records = Vec::new();
    let mut reader = replay::open(&arguments.recording)?;
    let plan = replay::plan_of(reader.head())?;
    replay::run(&mut reader, plan, |record| records.push(*record))?;
    let mut trial = Trial {
        path,
        document: text.parse().context("the recipe is no TOML")?,
        standard,
        index,
        bin: recipe.bins[index].bin,
        key: &arguments.by,
        records: &records,
    };
    let before = trial.condition().and_then(|value| value.as_str().map(str::to_owned));
    let bound = before.as_deref().and_then(Bound::of).ok_or_else(|| {
        let message = format!(
            "{} has no bound {} such as \">=6.0\" or \"<=3\"",
            recipe.bins[index].name.en, arguments.by
        );
        Failure::new(Exit::Config, message)
    })?;
    let had = trial.share().unwrap_or(0.0);
    let name = &recipe.bins[index].name.en;
    let (before, percent) = (before.unwrap_or_default(), |share: f64| 100.0 * share);
    match trial.strictest(bound, target.share) {
        Ok((number, has)) => {
            println!(
                "{name}: {} = \"{before}\" gives {:.2} %; \"{}\" gives {:.2} % of {} pearls",
                arguments.by,
                percent(had),
                bound.text(number),
                percent(has),
                records.len()
            );
            std::fs::write(&arguments.out, trial.document.to_string())
                .with_context(|| format!("{} can't be written", arguments.out.display()))?;
            println!("written to {}", arguments.out.display());
            Ok(ExitCode::SUCCESS)
        }
        Err(most) => {
            println!(
                "{name}: no {} gives {:.2} %; it gives {:.2} % now, and {:.2} % at most",
                arguments.by,
                percent(target.share),
                percent(had),
                percent(most)
            );
            Ok(ExitCode::from(Exit::Verdict as u8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_they_were_read_with_one_more_place() {
        let bound = Bound::of(">=6.0").expect("a bound");
        assert_eq!((bound.least, bound.number, bound.places), (true, 600, 2));
        assert_eq!(
            (bound.text(600), bound.text(625)),
            (">=6".to_owned(), ">=6.25".to_owned())
        );
        let bound = Bound::of("<= 3").expect("a bound");
        assert_eq!((bound.least, bound.text(31)), (false, "<=3.1".to_owned()));
        for none in ["7.0..7.5", ">=B", "", ">=", "<=1.00000000"] {
            assert_eq!(Bound::of(none), None, "{none}");
        }
    }

    #[test]
    fn targets_name_a_bin_and_a_share() {
        let target: Target = "high grade >= 25 %".parse().expect("a target");
        assert_eq!(target.bin, "high grade");
        assert!((target.share - 0.25).abs() < 1e-12);
        for wrong in ["25%", "1>=25", "1>=101%", ">=5%", "1>=x%"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
