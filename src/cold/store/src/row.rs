//! A record as a row, and back. Any thread.

use line::{Cause, Destination, Landing, MassFigure, Record};
use rusqlite::{CachedStatement, Connection, Row, params};
use units::{BinId, EyeId, HostUs, LaneId, Micrograms, Micrometres, PearlId, Tick, TriggerSeq};
use wire::{Measurement, ViewStatus};

use crate::clock::Stamp;

/// What stands beside a record in its row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside<'a> {
    pub(crate) number: i64,
    pub(crate) run: i64,
    pub(crate) stamp: Stamp,
    pub(crate) outcome: &'a str,
    pub(crate) class_set: Option<i64>,
}

/// The insertion of one row.
pub(crate) fn insertion(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(
        "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39,
             ?40, ?41, ?42, ?43, ?44, ?45)",
    )
}

/// Inserts a record.
pub(crate) fn insert(
    statement: &mut CachedStatement<'_>,
    beside: &Beside<'_>,
    record: &Record,
) -> rusqlite::Result<()> {
    let (sent_bin, cause) = match record.sent {
        Destination::Bin(bin) => (Some(bin.0), None),
        Destination::Tray(cause) => (None, Some(cause.name())),
    };
    let (landing, landed_bin) = landing_name(record.landing);
    let good = record.view.filter(|view| view.status == ViewStatus::Good);
    let figure = |of: fn(&Measurement) -> i32| good.as_ref().map(of);
    statement.execute(params![
        beside.number,
        beside.run,
        beside.stamp.at_us,
        beside.stamp.wall_us,
        record.lot,
        record.pearl.0.cast_signed(),
        record.lane.0,
        record.seq.0,
        record.triggered.0,
        record.centre.0,
        record.length.0,
        beside.outcome,
        sent_bin,
        cause,
        landing,
        landed_bin,
        record.earned.map(|bin| bin.0),
        record.decision_us,
        record.lead_us,
        record.recipe.cast_signed(),
        beside.class_set,
        record.mass.map(|figure| figure.mass.0),
        record.mass.map(|figure| figure.u.0),
        record.view.map(|view| view.status as u8),
        record.view.map(|view| view.eye.0),
        record.view.map(|view| view.in_view),
        figure(|view| view.d_max_um.into()),
        figure(|view| view.d_mid_um.into()),
        figure(|view| view.d_min_um.into()),
        figure(|view| view.u_diameter_um.into()),
        figure(|view| view.u_ddp.into()),
        figure(|view| view.residual_um.into()),
        figure(|view| view.taper.into()),
        figure(|view| view.lab_l.into()),
        figure(|view| view.lab_a.into()),
        figure(|view| view.lab_b.into()),
        figure(|view| view.u_lab.into()),
        figure(|view| view.overtone_a.into()),
        figure(|view| view.overtone_b.into()),
        figure(|view| view.lustre.into()),
        figure(|view| view.u_lustre.into()),
        figure(|view| view.blemishes.into()),
        figure(|view| view.blemish_area.into()),
        figure(|view| view.u_blemish_area.into()),
        good.and_then(|view| view.nacre_um),
    ])?;
    Ok(())
}

const fn landing_name(landing: Landing) -> (&'static str, Option<u8>) {
    match landing {
        Landing::Seen => ("seen", None),
        Landing::NoEye => ("no_eye", None),
        Landing::Lost => ("lost", None),
        Landing::Tray => ("tray", None),
        Landing::Bin(bin) => ("bin", Some(bin.0)),
    }
}

/// Columns in the order in which [`read`] wants them.
pub(crate) const COLUMNS: &str = "n, run, at_us, wall_us, lot, pearl, lane, seq, triggered_us, centre_tick, length_um,
    outcome, sent_bin, cause, landing, landed_bin, earned_bin, decision_us, lead_us, recipe,
    (SELECT classes FROM class_sets WHERE id = class_set), mass_ug, u_mass_ug, view, eye, in_view,
    d_max_um, d_mid_um, d_min_um, u_diameter_um, u_ddp, residual_um, taper, lab_l, lab_a, lab_b, u_lab,
    overtone_a, overtone_b, lustre, u_lustre, blemishes, blemish_area, u_blemish_area, nacre_um";

/// The record of a row. What no record can be is an error of the row, not a panic.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Record> {
    let seq = TriggerSeq(row.get(7)?);
    let sent = match row.get::<_, Option<u8>>(12)? {
        Some(bin) => Destination::Bin(BinId(bin)),
        None => Destination::Tray(cause(row, 13)?),
    };
    let mass = row.get::<_, Option<i32>>(21)?;
    Ok(Record {
        pearl: PearlId(row.get::<_, i64>(5)?.cast_unsigned()),
        lane: LaneId(row.get(6)?),
        seq,
        triggered: HostUs(row.get(8)?),
        centre: Tick(row.get(9)?),
        length: Micrometres(row.get(10)?),
        view: view(row, seq)?,
        mass: match mass {
            Some(mass) => Some(MassFigure {
                mass: Micrograms(mass),
                u: Micrograms(row.get(22)?),
            }),
            None => None,
        },
        earned: row.get::<_, Option<u8>>(16)?.map(BinId),
        sent,
        landing: landing(row)?,
        decision_us: row.get(17)?,
        lead_us: row.get(18)?,
        recipe: row.get::<_, i64>(19)?.cast_unsigned(),
        lot: row.get(4)?,
    })
}

fn cause(row: &Row<'_>, at: usize) -> rusqlite::Result<Cause> {
    let name: String = row.get(at)?;
    Cause::all()
        .find(|cause| cause.name() == name)
        .ok_or_else(|| unheard_of(at, &name))
}

fn unheard_of(at: usize, name: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        at,
        rusqlite::types::Type::Text,
        format!("\"{name}\" is not known to this program").into(),
    )
}

fn landing(row: &Row<'_>) -> rusqlite::Result<Landing> {
    let name: String = row.get(14)?;
    Ok(match name.as_str() {
        "seen" => Landing::Seen,
        "no_eye" => Landing::NoEye,
        "lost" => Landing::Lost,
        "tray" => Landing::Tray,
        "bin" => Landing::Bin(BinId(row.get(15)?)),
        _ => return Err(unheard_of(14, &name)),
    })
}

fn view(row: &Row<'_>, seq: TriggerSeq) -> rusqlite::Result<Option<Measurement>> {
    let Some(number) = row.get::<_, Option<u8>>(23)? else {
        return Ok(None);
    };
    let status = view_status(number).ok_or_else(|| unheard_of(23, &number.to_string()))?;
    let good = status == ViewStatus::Good;
    let u16_at = |at: usize| -> rusqlite::Result<u16> { if good { row.get(at) } else { Ok(0) } };
    let i16_at = |at: usize| -> rusqlite::Result<i16> { if good { row.get(at) } else { Ok(0) } };
    Ok(Some(Measurement {
        eye: EyeId(row.get(24)?),
        seq,
        status,
        in_view: row.get(25)?,
        d_max_um: u16_at(26)?,
        d_mid_um: u16_at(27)?,
        d_min_um: u16_at(28)?,
        u_diameter_um: u16_at(29)?,
        u_ddp: u16_at(30)?,
        residual_um: u16_at(31)?,
        taper: u16_at(32)?,
        lab_l: u16_at(33)?,
        lab_a: i16_at(34)?,
        lab_b: i16_at(35)?,
        u_lab: u16_at(36)?,
        overtone_a: i16_at(37)?,
        overtone_b: i16_at(38)?,
        lustre: u16_at(39)?,
        u_lustre: u16_at(40)?,
        blemishes: if good { row.get(41)? } else { 0 },
        blemish_area: u16_at(42)?,
        u_blemish_area: u16_at(43)?,
        nacre_um: row.get(44)?,
    }))
}

/// The status that has this number on the bus.
pub(crate) fn view_status(number: u8) -> Option<ViewStatus> {
    Cause::all().find_map(|cause| match cause {
        Cause::View(status) if status as u8 == number => Some(status),
        _ => None,
    })
}
