//! A compiled recipe says what a plain reading of its rows says, and doubt is dealt with as its policy has it.

use units::{LaneId, Micrograms};

use super::test_support::{Chance, round};
use super::*;

/// Pearls in the short run; `PEARLSORT_LONG=1` takes a million.
fn pearls() -> usize {
    if std::env::var_os("PEARLSORT_LONG").is_some() {
        1_000_000
    } else {
        60_000
    }
}

#[test]
fn a_compiled_recipe_says_what_a_plain_reading_says() {
    let mut chance = Chance(0x5045_4152_4C53);
    let doubts = [Doubt::Lower, Doubt::Recirculate, Doubt::FinalPass];
    let (mut binned, mut doubted, mut compiled) = (0, 0, 0);
    let recipes = pearls() / 100;
    for number in 0..recipes {
        let (most_rows, most_terms) = [(4, 3), (64, 4), (256, 6)][number % 3];
        let rows = chance.rows(most_rows, most_terms);
        let recipe = match Recipe::compile(number as u64, rows, doubts[number / 3 % 3]) {
            Ok(recipe) => recipe,
            Err(CompileError::Tables(_)) => continue,
            Err(error) => panic!("{error}"),
        };
        compiled += 1;
        for _ in 0..100 {
            let (view, mass) = chance.pearl();
            let figures = Figures {
                view: (chance.below(50) > 0).then_some(&view),
                mass,
            };
            let lane = LaneId(chance.below(64) as u8);
            let verdict = recipe.grade(lane, figures);
            assert_eq!(
                verdict,
                recipe.grade_plainly(lane, figures),
                "recipe {number}: {figures:?}\n{:#?}",
                recipe.rows
            );
            binned += usize::from(matches!(verdict, Verdict::Bin(_)));
            doubted += usize::from(verdict == Verdict::Recirculate(Cause::Doubt));
        }
    }
    assert!(
        compiled * 2 > recipes,
        "{compiled} of {recipes} recipes could be compiled"
    );
    assert!(
        binned * 5 > compiled * 100 && doubted > compiled / 2,
        "a test of nothing: {binned} binned, {doubted} doubted"
    );
}

fn range(figure: Figure, least: i32, most: i32) -> Range {
    Range { figure, least, most }
}

fn row(bin: u8, guard: i32, ranges: &[Range]) -> Row {
    let terms = ranges.iter().map(|range| Term { range: *range, guard }).collect();
    Row {
        bin: BinId(bin),
        lanes: u64::MAX,
        terms,
    }
}

/// Two bins by size, 7.0 to 7.5 and 6.5 to 7.0, both with a guard of two sigmas.
fn two_sizes(doubt: Doubt) -> Recipe {
    let rows = vec![
        row(0, 2_000, &[range(Figure::DiameterUm, 7_000, 7_500)]),
        row(1, 2_000, &[range(Figure::DiameterUm, 6_500, i32::MAX)]),
    ];
    Recipe::compile(1, rows, doubt).expect("two rows")
}

fn graded(recipe: &Recipe, diameter_um: u16) -> Verdict {
    let view = round(diameter_um);
    recipe.grade(
        LaneId(0),
        Figures {
            view: Some(&view),
            mass: None,
        },
    )
}

#[test]
fn a_doubtful_pearl_goes_to_the_next_bin_that_it_has_earned() {
    let recipe = two_sizes(Doubt::Lower);
    // u is 10 um: two sigmas are 20.
    assert_eq!(graded(&recipe, 7_020), Verdict::Bin(BinId(0)));
    assert_eq!(graded(&recipe, 7_019), Verdict::Bin(BinId(1)));
    assert_eq!(graded(&recipe, 6_520), Verdict::Bin(BinId(1)));
    assert_eq!(graded(&recipe, 6_519), Verdict::Recirculate(Cause::Doubt));
    assert_eq!(graded(&recipe, 6_499), Verdict::Recirculate(Cause::NoBin));
}

#[test]
fn by_its_policy_a_recipe_sends_the_doubtful_round_again() {
    let recipe = two_sizes(Doubt::Recirculate);
    assert_eq!(graded(&recipe, 7_020), Verdict::Bin(BinId(0)));
    assert_eq!(graded(&recipe, 7_019), Verdict::Recirculate(Cause::Doubt));
    assert_eq!(graded(&recipe, 6_980), Verdict::Bin(BinId(1)));
}

#[test]
fn a_final_pass_recirculates_nothing_for_doubt() {
    let recipe = two_sizes(Doubt::FinalPass);
    for diameter_um in 6_500..7_600 {
        assert!(
            matches!(graded(&recipe, diameter_um), Verdict::Bin(_)),
            "{diameter_um} um"
        );
    }
    assert_eq!(graded(&recipe, 6_510), Verdict::Bin(BinId(1)));
    assert_eq!(graded(&recipe, 6_499), Verdict::Recirculate(Cause::NoBin));
}

#[test]
fn a_negative_guard_gives_the_pearl_the_benefit_of_the_doubt() {
    let rows = vec![row(0, -1_000, &[range(Figure::DiameterUm, 7_000, 7_500)])];
    let recipe = Recipe::compile(1, rows, Doubt::Lower).expect("one row");
    assert_eq!(graded(&recipe, 6_990), Verdict::Bin(BinId(0)));
    assert_eq!(graded(&recipe, 6_989), Verdict::Recirculate(Cause::NoBin));
    assert_eq!(graded(&recipe, 7_509), Verdict::Bin(BinId(0)));
}

#[test]
fn a_range_of_hue_crosses_zero() {
    let rows = vec![row(0, 1_000, &[range(Figure::Hue, 34_000, 2_000)])];
    let recipe = Recipe::compile(1, rows, Doubt::Lower).expect("one row");
    let verdict = |a: i16, b: i16, u_lab: u16| {
        let mut view = round(7_000);
        (view.lab_a, view.lab_b, view.u_lab) = (a, b, u_lab);
        recipe.grade(
            LaneId(0),
            Figures {
                view: Some(&view),
                mass: None,
            },
        )
    };
    assert_eq!(verdict(1_000, 10, 50), Verdict::Bin(BinId(0)));
    assert_eq!(verdict(1_000, -10, 50), Verdict::Bin(BinId(0)));
    assert_eq!(verdict(0, 1_000, 50), Verdict::Recirculate(Cause::NoBin));
    assert_eq!(
        verdict(10, 0, 50),
        Verdict::Recirculate(Cause::Doubt),
        "the hue of a grey says nothing"
    );
}

#[test]
fn a_figure_that_was_not_measured_earns_nothing() {
    let rules = vec![Rule {
        bin: BinId(0),
        ranges: vec![range(Figure::MassUg, 0, i32::MAX)],
    }];
    let recipe = Recipe::new(7, rules);
    assert_eq!(
        recipe.needs(LaneId(3)),
        Needs {
            view: false,
            mass: true
        }
    );
    let view = round(7_000);
    let mut figures = Figures {
        view: Some(&view),
        mass: None,
    };
    assert_eq!(recipe.grade(LaneId(3), figures), Verdict::Recirculate(Cause::NoBin));
    figures.mass = Some(MassFigure {
        mass: Micrograms(1),
        u: Micrograms(0),
    });
    assert_eq!(recipe.grade(LaneId(3), figures), Verdict::Bin(BinId(0)));
}

#[test]
fn lanes_can_differ() {
    let mut rows = vec![
        row(0, 0, &[range(Figure::DiameterUm, 7_000, 8_000)]),
        row(1, 0, &[range(Figure::MassUg, 0, i32::MAX)]),
    ];
    (rows[0].lanes, rows[1].lanes) = (0b01, 0b10);
    let recipe = Recipe::compile(1, rows, Doubt::Lower).expect("two rows");
    assert_eq!(
        recipe.needs(LaneId(0)),
        Needs {
            view: true,
            mass: false
        }
    );
    assert_eq!(
        recipe.needs(LaneId(1)),
        Needs {
            view: false,
            mass: true
        }
    );
    let view = round(7_500);
    let figures = Figures {
        view: Some(&view),
        mass: Some(MassFigure {
            mass: Micrograms(9),
            u: Micrograms(0),
        }),
    };
    let verdicts = [0, 1, 2].map(|lane| recipe.grade(LaneId(lane), figures));
    let none = Verdict::Recirculate(Cause::NoBin);
    assert_eq!(verdicts, [Verdict::Bin(BinId(0)), Verdict::Bin(BinId(1)), none]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let many = vec![row(0, 0, &[range(Figure::DiameterUm, 0, 1)]); ROWS + 1];
    assert_eq!(
        Recipe::compile(1, many, Doubt::Lower),
        Err(CompileError::Rows(ROWS + 1))
    );
    let guards = (0..50)
        .map(|guard| row(0, guard, &[range(Figure::DiameterUm, 0, 1)]))
        .collect();
    assert_eq!(Recipe::compile(1, guards, Doubt::Lower), Err(CompileError::Tables(50)));
    let wide = vec![row(0, 0, &[range(Figure::Hue, 0, 27_001)])];
    assert_eq!(
        Recipe::compile(1, wide, Doubt::Lower),
        Err(CompileError::Angle(Figure::Hue))
    );
}
