//! Lots. Cold.

use std::io::Read;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Asker, Reply, Shared, Window, as_text, number};
use crate::app::Entry;
use crate::body::{Asked, Form, Pipe};
use crate::ledger::Part;
use crate::limits::LOT_CHARACTERS;
use crate::machine::ExportForm;
use crate::problem::Fail;
use crate::shapes::{Lot, LotReport, NewLot, OpenLotRequest, Text, VersionRequest};

/// Bytes of an export that go out at once.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the connection.
const PIECES: usize = 4;

pub(crate) async fn list(State(app): Shared, Asked(window): Asked<Window>) -> Reply<Vec<Lot>> {
    let (before, most) = (window.before, window.most());
    Ok(Json(app.ask(move |machine| machine.lots(before, most)).await??))
}

pub(crate) async fn one(State(app): Shared, Path(lot): Path<String>) -> Reply<Lot> {
    let lot = number(&lot, "lot")?;
    Ok(Json(app.ask(move |machine| machine.lot(lot)).await??))
}

pub(crate) async fn open(
    State(app): Shared,
    Extension(caller): Asker,
    Form(request): Form<OpenLotRequest>,
) -> Result<(StatusCode, Json<Lot>), Fail> {
    check(&request.lot)?;
    let new = request.lot;
    let lot = app
        .change(caller.user()?, Part::Lot, Some(request.version), move |machine, by| {
            let lot = machine.open_lot(by, &new)?;
            let entry = Entry {
                action: "lot.open",
                subject: format!("lot {}", lot.lot),
                before: String::new(),
                after: as_text(&new),
                what: Text::new(format!("开批 {}", new.number), format!("lot {} opened", new.number)),
            };
            Ok((lot, entry))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(lot)))
}

/// What a lot is called is free text: it is kept as it is, and whoever shows it must escape it.
fn check(lot: &NewLot) -> Result<(), Fail> {
    let texts = [
        ("number", &lot.number),
        ("farm", &lot.farm),
        ("harvest_date", &lot.harvest_date),
        ("customer", &lot.customer),
    ];
    for (place, text) in texts {
        if text.chars().count() > LOT_CHARACTERS || text.chars().any(char::is_control) {
            return Err(Fail::invalid(
                "wrong_text",
                format!("{place} 最多 {LOT_CHARACTERS} 个字，不含换行"),
                format!("{place} has at most {LOT_CHARACTERS} characters and no line breaks"),
                place,
            ));
        }
    }
    if lot.number.trim().is_empty() {
        return Err(Fail::invalid(
            "wrong_text",
            "请填写批号",
            "write the lot's number",
            "number",
        ));
    }
    if !lot.harvest_date.is_empty() && !is_date(&lot.harvest_date) {
        return Err(Fail::invalid(
            "wrong_date",
            "采收日期的格式为 2026-11-24",
            "the day of the harvest is written as 2026-11-24",
            "harvest_date",
        ));
    }
    if lot.mass_in_mg.is_some_and(|mass| !(mass.is_finite() && mass > 0.0)) {
        return Err(Fail::invalid(
            "wrong_mass",
            "来料质量必须大于 0",
            "the mass handed in must be above 0",
            "mass_in_mg",
        ));
    }
    Ok(())
}

/// Whether a text is a day as ISO 8601 writes it.
fn is_date(text: &str) -> bool {
    let parts: Vec<Option<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
    let [Some(year), Some(month), Some(day)] = parts[..] else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 31,
    };
    text.len() == 10
        && text.chars().all(|c| c.is_ascii_digit() || c == '-')
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
}

pub(crate) async fn close(
    State(app): Shared,
    Extension(caller): Asker,
    Path(lot): Path<String>,
    Form(request): Form<VersionRequest>,
) -> Reply<Lot> {
    let lot: u64 = number(&lot, "lot")?;
    app.change(caller.user()?, Part::Lot, Some(request.version), move |machine, by| {
        let closed = machine.close_lot(by, lot)?;
        let entry = Entry {
            action: "lot.close",
            subject: format!("lot {lot}"),
            before: String::new(),
            after: as_text(&closed.passes),
            what: Text::new(
                format!("结批 {}", closed.number),
                format!("lot {} closed", closed.number),
            ),
        };
        Ok((closed, entry))
    })
    .await
    .map(Json)
}

pub(crate) async fn report(State(app): Shared, Path(lot): Path<String>) -> Reply<LotReport> {
    let lot = number(&lot, "lot")?;
    Ok(Json(app.ask_long(move |machine| machine.lot_report(lot)).await??))
}

/// The query of an export.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    form: FileForm,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileForm {
    Csv,
    Parquet,
}

/// A lot's records as a file. They are read while they are sent, so that a large lot needs no large memory.
pub(crate) async fn export(
    State(app): Shared,
    Path(lot): Path<String>,
    Asked(export): Asked<Export>,
) -> Result<Response, Fail> {
    let lot: u64 = number(&lot, "lot")?;
    let (form, kind, ending) = match export.form {
        FileForm::Csv => (ExportForm::Csv, "text/csv; charset=utf-8", "csv"),
        FileForm::Parquet => (ExportForm::Parquet, "application/vnd.apache.parquet", "parquet"),
    };
    let place = Arc::clone(&app.long)
        .acquire_owned()
        .await
        .map_err(|_| Fail::internal("workers"))?;
    let file = app.ask(move |machine| machine.export_lot(lot, form)).await??;
    let (pieces, pipe) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || pour(file, &pieces, place));
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"lot-{lot}.{ending}\""),
        ),
    ];
    Ok((headers, Body::new(Pipe(pipe))).into_response())
}

/// Reads a file piece by piece until its end, or until nobody takes the pieces any more.
fn pour(mut file: Box<dyn Read + Send>, pieces: &mpsc::Sender<Bytes>, _place: OwnedSemaphorePermit) {
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                if pieces.blocking_send(Bytes::copy_from_slice(&piece[..read])).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::error!("an export ended early: {error}");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_no_calendar_has_are_refused() {
        for day in ["2026-11-24", "2024-02-29", "2000-02-29"] {
            assert!(is_date(day), "{day}");
        }
        for day in [
            "2026-13-01",
            "2026-02-29",
            "1900-02-29",
            "2026-11-31",
            "2026-1-01",
            "24.11.2026",
            "2026-11-24T",
            "+026-11-24",
        ] {
            assert!(!is_date(day), "{day}");
        }
    }
}
