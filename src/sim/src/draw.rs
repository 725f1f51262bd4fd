//! The virtual line's pictures: shaded ellipsoids with pits and the lamps' mirror images on a dark belt, three views a flash.
//!
//! Any thread. [`Painter`] draws a [`Picture`]; [`DrawnCamera`] does so for each flash of a running line. The light is that of
//! the eye's own calibration, turned round: what a matt body shows by its normal, and around each lamp's image what
//! pearls of that lustre show. It proves the way from pixels to jets, not the eye: for that there are rendered pearls.
//!
//! Words: **turn** is a pearl's attitude on the belt; the **line's frame** has x across the belt, y along it, z up.

use devices::cameras::recorded::Pause;
use devices::cameras::{Camera, CameraError, Shot, Taken, Views};
use rt::ring::Consumer;
use units::{EyeId, LaneId, TriggerSeq};
use vision::Calibration;
use vision::limits::{RINGS, VIEWS};

use crate::chance::{Chance, Distributions as _};
use crate::pearl::Figures;

/// Pearls in one picture at most: the one that was flashed, and one that came with it.
pub const BODIES: usize = 2;
/// Pits of one pearl at most, and the largest share of the surface that they cover together.
const PITS: usize = 12;
const MOST_PITTED: f64 = 0.12;
/// Share of the surface of a usual pit.
const PIT_SHARE: f64 = 0.004;
/// Light that a pit still sends back.
const PIT_LIGHT: f32 = 0.72;
/// Pixels inside the edge from which four pixels are drawn as one.
const DEEP_PX: f32 = 3.0;
/// Noise: counts that stay, and counts for the root of the level.
const NOISE_COUNTS: f32 = 0.5;
const NOISE_ROOT: f32 = 0.12;
/// Numbers in the table of noise; a prime, so that rows do not repeat it.
const NOISE_TABLE: usize = 8_191;

/// Logarithms of roughness, and what mirror images of such pearls show above the body in each ring, counts: means over the
/// rendered reference pearls.
const IMAGES: [(f32, [f32; RINGS]); 6] = [
    (-3.19, [71.1, 39.3, 17.8, 6.0, 1.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    (-2.80, [55.4, 34.5, 19.0, 9.5, 4.1, 1.6, 0.0, 0.0, 0.0, 0.0, 0.0]),
    (-2.27, [32.6, 24.9, 17.2, 11.5, 7.0, 4.3, 2.0, 0.5, 0.0, 0.0, 0.0]),
    (-1.74, [15.3, 12.8, 9.9, 7.9, 5.9, 4.4, 2.9, 1.5, 0.5, 0.2, 0.0]),
    (-1.36, [7.1, 6.2, 5.5, 4.4, 3.5, 2.6, 2.0, 1.2, 0.4, 0.1, 0.0]),
    (-0.98, [1.1, 1.1, 0.8, 0.7, 0.7, 0.4, 0.3, 0.2, 0.0, 0.0, 0.0]),
];
/// Middles of the rings, as offsets from a lamp's image.
const RING_MIDDLES: [f32; RINGS] = [0.03, 0.08, 0.12, 0.16, 0.20, 0.24, 0.29, 0.36, 0.45, 0.55, 0.70];
/// Logarithms of roughness at lustre 0 and at 10,000.
const LUSTRE_LOGS: (f32, f32) = (-0.69, -3.91);

/// One pearl in a picture.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// What it is.
    pub truth: Figures,
    /// Where its centre lies behind the picture's middle along the belt, um.
    pub behind_um: f64,
    /// Seed of its turn and its pits.
    pub seed: u64,
}

/// A flash on the line, with what lay in front of the camera.
#[derive(Clone, Copy, Debug)]
pub struct Flashed {
    /// Board of the eye.
    pub board: u8,
    /// Entry eye.
    pub eye: EyeId,
    /// Its trigger's number.
    pub seq: TriggerSeq,
    /// When, us of the run.
    pub at_us: u64,
    /// The pearl that it is of, if any: lane, and number in it.
    pub of: Option<(LaneId, u64)>,
    /// What is in view.
    pub bodies: [Option<Body>; BODIES],
}

/// A flash as the painter needs it.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// Which flash.
    pub shot: Shot,
    /// What is in view.
    pub bodies: [Option<Body>; BODIES],
}

/// Calibration of the virtual station: the nominal one, but that drawn pearls lose nothing at their rim.
#[must_use]
pub const fn calibration() -> Calibration {
    let mut calibration = Calibration::nominal();
    calibration.rim.at_tenth_um = [0.0; 3];
    calibration.rim.per_log_um = [0.0; 3];
    calibration
}

/// See the module.
pub struct Painter {
    calibration: Calibration,
    belt: Vec<u8>,
    noise: Vec<f32>,
}

impl Painter {
    /// A painter for the stations of this calibration.
    #[must_use]
    pub fn new(calibration: &Calibration) -> Self {
        let mut chance = Chance::new(0x00d2_a3b1, 0);
        #[expect(clippy::cast_possible_truncation, reason = "noise to f32")]
        let noise: Vec<f32> = (0..NOISE_TABLE).map(|_| chance.normal() as f32).collect();
        let (width, height) = calibration.size_px;
        let level = calibration.light.belt;
        let spread = NOISE_COUNTS + NOISE_ROOT * level.sqrt();
        let belt = (0..3 * width * height).map(|at| byte(level + spread * noise[at % NOISE_TABLE]));
        Self {
            calibration: *calibration,
            belt: belt.collect(),
            noise,
        }
    }

    /// Draws view number `k` of a picture into `frame`, whole.
    ///
    /// # Panics
    /// When the frame is not of the calibration's size.
    pub fn paint(&self, picture: &Picture, k: usize, frame: &mut [u8]) {
        frame.copy_from_slice(&self.belt);
        for body in picture.bodies.iter().flatten() {
            let solid = Solid::new(body, &self.calibration, k);
            self.paint_solid(&solid, frame);
        }
    }

    /// Well inside the pearl one place in the middle of four pixels speaks for all of them.
    fn paint_solid(&self, solid: &Solid, frame: &mut [u8]) {
        let (width, height) = self.calibration.size_px;
        let rows = span(solid.centre[1], solid.reach[1], height);
        let columns = span(solid.centre[0], solid.reach[0], width);
        let seen = |row: usize, column: usize, middle: f32| {
            let x = column as f32 + middle - solid.centre[0];
            solid.seen(x, row as f32 + middle - solid.centre[1])
        };
        for row in rows.clone().step_by(2) {
            for column in columns.clone().step_by(2) {
                let block = seen(row, column, 1.0);
                let deep = block.filter(|(cover, _)| *cover > DEEP_PX);
                for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, c)| (row + r, column + c)) {
                    if row >= height || column >= width {
                        continue;
                    }
                    if let Some((cover, counts)) = deep.or_else(|| seen(row, column, 0.5)) {
                        self.paint_pixel(frame, 3 * (row * width + column), cover.min(1.0), &counts);
                    }
                }
            }
        }
    }

    fn paint_pixel(&self, frame: &mut [u8], at: usize, cover: f32, counts: &[f32; 3]) {
        for channel in 0..3 {
            let value = f32::from(frame[at + channel]);
            let level = value + cover * (counts[channel] - value);
            let noise = self.noise[(at + channel) % NOISE_TABLE];
            frame[at + channel] = byte(level + cover * (NOISE_COUNTS + NOISE_ROOT * level.max(0.0).sqrt()) * noise);
        }
    }
}

/// Pixels of a row or column that a body may cover.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held within the frame"
)]
fn span(centre: f32, reach: f32, size: usize) -> core::ops::Range<usize> {
    let place = |at: f32| at.clamp(0.0, size as f32) as usize;
    place(centre - reach - 2.0)..place(centre + reach + 3.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn byte(value: f32) -> u8 {
    value.round() as u8
}

/// One pearl in one view.
struct Solid {
    /// Inverse of the ellipsoid's matrix in the line's frame, 1/px^2.
    form: [[f32; 3]; 3],
    across: [f32; 3],
    toward: [f32; 3],
    /// Middle in the frame and half its extent, pixels.
    centre: [f32; 2],
    reach: [f32; 2],
    /// Counts over shading of each channel.
    body: [f32; 3],
    /// Counts above the body by offset from a lamp's image.
    images: [f32; RINGS],
    pits: [[f32; 3]; PITS],
    pit_count: usize,
    /// Cosine of a pit's radius.
    pit_cos: f32,
    light: vision::Light,
}

impl Solid {
    #[expect(clippy::cast_possible_truncation, reason = "geometry to f32")]
    fn new(body: &Body, calibration: &Calibration, k: usize) -> Self {
        let camera = calibration.cameras[k];
        let mut chance = Chance::new(body.seed, 1);
        let turn = attitude(&mut chance);
        let halves_px = body.truth.d_um.map(|d| f64::from(d) * 0.0005 * camera.px_per_mm);
        // R diag(1 / h^2) R' and R diag(h^2) R'.
        let product = |of: &dyn Fn(f64) -> f64| {
            let mut out = [[0.0f64; 3]; 3];
            for (r, row) in out.iter_mut().enumerate() {
                for (c, value) in row.iter_mut().enumerate() {
                    *value = (0..3).map(|a| turn[a][r] * of(halves_px[a]) * turn[a][c]).sum();
                }
            }
            out
        };
        let form = product(&|h| 1.0 / (h * h)).map(|row| row.map(|v| v as f32));
        let q = product(&|h| h * h);
        let (sin, cos) = camera.tilt_deg.to_radians().sin_cos();
        let across = cos * cos * q[0][0] + 2.0 * cos * sin * q[0][2] + sin * sin * q[2][2];
        let (width, height) = calibration.size_px;
        let jitter = [chance.within(-4.0, 4.0), chance.within(-4.0, 4.0)];
        let along_px = body.behind_um * 0.001 * camera.px_per_mm;
        let share = (f64::from(body.truth.blemish_area) * 1e-4).min(MOST_PITTED);
        let pit_count = ((share / PIT_SHARE).ceil() as usize).min(PITS);
        let mut pits = [[0.0; 3]; PITS];
        for pit in &mut pits[..pit_count] {
            *pit = direction(&mut chance).map(|v| v as f32);
        }
        Self {
            form,
            across: [cos as f32, 0.0, sin as f32],
            toward: [-sin as f32, 0.0, cos as f32],
            centre: [
                (0.5 * width as f64 + jitter[0]) as f32,
                (0.5 * height as f64 + jitter[1] + along_px) as f32,
            ],
            reach: [across.sqrt() as f32, q[1][1].sqrt() as f32],
            body: body_counts(&body.truth, &calibration.light),
            images: images(body.truth.lustre),
            pits,
            pit_count,
            pit_cos: (1.0 - 2.0 * share / pit_count.max(1) as f64) as f32,
            light: calibration.light,
        }
    }

    /// How much of the pixel at (x, y) from the middle it covers (more than 1: how far inside it is, pixels), and the
    /// counts that it shows there.
    fn seen(&self, x: f32, y: f32) -> Option<(f32, [f32; 3])> {
        let point = [x * self.across[0], y, x * self.across[2]];
        let (ap, av) = (apply(&self.form, &point), apply(&self.form, &self.toward));
        let (square, b, c) = (dot(&self.toward, &av), dot(&point, &av), dot(&point, &ap) - 1.0);
        let inside = b * b - square * c;
        // To first order the edge lies inside / |gradient| away; the gradient along the image's axes.
        let slope = |ap_k: f32, av_k: f32| 2.0 * (b * av_k - square * ap_k);
        let (gx, gy) = (
            slope(dot(&self.across, &ap), dot(&self.across, &av)),
            slope(ap[1], av[1]),
        );
        let cover = 0.5 + inside / (gx * gx + gy * gy).sqrt().max(1e-12);
        if cover <= 0.0 {
            return None;
        }
        let depth = (inside.max(0.0).sqrt() - b) / square;
        let at = [0, 1, 2].map(|k| point[k] + depth * self.toward[k]);
        let n = unit(apply(&self.form, &at));
        let slant = dot(&n, &self.toward).max(0.0);
        let shading = self.shading(&n, slant);
        let image = self.image(&n, slant);
        let at = unit(at);
        let pitted = self.pits[..self.pit_count]
            .iter()
            .any(|pit| dot(pit, &at) > self.pit_cos);
        let light = if pitted { PIT_LIGHT } else { 1.0 };
        let dark = self.light.dark;
        let counts = [0, 1, 2].map(|k| dark[k] + light * (self.body[k] * shading + image));
        Some((cover, counts))
    }

    /// Counts of a white matt body: the calibration's polynomial.
    fn shading(&self, n: &[f32; 3], c: f32) -> f32 {
        let k = &self.light.shading;
        let (z, x2, y2, s) = (n[2], n[0] * n[0], n[1] * n[1], (1.0 - c) * (1.0 - c));
        let z2 = z * z;
        let value = k[0]
            + z * (k[1] + k[4] * z2 + k[5] * x2)
            + z2 * (k[2] + k[6] * z2 + k[7] * x2)
            + x2 * (k[3] + k[8] * x2 + k[9] * y2)
            + s * (k[10] + k[11] * s);
        value.max(1.0)
    }

    /// Counts above the body by how far the mirrored line of sight passes the nearest of the four lamps.
    fn image(&self, n: &[f32; 3], c: f32) -> f32 {
        let lamps = &self.light.lamps;
        let r = [0, 1, 2].map(|k| 2.0 * c * n[k] - self.toward[k]);
        let (x, y) = (r[0].abs(), r[1].abs());
        let half_root = core::f32::consts::FRAC_1_SQRT_2;
        let (along, out) = ((x - y) * half_root, (x + y) * half_root);
        let on_bar = along.clamp(-lamps.half_length, lamps.half_length);
        let rest = (1.0 - on_bar * on_bar).sqrt();
        let d = [along - on_bar, out - lamps.radial * rest, r[2] - lamps.height * rest];
        between(dot(&d, &d).sqrt(), &RING_MIDDLES, &self.images)
    }
}

/// The value at `x` of a curve through points of rising place, level before the first and after the last.
fn between(x: f32, places: &[f32], values: &[f32]) -> f32 {
    let after = places.iter().take_while(|place| **place < x).count();
    if after == 0 || after == places.len() {
        return values[after.saturating_sub(1).min(values.len() - 1)];
    }
    let share = (x - places[after - 1]) / (places[after] - places[after - 1]);
    values[after - 1] + share * (values[after] - values[after - 1])
}

/// What mirror images show at this lustre.
fn images(lustre: i32) -> [f32; RINGS] {
    let share = lustre.clamp(0, 10_000) as f32 / 10_000.0;
    let log = LUSTRE_LOGS.0 + share * (LUSTRE_LOGS.1 - LUSTRE_LOGS.0);
    let logs = IMAGES.map(|(log, _)| log);
    core::array::from_fn(|ring| between(log, &logs, &IMAGES.map(|(_, images)| images[ring])))
}

/// Counts over shading of a body of this colour: the calibration's straight line backwards.
fn body_counts(truth: &Figures, light: &vision::Light) -> [f32; 3] {
    let rgb = vision::linear_rgb(&truth.lab.map(|v| v as f32 / 100.0));
    [0, 1, 2].map(|k| (rgb[k].clamp(0.02, 1.0) - light.albedo[k][1]) / light.albedo[k][0])
}

/// Three axes at right angles, turned any way: one a row.
fn attitude(chance: &mut Chance) -> [[f64; 3]; 3] {
    let first = direction(chance);
    let other = direction(chance);
    let along: f64 = first.iter().zip(&other).map(|(a, b)| a * b).sum();
    let mut second = [0, 1, 2].map(|k| other[k] - along * first[k]);
    let length = second.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-9);
    second = second.map(|v| v / length);
    let third = [
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    ];
    [first, second, third]
}

/// A direction, all alike.
fn direction(chance: &mut Chance) -> [f64; 3] {
    let v = [chance.normal(), chance.normal(), chance.normal()];
    let length = v.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-9);
    v.map(|x| x / length)
}

fn apply(m: &[[f32; 3]; 3], v: &[f32; 3]) -> [f32; 3] {
    [dot(&m[0], v), dot(&m[1], v), dot(&m[2], v)]
}

fn dot(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let over = 1.0 / dot(&v, &v).sqrt().max(1e-9);
    v.map(|x| x * over)
}

/// The cameras of a virtual line: draws each flash as it comes.
pub struct DrawnCamera {
    painter: Painter,
    pictures: Consumer<Picture>,
}

impl DrawnCamera {
    /// Draws what comes out of `pictures`.
    #[must_use]
    pub fn new(pictures: Consumer<Picture>) -> Self {
        Self {
            painter: Painter::new(&calibration()),
            pictures,
        }
    }
}

impl Camera for DrawnCamera {
    fn take(&mut self, views: &mut Views, wait_us: u64) -> Result<Taken, CameraError> {
        let Some(picture) = Pause.pop(&mut self.pictures, wait_us) else {
            let ended = self.pictures.is_abandoned();
            return Ok(if ended { Taken::End } else { Taken::Nothing });
        };
        for k in 0..VIEWS {
            self.painter.paint(&picture, k, views.fill(k));
        }
        Ok(Taken::Flash(picture.shot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nature::Nature;
    use crate::pearl::Pearl;
    use units::{BoardId, HostUs};
    use vision::{Eye, Limits, Measurement, Refusal, Why};

    fn look(bodies: [Option<Body>; BODIES], eye: &mut Eye) -> Result<Measurement, Refusal> {
        let picture = Picture {
            shot: Shot {
                board: BoardId(0),
                eye: EyeId(0),
                seq: TriggerSeq(0),
                fired: HostUs(0),
            },
            bodies,
        };
        let painter = Painter::new(&calibration());
        let mut views = Views::new(calibration().size_px);
        for k in 0..VIEWS {
            painter.paint(&picture, k, views.fill(k));
        }
        eye.measure(&views.views())
    }

    #[test]
    fn drawn_pearls_come_back_as_what_they_are() {
        let mut chance = Chance::new(5, 0);
        let mut eye = Eye::new(&calibration(), Limits::default());
        let mut lustre = Vec::new();
        for seed in 0..40 {
            let truth = Pearl::draw(&mut chance, &Nature::default()).truth;
            let body = Body {
                truth,
                behind_um: 0.0,
                seed,
            };
            let m = look([Some(body), None], &mut eye).unwrap_or_else(|refusal| panic!("{refusal:?}: {truth:?}"));
            // The dark side of a nearly black pearl can't be told from the belt.
            if truth.lab[0] < 5_500 {
                continue;
            }
            let [most, _, least] = truth.d_um;
            // Half a pixel of each edge: the polynomial light is steeper at the rim than a dome's.
            let off_um = (m.d_max.0 - most).abs().max((m.d_min.0 - least).abs());
            assert!(off_um < 50, "{m:?}, {truth:?}");
            for k in 0..3 {
                let off = i32::from(m.lab[k]) - truth.lab[k];
                assert!(off.abs() < 300, "{:?}, not {:?}", m.lab, truth.lab);
            }
            lustre.push((truth.lustre, i32::from(m.lustre)));
        }
        let off: i32 = lustre.iter().map(|(is, seen)| (is - seen).abs()).sum();
        assert!(lustre.len() > 30 && off < 800 * 40, "{lustre:?}");
    }

    #[test]
    fn nothing_and_two_are_refused() {
        let mut eye = Eye::new(&calibration(), Limits::default());
        let why = |bodies, eye: &mut Eye| look(bodies, eye).err().map(|refusal| refusal.why);
        assert_eq!(why([None, None], &mut eye), Some(Why::Empty));
        let truth = Figures {
            d_um: [5_200, 5_100, 5_000],
            lustre: 6_000,
            lab: [8_000, 0, 500],
            ..Figures::default()
        };
        let body = |behind_um: f64| {
            Some(Body {
                truth,
                behind_um,
                seed: 1,
            })
        };
        let half = f64::from(truth.d_um[1]) * 0.5;
        let two = why([body(-half), body(half)], &mut eye);
        assert_eq!(two, Some(Why::Several));
    }
}
