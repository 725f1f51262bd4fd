//! The host's side of a link against a board in code: handshake, settings, silence, damage.

mod bench;

use bench::{BAUD, Bench, STEP_US, Told, UID, plan, set, settings};
use board::Description;
use devices::{DownReason, HostLink, LinkPlan, Needs, Refusal, SendError, Size};
use proptest::prelude::*;
use units::{BoardId, EyeId, HostUs, Tick32};
use wire::{Fault, FromBoard, SettingKey, ToBoard};

fn refusal_of(bench: &mut Bench) -> Refusal {
    bench.link.open(bench.host_now());
    bench.run_us(500_000);
    assert!(!bench.link.is_ready());
    match bench.take()[..] {
        [.., Told::Down(DownReason::Refused(refusal))] => refusal,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_link_becomes_ready_with_the_configurations_settings_in_force() {
    let mut bench = Bench::new();
    bench.run_us(100_000);
    assert_eq!(bench.take(), [], "a closed link says nothing");
    bench.link.open(bench.host_now());
    bench.run_us(100_000);
    assert_eq!(bench.take(), [Told::Up, Told::Ready { restarted: false }]);
    bench.link.arm().unwrap();
    bench.run_us(10_000);
    assert_eq!(bench.take(), [Told::Armed], "the CRC of settings is the board's");
    assert!(bench.board.is_armed());
}

#[test]
fn a_board_with_the_right_settings_is_ready_without_setting_it_again() {
    let mut bench = Bench::ready();
    let before = bench.link.wire_counters().messages_sent;
    bench.link.close(|_| {});
    bench.link.open(bench.host_now());
    bench.feeding = false;
    bench.run_us(20_000);
    assert!(bench.link.is_ready());
    assert_eq!(bench.link.wire_counters().messages_sent - before, 1, "but for Hello");
}

#[test]
fn hello_is_said_again_until_the_board_answers() {
    let mut bench = Bench::new();
    bench.to_board_cut = true;
    bench.link.open(bench.host_now());
    bench.run_us(499_000);
    assert_eq!(bench.link.wire_counters().frames_sent, 10);
    bench.to_board_cut = false;
    bench.run_us(100_000);
    assert!(bench.link.is_ready());
}

#[test]
fn each_connection_has_a_new_session_and_none_is_zero() {
    let mut bench = Bench::new();
    let mut sessions = Vec::new();
    for _ in 0..3 {
        bench.link.open(bench.host_now());
        bench.run_us(100_000);
        sessions.push(bench.board.session());
        bench.link.close(|_| {});
    }
    assert_eq!(sessions, [0xFFFF, 1, 2]);
}

#[test]
fn another_board_is_refused() {
    let mut bench = Bench::with(Description::standard(9), plan());
    assert_eq!(refusal_of(&mut bench), Refusal::Uid { wanted: UID, found: 9 });
    let sent = bench.link.wire_counters().frames_sent;
    bench.run_us(1_000_000);
    assert_eq!(bench.link.wire_counters().frames_sent, sent, "it is left alone");
}

#[test]
fn a_board_of_another_version_is_refused_before_anything_else_is_looked_at() {
    let limits = Description::standard(UID).limits;
    let identity = wire::Identity {
        protocol: 2,
        uid: 9,
        firmware: 0,
        limits,
        settings_crc: 0,
        starts: 0,
    };
    assert_eq!(plan().check(&identity), Err(Refusal::Protocol { theirs: 2 }));
}

#[test]
fn a_board_that_is_too_small_is_refused_and_says_in_what() {
    let plan_with = |needs, settings: &[_]| LinkPlan::new(BoardId(0), UID, BAUD, 100_000, needs, settings);
    let none = Needs::default();
    let cases = [
        (plan_with(Needs { valves: 65, ..none }, &[]), Size::Valves, 65, 64),
        (plan_with(Needs { eyes: 129, ..none }, &[]), Size::Eyes, 129, 128),
        (plan_with(Needs { cells: 17, ..none }, &[]), Size::Cells, 17, 16),
        (plan_with(Needs { channels: 17, ..none }, &[]), Size::Channels, 17, 16),
        (plan_with(Needs { queue: 257, ..none }, &[]), Size::Queue, 257, 256),
        (
            plan_with(
                Needs {
                    horizon_ticks: 400_001,
                    ..none
                },
                &[],
            ),
            Size::HorizonTicks,
            400_001,
            400_000,
        ),
        (
            plan_with(none, &[set(SettingKey::MaxOnUs, 0, 200_001)]),
            Size::MaxOnUs,
            200_001,
            200_000,
        ),
        (
            plan_with(none, &[set(SettingKey::LagOnUs, 64, 1)]),
            Size::Valves,
            65,
            64,
        ),
        (
            plan_with(none, &[set(SettingKey::EyeKind, 128, 1)]),
            Size::Eyes,
            129,
            128,
        ),
    ];
    for (plan, size, needed, has) in cases {
        let mut bench = Bench::with(Description::standard(UID), plan);
        assert_eq!(refusal_of(&mut bench), Refusal::TooSmall { size, needed, has });
    }
}

#[test]
fn a_board_that_does_not_take_a_setting_is_refused() {
    let plan = LinkPlan::new(
        BoardId(0),
        UID,
        BAUD,
        100_000,
        Needs::default(),
        &[set(SettingKey::EyeKind, 0, 7)],
    );
    let mut bench = Bench::with(Description::standard(UID), plan);
    match refusal_of(&mut bench) {
        Refusal::Settings {
            ours,
            theirs,
            fault: Some(Fault::Range),
        } => assert_ne!(ours, theirs),
        other => panic!("{other}"),
    }
}

#[test]
fn refusals_say_what_and_what_to_do() {
    let text = Refusal::TooSmall {
        size: Size::Valves,
        needed: 65,
        has: 64,
    }
    .to_string();
    assert_eq!(
        text,
        "the board has 64 valves, the line needs 65: use a larger board, or ask less of it"
    );
    let text = Refusal::Protocol { theirs: 9 }.to_string();
    assert!(text.contains("version 9") && text.contains("update"), "{text}");
    let text = Refusal::Uid {
        wanted: 0x1A,
        found: 0x2B,
    }
    .to_string();
    assert!(
        text.contains("000000000000002b") && text.contains("000000000000001a"),
        "{text}"
    );
}

#[test]
fn channels_told_during_the_handshake_are_told_once_the_link_is_ready() {
    let mut bench = Bench::new();
    bench.board.channel_input(8, 1);
    bench.board.channel_input(12, 600);
    bench.link.open(bench.host_now());
    bench.run_us(100_000);
    assert_eq!(bench.told[..2], [Told::Up, Told::Ready { restarted: false }]);
    for channel in [Told::Channel(8, 1), Told::Channel(12, 600), Told::Channel(0, 0)] {
        assert_eq!(
            bench.told.iter().filter(|told| **told == channel).count(),
            1,
            "{channel:?} in {:?}",
            bench.told
        );
    }
}

#[test]
fn silence_takes_the_link_down_and_it_calls_again() {
    let mut bench = Bench::ready();
    bench.to_host_cut = true;
    let cut = bench.now;
    while bench.told.is_empty() && bench.now - cut < 1_000_000 {
        bench.run_us(STEP_US);
    }
    assert!(
        (90_000..=101_000).contains(&(bench.now - cut)),
        "{} us",
        bench.now - cut
    );
    assert_eq!(bench.take(), [Told::Down(DownReason::Silence)]);
    assert_eq!(bench.link.send(&ToBoard::Disarm), Err(SendError::NotReady));
    bench.run_us(2_000_000);
    bench.to_host_cut = false;
    bench.run_us(100_000);
    assert_eq!(bench.take(), [Told::Up, Told::Ready { restarted: false }]);
}

#[test]
fn a_line_that_carries_one_way_only_is_seen() {
    let mut bench = Bench::ready();
    bench.to_board_cut = true;
    bench.run_us(1_000_000);
    assert_eq!(
        bench.take(),
        [Told::Down(DownReason::Silence)],
        "unacknowledged, the board falls silent"
    );
}

#[test]
fn a_board_that_starts_anew_is_seen() {
    let mut bench = Bench::ready();
    bench.restart_board();
    bench.run_us(300_000);
    let expected = [
        Told::Down(DownReason::Silence),
        Told::Up,
        Told::Ready { restarted: true },
    ];
    assert_eq!(bench.take(), expected);
}

#[test]
fn a_watchdog_that_has_bitten_is_told_and_makes_a_new_handshake() {
    let mut bench = Bench::ready();
    bench.link.arm().unwrap();
    bench.feeding = false;
    bench.run_us(90_000);
    bench.feeding = true;
    bench.run_us(100_000);
    let expected = [
        Told::Armed,
        Told::Disarmed { by_watchdog: true },
        Told::Down(DownReason::Watchdog),
        Told::Up,
        Told::Ready { restarted: false },
    ];
    assert_eq!(bench.take(), expected);
    bench.link.arm().unwrap();
    bench.run_us(10_000);
    assert_eq!(bench.take(), [Told::Armed]);
}

#[test]
fn a_lost_port_is_told_once_and_a_new_one_connects() {
    let mut bench = Bench::ready();
    let mut told = Vec::new();
    bench.link.close(|event| told.extend(bench::told(event)));
    bench.link.close(|event| told.extend(bench::told(event)));
    assert_eq!(told, [Told::Down(DownReason::Port)]);
    bench.run_us(1_000_000);
    assert_eq!(bench.take(), []);
    assert_eq!((bench.link.next_poll(), bench.link.next_transmit()), (None, None));
    bench.link.open(bench.host_now());
    bench.run_us(100_000);
    assert_eq!(bench.take(), [Told::Up, Told::Ready { restarted: false }]);
    assert_eq!(bench.link.counters().downs, 1);
}

#[test]
fn a_setting_that_never_ends_is_given_up() {
    let mut bench = Bench::new();
    bench.link.open(bench.host_now());
    while !bench.told.contains(&Told::Up) {
        bench.run_us(STEP_US);
        assert!(bench.now < 6_000_000, "the board answers within a second");
    }
    bench.to_board_cut = true;
    bench.run_us(2_100_000);
    assert_eq!(bench.take(), [Told::Up, Told::Down(DownReason::Silence)]);
    bench.to_board_cut = false;
    bench.run_us(200_000);
    assert!(bench.link.is_ready());
}

#[test]
fn a_full_window_refuses_and_counts() {
    let mut bench = Bench::ready();
    bench.feeding = false;
    bench.to_board_cut = true;
    let mut taken = 0;
    while bench.link.send(&ToBoard::Output { channel: 2, value: 1 }).is_ok() {
        taken += 1;
        assert!(taken < 10_000, "a window has an end");
    }
    assert_eq!(bench.link.send(&ToBoard::Commit), Err(SendError::Full));
    assert_eq!(bench.link.counters().not_sent, 2);
}

#[test]
fn a_link_on_a_bad_line_still_delivers_each_message_once_and_in_order() {
    let mut bench = Bench::ready();
    let mut random: u32 = 7;
    bench.damage = Box::new(move |bytes| {
        for byte in bytes.iter_mut() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if random >> 8 & 0x1FF == 0 {
                *byte ^= 1 << (random >> 24 & 7);
            }
        }
    });
    for _ in 0..500 {
        bench.board.eye(EyeId(0), true, Tick32(1), &mut bench::NoPins);
        bench.board.eye(EyeId(0), false, Tick32(2), &mut bench::NoPins);
        bench.run_us(10_000);
    }
    bench.damage = Box::new(|_| {});
    bench.run_us(200_000);
    let seqs: Vec<u16> = bench
        .take()
        .iter()
        .filter_map(|t| if let Told::Trigger(seq) = t { Some(*seq) } else { None })
        .collect();
    assert_eq!(seqs, (0..500).collect::<Vec<_>>());
    assert!(bench.link.wire_counters().damaged() > 0 && bench.link.counters().downs == 0);
}

#[test]
#[should_panic(expected = "named twice")]
fn a_setting_named_twice_is_a_programmers_error() {
    let mut settings = settings();
    settings.push(settings[3]);
    let _ = LinkPlan::new(BoardId(0), UID, BAUD, 100_000, Needs::default(), &settings);
}

#[test]
fn the_next_times_lead_a_simulator_through_a_connection() {
    let mut bench = Bench::new();
    bench.link.open(HostUs(bench.now));
    assert!(bench.link.next_transmit().unwrap() <= bench.host_now());
    bench.link.transmit(bench.host_now(), &mut [0; 2_048]);
    assert_eq!(bench.link.next_transmit(), Some(HostUs(bench.now + 50_000)));
    bench.run_us(100_000);
    let poll = bench.link.next_poll().unwrap();
    assert!(poll > bench.host_now() && poll <= bench.host_now() + 100_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_bring_a_link_down(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..30)) {
        let mut bench = Bench::ready();
        for piece in pieces {
            let now = bench.host_now();
            bench.link.receive(now, &piece, |_| {});
            bench.run_us(1_000);
        }
        bench.run_us(100_000);
        prop_assert!(bench.link.is_ready());
        prop_assert_eq!(bench.link.counters().downs, 0);
    }

    /// A board that says anything it likes, in whole frames, in any phase.
    #[test]
    fn no_messages_bring_the_host_down(
        messages in prop::collection::vec(message(), 0..60),
        open_again in prop::collection::vec(0..60usize, 0..3),
    ) {
        let mut link = HostLink::new(plan(), 4);
        let mut board = wire::BoardEndpoint::<8>::new(BAUD);
        let mut bytes = [0; 2_048];
        let mut now = HostUs(0);
        link.open(now);
        for (at, message) in messages.iter().enumerate() {
            now = now + 1_000;
            if open_again.contains(&at) {
                link.close(|_| {});
                link.open(now);
            }
            let len = link.transmit(now, &mut bytes);
            let mut session = None;
            board.receive(now.0.unsigned_abs(), &bytes[..len], |message| {
                if let ToBoard::Hello(hello) = message {
                    session = Some(hello.session);
                }
            });
            if let Some(session) = session {
                board.reset(session);
            }
            if let FromBoard::Identity(_) = message {
                let _ = board.connect(message);
            } else {
                let _ = board.push(message);
            }
            board.flush();
            let len = board.poll_transmit(now.0.unsigned_abs(), &mut bytes);
            link.receive(now, &bytes[..len], |_| {});
            link.poll(now, |_| {});
        }
    }
}

fn message() -> impl Strategy<Value = FromBoard<'static>> {
    let identity = wire::Identity {
        protocol: wire::PROTOCOL,
        uid: UID,
        firmware: 1,
        limits: Description::standard(UID).limits,
        settings_crc: 0,
        starts: 1,
    };
    let limits = (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>());
    let any_limits = limits.prop_map(|(valves, eyes, cells, channels, window)| wire::BoardLimits {
        valves,
        eyes,
        cells,
        channels,
        window,
        ..Description::standard(UID).limits
    });
    prop_oneof![
        Just(FromBoard::Identity(identity)),
        (any::<u64>(), any::<u8>()).prop_map(move |(uid, protocol)| FromBoard::Identity(wire::Identity {
            uid,
            protocol,
            ..identity
        })),
        any_limits.prop_map(move |limits| FromBoard::Identity(wire::Identity { limits, ..identity })),
        prop_oneof![Just(plan().settings_crc(&identity.limits)), any::<u32>()]
            .prop_map(|settings_crc| FromBoard::Settings { settings_crc }),
        any::<bool>().prop_map(|by_watchdog| FromBoard::Disarmed { by_watchdog }),
        (any::<u8>(), any::<u16>()).prop_map(|(channel, value)| FromBoard::Channel { channel, value }),
        Just(FromBoard::Fault {
            of: wire::FaultOf::Board,
            fault: Fault::Range
        }),
        Just(FromBoard::Armed),
    ]
}
