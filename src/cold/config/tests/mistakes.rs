//! Wrong files: the 40 most likely mistakes, with the very words that they are answered with, and hundreds of mutations of the
//! shipped files, each refused with a position.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use config::{Report, Severity, check_bytes};

fn config_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../config")
}

const LINE: &str = "line.toml";
const RECIPE: &str = "recipes/freshwater-jewellery.toml";
const SIZES: &str = "recipes/freshwater-size-7mm.toml";
const STANDARD: &str = "standards/gbt-18781-freshwater.toml";

fn shipped(name: &str) -> String {
    std::fs::read_to_string(config_folder().join(name)).expect("the shipped file can be read")
}

fn check(name: &str, bytes: &[u8]) -> Report {
    let path = config_folder().join(name);
    check_bytes(name, bytes, path.parent().expect("a file has a folder"))
}

/// A mistake: its name, the file, what is replaced (the first time that it stands there), and by what.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

const MISTAKES: [Mistake; 40] = [
    ("misspelt key", RECIPE, "lustre = \">=B\"", "lsutre = \">=B\""),
    (
        "wrong unit in a key",
        RECIPE,
        "diameter-mm = \">=6.5\"",
        "diameter-um = \">=6500\"",
    ),
    ("wrong unit in a value", SIZES, "\"8.0..8.5\"", "\"8000..8500\""),
    ("unit written into the value", SIZES, "\"8.0..8.5\"", "\"8.0mm..8.5mm\""),
    ("reversed range", SIZES, "\"8.0..8.5\"", "\"8.5..8.0\""),
    ("empty range", SIZES, "\"8.0..8.5\"", "\"8.0..8.0\""),
    ("dash for a range", SIZES, "\"8.0..8.5\"", "\"8.0-8.5\""),
    ("range as a number", RECIPE, "\">=6.5\"", "6.5"),
    ("number as text", RECIPE, "guard-sigmas = 1.0", "guard-sigmas = \"1.0\""),
    ("text as a number", RECIPE, "currency = \"CNY\"", "currency = 7"),
    ("full-width comma", RECIPE, "\"A1\", \"A2\"", "\"A1\"，\"A2\""),
    ("full-width digits", SIZES, "\"8.0..8.5\"", "\"８.0..8.5\""),
    (
        "full-width digit as a number",
        LINE,
        "baud = 3000000",
        "baud = ３000000",
    ),
    ("full-width equals", RECIPE, "otherwise = ", "otherwise ＝ "),
    ("curly quotes", RECIPE, "lustre = \">=B\"", "lustre = “>=B”"),
    ("at-least sign of a Chinese keyboard", RECIPE, "\">=6.5\"", "\"≥6.5\""),
    ("ideographic comma", RECIPE, "\"A1\", \"A2\"", "\"A1\"、\"A2\""),
    ("full-width key", RECIPE, "\nlustre = ", "\nｌustre = "),
    ("missing recirculate", RECIPE, "otherwise = \"recirculate\"", ""),
    (
        "another otherwise",
        RECIPE,
        "otherwise = \"recirculate\"",
        "otherwise = \"bin 6\"",
    ),
    ("unknown class", RECIPE, "[\"A1\", \"A2\"]", "[\"A1\", \"A22\"]"),
    (
        "class by its English name",
        RECIPE,
        "shape = [\"D\"]",
        "shape = [\"baroqe\"]",
    ),
    ("class as a text", RECIPE, "shape = [\"D\"]", "shape = \"D\""),
    (
        "order of what has none",
        RECIPE,
        "shape = [\"A1\", \"A2\"]",
        "shape = \">=A2\"",
    ),
    (
        "same key twice",
        RECIPE,
        "lustre = \">=B\"\n",
        "lustre = \">=B\"\nlustre = \">=C\"\n",
    ),
    (
        "duplicate bin",
        RECIPE,
        "shape = [\"D\"]",
        "shape = [\"B1\", \"B2\", \"C1\", \"C2\", \"drop\"]",
    ),
    (
        "conditions that exclude one another",
        RECIPE,
        "shape = [\"D\"]\n",
        "shape = [\"D\"]\nresidual-percent = \"<1\"\n",
    ),
    ("bin without conditions", RECIPE, "everything = true", ""),
    (
        "missing name in one language",
        RECIPE,
        "{ zh = \"异形珠宝级\", en = \"baroque, jewellery grade\" }",
        "{ zh = \"异形珠宝级\" }",
    ),
    ("missing quote", RECIPE, "currency = \"CNY\"", "currency = \"CNY"),
    ("missing bracket", RECIPE, "[[bin]]\nbin = 2", "[[bin]\nbin = 2"),
    (
        "standard that is not there",
        RECIPE,
        "gbt-18781-freshwater.toml",
        "gbt-18781-fresh.toml",
    ),
    (
        "guard for a condition that is not there",
        RECIPE,
        "guard = { diameter-mm = 2 }",
        "guard = { mass-g = 2 }",
    ),
    ("one of two costs", RECIPE, "guard-sigmas = 1.0", "cost-one-high = 3"),
    ("shape classes that overlap", STANDARD, "\">3..=8\"", "\">2..=8\""),
    ("first jet too near", LINE, "at-mm = [260,", "at-mm = [200,"),
    ("baud too low", LINE, "baud = 3000000", "baud = 115200"),
    (
        "two boards of one identity",
        LINE,
        "5045-4152-4C00-0002",
        "5045-4152-4C00-0001",
    ),
    ("eye used twice", LINE, "drop-eye = 8 ", "drop-eye = 7 "),
    (
        "valve closed before the pulse ends",
        LINE,
        "max-on-us = 80000",
        "max-on-us = 20000",
    ),
];

#[test]
fn the_forty_most_likely_mistakes_are_answered_in_these_words() {
    let mut answers = String::new();
    for (name, file, from, to) in MISTAKES {
        let text = shipped(file);
        assert!(text.contains(from), "{name}: {file} does not have {from}");
        let report = check(file, text.replacen(from, to, 1).as_bytes());
        assert!(report.has_errors(), "{name}: not refused");
        writeln!(answers, "=== {name}\n{report}\n").expect("a text");
    }
    insta::assert_snapshot!(answers);
}

#[test]
fn wrong_encodings_are_named() {
    let mut answers = String::new();
    let text = shipped(RECIPE);
    let mark = [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat();
    // "淡水" in GBK, twice.
    let gbk = [
        b"kind = \"recipe\"\nname = { zh = \"".as_slice(),
        &[0xB5, 0xAD, 0xCB, 0xAE, 0xB5, 0xAD],
        b"\" }\n",
    ]
    .concat();
    let utf_16: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let broken = [b"kind = \"recipe\"\n# ".as_slice(), &[0xFF], text.as_bytes()].concat();
    for bytes in [mark, gbk, utf_16, broken, Vec::new()] {
        let report = check(RECIPE, &bytes);
        assert!(report.has_errors());
        writeln!(answers, "{report}\n").expect("a text");
    }
    insta::assert_snapshot!(answers);
}

/// What a recipe that can be used is warned of.
const WARNINGS: [Mistake; 5] = [
    (
        "shadowed bin",
        SIZES,
        "diameter-mm = \"8.0..8.5\"\nshape = [\"A1\", \"A2\"]\ncolour = [\"white\"]\nlustre = \">=C\"\nsurface = \">=D\"",
        "diameter-mm = \">=7\"",
    ),
    (
        "pearls that no bin takes",
        RECIPE,
        "everything = true",
        "grade = [\"craft\"]\ndiameter-mm = \">=6\"",
    ),
    (
        "range narrower than the uncertainty",
        SIZES,
        "\"8.0..8.5\"",
        "\"8.00..8.03\"",
    ),
    ("two grades in one bin", RECIPE, "bin = 5", "bin = 4"),
    ("bin that nothing reaches", SIZES, "\"8.0..8.5\"", "\"18.0..18.5\""),
];

#[test]
fn a_recipe_that_can_be_used_is_warned_of_what_it_probably_does_not_mean() {
    let mut answers = String::new();
    for (name, file, from, to) in WARNINGS {
        let text = shipped(file);
        assert!(text.contains(from), "{name}: {file} does not have {from}");
        let report = check(file, text.replacen(from, to, 1).as_bytes());
        assert_eq!(report.severity(), Some(Severity::Warning), "{name}: {report}");
        writeln!(answers, "=== {name}\n{report}\n").expect("a text");
    }
    insta::assert_snapshot!(answers);
}

/// Wrong versions of one line `KEY = VALUE`, its comment cut off.
fn mutations(line: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(section) = line.strip_prefix('[') {
        // A section that is not known.
        wrong.push(format!("[{}", section.replace(']', "x]").replacen("x]x]", "x]]", 1)));
        return wrong;
    }
    let Some((key, value)) = line.split_once(" = ") else {
        return wrong;
    };
    let (key, value) = (key.trim_end(), value.trim());
    let in_braces = key.starts_with('{') || key.starts_with(' ');
    if in_braces {
        return wrong;
    }
    wrong.push(format!("{} = {value}", &key[..key.len() - 1]));
    wrong.push(format!("{key} = {value}\n{key} = {value}"));
    wrong.push(format!("{key} ＝ {value}"));
    wrong.push(format!("{key} {value}"));
    if let Some(text) = value.strip_prefix('"') {
        wrong.push(format!("{key} = “{text}"));
        wrong.push(format!("{key} = \"{}", text.trim_end_matches('"')));
        wrong.push(format!("{key} = [{value}, 1]"));
        if let Some((low, high)) = text.trim_end_matches('"').split_once("..")
            && !key.contains("hue")
            && !low.starts_with('>')
        {
            wrong.push(format!("{key} = \"{}..{low}\"", high.trim_start_matches('=')));
            wrong.push(format!("{key} = \"{low}-{high}\""));
        }
    } else if value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        wrong.push(format!("{key} = \"{value}\""));
        wrong.push(format!("{key} = {value}，"));
        if !value.contains('.') {
            wrong.push(format!("{key} = 9{value}000000000"));
        }
    } else if value.starts_with('[') && value.ends_with(']') && value.contains(", ") {
        wrong.push(format!("{key} = {}", value.replacen(", ", "，", 1)));
        if value.contains('"') {
            wrong.push(format!("{key} = {}", value.replacen('"', "'", 1)));
        }
    }
    wrong
}

#[test]
fn hundreds_of_mutations_of_the_shipped_files_are_refused_where_they_are() {
    let mut tried = 0;
    for file in [LINE, RECIPE, SIZES, STANDARD] {
        let text = shipped(file);
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let bare = line.split('#').next().unwrap_or_default().trim_end();
            for wrong in mutations(bare) {
                let mut mutated = lines.clone();
                mutated[index] = &wrong;
                let report = check(file, mutated.join("\n").as_bytes());
                let placed = report.faults.iter().any(|fault| {
                    let near = fault.line > index && fault.line <= index + 2;
                    fault.severity == Severity::Error && (near || bare.starts_with("kind"))
                });
                assert!(placed, "{file}:{}: not refused there: {wrong}\n{report}", index + 1);
                tried += 1;
            }
        }
    }
    println!("{tried} mutations");
    assert!(tried >= 300, "{tried} mutations");
}

#[test]
fn any_bytes_are_answered_without_a_panic() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut chance = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most as u64) as usize
    };
    for file in [LINE, RECIPE, STANDARD] {
        let text = shipped(file).into_bytes();
        for _ in 0..100 {
            let mut bytes = text.clone();
            for _ in 0..1 + chance(8) {
                if bytes.is_empty() {
                    break;
                }
                let at = chance(bytes.len());
                match chance(4) {
                    0 => bytes[at] = chance(256) as u8,
                    1 => drop(bytes.drain(at..(at + 1 + chance(40)).min(bytes.len()))),
                    2 => bytes.insert(at, b"\"[]{}=#\n.9"[chance(10)]),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let report = check(file, &bytes);
            assert!(report.faults.iter().all(|fault| fault.line > 0 && fault.column > 0));
            assert!(!report.to_string().is_empty());
        }
    }
}
