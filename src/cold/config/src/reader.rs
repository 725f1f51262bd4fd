//! Holds a document against its form, and reads its values with their places.
//!
//! Cold side, any thread. Words: a **node** is a table of the document with its path; a **place** is where a value stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::form::{Form, Key, Kind, Need};
use crate::interval::{self, Interval};
use crate::nearest::nearest;
use crate::source::{Source, narrow};

/// A table of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    source: &'a Source,
    table: &'a DeTable<'a>,
    form: &'static Form,
    path: String,
    span: Range<usize>,
}

/// Where a value stands, and its key's path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) span: Range<usize>,
    pub(crate) key: String,
}

impl<'a> Node<'a> {
    /// The whole document, held against `form`: everything that it does not allow is a fault.
    pub(crate) fn document(source: &'a Source, table: &'a DeTable<'a>, form: &'static Form) -> Self {
        let node = Self {
            source,
            table,
            form,
            path: String::new(),
            span: 0..0,
        };
        node.check();
        node
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn check(&self) {
        for (key, value) in self.table.iter() {
            match self.form.key(key.get_ref()) {
                Some(known) => self.check_value(&self.path_of(known.name), &known.kind, value),
                None => self.unknown(key),
            }
        }
        // In a file with lines that are not TOML, what seems to be missing may stand there.
        let required = |key: &&Key| key.need == Need::Required && !self.source.is_broken();
        for key in self.form.all().filter(required) {
            if !self.table.contains_key(key.name) {
                let where_to = if self.path.is_empty() {
                    "the file".to_owned()
                } else {
                    format!("[{}]", self.path)
                };
                let help = format!("write into {where_to}: {} ({})", example(key), key.says);
                self.source
                    .error(self.span.clone(), &self.path_of(key.name), "is missing", &help);
            }
        }
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>) {
        let name = key.get_ref().as_ref();
        let narrowed: String = name.chars().map(|c| narrow(c).unwrap_or(c)).collect();
        let help = match nearest(&narrowed, self.form.all().map(|key| key.name)) {
            Some(near) => format!("write {near}"),
            None => format!(
                "known here: {}",
                self.form.all().map(|key| key.name).collect::<Vec<_>>().join(", ")
            ),
        };
        self.source.error(
            key.span(),
            &self.path_of(name),
            "is not a key that is known here",
            &help,
        );
    }

    fn check_value(&self, path: &str, kind: &Kind, value: &Spanned<DeValue<'_>>) {
        let fault = |message: String, help: String| self.source.error(value.span(), path, &message, &help);
        let got = describe(value.get_ref());
        match (kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) => {
                if text.trim().is_empty() {
                    fault("is empty".into(), "write a text".into());
                }
            }
            (Kind::Flag, DeValue::Boolean(_)) => {}
            (Kind::Whole(least, most), DeValue::Integer(_)) => {
                if whole(value).is_none_or(|n| n < *least || n > *most) {
                    fault(
                        format!("{got} is outside {least} to {most}"),
                        format!("write a whole number of {least} to {most}"),
                    );
                }
            }
            (Kind::Number(least, most), DeValue::Integer(_) | DeValue::Float(_)) => {
                if number(value).is_none_or(|n| !(*least..=*most).contains(&n)) {
                    fault(
                        format!("{got} is outside {least} to {most}"),
                        format!("write a number of {least} to {most}"),
                    );
                }
            }
            (Kind::OneOf(known), DeValue::String(text)) => {
                if !known.contains(&text.as_ref()) {
                    let near = nearest(text, known.iter().copied());
                    let help = near.map_or_else(
                        || format!("write one of: {}", known.join(", ")),
                        |near| format!("write \"{near}\""),
                    );
                    fault(format!("\"{text}\" is not known"), help);
                }
            }
            (Kind::Interval(quantity), DeValue::String(text)) => {
                if let Err(wrong) = interval::parse(text, quantity) {
                    let span = self.within(value, text, wrong.span);
                    self.source.error(span, path, &wrong.message, &wrong.help);
                }
            }
            (Kind::Classes, DeValue::String(text)) => {
                if !text.starts_with(">=") {
                    let help = format!("write [\"{text}\"] for this class alone or \">={text}\" for it and all better");
                    fault(format!("\"{text}\" is one text, not a list"), help);
                }
            }
            (Kind::Numbers(most), DeValue::String(text)) => {
                if let Err((message, help)) = numbers(text, *most) {
                    fault(message, help);
                }
            }
            (Kind::Classes, DeValue::Array(list)) => {
                list.iter().for_each(|item| self.check_value(path, &Kind::Text, item));
            }
            (Kind::List(inner), DeValue::Array(list)) => {
                list.iter().for_each(|item| self.check_value(path, inner, item))
            }
            (Kind::Table(form), DeValue::Table(table)) => {
                self.child(table, form, path.to_owned(), value.span()).check()
            }
            (Kind::Tables(form), DeValue::Array(list)) => {
                for (index, item) in list.iter().enumerate() {
                    match item.get_ref() {
                        DeValue::Table(table) => {
                            self.child(table, form, format!("{path}[{}]", index + 1), item.span())
                                .check();
                        }
                        _ => self.check_value(path, &Kind::Table(form), item),
                    }
                }
            }
            _ => fault(
                format!("{got} is {}, not {}", type_of(value.get_ref()), wanted(kind)),
                meant(kind, value.get_ref(), path),
            ),
        }
    }

    fn child(&self, table: &'a DeTable<'_>, form: &'static Form, path: String, span: Range<usize>) -> Node<'_> {
        Node {
            source: self.source,
            table,
            form,
            path,
            span,
        }
    }

    /// Where in the file a part of a text value stands.
    fn within(&self, value: &Spanned<DeValue<'_>>, text: &str, part: Range<usize>) -> Range<usize> {
        let span = value.span();
        let inner = span.start + 1;
        if self.source.text.get(inner..inner + text.len()) == Some(text) && !part.is_empty() {
            inner + part.start..inner + part.end
        } else {
            span
        }
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        debug_assert!(
            self.form.key(key).is_some(),
            "{key} is not in the form of {}",
            self.path
        );
        self.table.get(key)
    }

    /// Whether the form has such a key.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.form.key(key).is_some()
    }

    /// The known keys that are there.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.form
            .all()
            .filter(|key| self.table.contains_key(key.name))
            .map(|key| key.name)
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Where the key's value stands, or the table's head when it is not there.
    pub(crate) fn place(&self, key: &str) -> Place {
        let span = self.value(key).map_or_else(|| self.span.clone(), Spanned::span);
        Place {
            span,
            key: self.path_of(key),
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where the table begins.
    pub(crate) fn head(&self) -> Place {
        Place {
            span: self.span.clone(),
            key: self.path.clone(),
        }
    }

    /// The source, for faults.
    pub(crate) fn source(&self) -> &'a Source {
        self.source
    }

    /// An error at a key's value.
    pub(crate) fn error(&self, key: &str, message: &str, help: &str) {
        let place = self.place(key);
        self.source.error(place.span, &place.key, message, help);
    }

    /// A number, held within its bounds; its default when it is not there.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        let known = self.form.key(key)?;
        let (least, most) = match known.kind {
            Kind::Number(least, most) => (least, most),
            Kind::Whole(least, most) => (least as f64, most as f64),
            _ => return None,
        };
        match (self.value(key), known.need) {
            (Some(value), _) => number(value).filter(|n| !n.is_nan()).map(|n| n.clamp(least, most)),
            (None, Need::Default(value)) => Some(value),
            (None, _) => None,
        }
    }

    /// A whole number, held within its bounds; its default when it is not there.
    pub(crate) fn whole(&self, key: &str) -> Option<i64> {
        self.number(key).map(|n| n as i64)
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.value(key)?
            .get_ref()
            .as_str()
            .filter(|text| !text.trim().is_empty())
    }

    /// A flag; `false` when it is not there.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.value(key)
            .and_then(|value| value.get_ref().as_bool())
            .unwrap_or(false)
    }

    /// A range.
    pub(crate) fn interval(&self, key: &str) -> Option<Interval> {
        let Kind::Interval(quantity) = self.form.key(key)?.kind else {
            return None;
        };
        interval::parse(self.text(key)?, quantity).ok()
    }

    /// Whole numbers that are written as text.
    pub(crate) fn numbers(&self, key: &str) -> Option<Vec<i64>> {
        let Kind::Numbers(most) = self.form.key(key)?.kind else {
            return None;
        };
        numbers(self.text(key)?, most).ok()
    }

    /// The numbers of a list, each with its place.
    pub(crate) fn number_list(&self, key: &str) -> Option<Vec<(f64, Place)>> {
        let list = self.value(key)?.get_ref().as_array()?;
        let place = |span| Place {
            span,
            key: self.path_of(key),
        };
        list.iter()
            .map(|item| Some((number(item)?, place(item.span()))))
            .collect()
    }

    /// The texts of a list, or a single text, each with its place.
    pub(crate) fn texts(&self, key: &str) -> Vec<(&'a str, Place)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let place = |span| Place {
            span,
            key: self.path_of(key),
        };
        match value.get_ref() {
            DeValue::String(text) => vec![(text.as_ref(), place(value.span()))],
            DeValue::Array(list) => list
                .iter()
                .filter_map(|item| Some((item.get_ref().as_str()?, place(item.span()))))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A table.
    pub(crate) fn table(&self, key: &str) -> Option<Node<'a>> {
        let Kind::Table(form) = self.form.key(key)?.kind else {
            return None;
        };
        let value = self.value(key)?;
        let table = value.get_ref().as_table()?;
        Some(Node {
            source: self.source,
            table,
            form,
            path: self.path_of(key),
            span: value.span(),
        })
    }

    /// Several tables.
    pub(crate) fn tables(&self, key: &str) -> Vec<Node<'a>> {
        let Some(Kind::Tables(form)) = self.form.key(key).map(|key| key.kind) else {
            return Vec::new();
        };
        let Some(list) = self.value(key).and_then(|value| value.get_ref().as_array()) else {
            return Vec::new();
        };
        let node = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| {
            let table = item.get_ref().as_table()?;
            let path = format!("{}[{}]", self.path_of(key), index + 1);
            Some(Node {
                source: self.source,
                table,
                form,
                path,
                span: item.span(),
            })
        };
        list.iter().enumerate().filter_map(node).collect()
    }

    /// A name in both languages.
    pub(crate) fn name(&self, key: &str) -> crate::Name {
        let text = |language| {
            self.table(key)
                .and_then(|table| table.text(language))
                .unwrap_or("?")
                .to_owned()
        };
        crate::Name {
            zh: text("zh"),
            en: text("en"),
        }
    }
}

fn whole(value: &Spanned<DeValue<'_>>) -> Option<i64> {
    let integer = value.get_ref().as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => whole(value).map(|n| n as f64),
    }
}

/// Reads `"0-3, 8"`: numbers of 0 to `most`, in rising order.
fn numbers(text: &str, most: i64) -> Result<Vec<i64>, (String, String)> {
    let example = || format!("write numbers of 0 to {most} such as \"0-3, 8\"");
    if let Some(c) = text.chars().find(|c| narrow(*c).is_some()) {
        let meant: String = text.chars().map(|c| narrow(c).unwrap_or(c)).collect();
        let message = format!("'{c}' is a full-width sign, as a Chinese keyboard gives it");
        return Err((message, format!("write \"{}\"", meant.replace('~', "-"))));
    }
    let mut list: Vec<i64> = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.trim().parse::<i64>(), last.trim().parse::<i64>()) else {
            return Err((format!("\"{text}\" is no list of numbers"), example()));
        };
        if first > last {
            return Err((format!("\"{part}\" is reversed"), format!("write \"{last}-{first}\"")));
        }
        if first < 0 || last > most {
            return Err((format!("\"{part}\" is outside 0 to {most}"), example()));
        }
        if list.last().is_some_and(|before| *before >= first) {
            return Err((
                format!("\"{text}\" names a number twice or out of order"),
                "write each number once, rising".into(),
            ));
        }
        list.extend(first..=last);
    }
    Ok(list)
}

/// A value as a reader sees it, cut to a line's length.
fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "[...]".into(),
        DeValue::Table(_) => "{...}".into(),
    }
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::OneOf(_) => "a text",
        Kind::Flag => "true or false",
        Kind::Whole(..) => "a whole number",
        Kind::Number(..) => "a number",
        Kind::Interval(_) => "a range in quotes",
        Kind::Classes => "a list of classes",
        Kind::Numbers(_) => "a list of numbers in quotes",
        Kind::List(_) => "a list",
        Kind::Table(_) => "a table",
        Kind::Tables(_) => "a list of tables",
    }
}

/// What was probably meant by a value of the wrong type.
fn meant(kind: &Kind, value: &DeValue<'_>, path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    match (kind, value) {
        (Kind::Whole(..) | Kind::Number(..), DeValue::String(text)) if text.trim().parse::<f64>().is_ok() => {
            format!("write {} without quotes", text.trim())
        }
        (Kind::Whole(..), DeValue::Float(float)) => format!(
            "write {} without decimals",
            float.as_str().split('.').next().unwrap_or("0")
        ),
        (Kind::Interval(_), DeValue::Integer(_) | DeValue::Float(_)) => {
            let n = describe(value);
            format!("write \">={n}\", \"<{n}\" or a range \"{n}..MORE\"")
        }
        (Kind::Flag, DeValue::String(text)) if matches!(text.as_ref(), "true" | "false") => {
            format!("write {text} without quotes")
        }
        (Kind::Text, DeValue::Integer(_) | DeValue::Float(_)) => format!("write \"{}\"", describe(value)),
        (Kind::List(_), _) => format!("write [{}]", describe(value)),
        (Kind::Table(form), _) => {
            format!(
                "write {{ {} }}",
                form.all().take(2).map(example).collect::<Vec<_>>().join(", ")
            )
        }
        (Kind::Tables(_), _) => format!("begin each with [[{}]]", name.split('[').next().unwrap_or(name)),
        _ => format!("write {}", sample(kind)),
    }
}

/// How a value of a kind looks.
fn sample(kind: &Kind) -> String {
    match kind {
        Kind::Text => "\"...\"".into(),
        Kind::Flag => "true".into(),
        Kind::Whole(least, _) => least.to_string(),
        Kind::Number(least, _) => format!("{least:?}"),
        Kind::OneOf(known) => format!("\"{}\"", known.first().unwrap_or(&"...")),
        Kind::Interval(q) => format!("\"{}..{}\"", q.show(q.least), q.show(q.most / 2)),
        Kind::Classes => "[\"A\", \"B\"]".into(),
        Kind::Numbers(_) => "\"0-7\"".into(),
        Kind::List(inner) => format!("[{}]", sample(inner)),
        Kind::Table(form) => format!(
            "{{ {} }}",
            form.all()
                .filter(|k| k.need == Need::Required)
                .map(example)
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Kind::Tables(_) => "[[...]]".into(),
    }
}

fn example(key: &Key) -> String {
    match key.kind {
        Kind::Tables(_) => format!("[[{}]]", key.name),
        _ => format!("{} = {}", key.name, sample(&key.kind)),
    }
}
