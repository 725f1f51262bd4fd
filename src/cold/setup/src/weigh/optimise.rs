//! Small optimisers: linear least squares by Cholesky, and the minimum along a line.
//!
//! Cold threads.

/// Solves `matrix * x = right` for a symmetric positive definite matrix; `None` when it is not.
pub(super) fn solve(matrix: &[Vec<f64>], right: &[f64]) -> Option<Vec<f64>> {
    let lower = cholesky(matrix)?;
    let n = right.len();
    let mut x = right.to_vec();
    for i in 0..n {
        for j in 0..i {
            x[i] -= lower[i][j] * x[j];
        }
        x[i] /= lower[i][i];
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            x[i] -= lower[j][i] * x[j];
        }
        x[i] /= lower[i][i];
    }
    Some(x)
}

fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let mut lower = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = matrix[i][j] - sum;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                lower[i][i] = rest.sqrt();
            } else {
                lower[i][j] = rest / lower[j][j];
            }
        }
    }
    Some(lower)
}

/// The place of the least value of `f` between `from` and `to` by golden sections, to `within`.
pub(super) fn golden(mut from: f64, mut to: f64, within: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    const SECTION: f64 = 0.618_033_988_749_895;
    let (mut a, mut b) = (to - SECTION * (to - from), from + SECTION * (to - from));
    let (mut f_a, mut f_b) = (f(a), f(b));
    while to - from > within {
        if f_a < f_b {
            (to, b, f_b) = (b, a, f_a);
            a = to - SECTION * (to - from);
            f_a = f(a);
        } else {
            (from, a, f_a) = (a, b, f_b);
            b = from + SECTION * (to - from);
            f_b = f(b);
        }
    }
    if f_a < f_b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved_and_singular_ones_refused() {
        let matrix = vec![vec![4.0, 2.0, 0.6], vec![2.0, 5.0, 1.0], vec![0.6, 1.0, 3.0]];
        let x = solve(&matrix, &[1.0, -2.0, 3.0]).unwrap();
        for (row, right) in matrix.iter().zip([1.0, -2.0, 3.0]) {
            let left: f64 = row.iter().zip(&x).map(|(a, b)| a * b).sum();
            assert!((left - right).abs() < 1e-12);
        }
        assert!(solve(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[1.0, 1.0]).is_none());
    }

    #[test]
    fn the_least_value_along_a_line_is_found() {
        let at = golden(-3.0, 5.0, 1e-4, |x| (x - 1.3).powi(2));
        assert!((at - 1.3).abs() < 1e-3, "{at}");
    }
}
