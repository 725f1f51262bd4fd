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

    /// Sums of the channels at the pixels from `from` to before `to`, counted in the scan's own direction.
    fn values(&self, from: usize, to: usize) -> impl Iterator<Item = u16> {
        let place = |i: usize| self.base + if self.outward { i } else { self.length - 1 - i } * self.step;
        let (mut at, step) = (place(from), self.step);
        let (pixels, outward) = (self.pixels, self.outward);
        (from..to).map(move |_| {
            let p = &pixels[at..at + 3];
            // After the last pixel of the frame's first line there is no step back; nobody takes it.
            at = if outward { at + step } else { at.wrapping_sub(step) };
            u16::from(p[0]) + u16::from(p[1]) + u16::from(p[2])
        })
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

/// The sharpest step down near `edge` along the scan: its position and contrast.
fn step(scan: &Scan<'_>, edge: usize) -> Option<(f32, f32)> {
    const VALUES: usize = STEP_BACK + STEP_AHEAD + 12;
    let from = edge.checked_sub(STEP_BACK + 6)?;
    if from + VALUES > scan.length {
        return None;
    }
    let mut sums = [0.0f32; VALUES + 1];
    for (i, value) in scan.values(from, from + VALUES).enumerate() {
        sums[i + 1] = sums[i] + f32::from(value) * (1.0 / 3.0);
    }
    let mean = |a: usize, b: usize| (sums[b] - sums[a]) / (b - a) as f32;
    let (mut best, mut at) = (0.0, 0);
    for i in 6..VALUES - 6 {
        let inside = mean(i - STEP_SPAN, i);
        let fall = inside - mean(i, i + STEP_SPAN);
        // In units of the noise, which grows with the root of the light: else a highlight's flank beats a dark edge.
        let score = fall * fall.abs() / (1.0 + inside);
        if score > best {
            (best, at) = (score, i);
        }
    }
    if at == 0 {
        return None;
    }
    let (pearl, belt) = (mean(at - 5, at - 2), mean(at + 3, at + 6));
    let contrast = pearl - belt;
    if contrast < LEAST_CONTRAST {
        return None;
    }
    let covered = (sums[at + 3] - sums[at - 2] - 5.0 * belt) / contrast;
    Some(((from + at - 2) as f32 + covered.clamp(0.0, 5.0), contrast))
}

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
    sums: [[f32; SIDE_LINES + 1]; 8],
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            crossings: [Crossing::default(); SIDE_LINES],
            sums: [[0.0; SIDE_LINES + 1]; 8],
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
    for across in [false, true] {
        for outward in [false, true] {
            let (found, stride) = cross(view, ellipse, across, outward, half, lines, work);
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
                let depth = invert(edge_level, c.slope, c.sum - c.belt * c.window, expected);
                // A line whose edge is not where it was predicted has a neighbour, dust or a pit in it.
                if (depth - expected).abs() > 2.5 {
                    continue;
                }
                let (a, b) = (f64::from(scan.flip(c.start + depth)), f64::from(c.at + 0.5));
                let u = c.slant * c.slant * (EDGE_FLOOR_PX.powi(2) + (EDGE_NOISE_COUNTS / edge_level).powi(2));
                let (x, y) = if across { (b, a) } else { (a, b) };
                *slot = Point {
                    x,
                    y,
                    weight: f64::from(1.0 / u),
                };
                count += 1;
            }
        }
    }
    count
}

/// Depth of pearl in the window whose light is `sum`, when the pearl's level is `edge` at the edge and changes by
/// `slope` a pixel outwards: edge * d - slope * d^2 / 2 = sum, by Newton's steps from `from`.
fn invert(edge: f32, slope: f32, sum: f32, from: f32) -> f32 {
    let mut d = from;
    for _ in 0..3 {
        let level = (edge - slope * d).max(0.3 * edge);
        d -= (edge * d - 0.5 * slope * d * d - sum) / level;
    }
    d
}

/// Reads the lines of one side: those on which the outline's normal lies within 45 degrees of the scan. Returns how
/// many and the pixels from one to the next.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions checked to lie in the frame"
)]
fn cross(
    view: &View<'_>,
    ellipse: &Ellipse,
    across: bool,
    outward: bool,
    half: usize,
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
    let det = ellipse.determinant();
    let mut found = 0;
    for k in 0..lines.min(SIDE_LINES) {
        let at = first + (k as f64 * stride).floor();
        if at > last {
            break;
        }
        // side * dx^2 - 2 cross dx dy + along * dy^2 = det, for dx
        let dy = at + 0.5 - middle;
        let root = (det * (side - dy * dy)).max(0.0).sqrt();
        let dx = (cross_term * dy + sign * root) / side;
        let (gx, gy) = (side * dx - cross_term * dy, along * dy - cross_term * dx);
        let slant = gx.abs() / (gx * gx + gy * gy).sqrt();
        let scan = Scan::new(view, across, at as usize, outward);
        let predicted = scan.flip((centre + dx) as f32);
        if let Some(crossing) = read(&scan, predicted, half) {
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
fn read(scan: &Scan<'_>, predicted: f32, half: usize) -> Option<Crossing> {
    let pixel = predicted as usize;
    if pixel < half + INSIDE || pixel + WINDOW_OUT + OUTSIDE > scan.length {
        return None;
    }
    let start = pixel - half;
    let (mut pearl, mut slope) = (0, 0);
    for (i, value) in (0i32..).zip(scan.values(start - INSIDE, start)) {
        pearl += i32::from(value);
        slope += i32::from(value) * (2 * i - (INSIDE as i32 - 1));
    }
    let sum: u16 = scan.values(start, pixel + WINDOW_OUT).sum();
    let belt: u16 = scan.values(pixel + WINDOW_OUT, pixel + WINDOW_OUT + OUTSIDE).sum();
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
        window: (half + WINDOW_OUT) as f32,
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
        for (sum, term) in sums.iter_mut().zip(terms) {
            sum[i + 1] = sum[i] + term;
        }
    }
    for (i, c) in crossings[..found].iter_mut().enumerate() {
        let x = c.at - middle;
        let line = |values: usize, reach: usize| {
            let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(found));
            let count = (to - from) as f32;
            let over = |k: usize| (sums[k][to] - sums[k][from]) / count;
            let (mean_x, mean) = (over(0), over(values));
            let spread = (over(1) - mean_x * mean_x).max(1e-6);
            mean + (x - mean_x) * (over(values + 1) - mean_x * mean) / spread
        };
        let (pearl, belt, slope) = (line(2, reach), line(4, reach), line(6, 2 * reach));
        (c.pearl, c.belt, c.slope) = (pearl, belt, slope);
    }
}
