//! Recordings as files: what is written comes back, what is cut or damaged is read up to there, and no bytes harm the reader.

mod samples;

use line::weigh::{BeltLines, Model, Noise, Platform};
use line::{Command, Input};
use proptest::prelude::*;
use tape::tap::{Sink, Tap};
use tape::{Ending, Event, Head, Machine, OpenError, Reader, Totals, Writer};
use units::{BoardId, HostUs, LaneId};
use wire::FromBoard;

use samples::{entry, head, inputs};

/// A recording of `inputs`, with a check behind each event that wants one, ended with its counts.
fn written(head: &Head, inputs: &[(i64, Input<'_>)], limit: u64) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), head, limit).expect("memory takes everything");
    writer.recipe(&entry()).expect("memory takes everything");
    let mut tap = Tap::new();
    for (at, input) in inputs {
        tap.hear(HostUs(*at), input, &mut writer);
        if tap.wants_check(HostUs(*at)) {
            tap.check(HostUs(*at), tap.events(), &mut writer);
        }
    }
    writer.end(tap.lost()).expect("memory takes everything").1
}

/// Events as text, and how the file ends.
fn read(bytes: &[u8]) -> (Vec<(i64, String)>, Ending) {
    let mut reader = Reader::new(bytes).expect("the head is whole");
    let mut events = Vec::new();
    while let Some((at, event)) = reader.next_event().expect("memory can be read") {
        events.push((at.0, format!("{event:?}")));
    }
    (events, reader.ending().expect("it has come to its end").clone())
}

#[test]
fn the_golden_file_is_what_is_written_and_what_is_read() {
    let golden = include_bytes!("golden.rec");
    let bytes = written(&head(), &inputs(), 1 << 20);
    assert_eq!(
        bytes,
        golden.as_slice(),
        "the format has changed: count its version up and say so in docs/RECORDING.md"
    );
    let mut reader = Reader::new(golden.as_slice()).expect("the golden file is a recording");
    reader.begin().expect("memory can be read");
    assert_eq!((reader.head(), reader.recipe(entry().hash)), (&head(), Some(&entry())));
    assert_eq!(entry().compiled().map(|recipe| recipe.hash()), Ok(entry().hash));
    let (events, ending) = read(golden);
    let wanted = inputs().into_iter().map(|(at, input)| (at, samples::as_event(&input)));
    let checks_apart = events.iter().filter(|(_, event)| !event.starts_with("Check"));
    assert_eq!(checks_apart.cloned().collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    assert!(events.iter().any(|(_, event)| event.starts_with("Check")));
    assert_eq!(ending, Ending::Whole(Totals::default()));
}

#[test]
fn commands_that_came_after_the_golden_file_come_back() {
    let commands = [Command::Feed { on: false }, Command::Belt { on: true }];
    let inputs: Vec<_> = commands.map(|command| (5, Input::Command(command))).to_vec();
    let (events, _) = read(&written(&head(), &inputs, 1 << 20));
    for command in commands {
        assert!(
            events.contains(&(5, format!("{:?}", Event::Command(command)))),
            "{events:?}"
        );
    }
}

#[test]
fn a_weigh_cells_model_comes_back_to_the_bit() {
    let lines = BeltLines::new(&[26.0, 1.0 / 3.0]);
    let model = Model {
        sample_hz: 4_800.0,
        counts_per_mg: 199.751,
        platform: Platform {
            natural_hz: 95.1,
            damping: 0.041,
            effective_mg: 6_000.7,
            landing_us: 2_000.3,
            roll_us: 6_000.1,
            lag_us: -12.9,
        },
        lines,
        noise: Noise {
            white_mg: 1.51,
            zero_walk_mg: 0.52,
            line_walk_mg: 1.03,
            push_mg: 0.0,
            gate_us: 50.7,
        },
    };
    let lane = LaneId(5);
    let bytes = written(&head(), &[(5, Input::Model { lane, model: &model })], 1 << 20);
    let (events, _) = read(&bytes);
    assert!(
        events.contains(&(5, format!("{:?}", Event::Model { lane, model }))),
        "{events:?}"
    );
}

#[test]
fn a_cut_file_is_read_up_to_the_cut() {
    let bytes = written(&head(), &inputs(), 1 << 20);
    let (all, _) = read(&bytes);
    let mut most = 0;
    for cut in 0..bytes.len() {
        let mut reader = match Reader::new(&bytes[..cut]) {
            Ok(reader) => reader,
            Err(OpenError::Mark | OpenError::Head) => continue,
            Err(other) => panic!("cut at {cut}: {other}"),
        };
        let mut count = 0;
        while let Some((at, event)) = reader.next_event().expect("memory can be read") {
            assert_eq!(all[count], (at.0, format!("{event:?}")));
            count += 1;
        }
        assert!(matches!(reader.ending(), Some(Ending::Cut { .. })), "cut at {cut}");
        most = most.max(count);
    }
    assert_eq!(most, all.len());
}

#[test]
fn every_flipped_bit_is_seen_and_what_stands_before_it_is_read() {
    let bytes = written(&head(), &inputs(), 1 << 20);
    let (all, _) = read(&bytes);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok(mut reader) = Reader::new(flipped.as_slice()) else {
            continue;
        };
        let mut count = 0;
        while let Some((at, event)) = reader.next_event().expect("memory can be read") {
            assert_eq!(all[count], (at.0, format!("{event:?}")), "bit {bit}");
            count += 1;
        }
        assert!(
            !matches!(reader.ending(), Some(Ending::Whole(_))),
            "bit {bit} went unseen"
        );
    }
}

/// Takes what has room, as the ring between the threads does.
struct Narrow {
    bytes: Vec<u8>,
    room: usize,
}

impl Sink for Narrow {
    fn take(&mut self, bytes: &[u8]) -> bool {
        let fits = bytes.len() <= self.room;
        if fits {
            self.room -= bytes.len();
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }
}

#[test]
fn what_finds_no_room_is_counted_and_the_recording_says_where() {
    let mut narrow = Narrow {
        bytes: Vec::new(),
        room: 20,
    };
    let mut tap = Tap::new();
    for at in 0..20 {
        if at == 15 {
            narrow.room = 100;
        }
        tap.hear(HostUs(at), &Input::Clock, &mut narrow);
    }
    assert_eq!((tap.events(), tap.lost()), (15, 5));
    let mut writer = Writer::new(Vec::new(), &head(), 1 << 20).expect("memory takes everything");
    writer.stream(&narrow.bytes).expect("memory takes everything");
    let (totals, bytes) = writer.end(tap.lost()).expect("memory takes everything");
    let (events, ending) = read(&bytes);
    assert_eq!((totals.lost, ending), (5, Ending::Whole(totals)));
    assert_eq!(events[10], (15, "Lost(5)".to_owned()));
    assert_eq!((events.len(), &events[15]), (16, &(19, "Clock".to_owned())));
}

#[test]
fn a_file_at_its_limit_keeps_its_begin_and_counts_the_rest() {
    let many: Vec<_> = (0..100_000).map(|at| (at * 1_000, Input::Clock)).collect();
    let limit = 150_000;
    let bytes = written(&head(), &many, limit);
    assert!(bytes.len() as u64 <= limit, "{} bytes", bytes.len());
    let (events, ending) = read(&bytes);
    let Ending::Whole(totals) = ending else {
        panic!("it was ended: {ending:?}")
    };
    assert!(totals.unkept > 100_000 && events.len() > 20_000, "{totals:?}");
    // From the first block that was kept out nothing is kept: there is no hole.
    assert!(events.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 1_000));
}

#[test]
fn other_versions_and_other_files_are_refused() {
    let mut bytes = written(&head(), &[], 1 << 20);
    bytes[8] = 9;
    assert!(matches!(Reader::new(bytes.as_slice()), Err(OpenError::Version(9))));
    assert!(matches!(Reader::new(&b"kind = \"recipe\""[..]), Err(OpenError::Mark)));
    assert!(matches!(Reader::new(&b""[..]), Err(OpenError::Mark)));
}

#[test]
fn a_virtual_machine_comes_back_to_the_bit() {
    for samples in [false, true] {
        let head = Head {
            machine: Machine::Virtual {
                lanes: 16,
                rate: 15.1,
                um_s: 1_000_000,
                least_gap: 0.7,
                samples,
            },
            ..head()
        };
        let bytes = written(&head, &[], 1 << 20);
        assert_eq!(Reader::new(bytes.as_slice()).expect("a recording").head(), &head);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_events_at_any_times_come_back(picks in prop::collection::vec((any::<prop::sample::Index>(), any::<i64>()), 0..200)) {
        let known = inputs();
        // Differences of times must fit: half the range is three hundred thousand years.
        let chosen: Vec<_> = picks.iter().map(|(pick, at)| (at / 4, pick.get(&known).1.clone())).collect();
        let (events, ending) = read(&written(&head(), &chosen, 1 << 24));
        let events: Vec<_> = events.into_iter().filter(|(_, event)| !event.starts_with("Check")).collect();
        let wanted: Vec<_> = chosen.iter().map(|(at, input)| (*at, samples::as_event(input))).collect();
        prop_assert_eq!(events, wanted);
        prop_assert_eq!(ending, Ending::Whole(Totals::default()));
    }

    #[test]
    fn no_bytes_harm_the_reader(tail in prop::collection::vec(any::<u8>(), 0..2_000), kind in 0..5_u8, framed: bool) {
        let mut bytes = written(&head(), &[], 1 << 20);
        // Without the block that ends it; then any bytes, bare or as the content of a good block.
        bytes.truncate(bytes.len() - 29);
        if framed {
            let mut block = vec![kind];
            block.extend_from_slice(&2_u32.to_le_bytes());
            block.extend_from_slice(&u32::try_from(tail.len()).expect("short").to_le_bytes());
            let crc = wire::crc::Crc32c::new().with(&block).with(&tail).value();
            block.extend_from_slice(&crc.to_le_bytes());
            bytes.extend_from_slice(&block);
        }
        bytes.extend_from_slice(&tail);
        let mut reader = Reader::new(bytes.as_slice()).expect("the head is whole");
        while let Some((_, event)) = reader.next_event().expect("memory can be read") {
            if let Event::Board { board: BoardId(_), message: FromBoard::Samples(samples) } = event {
                prop_assert!(samples.data.len() <= wire::BODY_MAX);
            }
        }
        prop_assert!(reader.ending().is_some());
    }
}
