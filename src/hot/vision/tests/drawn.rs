//! A drawn ellipsoid through the eye: its figures come back, every kind of bad frame is refused by name, no pixels
//! make it panic.

use proptest::prelude::*;
use vision::{Calibration, Eye, Limits, Measurement, PixelFormat, Refusal, View, Why};

const SIDE: usize = 288;
const SUPER: usize = 6;

/// A matt ellipsoid under even light: half-axes in pixels along x, y, z of the line's frame.
#[derive(Clone, Copy)]
struct Drawn {
    half: [f64; 3],
    centre: (f64, f64),
    level: f64,
}

const BELT: f64 = 5.0;

impl Drawn {
    fn pearl(half: [f64; 3]) -> Self {
        Self {
            half,
            centre: (144.3, 143.6),
            level: 150.0,
        }
    }

    /// Half-axis of the outline along the image's x when the camera is turned by `degrees`.
    fn across(&self, degrees: f64) -> f64 {
        let (sin, cos) = degrees.to_radians().sin_cos();
        (self.half[0] * cos).hypot(self.half[2] * sin)
    }

    /// The view of a camera turned by `degrees`, drawn over what `frame` holds.
    fn draw(&self, frame: &mut [u8], degrees: f64) {
        let (a, b) = (self.across(degrees), self.half[1]);
        for y in 0..SIDE {
            for x in 0..SIDE {
                // Only the edge needs parts of a pixel.
                let q = |px: f64, py: f64| ((px - self.centre.0) / a).powi(2) + ((py - self.centre.1) / b).powi(2);
                let middle = q(x as f64 + 0.5, y as f64 + 0.5);
                let parts = if (0.7..1.5).contains(&middle) { SUPER } else { 1 };
                let (mut sum, mut hits) = (0.0, 0);
                for k in 0..parts * parts {
                    let place = |k: usize| (k as f64 + 0.5) / parts as f64;
                    let q = q(x as f64 + place(k % parts), y as f64 + place(k / parts));
                    if q < 1.0 {
                        hits += 1;
                        sum += self.level * (0.6 + 0.4 * (1.0 - q).sqrt());
                    }
                }
                if hits > 0 {
                    let all = (parts * parts) as f64;
                    let value = (sum + BELT * (all - f64::from(hits))) / all;
                    frame[3 * (y * SIDE + x)..][..3].fill(value.round().clamp(0.0, 255.0) as u8);
                }
            }
        }
    }

    fn frames(&self) -> [Vec<u8>; 3] {
        [0.0, -60.0, 60.0].map(|degrees| {
            let mut frame = empty();
            self.draw(&mut frame, degrees);
            frame
        })
    }
}

fn empty() -> Vec<u8> {
    vec![BELT as u8; 3 * SIDE * SIDE]
}

fn look(frames: &[Vec<u8>; 3]) -> Result<Measurement, Refusal> {
    let mut eye = Eye::new(&Calibration::nominal(), Limits::default());
    eye.measure(&[0, 1, 2].map(|k| View::rgb8(&frames[k], SIDE, SIDE)))
}

fn why(frames: &[Vec<u8>; 3]) -> Option<Why> {
    look(frames).err().map(|refusal| refusal.why)
}

#[test]
fn the_diameters_of_a_drawn_ellipsoid_come_back() {
    // The nominal rim loss belongs to glossy pearls before a dark belt; a drawn one loses nothing.
    let mut calibration = Calibration::nominal();
    calibration.rim.at_tenth_um = [0.0; 3];
    calibration.rim.per_log_um = [0.0; 3];
    let mut eye = Eye::new(&calibration, Limits::default());
    for half in [[70.0, 66.0, 62.0], [45.0, 45.0, 45.0], [80.0, 100.0, 75.0]] {
        let frames = Drawn::pearl(half).frames();
        let m = eye
            .measure(&[0, 1, 2].map(|k| View::rgb8(&frames[k], SIDE, SIDE)))
            .expect("a pearl");
        let mut sorted = half;
        sorted.sort_by(f64::total_cmp);
        for (got, want) in [(m.d_min.0, sorted[0]), (m.d_mid.0, sorted[1]), (m.d_max.0, sorted[2])] {
            assert!(
                (f64::from(got) - want * 100.0).abs() < 10.0,
                "{got} um for {} um",
                want * 100.0
            );
        }
        let volume = 4.0 / 3.0 * std::f64::consts::PI * half.iter().product::<f64>() / 8000.0;
        assert!((f64::from(m.volume_nl) / 1000.0 / volume - 1.0).abs() < 0.005);
    }
}

#[test]
fn a_dark_spot_is_a_blemish_of_its_size() {
    let mut frames = Drawn::pearl([70.0; 3]).frames();
    let clean = look(&frames).expect("a pearl");
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        if x.abs_diff(150).pow(2) + y.abs_diff(120).pow(2) < 100 {
            for value in &mut frames[0][3 * (y * SIDE + x)..][..3] {
                *value = (f64::from(*value) * 0.7) as u8;
            }
        }
    }
    let spotted = look(&frames).expect("a pearl");
    assert_eq!(spotted.blemishes, clean.blemishes + 1);
    // A disc of 10 px on a sphere of 70 px of which about four fifths are seen: 0.6 %.
    let added = spotted.blemish_area.0 - clean.blemish_area.0;
    assert!((40..90).contains(&added), "{added}");
    assert!(spotted.blemish_depth.0 > 2_000);
}

#[test]
fn a_cameras_own_scale_is_taken() {
    let mut calibration = Calibration::nominal();
    for camera in &mut calibration.cameras {
        camera.px_per_mm *= 1.005;
    }
    let frames = Drawn::pearl([70.0, 66.0, 62.0]).frames();
    let views = [0, 1, 2].map(|k| View::rgb8(&frames[k], SIDE, SIDE));
    let nominal = Eye::new(&Calibration::nominal(), Limits::default())
        .measure(&views)
        .expect("a pearl");
    let finer = Eye::new(&calibration, Limits::default())
        .measure(&views)
        .expect("a pearl");
    let ratio = f64::from(nominal.d_max.0) / f64::from(finer.d_max.0);
    assert!((ratio - 1.005).abs() < 3e-4, "{ratio}");
}

#[test]
fn an_empty_frame_is_empty() {
    assert_eq!(why(&[empty(), empty(), empty()]), Some(Why::Empty));
}

#[test]
fn two_pearls_apart_or_touching_are_several() {
    for gap in [20.0, 0.0] {
        let mut frames = [empty(), empty(), empty()];
        for (frame, degrees) in frames.iter_mut().zip([0.0, -60.0, 60.0]) {
            for y in [144.0 - 45.0 - gap, 144.0 + 45.0 + gap] {
                Drawn {
                    half: [45.0; 3],
                    centre: (144.0, y),
                    level: 150.0,
                }
                .draw(frame, degrees);
            }
        }
        assert_eq!(why(&frames), Some(Why::Several), "gap {gap}");
    }
}

#[test]
fn half_a_pearl_is_cut() {
    let mut pearl = Drawn::pearl([60.0; 3]);
    pearl.centre.1 = 20.0;
    assert_eq!(why(&pearl.frames()), Some(Why::Cut));
}

#[test]
fn a_hand_is_foreign() {
    let hand = Drawn {
        half: [190.0, 150.0, 190.0],
        centre: (100.0, 144.0),
        level: 120.0,
    };
    assert_eq!(why(&hand.frames()), Some(Why::Foreign));
    let all_over = [
        vec![120u8; 3 * SIDE * SIDE],
        vec![120; 3 * SIDE * SIDE],
        vec![120; 3 * SIDE * SIDE],
    ];
    assert_eq!(why(&all_over), Some(Why::Foreign));
}

#[test]
fn too_much_and_too_little_light_are_named() {
    let mut pearl = Drawn::pearl([60.0; 3]);
    pearl.level = 600.0;
    assert_eq!(why(&pearl.frames()), Some(Why::Overexposed));
    // Lamps that give a fifth of their light leave a fifth on the belt too; a black pearl does not.
    pearl.level = 150.0;
    let dim = pearl.frames().map(|frame| frame.into_iter().map(|v| v / 5).collect());
    assert_eq!(why(&dim), Some(Why::Dark));
    pearl.level = 20.0;
    assert_eq!(why(&pearl.frames()), None);
    pearl.level = 9.0;
    assert_eq!(why(&pearl.frames()), Some(Why::Dark));
}

#[test]
fn a_dead_lamp_is_dark() {
    let mut frames = Drawn::pearl([60.0; 3]).frames();
    for y in 0..144 {
        for x in 144..SIDE {
            for value in &mut frames[0][3 * (y * SIDE + x)..][..3] {
                *value = (f64::from(*value) * 0.4) as u8;
            }
        }
    }
    assert_eq!(why(&frames), Some(Why::Dark));
}

#[test]
fn dirt_all_over_is_dirty_and_a_little_dust_is_nothing() {
    let clean = Drawn::pearl([50.0; 3]).frames();
    let speck = |frame: &mut Vec<u8>, x: usize, y: usize, side: usize| {
        for row in y..y + side {
            frame[3 * (row * SIDE + x)..][..3 * side].fill(110);
        }
    };
    let mut dusty = clean.clone();
    for (x, y) in [(20, 30), (250, 60), (40, 260), (200, 20)] {
        speck(&mut dusty[0], x, y, 3);
    }
    let (a, b) = (
        look(&clean).expect("a pearl"),
        look(&dusty).expect("dust is no reason to refuse"),
    );
    assert!((a.d_max.0 - b.d_max.0).abs() <= 1);
    let mut dirty = clean;
    for k in 0..60 {
        speck(&mut dirty[1], 8 + (k % 20) * 13, 6 + (k / 20) * 18, 9);
    }
    assert_eq!(why(&dirty), Some(Why::Dirty));
}

#[test]
fn odd_frames_are_named() {
    let frames = Drawn::pearl([60.0; 3]).frames();
    let good = [0, 1, 2].map(|k| View::rgb8(&frames[k], SIDE, SIDE));
    let mut eye = Eye::new(&Calibration::nominal(), Limits::default());
    let mut with = |view: View<'_>| eye.measure(&[good[0], view, good[2]]).map_err(|refusal| refusal.why);
    assert!(with(good[1]).is_ok());
    let whole = &frames[1];
    assert_eq!(
        with(View::rgb8(&whole[..whole.len() - 1], SIDE, SIDE)),
        Err(Why::Truncated)
    );
    assert_eq!(with(View::rgb8(whole, SIDE / 2, SIDE)), Err(Why::Size));
    assert_eq!(with(View { stride: 3, ..good[1] }), Err(Why::Size));
    for format in [
        PixelFormat::Bayer,
        PixelFormat::RgbDeep,
        PixelFormat::MonoDeep,
        PixelFormat::Bgr8,
    ] {
        assert_eq!(with(View { format, ..good[1] }), Err(Why::Format));
    }
}

/// Frames of many kinds: noise, blocks, gradients, a pearl with something over it.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    (0u8..5, any::<u64>(), 1usize..80, any::<u8>(), any::<u8>()).prop_map(|(kind, seed, size, low, high)| {
        let mut state = seed | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut frame = empty();
        if kind == 4 {
            let at = |r: u64| 40.0 + (r % 200) as f64;
            let half = [10.0 + size as f64, 5.0 + at(next()) / 3.0, 8.0 + at(next()) / 3.0];
            Drawn {
                half,
                centre: (at(next()), at(next())),
                level: f64::from(high),
            }
            .draw(&mut frame, -60.0);
        }
        for (k, value) in frame.iter_mut().enumerate() {
            let (x, y) = (k / 3 % SIDE, k / 3 / SIDE);
            match kind {
                0 => *value = next() as u8,
                1 => *value = if (x / size + y / size) % 2 == 0 { low } else { high },
                2 => *value = ((x * usize::from(low) + y * usize::from(high)) / SIDE) as u8,
                3 if next() % 16 == 0 => *value = high,
                4 if next() % 64 == 0 => *value = low,
                _ => {}
            }
        }
        frame
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_pixels_make_it_panic(frames in [any_frame(), any_frame(), any_frame()]) {
        if let Ok(m) = look(&frames) {
            prop_assert!(m.d_min <= m.d_max && m.d_max.0 > 0);
        }
    }
}
