//! The form of a recipe's file.
//!
//! Cold side, any thread.

use crate::figures::FIGURE_KEYS;
use crate::form::Kind::{Flag, Number, Numbers, OneOf, Table, Tables, Text, Whole};
use crate::form::{Form, Key, NAME, Need, optional, required};
use crate::standard::{CLASS_KEYS, PROPERTIES};

const CONDITIONS: usize = FIGURE_KEYS_LEN + PROPERTIES.len();
const FIGURE_KEYS_LEN: usize = line::grade::FIGURES.len();

/// Figures and classes together: what a bin can ask for.
static CONDITION_KEYS: [Key; CONDITIONS] = {
    let mut keys = [const { optional("", Text, "") }; CONDITIONS];
    let mut index = 0;
    while index < CONDITIONS {
        let key = if index < FIGURE_KEYS_LEN {
            &FIGURE_KEYS[index]
        } else {
            &CLASS_KEYS[index - FIGURE_KEYS_LEN]
        };
        keys[index] = Key {
            name: key.name,
            kind: key.kind,
            need: Need::Optional,
            says: key.says,
        };
        index += 1;
    }
    keys
};

/// The same keys, each with a guard.
static GUARD_KEYS: [Key; CONDITIONS] = {
    let mut keys = [const { optional("", Text, "") }; CONDITIONS];
    let mut index = 0;
    while index < CONDITIONS {
        let name = if index < FIGURE_KEYS_LEN {
            FIGURE_KEYS[index].name
        } else {
            CLASS_KEYS[index - FIGURE_KEYS_LEN].name
        };
        keys[index] = optional(name, GUARD, "Guard of this condition, in standard uncertainties.");
        index += 1;
    }
    keys
};

/// Guards: negative ones give the pearl the benefit of the doubt.
const GUARD: crate::form::Kind = Number(-6.0, 6.0);

/// The whole file.
pub(crate) static RECIPE: Form = Form {
    says: "A recipe: the bins in order; a pearl goes into the first whose conditions all hold.",
    keys: &[
        required("kind", OneOf(&["recipe"]), "Says that this is a recipe's file."),
        required("name", Table(&NAME), "The recipe's name."),
        required(
            "standard",
            Text,
            "The standard whose classes it names: a path from this file's folder.",
        ),
        required(
            "otherwise",
            OneOf(&["recirculate"]),
            "Where pearls go that no bin takes: round again.",
        ),
        optional(
            "rest-is-meant",
            Flag,
            "True when it is meant that pearls of a usual lot are taken by no bin.",
        ),
        optional("currency", Text, "Of the values, such as CNY."),
        optional(
            "doubt",
            Table(&DOUBT),
            "What is done with pearls that might not have earned a bin.",
        ),
        required("bin", Tables(&BIN), "The bins, first match wins."),
    ],
    shared: &[],
};

static DOUBT: Form = Form {
    says: "What is done with pearls that might not have earned a bin.",
    keys: &[
        optional(
            "guard-sigmas",
            GUARD,
            "Standard uncertainties by which every figure must be within its range.",
        ),
        optional(
            "cost-one-high",
            Number(0.001, 1e6),
            "What a pearl costs that is graded too high; with cost-one-low, in place of a guard.",
        ),
        optional(
            "cost-one-low",
            Number(0.001, 1e6),
            "What a pearl costs that is graded too low.",
        ),
        optional(
            "policy",
            OneOf(&["lower", "recirculate"]),
            "Where the doubtful go: into the next bin that they have earned (lower), or round again.",
        ),
        optional(
            "final-pass",
            Flag,
            "True for the last pass of a lot: nothing goes round for doubt.",
        ),
    ],
    shared: &[],
};

static BIN: Form = Form {
    says: "A bin with its conditions, which must all hold.",
    keys: &[
        required("bin", Whole(1, 64), "The machine's bin, from 1 in belt order."),
        required("name", Table(&NAME), "The grade's name."),
        optional("lanes", Numbers(63), "Lanes that it serves; without it, all."),
        optional("value-per-g", Number(0.0, 1e6), "Worth of a gram, for reports."),
        optional("value-per-pearl", Number(0.0, 1e6), "Worth of a pearl, for reports."),
        optional("guard-sigmas", GUARD, "Guard of this bin, in place of the recipe's."),
        optional(
            "guard",
            Table(&GUARDS),
            "Guards of single conditions, in place of the bin's.",
        ),
        optional("any-of", Tables(&ALTERNATIVE), "Alternatives of which one must hold."),
        optional(
            "everything",
            Flag,
            "True for a bin that takes what no bin before has taken.",
        ),
    ],
    shared: &CONDITION_KEYS,
};

static GUARDS: Form = Form {
    says: "Guards of single conditions.",
    keys: &[],
    shared: &GUARD_KEYS,
};

static ALTERNATIVE: Form = Form {
    says: "Conditions that must all hold.",
    keys: &[],
    shared: &CONDITION_KEYS,
};
