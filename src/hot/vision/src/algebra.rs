//! Small dense linear algebra: solving and inverting symmetric positive systems, eigenvectors of a 3 x 3. Any thread.

/// A square matrix of `N` rows.
pub(crate) type Matrix<const N: usize> = [[f64; N]; N];

/// Cholesky factor (lower) of a symmetric positive definite matrix, or `None` when it is not one.
fn cholesky<const N: usize>(a: &Matrix<N>) -> Option<Matrix<N>> {
    let mut l = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let mut s = a[i][j];
            for k in 0..j {
                s -= l[i][k] * l[j][k];
            }
            if i == j {
                if s <= 1e-12 * a[i][i].abs() || !s.is_finite() {
                    return None;
                }
                l[i][i] = s.sqrt();
            } else {
                l[i][j] = s / l[j][j];
            }
        }
    }
    Some(l)
}

/// `x` of `a x = b`, `a` symmetric positive definite.
pub(crate) fn solve<const N: usize>(a: &Matrix<N>, b: &[f64; N]) -> Option<[f64; N]> {
    let l = cholesky(a)?;
    Some(substitute(&l, b))
}

/// The inverse of a symmetric positive definite matrix.
pub(crate) fn inverse<const N: usize>(a: &Matrix<N>) -> Option<Matrix<N>> {
    let l = cholesky(a)?;
    let mut out = [[0.0; N]; N];
    for (i, row) in out.iter_mut().enumerate() {
        let mut unit = [0.0; N];
        unit[i] = 1.0;
        *row = substitute(&l, &unit);
    }
    Some(out)
}

fn substitute<const N: usize>(l: &Matrix<N>, b: &[f64; N]) -> [f64; N] {
    let mut x = *b;
    for i in 0..N {
        for k in 0..i {
            x[i] -= l[i][k] * x[k];
        }
        x[i] /= l[i][i];
    }
    for i in (0..N).rev() {
        for k in i + 1..N {
            x[i] -= l[k][i] * x[k];
        }
        x[i] /= l[i][i];
    }
    x
}

/// Eigenvalues in rising order and their unit vectors (rows) of a symmetric 3 x 3 matrix, by Jacobi's rotations.
pub(crate) fn eigen3(matrix: &Matrix<3>) -> ([f64; 3], Matrix<3>) {
    let mut a = *matrix;
    let mut v = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..12 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q].abs() <= 1e-14 * (a[p][p].abs() + a[q][q].abs()) {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let c = 1.0 / (t * t + 1.0).sqrt();
            let s = t * c;
            for k in 0..3 {
                (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]);
            }
            for k in 0..3 {
                (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]);
                (v[p][k], v[q][k]) = (c * v[p][k] - s * v[q][k], s * v[p][k] + c * v[q][k]);
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_unstable_by(|&i, &j| a[i][i].total_cmp(&a[j][j]));
    (order.map(|i| a[i][i]), order.map(|i| v[i]))
}

/// `u . v`.
pub(crate) fn dot<const N: usize>(u: &[f64; N], v: &[f64; N]) -> f64 {
    u.iter().zip(v).map(|(a, b)| a * b).sum()
}

/// `m v`.
pub(crate) fn apply<const N: usize>(m: &Matrix<N>, v: &[f64; N]) -> [f64; N] {
    m.map(|row| dot(&row, v))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solved_system_gives_its_right_side_back() {
        let a = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]];
        let x = solve(&a, &[1.0, -2.0, 0.7]).expect("positive definite");
        let b = apply(&a, &x);
        for (got, want) in b.iter().zip([1.0, -2.0, 0.7]) {
            assert!((got - want).abs() < 1e-12);
        }
        let product = inverse(&a).map(|inv| apply(&inv, &b)).expect("positive definite");
        assert!((product[1] - x[1]).abs() < 1e-12);
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_not_solved() {
        assert!(solve(&[[1.0, 2.0], [2.0, 1.0]], &[1.0, 1.0]).is_none());
        assert!(solve(&[[f64::NAN, 0.0], [0.0, 1.0]], &[1.0, 1.0]).is_none());
    }

    #[test]
    fn eigenvectors_are_stretched_by_their_values() {
        let a = [[5.0, 1.0, -0.7], [1.0, 4.0, 0.3], [-0.7, 0.3, 6.0]];
        let (values, vectors) = eigen3(&a);
        assert!(values[0] <= values[1] && values[1] <= values[2]);
        for (value, vector) in values.iter().zip(&vectors) {
            let stretched = apply(&a, vector);
            for k in 0..3 {
                assert!((stretched[k] - value * vector[k]).abs() < 1e-9);
            }
        }
    }
}
