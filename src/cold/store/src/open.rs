//! Opening the file: what it is, who else has it, how it is written. Any thread.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::StoreError;
use crate::limits::BUSY_WAIT;
use crate::schema;

/// Bytes of a page.
const PAGE_BYTES: u64 = 4096;
/// Pages in the log at which they are brought into the file.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Bytes that the log keeps after that.
const LOG_BYTES: u64 = 64 << 20;
/// Bytes of a database's head, and where the application's mark stands in it.
const HEAD: usize = 100;
const MARK_AT: usize = 68;

/// The file, open for writing, and the lock that keeps other programs from it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// Which file it is: another one may come to stand at its path.
    pub(crate) inode: u64,
    /// Held as long as the file is written.
    pub(crate) _lock: File,
}

/// Opens the store for writing, and makes it if there is none. It may grow to `most_bytes`.
pub(crate) fn for_writing(path: &Path, most_bytes: Option<u64>) -> Result<Opened, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| StoreError::from_io(path, "making its folder", error))?;
    }
    let lock = lock(path)?;
    if !path.exists() {
        make(path)?;
    }
    check_head(path)?;
    File::options()
        .write(true)
        .open(path)
        .map_err(|error| StoreError::from_io(path, "opening it for writing", error))?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(path, &mut connection)?;
    prepare(&connection, most_bytes).map_err(|error| StoreError::from_sql(path, "preparing it for writing", error))?;
    check_length(path, &connection)?;
    let inode = inode(path)?;
    Ok(Opened {
        connection,
        inode,
        _lock: lock,
    })
}

/// Number of the file that stands at `path`.
pub(crate) fn inode(path: &Path) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.ino()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(StoreError::Gone { path: path.to_owned() }),
        Err(error) => Err(StoreError::from_io(path, "looking at it", error)),
    }
}

/// Opens the store for reading. A file on a read-only disk is read too, unless a log of it waits to be brought in.
pub(crate) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    check_head(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let found = connection.and_then(|connection| Ok((schema::version(path, &connection)?, connection)));
    let found = found.map_err(|error| match error {
        // A log that waits can only be read where the database may make its index beside it.
        StoreError::Sql { source, .. } if source.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            StoreError::ReadOnly { path: path.to_owned() }
        }
        other => other,
    });
    let (found, connection) = match found {
        Err(StoreError::ReadOnly { .. }) if log_is_empty(path) => {
            let connection = Connection::open_with_flags(
                format!("file:{}?immutable=1", uri_path(path)),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
            .map_err(|error| StoreError::from_sql(path, "opening it for reading", error))?;
            (schema::version(path, &connection)?, connection)
        }
        other => other?,
    };
    let (path, known) = (path.to_owned(), schema::VERSION);
    match found {
        found if found > known => Err(StoreError::Newer { path, found, known }),
        found if found < known => Err(StoreError::Older { path, found, known }),
        _ => Ok(connection),
    }
}

fn log_is_empty(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).map_or(true, |metadata| metadata.len() == 0)
}

/// The path as a URI has it.
fn uri_path(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|byte| {
            if plain(*byte) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A file that stands beside the store.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let wrong = |error| StoreError::from_sql(path, "opening it", error);
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(wrong)?;
    connection.busy_timeout(BUSY_WAIT).map_err(wrong)?;
    Ok(connection)
}

/// `synchronous=FULL`: with the log alone, a commit is on the disk when it returns.
fn prepare(connection: &Connection, most_bytes: Option<u64>) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES.cast_signed())?;
    connection.set_prepared_statement_cache_capacity(64);
    if let Some(bytes) = most_bytes {
        connection.pragma_update(None, "max_page_count", (bytes / PAGE_BYTES).max(1).cast_signed())?;
    }
    Ok(())
}

/// Makes an empty store beside its place and moves it there whole: an empty file at its place is always a damaged one.
fn make(path: &Path) -> Result<(), StoreError> {
    let new = beside(path, ".new");
    let in_making = |error| StoreError::from_io(path, "making it", error);
    for ending in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(&new, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(in_making(error)),
            _ => {}
        }
    }
    File::create(&new).map_err(in_making)?;
    let wrong = |error| StoreError::from_sql(path, "making it", error);
    let mut connection = connect(&new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .pragma_update(None, "page_size", PAGE_BYTES.cast_signed())
        .and_then(|()| connection.pragma_update(None, "auto_vacuum", "INCREMENTAL"))
        .and_then(|()| connection.pragma_update(None, "application_id", schema::APPLICATION))
        .map_err(wrong)?;
    schema::migrate(path, &mut connection)?;
    connection.close().map_err(|(_, error)| wrong(error))?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(in_making)?;
    fs::rename(&new, path).map_err(in_making)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(in_making)
}

/// What stands at the beginning of the file: anything but a store is refused before the database sees it.
fn check_head(path: &Path) -> Result<(), StoreError> {
    let damaged = |detail: String| StoreError::Damaged {
        path: path.to_owned(),
        detail,
    };
    let mut head = Vec::with_capacity(HEAD);
    File::open(path)
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(|error| StoreError::from_io(path, "reading it", error))?;
    if head.is_empty() {
        return Err(damaged("the file is empty".to_owned()));
    }
    let magic = b"SQLite format 3\0";
    if !head.starts_with(magic) && !magic.starts_with(&head) {
        return Err(StoreError::NotAStore { path: path.to_owned() });
    }
    let Some(mark) = head.get(MARK_AT..MARK_AT + 4) else {
        return Err(damaged(format!("the file ends after {} bytes", head.len())));
    };
    if mark != schema::APPLICATION.to_be_bytes() {
        return Err(StoreError::NotAStore { path: path.to_owned() });
    }
    Ok(())
}

/// Whether the file is as long as its pages, once its log is brought in. The database itself finds out when whole pages are
/// missing, but takes a part of a page for a whole one.
fn check_length(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let wrong = |error| StoreError::from_sql(path, "bringing its log in", error);
    let busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(wrong)?;
    if busy {
        // A reader still needs the log: the next start looks again.
        return Ok(());
    }
    let pages: i64 = connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .map_err(wrong)?;
    let due = pages.cast_unsigned() * PAGE_BYTES;
    let length = fs::metadata(path)
        .map_err(|error| StoreError::from_io(path, "looking at it", error))?
        .len();
    if length < due {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            detail: format!("{length} of {due} bytes are there"),
        });
    }
    Ok(())
}

/// Takes the lock that says that this program writes the store.
fn lock(path: &Path) -> Result<File, StoreError> {
    let place = beside(path, ".lock");
    let wrong = |error| StoreError::from_io(path, "locking it", error);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&place)
        .map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Who it is helps, but is not needed to refuse.
            let _ = file.read_to_string(&mut text);
            return Err(StoreError::InUse {
                path: path.to_owned(),
                holder: text.trim().parse().ok(),
            });
        }
        Err(fs::TryLockError::Error(error)) => return Err(wrong(error)),
    }
    let own = format!("{}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.write_all_at(own.as_bytes(), 0))
        .and_then(|()| file.flush())
        .map_err(wrong)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_on_the_disk_when_it_returns() {
        let folder = std::env::temp_dir().join(format!("pearlsort-open-{}", std::process::id()));
        let opened = for_writing(&folder.join("line.sqlite"), None).expect("a store");
        let connection = &opened.connection;
        let level: i64 = connection
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .expect("a level");
        assert_eq!(level, 2, "FULL");
        let mode: String = connection
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .expect("a mode");
        assert_eq!(mode, "wal");
        drop(opened);
        fs::remove_dir_all(folder).expect("the folder goes");
    }
}
