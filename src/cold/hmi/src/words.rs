//! The words that the page shows, as two of its files: `words/zh.json` and `words/en.json`, each a flat object of keys and
//! texts. They come from the one catalogue of operators' words: what the line says, and the labels that only the page has.
//! Cold.

use std::collections::BTreeMap;

use operate::words::{LINE, PAGE};

/// The files, each with its path.
pub(crate) fn files() -> [(&'static str, String); 2] {
    let mut texts = [BTreeMap::new(), BTreeMap::new()];
    for source in [LINE, PAGE] {
        let table: toml::Table = source
            .parse()
            .expect("the catalogue within the program is TOML: a test reads it");
        // The API sends alarms with their texts.
        for (key, value) in table.iter().filter(|(key, _)| *key != "alarm") {
            flatten(key, value, &mut texts);
        }
    }
    let [zh, en] = texts.map(|texts| serde_json::to_string(&texts).expect("texts by their keys are JSON"));
    [("words/zh.json", zh), ("words/en.json", en)]
}

fn flatten(key: &str, value: &toml::Value, texts: &mut [BTreeMap<String, String>; 2]) {
    if let Some(table) = value.as_table() {
        for (name, value) in table {
            flatten(&format!("{key}.{name}"), value, texts);
        }
    } else if let Some([zh, en]) = value.as_array().map(Vec::as_slice) {
        for (texts, text) in texts.iter_mut().zip([zh, en]) {
            texts.extend(text.as_str().map(|text| (key.to_owned(), text.to_owned())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys_and_the_lines_words_are_among_them() {
        let [zh, en] = files().map(|(_, text)| {
            let texts: BTreeMap<String, String> = serde_json::from_str(&text).expect("texts by their keys");
            texts
        });
        assert!(zh.keys().eq(en.keys()));
        assert_eq!(en["state.execute"], "Sorting");
        assert_eq!(en["page.nav.line"], "Line");
        assert!(zh.values().chain(en.values()).all(|text| !text.is_empty()));
    }
}
