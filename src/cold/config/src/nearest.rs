//! The nearest known name to a misspelt one.
//!
//! Cold side, any thread.

/// Edits (insert, delete, replace, swap of neighbours) between `a` and `b`: optimal string alignment distance.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut table = vec![0usize; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let deleted = table[(i - 1) * width + j] + 1;
                let inserted = table[i * width + j - 1] + 1;
                let mut least = replaced.min(deleted).min(inserted);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[(i - 2) * width + j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len() * width + b.len()]
}

/// The name of `known` nearest to `word`, when it is near enough to be meant: at most a third of its letters differ,
/// or one contains the other.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|name| (distance(&word, &name.to_lowercase()), name))
        .filter(|((near, _), _)| *near)
        .min_by_key(|((_, edits), _)| *edits)
        .map(|(_, name)| name)
}

/// Whether the two are near, and how far apart.
fn distance(word: &str, name: &str) -> (bool, usize) {
    let edits = edits(word, name);
    let longer = word.chars().count().max(name.chars().count());
    let related = word.len() >= 3 && name.len() >= 3 && (name.contains(word) || word.contains(name));
    let same_stem = match (word.rsplit_once('-'), name.rsplit_once('-')) {
        (Some((a, _)), Some((b, _))) => a == b,
        (None, Some((b, _))) => word == b,
        _ => false,
    };
    (edits * 3 <= longer.max(3) || related || same_stem, edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let known = ["diameter-mm", "ddp-percent", "lustre", "surface"];
        assert_eq!(nearest("diamter-mm", known), Some("diameter-mm"));
        assert_eq!(nearest("lsutre", known), Some("lustre"));
        assert_eq!(nearest("Surface", known), Some("surface"));
        assert_eq!(nearest("diameter-um", known), Some("diameter-mm"));
        assert_eq!(nearest("diameter", known), Some("diameter-mm"));
        assert_eq!(nearest("colour", known), None);
    }
}
