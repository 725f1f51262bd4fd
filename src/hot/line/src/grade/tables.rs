//! A recipe's rows as tables: the first of the rows that hold, without reading them one by one.
//!
//! Hot thread; made on the cold side. Each figure with each guard has a [`Table`] that gives one bit a row; the rows whose bits
//! are in all tables hold.

use units::LaneId;

use super::figure::{Figure, Values};
use super::rule::{Range, Row, Term};
use super::table::{Ends, Table};
use super::{CompileError, TABLES, WORDS};

/// What a table is for: a figure, a guard, and the how-manieth such term of a row.
type Key = (Figure, i32, usize);

/// All tables of a recipe, with or without its guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tables {
    tables: Vec<Table>,
    /// Rows that serve a lane, a bit each.
    lanes: Vec<[u64; WORDS]>,
    words: usize,
}

impl Tables {
    pub(super) fn new(rows: &[Row], guarded: bool) -> Result<Self, CompileError> {
        let sorted = sorted(rows, guarded);
        if sorted.len() > TABLES {
            return Err(CompileError::Tables(sorted.len()));
        }
        let mut lanes = vec![[0u64; WORDS]; crate::limits::LANES];
        for (lane, words) in lanes.iter_mut().enumerate() {
            for number in (0..rows.len()).filter(|number| rows[*number].lanes & (1 << lane) != 0) {
                words[number / 64] |= 1 << (number % 64);
            }
        }
        let table =
            |((figure, guard, _), terms): &(Key, Vec<(usize, Range)>)| Table::new(*figure, *guard, terms, rows.len());
        Ok(Self {
            tables: sorted.iter().map(table).collect(),
            lanes,
            words: rows.len().div_ceil(64),
        })
    }

    /// The first row that holds.
    pub(super) fn first(&self, lane: LaneId, values: &Values) -> Option<usize> {
        let rows = self.rows(lane, values);
        let word = rows.iter().position(|word| *word != 0)?;
        Some(word * 64 + rows[word].trailing_zeros() as usize)
    }

    /// The last row that holds.
    pub(super) fn last(&self, lane: LaneId, values: &Values) -> Option<usize> {
        let rows = self.rows(lane, values);
        let word = rows.iter().rposition(|word| *word != 0)?;
        Some(word * 64 + 63 - rows[word].leading_zeros() as usize)
    }

    /// Bits of the rows that hold.
    #[inline(always)]
    fn rows(&self, lane: LaneId, values: &Values) -> [u64; WORDS] {
        let Some(served) = self.lanes.get(lane.index()) else {
            return [0; WORDS];
        };
        let mut rows = *served;
        let find = |table: &Table| table.find(Ends::of(table.figure, table.guard, values.get(table.figure)));
        // The first word stays in a register: most recipes have no more.
        let mut first = rows[0];
        for table in &self.tables {
            let found = find(table);
            first &= table.rows(found, 0);
            for (word, rows) in rows.iter_mut().enumerate().take(self.words).skip(1) {
                *rows &= table.rows(found, word);
            }
        }
        rows[0] = first;
        rows
    }
}

/// The terms of all rows by figure and guard. A row that asks the same figure twice with the same guard has the second range in
/// a table of its own.
fn sorted(rows: &[Row], guarded: bool) -> Vec<(Key, Vec<(usize, Range)>)> {
    let mut sorted: Vec<(Key, Vec<(usize, Range)>)> = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        for (index, term) in row.terms.iter().enumerate() {
            let guard = if guarded { term.guard } else { 0 };
            let same =
                |other: &&Term| other.range.figure == term.range.figure && (!guarded || other.guard == term.guard);
            let key = (term.range.figure, guard, row.terms[..index].iter().filter(same).count());
            match sorted.iter_mut().find(|(other, _)| *other == key) {
                Some((_, terms)) => terms.push((number, term.range)),
                None => sorted.push((key, vec![(number, term.range)])),
            }
        }
    }
    sorted
}
