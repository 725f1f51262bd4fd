//! What can be wrong with a store, in words for the person at the machine. Any thread.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::lot::LotRefusal;

/// Why a store can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no file.
    #[error("{}: there is no such file. Name the store that the line writes, or start the line once: it makes one", path.display())]
    Missing {
        /// The store.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{}: a newer pearlsort wrote this store (layout {found}, this program knows up to {known}). Install that version, or name another file for this one", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its layout's version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// An older program wrote it, and a reader may not change it.
    #[error("{}: an older pearlsort wrote this store (layout {found}, this program reads {known}). Start the line once with this version: it brings the store up to date", path.display())]
    Older {
        /// The store.
        path: PathBuf,
        /// Its layout's version.
        found: u32,
        /// The one that this program reads.
        known: u32,
    },
    /// A part of the file is gone.
    #[error("{}: the store is truncated or damaged ({detail}). Move it away with its -wal and -shm files and put a copy in its place, or go on with a new one; what can be saved of it, `sqlite3 FILE .recover` tells", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// It is something else.
    #[error("{}: this is no store of pearlsort. Name another file: this one is not written over", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// It may be read only.
    #[error("{}: the store can't be written: the file, its folder or the disk is read-only. Give the user that runs pearlsort the right to write there, or mount the disk for writing", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// Another pearlsort writes it.
    #[error("{}: another pearlsort writes this store ({}). One line has one store: stop that program or name another file", path.display(), holder_text(*holder))]
    InUse {
        /// The store.
        path: PathBuf,
        /// Process that holds it, if it said so.
        holder: Option<u32>,
    },
    /// Another program holds a lock.
    #[error("{}: another program holds the store locked. Close what has it open for writing (a database browser, a copy that runs)", path.display())]
    Locked {
        /// The store.
        path: PathBuf,
    },
    /// No room is left.
    #[error("{}: no room is left on the disk for the store. Free some, or shorten its retention", path.display())]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// The file was moved away while it was written.
    #[error("{}: the store was moved or removed while it is written. Put it back, or start pearlsort again", path.display())]
    Gone {
        /// The store.
        path: PathBuf,
    },
    /// The system refused something else.
    #[error("{}: {doing} failed: {source}", path.display())]
    Io {
        /// The store or another file.
        path: PathBuf,
        /// What was done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused something else.
    #[error("{}: {doing} failed: {source}", path.display())]
    Sql {
        /// The store.
        path: PathBuf,
        /// What was done.
        doing: &'static str,
        /// What it said.
        source: rusqlite::Error,
    },
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(|| "its number is not known".to_owned(), |pid| format!("process {pid}"))
}

impl StoreError {
    /// What the database's answer means.
    pub(crate) fn from_sql(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Locked { path }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                detail: source.to_string(),
            },
            Some(ErrorCode::NotADatabase) => Self::NotAStore { path },
            _ => Self::Sql { path, doing, source },
        }
    }

    pub(crate) fn from_io(path: &Path, doing: &'static str, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { path },
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => Self::ReadOnly { path },
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { path, doing, source },
        }
    }

    /// Whether it may pass by itself or by what people do, so that trying again makes sense.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Sql { source, .. } => !matches!(
                source.sqlite_error_code(),
                None | Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::ApiMisuse)
            ),
            _ => true,
        }
    }
}

/// Why a request was not carried out. Nothing of it is in the file, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Too many wait.
    #[error("the store has too many requests waiting: try again in a moment")]
    Crowded,
    /// The disk does not answer.
    #[error("the store does not answer within {} s{}. Nothing was changed: look at the disk and try again", crate::limits::ANSWER_WAIT.as_secs(), because(trouble))]
    Silent {
        /// What went wrong last, if anything.
        trouble: Option<String>,
    },
    /// The request was being carried out, and no answer came.
    #[error("the store began the request and did not end it within {} s: look whether it was carried out", 2 * crate::limits::ANSWER_WAIT.as_secs())]
    Unknown,
    /// The writer has ended.
    #[error("the store is closed: pearlsort is ending")]
    Ended,
    /// A text is too long.
    #[error("{what} is {length} characters long, at most {most} are kept")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its characters.
        length: usize,
        /// Characters allowed.
        most: usize,
    },
    /// A lot can't be opened, closed or changed like that.
    #[error(transparent)]
    Lot(#[from] LotRefusal),
    /// The file does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn because(trouble: &Option<String>) -> String {
    trouble.as_ref().map_or_else(String::new, |text| format!(" ({text})"))
}
