//! What is not an ellipsoid: waists of touching pearls, the residual of a baroque, the taper of a drop. Hot.

use crate::ellipse::{Ellipse, Point};
use crate::ellipsoid::{Ellipsoid, Pose};
use crate::limits::{COARSE_LINES, VIEWS};

/// Families of shape, as far as silhouettes tell them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Diameter difference within what any standard calls round or near round.
    #[default]
    Round,
    /// Longer along one axis.
    Oval,
    /// Shorter along one axis: a button.
    Flat,
    /// One end more pointed than the other.
    Drop,
    /// No symmetry.
    Baroque,
}

impl Shape {
    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Oval => "oval",
            Self::Flat => "flat",
            Self::Drop => "drop",
            Self::Baroque => "baroque",
        }
    }
}

/// Diameter difference in per cent up to which a pearl belongs to the round family; the classes within it are the
/// recipe's.
const ROUND_FAMILY: f64 = 12.0;
/// Taper from which what is no ellipsoid is a drop.
const DROP_TAPER: f64 = 0.6;
/// Area over convex area below which an outline has a waist: 0.88 for two equal pearls that touch.
const WAIST: f64 = 0.945;
/// Share of the outline's points that a residual is taken over; the rest may be dust or lost edges.
const KEPT: f64 = 0.9;
/// Directions in which calipers are laid on each outline.
const CALIPERS: usize = 36;

/// Family of a pearl of the given diameters (smallest first).
pub(crate) fn family(diameters: &[f64; 3], ddp: f64, baroque: bool, taper: f64) -> Shape {
    let [low, mid, high] = diameters;
    match (baroque, ddp <= ROUND_FAMILY) {
        (true, _) if taper > DROP_TAPER => Shape::Drop,
        (true, _) => Shape::Baroque,
        (false, true) => Shape::Round,
        (false, false) if high - mid < mid - low => Shape::Flat,
        (false, false) => Shape::Oval,
    }
}

/// Most points of a first outline.
const POINTS: usize = 4 * COARSE_LINES;

/// Whether the outline has a waist, as two pearls that touch have.
pub(crate) fn waisted(points: &[Point]) -> bool {
    let count = points.len().min(POINTS);
    let mean = |f: fn(&Point) -> f64| points[..count].iter().map(f).sum::<f64>() / count.max(1) as f64;
    let (cx, cy) = (mean(|p| p.x), mean(|p| p.y));
    let mut ring = [(0.0f64, 0.0f64, 0.0f64); POINTS];
    for (slot, p) in ring.iter_mut().zip(points) {
        let (dx, dy) = (p.x - cx, p.y - cy);
        *slot = (turn(dx, dy), dx, dy);
    }
    let ring = &mut ring[..count];
    ring.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    pull_in_specks(ring);
    let area = |ring: &[(f64, f64, f64)]| {
        let mut sum = 0.0;
        for (k, p) in ring.iter().enumerate() {
            let q = &ring[(k + 1) % ring.len()];
            sum += p.1 * q.2 - q.1 * p.2;
        }
        0.5 * sum
    };
    let own = area(ring);
    // Points taken away where the outline turns in, until it turns in nowhere: a hull of an outline sorted by angle.
    let mut hull = [(0.0, 0.0, 0.0); POINTS + 1];
    let mut size = 0;
    let reach = |k: usize| ring[k].1 * ring[k].1 + ring[k].2 * ring[k].2;
    let far = (0..count).max_by(|&a, &b| reach(a).total_cmp(&reach(b)));
    let Some(first) = far else { return false };
    for k in 0..=count {
        let p = ring[(first + k) % count];
        while size >= 2 {
            let (a, b) = (hull[size - 2], hull[size - 1]);
            let turn: f64 = (b.1 - a.1) * (p.2 - b.2) - (b.2 - a.2) * (p.1 - b.1);
            if turn > 0.0 {
                break;
            }
            size -= 1;
        }
        hull[size] = p;
        size += 1;
    }
    let whole = area(&hull[..size.saturating_sub(1)]);
    own < WAIST * whole
}

/// Points on either side that a point's distance from the middle is held against.
const BESIDE: usize = 2;

/// Gives each point the median distance from the middle of itself and its neighbours: a speck of dust beside the pearl
/// moves one point or two, a second pearl moves a whole side.
fn pull_in_specks(ring: &mut [(f64, f64, f64)]) {
    let count = ring.len();
    if count <= 2 * BESIDE {
        return;
    }
    let mut reach = [0.0f64; POINTS];
    for (reach, p) in reach.iter_mut().zip(ring.iter()) {
        *reach = (p.1 * p.1 + p.2 * p.2).sqrt();
    }
    for (k, p) in ring.iter_mut().enumerate() {
        let mut near: [f64; 2 * BESIDE + 1] = std::array::from_fn(|i| reach[(k + count + i - BESIDE) % count]);
        near.sort_unstable_by(f64::total_cmp);
        let share = near[BESIDE] / reach[k].max(1e-9);
        (p.1, p.2) = (p.1 * share, p.2 * share);
    }
}

/// What grows with the direction of (x, y) over one turn, from -2 to 2: an order is all that is asked.
fn turn(x: f64, y: f64) -> f64 {
    let part = y / (x.abs() + y.abs()).max(1e-12);
    if x >= 0.0 { part } else { (2.0 - part.abs()).copysign(y) }
}

/// Root mean square distance of the points from their outlines in pixels, the farthest tenth left out.
pub(crate) fn residual(points: &[&[Point]; VIEWS], outlines: &[Ellipse; VIEWS]) -> f64 {
    let mut squares = [0.0f64; VIEWS * POINTS];
    let mut count = 0;
    for (points, outline) in points.iter().zip(outlines) {
        for p in points.iter().take(POINTS) {
            squares[count] = outline.distance(p.x, p.y).0.powi(2);
            count += 1;
        }
    }
    let squares = &mut squares[..count];
    squares.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    let kept = (count as f64 * KEPT) as usize;
    (squares[..kept].iter().sum::<f64>() / kept.max(1) as f64).sqrt()
}

/// Difference of the two ends' curvature over their mean. The outline's support along the longest axis is taken as
/// R + t P3(s), s the cosine to the axis and P3 Legendre's polynomial; h + h'' at the ends is then R -+ 5 t.
pub(crate) fn taper(
    points: &[&[Point]; VIEWS],
    outlines: &[Ellipse; VIEWS],
    ellipsoid: &Ellipsoid,
    poses: &[Pose; VIEWS],
) -> f64 {
    let axes = ellipsoid.axes();
    let axis = axes.directions[2];
    let (mut top, mut bottom) = (0.0, 1e-9);
    for k in 0..VIEWS {
        let across = poses[k].across();
        let (ax, ay) = (axis[0] * across[0] + axis[2] * across[2], axis[1]);
        for p in points[k] {
            let (distance, n) = outlines[k].distance(p.x, p.y);
            if distance.abs() > 8.0 {
                continue;
            }
            let s = n[0] * ax + n[1] * ay;
            let p3 = 0.5 * s * (5.0 * s * s - 3.0);
            top += p3 * distance;
            bottom += p3 * p3;
        }
    }
    let mean_radius = axes.diameters.iter().sum::<f64>() / 6.0;
    (10.0 * top / bottom / mean_radius.max(1.0)).abs()
}

/// Largest and smallest distance of parallel tangents over all views, in pixels of the top camera.
pub(crate) fn calipers(points: &[&[Point]; VIEWS], poses: &[Pose; VIEWS]) -> [f64; 2] {
    let (mut most, mut least) = (0.0f64, f64::MAX);
    for (points, pose) in points.iter().zip(poses) {
        for k in 0..CALIPERS {
            let (sin, cos) = (k as f64 * std::f64::consts::PI / CALIPERS as f64).sin_cos();
            let (mut low, mut high) = (f64::MAX, f64::MIN);
            for p in *points {
                let along = p.x * cos + p.y * sin;
                low = low.min(along);
                high = high.max(along);
            }
            let width = (high - low) / pose.scale;
            most = most.max(width);
            least = least.min(width);
        }
    }
    [most, least]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(x: f64, r: f64) -> impl Iterator<Item = Point> {
        (0..50).map(move |k| {
            let (sin, cos) = (f64::from(k) * std::f64::consts::TAU / 50.0).sin_cos();
            Point {
                x: x + r * cos,
                y: 100.0 + r * sin,
                weight: 1.0,
            }
        })
    }

    #[test]
    fn touching_circles_have_a_waist_and_one_has_none() {
        let one: Vec<Point> = circle(100.0, 50.0).collect();
        assert!(!waisted(&one));
        let two: Vec<Point> = circle(100.0, 50.0)
            .filter(|p| p.x < 148.0)
            .chain(circle(200.0, 50.0).filter(|p| p.x > 152.0))
            .collect();
        assert!(waisted(&two));
    }
}
