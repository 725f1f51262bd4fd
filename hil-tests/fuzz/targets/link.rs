//! Any bytes and times at the host's side of a link: no panic, and nothing is handed on before the board is ready.

#![no_main]

use devices::{HostLink, LinkEvent, LinkPlan, Needs};
use libfuzzer_sys::fuzz_target;
use units::{BoardId, HostUs};

fuzz_target!(|bytes: &[u8]| {
    let plan = LinkPlan::new(BoardId(0), 7, 1_000_000, 300_000, Needs::default(), &[]);
    let mut link = HostLink::new(plan, 1);
    let mut now = HostUs(0);
    let mut out = [0; 1024];
    link.open(now);
    let mut ready = false;
    let mut rest = bytes;
    while let [length, pause, tail @ ..] = rest {
        let (chunk, tail) = tail.split_at(tail.len().min(usize::from(*length)));
        rest = tail;
        now = now.plus(i64::from(*pause) * 512);
        let mut hear = |event: LinkEvent<'_>| match event {
            LinkEvent::Ready { .. } => ready = true,
            LinkEvent::Down { .. } => ready = false,
            LinkEvent::Message(_) => assert!(ready, "a message before the handshake was complete"),
            LinkEvent::Up { .. } => {}
        };
        link.receive(now, chunk, &mut hear);
        link.poll(now, &mut hear);
        link.transmit(now, &mut out);
    }
});
