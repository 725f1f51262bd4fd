//! A lot's records as a file for other programs: CSV or Parquet, the same columns in both.
//!
//! Any thread that may wait. Both are written as they are read: a lot of any size takes little memory.

mod columns;
mod csv;
mod parquet;

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use crate::error::StoreError;
use crate::reader::Reader;

/// The file's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values (RFC 4180), UTF-8, a head line, an empty field where nothing is known.
    Csv,
    /// Apache Parquet, uncompressed, a null where nothing is known.
    Parquet,
}

/// Why a lot can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such lot.
    #[error("there is no lot {lot} in this store")]
    NoSuchLot {
        /// The lot that was asked for.
        lot: u32,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file can't be written.
    #[error("the export can't be written: {0}. Look at the room on its disk and the right to write there")]
    Write(#[from] io::Error),
    /// The Parquet library refused.
    #[error("the export can't be written as Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

/// Writes every record of a lot that retention has left. Gives back how many.
///
/// # Errors
/// See [`ExportError`]; what was written until then is of no use.
pub fn write(reader: &Reader, lot: u32, form: Form, out: &mut (impl Write + Send)) -> Result<u64, ExportError> {
    if reader.lot(lot)?.is_none() {
        return Err(ExportError::NoSuchLot { lot });
    }
    match form {
        Form::Csv => csv::write(reader, lot, out),
        Form::Parquet => parquet::write(reader, lot, out),
    }
}

/// As [`write()`], into a file without a name in the system's folder for such: whoever reads it from its beginning gets the
/// export, and it is gone when it is closed.
///
/// # Errors
/// See [`ExportError`].
pub fn to_temporary(reader: &Reader, lot: u32, form: Form) -> Result<File, ExportError> {
    let mut file = nameless()?;
    write(reader, lot, form, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn nameless() -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = rustix::fs::open(std::env::temp_dir(), flags, Mode::RUSR | Mode::WUSR)?;
    Ok(File::from(file))
}
