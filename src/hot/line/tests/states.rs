//! The line's states, its feeds and holds, recipes and lots.

mod world;

use line::{Cause, ChannelPlan, ChannelsPlan, Command, HoldCause, LineState, Notice, SignalPlan};
use units::{BinId, ValveId};
use wire::{FromBoard, ToBoard};
use world::{B0, World, bead, mm, plan, recipe_of};

fn outputs(world: &World) -> Vec<(u8, u16)> {
    let output = |(_, _, message): &(i64, units::BoardId, ToBoard)| match message {
        ToBoard::Output { channel, value } => Some((*channel, *value)),
        _ => None,
    };
    world.heard.sent.iter().filter_map(output).collect()
}

#[test]
fn the_line_starts_only_with_all_boards_up_and_armed() {
    let mut world = World::new(plan(1, 2));
    assert_eq!(world.core.state(), LineState::NotReady);
    world.link_up(0);
    world.command(Command::Start);
    assert_eq!(
        world.heard.notices.last(),
        Some(&Notice::StartRefused(HoldCause::Link(units::BoardId(1))))
    );
    world.boards[1].arms = false;
    world.link_up(1);
    world.steps(3_000);
    assert_eq!(world.core.state(), LineState::Ready);
    world.command(Command::Start);
    world.steps(16_000);
    assert_eq!(world.core.state(), LineState::Ready);
    let refused = Notice::StartRefused(HoldCause::Watchdog(units::BoardId(1)));
    assert_eq!(world.heard.notices.last(), Some(&refused));
}

#[test]
fn watchdogs_are_fed_in_time_from_start_to_stop() {
    let mut world = World::running(plan(1, 1));
    world.steps(1_000);
    world.command(Command::Hold);
    world.steps(1_000);
    let fed = |world: &World| {
        let feed = |(at, _, message): &(i64, units::BoardId, ToBoard)| match message {
            ToBoard::Feed { count } => Some((*at, *count)),
            _ => None,
        };
        world.heard.sent.iter().filter_map(feed).collect::<Vec<_>>()
    };
    let feeds = fed(&world);
    assert!(feeds.len() > 70);
    for pair in feeds.windows(2) {
        assert!(pair[1].0 - pair[0].0 <= 26_000);
        assert_eq!(pair[1].1, pair[0].1 + 1);
    }
    world.command(Command::Stop);
    world.steps(1_000);
    assert_eq!(world.core.state(), LineState::Stopped);
    assert_eq!(world.heard.arms.last(), Some(&(B0, false)));
    let before = fed(&world).len();
    world.steps(1_000);
    assert_eq!(fed(&world).len(), before);
}

#[test]
fn feeder_and_belt_follow_the_state() {
    let mut plan = plan(1, 1);
    let channel = |channel| ChannelPlan { board: B0, channel };
    plan.channels = ChannelsPlan {
        feeder: Some(channel(0)),
        belt: Some(channel(1)),
        signals: Vec::new(),
    };
    let mut world = World::running(plan);
    world.add(bead(0, 0, 1));
    world.steps(100);
    world.command(Command::Stop);
    assert_eq!(outputs(&world), [(1, 1), (0, 1), (0, 0)]);
    world.finish();
    assert_eq!(outputs(&world), [(1, 1), (0, 1), (0, 0), (1, 0)]);
    assert_eq!(world.core.accounts().in_flight, 0);
    world.command(Command::Start);
    world.steps(100);
    assert_eq!(world.core.state(), LineState::Running);
}

fn with_drives() -> line::LinePlan {
    let channel = |channel| ChannelPlan { board: B0, channel };
    let mut plan = plan(1, 1);
    plan.channels = ChannelsPlan {
        feeder: Some(channel(0)),
        belt: Some(channel(1)),
        signals: Vec::new(),
    };
    plan
}

#[test]
fn without_feed_the_belts_pearls_are_sorted_and_later_ones_recirculated() {
    let mut world = World::running(with_drives());
    let before = world.add(bead(0, 0, 1));
    world.steps(40);
    world.command(Command::Feed { on: false });
    let after = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.core.state(), LineState::Running);
    assert_eq!(world.binned(before), BinId(1));
    assert_eq!(world.cause(after), Cause::NotRunning);
    world.command(Command::Hold);
    world.steps(50);
    world.command(Command::Start);
    world.steps(50);
    assert!(!world.core.takes_pearls(), "the wish stands over a hold");
    world.command(Command::Feed { on: true });
    let again = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.binned(again), BinId(1));
    assert_eq!(
        outputs(&world),
        [(1, 1), (0, 1), (0, 0), (0, 0), (1, 1), (0, 0), (0, 1)]
    );
}

#[test]
fn the_feeder_waits_until_the_drive_has_brought_the_belt_to_speed() {
    let mut world = World::new(with_drives());
    world.speed = 0;
    world.link_up(0);
    world.steps(200);
    world.command(Command::Start);
    world.steps(500);
    assert_eq!(world.core.state(), LineState::Starting);
    assert_eq!(outputs(&world), [(1, 1)]);
    world.speed = 20_000;
    world.steps(500);
    assert_eq!(world.core.state(), LineState::Running);
    assert_eq!(outputs(&world), [(1, 1), (0, 1)]);
    world.command(Command::Belt { on: false });
    assert_eq!(outputs(&world).last(), Some(&(1, 0)));
}

#[test]
fn a_signal_that_is_lost_holds_the_line() {
    let mut plan = plan(1, 1);
    let at = ChannelPlan { board: B0, channel: 8 };
    plan.channels.signals.push(SignalPlan { at, least: 1, most: 1 });
    let mut world = World::new(plan);
    world.link_up(0);
    world.steps(100);
    world.command(Command::Start);
    assert_eq!(
        world.heard.notices.last(),
        Some(&Notice::StartRefused(HoldCause::Signal(B0, 8)))
    );
    world.say(0, FromBoard::Channel { channel: 8, value: 1 });
    world.command(Command::Start);
    world.steps(100);
    assert_eq!(world.core.state(), LineState::Running);
    world.say(0, FromBoard::Channel { channel: 8, value: 0 });
    assert_eq!(world.held(), Some(HoldCause::Signal(B0, 8)));
}

#[test]
fn a_hold_stands_until_it_is_acknowledged() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].dropped = 1;
    world.steps(100);
    assert_eq!(world.held(), Some(HoldCause::Dropped(B0)));
    assert_eq!(world.core.state(), LineState::Held);
    world.command(Command::Start);
    assert_eq!(
        world.heard.notices.last(),
        Some(&Notice::StartRefused(HoldCause::Dropped(B0)))
    );
    world.command(Command::Acknowledge);
    assert_eq!(world.core.state(), LineState::Ready);
    world.command(Command::Start);
    world.steps(50);
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn an_inhibited_bin_gets_nothing() {
    let mut world = World::running(plan(1, 1));
    let bin = BinId(1);
    world.command(Command::Inhibit { bin, on: true });
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.cause(pearl), Cause::Inhibited);
    assert_eq!(world.record(pearl).earned, Some(bin));
    world.command(Command::Inhibit { bin, on: false });
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.binned(pearl), bin);
}

#[test]
fn a_recipe_takes_effect_for_pearls_that_trigger_after_it() {
    let mut world = World::running(plan(1, 1));
    let before = world.add(bead(0, 0, 1));
    world.steps(40);
    world.input(line::Input::Recipe(recipe_of(2, false)));
    assert!(world.heard.retired.is_empty(), "a pearl on the belt still needs it");
    let after = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.record(before).recipe, 1);
    assert_eq!(world.record(after).recipe, 2);
    assert_eq!(world.heard.retired.len(), 1);
    assert_eq!(world.heard.retired[0].hash(), 1);
}

#[test]
fn more_recipes_than_slots_keep_the_oldest_pearls_on_the_belt() {
    let mut world = World::running(plan(1, 1));
    let mut pearls = Vec::new();
    for hash in 2..=9 {
        pearls.push(world.add(bead(0, 0, 1)));
        world.steps(16);
        world.input(line::Input::Recipe(recipe_of(hash, true)));
    }
    pearls.push(world.add(bead(0, mm(20), 1)));
    world.finish();
    assert_eq!(world.cause(pearls[0]), Cause::Overflow);
    assert_eq!(world.binned(pearls[1]), BinId(1));
    assert_eq!(world.binned(pearls[8]), BinId(1));
    assert_eq!(world.record(pearls[8]).recipe, 9);
    assert_eq!(world.heard.retired.len(), 8);
}

#[test]
fn records_name_their_lot() {
    let mut world = World::running(plan(1, 1));
    let before = world.add(bead(0, 0, 1));
    world.steps(40);
    world.command(Command::Lot { lot: 7 });
    let after = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!((world.record(before).lot, world.record(after).lot), (0, 7));
}

#[test]
fn valves_are_tested_only_at_rest() {
    let mut world = World::running(plan(1, 1));
    let pulse = Command::Pulse {
        board: B0,
        valve: ValveId(2),
        us: 500,
    };
    let pulses = |world: &World| {
        let is = |(_, _, message): &&(i64, units::BoardId, ToBoard)| matches!(message, ToBoard::Pulse { .. });
        world.heard.sent.iter().filter(is).count()
    };
    world.command(pulse);
    assert_eq!(pulses(&world), 0);
    world.command(Command::Stop);
    world.steps(100);
    world.command(pulse);
    assert_eq!(pulses(&world), 1);
}

#[test]
fn a_lane_that_is_full_counts_what_it_can_not_track() {
    let mut plan = plan(1, 1);
    plan.lanes[0].end_um = 4_000_000;
    let mut world = World::running(plan);
    for count in 0..300 {
        world.add(bead(0, mm(13) * count, 1).with_no_bin());
    }
    world.steps(9_000);
    let accounts = world.core.accounts();
    assert_eq!(accounts.entered, 300);
    assert!(accounts.recirculated(Cause::Overflow) > 0);
    assert_eq!(accounts.in_flight, 0);
}
