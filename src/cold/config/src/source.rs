//! A file's text, read with suspicion, and the list of what is wrong with it.
//!
//! Cold side, any thread. What a Chinese keyboard or a text editor does to a file is named here: full-width signs, a
//! byte-order mark, GBK in place of UTF-8.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use crate::limits::{FAULTS, FILE_BYTES};
use crate::report::{Fault, Report, Severity};

/// A file's text and its faults so far.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file, as it was named.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    faults: RefCell<Vec<Fault>>,
    /// Lines that are not TOML: what else is found on them only follows from that.
    broken: RefCell<Vec<usize>>,
}

impl Source {
    /// A source of `text` that is called `file`.
    pub(crate) fn new(file: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            text: text.into(),
            faults: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    /// Reads `path`; what can't be read at all is a fault of an empty text.
    pub(crate) fn read(path: &Path) -> Self {
        let file = path.display().to_string();
        let size = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let source = Self::new(file, "");
                source.error(0..0, "", "is a folder", "name a file");
                return source;
            }
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        };
        if size > FILE_BYTES {
            let source = Self::new(file, "");
            source.error(
                0..0,
                "",
                &format!("has {size} bytes; at most {FILE_BYTES} are read"),
                "name a TOML file",
            );
            return source;
        }
        match std::fs::read(path) {
            Ok(bytes) => Self::from_bytes(file, bytes),
            Err(error) => {
                let source = Self::new(file, "");
                source.error(
                    0..0,
                    "",
                    &format!("can't be read: {error}"),
                    "check the path and the permissions",
                );
                source
            }
        }
    }

    /// Takes a file's bytes; what is not UTF-8 is a fault at its first wrong byte.
    pub(crate) fn from_bytes(file: String, bytes: Vec<u8>) -> Self {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            let source = Self::new(file, "");
            source.error(
                0..0,
                "",
                "is encoded in UTF-16",
                "save it as UTF-8 without a byte-order mark",
            );
            return source;
        }
        let error = match String::from_utf8(bytes) {
            Ok(text) => {
                let source = Self::new(file, text);
                if source.text.starts_with('\u{FEFF}') {
                    let help =
                        "save it as UTF-8 without a byte-order mark (in Notepad: \"UTF-8\", not \"UTF-8 with BOM\")";
                    source.error(0..3, "", "begins with a byte-order mark", help);
                }
                return source;
            }
            Err(error) => error,
        };
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let message = if looks_like_gbk(bytes) {
            "is not UTF-8; it looks like GBK (\"ANSI\" on a Chinese Windows)".to_owned()
        } else {
            format!("is not UTF-8: byte 0x{:02X}", bytes[at])
        };
        let source = Self::new(file, String::from_utf8_lossy(bytes).into_owned());
        source.error(at..at + 1, "", &message, "save it as UTF-8");
        source
    }

    /// Line and column, from 1, of a byte.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let at = self.floor(at);
        let before = &self.text[..at];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// The nearest character boundary at or before `at`.
    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn push(&self, severity: Severity, span: Range<usize>, key: &str, message: &str, help: &str) {
        let (line, column) = self.place(span.start);
        let text = self.text.lines().nth(line - 1).unwrap_or_default().to_owned();
        let end = self.floor(span.end.max(span.start));
        let meant = self.text[self.floor(span.start)..end]
            .lines()
            .next()
            .unwrap_or_default();
        let fault = Fault {
            severity,
            file: self.file.clone(),
            line,
            column,
            width: meant.chars().count().max(1),
            text,
            key: key.to_owned(),
            message: message.to_owned(),
            help: help.to_owned(),
        };
        let mut faults = self.faults.borrow_mut();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// Adds an error.
    pub(crate) fn error(&self, span: Range<usize>, key: &str, message: &str, help: &str) {
        self.push(Severity::Error, span, key, message, help);
    }

    /// Adds a warning.
    pub(crate) fn warning(&self, span: Range<usize>, key: &str, message: &str, help: &str) {
        self.push(Severity::Warning, span, key, message, help);
    }

    /// Whether an error has been added.
    pub(crate) fn has_errors(&self) -> bool {
        self.faults
            .borrow()
            .iter()
            .any(|fault| fault.severity == Severity::Error)
    }

    /// Whether a line is not TOML.
    pub(crate) fn is_broken(&self) -> bool {
        !self.broken.borrow().is_empty()
    }

    /// Errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.faults
            .borrow()
            .iter()
            .filter(|fault| fault.severity == Severity::Error)
            .count()
    }

    /// The faults, in the order of their places.
    pub(crate) fn report(self) -> Report {
        let mut faults = self.faults.into_inner();
        let broken = self.broken.into_inner();
        faults.retain(|fault| fault.key.is_empty() || !broken.contains(&fault.line));
        faults.sort_by_key(|fault| (fault.line, fault.column));
        if faults.len() > FAULTS {
            let more = faults.len() - FAULTS;
            faults.truncate(FAULTS);
            if let Some(last) = faults.last_mut() {
                last.help.push_str(&format!(" (and {more} more faults in this file)"));
            }
        }
        Report { faults, files: 1 }
    }

    /// The document, as far as it can be understood; what can't is a fault.
    pub(crate) fn parse(&self) -> DeTable<'_> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            let wide = self.full_width_signs();
            for error in errors {
                let span = error.span().unwrap_or(0..0);
                let line = self.place(span.start).0;
                self.broken.borrow_mut().push(line);
                if !wide.contains(&line) {
                    self.error(
                        span,
                        "",
                        &format!("is not TOML here: {}", error.message()),
                        syntax_help(error.message()),
                    );
                }
            }
        }
        table.into_inner()
    }

    /// Reports full-width signs outside of comments and texts; gives the lines that have them.
    fn full_width_signs(&self) -> Vec<usize> {
        let mut lines = Vec::new();
        let (mut quote, mut comment, mut escaped) = (None, false, false);
        for (at, c) in self.text.char_indices() {
            match c {
                '\n' => (quote, comment, escaped) = (None, false, false),
                _ if comment => {}
                _ if escaped => escaped = false,
                '\\' if quote == Some('"') => escaped = true,
                '"' | '\'' if quote == Some(c) => quote = None,
                '"' | '\'' if quote.is_none() => quote = Some(c),
                '#' if quote.is_none() => comment = true,
                _ if quote.is_none() => {
                    if let Some(meant) = narrow(c) {
                        let message = format!("'{c}' is a full-width sign, as a Chinese keyboard gives it");
                        let help = format!("write {meant} (switch the keyboard to half-width)");
                        self.error(at..at + c.len_utf8(), "", &message, &help);
                        lines.push(self.place(at).0);
                    }
                }
                _ => {}
            }
        }
        lines
    }
}

/// What to do about a syntax error.
fn syntax_help(message: &str) -> &'static str {
    if message.contains("duplicate") {
        "say it once: remove or rename one of the two"
    } else if message.contains("unquoted") || message.contains("string") {
        "put texts into straight double quotes: \"...\""
    } else {
        "a line is KEY = VALUE or [SECTION]; texts stand in \"...\", lists in [..., ...]"
    }
}

/// The sign that is meant by a full-width one.
pub(crate) fn narrow(c: char) -> Option<char> {
    Some(match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0)?,
        '\u{3000}' | '\u{00A0}' => ' ',
        '、' => ',',
        '。' => '.',
        '【' | '〔' => '[',
        '】' | '〕' => ']',
        '“' | '”' | '„' | '「' | '」' => '"',
        '‘' | '’' => '\'',
        '—' | '–' | '−' => '-',
        '≥' => '>',
        '≤' => '<',
        _ => return None,
    })
}

/// Whether what is not UTF-8 pairs up as GBK does: a lead byte 0x81 to 0xFE, then 0x40 to 0xFE without 0x7F.
fn looks_like_gbk(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter().copied();
    let mut pairs = 0;
    while let Some(byte) = rest.next() {
        if byte < 0x80 {
            continue;
        }
        let trail = rest.next().unwrap_or_default();
        if !(0x81..=0xFE).contains(&byte) || !(0x40..=0xFE).contains(&trail) || trail == 0x7F {
            return false;
        }
        pairs += 1;
    }
    pairs >= 2
}
