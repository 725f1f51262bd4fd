//! Forms: which keys a table of a file may have, of which kind and within which bounds. The reader holds a document
//! against its form, and the JSON Schemas are made from the same forms, so that an editor and `check` say the same.
//!
//! Cold side, any thread. Words: a **quantity** is a figure with its unit and the integer that stands for it in the core.

/// A figure that is written as a decimal in a unit and kept as an integer.
#[derive(Debug, PartialEq)]
pub(crate) struct Quantity {
    /// Unit as it stands at the end of the key, for messages.
    pub(crate) unit: &'static str,
    /// Decimals that count: 3 for mm kept as um.
    pub(crate) decimals: u32,
    /// Least value, as the integer.
    pub(crate) least: i64,
    /// Most value, as the integer.
    pub(crate) most: i64,
}

impl Quantity {
    /// The integer as it is written in a file.
    pub(crate) fn show(&self, value: i64) -> String {
        let scale = 10_i64.pow(self.decimals);
        let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
        let (whole, part) = (value / scale.unsigned_abs(), value % scale.unsigned_abs());
        if part == 0 {
            return format!("{sign}{whole}");
        }
        let part = format!("{part:0width$}", width = self.decimals as usize);
        format!("{sign}{whole}.{}", part.trim_end_matches('0'))
    }
}

/// What a key's value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A text that is not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within the bounds, both included.
    Whole(i64, i64),
    /// A number within the bounds, both included.
    Number(f64, f64),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A range of a quantity, as text: `"7.0..7.5"`, `">=7.0"`.
    Interval(&'static Quantity),
    /// Classes of a standard: a list, or `">=B"` for one and all better.
    Classes,
    /// Whole numbers from 0, as text: `"0-7"` or `"0-3, 8"`.
    Numbers(i64),
    /// A list.
    List(&'static Kind),
    /// A table.
    Table(&'static Form),
    /// Several tables.
    Tables(&'static Form),
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// It need not.
    Optional,
    /// Without it this value holds.
    Default(f64),
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
    /// What it says, for schemas and messages.
    pub(crate) says: &'static str,
}

/// The keys of a table.
#[derive(Debug)]
pub(crate) struct Form {
    /// What the table is.
    pub(crate) says: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
    /// Keys that it shares with other forms.
    pub(crate) shared: &'static [Key],
}

impl Form {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.all().find(|key| key.name == name)
    }

    /// Every key.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.keys.iter().chain(self.shared)
    }
}

/// A key that must be there.
pub(crate) const fn required(name: &'static str, kind: Kind, says: &'static str) -> Key {
    Key {
        name,
        kind,
        need: Need::Required,
        says,
    }
}

/// A key that need not be there.
pub(crate) const fn optional(name: &'static str, kind: Kind, says: &'static str) -> Key {
    Key {
        name,
        kind,
        need: Need::Optional,
        says,
    }
}

/// A number that has a value when it is not there.
pub(crate) const fn default(name: &'static str, kind: Kind, value: f64, says: &'static str) -> Key {
    Key {
        name,
        kind,
        need: Need::Default(value),
        says,
    }
}

/// A name in both languages.
pub(crate) static NAME: Form = Form {
    says: "A name in both languages.",
    keys: &[
        required("zh", Kind::Text, "In Chinese."),
        required("en", Kind::Text, "In English."),
    ],
    shared: &[],
};
