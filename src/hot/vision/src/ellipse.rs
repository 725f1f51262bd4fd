//! The outline of one view as an ellipse. Hot.
//!
//! An ellipse is kept by its centre and by the matrix C of its support function: the tangent with unit normal n lies
//! h(n) = sqrt(n' C n) from the centre. C is the dual conic of the outline, and under orthographic projection the dual
//! conic of an ellipsoid's outline is linear in the ellipsoid's own matrix (Hartley and Zisserman, Multiple View
//! Geometry, 8.3), which is why nothing here is kept as an equation in x and y.

use crate::algebra::{Matrix, inverse, solve};

/// A point of an outline, in pixels of its frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// How much it counts: one over its standard uncertainty in pixels, squared.
    pub(crate) weight: f64,
}

/// An ellipse by its dual: `xx`, `xy`, `yy` of C, and its centre.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ellipse {
    pub(crate) xx: f64,
    pub(crate) xy: f64,
    pub(crate) yy: f64,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// An ellipse fitted to points.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fit {
    pub(crate) ellipse: Ellipse,
    /// Covariance of xx, yy, xy, from the points' scatter.
    pub(crate) covariance: Matrix<3>,
    /// Root mean square distance of the points, those far off left out.
    pub(crate) rms: f64,
    /// Share of the points far off.
    pub(crate) outliers: f64,
}

impl Ellipse {
    /// Determinant of C: the product of the half-axes, squared.
    pub(crate) fn determinant(&self) -> f64 {
        self.xx * self.yy - self.xy * self.xy
    }

    /// Whether it is an ellipse at all, with half-axes between 1 and 10,000 pixels.
    pub(crate) fn is_sound(&self) -> bool {
        let (det, trace) = (self.determinant(), self.xx + self.yy);
        det.is_finite() && trace.is_finite() && det > 1.0 && trace < 1e8 && det > 1e-4 * trace * trace
    }

    /// Distance of a point from the outline (positive outside) and the outward unit normal there, to first order.
    pub(crate) fn distance(&self, x: f64, y: f64) -> (f64, [f64; 2]) {
        let scale = 1.0 / self.determinant();
        let (dx, dy) = (x - self.x, y - self.y);
        let gx = (self.yy * dx - self.xy * dy) * scale;
        let gy = (self.xx * dy - self.xy * dx) * scale;
        let root = (gx * dx + gy * dy).max(1e-12).sqrt();
        let over = 1.0 / (gx * gx + gy * gy).max(1e-24).sqrt();
        // With q = root^2 the support is root / |g| on the outline; the factor root makes the distance right to
        // second order for a circle.
        (root * over * (root - 1.0), [gx * over, gy * over])
    }
}

/// A circle of the points' mean and spread, to start from.
pub(crate) fn start(points: &[Point]) -> Ellipse {
    let count = points.len().max(1) as f64;
    let (mut x, mut y) = (0.0, 0.0);
    for p in points {
        x += p.x;
        y += p.y;
    }
    let (x, y) = (x / count, y / count);
    let mut square = 0.0;
    for p in points {
        square += (p.x - x).powi(2) + (p.y - y).powi(2);
    }
    let square = square / count;
    Ellipse {
        xx: square,
        xy: 0.0,
        yy: square,
        x,
        y,
    }
}

/// Points taken side by side, so that the compiler makes vector code.
const LANES: usize = 4;
/// One number for each of them.
type Lane = [f32; LANES];

/// A lane of `f(0), f(1), ..`.
fn lane(f: impl FnMut(usize) -> f32) -> Lane {
    std::array::from_fn(f)
}

/// Sums over the points of one step. With n the outline's normal, h the support and w the weight, a point's row is
/// (nx^2 / 2h, ny^2 / 2h, nx ny / h, nx, ny); the products of rows are sums of w nx^i ny^j / h^k with i + j = 2 + k, of
/// which twelve differ.
#[derive(Default)]
struct Normal {
    /// k = 2: nx^4, nx^3 ny, nx^2 ny^2, nx ny^3, ny^4.
    four: [Lane; 5],
    /// k = 1: nx^3, nx^2 ny, nx ny^2, ny^3.
    three: [Lane; 4],
    /// k = 0: nx^2, nx ny, ny^2.
    two: [Lane; 3],
    /// Row times distance, without the row's factor 1/2.
    right: [Lane; 5],
    /// Weight times distance squared.
    chi: Lane,
    /// Points nearer than three scales, and their squared distances.
    near: Lane,
    square: Lane,
}

impl Normal {
    /// Adds points by their distance from `ellipse`; `scale` is that of Cauchy's weight, 1 / (1 + (distance / scale)^2).
    #[expect(clippy::cast_possible_truncation, reason = "pixels from the centre to f32")]
    fn add(&mut self, points: &[Point; LANES], real: &Lane, ellipse: &Ellipse, scale: f32) {
        let over_det = 1.0 / ellipse.determinant();
        let [a, b, c] = [ellipse.yy, ellipse.xy, ellipse.xx].map(|v| (v * over_det) as f32);
        let x = lane(|l| (points[l].x - ellipse.x) as f32);
        let y = lane(|l| (points[l].y - ellipse.y) as f32);
        // As in `Ellipse::distance`.
        let gx = lane(|l| a * x[l] - b * y[l]);
        let gy = lane(|l| c * y[l] - b * x[l]);
        let root = lane(|l| (gx[l] * x[l] + gy[l] * y[l] + 1e-12).sqrt());
        let over = lane(|l| 1.0 / (gx[l] * gx[l] + gy[l] * gy[l] + 1e-24).sqrt());
        let h = lane(|l| root[l] * over[l]);
        let d = lane(|l| h[l] * (root[l] - 1.0));
        let nx = lane(|l| gx[l] * over[l]);
        let ny = lane(|l| gy[l] * over[l]);
        let square_scale = scale * scale;
        let w = lane(|l| real[l] * points[l].weight as f32 * square_scale / (square_scale + d[l] * d[l]));
        let wh = lane(|l| w[l] / h[l]);
        let whh = lane(|l| wh[l] / h[l]);
        let (xx, xy, yy) = (
            lane(|l| nx[l] * nx[l]),
            lane(|l| nx[l] * ny[l]),
            lane(|l| ny[l] * ny[l]),
        );
        for l in 0..LANES {
            let (p, q, r) = (whh[l] * xx[l], whh[l] * xy[l], whh[l] * yy[l]);
            self.four[0][l] += p * xx[l];
            self.four[1][l] += p * xy[l];
            self.four[2][l] += p * yy[l];
            self.four[3][l] += q * yy[l];
            self.four[4][l] += r * yy[l];
        }
        for l in 0..LANES {
            let (p, q, r) = (wh[l] * xx[l], wh[l] * xy[l], wh[l] * yy[l]);
            self.three[0][l] += p * nx[l];
            self.three[1][l] += p * ny[l];
            self.three[2][l] += q * ny[l];
            self.three[3][l] += r * ny[l];
            self.right[0][l] += p * d[l];
            self.right[1][l] += r * d[l];
            self.right[2][l] += q * d[l];
        }
        for l in 0..LANES {
            let wd = w[l] * d[l];
            self.two[0][l] += w[l] * xx[l];
            self.two[1][l] += w[l] * xy[l];
            self.two[2][l] += w[l] * yy[l];
            self.right[3][l] += wd * nx[l];
            self.right[4][l] += wd * ny[l];
            self.chi[l] += wd * d[l];
        }
        let far = 9.0 * square_scale;
        for l in 0..LANES {
            let square = d[l] * d[l];
            let near = if square > far { 0.0 } else { real[l] };
            self.near[l] += near;
            self.square[l] += near * square;
        }
    }

    /// Matrix and right side of the step's equations.
    fn equations(&self) -> (Matrix<5>, [f64; 5]) {
        let [f0, f1, f2, f3, f4] = self.four.map(|lane| total(&lane));
        let [t0, t1, t2, t3] = self.three.map(|lane| total(&lane));
        let [s0, s1, s2] = self.two.map(|lane| total(&lane));
        let [b0, b1, b2, b3, b4] = self.right.map(|lane| total(&lane));
        let a = [
            [0.25 * f0, 0.25 * f2, 0.5 * f1, 0.5 * t0, 0.5 * t1],
            [0.25 * f2, 0.25 * f4, 0.5 * f3, 0.5 * t2, 0.5 * t3],
            [0.5 * f1, 0.5 * f3, f2, t1, t2],
            [0.5 * t0, 0.5 * t2, t1, s0, s1],
            [0.5 * t1, 0.5 * t3, t2, s1, s2],
        ];
        (a, [0.5 * b0, 0.5 * b1, b2, b3, b4])
    }
}

fn total(lane: &Lane) -> f64 {
    lane.iter().map(|&v| f64::from(v)).sum()
}

/// Gauss and Newton's steps on the points' distances, with Cauchy's weights of the scales given (pixels, one a step).
/// `None` when the points determine no ellipse.
pub(crate) fn fit(points: &[Point], from: Ellipse, scales: &[f32]) -> Option<Fit> {
    let mut ellipse = from;
    let mut out = Fit::default();
    for (step, &scale) in scales.iter().enumerate() {
        if !ellipse.is_sound() {
            return None;
        }
        let normal = gather(points, &ellipse, scale);
        let (a, b) = normal.equations();
        let q = solve(&a, &b)?;
        ellipse.xx += q[0];
        ellipse.yy += q[1];
        ellipse.xy += q[2];
        ellipse.x += q[3];
        ellipse.y += q[4];
        if step + 1 == scales.len() {
            let count = points.len() as f64;
            let variance = total(&normal.chi) / (count - 5.0).max(1.0);
            let full = inverse(&a)?;
            for i in 0..3 {
                for j in 0..3 {
                    out.covariance[i][j] = full[i][j] * variance;
                }
            }
            let near = total(&normal.near);
            out.rms = (total(&normal.square) / near.max(1.0)).sqrt();
            out.outliers = 1.0 - near / count.max(1.0);
        }
    }
    if !ellipse.is_sound() {
        return None;
    }
    out.ellipse = ellipse;
    Some(out)
}

fn gather(points: &[Point], ellipse: &Ellipse, scale: f32) -> Normal {
    let mut normal = Normal::default();
    let (full, rest) = points.as_chunks::<LANES>();
    for points in full {
        normal.add(points, &[1.0; LANES], ellipse, scale);
    }
    if let Some(&first) = rest.first() {
        // What is missing of the last four is a point without weight.
        let filled = std::array::from_fn(|l| *rest.get(l).unwrap_or(&first));
        let real = lane(|l| if l < rest.len() { 1.0 } else { 0.0 });
        normal.add(&filled, &real, ellipse, scale);
    }
    normal
}

/// Copies the lower triangle to the upper.
pub(crate) fn mirror<const N: usize>(a: &mut Matrix<N>) {
    for i in 0..N {
        for j in 0..i {
            a[j][i] = a[i][j];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(ellipse: &Ellipse) -> Vec<Point> {
        (0..120)
            .map(|k| {
                let angle = f64::from(k) * std::f64::consts::TAU / 120.0;
                let n = [angle.cos(), angle.sin()];
                let h = (ellipse.xx * n[0] * n[0] + 2.0 * ellipse.xy * n[0] * n[1] + ellipse.yy * n[1] * n[1]).sqrt();
                let x = ellipse.x + (ellipse.xx * n[0] + ellipse.xy * n[1]) / h;
                let y = ellipse.y + (ellipse.xy * n[0] + ellipse.yy * n[1]) / h;
                Point { x, y, weight: 1.0 }
            })
            .collect()
    }

    #[test]
    fn points_of_an_ellipse_give_it_back_in_spite_of_outliers() {
        let truth = Ellipse {
            xx: 5000.0,
            xy: 900.0,
            yy: 3000.0,
            x: 150.2,
            y: 131.7,
        };
        let mut points = points(&truth);
        for p in &mut points[10..16] {
            p.x += 6.0;
        }
        let fit = fit(&points, start(&points), &[20.0, 6.0, 3.0, 1.0, 0.5, 0.3, 0.2, 0.2]).expect("an ellipse");
        assert!((fit.ellipse.xx - truth.xx).abs() < 4.0, "{:?}", fit.ellipse);
        assert!((fit.ellipse.xy - truth.xy).abs() < 4.0, "{:?}", fit.ellipse);
        assert!((fit.ellipse.x - truth.x).abs() < 0.02, "{:?}", fit.ellipse);
        assert!(fit.outliers > 0.0 && fit.rms < 0.1);
    }

    #[test]
    fn points_on_a_line_are_no_ellipse() {
        let line: Vec<Point> = (0..50)
            .map(|k| Point {
                x: f64::from(k),
                y: 10.0,
                weight: 1.0,
            })
            .collect();
        assert!(fit(&line, start(&line), &[3.0; 6]).is_none());
    }
}
