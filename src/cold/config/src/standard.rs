//! Standards: what the trade calls a pearl by its figures. Every threshold, the edition and how sure each is stand in a
//! file of `config/standards`; nothing is compiled in.
//!
//! Cold side, any thread. Words: a **property** is what is classed (shape, lustre, ...); the classes of an **ordered** property
//! are listed best first, so that `">=B"` means B and all listed before it.

use std::path::Path;

use line::grade::{FIGURES, Range};

use crate::Name;
use crate::figures::FIGURE_KEYS;
use crate::form::Kind::{Classes, OneOf, Table, Tables, Text};
use crate::form::{Form, Key, NAME, optional, required};
use crate::limits::CLASSES;
use crate::nearest::nearest;
use crate::reader::{Node, Place};
use crate::region::Region;
use crate::report::Report;
use crate::source::Source;

/// A property, and whether its classes are ordered.
pub(crate) const PROPERTIES: [(&str, bool); 9] = [
    ("size", false),
    ("shape", false),
    ("lustre", true),
    ("surface", true),
    ("nacre", true),
    ("colour", false),
    ("shade", false),
    ("overtone", false),
    ("grade", true),
];

/// Keys by which conditions name classes.
pub(crate) static CLASS_KEYS: [Key; PROPERTIES.len()] = [
    optional("size", Classes, "Classes of size."),
    optional("shape", Classes, "Classes of shape."),
    optional("lustre", Classes, "Classes of lustre; \">=B\" for B and better."),
    optional("surface", Classes, "Classes of surface; \">=B\" for B and better."),
    optional(
        "nacre",
        Classes,
        "Classes of nacre's thickness; \">=B\" for B and better.",
    ),
    optional("colour", Classes, "Series of body colour."),
    optional("shade", Classes, "Named shades of body colour."),
    optional("overtone", Classes, "Classes of overtone."),
    optional("grade", Classes, "Jewellery or craft grade."),
];

/// The form of a standard's file.
pub(crate) static STANDARD: Form = Form {
    says: "A standard: the classes of each property, with the edition and how sure each threshold is.",
    keys: &[
        required("kind", OneOf(&["standard"]), "Says that this is a standard's file."),
        required("id", Text, "Its short name."),
        required("name", Table(&NAME), "Its name."),
        required("edition", Text, "Edition that the numbers are of."),
        required("sureness", Text, "How sure the numbers are, and where they come from."),
        optional("size", Tables(&CLASS), "Classes of size."),
        optional("shape", Tables(&CLASS), "Classes of shape."),
        optional("lustre", Tables(&CLASS), "Classes of lustre, best first."),
        optional("surface", Tables(&CLASS), "Classes of surface, best first."),
        optional("nacre", Tables(&CLASS), "Classes of nacre's thickness, best first."),
        optional("colour", Tables(&CLASS), "Series of body colour."),
        optional("shade", Tables(&CLASS), "Named shades of body colour."),
        optional("overtone", Tables(&CLASS), "Classes of overtone."),
        optional("grade", Tables(&GRADE), "Grades by classes, best first."),
    ],
    shared: &[],
};

const SURENESS: &[&str] = &["seen", "weak", "memory", "derived", "calibrate"];

static CLASS: Form = Form {
    says: "A class: the figures that it asks for must all hold.",
    keys: &[
        required("class", Text, "Its short name."),
        required("name", Table(&NAME), "Its name."),
        optional(
            "sureness",
            OneOf(SURENESS),
            "How sure: seen in a source, weak source, from memory, derived, or to be calibrated to the master set.",
        ),
        optional("part-of", Text, "The series that a shade belongs to."),
        optional("any-of", Tables(&FIGURES_ALONE), "Alternatives of which one must hold."),
    ],
    shared: &FIGURE_KEYS,
};

static FIGURES_ALONE: Form = Form {
    says: "Figures that must all hold.",
    keys: &[],
    shared: &FIGURE_KEYS,
};

static GRADE: Form = Form {
    says: "A grade: the classes that it asks for must all hold.",
    keys: &[
        required("class", Text, "Its short name."),
        required("name", Table(&NAME), "Its name."),
        optional("sureness", OneOf(SURENESS), "How sure."),
        required(
            "any-of",
            Tables(&CLASSES_AND_SIZE),
            "Alternatives of which one must hold.",
        ),
    ],
    shared: &[],
};

static CLASSES_AND_SIZE: Form = Form {
    says: "Classes and sizes that must all hold.",
    keys: &[optional("diameter-mm", FIGURE_KEYS[0].kind, FIGURE_KEYS[0].says)],
    shared: &CLASS_KEYS,
};

/// One class.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) id: String,
    pub(crate) name: Name,
    pub(crate) region: Region,
}

/// A checked standard.
#[derive(Clone, Debug, Default)]
pub struct Standard {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub name: Name,
    /// Edition that the numbers are of.
    pub edition: String,
    /// How sure the numbers are.
    pub sureness: String,
    /// The text's hash.
    pub hash: u64,
    /// Classes of each property, in the order of [`PROPERTIES`].
    classes: [Vec<Class>; PROPERTIES.len()],
}

impl Standard {
    /// The classes of a property: short names and names.
    pub fn classes(&self, property: &str) -> impl Iterator<Item = (&str, &Name)> {
        self.of(property).iter().map(|class| (class.id.as_str(), &class.name))
    }

    /// The classes of a property that a pearl is in, by its figures alone.
    #[must_use]
    pub fn classify(&self, property: &str, figures: line::grade::Figures<'_>) -> Vec<&str> {
        let holds = |range: &Range| range.figure.value(figures).is_some_and(|value| range.contains(value));
        let of = |class: &&Class| class.region.boxes.iter().any(|ranges| ranges.iter().all(holds));
        self.of(property)
            .iter()
            .filter(of)
            .map(|class| class.id.as_str())
            .collect()
    }

    pub(crate) fn of(&self, property: &str) -> &[Class] {
        PROPERTIES
            .iter()
            .position(|(name, _)| *name == property)
            .map_or(&[], |index| &self.classes[index])
    }
}

/// Reads and checks a standard's file.
///
/// # Errors
/// Every fault of the file.
pub fn load_standard(path: &Path) -> Result<Standard, Report> {
    let source = Source::read(path);
    let standard = check(&source);
    standard.ok_or_else(|| source.report())
}

/// Checks a standard; its faults are in `source`.
pub(crate) fn check(source: &Source) -> Option<Standard> {
    let table = source.parse();
    let root = Node::document(source, &table, &STANDARD);
    let text = |key: &str| root.text(key).unwrap_or_default().to_owned();
    let mut standard = Standard {
        id: text("id"),
        name: root.name("name"),
        edition: text("edition"),
        sureness: text("sureness"),
        hash: crate::hash_of(&[&source.text]),
        classes: Default::default(),
    };
    for (index, (property, _)) in PROPERTIES.iter().enumerate() {
        let nodes = root.tables(property);
        if nodes.len() > CLASSES {
            root.error(
                property,
                &format!("{} classes; at most {CLASSES}", nodes.len()),
                "remove classes",
            );
        }
        for node in &nodes {
            let region = if *property == "grade" {
                grade_region(node, &standard)
            } else {
                class_region(node)
            };
            let Some(id) = node.text("class") else { continue };
            if standard.classes[index].iter().any(|class| class.id == id) {
                node.error(
                    "class",
                    &format!("\"{id}\" is a class of {property} twice"),
                    "give each class its own name",
                );
            }
            if region.boxes.is_empty() {
                let head = node.head();
                source.error(
                    head.span,
                    &head.key,
                    &format!("nothing can be in class \"{id}\""),
                    "its conditions exclude one another: change one",
                );
            }
            standard.classes[index].push(Class {
                id: id.to_owned(),
                name: node.name("name"),
                region,
            });
        }
        overlaps(source, &nodes, &standard.classes[index]);
    }
    for node in root.tables("shade") {
        if let Some(series) = node.text("part-of")
            && standard.of("colour").iter().all(|class| class.id != series)
        {
            let known: Vec<&str> = standard.of("colour").iter().map(|class| class.id.as_str()).collect();
            node.error(
                "part-of",
                &format!("\"{series}\" is no series of colour"),
                &known_help(series, &known),
            );
        }
    }
    (!source.has_errors()).then_some(standard)
}

/// Two classes of one property that both take a pearl are a fault, but for shades and sizes, which may overlap.
fn overlaps(source: &Source, nodes: &[Node<'_>], classes: &[Class]) {
    for (b, node) in nodes.iter().enumerate().take(classes.len()) {
        if matches!(node.path(), path if path.starts_with("shade") || path.starts_with("grade") || path.starts_with("size"))
        {
            return;
        }
        for a in &classes[..b] {
            let both = a.region.and(&classes[b].region);
            if let Some(ranges) = both.boxes.first() {
                let shown = ranges.iter().map(crate::region::show).collect::<Vec<_>>().join(", ");
                let head = node.head();
                let message = format!(
                    "classes \"{}\" and \"{}\" both take pearls with {shown}",
                    a.id, classes[b].id
                );
                source.error(
                    head.span,
                    &head.key,
                    &message,
                    "change a bound so that each pearl is in one class",
                );
            }
        }
    }
}

/// The region of a table's figures.
pub(crate) fn figures_region(node: &Node<'_>) -> Region {
    let mut region = Region::all();
    for (figure, key) in FIGURES.iter().zip(&FIGURE_KEYS) {
        if let Some(interval) = node.interval(key.name) {
            region = region.and(&Region::of(Range {
                figure: *figure,
                least: interval.least,
                most: interval.most,
            }));
        }
    }
    region
}

fn class_region(node: &Node<'_>) -> Region {
    let region = figures_region(node);
    let alternatives = node.tables("any-of");
    if alternatives.is_empty() {
        if region == Region::all() && !node.has("any-of") {
            let head = node.head();
            node.source().error(
                head.span,
                &head.key,
                "asks for nothing: every pearl would be in it",
                "write at least one figure, such as ddp-percent = \"<=3\"",
            );
        }
        return region;
    }
    let any = alternatives
        .iter()
        .map(figures_region)
        .fold(Region::default(), Region::or);
    region.and(&any)
}

fn grade_region(node: &Node<'_>, standard: &Standard) -> Region {
    // A pearl has the first grade that it has earned.
    let better = standard.of("grade").iter().map(|class| &class.region);
    let alternative = |node: &Node<'_>| {
        let mut region = Region::all();
        if let Some(interval) = node.interval("diameter-mm") {
            let (figure, least, most) = (FIGURES[0], interval.least, interval.most);
            region = region.and(&Region::of(Range { figure, least, most }));
        }
        for (property, _) in PROPERTIES {
            if property != "grade"
                && let Some(classes) = classes_region(node, property, standard)
            {
                region = region.and(&classes);
            }
        }
        region
    };
    let any = node
        .tables("any-of")
        .iter()
        .map(alternative)
        .fold(Region::default(), Region::or);
    better.fold(any, |region, better| region.minus(better))
}

/// The region of the classes that a key names; `None` when it is not there. Unknown classes are faults.
pub(crate) fn classes_region(node: &Node<'_>, property: &str, standard: &Standard) -> Option<Region> {
    let ordered = PROPERTIES.iter().any(|(name, ordered)| *name == property && *ordered);
    let texts = node.texts(property);
    if texts.is_empty() {
        return None;
    }
    let classes = standard.of(property);
    let mut region = Region::default();
    for (text, place) in &texts {
        let (id, and_better) = text.strip_prefix(">=").map_or((*text, false), |id| (id.trim(), true));
        let Some(index) = find_class(node.source(), property, id, place, classes) else {
            continue;
        };
        if and_better && !ordered {
            let message = format!("{property} has no order: \">={id}\" means nothing");
            let help = format!(
                "list the classes: [{}]",
                classes[..=index]
                    .iter()
                    .map(|c| format!("\"{}\"", c.id))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            node.source().error(place.span.clone(), &place.key, &message, &help);
        }
        let wanted = if and_better {
            &classes[..=index]
        } else {
            &classes[index..=index]
        };
        region = wanted
            .iter()
            .fold(region, |region, class| region.or(class.region.clone()));
    }
    Some(region)
}

fn find_class(source: &Source, property: &str, id: &str, place: &Place, classes: &[Class]) -> Option<usize> {
    let found = classes.iter().position(|class| class.id == id || class.name.zh == id);
    if found.is_none() {
        let known: Vec<&str> = classes.iter().map(|class| class.id.as_str()).collect();
        let names = classes
            .iter()
            .flat_map(|class| [class.name.en.as_str(), class.name.zh.as_str()]);
        let by_name =
            nearest(id, names).and_then(|name| classes.iter().find(|c| c.name.en == name || c.name.zh == name));
        let help = match by_name.filter(|_| nearest(id, known.iter().copied()).is_none()) {
            Some(class) => format!("write \"{}\" ({}, {})", class.id, class.name.en, class.name.zh),
            None => known_help(id, &known),
        };
        source.error(
            place.span.clone(),
            &place.key,
            &format!("\"{id}\" is no class of {property} in the standard"),
            &help,
        );
    }
    found
}

fn known_help(word: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "the standard has no such classes: ask for figures instead".into();
    }
    let near = if word.chars().count() > 2 || known.iter().all(|k| k.len() > 2) {
        nearest(word, known.iter().copied())
    } else {
        None
    };
    match near {
        Some(near) => format!("write \"{near}\" (known: {})", known.join(", ")),
        None => format!("known: {}", known.join(", ")),
    }
}
