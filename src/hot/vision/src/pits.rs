//! Pits and spots: cells darker than body and mirror images together say they should be. Hot.
//!
//! Each point of the surface is counted in the view that sees it least slanted, so that no area counts twice; a pit
//! that two views show is one pit when their places on the surface are the same.

use crate::bits::flood;
use crate::limits::{MAX_CELLS, MAX_PITS, RINGS, VIEWS};
use crate::shade::{Cells, Field, NUMBERS, PIT_SLANT, Surface};

/// Shortfall of light from which a cell is part of a pit.
const LEAST_DEPTH: f32 = 0.13;
/// The same in standard deviations of the cell's noise.
const LEAST_SIGMAS: f32 = 3.2;
/// Fewest cells of a pit.
const LEAST_CELLS: u32 = 2;
/// Mirror image, as a share of the body, above which a cell shows no pit.
const MOST_IMAGE: f32 = 0.10;
/// Cells each way that make a cell's neighbourhood: a quarter of the radius, wider than any pit and narrower than
/// what shape and lamps change.
const REACH: usize = 6;
/// Pits of two views whose directions from the centre have at least this cosine are one (14 degrees).
const SAME_PIT: f32 = 0.97;

/// One pit of one view.
#[derive(Clone, Copy, Debug, Default)]
struct Pit {
    normal: [f32; 3],
    view: u8,
}

/// What the surface shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surfaces {
    /// Pits, each once.
    pub(crate) count: u32,
    /// Their area and the area looked at, in square pixels of the surface.
    pub(crate) area: f32,
    pub(crate) visible: f32,
    /// The area of one cell, the finest there is to see.
    pub(crate) grain: f32,
    /// The darkest pit's greatest shortfall.
    pub(crate) depth: f32,
}

/// Working memory of the search.
pub(crate) struct Pits {
    flagged: [u128; MAX_CELLS],
    part: [u128; MAX_CELLS],
    list: [Pit; MAX_PITS],
    listed: usize,
    ratios: Ratios,
}

impl Pits {
    pub(crate) fn new() -> Self {
        Self {
            flagged: [0; MAX_CELLS],
            part: [0; MAX_CELLS],
            list: [Pit::default(); MAX_PITS],
            listed: 0,
            ratios: Ratios::new(),
        }
    }

    /// Forgets the last pearl's pits.
    pub(crate) fn clear(&mut self) {
        self.listed = 0;
    }

    /// Looks for pits in view number `view` and adds them to `out`. `images` are the mirror images in counts.
    pub(crate) fn search(
        &mut self,
        cells: &Cells,
        field: &Field,
        surface: &Surface,
        images: &[f32; RINGS],
        view: u8,
        out: &mut Surfaces,
    ) {
        let noise = noise(cells, field);
        self.ratios.take(cells, field, images, out);
        self.ratios.flag(cells, field, noise, &mut self.flagged);
        out.grain = out.grain.max((cells.side * cells.side) as f32);
        let mut parts = 0;
        for j in 0..cells.rows {
            while self.flagged[j] != 0 && parts < MAX_PITS * 4 {
                parts += 1;
                let (count, top, bottom) = flood(&mut self.flagged[..cells.rows], &mut self.part[..cells.rows], j);
                if count >= LEAST_CELLS {
                    self.add(cells, field, surface, (top, bottom), view, out);
                }
            }
        }
    }

    /// Adds the part between two rows as a pit.
    fn add(
        &mut self,
        cells: &Cells,
        field: &Field,
        surface: &Surface,
        (top, bottom): (usize, usize),
        view: u8,
        out: &mut Surfaces,
    ) {
        let (mut x, mut y, mut count) = (0.0, 0.0, 0.0f32);
        for j in top..=bottom {
            let mut bits = self.part[j];
            while bits != 0 {
                let i = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                x += i as f32;
                y += j as f32;
                count += 1.0;
                let slant = cells.slant[j][i];
                if slant >= cells.other[j][i] {
                    out.area += (cells.side * cells.side) as f32 / slant.max(PIT_SLANT);
                }
                let expected = field.at(i, j) * cells.shading[j][i];
                out.depth = out.depth.max(1.0 - cells.level[j][i] / expected.max(1.0));
            }
        }
        let place = |start: usize, mean: f32| start as f32 + (mean / count + 0.5) * cells.side as f32;
        let Some(normal) = surface.normal(place(cells.x, x), place(cells.y, y)) else {
            return;
        };
        let seen = self.list[..self.listed]
            .iter()
            .any(|pit| pit.view != view && pit.normal.iter().zip(&normal).map(|(a, b)| a * b).sum::<f32>() > SAME_PIT);
        if !seen {
            out.count += 1;
        }
        if let Some(slot) = self.list.get_mut(self.listed) {
            *slot = Pit { normal, view };
            self.listed += 1;
        }
    }
}

const _: () = assert!(VIEWS <= u8::MAX as usize);

/// Variance of a cell's level over the level itself, from neighbours: it is nearly the same all over a view, because
/// the light's own noise rules.
fn noise(cells: &Cells, field: &Field) -> f32 {
    let (mut sum, mut count) = (0.0, 0u32);
    for j in (1..cells.rows).step_by(3) {
        for i in (0..cells.columns.saturating_sub(1)).step_by(2) {
            let (a, b) = (cells.slant[j][i], cells.slant[j][i + 1]);
            if a < 0.5 || b < 0.5 || cells.offset[j][i] < 0.3 {
                continue;
            }
            let expected = field.at(i, j) * (cells.shading[j][i + 1] - cells.shading[j][i]);
            let difference = cells.level[j][i + 1] - cells.level[j][i] - expected;
            sum += difference * difference / (cells.level[j][i] + cells.level[j][i + 1]).max(1.0);
            count += 1;
        }
    }
    sum / count.max(1) as f32
}

/// What each cell shows over what it should.
struct Ratios {
    /// Ratio; 0 where the cell does not count.
    ratio: [[f32; MAX_CELLS]; MAX_CELLS],
    /// 1 where the cell counts, else 0.
    counts: [[f32; MAX_CELLS]; MAX_CELLS],
    /// 1 where the cell counts and is dark enough to be looked at closely, else 0.
    dark: [[u8; MAX_CELLS]; MAX_CELLS],
}

/// Cells' marks that are looked at together.
const GROUP: usize = 4;
const _: () = assert!(MAX_CELLS.is_multiple_of(GROUP));

impl Ratios {
    const fn new() -> Self {
        Self {
            ratio: [[0.0; MAX_CELLS]; MAX_CELLS],
            counts: [[0.0; MAX_CELLS]; MAX_CELLS],
            dark: [[0; MAX_CELLS]; MAX_CELLS],
        }
    }

    /// Takes the ratios of a view, and the area looked at.
    fn take(&mut self, cells: &Cells, field: &Field, images: &[f32; RINGS], out: &mut Surfaces) {
        let area = (cells.side * cells.side) as f32;
        // The last entry is of cells beyond the rings.
        let mut of_ring = [0.0; RINGS + 1];
        for (known, image) in of_ring.iter_mut().zip(images) {
            *known = image.max(0.0);
        }
        let mut visible = [0.0; MAX_CELLS];
        let mut image = [0.0; MAX_CELLS];
        for j in 0..cells.rows {
            let [k0, k1, k2] = field.row(j);
            for (image, &ring) in image.iter_mut().zip(&cells.ring[j]) {
                *image = of_ring[usize::from(ring).min(RINGS)];
            }
            let (slant, other) = (&cells.slant[j], &cells.other[j]);
            let (level, shading) = (&cells.level[j], &cells.shading[j]);
            let (ratio, kept, dark) = (&mut self.ratio[j], &mut self.counts[j], &mut self.dark[j]);
            // Plain loops without a branch, so that the compiler makes vector code of them.
            let mut expected = [1.0; MAX_CELLS];
            for i in 0..MAX_CELLS {
                let x = NUMBERS[i];
                let body = (k0 + x * (k1 + x * k2)) * shading[i];
                let counts = (slant[i] >= PIT_SLANT) & (image[i] <= MOST_IMAGE * body) & (body >= 1.0);
                kept[i] = if counts { 1.0 } else { 0.0 };
                expected[i] = if counts { body + image[i] } else { 1.0 };
            }
            for i in 0..MAX_CELLS {
                ratio[i] = kept[i] * level[i] / expected[i];
                let seen = if slant[i] >= other[i] { kept[i] } else { 0.0 };
                visible[i] += seen * area / slant[i].max(PIT_SLANT);
            }
            for i in 0..MAX_CELLS {
                dark[i] = u8::from((kept[i] > 0.0) & (ratio[i] <= 1.0 - LEAST_DEPTH / 2.0));
            }
        }
        out.visible += visible.iter().sum::<f32>();
    }

    /// Bits of the cells that fall short of their neighbourhood, row by row. Sums down each column are moved along with
    /// the rows, so that a neighbourhood's mean costs one row of additions.
    fn flag(&self, cells: &Cells, field: &Field, noise: f32, flagged: &mut [u128; MAX_CELLS]) {
        let mut sums = [[0.0f32; MAX_CELLS]; 2];
        let add = |sums: &mut [[f32; MAX_CELLS]; 2], row: usize, sign: f32| {
            let [ratios, counts] = sums;
            for i in 0..MAX_CELLS {
                ratios[i] += sign * self.ratio[row][i];
                counts[i] += sign * self.counts[row][i];
            }
        };
        for row in 0..REACH.min(cells.rows) {
            add(&mut sums, row, 1.0);
        }
        for j in 0..cells.rows {
            if j + REACH < cells.rows {
                add(&mut sums, j + REACH, 1.0);
            }
            if j > REACH {
                add(&mut sums, j - REACH - 1, -1.0);
            }
            flagged[j] = self.flag_row(cells, field, noise, j, &sums);
        }
    }

    fn flag_row(&self, cells: &Cells, field: &Field, noise: f32, j: usize, sums: &[[f32; MAX_CELLS]; 2]) -> u128 {
        let mut bits = 0u128;
        let (groups, _) = self.dark[j].as_chunks::<GROUP>();
        for (k, group) in groups.iter().enumerate() {
            if u32::from_ne_bytes(*group) == 0 {
                continue;
            }
            for i in (GROUP * k..GROUP * (k + 1)).filter(|i| self.dark[j][*i] != 0) {
                let near = i.saturating_sub(REACH)..(i + REACH + 1).min(cells.columns);
                let [ratios, counts] = [0, 1].map(|k| sums[k][near.clone()].iter().sum::<f32>());
                let body = field.at(i, j) * cells.shading[j][i];
                let depth = 1.0 - self.ratio[j][i] / (ratios / counts.max(1.0));
                if depth > LEAST_DEPTH.max(LEAST_SIGMAS * (noise / body).sqrt()) {
                    bits |= 1 << i;
                }
            }
        }
        bits
    }
}
