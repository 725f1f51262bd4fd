//! Recipes in the file. The thread that writes keeps them, any thread reads them.

use rusqlite::{Connection, OptionalExtension, params};
use units::BinId;

use crate::recipe::{BinWorth, RecipeText, Worth};

/// Keeps a recipe; one that is there stays as it is, since its hash names its text.
pub(crate) fn keep(connection: &Connection, recipe: &RecipeText) -> rusqlite::Result<()> {
    let hash = recipe.hash.cast_signed();
    let new = connection.execute(
        "INSERT OR IGNORE INTO recipes VALUES (?1, ?2, ?3, ?4)",
        params![hash, recipe.name, recipe.text, recipe.currency],
    )?;
    if new == 0 {
        return Ok(());
    }
    let mut statement = connection.prepare_cached("INSERT INTO recipe_bins VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for bin in &recipe.bins {
        let (per_gram, per_pearl) = match bin.worth {
            Worth::Unknown => (None, None),
            Worth::PerGramMicro(worth) => (Some(worth), None),
            Worth::PerPearlMicro(worth) => (None, Some(worth)),
        };
        statement.execute(params![hash, bin.bin.0, bin.name_en, bin.name_zh, per_gram, per_pearl])?;
    }
    Ok(())
}

/// The recipe of this hash, if it was kept.
pub(crate) fn find(connection: &Connection, hash: u64) -> rusqlite::Result<Option<RecipeText>> {
    let found = connection
        .prepare_cached("SELECT name, text, currency FROM recipes WHERE hash = ?1")?
        .query_row([hash.cast_signed()], |row| {
            Ok(RecipeText {
                hash,
                name: row.get(0)?,
                text: row.get(1)?,
                currency: row.get(2)?,
                bins: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut recipe) = found else { return Ok(None) };
    recipe.bins = connection
        .prepare_cached(
            "SELECT bin, name_en, name_zh, per_gram_micro, per_pearl_micro FROM recipe_bins WHERE hash = ?1 ORDER BY bin",
        )?
        .query_map([hash.cast_signed()], |row| {
            let worth = match (row.get::<_, Option<i64>>(3)?, row.get::<_, Option<i64>>(4)?) {
                (Some(worth), _) => Worth::PerGramMicro(worth),
                (None, Some(worth)) => Worth::PerPearlMicro(worth),
                (None, None) => Worth::Unknown,
            };
            Ok(BinWorth {
                bin: BinId(row.get(0)?),
                name_en: row.get(1)?,
                name_zh: row.get(2)?,
                worth,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(recipe))
}
