//! A recipe's block: its rows as the core had them, so that a replay needs no file but the recording, and the texts that they
//! were made of, for people. Cold.

use std::sync::Arc;

use line::grade::{CompileError, Doubt, FIGURES, ROWS, Range, Recipe, Row, Term};
use units::BinId;

use crate::bytes::{Cursor, Put};
use crate::limits::TEXTS;

/// A file's text as it was when the recipe was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its path as it was given.
    pub name: String,
    /// The text.
    pub text: String,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeEntry {
    /// Hash by which events and records name it.
    pub hash: u64,
    /// What is done with the doubtful.
    pub doubt: Doubt,
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// The recipe's text and its standard's, where there are such files.
    pub texts: Vec<Text>,
}

impl RecipeEntry {
    /// The entry of a recipe.
    #[must_use]
    pub fn new(recipe: &Recipe, doubt: Doubt, texts: Vec<Text>) -> Self {
        Self {
            hash: recipe.hash(),
            doubt,
            rows: recipe.rows().to_vec(),
            texts,
        }
    }

    /// The recipe, as the core had it.
    ///
    /// # Errors
    /// When the rows can't be compiled, which those of a recipe that was in force can.
    pub fn compiled(&self) -> Result<Arc<Recipe>, CompileError> {
        Recipe::compile(self.hash, self.rows.clone(), self.doubt).map(Arc::new)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.u64(self.hash);
        bytes.u8(match self.doubt {
            Doubt::Lower => 0,
            Doubt::Recirculate => 1,
            Doubt::FinalPass => 2,
        });
        bytes.varint(self.rows.len() as u64);
        for row in &self.rows {
            bytes.u8(row.bin.0);
            bytes.u64(row.lanes);
            bytes.varint(row.terms.len() as u64);
            for Term { range, guard } in &row.terms {
                bytes.u8(range.figure as u8);
                bytes.i32(range.least);
                bytes.i32(range.most);
                bytes.i32(*guard);
            }
        }
        bytes.varint(self.texts.len() as u64);
        for text in &self.texts {
            bytes.text(&text.name);
            bytes.text(&text.text);
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let hash = cursor.u64()?;
        let doubt = match cursor.u8()? {
            0 => Doubt::Lower,
            1 => Doubt::Recirculate,
            2 => Doubt::FinalPass,
            _ => return None,
        };
        let count = count(&mut cursor, ROWS)?;
        let rows = (0..count).map(|_| row(&mut cursor)).collect::<Option<Vec<_>>>()?;
        let count = self::count(&mut cursor, TEXTS)?;
        let text = |cursor: &mut Cursor<'_>| {
            Some(Text {
                name: cursor.text()?,
                text: cursor.text()?,
            })
        };
        let texts = (0..count).map(|_| text(&mut cursor)).collect::<Option<Vec<_>>>()?;
        cursor.rest.is_empty().then_some(Self {
            hash,
            doubt,
            rows,
            texts,
        })
    }
}

/// A number of things, of at most `most`.
fn count(cursor: &mut Cursor<'_>, most: usize) -> Option<usize> {
    usize::try_from(cursor.varint()?).ok().filter(|count| *count <= most)
}

fn row(cursor: &mut Cursor<'_>) -> Option<Row> {
    let bin = BinId(cursor.u8()?);
    let lanes = cursor.u64()?;
    let terms = count(cursor, usize::from(u16::MAX))?;
    let terms = (0..terms).map(|_| {
        Some(Term {
            range: Range {
                figure: *FIGURES.get(usize::from(cursor.u8()?))?,
                least: cursor.i32()?,
                most: cursor.i32()?,
            },
            guard: cursor.i32()?,
        })
    });
    let terms = terms.collect::<Option<Vec<_>>>()?;
    Some(Row { bin, lanes, terms })
}
