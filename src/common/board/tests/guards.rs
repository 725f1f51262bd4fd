//! Watchdog, connection, settings, test pulses, eyes, channels and the link's limits.

mod rig;

use board::{Description, Wiring};
use proptest::prelude::*;
use rig::{Moved, Rig, board_fault, encoder, fired, order_fault, valve_fault};
use units::{BoardUs32, EyeId, OrderId, TriggerSeq, ValveId};
use wire::{Fault, FromBoard, Hello, Samples, Setting, SettingKey, ToBoard};

const FEEDER: u8 = 0;
const BELT: u8 = 1;
const LAMP: u8 = 2;
const SPEED_OUT: u8 = 4;
const DOOR: u8 = 8;
const PRESSURE: u8 = 12;

fn disarmed(by_watchdog: bool) -> FromBoard<'static> {
    FromBoard::Disarmed { by_watchdog }
}

fn output(rig: &mut Rig, channel: u8, value: u16) {
    rig.send(ToBoard::Output { channel, value });
}

/// Values of the channel that the host has been told since the last call.
fn told(rig: &mut Rig, channel: u8) -> Vec<u16> {
    let of = |report: &FromBoard<'_>| match *report {
        FromBoard::Channel { channel: found, value } if found == channel => Some(value),
        _ => None,
    };
    let values = rig.reports.iter().filter_map(of).collect();
    rig.reports.retain(|report| of(report).is_none());
    values
}

#[test]
fn silence_closes_the_valves_empties_the_queue_and_stops_the_feeder() {
    let mut rig = Rig::armed();
    output(&mut rig, FEEDER, 1);
    output(&mut rig, BELT, 1);
    rig.run_us(1_000);
    let silent_us = rig.us;
    rig.feeding = false;
    rig.send(ToBoard::Feed { count: 77 });
    let on = rig.tick + 1_950;
    rig.fire(1, 0, on, 200);
    rig.fire(2, 1, on + 5_000, 200);
    rig.pins.moved.clear();
    rig.run_us(300_000);
    let (opened_us, closed_us) = match rig.pins.moved[..] {
        [
            Moved::Valve {
                valve: 0,
                open: true,
                us: opened,
                ..
            },
            Moved::Valve {
                valve: 0,
                open: false,
                us: closed,
                ..
            },
            Moved::Channel {
                channel: FEEDER,
                value: 0,
            },
        ] => (opened - silent_us, closed - silent_us),
        ref other => panic!("{other:?}"),
    };
    assert!((97_000..99_000).contains(&opened_us), "opened after {opened_us} us");
    assert_eq!(closed_us, 100_000);
    assert_eq!(told(&mut rig, FEEDER), [1, 0]);
    assert_eq!(rig.take(), [disarmed(true)]);
    let status = rig.status.unwrap();
    assert_eq!(
        (status.queued, status.armed, status.blowing, status.fed),
        (0, false, false, 77)
    );
}

#[test]
fn the_watchdog_latches_until_a_new_connection() {
    let mut rig = Rig::armed();
    rig.feeding = false;
    rig.run_us(150_000);
    rig.take();
    rig.feeding = true;
    let crc = rig.crc();
    rig.send(ToBoard::Arm { settings_crc: crc });
    rig.send(ToBoard::Disarm);
    rig.send(ToBoard::Arm { settings_crc: crc });
    rig.fire(1, 0, rig.tick + 500, 100);
    output(&mut rig, FEEDER, 1);
    output(&mut rig, LAMP, 1);
    rig.send(ToBoard::Pulse {
        valve: ValveId(0),
        us: 1_000,
    });
    // The handshake of the connection that runs is no new one.
    rig.host
        .connect(&ToBoard::Hello(Hello {
            protocol: 1,
            session: 1,
        }))
        .unwrap();
    rig.run_us(100_000);
    rig.send(ToBoard::Arm { settings_crc: crc });
    let expected = [
        board_fault(Fault::Watchdog),
        disarmed(false),
        board_fault(Fault::Watchdog),
        order_fault(1, Fault::Watchdog),
        board_fault(Fault::Watchdog),
        valve_fault(0, Fault::Watchdog),
        board_fault(Fault::Watchdog),
    ];
    assert_eq!(rig.take(), expected);
    assert_eq!(rig.switched(0), []);
    rig.connect(2);
    rig.arm();
    let on = rig.tick + 500;
    rig.fire(2, 0, on, 100);
    rig.run_to(on + 200);
    assert_eq!(rig.take(), [fired(2, on, 5_000)]);
}

#[test]
fn only_feeds_feed_neither_orders_nor_acknowledgements() {
    let mut rig = Rig::armed();
    rig.feeding = false;
    let start_us = rig.us;
    let mut order = 0;
    while rig.board.is_armed() {
        order += 1;
        let on = rig.tick + 10_000;
        rig.fire(order, 0, on, 10);
        let crc = rig.crc();
        rig.send(ToBoard::Arm { settings_crc: crc });
        rig.run_us(5_000);
        assert!(rig.us - start_us < 200_000, "the watchdog bites");
    }
    assert!(rig.us - start_us <= 100_000);
}

#[test]
fn a_feed_that_comes_after_the_time_does_not_undo_it() {
    let mut rig = Rig::armed();
    rig.feeding = false;
    rig.send(ToBoard::Feed { count: 1 });
    // The board is not polled for a while: its loop was held up.
    rig.us += 150_000;
    rig.send(ToBoard::Feed { count: 2 });
    assert!(!rig.board.is_armed());
    assert_eq!(rig.take(), [disarmed(true)]);
}

#[test]
fn disarming_closes_and_empties_and_can_be_armed_again() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.fire(2, 1, on + 10_000, 100);
    rig.run_to(on + 50);
    rig.send(ToBoard::Disarm);
    rig.fire(3, 0, on + 500, 100);
    assert_eq!(rig.switched(0), [(true, on), (false, on + 50)]);
    assert_eq!(rig.take(), [disarmed(false), order_fault(3, Fault::NotArmed)]);
    rig.arm();
    rig.run_to(on + 11_000);
    assert_eq!(rig.switched(1), [], "an order from before is gone");
}

#[test]
fn a_new_connection_closes_everything_and_tells_what_the_board_is() {
    let mut rig = Rig::armed();
    output(&mut rig, FEEDER, 1);
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.run_to(on + 50);
    rig.take();
    rig.pins.moved.clear();
    rig.connect(9);
    let identity = rig.identity.unwrap();
    let description = Description::standard(7);
    assert_eq!(
        (identity.uid, identity.limits, identity.starts),
        (7, description.limits, 1)
    );
    assert_eq!(identity.settings_crc, rig.crc(), "settings stay in force");
    assert!(matches!(
        rig.pins.moved[0],
        Moved::Valve {
            valve: 0,
            open: false,
            ..
        }
    ));
    assert!(rig.pins.moved.contains(&Moved::Channel {
        channel: FEEDER,
        value: 0
    }));
    rig.fire(2, 0, rig.tick + 500, 100);
    assert_eq!(rig.take(), [order_fault(2, Fault::NotArmed)]);
    let before = rig.crc();
    rig.set(SettingKey::MinOffUs, 5, 1_234);
    rig.connect(10);
    rig.send(ToBoard::Commit);
    assert_eq!(
        rig.take(),
        [FromBoard::Settings { settings_crc: before }],
        "what was not committed is forgotten"
    );
}

#[test]
fn a_board_that_nobody_has_set_has_the_settings_of_the_start() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    assert_eq!(rig.identity.unwrap().settings_crc, rig.crc());
}

#[test]
fn settings_take_effect_with_commit_and_only_within_bounds() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    let before = rig.crc();
    let set = |key, index, value| ToBoard::Set(Setting { key, index, value });
    rig.send(set(SettingKey::WatchdogUs, 0, 4_999));
    rig.send(set(SettingKey::WatchdogUs, 1, 50_000));
    rig.send(set(SettingKey::MaxOnUs, 0, 200_001));
    rig.send(set(SettingKey::LagOnUs, 64, 1));
    rig.send(set(SettingKey::EyeKind, 0, 2));
    rig.send(set(SettingKey::DeadBand, 16, 1));
    let (range, unknown) = (board_fault(Fault::Range), board_fault(Fault::Unknown));
    assert_eq!(rig.take(), [range, unknown, range, unknown, range, unknown]);
    rig.set(SettingKey::LagOnUs, 63, 500);
    rig.set(SettingKey::SampleRate, 15, 4_800);
    rig.send(ToBoard::Arm {
        settings_crc: rig.crc(),
    });
    assert_eq!(rig.take(), [board_fault(Fault::Settings)], "not committed yet");
    rig.send(ToBoard::Commit);
    assert_eq!(
        rig.take(),
        [FromBoard::Settings {
            settings_crc: rig.crc()
        }]
    );
    rig.send(ToBoard::Arm { settings_crc: before });
    rig.send(ToBoard::Arm {
        settings_crc: rig.crc(),
    });
    assert_eq!(rig.take(), [board_fault(Fault::Settings), FromBoard::Armed]);
    rig.send(set(SettingKey::LagOnUs, 0, 1));
    rig.send(ToBoard::Commit);
    assert_eq!(rig.take(), [board_fault(Fault::Armed), board_fault(Fault::Armed)]);
}

#[test]
fn a_test_pulse_needs_belt_and_feeder_at_rest() {
    let mut rig = Rig::armed();
    let pulse = |valve, us| ToBoard::Pulse {
        valve: ValveId(valve),
        us,
    };
    rig.send(pulse(0, 5_000));
    rig.speed = 0;
    rig.run_us(200_000);
    rig.send(pulse(0, 5_000));
    rig.run_us(100_000);
    for drive in [FEEDER, BELT] {
        output(&mut rig, drive, 1);
        rig.send(pulse(0, 5_000));
        output(&mut rig, drive, 0);
    }
    let moving = valve_fault(0, Fault::Moving);
    assert_eq!(rig.take(), [moving; 4]);
    assert_eq!(rig.switched(0), []);
    rig.pins.moved.clear();
    let start_us = rig.us;
    rig.send(pulse(0, 5_000));
    rig.run_us(4_000);
    rig.send(pulse(0, 5_000));
    rig.run_us(2_000);
    rig.send(pulse(0, 5_000));
    rig.send(pulse(1, 50_001));
    rig.send(pulse(1, 0));
    rig.send(pulse(64, 10));
    let expected = [
        valve_fault(0, Fault::Duplicate),
        FromBoard::Pulsed { valve: ValveId(0) },
        valve_fault(0, Fault::Duplicate),
        valve_fault(1, Fault::TooLong),
        valve_fault(1, Fault::Range),
        valve_fault(64, Fault::Unknown),
    ];
    assert_eq!(rig.take(), expected);
    let tick = rig.tick;
    let expected = [
        Moved::Valve {
            valve: 0,
            open: true,
            us: start_us,
            tick,
        },
        Moved::Valve {
            valve: 0,
            open: false,
            us: start_us + 5_000,
            tick,
        },
    ];
    assert_eq!(rig.pins.moved, expected);
}

#[test]
fn each_eye_numbers_its_triggers_and_drop_eyes_their_landings() {
    let mut rig = Rig::at((1 << 32) - 60, 0);
    rig.connect(1);
    rig.set(SettingKey::EyeKind, 100, 1);
    rig.send(ToBoard::Commit);
    rig.take();
    let mut expected = Vec::new();
    for seq in 0..3 {
        for eye in [3, 127, 100] {
            let (eye, seq) = (EyeId(eye), TriggerSeq(seq));
            let tick = encoder(rig.tick);
            rig.eye(eye.0, true);
            rig.run_us(1_000);
            rig.eye(eye.0, false);
            if eye.0 == 100 {
                expected.push(FromBoard::Landed { eye, seq, tick });
            } else {
                expected.push(FromBoard::Trigger { eye, seq, tick });
                expected.push(FromBoard::Passed {
                    eye,
                    seq,
                    tick: encoder(rig.tick),
                });
            }
        }
    }
    assert_eq!(rig.take(), expected);
    let flashes = rig
        .pins
        .moved
        .iter()
        .filter(|moved| matches!(moved, Moved::Flash { .. }))
        .count();
    assert_eq!(flashes, 6, "drop eyes fire no flash");
}

#[test]
fn an_interruption_counts_once_it_has_lasted_the_least_ticks() {
    let mut rig = Rig::at(100, 0);
    rig.connect(1);
    rig.set(SettingKey::LeastTicks, 0, 20);
    rig.send(ToBoard::Commit);
    rig.take();
    rig.eye(0, true);
    rig.run_us(950);
    rig.eye(0, false);
    assert_eq!(rig.take(), [], "19 ticks are dirt");
    let begin = rig.tick;
    rig.eye(0, true);
    assert_eq!(rig.board.next_match_tick(), Some(encoder(begin + 20)));
    rig.run_us(950);
    assert_eq!(rig.take(), []);
    rig.run_us(50);
    let (eye, seq) = (EyeId(0), TriggerSeq(0));
    assert_eq!(
        rig.take(),
        [FromBoard::Trigger {
            eye,
            seq,
            tick: encoder(begin)
        }]
    );
    rig.run_us(500);
    rig.eye(0, false);
    assert_eq!(
        rig.take(),
        [FromBoard::Passed {
            eye,
            seq,
            tick: encoder(begin + 30)
        }]
    );
}

#[test]
fn channels_are_told_when_they_change_and_whole_to_a_new_host() {
    let mut rig = Rig::at(0, 0);
    rig.board.channel_input(DOOR, 1);
    rig.board.channel_input(PRESSURE, 6_000);
    rig.connect(1);
    assert_eq!((told(&mut rig, DOOR), told(&mut rig, PRESSURE)), (vec![1], vec![6_000]));
    assert_eq!((told(&mut rig, FEEDER), told(&mut rig, SPEED_OUT)), (vec![0], vec![0]));
    assert_eq!(told(&mut rig, PRESSURE + 1), [], "never read");
    rig.set(SettingKey::DeadBand, PRESSURE, 100);
    rig.send(ToBoard::Commit);
    for value in [6_099, 6_100, 6_001, 5_999] {
        rig.board.channel_input(PRESSURE, value);
        rig.exchange();
    }
    assert_eq!(told(&mut rig, PRESSURE), [6_100, 5_999]);
    rig.board.channel_input(DOOR, 1);
    rig.board.channel_input(DOOR, 0);
    rig.exchange();
    assert_eq!(told(&mut rig, DOOR), [0]);
    output(&mut rig, SPEED_OUT, 40_000);
    assert_eq!(told(&mut rig, SPEED_OUT), [40_000]);
    assert!(rig.pins.moved.contains(&Moved::Channel {
        channel: SPEED_OUT,
        value: 40_000
    }));
    rig.connect(2);
    assert_eq!((told(&mut rig, DOOR), told(&mut rig, PRESSURE)), (vec![0], vec![5_999]));
}

#[test]
fn outputs_that_cannot_be_set_are_refused() {
    let mut rig = Rig::armed();
    for (channel, value) in [(DOOR, 1), (99, 1), (6, 0), (LAMP, 2)] {
        output(&mut rig, channel, value);
    }
    rig.board.channel_input(LAMP, 1);
    rig.exchange();
    let (unknown, range) = (board_fault(Fault::Unknown), board_fault(Fault::Range));
    assert_eq!(rig.take(), [unknown, unknown, unknown, range, unknown]);
}

#[test]
fn status_comes_at_its_period() {
    let mut rig = Rig::at(0, 0);
    rig.connect(1);
    rig.set(SettingKey::StatusUs, 0, 5_000);
    rig.send(ToBoard::Commit);
    rig.run_us(20_000);
    let before = rig.statuses;
    rig.run_us(100_000);
    assert_eq!(rig.statuses - before, 20);
    let status = rig.status.unwrap();
    assert_eq!(status.at.0 % 50, 0);
    assert_eq!(
        i64::from(status.tick.0),
        i64::from(status.at.0) / 50,
        "clock and encoder are read together"
    );
}

#[test]
fn what_the_window_cannot_take_is_dropped_and_counted_and_valves_go_on() {
    let mut rig = Rig::armed();
    let on = rig.tick + 500;
    rig.fire(1, 0, on, 100);
    rig.cut = true;
    for _ in 0..2_000 {
        rig.eye(0, true);
        rig.eye(0, false);
    }
    rig.run_to(on + 200);
    assert_eq!(rig.switched(0), [(true, on), (false, on + 100)]);
    rig.cut = false;
    rig.run_us(100_000);
    let reports = rig.take();
    let triggers = reports
        .iter()
        .filter(|r| matches!(r, FromBoard::Trigger { .. } | FromBoard::Passed { .. }))
        .count();
    let fires = reports.iter().filter(|r| matches!(r, FromBoard::Fired { .. })).count();
    let dropped = usize::from(rig.status.unwrap().dropped);
    assert!(dropped > 0);
    assert_eq!(triggers + fires + dropped, 4_001, "every report has come or is counted");
    rig.eye(0, true);
    let last = FromBoard::Trigger {
        eye: EyeId(0),
        seq: TriggerSeq(2_000),
        tick: encoder(rig.tick),
    };
    assert_eq!(rig.take(), [last], "the number tells of the gap");
}

#[test]
fn samples_and_pulses_of_the_index_pass_through() {
    let mut rig = Rig::armed();
    let samples = Samples {
        cell: 1,
        first: 10,
        at: BoardUs32(5),
        data: &[1, 2, 3, 4, 5, 6],
    };
    rig.board.samples(&samples);
    rig.board.index(encoder(55));
    rig.board.coil_fault(ValveId(3));
    let mut bytes = [0; 512];
    let len = rig.board.transmit(rig.us, &mut bytes);
    let mut seen = 0;
    rig.host.receive(rig.us, &bytes[..len], |message| {
        match message {
            FromBoard::Samples(found) => assert_eq!(found, samples),
            FromBoard::Index { tick } => assert_eq!(tick, encoder(55)),
            other => assert_eq!(other, valve_fault(3, Fault::Coil)),
        }
        seen += 1;
    });
    assert_eq!(seen, 3);
}

#[test]
fn without_a_connection_nothing_is_said() {
    let mut rig = Rig::at(0, 0);
    rig.eye(0, true);
    rig.run_us(50_000);
    assert_eq!(rig.board.transmit(rig.us, &mut [0; 512]), 0);
    assert_eq!(rig.board.next_deadline_us(), None);
}

#[test]
#[should_panic(expected = "at most 128 valves")]
fn a_board_that_claims_more_than_it_can_hold_does_not_start() {
    let mut description = Description::standard(1);
    description.limits.valves = 129;
    Rig::with(description, 0, 0);
}

fn message() -> impl Strategy<Value = ToBoard> {
    let key = prop::sample::select(wire::settings::KEYS.to_vec());
    prop_oneof![
        (key, any::<u8>(), prop_oneof![0..3u32, any::<u32>()]).prop_map(|(key, index, value)| ToBoard::Set(Setting {
            key,
            index,
            value
        })),
        Just(ToBoard::Commit),
        any::<u32>().prop_map(|settings_crc| ToBoard::Arm { settings_crc }),
        Just(ToBoard::Disarm),
        any::<u16>().prop_map(|count| ToBoard::Feed { count }),
        (0..300u16, any::<u8>(), any::<u32>(), 1..=u16::MAX).prop_map(|(order, valve, on, length)| ToBoard::Fire(
            wire::Fire {
                order: OrderId(order),
                valve: ValveId(valve),
                on: units::Tick32(on),
                length
            }
        )),
        (0..300u16, any::<u16>()).prop_map(|(order, length)| ToBoard::Amend(wire::Amend {
            order: OrderId(order),
            length
        })),
        (any::<u8>(), any::<u16>()).prop_map(|(channel, value)| ToBoard::Output { channel, value }),
        (any::<u8>(), any::<u16>()).prop_map(|(valve, us)| ToBoard::Pulse {
            valve: ValveId(valve),
            us
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_bring_a_board_down(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..30)) {
        let mut rig = Rig::armed();
        for piece in pieces {
            let now = rig.now();
            rig.board.receive(now, &piece, &mut rig.pins);
            rig.run_us(1_000);
        }
    }

    /// Any messages in any order, with clock and encoder anywhere: no panic, and every valve ends up closed.
    #[test]
    fn no_messages_and_no_moments_bring_a_board_down(
        steps in prop::collection::vec((message(), any::<u32>(), any::<bool>(), 0..1u64 << 34, any::<bool>()), 0..120),
    ) {
        let mut rig = Rig::armed();
        for (message, tick, jump, us, arm) in steps {
            rig.send(message);
            if arm {
                rig.send(ToBoard::Commit);
                let crc = rig.identity.map_or(0, |identity| identity.settings_crc);
                rig.send(ToBoard::Arm { settings_crc: crc });
            }
            if jump {
                rig.tick = i64::from(tick);
                rig.us += us;
            }
            rig.eye(u8::try_from(tick % 256).unwrap(), tick % 2 == 0);
            rig.board.channel_input(u8::try_from(us % 256).unwrap(), u16::MAX);
            rig.run_us(500);
        }
        rig.feeding = false;
        rig.run_us(100_000);
        rig.us += 20_000_000;
        rig.run_us(100_000);
        prop_assert!(!rig.board.is_armed());
        let status = rig.status.unwrap();
        prop_assert!(!status.blowing);
    }

    #[test]
    fn extreme_moments_do_no_harm(moments in prop::collection::vec((any::<u64>(), any::<u32>()), 0..100)) {
        let mut rig = Rig::armed();
        rig.fire(1, 0, rig.tick + 500, 100);
        for (us, tick) in moments {
            rig.board.poll(board::Now { us, tick: units::Tick32(tick) }, &mut rig.pins);
            let _ = (rig.board.next_deadline_us(), rig.board.next_match_tick());
        }
    }
}

#[test]
fn wiring_says_what_may_be_set() {
    for (wiring, output, most) in [
        (Wiring::Unused, false, 1),
        (Wiring::DigitalIn, false, 1),
        (Wiring::AnalogueIn, false, u16::MAX),
        (Wiring::FeederRun, true, 1),
        (Wiring::AnalogueOut, true, u16::MAX),
    ] {
        assert_eq!((wiring.is_output(), wiring.most()), (output, most), "{wiring:?}");
    }
}
