//! What is removed with time, and what never is.

mod support;

use std::sync::Arc;
use std::time::Duration;

use store::{Leftover, Options, Retention, Writer};
use support::{Folder, HandClock, binned, event, form, options};

const DAY_US: i64 = 86_400_000_000;

/// A writer that removes at once: its first look comes after its first entry.
fn removing(folder: &Folder, clock: &Arc<HandClock>, retention: Retention) -> Writer {
    let clock: Arc<HandClock> = Arc::clone(clock);
    let options = Options {
        retention,
        clock,
        ..options()
    };
    Writer::start(&folder.store(), options).unwrap()
}

fn age(days: u64) -> Retention {
    Retention {
        age: Some(Duration::from_secs(days * 86_400)),
        bytes: None,
    }
}

#[test]
fn what_is_old_goes_and_sums_audit_and_open_lots_stay() {
    let folder = Folder::new();
    let clock = HandClock::at(1_000 * DAY_US);
    let writer = removing(&folder, &clock, Retention::default());
    let handle = writer.handle();
    let old = handle.open_lot(form("old"), 1, "li").unwrap().lot;
    (1..=50).for_each(|pearl| handle.record(&binned(pearl, old, 1), None));
    handle.event(event("notice.held"));
    handle.close_lot(old, Leftover::default(), "li").unwrap();
    let open = handle.open_lot(form("open"), 1, "li").unwrap().lot;
    (51..=60).for_each(|pearl| handle.record(&binned(pearl, open, 1), None));
    drop(handle);
    writer.end();

    clock.pass(40 * DAY_US);
    let writer = removing(&folder, &clock, age(30));
    let handle = writer.handle();
    // The look for what is old follows an entry; the second answer comes after it.
    handle.flush().unwrap();
    handle.flush().unwrap();
    let reader = handle.reader().unwrap();
    let numbers: Vec<u64> = reader
        .last_records(100, None)
        .unwrap()
        .iter()
        .map(|of| of.number)
        .collect();
    assert_eq!(
        numbers,
        (51..=60).collect::<Vec<_>>(),
        "those of the open lot stay, however old"
    );
    let report = reader.report(old).unwrap().unwrap();
    assert_eq!((report.passes.passes, report.removed), (50, 50));
    assert_eq!(reader.verify_sums().unwrap(), []);
    assert_eq!(reader.audit_head().unwrap().number, 3);
    assert!(reader.events(None, 10, "").unwrap().is_empty());
    let minutes = reader.minutes(0, i64::MAX / 2, None).unwrap();
    assert_eq!(minutes.iter().map(|sum| sum.lot).collect::<Vec<_>>(), [open]);
    // Numbers go on where they were.
    handle.record(&binned(61, open, 1), None);
    handle.flush().unwrap();
    assert_eq!(reader.last_records(1, None).unwrap()[0].number, 61);
}

#[test]
fn a_file_that_is_too_large_loses_its_oldest_records() {
    let folder = Folder::new();
    let clock = HandClock::at(1_000 * DAY_US);
    let retention = Retention {
        age: None,
        bytes: Some(600_000),
    };
    let writer = removing(&folder, &clock, retention);
    let handle = writer.handle();
    let mut pearl = 0;
    for _ in 0..30 {
        (0..1_000).for_each(|_| {
            pearl += 1;
            handle.record(&binned(pearl, 0, 1), None);
        });
        handle.flush().unwrap();
    }
    drop(handle);
    writer.end();
    let writer = removing(&folder, &clock, retention);
    for _ in 0..10 {
        writer.handle().flush().unwrap();
    }
    let reader = writer.handle().reader().unwrap();
    let kept = reader.last_records(u32::MAX, None).unwrap();
    assert!(kept.len() < 10_000, "{} are left", kept.len());
    assert_eq!(kept.last().map_or(0, |of| of.number), pearl, "the newest stay");
    assert_eq!(reader.verify_sums().unwrap(), []);
    assert_eq!(reader.verify_file().unwrap(), [""; 0]);
}
