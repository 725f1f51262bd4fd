//! Small linear systems. Any thread.

/// `x` of `a x = b` by elimination with pivots; `None` when `a` is singular to working precision.
pub(super) fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N).max_by(|&p, &q| a[p][column].abs().total_cmp(&a[q][column].abs()))?;
        if a[pivot][column].abs() < 1e-12 {
            return None;
        }
        a.swap(column, pivot);
        b.swap(column, pivot);
        let from = a[column];
        for row in column + 1..N {
            let factor = a[row][column] / from[column];
            for (cell, from) in a[row].iter_mut().zip(from) {
                *cell -= factor * from;
            }
            b[row] -= factor * b[column];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|k| a[row][k] * b[k]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    Some(b)
}

/// Normal equations of a least-squares fit.
#[derive(Clone, Copy)]
pub(super) struct Normal<const N: usize> {
    pub(super) a: [[f64; N]; N],
    pub(super) b: [f64; N],
}

impl<const N: usize> Normal<N> {
    pub(super) const fn new() -> Self {
        Self {
            a: [[0.0; N]; N],
            b: [0.0; N],
        }
    }

    /// Adds `row . x = value`.
    pub(super) fn add(&mut self, row: &[f64; N], value: f64) {
        for (r, line) in self.a.iter_mut().enumerate() {
            for (c, cell) in line.iter_mut().enumerate() {
                *cell += row[r] * row[c];
            }
            self.b[r] += row[r] * value;
        }
    }

    pub(super) fn solve(&self) -> Option<[f64; N]> {
        solve(self.a, self.b)
    }

    /// Element `k` of the inverse's diagonal: the variance of `x[k]` for values of variance 1.
    pub(super) fn variance(&self, k: usize) -> Option<f64> {
        let mut unit = [0.0; N];
        unit[k] = 1.0;
        solve(self.a, unit).map(|column| column[k])
    }
}

/// The middle of some values; `None` for none.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
