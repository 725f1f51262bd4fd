//! What must hold, by number: the promises of `docs/ARCHITECTURE.md` (I1...) and the performance that this folder's README
//! lists (P1...). Any thread.
//!
//! The documents are the source: a limit that names a requirement which neither lists is refused.

use std::sync::OnceLock;

const ARCHITECTURE: &str = include_str!("../../docs/ARCHITECTURE.md");
const README: &str = include_str!("../README.md");

/// A requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its number, such as `I4`.
    pub id: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Every requirement, promises first.
#[must_use]
pub fn all() -> &'static [Requirement] {
    static ALL: OnceLock<Vec<Requirement>> = OnceLock::new();
    ALL.get_or_init(|| [rows(ARCHITECTURE, 'I'), rows(README, 'P')].concat())
}

/// The requirement of a number.
#[must_use]
pub fn find(id: &str) -> Option<Requirement> {
    all().iter().copied().find(|requirement| requirement.id == id)
}

/// Rows of a document's tables whose first cell is `letter` and a number: that and the second cell.
fn rows(document: &'static str, letter: char) -> Vec<Requirement> {
    let row = |line: &'static str| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let (id, text) = (cells.next()?, cells.next()?);
        let number = id.strip_prefix(letter)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Requirement { id, text })
    };
    document.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_give_promises_and_performance() {
        assert!(find("I1").is_some_and(|r| r.text.starts_with("A pearl is ordered into a grade bin only")));
        assert!(find("P1").is_some_and(|r| r.text.contains("99.99 %")));
        assert!(all().iter().filter(|r| r.id.starts_with('I')).count() >= 13);
        assert_eq!(find("I99"), None);
    }
}
