//! Pearls that lie too close for the jet, and valves that have their limits.

mod world;

use line::{Cause, Landing, Manifold, NeighbourPolicy};
use units::{BinId, ValveId};
use wire::ToBoard;
use world::{B0, World, bead, mm, plan, recipe_of};

#[test]
fn neighbours_for_different_bins_both_stay() {
    let mut world = World::running(plan(1, 1));
    let first = world.add(bead(0, 0, 0));
    let second = world.add(bead(0, mm(13), 1));
    let far = world.add(bead(0, mm(13 + 15), 2));
    world.finish();
    assert_eq!(world.cause(first), Cause::Neighbour);
    assert_eq!(world.cause(second), Cause::Neighbour);
    assert_eq!(world.binned(far), BinId(2), "15 mm off is beyond the reach of 14");
}

#[test]
fn a_neighbour_that_stays_keeps_the_other_back() {
    let mut world = World::running(plan(1, 1));
    let mut dirt = bead(0, 0, 0);
    dirt.diameter_um = 3_000;
    let stays = world.add(dirt);
    let pearl = world.add(bead(0, mm(12), 1));
    world.finish();
    assert_eq!(world.cause(stays), Cause::NoBin);
    assert_eq!(world.cause(pearl), Cause::Neighbour);
    assert!(world.fires().is_empty() || world.cancels().len() == world.fires().len());
}

#[test]
fn neighbours_for_one_bin_go_together() {
    let mut world = World::running(plan(1, 1));
    let pearls: Vec<usize> = (0..3).map(|count| world.add(bead(0, mm(12) * count, 1))).collect();
    world.finish();
    for pearl in pearls {
        assert_eq!(world.binned(pearl), BinId(1));
    }
    assert_eq!(world.core.accounts().entered, 3);
}

#[test]
fn a_bridged_pulse_is_not_longer_than_the_valve_may_be_open() {
    let mut plan = plan(1, 1);
    // Two pearls of 14 mm each, 12 mm apart, blow for 26 ms; three for 38 ms.
    plan.tolerances.max_on_us = 30_000;
    let mut world = World::running(plan);
    let pearls: Vec<usize> = (0..3).map(|count| world.add(bead(0, mm(12) * count, 1))).collect();
    world.finish();
    let accounts = world.core.accounts();
    assert_eq!(accounts.recirculated(Cause::Valve), 1);
    assert_eq!(
        accounts.recirculated(Cause::Neighbour),
        2,
        "the other stays within their jet"
    );
    assert_eq!(pearls.len(), 3);
    assert!(world.beads.iter().all(|bead| bead.landed == Some(None)));
}

#[test]
fn the_first_of_two_waits_for_the_second_to_be_graded() {
    let mut world = World::run(World::with_recipe(plan(1, 1), recipe_of(1, false)));
    let first = world.add(bead(0, 0, 1));
    let mut slow = bead(0, mm(12), 1);
    slow.view_after_ms = 50;
    let second = world.add(slow);
    world.finish();
    assert_eq!(world.binned(first), BinId(1));
    assert_eq!(world.binned(second), BinId(1));
}

#[test]
fn an_undecided_neighbour_takes_an_order_back_before_it_is_too_late() {
    // Without a scale the first is ordered before the second has tripped the eye; the second is never measured.
    let mut plan = plan(1, 1);
    plan.tolerances.measure_us = 400_000;
    let mut world = World::run(World::with_recipe(plan, recipe_of(1, false)));
    let mut quick = bead(0, 0, 0);
    quick.view_after_ms = 0;
    let first = world.add(quick);
    let mut blind = bead(0, mm(13), 0);
    blind.view = None;
    let second = world.add(blind);
    world.finish();
    assert_eq!(world.fires().len(), 1);
    assert_eq!(world.cancels().len(), 1);
    assert_eq!(world.cause(first), Cause::Neighbour);
    assert_eq!(world.cause(second), Cause::NoMeasurement);
    assert_eq!(world.core.accounts().cancelled, 1);
    assert_eq!(world.record(first).landing, Landing::Seen);
}

#[test]
fn a_pearl_that_trips_the_eye_later_takes_an_order_back() {
    let mut world = World::run(World::with_recipe(plan(1, 1), recipe_of(1, false)));
    let mut quick = bead(0, 0, 1);
    quick.view_after_ms = 0;
    let first = world.add(quick);
    let mut other = bead(0, mm(13), 2);
    other.view_after_ms = 30;
    let second = world.add(other);
    world.finish();
    assert_eq!(world.cancels(), [world.fires()[0].order]);
    assert_eq!(world.cause(first), Cause::Neighbour);
    assert_eq!(world.cause(second), Cause::Neighbour);
    assert_eq!(world.beads[first].landed, Some(None));
}

#[test]
fn the_other_pearl_of_a_bridged_pulse_is_kept() {
    // The pulses of the first two do not overlap, but the gap is shorter than the valve's recovery. The third turns up
    // within the second's reach.
    let mut world = World::run(World::with_recipe(plan(1, 1), recipe_of(1, false)));
    let first = world.add(bead(0, 0, 1));
    let second = world.add(bead(0, mm(15), 1));
    let mut third = bead(0, mm(28), 2);
    third.view_after_ms = 40;
    let third = world.add(third);
    world.finish();
    assert_eq!(world.binned(first), BinId(1));
    assert_eq!(world.cause(second), Cause::Neighbour);
    assert_eq!(world.cause(third), Cause::Neighbour);
    assert_eq!(world.core.accounts().cancelled, 1);
}

#[test]
fn purity_keeps_the_purer_back_and_blows_the_other_alone() {
    let mut plan = plan(1, 1);
    plan.neighbours = NeighbourPolicy::Purity;
    let mut world = World::running(plan);
    // 13.5 mm: beyond the reach of 14 less one margin.
    let purer = world.add(bead(0, 0, 0));
    let other = world.add(bead(0, mm(27) / 2, 1));
    world.finish();
    assert_eq!(world.cause(purer), Cause::Neighbour);
    assert_eq!(world.binned(other), BinId(1));
    assert_eq!(world.beads[purer].landed, Some(None));
}

#[test]
fn purity_shortens_an_order_for_a_neighbour_that_stays() {
    let mut plan = plan(1, 1);
    plan.neighbours = NeighbourPolicy::Purity;
    let mut world = World::run(World::with_recipe(plan, recipe_of(1, false)));
    let mut quick = bead(0, 0, 2);
    quick.view_after_ms = 0;
    let first = world.add(quick);
    let mut stays = bead(0, mm(27) / 2, 0);
    stays.diameter_um = 3_000;
    world.add(stays);
    world.finish();
    let fire = world.fires()[0];
    let amended = world.heard.sent.iter().any(|(_, _, message)| match message {
        ToBoard::Amend(amend) => amend.order == fire.order && amend.length == fire.length - mm(1) as u16,
        _ => false,
    });
    assert!(amended);
    assert_eq!(world.core.accounts().shortened, 1);
    assert_eq!(world.binned(first), BinId(2));
}

#[test]
fn no_more_valves_of_a_manifold_are_open_than_it_feeds() {
    let mut plan = plan(3, 1);
    plan.manifolds.push(Manifold {
        board: B0,
        valves: (0..24).map(ValveId).collect(),
        most_open: 2,
    });
    let mut world = World::running(plan);
    let pearls: Vec<usize> = (0..3)
        .map(|lane| world.add(bead(lane, mm(1) * lane as i64, 1)))
        .collect();
    let later = world.add(bead(2, mm(40), 1));
    world.finish();
    let kept_back = pearls
        .iter()
        .filter(|pearl| world.record(**pearl).lead_us.is_none())
        .count();
    assert_eq!(kept_back, 1);
    assert_eq!(world.core.accounts().recirculated(Cause::Manifold), 1);
    assert_eq!(world.binned(later), BinId(1));
}

#[test]
fn a_decision_with_too_little_lead_is_no_order() {
    let mut plan = plan(1, 1);
    // The mass comes 125 mm behind the eye: 35 ms before this jet.
    plan.lanes[0].jets[0].at_um = 160_000;
    let mut world = World::running(plan);
    let pearl = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.cause(pearl), Cause::TooLate);
    assert!(world.fires().is_empty());
}
