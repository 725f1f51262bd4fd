//! Scale, turn and distortion of one camera from a target with lines ruled across and along at a known pitch. Cold.
//!
//! Lines may be dark on bright or bright on dark. Along rows between the lines that run across, the lines that run along are
//! met one by one, each at the centroid of its darkness, and the other way round. Lines are followed from the frame's middle
//! outwards, so that a turned target does not mix them up. The fit: a point p belongs at c + (p - c)(1 + k r^2), r in units of
//! half the width; there the lines are straight, at right angles and equally far apart.

use vision::View;

use super::solve::{Normal, median};
use super::{LEAST_LINES, Unfit};

/// What the target told of one camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuledFit {
    /// Pixels a millimetre.
    pub px_per_mm: f64,
    /// Its relative standard uncertainty, the pitch's own left out.
    pub u_scale: f64,
    /// Distortion as [`vision::Camera`] has it.
    pub distortion: f64,
    /// How far the target was turned in the frame, degrees.
    pub turned_deg: f64,
    /// Root mean square distance of the lines' points from the fit, pixels.
    pub rms_px: f64,
    /// Points on lines.
    pub points: usize,
}

/// Rows on each side of the middle among which one is sought to start from.
const SEED_ROWS: usize = 40;
/// Pixels from one scanned row to the next.
const STEP: usize = 3;
/// Share of the lines' darkness from which a pixel belongs to a line.
const DARK_SHARE: f32 = 0.5;
/// Most of a row that may be dark: else it lies on a line.
const MOST_DARK: f32 = 0.5;
/// Least difference of lines and ground, counts.
const LEAST_CONTRAST: f32 = 20.0;
/// What a fit may leave, and what cameras are.
const MOST_RMS_PX: f64 = 0.25;
const PX_PER_MM: (f64, f64) = (5.0, 100.0);
const DISTORTION: (f64, f64) = (-0.05, 0.05);
const TURNED_DEG: (f64, f64) = (-5.0, 5.0);
/// Distance of a point, in medians of all points' distances, from which it is of no line.
const FAR_MEDIANS: f64 = 5.0;
/// Points beside one another on a line share their error.
const CORRELATION: f64 = 4.0;

/// A point on a line: where, and the line's number from the middle.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    number: f64,
}

/// Brightness of a view, row by row.
struct Grey {
    counts: Vec<f32>,
    width: usize,
    height: usize,
}

impl Grey {
    fn of(view: &View<'_>) -> Self {
        let row = |y: usize| view.pixels[y * view.stride..].chunks_exact(3).take(view.width);
        let counts = (0..view.height)
            .flat_map(|y| row(y).map(|p| (f32::from(p[0]) + f32::from(p[1]) + f32::from(p[2])) / 3.0))
            .collect();
        Self {
            counts,
            width: view.width,
            height: view.height,
        }
    }

    /// Turned so that columns become rows.
    fn turned(&self) -> Self {
        let counts = (0..self.width)
            .flat_map(|x| (0..self.height).map(move |y| self.counts[y * self.width + x]))
            .collect();
        Self {
            counts,
            width: self.height,
            height: self.width,
        }
    }
}

/// Fits one camera to its view of the target.
///
/// # Errors
/// When the target is not seen well enough, or what it tells is no camera's.
pub fn ruled(view: &View<'_>, pitch_mm: f64) -> Result<RuledFit, Unfit> {
    if view.pixels.len() < view.stride * view.height.saturating_sub(1) + 3 * view.width || view.width < 64 {
        return Err(Unfit::Lines { across: 0, along: 0 });
    }
    let grey = Grey::of(view);
    let along = points(&grey);
    let mut across = points(&grey.turned());
    for point in &mut across {
        (point.x, point.y) = (point.y, point.x);
    }
    let counts = [&across, &along].map(|points| lines(points));
    if counts.iter().any(|&count| count < LEAST_LINES) {
        return Err(Unfit::Lines {
            across: counts[0],
            along: counts[1],
        });
    }
    let fit = fit(&along, &across, (grey.width, grey.height), pitch_mm).ok_or(Unfit::Lines {
        across: counts[0],
        along: counts[1],
    })?;
    judge(fit)
}

fn judge(fit: RuledFit) -> Result<RuledFit, Unfit> {
    if fit.rms_px > MOST_RMS_PX {
        return Err(Unfit::Residual {
            rms_px: fit.rms_px,
            limit_px: MOST_RMS_PX,
        });
    }
    let within = |what, value: f64, (least, most): (f64, f64), advice| {
        if (least..=most).contains(&value) {
            Ok(())
        } else {
            Err(Unfit::Range {
                what,
                value,
                least,
                most,
                advice,
            })
        }
    };
    within(
        "the scale (px/mm)",
        fit.px_per_mm,
        PX_PER_MM,
        "look at the pitch that was given",
    )?;
    within(
        "the distortion",
        fit.distortion,
        DISTORTION,
        "look at the lens and the target's flatness",
    )?;
    within(
        "the target's turn (degrees)",
        fit.turned_deg,
        TURNED_DEG,
        "lay it along the belt",
    )?;
    Ok(fit)
}

/// Different lines among the points.
fn lines(points: &[Point]) -> usize {
    let mut numbers: Vec<i64> = points.iter().map(|p| p.number.round() as i64).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// Points of the lines that rows meet, followed outwards from a row in which they stand evenly.
fn points(grey: &Grey) -> Vec<Point> {
    let met = |y: usize| crossings(&grey.counts[y * grey.width..][..grey.width]);
    let middle = grey.height / 2;
    let seeds = (0..grey.height).filter(|y| y.abs_diff(middle) < SEED_ROWS);
    let even = seeds.map(|y| (y, met(y))).filter(|(_, lines)| is_even(lines));
    // Of the rows with the most lines the last one will do as well as any.
    let Some((from, seed)) = even.max_by_key(|(_, lines)| lines.len()) else {
        return Vec::new();
    };
    let pitch = (seed[seed.len() - 1] - seed[0]) / (seed.len() - 1) as f64;
    // Places of the lines as last met on the way up and on the way down.
    let mut tracks = [seed.clone(), seed];
    let mut rows: Vec<usize> = (0..grey.height).step_by(STEP).collect();
    rows.sort_by_key(|y| y.abs_diff(from));
    let mut all = Vec::new();
    for y in rows {
        let lines = met(y);
        let track = &mut tracks[usize::from(y > from)];
        for (number, place) in track.iter_mut().enumerate() {
            let nearest = lines
                .iter()
                .min_by(|a, b| (*a - *place).abs().total_cmp(&(*b - *place).abs()));
            if let Some(&x) = nearest.filter(|x| (**x - *place).abs() < pitch / 4.0) {
                *place = x;
                all.push(Point {
                    x,
                    y: y as f64 + 0.5,
                    number: number as f64,
                });
            }
        }
    }
    all
}

/// Whether lines are enough, and none of them is missing between others.
fn is_even(lines: &[f64]) -> bool {
    let gaps = || lines.windows(2).map(|pair| pair[1] - pair[0]);
    let least = gaps().fold(f64::MAX, f64::min);
    lines.len() >= LEAST_LINES && gaps().all(|gap| gap < 1.5 * least)
}

/// Where a row meets lines; nothing where it lies on one, or shows none.
fn crossings(row: &[f32]) -> Vec<f64> {
    let mut sorted = row.to_vec();
    sorted.sort_by(f32::total_cmp);
    let ground = sorted[sorted.len() / 2];
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    // Lines are what lies farther from the ground, on either side of it.
    let sign = if ground - low > high - ground { 1.0 } else { -1.0 };
    let depth: Vec<f32> = row.iter().map(|v| (sign * (ground - v)).max(0.0)).collect();
    let most = depth.iter().copied().fold(0.0, f32::max);
    let dark = depth.iter().filter(|d| **d > DARK_SHARE * most).count();
    if most < LEAST_CONTRAST || dark as f32 > MOST_DARK * row.len() as f32 {
        return Vec::new();
    }
    let runs = runs(&depth, DARK_SHARE * most);
    let mut widths: Vec<usize> = runs.iter().map(|(from, end)| end - from).collect();
    widths.sort_unstable();
    let usual = widths.get(widths.len() / 2).copied().unwrap_or(0);
    let inside = |&&(from, end): &&(usize, usize)| {
        // A line that the frame cuts has no middle, and one that meets another along the row is wider than the rest.
        from >= 2 && end + 2 <= depth.len() && end - from <= usual + usual / 2 + 1
    };
    let middle = |&(from, end): &(usize, usize)| {
        // With what the edges' pixels hold of it.
        let weights = || (from - 2..end + 2).map(|k| (k as f64 + 0.5, f64::from(depth[k])));
        let sum: f64 = weights().map(|(_, w)| w).sum();
        weights().map(|(x, w)| x * w).sum::<f64>() / sum
    };
    runs.iter().filter(inside).map(middle).collect()
}

/// Stretches above the limit: first pixel, and the one after the last.
fn runs(depth: &[f32], limit: f32) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut from = None;
    for (at, d) in depth.iter().chain([&0.0]).enumerate() {
        match (from, *d > limit) {
            (None, true) => from = Some(at),
            (Some(start), false) => {
                runs.push((start, at));
                from = None;
            }
            _ => {}
        }
    }
    runs
}

/// Least squares for (scale, turn, offset along x, offset along y, distortion), by Gauss and Newton's steps.
fn fit(along: &[Point], across: &[Point], (width, height): (usize, usize), pitch_mm: f64) -> Option<RuledFit> {
    const STEPS: usize = 8;
    let (cx, cy) = (0.5 * width as f64, 0.5 * height as f64);
    let first = |points: &[Point], of: fn(&Point) -> f64, centre: f64| {
        let mut normal = Normal::<2>::new();
        points
            .iter()
            .for_each(|p| normal.add(&[1.0, p.number * pitch_mm], of(p) - centre));
        normal.solve()
    };
    let ([ox, sx], [oy, sy]) = (first(along, |p| p.x, cx)?, first(across, |p| p.y, cy)?);
    let mut q = [0.5 * (sx + sy), 0.0, ox, oy, 0.0];
    let (mut normal, mut square, mut count) = (Normal::<5>::new(), 0.0, 0);
    let mut limit_px = f64::MAX;
    for _ in 0..STEPS {
        normal = Normal::new();
        (square, count) = (0.0, 0);
        let mut distances = Vec::with_capacity(along.len() + across.len());
        let (sin, cos) = q[1].sin_cos();
        for (points, n, offset) in [(along, [cos, sin], 2), (across, [-sin, cos], 3)] {
            // d n / d turn
            let turned = [-n[1], n[0]];
            for p in points {
                let (dx, dy) = (p.x - cx, p.y - cy);
                let r2 = (dx * dx + dy * dy) / (cx * cx);
                let grown = 1.0 + q[4] * r2;
                let ground = p.number * pitch_mm;
                let straight = n[0] * dx + n[1] * dy;
                let off = q[offset] + q[0] * ground - grown * straight;
                distances.push(off.abs());
                // Where lines cross, a few points are neither's.
                if off.abs() > limit_px {
                    continue;
                }
                let mut row = [ground, 0.0, 0.0, 0.0, -r2 * straight];
                row[1] = -grown * (turned[0] * dx + turned[1] * dy);
                row[offset] = 1.0;
                normal.add(&row, -off);
                square += off * off;
                count += 1;
            }
        }
        let step = normal.solve()?;
        q.iter_mut().zip(step).for_each(|(q, step)| *q += step);
        limit_px = FAR_MEDIANS * median(distances)?;
    }
    let rms_px = (square / f64::from(count - 5).max(1.0)).sqrt();
    Some(RuledFit {
        px_per_mm: q[0],
        u_scale: (normal.variance(0)?.max(0.0) * CORRELATION).sqrt() * rms_px / q[0],
        distortion: q[4],
        turned_deg: q[1].to_degrees(),
        rms_px,
        points: usize::try_from(count).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 288;

    /// A target of dark lines 0.15 mm wide on white, drawn through a lens.
    fn target(px_per_mm: f64, distortion: f64, turned_deg: f64, pitch_mm: f64, bend_px: f64) -> Vec<u8> {
        const PARTS: usize = 4;
        let (sin, cos) = turned_deg.to_radians().sin_cos();
        let half = 0.5 * SIDE as f64;
        let shade = |x: f64, y: f64| {
            let (dx, dy) = (x - half, y - half);
            let grown = 1.0 + distortion * (dx * dx + dy * dy) / (half * half);
            let (ux, uy) = (dx * grown / px_per_mm, dy * grown / px_per_mm);
            let bend = bend_px / px_per_mm * (uy * 0.7).sin();
            let on_line = |u: f64| ((u + 0.37).rem_euclid(pitch_mm) - 0.5 * pitch_mm).abs() < 0.075;
            if on_line(ux * cos + uy * sin + bend) || on_line(-ux * sin + uy * cos) {
                30.0
            } else {
                200.0
            }
        };
        let mut bytes = Vec::with_capacity(3 * SIDE * SIDE);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let part = |k: usize| (k as f64 + 0.5) / PARTS as f64;
                let sum: f64 = (0..PARTS * PARTS)
                    .map(|k| shade(x as f64 + part(k % PARTS), y as f64 + part(k / PARTS)))
                    .sum();
                bytes.extend([(sum / (PARTS * PARTS) as f64).round() as u8; 3]);
            }
        }
        bytes
    }

    fn seen(bytes: &[u8], pitch_mm: f64) -> Result<RuledFit, Unfit> {
        ruled(&View::rgb8(bytes, SIDE, SIDE), pitch_mm)
    }

    #[test]
    fn scale_turn_and_distortion_come_back() {
        for (px_per_mm, distortion, turned_deg) in [(20.0, 0.0, 0.0), (20.1, 0.004, 1.5), (19.7, -0.008, -2.0)] {
            let fit = seen(&target(px_per_mm, distortion, turned_deg, 1.0, 0.0), 1.0).expect("a good target");
            assert!((fit.px_per_mm / px_per_mm - 1.0).abs() < 3e-4, "{fit:?}");
            assert!((fit.distortion - distortion).abs() < 5e-4, "{fit:?}");
            assert!((fit.turned_deg - turned_deg).abs() < 0.05, "{fit:?}");
            assert!(fit.rms_px < 0.1 && fit.u_scale < 2e-4, "{fit:?}");
        }
    }

    #[test]
    fn bad_targets_are_refused_by_name() {
        let blank = vec![120; 3 * SIDE * SIDE];
        assert!(matches!(seen(&blank, 1.0), Err(Unfit::Lines { .. })));
        let bent = target(20.0, 0.0, 0.0, 1.0, 3.0);
        assert!(matches!(seen(&bent, 1.0), Err(Unfit::Residual { .. })));
        let turned = target(20.0, 0.0, 7.0, 1.0, 0.0);
        assert!(seen(&turned, 1.0).is_err());
        let wrong_pitch = target(20.0, 0.0, 0.0, 1.0, 0.0);
        assert!(matches!(seen(&wrong_pitch, 10.0), Err(Unfit::Range { .. })));
        assert!(seen(&blank[..1000], 1.0).is_err());
    }
}
