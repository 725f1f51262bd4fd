//! Reads `docs/wire-vectors.txt`, and keeps files of the documentation and the code together.

use std::path::PathBuf;

/// A block of the vectors' file: its lines as name and value.
pub(crate) struct Block(Vec<(String, String)>);

impl Block {
    /// The values of all lines with this name.
    pub(crate) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of the line with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A page or data file of the documentation.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../docs")
        .join(name)
}

pub(crate) fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

/// The blocks of the vectors' file.
pub(crate) fn vectors() -> Vec<Block> {
    let lines = |block: &str| {
        let lines = block.lines().filter(|line| !line.starts_with('#'));
        Block(
            lines
                .filter_map(|line| line.split_once(": "))
                .map(|(n, v)| (n.into(), v.into()))
                .collect(),
        )
    };
    read("wire-vectors.txt")
        .split("\n\n")
        .map(lines)
        .filter(|block| block.get("name").is_some())
        .collect()
}

/// Asserts that docs/`name` reads `text`; with PEARLSORT_BLESS set, writes it instead.
pub(crate) fn holds(name: &str, text: &str) {
    if std::env::var_os("PEARLSORT_BLESS").is_some() {
        std::fs::write(path(name), text).expect("the documentation can be written");
    }
    let differs = read(name)
        .lines()
        .zip(text.lines())
        .find(|(file, code)| file != code)
        .map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(
        differs, None,
        "docs/{name} differs from the code (set PEARLSORT_BLESS=1 to write it anew)"
    );
    assert!(read(name) == text, "docs/{name} is shorter or longer than the code's");
}
