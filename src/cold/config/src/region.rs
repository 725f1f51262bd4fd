//! Regions of figures: unions of boxes, a box being ranges that must all hold. Classes and alternatives are regions.
//!
//! Cold side, any thread.

use line::grade::Range;

/// Ranges that must all hold, by rising figure.
pub(crate) type Ranges = Vec<Range>;

/// Boxes of which one must hold. No box: nothing is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) boxes: Vec<Ranges>,
}

impl Region {
    /// The region of everything.
    pub(crate) fn all() -> Self {
        Self {
            boxes: vec![Vec::new()],
        }
    }

    /// The region of one range.
    pub(crate) fn of(range: Range) -> Self {
        Self {
            boxes: vec![vec![range]],
        }
    }

    /// What is in both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let pairs = self.boxes.iter().flat_map(|a| other.boxes.iter().map(move |b| (a, b)));
        Self {
            boxes: pairs.filter_map(|(a, b)| intersect(a, b)).collect(),
        }
        .merged()
    }

    /// What is in either.
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.boxes.extend(other.boxes);
        self.merged()
    }

    /// What is in this, but not in `other`.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let outside = |ranges: &Ranges| {
            let parts = ranges.iter().flat_map(complement).map(Self::of);
            parts.fold(Self::default(), Self::or)
        };
        other
            .boxes
            .iter()
            .fold(self.clone(), |region, ranges| region.and(&outside(ranges)))
    }

    /// Boxes that differ in one figure alone, and touch there, become one: a pearl on the bound between two classes that
    /// are both wanted is in no doubt.
    fn merged(mut self) -> Self {
        while let Some((a, b, joined)) = self.joinable() {
            self.boxes.remove(b);
            self.boxes[a] = joined;
        }
        self
    }

    fn joinable(&self) -> Option<(usize, usize, Ranges)> {
        let pairs = (0..self.boxes.len()).flat_map(|a| (a + 1..self.boxes.len()).map(move |b| (a, b)));
        pairs
            .into_iter()
            .find_map(|(a, b)| Some((a, b, join(&self.boxes[a], &self.boxes[b])?)))
    }
}

/// The one or two ranges that a range leaves out.
fn complement(range: &Range) -> Vec<Range> {
    let Range { figure, least, most } = *range;
    if figure.is_angle() {
        return vec![Range {
            figure,
            least: most,
            most: least,
        }];
    }
    let below = Range {
        figure,
        least: i32::MIN,
        most: least,
    };
    let above = Range {
        figure,
        least: most,
        most: i32::MAX,
    };
    [below, above]
        .into_iter()
        .filter(|range| range.least < range.most)
        .collect()
}

/// What two ranges of one figure have in common.
pub(crate) enum Meeting {
    /// Nothing.
    Nothing,
    /// A range.
    One(Range),
    /// Two arcs of a circle: the two ranges must be kept apart.
    Two,
}

/// What two ranges of one figure have in common.
pub(crate) fn meet(a: &Range, b: &Range) -> Meeting {
    if !a.figure.is_angle() {
        let common = Range {
            figure: a.figure,
            least: a.least.max(b.least),
            most: a.most.min(b.most),
        };
        return if common.least < common.most {
            Meeting::One(common)
        } else {
            Meeting::Nothing
        };
    }
    if within(a, b) {
        return Meeting::One(*a);
    }
    if within(b, a) {
        return Meeting::One(*b);
    }
    match (b.contains(a.least), a.contains(b.least)) {
        (false, false) => Meeting::Nothing,
        (true, false) => Meeting::One(Range { most: b.most, ..*a }),
        (false, true) => Meeting::One(Range { most: a.most, ..*b }),
        (true, true) => Meeting::Two,
    }
}

/// What is in both boxes; `None` when nothing is.
fn intersect(a: &Ranges, b: &Ranges) -> Option<Ranges> {
    let mut both = a.clone();
    for range in b {
        match both.iter_mut().find(|other| other.figure == range.figure) {
            None => both.push(*range),
            Some(other) => match meet(other, range) {
                Meeting::Nothing => return None,
                Meeting::One(common) => *other = common,
                Meeting::Two => both.push(*range),
            },
        }
    }
    both.sort_by_key(|range| range.figure);
    Some(both)
}

/// The two boxes as one, if that is a box.
fn join(a: &Ranges, b: &Ranges) -> Option<Ranges> {
    if contains(a, b) {
        return Some(a.clone());
    }
    if contains(b, a) {
        return Some(b.clone());
    }
    if a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a.figure != b.figure) {
        return None;
    }
    let mut differing = (0..a.len()).filter(|index| a[*index] != b[*index]);
    let (Some(index), None) = (differing.next(), differing.next()) else {
        return None;
    };
    let (x, y) = (a[index], b[index]);
    if x.figure.is_angle() || x.most < y.least || y.most < x.least {
        return None;
    }
    let mut joined = a.clone();
    let (least, most) = (x.least.min(y.least), x.most.max(y.most));
    if least == i32::MIN && most == i32::MAX {
        joined.remove(index);
    } else {
        joined[index] = Range {
            figure: x.figure,
            least,
            most,
        };
    }
    Some(joined)
}

/// Whether every pearl in `inner` is in `outer`.
pub(crate) fn contains(outer: &Ranges, inner: &Ranges) -> bool {
    outer.iter().all(|range| {
        inner
            .iter()
            .any(|other| other.figure == range.figure && within(other, range))
    })
}

/// Whether `inner` lies in `outer`, both of one figure.
pub(crate) fn within(inner: &Range, outer: &Range) -> bool {
    if inner.figure.is_angle() {
        let width = |range: &Range| (range.most - range.least).rem_euclid(line::grade::CIRCLE);
        let from = (inner.least - outer.least).rem_euclid(line::grade::CIRCLE);
        from + width(inner) <= width(outer)
    } else {
        outer.least <= inner.least && inner.most <= outer.most
    }
}

/// A range as it is written.
pub(crate) fn show(range: &Range) -> String {
    let quantity = crate::figures::quantity_of(range.figure);
    let key = crate::figures::key_of(range.figure);
    let (least, most) = (
        quantity.show(i64::from(range.least)),
        quantity.show(i64::from(range.most)),
    );
    match (range.least, range.most) {
        (i32::MIN, _) => format!("{key} < {most}"),
        (_, i32::MAX) => format!("{key} >= {least}"),
        _ => format!("{key} {least}..{most}"),
    }
}

#[cfg(test)]
mod tests {
    use line::grade::Figure;

    use super::*;

    const fn range(figure: Figure, least: i32, most: i32) -> Range {
        Range { figure, least, most }
    }

    fn ddp(least: i32, most: i32) -> Region {
        Region::of(range(Figure::Ddp, least, most))
    }

    #[test]
    fn neighbouring_classes_become_one_box() {
        let a = ddp(i32::MIN, 301).or(ddp(301, 801));
        assert_eq!(a, ddp(i32::MIN, 801));
        let apart = ddp(i32::MIN, 301).or(ddp(801, 1_201));
        assert_eq!(apart.boxes.len(), 2);
        assert_eq!(apart.or(ddp(301, 801)), ddp(i32::MIN, 1_201));
        assert_eq!(ddp(i32::MIN, 301).or(ddp(301, i32::MAX)), Region::all());
    }

    #[test]
    fn what_excludes_itself_is_empty() {
        assert!(ddp(0, 300).and(&ddp(300, 400)).boxes.is_empty());
        let size = Region::of(range(Figure::DiameterUm, 7_000, 8_000));
        let both = ddp(0, 300).and(&size);
        assert_eq!(both.boxes[0].len(), 2);
        assert!(contains(&ddp(0, 400).boxes[0], &both.boxes[0]));
        assert!(!contains(&both.boxes[0], &ddp(0, 300).boxes[0]));
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        let rest = Region::all().minus(&ddp(i32::MIN, 301));
        assert_eq!(rest, ddp(301, i32::MAX));
        let size = Region::of(range(Figure::DiameterUm, 9_000, i32::MAX));
        let rest = Region::all().minus(&ddp(i32::MIN, 301).and(&size));
        let holds = |ddp: i32, size: i32| {
            let value = |figure| if figure == Figure::Ddp { ddp } else { size };
            rest.boxes
                .iter()
                .any(|ranges| ranges.iter().all(|range| range.contains(value(range.figure))))
        };
        assert_eq!(
            [holds(300, 9_000), holds(301, 9_000), holds(300, 8_999)],
            [false, true, true]
        );
    }

    #[test]
    fn an_angle_lies_within_another_across_zero() {
        let hue = |least, most| range(Figure::Hue, least, most);
        assert!(within(&hue(35_000, 1_000), &hue(34_000, 2_000)));
        assert!(!within(&hue(33_000, 1_000), &hue(34_000, 2_000)));
        let both = |a, b| Region::of(a).and(&Region::of(b));
        assert!(both(hue(35_000, 1_000), hue(1_000, 9_000)).boxes.is_empty());
        assert_eq!(
            both(hue(35_000, 2_000), hue(1_000, 9_000)),
            Region::of(hue(1_000, 2_000))
        );
        assert_eq!(both(hue(0, 20_000), hue(19_000, 1_000)).boxes[0].len(), 2);
    }
}
