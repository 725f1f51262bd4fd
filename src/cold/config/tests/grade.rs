//! What recipes and standards say of pearls: the compiled recipe against a plain reading, and the edges of every shape class.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Answer, Lot, Recipe, Standard, load_standard, recipe_from_text};
use line::MassFigure;
use line::grade::{Figures, Verdict};
use units::{BinId, LaneId, Micrograms};
use wire::Measurement;

fn config_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../config")
}

fn standard(name: &str) -> Arc<Standard> {
    let path = config_folder().join("standards").join(name);
    Arc::new(load_standard(&path).unwrap_or_else(|report| panic!("{report}")))
}

fn recipe(text: &str, standard: &Arc<Standard>) -> Recipe {
    recipe_from_text("test.toml", text, standard).unwrap_or_else(|report| panic!("{report}\n{text}"))
}

/// Numbers at random, always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// One condition as it stands in a file.
    fn condition(&mut self) -> &'static str {
        self.one(&[
            "diameter-mm = \"6..8\"",
            "diameter-mm = \">=6.5\"",
            "largest-mm = \"<9\"",
            "ddp-percent = \"<=8\"",
            "mass-g = \"0.1..0.9\"",
            "density-g-cm3 = \"2.6..2.8\"",
            "lab-l = \">=70\"",
            "hue-degrees = \"300..60\"",
            "shape = [\"A1\", \"A2\"]",
            "shape = [\"A1\", \"B1\", \"D\"]",
            "shape = [\"B1\", \"B2\", \"C1\", \"C2\"]",
            "lustre = \">=B\"",
            "lustre = [\"A\", \"C\"]",
            "surface = \">=C\"",
            "colour = [\"white\", \"red\"]",
            "colour = [\"other\"]",
            "shade = [\"cream\", \"pink\"]",
            "overtone = [\"pink\", \"green\"]",
            "grade = [\"jewellery\"]",
            "grade = [\"craft\"]",
        ])
    }

    /// Conditions of different keys.
    fn conditions(&mut self, most: usize) -> Vec<&'static str> {
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..=self.below(most) {
            let condition = self.condition();
            let key = condition.split(' ').next();
            if chosen.iter().all(|other| other.split(' ').next() != key) {
                chosen.push(condition);
            }
        }
        chosen
    }

    fn recipe(&mut self) -> String {
        let mut text = String::from(
            "kind = \"recipe\"\nname = { zh = \"试\", en = \"test\" }\nstandard = \"s\"\notherwise = \"recirculate\"\n",
        );
        let doubt = self.one(&[
            "",
            "[doubt]\nguard-sigmas = 1.5\n",
            "[doubt]\nguard-sigmas = 2\npolicy = \"recirculate\"\n",
            "[doubt]\ncost-one-high = 3\ncost-one-low = 1\nfinal-pass = true\n",
            "[doubt]\ncost-one-high = 1\ncost-one-low = 3\n",
        ]);
        text.push_str(doubt);
        for bin in 1..=3 + self.below(10) {
            writeln!(
                text,
                "[[bin]]\nbin = {bin}\nname = {{ zh = \"{bin}\", en = \"{bin}\" }}"
            )
            .expect("a text");
            let conditions = self.conditions(4);
            for condition in &conditions {
                writeln!(text, "{condition}").expect("a text");
            }
            if self.below(4) == 0 {
                let alternatives =
                    [self.conditions(2), self.conditions(2)].map(|list| format!("{{ {} }}", list.join(", ")));
                writeln!(text, "any-of = [{}]", alternatives.join(", ")).expect("a text");
            }
            if self.below(4) == 0 {
                writeln!(text, "lanes = \"0-3\"").expect("a text");
            }
            if self.below(4) == 0 {
                let key = conditions[0].split(' ').next().expect("a key");
                writeln!(text, "guard = {{ {key} = 0.5 }}").expect("a text");
            }
        }
        text
    }
}

/// `PEARLSORT_LONG=1` takes a million pearls.
#[test]
fn a_compiled_recipe_says_what_a_plain_reading_of_its_bins_says() {
    let pearls = if std::env::var_os("PEARLSORT_LONG").is_some() {
        1_000_000
    } else {
        20_000
    };
    let standard = standard("gbt-18781-freshwater.toml");
    let mut chance = Chance(0x2545_F491_4F6C_DD1D);
    let mut lot = Lot::new(7);
    let (mut tried, mut binned) = (0, 0);
    while tried < pearls {
        let text = chance.recipe();
        // Bins at random may exclude themselves, or repeat one another: such recipes are refused.
        let Ok(recipe) = recipe_from_text("test.toml", &text, &standard) else {
            continue;
        };
        for _ in 0..100 {
            let (view, mass) = lot.next().expect("a lot has no end").measured;
            let figures = Figures {
                view: Some(&view),
                mass: (chance.below(20) > 0).then_some(mass),
            };
            let lane = LaneId(chance.below(8) as u8);
            let verdict = recipe.compiled.grade(lane, figures);
            assert_eq!(verdict, recipe.grade_plainly(lane, figures), "{figures:?}\n{text}");
            binned += usize::from(matches!(verdict, Verdict::Bin(_)));
            tried += 1;
        }
    }
    assert!(binned * 4 > tried, "a test of nothing: {binned} of {tried}");
}

/// A pearl of these axes, um, with an outline and ends as of an ellipsoid.
fn pearl(largest: u16, middle: u16, smallest: u16) -> Measurement {
    let (mut view, _) = Lot::new(1).next().expect("a lot has no end").truth;
    (view.d_max_um, view.d_mid_um, view.d_min_um) = (largest, middle, smallest);
    (view.residual_um, view.taper) = (10, 100);
    view
}

/// A pearl of about 10 mm whose diameter difference is this, in 0.01 %.
fn with_ddp(ddp: u16, flat: bool) -> Measurement {
    let of = |most: &u16| line::grade::ddp(*most, 10_000) >= i32::from(ddp);
    let most = (10_000..13_000).find(of).expect("it is less than a quarter");
    // the smallest may have to give way by some um until the hundredth is met
    let exact = |least: &u16| line::grade::ddp(most, *least) == i32::from(ddp);
    let least = (9_990..10_010)
        .find(exact)
        .expect("a micrometre is less than a hundredth");
    pearl(most, if flat { most } else { least }, least)
}

fn shape(standard: &Standard, view: &Measurement) -> String {
    standard
        .classify(
            "shape",
            Figures {
                view: Some(view),
                mass: None,
            },
        )
        .join("+")
}

#[test]
fn every_shape_class_is_right_at_and_on_both_sides_of_its_edges() {
    // Each edge in 0.01 %: the class a hundredth below and at the edge, and a hundredth above, oval and flat.
    type Edges<'a> = &'a [(u16, &'a str, &'a str, bool)];
    let freshwater: Edges<'_> = &[
        (300, "A1", "A2", false),
        (800, "A2", "A3", false),
        (1_200, "A3", "B1", false),
        (2_000, "B1", "B2", false),
        (300, "A1", "A2", true),
        (1_200, "A3", "C1", true),
        (2_000, "C1", "C2", true),
    ];
    let seawater: Edges<'_> = &[
        (100, "A1", "A2", false),
        (500, "A2", "A3", false),
        (1_000, "A3", "B", false),
        (1_000, "A3", "C", true),
    ];
    for (file, edges) in [
        ("gbt-18781-freshwater.toml", freshwater),
        ("gbt-18781-seawater.toml", seawater),
    ] {
        let standard = standard(file);
        for (edge, at, above, flat) in edges {
            for (off, expected) in [(-1, at), (0, at), (1, above)] {
                let view = with_ddp(edge.saturating_add_signed(off), *flat);
                let ddp = line::grade::ddp(view.d_max_um, view.d_min_um);
                assert_eq!(ddp, i32::from(*edge) + i32::from(off));
                assert_eq!(shape(&standard, &view), **expected, "{file}: {ddp} in 0.01 %");
            }
        }
    }
}

#[test]
fn where_the_middle_axis_lies_tells_oval_from_flat_at_its_edge() {
    for (file, oval, flat) in [
        ("gbt-18781-freshwater.toml", "B1", "C1"),
        ("gbt-18781-seawater.toml", "B", "C"),
    ] {
        let standard = standard(file);
        // 11.5 and 10 mm: 14 %; 10.75 lies half-way
        for (middle, class) in [(10_749, oval), (10_750, flat), (10_751, flat)] {
            assert_eq!(
                shape(&standard, &pearl(11_500, middle, 10_000)),
                class,
                "{file}: {middle} um"
            );
        }
    }
}

#[test]
fn what_no_ellipsoid_fits_is_baroque_and_unlike_ends_make_a_drop() {
    for file in ["gbt-18781-freshwater.toml", "gbt-18781-seawater.toml"] {
        let standard = standard(file);
        // residual in um of 7 mm, taper in 0.01 %: 1.5 % and 10 % at and on both sides of the edge
        for (residual_um, taper, class) in [
            (104, 0, "A1"),
            (105, 0, "D"),
            (106, 0, "D"),
            (0, 999, "A1"),
            (0, 1_000, "drop"),
            (0, 1_001, "drop"),
            (105, 1_000, "D"),
        ] {
            let mut view = pearl(7_000, 7_000, 7_000);
            (view.residual_um, view.taper) = (residual_um, taper);
            assert_eq!(shape(&standard, &view), class, "{file}: {residual_um} um, {taper}");
        }
    }
}

#[test]
fn every_pearl_has_one_class_of_each_property() {
    for file in [
        "gbt-18781-freshwater.toml",
        "gbt-18781-seawater.toml",
        "gia.toml",
        "tahiti.toml",
    ] {
        let standard = standard(file);
        for pearl in Lot::new(3).take(3_000) {
            let (mut view, mass) = pearl.measured;
            view.nacre_um = Some(450);
            let figures = Figures {
                view: Some(&view),
                mass: Some(mass),
            };
            for property in [
                "size", "shape", "lustre", "surface", "nacre", "colour", "overtone", "grade",
            ] {
                let classes = standard.classify(property, figures);
                let has_any = standard.classes(property).next().is_some();
                assert_eq!(
                    classes.len(),
                    usize::from(has_any),
                    "{file}: {property} of {view:?} is {classes:?}"
                );
            }
        }
    }
}

const TWO_BINS: &str = r#"
kind = "recipe"
name = { zh = "试", en = "test" }
standard = "s"
otherwise = "recirculate"
doubt = { guard-sigmas = 2 }
[[bin]]
bin = 1
name = { zh = "一", en = "first" }
diameter-mm = ">=7"
lustre = ">=B"
[[bin]]
bin = 2
name = { zh = "二", en = "second" }
mass-g = ">=0.1"
"#;

#[test]
fn an_explanation_names_the_condition_that_decided() {
    let recipe = recipe(TWO_BINS, &standard("gbt-18781-freshwater.toml"));
    let mut view = pearl(7_015, 7_015, 7_015);
    (view.u_diameter_um, view.lustre, view.u_lustre) = (10, 7_000, 100);
    let mass = MassFigure {
        mass: Micrograms(480_000),
        u: Micrograms(500),
    };
    let (verdict, bins) = recipe.explain(
        LaneId(0),
        Figures {
            view: Some(&view),
            mass: Some(mass),
        },
    );
    assert_eq!(verdict, Verdict::Bin(BinId(1)));
    let answers: Vec<_> = bins[0].conditions.iter().map(|c| (c.key, c.answer)).collect();
    assert_eq!(answers, [("diameter-mm", Answer::Doubtful), ("lustre", Answer::Holds)]);
    assert_eq!(bins[0].conditions[0].figures, "diameter-mm 7.015 mm (u 0.01 mm)");
    let (_, bins) = recipe.explain(
        LaneId(0),
        Figures {
            view: Some(&view),
            mass: None,
        },
    );
    assert_eq!(bins[1].conditions[0].answer, Answer::Missing);
}

#[test]
fn a_guard_moves_pearls_and_makes_fewer_of_them_wrong_upwards() {
    let standard = standard("gbt-18781-freshwater.toml");
    let shares = |guard: &str| {
        let text = TWO_BINS.replace("guard-sigmas = 2", guard);
        recipe(&text, &standard).doubt_shares(LaneId(0), 5, 20_000)
    };
    let (none, two) = (shares("guard-sigmas = 0"), shares("guard-sigmas = 2"));
    assert_eq!(none.moved, 0);
    assert!(two.moved > 0 && two.wrong_up * 10 < none.wrong_up, "{none:?} {two:?}");
    assert!(two.wrong_down > none.wrong_down, "{none:?} {two:?}");
}

#[test]
fn a_recipes_name_follows_its_text_and_its_standard() {
    let (freshwater, gia) = (
        standard("gbt-18781-freshwater.toml"),
        standard("gbt-18781-seawater.toml"),
    );
    let one = recipe(TWO_BINS, &freshwater);
    assert_eq!(one.hash_name(), recipe(TWO_BINS, &freshwater).hash_name());
    assert_ne!(one.hash_name(), recipe(TWO_BINS, &gia).hash_name());
    assert_ne!(
        one.hash_name(),
        recipe(&TWO_BINS.replace(">=7", ">=7.1"), &freshwater).hash_name()
    );
}

#[test]
fn more_alternatives_than_fit_are_refused_at_once() {
    let standard = standard("gbt-18781-freshwater.toml");
    let many = "shape = [\"A1\", \"B1\", \"C2\", \"D\"], colour = [\"white\", \"red\", \"other\"], lustre = [\"A\", \"C\"], \
                surface = [\"A\", \"C\", \"E\"], overtone = [\"pink\", \"green\"], grade = [\"craft\"]";
    let text = TWO_BINS.replace("mass-g = \">=0.1\"", &format!("any-of = [{{ {many} }}]"));
    let report = recipe_from_text("test.toml", &text, &standard).expect_err("it has thousands of alternatives");
    assert!(
        report.faults[0].message.contains("more than 256 combinations"),
        "{report}"
    );
}
