//! Boards that must agree about the belt before anything is ordered.

mod world;

use line::{BoardPlan, Cause, Command, DownCause, HoldCause, LineState, Notice};
use units::{BinId, BoardId, EyeId, Tick32, TriggerSeq};
use wire::FromBoard;
use world::{World, bead, lane, mm, plan};

const B1: BoardId = BoardId(1);

/// Two boards with 3 ms of jitter, valves and drop eyes of lane 0 on the second.
fn two_boards(index_ticks: Option<u32>) -> World {
    let mut plan = plan(1, 2);
    for board in &mut plan.boards {
        *board = BoardPlan { index_ticks, ..*board };
    }
    let mut of = lane(0);
    for jet in &mut of.jets {
        jet.board = B1;
        if let Some(eye) = &mut jet.drop_eye {
            eye.eye.board = B1;
        }
    }
    plan.lanes[0] = of;
    let mut world = World::new(plan);
    for board in &mut world.boards {
        board.jitter_us = 3_000;
    }
    world
}

fn error_ticks(world: &mut World) -> i64 {
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.binned(pearl), BinId(1));
    let fire = *world.fires().last().unwrap();
    let truth = world.beads[pearl].centre + mm(400) - mm(7) - world.boards[1].offset;
    i64::from(fire.on.0.wrapping_sub(truth as u32).cast_signed())
}

#[test]
fn without_an_index_a_fit_aligns_boards_through_jitter() {
    let mut world = World::run(two_boards(None));
    assert!(world.heard.notices.contains(&Notice::Aligned));
    world.steps(20_000);
    let error = error_ticks(&mut world);
    assert!(error.abs() <= 4, "0.2 mm are 4 ticks, off by {error}");
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn with_an_index_the_offset_is_exact() {
    let mut world = World::run(two_boards(Some(4_000)));
    assert_eq!(error_ticks(&mut world), 0);
}

#[test]
fn on_a_belt_that_stands_the_offset_is_exact() {
    let mut world = two_boards(None);
    world.speed = 0;
    world.put_at(12_345);
    world.link_up(0);
    world.link_up(1);
    world.steps(500);
    assert!(world.core.is_aligned());
    world.command(Command::Start);
    while world.speed < 20_000 {
        world.speed += 20;
        world.steps(1);
    }
    assert_eq!(world.core.state(), LineState::Running);
    assert_eq!(error_ticks(&mut world), 0);
}

#[test]
fn nothing_is_ordered_before_boards_agree() {
    let mut world = two_boards(None);
    world.link_up(0);
    world.link_up(1);
    world.steps(100);
    world.command(Command::Start);
    world.steps(20);
    assert_eq!(world.core.state(), LineState::Starting);
    let pearl = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.cause(pearl), Cause::NotRunning);
    assert!(world.fires().is_empty());
}

#[test]
fn a_board_that_loses_counts_holds_the_line() {
    for (lost, index_ticks) in [(mm(3), None), (10, None), (10, Some(4_000))] {
        let mut world = World::run(two_boards(index_ticks));
        world.steps(3_000);
        world.boards[1].offset += lost;
        world.steps(1_500);
        assert_eq!(
            world.held(),
            Some(HoldCause::Alignment(B1)),
            "{lost} ticks, index {index_ticks:?}"
        );
        world.command(Command::Acknowledge);
        world.steps(3_000);
        world.command(Command::Start);
        world.steps(100);
        assert_eq!(world.core.state(), LineState::Running);
        assert!(error_ticks(&mut world).abs() <= 4);
    }
}

#[test]
fn a_board_that_starts_again_is_aligned_again() {
    let mut world = World::run(two_boards(None));
    world.steps(2_000);
    world.link_down(1, DownCause::Reset);
    assert_eq!(world.held(), Some(HoldCause::Link(B1)));
    world.boards[1].starts += 1;
    world.boards[1].offset = world.tick();
    world.link_up(1);
    world.steps(3_000);
    world.command(Command::Acknowledge);
    world.command(Command::Start);
    world.steps(300);
    assert_eq!(world.core.state(), LineState::Running);
    assert!(error_ticks(&mut world).abs() <= 4);
}

#[test]
fn a_landing_that_cannot_be_placed_puts_its_bin_in_quarantine() {
    let mut world = World::run(two_boards(None));
    world.steps(2_000);
    error_ticks(&mut world);
    world.link_down(1, DownCause::Reset);
    world.boards[1].starts += 1;
    world.boards[1].offset = world.tick();
    world.link_up(1);
    assert!(!world.core.is_quarantined(BinId(2)));
    let (eye, seq, tick) = (EyeId(3), TriggerSeq(0), Tick32(40));
    world.say(1, FromBoard::Landed { eye, seq, tick });
    assert!(
        world.core.is_quarantined(BinId(2)),
        "whose pearl it was nobody can tell"
    );
}

#[test]
fn a_belt_that_jumps_or_runs_back_holds_the_line() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 2));
    world.steps(200);
    world.boards[0].offset -= mm(3);
    world.steps(100);
    assert_eq!(world.held(), Some(HoldCause::Alignment(BoardId(0))));
    world.finish();
    assert_eq!(world.cause(pearl), Cause::Hold);

    let mut world = World::running(plan(1, 1));
    while world.speed > -5_000 {
        world.speed -= 20;
        world.steps(1);
    }
    world.steps(300);
    assert_eq!(world.held(), Some(HoldCause::Alignment(BoardId(0))));
}

#[test]
fn a_belt_that_changes_its_speed_as_belts_do_goes_on() {
    let mut world = World::running(plan(1, 1));
    let pearls: Vec<usize> = (0..10).map(|count| world.add(bead(0, mm(60) * count, 1))).collect();
    for step in 0..1_500 {
        // Half as fast and back again, at 1 m/s2.
        world.speed += if step < 500 {
            -20
        } else if step < 1_000 {
            20
        } else {
            0
        };
        world.steps(1);
    }
    world.finish();
    assert_eq!(world.core.state(), LineState::Running);
    for pearl in pearls {
        assert_eq!(world.binned(pearl), BinId(1));
    }
}

#[test]
fn a_belt_too_slow_or_too_fast_sorts_nothing() {
    let mut world = World::running(plan(1, 1));
    for speed in [3_000, 45_000] {
        while world.speed != speed {
            world.speed += (speed - world.speed).clamp(-20, 20);
            world.steps(1);
        }
        let pearl = world.add(bead(0, 0, 1));
        world.steps(12_000);
        assert_eq!(world.cause(pearl), Cause::Speed);
    }
}

#[test]
fn a_board_that_says_nothing_gets_no_orders() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].silent = true;
    world.steps(100);
    let pearl = world.add(bead(0, 0, 1));
    world.steps(300);
    world.boards[0].silent = false;
    world.finish();
    assert_eq!(world.cause(pearl), Cause::Link);
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn a_link_that_comes_back_without_a_start_of_its_board_keeps_the_lines_scale() {
    let mut world = World::running(plan(1, 1));
    world.link_down(0, DownCause::Silence);
    world.steps(2_000);
    world.link_up(0);
    world.steps(200);
    world.command(Command::Acknowledge);
    world.command(Command::Start);
    world.steps(200);
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.binned(pearl), BinId(1));
    assert_eq!(
        world.record(pearl).centre.0 + world.boards[0].offset,
        world.beads[pearl].centre
    );
}
