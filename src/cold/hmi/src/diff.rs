//! What differs between two texts, line by line: the longest common subsequence of their lines. Cold.

use crate::limits::DIFF_PAIRS;
use crate::shapes::{DiffKind, DiffLine};

/// Every line of both texts, in order.
pub(crate) fn diff(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = rest.take_while(|(a, b)| a == b).count();
    let mut lines = Lines::default();
    old[..head].iter().for_each(|line| lines.push(DiffKind::Same, line));
    middle(&mut lines, &old[head..old.len() - tail], &new[head..new.len() - tail]);
    old[old.len() - tail..]
        .iter()
        .for_each(|line| lines.push(DiffKind::Same, line));
    lines.lines
}

#[derive(Default)]
struct Lines {
    lines: Vec<DiffLine>,
    old: u32,
    new: u32,
}

impl Lines {
    fn push(&mut self, kind: DiffKind, text: &str) {
        self.old += u32::from(kind != DiffKind::Added);
        self.new += u32::from(kind != DiffKind::Removed);
        self.lines.push(DiffLine {
            kind,
            old_line: (kind != DiffKind::Added).then_some(self.old),
            new_line: (kind != DiffKind::Removed).then_some(self.new),
            text: text.to_owned(),
        });
    }
}

fn middle(lines: &mut Lines, old: &[&str], new: &[&str]) {
    if old.len().saturating_mul(new.len()) > DIFF_PAIRS {
        old.iter().for_each(|line| lines.push(DiffKind::Removed, line));
        new.iter().for_each(|line| lines.push(DiffKind::Added, line));
        return;
    }
    // common[a][b]: length of the longest common subsequence of old[a..] and new[b..].
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            common[a * width + b] = if old[a] == new[b] {
                common[(a + 1) * width + b + 1] + 1
            } else {
                common[(a + 1) * width + b].max(common[a * width + b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            lines.push(DiffKind::Same, old[a]);
            (a, b) = (a + 1, b + 1);
        } else if b == new.len() || (a < old.len() && common[(a + 1) * width + b] >= common[a * width + b + 1]) {
            lines.push(DiffKind::Removed, old[a]);
            a += 1;
        } else {
            lines.push(DiffKind::Added, new[b]);
            b += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let sign = |kind| match kind {
            DiffKind::Same => ' ',
            DiffKind::Removed => '-',
            DiffKind::Added => '+',
        };
        let lines = diff(old, new);
        lines
            .iter()
            .map(|line| format!("{}{}\n", sign(line.kind), line.text))
            .collect()
    }

    #[test]
    fn a_changed_line_is_removed_and_added_between_what_stays() {
        assert_eq!(shown("a\nb\nc\n", "a\nB\nc\n"), " a\n-b\n+B\n c\n");
        assert_eq!(shown("a\nb\nc\nd\n", "b\nx\nd\n"), "-a\n b\n-c\n+x\n d\n");
        assert_eq!(shown("", "a\n"), "+a\n");
        assert_eq!(shown("a", "a\n"), " a\n");
    }

    #[test]
    fn both_texts_can_be_had_back_from_the_lines() {
        let texts = [
            "",
            "a",
            "a\nb\na\nb",
            "b\na\nb\nc",
            "c\nc\nc",
            "a\nb\nc\nd\ne\nf",
            "f\ne\nd\nc\nb\na",
        ];
        for old in texts {
            for new in texts {
                let lines = diff(old, new);
                let of = |but: DiffKind| {
                    let kept = lines.iter().filter(|line| line.kind != but);
                    kept.map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
                };
                assert_eq!(
                    (of(DiffKind::Added), of(DiffKind::Removed)),
                    (old.to_owned(), new.to_owned())
                );
                let numbers = lines.iter().filter_map(|line| line.new_line);
                assert!(numbers.eq(1..=new.lines().count() as u32));
            }
        }
    }

    #[test]
    fn long_texts_that_share_nothing_are_shown_as_a_whole() {
        let old = "a\n".repeat(3000);
        let new = "b\n".repeat(3000);
        let lines = diff(&old, &new);
        assert_eq!(lines.len(), 6000);
        assert!(lines[..3000].iter().all(|line| line.kind == DiffKind::Removed));
    }
}
