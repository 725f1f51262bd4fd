//! Scenario and rig files: those that are shipped are right, and what is wrong in others is pointed at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hil_tests::requirements;
use hil_tests::rig::{Engine, Rig};
use hil_tests::scenario::{self, Scenario, fault_names};
use hil_tests::verdict::Verdict;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn shipped() -> Vec<Scenario> {
    let files = scenario::files(&folder("scenarios")).expect("the folder is there");
    let load = |file: &PathBuf| Scenario::load(file).unwrap_or_else(|error| panic!("{error}"));
    files.iter().map(load).collect()
}

/// What is said of a scenario's text.
fn said(text: &str) -> String {
    let path = folder("scenarios/tried.toml");
    match Scenario::from_text(&path, text) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

const GOOD: &str = "kind = \"scenario\"\nabout = \"x\"\n[pearls]\nrate = 15\nseconds = 5\n";

#[test]
fn shipped_scenarios_cover_the_catalogue_and_the_requirements() {
    let all = shipped();
    assert!(all.len() >= 30, "{} scenarios", all.len());
    let text: String = scenario::files(&folder("scenarios"))
        .expect("there")
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("readable"))
        .collect();
    for fault in fault_names() {
        assert!(
            text.contains(&format!("fault = \"{fault}\"")),
            "no scenario has {fault}"
        );
    }
    let judged: BTreeSet<&str> = all
        .iter()
        .flat_map(|scenario| scenario.limits.iter().map(|limit| limit.requirement))
        .collect();
    // What recipes, store and page promise is held by their own tests; scenarios judge the line.
    let of_line = (1..=13).filter(|n| *n != 12).map(|n| format!("I{n}"));
    let performance = requirements::all()
        .iter()
        .filter(|requirement| requirement.id.starts_with('P'));
    let wanted: Vec<String> = of_line
        .chain(performance.map(|requirement| requirement.id.to_owned()))
        .collect();
    let missing: Vec<&String> = wanted.iter().filter(|id| !judged.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "no scenario judges {missing:?}");
    let canaries = all.iter().filter(|scenario| scenario.expect == Verdict::Failed).count();
    assert!(canaries >= 2, "{canaries} canaries");
}

#[test]
fn every_scenario_runs_on_a_rig_that_needs_no_hardware() {
    let rigs: Vec<Rig> = ["virtual", "pty"]
        .map(|name| Rig::load(&folder(&format!("rigs/{name}.toml"))).unwrap_or_else(|error| panic!("{error}")))
        .into();
    for scenario in shipped() {
        assert!(
            rigs.iter().any(|rig| rig.lacks(&scenario).is_none()),
            "{} runs nowhere",
            scenario.name
        );
    }
}

#[test]
fn every_shipped_rig_is_right() {
    for file in scenario::files(&folder("rigs")).expect("there") {
        let rig = Rig::load(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(!rig.about.is_empty());
        assert_eq!(
            rig.engine == Engine::Ports,
            !rig.ports.is_empty(),
            "{}: ports",
            rig.name
        );
    }
}

#[test]
fn an_unknown_fault_is_told_with_the_nearest_name_and_its_line() {
    let text = format!("{GOOD}\n[[fault]]\nfault = \"bytes-droped\"\nat-s = 1\n");
    let error = said(&text);
    assert!(
        error.contains("tried.toml:7: there is no fault \"bytes-droped\": write \"bytes-dropped\"?"),
        "{error}"
    );
}

#[test]
fn a_bin_that_the_recipe_lacks_is_told_with_those_that_it_has() {
    let fault = "\n[[fault]]\nfault = \"valve-stuck-open\"\nat-s = 1\nfor-s = 1\nlane = 3\nbin = 6\n";
    let error = said(&format!("{GOOD}{fault}"));
    assert!(
        error.contains("the recipe has no bin 6: it fills bins 1, 2, 3, 4, 5"),
        "{error}"
    );
    let action = "\n[[action]]\naction = \"inhibit\"\nat-s = 1\nbin = 9\n";
    assert!(said(&format!("{GOOD}{action}")).contains("the recipe has no bin 9"));
}

#[test]
fn whatever_else_is_wrong_is_pointed_at() {
    let with = |more: &str| said(&format!("{GOOD}\n{more}"));
    let fault = |keys: &str| with(&format!("[[fault]]\nat-s = 1\n{keys}\n"));
    for (error, part) in [
        (
            with("[limits]\nI99 = { upgraded-most = 0 }"),
            "no requirement has the number \"I99\"",
        ),
        (with("[limits]\nI1 = { upgradet-most = 0 }"), "write \"upgraded-most\"?"),
        (
            with("[limits]\nI1 = { upgraded = 0 }"),
            "write \"upgraded-most\" or \"upgraded-least\"",
        ),
        (
            fault("fault = \"link-cut\"\nfor-s = 1"),
            "the fault \"link-cut\" needs `board`",
        ),
        (
            fault("fault = \"link-cut\"\nfor-s = 1\nboard = \"C\""),
            "no board \"C\": it has A, B",
        ),
        (
            fault("fault = \"safety-open\"\nfor-s = 1\nlane = 2"),
            "takes no `lane`; it takes for-s",
        ),
        (
            fault("fault = \"cell-stuck\"\nfor-s = 1\nlane = 16"),
            "no lane 16: its lanes are 0 to 15",
        ),
        (
            fault("fault = \"bytes-flipped\"\nfor-s = 1\nboard = \"A\"\nshare = 2"),
            "share is 2, must be 0 to 1",
        ),
        (fault("fault = \"link-cut\"\nfor = 1"), "unknown field `for`"),
        (
            with("[[action]]\naction = \"hld\"\nat-s = 1"),
            "there is no action \"hld\": write \"hold\"?",
        ),
        (with("[line]\nconfig = \"none.toml\""), "none.toml"),
        (
            with("[line]\nspeed-m-s = 9"),
            "the belt's speed is 9, must be 0.05 to 3",
        ),
        (
            said(&format!("needs = [\"moon\"]\n{GOOD}")),
            "no rig knows the capability \"moon\"",
        ),
        (
            said(&format!("expect = \"error\"\n{GOOD}")),
            "can't be expected to be \"error\"",
        ),
        (
            said(&format!("broken = \"one-bin-down\"\n{GOOD}")),
            "write \"one-bin-up\"?",
        ),
        (
            said("kind = \"recipe\"\nabout = \"x\"\n[pearls]\nrate = 15\nseconds = 5\n"),
            "write kind = \"scenario\"",
        ),
        (said("kind = \"scenario\""), "missing field"),
    ] {
        assert!(error.contains(part), "{error:?} says nothing of {part:?}");
        assert!(error.contains("tried.toml"), "{error}");
    }
    assert_eq!(said(GOOD), "");
}
