//! Recordings and replay, and recipes that change while the line runs, in virtual time: what was recorded comes again to the
//! byte, and no pearl is lost or graded twice however often recipes change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Cursor;
use std::sync::Arc;

use line::grade::{Doubt, Figures, Recipe, Verdict};
use line::{Cause, Destination, Input, Record};
use pearlsort::{recording, replay};
use sim::demo::{DemoOptions, Machine, machine};
use sim::digest::Digest;
use sim::virtual_time::{Listener, VirtualOptions, VirtualOutcome, run_heard};
use tape::tap::Tap;
use tape::{Ending, Reader, RecipeEntry, Writer};
use units::{HostUs, LaneId, TriggerSeq};
use wire::FromBoard;

const LANES: u8 = 16;

fn demo_machine() -> Machine {
    machine(LANES, DemoOptions::default())
}

fn options(pearls: u64) -> VirtualOptions {
    VirtualOptions {
        seed: 7,
        lanes: LANES,
        pearls,
        ..VirtualOptions::default()
    }
}

/// Records into memory, and changes the recipe now and then.
struct Recorder {
    writer: Writer<Vec<u8>>,
    tap: Tap,
    /// Recipes that are put in force in turn, so far apart, us.
    recipes: Vec<Arc<Recipe>>,
    every_us: i64,
    next_us: i64,
    swaps: usize,
    most_swaps: usize,
    in_force: u64,
    /// The recipe in force at each trigger, by its lane and number; a number comes again after 65,536 pearls.
    triggered: BTreeMap<(u8, TriggerSeq), VecDeque<(HostUs, u64)>>,
    records: Vec<Record>,
}

impl Recorder {
    fn new(machine: &Machine, recipes: Vec<Arc<Recipe>>, every_us: i64, most_swaps: usize) -> Self {
        let kept = recording::virtual_machine(LANES, DemoOptions::default());
        Self::of(machine, kept, recipes, (every_us, most_swaps))
    }

    fn of(
        machine: &Machine,
        kept: tape::Machine,
        recipes: Vec<Arc<Recipe>>,
        (every_us, most_swaps): (i64, usize),
    ) -> Self {
        let recipe = machine.recipe();
        let head = recording::head(kept, &machine.plan, recipe.hash());
        let mut writer = Writer::new(Vec::new(), &head, u64::MAX).expect("memory takes everything");
        let entries = recipes.iter().map(Arc::as_ref).chain([&recipe]);
        for recipe in entries {
            writer
                .recipe(&RecipeEntry::new(recipe, Doubt::default(), Vec::new()))
                .expect("memory takes everything");
        }
        Self {
            writer,
            tap: Tap::new(),
            recipes,
            every_us,
            next_us: every_us,
            swaps: 0,
            most_swaps,
            in_force: recipe.hash(),
            triggered: BTreeMap::new(),
            records: Vec::new(),
        }
    }

    fn end(self) -> Vec<u8> {
        let lost = self.tap.lost();
        self.writer.end(lost).expect("memory takes everything").1
    }
}

impl Listener for Recorder {
    fn before(&mut self, at: HostUs, input: &Input<'_>) {
        self.tap.hear(at, input, &mut self.writer);
        match input {
            Input::Recipe(recipe) => self.in_force = recipe.hash(),
            Input::Board {
                board,
                message: FromBoard::Trigger { eye, seq, .. },
            } => {
                let lane = board.0 * sim::demo::LANES_A_BOARD + eye.0;
                self.triggered
                    .entry((lane, *seq))
                    .or_default()
                    .push_back((at, self.in_force));
            }
            _ => {}
        }
    }

    fn after(&mut self, at: HostUs, digest: &Digest) {
        if self.tap.wants_check(at) {
            self.tap.check(at, digest.value(), &mut self.writer);
        }
    }

    fn recipe(&mut self, at: HostUs) -> Option<Arc<Recipe>> {
        if at.0 < self.next_us || self.swaps == self.most_swaps || self.recipes.is_empty() {
            return None;
        }
        self.next_us = at.0 + self.every_us;
        self.swaps += 1;
        Some(Arc::clone(&self.recipes[self.swaps % self.recipes.len()]))
    }

    fn record(&mut self, record: &Record) -> bool {
        self.records.push(*record);
        true
    }
}

/// The machine's recipe under other names, each with its bins turned by one more.
fn other_recipes(machine: &Machine, count: usize) -> Vec<Arc<Recipe>> {
    let rules = |turn: usize| {
        let mut rules = machine.rules.clone();
        let bins: Vec<_> = rules.iter().map(|rule| rule.bin).collect();
        for (n, rule) in rules.iter_mut().enumerate() {
            rule.bin = bins[(n + turn) % bins.len()];
        }
        rules
    };
    (1..=count)
        .map(|turn| Arc::new(Recipe::new(0x1000 + turn as u64, rules(turn))))
        .collect()
}

fn recorded(pearls: u64, swaps: usize, every_us: i64) -> (VirtualOutcome, Vec<Record>, Vec<u8>) {
    let machine = demo_machine();
    let mut recorder = Recorder::new(&machine, other_recipes(&machine, 5), every_us, swaps);
    let outcome = run_heard(&machine, &options(pearls), |_| {}, &mut recorder);
    let records = recorder.records.clone();
    (outcome, records, recorder.end())
}

fn replayed(bytes: &[u8]) -> (replay::Replayed, Vec<Record>) {
    let mut reader = Reader::new(Cursor::new(bytes)).expect("it is a recording");
    let plan = replay::plan_of(reader.head()).expect("this program makes the same plan");
    let mut records = Vec::new();
    let replayed = replay::run(&mut reader, plan, |record| records.push(*record)).expect("memory can be read");
    (replayed, records)
}

#[test]
fn a_replay_gives_the_same_orders_and_records_to_the_byte() {
    let (outcome, records, bytes) = recorded(3_000, 20, 1_000_000);
    let (replayed, again) = replayed(&bytes);
    assert_eq!(Some(format!("{:016x}", replayed.digest)), outcome.summary.digest);
    assert_eq!(again, records);
    assert!(replayed.is_same() && replayed.checks > 10, "{replayed:?}");
    assert!(
        records
            .iter()
            .map(|record| record.recipe)
            .collect::<BTreeSet<_>>()
            .len()
            > 4
    );
    assert_eq!(replayed.ending, Ending::Whole(tape::Totals::default()));
}

#[test]
fn a_line_that_weighs_by_samples_replays_to_the_byte() {
    let demo = DemoOptions {
        rate: 12.0,
        samples: true,
        ..DemoOptions::default()
    };
    let machine = machine(4, demo);
    let options = VirtualOptions {
        seed: 1,
        lanes: 4,
        rate: 12.0,
        samples: true,
        ..options(500)
    };
    let kept = recording::virtual_machine(4, demo);
    let mut recorder = Recorder::of(&machine, kept, Vec::new(), (1, 0));
    let outcome = run_heard(&machine, &options, |_| {}, &mut recorder);
    let records = recorder.records.clone();
    let (replayed, again) = replayed(&recorder.end());
    assert_eq!(Some(format!("{:016x}", replayed.digest)), outcome.summary.digest);
    assert_eq!(again, records);
    assert!(replayed.is_same(), "{replayed:?}");
    let weighed = records.iter().filter(|record| record.mass.is_some()).count();
    assert!(weighed > 400, "{weighed} of {} were weighed", records.len());
}

#[test]
fn a_recording_that_was_cut_replays_as_far_as_it_goes() {
    let (_, records, bytes) = recorded(1_000, 0, 1);
    for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let (replayed, again) = replayed(&bytes[..cut]);
        assert!(replayed.is_same(), "cut at {cut}: {replayed:?}");
        assert!(matches!(replayed.ending, Ending::Cut { .. }));
        assert_eq!(again, records[..again.len()], "cut at {cut}");
    }
}

/// An event that is changed, in a recording that is whole otherwise, is noticed by the checks.
#[test]
fn a_replay_of_other_events_is_told() {
    let machine = demo_machine();
    let mut recorder = Recorder::new(&machine, Vec::new(), 1, 0);
    let outcome = run_heard(&machine, &options(500), |_| {}, &mut recorder);
    let bytes = recorder.end();
    // Another recipe under the same name: what it grades differs.
    let mut reader = Reader::new(Cursor::new(&bytes)).expect("it is a recording");
    let mut writer = Writer::new(Vec::new(), reader.head(), u64::MAX).expect("memory takes everything");
    let other = Recipe::new(
        reader.head().recipe,
        other_recipes(&machine, 1)[0].rows().iter().map(plain).collect(),
    );
    writer
        .recipe(&RecipeEntry::new(&other, Doubt::default(), Vec::new()))
        .expect("memory takes everything");
    let head_bytes = bytes.len();
    reader.begin().expect("memory can be read");
    let mut tap = Tap::new();
    while let Some((at, event)) = reader.next_event().expect("memory can be read") {
        match event {
            tape::Event::Check(digest) => tap.check(at, digest, &mut writer),
            tape::Event::Board { board, message } => tap.hear(at, &Input::Board { board, message }, &mut writer),
            tape::Event::LinkUp { board, identity } => tap.hear(at, &Input::LinkUp { board, identity }, &mut writer),
            tape::Event::LinkDown { board, cause } => tap.hear(at, &Input::LinkDown { board, cause }, &mut writer),
            tape::Event::Command(command) => tap.hear(at, &Input::Command(command), &mut writer),
            tape::Event::Model { lane, model } => tap.hear(at, &Input::Model { lane, model: &model }, &mut writer),
            tape::Event::Clock => tap.hear(at, &Input::Clock, &mut writer),
            tape::Event::Recipe(_) | tape::Event::Lost(_) => panic!("the run had none"),
        }
    }
    let (_, changed) = writer.end(0).expect("memory takes everything");
    assert!(changed.len().abs_diff(head_bytes) < 4_096, "the same events");
    let (replayed, _) = replayed(&changed);
    assert!(replayed.differs_at.is_some() && !replayed.is_same());
    assert_ne!(Some(format!("{:016x}", replayed.digest)), outcome.summary.digest);
}

fn plain(row: &line::grade::Row) -> line::grade::Rule {
    line::grade::Rule {
        bin: row.bin,
        ranges: row.terms.iter().map(|term| term.range).collect(),
    }
}

#[test]
fn ten_thousand_changes_of_the_recipe_lose_no_pearl_and_grade_none_twice() {
    const SWAPS: usize = 10_000;
    let machine = demo_machine();
    // 25 a second: a pearl that waits for its mass has seen three or four, which the core has room for.
    let mut recorder = Recorder::new(&machine, other_recipes(&machine, 5), 40_000, SWAPS);
    let outcome = run_heard(&machine, &options(97_500), |_| {}, &mut recorder);
    assert_eq!(recorder.swaps, SWAPS);
    let summary = &outcome.summary;
    assert!(outcome.complete);
    // A pearl may fall off the belt by its nature; its record must say so.
    assert_eq!((summary.unaccounted, summary.lost_wrong, summary.misrouted), (0, 0, 0));
    let accounts = &outcome.accounts;
    assert_eq!(
        accounts.entered,
        accounts.binned_total() + accounts.recirculated_total() + accounts.lost
    );
    let pearls: BTreeSet<_> = recorder.records.iter().map(|record| record.pearl).collect();
    assert_eq!(
        (pearls.len(), pearls.len() as u64),
        (recorder.records.len(), accounts.entered)
    );
    let known: Vec<_> = recorder
        .recipes
        .iter()
        .cloned()
        .chain([Arc::new(machine.recipe())])
        .collect();
    let mut hashes = BTreeSet::new();
    let mut binned = 0;
    for record in &recorder.records {
        let LaneId(lane) = record.lane;
        let at_trigger = recorder
            .triggered
            .get_mut(&(lane, record.seq))
            .and_then(VecDeque::pop_front);
        let (_, hash) = at_trigger.expect("each record has a trigger of its own");
        assert_eq!(
            record.recipe, hash,
            "pearl {:?} was graded by another recipe",
            record.pearl
        );
        hashes.insert(hash);
        if let Destination::Bin(bin) = record.sent {
            let recipe = known.iter().find(|recipe| recipe.hash() == hash);
            let figures = Figures {
                view: record.view.as_ref(),
                mass: record.mass,
            };
            let verdict = recipe.map(|recipe| recipe.grade(record.lane, figures));
            assert_eq!(verdict, Some(Verdict::Bin(bin)), "{record:?}");
            binned += 1;
        }
    }
    assert!(binned > 75_000, "{binned} pearls were binned");
    assert_eq!(accounts.recirculated(Cause::Overflow), 0);
    assert!(hashes.len() >= 5, "{hashes:x?}");
}
