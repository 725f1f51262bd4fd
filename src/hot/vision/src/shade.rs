//! What a pearl's pixels say once its shape is known: body colour, mirror images, pits. Hot.
//!
//! Each view is cut into square cells. A cell's place on the fitted ellipsoid gives its normal n, its slant c = n . v
//! to the camera, the direction r that it mirrors, and from these what a white matt pearl would show there (shading)
//! and how far r is from the nearest lamp (offset). Counts over shading is the body; what is left near the lamps is the
//! mirror image; what falls short of both is a pit.

use crate::algebra::{Matrix, apply, dot, inverse, solve};
use crate::calibration::{Lamps, Light};
use crate::ellipse::{Ellipse, mirror};
use crate::ellipsoid::{Ellipsoid, Pose};
use crate::limits::{CELLS_PER_RADIUS, MAX_CELLS, MAX_SIDE_PX, RINGS, VIEWS};
use crate::view::View;

/// Outer bounds of the rings around a lamp's image, in direction space, in units of [`RING_STEP`].
const RING_ENDS: [u8; RINGS] = [3, 5, 7, 9, 11, 13, 16, 20, 25, 30, 40];
/// Width of one unit of [`RING_ENDS`].
const RING_STEP: f32 = 0.02;
/// Beyond this offset no mirror image reaches but the broadest, and the body is measured.
const BODY_OFFSET: f32 = 0.5;
/// Least slant of a cell that counts for body and rings: beyond it the rim begins.
const BODY_SLANT: f32 = 0.5;
/// Least slant at which pits are looked for.
pub(crate) const PIT_SLANT: f32 = 0.32;
/// A cell with a channel at or above this is at the converter's end.
const FULL: f32 = 253.0;
/// Slants of the overtone's zone.
const RIM_SLANT: core::ops::Range<f32> = 0.3..0.5;

const _: () = assert!(
    RING_ENDS[RINGS - 1] == 40,
    "the ring table ends where the body's zone is still sure"
);

/// What the cells of one view hold, row by row.
pub(crate) struct Cells {
    /// Mean of the channels, dark taken off.
    pub(crate) level: [[f32; MAX_CELLS]; MAX_CELLS],
    /// Counts of a white matt pearl.
    pub(crate) shading: [[f32; MAX_CELLS]; MAX_CELLS],
    /// Offset from the nearest lamp's mirror image.
    pub(crate) offset: [[f32; MAX_CELLS]; MAX_CELLS],
    /// Slant; 0 outside the pearl.
    pub(crate) slant: [[f32; MAX_CELLS]; MAX_CELLS],
    /// Greatest slant to another view.
    pub(crate) other: [[f32; MAX_CELLS]; MAX_CELLS],
    /// Rows and columns in use.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Pixels along a cell's side.
    pub(crate) side: usize,
    /// First pixel column and row.
    pub(crate) x: usize,
    pub(crate) y: usize,
}

/// Sums over the cells of one view or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// Counts, shading and cells of each ring.
    pub(crate) rings: [[f32; 3]; RINGS],
    /// Red, green, blue, shading of the body's zone.
    pub(crate) body: [f32; 4],
    /// The same of the rim's zone.
    pub(crate) rim: [f32; 4],
    /// Cells of the pearl, and those among them with a channel at the converter's end.
    pub(crate) cells: u32,
    pub(crate) full: u32,
}

/// Rows of three channels before they become levels.
struct Row {
    red: [f32; MAX_CELLS],
    green: [f32; MAX_CELLS],
    blue: [f32; MAX_CELLS],
    full: [bool; MAX_CELLS],
}

/// How a cell's place in the image becomes its place on the ellipsoid: the quadric along the line of sight.
pub(crate) struct Surface {
    across: [f32; 3],
    along: [f32; 3],
    toward: [f32; 3],
    /// Quadratic form of (x, y), linear form for the depth, and its square term.
    form: [f32; 3],
    linear: [f32; 2],
    square: f32,
    view: [f32; 3],
    others: [[f32; 3]; VIEWS - 1],
    centre: [f32; 2],
}

impl Surface {
    /// Of `ellipsoid` as seen by view `which`, whose outline is `outline`.
    #[expect(clippy::cast_possible_truncation, reason = "pixels to f32")]
    pub(crate) fn new(ellipsoid: &Ellipsoid, poses: &[Pose; VIEWS], which: usize, outline: &Ellipse) -> Option<Self> {
        let a: Matrix<3> = inverse(&ellipsoid.matrix())?;
        let pose = &poses[which];
        let (u, v) = (pose.across(), pose.toward());
        let (au, aw, av) = (apply(&a, &u), a[1], apply(&a, &v));
        let f = |w: [f64; 3]| w.map(|x| x as f32);
        Some(Self {
            across: f(au),
            along: f(aw),
            toward: f(av),
            form: f([dot(&u, &au), dot(&u, &aw), aw[1]]),
            linear: [dot(&u, &av) as f32, av[1] as f32],
            square: dot(&v, &av) as f32,
            view: f(v),
            others: [1, 2].map(|k| f(poses[(which + k) % VIEWS].toward())),
            centre: [outline.x as f32, outline.y as f32],
        })
    }

    /// Unit normal where the line of sight of pixel position (x, y) meets the pearl, or `None` beside it.
    pub(crate) fn normal(&self, x: f32, y: f32) -> Option<[f32; 3]> {
        let (x, y) = (x - self.centre[0], y - self.centre[1]);
        let b = x * self.linear[0] + y * self.linear[1];
        let c = x * x * self.form[0] + 2.0 * x * y * self.form[1] + y * y * self.form[2] - 1.0;
        let root = b * b - self.square * c;
        (root > 0.0).then(|| {
            let depth = (root.sqrt() - b) / self.square;
            let n = [0, 1, 2].map(|k| x * self.across[k] + y * self.along[k] + depth * self.toward[k]);
            let length = (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt();
            n.map(|v| v / length)
        })
    }

    /// Fills row `j` of `cells` but for the levels. One plain loop, so that the compiler makes vector code of it.
    fn place(&self, cells: &mut Cells, j: usize, (first, end): (usize, usize), light: &Light) {
        let Lamps {
            radial,
            height,
            half_length,
        } = light.lamps;
        let k = &light.shading;
        let side = cells.side as f32;
        let y = cells.y as f32 + (j as f32 + 0.5) * side - self.centre[1];
        let (b0, c0) = (y * self.linear[1], y * y * self.form[2] - 1.0);
        let depth_scale = 1.0 / self.square;
        let start = cells.x as f32 + 0.5 * side - self.centre[0];
        let (shading, offset) = (&mut cells.shading[j], &mut cells.offset[j]);
        let (slant, other) = (&mut cells.slant[j], &mut cells.other[j]);
        let [o1, o2] = self.others;
        slant.fill(0.0);
        for i in first..end {
            let x = start + i as f32 * side;
            let b = x * self.linear[0] + b0;
            let c = x * (x * self.form[0] + 2.0 * y * self.form[1]) + c0;
            let root = (b * b - self.square * c).max(0.0).sqrt();
            let depth = (root - b) * depth_scale;
            let nx = x * self.across[0] + y * self.along[0] + depth * self.toward[0];
            let ny = x * self.across[1] + y * self.along[1] + depth * self.toward[1];
            let nz = x * self.across[2] + y * self.along[2] + depth * self.toward[2];
            let scale = 1.0 / (nx * nx + ny * ny + nz * nz).sqrt();
            let (nx, ny, nz, c) = (nx * scale, ny * scale, nz * scale, root * scale);
            slant[i] = c;
            other[i] = (nx * o1[0] + nz * o1[2]).max(nx * o2[0] + nz * o2[2]);
            // The mirrored direction, folded into one quarter because the bars lie in all four.
            let (rx, ry) = ((2.0 * c * nx - self.view[0]).abs(), (2.0 * c * ny - self.view[1]).abs());
            let rz = 2.0 * c * nz - self.view[2];
            const HALF_ROOT: f32 = std::f32::consts::FRAC_1_SQRT_2;
            let (along, out) = ((rx - ry) * HALF_ROOT, (rx + ry) * HALF_ROOT);
            let on_bar = along.max(-half_length).min(half_length);
            let rest = (1.0 - on_bar * on_bar).sqrt();
            let (da, dr, dz) = (along - on_bar, out - radial * rest, rz - height * rest);
            offset[i] = (da * da + dr * dr + dz * dz).sqrt();
            let (x2, y2, z2, s) = (nx * nx, ny * ny, nz * nz, (1.0 - c) * (1.0 - c));
            shading[i] = k[0]
                + nz * (k[1] + k[4] * z2 + k[5] * x2)
                + z2 * (k[2] + k[6] * z2 + k[7] * x2)
                + x2 * (k[3] + k[8] * x2 + k[9] * y2)
                + s * (k[10] + k[11] * s);
        }
    }
}

impl Cells {
    pub(crate) const fn new() -> Self {
        Self {
            level: [[0.0; MAX_CELLS]; MAX_CELLS],
            shading: [[0.0; MAX_CELLS]; MAX_CELLS],
            offset: [[0.0; MAX_CELLS]; MAX_CELLS],
            slant: [[0.0; MAX_CELLS]; MAX_CELLS],
            other: [[0.0; MAX_CELLS]; MAX_CELLS],
            rows: 0,
            columns: 0,
            side: 1,
            x: 0,
            y: 0,
        }
    }

    /// Lays the cells over the outline, inside the frame.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held within the frame"
    )]
    fn lay(&mut self, view: &View<'_>, outline: &Ellipse) {
        let (rx, ry) = (outline.xx.max(1.0).sqrt(), outline.yy.max(1.0).sqrt());
        let radius = rx.max(ry);
        self.side = ((radius / CELLS_PER_RADIUS as f64).round() as usize).max(2);
        let clip = |low: f64, high: f64, size: usize| {
            let low = low.floor().clamp(0.0, size as f64) as usize;
            let high = high.ceil().clamp(0.0, size as f64) as usize;
            (low, (high.saturating_sub(low) / self.side).min(MAX_CELLS))
        };
        (self.x, self.columns) = clip(outline.x - rx, outline.x + rx, view.width);
        (self.y, self.rows) = clip(outline.y - ry, outline.y + ry, view.height);
    }

    /// Reads all cells of a view and sums what the body and the mirror images need.
    pub(crate) fn read(&mut self, view: &View<'_>, outline: &Ellipse, surface: &Surface, light: &Light) -> Sums {
        self.lay(view, outline);
        let mut sums = Sums::default();
        let mut row = Row {
            red: [0.0; MAX_CELLS],
            green: [0.0; MAX_CELLS],
            blue: [0.0; MAX_CELLS],
            full: [false; MAX_CELLS],
        };
        for j in 0..self.rows {
            self.gather(view, j, &mut row, &light.dark);
            let span = self.span(outline, j);
            surface.place(self, j, span, light);
            for i in 0..self.columns {
                self.level[j][i] = (row.red[i] + row.green[i] + row.blue[i]) * (1.0 / 3.0);
            }
            self.sum(j, span, &row, &mut sums);
        }
        sums
    }

    /// First cell of row `j` whose middle lies in the outline, and the one after the last.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held within the row"
    )]
    fn span(&self, outline: &Ellipse, j: usize) -> (usize, usize) {
        let side = self.side as f64;
        let dy = self.y as f64 + (j as f64 + 0.5) * side - outline.y;
        let half = (outline.determinant() * (outline.yy - dy * dy)).max(0.0).sqrt();
        let cell = |x: f64| ((outline.x + x - self.x as f64) / side - 0.5).clamp(0.0, self.columns as f64);
        let (low, high) = (
            (outline.xy * dy - half) / outline.yy,
            (outline.xy * dy + half) / outline.yy,
        );
        (
            cell(low).ceil() as usize,
            (cell(high).floor() as usize + 1).min(self.columns),
        )
    }

    /// Mean of each channel over each cell of row `j`.
    fn gather(&self, view: &View<'_>, j: usize, row: &mut Row, dark: &[f32; 3]) {
        match self.side {
            2 => self.gather_of::<2>(view, j, row, dark),
            3 => self.gather_of::<3>(view, j, row, dark),
            4 => self.gather_of::<4>(view, j, row, dark),
            5 => self.gather_of::<5>(view, j, row, dark),
            // Only half of a still larger cell's pixels are read, which is noise enough averaged.
            _ => self.gather_of::<6>(view, j, row, dark),
        }
    }

    fn gather_of<const SIDE: usize>(&self, view: &View<'_>, j: usize, row: &mut Row, dark: &[f32; 3]) {
        let length = 3 * self.side * self.columns;
        // First down the columns, which is one long vector addition, then along the row.
        let mut lines = [0u16; 3 * MAX_SIDE_PX];
        for k in 0..SIDE {
            let line = &view.row(self.y + j * self.side + k)[3 * self.x..][..length];
            for (sum, &byte) in lines.iter_mut().zip(line) {
                *sum += u16::from(byte);
            }
        }
        let scale = 1.0 / (SIDE * SIDE) as f32;
        for (i, cell) in lines.chunks_exact(3 * self.side).take(self.columns).enumerate() {
            let mut sums = [0u16; 3];
            for pixel in cell[..3 * SIDE].chunks_exact(3) {
                for c in 0..3 {
                    sums[c] += pixel[c];
                }
            }
            let [r, g, b] = sums.map(|sum| f32::from(sum) * scale);
            (row.red[i], row.green[i], row.blue[i]) = (r - dark[0], g - dark[1], b - dark[2]);
            row.full[i] = r.max(g).max(b) >= FULL;
        }
    }

    /// Adds row `j` to the sums.
    fn sum(&self, j: usize, (first, end): (usize, usize), row: &Row, sums: &mut Sums) {
        for i in first..end {
            let slant = self.slant[j][i];
            if slant < RIM_SLANT.start {
                continue;
            }
            sums.cells += 1;
            sums.full += u32::from(row.full[i]);
            let (offset, shading) = (self.offset[j][i], self.shading[j][i]);
            if slant < BODY_SLANT {
                if offset > BODY_OFFSET {
                    add(&mut sums.rim, row, i, shading);
                }
                continue;
            }
            if let Some(ring) = ring_of(offset) {
                let ring = &mut sums.rings[ring];
                ring[0] += self.level[j][i];
                ring[1] += shading;
                ring[2] += 1.0;
            }
            if offset > BODY_OFFSET {
                add(&mut sums.body, row, i, shading);
            }
        }
    }

    /// Body over shading as a smooth field over the view, which takes up lamps of unequal strength: coefficients of
    /// 1, x, y, x^2, x y, y^2 in half diameters, from every fourth cell away from the mirror images.
    pub(crate) fn field(&self, outline: &Ellipse) -> Option<Field> {
        let mut field = Field::over(self, outline);
        let mut a = [[0.0; 6]; 6];
        let mut b = [0.0; 6];
        for j in (0..self.rows).step_by(2) {
            for i in (j / 2 % 2..self.columns).step_by(2) {
                if self.slant[j][i] < PIT_SLANT || self.offset[j][i] < FIELD_OFFSET {
                    continue;
                }
                let shading = self.shading[j][i];
                let terms = field.terms(i, j).map(|t| f64::from(t * shading));
                let level = f64::from(self.level[j][i]) / f64::from(shading.max(1.0));
                let weight = 1.0 / f64::from(shading.max(1.0));
                for r in 0..6 {
                    for c in 0..=r {
                        a[r][c] += weight * terms[r] * terms[c];
                    }
                    b[r] += terms[r] * level;
                }
            }
        }
        mirror(&mut a);
        #[expect(clippy::cast_possible_truncation, reason = "a share to f32")]
        {
            field.k = solve(&a, &b)?.map(|k| k as f32);
        }
        Some(field)
    }
}

/// Offset from the lamps' images beyond which the field is fitted.
const FIELD_OFFSET: f32 = 0.26;

/// See [`Cells::field`].
pub(crate) struct Field {
    k: [f32; 6],
    start: [f32; 2],
    step: [f32; 2],
}

impl Field {
    #[expect(clippy::cast_possible_truncation, reason = "pixels to f32")]
    fn over(cells: &Cells, outline: &Ellipse) -> Self {
        let (rx, ry) = (outline.xx.max(1.0).sqrt() as f32, outline.yy.max(1.0).sqrt() as f32);
        let side = cells.side as f32;
        Self {
            k: [0.0; 6],
            start: [
                (cells.x as f32 + 0.5 * side - outline.x as f32) / rx,
                (cells.y as f32 + 0.5 * side - outline.y as f32) / ry,
            ],
            step: [side / rx, side / ry],
        }
    }

    fn terms(&self, i: usize, j: usize) -> [f32; 6] {
        let x = self.start[0] + i as f32 * self.step[0];
        let y = self.start[1] + j as f32 * self.step[1];
        [1.0, x, y, x * x, x * y, y * y]
    }

    /// Body over shading along row `j`, as a polynomial of the cell's number.
    pub(crate) fn row(&self, j: usize) -> [f32; 3] {
        let y = self.start[1] + j as f32 * self.step[1];
        let k = &self.k;
        let [a, b, c] = [k[0] + y * (k[2] + y * k[5]), k[1] + y * k[4], k[3]];
        let (x, step) = (self.start[0], self.step[0]);
        [a + x * (b + x * c), step * (b + 2.0 * x * c), step * step * c]
    }

    /// Body over shading at a cell.
    pub(crate) fn at(&self, i: usize, j: usize) -> f32 {
        let t = self.terms(i, j);
        t.iter().zip(&self.k).map(|(t, k)| t * k).sum()
    }

    /// Least over greatest body over shading at the four diagonals half-way to the edge: 1 under even light.
    pub(crate) fn evenness(&self) -> f32 {
        let mut bounds = (f32::MAX, f32::MIN);
        for (x, y) in [(-0.45, -0.45), (0.45, -0.45), (-0.45, 0.45), (0.45, 0.45)] {
            let t = [1.0, x, y, x * x, x * y, y * y];
            let value: f32 = t.iter().zip(&self.k).map(|(t, k)| t * k).sum();
            bounds = (bounds.0.min(value), bounds.1.max(value));
        }
        bounds.0 / bounds.1.max(1e-6)
    }
}

fn add(zone: &mut [f32; 4], row: &Row, i: usize, shading: f32) {
    zone[0] += row.red[i];
    zone[1] += row.green[i];
    zone[2] += row.blue[i];
    zone[3] += shading;
}

/// Ring of an offset, or `None` beyond the last.
pub(crate) fn ring_of(offset: f32) -> Option<usize> {
    const TABLE: [u8; RING_ENDS[RINGS - 1] as usize] = {
        let mut table = [0; RING_ENDS[RINGS - 1] as usize];
        let (mut k, mut ring) = (0, 0);
        while k < table.len() {
            if k >= RING_ENDS[ring] as usize {
                ring += 1;
            }
            table[k] = ring as u8;
            k += 1;
        }
        table
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "offsets lie in 0 to 2"
    )]
    let step = (offset * (1.0 / RING_STEP)) as usize;
    TABLE.get(step).map(|&ring| usize::from(ring))
}

impl Sums {
    /// Adds another view's sums.
    pub(crate) fn add(&mut self, other: &Self) {
        for (a, b) in self.rings.iter_mut().zip(&other.rings) {
            for (a, b) in a.iter_mut().zip(b) {
                *a += b;
            }
        }
        for k in 0..4 {
            self.body[k] += other.body[k];
            self.rim[k] += other.rim[k];
        }
        self.cells += other.cells;
        self.full += other.full;
    }

    /// Counts over shading in the outermost ring, mean of the channels.
    pub(crate) fn reference(&self) -> f32 {
        let last = &self.rings[RINGS - 1];
        last[0] / last[1].max(1e-3)
    }

    /// What each ring shows above the body, in counts: the mirror images.
    pub(crate) fn mirror_images(&self) -> [f32; RINGS] {
        let reference = self.reference();
        self.rings.map(|[level, shading, cells]| {
            if cells > 0.0 {
                (level - reference * shading) / cells
            } else {
                0.0
            }
        })
    }
}
