//! Damaged bytes: none is ever taken for a frame that was not sent, and none makes either end panic.
//!
//! The random part runs two million trials, or as many as `PEARLSORT_DAMAGE_TRIALS` says (100,000,000 in release take about
//! a minute).

mod support;

use support::describe::unhex;
use support::{Rng, file, from_board, to_board};
use wire::{
    Board, BoardEndpoint, Decoder, ENCODED_MAX, Encode, FrameWriter, Header, Host, HostEndpoint, Kind, Messages,
    PROTOCOL, PushError, Role,
};

const TRIALS: u64 = 2_000_000;

/// Every frame of the golden vectors that is to be accepted, encoded with its delimiter.
fn vector_frames() -> Vec<Vec<u8>> {
    let accepted = |block: &file::Block| block.get("refused").is_none();
    let blocks = file::vectors();
    blocks
        .iter()
        .filter(|block| accepted(block))
        .filter_map(|block| block.get("encoded"))
        .map(unhex)
        .collect()
}

/// Frames as traffic has them: of every length, with every message.
fn traffic_frames(rng: &mut Rng) -> Vec<Vec<u8>> {
    let data: Vec<u8> = (0..231).map(|_| rng.next() as u8).collect();
    let frame = |i: u64| {
        let (seq, ack) = (rng.next() as u8, rng.next() as u8);
        let mut writer = FrameWriter::new(Header {
            version: PROTOCOL,
            kind: Kind::Data,
            session: 0x5EA1,
            seq,
            ack,
        });
        for k in 0..=rng.below(8) {
            let full = if i.is_multiple_of(2) {
                writer.push(&to_board(100 * i + k))
            } else {
                writer.push(&from_board(100 * i + k, &data))
            };
            if full == Err(PushError::Full) {
                break;
            }
        }
        let mut out = [0; ENCODED_MAX];
        let len = writer.finish(&mut out);
        out[..len].to_vec()
    };
    (0..200).map(frame).collect()
}

/// What was sent: header and body, with the checksum, without stuffing.
fn sent(frame: &[u8]) -> Vec<u8> {
    let mut block = frame[..frame.len() - 1].to_vec();
    wire::cobs::decode_in_place(&mut block).expect("a whole frame");
    block[1..block.len() - 4].to_vec()
}

/// Whether a decoder takes anything in `bytes` for a frame that is none of those sent.
fn accepts_another(bytes: &[u8], sent: [&[u8]; 2]) -> bool {
    let mut decoder = Decoder::new();
    let mut input = bytes;
    let mut another = false;
    while let Some(result) = decoder.next(&mut input) {
        let Ok(frame) = result else { continue };
        let Header {
            version,
            kind,
            session,
            seq,
            ack,
        } = frame.header;
        let [low, high] = session.to_le_bytes();
        let head = [version << 4 | kind as u8, low, high, seq, ack];
        another |= !sent.iter().any(|sent| sent.split_at(5) == (&head[..], frame.body));
    }
    another
}

#[test]
fn no_single_flip_of_any_vector_is_accepted() {
    let frames = vector_frames();
    assert!(frames.len() > 40);
    for (i, frame) in frames.iter().enumerate() {
        let next = &frames[(i + 1) % frames.len()];
        let was_sent = [&sent(frame)[..], &sent(next)[..]];
        let line = [&frame[..], &next[..], &[0]].concat();
        for bit in 0..8 * frame.len() {
            let mut line = line.clone();
            line[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts_another(&line, was_sent), "frame {i} with bit {bit} flipped");
        }
    }
}

/// Damages the two frames on `line`, of which the first has `first` bytes.
fn damage(line: &mut Vec<u8>, first: usize, rng: &mut Rng) {
    let at = |rng: &mut Rng, line: &Vec<u8>| rng.below(line.len() as u64) as usize;
    match rng.below(7) {
        0 | 1 => {
            for _ in 0..=rng.below(8) {
                let i = at(rng, line);
                line[i] ^= 1 << rng.below(8);
            }
        }
        2 => {
            let begin = at(rng, line);
            let end = line.len().min(begin + 1 + rng.below(8) as usize);
            line.drain(begin..end);
        }
        3 => {
            // The delimiter between the frames is lost: they merge.
            line.remove(first - 1);
        }
        4 => {
            // The end of one frame and the begin of the next are lost: the rest merges.
            let (begin, end) = (
                rng.below(first as u64) as usize,
                first + rng.below((line.len() - first) as u64) as usize,
            );
            line.drain(begin..end);
        }
        5 => {
            let (i, byte) = (at(rng, line), rng.next() as u8);
            line.insert(i, byte);
        }
        _ => {
            // A burst.
            let begin = at(rng, line);
            for byte in line.iter_mut().skip(begin).take(1 + rng.below(12) as usize) {
                *byte = rng.next() as u8;
            }
        }
    }
}

#[test]
fn no_random_damage_is_accepted() {
    let trials = std::env::var("PEARLSORT_DAMAGE_TRIALS").map_or(TRIALS, |n| n.parse().expect("a number of trials"));
    let mut rng = Rng(0x5EED);
    let mut frames = vector_frames();
    frames.extend(traffic_frames(&mut rng));
    let were_sent: Vec<Vec<u8>> = frames.iter().map(|frame| sent(frame)).collect();
    let mut line = Vec::new();
    for trial in 0..trials {
        let [a, b] = [0; 2].map(|_| rng.below(frames.len() as u64) as usize);
        line.clear();
        line.extend_from_slice(&frames[a]);
        line.extend_from_slice(&frames[b]);
        damage(&mut line, frames[a].len(), &mut rng);
        line.push(0);
        assert!(
            !accepts_another(&line, [&were_sent[a], &were_sent[b]]),
            "trial {trial}: {line:02x?}"
        );
    }
}

#[test]
fn any_bytes_in_any_pieces_are_only_counted() {
    let mut rng = Rng(77);
    let (mut host, mut board) = (HostEndpoint::<4>::new(115_200), BoardEndpoint::<4>::new(115_200));
    host.reset(1);
    board.reset(1);
    let mut out = [0; ENCODED_MAX];
    for now_us in 0..20_000 {
        let zeros = rng.below(64);
        let bytes: Vec<u8> = (0..rng.below(600))
            .map(|_| if rng.below(64) < zeros { 0 } else { rng.next() as u8 })
            .collect();
        host.receive(now_us, &bytes, |message| panic!("{message:?}"));
        board.receive(now_us, &bytes, |message| panic!("{message:?}"));
        host.poll_transmit(now_us, &mut out);
        board.poll_transmit(now_us, &mut out);
    }
    for counters in [host.counters(), board.counters()] {
        assert!(
            counters.cobs > 0 && counters.crc > 0 && counters.length > 0 && counters.overrun > 0,
            "{counters:?}"
        );
    }
}

/// A whole frame with a body of anything: it is refused, or means the same when it is coded again.
fn body_means_one_thing<R: Role>(body: &[u8]) -> bool
where
    for<'a> R::In<'a>: Encode + PartialEq + std::fmt::Debug,
{
    if Messages::<R>::numbered(body).check().is_err() {
        return false;
    }
    let mut writer = FrameWriter::new(Header {
        version: PROTOCOL,
        kind: Kind::Data,
        session: 1,
        seq: 0,
        ack: 0,
    });
    for message in Messages::<R>::numbered(body).flatten() {
        writer.push(&message).expect("what was decoded can be coded");
    }
    let mut out = [0; ENCODED_MAX];
    let len = writer.finish(&mut out);
    let mut decoder = Decoder::new();
    let mut input = &out[..len];
    let again = decoder.next(&mut input).expect("a frame").expect("whole");
    assert!(again.body.len() <= body.len(), "coded again it is no longer");
    assert!(Messages::<R>::numbered(body).eq(Messages::<R>::numbered(again.body)));
    true
}

#[test]
fn any_body_is_refused_or_means_one_thing() {
    let mut rng = Rng(123);
    let tags = [
        &[2, 3, 4, 5, 6, 7, 8, 9, 0x80, 0x81, 0x83][..],
        &(0x41..0x54).collect::<Vec<u8>>(),
    ];
    let (mut to, mut from) = (0, 0);
    for _ in 0..300_000 {
        let mut body: Vec<u8> = (0..1 + rng.below(24))
            .map(|_| rng.next() as u8 >> rng.below(8))
            .collect();
        let tags = tags[rng.below(2) as usize];
        body[0] = tags[rng.below(tags.len() as u64) as usize];
        to += u32::from(body_means_one_thing::<Board>(&body));
        from += u32::from(body_means_one_thing::<Host>(&body));
    }
    assert!(
        to > 1_000 && from > 1_000,
        "{to} and {from} of them were accepted: too few to say anything"
    );
}
