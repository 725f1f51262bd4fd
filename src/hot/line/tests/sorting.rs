//! One pearl from trigger to record, and what keeps it on the belt.

mod world;

use line::{Cause, Command, Landing, LineState};
use units::BinId;
use wire::{MassStatus, ViewStatus};
use world::{World, bead, mm, plan, recipe_of};

#[test]
fn a_pearl_goes_from_its_trigger_to_its_bin() {
    let mut world = World::running(plan(1, 1));
    let pearls: Vec<usize> = (0..3)
        .map(|bin| world.add(bead(0, mm(60) * i64::from(bin), bin)))
        .collect();
    world.finish();
    for (pearl, bin) in pearls.into_iter().zip(0..) {
        assert_eq!(world.binned(pearl), BinId(bin));
        assert_eq!(world.record(pearl).landing, Landing::Seen);
        assert_eq!(world.beads[pearl].landed, Some(Some(BinId(bin))));
        assert!(world.record(pearl).lead_us.unwrap() >= 60_000);
    }
    assert_eq!(world.core.accounts().in_flight, 0);
    assert_eq!(world.core.accounts().entered, 3);
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn the_pulse_lies_around_the_pearl_at_its_jet() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    let fire = world.fires()[0];
    // Half of pearl and jet, and the margin, on each side: 4 + 2 + 1 mm.
    let centre = world.beads[pearl].centre + mm(400) - world.boards[0].offset;
    assert_eq!(i64::from(fire.on.0), centre - mm(7));
    assert_eq!(i64::from(fire.length), 2 * mm(7));
}

#[test]
fn a_pearl_that_has_rolled_is_blown_where_it_was_weighed() {
    let mut world = World::running(plan(1, 1));
    let mut rolled = bead(0, 0, 0);
    rolled.rolled = mm(1);
    let pearl = world.add(rolled);
    world.finish();
    let centre = world.beads[pearl].centre + mm(301) - world.boards[0].offset;
    assert_eq!(i64::from(world.fires()[0].on.0), centre - mm(7));
    assert_eq!(world.binned(pearl), BinId(0));
}

#[test]
fn a_pearl_without_every_figure_stays_on_the_belt() {
    let mut world = World::running(plan(1, 1));
    let mut at = 0;
    let mut add = |world: &mut World, change: &dyn Fn(&mut world::Bead)| {
        let mut pearl = bead(0, at, 0);
        change(&mut pearl);
        at += mm(60);
        world.add(pearl)
    };
    let unseen = add(&mut world, &|pearl| pearl.view = None);
    let cut = add(&mut world, &|pearl| pearl.view = Some(ViewStatus::Cut));
    let slow = add(&mut world, &|pearl| pearl.view_after_ms = 65);
    let disturbed = add(&mut world, &|pearl| pearl.mass = Some(MassStatus::Disturbed));
    let fallen = add(&mut world, &|pearl| pearl.falls = true);
    let not_weighed = add(&mut world, &|pearl| pearl.mass = None);
    let twin = add(&mut world, &|pearl| pearl.length_um = 13_000);
    let dirt = add(&mut world, &|pearl| pearl.length_um = 2_000);
    let small = add(&mut world, &|pearl| pearl.diameter_um = 4_000);
    world.finish();
    assert_eq!(world.cause(unseen), Cause::NoMeasurement);
    assert_eq!(world.cause(cut), Cause::View(ViewStatus::Cut));
    assert_eq!(world.cause(slow), Cause::NoMeasurement);
    assert_eq!(world.cause(disturbed), Cause::Mass(MassStatus::Disturbed));
    assert_eq!(world.cause(fallen), Cause::Missing);
    assert_eq!(world.record(fallen).landing, Landing::Lost);
    assert_eq!(world.cause(not_weighed), Cause::Missing);
    assert_eq!(world.record(not_weighed).landing, Landing::Seen);
    assert_eq!(world.cause(twin), Cause::Touching);
    assert_eq!(world.cause(dirt), Cause::Length);
    assert_eq!(world.cause(small), Cause::NoBin);
    assert!(world.fires().is_empty(), "nothing was blown");
    assert_eq!(world.core.accounts().lost, 1);
    assert_eq!(world.core.accounts().missing, 2);
}

#[test]
fn a_recipe_without_mass_does_not_wait_for_one() {
    let mut world = World::run(World::with_recipe(plan(1, 1), recipe_of(5, false)));
    let mut pearl = bead(0, 0, 2);
    pearl.mass = None;
    let pearl = world.add(pearl);
    world.finish();
    assert_eq!(world.binned(pearl), BinId(2));
    assert_eq!(world.record(pearl).recipe, 5);
}

#[test]
fn pearls_before_start_are_recirculated() {
    let mut world = World::new(plan(1, 1));
    world.link_up(0);
    world.steps(100);
    let pearl = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.cause(pearl), Cause::NotRunning);
    world.command(Command::Start);
    let pearl = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.binned(pearl), BinId(0));
}
