//! Runs in virtual time: verdicts, canaries, broken cores, seeds that give their run again, and what is written of it all.

use std::path::{Path, PathBuf};

use hil_tests::broken::Break;
use hil_tests::manifest::Manifest;
use hil_tests::random;
use hil_tests::report::{Cell, Report, html, junit, table};
use hil_tests::rig::Rig;
use hil_tests::rigs::daemon::Scratch;
use hil_tests::runner::{self, Outcome, Plan};
use hil_tests::scenario::{Scenario, name_of};
use hil_tests::verdict::Verdict;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn plan(scenarios: &[&str]) -> Plan {
    let load = |name: &&str| {
        let path = file(&format!("scenarios/{name}.toml"));
        (name_of(&path), Scenario::load(&path))
    };
    Plan {
        rig: Rig::load(&file("rigs/virtual.toml")).expect("a rig"),
        scenarios: scenarios.iter().map(load).collect(),
        skipped: Vec::new(),
        seed: None,
        repeat: 1,
        trace: None,
        breaks: None,
        program: PathBuf::new(),
        jobs: Some(2),
    }
}

fn report(plan: &Plan) -> Report {
    let (outcomes, skipped) = runner::run(plan, |_| {});
    Report {
        manifest: Manifest::of(&plan.rig, &[&file("config/line.toml")], &[]),
        outcomes,
        skipped,
    }
}

#[test]
fn good_runs_pass_and_a_file_that_is_wrong_is_an_error_and_the_rest_goes_on() {
    let mut plan = plan(&["valve-stuck-open", "bytes-flipped", "disk-full"]);
    let wrong = Scenario::from_text(&file("scenarios/wrong.toml"), "kind = 1");
    plan.scenarios.insert(1, ("wrong".to_owned(), wrong));
    let report = report(&plan);
    let verdicts: Vec<(&str, Verdict)> = report
        .outcomes
        .iter()
        .map(|outcome| (outcome.scenario.as_str(), outcome.verdict))
        .collect();
    let expected = [
        ("valve-stuck-open", Verdict::Passed),
        ("wrong", Verdict::Error),
        ("bytes-flipped", Verdict::Passed),
    ];
    assert_eq!(verdicts, expected, "{}", table(&report));
    assert_eq!(report.skipped[0].why, "needs disk");
    assert_eq!(Outcome::worst(&report.outcomes), Verdict::Error);
    assert_eq!((Verdict::Failed.exit_code(), Verdict::Error.exit_code()), (1, 69));
}

#[test]
fn a_canary_fails_as_it_must_and_one_that_passes_is_a_failure() {
    let mut plan = plan(&["canary-broken-core", "canary-valve"]);
    let good = report(&plan);
    assert!(good.outcomes.iter().all(Outcome::is_canary), "{}", table(&good));
    assert_eq!(good.cell("I1", "canary-broken-core"), Cell::Canary);
    // The same scenario with a core that is whole: a runner that let it pass would check nothing.
    for (_, scenario) in &mut plan.scenarios {
        let scenario = scenario.as_mut().expect("a scenario");
        scenario.breaks = None;
        scenario.faults.faults.clear();
    }
    let bad = report(&plan);
    assert!(
        bad.outcomes.iter().all(|outcome| outcome.verdict == Verdict::Failed),
        "{}",
        table(&bad)
    );
}

#[test]
fn broken_cores_are_found_out_and_the_seed_shows_it_again() {
    let mut plan = plan(&["valve-stuck-open", "link-cut"]);
    for (breaks, found_by) in [
        (Break::OneBinUp, "valve-stuck-open"),
        (Break::OrdersLate, "link-cut"),
        (Break::LinkRecordsLost, "link-cut"),
    ] {
        plan.breaks = Some(breaks);
        let first = report(&plan);
        let outcome = first.outcomes.iter().find(|outcome| outcome.scenario == found_by);
        let outcome = outcome.expect("it was run");
        assert_eq!(outcome.verdict, Verdict::Failed, "{breaks:?} is not found out");
        plan.seed = Some(outcome.seed);
        let again = report(&plan);
        let again = again.outcomes.iter().find(|outcome| outcome.scenario == found_by);
        let again = again.expect("it was run");
        assert_eq!(
            (&outcome.findings, &outcome.messages),
            (&again.findings, &again.messages)
        );
        plan.seed = None;
    }
}

#[test]
fn a_broken_core_fails_at_random_timetables_and_a_whole_one_does_not() {
    let base = Scenario::load(&file("scenarios/nominal.toml")).expect("a scenario");
    let (bad, pearls) = random::run(&base, 1, 24, None, 2, |_| {});
    assert!(
        bad.is_empty(),
        "{:?}",
        bad.iter().map(|shown| (shown.seed, &shown.broken)).collect::<Vec<_>>()
    );
    assert!(pearls > 24 * 1_500, "{pearls} pearls");
    let (bad, _) = random::run(&base, 1, 24, Some(Break::LinkRecordsLost), 2, |_| {});
    assert!(!bad.is_empty() && bad.len() < 24, "{} of 24 are found out", bad.len());
    let again = random::run_seed(&base, bad[0].seed, Some(Break::LinkRecordsLost));
    assert_eq!(
        (&again.broken, &again.complaints, &again.digest),
        (&bad[0].broken, &bad[0].complaints, &bad[0].digest)
    );
}

#[test]
fn traces_and_reports_are_written_whole() {
    let mut plan = plan(&["bytes-flipped", "program-killed"]);
    let scratch = Scratch::new("traces").expect("a folder");
    plan.trace = Some(scratch.path().to_owned());
    let report = report(&plan);
    let vcd = std::fs::read_to_string(scratch.file("bytes-flipped-1.vcd")).expect("a trace");
    assert!(vcd.starts_with("$version") && vcd.lines().count() > 5_000);
    let csv = std::fs::read_to_string(scratch.file("bytes-flipped-1.csv")).expect("a trace");
    for kind in ["eye", "valve", "order", "encoder"] {
        assert!(csv.contains(&format!(",{kind},")), "no {kind} in the trace");
    }
    let times: Vec<u64> = csv
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next()?.parse().ok())
        .collect();
    assert!(times.len() > 1_000 && times.is_sorted());
    let (xml, page) = (junit(&report), html(&report));
    assert!(xml.contains("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"1\"") && xml.contains("name=\"kernel\""));
    assert!(page.contains("bytes-flipped") && page.contains("needs program") && page.contains("I13"));
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["outcomes"][0]["verdict"], "passed");
}
