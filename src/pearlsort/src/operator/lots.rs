//! Lots, their reports and the audit trail: from the store's shapes into the page's. Cold, the page's threads: the store's
//! requests wait for the disk.

use std::io::Read;

use hmi::machine::{Answer, ExportForm, Note, Refusal, RefusalKind};
use hmi::shapes as s;
use operate::words;
use store::{AuditEntry, AuditKind, AuditLink, Handle, LotForm, LotRefusal, Reader, Tally, Verdict};

use super::desk::{Desk, Inner, LotCounts};
use super::snapshot::{bin_name, is_high_grade};
use super::words::shape_words;

/// Stands between a name and the address that it came from, in the trail.
const FROM: &str = " @ ";

/// The store, or why there is none.
pub(super) fn handle(desk: &Desk) -> Answer<Handle> {
    desk.with(|inner| inner.store.clone()).ok_or_else(|| {
        Refusal::new(
            RefusalKind::Unavailable,
            "no_store",
            "本线没有存储（启动时没有 --data，或存储打不开）。",
            "This line has no store: it was started without one, or it could not be opened. See the log.",
            "store",
        )
    })
}

fn reader(desk: &Desk) -> Answer<Reader> {
    handle(desk)?.reader().map_err(|error| unreadable(&error))
}

fn unreadable(error: &store::StoreError) -> Refusal {
    let zh = format!("存储无法读取：{error}");
    Refusal::new(RefusalKind::Unavailable, "store", &zh, &error.to_string(), "store")
}

fn refused(refusal: store::Refusal) -> Refusal {
    let en = refusal.to_string();
    let (kind, zh) = match &refusal {
        store::Refusal::Lot(LotRefusal::AnotherOpen { number, .. }) => (
            RefusalKind::Conflict,
            format!("批次 {number} 尚未关闭，请先关闭：皮带上一次只有一个批次。"),
        ),
        store::Refusal::Lot(LotRefusal::NoSuch { lot }) => (RefusalKind::Unknown, format!("存储中没有批次 {lot}。")),
        store::Refusal::Lot(LotRefusal::Closed { number }) => {
            (RefusalKind::Conflict, format!("批次 {number} 已经关闭，内容不再改变。"))
        }
        store::Refusal::Lot(LotRefusal::NoNumber) => (
            RefusalKind::Invalid,
            "批次没有编号：请填写袋子或单据上的编号。".to_owned(),
        ),
        store::Refusal::Lot(LotRefusal::Date { given }) => (
            RefusalKind::Invalid,
            format!("“{given}”不是采收日期：请写成 YYYY-MM-DD 或 YYYY-MM，或留空。"),
        ),
        store::Refusal::Lot(LotRefusal::Mass { .. }) => {
            (RefusalKind::Invalid, "质量小于零：请校零后重新称量。".to_owned())
        }
        store::Refusal::TooLong { length, most, .. } => (
            RefusalKind::Invalid,
            format!("文字有 {length} 个字符，最多保存 {most} 个。"),
        ),
        _ => (RefusalKind::Unavailable, format!("存储没有接受：{en}")),
    };
    Refusal::new(kind, "store", &zh, &en, "lot")
}

fn number(lot: u64) -> Answer<u32> {
    u32::try_from(lot).map_err(|_| refused(store::Refusal::Lot(LotRefusal::NoSuch { lot: u32::MAX })))
}

fn ms(us: i64) -> u64 {
    u64::try_from(us / 1_000).unwrap_or(0)
}

fn lot_shape(lot: &store::Lot, passes: s::Counts, pearls: u64, binned_mg: f64) -> s::Lot {
    s::Lot {
        lot: lot.lot.into(),
        number: lot.form.number.clone(),
        farm: lot.form.farm.clone(),
        harvest_date: lot.form.harvested.clone(),
        customer: lot.form.customer.clone(),
        operator: lot.form.operator.clone(),
        mass_in_mg: lot.form.mass_in_ug.map(|ug| ug as f64 * 1e-3),
        count_in: lot.form.count_in,
        opened_at_ms: ms(lot.opened.wall_us),
        closed_at_ms: lot.closed.map(|stamp| ms(stamp.wall_us)),
        passes,
        pearls,
        binned_mg,
    }
}

fn with_sums(reader: &Reader, lot: &store::Lot) -> Answer<s::Lot> {
    let report = reader.report(lot.lot).map_err(|error| unreadable(&error))?;
    Ok(match report {
        Some(report) => summed(&report),
        None => lot_shape(lot, s::Counts::default(), 0, 0.0),
    })
}

fn summed(report: &store::LotReport) -> s::Lot {
    let passes = s::Counts {
        entered: report.passes.passes,
        in_flight: 0,
        binned: report.binned.passes,
        recirculated: report.recirculated.passes,
        lost: report.lost.passes,
        late: 0,
    };
    lot_shape(&report.lot, passes, report.pearls, mg(report.binned))
}

fn mg(tally: Tally) -> f64 {
    tally.mass_ug as f64 * 1e-3
}

pub(super) fn list(desk: &Desk, before: Option<u64>, most: usize) -> Answer<Vec<s::Lot>> {
    let reader = reader(desk)?;
    let before = before.map(number).transpose()?;
    let most = u32::try_from(most).unwrap_or(store::limits::PAGE);
    let lots = reader.lots(before, most).map_err(|error| unreadable(&error))?;
    lots.iter().map(|lot| with_sums(&reader, lot)).collect()
}

pub(super) fn get(desk: &Desk, lot: u64) -> Answer<s::Lot> {
    let (reader, lot) = (reader(desk)?, number(lot)?);
    let kept = reader.lot(lot).map_err(|error| unreadable(&error))?;
    let kept = kept.ok_or_else(|| refused(store::Refusal::Lot(LotRefusal::NoSuch { lot })))?;
    with_sums(&reader, &kept)
}

/// Opens a lot, and tells the core: pearls that come from now on carry it.
pub(super) fn open(desk: &Desk, form: LotForm, who: &str) -> Answer<store::Lot> {
    desk.with(|inner| {
        let allowed = inner.operate.allows(operate::Deed::Lot);
        allowed.map_err(|refusal| super::words::refusal(&refusal, inner.operate.setup()))
    })?;
    let hash = desk.with(|inner| inner.book.as_ref().map_or(0, |book| book.hash));
    let lot = handle(desk)?.open_lot(form, hash, who).map_err(refused)?;
    desk.with(|inner| take_up(inner, &lot));
    Ok(lot)
}

/// A lot is open: the core and the counts follow it.
pub(super) fn take_up(inner: &mut Inner, lot: &store::Lot) {
    let now = inner.now;
    let _refused = inner.operate.request(now, &operate::Request::Lot(lot.lot), "store");
    inner.lot_counts = LotCounts::default();
    inner.lot = Some(lot.clone());
    let text = words::event("lot_opened").filled(&[("lot", &lot.form.number)]);
    inner.tell(now, "lot.opened", text);
}

pub(super) fn close(desk: &Desk, lot: u64, who: &str) -> Answer<s::Lot> {
    let number = number(lot)?;
    let handle = handle(desk)?;
    let closed = handle
        .close_lot(number, store::Leftover::default(), who)
        .map_err(refused)?;
    desk.with(|inner| {
        let now = inner.now;
        let _refused = inner.operate.request(now, &operate::Request::Lot(0), "store");
        inner.lot = None;
        let text = words::event("lot_closed").filled(&[("lot", &closed.form.number)]);
        inner.tell(now, "lot.closed", text);
    });
    handle.flush().map_err(refused)?;
    get(desk, lot)
}

/// What a new lot's form says.
pub(super) fn form(lot: &s::NewLot, operator: &str) -> LotForm {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let ug = |mg: f64| (mg * 1e3).round() as i64;
    LotForm {
        number: lot.number.clone(),
        farm: lot.farm.clone(),
        harvested: lot.harvest_date.clone(),
        customer: lot.customer.clone(),
        operator: operator.to_owned(),
        note: String::new(),
        mass_in_ug: lot.mass_in_mg.map(ug),
        count_in: lot.count_in,
    }
}

pub(super) fn report(desk: &Desk, lot: u64) -> Answer<s::LotReport> {
    let handle = handle(desk)?;
    if desk.with(|inner| inner.lot.as_ref().is_some_and(|open| u64::from(open.lot) == lot)) {
        handle.flush().map_err(refused)?;
    }
    let (reader, number) = (reader(desk)?, number(lot)?);
    let report = reader.report(number).map_err(|error| unreadable(&error))?;
    let report = report.ok_or_else(|| refused(store::Refusal::Lot(LotRefusal::NoSuch { lot: number })))?;
    Ok(desk.with(|inner| report_shape(inner, &report)))
}

fn report_shape(inner: &Inner, report: &store::LotReport) -> s::LotReport {
    let binned = report.binned.passes.max(1) as f64;
    let grades: Vec<s::GradeSum> = report.bins.iter().map(|bin| grade_shape(inner, bin, binned)).collect();
    let high: u64 = grades
        .iter()
        .filter(|grade| grade.high_grade)
        .map(|grade| grade.pearls)
        .sum();
    let any_high = grades.iter().any(|grade| grade.high_grade);
    let ug = |mass: Option<i64>| mass.unwrap_or(0) as f64 * 1e-3;
    let sums = report.binned.plus(report.recirculated).plus(report.lost);
    s::LotReport {
        lot: summed(report),
        made_at_ms: ms(super::desk::wall_us()),
        mass_seen_mg: mg(report.passes) - mg(report.refed),
        mass_binned_mg: mg(report.binned),
        mass_recirculated_mg: mg(report.left),
        mass_lost_mg: mg(report.lost),
        mass_missing_mg: report.mass.in_ug.map(|_| ug(report.mass.open_ug)),
        adds_up: sums == report.passes && report.unkept == 0,
        high_grade_share: (any_high && report.binned.passes > 0).then(|| high as f64 / binned),
        grades,
        classes: report.classes.iter().map(class_shape).collect(),
        causes: report.causes.iter().map(cause_shape).collect(),
        currency: report.bins.iter().find_map(|bin| bin.currency.clone()),
        recipes: report.recipes.iter().map(|of| recipe_shape(of, report)).collect(),
        calibrations: Vec::new(),
        audit: report.audit.iter().map(link_shape).collect(),
        audit_hash: hexadecimal(&report.trail.hash),
        records_dropped: report.unkept,
    }
}

fn grade_shape(inner: &Inner, bin: &store::BinSum, binned: f64) -> s::GradeSum {
    let kept = bin.name_en.clone().zip(bin.name_zh.clone());
    s::GradeSum {
        bin: bin.bin.0 + 1,
        name: kept.map_or_else(|| bin_name(inner, bin.bin.index()), |(en, zh)| s::Text::new(zh, en)),
        high_grade: is_high_grade(inner, bin.bin.index()),
        pearls: bin.tally.passes,
        share: bin.tally.passes as f64 / binned,
        mass_mg: (bin.tally.weighed > 0).then(|| mg(bin.tally)),
        mean_diameter_mm: None,
        value: bin.value_micro.map(|micro| micro as f64 * 1e-6),
    }
}

fn class_shape(class: &store::ClassSum) -> s::ClassSum {
    s::ClassSum {
        property: s::Text::new(class.property.clone(), class.property.clone()),
        class: class.class.clone(),
        pearls: class.tally.passes,
    }
}

fn cause_shape(cause: &store::CauseSum) -> s::CauseCount {
    let known = line::Cause::all().find(|of| of.name() == cause.cause);
    s::CauseCount {
        cause: cause.cause.clone(),
        name: known.map(|cause| shape_words(words::cause(cause))).unwrap_or_default(),
        pearls: cause.tally.passes,
    }
}

fn recipe_shape(of: &store::RecipeUse, report: &store::LotReport) -> s::RecipeUse {
    let name = of.name.clone().unwrap_or_default();
    s::RecipeUse {
        hash: format!("{:016x}", of.hash),
        name: s::Text::new(name.clone(), name),
        from_ms: ms(report.lot.opened.wall_us),
        passes: of.passes,
    }
}

fn hexadecimal(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn link_shape(link: &AuditLink) -> s::AuditEntry {
    let (by, from) = link.who.split_once(FROM).unwrap_or((&link.who, ""));
    let (action, subject) = link.subject.split_once(' ').unwrap_or((&link.subject, ""));
    let dotted = action.contains('.');
    s::AuditEntry {
        number: link.number,
        at_ms: ms(link.stamp.wall_us),
        by: by.to_owned(),
        from: from.to_owned(),
        action: if dotted { action.to_owned() } else { link.kind.clone() },
        subject: if dotted {
            subject.to_owned()
        } else {
            link.subject.clone()
        },
        before: link.before.clone(),
        after: link.after.clone(),
        hash: hexadecimal(&link.hash),
    }
}

/// Puts a change on the trail.
pub(super) fn audit(desk: &Desk, note: &Note) -> Answer<()> {
    let kind = match note.action.split('.').next().unwrap_or_default() {
        "recipe" => AuditKind::Recipe,
        "line" | "bin" | "valve" => AuditKind::State,
        "calibration" => AuditKind::Calibration,
        "user" | "session" | "password" => AuditKind::User,
        "lot" => AuditKind::Lot,
        "alarm" => AuditKind::Alarm,
        _ => AuditKind::Setting,
    };
    let lot = desk.with(|inner| inner.lot.as_ref().map_or(0, |lot| lot.lot));
    let entry = AuditEntry {
        who: format!("{}{FROM}{}", note.by, note.from),
        kind,
        subject: format!("{} {}", note.action, note.subject),
        before: note.before.clone(),
        after: note.after.clone(),
        lot,
    };
    handle(desk)?.audit(entry).map(drop).map_err(refused)
}

pub(super) fn audit_page(desk: &Desk, before: Option<u64>, most: usize) -> Answer<s::AuditPage> {
    let most = u32::try_from(most).unwrap_or(store::limits::PAGE);
    let links = reader(desk)?
        .audit(before, most, None)
        .map_err(|error| unreadable(&error))?;
    let entries: Vec<s::AuditEntry> = links.iter().map(link_shape).collect();
    let last = entries.last().map(|entry| entry.number).filter(|number| *number > 1);
    Ok(s::AuditPage {
        next_before: last.filter(|_| entries.len() == most as usize),
        entries,
    })
}

pub(super) fn audit_verify(desk: &Desk) -> Answer<s::AuditVerdict> {
    let verdict = reader(desk)?.verify_audit(None).map_err(|error| unreadable(&error))?;
    Ok(match verdict {
        Verdict::Whole(head) => s::AuditVerdict {
            entries: head.number,
            holds: true,
            first_broken: None,
            text: s::Text::new(
                format!("审计链完整：{} 条。", head.number),
                format!("The audit trail is whole: {} entries.", head.number),
            ),
        },
        Verdict::Broken(link) => s::AuditVerdict {
            entries: link.number,
            holds: false,
            first_broken: Some(link.number),
            text: s::Text::new(
                format!("审计链在第 {} 条断开：{}", link.number, link.why),
                format!("The audit trail is broken at entry {}: {}", link.number, link.why),
            ),
        },
    })
}

pub(super) fn export(desk: &Desk, lot: u64, form: ExportForm) -> Answer<Box<dyn Read + Send>> {
    let (reader, lot) = (reader(desk)?, number(lot)?);
    let form = match form {
        ExportForm::Csv => store::export::Form::Csv,
        ExportForm::Parquet => store::export::Form::Parquet,
    };
    let file = store::export::to_temporary(&reader, lot, form);
    let file = file.map_err(|error| match error {
        store::export::ExportError::NoSuchLot { lot } => refused(store::Refusal::Lot(LotRefusal::NoSuch { lot })),
        other => {
            let en = other.to_string();
            Refusal::new(
                RefusalKind::Unavailable,
                "export",
                &format!("导出失败：{en}"),
                &en,
                "lot",
            )
        }
    })?;
    Ok(Box::new(file))
}

/// The last pearls, oldest first.
pub(super) fn last_records(desk: &Desk, most: usize) -> Vec<line::Record> {
    desk.with(|inner| {
        let skip = inner.recent.len().saturating_sub(most);
        inner.recent.iter().skip(skip).copied().collect()
    })
}
