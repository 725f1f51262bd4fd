//! Where in a frame the pearl lies, on a coarse grid, and whether it is alone. Hot.
//!
//! The belt is dark and the pearl is not: squares of the grid that are brighter than the belt around them form parts;
//! the largest part is the pearl. What else is bright decides between a clean frame, dust, dirt and a second pearl.

use crate::bits::flood;
use crate::limits::{GRID_PX, MAX_GRID, MAX_PARTS};
use crate::refusal::Why;
use crate::view::View;

/// Least rise over the belt, in counts of the sum of the three channels, that makes a square bright.
const LEAST_RISE: f32 = 7.0;
/// Belt noise, in standard deviations of a square, that is not yet bright.
const NOISE_SIGMAS: f32 = 4.5;
/// A part of at least this many squares is no dust; a pearl of 2 mm has four times as many.
const DUST_SQUARES: u32 = 16;
/// Parts of two squares and more beside the pearl that make a frame dirty.
const DIRTY_PARTS: u32 = 24;
/// Share of the frame's squares from which a part at the edge is no pearl cut by it.
const FOREIGN_SHARE: f32 = 0.35;
/// Belt, as a multiple of what it was at calibration, above which the belt itself is lit or dirty.
const BRIGHT_BELT: f32 = 4.0;

/// The pearl on the coarse grid. Rows and columns in squares; `first` and `last` are inside the pearl.
pub(crate) struct Blob {
    /// First and last bright square of each row of the grid; first > last where there is none.
    pub(crate) rows: [(u8, u8); MAX_GRID],
    /// The same for each column.
    pub(crate) columns: [(u8, u8); MAX_GRID],
    /// First and last row.
    pub(crate) y: (u8, u8),
    /// First and last column.
    pub(crate) x: (u8, u8),
    /// Squares of the pearl.
    pub(crate) squares: u32,
    /// The belt's level, red + green + blue: median of the frame's edge.
    pub(crate) belt: f32,
    /// The same at the brightest of the frame's corners, farthest from the pearl's shadow: a monitor of exposure.
    pub(crate) corner: f32,
    /// Standard deviation of one square's mean on the belt, red + green + blue.
    pub(crate) noise: f32,
}

/// Working memory of [`find`].
pub(crate) struct Grid {
    /// Red + green + blue, summed over one line of each square.
    level: [[u16; MAX_GRID]; MAX_GRID],
    bright: [u128; MAX_GRID],
    part: [u128; MAX_GRID],
    best: [u128; MAX_GRID],
}

impl Grid {
    pub(crate) const fn new() -> Self {
        Self {
            level: [[0; MAX_GRID]; MAX_GRID],
            bright: [0; MAX_GRID],
            part: [0; MAX_GRID],
            best: [0; MAX_GRID],
        }
    }
}

impl Blob {
    /// Fetches the pearl's pixels and a margin of belt.
    pub(crate) fn fetch(&self, view: &View<'_>) {
        const MARGIN: usize = 2;
        let span = |(first, last): (u8, u8)| {
            let (first, last) = (usize::from(first), usize::from(last));
            first.saturating_sub(MARGIN) * GRID_PX..(last + 1 + MARGIN) * GRID_PX
        };
        view.fetch(span(self.y), span(self.x));
    }

    pub(crate) const fn new() -> Self {
        Self {
            rows: [(1, 0); MAX_GRID],
            columns: [(1, 0); MAX_GRID],
            y: (0, 0),
            x: (0, 0),
            squares: 0,
            belt: 0.0,
            corner: 0.0,
            noise: 0.0,
        }
    }
}

/// Finds the pearl of a checked view. `belt` is the belt's level at calibration (red + green + blue), `least` and
/// `most` the fewest squares a pearl may have and the most squares it may span along a side.
pub(crate) fn find(
    view: &View<'_>,
    belt: f32,
    least: u32,
    most: usize,
    grid: &mut Grid,
    blob: &mut Blob,
) -> Result<(), Why> {
    let (width, height) = (view.width / GRID_PX, view.height / GRID_PX);
    gather(view, grid);
    let (level, noise) = belt_level(grid, width, height);
    blob.belt = level;
    blob.noise = noise;
    blob.corner = corner_level(grid, width, height);
    // A frame whose very edge is bright all round holds no belt to compare with: a hand, or dirt all over.
    if level > belt * BRIGHT_BELT + 12.0 {
        return Err(Why::Foreign);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a level within a frame's range"
    )]
    let threshold = ((level + LEAST_RISE.max(NOISE_SIGMAS * noise)) * GRID_PX as f32) as u16;
    for y in 0..height {
        // One line serves two rows: see `gather`.
        grid.bright[y] = if y % 2 == 1 {
            grid.bright[y - 1]
        } else {
            brighter(&grid.level[y][..width], threshold)
        };
    }
    largest_part(grid, height, blob, least)?;
    outline(&grid.best[..height], width, blob);
    let spans = (usize::from(blob.x.1 - blob.x.0) + 1).max(usize::from(blob.y.1 - blob.y.0) + 1);
    let sides = [
        blob.x.0 == 0,
        blob.y.0 == 0,
        usize::from(blob.x.1) + 1 == width,
        usize::from(blob.y.1) + 1 == height,
    ];
    let touched = sides.iter().filter(|side| **side).count();
    let large = blob.squares as f32 > FOREIGN_SHARE * (width * height) as f32;
    if spans > most || touched >= 3 || (touched > 0 && large) {
        Err(Why::Foreign)
    } else if touched > 0 {
        Err(Why::Cut)
    } else {
        Ok(())
    }
}

/// Bits of the levels above the threshold.
fn brighter(levels: &[u16], threshold: u16) -> u128 {
    let mut words = [0u64; MAX_GRID / 64];
    for (word, levels) in words.iter_mut().zip(levels.chunks(64)) {
        // From the last to the first: each bit is pushed up by those that follow.
        *word = levels
            .iter()
            .rev()
            .fold(0, |bits, &level| bits << 1 | u64::from(level > threshold));
    }
    u128::from(words[0]) | u128::from(words[1]) << 64
}

/// Sums red + green + blue over one line of each square. One line serves two rows of squares: a frame comes from the
/// camera's memory, and fetching its lines costs more than adding them up.
fn gather(view: &View<'_>, grid: &mut Grid) {
    let rows = view.height / GRID_PX;
    let line = |y: usize| y * GRID_PX + GRID_PX - 1;
    view.fetch((0..rows).step_by(2).map(line), 0..view.width);
    for y in (0..rows).step_by(2) {
        let (squares, _) = view.row(line(y)).as_chunks::<SQUARE_BYTES>();
        for (square, level) in squares.iter().zip(grid.level[y].iter_mut()) {
            *level = sum(square);
        }
        if y + 1 < rows {
            grid.level[y + 1] = grid.level[y];
        }
    }
}

/// Bytes of one line of a square.
const SQUARE_BYTES: usize = 3 * GRID_PX;

/// Sum of a square's line: bytes side by side in quarters of a word, the quarters added by one multiplication.
fn sum(line: &[u8; SQUARE_BYTES]) -> u16 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    const ONES: u64 = 0x0001_0001_0001_0001;
    let (low, high) = line.split_at(8);
    let word = |bytes: &[u8]| bytes.first_chunk().copied().map_or(0, u64::from_le_bytes);
    let low = word(low);
    let high = u64::from(high.first_chunk().copied().map_or(0, u32::from_le_bytes));
    let quarters = (low & EVEN) + (low >> 8 & EVEN) + (high & EVEN) + (high >> 8 & EVEN);
    (quarters.wrapping_mul(ONES) >> 48) as u16
}

const _: () = assert!(SQUARE_BYTES * 255 <= u16::MAX as usize);

/// The belt's level and a square's noise, from the frame's outermost squares: lower quartile and median, so that a
/// pearl or a hand that reaches the edge on one side does not lift them.
fn belt_level(grid: &Grid, width: usize, height: usize) -> (f32, f32) {
    let mut edge = [0u16; 4 * MAX_GRID];
    let mut count = 0;
    for x in 0..width {
        edge[count] = grid.level[0][x];
        edge[count + 1] = grid.level[height - 1][x];
        count += 2;
    }
    for y in 1..height - 1 {
        edge[count] = grid.level[y][0];
        edge[count + 1] = grid.level[y][width - 1];
        count += 2;
    }
    let edge = &mut edge[..count];
    let (below, middle, _) = edge.select_nth_unstable(count / 2);
    let middle = *middle;
    let low = *below.select_nth_unstable(count / 8).1;
    // One eighth lies 1.15 standard deviations below the median of a normal distribution.
    let level = |sum: u16| f32::from(sum) * (1.0 / GRID_PX as f32);
    (level(middle), ((level(middle) - level(low)) / 1.15).max(0.3))
}

/// Squares along the side of a corner in which the belt's level is taken.
const CORNER: usize = 6;

/// Belt's level at the brightest corner: the mean without the brightest and darkest quarter of its squares, so that
/// dust does not count.
fn corner_level(grid: &Grid, width: usize, height: usize) -> f32 {
    let mut best = 0.0f32;
    for (x, y) in [
        (0, 0),
        (width - CORNER, 0),
        (0, height - CORNER),
        (width - CORNER, height - CORNER),
    ] {
        let mut squares = [0u16; CORNER * CORNER];
        for (k, square) in squares.iter_mut().enumerate() {
            *square = grid.level[y + k / CORNER][x + k % CORNER];
        }
        squares.sort_unstable();
        let middle = &squares[CORNER * CORNER / 4..CORNER * CORNER * 3 / 4];
        let sum: u32 = middle.iter().map(|&v| u32::from(v)).sum();
        best = best.max(sum as f32 / (middle.len() * GRID_PX) as f32);
    }
    best
}

/// Takes the bright parts apart, keeps the largest in `grid.best`, and judges the rest.
fn largest_part(grid: &mut Grid, height: usize, blob: &mut Blob, least: u32) -> Result<(), Why> {
    let (mut parts, mut specks, mut first, mut second) = (0, 0u32, 0u32, 0u32);
    for y in 0..height {
        while grid.bright[y] != 0 {
            parts += 1;
            if parts > MAX_PARTS {
                return Err(Why::Dirty);
            }
            let (squares, _, _) = flood(&mut grid.bright[..height], &mut grid.part[..height], y);
            specks += u32::from(squares >= 2);
            if squares > first {
                second = first;
                first = squares;
                grid.best[..height].copy_from_slice(&grid.part[..height]);
            } else {
                second = second.max(squares);
            }
        }
    }
    blob.squares = first;
    if first < least {
        return Err(if specks > DIRTY_PARTS { Why::Dirty } else { Why::Empty });
    }
    if second >= least.min(DUST_SQUARES * 3) {
        return Err(Why::Several);
    }
    if specks > DIRTY_PARTS || second >= DUST_SQUARES {
        return Err(Why::Dirty);
    }
    Ok(())
}

/// Extents of the part, row by row and column by column.
#[expect(clippy::cast_possible_truncation, reason = "a grid has at most 128 rows and columns")]
fn outline(part: &[u128], width: usize, blob: &mut Blob) {
    blob.rows.fill((1, 0));
    blob.columns.fill((1, 0));
    blob.y = (u8::MAX, 0);
    let mut seen = 0u128;
    for (y, &bits) in part.iter().enumerate() {
        let y = y as u8;
        if bits == 0 {
            continue;
        }
        blob.y = (blob.y.0.min(y), y);
        blob.rows[usize::from(y)] = (bits.trailing_zeros() as u8, (127 - bits.leading_zeros()) as u8);
        each_bit(bits & !seen, |x| blob.columns[x].0 = y);
        seen |= bits;
    }
    let mut below = 0u128;
    for (y, &bits) in part.iter().enumerate().rev() {
        each_bit(bits & !below, |x| blob.columns[x].1 = y as u8);
        below |= bits;
    }
    debug_assert!(seen >> (width - 1) <= 1, "no square beyond the frame");
    blob.x = (seen.trailing_zeros() as u8, (127 - seen.leading_zeros()) as u8);
}

/// Calls `f` with the number of each bit that is set.
fn each_bit(mut bits: u128, mut f: impl FnMut(usize)) {
    while bits != 0 {
        f(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
