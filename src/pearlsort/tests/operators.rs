//! What the page may ask of the program: commands that are refused and say why, lots whose sums add up, alarms that are
//! raised and acknowledged, recipes that are tried and applied. The line has a hot thread and no boards.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::Line;
use hmi::machine::{By, Machine, Note, RefusalKind};
use hmi::shapes as s;
use line::{Cause, Destination, Landing, MassFigure, Notice, Record};
use pearlsort::daemon::{Daemon, News, Spec};
use pearlsort::operator::{self, Attendant, Goal, Keeping, Kept};
use pearlsort::run;
use units::{BinId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

struct Rig {
    folder: PathBuf,
    daemon: Option<Daemon>,
    attendant: Attendant,
    machine: Arc<dyn Machine>,
    kept: Option<Kept>,
}

impl Rig {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("pearlsort-operators-{name}-{}", std::process::id()));
        for inner in ["recipes", "standards"] {
            fs::create_dir_all(folder.join(inner)).expect("a folder can be made");
        }
        for file in [
            "standards/gbt-18781-freshwater.toml",
            "recipes/park-high-grade-rate.toml",
        ] {
            fs::copy(shipped(file), folder.join(file)).expect("a file can be copied");
        }
        let line: Arc<Line> = Arc::new(config::load_line(&shipped("line.toml")).unwrap_or_else(|e| panic!("{e}")));
        let path = folder.join("recipes/park-high-grade-rate.toml");
        let recipe = Arc::new(config::load_recipe(&path, &line).unwrap_or_else(|e| panic!("{e}")));
        let kept = operator::keep(&Keeping {
            data: &folder.join("data"),
            machine: "test",
        });
        let kept = kept.expect("a store can be made");
        let desk = operator::desk_of(&line, operator::book(path, &recipe), Some(&kept));
        let spec = Spec {
            plan: line.plan.clone(),
            recipe: Arc::clone(&recipe.compiled),
            links: run::link_plans(&line),
            hot: None,
            hold_cpu_latency: false,
        };
        let (daemon, _cold) = Daemon::start(spec).expect("a thread can be had");
        let mut rig = Self {
            folder,
            daemon: Some(daemon),
            attendant: Attendant::new(desk.clone(), Goal::None),
            machine: desk.machine(),
            kept: Some(kept),
        };
        rig.look();
        rig
    }

    fn look(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            self.attendant.look(daemon);
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            drop(daemon.end());
        }
        if let Some(kept) = self.kept.take() {
            kept.end();
        }
        // What can't be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn by() -> By {
    By {
        user: "li".to_owned(),
        right: s::Right::Operator,
        from: "127.0.0.1".to_owned(),
    }
}

fn record(n: u64, lot: u32, sent: Destination, landing: Landing) -> Record {
    Record {
        pearl: PearlId(n),
        lane: LaneId(2),
        seq: TriggerSeq(1),
        triggered: HostUs(0),
        centre: Tick(0),
        length: Micrometres(8_000),
        view: None,
        mass: Some(MassFigure {
            mass: Micrograms(500_000),
            u: Micrograms(200),
        }),
        earned: Some(BinId(0)),
        sent,
        landing,
        decision_us: Some(30),
        lead_us: Some(100_000),
        recipe: 1,
        lot,
    }
}

#[test]
fn a_command_that_the_line_can_not_follow_is_refused_with_the_reason_in_both_languages() {
    let rig = Rig::new("refused");
    let refusal = rig
        .machine
        .command(&by(), s::Command::Start)
        .expect_err("it is stopped");
    assert_eq!((refusal.kind, refusal.code), (RefusalKind::NotNow, "state"));
    let refusal = rig
        .machine
        .command(&by(), s::Command::Reset)
        .expect_err("no board is there");
    assert_eq!((refusal.kind, refusal.code), (RefusalKind::Unavailable, "board"));
    assert!(refusal.text.en.contains("Board A is not connected") && refusal.text.zh.contains("现场板 A"));
    let snapshot = rig.machine.snapshot();
    assert_eq!((snapshot.state, snapshot.state_number), (s::State::Stopped, 2));
    assert_eq!((snapshot.lanes.len(), snapshot.bins.len()), (16, 7));
    assert_eq!(snapshot.counts.entered, 0);
    rig.machine
        .set_mode(&by(), s::Mode::Maintenance)
        .expect("it is stopped");
    let refusal = rig.machine.pulse(&by(), 1, 5_000).expect_err("no board is there");
    assert_eq!(refusal.code, "board");
}

#[test]
fn a_lots_sums_add_up_from_open_to_report() {
    let mut rig = Rig::new("lot");
    let new = s::NewLot {
        number: "L-7".to_owned(),
        farm: "<b>东湖</b>".to_owned(),
        mass_in_mg: Some(5_000.0),
        count_in: Some(10),
        ..s::NewLot::default()
    };
    let lot = rig.machine.open_lot(&by(), &new).expect("none is open");
    let again = rig.machine.open_lot(&by(), &new).expect_err("one is open");
    assert_eq!(again.kind, RefusalKind::Conflict);
    let number = u32::try_from(lot.lot).unwrap();
    for n in 0..10 {
        let (sent, landing) = match n {
            0..=5 => (Destination::Bin(BinId(0)), Landing::Seen),
            6..=8 => (Destination::Tray(Cause::Touching), Landing::Seen),
            _ => (Destination::Bin(BinId(1)), Landing::Lost),
        };
        rig.attendant.record(&record(n, number, sent, landing));
    }
    rig.look();
    let open = rig.machine.snapshot().lot.expect("it is open");
    assert_eq!(
        (open.counts.binned, open.counts.recirculated, open.counts.lost),
        (6, 3, 1)
    );
    let closed = rig.machine.close_lot(&by(), lot.lot).expect("it is open");
    assert_eq!(
        (closed.passes.entered, closed.passes.binned, closed.passes.lost),
        (10, 6, 1)
    );
    let report = rig.machine.lot_report(lot.lot).expect("it is kept");
    assert!(report.adds_up, "{report:#?}");
    assert_eq!(report.high_grade_share, Some(1.0));
    assert_eq!((report.causes.len(), report.causes[0].pearls), (1, 3));
    assert!((report.mass_binned_mg - 3_000.0).abs() < 1e-6);
    assert_eq!(report.lot.farm, "<b>东湖</b>");
    assert!(rig.machine.snapshot().lot.is_none());
    let gone = rig.machine.lot(lot.lot + 1).expect_err("there is none");
    assert_eq!(gone.kind, RefusalKind::Unknown);
}

#[test]
fn an_alarm_says_what_to_do_and_is_acknowledged_once() {
    let mut rig = Rig::new("alarm");
    let notice = Notice::Quarantined {
        bin: BinId(2),
        since: HostUs(0),
        pearls: 4,
    };
    rig.attendant.news(rt::clock::now_us(), &News::Core(notice));
    rig.look();
    let alarms = rig.machine.alarms();
    let alarm = alarms
        .alarms
        .iter()
        .find(|alarm| alarm.id == "quarantine.bin-2")
        .expect("it is there");
    assert_eq!(alarm.state, s::AlarmState::Unacknowledged);
    assert!(!alarm.action.zh.is_empty() && alarm.action.en.contains("Empty the bin"));
    assert_eq!(alarm.value.as_deref(), Some("4 times"));
    let seen = rig.machine.acknowledge(&by(), &alarm.id).expect("nobody has yet");
    assert_eq!(seen.state, s::AlarmState::Acknowledged);
    let again = rig.machine.acknowledge(&by(), &alarm.id).expect_err("li has");
    assert_eq!(again.kind, RefusalKind::Conflict);
    assert!(again.text.en.contains("li"));
    let history = rig.machine.alarm_history(None, 10).expect("there is one");
    assert_eq!(history[0].by.as_deref(), Some("li"));
    let journal = rig.machine.journal(0, 100);
    assert!(
        journal
            .iter()
            .any(|entry| entry.kind == "alarm.raised" && entry.text.zh.contains("隔离"))
    );
    let bins = rig.machine.snapshot().bins;
    let bin = bins.iter().find(|bin| bin.bin == 3).expect("there is such a bin");
    assert_eq!(bin.state, s::BinState::Quarantined);
}

#[test]
fn a_recipe_is_checked_in_the_words_of_check_and_applied_whole() {
    let mut rig = Rig::new("recipe");
    let book = rig.machine.recipes().expect("there is one");
    let wrong = book.text.replace("\">=6.0\"", "\"8.0..6.0\"");
    let (report, recipe) = rig.machine.check_recipe("park-high-grade-rate.toml", &wrong);
    assert!(report.has_errors() && recipe.is_none());
    assert_eq!(report.faults[0].file, "park-high-grade-rate.toml");
    let right = book.text.replace("\">=6.0\"", "\">=6.5\"");
    let (_, recipe) = rig.machine.check_recipe("park-high-grade-rate.toml", &right);
    let recipe = recipe.expect("it is right");
    let applied = rig
        .machine
        .apply_recipe(&by(), "park-high-grade-rate.toml", &right, Arc::clone(&recipe));
    applied.expect("the folder can be written");
    let wish = rig.attendant.wish().expect("it is on its way to the core");
    assert_eq!(wish.recipe.compiled.hash(), recipe.compiled.hash());
    assert_eq!(fs::read_to_string(&wish.path).expect("it is saved"), right);
    assert!(rig.attendant.wish().is_none());
    let names = rig.machine.recipes().expect("there is one").files;
    assert_eq!(names, ["park-high-grade-rate.toml"], "no trial is left behind");
}

#[test]
fn what_operators_change_is_on_the_trail() {
    let rig = Rig::new("trail");
    let note = Note {
        by: "li".to_owned(),
        from: "127.0.0.1".to_owned(),
        action: "recipe.apply",
        subject: "a.toml".to_owned(),
        before: "0".to_owned(),
        after: "1".to_owned(),
    };
    rig.machine.audit(&note).expect("it is kept");
    let page = rig.machine.audit_page(None, 10).expect("it can be read");
    let entry = &page.entries[0];
    assert_eq!((entry.by.as_str(), entry.from.as_str()), ("li", "127.0.0.1"));
    assert_eq!(
        (entry.action.as_str(), entry.subject.as_str()),
        ("recipe.apply", "a.toml")
    );
    assert!(rig.machine.audit_verify().expect("it can be read").holds);
}
