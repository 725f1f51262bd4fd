//! What a pearl's pixels say once its shape is known: body colour, mirror images, pits. Hot.
//!
//! Each view is cut into square cells. A cell's place on the fitted ellipsoid gives its normal n, its slant c = n . v
//! to the camera, the direction r that it mirrors, and from these what a white matt pearl would show there (shading)
//! and how far r is from the nearest lamp (offset). Counts over shading is the body; what is left near the lamps is the
//! mirror image; what falls short of both is a pit.

use crate::algebra::{Matrix, apply, dot, inverse, solve};
use crate::calibration::{Lamps, Light};
use crate::ellipse::Ellipse;
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

/// The cells' numbers in a row: converting them one by one costs as much as half of what is done with them.
pub(crate) const NUMBERS: [f32; MAX_CELLS] = {
    let mut numbers = [0.0; MAX_CELLS];
    let mut i = 0;
    while i < MAX_CELLS {
        numbers[i] = i as f32;
        i += 1;
    }
    numbers
};

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
    /// Ring of the offset; [`RINGS`] beyond the last.
    pub(crate) ring: [[u8; MAX_CELLS]; MAX_CELLS],
    row: Row,
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

/// One row of cells while it is read.
struct Row {
    /// Sums of the pixels' lines, byte by byte.
    lines: [u16; 3 * MAX_SIDE_PX],
    /// Sums of each cell's channels.
    sums: [[u16; MAX_CELLS]; 3],
    /// Their means, dark taken off.
    red: [f32; MAX_CELLS],
    green: [f32; MAX_CELLS],
    blue: [f32; MAX_CELLS],
    /// The greatest of the means, dark not taken off.
    peak: [f32; MAX_CELLS],
    /// Offset from the nearest lamp's image in ring steps.
    step: [u32; MAX_CELLS],
}

impl Row {
    const fn new() -> Self {
        Self {
            lines: [0; 3 * MAX_SIDE_PX],
            sums: [[0; MAX_CELLS]; 3],
            red: [0.0; MAX_CELLS],
            green: [0.0; MAX_CELLS],
            blue: [0.0; MAX_CELLS],
            peak: [0.0; MAX_CELLS],
            step: [0; MAX_CELLS],
        }
    }
}

/// Sums down the columns of cells, so that a row's loop is plain vector code; added up at the end of a view.
struct Columns {
    /// Red, green, blue, shading of the body's zone, and of the rim's.
    body: [[f32; MAX_CELLS]; 4],
    rim: [[f32; MAX_CELLS]; 4],
    /// Cells of the pearl, and full ones among them.
    cells: [u32; MAX_CELLS],
    full: [u32; MAX_CELLS],
}

impl Columns {
    const fn new() -> Self {
        Self {
            body: [[0.0; MAX_CELLS]; 4],
            rim: [[0.0; MAX_CELLS]; 4],
            cells: [0; MAX_CELLS],
            full: [0; MAX_CELLS],
        }
    }

    /// Adds the sums to `sums`.
    fn total(&self, sums: &mut Sums) {
        for k in 0..4 {
            sums.body[k] += self.body[k].iter().sum::<f32>();
            sums.rim[k] += self.rim[k].iter().sum::<f32>();
        }
        sums.cells += self.cells.iter().sum::<u32>();
        sums.full += self.full.iter().sum::<u32>();
    }
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
        let (shading, offset, step) = (&mut cells.shading[j], &mut cells.offset[j], &mut cells.row.step);
        let (slant, other) = (&mut cells.slant[j], &mut cells.other[j]);
        let [o1, o2] = self.others;
        slant.fill(0.0);
        for i in first..end {
            let x = start + NUMBERS[i] * side;
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
            let distance = (da * da + dr * dr + dz * dz).sqrt();
            offset[i] = distance;
            // A number below 2^23 added to it stands whole in the last bits: that is a vector's way to an integer.
            step[i] = (distance * (1.0 / RING_STEP) + (8_388_608.0 - 0.5)).to_bits();
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
            ring: [[RINGS as u8; MAX_CELLS]; MAX_CELLS],
            row: Row::new(),
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
        let mut columns = Columns::new();
        for j in 0..self.rows {
            let span = self.span(outline, j);
            surface.place(self, j, span, light);
            self.gather(view, j, span, &light.dark);
            self.sum(j, span, &mut columns, &mut sums.rings);
        }
        columns.total(&mut sums);
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

    /// Mean of each channel over each cell of row `j` within its span.
    fn gather(&mut self, view: &View<'_>, j: usize, span: (usize, usize), dark: &[f32; 3]) {
        match self.side {
            2 => self.gather_of::<2>(view, j, span, dark),
            3 => self.gather_of::<3>(view, j, span, dark),
            4 => self.gather_of::<4>(view, j, span, dark),
            5 => self.gather_of::<5>(view, j, span, dark),
            // Only half of a still larger cell's pixels are read, which is noise enough averaged.
            _ => self.gather_of::<6>(view, j, span, dark),
        }
    }

    fn gather_of<const SIDE: usize>(
        &mut self,
        view: &View<'_>,
        j: usize,
        (first, end): (usize, usize),
        dark: &[f32; 3],
    ) {
        if first >= end {
            return;
        }
        let (side, count) = (self.side, end - first);
        let length = 3 * side * count;
        let Row {
            lines,
            sums,
            red,
            green,
            blue,
            peak,
            ..
        } = &mut self.row;
        // First down the columns, which is one long vector addition, then along the row.
        let start = 3 * (self.x + first * side);
        let pixels: [&[u8]; SIDE] = std::array::from_fn(|k| &view.row(self.y + j * side + k)[start..start + length]);
        let lines = &mut lines[..length];
        for (i, sum) in lines.iter_mut().enumerate() {
            let mut all = 0;
            for line in pixels {
                all += u16::from(line[i]);
            }
            *sum = all;
        }
        let [reds, greens, blues] = sums;
        for (i, cell) in lines.chunks_exact(3 * side).enumerate() {
            let (mut r, mut g, mut b) = (0, 0, 0);
            for [pr, pg, pb] in cell[..3 * SIDE].as_chunks::<3>().0 {
                r += pr;
                g += pg;
                b += pb;
            }
            (reds[first + i], greens[first + i], blues[first + i]) = (r, g, b);
        }
        let scale = 1.0 / (SIDE * SIDE) as f32;
        let level = &mut self.level[j];
        for i in first..end {
            let [r, g, b] = [reds[i], greens[i], blues[i]].map(|sum| f32::from(sum) * scale);
            peak[i] = r.max(g).max(b);
            (red[i], green[i], blue[i]) = (r - dark[0], g - dark[1], b - dark[2]);
            level[i] = (red[i] + green[i] + blue[i]) * (1.0 / 3.0);
        }
    }

    /// Adds row `j` to the sums of the columns and to the rings.
    fn sum(&mut self, j: usize, (first, end): (usize, usize), columns: &mut Columns, rings: &mut [[f32; 3]; RINGS]) {
        let (slant, offset, shading) = (&self.slant[j], &self.offset[j], &self.shading[j]);
        let row = &self.row;
        for i in first..end {
            let away = offset[i] > BODY_OFFSET;
            let (pearl, inner) = (slant[i] >= RIM_SLANT.start, slant[i] >= BODY_SLANT);
            let share = |zone: bool| if zone { 1.0 } else { 0.0 };
            let (body, rim) = (share(inner & away), share(pearl & !inner & away));
            for (k, value) in [row.red[i], row.green[i], row.blue[i], shading[i]]
                .into_iter()
                .enumerate()
            {
                columns.body[k][i] += body * value;
                columns.rim[k][i] += rim * value;
            }
            columns.cells[i] += u32::from(pearl);
            columns.full[i] += u32::from(pearl & (row.peak[i] >= FULL));
        }
        let (level, ring) = (&self.level[j], &mut self.ring[j]);
        for i in first..end {
            ring[i] = ring_of(row.step[i]);
            if slant[i] < BODY_SLANT {
                continue;
            }
            if let Some(ring) = rings.get_mut(usize::from(ring[i])) {
                ring[0] += level[i];
                ring[1] += shading[i];
                ring[2] += 1.0;
            }
        }
    }

    /// Body over shading as a smooth field over the view, which takes up lamps of unequal strength: coefficients of
    /// 1, x, y, x^2, x y, y^2 in half diameters, from every fourth cell away from the mirror images.
    pub(crate) fn field(&self, outline: &Ellipse) -> Option<Field> {
        let mut field = Field::over(self, outline);
        // With weight 1 / shading the normal equations are sums of shading and of level, times powers of x and y: along
        // a row y stays, so that five and three sums serve all 27.
        let mut moments = [[0.0f64; 5]; 5];
        let mut b = [0.0f64; 6];
        for j in (0..self.rows).step_by(2) {
            let (mut powers, mut seen) = ([0.0f32; 5], [0.0f32; 3]);
            for i in (j / 2 % 2..self.columns).step_by(2) {
                if self.slant[j][i] < PIT_SLANT || self.offset[j][i] < FIELD_OFFSET {
                    continue;
                }
                let x = field.start[0] + i as f32 * field.step[0];
                let (mut shading, level) = (self.shading[j][i].max(1.0), self.level[j][i]);
                for power in &mut powers {
                    *power += shading;
                    shading *= x;
                }
                seen[0] += level;
                seen[1] += level * x;
                seen[2] += level * x * x;
            }
            let y = f64::from(field.start[1] + j as f32 * field.step[1]);
            let mut y_power = 1.0;
            for row in &mut moments {
                for (moment, power) in row.iter_mut().zip(powers) {
                    *moment += y_power * f64::from(power);
                }
                y_power *= y;
            }
            let [s0, s1, s2] = seen.map(f64::from);
            for (sum, term) in b.iter_mut().zip([s0, s1, y * s0, s2, y * s1, y * y * s0]) {
                *sum += term;
            }
        }
        // Powers of x and y of each coefficient.
        const POWERS: [(usize, usize); 6] = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)];
        let a = POWERS.map(|(xr, yr)| POWERS.map(|(xc, yc)| moments[yr + yc][xr + xc]));
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

/// Ring of an offset in steps; [`RINGS`] beyond the last. Offsets are distances of unit vectors: at most 2.
fn ring_of(step: u32) -> u8 {
    const SIZE: usize = 128;
    const TABLE: [u8; SIZE] = {
        let mut table = [RINGS as u8; SIZE];
        let (mut k, mut ring) = (0, 0);
        while k < RING_ENDS[RINGS - 1] as usize {
            if k >= RING_ENDS[ring] as usize {
                ring += 1;
            }
            table[k] = ring as u8;
            k += 1;
        }
        table
    };
    const _: () = assert!(2.0 / RING_STEP < SIZE as f32);
    TABLE[step as usize % SIZE]
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
