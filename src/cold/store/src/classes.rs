//! A pearl's classes by the standard, as one short text: `shape=A1;lustre=B`. Any thread.

use std::sync::Arc;

/// Classes of one pearl. Cheap to clone; equal sets should be the same text, so give the properties always in one order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Classes(Arc<str>);

impl Classes {
    /// The classes, each with its property. `;` and `=` in a name become `_`.
    pub fn new<'a>(classes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let plain = |name: &str| name.replace([';', '='], "_");
        let pairs: Vec<String> = classes
            .into_iter()
            .map(|(property, class)| format!("{}={}", plain(property), plain(class)))
            .collect();
        Self(pairs.join(";").into())
    }

    /// As they stand in the file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Each property with its class.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs().filter_map(|pair| pair.split_once('='))
    }

    /// Each as `property=class`.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &str> {
        self.0.split(';').filter(|pair| !pair.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_back_as_they_were_given() {
        let given = [("shape", "A1"), ("colour", "white")];
        assert!(Classes::new(given).iter().eq(given));
        assert_eq!(Classes::new([]).iter().count(), 0);
        assert_eq!(Classes::new([("a;b", "c=d")]).as_str(), "a_b=c_d");
    }
}
