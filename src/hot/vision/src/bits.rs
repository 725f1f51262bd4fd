//! Parts of a picture of bits, one row a `u128`. Hot.

/// Moves the part that holds the lowest bit of row `y` from `bright` to `part` (both of the same number of rows);
/// returns its bits and its first and last row. Parts hang together along rows, columns and diagonals.
pub(crate) fn flood(bright: &mut [u128], part: &mut [u128], y: usize) -> (u32, usize, usize) {
    let height = bright.len();
    part.fill(0);
    part[y] = bright[y] & bright[y].wrapping_neg();
    let (mut top, mut bottom) = (y, y);
    // Sweeps down and up until nothing grows: a part without hooks needs one of each, and one to see that it is done.
    loop {
        let mut grown = false;
        for row in top..height {
            let above = if row > 0 { part[row - 1] } else { 0 };
            let next = spread(part[row] | widen(above), bright[row]);
            if row > bottom && next == 0 {
                break;
            }
            grown |= next != part[row];
            part[row] = next;
            bottom = bottom.max(row);
        }
        for row in (0..=bottom).rev() {
            let below = if row + 1 < height { part[row + 1] } else { 0 };
            let next = spread(part[row] | widen(below), bright[row]);
            if row < top && next == 0 {
                break;
            }
            grown |= next != part[row];
            part[row] = next;
            top = top.min(row);
        }
        if !grown {
            break;
        }
    }
    let mut count = 0;
    for row in top..=bottom {
        count += part[row].count_ones();
        bright[row] &= !part[row];
    }
    (count, top, bottom)
}

const fn widen(bits: u128) -> u128 {
    bits | bits << 1 | bits >> 1
}

/// Spreads `seed` along a row as far as `within` reaches.
const fn spread(seed: u128, within: u128) -> u128 {
    let mut bits = seed & within;
    loop {
        let next = widen(bits) & within;
        if next == bits {
            return bits;
        }
        bits = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_taken_whole_and_alone() {
        // A hook that turns back up, and a lone bit.
        let mut bright = [0b1_0001u128, 0b1_0001, 0b1_0001, 0b1_1111, 0, 0b100];
        let mut part = [0u128; 6];
        assert_eq!(flood(&mut bright, &mut part, 0), (11, 0, 3));
        assert_eq!(bright, [0, 0, 0, 0, 0, 0b100]);
        assert_eq!(flood(&mut bright, &mut part, 5), (1, 5, 5));
    }
}
