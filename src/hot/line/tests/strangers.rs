//! What comes unexpected, and what does not come: nothing is passed over.

mod world;

use line::{Cause, HoldCause, Landing, LineState, Notice};
use units::{BinId, LaneId, ValveId};
use world::{B0, World, bead, mm, plan, recipe_of};

#[test]
fn a_gap_in_the_eyes_numbers_keeps_both_neighbours_back() {
    let mut world = World::running(plan(1, 1));
    let before = world.add(bead(0, 0, 0));
    world.steps(60);
    world.skip_seq(0);
    let behind = world.add(bead(0, 0, 0));
    let later = world.add(bead(0, mm(60), 0));
    world.finish();
    assert_eq!(world.cause(before), Cause::Intruder);
    assert_eq!(world.cause(behind), Cause::Intruder);
    assert_eq!(world.binned(later), BinId(0));
    assert_eq!(world.core.accounts().gaps, 1);
    assert!(world.heard.notices.contains(&Notice::Gap(LaneId(0), 1)));
}

#[test]
fn a_pearl_that_only_the_camera_saw_keeps_its_neighbours_back() {
    let mut plan = plan(1, 1);
    plan.lanes[0].weigh = None;
    let mut world = World::run(World::with_recipe(plan, recipe_of(1, false)));
    let mut sees_two = bead(0, 0, 0);
    sees_two.in_view = 2;
    let first = world.add(sees_two);
    let mut unseen = bead(0, mm(11), 0);
    unseen.unseen_by_eye = true;
    let unseen = world.add(unseen);
    let behind = world.add(bead(0, mm(22), 0));
    let far = world.add(bead(0, mm(60), 0));
    world.finish();
    assert_eq!(world.cause(first), Cause::Intruder);
    assert_eq!(world.cause(behind), Cause::Intruder);
    assert_eq!(world.beads[unseen].landed, Some(None), "nothing has blown it along");
    assert_eq!(world.binned(far), BinId(0));
    // The camera saw it, and the tray's eye.
    assert!(world.core.accounts().intruders >= 1);
}

#[test]
fn a_neighbour_that_trips_the_eye_later_explains_what_the_camera_saw() {
    let mut world = World::running(plan(1, 1));
    let mut sees_two = bead(0, 0, 1);
    sees_two.in_view = 2;
    sees_two.view_after_ms = 0;
    let first = world.add(sees_two.clone());
    let second = world.add(bead(0, mm(12), 1));
    world.finish();
    assert_eq!(world.binned(first), BinId(1));
    assert_eq!(world.binned(second), BinId(1));
    assert_eq!(world.core.accounts().intruders, 0);
}

#[test]
fn a_mass_without_a_pearl_keeps_its_neighbours_back_and_takes_orders_back() {
    let mut world = World::run(World::with_recipe(plan(1, 1), recipe_of(1, false)));
    let near = world.add(bead(0, 0, 2));
    let mut unseen = bead(0, mm(12), 0);
    unseen.unseen_by_eye = true;
    let unseen = world.add(unseen);
    let far = world.add(bead(0, mm(60), 2));
    world.finish();
    assert_eq!(world.cause(near), Cause::Intruder);
    assert_eq!(world.cancels().len(), 1, "it had been ordered by its view alone");
    assert_eq!(world.core.accounts().cancelled, 1);
    assert_eq!(world.binned(far), BinId(2));
    assert_eq!(world.beads[unseen].landed, Some(None));
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn two_pearls_that_a_mass_could_belong_to_both_stay() {
    let mut world = World::running(plan(1, 1));
    let mut first = bead(0, 0, 1);
    first.length_um = 4_000;
    let mut second = bead(0, mm(7) / 2, 1);
    second.length_um = 3_000;
    second.rolled = -mm(2);
    let first = world.add(first);
    let second = world.add(second);
    world.finish();
    for pearl in [first, second] {
        assert_eq!(world.beads[pearl].landed, Some(None));
    }
    assert!(world.fires().is_empty());
    assert_eq!(world.core.accounts().recirculated_total(), 2);
}

#[test]
fn a_trigger_told_twice_is_one_pearl_and_stays() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 0));
    world.steps(18);
    let eye = world.plan.lanes[0].entry.eye;
    let tick = units::Tick32((world.tick() - world.boards[0].offset) as u32);
    let seq = units::TriggerSeq(2);
    world.say(0, wire::FromBoard::Trigger { eye, seq, tick });
    world.skip_seq(0);
    let next = world.add(bead(0, mm(60), 0));
    world.finish();
    assert_eq!(world.core.accounts().entered, 2);
    assert_eq!(world.core.accounts().doubled, 1);
    assert_eq!(world.cause(pearl), Cause::Length);
    assert_eq!(world.binned(next), BinId(0));
}

#[test]
fn a_trigger_from_where_the_belt_has_never_been_is_as_good_as_unseen() {
    let mut world = World::running(plan(1, 1));
    let near = world.add(bead(0, 0, 0));
    world.steps(40);
    let eye = world.plan.lanes[0].entry.eye;
    let tick = units::Tick32((world.tick() + mm(3_000) - world.boards[0].offset) as u32);
    let seq = units::TriggerSeq(2);
    world.say(0, wire::FromBoard::Trigger { eye, seq, tick });
    world.skip_seq(0);
    world.finish();
    assert_eq!(world.core.accounts().entered, 1);
    assert_eq!(world.core.accounts().gaps, 1);
    assert_eq!(world.cause(near), Cause::Intruder);
}

#[test]
fn a_mass_that_its_board_has_not_told_yet_makes_nobody_missing() {
    let mut plan = plan(1, 2);
    if let Some(weigh) = &mut plan.lanes[0].weigh {
        weigh.board = units::BoardId(1);
    }
    let mut world = World::running(plan);
    let mut pearl = bead(0, 0, 0);
    pearl.mass = None;
    let pearl = world.add(pearl);
    world.boards[1].silent = true;
    world.finish();
    assert_eq!(world.cause(pearl), Cause::NoMass);
    assert_eq!(world.core.accounts().missing, 0);
}

#[test]
fn a_valve_that_stays_shut_is_found_out_by_the_tray() {
    let mut world = World::running(plan(1, 1));
    world.shut.push(1);
    let pearls: Vec<usize> = (0..3).map(|count| world.add(bead(0, mm(40) * count, 1))).collect();
    world.finish();
    for pearl in pearls {
        assert_eq!(world.record(pearl).landing, Landing::Tray);
    }
    assert_eq!(world.core.accounts().recirculated(Cause::Missed), 3);
    assert_eq!(world.held(), Some(HoldCause::ValveShut(B0, ValveId(1))));
}

#[test]
fn a_blind_drop_eye_holds_the_line_and_puts_its_bin_in_quarantine() {
    let mut world = World::running(plan(1, 1));
    let unseen = |count: i64, bin| {
        let mut pearl = bead(0, mm(40) * count, bin);
        pearl.unseen_landing = true;
        pearl
    };
    for count in 0..4 {
        world.add(unseen(count, 1));
    }
    world.finish();
    assert_eq!(world.held(), None, "a pearl may jump off, and so may four");
    assert_eq!(world.core.accounts().lost, 4);
    world.add(unseen(0, 1));
    world.finish();
    let eye = world.plan.lanes[0].jets[1].drop_eye.expect("it has one").eye;
    assert_eq!(world.held(), Some(HoldCause::EyeBlind(eye.board, eye.eye)));
    assert!(world.core.is_quarantined(BinId(1)));
}

#[test]
fn a_seen_pearl_proves_its_eye() {
    let mut world = World::running(plan(1, 1));
    for count in 0..14 {
        let mut pearl = bead(0, mm(60) * count, 1);
        pearl.unseen_landing = count % 2 != 0;
        world.add(pearl);
    }
    world.finish();
    assert_eq!(world.held(), None);
    assert!(world.core.accounts().lost > u64::from(line::limits::UNSEEN));
}

#[test]
fn a_valve_that_stays_open_holds_the_line_and_puts_its_bin_in_quarantine() {
    let mut world = World::running(plan(1, 1));
    let good = world.add(bead(0, 0, 0));
    world.steps(500);
    world.open.push(0);
    let stranger = world.add(bead(0, 0, 2));
    world.finish();
    assert_eq!(world.binned(good), BinId(0));
    assert_eq!(world.record(stranger).landing, Landing::Bin(BinId(0)));
    assert_eq!(world.held(), Some(HoldCause::ValveOpen(B0, ValveId(0))));
    let since = world.heard.notices.iter().find_map(|notice| match notice {
        Notice::Quarantined {
            bin: BinId(0),
            since,
            pearls: 0,
        } => Some(since.0),
        _ => None,
    });
    assert!(
        since.is_some_and(|since| since > 1_000_000),
        "back to the good pearl's landing"
    );
    assert!(world.core.is_quarantined(BinId(0)));
    assert_eq!(world.core.accounts().misplaced, 1);
}

#[test]
fn a_pearl_that_nobody_has_seen_land_is_lost() {
    let mut world = World::running(plan(1, 1));
    let mut pearl = bead(0, 0, 0);
    pearl.unseen_landing = true;
    let pearl = world.add(pearl);
    let mut left = bead(0, mm(60), 0);
    left.diameter_um = 3_000;
    left.unseen_landing = true;
    let left = world.add(left);
    world.finish();
    assert_eq!(world.record(pearl).landing, Landing::Lost);
    assert_eq!(world.record(left).landing, Landing::Lost);
    assert_eq!(world.core.accounts().lost, 2);
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn two_pearls_that_land_as_one_are_both_there() {
    let mut world = World::running(plan(1, 1));
    let first = world.add(bead(0, 0, 1));
    let mut along = bead(0, mm(9), 1);
    along.lands_with_previous = true;
    let second = world.add(along);
    world.finish();
    assert_eq!(world.binned(first), BinId(1));
    assert_eq!(world.binned(second), BinId(1));
    assert_eq!(world.core.accounts().lost, 0);
}

#[test]
fn a_pearl_that_ran_off_unseen_is_counted_and_harms_nobody() {
    let mut plan = plan(1, 1);
    plan.lanes[0].weigh = None;
    let mut world = World::run(World::with_recipe(plan, recipe_of(1, false)));
    let mut unseen = bead(0, 0, 0);
    unseen.unseen_by_eye = true;
    world.add(unseen);
    let pearl = world.add(bead(0, mm(60), 0));
    world.finish();
    assert_eq!(world.core.accounts().intruders, 1);
    assert_eq!(world.binned(pearl), BinId(0));
    assert_eq!(world.core.state(), LineState::Running);
}

#[test]
fn without_drop_eyes_the_boards_report_stands() {
    let mut plan = plan(1, 1);
    for jet in &mut plan.lanes[0].jets {
        jet.drop_eye = None;
    }
    plan.lanes[0].tray_eye = None;
    let mut world = World::running(plan);
    let pearl = world.add(bead(0, 0, 1));
    let mut stays = bead(0, mm(60), 1);
    stays.diameter_um = 3_000;
    let stays = world.add(stays);
    world.finish();
    assert_eq!(world.record(pearl).landing, Landing::NoEye);
    assert_eq!(world.record(stays).landing, Landing::NoEye);
    assert_eq!(world.core.accounts().binned[1], 1);
}
