//! Lots and their reports: passes, pearls and mass, through the writer and a reader.

mod support;

use line::{Cause, Landing};
use store::{BinWorth, Classes, Leftover, LotRefusal, RecipeText, Refusal, Worth, Writer};
use support::{Folder, binned, form, options, recirculated};
use units::BinId;

const RECIPE: u64 = 0xFEED_0000_0000_0001;

#[test]
fn a_lot_adds_up_and_a_pearl_that_went_round_twice_is_one_pearl() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let mut counted = form("A-17");
    counted.count_in = Some(5);
    let lot = handle.open_lot(counted, RECIPE, "wang").unwrap().lot;
    handle.record(&binned(1, lot, 2), None);
    handle.record(&recirculated(2, lot, Cause::Touching), None);
    handle.record(&recirculated(3, lot, Cause::NoBin), None);
    let pour = handle.pour_tray(lot, "wang").unwrap();
    assert_eq!(pour.recirculated.passes, 2);
    // Both come again: one is binned, one comes to the tray once more.
    handle.record(&binned(4, lot, 1), None);
    handle.record(&recirculated(5, lot, Cause::NoBin), None);
    let mut lost = binned(6, lot, 1);
    lost.landing = Landing::Lost;
    handle.record(&lost, None);
    handle.close_lot(lot, Leftover::default(), "wang").unwrap();

    let report = handle.reader().unwrap().report(lot).unwrap().unwrap();
    assert_eq!(report.passes.passes, 6);
    assert_eq!(
        (report.binned.passes, report.recirculated.passes, report.lost.passes),
        (2, 3, 1)
    );
    assert_eq!((report.refed.passes, report.left.passes, report.pearls), (2, 1, 4));
    assert_eq!(
        report.pearls,
        report.binned.passes + report.left.passes + report.lost.passes
    );
    assert_eq!(report.open_pearls, Some(1), "five were counted in, four are known of");
    let causes: Vec<_> = report
        .causes
        .iter()
        .map(|sum| (sum.cause.as_str(), sum.tally.passes))
        .collect();
    assert_eq!(causes, [("no_bin", 2), ("touching", 1)]);
    let out = report.binned.mass_ug + report.left.mass_ug + report.lost.mass_ug;
    assert_eq!(report.mass.open_ug, Some(1_000_000 - out));
    assert_eq!(handle.reader().unwrap().verify_sums().unwrap(), []);
}

#[test]
fn a_report_has_values_classes_recipe_and_the_lots_own_audit() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    handle
        .recipe(RecipeText {
            hash: RECIPE,
            name: "freshwater".to_owned(),
            text: "bins".to_owned(),
            currency: "CNY".to_owned(),
            bins: vec![BinWorth {
                bin: BinId(2),
                name_en: "Top".to_owned(),
                name_zh: "特级".to_owned(),
                worth: Worth::PerPearlMicro(1_500_000),
            }],
        })
        .unwrap();
    let lot = handle.open_lot(form("B"), RECIPE, "li").unwrap().lot;
    let classes = Classes::new([("shape", "A1"), ("lustre", "B")]);
    handle.record(&binned(1, lot, 2), Some(classes.clone()));
    handle.record(&binned(2, lot, 2), Some(classes.clone()));
    handle.record(&recirculated(3, lot, Cause::Doubt), Some(classes.clone()));
    handle.close_lot(lot, Leftover::default(), "li").unwrap();
    let reader = handle.reader().unwrap();
    let report = reader.report(lot).unwrap().unwrap();
    assert_eq!(report.bins.len(), 1);
    assert_eq!(report.bins[0].name_zh.as_deref(), Some("特级"));
    assert_eq!(report.bins[0].value_micro, Some(3_000_000));
    let class: Vec<_> = report
        .classes
        .iter()
        .map(|sum| (sum.class.as_str(), sum.tally.passes))
        .collect();
    assert_eq!(class, [("B", 2), ("A1", 2)]);
    assert_eq!(report.recipes[0].name.as_deref(), Some("freshwater"));
    assert_eq!(report.audit.len(), 2);
    assert!(report.audit[0].after.starts_with("opened: number=B"));
    let kept = reader.last_records(2, Some(lot)).unwrap();
    assert_eq!(kept[0].record, binned(2, lot, 2));
    assert_eq!(kept[1].classes, Some(classes));
}

#[test]
fn lots_that_cannot_be_are_refused_with_the_reason() {
    let folder = Folder::new();
    let writer = Writer::start(&folder.store(), options()).unwrap();
    let handle = writer.handle();
    let refused = |result: Result<store::Lot, Refusal>| match result {
        Err(Refusal::Lot(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(handle.open_lot(form(" "), 1, "li")), LotRefusal::NoNumber);
    let mut bad = form("A");
    bad.mass_in_ug = Some(-1);
    assert_eq!(refused(handle.open_lot(bad, 1, "li")), LotRefusal::Mass { ug: -1 });
    let lot = handle.open_lot(form("A"), 1, "li").unwrap().lot;
    let another = LotRefusal::AnotherOpen {
        lot,
        number: "A".to_owned(),
    };
    assert_eq!(refused(handle.open_lot(form("B"), 1, "li")), another);
    handle.close_lot(lot, Leftover::default(), "li").unwrap();
    let closed = LotRefusal::Closed { number: "A".to_owned() };
    assert_eq!(refused(handle.close_lot(lot, Leftover::default(), "li")), closed);
    assert_eq!(
        refused(handle.close_lot(9, Leftover::default(), "li")),
        LotRefusal::NoSuch { lot: 9 }
    );
    assert!(matches!(
        handle.open_lot(form(&"x".repeat(3_000)), 1, "li"),
        Err(Refusal::TooLong { length: 3_000, .. })
    ));
    // Nothing of what was refused is on the trail.
    assert_eq!(handle.reader().unwrap().audit_head().unwrap().number, 2);
}
