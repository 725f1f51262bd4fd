//! The CSV. Any thread that may wait.

use std::io::{BufWriter, Write};

use super::ExportError;
use super::columns::{COLUMNS, Kind, Value};
use crate::reader::Reader;
use crate::time::iso;

/// Ends of lines, as RFC 4180 has them.
const END: &[u8] = b"\r\n";

pub(super) fn write(reader: &Reader, lot: u32, out: &mut impl Write) -> Result<u64, ExportError> {
    let mut out = BufWriter::new(out);
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    out.write_all(names.join(",").as_bytes())?;
    out.write_all(END)?;
    let mut records = 0;
    reader.each_record(lot, |record| {
        for (index, column) in COLUMNS.iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            match ((column.of)(record), column.kind) {
                (Value::Nothing, _) => {}
                (Value::Number(us), Kind::Time) => out.write_all(iso(us).as_bytes())?,
                (Value::Number(number), _) => write!(out, "{number}")?,
                (Value::Text(text), _) => out.write_all(field(&text).as_bytes())?,
            }
        }
        out.write_all(END)?;
        records += 1;
        Ok::<(), ExportError>(())
    })?;
    out.flush()?;
    Ok(records)
}

/// A text as a field: in quotes where it needs them.
fn field(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_quotes_or_ends_of_lines_are_quoted() {
        assert_eq!(field("shape=A1;lustre=B"), "shape=A1;lustre=B");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("a\nb"), "\"a\nb\"");
    }
}
