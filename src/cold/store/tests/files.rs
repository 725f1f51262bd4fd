//! Files that can't be used: each a clear message, and never written over.

mod support;

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use store::{Health, Reader, SCHEMA_VERSION, StoreError, Writer};
use support::{Folder, binned, form, options};

/// A whole store with a lot and some records, closed.
fn made(folder: &Folder) {
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let lot = handle.open_lot(form("A"), 1, "li").unwrap().lot;
    for pearl in 1..=2_000 {
        handle.record(&binned(pearl, lot, 1), None);
    }
    writer.end();
}

fn start(path: &Path) -> StoreError {
    let error = Writer::start(path, options()).map(drop).expect_err("it can't be used");
    let text = error.to_string();
    assert!(text.starts_with(&path.display().to_string()), "where: {text}");
    error
}

#[test]
fn a_newer_programs_store_is_left_alone() {
    let folder = Folder::new();
    made(&folder);
    let set = |version: u32| {
        let connection = Connection::open(folder.store()).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    set(SCHEMA_VERSION + 7);
    let error = start(&folder.store());
    assert!(
        matches!(error, StoreError::Newer { found, known, .. } if (found, known) == (SCHEMA_VERSION + 7, SCHEMA_VERSION)),
        "{error:?}"
    );
    assert!(matches!(Reader::open(&folder.store()), Err(StoreError::Newer { .. })));
    // As it was before this program's first version: a reader does not change it.
    set(0);
    assert!(matches!(
        Reader::open(&folder.store()),
        Err(StoreError::Older { found: 0, .. })
    ));
}

#[test]
fn a_truncated_store_is_told_at_any_length_and_never_taken_for_a_new_one() {
    let folder = Folder::new();
    made(&folder);
    let whole = fs::read(folder.store()).unwrap();
    let page = 4_096;
    for length in [
        0,
        1,
        15,
        16,
        71,
        99,
        100,
        1_000,
        page,
        page + 1,
        3 * page,
        whole.len() - page,
        whole.len() - 1,
    ] {
        let path = folder.path().join(format!("cut-{length}.sqlite"));
        fs::write(&path, &whole[..length]).unwrap();
        let error = start(&path);
        assert!(matches!(error, StoreError::Damaged { .. }), "{length}: {error:?}");
        assert!(error.to_string().contains("truncated or damaged"));
        assert_eq!(fs::read(&path).unwrap().len(), length, "it was changed");
    }
}

#[test]
fn another_file_is_not_written_over() {
    let folder = Folder::new();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "pearls sorted today: many").unwrap();
    assert!(matches!(start(&text), StoreError::NotAStore { .. }));
    let other = folder.path().join("other.sqlite");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    assert!(matches!(start(&other), StoreError::NotAStore { .. }));
    assert!(matches!(
        Reader::open(&folder.path().join("none.sqlite")),
        Err(StoreError::Missing { .. })
    ));
}

#[test]
fn a_second_writer_is_told_who_has_the_store() {
    let folder = Folder::new();
    let first = Writer::start(&folder.store(), options()).unwrap();
    let error = start(&folder.store());
    assert!(
        matches!(error, StoreError::InUse { holder: Some(pid), .. } if pid == std::process::id()),
        "{error:?}"
    );
    drop(first);
    Writer::start(&folder.store(), options()).unwrap();
}

#[test]
fn a_store_that_another_program_has_locked_is_told() {
    let folder = Folder::new();
    made(&folder);
    let other = Connection::open(folder.store()).unwrap();
    other.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = start(&folder.store());
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
}

#[test]
fn a_reader_reads_while_the_writer_writes_and_after_it_has_ended() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    handle.record(&binned(1, 0, 1), None);
    handle.flush().unwrap();
    let reader = Reader::open(&folder.store()).unwrap();
    assert_eq!(reader.last_records(10, None).unwrap().len(), 1);
    handle.record(&binned(2, 0, 1), None);
    let health: Health = writer.end();
    assert_eq!((health.kept_records, health.dropped.records), (2, 0));
    assert_eq!(reader.last_records(10, None).unwrap().len(), 2);
    assert_eq!(
        Reader::open(&folder.store())
            .unwrap()
            .last_records(10, None)
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn no_damage_inside_the_file_makes_a_program_fall() {
    let folder = Folder::new();
    made(&folder);
    let whole = fs::read(folder.store()).unwrap();
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut refused = 0;
    for case in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..=random(40) {
            let at = 100 + random(bytes.len() - 100);
            bytes[at] = random(256) as u8;
        }
        let path = folder.path().join(format!("hurt-{case}.sqlite"));
        fs::write(&path, bytes).unwrap();
        // Whatever is answered, it is an answer; what can't be read is an error of this file.
        if let Ok(reader) = Reader::open(&path) {
            let answers = [
                reader.report(1).map(drop),
                reader.lots(None, 10).map(drop),
                reader.last_records(3_000, None).map(drop),
                reader.minutes(0, i64::MAX / 2, None).map(drop),
                reader.audit(None, 10, None).map(drop),
                reader.verify_audit(None).map(drop),
                reader.verify_sums().map(drop),
                reader.verify_file().map(drop),
            ];
            refused += answers.iter().filter(|answer| answer.is_err()).count();
        }
        if let Ok(writer) = Writer::start(&path, options()) {
            let handle = writer.handle();
            handle.record(&binned(1, 1, 1), None);
            drop(handle.open_lot(form("B"), 1, "li"));
            writer.end();
        }
    }
    assert!(refused > 0, "the damage did nothing");
}

/// Set in the child: which file it is to open as a user without rights.
const AS_NOBODY: &str = "PEARLSORT_STORE_AS_NOBODY";

#[test]
fn a_read_only_store_is_told_and_can_still_be_read() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if let Some(path) = std::env::var_os(AS_NOBODY) {
        let error = start(Path::new(&path));
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
        assert_eq!(Reader::open(Path::new(&path)).unwrap().lots(None, 10).unwrap().len(), 1);
        return;
    }
    let folder = Folder::new();
    made(&folder);
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    fs::remove_file(folder.path().join("line.sqlite.lock")).unwrap();
    set(&folder.store(), 0o444);
    set(folder.path(), 0o555);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "a_read_only_store_is_told_and_can_still_be_read",
        "--nocapture",
    ]);
    child.env(AS_NOBODY, folder.store()).current_dir("/");
    let is_root = fs::metadata("/proc/self")
        .map(|of| std::os::unix::fs::MetadataExt::uid(&of))
        .unwrap()
        == 0;
    if is_root {
        // Nothing is read-only to root.
        child.uid(65_534).gid(65_534);
    }
    let output = match child.output() {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            println!("skipped: a user without rights can't run the test's program here ({error})");
            return;
        }
        output => output.unwrap(),
    };
    set(folder.path(), 0o755);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}
