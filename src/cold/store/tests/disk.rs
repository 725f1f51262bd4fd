//! Disks that are slow, full or gone, and a program that is killed.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use store::{Classes, Clock, Handle, Options, Reader, Refusal, SystemClock, Writer, limits};
use support::{Folder, binned, event, form, options};

/// Looks again and again until it holds; a disk that does not fail or heal in a minute fails the test.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not in a minute");
        std::thread::yield_now();
    }
}

fn is_sound(reader: &Reader) {
    assert_eq!(reader.verify_file().unwrap(), [""; 0]);
    assert_eq!(reader.verify_sums().unwrap(), []);
}

/// Gives so many records, from `from` on, never waiting.
fn flood(handle: &Handle, from: u64, many: u64, lot: u32) {
    for pearl in from..from + many {
        handle.record(&binned(pearl, lot, 1), None);
    }
}

#[test]
fn a_slow_disk_drops_what_finds_no_room_counts_it_and_books_it_on_its_lot() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let lot = handle.open_lot(form("A"), 1, "li").unwrap().lot;
    // A disk that does not answer: another connection keeps the file for itself.
    let other = Connection::open(folder.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let given = (limits::WAITING_RECORDS + limits::BATCH + 1_000) as u64;
    flood(&handle, 1, given, lot);
    for _ in 0..limits::WAITING_EVENTS + 10 {
        handle.event(event("notice.held"));
    }
    until("the failure is told", || handle.health().failing_us > 0);
    let health = handle.health();
    assert!(health.dropped.records >= 1_000, "{health:?}");
    assert!(health.dropped.events >= 10, "{health:?}");
    assert!(health.lag_us > 0 && health.retries > 0, "{health:?}");
    assert!(
        health
            .trouble
            .unwrap()
            .text
            .contains("another program holds the store locked")
    );
    // A request is not answered well, and does nothing later.
    match handle.open_lot(form("B"), 1, "li") {
        Err(Refusal::Silent { trouble: Some(_) }) => {}
        other => panic!("{other:?}"),
    }
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    until("all is well again", || handle.health().failing_us == 0);
    handle.flush().unwrap();
    // Room again: the next are kept.
    flood(&handle, given + 1, 10, lot);
    let health = writer.end();
    assert_eq!(health.kept_records + health.dropped.records, given + 10);
    let reader = Reader::open(&folder.store()).unwrap();
    is_sound(&reader);
    let report = reader.report(lot).unwrap().unwrap();
    assert_eq!(report.passes.passes, health.kept_records);
    assert_eq!(report.unkept, health.dropped.records);
    assert_eq!(
        reader.lots(None, 10).unwrap().len(),
        1,
        "the request that was given up did nothing"
    );
}

#[test]
fn a_full_file_takes_no_half_transaction_and_what_was_kept_stays_sound() {
    let folder = Folder::new();
    let quota = Options {
        most_bytes: Some(1_000_000),
        ..options()
    };
    let writer = Writer::start(&folder.store(), quota).unwrap();
    let handle = writer.handle();
    let mut given = 0;
    until("it is full", || {
        if handle.health().waiting_records < 1_000 {
            flood(&handle, given + 1, 500, 0);
            given += 500;
        }
        handle.health().failing_us > 0
    });
    let text = handle.health().trouble.unwrap().text;
    assert!(text.contains("no room is left on the disk"), "{text}");
    let health = writer.end();
    assert_eq!(health.kept_records + health.dropped.records, given);
    assert!(health.kept_records > 0 && health.dropped.records > 0);
    let reader = Reader::open(&folder.store()).unwrap();
    is_sound(&reader);
    let kept = reader.last_records(u32::MAX, None).unwrap();
    assert_eq!(kept.len() as u64, health.kept_records);
}

/// A file system of its own; it is unmounted with the test.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(at: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", size, "tmpfs"])
            .arg(at)
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }

    fn grow(&self, size: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{size}")])
            .arg(self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_that_gets_room_again_loses_nothing_that_still_waits() {
    let folder = Folder::new();
    let disk = folder.path().join("disk");
    let Some(mount) = Mount::new(&disk, "size=1500k") else {
        println!("skipped: no right to mount a small disk here");
        return;
    };
    let path = disk.join("line.sqlite");
    let writer = Writer::start(&path, options()).unwrap();
    let handle = writer.handle();
    // Classes that no transaction before had: those of one that failed must not be taken for kept.
    let classes = |pearl: u64| Classes::new([("shape", (pearl / 100).to_string().as_str())]);
    let mut given = 0;
    until("it is full", || {
        if handle.health().waiting_records < 1_000 {
            for _ in 0..500 {
                given += 1;
                handle.record(&binned(given, 0, 1), Some(classes(given)));
            }
        }
        handle.health().failing_us > 0
    });
    assert!(handle.health().disk_free_bytes.is_some_and(|bytes| bytes < 1_000_000));
    mount.grow("size=100m");
    until("all is well again", || handle.health().failing_us == 0);
    let health = writer.end();
    assert_eq!((health.kept_records, health.dropped.records), (given, 0));
    let reader = Reader::open(&path).unwrap();
    is_sound(&reader);
    let kept = reader.last_records(u32::MAX, None).unwrap();
    assert_eq!(kept.len() as u64, given);
    for (pearl, of) in (1..).zip(kept) {
        assert_eq!((of.record.pearl.0, of.classes), (pearl, Some(classes(pearl))));
    }
}

#[test]
fn a_file_that_is_moved_away_is_told_and_written_again_when_it_is_back() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    handle.record(&binned(1, 0, 1), None);
    handle.flush().unwrap();
    let away = folder.path().join("away.sqlite");
    std::fs::rename(folder.store(), &away).unwrap();
    handle.record(&binned(2, 0, 1), None);
    until("it is told", || handle.health().failing_us > 0);
    assert!(handle.health().trouble.unwrap().text.contains("moved or removed"));
    std::fs::rename(&away, folder.store()).unwrap();
    until("all is well again", || handle.health().failing_us == 0);
    writer.end();
    assert_eq!(
        Reader::open(&folder.store())
            .unwrap()
            .last_records(9, None)
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_store_that_cannot_be_opened_is_tried_again_while_the_line_sorts() {
    let folder = Folder::new();
    Writer::start(&folder.store(), options()).unwrap().end();
    let whole = std::fs::read(folder.store()).unwrap();
    std::fs::write(folder.store(), &whole[..5_000]).unwrap();
    let writer = Writer::start_or_wait(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    handle.record(&binned(1, 0, 1), None);
    until("it is told", || handle.health().failing_us > 0);
    let text = handle.health().trouble.unwrap().text;
    assert!(text.contains("truncated or damaged"), "{text}");
    // Somebody puts a copy in its place.
    std::fs::write(folder.store(), &whole).unwrap();
    until("all is well again", || handle.health().failing_us == 0);
    handle.flush().unwrap();
    assert_eq!(writer.end().kept_records, 1);
    // Where nobody does, everything is counted as dropped at the end.
    std::fs::write(folder.store(), &whole[..5_000]).unwrap();
    let writer = Writer::start_or_wait(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    flood(&handle, 1, 70_000, 0);
    handle.event(event("notice.held"));
    let health = writer.end();
    assert_eq!(
        (health.kept_records, health.dropped.records, health.dropped.events),
        (0, 70_000, 1)
    );
    assert_eq!(health.waiting_records, 0);
    handle.record(&binned(1, 0, 1), None);
    assert_eq!(handle.health().dropped.records, 70_001);
    assert!(matches!(handle.flush(), Err(Refusal::Ended)));
}

/// Set in the child that is killed: its store.
const TO_BE_KILLED: &str = "PEARLSORT_STORE_TO_BE_KILLED";
/// Records between two lines of the child, and the time between them: five times the rate of the fastest line.
const CHILD_LINE: (u64, Duration) = (100, Duration::from_millis(10));

/// Writes at full rate until it is killed; each line says which pearls were given, and when.
fn be_killed(path: &Path) {
    let writer = Writer::start(path, options()).unwrap();
    let handle = writer.handle();
    let lot = handle.open_lot(form("A"), 1, "li").unwrap().lot;
    let begun = Instant::now();
    let mut pearl = 0;
    for line in 1.. {
        for _ in 0..CHILD_LINE.0 {
            pearl += 1;
            handle.record(&binned(pearl, lot, (pearl % 7) as u8), None);
        }
        println!("given {pearl} {}", SystemClock.steady_us());
        std::thread::sleep((begun + CHILD_LINE.1 * line).saturating_duration_since(Instant::now()));
    }
}

#[test]
fn after_a_kill_at_full_rate_everything_older_than_a_second_is_there() {
    const SECOND_US: i64 = 1_000_000;
    if let Some(path) = std::env::var_os(TO_BE_KILLED) {
        be_killed(Path::new(&path));
    }
    let folder = Folder::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "after_a_kill_at_full_rate_everything_older_than_a_second_is_there",
            "--nocapture",
        ])
        .env(TO_BE_KILLED, folder.store())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut given: Vec<(u64, i64)> = Vec::new();
    let mut begun = None;
    for line in lines {
        let line = line.unwrap();
        let mut words = line.strip_prefix("given ").into_iter().flat_map(str::split_whitespace);
        let Some((pearl, at)) = words.next().zip(words.next()) else {
            continue;
        };
        given.push((pearl.parse().unwrap(), at.parse().unwrap()));
        let (_, now) = given[given.len() - 1];
        if now - *begun.get_or_insert(now) > 3 * SECOND_US / 2 {
            break;
        }
    }
    child.kill().unwrap();
    let killed_us = SystemClock.steady_us();
    child.wait().unwrap();
    let older = given.iter().take_while(|(_, at)| killed_us - at > SECOND_US).last();
    let (pearl, _) = *older.expect("it ran for longer than a second");
    // As the power left it: nothing has opened the file in between.
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let reader = writer.handle().reader().unwrap();
    is_sound(&reader);
    let lot = reader.open_lot().unwrap().expect("the lot is still open").lot;
    let kept = reader.last_records(u32::MAX, Some(lot)).unwrap();
    assert!(
        kept.len() as u64 >= pearl,
        "{} records, at least {pearl} were due",
        kept.len()
    );
    assert!(
        (1..).zip(&kept).all(|(number, of)| of.record.pearl.0 == number),
        "a gap"
    );
    let report = reader.report(lot).unwrap().unwrap();
    assert_eq!(report.passes.passes, kept.len() as u64);
    println!("{} records kept, {} given in all", kept.len(), given[given.len() - 1].0);
}

#[test]
fn two_hundred_thousand_records_are_kept_and_counted() {
    // The promised rate is 50,000 a second; here only the counts are judged, since a busy computer's time is its own.
    const RECORDS: u64 = 200_000;
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let mut pearl = 0;
    while pearl < RECORDS {
        if handle.health().waiting_records + 1_000 > limits::WAITING_RECORDS {
            std::thread::yield_now();
            continue;
        }
        flood(&handle, pearl + 1, 1_000, 0);
        pearl += 1_000;
    }
    let health = writer.end();
    assert_eq!((health.kept_records, health.dropped.records), (RECORDS, 0));
    let reader = Reader::open(&folder.store()).unwrap();
    assert_eq!(reader.verify_sums().unwrap(), []);
}
