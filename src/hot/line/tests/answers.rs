//! What boards answer to orders, and what is taken back too late.

mod world;

use line::{Cause, Command, DownCause, HoldCause, Landing, LineState, Notice};
use units::{BinId, ValveId};
use wire::{Fault, FaultOf, FromBoard};
use world::{B0, World, bead, mm, plan};

#[test]
fn a_late_order_leaves_its_pearl_on_the_belt_and_many_hold_the_line() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].refuses_late = true;
    let pearls: Vec<usize> = (0..3).map(|count| world.add(bead(0, mm(40) * count, 1))).collect();
    world.finish();
    for pearl in pearls {
        assert_eq!(world.cause(pearl), Cause::OrderLate);
    }
    assert_eq!(world.core.accounts().late, 3);
    assert_eq!(world.held(), Some(HoldCause::Late));
}

#[test]
fn a_refused_order_leaves_its_pearl_on_the_belt() {
    for (fault, cause) in [
        (Fault::QueueFull, Cause::OrderFault),
        (Fault::Horizon, Cause::OrderFault),
        (Fault::TooSlow, Cause::Speed),
    ] {
        let mut world = World::running(plan(1, 1));
        world.boards[0].fault = Some(fault);
        let pearl = world.add(bead(0, 0, 1));
        world.finish();
        assert_eq!(world.cause(pearl), cause);
        assert_eq!(world.core.state(), LineState::Running);
    }
}

#[test]
fn a_valve_forced_shut_may_have_blown_strangers() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].fault = Some(Fault::ForcedShut);
    world.add(bead(0, 0, 1));
    world.finish();
    assert!(world.core.is_quarantined(BinId(1)));
    assert_eq!(world.held(), Some(HoldCause::ValveOpen(B0, ValveId(1))));
}

#[test]
fn a_valve_that_opened_elsewhere_holds_the_line() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].forgets_reports = true;
    world.add(bead(0, 0, 1));
    world.steps(300);
    let fire = world.fires()[0];
    let opened = fire.on.wrapping_plus(mm(10) as i32);
    let order = fire.order;
    world.say(
        0,
        FromBoard::Fired {
            order,
            opened,
            open_us: 14_000,
        },
    );
    assert_eq!(world.held(), Some(HoldCause::ValveOpen(B0, ValveId(1))));
    assert!(world.core.is_quarantined(BinId(1)));
}

#[test]
fn an_order_without_report_is_settled_by_the_eye() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].forgets_reports = true;
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.binned(pearl), BinId(1));
    assert_eq!(world.core.accounts().unanswered, 1);
    assert!(!world.core.is_quarantined(BinId(1)));
}

#[test]
fn an_order_without_report_and_eye_puts_the_bin_in_quarantine() {
    let mut plan = plan(1, 1);
    plan.lanes[0].jets[1].drop_eye = None;
    let mut world = World::running(plan);
    world.boards[0].forgets_reports = true;
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.record(pearl).landing, Landing::Lost);
    assert!(world.core.is_quarantined(BinId(1)));
    assert_eq!(world.held(), Some(HoldCause::Quarantine(BinId(1))));
}

#[test]
fn an_order_taken_back_too_late_puts_the_bin_in_quarantine() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 0));
    // The pearl is at its jet, and the valve is open.
    world.steps(20 + 297);
    assert_eq!(world.boards[0].orders.len(), 1);
    let mass = |number: u16, ahead: i64, world: &World| {
        let entered = units::Tick32((world.beads[pearl].centre + ahead - world.boards[0].offset) as u32);
        FromBoard::Mass(wire::Mass {
            cell: 0,
            number,
            entered: entered.wrapping_plus(mm(100) as i32),
            left: entered.wrapping_plus(mm(120) as i32),
            status: wire::MassStatus::Good,
            mass_ug: 500_000,
            u_mass_ug: 500,
        })
    };
    let strange = mass(2, mm(9), &world);
    world.say(0, strange);
    world.finish();
    assert_eq!(world.core.accounts().gone, 1);
    assert!(world.core.is_quarantined(BinId(0)));
    assert_eq!(world.held(), Some(HoldCause::Quarantine(BinId(0))));
    assert_eq!(
        world.binned(pearl),
        BinId(0),
        "it was blown all the same, and so it is counted"
    );
}

#[test]
fn a_hold_takes_back_what_it_can_and_leaves_what_blows() {
    let mut world = World::running(plan(1, 1));
    let blowing = world.add(bead(0, 0, 0));
    let ordered = world.add(bead(0, mm(60), 0));
    let waiting = world.add(bead(0, mm(240), 0));
    world.steps(20 + 297);
    world.command(Command::Hold);
    assert_eq!(world.core.state(), LineState::Holding);
    world.finish();
    assert_eq!(world.binned(blowing), BinId(0));
    assert_eq!(world.cause(ordered), Cause::Hold);
    assert_eq!(world.cause(waiting), Cause::Hold);
    assert!(!world.core.is_quarantined(BinId(0)), "a hold makes nobody a stranger");
    assert_eq!(world.core.state(), LineState::Held);
    world.command(Command::Start);
    world.steps(50);
    let pearl = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.binned(pearl), BinId(0));
}

#[test]
fn a_link_that_goes_takes_its_orders_with_it() {
    let mut world = World::running(plan(1, 1));
    let near = world.add(bead(0, 0, 0));
    let far = world.add(bead(0, mm(100), 2));
    world.steps(20 + 280);
    world.link_down(0, DownCause::Port);
    assert_eq!(world.held(), Some(HoldCause::Link(B0)));
    world.steps(2_000);
    world.link_up(0);
    world.steps(1_000);
    // The near one may or may not have been blown, and its eye was away.
    assert_eq!(world.record(near).landing, Landing::Lost);
    assert!(world.core.is_quarantined(BinId(0)));
    assert_eq!(world.cause(far), Cause::Link);
    assert_eq!(world.record(far).landing, Landing::NoEye, "nobody was there to see it");
    assert!(!world.core.is_quarantined(BinId(2)));
    assert_eq!(world.core.accounts().in_flight, 0);
    world.command(Command::Start);
    assert!(world.heard.notices.contains(&Notice::StartRefused(HoldCause::Link(B0))));
    world.command(Command::Acknowledge);
    world.command(Command::Start);
    world.steps(200);
    assert_eq!(world.core.state(), LineState::Running);
    let quarantined = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.cause(quarantined), Cause::Quarantine);
    world.command(Command::Release { bin: BinId(0) });
    let pearl = world.add(bead(0, 0, 0));
    world.finish();
    assert_eq!(world.binned(pearl), BinId(0));
}

#[test]
fn a_watchdog_empties_the_queue_and_holds_the_line() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 2));
    world.steps(200);
    assert_eq!(world.fires().len(), 1);
    world.boards[0].orders.clear();
    world.boards[0].armed = false;
    world.say(0, FromBoard::Disarmed { by_watchdog: true });
    assert_eq!(world.held(), Some(HoldCause::Watchdog(B0)));
    world.finish();
    assert_eq!(world.cause(pearl), Cause::OrderFault);
    assert_eq!(world.record(pearl).landing, Landing::Seen);
}

#[test]
fn after_a_stall_of_the_host_what_lay_beyond_the_watchdog_has_not_blown() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 2));
    world.steps(220);
    assert_eq!(world.fires().len(), 1);
    world.stalled = true;
    world.boards[0].orders.clear();
    world.steps(1_000);
    world.stalled = false;
    // The core feeds at once; what the board said of its watchdog comes behind.
    world.input(line::Input::Clock);
    world.say(0, FromBoard::Disarmed { by_watchdog: true });
    world.finish();
    assert_eq!(world.cause(pearl), Cause::OrderFault);
    assert_eq!(world.core.accounts().unanswered, 0);
    assert!(!world.core.is_quarantined(BinId(2)));
}

#[test]
fn a_doubt_that_no_eye_settles_puts_the_bin_in_quarantine() {
    let mut world = World::running(plan(1, 1));
    let pearl = world.add(bead(0, 0, 0));
    world.steps(20 + 250);
    world.boards[0].orders.clear();
    world.say(0, FromBoard::Disarmed { by_watchdog: true });
    assert!(!world.core.is_quarantined(BinId(0)), "its eye may tell");
    world.link_down(0, DownCause::Reset);
    world.steps(500);
    world.link_up(0);
    world.finish();
    assert_eq!(world.record(pearl).landing, Landing::Lost);
    assert!(world.core.is_quarantined(BinId(0)));
}

#[test]
fn a_coil_that_draws_no_current_is_left_to_the_eyes() {
    let mut world = World::running(plan(1, 1));
    world.boards[0].fault = Some(Fault::Coil);
    let pearl = world.add(bead(0, 0, 1));
    world.finish();
    assert_eq!(world.held(), Some(HoldCause::ValveShut(B0, ValveId(1))));
    assert_eq!(world.cause(pearl), Cause::OrderFault);
    assert_eq!(world.record(pearl).landing, Landing::Seen);
    assert_eq!(world.core.accounts().binned[1], 0);
}

#[test]
fn faults_of_orders_that_are_not_known_change_nothing() {
    let mut world = World::running(plan(1, 1));
    let of = FaultOf::Order(units::OrderId(77));
    world.say(
        0,
        FromBoard::Fault {
            of,
            fault: Fault::QueueFull,
        },
    );
    world.say(
        0,
        FromBoard::Gone {
            order: units::OrderId(77),
        },
    );
    world.say(
        0,
        FromBoard::Done {
            order: units::OrderId(77),
        },
    );
    assert_eq!(world.core.state(), LineState::Running);
    assert_eq!(world.core.accounts().gone + world.core.accounts().cancelled, 0);
}
