//! Recipes as the store keeps them: by hash, with text and the worth of each bin, so that a lot's report can tell what
//! graded it long after the file was changed. Any thread.

use serde::{Serialize, Serializer};
use units::BinId;

/// What a bin's pearls are worth, in a millionth of the currency's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Worth {
    /// Nothing is said.
    Unknown,
    /// A gram's worth.
    PerGramMicro(i64),
    /// A pearl's worth.
    PerPearlMicro(i64),
}

/// One bin of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BinWorth {
    /// The machine's bin.
    #[serde(serialize_with = "bin_number")]
    pub bin: BinId,
    /// The grade's name in English.
    pub name_en: String,
    /// The grade's name in Chinese.
    pub name_zh: String,
    /// What its pearls are worth.
    pub worth: Worth,
}

/// A recipe that graded, or is about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecipeText {
    /// Its hash, as records have it.
    #[serde(serialize_with = "hash_name")]
    pub hash: u64,
    /// Its name.
    pub name: String,
    /// Its file's text.
    pub text: String,
    /// Of the values; empty where none is named.
    pub currency: String,
    /// Its bins.
    pub bins: Vec<BinWorth>,
}

pub(crate) fn bin_number<S: Serializer>(bin: &BinId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(bin.0)
}

/// Sixteen hexadecimal digits: a page's numbers are not wide enough for a hash.
pub(crate) fn hash_name<S: Serializer>(hash: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{hash:016x}"))
}
