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
        let (distance, n, _) = self.near(x, y, 1.0 / self.determinant());
        (distance, n)
    }

    /// Distance, normal and one over the support at the outline's point near (x, y); `scale` is one over C's
    /// determinant.
    fn near(&self, x: f64, y: f64, scale: f64) -> (f64, [f64; 2], f64) {
        let (dx, dy) = (x - self.x, y - self.y);
        let gx = (self.yy * dx - self.xy * dy) * scale;
        let gy = (self.xx * dy - self.xy * dx) * scale;
        let root = (gx * dx + gy * dy).max(1e-12).sqrt();
        let over = 1.0 / (gx * gx + gy * gy).max(1e-24).sqrt();
        // With q = root^2 the support is root / |g| on the outline; the factor root makes the distance right to
        // second order for a circle.
        let h = root * over;
        (h * (root - 1.0), [gx * over, gy * over], 1.0 / h)
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

/// Gauss and Newton's steps on the points' distances, with Cauchy's weights of the scales given (pixels, one a step).
/// `None` when the points determine no ellipse.
pub(crate) fn fit(points: &[Point], from: Ellipse, scales: &[f64]) -> Option<Fit> {
    let mut ellipse = from;
    let mut out = Fit::default();
    for (step, &scale) in scales.iter().enumerate() {
        if !ellipse.is_sound() {
            return None;
        }
        let (inverse_det, square_scale) = (1.0 / ellipse.determinant(), scale * scale);
        let mut a = [[0.0; 5]; 5];
        let mut b = [0.0; 5];
        let (mut far, mut square, mut near) = (0u32, 0.0, 0u32);
        let mut chi = 0.0;
        for p in points {
            let (distance, n, over) = ellipse.near(p.x, p.y, inverse_det);
            let row = [
                0.5 * n[0] * n[0] * over,
                0.5 * n[1] * n[1] * over,
                n[0] * n[1] * over,
                n[0],
                n[1],
            ];
            // Cauchy's weight: one over 1 + (distance / scale)^2.
            let weight = p.weight * square_scale / (square_scale + distance * distance);
            if distance.abs() > 3.0 * scale {
                far += 1;
            } else {
                near += 1;
                square += distance * distance;
            }
            chi += weight * distance * distance;
            for i in 0..5 {
                for j in 0..=i {
                    a[i][j] += weight * row[i] * row[j];
                }
                b[i] += weight * row[i] * distance;
            }
        }
        mirror(&mut a);
        let q = solve(&a, &b)?;
        ellipse.xx += q[0];
        ellipse.yy += q[1];
        ellipse.xy += q[2];
        ellipse.x += q[3];
        ellipse.y += q[4];
        if step + 1 == scales.len() {
            let count = points.len() as f64;
            let variance = chi / (count - 5.0).max(1.0);
            let full = inverse(&a)?;
            for i in 0..3 {
                for j in 0..3 {
                    out.covariance[i][j] = full[i][j] * variance;
                }
            }
            out.rms = (square / f64::from(near.max(1))).sqrt();
            out.outliers = f64::from(far) / count;
        }
    }
    if !ellipse.is_sound() {
        return None;
    }
    out.ellipse = ellipse;
    Some(out)
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
