//! The ellipsoid through three outlines. Hot.
//!
//! Words: the **line's frame** has x across the belt, y along the image's columns (the belt's running direction), z up.
//! The ellipsoid's support function is H(u) = sqrt(u' Q u); seen from direction v, the outline's matrix C is Q in the
//! plane across v. Three views give nine numbers for the six of Q: a weighted linear least squares.

use crate::algebra::{Matrix, apply, dot, eigen3, inverse, solve};
use crate::ellipse::{Ellipse, Fit, mirror};
use crate::limits::VIEWS;

/// A view's place in the line's frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pose {
    /// Cosine and sine of the angle by which the camera is turned about y: image x is (cos, 0, sin).
    pub(crate) cos: f64,
    pub(crate) sin: f64,
    /// Its pixels along a length that is one pixel of the top camera.
    pub(crate) scale: f64,
}

impl Pose {
    /// A camera turned by `degrees` about the belt's running direction.
    pub(crate) fn turned(degrees: f64, scale: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self { cos, sin, scale }
    }

    /// Unit vector of the image's x.
    pub(crate) const fn across(&self) -> [f64; 3] {
        [self.cos, 0.0, self.sin]
    }

    /// Unit vector from the pearl to the camera.
    pub(crate) const fn toward(&self) -> [f64; 3] {
        [-self.sin, 0.0, self.cos]
    }

    /// What xx, yy, xy of the outline are of (xx, yy, zz, xy, xz, yz) of the ellipsoid.
    const fn projection(&self) -> [[f64; 6]; 3] {
        let (c, s, k) = (self.cos, self.sin, self.scale * self.scale);
        [
            [k * c * c, 0.0, k * s * s, 0.0, k * 2.0 * c * s, 0.0],
            [0.0, k, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, k * c, 0.0, k * s],
        ]
    }
}

/// An ellipsoid in the line's frame, in the outlines' unit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ellipsoid {
    /// (xx, yy, zz, xy, xz, yz) of Q.
    pub(crate) q: [f64; 6],
    /// Covariance of `q`.
    pub(crate) covariance: Matrix<6>,
}

/// Diameters along the ellipsoid's axes, smallest first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Axes {
    /// Lengths.
    pub(crate) diameters: [f64; 3],
    /// Unit vectors, one a row.
    pub(crate) directions: Matrix<3>,
    /// Covariance of the lengths.
    pub(crate) covariance: Matrix<3>,
}

/// The ellipsoid whose outlines come nearest to the three fits, each weighted by its covariance. `None` when the fits
/// contradict one another so far that no ellipsoid is left.
pub(crate) fn fuse(fits: &[Fit; VIEWS], poses: &[Pose; VIEWS]) -> Option<Ellipsoid> {
    let mut a = [[0.0; 6]; 6];
    let mut b = [0.0; 6];
    for (fit, pose) in fits.iter().zip(poses) {
        let information = inverse(&fit.covariance)?;
        let j = pose.projection();
        let seen = apply(&information, &[fit.ellipse.xx, fit.ellipse.yy, fit.ellipse.xy]);
        for r in 0..6 {
            for k in 0..3 {
                b[r] += j[k][r] * seen[k];
                for m in 0..3 {
                    for c in 0..=r {
                        a[r][c] += j[k][r] * information[k][m] * j[m][c];
                    }
                }
            }
        }
    }
    mirror(&mut a);
    let out = Ellipsoid {
        q: solve(&a, &b)?,
        covariance: inverse(&a)?,
    };
    let axes = eigen3(&out.matrix()).0;
    (axes[0] > 1.0 && axes[2] < 1e8).then_some(out)
}

impl Ellipsoid {
    /// Q as a matrix.
    pub(crate) const fn matrix(&self) -> Matrix<3> {
        let [xx, yy, zz, xy, xz, yz] = self.q;
        [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
    }

    /// Its outline seen by a camera, around a centre.
    pub(crate) fn outline(&self, pose: &Pose, x: f64, y: f64) -> Ellipse {
        let rows = pose.projection();
        Ellipse {
            xx: dot(&rows[0], &self.q),
            yy: dot(&rows[1], &self.q),
            xy: dot(&rows[2], &self.q),
            x,
            y,
        }
    }

    /// Lengths and directions of its axes, with the lengths' covariance: d = 2 sqrt(value), so the change of d is
    /// e' dQ e / sqrt(value).
    pub(crate) fn axes(&self) -> Axes {
        let (values, directions) = eigen3(&self.matrix());
        let mut gradients = [[0.0; 6]; 3];
        for k in 0..3 {
            let [x, y, z] = directions[k];
            let root = values[k].max(1e-9).sqrt();
            gradients[k] = [x * x, y * y, z * z, 2.0 * x * y, 2.0 * x * z, 2.0 * y * z].map(|g| g / root);
        }
        let mut covariance = [[0.0; 3]; 3];
        for i in 0..3 {
            let spread = apply(&self.covariance, &gradients[i]);
            for j in 0..3 {
                covariance[i][j] = dot(&spread, &gradients[j]);
            }
        }
        Axes {
            diameters: values.map(|v| 2.0 * v.max(0.0).sqrt()),
            directions,
            covariance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poses() -> [Pose; VIEWS] {
        [(0.0, 1.0), (-60.0, 1.01), (60.0, 0.99)].map(|(tilt, scale)| Pose::turned(tilt, scale))
    }

    #[test]
    fn the_outlines_of_an_ellipsoid_give_it_back() {
        let truth = Ellipsoid {
            q: [5000.0, 4000.0, 3000.0, 300.0, -500.0, 200.0],
            ..Ellipsoid::default()
        };
        let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let fits = poses().map(|p| Fit {
            ellipse: truth.outline(&p, 1.0, 2.0),
            covariance: unit,
            rms: 0.0,
            outliers: 0.0,
        });
        let got = fuse(&fits, &poses()).expect("an ellipsoid");
        for (got, want) in got.q.iter().zip(truth.q) {
            assert!((got - want).abs() < 1e-6);
        }
        let axes = got.axes();
        assert!(axes.diameters[0] < axes.diameters[1] && axes.diameters[1] < axes.diameters[2]);
    }
}
