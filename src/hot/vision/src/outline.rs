//! A pearl's outline to a fraction of a pixel, along scan lines. Hot.
//!
//! A pixel of a sharp telecentric lens sees the mean over its square, so along a line of pixels that crosses the edge
//! the sum of (value - belt) / (pearl - belt) is the edge's mean position within that line, without bias whatever the
//! edge's slant. What the pearl would be at the edge is extrapolated from the pixels inside, smoothed along the outline
//! because one line alone is too noisy on the pearl's dark side; what the belt is, from the pixels outside. The window
//! of the sum is placed by an outline known before, never by the noisy values themselves, which would draw it to them.
//!
//! Two passes: [`coarse`] looks for the step along a few lines without knowing more than the grid; [`fine`] measures
//! along many lines around a predicted ellipse.

use crate::ellipse::{Ellipse, Point};
use crate::limits::{COARSE_LINES, GRID_PX, SIDE_LINES};
use crate::segment::Blob;
use crate::view::View;

/// Pixels inside the edge over which the pearl's brightness is extrapolated.
const INSIDE: usize = 8;
/// Pixels outside the edge over which the belt's brightness is taken.
const OUTSIDE: usize = 4;
/// Pixels of the window outside the predicted edge.
const WINDOW_OUT: usize = 2;
/// Pixels read of a line: inside, window with its widest reach inside, outside.
const LINE: usize = INSIDE + 2 + WINDOW_OUT + OUTSIDE;
/// Half width of the smoothing along the outline, in pixels of outline.
const SMOOTH_PX: f32 = 20.0;
/// Standard uncertainty of one line's edge in pixels: a part that stays, and a part by the contrast in counts.
const EDGE_FLOOR_PX: f32 = 0.03;
const EDGE_NOISE_COUNTS: f32 = 1.3;
/// Least contrast, in counts of one channel, at which a line has an edge.
const LEAST_CONTRAST: f32 = 0.8;

/// A line of pixels across the frame, seen from inside the pearl outwards.
struct Scan<'a> {
    pixels: &'a [u8],
    base: usize,
    step: usize,
    length: usize,
    outward: bool,
}

impl<'a> Scan<'a> {
    /// Row (`across` false) or column (`across` true) number `at`.
    fn new(view: &View<'a>, across: bool, at: usize, outward: bool) -> Self {
        if across {
            Self {
                pixels: view.pixels,
                base: 3 * at,
                step: view.stride,
                length: view.height,
                outward,
            }
        } else {
            Self {
                pixels: view.pixels,
                base: at * view.stride,
                step: 3,
                length: view.width,
                outward,
            }
        }
    }

    /// Sums of the channels at `N` pixels from `from` on, counted in the scan's own direction; they must lie in it.
    fn sums<const N: usize>(&self, from: usize) -> [u16; N] {
        let first = if self.outward { from } else { self.length - from - N };
        let pixels = &self.pixels[self.base + first * self.step..][..(N - 1) * self.step + 3];
        let mut sums = [0; N];
        if self.step == 3 {
            // A row lies in one piece.
            for (sum, &[r, g, b]) in sums.iter_mut().zip(pixels.as_chunks::<3>().0) {
                *sum = u16::from(r) + u16::from(g) + u16::from(b);
            }
        } else {
            for (sum, pixel) in sums.iter_mut().zip(pixels.chunks(self.step)) {
                if let [r, g, b, ..] = pixel {
                    *sum = u16::from(*r) + u16::from(*g) + u16::from(*b);
                }
            }
        }
        if !self.outward {
            sums.reverse();
        }
        sums
    }

    /// A position along the frame's axis from one along the scan, and back.
    fn flip(&self, x: f32) -> f32 {
        if self.outward { x } else { self.length as f32 - x }
    }
}

/// Pixels before the grid's edge from which the coarse step is looked for, and after it.
const STEP_BACK: usize = 6;
const STEP_AHEAD: usize = 14;
/// Pixels on each side of the step that are compared.
const STEP_SPAN: usize = 3;

/// Points of the outline from the grid alone, into `points`; their number.
pub(crate) fn coarse(view: &View<'_>, blob: &Blob, points: &mut [Point]) -> usize {
    let mut count = 0;
    for across in [false, true] {
        let ((first, last), extents) = if across {
            (blob.x, &blob.columns)
        } else {
            (blob.y, &blob.rows)
        };
        let (from, to) = (usize::from(first) * GRID_PX, (usize::from(last) + 1) * GRID_PX);
        let margin = (to - from) / 12;
        let span = to - from - 2 * margin;
        for k in 0..COARSE_LINES {
            let at = from + margin + (2 * k + 1) * span / (2 * COARSE_LINES);
            let (low, high) = extents[at / GRID_PX];
            if low > high {
                continue;
            }
            for outward in [false, true] {
                let scan = Scan::new(view, across, at, outward);
                let edge = if outward {
                    (usize::from(high) + 1) * GRID_PX
                } else {
                    scan.length - usize::from(low) * GRID_PX
                };
                let Some((position, contrast)) = step(&scan, edge) else {
                    continue;
                };
                let (a, b) = (f64::from(scan.flip(position)), at as f64 + 0.5);
                let weight = f64::from(1.0 / (0.01 + (2.0 / contrast).powi(2)));
                let (x, y) = if across { (b, a) } else { (a, b) };
                if let Some(slot) = points.get_mut(count) {
                    *slot = Point { x, y, weight };
                    count += 1;
                }
            }
        }
    }
    count
}

/// Pixels read for a step: those looked at, and as many as the means on each side need.
const STEP_VALUES: usize = STEP_BACK + STEP_AHEAD + 2 * STEP_MARGIN;
const STEP_MARGIN: usize = 6;

/// The sharpest step down near `edge` along the scan: its position and contrast.
fn step(scan: &Scan<'_>, edge: usize) -> Option<(f32, f32)> {
    let from = edge.checked_sub(STEP_BACK + STEP_MARGIN)?;
    if from + STEP_VALUES > scan.length {
        return None;
    }
    let values = scan.sums::<STEP_VALUES>(from);
    // Three channels were summed, over the span's pixels.
    const COUNTS: f32 = 1.0 / (3 * STEP_SPAN) as f32;
    let mut scores = [0.0f32; STEP_VALUES - 2 * STEP_MARGIN];
    for (k, score) in scores.iter_mut().enumerate() {
        let at = k + STEP_MARGIN;
        let inside = values[at - 3] + values[at - 2] + values[at - 1];
        let outside = values[at] + values[at + 1] + values[at + 2];
        let (inside, outside) = (f32::from(inside) * COUNTS, f32::from(outside) * COUNTS);
        let fall = inside - outside;
        // In units of the noise, which grows with the root of the light: else a highlight's flank beats a dark edge.
        *score = fall * fall.abs() / (1.0 + inside);
    }
    let (mut best, mut at) = (0.0, 0);
    for (k, &score) in scores.iter().enumerate() {
        if score > best {
            (best, at) = (score, k + STEP_MARGIN);
        }
    }
    if at == 0 {
        return None;
    }
    let sum = |from: usize, to: usize| f32::from(values[from..to].iter().sum::<u16>()) * (1.0 / 3.0);
    let (pearl, belt) = (sum(at - 5, at - 2) / 3.0, sum(at + 3, at + 6) / 3.0);
    let contrast = pearl - belt;
    if contrast < LEAST_CONTRAST {
        return None;
    }
    let covered = (sum(at - 2, at + 3) - 5.0 * belt) / contrast;
    Some(((from + at - 2) as f32 + covered.clamp(0.0, 5.0), contrast))
}

const _: () = assert!(STEP_SPAN == 3, "the sums of a step are written out");

/// What one line gives before smoothing.
#[derive(Clone, Copy, Default)]
struct Crossing {
    /// The line's number.
    at: f32,
    /// Predicted edge along the scan, pixels.
    predicted: f32,
    /// First pixel of the window.
    start: f32,
    /// Pearl's mean over the inside pixels, its slope a pixel outwards, and their mean distance from the edge.
    pearl: f32,
    slope: f32,
    distance: f32,
    belt: f32,
    /// Sum over the window.
    sum: f32,
    /// Pixels of the window.
    window: f32,
    /// Slant: how far the edge moves along its normal when it moves a pixel along the scan.
    slant: f32,
}

/// Working memory of [`fine`].
pub(crate) struct Lines {
    crossings: [Crossing; SIDE_LINES],
    /// For each line the sums over all before it.
    sums: [[f32; 8]; SIDE_LINES + 1],
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            crossings: [Crossing::default(); SIDE_LINES],
            sums: [[0.0; 8]; SIDE_LINES + 1],
        }
    }
}

/// Points of the outline around the predicted `ellipse`, into `points`; their number. `half` is the window's reach
/// inside the predicted edge in pixels (2 while the prediction is rough, 1 when it is good), `lines` the most lines a
/// side.
pub(crate) fn fine(
    view: &View<'_>,
    ellipse: &Ellipse,
    half: usize,
    lines: usize,
    work: &mut Lines,
    points: &mut [Point],
) -> usize {
    let mut count = 0;
    let cross = if half == 1 { cross::<1> } else { cross::<2> };
    for across in [false, true] {
        for outward in [false, true] {
            let (found, stride) = cross(view, ellipse, across, outward, lines, work);
            if found < 5 {
                continue;
            }
            smooth(work, found, (SMOOTH_PX / stride) as usize);
            let scan = Scan::new(view, across, 0, outward);
            for c in &work.crossings[..found] {
                let edge_level = c.pearl - c.belt + c.slope * c.distance;
                if edge_level < LEAST_CONTRAST {
                    continue;
                }
                let Some(slot) = points.get_mut(count) else { break };
                let expected = c.predicted - c.start;
                let depth = invert(edge_level, c.slope, c.sum - c.belt * c.window);
                // A line whose edge is not where it was predicted has a neighbour, dust or a pit in it.
                if (depth - expected).abs() > 2.5 {
                    continue;
                }
                let (a, b) = (f64::from(scan.flip(c.start + depth)), f64::from(c.at + 0.5));
                let square = edge_level * edge_level;
                let u = c.slant * c.slant * (EDGE_FLOOR_PX.powi(2) * square + EDGE_NOISE_COUNTS.powi(2));
                let (x, y) = if across { (b, a) } else { (a, b) };
                *slot = Point {
                    x,
                    y,
                    weight: f64::from(square / u),
                };
                count += 1;
            }
        }
    }
    count
}

/// Depth of pearl in the window whose light is `sum`, when the pearl's level is `edge` at the edge and changes by
/// `slope` a pixel outwards: the root of edge * d - slope * d^2 / 2 = sum at which the level is still positive.
fn invert(edge: f32, slope: f32, sum: f32) -> f32 {
    // The level at the depth sought is the root below; a line that says less than this share of the edge's is none.
    const LEAST_SHARE: f32 = 0.3;
    let square = (edge * edge - 2.0 * slope * sum).max((LEAST_SHARE * edge).powi(2));
    2.0 * sum / (edge + square.sqrt())
}

/// Reads the lines of one side: those on which the outline's normal lies within 45 degrees of the scan. Returns how
/// many and the pixels from one to the next.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions checked to lie in the frame"
)]
fn cross<const HALF: usize>(
    view: &View<'_>,
    ellipse: &Ellipse,
    across: bool,
    outward: bool,
    lines: usize,
    work: &mut Lines,
) -> (usize, f32) {
    let (along, side, cross_term, centre, middle) = if across {
        (ellipse.yy, ellipse.xx, ellipse.xy, ellipse.y, ellipse.x)
    } else {
        (ellipse.xx, ellipse.yy, ellipse.xy, ellipse.x, ellipse.y)
    };
    let sign = if outward { 1.0 } else { -1.0 };
    // Touching points of the two tangents whose normals lie at 45 degrees bound the side.
    let diagonal = |s: f64| (cross_term * sign + side * s) / (along + 2.0 * cross_term * sign * s + side).sqrt();
    let first = (middle + diagonal(-1.0) - 0.5).ceil();
    let last = (middle + diagonal(1.0) - 0.5).floor();
    let span = last - first + 1.0;
    let limit = if across { view.width } else { view.height } as f64;
    if !(first >= 0.0 && last < limit && span >= 5.0) {
        return (0, 1.0);
    }
    let stride = (span / lines.min(SIDE_LINES) as f64).max(1.0);
    let (det, over_side) = (ellipse.determinant(), 1.0 / side);
    let mut found = 0;
    for k in 0..lines.min(SIDE_LINES) {
        let at = first + f64::from((k as f64 * stride) as i32);
        if at > last {
            break;
        }
        // side * dx^2 - 2 cross dx dy + along * dy^2 = det, for dx
        let dy = at + 0.5 - middle;
        let root = (det * (side - dy * dy)).max(0.0).sqrt();
        let dx = (cross_term * dy + sign * root) * over_side;
        let (gx, gy) = (side * dx - cross_term * dy, along * dy - cross_term * dx);
        let slant = gx.abs() / (gx * gx + gy * gy).sqrt();
        let scan = Scan::new(view, across, at as u32 as usize, outward);
        let predicted = scan.flip((centre + dx) as f32);
        if let Some(crossing) = read::<HALF>(&scan, predicted) {
            work.crossings[found] = Crossing {
                at: at as f32,
                slant: slant as f32,
                ..crossing
            };
            found += 1;
        }
    }
    (found, stride as f32)
}

/// Sums of one line around the predicted edge, or `None` when they would leave the frame.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative positions are refused before"
)]
fn read<const HALF: usize>(scan: &Scan<'_>, predicted: f32) -> Option<Crossing> {
    let pixel = predicted as u32 as usize;
    if pixel < HALF + INSIDE || pixel - HALF - INSIDE + LINE > scan.length {
        return None;
    }
    let start = pixel - HALF;
    let values = scan.sums::<LINE>(start - INSIDE);
    let (mut pearl, mut slope) = (0, 0);
    for i in 0..INSIDE {
        let value = i32::from(values[i]);
        pearl += value;
        slope += value * (2 * i as i32 - (INSIDE as i32 - 1));
    }
    let window = INSIDE + HALF + WINDOW_OUT;
    let sum: u16 = values[INSIDE..window].iter().sum();
    let belt: u16 = values[window..window + OUTSIDE].iter().sum();
    // Three channels were summed, and the slope's arms counted in half pixels.
    const CHANNELS: f32 = 3.0;
    const INERTIA: f32 = (INSIDE * (INSIDE * INSIDE - 1)) as f32 / 12.0;
    Some(Crossing {
        at: 0.0,
        slant: 1.0,
        predicted,
        start: start as f32,
        pearl: pearl as f32 / (CHANNELS * INSIDE as f32),
        slope: slope as f32 / (2.0 * CHANNELS * INERTIA),
        distance: predicted - (start as f32 - 0.5 * INSIDE as f32),
        belt: f32::from(belt) / (CHANNELS * OUTSIDE as f32),
        sum: f32::from(sum) / CHANNELS,
        window: (HALF + WINDOW_OUT) as f32,
    })
}

/// Replaces pearl, belt (over `reach` lines each way) and slope (over twice as many) by the straight line through
/// their neighbours.
fn smooth(work: &mut Lines, found: usize, reach: usize) {
    let Lines { crossings, sums } = work;
    let middle = crossings[found / 2].at;
    for (i, c) in crossings[..found].iter().enumerate() {
        let x = c.at - middle;
        let terms = [x, x * x, c.pearl, x * c.pearl, c.belt, x * c.belt, c.slope, x * c.slope];
        let before = sums[i];
        for (sum, (term, before)) in sums[i + 1].iter_mut().zip(terms.into_iter().zip(before)) {
            *sum = before + term;
        }
    }
    for (i, c) in crossings[..found].iter_mut().enumerate() {
        let x = c.at - middle;
        // Means over the neighbours within reach, and how far to go along a line's slope.
        let over = |reach: usize| {
            let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(found));
            let share = 1.0 / (to - from) as f32;
            let mut means = sums[to];
            for (mean, from) in means.iter_mut().zip(&sums[from]) {
                *mean = (*mean - from) * share;
            }
            let spread = (means[1] - means[0] * means[0]).max(1e-6);
            (means, (x - means[0]) / spread)
        };
        let line = |(m, along): &([f32; 8], f32), k: usize| m[k] + along * (m[k + 1] - m[0] * m[k]);
        let (near, far) = (over(reach), over(2 * reach));
        (c.pearl, c.belt, c.slope) = (line(&near, 2), line(&near, 4), line(&far, 6));
    }
}
