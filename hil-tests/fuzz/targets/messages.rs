//! Any bytes as a frame's body, both directions: no panic, and every message that decodes can be pushed again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{BoardEndpoint, Host, HostEndpoint, Messages};

fuzz_target!(|bytes: &[u8]| {
    let mut board = BoardEndpoint::<8>::new(1_000_000);
    board.reset(1);
    for message in Messages::<Host>::numbered(bytes) {
        let Ok(message) = message else { break };
        assert!(board.push(&message) != Err(wire::PushError::Invalid), "decoded, but has no coding: {message:?}");
    }
    let mut host = HostEndpoint::<16>::new(1_000_000);
    host.reset(1);
    for message in Messages::<wire::Board>::numbered(bytes) {
        let Ok(message) = message else { break };
        assert!(host.push(&message) != Err(wire::PushError::Invalid), "decoded, but has no coding: {message:?}");
    }
});
