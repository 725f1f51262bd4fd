//! Any bytes as a recording: no panic, every event is read or the reader says where it ends, and a core that is given the
//! events takes them all.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use line::grade::Recipe;
use line::{Core, Input, Notice, Output, Record};
use sim::demo::{DemoOptions, machine};
use tape::{Event, Reader};
use units::{BoardId, HostUs};
use wire::ToBoard;

/// Takes what the core gives.
struct Nowhere;

impl Output for Nowhere {
    fn send(&mut self, _board: BoardId, _message: ToBoard) {}
    fn arm(&mut self, _board: BoardId, _on: bool) {}
    fn record(&mut self, _record: &Record) {}
    fn notice(&mut self, _at: HostUs, _notice: Notice) {}
    fn retire(&mut self, _recipe: Arc<Recipe>) {}
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let machine = machine(1, DemoOptions::default());
    let recipe = Arc::new(machine.recipe());
    let mut core = Core::new(machine.plan, Arc::clone(&recipe));
    while let Some((at, event)) = reader.next_event().expect("memory can be read") {
        let input = match event {
            Event::Board { board, message } if board.0 == 0 => Input::Board { board, message },
            Event::LinkUp { board, identity } if board.0 == 0 => Input::LinkUp { board, identity },
            Event::LinkDown { board, cause } if board.0 == 0 => Input::LinkDown { board, cause },
            Event::Command(command) => Input::Command(command),
            Event::Recipe(_) => Input::Recipe(Arc::clone(&recipe)),
            Event::Clock => Input::Clock,
            _ => continue,
        };
        core.handle(at, input, &mut Nowhere);
    }
    assert!(reader.ending().is_some(), "the reader stopped without an end");
});
