//! `pearlsort lot export`: a lot's records for other programs, from the store itself, whether or not a line writes it. Cold.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use store::Reader;
use store::export::{self, ExportError, Form};

use crate::audit;
use crate::cli::{ExportForm, LotExportArgs};
use crate::exit::{Exit, Failure};

/// Writes the records of a lot as CSV or Parquet.
///
/// # Errors
/// When there is no such lot, the store can't be read, or the file can't be written: then none is left.
pub fn export(arguments: &LotExportArgs) -> Result<ExitCode> {
    let reader = Reader::open(&arguments.store).map_err(audit::failure)?;
    let out = arguments.out.as_path();
    let form = form(arguments.form, out);
    if out == Path::new("-") {
        export::write(&reader, arguments.lot, form, &mut io::stdout()).map_err(failure)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Under another name until it is whole: what has the name is an export.
    let mut part = out.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let written = write(&reader, arguments.lot, form, part).and_then(|records| {
        fs::rename(part, out).with_context(|| format!("{} can't be written", out.display()))?;
        Ok(records)
    });
    if written.is_err() {
        // What is not there need not go.
        let _ = fs::remove_file(part);
    }
    let records = written?;
    println!("{}: {records} records of lot {}", out.display(), arguments.lot);
    Ok(ExitCode::SUCCESS)
}

fn write(reader: &Reader, lot: u32, form: Form, part: &Path) -> Result<u64> {
    let mut file = File::create(part).with_context(|| format!("{} can't be written", part.display()))?;
    let records = export::write(reader, lot, form, &mut file).map_err(failure)?;
    file.sync_all()
        .with_context(|| format!("{} can't be written", part.display()))?;
    Ok(records)
}

/// The form that was asked for, or the one that the file's name says.
fn form(asked: Option<ExportForm>, out: &Path) -> Form {
    let named = out
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
    match asked {
        Some(ExportForm::Parquet) => Form::Parquet,
        None if named => Form::Parquet,
        Some(ExportForm::Csv) | None => Form::Csv,
    }
}

fn failure(error: ExportError) -> Failure {
    match error {
        ExportError::Store(error) => audit::failure(error),
        ExportError::NoSuchLot { .. } => Failure::new(Exit::NoInput, error.to_string()),
        ExportError::Write(_) | ExportError::Parquet(_) => Failure::new(Exit::Io, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_name_says_the_form_unless_one_is_asked_for() {
        let of = |asked, name| form(asked, Path::new(name));
        assert_eq!(of(None, "lot.csv"), Form::Csv);
        assert_eq!(of(None, "lot.Parquet"), Form::Parquet);
        assert_eq!(of(None, "-"), Form::Csv);
        assert_eq!(of(Some(ExportForm::Csv), "lot.parquet"), Form::Csv);
        assert_eq!(of(Some(ExportForm::Parquet), "-"), Form::Parquet);
    }
}
