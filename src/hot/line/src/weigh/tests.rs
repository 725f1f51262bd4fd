//! What the estimator answers to good and to bad input. The signal comes from the module's own transition, so that the
//! test needs no other crate; signals of foreign platforms are weighed in `setup`.

use super::platform::{Times, transition};
use super::*;
use units::{BoardUs, BoardUs32, Micrograms, Tick, Tick32};
use wire::{Mass, MassStatus, Samples};

const HZ: f64 = 4_800.0;
const STAY_US: i64 = 51_000;

fn model() -> Model {
    Model {
        sample_hz: HZ,
        counts_per_mg: 200.0,
        platform: Platform {
            natural_hz: 95.0,
            damping: 0.05,
            effective_mg: 6_000.0,
            landing_us: 2_000.0,
            roll_us: 6_000.0,
            lag_us: 0.0,
        },
        lines: BeltLines::new(&[26.0, 50.5]),
        noise: Noise {
            white_mg: 1.5,
            zero_walk_mg: 0.5,
            line_walk_mg: 0.5,
            push_mg: 0.0,
            gate_us: 20.0,
        },
    }
}

/// White noise of a standard deviation of 1 from a counter: the sum of twelve uniform numbers.
fn noise(state: &mut u64) -> f64 {
    let mut sum = -6.0;
    for _ in 0..12 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        sum += (*state >> 11) as f64 / (1_u64 << 53) as f64;
    }
    sum
}

/// Codes of a platform over which `pearls` (entering gate in us, mass in mg) roll.
fn codes(seconds: f64, pearls: &[(i64, f64)]) -> Vec<i32> {
    let (m, mut random, mut x, mut v) = (model(), 7, 0.0, 0.0);
    let w0 = core::f64::consts::TAU * m.platform.natural_hz / HZ;
    let mut codes = Vec::new();
    for k in 0..(seconds * HZ) as usize {
        let at = k as f64;
        let lines = 6.0 * (core::f64::consts::TAU * 26.0 * at / HZ).sin() + 4.0 * (50.5 * 1.3e-3 * at).cos();
        codes.push(((x + 1_300.0 + lines + 1.5 * noise(&mut random)) * m.counts_per_mg) as i32);
        let (mut force, mut load) = (0.0, 0.0);
        for &(enter_us, mass) in pearls {
            let enter = enter_us as f64 * HZ / 1e6;
            let leave = enter + STAY_US as f64 * HZ / 1e6;
            let times = Times {
                enter,
                leave,
                roll: 28.8,
                landing: 9.6,
            };
            let shares = times.shares(at);
            force += mass * shares.weight + mass * 0.6e-3 * HZ * shares.blow;
            load += mass * shares.weight;
        }
        let t = transition(w0 * w0 / (1.0 + load / m.platform.effective_mg), m.platform.damping);
        (x, v) = (force + t.xx * (x - force) + t.xv * v, t.vx * (x - force) + t.vv * v);
    }
    codes
}

/// Feeds codes and gates in the order of their times; `gates` are (time, leaves).
fn feed(codes: &[i32], gates: &[(i64, bool)]) -> (Vec<Weighing>, Estimator) {
    feed_numbered(codes.iter().copied().enumerate(), gates)
}

fn feed_numbered(codes: impl Iterator<Item = (usize, i32)>, gates: &[(i64, bool)]) -> (Vec<Weighing>, Estimator) {
    let mut estimator = Estimator::new(&model(), &Checks::default(), BoardUs(0)).expect("the model can be used");
    let (mut weighings, mut gates) = (Vec::new(), gates.iter().peekable());
    for (k, code) in codes {
        while let Some(&(at, leaves)) = gates.next_if(|gate| gate.0 as f64 <= k as f64 * 1e6 / HZ) {
            if leaves {
                estimator.left(BoardUs(at));
            } else {
                estimator.entered(BoardUs(at));
            }
        }
        weighings.extend(estimator.sample(k as u32, code));
    }
    while let Some(weighing) = estimator.drain() {
        weighings.push(weighing);
    }
    (weighings, estimator)
}

fn gates(pearls: &[(i64, f64)]) -> Vec<(i64, bool)> {
    let mut gates: Vec<_> = pearls
        .iter()
        .flat_map(|p| [(p.0, false), (p.0 + STAY_US, true)])
        .collect();
    gates.sort_unstable();
    gates
}

const PEARLS: [(i64, f64); 5] = [
    (300_000, 485.0),
    (380_000, 90.0),
    (450_000, 1_400.0),
    (520_000, 305.0),
    (600_000, 724.0),
];

fn is_right(weighing: &Weighing, mass_mg: f64) -> bool {
    weighing.mass.is_ok_and(|(mass, u)| {
        let off = (f64::from(mass.0) - mass_mg * 1e3).abs();
        off < 1_000.0 && off < 4.0 * f64::from(u.0) && u < Micrograms(500)
    })
}

#[test]
fn pearls_are_weighed_before_the_platform_settles() {
    let (weighings, estimator) = feed(&codes(0.8, &PEARLS), &gates(&PEARLS));
    assert_eq!(weighings.len(), PEARLS.len());
    for (weighing, (_, mass)) in weighings.iter().zip(PEARLS) {
        assert!(is_right(weighing, mass), "{weighing:?} for {mass} mg");
    }
    assert_eq!(estimator.counters().outliers, 0);
    assert!((estimator.zero_mg().unwrap() - 1_300.0).abs() < 1.5);
}

#[test]
fn two_pearls_at_once_are_told_apart() {
    let pearls = [(300_000, 485.0), (325_000, 1_000.0), (420_000, 600.0)];
    let (weighings, _) = feed(&codes(0.6, &pearls), &gates(&pearls));
    for (weighing, (_, mass)) in weighings.iter().zip(pearls) {
        assert!(is_right(weighing, mass), "{weighing:?} for {mass} mg");
    }
}

#[test]
fn three_pearls_at_once_are_refused_and_the_next_is_weighed() {
    let pearls = [(300_000, 485.0), (312_000, 300.0), (330_000, 400.0), (700_000, 600.0)];
    let (weighings, _) = feed(&codes(0.9, &pearls), &gates(&pearls));
    assert_eq!(weighings.len(), 4);
    assert!(weighings[..3].iter().all(|w| w.mass.is_err()), "{weighings:?}");
    assert!(is_right(&weighings[3], 600.0), "{weighings:?}");
}

#[test]
fn a_mass_comes_within_the_promised_time_after_the_leaving_gate() {
    let checks = Checks::default();
    let promise_us = checks.gate_delay_us + checks.hold_us + 500;
    let mut estimator = Estimator::new(&model(), &checks, BoardUs(0)).unwrap();
    for (k, code) in codes(0.5, &PEARLS[..1]).into_iter().enumerate() {
        let now_us = (k as f64 * 1e6 / HZ) as i64;
        if now_us / 209 == 300_000 / 209 && estimator.counters().samples > 0 && now_us >= 300_000 - 208 {
            estimator.entered(BoardUs(300_000));
        }
        if k == ((300_000 + STAY_US) as f64 * HZ / 1e6).ceil() as usize {
            estimator.left(BoardUs(300_000 + STAY_US));
        }
        if estimator.sample(k as u32, code).is_some() {
            assert!(now_us - 300_000 - STAY_US <= promise_us, "{now_us}");
            return;
        }
    }
    panic!("no weighing came");
}

/// The refusals of the five pearls when `spoil` has been at the codes.
fn spoilt(spoil: impl Fn(usize, i32) -> i32) -> Vec<Result<(), Refusal>> {
    let codes: Vec<i32> = codes(0.8, &PEARLS)
        .into_iter()
        .enumerate()
        .map(|(k, code)| spoil(k, code))
        .collect();
    let (weighings, _) = feed(&codes, &gates(&PEARLS));
    assert_eq!(weighings.len(), PEARLS.len());
    for (weighing, (_, mass)) in weighings.iter().zip(PEARLS) {
        assert!(
            weighing.mass.is_err() || is_right(weighing, mass),
            "{weighing:?} for {mass} mg"
        );
    }
    weighings.iter().map(|w| w.mass.map(|_| ())).collect()
}

/// Index of a sample in the midst of the third pearl's stay.
const AMID: usize = 2_270;

#[test]
fn saturated_codes_refuse_the_pearl_that_they_touch_alone() {
    for end in [(1 << 23) - 1, -(1 << 23), i32::MAX, i32::MIN] {
        let got = spoilt(|k, code| if (AMID..AMID + 3).contains(&k) { end } else { code });
        assert_eq!(got, [Ok(()), Ok(()), Err(Refusal::Saturated), Ok(()), Ok(())]);
    }
}

#[test]
fn a_stuck_converter_refuses_the_pearl() {
    let got = spoilt(|k, code| if (AMID..AMID + 60).contains(&k) { 300_000 } else { code });
    assert!(got[2].is_err() && got[0].is_ok() && got[4].is_ok(), "{got:?}");
}

#[test]
fn an_absurd_code_refuses_the_pearl() {
    let got = spoilt(|k, code| if k == AMID { 7_000_000 } else { code });
    assert_eq!(got, [Ok(()), Ok(()), Err(Refusal::Absurd), Ok(()), Ok(())]);
}

#[test]
fn a_single_wrong_code_within_the_range_refuses_the_pearl() {
    let got = spoilt(|k, code| if k == AMID { code + 20_000 } else { code });
    assert_eq!(got, [Ok(()), Ok(()), Err(Refusal::Disturbed), Ok(()), Ok(())]);
}

#[test]
fn a_hand_on_the_platform_refuses_until_it_is_off() {
    let press = |k: usize| {
        if (AMID..AMID + 300).contains(&k) {
            40 * (k - AMID) as i32
        } else {
            0
        }
    };
    let got = spoilt(|k, code| code + press(k));
    assert!(got[2].is_err() && got[3].is_err(), "{got:?}");
    assert!(got[0].is_ok() && got[1].is_ok(), "{got:?}");
}

#[test]
fn lost_samples_refuse_the_pearl_and_time_goes_on() {
    for lost in [1, 40, 300] {
        let codes = codes(0.8, &PEARLS);
        let kept = codes
            .into_iter()
            .enumerate()
            .filter(|(k, _)| !(AMID..AMID + lost).contains(k));
        let (weighings, estimator) = feed_numbered(kept, &gates(&PEARLS));
        assert_eq!(weighings.len(), PEARLS.len());
        assert_eq!(weighings[2].mass, Err(Refusal::Lost), "{lost} lost");
        assert!(
            is_right(&weighings[0], 485.0) && is_right(&weighings[1], 90.0),
            "{lost} lost"
        );
        assert_eq!(estimator.counters().lost, lost as u64);
        for (weighing, (_, mass)) in weighings[3..].iter().zip(&PEARLS[3..]) {
            assert!(
                weighing.mass.is_err() || is_right(weighing, *mass),
                "{weighing:?} after {lost} lost"
            );
        }
    }
}

#[test]
fn an_empty_platform_has_no_mass() {
    let (weighings, _) = feed(&codes(0.6, &[]), &gates(&PEARLS[..2]));
    assert!(weighings.iter().all(|w| w.mass == Err(Refusal::Empty)), "{weighings:?}");
}

#[test]
fn a_pearl_that_no_gate_saw_refuses_its_neighbours() {
    let mut seen = gates(&PEARLS);
    seen.retain(|gate| gate.0 != PEARLS[2].0 && gate.0 != PEARLS[2].0 + STAY_US);
    let (weighings, estimator) = feed(&codes(0.8, &PEARLS), &seen);
    let masses = [PEARLS[0].1, PEARLS[1].1, PEARLS[3].1, PEARLS[4].1];
    for (weighing, mass) in weighings.iter().zip(masses) {
        assert!(
            weighing.mass.is_err() || is_right(weighing, mass),
            "{weighing:?} for {mass} mg"
        );
    }
    assert!(estimator.counters().disturbances > 0);
}

#[test]
fn gates_out_of_order_are_refused() {
    let mut estimator = Estimator::new(&model(), &Checks::default(), BoardUs(0)).unwrap();
    estimator.entered(BoardUs(300_000));
    estimator.entered(BoardUs(290_000));
    estimator.left(BoardUs(299_000));
    estimator.left(BoardUs(341_000));
    let mut refusals = Vec::new();
    for (k, code) in codes(0.5, &[]).into_iter().enumerate() {
        refusals.extend(estimator.sample(k as u32, code));
    }
    while let Some(weighing) = estimator.drain() {
        refusals.push(weighing);
    }
    assert_eq!(refusals.len(), 2);
    assert!(
        refusals.iter().all(|w| w.mass == Err(Refusal::GateOrder)),
        "{refusals:?}"
    );
}

#[test]
fn gates_that_are_missing_late_or_odd_refuse_and_never_weigh() {
    let codes = codes(1.4, &PEARLS);
    // no leaving gate at all
    let (weighings, _) = feed(&codes, &[(300_000, false)]);
    assert_eq!(weighings[0].mass, Err(Refusal::NoLeave));
    // a dwell that no pearl has
    let (weighings, _) = feed(&codes, &[(300_000, false), (302_000, true)]);
    assert_eq!(weighings[0].mass, Err(Refusal::Dwell));
    // gates told long after they closed
    let mut estimator = Estimator::new(&model(), &Checks::default(), BoardUs(0)).unwrap();
    for (k, code) in codes[..3_000].iter().enumerate() {
        assert_eq!(estimator.sample(k as u32, *code), None);
    }
    estimator.entered(BoardUs(300_000));
    estimator.left(BoardUs(300_000 + STAY_US));
    let mut told = None;
    for (k, code) in codes[3_000..].iter().enumerate() {
        told = told.or(estimator.sample(3_000 + k as u32, *code));
    }
    assert_eq!(told.unwrap().mass, Err(Refusal::LateGate));
    // a leaving gate without a pearl
    let (weighings, estimator) = feed(&codes, &[(300_000, true)]);
    assert!(weighings.is_empty());
    assert_eq!(estimator.counters().orphan_gates, 1);
}

#[test]
fn more_pearls_than_places_are_refused_at_once() {
    let mut estimator = Estimator::new(&model(), &Checks::default(), BoardUs(0)).unwrap();
    for i in 0..limits::PASSAGES as i64 + 1 {
        estimator.entered(BoardUs(300_000 + i * 10_000));
    }
    let weighing = estimator.fetch().unwrap();
    assert_eq!(
        (weighing.passage, weighing.mass),
        (limits::PASSAGES as u32, Err(Refusal::Crowded))
    );
}

#[test]
fn a_zero_that_leaves_its_band_stops_the_weighing() {
    let drift = |k: usize| if k < 480 { 0 } else { ((k - 480) as i32) * 20 };
    let codes: Vec<i32> = codes(4.0, &[(3_800_000, 485.0)])
        .into_iter()
        .enumerate()
        .map(|(k, c)| c + drift(k))
        .collect();
    let (weighings, estimator) = feed(&codes, &gates(&[(3_800_000, 485.0)]));
    assert!(weighings[0].mass.is_err(), "{weighings:?}");
    assert!(estimator.counters().zero_alarms > 0);
}

#[test]
fn any_codes_and_any_gates_are_survived() {
    let mut random = 99_u64;
    let mut next = move || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    let mut estimator = Estimator::new(&model(), &Checks::default(), BoardUs(0)).unwrap();
    let (mut entered, mut answered) = (0_u64, 0_u64);
    let mut seq = 0_u32;
    for _ in 0..60_000 {
        match next() % 64 {
            0 => {
                estimator.entered(BoardUs(next() as i64 % 12_000_000));
                entered += 1;
            }
            1 => estimator.left(BoardUs(next() as i64 % 12_000_000)),
            2 => seq = seq.wrapping_add(next() as u32 % 200),
            3 => seq = seq.wrapping_sub(next() as u32 % 5),
            _ => {}
        }
        let code = if next() % 50 == 0 {
            (next() as u32).cast_signed()
        } else {
            260_000 + (next() % 50_000) as i32
        };
        answered += u64::from(estimator.sample(seq, code).is_some());
        seq = seq.wrapping_add(1);
    }
    while estimator.drain().is_some() {
        answered += 1;
    }
    assert_eq!(entered, answered + estimator.counters().dropped);
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let (codes, gates) = (codes(0.8, &PEARLS), gates(&PEARLS));
    assert_eq!(feed(&codes, &gates).0, feed(&codes, &gates).0);
}

#[test]
fn models_that_can_not_be_run_are_refused() {
    let checks = Checks::default();
    let refuse = |change: fn(&mut Model), fault: ModelFault| {
        let mut model = model();
        change(&mut model);
        assert_eq!(model.check(&checks), Err(fault), "{model:?}");
    };
    refuse(|m| m.sample_hz = f64::NAN, ModelFault::SampleRate);
    refuse(|m| m.platform.natural_hz = 900.0, ModelFault::SampleRate);
    refuse(|m| m.counts_per_mg = 0.0, ModelFault::Span);
    refuse(|m| m.platform.damping = 1.0, ModelFault::Platform);
    refuse(|m| m.platform.lag_us = f64::INFINITY, ModelFault::Platform);
    refuse(|m| m.lines = BeltLines::new(&[3_000.0]), ModelFault::Line);
    refuse(|m| m.noise.white_mg = 0.0, ModelFault::Noise);
    refuse(|m| m.platform.roll_us = 20_000.0, ModelFault::Delay);
    refuse(|m| m.sample_hz = 60_000.0, ModelFault::Delay);
    assert_eq!(model().check(&checks), Ok(()));
}

/// Converter clock against the board's: so far that an uncorrected gate would be milliseconds off at the end.
const DRIFT: f64 = 3e-4;
/// Number and board time of the first sample: both wrap under way.
const FIRST: u32 = u32::MAX - 20_000;
const BEGIN_US: u32 = u32::MAX - 3_000_000;

fn board_us(us: i64) -> BoardUs32 {
    BoardUs32(BEGIN_US.wrapping_add((us as f64 * (1.0 + DRIFT)) as u32))
}

/// Where the belt is by the board's clock: a tick is a microsecond.
fn gate(tick: Tick) -> Option<Gate> {
    Some(Gate {
        tick: Tick32(tick.0 as u32),
        at: board_us(tick.0),
    })
}

/// Feeds codes as messages of 77 samples, without those that `lost` names; each pearl is foretold 20 ms ahead.
fn stream(codes: &[i32], pearls: &[(i64, f64)], lost: impl Fn(usize) -> bool) -> (Vec<Mass>, CellStream) {
    let mut masses = Vec::new();
    let mut give = |mass, _: Gates| masses.push(mass);
    let mut stream = CellStream::new(3);
    assert_eq!(stream.set_model(&model(), &Checks::default(), &mut give), Ok(()));
    let mut pearls = pearls.iter().peekable();
    for (m, chunk) in codes.chunks(77).enumerate() {
        let now_us = ((m + 1) * 77) as f64 * 1e6 / HZ;
        while let Some((enter_us, _)) = pearls.next_if(|pearl| pearl.0 as f64 <= now_us + 20_000.0) {
            stream.expect(Tick(*enter_us), Tick(enter_us + STAY_US), true);
        }
        let data: Vec<u8> = chunk.iter().flat_map(|code| code.to_le_bytes()[..3].to_vec()).collect();
        let message = Samples {
            cell: 3,
            first: FIRST.wrapping_add(77 * m as u32),
            at: board_us((77.0 * m as f64 * 1e6 / HZ) as i64),
            data: &data,
        };
        if !lost(m) {
            stream.samples(&message, gate, &mut give);
        }
    }
    stream.end(&mut give);
    (masses, stream)
}

/// Pearls through ten seconds, five a second.
fn ten_seconds() -> Vec<(i64, f64)> {
    (0..48)
        .map(|i| (300_000 + 200_000 * i, 100.0 + 25.0 * i as f64))
        .collect()
}

#[test]
fn a_stream_is_weighed_while_its_clock_drifts_and_its_counters_wrap() {
    let pearls = ten_seconds();
    let (masses, stream) = stream(&codes(10.0, &pearls), &pearls, |_| false);
    assert_eq!(masses.len(), pearls.len());
    for (i, (mass, (enter_us, mg))) in masses.iter().zip(&pearls).enumerate() {
        assert!(
            mass.status == MassStatus::Good && mass.cell == 3 && usize::from(mass.number) == i,
            "{mass:?}"
        );
        assert!(
            mass.entered.0 == *enter_us as u32 && mass.left.0 == (enter_us + STAY_US) as u32,
            "{mass:?}"
        );
        let off_mg = f64::from(mass.mass_ug) / 1e3 - mg;
        assert!(off_mg.abs() < 1.5, "{mass:?} for {mg} mg");
    }
    assert_eq!(stream.counters(), StreamCounters::default());
    assert_eq!(stream.estimator().expect("it has a model").counters().lost, 0);
}

#[test]
fn a_lost_message_costs_its_pearl_and_no_other() {
    let pearls = ten_seconds();
    // message 106 has the samples from 1.70 to 1.716 s: pearl 7 is on from 1.70 to 1.751 s
    let (masses, _) = stream(&codes(3.0, &pearls[..12]), &pearls[..12], |m| m == 106);
    let bad: Vec<(u16, MassStatus)> = masses
        .iter()
        .filter(|mass| mass.status != MassStatus::Good)
        .map(|mass| (mass.number, mass.status))
        .collect();
    assert_eq!(bad, [(7, MassStatus::Gap)]);
    assert_eq!(masses.len(), 12);
}

fn two_samples(cell: u8, first: u32, at: u32) -> Samples<'static> {
    Samples {
        cell,
        first,
        at: BoardUs32(at),
        data: &[0, 0, 16, 1, 0, 16],
    }
}

#[test]
fn a_clock_that_jumps_begins_anew_and_refuses_what_was_on_the_platform() {
    let mut masses = Vec::new();
    let mut give = |mass, _: Gates| masses.push(mass);
    let plain = |tick: Tick| {
        Some(Gate {
            tick: Tick32(tick.0 as u32),
            at: BoardUs32(tick.0 as u32),
        })
    };
    let mut stream = CellStream::new(0);
    stream.samples(&two_samples(0, 0, 0), plain, &mut give);
    assert_eq!(stream.set_model(&model(), &Checks::default(), &mut give), Ok(()));
    stream.samples(&two_samples(5, 0, 0), plain, &mut give);
    stream.expect(Tick(400), Tick(400 + STAY_US), true);
    stream.expect(Tick(9_100_000), Tick(9_100_000 + STAY_US), true);
    stream.samples(&two_samples(0, 0, 0), plain, &mut give);
    stream.samples(&two_samples(0, 2, 9_000_000), plain, &mut give);
    let found: Vec<(u32, MassStatus)> = masses.iter().map(|mass| (mass.entered.0, mass.status)).collect();
    assert_eq!(found, [(400, MassStatus::Gate)], "and the other is still to come");
    let expected = StreamCounters {
        strange: 1,
        unmodelled: 1,
        jumps: 1,
        crowded: 0,
    };
    assert_eq!(stream.counters(), expected);
}

#[test]
fn a_pearl_that_stays_on_a_standing_belt_is_refused_and_no_other_takes_its_leaving() {
    let pearls = [(300_000, 485.0), (700_000, 600.0)];
    let codes = codes(2.0, &pearls[1..]);
    let mut masses = Vec::new();
    let mut give = |mass, _: Gates| masses.push(mass);
    let mut stream = CellStream::new(3);
    assert_eq!(stream.set_model(&model(), &Checks::default(), &mut give), Ok(()));
    for (enter_us, _) in pearls {
        stream.expect(Tick(enter_us), Tick(enter_us + STAY_US), true);
    }
    for (m, chunk) in codes.chunks(48).enumerate() {
        let data: Vec<u8> = chunk.iter().flat_map(|code| code.to_le_bytes()[..3].to_vec()).collect();
        let (first, at) = (48 * m as u32, BoardUs32(10_000 * m as u32));
        let message = Samples {
            cell: 3,
            first,
            at,
            data: &data,
        };
        // the belt stands from 0.32 to 1.1 s, in the midst of the first pearl's stay
        let us = |tick: Tick| {
            if tick.0 < 320_000 {
                Some(tick.0)
            } else {
                (m >= 110).then_some(tick.0 + 780_000)
            }
        };
        let gate = |tick: Tick| {
            us(tick).map(|us| Gate {
                tick: Tick32(tick.0 as u32),
                at: BoardUs32(us as u32),
            })
        };
        stream.samples(&message, gate, &mut give);
    }
    let found: Vec<(u32, bool)> = masses
        .iter()
        .map(|m| (m.entered.0, m.status == MassStatus::Good))
        .collect();
    assert_eq!(found[0], (300_000, false), "{masses:?}");
    assert_eq!(
        found[1],
        (700_000, false),
        "nothing came where it was foretold: {masses:?}"
    );
    assert_eq!(masses.len(), 2);
}
