//! The audit trail: it can't be changed by accident, and a change on purpose shows the first broken link.

mod support;

use rusqlite::Connection;
use store::{AuditEntry, AuditKind, Head, Reader, Refusal, Verdict, Writer};
use support::{Folder, options};

fn entry(n: u32) -> AuditEntry {
    AuditEntry {
        who: "li".to_owned(),
        kind: AuditKind::Threshold,
        subject: format!("alarm {n}"),
        before: n.to_string(),
        after: (n + 1).to_string(),
        lot: 0,
    }
}

/// A store whose trail has eight links. Gives back the head after each.
fn made(folder: &Folder) -> Vec<Head> {
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    (1..=8).map(|n| handle.audit(entry(n)).unwrap()).collect()
}

fn verdict(folder: &Folder, known: Option<&Head>) -> Verdict {
    Reader::open(&folder.store()).unwrap().verify_audit(known).unwrap()
}

fn broken_at(folder: &Folder) -> u64 {
    match verdict(folder, None) {
        Verdict::Broken(link) => link.number,
        Verdict::Whole(head) => panic!("whole up to {head}"),
    }
}

fn tamper(folder: &Folder, statements: &str) {
    Connection::open(folder.store())
        .unwrap()
        .execute_batch(statements)
        .unwrap();
}

const NO_GUARD: &str = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_removed;
    DROP TRIGGER audit_is_never_replaced;";

#[test]
fn the_trail_is_whole_and_its_head_is_known_by_what_a_report_prints() {
    let folder = Folder::new();
    let heads = made(&folder);
    assert_eq!(verdict(&folder, None), Verdict::Whole(heads[7]));
    for head in &heads {
        let printed: Head = head.to_string().parse().unwrap();
        assert_eq!(verdict(&folder, Some(&printed)), Verdict::Whole(heads[7]));
    }
    for wrong in ["", "3", "3:", "x:00", &format!("3:{}", "é".repeat(32))] {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}

#[test]
fn the_database_refuses_to_change_remove_or_replace_a_link() {
    let folder = Folder::new();
    made(&folder);
    let connection = Connection::open(folder.store()).unwrap();
    for statement in [
        "UPDATE audit SET who = 'wang' WHERE n = 3",
        "DELETE FROM audit WHERE n = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT n, at_us, wall_us, 'wang', kind, subject, before, after, lot, previous, hash
             FROM audit WHERE n = 3",
    ] {
        let error = connection.execute_batch(statement).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{statement}: {error}");
    }
}

#[test]
fn every_field_is_covered_by_the_chain() {
    for field in [
        "at_us = at_us + 1",
        "wall_us = wall_us - 1",
        "who = 'wang'",
        "kind = 'state'",
        "subject = ''",
        "before = '9'",
        "after = '9'",
        "lot = 4",
        "previous = zeroblob(32)",
        "hash = zeroblob(32)",
        "hash = 'short'",
        // One text's end moved into the next: no length is lost between them.
        "before = before || after, after = ''",
    ] {
        let folder = Folder::new();
        made(&folder);
        // Strict tables refuse a text for a blob; whoever tampers can make the table anew.
        let loose = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')')
            WHERE name = 'audit'; PRAGMA writable_schema = RESET;";
        tamper(
            &folder,
            &format!("{NO_GUARD} {loose} UPDATE audit SET {field} WHERE n = 5;"),
        );
        assert_eq!(broken_at(&folder), 5, "{field}");
    }
}

#[test]
fn links_taken_out_moved_or_cut_off_are_found() {
    for (statement, number) in [
        ("DELETE FROM audit WHERE n = 4;", 4),
        ("DELETE FROM audit WHERE n = 1;", 1),
        ("DELETE FROM audit WHERE n > 6;", 7),
        ("DELETE FROM audit;", 1),
        // The gap closed again by renumbering.
        ("DELETE FROM audit WHERE n = 4; UPDATE audit SET n = n - 1 WHERE n > 4;", 4),
        (
            "UPDATE audit SET n = 100 WHERE n = 2; UPDATE audit SET n = 2 WHERE n = 3; UPDATE audit SET n = 3 WHERE n = 100;",
            2,
        ),
        (
            "INSERT INTO audit SELECT 9, at_us, wall_us, who, kind, subject, before, after, lot, previous, hash FROM audit
                 WHERE n = 8;",
            9,
        ),
    ] {
        let folder = Folder::new();
        made(&folder);
        tamper(&folder, &format!("{NO_GUARD} {statement}"));
        assert_eq!(broken_at(&folder), number, "{statement}");
    }
}

#[test]
fn a_trail_cut_off_with_its_head_is_found_by_what_left_the_machine() {
    let folder = Folder::new();
    let heads = made(&folder);
    tamper(
        &folder,
        &format!(
            "{NO_GUARD} DELETE FROM audit WHERE n > 5;
             UPDATE audit_head SET n = 5, hash = (SELECT hash FROM audit WHERE n = 5);"
        ),
    );
    // The chain alone can't tell.
    assert_eq!(verdict(&folder, None), Verdict::Whole(heads[4]));
    assert!(matches!(verdict(&folder, Some(&heads[7])), Verdict::Broken(link) if link.number == 6));
    // Written on from there, it has other hashes.
    let writer = Writer::start(&folder.store(), options()).unwrap();
    for n in 20..=22 {
        writer.handle().audit(entry(n)).unwrap();
    }
    drop(writer);
    assert!(matches!(verdict(&folder, Some(&heads[7])), Verdict::Broken(link) if link.number == 8));
}

#[test]
fn the_trail_goes_on_over_a_restart_and_is_read_in_pages() {
    let folder = Folder::new();
    made(&folder);
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let mut last = entry(9);
    last.kind = AuditKind::Calibration;
    writer.handle().audit(last).unwrap();
    let reader = writer.handle().reader().unwrap();
    let numbers = |links: Vec<store::AuditLink>| links.iter().map(|link| link.number).collect::<Vec<_>>();
    assert_eq!(numbers(reader.audit(None, 3, None).unwrap()), [9, 8, 7]);
    assert_eq!(numbers(reader.audit(Some(7), 2, None).unwrap()), [6, 5]);
    assert_eq!(
        numbers(reader.audit(None, 9, Some(AuditKind::Calibration)).unwrap()),
        [9]
    );
    let mut long = entry(1);
    long.after = "x".repeat(store::limits::LONG_TEXT + 1);
    assert!(matches!(writer.handle().audit(long), Err(Refusal::TooLong { .. })));
}
