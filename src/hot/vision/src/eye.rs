//! The eye itself: three views in, a measurement or a refusal out. Hot: all memory is taken in [`Eye::new`].
//!
//! Order of work: check the frames > find the pearl in each > first outlines > ellipsoid > fine outlines around it >
//! ellipsoid > shading > mirror images > diameters without the rim's loss > pits > uncertainties.

use units::{CentiPercent, Micrometres};

use crate::calibration::{Calibration, ViewName};
use crate::ellipse::{self, Ellipse, Fit, Point};
use crate::ellipsoid::{Pose, fuse};
use crate::figures::{Form, Measurement, Raw, Seen, figures};
use crate::limits::{GRID_PX, MAX_POINTS, VIEWS};
use crate::outline::{Lines, coarse, fine};
use crate::pits::{Pits, Surfaces};
use crate::refusal::{Refusal, Why};
use crate::segment::{Blob, Grid, find};
use crate::shade::{Cells, Sums, Surface};
use crate::shape;
use crate::view::View;

/// What pearls may be and how much time they may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Smallest pearl.
    pub least: Micrometres,
    /// Largest pearl.
    pub most: Micrometres,
    /// Share of a pearl's cells that may be at the converter's end.
    pub most_full: CentiPercent,
    /// Scan lines on each of the four sides of a silhouette, at most [`crate::limits::SIDE_LINES`].
    pub lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            least: Micrometres(2_000),
            most: Micrometres(13_500),
            most_full: CentiPercent(2_500),
            lines: 56,
        }
    }
}

/// The eye of one camera station.
pub struct Eye {
    calibration: Calibration,
    limits: Limits,
    poses: [Pose; VIEWS],
    grid: Box<Grid>,
    blobs: Box<[Blob; VIEWS]>,
    cells: Box<[Cells; VIEWS]>,
    points: Box<[[Point; MAX_POINTS]; VIEWS]>,
    lines: Box<Lines>,
    pits: Box<Pits>,
    raw: Raw,
}

/// Scales of the robust weights, in pixels, from rough to fine.
const FIRST_SCALES: [f32; 6] = [30.0, 12.0, 4.0, 1.5, 0.8, 0.6];
const FINE_SCALES: [f32; 2] = [1.0, 0.5];
/// Reach of the last pass's window inside the predicted edge, pixels.
const LAST_HALF: usize = 1;
/// The same for what is no ellipsoid: only points lost altogether are left out.
const BAROQUE_SCALES: [f32; 3] = [12.0; 3];
/// Residual of the first outlines, pixels, from which a pearl is no ellipsoid; first outlines of true ellipsoids
/// scatter by 0.15 to 0.35.
const BAROQUE_PX: f64 = 0.5;
/// Residual, as a share of the mean radius, from which an outline is of no pearl at all.
const MISFIT_SHARE: f64 = 0.12;
/// Evenness of light below which a lamp is dead.
const LEAST_EVENNESS: f32 = 0.55;
/// Belt noise, as a share of its level, above which it does not tell the exposure.
const BELT_NOISE: f32 = 0.7;
/// Belt over what calibration expects, within which it is the exposure that has changed and not the belt.
const BELT_RANGE: core::ops::Range<f32> = 0.5..1.6;
/// Change of exposure that the belt does not tell for sure.
const BELT_ZONE: f32 = 0.06;
/// Belt over what calibration expects below which the light is as good as off.
const DARK_BELT: f32 = 0.35;
/// Albedo below which no pearl is: the blackest have 0.05.
const LEAST_ALBEDO: f32 = 0.04;

impl Eye {
    /// An eye for one station. Takes all the memory that it will ever need.
    #[must_use]
    pub fn new(calibration: &Calibration, limits: Limits) -> Self {
        Self {
            calibration: *calibration,
            limits,
            poses: poses(calibration),
            grid: Box::new(Grid::new()),
            blobs: Box::new([const { Blob::new() }; VIEWS]),
            cells: Box::new([const { Cells::new() }; VIEWS]),
            points: Box::new([[Point::default(); MAX_POINTS]; VIEWS]),
            lines: Box::new(Lines::new()),
            pits: Box::new(Pits::new()),
            raw: Raw::default(),
        }
    }

    /// Measures the pearl of one flash: top, left, right.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that names what is wrong, and with which view.
    pub fn measure(&mut self, views: &[View<'_>; VIEWS]) -> Result<Measurement, Refusal> {
        for (view, name) in views.iter().zip(ViewName::ALL) {
            view.check(self.calibration.size_px)
                .map_err(|why| Refusal { why, view: name })?;
        }
        for (k, name) in ViewName::ALL.into_iter().enumerate() {
            self.find(&views[k], k).map_err(|why| Refusal { why, view: name })?;
        }
        let form = self.form(views).map_err(|(why, k)| Refusal {
            why,
            view: ViewName::ALL[k],
        })?;
        let seen = self.look(views, &form).map_err(|(why, k)| Refusal {
            why,
            view: ViewName::ALL[k],
        })?;
        Ok(figures(&self.calibration, &form, &seen, &mut self.raw))
    }

    /// What the last measured pearl showed before masters and references were applied.
    #[must_use]
    pub const fn raw(&self) -> &Raw {
        &self.raw
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of pearls in grid squares"
    )]
    fn find(&mut self, view: &View<'_>, k: usize) -> Result<(), Why> {
        let squares_per_um = self.calibration.cameras[k].px_per_mm / 1000.0 / GRID_PX as f64;
        // Half the area of the smallest pearl: its dark side may be as dark as the belt.
        let least = (f64::from(self.limits.least.0) * squares_per_um).powi(2) * 0.39;
        let most = f64::from(self.limits.most.0) * squares_per_um + 2.0;
        let belt = self.calibration.light.belt * 3.0;
        find(
            view,
            belt,
            least as u32,
            most as usize,
            &mut self.grid,
            &mut self.blobs[k],
        )
    }

    /// Outlines and ellipsoid, rough first, then fine.
    fn form(&mut self, views: &[View<'_>; VIEWS]) -> Result<Form, (Why, usize)> {
        let mut fits = [Fit::default(); VIEWS];
        let mut counts = [0; VIEWS];
        for k in 0..VIEWS {
            self.blobs[k].fetch(&views[k]);
            counts[k] = coarse(&views[k], &self.blobs[k], &mut self.points[k]);
            let points = &self.points[k][..counts[k]];
            if points.len() < 16 {
                return Err((Why::Misfit, k));
            }
            if shape::waisted(points) {
                return Err((Why::Several, k));
            }
            fits[k] = ellipse::fit(points, ellipse::start(points), &FIRST_SCALES).ok_or((Why::Misfit, k))?;
            floor_covariance(&mut fits[k]);
        }
        let rough = fuse(&fits, &self.poses).ok_or((Why::Misfit, 0))?;
        let outlines = [0, 1, 2].map(|k| rough.outline(&self.poses[k], fits[k].ellipse.x, fits[k].ellipse.y));
        let first = [0, 1, 2].map(|k| &self.points[k][..counts[k]]);
        let residual_px = shape::residual(&first, &outlines);
        let taper = shape::taper(&first, &outlines, &rough, &self.poses);
        let radius = outlines[0].determinant().sqrt().sqrt();
        if residual_px > MISFIT_SHARE * radius {
            return Err((Why::Misfit, 0));
        }
        let baroque = residual_px > BAROQUE_PX;
        let form = Form {
            ellipsoid: rough,
            outlines,
            residual_px,
            taper,
            calipers_px: [0.0; 2],
            baroque,
        };
        if baroque {
            self.level(form, &counts)
        } else {
            self.refine(views, form)
        }
    }

    /// The mean ellipsoid of what is none: bumps count as much as dents, so that its volume is the pearl's.
    fn level(&self, mut form: Form, counts: &[usize; VIEWS]) -> Result<Form, (Why, usize)> {
        form.calipers_px = shape::calipers(&[0, 1, 2].map(|k| &self.points[k][..counts[k]]), &self.poses);
        let mut fits = [Fit::default(); VIEWS];
        for k in 0..VIEWS {
            let points = &self.points[k][..counts[k]];
            fits[k] = ellipse::fit(points, form.outlines[k], &BAROQUE_SCALES).ok_or((Why::Misfit, k))?;
            floor_covariance(&mut fits[k]);
        }
        form.ellipsoid = fuse(&fits, &self.poses).ok_or((Why::Misfit, 0))?;
        for k in 0..VIEWS {
            let Ellipse { x, y, .. } = fits[k].ellipse;
            form.outlines[k] = form.ellipsoid.outline(&self.poses[k], x, y);
        }
        Ok(form)
    }

    /// Fine outlines around the rough ellipsoid, twice: the second time with the window closed in on the edge.
    fn refine(&mut self, views: &[View<'_>; VIEWS], mut form: Form) -> Result<Form, (Why, usize)> {
        for (half, lines) in [(2, self.limits.lines / 3), (LAST_HALF, self.limits.lines)] {
            let mut fits = [Fit::default(); VIEWS];
            for k in 0..VIEWS {
                let predicted = form.outlines[k];
                let count = fine(&views[k], &predicted, half, lines, &mut self.lines, &mut self.points[k]);
                let points = &mut self.points[k][..count];
                if points.len() < 40 {
                    return Err((Why::Misfit, k));
                }
                if half == LAST_HALF {
                    undistort(points, &views[k], self.calibration.cameras[k].distortion);
                }
                fits[k] = ellipse::fit(points, predicted, &FINE_SCALES).ok_or((Why::Misfit, k))?;
            }
            form.ellipsoid = fuse(&fits, &self.poses).ok_or((Why::Misfit, 0))?;
            for k in 0..VIEWS {
                let Ellipse { x, y, .. } = fits[k].ellipse;
                form.outlines[k] = form.ellipsoid.outline(&self.poses[k], x, y);
            }
        }
        Ok(form)
    }

    /// Belt's counts at the brightest corner of all views, mean of the channels, and a byte's standard deviation there.
    fn belt(&self) -> (f32, f32) {
        let corner = self.blobs.iter().map(|blob| blob.corner).fold(0.0, f32::max);
        let noise = self.blobs.iter().map(|blob| blob.noise).fold(f32::MAX, f32::min);
        // A square is the sum of three channels, each the mean of a line of pixels.
        (corner / 3.0, noise * (GRID_PX as f32 / 3.0).sqrt())
    }

    /// The belt against what calibration expects beside a pearl of this size, whose shadow lies on it.
    fn belt_ratio(&self, form: &Form, belt: f32) -> f32 {
        let light = &self.calibration.light;
        let radius_mm =
            (form.outlines[0].determinant().max(0.0).sqrt().sqrt() / self.calibration.cameras[0].px_per_mm) as f32;
        let expected = light.belt - light.belt_shadow * radius_mm * radius_mm;
        (belt - light.dark.iter().sum::<f32>() / 3.0) / expected.max(0.5)
    }

    /// Exposure against calibration: the belt is always in the picture and always of the same grey, but for the
    /// pearl's shadow. Small differences may be the shadow's, and noise that is cut off at zero lifts a dark belt:
    /// then calibration's own exposure stands.
    fn exposure(&self, ratio: f32, belt: f32, noise: f32) -> f32 {
        let sure = noise < BELT_NOISE * belt && BELT_RANGE.contains(&ratio) && (ratio - 1.0).abs() > BELT_ZONE;
        self.calibration.light.exposure * if sure { ratio } else { 1.0 }
    }

    /// Shading, mirror images and pits of all three views.
    fn look(&mut self, views: &[View<'_>; VIEWS], form: &Form) -> Result<Seen, (Why, usize)> {
        let light = &self.calibration.light;
        let (belt, noise) = self.belt();
        let ratio = self.belt_ratio(form, belt);
        if ratio < DARK_BELT {
            return Err((Why::Dark, 0));
        }
        let exposure = self.exposure(ratio, belt, noise);
        let mut sums = Sums::default();
        let mut surfaces = [const { None }; VIEWS];
        let mut fields = [const { None }; VIEWS];
        for k in 0..VIEWS {
            let outline = &form.outlines[k];
            let surface = Surface::new(&form.ellipsoid, &self.poses, k, outline).ok_or((Why::Misfit, k))?;
            let view = self.cells[k].read(&views[k], outline, &surface, light);
            let full = view.full as f32 / view.cells.max(1) as f32;
            if full > self.limits.most_full.0 as f32 / 10_000.0 {
                return Err((Why::Overexposed, k));
            }
            if view.reference() / exposure < LEAST_ALBEDO {
                return Err((Why::Dark, k));
            }
            let field = self.cells[k].field(outline).ok_or((Why::Misfit, k))?;
            if k == 0 && field.evenness() < LEAST_EVENNESS {
                return Err((Why::Dark, k));
            }
            sums.add(&view);
            surfaces[k] = Some(surface);
            fields[k] = Some(field);
        }
        let images = sums.mirror_images();
        let mut pits = Surfaces::default();
        self.pits.clear();
        for k in 0..VIEWS {
            if let (Some(surface), Some(field)) = (&surfaces[k], &fields[k]) {
                self.pits
                    .search(&self.cells[k], field, surface, &images, k as u8, &mut pits);
            }
        }
        Ok(Seen {
            belt,
            noise,
            exposure,
            sums,
            images,
            pits,
        })
    }
}

/// Poses of the calibrated cameras; the top camera's pixel is the unit of length.
fn poses(calibration: &Calibration) -> [Pose; VIEWS] {
    let unit = calibration.cameras[0].px_per_mm;
    calibration
        .cameras
        .map(|camera| Pose::turned(camera.tilt_deg, camera.px_per_mm / unit))
}

/// Moves points from where the lens put them to where they belong.
fn undistort(points: &mut [Point], view: &View<'_>, distortion: f64) {
    if distortion == 0.0 {
        return;
    }
    let (cx, cy) = (0.5 * view.width as f64, 0.5 * view.height as f64);
    for p in points {
        let (dx, dy) = (p.x - cx, p.y - cy);
        let factor = 1.0 + distortion * (dx * dx + dy * dy) / (cx * cx);
        (p.x, p.y) = (cx + dx * factor, cy + dy * factor);
    }
}

/// A first outline's covariance knows nothing of the edge's bias; without a floor a view with little scatter would
/// outweigh the others.
fn floor_covariance(fit: &mut Fit) {
    let radius = fit.ellipse.determinant().sqrt().sqrt();
    for k in 0..3 {
        fit.covariance[k][k] += (0.2 * radius).powi(2);
    }
}
